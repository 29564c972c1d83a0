"""Steps of a derivation as rules: what a person does on one line, with the proof.

A rule looks at one term and returns what it becomes with a proof, or None where it does not apply.  `everywhere`
applies a rule at each outermost place where it does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from symbackprop.core.context import Context, Same
from symbackprop.core.indices import Index, Size
from symbackprop.core.kernel import By, Chain, Flip, Proof
from symbackprop.core.signs import instance
from symbackprop.core.terms import Array, Entry, Sum, Term, Whole, free, substitute
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
