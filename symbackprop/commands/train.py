"""`symbackprop train`: a dense network, trained with the gradient that was generated from its matrix equations."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbackprop.network.dense import DenseNetwork
    from symbackprop.train.data import Data
    from symbackprop.train.loop import Epoch, Training


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Train a dense network.  Its gradient is the compact matrix form, turned into NumPy code through SymPy.\n"
        "Writes DIR/weights.npz, DIR/training.png (loss and accuracy) and DIR/gradient.py (the generated code)."
    )
    add = parser.add_argument
    add("--layers", default="64-32-10", metavar="N-N-N", help="widths from inputs to classes (64-32-10)")
    add("--activation", default="relu", metavar="NAME",
        help="of the hidden layers: relu, tanh, gelu, ..., or LaTeX in z: '\\frac{z}{1+e^{-z}}' (relu)")  # fmt: skip
    add("--loss", default="cross-entropy", metavar="NAME",
        help="cross-entropy, binary-cross-entropy or squared-error (cross-entropy); the last layer is softmax, "
        "sigmoid or linear accordingly")  # fmt: skip
    add("--epochs", type=int, default=40, metavar="N", help="passes over the training data (40)")
    add("--batch", type=int, default=32, metavar="N", help="samples in a step (32)")
    add("--optimizer", default="adam", metavar="NAME", help="adam, momentum or sgd (adam)")
    add("--lr", type=float, metavar="RATE", help="learning rate (0.003 for adam, 0.05 momentum, 0.2 sgd)")
    add("--dtype", default="float32", metavar="TYPE", help="float32 or float64 (float32)")
    add("--data", default="digits", metavar="NAME",
        help="digits (handwritten, from scikit-learn) or glyphs (printed, made here) (digits)")  # fmt: skip
    add("--seed", type=int, default=0, metavar="N", help="of the data split, the weights and the batches (0)")
    add("--out", default="trained", metavar="DIR", help="where the results go (trained)")


def run(args: argparse.Namespace) -> int:
    from time import perf_counter

    from symbackprop.train.data import load
    from symbackprop.train.loop import train
    from symbackprop.train.optimisers import optimiser
    from symbackprop.train.progress import Progress

    widths = read_options(args)
    network = read_network(args, widths)
    update = optimiser(args.optimizer, args.lr)
    data = load(args.data, args.dtype, args.seed)
    check_fits(widths, data)
    directory = prepare(args.out)
    start = perf_counter()
    with Progress(args.epochs) as progress:
        options = {"epochs": args.epochs, "batch": args.batch, "seed": args.seed}
        training = train(network, data, update, **options, report=progress.report)
    seconds = perf_counter() - start
    written = save(training, directory, f"{args.layers} on {data.name}, {args.activation}, {args.loss}")
    summarise(training.history[-1], data, seconds, written)
    return 0


def read_options(args: argparse.Namespace) -> list[int]:
    """The widths.  Raises SymbackpropError, naming the option, for what makes no sense."""
    from symbackprop.core.terms import SymbackpropError

    for name, least in (("epochs", 1), ("batch", 1), ("seed", 0)):
        if getattr(args, name) < least:
            raise SymbackpropError(f"--{name} is at least {least}, not {getattr(args, name)}")
    if args.dtype not in ("float32", "float64"):
        raise SymbackpropError(f"--dtype is float32 or float64, not {args.dtype}")
    parts = args.layers.split("-")
    if len(parts) < 2 or not all(p.isascii() and p.isdecimal() and 1 <= len(p) <= 7 and int(p) for p in parts):
        raise SymbackpropError(f"--layers is like 64-32-10, positive widths joined by -, not {args.layers!r}")
    return [int(p) for p in parts]


def read_network(args: argparse.Namespace, widths: list[int]) -> DenseNetwork:
    from symbackprop.core.terms import SymbackpropError
    from symbackprop.network.activations import ACTIVATIONS
    from symbackprop.network.dense import dense
    from symbackprop.network.losses import AbstractLoss, loss, usual_output

    from .activations import is_formula, named_or_formula

    cost, hidden = loss(args.loss), named_or_formula(args.activation)
    known = is_formula(args.activation) or args.activation in (*ACTIVATIONS, "softmax")
    if isinstance(cost, AbstractLoss) or not known:
        raise SymbackpropError("an abstract loss or activation has no numbers to train with")
    return dense(widths, [*[hidden] * (len(widths) - 2), usual_output(cost)], cost, "row", "N")


def prepare(out: str) -> str:
    """The output directory, made if needed: a wrong one is found before the work, not after it."""
    import os

    os.makedirs(out, exist_ok=True)
    if not os.access(out, os.W_OK | os.X_OK):
        from symbackprop.core.terms import SymbackpropError

        raise SymbackpropError(f"cannot write into {out}: permission denied")
    return out


def check_fits(widths: list[int], data: Data) -> None:
    from symbackprop.core.terms import SymbackpropError

    for place, width, wanted, what in (
        ("start", widths[0], data.inputs, "inputs"),
        ("end", widths[-1], data.classes, "classes"),
    ):
        if width != wanted:
            raise SymbackpropError(f"--layers must {place} with {wanted}, the {what} of {data.name}, not {width}")


def save(training: Training, directory: str, title: str) -> list[str]:
    """Writes the results, each file whole or not at all, and returns the paths."""
    import io
    import os
    from importlib.util import find_spec

    import numpy as np

    from symbackprop.files import write_atomically
    from symbackprop.write.code.network_code import compile_gradient, parameter_names

    names = parameter_names(training.network)
    weights = io.BytesIO()
    arrays: dict[str, Any] = dict(zip(names, training.parameters, strict=True))
    np.savez(weights, **arrays)
    files: dict[str, str | bytes] = {
        "weights.npz": weights.getvalue(),
        "gradient.py": compile_gradient(training.network).source,
    }
    if find_spec("matplotlib") is not None:
        from symbackprop.train.plot import picture

        files["training.png"] = picture(training.history, title)
    written = []
    for name, content in files.items():
        path = os.path.join(directory, name)
        write_atomically(path, content)
        written.append(path)
    return written


def summarise(last: Epoch, data: Data, seconds: float, written: list[str]) -> None:
    right = round(last.test_accuracy * len(data.test))
    share = f"{last.test_accuracy:.2%} ({right} of {len(data.test)})"
    print(f"test accuracy {share} after {last.number} epochs in {seconds:.2f} s")
    for path in written:
        print(f"wrote {path}")
    if not any(path.endswith(".png") for path in written):
        print("no plot: matplotlib is not installed (pip install 'symbackprop[plot]')")
