"""The compiled backend: whole epochs in C.  Which layout is fastest at a size is timed once and remembered."""

from __future__ import annotations

import ctypes
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.files import write_atomically
from symbackprop.write.step.assignments import Step
from symbackprop.write.step.c_epoch import CEpoch, CLayout, c_source, layouts_for
from symbackprop.write.step.source_checks import check_c

from .toolchain import blas, cache_directory, key_of, library

Array = NDArray[Any]
ROUNDS, LEAST_SECONDS = 5, 0.002
PAGE = 64


class Compiled:
    """Runs epochs of a step on one set of samples, as `PlannedNumPy` does.

    `layout` fixes one, else the fastest is found by timing.  Raises NoCompiler, with the cause.
    """

    name = "compiled"

    def __init__(
        self, step: Step, batch: int, flat: Array, slots: list[Array], x: Array, t: Array, layout: str | None = None
    ) -> None:
        self.step, self.batch = step, batch
        self.dtype = flat.dtype
        self.x, self.t = np.ascontiguousarray(x), np.ascontiguousarray(t)
        candidates = layouts_for(step, batch)
        source, self.epochs = c_source(step, batch, self.dtype.name, candidates)
        check_c(source, self.dtype.name)
        self.library = library(source)
        self.blas = blas(self.dtype.name)
        known = [c for c in candidates if c == layout]
        self.use(known[0] if known else candidates[0] if len(candidates) == 1 else self.fastest(source))
        self.vectors = [self.moved(v, False) for v in (flat, np.zeros_like(flat), *slots)]

    def use(self, layout: CLayout) -> None:
        self.layout = layout
        self.chosen = next(e for e in self.epochs if e.layout == layout)
        self.run = self.function(self.chosen)

    def function(self, chosen: CEpoch) -> Any:
        """epoch(order or None, numbers, vectors) -> None"""
        size = getattr(self.library, f"workspace_{chosen.layout}")
        size.restype, size.argtypes = ctypes.c_longlong, []
        work = aligned(int(size()))
        function = getattr(self.library, f"epoch_{chosen.layout}")
        count = 7 + 2 + len(self.step.update.slots)
        function.restype = None
        function.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_longlong] + [ctypes.c_void_p] * (count - 4)
        x, t, place, gemm = self.x.ctypes.data, self.t.ctypes.data, work.ctypes.data, self.blas

        def run(order: NDArray[np.int64] | None, samples: int, numbers: Array, vectors: list[Array]) -> None:
            at = None if order is None else order.ctypes.data
            assert numbers.dtype == self.dtype and numbers.flags.c_contiguous
            function(x, t, at, samples, numbers.ctypes.data, *(v.ctypes.data for v in vectors), place, gemm)

        run.keep = work  # type: ignore[attr-defined]
        return run

    def epoch(self, order: NDArray[np.int64] | None, numbers: Array) -> None:
        """One step for each batch of the samples in this order (None: as they lie)."""
        given = np.ascontiguousarray(numbers, self.dtype)
        at = None if order is None else np.ascontiguousarray(order, np.int64)
        self.run(at, len(self.x) if at is None else len(at), given, self.vectors)

    # --- the vectors as everybody else sees them

    @property
    def flat(self) -> Array:
        return self.moved(self.vectors[0], True)

    @property
    def slots(self) -> list[Array]:
        return [self.moved(v, True) for v in self.vectors[2:]]

    def moved(self, vector: Array, back: bool) -> Array:
        """A copy with the turned weights stored the other way."""
        out = aligned(vector.nbytes).view(vector.dtype)
        out[:] = vector
        for name, offset, rows, columns in self.step.places():
            if name in self.chosen.turned:
                part = slice(offset, offset + rows * columns)
                shape = (columns, rows) if back else (rows, columns)
                out[part] = vector[part].reshape(shape).T.ravel()
        return out

    # --- timing

    def fastest(self, source: str) -> CLayout:
        note = cache_directory() / f"{key_of(source)}.layout"
        found = note.read_text(encoding="ascii").strip() if note.exists() else ""
        for e in self.epochs:
            if e.layout == found:
                return e.layout
        best = self.timed()
        write_atomically(note, best)
        return best

    def timed(self) -> CLayout:
        """The layout with the least time for some steps on the samples, in interleaved rounds."""
        samples = min(len(self.x), 4 * self.batch)
        steps = -(-samples // self.batch)
        numbers = np.zeros((steps, len(self.step.update.scalars)), self.dtype)
        vectors = [np.zeros(self.step.count, self.dtype) for _ in range(2 + len(self.step.update.slots))]
        order = np.arange(samples, dtype=np.int64)
        times: dict[CLayout, list[float]] = {e.layout: [] for e in self.epochs}
        runs = {e.layout: self.function(e) for e in self.epochs}
        for k in range(ROUNDS + 1):
            for layout, run in runs.items():
                start = perf_counter()
                run(order, samples, numbers, vectors)
                if k:
                    times[layout].append(perf_counter() - start)
        return min(times, key=lambda layout: min(times[layout]))


def aligned(size: int) -> NDArray[np.uint8]:
    """Bytes that begin at a cache line."""
    raw = np.zeros(size + PAGE, np.uint8)
    start = -raw.ctypes.data % PAGE
    return raw[start : start + size]
