"""Names for the repeated parts of a formula: what they stand for put back gives the formula."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop import check_gradient, derive
from symbackprop.core.indices import Index, sized
from symbackprop.core.terms import (
    ONE,
    Add,
    Apply,
    Array,
    Entry,
    Mul,
    Power,
    Sum,
    Term,
    Whole,
    arguments,
    key,
    open_body,
    opened_whole,
    over,
    rebuilt,
    substitute,
    whole,
)
from symbackprop.write.paper.naming import with_names


def put_back(t: Term, names: dict[Array, tuple[Entry, Term]], depth: int = 0) -> Term:
    match t:
        case Entry(array, at) if array in names:
            name, meaning = names[array]
            return put_back(substitute(meaning, dict(zip(name.at, at, strict=True))), names, depth)  # type: ignore[arg-type]
        case Sum(size, body, _):
            i = Index(f"back#{depth}", size)
            return over(i, put_back(open_body(body, (i,)), names, depth + 1))
        case Whole(fn, n, sizes, _, at, _):
            axes = tuple(Index(f"back#{depth}.{k}", size) for k, size in enumerate(sizes))
            return whole(fn, n, axes, put_back(opened_whole(t, axes), names, depth + 1), at)
        case Add() | Mul() | Power() | Apply():
            return rebuilt(t, tuple(put_back(a, names, depth) for a in arguments(t)))
        case _:
            return t


def layernorm(x, eps):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps)


def attention(x, w):
    s = x @ w @ x.T
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ x


def crossed(x, w):
    a, b = x[:, None] - w[None, :], w[:, None] - x[None, :]
    return (np.exp(a) + np.exp(b) + np.tanh(a * b)).sum()


CASES = {
    "layernorm": (layernorm, {"x": "B D", "eps": ""}, 2),
    "attention": (attention, {"x": "n d", "w": "d d"}, 1),
    "axes in another order": (crossed, {"x": "n", "w": "n"}, 1),
    "short": (lambda x: (x * x).sum(), {"x": "n"}, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_names_stand_for_what_they_replace(name):
    forward, shapes, least = CASES[name]
    found = derive(forward, shapes, wrt="x", assuming=(lambda eps: [eps > 0]) if "eps" in shapes else None)
    (tensor,) = found.terms.values()
    named = with_names(tensor.body, tensor.axes, frozenset(shapes))
    assert len(named.names) >= least
    back = put_back(named.term, {n.array: (n, m) for n, m in named.names})
    assert key(back) == key(tensor.body)
    assert not {n.array.name for n, _ in named.names} & set(shapes)


def test_a_part_is_found_under_other_indices():
    i, j = Index("i", sized("n")), Index("j", sized("n"))

    def part(a: Index) -> Term:
        return Apply("exp", Add((Entry(Array("x"), (a,)), Entry(Array("y"), ()), ONE)))

    named = with_names(Add((part(i), Power(part(j), 2), over(j, part(j)))), (i,), frozenset())
    assert [str(n.array) for n, _ in named.names] == ["u"]
    assert named.term == Add(
        (Entry(Array("u"), (i,)), Power(Entry(Array("u"), (j,)), 2), over(j, Entry(Array("u"), (j,))))
    )


def test_a_long_repair_is_shown_with_names():
    def forgets_the_mean(x, eps, g):
        centred = x - x.mean(-1, keepdims=True)
        return g / np.sqrt((centred**2).mean(-1, keepdims=True) + eps)

    text = str(
        check_gradient(layernorm, forgets_the_mean, {"x": "B D", "eps": ""}, "x", assuming=lambda eps: [eps > 0])
    )
    assert "with u[i] = " in text and "with v[i,j] = " in text
    assert max(map(len, text.splitlines())) < 160
