"""Loops that are linear in what they change, as one term.

v' = a v + b, entry by entry, ends as v0 Π_t a(t) + Σ_t b(t) Π_{s>t} a(s).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.core.indices import Index, IndexExpr, affine
from symbackprop.core.syntax import (
    ONE, ZERO, Add, Apply, Array, Delta, Entry, Holds, Mul, Num, Sum, Term, arrays, free, substitute,
)  # fmt: skip
from symbackprop.core.terms import dummy, num

from .algebra import backwards, delta, gate, negated, number, plus, positive, solved_for, summed, times, total
from .axes import At, aligned, difference, index_of, indices_in, nonnegative, replaced, shifted
from .scalars import exp, log, power_at, repeated_product
from .steps import complement, opened_term, product_over, rewritten, step, taken, through
from .values import Value


@dataclass(slots=True)
class Solved:
    """As functions of the entry: the value at the start of iteration t, and after the loop.

    `after` is the value after any number of iterations, where one form says it for all of them.
    """

    start: Callable[[At], Term]
    final: Callable[[At], Term]
    after: Callable[[At, IndexExpr], Term] | None = None


def linear(t: Term, e: Entry) -> tuple[Term, Term] | None:
    """(a, b) with t = a e + b and neither mentioning the array of e; None when there are none."""
    if e.array not in arrays(t):
        return ZERO, t
    if t == e:
        return ONE, ZERO
    if isinstance(t, Add):
        forms = [linear(x, e) for x in t.args]
        if any(f is None for f in forms):
            return None
        return collected([f[0] for f in forms if f]), collected([f[1] for f in forms if f])
    if isinstance(t, Mul):
        factors = [under_deltas(x, t.args, e) for x in t.args]
        inside = [x for x in factors if e.array in arrays(x)]
        if len(inside) != 1:
            return None
        form = linear(inside[0], e)
        rest = [x for x in factors if x is not inside[0]]
        return None if form is None else (times(form[0], *rest), times(form[1], *rest))
    if isinstance(t, Sum):
        k, body = opened_term(t)
        form = linear(body, e)
        return None if form is None else (total(k, form[0]), total(k, form[1]))
    return None


def row_by_row(t: Term, e: Entry, i: Index, before: Value) -> tuple[Term, Term] | None:
    """A body that only changes the row at(i) and only reads that row: it reads what was there before the loop.

    The row is fixed by δ(axis, f(i)) with f injective; other iterations write other rows.
    """
    for d, axis, row in rows_written(t, e, i):
        if indices_in(row) & {x for x in e.at if isinstance(x, Index)}:
            continue
        k = e.at.index(axis)

        def old(at: At, k: int = k, row: IndexExpr = row) -> Term:
            return before.term(aligned(before.shape, at)) if at[k] == row else Entry(e.array, at)

        form = linear(rewritten(t, {e.array: old}), e)
        if form is not None and only_where(d, collected([form[0], num(-1)])) and only_where(d, form[1]):
            return form
    return None


def rows_written(t: Term, e: Entry, i: Index) -> Iterator[tuple[Delta, Index, IndexExpr]]:
    """The deltas that fix a row of the array by i, with the axis and the row."""
    for d in sorted(deltas_in(t), key=repr):
        for axis, row in ((d.i, d.j), (d.j, d.i)):
            if isinstance(axis, Index) and axis in e.at and solved_for(i, Delta(axis, row)) is not None:
                yield d, axis, row


def row_after_row(t: Term, e: Entry, i: Index, before: Value) -> Solved | None:
    """A body that only writes the row at(i), from the row that the iteration before it wrote: h[t+1] = a h[t] + b.

    The rows are one value that is carried on; iteration 0 reads the row at(-1) from before the loop.
    """
    found = (rows_one_by_one(t, e, d, axis, row, i, before) for d, axis, row in rows_written(t, e, i))
    return next((f for f in found if f is not None), None)


def rows_one_by_one(t: Term, e: Entry, d: Delta, axis: Index, row: IndexExpr, i: Index, before: Value) -> Solved | None:
    k = e.at.index(axis)
    others = tuple(x for x in e.at if x is not axis and isinstance(x, Index))
    if indices_in(row) & set(others) or collected([given(t, d, ZERO), times(num(-1), e)]) != ZERO:
        return None
    last = replaced(row, {i: shifted(i, -1)})
    first = replaced(last, {i: index_of(0)})
    if nonnegative(first) is not True:
        return None
    one_row = Array(f"{e.array.name}, one row")

    def without(at: At) -> At:
        return (*at[:k], *at[k + 1 :])

    def previous(at: At) -> Term:
        return Entry(one_row, without(at)) if at[k] == last else Entry(e.array, at)

    new = rewritten(substitute(given(t, d, ONE), {axis: row}), {e.array: previous})
    form = None if e.array in arrays(new) else linear(new, Entry(one_row, without(e.at)))
    if form is None:
        return None

    def start(at: At) -> Term:
        return before.term(aligned(before.shape, (*at[:k], first, *at[k:])))

    carried = closed_form(i, tuple(x for x in without(e.at) if isinstance(x, Index)), *form,
                          before=Value((*before.shape[:k], *before.shape[k + 1 :]), "real", start))  # fmt: skip

    def by_a_step(rest: At) -> Term:
        """The row that iteration i writes: how long products are is read off i, so no other number is put there."""
        swap = {x: y for x, y in zip(without(e.at), rest, strict=True) if isinstance(x, Index)}
        a, b = (substitute(x, swap) for x in form)
        return plus(times(a, carried.start(rest)), b)

    def upto(at: At, stop: IndexExpr | None) -> Term:
        s = dummy(i.size, "t")
        here = delta(at[k], replaced(row, {i: s}))
        written = here if stop is None else times(here, gate(shifted(difference(stop, s), -1)))
        value = substitute(by_a_step(without(at)), {i: s})
        old = times(complement(total(s, written)), before.term(aligned(before.shape, at)))
        return plus(total(s, times(written, value)), old)

    def at_start(at: At) -> Term:
        return carried.start(without(at)) if at[k] == last else upto(at, i)

    def row_after(at: At) -> Term:
        """Row 0 is from before the loop, and each iteration writes another: all are values of the carried one."""
        assert carried.after is not None
        s = dummy(i.size, "t")
        found = solved_for(s, Delta(at[k], replaced(row, {i: s})))
        if found is None:
            return upto(at, None)
        if nonnegative(found) is True:
            return substitute(by_a_step(without(at)), {i: found})
        return carried.after(without(at), shifted(found, 1))

    every_row = carried.after is not None and before.shape[k] == i.size + 1
    return Solved(at_start, row_after if every_row else lambda at: upto(at, None))


def deltas_in(t: Term) -> set[Delta]:
    """The deltas among the factors of the sums and products at the top."""
    if isinstance(t, Delta):
        return {t}
    if isinstance(t, Add | Mul):
        return set().union(*(deltas_in(a) for a in t.args))
    return set()


def under_deltas(t: Term, factors: tuple[Term, ...], e: Entry) -> Term:
    """δ_ij v_j is δ_ij v_i: entries that the deltas beside them move to the entry e are written as e."""
    if e.array not in arrays(t) or isinstance(t, Delta):
        return t
    equal = {(d.i, d.j) for d in factors if isinstance(d, Delta)}

    def moved(at: At) -> Term:
        same = all(p == q or (p, q) in equal or (q, p) in equal for p, q in zip(at, e.at, strict=True))
        return e if same else Entry(e.array, at)

    return rewritten(t, {e.array: moved})


def collected(terms: list[Term]) -> Term:
    """The sum with equal products put together, so that c + (1 - c) is 1."""
    counts: dict[frozenset[tuple[Term, int]], tuple[Fraction, Term]] = {}
    for t in (x for s in terms for x in (s.args if isinstance(s, Add) else (s,))):
        factors = t.args if isinstance(t, Mul) else (t,)
        k = Fraction(1)
        rest = []
        for f in factors:
            if isinstance(f, Num):
                k *= f.value
            else:
                rest.append(f)
        key = frozenset(Counter(rest).items())
        counts[key] = (counts.get(key, (Fraction(0), ONE))[0] + k, times(*rest))
    return plus(*(times(num(k), t) for k, t in counts.values() if k))


# --- the loop as a whole ---------------------------------------------------------------------


def closed_form(t: Index, axes: tuple[Index, ...], a: Term, b: Term, before: Value) -> Solved:
    """v' = a v + b from v0."""

    def at_entry(at: At) -> tuple[Term, Term, Term]:
        swap: dict[Index, IndexExpr] = dict(zip(axes, at, strict=True))
        return substitute(a, swap), substitute(b, swap), before.term(aligned(before.shape, at))

    def upto(at: At, stop: IndexExpr | None) -> Term:
        """The value after the iterations before `stop` (all of them when None)."""
        p, q, v0 = at_entry(at)
        s = dummy(t.size, "t")
        p, q = substitute(p, {t: s}), substitute(q, {t: s})
        done = ONE if stop is None else gate(shifted(difference(stop, s), -1))
        return combined(s, p, q, v0, done, stop)

    after = upto if positive(a) and t in free(a) else None
    return Solved(lambda at: upto(at, t), lambda at: upto(at, None), after)


