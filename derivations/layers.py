"""Layers beyond dense networks: their gradients line by line, each proved for all sizes.

python derivations/layers.py [NAME ...] [--tex DIR]
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from symbackprop.story import Forward, tell


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


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    P = softmax(S)
    O = P @ V
    return O


def multi_head_attention(x, Wq, Wk, Wv, Wo):
    """Causal: position t sees positions up to t."""
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


LAYERS = {
    "layernorm": Forward(layernorm, {"x": "B D", "gamma": "D", "beta": "D", "eps": ""}, ("x", "gamma", "beta"),
                         lambda eps: [eps > 0], "Layer normalisation"),
    "rmsnorm": Forward(rmsnorm, {"x": "B D", "w": "D", "eps": ""}, ("x", "w"), lambda eps: [eps > 0],
                       "RMS normalisation"),
    "batchnorm": Forward(batchnorm, {"x": "B D", "gamma": "D", "beta": "D", "eps": ""}, ("x", "gamma", "beta"),
                         lambda eps: [eps > 0], "Batch normalisation"),
    "attention": Forward(attention, {"Q": "N D", "K": "M D", "V": "M E"}, ("Q", "K", "V")),
    "multi_head_attention": Forward(
        multi_head_attention, {"x": "B T D", "Wq": "D H E", "Wk": "D H E", "Wv": "D H E", "Wo": "H E D"},
        ("x", "Wq", "Wk", "Wv", "Wo"), title="Causal multi-head attention",
    ),
    "lstm": Forward(lstm, {"x": "B D", "h": "B H", "c": "B H", "Wx": "D 4*H", "Wh": "H 4*H", "b": "4*H"},
                    ("x", "h", "c", "Wx", "Wh", "b"), title="An LSTM cell"),
    "convolution": Forward(convolution, {"x": "B C L+K-1", "w": "O C K", "b": "O"}, ("x", "w", "b")),
}  # fmt: skip


if __name__ == "__main__":
    tell(LAYERS)
