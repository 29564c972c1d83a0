"""Functions of one number that are formulas in those of `functions.py` and in steps, one row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from .functions import ROWS
from .terms import ONE, PI, Apply, Holds, Positive, Power, Term, add, div, mul, neg, num, sub

HALF = num(Fraction(1, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """`slope` is the derivative in the form to work with, where the rules of a first course give a longer one."""

    value: Callable[[Term], Term]
    slope: Callable[[Term], Term] | None = None
    words: tuple[str, ...] = ()  # how authors spell it, if they have a word; the usual one first
    sympy: str = ""
    activation: bool = False  # of a layer, by this name


def step(u: Term) -> Term:
    """1 where u > 0, else 0."""
    return Holds(Positive(u))


def sign(u: Term) -> Term:
    return sub(step(u), step(neg(u)))


def absolute(u: Term) -> Term:
    return mul(u, sign(u))


def square(u: Term) -> Term:
    return Power(u, Fraction(2))


def root(u: Term, sign: int = 1) -> Term:
    """√u, or 1/√u."""
    return Power(u, Fraction(sign, 2))


def arcsine(u: Term) -> Term:
    """Between the ends: arcsin u = arctan(u / √(1 - u²))."""
    return Apply("atan", div(u, root(sub(ONE, square(u)))))


def normal(u: Term) -> Term:
    """Φ(u) of the normal distribution."""
    return mul(HALF, add(ONE, Apply("erf", mul(root(num(2), -1), u))))


COMPOSED: dict[str, Composed] = {
    "identity": Composed(value=lambda u: u, activation=True),
    "sqrt": Composed(value=lambda u: Power(u, Fraction(1, 2)), words=("sqrt",)),
    "step": Composed(value=step, words=("step",)),
    "sign": Composed(value=sign, words=("sign", "sgn"), sympy="sign"),
    "abs": Composed(value=absolute, words=("abs",), sympy="Abs"),
    "relu": Composed(value=lambda u: mul(u, step(u)), words=("relu", "ReLU"), activation=True),
    "gelu": Composed(  # exact, not the approximation by tanh
        value=lambda u: mul(u, normal(u)), words=("gelu", "GELU"), activation=True
    ),
    "silu": Composed(value=lambda u: mul(u, Apply("sigmoid", u)), words=("silu", "SiLU", "swish"), activation=True),
    "softsign": Composed(
        value=lambda u: div(u, add(ONE, absolute(u))),
        slope=lambda u: Power(add(ONE, absolute(u)), Fraction(-2)),
        words=("softsign",), activation=True,
    ),
    "tan": Composed(
        value=lambda u: div(Apply("sin", u), Apply("cos", u)),
        slope=lambda u: Power(Apply("cos", u), Fraction(-2)),
        words=("tan",), sympy="tan",
    ),
    "cot": Composed(value=lambda u: div(Apply("cos", u), Apply("sin", u)), words=("cot",), sympy="cot"),
    "sec": Composed(value=lambda u: div(ONE, Apply("cos", u)), words=("sec",), sympy="sec"),
    "csc": Composed(value=lambda u: div(ONE, Apply("sin", u)), words=("csc", "cosec"), sympy="csc"),
    "csch": Composed(value=lambda u: div(ONE, Apply("sinh", u)), words=("csch",), sympy="csch"),
    "arcsin": Composed(
        value=arcsine, slope=lambda u: root(sub(ONE, square(u)), -1), words=("arcsin", "asin"), sympy="asin"
    ),
    "arccos": Composed(
        value=lambda u: sub(mul(HALF, PI), arcsine(u)), slope=lambda u: neg(root(sub(ONE, square(u)), -1)),
        words=("arccos", "acos"), sympy="acos",
    ),
    "arcsinh": Composed(
        value=lambda u: Apply("log", add(u, root(add(square(u), ONE)))), slope=lambda u: root(add(square(u), ONE), -1),
        words=("arcsinh", "arsinh", "asinh"), sympy="asinh",
    ),
    "arccosh": Composed(
        value=lambda u: Apply("log", add(u, root(sub(square(u), ONE)))), slope=lambda u: root(sub(square(u), ONE), -1),
        words=("arccosh", "arcosh", "acosh"), sympy="acosh",
    ),
    "arctanh": Composed(
        value=lambda u: mul(HALF, Apply("log", div(add(ONE, u), sub(ONE, u)))),
        slope=lambda u: Power(sub(ONE, square(u)), Fraction(-1)), words=("arctanh", "artanh", "atanh"), sympy="atanh",
    ),
    "expm1": Composed(value=lambda u: sub(Apply("exp", u), ONE), words=("expm1",)),
    "log1p": Composed(value=lambda u: Apply("log", add(ONE, u)), words=("log1p",)),
    "logit": Composed(value=lambda u: Apply("log", div(u, sub(ONE, u))), words=("logit",)),
    "logsigmoid": Composed(value=lambda u: neg(Apply("softplus", neg(u))), words=("logsigmoid",)),
    "mish": Composed(value=lambda u: mul(u, Apply("tanh", Apply("softplus", u))), words=("mish",)),
    "sech": Composed(value=lambda u: div(ONE, Apply("cosh", u)), words=("sech",), sympy="sech"),
    "coth": Composed(value=lambda u: div(Apply("cosh", u), Apply("sinh", u)), words=("coth",), sympy="coth"),
    "erfc": Composed(value=lambda u: sub(ONE, Apply("erf", u)), words=("erfc",), sympy="erfc"),
}  # fmt: skip

# Functions that people mean by a word, with no one meaning or none here: never a letter that multiplies brackets.
UNREAD = frozenset(
    "sinc lgamma gammaln digamma erfinv erfcinv elu selu celu hardtanh hardsigmoid hardswish softshrink cbrt floor "
    "ceil round".split()
)


def words() -> dict[str, str]:
    """What each word for a function of one number is usually written as."""
    return {word: row.words[0] for row in ROWS for word in row.words} | {
        word: row.words[0] for row in COMPOSED.values() for word in row.words
    }
