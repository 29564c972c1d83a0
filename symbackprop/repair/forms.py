"""Small changes to a claimed matrix form: transposes, order, Hadamard for product, what was dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product

from symbackprop.core.indices import Size
from symbackprop.core.matrix import (
    Diagonal,
    Elementwise,
    Hadamard,
    Inverse,
    Leaf,
    Matrix,
    Plus,
    Product,
    Scale,
    ShapeError,
    Transpose,
    shape,
)
from symbackprop.core.terms import num
from symbackprop.write.code.simplify import parts_of, with_parts

_CHAIN = 4
_LIMIT = 600


@dataclass(frozen=True, slots=True)
class Form:
    """A matrix form that may be the right one, the mistake it undoes, and how far it is from the claim."""

    matrix: Matrix
    mistake: str
    cost: int


def turned(m: Matrix) -> Matrix:
    return m.of if isinstance(m, Transpose) else Transpose(m)


def conforms(m: Matrix, wanted: tuple[Size, Size]) -> bool:
    try:
        return shape(m) == wanted
    except ShapeError:
        return False


def forms(claim: Matrix, wanted: tuple[Size, Size], leaves: Sequence[Matrix] = ()) -> list[Form]:
    """Single changes of the form that have the wanted shape, cheapest first; `leaves` may have been forgotten."""
    found: dict[Matrix, Form] = {}
    every = (*whole_changes(claim), *single(claim), *chains(claim), *forgotten(claim, leaves))
    for f in every:
        if f.matrix != claim and conforms(f.matrix, wanted):
            found.setdefault(f.matrix, f)
        if len(found) > _LIMIT:
            break
    return sorted(found.values(), key=lambda f: f.cost)


def whole_changes(m: Matrix) -> Iterator[Form]:
    yield Form(Scale(num(-1), m), "sign", 0)
    yield Form(turned(m), "result transposed", 1)
    yield Form(Scale(num(-1), turned(m)), "result transposed and its sign", 2)


def single(m: Matrix) -> Iterator[Form]:
    """One change anywhere in the form."""
    yield from local(m)
    for k, child in enumerate(parts_of(m)):
        for f in single(child):
            rest = parts_of(m)
            yield Form(with_parts(m, (*rest[:k], f.matrix, *rest[k + 1 :])), f.mistake, f.cost)


def local(m: Matrix) -> Iterator[Form]:
    name = f" {m.array}" if isinstance(m, Leaf) else ""
    if not isinstance(m, Transpose):
        yield Form(Transpose(m), f"transpose missing{' on' + name if name else ''}", 1)
    match m:
        case Transpose(of):
            on = f" on {of.array}" if isinstance(of, Leaf) else ""
            yield Form(of, f"extra transpose{on}", 1)
        case Product(a, b):
            yield Form(Product(b, a), "factors in the wrong order", 1)
            yield Form(Hadamard(a, b), "matrix product in place of a Hadamard product", 2)
            yield Form(a, "extra factor", 3)
            yield Form(b, "extra factor", 3)
        case Hadamard(a, b):
            yield Form(Product(a, b), "Hadamard product in place of a matrix product", 2)
            yield Form(Product(b, a), "Hadamard product in place of a matrix product", 2)
            yield Form(a, "extra factor", 3)
            yield Form(b, "extra factor", 3)
        case Plus(args) if len(args) > 1:
            for k, x in enumerate(args):
                rest = (*args[:k], *args[k + 1 :])
                yield Form(Plus(rest) if len(rest) > 1 else rest[0], "extra term", 3)
                yield Form(Plus((*args[:k], Scale(num(-1), x), *args[k + 1 :])), "sign of one term", 2)
        case Scale(_, of):
            yield Form(of, "extra factor", 2)
        case Elementwise(fn, of, order):
            slope = f"{fn}{chr(39) * order} in place of {fn}{chr(39) * (order + 1)}"
            yield Form(Elementwise(fn, of, order + 1), slope, 2)
            if order:
                yield Form(Elementwise(fn, of, order - 1), f"extra derivative of {fn}", 2)
        case Inverse(of):
            yield Form(of, "extra inverse", 4)
        case Diagonal(of):
            yield Form(of, "extra diag", 4)
        case _:
            pass


def chain(m: Matrix) -> list[Matrix]:
    """The factors of a product, transposes pushed inside."""
    match m:
        case Product(a, b):
            return [*chain(a), *chain(b)]
        case Transpose(Product() as p):
            return [turned(x) for x in reversed(chain(p))]
        case _:
            return [m]


def chains(m: Matrix) -> Iterator[Form]:
    """Products anywhere, with the factors in any order and any of them transposed."""
    if isinstance(m, Product):
        factors = chain(m)
        if 2 <= len(factors) <= _CHAIN:
            for order in permutations(range(len(factors))):
                for turns in product((False, True), repeat=len(factors)):
                    chosen = [turned(factors[k]) if t else factors[k] for k, t in zip(order, turns, strict=True)]
                    result = chosen[0]
                    for x in chosen[1:]:
                        result = Product(result, x)
                    kept = list(order) == sorted(order)
                    mistake = "transposes missing" if kept else "factors in the wrong order"
                    yield Form(result, mistake, 2 + sum(turns) + (0 if kept else 2))
    for k, child in enumerate(parts_of(m)):
        for f in chains(child):
            rest = parts_of(m)
            yield Form(with_parts(m, (*rest[:k], f.matrix, *rest[k + 1 :])), f.mistake, f.cost + 1)


def forgotten(m: Matrix, leaves: Sequence[Matrix]) -> Iterator[Form]:
    """A factor or a Hadamard factor that was left out."""
    for leaf in leaves:
        name = f" {leaf.array}" if isinstance(leaf, Leaf) else f" {leaf.fn}'" if isinstance(leaf, Elementwise) else ""
        for x in (leaf, turned(leaf)):
            for whole in (Hadamard(m, x), Product(m, x), Product(x, m)):
                yield Form(whole, f"missing factor{name}", 5)
