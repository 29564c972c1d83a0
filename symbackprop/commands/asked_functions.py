"""What a command line says of functions: the file that holds them, shapes, hypotheses, values, and what is asked of it.

The file is the one thing that is executed: whoever names it as code asks for that.
"""

from __future__ import annotations

import argparse
import ast
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from symbackprop.commands.parsing import names
from symbackprop.core.terms import SymbackpropError
from symbackprop.decide.outcomes import UNKNOWN
from symbackprop.functions import checks as gradient
from symbackprop.functions import code_checks
from symbackprop.functions.calling import TRAINING
from symbackprop.functions.dialects.conventions import (
    DERIVATIVE, LAYER, LOSS, PAIR, Target, annotations_readable, targets, written_shapes,
)  # fmt: skip
from symbackprop.functions.dialects.layers import FORWARD
from symbackprop.functions.request import required, signature
from symbackprop.functions.verdict import Verdict


def verdict_of_pair(first: Any, second: Any, shapes: dict[str, str], args: argparse.Namespace) -> Verdict:
    """Of the kind that was asked for."""
    wrt, options = variables(args), asked_options(args, shapes)
    match args.kind:
        case "gradient":
            return gradient.check_gradient(first, second, shapes, wrt, **options)
        case "jacobian":
            return gradient.check_jacobian(first, second, shapes, wrt, **options)
        case "hessian":
            return gradient.check_hessian(first, second, shapes, wrt, **options)
        case "hvp":
            return gradient.check_hvp(first, second, shapes, None if wrt is None else wrt[0], **options)
        case _:
            return gradient.check_equal(first, second, shapes, **options)


def variables(args: argparse.Namespace) -> list[str] | None:
    return None if args.wrt is None else names(args.wrt)


def asked_options(args: argparse.Namespace, shapes: dict[str, str]) -> dict[str, Any]:
    """Hypotheses, concrete values, and how much is done."""
    return {**options_of(args, shapes), "seek_repair": not args.no_repair}


def asked_function(target: str, shapes: str | None) -> tuple[Callable[..., Any], dict[str, str]]:
    """The function of FILE::FUNCTION and the shapes of its arguments."""
    path, separator, name = target.partition("::")
    if not separator or not name.isidentifier():
        raise SymbackpropError(f"{target}: a function is needed, as in {path or 'layers.py'}::forward")
    if shapes is None:
        raise SymbackpropError('--shapes is needed: the axes of each argument, as in --shapes "x: B D; w: D"')
    return function(load(path), path, name), read_shapes(shapes)


def options_of(args: argparse.Namespace, shapes: dict[str, str]) -> dict[str, Any]:
    """Hypotheses, concrete values, and the time."""
    values = read_values(args.value)
    return {"assuming": read_assuming(args.assuming, [*shapes, *values]), "timeout": args.timeout, **values}


