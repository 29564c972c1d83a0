"""The table of laws.  A law is a function from a context and its arguments to an equation, or it refuses.

`instance` gives a law only arguments of the types that it declares, closed and in canonical form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..context import Context, Equation
from ..indices import require
from ..proper import closed, closed_axes, closed_index, fraction, natural, pair, text, tuple_of
from ..terms import Entry, Whole

LAWS: dict[str, Callable[..., Equation]] = {}
L = TypeVar("L", bound=Callable[..., Equation])


def law(statement: L) -> L:
    kinds(statement)  # every argument is of a kind that can be checked
    LAWS[statement.__name__] = statement
    return statement


def instance(name: str, context: Context, args: tuple[object, ...]) -> Equation:
    """The law at these arguments.  Raises ProofError where an argument is not of the kind it should be."""
    require(type(name) is str and name in LAWS, "no law is called {}", name)
    wanted = kinds(LAWS[name])
    require(len(tuple_of(args)) == len(wanted), "{} takes {} arguments, not {}", name, len(wanted), len(args))
    for check, a in zip(wanted, args, strict=True):
        check(a)
    return LAWS[name](context, *args)


def kinds(statement: Callable[..., Equation]) -> list[Callable[[object], None]]:
    return [KINDS[a] for n, a in statement.__annotations__.items() if n not in ("context", "return")]


def entry(x: object) -> None:
    require(type(x) is Entry, "{} is no entry of an array", x)
    closed(x)


def whole(x: object) -> None:
    require(type(x) is Whole, "{} is no function of an array", x)
    closed(x)


def index(x: object) -> None:
    closed_axes((x,))


def two_axes(x: object) -> None:
    closed_axes(pair(x))


def terms(x: object) -> None:
    for t in tuple_of(x):
        closed(t)


def indices(x: object) -> None:
    for e in tuple_of(x):
        closed_index(e)


def values(x: object) -> None:
    """Index expressions for indices, each index once."""
    pairs = [pair(p) for p in tuple_of(x)]
    closed_axes(tuple(i for i, _ in pairs))
    for _, e in pairs:
        closed_index(e)


KINDS: dict[str, Callable[[object], None]] = {
    "Term": closed,
    "Entry": entry,
    "Whole": whole,
    "Index": index,
    "IndexExpr": closed_index,
    "Fraction": fraction,
    "int": natural,
    "str": text,
    "tuple[Term, ...]": terms,
    "tuple[Index, ...]": closed_axes,
    "tuple[Index, Index]": two_axes,
    "tuple[IndexExpr, ...]": indices,
    "tuple[tuple[Index, IndexExpr], ...]": values,
}

__all__ = ["LAWS", "instance", "law", "values"]
