"""Small changes to a syntax tree, each the undoing of one kind of mistake; nothing here decides which is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from itertools import combinations, permutations, product
from typing import cast

from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.grammar.rewriting import negative, scalar_like, scaled_tree, transposed
from symbackprop.read.notes.grammar.tree import (
    Add, All, Annotated, Binder, Call, Cases, Derivative, Entry, Expr, Function, Gradient, Hadamard, IndexName,
    Kronecker, Label, Neg, Num, Power, Product, Quotient, Shape, Sum, Symbol, Transpose,
)  # fmt: skip
from symbackprop.read.notes.grammar.walking import walk
from symbackprop.read.notes.statements.classes import renamed

Written = Callable[[Expr], str]
_FACTORS = 4


@dataclass(frozen=True, slots=True)
class Edit:
    """A tree that may be the right one, the mistake it mends, and how far it is from what was written.

    `ratios`: a number is missing in front, with these values at the points.
    """

    tree: Expr
    mistake: str
    cost: int
    ratios: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What may stand in a repaired formula: names of indices, symbols, sizes in shapes; and how parts are named."""

    decl: Declarations
    written: Written
    indices: tuple[str, ...]
    symbols: tuple[Symbol, ...]
    sizes: tuple[Expr, ...]
    loose_indices: tuple[str, ...] = ()
    arguments: tuple[Symbol, ...] = ()  # of activations in definitions


def edits(tree: Expr, around: Surroundings) -> list[Edit]:
    """Every single change, cheapest first, each tree once."""
    found: dict[Expr, Edit] = {}
    every = [*whole(tree, around), *(e for e in inside(tree, around) if e.tree != Transpose(tree))]
    for e in sorted(every, key=lambda e: e.cost):
        if e.tree != tree:
            found.setdefault(e.tree, e)
    return list(found.values())


def whole(tree: Expr, around: Surroundings) -> Iterator[Edit]:
    if isinstance(tree, Shape):
        return
    yield Edit(negative(tree), "sign", 1)
    if not scalar_like(tree):
        yield Edit(transposed(tree, around.decl), "result transposed", 3 if isinstance(tree, Product) else 2)
    names = around.indices
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            swapped = renamed(renamed(renamed(tree, one, "#"), other, one), "#", other)
            yield Edit(swapped, f"indices {one} and {other} exchanged", 2)
    for name in around.loose_indices:
        yield Edit(Sum((Binder(name),), tree), f"sum over {name} missing", 3)


def inside(tree: Expr, around: Surroundings, factor: bool = True) -> Iterator[Edit]:
    """One change anywhere in the tree; `factor`: it stands where it may be transposed."""
    yield from local(tree, around)
    if factor and isinstance(tree, (Symbol, Call, Derivative, Product, Hadamard, Power)) and not scalar_like(tree):
        yield Edit(Transpose(tree), f"transpose missing on {around.written(tree)}", 2)
    factor &= isinstance(tree, (Add, Neg, Product, Hadamard, Transpose, Sum))
    for f in fields(tree):
        value = getattr(tree, f.name)
        if f.name == "span" or isinstance(value, (str, Label, Function)) or value is None:
            continue
        if isinstance(value, tuple):
            for k, child in enumerate(value):
                if is_dataclass(child) and not isinstance(child, Binder):
                    for e in inside(cast(Expr, child), around, factor):
                        new = (*value[:k], e.tree, *value[k + 1 :])
                        yield Edit(replaced(tree, f.name, new), e.mistake, e.cost)
        elif is_dataclass(value):
            for e in inside(cast(Expr, value), around, factor and not isinstance(tree, Transpose)):
                yield Edit(replaced(tree, f.name, e.tree), e.mistake, e.cost)


def replaced(tree: Expr, name: str, value: object) -> Expr:
    return replace(tree, **{name: value})  # type: ignore[arg-type]


