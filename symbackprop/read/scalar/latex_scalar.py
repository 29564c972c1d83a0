r"""Scalar functions written as LaTeX: an activation `\frac{1}{1+e^{-z}}`, a loss in y and t.

    scalar_latex(r"\frac{1}{1+e^{-z}}", {"z": Z})

latex2sympy (its maintained continuation, latex2sympy2-extended) does the reading, and this is the only module that
calls it.  Left alone it reads much as something else: `\log z` as log_10, `y(z)` as a function, `2 3` as 5, `\coth z`
as cot(h z), `x+1)+2` as x+1; it makes symbols of Python code, and does not return from long or deep input.  So the text
is first taken apart by `scalar_grammar`: short, known commands only, every name declared, every bracket closed.  What
it gets is a spelling without ambiguity, in which every name is x_1, x_2, ....  Its answer must have the numbers that
our own reading has, and becomes a term through `sympy_scalar`.  Never a matrix, never strings in `variable_values`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import sympy

from symbackprop.core.composed import COMPOSED
from symbackprop.core.functions import column
from symbackprop.core.terms import Apply, SymbackpropError, Term

from ..sympy_scalar import scalar_term
from .scalar_grammar import read
from .scalar_pieces import Applied, Reading, U, worth

_TOLERANCE = 1e-9


def scalar_latex(text: str, variables: Mapping[str, Term], functions: Iterable[str] = ()) -> Term:
    r"""The term that the LaTeX means, with a term for each variable, named as it is written (z, y_1, \hat{y}).

    `functions` are letters of abstract functions of one number: f(z), f'(z).  `\sigma` is the logistic function unless
    it is one of them or a variable.  Raises SymbackpropError, naming the part, for what is not read.
    """
    return as_term(read(text, tuple(variables), tuple(functions)), variables)


def scalar_sympy(text: str, variables: Mapping[str, Any]) -> Any:
    """The same as a SymPy expression, with an expression for each variable; no abstract functions."""
    return as_sympy(read(text, tuple(variables), ()), variables)


def as_term(reading: Reading, variables: Mapping[str, Term]) -> Term:
    table: dict[Any, Term] = {}
    for k, hole in enumerate(reading.holes, 1):
        match hole:
            case str(name):
                table[placeholder(k)] = variables[name]
            case Applied(fn, 0, inner) if fn in COMPOSED:
                table[placeholder(k)] = COMPOSED[fn].value(as_term(inner, variables))
            case Applied(fn, order, inner):
                table[placeholder(k)] = Apply(fn, as_term(inner, variables), order)
    return scalar_term(expression(reading), table)


def as_sympy(reading: Reading, variables: Mapping[str, Any]) -> Any:
    table = {}
    for k, hole in enumerate(reading.holes, 1):
        if isinstance(hole, str):
            table[placeholder(k)] = variables[hole]
        else:
            table[placeholder(k)] = in_sympy(hole.fn, as_sympy(hole.inner, variables))
    return expression(reading).xreplace(table)


IN_SYMPY: dict[str, Any] = {
    **{name: getattr(sympy, theirs) for name, theirs in column(lambda f: f.sympy).items()},
    "sigmoid": lambda u: 1 / (1 + sympy.exp(-u)),
    "softplus": lambda u: sympy.log(1 + sympy.exp(u)),
    "relu": lambda u: sympy.Max(0, u),
    "step": lambda u: sympy.Heaviside(u, 0),
}


def in_sympy(fn: str, u: Any) -> Any:
    if fn in IN_SYMPY:
        return IN_SYMPY[fn](u)
    return worth(COMPOSED[fn].value(U), u, lambda q: sympy.Rational(q.numerator, q.denominator), IN_SYMPY)


def expression(reading: Reading) -> Any:
    """What latex2sympy reads, if it is what we read."""
    found = parsed(reading.latex)
    symbols = [placeholder(k) for k in range(1, len(reading.holes) + 1)]
    if not isinstance(found, sympy.Expr) or not found.free_symbols <= set(symbols):
        raise SymbackpropError(f"{reading.text!r} is read as {str(found)[:60]}, which is no number in its variables")
    for sample in reading.samples:
        ours = sample.value
        if ours is None:
            continue
        theirs = complex(found.evalf(20, subs=dict(zip(symbols, sample.holes, strict=True))))
        if abs(theirs - ours) > _TOLERANCE * max(1.0, abs(ours)):
            raise SymbackpropError(f"{reading.text!r} can be read in two ways; put parentheses")
    return found


@lru_cache(maxsize=256)
def parsed(latex: str) -> Any:
    """latex2sympy on text in which nothing but numbers, x_1, x_2, ... and known commands stands."""
    from latex2sympy2_extended import latex2sympy

    try:
        found = latex2sympy(latex)
    except Exception as failure:  # it raises bare Exception, and more from its parser
        raise SymbackpropError(f"not read as a scalar expression: {latex[:80]}") from failure
    if not isinstance(found, sympy.Expr):
        return found
    return found.replace(natural_logarithm, lambda e: sympy.log(e.args[0]))


def natural_logarithm(e: Any) -> bool:
    return isinstance(e, sympy.log) and len(e.args) == 2 and e.args[1] == sympy.E


def placeholder(k: int) -> Any:
    return sympy.Symbol(f"x_{k}")
