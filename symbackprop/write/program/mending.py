"""The user's backward with its wrong line mended."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from symbackprop.core.terms import SymbackpropError, sized
from symbackprop.gradients.checking import Checked
from symbackprop.gradients.wrong_line import WrongLine
from symbackprop.read.numpy import INPUT, Node

from .dialects import NUMPY
from .expressions import Expressions


@dataclass(frozen=True, slots=True)
class Mended:
    """`source` is the function with `after` in place of `before`; `function` is what it defines."""

    source: str
    before: str
    after: str
    function: Callable[..., Any]


def mended(backward: Callable[..., Any], checked: Checked) -> Mended | None:
    """The line that is wrong with its missing factor, or with the derived expression; None where that is not plain.

    Nothing is proved here: the function that comes out is to be checked like any other.
    """
    wrong = checked.line
    if wrong is None or wrong.place is None or checked.reverse is None or not isinstance(backward, FunctionType):
        return None
    try:
        lines, first = inspect.getsourcelines(backward)
    except (OSError, TypeError):
        return None
    source = textwrap.dedent("".join(lines))
    statement = assignment(source, wrong.place[1] - first + 1)
    if statement is None or backward.__closure__ or not is_whole_value(checked, wrong):
        return None
    try:
        value = corrected(source, statement, checked, wrong)
    except SymbackpropError:
        return None
    before = ast.get_source_segment(source, statement) or ""
    after = f"{ast.get_source_segment(source, statement.targets[0])} = {value}"
    new = replaced(source, statement, after)
    scope = dict(backward.__globals__)
    exec(compile(new, wrong.place[0], "exec"), scope)
    return Mended(new, before, after, scope[backward.__name__])


def assignment(source: str, line: int) -> ast.Assign | None:
    """The assignment to one name that stands on this line of the source."""
    for s in ast.walk(ast.parse(source)):
        match s:
            case ast.Assign([ast.Name()]) if s.lineno <= line <= (s.end_lineno or s.lineno):
                return s
    return None


def is_whole_value(checked: Checked, wrong: WrongLine) -> bool:
    """Whether the node is what the line computes last."""
    assert checked.reverse is not None
    on_line = [n for n in checked.reverse.graph.nodes if n.backward and n.line == wrong.place]
    return bool(on_line) and on_line[-1] is wrong.node


def corrected(source: str, statement: ast.Assign, checked: Checked, wrong: WrongLine) -> str:
    assert checked.reverse is not None
    if wrong.factor is not None:
        number, size = wrong.factor
        old = ast.get_source_segment(source, statement.value)
        if size == sized(1):
            return f"{number} * ({old})" if number.denominator == 1 else f"({old}) * ({number})"
        length = Expressions(NUMPY, {}, lambda s: axis_of(checked, s)).of(size, 20)
        return f"{length} * ({old})" if number else f"({old}) / {length}"
    if wrong.wanted is None:
        raise SymbackpropError("nothing is known to put there")
    names = known_names(checked, wrong)
    return Expressions(NUMPY, names, lambda s: axis_of(checked, s)).call(wrong.wanted)[0]


def known_names(checked: Checked, wrong: WrongLine) -> dict[Node, str]:
    """The variables of the backward before the line."""
    assert checked.reverse is not None and wrong.place is not None
    found = {}
    for n in checked.reverse.graph.nodes:
        earlier = n.number < wrong.node.number and n.line is not None and n.line[0] == wrong.place[0]
        if n.operation == INPUT and n.name:
            found[n] = n.name
        elif n.backward and n.name and earlier and n.line is not None and n.line[1] < wrong.place[1]:
            found[n] = n.name
    return found


def axis_of(checked: Checked, symbol: str) -> str:
    assert checked.reverse is not None
    for name, declared in checked.reverse.declared.items():
        for k, s in enumerate(declared.shape):
            if s == sized(symbol):
                return f"{name}.shape[{k}]"
    raise SymbackpropError(f"the size {symbol} is no axis of an argument")


def replaced(source: str, statement: ast.Assign, after: str) -> str:
    lines = source.splitlines(keepends=True)
    start, end = statement.lineno - 1, (statement.end_lineno or statement.lineno) - 1
    kept = lines[end].encode()[statement.end_col_offset or 0 :].decode()
    indent = lines[start][: statement.col_offset]
    return "".join([*lines[:start], indent + after + kept, *lines[end + 1 :]])


__all__ = ["Mended", "mended"]
