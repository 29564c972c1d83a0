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


@dataclass(frozen=True, slots=True)
class Mended:
    """`source` is the function around the line, with `after` in place of `before`.

    `function` is the backward that goes through it; None where only a person can put the two together.
    """

    source: str
    before: str
    after: str
    function: Function | None


def mended(backward: Function, reverse: Reverse, wrong: WrongLine) -> Mended | None:
    """The line that is wrong with its missing factor, or with the derived expression; None where that is not plain.

    Nothing is proved here: the function that comes out is to be checked like any other.
    """
    place = placed(wrong)
    if place is None or not is_whole_value(reverse, wrong):
        return None
    source, first, function = place
    statement = assignment(source, (wrong.place[1] if wrong.place else 0) - first + 1)
    if statement is None:
        return None
    try:
        value = corrected(source, statement, reverse, wrong, first)
    except SymbackpropError:
        return None
    if not in_scope(value, function, statement, backward):
        return None
    before = ast.get_source_segment(source, statement) or ""
    after = f"{ast.get_source_segment(source, target(statement))} = {value}"
    new = replaced(source, statement, after)
    return Mended(new, before, after, running(backward, new, function, first, wrong))


def line_of(wrong: WrongLine) -> str:
    """The text of the line."""
    return "" if wrong.place is None else linecache.getline(*wrong.place).strip()


def placed(wrong: WrongLine) -> tuple[str, int, ast.FunctionDef] | None:
    """The function around the line: its text, the number of its first line, and what it is there."""
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
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    return (text, inner.lineno, function) if not inner.decorator_list else None


def assignment(source: str, line: int) -> Statement | None:
    """The assignment to one name, attribute or key that stands on this line of the source."""
    for s in ast.walk(ast.parse(source)):
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


def corrected(source: str, statement: Statement, reverse: Reverse, wrong: WrongLine, first: int) -> str:
    names = known_names(reverse, wrong, first)
    expressions = Expressions(NUMPY, names, lambda s: axis_among(names, s) or axis_of(reverse, s))
    if wrong.factor is None:
        if wrong.wanted is None:
            raise SymbackpropError("nothing is known to put there")
        return expressions.call(wrong.wanted)[0]
    number, size = wrong.factor
    old = ast.get_source_segment(source, statement.value)
    if isinstance(statement, ast.AugAssign):
        operator = ast.unparse(ast.BinOp(ast.Name("a"), statement.op, ast.Name("b")))[1:-1].strip()
        old = f"{ast.get_source_segment(source, statement.target)} {operator} ({old})"
    if size == sized(1):
        return f"{number} * ({old})" if number.denominator == 1 else f"({old}) * ({number})"
    length = expressions.of(size, 20)
    return f"{length} * ({old})" if number else f"({old}) / {length}"


def known_names(reverse: Reverse, wrong: WrongLine, first: int) -> dict[Node, str]:
    """The variables of the function before the line."""
    assert wrong.place is not None
    file, line = wrong.place
    spoken = reverse.recorder.spoken.get((file, first), {})
    return {n: name for (name, n), seen in spoken.items() if seen <= line and n.number < wrong.node.number}


def in_scope(value: str, function: ast.FunctionDef, statement: Statement, backward: Function) -> bool:
    """Whether all names of the expression mean something on that line."""
    own = {a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
    for s in ast.walk(function):
        if isinstance(s, ast.Name) and isinstance(s.ctx, ast.Store) and s.lineno < statement.lineno:
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


def replaced(source: str, statement: Statement, after: str) -> str:
    lines = source.splitlines(keepends=True)
    start, end = statement.lineno - 1, (statement.end_lineno or statement.lineno) - 1
    kept = lines[end].encode()[statement.end_col_offset or 0 :].decode()
    indent = lines[start][: statement.col_offset]
    return "".join([*lines[:start], indent + after + kept, *lines[end + 1 :]])


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


__all__ = ["Mended", "line_of", "mended"]
