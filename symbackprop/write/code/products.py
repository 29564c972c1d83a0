"""What a matrix product is in NumPy: a sum, a broadcast, an outer product or `@`."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction


def parts(e: Any) -> tuple[Any, Any, Any]:
    """(scalar, matrix, None) or (None, left, right)."""
    a, b = e.args
    return (None, a, b) if getattr(a, "is_Matrix", False) else (a, b, None)


def kind(a: Any, b: Any) -> str:
    """What the product A B is in NumPy."""
    if isinstance(a, sympy.OneMatrix):
        if a.shape[1] == 1:
            return "rows"
        return "total" if is_sum(b, right=True) else "sum 0"
    if isinstance(b, sympy.OneMatrix):
        if b.shape[0] == 1:
            return "columns"
        return "total" if is_sum(a, right=False) else "sum 1"
    return "outer" if a.shape[1] == 1 else "matmul"


def is_sum(e: Any, right: bool) -> bool:
    if not isinstance(e, sympy.MatMul):
        return False
    scale, a, b = parts(e)
    if scale is not None:
        return False
    ones = b if right else a
    return isinstance(ones, sympy.OneMatrix) and ones.shape[0 if right else 1] != 1


def summand(a: Any, b: Any) -> Any:
    """M in 1^T (M 1) or (1^T M) 1."""
    return b.args[0] if isinstance(a, sympy.OneMatrix) else a.args[1]


def unrepeated(e: Any) -> Any:
    """The row or column that NumPy broadcasts to e."""
    while isinstance(e, sympy.MatMul):
        scale, a, b = parts(e)
        if scale is not None or kind(a, b) not in ("rows", "columns"):
            break
        e = b if kind(a, b) == "rows" else a
    return e


def is_step(e: Any) -> bool:
    return isinstance(e, ElementwiseApplyFunction) and type(e.function.expr).__name__ == "step"


def is_plain(scalar: Any) -> bool:
    """Made of numbers and sizes, so a Python number when it is computed."""
    return all(s.is_integer for s in scalar.free_symbols) and not scalar.has(sympy.Trace, sympy.Determinant)
