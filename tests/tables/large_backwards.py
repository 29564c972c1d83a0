"""Backward functions of whole layers and networks as engineers write them, each with a line that may be wrong.

`LARGE` has (forward, backward, shapes, variables, hypotheses, text of the right line, text of the wrong line).
"""

from __future__ import annotations

import inspect
import linecache
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Large(NamedTuple):
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    shapes: dict[str, str]
    wrt: tuple[str, ...]
    right: str
    wrong: str
    assuming: Callable[..., Any] | None = None

    @property
    def mistaken(self) -> Callable[..., Any]:
        return changed(self.backward, self.right, self.wrong)

    @property
    def line(self) -> int:
        """The number of the wrong line in what `mistaken` was made from."""
        source = textwrap.dedent(inspect.getsource(self.backward))
        return source[: source.index(self.right)].count("\n") + 1


def changed(f: Callable[..., Any], before: str, after: str) -> Callable[..., Any]:
    """The function with another text in one place, as if it stood in a file of its own."""
    source = textwrap.dedent(inspect.getsource(f))
    assert source.count(before) == 1, f"{before!r} is there {source.count(before)} times"
    name = f"<{f.__name__}: {after}>"
    new = source.replace(before, after)
    linecache.cache[name] = len(new), None, new.splitlines(keepends=True), name
    scope = dict(f.__globals__)
    exec(compile(new, name, "exec"), scope)
    found: Callable[..., Any] = scope[f.__name__]
    return found


def positive_eps(eps: Any) -> list[Any]:
    return [eps > 0]


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# --- convolutions ------------------------------------------------------------------------------


def conv_by_loops(x, w, b):
    K = w.shape[0]
    H, W = x.shape[0] - K + 1, x.shape[1] - K + 1
    y = np.zeros((H, W))
    for i in range(H):
        for j in range(W):
            y[i, j] = np.sum(x[i : i + K, j : j + K] * w) + b
    return y


def conv_by_loops_backward(x, w, b, dy):
    K = w.shape[0]
    H, W = dy.shape
    dx = np.zeros_like(x)
    dw = np.zeros_like(w)
    for i in range(H):
        for j in range(W):
            dx[i : i + K, j : j + K] += w * dy[i, j]
            dw += x[i : i + K, j : j + K] * dy[i, j]
    db = dy.sum()
    return dx, dw, db


def unfold(img, kh, kw):
    n, c, h, w = img.shape
    oh, ow = h - kh + 1, w - kw + 1
    patches = np.zeros((n, oh, ow, c, kh, kw))
    for i in range(kh):
        for j in range(kw):
            patches[:, :, :, :, i, j] = img[:, :, i : i + oh, j : j + ow].transpose(0, 2, 3, 1)
    return patches.reshape(n * oh * ow, c * kh * kw)


def fold(cols, shape, kh, kw):
    n, c, h, w = shape
    oh, ow = h - kh + 1, w - kw + 1
    patches = cols.reshape(n, oh, ow, c, kh, kw)
    img = np.zeros(shape)
    for i in range(kh):
        for j in range(kw):
            img[:, :, i : i + oh, j : j + ow] += patches[:, :, :, :, i, j].transpose(0, 3, 1, 2)
    return img


def conv_by_columns(x, w, b):
    f, _, kh, kw = w.shape
    n, _, h, v = x.shape
    cols = unfold(x, kh, kw)
    rows = cols @ w.reshape(f, -1).T + b
    return rows.reshape(n, h - kh + 1, v - kw + 1, f).transpose(0, 3, 1, 2)


def conv_by_columns_backward(x, w, b, dy):
    f, _, kh, kw = w.shape
    cols = unfold(x, kh, kw)
    rows = dy.transpose(0, 2, 3, 1).reshape(-1, f)
    db = rows.sum(axis=0)
    dw = (rows.T @ cols).reshape(w.shape)
    dcols = rows @ w.reshape(f, -1)
    dx = fold(dcols, x.shape, kh, kw)
    return dx, dw, db


# --- recurrent steps ---------------------------------------------------------------------------


def lstm_step(x, h, c, Wx, Wh, b):
    H = h.shape[1]
    a = x @ Wx + h @ Wh + b
    i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(a[:, 2 * H : 3 * H])
    g = np.tanh(a[:, 3 * H :])
    c1 = f * c + i * g
    h1 = o * np.tanh(c1)
    return h1, c1


