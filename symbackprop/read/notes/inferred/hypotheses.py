"""Properties that are said in words, as equations: symmetric, orthogonal, of length 1, summing to 1, positive."""

from __future__ import annotations

from fractions import Fraction

from ..declared.symbols import ArraySymbol
from ..grammar.tree import (
    Binder,
    Chain,
    Entry,
    Expr,
    Identity,
    IndexName,
    Link,
    Num,
    Product,
    Sum,
    Symbol,
    Transpose,
)


def property_chain(p: str, name: str, array: ArraySymbol) -> Chain | None:
    x, rank = Symbol(name), len(array.shape)
    product = ("",)
    match p:
        case "symmetric" if rank == 2:
            return equation(x, Transpose(x))
        case "orthogonal" if rank == 2:
            return equation(Product((Transpose(x), x), product), Identity(array.shape[1]))
        case "unit" if rank == 1:
            return equation(Product((Transpose(x), x), product), Num(Fraction(1)))
        case "one-hot" | "sums" if rank == 1:
            k = IndexName("k''")
            return equation(Sum((Binder("k''"),), Entry(x, (k,))), Num(Fraction(1)))
        case "one-hot" | "sums" if rank == 2:
            k = IndexName("k''")
            return equation(Sum((Binder("k''"),), Entry(x, (IndexName("n''"), k))), Num(Fraction(1)))
        case "positive" if rank == 0:
            return Chain((x,), (Link(">", Num(Fraction(0))),))
        case _:
            return None


def property_text(p: str, name: str) -> str:
    return {
        "symmetric": f"{name} = {name}^T", "orthogonal": f"{name}^T {name} = I", "unit": f"{name}^T {name} = 1",
        "positive": f"{name} > 0",
    }.get(p, f"the entries of {name} sum to 1")  # fmt: skip


def equation(left: Expr, right: Expr) -> Chain:
    return Chain((left,), (Link("=", right),))
