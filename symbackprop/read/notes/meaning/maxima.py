"""The largest or smallest of several values, entry by entry: max(0, z)."""

from __future__ import annotations

from symbackprop.core.matrix import Given, dummy, entry
from symbackprop.core.terms import ZERO, Holds, Positive, Term, add, mul, neg, num, sub

from ..files.place import ReadError, Span
from .values import Mat, Scalar, Value, as_scalar


def largest(name: str, values: list[Value], span: Span) -> Value:
    """max(0, z), entry by entry: b + (a - b) [a - b > 0]; a number stands for an array of it."""
    sizes = {v.shape for v in values if isinstance(v, Mat) and as_scalar(v) is None}
    if len(sizes) > 1 or any(as_scalar(v) is None and not isinstance(v, Mat) for v in values):
        raise ReadError(f"the arguments of {name} have different shapes", span)

    def pick(terms: list[Term]) -> Term:
        out = terms[0]
        for t in terms[1:]:
            more = t if out == ZERO else neg(out) if t == ZERO else sub(t, out)
            out = add(out, mul(more, Holds(Positive(more if name == "max" else neg(more)))))
        return out

    if not sizes:
        return Scalar(pick([t for v in values if (t := as_scalar(v)) is not None]))
    (n, k) = next(iter(sizes))
    i, j = dummy(n, "i"), dummy(k, "j")
    terms = []
    for v in values:
        number = as_scalar(v)
        assert number is not None or isinstance(v, Mat)
        terms.append(entry(v.form, i, j) if number is None and isinstance(v, Mat) else number or num(0))
    return Mat(Given(i, j, pick(terms)))
