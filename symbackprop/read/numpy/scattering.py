"""Two transposes that NumPy has no name for: of reading entries, and of sliding windows."""

from __future__ import annotations

from typing import Any

from symbackprop.core.terms import Delta, over

from .algebra import affine, dummy, times
from .array import SymArray
from .context import noted
from .lifting import lifted
from .registry import NUMPY
from .values import At, Value


@noted("scattered")
def scattered(like: Any, key: Any, values: Any) -> Any:
    """Zeros like `like` with the values added at the key; a place that the key names twice gets both."""
    target = NUMPY["zeros_like"](like)
    NUMPY["add"].at(target, key, values)
    return target


@noted("added_windows")
def added_windows(windows: Any, like: Any, axis: int) -> Any:
    """Windows of an axis (their entries on the last axis) added up where they came from."""
    v, shape = lifted(windows), lifted(like).shape
    count, width = v.shape[axis], v.shape[-1]

    def term(at: At) -> Any:
        i, j = dummy(count), dummy(width)
        entry = v.term((*at[:axis], i, *at[axis + 1 :], j))
        return over(i, over(j, times(entry, Delta(at[axis], affine(0, [(i, 1), (j, 1)])))))

    return SymArray(Value(shape, "real", term))
