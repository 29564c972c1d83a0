"""The term language as a whole: what indices and syntax have, and terms made, taken apart and put in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import count
from operator import is_
from typing import Any, TypeAlias, assert_never

from .indices import (
    EVERY_SIZE, Affine, Bound, Index, IndexAtom, IndexExpr, Least, Pick, ProofError, Size,
    SymbackpropError, affine, as_affine, at_least_zero, require, sized,
)  # fmt: skip
from .syntax import (
    ONE, PI, VALUE_AXES, ZERO, Add, Apply, Array, AtLeastZero, Delta, Diff, Entry, Holds, Mul, NonNegative, Nonzero,
    Num, Ordinal, Positive, Power, Predicate, Sum, Term, Whole, arrays, free, inside, map_indices, reach, substitute,
)  # fmt: skip

__all__ = [
    "EVERY_SIZE", "NO_NAMES", "ONE", "PI", "VALUE_AXES", "ZERO", "Add", "Affine", "Apply", "Array", "AtLeastZero",
    "Bound", "Delta", "Diff", "Entry", "Holds", "Index", "IndexAtom", "IndexExpr", "Key", "Least", "Mul", "Names",
    "NonNegative", "Nonzero", "Num", "Ordinal", "Pick", "Positive", "Power", "Predicate", "ProofError", "Size", "Sum",
    "SymbackpropError", "Term", "Whole", "add", "affine", "arguments", "arrays", "as_affine", "at_least_zero", "bind",
    "div", "dummy", "flattened", "free", "index_key", "indices", "inside", "is_negative", "keep_apart", "key",
    "map_indices", "map_opened", "map_parts", "mul", "neg", "num", "of_same", "open_body", "opened", "opened_whole",
    "opposite", "over", "predicate_key", "reach", "rebuilt", "replaced", "require", "sized", "sub", "substitute",
    "subterms", "sum_over", "whole",
]  # fmt: skip


def num(value: Fraction | int) -> Num:
    return Num(Fraction(value))


def add(*args: Term) -> Term:
    return args[0] if len(args) == 1 else Add(args) if args else ZERO


def mul(*args: Term) -> Term:
    return args[0] if len(args) == 1 else Mul(args) if args else ONE


def neg(t: Term) -> Term:
    return Mul((num(-1), t))


def is_negative(t: Term) -> bool:
    """A negative number, or one in front."""
    match t:
        case Num(value) | Mul((Num(value), *_)):
            return value < 0
        case _:
            return False


def opposite(t: Term) -> Term:
    """-t, where a number in front changes its sign."""
    match t:
        case Num(value):
            return Num(-value)
        case Mul((Num(value), *rest)) if rest:
            return mul(*rest) if value == -1 else Mul((Num(-value), *rest))
        case _:
            return neg(t)


def flattened(kind: type[Add] | type[Mul], *args: Term) -> list[Term]:
    """What a sum of sums adds up, or a product of products multiplies."""
    return [x for a in args for x in (flattened(kind, *a.args) if isinstance(a, kind) else (a,))]


def sub(a: Term, b: Term) -> Term:
    return Add((a, neg(b)))


def div(a: Term, b: Term) -> Term:
    return Mul((a, Power(b, Fraction(-1))))


# --- new indices ----------------------------------------------------------------------------------

_counter = 0


def dummy(size: Size, letter: str = "k") -> Index:
    """A new index; its number keeps it apart from every other, and `over` forgets the name."""
    global _counter
    _counter += 1
    return Index(f"{letter}#{_counter}", size)


def indices(shape: Iterable[Size], letter: str) -> tuple[tuple[Index, ...], tuple[IndexExpr, ...]]:
    """Indices for the axes longer than 1, and the index expressions of all axes."""
    axes = [Index(f"{letter}{k}", s) for k, s in enumerate(shape)]
    return tuple(i for i in axes if i.size != sized(1)), tuple(affine(0, ()) if i.size == sized(1) else i for i in axes)


def keep_apart(names: Iterable[str]) -> None:
    """No later dummy is called like any of these."""
    global _counter
    _counter = max([_counter, *(int(n) for name in names if (n := name.rpartition("#")[2]).isdecimal())])


# --- binders: `over` and `whole` close a body, `opened` and `opened_whole` open it ---------------

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


def sum_over(axes: Iterable[Index], body: Term) -> Term:
    """Σ over all of these, the first outermost."""
    for i in reversed(tuple(axes)):
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


def fresh_axes(sizes: tuple[Size, ...], avoid: Term) -> tuple[Index, ...]:
    """Different indices of these sizes, ~1, ~2, ..., that are not free in `avoid`."""
    taken = {i.name for i in free(avoid)}
    names = (name for k in count(1) if (name := f"~{k}") not in taken)
    return tuple(Index(next(names), size) for size in sizes)


def body_of(t: Sum | Whole) -> Term:
    """What it is a sum or a function of, the dummies called ~1, ~2, ..."""
    return open_body(t.body, fresh_axes((t.size,) if isinstance(t, Sum) else t.sizes, t.body))


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


def parts(t: Term) -> tuple[Term, ...]:
    """The terms inside it, bodies of binders too."""
    match t:
        case Diff(body, wrt):
            return body, wrt
        case Sum(_, body, _) | Whole(_, _, _, body, _, _):
            return (body,)
        case _:
            return arguments(t)


def places(t: Term) -> tuple[IndexExpr, ...]:
    """The index expressions of one node."""
    match t:
        case Entry(_, at) | Whole(_, _, _, _, at, _):
            return at
        case Delta(i, j):
            return (i, j)
        case Ordinal(e) | Holds(NonNegative(e)):
            return (e,)
        case _:
            return ()


def map_parts(t: Term, f: Callable[[Term], Term]) -> Term:
    """The term with f of each of its parts; bodies of binders as they are, and no entry that is differentiated by.

    Where f changes none of them it is the term itself, of which the hash and more is known.
    """
    match t:
        case Diff(body) | Sum(_, body) | Whole(_, _, _, body):
            new = f(body)
            return t if new is body else replace(t, body=new)
        case _:
            args = arguments(t)
            news = tuple(map(f, args))
            return t if all(map(is_, args, news)) else rebuilt(t, news)


def map_opened(t: Term, f: Callable[[Term], Term], new: Callable[[Size], Index] = dummy) -> Term:
    """The same with new indices for the dummies of binders while f looks at the bodies."""
    match t:
        case Sum(size, body, _):
            i = new(size)
            return over(i, f(open_body(body, (i,))))
        case Whole(fn, order, sizes, body, at, _):
            axes = tuple(map(new, sizes))
            return whole(fn, order, axes, f(open_body(body, axes)), at)
        case _:
            return map_parts(t, f)


def replaced(t: Term, old: Term, new: Term) -> Term:
    """`new` for `old`, everywhere: no index of the two is bound in between, dummies are the same ones in both."""
    return new if t == old else map_parts(t, lambda s: replaced(s, old, new))


def subterms(t: Term) -> list[Term]:
    out: list[Term] = [t]
    for s in out:
        out.extend(parts(s))
    return out


def longer(terms: Iterable[Term], most: int) -> bool:
    """Whether they hold more subterms than that, counted no further."""
    work = list(terms)
    for seen, t in enumerate(work, 1):
        if seen > most:
            return True
        work.extend(parts(t))
    return False


# --- order ---------------------------------------------------------------------------------------

Key: TypeAlias = tuple[Any, ...]
Names: TypeAlias = Mapping[Index, int]
NO_NAMES: Names = {}


def key(t: Term, names: Names = NO_NAMES) -> Key:
    """Equal keys mean equal terms up to the order of sums' and products' arguments.

    Keys are nested tuples that begin with a tag, so any two of them can be compared and the order is the same in every
    run.  `names` gives canonical numbers to some indices, so that the key of a monomial need not depend on what its
    dummies are called.
    """
    if names and not names.keys().isdisjoint(free(t)):
        return _key(t, names)
    try:
        return t._key
    except AttributeError:
        found = _key(t, NO_NAMES)
        object.__setattr__(t, "_key", found)
        return found


def index_key(e: IndexExpr, names: Names = NO_NAMES) -> Key:
    match e:
        case Index(name, size):
            number = names.get(e)
            return (1, name, size.monomials) if number is None else (0, number, size.monomials)
        case Bound(depth):
            return (2, depth)
        case Pick(array, at, size):
            return (3, array, tuple(index_key(a, names) for a in at), size.monomials)
        case Affine(constant, parts):
            return (4, constant.monomials, tuple(sorted((index_key(a, names), k.monomials) for a, k in parts)))
        case _:
            assert_never(e)


def _key(t: Term, names: Names) -> Key:
    match t:
        case Num(value):
            return (0, value.numerator, value.denominator)
        case Size(monomials):
            return (1, monomials)
        case Entry(array, at):
            label = None if array.label is None else array.label.monomials
            return (2, array.name, label is not None, label or (), tuple(index_key(a, names) for a in at))
        case Ordinal(of):
            return (3, index_key(of, names))
        case Delta(i, j):  # δ(i, j) is about i - j up to sign
            one, other = (affine(0, ((a, 1), (b, -1))) for a, b in ((i, j), (j, i)))
            return (4, min(_affine_key(one, names), _affine_key(other, names)))
        case Add(args):
            return (5, tuple(sorted(key(a, names) for a in args)))
        case Mul(args):
            return (6, tuple(sorted(key(a, names) for a in args)))
        case Power(base, exponent):
            return (7, key(base, names), exponent.numerator, exponent.denominator)
        case Apply(fn, arg, order):
            return (8, fn, order, key(arg, names))
        case Sum(size, body, _):
            return (9, size.monomials, key(body, names))
        case Diff(body, wrt):
            return (10, key(body, names), key(wrt, names))
        case Whole(fn, order, sizes, body, at, _):
            shape = tuple(s.monomials for s in sizes)
            return (11, fn, order, shape, key(body, names), tuple(index_key(a, names) for a in at))
        case Holds(Positive(term)):
            return (12, key(term, names))
        case Holds(NonNegative(expr)):
            return (13, index_key(expr, names))
        case _:
            raise TypeError(f"not a term: {t!r}")


def _affine_key(e: IndexExpr, names: Names) -> Key:
    constant, parts = as_affine(e)
    return (constant.monomials, tuple(sorted((index_key(a, names), k.monomials) for a, k in parts)))


def predicate_key(p: Predicate) -> Key:
    body = (index_key(p.expr) if isinstance(p, NonNegative) else key(p.term),)
    return (type(p).__name__, *body)
