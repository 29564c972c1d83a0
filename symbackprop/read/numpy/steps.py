"""Truth values as terms: steps [t > 0], masks, equality; products over an index; other terms in place of entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial as partial_function
from typing import assert_never

from symbackprop.core.indices import Index, IndexExpr, Size, affine
from symbackprop.core.region import truth, truth_atoms
from symbackprop.core.syntax import (
    ONE, ZERO, Add, Apply, Array, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Ordinal, Positive, Power, Sum, Term,
    Whole, arrays,
)  # fmt: skip
from symbackprop.core.terms import dummy, num, opened, opened_whole, subterms, whole

from .algebra import applied, forwards, gate, minus, negated, plus, power, times, total
from .axes import at_least_zero, shifted


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
    rest = list(t.args if isinstance(t, kind) else (t,))
    for a in part.args if isinstance(part, kind) else (part,):
        if a not in rest:
            return None
        rest.remove(a)
    return rest


def through(t: Term, f: Callable[[Term], Term]) -> Term:
    """f of what stands in the sums and products at the top."""
    match t:
        case Add((inner,)):  # the bracket of a number that guards nothing
            found = through(inner, f)
            return found if isinstance(found, Num) else Add((found,))
        case Add(args):
            return plus(*(through(a, f) for a in args))
        case Mul(args):
            return times(*(through(a, f) for a in args))
        case _:
            return f(t)


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
    found = through(t, lambda s: num(value) if s == h else s)
    return found.value if isinstance(found, Num) else None


def same(a: Term, b: Term) -> Term:
    """1 where the reals a and b are equal."""
    d = minus(a, b)
    return plus(ONE, negated(step(d)), negated(step(negated(d))))


def product_over(i: Index, body: Term) -> Term:
    """Π_i body, from the other end where its entries are then read in their own order."""
    if body in (ONE, ZERO) and at_least_zero(i.size - 1):
        return body
    return whole("prod", 0, (i,), forwards(i, body), ())


# --- other terms in place of the entries of an array --------------------------------------------


def opened_term(s: Sum) -> tuple[Index, Term]:
    k = dummy(s.size)
    return k, opened(s, k)


def rewritten(t: Term, meanings: Mapping[Array, Callable[[tuple[IndexExpr, ...]], Term]]) -> Term:
    """`t` with what is said of it in place of each entry of these arrays."""
    if meanings.keys().isdisjoint(arrays(t)):
        return t

    def go(s: Term) -> Term:
        return rewritten(s, meanings)

    match t:
        case Entry(array, at):
            return meanings[array](at)
        case Add((inner,)):  # the bracket of a number that guards nothing
            return Add((go(inner),))
        case Add(args):
            return plus(*map(go, args))
        case Mul(args):
            return times(*map(go, args))
        case Power(base, exponent):
            return power(go(base), exponent)
        case Apply(fn, arg, order):
            return applied(fn, go(arg)) if not order else Apply(fn, go(arg), order)
        case Sum():
            k, body = opened_term(t)
            return total(k, go(body))
        case Whole(fn, order, sizes, _, at):
            axes = tuple(dummy(s) for s in sizes)
            return whole(fn, order, axes, go(opened_whole(t, axes)), at)
        case Holds(p):
            return step(go(p.term)) if isinstance(p, Positive) else t
        case Num() | Size() | Ordinal() | Delta() | Diff():
            return t
        case _:
            assert_never(t)


def renamed(t: Term, names: Mapping[str, str]) -> Term:
    """`t` with other arrays in place of these, by their names."""
    return rewritten(t, {Array(old): partial_function(Entry, Array(new)) for old, new in names.items()})
