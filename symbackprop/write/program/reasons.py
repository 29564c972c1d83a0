"""Why a local derivative is what it is, in a few words; |u| and max(0, u), which terms write as u times steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from symbackprop.core.functions import FUNCTIONS
from symbackprop.core.indices import ProofError
from symbackprop.core.terms import (
    Add,
    Apply,
    Array,
    Entry,
    Holds,
    Mul,
    Num,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
    arguments,
    arrays,
    neg,
    subterms,
)
from symbackprop.prove.tidying import Tidy
from symbackprop.read.numpy import Node


def signed(t: Term) -> Term | None:
    """u of [u > 0] - [-u > 0]."""
    match t:
        case Add((Holds(Positive(u)), Mul((Num(c), Holds(Positive(v)))))) if c == -1 and same(neg(u), v):
            return u
        case _:
            return None


def absolute(args: Sequence[Term]) -> tuple[Term, list[Term]] | None:
    """u where u and its sign are among factors, and the other factors."""
    return beside(args, [signed(a) if isinstance(a, Add) else None for a in args])


def positive_part(args: Sequence[Term]) -> tuple[Term, list[Term]] | None:
    """u where u and [u > 0] are among factors, and the other factors."""
    return beside(args, [a.predicate.term if isinstance(a, Holds) and isinstance(a.predicate, Positive) else None
                         for a in args])  # fmt: skip


def same(a: Term, b: Term) -> bool:
    """Equal but for the order of summands."""
    if a == b:
        return True
    try:
        a, b = Tidy()(a), Tidy()(b)
    except ProofError:  # inside a sum, whose index means nothing by itself
        return False
    return a == b or (isinstance(a, Add) and isinstance(b, Add) and Counter(a.args) == Counter(b.args))


def beside(args: Sequence[Term], steps: Sequence[Term | None]) -> tuple[Term, list[Term]] | None:
    for k, u in enumerate(steps):
        if u is not None:
            j = next((j for j, a in enumerate(args) if j != k and same(a, u)), None)
            if j is not None:
                return u, [x for i, x in enumerate(args) if i not in (j, k)]
    return None


class Spelled(Protocol):
    def text(self, name: str) -> str: ...


def of_derivative(form: str, body: Term, by: Node, notation: Spelled, names: Mapping[Array, str]) -> str:
    """`form` is the compact form that gave the derivative, if one did; `body` the definition that is differentiated."""
    if form:
        return f"the Jacobian of {form.replace('_', ' ')}"
    variable = by.array
    functions = [s for s in subterms(body) if isinstance(s, Apply) and variable in arrays(s.arg)]
    if functions:
        fn = functions[0].fn
        return FUNCTIONS[fn].slope if fn in FUNCTIONS else f"the derivative of {fn}"
    if any(isinstance(s, Holds) and variable in arrays(s) for s in subterms(body)):
        return of_steps(body)
    name = notation.text(names.get(variable, "it"))
    powers = [s for s in subterms(body) if isinstance(s, Power) and variable in arrays(s.base)]
    if any(s.exponent < 0 for s in powers):
        return "quotient rule"
    if powers:
        return "power rule"
    unknown = [s.fn for s in subterms(body) if isinstance(s, Whole) and variable in arrays(s) and len(s.fn) == 1]
    if unknown:
        return f"the derivative of {unknown[0]}"
    match degree(body, variable):
        case 0 | 1:
            return f"linear in {name}"
        case 2:
            return "product rule"
        case _:
            return f"by {name}, step by step"


def of_steps(body: Term) -> str:
    """max(0, u) and |u| as products of u with steps."""
    for s in subterms(body):
        if isinstance(s, Mul) and absolute(s.args) is not None:
            return "|u|' = sign u"
        if isinstance(s, Mul) and positive_part(s.args) is not None:
            return "max(0, u)' = [u > 0]"
    return "[u > 0] is constant on each side of 0"


def degree(t: Term, variable: Array) -> int:
    """How often the variable stands in one product; 9 inside a function of whole arrays."""
    match t:
        case Entry(array, _):
            return int(array == variable)
        case Add(args):
            return max((degree(a, variable) for a in args), default=0)
        case Mul(args):
            return sum(degree(a, variable) for a in args)
        case Sum(_, body, _):
            return degree(body, variable)
        case _:
            return 9 if variable in arrays(t) else max((degree(a, variable) for a in arguments(t)), default=0)
