"""What PyTorch computes is what is read: each operation at several sizes, 1 among them, and its shapes and dtypes.

x and y are (n, m), s is (n, n), t is (n,), u is (m,), a is a number, lab are n whole numbers below m.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test-frameworks")

import torch.nn.functional as F  # noqa: E402
from numpy_witness import agrees  # noqa: E402

from symbackprop.read.numpy import ShapeMismatch, TraceError, parse_shapes, trace  # noqa: E402
from symbackprop.read.torch import function_code, registry  # noqa: E402
from symbackprop.read.torch.support import table  # noqa: E402

SHAPES = {
    "x": "n m", "y": "n m", "s": "n n", "t": "n", "u": "m", "a": "", "lab": "int[m] n", "i3": "b c l+3",
    "i4": "b c h+4 w+4", "k3": "o c 3", "k4": "o c 2 3", "r3": "c o 3", "r4": "c o 2 3", "g4": "b 4*c h w",
    "kg": "6 2 2 2", "ig": "b 4 h+2 w+2", "v": "2*n", "q": "b h n d", "k": "b h l d", "e": "v d", "idx": "int[v] b n",
    "even": "b c 2*h+2 3*w+1",
}  # fmt: skip


def grad(f: Callable[..., Any], *inputs: Any) -> Any:
    """The gradients that PyTorch computes, by the operations of its own backward."""
    leaves = [x.detach().requires_grad_() for x in inputs]
    return torch.autograd.grad(f(*leaves).sum(), leaves)


PROGRAMS: list[Callable[..., Any]] = [
    # functions of entries
    lambda x, y: x + y,
    lambda x, a: x - a,
    lambda x: 1 - x,
    lambda x, y: x * y / (y * y + 1),
    lambda x: -x.abs(),
    lambda x: torch.add(x, x, alpha=3),
    lambda x, y: torch.sub(x, y, alpha=2),
    lambda x: torch.rsub(x, 2),
    lambda x: torch.addcmul(x, x, x, value=2),
    lambda x: torch.addcdiv(x, x, x * x + 1),
    lambda x, y: torch.lerp(x, y, 0.25),
    lambda x: x.pow(3),
    lambda x: x**2.0,
    lambda x: (x * x + 1) ** 0.5,
    lambda x: (x * x + 1).sqrt() + (x * x + 1).rsqrt(),
    lambda x: torch.exp(x) + torch.expm1(x) + torch.exp2(x),
    lambda x: torch.log(x * x + 1) + torch.log1p(x * x) + torch.log2(x * x + 1) + torch.log10(x * x + 1),
    lambda x: torch.sin(x) + torch.cos(x) * torch.tanh(x),
    lambda x: torch.sinh(x) / torch.cosh(x) + torch.atan(x),
    lambda x: torch.reciprocal(x * x + 2) + torch.square(x),
    lambda x: torch.sign(x) + x.sgn(),
    lambda x: torch.erf(x),
    lambda x: torch.sigmoid(x) + torch.special.expit(x),
    lambda x: torch.logit(torch.sigmoid(x)),
    lambda x, y: torch.maximum(x, y) + torch.minimum(x, y),
    lambda x, y: torch.logaddexp(x, y),
    lambda x: x.clamp(-0.5, 0.5) + x.clamp(min=0) + x.clamp(max=0.1),
    lambda x: torch.relu(x) + F.relu6(10 * x),
    lambda x: F.leaky_relu(x, 0.2) + F.elu(x, 0.7) + F.selu(x) + F.celu(x, 0.5),
    lambda x: F.hardtanh(x, -0.3, 0.4),
    lambda x: F.silu(x) + F.mish(x),
    lambda x: F.hardsigmoid(4 * x) + F.hardswish(4 * x),
    lambda x: F.softplus(x) + F.softplus(x, beta=2),
    lambda x: F.logsigmoid(x) + F.softsign(x) + F.tanhshrink(x),
    lambda x: F.gelu(x),
    lambda x: F.gelu(x, approximate="tanh"),
    lambda x: F.hardshrink(x) + F.softshrink(x, 0.3),
    lambda x: F.threshold(x, 0.1, 7.0),
    lambda x: F.prelu(x, torch.tensor(0.25)),
    lambda x, y: torch.where(x > y, x, y * 2),
    lambda x: x.masked_fill(x > 0, 0.5),
    lambda x: (x > 0) & (x < 0.5),
    lambda x: torch.where((x <= 0) | (x == 0.5), torch.zeros_like(x), x),
    lambda x: ~(x >= 0),
    lambda x: (x > 0) * x,
    lambda x: (x > 0).float() * 2 + (x != 0).to(x.dtype),
    lambda x: x.double() * 2,
    lambda x: x * 0.1 + torch.tensor(0.1),
    lambda x: x / x.shape[0] + x.size(1),
    lambda x: x.numel() * x.mean(),
    # reductions
    lambda x: x.sum() + x.mean(),
    lambda x: x.sum(0, keepdim=True) * x.sum(1, keepdim=True),
    lambda x: x.mean(dim=-1),
    lambda x: x.prod(1) + x.prod(),
    lambda x: x.amax(1) - x.amin(1),
    lambda x: x.max() + x.min(),
    lambda x: torch.max(x, dim=0)[0],
    lambda x: x.min(dim=1).values,
    lambda x: x.var(0, unbiased=False),
    lambda x: torch.var(x, dim=1, correction=0),
    lambda x: x.std(0, correction=0),
    lambda x: x.norm() + x.norm(dim=1),
    lambda x: torch.linalg.vector_norm(x, ord=1, dim=1),
    lambda x: torch.norm(x, p=2, dim=0, keepdim=True),
    lambda x: torch.norm(x, p="fro"),
    lambda x: torch.linalg.inv(x @ x.T + torch.eye(x.shape[0])),
    lambda x: torch.linalg.solve(x @ x.T + torch.eye(x.shape[0]), x),
    lambda x: torch.logdet(x @ x.T + torch.eye(x.shape[0])) + (x.T @ x + torch.eye(x.shape[1])).logdet(),
    lambda x: x.logsumexp(1) + torch.logsumexp(x, 0, keepdim=True).sum(),
    lambda x: F.softmax(x, dim=1) - F.log_softmax(x, 0),
    lambda x: x.cumsum(1) + x.cumprod(0),
    lambda x: torch.cumsum(x.flip(1), 1).flip(1),
    lambda x: (x > 0).sum(),
    lambda x: (x > 0).any() | (x > 9).all(dim=1),
    lambda x: torch.std_mean(x, dim=0, correction=0),
    lambda x: F.normalize(x, dim=1, eps=1e-12),
    lambda x, y: F.cosine_similarity(x, y, dim=1),
    lambda x, y: F.pairwise_distance(x, y),
    # arranging
    lambda x: x.t() @ x,
    lambda x: x.T.transpose(0, 1).permute(1, 0),
    lambda x: x.unsqueeze(1) + x.unsqueeze(-1).squeeze(-1),
    lambda x: x.reshape(-1),
    lambda x: x.view(x.shape[0], 1, x.shape[1]).expand(-1, 3, -1),
    lambda x: x.flatten(),
    lambda x: x.reshape(-1, 1).view(-1),
    lambda v: v.view(-1, 2).sum(1),
    lambda v: torch.cat(v.chunk(2)[::-1]),
    lambda x: x[0] + x[-1],
    lambda x: x[:, 0],
    lambda x: x[:, None] + x[..., None].sum(-1),
    lambda x: x[:, :1],
    lambda x, y: torch.cat([x, y], dim=1),
    lambda x, y: torch.stack([x, y], dim=-1),
    lambda x: x.repeat(2, 3),
    lambda x: x.repeat_interleave(2, dim=1),
    lambda s: torch.tril(s) + torch.triu(s, 1),
    lambda s: s.diagonal().sum(),
    lambda s: torch.trace(s) + torch.diag(s),
    lambda u: torch.diag(u) + torch.diag_embed(u),
    lambda x: F.pad(x, (1, 2), value=0.5),
    lambda x: F.pad(x, (0, 1, 2, 0)),
    lambda x: x.roll(1, 0),
    lambda x: torch.flip(x, (0, 1)),
    lambda x: x.movedim(0, 1),
    lambda x: x.broadcast_to(4, *x.shape),
    lambda i3: i3.unfold(2, 3, 1).sum(-1),
    lambda x: torch.squeeze(x[:, :, None], 2),
    lambda x: x.contiguous().view(-1)[: x.shape[1]],
    lambda x: sum(x[:, :1].unbind(1)),
    lambda x: x.new_zeros(x.size(1), 2),
    # products
    lambda x, y: x @ y.T,
    lambda x, u: x.mv(u) + x @ u,
    lambda t: t.dot(t) + torch.outer(t, t).sum(),
    lambda x, u: torch.addmm(u, x.T @ x, x.T @ x),
    lambda x, y: F.linear(x, y),
    lambda x, y, t: F.linear(x, y, t),
    lambda q, k: torch.matmul(q, k.transpose(-1, -2)),
    lambda q, k: torch.einsum("bhnd,bhld->bhnl", q, k),
    lambda q, k: F.scaled_dot_product_attention(q, k, k),
    lambda q, k: F.scaled_dot_product_attention(q, q, q, is_causal=True),
    lambda x: torch.bmm(x[None], x.T[None]),
    lambda x: torch.baddbmm(x[None] @ x.T, x[None], x.T[None], beta=2, alpha=0.5),
    # places
    lambda x, lab: x.gather(1, lab.unsqueeze(1)),
    lambda x, lab: x[torch.arange(x.shape[0]), lab],
    lambda x, lab: x.index_select(1, lab),
    lambda e, idx: F.embedding(idx, e),
    lambda e, idx: e[idx].mean(1),
    lambda x, lab: F.one_hot(lab, x.shape[1]).to(x.dtype) * x,
    lambda x, lab: torch.zeros_like(x).scatter_(1, lab[:, None], 1.0),
    lambda x, lab: torch.zeros_like(x).scatter_add_(1, lab[:, None], x[:, :1]),
    lambda x, lab: torch.zeros(x.shape[1], x.shape[1]).index_add_(0, lab, x),
    lambda x, lab: x.sum() + lab.sum(),
    lambda x, lab: torch.zeros(x.shape[1], x.shape[1]).index_put_((lab,), x, accumulate=True),
    # in place
    lambda x: x.clone().add_(1).mul_(2),
    lambda x: x.exp().t().mul_(2),
    lambda x: torch.zeros_like(x).copy_(x).neg_(),
    lambda x: torch.empty_like(x).fill_(3.0) + torch.full_like(x, 2) + x.new_full((1,), 4.0),
    # what PyTorch writes with others
    lambda x: F.relu6(x.clone(), inplace=True) + F.leaky_relu(x.clone(), 0.1, inplace=True),
    lambda x: F.hardtanh(x.clone(), inplace=True) + F.silu(x.clone(), inplace=True) + F.mish(x.clone(), inplace=True),
    lambda x, y: x.clone().addcmul_(x, y, value=2).addcdiv_(x, y * y + 1),
    lambda x: x.clone().masked_fill_(x > 0, 0.5).clamp_min_(0.1).clamp_max_(0.4),
    lambda s: s.clone().tril_().triu_(-1),
    lambda x: x.T.contiguous().index_fill_(0, torch.arange(1), 2.0),
    lambda x: torch.select_scatter(x, x[:, 0] * 2, 1, 0) + torch.slice_scatter(x, x[:1] * 3, 0, 0, 1),
    lambda x: torch.linalg.vector_norm(x, ord=float("inf"), dim=1) + torch.linalg.vector_norm(x, ord=3, dim=1),
    lambda x: torch.aminmax(x)[0] + torch.count_nonzero(x > 0, dim=1),
    lambda x: x.var() + x.std() + torch.var_mean(x, dim=1)[0] + torch.std_mean(x, dim=1)[1],
    lambda x, y: torch.addbmm(x.T @ x, x[None].mT, x[None]) + torch.addr(x.T @ x, x[0], x[0], beta=0.5),
    # losses
    lambda x, lab: F.cross_entropy(x, lab, ignore_index=1),
    lambda x, y: F.binary_cross_entropy_with_logits(x, torch.sigmoid(y), pos_weight=y[0] * y[0], weight=x * x),
    lambda x, y: F.smooth_l1_loss(x, y, beta=0) + F.soft_margin_loss(x, y, reduction="sum"),
    lambda x, lab: F.cross_entropy(x, lab),
    lambda x, lab: F.cross_entropy(x, lab, reduction="sum"),
    lambda x, lab, u: F.cross_entropy(x, lab, weight=u * u + 1),
    lambda x, lab: F.nll_loss(F.log_softmax(x, 1), lab, reduction="none"),
    lambda x, lab: F.cross_entropy(x, lab, label_smoothing=0.1),
    lambda x, y: F.cross_entropy(x, F.softmax(y, 1)),
    lambda x, y: F.mse_loss(x, y) + F.l1_loss(x, y, reduction="sum"),
    lambda x, y: F.smooth_l1_loss(x, y, beta=0.5),
    lambda x, y: F.huber_loss(x, y, delta=0.3),
    lambda x, y: F.binary_cross_entropy(torch.sigmoid(x), torch.sigmoid(y)),
    lambda x, y: F.binary_cross_entropy_with_logits(x, torch.sigmoid(y)),
    lambda x, y: F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction="batchmean"),
    lambda x, y: F.soft_margin_loss(x, torch.sign(y)),
    lambda x, y: F.triplet_margin_loss(x, y, 2 * x),
    lambda x, y: F.poisson_nll_loss(x, y),
    lambda x, y, t: F.margin_ranking_loss(x, y, torch.sign(x)),
    lambda x, y: F.hinge_embedding_loss(x, torch.sign(y)),
    # normalisations
    lambda x, u: F.layer_norm(x, x.shape[1:], u, u),
    lambda x: F.layer_norm(x, (x.shape[1],), eps=0.1),
    lambda x: F.rms_norm(x, (x.shape[1],), eps=0.1),
    lambda g4: F.group_norm(g4, 4),
    lambda g4: F.group_norm(g4, 4, g4.sum((0, 2, 3)), g4.sum((0, 2, 3))),
    lambda i4: F.instance_norm(i4),
    lambda x, u: F.batch_norm(torch.cat([x, 2 * x]), None, None, u, u, training=True),
    lambda i4: F.batch_norm(i4, i4.sum((0, 2, 3)), i4.square().sum((0, 2, 3))),
    # windows
    lambda i3, k3: F.conv1d(i3, k3),
    lambda i3, k3: F.conv1d(i3, k3, padding=2),
    lambda i4, k4: F.conv2d(i4, k4, padding=(1, 2)),
    lambda i4, k4: F.conv2d(i4, k4, dilation=(2, 2)),
    lambda even, k4: F.conv2d(even, k4, stride=(2, 3), padding=(1, 1)),
    lambda ig, kg: F.conv2d(ig, kg, groups=2),
    lambda i3, r3: F.conv_transpose1d(i3, r3, stride=2, output_padding=1),
    lambda i4, r4: F.conv_transpose2d(i4, r4, stride=(1, 2), padding=(1, 1)),
    lambda i4: F.max_pool2d(i4, 2, 1),
    lambda i3: F.max_pool1d(i3, 2, 1),
    lambda even: F.max_pool2d(even[:, :, :, :-1], (2, 3)),
    lambda i4: F.avg_pool2d(i4, (2, 3), 1),
    lambda i3: F.avg_pool1d(i3, 3, 1, padding=1),
    lambda i4: F.adaptive_avg_pool2d(i4, 1),
    lambda i4: F.max_pool2d(i4, 3, 1, padding=1),
    lambda i4: F.interpolate(i4, scale_factor=(2.0, 3)),
    lambda i3: F.interpolate(i3, i3.shape[2] * 2, mode="nearest-exact"),
    # gradients that PyTorch computes
    lambda x: grad(torch.tanh, x),
    lambda x: grad(F.gelu, x),
    lambda x: grad(lambda z: F.gelu(z, approximate="tanh"), x),
    lambda x: grad(lambda z: F.softmax(z, 1).square(), x),
    lambda x: grad(lambda z: F.log_softmax(z, 1).exp(), x),
    lambda x, y: grad(lambda p, q: p @ q.T, x, y),
    lambda x, lab: grad(lambda z: F.cross_entropy(z, lab), x),
    lambda x, u: grad(lambda p, q: F.layer_norm(p, p.shape[1:], q).square(), x, u),
    lambda x: grad(F.silu, x),
    lambda x: grad(lambda z: F.leaky_relu(z, 0.1) + F.hardtanh(z) + F.relu6(z) + F.mish(z) + F.threshold(z, 0.1, 0), x),
    lambda x, u: grad(lambda p, q: F.rms_norm(p, (p.shape[1],), q), x, u),
    lambda x, lab: grad(lambda z: F.nll_loss(z, lab, reduction="none").square(), x),
    lambda x, t: grad(lambda p, q: p * q[:, None] + q.sum(), x, t),
    lambda x: grad(lambda z: z.std(0, correction=0), x),
    lambda e, idx: grad(lambda z: F.embedding(idx, z).square(), e),
    lambda x: grad(lambda z: z.norm(dim=1), x),
    lambda x: grad(lambda z: z.cumsum(1).square(), x),
    lambda x: grad(lambda z: F.elu(z) + F.hardswish(z), x),
    lambda x: grad(lambda z: z.logsumexp(1), x),
    lambda x: grad(lambda z: (z.sigmoid() * z.exp()).prod(1), x),
]


def name_of(f: Callable[..., Any]) -> str:
    line = inspect.getsource(f).splitlines()[0]
    return f"{f.__code__.co_firstlineno}-{','.join(f.__code__.co_varnames)}-{abs(hash(line)) % 1000}"


@pytest.mark.parametrize("program", PROGRAMS, ids=map(str, range(len(PROGRAMS))))
def test_read_as_pytorch_computes(program: Callable[..., Any]) -> None:
    names = inspect.signature(program).parameters
    declared = parse_shapes({n: SHAPES[n] for n in names})
    difference = agrees(function_code(program, declared), declared, literal=False)
    assert difference == "", f"{inspect.getsource(program)}\n{difference}"


REFUSED = [
    (lambda x: x[x > 0].sum(), "multiply by the mask"),
    (lambda x: x if x.sum() > 0 else -x, "depends on the data"),
    (lambda x: x if x.shape[0] == 1 else -x, "a condition depends on the sizes"),
    (lambda x: torch.sort(x)[0], "sort"),
    (lambda x: torch.randn_like(x) * x, "random"),
    (lambda x: x.squeeze(), "squeeze"),
    (lambda x: x.floor(), "floor"),
    (lambda x: x.long(), "cut to whole"),
    (lambda x: sum(r.sum() for r in x), "depends on the sizes"),
    (lambda x: torch.zeros(int(x.shape[0] / 2)), "product"),
    (lambda x: F.dropout(x, 0.5), "random"),
    (lambda x: x.as_strided((2,), (1,)), "memory"),
    (lambda x: torch.linalg.qr(x)[0], "qr"),
    (lambda x: x.svd()[1], "svd"),
    (lambda x: F.interpolate(x[None], scale_factor=1.5), "no whole number"),
    (lambda x: F.interpolate(x[None], size=2 * x.shape[1] + 1), "not exact for all sizes"),
    (lambda x: F.interpolate(x[None], scale_factor=2, mode="linear"), "'linear' is not modelled"),
]


@pytest.mark.parametrize("program, why", REFUSED, ids=[why for _, why in REFUSED])
def test_refused_with_the_line(program: Callable[..., Any], why: str) -> None:
    declared = parse_shapes({"x": "n m"})
    with pytest.raises(TraceError) as refused:
        trace(function_code(program, declared), declared)
    assert why in str(refused.value) and f"{__file__}:{program.__code__.co_firstlineno}" in str(refused.value)


def test_shapes_that_do_not_conform() -> None:
    declared = parse_shapes({"x": "n m", "y": "m k"})
    with pytest.raises(ShapeMismatch):
        trace(function_code(lambda x, y: torch.matmul(y, x), declared), declared)


def test_the_table_is_printed_from_the_operations() -> None:
    """Printed by: python -m symbackprop.read.torch.support docs/torch.md"""
    assert (Path(__file__).parents[3] / "docs/torch.md").read_text().endswith(table())
    assert not set(registry.ATEN.meanings) & set(registry.ATEN.refused)
