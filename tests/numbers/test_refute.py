"""False claims are refuted with small exact counterexamples, true ones never; hypotheses hold exactly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from exact_values import evaluate, recheck

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, Pick, affine, sized
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Apply,
    Array,
    AtLeastZero,
    Delta,
    Diff,
    Entry,
    Holds,
    Nonzero,
    Num,
    Positive,
    Power,
    Term,
    add,
    div,
    mul,
    neg,
    num,
    over,
    sub,
    whole,
)
from symbackprop.numbers.duals import to_float
from symbackprop.numbers.refute.points import Question, satisfied
from symbackprop.numbers.refute.search import satisfying_point, search

F = Fraction
N, M, B = sized("n"), sized("m"), sized("B")
I, I2, A_, C, D = (Index(k, N) for k in ("i", "i2", "a", "c", "d"))
J, J2, B_ = (Index(k, M) for k in ("j", "j2", "b"))
R = Index("r", B)
W, V, X, T, Y, S, Q = (Array(k) for k in ("W", "V", "x", "t", "y", "s", "q"))
s = Entry(S, ())


def refute(
    lhs: Term, rhs: Term, axes: tuple[Index, ...] = (), budget: int = 40, kinks: bool = False, **more: Any
) -> Any:
    return search(Question(lhs, rhs, axes, **more), budget, kinks_have_values=kinks).counterexample


def e(a: Array, *at: Index | Pick) -> Term:
    return Entry(a, at)


def d(body: Term, a: Array, *at: Index) -> Term:
    return Diff(body, Entry(a, at))


def sq(u: Term) -> Term:
    return Power(u, F(2))


def exp(u: Term) -> Term:
    return Apply("exp", u)


def log(u: Term) -> Term:
    return Apply("log", u)


def step(u: Term) -> Term:
    return Holds(Positive(u))


def relu(u: Term) -> Term:
    return mul(u, step(u))


def abstract(u: Term, order: int = 0) -> Term:
    return Apply("f", u, order)


def softmax(at: Index) -> Term:
    return div(exp(e(X, at)), over(I2, exp(e(X, I2))))


Z_I, Z_A = over(J, mul(e(W, I, J), e(X, J))), over(J, mul(e(W, A_, J), e(X, J)))
SQUARES = over(I, sq(Z_I))
SQUARES_W = mul(num(2), Z_A, e(X, B_))
CROSS_ENTROPY = neg(over(I, mul(e(T, I), log(softmax(I)))))
SUMS_TO_ONE = Same(over(I, e(T, I)), ONE)
QUADRATIC = over(I, over(I2, mul(e(X, I), e(V, I, I2), e(X, I2))))
SYMMETRIC = Same(e(V, I, I2), e(V, I2, I))
MAXIMUM = whole("max", 0, (I2,), e(X, I2), ())
LOSS, LOSS_Z = whole("L", 0, (I,), abstract(Z_I), ()), whole("L", 1, (I,), abstract(Z_I), (A_,))
MEAN = mul(Power(N, F(-1)), over(I, e(X, I)))
VARIANCE = mul(Power(N, F(-1)), over(I, sq(sub(e(X, I), MEAN))))
LABEL = Pick("y", (R,), N)


@dataclass(frozen=True)
class Claim:
    name: str
    lhs: Term
    rhs: Term
    axes: tuple[Index, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    total: int | None = None  # what the sizes add up to in the report
    definitions: dict[Array, Tensor] = field(default_factory=dict)
    domains: dict[str, str] = field(default_factory=dict)
    sizes_min: dict[str, int] = field(default_factory=dict)


def inverse(*at: Index) -> Term:
    return whole("inv", 0, (I2, D), e(V, I2, D), at)


PINV = whole("pinv", 0, (C, B_), e(W, C, B_), (J, I2))
DEFINED = {Y: Tensor((I,), Apply("tanh", Z_I)), Q: Tensor((I,), Apply("tanh", over(I2, mul(e(V, I, I2), e(Y, I2)))))}

FALSE = [
    Claim("sign", d(SQUARES, W, A_, B_), neg(SQUARES_W), (A_, B_), total=2),
    Claim("missing factor 2", d(SQUARES, W, A_, B_), mul(Z_A, e(X, B_)), (A_, B_), total=2),
    Claim("0.09 % off", d(SQUARES, W, A_, B_), mul(num(F(10009, 10000)), SQUARES_W), (A_, B_), total=2),
    Claim("zero for loss / 10^6", d(mul(num(F(1, 10**6)), SQUARES), W, A_, B_), ZERO, (A_, B_), total=2),
    Claim("zero for loss / 10^30", d(mul(num(F(1, 10**30)), SQUARES), W, A_, B_), ZERO, (A_, B_), total=2),
    Claim("off by 10^-30", d(SQUARES, W, A_, B_), add(SQUARES_W, num(F(1, 10**30))), (A_, B_)),
    Claim("relu' = 1", d(over(I, relu(e(X, I))), X, A_), ONE, (A_,), total=1),
    Claim("relu(relu(x)) with the mask of relu(x)", d(relu(relu(s)), S), sub(ONE, step(neg(relu(s))))),
    Claim("W for W^T", d(QUADRATIC, X, C), mul(num(2), over(I, mul(e(V, C, I), e(X, I)))), (C,), total=2),
    Claim("transposed result", d(over(I, over(I2, mul(e(V, I, I2), e(X, I)))), V, A_, C), e(X, C), (A_, C), total=2),
    Claim(
        "missing batch sum", d(over(R, over(J, mul(e(T, R, J), e(X, J)))), X, B_), e(T, Index("r", sized(1)), B_), (B_,)
    ),
    Claim(
        "missing mean over the batch", d(mul(Power(B, F(-1)), over(R, mul(s, e(X, R)))), S), over(R, e(X, R)), total=2
    ),
    Claim("one wrong entry", e(X, I), add(e(X, I), Delta(I, affine(2, ()))), (I,), total=3),
    Claim(
        "wrong at the last entry of three", e(X, I), add(e(X, I), Delta(I, affine(N - 1, ()))), (I,), sizes_min={"n": 3}
    ),
    Claim("cross entropy without sum t = 1", d(CROSS_ENTROPY, X, A_), sub(softmax(A_), e(T, A_)), (A_,), total=1),
    Claim("cross entropy, wrong sign", d(CROSS_ENTROPY, X, A_), sub(e(T, A_), softmax(A_)), (A_,), (SUMS_TO_ONE,)),
    Claim("f' missing", d(LOSS, W, A_, B_), mul(LOSS_Z, e(X, B_)), (A_, B_), total=2),
    Claim("f' at the wrong place", d(LOSS, W, A_, B_), mul(LOSS_Z, abstract(e(X, B_), 1), e(X, B_)), (A_, B_)),
    Claim("root of a square", Power(sq(s), F(1, 2)), s),
    Claim(
        "2 A x for a matrix that is not symmetric",
        d(QUADRATIC, X, C),
        mul(num(2), over(I, mul(e(V, C, I), e(X, I)))),
        (C,),
    ),
    Claim(
        "derivative of the inverse, factors swapped",
        d(inverse(I, C), V, A_, D),
        neg(mul(inverse(I, D), inverse(A_, C))),
        (I, C, A_, D),
    ),
    Claim("maximum over all", MAXIMUM, over(I, e(X, I)), total=2),
    Claim("hypothesis under a derivative", d(over(I, e(T, I)), T, A_), ZERO, (A_,), (SUMS_TO_ONE,)),
    Claim("mask dropped", mul(e(T, I), e(X, I)), e(X, I), (I,), (Same(sq(e(T, I)), e(T, I)),)),
    Claim("Σ exp x is not 1", over(I, exp(e(X, I))), ONE, total=1),
    Claim(
        "unbiased variance",
        d(VARIANCE, X, A_),
        mul(num(2), sub(e(X, A_), MEAN), Power(sub(N, ONE), F(-1))),
        (A_,),
        sizes_min={"n": 2},
    ),
    Claim("gather instead of scatter", d(over(R, e(X, LABEL)), X, A_), ONE, (A_,)),
    Claim(
        "chain rule through two definitions",
        d(over(I, e(Q, I)), W, A_, B_),
        mul(sub(ONE, sq(e(Y, A_))), e(X, B_)),
        (A_, B_),
        definitions=DEFINED,
    ),
    Claim("labels as integers", mul(e(T, I), e(T, I)), e(T, I), (I,), domains={"t": "int:3"}),
    Claim("probabilities", e(T, I), sq(e(T, I)), (I,), domains={"t": "prob"}, total=2),
    Claim("pseudo-inverse on the wrong side", over(I2, mul(PINV, e(W, I2, J2))), Delta(J, J2), (J, J2)),
    Claim("unequal only for n = 4", over(I, over(I2, mul(sub(N, ONE), sub(N, num(2)), sub(N, num(3))))), ZERO, total=4),
]

W_FOR_TRANSPOSE = next(c for c in FALSE if c.name == "W for W^T")

TRUE = [
    Claim("squares", d(SQUARES, W, A_, B_), SQUARES_W, (A_, B_)),
    Claim("relu", d(relu(s), S), step(s)),
    Claim("relu with >= at the kink", d(relu(s), S), sub(ONE, step(neg(s)))),
    Claim("relu of relu", d(relu(relu(s)), S), step(s)),
    Claim("cross entropy", d(CROSS_ENTROPY, X, A_), sub(softmax(A_), e(T, A_)), (A_,), (SUMS_TO_ONE,)),
    Claim("symmetric form", d(QUADRATIC, X, C), mul(num(2), over(I, mul(e(V, C, I), e(X, I)))), (C,), (SYMMETRIC,)),
    Claim("abstract", d(LOSS, W, A_, B_), mul(LOSS_Z, abstract(Z_A, 1), e(X, B_)), (A_, B_)),
    Claim("log of exp", log(exp(s)), s),
    Claim("absolute value", Power(sq(s), F(1, 2)), mul(s, sub(mul(num(2), step(s)), ONE))),
    Claim("inverse", d(inverse(I, C), V, A_, D), neg(mul(inverse(I, A_), inverse(D, C))), (I, C, A_, D)),
    Claim("maximum is picked", over(I, mul(whole("argmax", 0, (I2,), e(X, I2), (I,)), e(X, I))), MAXIMUM),
    Claim("mask", mul(e(T, I), e(T, I), e(X, I)), mul(e(T, I), e(X, I)), (I,), (Same(sq(e(T, I)), e(T, I)),)),
    Claim("hypothesis about logarithms", over(I, exp(e(X, I))), ONE, (), (Same(over(I, exp(e(X, I))), ONE),)),
    Claim("gather", d(over(R, e(X, LABEL)), X, A_), over(R, Delta(LABEL, A_)), (A_,)),
    Claim("variance", d(VARIANCE, X, A_), mul(num(2), sub(e(X, A_), MEAN), Power(N, F(-1))), (A_,)),
    Claim("one third in floats", mul(Num(F("0.3333333333333333")), s), mul(num(F(1, 3)), s)),
    Claim("division that cancels", mul(s, Power(s, F(-1))), ONE),
    Claim("sum of logarithms", log(mul(s, sq(e(X, I)))), add(log(s), log(sq(e(X, I)))), (I,)),
    Claim("a function that is not known here", Apply("lgamma", add(s, ONE)), add(Apply("lgamma", s), log(s))),
    Claim("pseudo-inverse", over(J, over(I2, mul(e(W, I, J), PINV, e(W, I2, J2)))), e(W, I, J2), (I, J2)),
    Claim("hypotheses that nothing satisfies", s, ZERO, (), (Positive(s), Positive(neg(s)))),
]


def question(c: Claim) -> Question:
    return Question(c.lhs, c.rhs, c.axes, c.sizes_min, c.hypotheses, c.definitions, c.domains)


@pytest.mark.parametrize("claim", FALSE, ids=[c.name for c in FALSE])
def test_false_claims_are_refuted(claim: Claim) -> None:
    found = search(question(claim)).counterexample
    assert found is not None
    assert to_float(evaluate(claim.lhs, found.point)) == pytest.approx(to_float(found.lhs))
    assert all(satisfied(h, found.point) for h in claim.hypotheses)
    assert claim.total in (None, sum(found.sizes.values()))
    left, right = recheck(found)
    assert left == pytest.approx(to_float(found.lhs), rel=1e-4, abs=1e-6)
    assert right == pytest.approx(to_float(found.rhs), rel=1e-4, abs=1e-6)
    assert json.loads(json.dumps(found.as_json()))["sizes"] == found.sizes
    assert "left side" in found.describe()


@pytest.mark.parametrize("claim", TRUE, ids=[c.name for c in TRUE])
def test_true_claims_are_not(claim: Claim) -> None:
    outcome = search(question(claim))
    assert outcome.counterexample is None
    assert outcome.reason


def test_the_same_report_in_every_run() -> None:
    first, second = (search(question(W_FOR_TRANSPOSE)).counterexample for _ in range(2))
    assert first is not None and second is not None
    assert first.describe() == second.describe()


def test_a_report_is_short() -> None:
    found = refute(W_FOR_TRANSPOSE.lhs, W_FOR_TRANSPOSE.rhs, (C,))
    assert found is not None
    assert len(found.describe().splitlines()) <= 6
    assert all(abs(v) <= 3 for row in found.values["V"] for v in row)


def test_minimum_sizes() -> None:
    found = refute(over(I, e(X, I)), ZERO, sizes_min={"n": 3})
    assert found is not None and found.sizes == {"n": 3}


def test_steps_at_their_step_are_looked_at_only_when_asked() -> None:
    at_least, above = sub(ONE, step(neg(s))), step(s)
    assert refute(at_least, above) is None
    found = refute(at_least, above, kinks=True)
    assert found is not None and (found.lhs, found.rhs) == (1, 0)


POSITIONS = Same(over(J, e(T, I, J)), ONE)
SATISFIABLE: list[tuple[str, Sequence[Hypothesis]]] = [
    ("rows sum to 1", [POSITIONS]),
    ("probabilities", [POSITIONS, Positive(e(T, I, J))]),
    ("one hot", [POSITIONS, Same(sq(e(T, I, J)), e(T, I, J))]),
    ("binary", [Same(mul(e(T, I, J), sub(ONE, e(T, I, J))), ZERO)]),
    ("symmetric", [SYMMETRIC]),
    ("orthogonal", [Same(over(C, mul(e(V, I, C), e(V, I2, C))), Delta(I, I2))]),
    ("projection", [Same(over(C, mul(e(V, I, C), e(V, C, I2))), e(V, I, I2)), SYMMETRIC]),
    ("inverse pair", [Same(over(C, mul(e(V, I, C), e(W, C, I2))), Delta(I, I2))]),
    ("normal equations", [Same(over(I, mul(e(W, I, J), sub(over(J2, mul(e(W, I, J2), e(X, J2))), e(T, I)))), ZERO)]),
    ("log of probabilities", [Same(over(I, exp(e(X, I))), ONE)]),
    ("unit vector", [Same(over(I, sq(e(X, I))), ONE)]),
    ("intervals", [Positive(s), Positive(e(X, I)), Positive(sub(ONE, e(X, I)))]),
    ("unequal", [Nonzero(sub(e(X, I), e(T, I)))]),
    ("ordered", [Positive(sub(e(X, I), e(T, I)))]),
    ("far away", [Positive(sub(e(X, I), num(5)))]),
    ("centred", [Same(over(I, e(X, I)), ZERO)]),
    ("standardised", [Same(over(I, e(X, I)), ZERO), Same(over(I, sq(e(X, I))), N)]),
    ("commuting", [Same(over(C, mul(e(V, I, C), e(Q, C, I2))), over(C, mul(e(Q, I, C), e(V, C, I2))))]),
    ("a size", [Nonzero(sub(N, ONE))]),
    ("not negative", [AtLeastZero(e(X, I))]),
    ("alone at the top", [Positive(whole("gap", 0, (I,), e(X, I), ()))]),
    ("reciprocal", [Same(mul(s, Entry(Q, ())), ONE)]),
]
UNSATISFIABLE: list[tuple[str, Sequence[Hypothesis]]] = [
    ("two values", [Same(e(X, I), ONE), Same(e(X, I), ZERO)]),
    ("two signs", [Positive(s), Positive(neg(s))]),
    ("a negative square", [Same(sq(s), num(-1))]),
    ("a size below 1", [Positive(neg(N))]),
]


@pytest.mark.parametrize("hypotheses", [h for _, h in SATISFIABLE], ids=[n for n, _ in SATISFIABLE])
def test_satisfying_points_satisfy(hypotheses: Sequence[Hypothesis]) -> None:
    point = satisfying_point(hypotheses)
    assert point is not None
    assert all(satisfied(h, point) for h in hypotheses)


@pytest.mark.parametrize("hypotheses", [h for _, h in UNSATISFIABLE], ids=[n for n, _ in UNSATISFIABLE])
def test_nothing_satisfies_a_contradiction(hypotheses: Sequence[Hypothesis]) -> None:
    assert satisfying_point(hypotheses) is None


def random_polynomial(draw: Random) -> Term:
    x, t = e(X, I), e(T, I)
    parts = [
        mul(num(draw.choice((-2, -1, 1, 2))), *(draw.choice((x, t, s)) for _ in range(draw.randint(1, 3))))
        for _ in range(3)
    ]
    return over(I, add(*parts))


@pytest.mark.parametrize("seed", range(30))
def test_random_perturbed_derivatives_are_refuted_and_true_ones_are_not(seed: int) -> None:
    draw = Random(seed)
    p, q = random_polynomial(draw), random_polynomial(draw)
    lhs = d(mul(p, q), X, A_)
    rhs = add(mul(d(p, X, A_), q), mul(p, d(q, X, A_)))
    assert refute(lhs, rhs, (A_,), budget=6) is None
    assert refute(lhs, add(rhs, mul(num(F(1, 1000)), s)), (A_,), budget=6) is not None
