"""Functions for the tracer's tests: each with the shapes of its arguments.  Run by NumPy and by the tracer."""

import functools
import math
from math import log, sqrt
from types import SimpleNamespace

import numpy as np
import scipy.special
from numpy import exp, tanh
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import erf, expit, logsumexp
from scipy.special import softmax as sm

KERNEL = np.array([[0.5, -1.0], [2.0, 0.25]])
SCALE = 0.125


def gelu(x):
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def helper_norm(x, axis=-1, eps=1e-5):
    mu = x.mean(axis, keepdims=True)
    return (x - mu) / np.sqrt(x.var(axis, keepdims=True) + eps)


class Layer:
    scale = 2.0

    def __init__(self, factor):
        self.factor = factor
        self.cache = None

    @property
    def doubled(self):
        return self.factor * np.ones(1)[0] * 2

    @staticmethod
    def activation(x):
        return np.maximum(x, 0) + np.zeros(x.shape)

    def forward(self, x):
        self.cache = x
        return self.activation(x) * self.doubled * self.scale

    def __call__(self, x):
        return self.forward(x) + self.cache


LAYER = Layer(0.5)


def make_scaled(c):
    def inner(x):
        n = len(x)
        return c * x / n + np.eye(n).sum()

    return inner


def attention(q, k, v):
    d = q.shape[-1]
    s = q @ np.swapaxes(k, -1, -2) / np.sqrt(d)
    s = s - s.max(axis=-1, keepdims=True)
    a = np.exp(s)
    a /= a.sum(axis=-1, keepdims=True)
    return a @ v


def causal(q, k, v):
    T, d = q.shape
    mask = np.tril(np.ones((T, T), dtype=bool))
    s = np.where(mask, q @ k.T / math.sqrt(d), -np.inf)
    return sm(s, axis=-1) @ v


def causal_in_place(q, k, v):
    s = q @ k.T
    T = s.shape[0]
    s[np.triu(np.ones((T, T), dtype=bool), 1)] = -np.inf
    s -= s.max(axis=1, keepdims=True)
    p = np.exp(s)
    p = p / p.sum(axis=1, keepdims=True)
    return p @ v


def multi_head(x, w):
    B, T, _ = x.shape
    y = (x @ w).reshape(B, T, 3, 2, -1).transpose(2, 0, 3, 1, 4)
    q, k, v = y[0], y[1], y[2]
    a = sm(q @ k.swapaxes(-1, -2), axis=-1)
    return (a @ v).transpose(0, 2, 1, 3).reshape(B, T, -1)


def conv2d_loop(x, w):
    kh, kw = w.shape
    H, W = x.shape[0] - kh + 1, x.shape[1] - kw + 1
    out = np.zeros((H, W))
    for i in range(H):
        for j in range(W):
            out[i, j] = np.sum(x[i : i + kh, j : j + kw] * w)
    return out


def conv2d_windows(x, w):
    win = sliding_window_view(x, w.shape)
    return np.einsum("ijkl,kl->ij", win, w)


def conv1d_backward(x, w, g):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    K = len(w)
    for t in range(len(g)):
        dx[t : t + K] += g[t] * w
        dw += g[t] * x[t : t + K]
    return dx, dw


def shift_kernel(x, w, g):
    dx = np.zeros_like(x)
    L = g.shape[0]
    for k in range(w.shape[0]):
        dx[k : k + L] += w[k] * g
    return dx


def loop_sum(x):
    total = 0.0
    for t in range(len(x)):
        total += x[t] ** 2
    return total


def loop_rows(x, w):
    total = np.zeros_like(w)
    for row in x:
        total = total + row * w
    return total


def loop_append(x):
    out = []
    for i, row in enumerate(x):
        out.append(row * (i + 1))
    return np.array(out)


def loop_append_after(x, h):
    out = [h]
    for row in x:
        out.append(2 * row)
    return np.stack(out)


def loop_zip(x, y, strict=True):
    total = 0
    for a, b in zip(x, y, strict=True):
        total = total + a @ b
    return total / len(x)


def loop_product(x):
    p = 1.0
    for t in range(len(x)):
        p *= x[t]
    return p


def loop_decay(x):
    m = 0.0
    for t in range(len(x)):
        m = 0.9 * m + 0.1 * x[t]
    return m


def loop_running(x):
    out = np.zeros_like(x)
    c = 0.0
    for t in range(len(x)):
        c += x[t]
        out[t] = c
    return out


def loop_previous(x):
    out = np.zeros_like(x)
    previous = 0.0
    for t in range(len(x)):
        out[t] = x[t] - previous
        previous = x[t]
    return out


def loop_backwards(x):
    out = np.zeros_like(x)
    for t in reversed(range(len(x))):
        out[len(x) - 1 - t] = x[t]
    return out


def loop_temporary(x):
    y = 0.0
    for t in range(len(x)):
        y = x[t] * 2
    return y + t


def loop_counter(x):
    k = 0
    out = np.zeros(2 * len(x))
    for v in x:
        out[k] = v
        out[k + 1] = -v
        k += 2
    return out


