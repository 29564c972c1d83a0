"""Why a condition of an equation costs nothing, how an equation holds in a region, and at what point: plain data.

The prover finds these (`prove/conditions`), `discharge.py` checks them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import TypeAlias

from symbackprop.core.context import Context, Hypothesis
from symbackprop.core.proofs import Proof
from symbackprop.core.syntax import Array, Tensor
from symbackprop.core.terms import Index, Predicate, Term
from symbackprop.core.theorem import Stated, array, checking, its


@dataclass(frozen=True, slots=True)
class Sign:
    """Plain from the signs of terms and from what the region says."""

    goal: Predicate


@dataclass(frozen=True, slots=True)
class Weigh:
    """The goal is about u, and  scale * u = Σ coefficient * v + rest  is proved, where each v has a reason.

    u > 0 when scale and coefficients are positive, each v and the rest are not negative and one of them is positive.
    u >= 0 likewise.  u != 0 when the sum is positive for the same reasons, or is one v != 0 times something not 0.
    """

    goal: Predicate
    scale: Term
    parts: tuple[tuple[Term, Reason], ...]
    rest: Term
    equation: Given


@dataclass(frozen=True, slots=True)
class Base:
    """The goal b != 0 by a reason for b^q != 0 with q > 0, since 0^q is 0."""

    goal: Predicate
    power: Reason


@dataclass(frozen=True, slots=True)
class Split:
    """u = h yes + (1 - h) no  is proved for a truth value h: the goal for `yes` where h is 1, for `no` where h is 0."""

    goal: Predicate
    name: str
    truth: Term
    yes: Reason
    no: Reason
    equation: Given


@dataclass(frozen=True, slots=True)
class Fixed:
    """The goal for all values of these indices, since it holds for integers of these names of which nothing is said."""

    goal: Predicate
    names: tuple[tuple[Index, str], ...]
    inner: Reason


@dataclass(frozen=True, slots=True)
class Nested:
    """The largest entry of a whole array stands alone, since it does in its row and among the largest of the rows.

    The goal is  gap of (order) -> body > 0;  `inner` is about one row at `outer_axes`, `outer` about their maxima.
    """

    goal: Predicate
    order: tuple[Index, ...]
    outer_axes: tuple[Index, ...]
    inner_axes: tuple[Index, ...]
    body: Term
    inner: Reason
    outer: Reason


@dataclass(frozen=True, slots=True)
class Knowing:
    """The goal by a reason that takes for known what some lemmas show: predicates, and equations, of this name."""

    goal: Predicate
    name: str
    lemmas: tuple[Reason | Given, ...]
    inner: Reason


Reason: TypeAlias = Sign | Weigh | Base | Split | Fixed | Nested | Knowing


@dataclass(frozen=True, slots=True)
class Dense:
    """goal: u != 0 on a dense set.  u is analytic in the arrays that move, and not 0 where they are these tensors."""

    goal: Predicate
    somewhere: tuple[tuple[Array, Tensor], ...]
    analytic: tuple[Reason, ...]
    reason: Reason


# --- equations that hold everywhere in a region ------------------------------------------------


@dataclass(frozen=True, slots=True)
class Given:
    """An equation that the kernel proves, with a reason for each condition that it leaves."""

    proof: Proof
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Continued:
    """An equation without derivatives, proved where some u != 0, and so where u = 0 as well.

    Both sides are continuous there: `continuous` has the reasons for what that needs.
    """

    proof: Proof
    reasons: tuple[Reason, ...]
    dense: tuple[Dense, ...]
    continuous: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """lhs = rhs without derivatives: proved for integers in place of some indices where u != 0, and where u = 0.

    Of a truth value u: where it is 1, and where it is 0.
    """

    lhs: Term
    rhs: Term
    names: tuple[tuple[Index, str], ...]
    name: str
    about: Term
    one: Holding
    other: Holding


@dataclass(frozen=True, slots=True)
class Steps:
    """From a = b, b = c, ... conclude a = z."""

    each: tuple[Holding, ...]


Holding: TypeAlias = Given | Continued | Cases | Steps


# --- what is given for a statement ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Argument:
    """`lemmas`: what the region implies; `values`: why the right side has a value wherever it must; `steps`: why the
    sides are equal; and a point."""

    lemmas: tuple[Reason | Given, ...]
    values: tuple[Reason | Dense, ...]
    steps: Holding
    point: Point


# --- a point of a theorem: one about no point says nothing, so one is exhibited ---
# What is seen to hold there the independent checker says, by numbers of its own: rational ones, and intervals.


@dataclass(frozen=True, slots=True)
class Point:
    """Sizes, entries that are rational numbers, entries that are logarithms of such, and integer arrays."""

    sizes: tuple[tuple[str, int], ...] = ()
    entries: tuple[tuple[Array, tuple[int, ...], Fraction], ...] = ()
    logs: tuple[tuple[Array, tuple[int, ...], Fraction], ...] = ()
    integers: tuple[tuple[str, tuple[int, ...], int], ...] = ()


def satisfied(hypotheses: Iterable[Hypothesis], point: Point, context: Context) -> None:
    """Raises ProofError unless they are seen to hold at the point, for all values of their indices.

    There must be such values: what speaks of no index says nothing.
    """
    said = Stated()
    with checking("point", alone=False):
        entries, logs = ([(array(a), at, q) for a, at, q in values] for values in (point.entries, point.logs))
        world = SimpleNamespace(definitions=said.world(context)[0])
        there = its.Point(world, point.sizes, entries, logs, point.integers)
        for h in hypotheses:
            there.satisfies(said.hypothesis(h))
