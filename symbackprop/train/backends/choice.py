"""Which backend runs a training: the one asked for, or C where the training is long enough to be worth compiling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError
from symbackprop.train.backends.compiled import NoCompiler, blas, compiler
from symbackprop.write.step.assignments import Multiply, Step, multiplications

from .compiled import Compiled
from .planned import PlannedNumPy

Array = NDArray[Any]
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


def engine(
    choice: str, step: Step, batch: int, flat: Array, slots: list[Array], x: Array, t: Array, layout: str | None = None
) -> Engine:
    """The backend of this name, at work on these samples; `layout` repeats an earlier choice of the compiled one."""
    if choice == "compiled":
        return Compiled(step, batch, flat, slots, x, t, layout)
    made: dict[str, Callable[..., Engine]] = {"numpy": PlannedNumPy, "jax": jax_scan}
    return made[choice](step, batch, flat, slots, x, t)


def jax_scan(*given: Any) -> Engine:
    from .jax_scan import JaxScan  # JAX takes a second to import

    return JaxScan(*given)
