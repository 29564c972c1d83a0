"""Where terms are smooth and have values, and the region of a claim.

*Smooth* is a term in the variables that move.

∂(f + g)/∂w = ∂f/∂w + ∂g/∂w needs f and g to have derivatives: at x = 0 the function x = x[x>0] + x[-x>0] has one
and its parts have none.  So every law of differentiation, and every equation used under a derivative, gets the
conditions found here.  They are open: where they hold, they hold in a neighbourhood.

`needs` lists predicates that all hold exactly where the term has a value in the sense of NumPy: no division by 0, no
logarithm or root of a negative number, no inverse of a singular matrix, no largest entry of nothing.  With `moving` it
adds where each step of which a moving array is an argument has a derivative: off the kinks and ties.

A factor that is a truth value (0 or 1: a step, a delta, a combination of them) and stands directly in a product is a
*guard*: what stands beside it is looked at only where it is 1, as in `np.where`.  Under guards h the need u > 0 is the
plain predicate h u + 1 - h > 0.  A sum of one term is no guard: so the reader writes a truth value in arithmetic, since
0 * nan is nan.

What is needed of a right side has to be shown, so too much of it does no harm; what a forward needs is taken for a
fact.  So `facts` leaves out what stands beside a combination of steps of which it is not seen that it is 0 or 1.

The *region* of a claim is its context with the facts about its forward as further hypotheses: where each step has a
value, and a derivative where the variable is its argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations, product
from typing import TypeAlias

from symbackprop.core.context import Context, Excused, Hypothesis, Same, Statement, apart, terms_of
from .indices import ProofError, nodes
from .signs import Signs, anywhere
from .syntax import Tensor
from .laws.functions import DERIVATIVES
from .sums import for_all, numbered, same
from .terms import (
    ONE, ZERO, Add, Apply, Array, AtLeastZero, Delta, Diff, Entry, Holds, Index, IndexExpr, Mul, NonNegative, Nonzero,
    Num, Positive, Power, Predicate, Size, Sum, Term, Whole, add, affine, arguments, arrays, body_of, free, mul, neg,
    of_same, open_body, require, sub, substitute, subterms,
)  # fmt: skip

NONE: frozenset[Predicate] = frozenset()
NOTHING: frozenset[Array] = frozenset()
Moving = frozenset[Array]


class Smoothness:
    """Conditions of smoothness under one context; remembers them."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.known: dict[tuple[Term, Moving], frozenset[Predicate]] = {}

    def moves(self, t: Term, moving: Moving) -> bool:
        """Whether a variable that moves may occur in `t`, or in a definition that `t` rests on."""
        inside = {b for a in arrays(t) for b in self.context.behind(a)}
        return not all(apart(b, m, self.context.least) for b in inside for m in moving)

    def concerns(self, h: Hypothesis, moving: Moving) -> bool:
        return any(self.moves(t, moving) for t in terms_of(h))

    def of(self, t: Term, moving: Moving) -> frozenset[Predicate]:
        """Conditions under which `t` is smooth in all entries of the arrays that move, the others at rest."""
        if (t, moving) not in self.known:
            self.known[t, moving] = self.needs(t, moving) if self.moves(t, moving) else NONE
        return self.known[t, moving]

    def needs(self, t: Term, moving: Moving) -> frozenset[Predicate]:
        own, inner = NONE, arguments(t)
        match t:
            case Entry(array, at):
                inner = tuple(anywhere(m, at) for m in self.context.meanings(array))
            case Power(base, q) if q.denominator > 1:
                own = frozenset({Positive(base)})
            case Power(base, q) if q < 0:
                own = frozenset({Nonzero(base)})
            case Apply(fn, arg, _) if fn in DERIVATIVES:
                own = DERIVATIVES[fn](arg)[1]
            case Holds(Positive(u)):
                own = frozenset({Nonzero(u)})
            case Diff(body, wrt):
                return self.of(body, moving | {wrt.array})
            case Whole("gap" | "min" | "pinv"):
                raise ProofError(f"no law differentiates {t.fn}")
            case Whole("max" | "argmax"):
                own, inner = frozenset({Positive(of_same("gap", t))}), (body_of(t),)
            case Whole("inv"):
                own, inner = frozenset({Nonzero(of_same("det", t))}), (body_of(t),)
            case Sum() | Whole():
                inner = (body_of(t),)
            case _:
                pass
        return own.union(*(self.of(s, moving) for s in inner))

    def around(self, p: Hypothesis, wrt: Array) -> frozenset[Predicate]:
        """What makes `p`, where it holds, hold in a neighbourhood when `wrt` moves.  Refuses equations and >=."""
        moving = frozenset({wrt})
        if not self.concerns(p, moving):
            return NONE
        require(isinstance(p, Positive | Nonzero), "{} holds on a set that need not be open, under ∂/∂{}", p, wrt)
        assert isinstance(p, Positive | Nonzero)
        gap = isinstance(p.term, Whole) and p.term.fn == "gap"  # continuous, though without a derivative
        return self.of(body_of(p.term) if gap else p.term, moving)  # type: ignore[arg-type]


