"""Limits of difference quotients: lim (f(x + h) - f(x)) / h for h → 0 is the derivative by h at 0."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import Final, cast

from .tree import (
    Add,
    At,
    Chain,
    Derivative,
    Expr,
    Link,
    Name,
    Neg,
    Num,
    Operator,
    Paren,
    Power,
    Product,
    Quotient,
    Script,
)
from .walking import bracketed, letters_in, mapped

ONE: Final = Num(Fraction(1))


def difference_quotient(limit: Expr, beside: Expr) -> Expr | None:
    r"""\lim_{h \to 0} (g(h) - g(0)) / h, and of (g(h) - g(-h)) / 2h; None for other limits."""
    match limit, beside:
        case Operator("function", "lim", Script() as sub) as lim, Quotient(Add((first, Neg(second))) as top, bottom):
            found = re.fullmatch(r"(\w+)becomes0", sub.text)
            h = found[1] if found is not None else ""
            divisor = without_factor(bottom, h)
            if not h or divisor is None or at_zero(first, h) != at_zero(second, h) or at_zero(first, h) is None:
                return None
            name, span = Name(h, span=lim.span), (lim.span[0], beside.span[1])
            whole = replace(bracketed(top), span=beside.span)
            zero = Chain((name,), (Link("=", Num(Fraction(0), lim.span), lim.span),), lim.span)
            slope = At(Derivative(whole, (name,), True, span), zero, span)
            return slope if divisor.value == 1 else Quotient(slope, divisor, span)
    return None


def without_factor(bottom: Expr, h: str) -> Num | None:
    """The 1 of h, the 2 of 2h."""
    match bottom:
        case Name(letter, _, None, (), 0) if letter == h:
            return ONE
        case Product((Num() as number, Name(letter, _, None, (), 0))) if letter == h:
            return number
    return None


def plain(node: object) -> object:
    """(x)^2 as x^2."""
    match node:
        case Power(Paren((Chain((Name(sups=()) as name,), ()),)), Num(exponent)):
            return Power(name, Num(exponent))
        case Name(sups=(Script(value=Num(exponent), transposes=0),)):
            return Power(replace(node, sups=()), Num(exponent))
    return node


def at_zero(node: Expr, h: str) -> Expr | None:
    """A formula without the terms that are multiples of h; None where it stands otherwise."""

    def is_h(term: Expr) -> bool:
        inner = term.arg if isinstance(term, Neg) else term
        factors = inner.args if isinstance(inner, Product) else (inner,)
        return any(isinstance(f, Name) and f.letter == h and f.sub is None and not f.sups for f in factors)

    def go(n: object) -> object:
        new = mapped(n, go)
        if isinstance(new, Add):
            kept = tuple(a for a in new.args if not is_h(a))
            if len(kept) < len(new.args) and kept:
                return kept[0] if len(kept) == 1 else replace(new, args=kept)
        return plain(new)

    found = cast(Expr, go(node))
    return None if h in letters_in(found) else found
