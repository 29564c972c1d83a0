"""A traced computation as a graph: one node for each call, in the user's names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Size, Term

from .axes import At, aligned
from .lifting import SymInt
from .tracing import tensor
from .values import Dtype, Value

INPUT, CONSTANT, FORMULA = "input", "constant", "formula"
Span = tuple[int | None, int | None, int | None, int | None]


@dataclass(eq=False, slots=True)
class Node:
    """`operation(*args, **options)`.

    `value` is what the computation goes on with.  Where the node is *named* these are the entries of `array`, and
    `meaning` says what they are in terms of the entries of earlier nodes; else `value` says it itself (a view, whole
    numbers, a mask).  `name` is the user's, `depth` how far from the traced function he said it (-1: a
    letter that a reader chose), `line` where, `span` the first and last line and column of the expression.
    """

    number: int
    operation: str
    args: tuple[Any, ...]
    options: dict[str, Any]
    value: Value
    meaning: Tensor | None = None
    scalar: bool = False
    name: str | None = None
    depth: int = 99
    line: tuple[str, int] | None = None
    backward: bool = False
    span: Span | None = None
    parents: tuple[Node, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.parents = tuple(dict.fromkeys([*nodes_in(self.args), *nodes_in(self.options)]))

    @property
    def array(self) -> Array:
        return Array(self.name or "") if self.operation == INPUT else Array(f"%{self.number}")

    @property
    def named(self) -> bool:
        """Whether the entries are those of `array`."""
        return self.meaning is not None or (self.operation == INPUT and self.dtype == "real")

    @property
    def shape(self) -> tuple[Size, ...]:
        return self.value.shape

    @property
    def ndim(self) -> int:
        return len(self.value.shape)

    @property
    def dtype(self) -> Dtype:
        return self.value.dtype

    @property
    def entries(self) -> Tensor:
        """The entries, of a named node in terms of earlier ones; holes are not looked at."""
        if self.meaning is not None:
            return self.meaning
        return tensor(self.value.bare)

    def at(self, at: At) -> Term:
        """The entry at these indices, which may be those of a larger array that this one is broadcast to."""
        return self.value.term(aligned(self.shape, at))

    def __repr__(self) -> str:
        return f"<{self.name or self.number} = {self.operation}>"


def nodes_in(x: Any) -> Iterator[Node]:
    """The nodes that an argument holds, as often as it is written."""
    match x:
        case Node():
            yield x
        case tuple() | list():
            for y in x:
                yield from nodes_in(y)
        case dict():
            yield from nodes_in(list(x.values()))
        case slice():
            yield from nodes_in((x.start, x.stop, x.step))


def identity(x: Any) -> Any:
    """What makes two arguments the same."""
    match x:
        case Node():
            return ("node", x.number)
        case tuple() | list():
            return (type(x).__name__, *map(identity, x))
        case dict():
            return ("dict", *((k, identity(v)) for k, v in sorted(x.items())))
        case slice():
            return ("slice", identity(x.start), identity(x.stop), identity(x.step))
        case SymInt():
            return ("size", x.expr)
        case _:
            return (type(x).__name__, repr(x))
