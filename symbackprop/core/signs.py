"""Signs that are plain to see: e^x > 0, a sum of positive terms, a square plus eps with eps > 0.

A sufficient test, used to discharge the side conditions of laws.  What it uses of the hypotheses
it remembers in `used`.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TypeAlias

from .context import Context, Same
from .indices import Index, Size, affine, at_least_zero
from .instances import anywhere, instance
from .ranges import never_negative, within
from .terms import (
    PI, Add, Apply, AtLeastZero, Delta, Entry, Holds, Mul, NonNegative, Nonzero, Num, Ordinal, Positive, Power,
    Predicate, Sum, Term, Whole, free, num, open_body, substitute, body_of, fresh_axes,
)  # fmt: skip

Sign: TypeAlias = int  # what is known, as bits: of a product what is known of each factor, of a term all that is said
UNKNOWN, NONNEGATIVE, NONZERO, POSITIVE = 0, 1, 2, 3
SAYS: dict[type, Sign] = {Positive: POSITIVE, Nonzero: NONZERO, AtLeastZero: NONNEGATIVE}


class Signs:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.least = context.least
        self.used: frozenset[str] = frozenset()
        self.said: dict[type, list[tuple[str, Term, Sign]]] = {}  # what is said of terms of a kind, the most first
        for name, h in sorted(context.hypotheses.items(), key=lambda known: not isinstance(known[1], Positive)):
            if not isinstance(h, Same | NonNegative):
                self.said.setdefault(type(h.term), []).append((name, h.term, SAYS[type(h)]))
        self.known: dict[Term, Sign] = {}

    def holds(self, p: Predicate) -> bool:
        match p:
            case Positive(t):
                return self.sign(t) == POSITIVE
            case Nonzero(t):
                return bool(self.sign(t) & NONZERO) or (isinstance(t, Add) and self.sign(negated(t)) == POSITIVE)
            case AtLeastZero(t):
                return bool(self.sign(t) & NONNEGATIVE)
            case NonNegative(e):
                return never_negative(e, self.least)

    def sign(self, t: Term) -> Sign:
        if t not in self.known:
            self.known[t] = self.assumed(t, self.structural(t))
        return self.known[t]

    def structural(self, t: Term) -> Sign:
        match t:
            case Num(value):
                return POSITIVE if value > 0 else NONNEGATIVE if value == 0 else NONZERO
            case Size():
                up, down = (at_least_zero(n, self.least) for n in (t - 1, -t - 1))
                return (NONZERO if up or down else UNKNOWN) | (NONNEGATIVE if at_least_zero(t, self.least) else UNKNOWN)
            case Entry(array, at) if array in self.context.definitions:
                return self.sign(anywhere(self.context.definitions[array], at))
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
                inner = self.sign(opened) & NONNEGATIVE
                some = inner and at_least_zero(size - 1, self.least) and self.sign(opened) == POSITIVE
                return POSITIVE if some or (inner and self.one_positive(opened, i)) else inner
            case Power(base, q):
                return self.power(self.sign(base), q)
            case Mul(args):
                return self.product(args)
            case Whole("max"):
                inner = self.sign(body_of(t))
                some = all(at_least_zero(n - 1, self.least) for n in t.sizes)  # of nothing there is no maximum
                return inner if some and inner & NONNEGATIVE else UNKNOWN
            case Whole("prod"):
                return self.sign(body_of(t))
            case Whole("argmax"):
                return NONNEGATIVE
            case _:
                return UNKNOWN

    def one_positive(self, body: Term, i: Index) -> bool:
        """Whether the body is positive at an end of the range of i or at another index: Σ_m e^{x_m} [m <= l]."""
        others = sorted(free(body) - {i}, key=lambda j: j.name)
        values = [v for v in (affine(0, ()), affine(i.size - 1, ()), *others) if within(v, i.size, self.least)]
        return any(self.sign(substitute(body, {i: v})) == POSITIVE for v in values)

    def power(self, base: Sign, q: Fraction) -> Sign:
        if base == POSITIVE or q.denominator > 1:
            return POSITIVE if base == POSITIVE else UNKNOWN
        return base if q % 2 else base | NONNEGATIVE

    def product(self, args: tuple[Term, ...]) -> Sign:
        """Equal factors in pairs are squares; numbers may bring a sign."""
        found, left = POSITIVE, list(args)
        turned = False
        while left:
            a = left.pop()
            if isinstance(a, Num) and a.value < 0:
                turned = not turned
                continue
            square = a in left
            if square:
                left.remove(a)
            found &= self.sign(a) | NONNEGATIVE if square else self.sign(a)
        return found & NONZERO if turned else found

    def assumed(self, t: Term, found: Sign) -> Sign:
        """What is plain, and what the hypotheses say besides of exactly this term, or of one instance of it."""
        for name, term, what in self.said.get(type(t), ()):
            if what & ~found and instance(term, t, self.least) is not None:
                found |= what
                self.used |= {name}
        return found


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


def added(signs: Iterable[Sign]) -> Sign:
    signs = list(signs)
    if not signs or not all(s & NONNEGATIVE for s in signs):
        return UNKNOWN
    return POSITIVE if POSITIVE in signs else NONNEGATIVE
