"""Where a forward computation has a value and a derivative, read off its terms."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from symbackprop.core.context import Context
from symbackprop.core.indices import Index, affine
from symbackprop.core.ordering import Key
from symbackprop.core.sums import Monomial, monomial_key
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import (
    Add,
    Apply,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    Num,
    Ordinal,
    Power,
    ProofError,
    Size,
    Sum,
    Term,
    Whole,
    arguments,
    free,
    mul,
    neg,
    open_body,
    opened_whole,
    substitute,
    subterms,
)

from ..normal_form.normal import SPREAD, Normal
from ..normal_form.reduce import TooLarge

F0, F1 = Fraction(0), Fraction(1)
CLEARED = 4  # denominators inside numerators
WRITTEN_OUT = 6  # values of an axis of literal size that are looked at one by one


class Domain:
    """Terms that must be positive, or not zero, wherever the forward arrays have a value.

    What stands beside a step function or a delta is not looked at: `np.where(x > 0, np.log(x), 0)` has a value
    everywhere.  Roots need their argument positive for a derivative and not negative for a value.
    """

    def __init__(self, forward: Iterable[Tensor], context: Context, others: Iterable[Term] = ()) -> None:
        self.normal = Normal(context)
        self.positive: set[Key] = set()
        self.looked_at: set[Term] = set()
        self.known: dict[Term, set[Key]] = {}
        self.logs: set[Key] = set()
        self.roots: set[Key] = set()
        self.divided: set[Key] = set()
        self.sizes: set[Size] = set()
        for t in forward:
            self.visit(t.body)
            for i in t.axes:
                self.each_value(t.body, i)
            self.note_positive(t.body)
        for other in others:
            self.note_positive(other)

    def visit(self, t: Term) -> None:
        match t:
            case Num() | Size() | Entry() | Ordinal() | Delta() | Holds():
                return
            case Add(args):
                for a in args:
                    self.visit(a)
            case Mul(args):
                guarded = [k for k, a in enumerate(args) if switches(a)]
                for k, a in enumerate(args):
                    if not guarded or guarded == [k]:
                        self.visit(a)
            case Power(base, q):
                if q.denominator > 1:
                    self.note(self.roots, base)
                if q < 0:
                    self.note(self.divided, base)
                self.visit(base)
            case Apply(fn, arg, _):
                if fn == "log":
                    self.note(self.logs, arg)
                self.visit(arg)
            case Sum(size, body, _):
                i = self.normal.names.new(size)
                opened = open_body(body, (i,))
                self.visit(opened)
                self.each_value(opened, i)
            case Diff(body, _):
                self.visit(body)
            case Whole(fn, _, sizes, _, _, hints):
                axes = tuple(map(self.normal.names.new, sizes))
                opened = opened_whole(t, axes)
                if fn == "inv":
                    self.note(self.divided, Whole("det", 0, sizes, t.body, (), hints))
                if fn not in ("argmax", "gap"):
                    self.visit(opened)

    def note_positive(self, t: Term) -> None:
        """Bases of powers and arguments of logarithms whose sign is plain as they are written."""
        match t:
            case Power(base, _) | Apply("log", base, _):
                if base not in self.looked_at:
                    self.looked_at.add(base)
                    if self.normal.signs.sign(base) == "positive":
                        self.positive |= self.keys(base)
                self.note_positive(base)
            case Sum(size, body, _):
                self.note_positive(open_body(body, (self.normal.names.new(size),)))
            case Whole(_, _, sizes, _, _, _):
                self.note_positive(opened_whole(t, tuple(map(self.normal.names.new, sizes))))
            case Diff(body, _):
                self.note_positive(body)
            case _:
                for a in arguments(t):
                    self.note_positive(a)

    def each_value(self, body: Term, i: Index) -> None:
        n = i.size.constant
        if n is not None and 1 < n <= WRITTEN_OUT:
            for v in range(n):
                self.visit(substitute(body, {i: affine(v, ())}))

    def note(self, kept: set[Key], t: Term) -> None:
        if isinstance(t, Size):
            self.sizes.add(t)
        match t:
            case Mul(args) if kept is self.divided:
                for a in args:
                    self.note(kept, a)
            case Power(base, _) if kept is self.divided:
                self.note(kept, base)
            case Mul(args) if kept is self.roots and all(self.normal.signs.sign(a) in SPREAD for a in args):
                kept.update(self.keys(t))  # none of them is negative, so each is positive where the product is
                for a in args:
                    self.note(kept, a)
            case _:
                kept.update(self.keys(t))

    def keys(self, t: Term) -> set[Key]:
        """Keys that do not depend on what free indices are called: of the term, and of it without positive factors."""
        if t not in self.known:
            self.known[t] = {nameless(t)}
            try:
                self.known[t] |= {nameless(self.plain(self.normal.of(t)[0])), nameless(self.primitive(t))}
            except (ProofError, TooLarge):
                pass
        return self.known[t]

    def canonical(self, t: Term, either_sign: bool = False) -> Key:
        """The same for terms that differ by a positive factor (or by any, if the sign does not matter)."""
        try:
            keys = [nameless(self.primitive(u)) for u in ((t, neg(t)) if either_sign else (t,))]
        except (ProofError, TooLarge):
            return nameless(t)
        return min(keys)

    def primitive(self, t: Term) -> Term:
        """t times what is surely positive: over a common denominator, and without what all its terms share."""
        value, _ = self.normal.of(t)
        for _ in range(CLEARED):
            below = self.denominators(value)
            if not below:
                break
            value, _ = self.normal.of(mul(value, *(Power(b, -e) for b, e in below)))
        monomials = self.expanded(value)
        if not monomials:
            return value
        first = min(monomials, key=monomial_key)
        shared = []
        for b, _ in first.factors:
            exponents = [dict(m.factors).get(b, F0) for m in monomials]
            if (
                all(exponents)
                and self.normal.positive(b)
                and free(b).isdisjoint(i for m in monomials for i in m.dummies)
            ):
                shared.append((b, min(exponents)))
        scale = mul(Num(1 / abs(first.coefficient)), *(Power(b, -e) for b, e in shared))
        return self.plain(self.normal.of(mul(scale, value))[0])

    def denominators(self, value: Term) -> list[tuple[Term, Fraction]]:
        """Positive factors with negative exponents."""
        found: dict[Key, tuple[Term, Fraction]] = {}
        for m in self.expanded(value):
            for b, e in m.factors:
                if e < 0 and free(b).isdisjoint(m.dummies) and self.normal.positive(b):
                    k = nameless(b)
                    found[k] = (b, min(e, found.get(k, (b, F0))[1]))
        return [found[k] for k in sorted(found)]

    def expanded(self, t: Term) -> list[Monomial]:
        return self.normal.run(t).expand(t)

    def plain(self, t: Term) -> Term:
        """Without the names that the normal form gives to compound terms."""
        return self.normal.unfolded(t)[0]

    def is_positive(self, t: Term) -> bool:
        return bool(self.keys(t) & self.positive)

    def has_value_only_if_positive(self, t: Term) -> bool:
        return bool(self.keys(t) & self.logs)

    def under_root(self, t: Term) -> bool:
        return bool(self.keys(t) & self.roots)

    def has_value_only_if_nonzero(self, t: Term) -> bool:
        keys = self.keys(t)
        return bool(keys & (self.divided | self.logs)) or bool(self.keys(neg(t)) & (self.divided | self.logs))


def switches(t: Term) -> bool:
    """A factor that may be 0 on a set of positive measure."""
    return any(isinstance(s, Holds | Delta) for s in subterms(t))


def nameless(t: Term) -> Key:
    """The same for terms that differ in the names of their free indices only."""
    indices: tuple[Index, ...] = tuple(sorted(free(t), key=lambda i: i.name))
    return monomial_key(Monomial(F1, indices, ((t, F1),)))
