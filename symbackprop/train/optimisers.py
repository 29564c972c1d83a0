"""Optimisers: each makes a step function from a network, which keeps the type of the numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError
from symbackprop.network.dense import DenseNetwork
from symbackprop.write.code.network_code import compile_descent, compile_gradient

Array = NDArray[Any]


Step = Callable[[Array, Array, Sequence[Array]], None]


class Optimiser(Protocol):
    def step(self, network: DenseNetwork) -> Step:
        """A function that takes inputs and targets and changes the parameters in place."""


@dataclass(slots=True)
class SGD:
    """w ← w - lr ∂C/∂w"""

    lr: float = 0.2

    def step(self, network: DenseNetwork) -> Step:
        descent, lr = compile_descent(network).function, self.lr

        def step(x: Array, t: Array, parameters: Sequence[Array]) -> None:
            for w, change in zip(parameters, descent(x, t, lr, *parameters), strict=True):
                w -= change

        return step


@dataclass(slots=True)
class Momentum:
    """v ← m v - lr ∂C/∂w,  w ← w + v   (Polyak 1964)"""

    lr: float = 0.05
    momentum: float = 0.9

    def step(self, network: DenseNetwork) -> Step:
        descent, lr = compile_descent(network).function, self.lr
        velocities: list[Array] = []

        def step(x: Array, t: Array, parameters: Sequence[Array]) -> None:
            if not velocities:
                velocities.extend(map(np.zeros_like, parameters))
            for w, change, v in zip(parameters, descent(x, t, lr, *parameters), velocities, strict=True):
                v *= self.momentum
                v -= change
                w += v

        return step


@dataclass(slots=True)
class Adam:
    """Kingma and Ba 2015, algorithm 1."""

    lr: float = 0.003
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def step(self, network: DenseNetwork) -> Step:
        gradient = compile_gradient(network).function
        means: list[Array] = []
        squares: list[Array] = []
        count = 0

        def step(x: Array, t: Array, parameters: Sequence[Array]) -> None:
            nonlocal count
            if not means:
                means.extend(map(np.zeros_like, parameters))
                squares.extend(map(np.zeros_like, parameters))
            count += 1
            rate = self.lr / (1 - self.beta1**count)
            root = (1 - self.beta2**count) ** 0.5  # √(v / c) = √v / √c
            for w, g, m, v in zip(parameters, gradient(x, t, *parameters), means, squares, strict=True):
                m += (1 - self.beta1) * (g - m)
                v += (1 - self.beta2) * (g * g - v)
                w -= rate * m / (np.sqrt(v) / root + self.epsilon)

        return step


OPTIMISERS: dict[str, type[SGD] | type[Momentum] | type[Adam]] = {"sgd": SGD, "momentum": Momentum, "adam": Adam}


def optimiser(name: str, lr: float | None = None) -> Optimiser:
    """The optimiser of this name, with its own learning rate unless one is given."""
    if name not in OPTIMISERS:
        raise SymbackpropError(f"unknown optimizer {name!r}: known are {', '.join(OPTIMISERS)}")
    if lr is not None and not 0 < lr < float("inf"):
        raise SymbackpropError(f"the learning rate is a positive number, not {lr}")
    return OPTIMISERS[name]() if lr is None else OPTIMISERS[name](lr)
