"""The JAX backend: the same assignments with jax.numpy, jitted, an epoch in one scan.

With more than one device the samples of each batch are shared out over them (`jax.sharding`): every device has all
parameters, and the gradient is added up once a step.  Under `jax.distributed` the devices are those of all hosts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError
from symbackprop.write.step.assignments import Step
from symbackprop.write.step.functional import NAMES, compiled_function, functional_source

Array = NDArray[Any]


class JaxScan:
    """Runs epochs of a step on one set of samples, as `PlannedNumPy` does.

    Raises SymbackpropError without JAX, and for a batch that the devices cannot share.
    """

    name = "jax"

    def __init__(self, step: Step, batch: int, flat: Array, slots: list[Array], x: Array, t: Array) -> None:
        try:
            import jax
        except ImportError as failure:
            raise SymbackpropError("the backend jax needs JAX: pip install 'symbackprop[jax]'") from failure
        self.jax: Any = jax
        self.step, self.batch, self.wide = step, batch, flat.dtype == np.float64
        devices = jax.devices()
        if batch % len(devices):
            raise SymbackpropError(f"a batch of {batch} cannot be shared out over {len(devices)} devices")
        self.mesh = jax.sharding.Mesh(np.array(devices), ("batch",))
        with self.precision():
            self.x, self.t = self.everywhere(x), self.everywhere(t)
            self.state = tuple(self.everywhere(v) for vector in (flat, *slots) for v in blocks(step, vector))

    @contextmanager
    def precision(self) -> Iterator[None]:
        """float64 where the numbers are float64, without a change for the rest of the program."""
        with self.jax.enable_x64(self.wide):
            yield

    def everywhere(self, value: Array) -> Any:
        return self.jax.device_put(value, self.shared_out())

    def shared_out(self, *axes: str | None) -> Any:
        """How an array lies on the devices: cut along the axes that are named, else whole on each."""
        return self.jax.sharding.NamedSharding(self.mesh, self.jax.sharding.PartitionSpec(*axes))

    def laid_out(self, value: Any, *axes: str | None) -> Any:
        """Inside of what is compiled: this way on the devices, where there are several."""
        if self.mesh.size == 1:
            return value
        return self.jax.lax.with_sharding_constraint(value, self.shared_out(*axes))

    @cached_property
    def function(self) -> Any:
        """step(x, t, n, *scalars, *state) -> state"""
        import jax.numpy as jnp
        from jax.scipy.special import erf

        space = {name: getattr(jnp, name) for name in NAMES - {"erf", "total"}} | {"erf": erf, "total": self.total}
        exec(compiled_function(functional_source(self.step)), space)
        return space["step"]

    def total(self, gradient: Any) -> Any:
        """A gradient of the whole batch, on every device: here its parts are added up."""
        return self.laid_out(gradient)

    @cached_property
    def epochs(self) -> Any:
        jax, n, function = self.jax, self.batch, self.function

        def one(state: Any, given: Any) -> Any:
            x, t, numbers = given
            return function(x, t, x.shape[0], *numbers, *state), None

        def run(state: Any, x: Any, t: Any, order: Any, numbers: Any) -> Any:
            x, t = (x, t) if order is None else (x[order], t[order])
            full = len(x) // n
            if full:
                parts = tuple(v[: full * n].reshape(full, n, -1) for v in (x, t))
                shared = tuple(self.laid_out(v, None, "batch") for v in parts)
                state, _ = jax.lax.scan(one, state, (*shared, numbers[:full]))
            if len(x) % n:
                state, _ = one(state, (x[full * n :], t[full * n :], numbers[full]))
            return state

        return jax.jit(run, donate_argnums=0)

    def epoch(self, order: NDArray[np.int64] | None, numbers: Array) -> None:
        """One step for each batch of the samples in this order (None: as they lie); `numbers` has scalars for each."""
        with self.precision():
            self.state = self.epochs(*self.arguments(order, numbers))

    def arguments(self, order: NDArray[np.int64] | None, numbers: Array) -> tuple[Any, ...]:
        at = None if order is None else order.astype(np.int32)
        return self.state, self.x, self.t, at, numbers.astype(self.state[0].dtype)

    def compiled_text(self, order: NDArray[np.int64] | None, numbers: Array) -> str:
        """What XLA makes of an epoch, to count what the devices say to each other."""
        with self.precision():
            return str(self.epochs.lower(*self.arguments(order, numbers)).compile().as_text())

    @property
    def flat(self) -> Array:
        return self.vector(0)

    @property
    def slots(self) -> list[Array]:
        return [self.vector(k) for k in range(1, len(self.step.update.slots) + 1)]

    def vector(self, k: int) -> Array:
        """The parameters (0), or slot k of them."""
        n = len(self.step.parameters)
        return np.concatenate([here(v).ravel() for v in self.state[k * n : (k + 1) * n]])


def blocks(step: Step, vector: Array) -> list[Array]:
    """The matrices of a flat vector."""
    return [vector[at : at + rows * columns].reshape(rows, columns) for _, at, rows, columns in step.places()]


def here(value: Any) -> Array:
    """An array that every device has, as one of this host has it."""
    return np.array(value.addressable_data(0))
