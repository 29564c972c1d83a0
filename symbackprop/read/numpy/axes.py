"""Shapes and axes of arrays: as they are declared, what conforms, and which entries stand beside which."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from symbackprop.core.indices import Size, sized, with_symbols
from symbackprop.core.terms import Index, IndexExpr, affine, dummy
from symbackprop.read.numpy.context import ShapeMismatch, TraceError, current
from symbackprop.read.numpy.lengths import at_least_zero
from symbackprop.read.numpy.places import ZERO_AT, exact_quotient

At: TypeAlias = tuple[IndexExpr, ...]
Shape: TypeAlias = tuple[Size, ...]
UNIT = sized(1)


def shape_text(shape: Sequence[Size]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def conflict(s: Size, t: Size) -> str:
    if at_least_zero(s - t - 1) or at_least_zero(t - s - 1):
        return f"{s} is not {t}"
    return f"{s} = {t} is not known for all sizes"


def missing_axis(shapes: Sequence[Shape]) -> str:
    """(B,) goes with (B, D) as (B, 1): a sum without keepdims."""
    long = max(shapes, key=len)
    short = next((s for s in shapes if s and len(s) < len(long) and s == long[: len(s)]), None)
    return "" if short is None else f"{shape_text(short)} is broadcast along the wrong axis: keep its axis in front"


def broadcast(*shapes: Shape) -> Shape:
    """NumPy's rule: equal sizes conform and 1 stretches."""
    result: list[Size] = []
    for k in range(1, max(map(len, shapes), default=0) + 1):
        size = UNIT
        for shape in shapes:
            if len(shape) < k or shape[-k] in (UNIT, size):
                continue
            if size != UNIT:
                text = f"shapes {' and '.join(map(shape_text, shapes))} do not broadcast: {conflict(size, shape[-k])}"
                raise ShapeMismatch(text, missing_axis(shapes))
            size = shape[-k]
        result.insert(0, size)
    return tuple(result)


def aligned(shape: Shape, at: At) -> At:
    """The index of an operand of this shape for the index of the broadcast result."""
    tail = at[len(at) - len(shape) :]
    return tuple(ZERO_AT if s == UNIT else e for s, e in zip(shape, tail, strict=True))


def somewhere(shape: Shape) -> At:
    """A place of an array, any one: an index of its own for each axis."""
    return tuple(ZERO_AT if s == UNIT else dummy(s) for s in shape)


def axis_index(size: Size) -> tuple[tuple[Index, ...], IndexExpr]:
    """Indices that together run over an axis: none where it has one entry, several where it was merged from several."""
    if size == UNIT:
        return (), ZERO_AT
    factors = current().merged.get(size, (size,))
    dummies = tuple(dummy(s) for s in factors)
    place: IndexExpr = ZERO_AT
    for i in dummies:
        place = affine(0, [(place, i.size), (i, 1)])
    return dummies, place


def normal_axis(axis: int, ndim: int) -> int:
    if not isinstance(axis, int):
        raise TraceError(f"an axis is a whole number, not {axis!r}")
    if not -ndim <= axis < ndim:
        raise TraceError(f"axis {axis} of an array with {ndim} axes")
    return axis % ndim


def normal_axes(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, tuple | list):
        axes = tuple(normal_axis(a, ndim) for a in axis)
        if len(set(axes)) != len(axes):
            raise TraceError("an axis is named twice")
        return axes
    return (normal_axis(axis, ndim),)  # type: ignore[arg-type]


def over_axes(shape: Shape, axes: Collection[int], keepdims: bool, at: At) -> tuple[tuple[Index, ...], At]:
    """Indices that run over these axes, and with them the place in the whole array, for a place in what is folded."""
    outer = [e for k, e in enumerate(at) if k not in axes] if keepdims else list(at)
    indices: list[Index] = []
    full: list[IndexExpr] = []
    for k, size in enumerate(shape):
        dummies, place = axis_index(size) if k in axes else ((), outer.pop(0))
        indices += dummies
        full.append(place)
    return tuple(indices), tuple(full)


def without(shape: Shape, axes: Collection[int], keepdims: bool) -> Shape:
    return tuple(UNIT if k in axes else s for k, s in enumerate(shape) if keepdims or k not in axes)


# --- declared arguments in jaxtyping's notation: "B T D", "L+K-1", "2*n", "int[V] B", "" ---


