"""Proofs the kernel accepts, and forgeries it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from forgeries import FORGERIES

from symbackprop import core
from symbackprop.core.context import EMPTY, Context, Hypothesis, Same
from symbackprop.core.indices import Index, sized
from symbackprop.core.kernel import By, Chain, Flip, Let, Linear, Proof, UnderDiff, check
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Apply,
    Array,
    Bound,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Positive,
    Power,
    Predicate,
    ProofError,
    Term,
    add,
    affine,
    mul,
    neg,
    num,
    over,
    sub,
    whole,
)
from symbackprop.prove.equality import prove_equal, prove_gradient

N, M = sized("n"), sized("m")
X = Array("x")
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


@pytest.mark.parametrize("commit", FORGERIES.values(), ids=FORGERIES.keys())
def test_kernel_refuses(commit: Callable[[], object]) -> None:
    with pytest.raises(ProofError):
        commit()


def test_every_guard_is_needed() -> None:
    """Delete any `require` of the core, and a forgery that it alone stops goes through.

    In a process of its own: what a guard let through once is remembered on the nodes.
    """
    script = Path(__file__).with_name("guards.py")
    root = Path(core.__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (root, script.parent, root / "fuzz")))}
    done = subprocess.run([sys.executable, str(script)], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "every guard is needed\n"


# --- conditions that must be there -----------------------------------------------------------

s = Entry(Array("s"), ())
HALF = Fraction(1, 2)


def step(t: Term) -> Term:
    return Holds(Positive(t))


def steps_cover_everything() -> Proof:
    """2 s = 2 s h for h = [s > 0] + [-s > 0] - 2 [s > 0] [-s > 0], from s² = s² h, which holds for all s.

    Differentiated once more this is 1 = h, which does not: at 0 the steps have no derivative.
    """
    h = add(step(s), step(neg(s)), mul(num(-2), step(s), step(neg(s))))
    square = Power(Power(s, Fraction(2)), Fraction(1))
    size = Power(mul(s, sub(step(s), step(neg(s)))), Fraction(2))
    equal = Chain(
        Linear(mul(s, s), square),
        (By("root_of_square", (s, Fraction(1))), Linear(size, mul(s, s, h))),
    )
    return Chain(Flip(By("diff_mul", ((s, s), s))), (UnderDiff(s, equal), By("diff_mul", ((s, s, h), s))))


# u > 0 holds at s = 0, and to the left of it nowhere
ONE_SIDED = sub(num(HALF), step(neg(s)))
U = Entry(Array("u"), ())
DEFINED = Context({U.array: Tensor((), ONE_SIDED)})
ASSUMED = Context(hypotheses={"u": Positive(ONE_SIDED)})
ROOT = (Fraction(2), HALF)

NEEDED = {
    "derivatives of steps": (steps_cover_everything(), EMPTY, {Nonzero(s), Nonzero(neg(s))}),
    "a sum of kinks": (By("diff_add", ((step(s), neg(step(s))), s)), EMPTY, {Nonzero(s)}),
    "a kink in a definition": (By("diff_mul", ((U, U), s)), DEFINED, {Nonzero(neg(s))}),
    "a condition that is not open": (
        UnderDiff(s, By("power_of_power", (ONE_SIDED, *ROOT))), EMPTY, {Positive(ONE_SIDED), Nonzero(neg(s))}),
    "a condition that is not open, through a definition": (
        UnderDiff(s, By("power_of_power", (U, *ROOT))), DEFINED, {Positive(U), Nonzero(neg(s))}),
    "a hypothesis that is not open": (
        UnderDiff(s, Let(Array("a"), Tensor((), ONE), By("power_of_power", (ONE_SIDED, *ROOT)))), ASSUMED,
        {Nonzero(neg(s))}),
    "a quotient": (By("diff_mul", ((s, Power(s, Fraction(-1))), s)), EMPTY, {Nonzero(s)}),
    "a root": (By("diff_mul", ((s, Power(s, HALF)), s)), EMPTY, {Positive(s)}),
    "an inverse": (
        By("diff_mul", ((s, whole("inv", 0, (i, j), mul(s, W(i, j)), (i, j))), s)), EMPTY,
        {Nonzero(whole("det", 0, (i, j), mul(s, W(i, j)), ()))}),
    "a maximum": (
        By("diff_mul", ((s, whole("max", 0, (i,), mul(s, x(i)), ())), s)), EMPTY,
        {Positive(whole("gap", 0, (i,), mul(s, x(i)), ()))}),
    "under a derivative and a sum": (
        By("diff_add", ((over(i, Diff(step(mul(s, x(i))), x(i))), s), s)), EMPTY,
        {Nonzero(mul(s, x(Index("~1", N))))}),
    "a root and its square": (Linear(mul(Power(s, HALF), Power(s, HALF)), s), EMPTY, {Positive(s)}),
    "a number of terms that may be negative": (
        Linear(over(Index("c", N - M), ONE), sub(N, M)), EMPTY, {NonNegative(affine(N - M, ()))}),
}  # fmt: skip


@pytest.mark.parametrize(("proof", "context", "conditions"), NEEDED.values(), ids=NEEDED.keys())
def test_theorem_carries_its_conditions(proof: Proof, context: Context, conditions: set[Predicate]) -> None:
    assert conditions <= check(proof, context).conditions


def test_what_does_not_move_needs_no_condition() -> None:
    assert not check(By("diff_mul", ((s, Power(x(i), Fraction(-1))), s))).conditions


def test_strict_hypothesis_is_used_under_a_derivative() -> None:
    positive = Context(hypotheses={"h": Positive(s)})
    inner = Let(Array("a"), Tensor((), ONE), By("exp_of_log", (s,)))
    theorem = check(UnderDiff(s, inner), positive)
    assert theorem.hypotheses == {"h"} and not theorem.conditions


def test_a_step_under_a_sum_that_may_be_empty() -> None:
    few = Index("k", N - 1)
    context = Context(hypotheses={"h": Same(x(few), ONE)})
    proof = Linear(over(few, mul(x(few), x(i))), mul(N - 1, x(i)), (((few,), x(i), By("assume", ("h", ()))),))
    assert check(proof, context).hypotheses == {"h"}


def test_a_context_keeps_what_it_was_given() -> None:
    hypotheses: dict[str, Hypothesis] = {"t": Same(over(k, x(k)), ONE)}
    context = Context(hypotheses=hypotheses)
    hypotheses["t"] = Same(ZERO, ONE)
    assert check(By("assume", ("t", ())), context).rhs == ONE
    with pytest.raises(TypeError):
        context.hypotheses["u"] = Same(ZERO, ONE)  # type: ignore[index]


def test_a_deep_proof_is_refused_and_not_a_crash() -> None:
    proof: Proof = Linear(ONE, ONE)
    for _ in range(100_000):
        proof = Flip(proof)
    with pytest.raises(ProofError, match="too deeply"):
        check(proof)


@pytest.mark.parametrize("junk", [None, 1, "x", (), ONE, object()])
def test_what_is_no_proof_is_refused(junk: object) -> None:
    with pytest.raises(ProofError):
        check(junk)  # type: ignore[arg-type]
    for proof in (Flip(junk), Chain(Linear(ONE, ONE), junk), Linear(ONE, ONE, junk), Let(X, junk, Linear(ONE, ONE))):  # type: ignore[arg-type]
        if junk != () or not isinstance(proof, Chain | Linear):
            with pytest.raises(ProofError):
                check(proof)
