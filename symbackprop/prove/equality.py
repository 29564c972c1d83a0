"""Proofs of equations and of first and second derivatives, which the kernel then checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from symbackprop.core.context import EMPTY, Context, Equation
from symbackprop.core.indices import Index, IndexExpr, affine
from symbackprop.core.kernel import Chain, Digits, Linear, Proof, Rephrase, Seen, UnderDiff, Values, check
from symbackprop.core.laws.functions import IN_EXPONENTIALS
from symbackprop.core.sums import LITERAL, same
from symbackprop.core.terms import (
    ONE, Add, Apply, Delta, Diff, Entry, Holds, Mul, NonNegative, Positive, Power, ProofError, Sum, Term, Whole, add,
    free, map_opened, map_parts, mul, predicate_key, require, sub, substitute, subterms,
)  # fmt: skip
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.matching import Rewritten, in_parts
from symbackprop.prove.normal_form.normal import Normal
from symbackprop.prove.normal_form.session import (
    AS_WRITTEN, FAILED, QUICK, RANKS_KEPT, WAYS, TooLarge, Way, flipped, joined, splits, step_of_steps,
)  # fmt: skip
from symbackprop.prove.normal_form.zero import prove_zero
from symbackprop.prove.rules.steps import diagonal
from symbackprop.prove.rules.whole_arrays import with_merged

ROUNDS = 4


Found = tuple[Proof, Equation]
Prover = Callable[[Term, Term, Context], Found | None]
Ways = tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proof that nobody has checked yet, with what knows the names in it."""

    proof: Proof
    normal: Normal | None = None

    @property
    def plain(self) -> bool:
        return self.normal is None or not self.normal.meanings

    def checked(self, context: Context) -> Found | None:
        """With the theorem, names introduced and conditions on terms whose sign is plain; None where it is no proof."""
        seen = Seen(context)
        try:
            proof = self.proof if self.normal is None else without_names(self.proof, self.normal, seen)
            return proof, check(proof, context, seen)
        except (ProofError, TooLarge):
            return None


def first(candidates: Iterable[Candidate], context: Context) -> Found | None:
    """The first of them that is a proof."""
    return next((found for c in candidates if (found := c.checked(context)) is not None), None)


def prove_equal(lhs: Term, rhs: Term, context: Context = EMPTY) -> Found | None:
    """A proof that the kernel has checked of lhs = rhs, with the theorem, or None when none was found."""
    return first(candidates(lhs, rhs, context, Names()), context)


def by_distributing(lhs: Term, rhs: Term, context: Context) -> Found | None:
    """As sums of products alone, where a normal form would ask for more: that of [-u > 0] asks for u != 0."""
    try:
        return Linear(lhs, rhs), check(Linear(lhs, rhs), context)
    except (ProofError, TooLarge, RecursionError):
        return None


def prove_gradient(loss: Term, wrt: Entry, claimed: Term, context: Context = EMPTY, ways: Ways = WAYS) -> Found | None:
    """A checked proof of ∂loss/∂wrt = claimed, for all sizes and all indices of `wrt`, or None."""
    return first(gradients(loss, wrt, claimed, context, ways), context)


def gradients(loss: Term, wrt: Entry, claimed: Term, context: Context, ways: Ways = WAYS) -> Iterator[Candidate]:
    """Proofs of ∂loss/∂wrt = claimed, as they are found."""
    maxima = has_maximum(loss)
    for shorter in (True, False) if maxima else (False,):
        names = Names()
        rewritten: Rewritten = loss, None
        try:
            if maxima:
                rewritten = without_maxima(loss, context, names) if shorter else with_merged(loss, names)
            body, before = rewritten
            opened = None if before is None else UnderDiff(wrt, before)
            derivative, by_laws = differentiate(body, wrt, context, names)
            right, after = (
                without_maxima(claimed, context, names) if shorter and has_maximum(claimed) else (claimed, None)
            )
        except (ProofError, TooLarge):
            continue
        yield from candidates(derivative, right, context, names, joined(opened, by_laws), flipped(after), ways)


