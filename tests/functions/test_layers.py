"""What check_layer, check_function and check_derivative promise besides their verdicts."""

from __future__ import annotations

import copy
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.core.terms import SymbackpropError
from symbackprop.functions import drive

LAST: list[Any] = []


class Dense:
    def __init__(self, W: Any, b: Any) -> None:
        self.W, self.b = W, b
        self.dW: Any = None
        self.db: Any = None
        self.seen: list[Any] = []
        self.calls = {"forward": 0}

    def forward(self, x: Any) -> Any:
        self.x = x
        self.seen.append(x)
        self.calls["forward"] += 1
        LAST.append(self)
        return x @ self.W + self.b

    def backward(self, dout: Any) -> Any:
        self.dW = self.x.T @ dout
        self.db = dout.sum(0)
        return dout @ self.W.T

    def plain_forward(self, x: Any) -> Any:
        self.x = x
        self.W *= 1
        return (x @ self.W).sum()

    def plain_backward(self, x: Any) -> Any:
        self.seen.append(x)
        return np.ones_like(x) * self.W.sum(1)


def made() -> Dense:
    return Dense(np.arange(6.0).reshape(3, 2), np.ones(2))


def state(layer: Dense) -> dict[str, Any]:
    return copy.deepcopy(vars(layer))


layer = made()
DENSE = {"x": "B D", "W": "D M", "b": "M"}
ROWS = {"x": "B 3"}
TOUCHING: dict[str, Callable[[], sb.Verdict]] = {
    "check_layer": lambda: sb.check_layer(layer, shapes=DENSE),
    "check_layer, the class": lambda: sb.check_layer(Dense, shapes=DENSE),
    "check_layer, a function that gives it": lambda: sb.check_layer(lambda: layer, shapes=DENSE),
    "check_gradient": lambda: sb.check_gradient(layer.plain_forward, layer.plain_backward, ROWS),
    "check_gradient, wrong": lambda: sb.check_gradient(
        layer.plain_forward, lambda x: layer.plain_backward(x) * 2, ROWS
    ),
    "check_gradient, a method pair": lambda: sb.check_gradient(layer.forward, layer.backward, ROWS),
    "check_equal": lambda: sb.check_equal(
        layer.plain_forward, lambda x: layer.forward(x).sum() - 2 * len(x), ROWS
    ),
    "check_jacobian": lambda: sb.check_jacobian(layer.plain_forward, layer.plain_backward, ROWS),
    "check_function": lambda: sb.check_function(
        lambda x: (layer.plain_forward(x), layer.plain_backward(x)), shapes=ROWS
    ),
    "check_derivative": lambda: sb.check_derivative(
        lambda x: x * layer.forward(np.zeros((1, 3)))[0, 0], lambda x: layer.b[0], {"x": "n"}
    ),
    "derive": lambda: sb.derive(layer.plain_forward, ROWS).verdict,
}


@pytest.mark.parametrize("check", TOUCHING)
def test_the_users_object_is_untouched(check: str) -> None:
    before, seen = state(layer), len(LAST)
    verdict = TOUCHING[check]()
    assert verdict.status == ("refuted" if "wrong" in check else "proved"), str(verdict)
    after = vars(layer)
    assert after.keys() == before.keys() and len(LAST) == seen
    for name, value in before.items():
        assert np.array_equal(after[name], value) if isinstance(value, np.ndarray) else after[name] == value, name


def test_an_object_with_slots_is_untouched() -> None:
    class Slotted:
        __slots__ = ("dw", "w", "x")

        def __init__(self) -> None:
            self.w, self.dw = np.array([2.0, 3.0]), None

        def forward(self, x: Any) -> Any:
            self.x = x
            return x * self.w

        def backward(self, g: Any) -> Any:
            self.dw = (g * self.x).sum(0)
            return g * self.w

    slotted = Slotted()
    assert sb.check_layer(slotted, shapes={"x": "B 2"})
    assert sb.check_gradient(slotted.forward, slotted.backward, {"x": "B 2"})
    assert slotted.dw is None and not hasattr(slotted, "x")


def test_random_numbers_of_functions_that_stand_alone_are_two_draws() -> None:
    verdict = sb.check_gradient(
        lambda x: x * np.random.rand(*x.shape), lambda x, g: g * np.random.rand(*g.shape), {"x": "n"}
    )
    assert verdict.status == "unknown" and "check_layer" in verdict.reason


