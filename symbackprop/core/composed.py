"""Functions of one number that are formulas in those of `functions.py` and in steps, one row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from .functions import ROWS
from .terms import ONE, Apply, Holds, Positive, Power, Term, add, div, mul, neg, num, sub


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


def normal(u: Term) -> Term:
    """Φ(u) of the normal distribution."""
    return mul(num(Fraction(1, 2)), add(ONE, Apply("erf", mul(Power(num(2), Fraction(-1, 2)), u))))


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
    "sech": Composed(value=lambda u: div(ONE, Apply("cosh", u)), words=("sech",), sympy="sech"),
    "coth": Composed(value=lambda u: div(Apply("cosh", u), Apply("sinh", u)), words=("coth",), sympy="coth"),
    "erfc": Composed(value=lambda u: sub(ONE, Apply("erf", u)), words=("erfc",), sympy="erfc"),
}  # fmt: skip


def words() -> dict[str, str]:
    """What each word for a function of one number is usually written as."""
    return {word: row.words[0] for row in ROWS for word in row.words} | {
        word: row.words[0] for row in COMPOSED.values() for word in row.words
    }
