#!/usr/bin/env python3
"""Re-checks certificates of symbackprop:  python recheck.py FILE...   (exit code 1 if one is refused)

One file, the standard library, no line shared with the program that wrote the certificate: whoever reads this file need
not believe that program.  The format is described in docs/certificates.md.

What a certificate says.  Sizes are whole numbers (at least 1, or at least what the certificate states), arrays are real
functions on all integer tuples, every function is total, 1/0 = 0 and 0^q = 0 for q != 0.  A step proves an equation for
all sizes, all arrays and all values of its free indices, wherever its conditions hold for all values of theirs.
The order of reading: whole numbers, terms, sums of products, signs, smoothness, laws, steps, the certificate.
"""

import json
import sys
from fractions import Fraction as Q
from functools import lru_cache
from itertools import count, permutations, product
from math import factorial, prod


class Refused(Exception):
    """The certificate does not prove what it says."""


def need(holds, cause):
    if not holds:
        raise Refused(cause)


# === nodes ===========================================================================================================
# Everything is a node: `op`, some plain data, terms inside, index expressions inside.  Equal nodes are one object, so
# `is` decides equality, and `serial` orders them.  Dummies are nameless: ("b", k) is bound by the k-th binder outwards.


class Node:
    __slots__ = ("arrays", "at", "data", "free", "normal", "op", "reach", "serial", "terms")


TABLE = {}


def node(op, data=None, terms=(), at=()):
    key = (op, data, terms, at)
    found = TABLE.get(key)
    if found is None:
        found = TABLE[key] = Node()
        found.op, found.data, found.terms, found.at, found.serial, found.normal = op, data, terms, at, len(TABLE), None
        inside = [*terms, *at, *(a for m, _ in data for a in m)] if op == "int" else [*terms, *at]
        around = max((s.reach for s in terms), default=0) - binders(found)
        found.reach = data + 1 if op == "b" else max([around, 0, *(e.reach for e in inside[len(terms) :])])
        found.free = frozenset((found,)) if op in ("i", "?") else frozenset().union(*(x.free for x in inside))
        found.arrays = frozenset((data,) if op == "entry" else ()).union(*(s.arrays for s in terms))
    return found


def binders(x):
    return len(x.data) if x.op == "sum" else len(x.data[2]) if x.op == "whole" else 0


def order(nodes):
    return tuple(sorted(nodes, key=lambda x: x.serial))


# === whole numbers: sizes and index expressions ======================================================================
# ("int", ((monomial, coefficient)...)): a polynomial with integer coefficients in atoms: sizes ("n", name), and at most
# one of each monomial an index: ("i", (name, size)), a dummy ("b", k), or an entry of an integer array ("pick", (name, size)).


def integer(items):
    total = {}
    for m, c in items:
        total[m] = total.get(m, 0) + c
    kept = [(m, c) for m, c in total.items() if c]
    return node("int", tuple(sorted(kept, key=lambda x: [a.serial for a in x[0]]) if len(kept) > 1 else kept))


@lru_cache(None)
def whole(n):
    return integer([((), n)])


@lru_cache(None)
def just(atom):
    return integer([((atom,), 1)])


@lru_cache(1 << 18)
def plus(a, b):
    return integer(a.data + b.data) if a.data and b.data else a if a.data else b


@lru_cache(1 << 18)
def times(a, b):
    return integer((order(m + n) if m and n else m or n, c * d) for m, c in a.data for n, d in b.data)


def minus(a, b):
    return plus(a, times(whole(-1), b))


def number(s):
    """The number, if no atom occurs."""
    return 0 if not s.data else s.data[0][1] if len(s.data) == 1 and s.data[0][0] == () else None


@lru_cache(1 << 18)
def split(e):
    """e = constant + Σ coefficient * index atom"""
    rest, found = [], {}
    for m, c in e.data:
        atom = next((a for a in m if a.op != "n"), None)
        if atom is None:
            rest.append((m, c))
        else:
            found.setdefault(atom, []).append((tuple(a for a in m if a is not atom), c))
    return integer(rest), tuple((a, integer(found[a])) for a in order(found))


LEAST = {}  # the least value of a size, where it is not 1; cleared for every certificate


@lru_cache(1 << 18)
def at_least_0(s):
    """Whether s >= 0 is plain: with n = least + n' no coefficient is negative."""
    total = {}
    for m, c in s.data:
        for moved in product((False, True), repeat=len(m)):
            left = tuple(a for a, keep in zip(m, moved) if keep)
            total[left] = total.get(left, 0) + c * prod(LEAST.get(a.data, 1) for a, keep in zip(m, moved) if not keep)
    return all(c >= 0 for c in total.values())


def at_least_1(s):
    return at_least_0(minus(s, whole(1)))


def size_of(atom):
    return atom.data[1]


@lru_cache(1 << 18)
def bounds(e):
    """Least and greatest value over the ranges of the indices, or None."""
    low, parts = split(e)
    high = low
    for atom, k in parts:
        if atom.reach:
            return None
        top = times(k, minus(size_of(atom), whole(1)))
        if at_least_0(k):
            high = plus(high, top)
        elif at_least_0(minus(whole(0), k)):
            low = plus(low, top)
        else:
            return None
    return low, high


def never_negative(e):
    found = bounds(e)
    return found is not None and at_least_0(found[0])


def always_negative(e):
    found = bounds(e)
    return found is not None and at_least_1(minus(whole(0), found[1]))


def never_zero(e):
    return never_negative(minus(e, whole(1))) or always_negative(e)


def inside(e, size):
    """0 <= e < size"""
    return never_negative(e) and never_negative(minus(minus(size, whole(1)), e))


