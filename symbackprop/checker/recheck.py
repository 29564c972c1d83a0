#!/usr/bin/env python3
"""Re-checks certificates of symbackprop:  python recheck.py FILE...   (exit code 1 if one is refused)

One file, the standard library, no line shared with the program that wrote the certificate: who reads this file need not
believe that program.  docs/certificates.md describes the rows; here is what they are allowed to do.

Sizes are whole numbers (from 1 on, or from what it says), arrays are real functions on all integer tuples, and
every function is total, 1/0 = 0 and 0^q = 0 for q != 0.  A step proves an equation for all sizes, all arrays and
all values of its free indices, wherever its conditions hold for all values of theirs.
"""
# fmt: off

import json
import sys
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction as Q
from functools import lru_cache
from itertools import combinations, count, permutations, product
from math import factorial, prod
from typing import Any


class Refused(Exception):
    """The certificate does not prove what it says."""


class RefusedRow(Refused):
    """With the row that is to blame in the message."""


def need(holds, cause):
    if not holds:
        raise Refused(cause)
    return True


cached = lru_cache(1 << 18)


# === nodes ===========================================================================================================
# Everything is a node: an operation, a tuple of plain data, terms and index expressions inside.  Equal nodes are one
# object, so that `is` decides equality; `serial` orders them.  Dummies are nameless: b[k] is bound by the k-th binder
# out.

class Node:
    __slots__ = ("arrays", "at", "data", "free", "normal", "op", "picks", "reach", "serial", "terms")


TABLE: dict[Any, Any] = {}


def node(op, data=(), terms=(), at=()):
    key = op, data, terms, at
    x = TABLE.get(key)
    if x is None:
        x = TABLE[key] = Node()
        x.op, x.data, x.terms, x.at, x.serial, x.normal = op, data, terms, at, len(TABLE), None
        indices = {a for m, _ in data for a in m} if op == "int" else at
        inside = max((t.reach for t in terms), default=0) - binders(x)
        x.reach = data[0] + 1 if op == "b" else max(0, inside, *(e.reach for e in indices))
        x.free = frozenset((x,)) if op in "i?" else frozenset().union(*(y.free for y in (*terms, *indices)))
        x.arrays = frozenset((data,) if op == "entry" else ()).union(*(t.arrays for t in terms))
        x.picks = frozenset(data[:1] if op == "pick" else ()).union(*(y.picks for y in (*terms, *indices)))
    return x


def binders(x): return 1 if x.op == "sum" else len(x.data[2]) if x.op == "whole" else 0
def order(nodes): return tuple(sorted(nodes, key=lambda x: x.serial))


# === whole numbers: sizes and index expressions ======================================================================
# int[(monomial, coefficient)..] is a polynomial with integer coefficients in sizes n[name] and, at most one in a
# monomial, indices: i[name, size], dummies b[k], entries of integer arrays pick[name, size](e..).

def integer(items):
    total = {}
    for m, c in items:
        total[m] = total.get(m, 0) + c
    kept = [item for item in total.items() if item[1]]
    return node("int", tuple(sorted(kept, key=lambda x: [a.serial for a in x[0]])))

@cached
def whole(n): return integer([((), n)])
@cached
def just(atom): return integer([((atom,), 1)])
@cached
def plus(a, b): return integer(a.data + b.data) if a.data and b.data else a if a.data else b
@cached
def times(a, b): return integer((order(m + n), c * d) for m, c in a.data for n, d in b.data)
def minus(a, b): return plus(a, times(whole(-1), b))
def last(size): return minus(size, whole(1))
def size_of(index): return index.data[1]
def number(s): return 0 if not s.data else s.data[0][1] if len(s.data) == 1 and s.data[0][0] == () else None

@cached
def split(e):
    """e = constant + Σ coefficient * index"""
    parts = {None: []}
    for m, c in e.data:
        index = next((a for a in m if a.op != "n"), None)
        parts.setdefault(index, []).append((tuple(a for a in m if a is not index), c))
    constant = integer(parts.pop(None))
    return constant, tuple((a, integer(parts[a])) for a in order(parts))

LEAST: dict[str, int] = {}  # the least value of a size, where it is not 1

@cached
def at_least_0(s):
    """Plainly s >= 0: with n = least + n' no coefficient is negative."""
    total = {}
    for m, c in s.data:
        for kept in product((False, True), repeat=len(m)):
            left = tuple(a for a, keep in zip(m, kept) if keep)
            total[left] = total.get(left, 0) + c * prod(LEAST.get(a.data[0], 1) for a, keep in zip(m, kept) if not keep)
    return all(c >= 0 for c in total.values())

def at_least_1(s): return at_least_0(last(s))

@cached
def bounds(e):
    """The least and the greatest value of e over the ranges of its indices; None where that is not plain."""
    low, parts = split(e)
    high = low
    for index, k in parts:
        if index.reach:
            return None
        top = times(k, last(size_of(index)))
        if at_least_0(k):
            high = plus(high, top)
        elif at_least_0(minus(whole(0), k)):
            low = plus(low, top)
        else:
            return None
    return low, high

def never_negative(e): return bool(bounds(e)) and at_least_0(bounds(e)[0])
def always_negative(e): return bool(bounds(e)) and at_least_1(minus(whole(0), bounds(e)[1]))
def never_zero(e): return never_negative(last(e)) or always_negative(e)
def inside(e, size): return never_negative(e) and never_negative(minus(last(size), e))

