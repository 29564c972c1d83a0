"""Modules of PyTorch: their gradients derived for all sizes, and backwards that somebody wrote by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test-frameworks")

import torch.nn.functional as F  # noqa: E402
from numpy_witness import agrees  # noqa: E402
from torch import nn  # noqa: E402

from symbackprop import SymbackpropError, check_gradient, check_layer, derive  # noqa: E402
from symbackprop.functions.torch_functions import layer_forward  # noqa: E402
from symbackprop.read.numpy import parse_shapes  # noqa: E402

SIZES = {"B": 3, "D": 4, "H": 5, "K": 2, "T": 3, "n": 4, "m": 3, "c": 2, "o": 3, "h": 3, "w": 2, "k": 2, "G": 2}


class MLP(nn.Module):
    def __init__(self, d: Any, h: Any, k: Any) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d, h), nn.Linear(h, k, bias=False)

    def forward(self, x: Any) -> Any:
        return self.fc2(torch.tanh(self.fc1(x)))


class Head(nn.Module):
    """Self-attention with one head."""

    def __init__(self, d: Any) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(d, d, bias=False) for _ in range(3))
        self.scale = d**-0.5

    def forward(self, x: Any) -> Any:
        q, k, v = self.q(x), self.k(x), self.v(x)
        return F.softmax(q @ k.transpose(-2, -1) * self.scale, dim=-1) @ v


class Functional(nn.Module):
    """A forward without parameters."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs)


def rms(x: Any) -> Any:
    return x / torch.sqrt(torch.mean(x**2, dim=1, keepdim=True) + 1e-5)


def exclusive(x: Any) -> Any:
    running = torch.cumsum(x.narrow(1, 0, x.size(1) - 1), dim=1)
    return torch.cat((torch.zeros_like(x.select(1, 0).unsqueeze(1)), running), dim=1)


# What public collections of kernels compute, in other words: the forward and the shapes of its inputs.
KERNELS: dict[str, tuple[Any, dict[str, str]]] = {
    "product with a transpose": (lambda x, y: torch.matmul(x.T, y.T), {"x": "n m", "y": "k n"}),
    "lower triangles": (lambda x, y: torch.tril(torch.matmul(x.tril(), y)), {"x": "n n", "y": "n n"}),
    "rows scaled": (lambda x, y: x.unsqueeze(1) * y, {"x": "n", "y": "n m"}),
    "four axes": (lambda x, y: torch.einsum("bijl,lk->bijk", x, y), {"x": "B n m h", "y": "h k"}),
    "leaky": (lambda x: F.leaky_relu(x, 0.1), {"x": "n m"}),
    "hard sigmoid": (F.hardsigmoid, {"x": "n m"}),
    "log softmax": (lambda x: torch.log_softmax(x, dim=1), {"x": "n m"}),
    "rms norm": (rms, {"x": "B c h w"}),
    "whole norm": (lambda x: x / torch.norm(x, p="fro"), {"x": "B n m"}),
    "instance norm": (lambda x: F.instance_norm(x), {"x": "B c h w"}),
    "cumulated from behind": (lambda x: torch.cumsum(x.flip(1), dim=1).flip(1), {"x": "n m"}),
    "cumulated before": (exclusive, {"x": "n m+1"}),
    "largest": (lambda x: torch.max(x, dim=1)[0], {"x": "n m"}),
    "average of windows": (lambda x: F.avg_pool2d(x, 2), {"x": "B c 2*h 2*w"}),
    "convolution with strides": (
        lambda x, y: F.conv2d(x, y, stride=2, padding=1), {"x": "B c 2*h+2 2*w+2", "y": "o c 3 3"}),
    "transposed convolution": (
        lambda x, y: F.conv_transpose1d(x, y, stride=2, dilation=2), {"x": "B c h", "y": "c o k"}),
    "smooth loss": (lambda x, y: F.smooth_l1_loss(x, y), {"x": "n m", "y": "n m"}),
    "hinge": (lambda x, y: torch.mean(torch.clamp(1 - x * y, min=0)), {"x": "n m", "y": "m"}),
    "divergence": (
        lambda x, y: F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction="batchmean"), {"x": "n m", "y": "n m"}),
}  # fmt: skip


