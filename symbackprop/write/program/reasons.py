"""Why a local derivative is what it is, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from symbackprop.core.functions import FUNCTIONS
from symbackprop.core.terms import (
    Add,
    Apply,
    Array,
    Entry,
    Holds,
    Mul,
    Power,
    Sum,
    Term,
    Whole,
    arguments,
    arrays,
    subterms,
)
from symbackprop.read.numpy import Node

from .steps import absolute, positive_part


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