def local(node: Expr, around: Surroundings) -> Iterator[Edit]:
    shown = around.written
    match node:
        case Transpose(arg):
            yield Edit(arg, f"extra transpose on {shown(arg)}", 2)
        case Neg(arg):
            yield Edit(arg, "sign", 2)
        case Add(args):
            for k, a in enumerate(args):
                yield Edit(Add(put(args, k, negative(a))), "sign of one term", 2)
                yield Edit(of_these(node, put(args, k)), f"extra term {shown(a)}", 4)
                for factor, name in numbers(around.decl):
                    said, cost = f"missing factor {name} in one term", 4 if name in around.decl.sizes else 3
                    yield Edit(replace(node, args=put(args, k, scaled_tree(a, factor, name))), said, cost)
        case Product(args, signs):
            yield from product_edits(args, signs, around)
        case Hadamard(args):
            if len(args) == 2:
                yield Edit(Product(args, ("",)), "Hadamard product for a matrix product", 3)
                yield Edit(Product(args[::-1], ("",)), "Hadamard product for a matrix product", 4)
            for k, a in enumerate(args):
                yield Edit(of_these(node, put(args, k)), f"extra factor {shown(a)}", 4)
        case Symbol():
            yield from symbol_edits(node, around)
        case Call(function, args):
            yield from call_edits(node, function, args, around)
        case Entry(base, at):
            yield from entry_edits(base, at, around)
        case Kronecker(i, j):
            for k, name in product((0, 1), around.indices):
                pair = put((i, j), k, IndexName(name))
                yield Edit(Kronecker(pair[0], pair[1]), "wrong index of δ", 4)
        case Num(value) if value == 1:
            for one, other in combinations(around.indices, 2):
                yield Edit(Kronecker(IndexName(one), IndexName(other)), f"1 for δ_{one}{other}", 4)
        case Num(value) if value != 0:
            for c in (value * 2, value / 2, value + 1, value - 1, Fraction(1)):
                yield Edit(Num(c), f"{value} for {c}", 5)
        case Power(base, exponent):
            yield Edit(base, f"extra power of {shown(base)}", 5)
            if isinstance(exponent, Num):
                for q in (exponent.value + 1, exponent.value - 1):
                    if q not in (0, 1):
                        yield Edit(replaced(node, "exponent", Num(q)), "wrong power", 4)
        case Quotient(top, bottom):
            yield Edit(Quotient(bottom, top), "fraction upside down", 5)
            yield Edit(top, f"extra factor 1/{shown(bottom)}", 5)
        case Cases(rows):
            for k, (case, when) in enumerate(rows):
                for e in (Edit(negative(case), "sign of one case", 2), *inside(case, around)):
                    yield replace(e, tree=Cases((*rows[:k], (e.tree, when), *rows[k + 1 :])))
        case Sum(binders, body, kind="sum"):
            yield Edit(body, "extra sum", 4)
            yield from renamed_dummies(node, around)
            for factor in items_of({b.name for b in binders}, body, around.indices):
                yield Edit(replace(node, body=Product((body, factor), ("",))), f"missing factor {shown(factor)}", 3)
        case Derivative(body, wrt) if len(wrt) == 1:
            for v in variables(wrt[0], around):
                yield Edit(Derivative(body, (v,), node.total), f"∂/∂{shown(wrt[0])} for ∂/∂{shown(v)}", 6)
        case Gradient(body, wrt_one):
            for v in variables(wrt_one, around):
                yield Edit(Gradient(body, v), f"∇ by {shown(wrt_one)} for ∇ by {shown(v)}", 6)
        case Annotated(arg, shape):
            wrong = f"wrong shape of {shown(arg)}"
            parts = shape.parts if isinstance(shape, Shape) else ()
            for k, size in product(range(len(parts)), around.sizes):
                yield Edit(Annotated(arg, Shape(put(parts, k, size))), wrong, 2)
            yield Edit(arg, wrong, 5)
        case Shape(parts):
            if len(parts) == 2:
                yield Edit(Shape(parts[::-1]), "shape transposed", 2)
            for (k, p), size in product(enumerate(parts), around.sizes):
                yield Edit(Shape(put(parts, k, size)), f"{shown(p)} for {shown(size)}", 4)
        case _:
            pass


def put(parts: tuple[Expr, ...], k: int, *new: Expr) -> tuple[Expr, ...]:
    """With others, or nothing, in the k-th place."""
    return (*parts[:k], *new, *parts[k + 1 :])


def of_these(node: Expr, args: tuple[Expr, ...]) -> Expr:
    """The node with other parts; a lone one stands for itself."""
    return args[0] if len(args) == 1 else replaced(node, "args", args)


