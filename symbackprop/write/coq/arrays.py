"""Functions of whole arrays that `Arrays.v` defines: the largest entry, determinant and inverse of a matrix."""

from __future__ import annotations

from ...core.terms import ZERO, Index, Mul, Nonzero, Positive, Term, Whole, neg, of_same, sum_over
from .vocabulary import DEFINED, NotExported

INDEX = "ltac:(index)"
SOME_ENTRIES = ("max", "argmax", "gap")  # their lemmas need that there are entries


def is_defined(w: Whole) -> bool:
    return w.fn in DEFINED


def slope(w: Whole, axes: tuple[Index, ...], inner: Term) -> Term:
    """∂w, where `inner` is the derivative of the entry of the array at these axes."""
    match w.fn:
        case "max":
            return sum_over(axes, Mul((of_same("argmax", w, axes), inner)))
        case "argmax":
            return ZERO
        case "det":
            return Mul((w, sum_over(axes, Mul((of_same("inv", w, axes[::-1]), inner)))))
        case "inv":
            left, right = of_same("inv", w, (w.at[0], axes[0])), of_same("inv", w, (axes[1], w.at[1]))
            return neg(sum_over(axes, Mul((left, inner, right))))
        case _:
            raise NotExported(f"the derivative of {w.fn} of an array")


def needed(w: Whole) -> Positive | Nonzero:
    """Where it has a derivative."""
    return Positive(of_same("gap", w)) if w.fn in SOME_ENTRIES else Nonzero(of_same("det", w))


def derivation(w: Whole, size: str, at: list[str], opened: str, need: str) -> str:
    """Its derivative along a curve, from the entries, their derivatives and why they are (`opened`)."""
    inside = [INDEX] * (1 if w.fn in SOME_ENTRIES else len(at))
    return f"({' '.join([f'@D_{DEFINED[w.fn]} R', size, *at, 't0', opened, *inside, need])})"


def same(w: Whole, size: str, at: list[str], equal: str) -> str:
    """It is the same of equal entries."""
    some = [INDEX] if w.fn in SOME_ENTRIES else []
    return f"({' '.join([f'@{DEFINED[w.fn]}_ext R', size, '_ _', *at, *some, equal])})"
