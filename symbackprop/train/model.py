"""A trained network as one file: its weights, what it is, and what its inputs and outputs mean.

`weights.npz` has the arrays W1, b1, W2, b2, ... and `model`, a text in JSON.  Reading it runs nothing.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError
from symbackprop.network.activations import AnyActivation, activation
from symbackprop.network.dense import DenseNetwork, dense
from symbackprop.write.code.network_code import compile_prediction, parameter_names

from .data import Scaling, Task

Array = NDArray[Any]
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Model:
    """A network with its parameters.  `activations` are names or formulas as they were given, one for each layer.

    Inputs go through `scaling`; what comes out was trained on targets through `targets`, and is scaled back.
    """

    network: DenseNetwork
    activations: tuple[str, ...]
    parameters: tuple[Array, ...]
    task: Task = "classes"
    labels: tuple[Any, ...] = ()
    columns: tuple[str, ...] = ()
    scaling: Scaling | None = None
    targets: Scaling | None = None

    def outputs(self, x: Array) -> Array:
        """What the network says of each sample, in the units of the targets.

        Raises SymbackpropError for another number of features.
        """
        inputs = self.parameters[0].shape[0]
        if x.ndim != 2 or x.shape[1] != inputs:
            raise SymbackpropError(f"the network takes {inputs} features, not an array of shape {x.shape}")
        x = np.asarray(x, self.parameters[0].dtype)
        if not np.isfinite(x).all():
            place = np.argwhere(~np.isfinite(x))[0][0] + 1
            raise SymbackpropError(f"sample {place} has a value that is no finite number")
        scaled = x if self.scaling is None else self.scaling(x)
        with np.errstate(over="ignore"):
            y: Array = compile_prediction(self.network).function(scaled, *self.parameters)[0]
        return y if self.targets is None else self.targets.undone(y)

    def predict(self, x: Array) -> Array:
        """The label of each sample, or for regression its numbers."""
        return self.decided(self.outputs(x))

    def decided(self, y: Array) -> Array:
        match self.task:
            case "regression":
                return y[:, 0] if y.shape[1] == 1 else y
            case "binary":
                places = (y[:, 0] > 0.5).astype(int)
            case _:
                places = y.argmax(axis=1)
        return np.array([self.labels[k] for k in places])


def encoded(model: Model) -> bytes:
    about = {
        "format": FORMAT,
        "widths": [n.constant for n in model.network.widths],
        "activations": list(model.activations),
        "loss": model.network.loss.name,
        "task": model.task,
        "labels": list(model.labels),
        "columns": list(model.columns),
        "scaling": as_lists(model.scaling),
        "targets": as_lists(model.targets),
    }
    names = parameter_names(model.network)
    return packed(about, dict(zip(names, model.parameters, strict=True)), "model")


def as_lists(scaling: Scaling | None) -> dict[str, list[float]] | None:
    return {"mean": scaling.mean.tolist(), "deviation": scaling.deviation.tolist()} if scaling else None


def from_lists(found: Mapping[str, Any] | None) -> Scaling | None:
    return Scaling(np.array(found["mean"]), np.array(found["deviation"])) if found else None


def decoded(path: str, formula: Callable[[str], AnyActivation] = activation) -> Model:
    """The model in a file; `formula` reads an activation.  Raises SymbackpropError for a file that holds none."""
    about, arrays = unpacked(path, "model")
    try:
        activations = tuple(str(name) for name in about["activations"])
        network = dense(about["widths"], [formula(name) for name in activations], about["loss"], "row", "N")
        given = tuple(arrays[name] for name in parameter_names(network))
        model = Model(
            network, activations, given, about["task"], tuple(about["labels"]), tuple(about["columns"]),
            from_lists(about["scaling"]), from_lists(about.get("targets")),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as problem:
        raise SymbackpropError(f"{path} holds no network of this program: {problem}") from problem
    for name, leaf, array in zip(parameter_names(network), network.parameters, given, strict=True):
        wanted = tuple(n.constant for n in (leaf.shape if leaf.kind == "matrix" else leaf.shape[1:]))
        if array.shape != wanted:
            raise SymbackpropError(f"{path}: {name} is of shape {array.shape}, not {wanted}")
    return model


# --- arrays with a text beside them, in one file --------------------------------------------------


def packed(about: Mapping[str, Any], arrays: Mapping[str, Array], key: str) -> bytes:
    out = io.BytesIO()
    given: dict[str, Any] = {key: np.array(json.dumps(about, ensure_ascii=True)), **arrays}
    np.savez(out, **given)
    return out.getvalue()


def unpacked(path: str, key: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Raises SymbackpropError for a file that is not what `packed` wrote."""
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = dict(archive)
        about = json.loads(str(arrays.pop(key)[()]))
    except FileNotFoundError:
        raise
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile, EOFError, OSError, zlib.error) as problem:
        raise SymbackpropError(f"{path} is no file of this program: {str(problem).splitlines()[0]}") from problem
    if about.get("format") != FORMAT:
        raise SymbackpropError(f"{path} is of format {about.get('format')}; this program reads {FORMAT}")
    return about, arrays
