"""Checkpoints: the whole state of a training in one file, replaced in one step, so that kill -9 leaves the old or the
new one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from time import monotonic
from typing import Any

from symbackprop.core.terms import SymbackpropError
from symbackprop.files import write_atomically

from .data import Data
from .loop import Epoch, Measured, State
from .model import FORMAT, packed, unpacked


def fingerprint(data: Data, options: Mapping[str, Any] | None = None) -> str:
    """Tells data sets, splits and options of trainings apart."""
    found = hashlib.sha256(json.dumps(options, sort_keys=True).encode())
    for part in (data.train, data.validation):
        for array in (part.x, part.t):
            found.update(repr((array.shape, array.dtype.name)).encode())
            found.update(array.tobytes())
    return found.hexdigest()


def save(path: str, state: State, data: str) -> None:
    about = {
        "format": FORMAT, "history": [asdict(e) for e in state.history], "steps": state.steps,
        "backend": state.backend, "layout": state.layout, "data": data,
    }  # fmt: skip
    slots = {f"slot{k}": slot for k, slot in enumerate(state.slots)}
    write_atomically(path, packed(about, {"parameters": state.flat, "best": state.best, **slots}, "state"))


def load(path: str, data: str) -> State:
    """The state in a file.  Raises SymbackpropError for another file, and for a state of other data."""
    about, arrays = unpacked(path, "state")
    if about["data"] != data:
        raise SymbackpropError(f"{path} is of another training: the data or the options have changed since")
    slots = [arrays[f"slot{k}"] for k in range(len(arrays) - 2)]
    history = [epoch_of(e) for e in about["history"]]
    return State(
        arrays["parameters"], slots, arrays["best"], history, about["steps"], about["backend"], about["layout"]
    )


def epoch_of(given: dict[str, Any]) -> Epoch:
    train, validation = given["train"], given["validation"]
    return Epoch(given["number"], Measured(**train), validation and Measured(**validation), given["rate"])


class Saver:
    """Saves a state now and then, at most once in `seconds`: what came later is computed again, to the same bits."""

    def __init__(self, write: Callable[[State], None], seconds: float = 2.0) -> None:
        self.write, self.seconds = write, seconds
        self.last = monotonic()

    def __call__(self, state: State) -> None:
        if monotonic() - self.last >= self.seconds:
            self.write(state)
            self.last = monotonic()
