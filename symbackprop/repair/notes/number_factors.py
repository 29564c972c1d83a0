"""Numbers in front of a formula: what they are worth, and how a missing one is written."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.grammar.tree import Expr, Num, Power, Product, Quotient, Symbol

from .rebuilding import Apart


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
