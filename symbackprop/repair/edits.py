"""Small changes to a claimed index term, cheapest first, each with the name of the mistake it undoes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, permutations

from symbackprop.core.indices import Bound, Index, IndexAtom, IndexExpr, Size
from symbackprop.core.laws.functions import DERIVATIVES
from symbackprop.core.terms import (
    ONE, Add, Apply, Array, Delta, Diff, Entry, Holds, Mul, Num, Positive, Power, Sum, Term, Whole, add, map_indices,
    map_parts, mul, neg, num, replaced, sub, subterms,
)  # fmt: skip
from symbackprop.numbers.duals import KNOWN
from symbackprop.numbers.points import PI, Reaches
from symbackprop.numbers.refute.special import Stack, under_binders
from symbackprop.prove.differentiate import slope_of as differentiated

OVERWRITTEN = "a repeated index overwrites instead of adding"
_TIMES = 4
_SWAPPED = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A term that may be the right one, the mistake it undoes, and how far it is from the claim."""

    term: Term
    mistake: str
    cost: int


class _Once:
    """Replaces one occurrence only, counted in the order of the walk."""

    def __init__(self, old: Term, new: Term, which: int) -> None:
        self.old, self.new, self.left = old, new, which

    def go(self, t: Term) -> Term:
        if t == self.old:
            self.left -= 1
            return self.new if self.left == -1 else t
        return t if isinstance(t, Diff) else map_parts(t, self.go)


def replacements(t: Term, old: Term, new: Term, times: int) -> Iterator[Term]:
    """Everywhere, then one at a time."""
    yield replaced(t, old, new)
    if 1 < times <= _TIMES:
        for k in range(times):
            yield _Once(old, new, k).go(t)


def transpositions(axes: Sequence[Index], t: Term) -> Iterator[Candidate]:
    """The whole result with two axes of one size exchanged."""
    for i, j in combinations(axes, 2):
        if i.size == j.size:
            swap: dict[IndexAtom, IndexExpr] = {i: j, j: i}
            yield Candidate(map_indices(t, lambda x, _, s=swap: s.get(x, x)), "result transposed", 1)  # type: ignore[misc]


def edits(
    claim: Term, axes: Sequence[Index], truth: Term, pool: Sequence[Part], reaches: Reaches, arrays: dict[Array, int]
) -> list[Candidate]:
    """Every single change, applied wherever the changed subterm occurs; cheapest first."""
    slots: Slots = tuple((i, i.size) for i in axes)
    spots, times = dict[Term, Stack](), dict[Term, int]()
    for u, stack in under_binders(claim):
        spots.setdefault(u, stack)
        times[u] = times.get(u, 0) + 1
    functions = [Part(u, stack, u.fn) for u, stack in dict(under_binders(truth)).items() if isinstance(u, Apply)]
    scalars = [Entry(a, ()) for a, rank in arrays.items() if rank == 0]
    found: dict[Term, Candidate] = {}

    def note(c: Candidate) -> None:
        if c.term != claim and (c.term not in found or c.cost < found[c.term].cost):
            found[c.term] = c

    for u, stack in spots.items():
        scope = (*((Bound(d), stack[-1 - d]) for d in range(len(stack))), *slots)
        applied = {f for part in functions for f in placed(part, scope, reaches)}
        for change in changes(u, scope, applied, scalars, arrays):
            for extra, found_term in enumerate(replacements(claim, u, change.term, times[u])):
                note(Candidate(found_term, change.mistake, change.cost + bool(extra)))
        if isinstance(u, Sum | Mul) or u is claim:
            for c in insertions(u, scope, pool, reaches):
                note(Candidate(replaced(claim, u, c.term), c.mistake, c.cost))
    return sorted(found.values(), key=lambda c: c.cost)


