"""Statements about shapes mended: another order, a size for another, the shape that the subject really has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice, product

import numpy as np

from symbackprop.core.terms import Size, SymbackpropError, sized
from symbackprop.decide.outcomes import Repair
from symbackprop.read.notes.declared.sizes import Dims, Match, Sizes, layered_name
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.files.place import ReadError
from symbackprop.read.notes.grammar.resolve import parse_expression
from symbackprop.read.notes.grammar.tree import Annotated, Expr, Label, Num, Shape, Symbol
from symbackprop.read.notes.grammar.walking import walk
from symbackprop.read.notes.statements.claims import elaborate, machine
from symbackprop.read.notes.statements.shape_claims import ShapeJudgement, dims_of
from symbackprop.read.notes.statements.statements import Reading
from symbackprop.write.notes.spelling import Speller, Unspelled

from .edits import Surroundings, edits
from .rebuilding import Atom, apart, rebuilt

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
