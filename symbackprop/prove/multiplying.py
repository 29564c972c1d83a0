"""Equations with inverses of sums, (A + u v^T)^{-1} = …: both sides multiplied by what is regular.

From Σ_k M_ak L_k = Σ_k M_ak R_k for every a follows L_i = Σ_a (M^{-1})_ia Σ_k M_ak L_k = … = R_i.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.core.context import Context
from symbackprop.core.indices import Index
from symbackprop.core.kernel import By, Chain, Flip, Inside, Linear, Proof, UnderSum, check
from symbackprop.core.laws.arrays import entry_of
from symbackprop.core.terms import Diff, Entry, Mul, Term, Whole, free, mul, over, substitute

from .differentiate import Names
from .equality import Found, prove_equal
from .normal_form.session import FAILED

MOST = 3
"""Inverses that are tried."""


def prove_multiplied(lhs: Term, rhs: Term, context: Context) -> Found | None:
    names = Names.beside(lhs, rhs)
    found = dict.fromkeys(w for t in (lhs, rhs) for w in inverses(t, names))
    for w in list(found)[:MOST]:
        for side in (1, 0):
            i = w.at[side]
            if isinstance(i, Index) and i in free(lhs) & free(rhs):
                try:
                    proof = multiplied(lhs, rhs, context, w, side, i, names)
                    if proof is not None:
                        return proof, check(proof, context)
                except FAILED:
                    continue
    return None


def inverses(t: Term, names: Names) -> Iterator[Whole]:
    """The inverses of what is no letter, those outside of others first."""
    if isinstance(t, Whole | Diff):
        if isinstance(t, Whole) and t.fn == "inv" and not isinstance(t.body, Entry):
            yield t
        return
    for part in names.parts(t):
        yield from inverses(part, names)


def multiplied(
    lhs: Term, rhs: Term, context: Context, w: Whole, side: int, i: Index, names: Names
) -> Proof | None:
    a, k = names.new(i.size), names.new(i.size)
    matrix = entry_of(w, (a, k) if side == 0 else (k, a))
    left, right = (over(k, mul(matrix, substitute(t, {i: k}))) for t in (lhs, rhs))
    middle = prove_equal(left, right, context)
    if middle is None:
        return None
    inverse = Whole("inv", 0, w.sizes, w.body, (i, a) if side == 0 else (a, i), w.hints)
    under = UnderSum(a, Inside(Mul((inverse, left)), ((1, middle[0]),)))
    one, other = (undone(t, context, w, side, i, names, outer(inverse, t_, a)) for t, t_ in ((lhs, left), (rhs, right)))
    return Chain(Flip(one), (under, other))


def outer(inverse: Term, product: Term, a: Index) -> Term:
    return over(a, Mul((inverse, product)))


def undone(t: Term, context: Context, w: Whole, side: int, i: Index, names: Names, whole: Term) -> Proof:
    """Σ_a (M^{-1})_ia Σ_k M_ak t_k = Σ_k t_k Σ_a (M^{-1})_ia M_ak = Σ_k t_k δ_ik = t_i."""
    k, fresh = names.new(i.size), names.new(i.size)
    at = (i, k) if side == 0 else (k, i)
    law = By("inverse_times" if side == 0 else "times_inverse", (Whole("inv", 0, w.sizes, w.body, at, w.hints), fresh))
    equation = check(law, context)
    inner = substitute(t, {i: k})
    regrouped = over(k, Mul((inner, equation.lhs)))
    summed = over(k, Mul((inner, equation.rhs)))
    step = UnderSum(k, Inside(Mul((inner, equation.lhs)), ((1, law),)))
    return Chain(Linear(whole, regrouped), (step, Linear(summed, t)))
