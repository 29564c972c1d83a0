"""`symbackprop predict`: what a trained network says of new samples."""

from __future__ import annotations

import argparse
import csv
import io
import os
from typing import Any

import numpy as np

from symbackprop.files import write_atomically
from symbackprop.train.model import Model, decoded
from symbackprop.train.run_folder import WEIGHTS
from symbackprop.train.tables import features

from .activations import named_or_formula


def run(args: argparse.Namespace) -> int:
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
    return np.concatenate([1 - y, y], axis=1)
