"""What is read of JAX is what JAX computes: same arrays, several sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from evaluator import Evaluator
from numpy_witness import draw, equal, sizes_of

jax = pytest.importorskip("jax", reason="needs JAX: pip install 'symbackprop[jax]'")

from read.jax.table import TABLE  # noqa: E402

from symbackprop.read.jax import Jittable  # noqa: E402
from symbackprop.read.numpy import parse_shapes, trace  # noqa: E402

QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
BASES = ((2, 3, 4, 5, 3), (1, 1, 1, 1, 1))


def arguments(shapes: dict[str, str], base: tuple[int, ...]) -> tuple[dict[str, int], dict[str, Any]]:
    declared = parse_shapes(shapes)
    sizes, rng = sizes_of(declared, base), np.random.default_rng(sum(base))
    return sizes, {k: draw(d, sizes, rng) for k, d in declared.items()}


@pytest.fixture(scope="module")
def computed() -> dict[str, list[Any]]:
    """What JAX computes, by name: all functions in one program for each base, since each costs a compilation."""
    found: dict[str, list[Any]] = {name: [] for name in TABLE}
    for base in BASES:
        given = {name: arguments(shapes, base)[1] for name, (shapes, _) in TABLE.items()}
        with jax.enable_x64(True):
            every = jax.jit(lambda given: {name: f(**given[name]) for name, (_, f) in TABLE.items()})
            results = every.lower(given).compile(QUICKLY)(given)
        for name, result in results.items():
            found[name].append(result)
    return found


@pytest.mark.parametrize("name", TABLE)
def test_what_is_read_is_what_jax_computes(name: str, computed: dict[str, list[Any]]) -> None:
    shapes, function = TABLE[name]
    traced = trace(Jittable(function, list(shapes), copies={}), parse_shapes(shapes))
    for base, want in zip(BASES, computed[name], strict=True):
        sizes, given = arguments(shapes, base)
        got = Evaluator(sizes, given).structure(traced.outputs)
        assert equal(got, jax.tree.map(np.asarray, want)), f"at {sizes}: read {got}, JAX {want}"
