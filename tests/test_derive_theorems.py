"""Gradients through named intermediates: one theorem a variable, and no theorem for an altered step."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from derive_cases import CASES

from symbackprop.core.context import Context
from symbackprop.core.kernel import check
from symbackprop.core.terms import Diff, NonNegative, Num, ProofError, mul, num
from symbackprop.derive.derived import Derived, derived
from symbackprop.derive.lemmas import Lemma, NotProved
from symbackprop.derive.theorem import Theorems
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
