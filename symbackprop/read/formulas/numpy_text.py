"""NumPy as text that a stranger typed: assignments and calls of NumPy are carried out one by one, nothing is executed.

What is understood is what stands here: assignments to names, `return`, arithmetic, comparisons, indexing, and calls of
functions and methods that are traced.  Anything else is refused, with its line.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from symbackprop.core.terms import SymbackpropError
from symbackprop.read.numpy.context import LINALG, METHODS, NUMPY, SPECIAL

from ..numpy import SymArray, SymInt
from .program import call

LIMIT, NODES, DIGITS = 20_000, 2_000, 12
OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.MatMult: operator.matmul, ast.FloorDiv: operator.floordiv,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
HOMES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "np": ("numpy", NUMPY), "numpy": ("numpy", NUMPY), "np.linalg": ("numpy.linalg", LINALG),
    "numpy.linalg": ("numpy.linalg", LINALG), "special": ("scipy.special", SPECIAL),
    "scipy.special": ("scipy.special", SPECIAL),
}  # fmt: skip
CONSTANTS = frozenset({"pi", "inf", "e", "newaxis"})
ATTRIBUTES = frozenset({"T", "shape", "ndim", "size"})


class NumpyText:
    """The text as a function, to be traced or called; its parameters are those of its `def`, else its free names."""

    def __init__(self, text: str) -> None:
        """Raises SymbackpropError, with the line, for what is not understood."""
        if len(text) > LIMIT:
            raise SymbackpropError(f"{len(text)} characters; at most {LIMIT} are read")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None)
            raise SymbackpropError(f"{f'line {line}: ' if line else ''}{getattr(error, 'msg', error)}") from None
        if sum(1 for _ in ast.walk(tree)) > NODES:
            raise SymbackpropError(f"this is too long: at most {NODES} parts are read")
        self.__name__ = "f"
        body = tree.body
        # `import numpy as np` says what is known anyway
        match [s for s in body if not isinstance(s, ast.Import | ast.ImportFrom)]:
            case [ast.FunctionDef() as f]:
                self.__name__, body = f.name, f.body
                self.parameters = parameters(f)
            case body:
                self.parameters = list(free_names(body))
        self.body = [s for s in body if not is_docstring(s)]
        if not self.body:
            raise SymbackpropError("nothing is computed: write assignments, as in r = X @ w - y")
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in self.parameters])

    def __call__(self, **given: Any) -> Any:
        symbolic = any(isinstance(x, SymArray | SymInt) for x in given.values())
        return Run(dict(given), symbolic).result(self.body)


class Run:
    """One run: the variables, and whether they are symbolic."""

    def __init__(self, variables: dict[str, Any], symbolic: bool) -> None:
        self.variables, self.symbolic = variables, symbolic

    def result(self, body: list[ast.stmt]) -> Any:
        last: Any = None
        for s in body:
            try:
                match s:
                    case ast.Return(ast.expr() as value):
                        return self.value(value)
                    case ast.Assign([ast.Name(name)], value):
                        last = self.assigned(name, self.value(value))
                    case ast.AugAssign(ast.Name(name), op, value):
                        last = self.assigned(name, self.binary(op, self.name(name), self.value(value)))
                    case ast.Expr(value):
                        last = self.value(value)
                    case _:
                        raise SymbackpropError(f"{type(s).__name__} is not read here: assignments and return are")
            except SymbackpropError as error:
                raise type(error)(f"line {s.lineno}: {error}") from None
            except (TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError, AttributeError) as error:
                raise SymbackpropError(f"line {s.lineno}: {error}") from None
        return last

    def assigned(self, name: str, value: Any) -> Any:
        self.variables[name] = value
        if isinstance(value, SymArray):
            call(value, name)
        return value

    def value(self, e: ast.expr) -> Any:
        match e:
            case ast.Constant(bool() | int() | float() | None as value):
                if isinstance(value, int) and len(str(value)) > DIGITS:
                    raise SymbackpropError(f"the number {str(value)[:20]}... is too large")
                return value
            case ast.Constant(str() as value):
                return value  # of an einsum; what takes no text refuses it
            case ast.Constant(value) if value is Ellipsis:
                return value
            case ast.Name(name):
                return self.name(name)
            case ast.BinOp(left, op, right):
                return self.binary(op, self.value(left), self.value(right))
            case ast.UnaryOp(ast.USub(), operand):
                return -self.value(operand)
            case ast.UnaryOp(ast.UAdd(), operand):
                return self.value(operand)
            case ast.Compare(left, [op], [right]):
                return self.binary(op, self.value(left), self.value(right))
            case ast.Tuple(items):
                return tuple(map(self.value, items))
            case ast.List(items):
                return list(map(self.value, items))
            case ast.Subscript(of, key):
                return self.value(of)[self.key(key)]
            case ast.Attribute():
                return self.attribute(e)
            case ast.Call(function, args, keywords):
                return self.called(function, args, keywords)
            case _:
                raise SymbackpropError(f"{ast.unparse(e)[:60]} is not read here")

    def key(self, e: ast.expr) -> Any:
        match e:
            case ast.Slice(low, high, step):
                return slice(*(None if x is None else self.value(x) for x in (low, high, step)))
            case ast.Tuple(items):
                return tuple(map(self.key, items))
            case _:
                return self.value(e)

    def name(self, name: str) -> Any:
        if name not in self.variables:
            raise SymbackpropError(f"{name} is not known here")
        return self.variables[name]

    def binary(self, op: ast.operator | ast.cmpop, a: Any, b: Any) -> Any:
        if type(op) not in OPERATORS:
            raise SymbackpropError(f"the operator {type(op).__name__} is not read here")
        if isinstance(op, ast.Pow) and isinstance(a, int) and isinstance(b, int) and (abs(b) > 64 or abs(a) > 10**6):
            raise SymbackpropError("this power of whole numbers is too large")
        return OPERATORS[type(op)](a, b)

    def attribute(self, e: ast.Attribute) -> Any:
        home = dotted(e.value)
        if home in HOMES and e.attr in CONSTANTS:
            return self.table(home, e.attr)
        if e.attr in ATTRIBUTES:
            return getattr(self.value(e.value), e.attr)
        raise SymbackpropError(f"{ast.unparse(e)[:60]} is not read here")

    def called(self, function: ast.expr, args: list[ast.expr], keywords: list[ast.keyword]) -> Any:
        given = [self.value(a) for a in args]
        options = {}
        for k in keywords:
            if k.arg is None:
                raise SymbackpropError("** in a call is not read here")
            options[k.arg] = self.value(k.value)
        match function:
            case ast.Attribute(of, name) if (home := dotted(of)) in HOMES:
                return self.table(home, name)(*given, **options)
            case ast.Attribute(of, name) if name in METHODS:
                return getattr(self.value(of), name)(*given, **options)
            case ast.Name("len") if len(given) == 1 and not options:
                return given[0].shape[0]
            case ast.Name(name) if name in NUMPY or name in SPECIAL:
                return self.table("np" if name in NUMPY else "special", name)(*given, **options)
            case _:
                raise SymbackpropError(f"{ast.unparse(function)[:60]} is no function that is traced")

    def table(self, home: str, name: str) -> Any:
        """The traced function, or NumPy's own where numbers are computed with."""
        module, functions = HOMES[home]
        if name not in functions and name not in CONSTANTS:
            raise SymbackpropError(f"{home}.{name} is no function that is traced")
        if self.symbolic and name in functions:
            return functions[name]
        return getattr(importlib.import_module(module), name)


