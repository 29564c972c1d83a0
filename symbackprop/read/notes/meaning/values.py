"""What a formula means before it is compared: a number with indices, a matrix form, or a derivative of order three.

The operations check shapes as they build; a `ReadError` says which operation met which shapes, and where.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias, assert_never

from symbackprop.core.indices import Index, affine
from symbackprop.core.matrix import (
    UNIT, ZERO_INDEX, ElementPower, Given, Hadamard as HadamardForm, Identity, Inverse, Matrix, Ones, Plus,
    Product as ProductForm, Scale, Transpose as TransposeForm, entry, shape, times,
)  # fmt: skip
from symbackprop.core.terms import Add, IndexExpr, Num, Power, Size, Term, dummy, num, over, substitute, sum_over

from ..files.place import ReadError, Span, Unsettled


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number; its free indices are those of the term."""

    term: Term


@dataclass(frozen=True, slots=True)
class Mat:
    form: Matrix

    @property
    def shape(self) -> tuple[Size, Size]:
        return shape(self.form)


@dataclass(frozen=True, slots=True)
class Tensor3:
    """∂v_out / ∂W_{row column}: a derivative of a vector by a matrix; `body` has these indices free."""

    out: Index
    row: Index
    column: Index
    body: Term


@dataclass(frozen=True, slots=True)
class Loose:
    """𝟏 or I without a size, times a number: λ I fits where it stands."""

    kind: str
    transposed: bool = False
    factor: Term | None = None

    def times(self, s: Term) -> Loose:
        return Loose(self.kind, self.transposed, s if self.factor is None else times(s, self.factor))


Value: TypeAlias = Scalar | Mat | Tensor3 | Loose


def dims(m: Mat) -> str:
    n, k = m.shape
    return f"{n}×{k}"


def as_scalar(v: Value) -> Term | None:
    """The number that a scalar or a 1×1 matrix is."""
    if isinstance(v, Scalar):
        return v.term
    if isinstance(v, Mat) and v.shape == (UNIT, UNIT):
        return entry(v.form, ZERO_INDEX, ZERO_INDEX)
    return None


def as_matrix(v: Value) -> Mat | None:
    return Mat(Given(*ONE_ENTRY, v.term)) if isinstance(v, Scalar) else v if isinstance(v, Mat) else None


# --- values by their entries ---

ONE_ENTRY = Index("row#", UNIT), Index("col#", UNIT)


def dummies(m: Mat) -> tuple[Index, Index, Term]:
    """Indices for rows and columns, and the entry there."""
    i, j = (dummy(n, letter) for n, letter in zip(m.shape, "ij", strict=True))
    return i, j, entry(m.form, i, j)


def vector(k: Index, term: Term, column: bool = True) -> Mat:
    return Mat(Given(k, ONE_ENTRY[1], term) if column else Given(ONE_ENTRY[0], k, term))


def entrywise(rule: Callable[[list[Term]], Term], values: list[Value]) -> Value | None:
    """The rule at each entry, where a number stands for an array of it; None where there are several shapes."""
    arrays = [v for v in values if isinstance(v, Mat) and as_scalar(v) is None]
    if len({a.shape for a in arrays}) > 1 or not all(isinstance(v, Mat | Scalar) for v in values):
        return None
    if not arrays:
        return Scalar(rule([as_scalar(v) or num(0) for v in values]))
    i, j, _ = dummies(arrays[0])
    numbers = ((v, as_scalar(v)) for v in values)
    return Mat(
        Given(
            i, j, rule([entry(v.form, i, j) if n is None and isinstance(v, Mat) else n or num(0) for v, n in numbers])
        )
    )


def total(m: Mat, rule: Callable[[Term], Term]) -> Term:
    """The sum of the rule over the entries."""
    i, j, term = dummies(m)
    axes = tuple(x for x in (i, j) if x.size != UNIT)
    return sum_over(axes, rule(substitute(term, {x: ZERO_INDEX for x in (i, j) if x.size == UNIT})))


