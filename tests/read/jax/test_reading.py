"""What the reader of JAX refuses, what it says, and what it leaves alone."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="needs JAX: pip install 'symbackprop[jax]'")

import jax.numpy as jnp  # noqa: E402
from jax import lax  # noqa: E402

from symbackprop.read.jax import Jittable  # noqa: E402
from symbackprop.read.jax.registry import written  # noqa: E402
from symbackprop.read.jax.sizes import DIMENSION, QUESTIONS, Dimensions, aliases  # noqa: E402
from symbackprop.read.jax.support import table  # noqa: E402
from symbackprop.read.numpy import ShapeMismatch, TraceError, parse_shapes, trace  # noqa: E402
from symbackprop.read.numpy.scalars import form_of  # noqa: E402

ROOT = Path(__file__).parents[3]
X, XY = {"x": "n m"}, {"x": "n m", "y": "n k"}


def read(function: Any, shapes: dict[str, str]) -> Any:
    return trace(Jittable(function, list(shapes)), parse_shapes(shapes))


def test_the_table_of_primitives_is_printed() -> None:
    """Printed by: python -m symbackprop.read.jax.support docs/jax-primitives.md"""
    assert (ROOT / "docs/jax-primitives.md").read_text(encoding="utf-8").endswith(table())


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x if x.shape[0] == 1 else 2 * x, "whether the sizes n and 1 are equal depends on them"),
        (lambda x: x if x.shape == (3, 4) else 2 * x, "whether the sizes n and 3 are equal depends on them"),
        (lambda x: x if x.shape[0] != x.shape[1] else 2 * x, "whether the sizes n and m are equal depends on them"),
        (lambda x: x if x.shape[0] in (1, 2) else 2 * x, "whether the sizes n and 1 are equal depends on them"),
        (lambda x: x * {1: 2.0}.get(x.shape[0], 3.0), "the size n is a key of a dict or a set"),
        (lambda x: x if x.shape[0] - 1 else 2 * x, "whether the size n - 1 is 0 depends on the sizes"),
    ],
)
def test_a_question_about_sizes_that_depends_on_them_is_refused(function: Any, message: str) -> None:
    with pytest.raises(TraceError, match=message):
        read(function, X)


def test_a_question_about_sizes_that_has_one_answer_is_answered() -> None:
    def function(x: Any) -> Any:
        assert x.shape[0] == x.T.shape[1] and x.shape[0] != 0 and x.shape[0] + 1 != x.shape[0]
        return x if x.shape[0] else 2 * x

    assert read(function, X) == read(lambda x: x, X)


def test_what_is_asked_of_sizes_elsewhere_is_as_before() -> None:
    before = {name: DIMENSION.__dict__.get(name) for name in QUESTIONS}
    with pytest.raises(TraceError):
        read(lambda x: x if x.shape[0] == 1 else 2 * x, X)
    assert before == {name: DIMENSION.__dict__.get(name) for name in QUESTIONS}
    assert not any(f in QUESTIONS.values() for f in before.values())
    assert not jax.config.jax_enable_x64


@pytest.mark.parametrize(
    ("function", "shapes", "message"),
    [
        (lambda x: x * 2 if x.sum() > 0 else x, X, r"test_reading.py:\d+: JAX: TracerBoolConversionError"),
        (lambda x: jnp.sort(x), X, r"test_reading.py:\d+: sort depends on the order of the data"),
        (lambda x: x + jax.random.normal(jax.random.key(0), x.shape), X, "draws random numbers"),
        (lambda x: jnp.linalg.cholesky(x), {"x": "n n"}, "factorisation"),
        (lambda x: jnp.fft.fft(x).real, X, "fft|complex"),
        (lambda x: x[1], X, "not known for all sizes|depends|inside"),
        (lambda x: x.at[jnp.array([0, 0])].set(1.0), {"x": "n"}, "written twice"),
        (lambda x: lax.while_loop(lambda z: z.sum() < 9, lambda z: 2 * z, x), X, "while loop whose end depends"),
        (lambda x: lax.stop_gradient(x) * x, X, "held constant"),
        (lambda x: x.astype(int), X, "cut to integers"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why_and_where(function: Any, shapes: dict[str, str], message: str) -> None:
    with pytest.raises(TraceError, match=message) as found:
        read(function, shapes)
    assert not isinstance(found.value, ShapeMismatch)


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (lambda x, y: x @ y, XY),
        (lambda x, y: x + y, XY),
        (lambda x, y: jnp.concatenate([x, y]), XY),
        (lambda x: x.sum(2), X),
    ],
)
def test_shapes_that_jax_refuses_do_not_conform(function: Any, shapes: dict[str, str]) -> None:
    with pytest.raises(ShapeMismatch, match=r"test_reading.py:\d+: JAX: "):
        read(function, shapes)


@pytest.mark.parametrize("text", ["1e-5", "0.1", "0.044715", "1e-12", "0.9", "3e-4", "-0.7", "123.456"])
def test_a_float32_is_the_decimal_that_was_written(text: str) -> None:
    assert written(float(np.float32(text))) == float(text)


@pytest.mark.parametrize("x", [0.5, 2.0**-20, 1 / 3, math.pi, 0.1, 1e-5, 123456.789, 2.0**60, math.sqrt(2), 1e300])
def test_other_numbers_are_what_they_are(x: float) -> None:
    assert written(x) == x


@pytest.mark.parametrize(
    ("x", "text", "fraction"),
    [
        (math.pi, "{} π", Fraction(1)),
        (2 * math.pi, "{} π", Fraction(2)),
        (math.sqrt(2 / math.pi), "√({} / π)", Fraction(2)),
        (1 / math.sqrt(2 * math.pi), "√({} / π)", Fraction(1, 2)),
        (math.sqrt(2), "√({})", Fraction(2)),
        (1 / math.sqrt(2), "√({})", Fraction(1, 2)),
        (math.log(2), "log {}", Fraction(2)),
        (1 / math.log(2), "1 / log {}", Fraction(2)),
        (math.e, "exp({})", Fraction(1)),
    ],
)
def test_numbers_that_were_computed_are_recognised(x: float, text: str, fraction: Fraction) -> None:
    found = form_of(x)
    assert found is not None and (found[0].text, found[1]) == (text, fraction)


def test_no_other_number_is_recognised() -> None:
    rng = np.random.default_rng(0)
    others = [0.1, 1e-5, 0.044715, 0.7978846, 1.4142135, 3.14159, 0.5772156649015329]
    assert [x for x in (*rng.uniform(0.01, 10, 3000).tolist(), *others) if form_of(x)] == []


def test_sizes_are_read_back() -> None:
    n, m = 5, 7
    read_size = Dimensions({"n": n, "m": m})
    for text, value in {
        "n": 5, "2*n + m - 1": 16, "-n + 6": 1, "n^2*m - m": 168, "floordiv(m, 2)": 3, "mod(m, n)": 2, "max(n, m)": 7,
        "min(n, 2*n)": 5,
    }.items():  # fmt: skip
        assert read_size(text) == value, text
    with pytest.raises(TraceError, match="not understood"):
        read_size("__import__('os')")
    assert aliases(["n", "max", "λ", "size0"]) == {"n": "n", "max": "size1", "λ": "size2", "size0": "size0"}
