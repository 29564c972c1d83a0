"""Loops, branches, views and other Python that a tracer can get silently wrong: traced rightly, or refused.

`CASES` lists each function with the shapes of its arguments.  Run by NumPy and by the tracer.
"""
# ruff: noqa: B007, B905, RUF005, RUF015, RUF059

import collections
import copy
import functools
import itertools
import math
import operator

import numpy as np

CASES = []


def adv(shapes):
    def register(f):
        CASES.append((f, shapes))
        return f

    return register


X = {"x": "n"}


@adv(X)
def rnn(x):
    h = 0.0
    for t in range(len(x)):
        h = np.tanh(h + x[t])
    return h


@adv(X)
def rnn_list(x):
    hs = [0.0]
    for t in range(len(x)):
        hs.append(0.5 * hs[-1] + x[t])
    return hs[-1]


@adv(X)
def rec_array(x):
    out = np.zeros_like(x)
    out[0] = x[0]
    for t in range(1, len(x)):
        out[t] = out[t - 1] + x[t]
    return out


@adv(X)
def count_list(x):
    out = []
    for t in range(len(x)):
        out.append(len(out) * x[t])
    return np.array(out)


@adv(X)
def int_reset(x):
    y = 0.0
    k = 0
    for t in range(len(x)):
        y += x[k]
        k = 0
    return y


@adv(X)
def int_toggle(x):
    y = 0.0
    k = 0
    for t in range(len(x)):
        y += x[t] * k
        k = 1 - k
    return y


@adv(X)
def flag(x):
    first = True
    y = 0.0
    for t in range(len(x)):
        if first:
            y += 10 * x[t]
            first = False
        else:
            y += x[t]
    return y


@adv(X)
def none_flag(x):
    prev = None
    y = 0.0
    for t in range(len(x)):
        if prev is not None:
            y += prev * x[t]
        prev = x[t]
    return y


@adv(X)
def brk(x):
    y = 0.0
    for t in range(len(x)):
        y += x[t]
        break
    return y


@adv(X)
def ret(x):
    for t in range(len(x)):
        return x[t]


@adv(X)
def cond_t(x):
    y = 0.0
    for t in range(len(x)):
        if t > 0:
            y += x[t]
    return y


@adv(X)
def while_loop(x):
    t = 0
    y = 0.0
    while t < len(x):
        y += x[t]
        t += 1
    return y


@adv(X)
def dict_accum(x):
    d = {"s": 0.0, "q": 0.0}
    for t in range(len(x)):
        d["s"] += x[t]
        d["q"] = d["q"] + x[t] ** 2
    return d


@adv(X)
def dict_keys(x):
    d = {}
    for t in range(len(x)):
        d[t] = x[t]
    return d[0]


class Box:
    def __init__(s):
        s.v = 0.0
        s.items = []

    def add(s, y):
        s.v = s.v + y
        s.items.append(y)


@adv(X)
def obj(x):
    b = Box()
    for t in range(len(x)):
        b.add(2 * x[t])
    return b.v + np.array(b.items)


@adv(X)
def nonlocal_(x):
    tot = 0.0

    def add(v):
        nonlocal tot
        tot += v

    for t in range(len(x)):
        add(x[t])
    return tot


@adv(X)
def helper_append(x):
    out = []

    def put(v):
        out.append(v)

    for t in range(len(x)):
        put(x[t] + 1)
    return np.stack(out)


@adv(X)
def alias_list(x):
    out = []
    keep = {"o": out}
    for t in range(len(x)):
        out.append(x[t])
    return np.array(keep["o"])


@adv(X)
def const_append(x):
    out = []
    for t in range(len(x)):
        out.append(1.0)
    return np.array(out) + x


@adv(X)
def two_append(x):
    out = []
    for t in range(len(x)):
        out.append(x[t])
        out.append(-x[t])
    return np.array(out)


@adv(X)
def gen_native(x):
    y = 0.0
    for v in (x[t] * 2 for t in range(len(x))):
        y += v
    return y


@adv(X)
def gen_const(x):
    y = 0.0
    for v in (1.0 for t in range(len(x))):
        y += v
    return y


