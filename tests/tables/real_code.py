"""Gradients in the operations of real code: argmax and sort, pooling, labels, joined arrays, scans; right and wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Function = Callable[..., Any]


class Pair(NamedTuple):
    forward: Function
    right: Function
    wrong: Function
    shapes: dict[str, str]
    wrt: str | list[str]
    assuming: Function | None
    values: dict[str, Any]


PAIRS: dict[str, Pair] = {}


def case(shapes: dict[str, str], wrt: Any, assuming: Function | None = None, **values: Any) -> Callable[..., None]:
    def kept(functions: Callable[[], tuple[Function, Function, Function]]) -> None:
        name = functions.__name__.strip("_").replace("_", " ")
        PAIRS[name] = Pair(*functions(), shapes, wrt, assuming, values)

    return kept


@case({"x": "n m", "dy": "n m"}, "x")
def clip_():
    def f(x):
        return np.clip(x, -1.0, 6.0)

    def b(x, dy):
        return dy * ((x > -1.0) & (x < 6.0))

    def w(x, dy):
        return dy * (x < 6.0)

    return f, b, w


@case({"x": "n m"}, "x")
def gelu_tanh_():
    def f(x):
        return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))

    def b(x, dy):
        t = np.tanh(0.7978845608028654 * (x + 0.044715 * x**3))
        return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * 0.7978845608028654 * (1 + 3 * 0.044715 * x**2))

    def b2(x, dy):
        t = np.tanh(0.7978845608028654 * x + 0.035677408136300125 * x**3)
        return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * (0.7978845608028654 + 0.1070322244089 * x**2))

    def w(x, dy):
        t = np.tanh(0.7978845608028654 * (x + 0.044715 * x**3))
        return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * 0.7978845608028654 * (1 + 0.044715 * x**2))

    return f, b, w


@case({"x": "N K", "y": "int[K] N"}, "x")
def onehot_compare_():
    def sm(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def f(x, y):
        oh = (np.arange(x.shape[1]) == y[:, None]).astype(float)
        return -(oh * np.log(sm(x))).sum() / len(y)

    def b(x, y):
        p = sm(x)
        p[np.arange(len(y)), y] -= 1
        return p / len(y)

    def w(x, y):
        p = sm(x)
        p[np.arange(len(y)), y] -= 1
        return p

    return f, b, w


@case({"x": "n m"}, "x")
def max_argmax_():
    def f(x):
        return x.max(axis=1)

    def b(x, dy):
        dx = np.zeros_like(x)
        dx[np.arange(x.shape[0]), x.argmax(axis=1)] = dy
        return dx

    def w(x, dy):
        dx = np.zeros_like(x)
        dx[np.arange(x.shape[0]), x.argmin(axis=1)] = dy
        return dx

    return f, b, w


@case({"x": "n m"}, "x")
def pick_argmax_():
    def f(x):
        return x[np.arange(x.shape[0]), np.argmax(x, axis=1)]

    def b(x, dy):
        dx = np.zeros_like(x)
        dx[np.arange(x.shape[0]), x.argmax(axis=1)] = dy
        return dx

    def w(x, dy):
        dx = np.zeros_like(x)
        dx[np.arange(x.shape[0]), x.argmax(axis=1)] = 2 * dy
        return dx

    return f, b, w


@case({"x": "n m"}, "x")
def argmin_():
    def f(x):
        return np.min(x, axis=0)

    def b(x, dy):
        return dy * (np.arange(x.shape[0])[:, None] == x.argmin(axis=0))

    def w(x, dy):
        return dy * (np.arange(x.shape[0])[:, None] == x.argmax(axis=0))

    return f, b, w


@case({"x": "n"}, "x")
def sort_():
    def f(x):
        return np.sort(x)

    def b(x, dy):
        dx = np.zeros_like(x)
        dx[np.argsort(x)] = dy
        return dx

    def b2(x, dy):
        return dy[np.argsort(np.argsort(x))]

    def w(x, dy):
        return dy[np.argsort(x)]

    return (
        f,
        b,
        w,
    )


@case({"x": "n"}, "x")
def sort_ends_():
    def f(x):
        s = np.sort(x)
        return s[-1] - s[0]

    def b(x, dy):
        dx = np.zeros_like(x)
        dx[np.argmax(x)] += dy
        dx[np.argmin(x)] -= dy
        return dx

    def w(x, dy):
        dx = np.zeros_like(x)
        dx[np.argmax(x)] = dy
        dx[np.argmin(x)] = -dy  # of one entry alone: 0
        return dx

    return f, b, w


@case({"x": "n+3"}, "x")
def topk_():
    def f(x):
        i = np.argsort(x)[-3:]
        return x[i].sum()

    def b(x):
        i = np.argsort(x)[-3:]
        dx = np.zeros_like(x)
        dx[i] = 1.0
        return dx

    def w(x):
        i = np.argsort(x)[:3]
        dx = np.zeros_like(x)
        dx[i] = 1.0
        return dx

    return f, b, w


@case({"x": "N C 2*H 2*W"}, "x")
def maxpool_loop_():
    def f(x):
        N, C, H, W = x.shape
        out = np.zeros((N, C, H // 2, W // 2))
        for i in range(H // 2):
            for j in range(W // 2):
                out[:, :, i, j] = x[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max(axis=(2, 3))
        return out

    def b(x, dout):
        _N, _C, H, W = x.shape
        dx = np.zeros_like(x)
        for i in range(H // 2):
            for j in range(W // 2):
                win = x[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                m = win == win.max(axis=(2, 3), keepdims=True)
                dx[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] += m * dout[:, :, i, j][:, :, None, None]
        return dx

    def w(x, dout):
        _N, _C, H, W = x.shape
        dx = np.zeros_like(x)
        for i in range(H // 2):
            for j in range(W // 2):
                win = x[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                m = win >= win.mean(axis=(2, 3), keepdims=True)
                dx[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] += m * dout[:, :, i, j][:, :, None, None]
        return dx

    return f, b, w


@case({"x": "n+2"}, "x")
def maxpool_windows_():
    def f(x):
        w = np.lib.stride_tricks.sliding_window_view(x, 3)
        return w.max(axis=-1)

    def b(x, dy):
        w = np.lib.stride_tricks.sliding_window_view(x, 3)
        m = w == w.max(axis=-1, keepdims=True)
        dx = np.zeros_like(x)
        for k in range(3):
            dx[k : k + w.shape[0]] += m[:, k] * dy
        return dx

    def w(x, dy):
        w = np.lib.stride_tricks.sliding_window_view(x, 3)
        m = w == w.max(axis=-1, keepdims=True)
        dx = np.zeros_like(x)
        for k in range(3):
            dx[k : k + w.shape[0]] += m[:, 2 - k] * dy
        return dx

    return f, b, w


@case({"x": "n m"}, "x")
def repeat_():
    def f(x):
        return np.repeat(x, 3, axis=0)

    def b(x, dy):
        return dy.reshape(x.shape[0], 3, x.shape[1]).sum(axis=1)

    def w(x, dy):
        return dy.reshape(3, x.shape[0], x.shape[1]).sum(axis=0)

    return f, b, w


@case({"x": "n d", "w": "d+1"}, ["x", "w"])
def c_():
    def f(x, w):
        X = np.c_[np.ones(x.shape[0]), x]
        return ((X @ w) ** 2).sum()

    def b(x, w):
        X = np.c_[np.ones(x.shape[0]), x]
        r = X @ w
        return {"x": 2 * np.outer(r, w[1:]), "w": 2 * X.T @ r}

    def w(x, w):
        X = np.c_[np.ones(x.shape[0]), x]
        r = X @ w
        return {"x": 2 * np.outer(r, w[:-1]), "w": 2 * X.T @ r}

    return f, b, w


@case({"x": "n", "w": "m"}, ["x"])
def r_():
    def f(x, w):
        return (np.r_[x, w, 1.0] ** 3).sum()

    def b(x, w):
        return (3 * np.r_[x, w] ** 2)[: x.shape[0]]

    def w(x, w):
        return (3 * np.r_[x, w] ** 2)[-x.shape[0] :]

    return f, b, w


@case({"x": "N C 2*h+1 2*w+1", "k": "F C 3 3"}, ["k"])
def conv_int_div_():
    def f(x, k):
        N, _C, H, W = x.shape
        F, _, HH, WW = k.shape
        s = 2
        Ho = int((H - HH) / s + 1)
        Wo = int((W - WW) / s) + 1
        out = np.zeros((N, F, Ho, Wo))
        for i in range(Ho):
            for j in range(Wo):
                out[:, :, i, j] = np.tensordot(
                    x[:, :, i * s : i * s + HH, j * s : j * s + WW], k, axes=([1, 2, 3], [1, 2, 3])
                )
        return out

    def b(x, k, dout):
        dk = np.zeros_like(k)
        s = 2
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                dk += np.einsum("nf,nchw->fchw", dout[:, :, i, j], x[:, :, i * s : i * s + 3, j * s : j * s + 3])
        return dk

    def w(x, k, dout):
        dk = np.zeros_like(k)
        s = 1
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                dk += np.einsum("nf,nchw->fchw", dout[:, :, i, j], x[:, :, i * s : i * s + 3, j * s : j * s + 3])
        return dk

    return f, b, w


@case({"x": "n d", "w": "d k", "b": "k"}, ["w", "b"])
def flags_assert_():
    def f(x, w, b, use_bias=True, reduction="mean"):
        assert x.shape[1] == w.shape[0], "shapes"
        assert x.ndim == 2 and w.ndim == 2
        z = x @ w
        if use_bias:
            z = z + b
        if reduction == "mean":
            return (z**2).mean()
        elif reduction == "sum":
            return (z**2).sum()
        return z

    def b(x, w, b, use_bias=True):
        z = x @ w + b
        dz = 2 * z / z.size
        dw = x.T @ dz
        assert dw.shape == w.shape
        assert dz.sum(0).shape == b.shape
        return dw, dz.sum(axis=0)

    def w(x, w, b, use_bias=True):
        z = x @ w + b
        dz = 2 * z / z.shape[0]
        return x.T @ dz, dz.sum(axis=0)

    return f, b, w


@case({"x": "n d", "w": "d"}, ["w"])
def update_in_place_():
    def f(x, w):
        return ((x @ w) ** 2).sum()

    def b(x, w, lr=0.1):
        g = 2 * x.T @ (x @ w)
        w -= lr * g
        return g

    def w(x, w, lr=0.1):
        g = 2 * x.T @ (x @ w)
        w -= lr * g
        return lr * g

    return f, b, w


@case({"x": "n a", "h": "n b", "W": "a+b k"}, ["x", "h", "W"])
def concat_split_():
    def f(x, h, W):
        return np.tanh(np.concatenate([x, h], axis=1) @ W)

    def b(x, h, W, dy):
        z = np.concatenate([x, h], axis=1)
        y = np.tanh(z @ W)
        d = dy * (1 - y**2)
        dz = d @ W.T
        return dz[:, : x.shape[1]], dz[:, x.shape[1] :], z.T @ d

    def w(x, h, W, dy):
        z = np.concatenate([x, h], axis=1)
        y = np.tanh(z @ W)
        d = dy * (1 - y**2)
        dz = d @ W.T
        return dz[:, : x.shape[1]], dz[:, -x.shape[1] :], z.T @ d

    return f, b, w


@case({"x": "n", "y": "m"}, "x")
def sum_concat_norm_():
    def f(x, y):
        z = np.concatenate([x, y])
        e = np.exp(z)
        return np.log(e.sum())

    def b(x, y):
        return np.exp(x) / (np.exp(x).sum() + np.exp(y).sum())

    def w(x, y):
        return np.exp(x) / np.exp(x).sum()

    return f, b, w


@case({"z": "n", "y": "int[2] n"}, "z")
def int2_labels_():
    def sg(z):
        return 1 / (1 + np.exp(-z))

    def f(z, y):
        p = sg(z)
        return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()

    def b(z, y):
        return (sg(z) - y) / len(z)

    def w(z, y):
        return sg(z) - y

    return f, b, w


@case({"z": "n", "y": "int[2] n"}, "z")
def int2_where_():
    def sg(z):
        return 1 / (1 + np.exp(-z))

    def f(z, y):
        p = sg(z)
        return -np.log(np.where(y == 1, p, 1 - p)).sum()

    def b(z, y):
        return sg(z) - y

    def w(z, y):
        return np.where(y == 1, sg(z) - 1, -sg(z))

    return f, b, w


@case({"z": "n", "y": "int[2] n"}, "z")
def int2_square_():
    def f(z, y):
        return (y * (1 - y) * z**2 + y * y * z).sum()

    def b(z, y):
        return 1.0 * y

    def w(z, y):
        return 1.0 - y

    return f, b, w


@case({"A": "n n", "x": "n"}, "A", lambda A: [A == -A.T])
def antisym_():
    def f(A, x):
        return x @ A @ x + (A @ x).sum()

    def b(A, x):
        return np.outer(np.ones_like(x), x) + np.outer(x, x)

    def w(A, x):
        return np.outer(np.ones_like(x), x)

    return f, b, w


@case({"A": "n n", "x": "n"}, "x", lambda A: [A == -A.T])
def antisym_x_():
    def f(A, x):
        return x @ A @ x

    def b(A, x):
        return np.zeros_like(x)

    def w(A, x):
        return A @ x

    return f, b, w


@case({"A": "n n", "x": "n", "y": "n"}, "x", lambda A: [A == -A.T])
def antisym_2_():
    def f(A, x, y):
        return x @ A @ y

    def b(A, x, y):
        return -A.T @ y

    def b2(A, x, y):
        return -y @ A

    def w(A, x, y):
        return y @ A

    return f, b2, w


@case({"x": "n", "y": "n"}, "x", lambda x, y: [x > 0, y > 0])
def sqrt_quotient_():
    def f(x, y):
        return np.sqrt(x / y)

    def b(x, y, g):
        return g * 0.5 / (np.sqrt(x) * np.sqrt(y))

    def w(x, y, g):
        return g * 0.5 / np.sqrt(x) * np.sqrt(y)

    return f, b, w


@case({"x": "n", "y": "n"}, "y", lambda x, y: [x > 0, y > 0])
def sqrt_quotient_2_():
    def f(x, y):
        return np.sqrt(x / y)

    def b(x, y, g):
        return -g * 0.5 * np.sqrt(x) / y**1.5

    def w(x, y, g):
        return g * 0.5 * np.sqrt(x) / y**1.5

    return f, b, w


@case({"A": "n n", "lam": ""}, "A")
def slogdet_shift_():
    def f(A, lam):
        return np.linalg.slogdet(A + lam * np.eye(A.shape[0]))[1]

    def b(A, lam):
        return np.linalg.inv(A + lam * np.eye(A.shape[0])).T

    def w(A, lam):
        return np.linalg.inv(A).T

    return f, b, w


@case({"A": "n m", "lam": ""}, "A")
def slogdet_gram_():
    def f(A, lam):
        return np.linalg.slogdet(A @ A.T + lam * np.eye(A.shape[0]))[1]

    def b(A, lam):
        return 2 * np.linalg.inv(A @ A.T + lam * np.eye(A.shape[0])) @ A

    def w(A, lam):
        return np.linalg.inv(A @ A.T + lam * np.eye(A.shape[0])) @ A

    return f, b, w


@case({"x": "n", "y": "n", "p": ""}, "x", lambda x, y: [x > 0, y > 0])
def real_power_fraction_():
    def f(x, y, p):
        return (x / y) ** p

    def b(x, y, p, g):
        return g * p * (x / y) ** (p - 1) / y

    def b2(x, y, p, g):
        return g * p * x ** (p - 1) / y**p

    def w(x, y, p, g):
        return g * p * x ** (p - 1) / y

    return f, b, w


@case({"x": "n", "y": "n", "p": ""}, "x", lambda x, y: [x > 0, y > 0])
def real_power_fraction_2_():
    def f(x, y, p):
        return (x / y) ** p

    def b2(x, y, p, g):
        return g * p * x ** (p - 1) / y**p

    def w(x, y, p, g):
        return g * p * x ** (p - 1) / y

    return f, b2, w


@case({"p": "n", "gamma": ""}, "p", lambda p, gamma: [p > 0, p < 1])
def focal_power_():
    def f(p, gamma):
        return (-((1 - p) ** gamma) * np.log(p)).sum()

    def b(p, gamma):
        return gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p

    def w(p, gamma):
        return -gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p

    return f, b, w


@case({"x": "n+1"}, "x")
def telescoping_():
    def f(x):
        return (x[1:] - x[:-1]).sum()

    def b(x):
        g = np.zeros_like(x)
        g[0] = -1
        g[-1] = 1
        return g

    def w(x):
        g = np.zeros_like(x)
        g[0] = 1
        g[-1] = -1
        return g

    return f, b, w


@case({"x": "n+1"}, "x")
def diff_square_():
    def f(x):
        return (np.diff(x) ** 2).sum()

    def b(x):
        d = np.diff(x)
        g = np.zeros_like(x)
        g[1:] += 2 * d
        g[:-1] -= 2 * d
        return g

    def w(x):
        d = np.diff(x)
        g = np.zeros_like(x)
        g[1:] += 2 * d
        g[:-1] += 2 * d
        return g

    return f, b, w


@case({"A": "n n", "b": "n"}, ["A", "b"])
def solve_():
    def f(A, b):
        return np.linalg.solve(A, b)

    def b(A, b, g):
        x = np.linalg.solve(A, b)
        gb = np.linalg.solve(A.T, g)
        return -np.outer(gb, x), gb

    def w(A, b, g):
        x = np.linalg.solve(A, b)
        gb = np.linalg.solve(A, g)
        return -np.outer(gb, x), gb

    return f, b, w


@case({"A": "n n"}, "A")
def inv_():
    def f(A):
        return np.linalg.inv(A)

    def b(A, G):
        Y = np.linalg.inv(A)
        return -Y.T @ G @ Y.T

    def w(A, G):
        Y = np.linalg.inv(A)
        return -Y @ G @ Y

    return f, b, w


@case({"x": "n m"}, "x")
def cumsum_():
    def f(x):
        return np.cumsum(x, axis=1)

    def b(x, g):
        return np.cumsum(g[:, ::-1], axis=1)[:, ::-1]

    def w(x, g):
        return np.cumsum(g, axis=1)

    return f, b, w


@case({"x": "n"}, "x", lambda x: [x != 0])
def cumprod_():
    def f(x):
        return np.cumprod(x)

    def b(x, g):
        return np.cumsum((np.cumprod(x) * g)[::-1])[::-1] / x

    def w(x, g):
        return np.cumsum(np.cumprod(x) * g) / x

    return f, b, w


@case({"x": "N K", "y": "int[K] N"}, "x")
def eye_onehot_():
    def sm(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def f(x, y):
        return -np.sum(np.eye(x.shape[1])[y] * np.log(sm(x))) / x.shape[0]

    def b(x, y):
        return (sm(x) - np.eye(x.shape[1])[y]) / x.shape[0]

    def w(x, y):
        return sm(x) - np.eye(x.shape[1])[y]

    return f, b, w


@case({"x": "n+1", "w": "3"}, ["x", "w"])
def pad_conv_():
    def f(x, w):
        xp = np.pad(x, (1, 1))
        out = np.zeros_like(x)
        for i in range(x.shape[0]):
            out[i] = (xp[i : i + 3] * w).sum()
        return out

    def b(x, w, g):
        xp = np.pad(x, (1, 1))
        dxp = np.zeros_like(xp)
        dw = np.zeros_like(w)
        for i in range(x.shape[0]):
            dxp[i : i + 3] += g[i] * w
            dw += g[i] * xp[i : i + 3]
        return dxp[1:-1], dw

    def w(x, w, g):
        xp = np.pad(x, (1, 1))
        dxp = np.zeros_like(xp)
        dw = np.zeros_like(w)
        for i in range(x.shape[0]):
            dxp[i : i + 3] += g[i] * w
            dw += g[i] * xp[i : i + 3]
        return dxp[:-2], dw

    return f, b, w


@case({"x": "N K", "y": "int[K] N", "mask": "N"}, "x", lambda mask: [mask * mask == mask])
def ignore_index_():
    def sm(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def f(x, y, mask):
        return -(mask * np.log(sm(x)[np.arange(len(y)), y])).sum() / mask.sum()

    def b(x, y, mask):
        d = sm(x)
        d[np.arange(len(y)), y] -= 1
        return d * mask[:, None] / mask.sum()

    def w(x, y, mask):
        d = sm(x)
        d[np.arange(len(y)), y] -= 1
        return d / mask.sum()

    return f, b, w


@case({"E": "V D", "idx": "int[V] B"}, "E")
def padding_idx_():
    def f(E, idx):
        return np.where((idx == 0)[:, None], 0.0, E[idx])

    def b(E, idx, g):
        d = np.zeros_like(E)
        np.add.at(d, idx, g)
        d[0] = 0
        return d

    def w(E, idx, g):
        d = np.zeros_like(E)
        np.add.at(d, idx, g)
        return d

    return f, b, w


@case({"x": "n+4", "w": "3"}, ["x", "w"])
def dilation_():
    def f(x, w):
        n = x.shape[0] - 4
        out = np.zeros(n)
        for k in range(3):
            out += w[k] * x[2 * k : 2 * k + n]
        return out

    def b(x, w, g):
        n = g.shape[0]
        dx = np.zeros_like(x)
        dw = np.zeros(3)
        for k in range(3):
            dx[2 * k : 2 * k + n] += w[k] * g
            dw[k] = (x[2 * k : 2 * k + n] * g).sum()
        return dx, dw

    def w(x, w, g):
        n = g.shape[0]
        dx = np.zeros_like(x)
        dw = np.zeros(3)
        for k in range(3):
            dx[k : k + n] += w[k] * g
            dw[k] = (x[2 * k : 2 * k + n] * g).sum()
        return dx, dw

    return f, b, w


@case({"x": "n", "w": "3"}, ["x", "w"])
def conv_transpose_():
    def f(x, w):
        n = x.shape[0]
        out = np.zeros(2 * n + 1)
        for i in range(n):
            out[2 * i : 2 * i + 3] += x[i] * w
        return out

    def b(x, w, g):
        n = x.shape[0]
        dx = np.zeros_like(x)
        dw = np.zeros_like(w)
        for i in range(n):
            dx[i] = (g[2 * i : 2 * i + 3] * w).sum()
            dw += x[i] * g[2 * i : 2 * i + 3]
        return dx, dw

    def w(x, w, g):
        n = x.shape[0]
        dx = np.zeros_like(x)
        dw = np.zeros_like(w)
        for i in range(n):
            dx[i] = (g[i : i + 3] * w).sum()
            dw += x[i] * g[2 * i : 2 * i + 3]
        return dx, dw

    return f, b, w


@case(
    {"x": "N D", "gamma": "D", "beta": "D", "rm": "D", "rv": "D", "eps": ""},
    ["x", "gamma", "beta"],
    lambda eps, rv: [eps > 0, rv >= 0],
    train=False,
)
def batchnorm_eval_():
    def f(x, gamma, beta, rm, rv, eps, train=True, momentum=0.9):
        if train:
            mu = x.mean(0)
            var = x.var(0)
        else:
            mu, var = rm, rv
        return gamma * (x - mu) / np.sqrt(var + eps) + beta

    def b(x, gamma, beta, rm, rv, eps, dy, train=True):
        std = np.sqrt(rv + eps)
        xh = (x - rm) / std
        return dy * gamma / std, (dy * xh).sum(0), dy.sum(0)

    def w(x, gamma, beta, rm, rv, eps, dy, train=True):
        std = np.sqrt(x.var(0) + eps)
        xh = (x - rm) / std
        return dy * gamma / std, (dy * xh).sum(0), dy.sum(0)

    return f, b, w


@case({"a": "", "x": "T", "g": ""}, "x")
def recurrence_():
    def f(a, x):
        h = 0.0
        for t in range(x.shape[0]):
            h = a * h + x[t]
        return h

    def b(a, x, g):
        T = x.shape[0]
        hs = np.zeros(T + 1)
        h = 0.0
        for t in range(T):
            hs[t] = h
            h = a * h + x[t]
        dx = np.zeros_like(x)
        dh = g
        da = 0.0
        for t in reversed(range(T)):
            dx[t] = dh
            da = da + dh * hs[t]
            dh = a * dh
        return dx

    def w(a, x, g):
        T = x.shape[0]
        dx = np.zeros_like(x)
        dh = g
        da = 0.0
        for t in reversed(range(T)):
            dx[t] = a * dh
            da = da + dh * x[t]
            dh = a * dh
        return dx

    return f, b, w


@case({"A": "T D N", "B": "T D N", "C": "T N"}, ["B", "C"])
def mamba_scan_():
    def f(A, B, C):
        T, D, N = A.shape
        h = np.zeros((D, N))
        ys = np.zeros((T, D))
        for t in range(T):
            h = A[t] * h + B[t]
            ys[t] = (h * C[t]).sum(-1)
        return ys

    def b(A, B, C, g):
        T, D, N = A.shape
        hs = np.zeros((T + 1, D, N))
        h = np.zeros((D, N))
        for t in range(T):
            h = A[t] * h + B[t]
            hs[t + 1] = h
        dA = np.zeros_like(A)
        dB = np.zeros_like(B)
        dC = np.zeros_like(C)
        dh = np.zeros((D, N))
        for t in reversed(range(T)):
            dh = dh + g[t][:, None] * C[t]
            dC[t] = (g[t][:, None] * hs[t + 1]).sum(0)
            dA[t] = dh * hs[t]
            dB[t] = dh
            dh = dh * A[t]
        return dB, dC

    def w(A, B, C, g):
        T, D, N = A.shape
        hs = np.zeros((T + 1, D, N))
        h = np.zeros((D, N))
        for t in range(T):
            h = A[t] * h + B[t]
            hs[t + 1] = h
        dA = np.zeros_like(A)
        dB = np.zeros_like(B)
        dC = np.zeros_like(C)
        dh = np.zeros((D, N))
        for t in reversed(range(T)):
            dh = dh + g[t][:, None] * C[t]
            dC[t] = (g[t][:, None] * hs[t + 1]).sum(0)
            dA[t] = dh * hs[t + 1]
            dB[t] = dh * A[t]
            dh = dh * A[t]
        return dB, dC

    return f, b, w


@case({"x": "n", "c": ""}, "x", lambda c: [c > 0])
def clip_by_norm_():
    def f(x, c):
        n = np.sqrt((x**2).sum())
        return x * np.minimum(1.0, c / n)

    def b(x, c, g):
        n = np.sqrt((x**2).sum())
        return np.where(n < c, g, c / n * (g - x * (x @ g) / n**2))

    def w(x, c, g):
        n = np.sqrt((x**2).sum())
        return np.where(n < c, g, c / n * g)

    return f, b, w


@case({"x": "n m", "mask": "n m"}, "x", lambda mask: [mask * mask == mask])
def masked_softmax_real_():
    def f(x, mask):
        e = np.exp(x) * mask
        return e / e.sum(-1, keepdims=True)

    def b(x, mask, g):
        e = np.exp(x) * mask
        s = e / e.sum(-1, keepdims=True)
        return s * (g - (g * s).sum(-1, keepdims=True))

    def w(x, mask, g):
        e = np.exp(x) * mask
        s = e / e.sum(-1, keepdims=True)
        return s * (g - (g * s).mean(-1, keepdims=True))

    return f, b, w


@case({"w": "n"}, "w")
def safe_reciprocal_():
    def f(w):
        return np.where(w == 0, 0, 1 / w)

    def b(w, g):
        return np.where(w == 0, 0, -g / w**2)

    def w_(w, g):
        return np.where(w == 0, 0, g / w**2)

    return f, b, w_


@case({"w": "n"}, "w")
def safe_reciprocal_double_():
    def f(w):
        s = np.where(w == 0, 1.0, w)
        return np.where(w == 0, 0, 1 / s)

    def b(w, g):
        s = np.where(w == 0, 1.0, w)
        return np.where(w == 0, 0, -g / s**2)

    def w_(w, g):
        s = np.where(w == 0, 1.0, w)
        return np.where(w == 0, 0, g / s**2)

    return f, b, w_


@case({"E": "V D", "idx": "int[V] B", "pad": "int[V]"}, "E")
def embedding_where_():
    def f(E, idx, pad):
        return E[idx] * (idx != pad)[:, None]

    def b(E, idx, pad, g):
        d = np.zeros_like(E)
        np.add.at(d, idx, g * (idx != pad)[:, None])
        return d

    def w(E, idx, pad, g):
        d = np.zeros_like(E)
        np.add.at(d, idx, g)
        return d

    return f, b, w


@case({"x": "N K", "y": "int[K] N"}, "x", ignore_index=0)
def ignore_index_where_():
    def lsm(x):
        m = x.max(axis=1, keepdims=True)
        return x - m - np.log(np.exp(x - m).sum(axis=1, keepdims=True))

    def f(x, y, ignore_index=0):
        keep = y != ignore_index
        nll = -lsm(x)[np.arange(len(y)), y]
        return np.where(keep, nll, 0.0).sum()

    def b(x, y, ignore_index=0):
        d = np.exp(lsm(x))
        d[np.arange(len(y)), y] -= 1
        d[y == ignore_index] = 0
        return d

    def w(x, y, ignore_index=0):
        d = np.exp(lsm(x))
        d[np.arange(len(y)), y] -= 1
        return d

    return f, b, w


def cross_entropy_of(places):
    """The pair for labels that `places` reads off a one-hot t, and a wrong backward."""

    def sm(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def f(x, t):
        return -np.log(sm(x)[np.arange(len(x)), places(x, t)]).mean()

    def b(x, t):
        p = sm(x)
        p[np.arange(len(x)), places(x, t)] -= 1
        return p / len(x)

    def w(x, t):
        return sm(x) - t / len(x)

    return f, b, w, sm


@case({"x": "N K", "t": "N K"}, "x", lambda t: [t * t == t, t.sum(axis=1) == 1])
def labels_of_a_one_hot_():
    f, _, w, sm = cross_entropy_of(lambda x, t: t.argmax(axis=1))
    return f, lambda x, t: (sm(x) - t) / len(x), w


@case({"x": "N K", "t": "N K"}, "x", lambda t: [t * (1 - t) == 0, t.sum(axis=-1, keepdims=True) - 1 == 0])
def labels_of_a_one_hot_said_otherwise_():
    return cross_entropy_of(lambda x, t: np.argmax(t.T, axis=0))[:3]


@case({"x": "N K", "t": "int[K] N"}, "x")
def labels_of_an_encoding_():
    f, b, _, sm = cross_entropy_of(lambda x, t: np.eye(x.shape[1])[t].argmax(axis=1))
    return f, b, lambda x, t: (sm(x) + np.eye(x.shape[1])[t]) / len(x)


@case({"x": "N K", "t": "int[K] N"}, "x")
def labels_of_a_comparison_():
    f, b, _, sm = cross_entropy_of(lambda x, t: (t[:, None] == np.arange(x.shape[1])).argmax(axis=1))
    return f, b, lambda x, t: sm(x) / len(x)


@case({"w": "N N", "t": "N N"}, "w", lambda t: [t * t == t, t.sum(axis=0) == 1])
def one_hot_along_the_other_axis_():
    def f(w, t):
        return w[t.argmax(axis=0), np.arange(len(t))].sum()

    return f, lambda w, t: t, lambda w, t: t.T


@case({"w": "K", "t": "K"}, "w", lambda t: [t * t == t])
def zero_or_one_is_not_one_hot_():
    def f(w, t):
        return w[t.argmax()]

    def b(w, t):
        d = np.zeros_like(w)
        d[t.argmax()] = 1
        return d

    return f, b, lambda w, t: t


# --- scans by their decay, loops whose ends are apart ----------------------------------------------


def scan_of(decay, derivative=None):
    """h = decay(u[t]) h + x[t]: the forward, its backward and one that takes the state after the step."""

    def f(x, u):
        h, y = 0.0, np.zeros_like(x)
        for t in range(len(x)):
            h = decay(u[t]) * h + x[t]
            y[t] = h
        return y

    def back(later):
        def b(x, u, dy):
            h, d = np.zeros(len(x) + 1), 0.0
            for t in range(len(x)):
                h[t + 1] = decay(u[t]) * h[t] + x[t]
            dx, du = np.zeros_like(x), np.zeros_like(u)
            for t in range(len(x) - 1, -1, -1):
                d = d + dy[t]
                dx[t] = d
                du[t] = d * (derivative or decay)(u[t]) * h[t + later]
                d = d * decay(u[t])
            return dx, du

        return b

    return f, back(0), back(1)


@case({"x": "T", "u": "T", "dy": "T"}, ["x", "u"])
def scan_with_an_exponential_():
    return scan_of(np.exp)


@case({"x": "T", "u": "T", "dy": "T"}, ["x", "u"], lambda u: [u > 0])
def scan_with_a_positive_decay_():
    return scan_of(lambda u: u, lambda u: 1.0)


@case({"x": "T", "dt": "T", "A": "", "dy": "T"}, "A")
def scan_with_one_rate_():
    def f(x, dt, A):
        h, y = 0.0, np.zeros_like(x)
        for t in range(len(x)):
            h = np.exp(dt[t] * A) * h + x[t]
            y[t] = h
        return y

    def back(scaled):
        def b(x, dt, A, dy):
            h, d, dA = np.zeros(len(x) + 1), 0.0, 0.0
            for t in range(len(x)):
                h[t + 1] = np.exp(dt[t] * A) * h[t] + x[t]
            for t in range(len(x) - 1, -1, -1):
                d = d + dy[t]
                dA += d * np.exp(dt[t] * A) * (dt[t] if scaled else 1.0) * h[t]
                d = d * np.exp(dt[t] * A)
            return dA

        return b

    return f, back(True), back(False)


def differences_of(f):
    def b(x, dy):
        d = dy.copy()
        d[:-1] -= dy[1:]
        return d

    def w(x, dy):
        d = dy.copy()
        d[1:] -= dy[:-1]
        return d

    return f, b, w


@case({"x": "T", "dy": "T"}, "x")
def loop_with_its_first_step_apart_():
    def f(x):
        y = np.zeros_like(x)
        for t in range(len(x)):
            if t == 0:
                y[t] = x[t]
            else:
                y[t] = x[t] - x[t - 1]
        return y

    return differences_of(f)


@case({"x": "T", "dy": "T"}, "x")
def loop_with_a_choice_for_its_first_step_():
    def f(x):
        y = np.zeros_like(x)
        for t in range(len(x)):
            y[t] = x[t] - (x[t - 1] if t > 0 else 0)
        return y

    return differences_of(f)


@case({"x": "T"}, "x")
def loop_with_its_last_step_apart_():
    def f(x):
        s = 0.0
        for t in range(len(x)):
            if t < len(x) - 1:
                s = s + (x[t + 1] - x[t]) ** 2
        return s

    def back(sign):
        def b(x):
            d, e = np.zeros_like(x), 2 * (x[1:] - x[:-1])
            d[1:] += e
            d[:-1] += sign * e
            return d

        return b

    return f, back(-1), back(1)


@case({"x": "T+1", "dy": "T+1"}, "x")
def average_that_starts_at_the_first_():
    def f(x):
        y = np.zeros_like(x)
        for t in range(len(x)):
            if t > 0:
                y[t] = 0.9 * y[t - 1] + 0.1 * x[t]
            else:
                y[t] = x[t]
        return y

    def back(first):
        def b(x, dy):
            d, dx = 0.0, np.zeros_like(x)
            for t in range(len(x) - 1, 0, -1):
                d = 0.9 * d + dy[t]
                dx[t] = 0.1 * d
            dx[0] = first * (0.9 * d + dy[0])
            return dx

        return b

    return f, back(1.0), back(0.1)


@case({"d": "n", "y": "int[2] n"}, "d")
def contrastive_():
    def f(d, y):
        return (y * d**2 + (1 - y) * np.maximum(0, 1 - d) ** 2).sum()

    def b(d, y):
        return np.where(y == 1, 2 * d, -2 * np.maximum(0, 1 - d))

    return f, b, lambda d, y: np.where(y == 0, 2 * d, -2 * np.maximum(0, 1 - d))


@case({"y": "n", "x": "n", "g": "n"}, ["y", "x"])
def angle_():
    def b(y, x, g):
        r = x * x + y * y
        return g * x / r, -g * y / r

    def w(y, x, g):
        r = x * x + y * y
        return g * x / r, g * y / r

    return lambda y, x: np.arctan2(y, x), b, w


@case({"q": "4"}, "q")
def angle_of_a_quaternion_():
    """The angle of a rotation, by its real part and the length of the others."""

    def f(q):
        return 2 * np.arctan2(np.sqrt((q[1:] ** 2).sum()), q[0])

    def b(q):
        n, d = np.sqrt((q[1:] ** 2).sum()), np.zeros_like(q)
        d[0] = -2 * n / (q**2).sum()
        d[1:] = 2 * q[0] * q[1:] / (n * (q**2).sum())
        return d

    def w(q):
        n, d = np.sqrt((q[1:] ** 2).sum()), np.zeros_like(q)
        d[0] = -2 * n / (q**2).sum()
        d[1:] = 2 * q[0] * q[1:] / (q**2).sum()
        return d

    return f, b, w
