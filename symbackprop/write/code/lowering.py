"""Matrix forms made ready for NumPy: what has no NumPy word, or only an unstable one, becomes forms that have.

The result means the same numbers.  Softmax and its logarithm are shifted by the largest entry, log of a sigmoid and
log(1 + e^z) become softplus, products with matrices of ones become sums and broadcasting, products with diagonal
matrices become Hadamard products.  Entries, as activations and their slopes are given, are read back as forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TypeAlias, assert_never

from symbackprop.core.functions import FUNCTIONS
from symbackprop.core.indices import Index, IndexExpr, Node, Size, node
from symbackprop.core.matrix import (
    UNIT,
    ZERO_INDEX,
    Determinant,
    Diagonal,
    DiagonalOf,
    ElementPower,
    Elementwise,
    Given,
    Hadamard,
    Identity,
    Inverse,
    Leaf,
    Matrix,
    Ones,
    Plus,
    Product,
    Scale,
    Softmax,
    Trace,
    Transpose,
    Zeros,
    shape,
)
from symbackprop.core.terms import (
    Add,
    Apply,
    Delta,
    Entry,
    Holds,
    Mul,
    Num,
    Positive,
    Power,
    Sum,
    SymbackpropError,
    Term,
    Whole,
    dummy,
    free,
    mul,
    opened,
)
from symbackprop.network.activations import ACTIVATIONS, Activation, Z, derivative
from symbackprop.write.code.simplify import (
    MINUS,
    applied,
    hadamard,
    plus,
    power,
    product,
    scaled,
    spread,
    summed,
    total,
    transposed,
)

# What an entry that is no array's stands for (the variable of an activation), or None.
Base = Callable[[Entry], Matrix | None]


def form_of_entries(body: Term, row: Index, column: Index, base: Base = lambda _: None) -> Matrix:
    """The form whose entry at (row, column) is `body`.  Raises SymbackpropError where it finds none."""
    return _Reader(base).form(body, row, column)


class _Reader:
    def __init__(self, base: Base) -> None:
        self.base = base

    def form(self, t: Term, row: Index, column: Index) -> Matrix:
        here = (row.size, column.size)
        if is_scalar(t) and not (isinstance(t, Entry) and self.base(t) is not None):
            if not self.mentions_base(t):
                return scaled(t, Ones(here))
        if not self.mentions_base(t):
            # what does not depend on an axis is computed without it, then repeated
            if row.size != UNIT and row not in free(t):
                return spread(self.form(t, dummy(UNIT), column), here)
            if column.size != UNIT and column not in free(t):
                return spread(self.form(t, row, dummy(UNIT)), here)
        match t:
            case Entry():
                return self.entry(t, row, column)
            case Add(args):
                return Plus(tuple(self.form(a, row, column) for a in args))
            case Mul(args):
                scalars = [a for a in args if is_scalar(a) and not self.mentions_base(a)]
                result: Matrix = Ones(here)
                for a in args:
                    if a not in scalars:
                        result = hadamard(result, self.form(a, row, column))
                return scaled(mul(*scalars), result)
            case Power(base, exponent):
                return ElementPower(self.form(base, row, column), exponent)
            case Apply(fn, arg, order):
                return Elementwise(fn, self.form(arg, row, column), order)
            case Holds(Positive(p)):
                return Elementwise("step", self.form(p, row, column))
            case Delta(i, j) if {i, j} == {row, column} and row.size == column.size:
                return Identity(row.size)
            case Sum(size):
                k = dummy(size)
                return self.sum(opened(t, k), k, row, column)
            case Whole(fn):
                raise SymbackpropError(f"the function {fn!r} is abstract, or no matrix form was found for it")
            case _:
                raise SymbackpropError(f"no matrix form found for {type(t).__name__.lower()} in an entry")

    def sum(self, body: Term, k: Index, row: Index, column: Index) -> Matrix:
        """Σ_k of a product (or a sum of products) whose factors do not join row, column and k."""
        if isinstance(body, Add):
            return Plus(tuple(self.sum(a, k, row, column) for a in body.args))
        factors = body.args if isinstance(body, Mul) else (body,)
        outer = [f for f in factors if k not in free(f)]
        left = [f for f in factors if k in free(f) and column not in free(f)]
        right = [f for f in factors if k in free(f) and column in free(f)]
        if any(row in free(f) for f in right) and row.size != UNIT:
            raise SymbackpropError("no matrix form found: a factor of a sum joins row, column and dummy")
        if right:
            inner = product(self.form(mul(*left), row, k), self.form(mul(*right), k, column))
        elif left:
            inner = spread(summed(self.form(mul(*left), row, k), 1), (row.size, column.size))
        else:
            inner = scaled(k.size, Ones((row.size, column.size)))
        return hadamard(self.form(mul(*outer), row, column), inner) if outer else inner

    def entry(self, t: Entry, row: Index, column: Index) -> Matrix:
        found = self.base(t)
        if found is not None:
            return found

        def at(e: IndexExpr, axis: Index) -> bool:
            return e == axis or (axis.size == UNIT and e == ZERO_INDEX)

        n, k = row.size, column.size
        match t.at:
            case (i, j) if at(i, row) and at(j, column):
                return Leaf(t.array, "matrix", (n, k))
            case (i, j) if at(i, column) and at(j, row):
                return Transpose(Leaf(t.array, "matrix", (k, n)))
            case (i,) if at(i, row) and k == UNIT:
                return Leaf(t.array, "column", (n, UNIT))
            case (j,) if at(j, column) and n == UNIT:
                return Leaf(t.array, "row", (UNIT, k))
        raise SymbackpropError(f"no matrix form found for an entry of {t.array} at such indices")

    def mentions_base(self, t: Term) -> bool:
        match t:
            case Entry():
                return self.base(t) is not None
            case Add(args) | Mul(args):
                return any(map(self.mentions_base, args))
            case Power(inner) | Apply(_, inner) | Holds(Positive(inner)):
                return self.mentions_base(inner)
        return False


def is_scalar(t: Term) -> bool:
    """A number, a size, a scalar variable, or arithmetic of these."""
    match t:
        case Num() | Size():
            return True
        case Entry(_, at):
            return not at
        case Add(args) | Mul(args):
            return all(map(is_scalar, args))
        case Power(base, _):
            return is_scalar(base)
    return False


@node
class Peak(Node):
    """The largest entry along an axis: of each column (axis 0, a row) or of each row (axis 1, a column)."""

    of: Matrix
    axis: int

    @property
    def shape(self) -> tuple[Size, Size]:
        rows, columns = shape(self.of)
        return (UNIT, columns) if self.axis == 0 else (rows, UNIT)


Value: TypeAlias = Matrix | Peak

# Functions with a NumPy word; every other one is written in terms of these.
ELEMENTARY = frozenset({*FUNCTIONS, "abs", "nonpositive", "relu", "sign", "step"})


class Lowering:
    """Rewrites forms, given what each array and scalar is called.

    `name` is called with a value that needs a line of its own and returns the leaf for it; `meaning` has what some
    leaves stand for, for the rewrites that look through a name.
    """

    def __init__(
        self,
        leaf: Callable[[Leaf], Matrix],
        scalar: Callable[[Term], Term],
        name: Callable[[Value], Leaf],
        functions: Mapping[str, Activation],
    ) -> None:
        self.leaf, self.scalar, self.name = leaf, scalar, name
        self.given = functions
        self.functions = {**ACTIVATIONS, **functions}
        self.meaning: dict[Matrix, Matrix] = {}
        self.known: dict[Matrix, Matrix] = {}
        self.peaks: dict[tuple[Matrix, int], Leaf] = {}

    def __call__(self, m: Matrix) -> Matrix:
        if m not in self.known:
            self.known[m] = self.rewritten(m)
        return self.known[m]

    def rewritten(self, m: Matrix) -> Matrix:
        match m:
            case Leaf():
                return self.leaf(m)
            case Given(row, column, body):
                return self(form_of_entries(body, row, column))
            case Product(a, b):
                return product(self(a), self(b))
            case Hadamard(a, b):
                left, right = self(a), self(b)
                return hadamard(guarded(left, right), guarded(right, left))
            case Plus(args):
                return plus(tuple(map(self, args)))
            case Scale(factor, of):
                return scaled(self.scalar(factor), self(of))
            case Transpose(of):
                return transposed(self(of))
            case Elementwise(fn, of, order):
                return self.function(fn, self(of), order)
            case ElementPower(of, exponent):
                return power(self(of), exponent)
            case Softmax(of, axis):
                shifted = self.shifted(self(of), axis)
                e = Elementwise("exp", shifted)
                result = hadamard(e, spread(power(summed(e, axis), Fraction(-1)), shape(e)))
                self.meaning[result] = m
                return result
            case Trace(of):
                inner = self(of)
                if isinstance(inner, Product):  # n² products instead of n³
                    return total(hadamard(inner.left, transposed(inner.right)))
                return Trace(inner)
            case Diagonal(of):
                return Diagonal(self(of))
            case DiagonalOf(of):
                return DiagonalOf(self(of))
            case Inverse(of):
                return Inverse(self(of))
            case Determinant(of):
                return Determinant(self(of))
            case Ones() | Zeros() | Identity():
                return m
            case _:
                assert_never(m)

    def shifted(self, z: Matrix, axis: int) -> Matrix:
        """Z minus its largest entry in each sample: softmax does not see the shift, and e^0 = 1 is the largest."""
        if (z, axis) not in self.peaks:
            self.peaks[z, axis] = self.name(Peak(z, axis))
        return plus((z, scaled(MINUS, spread(self.peaks[z, axis], shape(z)))))

    def function(self, fn: str, of: Matrix, order: int) -> Matrix:
        if order == 0 and fn not in self.given:
            if fn == "log" and (stable := self.stable_log(of)) is not None:
                return stable
            if fn in ELEMENTARY:
                return applied(fn, of)
        value = self.functions[fn].value if fn in self.functions else Apply(fn, Z)
        if order:
            value = self.functions[fn].slope if fn in self.functions else derivative(value)
            for _ in range(order - 1):
                value = derivative(value)
        if fn not in self.functions and fn not in ELEMENTARY:
            raise SymbackpropError(f"no NumPy code for the function {fn!r}: only its name is known")
        rows, columns = (dummy(n) for n in shape(of))
        return self(form_of_entries(value, rows, columns, lambda e: of if e == Z else None))

    def stable_log(self, of: Matrix) -> Matrix | None:
        """log of softmax, of sigmoid, of 1 - sigmoid and of 1 + e^z without overflow or log 0."""
        match self.meant(of):
            case Softmax(z, axis):
                shifted = self.shifted(self(z), axis)
                sums = Elementwise("log", summed(Elementwise("exp", shifted), axis))
                return plus((shifted, scaled(MINUS, spread(sums, shape(shifted)))))
            case Elementwise("sigmoid", z):
                return scaled(MINUS, applied("softplus", scaled(MINUS, z)))
            case Plus((Ones(), Scale(factor, s))) if factor == MINUS:
                inner = self.meant(s)
                if isinstance(inner, Elementwise) and inner.fn == "sigmoid":
                    return scaled(MINUS, applied("softplus", inner.of))
            case Plus((Ones(), Elementwise("exp", z))) | Plus((Elementwise("exp", z), Ones())):
                return applied("softplus", z)
        return None

    def meant(self, m: Matrix) -> Matrix:
        """What a leaf stands for, as far as it is known."""
        while m in self.meaning:
            m = self.meaning[m]
        return m


def guarded(m: Matrix, by: Matrix) -> Matrix:
    """m where it is multiplied with `by`: beside [u > 0] or 1 - [u > 0], e^u must not overflow where that is 0."""
    match by:
        case Elementwise("step", u):
            return _clipped(m, scaled(MINUS, u), Elementwise("nonpositive", scaled(MINUS, u)))
        case Plus((Ones(), Scale(factor, Elementwise("step", u)))) if factor == MINUS:
            return _clipped(m, u, Elementwise("nonpositive", u))
    return m


def _clipped(m: Matrix, u: Matrix, least: Matrix) -> Matrix:
    """m with e^{min(u, 0)} in place of e^u."""
    match m:
        case Elementwise("exp", of) if of == u:
            return Elementwise("exp", least)
        case Plus(args):
            return Plus(tuple(_clipped(a, u, least) for a in args))
        case Hadamard(a, b):
            return Hadamard(_clipped(a, u, least), _clipped(b, u, least))
        case Scale(factor, of):
            return Scale(factor, _clipped(of, u, least))
    return m
