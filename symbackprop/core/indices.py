"""Sizes and index expressions: the integers of the term language.

A size is a polynomial in size symbols (n, G*K, L+K-1), each an integer >= 1.  An index
expression is a named index, a nameless bound one, an entry of an integer array, or an affine
combination of these.  Both are kept canonical, so `==` decides equality of polynomials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar, dataclass_transform


class SymbackpropError(Exception):
    """Anything symbackprop refuses, with a message for the person who asked."""


class ProofError(SymbackpropError):
    """A step that does not follow."""


def require(condition: bool, reason: str, *about: object) -> None:
    """Refuse unless the condition holds.  `{}` in the reason stands for the things it is about, printed only then."""
    if not condition:
        raise ProofError(reason.format(*about))


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Whatever falls over while this is read is refused."""
    try:
        yield
    except RecursionError:
        raise ProofError(f"the {what} is nested too deeply") from None
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ProofError(f"this is no {what}: {error}") from error


T = TypeVar("T")


class Node:
    """Structural equality with the hash (and what else is asked of a node often) computed once."""

    __slots__ = ("_hash", "_inside", "_key")
    _hash: int
    _inside: tuple[frozenset[Index], int, frozenset[Any]]  # see `inside` in substitution.py
    _key: tuple[Any, ...]

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            value = hash((type(self).__name__, PARTS[type(self)](self)))
            object.__setattr__(self, "_hash", value)
            return value

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        kind = type(self)
        if kind is not type(other):
            return False
        try:
            differs = self._hash != other._hash
        except AttributeError:  # one of them was not asked for its hash yet
            differs = hash(self) != hash(other)
        return not differs and bool(PARTS[kind](self) == PARTS[kind](other))

    def __str__(self) -> str:
        return SHOWN.get(type(self), repr)(self)


SHOWN: dict[type, Callable[[Any], str]] = {}  # what a node looks like in a message; `show.py` fills it

PARTS: dict[type, Callable[[Any], Any]] = {}  # what of a node is compared


def nodes(x: object) -> Iterator[Node]:
    """All nodes inside a node or a tuple, itself included."""
    if isinstance(x, Node):
        yield x
        x = PARTS[type(x)](x)
    for part in x if isinstance(x, tuple) else (x,) if isinstance(x, Node) else ():
        yield from nodes(part)


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(field,))
def node(cls: type[T]) -> type[T]:
    made = dataclass(frozen=True, slots=True, eq=False)(cls)
    fields = made.__dataclass_fields__  # type: ignore[attr-defined]
    PARTS[made] = attrgetter(*(n for n, f in fields.items() if f.compare))
    return made


# --- sizes -----------------------------------------------------------------------------------


@node
class Size(Node):
    """An integer polynomial in size symbols: n, G*K, L+K-1.  Every size symbol is an integer >= 1.

    `monomials` is sorted and has no zero coefficient: ((("K",), 1), (("L",), 1), ((), -1)).
    As a term it is the number itself; as a label (the layer l+1) it names an array.
    """

    monomials: tuple[tuple[tuple[str, ...], int], ...]

    def __add__(self, other: Size | int) -> Size:
        other = sized(other)
        if not other.monomials or not self.monomials:
            return self if not other.monomials else other
        return collected([*self.monomials, *other.monomials])

    def __neg__(self) -> Size:
        return Size(tuple((m, -c) for m, c in self.monomials))

    def __sub__(self, other: Size | int) -> Size:
        return self + -sized(other)

    def __mul__(self, other: Size | int) -> Size:
        number = other if isinstance(other, int) else other.constant
        if number is not None:  # the usual case: a sign or a count
            return self if number == 1 else Size(tuple((m, c * number) for m, c in self.monomials if number))
        pairs = ((a, b) for a in self.monomials for b in sized(other).monomials)
        return collected([(tuple(sorted(m + n)), c * d) for (m, c), (n, d) in pairs])

    __radd__, __rmul__ = __add__, __mul__

    @property
    def constant(self) -> int | None:
        """The number, if no symbol occurs."""
        if not self.monomials:
            return 0
        return self.monomials[0][1] if self.monomials[0][0] == () and len(self.monomials) == 1 else None

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(sorted({s for m, _ in self.monomials for s in m}))

    def at(self, values: Mapping[str, int]) -> int:
        """The number this size is when its symbols have these values (KeyError when one is missing)."""
        return sum([c * prod(map(values.__getitem__, symbols)) for symbols, c in self.monomials])


