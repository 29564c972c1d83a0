"""When one predicate says another: the rule by which reasons meet conditions, and hypotheses meet signs.

A predicate is meant for all values of its free indices, so it says each of its instances: itself with index
expressions in place of free indices, each inside the range of its index.  Sums and products are read in any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from .indices import EVERY_SIZE, PARTS, Index, IndexExpr, Least, Node
from .ordering import key
from .ranges import within
from .tensor import Tensor
from .terms import Add, Mul, NonNegative, Predicate, Term, arrays, inside, reach

Values: TypeAlias = dict[Index, IndexExpr]


def anywhere(meaning: Tensor, at: tuple[IndexExpr, ...], names: tuple[Index, ...] = ()) -> Term:
    """The entry there, up to what its indices are called where these are different: for what holds for all of them.

    They are then the axes, or these names.
    """
    different = {i for i in at if isinstance(i, Index)}
    same = len(different) == len(at) and meaning.shape == tuple(i.size for i in at if isinstance(i, Index))
    return meaning.at(*(names or meaning.axes) if same else at)


def says(general: Predicate, p: Predicate, least: Least = EVERY_SIZE) -> bool:
    """Whether p is an instance of the general predicate; of e >= 0 there is only itself."""
    if isinstance(general, NonNegative) or isinstance(p, NonNegative):
        return general == p
    return type(general) is type(p) and instance(general.term, p.term, least) is not None


def instance(pattern: Term, t: Term, least: Least = EVERY_SIZE) -> Values | None:
    """Values of the free indices of `pattern`, each inside its range, that make it `t`; or None."""
    if type(pattern) is not type(t) or arrays(pattern) != arrays(t):
        return None
    fits = (v for v in matches(pattern, t, {}) if all(within(e, i.size, least) for i, e in v.items()))
    return next(fits, None)


def matches(pattern: object, x: object, found: Values) -> Iterator[Values]:
    """Part by part.  A free index of the pattern cannot stand for what is bound inside the pattern."""
    match pattern, x:
        case Index(), Node():
            if reach(x) == 0 and found.get(pattern, x) == x:  # type: ignore[arg-type]
                yield {**found, pattern: x}  # type: ignore[dict-item]
        case Node(), Node() if not inside(pattern)[0]:
            if pattern == x or (isinstance(pattern, Term) and isinstance(x, Term) and key(pattern) == key(x)):
                yield found
        case (Add(a), Add(b)) | (Mul(a), Mul(b)):
            for k, part in enumerate(b if len(a) == len(b) else ()):
                for more in matches(a[0], part, found):
                    yield from matches(type(pattern)(a[1:]), type(pattern)(b[:k] + b[k + 1 :]), more)  # type: ignore
        case tuple(), tuple():
            if pattern and len(pattern) == len(x):
                for more in matches(pattern[0], x[0], found):
                    yield from matches(pattern[1:], x[1:], more)
            elif pattern == x:
                yield found
        case Node(), Node():
            if type(pattern) is type(x):
                yield from matches(PARTS[type(pattern)](pattern), PARTS[type(x)](x), found)
        case _:
            if pattern == x:
                yield found
