"""torch.autograd.Function as people write them, right and wrong: the verdict without a change to the class."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test-frameworks")

import torch.nn.functional as F  # noqa: E402
from torch.autograd import Function  # noqa: E402
from torch.autograd.function import once_differentiable  # noqa: E402

from symbackprop import SymbackpropError, check_equal, check_function, check_gradient  # noqa: E402


def pair(forward: Any, backward: Any, **more: Any) -> Any:
    """A Function of these two."""
    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("Given", (Function,), {**methods, **{k: staticmethod(f) for k, f in more.items()}})


def saves(*names: str) -> Any:
    return names


# --- forwards that several backwards belong to ------------------------------------------------------


def scaled_softmax(ctx: Any, x: Any, scale: float) -> Any:
    y = F.softmax(x * scale, dim=-1)
    ctx.save_for_backward(y)
    ctx.scale = scale
    return y


def softmax_right(ctx: Any, g: Any) -> Any:
    (y,) = ctx.saved_tensors
    return ctx.scale * y * (g - (g * y).sum(-1, keepdim=True)), None


def softmax_unscaled(ctx: Any, g: Any) -> Any:
    (y,) = ctx.saved_tensors
    return y * (g - (g * y).sum(-1, keepdim=True)), None


def softmax_axis(ctx: Any, g: Any) -> Any:
    (y,) = ctx.saved_tensors
    return ctx.scale * y * (g - (g * y).sum(0, keepdim=True)), None


def rmsnorm(ctx: Any, x: Any, weight: Any, eps: float) -> Any:
    inv = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)
    ctx.save_for_backward(x, weight, inv)
    return x * inv * weight


def rmsnorm_right(ctx: Any, g: Any) -> Any:
    x, weight, inv = ctx.saved_tensors
    gw = g * weight
    return gw * inv - x * inv**3 * (gw * x).mean(-1, keepdim=True), (g * x * inv).sum(0), None


def rmsnorm_power(ctx: Any, g: Any) -> Any:
    x, weight, inv = ctx.saved_tensors
    gw = g * weight
    return gw * inv - x * inv**2 * (gw * x).mean(-1, keepdim=True), (g * x * inv).sum(0), None


def rmsnorm_default(ctx: Any, x: Any, weight: Any, eps: float = 1e-5) -> Any:
    return rmsnorm(ctx, x, weight, eps)


def rmsnorm_two(ctx: Any, g: Any) -> Any:
    return rmsnorm_right(ctx, g)[:2]


def attention(ctx: Any, q: Any, k: Any, v: Any) -> Any:
    scale = 1 / math.sqrt(q.shape[-1])
    p = torch.softmax(q @ k.T * scale, dim=1)
    ctx.save_for_backward(q, k, v, p)
    ctx.scale = scale
    return p.mm(v)


def attention_right(ctx: Any, g: Any) -> Any:
    q, k, v, p = ctx.saved_tensors
    dp = g @ v.t()
    ds = p * (dp - (dp * p).sum(1, keepdim=True)) * ctx.scale
    return ds @ k, ds.t() @ q, p.t() @ g


def attention_unscaled(ctx: Any, g: Any) -> Any:
    q, k, v, p = ctx.saved_tensors
    dp = g @ v.t()
    ds = p * (dp - (dp * p).sum(1, keepdim=True))
    return ds @ k, ds.t() @ q, p.t() @ g


def bias(ctx: Any, x: Any, b: Any) -> Any:
    return x + b


def huber(ctx: Any, x: Any, t: Any) -> Any:
    ctx.save_for_backward(x - t)
    r = (x - t).abs()
    return torch.where(r < 1, 0.5 * r * r, r - 0.5).sum() / len(x)


def huber_right(ctx: Any, g: Any) -> Any:
    (r,) = ctx.saved_tensors
    return g * r.clamp(-1, 1) / r.shape[0], None


def huber_no_mean(ctx: Any, g: Any) -> Any:
    (r,) = ctx.saved_tensors
    return g * r.clamp(-1, 1), None


def polar(ctx: Any, r: Any, a: Any) -> Any:
    ctx.save_for_backward(r, a)
    return r * torch.cos(a), r * torch.sin(a)


def polar_right(ctx: Any, gx: Any, gy: Any) -> Any:
    r, a = ctx.saved_tensors
    return gx * torch.cos(a) + gy * torch.sin(a), r * (gy * torch.cos(a) - gx * torch.sin(a))


def polar_one(ctx: Any, gx: Any, gy: Any) -> Any:
    r, a = ctx.saved_tensors
    return gx * torch.cos(a), -r * gx * torch.sin(a)


def in_place(ctx: Any, x: Any) -> Any:
    y = x.clone()
    y[y < 0] = 0
    y += 1
    ctx.save_for_backward(y)
    return y


def in_place_right(ctx: Any, g: Any) -> Any:
    (y,) = ctx.saved_tensors
    g = g.clone()
    g.masked_fill_(y <= 1, 0)
    return g


def conv(ctx: Any, x: Any, w: Any) -> Any:
    ctx.save_for_backward(x, w)
    return F.conv1d(x, w)


def conv_right(ctx: Any, g: Any) -> Any:
    x, w = ctx.saved_tensors
    return F.conv_transpose1d(g, w), F.conv1d(x.transpose(0, 1), g.transpose(0, 1)).transpose(0, 1)


def conv_flipped(ctx: Any, g: Any) -> Any:
    x, w = ctx.saved_tensors
    return F.conv_transpose1d(g, w.flip(2)), F.conv1d(x.transpose(0, 1), g.transpose(0, 1)).transpose(0, 1)


def picked(ctx: Any, logits: Any, target: Any) -> Any:
    ctx.save_for_backward(F.softmax(logits, 1), target)
    return F.cross_entropy(logits, target, reduction="sum")


def picked_right(ctx: Any, g: Any) -> Any:
    p, target = ctx.saved_tensors
    return g * (p - F.one_hot(target, p.size(1))), None


def picked_scatter(ctx: Any, g: Any) -> Any:
    p, target = ctx.saved_tensors
    return g * p.scatter_add(1, target[:, None], -torch.ones_like(target[:, None], dtype=p.dtype)), None


def picked_mean(ctx: Any, g: Any) -> Any:
    p, target = ctx.saved_tensors
    return g * (p - F.one_hot(target, p.size(1))) / p.size(0), None


def asked_only(ctx: Any, g: Any) -> Any:
    return (g if ctx.needs_input_grad[0] else None), (g.sum(0) if ctx.needs_input_grad[1] else None)


XT = {"x": "B C", "t": "B C"}
CASES: list[tuple[str, Any, Any, dict[str, str], dict[str, Any], str]] = [
    ("softmax", scaled_softmax, softmax_right, {"x": "B D"}, {"scale": 0.125}, "proved"),
    ("softmax, any scale", scaled_softmax, softmax_right, {"x": "B D"}, {}, "proved"),
    ("softmax without the scale", scaled_softmax, softmax_unscaled, {"x": "B D"}, {"scale": 0.125}, "refuted"),
    ("softmax along the wrong axis", scaled_softmax, softmax_axis, {"x": "B D"}, {"scale": 2.0}, "refuted"),
    ("rmsnorm", rmsnorm, rmsnorm_right, {"x": "B D", "w": "D"}, {"eps": 1e-5}, "proved"),
    ("rmsnorm, args", rmsnorm, rmsnorm_right, {"x": "B D", "w": "D"}, {"args": ["x", "w", "1e-5"]}, "proved"),
    ("rmsnorm, a default left out", rmsnorm_default, rmsnorm_two, {"x": "B D", "w": "D"}, {}, "proved"),
    ("rmsnorm, a default and None", rmsnorm_default, rmsnorm_right, {"x": "B D", "w": "D"}, {}, "proved"),
    ("rmsnorm, a default given", rmsnorm_default, rmsnorm_two, {"x": "B D", "w": "D"}, {"eps": 1e-6}, "ill-formed"),
    ("rmsnorm with a wrong power", rmsnorm, rmsnorm_power, {"x": "B D", "w": "D"}, {"eps": 1e-5}, "refuted"),
    ("attention", attention, attention_right, {"q": "n d", "k": "m d", "v": "m e"}, {}, "proved"),
    ("attention without the scale", attention, attention_unscaled, {"q": "n d", "k": "m d", "v": "m e"}, {}, "refuted"),
    ("a bias that is summed", bias, lambda ctx, g: (g, g.sum(0)), {"x": "B D", "b": "D"}, {}, "proved"),
    ("a bias that PyTorch sums", bias, lambda ctx, g: (g, g), {"x": "B D", "b": "D"}, {}, "proved"),
    ("a bias that is averaged", bias, lambda ctx, g: (g, g.mean(0)), {"x": "B D", "b": "D"}, {}, "refuted"),
    ("a bias whose gradient is None", bias, lambda ctx, g: (g, None), {"x": "B D", "b": "D"}, {}, "refuted"),
    ("a bias of another shape", bias, lambda ctx, g: (g, g.sum(1)), {"x": "B D", "b": "D"}, {}, "ill-formed"),
    ("a gradient too few", bias, lambda ctx, g: g, {"x": "B D", "b": "D"}, {}, "ill-formed"),
    ("what is asked for", bias, asked_only, {"x": "B D", "b": "D"}, {}, "proved"),
    ("huber, len of a tensor", huber, huber_right, XT, {}, "proved"),
    ("huber without the mean", huber, huber_no_mean, XT, {}, "refuted"),
    ("two outputs", polar, polar_right, {"r": "n", "a": "n"}, {}, "proved"),
    ("one of two outputs forgotten", polar, polar_one, {"r": "n", "a": "n"}, {}, "refuted"),
    ("written in place", in_place, in_place_right, {"x": "B D"}, {}, "proved"),
    ("convolution", conv, conv_right, {"x": "n c h+k", "w": "o c k"}, {}, "proved"),
    ("convolution with a turned kernel", conv, conv_flipped, {"x": "n c h+k", "w": "o c k"}, {}, "refuted"),
    ("labels", picked, picked_right, {"x": "N K", "t": "int[K] N"}, {}, "proved"),
    ("labels by scatter_add", picked, picked_scatter, {"x": "N K", "t": "int[K] N"}, {}, "proved"),
    ("labels, mean of a sum", picked, picked_mean, {"x": "N K", "t": "int[K] N"}, {}, "refuted"),
]  # fmt: skip


@pytest.mark.parametrize("name, forward, backward, shapes, values, expected", CASES, ids=[c[0] for c in CASES])
def test_verdict(name: str, forward: Any, backward: Any, shapes: Any, values: Any, expected: str) -> None:
    wrt = [n for n, s in shapes.items() if "int" not in s and not (name.startswith("huber") and n == "t")]
    verdict = check_function(pair(forward, backward), shapes=shapes, wrt=wrt, seek_repair=False, timeout=60, **values)
    assert verdict.status == expected, verdict


class Apart(Function):
    """The context is filled apart from forward; the backward may be run once."""

    @staticmethod
    def forward(x: Any, power: int) -> Any:
        return x**power

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, ctx.power = inputs
        ctx.save_for_backward(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return ctx.power * x ** (ctx.power - 1) * g, None


def test_context_apart_from_forward() -> None:
    assert check_function(Apart, shapes={"x": "n"}, power=3)
    with pytest.raises(SymbackpropError, match="'power'"):
        check_function(Apart, shapes={"x": "n"})


class Indices(Function):
    """An output without a gradient, and any number of tensors."""

    @staticmethod
    def forward(ctx: Any, *tensors: Any) -> Any:
        sizes = torch.arange(len(tensors))
        ctx.mark_non_differentiable(sizes)
        ctx.count = len(tensors)
        return torch.stack(tensors).sum(0), sizes

    @staticmethod
    def backward(ctx: Any, g: Any, _: Any) -> Any:
        return (g,) * ctx.count


class Dirty(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        x.add_(1)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g


def test_outputs_without_gradient_and_arguments_in_a_row() -> None:
    assert check_function(Indices, shapes={"x": "n", "y": "n", "z": "n"})


def test_an_input_that_is_written_is_not_followed() -> None:
    verdict = check_function(Dirty, shapes={"x": "n"})
    assert verdict.status == "unknown" and "in-place" in verdict.reason


def test_a_request_that_makes_no_sense() -> None:
    swish = pair(lambda ctx, x: x, lambda ctx, g: g)
    for shapes, values, message in (
        ({"x": "n", "y": "n"}, {}, "takes no 'y'"), ({"x": "n"}, {"k": 1}, "no argument 'k'"),
    ):  # fmt: skip
        with pytest.raises(SymbackpropError, match=message):
            check_function(swish, shapes=shapes, **values)


# --- functions of tensors ----------------------------------------------------------------------------


def test_functions_of_tensors() -> None:
    shapes = {"x": "B D", "w": "K D"}
    assert check_gradient(
        lambda x, w: torch.tanh(x @ w.T).square().sum(),
        lambda x, w: ((d := 2 * torch.tanh(x @ w.T) * (1 - torch.tanh(x @ w.T) ** 2)) @ w, d.T @ x), shapes,
    )  # fmt: skip
    assert check_gradient(  # autograd inside is what PyTorch computes
        lambda x: F.softmax(x, 1), lambda x, g: torch.autograd.grad(F.softmax(x.requires_grad_(), 1), x, g)[0],
        {"x": "B D"},
    )
    assert check_equal(lambda x: F.gelu(x), lambda x: x * 0.5 * (1 + torch.erf(x / math.sqrt(2))), {"x": "n"})
    assert check_equal(lambda x: F.gelu(x, approximate="tanh"), lambda x: 0.5 * x * (1 + torch.tanh(
        math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))), {"x": "n"})  # fmt: skip
    assert check_equal(lambda x: F.layer_norm(x, x.shape[1:], eps=0.5),
                       lambda x: (x - x.mean(1, keepdim=True)) / (x.var(1, unbiased=False, keepdim=True) + 0.5).sqrt(),
                       {"x": "B D"})  # fmt: skip
    assert check_equal(lambda x: F.log_softmax(x, -1), lambda x: x - torch.log(torch.exp(x).sum(1, keepdim=True)),
                       {"x": "B D"})  # fmt: skip
    verdict = check_equal(lambda x: torch.var(x), lambda x: torch.var(x, unbiased=False), {"x": "n"})
    assert verdict.status == "refuted"


def test_methods_of_tensors_are_pytorchs() -> None:
    """Neither function names torch; an array of NumPy has no softmax, and no keepdim."""
    shapes = {"x": "B D", "v": "B D"}

    def forward(x, v):
        return (x.softmax(-1) * v).sum()

    def backward(x, v):
        p = x.softmax(-1)
        return p * (v - (p * v).sum(-1, keepdim=True))

    assert check_gradient(forward, backward, shapes, "x")
    assert check_equal(lambda x: x.exp().sum(), lambda x: x.exp().sum(dim=0), {"x": "n"})
    refuted = check_gradient(forward, lambda x, v: x.softmax(-1) * (v - (x.softmax(-1) * v).sum()), shapes, "x")
    assert refuted.status == "refuted"


def test_numpy_and_pytorch_side_by_side() -> None:
    import numpy as np

    assert check_equal(lambda x: torch.relu(x).sum(0), lambda x: np.maximum(x, 0).sum(axis=0), {"x": "n m"})
    assert check_gradient(lambda x: F.softplus(x).sum(), lambda x: 1 / (1 + np.exp(-x)), {"x": "n"})


# --- random masks --------------------------------------------------------------------------------------

DRAWS: dict[str, Any] = {
    "rand_like": lambda x, p: (torch.rand_like(x) > p).to(x.dtype),
    "rand": lambda x, p: torch.rand(*x.shape, device=x.device) >= p,
    "bernoulli": lambda x, p: torch.bernoulli(torch.full_like(x, 1 - p)),
    "bernoulli_": lambda x, p: x.new_empty(x.shape).bernoulli_(1 - p),
    "dropout": lambda x, p: F.dropout(torch.ones_like(x), p) * (1 - p),
    "uniform_": lambda x, p: (torch.empty_like(x).uniform_(0, 1) >= p).float(),
    "randn_like": lambda x, p: torch.randn_like(x),
}


def dropping(draw: Any, again: bool = False, forgotten: bool = False) -> Any:
    def forward(ctx: Any, x: Any, p: float) -> Any:
        mask = draw(x, p)
        ctx.save_for_backward(mask)
        ctx.p = p
        return x * mask / (1 - p)

    def backward(ctx: Any, g: Any) -> Any:
        (mask,) = ctx.saved_tensors
        mask = draw(g, ctx.p) if again else 1.0 if forgotten else mask
        return g * mask / (1 - ctx.p), None

    return pair(forward, backward)


@pytest.mark.parametrize("name", DRAWS)
def test_masks_are_drawn_once(name: str) -> None:
    assert check_function(dropping(DRAWS[name]), shapes={"x": "B D"}, p=0.25)
    if name != "randn_like":
        lost = check_function(dropping(DRAWS[name], forgotten=True), shapes={"x": "B D"}, p=0.25)
        assert lost.status == "refuted"


def test_a_mask_that_is_drawn_again() -> None:
    found = check_function(dropping(DRAWS["rand_like"], again=True), shapes={"x": "B D"}, p=0.25)
    assert found.status == "refuted" and str(found.mistake).startswith("random numbers drawn again")


def test_draws_of_code_that_stands_alone() -> None:
    found = check_gradient(lambda x: F.dropout(x, 0.5), lambda x, g: g * F.dropout(torch.ones_like(x), 0.5), {"x": "n"})
    assert found.status == "unknown" and "two draws" in found.reason


def test_labels_that_are_ignored() -> None:
    shapes = {"x": "N K+2", "y": "int[K+2] N"}

    def forward(x, y):
        return F.cross_entropy(x, y, ignore_index=1, reduction="sum")

    def backward(x, y):
        return (F.softmax(x, 1) - F.one_hot(y, x.shape[1])) * (y != 1).double()[:, None]

    assert check_gradient(forward, backward, shapes, "x")
    forgotten = check_gradient(forward, lambda x, y: F.softmax(x, 1) - F.one_hot(y, x.shape[1]), shapes, "x")
    assert forgotten.status == "refuted"


# --- second order: (name, forward, backward, shapes, what is refuted at the second order) ---------------


def keeping(what: Any) -> Any:
    """A forward that returns and saves what the function says: (result, saved)."""

    def forward(ctx: Any, *given: Any) -> Any:
        y, saved = what(*given)
        ctx.save_for_backward(*saved)
        return y

    return forward


def with_saved(gradients: Any) -> Any:
    return lambda ctx, g: gradients(g, *ctx.saved_tensors)


def held(g: Any, x: Any) -> Any:
    with torch.no_grad():
        return g * torch.cos(x)


def rms(x: Any, w: Any) -> tuple[Any, Any, Any]:
    inv = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5)
    return x * inv * w, (x, w, inv), (x, w)


def rms_back(g: Any, x: Any, w: Any, inv: Any) -> Any:
    n, d = x * inv, g * w
    return inv * (d - n * (d * n).mean(-1, keepdim=True)), (g * n).sum(0)


def rms_again(g: Any, x: Any, w: Any) -> Any:
    return rms_back(g, x, w, torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5))


def softplus(x: Any) -> Any:
    return torch.log1p(torch.exp(x))


N, XW = {"x": "n"}, {"x": "B D", "w": "M D"}
TWICE: list[tuple[str, Any, Any, dict[str, str], set[str]]] = [
    ("an input", lambda x: (x**3, (x,)), lambda g, x: 3 * x**2 * g, N, set()),
    ("an output", lambda x: ((y := x.exp()), (y,)), lambda g, y: y * g, N, set()),
    ("an intermediate", lambda x: (softplus(x), (x.exp(),)), lambda g, e: g * e / (1 + e), N, {"x"}),
    ("computed again", lambda x: (softplus(x), (x,)), lambda g, x: g * x.exp() / (1 + x.exp()), N, set()),
    ("detached", lambda x: (x.sin(), (x,)), lambda g, x: g * x.detach().cos(), N, {"x"}),
    ("no_grad", lambda x: (x.sin(), (x,)), held, N, {"x", "g"}),
    ("a product", lambda x, w: (x @ w.t(), (x, w)), lambda g, x, w: (g @ w, g.t() @ x), XW, set()),
    ("a copy", lambda x, w: (x @ w.t(), (x, w.clone())), lambda g, x, w: (g @ w, g.t() @ x), XW, {"w"}),
    ("rms", lambda x, w: rms(x, w)[:2], rms_back, {"x": "B D", "w": "D"}, {"x"}),
    ("rms again", lambda x, w: rms(x, w)[::2], rms_again, {"x": "B D", "w": "D"}, set()),
]


@pytest.mark.parametrize("name, forward, backward, shapes, wrong", TWICE, ids=[c[0] for c in TWICE])
def test_second_order(name: str, forward: Any, backward: Any, shapes: Any, wrong: set[str]) -> None:
    function = pair(keeping(forward), with_saved(backward))
    verdict = check_function(function, shapes=shapes, order=2, seek_repair=False, timeout=60)
    expected = {n: "proved" for n in shapes}
    expected |= {f"{n}, second order": "refuted" if n in wrong else "proved" for n in (*shapes, "g")}
    assert {n: v.status for n, v in verdict.gradients.items()} == expected, str(verdict)
    assert ("is constant in a second backward" in str(verdict)) == bool(wrong)


def test_a_backward_that_is_differentiable_once() -> None:
    function = pair(keeping(lambda x: (x.sin(), (x,))), once_differentiable(with_saved(lambda g, x: g * x.cos())))
    assert check_function(function, shapes=N).status == "proved"
    verdict = check_function(function, shapes=N, order=2)
    assert verdict.status == "ill-formed" and "@once_differentiable" in str(verdict)
    with pytest.raises(SymbackpropError, match="order is 1 or 2"):
        check_function(function, shapes=N, order=3)
