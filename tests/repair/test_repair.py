"""Wrong gradients, the name of the mistake, and a repair that is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import pytest

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, sized
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Apply,
    Array,
    Diff,
    Entry,
    Holds,
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
)
from symbackprop.numbers.refute.points import Question
from symbackprop.numbers.refute.search import search
from symbackprop.repair.cases import special_cases
from symbackprop.repair.search import classify, found, repair
from symbackprop.repair.trials import Trials

F = Fraction
N, M, B = sized("n"), sized("m"), sized("B")
I, I2, A_, C = (Index(k, N) for k in ("i", "i2", "a", "c"))
J, J2, B_ = (Index(k, M) for k in ("j", "j2", "b"))
R, R2 = Index("r", B), Index("r2", B)
W, V, X, T, G, MASK, GAMMA, EPS, S = (Array(k) for k in ("W", "V", "x", "t", "g", "mask", "gamma", "eps", "s"))


def e(a: Array, *at: Index) -> Term:
    return Entry(a, at)


def d(body: Term, a: Array, *at: Index) -> Term:
    return Diff(body, Entry(a, at))


def sq(u: Term) -> Term:
    return Power(u, F(2))


def inv(u: Term) -> Term:
    return Power(u, F(-1))


def tanh(u: Term) -> Term:
    return Apply("tanh", u)


def softmax(at: Index) -> Term:
    return div(Apply("exp", e(X, at)), over(I2, Apply("exp", e(X, I2))))


def z(at: Index) -> Term:
    return over(J, mul(e(W, at, J), e(X, J)))


EPSILON = Entry(EPS, ())
SQUARES, SQUARES_W = over(I, sq(z(I))), mul(num(2), z(A_), e(X, B_))
MEAN_SQUARES = mul(inv(N), SQUARES)
QUADRATIC = over(I, over(I2, mul(e(X, I), e(V, I, I2), e(X, I2))))
VX, XV = over(I, mul(e(V, C, I), e(X, I))), over(I, mul(e(V, I, C), e(X, I)))
ABSTRACT = over(I, mul(e(G, I), Apply("f", z(I))))
ABSTRACT_W = mul(e(G, A_), Apply("f", z(A_), 1), e(X, B_))
CROSS = neg(over(I, mul(e(T, I), Apply("log", softmax(I)))))
RMS = inv(Power(add(mul(inv(N), over(I2, sq(e(X, I2)))), EPSILON), F(1, 2)))
RMS_NORM = over(I, mul(e(G, I), e(GAMMA, I), e(X, I), RMS))
RMS_MIXED = neg(mul(inv(N), e(X, A_), Power(RMS, F(3)), over(I, mul(e(G, I), e(GAMMA, I), e(X, I)))))
RMS_X = add(mul(e(G, A_), e(GAMMA, A_), RMS), RMS_MIXED)
DROPOUT = over(I, mul(e(G, I), e(MASK, I), sq(e(X, I))))
BATCHED = over(R, over(I, over(J, mul(Entry(G, (R, I)), e(W, I, J), Entry(X, (R, J))))))
BATCHED_W = over(R, mul(Entry(G, (R, A_)), Entry(X, (R, B_))))
RELU = over(I, mul(e(G, I), e(X, I), Holds(Positive(e(X, I)))))


@dataclass(frozen=True)
class Wrong:
    lhs: Term
    rhs: Term
    axes: tuple[Index, ...]
    mistake: str
    hypotheses: tuple[Hypothesis, ...] = ()
    domains: dict[str, str] = field(default_factory=dict)

    @property
    def question(self) -> Question:
        return Question(self.lhs, self.rhs, self.axes, {}, self.hypotheses, {}, self.domains)


WRONG = [
    Wrong(d(SQUARES, W, A_, B_), neg(SQUARES_W), (A_, B_), "sign"),
    Wrong(d(SQUARES, W, A_, B_), mul(z(A_), e(X, B_)), (A_, B_), "missing factor 2"),
    Wrong(d(SQUARES, W, A_, B_), mul(num(2), SQUARES_W), (A_, B_), "missing factor 1/2"),
    Wrong(d(MEAN_SQUARES, W, A_, B_), SQUARES_W, (A_, B_), "missing factor 1/n"),
    Wrong(d(SQUARES, W, A_, B_), mul(inv(N), SQUARES_W), (A_, B_), "missing factor n"),
    Wrong(d(SQUARES, W, A_, B_), mul(num(-4), inv(M), SQUARES_W), (A_, B_), "sign and missing factor m/4"),
    Wrong(d(BATCHED, W, A_, B_), mul(inv(B), BATCHED_W), (A_, B_), "missing factor B"),
    Wrong(d(mul(Entry(S, ()), SQUARES), W, A_, B_), SQUARES_W, (A_, B_), "missing factor s"),
    Wrong(d(mul(inv(sub(N, ONE)), SQUARES), X, B_), mul(inv(N), d(SQUARES, X, B_)), (B_,), "missing factor n/(n - 1)"),
    Wrong(d(QUADRATIC, V, A_, C), mul(e(X, C), e(T, A_)), (A_, C), "t in place of x"),
    Wrong(
        d(over(I, over(I2, mul(e(X, I), e(T, I2), e(V, I, I2)))), V, A_, C),
        mul(e(X, C), e(T, A_)),
        (A_, C),
        "result transposed",
    ),
    Wrong(d(QUADRATIC, X, C), add(VX, VX), (C,), "V in place of its transpose"),
    Wrong(d(QUADRATIC, X, C), sub(VX, XV), (C,), "sign of one term"),
    Wrong(d(QUADRATIC, X, C), add(VX, mul(num(2), XV)), (C,), "missing factor 1/2 in one term"),
    Wrong(d(QUADRATIC, X, C), add(VX, XV, e(X, C)), (C,), "extra term"),
    Wrong(d(ABSTRACT, W, A_, B_), mul(e(G, A_), e(X, B_)), (A_, B_), "missing factor f'"),
    Wrong(d(ABSTRACT, W, A_, B_), mul(e(G, A_), Apply("f", z(A_)), e(X, B_)), (A_, B_), "f in place of f'"),
    Wrong(d(ABSTRACT, W, A_, B_), mul(Apply("f", z(A_), 1), e(X, B_)), (A_, B_), "missing factor g"),
    Wrong(
        d(ABSTRACT, X, B_),
        over(I, mul(e(G, I), e(W, I, B_))),
        (B_,),
        "missing factor f'",
    ),
    Wrong(
        d(over(I, mul(e(G, I), tanh(e(X, I)))), X, A_),
        mul(e(G, A_), sub(ONE, sq(tanh(tanh(e(X, A_)))))),
        (A_,),
        "tanh applied twice",
    ),
    Wrong(
        d(over(I, mul(e(G, I), tanh(e(X, I)))), X, A_),
        mul(e(G, A_), sub(ONE, sq(e(X, A_)))),
        (A_,),
        "tanh not applied",
    ),
    Wrong(
        d(over(I, mul(e(G, I), tanh(e(X, I)))), X, A_),
        mul(e(G, A_), sub(ONE, tanh(e(X, A_)))),
        (A_,),
        "missing factor tanh",
    ),
    Wrong(d(DROPOUT, X, A_), mul(num(2), e(G, A_), e(X, A_)), (A_,), "missing mask", (), {"mask": "bin"}),
    Wrong(d(RMS_NORM, X, A_), add(mul(e(G, A_), RMS), RMS_MIXED), (A_,), "missing factor gamma"),
    Wrong(
        d(over(I, mul(e(G, I), e(X, I), Power(add(e(T, I), EPSILON), F(-1, 2)))), X, A_),
        mul(e(G, A_), Power(e(T, A_), F(-1, 2))),
        (A_,),
        "missing term eps",
        (),
        {"t": "pos", "eps": "pos"},
    ),
    Wrong(
        d(CROSS, X, A_),
        sub(e(T, A_), softmax(A_)),
        (A_,),
        "sign",
        (Same(over(I, e(T, I)), ONE),),
    ),
    Wrong(
        d(RELU, X, A_),
        mul(e(G, A_), sub(ONE, Holds(Positive(e(X, A_))))),
        (A_,),
        "mask inverted",
    ),
    Wrong(d(RELU, X, A_), mul(e(G, A_), e(X, A_)), (A_,), "x in place of mask"),
    Wrong(d(over(I, Power(e(X, I), F(3))), X, A_), mul(num(3), Power(e(X, A_), F(3))), (A_,), "wrong power"),
    Wrong(d(over(I, e(T, I)), X, A_), e(X, A_), (A_,), "the gradient is zero"),
    Wrong(d(over(I, e(T, I)), T, A_), over(I2, e(X, I2)), (A_,), ""),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=[w.mistake + str(k) for k, w in enumerate(WRONG)])
def test_the_mistake_has_a_name_and_a_repair(wrong: Wrong) -> None:
    first = next(found(Trials(wrong.question), None), None)
    if not wrong.mistake:
        return
    assert first is not None
    assert wrong.mistake in first.mistake
    right = Question(wrong.lhs, first.term, wrong.axes, {}, wrong.hypotheses, {}, wrong.domains)
    assert search(right, budget=12).counterexample is None


def test_missing_sum_over_the_batch_changes_the_shape() -> None:
    lhs = d(over(R, over(J, mul(Entry(G, (R, J)), e(X, J)))), X, B_)
    claim = Tensor((R, J2), Entry(G, (R, J2)))
    result = repair(
        Question(lhs, ZERO, (B_,)), lambda t: search(Question(lhs, t, (B_,)), 8).counterexample is None, tensor=claim
    )
    assert result is not None
    assert result.mistake == "missing sum over B"


def test_transposed_shape() -> None:
    claim = Tensor((J, I), mul(num(2), e(X, J), z(I)))
    first = next(found(Trials(Question(d(SQUARES, W, A_, B_), ZERO, (A_, B_))), claim))
    assert first.mistake == "result transposed"


def test_the_derived_gradient_is_the_last_resort() -> None:
    question = Question(d(RMS_NORM, X, A_), mul(e(G, A_), e(GAMMA, A_), RMS), (A_,))
    result = repair(question, lambda t: t == RMS_X, derived=lambda: RMS_X)
    assert result is not None and result.term == RMS_X
    assert result.mistake == "missing term with x"
    assert repair(question, lambda t: False, derived=lambda: RMS_X) is None
    assert classify(Question(d(SQUARES, W, A_, B_), ZERO, (A_, B_)), SQUARES_W) == "the gradient is not zero"


def test_nothing_is_offered_that_prove_refuses() -> None:
    question = Question(d(SQUARES, W, A_, B_), neg(SQUARES_W), (A_, B_))
    assert repair(question, lambda t: None) is None
    proof = object()
    result = repair(question, lambda t: proof)
    assert result is not None and result.proof is proof


CASES: list[tuple[Term, Term, tuple[Index, ...], str]] = [
    (d(MEAN_SQUARES, W, A_, B_), SQUARES_W, (A_, B_), "n = 1"),
    (d(BATCHED, W, A_, B_), mul(inv(B), BATCHED_W), (A_, B_), "B = 1"),
    (d(mul(Entry(S, ()), SQUARES), W, A_, B_), SQUARES_W, (A_, B_), "s = 1"),
    (d(QUADRATIC, X, C), mul(num(2), VX), (C,), "V is symmetric"),
    (d(CROSS, X, A_), sub(softmax(A_), e(T, A_)), (A_,), "t sums to 1 over axis 0"),
    (d(DROPOUT, X, A_), mul(num(2), e(G, A_), e(X, A_)), (A_,), "mask = 1 everywhere"),
    (d(RELU, X, A_), e(G, A_), (A_,), "x > 0"),
]


@pytest.mark.parametrize(("lhs", "rhs", "axes", "case"), CASES)
def test_special_cases(lhs: Term, rhs: Term, axes: tuple[Index, ...], case: str) -> None:
    assert case in [c.text for c in special_cases(Question(lhs, rhs, axes))]


def test_no_special_case_of_a_plain_mistake() -> None:
    assert special_cases(Question(d(SQUARES, W, A_, B_), neg(SQUARES_W), (A_, B_))) == []
