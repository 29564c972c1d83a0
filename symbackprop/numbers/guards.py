"""Which factors of a product choose a branch, so that the others are not looked at."""

from __future__ import annotations

from symbackprop.core.terms import Add, Apply, Delta, Holds, Mul, Num, Positive, Term, subterms


def guards(t: Term) -> bool:
    """A truth value as np.where writes it: Holds, Delta, products of them, and sums of several (1 - h, h + k - h k).

    No guard are 7 h, which is a number that np.where has chosen, and a sum of one argument, which is the number of a
    truth value: their products with nan are nan.
    """
    match t:
        case Holds() | Delta():
            return True
        case Add(args):
            return len(args) > 1 and all(map(counted, args)) and not all(isinstance(x, Num) for x in args)
        case Mul(args):
            return all(map(guards, args))
        case _:
            return False


def counted(t: Term) -> bool:
    """A number, or a number of times a truth value: a part of a sum that is a truth value."""
    return all(map(counted, t.args)) if isinstance(t, Mul) else isinstance(t, Num) or guards(t)


def about_reals(t: Term) -> bool:
    """Whether a comparison of real numbers is in it, not of indices alone."""
    return any(isinstance(s, Holds) and isinstance(s.predicate, Positive) for s in subterms(t))


def powers_inside(t: Term) -> bool:
    """b log a, the exponent of a power."""
    factors = t.args if isinstance(t, Mul) else (t,)
    return any(isinstance(x, Apply) and x.fn == "log" for x in factors)