def quotients(e):
    """Ways to write e = s a + b, as (s, a, b): s a symbol or a number in the coefficients of indices."""
    constant, parts = split(e)
    items = [item for _, k in parts for item in k.data]
    symbols, numbers = {a for m, _ in items for a in m}, {abs(c) for _, c in items if abs(c) > 1}
    for s in (*map(just, sorted(symbols, key=lambda a: a.data)), *map(whole, sorted(numbers, reverse=True))):
        a, b = divided(constant, s)
        n, turns = number(b), [0, -1, 1]
        if n is not None and number(s) and abs(n) > number(s):
            turns.append(n // number(s))
        alone = True
        for index, k in parts:
            quotient, rest = divided(k, s)
            if rest.data:
                b = plus(b, times(k, just(index)))
            else:
                a, alone = plus(a, times(quotient, just(index))), False
        for turn in () if alone else turns:
            yield s, plus(a, whole(turn)), minus(b, times(s, whole(turn)))

def divided(k, s):
    """Quotient and rest of k by a symbol or a number, monomial by monomial."""
    out, rest, ((divisor, n),) = [], [], s.data
    for m, c in k.data:
        if c % n == 0 and all(a in m for a in divisor):
            place = m.index(divisor[0]) if divisor else len(m)
            out.append((m[:place] + m[place + 1:], c // n))
        else:
            rest.append((m, c))
    return integer(out), integer(rest)


# === terms ===========================================================================================================
#   num[q]  size[s]  entry[name, label](e..)  ord(e)  delta(e, e)  add(t..)  mul(t..)  pow[q](t)  app[fn, order](t)
#   sum[size](t)  diff(t, entry)  whole[fn, order, sizes](t)(e..)  step(u) = [u > 0]  range(e) = [e >= 0]

def num(q): return node("num", (Q(q),))
def add(*ts): return node("add", (), ts)
def mul(*ts): return node("mul", (), ts)
def product_of(*ts): return ts[0] if len(ts) == 1 else mul(*ts) if ts else ONE
def neg(t): return mul(num(-1), t)
def sub(a, b): return add(a, neg(b))
def power(t, q): return node("pow", (Q(q),), (t,))
def inverse(t): return power(t, -1)
def app(fn, t, degree=0): return node("app", (fn, degree), (t,))
def exp(t): return app("exp", t)
def log(t): return app("log", t)
def size_term(s): return node("size", (s,))
def ordinal(e): return node("ord", (), (), (e,))
def delta(i, j): return node("delta", (), (), (i, j))
def deltas(at, bt): return product_of(*map(delta, at, bt))
def step(u): return node("step", (), (u,))
def in_range(e): return node("range", (), (), (e,))
def diff(t, w): return node("diff", (), (t, w))
def justs(axes): return tuple(map(just, axes))

ZERO, ONE, PI = num(0), num(1), node("entry", ("pi", None))

def mapped(x, f, touched, depth=0, memo=None):
    """x with f(index, binders around it) in place of its indices; only what is touched is rebuilt."""
    if not touched(x, depth):
        return x
    memo = {} if memo is None else memo
    if (x, depth) not in memo:
        go = lambda y, more=0: mapped(y, f, touched, depth + more, memo)
        if x.op == "int":
            out, parts = split(x)
            for index, k in parts:
                new = go(index)
                out = plus(out, times(k, just(index) if new is index else new))
        elif x.op in "ib?":
            out = f(x, depth)
        else:
            out = node(x.op, x.data, tuple(go(t, binders(x)) for t in x.terms), tuple(map(go, x.at)))
            out = just(out) if x.op == "pick" else out
        memo[x, depth] = out
    return memo[x, depth]

def substitute(x, values):
    return mapped(x, lambda a, _: values.get(a) or just(a), lambda y, _: not y.free.isdisjoint(values))

def bind(axes, body):
    """body with these indices nameless, the last one innermost."""
    need(len(set(axes)) == len(axes) and not body.reach, "an index is bound twice, or a dummy would be captured")
    place = {a: len(axes) - 1 - k for k, a in enumerate(axes)}
    f = lambda a, d: just(node("b", (d + place[a],)) if a in place else a)
    return mapped(body, f, lambda y, _: not y.free.isdisjoint(place))

def opened(body, at):
    """The body of len(at) binders with these index expressions for its dummies."""
    f = lambda a, d: just(a) if a.op == "i" or a.data[0] < d else at[len(at) - 1 - (a.data[0] - d)]
    return mapped(body, f, lambda y, d: y.reach > d)

def sums(axes, body):
    for a in reversed(axes):
        body = node("sum", (size_of(a),), (bind((a,), body),))
    return body

INDICES = {"inv": 2, "det": 0, "max": 0, "argmax": None, "prod": 0, "gap": 0, "min": 0, "pinv": 2}  # None: as the array

def function(fn, degree, sizes, body, at):
    """An entry of a function of the array with this body, or of a derivative of an abstract one."""
    if fn in INDICES:
        need(degree == 0 and len(at) == (len(sizes) if INDICES[fn] is None else INDICES[fn]), f"the indices of {fn}")
        need(fn not in ("inv", "det") or (len(sizes) == 2 and sizes[0] is sizes[1]), f"{fn} of what is not square")
    need(len(at) >= degree * len(sizes), f"the indices of {fn}")
    return node("whole", (fn, degree, tuple(sizes)), (body,), tuple(at))

def of_array(fn, axes, body, at=(), degree=0): return function(fn, degree, map_sizes(axes), bind(axes, body), at)
def beside(w, fn, at=()): return function(fn, 0, w.data[2], w.terms[0], at)
def map_sizes(axes): return tuple(map(size_of, axes))

def own_axes(t):
    """Indices for the dummies of a sum or of a function of an array; nothing in it is called by their names."""
    return tuple(node("i", ((t.serial, k), s)) for k, s in enumerate(t.data if t.op == "sum" else t.data[2]))

def own_body(t): return opened(t.terms[0], justs(own_axes(t)))

def normal(t):
    """t with summands and factors in a fixed order, and δ(i, j) as δ(±(i - j), 0)."""
    if t.normal is None:
        terms, at = tuple(map(normal, t.terms)), t.at
        if t.op == "delta":
            at = (order((minus(*at), minus(at[1], at[0])))[0], whole(0))
        t.normal = node(t.op, t.data, order(terms) if t.op in ("add", "mul") else terms, at)
        t.normal.normal = t.normal
    return t.normal


# === sums of products ================================================================================================
# A monomial is (coefficient, dummies, ((base, exponent)..)).  Terms with the same monomials, up to the names of the
# dummies, are equal wherever the conditions that are met on the way hold: b^p b^q = b^{p+q} needs b != 0.

LIMIT, SHORT = 100_000, 6  # monomials; sums of so many values are written out
F1 = Q(1)
UNIT = [(F1, (), ())]

def zero_or_one(b): return b.op in ("delta", "range", "step")
def is_symbol(s): return len(s.data) == 1 and s.data[0][1] == 1 and len(s.data[0][0]) == 1
def compound(b): return b.op in ("add", "mul", "pow", "sum") or b.op == "size" and not is_symbol(b.data[0])
def plainly_positive(b):
    if b.op == "num":
        return b.data[0] > 0
    return b.data == ("exp", 0) if b.op == "app" else b.op == "size" and is_symbol(b.data[0])

def merged(factors, needs):
    """Equal bases brought together."""
    found = {}
    for b, e in factors:
        b = normal(b)
        old = found.get(b)
        found[b] = F1 if zero_or_one(b) else e if old is None else old + e
        if old is not None and not zero_or_one(b) and not plainly_positive(b):
            if e.denominator > 1 or old.denominator > 1:
                needs.add(("gt0", b))
            elif (e > 0) != (old > 0):
                needs.add(("ne0", b))
    return {b: e for b, e in found.items() if e}

EXPANDED: dict[Any, Any] = {}

def expand(t, needs):
    """The monomials of t; what it needs is added to `needs`."""
    if t not in EXPANDED:
        mine = set()
        EXPANDED[t] = monomials(t, mine), mine
        need(len(EXPANDED[t][0]) <= LIMIT, "too many products")
    needs |= EXPANDED[t][1]
    return EXPANDED[t][0]

def monomials(t, needs):
    match t.op:
        case "num":
            return [(t.data[0], (), ())] if t.data[0] else []
        case "size":
            return [(Q(c), (), tuple(merged([(size_term(just(a)), F1) for a in m], needs).items()))
                for m, c in t.data[0].data]
        case "ord":
            constant, parts = split(t.at[0])
            if not constant.data and len(parts) == 1 and parts[0][1] is whole(1):
                return [(F1, (), ((t, F1),))]
            return expand(add(size_term(constant), *(mul(size_term(k), ordinal(just(a))) for a, k in parts)), needs)
        case "add":
            return [m for s in t.terms for m in expand(s, needs)]
        case "mul":
            out = [] if ZERO in t.terms else UNIT
            for s in t.terms:
                out = multiplied(out, expand(s, needs), needs) if out else []
            return out
        case "pow":
            return raised(*t.terms, *t.data, needs)
        case "sum":
            n = number(*t.data)
            if n is not None and n <= SHORT:
                return [m for v in range(n) for m in expand(opened(*t.terms, (whole(v),)), needs)]
            axes = fresh(t.data)
            return summed(axes, expand(opened(*t.terms, justs(axes)), needs), needs)
        case "app" if t.data == ("exp", 0):  # e^{a + 2b} = e^a (e^b)^2
            parts = [(exp(closed), m[0]) for closed, m in like(expand(*t.terms, needs)).items()]
            return [(F1, (), tuple(merged(parts, needs).items()))]
        case _:
            return tidy(F1, (), ((t, F1),), needs)

FRESH = count(1)

def fresh(sizes): return tuple(node("i", ((-next(FRESH),), s)) for s in sizes)

def apart_from_dummies(m, taken):
    """The monomial with other dummies, where one of them is taken."""
    c, dummies, factors = m
    if set(dummies).isdisjoint(taken):
        return m
    new = fresh(map_sizes(dummies))
    values = dict(zip(dummies, justs(new)))
    return c, new, tuple((substitute(b, values), e) for b, e in factors)

def multiplied(left, right, needs):
    need(len(left) * len(right) <= LIMIT, "too many products")
    out = []
    for (c, dummies, factors), m in product(left, right):
        k, others, more = apart_from_dummies(m, dummies)
        if factors and more:
            out += tidy(c * k, dummies + others, factors + more, needs)
        else:
            out.append((c * k, dummies + others, factors + more))
    return out

def summed(axes, found, needs):
    """Σ_{axes} of monomials."""
    renamed = (apart_from_dummies(m, axes) for m in found)
    return [out for c, dummies, factors in renamed for out in tidy(c, dummies + axes, factors, needs)]

def raised(base, q, needs):
    """base^q"""
    if q == 0:
        return UNIT
    found = list(like(expand(base, needs)).values())
    if not found:
        return []
    if len(found) == 1 and not found[0][1]:
        return raised_monomial(found[0][0], found[0][2], q, needs)
    if q.denominator > 1 or q < 0:
        return [(F1, (), ((base, q),))]
    need(q <= 64, "a power above 64")
    out = found
    for _ in range(int(q) - 1):
        out = list(like(multiplied(out, found, needs)).values())
    return out

def raised_monomial(c, factors, q, needs):
    """(c Π b^e)^q: an integer power goes to all factors, a root to the positive ones."""
    need((c.numerator.bit_length() + c.denominator.bit_length() - 2) * abs(q) <= 1_000_000,
        "a number of too many digits")
    if q.denominator == 1:
        needs |= {("gt0", b) for b, e in factors if e.denominator > 1 and not plainly_positive(b)}
        return tidy(c ** int(q), (), tuple((b, e * q) for b, e in factors), needs)
    out = [(b, e * q) for b, e in factors if plainly_positive(b)]
    rest = [b if e == 1 else power(b, e) for b, e in factors if not plainly_positive(b)]
    out += [(num(p), k * q) for p, k in primes(c)] if c > 0 else []
    rest = rest if c > 0 else [num(c), *rest]
    return tidy(F1, (), (*out, *([(product_of(*rest), q)] if rest else [])), needs)

def primes(c):
    """c = Π p^k for c > 0; what has no divisor below 1000 stays whole."""
    out = []
    for n, sign in ((c.numerator, 1), (c.denominator, -1)):
        for p in range(2, 1000):
            k = 0
            while n > 1 and n % p == 0:
                n, k = n // p, k + 1
            out += [(p, sign * k)] if k else []
        out += [(n, sign)] if n > 1 else []
    return out

def tidy(c, dummies, factors, needs):
    """A monomial with numbers taken out, deltas contracted, and dummies that nothing uses counted."""
    factors, settled = merged(factors, needs), False
    while not settled:
        settled = True
        for b, e in factors.items():
            rest = [(x, y) for x, y in factors.items() if x is not b]
            if b.op == "num":
                k = e if e.denominator == 1 else Q(e.numerator // e.denominator) if b.data[0] > 0 else 0
                change = (dummies, rest + ([(b, e - k)] if e != k else [])) if k else None
                c *= b.data[0] ** int(k) if b.data[0] else 1 - bool(k)
            else:
                change = contracted(b, dummies, rest)
            if change is not None:
                dummies, changed = change
                if changed is None:
                    return []
                factors, settled = merged(changed, needs), False
                break
    used = frozenset().union(*(b.free for b in factors))
    out = [(c, tuple(a for a in dummies if a in used), tuple(factors.items()))]
    for n in map_sizes(a for a in dummies if a not in used):
        if not at_least_0(n):  # Σ_i 1 = n for n >= 0
            needs.add(("ge0i", n))
        out = multiplied(out, expand(size_term(n), needs), needs)
    return [m for found in out for m in multiplied_out(*found, needs)]

def multiplied_out(c, dummies, factors, needs):
    """Sums with positive integer exponents are multiplied out; of e >= 0 and e < 0 only one is written."""
    for b, e in factors:
        rest = tuple((x, y) for x, y in factors if x is not b)
        if b.op == "range" and turned(b.at[0]):
            other = in_range(minus(whole(-1), b.at[0]))
            return tidy(c, dummies, rest, needs) + tidy(-c, dummies, (*rest, (other, F1)), needs)
        if e.denominator == 1 and e > 0 and compound(b):
            found = (apart_from_dummies(m, dummies) for m in raised(b, e, needs))
            return [out for k, others, more in found for out in tidy(c * k, dummies + others, rest + more, needs)]
    return [(c, dummies, factors)]

def turned(e):
    constant, _ = split(e)
    return bool(constant.data) and max((len(m), sorted(a.data for a in m), k) for m, k in constant.data)[2] < 0

def contracted(b, dummies, rest):
    """What δ or [e >= 0] does to the other factors: (dummies, factors), None for factors that are 0; or nothing."""
    if b.op == "range":
        return contracted_range(b.at[0], dummies, rest)
    gap = minus(*b.at) if b.op == "delta" else None
    if gap is None:
        return None
    if not gap.data or never_zero(gap):
        return dummies, None if gap.data else rest
    for a, value in solutions(gap):
        if a in dummies:
            edges = [in_range(e) for e in (value, minus(last(size_of(a)), value)) if not never_negative(e)]
            moved = [(substitute(x, {a: value}), e) for x, e in rest]
            return tuple(d for d in dummies if d is not a), [*moved, *((x, F1) for x in edges)]
    for s, one, other in quotients(gap):  # s one + other = 0 with |other| < s
        if never_negative(minus(last(s), other)) and never_negative(plus(last(s), other)):
            return dummies, [*rest, (delta(one, whole(0)), F1), (delta(other, whole(0)), F1)]
    for a, value in sorted(solutions(gap), key=lambda x: (type(x[0].data[0]) is tuple, x[0].data[0]))[-1:]:
        if any(a in x.free for x, _ in rest):
            return dummies, [*((substitute(x, {a: value}), e) for x, e in rest), (b, F1)]
    return None

def contracted_range(e, dummies, rest):
    if never_negative(e) or always_negative(e):
        return dummies, rest if never_negative(e) else None
    for s, one, other in quotients(e):  # s one + other >= 0 with 0 <= other < s
        if inside(other, s):
            return dummies, [*rest, (in_range(one), F1)]
    for x, _ in rest:
        for a, value in solutions(minus(*x.at)) if x.op == "delta" else ():
            k = dict(split(e)[1]).get(a, whole(0))
            there = plus(minus(e, times(k, just(a))), times(k, value))
            if never_negative(there) or always_negative(there):
                return dummies, rest if never_negative(there) else None
        if x.op == "range":
            f = x.at[0]
            if always_negative(plus(e, f)) or never_negative(minus(e, f)):
                return dummies, None if always_negative(plus(e, f)) else rest
            if not plus(e, f).data:
                return dummies, [*((y, q) for y, q in rest if y is not x), (delta(e, whole(0)), F1)]
    return None

@cached
def solutions(gap):
    """Indices whose value follows from gap = 0, with the value."""
    parts = split(gap)[1]
    alone = [(a, k) for a, k in parts if a.op == "i" and not any(a in x.free for x, _ in parts if x is not a)]
    return [(a, minus(just(a), times(k, gap))) for a, k in alone if number(k) in (1, -1)]

def like(found):
    """Like monomials added: {the product without its coefficient, closed: monomial}"""
    total = {}
    for c, dummies, factors in found:
        closed = canonical(dummies, frozenset(factors))
        total[closed] = (c + (total[closed][0] if closed in total else 0), dummies, factors)
    return {closed: m for closed, m in total.items() if m[0]}

@cached
def canonical(dummies, factors):
    """Σ_{dummies} Π factors, one node for all names and orders of the dummies."""
    body = product_of(*(b if e == 1 else power(b, e) for b, e in factors))
    groups, colours = [list(dummies)], dict.fromkeys(dummies, 0)
    while len(dummies) > 1:  # dummies are told apart by where they stand, then by whom they meet there
        found = {}
        for a in dummies:
            found.setdefault((colours[a], *seen_from(a, colours, factors)), []).append(a)
        if len(found) == len(groups):
            break
        groups = [found[k] for k in sorted(found)]
        colours = {a: n for n, group in enumerate(groups) for a in group}
    need(prod(factorial(len(g)) for g in groups) <= 40_320, "too many dummies that look alike")
    rows = (sum(orders, ()) for orders in product(*map(permutations, groups)))
    return min((closed_over(row, body) for row in rows), key=lambda x: x.serial)

def closed_over(row, body):
    body = normal(bind(row, body))
    for a in reversed(row):
        body = node("sum", (size_of(a),), (body,))
    return normal(body)

def seen_from(a, colours, factors):
    """What can be said of a dummy without naming the others."""
    marks = {x: just(node("i", ((0, 0 if x is a else n + 1), size_of(x)))) for x, n in colours.items()}
    seen = sorted((normal(substitute(b, marks)).serial, e) for b, e in factors if a in b.free)
    return size_of(a).serial, tuple(seen)


# === worlds: definitions, hypotheses, and what is plain from them ====================================================
# A predicate is (kind, t): gt0 t > 0, ne0 t != 0, ge0 t >= 0, ge0i e >= 0, for all values of the free indices of t.

KINDS = ("gt0", "ne0", "ge0", "ge0i")

class World:
    def __init__(self, definitions, hypotheses):
        self.definitions, self.hypotheses, self.behind_of, self.smooth_of = definitions, hypotheses, {}, {}
        self.layers = None  # in a world with layers only the step about every depth is taken
        self.facts = [(name, {"gt0": ">", "ge0": "+", "ne0": "!"}[h[0]], h[1]) for name, h in hypotheses.items()
            if h[0] in ("gt0", "ne0", "ge0")]
        for array in definitions:
            self.behind(array)

    def meanings(self, array):
        """Its definition, and those of arrays that may be the same one (W^l and W^L)."""
        return [m for a, m in self.definitions.items() if not apart(a, array)]

    def behind(self, array):
        """The array, and all that its definition looks at."""
        if array not in self.behind_of:
            self.behind_of[array] = None
            inner = {a for _, body in self.meanings(array) for a in body.arrays}
            self.behind_of[array] = frozenset((array,)).union(*map(self.behind, inner))
        need(self.behind_of[array] is not None, f"the definition of {array[0]} comes back to itself")
        return self.behind_of[array]

    def moves(self, t, variables):
        """Whether one of the variables may occur in t or in the definitions that it rests on."""
        return not all(apart(b, v) for a in t.arrays for b in self.behind(a) for v in variables)

    def with_definition(self, array, axes, body):
        need(array not in self.definitions and array[0] != "pi", f"{array[0]} is defined twice, or is a number")
        need(body.free <= set(axes), f"{array[0]} depends on more than its axes")
        return World({**self.definitions, array: (axes, body)}, self.hypotheses)

    def assuming(self, name, more, numbers=None):
        """With more hypotheses, named by their number."""
        named = {f"{name}{n}": h for n, h in zip(numbers or count(), more)}
        need(not named.keys() & self.hypotheses.keys(), "a hypothesis has the name of another")
        return World(self.definitions, {**self.hypotheses, **named}) if more else self

def terms_of(h): return () if h[0] == "ge0i" else h[1:]

def apart(a, b):
    """Certainly two arrays."""
    if a[0] != b[0] or a[1] is None or b[1] is None:
        return a[0] != b[0]
    return at_least_1(minus(a[1], b[1])) or at_least_1(minus(b[1], a[1]))

def entry_at(axes, body, e):
    """The entry e by this definition of its array."""
    need(len(axes) == len(e.at), f"{e.data[0]} has another number of indices")
    return substitute(body, dict(zip(axes, e.at)))

@cached
def pattern(t): return substitute(t, {a: just(node("?", (k, size_of(a)))) for k, a in enumerate(order(t.free))})

def instance(general, t):
    """Whether t is the general term at values of its free indices; summands and factors in any order."""
    return any(all(inside(e, size_of(a)) for a, e in values.items()) for values in match(pattern(general), t, {}))

def match(p, t, values):
    if p.op != t.op or p.data != t.data or len(p.terms) != len(t.terms) or len(p.at) != len(t.at):
        return
    turns = [t.at, (minus(whole(0), t.at[0]), *t.at[1:])] if p.op == "delta" else [t.at]
    for v in (v for at in turns for v in match_row(match_index, p.at, at, values)):
        yield from match_row(match, p.terms, t.terms, v, p.op in ("add", "mul"))

def match_row(one, ps, ts, values, any_order=False):
    if not ps:
        yield values
    for k in range(len(ts) if any_order else 1) if ps else ():
        for v in one(ps[0], ts[k], values):
            yield from match_row(one, ps[1:], ts[:k] + ts[k + 1:], v, any_order)

def match_index(p, e, values):
    p = substitute(p, values)
    unknown = [(a, k) for a, k in split(p)[1] if any(x.op == "?" for x in a.free)]
    if not unknown or p is just(unknown[0][0]) and unknown[0][0].op == "?":
        if p is e or unknown and not e.reach:
            yield {**values, **{a: e for a, _ in unknown}}
        return
    (a, k), *_ = unknown
    for x, other in split(e)[1] if p is not e else ():
        if other is k and a.op == "?" and not x.reach:
            yield from match_index(p, e, {**values, a: just(x)})
        elif other is k and a.op == x.op == "pick" and a.data == x.data:
            for v in match_row(match_index, a.at, x.at, values):
                yield from match_index(p, e, v)

# Signs: ">" positive, "+" at least 0, "!" not 0, "?" not known.

def both(a, b): return ">" if ">" in (a, b) or {a, b} == {"+", "!"} else a if b == "?" else b

def sign(t, world, used):
    """The sign that is plain; the hypotheses that say so are added to `used`."""
    known = "?"
    for name, said, h in world.facts:
        if both(known, said) != known and instance(h, t):
            known = both(known, said)
            used.add(name)
    return known if known == ">" else both(known, sign_of_form(t, lambda s: sign(s, world, used)))

def sign_of_form(t, sign):
    kind = (t.op, *t.data[:1]) if t.op == "whole" else (t.op, *t.data) if t.op == "app" else t.op
    match kind:
        case "num":
            return ">" if t.data[0] > 0 else "!" if t.data[0] else "+"
        case "size":
            (n,) = t.data
            return ">" if at_least_1(n) else "!" if at_least_1(minus(whole(0), n)) else "+" if at_least_0(n) else "?"
        case "entry" if t is PI:
            return ">"
        case "range":
            return ">" if never_negative(t.at[0]) else "+"
        case "delta" | "step" | ("whole", "argmax"):
            return "+"
        case "ord":
            return "+" if never_negative(t.at[0]) else "?"
        case ("app", "exp" | "sigmoid" | "softplus" | "cosh", 0):
            return ">"
        case ("app", "log", 0) if t.terms[0].op == "add":  # log(1 + positive)
            one = next((s for s in t.terms[0].terms if s.op == "num" and s.data[0] >= 1), None)
            return sign_of_form(add(*(s for s in t.terms[0].terms if s is not one)), sign) if one else "?"
        case "add":
            signs = set(map(sign, t.terms))
            return max(signs) if signs and signs <= {">", "+"} else "?"
        case "mul":
            return sign_of_product(list(t.terms), sign)
        case "pow":
            base, q = sign(t.terms[0]), t.data[0]
            return base if base == ">" else "?" if q.denominator > 1 else base if q % 2 else ">" if base == "!" else "+"
        case "sum":
            found = sign(own_body(t))
            found = "+" if found == ">" and not at_least_1(t.data[0]) else found  # perhaps a sum of nothing
            return "?" if found in "!?" else ">" if one_positive(own_body(t), own_axes(t)[0], sign) else found
        case ("whole", "max"):
            found = sign(own_body(t))
            return found if found in ">+" and all(map(at_least_1, t.data[2])) else "?"
        case ("whole", "prod"):
            return sign(own_body(t))
    return "?"

def sign_of_product(factors, sign):
    """Equal factors in pairs are squares."""
    signs, negative = set(), False
    while factors:
        a = factors.pop()
        if a.op == "num" and a.data[0] < 0:
            negative = not negative
            continue
        s = sign(a)
        if s in "!?" and a in factors:
            factors.remove(a)
            s = ">" if s == "!" else "+"
        signs.add(s)
    weakest = next((s for s in "?+" if s in signs), ">")
    return weakest if not negative and "!" not in signs or weakest == "?" else "!" if weakest == ">" else "?"

def one_positive(body, i, sign):
    """Whether the body is positive at an end of the range of i, or where i is another index."""
    values = [whole(0), last(size_of(i)), *justs(order(body.free - {i}))]
    return any(sign(substitute(body, {i: v})) == ">" for v in values if inside(v, size_of(i)))

def plain(predicate, world, used):
    """Whether the predicate is plain from signs and hypotheses."""
    kind, t = predicate
    if kind == "ge0i":
        return never_negative(t)
    found = sign(t, world, used)
    turn = kind == "ne0" and t.op == "add" and found in "+?" and sign(add(*map(negated, t.terms)), world, used) == ">"
    return turn or found in {"gt0": ">", "ge0": ">+", "ne0": ">!"}[kind]

def negated(t):
    factors = [*(t.terms if t.op == "mul" else (t,))]
    k = next((k for k, s in enumerate(factors) if s.op == "num"), None)
    return neg(t) if k is None else product_of(num(-factors[k].data[0]), *factors[:k], *factors[k + 1:])


# === where terms have derivatives ====================================================================================

def smooth(t, variables, world):
    """Conditions under which t is smooth in the entries of these variables; where they hold they hold all around."""
    key = t, variables
    if not world.moves(t, variables):
        return frozenset()
    if key not in world.smooth_of:
        needs, inner = set(), t.terms
        match t.op:
            case "entry":
                inner = [entry_at(*m, t) for m in world.meanings(t.data)]
            case "pow" if t.data[0].denominator > 1 or t.data[0] < 0:
                needs.add(("gt0" if t.data[0].denominator > 1 else "ne0", *t.terms))
            case "app" if t.data[0] == "log":
                needs.add(("ne0", *t.terms))
            case "step":
                needs.add(("ne0", *t.terms))
            case "diff":
                inner, variables = t.terms[:1], variables | {t.terms[1].data}
            case "sum" | "whole":
                inner, fn = [own_body(t)], t.data[0]
                need(fn not in ("gap", "min", "pinv"), f"no law differentiates {fn}")
                if fn in ("max", "argmax"):
                    needs.add(("gt0", beside(t, "gap")))
                if fn == "inv":
                    needs.add(("ne0", beside(t, "det")))
        world.smooth_of[key] = frozenset(needs).union(*(smooth(s, variables, world) for s in inner))
    return world.smooth_of[key]

def around(fact, array, world):
    """What makes a fact, where it holds, hold all around when the array moves."""
    kind, t, *_ = fact
    if kind == "ge0i" or not any(world.moves(s, {array}) for s in fact[1:]):
        return frozenset()
    need(kind in ("gt0", "ne0"), f"a derivative by {array[0]}, where an equation need not hold all around")
    return smooth(own_body(t) if t.op == "whole" and t.data[0] == "gap" else t, frozenset((array,)), world)

def is_variable(w, world): return need(w is not PI and not world.meanings(w.data), f"{w.data[0]} is no variable")


# === where a term has a value ========================================================================================

def truth(t):
    """A polynomial of steps and deltas that is 0 or 1 whatever they are; a sum of one term is none (0 * nan is nan)."""
    atoms = order(truth_atoms(t) or ())
    cases = [dict(zip(atoms, c)) for c in product((0, 1), repeat=len(atoms))] if 0 < len(atoms) <= 6 else []
    return bool(cases) and all(truth_value(t, c) in (0, 1) or both_signs(s for s in atoms if c[s]) for c in cases)

def both_signs(steps):
    """u > 0 and -u > 0 are among these: no point is there."""
    pairs = combinations([s.terms[0] for s in steps if s.op == "step"], 2)
    return any(not like(expand(add(*two), needs := set())) and not needs for two in pairs)

def truth_atoms(t):
    if zero_or_one(t):
        return {t}
    inner = [truth_atoms(s) for s in t.terms if s.op != "num"] if t.op in ("add", "mul") and len(t.terms) > 1 else []
    return set().union(*inner) if inner and all(inner) else None

def truth_value(t, values):
    parts = [truth_value(s, values) for s in t.terms] if t.op in ("add", "mul") else []
    return values[t] if t in values else sum(parts) if t.op == "add" else prod(parts) if t.op == "mul" else t.data[0]

def off_diagonal(u):
    """u + δ_ij where u, such as x_i - x_j, is 0 whenever i = j: its step does not move there."""
    def vanishes(i, j):
        needs = set()
        return size_of(i) is size_of(j) and not like(expand(substitute(u, {j: just(i)}), needs)) and not needs
    zero = [delta(just(i), just(j)) for i, j in combinations(order(u.free), 2) if vanishes(i, j)]
    return add(u, *zero) if zero else u

def values_needed(t, world, moving=frozenset(), guards=(), found=None, facts=False):
    """Predicates that hold exactly where t has a value, and (off kinks, ties, roots of 0) where its steps have a
    derivative by the moving arrays.  Beside a factor that is a truth value h, u > 0 is needed as h u + 1 - h > 0; as
    facts, what is beside other combinations of steps is left out."""
    found = {} if found is None else found
    h, moves = product_of(*guards), lambda s: world.moves(s, moving)
    def note(kind, u):
        if not plain((kind, u), world, set()):
            u = u if not guards else mul(h, u) if kind == "ge0" else add(mul(h, u), sub(ONE, h))
            found.setdefault((kind, normal(u)))
    go = lambda s, guards=guards, moving=moving: values_needed(s, world, moving, guards, found, facts)
    inner = t.terms
    match t.op:
        case "entry":
            inner = [entry_at(*m, t) for m in world.meanings(t.data)]
        case "mul":
            own, steps = (tuple(s for s in t.terms if f(s)) for f in (truth, truth_atoms))
            inner = steps if facts and len(steps) > len(own) else t.terms
            return [go(s, guards if s in own else guards + own) for s in inner] and found or found
        case "pow":
            (u,), (q,) = t.terms, t.data
            if q < 0:
                note("gt0" if q.denominator > 1 else "ne0", u)
            elif q.denominator > 1:
                for kind in ("ge0", "gt0") if moves(u) else ("ge0",):
                    note(kind, u)
        case "app" if t.data[0] == "log":
            note("gt0", *t.terms)
        case "step" if moves(*t.terms):
            note("ne0", off_diagonal(*t.terms))
        case "diff":
            go(t.terms[0], moving=moving | {t.terms[1].data})
            return found
        case "sum":
            inner = [own_body(t)]
        case "whole":
            inner, fn = [own_body(t)], t.data[0]
            if fn in ("max", "min", "argmax"):
                found.update((("ge0i", last(n)), None) for n in t.data[2] if not at_least_1(n))
                if moves(t):
                    note("gt0", beside(t, "gap") if fn != "min" else function("gap", 0, t.data[2], neg(*t.terms), ()))
            elif fn == "inv":
                note("ne0", beside(t, "det"))
    for s in inner:
        go(s)
    return found


# === laws ============================================================================================================
# A law reads arguments of these kinds: t term, w entry, W function of an array, i index, e index expression, q
# fraction, n natural number, s text, T terms, I different indices, 2 two of them, E index expressions, V values for
# indices, C the world (no argument).  It gives the two sides, then conditions, then names of hypotheses.

SLOPES = {
    "exp": exp, "log": inverse, "softplus": lambda u: app("sigmoid", u), "sin": lambda u: app("cos", u),
    "cos": lambda u: neg(app("sin", u)), "sinh": lambda u: app("cosh", u), "cosh": lambda u: app("sinh", u),
    "tanh": lambda u: sub(ONE, power(app("tanh", u), 2)), "atan": lambda u: inverse(add(ONE, power(u, 2))),
    "sigmoid": lambda u: mul(app("sigmoid", u), sub(ONE, app("sigmoid", u))),
    "erf": lambda u: mul(num(2), power(PI, Q(-1, 2)), exp(neg(power(u, 2)))),
}
EXPONENTIALS = {
    "tanh": lambda u: mul(sub(exp(mul(num(2), u)), ONE), inverse(add(exp(mul(num(2), u)), ONE))),
    "sigmoid": lambda u: mul(exp(u), inverse(add(ONE, exp(u)))), "softplus": lambda u: log(add(ONE, exp(u))),
    "sinh": lambda u: mul(num(Q(1, 2)), sub(exp(u), exp(neg(u)))),
    "cosh": lambda u: mul(num(Q(1, 2)), add(exp(u), exp(neg(u)))),
}
ODD, EVEN = ("sin", "erf", "atan", "sinh", "tanh"), ("cos", "cosh")
KINKED = ("abs", "ceil", "floor", "heaviside", "relu", "round", "sign", "step", "trunc")

def positive(*ts): return {("gt0", t) for t in ts}
def nonzero(*ts): return {("ne0", t) for t in ts}
def root(*qs): return any(q.denominator > 1 for q in qs)
def is_a(w, *names): return need(w.data[0] in names, f"{w.data[0]} is another function")
def unused(axes, *xs): return need(all(x.free.isdisjoint(axes) for x in xs), "an index is in use")
def axes_of(w, axes): return need(map_sizes(axes) == w.data[2], f"the axes of {w.data[0]} have other sizes")
def all_inside(at, sizes): return need(len(at) == len(sizes) and all(map(inside, at, sizes)),
    "an index may leave its range")
def entry_of(w, *at): return opened(*w.terms, at)
def argmax(w, at): return beside(w, "argmax", at)
def alone(w): return positive(beside(w, "gap"))
def regular(w): return nonzero(beside(w, "det"))
def some_maximum(w): return is_a(w, "max") and need(all(map(at_least_1, w.data[2])), "a maximum of nothing")
def slope_of_entry(w, axes, x): return unused(axes, x, w) and axes_of(w, axes) and diff(entry_of(w, *justs(axes)), x)

def diff_entry(world, e, w):
    need(not world.meanings(e.data) and (e.data == w.data or apart(e.data, w.data)), "defined, or perhaps the variable")
    need(e.data != w.data or len(e.at) == len(w.at), f"{w.data[0]} has another number of indices")
    return diff(e, w), deltas(e.at, w.at) if e.data == w.data else ZERO

def diff_apply(fn, degree, u, w):
    need(fn not in KINKED and (fn not in SLOPES or not degree), f"no slope of {fn}")
    slope = SLOPES[fn](u) if fn in SLOPES else app(fn, u, degree + 1)
    return diff(app(fn, u, degree), w), mul(slope, diff(u, w)), nonzero(u) if fn == "log" else ()

def diff_whole(w, axes, x):
    need(len(w.at) == w.data[1] * len(axes), "one group of indices for each derivative")
    inner = slope_of_entry(w, axes, x)
    return diff(w, x), sums(axes,
        mul(function(w.data[0], w.data[1] + 1, w.data[2], *w.terms, w.at + justs(axes)), inner))

def diff_inverse(w, axes, x):
    (p, q), (i, j) = justs(axes), is_a(w, "inv") and w.at
    inner = mul(beside(w, "inv", (i, p)), slope_of_entry(w, axes, x), beside(w, "inv", (q, j)))
    return diff(w, x), neg(sums(axes, inner)), regular(w)

def diff_prod(w, axes, others, x):
    need(is_a(w, "prod") and not set(axes) & set(others) and axes_of(w, others), "an index is in use")
    inner = slope_of_entry(w, axes, x)
    unused(others, x, inner)
    here = deltas(justs(axes), justs(others))
    rest = of_array("prod", others, add(here, mul(sub(ONE, here), entry_of(w, *justs(others)))))
    return diff(w, x), sums(axes, mul(rest, inner))

def log_of_number(n):
    logs = [mul(num(k), log(num(p))) for p, k in need(n >= 1, "the logarithm of 0") and primes(Q(n))]
    return log(num(n)), logs[0] if len(logs) == 1 else add(*logs) if logs else ZERO

def sum_of_angles(fn, a, b):
    (sa, ca), (sb, cb) = (need(fn in ("sin", "cos"), f"{fn} is no sine")
        and (app("sin", u), app("cos", u)) for u in (a, b))
    return app(fn, add(a, b)), add(mul(sa, cb), mul(ca, sb)) if fn == "sin" else sub(mul(ca, cb), mul(sa, sb))

def negated_outside(h, u):
    need(zero_or_one(h), "no case distinction")
    return mul(sub(ONE, h), step(neg(u))), mul(sub(ONE, h), sub(ONE, step(u))), nonzero(add(u, h))

def by_cases(like, h, a, b):
    need(zero_or_one(h) and like.op in ("app", "pow", "step"), "no case distinction")
    f = lambda u: node(like.op, like.data, (u,))
    return f(add(mul(h, a), mul(sub(ONE, h), b))), add(mul(h, f(a)), mul(sub(ONE, h), f(b)))

def ranged(e, i): return in_range(e), in_range(minus(last(size_of(i)), e))

def reindex(i, k, e, f):
    s = dict(split(e)[1]).get(i, whole(0))
    shift = minus(e, times(s, just(i)))
    need(number(s) in (1, -1) and unused((i,), shift) and i is not k and unused((k,), f, e), "no new index")
    back = times(s, minus(just(k), shift))
    return sums((i,), mul(*ranged(e, k), f)), sums((k,), mul(*ranged(back, i), substitute(f, {i: back})))

def digits(i, q, r, *terms):
    """The terms at i = R q + r."""
    sizes = size_of(q), size_of(r)
    need(size_of(i) is times(*sizes) and all(map(at_least_0, sizes)) and q is not r, "the digits have other sizes")
    return unused((q, r), *terms) and [substitute(t, {i: plus(times(sizes[1], just(q)), just(r))}) for t in terms]

def inverse_times(w, k, left):
    is_a(w, "inv") and all_inside(w.at, w.data[2]) and unused((k,), w)
    (i, j), m = w.at, need(size_of(k) is w.data[2][0], "an index of another size") and just(k)
    factors = (beside(w, "inv", (i, m)), entry_of(w, m, j)) if left else (entry_of(w, i, m), beside(w, "inv", (m, j)))
    return sums((k,), mul(*factors)), delta(i, j), regular(w)

def maximum_of_maxima(outer, inner, axes, f):
    need(set(axes) == {*outer, *inner} and len(axes) == len(outer) + len(inner), "other axes")
    need(all(map(at_least_1, map_sizes(axes))), "a maximum of nothing")
    return of_array("max", outer, of_array("max", inner, f)), of_array("max", axes, f)

def product_without(axes, f, at):
    all_inside(at, map_sizes(axes)) and unused(axes, *at)
    here, one = deltas(at, justs(axes)), substitute(f, dict(zip(axes, at)))
    left = of_array("prod", axes, add(here, mul(sub(ONE, here), f)))
    return left, mul(of_array("prod", axes, f), inverse(one)), nonzero(one)

def of_product(w, axes, k, a, b):
    p, q = is_a(w, "det", "inv") and axes
    unused((q,), a) and unused((p,), b)
    left = of_array(w.data[0], axes, sums((k,), mul(a, b)), w.at)
    dets = of_array("det", (p, k), a), of_array("det", (k, q), b)
    if w.data[0] == "det":
        return left, mul(*dets)
    all_inside(w.at, left.data[2]) and unused((k,), left)
    factors = of_array("inv", (k, q), b, (w.at[0], just(k))), of_array("inv", (p, k), a, (just(k), w.at[1]))
    return left, sums((k,), mul(*factors)), nonzero(*dets)

def inverse_of_inverse(w, axes):
    is_a(w, "det", "inv") and axes_of(w, axes) and unused(axes, w)
    left = of_array(w.data[0], axes, beside(w, "inv", justs(axes)), w.at)
    return left, inverse(w) if not w.at else all_inside(w.at, w.data[2]) and entry_of(w, *w.at), regular(w)

def of_identity(axes, at):
    need(all(inside(e, size_of(axes[0])) for e in at), "an index may leave its range")
    return of_array("inv" if at else "det", axes, delta(*justs(axes)), at), delta(*at) if at else ONE

def assume(world, name, values):
    kind, *sides = world.hypotheses.get(name, ("no",))
    need(kind == "eq", f"no equation is assumed by the name {name}") and all_inside([e for _, e in values],
        map_sizes(i for i, _ in values))
    return *(substitute(t, dict(values)) for t in sides), (), {name}

LAWS = {
    # derivatives
    "diff_constant": ("tw", lambda t, w:
        need(t.op in ("num", "size", "ord", "delta", "range"), "no constant") and (diff(t, w), ZERO)),
    "diff_independent": ("Ctw", lambda c, t, w:
        need(not c.moves(t, {w.data}), f"it may depend on {w.data[0]}") and (diff(t, w), ZERO)),
    "diff_entry": ("Cww", diff_entry),
    "diff_sum": ("itw", lambda i, f, w: unused((i,), w) and (diff(sums((i,), f), w), sums((i,), diff(f, w)))),
    "diff_add": ("Tw", lambda ts, w: (diff(add(*ts), w), add(*(diff(t, w) for t in ts)))),
    "diff_mul": ("Tw", lambda ts, w:
        (diff(mul(*ts), w), add(*(mul(*ts[:k], diff(t, w), *ts[k + 1:]) for k, t in enumerate(ts))))),
    "diff_power": ("tqw", lambda f, q, w: (diff(power(f, q), w), mul(num(q), power(f, q - 1), diff(f, w)),
                                           positive(f) if root(q) else nonzero(f) if q < 1 else ())),
    "diff_apply": ("sntw", diff_apply),
    "diff_step": ("tw", lambda u, w: (diff(step(u), w), ZERO, nonzero(u))),
    "diff_whole": ("WIw", diff_whole),
    "diff_det": ("W2w", lambda w, axes, x: is_a(w, "det") and (
        diff(w, x), mul(w, sums(axes, mul(beside(w, "inv", justs(axes[::-1])), slope_of_entry(w, axes, x)))), nonzero(
            w))),
    "diff_inverse": ("W2w", diff_inverse),
    "diff_max": ("WIw", lambda w, axes, x: is_a(w, "max") and (
        diff(w, x), sums(axes, mul(argmax(w, justs(axes)), slope_of_entry(w, axes, x))), alone(w))),
    "diff_argmax": ("Ww", lambda w, x: is_a(w, "argmax") and (diff(w, x), ZERO, alone(w))),
    "diff_prod": ("WIIw", diff_prod),
    # functions and powers
    "in_exponentials": ("st", lambda fn, u:
        need(fn in EXPONENTIALS, f"{fn} is not made of exponentials") and (app(fn, u), EXPONENTIALS[fn](u))),
    "log_of_product": ("T", lambda ts: (log(mul(*ts)), add(*map(log, ts)), positive(*ts))),
    "log_of_power": ("tq", lambda b, q: (log(power(b, q)), mul(num(q), log(b)), positive(b))),
    "log_of_exp": ("t", lambda u: (log(exp(u)), u)),
    "exp_of_log": ("t", lambda u: (exp(log(u)), u, positive(u))),
    "log_of_number": ("n", log_of_number),
    "sine_squared": ("t", lambda u: (power(app("sin", u), 2), sub(ONE, power(app("cos", u), 2)))),
    "parity": ("st", lambda fn, u: need(fn in ODD + EVEN, f"{fn} is neither odd nor even")
               and (app(fn, neg(u)), neg(app(fn, u)) if fn in ODD else app(fn, u))),
    "at_zero": ("s", lambda fn:
        need(fn in ODD + EVEN, f"{fn}(0) is not known") and (app(fn, ZERO), ONE if fn in EVEN else ZERO)),
    "sum_of_angles": ("stt", sum_of_angles),
    "power_add": ("tqq", lambda b, p, q:
        (mul(power(b, p), power(b, q)), power(b, p + q), positive(b) if root(p, q) else nonzero(b))),
    "power_of_product": ("Tq", lambda ts, q:
        (power(mul(*ts), q), mul(*(power(t, q) for t in ts)), positive(*ts) if root(q) else ())),
    "root_of_product": ("Tq", lambda ts, q:
        (power(mul(*ts), q), mul(*(power(t, q) for t in ts)), {("ge0", t) for t in ts})),
    "power_of_power": ("tqq", lambda b, p, q:
        (power(power(b, p), q), power(b, p * q), positive(b) if root(p, q) else ())),
    "root_of_square": ("tq", lambda b, q: (power(power(b, 2), q), power(mul(b, sub(step(b), step(neg(b)))), 2 * q))),
    # steps
    "step_scaled": ("tt", lambda c, u: (step(mul(c, u)), step(u), positive(c))),
    "step_negated": ("t", lambda u: (step(neg(u)), sub(ONE, step(u)), nonzero(u))),
    "step_negated_outside": ("tt", negated_outside),
    "step_of_positive": ("t", lambda u: (step(u), ONE, positive(u))),
    "step_of_negative": ("t", lambda u: (step(neg(u)), ZERO, positive(u))),
    "step_of_zero": ("", lambda: (step(ZERO), ZERO)),
    "by_cases": ("tttt", by_cases),
    "step_times_argument": ("t", lambda u: (mul(step(u), step(neg(u))), ZERO)),
    "step_ordered": ("tt", lambda u, c: (mul(step(u), step(add(u, c))), step(u), positive(c))),
    "step_excluded": ("tt", lambda u, c: (mul(step(u), step(sub(neg(u), c))), ZERO, positive(c))),
    "step_covering": ("tt", lambda u, c:
        (mul(step(u), step(sub(c, u))), add(step(u), step(sub(c, u)), neg(ONE)), positive(c))),
    "step_of_product": ("tt", lambda a, b:
        (step(mul(a, b)), add(mul(step(a), step(b)), mul(step(neg(a)), step(neg(b)))))),
    "step_of_reciprocal": ("t", lambda a: (step(inverse(a)), step(a))),
    "step_of_exponentials": ("tt", lambda a, b: (step(sub(exp(a), exp(b))), step(sub(a, b)))),
    # sums over ranges
    "reindex": ("iiet", reindex),
    "by_radix": ("iiit", lambda i, q, r, f: (sums((i,), f), sums((q, r), *digits(i, q, r, f)))),
    "covering": ("ee", lambda e, f: need(never_negative(plus(plus(e, f), whole(1))), "neither need hold")
                 and (mul(in_range(e), in_range(f)), add(in_range(e), in_range(f), num(-1)))),
    # functions of arrays
    "inverse_times": ("Wi", lambda w, k: inverse_times(w, k, True)),
    "times_inverse": ("Wi", lambda w, k: inverse_times(w, k, False)),
    "inverse_of_transpose": ("W", lambda w: is_a(w, "inv", "det") and (
        w, function(*w.data, bind(own_axes(w)[::-1], own_body(w)), w.at[::-1]))),
    "maximum_of_maxima": ("IIIt", maximum_of_maxima),
    "maximum_picks": ("WI", lambda w, axes: some_maximum(w) and axes_of(w, axes) and unused(axes, w) and (
        sums(axes, mul(argmax(w, justs(axes)), entry_of(w, *justs(axes)))), w)),
    "one_argmax": ("WI", lambda w, axes:
        some_maximum(w) and axes_of(w, axes) and unused(axes, w) and (sums(axes, argmax(w, justs(axes))), ONE)),
    "argmax_products": ("WEE", lambda w, a, b:
        some_maximum(w) and (mul(argmax(w, a), argmax(w, b)), product_of(*map(delta, a, b), argmax(w, a)))),
    "step_above_max": ("WE", lambda w, at:
        some_maximum(w) and all_inside(at, w.data[2]) and (step(sub(entry_of(w, *at), w)), ZERO)),
    "step_below_max": ("WE", lambda w, at: some_maximum(w) and all_inside(at, w.data[2]) and (
        step(sub(w, entry_of(w, *at))), sub(ONE, argmax(w, at)), alone(w))),
    "product_without": ("ItE", product_without),
    "of_product": ("W2itt", of_product),
    "inverse_scaled": ("2ttE", lambda axes, c, f, at: unused(axes, c) and (
        of_array("inv", axes, mul(c, f), at), mul(inverse(c), of_array("inv", axes, f, at)), nonzero(c,
            of_array("det", axes, f)))),
    "inverse_of_inverse": ("W2", inverse_of_inverse),
    "of_identity": ("2E", of_identity),
    # what is given
    "unfold": ("Cw", lambda c, e:
        need(e.data in c.definitions, f"{e.data[0]} has no definition") and (e, entry_at(*c.definitions[e.data], e))),
    "assume": ("CsV", assume),
}


# === steps ===========================================================================================================
# An equation is (left, right, conditions, names of hypotheses).  More kinds of arguments: p an equation proved before,
# P some, K [argument, equation].., M [axes, factor, equation].., R [predicate, equation].., a array, L a step to prove
# in another world.

def joined(left, right, parts, bound=()):
    """An equation under all that its parts need; an index that only the parts have must have a value."""
    inhabited(frozenset().union(*(p[0].free | p[1].free for p in parts)) - left.free - right.free - set(bound))
    return left, right, *(frozenset().union(*(p[k] for p in parts)) for k in (2, 3))

def inhabited(axes): return need(all(map(at_least_1, map_sizes(axes))), "an index may have no values")

def discharged(eq, world):
    """The equation without the conditions that are plain."""
    used = set()
    kept = frozenset(c for c in eq[2] if not plain(c, world, used))
    return eq[0], eq[1], kept, eq[3] | used

def chain(parts):
    (left, right, *_), *rest = parts
    for p in rest:
        need(p[0] is right, "one equation does not follow the other")
        inhabited(right.free - left.free - p[1].free)
        right = p[1]
    return joined(left, right, [(left, right, *p[2:]) for p in parts])

def inside_term(t, parts):
    terms = list(t.terms)
    for k, eq in parts:
        need(t.op in ("add", "mul", "pow", "app", "step") and terms[k] is eq[0], f"argument {k} is another term")
        terms[k] = eq[1]
    return joined(t, node(t.op, t.data, tuple(terms)), [eq for _, eq in parts])

def under_diff(world, w, eq):
    is_variable(w, world)
    facts = [*(world.hypotheses[name] for name in eq[3]), *eq[2]]
    left, right, conditions, names = joined(diff(eq[0], w), diff(eq[1], w), [eq])
    return left, right, conditions.union(*(around(f, w.data, world) for f in facts)), names

def at_values(values, eq):
    all_inside([e for _, e in values], map_sizes(i for i, _ in values))
    return joined(*(substitute(t, dict(values)) for t in eq[:2]), [eq], [i for i, _ in values])

def linear(left, right, multiples):
    """left = right, if left - right is the sum of Σ_{axes} factor (a - b) over proved equations a = b."""
    needs = set()
    total = [*expand(left, needs), *negative(expand(right, needs))]
    for axes, factor, eq in multiples:
        a, b = mul(factor, eq[0]), mul(factor, eq[1])
        inhabited((a.free | b.free) - left.free - right.free - set(axes))
        for t, signed in ((a, negative), (b, list)):
            found = expand(t, needs)
            total += signed(summed(axes, found, needs) if axes else found)
    need(not like(total), "the sides are different sums of products")
    return joined(left, right, [(left, right, needs, ()), *((left, right, *eq[2:]) for _, _, eq in multiples)])

def negative(found): return [(-c, dummies, factors) for c, dummies, factors in found]

def cancelled(factor, left, right, eq):
    total = joined(left, right, [linear(mul(factor, left), mul(factor, right), [((), ONE, eq)])])
    return left, right, total[2] | nonzero(factor), total[3]

def each_value(i, left, right, parts):
    need(parts and number(size_of(i)) == len(parts), "one equation for each value")
    for v, eq in enumerate(parts):
        need(eq[:2] == tuple(substitute(t, {i: whole(v)}) for t in (left, right)), f"value {v} is another case")
    return joined(left, right, parts)

def each_digit(i, left, right, q, r, eq):
    need(list(eq[:2]) == digits(i, q, r, left, right), "another case")
    return joined(left, right, [eq], (q, r))

def with_name(world, array, axes, body, proof):
    named = lambda ts: any(a[0] == array[0] for t in ts for a in t.arrays)
    need(not named([b for _, b in world.definitions.values()] + [t for h in world.hypotheses.values()
        for t in h[1:]]), "the name is in use")
    wider = world.with_definition(array, axes, body)
    eq = discharged(proof(wider), wider)
    need(not named([*eq[:2], *(t for _, t in eq[2])]), "the name occurs in what is proved")
    return eq

def rephrased(eq, replaced):
    left, right, conditions, names = eq
    for (kind, t), same in replaced:
        gone = {c for c in conditions if alike(c, (kind, t))}
        need(kind != "ge0i" and gone and normal(same[0]) is t, "no condition, or the equation is not about it")
        inhabited(same[1].free - same[0].free)
        conditions, names = conditions - gone | same[2] | {(kind, same[1])}, names | same[3]
    return left, right, conditions, names

def alike(c, d): return c[0] == d[0] and (c[1] is d[1] or c[0] != "ge0i" and named_alike(c[1]) is named_alike(d[1]))

def named_alike(t):
    """One node for conditions that differ in the names of indices that a person did not choose."""
    own = [a for a in t.free if type(a.data[0]) is tuple or a.data[0][0] == "~" and a.data[0][1:].isdecimal()]
    return canonical(order(own), frozenset({(t, F1)}))

def every_depth(layers, prove, base, step, parameter):
    """From the last layer, and from layer l + 1 to l, to every layer l of a network of any depth.

    z^{l+1} is `forward` of z^l; C(z^l), the cost as a function of z^l, is `loss` of z^L through the layers between.
    What holds for every smooth C of z^{l+1} holds for that one.  δ^L is `first`, δ^l is `backward` of z^l, z^{l+1} and
    δ^{l+1}.
    """
    k, label, plain_world = layers, just(node("n", (layers.label,))), World({}, {})
    z, above, ends, signal = (k.state, label), (k.state, plus(label, whole(1))), (k.state,
        just(node("n", (k.last,)))), k.signal
    entry = lambda array, axes: node("entry", array, (), justs(axes))
    cost = lambda axes, body: of_array(k.cost, axes, body)
    slope = lambda axes, body: of_array(k.cost, axes, body, justs(axes), 1)
    k.fit(z, above, ends)
    need(not smooth(k.loss, frozenset((ends,)), plain_world) | smooth(k.forward, frozenset((z,)), plain_world),
        "a layer with kinks")
    def proves(eq, *sides):
        need(eq[:2] == sides and not eq[2], "another equation, or one under a condition")
        return eq
    names = proves(prove(base, World({}, k.hypotheses)), diff(k.loss, entry(ends, k.at_last)), k.first)[3]
    known = World({}, {}).with_definition(above, k.above, k.forward)
    known = known.with_definition((signal, above[1]), k.above, slope(k.above, entry(above, k.above)))
    proves(prove(step, known), diff(cost(k.above, entry(above, k.above)), entry(z, k.here)), k.backward)
    if not parameter:
        return diff(cost(k.here, entry(z, k.here)), entry(z, k.here)), entry((signal, label), k.here), (), names
    ((w, entering, proof),) = parameter
    need(w.data[1] is label and w.data[0] not in (k.state, signal), "no parameter of layer l")
    need(all(a[0] != w.data[0] for a in k.loss.arrays), "the loss looks at the parameter")
    need(all(a[1] is not None and at_least_1(minus(a[1], label)) for a in k.forward.arrays if a[0] == w.data[0]),
        "another layer does")
    k.speaks(entering, {}, k.here)
    eq = prove(proof, World({}, {}).with_definition((signal, label), k.here, slope(k.here, entering)))
    k.speaks(eq[1], {(signal, label): k.here}, w.free)
    return *proves(eq, diff(cost(k.here, entering), w), eq[1])[:2], (), names

class Layers:
    def __init__(self, row, hypotheses):
        self.cost, self.label, self.last, self.widths, self.state, self.signal, *row = row
        self.at_last, self.loss, self.first, self.above, self.forward, self.here, self.backward = row
        self.hypotheses = hypotheses

    def fit(self, z, above, last):
        """Each state is computed from the one before, and the parts look at nothing else of the layers."""
        now, next_, end = (tuple(w[k] for w in self.widths) for k in range(3))
        names = (self.label, self.last, *now, *next_, *end)
        need(len(set(names)) == len(names) and not LEAST.keys() & set(names),
            "a symbol stands for two things, or is bounded")
        shape = map_sizes(self.here)
        need(not symbols(*shape) & {self.label, self.last, *next_, *end}, "the shape depends on other layers")
        for axes, there in ((self.above, next_), (self.at_last, end)):
            names = dict(zip(now, there))
            need(map_sizes(axes) == tuple(renamed_size(n, names) for n in shape), "the states have other axes")
        need(not symbols(self.loss, self.first) & {self.label, *now, *next_}, "the loss depends on the layer")
        self.speaks(self.loss, {last: self.at_last}, ())
        self.speaks(self.first, {last: self.at_last}, self.at_last)
        self.speaks(self.forward, {z: self.here}, self.above)
        self.speaks(self.backward, {z: self.here, above: self.above, (self.signal, above[1]): self.above}, self.here)
        for t in (t for h in self.hypotheses.values() for t in terms_of(h)):
            self.speaks(t, {}, t.free)

    def speaks(self, t, states, axes):
        """Of states and signals only these, at entries that there are; of no derivative, nor of the cost itself."""
        need(t.free <= set(axes), "a part depends on more than its axes")
        if t.op == "entry" and t.data[0] in (self.state, self.signal):
            need(t.data in states and all_inside(t.at, map_sizes(states[t.data])),
                f"{t.data[0]} is not to be looked at here")
        need(t.op != "diff" and (t.op != "whole" or t.data[0] != self.cost), "a derivative, or the cost itself")
        opened_ = (*axes, *own_axes(t)) if binders(t) else axes
        for s in [own_body(t)] if binders(t) else t.terms:
            self.speaks(s, states, opened_)

def symbols(*xs):
    """The names of sizes that occur in terms and sizes."""
    if not xs:
        return set()
    data = [d for x in xs for d in (*x.data, *x.terms, *x.at)]
    atoms = [a for x in xs if x.op == "int" for m, _ in x.data for a in m]
    inner = [y for d in (*data, *atoms) for y in (d if type(d) is tuple else (d,)) if type(y) is Node]
    return {a.data[0] for a in atoms if a.op == "n"} | symbols(*(y for y in inner if y.op != "n"))

def renamed_size(n, names):
    return integer((order(node("n", (names.get(a.data[0], a.data[0]),)) for a in m), c) for m, c in n.data)

STEPS = {
    "chain": ("P", chain),
    "flip": ("p", lambda eq: (eq[1], eq[0], *eq[2:])),
    "inside": ("tK", inside_term),
    "undersum": ("ip", lambda i, eq: joined(sums((i,), eq[0]), sums((i,), eq[1]), [eq], (i,))),
    "underwhole": ("snIEp", lambda fn, degree, axes, at, eq:
                   joined(*(of_array(fn, axes, t, at, degree) for t in eq[:2]), [eq], axes)),
    "underdiff": ("Cwp", under_diff),
    "instance": ("Vp", at_values),
    "linear": ("ttM", linear),
    "cancel": ("tttp", cancelled),
    "values": ("ittP", each_value),
    "digits": ("ittiip", each_digit),
    "let": ("CaItL", with_name),
    "rephrase": ("pR", rephrased),
    "every_depth": ("CLLD", lambda world, base, step, parameter: every_depth(
        need(world.layers, "no layers are given") and world.layers, lambda p, w: discharged(p(w),
            w), base, step, parameter)),
}


# === certificates ====================================================================================================

NODES = {  # s size, n natural, l text, q fraction, x term, y index expression; S X Y several; a array
    "i": "ls", "b": "n", "pick": "lYs", "num": "q", "size": "s", "entry": "aY", "ord": "y", "delta": "yy", "add": "X",
    "mul": "X", "pow": "xq", "app": "lxn", "sum": "sx", "diff": "xx", "whole": "lnSxY",
}
MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

class Certificate:
    """The rows of a file, read in order; a row refers to earlier ones by their numbers."""

    def __init__(self, data):
        need(type(data) is dict and data.get("format") == 2, "this is no certificate of format 2")
        self.data, self.sizes, self.nodes, self.proved = data, [], [], {}
        least_sizes(data["least"])
        for k, row in enumerate(data["sizes"]):
            self.sizes.append(at_row("size", k, read_size, row))
        for k, row in enumerate(data["nodes"]):
            self.nodes.append(at_row("node", k, self.node, row))
        hypotheses = {text(name): ("eq", self.term(h[1]), self.term(h[2])) if h[0] == "eq"
            and len(h) == 3 else self.predicate(h)
                      for name, h in data["hypotheses"].items()}
        self.world = World({}, hypotheses)
        for array, axes, body in listed(data["definitions"]):
            self.world = self.world.with_definition(self.array(array), self.axes(axes), self.term(body))
        if data.get("recursion") is not None:
            need(not data["definitions"], "layers and definitions")
            self.world.layers = Layers(self.read("sssUssIttItIt", data["recursion"], self.world), hypotheses)

    def read(self, kinds, row, world=None, place=0):
        """The arguments of a row, each of its kind."""
        before = lambda p, w=world: need(natural(p) < place, f"step {p} comes later") and self.equation(p, w)
        many = lambda one: lambda xs: tuple(map(one, listed(xs)))
        readers = {
            "s": self.size, "n": natural, "l": text, "q": fraction, "a": self.array, "S": many(self.size),
            "x": self.any_term, "y": self.any_index, "X": many(self.any_term), "Y": many(self.any_index),
        } if world is None else {
            "s": text, "n": natural, "q": fraction, "a": self.array, "t": self.term, "e": self.index, "i": self.axis,
            "w": lambda k: self.term(k, "entry"), "W": lambda k: self.term(k, "whole"), "T": many(self.term),
            "E": many(self.index), "I": self.axes, "2": lambda ks: self.axes(ks, 2), "V": self.values,
            "p": before, "P": many(before),
            "K": many(lambda x: (natural(x[0]), before(pair(x)[1]))), "L": lambda p: lambda w: before(p, w),
            "M": many(lambda x: (self.axes(x[0]), self.term(x[1]), before(x[2]))),
            "U": many(lambda x: tuple(map(text, x)) if len(listed(x)) == 3 else need(False, "no width")),
            "D": many(lambda x: (self.term(x[0], "entry"), self.term(x[1]), lambda w: before(x[2], w))),
            "R": many(lambda x: (self.predicate(x[0]), before(pair(x)[1]))),
        }
        need(len(row) == len(kinds), f"{len(row)} arguments, not {len(kinds)}")
        return [readers[kind](x) for kind, x in zip(kinds, row)]

    def node(self, row):
        op, *rest = row
        if op == "aff":
            constant, parts = self.size(rest[0]), [(self.any_index(e), self.size(k)) for e, k in map(pair, rest[1])]
            e = constant
            for part, k in parts:
                need(len(part.data) == 1 and part is just(part.data[0][0][0]), "a part that is no single index")
                e = plus(e, times(k, part))
            need(len(split(e)[1]) == len(parts) and len(rest) == 2, "an index twice, or 0 times")
            need(len(parts) != 1 or e is not parts[0][0], "an index written as a combination")
            return e
        if op == "holds":
            (kind, k), = rest
            return step(self.any_term(k)) if kind == "gt0" else need(kind == "ge0i",
                "no such predicate") and in_range(self.any_index(k))
        data, terms, at = [], [], []
        need(op in NODES, "no such node")
        for kind, x in zip(NODES[op], self.read(NODES[op], rest)):
            (terms if kind in "xX" else at if kind in "yY" else data).extend(x if kind in "aXY" else [x])
        data, terms, at = tuple(data), tuple(terms), tuple(at)
        need(op != "diff" or terms[1].op == "entry", "a derivative by what is no entry")
        need(op != "pick" or at_least_1(data[1]), "an integer array without values")
        x = function(*data, *terms, at) if op == "whole" else node(op, data, terms, at)
        return just(x) if op in ("i", "b", "pick") else x

    def size(self, k): return self.sizes[natural(k)]
    def array(self, row): return text(pair(row)[0]), None if row[1] is None else self.size(row[1])

    def any_term(self, k): return need(self.nodes[natural(k)].op != "int", f"node {k} is no term") and self.nodes[k]
    def any_index(self, k): return need(self.nodes[natural(k)].op == "int", f"node {k} is no index") and self.nodes[k]
    def term(self, k, op=None): return need(op in (None, self.any_term(k).op),
        f"node {k} is no {op}") and closed(self.nodes[k])
    def index(self, k): return closed(self.any_index(k))

    def axis(self, k):
        atoms = [a for a, _ in split(self.index(k))[1]]
        need(len(atoms) == 1 and atoms[0].op == "i" and self.nodes[k] is just(atoms[0]), f"node {k} is no named index")
        return atoms[0]

    def axes(self, ks, wanted=None):
        found = tuple(map(self.axis, listed(ks)))
        need(len(set(found)) == len(found) and wanted in (None, len(found)),
            "an index twice, or another number of them")
        return found

    def values(self, row):
        self.axes([i for i, _ in map(pair, listed(row))])
        return [(self.axis(i), self.index(e)) for i, e in row]

    def predicate(self, row, kinds=KINDS):
        kind, k = row
        return need(kind in kinds, "no such predicate") and (kind,
            self.index(k) if kind == "ge0i" else normal(self.term(k)))

    def equation(self, p, world):
        """What step p proves in a world."""
        if (p, world) not in self.proved:
            self.proved[p, world] = at_row("step", p, lambda row:
                self.prove(row, p, world), self.data["steps"][natural(p)])
        return self.proved[p, world]

    def prove(self, row, p, world):
        kind, *rest = row
        name, args = rest if kind == "by" else (kind, rest)
        rules = LAWS if kind == "by" else STEPS
        need(name in rules, f"nothing is called {name}")
        need(world.layers is None or name == "every_depth", "nothing else is known of layers")
        kinds, rule = rules[name]
        read = iter(self.read(kinds.replace("C", ""), args, world, p))
        left, right, *more = rule(*(world if kind == "C" else next(read) for kind in kinds))
        conditions, names = (*more, (), ())[:2]
        if kind == "by" and left.op == "diff":
            is_variable(left.terms[1], world)
            conditions = {*conditions, *smooth(left.terms[0], frozenset((left.terms[1].data,)), world)}
        return closed(left), closed(right), frozenset((kind, normal(t)) for kind, t in conditions), frozenset(names)

    def check(self):
        """Refuses unless the proof is one of the claim."""
        left, right, conditions, names = discharged(self.equation(self.data["proof"], self.world), self.world)
        claim = self.data["claim"]
        need((left, right) == (self.term(claim["lhs"]), self.term(claim["rhs"])), "the proof is of another equation")
        need(names <= set(claim["hypotheses"]) <= set(self.world.hypotheses), "a hypothesis is not stated")
        stated = list(map(self.predicate, claim["conditions"]))
        for c in conditions:
            need(any(alike(c, s) for s in stated), "a condition is not stated")


# === theorems ========================================================================================================
# A region is a world whose hypotheses say where things have values.  A reason shows a predicate at all its points, a
# holding an equation; both give what they show and the names of the hypotheses that they use.

ANALYTIC = ("exp", "log", "tanh", "sigmoid", "softplus", "sin", "cos", "sinh", "cosh", "atan", "erf", "det", "inv",
    "prod")

def subterms(t): return [t, *(s for inner in t.terms for s in subterms(inner))]
def differentiated(*ts): return frozenset(s.terms[1].data for t in ts for s in subterms(t) if s.op == "diff")

def truth_cases(h):
    """What is known where a truth value is 1, and where it is 0."""
    yes, no = ([("gt0", *h.terms)], [("ge0", neg(*h.terms))]) if h.op == "step" else ([], [])
    return [("eq", h, ONE), *yes], [("eq", h, ZERO), *no]

def everything(t, world):
    """All that is inside t and the definitions that it rests on."""
    todo, seen = [t], set()
    for s in todo:
        for inner in subterms(s):
            yield inner
            if inner.op == "entry" and inner.data not in seen:
                seen.add(inner.data)
                todo += [body for _, body in world.meanings(inner.data)]

def is_analytic(t):
    return t.op not in ("step", "diff") and (t.op not in ("app", "whole") or t.data[0] in ANALYTIC and t.data[1] == 0)

class Theorem(Certificate):
    """A statement with the argument for it: the region of its points, reasons in it, and a point that it is about."""

    def shown(self, r, world):
        """What row r of the reasons shows in a world: a predicate or ("eq", left, right), and the names it uses."""
        if ("reason", r, world) not in self.proved:
            before = lambda k, w=world: need(natural(k) < r, f"reason {k} comes later") and self.shown(k, w)
            goal, used = at_row("reason", r, lambda row:
                self.reason(row, world, before), self.data["reasons"][natural(r)])
            self.proved["reason", r, world] = goal, frozenset(used)
        return self.proved["reason", r, world]

    def reason(self, row, world, before):
        used = set()
        def of(r, w=world, kinds=KINDS):
            goal, more = before(r, w)
            used.update(more)
            return need(goal[0] in kinds, "a reason of another kind") and goal
        def equation(r):
            left, right = of(r, kinds=("eq",))[1:]
            inhabited(right.free - left.free)
            return left, right
        match row:
            case ["sign", p]:
                goal = self.predicate(p)
                need(plain(goal, world, used), "this is not plain")
            case ["weigh", p, scale, parts, rest, r]:
                goal, scale, rest = self.predicate(p), self.term(scale), self.term(rest)
                parts = [(self.term(c), of(k, kinds=("gt0", "ne0", "ge0"))) for c, k in map(pair, listed(parts))]
                total = [*(mul(c, v) for c, (_, v) in parts), rest]
                wanted = mul(scale, goal[1]), add(*total) if parts else rest
                need(tuple(map(normal, equation(r))) == tuple(map(normal, wanted)), "this is not weighed so")
                signs = [(sign(c, world, used), kind)
                    for c, (kind, _) in parts] + [(">", {">": "gt0", "+": "ge0"}.get(sign(rest, world, used), "no"))]
                fine = all(s in ">+" and kind in ("gt0", "ge0") for s, kind in signs)
                strict = fine and (">", "gt0") in signs
                alone = len(parts) == 1 and rest is ZERO and signs[0][0] in ">!" and signs[0][1] in ("gt0", "ne0")
                up = sign(scale, world, used) == ">"
                need({"ne0": alone or strict, "gt0": up and strict, "ge0": up and fine}[goal[0]],
                    "a part may be negative, or all are 0")
            case ["factors", p, rs]:
                (kind, t), goals = self.predicate(p), [of(r) for r in listed(rs)]
                q = t.data[0] if t.op == "pow" else Q(1)
                through = "gt0" if q.denominator > 1 or kind == "gt0" and q % 2 else "ne0"
                below = kind if t.op == "mul" else through
                need(t.op == "mul" or t.op == "pow" and kind in ("ne0", "gt0"), "no product")
                need(t.terms and {(below, s) for s in t.terms} <= set(goals), "a factor has no reason")
                goal = kind, t
            case ["base", p, r]:
                goal, (kind, t) = self.predicate(p, ("ne0",)), of(r, kinds=("ne0",))
                need(t.op == "pow" and t.data[0] > 0 and t.terms[0] is goal[1], "no power of it")
            case ["split", p, name, h, yes, no, r]:
                goal, h = self.predicate(p), self.term(h)
                need(truth(h) and not h.free and goal[0] != "ge0i", "no truth value of its own")
                (_, a), (_, b) = (of(k, world.assuming(f"{text(name)}.", more), goal[:1])
                    for k, more in zip((yes, no), truth_cases(h)))
                wanted = goal[1], normal(add(mul(h, a), mul(sub(ONE, h), b)))
                need(tuple(map(normal, equation(r))) == wanted, "this is not split so")
            case ["fixed", p, names, r]:
                goal, values = self.predicate(p), self.fixed(names, world, [self.predicate(p)[1]])
                need(alike(of(r), (goal[0], normal(substitute(goal[1], values)))), "another predicate is shown")
            case ["nested", p, both, rows, row, body, one, other]:
                goal, body = self.predicate(p, ("gt0",)), self.term(body)
                both, rows, row = map(self.axes, (both, rows, row))
                need({*both} == {*rows, *row} and len(both) == len(rows) + len(row), "other axes")
                inhabited(both)
                best = of_array("max", row, body)
                pairs = (both, body), (row, body), (rows, best)
                wanted = [("gt0", normal(of_array("gap", axes, f))) for axes, f in pairs]
                need(all(map(alike, (goal, of(one), of(other)), wanted)), "this is about another maximum")
            case ["knowing", p, name, lemmas, r]:
                goal = self.predicate(p)
                need(alike(of(r, self.knowing(text(name), lemmas, world, of)), goal), "another predicate is shown")
            case ["dense", p, somewhere, reasons, r]:
                goal = self.predicate(p, ("ne0",))
                wider, moved = World(world.definitions, {}), set()
                for array, (axes, body) in map(pair, listed(somewhere)):
                    array, axes, body = self.array(array), self.axes(axes), self.term(body)
                    moved.add(array)
                    need(not world.meanings(array), f"{array[0]} is defined")
                    wider = wider.with_definition(array, axes, body)
                moved = frozenset(moved)
                need(not any(b.arrays & moved for a, (_, b) in wider.definitions.items() if a in moved),
                    "a value of what moves")
                still = {name: h for name, h in world.hypotheses.items()
                    if not any(world.moves(t, moved) for t in terms_of(h))}
                fixed = World(world.definitions, still)
                self.explained(values_needed(goal[1], fixed, moved), [of(k, fixed) for k in listed(reasons)])
                for s in everything(goal[1], fixed):
                    need(not fixed.moves(s, moved) or is_analytic(s), f"{s.op} need not be analytic")
                need(alike(of(r, World(wider.definitions, still)), goal), "another predicate is shown")
                goal = "dense", *goal, moved
            case ["given", p, reasons]:
                left, right, conditions, names = discharged(self.equation(p, world), world)
                self.explained(conditions, [of(r) for r in listed(reasons)])
                goal, used = ("eq", left, right), used | names
            case ["continued", p, reasons, dense, continuous]:
                left, right, conditions, names = discharged(self.equation(p, world), world)
                need(not differentiated(left, right), "a derivative")
                found = [of(r, kinds=("dense",)) for r in listed(dense)]
                self.explained(conditions, [of(r) for r in listed(reasons)] + [d[1:3] for d in found])
                moved, about = frozenset().union(*(d[3] for d in found)), [left, right]
                for h in (world.hypotheses[name] for name in names | used):
                    if any(world.moves(t, moved) for t in terms_of(h)):
                        need(h[0] in ("gt0", "ne0"), "a hypothesis need not hold around the point")
                        about += terms_of(h)
                goal, used = ("eq", left, right), used | names
                self.explained([p for t in about for p in values_needed(t, world, moved)],
                    [of(r) for r in listed(continuous)])
            case ["cases", left, right, names, name, about, nonzero_, zero]:
                left, right, about = self.term(left), self.term(right), self.term(about)
                need(not differentiated(left, right) and not about.free,
                    "a derivative, or cases for all values of an index")
                values = self.fixed(names, world, [left, right])
                wanted = tuple(substitute(t, values) for t in (left, right))
                cases = truth_cases(about) if truth(about) else ([("ne0", about)], [("eq", about, ZERO)])
                for k, more in zip((nonzero_, zero), cases):
                    shown = of(k, world.assuming(f"{text(name)}.", more), ("eq",))
                    need(shown[1:] == wanted, "another equation is shown")
                goal = "eq", left, right
            case ["steps", [first, *rest]]:
                left, right = of(first, kinds=("eq",))[1:]
                for r in rest:
                    a, b = of(r, kinds=("eq",))[1:]
                    need(a is right, "one equation does not follow the other")
                    inhabited(a.free - left.free - b.free)
                    right = b
                goal = "eq", left, right
            case _:
                raise Refused("no such reason")
        return goal, used

    def explained(self, conditions, goals):
        for c in conditions:
            need(any(alike(c, g) for g in goals), "a condition has no reason")

    def knowing(self, name, lemmas, world, of):
        """Each lemma may use those before it."""
        for k, r in enumerate(listed(lemmas)):
            world = world.assuming(f"{name}.", [of(r, world, (*KINDS, "eq"))], [k])
        return world

    def fixed(self, names, world, about):
        """Integers of new names in place of indices: what holds for them holds for all values."""
        pairs = [(self.axis(i), text(name)) for i, name in map(pair, listed(names))]
        spoken = [*about, *(b for _, b in world.definitions.values()),
            *(t for h in world.hypotheses.values() for t in terms_of(h))]
        new = {name for _, name in pairs}
        need(len({i for i, _ in pairs}) == len(new) == len(pairs) and not any(t.picks & new for t in spoken),
            "a name is in use")
        return {i: just(node("pick", (name, size_of(i)))) for i, name in pairs}

    def check(self):
        """The statement holds at every point of its region, and there is one."""
        left, right, forward, lengths, formula = self.data["statement"]
        lemmas, values, steps, place = self.data["argument"]
        left, right, forward, lengths = self.term(left), self.term(right), map(self.term, forward), map(self.size,
            lengths)
        moving = differentiated(left)
        region = self.region(moving, lengths, (left, right) if need(type(formula) is bool, "no truth value")
            and formula else forward, formula)
        goal_of = lambda r, w, kinds=("eq",): need(self.shown(r, w)[0][0] in kinds,
            "another kind of reason") and self.shown(r, w)[0]
        where = wider = self.knowing("known", lemmas, region, goal_of)
        wanted = list(values_needed(right, self.world))
        if formula:
            where = self.region(moving, (), (left,), True)
            wanted = [p for p in wanted if not any(alike(p, k) for k in values_needed(left, self.world, facts=True))]
        goals = [goal_of(r, where, (*KINDS, "dense") if formula else KINDS) for r in listed(values)]
        self.explained(wanted, [g[1:3] if g[0] == "dense" else g for g in goals])
        for moved in (g[3] for g in goals if g[0] == "dense"):
            for h in where.hypotheses.values():
                moves = any(where.moves(t, moved) for t in terms_of(h))
                needed = [p for t in terms_of(h) for p in values_needed(t, where, moved)] if moves else []
                need(not moves or h[0] in ("gt0", "ne0") and not needed, "a hypothesis need not hold around a point")
        shown = {} if formula else {k: p for k, p in enumerate(wanted, 1) if not plain(p, wider, set())}
        need(goal_of(steps, wider.assuming("value ", shown.values(), shown.keys())) == ("eq", left, right),
            "another equation is shown")
        sizes, entries, logs, integers = place
        cells = lambda rows, name, value: [(name(a), tuple(map(natural, at)), value(v)) for a, at, v in listed(rows)]
        sizes, integers = [(text(n), natural(v)) for n, v in listed(sizes)], cells(integers, text, natural)
        point = Point(self.world, sizes, cells(entries, self.array, fraction), cells(logs, self.array, fraction),
            integers)
        for h in region.hypotheses.values():
            point.satisfies(h)

    def region(self, moving, lengths, terms, formula):
        facts = dict.fromkeys(("ge0i", n) for n in lengths)
        for t in terms:
            facts |= values_needed(t, self.world, frozenset() if formula else moving, facts=True)
        given = {name: ("gt0", h[1]) if moving and h[0] == "ge0"
            and h[1].arrays else h for name, h in self.world.hypotheses.items()}
        kept = {k: p for k, p in enumerate(facts, 1) if not plain(p, self.world, set())}
        return World(self.world.definitions, given).assuming("fact ", kept.values(), kept.keys())


# --- a point that the statement is about: exact numbers, and intervals around everything else ---
# A number is (low, high, q): between low and high, and the logarithm of q if q is not None.

DOWN, UP = (Context(prec=40, rounding=way, Emax=9999, Emin=-9999) for way in (ROUND_FLOOR, ROUND_CEILING))
BETWEEN = {"sin": (Q(-1), F1, None), "cos": (Q(-1), F1, None), "erf": (Q(-1), F1, None), "atan": (Q(-2), Q(2), None)}

def exact(x): return Q(x), Q(x), None
def decimal(x, context): return context.divide(Decimal(x.numerator), Decimal(x.denominator))

def outward(low, high):
    """Short numbers stay exact, long ones are rounded outward."""
    short = max(low.denominator.bit_length(), high.denominator.bit_length()) < 99
    return (low, high, None) if short else (Q(decimal(low, DOWN)), Q(decimal(high, UP)), None)

def ends(f, low, high):
    """A growing function that `decimal` rounds correctly, at both ends."""
    below, above = f(decimal(low, DOWN), DOWN), f(decimal(high, UP), UP)
    return Q(DOWN.next_minus(below)), Q(UP.next_plus(above)), None

def multiplied_numbers(xs):
    out = exact(1)
    for x in xs:
        corners = [a * b for a in out[:2] for b in x[:2]]
        out = outward(min(corners), max(corners))
    return out

def raised_number(x, q):
    if q < 0:
        need(x[0] > 0 or x[1] < 0, "a division by 0 at the point")
        return raised_number((1 / x[1], 1 / x[0], None), -q)
    if q.denominator == 1:
        corners = [x[0] ** int(q), x[1] ** int(q)]
        return outward(Q(0) if x[0] < 0 < x[1] and q % 2 == 0 else min(corners), max(corners))
    need(x[0] >= 0, "a root of a negative number at the point")
    below, above = (root_of(end ** q.numerator, q.denominator) for end in x[:2])
    return outward(below[0], above[1])

def root_of(x, n):
    """Bounds of the n-th root, equal where it is rational."""
    tops = []
    for m in (x.numerator, x.denominator):
        r = round(m ** (1 / n)) if m < 1 << 50 else 0
        tops.append(r if r**n == m else None)
    if None not in tops:
        return Q(*tops), Q(*tops)
    scale, low, high = 1 << 64, 0, 1
    while Q(high, scale) ** n <= x:
        high *= 2
    while high - low > 1:
        low, high = ((low + high) // 2, high) if Q((low + high) // 2, scale) ** n <= x else (low, (low + high) // 2)
    return Q(low, scale), Q(high, scale)

class Point:
    def __init__(self, world, sizes, entries, logs, integers):
        self.world, self.sizes, self.left = world, dict(sizes), LIMIT
        self.entries, self.integers = {(a, at): exact(q) for a, at, q in entries}, {(a, at): n for a, at, n in integers}
        self.entries |= {(a, at): self.log(exact(q)) for a, at, q in logs}
        need(all(natural(v) >= LEAST.get(n, 1) for n, v in sizes), "a size below the least")

    def satisfies(self, h):
        """The hypothesis holds here for all values of its indices, of which there are some."""
        indices = order(frozenset().union(*(t.free for t in h[1:])))
        cases = list(product(*(range(self.whole(size_of(i))) for i in indices)))
        need(cases, "a hypothesis speaks of nothing at the point")
        for case in cases:
            low, high, *_ = self.difference(h[1:], dict(zip(indices, case)))
            fine = {"gt0": low > 0, "ge0": low >= 0, "ge0i": low >= 0, "ne0": low > 0 or high < 0,
                "eq": low == high == 0}[h[0]]
            need(fine, "a hypothesis is not seen to hold at the point")

    def difference(self, terms, here):
        if terms[0].op == "int":
            return exact(self.whole(terms[0], here))
        values = [self.value(t, here) for t in terms]
        exactly = all(low == high for low, high, _ in values)
        return values[0] if len(values) == 1 else exact(values[0][0] - values[1][0]) if exactly else (Q(-1), F1, None)

    def whole(self, e, here=(), stack=()):
        return sum(c * prod(self.atom(a, here, stack) for a in m) for m, c in e.data)

    def atom(self, a, here, stack):
        if a.op == "n":
            return self.sizes[a.data[0]]
        if a.op != "pick":
            return here[a] if a.op == "i" else stack[-1 - a.data[0]]
        value = self.integers[a.data[0], tuple(self.whole(e, here, stack) for e in a.at)]
        return need(value < self.whole(a.data[1], here, stack), f"an entry of {a.data[0]} is too large") and value

    def value(self, t, here, stack=()):
        self.left -= 1
        need(self.left > 0, "the point is too large to look at")
        at = tuple(self.whole(e, here, stack) for e in t.at)
        match t.op:
            case "num" | "size":
                return exact(t.data[0] if t.op == "num" else self.whole(*t.data))
            case "ord" | "range" | "delta":
                return exact(at[0] if t.op == "ord" else at[0] >= 0 if t.op == "range" else at[0] == at[1])
            case "entry" if t.data in self.world.definitions:
                axes, body = self.world.definitions[t.data]
                return self.value(body, dict(zip(axes, at)))
            case "entry" if t.data == PI.data:
                return Q(314159265358979, 10**14), Q(314159265358980, 10**14), None
            case "entry":
                return self.entries[t.data, at]
            case "sum" | "whole":
                sizes = [range(self.whole(n)) for n in (t.data if t.op == "sum" else t.data[2])]
                cells = {k: self.value(*t.terms, here, stack + k) for k in product(*sizes)}
                return self.added(cells.values()) if t.op == "sum" else self.of_array(t.data[0], cells, at)
        xs = [self.value(s, here, stack) for s in t.terms]
        match t.op:
            case "add":
                return self.added(xs)
            case "mul":
                return multiplied_numbers(xs)
            case "pow":
                return raised_number(xs[0], t.data[0])
            case "step":
                return exact(1) if xs[0][0] > 0 else exact(0) if xs[0][1] <= 0 else (Q(0), F1, None)
            case "app" if t.data == ("exp", 0):
                return exact(xs[0][2]) if xs[0][2] is not None else exact(1) if xs[0] == exact(0) else ends(
                    Decimal.exp, *xs[0][:2])
            case "app" if t.data == ("log", 0):
                return self.log(xs[0])
            case "app" if t.data[1] == 0 and t.data[0] in EXPONENTIALS:
                need(t.data[0] != "cosh" or xs[0][0] >= 0 or xs[0][1] <= 0, "cosh around 0")
                both_ends = [self.value(EXPONENTIALS[t.data[0]](num(end)), here) for end in xs[0][:2]]
                return min(x[0] for x in both_ends), max(x[1] for x in both_ends), None
            case "app" if t.data[1] == 0 and t.data[0] in BETWEEN:
                return BETWEEN[t.data[0]]
        raise Refused(f"{t.data or t.op} has no value at the point")

    def log(self, x):
        need(x[0] > 0, "a logarithm of no positive number at the point")
        return exact(0) if x == exact(1) else (*ends(Decimal.ln, *x[:2])[:2], x[0] if x[0] == x[1] else None)

    def added(self, xs):
        low, high = (sum((x[k] for x in xs), Q(0)) for k in (0, 1))
        return outward(low, high)

    def of_array(self, fn, cells, at):
        need(cells and fn in ("max", "min", "prod", "gap", "det", "inv"), f"{fn} has no value at the point")
        xs = sorted(cells.values(), key=lambda x: x[:2], reverse=True)
        if fn in ("max", "min"):
            pick = max if fn == "max" else min
            return pick(x[0] for x in xs), pick(x[1] for x in xs), None
        if fn == "prod":
            return multiplied_numbers(xs)
        if fn == "gap":
            return exact(1) if len(xs) == 1 else (xs[0][0] - max(x[1] for x in xs[1:]), xs[0][1] - xs[1][0], None)
        lines = sorted({k[0] for k in cells})
        whole_ = self.determinant(cells, lines, lines)
        if fn == "det":
            return whole_
        minor = self.determinant(cells, [i for i in lines if i != at[1]], [j for j in lines if j != at[0]])
        return multiplied_numbers([exact((-1) ** sum(at)), minor, raised_number(whole_, Q(-1))])

    def determinant(self, cells, rows, columns):
        if not rows:
            return exact(1)
        minors = [self.determinant(cells, rows[1:], columns[:k] + columns[k + 1:]) for k in range(len(columns))]
        return self.added([multiplied_numbers([exact((-1) ** k), cells[rows[0], j], m])
            for k, (j, m) in enumerate(zip(columns, minors))])


# === files ===========================================================================================================

def least_sizes(least):
    need(type(least) is dict and all(natural(n) for n in least.values()), "least sizes are numbers from 1 on")
    if least != LEAST:
        LEAST.clear()
        LEAST.update(least)
        for remembered in (at_least_0, bounds, canonical):
            remembered.cache_clear()
        EXPANDED.clear()

def read_size(row):
    items = [(tuple(map(text, listed(m))), c) for m, c in map(pair, row)]
    need(all(type(c) is int and c and m == tuple(sorted(m)) for m, c in items), "a monomial out of order, or 0 times")
    need(all(len(m) <= 12 for m, _ in items), "a size of too high a degree")
    need(items == sorted(items) and len({m for m, _ in items}) == len(items), "monomials out of order, or one twice")
    return integer((order(node("n", (name,)) for name in m), c) for m, c in items)

def closed(x): return need(not x.reach, "a dummy without a binder") and x
def text(x): return need(type(x) is str and x != "", "a name is missing") and x
def natural(x): return need(type(x) is int and x >= 0, f"{str(x)[:30]} is no natural number") and x
def fraction(x): return need(str(Q(text(x))) == x, f"{x[:30]} is no fraction in lowest terms") and Q(x)
def listed(x): return need(type(x) is list, f"{str(x)[:30]} is no list") and x
def pair(x): return need(len(listed(x)) == 2, "no pair") and x

def at_row(table, k, read, row):
    """What is read from a row; where it is refused, the message says which row it is."""
    try:
        return read(listed(row))
    except Refused as cause:
        raise cause if type(cause) is RefusedRow else RefusedRow(f"{table} {k}: {cause}") from None
    except MALFORMED as cause:
        raise RefusedRow(f"{table} {k}: malformed ({cause})") from None

def recheck(data: Any) -> None:
    """Raises Refused unless the certificate, as `json.load` gives it, proves its claim."""
    deepest = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(max(deepest, 20_000))
        (Theorem if type(data) is dict and "statement" in data else Certificate)(data).check()
    except RecursionError:
        raise Refused("nested too deeply") from None
    except MALFORMED as cause:
        raise Refused(f"malformed ({type(cause).__name__}: {cause})") from None
    finally:
        sys.setrecursionlimit(deepest)

def verify(path: str) -> bool:
    """Whether all certificates of a file are accepted; says of each, in a line, what it states or why it is refused."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as cause:
        print(f"{path}: refused: no JSON ({cause})")
        return False
    fine = True
    for k, data in enumerate(found if type(found) is list else [found]):
        name = f"{path}[{k}]" if type(found) is list else path
        try:
            recheck(data)
            print(f"{name}: accepted, {len(data['steps'])} steps")
        except Refused as cause:
            print(f"{name}: refused: {cause}")
            fine = False
    return fine

def main(paths: list[str]) -> int:
    try:
        return int(not all([verify(path) for path in paths]))
    except OSError as cause:
        print(f"{cause.filename}: {cause.strerror}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
