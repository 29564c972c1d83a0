"""Data that comes with the program: scikit-learn's digits, and pictures of digits made here."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError

from .data import Table

Array = NDArray[Any]


def built_in(name: str, seed: int) -> Table:
    """The data set of this name.

    Raises SymbackpropError for an unknown name, and for digits without scikit-learn.
    """
    if name not in SETS:
        raise SymbackpropError(f"unknown data {name!r}: known are {', '.join(SETS)}, and files .csv, .npz, .parquet")
    return Table(name, *SETS[name](np.random.default_rng([seed, 1])))


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