VALUE, ROOT, KINK, TIE = "no value", "no derivative of a root", "kink", "tie"
Guards: TypeAlias = tuple[Term, ...]
SIZE = "a length"
MOST_ATOMS = 6  # truth values that one guard is made of


def needs(
    t: Term, context: Context, moving: frozenset[Array] = frozenset(), facts: bool = False
) -> dict[Predicate, str]:
    """The predicates, each with what it is about (`VALUE`, `ROOT`, `KINK`, `TIE`)."""
    return needed(t, context, moving, facts)[0]


def needed(
    t: Term, context: Context, moving: frozenset[Array] = frozenset(), facts: bool = False
) -> tuple[dict[Predicate, str], frozenset[str]]:
    """The predicates that `needs` gives, and the hypotheses by which others are plain."""
    run = Needs(context, numbered(free(t)), facts)
    run.later.append((t, (), moving))
    for visit in run.later:  # which grows: what has fewer guards comes first
        run.visit(*visit)
    return {p: why for p, why in run.found.items() if run.unguarded.get(p) not in run.found}, run.signs.used


class Needs:
    """One walk through a term; `found` has what it met, in order."""

    def __init__(self, context: Context, count: int, facts: bool) -> None:
        self.context, self.count, self.facts = context, count, facts
        self.smooth, self.signs = Smoothness(context), Signs(context)
        self.found: dict[Predicate, str] = {}
        self.unguarded: dict[Predicate, Predicate] = {}  # what implies it, where that is needed too
        self.seen: dict[tuple[Term, frozenset[Array]], list[set[Term]]] = {}
        self.bodies: dict[Term, Term] = {}
        self.later: list[tuple[Term, Guards, frozenset[Array]]] = []
        self.total: dict[tuple[Array, bool], bool] = {}

    def is_total(self, array: Array, still: bool) -> bool:
        """Nothing is needed of it: no partial function stands behind it, nor a step where something moves."""
        if (array, still) not in self.total:
            behind = (m.body for a in self.context.behind(array) for m in self.context.meanings(a))
            self.total[array, still] = not any(may_need(s, still) for t in behind for s in subterms(t))
        return self.total[array, still]

    def new(self, size: Size) -> Index:
        self.count += 1
        return Index(f"~{self.count}", size)

    def note(self, p: Predicate, why: str, guards: Guards = ()) -> None:
        if not self.signs.holds(p):
            self.found.setdefault(needed := for_all(guarded(p, guards)), why)
            if guards:
                self.unguarded[needed] = for_all(p)

    def opened(self, t: Sum | Whole, sizes: tuple[Size, ...]) -> Term:
        """The body at indices of its own."""
        if t not in self.bodies:
            self.bodies[t] = open_body(t.body, tuple(map(self.new, sizes)))
        return self.bodies[t]

    def meant(self, meaning: Tensor, at: tuple[IndexExpr, ...], guards: Guards) -> Term:
        """What an entry is; without guards up to the names of its indices."""
        self.count = max(self.count, len(at))
        return meaning.at(*at) if guards else anywhere(meaning, at)

    def is_seen(self, t: Term, moving: frozenset[Array]) -> bool:
        """Whether all that an entry means was looked at without guards."""
        if not isinstance(t, Entry):
            return False
        meant = (self.meant(m, t.at, ()) for m in self.context.meanings(t.array))
        return all(set() in self.seen.get((s, moving), ()) for s in meant)

    def visit(self, t: Term, guards: Guards, moving: frozenset[Array]) -> None:
        """What was looked at under these guards, or under some of them, is not looked at again."""
        before = self.seen.setdefault((t, moving), [])
        if any(some <= set(guards) for some in before) or (guards and self.is_seen(t, moving)):
            return
        before.append(set(guards))
        moves = bool(moving) and self.smooth.moves(t, moving)
        inner: tuple[Term, ...] = arguments(t)
        match t:
            case Entry(array, at):
                meanings = () if self.is_total(array, not moving) else self.context.meanings(array)
                inner = tuple(self.meant(meaning, at, guards) for meaning in meanings)
            case Mul(args):
                own, steps = tuple(a for a in args if truth(a)), tuple(a for a in args if truth_atoms(a))
                rest, more = steps if self.facts and len(steps) > len(own) else args, tuple(dict.fromkeys(guards + own))
                self.later += [(a, more, moving) for a in rest] if own else []
                inner = own or rest
            case Power(base, q) if q.denominator > 1:
                self.note(Positive(base) if q < 0 else AtLeastZero(base), VALUE, guards)
                if moves and q > 0:
                    self.note(Positive(base), ROOT, guards)
            case Power(base, q) if q < 0:
                self.note(Nonzero(base), VALUE, guards)
            case Apply("log", arg, _):
                self.note(Positive(arg), VALUE, guards)
            case Sum(size):
                inner = (self.opened(t, (size,)),)
            case Diff(body, wrt):
                self.visit(body, guards, moving | {wrt.array})
            case Whole(_, _, sizes):
                inner = (self.opened(t, sizes),)
                self.whole(t, guards, moves)
            case Holds(Positive(u)) if moves:
                self.note(Nonzero(off_diagonal(u)), KINK, guards)
            case _:
                pass
        for s in inner:
            self.visit(s, guards, moving)

    def whole(self, w: Whole, guards: Guards, moves: bool) -> None:
        match w.fn:
            case "max" | "min" | "argmax":
                for n in w.sizes:
                    self.note(NonNegative(affine(n - 1, ())), VALUE)
                if moves:
                    turned = w.body if w.fn != "min" else neg(w.body)
                    self.note(Positive(Whole("gap", 0, w.sizes, turned, (), w.hints)), TIE, guards)
            case "inv":
                self.note(Nonzero(of_same("det", w)), VALUE, guards)
            case "pinv" if moves:
                raise ProofError("a pseudo-inverse need not be continuous")
            case _:
                pass


