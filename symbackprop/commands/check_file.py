"""What a target of `symbackprop check` asks for: a file, a layer, a loss or two functions in it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import ModuleType

from symbackprop.core.terms import SymbackpropError
from symbackprop.decide.outcomes import UNKNOWN
from symbackprop.functions import code_checks
from symbackprop.functions.calling import TRAINING
from symbackprop.functions.dialects.conventions import DERIVATIVE, LAYER, LOSS, PAIR, Target, targets
from symbackprop.functions.dialects.layers import FORWARD
from symbackprop.functions.dialects.written_shapes import written_shapes
from symbackprop.functions.request import required, signature
from symbackprop.functions.verdict import Verdict

from .asked_functions import asked_options, function, load, read_shapes, variables, verdict_of_pair


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
