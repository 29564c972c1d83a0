"""One's own data from files: CSV, NPZ and Parquet.

CSV has a row for each sample and, if the first row holds a word that is no number, names of columns.  Features are
numbers; the target is the last column unless it is named, and may be text.  NPZ has the arrays x and y.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbackprop.core.terms import SymbackpropError

from .data import Table

Array = NDArray[Any]
Columns = dict[str, list[Any]]
SUFFIXES = (".csv", ".tsv", ".npz", ".parquet")


def table(path: str, targets: Sequence[str] = (), ignored: Sequence[str] = ()) -> Table:
    """Features and targets of a file.  Raises SymbackpropError with file, line and column for what is no data."""
    match Path(path).suffix.lower():
        case ".npz":
            return from_npz(path)
        case ".parquet":
            columns = parquet_columns(path)
        case ".csv" | ".tsv":
            columns = csv_columns(path)
        case other:
            what = other or "a file without a suffix"
            raise SymbackpropError(f"{path}: {what} is not read: {', '.join(SUFFIXES)} are")
    return divided(path, columns, targets or list(columns)[-1:], ignored)


def features(path: str, wanted: Sequence[str]) -> Array:
    """The features of a file to predict from: by name, or all its columns in order where one side has no names."""
    if Path(path).suffix.lower() == ".npz":
        return pictures_as_rows(array(path, opened(path), ("x", "X")))
    columns = parquet_columns(path) if path.lower().endswith(".parquet") else csv_columns(path)
    if wanted and set(wanted) <= columns.keys():
        columns = {name: columns[name] for name in wanted}
    elif wanted and not (len(columns) == len(wanted) and nameless(wanted) | nameless(columns)):
        missing = next(name for name in wanted if name not in columns)
        raise SymbackpropError(
            f"{path} has {len(columns)} columns and the network takes {len(wanted)}: {missing} is missing"
        )
    return np.stack([numbers(path, name, values) for name, values in columns.items()], axis=1)


def nameless(columns: Iterable[str]) -> bool:
    """Whether the names are those that columns without names get."""
    return all(name == f"c{k}" for k, name in enumerate(columns, 1))


def divided(path: str, columns: Columns, targets: Sequence[str], ignored: Sequence[str]) -> Table:
    for name in (*targets, *ignored):
        if name not in columns:
            raise SymbackpropError(f"{path} has no column {name!r}: it has {', '.join(columns)}")
    used = [name for name in columns if name not in targets and name not in ignored]
    if not used:
        raise SymbackpropError(f"{path} has no column beside the target {', '.join(targets)}")
    x = np.stack([numbers(path, name, columns[name]) for name in used], axis=1)
    y = target(path, targets[0], columns[targets[0]])
    if len(targets) > 1:
        y = np.stack([numbers(path, name, columns[name]) for name in targets], axis=1)
    return Table(path, x, y, tuple(used), tuple(targets))


# --- CSV ---------------------------------------------------------------------------------------


def csv_columns(path: str) -> Columns:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        rows = [(n, row) for n, row in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1) if any(row)]
    except (UnicodeDecodeError, csv.Error) as problem:
        raise SymbackpropError(f"{path} is no CSV in UTF-8: {problem}") from problem
    if not rows:
        raise SymbackpropError(f"{path} is empty")
    head = [cell.strip() for cell in rows[0][1]]
    named = any(number(cell) is None for cell in head)
    names = head if named else [f"c{k}" for k in range(1, len(head) + 1)]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SymbackpropError(f"{path}:1: the column {twice!r} is there twice")
    body = rows[1:] if named else rows
    if not body:
        raise SymbackpropError(f"{path} has names of columns and no sample")
    for line, row in body:
        if len(row) != len(names):
            raise SymbackpropError(f"{path}:{line}: {len(row)} cells where {len(names)} columns were expected")
    return {name: [(line, row[k].strip()) for line, row in body] for k, name in enumerate(names)}


def number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def numbers(path: str, name: str, values: list[Any]) -> Array:
    """A column of numbers; a cell of a CSV comes with its line."""
    found = np.empty(len(values))
    for k, value in enumerate(values):
        line, cell = value if isinstance(value, tuple) else (None, value)
        converted = number(cell) if isinstance(cell, str) else cell
        if converted is None:
            place = f"{path}:{line}" if line is not None else f"{path}, sample {k + 1}"
            what = "has no value" if cell in ("", None) else f"{str(cell)[:40]!r} is not a number"
            raise SymbackpropError(f"{place}: column {name}: {what}")
        found[k] = converted
    return found


def target(path: str, name: str, values: list[Any]) -> Array:
    """Numbers where all are numbers, else the text as labels."""
    cells = [value[1] if isinstance(value, tuple) else value for value in values]
    if any(cell in ("", None) for cell in cells):
        k = next(k for k, cell in enumerate(cells) if cell in ("", None))
        raise SymbackpropError(f"{path}: column {name}: sample {k + 1} has no value")
    if all(not isinstance(cell, str) or number(cell) is not None for cell in cells):
        return numbers(path, name, values)
    return np.array([str(cell) for cell in cells])


# --- other files -------------------------------------------------------------------------------


def opened(path: str) -> dict[str, Array]:
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return dict(archive)
    except (ValueError, zipfile.BadZipFile, EOFError) as problem:
        raise SymbackpropError(f"{path} is no NPZ file: {str(problem).splitlines()[0]}") from problem


def array(path: str, arrays: dict[str, Array], names: Sequence[str]) -> Array:
    for name in names:
        if name in arrays:
            return arrays[name]
    raise SymbackpropError(f"{path} has no array {names[0]}: it has {', '.join(arrays) or 'none'}")


def from_npz(path: str) -> Table:
    arrays = opened(path)
    x, y = array(path, arrays, ("x", "X")), array(path, arrays, ("y", "Y", "t"))
    if x.dtype.kind not in "fiub":
        raise SymbackpropError(f"{path}: x is of type {x.dtype}; numbers are needed")
    return Table(path, pictures_as_rows(x).astype(np.float64), y)


def pictures_as_rows(x: Array) -> Array:
    return x.reshape(len(x), -1) if x.ndim > 2 else x


def parquet_columns(path: str) -> Columns:
    try:
        from pyarrow import parquet
    except ImportError as failure:
        raise SymbackpropError("Parquet needs pyarrow: pip install 'symbackprop[parquet]'") from failure
    try:
        read = parquet.read_table(path)
    except (ValueError, OSError) as problem:
        raise SymbackpropError(f"{path} is no Parquet file: {str(problem).splitlines()[0]}") from problem
    if not read.num_rows:
        raise SymbackpropError(f"{path} is empty")
    return {name: read.column(name).to_pylist() for name in read.column_names}
