"""Whether a term stays constant around a point: the test that tells a kink from a step that never moves.

The term is written as a polynomial in what can move, with steps off their kinks and masks as numbers
and a maximum as its winner; it stays constant if nothing but a number is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol, TypeAlias, assert_never

from symbackprop.core.indices import IndexExpr, Size
from symbackprop.core.terms import (
    Add, Apply, Array, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Ordinal, Positive, Power, Sum, Term, Whole,
)  # fmt: skip

from . import exact_numbers as numbers
from .duals import Position, Value, real
from .exact_numbers import Number, Undecided, Undefined
from .points import Point, Scope, size_at

Terms: TypeAlias = dict[tuple[int, ...], Number]  # sorted atoms -> coefficient
_LIMIT = 400


class Evaluated(Protocol):
    """What is asked of the evaluation of a point."""

    point: Point

    def value(self, t: Term, scope: Scope) -> Value: ...
    def index(self, e: IndexExpr, scope: Scope) -> int: ...
    def key(self, term: Term, scope: Scope) -> object: ...
    def winner(self, t: Whole, scope: Scope) -> Position: ...
    def positions(self, sizes: tuple[Size, ...]) -> Iterator[Position]: ...
    def unfolded(self, array: Array, position: Position, scope: Scope) -> Scope: ...


class Still:
    """Polynomials over atoms; an atom is a subterm at its index values."""

    def __init__(self, evaluation: Evaluated) -> None:
        self.evaluation = evaluation
        self.atoms: dict[object, int] = {}

    def constant(self, t: Term, scope: Scope) -> bool:
        """Sufficient: t has one value in a neighbourhood.  Raises Undefined where t has none."""
        return all(not atoms for atoms in self.polynomial(t, scope))

    def atom(self, key: object) -> Terms:
        return {(self.atoms.setdefault(key, len(self.atoms)),): Fraction(1)}

    def value(self, t: Term, scope: Scope) -> Terms:
        return cleaned({(): real(self.evaluation.value(t, scope))})

    def polynomial(self, t: Term, scope: Scope) -> Terms:
        e = self.evaluation
        match t:
            case Num() | Size() | Ordinal() | Delta() | Holds(NonNegative()):
                return self.value(t, scope)
            case Entry(array, at):
                position = tuple(e.index(i, scope) for i in at)
                if array in e.point.definitions:
                    return self.polynomial(e.point.definitions[array].body, e.unfolded(array, position, scope))
                return self.value(t, scope) if array in e.point.discrete else self.atom((array, position))
            case Add(args):
                return added(self.polynomial(x, scope) for x in args)
            case Mul(args):
                return self.product(args, scope)
            case Power(base, exponent) if exponent.denominator == 1 and 1 <= exponent <= 4:
                return self.product((base,) * exponent.numerator, scope)
            case Sum(size, body, _):
                count = size_at(size, e.point.sizes)
                return added(self.polynomial(body, scope.inside((k,))) for k in range(count))
            case Holds(Positive(term)):
                if numbers.sign(real(e.value(term, scope))) != 0 or self.constant(term, scope):
                    return self.value(t, scope)
                raise Undefined("a kink: the argument of a step is 0")
            case Whole("max" | "min", 0, sizes, body, _, _):
                winner = e.winner(t, scope)
                return self.polynomial(body, scope.inside(winner))
            case Whole(_, _, sizes, body, _, _):
                inside = all(self.constant(body, scope.inside(k)) for k in e.positions(sizes))
                return self.value(t, scope) if inside else self.atom(e.key(t, scope))
            case Power(arg, _) | Apply(_, arg, _) | Diff(arg, _):
                return self.value(t, scope) if self.constant(arg, scope) else self.atom(e.key(t, scope))
            case _:
                assert_never(t)  # type: ignore[arg-type]

    def product(self, args: tuple[Term, ...], scope: Scope) -> Terms:
        result: Terms = {(): Fraction(1)}
        failed: Undefined | None = None
        for x in args:
            try:
                factor = self.polynomial(x, scope)
            except Undefined as error:
                failed = error
                continue
            if not factor:
                return {}
            result = multiplied(result, factor)
        if failed is not None:
            raise failed
        return result


def added(terms: Iterator[Terms]) -> Terms:
    total: Terms = {}
    for t in terms:
        for k, c in t.items():
            total[k] = numbers.plus(total.get(k, Fraction(0)), c)
    return cleaned(total)


def multiplied(a: Terms, b: Terms) -> Terms:
    if len(a) * len(b) > _LIMIT:
        raise Undecided("too many products to tell whether a term moves")
    return added({tuple(sorted(m + n)): numbers.times(c, d)} for m, c in a.items() for n, d in b.items())


def cleaned(t: Terms) -> Terms:
    return {k: c for k, c in t.items() if type(c) is not Fraction or c}
