"""What nodes are called in the name of a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symbackprop.core.terms import Power
from symbackprop.read.numpy import INPUT, Node, SymInt


def listed(nodes: Sequence[Node]) -> str:
    return " and ".join(map(said, nodes))


def said(node: Node) -> str:
    """The user's name, or the operation and where it stands."""
    if node.name:
        return f"`{node.name}`"
    where = f" on line {node.line[1]}" if node.line else ""
    return f"`{node.operation}`{where}"


def factor_text(x: Node | SymInt) -> str:
    """The user's name, or what it is where it is a constant."""
    if isinstance(x, SymInt):
        return str(x.expr)
    if x.name or x.shape or x.operation == INPUT:
        return x.name or f"the {x.operation}"
    match x.entries.body:
        case Power(Power(base, p), q) if p * q == Fraction(-1, 2):
            return f"1/√{base}"
        case Power(base, q) if q.denominator == 2 and abs(q.numerator) == 1:
            return f"{'1/' * (q < 0)}√{base}"
    text = str(x.entries.body)
    return text if text.isalnum() else f"({text})" if len(text) < 30 and "%" not in text else f"the {x.operation}"


def reciprocal(text: str) -> str:
    return text[2:] if text.startswith("1/") else f"1/{text}"


__all__ = ["factor_text", "listed", "reciprocal", "said"]