def lstm_step_backward(x, h, c, Wx, Wh, b, dh1, dc1):
    H = h.shape[1]
    a = x @ Wx + h @ Wh + b
    i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(a[:, 2 * H : 3 * H])
    g = np.tanh(a[:, 3 * H :])
    c1 = f * c + i * g
    tc = np.tanh(c1)
    dc = dc1 + dh1 * o * (1 - tc**2)
    di = dc * g
    df = dc * c
    do = dh1 * tc
    dg = dc * i
    da = np.hstack((di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)))
    dx = da @ Wx.T
    dh = da @ Wh.T
    dWx = x.T @ da
    dWh = h.T @ da
    db = da.sum(axis=0)
    return dx, dh, dc * f, dWx, dWh, db


def lstm_cell(x, h, c, Wi, Ui, Wf, Uf, Wo, Uo, Wg, Ug):
    i = sigmoid(x @ Wi + h @ Ui)
    f = sigmoid(x @ Wf + h @ Uf)
    o = sigmoid(x @ Wo + h @ Uo)
    g = np.tanh(x @ Wg + h @ Ug)
    c1 = f * c + i * g
    return o * np.tanh(c1), c1


def lstm_cell_backward(x, h, c, Wi, Ui, Wf, Uf, Wo, Uo, Wg, Ug, dh1, dc1):
    i = sigmoid(x @ Wi + h @ Ui)
    f = sigmoid(x @ Wf + h @ Uf)
    o = sigmoid(x @ Wo + h @ Uo)
    g = np.tanh(x @ Wg + h @ Ug)
    c1 = f * c + i * g
    tc = np.tanh(c1)
    dct = dc1 + dh1 * o * (1 - tc**2)
    dai = dct * g * i * (1 - i)
    daf = dct * c * f * (1 - f)
    dao = dh1 * tc * o * (1 - o)
    dag = dct * i * (1 - g**2)
    dx = dai @ Wi.T + daf @ Wf.T + dao @ Wo.T + dag @ Wg.T
    dh = dai @ Ui.T + daf @ Uf.T + dao @ Uo.T + dag @ Ug.T
    grads = {"x": dx, "h": dh, "c": dct * f}
    for name, d in (("i", dai), ("f", daf), ("o", dao), ("g", dag)):
        grads["W" + name] = x.T @ d
        grads["U" + name] = h.T @ d
    return grads


def gru_step(x, h, Wz, Uz, Wr, Ur, Wn, Un):
    z = sigmoid(x @ Wz + h @ Uz)
    r = sigmoid(x @ Wr + h @ Ur)
    n = np.tanh(x @ Wn + (r * h) @ Un)
    return (1 - z) * n + z * h


def gru_step_backward(x, h, Wz, Uz, Wr, Ur, Wn, Un, dh1):
    z = sigmoid(x @ Wz + h @ Uz)
    r = sigmoid(x @ Wr + h @ Ur)
    rh = r * h
    n = np.tanh(x @ Wn + rh @ Un)
    dn = dh1 * (1 - z) * (1 - n**2)
    dz = dh1 * (h - n) * z * (1 - z)
    drh = dn @ Un.T
    dr = drh * h * r * (1 - r)
    dx = dn @ Wn.T + dz @ Wz.T + dr @ Wr.T
    dh = dh1 * z + drh * r + dz @ Uz.T + dr @ Ur.T
    return dx, dh, x.T @ dz, h.T @ dz, x.T @ dr, h.T @ dr, x.T @ dn, rh.T @ dn


def rnn_three_steps(xs, h0, Wx, Wh):
    hs = []
    h = h0
    for t in range(3):
        h = np.tanh(xs[:, t, :] @ Wx + h @ Wh)
        hs.append(h)
    return np.stack(hs, axis=1)


def rnn_three_steps_backward(xs, h0, Wx, Wh, dhs):
    hs = [h0]
    for t in range(3):
        hs.append(np.tanh(xs[:, t, :] @ Wx + hs[-1] @ Wh))
    dWx, dWh = np.zeros_like(Wx), np.zeros_like(Wh)
    dxs = np.zeros_like(xs)
    dh = np.zeros_like(h0)
    for t in reversed(range(3)):
        total = dhs[:, t, :] + dh
        dz = total * (1 - hs[t + 1] ** 2)
        dWx += xs[:, t, :].T @ dz
        dWh += hs[t].T @ dz
        dh = dz @ Wh.T
        dxs[:, t, :] = dz @ Wx.T
    return dxs, dh, dWx, dWh


