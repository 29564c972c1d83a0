"""The functions of one number that have laws of their own, and what each is called everywhere: one row a function.

Readers, writers and evaluators take their columns from here.  What is trusted of a function, its slope and its form in
exponentials, is a law (`laws/functions.py`); those below are formulas in these, and have none of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from symbackprop.core.terms import ONE, PI, Apply, Holds, Positive, Power, Term, add, div, mul, neg, num, sub


@dataclass(frozen=True, slots=True)
class Absent:
    """A cell with nothing in it."""

    why: str


Cell: TypeAlias = str | Absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    name: str  # in terms
    words: tuple[str, ...]  # how authors spell it, in formulas and as a LaTeX command; the usual one first
    text: str
    latex: str
    slope: str  # in words
    at_zero: Fraction | Absent  # its value there
    numpy: Cell
    scipy: Cell  # in scipy.special
    code: str  # in functions of NumPy, and erf; {} is the argument
    jax: str  # in jax.numpy, or with its module
    lax: Cell  # a primitive of JAX
    torch: str  # in torch, or with its module
    aten: Cell
    sympy: Cell
    math: Cell  # in Python's math
    c: Cell  # in libm
    ball: Cell  # a method of arb
    coq: Cell  # in mathcomp-analysis, as the export writes it
    everywhere: bool = True  # has a value for every real number

    @property
    def operation(self) -> str:
        """What a graph of NumPy operations calls it."""
        found = self.numpy if isinstance(self.numpy, str) else self.scipy
        assert isinstance(found, str)
        return found


NO_LEMMA = Absent("the export has no lemma for its derivative")


def everywhere_known(
    name: str, slope: str, at_zero: int | Absent, *, numpy: str = "", words: tuple[str, ...] = (), coq: Cell = NO_LEMMA,
    everywhere: bool = True,
) -> Function:  # fmt: skip
    """A function that all libraries have: NumPy's like under one name, the mathematicians' under another, at most."""
    numpy = numpy or name
    return Function(
        name=name, words=(numpy, *words), text=numpy, latex=rf"\{numpy}", slope=slope,
        at_zero=at_zero if isinstance(at_zero, Absent) else Fraction(at_zero), numpy=numpy,
        scipy=Absent("NumPy has it"), code=f"{numpy}({{}})", jax=numpy, lax=name, torch=numpy, aten=name, sympy=name,
        math=name, c=name, ball=name, coq=coq, everywhere=everywhere,
    )  # fmt: skip


ROWS = (
    everywhere_known("exp", "exp' = exp", 1, coq="expR"),
    everywhere_known("log", "log' u = 1/u", Absent("has none"), words=("ln",), coq="ln", everywhere=False),
    everywhere_known("tanh", "tanh' = 1 - tanh²", 0, coq="tanh"),
    everywhere_known("sin", "sin' = cos", 0, coq="sin"),
    everywhere_known("cos", "cos' = -sin", 1, coq="cos"),
    everywhere_known("sinh", "sinh' = cosh", 0, coq="sinh"),
    everywhere_known("cosh", "cosh' = sinh", 1, coq="cosh"),
    everywhere_known("atan", "arctan' u = 1/(1 + u²)", 0, numpy="arctan", words=("atan", "arctg")),
    Function(
        name="erf", words=("erf",), text="erf", latex=r"\operatorname{erf}", slope="erf' u = 2/√π exp(-u²)",
        at_zero=Fraction(0), numpy=Absent("SciPy has it"), scipy="erf", code="erf({})", jax="jax.scipy.special.erf",
        lax="erf", torch="erf", aten="erf", sympy="erf", math="erf", c="erf",
        ball="erf", coq=NO_LEMMA,
    ),
    Function(
        name="sigmoid", words=("sigmoid", "sigm", "logistic", "Sigmoid", "expit"), text="σ", latex=r"\sigma",
        slope="σ' = σ (1 - σ)", at_zero=Fraction(1, 2), numpy=Absent("SciPy has it"), scipy="expit",
        code="1 / (1 + exp(-{}))", jax="jax.nn.sigmoid", lax="logistic", torch="sigmoid", aten="sigmoid",
        sympy=Absent("an undefined function of this name"), math=Absent("written with exp"),
        c=Absent("written with exp"), ball=Absent("written with exp"), coq="sigmoid",
    ),
    Function(
        name="softplus", words=("softplus",), text="softplus", latex=r"\operatorname{softplus}",
        slope="softplus' = σ", at_zero=Absent("log 2, which is no fraction"), numpy=Absent("SciPy has it"),
        scipy="softplus", code="logaddexp(0, {})", jax="jax.nn.softplus", lax=Absent("written with log1p"),
        torch="torch.nn.functional.softplus", aten=Absent("has parameters of its own"),
        sympy=Absent("an undefined function of this name"), math=Absent("written with log1p"),
        c=Absent("written with log1p"), ball=Absent("written with log"),
        coq="softplus",
    ),
)  # fmt: skip
FUNCTIONS = {f.name: f for f in ROWS}


def column(cell: Callable[[Function], Cell]) -> dict[str, str]:
    """The cells that are filled, by the functions' names in terms."""
    return {f.name: c for f in ROWS if isinstance(c := cell(f), str)}


# --- functions of one number that are formulas in those of `functions.py` and in steps, one row each ---


HALF = num(Fraction(1, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """`slope` is the derivative in the form to work with, where the rules of a first course give a longer one."""

    value: Callable[[Term], Term]
    slope: Callable[[Term], Term] | None = None
    words: tuple[str, ...] = ()  # how authors spell it, if they have a word; the usual one first
    sympy: str = ""
    activation: bool = False  # of a layer, by this name


def step(u: Term) -> Holds:
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