def loop_scatter(table, y, g):
    d = np.zeros_like(table)
    for n in range(len(y)):
        d[y[n]] += g[n]
    return d


def loop_last_wins(table, y, g):
    d = np.zeros_like(table)
    for n in range(len(y)):
        d[y[n]] = g[n]
    return d


def loop_constant_write(table, y):
    d = np.ones_like(table)
    for i in y:
        d[i] = 0.0
    return d


def loop_nested(x, w):
    out = np.zeros((x.shape[0], w.shape[1]))
    for i in range(x.shape[0]):
        for j in range(w.shape[1]):
            for k in range(x.shape[1]):
                out[i, j] += x[i, k] * w[k, j]
    return out


def loop_nested_scalar(x, w):
    out = np.zeros((x.shape[0], w.shape[1]))
    for i in range(x.shape[0]):
        for j in range(w.shape[1]):
            s = 0.0
            for k in range(x.shape[1]):
                s += x[i, k] * w[k, j]
            out[i, j] = s
    return out


def comprehension(x, w):
    return np.array([[x[i] @ w[:, j] for j in range(w.shape[1])] for i in range(len(x))])


def comprehension_constant(x):
    return np.array([x.sum() for _ in range(len(x))])


def comprehension_twice(x):
    rows = [r * 2 for r in x]
    return np.array([r + rows[0] for r in rows]), len(rows), rows[-1]


def generator_sum(x):
    return sum(r @ r for r in x) + sum(1.0 for _ in range(len(x)))


def generator_double(x):
    return sum(x[i, j] * (i + 2 * j) for i in range(x.shape[0]) for j in range(x.shape[1]))


def unrolled(x):
    h = x
    for _ in range(3):
        h = np.tanh(h) + x
    return h


def lstm_cell(x, h, c, W, U, b):
    H = h.shape[-1]
    z = x @ W + h @ U + b
    i, f, o, g = z[..., :H], z[..., H : 2 * H], z[..., 2 * H : 3 * H], z[..., 3 * H :]
    i, f, o, g = expit(i), expit(f), expit(o), np.tanh(g)
    c = f * c + i * g
    return o * np.tanh(c), c


def lstm_split(x, h, c, W, U, b):
    i, f, o, g = np.split(x @ W + h @ U + b, 4, axis=-1)
    c = expit(f) * c + expit(i) * np.tanh(g)
    return {"h": expit(o) * np.tanh(c), "c": c}


