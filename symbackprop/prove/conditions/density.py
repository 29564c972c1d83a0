"""Finding why something is not 0 on a dense set: values of the arrays that move at which it is plainly not 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, product

from symbackprop.clock import Effort
from symbackprop.core.context import Context, terms_of
from symbackprop.core.discharge import dense
from symbackprop.core.indices import Index, Size, sized
from symbackprop.core.reasons import Dense, Reason
from symbackprop.core.region import Smoothness, needs
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ONE, PI, ZERO, Array, Delta, Entry, Nonzero, Num, Ordinal, Term, add, subterms
from symbackprop.prove.normal_form.session import FAILED

from .reasons import Seeker

TRIES = 40
MOST = 4  # arrays that move at once


def density(
    p: Nonzero, context: Context, shapes: Mapping[Array, tuple[Size, ...]], effort: Effort
) -> Dense | None:
    """A checked Dense for u != 0, or None."""
    arrays = movable(p.term, context)[:MOST]
    for values in islice(assignments(arrays, shapes), TRIES):
        moved, smooth = frozenset(a for a, _ in values), Smoothness(context)
        still = {
            name: h for name, h in context.hypotheses.items()
            if not any(smooth.moves(t, moved) for t in terms_of(h))
        }  # fmt: skip
        fixed = Seeker(Context(context.definitions, still, context.least), effort)
        analytic: list[Reason] = []
        for q in needs(p.term, fixed.context, moved):
            why = fixed.reason(q, 2)
            if why is None:
                break
            analytic.append(why)
        else:
            there = Context({**context.definitions, **dict(values)}, still, context.least)
            reason = Seeker(there, effort).reason(p, 2)
            if reason is None:
                continue
            found = Dense(p, values, tuple(analytic), reason)
            try:
                dense(found, context)
            except FAILED:
                continue
            return found
    return None


def movable(t: Term, context: Context) -> list[tuple[Array, int]]:
    """The free arrays that t rests on, with their numbers of axes, in the order in which they are met."""
    found: dict[Array, int] = {}
    todo = [t]
    seen: set[Array] = set()
    for term in todo:
        for s in subterms(term):
            if not isinstance(s, Entry) or s.array in seen:
                continue
            seen.add(s.array)
            meanings = context.meanings(s.array)
            todo += [m.body for m in meanings]
            if not meanings and s.array != PI.array:
                found[s.array] = len(s.at)
    return list(found.items())


def assignments(
    arrays: list[tuple[Array, int]], shapes: Mapping[Array, tuple[Size, ...]]
) -> Iterator[tuple[tuple[Array, Tensor], ...]]:
    """All of one kind first, then one array alone, then mixtures."""
    kinds = range(5)
    for k in kinds:
        yield tuple((a, simple(k, a, n, shapes)) for a, n in arrays)
    for a, n in arrays if len(arrays) > 1 else []:
        for k in kinds:
            yield ((a, simple(k, a, n, shapes)),)
    for mixture in product(kinds, repeat=len(arrays)):
        yield tuple((a, simple(k, a, n, shapes)) for k, (a, n) in zip(mixture, arrays, strict=True))


def simple(kind: int, array: Array, axes: int, shapes: Mapping[Array, tuple[Size, ...]]) -> Tensor:
    """Ones, zeros, a unit matrix, the numbers 1, 2, 3, ... along the last axis, or all 2."""
    sizes = shapes.get(array, tuple(sized(f"size{k}") for k in range(axes)))
    at = tuple(Index(f"axis{k}", n) for k, n in enumerate(sizes))
    match kind:
        case 0:
            body: Term = ONE
        case 1:
            body = ZERO
        case 2:
            body = Delta(at[-2], at[-1]) if axes > 1 else Num(ONE.value / 2)
        case 3:
            body = add(Ordinal(at[-1]), ONE) if axes else Num(ONE.value * 3)
        case _:
            body = Num(ONE.value * 2)
    return Tensor(at, body)
