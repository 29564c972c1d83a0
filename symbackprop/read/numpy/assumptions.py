"""Hypotheses written as NumPy comparisons: lambda x, eps: [eps > 0, x.sum(-1) == 1, A == A.T]."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import permutations
from typing import Any

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.sums import same
from symbackprop.core.syntax import ONE, ZERO, Add, AtLeastZero, Mul, Nonzero, Num, Positive, Term, free, substitute
from symbackprop.core.terms import add, mul, num
from symbackprop.read.numpy.axes import Declared

from .algebra import minus
from .array import SymArray
from .axes import aligned, broadcast
from .context import TraceError, Tracing, tracing
from .tracing import run_raw, tensor
from .values import Value


def trace_assumptions(assuming: Callable[..., Any], arguments: Mapping[str, Declared | Any]) -> tuple[Hypothesis, ...]:
    """The hypotheses that the function lists, each for all values of its free indices.

    Its parameters are matched by name.  A comparison means all entries; `==` gives an equation.  Raises TraceError
    for a parameter that is not an argument, and for what is no comparison.
    """
    names = list(inspect.signature(assuming).parameters)
    missing = [n for n in names if n not in arguments]
    if missing:
        raise TraceError(f"assuming: the parameter {missing[0]!r} is not an argument of the functions")
    with tracing(Tracing(names=frozenset(arguments))):
        return run_raw(assuming, {n: arguments[n] for n in names}, lambda result: tuple(forced(hypotheses(result))))


def forced(given: list[Hypothesis]) -> list[Hypothesis]:
    """An equation in place of t >= 0 where -t >= 0 is given too, perhaps with other indices: A >= A.T."""
    closed = [h.term for h in given if isinstance(h, AtLeastZero)]
    found = [equation(h.term) if isinstance(h, AtLeastZero) and opposed(h.term, closed) else h for h in given]
    return [h for k, h in enumerate(found) if h not in found[:k] and turned(h) not in found[:k]]


def turned(h: Hypothesis) -> Hypothesis:
    return Same(h.rhs, h.lhs) if isinstance(h, Same) else h


def equation(t: Term) -> Same:
    """t = 0, with what is subtracted on the other side."""
    parts = list(summands(t, Fraction(1)))
    return Same(*(add(*(mul(num(abs(c)), a) for c, a in parts if (c > 0) == side)) for side in (True, False)))


def summands(t: Term, c: Fraction) -> Iterator[tuple[Fraction, Term]]:
    """Of c * t, each with its coefficient."""
    match t:
        case Add(args):
            yield from (s for a in args for s in summands(a, c))
        case Mul((Num(k), rest)):
            yield from summands(rest, c * k)
        case Num(k):
            yield c * k, ONE
        case _:
            yield c, t


def opposed(t: Term, closed: Iterable[Term]) -> bool:
    indices = sorted(free(t), key=lambda i: i.name)
    for u in closed:
        others = sorted(free(u), key=lambda i: i.name)
        for order in permutations(others) if len(others) == len(indices) else ():
            if all(i.size == j.size for i, j in zip(indices, order, strict=True)):
                negative = substitute(u, dict(zip(order, indices, strict=True)))
                if same(add(t, negative), ZERO) == (True, frozenset()):
                    return True
    return False


def hypotheses(x: Any) -> list[Hypothesis]:
    if isinstance(x, list | tuple):
        return [h for y in x for h in hypotheses(y)]
    if x is True:
        return []
    if x is False:
        raise TraceError("a hypothesis is false for all sizes and values")
    if isinstance(x, SymArray):
        v = x.value
        if v.origin is not None:
            return comparison(*v.origin)
    raise TraceError("a hypothesis is a comparison such as eps > 0 or t.sum(-1) == 1, or a list of them")


def comparison(name: str, left: Value, right: Value) -> list[Hypothesis]:
    if name == "and":
        return [h for v in (left, right) for h in hypotheses(SymArray(v))]
    shape = broadcast(left.shape, right.shape)

    def body(f: Callable[[Term, Term], Term]) -> Term:
        sides = (left.term, left.shape), (right.term, right.shape)
        return tensor(Value(shape, "real", lambda at: f(*(term(aligned(own, at)) for term, own in sides)))).body

    if name == "equal":
        lhs, rhs = body(lambda a, b: a), body(lambda a, b: b)
        return [equation(lhs) if rhs == ZERO else Same(lhs, rhs)]
    return [KINDS[name](body(lambda a, b: minus(b, a) if name.startswith("less") else minus(a, b)))]


KINDS: Mapping[str, Callable[[Term], Hypothesis]] = {
    "greater": Positive, "less": Positive, "greater_equal": AtLeastZero, "less_equal": AtLeastZero,
    "not_equal": Nonzero,
}  # fmt: skip
