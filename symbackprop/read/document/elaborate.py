"""From a syntax tree to its meaning: numbers with indices and matrix forms, every shape checked.

What is written decides; where it is liberal (a product that contracts a derivative of order three, a bias added to each
row) the reading is noted and becomes a hypothesis of the verdict.

Derivatives.  ∂s/∂W of a number by an array is the array of its derivatives: with the shape of W in the gradient
layout, of W^T in the numerator layout; ∇_W s always has the shape of W.  ∂y/∂x of vectors is the Jacobian with entry
∂y_i/∂x_j in row i, column j when ∂s/∂x is a row, and its transpose when ∂s/∂x is a column, so that the chain rule
reads from left to right in the one case and from right to left in the other.  What depends on what: see `model`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import assert_never

from symbackprop.core.indices import Affine, Index, IndexExpr, Pick, affine
from symbackprop.core.matrix import (
    UNIT,
    Given,
    Identity,
    Leaf,
    Matrix,
    Ones,
    dummy,
    entry,
)
from symbackprop.core.matrix import Product as ProductForm
from symbackprop.core.matrix import Transpose as TransposeForm
from symbackprop.core.terms import (
    Add as AddTerm,
)
from symbackprop.core.terms import (
    Array,
    Delta,
    Holds,
    Mul,
    Ordinal,
    Positive,
    Size,
    Term,
    add,
    mul,
    num,
    over,
    sized,
    sub,
    whole,
)
from symbackprop.core.terms import Entry as EntryTerm
from symbackprop.core.terms import (
    Num as NumTerm,
)
from symbackprop.core.terms import (
    Power as PowerTerm,
)

from .derivatives import derivative
from .functions import Functions
from .model import Model, array_of, at_layer, plain
from .place import ReadError, Span
from .ranges import Ranges
from .sizes import Match, Sizes, label_size, shown_dims
from .statements import definition_of
from .symbols import ArraySymbol, Declarations
from .tree import (
    Add,
    All,
    Annotated,
    Call,
    Cases,
    Chain,
    Derivative,
    Dots,
    Entry,
    Equated,
    Expr,
    Function,
    Gradient,
    Hadamard,
    IndexName,
    Indicator,
    Inner,
    Kronecker,
    Label,
    Missing,
    Neg,
    Norm,
    Num,
    Outer,
    Over,
    Power,
    Product,
    Quotient,
    Reals,
    Shape,
    ShapeWord,
    Sum,
    Symbol,
    Transpose,
    Words,
)
from .tree import Identity as IdentityExpr
from .tree import Matrix as MatrixExpr
from .tree import (
    Ones as OnesExpr,
)
from .values import Algebra, Loose, Mat, Scalar, Value, as_scalar, negated, number, times, vector_entry


@dataclass(slots=True)
class Elaborator:
    """Gives meaning to expressions of one statement; `used` are the arrays that occurred."""

    decl: Declarations
    model: Model
    sizes: Sizes
    algebra: Algebra
    used: dict[Symbol, Array] = field(default_factory=dict)
    shapes: dict[Array, tuple[Size, ...]] = field(default_factory=dict)
    ranges: Ranges = field(init=False)
    scope: dict[str, Index] = field(default_factory=dict)
    functions: Functions = field(init=False)
    text: str = ""
    only_shapes: bool = False

    def __post_init__(self) -> None:
        self.ranges = Ranges(self.sizes, self.axes_of)
        self.functions = Functions(self)

    def fail(self, message: str, span: Span) -> ReadError:
        return ReadError(message, (span[0], max(span[1], span[0] + 1)))

    def written(self, node: Expr) -> str:
        return self.text[node.span[0] : node.span[1]].strip() if self.text else "the second factor"

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
        """The sizes of the axes that subscripts of `base` stand on; with count -1 the size that a sample label runs over."""
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

    def value(self, node: Expr) -> Value:
        match node:
            case Num(value):
                return Scalar(NumTerm(value))
            case Symbol():
                return self.symbol(node)
            case IndexName(name):
                if name in self.scope:
                    return Scalar(add(Ordinal(self.scope[name]), num(1)))
                return Scalar(self.sizes.size(node))
            case Annotated(arg, shape_expr):
                return self.annotated(self.value(arg), shape_expr, node.span)
            case Entry(base, at):
                return self.entry(base, at, node.span)
            case Neg(arg):
                return negated(self.value(arg), node.span)
            case Add(args):
                return self.algebra.add([self.value(a) for a in args], [a.span for a in args], node.span)
            case Product(args, signs):
                return self.product(args, signs, node.span)
            case Hadamard(args):
                return self.hadamard(args)
            case Outer(args):
                return self.outer(args, node.span)
            case Quotient(top, bottom):
                return self.quotient(self.value(top), bottom, node.span)
            case Power():
                return self.power(node)
            case Transpose(arg):
                return self.algebra.transpose(self.value(arg), node.span)
            case Call(function, args):
                return self.functions.call(function, args, node.span)
            case Derivative(body, wrt):
                return self.derivative(body, wrt, node.span, self.decl.layout)
            case Gradient(body, wrt_one):
                return self.derivative(body, (wrt_one,), node.span, "gradient")
            case Sum(binders, body):
                return self.sum(node, body, [b.name for b in binders])
            case Over(kind, binders, body):
                return self.over(node, kind, body, [b.name for b in binders])
            case MatrixExpr(rows):
                return self.matrix(rows, node.span)
            case Cases(rows):
                return self.cases(rows, node.span)
            case Norm(arg, order):
                return self.functions.norm(self.value(arg), order, node.span)
            case Inner(left, right):
                return self.inner(left, right, node.span)
            case Kronecker(i, j):
                return Scalar(Delta(self.index(i), self.index(j)))
            case Indicator(condition):
                return Scalar(self.truth(condition))
            case OnesExpr(sizes):
                return self.ones(sizes)
            case IdentityExpr(size):
                return Loose("identity") if size is None else Mat(Identity(self.sizes.size(size)))
            case Equated():
                raise self.fail("an equation stands where a value is expected", node.span)
            case Function(name):
                raise self.fail(f"{name} is a function and needs an argument", node.span)
            case Shape() | Reals() | ShapeWord():
                raise self.fail("a shape stands where a value is expected", node.span)
            case All():
                raise self.fail("a colon stands alone", node.span)
            case Words() | Dots() | Missing():
                raise self.fail("this is no value", node.span)
            case _:
                assert_never(node)

    # --- symbols -----------------------------------------------------------------------------

    def axes(self, symbol: ArraySymbol, label: Label | None) -> tuple[Size, ...]:
        return tuple(self.sizes.size(at_layer(p, symbol, label)) for p in symbol.shape)

    def symbol(self, node: Symbol) -> Value:
        symbol = array_of(node, self.decl)
        if symbol is None:
            return Scalar(self.sizes.size(node))
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
            raise self.fail(f"{key.name} is declared {declared[0]}×{declared[1]}, but its definition is {n}×{k}", known.span)
        return value

    def from_entries(self, known: Chain, axes: tuple[Size, ...], symbol: ArraySymbol) -> Value:
        """δ_i := … as the array of its entries."""
        subject = known.subjects[-1]
        assert isinstance(subject, Entry)
        letters, term = self.entrywise(subject, known.links[0].rhs, axes)
        if len(axes) == 2:
            return Mat(Given(letters[0], letters[1], term))
        unit = Index("unit#", UNIT)
        if self.orientation(symbol) == "column":
            return Mat(Given(letters[0], unit, term))
        return Mat(Given(unit, letters[0], term))

    def entrywise(self, subject: Entry, rhs: Expr, axes: tuple[Size, ...]) -> tuple[tuple[Index, ...], Term]:
        """The indices on the left of an entrywise definition, and the right side as a term in them."""
        names = [a.name for a in subject.at if isinstance(a, IndexName)]
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
            term = as_scalar(self.value(rhs))
        finally:
            self.ranges, self.scope = outer
        if term is None:
            raise self.fail("an entry is defined by an array", rhs.span)
        return letters, term

    # --- samples -----------------------------------------------------------------------------

    def batch_sizes(self) -> set[Size]:
        out = {self.sizes.size(i.size) for i in self.decl.indices.values() if i.sample and i.size is not None}
        if self.decl.batch:
            out.add(self.sizes.size(Symbol(self.decl.batch)))
        return out

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
            axis = self.sample_axis(value.shape)
            if axis == 0:
                c = dummy(value.shape[1], "c")
                return Mat(Given(Index("unit#", UNIT), c, entry(value.form, i, c)))
            if axis == 1:
                r = dummy(value.shape[0], "r")
                return Mat(Given(r, Index("unit#", UNIT), entry(value.form, r, i)))
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
        if len(axes) == 1:
            k, unit = dummy(axes[0]), Index("unit#", UNIT)
            term = EntryTerm(array, (i, k))
            return Mat(Given(k, unit, term) if self.orientation(symbol) == "column" else Given(unit, k, term))
        p, q = dummy(axes[0], "p"), dummy(axes[1], "q")
        return Mat(Given(p, q, EntryTerm(array, (i, p, q))))

    # --- indices -----------------------------------------------------------------------------

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
                return self.pick(base, found, at)
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

    def pick(self, base: Symbol, symbol: ArraySymbol, at: tuple[Expr, ...]) -> IndexExpr:
        """y_{c_s}: an entry of an array of class numbers."""
        return Pick(base.name, tuple(self.index(a) for a in at), Size(()))

    def entry(self, base: Expr, at: tuple[Expr, ...], span: Span) -> Value:
        if isinstance(base, Symbol):
            symbol = array_of(base, self.decl)
            if symbol is not None and len(symbol.shape) > 2 and not any(isinstance(a, All) for a in at):
                axes = self.axes(symbol, base.label)
                array = self.array(base)
                self.shapes[array] = axes
                if len(at) != len(axes):
                    raise self.fail(f"{symbol.name} has {len(axes)} axes, but {len(at)} subscripts", span)
                return Scalar(EntryTerm(array, tuple(self.checked(a, n) for a, n in zip(at, axes, strict=True))))
        v = self.value(base)
        if isinstance(v, Scalar):
            return self.entries_of_scalar(v, at, base, span)
        if not isinstance(v, Mat):
            raise self.fail("this has no subscripts", span)
        rows, columns = v.shape
        if len(at) == 1:
            if UNIT not in v.shape:
                raise self.fail(f"one subscript on a {rows}×{columns} array", span)
            if isinstance(at[0], All):
                return v
            column = columns == UNIT
            i = self.checked(at[0], rows if column else columns)
            return Scalar(vector_entry(v.form, i))
        if len(at) != 2:
            raise self.fail(f"{len(at)} subscripts on a {rows}×{columns} array", span)
        if isinstance(base, Symbol) and (known := array_of(base, self.decl)) is not None and base.sample is None and len(known.shape) == 1:
            raise self.fail(f"{known.name} has one axis, but two subscripts", span)
        r, c = at
        if isinstance(r, All) and isinstance(c, All):
            return v
        if isinstance(r, All):
            k, j = dummy(rows, "r"), self.checked(c, columns)
            return Mat(Given(k, Index("unit#", UNIT), entry(v.form, k, j)))
        if isinstance(c, All):
            i, k = self.checked(r, rows), dummy(columns, "c")
            return Mat(Given(Index("unit#", UNIT), k, entry(v.form, i, k)))
        return Scalar(entry(v.form, self.checked(r, rows), self.checked(c, columns)))

    def checked(self, node: Expr, size: Size) -> IndexExpr:
        """An index on an axis; a named one must have its size, a number must lie inside."""
        i = self.index(node)
        if isinstance(i, Index) and i.size != size:
            raise self.fail(f"{i.name} runs over {i.size} values, but this axis has {size}", node.span)
        if isinstance(i, Affine) and not i.parts:
            known, limit = i.constant.constant, size.constant
            if known is not None and (known < 0 or (limit is not None and known >= limit)):
                raise self.fail(f"the subscript {known + 1} is outside an axis of {size}", node.span)
        return i

    def entries_of_scalar(self, v: Scalar, at: tuple[Expr, ...], base: Expr, span: Span) -> Value:
        """[∂y_i/∂z_j]_{ij}: the matrix with these entries."""
        indices = [self.index(a) for a in at]
        if len(indices) == 2 and all(isinstance(i, Index) for i in indices):
            i, j = indices
            assert isinstance(i, Index) and isinstance(j, Index)
            if i != j:
                return Mat(Given(i, j, v.term))
        raise self.fail("a subscript on a number", span)

    # --- operations --------------------------------------------------------------------------

    def product(self, args: tuple[Expr, ...], signs: tuple[str, ...], span: Span) -> Value:
        for k, sign in enumerate(signs):
            if sign == "*" and all(as_scalar(self.value(a)) is None for a in (args[k], args[k + 1])):
                raise self.fail("* between arrays: a product of matrices, or of entries?", (args[k].span[0], args[k + 1].span[1]))
        if len(args) == 2 and signs == ("cdot",):
            dotted = self.dot(args, span)
            if dotted is not None:
                return dotted
        out = self.value(args[0])
        number_so_far = as_scalar(out) is not None
        for k, a in enumerate(args[1:], 1):
            factor, here = self.value(a), (args[0].span[0], args[k].span[1])
            is_number = as_scalar(factor) is not None
            before = out
            out = self.algebra.product(out, factor, here, self.decl.layout)
            if not number_so_far and not is_number and isinstance(factor, Mat) and isinstance(before, Mat) and before.shape == (UNIT, UNIT):
                if factor.shape[0] != UNIT:  # (1×n)(n×1)(m×1): a number only with parentheses
                    n, m = factor.shape
                    raise self.fail(f"product of 1×1 and {n}×{m}; parentheses around the number?", here)
            number_so_far = number_so_far and is_number
        return out

    def dot(self, args: tuple[Expr, ...], span: Span) -> Value | None:
        """a · b of two columns, or two rows, of one shape is not their matrix product: refuse to guess."""
        a, b = self.value(args[0]), self.value(args[1])
        if isinstance(a, Mat) and isinstance(b, Mat) and a.shape == b.shape and UNIT in a.shape and a.shape != (UNIT, UNIT):
            n, k = a.shape
            raise self.fail(f"· of two {n}×{k} vectors: the inner product is written with ^T, the product of entries with \\odot", span)
        return None

    def hadamard(self, args: tuple[Expr, ...]) -> Value:
        out = self.value(args[0])
        for a in args[1:]:
            out = self.algebra.hadamard(out, self.value(a), (args[0].span[0], a.span[1]), self.written(a))
        return out

    def outer(self, args: tuple[Expr, ...], span: Span) -> Value:
        if len(args) != 2:
            raise self.fail("⊗ of more than two vectors is not supported", span)
        forms: list[Matrix] = []
        for a in args:
            v = self.value(a)
            if not isinstance(v, Mat) or UNIT not in v.shape:
                raise self.fail("⊗ is read as the outer product of two vectors", a.span)
            forms.append(v.form if v.shape[1] == UNIT else TransposeForm(v.form))
        return Mat(ProductForm(forms[0], TransposeForm(forms[1])))

    def inner(self, left: Expr, right: Expr, span: Span) -> Value:
        a, b = self.value(left), self.value(right)
        if not isinstance(a, Mat) or not isinstance(b, Mat) or a.shape != b.shape:
            raise self.fail("⟨a, b⟩ needs two arrays of one shape", span)
        i, j = dummy(a.shape[0], "i"), dummy(a.shape[1], "j")
        return Scalar(sum_over([i, j], times(entry(a.form, i, j), entry(b.form, i, j))))

    def quotient(self, top: Value, bottom: Expr, span: Span) -> Value:
        below = as_scalar(self.value(bottom))
        if below is None:
            raise self.fail("division by an array", bottom.span)
        inverse = NumTerm(1 / below.value) if isinstance(below, NumTerm) and below.value else PowerTerm(below, Fraction(-1))
        if isinstance(top, Scalar) and isinstance(top.term, NumTerm) and isinstance(inverse, NumTerm):
            return Scalar(NumTerm(top.term.value * inverse.value))
        if isinstance(top, Scalar):
            return Scalar(inverse if top.term == num(1) else times(top.term, inverse))
        return self.algebra.product(Scalar(inverse), top, span, self.decl.layout)

    def power(self, node: Power) -> Value:
        exponent = as_scalar(self.value(node.exponent))
        q = constant(exponent) if exponent is not None else None
        if isinstance(node.base, Norm) and node.base.order in ("2", "F") and q is not None and q % 2 == 0:
            return self.algebra.power(self.functions.square_norm(self.value(node.base.arg), node.span), q / 2, False, node.span)
        if q is None:
            raise self.fail("an exponent must be a number (or the base e)", node.exponent.span)
        return self.algebra.power(self.value(node.base), q, node.elementwise, node.span)

    def annotated(self, v: Value, shape_expr: Expr, span: Span) -> Value:
        """x_{1 × n}: x, if that is its shape."""
        claimed = self.sizes.dims(shape_expr)
        actual = v.shape if isinstance(v, Mat) else ()
        match = Match(self.sizes)
        if not match.same(actual, claimed):
            raise self.fail(f"this is {shown_dims(actual)}, not {shown_dims(claimed)}", span)
        for c in match.conditions:
            self.algebra.note(c)
        return v

    def ones(self, sizes: tuple[Expr, ...]) -> Value:
        found = [self.sizes.size(s) for s in sizes]
        if not found:
            return Loose("ones")
        if len(found) == 1:
            return Mat(Ones((found[0], UNIT)))
        return Mat(Ones((found[0], found[1])))

    def matrix(self, rows: tuple[tuple[Expr, ...], ...], span: Span) -> Value:
        """A matrix written out: Σ_rc (entry rc) δ_ir δ_jc."""
        width = len(rows[0])
        if any(len(r) != width for r in rows):
            raise self.fail("the rows of this matrix have different lengths", span)
        i, j = dummy(sized(len(rows)), "i"), dummy(sized(width), "j")
        terms: list[Term] = []
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                value = as_scalar(self.value(cell))
                if value is None:
                    raise self.fail("a block matrix is not supported", cell.span)
                if value != num(0):
                    at = [d for d, size, k in ((Delta(i, number(r)), len(rows), r), (Delta(j, number(c)), width, c)) if size > 1]
                    terms.append(mul(value, *at))
        return Mat(Given(i, j, add(*terms)))

    def cases(self, rows: tuple[tuple[Expr, Chain | None], ...], span: Span) -> Value:
        """Values with conditions, the first that holds; without one of the others: 0."""
        total: Term = num(0)
        for value, condition in reversed(rows):
            term = as_scalar(self.value(value))
            if term is None:
                raise self.fail("cases of arrays are not supported", value.span)
            if condition is None:
                total = term
            else:
                holds = self.truth(condition)
                total = AddTerm((times(holds, term), times(sub(num(1), holds), total)))
        return Scalar(total)

    def truth(self, condition: Chain) -> Term:
        """1 where the relation holds, else 0: i = j of indices, u > v of numbers."""
        if len(condition.links) != 1 or len(condition.subjects) != 1:
            raise self.fail("one relation is expected here", condition.span)
        left, relation, right = condition.subjects[0], condition.links[0].relation, condition.links[0].rhs
        if relation in ("=", "≠"):
            equal = Delta(self.index(left), self.index(right))
            return equal if relation == "=" else sub(num(1), equal)
        if relation in (">", "<", "≥", "≤"):
            a, b = as_scalar(self.value(left)), as_scalar(self.value(right))
            if a is None or b is None:
                raise self.fail("a comparison of arrays", condition.span)
            greater = {">": (a, b), "≥": (b, a), "<": (b, a), "≤": (a, b)}[relation]
            positive = Holds(Positive(greater[0] if greater[1] == num(0) else sub(*greater)))
            return positive if relation in "><" else sub(num(1), positive)
        raise self.fail(f"{relation} is no condition", condition.span)

    # --- sums --------------------------------------------------------------------------------

    def bound(self, node: Expr, names: list[str], body: Callable[[], Value]) -> tuple[list[Index], Value]:
        outer = self.scope
        indices = [Index(n, self.ranges.at(id(node), n, node.span)) for n in names]
        self.scope = {**outer, **{i.name: i for i in indices}}
        try:
            return indices, body()
        finally:
            self.scope = outer

    def sum(self, node: Sum, body: Expr, names: list[str]) -> Value:
        indices, v = self.bound(node, names, lambda: self.value(body))
        if isinstance(v, Scalar):
            return Scalar(sum_over(indices, v.term))
        if isinstance(v, Mat):
            r, c = dummy(v.shape[0], "r"), dummy(v.shape[1], "c")
            return Mat(Given(r, c, sum_over(indices, entry(v.form, r, c))))
        raise self.fail("a sum of this is not supported", node.span)

    def over(self, node: Over, kind: str, body: Expr, names: list[str]) -> Value:
        indices, v = self.bound(node, names, lambda: self.value(body))
        term = as_scalar(v)
        if term is None:
            raise self.fail(f"{kind} of arrays is not supported", node.span)
        if kind == "min":
            return Scalar(times(num(-1), whole("max", 0, tuple(indices), times(num(-1), term), ())))
        return Scalar(whole(kind, 0, tuple(indices), term, ()))

    # --- derivatives -------------------------------------------------------------------------

    def derivative(self, body: Expr, wrt: tuple[Expr, ...], span: Span, layout: str) -> Value:
        return derivative(self, body, wrt, span, layout)


def sum_over(indices: list[Index], term: Term) -> Term:
    for i in reversed(indices):
        term = over(i, term)
    return term


def constant(t: Term) -> Fraction | None:
    match t:
        case NumTerm(value):
            return value
        case _:
            if isinstance(t, Mul):
                out = Fraction(1)
                for a in t.args:
                    c = constant(a)
                    if c is None:
                        return None
                    out *= c
                return out
            if isinstance(t, PowerTerm):
                c = constant(t.base)
                return c**t.exponent if c and t.exponent.denominator == 1 else None  # type: ignore[return-value]
            return None


__all__ = ["Elaborator", "constant", "sum_over"]
