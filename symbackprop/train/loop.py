"""The training: epochs of a backend, measured one by one, with the best weights kept.

What an epoch does follows from the seed, its number and the vectors at its start, so a training that goes on from a
checkpoint is the training that was interrupted, bit for bit (with the same backend).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError
from symbackprop.network.activations import BINARY_CROSS_ENTROPY, CROSS_ENTROPY, Loss
from symbackprop.network.dense import DenseNetwork
from symbackprop.train.backends.compiled import NoCompiler
from symbackprop.train.optimisers import rates
from symbackprop.write.code.network_code import compile_cost
from symbackprop.write.step.assignments import Step
from symbackprop.write.step.from_forms import training_step

from .backends.choice import Engine, chosen, engine, slower
from .data import Data, Split
from .optimisers import Optimiser

Array = NDArray[Any]
MOST_PARAMETERS = 50_000_000
MOST_MEASURED = 10_000  # training samples whose loss is measured after each epoch: the first, which were shuffled
STEEP = ("relu", "gelu", "silu", "softplus")


@dataclass(frozen=True, slots=True)
class Measured:
    """The loss of some samples, and the share that is told apart rightly (None for regression, or no samples)."""

    loss: float
    accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class Epoch:
    """What is measured after an epoch (0: before the first)."""

    number: int
    train: Measured
    validation: Measured | None
    rate: float = 0.0

    @property
    def judged(self) -> float:
        """The loss that says which epoch is best: of the validation samples where there are any."""
        return (self.validation or self.train).loss


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train.  `patience` stops after so many epochs without a better loss; `l2` is λ of + ½ λ Σ W²."""

    epochs: int = 40
    batch: int = 32
    seed: int = 0
    l2: float = 0.0
    schedule: str = "constant"
    warmup: int = 0
    patience: int | None = None
    shuffle: bool = True
    backend: str = "auto"


@dataclass(slots=True)
class State:
    """Where a training stands between two epochs; all that a checkpoint holds."""

    flat: Array
    slots: list[Array]
    best: Array
    history: list[Epoch] = field(default_factory=list)
    steps: int = 0
    backend: str = ""

    @property
    def done(self) -> int:
        return len(self.history) - 1

    @property
    def best_epoch(self) -> Epoch:
        return min(self.history, key=lambda e: e.judged)


@dataclass(slots=True)
class Training:
    """A network after training: the best parameters in the order W1, b1, W2, b2, ... and what was measured."""

    network: DenseNetwork
    parameters: list[Array]
    state: State
    interrupted: bool = False
    note: str = ""

    @property
    def history(self) -> list[Epoch]:
        """The epochs, without the measurement before the first."""
        return self.state.history[1:]


def initial(network: DenseNetwork, dtype: str, seed: int) -> Array:
    """Normal weights of variance 2 / inputs for relu and its like (He 2015), 1 / inputs else; no biases; one vector."""
    widths = [n.constant for n in network.widths]
    if None in widths:
        raise SymbackpropError("a network that is trained has numbers for widths")
    sizes = [n for n in widths if n is not None]
    count = sum((n + 1) * m for n, m in pairwise(sizes))
    if count > MOST_PARAMETERS:
        raise SymbackpropError(f"the network has {count:,} parameters; at most {MOST_PARAMETERS:,} are trained here")
    g = np.random.default_rng([seed, 3])
    parts: list[Array] = []
    for (n, m), f in zip(pairwise(sizes), network.activations, strict=True):
        gain = 2.0 if f.name in STEEP else 1.0
        parts += [(g.normal(size=n * m) * (gain / n) ** 0.5).astype(dtype), np.zeros(m, dtype)]
    return np.concatenate(parts)


def train(
    network: DenseNetwork,
    data: Data,
    optimiser: Optimiser,
    settings: Settings | None = None,
    *,
    state: State | None = None,
    report: Callable[[Epoch], None] = lambda _: None,
    checkpoint: Callable[[State], None] = lambda _: None,
) -> Training:
    """Trains a network in row convention, from the start or from the `state` of an earlier training.

    After each epoch the losses go to `report` and the whole state to `checkpoint`.  Ctrl-C ends the training after the
    last whole epoch.  The parameters are those of the best epoch.
    Raises SymbackpropError when the cost stops being a number.
    """
    session = Session(network, data, optimiser, settings or Settings(), state)
    interrupted = False
    try:
        for epoch in session.epochs():
            checkpoint(session.state)
            report(epoch)
    except KeyboardInterrupt:
        interrupted = True
    return Training(network, parameters(session.step, session.state.best), session.state, interrupted, session.note)


def parameters(step: Step, flat: Array) -> list[Array]:
    """W1, b1, ... from the flat vector."""
    found = []
    for name, offset, rows, columns in step.places():
        part = flat[offset : offset + rows * columns]
        found.append((part.reshape(rows, columns) if name[0] == "W" else part).copy())
    return found


