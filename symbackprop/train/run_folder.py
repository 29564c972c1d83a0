"""The folder of a training: what was asked for, what was measured, the weights, and the equations that ran."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

from symbackprop.core.terms import SymbackpropError
from symbackprop.files import write_atomically
from symbackprop.write.certificate import certificate, write_certificates
from symbackprop.write.code.network_code import compile_gradient

from . import checkpoint
from .equations import Proved, latex_page
from .loop import State, Training
from .model import Model, encoded

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
        checkpoint.save(self.path(CHECKPOINT), state, data)
        self.write_metrics(state)

    def load_state(self, data: str) -> State | None:
        return checkpoint.load(self.path(CHECKPOINT), data) if os.path.exists(self.path(CHECKPOINT)) else None

    def write_metrics(self, state: State) -> None:
        """A line of JSON for each epoch, 0 being before the first."""
        self.write(METRICS, "".join(json.dumps(asdict(e)) + "\n" for e in state.history))

    # --- after it

    def write_results(self, training: Training, model: Model, proved: tuple[Proved, ...], title: str) -> None:
        self.write(WEIGHTS, encoded(model))
        self.write_metrics(training.state)
        self.write("gradient.py", compile_gradient(training.network).source)
        self.write("equations.tex", latex_page(title, proved))
        self.write_certificates(proved)
        if training.history and find_spec("matplotlib") is not None:
            from .plot import picture

            self.write("training.png", picture(training.history, title))

    def write_certificates(self, proved: tuple[Proved, ...]) -> None:
        """The proofs of all equations, for `symbackprop verify`."""
        rows = [certificate(p.proof, p.context, p.equation, name=p.name, statement=str(p.equation)) for p in proved]
        write_certificates(self.path(CERTIFICATES), rows)
        self.written.append(self.path(CERTIFICATES))
