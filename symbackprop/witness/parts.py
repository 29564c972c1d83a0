"""The parts an explicit network is made of: activations by name or by formula, losses, the size limit."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import sympy
from sympy.core.expr import AtomicExpr, Expr

from symbackprop.core.terms import SymbackpropError

# SymPy has no types of its own, so this alias only says what is meant.
Number: TypeAlias = Any

Z = sympy.Symbol("z", real=True)
DIGITS = 60


class KinkError(Exception):
    """The point lies where a function has no derivative."""


class UndefinedValueError(Exception):
    """The point lies where a function has no finite real value."""


# Functions with derivatives of every order; an order counts how often each argument was differentiated.
NodeFunction: TypeAlias = "Scalar | AbstractLoss"


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


Convention: TypeAlias = Literal["column", "row"]
Loss: TypeAlias = Literal["abstract", "squared-error", "cross-entropy", "binary-cross-entropy"]
Targets: TypeAlias = Literal["free", "sum to one"]

SOFTMAX = "softmax"
ABSTRACT = Scalar("f", "f", None)
SIGMOID = Scalar("σ", r"\sigma", 1 / (1 + sympy.exp(-Z)))
EXP = Scalar("exp", r"\exp", sympy.exp(Z))
ACTIVATIONS: dict[str, Scalar] = {
    "abstract": ABSTRACT,
    "identity": Scalar("id", r"\mathrm{id}", Z),
    "relu": Scalar("relu", r"\mathrm{relu}", sympy.Max(0, Z)),
    "sigmoid": SIGMOID,
    "softplus": Scalar("softplus", r"\mathrm{softplus}", sympy.log(1 + sympy.exp(Z))),
    "tanh": Scalar("tanh", r"\tanh", sympy.tanh(Z)),
    "gelu": Scalar("gelu", r"\mathrm{gelu}", Z * (1 + sympy.erf(Z / sympy.sqrt(2))) / 2),
}
OfOutput: TypeAlias = Callable[[Expr, Expr], Expr]
# A loss but the abstract one is a sum over units: what an output y with target t adds, and the slope of that by y.
LOSSES: dict[Loss, tuple[OfOutput, OfOutput] | None] = {
    "abstract": None,
    "squared-error": (lambda y, t: (y - t) ** 2 / 2, lambda y, t: y - t),
    "cross-entropy": (lambda y, t: -t * sympy.log(y), lambda y, t: -t / y),
    "binary-cross-entropy": (
        lambda y, t: -t * sympy.log(y) - (1 - t) * sympy.log(1 - y), lambda y, t: -t / y + (1 - t) / (1 - y),
    ),
}  # fmt: skip

# Most steps of differentiation, and most products in all gradients together: about a minute and some 100 MB.
MOST_STEPS = 200_000
MOST_PRODUCTS = 1_000_000
# SymPy recurses some 25 frames a layer; Python allows about a thousand.
DEEPEST = 16


def activation_of(given: str | Expr) -> Scalar:
    """An activation by name, or by a SymPy expression in one symbol.  Strings are never parsed."""
    if isinstance(given, str):
        if given not in ACTIVATIONS:
            raise SymbackpropError(f"unknown activation {given!r}: one of {', '.join(ACTIVATIONS)}, or a formula in z")
        return ACTIVATIONS[given]
    if not isinstance(given, Expr):
        raise SymbackpropError(f"an activation is a name or a SymPy expression, not {type(given).__name__}")
    if len(given.free_symbols) != 1:
        names = ", ".join(sorted(map(str, given.free_symbols))) or "none"
        raise SymbackpropError(f"an activation is an expression in one symbol; {given} has {names}")
    (symbol,) = given.free_symbols
    expression = given.xreplace({symbol: Z})
    if expression.atoms(sympy.core.function.AppliedUndef):
        raise SymbackpropError(f"{given} holds an undefined function; use activation='abstract' for an unknown one")
    if derivative(expression, 1).atoms(sympy.Derivative, sympy.Subs):
        raise SymbackpropError(f"SymPy finds no derivative of {given}")
    return Scalar("g", "g", expression)


def widths_of(given: tuple[Any, ...]) -> tuple[int, ...]:
    """Layer widths: at least two whole numbers, each at least 1."""
    if len(given) < 2:
        raise SymbackpropError(f"a network has at least an input and an output width, got {len(given)} of them")
    if len(given) > DEEPEST + 1:
        raise SymbackpropError(f"{len(given) - 1} layers are too many to write out (at most {DEEPEST})")
    return tuple(_count(width, f"width {place} of the network") for place, width in enumerate(given))


def samples_of(given: Any) -> int | None:
    return None if given is None else _count(given, "the batch size")


def _count(given: Any, what: str) -> int:
    try:
        if isinstance(given, bool):
            raise TypeError
        value = operator.index(given)
    except TypeError:
        raise SymbackpropError(f"{what} must be a whole number, got {given!r}") from None
    if value < 1:
        raise SymbackpropError(f"{what} must be at least 1, got {value}")
    return value


def refuse_large(widths: tuple[int, ...], samples: int | None, softmax: bool) -> None:
    """Stops before hours of work: every entry is differentiated, and has one product for every path to the outputs."""
    paths = (widths[-1] if softmax else 1) * (samples or 1)
    above = steps = products = 0
    for n_in, n_out in reversed(list(pairwise(widths))):
        entries = n_out * (n_in + 1)
        above += n_out
        steps += entries * above * (samples or 1)
        products += entries * paths
        paths *= n_out
        above += n_out * n_in - n_out
    if steps > MOST_STEPS or products > MOST_PRODUCTS:
        shape = "-".join(map(str, widths)) if len(widths) < 12 else f"of {len(widths) - 1} layers"
        batch = f" with a batch of {samples}" if samples else ""
        raise SymbackpropError(
            f"a network {shape}{batch} is too large to write out entry by entry "
            f"({steps:,} steps and {products:,} products; at most {MOST_STEPS:,} and {MOST_PRODUCTS:,})"
        )


def loss_of(name: str) -> Loss:
    for known in LOSSES:
        if name == known:
            return known
    raise SymbackpropError(f"unknown loss {name!r}: one of {', '.join(LOSSES)}")
