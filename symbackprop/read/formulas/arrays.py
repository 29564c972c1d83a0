"""Index terms as operations on traced arrays, so that a formula becomes the graph that a NumPy program would.

A term with free indices is an array with an axis for each.  Sums of products become matrix products, or an einsum; a
term that no operation computes becomes a node that is known by its formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeGuard

from symbackprop.core.functions import FUNCTIONS
from symbackprop.core.indices import Index, Size, SymbackpropError
from symbackprop.core.syntax import (
    PI, Add, Apply, Array, Delta, Diff, Entry, Holds, Mul, Num, Positive, Power, Sum, Term, Whole, arrays, free,
    substitute,
)  # fmt: skip
from symbackprop.core.terms import arguments, dummy, is_negative, neg, open_body, opened_whole, opposite, subterms
from symbackprop.read.numpy.context import current

from ..numpy import TRACED_LINALG as linalg
from ..numpy import TRACED_NUMPY as np
from ..numpy import TRACED_SPECIAL as special
from ..numpy import ZERO_AT, SymArray, Value, array_of, size_number
from ..numpy.steps import rewritten
from .contraction import Named, aligned, contracted, together

UFUNCS: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(special, f.operation) for name, f in FUNCTIONS.items()},
    "softplus": lambda x: np.logaddexp(0, x), "abs": np.abs, "relu": lambda x: np.maximum(x, 0),
}  # fmt: skip
HALVES = frozenset({2, 4, 8, 16})  # a fraction with such a denominator is a float


class Lowering:
    """`known` has the arrays by their names in the terms; `between` is told of each value that may get a name."""

    def __init__(self, known: dict[Array, Any], between: Callable[[Term, str, Named], None] | None = None) -> None:
        self.known, self.between, self.memo = known, between, dict[Term, Named]()

    def of(self, t: Term, axes: Sequence[Index]) -> Any:
        """The array of a term with these axes.  Raises SymbackpropError for a derivative in it."""
        found = self.value(t)
        if set(found.axes) != set(axes):  # a constant along some axes
            found = Named(np.add(aligned(found, axes), np.zeros(tuple(size_number(i.size) for i in axes))), tuple(axes))
        return aligned(found, axes)

    def value(self, t: Term) -> Named:
        if t not in self.memo:
            self.memo[t] = self.lowered(t)
        return self.memo[t]

    def lowered(self, t: Term) -> Named:
        if isinstance(t, Diff):
            raise SymbackpropError("a derivative stands in the formula that is to be differentiated")
        try:
            found = self.operation(t)
        except NotAnOperation:
            found = self.formula(t)
        return found

    def operation(self, t: Term) -> Named:
        match t:
            case Num(value):
                return Named(number(value))
            case Size():
                return Named(size_number(t))
            case Entry(array, at):
                return Named(np.pi) if t == PI else self.entry(array, at)
            case Add(args):
                u = signed(t)
                return self.addition(args) if u is None else Named(np.sign(self.value(u).array), self.value(u).axes)
            case Mul() | Sum():
                return self.product(t)
            case Power(base, q):
                return self.power(self.inner(base, "base"), q)
            case Apply(fn, arg, 0) if fn in UFUNCS:
                inner = self.inner(arg, "argument")
                return self.told(t, "value", Named(UFUNCS[fn](inner.array), inner.axes))
            case Holds(Positive(u)):
                inner = self.value(u)
                return Named(np.greater(inner.array, 0), inner.axes)
            case Delta(Index() as i, Index() as j) if i != j and i.size == j.size:
                return Named(np.eye(size_number(i.size)), (i, j))
            case Whole(fn, 0, _, _, at):
                return self.whole(fn, t, at)
            case _:
                raise NotAnOperation

    def inner(self, t: Term, role: str) -> Named:
        found = self.value(t)
        return self.told(t, role, found) if compound(t) else found

    def told(self, t: Term, role: str, found: Named) -> Named:
        if self.between is not None:
            self.between(t, role, found)
        return found

    # --- leaves --------------------------------------------------------------------------------

    def entry(self, array: Array, at: Sequence[object]) -> Named:
        found = self.known.get(array)
        if found is None:
            raise SymbackpropError(f"nothing says what {array} is")
        kept = [e for e in at if isinstance(e, Index)]
        if any(not isinstance(e, Index) and e != ZERO_AT for e in at) or len(set(kept)) < len(kept):
            return self.diagonal(found, at)
        if len(kept) < len(at):
            found = found[tuple(slice(None) if isinstance(e, Index) else 0 for e in at)]
        return Named(found, tuple(kept))

    def diagonal(self, found: Any, at: Sequence[object]) -> Named:
        match tuple(at):
            case (Index() as i, j) if i == j:
                return Named(np.diagonal(found), (i,))
            case _:
                raise NotAnOperation

    def whole(self, fn: str, t: Whole, at: Sequence[object]) -> Named:
        axes = tuple(map(dummy, t.sizes))
        body = self.value(opened_whole(t, axes))
        outer = tuple(i for i in body.axes if i not in axes)
        if set(body.axes) != {*outer, *axes}:
            raise NotAnOperation
        array = aligned(body, (*outer, *axes))
        match fn:
            case "max":
                return Named(np.max(array, axis=tuple(range(len(outer), len(outer) + len(axes)))), outer)
            case "det" if not outer:
                return Named(linalg.det(array))
            case "inv" if not outer and all(isinstance(e, Index) for e in at) and len(set(at)) == 2:
                return Named(linalg.inv(array), tuple(e for e in at if isinstance(e, Index)))
            case _:
                raise NotAnOperation

    # --- sums and products ---------------------------------------------------------------------

    def addition(self, args: Sequence[Term]) -> Named:
        total: Named | None = None
        for t in args:
            negative, rest = (True, opposite(t)) if is_negative(t) else (False, t)
            if total is None:
                total = self.numbers(t)
            else:
                total = together(np.subtract if negative else np.add, total, self.numbers(rest))
        return total or Named(0)

    def numbers(self, t: Term) -> Named:
        """A mask in a sum is 1 or 0."""
        found = self.value(t)
        return Named(np.multiply(found.array, 1.0), found.axes) if isinstance(t, Holds) else found

    def product(self, t: Term) -> Named:
        dummies: list[Index] = []
        factors = with_steps(self.factors(t, dummies))
        coefficient = Fraction(1)
        above: list[Named] = []
        below: list[Named] = []
        for f in factors:
            match f:
                case Num(value):
                    coefficient *= value
                case Power(base, q) if q < 0:
                    below.append(self.power(self.inner(base, "divisor"), -q))
                case Mul():
                    raise NotAnOperation
                case _:
                    above.append(self.value(f))
        for i in dummies:
            if not any(i in n.axes for n in (*above, *below)):
                above.append(Named(size_number(i.size)))
        if any(i in n.axes for n in below for i in dummies):
            above += [Named(np.divide(1, n.array), n.axes) for n in below if set(n.axes) & set(dummies)]
            below = [n for n in below if not set(n.axes) & set(dummies)]
        return self.scaled(coefficient, contracted(above, dummies), below)

    def factors(self, t: Term, dummies: list[Index]) -> list[Term]:
        match t:
            case Mul(args):
                return [f for a in args for f in self.factors(a, dummies)]
            case Sum(size, body, _):
                i = dummy(size)
                dummies.append(i)
                return self.factors(open_body(body, (i,)), dummies)
            case _:
                return [t]

    def scaled(self, c: Fraction, above: Named | None, below: Sequence[Named]) -> Named:
        if above is not None and c.denominator in HALVES:
            return self.scaled(Fraction(1), Named(np.multiply(number(c), above.array), above.axes), below)
        result = above if above is not None else Named(c.numerator)
        if above is not None and c.numerator == -1:
            result = Named(np.negative(result.array), result.axes) if isinstance(result.array, SymArray) else \
                Named(-result.array, result.axes)  # fmt: skip
        elif above is not None and c.numerator != 1:
            result = Named(np.multiply(c.numerator, result.array), result.axes)
        for n in below:
            result = together(np.divide, result, n)
        return result if c.denominator == 1 else Named(np.divide(result.array, c.denominator), result.axes)

    def power(self, base: Named, q: Fraction) -> Named:
        match q:
            case Fraction(numerator=1, denominator=1):
                return base
            case Fraction(numerator=1, denominator=2):
                return Named(np.sqrt(base.array), base.axes)
            case _ if q < 0:
                return Named(np.divide(1, self.power(base, -q).array), base.axes)
            case _:
                return Named(np.power(base.array, number(q)), base.axes)

    # --- what no operation computes ------------------------------------------------------------

    def formula(self, t: Term) -> Named:
        """A node that is known by its entries."""
        axes = in_order_of_use(t)
        body = self.in_nodes(t)

        def entry(at: tuple[Any, ...]) -> Term:
            return substitute(body, dict(zip(axes, at, strict=True)))

        value = Value(tuple(i.size for i in axes), "real", entry)
        recorder = current().recorder
        if recorder is None:
            return Named(SymArray(value, scalar=not axes), axes)
        return Named(array_of(recorder.node(value)), axes)

    def in_nodes(self, t: Term) -> Term:
        """The term with the entries of the arrays of this run."""
        unknown = arrays(t) - self.known.keys() - {PI.array}
        if unknown:
            raise SymbackpropError(f"nothing says what {min(map(str, unknown))} is")
        if any(isinstance(s, Diff) for s in subterms(t)):
            raise SymbackpropError("a derivative stands in the formula that is to be differentiated")
        return rewritten(t, {a: x.value.term for a, x in self.known.items() if isinstance(x, SymArray)})


class NotAnOperation(Exception):
    """No array operation computes this."""


# --- terms ---------------------------------------------------------------------------------------


def with_steps(factors: list[Term]) -> list[Term]:
    """u [u > 0] is relu(u), u sign(u) is |u|."""
    for f in factors:
        u = signed(f) if isinstance(f, Add) else f.predicate.term if is_positive(f) else None
        if u is not None and u in factors:
            rest = [x for x in factors if x is not f]
            rest[rest.index(u)] = Apply("abs" if isinstance(f, Add) else "relu", u)
            return with_steps(rest)
    return factors


def is_positive(t: Term) -> TypeGuard[Any]:
    return isinstance(t, Holds) and isinstance(t.predicate, Positive)


def signed(t: Term) -> Term | None:
    """u of [u > 0] - [-u > 0]."""
    match t:
        case Add((Holds(Positive(u)), Mul((Num(value), Holds(Positive(v)))))) if value == -1 and v == neg(u):
            return u
        case _:
            return None


def in_order_of_use(t: Term) -> tuple[Index, ...]:
    """The free indices as they stand in the entries, others after them."""
    used = [i for s in subterms(t) if isinstance(s, Entry) for i in s.at if isinstance(i, Index)]
    known = free(t)
    return tuple(dict.fromkeys([*(i for i in used if i in known), *sorted(known, key=lambda i: i.name)]))


def number(q: Fraction) -> int | float:
    return int(q) if q.denominator == 1 else float(q)


def compound(t: Term) -> bool:
    """More than an entry, a number or a multiple of one: worth a name of its own."""
    if not arrays(t) - {PI.array}:
        return False
    match t:
        case Entry():
            return False
        case Mul((Num() | Size(), Entry())):
            return False
        case _:
            return True


def nested(t: Term) -> int:
    """How many functions stand inside one another."""
    inside = [nested(s) for s in arguments(t)] if not isinstance(t, Whole) else [0]
    if isinstance(t, Sum):
        return nested(open_body(t.body, (dummy(t.size),)))
    return max(inside, default=0) + isinstance(t, Apply | Power)


__all__ = ["Lowering", "Named", "compound", "nested"]
