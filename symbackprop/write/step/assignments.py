"""A training step as one list of assignments over named matrices: what every backend prints in its own words.

    A1 = x @ W1;  A1 = tanh(A1 + b1);  D2 = A1 @ W2;  ...;  dW1 = xᵀ @ D1

A name is a letter or two and a number, made here; no text of a user is ever one.  A size is a number or "N", the
samples of a batch.  Samples are rows; how a backend lays a matrix out in memory is its own affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, assert_never

from symbackprop.core.functions import ROWS

BATCH: Literal["N"] = "N"
Extent: TypeAlias = int | Literal["N"]
Shape: TypeAlias = tuple[Extent, Extent]
SCALAR: Shape = (1, 1)
GENERATED = re.compile(r"[A-Za-z]{1,2}[0-9]{1,7}")

# Every function of entries there is, with its number of arguments.
FUNCTIONS: dict[str, int] = {
    **dict.fromkeys(("add", "sub", "mul", "div", "power"), 2),
    **dict.fromkeys((*(f.name for f in ROWS), "neg", "abs", "nonpositive", "relu", "sign", "sqrt", "step"), 1),
}
INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


@dataclass(frozen=True, slots=True)
class Ref:
    """An entry of a matrix; a row, a column or a scalar is repeated."""

    name: str


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Samples:
    """N as a number."""


@dataclass(frozen=True, slots=True)
class Call:
    fn: str
    args: tuple[Entrywise, ...]


Entrywise: TypeAlias = Ref | Number | Samples | Call


@dataclass(frozen=True, slots=True)
class Multiply:
    """target = left @ right, each transposed where it is said to be."""

    target: str
    left: str
    right: str
    left_turned: bool = False
    right_turned: bool = False


@dataclass(frozen=True, slots=True)
class Map:
    """target = value at each entry."""

    target: str
    value: Entrywise


@dataclass(frozen=True, slots=True)
class Reduce:
    """target = the sum or the maximum of value along an axis, which stays with size 1."""

    target: str
    how: Literal["sum", "max"]
    axis: Literal[0, 1]
    value: Entrywise


Assignment: TypeAlias = Multiply | Map | Reduce


@dataclass(frozen=True, slots=True)
class Update:
    """How an optimiser changes all parameters at once: maps over the flat vectors P0, G0 (the gradient) and its slots.

    `scalars` are set anew before each step (the first is the learning rate); `folded` says that the gradient comes
    multiplied with the rate.  `shrink` is what each weight, not each bias, is multiplied with before.
    """

    scalars: tuple[str, ...]
    slots: tuple[str, ...]
    maps: tuple[Map, ...]
    folded: bool
    shrink: Entrywise | None = None

    @property
    def plain(self) -> bool:
        """Gradient descent: P0 = P0 - G0 and nothing more."""
        return self.shrink is None and self.maps == (Map("P0", Call("sub", (Ref("P0"), Ref("G0")))),)


@dataclass(frozen=True, slots=True)
class Step:
    """Assignments from x, t and the parameters W1, b1, ... to their gradients dW1, db1, ..., then the update."""

    shapes: Mapping[str, Shape]
    parameters: tuple[str, ...]
    assignments: tuple[Assignment, ...]
    update: Update

    @property
    def inputs(self) -> int:
        return _number(self.shapes["x0"][1])

    @property
    def outputs(self) -> int:
        return _number(self.shapes["t0"][1])

    @property
    def count(self) -> int:
        """The number of parameters."""
        return sum(_number(r) * _number(c) for r, c in map(self.shapes.__getitem__, self.parameters))

    @property
    def fixed(self) -> frozenset[str]:
        """What no assignment may overwrite."""
        return frozenset({"x0", "t0", *self.parameters, *self.update.scalars})

    def places(self) -> Iterator[tuple[str, int, int, int]]:
        """(name, offset in the flat vector, rows, columns) of each parameter."""
        offset = 0
        for name in self.parameters:
            rows, columns = map(_number, self.shapes[name])
            yield name, offset, rows, columns
            offset += rows * columns

    def shrinking(self) -> tuple[Map, ...]:
        """The update's `shrink` at each weight."""
        factor = self.update.shrink
        weights = [name for name in self.parameters if name[0] == "W"]
        return () if factor is None else tuple(Map(w, Call("mul", (Ref(w), factor))) for w in weights)

    def with_assignments(self, assignments: tuple[Assignment, ...]) -> Step:
        known = {*self.fixed, *(a.target for a in assignments)}
        return replace(self, assignments=assignments, shapes={n: s for n, s in self.shapes.items() if n in known})


def gradient_of(parameter: str) -> str:
    return "d" + parameter


def _number(n: Extent) -> int:
    assert isinstance(n, int), "only samples have a size that is not known"
    return n


def size(n: Extent, batch: int) -> int:
    return batch if n == BATCH else n


def multiplications(a: Multiply, step: Step, batch: int) -> int:
    """How many a product takes in a full batch."""
    rows, columns = step.shapes[a.target]
    inner = step.shapes[a.left][0 if a.left_turned else 1]
    return size(rows, batch) * size(columns, batch) * size(inner, batch)


def references(e: Entrywise) -> Iterator[str]:
    """The names in e, each as often as it occurs."""
    match e:
        case Ref(name):
            yield name
        case Call(_, args):
            for a in args:
                yield from references(a)
        case Number() | Samples():
            return
        case _:
            assert_never(e)


def reads(a: Assignment) -> Iterator[str]:
    match a:
        case Multiply(_, left, right):
            yield from (left, right)
        case Map(_, value) | Reduce(_, _, _, value):
            yield from references(value)
        case _:
            assert_never(a)


def replaced(e: Entrywise, name: str, by: Entrywise) -> Entrywise:
    match e:
        case Ref(found):
            return by if found == name else e
        case Call(fn, args):
            return Call(fn, tuple(replaced(a, name, by) for a in args))
        case _:
            return e


def constant(e: Entrywise, scalars: frozenset[str]) -> bool:
    """Whether e is the same at every entry."""
    return all(name in scalars for name in references(e))


def extent(e: Entrywise, shapes: Mapping[str, Shape]) -> Shape:
    """The shape of the entries that e runs over."""
    rows: Extent = 1
    columns: Extent = 1
    for r, c in map(shapes.__getitem__, references(e)):
        rows, columns = r if rows == 1 else rows, c if columns == 1 else columns
    return rows, columns


# --- as text ---------------------------------------------------------------------------------


def text(step: Step) -> str:
    """The assignments as one reads them."""
    return "\n".join(line(a) for a in (*step.assignments, *step.shrinking(), *step.update.maps))


def line(a: Assignment) -> str:
    match a:
        case Multiply(target, left, right, lt, rt):
            return f"{target} = {left}{'ᵀ' * lt} @ {right}{'ᵀ' * rt}"
        case Map(target, value):
            return f"{target} = {formula(value)}"
        case Reduce(target, how, axis, value):
            return f"{target} = {how}_{axis} {formula(value, True)}"
        case _:
            assert_never(a)


def formula(e: Entrywise, inner: bool = False) -> str:
    match e:
        case Ref(name):
            return name
        case Number(value):
            return f"{value:g}"
        case Samples():
            return "N"
        case Call(fn, (a, b)) if fn in INFIX:
            both = f"{formula(a, True)} {INFIX[fn]} {formula(b, True)}"
            return f"({both})" if inner else both
        case Call(fn, args):
            return f"{fn}({', '.join(map(formula, args))})"
        case _:
            assert_never(e)
