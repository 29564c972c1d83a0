"""What the parts of the elaborator share."""

from __future__ import annotations

from dataclasses import dataclass, field

from symbackprop.core.indices import Index
from symbackprop.core.terms import (
    Array,
    Size,
)

from ..declared.sizes import Sizes
from ..declared.symbols import Declarations
from ..files.place import ReadError, Span
from ..grammar.tree import (
    Expr,
    Symbol,
)
from .model import Model
from .ranges import Ranges
from .values import Algebra, Value


@dataclass(slots=True)
class Meaning:
    """What the parts of the elaborator share; `used` are the arrays that occurred, `text` is the formula."""

    decl: Declarations
    model: Model
    sizes: Sizes
    algebra: Algebra
    text: str = ""
    only_shapes: bool = False
    used: dict[Symbol, Array] = field(default_factory=dict)
    shapes: dict[Array, tuple[Size, ...]] = field(default_factory=dict)
    scope: dict[str, Index] = field(default_factory=dict)
    ranges: Ranges = field(init=False)

    def __post_init__(self) -> None:
        self.ranges = Ranges(self.sizes, self.axes_of)

    def value(self, node: Expr) -> Value:
        raise NotImplementedError

    def together(self, *nodes: Expr) -> list[Value]:
        raise NotImplementedError

    def alone(self, node: Expr, text: str = "") -> Value:
        raise NotImplementedError

    def axes_of(self, base: Expr, count: int) -> tuple[Size, ...] | None:
        raise NotImplementedError

    def afresh(self, decl: Declarations) -> Meaning:
        raise NotImplementedError

    def batch_sizes(self) -> set[Size]:
        out = {self.sizes.size(i.size) for i in self.decl.indices.values() if i.sample and i.size is not None}
        if self.decl.batch:
            out.add(self.sizes.size(Symbol(self.decl.batch)))
        return out or self.ranges.sample_sizes

    def fail(self, message: str, span: Span) -> ReadError:
        return ReadError(message, (span[0], max(span[1], span[0] + 1)))

    def written(self, node: Expr) -> str:
        return self.text[node.span[0] : node.span[1]].strip() if self.text else "the second factor"
