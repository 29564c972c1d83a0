"""Forward functions as people write them, for tests of what is derived from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import erf, expit

Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    forward: Function
    shapes: dict[str, str]
    variables: tuple[str, ...]
    assuming: Function | None = None


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy(x, W, b, t):
    z = x @ W + b
    zs = z - z.max(axis=1, keepdims=True)
    logp = zs - np.log(np.exp(zs).sum(axis=1, keepdims=True))
    loss = -logp[np.arange(len(t)), t].mean()
    return loss


def layernorm(x, gamma, beta, eps):
    mu = x.mean(-1, keepdims=True)
    var = ((x - mu) ** 2).mean(-1, keepdims=True)
    std = np.sqrt(var + eps)
    xhat = (x - mu) / std
    y = gamma * xhat + beta
    return y


def rmsnorm(x, w, eps):
    r = 1 / np.sqrt((x**2).mean(-1, keepdims=True) + eps)
    n = x * r
    y = n * w
    return y


def batchnorm(x, gamma, beta, eps):
    mu = x.mean(0)
    xc = x - mu
    var = (xc**2).mean(0)
    xhat = xc / np.sqrt(var + eps)
    y = gamma * xhat + beta
    return y


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    P = softmax(S)
    O = P @ V
    return O


def causal_attention(x, Wq, Wk, Wv, Wo):
    Q = np.einsum("btd,dhe->bhte", x, Wq)
    K = np.einsum("btd,dhe->bhte", x, Wk)
    V = np.einsum("btd,dhe->bhte", x, Wv)
    T = x.shape[1]
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    S = np.where(np.tril(np.ones((T, T))) == 1, S, -np.inf)
    P = softmax(S)
    O = P @ V
    y = np.einsum("bhte,hed->btd", O, Wo)
    return y


def gelu_mlp(x, W1, b1, W2, b2):
    h = x @ W1 + b1
    a = 0.5 * h * (1 + erf(h / np.sqrt(2)))
    y = a @ W2 + b2
    return y


def lstm(x, h, c, Wx, Wh, b):
    H = h.shape[1]
    z = x @ Wx + h @ Wh + b
    i = expit(z[:, :H])
    f = expit(z[:, H : 2 * H])
    o = expit(z[:, 2 * H : 3 * H])
    g = np.tanh(z[:, 3 * H :])
    c1 = f * c + i * g
    h1 = o * np.tanh(c1)
    return h1, c1


def gru(x, h, Wx, Wh, b):
    H = h.shape[1]
    a, s = x @ Wx + b, h @ Wh
    r = expit(a[:, :H] + s[:, :H])
    z = expit(a[:, H : 2 * H] + s[:, H : 2 * H])
    n = np.tanh(a[:, 2 * H :] + r * s[:, 2 * H :])
    y = (1 - z) * n + z * h
    return y


def conv1d(x, w, b):
    win = np.lib.stride_tricks.sliding_window_view(x, w.shape[2], axis=2)
    y = np.einsum("bclk,ock->bol", win, w) + b[:, None]
    return y


def conv2d(x, w, b):
    win = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    y = np.einsum("bchwpq,ocpq->bohw", win, w) + b[:, None, None]
    return y


def groupnorm(x, gamma, beta, eps):
    mu = x.mean((2, 3), keepdims=True)
    xc = x - mu
    var = (xc**2).mean((2, 3), keepdims=True)
    xhat = xc / np.sqrt(var + eps)
    y = xhat * gamma + beta
    return y


def rope(x, theta):
    T, D = x.shape[1], theta.shape[0]
    angle = np.arange(T)[:, None] * theta
    c, s = np.cos(angle), np.sin(angle)
    x1, x2 = x[..., :D], x[..., D:]
    y = np.concatenate([x1 * c - x2 * s, x1 * s + x2 * c], axis=-1)
    return y


def vae(x, xhat, mu, logvar):
    n = x.shape[0]
    reconstruction = ((xhat - x) ** 2).sum() / n
    kl = -0.5 * (1 + logvar - mu**2 - np.exp(logvar)).sum() / n
    loss = reconstruction + kl
    return loss


def six_layers(x, y, W1, W2, W3, W4, W5, W6):
    h1 = np.tanh(x @ W1)
    h2 = np.tanh(h1 @ W2)
    h3 = np.tanh(h2 @ W3)
    h4 = np.tanh(h3 @ W4)
    h5 = np.tanh(h4 @ W5)
    h6 = np.tanh(h5 @ W6)
    return ((h6 - y) ** 2).mean()


def embedding(E, t):
    y = E[t]
    return y


def triplet(a, p, n, m):
    dp = ((a - p) ** 2).sum(1)
    dn = ((a - n) ** 2).sum(1)
    loss = np.maximum(0, dp - dn + m).mean()
    return loss


def gaussian(x, mu, logvar):
    var = np.exp(logvar)
    nll = 0.5 * (logvar + (x - mu) ** 2 / var)
    return nll.mean()


def focal(z, y):
    p = expit(z)
    loss = -(y * (1 - p) ** 2 * np.log(p) + (1 - y) * p**2 * np.log(1 - p))
    return loss.mean()


def infonce(a, b, tau):
    s = a @ b.T / tau
    s = s - s.max(1, keepdims=True)
    logp = s - np.log(np.exp(s).sum(1, keepdims=True))
    loss = -np.trace(logp) / a.shape[0]
    return loss


def running(x, w):
    """A loop of symbolic length: known by its formula."""
    s = np.cumsum(x * w)
    total = (s**2).sum()
    return total


def in_place(x, w):
    y = x @ w
    y[0] = 0.0
    y += 1.0
    return (y**2).sum()


CASES = {
    "cross-entropy": Case(cross_entropy, {"x": "B D", "W": "D K", "b": "K", "t": "int[K] B"}, ("x", "W", "b")),
    "layernorm": Case(
        layernorm, {"x": "B D", "gamma": "D", "beta": "D", "eps": ""}, ("x", "gamma", "beta"), lambda eps: [eps > 0]
    ),
    "rmsnorm": Case(rmsnorm, {"x": "B D", "w": "D", "eps": ""}, ("x", "w"), lambda eps: [eps > 0]),
    "batchnorm": Case(
        batchnorm, {"x": "B D", "gamma": "D", "beta": "D", "eps": ""}, ("x", "gamma", "beta"), lambda eps: [eps > 0]
    ),
    "attention": Case(attention, {"Q": "N D", "K": "M D", "V": "M E"}, ("Q", "K", "V")),
    "causal attention": Case(
        causal_attention, {"x": "B T D", "Wq": "D H E", "Wk": "D H E", "Wv": "D H E", "Wo": "H E D"},
        ("x", "Wq", "Wk", "Wv", "Wo"),
    ),
    "gelu": Case(
        gelu_mlp, {"x": "B D", "W1": "D F", "b1": "F", "W2": "F K", "b2": "K"}, ("x", "W1", "b1", "W2", "b2")
    ),
    "lstm": Case(
        lstm, {"x": "B D", "h": "B H", "c": "B H", "Wx": "D 4*H", "Wh": "H 4*H", "b": "4*H"},
        ("x", "h", "c", "Wx", "Wh", "b"),
    ),
    "gru": Case(gru, {"x": "B D", "h": "B H", "Wx": "D 3*H", "Wh": "H 3*H", "b": "3*H"}, ("x", "h", "Wx", "Wh", "b")),
    "conv1d": Case(conv1d, {"x": "B C L+K-1", "w": "O C K", "b": "O"}, ("x", "w", "b")),
    "conv2d": Case(conv2d, {"x": "B C H+K-1 W+K-1", "w": "O C K K", "b": "O"}, ("x", "w", "b")),
    "groupnorm": Case(
        groupnorm, {"x": "B G C L", "gamma": "G C 1", "beta": "G C 1", "eps": ""}, ("x", "gamma", "beta"),
        lambda eps: [eps > 0],
    ),
    "rope": Case(rope, {"x": "B T 2*D", "theta": "D"}, ("x",)),
    "vae": Case(vae, {"x": "B D", "xhat": "B D", "mu": "B Z", "logvar": "B Z"}, ("xhat", "mu", "logvar")),
    "six layers": Case(
        six_layers, {"x": "N D", "y": "N D", **dict.fromkeys(("W1", "W2", "W3", "W4", "W5", "W6"), "D D")},
        ("W1", "W2", "W3", "W4", "W5", "W6"),
    ),
    "embedding": Case(embedding, {"E": "V D", "t": "int[V] B"}, ("E",)),
    "triplet": Case(triplet, {"a": "B D", "p": "B D", "n": "B D", "m": ""}, ("a", "p", "n")),
    "gaussian": Case(gaussian, {"x": "B D", "mu": "B D", "logvar": "B D"}, ("x", "mu", "logvar")),
    "focal": Case(focal, {"z": "n", "y": "n"}, ("z",)),
    "infonce": Case(infonce, {"a": "N D", "b": "N D", "tau": ""}, ("a", "b"), lambda tau: [tau > 0]),
    "running": Case(running, {"x": "n", "w": "n"}, ("x", "w")),
    "in place": Case(in_place, {"x": "N D", "w": "D K"}, ("x", "w")),
}  # fmt: skip
