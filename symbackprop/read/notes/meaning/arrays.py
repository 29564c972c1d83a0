"""Symbols and subscripts: which array, at which layer and sample, and which of its entries."""

from __future__ import annotations

from dataclasses import dataclass, field

from symbackprop.core.indices import Affine, Index, IndexExpr, Pick, affine
from symbackprop.core.matrix import UNIT, Given, Leaf, Transpose as TransposeForm, entry
from symbackprop.core.terms import PI, Array, Delta, Entry as EntryTerm, Size, Term, dummy

from ..declared.sizes import Sizes, label_size, lone_symbol
from ..declared.symbols import ArraySymbol, Declarations
from ..files.place import ReadError, Span
from ..grammar.resolve_names import PI as PI_LETTER
from ..grammar.tree import Add, All, Chain, Entry, Expr, IndexName, Label, Neg, Num, Symbol
from .definitions import array_of, definition_of, plain
from .model import Model, at_layer
from .ranges import Ranges
from .values import Algebra, Mat, Scalar, Value, as_scalar, column, number, row, vector, vector_entry


@dataclass(slots=True)
class Arrays:
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

    # --- whole expressions -------------------------------------------------------------------

    def together(self, *nodes: Expr) -> list[Value]:
        """The values of expressions that share their free indices, as the two sides of an equation do."""
        outer = self.ranges, self.scope
        self.ranges, self.scope = Ranges(self.sizes, self.axes_of), {}
        try:
            self.ranges.collect(list(nodes))
            for name in sorted(self.ranges.free):
                if name not in self.decl.layers:
                    self.scope[name] = Index(name, self.ranges.at(0, name, nodes[0].span))
            return [self.value(n) for n in nodes]
        finally:
            self.ranges, self.scope = outer

    def alone(self, node: Expr, text: str = "") -> Value:
        """An expression with indices of its own: the right side of a definition."""
        outer, self.text = self.text, text
        try:
            return self.together(node)[0]
        finally:
            self.text = outer

    def axes_of(self, base: Expr, count: int) -> tuple[Size, ...] | None:
        """The sizes of the axes that subscripts of `base` stand on; for count -1 what a sample label runs over."""
        if isinstance(base, Symbol):
            symbol = array_of(base, self.decl)
            if symbol is None:
                return None
            axes = self.axes(symbol, base.label)
            if count == -1:
                return (self.sample_size(symbol, axes),)
            if base.sample is not None:
                axes = tuple(a for k, a in enumerate(axes) if k != self.sample_axis(axes))
            if symbol.integer:
                return axes
            if symbol.family and count == symbol.family:
                return axes[:count]
            if len(axes) == 1 and count == 2 and symbol.orientation in ("row", "column"):
                return (UNIT, axes[0]) if symbol.orientation == "row" else (axes[0], UNIT)
            return axes if len(axes) == count else tuple(a for a in axes if a != UNIT)
        if count == -1:
            return None
        try:
            v = self.value(base)
        except ReadError:
            return None
        if not isinstance(v, Mat):
            return None
        if count == 2:
            return v.shape
        return (v.shape[0] if v.shape[1] == UNIT else v.shape[1],) if UNIT in v.shape else None

    def batch_sizes(self) -> set[Size]:
        out = {self.sizes.size(i.size) for i in self.decl.indices.values() if i.sample and i.size is not None}
        if self.decl.batch:
            out.add(self.sizes.size(Symbol(self.decl.batch)))
        return out or self.ranges.sample_sizes

    def fail(self, message: str, span: Span) -> ReadError:
        return ReadError(message, (span[0], max(span[1], span[0] + 1)))

    def written(self, node: Expr) -> str:
        return self.text[node.span[0] : node.span[1]].strip() if self.text else "the second factor"

    def axes(self, symbol: ArraySymbol, label: Label | None) -> tuple[Size, ...]:
        return tuple(self.sizes.size(at_layer(p, symbol, label)) for p in symbol.shape)

    def symbol(self, node: Symbol) -> Value:
        symbol = array_of(node, self.decl)
        if symbol is None:
            return Scalar(self.sizes.size(node))
        if symbol.name == PI_LETTER and symbol.role == "constant":
            return Scalar(PI)
        inlined = self.model.inlined(node)
        if inlined is not None:
            return self.sampled(self.inline(plain(node), symbol, inlined), symbol, node)
        axes = self.axes(symbol, node.label)
        array = self.array(node)
        if node.sample is not None and self.sample_axis(axes) is None:
            return self.separate_sample(node, symbol, axes)
        self.shapes[array] = axes
        return self.sampled(self.leaf(array, symbol, axes, node.span), symbol, node)

    def array(self, node: Symbol) -> Array:
        key = plain(node)
        if key not in self.used:
            self.used[key] = Array(node.name, None if node.label is None else label_size(node.label))
        return self.used[key]

    def leaf(self, array: Array, symbol: ArraySymbol, axes: tuple[Size, ...], span: Span) -> Value:
        if symbol.integer:
            raise self.fail(f"{symbol.name} holds class numbers and stands only in subscripts", span)
        if not axes:
            return Scalar(EntryTerm(array, ()))
        if len(axes) == 2:
            return Mat(Leaf(array, "matrix", (axes[0], axes[1])))
        if len(axes) == 1:
            kind = self.orientation(symbol)
            return Mat(Leaf(array, kind, (axes[0], UNIT) if kind == "column" else (UNIT, axes[0])))
        raise self.fail(f"{symbol.name} has {len(axes)} axes: only its entries can be used", span)

    def orientation(self, symbol: ArraySymbol) -> str:
        return (self.decl.convention or "column") if symbol.orientation == "vector" else symbol.orientation

    def inline(self, key: Symbol, symbol: ArraySymbol, known: Chain) -> Value:
        """The derivative that a symbol abbreviates, turned to the shape the symbol is declared with."""
        value = self.alone(known.links[0].rhs)
        axes = self.axes(symbol, key.label)
        if not axes:
            return value
        if isinstance(known.subjects[-1], Entry):
            value = self.from_entries(known, axes, symbol)
        kind = self.orientation(symbol)
        declared = (axes[0], axes[1]) if len(axes) == 2 else (axes[0], UNIT) if kind == "column" else (UNIT, axes[0])
        if not isinstance(value, Mat):
            raise self.fail(f"the definition of {key.name} is no array", known.span)
        if value.shape != declared and value.shape[::-1] == declared:
            value = Mat(TransposeForm(value.form))
        if value.shape != declared:
            n, k = value.shape
            raise self.fail(
                f"{key.name} is declared {declared[0]}×{declared[1]}, but its definition is {n}×{k}", known.span
            )
        return value

    def from_entries(self, known: Chain, axes: tuple[Size, ...], symbol: ArraySymbol) -> Value:
        """δ_i := … as the array of its entries."""
        subject = known.subjects[-1]
        assert isinstance(subject, Entry)
        letters, term = self.entrywise(subject, known.links[0].rhs, axes)
        if len(axes) == 2:
            return Mat(Given(letters[0], letters[1], term))
        return vector(letters[0], term, self.orientation(symbol) == "column")

    def entrywise(self, subject: Entry, rhs: Expr, axes: tuple[Size, ...]) -> tuple[tuple[Index, ...], Term]:
        """The indices on the left of an entrywise definition, and the right side as a term in them."""
        names = [a.name for a in subject.at if isinstance(a, IndexName)]
        symbol = array_of(subject.base, self.decl) if isinstance(subject.base, Symbol) else None
        copies = symbol is not None and 0 < symbol.family == len(names) < len(axes)
        if copies:
            axes, inner = axes[: len(names)], axes[len(names) :]
        if len(names) != len(axes) or len(names) != len(subject.at) or len(set(names)) != len(names):
            raise self.fail("an entrywise definition needs an index of its own on each axis", subject.span)
        outer = self.ranges, self.scope
        letters = tuple(Index(n, size) for n, size in zip(names, axes, strict=True))
        self.ranges, self.scope = Ranges(self.sizes, self.axes_of), {i.name: i for i in letters}
        try:
            for i in letters:
                self.ranges.found[(0, i.name)] = i.size
            self.ranges.collect([rhs])
            extra = self.ranges.free - set(names) - set(self.decl.layers)
            if extra:
                raise self.fail(f"the index {min(extra)} is free on the right side only", rhs.span)
            value = self.value(rhs)
            term = as_scalar(value)
        finally:
            self.ranges, self.scope = outer
        if copies:
            return self.copies(letters, value, inner, rhs)
        if term is None:
            raise self.fail("an entry is defined by an array", rhs.span)
        return letters, term

    def copies(
        self, letters: tuple[Index, ...], value: Value, inner: tuple[Size, ...], rhs: Expr
    ) -> tuple[tuple[Index, ...], Term]:
        """h_i = W x_i: every copy by its entries."""
        if not isinstance(value, Mat):
            raise self.fail("a vector is defined by a number", rhs.span)
        if len(inner) == 1:
            k = Index("k°", inner[0])
            if UNIT not in value.shape or inner[0] not in value.shape:
                n, m = value.shape
                raise self.fail(f"a vector of {inner[0]} is defined by an array {n}×{m}", rhs.span)
            return (*letters, k), vector_entry(value.form, k)
        if value.shape != inner:
            raise self.fail("a matrix is defined by an array of another shape", rhs.span)
        r, c = Index("r°", inner[0]), Index("c°", inner[1])
        return (*letters, r, c), entry(value.form, r, c)

    def sample_axis(self, axes: tuple[Size, ...]) -> int | None:
        """The axis of a batch that counts the samples."""
        batches = self.batch_sizes()
        return next((k for k, a in enumerate(axes) if a in batches), None) if len(axes) == 2 else None

    def sample_size(self, symbol: ArraySymbol, axes: tuple[Size, ...]) -> Size:
        axis = self.sample_axis(axes)
        if axis is not None:
            return axes[axis]
        batches = self.batch_sizes()
        if len(batches) != 1:
            raise ReadError(f"how many samples are there? declare samples: i = N, for {symbol.name}")
        return next(iter(batches))

    def sample_index(self, label: Label) -> IndexExpr:
        if label.base is None:
            return number(label.shift - 1)
        if label.base in self.scope:
            return affine(label.shift, ((self.scope[label.base], 1),))
        return affine(self.sizes.size(Symbol(label.base)) + label.shift - 1, ())

    def sampled(self, value: Value, symbol: ArraySymbol, node: Symbol) -> Value:
        """x^{(i)} of a batch: its row (or column) i, as a row (or column)."""
        if node.sample is None:
            return value
        i = self.sample_index(node.sample)
        if isinstance(value, Mat):
            match self.sample_axis(value.shape):
                case 0:
                    return row(value, i)
                case 1:
                    return column(value, i)
        raise self.fail(f"{symbol.name} has no axis for samples", node.span)

    def separate_sample(self, node: Symbol, symbol: ArraySymbol, axes: tuple[Size, ...]) -> Value:
        """x^{(i)} of an array declared for one sample: an array with a sample axis in front."""
        assert node.sample is not None
        if definition_of(plain(node), self.decl) is not None or self.model.loss_arguments(plain(node)):
            raise self.fail(f"{symbol.name} is defined for one sample: declare it with a sample axis", node.span)
        size, i = self.sample_size(symbol, axes), self.sample_index(node.sample)
        array = Array(f"{node.name}^{{()}}", None if node.label is None else label_size(node.label))
        self.shapes[array] = (size, *axes)
        if not axes:
            return Scalar(EntryTerm(array, (i,)))
        return copy(array, (i,), axes, self.orientation(symbol) == "column")

    def index(self, node: Expr) -> IndexExpr:
        """A subscript, counted from 1 as written, as an index expression counted from 0."""
        match node:
            case IndexName(name):
                if name not in self.scope:
                    raise self.fail(f"the index {name} is not declared", node.span)
                return self.scope[name]
            case Num(value):
                return number(int(value) - 1)
            case Neg(arg):
                return affine(0, ((self.index(arg), -1),))
            case Symbol() if array_of(node, self.decl) is None:
                return affine(self.sizes.size(node) - 1, ())
            case Entry(Symbol() as base, at) if (found := array_of(base, self.decl)) is not None and found.integer:
                return Pick(base.name, tuple(map(self.index, at)), Size(()))
            case Add(args):
                total: IndexExpr = number(-1)
                for k, a in enumerate(args):
                    total = affine(0, ((total, 1), (self.shift(a), 1))) if k else self.index(a)
                return total
            case _:
                raise self.fail("this is no index", node.span)

    def shift(self, node: Expr) -> IndexExpr:
        """What is added to an index: a number counts as it is."""
        match node:
            case Num(value):
                return number(int(value))
            case Neg(arg):
                return affine(0, ((self.shift(arg), -1),))
            case Symbol() if array_of(node, self.decl) is None:
                return affine(self.sizes.size(node), ())
            case _:
                return affine(1, ((self.index(node), 1),))

    def entry(self, base: Expr, at: tuple[Expr, ...], span: Span) -> Value:
        if isinstance(base, Symbol):
            symbol = array_of(base, self.decl)
            if symbol is not None and symbol.family and len(at) == symbol.family < len(symbol.shape):
                return self.copy_of(base, symbol, at)
            if symbol is not None and len(symbol.shape) > 2 and not any(isinstance(a, All) for a in at):
                axes = self.axes(symbol, base.label)
                array = self.array(base)
                self.shapes[array] = axes
                if len(at) != len(axes):
                    raise self.fail(f"{symbol.name} has {len(axes)} axes, but {len(at)} subscripts", span)
                return Scalar(EntryTerm(array, tuple(self.checked(a, n) for a, n in zip(at, axes, strict=True))))
        v = self.value(base)
        if isinstance(v, Scalar):
            return self.entries_of_scalar(v, at, span)
        if not isinstance(v, Mat):
            raise self.fail("this has no subscripts", span)
        rows, columns = v.shape
        if len(at) == 1:
            if UNIT not in v.shape:
                raise self.fail(f"one subscript on a {rows}×{columns} array", span)
            if isinstance(at[0], All):
                return v
            return Scalar(vector_entry(v.form, self.checked(at[0], rows if columns == UNIT else columns)))
        if len(at) != 2:
            raise self.fail(f"{len(at)} subscripts on a {rows}×{columns} array", span)
        if (
            isinstance(base, Symbol)
            and (known := array_of(base, self.decl)) is not None
            and base.sample is None
            and len(known.shape) == 1
            and known.orientation not in ("row", "column")  # declared n × 1, so y_{i1} is meant
        ):
            raise self.fail(f"{known.name} has one axis, but two subscripts", span)
        r, c = at
        if isinstance(r, All) and isinstance(c, All):
            return v
        if isinstance(r, All):
            return column(v, self.checked(c, columns))
        if isinstance(c, All):
            return row(v, self.checked(r, rows))
        return Scalar(entry(v.form, self.checked(r, rows), self.checked(c, columns)))

    def copy_of(self, base: Symbol, symbol: ArraySymbol, at: tuple[Expr, ...]) -> Value:
        """x_i of a family: the i-th vector, as a column, or the i-th matrix."""
        axes, array = self.axes(symbol, base.label), self.array(base)
        self.shapes[array] = axes
        first = tuple(self.checked(a, n) for a, n in zip(at, axes, strict=False))
        return copy(array, first, axes[len(at) :], symbol.orientation != "row")

    def checked(self, node: Expr, size: Size) -> IndexExpr:
        """An index on an axis; a named one must have its size, a number must lie inside."""
        i = self.below(self.index(node), size)
        if isinstance(i, Index) and i.size != size:
            raise self.fail(f"{i.name} runs over {i.size} values, but this axis has {size}", node.span)
        if isinstance(i, Affine) and not i.parts:
            known, limit = i.constant.constant, size.constant
            if known is not None and (known < 0 or (limit is not None and known >= limit)):
                raise self.fail(f"the subscript {known + 1} is outside an axis of {size}", node.span)
            if known and (name := lone_symbol(size)) is not None:
                self.algebra.least[name] = max(known + 1, self.algebra.least.get(name, 1))
        return i

    @staticmethod
    def below(i: IndexExpr, size: Size) -> IndexExpr:
        """A class number has its range from the axis that it stands on."""
        return Pick(i.array, i.at, size) if isinstance(i, Pick) and i.size == Size(()) else i

    def equal_indices(self, left: Expr, right: Expr) -> Term:
        """1 where i = j, else 0; a class number has the range of the index that it is compared with."""
        i, j = self.index(left), self.index(right)
        if isinstance(j, Index):
            i = self.below(i, j.size)
        if isinstance(i, Index):
            j = self.below(j, i.size)
        return Delta(i, j)

    def entries_of_scalar(self, v: Scalar, at: tuple[Expr, ...], span: Span) -> Value:
        """[∂y_i/∂z_j]_{ij}: the matrix with these entries."""
        match [self.index(a) for a in at]:
            case [Index() as i]:
                return vector(i, v.term)
            case [Index() as i, Index() as j] if i != j:
                return Mat(Given(i, j, v.term))
        raise self.fail("a subscript on a number", span)


def copy(array: Array, first: tuple[IndexExpr, ...], rest: tuple[Size, ...], upright: bool) -> Mat:
    """The vector or matrix that the first indices single out."""
    i = tuple(dummy(n, letter) for n, letter in zip(rest, "rc", strict=False))
    term = EntryTerm(array, (*first, *i))
    return Mat(Given(i[0], i[1], term)) if len(rest) > 1 else vector(i[0], term, upright)
