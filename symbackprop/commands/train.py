"""`symbackprop train`: a dense network, trained with the gradient that was generated from its proven equations."""

from __future__ import annotations

import argparse
import os
import sys
from time import perf_counter
from typing import Any

import numpy as np

from symbackprop.core.terms import SymbackpropError
from symbackprop.network.activations import (
    ACTIVATIONS, BINARY_CROSS_ENTROPY, CROSS_ENTROPY, Loss, activation, known, loss,
)  # fmt: skip
from symbackprop.network.dense import DenseNetwork, dense
from symbackprop.train.data import (
    SETS, TEST_SHARE, VALIDATION_SHARE, Data, Task, built_in, constant_features, data_from, guessed,
)  # fmt: skip
from symbackprop.train.equations import equations
from symbackprop.train.loop import Settings, State, Training, learnt_nothing, measured, train
from symbackprop.train.model import Model
from symbackprop.train.optimisers import SCHEDULES, Optimiser, optimiser
from symbackprop.train.progress import Progress
from symbackprop.train.run_folder import RunFolder, Saver, fingerprint
from symbackprop.train.tables import SUFFIXES, table
from symbackprop.write.code.network_code import compile_cost

from .activations import is_formula, named_or_formula
from .parsing import names

EPOCHS = 40
# What says how a training goes on, not what it is.
NOT_KEPT = ("out", "resume")


def run(args: argparse.Namespace) -> int:
    folder = RunFolder(args.resume or args.out)
    again = args.resume is not None
    args = resumed(args, folder.config()) if again else with_epochs(args, EPOCHS)
    optimiser, settings = read_settings(args)
    data = read_data(args)
    network, activations = read_network(args, data)
    proved = equations(network, optimiser, args.l2)
    folder.prepare(anew=not again)
    config = {k: v for k, v in vars(args).items() if k not in NOT_KEPT}
    mark = fingerprint(data, {k: v for k, v in config.items() if k != "epochs"})
    state = folder.load_state(mark) if again else None
    folder.write_config(config)
    notes(data, args)
    start = perf_counter()
    saver = Saver(lambda state: folder.save_state(state, mark))
    with Progress(args.epochs) as progress:
        training = train(network, data, optimiser, settings, state=state, report=progress.report, checkpoint=saver)
    folder.save_state(training.state, mark)
    model = model_of(training, data, activations)
    title = f"{'-'.join(str(n) for n in network.widths)} on {data.name}, {args.activation}, {network.loss.name}"
    folder.write_results(training, model, proved, title)
    summarise(training, data, perf_counter() - start, folder)
    if training.interrupted:
        print(f"symbackprop: interrupted; go on with: symbackprop train --resume {folder.directory}", file=sys.stderr)
        return 130
    if problem := learnt_nothing(training, data):
        print(f"symbackprop: {problem}", file=sys.stderr)
        return 1
    return 0


def resumed(args: argparse.Namespace, config: dict[str, Any]) -> argparse.Namespace:
    """The options of the training that goes on.  Raises SymbackpropError for a file with others."""
    wanted = vars(args).keys() - set(NOT_KEPT)
    if set(config) != wanted:
        odd = sorted(set(config) ^ wanted)
        raise SymbackpropError(f"{args.resume}/config.json is not of this version: {odd[0]} is missing or unknown")
    for name, value in config.items():
        if isinstance(value, str) != isinstance(vars(args)[name], str) or isinstance(value, list | dict):
            raise SymbackpropError(f"{args.resume}/config.json: {name} is {value!r}")
    return with_epochs(argparse.Namespace(**{**config, "epochs": args.epochs}), config["epochs"])


def with_epochs(args: argparse.Namespace, usual: int) -> argparse.Namespace:
    """The options with so many epochs, unless they say how many."""
    return argparse.Namespace(**{**vars(args), "epochs": usual if args.epochs is None else args.epochs})


def read_settings(args: argparse.Namespace) -> tuple[Optimiser, Settings]:
    """Raises SymbackpropError, naming the option, for what makes no sense."""
    for name, least in (("epochs", 1), ("batch", 1), ("seed", 0), ("warmup", 0), ("patience", 1)):
        value = getattr(args, name)
        if value is not None and value < least:
            raise SymbackpropError(f"--{name} is at least {least}, not {value}")
    for name in ("validation", "test"):
        value = getattr(args, name)
        if value is not None and not 0 <= value < 1:
            raise SymbackpropError(f"--{name} is a share of the samples, at least 0 and below 1, not {value}")
    if not 0 <= args.l2 < float("inf"):
        raise SymbackpropError(f"--l2 is at least 0, not {args.l2}")
    if args.dtype not in ("float32", "float64"):
        raise SymbackpropError(f"--dtype is float32 or float64, not {args.dtype}")
    known("schedule", args.schedule, SCHEDULES)
    settings = Settings(
        args.epochs, args.batch, args.seed, args.l2, args.schedule, args.warmup, args.patience, backend=args.backend
    )
    return optimiser(args.optimizer, args.lr), settings


