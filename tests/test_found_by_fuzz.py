"""What random pairs (`fuzz/theorems.py`) found.

The prover alone, without the refuter in front of it, proves no false claim; what it needs is not the other's help.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symbackprop import check_gradient
from symbackprop.core.terms import Array
from symbackprop.core.theorem import Theorem
from symbackprop.decide.decide import prove
from symbackprop.functions.claims import problem_of
from symbackprop.functions.gradient_claims import gradient_claims
from symbackprop.functions.request import read_request
from symbackprop.functions.setting import Setting

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
