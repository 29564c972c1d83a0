"""Primitives that make, move and join entries: broadcast_in_dim, reshape, concatenate, pad, iota, ..."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Any

from symbackprop.read.numpy import SymArray, TraceError
from symbackprop.read.numpy.lifting import lifted

from .kinds import as_array, cast
from .registry import Step, call, reads


def axes(given: Iterable[Any]) -> tuple[int, ...]:
    """As plain numbers, which NumPy's need not be."""
    return tuple(map(int, given))


@reads("broadcast_in_dim")
def broadcast_in_dim(step: Step, x: Any) -> Any:
    kept = axes(step.params["broadcast_dimensions"])
    new = tuple(k for k in range(len(step.shape)) if k not in kept)
    return call("broadcast_to", call("expand_dims", as_array(x), new), step.shape)


@reads("reshape")
def reshape(step: Step, x: Any) -> Any:
    if step.params.get("dimensions") is not None:
        raise TraceError("reshape with dimensions=: transpose first")
    return call("reshape", as_array(x), step.shape)


@reads("squeeze")
def squeeze(step: Step, x: Any) -> Any:
    return call("squeeze", as_array(x), axes(step.params["dimensions"]))


@reads("expand_dims")
def expand_dims(step: Step, x: Any) -> Any:
    return call("expand_dims", as_array(x), axes(step.params["dimensions"]))


@reads("transpose")
def transpose(step: Step, x: Any) -> Any:
    return call("transpose", as_array(x), axes(step.params["permutation"]))


@reads("rev")
def rev(step: Step, x: Any) -> Any:
    return call("flip", as_array(x), axes(step.params["dimensions"]))


@reads("tile")
def tile(step: Step, x: Any) -> Any:
    return call("tile", as_array(x), step.sizes(step.params["reps"]))


@reads("concatenate")
def concatenate(step: Step, *parts: Any) -> Any:
    return call("concatenate", list(parts), int(step.params["dimension"]))


@reads("stack")
def stack(step: Step, *parts: Any) -> Any:
    return call("stack", list(parts), int(step.params["axis"]))


@reads("unstack")
def unstack(step: Step, x: Any) -> Any:
    return list(call("unstack", as_array(x), int(step.params["axis"])))


@reads("split")
def split(step: Step, x: Any) -> Any:
    axis = int(step.params["axis"])
    cuts = [0, *accumulate(step.sizes(step.params["sizes"]))]
    lead = (slice(None),) * axis
    return [as_array(x)[(*lead, slice(a, b))] for a, b in pairwise(cuts)]


@reads("slice", restricted="steps that divide the axis for all sizes")
def sliced(step: Step, x: Any) -> Any:
    starts, stops = step.sizes(step.params["start_indices"]), step.sizes(step.params["limit_indices"])
    strides = step.params["strides"] or (1,) * len(starts)
    return as_array(x)[tuple(slice(a, b, s) for a, b, s in zip(starts, stops, strides, strict=True))]


@reads("pad", restricted="between the entries only with a plain number of zeros")
def pad(step: Step, x: Any, fill: Any) -> Any:
    return padded(as_array(x), [step.sizes(row) for row in step.params["padding_config"]], fill)


def padded(x: Any, config: Sequence[tuple[Any, Any, Any]], fill: Any) -> Any:
    """Entries before, after and between those of each axis; negative numbers cut entries off."""
    for axis, (_, _, between) in enumerate(config):
        if not is_zero(between):
            x = spread(x, axis, between, fill)
    ends = [(row[0], row[1]) for row in config]
    if any(negative(e) for pair in ends for e in pair):
        x = x[tuple(slice(-a if negative(a) else None, b if negative(b) else None) for a, b in ends)]
    grown = [tuple(0 if negative(e) else e for e in pair) for pair in ends]
    if all(is_zero(e) for pair in grown for e in pair):
        return x
    return call("pad", x, grown, constant_values=fill)


def is_zero(n: Any) -> bool:
    return isinstance(n, int) and n == 0


def negative(n: Any) -> bool:
    return isinstance(n, int) and n < 0


def spread(x: SymArray, axis: int, between: Any, fill: Any) -> Any:
    """`between` zeros between the entries of an axis: the entries beside a block of zeros, without the last zeros."""
    if not isinstance(between, int) or as_array(fill).known() != 0:
        raise TraceError("entries between the entries that are not a plain number of zeros")
    shape = x.shape
    zeros = cast(call("zeros", (*shape[: axis + 1], between, *shape[axis + 1 :])), lifted(x).dtype)
    wide = call("concatenate", [call("expand_dims", x, axis + 1), zeros], axis + 1)
    merged = call("reshape", wide, (*shape[:axis], shape[axis] * (between + 1), *shape[axis + 1 :]))
    return merged[(*(slice(None),) * axis, slice(None, shape[axis] * (between + 1) - between))]


@reads("iota")
def iota(step: Step) -> Any:
    """The number of the place along one axis."""
    axis = int(step.params["dimension"])
    places = call("arange", step.shape[axis])
    new = tuple(k for k in range(len(step.shape)) if k != axis)
    return cast(call("broadcast_to", call("expand_dims", places, new), step.shape), step.kind)


@reads("empty", "empty2")
def empty(step: Step) -> Any:
    return cast(call("zeros", step.shape), step.kind)


def rows(count: Any, axis: int, ndim: int) -> Any:
    """0, 1, ... count-1 along one of `ndim` axes."""
    return call("reshape", call("arange", count), tuple(-1 if k == axis else 1 for k in range(ndim)))
