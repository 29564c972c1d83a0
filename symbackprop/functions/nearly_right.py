"""Results that are right in another sense: in another order or shape, by a symmetric matrix, but for overflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np

from symbackprop.clock import OutOfTime, limit, stage
from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, Size, SymbackpropError
from symbackprop.core.matrix import UNIT, ZERO_INDEX
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Delta, Diff, Entry, Term, add, arrays, mul, neg, num, subterms
from symbackprop.decide.status import PROVED, REFUTED
from symbackprop.numbers.points import Point

from .claims import Claim, shown
from .repairs import code, placed
from .request import Function, Request, called
from .setting import Setting
from .trial import Run, Runs
from .verdict import Repaired, Verdict

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
    symmetric = [c.name for c in claims if first_derivative(c) and symmetric_in(hypotheses, c.name)]
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