def quotients(e):
    """Ways to write e = s a + b."""
    constant, parts = split(e)
    coefficients = [item for _, k in parts for item in k.data]
    symbols = sorted({a for m, _ in coefficients for a in m}, key=lambda a: a.data)
    for s in (*symbols, *sorted({abs(c) for _, c in coefficients if abs(c) > 1}, reverse=True)):
        by = whole(s) if type(s) is int else just(s)
        over, left = zip(*(divided(k, s) for _, k in parts))
        over = [(a, q) for (a, k), q, r in zip(parts, over, left) if not r.data]
        left = [(a, k) for (a, k), r in zip(parts, left) if r.data]
        a, b = divided(constant, s)
        for atom, k in over:
            a = plus(a, times(k, just(atom)))
        rest = number(b)
        for atom, k in left:
            b = plus(b, times(k, just(atom)))
        turns = [0, -1, 1]
        if over and type(s) is int and rest is not None and abs(rest) > s:
            turns.append(rest // s)
        for turn in turns if over else ():
            yield by, plus(a, whole(turn)), minus(b, times(by, whole(turn)))


def divided(k, s):
    """Quotient and rest of a size by a symbol or a number, monomial by monomial."""
    out, rest = [], []
    for m, c in k.data:
        if type(s) is int and c % s == 0:
            out.append((m, c // s))
        elif type(s) is not int and s in m:
            place = m.index(s)
            out.append((m[:place] + m[place + 1 :], c))
        else:
            rest.append((m, c))
    return integer(out), integer(rest)


# === terms ===========================================================================================================
#   num(q)  size(s)  entry[name, label](e..)  ord(e)  delta(e, e)  add(t..)  mul(t..)  pow[q](t)  app[fn, order](t)
#   sum[size](t)  diff(t, entry)  whole[fn, order, sizes](t)(e..)  step(u) = [u > 0]  range(e) = [e >= 0]


def num(q):
    return node("num", Q(q))


ZERO, ONE = num(0), num(1)


def add(*terms):
    return node("add", None, terms)


def mul(*terms):
    return node("mul", None, terms)


def product_of(terms):
    return terms[0] if len(terms) == 1 else mul(*terms) if terms else ONE


def neg(t):
    return mul(num(-1), t)


def sub(a, b):
    return add(a, neg(b))


def power(base, q):
    return node("pow", Q(q), (base,))


def app(fn, t, degree=0):
    return node("app", (fn, degree), (t,))


def ordinal(e):
    return node("ord", None, (), (e,))


def delta(i, j):
    return node("delta", None, (), (i, j))


def step(u):
    return node("step", None, (u,))


def in_range(e):
    return node("range", None, (), (e,))


def diff(t, w):
    return node("diff", None, (t, w))


def mapped(x, f, touched, depth=0, memo=None):
    """x with f(atom, binders around it) in place of its index atoms; only parts that are touched are rebuilt."""
    if not touched(x, depth):
        return x
    memo = {} if memo is None else memo
    if (x, depth) not in memo:
        if x.op == "int":
            out, parts = split(x)
            for atom, k in parts:
                new = mapped(atom, f, touched, depth, memo)
                out = plus(out, times(k, just(atom) if new is atom else new))
        elif x.op in ("i", "b", "?"):
            out = f(x, depth)
        else:
            terms = tuple(mapped(s, f, touched, depth + binders(x), memo) for s in x.terms)
            out = node(x.op, x.data, terms, tuple(mapped(e, f, touched, depth, memo) for e in x.at))
            out = just(out) if x.op == "pick" else out
        memo[x, depth] = out
    return memo[x, depth]


def substitute(x, values):
    """x with whole numbers in place of free indices."""
    return mapped(x, lambda a, _: values.get(a) or just(a), lambda y, _: not y.free.isdisjoint(values))


def bind(axes, body):
    """body with these indices nameless; the last is the innermost."""
    need(len(set(axes)) == len(axes) and not body.reach, "an index is bound twice, or a dummy would be captured")
    place = {a: len(axes) - 1 - k for k, a in enumerate(axes)}
    return mapped(
        body,
        lambda a, d: just(node("b", d + place[a])) if a in place else just(a),
        lambda y, _: not y.free.isdisjoint(place),
    )


def opened(body, at):
    """The body of len(at) binders with these index expressions for its dummies."""

    def f(a, depth):
        if a.op == "i" or a.data < depth:
            return just(a)
        need(a.data - depth < len(at), "a dummy without a binder")
        return at[len(at) - 1 - (a.data - depth)]

    return mapped(body, f, lambda y, depth: y.reach > depth)


def sums(axes, body):
    for a in reversed(axes):
        body = node("sum", (size_of(a),), (bind((a,), body),))
    return body


def array_function(fn, degree, axes, body, at=()):
    return shaped(node("whole", (fn, degree, tuple(map(size_of, axes))), (bind(axes, body),), tuple(at)))


def beside(w, fn, at=()):
    """Another function of the same array."""
    return shaped(node("whole", (fn, 0, w.data[2]), w.terms, tuple(at)))


INDICES = {"inv": 2, "det": 0, "max": 0, "argmax": None, "prod": 0, "gap": 0, "min": 0, "pinv": 2}  # None: as the array


def shaped(w):
    fn, degree, sizes = w.data
    if fn not in INDICES:
        need(len(w.at) >= degree * len(sizes), f"a derivative of {fn} with too few indices")
    else:
        wanted = len(sizes) if INDICES[fn] is None else INDICES[fn]
        need(degree == 0 and len(w.at) == wanted, f"{fn} with {len(w.at)} indices")
        need(fn not in ("inv", "det") or (len(sizes) == 2 and sizes[0] is sizes[1]), f"{fn} of what is not square")
    return w


def own_axes(t):
    """Indices for the dummies of a sum or a function of an array that nothing else is called by."""
    sizes = t.data if t.op == "sum" else t.data[2]
    return tuple(node("i", ((t.serial, k), s)) for k, s in enumerate(sizes))


def own_body(t):
    return opened(t.terms[0], tuple(map(just, own_axes(t))))


def normal(t):
    """The term with the arguments of its sums and products in a fixed order, and δ(i, j) as δ(±(i - j), 0)."""
    if t.normal is None:
        terms = tuple(map(normal, t.terms))
        if t.op in ("add", "mul"):
            terms = order(terms)
        at = t.at
        if t.op == "delta":
            at = order((minus(*at), minus(at[1], at[0])))[:1] + (whole(0),)
        t.normal = node(t.op, t.data, terms, at)
        t.normal.normal = t.normal
    return t.normal


# === sums of products ================================================================================================
# A monomial is (coefficient, dummies, ((base, exponent)...)).  Two terms with the same monomials, up to the names of the
# dummies, are equal wherever the conditions met on the way (b^p b^q = b^{p+q} needs b != 0) hold.


def zero_or_one(b):
    return b.op in ("delta", "range", "step")


def plainly_positive(b):
    return b.op == "num" and b.data > 0 or b.op == "app" and b.data == ("exp", 0) or b.op == "size" and is_symbol(b.data)


def is_symbol(s):
    return len(s.data) == 1 and s.data[0][1] == 1 and len(s.data[0][0]) == 1


def merged(factors, needs):
    """Equal bases brought together."""
    found = {}
    for b, e in factors:
        b = normal(b)
        if zero_or_one(b):  # its powers are itself
            found[b] = Q(1)
        elif b not in found:
            found[b] = e
        else:
            old, found[b] = found[b], found[b] + e
            if plainly_positive(b):
                continue
            if e.denominator > 1 or old.denominator > 1:
                needs.add(("gt0", b))
            elif (e > 0) != (old > 0):
                needs.add(("ne0", b))
    return {b: e for b, e in found.items() if e}


EXPANDED = {}  # term: monomials, conditions
LIMIT = 100_000


def expand(t, needs):
    """The monomials of a term."""
    if t not in EXPANDED:
        mine = set()
        EXPANDED[t] = monomials(t, mine), frozenset(mine)
        need(len(EXPANDED[t][0]) <= LIMIT, "a sum of too many products")
    needs |= EXPANDED[t][1]
    return EXPANDED[t][0]


def monomials(t, needs):
    match t.op:
        case "num":
            return [(t.data, (), ())] if t.data else []
        case "size":
            symbols = lambda m: tuple(merged([(node("size", just(a)), Q(1)) for a in m], needs).items())  # noqa: E731
            return [(Q(c), (), symbols(m)) for m, c in t.data.data]
        case "ord":
            constant, parts = split(t.at[0])
            if t.at[0] is whole(0) or not constant.data and len(parts) == 1 and parts[0][1] is whole(1):
                return [(Q(1), (), ((t, Q(1)),))] if parts else []
            atoms = [mul(node("size", k), ordinal(just(a))) for a, k in parts]
            return expand(add(node("size", constant), *atoms), needs)
        case "add":
            return [m for s in t.terms for m in expand(s, needs)]
        case "mul":
            out = [(Q(1), (), ())]
            for s in t.terms if ZERO not in t.terms else (ZERO,):
                out = multiplied(out, expand(s, needs), needs) if out else []
            return out
        case "pow":
            return raised(t.terms[0], t.data, needs)
        case "sum":
            n = number(t.data[0])
            if n is not None and n <= 6:
                return [m for v in range(n) for m in expand(opened(t.terms[0], (whole(v),)), needs)]
            axes = fresh(t.data)
            return summed(axes, expand(opened(t.terms[0], tuple(map(just, axes))), needs), needs)
        case "app" if t.data == ("exp", 0):  # e^{a + 2b} = e^a (e^b)^2
            parts = [(app("exp", closed), c) for closed, c in collected(expand(t.terms[0], needs)).items()]
            return [(Q(1), (), tuple(merged(parts, needs).items()))]
        case _:
            return tidy(Q(1), (), ((t, Q(1)),), needs)


def multiplied(left, right, needs):
    need(len(left) * len(right) <= LIMIT, "a product of too many sums")
    out = []
    for c, dummies, factors in left:
        for k, others, more in right:
            if not factors or not more:
                out.append((c * k, dummies + others, factors + more))
                continue
            if not set(others).isdisjoint(dummies):
                others, more = renamed(others, more)
            out += tidy(c * k, dummies + others, factors + more, needs)
    return out


FRESH = count(1)


def fresh(sizes):
    """Indices that nothing else is called by."""
    return tuple(node("i", ((-next(FRESH),), s)) for s in sizes)


def renamed(dummies, factors):
    new = fresh(map(size_of, dummies))
    values = dict(zip(dummies, map(just, new)))
    return new, tuple((substitute(b, values), e) for b, e in factors)


def summed(axes, found, needs):
    """Σ over these axes of monomials."""
    out = []
    for c, dummies, factors in found:
        if not set(dummies).isdisjoint(axes):
            dummies, factors = renamed(dummies, factors)
        out += tidy(c, dummies + axes, factors, needs)
    return out


def raised(base, q, needs):
    """base^q"""
    if q == 0:
        return [(Q(1), (), ())]
    raw = expand(base, needs)
    found = like(raw)
    if not found:
        return []
    if len(found) == 1 and not found[0][1]:
        return raised_monomial(found[0][0], found[0][2], q, needs)
    if q.denominator == 1 and q > 0:
        need(q <= 64, "a power above 64")
        out = found
        for _ in range(int(q) - 1):
            out = like(multiplied(out, raw, needs))
        return out
    return [(Q(1), (), ((normal(base), q),))]


def raised_monomial(c, factors, q, needs):
    """(c Π b^e)^q: an integer power goes to all factors, a root to the positive ones."""
    need((c.numerator.bit_length() + c.denominator.bit_length() - 2) * abs(q) <= 1_000_000, "a number with too many digits")
    if q.denominator == 1:
        needs |= {("gt0", b) for b, e in factors if e.denominator > 1 and not plainly_positive(b)}
        return tidy(c ** int(q), (), tuple((b, e * q) for b, e in factors), needs)
    out = [(b, e * q) for b, e in factors if plainly_positive(b)]
    rest = [b if e == 1 else power(b, e) for b, e in factors if not plainly_positive(b)]
    if c > 0:
        out += [(num(p), k * q) for p, k in primes(c)]
    else:
        rest = [num(c), *rest]
    if rest:
        out.append((product_of(rest), q))
    return tidy(Q(1), (), tuple(out), needs)


def primes(c):
    """c = Π p^k; a factor without a divisor below 1000 stays whole."""
    out = []
    for n, sign in ((c.numerator, 1), (c.denominator, -1)):
        for p in range(2, 1000):
            k = 0
            while n > 1 and n % p == 0:
                n, k = n // p, k + 1
            if k:
                out.append((p, sign * k))
        if n > 1:
            out.append((n, sign))
    return out


def tidy(c, dummies, factors, needs):
    """One monomial with deltas contracted, numbers taken out, and dummies that nothing uses counted."""
    factors = merged(factors, needs)
    while True:
        for b, e in factors.items():
            rest = [(x, y) for x, y in factors.items() if x is not b]
            if b.op == "num":
                k = e if e.denominator == 1 else Q(e.numerator // e.denominator) if b.data > 0 else Q(0)
                if not k:
                    continue
                c *= b.data ** int(k) if b.data else 0
                factors = merged([*rest, (b, e - k)] if e != k else rest, needs)
                break
            change = contracted(b, dummies, rest)
            if change is not None:
                dummies, rest = change
                if rest is None:
                    return []
                factors = merged(rest, needs)
                break
        else:
            break
    used = frozenset().union(*(b.free for b in factors))
    out = [(c, tuple(a for a in dummies if a in used), tuple(factors.items()))]
    for a in dummies:
        if a not in used:
            if not at_least_0(size_of(a)):  # Σ_i 1 = n for n >= 0
                needs.add(("ge0i", size_of(a)))
            out = multiplied(out, expand(node("size", size_of(a)), needs), needs)
    return [m for found in out for m in multiplied_out(found, needs)]


def multiplied_out(m, needs):
    """Compound bases with positive integer exponents are sums of products again; of e >= 0 and e < 0 one is written."""
    c, dummies, factors = m
    for b, e in factors:
        rest = tuple((x, y) for x, y in factors if x is not b)
        if b.op == "range" and turned(b.at[0]):
            other = in_range(minus(whole(-1), b.at[0]))
            return tidy(c, dummies, rest, needs) + tidy(-c, dummies, (*rest, (other, Q(1))), needs)
        if e.denominator == 1 and e > 0 and (b.op in ("add", "mul", "pow", "sum") or b.op == "size" and not is_symbol(b.data)):
            out = []
            for k, others, more in raised(b, e, needs):
                if not set(others).isdisjoint(dummies):
                    others, more = renamed(others, more)
                out += tidy(c * k, dummies + others, rest + more, needs)
            return out
    return [m]


def turned(e):
    constant, _ = split(e)
    return bool(constant.data) and max((len(m), sorted(a.data for a in m), k) for m, k in constant.data)[2] < 0


def contracted(b, dummies, rest):
    """What a δ or [e >= 0] does to the other factors: (dummies, factors), with None for factors when all is 0; or None."""
    if b.op == "range":
        return contracted_range(b.at[0], dummies, rest)
    if b.op != "delta":
        return None
    gap = minus(*b.at)
    if not gap.data:
        return dummies, rest
    if never_zero(gap):
        return dummies, None
    solved = solutions(gap)
    for a, value in solved:
        if a in dummies:
            edges = [x for x in (value, minus(minus(size_of(a), whole(1)), value)) if not never_negative(x)]
            moved = [(substitute(x, {a: value}), e) for x, e in rest] + [(in_range(x), Q(1)) for x in edges]
            return tuple(d for d in dummies if d is not a), moved
    for s, one, other in quotients(gap):  # gap = s one + other with |other| < s
        top = minus(s, whole(1))
        if never_negative(minus(top, other)) and never_negative(plus(top, other)):
            return dummies, [*rest, (delta(one, whole(0)), Q(1)), (delta(other, whole(0)), Q(1))]
    if solved:
        a, value = max(solved, key=lambda x: (type(x[0].data[0]) is tuple, x[0].data[0]))
        if any(a in x.free for x, _ in rest):
            return dummies, [*((substitute(x, {a: value}), e) for x, e in rest), (b, Q(1))]
    return None


def contracted_range(e, dummies, rest):
    if never_negative(e):
        return dummies, rest
    if always_negative(e):
        return dummies, None
    for s, one, other in quotients(e):  # e = s one + other with 0 <= other < s
        if inside(other, s):
            return dummies, [*rest, (in_range(one), Q(1))]
    for x, _ in rest:
        if x.op == "delta":
            for a, value in solutions(minus(*x.at)):
                k = dict(split(e)[1]).get(a)
                there = e if k is None else plus(minus(e, times(k, just(a))), times(k, value))
                if never_negative(there):
                    return dummies, rest
                if always_negative(there):
                    return dummies, None
        if x.op == "range":
            f = x.at[0]
            if always_negative(plus(e, f)):
                return dummies, None
            if e is not f and never_negative(minus(e, f)):
                return dummies, rest
            if not plus(e, f).data:
                return dummies, [*((y, q) for y, q in rest if y is not x), (delta(e, whole(0)), Q(1))]
    return None


@lru_cache(1 << 16)
def solutions(gap):
    """The named indices whose value follows from gap = 0."""
    found = []
    for a, k in split(gap)[1]:
        if a.op == "i" and number(k) in (1, -1) and not any(a in x.free for x, _ in split(gap)[1] if x is not a):
            found.append((a, minus(just(a), times(k, gap))))
    return found


def collected(found):
    """{Σ Π with its dummies in a canonical order: coefficient}"""
    total = {}
    for c, dummies, factors in found:
        closed = canonical(dummies, frozenset(factors))
        total[closed] = total.get(closed, 0) + c
    return {closed: c for closed, c in total.items() if c}


def like(found):
    """The monomials with like ones added."""
    total = {}
    for c, dummies, factors in found:
        closed = canonical(dummies, frozenset(factors))
        old = total.get(closed)
        total[closed] = (c + old[0], *old[1:]) if old else (c, dummies, factors)
    return [m for m in total.values() if m[0]]


@lru_cache(1 << 18)
def canonical(dummies, factors):
    """Σ_{dummies} Π factors: the same node for all names and orders of the dummies."""
    body = product_of(tuple(b if e == 1 else power(b, e) for b, e in factors))
    groups, colours = [], dict.fromkeys(dummies, 0)
    while len(dummies) > 1:  # dummies are told apart by what they stand in, then by whom they meet there
        found = {}
        for a in dummies:
            found.setdefault((colours[a], *seen_from(a, colours, factors)), []).append(a)
        if len(found) == len(groups):
            break
        groups = [found[k] for k in sorted(found)]
        colours = {a: n for n, group in enumerate(groups) for a in group}
    groups = groups or [list(dummies)]
    need(prod(factorial(len(g)) for g in groups) <= 40_320, "too many dummies that look alike in one product")
    best = None
    for orders in product(*map(permutations, groups)):
        row = [a for group in orders for a in group]
        closed = normal(bind(row, body))
        for a in reversed(row):
            closed = node("sum", (size_of(a),), (closed,))
        best = closed if best is None or closed.serial < best.serial else best
    return normal(best)


def seen_from(a, colours, factors):
    """What can be said of a dummy without naming the others."""
    marks = {x: just(node("i", ((0, 1 + n), size_of(x)))) for x, n in colours.items()}
    marks[a] = just(node("i", ((0, 0), size_of(a))))
    seen = sorted((normal(substitute(b, marks)).serial, e) for b, e in factors if a in b.free)
    return size_of(a).serial, tuple(seen)


# === definitions, hypotheses, conditions =============================================================================
# A predicate is (kind, t): gt0 t > 0, ne0 t != 0, ge0 t >= 0, ge0i e >= 0, for all values of the free indices of t.


class World:
    def __init__(self, definitions, hypotheses):
        self.definitions, self.hypotheses, self.looked = definitions, hypotheses, {}
        self.facts = [(name, *h) for name, h in hypotheses.items() if h[0] in ("gt0", "ne0", "ge0")]
        for array in definitions:
            self.behind(array)

    def meanings(self, array):
        """Definitions of the array, and of those that may be the same one: W^l and W^L."""
        return [m for a, m in self.definitions.items() if not apart(a, array)]

    def behind(self, array):
        """The array, and all that its definition looks at."""
        if array not in self.looked:
            self.looked[array] = None
            inner = {a for _, body in self.meanings(array) for a in body.arrays}
            self.looked[array] = frozenset((array,)).union(*map(self.behind, inner))
        need(self.looked[array] is not None, f"the definition of {array[0]} comes back to itself")
        return self.looked[array]

    def moves(self, t, variables):
        """Whether one of these variables may occur in t or in the definitions that it rests on."""
        return not all(apart(b, v) for a in t.arrays for b in self.behind(a) for v in variables)

    def entry(self, array, at):
        """The entry by its definition."""
        axes, body = self.definitions[array]
        need(len(at) == len(axes), f"{array[0]} with another number of indices")
        return substitute(body, dict(zip(axes, at)))


PI = ("pi", None)


def apart(a, b):
    """Certainly two arrays."""
    if a[0] != b[0]:
        return True
    if a[1] is None or b[1] is None:
        return False
    return at_least_1(minus(a[1], b[1])) or at_least_1(minus(b[1], a[1]))


def defined(definitions, array, axes, body):
    need(array not in definitions and array[0] != PI[0], f"{array[0]} is defined twice, or is a number")
    need(body.free <= set(axes), f"{array[0]} depends on more than its axes")
    return {**definitions, array: (axes, body)}


# --- is a term an instance of a pattern ---


@lru_cache(1 << 14)
def pattern(t):
    return substitute(t, {a: just(node("?", (k, size_of(a)))) for k, a in enumerate(order(t.free))})


def instance(p, t):
    """Whether t is p at some values of its free indices, each inside its range; factors and summands in any order."""
    found = match(pattern(p), t, {})
    return any(all(inside(e, size_of(a)) for a, e in values.items()) for values in found)


def match(p, t, values):
    if p.op != t.op or p.data != t.data or len(p.terms) != len(t.terms) or len(p.at) != len(t.at):
        return
    for v in match_row(match_index, p.at, t.at, values):
        if p.op in ("add", "mul"):
            yield from match_any_order(p.terms, t.terms, v)
        else:
            yield from match_row(match, p.terms, t.terms, v)


def match_row(one, ps, ts, values):
    if not ps:
        yield values
    else:
        for v in one(ps[0], ts[0], values):
            yield from match_row(one, ps[1:], ts[1:], v)


def match_any_order(ps, ts, values):
    if not ps:
        yield values
    for k, t in enumerate(ts) if ps else ():
        for v in match(ps[0], t, values):
            yield from match_any_order(ps[1:], ts[:k] + ts[k + 1 :], v)


def match_index(p, e, values):
    p = substitute(p, values)
    unknown = [(a, k) for a, k in split(p)[1] if any(x.op == "?" for x in a.free)]
    if not unknown:
        if p is e:
            yield values
        return
    a, k = unknown[0]
    if p is just(a) and a.op == "?":
        if not e.reach:
            yield {**values, a: e}
        return
    for x, other in split(e)[1]:
        if other is k and a.op == "?" and not x.reach:
            yield from match_index(p, e, {**values, a: just(x)})
        elif other is k and a.op == x.op == "pick" and a.data == x.data:
            for v in match_row(match_index, a.at, x.at, values):
                yield from match_index(p, e, v)


# --- signs that are plain ---
# ">" positive, "+" at least 0, "!" not 0, "?" not known


def together(a, b):
    return ">" if ">" in (a, b) or {a, b} == {"+", "!"} else a if b == "?" else b


def sign(t, world, used):
    """The sign of t; hypotheses that it needs are added to `used`."""
    known = "?"
    for name, kind, h in world.facts:
        said = together(known, {"gt0": ">", "ge0": "+", "ne0": "!"}[kind])
        if said != known and instance(h, t):
            known = said
            used.add(name)
    return known if known in (">", "!") else together(known, sign_of_form(t, world, used))


def sign_of_form(t, world, used):
    match t.op:
        case "num":
            return ">" if t.data > 0 else "!" if t.data else "+"
        case "size":
            return ">" if at_least_1(t.data) else "+" if at_least_0(t.data) else "?"
        case "delta" | "range" | "step":
            return "+"
        case "ord":
            return "+" if never_negative(t.at[0]) else "?"
        case "app" if t.data in (("exp", 0), ("sigmoid", 0), ("softplus", 0), ("cosh", 0)):
            return ">"
        case "app" if t.data == ("log", 0) and t.terms[0].op == "add":  # log(1 + positive)
            one = next((s for s in t.terms[0].terms if s.op == "num" and s.data >= 1), None)
            rest = [sign(s, world, used) for s in t.terms[0].terms if s is not one]
            return ">" if one and ">" in rest and set(rest) <= {">", "+"} else "?"
        case "add":
            signs = {sign(s, world, used) for s in t.terms}
            return "?" if not signs or not signs <= {">", "+"} else max(signs)
        case "mul":
            return sign_of_product(list(t.terms), world, used)
        case "pow":
            base = sign(t.terms[0], world, used)
            if base == ">" or t.data.denominator > 1:
                return ">" if base == ">" else "?"
            return base if t.data % 2 else ">" if base == "!" else "+"
        case "sum":
            found = sign(own_body(t), world, used)
            if found == ">" and not at_least_1(t.data[0]):  # perhaps a sum of nothing
                found = "+"
            if found == "+" and one_positive(own_body(t), own_axes(t)[0], world, used):
                return ">"
            return found if found in (">", "+") else "?"
        case "whole" if t.data[0] == "max":
            found = sign(own_body(t), world, used)
            return found if found in (">", "+") and all(map(at_least_1, t.data[2])) else "?"
        case "whole" if t.data[0] == "prod":
            return sign(own_body(t), world, used)
        case "whole" if t.data[0] == "argmax":
            return "+"
    return "?"


def sign_of_product(factors, world, used):
    """Equal factors in pairs are squares."""
    signs, negative = [], False
    while factors:
        a = factors.pop()
        if a.op == "num" and a.data < 0:
            negative = not negative
            continue
        s = sign(a, world, used)
        if s in ("!", "?") and a in factors:
            factors.remove(a)
            s = ">" if s == "!" else "+"
        signs.append(s)
    if "?" in signs:
        return "?"
    if negative or "!" in signs:
        return "?" if "+" in signs else "!"
    return "+" if "+" in signs else ">"


def one_positive(body, i, world, used):
    """A product of positive factors and of [e >= 0] that all hold at one value of i."""
    factors = body.terms if body.op == "mul" else (body,)
    where = [f.at[0] for f in factors if f.op == "range"]
    if not where or any(sign(f, world, used) != ">" for f in factors if f.op != "range"):
        return False
    others = [just(a) for a in order(frozenset().union(*(e.free for e in where))) if a is not i]
    values = [v for v in (whole(0), minus(size_of(i), whole(1)), *others) if inside(v, size_of(i))]
    return any(all(never_negative(substitute(e, {i: v})) for e in where) for v in values)


def plain(p, world, used):
    """Whether a predicate is plain from signs and hypotheses."""
    kind, t = p
    if kind == "ge0i":
        return never_negative(t)
    found = sign(t, world, used)
    if kind == "ne0" and found not in (">", "!") and t.op == "add":
        found = "!" if sign(add(*map(negated, t.terms)), world, used) == ">" else found
    return found in {"gt0": (">",), "ge0": (">", "+"), "ne0": (">", "!")}[kind]


def negated(t):
    if t.op == "num":
        return num(-t.data)
    if t.op == "mul" and t.terms and any(s.op == "num" for s in t.terms):
        k = next(k for k, s in enumerate(t.terms) if s.op == "num")
        return mul(num(-t.terms[k].data), *t.terms[:k], *t.terms[k + 1 :])
    return neg(t)


# === where a term has derivatives ====================================================================================


def smooth(t, variables, world):
    """Conditions under which t is smooth in the entries of the variables; where they hold, they hold all around."""
    if not world.moves(t, variables):
        return frozenset()
    key = t, variables
    if key in world.looked:
        return world.looked[key]
    needs = set()
    inner = t.terms
    match t.op:
        case "entry":
            at = [substitute(body, dict(zip(axes, t.at))) for axes, body in world.meanings(t.data) if len(axes) == len(t.at)]
            need(len(at) == len(world.meanings(t.data)), f"{t.data[0]} with another number of indices")
            inner = at
        case "pow":
            if t.data.denominator > 1 or t.data < 0:
                needs.add(("gt0" if t.data.denominator > 1 else "ne0", t.terms[0]))
        case "app":
            needs |= DERIVATIVES.get(t.data[0], lambda u: (u, set()))(t.terms[0])[1]
        case "step":
            needs.add(("ne0", t.terms[0]))
        case "sum":
            inner = (own_body(t),)
        case "diff":
            inner, variables = t.terms[:1], variables | {t.terms[1].data}
        case "whole":
            inner = (own_body(t),)
            need(t.data[0] not in ("gap", "min", "pinv"), f"no law differentiates {t.data[0]}")
            if t.data[0] in ("max", "argmax"):
                needs.add(("gt0", beside(t, "gap")))
            if t.data[0] == "inv":
                needs.add(("ne0", beside(t, "det")))
    world.looked[key] = frozenset(needs).union(*(smooth(s, variables, world) for s in inner))
    return world.looked[key]


def around(p, array, world):
    """What makes p, where it holds, hold all around when the array moves."""
    kind, *terms = p
    variables = frozenset((array,))
    if kind == "ge0i" or not any(world.moves(t, variables) for t in terms):
        return frozenset()
    need(kind in ("gt0", "ne0"), f"a derivative by {array[0]} of an equation that holds on a set without inner points")
    t = terms[0]
    return smooth(own_body(t) if t.op == "whole" and t.data[0] == "gap" else t, variables, world)


def variable(w, world):
    need(w.data != PI and not world.meanings(w.data), f"{w.data[0]} is no variable")


# === laws ============================================================================================================
# A law gives (left, right) or (left, right, conditions).  Arguments: t term, w entry, W function of an array, i index,
# e index expression, q fraction, n natural number, s text, T terms, I different indices, 2 two of them, E index expressions,
# V values of indices.


def exp(u):
    return app("exp", u)


def inverse(u):
    return power(u, -1)


DERIVATIVES = {
    "exp": lambda u: (exp(u), set()),
    "log": lambda u: (inverse(u), {("ne0", u)}),
    "tanh": lambda u: (sub(ONE, power(app("tanh", u), 2)), set()),
    "sigmoid": lambda u: (mul(app("sigmoid", u), sub(ONE, app("sigmoid", u))), set()),
    "softplus": lambda u: (app("sigmoid", u), set()),
    "sin": lambda u: (app("cos", u), set()),
    "cos": lambda u: (neg(app("sin", u)), set()),
    "sinh": lambda u: (app("cosh", u), set()),
    "cosh": lambda u: (app("sinh", u), set()),
    "atan": lambda u: (inverse(add(ONE, power(u, 2))), set()),
    "erf": lambda u: (mul(num(2), power(node("entry", PI), Q(-1, 2)), exp(neg(power(u, 2)))), set()),
}
EXPONENTIALS = {
    "tanh": lambda u: mul(sub(exp(mul(num(2), u)), ONE), inverse(add(exp(mul(num(2), u)), ONE))),
    "sigmoid": lambda u: mul(exp(u), inverse(add(ONE, exp(u)))),
    "softplus": lambda u: app("log", add(ONE, exp(u))),
    "sinh": lambda u: mul(num(Q(1, 2)), sub(exp(u), exp(neg(u)))),
    "cosh": lambda u: mul(num(Q(1, 2)), add(exp(u), exp(neg(u)))),
}
ODD, EVEN = ("sin", "erf", "atan", "sinh", "tanh"), ("cos", "cosh")
KINKED = ("abs", "ceil", "floor", "heaviside", "relu", "round", "sign", "step", "trunc")
LAWS = {}


def law(kinds):
    def enter(f):
        LAWS[f.__name__] = kinds, f
        return f

    return enter


def apart_from(axes, *things):
    need(all(x.free.isdisjoint(axes) for x in things), "an axis is in use")


def is_function(w, *names):
    need(w.data[0] in names, f"{w.data[0]} is another function")


def axes_of(w, axes):
    need(tuple(map(size_of, axes)) == w.data[2], f"the axes of {w.data[0]} have other sizes")


def entry_of(w, at):
    return opened(w.terms[0], tuple(at))


def inside_all(at, sizes):
    need(len(at) == len(sizes) and all(map(inside, at, sizes)), "an index may leave its range")


def exprs(axes):
    return tuple(map(just, axes))


def chain_rule(w, axes, x):
    """∂ of the array's entry at the axes."""
    apart_from(axes, x, w)
    axes_of(w, axes)
    return diff(entry_of(w, exprs(axes)), x)


def root(*qs):
    return any(q.denominator > 1 for q in qs)


# --- derivatives ---


@law("tw")
def diff_constant(_, t, w):  # ∂c = 0
    need(t.op in ("num", "size", "ord", "delta", "range"), "this is not constant")
    return diff(t, w), ZERO


@law("tw")
def diff_independent(world, t, w):  # ∂t/∂w = 0 when w is not in t
    need(not world.moves(t, {w.data}), f"the term may depend on {w.data[0]}")
    return diff(t, w), ZERO


@law("ww")
def diff_entry(world, e, w):  # ∂w_ab/∂w_jk = δ_aj δ_bk
    need(not world.meanings(e.data), f"{e.data[0]} is defined")
    if e.data != w.data:
        need(apart(e.data, w.data), "perhaps one array")
        return diff(e, w), ZERO
    need(len(e.at) == len(w.at), f"{w.data[0]} with another number of indices")
    return diff(e, w), product_of(tuple(map(delta, e.at, w.at)))


@law("itw")
def diff_sum(_, i, f, w):  # ∂Σf = Σ∂f
    apart_from((i,), w)
    return diff(sums((i,), f), w), sums((i,), diff(f, w))


@law("Tw")
def diff_add(_, ts, w):
    return diff(add(*ts), w), add(*(diff(t, w) for t in ts))


@law("Tw")
def diff_mul(_, ts, w):  # ∂(fg) = ∂f g + f ∂g
    return diff(mul(*ts), w), add(*(mul(*ts[:k], diff(t, w), *ts[k + 1 :]) for k, t in enumerate(ts)))


@law("tqw")
def diff_power(_, f, q, w):  # ∂f^q = q f^{q-1} ∂f
    conditions = {("gt0", f)} if root(q) else {("ne0", f)} if q < 1 else set()
    return diff(power(f, q), w), mul(num(q), power(f, q - 1), diff(f, w)), conditions


@law("sntw")
def diff_apply(_, fn, degree, u, w):  # ∂f(u) = f'(u) ∂u
    need(fn not in KINKED and (fn not in DERIVATIVES or not degree), f"no slope of {fn}")
    slope, conditions = DERIVATIVES[fn](u) if fn in DERIVATIVES else (app(fn, u, degree + 1), set())
    return diff(app(fn, u, degree), w), mul(slope, diff(u, w)), conditions


@law("tw")
def diff_step(_, u, w):  # ∂[u > 0] = 0
    return diff(step(u), w), ZERO, {("ne0", u)}


@law("WIw")
def diff_whole(_, w, axes, x):  # ∂L(y) = Σ_i L'(y)_i ∂y_i
    fn, degree, sizes = w.data
    need(len(w.at) == degree * len(axes), "one group of indices for each derivative")
    inner = chain_rule(w, axes, x)
    return diff(w, x), sums(axes, mul(shaped(node("whole", (fn, degree + 1, sizes), w.terms, w.at + exprs(axes))), inner))


@law("WIw")
def diff_det(_, w, axes, x):  # ∂det A = det A Σ (A^-1)_qp ∂A_pq
    is_function(w, "det")
    p, q = axes
    return diff(w, x), mul(w, sums(axes, mul(beside(w, "inv", exprs((q, p))), chain_rule(w, axes, x)))), {("ne0", w)}


@law("WIw")
def diff_inverse(_, w, axes, x):  # ∂(A^-1)_ij = -Σ (A^-1)_ip ∂A_pq (A^-1)_qj
    is_function(w, "inv")
    (p, q), (i, j) = exprs(axes), w.at
    body = mul(beside(w, "inv", (i, p)), chain_rule(w, axes, x), beside(w, "inv", (q, j)))
    return diff(w, x), neg(sums(axes, body)), {("ne0", beside(w, "det"))}


@law("WIw")
def diff_max(_, w, axes, x):  # ∂max = Σ argmax_a ∂x_a
    is_function(w, "max")
    body = mul(beside(w, "argmax", exprs(axes)), chain_rule(w, axes, x))
    return diff(w, x), sums(axes, body), {("gt0", beside(w, "gap"))}


@law("Ww")
def diff_argmax(_, w, x):
    is_function(w, "argmax")
    return diff(w, x), ZERO, {("gt0", beside(w, "gap"))}


@law("WIIw")
def diff_prod(_, w, axes, others, x):  # ∂Πx = Σ_a (Π_{b != a} x_b) ∂x_a
    is_function(w, "prod")
    need(not set(axes) & set(others), "an axis is in use")
    axes_of(w, others)
    inner = chain_rule(w, axes, x)
    apart_from(others, x, inner)
    here = product_of(tuple(map(delta, exprs(axes), exprs(others))))
    rest = array_function("prod", 0, others, add(here, mul(sub(ONE, here), entry_of(w, exprs(others)))))
    return diff(w, x), sums(axes, mul(rest, inner))


# --- functions, powers ---


@law("st")
def in_exponentials(_, fn, u):
    need(fn in EXPONENTIALS, f"{fn} is not made of exponentials")
    return app(fn, u), EXPONENTIALS[fn](u)


@law("T")
def log_of_product(_, ts):
    return app("log", mul(*ts)), add(*(app("log", t) for t in ts)), {("gt0", t) for t in ts}


@law("tq")
def log_of_power(_, b, q):
    return app("log", power(b, q)), mul(num(q), app("log", b)), {("gt0", b)}


@law("t")
def log_of_exp(_, u):
    return app("log", exp(u)), u


@law("t")
def exp_of_log(_, u):
    return exp(app("log", u)), u, {("gt0", u)}


@law("n")
def log_of_number(_, n):
    need(n >= 1, "the logarithm of 0")
    parts = [mul(num(k), app("log", num(p))) for p, k in primes(Q(n))]
    return app("log", num(n)), parts[0] if len(parts) == 1 else add(*parts) if parts else ZERO


@law("t")
def sine_squared(_, u):
    return power(app("sin", u), 2), sub(ONE, power(app("cos", u), 2))


@law("st")
def parity(_, fn, u):  # f(-u) = ±f(u)
    need(fn in ODD + EVEN, f"{fn} is neither odd nor even")
    return app(fn, neg(u)), neg(app(fn, u)) if fn in ODD else app(fn, u)


@law("s")
def at_zero(_, fn):
    need(fn in ODD + EVEN, f"{fn}(0) is not known")
    return app(fn, ZERO), ONE if fn in EVEN else ZERO


@law("stt")
def sum_of_angles(_, fn, a, b):
    need(fn in ("sin", "cos"), f"{fn} is no sine")
    (sa, ca), (sb, cb) = ((app("sin", u), app("cos", u)) for u in (a, b))
    return app(fn, add(a, b)), add(mul(sa, cb), mul(ca, sb)) if fn == "sin" else sub(mul(ca, cb), mul(sa, sb))


@law("tqq")
def power_add(_, b, p, q):
    return mul(power(b, p), power(b, q)), power(b, p + q), {("gt0" if root(p, q) else "ne0", b)}


@law("Tq")
def power_of_product(_, ts, q):
    return power(mul(*ts), q), mul(*(power(t, q) for t in ts)), {("gt0", t) for t in ts if root(q)}


@law("Tq")
def root_of_product(_, ts, q):
    return power(mul(*ts), q), mul(*(power(t, q) for t in ts)), {("ge0", t) for t in ts}


@law("tqq")
def power_of_power(_, b, p, q):
    return power(power(b, p), q), power(b, p * q), {("gt0", b)} if root(p, q) else set()


@law("tq")
def root_of_square(_, b, q):  # (b^2)^q = |b|^{2q}
    return power(power(b, 2), q), power(mul(b, sub(step(b), step(neg(b)))), 2 * q)


# --- steps [u > 0] ---


@law("tt")
def step_scaled(_, c, u):
    return step(mul(c, u)), step(u), {("gt0", c)}


@law("t")
def step_negated(_, u):
    return step(neg(u)), sub(ONE, step(u)), {("ne0", u)}


@law("tii")
def step_negated_off_diagonal(_, u, i, j):  # u is 0 where i = j, and only there
    need(size_of(i) is size_of(j), "the indices have different sizes")
    conditions = {("ne0", add(u, delta(just(i), just(j))))}
    need(not collected(expand(substitute(u, {j: just(i)}), conditions)), "this is not 0 on the diagonal")
    return step(neg(u)), sub(sub(ONE, step(u)), delta(just(i), just(j))), conditions


@law("t")
def step_of_positive(_, u):
    return step(u), ONE, {("gt0", u)}


@law("t")
def step_of_negative(_, u):
    return step(neg(u)), ZERO, {("gt0", u)}


@law("")
def step_of_zero(_):
    return step(ZERO), ZERO


@law("tttt")
def by_cases(_, like, h, a, b):  # f(h a + (1 - h) b) = h f(a) + (1 - h) f(b)
    need(zero_or_one(h) and like.op in ("app", "pow", "step"), "no case distinction")
    f = lambda u: node(like.op, like.data, (u,))  # noqa: E731
    return f(add(mul(h, a), mul(sub(ONE, h), b))), add(mul(h, f(a)), mul(sub(ONE, h), f(b)))


@law("t")
def step_times_argument(_, u):
    return mul(step(u), step(neg(u))), ZERO


@law("tt")
def step_ordered(_, u, c):
    return mul(step(u), step(add(u, c))), step(u), {("gt0", c)}


@law("tt")
def step_excluded(_, u, c):
    return mul(step(u), step(sub(neg(u), c))), ZERO, {("gt0", c)}


@law("tt")
def step_covering(_, u, c):
    a, b = step(u), step(sub(c, u))
    return mul(a, b), add(a, b, neg(ONE)), {("gt0", c)}


@law("tt")
def step_of_product(_, a, b):
    return step(mul(a, b)), add(mul(step(a), step(b)), mul(step(neg(a)), step(neg(b))))


@law("t")
def step_of_reciprocal(_, a):
    return step(inverse(a)), step(a)


@law("tt")
def step_of_exponentials(_, a, b):
    return step(sub(exp(a), exp(b))), step(sub(a, b))


# --- sums over ranges ---


def ranged(e, i):
    return in_range(e), in_range(minus(minus(size_of(i), whole(1)), e))


@law("iiet")
def reindex(_, i, k, e, f):  # Σ_i [0 <= e < M] f(i) = Σ_k [0 <= e^-1(k) < N] f(e^-1(k)),  e = c ± i
    s = dict(split(e)[1]).get(i)
    need(s is not None and number(s) in (1, -1), "the new index is not ± the old one and a shift")
    shift = minus(e, times(s, just(i)))
    need(i is not k, "one index for two")
    apart_from((i,), shift)
    apart_from((k,), f, e)
    back = times(s, minus(just(k), shift))
    return sums((i,), mul(*ranged(e, k), f)), sums((k,), mul(*ranged(back, i), substitute(f, {i: back})))


@law("iiit")
def by_radix(_, i, q, r, f):  # Σ_i f(i) = Σ_q Σ_r f(R q + r)
    digits_of(i, q, r, f)
    return sums((i,), f), sums((q, r), substitute(f, {i: plus(times(size_of(r), just(q)), just(r))}))


def digits_of(i, q, r, *terms):
    need(size_of(i) is times(size_of(q), size_of(r)), "the size is not the product of the digits' sizes")
    need(at_least_0(size_of(q)) and at_least_0(size_of(r)) and q is not r, "a size may be negative, or one digit is used twice")
    apart_from((q, r), *terms)


@law("ee")
def covering(_, e, f):  # [e >= 0] [f >= 0] = [e >= 0] + [f >= 0] - 1 when e + f >= -1
    need(never_negative(plus(plus(e, f), whole(1))), "neither need hold")
    return mul(in_range(e), in_range(f)), add(in_range(e), in_range(f), num(-1))


# --- functions of arrays ---


@law("Wi")
def inverse_times(_, w, k):  # Σ_k (A^-1)_ik A_kj = δ_ij
    i, j = square_at(w, k)
    body = mul(beside(w, "inv", (i, just(k))), entry_of(w, (just(k), j)))
    return sums((k,), body), delta(i, j), {("ne0", beside(w, "det"))}


@law("Wi")
def times_inverse(_, w, k):
    i, j = square_at(w, k)
    body = mul(entry_of(w, (i, just(k))), beside(w, "inv", (just(k), j)))
    return sums((k,), body), delta(i, j), {("ne0", beside(w, "det"))}


def square_at(w, k):
    is_function(w, "inv")
    need(size_of(k) is w.data[2][0], "an index of another size")
    inside_all(w.at, w.data[2])
    apart_from((k,), w)
    return w.at


@law("W")
def inverse_of_transpose(_, w):
    is_function(w, "inv", "det")
    p, q = own_axes(w)
    turned_body = bind((q, p), entry_of(w, exprs((p, q))))
    return w, shaped(node("whole", w.data, (turned_body,), w.at[::-1]))


@law("IIIt")
def maximum_of_maxima(_, outer, inner, axes, f):
    need(set(axes) == {*outer, *inner} and len(axes) == len(outer) + len(inner), "other axes")
    need(all(at_least_1(size_of(a)) for a in axes), "a maximum of nothing")
    return array_function("max", 0, outer, array_function("max", 0, inner, f)), array_function("max", 0, axes, f)


def maximum(w):
    is_function(w, "max")
    need(all(map(at_least_1, w.data[2])), "a maximum of nothing")


@law("WI")
def maximum_picks(_, w, axes):  # Σ_a argmax_a x_a = max
    maximum(w)
    axes_of(w, axes)
    apart_from(axes, w)
    return sums(axes, mul(beside(w, "argmax", exprs(axes)), entry_of(w, exprs(axes)))), w


@law("WI")
def one_argmax(_, w, axes):
    maximum(w)
    axes_of(w, axes)
    apart_from(axes, w)
    return sums(axes, beside(w, "argmax", exprs(axes))), ONE


@law("WEE")
def argmax_products(_, w, at, bt):  # argmax_a argmax_b = δ_ab argmax_a
    maximum(w)
    one, other = beside(w, "argmax", at), beside(w, "argmax", bt)
    return mul(one, other), product_of((*map(delta, at, bt), one))


@law("WE")
def step_above_max(_, w, at):
    maximum(w)
    inside_all(at, w.data[2])
    return step(sub(entry_of(w, at), w)), ZERO


@law("WE")
def step_below_max(_, w, at):
    maximum(w)
    inside_all(at, w.data[2])
    return step(sub(w, entry_of(w, at))), sub(ONE, beside(w, "argmax", at)), {("gt0", beside(w, "gap"))}


@law("ItE")
def product_without(_, axes, f, at):  # Π_b (δ_ab + (1 - δ_ab) x_b) = Π_b x_b / x_a
    inside_all(at, tuple(map(size_of, axes)))
    apart_from(axes, *at)
    here = product_of(tuple(map(delta, at, exprs(axes))))
    one = substitute(f, dict(zip(axes, at)))
    left = array_function("prod", 0, axes, add(here, mul(sub(ONE, here), f)))
    return left, mul(array_function("prod", 0, axes, f), inverse(one)), {("ne0", one)}


@law("W2itt")
def of_product(_, w, axes, k, a, b):  # det(AB) = det A det B, (AB)^-1 = B^-1 A^-1 for square A_pk, B_kq
    is_function(w, "det", "inv")
    p, q = axes
    apart_from((q,), a)
    apart_from((p,), b)
    left = array_function(w.data[0], 0, axes, sums((k,), mul(a, b)), w.at)
    factors = [array_function("det", 0, (p, k), a), array_function("det", 0, (k, q), b)]
    if w.data[0] == "det":
        return left, mul(*factors)
    inside_all(w.at, left.data[2])
    apart_from((k,), left)
    one = array_function("inv", 0, (k, q), b, (w.at[0], just(k)))
    other = array_function("inv", 0, (p, k), a, (just(k), w.at[1]))
    return left, sums((k,), mul(one, other)), {("ne0", d) for d in factors}


@law("2ttE")
def inverse_scaled(_, axes, c, f, at):  # (cA)^-1 = A^-1 / c
    apart_from(axes, c)
    right = mul(inverse(c), array_function("inv", 0, axes, f, at))
    return array_function("inv", 0, axes, mul(c, f), at), right, {("ne0", c), ("ne0", array_function("det", 0, axes, f))}


@law("W2")
def inverse_of_inverse(_, w, axes):  # det(A^-1) = 1/det A, (A^-1)^-1 = A
    is_function(w, "det", "inv")
    axes_of(w, axes)
    apart_from(axes, w)
    left = array_function(w.data[0], 0, axes, beside(w, "inv", exprs(axes)), w.at)
    if w.data[0] == "inv":
        inside_all(w.at, w.data[2])
    return left, inverse(w) if w.data[0] == "det" else entry_of(w, w.at), {("ne0", beside(w, "det"))}


@law("2E")
def of_identity(_, axes, at):
    need(all(inside(e, size_of(axes[0])) for e in at), "an index may leave its range")
    left = array_function("inv" if at else "det", 0, axes, delta(*exprs(axes)), at)
    return left, delta(*at) if at else ONE


# --- what is given ---


@law("w")
def unfold(world, e):
    need(e.data in world.definitions, f"{e.data[0]} has no definition")
    return e, world.entry(e.data, e.at)


@law("sV")
def assume(world, name, values):
    h = world.hypotheses.get(name, ("no",))
    need(h[0] == "eq", f"no hypothesis {name} that is an equation")
    need(all(inside(e, size_of(i)) for i, e in values), "an index may leave its range")
    return substitute(h[1], dict(values)), substitute(h[2], dict(values)), set(), {name}


# === steps ===========================================================================================================
# An equation is (left, right, conditions, names of hypotheses).


def joined(left, right, parts, bound=()):
    """An equation under all that its parts need; an index that only the parts have must have a value."""
    spoken = frozenset().union(*(p[0].free | p[1].free for p in parts))
    inhabited(spoken - left.free - right.free - set(bound))
    return left, right, *(frozenset().union(*(p[k] for p in parts)) for k in (2, 3))


def inhabited(axes):
    need(all(at_least_1(size_of(a)) for a in axes), "an index may have no values")


def discharged(eq, world):
    used = set()
    kept = frozenset(c for c in eq[2] if not plain(c, world, used))
    return eq[0], eq[1], kept, eq[3] | used


def linear(left, right, multiples):
    """left = right, if left - right is the sum of Σ_{axes} factor * (a - b) over proved equations a = b."""
    conditions = set()
    total = [*expand(left, conditions), *negative(expand(right, conditions))]
    for axes, factor, eq in multiples:
        a, b = mul(factor, eq[0]), mul(factor, eq[1])
        inhabited((a.free | b.free) - left.free - right.free - set(axes))
        for side, sign_ in ((a, negative), (b, list)):
            found = expand(side, conditions)
            total += sign_(summed(axes, found, conditions) if axes else found)
    need(not collected(total), "the sides are different sums of products")
    return (left, right, *joined(left, left, [(left, left, *eq[2:]) for _, _, eq in multiples])[2:]), conditions


def negative(found):
    return [(-c, dummies, factors) for c, dummies, factors in found]


class Certificate:
    """The rows of one file, read once and in order; `equation` is what a step proves in a world of definitions."""

    KEYS = ("format", "sizes", "nodes", "least", "definitions", "hypotheses", "layers", "steps", "proof", "claim", "reasons")

    def __init__(self, data):
        need(type(data) is dict and data.get("format") == 2, "this is no certificate of format 2")
        need(set(data) <= {*self.KEYS, "about"}, f"there is no place for {sorted(set(data) - {*self.KEYS, 'about'})[:1]}")
        self.data, self.sizes, self.nodes, self.known = data, [], [], {}
        lower_bounds(data.get("least", {}))
        for table, read, into in (("sizes", read_size, self.sizes), ("nodes", self.read_node, self.nodes)):
            for k, row in enumerate(data[table]):
                into.append(at_row(table, k, read, row))
        definitions = {}
        for array, axes, body in data["definitions"]:
            definitions = defined(definitions, self.array(array), self.axes(axes), self.term(body))
        hypotheses = {text(name): self.hypothesis(h) for name, h in data["hypotheses"].items()}
        self.world = World(definitions, hypotheses)

    # --- rows ---

    def size(self, s):
        return self.sizes[natural(s)]

    def any_node(self, k):
        return self.nodes[natural(k)]

    def any_index(self, e):
        found = self.any_node(e)
        need(found.op == "int", f"node {e} is no index")
        return found

    def any_term(self, t):
        found = self.any_node(t)
        need(found.op != "int", f"node {t} is no term")
        return found

    def index_value(self, e):
        return closed(self.any_index(e))

    def term(self, t):
        return closed(self.any_term(t))

    def entry(self, t):
        return self.of_op("entry", t)

    def function(self, t):
        return self.of_op("whole", t)

    def of_op(self, op, t):
        need(self.term(t).op == op, f"node {t} is another kind of term")
        return self.nodes[t]

    def index(self, e):
        constant, parts = split(self.index_value(e))
        need(not constant.data and len(parts) == 1 and parts[0][0].op == "i" and self.nodes[e] is just(parts[0][0]), "no named index")
        return parts[0][0]

    def axes(self, row):
        found = tuple(map(self.index, row))
        need(len(set(found)) == len(found), "an index twice")
        return found

    def array(self, row):
        name, label = row
        return text(name), None if label is None else self.size(label)

    def values(self, row):
        pairs = [(self.index(i), self.index_value(e)) for i, e in row]
        need(len({i for i, _ in pairs}) == len(pairs), "an index twice")
        return pairs

    def predicate(self, row, kinds=("gt0", "ne0", "ge0", "ge0i")):
        kind, t = row
        need(kind in kinds, f"{kind} is no such predicate")
        return kind, self.index_value(t) if kind == "ge0i" else normal(self.term(t))

    def hypothesis(self, row):
        return ("eq", self.term(row[1]), self.term(row[2])) if row[0] == "eq" and len(row) == 3 else self.predicate(row)

    def read_node(self, row):
        terms, indices = (lambda ts: tuple(map(self.any_term, ts))), (lambda es: tuple(map(self.any_index, es)))
        match row:
            case ["i", name, s]:
                return just(node("i", (text(name), self.size(s))))
            case ["b", depth]:
                return just(node("b", natural(depth)))
            case ["pick", name, at, s]:
                need(at_least_1(self.size(s)), "an integer array without values")
                return just(node("pick", (text(name), self.size(s)), (), indices(at)))
            case ["aff", s, parts]:
                found = self.size(s)
                for e, k in parts:
                    need(len(self.any_index(e).data) == 1 and self.any_index(e).data[0][1] == 1, "a part that is no single index")
                    found = plus(found, times(self.size(k), self.any_index(e)))
                need(len(split(found)[1]) == len(parts), "a part twice, or with coefficient 0")
                need(parts != [] or True, "")
                return found
            case ["num", q]:
                return num(fraction(q))
            case ["size", s]:
                return node("size", self.size(s))
            case ["entry", array, at]:
                return node("entry", self.array(array), (), indices(at))
            case ["ord", e]:
                return ordinal(self.any_index(e))
            case ["delta", i, j]:
                return delta(self.any_index(i), self.any_index(j))
            case ["add" | "mul" as op, ts]:
                return node(op, None, terms(ts))
            case ["pow", t, q]:
                return power(self.any_term(t), fraction(q))
            case ["app", fn, t, degree]:
                return app(text(fn), self.any_term(t), natural(degree))
            case ["sum", s, t]:
                return node("sum", (self.size(s),), terms([t]))
            case ["diff", t, w]:
                need(self.any_term(w).op == "entry", "a derivative by what is no entry")
                return diff(*terms([t, w]))
            case ["whole", fn, degree, sizes, t, at]:
                return shaped(node("whole", (text(fn), natural(degree), tuple(map(self.size, sizes))), terms([t]), indices(at)))
            case ["holds", ["gt0", t]]:
                return step(self.any_term(t))
            case ["holds", ["ge0i", e]]:
                return in_range(self.any_index(e))
        raise Refused("no such row")

    # --- what the steps prove ---

    def equation(self, p, world):
        if (p, world) not in self.known:
            row = self.data["steps"][natural(p)]
            self.known[p, world] = None
            found = at_row("steps", p, lambda r: self.proved(r, world, lambda k: self.earlier(k, p, world)), row)
            need(not found[0].reach and not found[1].reach, "a dummy without a binder")
            self.known[p, world] = found
        return self.known[p, world]

    def earlier(self, k, p, world):
        need(natural(k) < p, "a step that refers to a later one")
        return self.equation(k, world)

    def proved(self, row, world, eq):
        match row:
            case ["by", name, args]:
                return self.by_law(name, args, world)
            case ["chain", ps] if ps:
                parts = list(map(eq, ps))
                left, right = parts[0][:2]
                for part in parts[1:]:
                    need(part[0] is right, "one equation does not follow the other")
                    left, right = (total := joined(left, part[1], [(left, right, frozenset(), frozenset()), part]))[:2]
                return joined(left, right, parts) if len(parts) < 2 else (*total[:2], *joined(left, right, parts)[2:])
            case ["flip", p]:
                left, right, *rest = eq(p)
                return right, left, *rest
            case ["inside", t, replaced]:
                t = self.term(t)
                need(t.op in ("add", "mul", "pow", "app", "step"), "a term without arguments to replace")
                terms, parts = list(t.terms), []
                for k, p in replaced:
                    parts.append(eq(p))
                    need(terms[natural(k)] is parts[-1][0], f"argument {k} is another term")
                    terms[k] = parts[-1][1]
                return joined(t, node(t.op, t.data, tuple(terms)), parts)
            case ["undersum", i, p]:
                i, part = self.index(i), eq(p)
                return joined(sums((i,), part[0]), sums((i,), part[1]), [part], (i,))
            case ["underwhole", fn, degree, axes, at, p]:
                axes, at, part = self.axes(axes), tuple(map(self.index_value, at)), eq(p)
                left, right = (array_function(text(fn), natural(degree), axes, t, at) for t in part[:2])
                return joined(left, right, [part], axes)
            case ["underdiff", w, p]:
                w, part = self.entry(w), eq(p)
                variable(w, world)
                assumed = (world.hypotheses[name] for name in part[3])
                open_ = frozenset().union(*(around(c, w.data, world) for c in (*assumed, *part[2])))
                left, right, conditions, names = joined(diff(part[0], w), diff(part[1], w), [part])
                return left, right, conditions | normal_conditions(open_), names
            case ["instance", values, p]:
                values, part = self.values(values), eq(p)
                need(all(inside(e, size_of(i)) for i, e in values), "an index may leave its range")
                return joined(*(substitute(t, dict(values)) for t in part[:2]), [part], [i for i, _ in values])
            case ["linear", left, right, multiples]:
                multiples = [(self.axes(axes), self.term(f), eq(p)) for axes, f, p in multiples]
                found, conditions = linear(self.term(left), self.term(right), multiples)
                return *found[:2], found[2] | normal_conditions(conditions), found[3]
            case ["cancel", factor, left, right, p]:
                factor, left, right = self.term(factor), self.term(left), self.term(right)
                found, conditions = linear(mul(factor, left), mul(factor, right), [((), ONE, eq(p))])
                total = joined(left, right, [found])
                return left, right, total[2] | normal_conditions({*conditions, ("ne0", factor)}), total[3]
            case ["values", i, left, right, ps]:
                i, left, right = self.index(i), self.term(left), self.term(right)
                need(ps and number(size_of(i)) == len(ps), "one equation for each value")
                parts = list(map(eq, ps))
                for v, part in enumerate(parts):
                    need(part[:2] == tuple(substitute(t, {i: whole(v)}) for t in (left, right)), f"value {v} is another case")
                return joined(left, right, parts)
            case ["digits", i, left, right, q, r, p]:
                i, left, right, q, r, part = self.index(i), self.term(left), self.term(right), self.index(q), self.index(r), eq(p)
                digits_of(i, q, r, left, right)
                there = {i: plus(times(size_of(r), just(q)), just(r))}
                need(part[:2] == (substitute(left, there), substitute(right, there)), "another case")
                return joined(left, right, [part], (q, r))
            case ["let", array, axes, body, p]:
                array, body = self.array(array), self.term(body)
                named = lambda ts: any(a[0] == array[0] for t in ts for a in t.arrays)  # noqa: E731
                need(not named(b for _, b in world.definitions.values()), "the name is in use")
                need(not named(t for _, *ts in world.hypotheses.values() for t in ts), "the name is in use")
                wider = World(defined(world.definitions, array, self.axes(axes), body), world.hypotheses)
                wider = self.known.setdefault(("let", world, array, axes_key(axes), body), wider)
                left, right, conditions, names = discharged(self.equation(natural(p), wider), wider)
                need(not named([left, right, *(t for _, t in conditions)]), "the name occurs in the equation")
                return left, right, conditions, names
            case ["rephrase", p, replaced]:
                left, right, conditions, names = eq(p)
                before = conditions
                for predicate, q in replaced:
                    kind, t = self.predicate(predicate, ("gt0", "ne0", "ge0"))
                    same = eq(q)
                    gone = {c for c in before if c[0] == kind and instance(t, c[1])}
                    need(gone and normal(same[0]) is t, "this is no condition, or the equation is not about it")
                    inhabited(same[1].free - same[0].free)
                    conditions = (conditions - gone) | same[2] | normal_conditions({(kind, same[1])})
                    names |= same[3]
                return left, right, conditions, names
        raise Refused("no such step")

    def by_law(self, name, args, world):
        need(name in LAWS, f"no law is called {name}")
        kinds, statement = LAWS[name]
        need(len(args) == len(kinds), f"{name} with {len(args)} arguments")
        left, right, *rest = statement(world, *(self.argument(kind, a) for kind, a in zip(kinds, args)))
        conditions, names = (*rest, frozenset(), frozenset())[:2]
        if left.op == "diff":
            variable(left.terms[1], world)
            conditions = conditions | smooth(left.terms[0], frozenset((left.terms[1].data,)), world)
        return left, right, normal_conditions(conditions), frozenset(names)

    def argument(self, kind, a):
        many = lambda one: lambda row: tuple(map(one, row))  # noqa: E731
        read = {
            "t": self.term, "w": self.entry, "W": self.function, "i": self.index, "e": self.index_value, "q": fraction,
            "n": natural, "s": text, "T": many(self.term), "I": self.axes, "2": self.axes, "E": many(self.index_value),
            "V": self.values,
        }  # fmt: skip
        return read[kind](a)

    # --- the claim ---

    def check(self):
        """Refuses unless the last step proves the claim."""
        eq = discharged(self.equation(self.data["proof"], self.world), self.world)
        claim = self.data["claim"]
        left, right = self.term(claim["lhs"]), self.term(claim["rhs"])
        need(eq[:2] == (left, right), "the proof is of another equation")
        need(eq[3] <= set(claim["hypotheses"]) <= set(self.world.hypotheses), "hypotheses that are not stated")
        stated = list(map(self.predicate, claim["conditions"]))
        for kind, t in eq[2]:
            need(any(kind == k and (t is u if kind == "ge0i" else instance(u, t)) for k, u in stated), "a condition is not stated")


def normal_conditions(conditions):
    return frozenset((kind, t if kind == "ge0i" else normal(t)) for kind, t in conditions)


def axes_key(axes):
    return tuple(axes)


def lower_bounds(least):
    need(type(least) is dict and all(natural(n) for n in least.values()), "least sizes are numbers from 1 on")
    if least != LEAST:
        LEAST.clear()
        LEAST.update(least)
        at_least_0.cache_clear()
        bounds.cache_clear()
        EXPANDED.clear()


def read_size(row):
    items = [(tuple(map(text, m)), c) for m, c in row]
    need(all(type(c) is int and c for _, c in items), "a coefficient that is no number, or 0")
    need(items == sorted(items) and len({m for m, _ in items}) == len(items), "monomials out of order or twice")
    need(all(m == tuple(sorted(m)) for m, _ in items), "symbols out of order")
    return integer((order(node("n", name) for name in m), c) for m, c in items)


def closed(x):
    need(not x.reach, "a dummy without a binder")
    return x


def text(x):
    need(type(x) is str and x != "", "a name is missing")
    return x


def natural(x):
    need(type(x) is int and x >= 0, f"{str(x)[:30]} is no natural number")
    return x


def fraction(x):
    need(str(Q(text(x))) == x, f"{x[:30]} is no fraction in lowest terms")
    return Q(x)


MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def at_row(table, k, read, row):
    """The row read; where it is refused, the message says which it is."""
    try:
        return read(row)
    except Refused as cause:
        raise cause if str(cause).startswith(("sizes ", "nodes ", "steps ")) else Refused(f"{table} {k}: {cause}") from None
    except MALFORMED as cause:
        raise Refused(f"{table} {k}: malformed ({cause})") from None


def recheck(data):
    """Raises Refused unless the certificate (as `json.load` gives it) proves its claim."""
    try:
        Certificate(data).check()
    except RecursionError:
        raise Refused("nested too deeply") from None
    except MALFORMED as cause:
        raise Refused(f"malformed ({type(cause).__name__}: {cause})") from None


def main(paths):
    sys.setrecursionlimit(20_000)
    refused = 0
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                data = json.load(file)
            recheck(data)
            print(f"{path}: accepted, {len(data['steps'])} steps")
        except (Refused, OSError, ValueError, RecursionError) as cause:
            refused += 1
            print(f"{path}: refused: {cause}")
    return int(refused > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
