"""Hypotheses as NumPy comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symbackprop import check_equal, check_gradient
from symbackprop.core.context import Same
from symbackprop.core.terms import Array, AtLeastZero, Entry, Index, Nonzero, Num, Positive, sized
from symbackprop.read.numpy import TraceError, parse_shapes, trace_assumptions

ARGUMENTS = parse_shapes({
    "x": "B D", "t": "B K", "A": "n n", "M": "B K", "eps": "", "p": "n", "y": "int[K] B", "n": "",
})  # fmt: skip
EPS = Entry(Array("eps"), ())
I, J = Index("i", sized("n")), Index("j", sized("n"))


def read(assuming: Any) -> tuple[Any, ...]:
    return trace_assumptions(assuming, ARGUMENTS)


def test_comparisons() -> None:
    assert read(lambda eps: eps > 0) == (Positive(EPS),)
    assert read(lambda eps: [0 < eps]) == (Positive(EPS),)
    assert isinstance(read(lambda eps: eps >= 0)[0], AtLeastZero)
    assert isinstance(read(lambda eps: eps <= 1)[0], AtLeastZero)
    assert read(lambda eps: eps != 0) == (Nonzero(EPS),)
    assert read(lambda eps: eps == 2) == (Same(EPS, Num(sized(2).constant)),)  # type: ignore[arg-type]


def test_all_entries() -> None:
    entry = Entry(Array("p"), (I,))
    for assuming in (lambda p: p > 0, lambda p: (p > 0).all(), lambda p: np.all(p > 0), lambda p: 0 < p):
        assert read(assuming) == (Positive(entry),)


def test_equations() -> None:
    (same,) = read(lambda A: A == A.T)
    assert same == Same(Entry(Array("A"), (I, J)), Entry(Array("A"), (J, I)))
    (same,) = read(lambda t: t.sum(-1) == 1)
    assert isinstance(same, Same) and same.rhs == Num(same.rhs.value)  # type: ignore[union-attr]
    (same,) = read(lambda M: M * M == M)
    assert isinstance(same, Same)
    assert isinstance(read(lambda A: np.allclose(A, A.T))[0], AtLeastZero)  # a tolerance is no equation


def test_lists_and_helpers() -> None:
    def hypotheses(eps: Any, p: Any, t: Any) -> Any:
        return [eps > 0, (p > 0, p < 1), np.sum(t, axis=1) == np.ones(t.shape[0])]

    found = read(hypotheses)
    assert [type(h) for h in found] == [Positive, Positive, Positive, Same]
    assert len(read(lambda p: (p > 0) & (p < 1))) == 2
    assert read(lambda x: []) == ()
    assert read(lambda x: x.shape[0] >= 1) == ()


REFUSED = [
    (lambda p: 0 < p < 1, r"\[0 < p, p < 1\]"),
    (lambda eps: eps > 0 and eps < 1, r"\[0 < p, p < 1\]"),
    (lambda eps: bool(eps > 0), r"\[0 < p, p < 1\]"),
    (lambda eps: eps, "a hypothesis is a comparison"),
    (lambda eps: 1 > 2, "false for all sizes"),
    (lambda missing: missing > 0, "'missing' is not an argument"),
    (lambda A, x: A == x, "do not broadcast"),
]


@pytest.mark.parametrize(("assuming", "message"), REFUSED, ids=[r[1][:25] for r in REFUSED])
def test_what_is_no_hypothesis(assuming: Any, message: str) -> None:
    with pytest.raises(TraceError, match=message):
        read(assuming)


def test_a_mean_over_labels_that_count_has_a_point() -> None:
    """Where the forward has a value is said of integers alone."""

    def forward(x, y):
        return (x * (y != 1)).sum() / (y != 1).sum()

    found = check_gradient(forward, lambda x, y: (y != 1) * 1.0 / (y != 1).sum(), {"x": "N", "y": "int[K] N"}, "x")
    assert found.status == "proved" and found.conditions


BORDERS = [
    (lambda x, w: [x >= 0], ["x[j] > 0 (the border of a hypothesis is left out)"]),
    (lambda x, w: [w >= 1, x > 0], ["w[j] > 1 (the border of a hypothesis is left out)"]),
    (lambda x, w: [x > 0], []),
    (lambda x, w: [x.shape[0] >= 2, w.sum() == 1], []),
]


@pytest.mark.parametrize(("assuming", "listed"), BORDERS)
def test_the_border_of_a_hypothesis_is_listed(assuming: Any, listed: list[str]) -> None:
    found = check_gradient(lambda x, w: (w * x**2).sum(), lambda x, w: 2 * w * x, {"x": "n", "w": "n"}, "x", assuming)
    assert found.status == "proved" and list(map(str, found.conditions)) == listed


INSIDE = [
    (lambda w: [w >= 0, w * w == w], 0),
    (lambda w: [w >= 0, w * w == w], 1),
    (lambda w: [w <= 1, w * w == w], 1),
    (lambda w: [w >= 0, w.sum() == 1], 0),
    (lambda w: [w >= 0, w <= 0], 0),
]


@pytest.mark.parametrize(("assuming", "place"), INSIDE)
def test_the_border_is_inside_where_an_equation_is_about_the_array(assuming: Any, place: int) -> None:
    """A mask that is 0 is what masks are for."""
    shapes, forward = {"x": "n", "w": "n"}, lambda x, w: (x * w).sum()
    wrong = lambda x, w: np.where(w == place, 5, w)  # noqa: E731
    assert check_gradient(forward, wrong, shapes, "x", assuming, seek_repair=False).status == "refuted"
    found = check_gradient(forward, lambda x, w: w, shapes, "x", assuming)
    assert found.status == "proved" and not found.conditions


FORCED = [
    (lambda w: [w >= 0, w <= 0], lambda x, w: 0 * w),
    (lambda w: [w >= 1, 1 >= w], lambda x, w: w**3),
    (lambda x, w: [w >= x, x >= w], lambda x, w: x),
]


@pytest.mark.parametrize(("assuming", "right"), FORCED)
def test_inequalities_that_force_an_equation(assuming: Any, right: Any) -> None:
    shapes = {"x": "n", "w": "n"}
    product = lambda x, w: (x * w).sum()  # noqa: E731
    assert check_gradient(product, right, shapes, "x", assuming).status == "proved"
    wrong = lambda x, w: right(x, w) + w * w + 1  # noqa: E731
    assert check_gradient(product, wrong, shapes, "x", assuming, seek_repair=False).status == "refuted"


@pytest.mark.parametrize("assuming", [lambda A: [A >= A.T], lambda A: [A <= A.T], lambda A: [A - A.T <= 0]])
def test_what_is_at_least_its_transpose_is_symmetric(assuming: Any) -> None:
    shapes, quadratic = {"A": "n n", "x": "n"}, lambda A, x: x @ A @ x
    assert check_gradient(quadratic, lambda A, x: 2 * A @ x, shapes, "x", assuming).status == "proved"
    assert check_gradient(quadratic, lambda A, x: A @ x, shapes, "x", assuming, seek_repair=False).status == "refuted"
    loose = check_gradient(quadratic, lambda A, x: 2 * A @ x, shapes, "x", lambda A: [A >= -A.T], seek_repair=False)
    assert loose.status == "refuted"


def test_equal_functions_leave_no_border_out() -> None:
    found = check_equal(lambda x: x + x, lambda x: 2 * x, {"x": "n"}, lambda x: [x >= 0])
    assert found.status == "proved" and not found.conditions


def padded(places: str, weights: str) -> Any:
    """A gradient of zeros, into which is added at each of these places."""
    lines = [f"    d[{p}] += {w}" for p, w in zip(places.split(";"), weights.split(";"), strict=True)]
    names: dict[str, Any] = {"np": np}
    exec("\n".join(["def g(x):", "    d = np.zeros_like(x)", *lines, "    return d"]), names)
    return names["g"]


SLICED = [  # (forward, places, weights, a wrong weight in place of the last)
    (lambda x: x[2:].sum(), "2:", "1", "2"),
    (lambda x: x[1:-1].sum(), "1:-1", "1", "0"),
    (lambda x: (x[2:] * x[:-2]).sum(), "2:;:-2", "x[:-2];x[2:]", "-x[2:]"),
    (lambda x: np.diff(x, 2).sum(), "2:;1:-1;:-2", "1;-2;1", "2"),
    (lambda x: x[-2] * x[1], "-2;1", "x[1];x[-2]", "x[1]"),
    (lambda x: sum(x[i] for i in range(len(x) - 2)), ":-2", "1", "3"),
]


@pytest.mark.parametrize(("forward", "places", "weights", "wrong"), SLICED)
def test_slices_know_what_is_assumed_of_sizes(forward: Any, places: str, weights: str, wrong: str) -> None:
    long = lambda x: [len(x) >= 2]  # noqa: E731
    assert check_gradient(forward, padded(places, weights), {"x": "n"}, "x", long).status == "proved"
    other = ";".join([*weights.split(";")[:-1], wrong])
    found = check_gradient(forward, padded(places, other), {"x": "n"}, "x", long, seek_repair=False)
    assert found.status == "refuted"
    assert check_gradient(forward, padded(places, weights), {"x": "n"}, "x", seek_repair=False).status == "unknown"


def test_sizes_at_which_two_ranges_meet_are_looked_at() -> None:
    """Written with = for +=, right for n < 5."""
    names: dict[str, Any] = {"np": np}
    exec("def g(x):\n    d = np.zeros_like(x)\n    d[2:] = x[:-2]\n    d[:-2] = x[2:]\n    return d", names)
    forward, long = lambda x: (x[2:] * x[:-2]).sum(), lambda x: [len(x) >= 2]
    found = check_gradient(forward, names["g"], {"x": "n"}, "x", long, seek_repair=False)
    assert found.status == "refuted" and found.counterexample.point.sizes["n"] == 5


AT_LEAST = [  # equal where w is at least the bound, on the border too
    (lambda w: np.maximum(w, 0), lambda w: w, lambda w: [w >= 0]),
    (lambda w: np.minimum(w, 0), lambda w: 0 * w, lambda w: [w >= 0]),
    (lambda w: np.abs(w), lambda w: w, lambda w: [w >= 0]),
    (lambda w: np.abs(w), lambda w: -w, lambda w: [w <= 0]),
    (lambda w: np.maximum(w, 1), lambda w: w, lambda w: [w >= 1]),
    (lambda w: np.clip(w, 0, None), lambda w: w, lambda w: [w >= 0]),
    (lambda w: np.where(w < 0, 7, w), lambda w: w, lambda w: [w >= 0]),
    (lambda w: np.where(w >= 2, w, 7), lambda w: w, lambda w: [w >= 2]),
]


@pytest.mark.parametrize(("f", "g", "assuming"), AT_LEAST)
def test_steps_on_the_border(f: Any, g: Any, assuming: Any) -> None:
    assert check_equal(f, g, {"w": "n"}, assuming).status == "proved"
    assert check_equal(f, lambda w: g(w) + (w == 0) + (w == 1) + (w == 2), {"w": "n"}, assuming).status == "refuted"
    given = lambda w: [*assuming(w), w.prod() == w.prod()]  # noqa: E731
    forward, right, shapes = lambda x, w: (f(w) * x).sum(), lambda x, w: g(w), {"x": "n", "w": "n"}
    found = check_gradient(forward, right, shapes, "x", given, seek_repair=False)
    assert found.status == "proved" and not found.conditions
