"""After a refutation: the kind of mistake, a repaired formula that is proved, and when the claim is true after all.

Where a line of the backward is wrong, the user's code with that line mended is proved again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import monotonic

from symbackprop.clock import OutOfTime, in_time, stage
from symbackprop.core.indices import Index, SymbackpropError, sized
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import AtLeastZero, Predicate, Term
from symbackprop.core.theorem import Theorem
from symbackprop.decide.decide import Problem, problem_at, prove, sizes_in
from symbackprop.functions.claims import Claim, Setting, formula, formula_latex, named_problem, problem_of
from symbackprop.functions.sweep import Sweep, tried
from symbackprop.functions.verdict import Repaired, Verdict, WrongStep
from symbackprop.gradients.derived import BackwardCheck
from symbackprop.gradients.wrong_line import WrongLine, factor_text
from symbackprop.numbers.refute.points import Question
from symbackprop.numbers.refute.report import Counterexample
from symbackprop.numbers.refute.search import search
from symbackprop.prove.cases import VALUE, Missing
from symbackprop.prove.working_out import derived
from symbackprop.repair.cases import special_cases
from symbackprop.repair.search import OTHER, Repair, repair
from symbackprop.repair.trials import AT_SPECIAL_POINTS, LEFT_OUT
from symbackprop.write.code.index_code import compile_tensors
from symbackprop.write.paper.array_text import predicate_text
from symbackprop.write.program.mending import Mended, line_of

SHORT = 90  # characters of an expression in a name


def with_line(claim: Claim, setting: Setting, verdict: Verdict) -> Verdict:
    """The same verdict with the first wrong line, where one is found."""
    own = setting.sweep is not None and setting.sweep.is_own(claim.name, claim.lhs, claim.found)
    line = setting.sweep.line(claim.name) if setting.sweep is not None and own else None
    if line is None or setting.sweep is None:
        return verdict
    change = setting.sweep.mended(line)
    claimed, derived = (change.before, change.after) if change else (line_of(line), "")
    return replace(verdict, line=WrongStep(line.message, line.place, claimed, derived))


def repaired(claim: Claim, setting: Setting) -> Repaired | None:
    """The user's code with its line mended, or the derived gradient; proved."""
    sweep = setting.sweep
    if sweep is None or not sweep.is_own(claim.name, claim.lhs):
        return None
    line, written = sweep.line(claim.name), sweep.program()
    for check, change in candidates(sweep, line, claim.name):
        problem = named_problem(claim, setting, check)
        found = None if problem is None else prove(problem)
        if problem is not None and isinstance(found, Theorem) and written is not None:
            text, latex = written.formulas(claim.name)
            code = tried(written.source) or "" if change is None else change.source
            return Repaired(mistake_of(line, change), text, latex, code, problem.statement.rhs, found, claim.wanted)
    return None


def candidates(sweep: Sweep, line: WrongLine | None, variable: str) -> Iterator[tuple[BackwardCheck, Mended | None]]:
    again = None if line is None else sweep.again(line)
    if line is not None and again is not None and variable not in again.wrong:
        yield again, sweep.mended(line)
    derived = sweep.derived()
    if derived is not None and variable in derived.results:
        yield derived, None


def mistake_of(line: WrongLine | None, change: Mended | None) -> str:
    """What is proved to be wrong: a factor, or a line that `change` has mended."""
    if line is None or (line.factor is None and change is None):
        return OTHER
    if line.factor is None or change is None:
        return instead(line, change)
    text = factor_text(line.factor)
    if text == "-1":
        return "sign"
    return f"sign and missing factor {text[1:]}" if text[0] == "-" else f"missing factor {text}"


def instead(line: WrongLine, change: Mended | None) -> str:
    """One name, or one expression, in place of another."""
    node, wanted = line.node, line.wanted
    if change is None or wanted is None:
        return OTHER
    if node.name and wanted.name and node.name not in (wanted.name, f"d{wanted.name}") and not wanted.backward:
        return f"`{node.name}` in place of `{wanted.name}`"
    sides = change.parts
    return f"`{sides[0]}` in place of `{sides[1]}`" if all(0 < len(s) <= SHORT for s in sides) else OTHER


