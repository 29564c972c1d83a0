"""Sums of products with what is common to their terms outside, as it is written on paper: (A + A^T) x.

Nothing here is trusted: who uses a factored form lowers it to its entries again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from typing import TypeAlias

from symbackprop.core.matrix import (
    UNIT, Diagonal, ElementPower, Hadamard, Identity, Inverse, Matrix, Ones, Plus, Product, Scale, Transpose, shape,
)  # fmt: skip
from symbackprop.core.terms import Add, Mul, Num, Power, Size, Term, mul
from symbackprop.write.code.compact import transposed
from symbackprop.write.paper.matrix_writer import factors, parts_of, with_parts

Scaled: TypeAlias = tuple[Fraction, tuple[Term, ...], Matrix]  # number, other scalars, form


def factored(m: Matrix) -> Matrix:
    """The form with each sum in it factored."""
    parts = tuple(map(factored, parts_of(m)))
    return of_sum([scaled(p) for p in parts]) if isinstance(m, Plus) else with_parts(m, parts)


def symmetrical(m: Matrix) -> Matrix:
    """With the inverse of X^T X in place of its transpose, and x^T x in place of the sum of squares."""
    match m:
        case Product(Ones((n, _)), ElementPower(v, q)) if n == shape(v)[1] == UNIT and q == 2:
            return Product(transposed(v), v)
        case Transpose(Inverse(of)) if is_symmetric(of):
            return Inverse(of)
        case Plus() | Product() | Hadamard() | Scale():
            return with_parts(m, tuple(map(symmetrical, parts_of(m))))
        case _:
            return m


def is_symmetric(m: Matrix) -> bool:
    match m:
        case Plus(args):
            return all(map(is_symmetric, args))
        case Scale(_, of):
            return is_symmetric(of)
        case Product():
            parts = factors(m)
            return parts == tuple(transposed(p) for p in reversed(parts))
        case _:
            return isinstance(m, Identity | Diagonal)


def scaled(m: Matrix) -> Scaled:
    if not isinstance(m, Scale):
        return Fraction(1), (), m
    parts = m.factor.args if isinstance(m.factor, Mul) else (m.factor,)
    c, inner, form = scaled(m.of)
    for p in parts:
        c *= p.value if isinstance(p, Num) else 1
    return c, (*(p for p in parts if not isinstance(p, Num)), *inner), form


def rescaled(c: Fraction, scalars: Sequence[Term], form: Matrix) -> Matrix:
    factors = [Num(c)] * (c != 1) + list(scalars)
    return Scale(mul(*factors), form) if factors else form


def of_sum(terms: Sequence[Scaled]) -> Matrix:
    terms = like_terms(terms)
    if len(terms) == 1:
        return rescaled(*terms[0])
    common = common_powers([powers(s) for _, s, _ in terms])
    number = common_number([c for c, _, _ in terms])
    rest = [(c / number, without(s, common), form) for c, s, form in terms]
    for way in WAYS:
        rest = grouped(rest, way)
    rest.sort(key=lambda t: (t[0] < 0, isinstance(t[2], Transpose), -leaves(t[2])))
    return rescaled(number, scalars_of(common), plus([rescaled(*t) for t in rest]))


def like_terms(terms: Sequence[Scaled]) -> list[Scaled]:
    """a A - b A as (a - b) A."""
    found: dict[Matrix, list[tuple[Fraction, tuple[Term, ...]]]] = {}
    for c, s, form in terms:
        found.setdefault(form, []).append((c, s))
    return [(*number_times(parts), form) for form, parts in found.items()]


def number_times(parts: list[tuple[Fraction, tuple[Term, ...]]]) -> tuple[Fraction, tuple[Term, ...]]:
    if len(parts) == 1:
        return parts[0]
    common = common_powers([powers(s) for _, s in parts])
    together: dict[tuple[Term, ...], Fraction] = {}
    for c, s in parts:
        key = without(s, common)
        together[key] = together.get(key, Fraction(0)) + c
    rest = sorted(((c, s) for s, c in together.items()), key=lambda p: p[0] < 0)
    if len(rest) == 1:
        return rest[0][0], (*scalars_of(common), *rest[0][1])
    total = Add(tuple(mul(Num(c), *s) if c != 1 or not s else mul(*s) for c, s in rest))
    return Fraction(1), (*scalars_of(common), total)


def diagonals(args: Sequence[Matrix]) -> list[Scaled] | None:
    """The vectors on the diagonals of a sum of diagonal matrices."""
    found = [scaled(a) for a in args]
    if not all(isinstance(form, Diagonal) for _, _, form in found):
        return None
    return [(c, s, form.of) for c, s, form in found if isinstance(form, Diagonal)]


# --- scalars -------------------------------------------------------------------------------------


def powers(scalars: Sequence[Term]) -> dict[Term, Fraction]:
    """The exponent of each base."""
    found: dict[Term, Fraction] = {}
    for t in scalars:
        base, q = (t.base, t.exponent) if isinstance(t, Power) else (t, Fraction(1))
        found[base] = found.get(base, Fraction(0)) + q
    return found


def common_powers(all_of: Sequence[dict[Term, Fraction]]) -> dict[Term, Fraction]:
    """What can be taken out of each, with the exponent nearest to 0."""
    first, *others = all_of
    found = {}
    for base, q in first.items():
        qs = [q, *(o.get(base, Fraction(0)) for o in others)]
        if all(x > 0 for x in qs) or all(x < 0 for x in qs):
            found[base] = min(qs, key=abs)
    return found


def scalars_of(found: dict[Term, Fraction]) -> tuple[Term, ...]:
    return tuple(base if q == 1 else Power(base, q) for base, q in found.items())


def without(scalars: Sequence[Term], common: dict[Term, Fraction]) -> tuple[Term, ...]:
    rest = {b: q - common.get(b, Fraction(0)) for b, q in powers(scalars).items()}
    return scalars_of({b: q for b, q in rest.items() if q})


# --- sums ----------------------------------------------------------------------------------------


def plus(args: Sequence[Matrix]) -> Matrix:
    match args:
        case [only]:
            return only
        case [Identity(), Scale(Num(c), Diagonal(v))] if c == -1:
            return Diagonal(Plus((Ones(shape(v)), Scale(Num(Fraction(-1)), v))))
        case [v, Scale(Num(c), ElementPower(w, q))] if c == -1 and q == 2 and v == w:
            return Hadamard(v, Plus((Ones(shape(v)), Scale(Num(Fraction(-1)), v))))
        case _ if len(args) > 1 and (inner := diagonals(args)) is not None:
            return Diagonal(of_sum(inner))
        case _:
            return Plus(tuple(args))


def common_number(numbers: Sequence[Fraction]) -> Fraction:
    """2 of 4 and -2, 1/2 of 1/2 and -1/2; negative where all are."""
    top = gcd(*(c.numerator for c in numbers))
    under = {c.denominator for c in numbers}
    found = Fraction(top, lcm(*under)) if len(under) == 1 else Fraction(1)
    return -found if all(c < 0 for c in numbers) else found


@dataclass(frozen=True, slots=True)
class Way:
    """What terms may have in common, what is then left of each, and how both make a term again."""

    key: Callable[[Matrix], Matrix]
    rest: Callable[[Matrix], Matrix]
    joined: Callable[[Matrix, Matrix], Matrix]


def but(m: Matrix, kept: slice, size: Size) -> Matrix:
    """These factors of a product; of anything else nothing is left."""
    return product(factors(m)[kept]) if isinstance(m, Product) else Identity(size)


# What stands first in a product, or last, or on the right of a Hadamard product; all of a term where it is none.
WAYS = (
    Way(lambda m: factors(m)[0], lambda m: but(m, slice(1, None), shape(m)[1]), Product),
    Way(lambda m: factors(m)[-1], lambda m: but(m, slice(-1), shape(m)[0]), lambda key, rest: Product(rest, key)),
    Way(
        lambda m: m.right if isinstance(m, Hadamard) else m,
        lambda m: m.left if isinstance(m, Hadamard) else Ones(shape(m)),
        lambda key, rest: Hadamard(rest, key),
    ),
)


def grouped(terms: list[Scaled], way: Way) -> list[Scaled]:
    """Terms that have a factor in common as one, but for a lone I that this would bring."""
    keys = [way.key(form) for _, _, form in terms]
    found: list[Scaled] = []
    for k, key in enumerate(keys):
        if keys.count(key) == 1:
            found.append(terms[k])
        elif k == keys.index(key):
            same = [t for t, other in zip(terms, keys, strict=True) if other == key]
            c, s, form = scaled(of_sum([(c, s, way.rest(form)) for c, s, form in same]))
            lone = isinstance(form, Plus) and any(isinstance(scaled(a)[2], Identity) for a in form.args)
            if not lone:
                found.append((c, s, way.joined(key, form)))
                continue
            products = [t for t in same if isinstance(t[2], Product)]
            found += [t for t in same if t not in products]
            found += grouped(products, way) if len(products) > 1 else products
    return found


def leaves(m: Matrix) -> int:
    """How many arrays a form names."""
    return sum(map(leaves, parts_of(m))) or 1


def product(parts: Sequence[Matrix]) -> Matrix:
    return reduce(lambda a, b: Product(a, b), parts)
