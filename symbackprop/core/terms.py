"""The term language: real-valued expressions in the entries of arrays of symbolic size, and predicates on them.

Values are real numbers and every function is total: arrays are read as functions on all integer tuples (a declared
array only fixes them inside its range), 1/0 is 0, and `log(-1)` and the like have some value that no law ever uses
without a condition.  Terms are immutable, compared with `==` up to the names of dummies, and hashed once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from fractions import Fraction
from typing import Any, TypeAlias

from .indices import (
    EVERY_SIZE, PARTS, Affine, Bound, Index, IndexAtom, IndexExpr, Least, Node, Pick, ProofError, Size,
    SymbackpropError, affine, as_affine, at_least_zero, require, sized,
)  # fmt: skip
from .syntax import (
    ONE, PI, VALUE_AXES, ZERO, Add, Apply, Array, AtLeastZero, Delta, Diff, Entry, Holds, Mul, NonNegative, Nonzero,
    Num, Ordinal, Positive, Power, Predicate, Sum, Term, Whole,
)  # fmt: skip

__all__ = [
    "EVERY_SIZE", "ONE", "PI", "VALUE_AXES", "ZERO", "Add", "Affine", "Apply", "Array", "AtLeastZero", "Bound", "Delta",
    "Diff", "Entry", "Holds", "Index", "IndexAtom", "IndexExpr", "Least", "Mul", "NonNegative", "Nonzero", "Num",
    "Ordinal", "Pick", "Positive", "Power", "Predicate", "ProofError", "Size", "Sum", "SymbackpropError", "Term",
    "Whole", "add", "affine", "arguments", "arrays", "as_affine", "at_least_zero", "bind", "div", "free", "map_indices",
    "mul", "neg", "num", "of_same", "open_body", "opened", "opened_whole", "over", "reach", "rebuilt", "require",
    "sized", "sub", "substitute", "subterms", "sum_over", "whole",
]  # fmt: skip


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


def bind(indices: tuple[Index, ...], body: Term) -> Term:
    """`body` with these indices nameless; the last one is Bound(0).  Refuses a dangling dummy: it would be captured."""
    place = {x: len(indices) - 1 - k for k, x in enumerate(indices)}
    require(len(place) == len(indices), "an index is bound twice")
    require(not reach(body), "dangling dummy in {}", body)

    def f(x: IndexAtom, depth: int) -> IndexExpr:
        return Bound(depth + place[x]) if isinstance(x, Index) and x in place else x

    return map_indices(body, f, place.keys())


def open_body(body: Term, indices: tuple[IndexExpr, ...]) -> Term:
    """The body of a binder of len(indices) axes with these (closed) index expressions for its dummies."""
    count = len(indices)

    def f(x: IndexAtom, depth: int) -> IndexExpr:
        if isinstance(x, Bound) and x.depth >= depth:
            require(x.depth - depth < count, "dangling dummy in {}", body)
            return indices[count - 1 - (x.depth - depth)]
        return x

    return map_indices(body, f, ())


def hint(i: Index) -> str:
    """The letter to print for a bound index; what follows '#' only kept it apart."""
    return i.name.split("#")[0] or "k"


def over(i: Index, body: Term) -> Sum:
    """Σ_i body."""
    return Sum(i.size, bind((i,), body), hint(i))


def sum_over(axes: tuple[Index, ...], body: Term) -> Term:
    """Σ over all of these, the first outermost."""
    for i in reversed(axes):
        body = over(i, body)
    return body


def opened(s: Sum, i: Index) -> Term:
    """The body of `s` with its dummy called `i`."""
    require(i.size == s.size, "{} has {} values but the sum has {}", i.name, i.size, s.size)
    return open_body(s.body, (i,))


def whole(fn: str, order: int, axes: tuple[Index, ...], body: Term, at: tuple[IndexExpr, ...]) -> Whole:
    """fn of the array (axes) -> body, at the given indices."""
    return Whole(fn, order, tuple(a.size for a in axes), bind(axes, body), at, tuple(map(hint, axes)))


def of_same(fn: str, w: Whole, at: tuple[IndexExpr, ...] = ()) -> Whole:
    """Another function of the array that `w` is a function of."""
    return Whole(fn, 0, w.sizes, w.body, at, w.hints)


def opened_whole(w: Whole, axes: tuple[Index, ...]) -> Term:
    require(tuple(a.size for a in axes) == w.sizes, "the axes of {} have other sizes", w.fn)
    return open_body(w.body, axes)


def substitute(t: Term, values: dict[Index, IndexExpr]) -> Term:
    """`t` with index expressions in place of free indices (whose range is not looked at here)."""
    def f(x: IndexAtom, _: int) -> IndexExpr:
        return values.get(x, x)  # type: ignore[arg-type]
    return map_indices(t, f, values.keys())


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
        case Add(args) | Mul(args):
            found = together(args)
        case Power(part, _) | Apply(_, part, _) | Holds(part) | Positive(part) | Ordinal(part) | NonNegative(part):
            found = inside(part)
        case Num() | Size():
            found = NOTHING
        case Index():
            found = frozenset({x}), 0, NOTHING[2]
        case Bound(depth):
            found = NOTHING[0], depth + 1, NOTHING[2]
        case Entry(array, at):
            found = *together(at)[:2], frozenset({array})
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
