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
from symbackprop.read.notes.grammar.tree import (
    Add,
    Annotated,
    Call,
    Derivative,
    Entry,
    Expr,
    Gradient,
    Hadamard,
    Identity,
    Indicator,
    Inner,
    Kronecker,
    Matrix,
    Neg,
    Norm,
    Num,
    Ones,
    Outer,
    Over,
    Power,
    Product,
    Quotient,
    Reals,
    Shape,
    Sum,
    Symbol,
    Transpose,
)
from symbackprop.read.notes.grammar.walking import mapped, walk
from symbackprop.read.notes.meaning.definitions import array_of

NUMBERS = frozenset({"tr", "det", "sum", "mean", "norm", "max", "min", "logsumexp", "rank"})
SYMMETRIC = frozenset({"diag"})


class NotTurned(SymbackpropError):
    """No translation of this is known."""


def is_number(node: Expr, decl: Declarations) -> bool:
    """A number by its form: not what it is worth to be found out by shapes."""
    match node:
        case Num() | Norm() | Inner() | Kronecker() | Over():
            return True
        case Indicator(condition):
            return not any(isinstance(n, Symbol) and is_array(n, decl) for n in walk(condition))
        case Entry(base, at):
            symbol = array_of(base, decl) if isinstance(base, Symbol) else None
            return symbol is None or not symbol.family or len(at) > symbol.family
        case Symbol():
            return not is_array(node, decl)
        case Call(function, args):
            known = decl.functions.get(function.name)
            if function.name in NUMBERS or (known is not None and known.kind in ("loss", "abstract")):
                return True
            return all(is_number(a, decl) for a in args)
        case Derivative(body, wrt):
            return is_number(body, decl) and all(is_number(w, decl) for w in wrt)
        case Gradient(body, wrt_one):
            return is_number(body, decl) and is_number(wrt_one, decl)
        case Sum(_, body) | Neg(body) | Power(body) | Quotient(body) | Transpose(body) | Annotated(body):
            return is_number(body, decl)
        case Add(args) | Product(args) | Hadamard(args):
            return all(is_number(a, decl) for a in args)
        case _:
            return False


def is_array(s: Symbol, decl: Declarations) -> bool:
    symbol = array_of(s, decl)
    return symbol is not None and bool(symbol.shape)


# --- convention ----------------------------------------------------------------------------------


def turned(node: Expr, decl: Declarations) -> Expr:
    """The transpose of an expression in arrays that are transposed."""

    def inside(child: object) -> object:
        if isinstance(child, tuple):
            return mapped(child, inside)
        return turned(cast(Expr, child), decl) if isinstance(child, EXPRESSIONS) else mapped(child, inside)

    match node:
        case Product(args, signs):
            return reversed_product(tuple(turned(a, decl) for a in args), args, signs, node, decl)
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


def reversed_product(
    new: tuple[Expr, ...], old: tuple[Expr, ...], signs: tuple[str, ...], node: Product, decl: Declarations
) -> Expr:
    """The numbers in front, the arrays the other way round."""
    numbers = [n for n, o in zip(new, old, strict=True) if is_number(o, decl)]
    arrays = [n for n, o in zip(new, old, strict=True) if not is_number(o, decl)]
    if len(arrays) < 2:
        return replace(node, args=new)
    every = (*numbers, *reversed(arrays))
    plain = signs if len(set(signs)) == 1 else ("",) * len(signs)
    return replace(node, args=every, signs=plain)


# --- layout --------------------------------------------------------------------------------------


def laid_out(lhs: Expr, rhs: Expr, decl: Declarations) -> tuple[Expr, Expr]:
    """An equation with the same meaning where derivatives are laid out the other way, with few transposes."""
    kept = tuple(preserved(x, decl) for x in (lhs, rhs))
    if kept == (lhs, rhs):  # ∇ is that of the variable's shape in either layout
        return lhs, rhs
    same = tuple(map(tidy, kept))
    other = tuple(transposed(x, decl) for x in same)
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


def transposed(node: Expr, decl: Declarations) -> Expr:
    """The transpose, carried to where it costs least."""
    if is_number(node, decl):
        return node
    inside = carried_in(node, decl)
    return inside if count(inside) <= count(node) + 1 else Transpose(node)


def carried_in(node: Expr, decl: Declarations) -> Expr:
    match node:
        case Transpose(arg):
            return arg
        case Product(args, signs):
            new = tuple(transposed(a, decl) for a in args)
            return reversed_product(new, args, signs, node, decl)
        case Hadamard(args) | Add(args):
            return replace(node, args=tuple(transposed(a, decl) for a in args))
        case Neg(arg):
            return replace(node, arg=transposed(arg, decl))
        case Sum(_, body):
            return replace(node, body=transposed(body, decl))
        case Quotient(top):
            return replace(node, top=transposed(top, decl))
        case Outer(args):
            return replace(node, args=args[::-1])
        case Identity():
            return node
        case Call(function) if function.name in SYMMETRIC:
            return node
        case Annotated(arg, shape):
            turned_shape = replace(shape, parts=shape.parts[::-1]) if isinstance(shape, Shape) else shape
            return replace(node, arg=transposed(arg, decl), shape=turned_shape)
        case _:
            return Transpose(node)


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
