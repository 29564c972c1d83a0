"""Layers beyond dense networks: their gradients line by line, each proved for all sizes.

python derivations/layers.py [NAME ...]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from scipy.special import expit

import symbackprop as sb


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
    e = np.exp(S - S.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True)
    O = P @ V
    return O


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


def convolution(x, w, b):
    win = np.lib.stride_tricks.sliding_window_view(x, w.shape[2], axis=2)
    y = np.einsum("bclk,ock->bol", win, w) + b[:, None]
    return y


def smoothed_cross_entropy(z, t, eps):
    """With label smoothing: targets (1 - eps) t + eps / K."""
    zs = z - z.max(axis=-1, keepdims=True)
    logp = zs - np.log(np.exp(zs).sum(axis=-1, keepdims=True))
    smooth = (1 - eps) * t + eps / z.shape[-1]
    loss = -(smooth * logp).sum() / z.shape[0]
    return loss


def triplet(a, p, n, m):
    dp = ((a - p) ** 2).sum(1)
    dn = ((a - n) ** 2).sum(1)
    loss = np.maximum(0, dp - dn + m).mean()
    return loss


def ridge(X, w, y, lam):
    r = X @ w - y
    loss = (r**2).mean() + lam * (w**2).sum()
    return loss


LAYERS: dict[str, tuple[Any, dict[str, str], tuple[str, ...], Any]] = {
    "layernorm": (layernorm, {"x": "B D", "gamma": "D", "beta": "D", "eps": ""}, ("x", "gamma", "beta"),
                  lambda eps: [eps > 0]),
    "rmsnorm": (rmsnorm, {"x": "B D", "w": "D", "eps": ""}, ("x", "w"), lambda eps: [eps > 0]),
    "batchnorm": (batchnorm, {"x": "B D", "gamma": "D", "beta": "D", "eps": ""}, ("x", "gamma", "beta"),
                  lambda eps: [eps > 0]),
    "attention": (attention, {"Q": "N D", "K": "M D", "V": "M E"}, ("Q", "K", "V"), None),
    "lstm": (lstm, {"x": "B D", "h": "B H", "c": "B H", "Wx": "D 4*H", "Wh": "H 4*H", "b": "4*H"},
             ("x", "h", "c", "Wx", "Wh", "b"), None),
    "convolution": (convolution, {"x": "B C L+K-1", "w": "O C K", "b": "O"}, ("x", "w", "b"), None),
    "smoothed cross-entropy": (smoothed_cross_entropy, {"z": "B K", "t": "B K", "eps": ""}, ("z",), None),
    "triplet": (triplet, {"a": "B D", "p": "B D", "n": "B D", "m": ""}, ("a", "p", "n"), None),
    "ridge": (ridge, {"X": "N D", "w": "D", "y": "N", "lam": ""}, ("w",), None),
}  # fmt: skip


if __name__ == "__main__":
    for name in sys.argv[1:] or LAYERS:
        forward, shapes, variables, assuming = LAYERS[name]
        print(sb.derive(forward, shapes, variables, assuming).explained(title=name))
