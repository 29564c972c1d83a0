"""Matrix forms made ready for NumPy: what has no NumPy word, or only an unstable one, becomes forms that have.

The result means the same numbers.  Softmax and its logarithm are shifted by the largest entry, log of a sigmoid and
log(1 + e^z) become softplus, products with matrices of ones become sums and broadcasting, products with diagonal
matrices become Hadamard products.  Entries, as activations and their slopes are given, are read back as forms.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import TypeAlias

from symbackprop.core.functions import FUNCTIONS
from symbackprop.core.indices import Index, Node, Size, node
from symbackprop.core.matrix import (
    UNIT,
    ElementPower,
    Elementwise,
    Given,
    Hadamard,
    Leaf,
    Matrix,
    Ones,
    Plus,
    Product,
    Scale,
    Softmax,
    Transpose,
    Zeros,
    shape,
)
from symbackprop.core.terms import (
    Add,
    Apply,
    Entry,
    Holds,
    Mul,
    Num,
    Positive,
    Power,
    SymbackpropError,
    Term,
    Whole,
    dummy,
    mul,
    subterms,
)
from symbackprop.network.activations import ACTIVATIONS, Z, derivative
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
    transposed,
)

# What an entry that is no array's stands for (the variable of an activation), or None.
Base = Callable[[Entry], Matrix | None]


def form_of_entries(t: Term, row: Index, column: Index, base: Base = lambda _: None) -> Matrix:
    """The form whose entry at (row, column) is t: arithmetic in entries there.

    Raises SymbackpropError where it finds none.
    """

    def form(t: Term) -> Matrix:
        return form_of_entries(t, row, column, base)

    here = (row.size, column.size)
    match t:
        case Entry() if (found := base(t)) is not None:
            return found
        case Entry(array, at) if at in ((row, column), (row,), (column,)):
            kind = "matrix" if len(at) == 2 else "column" if at == (row,) else "row"
            return Leaf(array, kind, here)
        case _ if is_scalar(t) and not mentions(t, base):
            return scaled(t, Ones(here))
        case Add(args):
            return Plus(tuple(map(form, args)))
        case Mul(args):
            scalars = [a for a in args if is_scalar(a) and not mentions(a, base)]
            others = [form(a) for a in args if a not in scalars]
            return scaled(mul(*scalars), reduce(hadamard, others) if others else Ones(here))
        case Power(of, exponent):
            return ElementPower(form(of), exponent)
        case Apply(fn, arg, order):
            return Elementwise(fn, form(arg), order)
        case Holds(Positive(of)):
            return Elementwise("step", form(of))
        case Whole(fn):
            raise SymbackpropError(f"the function {fn!r} is abstract, or no matrix form was found for it")
    raise SymbackpropError(f"no matrix form found for {type(t).__name__.lower()} in an entry")


def mentions(t: Term, base: Base) -> bool:
    return any(isinstance(s, Entry) and base(s) is not None for s in subterms(t))


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
    ) -> None:
        self.leaf, self.scalar, self.name = leaf, scalar, name
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
            case Ones() | Zeros():
                return m
            case _:
                raise SymbackpropError(f"no NumPy code for a {type(m).__name__.lower()} of matrices")

    def shifted(self, z: Matrix, axis: int) -> Matrix:
        """Z minus its largest entry in each sample: softmax does not see the shift, and e^0 = 1 is the largest."""
        if (z, axis) not in self.peaks:
            self.peaks[z, axis] = self.name(Peak(z, axis))
        return plus((z, scaled(MINUS, spread(self.peaks[z, axis], shape(z)))))

    def function(self, fn: str, of: Matrix, order: int) -> Matrix:
        if order == 0:
            if fn == "log" and (stable := self.stable_log(of)) is not None:
                return stable
            if fn in ELEMENTARY:
                return applied(fn, of)
        value = ACTIVATIONS[fn].value if fn in ACTIVATIONS else Apply(fn, Z)
        if order:
            value = ACTIVATIONS[fn].slope if fn in ACTIVATIONS else derivative(value)
            for _ in range(order - 1):
                value = derivative(value)
        if fn not in ACTIVATIONS and fn not in ELEMENTARY:
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
