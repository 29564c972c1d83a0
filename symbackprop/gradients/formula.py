"""The gradient of an operation that has no rule: Σ_p g_p ∂out_p/∂a_q, worked out by the laws."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symbackprop.core.context import EMPTY
from symbackprop.core.terms import Entry, Term, dummy, mul, num, sum_over
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.tidying import Tidy
from symbackprop.read.numpy import UNIT, ZERO_AT, Node, Recorder, SymArray, Value


def by_formula(recorder: Recorder, node: Node, argument: Node, g: Any) -> SymArray:
    """An array whose entries are that sum.  Raises ProofError where no law differentiates the operation."""
    axes = tuple(dummy(s) for s in node.shape)
    at = tuple(ZERO_AT if i.size == UNIT else i for i in axes)
    upstream: Term = g.at(at) if isinstance(g, Node) else num(Fraction(repr(float(g))))
    term = node.entries.at(*at)

    def entry(to: tuple[Any, ...]) -> Term:
        derivative = chained(term, argument, to)
        return Tidy()(sum_over((i for i in axes if i.size != UNIT), mul(upstream, derivative)))

    return SymArray(Value(argument.shape, "real", entry), scalar=not argument.shape)


def chained(term: Term, argument: Node, to: tuple[Any, ...]) -> Term:
    return differentiate(term, Entry(argument.array, to), EMPTY, Names())[0]