def changes(
    u: Term, scope: Slots, applied: set[Term], scalars: Sequence[Term], arrays: dict[Array, int]
) -> Iterator[Candidate]:
    """Local changes of one subterm."""
    match u:
        case Entry(array, at):
            yield from entry_changes(array, at, scope, arrays)
        case Mul(args) if len(args) > 1:
            for k, x in enumerate(args):
                name = OVERWRITTEN if last_of_several(x) else f"extra factor{described(x)}"
                yield Candidate(mul(*args[:k], *args[k + 1 :]), name, 3)
        case Add(args):
            for k, x in enumerate(args):
                rest = (*args[:k], *args[k + 1 :])
                yield Candidate(add(*rest), "extra term", 3)
                yield Candidate(Add((*args[:k], neg(x), *args[k + 1 :])), "sign of one term", 2)
                for c in (Fraction(2), Fraction(1, 2)):
                    scaled = Add((*args[:k], mul(num(c), x), *args[k + 1 :]))
                    yield Candidate(scaled, f"missing factor {c} in one term", 3)
        case Power(Add(outer), q) if q == -1 and logistic(outer) and (inner := sigmoid_inside(outer)) is not None:
            yield Candidate(inner, "sigmoid applied twice", 3)
        case Power(base, q):
            for p in (q + 1, q - 1, -q, 2 * q, q / 2):
                yield Candidate(Power(base, p) if p not in (0, 1) else base if p else ONE, "wrong power", 4)
            if q < 0 or q.denominator != 1:
                for s in scalars:
                    yield Candidate(Power(add(base, s), q), f"missing term{described(s)}", 4)
        case Apply(fn, arg, order):
            yield from function_changes(fn, arg, order)
        case Holds(Positive(term)):
            yield Candidate(sub(ONE, u), "mask inverted", 3)
            yield Candidate(Holds(Positive(neg(term))), "mask inverted", 3)
        case Num(value) if value not in (0, 1, -1):
            for c in (value + 1, value - 1, value * 2, value / 2, -value):
                yield Candidate(num(c), f"constant {value} in place of {c}", 4)
        case Sum(_, body, _):
            yield from index_for_sum(u, scope, body)
        case Delta():
            yield Candidate(ONE, "extra delta", 4)
        case Whole(fn, order, sizes, body, at, hints) if fn == "inv":
            yield Candidate(Whole(fn, order, sizes, body, (at[1], at[0]), hints), "transpose of the inverse", 2)
        case _:
            pass
    for f in applied:
        if isinstance(f, Apply) and f.arg == u:
            yield Candidate(f, f"{f.fn} not applied", 4)


def last_of_several(x: Term) -> bool:
    """Π_j (1 - [j is later] [j names the same place]): of several values written there the last one stays."""
    inner = x.body if isinstance(x, Whole) and x.fn == "prod" else ONE
    return any(isinstance(s, Delta) for s in subterms(inner))


def sigmoid_inside(args: tuple[Term, ...]) -> Term | None:
    """The 1/(1 + e^u) that stands in the exponent of 1 + e^{..}."""
    for a in args:
        for u in (s for s in subterms(a) if isinstance(s, Power) and s.exponent == -1 and isinstance(s.base, Add)):
            if isinstance(u.base, Add) and logistic(u.base.args):
                return u
    return None


def entry_changes(
    array: Array, at: tuple[IndexExpr, ...], scope: Slots, arrays: dict[Array, int]
) -> Iterator[Candidate]:
    for k, m in combinations(range(len(at)), 2):
        swapped = list(at)
        swapped[k], swapped[m] = swapped[m], swapped[k]
        yield Candidate(Entry(array, tuple(swapped)), f"{array} in place of its transpose", 1)
    sizes = dict(scope)
    for k, i in enumerate(at):
        for j, size in scope:
            if j != i and size == sizes.get(i):
                yield Candidate(Entry(array, (*at[:k], j, *at[k + 1 :])), f"wrong index of {array}", 5)
    for other, rank in arrays.items():
        if other != array and rank == len(at):
            yield Candidate(Entry(other, at), taken_for(array, other), 5)


def taken_for(array: Array, other: Array) -> str:
    again = "random numbers drawn again: " if all(a.name.startswith("random") for a in (array, other)) else ""
    return f"{again}{array} in place of {other}"


