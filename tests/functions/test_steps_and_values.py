"""Steps of masks and beside their own argument, and where a forward has no value: each way to write it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.special import erf

from symbackprop import check_equal, check_gradient

Function = Callable[..., Any]

SAYS_ZERO_OR_ONE: dict[str, Function] = {
    "m m = m": lambda m: [m * m == m],
    "m = m^2": lambda m: [m == m**2],
}
IS_ONE: dict[str, Function] = {
    "> 0": lambda m: 1.0 * (m > 0),
    "== 1": lambda m: 1.0 * (m == 1),
    "> 0.5": lambda m: 1.0 * (m > 0.5),
    ">= 0.25": lambda m: 1.0 * (m >= 0.25),
    "3 m > 1": lambda m: 1.0 * (3 * m > 1),
    "!= 0": lambda m: (m != 0).astype(float),
    "bool": lambda m: m.astype(bool) * 1.0,
    "where": lambda m: np.where(m == 0, 0.0, 1.0),
}
IS_ZERO: dict[str, Function] = {
    "== 0": lambda m: 1.0 * (m == 0),
    "< 0.5": lambda m: 1.0 * (m < 0.5),
    "<= 0": lambda m: 1.0 * (m <= 0),
    "1 - m > 0.5": lambda m: 1.0 * (1 - m > 0.5),
    "not": lambda m: 1.0 * ~m.astype(bool),
}


@pytest.mark.parametrize("hypothesis", SAYS_ZERO_OR_ONE)
@pytest.mark.parametrize("name", [*IS_ONE, *IS_ZERO])
def test_a_mask_of_numbers_is_its_truth_value(name: str, hypothesis: str) -> None:
    ways = (lambda m: m, lambda m: 1 - m)
    right, wrong = ways if name in IS_ONE else reversed(ways)
    asked: Any = {"shapes": {"m": "n"}, "assuming": SAYS_ZERO_OR_ONE[hypothesis]}
    f = {**IS_ONE, **IS_ZERO}[name]
    assert check_equal(f, right, **asked).status == "proved"
    assert check_equal(f, wrong, **asked).status == "refuted"


def turned_by(k: int, names: list[str]) -> list[str]:
    return names[k:] + names[:k]


NEGATIVE_PARTS: dict[str, Function] = {
    "x (x < 0)": lambda x: x * (x < 0),
    "x (x <= 0)": lambda x: x * (x <= 0),
    "x ~(x > 0)": lambda x: x * ~(x > 0),
    "x (1 - (x > 0))": lambda x: x * (1 - (x > 0)),
    "minimum": lambda x: np.minimum(x, 0),
    "where": lambda x: np.where(x > 0, 0, x),
    "where not": lambda x: np.where(x >= 0, 0, x),
    "(x - |x|) / 2": lambda x: 0.5 * (x - np.abs(x)),
    "x (1 - sign) / 2": lambda x: x * (1 - np.sign(x)) / 2,
}


SHIFTED = [(a, b) for k in (1, 3) for a, b in zip(NEGATIVE_PARTS, turned_by(k, list(NEGATIVE_PARTS)), strict=True)]


@pytest.mark.parametrize("forward, backward", SHIFTED)
def test_the_border_of_a_step_is_nothing_beside_its_own_argument(forward: str, backward: str) -> None:
    """Of a PReLU by its slope nothing is excused: x is no variable."""
    f, b = NEGATIVE_PARTS[forward], NEGATIVE_PARTS[backward]

    def slope(x: Any, a: Any) -> Any:
        return np.maximum(x, 0) + a * f(x)

    asked: Any = {"shapes": {"x": "n", "a": ""}, "wrt": "a", "seek_repair": False}
    found = check_gradient(slope, lambda x, a, dy: (dy * b(x)).sum(), **asked)
    assert (found.status, found.conditions) == ("proved", ())
    assert check_gradient(slope, lambda x, a, dy: (dy * (x - b(x))).sum(), **asked).status == "refuted"


VALUELESS: dict[str, tuple[Function, Function, str]] = {
    "reciprocal": (lambda t: 1 / t > 0, lambda t: t > 0, "t[j] ≠ 0"),
    "power": (lambda t: t**-1.0 > 0, lambda t: t > 0, "t[j] ≠ 0"),
    "logarithm": (lambda t: np.log(t) > 0, lambda t: np.log(t) > 0, "t[j] > 0"),
    "root": (lambda t: np.sqrt(t) > 2, lambda t: np.sqrt(t) > 2, "t[j] >= 0"),
}


@pytest.mark.parametrize("name", VALUELESS)
def test_a_selection_by_what_has_no_value_somewhere_says_where(name: str) -> None:
    """NumPy selects there by an infinity or a nan; the theorem is about real numbers, and is told apart."""
    chosen, claimed, place = VALUELESS[name]
    found = check_gradient(
        lambda x, t: x * np.where(chosen(t), 1, 2), lambda x, t, dy: dy * np.where(claimed(t), 1, 2),
        {"x": "n", "t": "n"}, "x",
    )  # fmt: skip
    assert found.status == "proved"
    assert [str(c) for c in found.conditions] == [f"{place} (the forward has no value elsewhere)"]


def centred(x: Any) -> Any:
    return x - x.mean()


LENGTHS: dict[str, Function] = {
    "as given": lambda x, y: np.sqrt((x**2).sum() * (y**2).sum()),
    "products": lambda x, y: np.sqrt(x @ x * (y @ y)),
    "apart": lambda x, y: np.sqrt((x * x).sum()) * np.sqrt(y.dot(y)),
    "norms": lambda x, y: np.linalg.norm(x) * np.linalg.norm(y),
}


PAIRS = [("vectors", *p) for p in product(LENGTHS, repeat=2)]
PAIRS += [("deviations", *p) for k in (1, 2) for p in zip(LENGTHS, turned_by(k, list(LENGTHS)), strict=True)]


@pytest.mark.parametrize("of, forward, backward", PAIRS)
def test_a_product_that_is_not_0_has_factors_that_are_not_0(of: str, forward: str, backward: str) -> None:
    prepared = centred if of == "deviations" else lambda x: x
    long, short = LENGTHS[forward], LENGTHS[backward]

    def correlation(x: Any, y: Any) -> Any:
        u, v = prepared(x), prepared(y)
        return u @ v / long(u, v)

    def slope(x: Any, y: Any, power: int = 2) -> Any:
        u, v = prepared(x), prepared(y)
        return v / short(u, v) - u * (u @ v) / short(u, v) / np.linalg.norm(u) ** power

    asked: Any = {"shapes": {"x": "n", "y": "n"}, "wrt": "x", "seek_repair": False}
    assert check_gradient(correlation, slope, **asked).status == "proved"
    assert check_gradient(correlation, lambda x, y: slope(x, y, 1), **asked).status == "refuted"


@pytest.mark.parametrize("digits, status", [("0.3989422804014327", "proved"), ("0.39894228", "unknown")])
@pytest.mark.parametrize("root", ["np.sqrt(0.5)", "0.7071067811865476", "1 / 1.4142135623730951"])
def test_digits_of_a_root_are_the_root_where_that_decides(root: str, digits: str, status: str) -> None:
    names: dict[str, Any] = {"np": np, "erf": erf}
    exec("def gelu(x): return 0.5 * x * (1 + erf(x / np.sqrt(2)))", names)
    exec(
        f"def slope(x, dy): return dy * (0.5 * (1 + erf(x * ({root}))) + {digits} * x * np.exp(-x * x / 2))", names
    )
    found = check_gradient(names["gelu"], names["slope"], {"x": "n"}, seek_repair=False)
    assert found.status == status
    assert (f"{digits} is read as √(1/2 / π)" in found.notes) == (status == "proved")


def turned(x: Any) -> Any:
    return x[::-1]


FROM_THE_END: dict[str, Function] = {
    "cumsum": lambda x: turned(np.cumsum(turned(x))),
    "flip": lambda x: np.flip(np.flip(x).cumsum()),
    "rest": lambda x: x.sum() - np.cumsum(x) + x,
    "matrix": lambda x: np.triu(np.ones((len(x), len(x)))) @ x,
}


@pytest.mark.parametrize("name", FROM_THE_END)
def test_running_means(name: str) -> None:
    """Sums from the end are read in the order of their entries, so that 1 / (i + 1) is plainly finite."""

    def running(x: Any) -> Any:
        return np.cumsum(x) / np.arange(1, len(x) + 1)

    def back(x: Any, dy: Any) -> Any:
        return FROM_THE_END[name](dy / np.arange(1, len(x) + 1))

    assert check_gradient(running, back, {"x": "n"}).status == "proved"
    assert check_gradient(running, lambda x, dy: back(x, dy) / len(x), {"x": "n"}).status == "refuted"
