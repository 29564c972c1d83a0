"""Where a term has a value, and where the steps of a computation have a derivative.

`needs` lists predicates that all hold exactly where the term has a value in the sense of NumPy: no division by 0, no
logarithm or root of a negative number, no inverse of a singular matrix, no largest entry of nothing.  With `moving` it
adds where each step of which a moving array is an argument has a derivative: off the kinks and ties.

A factor that is a truth value (0 or 1: a step, a delta, a combination of them) and stands directly in a product is a
*guard*: what stands beside it is looked at only where it is 1, as in `np.where`.  Under guards h the need u > 0 is the
plain predicate h u + 1 - h > 0.  A sum of one term is no guard: so the reader writes a truth value in arithmetic, since
0 * nan is nan.

What is needed of a right side has to be shown, so too much of it does no harm; what a forward needs is taken for a
fact.  So `facts` leaves out what stands beside a combination of steps of which it is not seen that it is 0 or 1.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from typing import TypeAlias, assert_never

from .context import Context
from .signs import Signs
from .smooth import Smoothness
from .sums import for_all, same
from .terms import (
    ONE,
    ZERO,
    Add,
    Apply,
    Array,
    AtLeastZero,
    Delta,
    Diff,
    Entry,
    Holds,
    Index,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Ordinal,
    Positive,
    Power,
    Predicate,
    Size,
    Sum,
    Term,
    Whole,
    add,
    affine,
    at_least_zero,
    free,
    mul,
    neg,
    open_body,
    sub,
    substitute,
)  # fmt: skip

VALUE, ROOT, KINK, TIE = "no value", "no derivative of a root", "kink", "tie"
Guards: TypeAlias = tuple[Term, ...]
MOST_ATOMS = 6  # truth values that one guard is made of


def needs(
    t: Term, context: Context, moving: frozenset[Array] = frozenset(), facts: bool = False
) -> dict[Predicate, str]:
    """The predicates, each with what it is about (`VALUE`, `ROOT`, `KINK`, `TIE`)."""
    run = Needs(context, moving, facts)
    run.visit(t, ())
    return {p: why for p, why in run.found.items() if run.unguarded.get(p) not in run.found}


class Needs:
    """One walk through a term; `found` has what it met, in order."""

    def __init__(self, context: Context, moving: frozenset[Array], facts: bool) -> None:
        self.context, self.moving, self.facts = context, moving, facts
        self.smooth, self.signs = Smoothness(context), Signs(context)
        self.found: dict[Predicate, str] = {}
        self.unguarded: dict[Predicate, Predicate] = {}
        self.count = 0

    def new(self, size: Size) -> Index:
        self.count += 1
        return Index(f"~{self.count}", size)

    def moves(self, t: Term) -> bool:
        return bool(self.moving) and self.smooth.moves(t, self.moving)

    def note(self, p: Predicate, why: str, guards: Guards) -> None:
        if self.signs.holds(p):
            return
        needed = for_all(guarded(p, guards))
        self.found.setdefault(needed, why)
        if guards:
            self.unguarded[needed] = for_all(p)  # it implies what is needed, where that is needed too

    def visit(self, t: Term, guards: Guards) -> None:
        match t:
            case Num() | Size() | Ordinal() | Delta():
                pass
            case Entry(array, at):
                for meaning in self.context.meanings(array):
                    self.visit(meaning.at(*at), guards)
            case Add(args):
                for a in args:
                    self.visit(a, guards)
            case Mul(args):
                own = tuple(a for a in args if truth(a))
                steps = [a for a in args if truth_atoms(a)]
                for a in steps if self.facts and len(steps) > len(own) else args:
                    self.visit(a, guards if a in own else (*guards, *own))
            case Power(base, q):
                self.power(base, q, guards)
                self.visit(base, guards)
            case Apply(fn, arg, _):
                if fn == "log":
                    self.note(Positive(arg), VALUE, guards)
                self.visit(arg, guards)
            case Sum(size, body, _):
                self.visit(open_body(body, (self.new(size),)), guards)
            case Diff(body, wrt):
                inner = Needs(self.context, self.moving | {wrt.array}, self.facts)
                inner.count = self.count
                inner.visit(body, guards)
                self.count = inner.count
                self.found = {**inner.found, **self.found}
                self.unguarded |= inner.unguarded
            case Whole():
                self.whole(t, guards)
            case Holds(p):
                if not isinstance(p, NonNegative):
                    self.visit(p.term, guards)
                    if self.moves(p.term):
                        self.note(Nonzero(off_diagonal(p.term)), KINK, guards)
            case _:
                assert_never(t)

    def power(self, base: Term, q: Fraction, guards: Guards) -> None:
        if q.denominator == 1:
            if q < 0:
                self.note(Nonzero(base), VALUE, guards)
        elif q < 0:
            self.note(Positive(base), VALUE, guards)
        else:
            self.note(AtLeastZero(base), VALUE, guards)
            if self.moves(base):
                self.note(Positive(base), ROOT, guards)

    def whole(self, w: Whole, guards: Guards) -> None:
        inside = open_body(w.body, tuple(map(self.new, w.sizes)))
        self.visit(inside, guards)
        match w.fn:
            case "max" | "min" | "argmax":
                for n in w.sizes:
                    if not at_least_zero(n - 1):
                        self.note(NonNegative(affine(n - 1, ())), VALUE, ())
                if self.moves(w):
                    turned = w.body if w.fn != "min" else neg(w.body)
                    self.note(Positive(Whole("gap", 0, w.sizes, turned, (), w.hints)), TIE, guards)
            case "inv":
                self.note(Nonzero(Whole("det", 0, w.sizes, w.body, (), w.hints)), VALUE, guards)
            case _:
                pass


def off_diagonal(u: Term) -> Term:
    """u + δ_ij where u, such as x_i - x_j, is 0 whenever i = j: there it does not move, so that nothing is excused."""
    indices = sorted(free(u), key=lambda i: i.name)
    pairs = [(i, j) for n, i in enumerate(indices) for j in indices[n + 1 :] if i.size == j.size]
    return add(u, *(Delta(i, j) for i, j in pairs if same(substitute(u, {j: i}), ZERO) == (True, frozenset())))


def guarded(p: Predicate, guards: Guards) -> Predicate:
    """What p says where all guards are 1, as a predicate that holds where one of them is 0."""
    if not guards or isinstance(p, NonNegative):
        return p
    h = mul(*guards)
    beside = mul(h, p.term)
    return AtLeastZero(beside) if isinstance(p, AtLeastZero) else type(p)(add(beside, sub(ONE, h)))


def truth(t: Term) -> bool:
    """0 or 1 whatever its steps and deltas are; no sum of one term in it (see above)."""
    atoms = truth_atoms(t)
    if not atoms or len(atoms) > MOST_ATOMS:
        return False
    cases = (dict(zip(atoms, case, strict=True)) for case in product((0, 1), repeat=len(atoms)))
    return all(truth_value(t, case) in (0, 1) or both_signs([a for a in atoms if case[a]]) for case in cases)


def both_signs(steps: list[Term]) -> bool:
    """Whether u > 0 and -u > 0 are among these: no point is there."""
    signs = [a.predicate.term for a in steps if isinstance(a, Holds) and isinstance(a.predicate, Positive)]
    return any(same(add(u, v), ZERO) == (True, frozenset()) for u, v in combinations(signs, 2))


def truth_atoms(t: Term) -> tuple[Term, ...]:
    """The steps and deltas that t is a polynomial of; none where something else is in it."""
    match t:
        case Holds() | Delta():
            return (t,)
        case (Add(args) | Mul(args)) if len(args) > 1:
            found: dict[Term, None] = {}
            for a in args:
                inside = () if isinstance(a, Num) else truth_atoms(a)
                if not inside and not isinstance(a, Num):
                    return ()
                found |= dict.fromkeys(inside)
            return tuple(found)
        case _:
            return ()


def truth_value(t: Term, values: dict[Term, int]) -> Fraction | int:
    match t:
        case Num(value):
            return value
        case Add(args):
            return sum(truth_value(a, values) for a in args)
        case Mul(args):
            total: Fraction | int = 1
            for a in args:
                total *= truth_value(a, values)
            return total
        case _:
            return values[t]


__all__ = ["KINK", "ROOT", "TIE", "VALUE", "guarded", "needs", "truth"]
