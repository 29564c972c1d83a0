"""Proofs the kernel accepts, and forgeries it refuses."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symbackprop.core.context import Context, Same
from symbackprop.core.indices import Index, sized
from symbackprop.core.kernel import By, Chain, Inside, Linear, UnderDiff, UnderSum, check
from symbackprop.core.terms import (
    ONE,
    Add,
    Apply,
    Array,
    Bound,
    Delta,
    Diff,
    Entry,
    Mul,
    Nonzero,
    Power,
    ProofError,
    Term,
    add,
    mul,
    num,
    over,
    sub,
    whole,
)  # fmt: skip
from symbackprop.prove.equality import prove_equal, prove_gradient

N, M = sized("n"), sized("m")
i, j, p = (Index(s, N) for s in "ijp")
b, k = (Index(s, M) for s in "bk")


def x(a: Index | Bound) -> Entry:
    return Entry(Array("x"), (a,))


def W(a: Index, c: Index | Bound) -> Entry:
    return Entry(Array("W"), (a, c))


def exp(t: Term) -> Term:
    return Apply("exp", t)


def test_sums_that_differ_in_their_dummy_are_equal() -> None:
    assert over(b, Mul((W(i, b), x(b)))) == over(k, Mul((W(i, k), x(k))))


IDENTITIES = {
    "product commutes": (over(k, mul(W(i, k), x(k))), over(b, mul(x(b), W(i, b)))),
    "delta picks one term": (over(b, mul(x(b), Delta(i, j), Delta(k, b))), mul(x(k), Delta(j, i))),
    "square of a sum": (mul(over(k, x(k)), over(k, x(k))), Power(over(b, x(b)), Fraction(2))),
    "double sum of a delta": (over(i, over(j, Delta(i, j))), N),
    "exponents add": (exp(add(x(k), x(b))), mul(exp(x(b)), exp(x(k)))),
    "sum of ones": (over(i, over(k, ONE)), mul(N, M)),
}


@pytest.mark.parametrize("sides", IDENTITIES.values(), ids=IDENTITIES.keys())
def test_identity_is_proved(sides: tuple[Term, Term]) -> None:
    found = prove_equal(*sides)
    assert found is not None and (found[1].lhs, found[1].rhs) == sides and not found[1].conditions


WRONG = {
    "sum of products is no product of sums": (over(k, mul(x(k), W(i, k))), mul(over(k, x(k)), over(k, W(i, k)))),
    "another index": (mul(x(k), Delta(i, j)), mul(x(b), Delta(i, j))),
    "another sum": (over(i, over(j, mul(x(i), x(j)))), over(i, mul(x(i), x(i)))),
    "size for size": (over(i, ONE), M),
}


@pytest.mark.parametrize("sides", WRONG.values(), ids=WRONG.keys())
def test_false_identity_is_not_proved(sides: tuple[Term, Term]) -> None:
    assert prove_equal(*sides) is None


def test_derivative_of_a_layer_from_its_sum() -> None:
    z = over(b, mul(W(i, b), x(b)))
    assert prove_gradient(z, W(j, k), mul(x(k), Delta(i, j))) is not None
    assert prove_gradient(z, W(j, k), mul(x(k), Delta(i, i))) is None


def test_last_layer_of_an_abstract_loss() -> None:
    a, z = Array("a"), over(b, mul(W(i, b), Entry(Array("a"), (b,))))
    y = Apply("f", z)
    loss = whole("L", 0, (i,), y, ())
    zj = over(b, mul(W(j, b), Entry(a, (b,))))
    slope = whole("L", 1, (i,), y, (j,))
    claimed = mul(slope, Apply("f", zj, 1), Entry(a, (k,)))
    assert prove_gradient(loss, W(j, k), claimed) is not None
    assert prove_gradient(loss, W(j, k), mul(slope, Entry(a, (k,)))) is None  # f' missing


def test_a_quotient_carries_its_condition() -> None:
    found = prove_equal(mul(x(k), Power(x(k), Fraction(-1))), ONE)
    assert found is not None and found[1].conditions == {Nonzero(x(k))}


SUM_ONE = Context(hypotheses={"t": Same(over(k, x(k)), ONE)})

FORGERIES = {
    "dummy is an index of w": By("diff_sum", (k, Mul((W(i, k), x(k))), W(j, k))),
    "chain with a gap": Chain(By("diff_mul", ((x(i), x(j)), x(p))), (By("diff_entry", (x(i), x(p))),)),
    "wrong argument": Inside(Mul((x(i), x(j))), ((0, By("diff_entry", (x(i), x(p)))),)),
    "argument -1": Inside(Mul((x(i), Diff(x(i), x(p)))), ((-1, By("diff_entry", (x(i), x(p)))),)),
    "dangling dummy": UnderSum(i, Linear(x(Bound(0)), x(Bound(0)))),
    "unknown law": By("by_magic", ()),
    "sides that differ": Linear(x(i), x(j)),
    "step that does not add up": Linear(x(i), x(j), (((), num(2), By("diff_entry", (x(i), x(p)))),)),
    "assumed equation under its derivative": UnderDiff(x(b), By("assume", ("t", ()))),
    "undefined array": By("unfold", (x(i),)),
    "one array twice": By("diff_entry", (Entry(Array("V", sized("l")), (i,)), Entry(Array("V", sized("L")), (j,)))),
    "wrong log": Linear(Apply("log", Add((x(i), x(j)))), Apply("log", x(i))),
    "root of a negative": Linear(sub(x(i), x(j)), sub(x(j), x(i))),
}


@pytest.mark.parametrize("proof", FORGERIES.values(), ids=FORGERIES.keys())
def test_kernel_refuses(proof: object) -> None:
    with pytest.raises(ProofError):
        check(proof, SUM_ONE)  # type: ignore[arg-type]
