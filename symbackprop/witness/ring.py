"""Equality of rational expressions in symbols and nodes, decided in a polynomial ring.

Every symbol and node is a generator.  A value is a polynomial over factors of a denominator, which are kept apart and
cancelled where that is cheap; two values are equal when they are after cross-multiplication.  So `equal` is complete
for rational functions of independent generators, and never depends on `simplify`.  A ring may know one relation: `f'`
is written in `f` where it is a polynomial in it (sigmoid, tanh, exp).

The polynomials are python-flint's where it is installed, else SymPy's own sparse ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import sympy
from sympy.core.expr import Expr

from symbackprop.core.terms import SymbackpropError
from symbackprop.witness.parts import Node, Scalar, slope_in_value

# Denominators are cancelled out of numerators of at most this many terms: trying to divide a long one costs more than
# carrying the factor along.
SHORT = 24

# A polynomial of python-flint or of SymPy: both have +, -, * and ==.
Polynomial: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Quotient:
    """`numerator / Π factor^power`; the factors are numbers of polynomials in the ring's table."""

    numerator: Polynomial
    factors: tuple[tuple[int, int], ...] = ()


class Ring:
    """Rational functions with rational coefficients in the given atoms.

    `related` says for which nodes the slope is written as a polynomial in the value (by default for all that can be).
    """

    def __init__(
        self, atoms: Iterable[Expr], related: Callable[[Node], bool] = lambda _: True, flint: bool | None = None
    ) -> None:
        self._related = related
        self.atoms = frozenset(self._foundation(atoms))
        ordered = sorted(self.atoms, key=str)
        names = [f"g{n}" for n in range(len(ordered))] or ["g0"]
        self._flint = _load_flint() if flint is not False else None
        if self._flint is not None:
            context = self._flint.fmpq_mpoly_ctx.get(names, self._flint.Ordering.lex)
            generators, self._one = context.gens(), context.constant(1)
        else:
            ring = sympy.ring(names, sympy.QQ)[0]
            generators, self._one = ring.gens, ring.one
        self._generators = dict(zip(ordered, generators, strict=False))
        self._factors: list[Polynomial] = []
        self._known: dict[Expr, Quotient] = {}
        self.zero, self.one = Quotient(self._one * 0), Quotient(self._one)

    def covers(self, atoms: Iterable[Expr]) -> bool:
        return self.atoms >= self._foundation(atoms)

    def equal(self, left: Quotient, right: Quotient) -> bool:
        if left.factors == right.factors:
            return bool(left.numerator == right.numerator)
        return not self.add(left, self.multiply(self.number(-1), right)).numerator

    def number(self, value: Any) -> Quotient:
        exact = sympy.Rational(value)
        if self._flint is not None:
            return Quotient(self._one * self._flint.fmpq(int(exact.p), int(exact.q)))
        return Quotient(self._one * sympy.QQ(exact.p, exact.q))

    def add(self, left: Quotient, right: Quotient) -> Quotient:
        if left.factors == right.factors:
            return Quotient(left.numerator + right.numerator, left.factors)
        powers = dict(left.factors)
        for factor, power in right.factors:
            powers[factor] = max(power, powers.get(factor, 0))
        common = tuple(sorted(powers.items()))
        return Quotient(self._over(left, common) + self._over(right, common), common)

    def multiply(self, left: Quotient, right: Quotient) -> Quotient:
        if not left.factors and not right.factors:
            return Quotient(left.numerator * right.numerator)
        first, below_right = self._cancelled(left.numerator, right.factors)
        second, below_left = self._cancelled(right.numerator, left.factors)
        powers = dict(below_left)
        for factor, power in below_right:
            powers[factor] = powers.get(factor, 0) + power
        return Quotient(first * second, tuple(sorted(powers.items())))

    def power(self, base: Quotient, exponent: int) -> Quotient:
        if exponent < 0:
            return self.power(self._inverse(base), -exponent)
        result = self.one
        for _ in range(exponent):
            result = self.multiply(result, base)
        return result

    def convert(self, expression: Expr) -> Quotient:
        """The value of a SymPy expression made of rational numbers, the ring's atoms, sums, products, integer powers.

        Raises SymbackpropError for anything else: other functions have no place in a polynomial ring.
        """
        known = self._known.get(expression)
        if known is None:
            known = self._known[expression] = self._convert(expression)
        return known

    def _convert(self, expression: Expr) -> Quotient:
        match expression:
            case sympy.Rational():
                return self.number(expression)
            case Node():
                return self._node(expression)
            case sympy.Symbol():
                return Quotient(self._generators[expression])
            case sympy.Add():
                result = self.zero
                for argument in expression.args:
                    result = self.add(result, self.convert(argument))
                return result
            case sympy.Mul():
                result = self.one
                for factor in sorted(map(self.convert, expression.args), key=lambda q: len(q.numerator)):
                    result = self.multiply(result, factor)
                return result
            case sympy.Pow(base=base, exp=sympy.Integer() as exponent):
                return self.power(self.convert(base), int(exponent))
            case _:
                raise SymbackpropError(f"{expression} is no rational expression in the entries of the network")

    def _node(self, node: Node) -> Quotient:
        slope = _polynomial_slope(node) if self._related(node) else None
        if slope is None:
            return Quotient(self._generators[node])
        value = self.convert(Node(node.function, node.arguments, node.place, (0,)))
        result = self.zero
        for coefficient in reversed(slope):
            result = self.add(self.multiply(result, value), self.number(coefficient))
        return result

    def _inverse(self, value: Quotient) -> Quotient:
        if not value.numerator:
            raise SymbackpropError("division by zero")
        top = self._one
        for factor, power in value.factors:
            top = top * self._factors[factor] ** power
        return Quotient(top, ((self._number_of(value.numerator), 1),))

    def _number_of(self, factor: Polynomial) -> int:
        for number, known in enumerate(self._factors):
            if known == factor:
                return number
        self._factors.append(factor)
        return len(self._factors) - 1

    def _over(self, value: Quotient, common: tuple[tuple[int, int], ...]) -> Polynomial:
        """The numerator of `value` over a common denominator."""
        own, result = dict(value.factors), value.numerator
        for factor, power in common:
            if missing := power - own.get(factor, 0):
                result = result * self._factors[factor] ** missing
        return result

    def _cancelled(
        self, numerator: Polynomial, factors: tuple[tuple[int, int], ...]
    ) -> tuple[Polynomial, list[tuple[int, int]]]:
        """The numerator and the factors that remain below it."""
        left: list[tuple[int, int]] = []
        for factor, power in factors:
            divisor, remaining = self._factors[factor], power
            cheap = len(divisor) == 1 or len(numerator) <= SHORT
            while cheap and remaining and (quotient := self._divided(numerator, divisor)) is not None:
                numerator, remaining = quotient, remaining - 1
            if remaining:
                left.append((factor, remaining))
        return numerator, left

    def _foundation(self, atoms: Iterable[Expr]) -> set[Expr]:
        """The atoms that become generators: a slope that is a polynomial in its value is replaced by the value."""
        return {
            Node(a.function, a.arguments, a.place, (0,))
            if isinstance(a, Node) and self._related(a) and _polynomial_slope(a)
            else a
            for a in atoms
        }

    def _divided(self, numerator: Polynomial, factor: Polynomial) -> Polynomial | None:
        """The exact quotient, or None when there is a remainder."""
        quotient, remainder = divmod(numerator, factor)
        return None if remainder else quotient


def atoms_of(expressions: Iterable[Expr]) -> set[Expr]:
    """The symbols and nodes that occur (those inside the arguments of a node do not)."""
    found: set[Expr] = set()
    for expression in expressions:
        found |= expression.atoms(sympy.Symbol, Node)
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


def _load_flint() -> Any:
    try:
        import flint
    except ImportError:
        return None
    return flint if hasattr(flint, "fmpq_mpoly_ctx") else None
