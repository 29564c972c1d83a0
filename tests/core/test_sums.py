"""The law `sums`: what it says is equal is equal, at random terms, points and sizes; what is a rewrite it sees."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest
from meaning import World, equal
from random_terms import N, Polynomials, Terms, changed, i, j, k

from symbackprop.core.indices import Index
from symbackprop.core.sums import Expansion, same
from symbackprop.core.terms import Array, Entry, Predicate, Term, add, free, mul, over


def worlds(seed: int, count: int = 2) -> list[World]:
    sizes = [{"n": 1 + (seed + s) % 3, "m": 1 + (seed // 3 + s) % 2} for s in range(count)]
    return [World(seed + 7 * s, size) for s, size in enumerate(sizes)]


def disagreement(lhs: Term, rhs: Term, conditions: frozenset[Predicate], seed: int) -> str | None:
    for world in worlds(seed):
        if not all(map(world.holds, conditions)):
            continue
        for v in world.settings(free(lhs) | free(rhs)):
            left, right = world.value(lhs, v), world.value(rhs, v)
            if not equal(left, right):
                return f"{lhs}  !=  {rhs}: {left} {right} at {world.sizes} {[(i.name, n) for i, n in v.items()]}"
    return None


@pytest.mark.parametrize("block", range(10))
def test_a_term_is_the_sum_of_its_monomials(block: int) -> None:
    for seed in range(250 * block, 250 * (block + 1)):
        source = Terms(seed)
        t = source.term(source.scope(), 1 + seed % 3)
        run = Expansion(free(t))
        monomials = run.expand(t)
        if len(monomials) <= 60:
            total = add(*(m.term() for m in monomials))
            assert disagreement(t, total, frozenset(run.conditions), seed) is None, seed


# --- rewrites that the law must see through --------------------------------------------------


@pytest.mark.parametrize("block", range(4))
def test_rewrites_are_the_same(block: int) -> None:
    for seed in range(250 * block, 250 * (block + 1)):
        source = Polynomials(seed)
        t = source.term([i, j, k], 1 + seed % 3)
        other = source.rewritten(source.rewritten(t))
        assert same(t, other) == (True, frozenset()), f"{seed}: {t}  and  {other}"


@pytest.mark.parametrize("block", range(2))
def test_what_is_called_the_same_is_equal(block: int) -> None:
    """One leaf is changed: the law may still say yes (0 x = 0 y), but only where numbers say so too."""
    for seed in range(300 * block, 300 * (block + 1)):
        source = Polynomials(seed)
        t = source.term([i, j, k], 1 + seed % 3)
        other = changed(t, source)
        yes, conditions = same(t, other)
        found = disagreement(t, other, conditions, seed)
        assert not (yes and found), found


# --- dummies that look alike -----------------------------------------------------------------

Edge = tuple[int, int]


def graph(edges: list[Edge], names: list[int]) -> Term:
    """Σ over all nodes of Π W[from, to], with the dummies in this order."""
    nodes = [Index(f"d{n}", N) for n in range(len(names))]
    t = mul(*(Entry(Array("W"), (nodes[names[a]], nodes[names[b]])) for a, b in edges))
    for node in nodes:
        t = over(node, t)
    return t


def isomorphic(one: list[Edge], other: list[Edge], size: int) -> bool:
    wanted = sorted(other)
    return any(sorted((p[a], p[b]) for a, b in one) == wanted for p in permutations(range(size)))


@pytest.mark.parametrize("size", [3, 4, 5])
def test_products_are_the_same_exactly_when_their_graphs_are(size: int) -> None:
    random = Random(size)
    draw = [[(random.randrange(size), random.randrange(size)) for _ in range(size + 1)] for _ in range(12)]
    for one in draw:
        names = random.sample(range(size), size)
        assert same(graph(one, list(range(size))), graph(random.sample(one, len(one)), names))[0]
        for other in draw:
            found = same(graph(one, list(range(size))), graph(other, names))[0]
            assert found == isomorphic(one, other, size), (one, other)


MANY: dict[str, list[Edge]] = {
    "a ring": [(n, (n + 1) % 8) for n in range(8)],
    "two rings": [(n, 4 * (n // 4) + (n + 1) % 4) for n in range(8)],
    "pairs": [(2 * n, 2 * n + 1) for n in range(5)],
    "loops": [(n, n) for n in range(12)],
    "a star": [(0, n) for n in range(1, 12)],
    "ways through the middle": [e for n in range(1, 5) for e in ((0, n), (n, 5))],
}


@pytest.mark.parametrize("name", MANY)
def test_many_dummies_that_look_alike(name: str) -> None:
    """A product of many sums alike is the same under other names, and its orders are not all tried."""
    edges, random = MANY[name], Random(name)
    size = 1 + max(map(max, edges))
    term = graph(edges, list(range(size)))
    assert same(term, graph(random.sample(edges, len(edges)), random.sample(range(size), size)))[0]
    (a, b), *rest = edges
    other = graph([(a, (a + 1) % size if a == b else a), *rest], list(range(size)))
    assert not same(term, other)[0]
