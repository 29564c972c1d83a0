"""Theorems that are shown, what they say of themselves, and arguments that show nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from theorem_forgeries import FORGERIES, OVER_X, THEOREMS, given, mul, shown, x

from symbackprop.core.terms import ONE, Positive, ProofError
from symbackprop.core.theorem import Theorem


@pytest.mark.parametrize("show", THEOREMS.values(), ids=THEOREMS.keys())
def test_theorem_is_shown(show: Callable[[], object]) -> None:
    assert show() is not None


@pytest.mark.parametrize("commit", FORGERIES.values(), ids=FORGERIES.keys())
def test_forgery_is_refused(commit: Callable[[], object]) -> None:
    with pytest.raises(ProofError):
        commit()


def test_a_theorem_names_the_hypothesis_by_which_its_right_side_has_a_value() -> None:
    found = shown(ONE, mul(x, OVER_X), context=given(Positive(x)))
    assert isinstance(found, Theorem) and found.hypotheses == ("h.0",) and not found.excused


def test_a_theorem_names_what_it_excuses() -> None:
    found = shown(mul(x, OVER_X), ONE, forward=(OVER_X,))
    assert [e.why for e in found.excused] == ["no value"]
