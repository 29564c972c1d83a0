"""What the tracer refuses: the message has the place and the cause."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from symbackprop import derive
from symbackprop.core.terms import SymbackpropError
from symbackprop.read.numpy import ShapeMismatch, TraceError, parse_shape, parse_shapes, trace


def branch(x: Any) -> Any:
    y = x * 2
    if y.sum() > 0:
        return y
    return -y


def recurrence(x: Any) -> Any:
    h = 0.0
    for t in range(len(x)):
        h = np.tanh(h + x[t])
    return h


def helper(x: Any) -> Any:
    return np.median(x)


MESSAGES = [
    (branch, {"x": "n"}, "a condition depends on the data"),
    (recurrence, {"x": "T"}, "h carries a value from one iteration to the next"),
    (lambda x: helper(x), {"x": "n"}, "np.median depends on the order"),
    (lambda x: x if len(x) > 2 else -x, {"x": "n"}, "depends on the sizes"),
    (lambda x: 1 if 0 < x < 1 else 0, {"x": ""}, r"\[0 < p, p < 1\]"),
    (lambda x: x[np.nonzero(x)], {"x": "n"}, "np.nonzero depends on"),
    (lambda x: x[x], {"x": "n"}, "an index that is computed from real numbers"),
    (lambda x: x[2], {"x": "n"}, "not known for all sizes"),
    (lambda x: x[: len(x) // 2], {"x": "n"}, r"n // 2 is not exact .* '2\*n'"),
    (lambda x: x[::2], {"x": "n"}, r"declare the size as a product, such as '2\*n'"),
    (lambda x: x[x > 0], {"x": "n"}, "returns a Selection"),
    (lambda x: x[x > 0].shape, {"x": "n"}, "depends on the data"),
    (lambda x: np.linalg.svd(x), {"x": "n n"}, "np.linalg.svd has no index term"),
    (lambda x: np.fft.fft(x), {"x": "n"}, "numpy.fft is not supported"),
    (lambda x: np.random.rand(3) + x, {"x": "n"}, "numpy.random is not supported"),
    (lambda x: np.unwrap(x), {"x": "n"}, "numpy.unwrap is not supported"),
    (lambda x: math.sqrt(x), {"x": "n"}, "math.sqrt of an array: use np.sqrt"),
    (lambda x: np.floor(x), {"x": "n"}, "np.floor of real numbers"),
    (lambda x: x.nosuch(), {"x": "n"}, r"the array method \.nosuch is not supported"),
    (lambda x: x / 0, {"x": "n"}, "division by the constant 0"),
    (lambda x: x + np.nan, {"x": "n"}, "nan has no index term"),
    (lambda x: np.where(x > 0, x, -np.inf), {"x": "n"}, "-inf"),
    (lambda x: np.where(x > 0, x, -np.inf) * x, {"x": "n"}, "positive constant"),
    (lambda x: -(x > 0), {"x": "n"}, "no negative of booleans"),
    (lambda x: (x > 0) - (x < 0), {"x": "n"}, "does not subtract booleans"),
    (lambda x: "text", {"x": "n"}, None),
    (lambda x: object(), {"x": "n"}, "returns a object, not arrays"),
    (lambda x: undefined_name, {"x": "n"}, "NameError"),  # type: ignore[name-defined]  # noqa: F821
    (lambda x, y: x, {"x": "n"}, "missing 1 required positional argument"),
    (lambda x: x.astype(int), {"x": "n"}, "cut to integers"),
    (lambda pi: pi * np.pi, {"pi": "n"}, "rename the argument"),
    (lambda x: x[np.triu_indices(len(x)), :], {"x": "n n"}, "places of a triangle"),  # rows, once for each index
    (lambda x: x[np.triu_indices(len(x) - 1)], {"x": "n n"}, "places of a triangle"),  # a corner
]


def test_an_argument_called_pi_is_to_be_renamed() -> None:
    with pytest.raises(SymbackpropError, match="an argument called pi, which is the number here"):
        derive(lambda pi, x: (pi * x).sum(), {"pi": "n", "x": "n"})


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize("text", ["len(x) is 3", "len(x) is not 2.5", "(len(x) > 3) is True", "(x[0] < 1) is False"])
def test_sizes_and_comparisons_are_no_objects(text: str) -> None:
    with pytest.raises(TraceError, match="compares objects, not values"):
        trace(eval(f"lambda x: x * (1 + ({text}))"), parse_shapes({"x": "n"}))
    assert trace(eval("lambda x, t=True: (x > 3, t is True, x is None)"), parse_shapes({"x": "n"}))


@pytest.mark.parametrize(("function", "shapes", "message"), MESSAGES, ids=[str(m[2])[:30] for m in MESSAGES])
def test_messages(function: Any, shapes: dict[str, str], message: str | None) -> None:
    if message is None:
        assert trace(function, parse_shapes(shapes)).outputs == "text"
        return
    with pytest.raises(TraceError, match=message) as caught:
        trace(function, parse_shapes(shapes))
    assert isinstance(caught.value, SymbackpropError)
    assert "test_numpy_errors.py:" in str(caught.value) or "lambda" in str(caught.value)


def test_the_line_is_named() -> None:
    with pytest.raises(TraceError) as caught:
        trace(branch, parse_shapes({"x": "n"}))
    line = branch.__code__.co_firstlineno + 2
    assert f"test_numpy_errors.py:{line}: " in str(caught.value)
    assert "if y.sum() > 0:" in str(caught.value)


def test_without_source_text() -> None:
    names: dict[str, Any] = {"np": np}
    exec(compile("def f(x):\n    y = x + 1\n    return np.median(y)\n", "<pasted>", "exec"), names)
    with pytest.raises(TraceError, match=r"<pasted>:3: np\.median"):
        trace(names["f"], parse_shapes({"x": "n"}))


SHAPES = [
    (lambda a, b: a @ b, {"a": "n m", "b": "p q"}, "m = p is not known for all sizes"),
    (lambda a, b: a @ b, {"a": "2 3", "b": "2 3"}, "3 is not 2"),
    (lambda a, b: a + b, {"a": "n", "b": "m"}, "do not broadcast"),
    (lambda a: np.linalg.inv(a), {"a": "n m"}, "inv of shape"),
    (lambda a: a.reshape(2, -1), {"a": "n"}, "n is not a multiple of 2"),
    (lambda a: a[3], {"a": "2"}, "out of an axis of 2 entries"),
    (lambda a: a[0, 0], {"a": "n"}, "2 indices for an array"),
    (lambda a, b: np.concatenate([a, b]), {"a": "n m", "b": "n k"}, "concatenate of shapes"),
    (lambda a, b: np.einsum("ij,jk", a, b), {"a": "n m", "b": "k n"}, r"einsum"),
]


@pytest.mark.parametrize(("function", "shapes", "message"), SHAPES, ids=[s[2][:30] for s in SHAPES])
def test_shapes_that_do_not_conform(function: Any, shapes: dict[str, str], message: str) -> None:
    with pytest.raises(ShapeMismatch, match=message):
        trace(function, parse_shapes(shapes))


READ = [
    ("", ""), ("B D", "B D"), ("B, T", "B T"), ("L+K-1", "L+K-1"), ("L + K - 1", "L+K-1"),
    ("2*n", "2*n"), ("3 n", "3 n"),
   
    ("(n+1)*m", "n*m+m"), ("2*n//2", "n"), ("int[V] B T", "int[V] B T"), ("int[2*k]", "int[2*k]"), ("n*n k", "n*n k"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meaning"), READ)
def test_shapes_are_read(text: str, meaning: str) -> None:
    assert parse_shape(text) == parse_shape(meaning)
    assert parse_shape(str(parse_shape(text))) == parse_shape(text)


UNREAD = [
    ("n+", "missing"), ("n**2", "missing"), ("(n", "never closed"), ("n)", "unmatched"),
    ("a.b", "not understood"),
    ("n//2", "not exact"), ("1.5", "not understood"), ("-3", "negative"), ("x" * 2000, "characters"),
    ("(" * 300 + "n" + ")" * 300, "too many nested parentheses"), ("f(n)", "missing"),
    ("__import__('os')", "not understood"), ("-" * 995 + "n", "too many"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), UNREAD, ids=[u[0][:20] for u in UNREAD])
def test_shapes_that_are_not_read(text: str, message: str) -> None:
    with pytest.raises(TraceError, match=message):
        parse_shape(text)


def test_the_argument_with_a_bad_shape_is_named() -> None:
    with pytest.raises(TraceError, match="shape of 'w'"):
        parse_shapes({"x": "n", "w": "n+"})
