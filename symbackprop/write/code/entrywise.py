"""From entries back to a matrix form: (i, j) -> body, where the body is arithmetic in entries and sums of products."""

from __future__ import annotations

from collections.abc import Callable

from symbackprop.core.indices import Index, IndexExpr
from symbackprop.core.matrix import (
    UNIT,
    ZERO_INDEX,
    ElementPower,
    Elementwise,
    Identity,
    Leaf,
    Matrix,
    Ones,
    Plus,
    Transpose,
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
    Size,
    Sum,
    SymbackpropError,
    Term,
    Whole,
    dummy,
    free,
    mul,
    opened,
)

from .simplify import hadamard, product, scaled, spread, summed

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
