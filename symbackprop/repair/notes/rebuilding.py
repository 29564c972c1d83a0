"""The same factors put together otherwise: in another order, transposed, ∘ for a matrix product, one left out or added.

All ways to join a few factors are tried with numbers at points of distinct sizes.  Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, TypeAlias

import numpy as np

from symbackprop.numbers.floats import close
from symbackprop.read.notes.grammar.tree import Expr, Hadamard, Neg, Num, Ones, Product, Quotient, Symbol, Transpose
from symbackprop.read.notes.grammar.walking import product_of

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]
_KEPT = 60


@dataclass(frozen=True, slots=True)
class Atom:
    """A factor with its values at each point; `turned` when it was written transposed; `place` in what was written."""

    tree: Expr
    values: tuple[FloatArray, ...]
    turned: bool
    place: int


@dataclass(frozen=True, slots=True)
class Built:
    """A way to put factors together, with its values at each point."""

    tree: Expr
    values: tuple[FloatArray, ...]
    cost: int
    places: tuple[int, ...]
    hadamards: int
    transposes: int

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.values[0].shape)


def rebuilt(
    atoms: Sequence[Atom], target: Sequence[FloatArray], written_hadamards: int, only_shapes: bool = False
) -> Iterator[tuple[Expr, int]]:
    """Trees of all the atoms with the values (or shape) of the target, and their costs: cheapest first."""
    every = [b for b in tabled(atoms)[frozenset(range(len(atoms)))] if b.shape == target[0].shape]
    fits = [
        (b.tree, b.cost + abs(b.hadamards - written_hadamards)) for b in every
        if only_shapes or all(v.shape == t.shape and close(v, t) for v, t in zip(b.values, target, strict=True))
    ]  # fmt: skip
    yield from sorted(fits, key=lambda fit: fit[1])


@np.errstate(all="ignore")  # what is not finite agrees with nothing
def tabled(atoms: Sequence[Atom]) -> dict[frozenset[int], list[Built]]:
    """The ways to join each subset of the atoms."""
    table: dict[frozenset[int], list[Built]] = {}
    for k, a in enumerate(atoms):
        table[frozenset((k,))] = leaves(a)
    for count in range(2, len(atoms) + 1):
        for chosen in combinations(range(len(atoms)), count):
            whole = frozenset(chosen)
            found: list[Built] = []
            for size in range(1, count):
                for part in combinations(chosen, size):
                    left, right = frozenset(part), whole - frozenset(part)
                    found.extend(joins(table[left], table[right], min(left) < min(right)))
            table[whole] = distinct(found)
    return table


def leaves(a: Atom) -> list[Built]:
    out = [Built(a.tree, a.values, int(a.turned), (a.place,), 0, 0)]
    if out[0].shape != (1, 1):
        out.append(Built(Transpose(a.tree), tuple(v.T for v in a.values), int(not a.turned), (a.place,), 0, 1))
    return out


def joins(left: Sequence[Built], right: Sequence[Built], first: bool) -> Iterator[Built]:
    for a, b in product(left, right):
        places, both = (*a.places, *b.places), tuple(zip(a.values, b.values, strict=True))
        disorder = int(places != tuple(sorted(places)))
        cost, hadamards, transposes = a.cost + b.cost, a.hadamards + b.hadamards, a.transposes + b.transposes
        number = (a.shape == (1, 1)) != (b.shape == (1, 1))  # beside an array
        if a.shape[1] == b.shape[0] or number:
            values = tuple(x * y if number else x @ y for x, y in both)
            tree = product_of(joined(Product, a.tree, b.tree))
            yield Built(tree, values, cost + disorder, places, hadamards, transposes)
        ones = all_ones(a.tree) or all_ones(b.tree)  # a ∘ 1 is a
        if first and a.shape == b.shape != (1, 1) and not ones:
            values = tuple(x * y for x, y in both)
            yield Built(Hadamard(joined(Hadamard, a.tree, b.tree)), values, cost, places, hadamards + 1, transposes)


def all_ones(tree: Expr) -> bool:
    return isinstance(tree.arg if isinstance(tree, Transpose) else tree, Ones)


def distinct(found: list[Built]) -> list[Built]:
    """Each value once, the cheapest way to get it."""
    kept: dict[tuple[Any, ...], Built] = {}
    for b in sorted(found, key=lambda b: (b.cost + b.transposes, b.hadamards)):
        key = (b.shape, np.round(b.values[0], 7).tobytes())
        kept.setdefault(key, b)
        if len(kept) >= _KEPT:
            break
    return list(kept.values())


def joined(kind: type[Product] | type[Hadamard], a: Expr, b: Expr) -> tuple[Expr, ...]:
    return tuple(x for part in (a, b) for x in (part.args if isinstance(part, kind) else (part,)))


# --- taking a formula apart ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Apart:
    """The factors of a formula: (tree, whether transposed); the numbers in front; how many ∘ it has."""

    factors: tuple[tuple[Expr, bool], ...]
    scalars: tuple[Expr, ...]
    negative: bool
    hadamards: int


def apart(tree: Expr) -> Apart:
    factors: list[tuple[Expr, bool]] = []
    scalars: list[Expr] = []
    state = [False, 0]  # sign, number of ∘

    def visit(node: Expr, turned: bool) -> None:
        match node:
            case Neg(arg):
                state[0] = not state[0]
                visit(arg, turned)
            case Transpose(arg):
                visit(arg, not turned)
            case Product(args):
                for a in args[::-1] if turned else args:
                    visit(a, turned)
            case Hadamard(args):
                state[1] += len(args) - 1
                for a in args:
                    visit(a, turned)
            case Num():
                scalars.append(node)
            case Quotient(top, bottom) if constant(top) and constant(bottom):
                scalars.append(node)
            case _:
                factors.append((node, turned))

    visit(tree, False)
    return Apart(tuple(factors), tuple(scalars), bool(state[0]), int(state[1]))


def constant(node: Expr) -> bool:
    match node:
        case Num():
            return True
        case Symbol():
            return True  # 1/N, 1/m; anything else is found out by its values
        case Product(args):
            return all(map(constant, args))
        case _:
            return False
