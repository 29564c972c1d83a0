"""Certificates: what is written is read as the same theorem, and nothing but the rows counts."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from kernel_account import check_rows

from symbackprop.core.certificate import proof_rows
from symbackprop.core.context import EMPTY, Context, Same
from symbackprop.core.indices import Index, Least, Node, affine, sized
from symbackprop.core.kernel import By, Chain, Digits, Instance, Let, Linear, Proof, UnderSum, check
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Apply,
    Array,
    Diff,
    Entry,
    Nonzero,
    ProofError,
    Term,
    add,
    key,
    mul,
    num,
    over,
    sub,
    whole,
)
from symbackprop.story.pages import STORIES

N, M = sized("n"), sized("m")
i, j, q, r = Index("i", N), Index("j", N), Index("q", N), Index("r", M)
LONG = Index("a", N * M)
THERE = affine(0, ((q, M), (r, 1)))


def x(*at: Any) -> Entry:
    return Entry(Array("x"), at)


def everywhere(t: Term) -> Proof:
    return Linear(mul(t, num(2)), add(t, t))


SHARED = everywhere(x(i))
SUM_ONE = Context(hypotheses={"t": Same(over(i, x(i)), ONE)})
TWO = Context(least=Least({"n": 2}))
PROOFS: dict[str, tuple[Proof, Context]] = {
    "shared steps": (Linear(mul(num(4), x(i)), mul(num(4), x(i)), (((), ONE, SHARED), ((), num(-1), SHARED))), EMPTY),
    "a hypothesis": (By("assume", ("t", ())), SUM_ONE),
    "a definition": (Let(Array("a"), Tensor((i,), x(i)), UnderSum(i, everywhere(x(i)))), EMPTY),
    "an instance": (Instance(((i, affine(0, ())),), everywhere(x(i))), EMPTY),
    "digits": (Digits(LONG, mul(x(LONG), num(2)), add(x(LONG), x(LONG)), q, r, everywhere(x(THERE))), EMPTY),
    "a least size": (By("power_add", (N - 1, Fraction(1), Fraction(-1))), TWO),
    "a whole array": (By("diff_whole", (whole("L", 0, (i,), Apply("f", x(i)), ()), (j,), x(q))), EMPTY),
    **{name: (t.proof, t.context) for name, (_, facts) in STORIES.items() for t in facts[0]().theorems},
}


@pytest.mark.parametrize(("proof", "context"), PROOFS.values(), ids=PROOFS.keys())
def test_what_is_written_is_read(proof: Proof, context: Context) -> None:
    rows = json.loads(json.dumps(proof_rows(proof, context)))
    assert check_rows(rows) == check(proof, context)
    for table in ("sizes", "nodes", "steps"):
        written = [json.dumps(row) for row in rows[table]]
        assert len(set(written)) == len(written)


def test_a_least_size_settles_what_it_settles() -> None:
    proof, _ = PROOFS["a least size"]
    assert check_rows(proof_rows(proof, TWO)).conditions == frozenset()
    assert check_rows(proof_rows(proof, EMPTY)).conditions == {Nonzero(N - 1)}
    few = Index("k", N - 1)  # has values from n = 2 on
    vanishing = Chain(By("assume", ("a", ())), (By("assume", ("b", ())),))
    known = {"a": Same(x(), Entry(Array("y"), (few,))), "b": Same(Entry(Array("y"), (few,)), ONE)}
    with pytest.raises(ProofError, match="may have no values"):
        check_rows(proof_rows(vanishing, Context(hypotheses=known)))
    assert check_rows(proof_rows(vanishing, Context(hypotheses=known, least=TWO.least))).rhs == ONE


POISON_J = Entry(Array("p"), (j,))


def poisoned(slot: str) -> Proof:
    """p_j = p_i by a node that claims to be another one; no other test speaks of p, for this process remembers it."""
    liar, honest = Entry(POISON_J.array, (j,)), Entry(POISON_J.array, (i,))
    key(honest)
    object.__setattr__(liar, slot, getattr(honest, slot))
    assert check(Linear(liar, honest)).lhs == liar  # among objects it works
    return Linear(liar, honest)


def forged_diff() -> Proof:
    """3 p_q that is said not to depend on p."""
    t = mul(Entry(Array("p"), (q,)), num(3))
    object.__setattr__(t, "_inside", (frozenset(), 0, frozenset()))
    return By("diff_independent", (t, POISON_J))


class Liar(Node):
    """Is equal to everything."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


HOSTILE: dict[str, Callable[[], Proof]] = {
    "the key of another": lambda: poisoned("_key"),
    "what is inside another": forged_diff,
    "an object that is equal to everything": lambda: Linear(ZERO, Liar()),  # type: ignore[arg-type]
    "a subclass": lambda: Linear(ZERO, type("Two", (type(ONE),), {})(Fraction(0))),
    "a proof of another kind": lambda: ("by", "log_of_exp"),  # type: ignore[return-value, dict-item]
}


@pytest.mark.parametrize("forge", HOSTILE.values(), ids=HOSTILE.keys())
def test_objects_prove_nothing(forge: Callable[[], Proof]) -> None:
    with pytest.raises(ProofError):
        check_rows(proof_rows(forge(), EMPTY))


def test_what_was_remembered_of_a_hostile_node_is_not_believed() -> None:
    poisoned("_key")
    with pytest.raises(ProofError):
        check_rows(proof_rows(Linear(POISON_J, Entry(POISON_J.array, (i,))), EMPTY))


def mutated(rows: Any, draw: random.Random) -> Any:
    """One number, text or list somewhere in the rows is another one."""
    rows = copy.deepcopy(rows)
    at, place = rows, draw.choice(["sizes", "nodes", "steps", "steps", "definitions", "hypotheses", "proof", "least"])
    while isinstance(at[place], list | dict) and at[place] and draw.random() < 0.9:
        at = at[place]
        place = draw.choice(list(at) if isinstance(at, dict) else range(len(at)))
    at[place] = draw.choice([0, 1, 2, 7, -1, True, None, 0.5, "", "x", "1/2", "gt0", [], [0], {}, [[]], 10**30])
    return rows


@pytest.mark.parametrize("name", [n for n in PROOFS if n != "a whole array"])
def test_mutants_are_refused_in_one_way_or_prove_something(name: str) -> None:
    """No other error than ProofError; what still proves an equation proves one whose sides say the same or more."""
    rows, draw = proof_rows(*PROOFS[name]), random.Random(name)
    refused = 0
    for _ in range(60):
        try:
            check_rows(mutated(rows, draw))
        except ProofError:
            refused += 1
    assert refused >= 20


def test_a_derivative_of_a_sum_of_squares_is_a_few_rows() -> None:
    loss = over(i, mul(x(i), x(i)))
    written = proof_rows(Linear(sub(Diff(loss, x(j)), Diff(loss, x(j))), ZERO), EMPTY)
    assert len(written["nodes"]) < 20 and len(written["steps"]) == 1
