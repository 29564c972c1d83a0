"""Comparing two expressions of an explicit network: equal in the ring, or different at a point of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from random import Random
from typing import Any, Literal, TypeAlias

import flint
import sympy
from sympy.core.expr import Expr

from symbackprop.core.terms import SymbackpropError
from symbackprop.witness.parts import DIGITS, KinkError, Node, Number, Scalar, UndefinedValueError, slope_in_value
from symbackprop.witness.sums import A, B, Entries, Lookup

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
    """Decides equality in a ring, which is kept while it has all atoms: conversions are shared between comparisons."""

    def __init__(self) -> None:
        self._ring = Ring(())

    def compare(self, left: Any, right: Any, name: str) -> Comparison:
        first, second = _matrix(left), _matrix(right)
        if first.shape != second.shape:
            note = f"{first.rows}×{first.cols} and {second.rows}×{second.cols} do not conform"
            return Comparison(name, first.rows * first.cols, 0, "unequal", note=note)
        pairs = list(zip(first, second, strict=True))
        atoms = atoms_of([*first, *second])
        if not self._ring.covers(atoms):
            self._ring = Ring(atoms | self._ring.atoms)
        ring = self._ring
        same = [ring.equal(ring.convert(u), ring.convert(v)) for u, v in pairs]
        return _verdict(name, first.cols, same, pairs)

    def compare_sum(self, entries: Any, total: Expr, lookup: Lookup, name: str) -> Comparison:
        """Entries `[a, b]` (or the entries of a row or column, by `a`) against a sum with those free indices."""
        meant, one_index = Entries(lookup), B not in total.free_symbols

        def at(row: int, column: int) -> Expr:
            place = row * entries.cols + column
            return meant.at(total, {A: place + 1} if one_index else {A: row + 1, B: column + 1})

        return self.compare(entries, sympy.ImmutableMatrix(*entries.shape, at), name)


class Point:
    """Small rational numbers for all symbols, and a consistent choice of values for abstract functions.

    A differentiable function may have any values and slopes at finitely many points, so abstract functions get
    arbitrary numbers, the same ones whenever the arguments are the same.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
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


# --- equality of rational expressions in symbols and nodes, decided in a polynomial ring ---
# Every symbol and node is a generator, and so is the reciprocal 1/d of what something is divided by; at the end each is
# cleared away, by (1/d) d = 1.  So `equal` is complete for rational functions of independent generators, and never
# depends on `simplify`.  One relation more is known: `f'` is written in `f` where it is a polynomial in it (sigmoid,
# tanh, exp).


Polynomial: TypeAlias = Any  # flint.fmpq_mpoly, which has no types


