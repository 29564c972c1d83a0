"""The stories of the notes by name: a title, and what each of them asks or tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from . import columns_to_rows, dense_layers, every_depth, forward_maps
from .dense_layers import of_each_kind
from .told import Question, Told, told

Fact = Callable[[], Told]


def asked(questions: Iterable[Question]) -> tuple[Fact, ...]:
    return tuple(partial(told, q) for q in questions)


STORIES: dict[str, tuple[str, tuple[Fact, ...]]] = {
    "linear_map": ("A layer without its activation: `z = w x + b`", asked(forward_maps.LINEAR)),
    "last_layer": (
        "The last layer: its signal and its weights",
        asked([dense_layers.activation_jacobian(), *of_each_kind(dense_layers.last_layer)]),
    ),
    "hidden_layers": (
        "Hidden layers: from one signal to the one before", asked(of_each_kind(dense_layers.signal_step))
    ),
    "weights": ("The gradient by the weights", asked(of_each_kind(dense_layers.weights))),
    "biases": ("The gradient by the biases", asked(of_each_kind(dense_layers.biases))),
    "every_depth": ("All layers of a network of any depth", every_depth.FACTS),
    "means": ("Costs that are a mean over a batch", asked(forward_maps.MEANS)),
    "softmax": ("Softmax and the negative log likelihood", asked(forward_maps.SOFTMAXES)),
    "columns_to_rows": (
        "From the column convention to the row convention",
        (columns_to_rows.forward, columns_to_rows.signal_step, columns_to_rows.weights, columns_to_rows.biases),
    ),
}


def story(name: str) -> list[Told]:
    """What one story tells, each part derived and proved."""
    return [fact() for fact in STORIES[name][1]]
