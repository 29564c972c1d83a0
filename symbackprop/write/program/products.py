"""Products as a person writes them: one number in front, signs outside, one division for the sizes (2/n)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

PRODUCT, UNARY, ATOM = 20, 30, 100
Text = tuple[str, int]  # code and how tightly it binds


@dataclass(frozen=True, slots=True)
class Factor:
    """`* code` or `/ code`, of entries of this shape; `truth` is one of booleans, which have no sign."""

    code: str
    binds: int = ATOM
    shape: tuple[Any, ...] = ()
    below: bool = False
    truth: bool = False

    def after(self, others: bool) -> str:
        code = f"({self.code})" if self.binds < PRODUCT + others else self.code
        return f"/ {code}" if self.below else f"* {code}" if others else code

    @property
    def inverse(self) -> Factor:
        return Factor(self.code, self.binds, self.shape, not self.below, self.truth)


@dataclass(frozen=True, slots=True)
class Product:
    """`number · above / below · chain`: exact numbers, what sizes give, and arrays from left to right."""

    number: Fraction = Fraction(1)
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    chain: tuple[Factor, ...] = field(default=())

    def times(self, other: Product) -> Product:
        return self.joined(other, other.number, other.above, other.below, False)

    def over(self, other: Product) -> Product:
        return self.joined(other, 1 / other.number, other.below, other.above, True)

    def joined(self, other: Product, number: Fraction, above: tuple[str, ...], below: tuple[str, ...], inverse: bool,
               ) -> Product:  # fmt: skip
        top, under = without_common([*self.above, *above], [*self.below, *below])
        shapes = {f.shape for f in self.chain}
        shape = shapes.pop() if len(shapes) == 1 else None
        return Product(self.number * number, top, under, (*self.chain, *other.as_factor(inverse, shape)))

    def as_factor(self, inverse: bool, shape: tuple[Any, ...] | None) -> tuple[Factor, ...]:
        """The chain as one factor, since it may be smaller than the rest; as it is where all have this shape."""
        match self.chain:
            case ():
                return ()
            case (only,):
                return (only.inverse if inverse else only,)
            case _ if not inverse and not any(f.below for f in self.chain) and {f.shape for f in self.chain} == {shape}:
                return self.chain
            case _:
                return (Factor(*Product(chain=self.chain).written, below=inverse),)

    @property
    def is_negative(self) -> bool:
        return self.number < 0 and not (self.chain and self.chain[0].truth)

    def __neg__(self) -> Product:
        return Product(-self.number, self.above, self.below, self.chain)

    @property
    def written(self) -> Text:
        if self == Product(chain=self.chain[:1]) and self.chain and not self.chain[0].below:
            return self.chain[0].code, self.chain[0].binds
        above, below = numbers(abs(self.number), self.above, self.below)
        negative, first = self.number < 0, self.chain[0] if self.chain else None
        last = first is not None and bool(below) and not above and not negative and not first.below  # x / n
        needed = first is None or first.below or (negative and first.truth)  # True has no opposite
        scalar = [] if last or not (needed or above or below) else [" * ".join(above or ["1"])]
        scalar += [f"/ {under(below)}"] if below and not last else []
        pieces = [*scalar, *(f.after(k > 0 or bool(scalar)) for k, f in enumerate(self.chain))]
        pieces += [f"/ {under(below)}"] if last else []
        alone = (len(pieces) == 1 and " * " not in pieces[0]) or pieces == [first.code if first else ""]
        binds = (first.binds if first else ATOM) if alone else PRODUCT
        return ("-" if negative else "") + " ".join(pieces), min(binds, UNARY) if negative else binds


def numbers(c: Fraction, above: tuple[str, ...], below: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """A whole number or a decimal in front where it is one, else a fraction; no 1."""
    if c.denominator == 1:
        top, under = c.numerator, 1
    elif Fraction(repr(float(c))) == c:
        return [repr(float(c)), *above], list(below)
    else:
        top, under = c.numerator, c.denominator
    return [str(top)] * (top != 1) + list(above), [str(under)] * (under != 1) + list(below)


def under(below: list[str]) -> str:
    return below[0] if len(below) == 1 else f"({' * '.join(below)})"


def without_common(above: Iterable[str], below: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    top, under = list(above), list(below)
    for x in list(top):
        if x in under:
            top.remove(x)
            under.remove(x)
    return tuple(top), tuple(under)
