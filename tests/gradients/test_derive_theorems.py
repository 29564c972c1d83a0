"""Gradients through named intermediates: one theorem a variable, and no theorem for an altered step."""

from __future__ import annotations

import random

import pytest
from derive_alterations import altered_steps
from derive_cases import CASES

from symbackprop.core.kernel import check
from symbackprop.core.terms import Diff, NonNegative
from symbackprop.gradients.derived import Derived, derived
from symbackprop.read.numpy import parse_shapes, trace_assumptions


def derive(name: str) -> Derived:
    case = CASES[name]
    declared = parse_shapes(case.shapes)
    hypotheses = {} if case.assuming is None else trace_assumptions(case.assuming, declared)
    return derived(case.forward, declared, case.variables, hypotheses={f"h{k}": h for k, h in enumerate(hypotheses)})


@pytest.mark.parametrize("name", CASES)
def test_a_gradient_is_a_theorem(name: str) -> None:
    found = derive(name)
    for v, theorem in found.theorems.items():
        assert isinstance(theorem.equation.lhs, Diff) and theorem.equation.lhs.wrt.array.name == v
        assert check(theorem.proof, theorem.context) == theorem.equation, "checked anew, with nothing remembered"
        names = {a for a in theorem.context.definitions}
        for c in theorem.equation.conditions:
            assert isinstance(c, NonNegative) or not any(f"{a}[" in str(c.term) for a in names), "on variables only"


SOME = 2  # altered steps of each function; benchmarks/derive.py tries them all


@pytest.mark.parametrize("name", ["cross-entropy", "layernorm", "attention", "gelu", "triplet", "vae", "in place"])
def test_an_altered_step_is_no_theorem(name: str) -> None:
    everything = list(altered_steps(name, CASES[name]))
    draw = random.Random(name)
    for altered in draw.sample(everything, min(SOME, len(everything))):
        assert not altered.accepted(), f"{altered.step} {altered.change}"


def test_a_condition_is_never_judged_by_a_name() -> None:
    """A doubled gradient of masked attention once held where the mask is 1 and 0 at once: never."""
    case = CASES["causal attention"]
    everything = [a for a in altered_steps("causal attention", case) if a.step.how != "rule"][:2]
    assert everything
    for altered in everything:
        assert not altered.accepted()
