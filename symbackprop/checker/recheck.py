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
from collections import defaultdict
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction as Q
from functools import cache, reduce
from itertools import combinations, count, permutations, product
from math import factorial, prod
from threading import RLock
from typing import Any


class Refused(Exception):
    """The certificate does not prove what it says."""

class RefusedRow(Refused):
    """With the row that is to blame in the message."""

def need(holds, cause):
    if not holds: raise Refused(cause)
    return True

# === nodes ===========================================================================================================
# Everything is a node: an operation, a tuple of plain data, terms and index expressions inside.  Equal nodes are one
# object, so that `is` decides equality; `serial` orders them.  Dummies are nameless: b[k] is bound by the k-th binder
# out.  + - * ** make sums, products and powers of terms, and polynomials of whole numbers.

class Node:
    __slots__ = ("arrays", "at", "data", "free", "op", "reach", "serial", "terms")

    def __init__(self, op, data, terms, at):
        self.op, self.data, self.terms, self.at, self.serial = op, data, terms, at, next(SERIAL)
        indices, bound = [a for m, _ in data for a in m] if op == "int" else at, binders(self)
        reaches = [data[0] + 1] if op == "b" else [t.reach - bound for t in terms] + [e.reach for e in indices]
        self.reach = max(0, 0, *reaches)
        self.free = frozenset((self,)) if op == "i" else joint([x.free for x in (*terms, *indices)])
        self.arrays = frozenset((data,)) if op == "entry" else joint([t.arrays for t in terms])

    def lift(self, x): return x if type(x) is Node else whole(x) if self.op == "int" else num(x)
    def __add__(self, x): return (plus if self.op == "int" else add)(self, self.lift(x))
    def __mul__(self, x): return (times if self.op == "int" else mul)(self, self.lift(x))
    def __neg__(self): return self.lift(-1) * self
    def __sub__(self, x): return self + -self.lift(x)
    def __radd__(self, x): return self.lift(x) + self
    def __rmul__(self, x): return self.lift(x) * self
    def __rsub__(self, x): return self.lift(x) + -self
    def __pow__(self, q): return node("pow", (Q(q),), (self,))
    def __truediv__(self, x): return self * x ** -1

def joint(sets):
    """The union; one of them, where that one is all."""
    found = NONE
    for x in sets:
        if x is not found and x: found = x if found <= x else found if x <= found else found | x
    return SETS.setdefault(found, found)

def remembered(f):
    """What f gives, kept while one certificate is checked."""
    MEMORY.append(cache(f))
    return MEMORY[-1]
MEMORY: list[Any] = []
NONE: frozenset[Any] = frozenset()
SETS: dict[Any, Any] = {}
SERIAL, made = count(), remembered(Node)
def node(op, data=(), terms=(), at=()): return made(op, data, terms, at)
def binders(x): return 1 if x.op == "sum" else len(x.data[2]) if x.op == "whole" else 0
def order(nodes): return tuple(sorted(nodes, key=lambda x: x.serial))

# === whole numbers: sizes and index expressions ======================================================================
# int[(monomial, coefficient)..] is a polynomial with integer coefficients in sizes n[name] and, at most one in a
# monomial, indices: i[name, size], dummies b[k], entries of integer arrays pick[name, size](e..).

EPOCH = 0  # another one each time that what is remembered was let go
ROWS: dict[str, list[Any]] = {"size": [], "node": [], "step": [], "reason": []}  # what was read since then
PROVED: dict[Any, Any] = {}  # and what was proved, by table, number and world
LEAST: dict[str, int] = {}  # the least value of a size, where it is not 1

def integer(items):
    total = defaultdict(int)
    for m, c in items: total[m] += c
    kept = [item for item in total.items() if item[1]]
    return node("int", tuple(sorted(kept, key=lambda x: [a.serial for a in x[0]])))
whole, just = remembered(lambda n: integer([((), n)])), remembered(lambda atom: integer([((atom,), 1)]))
plus = remembered(lambda a, b: integer(a.data + b.data))
times = remembered(lambda a, b: integer((order(m + n), c * d) for m, c in a.data for n, d in b.data))
def justs(axes): return tuple(map(just, axes))
def symbol(name): return just(node("n", (name,)))
def size_of(index): return index.data[1]
def sizes_of(axes): return tuple(map(size_of, axes))
def number(s): return 0 if not s.data else s.data[0][1] if len(s.data) == 1 and s.data[0][0] == () else None

@remembered
def split(e):
    """e = constant + Σ coefficient * index"""
    parts = {None: []}
    for m, c in e.data:
        index = next((a for a in m if a.op != "n"), None)
        parts.setdefault(index, []).append((tuple(a for a in m if a is not index), c))
    constant = integer(parts.pop(None))
    return constant, tuple((a, integer(parts[a])) for a in order(parts))

def coefficient(e, index): return dict(split(e)[1]).get(index, whole(0))

@remembered
def at_least_0(s):
    """Plainly s >= 0: with n = least + n' no coefficient is negative."""
    total = defaultdict(int)
    for m, c in s.data:
        for kept in product((False, True), repeat=len(m)):
            bound = prod(LEAST.get(a.data[0], 1) for a, keep in zip(m, kept) if not keep)
            total[tuple(a for a, keep in zip(m, kept) if keep)] += c * bound
    return all(c >= 0 for c in total.values())

@remembered
def never_negative(e):
    """Plainly e >= 0 over the ranges of its indices."""
    low, parts = split(e)
    for index, k in parts:
        low = low if at_least_0(k) else low + k * (size_of(index) - 1) if not index.reach else low
        if index.reach or not at_least_0(k) and not at_least_0(-k): return False
    return at_least_0(low)

def at_least_1(s): return at_least_0(s - 1)
def always_negative(e): return never_negative(-1 - e)
def never_zero(e): return never_negative(e - 1) or always_negative(e)
def inside(e, size): return never_negative(e) and never_negative(size - 1 - e)

