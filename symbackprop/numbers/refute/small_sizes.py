"""The sizes at which points are looked for first."""

from __future__ import annotations

from functools import cache
from itertools import product
from random import Random


@cache
def size_tuples(count: int) -> tuple[tuple[int, ...], ...]:
    """Small sizes, those that hide least first."""
    if count == 0:
        return ((),)
    if count <= 4:
        pool = list(product((1, 2, 3, 4) if count <= 2 else (1, 2, 3), repeat=count))
    else:
        draw = Random("sizes")
        pool = [tuple(2 + (k + j) % 2 for j in range(count)) for k in range(2)]
        pool += [tuple(1 + (k + j) % 3 for j in range(count)) for k in range(3)]
        pool += [(1,) * count, (2,) * count]
        pool += [tuple(1 + (j in (k, k + 1, k + 2)) + (j == k) for j in range(count)) for k in range(count)]
        pool += [tuple(draw.choice((1, 2, 2, 3)) for _ in range(count)) for _ in range(40)]
        pool = list(dict.fromkeys(pool))

    def rank(values: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
        repeats = len(values) - min(len(set(values)), 3)
        return (2 * values.count(1) + repeats, sum(values), values)

    return tuple(sorted(pool, key=rank))
