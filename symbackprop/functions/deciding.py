"""From a claim about functions to its verdict, in words.

Also where results are right in another sense: in another order or shape, by a symmetric matrix, but for overflow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from types import MappingProxyType

import numpy as np

from symbackprop.clock import OutOfTime, in_time, limit, stage
from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, Size, SymbackpropError
from symbackprop.core.matrix import UNIT, ZERO_INDEX
from symbackprop.core.region import KINK, ROOT, TIE, VALUE
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Delta, Diff, Entry, Term, add, arrays, longer, mul, neg, num, subterms
from symbackprop.core.theorem import Theorem
from symbackprop.decide.decide import Decision, decide, prove_only, refute_only
from symbackprop.decide.outcomes import PROVED, REFUTED, UNKNOWN, Condition
from symbackprop.functions.claims import Claim, Setting, formula, formula_latex, named_problem, problem_of, shown
from symbackprop.functions.repairs import code, placed, with_repair
from symbackprop.functions.request import Function, Request, called
from symbackprop.functions.shape_examples import wrong_shape
from symbackprop.functions.sweep import in_variables, names_of, tried
from symbackprop.functions.trial import Run, Runs
from symbackprop.functions.verdict import Repaired, Verdict
from symbackprop.numbers.points import Point
from symbackprop.prove.cases import CONDITION, POINT, Missing
from symbackprop.prove.cases import VALUE as NO_VALUE
from symbackprop.prove.statements import exhibited
from symbackprop.write.paper.array_text import equation, latex_condition, predicate_text

EXACTLY = "write {} exactly (np.pi, 1 / 3, np.sqrt(2))"
LONG, FIRST = 300, 0.6  # subterms of all claims; of the time, for the way that is tried first
WHY: Mapping[str, str] = {
    KINK: "a kink of the forward", TIE: "the largest entry stands alone",
    VALUE: "the forward has no value elsewhere", ROOT: "the forward has no derivative elsewhere",
}  # fmt: skip


def verdict_of(claim: Claim, setting: Setting) -> Verdict:
    """Within the time of the setting; what is refuted stays refuted when only the repair takes too long."""
    verdict = Verdict(UNKNOWN)
    try:
        with limit(setting.seconds):
            verdict = decided(claim, setting)
            if verdict.status == REFUTED and setting.repair:
                verdict = with_repair(claim, setting, verdict)
    except OutOfTime as late:
        late_repair = "no time was left to look for the right formula"
        verdict = replace(verdict, reason=str(late) if verdict.status == UNKNOWN else late_repair)
    return described(claim, setting, verdict)


def decided(claim: Claim, setting: Setting) -> Verdict:
    """Long claims by their intermediates first, short ones by index terms."""
    if not claim.conforms:
        return wrong_shape(claim)
    if setting.sweep is None:
        return by_index_terms(claim, setting)
    one, other = (by_intermediates, by_index_terms) if setting.sweep.first else (by_index_terms, by_intermediates)
    late = Verdict(UNKNOWN, reason="no proof was found in the time for it, and no counterexample")
    first = in_time(FIRST, lambda: one(claim, setting), late)
    if first.status != UNKNOWN:
        return first
    second = other(claim, setting)
    return second if second.status != UNKNOWN or second.reason else first


def are_long(claims: Sequence[Claim]) -> bool:
    """Whether intermediates are the quicker way for all claims of a request."""
    return longer((t for c in claims if c.conforms for t in (c.lhs, c.rhs)), LONG)


def by_index_terms(claim: Claim, setting: Setting) -> Verdict:
    return in_words(decide(problem_of(claim, setting)), claim, setting)


def by_intermediates(claim: Claim, setting: Setting) -> Verdict:
    """What is wrong by its values is refuted, everything else proved; unknown where neither is found."""
    check = None if setting.sweep is None else setting.sweep.of(claim.name, claim.lhs, claim.found)
    problem = None if check is None else named_problem(claim, setting, check)
    if setting.sweep is None or check is None or problem is None:
        return Verdict(UNKNOWN)
    found = refute_only(problem) if claim.name in check.wrong else prove_only(problem)
    return in_words(found, claim, setting, names_of(setting.sweep.program(claimed=True)))


def refuted_at_points(claim: Claim, setting: Setting) -> Verdict:
    """Refuted at one of a few points, or unknown."""
    if not claim.conforms:
        return verdict_of(claim, replace(setting, repair=False))
    return described(claim, setting, in_words(refute_only(problem_of(claim, setting)), claim, setting))


def described(claim: Claim, setting: Setting, verdict: Verdict) -> Verdict:
    text, latex = statement(claim, setting)
    return replace(
        verdict,
        name=claim.name,
        hypotheses=tuple(map(hypothesis_text, setting.hypotheses)),
        statement=text,
        statement_latex=latex,
        sides=claim.sides,
    )


# --- words -----------------------------------------------------------------------------------


def in_words(
    d: Decision, claim: Claim, setting: Setting, names: Mapping[Array, Array] = MappingProxyType({})
) -> Verdict:
    if d.theorem is not None:
        excused = conditions(d.theorem, claim, names)
        return Verdict(PROVED, theorem=d.theorem, conditions=excused, witness=exhibited(d.theorem))
    if d.counterexample is not None:
        return Verdict(REFUTED, counterexample=d.counterexample)
    if d.missing is None:
        return Verdict(UNKNOWN)
    return Verdict(UNKNOWN, reason=reason(d, d.missing, claim, setting), conditions=not_implied(d.missing, claim))


def conditions(found: Theorem, claim: Claim, names: Mapping[Array, Array]) -> tuple[Condition, ...]:
    """The excused points that the theorem leaves out, for the reader."""
    listed: dict[str, Condition] = {}
    for fact, why in found.excused:
        if why in WHY:
            p = in_variables(fact, found.statement.context, names)
            text = predicate_text(p, claim.axes)
            listed.setdefault(text, Condition(text, WHY[why], p, latex_condition(p, claim.axes)))
    return tuple(listed.values())


def not_implied(missing: Missing, claim: Claim) -> tuple[Condition, ...]:
    return tuple(Condition(predicate_text(c, claim.axes), "not implied", c) for c in missing.left)


def reason(d: Decision, missing: Missing, claim: Claim, setting: Setting) -> str:
    texts = ", ".join(predicate_text(c, claim.axes) for c in missing.left)
    if missing.stage == POINT:
        what = "hypotheses" if setting.hypotheses else "claim's functions, so that both sides have a value"
        return f"the formulas agree, but no point was found that satisfies the {what}"
    if missing.stage == NO_VALUE:
        return f"the result has a value only where {texts}, which the hypotheses do not say"
    if missing.stage == CONDITION:
        hint = f"; it is proved for {d.enough} (say so in assuming)" if d.enough else ""
        return f"proved only where {texts}, which the hypotheses do not say{hint}"
    exactly = EXACTLY.format(", ".join(f"{x!r}" for x, _ in setting.rounded[:3]))
    if d.rounding:
        return f"the two sides differ by no more than rounding explains; {exactly}"
    if setting.rounded:
        return f"no proof was found, and no counterexample that rounding cannot explain; {exactly}"
    return f"no proof was found, and no counterexample: {d.searched}"


def hypothesis_text(h: Hypothesis) -> str:
    return equation(h.lhs, h.rhs) if isinstance(h, Same) else predicate_text(h)


def statement(claim: Claim, setting: Setting) -> tuple[str, str]:
    """`∂L/∂x[i,j] = ...` with the formula that was claimed, as text and as LaTeX; a long one in the user's names."""
    if not claim.conforms:
        return f"{claim.label} has shape ({shown(claim.found.shape)})", ""
    sweep = setting.sweep if setting.sweep is not None and setting.sweep.first else None
    own = sweep is not None and sweep.is_own(claim.name, claim.lhs, claim.found)
    written = sweep.program(claimed=True) if sweep is not None and own else None
    in_names = None if written is None else tried(written.formulas, claim.name)
    return in_names or (formula(claim, claim.rhs), formula_latex(claim, claim.rhs))


