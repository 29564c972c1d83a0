"""Signs that are plain to see: e^x > 0, a sum of positive terms, a square plus eps with eps > 0.

A sufficient test, used to discharge the side conditions of laws.  What it uses of the hypotheses
it remembers in `used`.
"""

from __future__ import annotations

from collections.abc import Iterable

from .context import Context, Same
from .indices import Index, Size, affine, at_least_zero
from .matching import instance
from .ranges import never_negative, within
from .tensor import fresh_axes
from .terms import (
    PI, Add, Apply, AtLeastZero, Delta, Entry, Holds, Mul, NonNegative, Nonzero, Num, Ordinal, Positive, Power,
    Predicate, Sum, Term, Whole, free, num, open_body, substitute,
)  # fmt: skip

POSITIVE, NONNEGATIVE, NONZERO, UNKNOWN = "positive", "nonnegative", "nonzero", "unknown"


class Signs:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.least = context.least
        self.used: frozenset[str] = frozenset()
        self.said: dict[type, list[tuple[str, Term, str]]] = {}  # what is said of terms of a kind
        for name, h in context.hypotheses.items():
            if not isinstance(h, Same | NonNegative):
                what = POSITIVE if isinstance(h, Positive) else NONZERO if isinstance(h, Nonzero) else NONNEGATIVE
                self.said.setdefault(type(h.term), []).append((name, h.term, what))
        self.known: dict[Term, str] = {}

    def holds(self, p: Predicate) -> bool:
        match p:
            case Positive(t):
                return self.sign(t) == POSITIVE
            case Nonzero(t):
                return self.sign(t) in (POSITIVE, NONZERO) or (isinstance(t, Add) and self.sign(negated(t)) == POSITIVE)
            case AtLeastZero(t):
                return self.sign(t) in (POSITIVE, NONNEGATIVE)
            case NonNegative(e):
                return never_negative(e, self.least)

    def sign(self, t: Term) -> str:
        if t not in self.known:
            assumed = self.assumed(t)
            self.known[t] = assumed if assumed == POSITIVE else best(assumed, self.structural(t))
        return self.known[t]

    def structural(self, t: Term) -> str:
        match t:
            case Num(value):
                return POSITIVE if value > 0 else NONNEGATIVE if value == 0 else NONZERO
            case Size():
                if at_least_zero(t - 1, self.least):
                    return POSITIVE
                if at_least_zero(-t - 1, self.least):
                    return NONZERO
                return NONNEGATIVE if at_least_zero(t, self.least) else UNKNOWN
            case Entry():
                return POSITIVE if t == PI else UNKNOWN
            case Holds(NonNegative(e)):
                return POSITIVE if never_negative(e, self.least) else NONNEGATIVE
            case Delta() | Holds():
                return NONNEGATIVE
            case Ordinal(e):
                return NONNEGATIVE if never_negative(e, self.least) else UNKNOWN
            case Apply("exp" | "sigmoid" | "softplus" | "cosh", _, 0):
                return POSITIVE
            case Apply("log", Add(args), 0):  # log(1 + positive)
                ones = [a for a in args if isinstance(a, Num) and a.value >= 1]
                rest = [self.sign(a) for a in args if a not in ones]
                return POSITIVE if ones and POSITIVE in rest and set(rest) <= {POSITIVE, NONNEGATIVE} else UNKNOWN
            case Add(args):
                return added([self.sign(a) for a in args])
            case Sum(size, body, _):
                (i,) = fresh_axes((size,), body)
                opened = open_body(body, (i,))
                inner = self.sign(opened)
                if inner == POSITIVE and not at_least_zero(size - 1, self.least):  # the sum may be empty
                    inner = NONNEGATIVE
                if inner == NONNEGATIVE and self.one_positive(opened, i):
                    inner = POSITIVE
                return inner if inner in (POSITIVE, NONNEGATIVE) else UNKNOWN
            case Power(base, q):
                return self.power(self.sign(base), q.numerator, q.denominator)
            case Mul(args):
                return self.product(args)
            case Whole("max", 0, sizes, body, _, _):
                inner = self.sign(open_body(body, fresh_axes(sizes, body)))
                some = all(at_least_zero(n - 1, self.least) for n in sizes)  # of nothing there is no maximum
                return inner if some and inner in (POSITIVE, NONNEGATIVE) else UNKNOWN
            case Whole("prod", 0, sizes, body, _, _):
                return self.sign(open_body(body, fresh_axes(sizes, body)))
            case Whole("argmax", 0, _, _, _, _):
                return NONNEGATIVE
            case _:
                return UNKNOWN

    def one_positive(self, body: Term, i: Index) -> bool:
        """Whether the body is positive at an end of the range of i or at another index: Σ_m e^{x_m} [m <= l]."""
        others = sorted(free(body) - {i}, key=lambda j: j.name)
        values = [v for v in (affine(0, ()), affine(i.size - 1, ()), *others) if within(v, i.size, self.least)]
        return any(self.sign(substitute(body, {i: v})) == POSITIVE for v in values)

    def power(self, base: str, p: int, q: int) -> str:
        if base == POSITIVE:
            return POSITIVE
        if q == 1 and p % 2 == 0:
            return POSITIVE if base == NONZERO else NONNEGATIVE
        return base if q == 1 else UNKNOWN

    def product(self, args: tuple[Term, ...]) -> str:
        """Equal factors in pairs are squares; two factors of unknown sign that are one up to -1 as well."""
        signs, left = [], list(args)
        negative = 0
        while left:
            a = left.pop()
            if isinstance(a, Num) and a.value < 0:
                negative += 1
                signs.append(POSITIVE)
                continue
            s = self.sign(a)
            if s in (NONZERO, UNKNOWN) and a in left:
                left.remove(a)
                s = POSITIVE if s == NONZERO else NONNEGATIVE
            signs.append(s)
        if UNKNOWN in signs:
            return UNKNOWN
        if negative % 2 or NONZERO in signs:
            return NONZERO if NONNEGATIVE not in signs else UNKNOWN
        return NONNEGATIVE if NONNEGATIVE in signs else POSITIVE

    def assumed(self, t: Term) -> str:
        """What a hypothesis says of exactly this term, or of one instance of it."""
        said: dict[str, str] = {}  # what is said, and by which hypothesis first
        for name, term, what in self.said.get(type(t), ()):
            if what not in said and instance(term, t, self.least) is not None:
                said[what] = name
        found = POSITIVE if {NONZERO, NONNEGATIVE} <= said.keys() else next(iter(said), UNKNOWN)
        self.used |= {said[POSITIVE]} if POSITIVE in said else frozenset(said.values())
        return POSITIVE if POSITIVE in said else found


def negated(t: Add) -> Term:
    """-t with the sign moved into each argument's number."""

    def one(a: Term) -> Term:
        match a:
            case Num(value):
                return Num(-value)
            case Mul((Num(value), *rest)):
                return Mul((Num(-value), *rest))
            case _:
                return Mul((num(-1), a))

    return Add(tuple(map(one, t.args)))


def best(a: str, b: str) -> str:
    if POSITIVE in (a, b) or {a, b} == {NONNEGATIVE, NONZERO}:
        return POSITIVE
    return next((s for s in (NONZERO, NONNEGATIVE) if s in (a, b)), UNKNOWN)


def added(signs: Iterable[str]) -> str:
    signs = list(signs)
    if not signs or any(s not in (POSITIVE, NONNEGATIVE) for s in signs):
        return UNKNOWN
    return POSITIVE if POSITIVE in signs else NONNEGATIVE
