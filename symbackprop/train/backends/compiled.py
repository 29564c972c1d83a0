"""The compiled backend: whole epochs in C.

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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError
from symbackprop.files import write_atomically
from symbackprop.write.step.assignments import Step
from symbackprop.write.step.c_epoch import c_source
from symbackprop.write.step.c_functions import check_c

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
PAGE = 64


class Compiled:
    """Runs epochs of a step on one set of samples, as `PlannedNumPy` does.  Raises NoCompiler, with the cause."""

    name = "compiled"

    def __init__(self, step: Step, batch: int, flat: Array, slots: list[Array], x: Array, t: Array) -> None:
        self.step = step
        self.dtype = flat.dtype
        self.x, self.t = np.ascontiguousarray(x), np.ascontiguousarray(t)
        made = c_source(step, batch, self.dtype.name)
        check_c(made.source, self.dtype.name)
        self.turned, found = made.turned, library(made.source)
        self.blas, self.run = blas(self.dtype.name), found.epoch
        self.run.restype = None
        self.run.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_longlong] + [ctypes.c_void_p] * (5 + len(slots))
        found.workspace.restype, found.workspace.argtypes = ctypes.c_longlong, []
        self.work = aligned(int(found.workspace()))
        self.vectors = [self.moved(v, False) for v in (flat, np.zeros_like(flat), *slots)]
        self.samples = self.x.ctypes.data, self.t.ctypes.data
        self.places = *(v.ctypes.data for v in self.vectors), self.work.ctypes.data, self.blas

    def epoch(self, order: NDArray[np.int64] | None, numbers: Array) -> None:
        """One step for each batch of the samples in this order (None: as they lie)."""
        given = np.ascontiguousarray(numbers, self.dtype)
        at = None if order is None else np.ascontiguousarray(order, np.int64)
        where, count = (None, len(self.x)) if at is None else (at.ctypes.data, len(at))
        self.run(*self.samples, where, count, given.ctypes.data, *self.places)

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
            if name in self.turned:
                part = slice(offset, offset + rows * columns)
                shape = (columns, rows) if back else (rows, columns)
                out[part] = vector[part].reshape(shape).T.ravel()
        return out


def aligned(size: int) -> NDArray[np.uint8]:
    """Bytes that begin at a cache line."""
    raw = np.zeros(size + PAGE, np.uint8)
    start = -raw.ctypes.data % PAGE
    return raw[start : start + size]
