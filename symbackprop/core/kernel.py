"""The proof kernel: `check` reads a proof and returns the equation it proves.

A proof is plain data, which the prover builds and LaTeX prints.  The kernel does not search:
it instantiates laws, replaces equals by equals, and adds up equations.  To trust a theorem, read
this file, `terms.py`, `sums.py` and the tables in `laws/`, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from .context import EMPTY, Context, Equation, Hypothesis, Same
from .laws import LAWS
from .ranges import within
from .signs import Signs
from .sums import Expansion, Monomial, collect, for_all
from .tensor import Tensor
from .terms import (
    Array,
    AtLeastZero,
    Diff,
    Entry,
    Holds,
    Index,
    IndexExpr,
    Mul,
    NonNegative,
    Nonzero,
    Positive,
    Predicate,
    Term,
    Whole,
    affine,
    arguments,
    free,
    over,
    rebuilt,
    require,
    substitute,
    subterms,
    whole,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class By:
    """An instance of a named law."""

    law: str
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """From a = b, b = c, ..., y = z conclude a = z."""

    first: Proof
    rest: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Flip:
    """From a = b conclude b = a."""

    inner: Proof


@dataclass(frozen=True, slots=True)
class Inside:
    """From a_k = b_k for some arguments k conclude f(.., a_k, ..) = f(.., b_k, ..)."""

    whole: Term
    parts: tuple[tuple[int, Proof], ...]


@dataclass(frozen=True, slots=True)
class UnderSum:
    """From a = b for every i conclude Σ_i a = Σ_i b."""

    i: Index
    inner: Proof


@dataclass(frozen=True, slots=True)
class UnderWhole:
    """From a = b for all axes conclude F((axes) -> a) = F((axes) -> b)."""

    fn: str
    order: int
    axes: tuple[Index, ...]
    at: tuple[IndexExpr, ...]
    inner: Proof


@dataclass(frozen=True, slots=True)
class UnderDiff:
    """From a = b conclude ∂a/∂w = ∂b/∂w: only where a = b in a neighbourhood, so not from an equation in w assumed."""

    wrt: Entry
    inner: Proof


@dataclass(frozen=True, slots=True)
class Instance:
    """From an equation for all i conclude it for some values of i."""

    values: tuple[tuple[Index, IndexExpr], ...]
    inner: Proof


@dataclass(frozen=True, slots=True)
class Linear:
    """lhs - rhs = Σ over steps of  Σ_{dummies} factor * (a - b), where a = b is proved; hence lhs = rhs.

    Without steps: both sides are the same sum of products.
    """

    lhs: Term
    rhs: Term
    steps: tuple[tuple[tuple[Index, ...], Term, Proof], ...] = ()


@dataclass(frozen=True, slots=True)
class Cancel:
    """From factor * lhs = factor * rhs conclude lhs = rhs, where the factor is not 0."""

    factor: Term
    lhs: Term
    rhs: Term
    inner: Proof


@dataclass(frozen=True, slots=True)
class Values:
    """From the equation for i = 0, 1, ..., n-1, one proof each, conclude it for every i of the literal size n."""

    i: Index
    lhs: Term
    rhs: Term
    each: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Let:
    """The inner equation, proved with a name for a compound term; the name does not occur in the equation."""

    array: Array
    meaning: Tensor
    inner: Proof


@dataclass(frozen=True, slots=True)
class Rephrase:
    """The same equation under conditions on v in place of those on u, where u = v is proved."""

    inner: Proof
    parts: tuple[tuple[Predicate, Proof], ...]


Proof: TypeAlias = (
    By
    | Chain
    | Flip
    | Inside
    | UnderSum
    | UnderWhole
    | UnderDiff
    | Instance
    | Linear
    | Cancel
    | Values
    | Let
    | Rephrase
)


Seen: TypeAlias = dict[int, tuple["Proof", Equation]]  # the proof is kept, so that its id stays its own


def check(proof: Proof, context: Context = EMPTY, seen: Seen | None = None) -> Equation:
    """The equation that `proof` proves, with the conditions that signs do not discharge.

    `seen`, if given, remembers what was checked, for further proofs under the same context that share parts.

    Raises ProofError at the first step that does not follow.
    """
    return discharged(_check(proof, context, {} if seen is None else seen), context)


def discharged(eq: Equation, context: Context) -> Equation:
    """The equation without the conditions that are plain from the signs of terms and the hypotheses."""
    signs = Signs(context)
    kept = frozenset(c for c in eq.conditions if not signs.holds(c))
    return Equation(eq.lhs, eq.rhs, kept, eq.hypotheses | signs.used)


def _check(proof: Proof, context: Context, seen: Seen) -> Equation:
    """A proof that several steps share is checked once: `seen` knows it by its identity."""
    if id(proof) not in seen:
        seen[id(proof)] = proof, _check_one(proof, context, seen)
    return seen[id(proof)][1]


def _check_one(proof: Proof, context: Context, seen: Seen) -> Equation:
    match proof:
        case By(law, args):
            require(law in LAWS, "no law is called {}", law)
            eq = LAWS[law](context, *args)
            return Equation(eq.lhs, eq.rhs, frozenset(map(for_all, eq.conditions)), eq.hypotheses)
        case Chain(first, rest):
            total = _check(first, context, seen)
            for eq in (_check(p, context, seen) for p in rest):
                require(eq.lhs == total.rhs, "{} does not follow {}", eq.lhs, total.rhs)
                total = joined(total.lhs, eq.rhs, total, eq)
            return total
        case Flip(inner):
            eq = _check(inner, context, seen)
            return joined(eq.rhs, eq.lhs, eq)
        case Inside(term, parts):
            found = [(k, _check(p, context, seen)) for k, p in parts]
            children = list(arguments(term))
            for k, eq in found:
                require(0 <= k < len(children), "{} has no argument {}", term, k)
                require(children[k] == eq.lhs, "argument {} of {} is not {}", k, term, eq.lhs)
                children[k] = eq.rhs
            return joined(term, rebuilt(term, tuple(children)), *(eq for _, eq in found))
        case UnderSum(i, inner):
            eq = _check(inner, context, seen)
            return joined(over(i, eq.lhs), over(i, eq.rhs), eq)
        case UnderWhole(fn, order, axes, at, inner):
            eq = _check(inner, context, seen)
            sides = (whole(fn, order, axes, side, at) for side in (eq.lhs, eq.rhs))
            return joined(next(sides), next(sides), eq)
        case UnderDiff(wrt, inner):
            eq = _check(inner, context, seen)
            for name in sorted(eq.hypotheses):
                allowed = may_differentiate(context, name, wrt.array)
                require(allowed, "the hypothesis {} is used under ∂/∂{}", name, wrt.array)
            require(all(open_set(c) for c in eq.conditions), "differentiated on a set that need not be open")
            return joined(Diff(eq.lhs, wrt), Diff(eq.rhs, wrt), eq)
        case Instance(values, inner):
            eq = _check(inner, context, seen)
            given = dict(values)
            require(all(within(e, i.size) for i, e in values), "an index may leave its range")
            return joined(substitute(eq.lhs, given), substitute(eq.rhs, given), eq)
        case Linear(lhs, rhs, steps):
            return linear(lhs, rhs, [(d, f, _check(p, context, seen)) for d, f, p in steps])
        case Cancel(factor, lhs, rhs, inner):
            eq = _check(inner, context, seen)
            total = linear(Mul((factor, lhs)), Mul((factor, rhs)), [((), Mul(()), eq)])
            conditions = total.conditions | {Nonzero(factor)}
            return Equation(lhs, rhs, conditions, total.hypotheses)
        case Values(i, lhs, rhs, each):
            require(i.size.constant == len(each) > 0, "{} has {} values, not {}", i.name, i.size, len(each))
            equations = [_check(p, context, seen) for p in each]
            for v, eq in enumerate(equations):
                here: dict[Index, IndexExpr] = {i: affine(v, ())}
                require(
                    (eq.lhs, eq.rhs) == (substitute(lhs, here), substitute(rhs, here)), "not for {} = {}", i.name, v
                )
            return joined(lhs, rhs, *equations)
        case Let(array, meaning, inner):
            require(array not in context.definitions, "{} has a meaning already", array)
            require(free(meaning.body) <= frozenset(meaning.axes), "{} depends on more than its axes", array)
            before = [d.body for d in context.definitions.values()]
            before += [t for h in context.hypotheses.values() for t in terms_of(h)]
            require(not any(mentions(t, array) for t in (meaning.body, *before)), "{} is in use", array)
            wider = Context({**context.definitions, array: meaning}, context.hypotheses)
            eq = discharged(_check(inner, wider, {}), wider)
            spoken = [eq.lhs, eq.rhs, *(t for c in eq.conditions for t in terms_of(c))]
            require(not any(mentions(t, array) for t in spoken), "{} occurs in the theorem", array)
            return eq
        case Rephrase(inner, parts):
            eq = _check(inner, context, seen)
            conditions, hypotheses = eq.conditions, eq.hypotheses
            for condition, equal in parts:
                same = _check(equal, context, seen)
                require(condition in conditions, "{} is not a condition", condition)
                require(not isinstance(condition, NonNegative), "not a condition on a term")
                assert not isinstance(condition, NonNegative)
                require(condition.term == same.lhs, "the equation is not about that condition")
                conditions = (conditions - {condition}) | same.conditions | {for_all(type(condition)(same.rhs))}
                hypotheses |= same.hypotheses
            return Equation(eq.lhs, eq.rhs, conditions, hypotheses)
        case _:
            assert_never(proof)


def joined(lhs: Term, rhs: Term, *parts: Equation) -> Equation:
    """An equation under everything that its parts need."""
    conditions = frozenset[Predicate]().union(*(p.conditions for p in parts))
    return Equation(lhs, rhs, conditions, frozenset[str]().union(*(p.hypotheses for p in parts)))


def linear(lhs: Term, rhs: Term, equations: list[tuple[tuple[Index, ...], Term, Equation]]) -> Equation:
    """lhs = rhs, if lhs - rhs is the sum of these multiples of equations as a sum of products."""
    involved = [lhs, rhs] + [t for _, f, eq in equations for t in (f, eq.lhs, eq.rhs)]
    run = Expansion(frozenset[Index]().union(*map(free, involved)))
    total = run.raw(lhs) + negative(run.raw(rhs))
    for dummies, factor, eq in equations:
        for side, sign in ((eq.lhs, False), (eq.rhs, True)):
            term: Term = Mul((factor, side))
            for i in reversed(dummies):
                term = over(i, term)
            monomials = run.raw(term)
            total += monomials if sign else negative(monomials)
    left = collect(total)
    require(not left, "the sides differ by {}", " + ".join(str(m.term()) for m in list(left.values())[:2]))
    eq = joined(lhs, rhs, *(e for _, _, e in equations))
    return Equation(lhs, rhs, eq.conditions | run.conditions, eq.hypotheses)


def negative(monomials: list[Monomial]) -> list[Monomial]:
    return [m._replace(coefficient=-m.coefficient) for m in monomials]


def may_differentiate(context: Context, name: str, wrt: Array) -> bool:
    """A strict inequality holds in a neighbourhood; another hypothesis may not touch the variable at all."""
    statement = context.hypotheses[name]
    if isinstance(statement, Positive | Nonzero | NonNegative):
        return True
    sides = (statement.lhs, statement.rhs) if isinstance(statement, Same) else (statement.term,)
    assert isinstance(statement, Same | AtLeastZero)
    named = frozenset[Array]().union(*map(arrays, sides))
    return wrt not in named and named.isdisjoint(context.definitions)


def open_set(c: Predicate) -> bool:
    """The condition is an open one: strict, on a term without steps."""
    return isinstance(c, Positive | Nonzero) and not stepped(c.term)


def mentions(t: Term, array: Array) -> bool:
    """An array of this name, whatever its label, occurs in t."""
    return any(a.name == array.name for a in arrays(t))


def terms_of(h: Hypothesis) -> tuple[Term, ...]:
    match h:
        case Same(lhs, rhs):
            return (lhs, rhs)
        case NonNegative():
            return ()
        case _:
            return (h.term,)


def arrays(t: Term) -> frozenset[Array]:
    return frozenset(s.array for s in subterms(t) if isinstance(s, Entry))


def stepped(t: Term) -> bool:
    return any(isinstance(s, Holds) or (isinstance(s, Whole) and s.fn == "argmax") for s in subterms(t))