class Ring:
    """Rational functions with rational coefficients in the given atoms, among which are the reciprocals that occur.

    A slope that is a polynomial in the value is written so.
    """

    def __init__(self, atoms: Iterable[Expr]) -> None:
        self.atoms = frozenset(self._foundation(atoms))
        ordered = sorted(self.atoms, key=str)
        names = [f"g{n}" for n in range(len(ordered))] or ["g0"]
        self._context = flint.fmpq_mpoly_ctx.get(names, flint.Ordering.lex)
        self._generators = dict(zip(ordered, self._context.gens(), strict=False))
        # what stands inside of another denominator is cleared after that; but single letters, which is cheap, before
        found = [(n, atom.base) for n, atom in enumerate(ordered) if isinstance(atom, sympy.Pow)]
        letters = [(n, base) for n, base in found if not base.args]
        self._denominators = [*letters, *sorted(found, key=lambda d: -len(str(d[1])))]
        self._known: dict[Expr, Polynomial] = {}

    def covers(self, atoms: Iterable[Expr]) -> bool:
        return self.atoms >= self._foundation(atoms)

    def equal(self, left: Polynomial, right: Polynomial) -> bool:
        return self._is_zero(left - right)

    def convert(self, expression: Expr) -> Polynomial:
        """The value of a SymPy expression made of rational numbers, the ring's atoms, sums, products, integer powers.

        Raises SymbackpropError for anything else: other functions have no place in a polynomial ring.
        """
        if expression not in self._known:
            self._known[expression] = self._convert(expression)
        return self._known[expression]

    def _convert(self, expression: Expr) -> Polynomial:
        match expression:
            case sympy.Rational():
                return self._number(expression)
            case Node():
                return self._node(expression)
            case sympy.Symbol():
                return self._generators[expression]
            case sympy.Add():
                return sum(map(self.convert, expression.args), start=self._number(0))
            case sympy.Mul():
                result = self._number(1)
                for factor in sorted(map(self.convert, expression.args), key=len):
                    result = result * factor
                return result
            case sympy.Pow(base=base, exp=sympy.Integer() as exponent) if exponent > 0:
                return self.convert(base) ** int(exponent)
            case sympy.Pow(base=base, exp=sympy.Integer() as exponent):
                return self._generators[1 / base] ** -int(exponent)
            case _:
                raise SymbackpropError(f"{expression} is no rational expression in the entries of the network")

    def _number(self, value: Any) -> Polynomial:
        exact = sympy.Rational(value)
        return self._context.constant(flint.fmpq(int(exact.p), int(exact.q)))

    def _node(self, node: Node) -> Polynomial:
        slope = _polynomial_slope(node)
        if slope is None:
            return self._generators[node]
        value, result = self.convert(Node(node.function, node.arguments, node.place, (0,))), self._number(0)
        for coefficient in reversed(slope):
            result = result * value + self._number(coefficient)
        return result

    @cached_property
    def _point(self) -> list[Any]:
        """Values of the generators, large and at random: what is not 0 there need not be cleared."""
        draw = Random(0)
        values = [flint.fmpq(draw.getrandbits(64)) for _ in range(self._context.nvars())]
        for place, base in reversed(self._denominators):
            below = self.convert(base)(*values)
            if not below:
                raise SymbackpropError("division by zero")
            values[place] = 1 / below
        return values

    def _is_zero(self, polynomial: Polynomial) -> bool:
        if polynomial(*self._point):
            return False
        for place, base in self._denominators:
            polynomial = self._cleared(polynomial, place, base)
        return not polynomial

    def _cleared(self, polynomial: Polynomial, place: int, base: Expr) -> Polynomial:
        """Without the reciprocal of d that is the generator at this place: p + q u + r u² is p + (q d + r) / d².

        That is 0 where p d² + q d + r is.
        """
        by_power: dict[int, dict[tuple[int, ...], Any]] = {}
        for powers, coefficient in polynomial.terms():
            by_power.setdefault(powers[place], {})[(*powers[:place], 0, *powers[place + 1 :])] = coefficient
        whole, top = self._context.from_dict(by_power.pop(0, {})), max(by_power, default=0)
        if not top:
            return whole
        below = self.convert(base)
        above = sum((self._context.from_dict(part) * below ** (top - k) for k, part in by_power.items()),
                    start=self._number(0))  # fmt: skip
        quotient, remainder = divmod(above, below**top)
        return whole * below**top + above if remainder else whole + quotient

    def _foundation(self, atoms: Iterable[Expr]) -> set[Expr]:
        """The atoms that become generators: a slope that is a polynomial in its value is replaced by the value."""
        return {
            Node(a.function, a.arguments, a.place, (0,)) if isinstance(a, Node) and _polynomial_slope(a) else a
            for a in atoms
        }


def atoms_of(expressions: Iterable[Expr]) -> set[Expr]:
    """The symbols and nodes that occur (those inside the arguments of a node do not), and the reciprocals."""
    found: set[Expr] = set()
    for expression in expressions:
        found |= expression.atoms(sympy.Symbol, Node)
        found |= {1 / p.base for p in expression.atoms(sympy.Pow) if p.exp.is_negative}
    return found


def _polynomial_slope(node: Node) -> list[Any] | None:
    """Coefficients of a derivative of order >= 1 as a polynomial in the value, lowest first, where that exists."""
    if not isinstance(node.function, Scalar) or node.order == (0,):
        return None
    first = slope_in_value(node.function.expression)
    if first is None:
        return None
    result = list(first)
    for _ in range(node.order[0] - 1):  # d/dz P(f) = P'(f) f'
        inner = [k * c for k, c in enumerate(result)][1:]
        product = [sympy.S.Zero] * (len(inner) + len(first) - 1)
        for i, c in enumerate(inner):
            for j, d in enumerate(first):
                product[i + j] += c * d
        result = product
    return result
