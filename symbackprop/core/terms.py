"""The term language: real-valued expressions in the entries of arrays of symbolic size, and predicates on them.

Values are real numbers and every function is total: arrays are read as functions on all integer tuples (a declared
array only fixes them inside its range), 1/0 is 0, and `log(-1)` and the like have some value that no law ever uses
without a condition.  Terms are immutable, compared with `==` up to the names of dummies, and hashed once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from fractions import Fraction
from typing import Any, TypeAlias, assert_never

from .indices import (
    EVERY_SIZE,
    PARTS,
    Affine,
    Bound,
    Index,
    IndexAtom,
    IndexExpr,
    Least,
    Node,
    Pick,
    ProofError,
    Size,
    SymbackpropError,
    affine,
    as_affine,
    at_least_zero,
    node,
    require,
    sized,
)

__all__ = [
    "EVERY_SIZE", "ONE", "PI", "VALUE_AXES", "ZERO", "Add", "Affine", "Apply", "Array", "AtLeastZero", "Bound", "Delta",
    "Diff", "Entry", "Holds", "Index", "IndexAtom", "IndexExpr", "Least", "Mul", "NonNegative", "Nonzero", "Num",
    "Ordinal", "Pick", "Positive", "Power", "Predicate", "ProofError", "Size", "Sum", "SymbackpropError", "Term",
    "Whole", "add", "affine", "arguments", "arrays", "as_affine", "at_least_zero", "bind", "div", "free", "map_index",
    "map_indices", "mul", "neg", "num", "open_body", "opened", "opened_whole", "over", "reach", "rebuilt", "require",
    "sized", "sub", "substitute", "subterms", "whole",
]  # fmt: skip


# --- terms -----------------------------------------------------------------------------------


@node
class Array(Node):
    """The name of an array, with the layer it belongs to if any: W, or W^{l+1}."""

    name: str
    label: Size | None = None

    def __str__(self) -> str:
        return self.name if self.label is None else f"{self.name}^{{{self.label}}}"


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


def num(value: Fraction | int) -> Num:
    return Num(Fraction(value))


def add(*args: Term) -> Term:
    return args[0] if len(args) == 1 else Add(args) if args else ZERO


def mul(*args: Term) -> Term:
    return args[0] if len(args) == 1 else Mul(args) if args else ONE


def neg(t: Term) -> Term:
    return Mul((num(-1), t))


def sub(a: Term, b: Term) -> Term:
    return Add((a, neg(b)))


def div(a: Term, b: Term) -> Term:
    return Mul((a, Power(b, Fraction(-1))))


# --- bound indices: `over` and `whole` close a body, `opened` and `opened_whole` open it ---------

IndexMap: TypeAlias = Callable[[IndexAtom, int], IndexExpr]


def map_index(e: IndexExpr, f: IndexMap, depth: int) -> IndexExpr:
    match e:
        case Index() | Bound():
            return f(e, depth)
        case Pick(array, at, size):
            return Pick(array, tuple(map_index(a, f, depth) for a in at), size)
        case Affine(constant, parts):
            mapped = [(map_index(a, f, depth), k) for a, k in parts]
            unchanged = all(new is old for (new, _), (old, _) in zip(mapped, parts, strict=True))
            return e if unchanged else affine(constant, mapped)
        case _:
            assert_never(e)


def map_indices(t: Term, f: IndexMap, depth: int = 0) -> Term:
    """Rebuild `t` with `f(index, number of binders around it)` in place of each index."""

    def go(s: Term) -> Term:
        return map_indices(s, f, depth)

    def ix(at: tuple[IndexExpr, ...]) -> tuple[IndexExpr, ...]:
        return tuple(map_index(a, f, depth) for a in at)

    match t:
        case Num() | Size():
            return t
        case Entry(array, at):
            return Entry(array, ix(at)) if at else t
        case Ordinal(of):
            return Ordinal(map_index(of, f, depth))
        case Delta(i, j):
            return Delta(map_index(i, f, depth), map_index(j, f, depth))
        case Add(args):
            return Add(tuple(map(go, args)))
        case Mul(args):
            return Mul(tuple(map(go, args)))
        case Power(base, exponent):
            return Power(go(base), exponent)
        case Apply(fn, arg, order):
            return Apply(fn, go(arg), order)
        case Sum(size, body, hint):
            return Sum(size, map_indices(body, f, depth + 1), hint)
        case Diff(body, wrt):
            return Diff(go(body), Entry(wrt.array, ix(wrt.at)))
        case Whole(fn, order, sizes, body, at, hints):
            return Whole(fn, order, sizes, map_indices(body, f, depth + len(sizes)), ix(at), hints)
        case Holds(p):
            return Holds(Positive(go(p.term)) if isinstance(p, Positive) else NonNegative(map_index(p.expr, f, depth)))
        case _:
            assert_never(t)


def free(t: Term) -> frozenset[Index]:
    """The named indices that occur in `t`."""
    try:
        return t._free
    except AttributeError:
        pass
    seen: set[Index] = set()

    def note(x: IndexAtom, _: int) -> IndexExpr:
        if isinstance(x, Index):
            seen.add(x)
        return x

    match t:  # reuse what the children know; only leaves are walked
        case Add(args) | Mul(args):
            found = frozenset[Index]().union(*(free(a) for a in args))
        case Sum(_, body) | Power(body, _) | Apply(_, body, _):
            found = free(body)
        case _:
            map_indices(t, note)
            found = frozenset(seen)
    object.__setattr__(t, "_free", found)
    return found


def bind(indices: tuple[Index, ...], body: Term) -> Term:
    """`body` with these indices nameless; the last one is Bound(0).  Refuses a dangling dummy: it would be captured."""
    place = {x: len(indices) - 1 - k for k, x in enumerate(indices)}
    require(len(place) == len(indices), "an index is bound twice")

    def f(x: IndexAtom, depth: int) -> IndexExpr:
        if isinstance(x, Bound):
            require(x.depth < depth, "dangling dummy in {}", body)
            return x
        return Bound(depth + place[x]) if isinstance(x, Index) and x in place else x

    return map_indices(body, f)


def open_body(body: Term, indices: tuple[IndexExpr, ...]) -> Term:
    """The body of a binder of len(indices) axes with these (closed) index expressions for its dummies."""
    count = len(indices)

    def f(x: IndexAtom, depth: int) -> IndexExpr:
        if isinstance(x, Bound) and x.depth >= depth:
            require(x.depth - depth < count, "dangling dummy in {}", body)
            return indices[count - 1 - (x.depth - depth)]
        return x

    return map_indices(body, f)


def hint(i: Index) -> str:
    """The letter to print for a bound index; what follows '#' only kept it apart."""
    return i.name.split("#")[0] or "k"


def over(i: Index, body: Term) -> Sum:
    """Σ_i body."""
    return Sum(i.size, bind((i,), body), hint(i))


def opened(s: Sum, i: Index) -> Term:
    """The body of `s` with its dummy called `i`."""
    require(i.size == s.size, "{} has {} values but the sum has {}", i.name, i.size, s.size)
    return open_body(s.body, (i,))


def whole(fn: str, order: int, axes: tuple[Index, ...], body: Term, at: tuple[IndexExpr, ...]) -> Whole:
    """fn of the array (axes) -> body, at the given indices."""
    return Whole(fn, order, tuple(a.size for a in axes), bind(axes, body), at, tuple(map(hint, axes)))


def opened_whole(w: Whole, axes: tuple[Index, ...]) -> Term:
    require(tuple(a.size for a in axes) == w.sizes, "the axes of {} have other sizes", w.fn)
    return open_body(w.body, axes)


def substitute(t: Term, values: dict[Index, IndexExpr]) -> Term:
    """`t` with index expressions in place of free indices (whose range is not looked at here)."""
    if values.keys().isdisjoint(free(t)):
        return t
    return map_indices(t, lambda x, _: values.get(x, x) if isinstance(x, Index) else x)


# --- what is inside -----------------------------------------------------------------------------

def arguments(t: Term) -> tuple[Term, ...]:
    match t:
        case Add(args) | Mul(args):
            return args
        case Power(base, _):
            return (base,)
        case Apply(_, arg, _):
            return (arg,)
        case Holds(Positive(term)):
            return (term,)
        case _:
            return ()


def rebuilt(t: Term, args: tuple[Term, ...]) -> Term:
    match t:
        case Add():
            return Add(args)
        case Mul():
            return Mul(args)
        case Power(_, exponent):
            return Power(args[0], exponent)
        case Apply(fn, _, order):
            return Apply(fn, args[0], order)
        case Holds(Positive()):
            return Holds(Positive(args[0]))
        case _:
            raise ProofError(f"{t} has no arguments to replace")


def subterms(t: Term) -> list[Term]:
    out: list[Term] = [t]
    for s in out:
        match s:
            case Sum(_, body, _) | Diff(body, _) | Whole(_, _, _, body, _, _):
                out.append(body)
                if isinstance(s, Diff):
                    out.append(s.wrt)
            case _:
                out.extend(arguments(s))
    return out


def arrays(t: Term) -> frozenset[Array]:
    """The arrays of which an entry occurs in `t`."""
    try:
        return t._arrays
    except AttributeError:
        pass
    match t:
        case Entry(array, _):
            found = frozenset({array})
        case Diff(body, wrt):
            found = arrays(body) | {wrt.array}
        case Sum(_, body, _) | Whole(_, _, _, body, _, _):
            found = arrays(body)
        case _:
            found = frozenset[Array]().union(*map(arrays, arguments(t)))
    object.__setattr__(t, "_arrays", found)
    return found


def reach(x: Any) -> int:
    """How many binders must stand around a term or an index expression; 0 for a closed one."""
    match x:
        case tuple():
            return max(map(reach, x), default=0)
        case Bound(depth):
            return int(depth) + 1
        case Node():
            pass
        case _:
            return 0
    try:
        return x._reach
    except AttributeError:
        pass
    match x:
        case Sum(_, body, _):
            found = max(reach(body) - 1, 0)
        case Whole(_, _, sizes, body, at, _):
            found = max(reach(body) - len(sizes), reach(at))
        case _:
            found = reach(PARTS[type(x)](x))
    object.__setattr__(x, "_reach", found)
    return found
