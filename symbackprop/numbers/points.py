"""A point: everything that gives a term one value (sizes, entries, meanings of abstract functions).

What of a term is looked at there: some factors of a product choose a branch, so that the others do not count.  And
what a point must have for a claim: `survey`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, assert_never

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import PARTS, Affine, Bound, Index, IndexExpr, Pick, Size, sized
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    Add, Apply, Array, AtLeastZero, Delta, Diff, Entry, Holds, Mul, NonNegative, Nonzero, Num, Positive, Power,
    Predicate, Sum, Term, Whole, arrays, free, inside, parts, places, subterms,
)  # fmt: skip
from symbackprop.numbers.duals import Loss, Polynomial, Position
from symbackprop.numbers.exact_numbers import Number, Undefined
from symbackprop.numbers.wholes import abstract

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
        value = s.at(sizes)
    except KeyError as missing:
        raise Undefined(f"the size {missing.args[0]} has no value") from None
    if value < 0:
        raise Undefined(f"the size {s} is negative")
    return value


@dataclass(slots=True, eq=False)
class Reach:
    """What a term looks at outside itself: free indices, bound indices (depth seen from outside), arrays.

    One for each term, which it stands for in keys; made often, so not `frozen`.  `guards` are the factors of a product
    that choose a branch.
    """

    free: tuple[Index, ...] = ()
    bound: tuple[int, ...] = ()
    arrays: frozenset[Array] = frozenset()
    guards: tuple[Term, ...] = ()


class Reaches:
    """The reach of every subterm, each computed once; definitions are followed."""

    def __init__(self, definitions: Mapping[Array, Tensor]) -> None:
        self.definitions = definitions
        self.known: dict[Term, Reach] = {}
        self.asked: dict[int, tuple[Term, Reach]] = {}  # by identity, as it is quicker; the term is kept alive
        self.bound: dict[Any, frozenset[int]] = {}
        self.behind: dict[Array, frozenset[Array]] = {}

    def of(self, t: Term) -> Reach:
        asked = self.asked.get(id(t))
        if asked is not None:
            return asked[1]
        found = self.known.get(t)
        if found is None:
            named = sorted(free(t), key=lambda i: (i.name, i.size.monomials))
            seen = arrays(t)
            if not self.definitions.keys().isdisjoint(seen):
                seen = seen.union(*map(self.array, seen))
            choosing = tuple(filter(guards, t.args)) if isinstance(t, Mul) else ()
            found = self.known[t] = Reach(tuple(named), tuple(sorted(self.dangling(t))), seen, choosing)
        self.asked[id(t)] = t, found
        return found

    def array(self, a: Array) -> frozenset[Array]:
        """The array and all that its definition looks at."""
        if a not in self.behind:
            self.behind[a] = frozenset({a})  # a cyclic definition ends here
            if a in self.definitions:
                self.behind[a] |= self.of(self.definitions[a].body).arrays
        return self.behind[a]

    def dangling(self, x: Any) -> frozenset[int]:
        """The bound indices that belong to binders around it: how many of these stand between."""
        if not inside(x)[1]:
            return frozenset()
        if isinstance(x, tuple):
            return frozenset[int]().union(*map(self.dangling, x))
        if x not in self.bound:
            match x:
                case Bound(depth):
                    self.bound[x] = frozenset({depth})
                case Sum(_, body, _):
                    self.bound[x] = lowered(self.dangling(body), 1)
                case Whole(_, _, sizes, body, at, _):
                    self.bound[x] = lowered(self.dangling(body), len(sizes)) | self.dangling(at)
                case _:
                    self.bound[x] = self.dangling(PARTS[type(x)](x))
        return self.bound[x]


def lowered(bound: frozenset[int], binders: int) -> frozenset[int]:
    return frozenset(d - binders for d in bound if d >= binders)


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """An entry that carries an infinitesimal part; without a place, an array whose kinks count and nothing else."""

    level: int
    array: Array
    at: Position | None


@dataclass(slots=True, eq=False)
class Scope:
    """Values of the indices around a term, entries that move, and what terms look at `outside` of their binders."""

    free: Mapping[Index, int] = field(default_factory=dict)
    stack: Position = ()
    moves: tuple[Move, ...] = ()
    outside: dict[Reach, tuple[object, ...]] = field(default_factory=dict)

    def index(self, i: Index) -> int:
        try:
            return self.free[i]
        except KeyError:
            raise Undefined(f"the index {i.name} has no value") from None

    def inside(self, position: Position) -> Scope:
        return Scope(self.free, (*self.stack, *position), self.moves, self.outside)


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


# --- what a claim talks about: size symbols, arrays with the extent of each axis, abstract functions ---


@dataclass(frozen=True, slots=True)
class Extent:
    """One use of an axis: its indices run over 0 .. size-1 (`exact`), or up to constant + Σ k (size-1)."""

    constant: Size
    parts: tuple[tuple[Size, Size], ...]
    exact: bool

    def at(self, sizes: Mapping[str, int]) -> int:
        total = self.constant.at(sizes)
        for k, s in self.parts:
            total += max(0, k.at(sizes)) * (s.at(sizes) - 1)
        return total + 1


@dataclass(slots=True)
class Survey:
    """Collected by walking; arrays and names in order of first appearance, so that runs repeat."""

    symbols: set[str] = field(default_factory=set)
    lengths: set[Size] = field(default_factory=set)
    summed: set[Size] = field(default_factory=set)  # lengths of sums, which may be sums of nothing
    arrays: dict[Array, list[set[Extent]]] = field(default_factory=dict)
    picks: dict[str, tuple[Size, list[set[Extent]]]] = field(default_factory=dict)
    functions: dict[str, None] = field(default_factory=dict)
    losses: dict[str, None] = field(default_factory=dict)
    positive: set[Array] = field(default_factory=set)  # looked at by a log or a root
    declared: dict[Array, tuple[Size, ...]] = field(default_factory=dict)

    def shape(self, array: Array, sizes: Mapping[str, int]) -> Position:
        if array in self.declared:
            return tuple(size_at(s, sizes) for s in self.declared[array])
        return extents(self.arrays[array], sizes)

    def pick_shape(self, name: str, sizes: Mapping[str, int]) -> Position:
        return extents(self.picks[name][1], sizes)

    def possible(self, sizes: Mapping[str, int]) -> bool:
        """Every axis has at least one value, and no sum a negative number of them."""
        return all(s.at(sizes) >= 1 for s in self.lengths) and all(s.at(sizes) >= 0 for s in self.summed)


def extents(axes: list[set[Extent]], sizes: Mapping[str, int]) -> Position:
    shape = []
    for uses in axes:
        exact = [u.at(sizes) for u in uses if u.exact]
        shape.append(max(exact or [u.at(sizes) for u in uses]))
    if any(n < 1 for n in shape):
        raise Undefined("an axis without values")
    return tuple(shape)


class Surveyor:
    def __init__(self, definitions: Mapping[Array, Tensor]) -> None:
        self.found = Survey()
        self.definitions = definitions
        self.seen: set[tuple[Term, tuple[Size, ...]]] = set()
        self.visited: set[Array] = set()

    def length(self, s: Size) -> None:
        self.found.lengths.add(s)
        self.found.symbols.update(s.symbols)

    def index(self, e: IndexExpr, stack: tuple[Size, ...]) -> Extent:
        zero, one = sized(0), sized(1)
        match e:
            case Index(_, size):
                self.length(size)
                return Extent(zero, ((one, size),), True)
            case Bound(depth):
                size = stack[-1 - depth] if depth < len(stack) else sized(1)
                return Extent(zero, ((one, size),), True)
            case Pick(array, at, size):
                self.length(size)
                uses = [self.index(i, stack) for i in at]
                _, axes = self.found.picks.setdefault(array, (size, [set() for _ in at]))
                for axis, use in zip(axes, uses, strict=False):
                    axis.add(use)
                return Extent(zero, ((one, size),), True)
            case Affine(constant, atoms):
                self.found.symbols.update(constant.symbols)
                parts: list[tuple[Size, Size]] = []
                for x, k in atoms:
                    self.found.symbols.update(k.symbols)
                    parts.extend((k, s) for _, s in self.index(x, stack).parts)
                return Extent(constant, tuple(parts), False)
            case _:
                assert_never(e)

    def term(self, t: Term, stack: tuple[Size, ...] = (), root: bool = False) -> None:
        """Walk; `root` inside the argument of a log or a root."""
        if (t, stack) in self.seen and not root:
            return
        self.seen.add((t, stack))
        match t:
            case Entry(array, at):
                return self.entry(array, at, stack, root)
            case Size():
                self.found.symbols.update(t.symbols)
            case Power(_, exponent):
                root |= exponent.denominator != 1
            case Apply(fn):
                self.found.functions |= {fn: None} if abstract(fn) else {}
                root |= fn == "log"
            case Sum(size):
                self.found.summed.add(size)
                self.found.symbols.update(size.symbols)
                stack = (*stack, size)
            case Diff(body, wrt):
                self.term(body, stack, root)
                return self.term(wrt, stack)
            case Whole(fn, _, sizes, _, at):
                for s in sizes:
                    self.length(s)
                for i in at:
                    self.index(i, stack)
                self.found.losses |= {fn: None} if abstract(fn) else {}
                stack = (*stack, *sizes)
            case Holds(p):
                return self.predicate(p, stack)
            case _:
                for i in places(t):
                    self.index(i, stack)
        for x in parts(t):
            self.term(x, stack, root)

    def entry(self, array: Array, at: tuple[IndexExpr, ...], stack: tuple[Size, ...], root: bool) -> None:
        uses = [self.index(i, stack) for i in at]
        if array == PI:
            return
        if array in self.definitions:
            if array not in self.visited or root:
                again = array in self.visited
                self.visited.add(array)
                for s in self.definitions[array].shape:
                    self.length(s)
                if not again:
                    self.term(self.definitions[array].body, (), root)
            return
        if root:
            self.found.positive.add(array)
        axes = self.found.arrays.setdefault(array, [set() for _ in at])
        for axis, use in zip(axes, uses, strict=False):
            axis.add(use)

    def predicate(self, p: Predicate, stack: tuple[Size, ...] = ()) -> None:
        match p:
            case NonNegative(expr):
                self.index(expr, stack)
            case Positive(term) | Nonzero(term) | AtLeastZero(term):
                self.term(term, stack)
            case _:
                assert_never(p)


def survey(
    terms: Iterable[Term],
    axes: Iterable[Index],
    hypotheses: Iterable[Hypothesis],
    definitions: Mapping[Array, Tensor],
    shapes: Mapping[Array, tuple[Size, ...]],
) -> Survey:
    s = Surveyor(definitions)
    for axis in axes:
        s.length(axis.size)
    for t in terms:
        s.term(t)
    for h in hypotheses:
        if isinstance(h, Same):
            s.term(h.lhs)
            s.term(h.rhs)
        else:
            s.predicate(h)
    for array, shape in shapes.items():
        s.found.declared[array] = shape
        if array in s.found.arrays:
            for size in shape:
                s.length(size)
    return s.found
