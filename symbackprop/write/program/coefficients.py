"""Numbers made of sizes, such as 2/n, in front of a formula."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symbackprop.core.indices import as_affine
from symbackprop.read.numpy import Node, SymInt

from .factors import without_common

Sizes = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coefficient:
    """`number · above / below`."""

    number: Fraction = Fraction(1)
    above: Sizes = ()
    below: Sizes = ()

    def __mul__(self, other: Coefficient) -> Coefficient:
        top, under = without_common([*self.above, *other.above], [*self.below, *other.below])
        return Coefficient(self.number * other.number, top, under)

    @property
    def inverse(self) -> Coefficient:
        return Coefficient(1 / self.number, self.below, self.above)

    def __neg__(self) -> Coefficient:
        return Coefficient(-self.number, self.above, self.below)

    def __abs__(self) -> Coefficient:
        return Coefficient(abs(self.number), self.above, self.below)

    @property
    def is_plain(self) -> bool:
        """Whether it is 1 or -1."""
        return abs(self) == ONE

    @property
    def written(self) -> tuple[str, str]:
        """The absolute value as text and as LaTeX."""
        c = abs(self.number)
        top = [str(c.numerator)] * (c.numerator != 1) + list(self.above) or ["1"]
        under = [str(c.denominator)] * (c.denominator != 1) + list(self.below)
        a, b = " ".join(top), " ".join(under)
        if not under:
            return a, a.replace(" ", r" \, ")
        return f"{a}/{b}" if len(under) == 1 else f"{a}/({b})", rf"\frac{{{a}}}{{{b}}}".replace(" ", r" \, ")


ONE = Coefficient()


def coefficient(x: Any) -> Coefficient | None:
    """What is made of numbers and sizes only."""
    if isinstance(x, Node):
        if x.ndim or x.options:
            return None
        match x.operation, tuple(map(coefficient, x.args)):
            case "multiply", (Coefficient() as a, Coefficient() as b):
                return a * b
            case "divide" | "true_divide", (Coefficient() as a, Coefficient() as b) if b.number:
                return a * b.inverse
            case "negative", (Coefficient() as a,):
                return -a
        return None
    if isinstance(x, SymInt):
        size, parts = as_affine(x.expr)
        text = str(size).replace("*", " ")
        plain = len(size.monomials) == 1 and size.monomials[0][1] == 1
        return None if parts else Coefficient(above=(text if plain else f"({text})",))
    if isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x):
        return Coefficient(Fraction(repr(x)))
    return None


__all__ = ["ONE", "Coefficient", "coefficient"]
