"""Primitives over axes: sums, extrema, products, running sums, sorting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbackprop.read.numpy import TraceError

from .arranging import axes
from .kinds import as_array
from .registry import Step, call, reads, reads_as, refuses

FOLDS = {
    "reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min", "reduce_prod": "prod", "reduce_and": "all",
    "reduce_or": "any",
}  # fmt: skip
RUNNING = {"cumsum": "cumsum", "cumprod": "cumprod"}
PICKS = {"argmax": "argmax", "argmin": "argmin"}


def fold(name: str) -> Callable[..., Any]:
    def run(step: Step, x: Any) -> Any:
        if name in ("all", "any") and step.kind != "bool":
            raise TraceError("and, or of whole numbers works on their bits")
        return call(name, as_array(x), axis=axes(step.params["axes"]))

    return run


for primitive, name in FOLDS.items():
    reads(primitive, restricted="booleans" if name in ("all", "any") else "")(fold(name))


def running(name: str) -> Callable[..., Any]:
    def run(step: Step, x: Any) -> Any:
        axis = int(step.params["axis"])
        if not step.params.get("reverse"):
            return call(name, as_array(x), axis=axis)
        return call("flip", call(name, call("flip", as_array(x), axis), axis=axis), axis)

    return run


for primitive, name in RUNNING.items():
    reads(primitive)(running(name))


@reads("cumlogsumexp")
def cumlogsumexp(step: Step, x: Any) -> Any:
    return call("log", running("cumsum")(step, call("exp", x)))


def pick(name: str) -> Callable[..., Any]:
    return lambda step, x: call(name, as_array(x), axis=int(step.params["axes"][0]))


for primitive, name in PICKS.items():
    reads_as(primitive, name, pick(name))

refuses("sort", "top_k", "approx_top_k", "cummax", "cummin", because="depends on the order of the data")
refuses("reduce", "reduce_xor", "reduce_window", "select_and_gather_add", because="has no index term")