def arrays(shapes: dict[str, str], rng: Any) -> dict[str, Any]:
    sized = {n: tuple(eval(a, SIZES) for a in s.split()) for n, s in shapes.items()}
    return {n: rng.normal(size=s) for n, s in sized.items()}


def by_autograd(function: Any, values: dict[str, Any], upstream: Any) -> dict[str, Any]:
    leaves = {n: torch.tensor(v, requires_grad=True) for n, v in values.items()}
    out = function(**leaves)
    g = torch.autograd.grad(out, list(leaves.values()), None if upstream is None else torch.tensor(upstream))
    return {n: x.numpy() for n, x in zip(leaves, g, strict=True)}


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_are_derived(name: str) -> None:
    function, shapes = KERNELS[name]
    found = derive(Functional(function), shapes, timeout=60)
    assert found.verdict
    rng = np.random.default_rng(5)
    values = arrays(shapes, rng)
    out = function(*(torch.tensor(v) for v in values.values()))
    upstream = rng.normal(size=tuple(out.shape)) if found.upstream else None
    given = {found.upstream[0]: upstream} if found.upstream else {}
    got = found(**values, **given)
    got = got if isinstance(got, dict) else {next(iter(values)): got}
    want = by_autograd(lambda **leaves: function(*leaves.values()), values, upstream)
    for n, g in got.items():
        np.testing.assert_allclose(g, want[n], rtol=1e-8, atol=1e-8)


def test_parameters_by_their_paths() -> None:
    found = derive(lambda: MLP(D, H, K), {"x": "B D", "W1": "H D", "W2": "K H"},  # noqa: F821
                   params={"W1": "fc1.weight", "W2": "fc2.weight"})  # fmt: skip
    assert found.verdict and found.variables == ("x", "W1", "W2", "fc1_bias")
    again = derive(lambda D, H, K: MLP(D, H, K), {"x": "B D"})
    assert set(again.variables) == {"x", "fc1_weight", "fc1_bias", "fc2_weight"}


def test_a_module_that_is_there_is_not_touched() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    before = {n: v.clone() for n, v in net.state_dict().items()}
    attributes = dict(vars(net))
    found = derive(net, {"x": "B+1 3"}, wrt="x")
    assert found.verdict
    assert vars(net) == attributes and all(torch.equal(v, before[n]) for n, v in net.state_dict().items())


def test_what_params_cannot_be() -> None:
    with pytest.raises(SymbackpropError, match=r"no parameter 'fc3.weight' \(it has fc1.weight, "):
        derive(lambda D, H, K: MLP(D, H, K), {"x": "B D"}, params={"W": "fc3.weight"})
    with pytest.raises(SymbackpropError, match=r"'W' has shape \(D H\) and the parameter 'fc1.weight' \(H D\)"):
        derive(lambda D, H, K: MLP(D, H, K), {"x": "B D", "W": "D H"}, params={"W": "fc1.weight"})


# --- backwards by hand -------------------------------------------------------------------------------


class Pooled(nn.Module):
    def __init__(self, v: Any, d: Any, k: Any) -> None:
        super().__init__()
        self.table = nn.Embedding(v, d)
        self.out = nn.Linear(d, k)

    def forward(self, tokens: Any, y: Any) -> Any:
        return F.cross_entropy(self.out(self.table(tokens).sum(1)), y)


def pooled_backward(tokens: Any, y: Any, E: Any, W: Any, b: Any) -> Any:
    pooled = E[tokens].sum(1)
    d = F.softmax(pooled @ W.T + b, dim=1)
    d[range(len(y)), y] -= 1
    d = d / len(y)
    dpooled = d @ W
    dE = torch.zeros_like(E)
    for j in range(2):
        dE.index_add_(0, tokens[:, j], dpooled)
    return dE, d.T @ pooled, d.sum(dim=0)


def pooled_overwritten(tokens: Any, y: Any, E: Any, W: Any, b: Any) -> Any:
    _, dW, db = pooled_backward(tokens, y, E, W, b)
    d = F.softmax(E[tokens].sum(1) @ W.T + b, dim=1)
    d[range(len(y)), y] -= 1
    dE = torch.zeros_like(E)
    dE[tokens[:, 0]] += d @ W / len(y)
    return dE, dW, db


def mlp_backward(x: Any, W1: Any, b1: Any, W2: Any, dout: Any) -> Any:
    h = torch.tanh(F.linear(x, W1, b1))
    dz = (dout @ W2) * (1 - h * h)
    return {"x": dz @ W1, "W1": dz.mT @ x, "b1": dz.sum(0), "W2": dout.mT @ h}


