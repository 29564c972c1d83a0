"""`symbackprop predict`: what a trained network says of new samples."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbackprop.train.model import Model


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Predict with a network that `symbackprop train` saved.\n"
        "Prints CSV with a row for each sample: the label and the share of each class, or the numbers of a regression."
    )
    parser.epilog = "example: symbackprop predict trained flowers.csv --out predicted.csv"
    parser.add_argument("model", metavar="MODEL", help="the folder of a training, or its weights.npz")
    parser.add_argument("data", metavar="DATA", help="a .csv, .npz or .parquet with the features")
    parser.add_argument("--out", metavar="FILE", help="write there instead of printing")


def run(args: argparse.Namespace) -> int:
    import os

    from symbackprop.files import write_atomically
    from symbackprop.train.model import decoded
    from symbackprop.train.run_folder import WEIGHTS
    from symbackprop.train.tables import features

    from .activations import named_or_formula

    path = os.path.join(args.model, WEIGHTS) if os.path.isdir(args.model) else args.model
    model = decoded(path, named_or_formula)
    text = as_csv(model, features(args.data, model.columns))
    if args.out is None:
        print(text, end="")
    else:
        write_atomically(args.out, text)
        print(f"wrote {args.out}")
    return 0


def as_csv(model: Model, x: Any) -> str:
    """A header and a row for each sample."""
    import csv
    import io

    y = model.outputs(x)
    head, rows = columns(model, y)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()


def columns(model: Model, y: Any) -> tuple[list[str], list[list[Any]]]:
    decided = model.decided(y)
    if model.task == "regression":
        table = decided.reshape(len(y), -1)
        head = ["predicted"] if table.shape[1] == 1 else [f"predicted {k + 1}" for k in range(table.shape[1])]
        return head, table.tolist()
    shares = y if model.task == "classes" else _both(y)
    head = ["predicted", *(f"share of {label}" for label in model.labels)]
    return head, [[label, *row] for label, row in zip(decided.tolist(), shares.tolist(), strict=True)]


def _both(y: Any) -> Any:
    """The shares of both classes from that of the second."""
    import numpy as np

    return np.concatenate([1 - y, y], axis=1)
