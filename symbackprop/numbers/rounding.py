"""Could the rounding of a constant explain a difference?  Then it refutes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symbackprop.core.terms import Add, Apply, Diff, Holds, Mul, Num, Positive, Power, Sum, Term, Whole

from .evaluate import Undecided, Undefined, evaluate
from .exact_numbers import approximate
from .refute.report import Counterexample

SHIFT = Fraction(1, 10**6)  # a constant of seven digits or more is nearer to what was meant than this, relatively
PLAIN = 1e-3  # a relative difference that no rounding of seven digits explains


def rounding_explains(c: Counterexample, rounded: Sequence[tuple[float, Fraction]]) -> bool:
    """Whether moving each rounded constant by one part in a million moves the difference by as much as it is."""
    if not rounded:
        return False
    lhs, rhs = approximate(c.lhs), approximate(c.rhs)
    gap = abs(lhs - rhs)
    moved, missing = 0.0, False
    for _, value in rounded:
        for old in (value, -value):
            left, right = (shifted(t, old) for t in (c.lhs_term, c.rhs_term))
            if (left, right) == (c.lhs_term, c.rhs_term):
                missing |= old == value
                continue
            missing &= old != value
            try:
                new = approximate(evaluate(left, c.point)) - approximate(evaluate(right, c.point))
            except (Undefined, Undecided):
                return True
            moved += abs(new - (lhs - rhs))
    if missing and gap <= PLAIN * max(abs(lhs), abs(rhs)):
        return True
    return gap <= moved


def shifted(t: Term, old: Fraction) -> Term:
    """t with a slightly larger number in place of `old`."""

    def go(s: Term) -> Term:
        return shifted(s, old)

    match t:
        case Num(value):
            return Num(value * (1 + SHIFT)) if value == old else t
        case Add(args):
            return Add(tuple(map(go, args)))
        case Mul(args):
            return Mul(tuple(map(go, args)))
        case Power(base, q):
            return Power(go(base), q)
        case Apply(fn, arg, order):
            return Apply(fn, go(arg), order)
        case Sum(size, body, hint):
            return Sum(size, go(body), hint)
        case Diff(body, wrt):
            return Diff(go(body), wrt)
        case Whole(fn, order, sizes, body, at, hints):
            return Whole(fn, order, sizes, go(body), at, hints)
        case Holds(Positive(term)):
            return Holds(Positive(go(term)))
        case _:
            return t