def product_edits(args: tuple[Expr, ...], signs: tuple[str, ...], around: Surroundings) -> Iterator[Edit]:
    if 2 <= len(args) <= _FACTORS:
        for order in permutations(range(len(args))):
            if order != tuple(range(len(args))):
                out_of_place = sum(a != b for a, b in zip(order, range(len(args)), strict=True))
                new = Product(tuple(args[k] for k in order), ("",) * len(signs) if "times" not in signs else signs)
                yield Edit(new, "factors in the wrong order", 1 + out_of_place // 2)
    for k in range(len(args) - 1):
        pair = Hadamard((args[k], args[k + 1]))
        rest, new_signs = (*args[:k], pair, *args[k + 2 :]), (*signs[:k], *signs[k + 1 :])
        yield Edit(of_these(Product(args, new_signs), rest), "matrix product for a Hadamard product", 3)
    for k, a in enumerate(args):
        kept = signs[1:] if k == 0 else (*signs[: k - 1], *signs[k:])
        cost = 1 if isinstance(a, (Num, Quotient)) else 4
        yield Edit(of_these(Product(args, kept), put(args, k)), f"extra factor {around.written(a)}", cost)


def symbol_edits(s: Symbol, around: Surroundings) -> Iterator[Edit]:
    if s.label is not None:
        for step in (1, -1):
            new = replace(s, label=Label(s.label.base, s.label.shift + step))
            yield Edit(new, f"wrong layer: {around.written(s)} for {around.written(new)}", 3)
    for other in around.symbols:
        if other.name != s.name and (other.label is None) == (s.label is None):
            new = replace(other, label=s.label, span=s.span) if s.label is not None else other
            yield Edit(new, f"{around.written(s)} for {around.written(new)}", 6)


def call_edits(node: Call, function: Function, args: tuple[Expr, ...], around: Surroundings) -> Iterator[Edit]:
    known = around.decl.functions.get(function.name)
    if known is not None and known.kind == "elementwise":
        name = around.written(Call(function, args)).split("(")[0]
        more = Call(replace(function, primes=function.primes + 1), args)
        yield Edit(more, f"{name} for {name}'", 2)
        if function.primes:
            yield Edit(Call(replace(function, primes=function.primes - 1), args), f"extra derivative: {name}", 3)
            yield Edit(Call(Function("diag"), (node,)), f"diag missing on {around.written(node)}", 3)
        for other in around.arguments if isinstance(args[0], Symbol) else ():
            new = Call(function, (other,))
            layer = other.name == args[0].name  # type: ignore[union-attr]
            said = [around.written(x) for x in ((args[0], other) if layer else (node, new))]
            yield Edit(new, f"{'wrong layer: ' if layer else ''}{said[0]} for {said[1]}", 2)
    if len(args) == 1:
        yield Edit(args[0], f"extra {around.written(node).split('(')[0]}", 6)


def entry_edits(base: Expr, at: tuple[Expr, ...], around: Surroundings) -> Iterator[Edit]:
    name = around.written(base)
    if len(at) == 2:
        yield Edit(Entry(base, at[::-1]), f"indices of {name} in the wrong order", 1)
    for k, other in product(range(len(at)), around.indices):
        yield Edit(Entry(base, put(at, k, IndexName(other))), f"wrong index of {name}", 3)


def renamed_dummies(node: Sum, around: Surroundings) -> Iterator[Edit]:
    """Another letter for a dummy, in the whole sum."""
    if len(node.binders) != 1:
        return
    old = node.binders[0].name
    for new in around.indices:
        if new != old:
            renaming = Sum((replace(node.binders[0], name=new),), renamed(node.body, old, new))
            yield Edit(renaming, f"the letter {old} is taken", 4)


def items_of(dummies: set[str], body: Expr, free: Sequence[str]) -> Iterator[Expr]:
    """The x_i that a sum over i holds, x_ij for it and for x_ik."""
    for node in walk(body):
        entry = node.arg if isinstance(node, Transpose) else node
        if not isinstance(entry, Entry) or not any(isinstance(i, IndexName) and i.name in dummies for i in entry.at):
            continue
        yield cast(Expr, node)
        at = tuple(IndexName(i.name) if isinstance(i, IndexName) else i for i in entry.at)
        at = (*at, All()) if len(at) == 1 else at
        for k, name in product(range(len(at)), free):
            if isinstance(i := at[k], All) or (isinstance(i, IndexName) and i.name not in dummies):
                yield Entry(entry.base, put(at, k, IndexName(name)))


def variables(v: Expr, around: Surroundings) -> Iterator[Expr]:
    """Other arrays that one may have meant to differentiate by."""
    if isinstance(v, Symbol):
        for other in around.symbols:
            if other.name != v.name and (other.label is None) == (v.label is None):
                yield replace(other, label=v.label) if v.label is not None else other


def numbers(decl: Declarations) -> Iterator[tuple[Expr, str]]:
    """Factors that are easily forgotten in one term of a sum."""
    one, two = Num(Fraction(1)), Num(Fraction(2))
    yield two, "2"
    yield Quotient(one, two), "1/2"
    for name, symbol in [*decl.sizes.items()][:4]:
        if symbol.value is None and not symbol.hidden:
            yield Quotient(one, Symbol(name)), f"1/{name}"
            yield Symbol(name), name