def without_maxima(t: Term, context: Context, names: Names) -> tuple[Term, Proof]:
    """The term without the largest entries that only shift exponents: log Σ e^{z - max z} + max z = log Σ e^z.

    Such a loss is differentiable where the maximum is not, and its derivative is much shorter.
    """
    normal = Normal(context, names)
    value, proof = normal.of(t)
    plain, unfolded = normal.unfolded(value)
    require(not has_maximum(plain), "the maximum counts")
    return plain, without_names(joined(proof, unfolded), normal, Seen(context))


def has_maximum(t: Term) -> bool:
    return any(isinstance(s, Whole) and s.fn == "max" for s in subterms(t))


def candidates(
    lhs: Term,
    rhs: Term,
    context: Context,
    names: Names,
    before: Proof | None = None,
    after: Proof | None = None,
    ways: Ways = WAYS,
) -> Iterator[Candidate]:
    """Proofs of lhs = rhs as they are found, between `before`, of something = lhs, and `after`, of rhs = something."""
    by = splits((lhs, rhs))
    usual = (QUICK, *ways) if ways is WAYS and has_exponential_functions(lhs, rhs) else ways
    ranks = ways is WAYS and any(step_of_steps(s) for t in (lhs, rhs) for s in subterms(t))
    for way in (RANKS_KEPT, *usual) if ranks else usual:
        found = attempt(lhs, rhs, Normal(context, names, way, by), before, after)
        if found is not None:
            yield found
    by_values = value_by_value(lhs, rhs, context, names, before, after)
    if by_values is not None:
        yield by_values


def has_exponential_functions(*terms: Term) -> bool:
    return any(isinstance(s, Apply) and s.fn in IN_EXPONENTIALS for t in terms for s in subterms(t))


def value_by_value(
    lhs: Term, rhs: Term, context: Context, names: Names, before: Proof | None, after: Proof | None
) -> Candidate | None:
    """An index of a small literal size: the equation for each of its values."""
    small = [i for i in free(lhs) | free(rhs) if i.size.constant is not None and 1 <= i.size.constant <= LITERAL]
    if not small:
        return None
    i = min(small, key=lambda i: i.name)
    each = []
    for v in range(i.size.constant or 0):
        here: dict[Index, IndexExpr] = {i: affine(v, ())}
        found = first(candidates(substitute(lhs, here), substitute(rhs, here), context, names), context)
        if found is None:
            return None
        each.append(found[0])
    return Candidate(joined(before, Values(i, lhs, rhs, tuple(each)), after))


def attempt(lhs: Term, rhs: Term, normal: Normal, before: Proof | None, after: Proof | None) -> Candidate | None:
    try:
        left, by_left = normal.of(lhs)
        right, by_right = normal.of(rhs)
        steps: tuple[tuple[tuple[Index, ...], Term, Proof], ...] = ()
        if not same(left, right)[0]:
            zero = prove_zero(sub(left, right), normal)
            if zero is None:
                return None
            steps = (((), ONE, zero),)
        return Candidate(joined(before, by_left, Linear(left, right, steps), flipped(by_right), after), normal)
    except (ProofError, TooLarge):
        return None


def without_names(proof: Proof, normal: Normal, base: Seen) -> Proof:
    """The proof with its conditions on terms whose sign is plain, and every name for a compound term introduced."""
    seen = base
    for array, meaning in normal.meanings.items():
        seen = seen.within(array, meaning)
    theorem = check(proof, seen.context, seen)
    for _ in range(ROUNDS):  # the proofs that restate conditions may have conditions of their own
        restated = with_plain_signs(proof, theorem, normal)
        if restated is proof:
            break
        proof, theorem = restated, check(restated, seen.context, seen)
    return normal.closed(proof)