def may_need(t: Term, still: bool) -> bool:
    """Whether `visit` may note something at this term."""
    match t:
        case Power(_, q):
            return q < 0 or q.denominator > 1
        case Holds(Positive()):
            return not still
        case Apply("log") | Whole() | Diff():
            return True
        case _:
            return False


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
        case Add(args) | Mul(args) if len(args) > 1:
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


def region_of(statement: Statement) -> tuple[Context, dict[str, Excused]]:
    """The context with the facts as hypotheses; and the facts by name, with what each is about."""
    context, moving = statement.context, moving_in(statement.lhs)
    plain = Signs(context).holds
    found: dict[Predicate, str] = {NonNegative(affine(n, ())): SIZE for n in statement.lengths}
    for t in (statement.lhs, statement.rhs) if statement.formula else statement.forward:
        for p, why in needs(t, context, frozenset() if statement.formula else moving, facts=True).items():
            found.setdefault(p, why)
    named = {f"fact {k}": Excused(p, why) for k, (p, why) in enumerate(found.items(), 1) if not plain(p)}
    given = {name: strict(h, context.hypotheses.values()) if moving else h for name, h in context.hypotheses.items()}
    region = Context(context.definitions, given | {name: e.predicate for name, e in named.items()}, context.least)
    return region, named


def strict(h: Hypothesis, among: Iterable[Hypothesis]) -> Hypothesis:
    """A derivative needs a neighbourhood: the border of t >= 0 is excused, unless t is about sizes and indices.

    Nor is it where an equation among the hypotheses is about the same arrays: m m = m and m >= 0 say that m is 0 or 1.
    """
    about = arrays(h.term) if isinstance(h, AtLeastZero) else NOTHING
    bound = {a for e in among if isinstance(e, Same) and about for t in terms_of(e) for a in arrays(t)}
    return Positive(h.term) if isinstance(h, AtLeastZero) and about and not about & bound else h


def moving_in(t: Term) -> frozenset[Array]:
    """The arrays that the left side is differentiated by."""
    return frozenset(n.wrt.array for n in nodes(t) if isinstance(n, Diff))