@dataclass(slots=True)
class Algebra:
    """The operations; `readings` collects in what liberal way something was read (each is a hypothesis)."""

    loose_hadamard: bool = False
    readings: list[str] = field(default_factory=list)
    least: dict[str, int] = field(default_factory=dict)
    """Of sizes, so that the entries that are written exist: z_2 needs n ≥ 2."""

    def note(self, reading: str) -> None:
        if reading not in self.readings:
            self.readings.append(reading)

    # --- sums --------------------------------------------------------------------------------

    def add(self, args: list[Value], spans: list[Span], whole: Span) -> Value:
        known = next((a for a in args if isinstance(a, Mat)), None)
        args = [
            self.fitted(a, known.shape, s) if known and isinstance(a, Loose) else a
            for a, s in zip(args, spans, strict=True)
        ]
        if any(isinstance(a, Loose) for a in args):
            raise Unsettled("the size of 𝟏 or I is not known here: write 𝟏_n", whole)
        if any(isinstance(a, Tensor3) for a in args):
            raise Unsettled("a derivative of order three in a sum is not supported", whole)
        scalars = [as_scalar(a) for a in args]
        if all(s is not None for s in scalars):
            return Scalar(Add(tuple(s for s in scalars if s is not None)))
        mats: list[Mat] = []
        for a, s in zip(args, spans, strict=True):
            if (lone := as_scalar(a)) is not None:
                other = next(m for m in args if as_scalar(m) is None)
                assert isinstance(other, Mat)
                if UNIT in other.shape or other.shape[0] != other.shape[1]:  # 1 - a; of a square array: times I?
                    self.note("a number in a sum with an array is added to each entry")
                    mats.append(Mat(Scale(lone, Ones(other.shape))))
                    continue
                raise ReadError(f"sum of a number and a {dims(other)} array", s)
            assert isinstance(a, Mat)
            mats.append(a)
        rows, columns = _widest(mats)
        out: list[Matrix] = []
        for m, s in zip(mats, spans, strict=True):
            if m.shape == (rows, columns):
                out.append(m.form)
            elif m.shape == (UNIT, columns):
                self.note(f"the {dims(m)} term is added to each row of the {rows}×{columns} array (as NumPy does)")
                out.append(ProductForm(Ones((rows, UNIT)), m.form))
            elif m.shape == (rows, UNIT):
                self.note(f"the {dims(m)} term is added to each column of the {rows}×{columns} array (as NumPy does)")
                out.append(ProductForm(m.form, Ones((UNIT, columns))))
            else:
                first = next(o for o in mats if o is not m and o.shape != m.shape)
                hint = "; transpose missing?" if first.shape == m.shape[::-1] else ""
                raise ReadError(f"sum of {dims(first)} and {dims(m)}{hint}", s)
        return Mat(Plus(tuple(out)))

    # --- products ----------------------------------------------------------------------------

    def product(self, left: Value, right: Value, span: Span, layout: str) -> Value:
        if isinstance(left, Loose) and isinstance(right, Loose):
            raise Unsettled("the size of 𝟏 or I is not known here: write 𝟏_n", span)
        a, b = as_scalar(left), as_scalar(right)
        if isinstance(left, Loose) and isinstance(right, Mat) and b is None:
            n = right.shape[0]
            left = self.sized(left, n, (UNIT, n), span)
        if isinstance(right, Loose) and isinstance(left, Mat) and a is None:
            n = left.shape[1]
            right = self.sized(right, n, (n, UNIT), span)
        if isinstance(right, Tensor3):
            return self.contract(left, right, span, layout)
        if isinstance(left, Tensor3):
            raise ReadError("a derivative of order three may only be the last factor", span)
        if isinstance(right, Loose) and a is not None:  # λ I
            return right.times(a)
        if isinstance(left, Loose) and b is not None:
            return left.times(b)
        assert not isinstance(left, Loose) and not isinstance(right, Loose)
        if isinstance(left, Mat) and isinstance(right, Mat) and left.shape[1] == right.shape[0]:
            return Mat(ProductForm(left.form, right.form))
        if a is not None and b is not None:
            return Scalar(times(a, b))
        if a is not None and isinstance(right, Mat):
            return Mat(Scale(a, right.form))
        if b is not None and isinstance(left, Mat):
            return Mat(Scale(b, left.form))
        assert isinstance(left, Mat) and isinstance(right, Mat)
        if self.loose_hadamard and left.shape == right.shape and UNIT in left.shape:
            self.note("vectors of one shape side by side are multiplied entry by entry")
            return Mat(HadamardForm(left.form, right.form))
        raise ReadError(f"product of {dims(left)} and {dims(right)}{_hint(left, right)}", span)

    def contract(self, left: Value, right: Tensor3, span: Span, layout: str) -> Value:
        """(row) times ∂v/∂W: the sum over the entries of v."""
        s = as_scalar(left)
        if s is not None and right.out.size != UNIT:
            return Tensor3(right.out, right.row, right.column, times(s, right.body))
        n = right.out.size
        if not isinstance(left, Mat) or n not in left.shape or UNIT not in left.shape:
            shown = dims(left) if isinstance(left, Mat) else "this factor"
            raise ReadError(
                f"product of {shown} and a derivative with {n}×({right.row.size}×{right.column.size}) entries", span
            )
        k = dummy(n)
        value = entry(left.form, k, ZERO_INDEX) if left.shape == (n, UNIT) else entry(left.form, ZERO_INDEX, k)
        from_body = substitute(right.body, {right.out: k})
        self.note("the product with the derivative of a vector by a matrix contracts the index of the vector")
        body = over(k, times(value, from_body))
        if layout == "numerator":
            return Mat(Given(right.column, right.row, body))
        return Mat(Given(right.row, right.column, body))

    def hadamard(self, left: Value, right: Value, span: Span, shown: str) -> Value:
        if isinstance(left, Loose) and isinstance(right, Mat):
            left = self.fitted(left, right.shape, span)
        if isinstance(right, Loose) and isinstance(left, Mat):
            right = self.fitted(right, left.shape, span)
        a, b = as_scalar(left), as_scalar(right)
        if a is not None and b is not None:
            return Scalar(times(a, b))
        if not isinstance(left, Mat) or not isinstance(right, Mat):
            raise ReadError("∘ needs two arrays of one shape", span)
        if left.shape == right.shape:
            return Mat(HadamardForm(left.form, right.form))
        if left.shape == right.shape[::-1] and UNIT in left.shape:
            if self.loose_hadamard:
                self.note(
                    f"{shown} stands as the {'row' if left.shape[0] == UNIT else 'column'} {_transposed_name(shown)}"
                )
                return Mat(HadamardForm(left.form, TransposeForm(right.form)))
            raise ReadError(
                f"Hadamard of {dims(left)} and {dims(right)}: transpose missing? {_transposed_name(shown)}", span
            )
        raise ReadError(f"Hadamard of {dims(left)} and {dims(right)}", span)

    def quotient(self, top: Value, bottom: Value) -> Value | None:
        """1 / a and b / a entry by entry; None where that is not the only reading, or the shapes differ."""
        if not isinstance(bottom, Mat) or bottom.shape[0] == bottom.shape[1]:
            return None
        inverse = ElementPower(bottom.form, Fraction(-1))
        s = as_scalar(top)
        if s is None and not (isinstance(top, Mat) and top.shape == bottom.shape):
            return None
        self.note("a fraction of arrays divides entry by entry")
        if s is not None:
            return Mat(inverse if s == num(1) else Scale(s, inverse))
        assert isinstance(top, Mat)
        return Mat(HadamardForm(top.form, inverse))

    def transpose(self, v: Value, span: Span) -> Value:
        match v:
            case Scalar():
                return v
            case Mat(form):
                return Mat(form.of if isinstance(form, TransposeForm) else TransposeForm(form))
            case Loose(kind, transposed, factor):
                return Loose(kind, not transposed, factor)
            case _:
                raise ReadError("the transpose of a derivative of order three", span)

    def power(self, v: Value, q: Fraction, elementwise: bool, span: Span) -> Value:
        s = as_scalar(v)
        if s is not None:
            return Scalar(s if q == 1 else Power(s, q))
        if not isinstance(v, Mat):
            raise Unsettled("a power of this is not supported", span)
        n, k = v.shape
        if elementwise:
            return Mat(ElementPower(v.form, q))
        if n != k and UNIT in v.shape and (q > 0 or q.denominator > 1):  # no product of matrices can be meant
            self.note("a power of a vector is the power of each entry")
            return Mat(ElementPower(v.form, q))
        if n != k:
            raise ReadError(f"a power of a {n}×{k} array: write {{\\circ {q}}} for the power of each entry", span)
        if q == -1:
            return Mat(Inverse(v.form))
        if q == 0:
            return Mat(Identity(n))
        if q.denominator == 1 and -8 <= q < 0:
            v, q = Mat(Inverse(v.form)), -q
        if q.denominator == 1 and 0 < q <= 8:
            out: Matrix = v.form
            for _ in range(int(q) - 1):
                out = ProductForm(out, v.form)
            return Mat(out)
        raise Unsettled(f"the power {q} of a matrix is not supported", span)

    # --- 𝟏 and I of unknown size --------------------------------------------------------------

    def fitted(self, v: Value, to: tuple[Size, Size], span: Span) -> Value:
        if not isinstance(v, Loose):
            return v
        if v.kind == "identity" and to[0] != to[1]:
            raise ReadError(f"I beside {to[0]}×{to[1]}", span)
        return _scaled(Identity(to[0]) if v.kind == "identity" else Ones(to), v.factor)

    def sized(self, v: Loose, n: Size, vector: tuple[Size, Size], span: Span) -> Value:
        """Beside an axis of n: I of that size, 𝟏 as a vector; 𝟏^T on the left as a row."""
        return _scaled(Identity(n) if v.kind == "identity" else Ones(vector), v.factor)