@adv(X)
def genfunc(x):
    def g():
        for t in range(len(x)):
            yield x[t]

    return sum(g())


@adv(X)
def setcomp(x):
    return sum({t * 1.0 for t in range(len(x))})


@adv(X)
def dictcomp(x):
    d = {t: x[t] for t in range(len(x))}
    return d[0]


@adv(X)
def dictcomp_vals(x):
    d = {t: x[t] for t in range(len(x))}
    return sum(d.values())


@adv(X)
def filt(x):
    return sum([x[t] for t in range(len(x)) if t > 0])


@adv(X)
def filt2(x):
    return np.array([v for v in x if v > 0]).sum()


@adv(X)
def starargs(x):
    return np.add.reduce([*[x[t] for t in range(len(x))]])


@adv(X)
def unpack(x):
    a, *b = x
    return a


@adv(X)
def reduce_(x):
    return functools.reduce(operator.add, [x[t] for t in range(len(x))])


@adv(X)
def reduce2(x):
    return functools.reduce(operator.add, [1.0 for t in range(len(x))])


@adv(X)
def sum_native(x):
    return math.fsum([1.0 for t in range(len(x))])


@adv(X)
def itprod(x):
    return sum(x[i] * x[j] for i, j in itertools.product(range(len(x)), range(len(x))))


@adv(X)
def enum2(x):
    return sum(i * v for i, v in enumerate(x, 1))


@adv(X)
def zip2(x):
    return sum(a * b for a, b in zip(x, x[::-1]))


@adv(X)
def mx(x):
    return max(x) + min(x)


@adv(X)
def mx2(x):
    return max(v * 2 for v in x)


@adv(X)
def loopmax(x):
    m = x[0]
    for v in x:
        m = max(m, v)
    return m


@adv(X)
def loopmax2(x):
    m = -np.inf
    for v in x:
        m = np.maximum(m, v)
    return m


@adv(X)
def swap(x):
    a, b = 1.0, 2.0
    for v in x:
        a, b = b, a + v
    return a


@adv(X)
def swap2(x):
    a, b = 1.0, 2.0
    for v in x:
        a, b = b, a
    return a


@adv(X)
def two_carry(x):
    s = 0.0
    q = 0.0
    for v in x:
        s = s + v
        q = q + s * v
    return q


@adv(X)
def decays(x):
    s = 0.0
    q = 1.0
    for v in x:
        s = 0.5 * s + v
        q = q * 2 + s
    return q


@adv(X)
def idx_affine(x):
    out = np.zeros(2 * len(x))
    for t in range(len(x)):
        out[2 * t] = x[t]
        out[2 * t + 1] = -x[t]
    return out


@adv(X)
def overwrite_same(x):
    out = np.zeros(3)
    for t in range(len(x)):
        out[0] = x[t]
    return out


@adv(X)
def aug_view(x):
    out = np.zeros((len(x), 2))
    for t in range(len(x)):
        r = out[t]
        r[0] += x[t]
        r[1] = 2
    return out


@adv(X)
def mult_at(x):
    out = np.ones_like(x)
    for t in range(len(x)):
        out[t] *= x[t]
    return out


@adv(X)
def shrink(x):
    out = x.copy()
    for t in range(len(x) - 1):
        out[t] = x[t + 1]
    return out


@adv(X)
def inplace_shift(x):
    out = x.copy()
    for t in range(len(x) - 1):
        out[t] = out[t + 1]
    return out


@adv(X)
def empty_after(x):
    for t in range(len(x) - 1):
        y = x[t]
    return y


@adv(X)
def loopvar(x):
    t = 5
    for t in range(len(x)):
        pass
    return x[t]


@adv(X)
def shadow(x):
    y = 0.0
    for i in range(len(x)):
        for i in range(len(x)):
            y += x[i]
        y += x[i]
    return y


@adv(X)
def global_state(x):
    r = []
    for t in range(3):
        for s in range(len(x)):
            r.append(x[s] * t)
    return np.array(r)


@adv(X)
def list_in_list(x):
    r = [[], []]
    for s in range(len(x)):
        r[0].append(x[s])
        r[1].append(-x[s])
    return np.array(r[0]) + np.array(r[1]) * 2


