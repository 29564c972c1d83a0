"""A result of another shape than it should have: refuted by sizes, the smallest that show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from symbackprop.core.indices import Size
from symbackprop.decide.outcomes import REFUTED
from symbackprop.numbers.refute.report import ShapeExample

from .claims import Claim
from .verdict import Verdict


def wrong_shape(claim: Claim) -> Verdict:
    sizes = first_difference(claim)
    wanted, found = (numbers(s, sizes) for s in (claim.wanted, claim.found.shape))
    message = f"the result has shape {tuple_text(found)} where {claim.name} needs {tuple_text(wanted)}"
    stretched = broadcasts(found, wanted)
    if stretched:
        message += "; it would be broadcast when it is added"
    example = ShapeExample(sizes, message)
    kind = "the result has another shape than the variable"
    if len(claim.found.axes) == 0 and claim.wanted:
        kind = "the result is a scalar where an array is needed"
    elif sorted(map(str, claim.found.shape)) == sorted(map(str, claim.wanted)):
        kind = "result transposed"
    elif [s for s in map(str, claim.found.shape) if s != "1"] == [s for s in map(str, claim.wanted) if s != "1"]:
        kind = "axes of length 1 too many or too few"
    return Verdict(REFUTED, counterexample=example, mistake=kind)


def first_difference(claim: Claim) -> dict[str, int]:
    symbols = tuple(dict.fromkeys(s for n in (*claim.wanted, *claim.found.shape) for s in n.symbols))
    best: dict[str, int] | None = None
    for sizes in small_sizes(symbols):
        try:
            wanted, found = numbers(claim.wanted, sizes), numbers(claim.found.shape, sizes)
        except ValueError:
            continue
        if wanted != found:
            return sizes
        best = best or sizes
    return best or dict.fromkeys(symbols, 2)


def small_sizes(symbols: Sequence[str], top: int = 3) -> Iterator[dict[str, int]]:
    """By total, then in order; few when there are many symbols."""
    if len(symbols) > 6:
        yield dict.fromkeys(symbols, 2)
        yield {s: 2 + k % 3 for k, s in enumerate(symbols)}
        return
    for values in sorted(product(range(1, top + 1), repeat=len(symbols)), key=lambda v: (sum(v), v)):
        yield dict(zip(symbols, values, strict=True))


def numbers(shape: Sequence[Size], sizes: dict[str, int]) -> tuple[int, ...]:
    found = tuple(n.at(sizes) for n in shape)
    if any(n < 0 for n in found):
        raise ValueError("a negative size")
    return found


def broadcasts(found: Sequence[int], wanted: Sequence[int]) -> bool:
    pairs = zip(reversed(found), reversed(wanted), strict=False)
    return len(found) <= len(wanted) and all(a in (1, b) for a, b in pairs)


def tuple_text(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
