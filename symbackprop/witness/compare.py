"""Comparing two expressions of an explicit network: equal in the ring, or different at a point of numbers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import sympy
from sympy.core.expr import Expr

from symbackprop.core.terms import SymbackpropError
from symbackprop.witness.parts import DIGITS, KinkError, Node, Number, UndefinedValueError

from .ring import Ring, atoms_of
from .sums import A, B, Entries, Lookup

POINTS = 12
# With 60 digits, values whose difference is larger than this differ.
TOLERANCE = sympy.Rational(1, 10**25)


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Numbers for symbols, and for values of abstract functions, at which two sides have the values `left`, `right`.

    `exact` when all numbers are rational; else they are rounded to 60 digits.
    """

    point: Mapping[Expr, Number]
    left: Number
    right: Number

    @property
    def exact(self) -> bool:
        return bool(self.left.is_Rational and self.right.is_Rational)

    def __str__(self) -> str:
        sign = "=" if self.exact else "≈"
        return f"left {sign} {_short(self.left)}, right {sign} {_short(self.right)}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome for one pair of matrices.

    verdict: 'equal'; 'unequal' with the first differing entry (row and column from 1) and its counterexample, or with
        shapes that differ; 'undecided' when the ring finds a difference that no point shows.
    """

    name: str
    entries: int
    equal_entries: int
    verdict: Literal["equal", "unequal", "undecided"]
    place: tuple[int, int] | None = None
    counterexample: Counterexample | None = None
    note: str = ""

    @property
    def equal(self) -> bool:
        return self.verdict == "equal"


class Judge:
    """Decides equality in rings that know more and more relations: the fewer, the shorter the polynomials.

    First every slope is a generator of its own, then those of the output are written in its values, then all.  The
    rings are kept, so that conversions are shared between comparisons.
    """

    def __init__(self, output_place: str) -> None:
        self._relations: tuple[Callable[[Node], bool], ...] = (
            lambda _: False,
            lambda node: node.place.startswith(output_place),
            lambda _: True,
        )
        self._rings = [Ring((), related) for related in self._relations]

    def compare(self, left: Any, right: Any, name: str) -> Comparison:
        first, second = _matrix(left), _matrix(right)
        if first.shape != second.shape:
            note = f"{first.rows}×{first.cols} and {second.rows}×{second.cols} do not conform"
            return Comparison(name, first.rows * first.cols, 0, "unequal", note=note)
        pairs = list(zip(first, second, strict=True))
        same = [False] * len(pairs)
        for ring in self._rings_for([*first, *second]):
            for n, (u, v) in enumerate(pairs):
                same[n] = same[n] or ring.equal(ring.convert(u), ring.convert(v))
            if all(same):
                break
        return _verdict(name, first.cols, same, pairs)

    def compare_sum(self, entries: Any, total: Expr, lookup: Lookup, name: str) -> Comparison:
        """Entries `[a, b]` (or the entries of a row or column, by `a`) against a sum with those free indices."""
        meant, one_index = Entries(lookup), B not in total.free_symbols

        def at(row: int, column: int) -> Expr:
            place = row * entries.cols + column
            return meant.at(total, {A: place + 1} if one_index else {A: row + 1, B: column + 1})

        return self.compare(entries, sympy.ImmutableMatrix(*entries.shape, at), name)

    def _rings_for(self, expressions: Iterable[Expr]) -> Iterator[Ring]:
        atoms = atoms_of(expressions)
        for n, related in enumerate(self._relations):
            if not self._rings[n].covers(atoms):
                self._rings[n] = Ring(atoms | self._rings[n].atoms, related)
            yield self._rings[n]


class Point:
    """Small rational numbers for all symbols, and a consistent choice of values for abstract functions.

    A differentiable function may have any values and slopes at finitely many points, so abstract functions get
    arbitrary numbers, the same ones whenever the arguments are the same.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.numbers: dict[Expr, Number] = {}
        self._abstract: dict[tuple[object, ...], Number] = {}

    def value(self, expression: Expr) -> Number:
        """The value of a rational expression in symbols and nodes; raises KinkError or UndefinedValueError."""
        known = self.numbers.get(expression)
        if known is not None:
            return known
        match expression:
            case sympy.Number():
                return expression
            case Node():
                result = self._node(expression)
            case sympy.Symbol():
                result = self._small()
            case sympy.Add() | sympy.Mul() | sympy.Pow():
                result = expression.func(*(self.value(argument) for argument in expression.args))
                if not (result.is_Rational or result.is_Float):
                    raise UndefinedValueError(f"{expression} is no number at this point")
                return result
            case sympy.log():
                result = sympy.log(self.value(expression.args[0])).evalf(DIGITS)
                if not result.is_Float:
                    raise UndefinedValueError(f"{expression} is not real at this point")
                return result
            case _:
                raise SymbackpropError(f"{expression} is no expression in the entries of the network")
        self.numbers[expression] = result
        return result

    def settle(self, expressions: Iterable[Expr]) -> None:
        """Gives numbers to all symbols that occur, in an order that does not depend on hashing."""
        free = set().union(*(expression.free_symbols for expression in expressions))
        for symbol in sorted(free, key=str):
            self.value(symbol)

    def _node(self, node: Node) -> Number:
        arguments = tuple(self.value(argument) for argument in node.arguments)
        number = node.function.number(node.order, arguments)
        if number is not None:
            return number
        key = (node.function.key, node.order, arguments)
        if key not in self._abstract:
            self._abstract[key] = self._small()
        return self._abstract[key]

    def _small(self) -> Number:
        """A nonzero number of size at most 3, so that exponentials stay readable."""
        top = self._random.choice([n for n in range(-9, 10) if n])
        return sympy.Rational(top, self._random.choice((3, 4, 5, 7)))


