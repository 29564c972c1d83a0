"""Rules of JAX functions as people write them, right and wrong: jax.custom_vjp and jax.custom_jvp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


@dataclass(frozen=True)
class Rule:
    """`right` and `wrong` are functions with a rule; the rest is how the check is asked."""

    shapes: dict[str, str]
    right: Any
    wrong: Any = None
    asked: dict[str, Any] = field(default_factory=dict)


def vjp(f: Any, fwd: Any, bwd: Any, *nondiff: int) -> Any:
    found = jax.custom_vjp(f, nondiff_argnums=nondiff)
    found.defvjp(fwd, bwd)
    return found


def both(f: Any, fwd: Any, right: Any, wrong: Any, *nondiff: int) -> tuple[Any, Any]:
    """The same forward with two backwards."""
    return vjp(f, fwd, right, *nondiff), vjp(f, fwd, wrong, *nondiff)


def jvp(f: Any, rule: Any, *nondiff: int) -> Any:
    found = jax.custom_jvp(f, nondiff_argnums=nondiff)
    found.defjvp(rule)
    return found


def jvps(f: Any, *rules: Any) -> Any:
    found = jax.custom_jvp(f)
    found.defjvps(*rules)
    return found


RULES: dict[str, Rule] = {}
ND, N = {"x": "N D"}, {"x": "N"}


def rule(name: str, shapes: dict[str, str], pair: tuple[Any, Any], **asked: Any) -> None:
    RULES[name] = Rule(shapes, *pair, asked)


# --- activations ---------------------------------------------------------------------------------

rule("sigmoid_by_output", ND, both(
    jax.nn.sigmoid, lambda x: (y := jax.nn.sigmoid(x), y),
    lambda y, g: (g * y * (1 - y),), lambda y, g: (g * y * (1 + y),)))  # fmt: skip
rule("swish", ND, both(
    lambda x: x * jax.nn.sigmoid(x), lambda x: (x * jax.nn.sigmoid(x), x),
    lambda x, g: (g * jax.nn.sigmoid(x) * (1 + x * (1 - jax.nn.sigmoid(x))),),
    lambda x, g: (g * jax.nn.sigmoid(x) * (1 + x * jax.nn.sigmoid(x)),)))  # fmt: skip
rule("leaky_relu_slope", ND, both(
    lambda x, slope=0.01: jnp.where(x >= 0, x, slope * x),
    lambda x, slope: (jnp.where(x >= 0, x, slope * x), x >= 0),
    lambda slope, positive, g: (jnp.where(positive, g, slope * g),),
    lambda slope, positive, g: (jnp.where(positive, slope * g, g),), 1))  # fmt: skip


def gelu_bwd(x: Any, g: Any, factor: float = 0.5) -> Any:
    cdf = 0.5 * (1 + lax.erf(x / jnp.sqrt(2)))
    return (g * (cdf + x * jnp.exp(-0.5 * x**2) / jnp.sqrt(2 * jnp.pi) * factor * 2),)


rule("gelu", ND, both(
    lambda x: 0.5 * x * (1 + lax.erf(x / jnp.sqrt(2))), lambda x: (0.5 * x * (1 + lax.erf(x / jnp.sqrt(2))), x),
    gelu_bwd, partial(gelu_bwd, factor=1.0)))  # fmt: skip
rule("softplus", ND, both(
    jax.nn.softplus, lambda x: (jax.nn.softplus(x), x),
    lambda x, g: (g * jax.nn.sigmoid(x),), lambda x, g: (g * jax.nn.sigmoid(-x),)))  # fmt: skip
rule("clip_by_jit", ND, (
    jax.jit(vjp(lambda x: jnp.clip(x, -1.0, 1.0), lambda x: (jnp.clip(x, -1.0, 1.0), x),
                lambda x, g: (g * (jnp.abs(x) <= 1),))),
    jax.jit(vjp(lambda x: jnp.clip(x, -1.0, 1.0), lambda x: (jnp.clip(x, -1.0, 1.0), x),
                lambda x, g: (g * (jnp.abs(x) <= 2),)))))  # fmt: skip
rule("tanh_nothing_saved", ND, both(
    lambda x: 3.0 * x, lambda x: (3.0 * x, None), lambda _, g: (3.0 * g,), lambda _, g: (g,)))  # fmt: skip
rule("hard_swish", ND, both(
    lambda x: x * jnp.clip(x + 3, 0, 6) / 6, lambda x: (x * jnp.clip(x + 3, 0, 6) / 6, x),
    lambda x, g: (g * jnp.where(x <= -3, 0.0, jnp.where(x >= 3, 1.0, (2 * x + 3) / 6)),),
    lambda x, g: (g * jnp.where(x <= -3, 0.0, jnp.where(x >= 3, 1.0, (x + 3) / 6)),)))  # fmt: skip

# --- custom_jvp ----------------------------------------------------------------------------------


def jvp_of(derivative: Callable[..., Any], f: Callable[..., Any]) -> Any:
    return jvp(f, lambda primals, tangents: (f(*primals), derivative(*primals, *tangents)))


def two_jvps(f: Any, right: Any, wrong: Any) -> tuple[Any, Any]:
    return jvp_of(right, f), jvp_of(wrong, f)


rule("product_jvp", {"x": "N", "y": "N"}, two_jvps(
    lambda x, y: jnp.sin(x) * y, lambda x, y, s, t: jnp.cos(x) * s * y + jnp.sin(x) * t,
    lambda x, y, s, t: jnp.cos(x) * s * y - jnp.sin(x) * t))  # fmt: skip
rule("matmul_jvp", {"x": "B D", "w": "D K"}, two_jvps(
    lambda x, w: x @ w, lambda x, w, s, t: s @ w + x @ t, lambda x, w, s, t: s @ w))  # fmt: skip
rule("logsumexp_jvp", {"x": "B K"}, two_jvps(
    lambda x: jax.nn.logsumexp(x, axis=-1), lambda x, t: (jax.nn.softmax(x, axis=-1) * t).sum(-1),
    lambda x, t: (jax.nn.softmax(x, axis=-1) * t).mean(-1)))  # fmt: skip
rule("softmax_jvp", {"x": "B K"}, two_jvps(
    lambda x: jax.nn.softmax(x), lambda x, t: (y := jax.nn.softmax(x)) * (t - (y * t).sum(-1, keepdims=True)),
    lambda x, t: (y := jax.nn.softmax(x)) * (t - (y * t).sum(0, keepdims=True))))  # fmt: skip
rule("tangents_multiplied", {"x": "N", "y": "N"}, two_jvps(
    lambda x, y: x * y, lambda x, y, s, t: s * y + x * t, lambda x, y, s, t: s * y + x * t + s * t))  # fmt: skip
rule("defjvps", {"x": "N", "y": "N"}, (
    jvps(lambda x, y: jnp.exp(x) / y, lambda t, out, x, y: out * t, lambda t, out, x, y: -out / y * t),
    jvps(lambda x, y: jnp.exp(x) / y, lambda t, out, x, y: out * t, lambda t, out, x, y: -out * t)))  # fmt: skip
rule("defjvps_none", {"x": "N", "y": "N"}, (
    jvps(lambda x, y: jnp.tanh(x) + jnp.zeros_like(y), lambda t, out, x, y: (1 - out**2) * t, None),
    jvps(lambda x, y: jnp.tanh(x) + y, lambda t, out, x, y: (1 - (out - y) ** 2) * t, None)))  # fmt: skip
rule("power_jvp", N, (
    jvp(lambda x, n: x**n, lambda n, p, t: (p[0] ** n, n * p[0] ** (n - 1) * t[0]), 1),
    jvp(lambda x, n: x**n, lambda n, p, t: (p[0] ** n, p[0] ** (n - 1) * t[0]), 1)), args=["x", "3"])  # fmt: skip
rule("norm_jvp", N, two_jvps(
    lambda x: jnp.sqrt((x**2).sum() + 1e-12), lambda x, t: (x @ t) / jnp.sqrt((x**2).sum() + 1e-12),
    lambda x, t: t.sum() / jnp.sqrt((x**2).sum() + 1e-12)))  # fmt: skip
rule("two_outputs_jvp", {"x": "N"}, two_jvps(
    lambda x: (jnp.sin(x), jnp.cos(x)), lambda x, t: (jnp.cos(x) * t, -jnp.sin(x) * t),
    lambda x, t: (jnp.cos(x) * t, jnp.sin(x) * t)))  # fmt: skip
rule("value_of_rule", N, (
    jvp(lambda x: x**2, lambda p, t: (p[0] ** 2, 2 * p[0] * t[0])),
    jvp(lambda x: x**2, lambda p, t: (p[0] ** 3, 2 * p[0] * t[0]))))  # fmt: skip

# --- layers --------------------------------------------------------------------------------------


def mlp(p: Any, x: Any) -> Any:
    return jax.nn.relu(x @ p["w1"] + p["b1"]) @ p["w2"]


def mlp_fwd(p: Any, x: Any) -> Any:
    h = jax.nn.relu(x @ p["w1"] + p["b1"])
    return h @ p["w2"], (p, x, h)


def mlp_bwd(res: Any, g: Any, mask: bool = True) -> Any:
    p, x, h = res
    dh = g @ p["w2"].T
    dz = dh * (h > 0) if mask else dh
    return {"w1": x.T @ dz, "b1": dz.sum(0), "w2": h.T @ g}, dz @ p["w1"].T


rule("params_dict", {"x": "B D", "w1": "D H", "b1": "H", "w2": "H K"},
     both(mlp, mlp_fwd, mlp_bwd, partial(mlp_bwd, mask=False)),
     args=["{'w1': w1, 'b1': b1, 'w2': w2}", "x"])  # fmt: skip
rule("residual_dict", {"x": "B D", "w": "D K"}, both(
    lambda x, w: jnp.sin(x @ w), lambda x, w: (jnp.sin(x @ w), {"x": x, "w": w, "z": x @ w}),
    lambda r, g: ((g * jnp.cos(r["z"])) @ r["w"].T, r["x"].T @ (g * jnp.cos(r["z"]))),
    lambda r, g: ((g * jnp.cos(r["z"])) @ r["w"].T, r["x"].T @ g)))  # fmt: skip
def nested_fwd(p: Any, x: Any) -> Any:
    (w, b), v = p
    h = jnp.tanh(x @ w + b)
    return h @ v, (p, x, h)


def nested_bwd(res: Any, g: Any, mean: bool = False) -> Any:
    ((w, _), v), x, h = res
    d = jnp.outer(g, v) * (1 - h**2)
    return ((x.T @ d, d.mean(0) if mean else d.sum(0)), h.T @ g), d @ w.T


rule("nested_params", {"x": "B D", "w": "D H", "b": "H", "v": "H"},
     both(lambda p, x: nested_fwd(p, x)[0], nested_fwd, nested_bwd, partial(nested_bwd, mean=True)),
     args=["((w, b), v)", "x"])  # fmt: skip


def batch_norm(x: Any, gamma: Any, beta: Any) -> Any:
    return batch_norm_fwd(x, gamma, beta)[0]


def batch_norm_fwd(x: Any, gamma: Any, beta: Any) -> Any:
    mu, var = jnp.mean(x, axis=0), jnp.var(x, axis=0)
    inv = lax.rsqrt(var + 1e-5)
    xhat = (x - mu) * inv
    return gamma * xhat + beta, (xhat, inv, gamma)


def batch_norm_bwd(res: Any, g: Any, count: Any = None) -> Any:
    xhat, inv, gamma = res
    n = g.shape[0] if count is None else count
    dbeta, dgamma = g.sum(0), (g * xhat).sum(0)
    return gamma * inv / n * (n * g - dbeta - xhat * dgamma), dgamma, dbeta


rule("batch_norm", {"x": "N D", "gamma": "D", "beta": "D"},
     both(batch_norm, batch_norm_fwd, batch_norm_bwd, partial(batch_norm_bwd, count=2)))  # fmt: skip


def group_norm_fwd(x: Any, eps: float) -> Any:
    inv = lax.rsqrt(x.var(axis=(2, 3), keepdims=True) + eps)
    y = (x - x.mean(axis=(2, 3), keepdims=True)) * inv
    return y, (y, inv)


def group_norm_bwd(eps: float, res: Any, g: Any, centred: bool = True) -> Any:
    y, inv = res
    mean = g.mean(axis=(2, 3), keepdims=True) if centred else 0.0
    return (inv * (g - mean - y * (g * y).mean(axis=(2, 3), keepdims=True)),)


rule("group_norm", {"x": "B G C L"}, both(
    lambda x, eps: group_norm_fwd(x, eps)[0], group_norm_fwd, group_norm_bwd,
    partial(group_norm_bwd, centred=False), 1), args=["x", "1e-5"])  # fmt: skip
rule("rms_norm_jit", {"x": "B D", "w": "D"}, tuple(
    jax.jit(vjp(lambda x, w: x * lax.rsqrt(jnp.mean(x**2, -1, keepdims=True) + 1e-6) * w,
                lambda x, w: (x * (r := lax.rsqrt(jnp.mean(x**2, -1, keepdims=True) + 1e-6)) * w, (x, w, r)),
                lambda res, g, p=p: ((d := g * res[1]) * res[2]
                                     - res[0] * res[2] ** p * (d * res[0]).mean(-1, keepdims=True),
                                     (g * res[0] * res[2]).sum(0)))) for p in (3, 2)))  # fmt: skip
rule("embedding", {"w": "V D", "t": "int[V] B"}, both(
    lambda w, t: w[t], lambda w, t: (w[t], (w, t)),
    lambda r, g: (jnp.zeros_like(r[0]).at[r[1]].add(g), None),
    lambda r, g: (2 * jnp.zeros_like(r[0]).at[r[1]].add(2 * g), None)))  # fmt: skip
rule("bias_add", {"x": "B T D", "b": "D"}, both(
    lambda x, b: x + b, lambda x, b: (x + b, None), lambda _, g: (g, g.sum((0, 1))),
    lambda _, g: (g, g.mean((0, 1)))))  # fmt: skip
def conv_bwd(res: Any, g: Any, turned: bool = True) -> Any:
    x, k = res
    wide = jnp.pad(g, ((0, 0), (0, 0), (2, 2)))
    back = (jnp.flip(k, 2) if turned else k).transpose(1, 0, 2)
    return conv(wide, back), conv(x.transpose(1, 0, 2), g.transpose(1, 0, 2)).transpose(1, 0, 2)


def conv(x: Any, k: Any) -> Any:
    return lax.conv_general_dilated(x, k, (1,), "VALID", dimension_numbers=("NCH", "OIH", "NCH"))


rule("conv1d", {"x": "N C L+2", "k": "O C 3"},
     both(conv, lambda x, k: (conv(x, k), (x, k)), conv_bwd, partial(conv_bwd, turned=False)))  # fmt: skip

rule("log_determinant", {"a": "N N"}, both(
    lambda a: jnp.linalg.slogdet(a)[1], lambda a: (jnp.linalg.slogdet(a)[1], a),
    lambda a, g: (g * jnp.linalg.inv(a).T,), lambda a, g: (g * jnp.linalg.inv(a),)))  # fmt: skip
rule("linear_solve", {"a": "N N", "b": "N"}, both(
    jnp.linalg.solve, lambda a, b: (x := jnp.linalg.solve(a, b), (a, x)),
    lambda r, g: (-jnp.outer(w := jnp.linalg.solve(r[0].T, g), r[1]), w),
    lambda r, g: (-jnp.outer(r[1], w := jnp.linalg.solve(r[0].T, g)), w)))  # fmt: skip

# --- losses --------------------------------------------------------------------------------------


def cross_entropy_fwd(z: Any, t: Any) -> Any:
    logp = jax.nn.log_softmax(z)
    return -logp[jnp.arange(z.shape[0]), t].mean(), (logp, t)


def cross_entropy_bwd(res: Any, g: Any, mean: bool = True) -> Any:
    logp, t = res
    d = jnp.exp(logp).at[jnp.arange(t.shape[0]), t].add(-1.0)
    return g * d / (t.shape[0] if mean else 1), None


rule("cross_entropy", {"z": "B K", "t": "int[K] B"}, both(
    lambda z, t: cross_entropy_fwd(z, t)[0], cross_entropy_fwd, cross_entropy_bwd,
    partial(cross_entropy_bwd, mean=False)))  # fmt: skip
rule("one_hot_cross_entropy", {"z": "B K", "t": "int[K] B"}, both(
    lambda z, t: (jax.nn.logsumexp(z, -1) - (z * jax.nn.one_hot(t, z.shape[-1])).sum(-1)).sum(),
    lambda z, t: ((jax.nn.logsumexp(z, -1) - (z * jax.nn.one_hot(t, z.shape[-1])).sum(-1)).sum(), (z, t)),
    lambda r, g: (g * (jax.nn.softmax(r[0]) - jax.nn.one_hot(r[1], r[0].shape[-1])), None),
    lambda r, g: (g * (jax.nn.softmax(r[0]) + jax.nn.one_hot(r[1], r[0].shape[-1])), None)))  # fmt: skip
rule("mse", {"y": "B D", "t": "B D"}, both(
    lambda y, t: jnp.mean((y - t) ** 2), lambda y, t: (jnp.mean((y - t) ** 2), y - t),
    lambda d, g: (g * 2 * d / d.size, -g * 2 * d / d.size),
    lambda d, g: (g * 2 * d / d.shape[0], -g * 2 * d / d.shape[0])))  # fmt: skip
rule("huber", {"y": "N", "t": "N"}, both(
    lambda y, t, delta: jnp.where(jnp.abs(y - t) <= delta, 0.5 * (y - t) ** 2, delta * (jnp.abs(y - t) - 0.5 * delta)),
    lambda y, t, delta: (jnp.where(jnp.abs(y - t) <= delta, 0.5 * (y - t) ** 2, delta * (jnp.abs(y - t) - 0.5 * delta)),
                         y - t),
    lambda delta, d, g: (g * jnp.clip(d, -delta, delta), -g * jnp.clip(d, -delta, delta)),
    lambda delta, d, g: (g * jnp.clip(d, -delta, delta), g * jnp.clip(d, -delta, delta)), 2),
    args=["y", "t", "1.5"])  # fmt: skip
rule("bce_with_logits", {"z": "N", "t": "N"}, both(
    lambda z, t: jnp.mean(jnp.maximum(z, 0) - z * t + jnp.log1p(jnp.exp(-jnp.abs(z)))),
    lambda z, t: (jnp.mean(jnp.maximum(z, 0) - z * t + jnp.log1p(jnp.exp(-jnp.abs(z)))), (z, t)),
    lambda r, g: (g * (jax.nn.sigmoid(r[0]) - r[1]) / r[0].size, -g * r[0] / r[0].size),
    lambda r, g: (g * (jax.nn.sigmoid(r[0]) - r[1]), -g * r[0])), wrt="z")  # fmt: skip
rule("two_losses", {"x": "N"}, both(
    lambda x: {"l1": jnp.abs(x).sum(), "l2": (x**2).sum()},
    lambda x: ({"l1": jnp.abs(x).sum(), "l2": (x**2).sum()}, x),
    lambda x, g: (g["l1"] * jnp.sign(x) + g["l2"] * 2 * x,),
    lambda x, g: (g["l1"] * jnp.sign(x) + 2 * x,)))  # fmt: skip

# --- attention and sequences ---------------------------------------------------------------------


def causal(q: Any, k: Any) -> Any:
    s = q @ k.T / jnp.sqrt(q.shape[-1])
    return jnp.where(jnp.tril(jnp.ones(s.shape, bool)), s, -1e9)


def causal_fwd(q: Any, k: Any, v: Any) -> Any:
    p = jax.nn.softmax(causal(q, k), axis=-1)
    return p @ v, (q, k, v, p)


def causal_bwd(res: Any, g: Any, axis: int = -1) -> Any:
    q, k, v, p = res
    dp = g @ v.T
    ds = p * (dp - (dp * p).sum(axis, keepdims=True)) / jnp.sqrt(q.shape[-1])
    return ds @ k, ds.T @ q, p.T @ g


rule("causal_attention", {"q": "T E", "k": "T E", "v": "T E"}, both(
    lambda q, k, v: causal_fwd(q, k, v)[0], causal_fwd, causal_bwd, partial(causal_bwd, axis=0)))  # fmt: skip
rule("cumsum", {"x": "T D"}, both(
    lambda x: jnp.cumsum(x, 0), lambda x: (jnp.cumsum(x, 0), None),
    lambda _, g: (jnp.flip(jnp.cumsum(jnp.flip(g, 0), 0), 0),), lambda _, g: (jnp.cumsum(g, 0),)))  # fmt: skip
rule("scan_total", {"x": "T D"}, both(
    lambda x: lax.scan(lambda c, r: (c + r**2, None), jnp.zeros(x.shape[1]), x)[0],
    lambda x: (lax.scan(lambda c, r: (c + r**2, None), jnp.zeros(x.shape[1]), x)[0], x),
    lambda x, g: (2 * x * g,), lambda x, g: (x * g,)))  # fmt: skip
rule("scan_three_steps", {"x": "3 D", "w": "D D"}, tuple(
    vjp(lambda x, w: rnn(x, w)[0], lambda x, w: (rnn(x, w)[0], (x, w, rnn(x, w)[1])),
        lambda r, g, last=last: rnn_bwd(r, g, last)) for last in (0, 1)))  # fmt: skip


def rnn(x: Any, w: Any) -> Any:
    def body(h: Any, r: Any) -> Any:
        h = jnp.tanh(h @ w + r)
        return h, h

    return lax.scan(body, jnp.zeros(x.shape[1]), x)


def rnn_bwd(res: Any, g: Any, last: int) -> Any:
    _, w, h = res
    dx, dw = [], jnp.zeros_like(w)
    for t in (2, 1, 0):
        dz = g * (1 - h[t] ** 2)
        before = h[t - 1] if t > last else jnp.zeros_like(g)
        dw = dw + jnp.outer(before, dz)
        dx.append(dz)
        g = w @ dz
    return jnp.stack(dx[::-1]), dw


rule("rotary", {"x": "T 2*D", "c": "T D", "s": "T D"}, tuple(
    vjp(lambda x, c, s: rotate(x, c, s), lambda x, c, s: (rotate(x, c, s), (x, c, s)),
        lambda r, g, sign=sign: (rotate(g, r[1], sign * r[2]), *turned(r[0], g))) for sign in (-1, 1)))  # fmt: skip


def rotate(x: Any, c: Any, s: Any) -> Any:
    a, b = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([a * c - b * s, a * s + b * c], -1)


def turned(x: Any, g: Any) -> Any:
    a, b = jnp.split(x, 2, axis=-1)
    ga, gb = jnp.split(g, 2, axis=-1)
    return ga * a + gb * b, gb * a - ga * b


rule("inner_vjp", {"x": "B D", "w": "D K"}, both(
    lambda x, w: jnp.tanh(x @ w).sum(-1), lambda x, w: (jnp.tanh(x @ w).sum(-1), (x, w)),
    lambda r, g: jax.vjp(lambda x, w: jnp.tanh(x @ w).sum(-1), *r)[1](g),
    lambda r, g: jax.vjp(lambda x, w: jnp.sin(x @ w).sum(-1), *r)[1](g)))  # fmt: skip
rule("value_of_fwd", ND, (
    vjp(lambda x: x * 2, lambda x: (x + x, None), lambda _, g: (2 * g,)),
    vjp(lambda x: x * 2, lambda x: (x * 3, None), lambda _, g: (2 * g,))))  # fmt: skip
rule("renamed_arguments", {"a": "B D", "m": "D K"}, both(
    lambda x, w: x @ w, lambda x, w: (x @ w, (x, w)), lambda r, g: (g @ r[1].T, r[0].T @ g),
    lambda r, g: (g @ r[1].T, (g.T @ r[0]).T * 2)))  # fmt: skip
rule("shape_residual", ND, both(
    lambda x: x.sum(), lambda x: (x.sum(), x.shape), lambda shape, g: (jnp.broadcast_to(g, shape),),
    lambda shape, g: (jnp.broadcast_to(g, shape) / shape[0],)))  # fmt: skip

# --- values that are held constant -----------------------------------------------------------------

rule("held_scale", N, both(
    lambda x: x * lax.stop_gradient(jnp.tanh(x)), lambda x: (x * jnp.tanh(x), x), lambda x, g: (g * jnp.tanh(x),),
    lambda x, g: (g * (jnp.tanh(x) + x * (1 - jnp.tanh(x) ** 2)),)))  # fmt: skip
rule("straight_through_sign", N, both(
    lambda x: x + lax.stop_gradient(jnp.sign(x) - x), lambda x: (jnp.sign(x), None), lambda _, g: (g,),
    lambda _, g: (0 * g,)))  # fmt: skip
rule("shift_that_cancels", {"x": "B K"}, both(
    lambda x: (m := lax.stop_gradient(x.max(1))) + jnp.log(jnp.exp(x - m[:, None]).sum(1)),
    lambda x: (jax.nn.logsumexp(x, 1), x), lambda x, g: (g[:, None] * jax.nn.softmax(x, axis=1),),
    lambda x, g: (g[:, None] * jax.nn.softmax(x, axis=0),)))  # fmt: skip


def held_target_bwd(res: Any, g: Any, moving: bool = False) -> Any:
    x, w = res
    d = 2 * g * (x @ w - x)
    return d @ w.T - (d if moving else 0), x.T @ d


rule("held_target", {"x": "B D", "w": "D D"}, both(
    lambda x, w: ((x @ w - lax.stop_gradient(x)) ** 2).sum(), lambda x, w: (((x @ w - x) ** 2).sum(), (x, w)),
    held_target_bwd, partial(held_target_bwd, moving=True)))  # fmt: skip
rule("held_in_jvp", N, two_jvps(
    lambda x: lax.stop_gradient(x) * jnp.sin(x), lambda x, t: x * jnp.cos(x) * t,
    lambda x, t: (jnp.sin(x) + x * jnp.cos(x)) * t))  # fmt: skip
rule("held_mask", {"q": "T T"}, both(
    lambda q: jax.nn.softmax(q + lax.stop_gradient(jnp.where(jnp.tri(q.shape[0], dtype=bool), 0 * q, -jnp.inf))),
    lambda q: (p := jax.nn.softmax(jnp.where(jnp.tri(q.shape[0], dtype=bool), q, -jnp.inf)), p),
    lambda p, g: (p * (g - (p * g).sum(1, keepdims=True)),),
    lambda p, g: (p * (g - (p * g).sum(0, keepdims=True)),)))  # fmt: skip
