"""The training loop: it runs the generated gradient on one batch after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError
from symbackprop.network.dense import DenseNetwork
from symbackprop.write.code.network_code import compile_cost

from .data import Data, Split
from .optimisers import Optimiser

Array = NDArray[Any]
MOST_PARAMETERS = 50_000_000


@dataclass(frozen=True, slots=True)
class Epoch:
    """What is measured after an epoch; accuracies are shares of 1."""

    number: int
    train_loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float


@dataclass(slots=True)
class Training:
    """A network in training: the parameters in the order W1, b1, W2, b2, ... and what has been measured."""

    network: DenseNetwork
    parameters: list[Array]
    history: list[Epoch] = field(default_factory=list)


def initial(network: DenseNetwork, dtype: str, seed: int) -> list[Array]:
    """Normal weights of variance 2 / inputs for relu and its like (He 2015), 1 / inputs else; no biases."""
    widths = [n.constant for n in network.widths]
    if None in widths:
        raise SymbackpropError("a network that is trained has numbers for widths")
    sizes = [n for n in widths if n is not None]
    count = sum((n + 1) * m for n, m in pairwise(sizes))
    if count > MOST_PARAMETERS:
        raise SymbackpropError(f"the network has {count:,} parameters; at most {MOST_PARAMETERS:,} are trained here")
    g = np.random.default_rng([seed, 3])
    parameters: list[Array] = []
    for (n, m), f in zip(pairwise(sizes), network.activations, strict=True):
        gain = 2.0 if f.name in ("relu", "gelu", "silu", "softplus") else 1.0
        shape = (n, m) if network.convention == "row" else (m, n)
        parameters += [(g.normal(size=shape) * (gain / n) ** 0.5).astype(dtype), np.zeros(m, dtype)]
    return parameters


def train(
    network: DenseNetwork,
    data: Data,
    optimiser: Optimiser,
    *,
    epochs: int,
    batch: int,
    seed: int,
    report: Callable[[Epoch], None] = lambda _: None,
) -> Training:
    """Trains a network in row convention and measures it after each epoch.

    Raises SymbackpropError when the cost stops being a number.
    """
    dtype = data.train.x.dtype.name
    training = Training(network, initial(network, dtype, seed))
    step, measure = optimiser.step(network), compile_cost(network).function
    shuffle = np.random.default_rng([seed, 4])
    # A sigmoid's exp may pass infinity on its way to 0, and a diverging cost is reported as such below.
    with np.errstate(over="ignore", invalid="ignore"):
        for number in range(1, epochs + 1):
            for x, t in batches(data.train, batch, shuffle):
                step(x, t, training.parameters)
            epoch = measured(number, data, training.parameters, measure)
            if not np.isfinite(epoch.train_loss):
                raise SymbackpropError(f"training diverged in epoch {number}; a smaller learning rate may help")
            training.history.append(epoch)
            report(epoch)
    return training


def batches(split: Split, size: int, g: np.random.Generator) -> Sequence[tuple[Array, Array]]:
    """The samples in a new order, in batches; the last one may be smaller."""
    order = g.permutation(len(split))
    x, t = split.x[order], split.t[order]
    return [(x[k : k + size], t[k : k + size]) for k in range(0, len(split), size)]


def measured(number: int, data: Data, parameters: Sequence[Array], measure: Callable[..., tuple[Any, ...]]) -> Epoch:
    found = []
    for split in (data.train, data.test):
        y, cost = measure(split.x, split.t, *parameters)
        found.append((float(cost), float(np.mean(y.argmax(axis=1) == split.t.argmax(axis=1)))))
    (train_loss, train_accuracy), (test_loss, test_accuracy) = found
    return Epoch(number, train_loss, test_loss, train_accuracy, test_accuracy)
