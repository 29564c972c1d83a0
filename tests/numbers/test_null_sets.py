"""Claims that are false at zeros, ties, thresholds and single sizes only are refuted there, exactly; true ones never.

The witness is NumPy: the functions themselves run at the point that was found, the forward by central differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from symbackprop.core.terms import Array
from symbackprop.functions.claims import gradient_claims
from symbackprop.functions.request import read_request
from symbackprop.numbers.duals import to_float
from symbackprop.numbers.refute.points import Question
from symbackprop.numbers.refute.report import Counterexample
from symbackprop.numbers.refute.search import search

Function = Callable[..., Any]
STEP = 1e-6


@dataclass(frozen=True)
class Claim:
    name: str
    forward: Function
    backward: Function
    shapes: dict[str, str]
    kind: str = "differs"
    assuming: Function | None = None

    def question(self) -> Question:
        """The claim about x."""
        request = read_request("check_gradient", self.forward, self.backward, self.shapes, "x", self.assuming, {})
        (claim,) = gradient_claims(request, lambda _: None)
        return Question(
            claim.lhs, claim.rhs, claim.axes, hypotheses=request.hypotheses(),
            shapes={Array(k): d.shape for k, d in claim.inputs.items() if d.values is None},
            forward=tuple(t.body for t in claim.forward), moving=frozenset({Array("x")}),
        )  # fmt: skip


def squares(x: Any) -> Any:
    return (x**2).sum()


def cubes(x: Any) -> Any:
    return (x**3).sum() / 3


V, VW, S, M = {"x": "n"}, {"x": "n", "w": "n"}, {"x": ""}, {"x": "n n"}


# --- another number on a null set or in a rare region ------------------------------------------


def wrong_where(forward: Function, right: Function, condition: Function, wrong: float) -> Function:
    return lambda x: np.where(condition(x), wrong, right(x))


def null_sets() -> Iterator[Claim]:
    conditions: dict[str, Function] = {
        "x = 0": lambda x: x == 0, "x = 3": lambda x: x == 3, "x = -5/2": lambda x: x == -2.5,
        "2 x = 9": lambda x: 2 * x == 9,
        "x = 123": lambda x: x == 123, "x = -1000": lambda x: x == -1000, "x^2 = 4": lambda x: x**2 == 4,
        "x (x - 9) = 0": lambda x: x * (x - 9) == 0, "x = sum x": lambda x: x == x.sum(),
        "x = mean": lambda x: x == 5 - x.mean(),
        "x = x[0] + 1": lambda x: x == x[0] + 1, "|x| = 6": lambda x: np.abs(x) == 6,
        "sum x = 40": lambda x: x * 0 + x.sum() == 40,
        "x not != 2": lambda x: np.logical_not(x != 2),
    }  # fmt: skip
    for name, condition in conditions.items():
        yield Claim(f"11 where {name}", squares, wrong_where(squares, lambda x: 2 * x, condition, 11.0), V)
        yield Claim(f"cubes, -1 where {name}", cubes, wrong_where(cubes, lambda x: x**2, condition, -1.0), V)


def masks() -> Iterator[Claim]:
    """The mask is read from a value that may be 0 for other reasons."""

    def scaled(x: Any, w: Any) -> Any:
        return (x * w).sum()

    for name, g in {
        "w = 0 kept": lambda x, w: np.where(w == 0, 1.0, w),
        "x w = 0": lambda x, w: np.where(x * w == 0, 1.0, w),
        "x = w": lambda x, w: np.where(x == w, 0.0, w),
        "x = -w": lambda x, w: np.where(x == -w, 0.0, w),
        "x + w = 17": lambda x, w: np.where(x + w == 17, 0.0, w),
        "w > 50": lambda x, w: np.where(w > 50, 1.0, w),
        "w < -99": lambda x, w: np.where(w < -99, 1.0, w),
        "through the output": lambda x, w: x * w / np.where(x == 0, 1.0, x),
    }.items():
        yield Claim(name, scaled, g, VW)


def regions() -> Iterator[Claim]:
    for c in (20, 21.5, 100, 513, 4000, -20, -77, -1024, 1e5, 1e-4):

        def beyond(x: Any, c: float = c) -> Any:
            return x > c if c > 0 else x < c

        def kinked(x: Any, c: float = c) -> Any:
            return np.where(x > c if c > 0 else x < c, x, x * x).sum()

        yield Claim(f"forward linear beyond {c}", kinked, lambda x: 2 * x, V)
        yield Claim(f"claim 7 beyond {c}", squares, wrong_where(squares, lambda x: 2 * x, beyond, 7.0), V)
    for name, inside in {
        "a band": lambda x: (x > 20) & (x < 20.001),
        "a band below": lambda x: (x < -44) & (x > -44.5),
        "the sum": lambda x: x.sum() + 0 * x > 300,
        "the norm": lambda x: np.sqrt((x**2).sum()) + 0 * x > 70,
        "squares": lambda x: x**2 > 1000,
        "exponentials": lambda x: np.exp(x) > 1e6,
        "small exponentials": lambda x: np.exp(x) < 1e-9,
        "a cubic": lambda x: x**3 - x > 900,
        "the mean": lambda x: x - x.mean() > 12,
    }.items():
        yield Claim(f"7 in {name}", squares, wrong_where(squares, lambda x: 2 * x, inside, 7.0), V)


def sizes() -> Iterator[Claim]:
    for k in (5, 7, 12, 17, 33, 64, 100):
        yield Claim(f"1/(n - {k})", squares, lambda x, k=k: 2 * x + 1 / (len(x) - k) - 1 / (len(x) - k), V, "no value")
        yield Claim(f"only at index {k}", squares, lambda x, k=k: 2 * x + (np.arange(len(x)) == k), V)
        yield Claim(f"from index {k} on", squares, lambda x, k=k: 2 * x + (np.arange(len(x)) >= k), V)


def ties() -> Iterator[Claim]:
    off = lambda x: ~np.eye(len(x), dtype=bool)  # noqa: E731
    for name, same in {
        "x = x^T": lambda x: x == x.T,
        "2 x = 2 x^T": lambda x: 2 * x == 2 * x.T,
        "x + x^T = 0": lambda x: x + x.T == 0,
        "x x^T = 1": lambda x: x * x.T == 1,
        "x = x^T + 3": lambda x: x == x.T + 3,
        "row sums": lambda x: x.sum(0) == x.sum(1),
    }.items():
        yield Claim(name, squares, lambda x, same=same: np.where(same(x) & off(x), 7.0, 2 * x), M)


# --- no value ----------------------------------------------------------------------------------


def ratios() -> Iterator[Claim]:
    units: dict[str, Function] = {
        "x": lambda x: x, "x - 3": lambda x: x - 3, "x + 55": lambda x: x + 55, "x^2": lambda x: x**2,
        "sum": lambda x: x.sum(),
        "x - mean - 1": lambda x: x - x.mean() - 1, "x^2 - 9": lambda x: x**2 - 9,
        "norm": lambda x: np.sqrt((x**2).sum()),
        "x[0]": lambda x: x[0], "7 x - 2": lambda x: 7 * x - 2, "exp(x) - 1": lambda x: np.exp(x) - 1,
        "relu(x) + relu(-x)": lambda x: np.maximum(x, 0) + np.maximum(-x, 0),
    }  # fmt: skip
    for name, u in units.items():
        yield Claim(f"2 x ({name})/({name})", squares, lambda x, u=u: 2 * x * u(x) / u(x), V, "no value")
        yield Claim(f"2 x + 1/u - 1/u, u = {name}", squares, lambda x, u=u: 2 * x + 1 / u(x) - 1 / u(x), V, "no value")
    yield Claim("mask m m/m", lambda x, w: (x * w).sum(), lambda x, w: w * w / w, VW, "no value")
    yield Claim("prod(x)/x", lambda x: np.prod(x), lambda x: np.prod(x) / x, V, "no value")
    yield Claim("weighted prod", lambda x, w: np.prod(x * w), lambda x, w: np.prod(x * w) / x, VW, "no value")


def logarithms() -> Iterator[Claim]:
    for c in (1, 3, 20, 100, 700):
        yield Claim(f"log1p(x/{c})", squares, lambda x, c=c: 2 * x + np.log1p(x / c) - np.log1p(x / c), V, "no value")
        yield Claim(f"log({c} - x)", squares, lambda x, c=c: 2 * x + np.log(c - x) - np.log(c - x), V, "no value")
        yield Claim(f"sqrt(x + {c})", squares, lambda x, c=c: 2 * x + np.sqrt(x + c) - np.sqrt(x + c), V, "no value")
        yield Claim(f"(x^2 - {c}^2)^1/2", squares, 
                    lambda x, c=c: 2 * x + np.sqrt(c * c - x**2) - np.sqrt(c * c - x**2),
                    V, "no value")  # fmt: skip


def singular() -> Iterator[Claim]:
    yield Claim("det inv^T", lambda x: np.linalg.det(x), lambda x: np.linalg.det(x) * np.linalg.inv(x).T, M, "no value")
    for name, f, right in (
        ("squares", squares, lambda x: 2 * x),
        ("trace", lambda x: np.trace(x), lambda x: np.eye(len(x))),
    ):
        yield Claim(f"{name}: inv x", f, lambda x, r=right: r(x) + np.linalg.inv(x) - np.linalg.inv(x), M, "no value")
        yield Claim(f"{name}: x inv", f, lambda x, r=right: r(x) @ x @ np.linalg.inv(x), M, "no value")
        yield Claim(f"{name}: shifted", f, lambda x, r=right: r(x) + np.linalg.inv(x - 5 * np.eye(len(x))).sum()
                    - np.linalg.inv(x - 5 * np.eye(len(x))).sum(), M, "no value")  # fmt: skip


FALSE = [c for kind in (null_sets, masks, regions, sizes, ties, ratios, logarithms, singular) for c in kind()]


@pytest.mark.parametrize("claim", FALSE, ids=[c.name for c in FALSE])
def test_false_on_a_null_set_or_far_away(claim: Claim) -> None:
    found = search(claim.question()).counterexample
    assert found is not None
    assert found.kind == claim.kind
    witness(claim, found)
    shown = found.describe()
    assert ("no value: " in shown) == (claim.kind == "no value")
    assert found.as_json()["lhs"] == shown.splitlines()[-2].split()[-1]


def witness(claim: Claim, found: Counterexample) -> None:
    """Both numbers once more, by running the functions."""
    arguments = {name: filled(found, name, shape) for name, shape in claim.shapes.items()}
    at = tuple(found.index.values())
    slope = central(claim.forward, arguments, at)
    assert slope == pytest.approx(to_float(found.lhs), rel=1e-4, abs=1e-4)
    try:
        with np.errstate(all="ignore"):
            claimed = np.broadcast_to(np.asarray(claim.backward(**arguments), float), arguments["x"].shape)[at]
    except (np.linalg.LinAlgError, ZeroDivisionError):
        claimed = np.nan
    if found.rhs is None:
        assert not np.isfinite(claimed)
    else:
        assert claimed == pytest.approx(to_float(found.rhs), rel=1e-9, abs=1e-9)


def filled(found: Counterexample, name: str, shape: str) -> Any:
    whole = np.ones([found.sizes[s] for s in shape.split()])
    for k, v in found.point.arrays.get(Array(name), {}).items():
        whole[k] = to_float(v)
    return whole


def central(f: Function, arguments: dict[str, Any], at: tuple[int, ...]) -> float:
    def moved(h: float) -> Any:
        x = arguments["x"].copy()
        x[at] += h
        return f(**{**arguments, "x": x})

    h = STEP * max(1.0, abs(float(arguments["x"][at])))
    return float((moved(h) - moved(-h)) / (2 * h))


# --- what is true is never refuted --------------------------------------------------------------


def positive(*names: str) -> Function:
    def assuming(**given: Any) -> Any:
        return [given[n] > 0 for n in names]

    return assuming


def honest() -> Iterator[Claim]:
    """Excused kinks, guarded branches, safe formulas, shifts that overflow in floats."""
    yield Claim("relu, 1 at 0", lambda x: np.maximum(x, 0).sum(), lambda x: (x >= 0) * 1.0, V)
    yield Claim("relu, 0 at 0", lambda x: np.maximum(x, 0).sum(), lambda x: (x > 0) * 1.0, V)
    yield Claim("relu, 7 at 0", lambda x: np.maximum(x, 0).sum(), lambda x: np.where(x == 0, 7.0, x > 0), V)
    yield Claim("abs", lambda x: np.abs(x).sum(), lambda x: np.sign(x), V)
    yield Claim("abs as a ratio", lambda x: np.abs(x).sum(), lambda x: x / np.abs(x), V)
    yield Claim("x |x|", lambda x: (x * np.abs(x)).sum(), lambda x: 2 * x * x * x / np.abs(x) / x, V)
    yield Claim("norm", lambda x: np.sqrt((x**2).sum()), lambda x: x / np.sqrt((x**2).sum()), V)
    yield Claim("logarithm", lambda x: np.log(x).sum(), lambda x: 1 / x, V)
    yield Claim("logarithm, through a root", lambda x: np.log(x).sum(), lambda x: np.sqrt(x) / x / np.sqrt(x), V)
    yield Claim("reciprocal", lambda x: (1 / x).sum(), lambda x: -1 / x**2, V)
    yield Claim("guarded ratio", squares, lambda x: np.where(x == 0, 0.0, 2 * x * x / x), V)
    yield Claim("guarded logarithm", squares, lambda x: np.where(x > 0, 2 * x + 0 * np.log(x), 2 * x), V)
    yield Claim("safe denominator", squares, lambda x: 2 * x * x * x / np.where(x == 0, 1.0, x * x), V)
    yield Claim(
        "a chosen denominator",
        lambda x, w: (x / np.where(w > 0, w, 0.0)).sum(),
        lambda x, w: 1 / np.where(w > 0, w, 0.0),
        VW,
    )
    yield Claim("the logarithm of a weight", squares, lambda x: 2 * x + 0 * np.exp(np.log(np.abs(x)) - 1), V)
    yield Claim("exp(-1/x^2)", lambda x: np.exp(-1 / x**2).sum(), lambda x: 2 / x**3 * np.exp(-1 / x**2), V)
    yield Claim("dropout", lambda x, w: (x * w / (1 - 0.25)).sum(), lambda x, w: w / 0.75, VW)
    yield Claim("division by w", lambda x, w: (x / w).sum(), lambda x, w: 1 / w, VW)
    yield Claim("x w / w", lambda x, w: (x * w / w).sum(), lambda x, w: w / w, VW)
    yield Claim("variance, n - 1", lambda x: ((x - x.mean()) ** 2).sum() / (len(x) - 1),
                lambda x: 2 * (x - x.mean()) / (len(x) - 1), V)  # fmt: skip
    yield Claim("clip", lambda x: np.clip(x, -2, 3).sum(), lambda x: np.where((x > -2) & (x < 3), 1.0, 0.0), V)
    yield Claim(
        "huber", lambda x: np.where(np.abs(x) < 1, x**2 / 2, np.abs(x) - 0.5).sum(), lambda x: np.clip(x, -1, 1), V
    )
    yield Claim("hinge", lambda x, w: np.maximum(1 - x * w, 0).sum(), lambda x, w: np.where(x * w < 1, -w, 0.0), VW)
    yield Claim("maximum", lambda x, w: np.maximum(x, w).sum(), lambda x, w: (x > w) * 1.0, VW)
    yield Claim("max pooling", lambda x: x.max(), lambda x: (x == x.max()) * 1.0, V)
    for c in (800, -800, 5000):
        yield Claim(f"softmax shifted by {c}", lambda x: np.log(np.exp(x).sum()),
                    lambda x, c=c: np.exp(x - c) / np.exp(x - c).sum(), V)  # fmt: skip
    yield Claim("softmax shifted by the maximum", lambda x: np.log(np.exp(x - x.max()).sum()) + x.max(),
                lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum(), V)  # fmt: skip
    yield Claim("log det", lambda x: np.log(np.linalg.det(x)), lambda x: np.linalg.inv(x).T, M)
    yield Claim("inverse", lambda x: np.linalg.inv(x).sum(),
                lambda x: -np.linalg.inv(x).T @ np.ones_like(x) @ np.linalg.inv(x).T, M)  # fmt: skip
    yield Claim("a deviation, at n = 1", lambda x: np.sqrt(((x - x.mean()) ** 2).mean()),
                lambda x: (x - x.mean()) / (len(x) * np.sqrt(((x - x.mean()) ** 2).mean())), V)  # fmt: skip
    yield Claim("|x w| where w = 0", lambda x, w: np.abs(x * w).sum(), lambda x, w: w * x * w / np.abs(x * w), VW)
    yield Claim("|x w|, a mask", lambda x, w: np.abs(x * w).sum(), lambda x, w: w * x * w / np.abs(x * w), VW,
                assuming=lambda w: [w * w == w])  # fmt: skip
    yield Claim("inside the hypotheses", squares, lambda x: 2 * x * x / x, V, assuming=lambda x: [x > 0])
    yield Claim("at the border of the hypotheses", squares, lambda x: 2 * x * x / x, V, assuming=lambda x: [x >= 0])
    yield Claim("not 0", squares, lambda x: 2 * x * x / x, V, assuming=lambda x: [x != 0])


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def layernorm(x: Any, eps: Any = 0.0) -> Any:
    m = x.mean(-1, keepdims=True)
    return (x - m) / np.sqrt(((x - m) ** 2).mean(-1, keepdims=True) + eps)


def layernorm_backward(x: Any, g: Any, eps: Any = 0.0) -> Any:
    m = x.mean(-1, keepdims=True)
    k = 1 / np.sqrt(((x - m) ** 2).mean(-1, keepdims=True) + eps)
    y = (x - m) * k
    return k * (g - g.mean(-1, keepdims=True) - y * (g * y).mean(-1, keepdims=True))


def of_networks() -> Iterator[Claim]:
    """What people write, with its zeros, ties, masks and padding."""
    b, vg, e = {"x": "b n"}, {"x": "b n", "g": "b n"}, {"x": "b n", "eps": "", "g": "b n"}
    yield Claim("layernorm", layernorm_of, lambda x, g: layernorm_backward(x, g), b)
    yield Claim("layernorm with eps", lambda x, eps: layernorm(x, eps),
                lambda x, eps, g: layernorm_backward(x, g, eps), e,
                assuming=lambda eps: [eps > 0])  # fmt: skip
    yield Claim("layernorm with eps >= 0", lambda x, eps: layernorm(x, eps),
                lambda x, eps, g: layernorm_backward(x, g, eps), e, assuming=lambda eps: [eps >= 0])  # fmt: skip
    yield Claim("batchnorm", lambda x: layernorm(x.T).T, lambda x, g: layernorm_backward(x.T, g.T).T, vg)
    yield Claim(
        "softmax", lambda x: softmax(x), lambda x, g: softmax(x) * (g - (g * softmax(x)).sum(-1, keepdims=True)), b
    )
    yield Claim("deviation", lambda x: x.std(), lambda x: (x - x.mean()) / (len(x) * x.std()), V)
    yield Claim("x over its norm", lambda x: x / np.linalg.norm(x),
                lambda x, g: g / np.linalg.norm(x) - x * (g * x).sum() / np.linalg.norm(x) ** 3, V)  # fmt: skip
    yield Claim("x over max(norm, eps)", lambda x, eps: x / np.maximum(np.linalg.norm(x), eps),
                lambda x, eps, g: np.where(np.linalg.norm(x) > eps,
                    g / np.linalg.norm(x) - x * (g * x).sum() / np.linalg.norm(x) ** 3, g / eps),
                {"x": "n", "eps": ""}, assuming=lambda eps: [eps > 0])  # fmt: skip
    yield Claim("net of relus", lambda x, w: np.maximum(np.maximum(x * w, 0) * w, 0).sum(),
                lambda x, w: (np.maximum(x * w, 0) * w > 0) * w * (x * w > 0) * w, VW)  # fmt: skip
    yield Claim("leaky relu", lambda x: np.where(x > 0, x, 0.01 * x).sum(), lambda x: np.where(x > 0, 1.0, 0.01), V)
    yield Claim("elu", lambda x: np.where(x > 0, x, np.exp(x) - 1).sum(), lambda x: np.where(x > 0, 1.0, np.exp(x)), V)
    yield Claim("softsign", lambda x: (x / (1 + np.abs(x))).sum(), lambda x: 1 / (1 + np.abs(x)) ** 2, V)
    yield Claim("cross entropy through sigmoid",
                lambda x, w: -(w * np.log(sigmoid(x)) + (1 - w) * np.log(1 - sigmoid(x))).sum(),
                lambda x, w: sigmoid(x) - w, VW)  # fmt: skip
    yield Claim("cross entropy, clipped", lambda x, w: -(w * np.log(np.clip(x, 0.125, 0.875))
                    + (1 - w) * np.log(1 - np.clip(x, 0.125, 0.875))).sum(),
                lambda x, w: np.where((x > 0.125) & (x < 0.875), (x - w) / (x * (1 - x)), 0.0), VW)  # fmt: skip
    yield Claim("mask of -1e9", lambda x, w: np.log(np.exp(x - 1e9 * w).sum()),
                lambda x, w: np.exp(x - 1e9 * w) / np.exp(x - 1e9 * w).sum(), VW,
                assuming=lambda w: [w * w == w])  # fmt: skip
    yield Claim("padding", lambda x, w: np.where(w > 0, np.log(x), 0).sum(), lambda x, w: np.where(w > 0, 1 / x, 0), VW)
    yield Claim("mean over a mask", lambda x, w: (x * w).sum() / w.sum(), lambda x, w: w / w.sum(), VW)
    yield Claim("product", lambda x: np.prod(x), lambda x: np.prod(x) / x, V, assuming=lambda x: [x != 0])
    yield Claim("Frobenius", lambda x: np.sqrt(np.trace(x.T @ x)), lambda x: x / np.sqrt((x**2).sum()), {"x": "n m"})
    yield Claim(
        "geometric mean", lambda x: np.exp(np.log(x).mean()), lambda x: np.exp(np.log(x).mean()) / (x * len(x)), V
    )
    yield Claim("smooth maximum", lambda x, w: np.sqrt((x - w) ** 2).sum(), lambda x, w: np.where(x > w, 1.0, -1.0), VW)
    yield Claim("cosine", lambda x, w: (x * w).sum() / (np.linalg.norm(x) * np.linalg.norm(w)),
                lambda x, w: w / (np.linalg.norm(x) * np.linalg.norm(w))
                    - x * (x * w).sum() / (np.linalg.norm(x) ** 3 * np.linalg.norm(w)), VW)  # fmt: skip
    yield Claim("power", lambda x, p: (x**p).sum(), lambda x, p: p * x ** (p - 1), {"x": "n", "p": ""})
    yield Claim("fractional power", lambda x: (x**1.5).sum(), lambda x: 1.5 * np.sqrt(x), V)


def layernorm_of(x: Any) -> Any:
    return layernorm(x)


HONEST = [*honest(), *of_networks()]


@pytest.mark.parametrize("claim", HONEST, ids=[c.name for c in HONEST])
def test_true_claims_are_never_refuted(claim: Claim) -> None:
    outcome = search(claim.question())
    assert outcome.counterexample is None, outcome.counterexample and outcome.counterexample.describe()