def function_changes(fn: str, arg: Term, order: int) -> Iterator[Candidate]:
    if isinstance(arg, Apply) and arg.fn == fn:
        yield Candidate(Apply(fn, arg.arg, order), f"{fn} applied twice", 3)
    if fn not in KNOWN:
        yield Candidate(Apply(fn, arg, order + 1), f"{fn}{chr(39) * order} in place of {fn}{chr(39) * (order + 1)}", 2)
        if order:
            less = f"{fn}{chr(39) * (order - 1)}"
            yield Candidate(Apply(fn, arg, order - 1), f"{fn}{chr(39) * order} in place of {less}", 2)
    slope = slope_of(Apply(fn, arg, order))
    if slope is not None and fn in KNOWN:
        yield Candidate(slope, f"{fn} in place of {fn}'", 3)
    yield Candidate(arg, f"extra {fn}", 5)


def index_for_sum(u: Sum, scope: Slots, body: Term) -> Iterator[Candidate]:
    """The sum replaced by its term at an index in scope: a sum that should not be there."""
    for e, size in scope:
        if size != u.size:
            continue

        def at(x: IndexAtom, depth: int, e: IndexExpr = e) -> IndexExpr:
            if isinstance(x, Bound) and x.depth >= depth:
                if x.depth == depth:
                    return Bound(e.depth + depth) if isinstance(e, Bound) else e
                return Bound(x.depth - 1)
            return x

        yield Candidate(map_indices(body, at), "extra sum", 5)


def insertions(u: Term, scope: Slots, pool: Sequence[Part], reaches: Reaches) -> Iterator[Candidate]:
    """A factor of the forward computation multiplied in: to the term, or under the sum."""
    if isinstance(u, Sum):
        inner: Slots = ((Bound(0), u.size), *((shift(e), s) for e, s in scope))
        for part in pool:
            for f in placed(part, inner, reaches):
                yield Candidate(Sum(u.size, mul(u.body, f), u.hint), missing(part), 6)
        return
    for part in pool:
        for f in placed(part, scope, reaches):
            yield Candidate(mul(u, f), missing(part), 6)
    if isinstance(u, Mul):
        for part in pool[:_SWAPPED]:
            for f in placed(part, scope, reaches):
                for k, x in enumerate(u.args):
                    if x != f:
                        name = f"{described(x).strip() or 'wrong factor'} in place of {part.name}"
                        yield Candidate(mul(*u.args[:k], f, *u.args[k + 1 :]), name, 7)


def missing(part: Part) -> str:
    return "missing mask" if part.name == "mask" else f"missing factor {part.name}"


def shift(e: IndexExpr) -> IndexExpr:
    return Bound(e.depth + 1) if isinstance(e, Bound) else e


def described(x: Term) -> str:
    match x:
        case Num(value):
            return f" {value}"
        case Size():
            return f" {x}"
        case Power(Size() as s, exponent) if exponent == -1:
            return f" 1/{s}"
        case Entry(array, _):
            return f" {array}"
        case Apply(fn, _, order):
            return f" {fn}{chr(39) * order}"
        case _:
            return ""


def summands(t: Term, limit: int = 14) -> list[Term]:
    """Additive parts: sums and products are distributed one level at a time."""
    queue, done = [t], list[Term]()
    while queue:
        u = queue.pop(0)
        split = distributed(u)
        if split is None or len(queue) + len(done) + len(split) > limit:
            done.append(u)
        else:
            queue = split + queue
    return done


def distributed(u: Term) -> list[Term] | None:
    match u:
        case Add(args):
            return list(args)
        case Mul(args):
            for k, x in enumerate(args):
                inner = distributed(x)
                if inner is not None:
                    return [mul(*args[:k], y, *args[k + 1 :]) for y in inner]
        case Sum(size, body, hint):
            inner = distributed(body)
            return None if inner is None else [Sum(size, y, hint) for y in inner]
        case _:
            pass
    return None


# --- factors a claim may have forgotten: what the forward computation is made of, at the indices in scope ---


Slots = tuple[tuple[IndexExpr, Size], ...]  # index expressions to use, with their sizes


