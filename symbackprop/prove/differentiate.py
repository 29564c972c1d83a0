"""Differentiation by laws: a term without `Diff`, and the proof that it is the derivative."""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.core.context import Context
from symbackprop.core.indices import Index, Size
from symbackprop.core.kernel import By, Chain, Inside, Linear, Proof, UnderDiff, UnderSum
from symbackprop.core.laws.derivatives import ARRAY_FUNCTIONS
from symbackprop.core.laws.functions import DERIVATIVES
from symbackprop.core.terms import (
    ONE, ZERO, Add, Apply, Array, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Ordinal, Positive, Power,
    ProofError, Sum, Term, Whole, add, arguments, free, mul, open_body, opened_whole, over, sub, subterms, sum_over,
    whole,
)  # fmt: skip


class Names:
    """New indices for opened binders: ~1, ~2, ...  No user index begins with ~."""

    def __init__(self) -> None:
        self.count = 0
        self.arrays = 0

    @classmethod
    def beside(cls, *terms: Term) -> Names:
        """Names that no free index of the terms has."""
        names = cls()
        taken = (i.name[1:] for t in terms for i in free(t) if i.name[0] == "~" and i.name[1:].isdecimal())
        names.count = max(map(int, taken), default=0)
        return names

    def new(self, size: Size) -> Index:
        self.count += 1
        return Index(f"~{self.count}", size)

    def axes(self, binder: Sum | Whole) -> tuple[Index, ...]:
        """New indices for its dummies."""
        return tuple(map(self.new, (binder.size,) if isinstance(binder, Sum) else binder.sizes))

    def parts(self, t: Term) -> tuple[Term, ...]:
        """What is inside it, with new indices for dummies; not what is differentiated by."""
        match t:
            case Sum() | Whole():
                return (open_body(t.body, self.axes(t)),)
            case Diff(body, _):
                return (body,)
            case _:
                return arguments(t)

    def array(self) -> Array:
        """A name for a compound term: @1, @2, ..."""
        self.arrays += 1
        return Array(f"@{self.arrays}")


Result = tuple[Term, Proof]
NONE: frozenset[Array] = frozenset()


def differentiate(t: Term, wrt: Entry, context: Context, names: Names, kept: frozenset[Array] = NONE) -> Result:
    """∂t/∂wrt as a term whose only `Diff`s are those that were in `t`, with a proof of Diff(t, wrt) = it.

    The derivatives of entries of the arrays `kept` stay as they are.
    Raises ProofError where a law refuses: two arrays that may be one, a variable that is a definition.
    """
    if not depends(t, wrt, context, kept):
        return ZERO, By("diff_independent", (t, wrt))

    def go(s: Term) -> Result:
        return differentiate(s, wrt, context, names, kept)

    match t:
        case Entry():
            if t.array in kept:
                return Diff(t, wrt), Linear(Diff(t, wrt), Diff(t, wrt))
            if t.array in context.definitions:
                body = context.definitions[t.array].at(*t.at)
                value, proof = go(body)
                return value, Chain(UnderDiff(wrt, By("unfold", (t,))), (proof,))
            law = By("diff_entry", (t, wrt))
            if t.array != wrt.array:
                return ZERO, law
            deltas = tuple(Delta(a, b) for a, b in zip(t.at, wrt.at, strict=True))
            return (deltas[0] if len(deltas) == 1 else Mul(deltas) if deltas else ONE), law
        case Add(args):
            results = [go(a) for a in args]
            total = Add(tuple(Diff(a, wrt) for a in args))
            law = By("diff_add", (args, wrt))
            return Add(tuple(v for v, _ in results)), followed(law, total, enumerate(p for _, p in results))
        case Mul(args):
            terms, parts = [], []
            for k, a in enumerate(args):
                value, proof = go(a)
                product = Mul((*args[:k], Diff(a, wrt), *args[k + 1 :]))
                put = Mul((*args[:k], value, *args[k + 1 :]))
                gone = value == ZERO  # 0 times the other factors: nothing more is asked of them
                terms.append(ZERO if gone else put)
                step: Proof = proof if unchanged(proof) else Inside(product, ((k, proof),))
                parts.append((product, Chain(step, (Linear(put, ZERO),)) if gone else step))
            total = Add(tuple(p for p, _ in parts))
            return Add(tuple(terms)), followed(By("diff_mul", (args, wrt)), total, enumerate(p for _, p in parts))
        case Sum(size, body, _):
            i = names.new(size)
            opened = open_body(body, (i,))
            value, proof = go(opened)
            law = By("diff_sum", (i, opened, wrt))
            return over(i, value), law if unchanged(proof) else Chain(law, (UnderSum(i, proof),))
        case Power(base, q):
            slope: tuple[Term, ...] = (Num(q), Power(base, q - 1))
            return chained(By("diff_power", (base, q, wrt)), slope, base, wrt, go(base))
        case Apply(fn, arg, order):
            law = By("diff_apply", (fn, order, arg, wrt))
            return chained(law, (slope_of(t),), arg, wrt, go(arg))
        case Holds(Positive(u)):
            return ZERO, By("diff_step", (u, wrt))
        case Whole():
            return differentiate_whole(t, wrt, context, names, kept)
        case Diff(body, inner_wrt):
            first, by_first = differentiate(body, inner_wrt, context, names, kept)
            second, by_second = go(first)
            return second, Chain(UnderDiff(wrt, by_first), (by_second,))
        case Num() | Size() | Ordinal() | Delta() | Holds(NonNegative()):
            return ZERO, By("diff_independent", (t, wrt))
        case _:
            raise ProofError(f"no law differentiates {t}")


