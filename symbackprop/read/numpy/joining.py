"""np.c_ and np.r_: arrays, numbers and ranges in brackets, joined along an axis."""

from __future__ import annotations

from typing import Any

from .context import NUMPY, ShapeMismatch, TraceError
from .lifting import items_of, lifted


class Joined:
    """`columns`: what has no second axis is a column, and the last axis is joined; else the first."""

    def __init__(self, name: str, columns: bool) -> None:
        self.name, self.columns = name, columns

    def __getitem__(self, key: Any) -> Any:
        parts = [self.part(item) for item in items_of(key)]
        most = max(lifted(p).ndim for p in parts)
        if any(lifted(p).ndim != most for p in parts):
            raise ShapeMismatch(f"np.{self.name} of arrays with different numbers of axes")
        return NUMPY["concatenate"](parts, axis=-1 if self.columns else 0)

    def part(self, item: Any) -> Any:
        if isinstance(item, str):
            raise TraceError(f"np.{self.name}[{item!r}, ...]: use np.concatenate or np.stack with an axis")
        if isinstance(item, slice):
            item = ranged(item)
        if lifted(item).ndim == 0:
            item = NUMPY["reshape"](item, (1,))
        return NUMPY["expand_dims"](item, 1) if self.columns and lifted(item).ndim == 1 else item


def ranged(item: slice) -> Any:
    """start:stop:step, or start:stop:5j for five points."""
    start = 0 if item.start is None else item.start
    if isinstance(item.step, complex):
        return NUMPY["linspace"](start, item.stop, int(abs(item.step)))
    return NUMPY["arange"](start, item.stop, 1 if item.step is None else item.step)


NUMPY["c_"], NUMPY["r_"] = Joined("c_", True), Joined("r_", False)