# --- attention ---------------------------------------------------------------------------------


def split_heads(x, H):
    B, T, D = x.shape
    return x.reshape(B, T, H, D // H).transpose(0, 2, 1, 3)


def merge_heads(x):
    B, H, T, E = x.shape
    return x.transpose(0, 2, 1, 3).reshape(B, T, H * E)


def causal_attention(x, Wq, Wk, Wv, Wo):
    T, E = x.shape[1], Wq.shape[2]
    q, k, v = (np.einsum("btd,dhe->bhte", x, W) for W in (Wq, Wk, Wv))
    s = q @ k.transpose(0, 1, 3, 2) / np.sqrt(E)
    s = np.where(np.tril(np.ones((T, T))) == 1, s, -1e9)
    p = softmax(s)
    return np.einsum("bhte,hed->btd", p @ v, Wo)


def causal_attention_backward(x, Wq, Wk, Wv, Wo, dy):
    T, E = x.shape[1], Wq.shape[2]
    q, k, v = (np.einsum("btd,dhe->bhte", x, W) for W in (Wq, Wk, Wv))
    s = q @ k.transpose(0, 1, 3, 2) / np.sqrt(E)
    s = np.where(np.tril(np.ones((T, T))) == 1, s, -1e9)
    p = softmax(s)
    o = p @ v
    dWo = np.einsum("bhte,btd->hed", o, dy)
    do = np.einsum("btd,hed->bhte", dy, Wo)
    dv = p.transpose(0, 1, 3, 2) @ do
    dp = do @ v.transpose(0, 1, 3, 2)
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) / np.sqrt(E)
    dq = ds @ k
    dk = ds.transpose(0, 1, 3, 2) @ q
    dWq, dWk, dWv = (np.einsum("btd,bhte->dhe", x, g) for g in (dq, dk, dv))
    dx = sum(np.einsum("bhte,dhe->btd", g, W) for g, W in ((dq, Wq), (dk, Wk), (dv, Wv)))
    return dx, dWq, dWk, dWv, dWo


def attention_by_reshaping(x, Wq, Wk, Wv, Wo):
    H = 2
    q, k, v = (split_heads(x @ W, H) for W in (Wq, Wk, Wv))
    p = softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1]))
    return merge_heads(p @ v) @ Wo


def attention_by_reshaping_backward(x, Wq, Wk, Wv, Wo, dy):
    H = 2
    q, k, v = (split_heads(x @ W, H) for W in (Wq, Wk, Wv))
    p = softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1]))
    merged = merge_heads(p @ v)
    dWo = np.einsum("bti,btj->ij", merged, dy)
    do = split_heads(dy @ Wo.T, H)
    dv = p.transpose(0, 1, 3, 2) @ do
    dp = do @ v.transpose(0, 1, 3, 2)
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) / np.sqrt(q.shape[-1])
    dq, dk, dv = merge_heads(ds @ k), merge_heads(ds.transpose(0, 1, 3, 2) @ q), merge_heads(dv)
    dWq, dWk, dWv = (np.einsum("bti,btj->ij", x, g) for g in (dq, dk, dv))
    dx = dq @ Wq.T + dk @ Wk.T + dv @ Wv.T
    return dx, dWq, dWk, dWv, dWo


# --- normalisation and blocks ------------------------------------------------------------------


def spatial_groupnorm(x, gamma, beta, eps):
    N, C, H, W = x.shape
    G = 2
    flat = x.reshape(N, G, -1)
    mu = flat.mean(axis=2, keepdims=True)
    var = flat.var(axis=2, keepdims=True)
    xhat = ((flat - mu) / np.sqrt(var + eps)).reshape(N, C, H, W)
    return gamma * xhat + beta


def spatial_groupnorm_backward(x, gamma, beta, eps, dy):
    N, C, H, W = x.shape
    G = 2
    flat = x.reshape(N, G, -1)
    mu = flat.mean(axis=2, keepdims=True)
    rstd = 1 / np.sqrt(flat.var(axis=2, keepdims=True) + eps)
    xhat = (flat - mu) * rstd
    dgamma = (dy * xhat.reshape(N, C, H, W)).sum(axis=(0, 2, 3), keepdims=True)
    dbeta = dy.sum(axis=(0, 2, 3), keepdims=True)
    g = (dy * gamma).reshape(N, G, -1)
    dflat = (g - g.mean(axis=2, keepdims=True) - xhat * (g * xhat).mean(axis=2, keepdims=True)) * rstd
    dx = dflat.reshape(N, C, H, W)
    return dx, dgamma, dbeta