def mlp_swapped(x: Any, W1: Any, b1: Any, W2: Any, dout: Any) -> Any:
    h = torch.tanh(F.linear(x, W1, b1))
    dz = (dout @ W2) * (1 - h)
    return {"x": dz @ W1, "W1": dz.mT @ x, "b1": dz.sum(0), "W2": dout.mT @ h}


TOKENS = {"tokens": "int[V] n 2", "y": "int[K] n", "E": "V D", "W": "K D", "b": "K"}
LAYER = {"x": "B D", "W1": "H D", "b1": "H", "W2": "K H"}


@pytest.mark.parametrize("backward, expected", [(pooled_backward, "proved"), (pooled_overwritten, "refuted")])
def test_labels_and_tables(backward: Any, expected: str) -> None:
    verdict = check_layer(
        lambda V, D, K: Pooled(V, D, K), backward, shapes=TOKENS, wrt=["E", "W", "b"], seek_repair=False,
        params={"E": "table.weight", "W": "out.weight", "b": "out.bias"},
    )  # fmt: skip
    assert verdict.status == expected, verdict


@pytest.mark.parametrize("backward, expected", [(mlp_backward, "proved"), (mlp_swapped, "refuted")])
def test_a_layer_by_hand(backward: Any, expected: str) -> None:
    params = {"W1": "fc1.weight", "b1": "fc1.bias", "W2": "fc2.weight"}
    verdict = check_layer(lambda D, H, K: MLP(D, H, K), backward, shapes=LAYER, params=params, seek_repair=False)
    assert verdict.status == expected, verdict


def test_a_value_held_constant() -> None:
    found = derive(Functional(lambda x: x * torch.sigmoid(x).detach()), {"x": "n"})
    assert found.verdict and set(found.verdict.hypotheses) == {"x_held[i] = x[i]"}
    x = np.array([0.5, -2.0])
    assert np.allclose(found(x=x, g=np.ones(2)), 1 / (1 + np.exp(-x)))


def unlocked(x):
    with torch.no_grad():
        s = torch.sigmoid(x)
        scale = 2 * s
    return x * scale


HELD: list[tuple[Any, Any, str]] = [
    (lambda x: x + (torch.sign(x) - x).detach(), lambda x, g: g * torch.ones_like(x), "proved"),
    (lambda x: x + (torch.sign(x) - x).detach(), lambda x, g: 0 * g * x, "refuted"),
    (unlocked, lambda x, g: 2 * g * torch.sigmoid(x), "proved"),
    (unlocked, lambda x, g: 2 * g * torch.sigmoid(x) * (1 + x * (1 - torch.sigmoid(x))), "refuted"),
    (lambda x: torch.exp(x - x.amax(1, keepdim=True).detach()), lambda x, g: g * torch.exp(x - x.amax(1, keepdim=True)),
     "proved"),
]  # fmt: skip


@pytest.mark.parametrize("forward, backward, expected", HELD)
def test_straight_through(forward: Any, backward: Any, expected: str) -> None:
    found = check_gradient(forward, backward, {"x": "B D"}, seek_repair=False)
    assert found.status == expected, found
    assert any("held constant" in note for note in found.notes)


def written_in_place(x):
    z = 2 * x
    with torch.no_grad():
        z.mul_(torch.tensor(3.0))
    return z * x


def test_what_is_held_is_not_written() -> None:
    found = check_gradient(written_in_place, lambda x, g: 12 * g * x, {"x": "n"})
    assert found.status == "unknown" and "holds a value constant" in found.reason


@pytest.mark.parametrize("cell", [nn.RNNCell, nn.GRUCell])
def test_cells_are_read(cell: Any) -> None:
    declared = parse_shapes({"x": "n D", "h": "n H"})
    forward, everything = layer_forward("derive", lambda D, H: cell(D, H), declared, {})
    assert agrees(forward, everything, literal=False) == ""


def test_a_layer_normalisation_of_a_size() -> None:
    assert derive(lambda D: nn.LayerNorm(D), {"x": "B D"}, params={}, timeout=60).verdict


def test_attention_is_derived() -> None:
    assert derive(lambda D: Head(D), {"x": "T D"}, wrt="x", timeout=60).verdict