# --- code that is right and overflows: nan for ordinary large values ---


LARGE = 1000
SECONDS = 1.0


def overflow_notes(runs: Runs, claim: Claim, setting: Setting) -> list[str]:
    """In a second, or nothing."""
    try:
        with limit(min(SECONDS, setting.seconds)):
            stage("running the functions on large values")
            return list(overflows(runs, claim, setting))
    except OutOfTime:
        return []


def overflows(runs: Runs, claim: Claim, setting: Setting) -> Iterator[str]:
    """What gives nan at one point that satisfies the hypotheses, with entries of 1000 where they say nothing."""
    mentioned = {a for h in setting.hypotheses for t in vars_of(h) for a in arrays(t)}
    free = [n for n in claim.inputs if Array(n) not in mentioned and claim.inputs[n].values is None]
    point = next(runs.points(runs.asked(claim, setting)), None)
    if point is None:
        return
    plain, large = runs.at(point, claim.inputs), Run(runs.request, claim.inputs, enlarged(point, free))
    for function in (runs.request.forward, runs.request.backward):
        if function is not None and gives_nan(large, function) and not gives_nan(plain, function):
            yield f"in real numbers; in floats {called(function)} overflows to nan for entries of {LARGE}"


def vars_of(hypothesis: object) -> Iterator[Term]:
    for name in ("term", "lhs", "rhs"):
        t = getattr(hypothesis, name, None)
        if t is not None:
            yield t


