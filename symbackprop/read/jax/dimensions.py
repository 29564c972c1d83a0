"""Sizes as JAX writes them, and back: "2*n + m - 1", "floordiv(n, 2)"."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from symbackprop.core.terms import Size
from symbackprop.read.numpy import SymInt, TraceError

RESERVED = frozenset({"floordiv", "mod", "max", "min", "non_negative"})


def usable(symbol: str) -> bool:
    """Whether JAX takes a size symbol by its own name."""
    return symbol.isascii() and symbol.isidentifier() and not keyword.iskeyword(symbol) and symbol not in RESERVED


def aliases(symbols: list[str]) -> dict[str, str]:
    """The name of each size symbol for JAX: its own where it can be, so that JAX's messages have it."""
    taken = {s for s in symbols if usable(s)}
    spare = (name for k in count() if (name := f"size{k}") not in taken)
    return {s: s if s in taken else next(spare) for s in symbols}


def written(size: Size, names: Mapping[str, str]) -> str:
    """The size as text for jax.export.symbolic_shape."""
    terms = ["*".join([str(k), *(names[s] for s in symbols)]) for symbols, k in size.monomials]
    return " + ".join(terms) or "0"


class Dimensions:
    """Reads JAX's dimensions as whole numbers of the NumPy reader; `sizes` has those by JAX's names."""

    def __init__(self, sizes: Mapping[str, Any]) -> None:
        self.sizes, self.known = sizes, {}  # type: ignore[var-annotated]

    def __call__(self, dimension: Any) -> SymInt | int:
        if isinstance(dimension, int):
            return dimension
        text = str(dimension)
        if text not in self.known:
            self.known[text] = self.value(ast.parse(text.replace("^", "**"), mode="eval").body)
        return self.known[text]  # type: ignore[no-any-return]

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=int(n)):
                return n
            case ast.Name(id=name):
                return self.sizes[name]
            case ast.UnaryOp(op=ast.USub(), operand=x):
                return -self.value(x)
            case ast.BinOp(left=x, op=ast.Add(), right=y):
                return self.value(x) + self.value(y)
            case ast.BinOp(left=x, op=ast.Sub(), right=y):
                return self.value(x) - self.value(y)
            case ast.BinOp(left=x, op=ast.Mult(), right=y):
                return self.value(x) * self.value(y)
            case ast.BinOp(left=x, op=ast.Pow(), right=ast.Constant(value=int(n))):
                return self.value(x) ** n
            case ast.Call(func=ast.Name(id=name), args=[x, y]) if name in FUNCTIONS:
                return FUNCTIONS[name](self.value(x), self.value(y))
        raise TraceError(f"a size that is not understood: {ast.unparse(node)}")


def larger(a: Any, b: Any) -> Any:
    first = a >= b
    if not isinstance(first, bool):
        raise TraceError(f"which of the sizes {a} and {b} is larger depends on them")
    return a if first else b


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
    "max": larger,
    "min": lambda a, b: a + b - larger(a, b),
}