def _scaled(form: Matrix, factor: Term | None) -> Mat:
    return Mat(form if factor is None else Scale(factor, form))


def negated(v: Value, span: Span) -> Value:
    match v:
        case Scalar(Num(value)):
            return Scalar(Num(-value))
        case Scalar(term):
            return Scalar(times(num(-1), term))
        case Mat(form):
            return Mat(Scale(num(-1), form))
        case Tensor3(out, row, column, body):
            return Tensor3(out, row, column, times(num(-1), body))
        case Loose():
            return v.times(num(-1))
        case _:
            assert_never(v)


def vector_entry(m: Matrix, k: IndexExpr) -> Term:
    """The entry k of a column or a row."""
    return entry(m, k, ZERO_INDEX) if shape(m)[1] == UNIT else entry(m, ZERO_INDEX, k)


def row(m: Mat, i: IndexExpr) -> Mat:
    k = dummy(m.shape[1], "c")
    return vector(k, entry(m.form, i, k), False)


def column(m: Mat, j: IndexExpr) -> Mat:
    k = dummy(m.shape[0], "r")
    return vector(k, entry(m.form, k, j))


def number(k: int) -> IndexExpr:
    return affine(k, ())


def _widest(mats: list[Mat]) -> tuple[Size, Size]:
    """The shape all terms would have: axes of size 1 stretch."""
    rows = next((m.shape[0] for m in mats if m.shape[0] != UNIT), UNIT)
    columns = next((m.shape[1] for m in mats if m.shape[1] != UNIT), UNIT)
    if (rows, columns) not in [m.shape for m in mats]:  # a row and a column together: no sum
        return mats[0].shape
    return rows, columns


def _hint(left: Mat, right: Mat) -> str:
    (n, k), (l, m) = left.shape, right.shape
    if m == n and UNIT in (m, n):
        return "; the other order conforms"
    if k == m:
        return "; transpose the second?"
    if n == l:
        return "; transpose the first?"
    return ""


def _transposed_name(shown: str) -> str:
    simple = shown.isalnum() or (shown.endswith(")") and "+" not in shown.split("(")[0])
    return f"{shown}^T" if simple else f"({shown})^T"