@adv(X)
def list_slice(x):
    r = [v * 2 for v in x]
    return np.array(r[1:]).sum() + sum(r[:-1]) + sum(reversed(r))


@adv(X)
def list_cat(x):
    r = [0.0] + [v * 2 for v in x] + [1.0]
    return np.array(r)


@adv(X)
def list_mul(x):
    r = [0.0] * len(x)
    return np.array(r) + x


@adv(X)
def list_assign(x):
    r = [0.0] * len(x)
    for t in range(len(x)):
        r[t] = x[t]
    return np.array(r)


@adv(X)
def list_insert(x):
    r = []
    for t in range(len(x)):
        r.insert(0, x[t])
    return np.array(r)


@adv(X)
def list_pluseq(x):
    r = []
    for t in range(len(x)):
        r += [x[t]]
    return np.array(r)


@adv(X)
def list_rebind(x):
    r = []
    for t in range(len(x)):
        r = r + [x[t]]
    return np.array(r)


@adv(X)
def list_rebind2(x):
    r = []
    for t in range(len(x)):
        r = [x[t]] + r
    return np.array(r)


@adv(X)
def tuple_acc(x):
    r = ()
    for t in range(len(x)):
        r = r + (x[t],)
    return np.array(r)


@adv(X)
def str_acc(x):
    r = ""
    for t in range(len(x)):
        r += "a"
    return x * len(r)


@adv(X)
def concat_loop(x):
    r = np.zeros(0)
    for t in range(len(x)):
        r = np.append(r, x[t])
    return r


@adv(X)
def iter_next(x):
    it = iter(x)
    return next(it) + next(it)


@adv(X)
def sorted_(x):
    return sorted(x)


@adv(X)
def list_x(x):
    return list(x)[0] + np.array(list(x)).sum()


@adv(X)
def any_x(x):
    return 1.0 * any(v > 0 for v in x)


@adv(X)
def branch(x):
    if x.sum() > 0:
        return x
    return -x


@adv(X)
def tern(x):
    return np.array([v if v > 0 else 0.0 for v in x])


@adv(X)
def assertdata(x):
    assert (x > 0).all()
    return x


@adv(X)
def isfin(x):
    assert np.isfinite(x).all() and not np.isnan(x).any()
    return x


@adv(X)
def n_branch(x):
    if len(x) > 1:
        return x
    return 2 * x


@adv(X)
def n_branch0(x):
    if len(x) == 0:
        return 0.0
    return 2 * x


@adv(X)
def argm(x):
    return x[np.argmax(x)]


@adv(X)
def mut_arg(x):
    x *= 2
    x[0] = 1
    return x


@adv(X)
def int_trunc(x):
    d = np.zeros(len(x), dtype=int)
    d[:] = x
    return d


@adv(X)
def arange_inplace(x):
    d = np.arange(len(x))
    d[0] = 7
    return x * d


@adv(X)
def full_int(x):
    d = np.full(len(x), 0)
    d[0] = 0.5
    return x + d


@adv(X)
def boolsum(x):
    return ((x > 0) + (x > -1)) * x + (-((x > 0) * 1))


@adv(X)
def boolneg(x):
    return -(x > 0) * x


@adv(X)
def reshape_view_T(x):
    m = np.outer(x, x)
    v = m.T.reshape(-1)
    v[1:2] = 5.0
    return m


@adv(X)
def asarray_alias(x):
    y = np.asarray(x)
    y += 1
    return x


@adv(X)
def slice_alias(x):
    y = x[:]
    y *= 2
    z = x[::-1]
    z += x
    return x


@adv(X)
def overlap(x):
    y = x.copy()
    y[1:] = y[:-1]
    return y


@adv(X)
def overlap2(x):
    y = x.copy()
    y[1:] += y[:-1]
    return y


@adv(X)
def scalar0d(x):
    a = np.array(0.0)
    b = a
    a += x.sum()
    c = x.sum()
    d = c
    c += 1
    return b + d


@adv(X)
def zero_d(x):
    a = np.zeros(())
    a[...] = x.sum()
    a[()] += 1
    return a


@adv(X)
def nested_tuple(x):
    return (x, [x * 2, {"a": x.sum()}], None)


