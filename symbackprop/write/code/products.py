"""What a matrix product is in NumPy: a sum, a broadcast, an outer product or `@`; and the brackets that code needs.

Each piece of code is parsed to see how tightly it binds.
"""

from __future__ import annotations

import ast
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


LARGEST_INT = 2**31  # a larger Python int does not fit every array type; its float does

LEVEL_COMPARE, LEVEL_SUM, LEVEL_PRODUCT, LEVEL_UNARY, LEVEL_POWER, LEVEL_ATOM = range(6)


def level(code: str) -> int:
    """How tightly the outermost operation of `code` binds."""
    match ast.parse(code, mode="eval").body:
        case ast.Compare():
            return LEVEL_COMPARE
        case ast.BinOp(_, ast.Add() | ast.Sub(), _):
            return LEVEL_SUM
        case ast.BinOp(_, ast.Pow(), _):
            return LEVEL_POWER
        case ast.BinOp():
            return LEVEL_PRODUCT
        case ast.UnaryOp():
            return LEVEL_UNARY
        case ast.Constant(int() | float() as value) if value < 0:
            return LEVEL_UNARY
    return LEVEL_ATOM


def at_least(code: str, wanted: int) -> str:
    return code if level(code) >= wanted else f"({code})"


def atom(code: str) -> str:
    return at_least(code, LEVEL_ATOM)


def factor(code: str) -> str:
    """A factor of a product; matrix products get brackets, since a reader does not know how tightly @ binds."""
    body = ast.parse(code, mode="eval").body
    product = isinstance(body, ast.BinOp) and isinstance(body.op, ast.MatMult | ast.Div)
    return f"({code})" if product else at_least(code, LEVEL_PRODUCT)


def shares(code: str) -> bool:
    """Whether the value is an argument, an earlier value, or a view of one."""
    match ast.parse(code, mode="eval").body:
        case ast.Name() | ast.Attribute() | ast.Subscript() | ast.Call(ast.Name("broadcast_to")):
            return True
    return False


def number(e: Any) -> str:
    """A Python number."""
    if e.is_Rational and max(abs(e.p), e.q) < LARGEST_INT:
        return str(e.p) if e.q == 1 else f"{e.p} / {e.q}" if not e.is_negative else f"(-{-e.p} / {e.q})"
    return repr(float(e))
