"""The reference of every backend: the printed gradient, and optimisers as their papers write them, in float64."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbackprop.network.dense import DenseNetwork, dense
from symbackprop.train.loop import parameters
from symbackprop.train.optimisers import SGD, Adam, Momentum, Optimiser, adamw, nesterov
from symbackprop.write.code.network_code import compile_gradient
from symbackprop.write.step.assignments import Step
from symbackprop.write.step.from_forms import training_step

SAMPLES, BATCH, STEPS = 37, 8, 20
ACTIVATIONS = ("tanh", "sigmoid", "relu", "softplus", "gelu", "silu", "sin", "identity", "softmax", "softsign")
LAST = (
    ("softmax", "cross-entropy"), ("sigmoid", "binary-cross-entropy"), ("identity", "squared-error"),
    ("softmax", "squared-error"), ("sigmoid", "squared-error"), ("softplus", "squared-error"),
    ("tanh", "squared-error"), ("sigmoid", "cross-entropy"),
)  # fmt: skip
OPTIMISERS = (SGD(0.05), Momentum(0.02), nesterov(0.02), Adam(0.003), adamw(0.003))
WIDTHS = ((6, 4), (5, 7, 3), (3, 1, 2), (9, 33, 5, 4), (13, 11, 7, 5, 3), (1, 5, 1), (30, 25, 7))


@dataclass(frozen=True)
class Case:
    network: DenseNetwork
    optimiser: Optimiser
    l2: float

    @property
    def step(self) -> Step:
        return training_step(self.network, self.optimiser.update, self.l2)

    def __str__(self) -> str:
        net = self.network
        names = [f.name for f in net.activations]
        optimiser = type(self.optimiser).__name__
        return f"{'-'.join(map(str, net.widths))} {'-'.join(names)} {net.loss.name} {optimiser} l2={self.l2}"


def table() -> list[Case]:
    """Every activation with every last layer; depths 1 to 4, odd widths, all optimisers in turn."""
    pairs = itertools.product(ACTIVATIONS, LAST)
    return [case(k, f, last, loss) for k, (f, (last, loss)) in enumerate(pairs)]


def case(k: int, hidden: str, last: str, loss: str) -> Case:
    widths = WIDTHS[k % len(WIDTHS)]
    if last == "softmax" and widths[-1] == 1:  # which is 1 whatever comes in
        widths = WIDTHS[0]
    network = dense(widths, [hidden] * (len(widths) - 2) + [last], loss, "row", "N")
    return Case(network, OPTIMISERS[k % len(OPTIMISERS)], 0.01 if k % 3 == 1 else 0.0)


def problem(case: Case, dtype: str = "float64") -> tuple[Any, Any, Any]:
    """Samples, targets and where the parameters start."""
    g, step = np.random.default_rng(1), case.step
    x = g.normal(size=(SAMPLES, step.inputs))
    t = np.eye(step.outputs)[g.integers(step.outputs, size=SAMPLES)] if step.outputs > 1 else g.random((SAMPLES, 1))
    places = [(name, rows, columns) for name, _, rows, columns in step.places()]
    parts = [g.normal(size=r * c) / (r**0.5 if name[0] == "W" else 10) for name, r, c in places]
    flat = np.concatenate(parts)
    return x.astype(dtype), t.astype(dtype), flat.astype(dtype)


def batches(order: Any, count: int) -> Iterator[Any]:
    """So many batches; an epoch ends with a short one."""
    starts = itertools.cycle(range(0, len(order), BATCH))
    return (order[start : start + BATCH] for start in itertools.islice(starts, count))


def reference(case: Case, x: Any, t: Any, flat: Any, order: Any) -> Any:
    """The parameters after 20 steps."""
    gradient = compile_gradient(case.network).function
    values = parameters(case.step, flat)
    memories: list[dict[str, Any]] = [{} for _ in values]
    for k, rows in enumerate(batches(order, STEPS), 1):
        found = gradient(x[rows], t[rows], *values)
        values = [
            changed(case.optimiser, w, g + case.l2 * w if w.ndim == 2 and case.l2 else g, memory, k)
            for w, g, memory in zip(values, found, memories, strict=True)
        ]
    return np.concatenate([w.ravel() for w in values])


def changed(optimiser: Optimiser, w: Any, g: Any, memory: dict[str, Any], k: int) -> Any:
    match optimiser:
        case SGD(lr):
            return w - lr * g
        case Momentum(lr, m, with_nesterov):
            v = memory["v"] = m * memory.get("v", 0) - lr * g
            return w + m * v - lr * g if with_nesterov else w + v
        case Adam(lr, beta1, beta2, epsilon, decay):
            m = memory["m"] = beta1 * memory.get("m", 0) + (1 - beta1) * g
            v = memory["v"] = beta2 * memory.get("v", 0) + (1 - beta2) * g**2
            if w.ndim == 2:
                w = w - lr * decay * w
            return w - lr * (m / (1 - beta1**k)) / (np.sqrt(v / (1 - beta2**k)) + epsilon)
    raise AssertionError(optimiser)


def after_steps(make: Any, case: Case, x: Any, t: Any, flat: Any, order: Any) -> Any:
    """The parameters of a backend after the same steps."""
    slots = [np.zeros_like(flat) for _ in case.optimiser.update.slots]
    engine = make(case.step, BATCH, flat.copy(), slots, x, t)
    per_epoch = -(-len(order) // BATCH)
    for first in range(0, STEPS, per_epoch):
        count = min(per_epoch, STEPS - first)
        numbers = case.optimiser.numbers(first + 1, np.full(count, case.optimiser.lr))
        engine.epoch(order[: count * BATCH], numbers)
    return engine.flat
