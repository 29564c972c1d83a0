"""Optimisers: each says how it changes the parameters (`update`, assignments like all others) and its numbers.

A slot is what an optimiser remembers of each parameter, zero at the start.  Schedules are the share of the rate at each
step, from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError
from symbackprop.network.activations import known
from symbackprop.write.step.assignments import Call, Entrywise, Map, Number, Ref, Update

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
    schedule = known("schedule", name, SCHEDULES)
    steps = np.arange(first, first + count, dtype=np.float64)
    progress = np.clip((steps - warmup) / max(1, total - warmup), 0.0, 1.0)
    rising: Array = np.minimum(1.0, (steps + 1) / (warmup + 1))
    return lr * schedule(progress) * rising


P, G, V, M = (Ref(name) for name in ("P0", "G0", "V0", "M0"))
RATE, EPSILON = Ref("s0"), Ref("s1")


def _add(a: Entrywise, b: Entrywise) -> Call:
    return Call("add", (a, b))


def _sub(a: Entrywise, b: Entrywise) -> Call:
    return Call("sub", (a, b))


def _mul(a: Entrywise, b: Entrywise) -> Call:
    return Call("mul", (a, b))


class Optimiser(Protocol):
    @property
    def lr(self) -> float: ...

    @property
    def update(self) -> Update: ...

    def numbers(self, first: int, rates: Array) -> Array:
        """A row for each step: the values of `update.scalars` at steps first, first + 1, ... with these rates."""


@dataclass(frozen=True, slots=True)
class SGD:
    """w ← w - lr ∂C/∂w"""

    lr: float = 0.2

    @property
    def update(self) -> Update:
        return Update(("s0",), (), (Map("P0", _sub(P, G)),), folded=True)

    def numbers(self, first: int, rates: Array) -> Array:
        return rates[:, None]


@dataclass(frozen=True, slots=True)
class Momentum:
    """v ← m v - lr ∂C/∂w,  w ← w + v  (Polyak 1964);  with `nesterov` w ← w + m v - lr ∂C/∂w for the new v
    (Sutskever et al. 2013, in the form of scikit-learn)."""

    lr: float = 0.05
    momentum: float = 0.9
    nesterov: bool = False

    @property
    def update(self) -> Update:
        velocity = _sub(_mul(V, Number(self.momentum)), G)
        change = velocity if self.nesterov else V
        return Update(("s0",), ("V0",), (Map("V0", velocity), Map("P0", _add(P, change))), folded=True)

    def numbers(self, first: int, rates: Array) -> Array:
        return rates[:, None]


@dataclass(frozen=True, slots=True)
class Adam:
    """Kingma and Ba 2015, algorithm 1; with `weight_decay` AdamW (Loshchilov and Hutter 2019), on weights, not biases.

    The slots are those of the paper over 1 - β: M = m / (1 - β1) and V = v / (1 - β2), which saves products;
    `numbers` has what that and the bias correction make of the rate and of ε.
    """

    lr: float = 0.003
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    @property
    def update(self) -> Update:
        mean = _add(_mul(M, Number(self.beta1)), G)
        square = _add(_mul(V, Number(self.beta2)), _mul(G, G))
        step = _mul(RATE, Call("div", (M, _add(Call("sqrt", (V,)), EPSILON))))
        shrink = _sub(Number(1.0), _mul(Ref("s2"), Number(self.weight_decay))) if self.weight_decay else None
        scalars = ("s0", "s1", "s2") if self.weight_decay else ("s0", "s1")
        maps = (Map("M0", mean), Map("V0", square), Map("P0", _sub(P, step)))
        return Update(scalars, ("M0", "V0"), maps, folded=False, shrink=shrink)

    def numbers(self, first: int, rates: Array) -> Array:
        t = np.arange(first, first + len(rates), dtype=np.float64)
        root = np.sqrt((1 - self.beta2**t) / (1 - self.beta2))
        rate = rates * (1 - self.beta1) / (1 - self.beta1**t) * root
        columns = [rate, self.epsilon * root, *([rates] if self.weight_decay else [])]
        return np.stack(columns, axis=1)


def nesterov(lr: float = 0.05) -> Momentum:
    return Momentum(lr, nesterov=True)


def adamw(lr: float = 0.003) -> Adam:
    return Adam(lr, weight_decay=0.01)


OPTIMISERS: dict[str, Callable[..., Optimiser]] = {
    "sgd": SGD, "momentum": Momentum, "nesterov": nesterov, "adam": Adam, "adamw": adamw,
}  # fmt: skip


def optimiser(name: str, lr: float | None = None) -> Optimiser:
    """The optimiser of this name, with its own learning rate unless one is given."""
    made = known("optimizer", name, OPTIMISERS)
    if lr is not None and not 0 < lr < float("inf"):
        raise SymbackpropError(f"the learning rate is a positive number, not {lr}")
    return made() if lr is None else made(lr)