def enlarged(point: Point, names: list[str]) -> Point:
    """The same with entries around 1000 and -1000 in turn, no two alike: a variance of 0 is no overflow."""
    wanted = {Array(n) for n in names}
    changed = {
        a: {k: Fraction((LARGE + n) * (-1) ** n) if a in wanted else v for n, (k, v) in enumerate(entries.items())}
        for a, entries in point.arrays.items()
    }
    return replace(point, arrays=changed)


def gives_nan(at: Run, function: Function) -> bool:
    try:
        results = at.returned(function)
    except Exception:  # nothing is learned
        return False
    return any(bool(np.isnan(x).any()) for x in results.values())


# --- gradients by a symmetric matrix: which of three is meant ---


AMBIENT, SYMMETRIC, ENTRIES = "ambient", "symmetric", "entries"
MEANT = {
    AMBIENT: "{} is symmetric: this is the gradient G among all matrices, taken there",
    SYMMETRIC: "{} is symmetric: this is the gradient among symmetric matrices, (G + Gᵀ)/2",
    ENTRIES: "{} is symmetric: this is the derivative by its entries on and below the diagonal, G + Gᵀ - diag G",
}
INSTEAD = {
    SYMMETRIC: "the gradient among symmetric matrices, (G + Gᵀ)/2, where the one among all matrices is asked",
    ENTRIES: "the derivative by the free entries of a symmetric matrix, where the gradient among all matrices is asked",
}


def kinds_of_gradients(
    request: Request, claims: Sequence[Claim], hypotheses: Sequence[Hypothesis], meant: Mapping[str, str]
) -> dict[str, str]:
    """For each symmetric variable which gradient the claim is about.

    Raises SymbackpropError for a kind that there is not, and for a variable that is not symmetric.
    """
    symmetric = [c.name for c in claims if symmetric_in(hypotheses, c.name) and first_derivative(c)]
    for name, kind in meant.items():
        if kind not in MEANT:
            kinds = ", ".join(MEANT)
            raise SymbackpropError(f"{request.asked}: the gradient by {name} is one of {kinds}, not {kind!r}")
        if name not in symmetric:
            raise SymbackpropError(f"{request.asked}: {name} is not symmetric: say {name} == {name}.T in assuming")
    return {name: meant.get(name, AMBIENT) for name in symmetric}


def first_derivative(claim: Claim) -> bool:
    return isinstance(claim.lhs, Diff) and not any(isinstance(s, Diff) for s in subterms(claim.lhs.body))


def symmetric_in(hypotheses: Iterable[Hypothesis], name: str) -> bool:
    """Whether A_ij = A_ji is assumed."""
    for h in hypotheses:
        match h:
            case Same(Entry(a, (i, j)), Entry(b, at)) if a == b and a.name == name and at == (j, i):
                if isinstance(i, Index) and isinstance(j, Index):
                    return True
    return False


def as_meant(claim: Claim, kind: str) -> Claim:
    """The claim about another gradient by the same matrix."""
    match claim.lhs:
        case Diff(loss, Entry(array, (i, j))) if kind != AMBIENT and isinstance(i, Index) and isinstance(j, Index):
            g, transposed = claim.lhs, Diff(loss, Entry(array, (j, i)))
            term: Term = mul(num(Fraction(1, 2)), add(g, transposed))
            if kind == ENTRIES:
                term = add(g, transposed, neg(mul(Delta(i, j), g)))
            return replace(claim, lhs=term)
        case _:
            return claim


