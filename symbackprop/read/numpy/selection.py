"""x[mask]: the entries where a mask holds.  Their number depends on the data: what needs it is refused."""

from __future__ import annotations

from typing import Any

from symbackprop.core.terms import dummy

from . import reductions
from .array import SymArray, wrap
from .axes import shape_text
from .context import NUMPY, ShapeMismatch, TraceError
from .elementwise import multiply
from .layout import expand
from .lifting import HANDLERS, lifted
from .truth import truth
from .values import Value, elementwise


class Selection:
    """`whole` has an entry for each entry of the array; the mask says which of them are there."""

    __slots__ = ("mask", "whole")
    __array_priority__ = 4000

    def __init__(self, whole: Value, mask: Value) -> None:
        self.whole, self.mask = whole, mask

    def sum(self, axis: Any = None, **_: Any) -> Any:
        return wrap(reductions.add_up(multiply(self.weights(axis), self.whole)))

    def mean(self, axis: Any = None, **_: Any) -> Any:
        return NUMPY["divide"](self.sum(axis), wrap(reductions.add_up(self.weights(axis))))

    def weights(self, axis: Any) -> Value:
        if axis not in (None, 0) or (axis == 0 and self.whole.ndim != self.mask.ndim):
            raise TraceError("a reduction of x[mask] along an axis")
        wide = expand(self.mask, range(self.mask.ndim, self.whole.ndim))
        return elementwise(lambda m, _: m, wide, self.whole, dtype="bool").cast("int")

    @property
    def size(self) -> Any:
        return wrap(reductions.add_up(self.weights(None)))

    @property
    def shape(self) -> Any:
        raise TraceError("the shape of x[mask] depends on the data: multiply by the mask instead")

    def __neg__(self) -> Any:
        return NUMPY["negative"](self)

    def copy(self) -> Selection:
        return self

    def __getitem__(self, key: Any) -> Any:
        raise TraceError("an entry of x[mask] depends on the data: multiply by the mask instead")

    __iter__ = __getitem__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return HANDLERS["ufunc"](ufunc, method, *inputs, **options)


def operator(name: str, swap: bool = False) -> Any:
    return lambda self, other: NUMPY[name](other, self) if swap else NUMPY[name](self, other)


for symbol, name in (("add", "add"), ("sub", "subtract"), ("mul", "multiply"), ("truediv", "divide"), ("pow", "power")):
    setattr(Selection, f"__{symbol}__", operator(name))
    setattr(Selection, f"__r{symbol}__", operator(name, True))
for symbol, name in (("lt", "less"), ("le", "less_equal"), ("gt", "greater"), ("ge", "greater_equal")):
    setattr(Selection, f"__{symbol}__", operator(name))


def selected_operands(ufunc: Any, args: tuple[Any, ...]) -> Selection:
    """The function on selections of one mask and on numbers."""
    masks = [a.mask for a in args if isinstance(a, Selection)]
    wholes = []
    for a in args:
        if isinstance(a, Selection):
            same_mask(a.mask, masks[0])
            wholes.append(a.whole)
        else:
            value = lifted(a)
            if value.ndim:
                raise TraceError("x[mask] meets an array: select from both with the same mask, or multiply by the mask")
            wholes.append(value)
    return Selection(ufunc.run(*wholes), masks[0])


def same_mask(a: Value, b: Value) -> None:
    if a is b:
        return
    at = tuple(dummy(s) for s in a.shape)
    if a.shape != b.shape or a.term(at) != b.term(at):
        raise TraceError("two selections with different masks meet")


def selected(x: SymArray, mask: Value) -> Selection:
    v = x.value
    if mask.ndim > v.ndim or mask.shape != v.shape[: mask.ndim]:
        raise ShapeMismatch(f"a mask of shape {shape_text(mask.shape)} on an array of shape {shape_text(v.shape)}")
    return Selection(v, truth(mask))


def unselected(new: Any, mask: Value) -> Value | None:
    """The array behind a selection that is written back with the same mask."""
    if not isinstance(new, Selection):
        return None
    same_mask(new.mask, mask)
    return new.whole


HANDLERS["selected"] = selected
HANDLERS["unselected"] = unselected
