"""Masks of softmax: -inf, and what is written for it in arithmetic, such as (1 - m) * -1e9.

An array has *holes* where it stands for -inf.  They are *soft* where a large negative number stands there, which is
-inf inside an exponential only.
"""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.terms import ONE, ZERO, Add, Array, Delta, Entry, Holds, Index, Mul, Num, Power, Term, num

from .algebra import minus, plus, times
from .axes import At, somewhere
from .context import current
from .values import Value, known

F0 = Fraction(0)
MASK_CONSTANT = Fraction(-(10**4))
MASKED = f"a mask constant of {int(MASK_CONSTANT)} or less (such as -1e9) inside an exponential is read as -inf"


def masking(v: Value) -> Value:
    """A constant such as -1e9 with the holes that make it -inf inside an exponential."""
    value = known(v)
    if v.holes or value is None or value > MASK_CONSTANT:
        return v
    return Value(v.shape, "real", v.term, lambda at: ONE, soft=True)


def beside(hole: Term, t: Term) -> Term:
    """The term where the hole is 0, without the summands that are the hole times something."""
    match t:
        case Add(args):
            return plus(*(beside(hole, a) for a in args))
        case Mul(args) if hole in args:
            return ZERO
        case _:
            return t


def masked(v: Value, sign: int = 1) -> Value | None:
    """sign * v with the holes of m, where that is m * -1e9; None where it is no such product."""
    if not current().large or v.holes or v.dtype != "real":
        return None
    here = somewhere(v.shape)
    if mask_in(v.term(here), sign) is None:
        return None

    def parts(at: At) -> tuple[Fraction, Term]:
        return mask_in(v.term(at), sign) or (F0, ZERO)

    return Value(v.shape, "real", lambda at: times(num(parts(at)[0]), parts(at)[1]), lambda at: parts(at)[1], True)


def mask_in(t: Term, sign: int) -> tuple[Fraction, Term] | None:
    """The mask constant and the mask whose product is sign * t."""
    if not isinstance(t, Mul):
        return None
    constant, rest = Fraction(sign), list[Term]()
    for a in t.args:
        if isinstance(a, Num):
            constant *= a.value
        else:
            rest.append(a)
    mask = times(*rest)
    if constant > 0:  # (m - 1) * 1e9
        parts = mask.args if isinstance(mask, Add) else (mask,)
        constant, mask = -constant, plus(*(minus(ZERO, a) for a in parts))
    return (constant, mask) if constant <= MASK_CONSTANT and zero_or_one(mask) else None


def zero_or_one(t: Term) -> bool:
    """Whether the term is plainly a truth value as a number."""
    match t:
        case Holds() | Delta():
            return True
        case Entry(array) if array.name not in current().moving:
            return any(says_zero_or_one(h, array) for h in current().context.hypotheses.values())
        case Add((inner,)):
            return zero_or_one(inner)
        case Add((Mul((Num(k), inner)), Num(one))) | Add((Num(one), Mul((Num(k), inner)))):
            return k == -1 and one == 1 and zero_or_one(inner)
        case Mul(args):
            return all(map(zero_or_one, args))
        case _:
            return False


def says_zero_or_one(h: Hypothesis, array: Array) -> bool:
    """m * m = m, for all entries of the array."""
    if not isinstance(h, Same):
        return False
    for squared, e in ((h.lhs, h.rhs), (h.rhs, h.lhs)):
        if isinstance(e, Entry) and e.array == array and squared in (Mul((e, e)), Power(e, Fraction(2))):
            return all(isinstance(i, Index) for i in e.at) and len(set(e.at)) == len(e.at)
    return False