@adv(X)
def returns_n(x):
    return len(x), x.shape


@adv(X)
def pow_neg(x):
    return (x * x) ** -0.5 + (x * x) ** (-3) + x**2.0 + np.abs(x) ** 1.5


@adv(X)
def third(x):
    return x * (1 / 3) + x / 3 - 0.1 * x + 1e-5 * x


@adv(X)
def div0(x):
    return x / 0


@adv(X)
def nan_(x):
    return x + np.nan


@adv(X)
def cplx(x):
    return x * 1j


@adv(X)
def rand(x):
    return x + np.random.rand(len(x))


@adv(X)
def negidx(x):
    y = 0.0
    for t in range(len(x)):
        y += x[t] * x[-t]
    return y


@adv(X)
def negidx2(x):
    y = 0.0
    for t in range(len(x)):
        y += x[t] * x[-1 - t]
    return y


@adv(X)
def negidx3(x):
    y = 0.0
    for t in range(len(x)):
        y += x[t] * x[t - 1]
    return y


@adv(X)
def outidx(x):
    y = 0.0
    for t in range(len(x)):
        y += x[t + 1]
    return y


@adv(X)
def prefix(x):
    return np.array([x[: t + 1].sum() for t in range(len(x))])


@adv(X)
def modidx(x):
    return np.array([x[(t + 1) % len(x)] for t in range(len(x))])


@adv({"x": "n m"})
def two_idx(x):
    out = np.zeros_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] = x[i, j] * (i - j)
    return out


@adv({"x": "n m"})
def two_idx_T(x):
    out = np.zeros((x.shape[1], x.shape[0]))
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[j, i] = x[i, j]
    return out


@adv({"x": "n m"})
def row_ops(x):
    for i in range(x.shape[0]):
        x[i] -= x[i].mean()
        x[i] /= np.sqrt((x[i] ** 2).sum() + 1)
    return x


@adv({"x": "n m"})
def row_iter_ops(x):
    for r in x:
        r -= r.mean()
    return x


@adv({"x": "n n"})
def tri_loop(x):
    s = 0.0
    for i in range(len(x)):
        for j in range(i):
            s += x[i, j]
    return s


@adv({"x": "n n"})
def sym_write(x):
    for i in range(len(x)):
        x[i, i] = 0
    return x


@adv({"x": "n n"})
def transpose_inplace(x):
    x += x.T
    return x


@adv({"x": "n n"})
def cross_write(x):
    for i in range(len(x)):
        x[i] = x[0] * 2
    return x


@adv({"x": "n m", "y": "int[n] n"})
def perm_write(x, y):
    z = x.copy()
    for i in range(len(y)):
        z[i] = z[y[i]]
    return z


@adv({"x": "n m", "y": "int[n] k"})
def cross_add(x, y):
    z = x.copy()
    for i in range(len(y)):
        z[y[i]] += x[y[i]] * 2
    return z


@adv({"x": "n m", "y": "int[n] k"})
def cross_add2(x, y):
    z = x.copy()
    for i in range(len(y)):
        z[y[i]] += z[y[i]] * 2
    return z


@adv({"x": "n m", "y": "int[n] k"})
def scaled_at(x, y):
    z = x.copy()
    for i in range(len(y)):
        z[y[i]] *= 0.5
    return z


@adv({"x": "n m", "y": "int[n] k"})
def fancy_aug(x, y):
    z = np.zeros_like(x)
    z[y] += 1
    z[y, 0] += 2
    return z


@adv({"x": "n", "w": "n"})
def perceptron(x, w):
    for v in x:
        w = w - 0.1 * v * w
    return w


@adv({"x": "n m", "w": "m"})
def sgd(x, w):
    for r in x:
        w = w - 0.1 * (w @ r) * r
    return w


@adv({"x": "n m", "w": "m m"})
def chain(x, w):
    h = x[0]
    for i in range(3):
        h = w @ h
    return h


@adv({"x": "n m", "w": "m m"})
def chainL(x, w):
    h = x[0]
    for r in x:
        h = w @ h + r
    return h


@adv({"x": "n m"})
def reshape_fail(x):
    return x.reshape(2, -1)


