"""After a refutation: the kind of mistake, a repaired formula that is proved, and when the claim is true after all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.core.indices import Index, SymbackpropError, sized
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import AtLeastZero, Term
from symbackprop.decide.claims import Claim
from symbackprop.decide.numbers_for_sizes import claim_at, context_at, sizes_in
from symbackprop.decide.setting import Setting
from symbackprop.decide.verdict import Repaired, Verdict
from symbackprop.numbers.refute.search import Question, search
from symbackprop.prove.claims import derived, prove
from symbackprop.prove.conditions.conditions import sort_conditions
from symbackprop.write.code.index_code import compile_tensors
from symbackprop.write.paper.formulas import formula, formula_latex

from .cases import special_cases
from .search import repair

FEW = 3


def with_repair(claim: Claim, setting: Setting, verdict: Verdict) -> Verdict:
    """The same verdict with what is known about the mistake.  Never raises: a repair is a courtesy."""
    q = Question(claim.lhs, claim.rhs if claim.conforms else claim.lhs, claim.axes,
                 hypotheses=setting.hypotheses, domains=setting.domains, shapes=setting.shapes)  # fmt: skip
    try:
        found = repair(
            q,
            lambda term: proved(claim, setting, term),
            tensor=None if claim.conforms else claim.found,
            derived=lambda: derived(claim.lhs, setting.context),
        )
    except SymbackpropError:
        found = None
    cases = true_when(claim, setting, q) if claim.conforms else ()
    if found is not None and found.mistake == "another formula":
        found = replace(found, mistake=told_by(cases, claim) or found.mistake)
    if found is None:
        return replace(verdict, special_cases=cases)
    fixed = Repaired(
        found.mistake, formula(claim, found.term), formula_latex(claim, found.term),
        code(claim, found.term), found.term, found.proof, claim.wanted,
    )  # fmt: skip
    mistake = found.mistake
    if not claim.conforms and verdict.mistake:
        more = mistake not in ("wrong axes", verdict.mistake)
        mistake = f"{verdict.mistake}: {mistake}" if more else verdict.mistake
    return replace(verdict, mistake=mistake, repair=fixed, special_cases=cases)


def told_by(cases: Sequence[str], claim: Claim) -> str:
    """A claim that is right when w = 1 forgets w."""
    for case in cases:
        name, equals, rest = case.partition(" = ")
        if equals and name != claim.name and name in claim.inputs and rest in ("1", "1 everywhere"):
            return f"missing factor {name}"
        if case.endswith(" is symmetric"):
            return f"{case.removesuffix(' is symmetric')} for its transpose"
    return ""


def proved(claim: Claim, setting: Setting, term: Term) -> object | None:
    """A proof of the repaired claim for all entries, under conditions that cost nothing."""
    fixed = replace(claim, found=Tensor(placed(claim), term))
    proofs = []
    for axes, values in fixed.instances():
        lhs, rhs = fixed.sides_at(values)
        found = prove(lhs, rhs, setting.context)
        if found is None:
            return None
        needs = sort_conditions(
            found[1].conditions, setting.context, claim.forward, axes, claim.lengths, (lhs, rhs), claim.needs_derivative
        )
        if needs.left:
            return None
        proofs.append(found[0])
    return proofs[0] if len(proofs) == 1 else tuple(proofs)


def placed(claim: Claim) -> tuple[Index, ...]:
    """One index for each axis of the result; those of length 1 do not occur in the term."""
    return tuple(
        i if isinstance(i, Index) else Index(f"unit{k}", n)
        for k, (i, n) in enumerate(zip(claim.at, claim.wanted, strict=True))
    )


def true_when(claim: Claim, setting: Setting, q: Question) -> tuple[str, ...]:
    """'n = 1', 'A is symmetric': extra hypotheses under which the claim is proved."""
    texts = []
    try:
        larger = large_enough(claim, setting, q)
        if larger:
            return (larger,)
        for case in special_cases(q):
            context = replace(setting, hypotheses=(*setting.hypotheses, *case.hypotheses)).context
            if all(prove(*claim.sides_at(values), context) is not None for _, values in claim.instances()):
                texts.append(case.text)
            elif by_substitution(claim, setting, case.hypotheses):
                texts.append(case.text)
    except SymbackpropError:
        pass
    return tuple(texts)


def large_enough(claim: Claim, setting: Setting, q: Question) -> str:
    """A claim that is false at n = 1 only."""
    for s in dict.fromkeys(s for n in claim.lengths for s in n.symbols):
        at_least_two = (*setting.hypotheses, AtLeastZero(sized(s) - 2))
        if search(replace(q, hypotheses=at_least_two), FEW, shrink=False).counterexample is None:
            narrowed = replace(setting, hypotheses=at_least_two)
            if proved(claim, narrowed, claim.rhs) is not None:
                return f"{s} >= 2"
    return ""


def by_substitution(claim: Claim, setting: Setting, hypotheses: Sequence[object]) -> bool:
    """Sizes are put in: n = 1 is no hypothesis about n but another claim."""
    values = sizes_in(hypotheses)
    if values is None:
        return False
    small = claim_at(claim, values)
    context = context_at(setting.context, values)
    return all(prove(*small.sides_at(v), context) is not None for _, v in small.instances())


def code(claim: Claim, term: Term) -> str:
    """A NumPy function, or nothing where the term has no NumPy form."""
    try:
        return compile_tensors({claim.name: Tensor(placed(claim), term)}, claim.inputs).source
    except SymbackpropError:
        return ""
