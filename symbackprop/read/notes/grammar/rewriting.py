"""Questions about resolved trees, and trees with their sign turned, transposed, or times a number, as one writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import cast

from ..declared.symbols import Declarations
from ..meaning.definitions import array_of, definition_of
from .tree import (
    Add, Annotated, Call, Chain, Derivative, Entry, Expr, Function, Gradient, Hadamard, Identity, IndexName,
    Indicator, Inner, Kronecker, Neg, Norm, Num, Outer, Power, Product, Quotient, Reals, Shape,
    ShapeWord, Sum, Symbol, Transpose,
)  # fmt: skip
from .walking import mapped, product_of, rewritten, walk


def negative(tree: Expr) -> Expr:
    match tree:
        case Neg(arg):
            return arg
        case Add(args):
            flipped = [a.arg if isinstance(a, Neg) else Neg(a) for a in args]
            return Add(tuple(sorted(flipped, key=lambda a: isinstance(a, Neg))))
        case Product(args) | Hadamard(args):
            for k, a in enumerate(args):
                if isinstance(a, Add) and any(isinstance(x, Neg) for x in a.args):
                    return replace(tree, args=(*args[:k], replace(negative(a), span=a.span), *args[k + 1 :]))
    return Neg(tree)


def transposed(tree: Expr, decl: Declarations, inner: Callable[[Expr], Expr] | None = None) -> Expr:
    """The transpose, pushed into sums and products, into their parts by `inner`; numbers stay in front."""
    go = inner or (lambda t: transposed(t, decl))
    if is_number(tree, decl):
        return tree
    match tree:
        case Transpose(arg):
            return arg
        case Call(Function("diag")) | Identity():
            return tree
        case Product(args):
            new = tuple(Transpose(a) if isinstance(a, Add) and inner is None else go(a) for a in args)
            return reversed_product(new, tree, decl)
        case Hadamard(args) | Add(args):
            return replace(tree, args=tuple(map(go, args)))
        case Outer(args):
            return replace(tree, args=args[::-1])
        case Neg(arg):
            return replace(tree, arg=go(arg))
        case Sum(_, body):
            return replace(tree, body=go(body))
        case Quotient(top):
            return replace(tree, top=go(top))
        case Annotated(arg, shape):
            other = replace(shape, parts=shape.parts[::-1]) if isinstance(shape, Shape) else shape
            return replace(tree, arg=go(arg), shape=other)
        case _:
            return Transpose(tree)


def reversed_product(new: tuple[Expr, ...], old: Product, decl: Declarations) -> Expr:
    """What the factors became: the numbers in front, the arrays the other way round."""
    lone = [is_number(a, decl) for a in old.args]
    numbers = [n for n, number in zip(new, lone, strict=True) if number]
    arrays = [n for n, number in zip(new, lone, strict=True) if not number]
    if len(arrays) < 2:
        return replace(old, args=new)
    plain = old.signs if len(set(old.signs)) == 1 else ("",) * len(old.signs)
    return replace(old, args=(*numbers, *reversed(arrays)), signs=plain)


NUMBERS = frozenset({"tr", "det", "sum", "mean", "norm", "max", "min", "logsumexp", "rank"})


def is_number(node: Expr, decl: Declarations) -> bool:
    """A number by its form: not what it is worth to be found out by shapes."""
    match node:
        case Num() | Norm() | Inner() | Kronecker() | IndexName():
            return True
        case Sum(kind=kind) if kind != "sum":
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


def scalar_like(tree: Expr) -> bool:
    """Entries, numbers: nothing that could be transposed."""
    if isinstance(tree, (Entry, Num, Kronecker, Sum, IndexName)):
        return True
    return any(isinstance(n, (Kronecker, Entry)) for n in walk(tree))


def index_names(trees: Sequence[Expr]) -> tuple[str, ...]:
    names = {n.name for t in trees for n in walk(t) if isinstance(n, IndexName)}
    names |= {b.name for t in trees for n in walk(t) if isinstance(n, Sum) for b in n.binders}
    return tuple(sorted(names))


def scaled_tree(tree: Expr, coefficient: Expr, name: str) -> Expr:
    """c times the tree, joined with the number that stands in front, the sign left where it is."""
    inner = tree.arg if isinstance(tree, Neg) else tree
    if coefficient != Num(Fraction(1)):
        rest = inner.args if isinstance(inner, Product) else (inner,)
        joined = joined_numbers(coefficient, rest[0])
        args = (coefficient, *rest) if joined is None else (joined, *rest[1:])
        if len(args) > 1 and args[0] == Num(Fraction(1)):
            args = args[1:]
        inner = product_of(args)
    if isinstance(tree, Neg):
        return inner if name.startswith("-") else Neg(inner)
    return negative(inner) if name.startswith("-") else inner


def joined_numbers(coefficient: Expr, first: Expr) -> Expr | None:
    """2 · 1/N = 2/N, 1/2 · 2 = 1, 1/N · 2 = 2/N; None where they are better left beside each other."""
    match coefficient, first:
        case Num(c), Num(v):
            return Num(c * v)
        case Num(c), Quotient(Num(v), Num(w)) if w:
            return Num(c * v / w) if (c * v / w).denominator == 1 else Quotient(Num(c * v), Num(w))
        case Num(c), Quotient(top, Num(w)) if c == w:
            return top
        case Num(c), Quotient(Num(v), bottom):
            return Quotient(Num(c * v), bottom)
        case Quotient(Num(c), Num(d)), Num(v) if d and (c * v / d).denominator == 1:
            return Num(c * v / d)
        case Quotient(Num(c), Num(d)), Quotient(Num(v), bottom) if d and (c * v / d).denominator == 1:
            return Quotient(Num(c * v / d), bottom)
        case Quotient(Num(c), bottom), Num(v):
            return Quotient(Num(c * v), bottom)
        case _:
            return None


# --- questions that decide what kind of statement something is ---


def with_left(text: str, start: int) -> int:
    r"""The \left of a bracket belongs to it."""
    found = re.search(r"\\left\s*\Z", text[:start])
    return found.start() if found else start


def restates(lhs: Expr, rhs: Expr, known: Chain, table: Declarations) -> bool:
    """lhs = rhs is the known definition, whole or entry by entry, up to plain renamings such as a^0 := x."""
    subject, body = known.subjects[-1], renamed(known.links[0].rhs, table)
    rhs = cast(Expr, renamed(rhs, table))
    if lhs == subject and rhs == body:
        return True
    if not isinstance(lhs, Entry) or lhs.base != subject:
        return False
    return rewritten(rhs, lambda n: n.base if isinstance(n, Entry) and n.at == lhs.at else None) == body


def renamed(node: object, table: Declarations) -> object:
    """The tree with every symbol that is defined to be just another one replaced by that."""
    if isinstance(node, Symbol):
        known = definition_of(node, table) if node.sample is None else None
        if known is not None and known.subjects[-1] == node and isinstance(known.links[0].rhs, Symbol):
            return replace(known.links[0].rhs, span=node.span)
        return node
    return mapped(node, lambda child: renamed(child, table))


def free_indices(node: Entry) -> bool:
    """Each subscript is an index of its own: a_i, w_{jk}; not a_1 or w_{ii}."""
    names = [a.name for a in node.at if isinstance(a, IndexName)]
    return len(names) == len(node.at) == len(set(names))


def is_shape(node: Expr, table: Declarations) -> bool:
    match node:
        case Shape() | Reals() | ShapeWord():
            return True
        case Transpose(arg):
            return is_shape(arg, table)
        case Product(args) | Hadamard(args):
            return any(isinstance(a, Shape) for a in args) and all(is_shape(a, table) for a in args)
        case Quotient(top, bottom):
            return is_shape(bottom, table) or (is_shape(top, table) and not isinstance(top, (Symbol, Num)))
        case Symbol(name):
            return (name in table.sizes or name in table.layered_sizes) and array_of(node, table) is None
        case _:
            return False