def slope_of(t: Apply) -> Term:
    """f' at the argument."""
    return DERIVATIVES[t.fn](t.arg)[0] if t.fn in DERIVATIVES else Apply(t.fn, t.arg, t.order + 1)


def chained(law: By, slope: tuple[Term, ...], arg: Term, wrt: Entry, inner: Result) -> Result:
    value, proof = inner
    return Mul((*slope, value)), followed(law, Mul((*slope, Diff(arg, wrt))), [(len(slope), proof)])


def followed(law: By, term: Term, parts: Iterable[tuple[int, Proof]]) -> Proof:
    """The law, and then what changes inside the term that it gives."""
    changing = tuple((k, p) for k, p in parts if not unchanged(p))
    return Chain(law, (Inside(term, changing),)) if changing else law


def unchanged(p: Proof) -> bool:
    return isinstance(p, Linear) and p.lhs == p.rhs and not p.steps


def differentiate_whole(w: Whole, wrt: Entry, context: Context, names: Names, kept: frozenset[Array] = NONE) -> Result:
    axes = tuple(names.new(n) for n in w.sizes)
    opened = opened_whole(w, axes)
    if w.fn in ("argmax", "gap"):
        return ZERO, By("diff_argmax", (w, wrt))
    value, inner = differentiate(opened, wrt, context, names, kept)
    derivative = Diff(opened, wrt)

    def at(fn: str, *indices: Index) -> Whole:
        return Whole(fn, 0, w.sizes, w.body, indices, w.hints)

    if w.fn not in ARRAY_FUNCTIONS:
        slope = Whole(w.fn, w.order + 1, w.sizes, w.body, (*w.at, *axes), w.hints)
        return summed(By("diff_whole", (w, axes, wrt)), axes, (slope, derivative), 1, value, inner)
    if w.fn == "max":
        return summed(By("diff_max", (w, axes, wrt)), axes, (at("argmax", *axes), derivative), 1, value, inner)
    if w.fn == "prod":
        others = tuple(names.new(n) for n in w.sizes)
        law = By("diff_prod", (w, axes, others, wrt))
        return summed(law, axes, (product_without(w, axes, others), derivative), 1, value, inner)
    if w.fn == "inv":
        left = Whole("inv", 0, w.sizes, w.body, (w.at[0], axes[0]), w.hints)
        right = Whole("inv", 0, w.sizes, w.body, (axes[1], w.at[1]), w.hints)
        term, proof = summed(None, axes, (left, derivative, right), 1, value, inner)
        before = sum_over(axes, Mul((left, derivative, right)))
        negative = Inside(Mul((Num(-ONE.value), before)), ((1, proof),))
        return Mul((Num(-ONE.value), term)), Chain(By("diff_inverse", (w, axes, wrt)), (negative,))
    if w.fn == "det":
        inverse = at("inv", axes[1], axes[0])
        term, proof = summed(None, axes, (inverse, derivative), 1, value, inner)
        before = sum_over(axes, Mul((inverse, derivative)))
        inside = Inside(Mul((w, before)), ((1, proof),))
        return Mul((w, term)), Chain(By("diff_det", (w, axes, wrt)), (inside,))
    raise ProofError(f"no law differentiates {w.fn}")


def summed(
    law: By | None, axes: tuple[Index, ...], factors: tuple[Term, ...], place: int, value: Term, inner: Proof
) -> Result:
    """Σ_axes Π factors with factor `place` rewritten by the inner proof, after the law if one is given."""
    proof: Proof = Inside(Mul(factors), ((place, inner),))
    term: Term = Mul((*factors[:place], value, *factors[place + 1 :]))
    for i in reversed(axes):
        proof, term = UnderSum(i, proof), over(i, term)
    return term, proof if law is None else Chain(law, (proof,))


def product_without(w: Whole, axes: tuple[Index, ...], others: tuple[Index, ...]) -> Term:
    here = mul(*(Delta(a, b) for a, b in zip(axes, others, strict=True)))
    return whole("prod", 0, others, add(here, mul(sub(ONE, here), opened_whole(w, others))), ())


def depends(t: Term, wrt: Entry, context: Context, kept: frozenset[Array] = NONE) -> bool:
    """Whether the variable, a definition, or an array that may be the variable occurs in `t`."""
    for s in subterms(t):
        if isinstance(s, Entry):
            if s.array in context.definitions or s.array in kept or s.array.name == wrt.array.name:
                return True
    return False
