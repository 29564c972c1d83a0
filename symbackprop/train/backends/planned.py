"""The planned NumPy backend: the generated step, its buffers, and the batches of an epoch."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.write.step.assignments import Step
from symbackprop.write.step.planned_check import SPECIAL, compiled_plan
from symbackprop.write.step.planned_numpy import planned

Array = NDArray[Any]
CHUNK = 1 << 25  # bytes of samples that are gathered at once


class PlannedNumPy:
    """Runs epochs of a step on one set of samples.

    `flat` and `slots` are the parameters and what the optimiser remembers of them, vectors in the order of
    `step.places()`; they may be read and written between epochs.
    """

    name = "numpy"

    def __init__(self, step: Step, batch: int, flat: Array, slots: list[Array], x: Array, t: Array) -> None:
        self.step, self.batch, self.flat, self.slots = step, batch, flat, slots
        self.gradient = np.zeros_like(flat)
        self.x = with_ones(x)
        self.t = t
        self.make = plan_of(planned(step).source)
        self.plans: dict[int, Callable[..., None]] = {}
        per_chunk = max(1, CHUNK // (self.x.itemsize * (self.x.shape[1] + t.shape[1]) * batch))
        self.chunk = min(per_chunk * batch, max(1, len(x)))
        self.rows = np.empty((self.chunk, self.x.shape[1]), flat.dtype)
        self.columns = np.empty((t.shape[1], self.chunk), flat.dtype)
        self.views = [(self.rows[a : a + batch].T, self.columns[:, a : a + batch]) for a in range(0, self.chunk, batch)]

    def epoch(self, order: NDArray[np.int64], numbers: Array) -> None:
        """One step for each batch of the samples in this order; `numbers` has a row of scalars for each step."""
        scalars = iter(numbers.tolist())
        whole = self.plan(self.batch)
        for start in range(0, len(order), self.chunk):
            part = order[start : start + self.chunk]
            self.gather(part)
            full, rest = divmod(len(part), self.batch)
            for (x, t), values in zip(self.views[:full], scalars, strict=False):
                whole(x, t, *values)
            if rest:
                end = full * self.batch
                x, t = self.rows[end : end + rest].T, self.columns[:, end : end + rest]
                self.plan(rest)(x, t, *next(scalars))

    def gather(self, part: NDArray[np.int64]) -> None:
        np.take(self.x, part, axis=0, out=self.rows[: len(part)], mode="clip")
        self.columns[:, : len(part)] = self.t[part].T

    def plan(self, n: int) -> Callable[..., None]:
        if n not in self.plans:
            self.plans[n] = self.make(n, self.flat.dtype, self.flat, self.gradient, *self.slots)
        return self.plans[n]


def with_ones(x: Array) -> Array:
    return np.concatenate([x, np.ones((len(x), 1), x.dtype)], axis=1)


@lru_cache(maxsize=32)
def plan_of(source: str) -> Callable[..., Callable[..., None]]:
    """The function `plan`.  Raises UnsafeSource for source that no generator here writes."""
    code, names = compiled_plan(source)
    space: dict[str, Any] = {name: getattr(np, name) for name in names - SPECIAL - {"bool"}} | {"bool": np.bool_}
    if names & SPECIAL:
        from scipy import special

        space |= {name: getattr(special, name) for name in names & SPECIAL}
    exec(code, space)
    made: Callable[..., Callable[..., None]] = space["plan"]
    return made
