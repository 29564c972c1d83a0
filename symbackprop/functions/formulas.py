"""Claims as formulas to read: `∂L/∂x[i,j] = ...`."""

from __future__ import annotations

from symbackprop.core.indices import Index
from symbackprop.core.terms import Entry, Term
from symbackprop.write.paper.array_text import ArrayText, equation, latex, symbols
from symbackprop.write.paper.naming import Named, with_names

from .claims import Claim

EASY = 100  # characters that are read at a glance


def formula(claim: Claim, term: Term) -> str:
    """`∂L/∂x[i,j] = ...`, and on lines of their own what the names in it stand for."""
    named = named_parts(claim, term)
    writer = ArrayText(named.term, claim.axes)
    at = ",".join(map(writer.index, claim.at))
    main = f"{claim.label}{f'[{at}]' if at else ''} = {writer.written(named.term)}"
    return "\n".join([main, *(f"with {equation(n, meaning, indices_of(n))}" for n, meaning in named.names)])


def formula_latex(claim: Claim, term: Term) -> str:
    named = named_parts(claim, term)
    at = "".join(map(ArrayText(named.term, claim.axes).index, claim.at))
    below = f"_{{{at}}}" if at else ""
    main = rf"\left({claim.label_latex}\right){below} = {latex(named.term, claim.axes)}"
    meanings = (f"{latex(n, indices_of(n))} = {latex(m, indices_of(n))}" for n, m in named.names)
    return r",\quad ".join([main, *meanings])


def named_parts(claim: Claim, term: Term) -> Named:
    if len(ArrayText(term, claim.axes).written(term)) <= EASY:
        return Named(term)
    return with_names(term, claim.axes, symbols(term) | frozenset(claim.inputs))


def indices_of(name: Entry) -> tuple[Index, ...]:
    return tuple(i for i in name.at if isinstance(i, Index))