class Noisy:
    """`again` draws in the backward what the forward drew: with the same seed it is the same."""

    def __init__(self, how: Any, again: bool) -> None:
        self.how, self.again = how, again

    def forward(self, x: Any) -> Any:
        self.noise = self.how(x)
        return x * self.noise

    def backward(self, g: Any) -> Any:
        return g * (self.how(g) if self.again else self.noise)


def seeded(x: Any) -> Any:
    np.random.seed(3)
    return np.random.randn(*x.shape)


GENERATOR = np.random.default_rng(1)
DRAWS: list[tuple[Callable[[Any], Any], str]] = [
    (lambda x: np.random.rand(*x.shape), "refuted"),
    (lambda x: np.random.uniform(-1, 1, x.shape), "refuted"),
    (lambda x: np.random.normal(0.0, 2.0, size=x.shape), "refuted"),
    (lambda x: np.random.binomial(1, 0.3, x.shape) / 0.3, "refuted"),
    (lambda x: np.random.randint(0, 2, size=x.shape), "refuted"),
    (lambda x: np.random.choice([0.0, 2.0], size=x.shape), "refuted"),
    (lambda x: np.random.choice([0, 1], x.shape, p=[0.5, 0.5]), "refuted"),
    (lambda x: GENERATOR.standard_normal(x.shape), "refuted"),
    (lambda x: GENERATOR.random(size=x.shape) < 0.5, "refuted"),
    (seeded, "proved"),
    (lambda x: np.random.default_rng(7).random(x.shape), "proved"),
    (lambda x: np.random.RandomState(7).rand(*x.shape), "proved"),
]


@pytest.mark.parametrize(("how", "drawn_again"), DRAWS, ids=range(len(DRAWS)))
def test_a_draw_is_one_array_and_the_next_another(how: Callable[[Any], Any], drawn_again: str) -> None:
    kept = sb.check_layer(lambda: Noisy(how, False), shapes={"x": "B D"})
    assert kept.status == "proved", str(kept)
    again = sb.check_layer(lambda: Noisy(how, True), shapes={"x": "B D"}, seek_repair=False)
    assert again.status == drawn_again, str(again)


class Bare:
    def forward(self, x: Any) -> Any:
        self.x = x
        return 2 * x

    def backward(self, g: Any) -> None:
        self.somewhere, self.beside = 2 * g, 3 * g


MESSAGES: list[tuple[Callable[[], Any], str]] = [
    (lambda: sb.check_layer(Bare(), shapes={"x": "n"}), r"no gradient of 'x' is found \(there are self.x, self.some"),
    (lambda: sb.check_layer(Bare(), shapes={"x": "n"}, params={"x": "2 + 2"}), r"params says where gradients are"),
    (lambda: sb.check_layer(Bare(), shapes={"x": "n", "W": "n n"}), "'W' is no array of the layer"),
    (lambda: sb.check_layer(Bare(), shapes={"x": "n"}, wrt="y"), "'y' has no shape"),
    (lambda: sb.check_layer(Bare(), "sideways", shapes={"x": "n"}), "no method 'sideways'"),
    (lambda: sb.check_layer(object(), shapes={"x": "n"}), "no method 'forward'"),
    (lambda: sb.check_layer(Bare(), shapes=None), "shapes is a dict"),
    (lambda: sb.check_layer(Bare(), shapes={"x": "n"}, forward=3), "forward is the name of a method"),  # type: ignore[arg-type]
    (lambda: sb.check_function(lambda x: x, shapes={"x": "n"}), "no loss with its gradient"),
    (lambda: sb.check_function(lambda x: (x, x), shapes={"x": "n"}), "no scalar loss"),
    (lambda: sb.check_function(3, shapes={"x": "n"}), "a function is needed, not a int"),
    (lambda: sb.check_function(lambda x, y: (x.sum(), x), shapes={"x": "n"}), "'y' of the function has no shape"),
    (lambda: sb.check_derivative(np.tanh, 3, {"x": "n"}), "two functions are needed"),  # type: ignore[arg-type]
    (lambda: sb.check_derivative(np.tanh, np.cosh, {"x": "n", "y": "n"}, wrt=["x", "y"]), "by one variable"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), MESSAGES, ids=[m for _, m in MESSAGES])
