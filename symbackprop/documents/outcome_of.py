"""From a claim of a document to its outcome: what to ask the decider, and its answer in the author's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from symbackprop.clock import OutOfTime
from symbackprop.core.region import KINK, ROOT, TIE, VALUE
from symbackprop.core.context import Statement
from symbackprop.core.terms import (
    Add, Apply, Entry, Nonzero, Predicate, ProofError, Term, Whole, predicate_key, subterms,
)  # fmt: skip
from symbackprop.core.theorem import Theorem
from symbackprop.decide.decide import Decision, Problem, decide, prove
from symbackprop.decide.formula_problems import LIMIT, Worked, products, worked_out
from symbackprop.decide.outcomes import DIFFER, PROVED, REFUTED, Condition, Outcome, Proved
from symbackprop.numbers.refute.report import Counterexample
from symbackprop.prove.cases import CONDITION, POINT, VALUE as NO_VALUE, Missing
from symbackprop.prove.multiplying import prove_multiplied
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.grammar.tree import Derivative, Expr, Gradient, Symbol
from symbackprop.read.notes.grammar.walking import walk
from symbackprop.read.notes.meaning.definitions import array_of, opened, plain
from symbackprop.read.notes.statements.claims import Claim
from symbackprop.read.notes.statements.shape_claims import ShapeJudgement
from symbackprop.read.notes.statements.statements import Reading
from symbackprop.repair.cases import special_cases as guesses
from symbackprop.write.notes.letters import author_text, condition_latex, condition_text

TOO_LARGE = "sizes in numbers as large as these are not looked at point by point: give them names"
WHY: Mapping[str, str] = {
    KINK: "a kink of a side", TIE: "the largest entry stands alone", VALUE: "a side has no value elsewhere",
    ROOT: "a side has no derivative elsewhere",
}  # fmt: skip


def settle(claim: Claim, repair: bool = True) -> Outcome:
    """The verdict.  `repair`: look for special cases too when the claim is false."""
    try:
        worked = worked_out(claim)
    except ProofError as refusal:
        return Outcome("unknown", f"no law differentiates this: {refusal}")
    count = max(products(worked.lhs.term), products(worked.rhs.term))
    if count > LIMIT and worked.lhs.term != worked.rhs.term:
        return Outcome("unknown", f"multiplied out this may have more than {LIMIT:,} terms: too many to be compared")
    assumed = regular(worked)
    problem = worked.problem().assuming(*assumed) if assumed else worked.problem()
    if any(isinstance(w.body, Add) for t in (worked.lhs.term, worked.rhs.term) for w in inverses(t)):
        problem = replace(problem, ways=(prove_multiplied, *problem.ways))
    found = decide(problem)
    if found.status == REFUTED and found.counterexample is not None:
        return refuted(worked, found.counterexample, repair)
    derivatives = apart(worked) if found.status == PROVED and worked.run.apart else ()
    if found.status == PROVED and found.theorem is not None and derivatives is not None:
        done = proved(worked, (*derivatives, found.theorem))
        return replace(done, conditions=(*done.conditions, *(excused(p, VALUE) for p in assumed)))
    return unknown(worked, found)


# --- the answer in words -----------------------------------------------------------------------


def proved(worked: Worked, theorems: tuple[Theorem, ...]) -> Outcome:
    listed: dict[str, Condition] = {}
    for p, why in (e for t in theorems for e in t.excused if e.why in WHY):
        text = condition_text(p)
        listed.setdefault(text, excused(p, why))
    claim = worked.claim
    values, derivatives = (worked.lhs.term, worked.rhs.term), tuple(worked.run.theorems.values())
    shown = Proved(claim.lhs, claim.rhs, theorems, derivatives, values, claim.context)
    return Outcome("proved", conditions=tuple(listed.values()), proof=shown)


def excused(p: Predicate, why: str) -> Condition:
    return Condition(condition_text(p), WHY[why], p, condition_latex(p))


def regular(worked: Worked) -> tuple[Nonzero, ...]:
    """Beside the inverse of a sum, (A + u v^T)^{-1} = A^{-1} - …: A is invertible where the right side has a value."""
    left, right = inverses(worked.lhs.term), inverses(worked.rhs.term)
    if not any(isinstance(w.body, Add) for w in left):
        return ()
    letters = {(w.sizes, w.body, w.hints) for w in right if isinstance(w.body, Entry)}
    letters -= {(w.sizes, w.body, w.hints) for w in left}
    found = (Nonzero(Whole("det", 0, sizes, body, (), hints)) for sizes, body, hints in letters)
    return tuple(sorted(found, key=predicate_key))


def inverses(t: Term) -> set[Whole]:
    return {s for s in subterms(t) if isinstance(s, Whole) and s.fn == "inv"}


def apart(worked: Worked) -> tuple[Theorem, ...] | None:
    """The derivatives by what has a definition, each as a theorem in a context without that definition."""
    found = []
    for d, t in worked.run.theorems.items():
        statement = Statement(d, t.equation.rhs, t.context, formula=True)
        theorem = prove(Problem(statement, worked.claim.free, worked.claim.shapes))
        if isinstance(theorem, Missing):
            return None
        found.append(theorem)
    return tuple(found)


def unknown(worked: Worked, found: Decision) -> Outcome:
    missing = found.missing or Missing("equation")
    texts = ", ".join(map(condition_text, missing.left))
    more = tuple(Condition(condition_text(c), "not implied", c, condition_latex(c)) for c in missing.left)
    if missing.stage == POINT:
        where = TOO_LARGE if worked.too_large else "no point was found that satisfies the hypotheses and conditions"
        return Outcome("unknown", f"the sides agree, but {where}")
    if missing.stage == NO_VALUE:
        return Outcome("unknown", f"the right side has a value only where {texts}", conditions=more)
    if missing.stage == CONDITION:
        return Outcome("unknown", f"proved only where {texts}, which nothing here implies", conditions=more)
    if worked.too_large:
        return Outcome("unknown", f"no proof was found, and {TOO_LARGE}")
    return Outcome("unknown", f"no proof was found, and no counterexample: {found.searched}")


def refuted(worked: Worked, found: Counterexample, repair: bool) -> Outcome:
    cases: list[str] = []
    try:
        for case in special_cases(worked) if repair else ():
            cases.append(case)
    except OutOfTime:
        pass
    return Outcome("refuted", DIFFER, counterexample=found, special_cases=tuple(cases))


def special_cases(worked: Worked) -> Iterator[str]:
    """Extra hypotheses under which the claim is proved after all."""
    problem = worked.problem()
    for guess in guesses(worked.question(), 2):
        if isinstance(prove(problem.assuming(*guess.hypotheses)), Theorem):
            yield guess.text


def proved_under(reading: Reading, claim: Claim) -> tuple[str, ...] | None:
    """What a claim rests on where it is proved."""
    found = settle(claim, repair=False)
    return hypotheses_of(reading, claim, found.proof) if found.verdict == "proved" else None


# --- what a true statement rests on: hypotheses it uses, liberal readings, and conventions that could be otherwise ---


def hypotheses_of(reading: Reading, found: Claim | ShapeJudgement, proof: Proved | None = None) -> tuple[str, ...]:
    out: list[str] = []
    if proof is not None:
        out += sorted({h for t in proof.theorems for h in t.hypotheses})
    out += found.readings if isinstance(found, Claim) else found.conditions
    out += conventions(reading, found, proof)
    return tuple(dict.fromkeys(out))


def conventions(reading: Reading, found: Claim | ShapeJudgement, proof: Proved | None) -> Iterator[str]:
    nodes = list(unfolded(reading))
    whole_arrays = isinstance(found, ShapeJudgement) or found.lhs_form is not None
    if whole_arrays and any(isinstance(n, Derivative) and by_array(n, reading.declarations) for n in nodes):
        layout = reading.declarations.layout or "gradient"
        yield "Jacobians have a row for each output" if layout == "mixed" else f"{layout} layout"
    elif whole_arrays and any(isinstance(n, Gradient) for n in nodes):
        yield "gradient layout"
    if isinstance(found, Claim) and whole_arrays and any(as_convention_has_it(n, reading.declarations) for n in nodes):
        yield f"vectors are {reading.declarations.convention or 'column'}s"
    if proof is not None:
        names = elementwise(proof, reading.declarations)
        yield from (f"{author_text(name)} acts elementwise" for name in names)


def unfolded(reading: Reading) -> Iterator[object]:
    """Every node of the statement, and of the derivatives that its symbols abbreviate (δ := ∂L/∂z)."""

    def abbreviates(rhs: Expr) -> bool:
        return any(isinstance(n, (Derivative, Gradient)) for n in walk(rhs))

    return opened((reading.lhs, reading.rhs), reading.declarations, abbreviates)


def by_array(d: Derivative, decl: Declarations) -> bool:
    """By a whole array, so that it matters how the derivatives are laid out."""
    for v in d.wrt:
        if isinstance(v, Symbol):
            array = array_of(plain(v), decl)
            if array is not None and array.shape:
                return True
    return False


def as_convention_has_it(node: object, decl: Declarations) -> bool:
    if not isinstance(node, Symbol):
        return False
    array = array_of(plain(node), decl)
    return array is not None and array.orientation == "vector" and len(array.shape) == 1


def elementwise(proof: Proved, decl: Declarations) -> list[str]:
    """Abstract functions whose derivative the theorem is about."""
    found: set[str] = set()
    sides = (s for t in proof.derivatives for s in (t.equation.lhs, t.equation.rhs))
    for side in (*sides, *proof.values):
        found |= {n for n in slopes(side) if n in decl.functions and decl.functions[n].kind == "elementwise"}
    return sorted(n for n in found if not decl.functions[n].body)


def slopes(t: Term) -> Iterator[str]:
    return (s.fn for s in subterms(t) if isinstance(s, Apply) and s.order > 0)
