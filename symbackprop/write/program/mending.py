"""The user's code with its wrong line mended."""

from __future__ import annotations

import ast
import builtins
import linecache
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from symbackprop.core.terms import SymbackpropError, sized
from symbackprop.gradients.reverse import Reverse
from symbackprop.gradients.wrong_line import WrongLine
from symbackprop.read.numpy import Node

from .dialects import NUMPY
from .expressions import Expressions

Statement = ast.Assign | ast.AugAssign
Function = Callable[..., Any]
LINE = 160  # characters: what is longer is no line that anyone would write


@dataclass(frozen=True, slots=True)
class Mended:
    """`source` is the function around the line, with `after` in place of `before`; `parts` are the expressions.

    `function` is the backward that goes through it; None where only a person can put the two together.
    """

    source: str
    before: str
    after: str
    function: Function | None
    parts: tuple[str, str]


def mended(backward: Function, reverse: Reverse, wrong: WrongLine) -> Mended | None:
    """The line with its missing factor, or with the derived expression, in it; None where that is not plain.

    Nothing is proved here: the function that comes out is to be checked like any other.
    """
    place = placed(wrong)
    if place is None or wrong.place is None:
        return None
    source, function, (first, indent) = place
    statement = assignment(function, wrong.place[1] - first + 1) if is_whole_value(reverse, wrong) else None
    old: Statement | ast.expr | None = statement or part(function, wrong, first, indent)
    if old is None:
        return None
    names = known_names(reverse, wrong, first)
    expressions = Expressions(NUMPY, names, lambda s: axis_among(names, s) or axis_of(reverse, s))
    try:
        value = corrected(source, old, wrong, expressions)
    except SymbackpropError:
        return None
    if len(value) > LINE or expressions.used - set(NUMPY.imports) or not in_scope(value, function, old, backward):
        return None  # a helper of our code is none of the user's
    if isinstance(old, ast.Assign | ast.AugAssign):
        before, text = segment(source, old.value), f"{segment(source, target(old))} = {value}"
    else:
        before, text = segment(source, old), fitting(source, old, value)
    new = replaced(source, old, text)
    k = next(k for k, s in enumerate(statements(function)) if s.lineno <= old.lineno <= (s.end_lineno or s.lineno))
    was, becomes = (segment(t, statements(tree)[k]) for t, tree in ((source, function), (new, parsed(new))))
    return Mended(new, was, becomes, running(backward, new, function, first, wrong), (before, value))


def segment(source: str, part: ast.AST) -> str:
    return ast.get_source_segment(source, part) or ""


def parsed(source: str) -> ast.FunctionDef:
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    return function


def statements(function: ast.FunctionDef) -> list[ast.stmt]:
    """Those that have no others in them."""
    return [s for s in ast.walk(function) if isinstance(s, ast.stmt) and not hasattr(s, "body")]


def part(function: ast.FunctionDef, wrong: WrongLine, first: int, indent: int) -> ast.expr | None:
    """The expression that makes the node."""
    found = [e for e in ast.walk(function) if isinstance(e, ast.BinOp | ast.UnaryOp | ast.Call | ast.Attribute)]
    ends = ((e, (e.lineno, e.end_lineno or 0, e.col_offset, e.end_col_offset or 0)) for e in found)
    return next((e for e, (a, z, b, y) in ends
                 if (a + first - 1, z + first - 1, b + indent, y + indent) == wrong.node.span), None)  # fmt: skip


def fitting(source: str, old: ast.expr, value: str) -> str:
    """The value in brackets, where it would be another one without them."""
    inside = f"({value})"
    same = ast.dump(ast.parse(replaced(source, old, value))) == ast.dump(ast.parse(replaced(source, old, inside)))
    return value if same else inside


def line_of(wrong: WrongLine) -> str:
    """The text of the line."""
    return "" if wrong.place is None else linecache.getline(*wrong.place).strip()


def placed(wrong: WrongLine) -> tuple[str, ast.FunctionDef, tuple[int, int]] | None:
    """The function around the line: its text, what it is there, and its first line and column."""
    if wrong.place is None:
        return None
    lines = linecache.getlines(wrong.place[0])
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        return None
    around = [
        f for f in ast.walk(tree)
        if isinstance(f, ast.FunctionDef) and f.lineno <= wrong.place[1] <= (f.end_lineno or f.lineno)
    ]  # fmt: skip
    if not around:
        return None
    inner = max(around, key=lambda f: f.lineno)
    text = textwrap.dedent("".join(lines[inner.lineno - 1 : inner.end_lineno]))
    return (text, parsed(text), (inner.lineno, inner.col_offset)) if not inner.decorator_list else None


def assignment(function: ast.FunctionDef, line: int) -> Statement | None:
    """The assignment to one name, attribute or key that stands on this line."""
    for s in ast.walk(function):
        match s:
            case ast.Assign([one]) | ast.AugAssign(one) if s.lineno <= line <= (s.end_lineno or s.lineno):
                keyed = isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Constant | ast.JoinedStr)
                if keyed or isinstance(one, ast.Name | ast.Attribute):
                    return s
    return None