class Session:
    """A training at work.  `state` is always that after the last whole epoch."""

    def __init__(
        self, network: DenseNetwork, data: Data, optimiser: Optimiser, settings: Settings, state: State | None
    ) -> None:
        self.data, self.optimiser, self.settings = data, optimiser, settings
        self.step = training_step(network, optimiser.update, settings.l2)
        self.measure = compile_cost(network).function
        self.batch = min(settings.batch, len(data.train))
        self.per_epoch = -(-len(data.train) // self.batch)
        self.dtype = data.train.x.dtype.name
        self.total = self.per_epoch * settings.epochs
        choice = chosen(settings.backend, self.step, self.batch, self.total, self.dtype)
        self.note = choice.why
        self.state = state or self.started(network, choice.backend)
        try:
            self.engine = self.made()
        except NoCompiler as missing:
            if settings.backend != "auto" or state is not None:
                raise
            self.note, self.state.backend = slower(missing), "numpy"
            self.engine = self.made()

    def started(self, network: DenseNetwork, backend: str) -> State:
        flat = initial(network, self.dtype, self.settings.seed)
        slots = [np.zeros_like(flat) for _ in self.optimiser.update.slots]
        state = State(flat, slots, flat.copy(), backend=backend)
        state.history.append(self.measured(0, flat))
        return state

    def made(self) -> Engine:
        state, train_ = self.state, self.data.train
        vectors = state.flat.copy(), [s.copy() for s in state.slots]
        return engine(state.backend, self.step, self.batch, *vectors, train_.x, train_.t)

    def epochs(self) -> Iterator[Epoch]:
        """Runs and measures one epoch after another until the training is over."""
        while self.state.done < self.settings.epochs and not self.out_of_patience():
            yield self.epoch()

    def out_of_patience(self) -> bool:
        patience = self.settings.patience
        return patience is not None and self.state.done - self.state.best_epoch.number >= patience

    def epoch(self) -> Epoch:
        state, number = self.state, self.state.done + 1
        rate = rates(
            self.settings.schedule, self.optimiser.lr, state.steps, self.per_epoch, self.total,
            self.settings.warmup * self.per_epoch,
        )  # fmt: skip
        with np.errstate(all="ignore"):  # a sigmoid's exp may pass infinity; divergence is reported below
            self.engine.epoch(self.order(number), self.optimiser.numbers(state.steps + 1, rate))
        flat, slots = self.engine.flat.copy(), [s.copy() for s in self.engine.slots]
        epoch = self.measured(number, flat, float(rate[-1]))
        if not np.isfinite(epoch.train.loss):
            raise SymbackpropError(f"training diverged in epoch {number}; a smaller learning rate may help")
        better = epoch.judged < state.best_epoch.judged
        history = [*state.history, epoch]
        best = flat if better else state.best
        # in one assignment, so that Ctrl-C finds the state of a whole epoch
        self.state = State(flat, slots, best, history, state.steps + self.per_epoch, state.backend)
        return epoch

    def order(self, number: int) -> NDArray[np.int64] | None:
        """The order of the samples in this epoch."""
        if not self.settings.shuffle:
            return None
        return np.random.default_rng([self.settings.seed, 4, number]).permutation(len(self.data.train))

    def measured(self, number: int, flat: Array, rate: float = 0.0) -> Epoch:
        given = parameters(self.step, flat)
        validation, seen = self.data.validation, self.data.train
        some = Split(seen.x[:MOST_MEASURED], seen.t[:MOST_MEASURED])
        return Epoch(
            number,
            measured(self.measure, some, given, self.data.task),
            measured(self.measure, validation, given, self.data.task) if len(validation) else None,
            rate,
        )


def measured(measure: Callable[..., Any], split: Split, given: list[Array], task: str) -> Measured:
    with np.errstate(all="ignore"), contextlib.suppress(FloatingPointError):
        y, cost = measure(split.x, split.t, *given)
    return Measured(float(cost), accuracy(y, split.t, task))


def accuracy(y: Array, t: Array, task: str) -> float | None:
    """The share of samples with the right class; regression has none."""
    match task:
        case "classes":
            return float(np.mean(y.argmax(axis=1) == t.argmax(axis=1)))
        case "binary":
            return float(np.mean((y > 0.5) == (t > 0.5)))
        case _:
            return None


def loss_of_mean(loss: Loss, t: Array) -> float:
    """The least loss of one prediction for all samples, their mean."""
    t = t.astype(np.float64)
    mean = t.mean(axis=0)
    if loss == CROSS_ENTROPY:
        return entropy(mean)
    if loss == BINARY_CROSS_ENTROPY:
        return entropy(mean) + entropy(1 - mean)
    return float(0.5 * np.sum((t - mean) ** 2) / len(t))


def entropy(p: Array) -> float:
    """-Σ p log p"""
    return float(-np.sum(p * np.log(np.where(p > 0, p, 1))))


def learnt_nothing(training: Training, data: Data) -> str:
    """One line when the network is no better than one that always says the same, else nothing."""
    found, least = training.state.best_epoch.train.loss, loss_of_mean(training.network.loss, data.train.t)
    if least == 0 or found < 0.98 * least:
        return ""
    return (
        f"nothing was learnt: the loss is {found:.4g}, and always predicting the mean has {least:.4g}; "
        "another learning rate may help"
    )