@adv({"x": "n m"})
def split_fail(x):
    return np.split(x, 2, axis=1)


@adv({"x": "2*n m"})
def floordiv(x):
    return x[: len(x) // 2] + x[len(x) // 2 :]


@adv({"x": "n m"})
def floordiv2(x):
    return x[: len(x) // 2]


@adv({"x": "n m"})
def batch_loop(x):
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        e = np.exp(x[i] - np.max(x[i]))
        out[i] = e / np.sum(e)
    return out


@adv({"x": "n m", "y": "int[m] n"})
def ce_loop(x, y):
    loss = 0.0
    dx = np.zeros_like(x)
    for i in range(x.shape[0]):
        p = np.exp(x[i]) / np.exp(x[i]).sum()
        loss -= np.log(p[y[i]])
        dx[i] = p
        dx[i, y[i]] -= 1
    return loss / len(y), dx / len(y)


@adv({"x": "n m", "y": "int[m] n"})
def svm_loop(x, y):
    loss = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            loss += np.maximum(0, x[i, j] - x[i, y[i]] + 1) * (j != y[i])
    return loss / len(y)


@adv({"x": "n m", "y": "int[m] n"})
def svm_loop_branch(x, y):
    loss = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if j == y[i]:
                continue
            loss += np.maximum(0, x[i, j] - x[i, y[i]] + 1)
    return loss / len(y)


@adv({"x": "B C H+K-1", "w": "O C K"})
def conv_batch(x, w):
    B = x.shape[0]
    O = w.shape[0]
    K = w.shape[2]
    H = x.shape[2] - K + 1
    out = np.zeros((B, O, H))
    for b in range(B):
        for o in range(O):
            for h in range(H):
                out[b, o, h] = np.sum(x[b, :, h : h + K] * w[o])
    return out


@adv({"x": "B C 2*H"})
def maxpool_loop(x):
    B, C, L = x.shape
    out = np.zeros((B, C, L // 2))
    for i in range(L // 2):
        out[:, :, i] = np.max(x[:, :, 2 * i : 2 * i + 2], axis=2)
    return out


@adv({"x": "B C 2*H", "w": "C 2*K"})
def im2col(x, w):
    return np.concatenate([x[:, :, :1], x], axis=2).sum() + np.stack([x[:, c] for c in range(x.shape[1])], axis=0)


@adv({"x": "n n"})
def tri2(x):
    out = np.zeros_like(x)
    for i in range(len(x)):
        for j in range(i + 1):
            out[i, j] = x[i, j] * 2
    return out


@adv({"x": "n n"})
def tri3(x):
    s = 0.0
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            s += x[i, j] * x[j, i]
    return s


@adv({"x": "n d"})
def pairs_(x):
    s = 0.0
    for i in range(len(x)):
        for j in range(i):
            s += ((x[i] - x[j]) ** 2).sum()
    return s


@adv({"x": "T d"})
def prefix_loop(x):
    out = np.zeros_like(x)
    for t in range(len(x)):
        for s in range(t + 1):
            out[t] += x[s]
    return out


@adv({"x": "T d"})
def suffix_loop(x):
    out = np.zeros_like(x)
    for t in range(len(x)):
        for s in range(len(x) - 1, t - 1, -1):
            out[t] += x[s]
    return out


@adv({"x": "T d"})
def tri_temp(x):
    out = 0.0
    for t in range(len(x)):
        y = 0.0
        for s in range(t):
            y = x[s, 0]
        out += y
    return out


@adv({"x": "T d"})
def tri_list(x):
    for t in range(len(x)):
        r = []
        for s in range(t):
            r.append(x[s])
    return np.array(r)


@adv({"x": "T d"})
def tri_comp(x):
    return np.array([sum(x[s] for s in range(t + 1)) for t in range(len(x))])


@adv({"x": "T d"})
def row2(x):
    for t in range(len(x)):
        x[t] = np.exp(x[t] - x[t].max())
        x[t] /= x[t].sum()
    return x


@adv({"x": "T+1 d"})
def row3(x):
    for t in range(len(x) - 1):
        x[t] = np.exp(x[t] - x[t + 1])
    return x


@adv({"x": "T+1 d"})
def row4(x):
    for t in range(len(x) - 1):
        x[t + 1] = np.exp(x[t] - x[t + 1])
    return x


@adv({"x": "T d"})
def col_(x):
    for t in range(x.shape[1]):
        x[:, t] = np.exp(x[:, t]) * x[0, t]
    return x


@adv({"x": "T d"})
def row5(x):
    for t in range(len(x)):
        x[t] = np.exp(x[t])
        x[0, 0] = 1
    return x


@adv({"x": "T d"})
def row6(x):
    for t in range(len(x)):
        x[t] = np.exp(x[t]) * x[-1].sum()
    return x


@adv({"x": "n m", "w": "m p"})
def product_loop(x, w):
    out = np.zeros((x.shape[0], w.shape[1]))
    for i, j, k in itertools.product(range(x.shape[0]), range(w.shape[1]), range(x.shape[1])):
        out[i, j] += x[i, k] * w[k, j]
    return out


@adv({"x": "n m"})
def ndindex_loop(x):
    out = np.empty_like(x)
    for i, j in np.ndindex(*x.shape):
        out[i, j] = np.exp(x[i, j]) + i
    for place in np.ndindex(x.shape):
        out[place] += 1
    return out


@adv({"x": "n 2"})
def product_mixed(x):
    total = 0.0
    for i, j in itertools.product(range(len(x)), range(2)):
        total += x[i, j]
    return total


@adv({"x": "n m"})
def product_sum(x):
    return sum(x[i, j] * (i - j) for i, j in itertools.product(range(x.shape[0]), range(x.shape[1])))


@adv({"x": "n m"})
def product_break(x):
    total = 0.0
    for i, j in itertools.product(range(x.shape[0]), range(x.shape[1])):
        total += 1.0
        break
    return total


@adv(X)
def swallowed(x):
    try:
        return np.sort(x)
    except Exception:
        return x


@adv(X)
def types(x):
    half, two = 0.5, 2
    a = type(half) is float and type(two) == int and type([]) is list and type(x) is np.ndarray  # noqa: E721
    b = isinstance(x, np.ndarray) and isinstance(x.sum(), float) and not isinstance(x, (float, int))
    return x * a + b + np.ndim(x) + np.size(x) + np.shape(x)[0] + np.isscalar(x.sum())


@adv(X)
def deep(x):
    y = copy.deepcopy(x)
    y += 1
    z = copy.copy(x)
    z[0] = 0
    return x + 2 * y + 3 * z


TOT = 0.0
SEEN = []


@adv(X)
def globalvar(x):
    global TOT
    TOT = 0.0
    for t in range(len(x)):
        TOT += 1.0
    return TOT * x


@adv(X)
def globalvar2(x):
    global TOT
    TOT = 0.0
    for t in range(len(x)):
        TOT += x[t]
    return TOT * x


@adv(X)
def globallist(x):
    SEEN.clear()
    for t in range(len(x)):
        SEEN.append(x[t])
    return np.array(SEEN)


@adv(X)
def countlist(x):
    c = itertools.count()
    for t in range(len(x)):
        next(c)
    return next(c) * x


@adv(X)
def setadd(x):
    c = set()
    for t in range(len(x)):
        c.add(1.0)
    return sum(c) * x


@adv(X)
def dequeapp(x):
    c = collections.deque()
    for t in range(len(x)):
        c.append(1.0)
    return sum(c) * x


class Slots:
    __slots__ = ("v",)


@adv(X)
def slots(x):
    c = Slots()
    c.v = 0.0
    for t in range(len(x)):
        c.v += 1.0
    return c.v * x


@adv({"x": "2 m"})
def comp2(x):
    return np.array([x[i, j] * 2 for i in range(2) for j in range(x.shape[1])])


@adv({"x": "n m"})
def comp3(x):
    return np.array([x[i, j] * 2 for i in range(x.shape[0]) for j in range(x.shape[1])])


@adv({"x": "n 2"})
def comp4(x):
    return np.array([x[i, j] * 2 for i in range(x.shape[0]) for j in range(2)])


@adv({"x": "n m"})
def comp5(x):
    return np.array([[1.0 for j in range(x.shape[1])] for i in range(x.shape[0])]) + x


@adv({"x": "n m"})
def comp6(x):
    return sum([sum([1.0 for j in range(x.shape[1])]) for i in range(x.shape[0])]) * x


@adv({"x": "n m"})
def comp_write(x):
    [x.__setitem__(i, 0.0) for i in range(len(x))]
    return x


# --- a row from the row before it --------------------------------------------------------------------


@adv({"x": "T N", "a": "N"})
def rows_decay(x, a):
    h = np.ones((x.shape[0] + 1, x.shape[1]))
    for t in range(x.shape[0]):
        h[t + 1] = a * h[t] + (1 - a) * x[t]
    return h


@adv({"x": "T N", "a": "T N"})
def rows_decays(x, a):
    h = np.zeros((x.shape[0] + 1, x.shape[1]))
    for t in range(x.shape[0]):
        h[t + 1] = a[t] * h[t] + x[t]
    return h[1:] * h[:-1]


@adv({"x": "n+1"})
def rows_prefix(x):
    c = np.zeros(x.shape)
    c[0] = x[0]
    for t in range(1, len(x)):
        c[t] = c[t - 1] + x[t]
    return c


@adv({"x": "n+2"})
def rows_backwards(x):
    c = np.zeros(x.shape)
    c[-1] = 2 * x[-1]
    for t in range(len(x) - 2, -1, -1):
        c[t] = c[t + 1] * 3 + x[t]
    return c


@adv({"x": "n m"})
def rows_of_columns(x):
    c = np.ones((x.shape[0], x.shape[1] + 1))
    for t in range(x.shape[1]):
        c[:, t + 1] = c[:, t] - x[:, t]
    return c


@adv({"x": "n+1"})
def rows_twice_written(x):
    c = np.ones(len(x) + 1)
    for t in range(len(x)):
        c[t + 1] = c[t] + x[t]
        c[t + 1] = c[t + 1] * 2
    return c


@adv({"x": "T N", "a": "N"})
def rows_read_by_others(x, a):
    h = np.zeros((x.shape[0] + 1, x.shape[1]))
    out = np.zeros(x.shape)
    total = np.zeros(x.shape[1])
    for t in range(x.shape[0]):
        h[t + 1] = a * h[t] + x[t]
        out[t] = h[t + 1] * h[t]
        total += h[t + 1]
    return out + total


@adv({"x": "n+1"})
def rows_two_before(x):
    c = np.zeros(len(x) + 2)
    for t in range(len(x)):
        c[t + 2] = c[t] + x[t]
    return c


@adv({"x": "n+1"})
def rows_wrapping(x):
    c = np.ones(len(x))
    for t in range(len(x)):
        c[t] = c[t - 1] + x[t]
    return c


@adv({"x": "n+1"})
def rows_both_neighbours(x):
    c = np.ones(len(x) + 2)
    for t in range(len(x)):
        c[t + 1] = c[t] + c[t + 2] + x[t]
    return c


@adv({"x": "n m"})
def rows_across(x):
    c = np.ones((x.shape[0] + 1, x.shape[1]))
    for t in range(x.shape[0]):
        c[t + 1] = c[t, ::-1] + x[t]
    return c


@adv({"x": "n n"})
def rows_and_columns(x):
    c = np.ones((x.shape[0] + 1, x.shape[0] + 1))
    for t in range(x.shape[0]):
        c[t + 1] = c[t] + c[:, t]
    return c


@adv({"x": "n+1", "k": "int[n+1]"})
def rows_from_somewhere(x, k):
    c = np.ones(len(x) + 1)
    for t in range(len(x)):
        c[t + 1] = c[k] + x[t]
    return c


@adv({"x": "n+1"})
def rows_after_the_last(x):
    c = np.ones(len(x) + 3)
    for t in range(len(x)):
        c[t + 1] = 2 * c[t] + x[t]
    return c + c[len(x)]


@adv({"x": "n+1"})
def rows_by_two(x):
    c = np.ones(2 * len(x) + 1)
    for t in range(len(x)):
        c[2 * t + 2] = c[2 * t] + x[t]
    return c
