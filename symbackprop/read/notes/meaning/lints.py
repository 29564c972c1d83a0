"""Mistakes with indices that can be seen before anything is proved."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import cast

from ..declared.symbols import Declarations
from ..files.place import ReadError, Span
from ..grammar.tree import Add, Derivative, Entry, Expr, IndexName, Neg, Num, Over, Product, Quotient, Sum, Symbol
from ..grammar.walking import walk

Places = dict[str, Span]


def lint(lhs: Expr, rhs: Expr, decl: Declarations) -> None:
    """Refuse: an index free on one side only, an index free and summed, a sum whose index does not occur under it."""
    left, left_bound = indices(lhs, decl)
    right, right_bound = indices(rhs, decl)
    bound = {**left_bound, **right_bound}
    for name, span in {**left, **right}.items():
        if name in bound:
            raise ReadError(f"the index {name} is free here and summed elsewhere in the same equation", span)
    for here, there, side in ((left, right, "left"), (right, left, "right")):
        other = rhs if here is left else lhs
        for name, span in here.items():
            if name not in there and not constant(other, decl) and not (side == "left" and may_be_alike(lhs, name)):
                raise ReadError(f"the index {name} is free on the {side} side only", span)


def may_be_alike(node: Expr, name: str) -> bool:
    """∂a_j/∂w_{ji}, ∂x_i/∂μ: the value may well be the same for all values of an index of what is differentiated."""
    match node:
        case Derivative(body, _):
            return any(isinstance(n, IndexName) and n.name == name for n in walk(body))
        case _:
            return False


def constant(node: Expr, decl: Declarations) -> bool:
    """Made of numbers and sizes: the same for every index (∂μ/∂x_j = 1/D)."""
    match node:
        case Num():
            return True
        case Symbol(name, label):
            sizes, arrays = (decl.sizes, decl.arrays) if label is None else (decl.layered_sizes, decl.layered)
            return name in sizes and name not in arrays
        case Neg(arg):
            return constant(arg, decl)
        case Add(args) | Product(args):
            return all(constant(a, decl) for a in args)
        case Quotient(top, bottom):
            return constant(top, decl) and constant(bottom, decl)
        case _:
            return False


def indices(node: Expr, decl: Declarations) -> tuple[Places, Places]:
    """The free and the bound indices of an expression, with a place of each."""
    free: Places = {}
    bound: Places = {}

    def visit(n: object, scope: frozenset[str]) -> None:
        if isinstance(n, tuple):
            for child in n:
                visit(child, scope)
        elif isinstance(n, (Sum, Over)):
            names = {b.name for b in n.binders}
            for b in n.binders:
                if b.name in scope:
                    raise ReadError(f"the index {b.name} is summed twice, one sum inside the other", b.span)
                bound.setdefault(b.name, b.span)
                visit((b.low, b.high), scope)
            visit(n.body, scope | names)
        elif axes := makes_array(n, decl):
            visit(cast(Entry, n).base, scope | axes)
        elif isinstance(n, IndexName):
            if n.name not in scope and n.name not in decl.layers:
                free.setdefault(n.name, n.span)
        elif is_dataclass(n) and not isinstance(n, type):
            sample = getattr(n, "sample", None)
            if (
                sample is not None
                and sample.base is not None
                and sample.base not in scope
                and sample.base in decl.indices
            ):
                free.setdefault(sample.base, getattr(n, "span", (0, 1)))
            for f in fields(n):
                if f.name not in ("span", "at_span", "sample", "label"):
                    visit(getattr(n, f.name), scope)

    visit(node, frozenset())
    return free, bound


def makes_array(node: object, decl: Declarations) -> frozenset[str]:
    """The indices that [∂y_i/∂z_j]_{ij} makes axes of: it is a matrix."""
    if not isinstance(node, Entry) or isinstance(node.base, Symbol):
        return frozenset()
    inside, _ = indices(node.base, decl)
    names = [a.name for a in node.at if isinstance(a, IndexName)]
    distinct = len(set(names)) == len(names)
    return frozenset(names) if len(names) in (1, 2) and distinct and all(n in inside for n in names) else frozenset()


def consistent(lhs: Expr, rhs: Expr, decl: Declarations) -> bool:
    """No mistake with indices is seen."""
    try:
        lint(lhs, rhs, decl)
    except ReadError:
        return False
    return True