def load(path: str) -> ModuleType:
    """The module of a file, executed.  Raises SymbackpropError with the place of an error in it."""
    if not path:
        raise SymbackpropError("a file is needed, as in layers.py::forward")
    file = Path(path)
    if not file.is_file():
        raise SymbackpropError(f"{path}: {'this is a directory' if file.is_dir() else 'no such file'}")
    name = f"symbackprop_checked_{file.stem}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise SymbackpropError(f"{path}: a Python file (.py) is needed")
    module = module_from_spec(spec)
    directory = str(file.resolve().parent)
    sys.path.insert(0, directory)  # so that the file finds its neighbours
    sys.modules[name] = module
    try:
        with annotations_readable():
            spec.loader.exec_module(module)
    except SyntaxError as error:
        line = f":{error.lineno}" if error.lineno else ""  # a file of other bytes has none
        raise SymbackpropError(f"{path}{line}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
        place = f"{path}:{lines[-1]}" if lines else path
        raise SymbackpropError(f"{place}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(directory)
        sys.modules.pop(name, None)
    return module


def function(module: ModuleType, path: str, name: str) -> Callable[..., Any]:
    found = getattr(module, name, None)
    if callable(found):
        return found  # type: ignore[no-any-return]
    there = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
    close = get_close_matches(name, there, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(sorted(there)) or 'none'}"
    raise SymbackpropError(f"{path}: there is no function {name!r}; {hint}")


def read_shapes(text: str) -> dict[str, str]:
    """x: B D; w: D; eps:"""
    shapes: dict[str, str] = {}
    for piece in text.split(";"):
        if not piece.strip():
            continue
        name, colon, axes = piece.partition(":")
        name = name.strip()
        if not colon or not name.isidentifier():
            raise SymbackpropError(f"--shapes: {piece.strip()!r} is not of the form NAME: AXES, as in 'x: B D; w: D'")
        if name in shapes:
            raise SymbackpropError(f"--shapes: {name} is given twice")
        shapes[name] = axes.strip()
    return shapes


def read_values(texts: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, number = text.partition("=")
        try:
            values[name.strip()] = int(number) if number.strip().lstrip("-").isdigit() else float(number)
        except ValueError:
            equals = ""
        if not equals or not name.strip().isidentifier():
            raise SymbackpropError(f"--value: {text!r} is not of the form NAME=NUMBER")
    return values


# What a hypothesis is written with: arrays, sizes and numbers, compared.  No text, no attribute with an underscore.
COMPARISON = (
    ast.Expression, ast.Compare, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Call, ast.keyword, ast.Attribute, ast.Name,
    ast.Constant, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.operator, ast.unaryop, ast.cmpop, ast.boolop,
    ast.expr_context,
)  # fmt: skip


def read_assuming(texts: list[str], names: list[str]) -> Callable[..., Any] | None:
    """The hypotheses as one function of NumPy arrays; what is no comparison is refused before anything runs."""
    if not texts:
        return None
    used: list[str] = []
    for text in texts:
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except SyntaxError as error:
            raise SymbackpropError(f"--assuming: {text!r} is no Python expression: {error.msg}") from None
        for node in ast.walk(tree):
            if not plain(node):
                raise SymbackpropError(f"--assuming: {text!r} holds {ast.unparse(node)!r}: only comparisons are read")
            if isinstance(node, ast.Name) and node.id != "np" and node.id not in used:
                if node.id not in names:
                    raise SymbackpropError(f"--assuming: {node.id!r} in {text!r} is no argument with a shape")
                used.append(node.id)
    source = f"lambda {', '.join(used)}: [{', '.join(f'({t.strip()})' for t in texts)}]"
    made: Callable[..., Any] = eval(compile(source, "<assuming>", "eval"), {"np": np, "__builtins__": {}})
    return made


def plain(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=value):
            return isinstance(value, bool | int | float) or value is None
        case ast.Attribute(attr=name):
            return not name.startswith("_")
        case _:
            return isinstance(node, COMPARISON)


@dataclass(frozen=True, slots=True)
class Asked:
    """`name` as it is reported, `line` where the backward begins."""

    name: str
    line: int
    verdict: Callable[[], Verdict]


def asked_in(target: str, args: argparse.Namespace) -> Iterator[Asked]:
    """Raises SymbackpropError where there is nothing of the name, or nothing at all."""
    path, separator, names = target.partition("::")
    module = load(path)
    given = None if args.shapes is None else read_shapes(args.shapes)
    if separator:
        yield named(module, path, names, given, args)
        return
    found = targets(vars(module), module.__name__)
    if not found:
        raise SymbackpropError(f"{path}: no layer and no pair is found; say which functions: {path}::forward,backward")
    for t in found:
        yield Asked(f"{path}::{t.name.replace(', ', ',')}", t.line, partial(in_file, t, given or {}, args))


def named(module: ModuleType, path: str, names: str, given: dict[str, str] | None, args: argparse.Namespace) -> Asked:
    """A layer, a function that returns its gradients, or two functions."""

    parts = [n.strip() for n in names.split(",")]
    if len(parts) not in (1, 2) or not all(n.isidentifier() for n in parts):
        raise SymbackpropError(f"{path}::{names}: two functions are needed, as in {path}::forward,backward")
    objects = [function(module, path, n) for n in parts]
    kind = PAIR if len(objects) == 2 else LAYER if isinstance(objects[0], type) else LOSS
    target, title = Target(names, kind, tuple(objects)), f"{path}::{names}"
    if kind != PAIR:
        shapes = {**written_shapes(*objects), **(given or {})}
        return Asked(title, target.line, partial(checked, target, shapes, args))
    shapes = written_shapes(*objects) if given is None else given
    if not shapes:
        raise SymbackpropError('--shapes is needed: the axes of each argument, as in --shapes "x: B D; w: D"')
    return Asked(title, target.line, partial(verdict_of_pair, objects[0], objects[1], shapes, args))


def in_file(target: Target, given: dict[str, str], args: argparse.Namespace) -> Verdict:
    """The verdict of what was found in a file; what is missing to ask is its reason, and the others go on."""
    arguments = arguments_of(target)
    shapes = {n: s for n, s in {**written_shapes(*target.objects), **given}.items() if n in arguments}
    missing = [n for n, needed in arguments.items() if needed and n not in shapes]
    if missing and target.kind == DERIVATIVE and not shapes:  # entry by entry: one axis will do
        shapes, missing = dict.fromkeys(missing, "n"), []
    if missing:
        option = f'--shapes "{"; ".join(f"{n}: ..." for n in missing)}"'
        return Verdict(UNKNOWN, reason=f"the shape of {', '.join(missing)} is needed: {option}, or in the docstring")
    try:
        return checked(target, shapes, args)
    except SymbackpropError as problem:
        return Verdict(UNKNOWN, reason=str(problem))


def arguments_of(target: Target) -> dict[str, bool]:
    """The arguments that may have a shape, and whether they need one."""
    first = target.objects[0]
    if target.kind != LAYER:
        parameters = signature(first, "check")
        return {p.name: p.name in required(parameters) for p in parameters}
    forward = next(getattr(first, n) for n in FORWARD if callable(getattr(first, n, None)))
    inner = [p for p in signature(forward, "check") if p.name not in ("self", "ctx")]
    made = {p.name: False for p in signature(first, "check")}
    return {**made, **{p.name: p.name in required(inner) and p.name not in TRAINING for p in inner}}


def checked(target: Target, shapes: dict[str, str], args: argparse.Namespace) -> Verdict:
    first, second = (*target.objects, None)[:2]
    chosen = [n for n in variables(args) or () if n in shapes] or None
    options = asked_options(args, shapes)
    if target.kind == LAYER:
        return code_checks.check_layer(first, shapes=shapes, wrt=chosen, **options)
    if target.kind == DERIVATIVE and second is not None:
        return code_checks.check_derivative(first, second, shapes, chosen, **options)
    return code_checks.check_function(first, second, shapes, chosen, **options)