def spatial_batchnorm(x, gamma, beta, eps):
    N, C, H, W = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(-1, C)
    mu = flat.mean(axis=0)
    var = ((flat - mu) ** 2).mean(axis=0)
    out = gamma * (flat - mu) / np.sqrt(var + eps) + beta
    return out.reshape(N, H, W, C).transpose(0, 3, 1, 2)


def spatial_batchnorm_backward(x, gamma, beta, eps, dout):
    N, C, H, W = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(-1, C)
    mu = flat.mean(axis=0)
    xc = flat - mu
    std = np.sqrt((xc**2).mean(axis=0) + eps)
    xhat = xc / std
    d = dout.transpose(0, 2, 3, 1).reshape(-1, C)
    M = d.shape[0]
    dgamma = (d * xhat).sum(axis=0)
    dbeta = d.sum(axis=0)
    dflat = gamma / (M * std) * (M * d - dbeta - xhat * dgamma)
    dx = dflat.reshape(N, H, W, C).transpose(0, 3, 1, 2)
    return dx, dgamma, dbeta


def layernorm_block(x, gamma, beta, eps, W1, b1, W2, b2):
    mu = x.mean(-1, keepdims=True)
    var = ((x - mu) ** 2).mean(-1, keepdims=True)
    n = gamma * (x - mu) / np.sqrt(var + eps) + beta
    h = np.maximum(0, n @ W1 + b1)
    return x + h @ W2 + b2


def layernorm_block_backward(x, gamma, beta, eps, W1, b1, W2, b2, dy):
    mu = x.mean(-1, keepdims=True)
    rstd = 1 / np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + eps)
    xhat = (x - mu) * rstd
    n = gamma * xhat + beta
    z = n @ W1 + b1
    h = np.maximum(0, z)
    dW2 = h.T @ dy
    db2 = dy.sum(0)
    dz = (dy @ W2.T) * (z > 0)
    dW1 = n.T @ dz
    db1 = dz.sum(0)
    dn = dz @ W1.T
    dgamma = (dn * xhat).sum(0)
    dbeta = dn.sum(0)
    d = dn * gamma
    dx = dy + rstd * (d - d.mean(-1, keepdims=True) - xhat * (d * xhat).mean(-1, keepdims=True))
    return dx, dgamma, dbeta, dW1, db1, dW2, db2


def six_layers(x, y, W1, W2, W3, W4, W5, W6):
    h = x
    for W in (W1, W2, W3, W4, W5, W6):
        h = np.tanh(h @ W)
    return ((h - y) ** 2).mean()


def six_layers_backward(x, y, W1, W2, W3, W4, W5, W6):
    h = [x]
    for W in (W1, W2, W3, W4, W5, W6):
        h.append(np.tanh(h[-1] @ W))
    g = 2 * (h[-1] - y) / y.size
    grads = []
    for k, W in reversed(list(enumerate((W1, W2, W3, W4, W5, W6)))):
        dz = g * (1 - h[k + 1] ** 2)
        grads.insert(0, h[k].T @ dz)
        g = dz @ W.T
    return grads


def softmax_cross_entropy(x, W, b, t):
    z = x @ W + b
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(x.shape[0]), t]).mean()


def softmax_cross_entropy_backward(x, W, b, t):
    N = x.shape[0]
    z = x @ W + b
    p = softmax(z)
    dz = p.copy()
    dz[np.arange(N), t] -= 1
    dz /= N
    return x.T @ dz, dz.sum(axis=0)