def read_data(args: argparse.Namespace) -> Data:
    """The samples, split and scaled.  Raises SymbackpropError for data that nothing can be learnt from."""
    cost = read_loss(args.loss) if args.loss else None
    own = args.data not in SETS and (args.data.lower().endswith(SUFFIXES) or os.path.exists(args.data))
    found = table(args.data, names(args.target), names(args.ignore)) if own else built_in(args.data, args.seed)
    validation = args.validation
    if validation is None:
        validation = VALIDATION_SHARE if args.patience is not None else 0.0
    return data_from(
        found, task_of(cost, found.y), args.dtype, args.seed, standardize=args.standardize,
        test=TEST_SHARE if args.test is None else args.test, validation=validation,
    )  # fmt: skip


def read_loss(name: str) -> Loss:
    found = loss(name)
    if found.formula is None:
        raise SymbackpropError("an abstract loss or activation has no numbers to train with")
    return found


def task_of(cost: Loss | None, y: Any) -> Task | None:
    """What the loss says about the target; None leaves it to the target itself."""
    if cost is None:
        return None
    if cost == CROSS_ENTROPY:
        return "classes"
    if cost == BINARY_CROSS_ENTROPY:
        return "binary" if len(np.unique(y)) == 2 else "classes"
    return guessed(y)


def read_network(args: argparse.Namespace, data: Data) -> tuple[DenseNetwork, tuple[str, ...]]:
    """The network, and its activations as texts."""
    widths = read_widths(args.layers, data)
    cost = read_loss(args.loss or ("squared-error" if data.task == "regression" else "cross-entropy"))
    hidden = named_or_formula(args.activation)
    if not is_formula(args.activation) and args.activation not in (*ACTIVATIONS, "softmax"):
        raise SymbackpropError("an abstract loss or activation has no numbers to train with")
    last = activation(cost.usual)
    between = len(widths) - 2
    network = dense(widths, [*[hidden] * between, last], cost, "row", "N")
    return network, (*[args.activation] * between, last.name)


def read_widths(layers: str, data: Data) -> list[int]:
    if not layers:
        return [data.inputs, 32, data.classes]
    parts = layers.split("-")
    if len(parts) < 2 or not all(p.isascii() and p.isdecimal() and 1 <= len(p) <= 7 and int(p) for p in parts):
        raise SymbackpropError(f"--layers is like 64-32-10, positive widths joined by -, not {layers!r}")
    widths = [int(p) for p in parts]
    what = "outputs" if data.task == "regression" else "classes"
    for place, width, wanted, named in (
        ("start", widths[0], data.inputs, "inputs"),
        ("end", widths[-1], data.classes, what),
    ):
        if width != wanted:
            raise SymbackpropError(f"--layers must {place} with {wanted}, the {named} of {data.name}, not {width}")
    return widths


def notes(data: Data, args: argparse.Namespace) -> None:
    """What is worth saying before a training on one's own data."""
    if args.data in SETS:
        return
    if same := constant_features(data):
        more = f" and {len(same) - 5} more" if len(same) > 5 else ""
        print(f"note: the same in all training samples, so nothing is learnt from: {', '.join(same[:5])}{more}")
    largest = float(abs(data.train.x).max())
    far = float(abs(data.train.t).max()) if data.task == "regression" else 0.0
    if data.scaling is None and max(largest, far) > 100:
        what = f"features go up to {largest:.3g}" if largest > 100 else f"targets go up to {far:.3g}"
        print(f"note: {what}; --standardize makes that easier to learn from")


def model_of(training: Training, data: Data, activations: tuple[str, ...]) -> Model:
    parameters = tuple(training.parameters)
    return Model(
        training.network, activations, parameters, data.task, data.labels, data.columns, data.scaling, data.targets
    )


def summarise(training: Training, data: Data, seconds: float, folder: RunFolder) -> None:
    state: State = training.state
    if training.note:
        print(training.note)
    best, last = state.best_epoch.number, state.done
    kept = "" if best == last else f", the best of which, {best}, is kept"
    by = f"{last} epochs in {seconds:.2f} s ({state.backend}{kept})"
    if len(data.test):
        found = measured(compile_cost(training.network).function, data.test, training.parameters, data.task)
        if found.accuracy is None:
            print(f"test loss {found.loss:.4g} ({len(data.test)} samples{units(data, found.loss)}) after {by}")
        else:
            right = round(found.accuracy * len(data.test))
            print(f"test accuracy {found.accuracy:.2%} ({right} of {len(data.test)}) after {by}")
    else:
        print(f"loss {state.best_epoch.judged:.4g} after {by}")
    for path in folder.written:
        print(f"wrote {path}")
    if not any(path.endswith(".png") for path in folder.written):
        print("no plot: matplotlib is not installed (pip install 'symbackprop[plot]')")


def units(data: Data, loss: float) -> str:
    """The root mean square error of a standardised target in its own units."""
    if data.targets is None or data.classes != 1:
        return ""
    return f"; off by {(2 * loss) ** 0.5 * float(data.targets.deviation[0]):.4g} in the root mean square"
