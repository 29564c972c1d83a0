"""Gradients by a symmetric matrix: which of three is meant, and the others named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symbackprop import SymbackpropError, check_function, check_gradient

SHAPES = {"A": "n n", "x": "n", "y": "n"}


def assuming(A: Any) -> Any:
    return [A == A.T]


def form(A: Any, x: Any, y: Any) -> Any:
    return x @ A @ y


def ambient(A: Any, x: Any, y: Any) -> Any:
    return np.outer(x, y)


def symmetric(A: Any, x: Any, y: Any) -> Any:
    return (np.outer(x, y) + np.outer(y, x)) / 2


def entries(A: Any, x: Any, y: Any) -> Any:
    return np.outer(x, y) + np.outer(y, x) - np.diag(x * y)


KINDS = {"ambient": ambient, "symmetric": symmetric, "entries": entries}


@pytest.mark.parametrize("meant", KINDS)
@pytest.mark.parametrize("given", KINDS)
def test_each_gradient_is_proved_where_it_is_meant(meant: str, given: str) -> None:
    verdict = check_gradient(form, KINDS[given], SHAPES, "A", assuming, symmetric={"A": meant}, seek_repair=False)
    assert verdict.status == ("proved" if given == meant else "refuted"), str(verdict)
    assert any(note.startswith("A is symmetric: this is the") for note in verdict.notes)


@pytest.mark.parametrize("given", ["symmetric", "entries"])
def test_another_gradient_than_the_ambient_one_is_named(given: str) -> None:
    verdict = check_gradient(form, KINDS[given], SHAPES, "A", assuming, seek_repair=False)
    assert verdict.status == "refuted" and f"symmetric={{'A': '{given}'}} asks for it" in str(verdict)


def test_nothing_is_said_of_a_matrix_that_is_not_symmetric() -> None:
    verdict = check_gradient(form, ambient, SHAPES, "A")
    assert verdict.status == "proved" and not verdict.notes


def test_several_variables() -> None:
    def backward(A: Any, x: Any, y: Any) -> Any:
        return symmetric(A, x, y), A @ y

    verdict = check_gradient(form, backward, SHAPES, ["A", "x"], assuming, symmetric={"A": "symmetric"})
    assert verdict.status == "proved", str(verdict)


def test_a_function_with_its_gradient() -> None:
    def loss(A: Any, x: Any, y: Any) -> Any:
        return x @ A @ y, symmetric(A, x, y)

    assert check_function(loss, None, SHAPES, "A", assuming, symmetric={"A": "symmetric"}).status == "proved"


@pytest.mark.parametrize(
    ("meant", "assumed", "message"),
    [
        ({"A": "half"}, assuming, "the gradient by A is one of ambient, symmetric, entries, not 'half'"),
        ({"A": "symmetric"}, None, "A is not symmetric: say A == A.T in assuming"),
        ({"x": "symmetric"}, assuming, "x is not symmetric"),
    ],
)
def test_what_makes_no_sense(meant: dict[str, str], assumed: Any, message: str) -> None:
    with pytest.raises(SymbackpropError, match=message):
        check_gradient(form, ambient, SHAPES, "A", assumed, symmetric=meant)