GATES = {**dict.fromkeys(("Wi", "Wf", "Wo", "Wg"), "D H"), **dict.fromkeys(("Ui", "Uf", "Uo", "Ug"), "H H")}
RESET = {"Wz": "D H", "Uz": "H H", "Wr": "D H", "Ur": "H H", "Wn": "D H", "Un": "H H"}
LAYERS = ("W1", "W2", "W3", "W4", "W5", "W6")
LARGE: dict[str, Large] = {
    "convolution by loops": Large(
        conv_by_loops, conv_by_loops_backward, {"x": "5 5", "w": "3 3", "b": ""}, ("x", "w", "b"),
        "dw += x[i : i + K, j : j + K] * dy[i, j]", "dw += x[i : i + K, j : j + K] * dy[j, i]",
    ),
    "convolution by columns": Large(
        conv_by_columns, conv_by_columns_backward, {"x": "N C H+2 V+2", "w": "F C 3 3", "b": "F"}, ("x", "w", "b"),
        "dcols = rows @ w.reshape(f, -1)", "dcols = 2 * rows @ w.reshape(f, -1)",
    ),
    "lstm step": Large(
        lstm_step, lstm_step_backward,
        {"x": "B D", "h": "B H", "c": "B H", "Wx": "D 4*H", "Wh": "H 4*H", "b": "4*H"},
        ("x", "h", "c", "Wx", "Wh", "b"), "dc = dc1 + dh1 * o * (1 - tc**2)", "dc = dc1 + dh1 * o * (1 - c1**2)",
    ),
    "lstm cell": Large(
        lstm_cell, lstm_cell_backward, {"x": "B D", "h": "B H", "c": "B H", **GATES}, ("x", "h", "c", *GATES),
        "daf = dct * c * f * (1 - f)", "daf = dct * c1 * f * (1 - f)",
    ),
    "gru step": Large(
        gru_step, gru_step_backward, {"x": "B D", "h": "B H", **RESET}, ("x", "h", *RESET),
        "dh = dh1 * z + drh * r + dz @ Uz.T + dr @ Ur.T", "dh = dh1 * z + drh + dz @ Uz.T + dr @ Ur.T",
    ),
    "rnn of three steps": Large(
        rnn_three_steps, rnn_three_steps_backward, {"xs": "N 3 D", "h0": "N H", "Wx": "D H", "Wh": "H H"},
        ("xs", "h0", "Wx", "Wh"), "total = dhs[:, t, :] + dh", "total = dhs[:, t, :]",
    ),
    "causal attention": Large(
        causal_attention, causal_attention_backward,
        {"x": "B T D", "Wq": "D H E", "Wk": "D H E", "Wv": "D H E", "Wo": "H E D"}, ("x", "Wq", "Wk", "Wv", "Wo"),
        "ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) / np.sqrt(E)",
        "ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True))",
    ),
    "attention by reshaping": Large(
        attention_by_reshaping, attention_by_reshaping_backward,
        {"x": "B T 2*E", **dict.fromkeys(("Wq", "Wk", "Wv", "Wo"), "2*E 2*E")}, ("x", "Wq", "Wk", "Wv", "Wo"),
        "dp = do @ v.transpose(0, 1, 3, 2)", "dp = do @ k.transpose(0, 1, 3, 2)",
    ),
    "spatial groupnorm": Large(
        spatial_groupnorm, spatial_groupnorm_backward,
        {"x": "N 2*c H W", "gamma": "1 2*c 1 1", "beta": "1 2*c 1 1", "eps": ""}, ("x", "gamma", "beta"),
        "dflat = (g - g.mean(axis=2, keepdims=True) - xhat", "dflat = (g - g.sum(axis=2, keepdims=True) - xhat",
        positive_eps,
    ),
    "spatial batchnorm": Large(
        spatial_batchnorm, spatial_batchnorm_backward, {"x": "N C H W", "gamma": "C", "beta": "C", "eps": ""},
        ("x", "gamma", "beta"), "dflat = gamma / (M * std) * (M * d - dbeta - xhat * dgamma)",
        "dflat = gamma / (N * std) * (M * d - dbeta - xhat * dgamma)", positive_eps,
    ),
    "layernorm block": Large(
        layernorm_block, layernorm_block_backward,
        {"x": "B D", "gamma": "D", "beta": "D", "eps": "", "W1": "D F", "b1": "F", "W2": "F D", "b2": "D"},
        ("x", "gamma", "beta", "W1", "b1", "W2", "b2"), "dx = dy + rstd * (d", "dx = rstd * (d", positive_eps,
    ),
    "six layers": Large(
        six_layers, six_layers_backward, {"x": "N D", "y": "N D", **dict.fromkeys(LAYERS, "D D")}, LAYERS,
        "g = 2 * (h[-1] - y) / y.size", "g = (h[-1] - y) / y.size",
    ),
    "softmax cross-entropy": Large(
        softmax_cross_entropy, softmax_cross_entropy_backward,
        {"x": "N D", "W": "D K", "b": "K", "t": "int[K] N"}, ("W", "b"), "dz /= N", "dz /= N + 1",
    ),
}  # fmt: skip
