"""What generated source may contain.  It is read as a syntax tree before it runs; anything else is refused.

Names are generated (v0, v1, ... for arrays, n0, n1, ... for sizes) or are in the table of NumPy functions below, so
that no text of a user can become code even if everything before this check were wrong.
"""

from __future__ import annotations

import ast
import re

from symbackprop.core.functions import column
from symbackprop.core.terms import SymbackpropError

GENERATED = re.compile(r"[vn](0|[1-9][0-9]{0,6})")

# Every function that generated source may call, by the module it comes from.
CALLABLE: dict[str, tuple[str, ...]] = {
    "numpy": (
        *column(lambda f: f.numpy).values(),
        "absolute", "add", "arange", "broadcast_to", "clip", "diag", "diagonal", "einsum", "eye", "full", "heaviside",
        "logaddexp", "maximum", "minimum", "multiply", "result_type", "sign", "sqrt", "square", "trace",
    ),
    "numpy.linalg": ("det", "inv"),
    "scipy.special": ("erf",),
}  # fmt: skip
FUNCTIONS = {name: module for module, names in CALLABLE.items() for name in names}
ATTRIBUTES = frozenset({"T", "shape", "reduce", "reshape", "astype", "copy"})
KEYWORDS = frozenset({"axis", "keepdims", "dtype", "optimize"})
COMPARISONS = (ast.Gt, ast.GtE, ast.Eq)
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.MatMult, ast.Pow, ast.USub, ast.Gt)
FUNCTION_NAME = "_generated"


class UnsafeSource(SymbackpropError):
    """Generated source with something in it that no generator here writes."""


def check_source(source: str) -> ast.FunctionDef:
    """The one function that `source` defines.  Raises UnsafeSource unless it is straight-line array arithmetic."""
    match _parsed(source, "exec"):
        case ast.Module([ast.FunctionDef(name, arguments, body, [], None) as function]) if name == FUNCTION_NAME:
            pass
        case _:
            raise UnsafeSource("generated source is not one plain function")
    match arguments:
        case ast.arguments([], args, None, [], [], None, []) if all(a.annotation is None for a in args):
            for a in args:
                _require(GENERATED.fullmatch(a.arg) is not None, f"argument {a.arg!r}")
        case _:
            raise UnsafeSource("generated source has unusual arguments")
    for k, statement in enumerate(body):
        match statement:
            case ast.Assign([ast.Name(target)], value):
                _require(GENERATED.fullmatch(target) is not None, f"name {target!r}")
                _check(value)
            case ast.Return(ast.expr() as value) if k == len(body) - 1:
                _check(value)
            case _:
                raise UnsafeSource(f"generated source contains a statement {type(statement).__name__}")
    return function


def check_expression(code: str) -> None:
    """Raises UnsafeSource unless `code` is one expression of array arithmetic."""
    match _parsed(code, "eval"):
        case ast.Expression(body):
            _check(body)


def _parsed(source: str, mode: str) -> ast.AST:
    try:
        return ast.parse(source, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as failure:
        raise UnsafeSource(f"generated source is not Python: {failure}") from None


def _check(e: ast.expr) -> None:
    match e:
        case ast.Name(name):
            _require(GENERATED.fullmatch(name) is not None or name in FUNCTIONS, f"name {name!r}")
        case ast.Constant(value):
            _require(value is None or type(value) in (int, float, bool), f"constant {value!r}")
        case ast.BinOp(left, operator, right):
            _require(isinstance(operator, OPERATORS), f"operator {type(operator).__name__}")
            _check(left)
            _check(right)
        case ast.UnaryOp(ast.USub(), operand):
            _check(operand)
        case ast.Compare(left, [comparison], [right]):
            _require(isinstance(comparison, COMPARISONS), f"comparison {type(comparison).__name__}")
            _check(left)
            _check(right)
        case ast.Attribute(value, attribute):
            _require(attribute in ATTRIBUTES, f"attribute {attribute!r}")
            _check(value)
        case ast.Subscript(value, index):
            _check(value)
            for part in index.elts if isinstance(index, ast.Tuple) else [index]:
                if not (isinstance(part, ast.Slice) and part.lower is part.upper is part.step is None):
                    _check(part)
        case ast.Tuple(parts):
            for part in parts:
                _check(part)
        case ast.Call(function, arguments, keywords):
            named = isinstance(function, ast.Name) and function.id in FUNCTIONS
            _require(named or isinstance(function, ast.Attribute), "call of a value")
            _check(function)
            for a in arguments:
                _check(a)
            for k in keywords:
                _require(k.arg in KEYWORDS, f"keyword {k.arg!r}")
                _check(k.value)
        case _:
            raise UnsafeSource(f"generated source contains {type(e).__name__}")


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise UnsafeSource(f"generated source contains the {what}")
