"""Backward functions by hand: for each forward of tests/tables/derive_cases.py the quickest plain NumPy that we know.

Arguments are those of the forward, then the upstream gradients; results in the order of the variables.  Each is in the
style of its forward: where that writes six layers out, so does the backward (a loop over lists does it in eight lines).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import erf, expit

SIZES: dict[str, dict[str, int]] = {
    "cross-entropy": {"B": 128, "D": 256, "K": 100},
    "layernorm": {"B": 512, "D": 512},
    "rmsnorm": {"B": 512, "D": 512},
    "batchnorm": {"B": 512, "D": 512},
    "attention": {"N": 256, "M": 256, "D": 64, "E": 64},
    "causal attention": {"B": 4, "T": 64, "D": 128, "H": 4, "E": 32},
    "gelu": {"B": 128, "D": 128, "F": 512, "K": 128},
    "lstm": {"B": 64, "D": 128, "H": 128},
    "gru": {"B": 64, "D": 128, "H": 128},
    "conv1d": {"B": 8, "C": 16, "L": 128, "K": 5, "O": 32},
    "conv2d": {"B": 4, "C": 8, "H": 28, "W": 28, "K": 3, "O": 16},
    "embedding": {"V": 2000, "D": 128, "B": 512},
    "groupnorm": {"B": 32, "G": 8, "C": 8, "L": 64},
    "rope": {"B": 4, "T": 128, "D": 32},
    "triplet": {"B": 512, "D": 128},
    "gaussian": {"B": 512, "D": 128},
    "focal": {"n": 50_000},
    "vae": {"B": 256, "D": 256, "Z": 64},
    "infonce": {"N": 256, "D": 128},
    "six layers": {"N": 128, "D": 128},
}


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    e /= e.sum(-1, keepdims=True)
    return e


def cross_entropy(x, W, b, t):
    z = x @ W + b
    n = len(t)
    p = softmax(z)
    p[np.arange(n), t] -= 1
    dz = p / n
    dx = dz @ W.T
    dW = x.T @ dz
    return dx, dW, dz.sum(0)


def layernorm(x, gamma, beta, eps, dy):
    xc = x - x.mean(-1, keepdims=True)
    rstd = 1 / np.sqrt((xc * xc).mean(-1, keepdims=True) + eps)
    xhat = xc * rstd
    d = dy * gamma
    dx = rstd * (d - d.mean(-1, keepdims=True) - xhat * (d * xhat).mean(-1, keepdims=True))
    return dx, (dy * xhat).sum(0), dy.sum(0)


def rmsnorm(x, w, eps, dy):
    r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + eps)
    n = x * r
    dn = dy * w
    dx = r * (dn - n * (dn * n).mean(-1, keepdims=True))
    return dx, (dy * n).sum(0)


def batchnorm(x, gamma, beta, eps, dy):
    xc = x - x.mean(0)
    rstd = 1 / np.sqrt((xc * xc).mean(0) + eps)
    xhat = xc * rstd
    d = dy * gamma
    dx = rstd * (d - d.mean(0) - xhat * (d * xhat).mean(0))
    return dx, (dy * xhat).sum(0), dy.sum(0)


def attention(Q, K, V, dO):
    s = np.sqrt(Q.shape[-1])
    P = softmax(Q @ K.T / s)
    dP = dO @ V.T
    dS = P * (dP - (dP * P).sum(-1, keepdims=True)) / s
    dQ = dS @ K
    dK = dS.T @ Q
    dV = P.T @ dO
    return dQ, dK, dV


def causal_attention(x, Wq, Wk, Wv, Wo, dy):
    B, T, D = x.shape
    H, E = Wq.shape[1:]
    flat = x.reshape(B * T, D)
    wq, wk, wv, wo = Wq.reshape(D, -1), Wk.reshape(D, -1), Wv.reshape(D, -1), Wo.reshape(-1, D)
    Q, K, V = ((flat @ w).reshape(B, T, H, E).transpose(0, 2, 1, 3) for w in (wq, wk, wv))
    s = np.sqrt(E)
    P = softmax(np.where(np.tril(np.ones((T, T))) == 1, Q @ K.swapaxes(-1, -2) / s, -np.inf))
    O = (P @ V).transpose(0, 2, 1, 3).reshape(B * T, -1)
    g = dy.reshape(B * T, D)
    dO = (g @ wo.T).reshape(B, T, H, E).transpose(0, 2, 1, 3)
    dP = dO @ V.swapaxes(-1, -2)
    dS = P * (dP - (dP * P).sum(-1, keepdims=True)) / s
    dQ, dK, dV = (
        u.transpose(0, 2, 1, 3).reshape(B * T, -1) for u in (dS @ K, dS.swapaxes(-1, -2) @ Q, P.swapaxes(-1, -2) @ dO)
    )
    dx = (dQ @ wq.T + dK @ wk.T + dV @ wv.T).reshape(x.shape)
    dWq = (flat.T @ dQ).reshape(Wq.shape)
    dWk = (flat.T @ dK).reshape(Wk.shape)
    dWv = (flat.T @ dV).reshape(Wv.shape)
    dWo = (O.T @ g).reshape(Wo.shape)
    return dx, dWq, dWk, dWv, dWo


def gelu(x, W1, b1, W2, b2, dy):
    h = x @ W1 + b1
    cdf = 0.5 * (1 + erf(h / np.sqrt(2)))
    a = h * cdf
    da = dy @ W2.T
    dW2 = a.T @ dy
    dh = da * (cdf + h * np.exp(-0.5 * h * h) / np.sqrt(2 * np.pi))
    dx = dh @ W1.T
    dW1 = x.T @ dh
    return dx, dW1, dh.sum(0), dW2, dy.sum(0)


def lstm(x, h, c, Wx, Wh, b, dh1, dc1):
    H = h.shape[1]
    z = x @ Wx + h @ Wh + b
    i = expit(z[:, :H])
    f = expit(z[:, H : 2 * H])
    o = expit(z[:, 2 * H : 3 * H])
    g = np.tanh(z[:, 3 * H :])
    c1 = f * c + i * g
    t = np.tanh(c1)
    dc = dc1 + dh1 * o * (1 - t * t)
    di = dc * g * i * (1 - i)
    df = dc * c * f * (1 - f)
    do = dh1 * t * o * (1 - o)
    dg = dc * i * (1 - g * g)
    dz = np.concatenate([di, df, do, dg], 1)
    dx = dz @ Wx.T
    dh = dz @ Wh.T
    dWx = x.T @ dz
    dWh = h.T @ dz
    return dx, dh, dc * f, dWx, dWh, dz.sum(0)


def gru(x, h, Wx, Wh, b, dy):
    H = h.shape[1]
    a = x @ Wx + b
    s = h @ Wh
    r = expit(a[:, :H] + s[:, :H])
    z = expit(a[:, H : 2 * H] + s[:, H : 2 * H])
    sn = s[:, 2 * H :]
    n = np.tanh(a[:, 2 * H :] + r * sn)
    dn = dy * (1 - z) * (1 - n * n)
    dz = dy * (h - n) * z * (1 - z)
    dr = dn * sn * r * (1 - r)
    da = np.concatenate([dr, dz, dn], 1)
    ds = np.concatenate([dr, dz, dn * r], 1)
    dx = da @ Wx.T
    dh = ds @ Wh.T + dy * z
    dWx = x.T @ da
    dWh = h.T @ ds
    return dx, dh, dWx, dWh, da.sum(0)


def conv1d(x, w, b, dy):
    K, L = w.shape[2], dy.shape[2]
    win = np.lib.stride_tricks.sliding_window_view(x, K, axis=2)
    dw = np.tensordot(dy, win, axes=((0, 2), (0, 2)))
    dx = np.zeros_like(x)
    for k in range(K):
        dx[:, :, k : k + L] += np.einsum("bol,oc->bcl", dy, w[:, :, k], optimize=True)
    return dx, dw, dy.sum((0, 2))


def conv2d(x, w, b, dy):
    K, (H, W) = w.shape[2], dy.shape[2:]
    win = np.lib.stride_tricks.sliding_window_view(x, (K, K), axis=(2, 3))
    dw = np.tensordot(dy, win, axes=((0, 2, 3), (0, 2, 3)))
    dx = np.zeros_like(x)
    for p in range(K):
        for q in range(K):
            dx[:, :, p : p + H, q : q + W] += np.einsum("bohw,oc->bchw", dy, w[:, :, p, q], optimize=True)
    return dx, dw, dy.sum((0, 2, 3))


def embedding(E, t, dy):
    dE = np.zeros_like(E)
    np.add.at(dE, t, dy)
    return (dE,)


def groupnorm(x, gamma, beta, eps, dy):
    xc = x - x.mean((2, 3), keepdims=True)
    rstd = 1 / np.sqrt((xc * xc).mean((2, 3), keepdims=True) + eps)
    xhat = xc * rstd
    d = dy * gamma
    dx = rstd * (d - d.mean((2, 3), keepdims=True) - xhat * (d * xhat).mean((2, 3), keepdims=True))
    return dx, (dy * xhat).sum((0, 3))[..., None], dy.sum((0, 3))[..., None]


def rope(x, theta, dy):
    T = x.shape[1]
    angle = np.arange(T)[:, None] * theta
    c, s = np.cos(angle), np.sin(angle)
    D = theta.shape[0]
    g1, g2 = dy[..., :D], dy[..., D:]
    dx = np.concatenate([g1 * c + g2 * s, g2 * c - g1 * s], -1)
    return (dx,)


def triplet(a, p, n, m):
    ap = a - p
    an = a - n
    on = (((ap * ap).sum(1) - (an * an).sum(1) + m > 0) * (2 / len(a)))[:, None]
    da = on * (ap - an)
    dp = -on * ap
    dn = on * an
    return da, dp, dn


def gaussian(x, mu, logvar):
    iv = np.exp(-logvar)
    d = x - mu
    s = 1 / x.size
    dx = s * (d * iv)
    dlogvar = 0.5 * (s - dx * d)
    return dx, -dx, dlogvar


def focal(z, y):
    p = expit(z)
    q = 1 - p
    n = z.size
    one = q * q * (2 * p * np.log(p) - q)
    other = p * p * (p - 2 * q * np.log(q))
    dz = (y * one + (1 - y) * other) / n
    return (dz,)


def vae(x, xhat, mu, logvar):
    n = len(x)
    dxhat = 2 / n * (xhat - x)
    dmu = mu / n
    dlogvar = 0.5 / n * (np.exp(logvar) - 1)
    return dxhat, dmu, dlogvar


def infonce(a, b, tau):
    n = len(a)
    p = softmax(a @ b.T / tau)
    p[np.arange(n), np.arange(n)] -= 1
    ds = p / (n * tau)
    da = ds @ b
    db = ds.T @ a
    return da, db


def six_layers(x, y, W1, W2, W3, W4, W5, W6):
    h1 = np.tanh(x @ W1)
    h2 = np.tanh(h1 @ W2)
    h3 = np.tanh(h2 @ W3)
    h4 = np.tanh(h3 @ W4)
    h5 = np.tanh(h4 @ W5)
    h6 = np.tanh(h5 @ W6)
    g6 = 2 / y.size * (h6 - y) * (1 - h6 * h6)
    g5 = g6 @ W6.T * (1 - h5 * h5)
    g4 = g5 @ W5.T * (1 - h4 * h4)
    g3 = g4 @ W4.T * (1 - h3 * h3)
    g2 = g3 @ W3.T * (1 - h2 * h2)
    g1 = g2 @ W2.T * (1 - h1 * h1)
    return x.T @ g1, h1.T @ g2, h2.T @ g3, h3.T @ g4, h4.T @ g5, h5.T @ g6


def windows_for_autograd(x, w, b):
    import autograd.numpy as anp

    L = x.shape[2] - w.shape[2] + 1
    win = anp.stack([x[:, :, k : k + L] for k in range(w.shape[2])], axis=-1)
    return anp.einsum("bclk,ock->bol", win, w) + b[:, None]


def two_windows_for_autograd(x, w, b):
    import autograd.numpy as anp

    K = w.shape[2]
    H, W = x.shape[2] - K + 1, x.shape[3] - K + 1
    win = anp.stack([anp.stack([x[:, :, p : p + H, q : q + W] for q in range(K)], -1) for p in range(K)], -2)
    return anp.einsum("bchwpq,ocpq->bohw", win, w) + b[:, None, None]


FOR_AUTOGRAD: dict[str, Any] = {"conv1d": windows_for_autograd, "conv2d": two_windows_for_autograd}
BACKWARDS: dict[str, Any] = {
    "cross-entropy": cross_entropy, "layernorm": layernorm, "rmsnorm": rmsnorm, "batchnorm": batchnorm,
    "attention": attention, "causal attention": causal_attention, "gelu": gelu, "lstm": lstm, "gru": gru,
    "conv1d": conv1d, "conv2d": conv2d, "embedding": embedding, "groupnorm": groupnorm, "rope": rope,
    "triplet": triplet, "gaussian": gaussian, "focal": focal, "vae": vae, "infonce": infonce, "six layers": six_layers,
}  # fmt: skip
