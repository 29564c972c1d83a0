"""Floats for index terms, by plain recursion: the independent witness of the NumPy tracer.

Nothing here knows how terms are made.  Whole-array functions are NumPy's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    Add,
    Affine,
    Apply,
    Bound,
    Delta,
    Entry,
    Holds,
    Index,
    Mul,
    NonNegative,
    Num,
    Ordinal,
    Pick,
    Positive,
    Power,
    Size,
    Sum,
    Whole,
)

FUNCTIONS = {
    "exp": math.exp, "log": lambda x: math.log(x) if x > 0 else math.nan, "tanh": math.tanh, "sin": math.sin,
    "cos": math.cos, "erf": math.erf, "atan": math.atan, "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "gammaln": math.lgamma,
}  # fmt: skip
WHOLE = {
    "max": np.max, "min": np.min, "prod": np.prod, "det": np.linalg.det, "inv": np.linalg.inv, "pinv": np.linalg.pinv,
    "argmax": lambda x: (np.arange(x.size) == x.argmax()).reshape(x.shape),
}  # fmt: skip


class Evaluator:
    """Values of terms at given sizes and arrays.  Reading an array outside its shape gives 0: such entries must be
    masked away."""

    def __init__(self, sizes: Mapping[str, int], arrays: Mapping[str, Any]) -> None:
        self.sizes = dict(sizes)
        self.arrays = {k: np.asarray(v) for k, v in arrays.items()}
        self.arrays.setdefault("pi", np.asarray(math.pi))

    def size(self, s: Size) -> int:
        return s.at(self.sizes)

    def index(self, e: Any, env: tuple[int, ...], named: Mapping[str, int]) -> int:
        match e:
            case Index(name, _):
                return named[name]
            case Bound(depth):
                return env[-1 - depth]
            case Pick(array, at, _):
                return int(self.read(array, [self.index(a, env, named) for a in at]))
            case Affine(constant, parts):
                return self.size(constant) + sum(self.size(k) * self.index(a, env, named) for a, k in parts)
        raise TypeError(e)

    def read(self, array: str, at: list[int]) -> Any:
        values = self.arrays[array]
        assert values.ndim == len(at), array
        if any(not 0 <= i < n for i, n in zip(at, values.shape, strict=True)):
            return 0.0
        return values[tuple(at)]

    def term(self, t: Any, env: tuple[int, ...], named: Mapping[str, int]) -> float:
        match t:
            case Num(value):
                return float(value)
            case Size():
                return float(self.size(t))
            case Entry(array, at):
                return float(self.read(array.name, [self.index(a, env, named) for a in at]))
            case Ordinal(of):
                return float(self.index(of, env, named))
            case Delta(i, j):
                return float(self.index(i, env, named) == self.index(j, env, named))
            case Holds(Positive(u)):
                value = self.term(u, env, named)
                return math.nan if math.isnan(value) else float(value > 0)
            case Holds(NonNegative(e)):
                return float(self.index(e, env, named) >= 0)
            case Add(args):
                return math.fsum(self.term(a, env, named) for a in args)
            case Mul(args):
                result = 1.0
                for a in sorted(args, key=lambda a: not isinstance(a, Delta | Holds)):
                    result *= self.term(a, env, named)
                    if result == 0.0:
                        return 0.0
                return result
            case Power(base, exponent):
                b = self.term(base, env, named)
                if exponent.denominator == 1:
                    return b**exponent.numerator if b or exponent > 0 else math.nan
                return math.pow(b, float(exponent)) if b > 0 else (0.0 if b == 0 and exponent > 0 else math.nan)
            case Apply(fn, arg, 0):
                return FUNCTIONS[fn](self.term(arg, env, named))
            case Sum(size, body):
                return math.fsum(self.term(body, (*env, k), named) for k in range(self.size(size)))
            case Whole(fn, 0, sizes, body, at):
                shape = [self.size(s) for s in sizes]
                values = np.empty(shape)
                for place in product(*map(range, shape)):
                    values[place] = self.term(body, (*env, *place), named)
                result = WHOLE[fn](values)
                return float(result[tuple(self.index(a, env, named) for a in at)] if at else result)
        raise TypeError(t)

    def tensor(self, t: Tensor) -> np.ndarray[Any, Any]:
        shape = [self.size(i.size) for i in t.axes]
        values = np.empty(shape)
        for place in product(*map(range, shape)):
            values[place] = self.term(t.body, (), {i.name: k for i, k in zip(t.axes, place, strict=True)})
        return values

    def structure(self, x: Any) -> Any:
        if isinstance(x, Tensor):
            return self.tensor(x)
        if isinstance(x, dict):
            return {k: self.structure(v) for k, v in x.items()}
        if isinstance(x, tuple | list):
            return type(x)(self.structure(v) for v in x)
        return x
