"""Gradients as people write them, right wherever every step of the forward has a value and a derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Function = Callable[..., Any]


class Honest(NamedTuple):
    forward: Function
    backward: Function
    shapes: dict[str, str]
    wrt: str | list[str]
    assuming: Function | None


HONEST: dict[str, Honest] = {}


def case(shapes: dict[str, str], wrt: str | list[str], assuming: Function | None = None) -> Callable[..., None]:
    def kept(pair: Callable[[], tuple[Function, Function]]) -> None:
        HONEST[pair.__name__.strip("_").replace("_", " ")] = Honest(*pair(), shapes, wrt, assuming)

    return kept


LN = {"x": "B D", "w": "D", "b": "D", "eps": ""}


@case(LN, ["x", "w", "b"], lambda eps: [eps > 0])
def layernorm():
    def f(x, w, b, eps):
        m = x.mean(-1, keepdims=True)
        v = ((x - m) ** 2).mean(-1, keepdims=True)
        return (x - m) / np.sqrt(v + eps) * w + b

    def g(dy, x, w, b, eps):
        m = x.mean(-1, keepdims=True)
        v = ((x - m) ** 2).mean(-1, keepdims=True)
        r = 1 / np.sqrt(v + eps)
        h = (x - m) * r
        dh = dy * w
        return r * (dh - dh.mean(-1, keepdims=True) - h * (dh * h).mean(-1, keepdims=True)), (dy * h).sum(0), dy.sum(0)

    return f, g


@case({"x": "B D", "w": "D"}, ["x"])
def layernorm_no_eps():
    def f(x, w):
        m = x.mean(-1, keepdims=True)
        v = ((x - m) ** 2).mean(-1, keepdims=True)
        return (x - m) / np.sqrt(v) * w

    def g(dy, x, w):
        m = x.mean(-1, keepdims=True)
        v = ((x - m) ** 2).mean(-1, keepdims=True)
        r = 1 / np.sqrt(v)
        h = (x - m) * r
        dh = dy * w
        return r * (dh - dh.mean(-1, keepdims=True) - h * (dh * h).mean(-1, keepdims=True))

    return f, g


@case({"x": "N D", "gamma": "D", "beta": "D", "eps": ""}, ["x", "gamma", "beta"], lambda eps: [eps > 0])
def batchnorm():
    def f(x, gamma, beta, eps):
        m = x.mean(0)
        v = ((x - m) ** 2).mean(0)
        return gamma * (x - m) / np.sqrt(v + eps) + beta

    def g(dy, x, gamma, beta, eps):
        N = x.shape[0]
        m = x.mean(0)
        v = ((x - m) ** 2).mean(0)
        s = np.sqrt(v + eps)
        h = (x - m) / s
        dx = gamma / (N * s) * (N * dy - dy.sum(0) - h * (dy * h).sum(0))
        return dx, (dy * h).sum(0), dy.sum(0)

    return f, g


@case({"x": "N D", "gamma": "D"}, ["x", "gamma"])
def batchnorm_no_eps():
    def f(x, gamma):
        return gamma * (x - x.mean(0)) / np.sqrt(x.var(0))

    def g(dy, x, gamma):
        N = x.shape[0]
        s = np.sqrt(x.var(0))
        h = (x - x.mean(0)) / s
        return gamma / (N * s) * (N * dy - dy.sum(0) - h * (dy * h).sum(0)), (dy * h).sum(0)

    return f, g


@case({"z": "B D"}, "z")
def softmax():
    def f(z):
        e = np.exp(z - z.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    def g(dy, z):
        e = np.exp(z - z.max(-1, keepdims=True))
        p = e / e.sum(-1, keepdims=True)
        return p * (dy - (dy * p).sum(-1, keepdims=True))

    return f, g


@case({"z": "B D", "t": "int[D] B"}, "z")
def cross_entropy():
    def f(z, t):
        lse = np.log(np.exp(z).sum(-1))
        return (lse - z[np.arange(z.shape[0]), t]).mean()

    def g(z, t):
        p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
        p[np.arange(z.shape[0]), t] -= 1
        return p / z.shape[0]

    return f, g


@case({"z": "n"}, "z")
def logsumexp():
    def f(z):
        m = z.max()
        return m + np.log(np.exp(z - m).sum())

    def g(dy, z):
        e = np.exp(z - z.max())
        return dy * e / e.sum()

    return f, g


A = {"q": "T d", "k": "S d", "v": "S e"}


@case(A, ["q", "k", "v"])
def attention():
    def p(q, k):
        s = q @ k.T / np.sqrt(q.shape[1])
        e = np.exp(s - s.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    def f(q, k, v):
        return p(q, k) @ v

    def g(do, q, k, v):
        a = p(q, k)
        dv = a.T @ do
        da = do @ v.T
        ds = a * (da - (da * a).sum(-1, keepdims=True)) / np.sqrt(q.shape[1])
        return ds @ k, ds.T @ q, dv

    return f, g


def masked(c):
    def p(q, k):
        s = q @ k.T / np.sqrt(q.shape[1])
        s = np.where(np.tril(np.ones((q.shape[0], q.shape[0]))) > 0, s, c)
        e = np.exp(s)
        return e / e.sum(-1, keepdims=True)

    def f(q, k, v):
        return p(q, k) @ v

    def g(do, q, k, v):
        a = p(q, k)
        dv = a.T @ do
        da = do @ v.T
        ds = a * (da - (da * a).sum(-1, keepdims=True)) / np.sqrt(q.shape[1])
        return ds @ k, ds.T @ q, dv

    return f, g


AT = {"q": "T d", "k": "T d", "v": "T e"}


@case(AT, ["q", "k", "v"])
def attention_mask_inf():
    return masked(-np.inf)


@case(AT, ["q", "k", "v"])
def attention_mask_1e9():
    return masked(-1e9)


@case({"s": "B T", "m": "B T"}, "s")
def softmax_mask_1e9():
    def p(s):
        s = np.where(np.tril(np.ones(s.shape)) > 0, s, -1e9)
        e = np.exp(s)
        return e / e.sum(-1, keepdims=True)

    def f(s, m):
        return (p(s) * m).sum()

    def g(s, m):
        a = p(s)
        return a * (m - (m * a).sum(-1, keepdims=True))

    return f, g


N = {"x": "N D", "W": "D H", "b": "H", "V": "H C", "c": "C"}


@case(N, ["x", "W", "b", "V", "c"])
def relu_net():
    def f(x, W, b, V, c):
        return np.maximum(x @ W + b, 0) @ V + c

    def g(dy, x, W, b, V, c):
        z = x @ W + b
        h = np.maximum(z, 0)
        dh = dy @ V.T
        dz = dh * (z > 0)
        return dz @ W.T, x.T @ dz, dz.sum(0), h.T @ dy, dy.sum(0)

    return f, g


@case(N, ["W", "b"])
def relu_net_inplace():
    def f(x, W, b, V, c):
        return np.maximum(x @ W + b, 0) @ V + c

    def g(dy, x, W, b, V, c):
        z = x @ W + b
        dz = dy @ V.T
        dz[z <= 0] = 0
        return x.T @ dz, dz.sum(0)

    return f, g


@case({"p": "n", "t": "n", "d": ""}, "p", lambda d: [d > 0])
def huber():
    def f(p, t, d):
        e = p - t
        a = np.abs(e)
        return np.where(a <= d, 0.5 * e * e, d * (a - 0.5 * d)).sum()

    def g(p, t, d):
        return np.clip(p - t, -d, d)

    return f, g


@case({"p": "n", "t": "n", "d": ""}, "p", lambda d: [d > 0])
def huber_where():
    def f(p, t, d):
        e = p - t
        a = np.abs(e)
        return np.where(a <= d, 0.5 * e * e, d * (a - 0.5 * d)).sum()

    def g(p, t, d):
        e = p - t
        return np.where(np.abs(e) <= d, e, d * np.sign(e))

    return f, g


@case({"s": "n", "y": "n"}, "s")
def hinge():
    return (lambda s, y: np.maximum(0, 1 - y * s).mean()), (lambda s, y: np.where(1 - y * s > 0, -y, 0) / s.shape[0])


@case({"s": "n", "y": "n"}, "s")
def squared_hinge():
    return (lambda s, y: (np.maximum(0, 1 - y * s) ** 2).sum()), (lambda s, y: -2 * y * np.maximum(0, 1 - y * s))


@case({"s": "N C", "y": "int[C] N"}, "s")
def multiclass_hinge():
    def f(s, y):
        n = np.arange(s.shape[0])
        m = np.maximum(0, s - s[n, y][:, None] + 1)
        m[n, y] = 0
        return m.sum() / s.shape[0]

    def g(s, y):
        n = np.arange(s.shape[0])
        m = s - s[n, y][:, None] + 1
        b = (m > 0) * 1.0
        b[n, y] = 0
        b[n, y] = -b.sum(1)
        return b / s.shape[0]

    return f, g


@case({"x": "n", "a": "", "b": ""}, "x", lambda a, b: [b > a])
def clip():
    return (lambda x, a, b: np.clip(x, a, b)), (lambda g, x, a, b: g * ((x > a) & (x < b)))


@case({"x": "N H W"}, "x")
def max_pool_global():
    def f(x):
        return x.max(axis=(1, 2))

    def g(dy, x):
        return dy[:, None, None] * (x == x.max(axis=(1, 2), keepdims=True))

    return f, g


@case({"x": "N"}, "x")
def max_last():
    return (lambda x: x.max()), (lambda g, x: g * (x == x.max()))


@case({"x": "N H 2"}, "x")
def max_pool_2():
    return (lambda x: x.max(-1)), (lambda g, x: g[..., None] * (x == x.max(-1, keepdims=True)))


@case({"x": "N H K"}, "x")
def max_pool_K():
    return (lambda x: x.max(-1)), (lambda g, x: g[..., None] * (x == x.max(-1, keepdims=True)))


@case({"x": "n"}, "x")
def norm():
    return (lambda x: np.sqrt((x * x).sum())), (lambda g, x: g * x / np.sqrt((x * x).sum()))


@case({"x": "n"}, "x")
def norm_linalg():
    return (lambda x: np.linalg.norm(x)), (lambda g, x: g * x / np.linalg.norm(x))


@case({"x": "B D"}, "x")
def normalise():
    def f(x):
        return x / np.sqrt((x * x).sum(-1, keepdims=True))

    def g(dy, x):
        n = np.sqrt((x * x).sum(-1, keepdims=True))
        y = x / n
        return (dy - y * (dy * y).sum(-1, keepdims=True)) / n

    return f, g


@case({"x": "D", "eps": ""}, "x", lambda eps: [eps > 0])
def normalise_max_eps():
    def f(x, eps):
        return x / np.maximum(np.sqrt((x * x).sum()), eps)

    def g(dy, x, eps):
        n = np.sqrt((x * x).sum())
        m = np.maximum(n, eps)
        return dy / m - np.where(n > eps, x * (dy * x).sum() / m**3, 0)

    return f, g


@case({"x": "B D", "eps": ""}, "x", lambda eps: [eps > 0])
def normalise_max_eps_B():
    def f(x, eps):
        return x / np.maximum(np.sqrt((x * x).sum(-1, keepdims=True)), eps)

    def g(dy, x, eps):
        n = np.sqrt((x * x).sum(-1, keepdims=True))
        m = np.maximum(n, eps)
        return dy / m - (n > eps) * x * (dy * x).sum(-1, keepdims=True) / m**3

    return f, g


@case({"x": "B D", "m": "B D", "p": ""}, "x", lambda p: [p < 1])
def dropout():
    return (lambda x, m, p: x * m / (1 - p)), (lambda g, x, m, p: g * m / (1 - p))


@case({"x": "B D", "u": "B D", "p": ""}, "x", lambda p: [p > 0])
def dropout_drawn():
    return (lambda x, u, p: x * (u < p) / p), (lambda g, x, u, p: g * (u < p) / p)


@case({"W": "V D", "t": "int[V] B"}, "W")
def embedding():
    def f(W, t):
        return W[t]

    def g(dy, W, t):
        d = np.zeros_like(W)
        np.add.at(d, t, dy)
        return d

    return f, g


@case({"W": "V D", "t": "int[V] B"}, "W")
def embedding_padding():
    def f(W, t):
        return np.where((t != 0)[:, None], W[t], 0)

    def g(dy, W, t):
        d = np.zeros_like(W)
        np.add.at(d, t, dy)
        d[0] = 0
        return d

    return f, g


@case({"W": "V D", "t": "int[V] B"}, "W")
def embedding_padding2():
    def f(W, t):
        return W[t] * (t != 0)[:, None]

    def g(dy, W, t):
        d = np.zeros_like(W)
        np.add.at(d, t, dy * (t != 0)[:, None])
        return d

    return f, g


@case({"z": "n", "t": "n"}, "z")
def bce_sigmoid():
    def f(z, t):
        p = 1 / (1 + np.exp(-z))
        return -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()

    def g(z, t):
        return (1 / (1 + np.exp(-z)) - t) / z.shape[0]

    return f, g


@case({"z": "n", "t": "n"}, "z")
def bce_logits():
    def f(z, t):
        return (np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))).sum()

    def g(z, t):
        return 1 / (1 + np.exp(-z)) - t

    return f, g


@case({"p": "n", "t": "n", "eps": ""}, "p", lambda eps: [eps > 0, eps < 0.5])
def bce_clipped():
    def f(p, t, eps):
        q = np.clip(p, eps, 1 - eps)
        return -(t * np.log(q) + (1 - t) * np.log(1 - q)).sum()

    def g(p, t, eps):
        q = np.clip(p, eps, 1 - eps)
        return (q - t) / (q * (1 - q)) * ((p > eps) & (p < 1 - eps))

    return f, g


@case({"p": "n", "t": "n"}, "p")
def bce_clipped_const():
    def f(p, t):
        q = np.clip(p, 1e-7, 1 - 1e-7)
        return -(t * np.log(q) + (1 - t) * np.log(1 - q)).mean()

    def g(p, t):
        q = np.clip(p, 1e-7, 1 - 1e-7)
        return (q - t) / (q * (1 - q)) * ((p > 1e-7) & (p < 1 - 1e-7)) / p.shape[0]

    return f, g


@case({"p": "n", "t": "n"}, "p", lambda p: [p > 0, p < 1])
def bce_open():
    def f(p, t):
        return -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum()

    def g(p, t):
        return (p - t) / (p * (1 - p))

    return f, g


@case({"x": "n", "a": ""}, "x")
def leaky_relu():
    return (lambda x, a: np.where(x > 0, x, a * x)), (lambda g, x, a: g * np.where(x > 0, 1, a))


@case({"x": "n"}, "x")
def abs_():
    return (lambda x: np.abs(x).sum()), (lambda x: np.sign(x))


@case({"p": "N", "t": "N"}, "p")
def focal_loss_by_label():
    def f(p, t):
        right = np.where(t == 1, p, 1 - p)
        return -((1 - right) ** 2 * np.log(right)).sum()

    def g(p, t):
        right = np.where(t == 1, p, 1 - p)
        return np.where(t == 1, 1, -1) * (2 * (1 - right) * np.log(right) - (1 - right) ** 2 / right)

    return f, g


@case({"x": "n"}, "x")
def sqrt_where():
    def f(x):
        return np.where(x > 0, np.sqrt(np.where(x > 0, x, 1)), 0).sum()

    def g(x):
        return np.where(x > 0, 0.5 / np.sqrt(np.where(x > 0, x, 1)), 0)

    return f, g


@case({"x": "n"}, "x")
def sqrt_where_plain():
    def f(x):
        return np.where(x > 0, np.sqrt(x), 0).sum()

    def g(x):
        return np.where(x > 0, 0.5 / np.sqrt(x), 0)

    return f, g


@case({"z": "N C", "t": "int[C] N", "gamma": ""}, "z", lambda gamma: [gamma > 1])
def focal():
    def f(z, t, gamma):
        e = np.exp(z)
        p = e / e.sum(-1, keepdims=True)
        q = p[np.arange(z.shape[0]), t]
        return -((1 - q) ** 2 * np.log(q)).sum()

    def g(z, t, gamma):
        e = np.exp(z)
        p = e / e.sum(-1, keepdims=True)
        n = np.arange(z.shape[0])
        q = p[n, t]
        dq = 2 * (1 - q) * np.log(q) - (1 - q) ** 2 / q
        o = np.zeros_like(z)
        o[n, t] = 1
        return (dq * q)[:, None] * (o - p)

    return f, g


@case({"z": "n", "t": "n"}, "z")
def focal_binary():
    def f(z, t):
        p = 1 / (1 + np.exp(-z))
        return -(t * (1 - p) ** 2 * np.log(p) + (1 - t) * p**2 * np.log(1 - p)).sum()

    def g(z, t):
        p = 1 / (1 + np.exp(-z))
        return t * (1 - p) ** 2 * (2 * p * np.log(p) - (1 - p)) + (1 - t) * p**2 * (p - 2 * (1 - p) * np.log(1 - p))

    return f, g


@case({"a": "D", "b": "D"}, ["a", "b"])
def cosine():
    def f(a, b):
        return a @ b / (np.sqrt(a @ a) * np.sqrt(b @ b))

    def g(dy, a, b):
        n, m = np.sqrt(a @ a), np.sqrt(b @ b)
        c = a @ b / (n * m)
        return dy * (b / (n * m) - c * a / n**2), dy * (a / (n * m) - c * b / m**2)

    return f, g


@case({"a": "N D", "p": "N D", "n": "N D", "m": ""}, ["a", "p", "n"])
def triplet():
    def f(a, p, n, m):
        return np.maximum(((a - p) ** 2).sum(-1) - ((a - n) ** 2).sum(-1) + m, 0).sum()

    def g(a, p, n, m):
        on = (((a - p) ** 2).sum(-1) - ((a - n) ** 2).sum(-1) + m > 0)[:, None]
        return on * 2 * (n - p), on * 2 * (p - a), on * 2 * (a - n)

    return f, g


@case({"p": "n", "q": "n"}, "q", lambda p, q: [q > 0, p >= 0])
def kl():
    return (lambda p, q: np.where(p > 0, p * np.log(np.where(p > 0, p, 1) / q), 0).sum()), (lambda p, q: -p / q)


@case({"p": "n", "q": "n"}, "p", lambda p, q: [q > 0, p > 0])
def kl_p():
    return (lambda p, q: (p * np.log(p / q)).sum()), (lambda p, q: np.log(p / q) + 1)


@case({"x": "n"}, "x")
def gelu():

    def f(x):
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))

    def g(dy, x):
        u = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
        t = np.tanh(u)
        return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2))

    return f, g


@case({"x": "n"}, "x")
def elu():
    return (lambda x: np.where(x > 0, x, np.exp(x) - 1)), (lambda g, x: g * np.where(x > 0, 1, np.exp(x)))


@case({"x": "n"}, "x")
def relu6():
    return (lambda x: np.minimum(np.maximum(x, 0), 6)), (lambda g, x: g * ((x > 0) & (x < 6)))


@case({"x": "n"}, "x")
def softplus_where():
    return (lambda x: np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)), (lambda g, x: g / (1 + np.exp(-x)))


@case({"x": "n", "t": "n"}, "x")
def l1():
    return (lambda x, t: np.abs(x - t).mean()), (lambda x, t: np.sign(x - t) / x.shape[0])


@case({"x": "B D", "w": "D", "eps": ""}, ["x", "w"], lambda eps: [eps > 0])
def rmsnorm():
    def f(x, w, eps):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * w

    def g(dy, x, w, eps):
        r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + eps)
        h = dy * w
        return r * h - x * r**3 * (h * x).mean(-1, keepdims=True), (dy * x * r).sum(0)

    return f, g


@case({"a": "N D", "b": "N D", "y": "N", "m": ""}, "a")
def contrastive():
    def f(a, b, y, m):
        d = np.sqrt(((a - b) ** 2).sum(-1))
        return (y * d**2 + (1 - y) * np.maximum(m - d, 0) ** 2).sum()

    def g(a, b, y, m):
        d = np.sqrt(((a - b) ** 2).sum(-1))
        return ((2 * y) - (1 - y) * 2 * np.maximum(m - d, 0) / d)[:, None] * (a - b)

    return f, g


@case({"x": "n", "eps": ""}, "x", lambda eps: [eps > 0])
def charbonnier():
    return (lambda x, eps: np.sqrt(x * x + eps * eps).sum()), (lambda x, eps: x / np.sqrt(x * x + eps * eps))


@case({"x": "n"}, "x")
def clip_norm():
    def f(x):
        return x * np.minimum(1, 1 / np.sqrt((x * x).sum()))

    def g(dy, x):
        n = np.sqrt((x * x).sum())
        return np.where(n < 1, dy, dy / n - x * (dy * x).sum() / n**3)

    return f, g


@case({"x": "n"}, "x")
def tangent():
    return (lambda x: np.tan(x).sum()), (lambda x: 1 + np.tan(x) ** 2)


@case({"x": "n", "w": "n"}, ["x", "w"])
def sine_activation():
    """Snake: x + sin²(w x)/w"""

    def f(x, w):
        return x + np.sin(w * x) ** 2 / w

    def g(dy, x, w):
        s, c = np.sin(w * x), np.cos(w * x)
        return dy * (1 + 2 * s * c), dy * (2 * s * c * x / w - s**2 / w**2)

    return f, g


@case({"x": "n"}, "x")
def sinc():
    return (lambda x: (np.sin(x) / x).sum()), (lambda x: np.cos(x) / x - np.sin(x) / x**2)


@case({"a": "n"}, "a")
def log_of_sine():
    return (lambda a: np.log(np.sin(a)).sum()), (lambda a: np.cos(a) / np.sin(a))


@case({"x": "n"}, "x")
def arctangent_over_itself():
    return (lambda x: (x / np.arctan(x)).sum()), (lambda x: 1 / np.arctan(x) - x / (np.arctan(x) ** 2 * (1 + x**2)))
