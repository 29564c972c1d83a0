"""Primitives that read and write entries by their places: gather, scatter, dynamic_slice, dynamic_update_slice.

XLA clips a place outside of the array, or drops what is there; here every place must be known to be inside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from symbackprop.read.numpy import SymArray, TraceError
from symbackprop.read.numpy.lifting import lifted, planned
from symbackprop.read.numpy.sizes import expression, whole_number
from symbackprop.read.numpy.values import shape_text
from symbackprop.read.numpy.writing import injective

from .arranging import rows
from .kinds import as_array, settled_truth
from .registry import Step, call, numpy_function, reads, refuses

INSIDE = "places that are inside for all sizes"
ONCE = "places that are inside for all sizes, each written once"


@reads("gather", restricted=INSIDE)
def gather(step: Step, x: Any, indices: Any) -> Any:
    """Entries at start + offset: the axes of the starts, among them those of the offsets at `offset_dims`."""
    numbers = step.params["dimension_numbers"]
    x, sizes = as_array(x), step.sizes(step.params["slice_sizes"])
    gone = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    kept = [k for k in range(x.ndim) if k not in gone]
    starts = Starts(
        as_array(indices), len(kept), numbers.start_index_map,
        dict(zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True)),
    )  # fmt: skip
    found = x[starts.key(x.ndim, {k: (n, sizes[k]) for n, k in enumerate(kept)})]
    return moved(found, len(kept), numbers.offset_dims)


def moved(x: SymArray, count: int, target: Sequence[int]) -> Any:
    """The last `count` axes at the places `target`."""
    return call("moveaxis", x, tuple(range(x.ndim - count, x.ndim)), tuple(target)) if count else x


class Starts:
    """The starts of the blocks that a gather reads or a scatter writes.

    `axes[k]` is the axis of the operand that the k-th number of a start is for, `batched` has the axes of the operand
    that run along with an axis of the starts.  An index for all blocks has the axes of the starts, then those inside
    a block.
    """

    def __init__(self, starts: SymArray, inner: int, axes: Sequence[int], batched: dict[int, int]) -> None:
        self.starts, self.inner, self.axes, self.batched = starts, inner, tuple(axes), batched
        self.outer = starts.ndim - 1

    def key(self, ndim: int, offsets: dict[int, tuple[int, Any]]) -> tuple[Any, ...]:
        """One index array for each axis; `offsets` give the place among the inner axes, and the size."""
        return tuple(self.along(axis, *offsets.get(axis, (None, 1))) for axis in range(ndim))

    def along(self, axis: int, inner: int | None, size: Any) -> Any:
        place = self.start(axis)
        if inner is None:
            return place
        return call("add", place, rows(size, self.outer + inner, self.outer + self.inner))

    def start(self, axis: int) -> Any:
        ndim = self.outer + self.inner
        if axis in self.batched:
            own = self.batched[axis]
            return rows(self.starts.shape[own], own, ndim)
        if axis not in self.axes:
            return call("zeros", (1,) * ndim, dtype=int)
        start = as_array(self.starts[..., self.axes.index(axis)])
        not_negative(start)
        return call("expand_dims", start, tuple(range(self.outer, ndim)))


def not_negative(place: Any) -> None:
    if settled_truth(call("greater_equal", place, 0)) is not True:
        raise TraceError("a place that may be negative, or that depends on the data")


# --- writing ---------------------------------------------------------------------------------


def scatter_key(step: Step, x: SymArray, indices: Any, updates: Any) -> tuple[tuple[Any, ...], Any]:
    """The index of the entries written, and the updates with the axes inside a block last."""
    numbers = step.params["dimension_numbers"]
    gone = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    kept = [k for k in range(x.ndim) if k not in gone]
    starts = Starts(
        as_array(indices), len(kept), numbers.scatter_dims_to_operand_dims,
        dict(zip(numbers.operand_batching_dims, numbers.scatter_indices_batching_dims, strict=True)),
    )  # fmt: skip
    window = tuple(numbers.update_window_dims)
    new = as_array(updates)
    wide = call("moveaxis", new, window, tuple(range(new.ndim - len(window), new.ndim))) if window else new
    sizes = wide.shape[new.ndim - len(window) :]
    return starts.key(x.ndim, {k: (n, sizes[n]) for n, k in enumerate(kept)}), wide


def copied(x: Any) -> SymArray:
    return SymArray(lifted(x))


def adding(name: str) -> Callable[..., Any]:
    def scatter(step: Step, x: Any, indices: Any, updates: Any) -> Any:
        target = copied(x)
        key, new = scatter_key(step, target, indices, updates)
        ufunc: Any = numpy_function(name)
        ufunc.at(target, key, new)
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
