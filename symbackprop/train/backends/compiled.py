"""The compiled backend: whole epochs in C.  Which layout is fastest at a size is timed once and remembered.

It needs the machine's C compiler, and BLAS by SciPy's pointers.  A library is cached by its source, the compiler and
its flags, and the processor, in the user's cache directory, which is open to nobody else.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError
from symbackprop.files import write_atomically
from symbackprop.write.step.assignments import Step
from symbackprop.write.step.c_epoch import CEpoch, c_source, layouts_for
from symbackprop.write.step.c_functions import CLayout, check_c

FLAGS = (
    "-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-fopenmp-simd", "-shared",
    "-fPIC",
)  # fmt: skip
SECONDS = 300


class NoCompiler(SymbackpropError):
    """Why nothing can be compiled here."""


@cache
def compiler() -> tuple[str, ...]:
    """The command of the C compiler: $CC, else cc.  Raises NoCompiler."""
    wanted = os.environ.get("CC", "cc").split()
    found = shutil.which(wanted[0]) if wanted else None
    if found is None:
        raise NoCompiler(f"no C compiler: {' '.join(wanted) or 'CC'} is not on the PATH")
    return (found, *wanted[1:])


@cache
def blas(dtype: str) -> int:
    """The address of sgemm or dgemm.  Raises NoCompiler without SciPy."""
    try:
        from scipy.linalg import cython_blas
    except ImportError as failure:
        raise NoCompiler("compiled training needs SciPy: pip install 'symbackprop[train]'") from failure
    capsule = cython_blas.__pyx_capi__["sgemm" if dtype == "float32" else "dgemm"]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return int(api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule)))


@cache
def processor() -> str:
    """What tells processors apart for -march=native."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    wanted = ("model name", "cpu family", "model\t", "flags", "Features", "CPU part")
    return "\n".join(dict.fromkeys(line for line in lines if line.startswith(wanted)))


def cache_directory() -> Path:
    """The user's own directory for compiled steps.  Raises NoCompiler when it belongs to somebody else."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    place = Path(root) / "symbackprop"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = place.stat()
    except OSError as failure:
        raise NoCompiler(f"no place to compile in: {place}: {failure.strerror}") from failure
    if hasattr(os, "getuid") and (state.st_uid != os.getuid() or state.st_mode & 0o022):
        raise NoCompiler(f"{place} can be written by others, so nothing is loaded from it")
    return place


def key_of(source: str) -> str:
    text = "\n".join((source, " ".join((*compiler(), *FLAGS)), version(), processor()))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def version() -> str:
    done = subprocess.run([*compiler(), "--version"], capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.stdout


def library(source: str) -> ctypes.CDLL:
    """The source as a loaded library, compiled at most once on this machine.  Raises NoCompiler with the cause."""
    place = cache_directory() / f"{key_of(source)}.so"
    try:
        return ctypes.CDLL(str(place))
    except OSError:  # not there, or not whole
        write_atomically(place, compiled(source))
    try:
        return ctypes.CDLL(str(place))
    except OSError as failure:
        raise NoCompiler(f"what was compiled cannot be loaded: {failure}") from failure


def compiled(source: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="symbackprop-") as directory:
        written, made = Path(directory) / "step.c", Path(directory) / "step.so"
        written.write_text(source, encoding="ascii")
        for native in (("-march=native",), ("-mcpu=native",), ()):
            command = [*compiler(), *FLAGS, *native, str(written), "-o", str(made), "-lm"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            if done.returncode == 0:
                return made.read_bytes()
        line: Any = next((x for x in done.stderr.splitlines() if "error" in x), done.stderr[:200])
        raise NoCompiler(f"{compiler()[0]} could not compile the step: {line}")


Array = NDArray[Any]
ROUNDS = 5
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