def combined(s: Index, a: Term, b: Term, v0: Term, done: Term, stop: IndexExpr | None) -> Term:
    """v0 Π_s a + Σ_s b(s) Π_{r>s} a(r) over the s that are done."""
    if a == ONE:
        return plus(v0, total(s, times(done, b)))
    if a == ZERO:
        last = index_of(s.size - 1) if stop is None else shifted(stop, -1)
        any_done = gate(last)
        return plus(times(any_done, substitute(b, {s: last})), times(complement(any_done), v0))
    change = collected([a, num(-1)])
    for d in sorted(deltas_in(plus(change, b)), key=repr):
        if solved_for(s, d) is not None and only_where(d, change) and only_where(d, b):
            # at most one s changes an entry, and there the delta is 1
            here = times(done, d)
            by, new = collected([given(change, d, ONE)]), given(b, d, ONE)
            if by == num(-1):
                covered = total(s, here)
                return plus(total(s, times(here, new)), times(complement(covered), v0))
            return plus(v0, total(s, times(here, plus(times(by, v0), new))))
    c = negated(change)
    if zero_or_one(c):
        covered = total(s, times(done, c))
        never = complement(step(covered))
        value = quotient(b, c)
        if value is not None and s not in free(value):
            return plus(times(complement(never), value), times(never, v0))
        r = dummy(s.size, "t")
        later = times(gate(shifted(difference(r, s), -1)), substitute(times(done, c), {s: r}))
        not_later = complement(step(total(r, later)))
        return plus(total(s, times(done, b, not_later)), times(never, v0))
    if s not in free(a):
        steps = index_of(s.size) if stop is None else stop
        last = shifted(difference(steps, s), -1)
        return plus(times(power_of_steps(a, steps), v0), total(s, times(done, b, power_of_steps(a, last))))
    if positive(a) and (b != ZERO or v0 != ONE):
        return decayed(s, logarithm(a), b, v0, done, index_of(s.size) if stop is None else stop)
    factor = plus(times(done, a), complement(done))
    result = times(product_over(s, factor), v0)
    if b == ZERO:
        return result
    r = dummy(s.size, "t")
    after = gate(shifted(difference(r, s), -1))
    here = substitute(factor, {s: r})
    tail = product_over(r, plus(times(after, here), complement(after)))
    return plus(result, summed((s,), times(done, b, tail)))


