"""One claim in, one verdict out: prove, sort the conditions, show a point; or refute, name the mistake, repair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Affine, Index, IndexExpr, Pick, as_affine, sized
from symbackprop.core.kernel import Proof
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import (
    AtLeastZero,
    Delta,
    Diff,
    Entry,
    Holds,
    NonNegative,
    Nonzero,
    Num,
    Ordinal,
    Positive,
    Predicate,
    Term,
    Whole,
    free,
    mul,
    substitute,
    subterms,
)
from symbackprop.numbers.evaluate import Undefined
from symbackprop.numbers.exact_numbers import approximate
from symbackprop.numbers.refute.search import Counterexample, Question, recheck, satisfying_point, search
from symbackprop.numbers.rounding import rounding_explains
from symbackprop.prove.claims import Found, prove, prove_simplified
from symbackprop.prove.conditions.conditions import Sorted, sort_conditions
from symbackprop.prove.conditions.stepped import ConstantSteps, constant_steps
from symbackprop.repair.with_repair import with_repair
from symbackprop.write.paper.array_text import equation, predicate_text
from symbackprop.write.paper.formulas import formula, formula_latex

from .claims import Claim, shown
from .setting import Setting
from .shape_examples import wrong_shape
from .status import PROVED, REFUTED, UNKNOWN
from .verdict import Condition, Verdict

BUDGET, FEW = 40, 3
LARGEST_INDEX = 40  # sizes above it are not tried
EXACTLY = "write {} exactly (np.pi, 1 / 3, np.sqrt(2))"
CONTRADICTION = "a proof was found and so was a point that contradicts it; please report this as a bug"


def decide(claim: Claim, setting: Setting) -> Verdict:
    return described(
        claim, setting, with_right_shape(claim, setting) if claim.conforms else wrong_shape(claim, setting)
    )


def described(claim: Claim, setting: Setting, verdict: Verdict) -> Verdict:
    return replace(
        verdict,
        name=claim.name,
        hypotheses=tuple(map(hypothesis_text, setting.hypotheses)),
        statement=statement(claim),
        statement_latex=statement_latex(claim),
        sides=claim.sides,
    )


def refute_only(claim: Claim, setting: Setting) -> Verdict:
    """Refuted at one of a few points, or unknown: for sizes that prove nothing."""
    if not claim.conforms:
        return decide(claim, replace(setting, repair=False))
    found = counterexample(claim, setting, FEW)
    verdict = Verdict(UNKNOWN) if found is None else Verdict(REFUTED, counterexample=found)
    return described(claim, setting, verdict)


def with_right_shape(claim: Claim, setting: Setting) -> Verdict:
    """A few points first: what is plainly false need not be proved false by failing to prove it."""
    early = search(question(claim, setting), FEW, kinks_have_values=not claim.needs_derivative).counterexample
    if early is not None and not rounding_explains(early, setting.rounded) and seen_twice(early):
        return refuted(claim, setting, early)
    proofs: list[Proof | ConstantSteps] = []
    conditions: list[Condition] = []
    left: list[Predicate] = []
    for axes, values in claim.instances():
        lhs, rhs = claim.sides_at(values)
        found = prove(lhs, rhs, setting.context)
        if found is None:
            return refuted_or_unknown(claim, setting)
        needs = needed(claim, setting, found, axes, values)
        if needs.left:
            again = prove_simplified(lhs, rhs, setting.context)
            if again is not None:
                other = needed(claim, setting, again, axes, values)
                if len(other.left) < len(needs.left):
                    found, needs = again, other
        if needs.left:
            by_steps = with_constant_steps(claim, setting, lhs, rhs, axes)
            if by_steps is not None:
                proofs.append(by_steps[0])
                conditions += [c for c in by_steps[1] if c not in conditions]
                continue
        proofs.append(found[0])
        conditions += [c for c in needs.listed if c not in conditions]
        left += [c for c in needs.left if c not in left and not holds_at_zero(c, lhs, rhs, axes, setting)]
    if early is not None and not rounding_explains(early, setting.rounded):
        return Verdict(UNKNOWN, conditions=tuple(conditions), reason=CONTRADICTION)
    proof = proofs[0] if len(proofs) == 1 else tuple(proofs)
    if left:
        return partly_proved(claim, setting, conditions, left)
    return with_witness(claim, setting, Verdict(PROVED, proof=proof, conditions=tuple(conditions)))


def with_constant_steps(
    claim: Claim, setting: Setting, lhs: Term, rhs: Term, axes: tuple[Index, ...]
) -> tuple[ConstantSteps, list[Condition]] | None:
    """A proof with the steps as arrays of zeros and ones, and its conditions, if these cost nothing."""
    changed = constant_steps(lhs, rhs, setting.context)
    if changed is None:
        return None
    left, right, context, steps = changed
    found = prove(left, right, context)
    if found is None:
        return None
    assert isinstance(left, Diff)
    needs = sort_conditions(found[1].conditions, context, (Tensor((), left.body),), axes, claim.lengths, (left, right))
    if needs.left:
        return None
    arrays = tuple(steps.known.values())
    kinks = [Nonzero(meaning.body.predicate.term) for _, meaning in arrays if isinstance(meaning.body, Holds)
             if isinstance(meaning.body.predicate, Positive)]  # fmt: skip
    said = [steps.plain(c.predicate) for c in needs.listed if c.predicate is not None]
    shown = sort_conditions([*kinks, *said], setting.context, claim.forward, axes, claim.lengths, (lhs, rhs)).listed
    return ConstantSteps(found[0], arrays), list(shown)


def needed(
    claim: Claim, setting: Setting, found: Found, axes: tuple[Index, ...], values: dict[Index, IndexExpr]
) -> Sorted:
    return sort_conditions(
        found[1].conditions, setting.context, claim.forward, axes, claim.lengths, claim.sides_at(values),
        claim.needs_derivative,
    )  # fmt: skip


def holds_at_zero(c: Predicate, lhs: Term, rhs: Term, axes: tuple[Index, ...], setting: Setting) -> bool:
    """The other case of a condition u != 0, in an equation without derivatives: lhs = rhs where u = 0."""
    if not isinstance(c, Nonzero) or isinstance(lhs, Diff) or not free(c.term) <= set(axes):
        return False
    fixed: dict[Index, IndexExpr] = {i: Pick(f"!{i.name}", (), i.size) for i in axes}  # these very indices, not all
    here = Same(substitute(c.term, fixed), Num(Fraction(0)))
    context = replace(setting, hypotheses=(*setting.hypotheses, here)).context
    found = prove(substitute(lhs, fixed), substitute(rhs, fixed), context)
    return found is not None and not found[1].conditions


def seen_twice(c: Counterexample) -> bool:
    """Central differences in float64 agree with the exact values that the two sides are not equal."""
    try:
        left, right = recheck(c)
    except Undefined:
        return False
    exact = approximate(c.lhs), approximate(c.rhs)
    scale = max(1.0, *map(abs, exact))
    return abs(left - exact[0]) < 1e-3 * scale and abs(right - exact[1]) < 1e-3 * scale


def with_witness(claim: Claim, setting: Setting, proved: Verdict) -> Verdict:
    """A theorem about no point proves nothing."""
    needs = [*setting.hypotheses, *(c.predicate for c in proved.conditions if c.predicate is not None)]
    point = satisfying_point(needs, terms=(claim.lhs, claim.rhs), domains=setting.domains, shapes=setting.shapes)
    if point is None:
        why = "hypotheses and conditions" if proved.conditions else "hypotheses"
        if not needs:
            why = "claim's functions, so that both sides have a value"
        return Verdict(
            UNKNOWN, conditions=proved.conditions,
            reason=f"the formulas agree, but no point was found that satisfies the {why}",
        )  # fmt: skip
    return replace(proved, witness=point)


def partly_proved(
    claim: Claim, setting: Setting, conditions: Sequence[Condition], left: Sequence[Predicate]
) -> Verdict:
    """The theorem has conditions that exclude points the claim is about: look there."""
    for extra in ((), *((v,) for c in left for v in violations(c, claim.needs_derivative))):
        narrowed = replace(setting, hypotheses=(*setting.hypotheses, *extra))
        found = counterexample(claim, narrowed)
        if found is not None:
            return refuted(claim, setting, found)
    texts = [predicate_text(c, claim.axes) for c in left]
    larger = enough_for(claim, setting, left)
    hint = f"; it is proved for {larger} (say so in assuming)" if larger else ""
    return Verdict(
        UNKNOWN,
        conditions=(*conditions, *(Condition(t, "not implied", c) for t, c in zip(texts, left, strict=True))),
        reason=f"proved only where {', '.join(texts)}, which the hypotheses do not say{hint}",
    )


def enough_for(claim: Claim, setting: Setting, left: Sequence[Predicate]) -> str:
    """The size symbols that must be at least 2 for the conditions to cost nothing."""
    symbols = dict.fromkeys(s for n in claim.lengths for s in n.symbols)
    for s in symbols:
        extra = AtLeastZero(sized(s) - 2)
        context = replace(setting, hypotheses=(*setting.hypotheses, extra)).context
        if not sort_conditions(
            left, context, claim.forward, claim.axes, claim.lengths, almost=claim.needs_derivative
        ).left:
            return f"{s} >= 2"
    return ""


def violations(c: Predicate, almost: bool) -> Sequence[Hypothesis]:
    """Sets where a condition fails: open ones, and where null sets count, any."""
    match c:
        case Positive(u):
            return [Positive(mul(Num(Fraction(-1)), u))] + ([] if almost else [Same(u, Num(Fraction(0)))])
        case Nonzero(u) if not almost:
            return [Same(u, Num(Fraction(0)))]
        case _:
            return []


def refuted_or_unknown(claim: Claim, setting: Setting) -> Verdict:
    q = question(claim, setting)
    outcome = search(q, BUDGET, kinks_have_values=not claim.needs_derivative)
    found = outcome.counterexample or at_larger_sizes(claim, q)
    if found is None and setting.rounded:
        return Verdict(
            UNKNOWN,
            reason="no proof was found, and no counterexample that rounding cannot explain; "
            + EXACTLY.format(constants(setting)),
        )
    if found is None:
        return Verdict(UNKNOWN, reason=f"no proof was found, and no counterexample: {outcome.reason}")
    if rounding_explains(found, setting.rounded):
        return Verdict(
            UNKNOWN,
            reason=f"the two sides differ by no more than rounding explains; {EXACTLY.format(constants(setting))}",
        )
    return refuted(claim, setting, found)


def at_larger_sizes(claim: Claim, q: Question) -> Counterexample | None:
    """Where the claim names an index (x[7]), sizes at which there is one."""
    symbols = dict.fromkeys(s for n in claim.lengths for s in n.symbols)
    for k in sorted({k for t in (claim.lhs, claim.rhs) for k in named_indices(t) if 3 < k <= LARGEST_INDEX})[:3]:
        for s in symbols:
            found = search(replace(q, sizes_min={s: k + 1}), 2, kinks_have_values=not claim.needs_derivative)
            if found.counterexample is not None:
                return found.counterexample
    return None


def named_indices(t: Term) -> set[int]:
    """Sizes of the numbers in index expressions."""
    found: set[int] = set()

    def look(e: IndexExpr) -> None:
        constant, parts = as_affine(e)
        found.update(abs(c) for _, c in constant.monomials if isinstance(e, Affine))
        for a, _ in parts:
            if isinstance(a, Pick):
                for inner in a.at:
                    look(inner)

    for s in subterms(t):
        match s:
            case Entry(_, at) | Whole(_, _, _, _, at, _):
                for e in at:
                    look(e)
            case Delta(i, j):
                look(i)
                look(j)
            case Holds(NonNegative(e)) | Ordinal(e):
                look(e)
            case _:
                pass
    return found


def constants(setting: Setting) -> str:
    return ", ".join(f"{x!r}" for x, _ in setting.rounded[:3])


def refuted(claim: Claim, setting: Setting, found: Counterexample) -> Verdict:
    verdict = Verdict(REFUTED, counterexample=found)
    return with_repair(claim, setting, verdict) if setting.repair else verdict


def counterexample(claim: Claim, setting: Setting, budget: int = BUDGET) -> Counterexample | None:
    outcome = search(question(claim, setting), budget, kinks_have_values=not claim.needs_derivative)
    found = outcome.counterexample
    return None if found is None or rounding_explains(found, setting.rounded) else found


def question(claim: Claim, setting: Setting) -> Question:
    return Question(
        claim.lhs,
        claim.rhs,
        claim.axes,
        hypotheses=setting.hypotheses,
        domains=setting.domains,
        shapes=setting.shapes,
    )


# --- words -----------------------------------------------------------------------------------


def hypothesis_text(h: Hypothesis) -> str:
    return equation(h.lhs, h.rhs) if isinstance(h, Same) else predicate_text(h)


def statement(claim: Claim) -> str:
    """`∂L/∂x[i,j] = ...` with the formula that was claimed."""
    if not claim.conforms:
        return f"{claim.label} has shape ({shown(claim.found.shape)})"
    return formula(claim, claim.rhs)


def statement_latex(claim: Claim) -> str:
    return formula_latex(claim, claim.rhs) if claim.conforms else ""
