"""Data to train on: samples and targets, split for training, validation and test, scaled where that is wished.

Three tasks: "classes" (one-hot targets), "binary" (one target, 0 or 1) and "regression" (numbers).  With the program
come scikit-learn's digits, and pictures of digits made here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError
from symbackprop.network.activations import known

Array = NDArray[Any]
Task: TypeAlias = Literal["classes", "binary", "regression"]
TEST_SHARE, VALIDATION_SHARE = 0.2, 0.1


@dataclass(frozen=True, slots=True)
class Split:
    """Inputs (one sample per row) and targets."""

    x: Array
    t: Array

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True)
class Scaling:
    """(x - mean) / deviation of each column, by the training samples; a constant column is only shifted."""

    mean: Array
    deviation: Array

    def __call__(self, x: Array) -> Array:
        return ((x - self.mean) / self.deviation).astype(x.dtype)

    def undone(self, x: Array) -> Array:
        return (x * self.deviation + self.mean).astype(x.dtype)


def scaling_of(x: Array) -> Scaling:
    deviation = x.std(axis=0, dtype=np.float64)
    return Scaling(x.mean(axis=0, dtype=np.float64), np.where(deviation > 0, deviation, 1.0))


@dataclass(frozen=True, slots=True)
class Data:
    """`validation` and `test` may be empty; `labels` are the classes in the order of the outputs.

    `scaling` was applied to the features, `targets` to the targets of a regression.
    """

    name: str
    train: Split
    test: Split
    validation: Split
    task: Task = "classes"
    labels: tuple[Any, ...] = ()
    columns: tuple[str, ...] = ()
    scaling: Scaling | None = None
    targets: Scaling | None = None

    @property
    def inputs(self) -> int:
        return int(self.train.x.shape[1])

    @property
    def classes(self) -> int:
        return int(self.train.t.shape[1])


@dataclass(frozen=True, slots=True)
class Table:
    """Features and targets as they were read, with names."""

    name: str
    x: Array
    y: Array
    columns: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


def data_from(
    table: Table,
    task: Task | None,
    dtype: str,
    seed: int,
    *,
    standardize: bool = False,
    test: float = TEST_SHARE,
    validation: float = VALIDATION_SHARE,
) -> Data:
    """The table checked, encoded, shuffled and split.

    Raises SymbackpropError, saying what and where, for data that nothing can be learnt from.
    """
    check_table(table)
    task = task or guessed(table.y)
    t, labels = encoded(table.y, task, table.name)
    with np.errstate(over="ignore"):
        x = np.asarray(table.x, dtype)
    check_finite(x, table, f"as {dtype}")
    order = np.random.default_rng([seed, 2]).permutation(len(x))
    x = np.ascontiguousarray(x[order])
    t = np.ascontiguousarray(t[order], dtype)
    cut, rest = round(len(x) * test), round(len(x) * validation)
    if len(x) - cut - rest < 1:
        raise SymbackpropError(f"{table.name}: test and validation leave none of {len(x)} samples to train on")
    kept, tested, held = (Split(x[a:b], t[a:b]) for a, b in ((cut + rest, len(x)), (0, cut), (cut, cut + rest)))
    data = Data(table.name, kept, tested, held, task, labels, table.columns)
    return standardized(data) if standardize else data


def standardized(data: Data) -> Data:
    """Features, and the numbers of a regression: a network that starts near 0 does not reach prices in its steps."""
    scale = scaling_of(data.train.x)
    targets = scaling_of(data.train.t) if data.task == "regression" else None
    parts = (
        Split(scale(part.x), targets(part.t) if targets else part.t)
        for part in (data.train, data.test, data.validation)
    )
    train, test, validation = parts
    return replace(data, train=train, test=test, validation=validation, scaling=scale, targets=targets)


# --- targets -----------------------------------------------------------------------------------


def guessed(y: Array) -> Task:
    """Classes for labels and for few whole numbers, else regression."""
    if y.ndim == 2 and y.shape[1] > 1:
        return "regression"
    if y.dtype.kind in "OUSb":
        return "classes"
    whole = bool(np.all(y == np.round(y)))
    return "classes" if whole and len(np.unique(y)) <= max(2, min(100, len(y) // 2)) else "regression"


def encoded(y: Array, task: Task, name: str) -> tuple[Array, tuple[Any, ...]]:
    """The targets as an array with a row for each sample, and the labels of the classes."""
    if task == "regression":
        if y.dtype.kind in "OUS":
            raise SymbackpropError(f"{name}: the target is text, and regression needs numbers")
        return y.reshape(len(y), -1).astype(np.float64), ()
    if y.ndim == 2 and y.shape[1] > 1:
        raise SymbackpropError(f"{name}: classes are one target, not {y.shape[1]}")
    labels, k = np.unique(y.ravel(), return_inverse=True)
    if len(labels) < 2:
        raise SymbackpropError(f"{name}: all samples are of one class, {labels[0]!s}; there is nothing to tell apart")
    found = tuple(labels.tolist())
    if task == "binary":
        if len(labels) != 2:
            raise SymbackpropError(f"{name}: binary-cross-entropy tells 2 classes apart, and here are {len(labels)}")
        return k[:, None].astype(np.float64), found
    return np.eye(len(labels))[k], found


# --- what nothing can be learnt from -------------------------------------------------------------


def check_table(table: Table) -> None:
    """Raises SymbackpropError, saying what and where."""
    x, y = table.x, table.y
    if x.ndim != 2 or x.shape[1] == 0:
        raise SymbackpropError(f"{table.name}: features are a matrix, a row for each sample, not of shape {x.shape}")
    if len(x) != len(y):
        raise SymbackpropError(f"{table.name}: {len(x)} samples but {len(y)} targets")
    if len(x) < 2:
        raise SymbackpropError(f"{table.name}: {len(x)} sample{'s' * (len(x) != 1)}; training needs at least 2")
    check_finite(x, table)
    if y.dtype.kind == "f":
        check_finite(y.reshape(len(y), -1), replace(table, columns=table.targets), "in the target")


def check_finite(x: Array, table: Table, what: str = "") -> None:
    bad = np.argwhere(~np.isfinite(x))
    if not len(bad):
        return
    row, column = bad[0]
    name = table.columns[column] if table.columns else f"column {column + 1}"
    value = "NaN" if np.isnan(x[row, column]) else "infinite"
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    raise SymbackpropError(f"{table.name}: sample {row + 1}, {name} is {value}{' ' * bool(what)}{what}{more}")


def constant_features(data: Data) -> Sequence[str]:
    """The names of features that are the same in all training samples."""
    same = np.flatnonzero((data.train.x == data.train.x[:1]).all(axis=0))
    return [data.columns[k] if data.columns else f"column {k + 1}" for k in same]


def built_in(name: str, seed: int) -> Table:
    """The data set of this name.

    Raises SymbackpropError for an unknown name, and for digits without scikit-learn.
    """
    samples = known("data", name, SETS, "files .csv, .npz, .parquet")
    return Table(name, *samples(np.random.default_rng([seed, 1])))


def digits(_: np.random.Generator) -> tuple[Array, Array]:
    """1797 handwritten digits of 8 × 8 pixels in 0 .. 1 (UCI, in scikit-learn)."""
    found = find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        raise SymbackpropError(
            "the digits need scikit-learn: pip install 'symbackprop[train]', or train with --data glyphs"
        )
    file = Path(found.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
    if file.exists():  # importing scikit-learn takes longer than the training
        numbers = np.loadtxt(file, delimiter=",")
        return numbers[:, :-1] / 16.0, numbers[:, -1].astype(int)
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x / 16.0, y


# 5 × 7 pixels, a row per number, the leftmost pixel the highest bit
GLYPHS = [
    (14, 17, 19, 21, 25, 17, 14), (4, 12, 4, 4, 4, 4, 14), (14, 17, 1, 2, 4, 8, 31), (31, 2, 4, 2, 1, 17, 14),
    (2, 6, 10, 18, 31, 2, 2), (31, 16, 30, 1, 1, 17, 14), (6, 8, 16, 30, 17, 17, 14), (31, 1, 2, 4, 8, 8, 8),
    (14, 17, 17, 14, 17, 17, 14), (14, 17, 17, 15, 1, 2, 12),
]  # fmt: skip


def glyphs(g: np.random.Generator, count: int = 4000) -> tuple[Array, Array]:
    """Printed digits on 8 × 8 pixels: shifted, of uneven brightness, with noise."""
    shapes = np.zeros((10, 7, 5))
    for digit, rows in enumerate(GLYPHS):
        shapes[digit] = [[row >> bit & 1 for bit in range(4, -1, -1)] for row in rows]
    y = g.integers(10, size=count)
    x = np.zeros((count, 8, 8))
    for image, digit in zip(x, y, strict=True):
        top, left = g.integers(2), g.integers(4)
        image[top : top + 7, left : left + 5] = shapes[digit] * g.uniform(0.4, 1.0)
    x += g.normal(scale=0.2, size=x.shape)
    return x.reshape(count, 64).clip(0, 1), y


SETS: dict[str, Callable[[np.random.Generator], tuple[Array, Array]]] = {"digits": digits, "glyphs": glyphs}
