"""The term language: real-valued expressions in the entries of arrays of symbolic size, predicates and arrays of terms.

Values are real numbers and every function is total: arrays are read as functions on all integer tuples (a declared
array only fixes them inside its range), 1/0 is 0, and `log(-1)` and the like have some value that no law ever uses
without a condition.  Terms are immutable, compared with `==` up to the names of dummies, and hashed once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import field
from fractions import Fraction
from typing import Any, TypeAlias

from .indices import PARTS, Affine, Bound, Index, IndexAtom, IndexExpr, Node, Pick, Size, affine, node, require

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


IndexMap: TypeAlias = Callable[[IndexAtom, int], IndexExpr]
Inside: TypeAlias = tuple[frozenset[Index], int, frozenset[Array]]


def map_indices(t: Term, f: IndexMap, named: Collection[Index] | None = None) -> Term:
    """Rebuild `t` with `f(index, number of binders around it)` for its dangling dummies and named indices.

    What has no dangling dummy and none of the indices `named` is kept as it is.
    """
    found: Term = mapped(t, f, named, 0)
    return found


def mapped(x: Any, f: IndexMap, named: Collection[Index] | None, depth: int) -> Any:
    kind = type(x)
    if kind is tuple:
        return tuple([mapped(part, f, named, depth) for part in x])
    if kind is Index or kind is Bound:
        return f(x, depth)
    if kind not in PARTS:
        return x
    within = inside(x)
    if within[1] <= depth and within[0].isdisjoint(within[0] if named is None else named):
        return x
    if kind is Affine:
        return affine(x.constant, [(mapped(atom, f, named, depth), k) for atom, k in x.parts])
    inner = depth + (1 if kind is Sum else len(x.sizes) if kind is Whole else 0)
    return kind(*[mapped(getattr(x, n), f, named, inner if n == "body" else depth) for n in kind.__match_args__])


def substitute(t: Term, values: dict[Index, IndexExpr]) -> Term:
    """`t` with index expressions in place of free indices (whose range is not looked at here)."""

    def f(x: IndexAtom, _: int) -> IndexExpr:
        return values.get(x, x)  # type: ignore[arg-type]

    return map_indices(t, f, values.keys())


# --- what is inside -----------------------------------------------------------------------------


def free(t: Term) -> frozenset[Index]:
    """The named indices that occur in `t`."""
    try:
        return t._inside[0]
    except AttributeError:
        return inside(t)[0]


def reach(x: Term | IndexExpr) -> int:
    """How many binders must stand around it; none for a closed one."""
    return inside(x)[1]


def arrays(t: Term) -> frozenset[Array]:
    """The arrays of which an entry occurs in `t`."""
    return inside(t)[2]


NOTHING: Inside = (frozenset(), 0, frozenset())


def inside(x: Any) -> Inside:
    """What `free`, `reach` and `arrays` say, of a node or a tuple of nodes; of other parts of nodes, nothing."""
    try:
        found: Inside = x._inside
        return found
    except AttributeError:
        pass
    match x:
        case Entry(array, at):  # the most frequent first
            found = *together(at)[:2], frozenset({array})
        case Add(args) | Mul(args):
            found = together(args)
        case Num() | Size():
            found = NOTHING
        case Index():
            found = frozenset({x}), 0, NOTHING[2]
        case Bound(depth):
            found = NOTHING[0], depth + 1, NOTHING[2]
        case Power(part, _) | Apply(_, part, _) | Holds(part) | Positive(part) | Ordinal(part) | NonNegative(part):
            found = inside(part)
        case Sum(_, body, _):
            named, around, within = inside(body)
            found = named, max(around - 1, 0), within
        case Whole(_, _, sizes, body, at, _):
            named, around, within = inside(body)
            found = together((*at, body))[0], max(around - len(sizes), together(at)[1]), within
        case Affine(_, parts):
            found = together([atom for atom, _ in parts])
        case Pick(_, at, _):
            found = together(at)
        case Node():
            found = inside(PARTS[type(x)](x))
        case tuple():
            return together(x)
        case _:
            return NOTHING
    object.__setattr__(x, "_inside", found)
    return found


def together(parts: Iterable[Any]) -> Inside:
    named, around, arrays = NOTHING
    for part in parts:
        more, depth, others = inside(part)
        named = named | more if named else more
        arrays = arrays | others if arrays else others
        if depth > around:
            around = depth
    return named, around, arrays


@node
class Tensor(Node):
    """An array whose entry at `axes` is `body`; shape () has no axes and the body is the value.

    The axes are free in the body and private to the tensor: `at` renames them.
    """

    axes: tuple[Index, ...]
    body: Term

    @property
    def shape(self) -> tuple[Size, ...]:
        return tuple(i.size for i in self.axes)

    def at(self, *indices: IndexExpr) -> Term:
        """The entry at these index expressions (all replaced at once)."""
        require(len(indices) == len(self.axes), "{} indices are needed, not {}", len(self.axes), len(indices))
        return substitute(self.body, dict(zip(self.axes, indices, strict=True)))