def test_a_request_that_makes_no_sense(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(SymbackpropError, match=message):
        call()


def test_where_the_gradient_is_can_be_said() -> None:
    verdict = sb.check_layer(Bare(), shapes={"x": "n"}, params={"x": "self.somewhere"})
    assert verdict.status == "proved" and "its gradient is self.somewhere" in str(verdict)


def test_what_was_made_of_random_numbers_that_are_replaced_is_named() -> None:
    class Twice:
        def __init__(self, n: Any) -> None:
            self.W = np.random.randn(n, n)
            self.WT = self.W.T

        def forward(self, x: Any) -> Any:
            self.x = x
            return x @ self.WT.T

        def backward(self, g: Any) -> Any:
            self.dW = self.x.T @ g
            return g @ self.WT

    with pytest.raises(SymbackpropError, match=r"self.WT was made of self.W before 'W' is put there"):
        sb.check_layer(lambda D: Twice(D), shapes={"x": "B D"})


def test_places_in_what_is_returned() -> None:
    class Two:
        def __init__(self, w: Any) -> None:
            self.w = w

        def forward(self, x: Any) -> Any:
            self.x = x
            return self.w * x

        def backward(self, g: Any) -> Any:
            return (g * self.x).sum(0), [g * self.w]

    shapes = {"x": "n d", "w": "d"}
    assert sb.check_layer(Two, shapes=shapes, params={"w": "return[0]", "x": "returned[1][0]"}, wrt=["x", "w"])
    assert not sb.check_layer(Two, shapes=shapes, params={"x": "return[0]", "w": "return[1][0]"}, seek_repair=False)


def test_what_has_no_shape_is_said_and_so_is_what_is_not_checked() -> None:
    class Scale:
        def __init__(self, gamma: Any) -> None:
            self.gamma = gamma

        def forward(self, x: Any) -> Any:
            self.x = x
            return self.gamma * x

        def backward(self, g: Any) -> Any:
            return self.gamma * g, (g * self.x).sum(0)

    taken = "gamma has no shape: it was taken for a size, one whole number"
    left = "what backward() returns[1] is not checked: nothing with a shape goes with it"
    one = sb.check_layer(Scale, shapes={"x": "B D"})
    both = sb.check_layer(Scale, shapes={"x": "B D", "gamma": "D"})
    assert one.status == both.status == "proved" and one.notes[-2:] == (left, taken)
    assert not {taken, left} & {n for v in both.gradients.values() for n in v.notes}
    sizes = sb.check_layer(lambda D, M: Dense(np.zeros((D, M)), np.zeros(M)), shapes={"x": "B D"})
    assert not any("taken for a size" in n for v in sizes.gradients.values() for n in v.notes)


def test_a_derivative_of_the_output_that_is_taken_at_the_input() -> None:
    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    verdict = sb.check_derivative(sigmoid, lambda z: z * (1 - z), {"z": "n"})
    assert verdict.status == "refuted" and "in terms of the output" in str(verdict.mistake)
    assert sb.check_derivative(sigmoid, lambda z: z * (1 - z), {"z": "n"}, of_output=True)
    assert sb.check_derivative(sigmoid, lambda a: a * (1 - a), {"z": "n"})
    at_input = sb.check_derivative(sigmoid, lambda a: sigmoid(a) * (1 - sigmoid(a)), {"z": "n"})
    assert at_input and "taken of z" in str(at_input)
    assert sb.check_derivative(sigmoid, lambda a: a * (1 - a), {"z": "n"}, of_output=False).status == "refuted"


def test_a_layer_that_cannot_be_read_is_unknown_with_the_line() -> None:
    class Branch:
        def forward(self, x: Any) -> Any:
            return x if x.sum() > 0 else -x

        def backward(self, g: Any) -> Any:
            return g

    verdict = sb.check_layer(Branch(), shapes={"x": "n"})
    assert verdict.status == "unknown" and "test_layers.py" in verdict.reason


def test_shapes_that_do_not_conform_are_named() -> None:
    class Turned(Dense):
        def backward(self, dout: Any) -> Any:
            self.dW = self.x.T @ dout
            self.db = dout.sum(0)
            return dout @ self.W

    verdict = sb.check_layer(Turned, shapes={"x": "B D", "W": "D M", "b": "M"})
    assert verdict.status == "ill-formed" and "dout @ self.W" in verdict.reason


def test_objects_of_other_libraries_go_to_their_module(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[drive.Asked] = []

    def check(question: drive.Asked) -> sb.Verdict:
        asked.append(question)
        return sb.Verdict("unknown", reason="somewhere else")

    module = types.SimpleNamespace(check_function=check, check_layer=check, takes_layer=lambda q: True)
    monkeypatch.setattr(drive, "LIBRARIES", {"decimal": "fractions"})
    monkeypatch.setattr(drive, "import_module", lambda name: module)
    from decimal import Decimal

    assert sb.check_function(Decimal(1), shapes={"x": "n"}).reason == "somewhere else"
    assert sb.check_layer(lambda: None, shapes={"x": "n"}).reason == "somewhere else"
    assert [q.shapes for q in asked] == [{"x": "n"}] * 2


def test_results_in_another_order_are_swapped() -> None:
    def forward(x: Any, gamma: Any, beta: Any) -> Any:
        return gamma * x + beta

    def backward(x: Any, gamma: Any, beta: Any, dout: Any) -> Any:
        return gamma * dout, dout.sum(0), (x * dout).sum(0)

    verdict = sb.check_gradient(forward, backward, {"x": "N D", "gamma": "D", "beta": "D"})
    for name, formula in (("gamma", "Σ_j x[j,i] dout[j,i]"), ("beta", "Σ_j dout[j,i]")):
        found = verdict.gradients[name]
        assert (found.status, found.mistake) == ("refuted", "gamma and beta are swapped")
        assert found.repair is not None and formula in found.repair.text and "def" in found.repair.code

    def turned(x: Any, w: Any, b: Any, dout: Any) -> Any:
        return dout @ w.T, dout.sum(0), x.T @ dout

    shapes = {"x": "N D", "w": "D M", "b": "M"}
    verdict = sb.check_gradient(lambda x, w, b: x @ w + b, turned, shapes)
    assert verdict.gradients["w"].mistake == verdict.gradients["b"].mistake == "w and b are swapped"
    half = sb.check_gradient(lambda x, y: x * y, lambda x, y, dout: (dout * x, 2 * dout * y), {"x": "n", "y": "n"})
    assert "swapped" not in str(half)


def test_a_flat_gradient_of_a_row_is_right_but_for_its_shape() -> None:
    shapes = {"x": "B D", "w": "D M", "b": "1 M"}
    verdict = sb.check_gradient(lambda x, w, b: x @ w + b, lambda x, w, b, dout: dout.sum(0), shapes, "b")
    assert verdict.status == "refuted" and "(M,) where (1, M) is needed: the values are right" in str(verdict.mistake)
    wrong = sb.check_gradient(lambda x, w, b: x @ w + b, lambda x, w, b, dout: dout.mean(0), shapes, "b")
    assert wrong.status == "refuted" and "values are right" not in str(wrong.mistake)


def softmax(z: Any, shift: Any) -> Any:
    e = np.exp(z - shift(z))
    return e / e.sum(axis=1, keepdims=True)


def softmax_back(z: Any, g: Any) -> Any:
    p = softmax(z, lambda z: 0)
    return p * (g - (g * p).sum(axis=1, keepdims=True))


def logistic(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


OVERFLOWING: list[tuple[Callable[..., Any], Callable[..., Any], dict[str, str], Callable[..., Any] | None, int]] = [
    (lambda z: softmax(z, lambda z: 0), lambda z, g: 1 * softmax_back(z, g), {"z": "N K"}, None, 1),
    (lambda z: softmax(z, lambda z: 0), softmax_back, {"z": "N K"}, None, 2),
    (lambda z: softmax(z, lambda z: z.max(1, keepdims=True)), softmax_back, {"z": "N K"}, None, 1),
    (logistic, lambda z, g: g * np.exp(-z) / (1 + np.exp(-z)) ** 2, {"z": "n"}, None, 1),
    (logistic, lambda z, g: g * logistic(z) * (1 - logistic(z)), {"z": "n"}, None, 0),
    (lambda z: np.exp(z).sum() / np.exp(z).sum(), lambda z: 0 * z, {"z": "n"}, lambda z: [z > 0], 0),
]


@pytest.mark.parametrize(("f", "df", "shapes", "assuming", "count"), OVERFLOWING, ids=range(len(OVERFLOWING)))
def test_what_overflows_is_noted(f: Any, df: Any, shapes: dict[str, str], assuming: Any, count: int) -> None:
    verdict = sb.check_gradient(f, df, shapes, assuming=assuming)
    assert verdict.status == "proved", str(verdict)
    assert sum("overflows to nan for entries of 1000" in n for n in verdict.notes) == count