def group_norm(x, gamma):
    N, C, L = x.shape
    G = 2
    y = x.reshape(N, G, C // G, L)
    m = y.mean(axis=(2, 3), keepdims=True)
    v = y.var(axis=(2, 3), keepdims=True)
    return ((y - m) / np.sqrt(v + 1e-5)).reshape(N, C, L) * gamma[None, :, None]


def rope(x, cos, sin):
    out = np.empty_like(x)
    a, b = x[..., ::2], x[..., 1::2]
    out[..., ::2] = a * cos - b * sin
    out[..., 1::2] = a * sin + b * cos
    return out


def rotate_half(x):
    h = x.shape[-1] // 2
    return np.concatenate([-x[..., h:], x[..., :h]], axis=-1)


def pool(x):
    N = x.shape[0]
    return x.reshape(N // 2, 2, -1).mean(axis=1)


def maxpool(x):
    return x.reshape(-1, 2).max(axis=1)


def one_hot_ce(z, y):
    onehot = np.eye(z.shape[1])[y]
    logp = z - logsumexp(z, axis=1, keepdims=True)
    return -(onehot * logp).sum() / len(y)


def one_hot_compare(z, y):
    t = (np.arange(z.shape[-1])[None, :] == y[:, None]).astype(float)
    return ((z - t) ** 2).mean()


def one_hot_write(z, y):
    t = np.zeros_like(z)
    t[np.arange(len(y)), y] = 1.0
    return t - z


def smoothing(z, y, a=0.1):
    n, K = z.shape
    t = np.full((n, K), a / K)
    t[range(n), y] += 1 - a
    return -(t * scipy.special.log_softmax(z, axis=1)).sum(1).mean()


def views(x):
    y = x.copy()
    y.T[0] = 3.0
    row = y[1]
    row += 10
    y.reshape(-1)[0] -= 1
    y[:, -1] *= 2
    return y


def mask_write(x):
    d = np.ones_like(x)
    d[x <= 0] = 0
    d[x > 0] *= 3
    return d


def mask_written_behind_axes(x):
    y = np.stack([x, 2 * x])
    y[:, x > 0] = 0.5
    y[..., x[0] < -0.5] = -1
    y[:, x[:, 0] > 0.25, :] = y.sum() * 0.1
    return y


def triangles(x):
    y, z = x.copy(), x @ x.T
    y[np.triu_indices(x.shape[0], 1, x.shape[1])] = 3.0
    z[np.tril_indices_from(z, -1)] -= 1
    z[np.triu_indices(len(z), k=2)] *= 2
    return y, z, z[np.triu_indices(len(z))].sum(), x[np.tril_indices(1, 0, 1)]


def mask_read(x):
    return x[x > 0].sum() + (x[x > 0] * 2).sum() + x[x > -9].mean()


def mask_selected(x):
    d = np.zeros_like(x)
    m = x > 0
    d[m] = x[m] ** 2
    d[~m] = np.exp(x[~m]) - 1
    return d


def imports_inside(x):
    import math as m

    import numpy
    from scipy.special import expit as s

    return numpy.ones(len(x)) * m.exp(1) + s(x)


def walrus_and_star(*, x, **rest):
    return {"a": x, **{k: v * 2 for k, v in rest.items()}}


@functools.cache
def cached(n):
    return np.sqrt(n)


def uses_cached(x):
    return x / cached(4) + cached(2)


def flash(q, k, v):
    """Online softmax over a literal number of blocks."""
    m, l, acc = -np.inf, 0.0, np.zeros(v.shape[1])
    for t in range(3):
        s = q @ k[t]
        new = np.maximum(m, s)
        l = l * np.exp(m - new) + np.exp(s - new)
        acc = acc * np.exp(m - new) + np.exp(s - new) * v[t]
        m = new
    return acc / l


def sizes(x):
    B, T = x.shape
    n = x.size
    assert n == B * T and x.ndim == 2 and len(x) == B
    return x / n + B**2 / T - (n // T) + np.prod(x.shape) + math.sqrt(B) + max(1, T) + np.log(T)


def integer_grid(x):
    i, j = np.indices(x.shape)
    p, q = np.meshgrid(np.arange(x.shape[1]), np.arange(x.shape[0]))
    return x * (i + 2 * j) + p - q


def bool_algebra(x, y):
    a, b = x > 0, y > 0
    return (a & b) * x + (a | ~b) * y + (a ^ b) + np.logical_and(a, b).sum() + (a == b) + (a == 1) + (a + b)


def written_at_argmax(x, y):
    d = np.zeros_like(x)
    d[np.arange(len(x)), x.argmax(axis=1)] = y
    d[:, 0][y.argmax()] += 0.5
    np.put_along_axis(d, np.expand_dims(x.argmin(axis=1), 1), 7.0, axis=1)
    row = d[x[:, 0].argmax()] * 2
    return d, row


def argmax_of_windows(x):
    d = np.zeros_like(x)
    for i in range(x.shape[0] // 2):
        for j in range(x.shape[1] // 2):
            window = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            p, q = np.unravel_index(window.argmax(), window.shape)
            d[2 * i + p, 2 * j + q] += window[p, q] + i
    return d


def written_where_sorted(x):
    d, e = np.zeros_like(x), np.zeros_like(x[0])
    np.put_along_axis(d, np.argsort(x, axis=1), np.arange(x.shape[1]), axis=1)
    e[np.argsort(x[0])] = x[0]
    return d + e


def last_of_several(w, y, g):
    d, e = np.zeros_like(w), w.copy()
    d[y] += g
    e[y] = g
    return d + e


def cut_sizes(x, y):
    n, m = int((len(x) - 3) / 2 + 1), int(len(y) / 2)
    k = math.floor((len(x) - 1) / 2) + math.ceil(len(x) / 2 - n) + round(len(y) / 2) + int(np.floor(len(x) + 0.25))
    return np.zeros((n, m, (len(x) - 1) // 2)) + k + np.floor(len(x) / 2 - n)


def np_add_at(x, y):
    d = np.zeros((5, x.shape[1]))
    np.add.at(d, y, x)
    np.subtract.at(d, y, 0.5)
    return d


def counted_twice(x):
    d = np.zeros(3, dtype=int)
    np.add.at(d, 1, 2)
    np.add.at(d, 1, 3)
    one = np.zeros(1, dtype=int)
    np.add.at(one, 0, 4)
    np.add.at(one, 0, 5)
    return x * d[1] + x * one[0]


def add_at(w, y, g):
    d = np.zeros(w.shape)
    np.add.at(d, y, g)
    return d


def last_wins(w, y, g):
    d = w.copy()
    d[y] = g
    d[y] += g
    return d


def fill_diagonal(x):
    y = x.copy()
    np.fill_diagonal(y, 0.0)
    i = np.arange(len(x))
    y[i, i] += 2 * x[i, i]
    return y


TABLE = [
    # elementwise
    (
        "arithmetic",
        lambda x, y: (x + y) * 2 - x / (y * y + 1) + -x + +y + x**3 - 2.0**y + abs(x),
        {"x": "B D", "y": "D"},
    ),
    ("exponentials", lambda x: exp(x) + np.expm1(x) + np.exp2(x) + tanh(x) + np.sinh(x) - np.cosh(x), {"x": "n"}),
    ("logarithms", lambda x: np.log(x * x) + np.log1p(x * x) + np.log2(x * x + 1) + np.log10(x * x + 2), {"x": "n"}),
    ("roots", lambda x: np.sqrt(x * x + 1) + np.cbrt(x) + np.square(x) + np.reciprocal(x) + (x * x) ** 0.5, {"x": "n"}),
    (
        "trigonometry",
        lambda x: np.sin(x) + np.cos(x) * np.tan(x) + np.arctan(x) + np.arcsin(x) + np.arccos(x),
        {"x": "n"},
    ),
    ("hyperbolic inverses", lambda x: np.arctanh(x) + np.arcsinh(x) + np.arccosh(x * x + 1.5), {"x": "n"}),
    ("angles", lambda x: np.deg2rad(x) + np.rad2deg(x) + np.sinc(x) + np.pi * x + np.e, {"x": "n"}),
    (
        "kinks",
        lambda x, y: np.maximum(x, y) + np.minimum(x, 0) + np.abs(x) + np.sign(y) + np.fmax(x, y),
        {"x": "n", "y": "n"},
    ),
    (
        "clip",
        lambda x: np.clip(x, -0.5, 0.25) + x.clip(0) + np.clip(x, None, 0.1) + np.clip(x, a_min=0, a_max=1),
        {"x": "n"},
    ),
    (
        "where",
        lambda x, y: np.where(x > 0, x, 0.01 * x) + np.where(y, x, 1.0) * np.where(x >= y, 1, 0),
        {"x": "n", "y": "n"},
    ),
    (
        "comparisons",
        lambda x, y: (x > y) * 1.0 + (x < y) + (x >= y) * x + (x <= 0) * y + (x == y) + (x != y),
        {"x": "n", "y": "n"},
    ),
    (
        "two arguments",
        lambda x, y: np.hypot(x, y) + np.logaddexp(x, y) + np.heaviside(x, 0.5),
        {"x": "n", "y": "n"},
    ),
    (
        "powers",
        lambda x, y: np.power(x * x, y) + np.float_power(x, 2) + x**-1 + x**-2 + (x * x) ** 1.5 + pow(x, 2),
        {"x": "n", "y": "n"},
    ),
    (
        "special",
        lambda x: erf(x) + scipy.special.erfc(x) + expit(x) + scipy.special.log_expit(x) + scipy.special.ndtr(x),
        {"x": "n"},
    ),
    (
        "special two",
        lambda x: scipy.special.xlogy(x * x, x * x) + scipy.special.entr(x * x) + scipy.special.rel_entr(x * x, 2),
        {"x": "n"},
    ),
    ("huber", lambda x: scipy.special.huber(0.4, x) + scipy.special.pseudo_huber(0.4, x), {"x": "n"}),
    (
        "softmaxes",
        lambda x: (
            sm(x, axis=-1) + scipy.special.log_softmax(x, axis=0) + logsumexp(x) + logsumexp(x, axis=1, keepdims=True)
        ),
        {"x": "B D"},
    ),
    ("gelu", gelu, {"x": "B D"}),
    (
        "math module",
        lambda x: x * math.pi + math.e - sqrt(3) + log(2) + math.exp(0.5) + math.pow(2, 0.5) + math.tanh(1),
        {"x": "n"},
    ),
    ("booleans", bool_algebra, {"x": "n", "y": "n"}),
    ("out and where", lambda x, y: np.divide(x, y, out=np.zeros_like(x), where=y > 0), {"x": "n", "y": "n"}),
    (
        "ufunc methods",
        lambda x, y: (
            np.add.reduce(x, axis=0)
            + np.add.outer(y, y).sum()
            + np.multiply.outer(x, y).sum((0, 1))
            + np.maximum.reduce(x)
        ),
        {"x": "B D", "y": "D"},
    ),
    (
        "constants",
        lambda x: x * SCALE + 1 / 4 + np.float32(0.5) + np.float64(2) - np.array(1.5) + float(3) + np.sqrt(2 / np.pi),
        {"x": "n"},
    ),
    (
        "selected",
        lambda x: np.select([x > 0.5, x > 0], [x, 2 * x], 3.0) + np.piecewise(x, [x > 0], [lambda t: t * 2, 0.0]),
        {"x": "n"},
    ),
    # reductions
    (
        "sums",
        lambda x: x.sum() + np.sum(x, 0).sum() + x.sum(axis=(0, 2)).sum() + x.sum(-1, keepdims=True),
        {"x": "B T D"},
    ),
    ("means", lambda x: x - x.mean() + np.mean(x, axis=0) + np.average(x, axis=1, weights=x[0])[:, None], {"x": "B D"}),
    ("variances", lambda x: x.var() + np.var(x, 0) + x.std(axis=-1, keepdims=True) + np.std(x), {"x": "2*n D"}),
    ("ddof", lambda x: x.var(ddof=1) + np.std(x, axis=0, ddof=1), {"x": "n+1 D"}),
    (
        "extrema",
        lambda x: x.max() + np.min(x, axis=1, keepdims=True) + np.amax(x, 0) - x.min(0) + np.ptp(x),
        {"x": "B D"},
    ),
    ("products", lambda x: np.prod(x, axis=1) + x.prod() + np.cumprod(x, axis=1)[:, -1], {"x": "B D"}),
    ("running", lambda x: np.cumsum(x, axis=1) + x.cumsum(0) + np.add.accumulate(x, 1), {"x": "B D"}),
    (
        "any and all",
        lambda x: np.any(x > 0, axis=1) * 1.0 + (x > -5).all() + (x > 0).sum() + np.count_nonzero(x > 0),
        {"x": "B D"},
    ),
    (
        "norms",
        lambda x: (
            np.linalg.norm(x)
            + np.linalg.norm(x, axis=1).sum()
            + np.linalg.norm(x, ord=1, axis=0).sum()
            + np.linalg.norm(x, np.inf, axis=1).sum()
        ),
        {"x": "B D"},
    ),
    (
        "matrix norms",
        lambda x: (
            np.linalg.norm(x, "fro")
            + np.linalg.norm(x, 1)
            + np.linalg.norm(x, np.inf)
            + np.linalg.norm(x, 3, axis=0).sum()
        ),
        {"x": "B D"},
    ),
    # products
    (
        "matmul",
        lambda a, b, v: (a @ b, a @ v, v @ b, v @ v, np.matmul(a, b), a.dot(v), np.dot(a, b)),
        {"a": "n m", "b": "m p", "v": "m"},
    ),
    ("batched", lambda a, b: (a @ b, np.matmul(a, b[0]), a[0] @ b), {"a": "B n m", "b": "B m p"}),
    (
        "outer inner",
        lambda a, b: (
            np.outer(a, b),
            np.inner(a, a),
            np.vdot(b, b),
            np.multiply.outer(a, b),
            np.inner(np.outer(b, a), np.outer(a, a)),
        ),
        {"a": "n", "b": "m"},
    ),
    (
        "einsum",
        lambda a, b: (
            np.einsum("ij,jk", a, b),
            np.einsum("ij,jk->ki", a, b),
            np.einsum("ij->j", a),
            np.einsum("ij,ij->", a, a),
        ),
        {"a": "n m", "b": "m p"},
    ),
    (
        "einsum dots",
        lambda a, b: (
            np.einsum("...ij,...jk->...ik", a, b),
            np.einsum("b...->...b", a),
            np.einsum("...ij,jk", a, b[0]),
        ),
        {"a": "B n m", "b": "B m p"},
    ),
    (
        "einsum diagonal",
        lambda a: (
            np.einsum("ii", a),
            np.einsum("ii->i", a),
            np.einsum("ij,ji->", a, a),
            np.einsum(a, [0, 1], a, [1, 2], [0, 2]),
        ),
        {"a": "n n"},
    ),
    (
        "tensordot",
        lambda a, b: (np.tensordot(a, b, 1), np.tensordot(a, b, axes=([1, 2], [1, 0])), np.tensordot(a, a, axes=3)),
        {"a": "B n m", "b": "m n"},
    ),
    ("kron", lambda a, b: (np.kron(a, b), np.trace(np.kron(a, a)), np.kron(a, b)[1:, :-1]), {"a": "n n", "b": "p q"}),
    (
        "traces",
        lambda a: (np.trace(a), a.trace(), np.diag(a), np.diag(np.diag(a)), np.diagonal(a).sum(), np.diag(a[0], 1)),
        {"a": "n n"},
    ),
    ("cross", lambda a, b: np.cross(a, b), {"a": "n 3", "b": "n 3"}),
    ("multi_dot", lambda a, b: np.linalg.multi_dot([a, b, b.T, a.T]), {"a": "n m", "b": "m p"}),
    # linear algebra
    (
        "inverse",
        lambda a, b: (np.linalg.inv(a), np.linalg.det(a), np.linalg.solve(a, b), np.linalg.solve(a, a)),
        {"a": "n n", "b": "n"},
    ),
    (
        "slogdet",
        lambda a: (np.linalg.slogdet(a)[1], np.linalg.slogdet(a).logabsdet, np.linalg.slogdet(a)[0]),
        {"a": "n n"},
    ),
    ("batched inverse", lambda a: (np.linalg.inv(a), np.linalg.det(a)), {"a": "B n n"}),
    (
        "matrix power",
        lambda a: np.linalg.matrix_power(a, 3) + np.linalg.matrix_power(a, 0) + np.linalg.matrix_power(a, -1),
        {"a": "n n"},
    ),
    # layout
    (
        "transposes",
        lambda x: (
            x.T,
            np.transpose(x, (1, 0, 2)),
            x.transpose(2, 0, 1),
            np.moveaxis(x, 0, -1),
            x.swapaxes(0, 2),
            np.rollaxis(x, 2),
        ),
        {"x": "B T D"},
    ),
    (
        "axes",
        lambda x: (
            x[None, :, None],
            np.expand_dims(x, (0, 2)),
            np.squeeze(x[:, None], 1),
            x[..., np.newaxis, :],
            np.atleast_2d(x[0]),
        ),
        {"x": "B D"},
    ),
    (
        "reshape",
        lambda x: (
            x.reshape(x.shape[0], -1),
            x.ravel(),
            x.reshape(-1, x.shape[-1]),
            x.flatten().reshape(x.shape),
            np.reshape(x, (-1,)),
        ),
        {"x": "B T D"},
    ),
    (
        "reshape orders",
        lambda x: (x.reshape(-1, order="F"), np.ravel(x.T), x.reshape(x.shape[1], x.shape[0])),
        {"x": "B D"},
    ),
    (
        "merged sums",
        lambda x, w: x.reshape(x.shape[0], -1) @ w + (x.reshape(-1) ** 2).sum(),
        {"x": "B C H", "w": "C*H K"},
    ),
    ("split named", lambda x: x.reshape(2, -1, x.shape[1]).sum(0), {"x": "2*n D"}),
    ("broadcast_to", lambda x: np.broadcast_to(x, (3, *x.shape)) * np.ones((3, 1, 1)), {"x": "B D"}),
    (
        "concatenate",
        lambda x, y: (np.concatenate([x, y, x], axis=1), np.hstack([x, y]), np.concatenate((x, y[:, :1]), -1)),
        {"x": "B D", "y": "B E"},
    ),
    (
        "stack",
        lambda x, y: (
            np.stack([x, y]),
            np.stack((x, y), axis=-1),
            np.vstack([x, y]),
            np.column_stack([x, y]),
            np.array([x, y, x * 2]),
        ),
        {"x": "n", "y": "n"},
    ),
    ("split", lambda x: (np.split(x, 2, axis=-1), np.split(x, [1], axis=0), np.array_split(x, 2, -1)), {"x": "n 2*m"}),
    (
        "tile repeat",
        lambda x: (np.tile(x, 3), np.tile(x, (2, 1)), np.repeat(x, 2, axis=0), x.repeat(3), np.repeat(x, 2)),
        {"x": "n"} | {"x": "n m"},
    ),
    ("tile rows", lambda x, y: np.tile(x, (len(y), 1)) * y[:, None], {"x": "n", "y": "m"}),
    (
        "flips",
        lambda x: (np.flip(x), np.flip(x, 1), x[::-1], x[:, ::-1], np.fliplr(x), np.flipud(x), np.rot90(x)),
        {"x": "B D"},
    ),
    ("roll", lambda x: (np.roll(x, 1, axis=1), np.roll(x, -1, 0), np.roll(x, 1)), {"x": "B D"}),
    (
        "pad",
        lambda x: (np.pad(x, 1), np.pad(x, ((0, 0), (2, 1))), np.pad(x, (1, 0), constant_values=2.0)),
        {"x": "B D"},
    ),
    ("pad and cut", lambda x: np.pad(x, ((1, 0), (0, 0)))[:-1] - x, {"x": "B D"}),
    (
        "triangles",
        lambda x: (np.tril(x), np.triu(x, 1), np.tril(x, -1), np.tri(len(x)) * x, x * np.eye(len(x), k=1)),
        {"x": "n n"},
    ),
    ("windows", lambda x: (sliding_window_view(x, 3).sum(-1), sliding_window_view(x, 3) ** 2), {"x": "n+2"}),
    ("windows 2d", conv2d_windows, {"x": "H+K-1 W+M-1", "w": "K M"}),
    (
        "convolve",
        lambda x, w: (np.convolve(x, w), np.convolve(x, w, "valid"), np.correlate(x, w)),
        {"x": "L+K-1", "w": "K"},
    ),
    ("convolve same", lambda x, w: np.convolve(x, w, "same"), {"x": "L+2", "w": "3"}),
    ("correlate full", lambda x, w: np.correlate(x, w, "full"), {"x": "N", "w": "K"}),
    (
        "like",
        lambda x: (
            np.zeros_like(x) + np.ones_like(x) * np.full_like(x, 2),
            np.zeros(x.shape),
            np.full(len(x), 0.5),
            np.empty_like(x) * 0,
        ),
        {"x": "B D"},
    ),
    (
        "arange",
        lambda x: (
            x * np.arange(len(x))
            + np.arange(1, len(x) + 1)
            - np.arange(len(x) - 1, -1, -1) / len(x)
            + np.linspace(0, 1, len(x) + 1)[1:]
        ),
        {"x": "n"},
    ),
    ("diff", lambda x: np.diff(x) + np.diff(x, axis=0)[:1, :-1].sum(), {"x": "n+1 m+1"}),
    (
        "vectorize",
        lambda x: np.vectorize(lambda t: t * math.exp(t))(x) + np.apply_along_axis(lambda r: r / r.sum(), 1, x),
        {"x": "B D"},
    ),
    # indexing
    ("slices", lambda x: (x[0], x[-1], x[1:], x[:-1], x[:, 0], x[..., 1], x[0, 1], x[-1, -2]), {"x": "n+1 m+2"}),
    ("strides", lambda x: (x[:, ::2], x[:, 1::2], x[:, ::-2], x[:, ::2][::-1]), {"x": "n 2*m"}),
    ("gather", lambda x, y: (x[y], x[y, :1], x[:, 0][y], np.take(x, y, axis=0)), {"x": "V D", "y": "int[V] B T"}),
    (
        "pairs",
        lambda x, y: (
            x[np.arange(len(y)), y],
            x[range(len(y)), y],
            x[np.arange(len(y))[:, None], y[:, None]],
            np.take_along_axis(x, y[:, None], 1),
        ),
        {"x": "B K", "y": "int[K] B"},
    ),
    ("front", lambda x, y: (x[:, None, y], x[y, :, None], x[0, :, y], x[:, y][0]), {"x": "K K K", "y": "int[K] B"}),
    ("kept apart", lambda x, y: (x[None, y, 0, ..., y], x[None, y, y, ..., 0], x[..., y, None, y]),
     {"x": "K K K", "y": "int[K] B"}),
    ("literal indices", lambda x: (x[[0, 2, 0]], x[np.array([1, 0])], x[:, [0]], x[(0, 1), (1, 0)]), {"x": "n+2 m+1"}),
    ("scalar gather", lambda x, y: x[y] @ x[0] + x[:, 0][y], {"x": "K D", "y": "int[K]"}),
    ("scatter", lambda x, y: np_add_at(x, y), {"x": "B D", "y": "int[5] B"}),
    ("embedding gradient", lambda w, y, g: add_at(w, y, g), {"w": "V D", "y": "int[V] B T", "g": "B T D"}),
    ("last wins", lambda w, y, g: last_wins(w, y, g), {"w": "V D", "y": "int[V] B", "g": "B D"}),
    ("write pairs", one_hot_write, {"z": "B K", "y": "int[K] B"}),
    ("bincount", lambda y, g: np.bincount(y, weights=g, minlength=4), {"y": "int[4] B", "g": "B"}),
    ("views", views, {"x": "n+1 m+1"}),
    ("mask write", mask_write, {"x": "B D"}),
    ("mask written behind axes", mask_written_behind_axes, {"x": "B D"}),
    ("triangles", triangles, {"x": "B D"}),
    ("mask read", mask_read, {"x": "B D"}),
    ("mask selected", mask_selected, {"x": "B D"}),
    ("whole numbers at one place twice", counted_twice, {"x": "n"}),
    ("fill diagonal", lambda x: fill_diagonal(x), {"x": "n n"}),
    (
        "integers",
        lambda y, x: x[y] * (y + 1) - y / 2 + (y == 1) * 3 + (y < 2) + (y % 1) - y**2,
        {"y": "int[V] B", "x": "V"},
    ),
    ("grid", integer_grid, {"x": "n m"}),
    ("sizes", sizes, {"x": "B T"}),
    ("unpack", lambda v: (lambda a, b: a * b)(*v) + sum(v) + v[0], {"v": "2"}),
    ("matrix of scalars", lambda v: np.array([[v[0], 1], [v[1] * 2, v[0] ** 2]]) @ KERNEL, {"v": "2"}),
    ("concrete loop", unrolled, {"x": "n"}),
    ("flash", flash, {"q": "d", "k": "3 d", "v": "3 m"}),
    # real layers
    ("attention", attention, {"q": "B T D", "k": "B S D", "v": "B S E"}),
    ("causal", causal, {"q": "T d", "k": "T d", "v": "T e"}),
    ("causal in place", causal_in_place, {"q": "T d", "k": "T d", "v": "T e"}),
    ("multi head", multi_head, {"x": "B T C", "w": "C 3*2*d"}),
    ("layernorm", helper_norm, {"x": "B D"}),
    ("group norm", group_norm, {"x": "N 2*c L", "gamma": "2*c"}),
    ("rope", rope, {"x": "T 2*h", "cos": "T h", "sin": "T h"}),
    ("rotate half", rotate_half, {"x": "T 2*h"}),
    ("pooling", pool, {"x": "2*n D"}),
    ("max pooling", maxpool, {"x": "2*n"}),
    ("cross entropy", one_hot_ce, {"z": "n K", "y": "int[K] n"}),
    ("one hot", one_hot_compare, {"z": "n K", "y": "int[K] n"}),
    ("smoothing", smoothing, {"z": "n K", "y": "int[K] n"}),
    ("lstm", lstm_cell, {"x": "B D", "h": "B H", "c": "B H", "W": "D 4*H", "U": "H 4*H", "b": "4*H"}),
    ("lstm split", lstm_split, {"x": "B D", "h": "B H", "c": "B H", "W": "D 4*H", "U": "H 4*H", "b": "4*H"}),
    # copying
    ("closure", make_scaled(3.0), {"x": "n"}),
    ("layer object", lambda x: LAYER(x) + LAYER.cache, {"x": "B D"}),
    ("bound method", Layer(2.0).forward, {"x": "n"}),
    ("partial", functools.partial(helper_norm, axis=0), {"x": "B D"}),
    ("imports inside", imports_inside, {"x": "n"}),
    ("keywords", walrus_and_star, {"x": "n", "y": "m"}),
    ("cached", uses_cached, {"x": "n"}),
    ("namespace", lambda x: SimpleNamespace(y=x * 2).y + x.T, {"x": "n n"}),
    # loops
    ("loop sum", loop_sum, {"x": "n"}),
    ("loop rows", loop_rows, {"x": "n m", "w": "m"}),
    ("loop append", loop_append, {"x": "n m"}),
    ("loop append after", loop_append_after, {"x": "n m", "h": "m"}),
    ("loop zip", loop_zip, {"x": "n m", "y": "n m"}),
    ("loop product", loop_product, {"x": "n"}),
    ("loop decay", loop_decay, {"x": "n"}),
    ("loop running", loop_running, {"x": "n"}),
    ("loop previous", loop_previous, {"x": "n"}),
    ("loop backwards", loop_backwards, {"x": "n"}),
    ("loop temporary", loop_temporary, {"x": "n"}),
    ("loop counter", loop_counter, {"x": "n"}),
    ("loop scatter", loop_scatter, {"table": "V D", "y": "int[V] B", "g": "B D"}),
    ("loop last wins", loop_last_wins, {"table": "V D", "y": "int[V] B", "g": "B D"}),
    ("loop constant write", loop_constant_write, {"table": "V D", "y": "int[V] B"}),
    ("loop nested", loop_nested, {"x": "n m", "w": "m p"}),
    ("loop nested scalar", loop_nested_scalar, {"x": "n m", "w": "m p"}),
    ("conv1d backward", conv1d_backward, {"x": "L+K-1", "w": "K", "g": "L"}),
    ("conv2d loop", conv2d_loop, {"x": "H+K-1 W+M-1", "w": "K M"}),
    ("shift kernel", shift_kernel, {"x": "L+K-1", "w": "K", "g": "L"}),
    ("comprehension", comprehension, {"x": "n m", "w": "m p"}),
    ("comprehension constant", comprehension_constant, {"x": "n"}),
    ("comprehension twice", comprehension_twice, {"x": "n m"}),
    ("generator sum", generator_sum, {"x": "n m"}),
    ("generator double", generator_double, {"x": "n m"}),
    # places that depend on the order of the data
    (
        "argmax",
        lambda x: x.argmax() + np.argmax(x, 0) + x.argmin(axis=1, keepdims=True) * 2 - np.argmin(-x),
        {"x": "B D"},
    ),
    ("picked by argmax", lambda x: x[np.arange(len(x)), x.argmax(1)] + x[:, 0][np.argmin(x[:, 0])], {"x": "B D"}),
    ("tied argmax", lambda x: (x > 0).argmax(1) + np.argmax((x > 0) * 1.0, axis=1) + np.argmin(x > 0), {"x": "B D"}),
    ("written at argmax", written_at_argmax, {"x": "B D", "y": "B"}),
    ("argmax of windows", argmax_of_windows, {"x": "2*n 2*m"}),
    ("compared with argmax", lambda x: (np.arange(x.shape[1]) == x.argmax(1)[:, None]) * x, {"x": "B D"}),
    ("one-hot of argmax", lambda x: np.eye(x.shape[1])[x.argmax(1)] + x, {"x": "B D"}),
    ("sorted", lambda x: np.sort(x) + np.sort(x, axis=0) + np.sort(x, axis=None)[-1], {"x": "B D"}),
    ("argsorted", lambda x: np.take_along_axis(x, x.argsort(1), 1) + x[x[:, 0].argsort()], {"x": "B D"}),
    ("ranks", lambda x: x * np.argsort(np.argsort(x)), {"x": "n"}),
    ("tied ranks", lambda x: (x > 0).astype(float).argsort(kind="stable") + 0.0, {"x": "n"}),
    ("best three", lambda x: x[np.argsort(-x)[:3]] + np.sort(x)[-3:], {"x": "n+2"}),
    ("written where sorted", written_where_sorted, {"x": "B D"}),
    ("last of several", last_of_several, {"w": "V D", "y": "int[V] B T", "g": "B T D"}),
    # joined, cut, interpolated
    ("np.c_", lambda x, y: np.c_[np.ones(len(x)), x, y] + np.c_[y, x, 1.5 * y], {"x": "B D", "y": "B"}),
    ("np.r_", lambda x, y: np.r_[x, 0.5, y, 0:3].sum() + np.r_[y, y], {"x": "n", "y": "m"}),
    ("cut sizes", cut_sizes, {"x": "2*n+1", "y": "2*m"}),
    ("arctan2", lambda x, y: np.arctan2(x, y) + math.atan2(0.5, 0.25) + np.arctan2(x, 2.0), {"x": "n", "y": "n"}),
    (
        "interpolated",
        lambda x, y: np.interp(x, [-0.5, 0.0, 0.75], y) + np.interp(0.3, [0.0, 1.0], [1.0, 3.0]),
        {"x": "n m", "y": "3"},
    ),
    (
        "clipped by numbers",
        lambda x: np.clip(x, 1e-7, 1 - 1e-7) + x.clip(-0.25, -0.25) + np.clip(x, 0.5, -0.5),
        {"x": "n"},
    ),
]