def with_plain_signs(proof: Proof, theorem: Equation, normal: Normal) -> Proof:
    """Conditions on canonical bases restated on the terms they came from, whose sign is plain to see."""
    parts = []
    for condition in sorted(theorem.conditions, key=predicate_key):
        if isinstance(condition, NonNegative):
            continue
        plain, equal = normal.shown(condition.term) or (condition.term, None)
        equal = flipped(equal)
        _, unfolded = normal.unfolded(plain)
        if equal is not None or unfolded is not None:
            parts.append((condition, joined(equal, unfolded)))
    return Rephrase(proof, tuple(parts)) if parts else proof




def prove(lhs: Term, rhs: Term, context: Context, ways: tuple[Way, ...] = WAYS) -> Found | None:
    """A checked proof of lhs = rhs, where lhs may be a derivative of a derivative; or None."""
    try:
        return search(lhs, rhs, context, ways)
    except FAILED:
        return None


def prove_as_written(lhs: Term, rhs: Term, context: Context) -> Found | None:
    """The same where no step is turned round, which would need that its argument is not 0."""
    if not any(isinstance(s, Holds) for t in (lhs, rhs) for s in subterms(t)):
        return None
    return prove(lhs, rhs, context, AS_WRITTEN)


def search(lhs: Term, rhs: Term, context: Context, ways: tuple[Way, ...]) -> Found | None:
    simple = unchecked(lhs, rhs, context, ways)
    if simple is not None:
        return first(simple, context)
    assert isinstance(lhs, Diff)
    body, inner = without_derivatives(lhs.body, context, Names())
    found = prove_gradient(body, lhs.wrt, rhs, context, ways)
    if found is None or inner is None:
        return found
    proof: Proof = Chain(UnderDiff(lhs.wrt, inner), (found[0],))
    return proof, check(proof, context)


def unchecked(lhs: Term, rhs: Term, context: Context, ways: tuple[Way, ...] = WAYS) -> Iterator[Candidate] | None:
    """The proofs that `prove` checks one after the other; None where it goes another way."""
    if not isinstance(lhs, Diff):
        return candidates(lhs, rhs, context, Names(), ways=ways)
    return None if has_derivative(lhs.body) else gradients(lhs.body, lhs.wrt, rhs, context, ways)


def has_derivative(t: Term) -> bool:
    return any(isinstance(s, Diff) for s in subterms(t))


def without_derivatives(t: Term, context: Context, names: Names) -> tuple[Term, Proof | None]:
    """`t` with its derivatives worked out, and the proof that it is the same.  Raises ProofError."""
    if not has_derivative(t):
        return t, None
    match t:
        case Diff(body, wrt):
            inside, before = without_derivatives(body, context, names)
            value, law = differentiate(inside, wrt, context, names)
            return value, law if before is None else Chain(UnderDiff(wrt, before), (law,))
        case Sum() | Add() | Mul():
            return in_parts(t, lambda s: without_derivatives(s, context, names), names.axes)
        case _:
            raise ProofError("a derivative inside a function")


def by_laws(lhs: Term, context: Context) -> tuple[Term, Proof | None] | None:
    """The left side without derivatives, and why it is the same."""
    try:
        return without_derivatives(lhs, context, Names.beside(lhs))
    except FAILED:
        return None


def by_laws_simplified(lhs: Term, context: Context) -> tuple[Term, Proof | None] | None:
    """The same after the forward term is written in a way whose derivative needs less."""
    if not isinstance(lhs, Diff):
        return None
    loss = simpler_forward(lhs.body, context)
    rewritten = None if loss is None else prove(lhs.body, loss, context)
    found = None if loss is None else by_laws(Diff(loss, lhs.wrt), context)
    if rewritten is None or found is None or found[1] is None:
        return None
    return found[0], Chain(UnderDiff(lhs.wrt, rewritten[0]), (found[1],))


def by_laws_in_order(lhs: Term, context: Context) -> tuple[Term, Proof | None] | None:
    """The same with its deltas contracted and its terms collected, so that no sum stands around what needs a case."""
    found = by_laws(lhs, context)
    if found is None or found[1] is None:
        return None
    try:
        normal = Normal(context, Names.beside(lhs, found[0]), AS_WRITTEN[0])
        value, proof = normal.of(found[0])
        plain, unfolded = normal.unfolded(value)
        if proof is None and unfolded is None:
            return None
        return plain, joined(found[1], without_names(joined(proof, unfolded), normal, Seen(context)))
    except FAILED:
        return None