FEW = 3
NO_VALUE = "no value where the gradient exists"
LOOKING, REPAIRING, NAMING, CASES = 0.3, 0.7, 0.7, 0.3  # of the time that is left: the rest is for special cases


def with_repair(claim: Claim, setting: Setting, verdict: Verdict) -> Verdict:
    """The same verdict with what is known about the mistake: a repair is a courtesy, and there need not be one."""
    began, seconds = monotonic(), setting.repairing.left(setting.seconds)
    try:
        return repaired_by(claim, setting, verdict, began + seconds)
    finally:
        setting.repairing.spent += monotonic() - began


def repaired_by(claim: Claim, setting: Setting, verdict: Verdict, end: float) -> Verdict:
    """Until `end` is the time for it."""

    def part(share: float) -> float:
        return share * max(0.0, end - monotonic())

    began = monotonic()
    stage("looking for the wrong line")
    if claim.conforms:
        verdict = in_time(LOOKING, lambda: with_line(claim, setting, verdict), verdict, part(LOOKING))
    stage("looking for the right formula")
    if claim.conforms and setting.sweep is not None and setting.sweep.first:
        fixed = in_time(REPAIRING, lambda: repaired(claim, setting), None, part(REPAIRING))
        if fixed is not None:
            name = fixed.mistake if fixed.mistake != OTHER else explained(claim, setting, part(NAMING)) or OTHER
            return replace(verdict, mistake=name, repair=replace(fixed, mistake=name))
    problem = problem_of(claim, setting)
    q = problem.question()
    found = in_time(REPAIRING, lambda: repair_of(claim, setting, problem, q), None, part(REPAIRING))
    rarely = found is not None and found.mistake == AT_SPECIAL_POINTS  # then no case of equal entries tells more
    naming = claim.conforms and (found is None or not found.exact) and not rarely
    name = explained(claim, setting, part(NAMING)) if naming else ""
    shown = verdict.counterexample
    undefined = isinstance(shown, Counterexample) and shown.kind == "no value"
    texts: list[str] = []  # those that were found until then stay
    if claim.conforms and (undefined or not rarely):
        as_long = max(part(CASES), monotonic() - began)
        ways = true_when(problem, None if rarely else q, claim.axes if undefined else None)
        in_time(1, lambda: texts.extend(ways), None, min(part(1), as_long))
    cases = tuple(texts)
    if found is None:
        nothing = NO_VALUE if undefined else None
        return replace(verdict, special_cases=cases, mistake=name or verdict.mistake or nothing)
    if name:
        found = replace(found, mistake=name)
    elif rarely and undefined:
        found = replace(found, mistake=NO_VALUE)
    elif found.mistake == OTHER or LEFT_OUT in found.mistake:
        found = replace(found, mistake=told_by(cases, claim) or by_line(claim, setting, part(NAMING)) or found.mistake)
    fixed = Repaired(
        found.mistake, formula(claim, found.term), formula_latex(claim, found.term),
        code(claim, found.term), found.term, found.proof if isinstance(found.proof, Theorem) else None, claim.wanted,
    )  # fmt: skip
    mistake = found.mistake
    if not claim.conforms and verdict.mistake:
        more = mistake not in ("wrong axes", verdict.mistake)
        mistake = f"{verdict.mistake}: {mistake}" if more else verdict.mistake
    return replace(verdict, mistake=mistake, repair=fixed, special_cases=cases)


def explained(claim: Claim, setting: Setting, seconds: float) -> str:
    """The mistake of which it is proved that it gives this result, or nothing."""
    sweep = setting.sweep
    if sweep is None or not sweep.is_own(claim.name, claim.lhs, claim.found):
        return ""
    stage("looking for the mistake")
    try:
        found = in_time(NAMING, lambda: sweep.explained(claim.name), None, seconds)
    except (OutOfTime, SymbackpropError):
        return ""
    return "" if found is None else found.name


