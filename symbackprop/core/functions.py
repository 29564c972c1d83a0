"""The functions of one number that have laws of their own, and what each is called everywhere: one row a function.

Readers, writers and evaluators take their columns from here.  What is trusted of a function, its slope and its form in
exponentials, is a law (`laws/functions.py`); functions that are formulas in these are in `composed.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias


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
    cmath: Cell
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
        math=name, cmath=name, c=name, ball=name, coq=coq, everywhere=everywhere,
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
        lax="erf", torch="erf", aten="erf", sympy="erf", math="erf", cmath=Absent("real arguments only"), c="erf",
        ball="erf", coq=NO_LEMMA,
    ),
    Function(
        name="sigmoid", words=("sigmoid", "sigm", "logistic", "Sigmoid", "expit"), text="σ", latex=r"\sigma",
        slope="σ' = σ (1 - σ)", at_zero=Fraction(1, 2), numpy=Absent("SciPy has it"), scipy="expit",
        code="1 / (1 + exp(-{}))", jax="jax.nn.sigmoid", lax="logistic", torch="sigmoid", aten="sigmoid",
        sympy=Absent("an undefined function of this name"), math=Absent("written with exp"),
        cmath=Absent("written with exp"), c=Absent("written with exp"), ball=Absent("written with exp"), coq="sigmoid",
    ),
    Function(
        name="softplus", words=("softplus",), text="softplus", latex=r"\operatorname{softplus}",
        slope="softplus' = σ", at_zero=Absent("log 2, which is no fraction"), numpy=Absent("SciPy has it"),
        scipy="softplus", code="logaddexp(0, {})", jax="jax.nn.softplus", lax=Absent("written with log1p"),
        torch="torch.nn.functional.softplus", aten=Absent("has parameters of its own"),
        sympy=Absent("an undefined function of this name"), math=Absent("written with log1p"),
        cmath=Absent("written with log1p"), c=Absent("written with log1p"), ball=Absent("written with log"),
        coq="softplus",
    ),
)  # fmt: skip
FUNCTIONS = {f.name: f for f in ROWS}


def column(cell: Callable[[Function], Cell]) -> dict[str, str]:
    """The cells that are filled, by the functions' names in terms."""
    return {f.name: c for f in ROWS if isinstance(c := cell(f), str)}
