"""Small exact simplifications while terms are built: constants fold, decidable masks become 0 or 1.

Nothing here needs a side condition: 0*t = 0, t + 0 = t, δ of provably distinct integers is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import isqrt, prod

from symbackprop.core.functions import FUNCTIONS
from symbackprop.core.indices import Index, IndexExpr, Pick, Size, affine, as_affine, sized
from symbackprop.core.region import truth, truth_atoms
from symbackprop.core.syntax import (
    ONE,
    ZERO,
    Add,
    Apply,
    Delta,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Num,
    Ordinal,
    Positive,
    Power,
    Term,
    Whole,
    free,
    substitute,
)
from symbackprop.core.terms import num, over, subterms, whole

from .axes import at_least_zero, bounds, constant_of, difference, index_of, indices_in, nonnegative, shifted


def number(e: IndexExpr) -> Term:
    """The index expression as a term; labels 0 and 1 are truth values."""
    size = constant_of(e)
    if size is not None:
        return size_term(size)
    constant, parts = as_affine(e)
    if any(binary(a) for a, _ in parts):
        numbers = (Add((Delta(a, index_of(1)),)) if binary(a) else Ordinal(a) for a, _ in parts)
        return plus(size_term(constant), *(times(size_term(k), x) for x, (_, k) in zip(numbers, parts, strict=True)))
    return Ordinal(e)


def binary(a: IndexExpr) -> bool:
    """An entry of an integer array that is 0 or 1."""
    return isinstance(a, Pick) and a.size == sized(2)


def of_label(e: IndexExpr, holds: Callable[[int], bool]) -> Term | None:
    """Whether what holds of the numbers holds of e, where e is 0 and 1 of a binary label and nothing else."""
    constant, parts = as_affine(e)
    if len(parts) != 1 or not binary(parts[0][0]) or constant.constant is None or parts[0][1].constant is None:
        return None
    off, on = holds(constant.constant), holds(constant.constant + parts[0][1].constant)
    label = Delta(parts[0][0], index_of(1))
    return (ONE if on else ZERO) if on == off else label if on else minus(ONE, label)


def size_term(s: Size) -> Term:
    return s if s.constant is None else num(s.constant)


def gate(e: IndexExpr) -> Term:
    """1 where e >= 0, else 0."""
    known = nonnegative(e)
    if known is None:
        return of_label(e, lambda n: n >= 0) or Holds(NonNegative(e))
    return ONE if known else ZERO


def between(e: IndexExpr, size: Size) -> Term:
    """1 where 0 <= e < size."""
    return times(gate(e), gate(affine(size - 1, [(e, -1)])))


def delta(i: IndexExpr, j: IndexExpr) -> Term:
    d = difference(i, j)
    if constant_of(d) == sized(0):
        return ONE
    if nonnegative(shifted(d, -1)) is True or nonnegative(affine(-1, [(d, -1)])) is True:
        return ZERO
    lower, upper = bounds(d)
    if lower is not None and lower == upper == sized(0):
        return ONE
    return of_label(d, lambda n: n == 0) or Delta(i, j)


def plus(*args: Term) -> Term:
    kept: list[Term] = []
    constant = Fraction(0)
    for a in args:
        for t in a.args if isinstance(a, Add) else (a,):
            if isinstance(t, Num):
                constant += t.value
            else:
                kept.append(t)
    if constant:
        kept.append(Num(constant))
    return kept[0] if len(kept) == 1 else Add(tuple(kept)) if kept else ZERO


def times(*args: Term) -> Term:
    """The product.  One that selects stays a factor of its own: what it stands beside is looked at everywhere.

    0 times what may have no value stays written, since 0 * nan is nan.
    """
    kept: list[Term] = []
    constant = Fraction(1)
    for a in args:
        for t in a.args if isinstance(a, Mul) and not any(map(truth, a.args)) else (a,):
            if isinstance(t, Num):
                constant *= t.value
            else:
                kept.append(t)
    if not constant:
        return Mul((ZERO, *kept)) if any(map(partial, kept)) else ZERO
    if constant != 1:
        kept.insert(0, Num(constant))
    return kept[0] if len(kept) == 1 else Mul(tuple(kept)) if kept else ONE


def partial(t: Term) -> bool:
    """It may have no value somewhere."""
    return any(
        (isinstance(s, Power) and (s.exponent < 0 or s.exponent.denominator > 1))
        or (isinstance(s, Apply) and s.fn == "log")
        or (isinstance(s, Whole) and s.fn == "inv")
        for s in subterms(t)
    )


def minus(a: Term, b: Term) -> Term:
    return plus(a, times(num(-1), b))


def negated(a: Term) -> Term:
    return times(num(-1), a)


def complement(a: Term) -> Term:
    """1 - a, for a 0-or-1 term; of a condition on indices it is a condition again."""
    match a:
        case Holds(NonNegative(e)):
            return gate(affine(-1, [(e, -1)]))
        case _:
            return of_one_truth(minus(ONE, a)) or minus(ONE, a)


def blend(mask: Term, new: Term, old: Term, here: Term | None = None) -> Term:
    """mask new + (1 - mask) old for a 0-or-1 mask, with `old` once where `new` is old + something or old * something.

    `here` is another form of `old` that equals it where the mask is 1.
    """
    if mask == ONE:
        return new
    if mask == ZERO or new == old:
        return old
    for base in (old,) if here is None else (here, old):
        if base in (ONE, ZERO):
            continue
        rest = taken(new, base, Add)
        if rest is not None:
            return plus(old, times(mask, plus(*rest)))
        rest = taken(new, base, Mul)
        if rest is not None:
            return times(old, plus(ONE, times(mask, minus(times(*rest), ONE))))
    return plus(times(mask, new), times(complement(mask), old))


def taken(t: Term, part: Term, kind: type[Add | Mul]) -> list[Term] | None:
    """What a sum (or product) has besides the summands of `part`."""
    if not isinstance(t, kind):
        return None
    rest = list(t.args)
    for a in part.args if isinstance(part, kind) else (part,):
        if a not in rest:
            return None
        rest.remove(a)
    return rest


def power(base: Term, exponent: Fraction | int) -> Term:
    q = Fraction(exponent)
    if q == 0:
        return ONE
    if q == 1:
        return base
    if isinstance(base, Num) and (base.value > 0 or (q.denominator == 1 and base.value)):
        root = exact_root(base.value, q.denominator)
        if root is not None and abs(q.numerator) <= 64:
            return Num(root**q.numerator)
    return Power(base, q)


def exact_root(value: Fraction, degree: int) -> Fraction | None:
    if degree == 1:
        return value
    if degree != 2:
        return value if value == 1 else None
    top, bottom = isqrt(value.numerator), isqrt(value.denominator)
    exact = top * top == value.numerator and bottom * bottom == value.denominator
    return Fraction(top, bottom) if exact else None


def applied(fn: str, arg: Term) -> Term:
    if arg == ZERO and fn in FUNCTIONS and isinstance(value := FUNCTIONS[fn].at_zero, Fraction):
        return num(value)
    if fn == "log" and arg == ONE:
        return ZERO
    return Apply(fn, arg)


def step(t: Term) -> Term:
    """1 where t > 0, else 0."""
    match t:
        case Num(value):
            return ONE if value > 0 else ZERO
        case Size():
            if at_least_zero(t - 1):
                return ONE
            if at_least_zero(-t):
                return ZERO
        case Ordinal(of):
            return gate(shifted(of, -1))
        case Delta():
            return t
        case Holds():
            return t
        case _:
            pass
    return of_one_truth(t) or behind_gates(t) or Holds(Positive(t))


def behind_gates(t: Term) -> Term | None:
    """[h u + c > 0] for conditions h on indices and a number c: where h is 0 no data takes part in the step."""
    summands = t.args if isinstance(t, Add) else (t,)
    rest = [a for a in summands if not isinstance(a, Num)]
    gates, inside = gated(rest[0]) if len(rest) == 1 else ((), t)
    if not gates:
        return None
    c, h = plus(*(a for a in summands if isinstance(a, Num))), times(*gates)
    return plus(times(h, step(plus(inside, c))), times(complement(h), step(c)))


def gated(t: Term) -> tuple[tuple[Term, ...], Term]:
    """The factors of a product that are conditions on indices, and the rest."""
    if isinstance(t, Mul):
        parts = [gated(a) for a in t.args]
        return tuple(g for gates, _ in parts for g in gates), times(*(rest for _, rest in parts))
    atoms = truth_atoms(t) if truth(t) else ()
    of_data = (isinstance(a, Holds) and isinstance(a.predicate, Positive) for a in atoms)
    return ((t,), ONE) if atoms and not any(of_data) else ((), t)


def of_one_truth(t: Term) -> Term | None:
    """[a + b h > 0] for numbers a, b and one truth value h: 0, 1, h or 1 - h.  None for other terms."""
    if not isinstance(t, Add | Mul):
        return None
    truths = {s for s in subterms(t) if isinstance(s, Holds | Delta)}
    if len(truths) != 1:
        return None
    (h,) = truths
    low, high = number_at(t, h, Fraction(0)), number_at(t, h, Fraction(1))
    if low is None or high is None:
        return None
    if (low > 0) == (high > 0):
        return ONE if low > 0 else ZERO
    if high > 0:
        return h
    return (
        complement(h)
        if isinstance(h, Holds) and isinstance(h.predicate, NonNegative)
        else Add((times(num(-1), h), ONE))
    )


def number_at(t: Term, h: Term, value: Fraction) -> Fraction | None:
    """The number that a sum of products of numbers and h is, where h has this value."""
    if t == h:
        return value
    match t:
        case Num(x):
            return x
        case Add(args) | Mul(args):
            parts = [number_at(a, h, value) for a in args]
            if any(p is None for p in parts):
                return None
            known = [p for p in parts if p is not None]
            return sum(known, Fraction(0)) if isinstance(t, Add) else prod(known, start=Fraction(1))
        case _:
            return None


def same(a: Term, b: Term) -> Term:
    """1 where the reals a and b are equal."""
    d = minus(a, b)
    return plus(ONE, negated(step(d)), negated(step(negated(d))))


def solved_for(i: Index, d: Delta) -> IndexExpr | None:
    """The value of i at which the delta is 1, when i occurs once with coefficient 1 or -1."""
    constant, parts = as_affine(difference(d.i, d.j))
    sign = 0
    rest: list[tuple[IndexExpr, Size]] = []
    for atom, k in parts:
        if atom == i and k in (sized(1), sized(-1)):
            sign = 1 if k == sized(1) else -1
        elif i in indices_in(atom):
            return None
        else:
            rest.append((atom, k))
    return affine(constant * -sign, [(a, k * -sign) for a, k in rest]) if sign else None


def total(i: Index, body: Term) -> Term:
    """Σ_i body; a delta that fixes i is used up at once."""
    if body == ZERO:
        return ZERO
    if i not in free(body):
        return times(size_term(i.size), body)
    if isinstance(body, Delta | Mul):
        factors = body.args if isinstance(body, Mul) else (body,)
        for k, f in enumerate(factors):
            at = solved_for(i, f) if isinstance(f, Delta) else None
            if at is not None:
                rest = times(*factors[:k], *factors[k + 1 :])
                return times(between(at, i.size), substitute(rest, {i: at}))
        outside = [f for f in factors if i not in free(f)]
        if outside:
            return times(*outside, total(i, times(*(f for f in factors if i in free(f)))))
    return over(i, body)


def summed(indices: tuple[Index, ...], body: Term) -> Term:
    for i in reversed(indices):
        body = total(i, body)
    return body


def product_over(i: Index, body: Term) -> Term:
    """Π_i body, from the other end where its entries are then read in their own order."""
    if body in (ONE, ZERO) and at_least_zero(i.size - 1):
        return body
    if backwards(i, body) > 0:
        body = substitute(body, {i: affine(i.size - 1, [(i, -1)])})
    return whole("prod", 0, (i,), body, ())


def backwards(i: Index, body: Term) -> int:
    """How many more entries are read from the end than from the start when i counts up."""
    places = [e for s in subterms(body) if isinstance(s, Entry) for e in s.at]
    signs = (k.constant for e in places for a, k in as_affine(e)[1] if a == i)
    return sum(-1 if k > 0 else 1 for k in signs if k)