def target(s: Statement) -> ast.expr:
    return s.targets[0] if isinstance(s, ast.Assign) else s.target


def is_whole_value(reverse: Reverse, wrong: WrongLine) -> bool:
    """Whether the node is what the line computes last."""
    on_line = [n for n in reverse.graph.nodes if n.backward and n.line == wrong.place]
    return bool(on_line) and on_line[-1] is wrong.node


def corrected(source: str, old: ast.AST, wrong: WrongLine, expressions: Expressions) -> str:
    """What belongs in the place of an expression, or of the value of an assignment."""
    if wrong.factor is None:
        if wrong.wanted is None:
            raise SymbackpropError("nothing is known to put there")
        return expressions.call(wrong.wanted)[0] if isinstance(old, ast.stmt) else expressions.of(wrong.wanted)
    number, size = wrong.factor
    if isinstance(old, ast.Assign | ast.AugAssign):
        text = segment(source, old.value)
        if isinstance(old, ast.AugAssign):
            operator = ast.unparse(ast.BinOp(ast.Name("a"), old.op, ast.Name("b")))[1:-1].strip()
            text = f"{segment(source, old.target)} {operator} ({text})"
    else:
        text = segment(source, old)
    if size == sized(1):
        match old:
            case ast.BinOp(ast.Constant(int(c)), ast.Mult(), rest) if number * c == 1:
                return segment(source, rest)
            case ast.UnaryOp(ast.USub(), rest) if number == -1:
                return segment(source, rest)
        return f"{number} * ({text})" if number.denominator == 1 else f"({text}) * ({number})"
    length = expressions.of(size, 20)
    return f"{length} * ({text})" if number else f"({text}) / {length}"


def known_names(reverse: Reverse, wrong: WrongLine, first: int) -> dict[Node, str]:
    """The variables of the function before the line."""
    assert wrong.place is not None
    file, line = wrong.place
    spoken = reverse.recorder.spoken.get((file, first), {})
    return {n: name for (name, n), seen in spoken.items() if seen <= line and n.number < wrong.node.number}


def in_scope(value: str, function: ast.FunctionDef, old: ast.stmt | ast.expr, backward: Function) -> bool:
    """Whether all names of the expression mean something on that line."""
    own = {a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
    for s in ast.walk(function):
        if isinstance(s, ast.Name) and isinstance(s.ctx, ast.Store) and s.lineno < old.lineno:
            own.add(s.id)
    module = sys.modules.get(getattr(getattr(backward, "written", None), "__module__", ""))
    outside = {*getattr(backward, "__globals__", {}), *vars(module or builtins), *dir(builtins)}
    return all(n.id in own | outside for n in ast.walk(ast.parse(value)) if isinstance(n, ast.Name))


def axis_among(names: Mapping[Node, str], symbol: str) -> str:
    """The size as an axis of what the line knows, or nothing."""
    axes = ((name, n.shape.index(sized(symbol))) for n, name in names.items() if sized(symbol) in n.shape)
    return next((f"{name}.shape[{k}]" for name, k in axes), "")


def axis_of(reverse: Reverse, symbol: str) -> str:
    for name, declared in reverse.declared.items():
        for k, s in enumerate(declared.shape):
            if s == sized(symbol):
                return f"{name}.shape[{k}]"
    raise SymbackpropError(f"the size {symbol} is no axis of an argument")


def replaced(source: str, old: ast.stmt | ast.expr, text: str) -> str:
    """Columns of the parser count bytes."""
    lines = source.encode().splitlines(keepends=True)
    start, end = old.lineno - 1, (old.end_lineno or old.lineno) - 1
    ahead, behind = lines[start][: old.col_offset], lines[end][old.end_col_offset or 0 :]
    return b"".join([*lines[:start], ahead, text.encode(), behind, *lines[end + 1 :]]).decode()


def running(
    backward: Function, source: str, function: ast.FunctionDef, first: int, wrong: WrongLine
) -> Function | None:
    """The backward with this text in place of its own, or of a function beside it that it calls."""
    if not isinstance(backward, FunctionType) or wrong.place is None:
        return None
    scope = dict(backward.__globals__)
    old = backward if stands_at(backward, wrong.place[0], first) else scope.get(function.name)
    if not isinstance(old, FunctionType) or old.__closure__ or not stands_at(old, wrong.place[0], first):
        return None
    exec(compile(source, wrong.place[0], "exec"), scope)
    new = scope[function.name]
    if old is backward:
        return new if isinstance(new, FunctionType) else None
    found = FunctionType(backward.__code__, scope, backward.__name__, backward.__defaults__, backward.__closure__)
    found.__kwdefaults__ = backward.__kwdefaults__
    return found


def stands_at(f: FunctionType, file: str, first: int) -> bool:
    return f.__code__.co_filename == file and f.__code__.co_firstlineno == first
