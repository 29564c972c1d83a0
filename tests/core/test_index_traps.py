"""Statements of index calculus that SymPy 1.14 answers wrongly: right here, and the wrong answer is not proved."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symbackprop.core.context import Context, Same
from symbackprop.core.indices import Index, affine, sized
from symbackprop.core.kernel import Instance, Linear, check
from symbackprop.core.sums import same
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Apply,
    Array,
    Delta,
    Entry,
    Holds,
    IndexExpr,
    Positive,
    Power,
    Term,
    Whole,
    add,
    div,
    mul,
    num,
    over,
    whole,
)
from symbackprop.prove.equality import prove_equal, prove_gradient

N, M = sized("n"), sized("m")
a, i, j, k, p, q, r = (Index(s, N) for s in "aijkpqr")
b, c = (Index(s, M) for s in "bc")
HALF = Fraction(1, 2)


def array(name: str, *at: IndexExpr) -> Entry:
    return Entry(Array(name), at)


def x(at: IndexExpr) -> Entry:
    return array("x", at)


def X(*at: IndexExpr) -> Entry:
    return array("X", *at)


def at(n: int) -> IndexExpr:
    return affine(n, ())


def step(t: Term) -> Term:
    return Holds(Positive(t))


def exp(t: Term) -> Term:
    return Apply("exp", t)


def log(t: Term) -> Term:
    return Apply("log", t)


three = Index("t", sized(3))
constant = array("c")
with_delta = over(b, add(constant, over(i, mul(Delta(a, i), x(b)))))

EQUALITIES: dict[str, tuple[Term, Term, Term]] = {
    # name: (term, what it is, what SymPy says)
    "a sum of a sum with a delta": (
        with_delta, add(mul(M, constant), over(b, x(b))), mul(M, add(constant, x(affine(M - 1, ()))))),
    "a delta of twice the index": (over(three, Delta(affine(0, ((three, 2),)), at(1))), ZERO, ONE),
    "a delta of twice the index that meets": (over(three, Delta(affine(0, ((three, 2),)), at(2))), ONE, ZERO),
    "a delta of twice the index, for all n": (
        over(i, Delta(affine(0, ((i, 2),)), j)), over(k, Delta(j, affine(0, ((k, 2),)))), ONE),
    "a double sum of a delta": (over(i, over(k, Delta(i, k))), N, over(k, Delta(i, k))),
    "a sum whose index is called as a free one": (
        mul(over(i, x(i)), array("y", j)), over(k, mul(x(k), array("y", j))), over(i, mul(x(i), array("y", i)))),
    "sums with other letters": (over(i, x(i)), over(k, x(k)), over(b, x(b))),
    "the inverse of a size": (over(b, Power(M, Fraction(-1))), ONE, M),
}  # fmt: skip


@pytest.mark.parametrize(("t", "right", "wrong"), EQUALITIES.values(), ids=EQUALITIES.keys())
def test_equality(t: Term, right: Term, wrong: Term) -> None:
    assert same(t, right) == (True, frozenset())
    assert not same(t, wrong)[0] and prove_equal(t, wrong) is None


def test_a_free_index_is_not_captured() -> None:
    """Σ_i x_i y_j at j = i is y_i Σ x, not Σ_i x_i y_i."""
    t = over(i, mul(x(i), array("y", j)))
    theorem = check(Instance(((j, i),), Linear(t, t)))
    assert theorem.lhs == over(k, mul(x(k), array("y", i)))


trace, trace_a = over(p, X(p, p)), over(p, array("A", p, p))
product = over(p, over(q, mul(array("A", p, q), X(q, p))))
det = whole("det", 0, (p, q), X(p, q), ())


def inv(row: IndexExpr, column: IndexExpr) -> Whole:
    return whole("inv", 0, (p, q), X(p, q), (row, column))


PY = over(r, mul(array("P", p, r), array("Y", r, q)))  # (P Y)_pq
ST = array("S", q, p)  # (S^T)_pq
HADAMARD = over(p, over(q, mul(PY, ST, over(k, mul(array("A", q, k), X(p, k))))))  # tr((P Y ∘ S^T) A X^T)


def hadamard_gradient(row: IndexExpr, column: IndexExpr, s: Term) -> Term:
    py = over(r, mul(array("P", row, r), array("Y", r, q)))
    return over(q, mul(py, s, array("A", q, column)))


S2 = over(r, mul(array("S", q, r), array("S", r, p)))  # (S²)_qp
SINE = over(p, over(q, mul(Apply("sin", over(k, mul(array("A", p, k), X(q, k)))), S2)))  # tr(sin(A X^T) S²)


def sine_gradient(row: IndexExpr, column: IndexExpr, transposed: bool) -> Term:
    inner = over(k, mul(array("A", p, k), X(row, k)))
    square = over(r, mul(*((array("S", p, r), array("S", r, row)) if transposed
                           else (array("S", row, r), array("S", r, p)))))  # fmt: skip
    return over(p, mul(Apply("cos", inner), array("A", p, column), square))


GRADIENTS: dict[str, tuple[Term, Entry, Term, Term]] = {
    # name: (function, variable, its derivative, what SymPy says)
    "Σ x": (over(i, x(i)), x(j), ONE, N),
    "W x": (over(b, mul(array("W", i, b), x(b))), array("W", j, c), mul(Delta(i, j), x(c)), mul(M, Delta(i, j), x(c))),
    "log det X": (log(det), X(i, j), inv(j, i), ZERO),
    "1 / tr X": (Power(trace, Fraction(-1)), X(i, j), mul(num(-1), Delta(i, j), Power(trace, Fraction(-2))), ZERO),
    "log tr X": (log(trace), X(i, j), div(Delta(i, j), trace), ZERO),
    "exp tr(A X)": (exp(product), X(i, j), mul(exp(product), array("A", j, i)), ZERO),
    "exp tr X": (exp(trace), X(i, j), mul(exp(trace), Delta(i, j)), ZERO),
    "tr X + tr A": (add(trace, trace_a), X(i, j), Delta(i, j), ZERO),
    "tr X + 1": (add(trace, ONE), X(i, j), Delta(i, j), ZERO),
    "log Σ exp w": (log(over(p, exp(x(p)))), x(i), div(exp(x(i)), over(p, exp(x(p)))), ZERO),
    "tr((P Y ∘ S^T) A X^T)": (
        HADAMARD, X(i, j), hadamard_gradient(i, j, array("S", q, i)), hadamard_gradient(i, j, array("S", i, q))),
    "tr(sin(A X^T) S²)": (SINE, X(i, j), sine_gradient(i, j, False), sine_gradient(i, j, True)),
    "a constant": (array("y", i), x(j), ZERO, ONE),
}  # fmt: skip


@pytest.mark.parametrize(("f", "wrt", "right", "wrong"), GRADIENTS.values(), ids=GRADIENTS.keys())
def test_gradient(f: Term, wrt: Entry, right: Term, wrong: Term) -> None:
    assert prove_gradient(f, wrt, right) is not None
    assert prove_gradient(f, wrt, wrong) is None


def test_nothing_follows_from_an_equation_under_its_derivative() -> None:
    """Σ t = 1 does not give ∂(Σ t)/∂t_j = 0."""
    total = over(i, array("t", i))
    context = Context(hypotheses={"one": Same(total, ONE)})
    assert prove_gradient(total, array("t", j), ONE, context) is not None
    assert prove_gradient(total, array("t", j), ZERO, context) is None


UNTRUE: dict[str, tuple[Term, Term]] = {
    "√(x²) is x": (Power(Power(x(i), Fraction(2)), HALF), x(i)),
    "√x √y is √(x y)": (mul(Power(x(i), HALF), Power(x(j), HALF)), Power(mul(x(i), x(j)), HALF)),
    "relu' of relu is 1": (step(mul(x(i), step(x(i)))), ONE),
    "log(x y) is log x + 2": (log(mul(x(i), x(j))), add(log(x(i)), num(2))),
}


@pytest.mark.parametrize(("lhs", "rhs"), UNTRUE.values(), ids=UNTRUE.keys())
def test_untrue_without_a_condition(lhs: Term, rhs: Term) -> None:
    found = prove_equal(lhs, rhs)
    assert found is None or found[1].conditions
