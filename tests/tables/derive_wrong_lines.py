"""Backward functions with one line changed for the worse."""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Wrong:
    function: Callable[..., Any]
    line: int
    text: str


class Changed(ast.NodeTransformer):
    """The n-th place where a change applies, changed; `applied` says whether there was one."""

    def __init__(self, change: Callable[[ast.expr], ast.expr | None], place: int) -> None:
        self.change, self.left, self.applied = change, place, False

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and not self.applied and (new := self.change(node)) is not None:
            if self.left == 0:
                self.applied = True
                return new
            self.left -= 1
        return super().generic_visit(node)


def other_sign(e: ast.expr) -> ast.expr | None:
    match e:
        case ast.BinOp(a, ast.Add(), b):
            return ast.BinOp(a, ast.Sub(), b)
        case ast.BinOp(a, ast.Sub(), b):
            return ast.BinOp(a, ast.Add(), b)
    return None


def without_factor(e: ast.expr) -> ast.expr | None:
    match e:
        case ast.BinOp(a, ast.Mult() | ast.Div(), ast.Name() | ast.BinOp()):
            return a
    return None


def other_number(e: ast.expr) -> ast.expr | None:
    match e:
        case ast.BinOp(ast.Constant(float() | int() as x), ast.Mult() as op, b):
            return ast.BinOp(ast.Constant(x * 2), op, b)
    return None


CHANGES = (other_sign, without_factor, other_number)


def wrong_variants(f: Callable[..., Any], first: str = "d") -> Iterator[Wrong]:
    """One line of the backward pass changed: those that assign to a name that begins with `first`."""
    source = inspect.getsource(f)
    tree = ast.parse(source)
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    for k, statement in enumerate(function.body):
        match statement:
            case ast.Assign([ast.Name(name)]) if name.startswith(first):
                pass
            case _:
                continue
        for change in (*CHANGES, None):
            for place in range(3):
                new = copy.deepcopy(tree)
                (body,) = new.body
                assert isinstance(body, ast.FunctionDef)
                line = body.body[k]
                assert isinstance(line, ast.Assign)
                if change is None:
                    if place:
                        break
                    line.value = ast.BinOp(ast.Constant(2), ast.Mult(), line.value)
                else:
                    changed = Changed(change, place)
                    line.value = changed.visit(line.value)
                    if not changed.applied:
                        break
                if isinstance(line.value, ast.Name | ast.Constant):
                    continue  # a second name: no operation of this line is left that could be named
                ast.fix_missing_locations(new)
                scope = dict(f.__globals__)
                exec(compile(new, f"<{f.__name__}>", "exec"), scope)
                yield Wrong(scope[f.__name__], statement.lineno, ast.unparse(line))
