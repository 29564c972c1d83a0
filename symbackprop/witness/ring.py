"""Equality of rational expressions in symbols and nodes, decided in a polynomial ring.

Every symbol and node is a generator, and so is the reciprocal 1/d of what something is divided by; at the end each is
cleared away, by (1/d) d = 1.  So `equal` is complete for rational functions of independent generators, and never
depends on `simplify`.  A ring may know one relation more: `f'` is written in `f` where it is a polynomial in it
(sigmoid, tanh, exp).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from random import Random
from typing import Any, TypeAlias

import flint
import sympy
from sympy.core.expr import Expr

from symbackprop.core.terms import SymbackpropError
from symbackprop.witness.parts import Node, Scalar, slope_in_value

Polynomial: TypeAlias = Any  # flint.fmpq_mpoly, which has no types


class Ring:
    """Rational functions with rational coefficients in the given atoms, among which are the reciprocals that occur.

    `related` says for which nodes the slope is written as a polynomial in the value (by default for all that can be).
    """

    def __init__(self, atoms: Iterable[Expr], related: Callable[[Node], bool] = lambda _: True) -> None:
        self._related = related
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
        slope = _polynomial_slope(node) if self._related(node) else None
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
            Node(a.function, a.arguments, a.place, (0,))
            if isinstance(a, Node) and self._related(a) and _polynomial_slope(a)
            else a
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
