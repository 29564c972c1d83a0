"""What numbers can be: bounds of index expressions, and signs of terms.

Bounds hold for all sizes.  Signs are those plain to see: e^x > 0, a sum of positive terms, a square plus eps with
eps > 0.  `Signs` is a sufficient test, used to discharge the side conditions of laws; what it uses of the hypotheses it
remembers in `used`.

When one predicate says another: the rule by which reasons meet conditions, and hypotheses meet signs.

A predicate is meant for all values of its free indices, so it says each of its instances: itself with index
expressions in place of free indices, each inside the range of its index.  Sums and products are read in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from .context import Context, Same
from .indices import (
    EVERY_SIZE, PARTS, Bound, Index, IndexExpr, Least, Node, Size, affine, as_affine, at_least_zero, collected, sized,
)  # fmt: skip
from .syntax import Tensor
from .terms import (
    PI, Add, Apply, AtLeastZero, Delta, Entry, Holds, Mul, NonNegative, Nonzero, Num, Ordinal, Positive, Power,
    Predicate, Sum, Term, Whole, arrays, body_of, free, fresh_axes, inside, key, num, open_body, reach, substitute,
)  # fmt: skip

@lru_cache(maxsize=20_000)
def bounds(e: IndexExpr, least: Least = EVERY_SIZE) -> tuple[Size, Size] | None:
    """(least, greatest) value of an index expression over the ranges of its atoms.

    None when the sign of a coefficient is unknown, or for a dummy, whose range is not known here.
    """
    low, parts = as_affine(e)
    high = low
    for atom, k in parts:
        if isinstance(atom, Bound) or reach(atom):
            return None
        top = k * (atom.size - 1)
        if at_least_zero(k, least):
            high = high + top
        elif at_least_zero(-k, least):
            low = low + top
        else:
            return None
    return low, high


@lru_cache(maxsize=20_000)
def never_negative(e: IndexExpr, least: Least = EVERY_SIZE) -> bool:
    b = bounds(e, least)
    return b is not None and at_least_zero(b[0], least)


@lru_cache(maxsize=20_000)
def always_negative(e: IndexExpr, least: Least = EVERY_SIZE) -> bool:
    b = bounds(e, least)
    return b is not None and at_least_zero(-b[1] - 1, least)


@lru_cache(maxsize=20_000)
def never_zero(e: IndexExpr, least: Least = EVERY_SIZE) -> bool:
    return never_negative(affine(-1, ((e, 1),)), least) or always_negative(e, least)


@lru_cache(maxsize=20_000)
def within(e: IndexExpr, size: Size, least: Least = EVERY_SIZE) -> bool:
    """0 <= e < size for all sizes and all values of its indices."""
    return never_negative(e, least) and never_negative(affine(size - 1, ((e, -1),)), least)


@lru_cache(maxsize=20_000)
def split_radix(e: IndexExpr, least: Least = EVERY_SIZE) -> tuple[IndexExpr, IndexExpr] | None:
    """e = s*a + b with |b| < s, so that e = 0 exactly when a = 0 and b = 0."""
    for s, a, b in quotients(e):
        if all(never_negative(affine(s - 1, ((b, sign),)), least) for sign in (-1, 1)):
            return a, b
    return None


@lru_cache(maxsize=20_000)
def floor_radix(e: IndexExpr, least: Least = EVERY_SIZE) -> IndexExpr | None:
    """a of e = s*a + b with 0 <= b < s, so that e >= 0 exactly when a >= 0."""
    for s, a, b in quotients(e):
        if within(b, s, least):
            return a
    return None


def quotients(e: IndexExpr) -> Iterator[tuple[Size, IndexExpr, IndexExpr]]:
    """Ways to write e = s*a + b, where a has the atoms whose coefficients s divides."""
    constant, parts = as_affine(e)
    symbols = sorted({name for _, k in parts for name in k.symbols})
    numbers = sorted({abs(c) for _, k in parts for _, c in k.monomials if abs(c) > 1}, reverse=True)
    for s in (*map(sized, symbols), *map(sized, numbers)):
        whole, left = divided(constant, s)
        split = [(atom, k, *divided(k, s)) for atom, k in parts]
        quotient = [(atom, q) for atom, _, q, over in split if not over.monomials]
        rest = [(atom, k) for atom, k, _, over in split if over.monomials]
        turns = [0, -1, 1]
        if left.constant is not None and s.constant is not None and abs(left.constant) > s.constant:
            turns.append(left.constant // s.constant)
        for turn in turns if quotient else ():
            yield s, affine(whole + turn, quotient), affine(left - s * turn, rest)


def divided(k: Size, s: Size) -> tuple[Size, Size]:
    """Quotient and rest of k by a symbol or a number s, monomial by monomial."""
    out, rest = [], []
    for names, c in k.monomials:
        if s.constant is not None and c % s.constant == 0:
            out.append((names, c // s.constant))
        elif s.constant is None and s.symbols[0] in names:
            place = names.index(s.symbols[0])
            out.append((names[:place] + names[place + 1 :], c))
        else:
            rest.append((names, c))
    return collected(out), collected(rest)


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


Values: TypeAlias = dict[Index, IndexExpr]


def anywhere(meaning: Tensor, at: tuple[IndexExpr, ...]) -> Term:
    """The entry there, or at ~1, ~2, ... where its indices are different: for what holds for all of them."""
    different = {i for i in at if isinstance(i, Index)}
    same = len(different) == len(at) and meaning.shape == tuple(i.size for i in at if isinstance(i, Index))
    return meaning.at(*(Index(f"~{n}", i.size) for n, i in enumerate(meaning.axes, 1)) if same else at)


def says(general: Predicate, p: Predicate, least: Least = EVERY_SIZE) -> bool:
    """Whether p is an instance of the general predicate; of e >= 0 there is only itself."""
    if isinstance(general, NonNegative) or isinstance(p, NonNegative):
        return general == p
    return type(general) is type(p) and instance(general.term, p.term, least) is not None


def instance(pattern: Term, t: Term, least: Least = EVERY_SIZE) -> Values | None:
    """Values of the free indices of `pattern`, each inside its range, that make it `t`; or None."""
    if type(pattern) is not type(t) or arrays(pattern) != arrays(t):
        return None
    fits = (v for v in matches(pattern, t, {}) if all(within(e, i.size, least) for i, e in v.items()))
    return next(fits, None)


def matches(pattern: object, x: object, found: Values) -> Iterator[Values]:
    """Part by part.  A free index of the pattern cannot stand for what is bound inside the pattern."""
    match pattern, x:
        case Index(), Node():
            if reach(x) == 0 and found.get(pattern, x) == x:  # type: ignore[arg-type]
                yield {**found, pattern: x}  # type: ignore[dict-item]
        case Node(), Node() if not inside(pattern)[0]:
            if pattern == x or (isinstance(pattern, Term) and isinstance(x, Term) and key(pattern) == key(x)):
                yield found
        case (Add(a), Add(b)) | (Mul(a), Mul(b)):
            for k, part in enumerate(b if len(a) == len(b) else ()):
                for more in matches(a[0], part, found):
                    yield from matches(type(pattern)(a[1:]), type(pattern)(b[:k] + b[k + 1 :]), more)  # type: ignore
        case tuple(), tuple():
            if pattern and len(pattern) == len(x):
                for more in matches(pattern[0], x[0], found):
                    yield from matches(pattern[1:], x[1:], more)
            elif pattern == x:
                yield found
        case Node(), Node():
            if type(pattern) is type(x):
                yield from matches(PARTS[type(pattern)](pattern), PARTS[type(x)](x), found)
        case _:
            if pattern == x:
                yield found
