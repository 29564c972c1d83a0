"""Formulas put together and kept short: numbers in front as one, like terms together, fractions in lowest terms."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy as sp

from symbackprop.read.notes.grammar.tree import Add, Expr, Hadamard, Identity, Neg, Num, Power, Product, Quotient
from symbackprop.read.notes.grammar.walking import walk

ONE, TWO = Num(Fraction(1)), Num(Fraction(2))


def times(*factors: Expr) -> Expr:
    """The product, its numbers in front as one."""
    number, out = Fraction(1), list[Expr]()
    for f in flat(factors):
        match f:
            case Num(value):
                number *= value
            case Quotient(Num(a), Num(b)):
                number *= a / b
            case Neg(arg):
                number, out = -number, [*out, arg]
            case _:
                out.append(f)
    if len(out) > 1:
        out = [f for f in out if not isinstance(f, Identity)] or [Identity()]
    body = out[0] if len(out) == 1 else Product(tuple(out), ("",) * (len(out) - 1)) if out else ONE
    if number < 0:
        return negated(times(Num(-number), *out))
    if number == 1:
        return body
    top, bottom = (Num(Fraction(n)) for n in number.as_integer_ratio())
    front = quotient(top, bottom)
    return Product((front, *out), ("",) * len(out)) if out else front


def flat(factors: tuple[Expr, ...]) -> Iterator[Expr]:
    for f in factors:
        if isinstance(f, Product):
            yield from flat(f.args)
        else:
            yield f


def joined(*factors: Expr) -> Expr:
    """The entrywise product."""
    numbers = [f for f in factors if isinstance(f, Num)]
    arrays: list[Expr] = []
    for f in factors:
        match f:
            case Num():
                continue
            case Product((Num() as n, *rest), _):
                numbers.append(n)
                arrays.append(times(*rest))
            case Hadamard(args):
                arrays.extend(args)
            case _:
                arrays.append(f)
    return times(*numbers, arrays[0] if len(arrays) == 1 else Hadamard(tuple(arrays)))


def plus(args: list[Expr]) -> Expr:
    merged: dict[Expr, Fraction] = {}
    for a in args:
        for one in a.args if isinstance(a, Add) else (a,):
            number, body = split(one)
            merged[body] = merged.get(body, Fraction(0)) + number
    out = [times(Num(n), body) for body, n in merged.items() if n]
    return out[0] if len(out) == 1 else Add(tuple(out)) if out else Num(Fraction(0))


def split(node: Expr) -> tuple[Fraction, Expr]:
    match node:
        case Neg(arg):
            number, body = split(arg)
            return -number, body
        case Product((Num(n), *rest), _):
            return n, times(*rest)
        case _:
            return Fraction(1), node


def minus(a: Expr, b: Expr) -> Expr:
    return Add((a, Neg(b)))


def negated(node: Expr) -> Expr:
    match node:
        case Neg(arg):
            return arg
        case Add(args):
            return Add(tuple(sorted(map(negated, args), key=lambda a: isinstance(a, Neg))))
        case Num(n):
            return Num(-n)
        case _:
            return Neg(node)


def in_lowest_terms(node: Expr) -> Expr:
    """Of a formula in numbers: what stands between + - · / and powers counts as a letter."""
    atoms: dict[Expr, sp.Symbol] = {}

    def to(e: Expr) -> Any:
        match e:
            case Num(n):
                return sp.Rational(n.numerator, n.denominator)
            case Neg(arg):
                return -to(arg)
            case Add(args):
                return sp.Add(*map(to, args))
            case Product(args):
                return sp.Mul(*map(to, args))
            case Quotient(top, bottom):
                return to(top) / to(bottom)
            case Power(base, Num(n)) if n.denominator == 1 and abs(n) <= 4:
                return to(base) ** int(n)
            case _:
                return atoms.setdefault(e, sp.Symbol(f"v{len(atoms)}", commutative=True))

    value = to(node)
    if not any(isinstance(n, (Quotient, Add)) for n in walk(node)) or len(atoms) > 8:
        return node
    back = {v: k for k, v in atoms.items()}

    def of(e: Any) -> Expr:
        if e.is_Rational:
            return quotient(Num(Fraction(int(e.p))), Num(Fraction(int(e.q))))
        if e.is_Add:
            return negated(negated(plus([of(a) for a in e.args])))
        if e.is_Mul:
            top, bottom = e.as_numer_denom()
            if bottom != 1:
                return quotient(of(top), of(bottom))
            return times(*map(of, e.args))
        if e.is_Pow:
            return power(of(e.base), int(e.exp)) if e.exp > 0 else quotient(ONE, power(of(e.base), -int(e.exp)))
        return back[e]

    short = of(sp.factor_terms(sp.cancel(value)))
    return short if sum(1 for _ in walk(short)) < sum(1 for _ in walk(node)) else node


def power(base: Expr, n: Fraction | int) -> Expr:
    return base if n == 1 else ONE if n == 0 else Power(base, Num(Fraction(n)))


def quotient(top: Expr, bottom: Expr) -> Expr:
    return top if bottom == ONE else Quotient(top, bottom)