def explained(claim: Claim, verdict: Verdict, kind: str, decide: Callable[[Claim], Verdict]) -> Verdict:
    """The verdict with what is meant, and what the claim is where it is another gradient than that."""
    note = MEANT[kind].format(claim.name)
    if verdict.status == REFUTED and kind == AMBIENT and claim.conforms:
        for other, text in INSTEAD.items():
            if decide(as_meant(claim, other)).status == PROVED:
                hint = f"symmetric={{{claim.name!r}: {other!r}}} asks for it"
                return replace(verdict, mistake=text, reason=hint, notes=(*verdict.notes, note))
    return replace(verdict, notes=(*verdict.notes, note))


# --- results whose values are right: in another order than the variables, or with other axes of length 1 ---


Decide = Callable[[Claim, Setting], Verdict]


def all_decided(claims: Sequence[Claim], setting: Setting, decide: Decide) -> list[Verdict]:
    """The verdicts of claims that are made together.  No other formula is looked for where the values are right."""
    if all(c.conforms for c in claims) and not any(may_swap(a, b, setting) for a, b in combinations(claims, 2)):
        return [decide(c, setting) for c in claims]
    plain = replace(setting, repair=False)
    verdicts = [decide(c, plain) for c in claims]
    wrong = [c for c, v in zip(claims, verdicts, strict=True) if v.status == REFUTED]
    found = {**dict(shapes(wrong, plain, decide)), **dict(swaps(wrong, plain, decide))}
    return [
        replace(v, mistake=found[c.name].mistake, repair=found[c.name]) if c.name in found
        else decide(c, setting) if v.status == REFUTED and setting.repair else v
        for c, v in zip(claims, verdicts, strict=True)
    ]  # fmt: skip


def shapes(wrong: Sequence[Claim], setting: Setting, decide: Decide) -> Iterator[tuple[str, Repaired]]:
    """Refuted claims that are proved without regard to axes of length 1."""
    for c in wrong:
        if not c.conforms and long_axes(c.found.shape) == long_axes(c.wanted):
            at = iter(c.axes)
            body = c.found.at(*(ZERO_INDEX if n == UNIT else next(at) for n in c.found.shape))
            other = replace(c, found=Tensor(placed(c), body))
            verdict = decide(other, setting)
            if verdict.status == PROVED:
                shape = f"{tuple_text(c.found.shape)} where {tuple_text(c.wanted)} is needed"
                mistake = f"axes of length 1 too many or too few, {shape}: the values are right"
                yield c.name, repaired(other, verdict, mistake)


def long_axes(shape: Sequence[Size]) -> list[Size]:
    return [n for n in shape if n != UNIT]


def tuple_text(shape: Sequence[Size]) -> str:
    return f"({shown(shape)}{',' if len(shape) == 1 else ''})"


def conform(a: Claim, b: Claim) -> bool:
    """Whether the shapes allow that each is the other's."""
    return a.needs_derivative and a.found.shape == b.wanted and b.found.shape == a.wanted


def may_swap(a: Claim, b: Claim, setting: Setting) -> bool:
    """Whether each may be the other's: of long claims their values at a point are looked at first."""
    if not conform(a, b) or setting.sweep is None or not setting.sweep.first:
        return conform(a, b)
    crossed = setting.sweep.of(a.name, a.lhs, b.found), setting.sweep.of(b.name, b.lhs, a.found)
    return all(c is None or not c.wrong for c in crossed)


def swaps(wrong: Sequence[Claim], setting: Setting, decide: Decide) -> Iterator[tuple[str, Repaired]]:
    """Which refuted claims are proved with the result of another one in place of their own."""
    for a, b in combinations(wrong, 2):
        if may_swap(a, b, setting):
            crossed = (replace(a, found=b.found), replace(b, found=a.found))
            verdicts = [decide(c, setting) for c in crossed]
            if all(v.status == PROVED for v in verdicts) and not only_signs(a, b, setting, decide):
                mistake = f"{a.name} and {b.name} are swapped"
                yield from ((c.name, repaired(c, v, mistake)) for c, v in zip(crossed, verdicts, strict=True))


def only_signs(a: Claim, b: Claim, setting: Setting, decide: Decide) -> bool:
    """Whether the two are each other's opposites, as of x - y: then a sign is the simpler mistake."""
    return all(decide(replace(c, found=opposite(c.found)), setting).status == PROVED for c in (a, b))


def opposite(t: Tensor) -> Tensor:
    return Tensor(t.axes, neg(t.body))


def repaired(claim: Claim, verdict: Verdict, mistake: str) -> Repaired:
    return Repaired(
        mistake, verdict.statement, verdict.statement_latex, code(claim, claim.rhs), claim.rhs, verdict.theorem,
        claim.wanted,
    )  # fmt: skip
