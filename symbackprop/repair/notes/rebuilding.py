"""The same factors put together otherwise: in another order, transposed, ∘ for a matrix product, one left out or added.

All ways to join a few factors are tried with numbers at points of distinct sizes.  Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, islice, product
from typing import Any, TypeAlias

import numpy as np

from symbackprop.core.terms import Size, SymbackpropError, sized
from symbackprop.decide.outcomes import Repair
from symbackprop.numbers.floats import close
from symbackprop.read.notes.declared.sizes import Dims, Match, Sizes, layered_name
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.files.place import ReadError
from symbackprop.read.notes.grammar.resolve import parse_expression
from symbackprop.read.notes.grammar.tree import Expr, Hadamard, Neg, Num, Ones, Product, Quotient, Symbol, Transpose
from symbackprop.read.notes.grammar.tree import Annotated, Label, Shape
from symbackprop.read.notes.grammar.walking import made_of, product_of, walk
from symbackprop.read.notes.statements.claims import elaborate, machine
from symbackprop.read.notes.statements.shape_claims import ShapeJudgement, dims_of
from symbackprop.read.notes.statements.statements import Reading
from symbackprop.write.notes.spelling import Speller, Unspelled

from .edits import Surroundings, edits

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
        number = all((x.shape == (1, 1)) != (y.shape == (1, 1)) for x, y in both)  # beside an array
        if number or all(x.shape[1] == y.shape[0] for x, y in both):
            values = tuple(x * y if number else x @ y for x, y in both)
            tree = product_of(joined(Product, a.tree, b.tree))
            yield Built(tree, values, cost + disorder, places, hadamards, transposes)
        ones = all_ones(a.tree) or all_ones(b.tree)  # a ∘ 1 is a
        if first and not ones and all(x.shape == y.shape != (1, 1) for x, y in both):
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
            case Quotient(top, bottom) if all(made_of(x, is_constant, Product) for x in (top, bottom)):
                scalars.append(node)
            case _:
                factors.append((node, turned))

    visit(tree, False)
    return Apart(tuple(factors), tuple(scalars), bool(state[0]), int(state[1]))


def is_constant(node: object) -> bool:
    return isinstance(node, (Num, Symbol))  # 1/N, 1/m; anything else is found out by its values


# --- statements about shapes mended: another order, a size for another, the shape that the subject really has ---


_FACTORS = 4


def repaired_shape(reading: Reading) -> Repair | None:
    assert reading.lhs is not None and reading.rhs is not None
    decl, text = reading.declarations, reading.formula.text
    speller = Speller(text, [reading.lhs, reading.rhs], decl, reading.where.source.text)

    sign = r"\sim" if reading.relation == "~" else r"\in" if reading.relation == "∈" else "="
    around = Surroundings(decl, speller.shown, (), (), shape_sizes([reading.lhs, reading.rhs]))
    options: list[tuple[Expr, Expr, str]] = [(reading.lhs, e.tree, e.mistake) for e in edits(reading.rhs, around)]
    options[:0] = [(reading.lhs, shape, "wrong shape") for shape in actual_shapes(reading)]
    options += [(e.tree, reading.rhs, e.mistake) for e in edits(reading.lhs, around)]
    options += [(reading.lhs, tree, "the shapes put together otherwise") for tree in rearranged(reading)]
    cheap = [o for o in options if shape_holds(reading, o[0], o[1])]
    for lhs, rhs, mistake in cheap[:4]:
        try:
            left, right = speller(lhs), speller(rhs)
            again = parse_expression(left, decl), parse_expression(right, decl)
        except (Unspelled, ReadError):
            continue
        if shape_holds(reading, *again):
            return Repair(f"{left} {sign} {right}", mistake)
    return None


def rearranged(reading: Reading) -> Iterator[Expr]:
    """The written shapes of a product joined in other ways, some by ∘."""
    assert reading.rhs is not None
    taken = apart(reading.rhs)
    shapes = [f for f, _ in taken.factors]
    if not 2 <= len(shapes) <= _FACTORS or not all(isinstance(f, Shape) and len(f.parts) == 2 for f in shapes):
        return
    decl, lhs = reading.declarations, reading.lhs
    if not isinstance(lhs, Shape) or len(lhs.parts) != 2:
        return
    lengths: dict[Size, int] = {sized(1): 1}

    def ones(s: Shape) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        sizes = [Sizes(decl).size(p) for p in s.parts]
        return np.ones([lengths.setdefault(n, len(lengths) + 1) for n in sizes])

    atoms = [Atom(f, (ones(f),), t, k) for k, (f, t) in enumerate(taken.factors) if isinstance(f, Shape)]
    yield from (tree for tree, _ in islice(rebuilt(atoms, [ones(lhs)], taken.hadamards, only_shapes=True), 6))


def shape_holds(reading: Reading, lhs: Expr, rhs: Expr) -> bool:
    try:
        found = elaborate(replace(reading, lhs=lhs, rhs=rhs))
    except (SymbackpropError, RecursionError):
        return False
    return isinstance(found, ShapeJudgement) and found.holds


def actual_shapes(reading: Reading) -> list[Expr]:
    """What the subject's shape is, in the author's names of sizes: those of the formula first."""
    assert reading.lhs is not None and reading.rhs is not None
    decl = reading.declarations
    if reading.relation != "~":
        return []
    e = machine(decl, [reading.lhs, reading.rhs], reading.formula.text, only_shapes=True)
    try:
        found = dims_of(reading.lhs, e, Match(e.sizes))
    except ReadError:
        return []
    near = {n.name for t in (reading.lhs, reading.rhs) for n in walk(t) if isinstance(n, Symbol)}
    return list(islice(shape_trees(found, decl, near), 12))


def shape_trees(dims: Dims, decl: Declarations, near: set[str]) -> Iterator[Expr]:
    options = [list(shape_trees(d, decl, near) if isinstance(d, tuple) else size_trees(d, decl, near)) for d in dims]
    for parts in product(*options):
        if parts:
            yield Shape(tuple(parts)) if len(parts) > 1 else parts[0]


def size_trees(size: Size, decl: Declarations, near: set[str]) -> Iterator[Expr]:
    """Names that may stand for the size; a name for any hidden width is among them, and is tried."""
    if size.constant is not None:
        yield Num(Fraction(size.constant))
        return
    worded = any("-" in n for n in near)  # the author calls sizes n-inputs, n-outputs
    names = sorted(decl.sizes, key=lambda n: (n not in near, ("-" in n) != worded, n))
    for name in names:
        symbol = decl.sizes[name]
        means = sized(name) if symbol.value is None else Sizes(decl).size(symbol.value)
        if means == size and not symbol.hidden:
            yield Symbol(name)
    yield from (Symbol(name) for name in names if decl.sizes[name].hidden)
    for name in decl.layered_sizes:
        for base in dict.fromkeys([*decl.layers, *(s.last for s in decl.layers.values())]):
            for shift in (0, -1, 1, -2):
                if sized(layered_name(name, Label(base, shift))) == size:
                    yield Symbol(name, Label(base, shift))
        for layer in range(4):
            if sized(layered_name(name, Label(None, layer))) == size:
                yield Symbol(name, Label(None, layer))


def shape_sizes(trees: Sequence[Expr]) -> tuple[Expr, ...]:
    found: dict[Expr, None] = {}
    for t in trees:
        for n in walk(t):
            if isinstance(n, Shape):
                found.update(dict.fromkeys(p for p in n.parts if not isinstance(p, Shape)))
            elif isinstance(n, Annotated) and not isinstance(n.shape, Shape):
                found[n.shape] = None
    return tuple(found)
