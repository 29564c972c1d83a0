"""A generated function with its source, its inputs and its outputs; what its source may contain.

Generated source is read as a syntax tree before it runs; anything else is refused.  Names are generated (v0, v1, ...
for arrays, n0, n1, ... for sizes) or are in the table of NumPy functions below, so that no text of a user can become
code even if everything before this check were wrong.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from textwrap import wrap
from typing import Any

import numpy as np

from symbackprop.core.functions import column
from symbackprop.core.terms import Size, SymbackpropError, sized

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


@dataclass(frozen=True, slots=True)
class Compiled:
    """A generated function.

    `function` takes the arrays in the order of `inputs` and returns a tuple in the order of `outputs`, unchecked and
    fast.  Calling the object checks shapes first, takes arrays by position or by name, and returns a dict.
    """

    source: str
    function: Callable[..., tuple[Any, ...]]
    inputs: tuple[tuple[str, tuple[Size, ...]], ...]
    outputs: tuple[str, ...]
    may_overflow: bool  # a sigmoid's exp may pass infinity on its way to 0

    def __call__(self, *arrays: Any, **named: Any) -> dict[str, Any]:
        """The outputs by name.  Raises SymbackpropError for a missing array or a shape that does not fit."""
        names = [name for name, _ in self.inputs]
        given = dict(zip(names, arrays, strict=False)) | named
        if len(arrays) > len(names) or given.keys() != set(names) or len(given) != len(arrays) + len(named):
            raise SymbackpropError(f"the arrays {', '.join(names)} are needed, each once")
        values = [given[name] if not shape else np.asarray(given[name]) for name, shape in self.inputs]
        sizes: dict[str, tuple[int, str]] = {}
        for (name, shape), value in zip(self.inputs, values, strict=True):
            _check_shape(name, shape, np.shape(value), sizes)
        with np.errstate(over="ignore") if self.may_overflow else nullcontext():
            return dict(zip(self.outputs, self.function(*values), strict=True))


def _check_shape(name: str, shape: tuple[Size, ...], found: tuple[int, ...], sizes: dict[str, tuple[int, str]]) -> None:
    wanted = " × ".join(map(str, shape)) or "a scalar"
    if len(found) != len(shape):
        raise SymbackpropError(f"{name} is {wanted}, not an array of {len(found)} axes")
    for axis, length in zip(shape, found, strict=True):
        if len(axis.symbols) == 1 and axis == sized(axis.symbols[0]):
            sizes.setdefault(axis.symbols[0], (length, name))
    for axis, length in zip(shape, found, strict=True):
        known = {s: n for s, (n, _) in sizes.items()}
        if set(axis.symbols) <= known.keys() and axis.at(known) != length:
            why = "".join(f", where {s} = {known[s]} as in {sizes[s][1]}" for s in axis.symbols)
            raise SymbackpropError(f"{name} is {wanted}, not {' × '.join(map(str, found))}{why}")


# Only such names of a user are shown, in comments: no character of them can end a line.
SHOWABLE = re.compile(r"[\w^{}+*-]{1,32}")


def functions_in(code: str) -> dict[str, list[str]]:
    """The functions that the code calls, by module."""
    used = set(re.findall(r"[A-Za-z_]\w*", code)) & FUNCTIONS.keys()
    return {module: kept for module, names in CALLABLE.items() if (kept := [n for n in names if n in used])}


def namespace(code: str) -> dict[str, Any]:
    """The functions that the code calls, and nothing else."""
    found: dict[str, Any] = {}
    for module, names in functions_in(code).items():
        try:
            home = import_module(module)
        except ImportError as failure:
            raise SymbackpropError(
                f"{', '.join(names)} needs {module.split('.')[0]}, which is not installed"
            ) from failure
        found.update((name, getattr(home, name)) for name in names)
    return found


def readable(source: str, says: Mapping[str, str]) -> str:
    """The same function under imports, with comments."""
    header, *body = source.replace(FUNCTION_NAME, "compute", 1).rstrip().split("\n")
    arguments = [f"{v} = {note}" for v in re.findall(r"v\d+", header) if SHOWABLE.fullmatch(note := says.get(v, ""))]
    lines = [header, *(f"    # {line}" for line in wrap(", ".join(arguments), 110))]
    for line in body:
        note = says.get(line.split()[0], "")
        if "maximum.reduce(" in line:
            note = "subtracted below: exp cannot overflow, and softmax stays the same"
        elif not SHOWABLE.fullmatch(note):
            note = ""
        lines.append(f"{line}  # {note}" if note else line)
    imports = [f"from {module} import {', '.join(names)}" for module, names in functions_in(source).items()]
    return "\n".join([*imports, "", "", *lines]).lstrip("\n") + "\n"


def generated(
    source: str,
    says: Mapping[str, str],
    inputs: Sequence[tuple[str, tuple[Size, ...]]],
    outputs: Sequence[str],
    may_overflow: bool,
) -> Compiled:
    """The function of a source, which is checked first; `says` is what its names are called."""
    check_source(source)
    scope = namespace(source)
    exec(compile(source, "<generated by symbackprop>", "exec"), scope)
    return Compiled(readable(source, says), scope[FUNCTION_NAME], tuple(inputs), tuple(outputs), may_overflow)


def read_off(symbol: str, shapes: Mapping[str, Sequence[Size]]) -> tuple[str, int, int, Size] | None:
    """An axis of size factor * symbol + rest: its array and place, the factor, and the rest; the plainest there is."""
    alone = {n.symbols[0] for shape in shapes.values() for n in shape if n.symbols and n == sized(n.symbols[0])}
    found = []
    for name, shape in shapes.items():
        for k, n in enumerate(shape):
            factor = dict(n.monomials).get((symbol,), 0)
            rest = n - sized(symbol) * factor
            if factor > 0 and symbol not in rest.symbols and alone.issuperset(rest.symbols):
                found.append((name, k, factor, rest))
    return min(found, key=lambda f: (len(f[3].monomials), f[2]), default=None)
