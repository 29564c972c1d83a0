"""The same factors put together otherwise: in another order, transposed, ∘ for a matrix product, one left out or added.

All ways to join a few factors are tried with numbers at one point of distinct sizes, and what has the right values is
tried at a second point of other sizes.  Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np

from symbackprop.numbers.floats import close
from symbackprop.read.notes.grammar.tree import Expr, Hadamard, Neg, Num, Ones, Product, Quotient, Symbol, Transpose

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]
_KEPT = 60


@dataclass(frozen=True, slots=True)
class Atom:
    """A factor with its values at each point; `turned` when it was written transposed; `place` in what was written."""

    tree: Expr
    values: tuple[FloatArray, ...]
    turned: bool
    place: int
    what: str = ""  # the mistake, if this factor was not written


@dataclass(frozen=True, slots=True)
class Built:
    """A way to put factors together, with its values at the first point."""

    tree: Expr
    value: FloatArray
    cost: int
    places: tuple[int, ...]
    hadamards: int
    transposes: int


def rebuilt(
    atoms: Sequence[Atom], target: Sequence[FloatArray], written_hadamards: int, only_shapes: bool = False
) -> Iterator[tuple[Expr, int]]:
    """Trees of all the atoms with the values (or shape) of the target, and their costs: cheapest first."""
    table = tabled(atoms)
    everything = frozenset(range(len(atoms)))
    fits = [b for b in table[everything] if b.value.shape == target[0].shape]
    if not only_shapes:
        fits = [b for b in fits if close(b.value, target[0])]
    for b in sorted(fits, key=lambda b: b.cost + abs(b.hadamards - written_hadamards)):
        if all(agrees(b.tree, atoms, target, n) for n in range(1, len(target))):
            yield b.tree, b.cost + abs(b.hadamards - written_hadamards)


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
    straight, other = a.tree, Transpose(a.tree)
    value = a.values[0]
    out = [Built(straight, value, int(a.turned), (a.place,), 0, 0)]
    if value.shape != (1, 1):
        out.append(Built(other, value.T, int(not a.turned), (a.place,), 0, 1))
    return out


def joins(left: Sequence[Built], right: Sequence[Built], first: bool) -> Iterator[Built]:
    for a in left:
        for b in right:
            places = (*a.places, *b.places)
            disorder = int(places != tuple(sorted(places)))
            hadamards, transposes = a.hadamards + b.hadamards, a.transposes + b.transposes
            if a.value.shape[1] == b.value.shape[0]:
                cost = a.cost + b.cost + disorder
                yield Built(product(a.tree, b.tree), a.value @ b.value, cost, places, hadamards, transposes)
            elif (a.value.shape == (1, 1)) != (b.value.shape == (1, 1)):  # a number beside an array
                cost = a.cost + b.cost + disorder
                yield Built(product(a.tree, b.tree), a.value * b.value, cost, places, hadamards, transposes)
            ones = all_ones(a.tree) or all_ones(b.tree)  # a ∘ 1 is a
            if first and a.value.shape == b.value.shape and a.value.shape != (1, 1) and not ones:
                yield Built(
                    hadamard(a.tree, b.tree), a.value * b.value, a.cost + b.cost, places, hadamards + 1, transposes
                )


def all_ones(tree: Expr) -> bool:
    return isinstance(tree.arg if isinstance(tree, Transpose) else tree, Ones)


def distinct(found: list[Built]) -> list[Built]:
    """Each value once, the cheapest way to get it."""
    kept: dict[tuple[Any, ...], Built] = {}
    for b in sorted(found, key=lambda b: (b.cost + b.transposes, b.hadamards)):
        key = (b.value.shape, np.round(b.value, 7).tobytes())
        kept.setdefault(key, b)
        if len(kept) >= _KEPT:
            break
    return list(kept.values())


@np.errstate(all="ignore")
def agrees(tree: Expr, atoms: Sequence[Atom], target: Sequence[FloatArray], point: int) -> bool:
    value = evaluated(tree, {a.tree: a.values[point] for a in atoms})
    return value is not None and value.shape == target[point].shape and close(value, target[point])


def evaluated(tree: Expr, values: Mapping[Expr, FloatArray]) -> FloatArray | None:
    if tree in values:
        return values[tree]
    match tree:
        case Transpose(arg):
            inner = evaluated(arg, values)
            return None if inner is None else inner.T
        case Product(args) | Hadamard(args):
            out = evaluated(args[0], values)
            for a in args[1:]:
                other = evaluated(a, values)
                if out is None or other is None:
                    return None
                if isinstance(tree, Product) and (1, 1) in (out.shape, other.shape):
                    out = out * other
                elif isinstance(tree, Product):
                    if out.shape[1] != other.shape[0]:
                        return None
                    out = out @ other
                else:
                    if out.shape != other.shape:
                        return None
                    out = out * other
            return out
        case _:
            return None


def product(a: Expr, b: Expr) -> Expr:
    left = a.args if isinstance(a, Product) else (a,)
    right = b.args if isinstance(b, Product) else (b,)
    return Product((*left, *right), ("",) * (len(left) + len(right) - 1))


def hadamard(a: Expr, b: Expr) -> Expr:
    left = a.args if isinstance(a, Hadamard) else (a,)
    right = b.args if isinstance(b, Hadamard) else (b,)
    return Hadamard((*left, *right))


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
