"""The step as a function without side effects, in the words that NumPy and JAX share.

    def step(x0, t0, n0, s0, W1, b1, ..., MW1, ...):  ->  (W1, b1, ..., MW1, ...)

Nothing is written over: a compiler decides that.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import CodeType
from typing import assert_never

from symbackprop.core.functions import ROWS, column
from symbackprop.write.code.compiled import ARITHMETIC, Language

from .assignments import Assignment, Entrywise, Map, Multiply, Reduce, Step, called, gradient_of, references, spelled

TEMPLATES = {
    "neg": "(-{})", "power": "({} ** {})", "step": "({} > 0)", "relu": "maximum({}, 0)",
    "nonpositive": "minimum({}, 0)", "abs": "absolute({})", **{f.name: f"({f.code})" for f in ROWS},
}  # fmt: skip
NAMES = frozenset({
    *column(lambda f: f.numpy).values(),
    "absolute", "erf", "logaddexp", "max", "maximum", "minimum", "sign", "sqrt", "sum", "total",
})  # fmt: skip


def functional_source(step: Step) -> str:
    """The text of `step`; `total` is called with each gradient, for what has to happen to it."""
    state = state_names(step)
    lines = [written(a) for a in step.assignments]
    lines += [f"{gradient_of(p)} = total({gradient_of(p)})" for p in step.parameters]
    lines += [written(m) for m in step.shrinking()]
    lines += [written(of_parameter(m, p)) for p in step.parameters for m in step.update.maps]
    head = f"def step({', '.join(('x0', 't0', 'n0', *step.update.scalars, *state))}):"
    return "\n".join([head, *(f"    {line}" for line in lines), f"    return ({', '.join(state)},)"]) + "\n"


def state_names(step: Step) -> tuple[str, ...]:
    """What a step takes and gives back: the parameters, then each slot for each of them."""
    return (*step.parameters, *(slot_of(slot, p) for slot in step.update.slots for p in step.parameters))


def slot_of(slot: str, parameter: str) -> str:
    return slot[0] + parameter


def of_parameter(m: Map, parameter: str) -> Map:
    """A map over the flat vectors as one over a parameter, its gradient and its slots."""

    def name(vector: str) -> str:
        return {"P0": parameter, "G0": gradient_of(parameter)}.get(vector) or slot_of(vector, parameter)

    vectors = {v for v in references(m.value) if v[0] != "s"}
    return Map(name(m.target), called(m.value, {v: name(v) for v in vectors}))


def written(a: Assignment) -> str:
    match a:
        case Multiply(target, left, right, lt, rt):
            return f"{target} = {left}{'.T' * lt} @ {right}{'.T' * rt}"
        case Map(target, value):
            return f"{target} = {code(value)}"
        case Reduce(target, how, axis, value):
            return f"{target} = {how}({code(value)}, axis={axis}, keepdims=True)"
        case _:
            assert_never(a)


def code(e: Entrywise, templates: Mapping[str, str] = TEMPLATES) -> str:
    return spelled(e, str, repr, "n0", lambda fn, args: templates.get(fn, fn + "({})").format(*args))


LANGUAGE = Language(NAMES, (*ARITHMETIC, ast.MatMult, ast.Gt))


def compiled_function(source: str) -> CodeType:
    """The code of `step`.  Raises UnsafeSource for anything but array arithmetic in made names."""
    return LANGUAGE.checked(source, "step")[0]
