"""Factors a claim may have forgotten: what the forward computation is made of, at the indices in scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

from symbackprop.core.indices import Bound, Index, IndexAtom, IndexExpr, Size
from symbackprop.core.laws.functions import DERIVATIVES
from symbackprop.core.terms import (
    ONE, Add, Apply, Entry, Holds, Power, Sum, Term, Whole, map_indices, mul, sub, subterms,
)  # fmt: skip
from symbackprop.numbers.duals import KNOWN
from symbackprop.numbers.points import PI, Reaches
from symbackprop.numbers.refute.special import Stack, under_binders
from symbackprop.prove.differentiate import slope_of as differentiated

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
