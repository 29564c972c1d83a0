"""The table of laws.  A law is a function from a context and its arguments to an equation, or it refuses.

Its annotations say of what kinds its arguments are; `rows.py` reads no others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..context import Context, Equation, Same
from ..indices import Index, IndexExpr
from symbackprop.core.signs import within
from ..terms import Entry, ProofError, require, substitute

LAWS: dict[str, Callable[..., Equation]] = {}
L = TypeVar("L", bound=Callable[..., Equation])


def law(statement: L) -> L:
    LAWS[statement.__name__] = statement
    return statement


# What the parameters of laws in tables are called; all others are terms.
KINDS = {"args": "tuple[Term, ...]", "p": "Fraction", "q": "Fraction", "wrt": "Entry"}


def table(laws: dict[str, tuple[str, Callable[..., tuple[Any, ...]]]]) -> None:
    """Equations between terms: name, statement, and the two sides with the conditions."""
    for name, (statement, sides) in laws.items():
        law(stated(name, statement, sides))


def stated(name: str, statement: str, sides: Callable[..., tuple[Any, ...]]) -> Callable[..., Equation]:
    def equation(context: Context, *args: Any) -> Equation:
        lhs, rhs, *conditions = sides(*args)
        return Equation(lhs, rhs, frozenset(conditions))

    equation.__name__, equation.__doc__ = name, statement
    names = sides.__code__.co_varnames[: sides.__code__.co_argcount]
    equation.__annotations__ = {n: KINDS.get(n, "Term") for n in names}
    return equation


def instance(name: str, context: Context, args: tuple[Any, ...]) -> Equation:
    """The law at these arguments.  Raises ProofError where it does not hold for them."""
    return LAWS[name](context, *args)


# --- definitions and hypotheses enter here and nowhere else ---------------------------------------


@law
def unfold(context: Context, e: Entry) -> Equation:
    """z_i  =  its definition"""
    require(e.array in context.definitions, "{} has no definition", e.array)
    return Equation(e, context.definitions[e.array].at(*e.at))


@law
def assume(context: Context, name: str, values: tuple[tuple[Index, IndexExpr], ...]) -> Equation:
    """lhs = rhs, a hypothesis, for some values of its indices"""
    require(name in context.hypotheses, "no hypothesis is called {}", name)
    h = context.hypotheses[name]
    if not isinstance(h, Same):
        raise ProofError(f"the hypothesis {name} is not an equation")
    for i, e in values:
        require(within(e, i.size, context.least), "{}: an index may leave its range 0..{}-1", name, i.size)
    given = dict(values)
    return Equation(substitute(h.lhs, given), substitute(h.rhs, given), frozenset(), frozenset({name}))