@dataclass(frozen=True, slots=True)
class Part:
    """A subterm with the sizes of the binders around it, and what to call it as a factor."""

    term: Term
    stack: Stack
    name: str


def parts(terms: Sequence[Term], reaches: Reaches, limit: int = 60) -> list[Part]:
    """Entries, steps, functions and their slopes that occur, definitions unfolded; each once."""
    found: dict[Term, Part] = {}
    queue, seen = list(terms), set[object]()
    for t in queue:
        for u, stack in under_binders(t):
            name = factor_name(u)
            if name:
                found.setdefault(u, Part(u, stack, name))
            slope = slope_of(u) if isinstance(u, Apply) else mul(u, sub(ONE, u)) if name == "sigmoid" else None
            if slope is not None:
                found.setdefault(slope, Part(slope, stack, f"{name}'"))
            if isinstance(u, Entry) and u.array in reaches.definitions and u.array not in seen:
                seen.add(u.array)
                queue.append(reaches.definitions[u.array].body)
    order = {"'": 0, "mask": 1}
    ranked = sorted(found.values(), key=lambda p: order.get(p.name[-1:], order.get(p.name, 2)))
    return ranked[:limit]


def factor_name(u: Term) -> str:
    match u:
        case Entry(array, _) if array != PI:
            return str(array)
        case Apply(fn, _, order):
            return fn + "'" * order
        case Holds():
            return "mask"
        case Sum():
            return f"sum{of_arrays(u)}"
        case Power(Size() as s, exponent) if exponent == -1:
            return f"1/{s}"
        case Power(Add(args), exponent) if exponent == -1 and logistic(args):
            return "sigmoid"
        case Size():
            return str(u)
        case Power(Size() as s, exponent) if abs(exponent) == Fraction(1, 2):
            return f"1/√{s}" if exponent < 0 else f"√{s}"
        case Power(_, exponent) if exponent < 0 or exponent.denominator != 1:
            return "norm"
        case Whole(fn, _, _, _, _, _):
            return fn
        case _:
            return ""


def of_arrays(t: Term) -> str:
    """What a sum is about, where that is short to say."""
    names = sorted({str(s.array) for s in subterms(t) if isinstance(s, Entry) and s.array != PI})
    return f" of {' '.join(names)}" if 0 < len(names) < 3 else ""


def logistic(args: tuple[Term, ...]) -> bool:
    """1 + e^u, which the sigmoid is one over."""
    return len(args) == 2 and ONE in args and any(isinstance(a, Apply) and a.fn == "exp" for a in args)


def slope_of(u: Apply) -> Term | None:
    return None if u.fn in KNOWN and (u.order or u.fn not in DERIVATIVES) else differentiated(u)


def placed(part: Part, slots: Slots, reaches: Reaches, limit: int = 6) -> Iterator[Term]:
    """The part with its outer indices replaced by different slots of the same sizes, in every way."""
    reach = reaches.of(part.term)
    if any(d >= len(part.stack) for d in reach.bound):
        return
    needed: list[tuple[object, Size]] = [(d, part.stack[-1 - d]) for d in reach.bound]
    needed += [(i, i.size) for i in reach.free]
    if len(needed) > len(slots):
        return
    count = 0
    for chosen in permutations(slots, len(needed)):
        if any(s != size for (_, s), (_, size) in zip(needed, chosen, strict=True)):
            continue
        table = {key: e for (key, _), (e, _) in zip(needed, chosen, strict=True)}
        yield reindexed(part.term, table)
        count += 1
        if count == limit:
            return


def reindexed(t: Term, table: dict[object, IndexExpr]) -> Term:
    """t with its free indices and dangling dummies replaced; dummies in the table are seen from outside t."""

    def replace(x: IndexAtom, depth: int) -> IndexExpr:
        if isinstance(x, Bound):
            return lifted(table[x.depth - depth], depth) if x.depth >= depth else x
        return lifted(table[x], depth) if isinstance(x, Index) and x in table else x

    return map_indices(t, replace)


def lifted(e: IndexExpr, depth: int) -> IndexExpr:
    return Bound(e.depth + depth) if isinstance(e, Bound) else e