def by_laws_contracted(lhs: Term, context: Context) -> tuple[Term, Proof | None] | None:
    """The same with its deltas contracted alone, so that what needs a case needs it at the indices of the statement."""
    found = by_laws(lhs, context)
    if found is None or found[1] is None:
        return None
    try:
        monomials = Normal(context, Names.beside(lhs, found[0])).run(found[0]).expand(found[0])
    except FAILED:
        return None
    value = add(*(m.term() for m in monomials))
    return value, joined(found[1], Linear(found[0], value))


def by_digits(lhs: Term, rhs: Term, context: Context, way: Prover, depth: int = 0) -> Found | None:
    """A proof for an axis of composite size by its digits, where index expressions such as 2 k + 1 or K g + k occur."""
    composite = splits((lhs, rhs))
    axes = sorted((i for i in free(lhs) | free(rhs) if i.size in composite), key=lambda i: i.name)
    if not axes:
        return way(lhs, rhs, context)
    i = axes[0]
    q, r = (Index(f"{i.name}.{k}", n) for k, n in zip("qr", composite[i.size], strict=True))
    here: dict[Index, IndexExpr] = {i: affine(0, ((q, r.size), (r, 1)))}
    inner = by_digits(substitute(lhs, here), substitute(rhs, here), context, way, depth + 1)
    if inner is None:
        return way(lhs, rhs, context) if depth == 0 else None
    try:
        proof = Digits(i, lhs, rhs, q, r, inner[0])
        return proof, check(proof, context)
    except FAILED:
        return None


# --- another way to write a computation, for which the laws of differentiation need less ---
# `np.where(x > 0, np.sqrt(x), 0)` is [x > 0] √x, and the law for the root needs x > 0.  But it is also
# [x > 0] √(x [x > 0] + 1 - [x > 0]), whose root is of something positive everywhere, and steps of steps such as
# relu(relu(x)) have a normal form without them.


def simpler_forward(loss: Term, context: Context) -> Term | None:
    """The normal form of the loss with its guarded functions made safe; None where that is nothing new."""
    if not any(isinstance(s, Holds) for s in subterms(loss)):
        return None
    try:
        normal = Normal(context)
        value = normal.unfolded(normal.of(loss)[0])[0]
    except (ProofError, TooLarge, RecursionError):
        return None
    return safe(off_diagonals(value, normal))


def off_diagonals(t: Term, normal: Normal) -> Term:
    """[x_i - x_j > 0] as [x_i - x_j + δ_ij > 0] - δ_ij: where i = j nothing can be on its kink."""
    match t:
        case Add() | Mul() | Sum():
            return map_opened(t, lambda s: off_diagonals(s, normal), normal.names.new)
        case Holds(Positive(u)):
            places = diagonal(normal, u)
            return t if places is None else sub(Holds(Positive(add(u, Delta(*places)))), Delta(*places))
        case _:
            return t


def safe(t: Term, guards: tuple[Holds, ...] = ()) -> Term:
    """h f(u) as h f(h u + 1 - h), for roots, logarithms and quotients beside a step h."""
    match t:
        case Add() | Sum():
            return map_opened(t, lambda s: safe(s, guards))
        case Mul(args):
            own = tuple(a for a in args if isinstance(a, Holds) and isinstance(a.predicate, Positive))
            return Mul(tuple(a if a in own else safe(a, (*guards, *own)) for a in args))
        case Power(base, q) if guards and (q.denominator > 1 or q < 0):
            return Power(guarded(safe(base), guards), q)
        case Apply("log" as fn, arg, order) if guards:
            return Apply(fn, guarded(safe(arg), guards), order)
        case Power() | Apply():
            return map_parts(t, safe)
        case _:
            return t


def guarded(u: Term, guards: tuple[Holds, ...]) -> Term:
    h = mul(*guards)
    return add(mul(h, u), sub(ONE, h))
