"""Places in arrays: index expressions and what is known of them, shapes as they are declared, and which entries
stand beside which."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from symbackprop.core import indices
from symbackprop.core.indices import Affine, Bound, Index, IndexExpr, Pick, Size, affine, as_affine, sized, with_symbols
from symbackprop.core.terms import dummy

from .context import ShapeMismatch, TraceError, current

At: TypeAlias = tuple[IndexExpr, ...]
Shape: TypeAlias = tuple[Size, ...]
UNIT = sized(1)
ZERO_AT: IndexExpr = affine(0, ())
ONE_AT: IndexExpr = affine(1, ())


def at_least_zero(s: Size) -> bool:
    """Sufficient: s >= 0 for all sizes that the hypotheses leave."""
    return indices.at_least_zero(s, current().context.least)


def index_of(n: int | Size) -> IndexExpr:
    return affine(n, ())


def constant_of(e: IndexExpr) -> Size | None:
    """The size this expression is when it has no index in it."""
    return e.constant if isinstance(e, Affine) and not e.parts else None


def integer_of(e: IndexExpr) -> int | None:
    size = constant_of(e)
    return None if size is None else size.constant


def bounds(e: IndexExpr) -> tuple[Size | None, Size | None]:
    """Smallest and largest value, as far as the signs of the coefficients are known for all sizes."""
    low, parts = as_affine(e)
    lower: Size | None = low
    upper: Size | None = low
    for atom, k in parts:
        if isinstance(atom, Bound):
            return (None, None)
        top = k * (atom.size - 1)
        if at_least_zero(k):
            upper = None if upper is None else upper + top
        elif at_least_zero(-k):
            lower = None if lower is None else lower + top
        else:
            return (None, None)
    return (lower, upper)


def nonnegative(e: IndexExpr) -> bool | None:
    """Whether e >= 0 for all sizes and indices; None when it depends."""
    lower, upper = bounds(e)
    if lower is not None and at_least_zero(lower):
        return True
    if upper is not None and at_least_zero(-upper - 1):
        return False
    return None


def shifted(e: IndexExpr, by: int | Size | IndexExpr) -> IndexExpr:
    if isinstance(by, int | Size):
        return affine(by, [(e, 1)])
    return affine(0, [(e, 1), (by, 1)])


def difference(i: IndexExpr, j: IndexExpr) -> IndexExpr:
    return affine(0, [(i, 1), (j, -1)])


def scaled(e: IndexExpr, by: int | Size) -> IndexExpr:
    return affine(0, [(e, by)])


def inside(e: IndexExpr, size: Size) -> bool:
    """0 <= e < size for all sizes."""
    return nonnegative(e) is True and nonnegative(affine(size - 1, [(e, -1)])) is True


def exact_quotient(p: Size, d: Size) -> Size | None:
    """p / d when it is a polynomial with integer coefficients."""
    if not d.monomials:
        return None
    rest, quotient = p, sized(0)
    lead, k = max(d.monomials, key=lambda m: (len(m[0]), m[0]))
    while rest.monomials:
        symbols, c = max(rest.monomials, key=lambda m: (len(m[0]), m[0]))
        left = list(symbols)
        for s in lead:
            if s not in left:
                return None
            left.remove(s)
        if c % k:
            return None
        piece = Size(((tuple(left), c // k),))
        quotient, rest = quotient + piece, rest - piece * d
    return quotient


def quotient_and_rest(e: IndexExpr, d: Size) -> tuple[IndexExpr, IndexExpr] | None:
    """(q, r) with e = d q + r and 0 <= r < d, when that can be read off."""
    constant, parts = as_affine(e)
    n, m = constant.constant, d.constant
    if not parts and n is not None and m:
        return index_of(n // m), index_of(n % m)
    quotients: list[tuple[IndexExpr, Size]] = []
    rests: list[tuple[IndexExpr, Size]] = []
    for atom, k in (*parts, *((ONE_AT, Size((m,))) for m in constant.monomials)):
        whole, rest = exact_quotient(k, d), sized(0)
        if whole is None and atom is ONE_AT and k.constant is not None and m:
            whole, rest = sized(k.constant // m), sized(k.constant % m)
        quotients.append((atom, whole or sized(0)))
        rests.append((atom, k if whole is None else rest))
    q, r = affine(0, quotients), affine(0, rests)
    if inside(r, d):
        return q, r
    r = shifted(r, d)  # (g+1)K - 1 - k is gK + (K-1-k)
    return (shifted(q, -1), r) if inside(r, d) else None


def replaced(e: IndexExpr, values: dict[Index, IndexExpr]) -> IndexExpr:
    """Index expressions in place of free indices."""
    match e:
        case Index():
            return values.get(e, e)
        case Bound():
            return e
        case Pick(array, at, size):
            return Pick(array, tuple(replaced(a, values) for a in at), size)
        case Affine(constant, parts):
            return affine(constant, [(replaced(a, values), k) for a, k in parts])


def indices_in(e: IndexExpr) -> set[Index]:
    match e:
        case Index():
            return {e}
        case Bound():
            return set()
        case Pick(_, at, _):
            return set().union(*(indices_in(a) for a in at)) if at else set()
        case Affine(_, parts):
            return set().union(*(indices_in(a) for a, _ in parts)) if parts else set()


# --- shapes ----------------------------------------------------------------------------------


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
TOKEN = re.compile(r"\s*(?:(?P<number>\d{1,9})(?!\d)|(?P<name>[^\W\d]\w*)|(?P<sign>//|[-+*()]))")
MISSING = "a number, a name, a sign or a parenthesis is missing"
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
    """Sums, products and exact quotients, as Python groups them; names may be any words, such as `in`."""
    names: list[str] = []
    words: list[str] = []
    place = 0
    while rest := text[place:].strip():
        found = TOKEN.match(text, place)
        if not found:
            raise TraceError(f"in the size {text!r}: {rest[0]!r} is not understood")
        place, word = found.end(), found[0].strip()
        if found["name"]:
            names.append(word)
            word = f"_{len(names)}"
        words.append(str(int(word)) if found["number"] else word)
    try:
        size = computed(ast.parse(" ".join(words), mode="eval").body, names, text)
    except (SyntaxError, RecursionError) as error:
        cause = getattr(error, "msg", "too many brackets or signs")
        cause = MISSING if cause.startswith("invalid") else cause
        raise TraceError(f"in the size {text[:40]!r}: {cause}") from None
    if size.constant is not None and size.constant < 0:
        raise TraceError(f"the size {text!r} is negative")
    return size


def computed(node: ast.expr, names: Sequence[str], text: str) -> Size:
    match node:
        case ast.Constant(int(n)):
            return sized(n)
        case ast.Name(word):
            return sized(names[int(word[1:]) - 1])
        case ast.UnaryOp(ast.USub(), of):
            return -computed(of, names, text)
        case ast.BinOp(left, sign, right):
            a, b = computed(left, names, text), computed(right, names, text)
            match sign:
                case ast.Add():
                    return a + b
                case ast.Sub():
                    return a - b
                case ast.Mult():
                    return a * b
                case _:
                    quotient = exact_quotient(a, b)
                    if quotient is None:
                        raise TraceError(f"in the size {text!r}: {a} // {b} is not exact for all sizes")
                    return quotient
        case _:
            raise TraceError(f"in the size {text!r}: {MISSING}")
