"""Compare what the tracer reads in a function with what NumPy computes: same arrays, several sizes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from evaluator import Evaluator

from symbackprop.read.numpy import Declared, parse_shape, trace

BASES = ((2, 3, 4, 5, 3), (3, 2, 2, 4, 3), (1, 1, 1, 1, 1), (1, 2, 1, 2, 1))


def sizes_of(declared: Mapping[str, Any], base: tuple[int, ...]) -> dict[str, int]:
    symbols = sorted({s for d in declared.values() if isinstance(d, Declared) for s in d.symbols})
    return {s: base[k % len(base)] for k, s in enumerate(symbols)}


def draw(d: Any, sizes: Mapping[str, int], rng: np.random.Generator) -> Any:
    """Numbers between 0.2 and 0.9 of both signs; scalars are positive."""
    if not isinstance(d, Declared):
        return d
    shape = tuple(s.at(dict(sizes)) for s in d.shape)
    if d.values is not None:
        integers = rng.integers(0, d.values.at(dict(sizes)), size=shape)
        return integers if shape else int(integers)
    values = rng.uniform(0.2, 0.9, shape) * np.where(rng.uniform(size=shape) > 0.3, 1, -1)
    return values if shape else abs(float(values))


def fixed(declared: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Any]:
    return {k: d.at(sizes) if isinstance(d, Declared) else d for k, d in declared.items()}


def by_numpy(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    copies = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(**copies)


def equal(a: Any, b: Any) -> bool:
    if isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in b)
    if isinstance(b, tuple | list):
        return len(a) == len(b) and all(map(equal, a, b))
    if b is None:
        return a is None
    x, y = np.asarray(a, float), np.asarray(b, float)
    return x.shape == y.shape and bool(np.allclose(x, y, rtol=1e-9, atol=1e-9, equal_nan=True))


def agrees(function: Callable[..., Any], declared: Mapping[str, Any], literal: bool, bases: Any = BASES) -> str:
    """'' when NumPy and the traced terms agree at all sizes NumPy accepts, else a description of the difference."""
    compared = 0
    symbolic = None if literal else trace(function, declared)
    for base in bases:
        sizes = sizes_of(declared, base)
        rng = np.random.default_rng(sum(base))
        arguments = {k: draw(d, sizes, rng) for k, d in declared.items()}
        try:
            want = by_numpy(function, arguments)
        except Exception:  # sizes that this function refuses
            continue
        traced = symbolic or trace(function, fixed(declared, sizes))
        try:
            got = Evaluator(sizes, arguments).structure(traced.outputs)
        except OverflowError:
            continue
        if not equal(got, want):
            return f"at {sizes}: traced {got}, NumPy {want}"
        compared += 1
    return "" if compared else "NumPy refuses every size"


def compiled(code: str, name: str) -> Any:
    names: dict[str, Any] = {"np": np, "erf": np.vectorize(math.erf, otypes=[float])}
    exec(compile(code, f"<{name}>", "exec"), names)
    return names[name]


def declared_argument(argument: Mapping[str, Any]) -> Any:
    """An argument of the corpus: a shape, integers, or a plain number."""
    shape, domain = " ".join(argument["shape"]), argument["domain"]
    if domain.startswith("int:"):
        return parse_shape(f"int[{domain[4:]}] {shape}")
    if domain.startswith("intconst:"):
        return int(domain.split(":")[1])
    return parse_shape(shape)