def by_line(claim: Claim, setting: Setting, seconds: float) -> str:
    """What the line says that is proved to be wrong, or nothing."""
    if not claim.conforms or setting.sweep is None or setting.sweep.first:
        return ""
    try:
        fixed = in_time(NAMING, lambda: repaired(claim, setting), None, seconds)
    except (OutOfTime, SymbackpropError):
        return ""
    return "" if fixed is None or fixed.mistake == OTHER else fixed.mistake


def repair_of(claim: Claim, setting: Setting, problem: Problem, q: Question) -> Repair | None:
    try:
        return repair(
            q,
            lambda term: proved(claim, problem, term),
            tensor=None if claim.conforms else claim.found,
            derived=lambda: derived(claim.lhs, setting.context),
        )
    except SymbackpropError:
        return None


def told_by(cases: Sequence[str], claim: Claim) -> str:
    """A claim that is right when w = 1 forgets w."""
    for case in cases:
        name, equals, rest = case.partition(" = ")
        if equals and name != claim.name and name in claim.inputs and rest in ("1", "1 everywhere"):
            return f"missing factor {name}"
        if case.endswith(" is symmetric"):
            return f"{case.removesuffix(' is symmetric')} for its transpose"
        if " sums to 1 over axis " in case:
            return f"missing sum of {case.partition(' ')[0]}"
    return f"right only where {cases[0]}" if cases else ""


def proved(claim: Claim, problem: Problem, term: Term) -> Theorem | None:
    """The repaired claim as a theorem."""
    found = prove(problem.claiming(Tensor(placed(claim), term).at(*claim.at)))
    return found if isinstance(found, Theorem) else None


def placed(claim: Claim) -> tuple[Index, ...]:
    """One index for each axis of the result; those of length 1 do not occur in the term."""
    return tuple(
        i if isinstance(i, Index) else Index(f"unit{k}", n)
        for k, (i, n) in enumerate(zip(claim.at, claim.wanted, strict=True))
    )


def true_when(problem: Problem, q: Question | None, axes: Sequence[Index] | None = None) -> Iterator[str]:
    """'n = 1', 'A is symmetric': extra hypotheses under which the claim is proved.

    With the axes of a claim that lacks a value somewhere what its value needs is tried first.  Without a question
    nothing is guessed.
    """
    try:
        defined = () if axes is None else where_defined(problem)
        if axes is not None and defined:
            yield " and ".join(predicate_text(p, axes) for p in defined)
            return
        larger = "" if q is None else large_enough(problem)
        if larger:
            yield larger
            return
        for case in [] if q is None else special_cases(q):  # of two ways the quicker one first
            if by_substitution(problem, case.hypotheses) or isinstance(
                prove(problem.assuming(*case.hypotheses)), Theorem
            ):
                yield case.text
    except SymbackpropError:
        pass


def where_defined(problem: Problem) -> tuple[Predicate, ...]:
    """What the claim needs to have a value, if it is proved under this hypothesis."""
    missing = prove(problem)
    if not isinstance(missing, Missing) or missing.stage != VALUE:
        return ()
    return missing.left if isinstance(prove(problem.assuming(*missing.left)), Theorem) else ()


def large_enough(problem: Problem) -> str:
    """A claim that is false at n = 1 only."""
    for s in problem.symbols:
        narrowed = problem.assuming(AtLeastZero(sized(s) - 2))
        if search(narrowed.question(), FEW, shrink=False).counterexample is None:
            if isinstance(prove(narrowed), Theorem):
                return f"{s} >= 2"
    return ""


def by_substitution(problem: Problem, hypotheses: Sequence[object]) -> bool:
    """Sizes are put in: n = 1 is no hypothesis about n but another claim."""
    values = sizes_in(hypotheses)
    return values is not None and isinstance(prove(problem_at(problem, values)), Theorem)


def code(claim: Claim, term: Term) -> str:
    """A NumPy function, or nothing where the term has no NumPy form."""
    try:
        return compile_tensors({claim.name: Tensor(placed(claim), term)}, claim.inputs).source
    except SymbackpropError:
        return ""
