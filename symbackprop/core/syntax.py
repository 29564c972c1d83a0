"""The term language: real-valued expressions in the entries of arrays of symbolic size, and predicates on them.

Values are real numbers and every function is total: arrays are read as functions on all integer tuples (a declared
array only fixes them inside its range), 1/0 is 0, and `log(-1)` and the like have some value that no law ever uses
without a condition.  Terms are immutable, compared with `==` up to the names of dummies, and hashed once.
"""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction
from typing import TypeAlias

from .indices import IndexExpr, Node, Size, node, require

# --- terms -----------------------------------------------------------------------------------


@node
class Array(Node):
    """The name of an array, with the layer it belongs to if any: W, or W^{l+1}."""

    name: str
    label: Size | None = None


@node
class Num(Node):
    value: Fraction


@node
class Entry(Node):
    """W_ij; x with at=() is a scalar variable."""

    array: Array
    at: tuple[IndexExpr, ...]


@node
class Ordinal(Node):
    """The value of an index expression as a number (NumPy's arange)."""

    of: IndexExpr


@node
class Delta(Node):
    """Kronecker's delta: 1 where i = j as integers, else 0."""

    i: IndexExpr
    j: IndexExpr


@node
class Add(Node):
    args: tuple[Term, ...]


@node
class Mul(Node):
    args: tuple[Term, ...]


@node
class Power(Node):
    """base^exponent with a rational exponent; roots are of positive bases."""

    base: Term
    exponent: Fraction


@node
class Apply(Node):
    """fn(arg), or its derivative of the given order for a function without a name in the tables."""

    fn: str
    arg: Term
    order: int = 0


@node
class Sum(Node):
    """Σ over 0 .. size-1 of the body, in which the dummy is Bound(0)."""

    size: Size
    body: Term
    hint: str = field(compare=False, default="k")


@node
class Diff(Node):
    """The partial derivative of the body by one entry of an array."""

    body: Term
    wrt: Entry


@node
class Whole(Node):
    """An entry of a function of a whole array: an abstract loss L(y), det, inv, max, prod.

    The array is (indices) -> body; the last axis is Bound(0).  `at` first gives the indices of the
    value (inv has two), then, for an abstract scalar function, one group of indices for each derivative:
    Whole("L", 1, (n,), y, (i,)) is ∂L(y)/∂y_i.
    """

    fn: str
    order: int
    sizes: tuple[Size, ...]
    body: Term
    at: tuple[IndexExpr, ...]
    hints: tuple[str, ...] = field(compare=False, default=())

    def __post_init__(self) -> None:
        """The value of a known function has its number of indices; derivatives are of abstract functions only."""
        axes = len(self.sizes)
        if self.fn not in VALUE_AXES:
            require(len(self.at) >= self.order * axes, "one group of indices for each derivative of {}", self.fn)
            return
        value = VALUE_AXES[self.fn]
        require(self.order == 0, "{} has no derivative symbol", self.fn)
        require(len(self.at) == (axes if value is None else value), "{} with {} indices", self.fn, len(self.at))
        if self.fn in ("inv", "det"):
            require(axes == 2 and self.sizes[0] == self.sizes[1], "{} of a matrix that is not square", self.fn)


@node
class Holds(Node):
    """1 where the predicate holds, else 0."""

    predicate: Positive | NonNegative


Term: TypeAlias = Num | Size | Entry | Ordinal | Delta | Add | Mul | Power | Apply | Sum | Diff | Whole | Holds


# --- predicates ------------------------------------------------------------------------------


@node
class Positive(Node):
    """term > 0"""

    term: Term


@node
class Nonzero(Node):
    """term != 0"""

    term: Term


@node
class AtLeastZero(Node):
    """term >= 0"""

    term: Term


@node
class NonNegative(Node):
    """index expression >= 0"""

    expr: IndexExpr


Predicate: TypeAlias = Positive | Nonzero | AtLeastZero | NonNegative

# Functions of arrays that the laws know, and how many indices their value has (None: as many as the array).
VALUE_AXES: dict[str, int | None] = {
    "inv": 2, "det": 0, "max": 0, "argmax": None, "prod": 0, "gap": 0, "min": 0, "pinv": 2,
}  # fmt: skip

ZERO, ONE = Num(Fraction(0)), Num(Fraction(1))
PI = Entry(Array("pi"), ())  # the number; never a variable
