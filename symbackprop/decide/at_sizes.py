"""Terms with numbers in place of size symbols: the problem at n = 1, or at B = 2, D = 3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from symbackprop.core.context import Context, Same
from symbackprop.core.indices import Affine, Least, Node, Size, affine, sized, with_symbols
from symbackprop.core.terms import Array, Num

from .decide import Problem

Sizes = Mapping[str, int]


def at(x: Any, values: Sizes, field: str = "") -> Any:
    """A node, or a tuple of them, with the numbers; what is called like a size is none of the terms."""
    match x:
        case Size():
            found = with_symbols(x, lambda s: sized(values.get(s, s)))
            return found if found.constant is None or field in ("size", "sizes") else Num(Fraction(found.constant))
        case Affine(constant, parts):
            return affine(at(constant, values, "size"), [(at(a, values), at(k, values, "size")) for a, k in parts])
        case tuple():
            return tuple(at(y, values, field) for y in x)
        case Node() if not isinstance(x, Array):
            kind: Any = type(x)
            return kind(*(at(getattr(x, name), values, name) for name in kind.__match_args__))
        case _:
            return x


def context_at(context: Context, values: Sizes) -> Context:
    definitions = {a: at(t, values) for a, t in context.definitions.items()}
    hypotheses = {name: at(h, values) for name, h in context.hypotheses.items()}
    return Context(definitions, hypotheses, Least({s: n for s, n in context.least.values.items() if s not in values}))


def problem_at(problem: Problem, values: Sizes) -> Problem:
    """The problem with these sizes.  Axes that become of length 1 keep their index, whose only value is 0."""
    s = problem.statement
    statement = replace(
        s, lhs=at(s.lhs, values), rhs=at(s.rhs, values), context=context_at(s.context, values),
        forward=at(s.forward, values), lengths=at(s.lengths, values, "sizes"),
    )  # fmt: skip
    return replace(
        problem,
        statement=statement,
        axes=at(problem.axes, values),
        shapes={a: at(shape, values, "sizes") for a, shape in problem.shapes.items()},
    )


def sizes_in(hypotheses: Iterable[object]) -> dict[str, int] | None:
    """n = 1 and the like, if that is all they say."""
    values: dict[str, int] = {}
    for h in hypotheses:
        match h:
            case Same(Size(((((name,), 1)),)), Num(value)) if value.denominator == 1:
                values[name] = int(value)
            case _:
                return None
    return values or None
