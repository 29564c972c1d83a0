"""Formulas in another convention: every array replaced by its transpose, or derivatives laid out the other way.

Row and column convention: each array is called as before and is the transpose of what it was, so that z = W x + b
becomes z = x W + b.  Numerator and gradient layout: arrays stay, ∂s/∂W is transposed.  Nothing here is trusted: see
`converting`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast, get_args

from symbackprop.core.terms import SymbackpropError
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.grammar.syntax import is_number, reversed_product, transposed
from symbackprop.read.notes.grammar.tree import (
    Derivative, Entry, Expr, Gradient, Matrix, Ones, Outer, Product, Reals, Shape, Symbol, Transpose,
)  # fmt: skip
from symbackprop.read.notes.grammar.walking import mapped, walk
from symbackprop.read.notes.meaning.definitions import array_of


class NotTurned(SymbackpropError):
    """No translation of this is known."""


# --- convention ----------------------------------------------------------------------------------


def turned(node: Expr, decl: Declarations) -> Expr:
    """The transpose of an expression in arrays that are transposed."""

    def inside(child: object) -> object:
        if isinstance(child, tuple):
            return mapped(child, inside)
        return turned(cast(Expr, child), decl) if isinstance(child, EXPRESSIONS) else mapped(child, inside)

    match node:
        case Product(args):
            return reversed_product(tuple(turned(a, decl) for a in args), node, decl)
        case Outer(args):
            return replace(node, args=tuple(turned(a, decl) for a in reversed(args)))
        case Entry(base, at) if len(at) == 2:
            symbol = array_of(base, decl) if isinstance(base, Symbol) else None
            if symbol is not None and (symbol.family or len(symbol.shape) != 2):
                raise NotTurned(f"{symbol.name} counts copies")
            return replace(node, base=turned(base, decl), at=at[::-1])
        case Entry(Symbol() as base, at) if len(at) > 2:
            raise NotTurned(f"{base.name} has {len(at)} axes")
        case Symbol(sample=sample) if sample is not None:
            raise NotTurned("a sample of a batch")
        case Matrix(rows):
            return replace(node, rows=tuple(zip(*(tuple(turned(c, decl) for c in row) for row in rows), strict=True)))
        case Ones(sizes) if len(sizes) < 2:
            return Transpose(node)
        case Ones(sizes):
            return replace(node, sizes=sizes[::-1])
        case Shape(parts):
            return replace(node, parts=parts[::-1])
        case Reals():
            return node if node.shape is None else replace(node, shape=turned(node.shape, decl))
        case _:
            return cast(Expr, mapped(node, inside))


EXPRESSIONS = get_args(Expr)


# --- layout --------------------------------------------------------------------------------------


def laid_out(lhs: Expr, rhs: Expr, decl: Declarations) -> tuple[Expr, Expr]:
    """An equation with the same meaning where derivatives are laid out the other way, with few transposes."""
    kept = tuple(preserved(x, decl) for x in (lhs, rhs))
    if kept == (lhs, rhs):  # ∇ is that of the variable's shape in either layout
        return lhs, rhs
    same = tuple(map(tidy, kept))
    other = tuple(carried(x, decl) for x in same)
    best = min((same, other), key=lambda sides: (count(sides), count(sides[0])))
    return cast("tuple[Expr, Expr]", best)


def count(node: object) -> int:
    """Of transposes."""
    return sum(isinstance(n, Transpose) for n in walk(node))


def preserved(node: Expr, decl: Declarations) -> Expr:
    """Of the same value: a derivative that is turned is turned back."""
    match node:
        case Derivative(_, wrt) if not is_number(node, decl):
            if len(wrt) != 1 or isinstance(wrt[0], Entry):
                raise NotTurned("a derivative with more than one variable")
            return Transpose(node)
        case Derivative() | Gradient():
            return node
        case _:

            def inside(child: object) -> object:
                if isinstance(child, tuple):
                    return mapped(child, inside)
                return preserved(cast(Expr, child), decl) if isinstance(child, EXPRESSIONS) else child

            return cast(Expr, mapped(node, inside))


def carried(node: Expr, decl: Declarations) -> Expr:
    """The transpose, carried to where it costs least."""
    inside = transposed(node, decl, lambda a: carried(a, decl))
    return inside if count(inside) <= count(node) + 1 else Transpose(node)


def tidy(node: Expr) -> Expr:
    """Without transposes of transposes."""

    def inside(child: object) -> object:
        return tidy(cast(Expr, child)) if isinstance(child, EXPRESSIONS) else mapped(child, inside)

    found = cast(Expr, mapped(node, inside))
    match found:
        case Transpose(Transpose(arg)):
            return arg
        case _:
            return found
