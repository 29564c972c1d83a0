"""Forward and backward functions of the usual layers and losses, in general form, batch axes included.

Each entry of `FAMILIES` is (forward, backward, shapes, variables, hypotheses, values); all of them are right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import xlogy  # noqa: F401  (what real code imports)


class Family(NamedTuple):
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    shapes: dict[str, str]
    wrt: tuple[str, ...]
    assuming: Callable[..., Any] | None = None
    values: dict[str, Any] = {}  # noqa: RUF012


def positive_eps(eps: Any) -> list[Any]:
    return [eps > 0]


# --- normalisation ---------------------------------------------------------------------------


def layernorm(x, gamma, beta, eps):
    mean = x.mean(axis=-1, keepdims=True)
    var = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


def layernorm_backward(x, gamma, beta, eps, dy):
    mean = np.mean(x, axis=-1, keepdims=True)
    rstd = 1.0 / np.sqrt(np.var(x, axis=-1, keepdims=True) + eps)
    xhat = (x - mean) * rstd
    dxhat = dy * gamma
    dx = rstd * (dxhat - dxhat.mean(-1, keepdims=True) - xhat * (dxhat * xhat).mean(-1, keepdims=True))
    return dx, (dy * xhat).sum(axis=(0, 1)), dy.sum(axis=(0, 1))


def batchnorm(x, gamma, beta, eps):
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    return gamma * (x - mu) / np.sqrt(var + eps) + beta


def batchnorm_backward(x, gamma, beta, eps, dout):
    n = x.shape[0]
    mu = x.mean(axis=0)
    ivar = 1.0 / np.sqrt(x.var(axis=0) + eps)
    xhat = (x - mu) * ivar
    dxhat = dout * gamma
    dx = ivar / n * (n * dxhat - dxhat.sum(axis=0) - xhat * (dxhat * xhat).sum(axis=0))
    return {"x": dx, "gamma": (dout * xhat).sum(axis=0), "beta": dout.sum(axis=0)}


def rmsnorm(x, w, eps):
    return w * x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps)


def rmsnorm_backward(x, w, eps, g):
    r = 1.0 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps)
    gw = g * w
    dx = r * (gw - x * r**2 * np.mean(gw * x, axis=-1, keepdims=True))
    return dx, np.sum(g * x * r, axis=(0, 1))


def groupnorm(x, gamma, beta, eps):
    """x is N G C L: G groups of C channels."""
    mean = x.mean(axis=(2, 3), keepdims=True)
    var = ((x - mean) ** 2).mean(axis=(2, 3), keepdims=True)
    return (x - mean) / np.sqrt(var + eps) * gamma[None, :, :, None] + beta[None, :, :, None]


def groupnorm_backward(x, gamma, beta, eps, dy):
    mean = x.mean(axis=(2, 3), keepdims=True)
    rstd = 1 / np.sqrt(((x - mean) ** 2).mean(axis=(2, 3), keepdims=True) + eps)
    xhat = (x - mean) * rstd
    d = dy * gamma[None, :, :, None]
    dx = rstd * (d - d.mean(axis=(2, 3), keepdims=True) - xhat * (d * xhat).mean(axis=(2, 3), keepdims=True))
    return dx, (dy * xhat).sum(axis=(0, 3)), dy.sum(axis=(0, 3))


# --- attention -------------------------------------------------------------------------------


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention(q, k, v, scale):
    return softmax(q @ np.swapaxes(k, -1, -2) * scale) @ v


def attention_backward(q, k, v, scale, do):
    p = softmax(q @ np.swapaxes(k, -1, -2) * scale)
    dv = np.swapaxes(p, -1, -2) @ do
    dp = do @ np.swapaxes(v, -1, -2)
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * scale
    return ds @ k, np.swapaxes(ds, -1, -2) @ q, dv


def masked_attention(q, k, v, mask, scale):
    """mask is added to the scores."""
    return softmax(q @ k.T * scale + mask) @ v


def masked_attention_backward(q, k, v, mask, scale, do):
    p = softmax(q @ k.T * scale + mask)
    dp = do @ v.T
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * scale
    return ds @ k, ds.T @ q, p.T @ do


def causal_attention(q, k, v, scale):
    n = q.shape[0]
    s = np.where(np.tril(np.ones((n, n))) > 0, q @ k.T * scale, -np.inf)
    return softmax(s) @ v


def causal_attention_backward(q, k, v, scale, do):
    n = q.shape[0]
    s = np.where(np.tril(np.ones((n, n))) > 0, q @ k.T * scale, -np.inf)
    p = softmax(s)
    dp = do @ v.T
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * scale
    return {"q": ds @ k, "k": ds.T @ q, "v": p.T @ do}


def softcap_attention(q, k, v, scale, cap):
    return softmax(cap * np.tanh(q @ k.T * scale / cap)) @ v


def softcap_attention_backward(q, k, v, scale, cap, do):
    t = np.tanh(q @ k.T * scale / cap)
    p = softmax(cap * t)
    dp = do @ v.T
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * (1 - t**2) * scale
    return {"q": ds @ k, "k": ds.T @ q, "v": p.T @ do}


# --- losses ----------------------------------------------------------------------------------


def log_softmax(z):
    m = z.max(axis=-1, keepdims=True)
    return z - m - np.log(np.exp(z - m).sum(axis=-1, keepdims=True))


def smoothed_cross_entropy(z, y, a):
    n = z.shape[0]
    logp = log_softmax(z)
    return -((1 - a) * logp[np.arange(n), y] + a * logp.mean(axis=-1)).mean()


def smoothed_cross_entropy_backward(z, y, a):
    n, k = z.shape
    p = softmax(z)
    t = np.full((n, k), a / k)
    t[np.arange(n), y] += 1 - a
    return (p - t) / n


def z_loss_cross_entropy(z, y, c):
    n = z.shape[0]
    lse = np.log(np.exp(z).sum(axis=-1))
    return (lse - z[np.arange(n), y] + c * lse**2).mean()


def z_loss_cross_entropy_backward(z, y, c):
    n = z.shape[0]
    total = np.exp(z).sum(axis=-1, keepdims=True)
    p = np.exp(z) / total
    d = p * (1 + 2 * c * np.log(total))
    d[np.arange(n), y] -= 1
    return d / n


def kl(p, q):
    return (p * (np.log(p) - np.log(q))).sum()


def kl_backward(p, q):
    return np.log(p / q) + 1, -p / q


def jsd(p, q):
    m = (p + q) / 2
    return (0.5 * p * np.log(p / m) + 0.5 * q * np.log(q / m)).sum()


def jsd_backward(p, q):
    m = (p + q) / 2
    return 0.5 * np.log(p / m), 0.5 * np.log(q / m)


# --- recurrent cells -------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, h, c, Wi, Wf, Wg, Wo, Ui, Uf, Ug, Uo):
    i, f = sigmoid(x @ Wi + h @ Ui), sigmoid(x @ Wf + h @ Uf)
    g, o = np.tanh(x @ Wg + h @ Ug), sigmoid(x @ Wo + h @ Uo)
    c_new = f * c + i * g
    return o * np.tanh(c_new), c_new


def lstm_backward(x, h, c, Wi, Wf, Wg, Wo, Ui, Uf, Ug, Uo, dh, dc):
    i, f = sigmoid(x @ Wi + h @ Ui), sigmoid(x @ Wf + h @ Uf)
    g, o = np.tanh(x @ Wg + h @ Ug), sigmoid(x @ Wo + h @ Uo)
    t = np.tanh(f * c + i * g)
    dcn = dc + dh * o * (1 - t**2)
    di, df, dg, do = dcn * g * i * (1 - i), dcn * c * f * (1 - f), dcn * i * (1 - g**2), dh * t * o * (1 - o)
    return {
        "x": di @ Wi.T + df @ Wf.T + dg @ Wg.T + do @ Wo.T,
        "h": di @ Ui.T + df @ Uf.T + dg @ Ug.T + do @ Uo.T,
        "c": dcn * f, "Wi": x.T @ di, "Uf": h.T @ df, "Wg": x.T @ dg, "Uo": h.T @ do,
    }  # fmt: skip


def gru(x, h, Wz, Wr, Wn, Uz, Ur, Un):
    z, r = sigmoid(x @ Wz + h @ Uz), sigmoid(x @ Wr + h @ Ur)
    n = np.tanh(x @ Wn + r * (h @ Un))
    return (1 - z) * n + z * h


def gru_backward(x, h, Wz, Wr, Wn, Uz, Ur, Un, d):
    z, r = sigmoid(x @ Wz + h @ Uz), sigmoid(x @ Wr + h @ Ur)
    hn = h @ Un
    n = np.tanh(x @ Wn + r * hn)
    dn = d * (1 - z) * (1 - n**2)
    dz, dr = d * (h - n) * z * (1 - z), dn * hn * r * (1 - r)
    return {
        "x": dz @ Wz.T + dr @ Wr.T + dn @ Wn.T,
        "h": d * z + dz @ Uz.T + dr @ Ur.T + (dn * r) @ Un.T,
        "Wn": x.T @ dn, "Un": h.T @ (dn * r), "Uz": h.T @ dz,
    }  # fmt: skip


# --- convolution -----------------------------------------------------------------------------


def conv1d(x, w):
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[-1], axis=-1)
    return np.einsum("ncik,dck->ndi", windows, w)


def conv1d_backward(x, w, g):
    k = w.shape[-1]
    dw = np.einsum("ncik,ndi->dck", np.lib.stride_tricks.sliding_window_view(x, k, axis=-1), g)
    dx = np.zeros_like(x)
    for j in range(k):
        dx[:, :, j : j + g.shape[-1]] += np.einsum("ndi,dc->nci", g, w[:, :, j])
    return dx, dw


def conv2d(x, w):
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[-2:], axis=(-2, -1))
    return np.einsum("ncijkl,dckl->ndij", windows, w)


def conv2d_backward_w(x, w, g):
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[-2:], axis=(-2, -1))
    return np.einsum("ncijkl,ndij->dckl", windows, g)


def conv2d_backward_x(x, w, g):
    k, m = w.shape[-2:]
    p, q = g.shape[-2:]
    dx = np.zeros_like(x)
    for i in range(k):
        for j in range(m):
            dx[:, :, i : i + p, j : j + q] += np.einsum("ndij,dc->ncij", g, w[:, :, i, j])
    return dx


CELL = {"x": "B D", "h": "B H", "c": "B H"} | {f"W{k}": "D H" for k in "ifgo"} | {f"U{k}": "H H" for k in "ifgo"}
GRU = {"x": "B D", "h": "B H"} | {f"W{k}": "D H" for k in "zrn"} | {f"U{k}": "H H" for k in "zrn"}
HEADS = {"q": "B H n d", "k": "B H m d", "v": "B H m e", "scale": ""}
ONE_HEAD = {"q": "n d", "k": "m d", "v": "m e", "scale": ""}
QKV = ("q", "k", "v")

FAMILIES: dict[str, Family] = {
    "layernorm": Family(layernorm, layernorm_backward, {"x": "B T D", "gamma": "D", "beta": "D", "eps": ""},
                        ("x", "gamma", "beta"), positive_eps),
    "batchnorm": Family(batchnorm, batchnorm_backward, {"x": "N D", "gamma": "D", "beta": "D", "eps": ""},
                        ("x", "gamma", "beta"), positive_eps),
    "rmsnorm": Family(rmsnorm, rmsnorm_backward, {"x": "B T D", "w": "D", "eps": ""}, ("x", "w"), positive_eps),
    "groupnorm": Family(groupnorm, groupnorm_backward, {"x": "N G C L", "gamma": "G C", "beta": "G C", "eps": ""},
                        ("x", "gamma", "beta"), positive_eps),
    "attention": Family(attention, attention_backward, HEADS, QKV),
    "attention with a mask": Family(masked_attention, masked_attention_backward, ONE_HEAD | {"mask": "n m"}, QKV),
    "causal attention": Family(causal_attention, causal_attention_backward,
                               {"q": "n d", "k": "n d", "v": "n e", "scale": ""}, QKV),
    "attention with softcap": Family(softcap_attention, softcap_attention_backward, ONE_HEAD | {"cap": ""}, QKV,
                                     lambda cap: [cap > 0]),
    "cross-entropy with label smoothing": Family(smoothed_cross_entropy, smoothed_cross_entropy_backward,
                                                 {"z": "N K", "y": "int[K] N", "a": ""}, ("z",)),
    "cross-entropy with z-loss": Family(z_loss_cross_entropy, z_loss_cross_entropy_backward,
                                        {"z": "N K", "y": "int[K] N", "c": ""}, ("z",)),
    "KL": Family(kl, kl_backward, {"p": "N K", "q": "N K"}, ("p", "q"), lambda p, q: [p > 0, q > 0]),
    "JSD": Family(jsd, jsd_backward, {"p": "N K", "q": "N K"}, ("p", "q"), lambda p, q: [p > 0, q > 0]),
    "LSTM cell": Family(lstm, lstm_backward, CELL, ("x", "h", "c", "Wi", "Uf", "Wg", "Uo")),
    "GRU cell": Family(gru, gru_backward, GRU, ("x", "h", "Wn", "Un", "Uz")),
    "conv1d": Family(conv1d, conv1d_backward, {"x": "N C L+K-1", "w": "D C K"}, ("x", "w")),
    "conv2d, kernel": Family(conv2d, conv2d_backward_w, {"x": "N C P+K-1 Q+M-1", "w": "D C K M"}, ("w",)),
    "conv2d, image": Family(conv2d, conv2d_backward_x, {"x": "N C P+K-1 Q+M-1", "w": "D C K M"}, ("x",)),
}  # fmt: skip
