"""Two transposes that NumPy has no name for: of reading entries, and of sliding windows."""

from __future__ import annotations

from typing import Any

from symbackprop.core.terms import Delta, Term, over

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
def added_windows(windows: Any, like: Any, axes: tuple[int, ...]) -> Any:
    """Windows of these axes (their entries on the last axes) added up where they came from."""
    v, shape = lifted(windows), lifted(like).shape
    rank = len(shape)

    def term(at: At) -> Any:
        starts, inside = {a: dummy(v.shape[a]) for a in axes}, [dummy(n) for n in v.shape[rank:]]
        places = [starts.get(k, at[k]) for k in range(rank)]
        here = [Delta(at[a], affine(0, [(starts[a], 1), (j, 1)])) for a, j in zip(axes, inside, strict=True)]
        total: Term = times(v.term((*places, *inside)), *here)
        for i in reversed([*starts.values(), *inside]):
            total = over(i, total)
        return total

    return SymArray(Value(shape, "real", term))
