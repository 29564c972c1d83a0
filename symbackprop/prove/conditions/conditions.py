"""What a theorem needs besides its hypotheses, sorted: what costs nothing, and what would make the claim weaker.

The sentence to prove is about all points that satisfy the hypotheses and where the forward computation has a value
and a derivative, up to a null set.  So a condition is free when it fails only where the forward has no value (an
inverse, a logarithm, a root in it), or on a null set (a kink, a tie).  Any other condition is `left`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.core.context import Context
from symbackprop.core.indices import Index, Size
from symbackprop.core.laws.functions import PI
from symbackprop.core.ordering import Key, predicate_key
from symbackprop.core.signs import Signs
from symbackprop.core.sums import same
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import (
    Add,
    AtLeastZero,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Positive,
    Power,
    Predicate,
    Sum,
    Term,
    Whole,
    arguments,
    free,
    neg,
    open_body,
    opened_whole,
    subterms,
)
from symbackprop.functions.verdict import Condition
from symbackprop.numbers.evaluate import Point, holds
from symbackprop.write.paper.array_text import latex_condition, predicate_text

from .domain import Domain, nameless
from .generic import Generic
from .sizes import Sizes, size_of

NO_VALUE = "the forward has no value elsewhere"
NO_DERIVATIVE = "the forward has no derivative elsewhere"
KINK, TIE, NULL = "a kink of the forward", "the largest entry stands alone", "fails only on a null set"


@dataclass(frozen=True, slots=True)
class Sorted:
    """`listed` is for the reader; each of `left` excludes points that the claim is about, as far as is known."""

    listed: tuple[Condition, ...]
    left: tuple[Predicate, ...]


def sort_conditions(
    conditions: Iterable[Predicate],
    context: Context,
    forward: Sequence[Tensor],
    axes: Sequence[Index] = (),
    lengths: Iterable[Size] = (),
    others: Iterable[Term] = (),
    almost: bool = True,
) -> Sorted:
    """`forward` are the arrays that must have a value; `axes` the indices of the claim, for letters.

    `lengths` are the sizes of the axes that occur, which are no negative numbers; `others` terms whose signs may help.
    Without `almost` (two functions are to be equal everywhere) null sets count.
    """
    return Sorter(context, forward, axes, lengths, others, almost).sorted(conditions)


class Sorter:
    def __init__(
        self,
        context: Context,
        forward: Sequence[Tensor],
        axes: Sequence[Index],
        lengths: Iterable[Size],
        others: Iterable[Term],
        almost: bool,
    ) -> None:
        self.almost = almost
        self.others = tuple(others)
        self.context, self.forward, self.axes = context, forward, axes
        self.lengths = {*lengths, *(n for t in forward for n in t.shape)}
        self.signs, self.generic = Signs(context), Generic(context)
        self.sizes = Sizes(context.hypotheses.values())
        self._domain: Domain | None = None
        self._kinks: set[Key] | None = None

    @property
    def domain(self) -> Domain:
        if self._domain is None:
            self._domain = Domain(self.forward, self.context, self.others)
        return self._domain

    @property
    def kinks(self) -> set[Key]:
        if self._kinks is None:
            steps = [s for t in self.forward for s in all_steps(t.body)]
            self._kinks = {nameless(s) for s in steps}
        return self._kinks

    def sorted(self, conditions: Iterable[Predicate]) -> Sorted:
        listed: dict[Key, Condition] = {}
        left: dict[Key, Predicate] = {}
        for c in sorted((d for condition in conditions for d in simpler(condition)), key=predicate_key):
            if self.implied(c):
                continue
            k = self.key(c)
            if k in left:
                left[k] = min(left[k], c, key=lambda p: len(predicate_text(p)))
                continue
            why = listed[k].why if k in listed else self.free_of_charge(c)
            if why is None:
                left[k] = c
            elif why:
                new = Condition(predicate_text(c, self.axes), why, c, latex_condition(c, self.axes))
                listed[k] = min(listed.get(k, new), new, key=lambda x: len(x.text))
        return Sorted(tuple(listed.values()), tuple(left.values()))

    def key(self, c: Predicate) -> Key:
        """The same for conditions that say the same: up to names of indices and positive factors."""
        if isinstance(c, NonNegative):
            return predicate_key(c)
        return (type(c).__name__, *self.domain.canonical(c.term, either_sign=isinstance(c, Nonzero)))

    def implied(self, c: Predicate) -> bool:
        """By the signs, the hypotheses about sizes, or because it is about numbers only."""
        if self.signs.holds(c):
            return True
        size = size_of(c)
        if size is not None:
            return self.sizes.holds(c, size) or (not isinstance(c, Positive | Nonzero) and size in self.lengths)
        if not isinstance(c, Positive | Nonzero | AtLeastZero):
            return False
        return (constant(c.term) and holds(c, Point())) or self.domain.is_positive(c.term)

    def free_of_charge(self, c: Predicate) -> str | None:
        """Why the condition costs nothing; None where that is not known."""
        match c:
            case Positive(Whole("gap", _, _, _, _, _) as gap) if self.almost:
                return TIE if self.generic.nonzero(gap) else None
            case Positive(u):
                if self.domain.has_value_only_if_positive(u):
                    return NO_VALUE
                if self.almost and self.domain.under_root(u) and self.generic.nonzero(u):
                    return NO_DERIVATIVE
                return "" if self.almost and self.generic.positive(u) else None
            case Nonzero(u):
                if self.domain.has_value_only_if_nonzero(u) or (size_of(c) is not None and u in self.domain.sizes):
                    return NO_VALUE
                if self.almost and self.generic.nonzero(u):
                    return KINK if nameless(u) in self.kinks else NULL
                return None
            case _:
                return None


def simpler(c: Predicate) -> Iterator[Predicate]:
    """Products and powers taken apart; together these imply the condition."""
    match c:
        case Nonzero(Mul(args)):
            for a in args:
                yield from simpler(Nonzero(a))
        case Nonzero(Power(base, q)):
            yield from simpler(Nonzero(base))
        case Nonzero(Add((Holds(Positive(u)), Mul((Num(), Holds(Positive(v)))) as second))) if (
            second.args[0] == Num(Fraction(-1)) and same(v, neg(u))[0]
        ):  # the sign of u
            yield from simpler(Nonzero(u))
        case Nonzero(Whole("det", 0, _, Whole("inv"), _, _) as w):
            inner = inverted(w)
            yield from simpler(Nonzero(inner)) if inner is not None else (c,)
        case Positive(Power(base, q)) if q.denominator == 1 and q.numerator % 2 == 0:
            yield from simpler(Nonzero(base))
        case Positive(Power(base, q)):
            yield from simpler(Positive(base))
        case Nonzero(Num(value)) | Positive(Num(value)) if value > 0 or (value and isinstance(c, Nonzero)):
            return
        case Positive(Mul((Num(value), *rest))) if value > 0:
            yield from simpler(Positive(Mul(tuple(rest)) if len(rest) != 1 else rest[0]))
        case _:
            yield c


def inverted(w: Whole) -> Whole | None:
    """det(A) from det(A^{-1}), or from that of its transpose: neither is 0 without the other."""
    axes = tuple(Index(f"~inverse{k}", n) for k, n in enumerate(w.sizes))
    match opened_whole(w, axes):
        case Whole("inv", 0, sizes, body, at, hints) if set(at) == set(axes):
            return Whole("det", 0, sizes, body, (), hints)
        case _:
            return None


def constant(t: Term) -> bool:
    """No variable, index or size occurs."""
    if free(t):
        return False
    return all(not isinstance(s, Size | Whole) and (not isinstance(s, Entry) or s == PI) for s in subterms(t))


def all_steps(t: Term) -> Iterator[Term]:
    """The arguments of the step functions in a term, dummies opened."""
    match t:
        case Holds(Positive(term)):
            yield term
            yield from all_steps(term)
        case Sum(size, body, _):
            yield from all_steps(open_body(body, (Index("~step", size),)))
        case Whole(_, _, sizes, _, _, _):
            yield from all_steps(opened_whole(t, tuple(Index(f"~step{k}", n) for k, n in enumerate(sizes))))
        case Diff(body, _):
            yield from all_steps(body)
        case _:
            for a in arguments(t):
                yield from all_steps(a)
