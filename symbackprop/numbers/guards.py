"""Which factors of a product choose a branch, so that the others are not looked at."""

from __future__ import annotations

from symbackprop.core.terms import Add, Delta, Holds, Mul, Num, Term


def guards(t: Term) -> bool:
    """A truth value as np.where writes it: Holds, Delta, and what is made of them by sums of several and products.

    A sum of one argument is the number of a truth value, whose product with nan is nan.
    """
    match t:
        case Holds() | Delta():
            return True
        case Add(args):
            return len(args) > 1 and _truths(args)
        case Mul(args):
            return _truths(args)
        case _:
            return False


def _truths(args: tuple[Term, ...]) -> bool:
    return all(isinstance(x, Num) or guards(x) for x in args) and not all(isinstance(x, Num) for x in args)
