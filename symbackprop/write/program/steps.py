"""|u| and max(0, u), which terms write as u times steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from symbackprop.core.indices import ProofError
from symbackprop.core.terms import Add, Holds, Mul, Num, Positive, Term, neg
from symbackprop.prove.tidying import Tidy


def signed(t: Term) -> Term | None:
    """u of [u > 0] - [-u > 0]."""
    match t:
        case Add((Holds(Positive(u)), Mul((Num(c), Holds(Positive(v)))))) if c == -1 and same(neg(u), v):
            return u
        case _:
            return None


def absolute(args: Sequence[Term]) -> tuple[Term, list[Term]] | None:
    """u where u and its sign are among factors, and the other factors."""
    return beside(args, [signed(a) if isinstance(a, Add) else None for a in args])


def positive_part(args: Sequence[Term]) -> tuple[Term, list[Term]] | None:
    """u where u and [u > 0] are among factors, and the other factors."""
    return beside(args, [a.predicate.term if isinstance(a, Holds) and isinstance(a.predicate, Positive) else None
                         for a in args])  # fmt: skip


def same(a: Term, b: Term) -> bool:
    """Equal but for the order of summands."""
    if a == b:
        return True
    try:
        a, b = Tidy()(a), Tidy()(b)
    except ProofError:  # inside a sum, whose index means nothing by itself
        return False
    return a == b or (isinstance(a, Add) and isinstance(b, Add) and Counter(a.args) == Counter(b.args))


def beside(args: Sequence[Term], steps: Sequence[Term | None]) -> tuple[Term, list[Term]] | None:
    for k, u in enumerate(steps):
        if u is not None:
            j = next((j for j, a in enumerate(args) if j != k and same(a, u)), None)
            if j is not None:
                return u, [x for i, x in enumerate(args) if i not in (j, k)]
    return None
