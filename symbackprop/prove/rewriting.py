"""Steps of a derivation as rules: what a person does on one line, with the proof.

A rule looks at one term and returns what it becomes with a proof, or None where it does not apply.  `everywhere`
applies a rule at each outermost place where it does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from symbackprop.core.context import Context, Same
from symbackprop.core.indices import Index, Size
from symbackprop.core.kernel import By, Chain, Flip, Linear, Proof, UnderDiff, UnderSum
from symbackprop.core.laws.derivatives import ARRAY_FUNCTIONS
from symbackprop.core.signs import instance
from symbackprop.core.terms import (
    ZERO, Add, Apply, Array, Delta, Diff, Entry, Holds, Mul, Num, Positive, Power, Sum, Term, Whole, add, free, mul,
    opened, opened_whole, over, substitute, subterms,
)  # fmt: skip
from symbackprop.prove.differentiate import slope_of
from symbackprop.prove.normal_form.session import joined
from symbackprop.prove.matching import in_parts

Rewrite: TypeAlias = tuple[Term, Proof]
Rule: TypeAlias = Callable[[Term, Context], Rewrite | None]


# --- where -------------------------------------------------------------------------------------


def everywhere(t: Term, rule: Rule, context: Context) -> Rewrite | None:
    """The rule at every outermost place where it applies; None when there is none."""
    found = rule(t, context)
    return found if found is not None else inside(t, lambda s: everywhere(s, rule, context))


def repeated(rule: Rule) -> Rule:
    """The rule wherever it applies, and again on what comes out."""

    def again(t: Term, context: Context) -> Rewrite | None:
        found = rule(t, context)
        if found is None:
            return inside(t, lambda s: again(s, context))
        more = again(found[0], context)
        return found if more is None else (more[0], Chain(found[1], (more[1],)))

    return again


def inside(t: Term, rewrite: Callable[[Term], Rewrite | None]) -> Rewrite | None:
    """The parts of a term rewritten, each by itself; None when none of them is."""
    value, proof = in_parts(t, lambda s: rewrite(s) or (s, None), indices_of)
    return None if proof is None else (value, proof)


def first_of(*rules: Rule) -> Rule:
    def first(t: Term, context: Context) -> Rewrite | None:
        return next((found for rule in rules if (found := rule(t, context)) is not None), None)

    return first


# --- what: derivatives -------------------------------------------------------------------------


def linearity(t: Term, context: Context) -> Rewrite | None:
    """∂(Σ f)/∂w = Σ ∂f/∂w, through all sums at once; what does not depend on w drops out."""
    if not isinstance(t, Diff):
        return None
    match t.body:
        case Sum(size, _, letter):
            i = fresh(letter, size, t.body, t.wrt)
            body = opened(t.body, i)
            law = By("diff_sum", (i, body, t.wrt))
            inner = linearity(Diff(body, t.wrt), context)
            if inner is None:
                return renamed(over(i, Diff(body, t.wrt)), letter), law
            return renamed(over(i, inner[0]), letter), Chain(law, (UnderSum(i, inner[1]),))
        case Add(args):
            law = By("diff_add", (args, t.wrt))
            total = Add(tuple(Diff(a, t.wrt) for a in args))
            inner = everywhere(total, first_of(vanishing, linearity), context)
            return without_zeros(total, law) if inner is None else without_zeros(inner[0], law, inner[1])
    return None


def constants_out(t: Term, context: Context) -> Rewrite | None:
    """∂(c f)/∂w = c ∂f/∂w for c that does not depend on w; the product rule where more than one factor does."""
    if not isinstance(t, Diff) or not isinstance(t.body, Mul):
        return None
    args, wrt = t.body.args, t.wrt
    law = By("diff_mul", (args, wrt))
    total = Add(tuple(Mul((*args[:k], Diff(a, wrt), *args[k + 1 :])) for k, a in enumerate(args)))
    inner = everywhere(total, vanishing, context)
    return without_zeros(total, law) if inner is None else without_zeros(inner[0], law, inner[1])


def vanishing(t: Term, context: Context) -> Rewrite | None:
    """∂c/∂w = 0 where only other variables occur in c (definitions are looked through)."""
    return None if not isinstance(t, Diff) or touches(t.body, t.wrt.array, context) else zero(t, context)


def zero(t: Diff, context: Context) -> Rewrite:
    opened_up = everywhere(t.body, repeated(unfolding()), context)
    if opened_up is None:
        return ZERO, By("diff_independent", (t.body, t.wrt))
    return ZERO, Chain(UnderDiff(t.wrt, opened_up[1]), (By("diff_independent", (opened_up[0], t.wrt)),))


def touches(t: Term, array: Array, context: Context) -> bool:
    """Whether the array occurs in the term or in what it is defined by.  One of the same name counts, unless both
    have labels that differ plainly (the laws decide again)."""
    seen: set[Array] = set()
    todo = [t]
    while todo:
        for s in subterms(todo.pop()):
            if not isinstance(s, Entry) or s.array in seen:
                continue
            seen.add(s.array)
            if s.array == array:
                return True
            if s.array in context.definitions:
                todo.append(context.definitions[s.array].body)
    return False


def without_zeros(total: Term, *proofs: Proof) -> Rewrite:
    """A sum without its terms that are plainly 0."""
    kept = [a for a in (total.args if isinstance(total, Add) else (total,)) if not is_zero(a)]
    value = add(*kept)
    steps = list(proofs) if value == total else [*proofs, Linear(total, value)]
    return value, joined(*steps)


def is_zero(t: Term) -> bool:
    return t == ZERO or (isinstance(t, Mul) and any(map(is_zero, t.args)))


def chain_rule(t: Term, context: Context) -> Rewrite | None:
    """∂f(u)/∂w = f'(u) ∂u/∂w, ∂L(y)/∂w = Σ_i ∂L/∂y_i ∂y_i/∂w, ∂(u^q)/∂w = q u^{q-1} ∂u/∂w;
    a step [u > 0] has slope 0 where u is not 0."""
    if not isinstance(t, Diff):
        return None
    match t.body:
        case Apply(fn, arg, order):
            return Mul((slope_of(t.body), Diff(arg, t.wrt))), By("diff_apply", (fn, order, arg, t.wrt))
        case Holds(Positive(arg)):
            return ZERO, By("diff_step", (arg, t.wrt))
        case Power(base, q):
            law, inner = By("diff_power", (base, q, t.wrt)), Diff(base, t.wrt)
            full = Mul((Num(q), Power(base, q - 1), inner))
            if q != 2:
                return full, law
            short = Mul((Num(q), base, inner))
            return short, Chain(law, (Linear(full, short),))
        case Whole(fn, order, sizes, body, at, hints) if fn not in ARRAY_FUNCTIONS:
            axes = axes_of(t.body, t.wrt)
            slope = Whole(fn, order + 1, sizes, body, (*at, *axes), hints)
            value: Term = Mul((slope, Diff(opened_whole(t.body, axes), t.wrt)))
            for i in reversed(axes):
                value = over(i, value)
            return value, By("diff_whole", (t.body, axes, t.wrt))
    return None


def independence(t: Term, context: Context) -> Rewrite | None:
    """∂w_ab/∂w_jk = δ_aj δ_bk: the entries of a variable are independent."""
    if not isinstance(t, Diff) or not isinstance(t.body, Entry) or t.body.array in context.definitions:
        return None
    law = By("diff_entry", (t.body, t.wrt))
    if t.body.array != t.wrt.array:
        return ZERO, law
    return mul(*(Delta(a, b) for a, b in zip(t.body.at, t.wrt.at, strict=True))), law


# --- what: definitions, hypotheses, earlier theorems -------------------------------------------


def unfolding(*arrays: Array) -> Rule:
    """z_i = its definition, for these arrays (all that are defined, when none is named)."""

    def unfold(t: Term, context: Context) -> Rewrite | None:
        if not isinstance(t, Entry) or t.array not in context.definitions or (arrays and t.array not in arrays):
            return None
        return context.definitions[t.array].at(*t.at), By("unfold", (t,))

    return unfold


def folding(array: Array) -> Rule:
    """A term that a definition is about, written by the name of the array."""

    def fold(t: Term, context: Context) -> Rewrite | None:
        meaning = context.definitions[array]
        found = instance(meaning.body, t) if type(t) is type(meaning.body) else None
        if found is None or not found.keys() >= set(meaning.axes):
            return None
        named = Entry(array, tuple(found[i] for i in meaning.axes))
        return named, Flip(By("unfold", (named,)))

    return fold


def assuming(name: str) -> Rule:
    """A hypothesis lhs = rhs, read from left to right."""

    def assume(t: Term, context: Context) -> Rewrite | None:
        h = context.hypotheses[name]
        found = instance(h.lhs, t) if isinstance(h, Same) else None
        if found is None:
            return None
        assert isinstance(h, Same)
        values = tuple(sorted(found.items(), key=lambda p: p[0].name))
        return substitute(h.rhs, found), By("assume", (name, values))

    return assume


# --- letters -----------------------------------------------------------------------------------

POOL = "ikpqrsuv"


def fresh(letter: str, size: Size, *avoid: Term) -> Index:
    """An index called `letter`, or by another letter where that is in use."""
    taken = {i.name for t in avoid for i in free(t)}
    letters = (x for x in (letter, *POOL) if x not in taken)
    found = next(letters, None) or next(f"{letter}{n}" for n in range(1, 1000) if f"{letter}{n}" not in taken)
    return Index(found, size)


def axes_of(w: Whole, *avoid: Term) -> tuple[Index, ...]:
    """The axes of a function of a whole array by their own letters, as far as these are free."""
    axes: list[Index] = []
    for n, size in enumerate(w.sizes):
        letter = w.hints[n] if n < len(w.hints) else "i"
        axes.append(fresh(letter, size, Entry(Array("_"), tuple(axes)), w, *avoid))
    return tuple(axes)


def indices_of(binder: Sum | Whole) -> tuple[Index, ...]:
    """By the letters on paper."""
    return (fresh(binder.hint, binder.size, binder),) if isinstance(binder, Sum) else axes_of(binder)


def renamed(s: Sum, letter: str) -> Sum:
    """The sum with this letter on paper."""
    return Sum(s.size, s.body, letter)
