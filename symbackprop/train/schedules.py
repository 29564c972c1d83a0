"""Learning rate schedules: the share of the rate at each step, from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError

Array = NDArray[Any]


def constant(progress: Array) -> Array:
    return np.ones_like(progress)


def linear(progress: Array) -> Array:
    """Down to 0 at the end."""
    return 1 - progress


def cosine(progress: Array) -> Array:
    """½ (1 + cos π p)  (Loshchilov and Hutter 2017, without restarts)"""
    return 0.5 * (1 + np.cos(np.pi * progress))


def halving(progress: Array) -> Array:
    """Half after each quarter of the training."""
    share: Array = 0.5 ** np.floor(4 * progress)
    return share


SCHEDULES: dict[str, Callable[[Array], Array]] = {
    "constant": constant, "linear": linear, "cosine": cosine, "halving": halving,
}  # fmt: skip


def rates(name: str, lr: float, first: int, count: int, total: int, warmup: int = 0) -> Array:
    """The rates of steps first, first + 1, ... of `total` (from 0); the first `warmup` steps rise in a line.

    Raises SymbackpropError for an unknown name.
    """
    if name not in SCHEDULES:
        raise SymbackpropError(f"unknown schedule {name!r}: known are {', '.join(SCHEDULES)}")
    steps = np.arange(first, first + count, dtype=np.float64)
    progress = np.clip((steps - warmup) / max(1, total - warmup), 0.0, 1.0)
    rising: Array = np.minimum(1.0, (steps + 1) / (warmup + 1))
    return lr * SCHEDULES[name](progress) * rising
