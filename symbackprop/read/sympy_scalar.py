"""A SymPy expression as a scalar term, for activations and losses of one's own.

    scalar_activation("swish", scalar_term(z / (1 + sympy.exp(-z)), {z: Z}))

The expression tree is walked here, function by function; nothing is evaluated, and a function that is not in the
table is refused.  Give an expression, not text: `sympy.sympify` executes strings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import sympy

from symbackprop.core.functions import COMPOSED, ROWS, column, step
from symbackprop.core.terms import ONE, PI, ZERO, Apply, Power, SymbackpropError, Term, add, mul, neg, num, sub

NAMED = {getattr(sympy, theirs): name for name, theirs in column(lambda f: f.sympy).items()}
OF_SYMPY = {getattr(sympy, c.sympy): c for c in COMPOSED.values() if c.sympy}
# As undefined functions: Function("sigmoid")(z).
BY_NAME: dict[str, Callable[[Term], Term]] = {
    **{f.name: partial(Apply, f.name) for f in ROWS if f.name not in NAMED.values()},
    **{name: c.value for name, c in COMPOSED.items() if c.words and not c.sympy},
}


def minus(a: Term, b: Term) -> Term:
    return a if b == ZERO else neg(b) if a == ZERO else sub(a, b)


def scalar_term(expression: Any, variables: Mapping[Any, Term]) -> Term:
    """The expression as a term, with a term for each of its symbols.

    Where a function has a kink or a jump (Max, Abs, Piecewise) the value at that one point is the one SymPy states.
    Raises SymbackpropError, naming the part, for a symbol without a term and for what has no scalar term.
    """
    if not isinstance(expression, sympy.Expr):
        raise SymbackpropError(f"a SymPy expression is needed, not {type(expression).__name__}")
    return _Walk(variables).term(expression, 0)


class _Walk:
    def __init__(self, variables: Mapping[Any, Term]) -> None:
        self.variables = variables

    def term(self, e: Any, depth: int) -> Term:
        if depth > 100:
            raise SymbackpropError("the expression is nested more than 100 deep")

        def go(part: Any) -> Term:
            return self.term(part, depth + 1)

        if e in self.variables:
            return self.variables[e]
        match e:
            case sympy.Rational():
                return num(Fraction(int(e.p), int(e.q)))
            case sympy.Float():
                return num(shortest_decimal(e))
            case sympy.Add():
                return add(*map(go, e.args))
            case sympy.Mul():
                return mul(*map(go, e.args))
            case sympy.Pow():
                return self.power(e, go)
            case sympy.Max():
                return self.largest([go(a) for a in e.args], 1)
            case sympy.Min():
                return self.largest([go(a) for a in e.args], -1)
            case sympy.Piecewise():
                return self.pieces(e, go)
            case sympy.Heaviside():
                u, at_zero = go(e.args[0]), go(e.args[1])
                return add(mul(sub(ONE, at_zero), step(u)), mul(at_zero, sub(ONE, step(neg(u)))))
            case sympy.Symbol():
                raise SymbackpropError(f"the symbol {e.name!r} is not the variable")
        if e is sympy.pi:
            return PI
        if e is sympy.E:
            return Apply("exp", ONE)
        if isinstance(e, sympy.Function) and len(e.args) == 1:
            (arg,) = e.args
            if e.func in NAMED:
                return self.logarithm(arg, go) if e.func is sympy.log else Apply(NAMED[e.func], go(arg))
            if e.func in OF_SYMPY:
                return OF_SYMPY[e.func].value(go(arg))
            if e.func.__name__ in BY_NAME:
                return BY_NAME[e.func.__name__](go(arg))
        raise SymbackpropError(f"{type(e).__name__} is no function of one real variable that is known here")

    def power(self, e: Any, go: Callable[[Any], Term]) -> Term:
        if e.base is sympy.E:
            return Apply("exp", go(e.exp))
        if isinstance(e.exp, sympy.Float):
            return Power(go(e.base), shortest_decimal(e.exp))
        if isinstance(e.exp, sympy.Rational):
            exponent = Fraction(int(e.exp.p), int(e.exp.q))
            if abs(exponent) > 64:
                raise SymbackpropError(f"the exponent {exponent} is larger than 64")
            return Power(go(e.base), exponent)
        if e.base.is_positive:  # a^u = e^{u log a}
            return Apply("exp", mul(go(e.exp), Apply("log", go(e.base))))
        raise SymbackpropError("a power needs a rational exponent or a positive base")

    @staticmethod
    def logarithm(arg: Any, go: Callable[[Any], Term]) -> Term:
        """log(1 + e^u) is softplus, which does not overflow."""
        if isinstance(arg, sympy.Add) and len(arg.args) == 2 and sympy.S.One in arg.args:
            (other,) = (a for a in arg.args if a != 1)
            if isinstance(other, sympy.exp):
                return Apply("softplus", go(other.args[0]))
        return Apply("log", go(arg))

    @staticmethod
    def largest(terms: list[Term], sign: int) -> Term:
        """max(a, b) = b + (a - b) [a - b > 0], and min with the sign turned."""
        result = terms[0]
        for t in terms[1:]:
            difference = minus(t, result)
            more = mul(difference, step(difference if sign > 0 else neg(difference)))
            result = more if result == ZERO else add(result, more)
        return result

    def pieces(self, e: Any, go: Callable[[Any], Term]) -> Term:
        """Σ value_k [condition_k and none before it]."""
        parts, before = list[Term](), list[Term]()
        for value, condition in e.args:
            holds = self.condition(condition, go)
            here = [*before, *(() if holds is None else (holds,))]
            if value != 0:
                parts.append(mul(go(value), *here) if here else go(value))
            if holds is None:
                return add(*parts)
            before.append(sub(ONE, holds))
        raise SymbackpropError("the pieces of a Piecewise leave a gap; end it with (value, True)")

    def condition(self, c: Any, go: Callable[[Any], Term]) -> Term | None:
        """1 or 0, None where the condition always holds."""
        if c is sympy.true:
            return None
        match c:
            case sympy.StrictGreaterThan():
                return step(minus(go(c.lhs), go(c.rhs)))
            case sympy.StrictLessThan():
                return step(minus(go(c.rhs), go(c.lhs)))
            case sympy.GreaterThan():
                return sub(ONE, step(minus(go(c.rhs), go(c.lhs))))
            case sympy.LessThan():
                return sub(ONE, step(minus(go(c.lhs), go(c.rhs))))
        raise SymbackpropError(f"the condition {type(c).__name__} of a Piecewise is no comparison")


def shortest_decimal(e: Any) -> Fraction:
    """The shortest decimal that stands for the float."""
    value = float(e)
    if value in (float("inf"), float("-inf")) or value != value:
        raise SymbackpropError("a number of an expression is not finite")
    return Fraction(repr(value))