def quotients(e):
    """Ways to write e = s a + b, as (s, a, b): s a symbol or a number in the coefficients of indices."""
    constant, parts = split(e)
    items = [item for _, k in parts for item in k.data]
    symbols, numbers = {a for m, _ in items for a in m}, {abs(c) for _, c in items if abs(c) > 1}
    for s in (*map(just, sorted(symbols, key=lambda a: a.data)), *map(whole, sorted(numbers, reverse=True))):
        taken = [(index, k) for index, k in parts if not (k - s * divided(k, s)).data]
        a = sum((divided(k, s) * just(index) for index, k in taken), divided(constant, s))
        n, m = number(split(e - s * a)[0]), number(s)
        for turn in (0, -1, 1, *([n // m] if n and m and abs(n) > m else [])) if taken else ():
            yield s, a + turn, e - s * (a + turn)

def divided(k, s):
    """The quotient of k by a symbol or a number, monomial by monomial."""
    ((divisor, n),) = s.data
    fits = [(list(m), c // n) for m, c in k.data if c % n == 0 and all(a in m for a in divisor)]
    for m, _ in fits:
        for a in divisor: m.remove(a)
    return integer((tuple(m), c) for m, c in fits)

# === terms ===========================================================================================================
#   num[q]  size[s]  entry[name, label](e..)  ord(e)  delta(e, e)  add(t..)  mul(t..)  pow[q](t)  app[fn, order](t)
#   sum[size](t)  diff(t, entry)  whole[fn, order, sizes](t)(e..)  step(u) = [u > 0]  range(e) = [e >= 0]

def num(q): return node("num", (Q(q),))
def add(*ts): return node("add", (), ts)
def mul(*ts): return node("mul", (), ts)
def product_of(*ts): return ts[0] if len(ts) == 1 else mul(*ts) if ts else ONE
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
def constants(): return num(0), num(1), node("entry", ("pi", None))
ZERO, ONE, PI = constants()

def begin(least: dict[str, int]) -> None:
    """Nothing of what was made or remembered for another certificate is left."""
    global ZERO, ONE, PI, EPOCH
    EPOCH = next(SERIAL)
    for f in MEMORY: f.cache_clear()
    for kept in (SETS, PROVED, LEAST, *ROWS.values()): kept.clear()  # type: ignore[attr-defined]
    LEAST.update(least)
    ZERO, ONE, PI = constants()

def mapped(x, f, touched):
    """x with f(index, binders around it) in place of its indices; only what is touched is rebuilt."""
    memo = {}
    def go(x, depth):
        if not touched(x, depth): return x
        if (x, depth) not in memo: memo[x, depth] = rebuilt(x, depth, go, f)
        return memo[x, depth]
    try: return go(x, 0)
    finally: go = None  # which knows itself, and would stay
def rebuilt(x, depth, go, f):
    if x.op in ("i", "b"): return f(x, depth)
    if x.op == "int":
        if is_symbol(x): return as_sum(go(x.data[0][0][0], depth))
        constant, parts = split(x)
        return sum((k * as_sum(go(index, depth)) for index, k in parts), constant)
    inner = depth + binders(x)
    return as_sum(node(x.op, x.data, tuple([go(t, inner) for t in x.terms]), tuple([go(e, depth) for e in x.at])))
def as_sum(x): return just(x) if x.op in ("i", "b", "pick") else x
def substitute(x, values):
    return mapped(x, lambda a, _: values.get(a) or just(a), lambda y, _: not y.free.isdisjoint(values))

def named(op, *xs):
    """The names of all sizes ("n") or integer arrays ("pick") that occur."""
    parts = lambda x: (x.data, x.terms, x.at) if type(x) is Node else x if type(x) is tuple else ()
    here = {x.data[0] for x in xs if type(x) is Node and x.op == op}
    return here.union(*(named(op, *parts(x)) for x in xs if parts(x)))

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
def subterms(t): return [t, *(s for inner in t.terms for s in subterms(inner))]
def sums(axes, body):
    body = bind(axes, body) if axes else body
    for a in reversed(axes): body = node("sum", (size_of(a),), (body,))
    return body

INDICES = {"inv": 2, "det": 0, "max": 0, "argmax": None, "prod": 0, "gap": 0, "min": 0, "pinv": 2}  # None: as the array

def function(fn, degree, sizes, body, at=()):
    """An entry of a function of the array with this body, or of a derivative of an abstract one."""
    if fn in INDICES:
        need(degree == 0 and len(at) == (len(sizes) if INDICES[fn] is None else INDICES[fn]), f"the indices of {fn}")
        need(fn not in ("inv", "det") or (len(sizes) == 2 and sizes[0] is sizes[1]), f"{fn} of what is not square")
    need(len(at) >= degree * len(sizes), f"the indices of {fn}")
    return node("whole", (fn, degree, tuple(sizes)), (body,), tuple(at))

def of_array(fn, axes, body, at=(), degree=0): return function(fn, degree, sizes_of(axes), bind(axes, body), at)
def beside(w, fn, at=()): return function(fn, 0, w.data[2], w.terms[0], at)
def own_axes(t):
    """Indices for the dummies of a sum or of a function of an array; nothing in it is called by their names."""
    return tuple(node("i", ((t.serial, k), s)) for k, s in enumerate(t.data if t.op == "sum" else t.data[2]))
@remembered
def own_body(t): return opened(t.terms[0], justs(own_axes(t)))

@remembered
def normal(t):
    """t with summands and factors in a fixed order, and δ(i, j) as δ(±(i - j), 0)."""
    terms, at = tuple(map(normal, t.terms)), t.at
    if t.op == "delta": at = (order((at[0] - at[1], at[1] - at[0])))[0], whole(0)
    return node(t.op, t.data, order(terms) if t.op in ("add", "mul") else terms, at)

# === sums of products ================================================================================================
# A monomial is (coefficient, dummies, ((base, exponent)..)).  Terms with the same monomials, up to the names of the
# dummies, are equal wherever the conditions that are met on the way hold: b^p b^q = b^{p+q} needs b != 0.

LIMIT, SHORT, F1, FRESH = 100_000, 6, Q(1), count(1)  # monomials; sums of so many values are written out
UNIT = [(F1, (), ())]

def zero_or_one(b): return b.op in ("delta", "range", "step")
def root(*qs): return any(q.denominator > 1 for q in qs)
def is_symbol(s): return len(s.data) == 1 and s.data[0][1] == 1 and len(s.data[0][0]) == 1
def compound(b): return b.op in ("add", "mul", "pow", "sum") or b.op == "size" and not is_symbol(b.data[0])
def plainly_positive(b):
    return b.data[0] > 0 if b.op == "num" else b.data == ("exp", 0) or b.op == "size" and is_symbol(b.data[0])

def merged(factors, needs):
    """Equal bases brought together."""
    found = {}
    for b, e in ((normal(b), e) for b, e in factors):
        old = found.get(b)
        found[b] = F1 if zero_or_one(b) else e + (old or 0)
        if old is not None and not zero_or_one(b) and not plainly_positive(b):
            needs |= {("gt0", b)} if root(e, old) else {("ne0", b)} if (e > 0) != (old > 0) else set()
    return {b: e for b, e in found.items() if e}

def expand(t, needs):
    """The monomials of t; what it needs is added to `needs`."""
    found, more = expanded(t)
    needs |= more
    return found

@remembered
def expanded(t):
    needs = set()
    found = monomials(t, needs)
    return need(len(found) <= LIMIT, "too many products") and (found, needs or NONE)

def monomials(t, needs):
    match t.op:
        case "num": return [(t.data[0], (), ())] if t.data[0] else []
        case "size": return [(Q(c), (), tuple(merged([(size_term(just(a)), F1) for a in m], needs).items()))
                             for m, c in t.data[0].data]
        case "ord" if not is_symbol(*t.at) or t.at[0].data[0][0][0].op == "n":
            constant, parts = split(t.at[0])
            return expand(add(size_term(constant), *(size_term(k) * ordinal(just(a)) for a, k in parts)), needs)
        case "add": return [m for s in t.terms for m in expand(s, needs)]
        case "mul":
            times_next = lambda out, s: multiplied(out, expand(s, needs), needs) if out else []
            return reduce(times_next, t.terms, [] if ZERO in t.terms else UNIT)
        case "pow": return raised(*t.terms, *t.data, needs)
        case "sum" if number(*t.data) in range(SHORT + 1):
            return [m for v in range(number(*t.data)) for m in expand(opened(*t.terms, (whole(v),)), needs)]
        case "sum":
            axes = fresh(t.data)
            found = expand(opened(*t.terms, justs(axes)), needs)
            return [m for c, dummies, factors in found for m in tidy(c, dummies + axes, factors, needs)]
        case "app" if t.data == ("exp", 0):  # e^{a + 2b} = e^a (e^b)^2
            parts = [(exp(closed_sum(*m)), m[0]) for m in like(expand(*t.terms, needs)).values()]
            return [(F1, (), tuple(merged(parts, needs).items()))]
    return tidy(F1, (), ((t, F1),), needs)

def fresh(sizes): return tuple(node("i", ((-next(FRESH),), s)) for s in sizes)

def apart_from_dummies(m, taken):
    """The monomial with other dummies, where one of them is taken."""
    c, dummies, factors = m
    if set(dummies).isdisjoint(taken): return m
    new = fresh(sizes_of(dummies))
    return c, new, tuple((substitute(b, dict(zip(dummies, justs(new)))), e) for b, e in factors)

def multiplied(left, right, needs):
    need(len(left) * len(right) <= LIMIT, "too many products")
    out = []
    for (c, dummies, factors), m in product(left, right):
        k, others, more = apart_from_dummies(m, dummies)
        whole_ = c * k, dummies + others, factors + more
        out += tidy(*whole_, needs) if factors and more else [whole_]
    return out

def raised(base, q, needs):
    """base^q: an integer power goes to all factors of a product, a root to the positive ones."""
    found = list(like(expand(base, needs)).values()) if q else UNIT
    if not found or not q: return found
    if len(found) > 1 or found[0][1]:  # a sum
        out = UNIT if q > 0 and not root(q) else [(F1, (), ((base, q),))]
        for _ in range(int(q) if need(q <= 64, "a power above 64") and out is UNIT else 0):
            out = list(like(multiplied(out, found, needs)).values())
        return out
    (c, _, factors), = found
    digits = c.numerator.bit_length() + c.denominator.bit_length() - 2
    need(digits * abs(q) <= 1_000_000, "a number of too many digits")
    if not root(q):
        needs |= {("gt0", b) for b, e in factors if root(e) and not plainly_positive(b)}
        return tidy(c ** int(q), (), tuple((b, e * q) for b, e in factors), needs)
    out = [(b, e * q) for b, e in factors if plainly_positive(b)]
    rest = [b if e == 1 else b ** e for b, e in factors if not plainly_positive(b)] + ([num(c)] if c < 0 else [])
    out += [(num(p), k * q) for p, k in primes(c)] if c > 0 else []
    return tidy(F1, (), (*out, *([(product_of(*rest), q)] if rest else [])), needs)

def primes(c):
    """c = Π p^k for c > 0; what has no divisor below 1000 stays whole."""
    powers = defaultdict(int)
    for n, sign in ((c.numerator, 1), (c.denominator, -1)):
        for p in range(2, 1000):
            while n % p == 0: n, powers[p] = n // p, powers[p] + sign
        if n > 1: powers[n] += sign
    return powers.items()

def tidy(c, dummies, factors, needs):
    """A monomial with numbers taken out, deltas contracted, sums multiplied out, and unused dummies counted."""
    factors = merged(factors, needs)
    active = [item for item in factors.items() if item[0].op not in ("entry", "app", "ord", "whole", "diff")]
    for rewrite in (contracted, multiplied_out):
        for b, e in active:
            found = rewrite(b, e, dummies, tuple(x for x in factors.items() if x[0] is not b), needs)
            if found is not None: return [m for k, ds, fs in found for m in tidy(c * k, ds, fs, needs)]
    used = frozenset().union(*(b.free for b in factors))
    out = [(c, tuple(a for a in dummies if a in used), tuple(factors.items()))]
    for n in sizes_of(a for a in dummies if a not in used):  # Σ_i 1 = n for n >= 0
        needs |= set() if at_least_0(n) else {("ge0i", n)}
        out = multiplied(out, expand(size_term(n), needs), needs)
    return out

def multiplied_out(b, e, dummies, rest, needs):
    """Sums with positive integer exponents are multiplied out; of e >= 0 and e < 0 only one is written."""
    if b.op == "range" and turned(b.at[0]):
        return [(F1, dummies, rest), (-F1, dummies, (*rest, (in_range(-1 - b.at[0]), F1)))]
    if e.denominator == 1 and e > 0 and compound(b):
        found = (apart_from_dummies(m, dummies) for m in raised(b, e, needs))
        return [(k, dummies + others, rest + more) for k, others, more in found]

def turned(e):
    items = [(len(m), sorted(a.data for a in m), k) for m, k in split(e)[0].data]
    return bool(items) and max(items)[2] < 0

def contracted(b, e, dummies, rest, needs):
    """What a number, δ or [f >= 0] does to the other factors: monomials, or None for nothing."""
    one = lambda *more, rest=rest: [(F1, dummies, (*rest, *((x, F1) for x in more)))]
    moved = lambda a, value: [(substitute(x, {a: value}), y) for x, y in rest]
    if b.op == "num":
        (v,), k = b.data, e if not root(e) else Q(e // 1) if b.data[0] > 0 else 0
        return [(v ** int(k) if v else v, dummies, (*rest, (b, e - k)) if e != k else rest)] if k else None
    if b.op == "delta":
        gap = b.at[0] - b.at[1]
        if not gap.data or never_zero(gap): return [] if gap.data else one()
        for a, value in solutions(gap):
            if a in dummies:
                edges = [(in_range(x), F1) for x in (value, size_of(a) - 1 - value) if not never_negative(x)]
                return [(F1, tuple(d for d in dummies if d is not a), (*moved(a, value), *edges))]
        for s, quotient, other in quotients(gap):  # s quotient + other = 0 with |other| < s
            if inside(other + s - 1, 2 * s - 1): return one(delta(quotient, whole(0)), delta(other, whole(0)))
        for a, value in sorted(solutions(gap), key=lambda x: (type(x[0].data[0]) is tuple, x[0].data[0]))[-1:]:
            gathered = lambda v: any(p.op == "pick" for p, _ in split(v)[1])
            others = [v for x, _ in rest if x.op == "delta" for i, v in solutions(x.at[0] - x.at[1]) if i is a]
            if not gathered(value) and any(map(gathered, others)): break  # entries of integer arrays stay
            if any(a in x.free for x, _ in rest): return one(b, rest=moved(a, value))
    if b.op == "range":
        (f,), decided = b.at, lambda f: [f] if never_negative(f) or always_negative(f) else []
        for s, quotient, other in quotients(f) if not decided(f) else ():
            if inside(other, s): return one(in_range(quotient))  # s quotient + other >= 0 with 0 <= other < s
        there = [g for x, _ in rest if x.op == "delta" for a, value in solutions(x.at[0] - x.at[1])
                 for g in decided(f + coefficient(f, a) * (value - just(a)))]
        for g in decided(f) + there: return one() if never_negative(g) else []
        for x, _ in rest:
            if x.op == "range" and (always_negative(f + x.at[0]) or never_negative(f - x.at[0])):
                return [] if always_negative(f + x.at[0]) else one()
            if x.op == "range" and not (f + x.at[0]).data:
                return one(delta(f, whole(0)), rest=[item for item in rest if item[0] is not x])

@remembered
def solutions(gap):
    """Indices whose value follows from gap = 0, with the value."""
    parts = split(gap)[1]
    alone = [(a, k) for a, k in parts if a.op == "i" and not any(a in x.free for x, _ in parts if x is not a)]
    return [(a, just(a) - k * gap) for a, k in alone if number(k) in (1, -1)]

def like(found):
    """Like monomials added, first those of the same dummies: {the product without its coefficient, closed: monomial}"""
    return collected(collected(found, lambda *m: m).values(), lambda *m: canonical(*m)[0])

def collected(found, key):
    total = {}
    for c, dummies, factors in found:
        same = key(dummies, frozenset(factors))
        total[same] = c + total[same][0] if same in total else c, dummies, factors
    return {same: m for same, m in total.items() if m[0]}

def vanishes(t):
    """Whether t is plainly 0, under no condition."""
    needs = set()
    return not like(expand(t, needs)) and not needs

@remembered
def canonical(dummies, factors):
    """What Σ_{dummies} Π factors is whatever the dummies are called, and an order of them in which it is that."""
    groups, before, colours = [dummies], 0, {}  # told apart by where they stand, then by whom they meet there
    def place(b, a, marks):
        return normal(substitute(b, marks)).serial if marks else (
            b.data[0] if b.op == "entry" else b.op, *(a in e.free for e in b.at))
    while before < len(groups) < len(dummies):
        found, before = defaultdict(list), len(groups) if colours else 0
        for a in dummies:
            marks = {x: just(node("i", ((0, 0 if x is a else n + 1), size_of(x)))) for x, n in colours.items()}
            places = sorted((place(b, a, marks), e) for b, e in factors if a in b.free)
            found[colours.get(a, 0), size_of(a).serial, *places].append(a)
        groups = [found[k] for k in sorted(found)]
        colours = {a: n for n, group in enumerate(groups) for a in group}
    need(prod(factorial(len(g)) for g in groups) <= 40_320, "too many dummies that look alike")
    rows = (sum(orders, ()) for orders in product(*map(permutations, groups)))
    there = lambda row: (sizes_of(row), *sorted((bound(row, b).serial, e) for b, e in factors))
    return min(((there(row), row) for row in rows), key=lambda x: x[0][1:])
bound = remembered(lambda row, b: normal(bind(row, b)))
def closed_sum(c, dummies, factors):
    body = product_of(*(b if e == 1 else b ** e for b, e in factors))
    return normal(sums(canonical(dummies, frozenset(factors))[1], body))

# === worlds: definitions, hypotheses, and what is plain from them ====================================================
# A predicate is (kind, t): gt0 t > 0, ne0 t != 0, ge0 t >= 0, ge0i e >= 0, for all values of the free indices of t.
# A hypothesis is one, or ("eq", t, t).  What is known of a sign is bits, 1 for >= 0, 2 for != 0, 3 for > 0: of a
# product what is known of every factor (&), of a term all that is said of it (|).

KINDS, SAYS = ("gt0", "ne0", "ge0", "ge0i"), {"gt0": 3, "ne0": 2, "ge0": 1}

class World:
    def __init__(self, definitions, hypotheses, layers):
        self.definitions, self.hypotheses, self.layers = dict(definitions), dict(hypotheses), layers
        facts = [(name, SAYS[h[0]], h[1]) for name, h in hypotheses if h[0] in SAYS]
        self.facts = sorted(facts, key=lambda fact: fact[1] < 3)  # what says most first
        self.named = defaultdict(list)
        for array, meaning in definitions: self.named[array[0]].append((array, meaning))

    def meanings(self, array):
        """Its definition, and those of arrays that may be the same one (W^l and W^L)."""
        return [m for a, m in self.named.get(array[0], ()) if not apart(a, array)]

    @remembered
    def behind(self, arrays):
        """These arrays, and all that their definitions look at."""
        found = [*arrays]  # which grows
        for a in found: found += {b for _, body in self.meanings(a) for b in body.arrays}.difference(found)
        return frozenset(found)

    def moves(self, t, variables):
        """Whether one of the variables may occur in t or in the definitions that it rests on."""
        return not all(apart(b, v) for b in self.behind(t.arrays) for v in variables if b[0] == v[0])

    def parts(self, t, exact=False):
        """What t is made of: entries by their definitions, bodies at indices of their own, derivatives without `by`."""
        if t.op == "entry": return [entry_at(*m, t, exact) for m in self.meanings(t.data)]
        return [own_body(t)] if t.op in ("sum", "whole") else t.terms[:1] if t.op == "diff" else t.terms

    @remembered
    def with_definition(self, array, axes, body):
        need(array not in self.definitions and array[0] != "pi", f"{array[0]} is defined twice, or is a number")
        need(body.free <= set(axes), f"{array[0]} depends on more than its axes")
        need(all(apart(a, array) for a in self.behind(body.arrays)), f"{array[0]} is defined by itself")
        return world_of({**self.definitions, array: (axes, body)}, self.hypotheses)
    def assuming(self, named):
        need(not named.keys() & self.hypotheses.keys(), "a hypothesis has the name of another")
        return world_of(self.definitions, {**self.hypotheses, **named}) if named else self

same_world = remembered(World)  # worlds that say the same are one object, as nodes are
def world_of(definitions, hypotheses, layers=None):
    return same_world(tuple(definitions.items()), tuple(hypotheses.items()), layers)
def terms_of(h): return () if h[0] == "ge0i" else h[1:]
def apart(a, b):
    """Certainly two arrays."""
    if a[0] != b[0] or a[1] is None or b[1] is None: return a[0] != b[0]
    return at_least_1(a[1] - b[1]) or at_least_1(b[1] - a[1])
def entry_at(axes, body, e, exact=True):
    """The entry e by this definition of its array; else up to the names of indices, where e has different free ones."""
    alone = [i for x in e.at for i in x.free]
    same = justs(alone) == e.at and sizes_of(alone) == sizes_of(axes) and len(set(alone)) == len(axes)
    need(len(axes) == len(e.at), f"{e.data[0]} has another number of indices")
    return body if same and not exact else substitute(body, dict(zip(axes, e.at)))

@remembered
def places(t):
    """The index expressions inside t that speak of no dummy, and their indices alone."""
    parts = [e for x in subterms(t) for e in x.at]
    for e in parts: parts += [y for index, _ in split(e)[1] for y in (just(index), *index.at) if y is not e]
    return tuple(dict.fromkeys(e for e in parts if not e.reach))

@remembered
def instance(general, t):
    """Whether t is the general term at values of its free indices that occur in t."""
    free = order(general.free) if general.op == t.op and general.arrays == t.arrays else None
    return free is not None and any(normal(substitute(general, dict(zip(free, at)))) is normal(t)
        for at in product(*([e for e in places(t) if inside(e, size_of(i))] for i in free)))

def sign(t, world, used):
    """The sign that is plain; the hypotheses that say so are added to `used`."""
    known, names = signed(t, world)
    return used.update(names) or known
@remembered
def signed(t, world):
    meant, used = t.op == "entry" and t.data in world.definitions, set()  # then it has the sign of what it means
    known = sign(entry_at(*world.definitions[t.data], t, False), world, used) if meant else sign_of_form(
        t, lambda s: sign(s, world, used))
    for name, said, h in world.facts:
        if said & ~known and instance(h, t):
            known |= said
            used.add(name)
    return known, used

def sign_of_form(t, sign):
    match (t.op, *t.data[:2]):
        case ("num", q): return 3 if q > 0 else 2 if q else 1
        case ("size", n): return 2 * (at_least_1(n) or at_least_1(-n)) | at_least_0(n)
        case ("ord",): return int(never_negative(*t.at))
        case ("range",): return 3 if never_negative(*t.at) else 1
        case ("entry", "pi", None) | ("app", "exp" | "sigmoid" | "softplus" | "cosh", 0): return 3
        case ("delta",) | ("step",) | ("whole", "argmax", _): return 1
        case ("app", "log", 0) if t.terms[0].op == "add":  # log(1 + positive)
            one = next((s for s in t.terms[0].terms if s.op == "num" and s.data[0] >= 1), None)
            return sign_of_form(add(*(s for s in t.terms[0].terms if s is not one)), sign) if one else 0
        case ("add",): return added(list(map(sign, t.terms)))
        case ("mul",): return sign_of_product(t.terms, sign)
        case ("pow", q):
            base = sign(*t.terms)
            return base if base == 3 or not root(q) and q % 2 else 0 if root(q) else base | 1
        case ("sum", n):
            (i,), body = own_axes(t), own_body(t)
            found, ends = sign(body), [whole(0), n - 1, *justs(order(body.free - set(own_axes(t))))]
            some = found == 3 and at_least_1(n)  # else perhaps a sum of nothing, or of zeros but for one value of i
            return 0 if not found & 1 else 3 if some or any(
                inside(e, n) and sign(substitute(body, {i: e})) == 3 for e in ends) else 1
        case ("whole", "max", _): return sign(own_body(t)) if some_values(t) and sign(own_body(t)) & 1 else 0
        case ("whole", "prod", _): return sign(own_body(t))
    return 0
def added(signs): return max(signs) if signs and all(s & 1 for s in signs) else 0

def sign_of_product(factors, sign):
    """Equal factors in pairs are squares."""
    found, turned = 3, 0
    for a in set(factors):
        odd = factors.count(a) % 2
        if a.op == "num" and a.data[0] < 0: turned ^= odd
        else: found &= sign(a) if odd else sign(a) | 1
    return found & 2 if turned else found

def plain(predicate, world, used):
    """Whether the predicate is plain from signs and hypotheses."""
    kind, t = predicate
    if kind == "ge0i": return never_negative(t)
    found = sign(t, world, used)
    turned = kind == "ne0" and t.op == "add" and not found & 2 and sign(add(*map(negated, t.terms)), world, used) == 3
    return turned or found & SAYS[kind] == SAYS[kind]
def negated(t):
    factors = [*(t.terms if t.op == "mul" else (t,))]
    k = next((k for k, s in enumerate(factors) if s.op == "num"), None)
    return -t if k is None else product_of(num(-factors[k].data[0]), *factors[:k], *factors[k + 1:])

# === where terms have derivatives, and where they have values ========================================================

@remembered
def smooth(t, variables, world):
    """Conditions under which t is smooth in the entries of these variables; where they hold they hold all around."""
    if not world.moves(t, variables): return NONE
    needs = NONE
    match (t.op, *t.data[:1]):
        case ("pow", q) if root(q) or q < 0: needs = {("gt0" if root(q) else "ne0", *t.terms)}
        case ("app", "log") | ("step",): needs = nonzero(*t.terms)
        case ("diff",): variables = variables | {t.terms[1].data}
        case ("whole", "max" | "argmax"): needs = alone(t)
        case ("whole", "inv"): needs = regular(t)
        case ("whole", fn): need(fn not in ("gap", "min", "pinv"), f"no law differentiates {fn}")
    return NONE.union(needs, *(smooth(s, variables, world) for s in world.parts(t)))

def around(fact, array, world):
    """What makes a fact, where it holds, hold all around when the array moves."""
    kind, t, *_ = fact
    if not any(world.moves(s, {array}) for s in terms_of(fact)): return frozenset()
    need(kind in ("gt0", "ne0"), f"a derivative by {array[0]}, where an equation need not hold all around")
    return smooth(own_body(t) if t.op == "whole" and t.data[0] == "gap" else t, frozenset((array,)), world)

def is_variable(w, world): return need(w is not PI and not world.meanings(w.data), f"{w.data[0]} is no variable")

def truth(t):
    """A polynomial of steps and deltas that is 0 or 1 whatever they are; a sum of one term is none (0 * nan is nan)."""
    atoms = order(truth_atoms(t) or ())
    cases = [dict(zip(atoms, c)) for c in product((0, 1), repeat=len(atoms))] if 0 < len(atoms) <= 6 else []
    return bool(cases) and all(truth_value(t, c) in (0, 1) or both_signs(s for s in atoms if c[s]) for c in cases)

def both_signs(steps):
    """u > 0 and -u > 0 are among these: no point is there."""
    return any(vanishes(add(*two)) for two in combinations([s.terms[0] for s in steps if s.op == "step"], 2))

def truth_atoms(t):
    inner = [truth_atoms(s) for s in t.terms if s.op != "num"] if t.op in ("add", "mul") and len(t.terms) > 1 else []
    return {t} if zero_or_one(t) else set().union(*inner) if inner and all(inner) else None
def truth_value(t, values):
    parts = [truth_value(s, values) for s in t.terms] if t.op in ("add", "mul") else []
    return values[t] if t in values else sum(parts) if t.op == "add" else prod(parts) if t.op == "mul" else t.data[0]

def off_diagonal(u):
    """u + δ_ij where u, such as x_i - x_j, is 0 whenever i = j: its step does not move there."""
    pairs = [(i, j) for i, j in combinations(order(u.free), 2) if size_of(i) is size_of(j)]
    zero = [delta(just(i), just(j)) for i, j in pairs if vanishes(substitute(u, {j: just(i)}))]
    return add(u, *zero) if zero else u

def values_needed(t, world, used, moving=frozenset(), facts=False):
    """Predicates that hold exactly where t has a value, and (off kinks, ties, roots of 0) where its steps have a
    derivative by the moving arrays.  Beside a factor that is a truth value h, u > 0 is needed as h u + 1 - h > 0; as
    facts, what is beside other combinations of steps is left out.  `used` gets by what others are plain."""
    found, seen, later = {}, {}, [(t, moving, ())]  # what has fewer guards comes first
    for x in later: note_values(*x, world, used, found, facts, seen, later)  # which makes it longer
    return {p: None for p, implied_by in found.items() if implied_by not in found}

@remembered
def needless(t, world, still):
    """Nothing is needed of t: it rests on no partial function, nor on a step where something moves."""
    partial = t.data == ("log", 0) or t.op == "pow" and (t.data[0] < 0 or root(*t.data)) or t.op in ("whole", "diff")
    return not partial and (still or t.op != "step") and all(needless(s, world, still) for s in world.parts(t))

def note_values(t, moving, guards, world, used, found, facts, seen, later):
    before = seen.setdefault((t, moving), [])  # under fewer guards it need not be looked at again
    if any(set(guards) >= some for some in before) or needless(t, world, not moving): return
    if guards and t.op == "entry" and all(set() in seen.get((s, moving), ()) for s in world.parts(t)): return
    before.append(set(guards))
    h, moves = product_of(*guards), world.moves(t, moving)
    def note(*predicates):
        for kind, u in (p for p in predicates if not plain(p, world, used)):
            guarded = u if not guards else h * u if kind == "ge0" else h * u + (1 - h)
            found.setdefault((kind, normal(guarded)), (kind, normal(u)) if guards else None)  # the one implies it
    match (t.op, *t.data[:1]):
        case ("mul",):
            own, steps = (tuple(s for s in t.terms if f(s)) for f in (truth, truth_atoms))
            rest, more = steps if facts and len(steps) > len(own) else t.terms, tuple(dict.fromkeys(guards + own))
            later += product(rest, [moving], [more]) if own else ()
            inner = own or rest
        case ("pow", q) if q < 0: note(("gt0" if root(q) else "ne0", *t.terms))
        case ("pow", q) if root(q): note(*((kind, *t.terms) for kind in ("ge0", "gt0")[:1 + moves]))
        case ("app", "log"): note(("gt0", *t.terms))
        case ("step",) if moves: note(("ne0", off_diagonal(*t.terms)))
        case ("diff",): moving = moving | {t.terms[1].data}
        case ("whole", "max" | "min" | "argmax" as fn):
            found.update((("ge0i", n - 1), None) for n in t.data[2] if not at_least_1(n))
            note(*(alone(t) if fn != "min" else positive(function("gap", 0, t.data[2], -t.terms[0]))) if moves else ())
        case ("whole", "inv"): note(*regular(t))
        case ("whole", "pinv"): need(not moves, "a pseudo-inverse need not be continuous")
    for s in inner if t.op == "mul" else world.parts(t, guards):
        note_values(s, moving, guards, world, used, found, facts, seen, later)

# === laws ============================================================================================================
# A law reads arguments of these kinds: t term, w entry, W function of an array, i index, e index expression, q
# fraction, n natural number, l text, T terms, I different indices, 2 two of them, E index expressions, V values for
# indices, C the world (no argument).  It gives the two sides, then conditions, then names of hypotheses.

SLOPES = {
    "exp": exp, "log": lambda u: u ** -1, "softplus": lambda u: app("sigmoid", u), "sin": lambda u: app("cos", u),
    "cos": lambda u: -app("sin", u), "sinh": lambda u: app("cosh", u), "cosh": lambda u: app("sinh", u),
    "tanh": lambda u: 1 - app("tanh", u) ** 2, "atan": lambda u: (1 + u ** 2) ** -1,
    "sigmoid": lambda u: app("sigmoid", u) * (1 - app("sigmoid", u)),
    "erf": lambda u: mul(num(2), PI ** Q(-1, 2), exp(-u ** 2)),
}
EXPONENTIALS = {
    "tanh": lambda u: (exp(2 * u) - 1) / (exp(2 * u) + 1), "sigmoid": lambda u: exp(u) / (1 + exp(u)),
    "softplus": lambda u: log(1 + exp(u)), "sinh": lambda u: Q(1, 2) * (exp(u) - exp(-u)),
    "cosh": lambda u: Q(1, 2) * (exp(u) + exp(-u)),
}
ODD, EVEN = ("sin", "erf", "atan", "sinh", "tanh"), ("cos", "cosh")
KINKED = ("abs", "ceil", "floor", "heaviside", "relu", "round", "sign", "step", "trunc")

def positive(*ts): return {("gt0", t) for t in ts}
def nonzero(*ts): return {("ne0", t) for t in ts}
def is_a(w, *names): return need(w.data[0] in names, f"{w.data[0]} is another function")
def unused(axes, *xs): return need(all(x.free.isdisjoint(axes) for x in xs), "an index is in use")
def axes_of(w, axes): return need(sizes_of(axes) == w.data[2], f"the axes of {w.data[0]} have other sizes")
def all_inside(at, sizes): return need(len(at) == len(sizes) and all(map(inside, at, sizes)), "an index may be outside")
def entry_of(w, *at): return opened(*w.terms, at)
def argmax(w, at): return beside(w, "argmax", at)
def alone(w): return positive(beside(w, "gap"))
def regular(w): return nonzero(beside(w, "det"))
def some_values(w): return all(map(at_least_1, w.data[2]))
def some_maximum(w): return is_a(w, "max") and need(some_values(w), "a maximum of nothing")
def axes_of_maximum(w, axes): return some_maximum(w) and axes_of(w, axes) and unused(axes, w)
def entry_of_maximum(w, at): return some_maximum(w) and all_inside(at, w.data[2]) and entry_of(w, *at)
def slope_of_entry(w, axes, x): return unused(axes, x, w) and axes_of(w, axes) and diff(entry_of(w, *justs(axes)), x)
def diff_entry(world, e, w):
    need(not world.meanings(e.data) and (e.data == w.data or apart(e.data, w.data)), "defined, or perhaps the variable")
    need(e.data != w.data or len(e.at) == len(w.at), f"{w.data[0]} has another number of indices")
    return diff(e, w), deltas(e.at, w.at) if e.data == w.data else ZERO
def diff_apply(fn, degree, u, w):
    need(fn not in KINKED and (fn not in SLOPES or not degree), f"no slope of {fn}")
    slope = SLOPES[fn](u) if fn in SLOPES else app(fn, u, degree + 1)
    return diff(app(fn, u, degree), w), slope * diff(u, w), nonzero(u) if fn == "log" else ()
def diff_power(f, q, w):
    needs = positive(f) if root(q) else nonzero(f) if q < 1 else ()
    return diff(f ** q, w), mul(num(q), f ** (q - 1), diff(f, w)), needs
def diff_whole(w, axes, x):
    need(len(w.at) == w.data[1] * len(axes), "one group of indices for each derivative")
    fn, degree, sizes = w.data
    outer = function(fn, degree + 1, sizes, *w.terms, w.at + justs(axes))
    return diff(w, x), sums(axes, outer * slope_of_entry(w, axes, x))
def diff_inverse(w, axes, x):
    (p, q), (i, j) = justs(axes), is_a(w, "inv") and w.at
    inner = mul(beside(w, "inv", (i, p)), slope_of_entry(w, axes, x), beside(w, "inv", (q, j)))
    return diff(w, x), -sums(axes, inner), regular(w)
def diff_prod(w, axes, others, x):
    need(is_a(w, "prod") and not set(axes) & set(others) and axes_of(w, others), "an index is in use")
    inner, here = slope_of_entry(w, axes, x), deltas(justs(axes), justs(others))
    rest = unused(others, x, inner) and of_array("prod", others, here + (1 - here) * entry_of(w, *justs(others)))
    return diff(w, x), sums(axes, rest * inner)
def sum_of_angles(fn, a, b):
    (sa, ca), (sb, cb) = ((app("sin", u), app("cos", u)) for u in (a, b))
    return app(fn, a + b), {"sin": sa * cb + ca * sb, "cos": ca * cb - sa * sb}[fn]
def negated_outside(h, u):
    return (1 - h) * step(-u), need(zero_or_one(h), "no case distinction") and (1 - h) * (1 - step(u)), nonzero(u + h)
def by_cases(like, h, a, b):
    need(zero_or_one(h) and like.op in ("app", "pow", "step"), "no case distinction")
    f = lambda u: node(like.op, like.data, (u,))
    return f(h * a + (1 - h) * b), h * f(a) + (1 - h) * f(b)
def reindex(i, k, e, f):
    s, ranged = coefficient(e, i), lambda e, i: (in_range(e), in_range(size_of(i) - 1 - e))
    shift = e - s * just(i)
    need(number(s) in (1, -1) and unused((i,), shift) and i is not k and unused((k,), f, e), "no new index")
    back = s * (just(k) - shift)
    return sums((i,), mul(*ranged(e, k), f)), sums((k,), mul(*ranged(back, i), substitute(f, {i: back})))
def counted(i, e):
    s = coefficient(e, i)
    c = e - s * just(i) + (size_of(i) - 1 if number(s) == 1 else 0)
    need(number(s) in (1, -1) and unused((i,), c) and inside(c + 1, size_of(i) + 1), "the values may leave the range")
    return sums((i,), in_range(e)), ordinal(c) + 1

def digits(i, q, r, *terms):
    """The terms at i = R q + r."""
    sizes = size_of(q), size_of(r)
    need(size_of(i) is times(*sizes) and all(map(at_least_0, sizes)) and q is not r, "the digits have other sizes")
    return unused((q, r), *terms) and tuple(substitute(t, {i: sizes[1] * just(q) + just(r)}) for t in terms)

def inverse_times(w, k, left):
    is_a(w, "inv") and all_inside(w.at, w.data[2]) and unused((k,), w)
    (i, j), m = w.at, need(size_of(k) is w.data[2][0], "an index of another size") and just(k)
    factors = (beside(w, "inv", (i, m)), entry_of(w, m, j)) if left else (entry_of(w, i, m), beside(w, "inv", (m, j)))
    return sums((k,), mul(*factors)), delta(i, j), regular(w)
def maximum_of_maxima(outer, inner, axes, f):
    need(set(axes) == {*outer, *inner} and len(axes) == len(outer) + len(inner), "other axes")
    left, right = of_array("max", outer, of_array("max", inner, f)), of_array("max", axes, f)
    return left, some_maximum(right) and right
def product_without(axes, f, at):
    all_inside(at, sizes_of(axes)) and unused(axes, *at)
    here, one = deltas(at, justs(axes)), substitute(f, dict(zip(axes, at)))
    return of_array("prod", axes, here + (1 - here) * f), of_array("prod", axes, f) / one, nonzero(one)

def of_product(w, axes, k, a, b):
    p, q = is_a(w, "det", "inv") and axes
    unused((q,), a) and unused((p,), b)
    left = of_array(w.data[0], axes, sums((k,), a * b), w.at)
    dets = of_array("det", (p, k), a), of_array("det", (k, q), b)
    if w.data[0] == "det": return left, mul(*dets)
    all_inside(w.at, left.data[2]) and unused((k,), left)
    factors = of_array("inv", (k, q), b, (w.at[0], just(k))), of_array("inv", (p, k), a, (just(k), w.at[1]))
    return left, sums((k,), mul(*factors)), nonzero(*dets)

def inverse_of_inverse(w, axes):
    is_a(w, "det", "inv") and axes_of(w, axes) and unused(axes, w)
    left = of_array(w.data[0], axes, beside(w, "inv", justs(axes)), w.at)
    return left, w ** -1 if not w.at else all_inside(w.at, w.data[2]) and entry_of(w, *w.at), regular(w)
def of_identity(axes, at):
    need(all(inside(e, size_of(axes[0])) for e in at), "an index may leave its range")
    return of_array("inv" if at else "det", axes, delta(*justs(axes)), at), delta(*at) if at else ONE
def assume(world, name, values):
    kind, *sides = world.hypotheses.get(name, ("no",))
    all_inside([e for _, e in values], sizes_of(i for i, _ in values))
    need(kind == "eq", f"no equation is assumed by the name {name}")
    return *(substitute(t, dict(values)) for t in sides), (), {name}

LAWS = {
    # derivatives
    "diff_independent": ("Ctw", lambda c, t, w:
        need(not c.moves(t, {w.data}), f"it may depend on {w.data[0]}") and (diff(t, w), ZERO)),
    "diff_entry": ("Cww", diff_entry),
    "diff_sum": ("itw", lambda i, f, w: unused((i,), w) and (diff(sums((i,), f), w), sums((i,), diff(f, w)))),
    "diff_add": ("Tw", lambda ts, w: (diff(add(*ts), w), add(*(diff(t, w) for t in ts)))),
    "diff_mul": ("Tw", lambda ts, w: (diff(mul(*ts), w),
        add(*(mul(*ts[:k], diff(t, w), *ts[k + 1:]) for k, t in enumerate(ts))))),
    "diff_power": ("tqw", diff_power),
    "diff_apply": ("lntw", diff_apply),
    "diff_step": ("tw", lambda u, w: (diff(step(u), w), ZERO, nonzero(u))),
    "diff_whole": ("WIw", diff_whole),
    "diff_det": ("W2w", lambda w, ax, x: is_a(w, "det") and (
        diff(w, x), w * sums(ax, beside(w, "inv", justs(ax[::-1])) * slope_of_entry(w, ax, x)), nonzero(w))),
    "diff_inverse": ("W2w", diff_inverse),
    "diff_max": ("WIw", lambda w, ax, x: is_a(w, "max") and (
        diff(w, x), sums(ax, argmax(w, justs(ax)) * slope_of_entry(w, ax, x)), alone(w))),
    "diff_argmax": ("Ww", lambda w, x: is_a(w, "argmax") and (diff(w, x), ZERO, alone(w))),
    "diff_prod": ("WIIw", diff_prod),
    # functions and powers
    "in_exponentials": ("lt", lambda fn, u: (app(fn, u), EXPONENTIALS[fn](u))),
    "log_of_product": ("T", lambda ts: (log(mul(*ts)), add(*map(log, ts)), positive(*ts))),
    "log_of_power": ("tq", lambda b, q: (log(b ** q), q * log(b), positive(b))),
    "log_of_exp": ("t", lambda u: (log(exp(u)), u)),
    "exp_of_log": ("t", lambda u: (exp(log(u)), u, positive(u))),
    "sine_squared": ("t", lambda u: (app("sin", u) ** 2, 1 - app("cos", u) ** 2)),
    "parity": ("lt", lambda fn, u: need(fn in ODD + EVEN, f"{fn} is neither odd nor even")
               and (app(fn, -u), -app(fn, u) if fn in ODD else app(fn, u))),
    "at_zero": ("l", lambda fn: need(fn in ODD + EVEN, f"{fn}(0) is not known") and (app(fn, ZERO), num(fn in EVEN))),
    "sum_of_angles": ("ltt", sum_of_angles),
    "power_add": ("tqq", lambda b, p, q: (b ** p * b ** q, b ** (p + q), positive(b) if root(p, q) else nonzero(b))),
    "power_of_product": ("Tq", lambda ts, q:
        (mul(*ts) ** q, mul(*(t ** q for t in ts)), positive(*ts) if root(q) else ())),
    "root_of_product": ("Tq", lambda ts, q: (mul(*ts) ** q, mul(*(t ** q for t in ts)), {("ge0", t) for t in ts})),
    "power_of_power": ("tqq", lambda b, p, q: ((b ** p) ** q, b ** (p * q), positive(b) if root(p, q) else ())),
    "root_of_square": ("tq", lambda b, q: ((b ** 2) ** q, (b * (step(b) - step(-b))) ** (2 * q))),
    # steps
    "step_scaled": ("tt", lambda c, u: (step(c * u), step(u), positive(c))),
    "step_negated": ("t", lambda u: (step(-u), 1 - step(u), nonzero(u))),
    "step_negated_outside": ("tt", negated_outside),
    "step_beside": ("t", lambda u: (u * step(-u), u * (1 - step(u)))),
    "step_of_positive": ("t", lambda u: (step(u), ONE, positive(u))),
    "step_of_negative": ("t", lambda u: (step(-u), ZERO, {("ge0", u)})),
    "by_cases": ("tttt", by_cases),
    "step_ordered": ("tt", lambda u, c: (step(u) * step(u + c), step(u), positive(c))),
    "step_excluded": ("tt", lambda u, c: (step(u) * step(-u - c), ZERO, positive(c))),
    "step_covering": ("tt", lambda u, c: (step(u) * step(c - u), add(step(u), step(c - u), -ONE), positive(c))),
    "step_of_product": ("tt", lambda a, b: (step(a * b), step(a) * step(b) + step(-a) * step(-b))),
    "step_of_reciprocal": ("t", lambda a: (step(a ** -1), step(a))),
    "step_of_exponentials": ("tt", lambda a, b: (step(exp(a) - exp(b)), step(a - b))),
    # sums over ranges
    "reindex": ("iiet", reindex),
    "count": ("ie", counted),
    "by_radix": ("iiit", lambda i, q, r, f: (sums((i,), f), sums((q, r), *digits(i, q, r, f)))),
    "no_room": ("E", lambda es: need(always_negative(sum(es)), "all of them may hold")
                and (product_of(*map(in_range, es)), ZERO)),
    # functions of arrays
    "inverse_times": ("Wi", lambda w, k: inverse_times(w, k, True)),
    "times_inverse": ("Wi", lambda w, k: inverse_times(w, k, False)),
    "inverse_of_transpose": ("W", lambda w: is_a(w, "inv", "det") and (
        w, function(*w.data, bind(own_axes(w)[::-1], own_body(w)), w.at[::-1]))),
    "maximum_of_maxima": ("IIIt", maximum_of_maxima),
    "maximum_picks": ("WI", lambda w, ax: axes_of_maximum(w, ax) and (
        sums(ax, argmax(w, justs(ax)) * entry_of(w, *justs(ax))), w)),
    "one_argmax": ("WI", lambda w, axes: axes_of_maximum(w, axes) and (sums(axes, argmax(w, justs(axes))), ONE)),
    "argmax_products": ("WEE", lambda w, a, b: some_maximum(w) and (
        argmax(w, a) * argmax(w, b), product_of(*map(delta, a, b), argmax(w, a)))),
    "step_above_max": ("WE", lambda w, at: (step(entry_of_maximum(w, at) - w), ZERO)),
    "step_below_max": ("WE", lambda w, at: (step(w - entry_of_maximum(w, at)), 1 - argmax(w, at), alone(w))),
    "product_without": ("ItE", product_without),
    "of_product": ("W2itt", of_product),
    "inverse_scaled": ("2ttE", lambda ax, c, f, at: unused(ax, c) and (
        of_array("inv", ax, c * f, at), c ** -1 * of_array("inv", ax, f, at), nonzero(c, of_array("det", ax, f)))),
    "inverse_of_inverse": ("W2", inverse_of_inverse),
    "of_identity": ("2E", of_identity),
    # what is given
    "unfold": ("Cw", lambda c, e: (e, entry_at(*c.definitions[e.data], e))),
    "assume": ("ClV", assume),
}

# === steps ===========================================================================================================
# An equation is (left, right, conditions, names of hypotheses).  More kinds of arguments: p an equation proved before,
# P some, K [argument, equation].., M [axes, factor, equation].., R [predicate, equation].., a array, L a step to prove
# in another world, D at most one parameter of a layer.

def joined(left, right, parts, bound=()):
    """An equation under all that its parts need; an index that only the parts have must have a value."""
    inhabited(frozenset().union(*(p[0].free | p[1].free for p in parts)) - left.free - right.free - set(bound))
    return left, right, *(frozenset().union(*(p[k] for p in parts)) for k in (2, 3))
def inhabited(axes): return need(all(map(at_least_1, sizes_of(axes))), "an index may have no values")

def discharged(eq, world):
    """The equation without the conditions that are plain."""
    used = set()
    kept = frozenset(c for c in eq[2] if not plain(c, world, used))
    return eq[0], eq[1], kept, eq[3] | used

def linked(pairs):
    """a = z from a = b, b = c, ..."""
    (left, right), *rest = pairs
    for a, b in rest:
        need(a is right, "one equation does not follow the other") and inhabited(a.free - left.free - b.free)
        right = b
    return left, right

def chain(parts):
    left, right = linked([p[:2] for p in parts])
    return joined(left, right, [(left, right, *p[2:]) for p in parts])
def inside_term(t, parts):
    terms = list(t.terms)
    for k, eq in parts:
        need(t.op in ("add", "mul", "pow", "app", "step") and terms[k] is eq[0], f"argument {k} is another term")
        terms[k] = eq[1]
    return joined(t, node(t.op, t.data, tuple(terms)), [eq for _, eq in parts])
def under_diff(world, w, eq):
    facts = is_variable(w, world) and [*(world.hypotheses[name] for name in eq[3]),
                                       *(c for c in eq[2] if not plain(c, world_of({}, {}), set()))]  # else everywhere
    left, right, conditions, names = joined(diff(eq[0], w), diff(eq[1], w), [eq])
    return left, right, conditions.union(*(around(f, w.data, world) for f in facts)), names
def at_values(values, eq):
    all_inside([e for _, e in values], sizes_of(i for i, _ in values))
    return joined(*(substitute(t, dict(values)) for t in eq[:2]), [eq], [i for i, _ in values])

def linear(left, right, multiples):
    """left = right, if left - right is the sum of Σ_{axes} factor (a - b) over proved equations a = b."""
    needs, parts = set(), [(1, left), (-1, right)]
    for axes, factor, eq in multiples: parts += [(-1, sums(axes, factor * eq[0])), (1, sums(axes, factor * eq[1]))]
    for _, t in parts: inhabited(t.free - left.free - right.free)
    total = [(sign * c, *m) for sign, t in parts for c, *m in expand(t, needs)]
    need(not like(total), "the sides are different sums of products")
    return joined(left, right, [(left, right, needs, ()), *((left, right, *eq[2:]) for _, _, eq in multiples)])

def each_value(i, left, right, parts):
    need(parts and number(size_of(i)) == len(parts), "one equation for each value")
    for v, eq in enumerate(parts):
        need(eq[:2] == tuple(substitute(t, {i: whole(v)}) for t in (left, right)), f"value {v} is another case")
    return joined(left, right, parts)
def each_digit(i, left, right, q, r, eq):
    return need(eq[:2] == digits(i, q, r, left, right), "another case") and joined(left, right, [eq], (q, r))
def with_name(world, array, axes, body, proof):
    speaks = lambda ts: any(a[0] == array[0] for t in ts for a in t.arrays)
    said = [b for _, b in world.definitions.values()] + [t for h in world.hypotheses.values() for t in h[1:]]
    wider = need(not speaks(said), "the name is in use") and world.with_definition(array, axes, body)
    eq = discharged(proof(wider), wider)
    return need(not speaks([*eq[:2], *(t for _, t in eq[2])]), "the name occurs in what is proved") and eq

def rephrased(eq, replaced):
    left, right, conditions, names = eq
    for general, same in replaced:
        need(general[0] != "ge0i" and normal(same[0]) is general[1], "the equation is not about that condition")
        inhabited(same[1].free - same[0].free)
        others = {c for c in conditions if not says(general, c)}
        conditions, names = others | same[2] | {(general[0], same[1])}, names | same[3]
    return left, right, conditions, names

def says(general: Any, c: Any) -> Any:
    """A predicate is meant for all values of its indices, so it says each of its instances; e >= 0 only itself."""
    return general[0] == c[0] and (general[1] is c[1] or c[0] != "ge0i" and instance(general[1], c[1]))

class Layers:
    """z^{l+1} is `forward` of z^l; C(z^l), the cost as a function of z^l, is `loss` of z^L through the layers between.

    What holds for every smooth C of z^{l+1} holds for that one.  δ^L is `first`, δ^l is `backward` of z^l, z^{l+1},
    δ^{l+1}.
    """

    def __init__(self, row, hypotheses):
        self.cost, self.label, self.last, self.widths, self.state, self.signal, *row = row
        self.at_last, self.loss, self.first, self.above, self.forward, self.here, self.backward = row
        self.hypotheses = hypotheses

    def fit(self, z, above, last):
        """Each state is computed from the one before, and the parts look at nothing else of the layers."""
        now, next_, end = (tuple(w[k] for w in self.widths) for k in range(3))
        names, shape = (self.label, self.last, *now, *next_, *end), sizes_of(self.here)
        need(len(set(names)) == len(names) and not LEAST.keys() & set(names), "a symbol is two things, or bounded")
        need(not named("n", *shape) & {self.label, self.last, *next_, *end}, "the shape depends on other layers")
        for axes, there in ((self.above, next_), (self.at_last, end)):
            new = dict(zip(now, there))
            renamed = lambda m, new=new: order(node("n", (new.get(a.data[0], a.data[0]),)) for a in m)
            need(sizes_of(axes) == tuple(integer((renamed(m), c) for m, c in n.data) for n in shape), "other axes")
        need(not named("n", self.loss, self.first) & {self.label, *now, *next_}, "the loss depends on the layer")
        self.speaks(self.loss, {last: self.at_last}, ())
        self.speaks(self.first, {last: self.at_last}, self.at_last)
        self.speaks(self.forward, {z: self.here}, self.above)
        self.speaks(self.backward, {z: self.here, above: self.above, (self.signal, above[1]): self.above}, self.here)
        for t in (t for h in self.hypotheses.values() for t in terms_of(h)): self.speaks(t, {}, t.free)

    def speaks(self, t, states, axes):
        """Of states and signals only these, at entries that there are; of no derivative, nor of the cost itself."""
        need(t.free <= set(axes), "a part depends on more than its axes")
        if t.op == "entry" and t.data[0] in (self.state, self.signal):
            fits = t.data in states and all_inside(t.at, sizes_of(states[t.data]))
            need(fits, f"{t.data[0]} is not to be looked at here")
        need(t.op != "diff" and (t.op != "whole" or t.data[0] != self.cost), "a derivative, or the cost itself")
        for s in [own_body(t)] if t.op in ("sum", "whole") else t.terms:
            self.speaks(s, states, (*axes, *own_axes(t)) if t.op in ("sum", "whole") else axes)

    def every_depth(self, prove, base, step, parameter):
        """From the last layer, and from layer l + 1 to l, to every layer l of a network of any depth."""
        label, empty = symbol(self.label), world_of({}, {})
        z, above, ends = (self.state, label), (self.state, label + 1), (self.state, symbol(self.last))
        entry = lambda array, axes: node("entry", array, (), justs(axes))
        z_, above_, end_ = entry(z, self.here), entry(above, self.above), entry(ends, self.at_last)
        cost = lambda axes, body: of_array(self.cost, axes, body)
        slope = lambda axes, body: of_array(self.cost, axes, body, justs(axes), 1)
        self.fit(z, above, ends)
        kinks = smooth(self.loss, frozenset((ends,)), empty) | smooth(self.forward, frozenset((z,)), empty)
        need(not kinks, "a layer with kinks")
        def proves(eq, *sides):
            return need(eq[:2] == sides and not eq[2], "another equation, or one under a condition") and eq
        names = proves(prove(base, world_of({}, self.hypotheses)), diff(self.loss, end_), self.first)[3]
        known = empty.with_definition(above, self.above, self.forward)
        known = known.with_definition((self.signal, label + 1), self.above, slope(self.above, above_))
        proves(prove(step, known), diff(cost(self.above, above_), z_), self.backward)
        if not parameter: return diff(cost(self.here, z_), z_), entry((self.signal, label), self.here), (), names
        ((w, entering, proof),) = parameter
        need(w.data[1] is label and w.data[0] not in (self.state, self.signal), "no parameter of layer l")
        need(all(a[0] != w.data[0] for a in self.loss.arrays), "the loss looks at the parameter")
        need(all(a[0] != w.data[0] or a[1] is not None and at_least_1(a[1] - label) for a in self.forward.arrays),
            "another layer looks at the parameter")
        self.speaks(entering, {}, self.here)
        eq = prove(proof, empty.with_definition((self.signal, label), self.here, slope(self.here, entering)))
        self.speaks(eq[1], {(self.signal, label): self.here}, w.free)
        return *proves(eq, diff(cost(self.here, entering), w), eq[1])[:2], (), names

STEPS = {
    "chain": ("P", chain),
    "flip": ("p", lambda eq: (eq[1], eq[0], *eq[2:])),
    "inside": ("tK", inside_term),
    "undersum": ("ip", lambda i, eq: joined(sums((i,), eq[0]), sums((i,), eq[1]), [eq], (i,))),
    "underwhole": ("lnIEp", lambda fn, degree, axes, at, eq:
                   joined(*(of_array(fn, axes, t, at, degree) for t in eq[:2]), [eq], axes)),
    "underdiff": ("Cwp", under_diff),
    "instance": ("Vp", at_values),
    "linear": ("ttM", linear),
    "values": ("ittP", each_value),
    "digits": ("ittiip", each_digit),
    "let": ("CaItL", with_name),
    "rephrase": ("pR", rephrased),
    "every_depth": ("CLLD", lambda world, *parts: world.layers.every_depth(lambda p, w: discharged(p(w), w), *parts)),
}

# === certificates ====================================================================================================

NODES = {  # s size, n natural, l text, q fraction, x term, y index expression; S X Y several; a array
    "i": "ls", "b": "n", "pick": "lYs", "num": "q", "size": "s", "entry": "aY", "ord": "y", "delta": "yy", "add": "X",
    "mul": "X", "pow": "xq", "app": "lxn", "sum": "sx", "diff": "xx", "whole": "lnSxY",
}
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

class Certificate:
    """The rows of a file, read in order; a row refers to earlier ones by their numbers.  Once checked, `claim` is what
    it proves, with what is `known`: definitions, hypotheses, least sizes, layers."""

    def __init__(self, data, since=None):
        need(type(data) is dict and data.get("format") == 2, "this is no certificate of format 2")
        least, self.data, self.kinds = data["least"], data, self.readers()
        need(type(least) is dict and all(natural(n) for n in least.values()), "least sizes are numbers from 1 on")
        if since is None: begin(least)
        need(since in (None, EPOCH) and least == LEAST, "what this goes on from is not remembered")
        for table, read in (("size", read_size), ("node", self.node)):
            for row in listed(data[f"{table}s"]): ROWS[table].append(at_row(table, len(ROWS[table]), read, row))
        for table in ("step", "reason"): ROWS[table] += listed(data.get(f"{table}s", []))
        same = lambda h: ("eq", self.term(h[1]), self.term(h[2])) if h[0] == "eq" and len(h) == 3 else self.predicate(h)
        hypotheses = {text(name): same(h) for name, h in data["hypotheses"].items()}
        told = data.get("recursion")
        layers = told if told is None else tuple(self.read("lllUllIttItIt", told))
        need(not layers or not data["definitions"], "layers and definitions")
        world = world_of({}, hypotheses, Layers(layers, hypotheses) if layers else None)
        for array, axes, body in listed(data["definitions"]):
            world = world.with_definition(self.array(array), self.axes(axes), self.term(body))
        self.world, self.known, self.claim = world, (world.definitions, hypotheses, dict(LEAST), layers), ()

    def readers(self):
        """How what is of each kind is read, given what finds the equation of an earlier step."""
        entry, plainly = lambda k: self.term(k, "entry"), lambda read: lambda x, _: read(x)
        now, later = lambda p, before: before(p), lambda p, before: lambda world: before(p, world)
        several = lambda *parts: lambda xs, before: tuple(
            tuple(f(y, before) for f, y in zip(parts, x, strict=True)) for x in map(listed, listed(xs)))
        plain = {
            "s": self.size, "n": natural, "l": text, "q": fraction, "a": self.array, "S": many(self.size),
            "x": self.any_term, "y": self.any_index, "X": many(self.any_term), "Y": many(self.any_index),
            "t": self.term, "e": self.index, "i": self.axis, "w": entry, "W": lambda k: self.term(k, "whole"),
            "T": many(self.term), "E": many(self.index), "I": self.axes, "2": lambda ks: self.axes(ks, 2),
            "V": self.values, "R": self.predicate,
        }
        of = {kind: plainly(read) for kind, read in plain.items()}
        return of | {
            "p": now, "L": later, "P": lambda ps, before: many(before)(ps), "K": several(of["n"], now),
            "R": several(of["R"], now), "M": several(of["I"], of["t"], now), "D": several(of["w"], of["t"], later),
            "U": several(of["l"], of["l"], of["l"]),
        }

    def read(self, kinds, row, before=None):
        """The arguments of a row, each of its kind."""
        need(len(row) == len(kinds), f"{len(row)} arguments, not {len(kinds)}")
        return [self.kinds[kind](x, before) for kind, x in zip(kinds, row)]

    def node(self, row):
        op, *rest = row
        if op == "aff":
            constant, parts = rest
            return sum((self.size(k) * self.any_index(e) for e, k in map(pair, listed(parts))), self.size(constant))
        if op == "holds":
            (kind, k), = rest
            need(kind in ("gt0", "ge0i"), "no such predicate")
            return step(self.any_term(k)) if kind == "gt0" else in_range(self.any_index(k))
        data, terms, at = [], [], []
        need(op in NODES, "no such node")
        for kind, x in zip(NODES[op], self.read(NODES[op], rest)):
            (terms if kind in "xX" else at if kind in "yY" else data).extend(x if kind in "aXY" else [x])
        need(op != "diff" or terms[1].op == "entry", "a derivative by what is no entry")
        need(op != "pick" or at_least_1(data[1]), "an integer array without values")
        x = function(*data, *terms, at) if op == "whole" else node(op, tuple(data), tuple(terms), tuple(at))
        return as_sum(x)

    def size(self, k): return ROWS["size"][natural(k)]
    def array(self, row): return text(pair(row)[0]), None if row[1] is None else self.size(row[1])
    def any_term(self, k): return need((x := ROWS["node"][natural(k)]).op != "int", f"node {k} is no term") and x
    def any_index(self, k): return need((x := ROWS["node"][natural(k)]).op == "int", f"node {k} is no index") and x
    def index(self, k): return closed(self.any_index(k))
    def values(self, row):
        return tuple(zip(self.axes([i for i, _ in map(pair, listed(row))]), [self.index(e) for _, e in row]))

    def term(self, k, op=None):
        return need(op in (None, self.any_term(k).op), f"node {k} is no {op}") and closed(ROWS["node"][k])
    def axis(self, k):
        (i,) = self.index(k).free or (None,)
        return need(i and ROWS["node"][k] is just(i), f"node {k} is no named index") and i
    def axes(self, ks, wanted=None):
        found = tuple(map(self.axis, listed(ks)))
        need(len(set(found)) == len(found) and wanted in (None, len(found)), "an index twice, or another number")
        return found
    def predicate(self, row, kinds=KINDS):
        kind, k = row
        need(kind in kinds, "no such predicate")
        return kind, self.index(k) if kind == "ge0i" else normal(self.term(k))

    def once(self, table, k, world, read):
        """What a row of this table says in a world."""
        key = table, natural(k), world
        if key not in PROVED: PROVED[key] = at_row(table, k, read, ROWS[table][k])
        return PROVED[key]
    def equation(self, p, world): return self.once("step", p, world, lambda row: self.prove(row, p, world))

    def prove(self, row, p, world):
        kind, *rest = row
        name, args = rest if kind == "by" else (kind, rest)
        rules = LAWS if kind == "by" else STEPS
        need(name in rules, f"nothing is called {name}")
        need((world.layers is None) == (name != "every_depth"), "of layers this is not known, or there are none")
        kinds, rule = rules[name]
        before = lambda q, w=world: need(natural(q) < p, f"step {q} comes later") and self.equation(q, w)
        left, right, *more = rule(*[world] * kinds.count("C"), *self.read(kinds.lstrip("C"), args, before))
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
        stated = set(map(self.predicate, claim["conditions"]))
        need(all(any(says(s, c) for s in stated) for c in conditions), "a condition is not stated")
        self.claim = left, right, stated, set(claim["hypotheses"]), *self.known

# === theorems ========================================================================================================
# A region is a world whose hypotheses say where things have values.  A reason shows a predicate at all its points, a
# holding an equation; both give what they show and the names of the hypotheses that they use.

ANALYTIC = {*SLOPES, "det", "inv", "prod"}

def differentiated(*ts): return frozenset(s.terms[1].data for t in ts for s in subterms(t) if s.op == "diff")
def truth_cases(h):
    """What is known where a truth value is 1, and where it is 0."""
    yes, no = ([("gt0", *h.terms)], [("ge0", -h.terms[0])]) if h.op == "step" else ([], [])
    return [("eq", h, ONE), *yes], [("eq", h, ZERO), *no]
def analytic(t, world, moved):
    """Whether t and all that it rests on is analytic in the arrays that move."""
    fine = t.op not in ("step", "diff") and (t.op not in ("app", "whole") or t.data[0] in ANALYTIC and t.data[1] == 0)
    return not world.moves(t, moved) or fine and all(analytic(s, world, moved) for s in world.parts(t))

class Theorem(Certificate):
    """A statement with the argument for it: the region of its points, reasons in it, and a point that it is about.
    `facts` are what excuses other points, by name; `used` are the names of facts and hypotheses that were used."""

    def shown(self, r, world):
        """What reason r shows in a world: a predicate or ("eq", left, right), and the names it uses."""
        before = lambda k, w: need(natural(k) < r, f"reason {k} comes later") and self.shown(k, w)
        return self.once("reason", r, world, lambda row: self.reason(row, world, before))

    def reason(self, row, world, before):
        used = set()
        def of(r, kinds=KINDS, w=world):
            goal, more = before(r, w)
            used.update(more)
            return need(goal[0] in kinds, "a reason of another kind") and goal
        def all_of(rs, kinds=KINDS, w=world): return [of(r, kinds, w) for r in listed(rs)]
        def equation(r, *wanted):
            _, left, right = of(r, ("eq",))
            inhabited(right.free - left.free)
            need((normal(left), normal(right)) == tuple(map(normal, wanted)), "the equation is another one")
        def proved(p):
            left, right, conditions, names = discharged(self.equation(p, world), world)
            used.update(names)
            return ("eq", left, right), conditions
        kind, *rest = row
        if kind not in ("given", "continued", "cases", "steps"): (op, t) = goal = self.predicate(rest[0])
        match row:
            case ["sign", _]: need(plain(goal, world, used), "this is not plain")
            case ["weigh", _, scale, parts, rest, r]:
                scale, rest = self.term(scale), self.term(rest)
                parts = [(self.term(c), of(k, ("gt0", "ne0", "ge0"))) for c, k in map(pair, listed(parts))]
                total = [*(c * v for c, (_, v) in parts), rest]
                equation(r, scale * t, add(*total) if parts else rest)
                signs = [sign(c, world, used) & SAYS[kind] for c, (kind, _) in parts]
                said = signs[0] if rest is ZERO and len(signs) == 1 else added([*signs, sign(rest, world, used)])
                need(op == "ne0" or sign(scale, world, used) == 3, "the scale may be negative")
                need(said & SAYS[op] == SAYS[op], "a part may be negative, or all are 0")
            case ["base", _, r]:
                _, power = of(r, need(op == "ne0", "no such reason") and ("ne0",))
                need(power.op == "pow" and power.data[0] > 0 and power.terms[0] is t, "no power of it")
            case ["split", _, name, h, yes, no, r]:
                h = self.term(h)
                need(truth(h) and not h.free and op != "ge0i", "no truth value of its own")
                a, b = (of(k, (op,), self.assuming(name, more, world))[1] for k, more in zip((yes, no), truth_cases(h)))
                equation(r, t, h * a + (1 - h) * b)
            case ["fixed", _, names, r]:
                one = op, normal(substitute(t, self.fixed(names, world, [t])))
                need(says(of(r), one), "another predicate is shown")
            case ["nested", _, axes, outer, inner, body, r, q]:  # max_ij is max_i max_j
                (axes, outer, inner), body = map(self.axes, (axes, outer, inner)), self.term(body)
                need({*axes} == {*outer, *inner} and len(axes) == len(outer) + len(inner), "other axes")
                best = inhabited(axes) and of_array("max", inner, body)
                gaps = [of_array("gap", *x) for x in ((axes, body), (inner, body), (outer, best))]
                both, *parts = (("gt0", normal(g)) for g in gaps)
                need(goal == both, "this is about another maximum")
                self.explained(parts, [of(r), of(q)])
            case ["knowing", _, name, lemmas, r]:
                need(says(of(r, KINDS, self.knowing(name, lemmas, world, of)), goal), "another predicate is shown")
            case ["dense", _, somewhere, reasons, r]:
                there, moved = world, frozenset(self.array(a) for a, _ in map(pair, listed(somewhere)))
                for array, (axes, body) in somewhere:
                    need(not world.meanings(self.array(array)), f"{array[0]} is defined")
                    there = there.with_definition(self.array(array), self.axes(axes), self.term(body))
                need(not any(b.arrays & moved for a, (_, b) in there.definitions.items() if a in moved), "it moves")
                moves = lambda h: any(world.moves(x, moved) for x in terms_of(h))
                still = {name: h for name, h in world.hypotheses.items() if not moves(h)}
                fixed = world_of(world.definitions, still)
                self.explained(values_needed(t, fixed, used, moved), all_of(reasons, KINDS, fixed))
                need(op == "ne0" and analytic(t, fixed, moved), "this need not be analytic")
                need(says(of(r, KINDS, world_of(there.definitions, still)), goal), "another predicate is shown")
                goal = "dense", *goal, moved
            case ["given", p, reasons]:
                goal, conditions = proved(p)
                self.explained(conditions, all_of(reasons))
            case ["continued", p, reasons, dense, continuous]:
                goal, conditions = proved(p)
                need(not differentiated(*goal[1:]), "a derivative")
                found = all_of(dense, ("dense",))
                self.explained(conditions, all_of(reasons) + [d[1:3] for d in found])
                moved = frozenset().union(*(d[3] for d in found))
                about = [*goal[1:], *self.open_around(moved, world, used)]
                self.explained([p for x in about for p in values_needed(x, world, used, moved)], all_of(continuous))
            case ["cases", left, right, names, name, about, first, second]:
                left, right, about = map(self.term, (left, right, about))
                need(not differentiated(left, right) and not about.free, "a derivative, or cases of an index")
                values, goal = self.fixed(names, world, [left, right]), ("eq", left, right)
                wanted = ("eq", *(substitute(x, values) for x in (left, right)))
                cases = truth_cases(about) if truth(about) else ([("ne0", about)], [("eq", about, ZERO)])
                for k, more in zip((first, second), cases):
                    need(of(k, ("eq",), self.assuming(name, more, world)) == wanted, "another equation is shown")
            case ["steps", rs]: goal = "eq", *linked([g[1:] for g in all_of(rs, ("eq",))])
            case _: raise Refused("no such reason")
        return goal, frozenset(used)

    def assuming(self, name, more, world): return world.assuming({f"{text(name)}.{k}": h for k, h in enumerate(more)})
    def explained(self, conditions, goals):
        need(all(any(says(g, c) for g in goals) for c in conditions), "a condition has no reason")

    def knowing(self, name, lemmas, world, of):
        """Each lemma may use those before it."""
        for k, r in enumerate(listed(lemmas)):
            world = world.assuming({f"{text(name)}.{k}": of(r, (*KINDS, "eq"), world)})
        return world

    def open_around(self, moved, world, names):
        """What these hypotheses are about, where it moves: strict inequalities, which hold all around."""
        found = [h for name, h in world.hypotheses.items() if name in names]
        found = [h for h in found if any(world.moves(t, moved) for t in terms_of(h))]
        need(all(h[0] in ("gt0", "ne0") for h in found), "a hypothesis need not hold around a point")
        return [h[1] for h in found]

    def fixed(self, names, world, about):
        """Integers of new names in place of indices: what holds for them holds for all values."""
        pairs, said = [(self.axis(i), text(name)) for i, name in map(pair, listed(names))], world.hypotheses.values()
        spoken = [*about, *(b for _, b in world.definitions.values()), *(t for h in said for t in terms_of(h))]
        new = {name for _, name in pairs}
        need(len(dict(pairs)) == len(new) == len(pairs) and not named("pick", *spoken) & new, "a name is in use")
        return {i: just(node("pick", (name, size_of(i)))) for i, name in pairs}

    def region(self, moving, lengths, terms, formula):
        """The world of the points that are not excused, and what excuses the others, by name."""
        facts = dict.fromkeys(("ge0i", n) for n in lengths)
        for t in terms: facts |= values_needed(t, self.world, set(), frozenset() if formula else moving, facts=True)
        bound = joint(t.arrays for h in self.world.hypotheses.values() if h[0] == "eq" for t in h[1:])
        strict = lambda h: ("gt0", h[1]) if moving and h[0] == "ge0" and h[1].arrays and not h[1].arrays & bound else h
        kept = {f"fact {k}": p for k, p in enumerate(facts, 1) if not plain(p, self.world, set())}
        given = {name: strict(h) for name, h in self.world.hypotheses.items()}
        return world_of(self.world.definitions, given).assuming(kept), kept

    def check(self):
        """The statement holds at every point of its region, and there is one."""
        left, right, forward, lengths, formula = self.data["statement"]
        lemmas, values, steps, place = self.data["argument"]
        need(type(formula) is bool, "no truth value")
        self.used = set()
        left, right, lengths = self.term(left), self.term(right), many(self.size)(lengths)
        moving, forward = differentiated(left), many(self.term)(forward)
        region, self.facts = self.region(moving, lengths, (left, right) if formula else forward, formula)
        def goal_of(r, kinds, w):
            goal, used = self.shown(r, w)
            self.used |= used
            return need(goal[0] in kinds, "another kind of reason") and goal
        wider = self.knowing("known", lemmas, region, goal_of)
        wanted = list(values_needed(right, self.world, self.used))
        where = self.region(moving, (), (left,), True)[0] if formula else wider
        known = values_needed(left, self.world, set(), facts=True) if formula else ()
        wanted = [p for p in wanted if not any(says(k, p) for k in known)]
        goals = [goal_of(r, (*KINDS, "dense") if formula else KINDS, where) for r in listed(values)]
        self.explained(wanted, [g[1:3] if g[0] == "dense" else g for g in goals])
        for moved in (g[3] for g in goals if g[0] == "dense"):
            around = self.open_around(moved, where, where.hypotheses)
            need(not any(values_needed(t, where, set(), moved) for t in around), "a hypothesis may not hold all around")
        known = {f"value {k}": p for k, p in enumerate(wanted, 1) if not formula and not plain(p, wider, set())}
        need(goal_of(steps, ("eq",), wider.assuming(known)) == ("eq", left, right), "another equation is shown")
        sizes, entries, logs, integers = place
        cells = lambda rows, f, value: tuple((f(a), tuple(map(natural, at)), value(v)) for a, at, v in listed(rows))
        sizes, integers = tuple((text(n), natural(v)) for n, v in listed(sizes)), cells(integers, text, natural)
        entries, logs = (cells(rows, self.array, fraction) for rows in (entries, logs))
        point = point_of(self.world, sizes, entries, logs, integers)
        need(all(point.whole(size_of(i)) > 0 for i in left.free | right.free), "an index has no values at the point")
        for h in region.hypotheses.values(): point.satisfies(h)
        self.claim = left, right, forward, lengths, formula, *self.known

# --- a point that the statement is about: exact numbers, and intervals around everything else ---
# A number is (low, high, q): between low and high, one object if it is exact, and the logarithm of q if q is not None.

DOWN, UP = (Context(prec=40, rounding=way, Emax=9999, Emin=-9999) for way in (ROUND_FLOOR, ROUND_CEILING))
BETWEEN = {"sin": 1, "erf": 1, "atan": 2}

def exact(x): return (q := Q(x)), q, None
def ends(x): return x[:1] if x[0] is x[1] else x[:2]
def decimal(x, context): return context.divide(Decimal(x.numerator), Decimal(x.denominator))
def outward(low, high):
    """Short numbers stay exact, long ones are rounded outward."""
    short = max(low.denominator.bit_length(), high.denominator.bit_length()) < 99
    return (low, high, None) if short else (Q(decimal(low, DOWN)), Q(decimal(high, UP)), None)
def growing(f, x):
    """A growing function that `decimal` rounds correctly, at both ends."""
    below, above = f(decimal(x[0], DOWN), DOWN), f(decimal(x[1], UP), UP)
    return Q(DOWN.next_minus(below)), Q(UP.next_plus(above)), None
def logarithm(x):
    need(x[0] > 0, "a logarithm of no positive number at the point")
    return exact(0) if x == exact(1) else (*growing(Decimal.ln, x)[:2], x[0] if x[0] == x[1] else None)
def total(xs):
    low = sum((x[0] for x in xs), Q(0))
    return outward(low, low if all(x[0] is x[1] for x in xs) else sum((x[1] for x in xs), Q(0)))
def multiplied_numbers(xs):
    out = exact(1)
    for x in xs:
        corners = [a * b for a in ends(out) for b in ends(x)]
        out = outward(min(corners), max(corners))
        if out[:2] == (0, 0): break  # what stands beside it may be outside of its array
    return out

def raised_number(x, q):
    if q < 0:
        need(x[0] > 0 or x[1] < 0, "a division by 0 at the point")
        return raised_number((1 / x[1], 1 / x[0], None), -q)
    if not root(q):
        corners = [end ** int(q) for end in ends(x)]
        return outward(Q(0) if x[0] < 0 < x[1] and q % 2 == 0 else min(corners), max(corners))
    need(x[0] >= 0, "a root of a negative number at the point")
    return outward(*(root_of(end ** q.numerator, q.denominator)[k] for k, end in enumerate(x[:2])))

def root_of(x, n):
    """Bounds of the n-th root, equal where it is rational."""
    scale = 1 << 96
    m = x.numerator * x.denominator ** (n - 1) * scale ** n
    low, high = 0, 1 << m.bit_length() // n + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle ** n <= m else (low, middle)
    return Q(low, x.denominator * scale), Q(low + (low ** n != m), x.denominator * scale)

def bounds(fn, low, high):
    """u - u³/3 <= sin u, atan u, erf u <= 8u/7 for u in [0, 1], and the functions are odd."""
    if low < 0 >= high: return (*(-q for q in reversed(bounds(fn, -high, -low)[:2])), None)
    near = 0 <= low and high <= 1
    return (low - low ** 3 / 3, high * 8 / 7, None) if near else (Q(-BETWEEN[fn]), Q(BETWEEN[fn]), None)

class Point:
    def __init__(self, world, sizes, entries, logs, integers):
        self.world, self.sizes, self.left, self.seen = world, dict(sizes), LIMIT, {}
        self.integers = {(a, at): n for a, at, n in integers}
        self.defined = cache(lambda a, at: self.value(world.definitions[a][1], dict(zip(world.definitions[a][0], at))))
        self.entries = {(self.array(a), at): exact(q) for a, at, q in entries}
        self.entries |= {(self.array(a), at): logarithm(exact(q)) for a, at, q in logs}
        need(all(v >= LEAST.get(n, 1) for n, v in sizes), "a size below the least")

    @remembered
    def satisfies(self, h):
        """The hypothesis holds here for all values of its indices, of which there are some."""
        indices = order(frozenset().union(*(t.free for t in h[1:])))
        cases = list(product(*(range(self.whole(size_of(i))) for i in indices)))
        need(cases, "a hypothesis speaks of nothing at the point")
        for case in cases:
            here = dict(zip(indices, case))
            values = [exact(self.whole(t, here)) if h[0] == "ge0i" else self.value(t, here) for t in h[1:]]
            low, high = values[0][:2]
            fine = {"gt0": low > 0, "ge0": low >= 0, "ge0i": low >= 0, "ne0": low > 0 or high < 0,
                "eq": low == high and values[-1][:2] == (low, low)}[h[0]]
            need(fine, "a hypothesis is not seen to hold at the point")

    def array(self, a):  # W^l is W^L where l = L; a layer that is not given is another one
        return a[0], self.whole(a[1]) if a[1] and named("n", a[1]) <= self.sizes.keys() else a[1]

    def whole(self, e, here=(), stack=()): return sum(c * prod(self.atom(a, here, stack) for a in m) for m, c in e.data)
    def atom(self, a, here, stack):
        if a.op != "pick":
            return self.sizes[a.data[0]] if a.op == "n" else here[a] if a.op == "i" else stack[-1 - a.data[0]]
        value = self.integers[a.data[0], tuple(self.whole(e, here, stack) for e in a.at)]
        return need(value < self.whole(a.data[1], here, stack), f"an entry of {a.data[0]} is too large") and value

    def value(self, t, here, stack=()):
        """What t is where its indices are `here` and its dummies the last of `stack`."""
        if t.op not in ("sum", "whole", "app", "pow"): return self.evaluated(t, here, stack)
        key = t, tuple(here[i] for i in t.free), stack[len(stack) - t.reach:]
        if key not in self.seen: self.seen[key] = self.evaluated(t, here, stack)
        return self.seen[key]

    def evaluated(self, t, here, stack):
        self.left -= 1
        need(self.left > 0, "the point is too large to look at")
        at = tuple(self.whole(e, here, stack) for e in t.at)
        if t.op in ("sum", "whole"):
            sizes = [range(self.whole(n)) for n in (t.data if t.op == "sum" else t.data[2])]
            cells = {k: self.value(*t.terms, here, stack + k) for k in product(*sizes)}
            return total(cells.values()) if t.op == "sum" else of_cells(t.data[0], cells, at)
        xs = (iter if t.op == "mul" else list)(self.value(s, here, stack) for s in t.terms if t.op != "diff")
        match (t.op, *t.data):
            case ("num", q): return exact(q)
            case ("size", n): return exact(self.whole(n))
            case ("ord" | "range" | "delta" as op,):
                return exact(at[0] if op == "ord" else at[0] >= 0 if op == "range" else at[0] == at[1])
            case ("entry", "pi", None): return Q(314159265358979, 10**14), Q(314159265358980, 10**14), None
            case ("entry", *_) if t.data in self.world.definitions: return self.defined(t.data, at)
            case ("entry", *_): return self.entries[self.array(t.data), at]
            case ("add",): return total(xs)
            case ("mul",): return multiplied_numbers(xs)
            case ("pow", q): return raised_number(*xs, q)
            case ("step",): return exact(1) if xs[0][0] > 0 else exact(0) if xs[0][1] <= 0 else (Q(0), F1, None)
            case ("app", "exp", 0):
                (low, high, q), = xs
                return exact(q) if q is not None else exact(1) if low == high == 0 else growing(Decimal.exp, xs[0])
            case ("app", "log", 0): return logarithm(*xs)
            case ("app", fn, 0) if fn in EXPONENTIALS:
                need(fn != "cosh" or xs[0][0] >= 0 or xs[0][1] <= 0, "cosh around 0")
                low, high = sorted(self.value(EXPONENTIALS[fn](num(end)), here)[:2] for end in xs[0][:2])
                return low[0], max(low[1], high[1]), None
            case ("app", "cos", 0): return max(-F1, 1 - max(q * q for q in xs[0][:2]) / 2), F1, None
            case ("app", fn, 0) if fn in BETWEEN: return bounds(fn, *xs[0][:2])
        raise Refused(f"{t.data or t.op} has no value at the point")

point_of = remembered(Point)
def of_cells(fn, cells, at):
    """A function of the array at the point."""
    need(cells and {*at} <= {k[0] for k in cells} and fn in "max min prod gap det inv".split(), f"no {fn} at the point")
    first, *others = sorted(cells.values(), key=lambda x: x[:2], reverse=True)
    if fn in ("max", "min"):
        return *({"max": max, "min": min}[fn](x[k] for x in (first, *others)) for k in (0, 1)), None
    if fn == "prod": return multiplied_numbers(cells.values())
    if fn == "gap":
        top = max(x[1] for x in others) if others else first[0] - 1  # one entry alone: 1
        return first[0] - top, max(first[1], top) - others[0][0] if others else F1, None
    lines = sorted({k[0] for k in cells})
    whole_ = determinant(cells, lines, lines)
    if fn == "det": return whole_
    minor = determinant(cells, [i for i in lines if i != at[1]], [j for j in lines if j != at[0]])
    return multiplied_numbers([exact((-1) ** sum(at)), minor, raised_number(whole_, Q(-1))])

def determinant(cells, rows, columns):
    minors = [determinant(cells, rows[1:], columns[:k] + columns[k + 1:]) for k in range(len(columns))]
    parts = [[exact((-1) ** k), cells[rows[0], j], m] for k, (j, m) in enumerate(zip(columns, minors))]
    return total([multiplied_numbers(p) for p in parts]) if rows else exact(1)

# === files ===========================================================================================================
def read_size(row):
    items = [(tuple(map(text, listed(m))), c) for m, c in map(pair, row)]
    need(all(type(c) is int and len(m) <= 12 for m, c in items), "no whole number, or too high a degree")
    return integer((order(node("n", (name,)) for name in m), c) for m, c in items)
def closed(x): return need(not x.reach, "a dummy without a binder") and x
def text(x): return need(type(x) is str and x != "", "a name is missing") and x
def natural(x): return need(type(x) is int and x >= 0, f"{str(x)[:30]} is no natural number") and x
def fraction(x):  # 1e999999999 is not worked out
    return need("e" not in text(x).lower() and str(Q(x)) == x, f"{x[:30]} is no fraction in lowest terms") and Q(x)
def listed(x): return need(type(x) is list, f"{str(x)[:30]} is no list") and x
def pair(x): return need(len(listed(x)) == 2, "no pair") and x
def many(one): return lambda xs: tuple(map(one, listed(xs)))

def at_row(table, k, read, row):
    """What is read from a row; where it is refused, the message says which row it is."""
    try: return read(listed(row))
    except Refused as cause: raise cause if type(cause) is RefusedRow else RefusedRow(f"{table} {k}: {cause}") from None
    except MALFORMED as cause: raise RefusedRow(f"{table} {k}: malformed ({cause})") from None

LOCK = RLock()  # whoever looks at what is accepted holds it until he has seen it

def accepted(data: Any, since: Any = None) -> Any:
    """The certificate, as `json.load` gives it, read and found to prove its claim; else raises Refused.  `since` is the
    epoch in which others were read, whose rows these go on from."""
    deepest = sys.getrecursionlimit()
    with LOCK:
        try:
            sys.setrecursionlimit(max(deepest, 5_000))  # for which two megabytes of stack are enough
            found = (Theorem if type(data) is dict and "statement" in data else Certificate)(data, since)
            found.check()
            found.kinds.clear()  # which leads back to it
            return found
        except MALFORMED as cause: raise Refused(f"malformed ({type(cause).__name__}: {cause})") from None
        finally: sys.setrecursionlimit(deepest)

def recheck(data: Any) -> None:
    """Raises Refused unless the certificate proves its claim."""
    accepted(data)

def verify(path: str) -> bool:
    """Whether all certificates of a file are accepted; says of each, in a line, what it states or why it is refused."""
    try:
        with open(path, encoding="utf-8") as file: found = json.load(file)
    except (ValueError, RecursionError) as cause: return told(path, f"refused: no JSON ({cause})", False)
    several = list(enumerate(found)) if type(found) is list else ()
    return all([verified(f"{path}[{k}]", data) for k, data in several]) if several else verified(path, found)

def verified(name, data):
    try: recheck(data)
    except Refused as cause: return told(name, f"refused: {cause}", False)
    return told(name, f"accepted, {len(data['steps'])} steps", True)
def told(name: Any, what: Any, holds: bool) -> bool:
    return print(f"{name}: {what}") or holds

def main(paths: list[str]) -> int:
    try: return int(not all([verify(path) for path in paths]))
    except OSError as cause: return int(not told(cause.filename, cause.strerror, False))

if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
