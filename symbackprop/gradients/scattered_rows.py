"""Gradients that are one entry a row, as those of a chosen logarithm of a probability."""

from __future__ import annotations

from typing import Any

from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import Node, Recorder

from .rules.registry import is_number, minus, over, plus, times


def total_of_row(recorder: Recorder, g: Any, probabilities: Any, axis: Any) -> Any:
    """g - probabilities * Σ_axis g, where the sum of a row with one entry is that entry."""
    entry = only_entry(recorder, g, axis)
    if entry is None:
        return np.subtract(g, times(probabilities, np.sum(g, axis=axis, keepdims=True)))
    node = recorder.node_of(entry)
    if node is not None and node.operation == "divide" and is_number(node.args[0]):
        top, bottom = node.args
        size = recorder.array(bottom) if isinstance(bottom, Node) else bottom
        return plus(g, over(times(-top, probabilities), size))
    return plus(g, times(probabilities, minus(entry)))


def only_entry(recorder: Recorder, g: Any, axis: Any) -> Any:
    """The value c of a gradient that has c at one place of each row and 0 elsewhere."""
    node = recorder.node_of(g)
    if node is None or node.operation != "scattered" or node.ndim != 2 or axis not in (1, -1):
        return None
    _, key, value = node.args
    rows = isinstance(key, tuple) and len(key) == 2 and all(isinstance(k, Node) for k in key)
    if not rows or key[0].operation != "arange":
        return None
    if is_number(value):
        return value
    return recorder.array(value) if isinstance(value, Node) and value.ndim == 0 else None
