"""Which terms are nonzero almost everywhere, for all sizes: the conditions that cost nothing.

A term is *generic* when it is nonzero for almost all values of the free variables, whatever the sizes, the free
indices, the integer arrays and the variables that equations constrain.  Terms are analytic between the steps, so a
term that vanishes on a set of positive measure vanishes around some point, and so do its derivatives there: one
generic derivative is enough.  Step functions are replaced by 0 and by 1, and both must be generic.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from symbackprop.core.context import Context
from symbackprop.core.deltas import minus
from symbackprop.core.indices import Pick
from symbackprop.core.laws.functions import PI
from symbackprop.core.signs import Signs
from symbackprop.core.sums import Expansion, Monomial
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Add,
    Apply,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Positive,
    Power,
    ProofError,
    Sum,
    Term,
    Whole,
    add,
    free,
    neg,
    open_body,
    opened_whole,
    sub,
    substitute,
    subterms,
)  # fmt: skip

from ..differentiate import Names, differentiate
from .generic_terms import (
    assuming,
    at_units,
    closed_in,
    constrained,
    equated,
    polynomial,
    replaced,
    shared_factors,
    with_implied,
    without,
)
from .sizes import Sizes

DEPTH = 6
CANDIDATES, MET = 8, 100  # entries to differentiate by, of those that are met
BUDGET = 300  # terms looked at for one question
ODD = ("tanh", "sinh", "erf", "atan")  # zero only where the argument is


class Generic:
    """Decides under one context; `constrained` are the arrays that the equations among its hypotheses mention."""

    def __init__(self, context: Context) -> None:
        self.signs = Signs(with_implied(context))
        self.names = Names()
        self.names.count = 1_000_000
        self.constrained = constrained(context)
        self.sizes = Sizes(context.hypotheses.values())
        self.known: dict[tuple[Term, int], bool] = {}
        self.budget = BUDGET

    def nonzero(self, t: Term, depth: int = DEPTH) -> bool:
        """Sufficient: t is nonzero almost everywhere."""
        key = (t, depth)
        if depth == DEPTH:
            self.budget = BUDGET
        if key not in self.known:
            self.known[key] = False  # what is being asked proves nothing
            self.budget -= 1
            if self.budget < 0:
                return False
            try:
                self.known[key] = self.decide(t, depth)
            except ProofError:
                pass
        return self.known[key]

    def positive(self, t: Term, depth: int = DEPTH) -> bool:
        """Sufficient: t is positive almost everywhere, by cases of the steps in it."""
        try:
            frozen = substitute(t, {i: Pick(f"!{i.name}", (), i.size) for i in free(t)})
            return self.positive_by_cases(frozen, Context(hypotheses=self.signs.context.hypotheses), depth)
        except ProofError:
            return False

    def positive_by_cases(self, t: Term, context: Context, depth: int) -> bool:
        if Signs(context).holds(Positive(t)):
            return True
        monomials = self.expanded(t, depth)
        total = add(*(m.term() for m in monomials)) if monomials else ZERO
        if Signs(context).holds(Positive(total)):
            return True
        for m in monomials:
            for b, _ in m.factors:
                if isinstance(b, Holds) and isinstance(b.predicate, Positive) and free(b).isdisjoint(m.dummies):
                    u, minus = b.predicate.term, Holds(Positive(neg(b.predicate.term)))
                    if depth == 0 or not self.nonzero(u, depth - 1):
                        return False
                    on = replaced(replaced(total, b, ONE), minus, ZERO)
                    off = replaced(replaced(total, b, ZERO), minus, ONE)
                    return self.positive_by_cases(on, assuming(context, u), depth - 1) and self.positive_by_cases(
                        off, assuming(context, neg(u)), depth - 1
                    )
        return False

    def moving(self, t: Term, depth: int = DEPTH) -> bool:
        """Sufficient: t is constant on no set of positive measure."""
        return depth > 0 and any(self.nonzero(d, depth - 1) for d in self.derivatives(t))

    # --- one term ------------------------------------------------------------------------------

    def decide(self, t: Term, depth: int) -> bool:
        if self.signs.holds(Nonzero(t)) or self.signs.holds(Positive(t)) or self.sizes.nonzero(t):
            return True
        whole = self.without_maxima(t, depth)
        if whole is not None:
            return whole
        monomials = self.expanded(t, depth)
        if not monomials:
            return False
        if len(monomials) == 1 and not monomials[0].dummies:
            return all(self.factor(b, depth) for b, _ in monomials[0].factors)
        split = self.split(monomials, depth)
        if split is not None:
            return split
        shared = shared_factors(monomials)
        if shared:
            rest = without(monomials, shared)
            return depth > 0 and all(self.factor(b, depth) for b, _ in shared) and self.nonzero(rest, depth - 1)
        total = add(*(m.term() for m in monomials))
        if self.signs.holds(Nonzero(total)) or self.sizes.nonzero(total) or slope_of_tanh(monomials):
            return True
        return depth > 0 and any(
            self.nonzero(d, depth - 1) or self.where_not_equal(d, total, depth - 1) for d in self.derivatives(total)
        )

    def where_not_equal(self, d: Term, t: Term, depth: int) -> bool:
        """A derivative d of t is generic for indices that differ, and t itself where they are equal."""
        monomials = self.expanded(d, depth)
        for b in {b: None for m in monomials for b, _ in m.factors if isinstance(b, Delta)}:
            off = [m for m in monomials if all(f != b for f, _ in m.factors)]
            same = equated(t, b)
            if off and same != t and depth > 0 and free(b) <= free(t):
                if self.nonzero(add(*(m.term() for m in off)), depth - 1) and self.nonzero(same, depth - 1):
                    return True
        return False

    def expanded(self, t: Term, depth: int) -> list[Monomial]:
        """The sum of products, if what that needs is itself generic."""
        run = Expansion(free(t))
        run.count = max(run.count, self.names.count)
        monomials = run.expand(t)
        self.names.count = run.count
        for c in run.conditions:
            if isinstance(c, NonNegative) or self.signs.holds(c):
                continue
            if not (isinstance(c, Nonzero) and depth > 0 and self.nonzero(c.term, depth - 1)) and not isinstance(
                c,
                Positive,  # roots of what is not positive have no value anyway
            ):
                raise ProofError("a condition of the expansion")
        return monomials

    def factor(self, b: Term, depth: int) -> bool:
        match b:
            case Num(value):
                return value != 0
            case Entry(array, _):
                return array not in self.constrained or b == PI or self.signs.holds(Nonzero(b))
            case Holds() | Delta():
                return False
            case Power(base, _):
                return self.nonzero(base, depth)
            case Apply(fn, arg, 0) if fn in ODD:
                return self.nonzero(arg, depth)
            case Apply("log", arg, 0):
                return self.nonzero(sub(arg, ONE), depth - 1) if depth else False
            case Apply("sin" | "cos", arg, 0):
                return self.moving(arg, depth)
            case Whole("det", 0, _, _, (), _):
                return self.signs.holds(Nonzero(b)) or self.regular(b)
            case Whole("max", 0, _, _, (), _):
                return self.nonzero(opened_whole(b, tuple(map(self.names.new, b.sizes))), depth)
            case Whole("prod", 0, _, _, (), _):
                return self.nonzero(opened_whole(b, tuple(map(self.names.new, b.sizes))), depth)
            case Whole("gap", 0, _, _, (), _):
                return self.no_ties(b, depth)
            case Add() | Mul() | Sum():
                return self.nonzero(b, depth - 1) if depth else False
            case _:
                return self.signs.holds(Nonzero(b))

    # --- steps and deltas: both values -----------------------------------------------------------

    def split(self, monomials: list[Monomial], depth: int) -> bool | None:
        """A step or a delta in the open: the term must be generic for either value.  None where there is none."""
        for m in monomials:
            for b, _ in m.factors:
                if isinstance(b, Holds | Delta) and free(b).isdisjoint(m.dummies) and depth > 0:
                    return self.both(b, monomials, depth - 1)
        return None

    def both(self, b: Holds | Delta, monomials: list[Monomial], depth: int) -> bool:
        without = [m for m in monomials if all(f != b for f, _ in m.factors)]
        kept = [m._replace(factors=tuple(f for f in m.factors if f[0] != b)) for m in monomials]
        off, on = (add(*(m.term() for m in part)) if part else ZERO for part in (without, kept))
        if isinstance(b, Holds) and isinstance(b.predicate, Positive) and self.nonzero(b.predicate.term, depth):
            minus = Holds(Positive(neg(b.predicate.term)))  # [-u > 0] is 1 - [u > 0] where u is not 0
            off, on = replaced(off, minus, ONE), replaced(on, minus, ZERO)
        if isinstance(b, Delta):
            return self.nonzero(equated(on, b), depth) and self.nonzero_apart(off, b, depth)
        return self.nonzero(off, depth) and self.nonzero(on, depth)

    def nonzero_apart(self, t: Term, b: Delta, depth: int) -> bool:
        """t, such as x_i - x_j, is generic where the delta b is 0."""
        if self.nonzero(t, depth):
            return True
        for d in self.derivatives(t):
            off = [m for m in self.expanded(d, depth) if all(f not in (b, Delta(b.j, b.i)) for f, _ in m.factors)]
            if depth > 0 and off and self.nonzero(add(*(m.term() for m in off)), depth - 1):
                return True
        return False

    # --- derivatives -----------------------------------------------------------------------------

    def derivatives(self, t: Term) -> Iterator[Term]:
        """∂t/∂e for entries e of free variables that occur in t, those that stand alone in a sum first."""
        alone = {a for a in t.args if isinstance(a, Entry)} if isinstance(t, Add) else set[Entry]()
        found = dict.fromkeys(islice(self.entries(t), MET))
        for e in sorted(found, key=lambda e: e not in alone)[:CANDIDATES]:
            try:
                yield differentiate(t, e, Context(), self.names)[0]
            except ProofError:
                continue

    def entries(self, t: Term) -> Iterator[Entry]:
        """Entries of free variables; a dummy becomes a new index, since every axis has a value."""
        match t:
            case Entry(array, _):
                if array not in self.constrained and t != PI:
                    yield t
            case Add(args) | Mul(args):
                for a in args:
                    yield from self.entries(a)
            case Power(arg, _) | Apply(_, arg, _) | Diff(arg, _):
                yield from self.entries(arg)
            case Sum(size, body, _):
                yield from self.entries(open_body(body, (self.names.new(size),)))
            case Whole(_, _, sizes, _, _, _):
                yield from self.entries(opened_whole(t, tuple(map(self.names.new, sizes))))
            case _:
                pass

    # --- functions of whole arrays ---------------------------------------------------------------

    def without_maxima(self, t: Term, depth: int) -> bool | None:
        """max(x) is x_a for some a, on a cell for each a: generic for every a is enough.  None where there is none."""
        for s in subterms(t):
            if isinstance(s, Whole) and s.fn == "max" and s.order == 0 and not s.at and closed_in(s) and s != t:
                at = tuple(map(self.names.new, s.sizes))
                return depth > 0 and self.nonzero(replaced(t, s, opened_whole(s, at)), depth - 1)
        return None

    def no_ties(self, w: Whole, depth: int) -> bool:
        """x_a - x_b is generic for a != b."""
        one, two = (tuple(map(self.names.new, w.sizes)) for _ in range(2))
        difference = sub(opened_whole(w, one), opened_whole(w, two))
        if depth == 0:
            return False
        alike = [{minus(a, b), minus(b, a)} for a, b in zip(one, two, strict=True)]
        for d in self.derivatives(difference):
            monomials = []
            for m in self.expanded(d, depth):
                gaps = {minus(f.i, f.j) for f, _ in m.factors if isinstance(f, Delta)}
                if not all(gaps & both for both in alike):  # not all axes agree: a product of all deltas is 0
                    monomials.append(m)
            if monomials and self.nonzero(add(*(m.term() for m in monomials)), depth - 1):
                return True
        return False

    def regular(self, w: Whole) -> bool:
        """det(A) is not 0 everywhere: with unit matrices for the square arrays and 0 for the rest, A is c times one.

        A is a polynomial in free arrays, so that its determinant, if not 0 somewhere, is 0 on a null set only.
        """
        axes = (self.names.new(w.sizes[0]), self.names.new(w.sizes[1]))
        body = opened_whole(w, axes)
        arrays = [s for s in subterms(body) if isinstance(s, Entry)]
        if not polynomial(body) or any(s.array in self.constrained for s in arrays):
            return False
        run = Expansion(free(body))
        total = run.expand(at_units(body))
        if run.conditions or len(total) != 1 or total[0].dummies:
            return False
        (m,) = total
        deltas = [b for b, _ in m.factors if isinstance(b, Delta)]
        others = [b for b, _ in m.factors if not isinstance(b, Delta)]
        return (
            len(deltas) == 1 and {deltas[0].i, deltas[0].j} == set(axes)
            and all(self.signs.holds(Nonzero(b)) for b in others)
        )  # fmt: skip


def slope_of_tanh(monomials: list[Monomial]) -> bool:
    """c (1 - tanh(u)²), which is not 0 anywhere."""
    if len(monomials) != 2 or monomials[0].coefficient != -monomials[1].coefficient:
        return False
    constant, square = sorted(monomials, key=lambda m: len(m.factors))
    return (
        not constant.factors and not constant.dummies and not square.dummies and len(square.factors) == 1
        and isinstance(square.factors[0][0], Apply) and square.factors[0][0].fn == "tanh" and square.factors[0][1] == 2
    )  # fmt: skip