def decayed(s: Index, u: Term, b: Term, v0: Term, done: Term, stop: IndexExpr) -> Term:
    """The same for a = e^u, with sums from the start only: Π_{r>s} a(r) is e^(all - those before s - u(s)).

    What an s that is not done gives is multiplied by 0.
    """
    everything = first_ones(s, u, stop)
    tail = exp(plus(everything, negated(first_ones(s, u, s)), negated(u)))
    return plus(times(exp(everything), v0), summed((s,), times(done, b, tail)))


def first_ones(s: Index, u: Term, stop: IndexExpr) -> Term:
    """Σ_{s < stop} u(s); where u is read from the end, as what is left of all in their own order."""
    r = dummy(s.size, "t")
    if backwards(s, u) > 0:
        turned, left = substitute(u, {s: affine(s.size - 1, [(r, -1)])}), affine(s.size, [(stop, -1)])
        last = shifted(left, -1)
        if nonnegative(last) is not True:
            return plus(total(r, turned), negated(first_ones(r, turned, left)))
        return plus(total(r, turned), negated(first_ones(r, turned, last)), negated(substitute(u, {s: stop})))
    return total(r, times(gate(shifted(difference(stop, r), -1)), substitute(u, {s: r})))


def logarithm(a: Term) -> Term:
    match a:
        case Apply("exp", u, 0):
            return u
        case Mul(args):
            return plus(*map(logarithm, args))
        case Num(value) if value == 1:
            return ZERO
        case _:
            return log(a)


def power_of_steps(a: Term, e: IndexExpr) -> Term:
    """a^e for e >= 0 factors; 1 for e < 0 where a may be negative, and then what stands beside it is 0."""
    return power_at(a, number(e), e) if positive(a) else repeated_product(a, e)


def zero_or_one(c: Term) -> bool:
    factors = c.args if isinstance(c, Mul) else (c,)
    return all(isinstance(f, Delta | Holds) for f in factors)


def given(t: Term, d: Delta, value: Term) -> Term:
    """`t` with 0 or 1 for a delta in its sums and products."""
    return through(t, lambda x: value if x in (d, Delta(d.j, d.i)) else x)


def only_where(d: Delta, t: Term) -> bool:
    """Whether t is 0 where the delta is 0."""
    return collected([given(t, d, ZERO)]) == ZERO


def quotient(b: Term, c: Term) -> Term | None:
    """b / c when every summand of b has the factors of c."""
    parts = [taken(t, c, Mul) for t in (b.args if isinstance(b, Add) else (b,))]
    return None if None in parts else plus(*(times(*rest) for rest in parts if rest is not None))
