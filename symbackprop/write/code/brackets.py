"""Brackets and numbers in generated code: each piece of code is parsed to see how tightly it binds."""

from __future__ import annotations

import ast
from typing import Any

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
