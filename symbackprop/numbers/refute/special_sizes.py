"""Sizes that the numbers in a claim point at: n = 17 for 1/(n - 17), n = 8 for x[7]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symbackprop.core.indices import Affine, Bound, Index, IndexExpr, Pick, Size
from symbackprop.core.terms import Add, Mul, Num, Sum, Term, Whole, places, subterms

from .points import QUICK_POINT, Question, Sampler

LARGEST_SIZE = 128


def special_sizes(question: Question, sampler: Sampler) -> list[dict[str, int]]:
    """Sizes at which size expressions and named indices change, the other sizes small."""
    least = {s: question.sizes_min.get(s, 1) for s in sampler.symbols}
    found: list[dict[str, int]] = []
    for symbol, n in critical_sizes(question, sampler.symbols):
        for others in ({s: max(2, k) for s, k in least.items()}, least):
            sizes = {**others, symbol: n}
            large = max(4, least[symbol]) <= n <= LARGEST_SIZE
            fits = large and sampler.possible(sizes) and sampler.small(sizes, QUICK_POINT)
            if fits and sizes not in found:
                found.append(sizes)
                break
    return found


def critical_sizes(question: Question, symbols: Iterable[str]) -> Iterator[tuple[str, int]]:
    """(symbol, value) where a size expression linear in the symbol is 0, just above, and where two of these meet."""
    bodies = [d.body for d in question.definitions.values()]
    inside = [t for side in (question.rhs, question.lhs, *bodies) for t in subterms(side)]
    expressions = dict.fromkeys(e for t in inside for e in sizes_in(t))
    numbers = dict.fromkeys(abs(e.constant) for e in expressions if e.constant is not None)
    numbers |= dict.fromkeys(n for t in inside for n in numbers_beside_sizes(t))
    zeros = {s: dict.fromkeys(n for e in expressions for n in zeros_in(e, s)) for s in symbols}
    for s in symbols:
        for n in (*zeros[s], *numbers):
            yield from ((s, n), (s, n + 1))
    for s in symbols:  # i >= 2 and i <= n - 3 meet at n = 5
        for n in dict.fromkeys(z + c for z in zeros[s] for c in (*numbers, *zeros[s]) if z and c):
            yield s, n


def sizes_in(t: Term) -> Iterator[Size]:
    """Size expressions of one node, those of its index expressions among them."""
    if isinstance(t, Size):
        yield t
    yield from (t.size,) if isinstance(t, Sum) else t.sizes if isinstance(t, Whole) else ()
    yield from (s for e in places(t) for s in in_index(e))


def in_index(e: IndexExpr) -> Iterator[Size]:
    match e:
        case Index(_, size):
            yield size
        case Bound():
            pass
        case Pick(_, at, size):
            yield size
            yield from (s for i in at for s in in_index(i))
        case Affine(constant, atoms):
            yield constant
            yield from (s for a, _ in atoms for s in in_index(a))


def numbers_beside_sizes(t: Term) -> Iterator[int]:
    """The 17 of n + (-17) where that is a sum of terms."""
    if isinstance(t, Add) and any(isinstance(y, Size) for x in t.args for y in factors(x)):
        yield from (int(abs(x.value)) for x in t.args if isinstance(x, Num))


def factors(t: Term) -> tuple[Term, ...]:
    return t.args if isinstance(t, Mul) else (t,)


def zeros_in(e: Size, symbol: str) -> Iterator[int]:
    """Where a size expression, linear in the symbol with other symbols at 2, is 0."""
    if symbol not in e.symbols:
        return
    others = dict.fromkeys(e.symbols, 2)
    at = [e.at({**others, symbol: k}) for k in (0, 1, 2)]
    slope = at[1] - at[0]
    if slope and at[2] - at[1] == slope and -at[0] % slope == 0:
        yield -at[0] // slope