def evaluated(expression: Expr, at: Mapping[Expr, Any], seed: int) -> Number:
    """The value at a point where some numbers are given; see `ExplicitNetwork.evaluate`."""
    point = Point(seed)
    for atom, number in at.items():
        if isinstance(number, bool) or not isinstance(number, (int, Fraction, sympy.Rational)):
            raise SymbackpropError(f"{atom} must be a whole number or a fraction, got {number!r}")
        point.numbers[atom] = sympy.Rational(number)
    try:
        point.settle([expression])
        return point.value(expression)
    except (KinkError, UndefinedValueError) as failure:
        raise SymbackpropError(str(failure)) from None


def _verdict(name: str, columns: int, same: list[bool], pairs: list[tuple[Expr, Expr]]) -> Comparison:
    equal = sum(same)
    if equal == len(same):
        return Comparison(name, len(same), equal, "equal")
    wrong = [n for n, holds in enumerate(same) if not holds]
    for n in wrong:
        found = _counterexample(*pairs[n])
        if found is not None:
            return Comparison(name, len(same), equal, "unequal", (n // columns + 1, n % columns + 1), found)
    place = wrong[0] // columns + 1, wrong[0] % columns + 1
    note = "different in the polynomial ring, but no numbers were found that show it"
    return Comparison(name, len(same), equal, "undecided", place, note=note)


def _counterexample(left: Expr, right: Expr) -> Counterexample | None:
    for seed in range(POINTS):
        point = Point(seed)
        try:
            point.settle((left, right))
            a, b = point.value(left), point.value(right)
        except (KinkError, UndefinedValueError):
            continue
        if abs(a - b) > (0 if a.is_Rational and b.is_Rational else TOLERANCE * max(1, abs(a), abs(b))):
            return Counterexample(dict(point.numbers), a, b)
    return None


def _matrix(given: Any) -> Any:
    if isinstance(given, Expr):
        return sympy.ImmutableMatrix([[given]])
    if hasattr(given, "shape") and hasattr(given, "cols"):
        return given
    raise SymbackpropError(f"a claim is a SymPy expression or matrix, not {type(given).__name__}")


def _short(number: Number) -> str:
    text = str(number)
    return text if len(text) <= 24 else str(number.evalf(12))


assert DIGITS > 50, "TOLERANCE needs the digits"