@dataclass(frozen=True, slots=True)
class Declared:
    """A symbolic array argument.  `values` is None for real entries, else the entries are integers 0 .. values-1.

    `hot` says of which integer array an array is one-hot, and along which axis.
    """

    shape: tuple[Size, ...]
    values: Size | None = None
    hot: tuple[str, int] | None = None

    def at(self, sizes: Mapping[str, int]) -> Declared:
        """The same argument with numbers in place of these size symbols."""
        return Declared(
            tuple(at_sizes(s, sizes) for s in self.shape),
            None if self.values is None else at_sizes(self.values, sizes),
            self.hot,
        )

    @property
    def symbols(self) -> tuple[str, ...]:
        """The size symbols, in order of appearance."""
        found = [s for size in self.shape for s in size.symbols]
        return tuple(dict.fromkeys([*found, *(self.values.symbols if self.values else ())]))

    def __str__(self) -> str:
        inside = " ".join(map(str, self.shape))
        return inside if self.values is None else f"int[{self.values}] {inside}".strip()


def at_sizes(size: Size, values: Mapping[str, int]) -> Size:
    return with_symbols(size, lambda s: sized(values.get(s, s)))


INTEGER = re.compile(r"int\[(?P<values>[^\]]*)\](?P<rest>.*)", re.DOTALL)
TOKEN = re.compile(r"\s*(?:(?P<number>\d{1,9})|(?P<name>[^\W\d]\w*)|(?P<sign>//|[-+*()]))")
LIMIT = 1000


def parse_shape(text: str | Declared) -> Declared:
    """Read a declaration.  Raises TraceError with the place of what cannot be read."""
    if isinstance(text, Declared):
        return text
    if not isinstance(text, str):
        raise TraceError(f"a shape is written as text such as 'B D', not {text!r}")
    if len(text) > LIMIT:
        raise TraceError(f"a shape of {len(text)} characters; at most {LIMIT} are read")
    found = INTEGER.fullmatch(text.strip())
    if found:
        return Declared(axes(found["rest"]), parse_size(found["values"]))
    return Declared(axes(text))


def parse_shapes(shapes: Mapping[str, str | Declared]) -> dict[str, Declared]:
    parsed: dict[str, Declared] = {}
    for name, text in shapes.items():
        try:
            parsed[name] = parse_shape(text)
        except TraceError as error:
            raise TraceError(f"shape of {name!r}: {error}") from None
    return parsed


def axes(text: str) -> tuple[Size, ...]:
    """Axes are separated by spaces (or commas); spaces next to an operator or inside parentheses belong to the axis."""
    joined = re.sub(r"\s*(//|[-+*])\s*", r"\1", text.replace(",", " ").strip())
    pieces, depth, word = [], 0, ""
    for c in joined:
        depth += (c == "(") - (c == ")")
        if c.isspace() and depth == 0:
            pieces.append(word)
            word = ""
        else:
            word += c
    return tuple(parse_size(p) for p in [*pieces, word] if p)


def parse_size(text: str) -> Size:
    reader = Reader(text)
    size = reader.sum()
    if reader.kind != "end":
        raise TraceError(f"in the size {text!r}: {reader.word!r} is not expected here")
    if size.constant is not None and size.constant < 0:
        raise TraceError(f"the size {text!r} is negative")
    return size


class Reader:
    """Recursive descent over sums, products and parentheses."""

    def __init__(self, text: str) -> None:
        self.text, self.place, self.depth = text, 0, 0
        self.next()

    def next(self) -> None:
        rest = self.text[self.place :]
        if not rest.strip():
            self.kind, self.word = "end", ""
            return
        found = TOKEN.match(rest)
        if not found:
            raise TraceError(f"in the size {self.text!r}: {rest.strip()[0]!r} is not understood")
        self.kind = found.lastgroup or ""
        self.word = found[self.kind]
        self.place += found.end()

    def take(self, sign: str) -> bool:
        if self.kind == "sign" and self.word == sign:
            self.next()
            return True
        return False

    def sum(self) -> Size:
        negative = self.take("-")
        size = -self.product() if negative else self.product()
        while self.kind == "sign" and self.word in "+-":
            sign = self.word
            self.next()
            size = size + self.product() if sign == "+" else size - self.product()
        return size

    def product(self) -> Size:
        size = self.factor()
        while self.kind == "sign" and self.word in ("*", "//"):
            sign = self.word
            self.next()
            other = self.factor()
            if sign == "*":
                size = size * other
                continue
            quotient = exact_quotient(size, other)
            if quotient is None:
                raise TraceError(f"in the size {self.text!r}: {size} // {other} is not exact for all sizes")
            size = quotient
        return size

    def factor(self) -> Size:
        kind, word = self.kind, self.word
        if kind == "number":
            self.next()
            return sized(int(word))
        if kind == "name":
            self.next()
            return sized(word)
        if self.take("("):
            self.depth += 1
            if self.depth > 50:
                raise TraceError(f"in the size {self.text[:40]!r}...: too many parentheses")
            size = self.sum()
            if not self.take(")"):
                raise TraceError(f"in the size {self.text!r}: a closing parenthesis is missing")
            self.depth -= 1
            return size
        raise TraceError(f"in the size {self.text!r}: a number, a name or a parenthesis is missing")
