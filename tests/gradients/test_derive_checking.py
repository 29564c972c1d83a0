"""Backward functions by hand, matched with the derived gradient line by line."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from derive_by_hand import BACKWARDS
from derive_cases import CASES
from derive_wrong_lines import wrong_variants

from symbackprop.core.context import EMPTY, Context
from symbackprop.core.kernel import Flip, Let, Proof, UnderDiff, check
from symbackprop.core.terms import Array, Diff, SymbackpropError, Term, arrays
from symbackprop.functions.claims import gradient_claims
from symbackprop.functions.request import read_request
from symbackprop.gradients.derived import BackwardCheck
from symbackprop.gradients.lemmas import opened
from symbackprop.gradients.reindexing import as_they_stand
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.session import joined
from symbackprop.read.numpy import TraceError, parse_shapes, trace_assumptions
from symbackprop.write.program.mending import mended

SLOW = {"causal attention", "lstm", "gru", "conv2d", "groupnorm"}  # every fourth wrong variant of these


def check_backward(*question: Any) -> SimpleNamespace:
    """What of a backward function is proved, and its first wrong line."""
    check = BackwardCheck(*question)
    found = {v: check.theorem(v) for v in check.variables}
    return SimpleNamespace(
        theorems={v: t for v, t in found.items() if t is not None}, wrong=check.wrong, reverse=check.reverse,
        line=next(iter(check.lines.values()), None),
    )  # fmt: skip


def checked(name: str, backward: Any) -> SimpleNamespace:
    case = CASES[name]
    declared = parse_shapes(case.shapes)
    hypotheses = () if case.assuming is None else trace_assumptions(case.assuming, declared)
    names = list(inspect.signature(backward).parameters)
    upstream = [n for n in names if n not in declared]
    named = {f"h{k}": h for k, h in enumerate(hypotheses)}
    return check_backward(case.forward, backward, declared, case.variables, {}, upstream, named, names)


def attention_backward(x, Wq, Wk, Wv, Wo, dy):
    """As it is usually written; BACKWARDS has a quicker one on flattened axes."""
    T = x.shape[1]
    q, k, v = (np.einsum("btd,dhe->bhte", x, W) for W in (Wq, Wk, Wv))
    scale = 1 / np.sqrt(q.shape[-1])
    s = np.where(np.tril(np.ones((T, T))) == 1, np.einsum("bhte,bhse->bhts", q, k) * scale, -np.inf)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    dout = np.einsum("btd,hed->bhte", dy, Wo)
    dWo = np.einsum("bhte,btd->hed", p @ v, dy)
    dp = np.einsum("bhte,bhse->bhts", dout, v)
    dv = np.einsum("bhts,bhte->bhse", p, dout)
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) * scale
    dq, dk = ds @ k, np.einsum("bhts,bhte->bhse", ds, q)
    dWq, dWk, dWv = (np.einsum("btd,bhte->dhe", x, g) for g in (dq, dk, dv))
    dx = sum(np.einsum("bhte,dhe->btd", g, W) for g, W in ((dq, Wq), (dk, Wk), (dv, Wv)))
    return dx, dWq, dWk, dWv, dWo


QUICK = {**BACKWARDS, "causal attention": attention_backward}
CHECKED_ANEW = {"layernorm", "attention", "lstm", "embedding"}  # by the kernel, with nothing remembered


@pytest.mark.parametrize("name", QUICK)
def test_a_backward_by_hand_is_one_theorem(name: str) -> None:
    found = checked(name, QUICK[name])
    assert not found.wrong and set(found.theorems) == set(CASES[name].variables)
    for v, theorem in found.theorems.items():
        assert isinstance(theorem.equation.lhs, Diff) and theorem.equation.lhs.wrt.array.name == v
        assert name not in CHECKED_ANEW or check(theorem.proof, theorem.context) == theorem.equation


def test_nine_of_ten_wrong_lines_are_named() -> None:
    named = tried = 0
    for name, backward in BACKWARDS.items():
        if name == "causal attention":
            continue
        for variant in list(wrong_variants(backward))[:: 16 if name in SLOW else 4]:
            try:
                found = checked(name, variant.function)
            except (SymbackpropError, ValueError):
                continue  # it does not run
            assert set(found.theorems).isdisjoint(found.wrong)
            if found.wrong:
                tried += 1
                named += found.line is not None and found.line.place is not None and found.line.place[1] == variant.line
    assert tried >= 20
    assert named >= 0.9 * tried, f"{named} of {tried}"


def test_the_message_says_what_is_missing() -> None:
    def forward(x, w):
        return (x * w) ** 2

    def backward(x, w, g):
        p = x * w
        d = g * p
        return {"x": d * w, "w": d * x}

    shapes = parse_shapes({"x": "n", "w": "n"})
    found = check_backward(forward, backward, shapes, ("x", "w"), {}, ("g",), {}, ("x", "w", "g"))
    assert found.wrong == ("x", "w") and found.line is not None
    assert found.line.message.endswith("`d` lacks the factor 2")


def test_what_cannot_be_read_is_said() -> None:
    shapes = parse_shapes({"x": "n"})
    with pytest.raises(TraceError):
        check_backward(lambda x: x.sum(), lambda x: x if x[0] > 0 else -x, shapes, ("x",), {}, (), {}, ("x",))


def squares(x, w):
    return (x * w) ** 2


def without_two(x, w, g):
    p = x * w
    d = g * p
    return {"x": d * w, "w": d * x}


def mean_of_rows(x, w):
    return (x * w).mean(0)


def without_count(x, w, g):
    d = np.ones_like(x) * g
    dx = d * w / len(x)
    dw = d * x
    return {"x": dx, "w": dw}


@pytest.mark.parametrize(
    ("forward", "backward", "shapes", "after"),
    [
        (squares, without_two, {"x": "n", "w": "n"}, "d = 2 * (g * p)"),
        (mean_of_rows, without_count, {"x": "n m", "w": "n m"}, "dw = (d * x) / x.shape[0]"),
    ],
)
def test_the_line_is_mended_and_then_proved(forward: Any, backward: Any, shapes: Any, after: str) -> None:
    declared = parse_shapes(shapes)
    names = ("x", "w", "g")
    found = check_backward(forward, backward, declared, ("x", "w"), {}, ("g",), {}, names)
    assert found.wrong
    right = mended(backward, found.reverse, found.line)
    assert right is not None and right.after == after
    again = check_backward(forward, right.function, declared, ("x", "w"), {}, ("g",), {}, names)
    assert set(again.theorems) == {"x", "w"} and not again.wrong


def in_order(context: Context) -> list[Array]:
    """The names that are defined, each after those that its meaning mentions."""
    found: dict[Array, None] = {}

    def visit(array: Array) -> None:
        if array in context.definitions and array not in found:
            for a in sorted(arrays(context.definitions[array].body), key=lambda a: a.name):
                visit(a)
            found[array] = None

    for array in context.definitions:
        visit(array)
    return list(found)


def same(plain: Term, named: Term, context: Context) -> Proof | None:
    """plain = named, whose names are opened; None where they are one."""
    value, by_opening = opened(named, tuple(context.definitions), context)
    back = by_opening and Flip(by_opening)
    if value == plain:
        return back
    found = as_they_stand(plain, value) or prove_equal(plain, value, EMPTY)
    assert found is not None, f"{plain} is not what {named} means"
    return joined(found[0], back)


@pytest.mark.parametrize("name", ["cross-entropy", "layernorm", "attention", "triplet", "vae", "rope"])
def test_the_theorem_is_the_claim_of_a_check(name: str) -> None:
    """With each name introduced inside the proof by its meaning: what `check_gradient` is asked, says the kernel."""
    case, backward = CASES[name], BACKWARDS[name]
    request = read_request("check_gradient", case.forward, backward, case.shapes, case.variables, case.assuming, {})
    found = checked(name, backward)
    context = Context(hypotheses={f"h{k}": h for k, h in enumerate(request.hypotheses())})
    claims = gradient_claims(request, lambda _: None)
    assert {c.name for c in claims} == set(case.variables)
    for claim in claims:
        theorem = found.theorems[claim.name]
        assert isinstance(claim.lhs, Diff) and theorem.equation.lhs.wrt == claim.lhs.wrt
        loss = same(claim.lhs.body, theorem.equation.lhs.body, theorem.context)
        result = same(claim.rhs, theorem.equation.rhs, theorem.context)
        proof = joined(loss and UnderDiff(claim.lhs.wrt, loss), theorem.proof, result and Flip(result))
        for array in reversed(in_order(theorem.context)):
            proof = Let(array, theorem.context.definitions[array], proof)
        equation = check(proof, context)
        assert (equation.lhs, equation.rhs) == (claim.lhs, claim.rhs)
