"""What random pairs (`fuzz/theorems.py`) and random programs found.

The prover alone, without the refuter in front of it, proves no false claim; what it needs is not the other's help.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from symbackprop import check_gradient
from symbackprop.core.terms import Array
from symbackprop.core.theorem import Theorem
from symbackprop.decide.decide import prove
from symbackprop.functions.claims import Setting, gradient_claims, problem_of
from symbackprop.functions.request import read_request
from symbackprop.numbers.duals import FloatNumbers
from symbackprop.numbers.exact import Evaluation
from symbackprop.numbers.exact_numbers import NoValue
from symbackprop.numbers.points import Point
from symbackprop.read.numpy import TraceError, parse_shapes, trace

Function = Callable[..., Any]
X, XW = {"x": "n"}, {"x": "n", "w": "n"}
BINARY = lambda w: [w * w == w]  # noqa: E731


def proved(forward: Function, claim: Function, shapes: dict[str, str], assuming: Function | None = None) -> bool:
    request = read_request("check_gradient", forward, claim, shapes, "x", assuming, {})
    (found,) = gradient_claims(request, lambda _: None)
    known = {Array(n): d.shape for n, d in found.inputs.items() if d.values is None}
    return isinstance(prove(problem_of(found, Setting(request.hypotheses(), known, repair=False))), Theorem)


def guarded(condition: Function) -> Function:
    """x / w where the condition holds of w."""
    return lambda x, w: np.where(condition(w), x / w, 0).sum()


def claimed(condition: Function) -> Function:
    """1 / w or 0, by a product: it has no value where w = 0."""
    return lambda x, w: condition(w) * (1 / w)


# (why, forward, claim, shapes, hypotheses): the claim has no value, or another one, where nothing is excused
FALSE: list[tuple[str, Function, Function, dict[str, str], Function | None]] = [
    (f"a selected division is no fact about its denominator: {name}", guarded(c), claimed(c), XW, h)
    for name, c in {
        "==": lambda w: ~(w == 0),
        "!=": lambda w: w != 0,
        "< or >": lambda w: (w < 0) | (w > 0),
        "not both": lambda w: np.logical_xor(w < 0, w > 0),
        "outside of a band": lambda w: (w > 1) | (w < -1) | (w > 7) | (w < -7) | (w > 9) | (w < -8) | (w == 3),
    }.items()
    for h in (None, BINARY)
]  # fmt: skip


@pytest.mark.parametrize(("forward", "claim", "shapes", "assuming"), [f[1:] for f in FALSE], ids=[f[0] for f in FALSE])
def test_the_prover_alone_proves_no_false_claim(
    forward: Function, claim: Function, shapes: dict[str, str], assuming: Function | None
) -> None:
    assert not proved(forward, claim, shapes, assuming)
    assert check_gradient(forward, claim, shapes, "x", assuming=assuming, seek_repair=False).status == "refuted"


# (why, forward, claim, shapes, hypotheses)
TRUE: list[tuple[str, Function, Function, dict[str, str], Function | None]] = [
    ("a quotient where it is one", lambda x: (x**2).sum(), lambda x: np.where(x == 0, 0, 2 * x * x / x), X, None),
]  # fmt: skip


@pytest.mark.parametrize(("forward", "claim", "shapes", "assuming"), [f[1:] for f in TRUE], ids=[f[0] for f in TRUE])
def test_true_claims_beside_them(
    forward: Function, claim: Function, shapes: dict[str, str], assuming: Function | None
) -> None:
    assert proved(forward, claim, shapes, assuming)


def test_a_hypothesis_that_is_not_open_under_a_derivative_is_no_crash() -> None:
    verdict = check_gradient(
        lambda x, w: np.mean(np.maximum(w, 1) + x * w), lambda x, w: np.ones_like(x) / x.size * w, XW, "x",
        assuming=lambda x, w: [x == w], seek_repair=False,
    )  # fmt: skip
    assert verdict.status in ("proved", "unknown")


# (why, forward, claim): wrong where a step of the forward has a kink only
EXCUSED: list[tuple[str, Function, Function]] = [
    (f"a kink beside a mask in arithmetic: {name}", lambda x, f=f: ((x >= 0.5) * f(x)).sum(),
     lambda x, d=d: np.where(x == 0, 7, (x >= 0.5) * d(x)))
    for name, f, d in (
        ("abs", np.abs, np.sign),
        ("relu", lambda x: np.maximum(x, 0), lambda x: x > 0),
        ("minimum", lambda x: np.minimum(x, 2 * x), lambda x: np.where(x > 0, 1, 2)),
        ("where", lambda x: np.where(x > 0, x * x, 3 * x), lambda x: np.where(x > 0, 2 * x, 3)),
    )
]  # fmt: skip


@pytest.mark.parametrize(("forward", "claim"), [e[1:] for e in EXCUSED], ids=[e[0] for e in EXCUSED])
def test_what_is_wrong_at_kinks_only_is_not_refuted(forward: Function, claim: Function) -> None:
    assert check_gradient(forward, claim, X, "x", seek_repair=False).status != "refuted"


# --- what random programs (`fuzz/numpy_programs.py`) found: (why, program) -----------------------------------------


def fills_a_set(x: Any) -> Any:
    seen: set[int] = set()
    for _ in range(x.shape[0]):
        seen.add(len(seen))
    return (len(seen) | 1) * x


REFUSED: list[tuple[str, Function]] = [
    ("a set filled in a loop", fills_a_set),
    *((f"a size divided by one that may be 0: {text}", f) for text, f in {
        "//": lambda x: ((len(x) - 1) // (len(x) - 1)) * x, "%": lambda x: ((len(x) - 1) % (len(x) - 1)) * x,
        "divmod": lambda x: divmod(2 * len(x) - 2, len(x) - 1)[0] * x, "0 //": lambda x: (0 // (len(x) - 1)) * x,
    }.items()),
    *((f"Python counts truth values, NumPy does not: {text}", f) for text, f in {
        "known first": lambda x: ((len(x) > 0) + (len(x) > 1)) * x, "known last": lambda x: ((len(x) > 1) + True) * x,
        "of data": lambda x: (True + (x[0] > 1)) * x,
    }.items()),
]  # fmt: skip


@pytest.mark.parametrize("program", [f for _, f in REFUSED], ids=[w for w, _ in REFUSED])
def test_what_depends_on_how_python_runs_is_refused(program: Function) -> None:
    with pytest.raises(TraceError):
        trace(program, parse_shapes(X))


def shifted_by_a_loop(x: Any) -> Any:
    v = (x >= 0) * np.log(x)
    out = np.zeros(x.shape)
    for i in range(1, x.shape[0]):
        out[i] = v[i - 1]
    return out


def shifted_by_slices(x: Any) -> Any:
    v = (x >= 0) * np.log(x)
    out = np.zeros(x.shape)
    out[1:] = v[:-1]
    return out


@pytest.mark.parametrize("program", [shifted_by_a_loop, shifted_by_slices])
def test_a_mask_times_nan_is_nan_in_a_loop_too(program: Function) -> None:
    read = trace(program, parse_shapes(X)).outputs
    point = Point({"n": 2}, {Array("x"): {(0,): Fraction(-1), (1,): Fraction(1)}}, indices={read.axes[0]: 1})
    with pytest.raises(NoValue):
        Evaluation(point, kinks_have_values=True).at(read.body)


def test_a_size_over_itself_has_no_value_where_it_is_0() -> None:
    claim = lambda x: ((len(x) - 1) / (len(x) - 1)) * np.ones_like(x)  # noqa: E731
    assert check_gradient(lambda x: x.sum(), claim, X, "x").status == "refuted"


SIGNS: dict[str, Function] = {
    "exp of a quotient": lambda x: 2 * x * np.sign(np.exp(1 / x)),
    "exp of a root": lambda x: 2 * x * np.sign(np.exp(np.sqrt(x))),
    "exp of a logarithm": lambda x: 2 * x * np.sign(np.exp(np.log(x))), "a power": lambda x: 2 * x * np.sign(x**x),
    "a sum": lambda x: 2 * x * np.sign(1 + np.exp(1 / x)), "a square": lambda x: 2 * x * np.sign(1 + (1 / x) ** 2),
}  # fmt: skip


@pytest.mark.parametrize("claim", SIGNS.values(), ids=SIGNS.keys())
def test_the_sign_of_what_is_positive_is_not_1_where_that_has_no_value(claim: Function) -> None:
    assert check_gradient(lambda x: (x**2).sum(), claim, X, "x", seek_repair=False).status in ("refuted", "unknown")


@pytest.mark.parametrize("value", [0.0, -0.0])
def test_floats_have_no_value_where_numpy_has_an_infinity(value: float) -> None:
    x = np.array([value])
    assert np.isnan(FloatNumbers.power(x, Fraction(-1))).all() and np.isnan(FloatNumbers.function("log", x)).all()
