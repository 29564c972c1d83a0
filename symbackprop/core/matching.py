"""Is a term an instance of a pattern, for some values of the pattern's free indices?"""

from __future__ import annotations

from .indices import EVERY_SIZE, PARTS, Index, IndexExpr, Least, Node
from .ranges import within
from .terms import Term, reach

Values = dict[Index, IndexExpr]


def instance(pattern: Term, t: Term, least: Least = EVERY_SIZE) -> Values | None:
    """Values of the free indices of `pattern`, each inside its range, that make it `t`; or None."""
    found: Values = {}
    fits = matches(pattern, t, found) and all(within(e, i.size, least) for i, e in found.items())
    return found if fits else None


def matches(pattern: object, x: object, found: Values) -> bool:
    """Part by part.  A free index of the pattern cannot stand for what is bound inside the pattern."""
    match pattern, x:
        case Index(), Node():
            return reach(x) == 0 and found.setdefault(pattern, x) == x  # type: ignore[arg-type]
        case tuple(), tuple():
            return len(pattern) == len(x) and all(matches(a, b, found) for a, b in zip(pattern, x, strict=True))
        case Node(), Node():
            parts = PARTS[type(pattern)]
            return type(pattern) is type(x) and matches(parts(pattern), parts(x), found)
        case _:
            return pattern == x
