"""The derivations of backpropagation, each a story of lines that the kernel has checked.

`STORIES` has one entry for each file in `derivations/`: its title and the functions that derive its theorems.
"""

from __future__ import annotations

from collections.abc import Callable

from ..derivation import Derivation
from . import conventions, every_depth, layer, linear, mean, softmax
from .layer import facts

Fact = Callable[[], Derivation]

STORIES: dict[str, tuple[str, tuple[Fact, ...]]] = {
    "linear_map": ("A layer without its activation: `z = w x + b`", linear.FACTS),
    "last_layer": (
        "The last layer: its signal and its weights",
        (
            layer.activation_jacobian,
            *facts(layer.signal),
            *facts(layer.weights_last, (*layer.KINDS[:2], layer.KINDS[-1])),
        ),
    ),
    "hidden_layers": ("Hidden layers: from one signal to the one before", facts(layer.signal_step)),
    "weights": ("The gradient by the weights", facts(layer.weights)),
    "biases": ("The gradient by the biases", facts(layer.biases)),
    "every_depth": ("All layers of a network of any depth", every_depth.FACTS),
    "means": ("Costs that are a mean over a batch", mean.FACTS),
    "softmax": ("Softmax and the negative log likelihood", softmax.FACTS),
    "columns_to_rows": ("From the column convention to the row convention", conventions.FACTS),
}


def story(name: str) -> list[Derivation]:
    """The derivations of one story, each proved and checked."""
    return [fact() for fact in STORIES[name][1]]


__all__ = ["STORIES", "Derivation", "Fact", "story"]