def dotted(e: ast.expr) -> str:
    match e:
        case ast.Name(name):
            return name
        case ast.Attribute(of, name) if front := dotted(of):
            return f"{front}.{name}"
        case _:
            return ""


def parameters(f: ast.FunctionDef) -> list[str]:
    a = f.args
    if a.vararg or a.kwarg or a.kwonlyargs or a.posonlyargs or a.defaults or f.decorator_list:
        raise SymbackpropError(f"line {f.lineno}: plain parameters without defaults are read")
    return [x.arg for x in a.args]


def free_names(body: list[ast.stmt]) -> Iterator[str]:
    """Names that are used before anything is assigned to them, in order."""
    bound: set[str] = set()
    for s in body:
        value = getattr(s, "value", None)
        inside = [n for n in ast.walk(value) if isinstance(n, ast.Name)] if isinstance(value, ast.AST) else []
        functions = {n.func.id for n in ast.walk(s) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        for n in sorted(inside, key=lambda n: (n.lineno, n.col_offset)):
            if n.id not in bound | functions and n.id not in ("np", "numpy", "scipy", "special"):
                bound.add(n.id)
                yield n.id
        for t in getattr(s, "targets", ()):
            if isinstance(t, ast.Name):
                bound.add(t.id)


def is_docstring(s: ast.stmt) -> bool:
    return isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) and isinstance(s.value.value, str)
