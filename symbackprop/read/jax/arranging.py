"""Primitives that make, move, join and contract entries (broadcast_in_dim, pad, dot_general, windows), and those that
read and write them by their places (gather, scatter, dynamic_slice).

XLA clips a place outside of the array, or drops what is there; here every place must be known to be inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

from symbackprop.read.numpy import SymArray, TraceError, correlated, strided_windows
from symbackprop.read.numpy import padded as with_ends
from symbackprop.read.numpy.axes import shape_text
from symbackprop.read.numpy.indexing import planned
from symbackprop.read.numpy.lifting import expression, lifted, whole_number
from symbackprop.read.numpy.moving import places
from symbackprop.read.numpy.products import letters_of
from symbackprop.read.numpy.writing import injective

from .registry import LAX, Step, as_array, axes, call, cast, numpy_function, settled_truth


def broadcast(step: Step, x: Any, kept: Sequence[int]) -> Any:
    """The axes of x as these axes of the result."""
    new = tuple(k for k in range(len(step.shape)) if k not in kept)
    return call("broadcast_to", call("expand_dims", as_array(x), new), step.shape)


LAX.rows({
    "broadcast_in_dim": lambda step, x: broadcast(step, x, axes(step.params["broadcast_dimensions"])),
    "squeeze": lambda step, x: call("squeeze", as_array(x), axes(step.params["dimensions"])),
    "expand_dims": lambda step, x: call("expand_dims", as_array(x), axes(step.params["dimensions"])),
    "transpose": lambda step, x: call("transpose", as_array(x), axes(step.params["permutation"])),
    "rev": lambda step, x: call("flip", as_array(x), axes(step.params["dimensions"])),
    "tile": lambda step, x: call("tile", as_array(x), step.sizes(step.params["reps"])),
    "concatenate": lambda step, *parts: call("concatenate", list(parts), int(step.params["dimension"])),
    "stack": lambda step, *parts: call("stack", list(parts), int(step.params["axis"])),
    "unstack": lambda step, x: list(call("unstack", as_array(x), int(step.params["axis"]))),
    "empty empty2": lambda step: cast(call("zeros", step.shape), step.kind),
})  # fmt: skip


@LAX("reshape")
def reshape(step: Step, x: Any) -> Any:
    if step.params.get("dimensions") is not None:
        raise TraceError("reshape with dimensions=: transpose first")
    return call("reshape", as_array(x), step.shape)


@LAX("split")
def split(step: Step, x: Any) -> Any:
    cuts = [0, *accumulate(step.sizes(step.params["sizes"]))]
    lead = (slice(None),) * int(step.params["axis"])
    return [as_array(x)[(*lead, slice(a, b))] for a, b in pairwise(cuts)]


@LAX("slice", where="steps that divide the axis for all sizes")
def sliced(step: Step, x: Any) -> Any:
    starts, stops = step.sizes(step.params["start_indices"]), step.sizes(step.params["limit_indices"])
    strides = step.params["strides"] or (1,) * len(starts)
    return as_array(x)[tuple(slice(a, b, s) for a, b, s in zip(starts, stops, strides, strict=True))]


@LAX("pad", where="between the entries only with a plain number of zeros")
def pad(step: Step, x: Any, fill: Any) -> Any:
    return padded(as_array(x), [step.sizes(row) for row in step.params["padding_config"]], fill)


def padded(x: Any, config: Sequence[tuple[Any, Any, Any]], fill: Any) -> Any:
    """Entries before, after and between those of each axis; negative numbers cut entries off."""
    for axis, (_, _, between) in enumerate(config):
        if not (isinstance(between, int) and between == 0):
            x = spread(x, axis, between, fill)
    return with_ends(x, [row[:2] for row in config], fill)


def spread(x: SymArray, axis: int, between: Any, fill: Any) -> Any:
    """`between` zeros between the entries of an axis: the entries beside a block of zeros, without the last zeros."""
    if not isinstance(between, int) or as_array(fill).known() != 0:
        raise TraceError("entries between the entries that are not a plain number of zeros")
    shape = x.shape
    zeros = cast(call("zeros", (*shape[: axis + 1], between, *shape[axis + 1 :])), lifted(x).dtype)
    wide = call("concatenate", [call("expand_dims", x, axis + 1), zeros], axis + 1)
    merged = call("reshape", wide, (*shape[:axis], shape[axis] * (between + 1), *shape[axis + 1 :]))
    return merged[(*(slice(None),) * axis, slice(None, shape[axis] * (between + 1) - between))]


@LAX("iota")
def iota(step: Step) -> Any:
    """The number of the place along one axis."""
    axis = int(step.params["dimension"])
    return cast(broadcast(step, call("arange", step.shape[axis]), (axis,)), step.kind)


# --- contractions ----------------------------------------------------------------------------

MATRIX_PRODUCTS = {(m, n, (m - 1,), (0,), ()) for m in (1, 2) for n in (1, 2)}


@LAX("dot_general")
def dot_general(step: Step, x: Any, y: Any) -> Any:
    """Batch axes first, then the free axes of both: a matrix product or an einsum by the places of the axes."""
    (left, right), (left_batch, right_batch) = step.params["dimension_numbers"]
    a, b = as_array(x), as_array(y)
    if (a.ndim, b.ndim, tuple(left), tuple(right), tuple(left_batch)) in MATRIX_PRODUCTS:
        return call("matmul", a, b)
    pairs = [*zip(left_batch, right_batch, strict=True), *zip(left, right, strict=True)]
    return call("einsum", "{},{}->{}".format(*letters_of(a.ndim, b.ndim, pairs, len(left_batch))), a, b)


@LAX("conv_general_dilated", where="strides that divide the axes for all sizes; gaps in x of a plain number")
def conv_general_dilated(step: Step, x: Any, w: Any) -> Any:
    """Σ over channels and places k of x[n, c, s p + d k] w[o, c, k], on x padded and spread."""
    p, numbers = step.params, step.params["dimension_numbers"]
    spatial = len(numbers.lhs_spec) - 2
    x = call("transpose", as_array(x), tuple(numbers.lhs_spec))
    w = call("transpose", as_array(w), tuple(numbers.rhs_spec))
    gaps = [g - 1 for g in step.sizes(p["lhs_dilation"] or (1,) * spatial)]
    config = [(0, 0, 0), (0, 0, 0), *((*step.sizes(ends), g) for ends, g in zip(p["padding"], gaps, strict=True))]
    dilations = p["rhs_dilation"] or (1,) * spatial
    patches = strided_windows(padded(x, config, 0), w.shape[2:], tuple(p["window_strides"]), tuple(dilations))
    found = correlated(patches, w, p["feature_group_count"], p["batch_group_count"])
    return call("transpose", found, tuple(list(numbers.out_spec).index(k) for k in range(spatial + 2)))


def over_windows(name: str, fill: float) -> Any:
    def run(step: Step, x: Any, *more: Any) -> Any:
        p, x = step.params, as_array(x)
        gaps = [g - 1 for g in step.sizes(p["base_dilation"])]
        x = padded(x, [(*step.sizes(ends), g) for ends, g in zip(p["padding"], gaps, strict=True)], fill)
        size = tuple(step.sizes(p["window_dimensions"]))
        patches = strided_windows(x, size, tuple(p["window_strides"]), tuple(p["window_dilation"]))
        return call(name, patches, axis=tuple(range(x.ndim, 2 * x.ndim)))

    return run


LAX.rows(
    {"reduce_window_sum": over_windows("sum", 0.0), "reduce_window_max": over_windows("max", -math.inf)},
    where="strides that divide the axes for all sizes",
)


INSIDE = "places that are inside for all sizes"
ONCE = "places that are inside for all sizes, each written once"


@LAX("gather", where=INSIDE)
def gather(step: Step, x: Any, indices: Any) -> Any:
    """Entries at start + offset: the axes of the starts, among them those of the offsets at `offset_dims`."""
    numbers, x = step.params["dimension_numbers"], as_array(x)
    sizes = step.sizes(step.params["slice_sizes"])
    gone = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    kept = {k: sizes[k] for k in range(x.ndim) if k not in gone}
    batched = dict(zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True))
    found = x[blocks(as_array(indices), x.ndim, kept, tuple(numbers.start_index_map), batched)]
    return moved(found, range(found.ndim - len(kept), found.ndim), numbers.offset_dims)


def moved(x: SymArray, source: Sequence[int], target: Sequence[int]) -> Any:
    return call("moveaxis", x, tuple(source), tuple(target)) if len(source) else x


def blocks(
    starts: SymArray, ndim: int, kept: dict[int, Any], axes: tuple[int, ...], batched: dict[int, int]
) -> tuple[Any, ...]:
    """The entries of the blocks that a gather reads or a scatter writes: one index array for each axis of the operand.

    `kept` has the size of the blocks along the axes that they have; `axes[k]` is the axis that the k-th number of a
    start is for, `batched` has the axes that run along with an axis of the starts.  The arrays have the axes of the
    starts, then those inside a block.
    """
    outer, inner = starts.ndim - 1, list(kept)
    rank = outer + len(inner)

    def start(axis: int) -> Any:
        if axis in batched:
            return places(starts.shape[batched[axis]], batched[axis], rank)
        if axis not in axes:
            return call("zeros", (1,) * rank, dtype=int)
        found = as_array(starts[..., axes.index(axis)])
        not_negative(found)
        return call("expand_dims", found, tuple(range(outer, rank)))

    def along(axis: int) -> Any:
        if axis not in kept:
            return start(axis)
        return call("add", start(axis), places(kept[axis], outer + inner.index(axis), rank))

    return tuple(map(along, range(ndim)))


def not_negative(place: Any) -> None:
    if settled_truth(call("greater_equal", place, 0)) is not True:
        raise TraceError("a place that may be negative, or that depends on the data")


# --- writing ---------------------------------------------------------------------------------


def scatter_key(step: Step, x: SymArray, indices: Any, updates: Any) -> tuple[tuple[Any, ...], Any]:
    """The index of the entries written, and the updates with the axes inside a block last."""
    numbers, new = step.params["dimension_numbers"], as_array(updates)
    gone = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    window = tuple(numbers.update_window_dims)
    wide = moved(new, window, range(new.ndim - len(window), new.ndim))
    sizes = wide.shape[new.ndim - len(window) :]
    kept = dict(zip((k for k in range(x.ndim) if k not in gone), sizes, strict=True))
    batched = dict(zip(numbers.operand_batching_dims, numbers.scatter_indices_batching_dims, strict=True))
    key = blocks(as_array(indices), x.ndim, kept, tuple(numbers.scatter_dims_to_operand_dims), batched)
    return key, wide


def copied(x: Any) -> SymArray:
    return SymArray(lifted(x))


def adding(name: str) -> Callable[..., Any]:
    def scatter(step: Step, x: Any, indices: Any, updates: Any) -> Any:
        target = copied(x)
        numpy_function(name).at(target, *scatter_key(step, target, indices, updates))
        return target

    return scatter


def putting(meaning: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """What is at each place becomes meaning(old, new)."""

    def scatter(step: Step, x: Any, indices: Any, updates: Any) -> Any:
        target = copied(x)
        key, new = scatter_key(step, target, indices, updates)
        if not injective(planned(key, target.value.shape)):
            raise TraceError("entries that may be written twice: JAX does not say which write is last")
        target[key] = meaning(target[key], new)
        return target

    return scatter


for primitive, name in (("add", "add"), ("sub", "subtract")):
    LAX(f"scatter-{primitive}", f"scatter_{primitive}", where=INSIDE)(adding(name))
LAX("scatter", where=ONCE)(putting(lambda old, new: new))
for primitive, name in (("mul", "multiply"), ("min", "minimum"), ("max", "maximum")):
    LAX(f"scatter-{primitive}", f"scatter_{primitive}", where=ONCE)(putting(partial(call, name)))


# --- blocks ----------------------------------------------------------------------------------


@LAX("dynamic_slice", where=INSIDE)
def dynamic_slice(step: Step, x: Any, *starts: Any) -> Any:
    x = as_array(x)
    found = as_array(x[block(starts, step.shape)])
    fits(found, step.shape)
    return copied(found)


@LAX("dynamic_update_slice", where=INSIDE)
def dynamic_update_slice(step: Step, x: Any, update: Any, *starts: Any) -> Any:
    target, new = copied(x), as_array(update)
    key = block(starts, new.shape)
    fits(as_array(target[key]), new.shape)
    target[key] = new
    return target


def block(starts: Sequence[Any], sizes: Sequence[Any]) -> tuple[slice, ...]:
    return tuple(slice(s, s + n) for s, n in zip(map(start_of, starts), sizes, strict=True))


def start_of(x: Any) -> Any:
    e = expression(x)
    if e is None and lifted(x).ndim == 0:
        e = lifted(x).index(())
    if e is None:
        raise TraceError("a block whose start depends on the data")
    not_negative(x)
    return whole_number(e)


def fits(found: SymArray, shape: Sequence[Any]) -> None:
    """NumPy cuts a slice that goes over the end; XLA moves it."""
    if any((a == b) is not True for a, b in zip(found.shape, shape, strict=True)):
        raise TraceError(f"a block of shape {shape_text(found.value.shape)} that may go over the end of the array")


LAX.refuses("select_and_scatter_add", "select_and_scatter", because="picks entries by the order of the data")
