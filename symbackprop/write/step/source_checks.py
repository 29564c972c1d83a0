"""What generated Python and C may contain: made names, numbers and a fixed vocabulary.

The text is read before it runs or reaches a compiler, and refused for anything else.
"""

from __future__ import annotations

import ast
import re
from types import CodeType

from symbackprop.write.code.compiled import UnsafeSource
from symbackprop.write.step.assignments import FUNCTIONS, GENERATED, INFIX
from symbackprop.write.step.c_epoch import LAYOUTS
from symbackprop.write.step.c_functions import header
from symbackprop.write.step.planned_numpy import UFUNCS

PLAN, STEP = "plan", "step"
UFUNC_NAMES = frozenset(template.partition("(")[0] for templates in UFUNCS.values() for template in templates)
NAMES = UFUNC_NAMES | {"dot", "empty", "ones", "copyto", "bool", "gemm"}
SCIPY = frozenset({"erf", "gemm"})
ATTRIBUTES = frozenset({"T", "reduce", "reshape"})
KEYWORDS = frozenset({"out", "axis", "keepdims"})
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub)


def compiled_plan(source: str) -> tuple[CodeType, frozenset[str]]:
    """The code of `plan`, and the names that it needs.  Raises UnsafeSource for anything but calls on arrays."""
    tree = ast.parse(source)
    match tree.body:
        case [ast.FunctionDef(name="plan", args=arguments, body=[*made, ast.FunctionDef() as step, ast.Return()])]:
            _arguments(arguments)
        case _:
            raise UnsafeSource("a plan is one function around one step")
    if step.name != STEP or step.decorator_list or step.returns is not None:
        raise UnsafeSource("a plan is one function around one step")
    _arguments(step.args)
    found = set[str]()
    for statement in (*made, *step.body):
        match statement:
            case ast.Assign([ast.Name(target)], value) if GENERATED.fullmatch(target):
                _expression(value, found)
            case ast.Expr(ast.Call() as call):
                _expression(call, found)
            case _:
                raise UnsafeSource(f"generated source contains a statement {type(statement).__name__}")
    return compile(tree, "<step>", "exec"), frozenset(found)


def _arguments(a: ast.arguments) -> None:
    plain = not (a.posonlyargs or a.vararg or a.kwonlyargs or a.kw_defaults or a.kwarg or a.defaults)
    if not plain or not all(GENERATED.fullmatch(x.arg) and x.annotation is None for x in a.args):
        raise UnsafeSource("generated source has unusual arguments")


def _expression(e: ast.expr, found: set[str]) -> None:
    match e:
        case ast.Name(name):
            if name in NAMES:
                found.add(name)
            elif GENERATED.fullmatch(name) is None:
                raise UnsafeSource(f"generated source contains the name {name!r}")
            return
        case ast.Constant(value):
            ok = value is None or type(value) in (int, float, bool)
        case ast.BinOp(_, operator, _) | ast.UnaryOp(operator, _):
            ok = isinstance(operator, OPERATORS)
        case ast.Attribute(_, attribute):
            ok = attribute in ATTRIBUTES
        case ast.Call(function, _, keywords):
            ok = isinstance(function, ast.Name | ast.Attribute) and all(k.arg in KEYWORDS for k in keywords)
        case _:
            ok = isinstance(e, ast.Subscript | ast.Slice | ast.Tuple)
    if not ok:
        raise UnsafeSource(f"generated source contains {ast.unparse(e)!r}")
    for child in ast.iter_child_nodes(e):
        if isinstance(child, ast.expr):
            _expression(child, found)
        elif isinstance(child, ast.keyword):
            _expression(child.value, found)


WORDS = frozenset({
    "INLINE", "INFINITY", "N", "T", "X", "blas", "const", "count", "else", "epoch", "f", "for", "g", "gemm", "i", "if",
    "int", "j", "k", "long", "memcpy", "numbers", "order", "p", "parameters", "real", "real_max", "restrict", "return",
    "s", "sizeof", "start", "struct", "void", "w", "x",
    *(f"{word}_{layout}" for word in ("epoch", "parameters", "step", "work", "workspace") for layout in LAYOUTS),
    *(f"real_{name}" for name in FUNCTIONS if name not in INFIX),
})  # fmt: skip
PRAGMA = re.compile(r"#pragma omp simd( reduction\((\+|max):r[0-9]+\))+")
TOKEN = re.compile(
    r"""\s+|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?|'[NT]'|->|[-+*/=<>!?:;,&(){}\[\]]"""
)


def check_c(source: str, dtype: str) -> None:
    """Raises UnsafeSource unless the source is the header of this type and then such text."""
    start = header(dtype)
    if not source.startswith(start):
        raise UnsafeSource("generated C does not begin with its header")
    for line in source[len(start) :].splitlines():
        if not PRAGMA.fullmatch(line):
            _check_line(line)


def _check_line(line: str) -> None:
    at = 0
    while at < len(line):
        found = TOKEN.match(line, at)
        if found is None:
            raise UnsafeSource(f"generated C contains {line[at : at + 10]!r}")
        word = found["word"]
        if word is not None and word not in WORDS and GENERATED.fullmatch(word) is None:
            raise UnsafeSource(f"generated C contains the name {word!r}")
        at = found.end()
