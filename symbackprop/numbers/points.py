"""A point: everything that gives a term one value (sizes, entries, meanings of abstract functions).

And what of a term is looked at there: some factors of a product choose a branch, so that the others do not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import assert_never

from symbackprop.core.indices import Affine, Bound, Index, IndexExpr, Pick, Size
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    Add,
    Apply,
    Array,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Num,
    Ordinal,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
    subterms,
)
from symbackprop.numbers.duals import Loss, Polynomial, Position
from symbackprop.numbers.exact_numbers import Number, Undefined

PI = Array("pi")  # the number, never a variable


@dataclass(frozen=True, slots=True)
class Point:
    """Sizes, entries of real and integer arrays, free indices, and meanings of abstract functions.

    `discrete` names arrays whose entries cannot move (masks, labels): a step at one of their values is no kink.
    """

    sizes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    arrays: Mapping[Array, Mapping[Position, Number]] = field(default_factory=lambda: MappingProxyType({}))
    integers: Mapping[str, Mapping[Position, int]] = field(default_factory=lambda: MappingProxyType({}))
    indices: Mapping[Index, int] = field(default_factory=lambda: MappingProxyType({}))
    functions: Mapping[str, Polynomial] = field(default_factory=lambda: MappingProxyType({}))
    losses: Mapping[str, Loss] = field(default_factory=lambda: MappingProxyType({}))
    definitions: Mapping[Array, Tensor] = field(default_factory=lambda: MappingProxyType({}))
    discrete: frozenset[Array] = frozenset()


def size_at(s: Size, sizes: Mapping[str, int]) -> int:
    """The number of values of an axis.  Raises Undefined where a symbol has no value or the size is negative."""
    try:
        value = s.at(dict(sizes))
    except KeyError as missing:
        raise Undefined(f"the size {missing.args[0]} has no value") from None
    if value < 0:
        raise Undefined(f"the size {s} is negative")
    return value


@dataclass(frozen=True, slots=True)
class Reach:
    """What a term looks at outside itself: free indices, bound indices (depth seen from outside), arrays."""

    free: tuple[Index, ...] = ()
    bound: tuple[int, ...] = ()
    arrays: frozenset[Array] = frozenset()


class Reaches:
    """The reach of every subterm, each computed once; definitions are followed."""

    def __init__(self, definitions: Mapping[Array, Tensor]) -> None:
        self.definitions = definitions
        self.known: dict[Term, Reach] = {}
        self.behind: dict[Array, frozenset[Array]] = {}

    def of(self, t: Term) -> Reach:
        found = self.known.get(t)
        if found is None:
            found = self.known[t] = self._compute(t)
        return found

    def array(self, a: Array) -> frozenset[Array]:
        """The array and all that its definition looks at."""
        if a not in self.behind:
            self.behind[a] = frozenset({a})  # a cyclic definition ends here
            if a in self.definitions:
                self.behind[a] |= self.of(self.definitions[a].body).arrays
        return self.behind[a]

    def _compute(self, t: Term) -> Reach:
        match t:
            case Num() | Size():
                return Reach()
            case Entry(array, at):
                return joined([*map(index_reach, at), Reach(arrays=self.array(array))])
            case Ordinal(of):
                return index_reach(of)
            case Delta(i, j):
                return joined([index_reach(i), index_reach(j)])
            case Add(args) | Mul(args):
                return joined([self.of(a) for a in args])
            case Power(arg, _) | Apply(_, arg, _):
                return self.of(arg)
            case Sum(_, body, _):
                return lowered(self.of(body), 1)
            case Diff(body, wrt):
                return joined([self.of(body), *map(index_reach, wrt.at)])
            case Whole(_, _, sizes, body, at, _):
                return joined([lowered(self.of(body), len(sizes)), *map(index_reach, at)])
            case Holds(Positive(term)):
                return self.of(term)
            case Holds(NonNegative(expr)):
                return index_reach(expr)
            case _:
                assert_never(t)  # type: ignore[arg-type]


def joined(reaches: list[Reach]) -> Reach:
    free = {i for r in reaches for i in r.free}
    bound = {d for r in reaches for d in r.bound}
    arrays = frozenset[Array]().union(*(r.arrays for r in reaches))
    return Reach(tuple(sorted(free, key=lambda i: (i.name, i.size.monomials))), tuple(sorted(bound)), arrays)


def lowered(r: Reach, binders: int) -> Reach:
    return Reach(r.free, tuple(d - binders for d in r.bound if d >= binders), r.arrays)


def index_reach(e: IndexExpr) -> Reach:
    match e:
        case Index():
            return Reach(free=(e,))
        case Bound(depth):
            return Reach(bound=(depth,))
        case Pick(_, at, _):
            return joined(list(map(index_reach, at)))
        case Affine(_, atoms):
            return joined([index_reach(a) for a, _ in atoms])
        case _:
            assert_never(e)


def entry_text(array: Array, at: Position) -> str:
    return f"{array}[{', '.join(map(str, at))}]" if at else str(array)


@dataclass(frozen=True, slots=True)
class Move:
    """An entry that carries an infinitesimal part; without a place, an array whose kinks count and nothing else."""

    level: int
    array: Array
    at: Position | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Values of the indices around a term, and the entries that move."""

    free: Mapping[Index, int] = field(default_factory=dict)
    stack: Position = ()
    moves: tuple[Move, ...] = ()

    def index(self, i: Index) -> int:
        try:
            return self.free[i]
        except KeyError:
            raise Undefined(f"the index {i.name} has no value") from None

    def inside(self, position: Position) -> Scope:
        return Scope(self.free, (*self.stack, *position), self.moves)


def guards(t: Term) -> bool:
    """A truth value as np.where writes it: Holds, Delta, products of them, and sums of several (1 - h, h + k - h k).

    No guard are 7 h, which is a number that np.where has chosen, and a sum of one argument, which is the number of a
    truth value: their products with nan are nan.
    """
    match t:
        case Holds() | Delta():
            return True
        case Add(args):
            return len(args) > 1 and all(map(counted, args)) and not all(isinstance(x, Num) for x in args)
        case Mul(args):
            return all(map(guards, args))
        case _:
            return False


def counted(t: Term) -> bool:
    """A number, or a number of times a truth value: a part of a sum that is a truth value."""
    return all(map(counted, t.args)) if isinstance(t, Mul) else isinstance(t, Num) or guards(t)


def about_reals(t: Term) -> bool:
    """Whether a comparison of real numbers is in it, not of indices alone."""
    return any(isinstance(s, Holds) and isinstance(s.predicate, Positive) for s in subterms(t))


def powers_inside(t: Term) -> bool:
    """b log a, the exponent of a power."""
    factors = t.args if isinstance(t, Mul) else (t,)
    return any(isinstance(x, Apply) and x.fn == "log" for x in factors)
