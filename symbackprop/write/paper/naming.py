"""Repeated parts of a long formula under names of their own, as an author would: u[i] = Σ_k (x[i,k] - v[i])^2.

For reading only.  A part is named with the free indices that it has, so that it is recognised where they are called
otherwise: v[i] and v[k] are one name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, permutations

from symbackprop.core.indices import Index, Size
from symbackprop.core.terms import (
    Add, Apply, Array, Diff, Entry, Key, Mul, Power, Sum, Term, Whole, arguments, free, key, map_opened, open_body,
    opened_whole, subterms,
)  # fmt: skip

LETTERS = ("u", "v", "w", "h", "c", "d", "e", "a", "b")
SHORT, LONG = 5, 1_500  # parts that are not worth a name; terms that nobody reads
MOST_AXES = 4


@dataclass(frozen=True, slots=True)
class Named:
    """A term in which names stand for the parts; each name with its meaning, which may use later names."""

    term: Term
    names: tuple[tuple[Entry, Term], ...] = ()


@dataclass(slots=True)
class Part:
    term: Term
    axes: tuple[Index, ...]
    times: int = 1

    @property
    def saving(self) -> int:
        return (self.times - 1) * (len(subterms(self.term)) - 2)


def with_names(t: Term, axes: Sequence[Index], taken: frozenset[str]) -> Named:
    """`t` with names for what it repeats; `axes` come first among the indices of a name, `taken` are no names."""
    if len(subterms(t)) > LONG:
        return Named(t)
    written, names = t, list[tuple[Entry, Term]]()
    for letter in (x for x in LETTERS if x not in taken):
        parts = repeated([written, *(meaning for _, meaning in names)], axes)
        if not parts:
            break
        part = max(parts, key=lambda p: p.saving)
        name = Entry(Array(letter), part.axes)
        written = replaced(written, name, part)
        names = [(n, replaced(m, name, part)) for n, m in names]
        names.append((name, part.term))
    return Named(written, tuple(names))


def repeated(terms: Sequence[Term], axes: Sequence[Index]) -> list[Part]:
    found: dict[Key, Part] = {}
    for t in terms:
        for s in opened_parts(t):
            order = sorted(free(s), key=lambda i: (i not in axes, axes.index(i) if i in axes else 0, i.name))
            if len(order) > MOST_AXES:
                continue
            k = min(numbered(s, o) for o in permutations(order))
            if k in found:
                found[k].times += 1
            else:
                found[k] = Part(s, tuple(order))
    return [p for p in found.values() if p.times > 1]


def numbered(t: Term, order: Sequence[Index]) -> Key:
    return key(t, {i: n for n, i in enumerate(order)})


def opened_parts(t: Term, fresh: Iterator[int] | None = None) -> Iterator[Term]:
    """All parts that may get a name, with indices in place of bound ones."""
    fresh = fresh or count()
    if isinstance(t, Add | Sum | Apply | Whole | Power) and len(subterms(t)) >= SHORT:
        yield t
    for inner in opened(t, fresh):
        yield from opened_parts(inner, fresh)


def opened(t: Term, fresh: Iterator[int]) -> tuple[Term, ...]:
    """The arguments of t, with indices in place of bound ones."""
    match t:
        case Sum(size, body, _):
            return (open_body(body, (new(size, fresh),)),)
        case Whole(_, _, sizes, _, _, _):
            return (opened_whole(t, tuple(new(n, fresh) for n in sizes)),)
        case Add() | Mul() | Power() | Apply():
            return arguments(t)
        case _:
            return ()


def new(size: Size, fresh: Iterator[int]) -> Index:
    return Index(f"part#{next(fresh)}", size)


def replaced(t: Term, name: Entry, part: Part, fresh: Iterator[int] | None = None) -> Term:
    """`name` for every part like `part`, with the indices it has there."""
    fresh = fresh or count()
    indices = free(t)
    if isinstance(t, type(part.term)) and len(indices) == len(part.axes):
        wanted = numbered(part.term, part.axes)
        for order in permutations(sorted(indices, key=lambda i: i.name)):
            if numbered(t, order) == wanted:
                return Entry(name.array, order)
    if isinstance(t, Diff):
        return t
    return map_opened(t, lambda s: replaced(s, name, part, fresh), lambda n: new(n, fresh))
