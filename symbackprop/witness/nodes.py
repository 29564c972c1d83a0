"""Values of functions inside an explicit network, as SymPy atoms that know what they stand for.

The activation `a^2_1` of a small network is, written out, `f(W^2_11 f(W^1_11 x_1 + ...) + ...)`: a tree that doubles
with every layer, and that `sympy.diff` walks again at every step.  A `Node` is the same value as an atom with a name.
It holds its function and its arguments, so that `sympy.diff` passes through it by the chain rule, and `substituted`
writes the whole tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

import sympy
from sympy.core.expr import AtomicExpr, Expr

# SymPy has no types of its own, so this alias only says what is meant.
Number: TypeAlias = Any

Z = sympy.Symbol("z", real=True)
DIGITS = 60


class KinkError(Exception):
    """The point lies where a function has no derivative."""


class UndefinedValueError(Exception):
    """The point lies where a function has no finite real value."""


class NodeFunction(Protocol):
    """A function with derivatives of every order; `order` counts how often each argument was differentiated."""

    @property
    def key(self) -> str: ...
    def text(self, order: tuple[int, ...], place: str) -> str: ...
    def tex(self, order: tuple[int, ...], place: str) -> str: ...
    def stock(self, order: tuple[int, ...], arguments: tuple[Expr, ...]) -> Expr: ...
    def number(self, order: tuple[int, ...], arguments: tuple[Number, ...]) -> Number | None: ...


class Node(AtomicExpr):  # type: ignore[misc]  # SymPy is untyped
    """The value of `function`, differentiated `order` times, at `arguments`; `place` says where it stands."""

    is_commutative = True
    precedence = 55  # between a product and a power: a name with a superscript gets brackets before another
    function: NodeFunction
    order: tuple[int, ...]
    arguments: tuple[Expr, ...]
    place: str
    _content: tuple[object, ...]

    def __new__(cls, function: NodeFunction, arguments: tuple[Expr, ...], place: str, order: tuple[int, ...]) -> Node:
        node: Node = super().__new__(cls)
        node.function, node.arguments, node.place, node.order = function, arguments, place, order
        node._content = (place, function.key, str(order), *arguments)
        return node

    def __getnewargs__(self) -> tuple[object, ...]:
        return self.function, self.arguments, self.place, self.order

    def _hashable_content(self) -> tuple[object, ...]:
        return self._content

    @property
    def free_symbols(self) -> set[sympy.Symbol]:
        """The symbols that the arguments depend on (kept: `sympy.diff` asks at every step)."""
        known: set[sympy.Symbol] | None = self.__dict__.get("_free")
        if known is None:
            known = set().union(*(argument.free_symbols for argument in self.arguments))
            self.__dict__["_free"] = known
        return known

    def partial(self, argument: int) -> Node:
        """The partial derivative by one argument: the same function, differentiated once more."""
        known: dict[int, Node] = self.__dict__.setdefault("_partials", {})
        if argument not in known:
            order = tuple(k + (position == argument) for position, k in enumerate(self.order))
            known[argument] = Node(self.function, self.arguments, self.place, order)
        return known[argument]

    def _eval_derivative(self, symbol: Expr) -> Expr:
        """The chain rule, `Σ_i ∂_i F(u) ∂u_i/∂s`; SymPy differentiates the arguments."""
        known: dict[Expr, Expr] = self.__dict__.setdefault("_derivatives", {})
        if symbol not in known:
            inner = (sympy.diff(argument, symbol) for argument in self.arguments)
            known[symbol] = sympy.Add(*(self.partial(i) * slope for i, slope in enumerate(inner) if slope != 0))
        return known[symbol]

    def _eval_derivative_n_times(self, symbol: Expr, times: int) -> Expr:
        return Expr._eval_derivative_n_times(self, symbol, times)  # AtomicExpr would say that atoms are constant

    def stock(self) -> Expr:
        """The value without nodes: stock SymPy functions of symbols only."""
        return self.function.stock(self.order, tuple(substituted(argument) for argument in self.arguments))

    def _eval_subs(self, old: Expr, new: Expr) -> Expr | None:
        return self.stock().subs(old, new) if old in self.free_symbols else None

    def _xreplace(self, rule: Mapping[Expr, Expr]) -> tuple[Expr, bool]:
        if self in rule:
            return rule[self], True
        if self.free_symbols.isdisjoint(rule):
            return self, False
        return self.stock().xreplace(rule), True

    def xreplace(self, rule: Mapping[Expr, Expr], hack2: bool = False) -> Expr:
        return self._xreplace(rule)[0]

    def _sympystr(self, printer: object) -> str:
        return self.function.text(self.order, self.place)

    _sympyrepr = _sympystr

    def _latex(self, printer: object) -> str:
        return self.function.tex(self.order, self.place)


def substituted(expression: Expr) -> Expr:
    """The expression with every node written out, down to the symbols."""
    nodes = expression.atoms(Node)
    return expression.xreplace({node: node.stock() for node in nodes}) if nodes else expression


@dataclass(frozen=True, slots=True)
class Scalar:
    """A function of one real variable: an expression in `Z`, or abstract (`expression` is None)."""

    name: str
    latex: str
    expression: Expr | None

    @property
    def key(self) -> str:
        return _key(self.name, self.expression)

    def text(self, order: tuple[int, ...], place: str) -> str:
        if order == (0,):
            return f"{self.name}(z{place})" if self.name == "exp" else f"a{place}"
        return f"{self.name}{_primes(order[0])}(z{place})"

    def tex(self, order: tuple[int, ...], place: str) -> str:
        if self.name == "exp":
            return f"e^{{z{place}}}"
        return f"a{place}" if order == (0,) else f"{self.latex}{_primes(order[0])}(z{place})"

    def stock(self, order: tuple[int, ...], arguments: tuple[Expr, ...]) -> Expr:
        (argument,) = arguments
        if self.expression is not None:
            return derivative(self.expression, order[0]).xreplace({Z: argument})
        f, dummy = sympy.Function(self.name), sympy.Dummy("xi")
        return sympy.Subs(f(dummy).diff(dummy, order[0]), dummy, argument) if order[0] else f(argument)

    def number(self, order: tuple[int, ...], arguments: tuple[Number, ...]) -> Number | None:
        """The value at a number: exact when it is rational, else with 60 digits; None when the function is abstract.

        Raises KinkError on a kink (also for the value: next to it the derivative is of no use) and
        UndefinedValueError outside the domain.
        """
        if self.expression is None:
            return None
        (at,) = arguments
        _refuse_kinks(self.expression, at)
        value = derivative(self.expression, order[0]).xreplace({Z: at})
        if not value.is_Rational:
            value = value.evalf(DIGITS)
        if not (value.is_Rational or (value.is_Float and value.is_finite)):
            raise UndefinedValueError(f"{self.name} has no real value at {at}")
        return value


@dataclass(frozen=True, slots=True)
class AbstractLoss:
    """A differentiable function `L(y)` of all outputs, of which nothing else is known."""

    outputs: tuple[str, ...]

    @property
    def key(self) -> str:
        return "abstract loss"

    def text(self, order: tuple[int, ...], place: str) -> str:
        return self._fraction(order, "∂", "{0}/{1}")

    def tex(self, order: tuple[int, ...], place: str) -> str:
        return self._fraction(order, r"\partial ", r"\frac{{{0}}}{{{1}}}")

    def _fraction(self, order: tuple[int, ...], partial: str, layout: str) -> str:
        total = sum(order)
        if total == 0:
            return "L"
        power = f"^{{{total}}}" if total > 1 else ""
        taken = [(k, name) for k, name in zip(order, self.outputs, strict=True) if k]
        below = (f"{partial}{name}" + (f"^{{{k}}}" if k > 1 else "") for k, name in taken)
        return layout.format(f"{partial.strip()}{power} L".replace("∂ ", "∂"), " ".join(below))

    def stock(self, order: tuple[int, ...], arguments: tuple[Expr, ...]) -> Expr:
        loss = sympy.Function("L")
        if not sum(order):
            return loss(*arguments)
        dummies = sympy.symbols(f"xi_1:{len(arguments) + 1}", cls=sympy.Dummy)
        taken = [(dummy, k) for dummy, k in zip(dummies, order, strict=True) if k]
        return sympy.Subs(loss(*dummies).diff(*taken), dummies, arguments)

    def number(self, order: tuple[int, ...], arguments: tuple[Number, ...]) -> Number | None:
        return None


@lru_cache(maxsize=256)
def derivative(expression: Expr, order: int) -> Expr:
    """`d^k/dz^k` of an expression in `Z`, by SymPy."""
    return sympy.diff(expression, Z, order) if order else expression


@lru_cache(maxsize=256)
def slope_in_value(expression: Expr | None) -> tuple[Number, ...] | None:
    """Coefficients `(c_0, c_1, c_2)` with `f' = c_0 + c_1 f + c_2 f²`, or None when none are found.

    For the sigmoid (0, 1, -1), for tanh (1, 0, -1), for exp (0, 1, 0).  Found by writing f as a rational function of
    `E = exp(z)`, where `f' = E df/dE`, and comparing the coefficients of a numerator.
    """
    if expression is None or expression.count_ops() > 100:
        return None
    slope = derivative(expression, 1)
    if slope.is_Rational:
        return slope, sympy.S.Zero, sympy.S.Zero
    base = sympy.Dummy("E", positive=True)
    value = expression.rewrite(sympy.exp).subs(sympy.exp(Z), base)
    if Z in value.free_symbols or not value.is_rational_function(base):
        return None
    unknown = sympy.symbols("c_0:3", cls=sympy.Dummy)
    claim = base * sympy.diff(value, base) - sum(c * value**k for k, c in enumerate(unknown))
    numerator = sympy.Poly(sympy.fraction(sympy.cancel(claim))[0], base)
    (*solutions,) = sympy.linsolve(numerator.all_coeffs(), *unknown)
    if not solutions or not all(c.is_Rational for c in solutions[0]):
        return None
    return tuple(solutions[0])


def _refuse_kinks(expression: Expr, at: Number) -> None:
    """Stops at points where a piece of the expression changes: there the derivative of the formula means nothing."""
    for part in expression.atoms(sympy.Abs, sympy.sign, sympy.Heaviside, sympy.Max, sympy.Min, sympy.Piecewise):
        match part:
            case sympy.Piecewise():
                edges = [r.lhs - r.rhs for r in part.atoms(sympy.core.relational.Relational)]
            case sympy.Max() | sympy.Min():
                edges = [u - v for n, u in enumerate(part.args) for v in part.args[:n]]
            case _:
                edges = [part.args[0]]
        for edge in edges:
            if edge.xreplace({Z: at}).evalf(DIGITS).is_zero is not False:
                raise KinkError(f"{part} has a kink at {at}")


@lru_cache(maxsize=256)
def _key(name: str, expression: Expr | None) -> str:
    return f"{name}: {sympy.srepr(expression)}"


def _primes(order: int) -> str:
    return "'" * order if order <= 3 else f"^{{({order})}}"
