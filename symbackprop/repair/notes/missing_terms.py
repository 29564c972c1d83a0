"""A term that a sum lacks: an array that is near, or such an array times a number (λ W, 2 λ w)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from symbackprop.numbers.floats import close
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.grammar.tree import Add, Expr, Neg, Num, Power, Product, Quotient, Symbol, Transpose
from symbackprop.repair.notes.edits import Written
from symbackprop.repair.notes.rebuilding import Apart
from symbackprop.repair.notes.values_at_points import FloatArray, measured
from symbackprop.repair.trials import constant_ratio

_NEAR = 16
_COEFFICIENTS = (Fraction(1), Fraction(2), Fraction(1, 2))


def with_missing_term(
    decl: Declarations, fixed: Expr, formula: Expr, text: str, near: Sequence[Symbol], written: Written
) -> Iterator[tuple[Expr, str]]:
    """Sums that have the values of the fixed side, and what was missing."""
    own = [s for s in near[:_NEAR] if s != fixed]
    values = measured(decl, fixed, [formula, *own], text)
    if values is None or formula not in values.factors:
        return
    rest = [t - f if t.shape == f.shape else None for t, f in zip(values.target, values.factors[formula], strict=True)]
    residual = [r for r in rest if r is not None and np.isfinite(r).all()]
    if len(residual) < len(rest) or any(close(r, np.zeros_like(r)) for r in residual):
        return
    numbers = [s for s in own if s in values.factors and values.factors[s][0].shape == (1, 1)]
    for s in own:
        found = values.factors.get(s)
        if found is None or s in numbers:
            continue
        for tree, value in ((s, found), (Transpose(s), tuple(v.T for v in found))):
            if any(v.shape != r.shape for v, r in zip(value, residual, strict=True)):
                continue
            for number in (None, *numbers):
                times = value if number is None else [v * n for v, n in zip(value, values.factors[number], strict=True)]
                c = coefficient(residual, times)
                if c is not None:
                    term = scaled(abs(c), number, tree)
                    yield added(formula, term, c < 0), f"missing term {written(Neg(term) if c < 0 else term)}"


def coefficient(residual: Sequence[FloatArray], values: Sequence[FloatArray]) -> Fraction | None:
    """The simple number c with residual = c values at each point."""
    ratios = [constant_ratio(r, v) for r, v in zip(residual, values, strict=True)]
    first = ratios[0]
    if first is None or any(r is None or abs(r - first) > 1e-9 for r in ratios):
        return None
    return next((s * c for c in _COEFFICIENTS for s in (1, -1) if abs(first - s * float(c)) < 1e-9), None)


def scaled(c: Fraction, number: Expr | None, tree: Expr) -> Expr:
    args = (*((Num(c),) if c != 1 else ()), *((number,) if number is not None else ()), tree)
    return args[0] if len(args) == 1 else Product(args, ("",) * (len(args) - 1))


def added(formula: Expr, term: Expr, minus: bool) -> Expr:
    args = formula.args if isinstance(formula, Add) else (formula,)
    return Add((*args, Neg(term) if minus else term))


# --- numbers in front of a formula: what they are worth, and how a missing one is written ---


def numeric(tree: Expr, sizes: dict[str, int]) -> float | None:
    match tree:
        case Num(value):
            return float(value)
        case Symbol(name, None):
            return float(sizes[name]) if name in sizes else None
        case Quotient(top, bottom):
            a, b = numeric(top, sizes), numeric(bottom, sizes)
            return a / b if a is not None and b else None
        case Product(args):
            out = 1.0
            for x in args:
                v = numeric(x, sizes)
                if v is None:
                    return None
                out *= v
            return out
        case _:
            return None


def with_scalars(tree: Expr, a: Apart) -> Expr:
    if not a.scalars:
        return tree
    rest = tree.args if isinstance(tree, Product) else (tree,)
    args = (*a.scalars, *rest)
    return Product(args, ("",) * (len(args) - 1))


def factor_tree(name: str, decl: Declarations) -> Expr | None:
    """The coefficient from its name: 1/N, 2, N/2, 1/(2 N), 1/√d; without its sign."""
    top, _, bottom = name.removeprefix("-").partition("/")

    def joined(text: str) -> Expr | None:
        parts: list[Expr] = []
        for word in text.strip("()").split():
            if word.isdigit():
                parts.append(Num(Fraction(word)))
            elif word.removeprefix("√") in decl.sizes:
                size = Symbol(word.removeprefix("√"))
                parts.append(Power(size, Num(Fraction(1, 2))) if word[0] == "√" else size)
            else:
                return None
        return parts[0] if len(parts) == 1 else Product(tuple(parts), ("",) * (len(parts) - 1)) if parts else None

    above = joined(top)
    if not bottom or above is None:
        return above
    below = joined(bottom)
    return None if below is None else Quotient(above, below)
