"""The term language: real-valued expressions in the entries of arrays of symbolic size.

Read `indices.py` (sizes and index expressions), `syntax.py` (the nodes and what they mean),
`binding.py` (the few doors to bound indices) and `walking.py`; everything is imported from here.
Terms are immutable, compared with `==` up to the names of dummies, and hashed once.
"""

from __future__ import annotations

from fractions import Fraction

from . import show
from .binding import (
    bind,
    free,
    map_index,
    map_indices,
    open_body,
    opened,
    opened_whole,
    over,
    substitute,
    whole,
)
from .indices import (
    Affine,
    Bound,
    Index,
    IndexAtom,
    IndexExpr,
    Pick,
    ProofError,
    Size,
    SymbackpropError,
    affine,
    as_affine,
    at_least_zero,
    require,
    sized,
)
from .syntax import (
    ONE,
    PI,
    ZERO,
    Add,
    Apply,
    Array,
    AtLeastZero,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Ordinal,
    Positive,
    Power,
    Predicate,
    Sum,
    Term,
    Whole,
)
from .walking import arguments, arrays, rebuilt, subterms

__all__ = [
    "ONE", "PI", "ZERO", "Add", "Affine", "Apply", "Array", "AtLeastZero", "Bound", "Delta", "Diff", "Entry", "Holds",
    "Index", "IndexAtom", "IndexExpr", "Mul", "NonNegative", "Nonzero", "Num", "Ordinal", "Pick", "Positive",
    "Power", "Predicate", "ProofError", "Size", "Sum", "SymbackpropError", "Term", "Whole", "add", "affine",
    "arguments", "arrays", "as_affine", "at_least_zero", "bind", "div", "free", "map_index", "map_indices", "mul",
    "neg", "num", "open_body", "opened", "opened_whole", "over", "rebuilt", "require", "show", "sized", "sub",
    "substitute", "subterms", "whole",
]  # fmt: skip


def num(value: Fraction | int) -> Num:
    return Num(Fraction(value))


def add(*args: Term) -> Term:
    return args[0] if len(args) == 1 else Add(args) if args else ZERO


def mul(*args: Term) -> Term:
    return args[0] if len(args) == 1 else Mul(args) if args else ONE


def neg(t: Term) -> Term:
    return Mul((num(-1), t))


def sub(a: Term, b: Term) -> Term:
    return Add((a, neg(b)))


def div(a: Term, b: Term) -> Term:
    return Mul((a, Power(b, Fraction(-1))))