def collected(monomials: Iterable[tuple[tuple[str, ...], int]]) -> Size:
    total: dict[tuple[str, ...], int] = {}
    for m, c in monomials:
        total[m] = total.get(m, 0) + c
    return Size(tuple(sorted((m, c) for m, c in total.items() if c)))


def sized(value: Size | int | str) -> Size:
    """A size from a number or one symbol name."""
    match value:
        case Size():
            return value
        case int():
            return Size((((), value),) if value else ())
        case str():
            return Size((((value,), 1),))


def with_symbols(s: Size, value: Callable[[str], Size]) -> Size:
    """The size with other sizes for its symbols."""
    total = sized(0)
    for symbols, c in s.monomials:
        term = sized(c)
        for name in symbols:
            term = term * value(name)
        total = total + term
    return total


class Least:
    """The least value of each size symbol: 1 where no other is given.

    Compared by identity, so that what is remembered under one is never used under another: a certificate has its own,
    and nothing that was remembered before it counts.
    """

    def __init__(self, values: Mapping[str, int] | None = None) -> None:
        self.values = dict(values or {})

    def __getitem__(self, symbol: str) -> int:
        return self.values.get(symbol, 1)


EVERY_SIZE = Least()


@lru_cache(maxsize=50_000)
def at_least_zero(s: Size, least: Least = EVERY_SIZE) -> bool:
    """Sufficient test for s >= 0 for all sizes: after n = 1 + n' (or least + n') no coefficient is negative."""
    return all(c >= 0 for _, c in with_symbols(s, lambda n: sized(n) + least[n]).monomials)


# --- index expressions -----------------------------------------------------------------------


@node
class Index(Node):
    """A named index with values 0 .. size-1 (LaTeX shows them 1-based where the author does)."""

    name: str
    size: Size


@node
class Bound(Node):
    """A nameless index of an enclosing binder; 0 is the innermost."""

    depth: int


@node
class Pick(Node):
    """An entry of an integer array (a gather): y_n with values 0 .. size-1."""

    array: str
    at: tuple[IndexExpr, ...]
    size: Size


@node
class Affine(Node):
    """constant + Σ coefficient * atom; build it with `affine`, which keeps it canonical."""

    constant: Size
    parts: tuple[tuple[IndexAtom, Size], ...]


IndexAtom: TypeAlias = Index | Bound | Pick
IndexExpr: TypeAlias = Index | Bound | Pick | Affine


def affine(constant: Size | int, parts: Iterable[tuple[IndexExpr, Size | int]]) -> IndexExpr:
    """constant + Σ coefficient * expression, flattened and sorted; a lone atom is itself."""
    total, atoms = sized(constant), dict[IndexAtom, Size]()
    for expr, factor in parts:
        if isinstance(expr, Affine):
            total = total + expr.constant * factor
            inner = [(atom, k * factor) for atom, k in expr.parts]
        else:
            inner = [(expr, sized(factor))]
        for atom, k in inner:
            atoms[atom] = atoms[atom] + k if atom in atoms else k
    kept = [(a, k) for a, k in atoms.items() if k.monomials]
    if len(kept) > 1:
        kept.sort(key=lambda p: atom_order(p[0]))
    if not total.monomials and len(kept) == 1 and kept[0][1].monomials == ONE_TIME:
        return kept[0][0]
    return Affine(total, tuple(kept))


ONE_TIME = (((), 1),)  # the monomials of the size 1


def as_affine(e: IndexExpr) -> tuple[Size, tuple[tuple[IndexAtom, Size], ...]]:
    return (e.constant, e.parts) if isinstance(e, Affine) else (sized(0), ((e, sized(1)),))


def atom_order(a: IndexAtom) -> tuple[int, str]:
    """An arbitrary fixed order, the same in every run."""
    match a:
        case Bound(depth):
            return (0, f"{depth:06}")
        case Index(name, _):
            return (1, name)
        case Pick():
            return (2, repr(a))
