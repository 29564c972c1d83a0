"""Bounds of index expressions against all their values at small sizes."""

from __future__ import annotations

from random import Random

import pytest
from meaning import World

from symbackprop.core.indices import Bound, Index, IndexExpr, Pick, Size, affine, at_least_zero, sized
from symbackprop.core.signs import (
    always_negative,
    bounds,
    floor_radix,
    never_negative,
    never_zero,
    split_radix,
    within,
)
from symbackprop.core.terms import Ordinal, free

N, M, K = (sized(s) for s in "nmk")
SIZES = (N, M, N - 1, N + M, N * M, sized(1), sized(3))
i, j = Index("i", N), Index("j", N)
a, b = Index("a", N), Index("b", M)
few = Index("f", N - 1)


def expression(random: Random) -> IndexExpr:
    pool: list[IndexExpr] = [
        i, j, b, few, Index("c", N * M), Index("one", sized(1)), Pick("t", (i,), M), Pick("t", (b,), N),
    ]  # fmt: skip
    factors: tuple[Size | int, ...] = (1, 1, -1, 2, N, M, -N, N - M, N - 1)
    parts = [(random.choice(pool), random.choice(factors)) for _ in range(random.randint(0, 3))]
    constant = random.choice((sized(0), sized(1), sized(-1), N - 1, M, -N, N * M - 1, sized(2)))
    return affine(constant, parts)


def values(e: IndexExpr, seed: int) -> list[tuple[int, World]]:
    out = []
    for n in (1, 2, 3):
        for m in (1, 2, 4):
            world = World(seed, {"n": n, "m": m})
            out += [(world.index(e, v, ()), world) for v in world.settings(free(Ordinal(e)))]
    return out


@pytest.mark.parametrize("block", range(4))
def test_what_is_said_of_a_range_holds(block: int) -> None:
    said = 0
    for seed in range(250 * block, 250 * (block + 1)):
        random = Random(seed)
        e, size = expression(random), random.choice(SIZES)
        found, all_of_them = bounds(e), values(e, seed)
        claims = [never_negative(e), always_negative(e), never_zero(e), within(e, size)]
        said += any(claims)
        for v, world in all_of_them:
            if found is not None:
                assert world.size(found[0]) <= v <= world.size(found[1]), str(e)
            truths = [v >= 0, v < 0, v != 0, 0 <= v < world.size(size)]
            assert all(t for c, t in zip(claims, truths, strict=True) if c), f"{e} = {v} at {world.sizes}"
    assert said > 20


@pytest.mark.parametrize("block", range(4))
def test_a_split_is_exact(block: int) -> None:
    """e = s a + b is 0 exactly where a and b are."""
    for seed in range(500 * block, 500 * (block + 1)):
        e = expression(Random(seed))
        halves = split_radix(e)
        if halves is not None:
            used = frozenset[Index]().union(*(free(Ordinal(f)) for f in (e, *halves)))
            for n in (1, 2, 3):
                world = World(seed, {"n": n, "m": 1 + seed % 3})
                for v in world.settings(used):
                    x, y, z = (world.index(f, v, ()) for f in (e, *halves))
                    assert (x == 0) == (y == 0 and z == 0), str(e)


@pytest.mark.parametrize("block", range(4))
def test_a_floor_is_exact(block: int) -> None:
    """e = s a + b >= 0 exactly where a >= 0."""
    found = 0
    for seed in range(500 * block, 500 * (block + 1)):
        e = expression(Random(seed))
        floor = floor_radix(e)
        if floor is not None:
            found += 1
            used = free(Ordinal(e)) | free(Ordinal(floor))
            for n in (1, 2, 3):
                world = World(seed, {"n": n, "m": 1 + seed % 3})
                for v in world.settings(used):
                    assert (world.index(e, v, ()) >= 0) == (world.index(floor, v, ()) >= 0), str(e)
    assert found


ROWS = {
    "an index": (i, (True, False, False, True)),
    "the last one first": (affine(N - 1, ((i, -1),)), (True, False, False, True)),
    "the next": (affine(1, ((i, 1),)), (True, False, True, False)),
    "below all": (affine(-N, ((i, 1),)), (False, True, True, False)),
    "a place in a table": (affine(0, ((i, M), (b, 1))), (True, False, False, False)),
    "a gather": (Pick("t", (i,), N), (True, False, False, True)),
    "an index of unknown sign": (affine(0, ((i, N - M),)), (False, False, False, False)),
    "a dummy": (Bound(0), (False, False, False, False)),
    "a gather at a dummy": (Pick("t", (Bound(0),), N), (False, False, False, False)),
}  # fmt: skip


@pytest.mark.parametrize(("e", "expected"), ROWS.values(), ids=ROWS.keys())
def test_plain_ranges(e: IndexExpr, expected: tuple[bool, ...]) -> None:
    assert (never_negative(e), always_negative(e), never_zero(e), within(e, N)) == expected


STRIDES = {
    "2 i = 2 j": (affine(0, ((i, 2), (a, -2))), (affine(0, ((i, 1), (a, -1))), affine(0, ()))),
    "2 i + 1 = 2 j": (affine(1, ((i, 2), (a, -2))), (affine(0, ((i, 1), (a, -1))), affine(1, ()))),
    "4 i + 7 = 0": (affine(7, ((i, 4),)), (affine(1, ((i, 1),)), affine(3, ()))),
    "2 i + 3 j": (affine(0, ((i, 2), (a, 3))), None),
}  # fmt: skip


@pytest.mark.parametrize(("e", "expected"), STRIDES.values(), ids=STRIDES.keys())
def test_strides(e: IndexExpr, expected: tuple[IndexExpr, IndexExpr] | None) -> None:
    assert split_radix(e) == expected


def test_floors() -> None:
    h, r = Index("h", sized(2)), Index("r", M)
    assert floor_radix(affine(0, ((i, 2), (a, -2), (h, 1)))) == affine(0, ((i, 1), (a, -1)))
    assert floor_radix(affine(1, ((i, 2), (a, -2), (h, -1)))) == affine(0, ((i, 1), (a, -1)))
    assert floor_radix(affine(-1, ((i, M), (a, -M), (r, -1)))) == affine(-1, ((i, 1), (a, -1)))
    assert floor_radix(affine(0, ((i, 2), (a, -1)))) is None


def test_table_places_are_told_apart() -> None:
    c = Index("c", M)
    e = affine(0, ((a, M), (i, -M), (b, 1), (c, -1)))
    assert split_radix(e) == (affine(0, ((a, 1), (i, -1))), affine(0, ((b, 1), (c, -1))))
    assert split_radix(affine(0, ((a, M), (i, -M), (b, 1), (c, 1)))) is None  # b + c may reach M


SIZE_ROWS = {
    "n - 1": (N - 1, True), "n - 2": (N - 2, False), "n m - n": (N * M - N, True), "n - m": (N - M, False),
    "(n - 1)(m - 1)": ((N - 1) * (M - 1), True), "-n": (-N, False), "n² - 2 n + 1": (N * N - N * 2 + 1, True),
    "0": (sized(0), True), "n m k - n - m - k + 2": (N * M * K - N - M - K + 2, True),
}  # fmt: skip


@pytest.mark.parametrize(("size", "expected"), SIZE_ROWS.values(), ids=SIZE_ROWS.keys())
def test_sizes_at_least_zero(size: Size, expected: bool) -> None:
    assert at_least_zero(size) is expected
    smallest = min(size.at({"n": n, "m": m, "k": k}) for n in (1, 2, 5) for m in (1, 2, 5) for k in (1, 2, 5))
    assert smallest >= 0 or not expected
