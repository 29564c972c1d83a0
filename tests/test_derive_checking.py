"""Backward functions by hand, matched with the derived gradient line by line."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from derive_by_hand import BACKWARDS
from derive_cases import CASES
from derive_wrong_lines import wrong_variants

from symbackprop.core.kernel import check
from symbackprop.core.terms import Diff, SymbackpropError
from symbackprop.gradients.checking import Checked, check_backward
from symbackprop.read.numpy import TraceError, parse_shapes, trace_assumptions

SLOW = {"causal attention", "lstm", "gru", "conv2d", "groupnorm"}  # every fourth wrong variant of these


def checked(name: str, backward: Any) -> Checked:
    case = CASES[name]
    declared = parse_shapes(case.shapes)
    hypotheses = () if case.assuming is None else trace_assumptions(case.assuming, declared)
    names = list(inspect.signature(backward).parameters)
    upstream = [n for n in names if n not in declared]
    named = {f"h{k}": h for k, h in enumerate(hypotheses)}
    return check_backward(case.forward, backward, declared, case.variables, {}, upstream, named, names)


@pytest.mark.parametrize("name", BACKWARDS)
def test_a_backward_by_hand_is_one_theorem(name: str) -> None:
    found = checked(name, BACKWARDS[name])
    assert not found.wrong and set(found.theorems) == set(CASES[name].variables)
    for v, theorem in found.theorems.items():
        assert isinstance(theorem.equation.lhs, Diff) and theorem.equation.lhs.wrt.array.name == v
        assert check(theorem.proof, theorem.context) == theorem.equation


def test_nine_of_ten_wrong_lines_are_named() -> None:
    named = tried = 0
    for name, backward in BACKWARDS.items():
        for variant in list(wrong_variants(backward))[:: 8 if name in SLOW else 3]:
            try:
                found = checked(name, variant.function)
            except (SymbackpropError, ValueError):
                continue  # it does not run
            assert set(found.theorems).isdisjoint(found.wrong)
            if found.wrong:
                tried += 1
                named += found.line is not None and found.line.place is not None and found.line.place[1] == variant.line
    assert tried >= 30
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
    assert found.line.message.endswith("d lacks the factor 2")


def test_what_cannot_be_read_is_said() -> None:
    shapes = parse_shapes({"x": "n"})
    with pytest.raises(TraceError):
        check_backward(lambda x: x.sum(), lambda x: x if x[0] > 0 else -x, shapes, ("x",), {}, (), {}, ("x",))
