"""Primitives that read and write entries by their places: gather, scatter, dynamic_slice, dynamic_update_slice.

XLA clips a place outside of the array, or drops what is there; here every place must be known to be inside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from symbackprop.read.numpy import SymArray, TraceError
from symbackprop.read.numpy.axes import shape_text
from symbackprop.read.numpy.indexing import planned
from symbackprop.read.numpy.lifting import expression, lifted, whole_number
from symbackprop.read.numpy.moving import places
from symbackprop.read.numpy.writing import injective

from .registry import Step, as_array, call, numpy_function, reads, refuses, settled_truth

INSIDE = "places that are inside for all sizes"
ONCE = "places that are inside for all sizes, each written once"


@reads("gather", restricted=INSIDE)
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
    reads(f"scatter-{primitive}", f"scatter_{primitive}", restricted=INSIDE)(adding(name))
reads("scatter", restricted=ONCE)(putting(lambda old, new: new))
for primitive, name in (("mul", "multiply"), ("min", "minimum"), ("max", "maximum")):
    reads(f"scatter-{primitive}", f"scatter_{primitive}", restricted=ONCE)(putting(partial(call, name)))


# --- blocks ----------------------------------------------------------------------------------


@reads("dynamic_slice", restricted=INSIDE)
def dynamic_slice(step: Step, x: Any, *starts: Any) -> Any:
    x = as_array(x)
    found = as_array(x[block(starts, step.shape)])
    fits(found, step.shape)
    return copied(found)


@reads("dynamic_update_slice", restricted=INSIDE)
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


refuses("select_and_scatter_add", "select_and_scatter", because="picks entries by the order of the data")
