"""The folder of a training: what was asked for, what was measured, the weights, and the equations that ran.

A checkpoint is the whole state of a training in one file, replaced in one step: kill -9 leaves the old or the new one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib.util import find_spec
from time import monotonic
from typing import Any

from symbackprop.core.terms import SymbackpropError
from symbackprop.files import write_atomically
from symbackprop.network.theorems import Theorem
from symbackprop.train.data import Data
from symbackprop.train.equations import latex_page
from symbackprop.train.loop import Epoch, Measured, State, Training
from symbackprop.train.model import FORMAT, Model, encoded, packed, unpacked
from symbackprop.write.certificate import certificate, write_certificates
from symbackprop.write.code.network_code import compile_gradient


def fingerprint(data: Data, options: Mapping[str, Any] | None = None) -> str:
    """Tells data sets, splits and options of trainings apart."""
    found = hashlib.sha256(json.dumps(options, sort_keys=True).encode())
    for part in (data.train, data.validation):
        for array in (part.x, part.t):
            found.update(repr((array.shape, array.dtype.name)).encode())
            found.update(array.tobytes())
    return found.hexdigest()


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


CONFIG, METRICS, CHECKPOINT, WEIGHTS = "config.json", "metrics.jsonl", "checkpoint.npz", "weights.npz"
CERTIFICATES = "certificates.json"


class RunFolder:
    """Files of one training in `directory`, each whole or not at all."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.written: list[str] = []

    def path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def write(self, name: str, content: str | bytes) -> None:
        write_atomically(self.path(name), content)
        if self.path(name) not in self.written:
            self.written.append(self.path(name))

    def prepare(self, *, anew: bool = True) -> None:
        """Made if needed: a wrong directory is found before the work, not after it.  `anew` forgets an old training."""
        os.makedirs(self.directory, exist_ok=True)
        if not os.access(self.directory, os.W_OK | os.X_OK):
            raise SymbackpropError(f"cannot write into {self.directory}: permission denied")
        if anew:
            with suppress(FileNotFoundError):
                os.unlink(self.path(CHECKPOINT))

    # --- what was asked for

    def write_config(self, config: Mapping[str, Any]) -> None:
        self.write(CONFIG, json.dumps(config, indent=2) + "\n")

    def config(self) -> dict[str, Any]:
        """Raises SymbackpropError where there is none."""
        try:
            with open(self.path(CONFIG), encoding="utf-8") as stream:
                found = json.load(stream)
        except FileNotFoundError:
            raise SymbackpropError(f"{self.directory} has no {CONFIG}: no training was begun there") from None
        except ValueError as problem:
            raise SymbackpropError(f"{self.path(CONFIG)} is not JSON: {problem}") from problem
        if not isinstance(found, dict):
            raise SymbackpropError(f"{self.path(CONFIG)} is no object of options")
        return found

    # --- during a training

    def save_state(self, state: State, data: str) -> None:
        """The checkpoint, then the metrics up to it."""
        about = {
            "format": FORMAT, "history": [asdict(e) for e in state.history], "steps": state.steps,
            "backend": state.backend, "data": data,
        }  # fmt: skip
        slots = {f"slot{k}": slot for k, slot in enumerate(state.slots)}
        arrays = {"parameters": state.flat, "best": state.best, **slots}
        write_atomically(self.path(CHECKPOINT), packed(about, arrays, "state"))
        self.write_metrics(state)

    def load_state(self, data: str) -> State | None:
        """The state, if there is one.  Raises SymbackpropError for another file, and for a state of other data."""
        path = self.path(CHECKPOINT)
        if not os.path.exists(path):
            return None
        about, arrays = unpacked(path, "state")
        if about["data"] != data:
            raise SymbackpropError(f"{path} is of another training: the data or the options have changed since")
        slots = [arrays[f"slot{k}"] for k in range(len(arrays) - 2)]
        history = [epoch_of(e) for e in about["history"]]
        return State(arrays["parameters"], slots, arrays["best"], history, about["steps"], about["backend"])

    def write_metrics(self, state: State) -> None:
        """A line of JSON for each epoch, 0 being before the first."""
        self.write(METRICS, "".join(json.dumps(asdict(e)) + "\n" for e in state.history))

    # --- after it

    def write_results(self, training: Training, model: Model, proved: tuple[Theorem, ...], title: str) -> None:
        self.write(WEIGHTS, encoded(model))
        self.write_metrics(training.state)
        self.write("gradient.py", compile_gradient(training.network).source)
        self.write("equations.tex", latex_page(title, proved))
        self.write_certificates(proved)
        if training.history and find_spec("matplotlib") is not None:
            from .plot import picture

            self.write("training.png", picture(training.history, title))

    def write_certificates(self, proved: tuple[Theorem, ...]) -> None:
        """The proofs of all equations, for `symbackprop verify`."""
        rows = [certificate(p.proof, p.context, p.equation, name=p.name, statement=str(p.equation)) for p in proved]
        write_certificates(self.path(CERTIFICATES), rows)
        self.written.append(self.path(CERTIFICATES))
