"""Small exact simplifications while terms are built: constants fold, decidable conditions on indices become 0 or 1.

Nothing here needs a side condition: 0*t = 0, t + 0 = t, δ of provably distinct integers is 0.

A factor Holds or Delta that stands directly in a product is a guard: it selects, as np.where and an index do, and what
it multiplies need not have a value where it is 0.  In arithmetic 0 * nan is nan: there a truth value stands in a
bracket, a sum of one.  The bracket is written only beside factors that may have no value.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import isqrt
from typing import assert_never

from symbackprop.core.functions import FUNCTIONS, ROWS
from symbackprop.core.indices import Index, IndexExpr, Pick, Size, affine, as_affine, sized
from symbackprop.core.region import truth
from symbackprop.core.signs import Signs
from symbackprop.core.syntax import (
    ONE, ZERO, Add, Apply, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Ordinal, Positive, Power, Sum, Term, Whole,
    free, substitute,
)  # fmt: skip
from symbackprop.core.terms import arguments, dummy, num, opened, opened_whole, over, subterms

from .axes import bounds, constant_of, difference, index_of, indices_in, nonnegative, shifted
from .context import current


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


def minus(a: Term, b: Term) -> Term:
    return plus(a, times(num(-1), b))


def negated(a: Term) -> Term:
    return times(num(-1), a)


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
        return Mul((ZERO, *kept)) if any(map(undefined_somewhere, kept)) else ZERO
    if constant != 1:
        kept.insert(0, Num(constant))
    return kept[0] if len(kept) == 1 else Mul(tuple(kept)) if kept else ONE


def undefined_somewhere(t: Term) -> bool:
    """It may have no value somewhere."""
    return any(
        (isinstance(s, Power) and (s.exponent < 0 or s.exponent.denominator > 1))
        or (isinstance(s, Apply) and s.fn == "log")
        or (isinstance(s, Whole) and s.fn == "inv")
        for s in subterms(t)
    )


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


# --- factors that multiply ---------------------------------------------------------------------


def number_of(t: Term) -> Term:
    """The same term, in which no factor guards what stands beside it."""
    if not guards(t):
        return t
    if isinstance(t, Mul) and not any(map(partial, t.args)):
        return times(*map(number_of, t.args))
    return Add((t,))


def guards(t: Term) -> bool:
    match t:
        case Holds() | Delta():
            return True
        case Mul(args):
            return any(guards(a) for a in args)
        case Add(args):
            return len(args) > 1 and all(isinstance(a, Num | Delta | Holds) or guards(a) for a in args)
        case _:
            return False


def multiplied(*args: Term) -> Term:
    """The product as NumPy's * means it: no factor guards another one that may have no value."""
    if any(map(partial, args)):
        if ZERO in args:
            return Mul((ZERO, *(a for a in args if partial(a))))
        args = tuple(number_of(a) if any(partial(b) for b in args if b is not a) else a for a in args)
    return times(*args)


def over_by(a: Term, b: Term) -> Term:
    """a / b"""
    return multiplied(a, power(b, -1))


TOTAL = frozenset(f.name for f in ROWS if f.everywhere)


def partial(t: Term) -> bool:
    """Whether the term may have no value for some real entries: a logarithm, a root, a quotient in it."""
    known = current().partial
    if t not in known:
        known[t] = found_partial(t)
    return known[t]


def found_partial(t: Term) -> bool:
    match t:
        case Num() | Size() | Ordinal() | Delta():
            return False
        case Entry(array, _):
            return array.name.startswith("carry#")
        case Add(args) | Mul(args):
            return any(map(partial, args))
        case Power(base, q):
            return partial(base) or ((q < 0 or q.denominator > 1) and not positive(base))
        case Apply("log", arg, 0):
            return partial(arg) or not positive(arg)
        case Apply(fn, arg, _):
            return fn not in TOTAL or partial(arg)
        case Sum(size):
            return partial(opened(t, dummy(size)))
        case Whole(fn, order, sizes):
            return bool(order) or fn not in ("max", "prod") or partial(opened_whole(t, tuple(map(dummy, sizes))))
        case Holds(Positive(u)):
            return partial(u)
        case Holds():
            return False
        case Diff():
            return True
        case _:
            assert_never(t)


def positive(t: Term) -> bool:
    """Plain to see, from the hypotheses and whatever the entries are."""
    return Signs(current().context).holds(Positive(t))


# --- sums ------------------------------------------------------------------------------------


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
    return over(i, forwards(i, body))


def forwards(i: Index, body: Term) -> Term:
    """The same terms from the other end, where its entries are then read in their own order."""
    return substitute(body, {i: affine(i.size - 1, [(i, -1)])}) if backwards(i, body) > 0 else body


def backwards(i: Index, t: Term) -> int:
    """How many more entries are read from the end than from the start when i counts up."""
    if i not in free(t):
        return 0
    atoms = (part for e in (t.at if isinstance(t, Entry) else ()) for part in as_affine(e)[1])
    here = sum(-1 if k.constant > 0 else 1 for a, k in atoms if a == i and k.constant)
    return here + sum(backwards(i, s) for s in arguments(t))


def summed(indices: tuple[Index, ...], body: Term) -> Term:
    for i in reversed(indices):
        body = total(i, body)
    return body
