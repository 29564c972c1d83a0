"""Constructors of matrix forms that leave out work: 1·M, M + 0, (M^T)^T, products with ones; parts of any form."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.indices import Size
from symbackprop.core.matrix import (
    UNIT,
    Determinant,
    Diagonal,
    DiagonalOf,
    ElementPower,
    Elementwise,
    Given,
    Hadamard,
    Identity,
    Inverse,
    Leaf,
    Matrix,
    Ones,
    Plus,
    Product,
    Scale,
    Softmax,
    Trace,
    Transpose,
    Zeros,
    shape,
)
from symbackprop.core.terms import ONE, Add, Mul, Num, Power, Term, mul

MINUS = Num(Fraction(-1))


def product(a: Matrix, b: Matrix) -> Matrix:
    """A B.  Sums and broadcasting stand as products with a column or a row of ones, and only they do."""
    out = (shape(a)[0], shape(b)[1])
    match a, b:
        case (Zeros(), _) | (_, Zeros()):
            return Zeros(out)
        case (Ones((n, k)), other) | (other, Ones((n, k))) if n == k == UNIT:
            return other
        case Scale(factor, of), _:
            return scaled(factor, product(of, b))
        case _, Scale(factor, of):
            return scaled(factor, product(a, of))
        case Ones((n, k)), Ones((_, p)):
            return scaled(k, Ones((n, p)))
        case Ones((n, k)), _ if n != UNIT and k != UNIT:
            return product(Ones((n, UNIT)), product(Ones((UNIT, k)), b))
        case _, Ones((k, p)) if k != UNIT and p != UNIT:
            return product(product(a, Ones((k, UNIT))), Ones((UNIT, p)))
        case Ones((n, k)), Product(Ones((_, m)), c) if n == UNIT and m == UNIT:
            return scaled(k, c)  # the sum of equal rows
        case Product(c, Ones((m, _))), Ones((k, p)) if p == UNIT and m == UNIT:
            return scaled(k, c)
    return Product(a, b)


def spread(m: Matrix, to: tuple[Size, Size]) -> Matrix:
    """A row, a column or a 1×1 matrix repeated to the shape `to`."""
    rows, columns = shape(m)
    if rows != to[0]:
        m = product(Ones((to[0], UNIT)), m)
    return m if columns == to[1] else product(m, Ones((UNIT, to[1])))


def summed(m: Matrix, axis: int) -> Matrix:
    """The sum along an axis: 1^T M, a row, for axis 0; M 1, a column, for axis 1."""
    rows, columns = shape(m)
    return product(Ones((UNIT, rows)), m) if axis == 0 else product(m, Ones((columns, UNIT)))


def total(m: Matrix) -> Matrix:
    """The sum of all entries, 1×1."""
    return summed(summed(m, 0), 1)


def hadamard(a: Matrix, b: Matrix) -> Matrix:
    match a, b:
        case (Zeros() as zero, _) | (_, Zeros() as zero):
            return zero
        case (Ones(), other) | (other, Ones()):
            return other
        case (u, Elementwise("step", v)) | (Elementwise("step", v), u) if u == v:
            return Elementwise("relu", u)
        case (u, Elementwise("sign", v)) | (Elementwise("sign", v), u) if u == v:
            return Elementwise("abs", u)
        case Scale(factor, of), _:
            return scaled(factor, hadamard(of, b))
        case _, Scale(factor, of):
            return scaled(factor, hadamard(a, of))
    return Hadamard(a, b)


def plus(args: tuple[Matrix, ...]) -> Matrix:
    kept: list[Matrix] = []
    for a in args:
        kept.extend(a.args if isinstance(a, Plus) else () if isinstance(a, Zeros) else (a,))
    for a in list(kept):
        match a:
            case Elementwise("step", u) if (other := scaled(MINUS, Elementwise("step", scaled(MINUS, u)))) in kept:
                kept[kept.index(a)] = Elementwise("sign", u)
                kept.remove(other)
    return Zeros(shape(args[0])) if not kept else kept[0] if len(kept) == 1 else Plus(tuple(kept))


def scaled(factor: Term, m: Matrix) -> Matrix:
    match factor:
        case Num(Fraction(numerator=0)):
            return Zeros(shape(m))
        case Size() if factor.constant is not None:
            return scaled(Num(Fraction(factor.constant)), m)
    if factor == ONE or isinstance(m, Zeros):
        return m
    if isinstance(m, Scale):
        return scaled(collected(factor, m.factor), m.of)
    return Scale(factor, m)


def collected(*factors: Term) -> Term:
    """The product of scalars with its numbers multiplied."""
    number, rest = Fraction(1), list[Term]()
    for f in factors:
        for g in f.args if isinstance(f, Mul) else (f,):
            constant = number_of(g)
            if constant is None:
                rest.append(g)
            else:
                number *= constant
    return mul(*(() if number == 1 and rest else (Num(number),)), *rest)


def number_of(t: Term) -> Fraction | None:
    """The rational number a scalar term is, if it is one."""
    match t:
        case Num(value):
            return value
        case Size():
            return None if t.constant is None else Fraction(t.constant)
        case Power(base, exponent) if exponent.denominator == 1:
            inner = number_of(base)
            return None if not inner else inner ** int(exponent)
        case Mul(args):
            numbers = [number_of(a) for a in args]
            result = Fraction(1)
            for n in numbers:
                if n is None:
                    return None
                result *= n
            return result
        case Add(args):
            total_ = Fraction(0)
            for a in args:
                n = number_of(a)
                if n is None:
                    return None
                total_ += n
            return total_
    return None


def transposed(m: Matrix) -> Matrix:
    match m:
        case Transpose(of):
            return of
        case Ones((n, k)):
            return Ones((k, n))
        case Zeros((n, k)):
            return Zeros((k, n))
        case Scale(factor, of):
            return Scale(factor, transposed(of))
        case Product(Ones(), _) | Product(_, Ones()):  # a sum or a broadcast stays one
            return product(transposed(m.right), transposed(m.left))
    return Transpose(m)


def power(m: Matrix, exponent: Fraction) -> Matrix:
    if exponent == 1:
        return m
    match m:
        case Ones():
            return m
        case ElementPower(of, inner) if inner.denominator == 1 and exponent.denominator == 1:
            return power(of, inner * exponent)
        case Product(Ones() as left, right):  # raise before repeating, not after
            if shape(left)[1] == UNIT:
                return product(left, power(right, exponent))
        case Product(left, Ones() as ones):
            if shape(ones)[0] == UNIT:
                return product(power(left, exponent), ones)
    return ElementPower(m, exponent) if exponent else Ones(shape(m))


def applied(fn: str, m: Matrix) -> Matrix:
    """fn at each entry, before repeating the entries where the form repeats them."""
    match m:
        case Product(Ones() as left, right) if shape(left)[1] == UNIT:
            return product(left, applied(fn, right))
        case Product(left, Ones() as ones) if shape(ones)[0] == UNIT:
            return product(applied(fn, left), ones)
    return Elementwise(fn, m)


# --- any form ------------------------------------------------------------------------------------


def parts_of(m: Matrix) -> tuple[Matrix, ...]:
    """The forms that stand in a form."""
    match m:
        case Product(a, b) | Hadamard(a, b):
            return (a, b)
        case Plus(args):
            return args
        case Scale(_, of) | Transpose(of) | Elementwise(_, of) | ElementPower(of) | Diagonal(of) | DiagonalOf(of):
            return (of,)
        case Trace(of) | Inverse(of) | Determinant(of) | Softmax(of):
            return (of,)
        case Leaf() | Given() | Ones() | Zeros() | Identity():
            return ()


def with_parts(m: Matrix, new: tuple[Matrix, ...]) -> Matrix:
    match m:
        case Product():
            return Product(*new)
        case Hadamard():
            return Hadamard(*new)
        case Plus():
            return Plus(new)
        case Scale(factor, _):
            return Scale(factor, *new)
        case Elementwise(fn, _, order):
            return Elementwise(fn, new[0], order)
        case ElementPower(_, exponent):
            return ElementPower(new[0], exponent)
        case Softmax(_, axis):
            return Softmax(new[0], axis)
        case Transpose() | Diagonal() | DiagonalOf() | Trace() | Inverse() | Determinant():
            return type(m)(*new)
        case _:
            return m


def factors(m: Matrix) -> tuple[Matrix, ...]:
    """The factors of a matrix product of any length."""
    return (*factors(m.left), *factors(m.right)) if isinstance(m, Product) else (m,)
