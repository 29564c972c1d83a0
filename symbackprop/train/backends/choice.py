"""The planned NumPy backend, and which backend runs a training: C where that is long enough to be worth compiling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError
from symbackprop.train.backends.compiled import Compiled, NoCompiler, blas, compiler
from symbackprop.write.step.assignments import Multiply, Step, multiplications
from symbackprop.write.step.planned_numpy import SCIPY, compiled_plan, planned

Array = NDArray[Any]
Views: TypeAlias = list[tuple[Array, Array]]
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
        self.source = planned(step, has_scipy()).source
        self.make = plan_of(self.source, flat.dtype.name)
        self.plans: dict[int, Callable[..., None]] = {}
        per_chunk = max(1, CHUNK // (self.x.itemsize * (self.x.shape[1] + t.shape[1]) * batch))
        self.chunk = min(per_chunk * batch, max(1, len(x)))
        self.rows = np.empty((self.chunk, self.x.shape[1]), flat.dtype)
        self.columns = np.empty((t.shape[1], self.chunk), flat.dtype)
        self.views = views_of(self.rows, self.columns, batch)
        self.in_order = views_of(self.x, np.ascontiguousarray(t.T), batch)

    def epoch(self, order: NDArray[np.int64] | None, numbers: Array) -> None:
        """One step for each batch of the samples in this order (None: as they lie); `numbers` has scalars for each."""
        scalars = iter(numbers.tolist())
        if order is None:
            self.steps(self.in_order, len(self.x), scalars)
            return
        for start in range(0, len(order), self.chunk):
            part = order[start : start + self.chunk]
            self.gather(part)
            self.steps(self.views, len(part), scalars)

    def steps(self, views: Views, samples: int, scalars: Iterator[list[float]]) -> None:
        """Full batches first; what is left over has a plan of its own size."""
        full, rest = divmod(samples, self.batch)
        whole = self.plan(self.batch)
        for (x, t), values in zip(views[:full], scalars, strict=False):
            whole(x, t, *values)
        if rest:
            x, t = views[full]
            self.plan(rest)(x[:, :rest], t[:, :rest], *next(scalars))

    def gather(self, part: NDArray[np.int64]) -> None:
        np.take(self.x, part, axis=0, out=self.rows[: len(part)], mode="clip")
        self.columns[:, : len(part)] = self.t[part].T

    def plan(self, n: int) -> Callable[..., None]:
        if n not in self.plans:
            self.plans[n] = self.make(n, self.flat.dtype, self.flat, self.gradient, *self.slots)
        return self.plans[n]


def views_of(rows: Array, columns: Array, batch: int) -> Views:
    """Each batch, features × samples."""
    return [(rows[a : a + batch].T, columns[:, a : a + batch]) for a in range(0, len(rows), batch)]


def with_ones(x: Array) -> Array:
    return np.concatenate([x, np.ones((len(x), 1), x.dtype)], axis=1)


def has_scipy() -> bool:
    return find_spec("scipy") is not None


@lru_cache(maxsize=32)
def plan_of(source: str, dtype: str) -> Callable[..., Callable[..., None]]:
    """The function `plan`.  Raises UnsafeSource for source that no generator here writes."""
    code, names = compiled_plan(source)
    space: dict[str, Any] = {name: getattr(np, name) for name in names - SCIPY - {"bool"}} | {"bool": np.bool_}
    if names & SCIPY:
        from scipy import linalg, special

        scipy = {"erf": special.erf, "gemm": linalg.blas.sgemm if dtype == "float32" else linalg.blas.dgemm}
        space |= {name: scipy[name] for name in names & SCIPY}
    exec(code, space)
    made: Callable[..., Callable[..., None]] = space["plan"]
    return made


BACKENDS = ("auto", "numpy", "compiled", "jax")
# Estimated seconds in NumPy from which compiling (a second or two, once; more for many layers) pays.
WORTH_COMPILING = 3.0
CALL, PRODUCT = 1.2e-6, 4e-11  # seconds of an assignment on few entries, and of a multiplication


class Engine(Protocol):
    """What runs epochs of a step; `flat` and `slots` are to be read between epochs, and copied to be kept."""

    name: str

    @property
    def flat(self) -> Array: ...

    @property
    def slots(self) -> list[Array]: ...

    def epoch(self, order: Array | None, numbers: Array) -> None: ...


@dataclass(frozen=True, slots=True)
class Choice:
    backend: str
    why: str = ""  # one line, where there is something to say


def chosen(backend: str, step: Step, batch: int, steps: int, dtype: str) -> Choice:
    """The backend for so many steps.  The choice depends on the work alone, so that a repeated run is the same.

    Raises SymbackpropError for an unknown name, and NoCompiler where C was asked for and cannot be had.
    """
    if backend not in BACKENDS:
        raise SymbackpropError(f"unknown backend {backend!r}: known are {', '.join(BACKENDS)}")
    if backend == "compiled":
        compiler(), blas(dtype)
    if backend != "auto":
        return Choice(backend)
    if estimated(step, batch) * steps < WORTH_COMPILING * (1 + len(step.assignments) / 30):
        return Choice("numpy")
    try:
        compiler(), blas(dtype)
    except NoCompiler as missing:
        return Choice("numpy", slower(missing))
    return Choice("compiled")


def slower(missing: NoCompiler) -> str:
    return f"trained with NumPy, which takes longer: {missing}"


def estimated(step: Step, batch: int) -> float:
    """Seconds of a step in NumPy, roughly."""
    products = [a for a in step.assignments if isinstance(a, Multiply)]
    return CALL * len(step.assignments) + PRODUCT * sum(multiplications(a, step, batch) for a in products)


def engine(choice: str, step: Step, batch: int, flat: Array, slots: list[Array], x: Array, t: Array) -> Engine:
    """The backend of this name, at work on these samples."""
    made: dict[str, Callable[..., Engine]] = {"numpy": PlannedNumPy, "compiled": Compiled, "jax": jax_scan}
    return made[choice](step, batch, flat, slots, x, t)


def jax_scan(*given: Any) -> Engine:
    from .jax_scan import JaxScan  # JAX takes a second to import

    return JaxScan(*given)
