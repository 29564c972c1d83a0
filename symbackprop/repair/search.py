"""From a false claim to a true one: what kind of mistake it was, and the formula repaired.

Candidates come cheapest first (a factor, a transpose, one change of the term, one
coefficient), floats filter them, and `prove` decides.  The derived gradient is the last resort, but for claims that are
wrong at special points only: there every candidate has the right values elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, permutations

from symbackprop.core.indices import Index
from symbackprop.core.matrix import UNIT
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ZERO, Entry, Mul, Sum, Term, mul, over
from symbackprop.numbers.floats import close
from symbackprop.numbers.refute.points import Question
from symbackprop.repair.trials import Trials, Unit, combination, constant_ratio, factor, named, units, weighted

from symbackprop.repair.edits import Candidate, edits, parts, summands, transpositions

OTHER = "another formula"
VAGUE = ("wrong factor", "wrong coefficients", "wrong power", "wrong index", "extra ", "constant ")  # of a change
_EDITS, SUMMANDS = 1200, 40
_CHEAP = 4
ATTEMPTS = 6  # candidates that a proof is looked for


@dataclass(frozen=True, slots=True)
class Repair:
    """A repaired right-hand side over the claim's axes, proved by the caller's `prove`.

    `exact` says that the claim becomes it by the change that `mistake` names; else the name is a guess from values.
    """

    mistake: str
    term: Term
    proof: object
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Fit:
    """A candidate whose values are right."""

    term: Term
    mistake: str


def repair(
    question: Question,
    prove: Callable[[Term], object],
    *,
    tensor: Tensor | None = None,
    derived: Callable[[], Term | None] | None = None,
) -> Repair | None:
    """The first candidate for `question.rhs` that `prove` accepts (any true value is kept as its proof).

    `tensor` is the claim where its shape is not that of the axes (then `question.rhs` is not looked at); `derived`
    gives the true gradient, over the same axes: a last resort, but the first where it is wrong at special points only.
    """
    trials = Trials(question)
    if not trials.trials:
        return None

    def by_changes() -> Repair | None:
        for fit in islice(found(trials, tensor), ATTEMPTS):
            proof = prove(fit.term)
            if proof:
                return Repair(fit.mistake, fit.term, proof, not fit.mistake.startswith(VAGUE))
        return None

    def by_derivation() -> Repair | None:
        truth = derived() if derived is not None else None
        proof = prove(truth) if truth is not None and trials.fits(truth) else None
        if truth is None or not proof:
            return None
        return Repair(classify(question, truth, trials), truth, proof, exact=False)

    # at these points nothing tells a claim that is wrong at special ones from its repairs
    rare = tensor is None and trials.fits(question.rhs)
    looks = (by_derivation, by_changes) if rare else (by_changes, by_derivation)
    return next((r for look in looks if (r := look()) is not None), None)


def found(trials: Trials, tensor: Tensor | None) -> Iterator[Fit]:
    """Candidates with the right values, in order; not proved."""
    axes, claim, seen = trials.axes, trials.question.rhs, set[Term]()

    def fresh(fits: Iterator[Fit]) -> Iterator[Fit]:
        for f in fits:
            if f.term not in seen:
                seen.add(f.term)
                yield f

    if tensor is not None and tensor.shape != tuple(i.size for i in axes):
        yield from fresh(fitting(trials, reshaped(tensor, axes)))
        return
    if trials.zero():
        yield Fit(ZERO, "the gradient is zero")
        return
    yield from fresh(fitting(trials, [Candidate(claim, "", 0)]))
    yield from fresh(fitting(trials, list(transpositions(axes, claim))))
    changed = all_edits(trials, claim)
    yield from fresh(fitting(trials, [c for c in changed if c.cost <= _CHEAP]))
    yield from fresh(recombined(trials, claim))
    yield from fresh(fitting(trials, [c for c in changed if c.cost > _CHEAP]))


def all_edits(trials: Trials, claim: Term) -> list[Candidate]:
    question, reaches = trials.question, trials.sampler.reaches
    pool = parts([question.lhs], reaches)
    arrays = {a: len(axes) for a, axes in trials.sampler.survey.arrays.items()}
    return edits(claim, trials.axes, question.lhs, pool, reaches, arrays)[:_EDITS]


def fitting(trials: Trials, candidates: Sequence[Candidate]) -> Iterator[Fit]:
    """Those with the right values; then those that only lack a factor."""
    later: list[tuple[Candidate, float]] = []
    first = trials.trials[0]
    for c in candidates:
        values = trials.values(first, c.term)
        if values is None:
            continue
        if close(values, first.truth):
            if trials.fits(c.term):
                yield Fit(c.term, c.mistake)
            continue
        ratio = constant_ratio(first.truth, values)
        if ratio is not None:
            later.append((c, ratio))
    known = units(trials) if later else []
    for c, _ in later:
        lacking = missing_factor(trials, c.term, known)
        if lacking is not None:
            term, name = lacking
            yield Fit(term, f"{c.mistake}, {name}" if c.mistake else name)


def missing_factor(trials: Trials, claim: Term, known: Sequence[Unit]) -> tuple[Term, str] | None:
    """c claim with the right values, and what to call the mistake."""
    ratios = []
    for trial in trials.trials:
        values = trials.values(trial, claim)
        ratio = None if values is None else constant_ratio(trial.truth, values)
        if ratio is None:
            return None
        ratios.append(ratio)
    f = factor(ratios, known)
    if f is None or f[1] == "0":
        return None
    return mul(f[0], claim), factor_mistake(f[1], trials.sampler.symbols)


def factor_mistake(name: str, sizes: Sequence[str] = ()) -> str:
    """-1 is a sign, 1/n a missing factor 1/n, -2 both, C/N the size of another axis."""
    if name == "-1":
        return "sign"
    top, slash, bottom = name.partition("/")
    if slash and top in sizes and bottom in sizes:
        return f"size {top} in place of {bottom}"
    return f"sign and missing factor {name[1:]}" if name.startswith("-") else f"missing factor {name}"


def reshaped(claim: Tensor, axes: Sequence[Index]) -> list[Candidate]:
    """A claim with other axes than the variable: sums over the axes too many, axes in another order."""
    wanted = [i.size for i in axes]
    made: list[Candidate] = []
    for count in range(len(claim.axes) + 1):
        for dropped in combinations(claim.axes, count):
            kept = [i for i in claim.axes if i not in dropped]
            for places in permutations(range(len(axes)), len(kept)):
                if any(wanted[p] != i.size for p, i in zip(places, kept, strict=True)):
                    continue
                named = dict(zip(kept, (axes[p] for p in places), strict=True))
                dummies = {i: Index(f"{i.name}#", i.size) for i in dropped}
                term = claim.at(*(named.get(i, dummies.get(i, i)) for i in claim.axes))
                for i in dropped:
                    term = over(dummies[i], term)
                cost = count + (sorted(places) != list(places))
                made.append(Candidate(term, reshaping(dropped, places, len(axes)), cost))
    return sorted(made, key=lambda c: c.cost)


def reshaping(dropped: Sequence[Index], places: Sequence[int], rank: int) -> str:
    said = []
    summed = [str(i.size) for i in dropped if i.size != UNIT]
    if summed:
        said.append("missing sum over " + ", ".join(summed))
    if list(places) != sorted(places):
        said.append("result transposed")
    if len(places) < rank:
        said.append("missing axis")
    return " and ".join(said) or "wrong axes"


def recombined(trials: Trials, claim: Term) -> Iterator[Fit]:
    """The additive parts of the claim with other coefficients."""
    split = summands(claim)
    if len(split) < 2:
        return
    solution = combination(trials, split)
    if solution is None or any(c is None for c in solution):
        return
    chosen = [c for c in solution if c is not None]
    mistake = coefficient_mistake([name for _, name in chosen], trials.sampler.symbols)
    yield Fit(weighted(split, chosen), mistake)


def coefficient_mistake(names: Sequence[str], sizes: Sequence[str] = ()) -> str:
    wrong = sorted({n for n in names if n != "1"})
    which = "one term" if sum(n != "1" for n in names) == 1 else "some terms"
    match wrong:
        case ["0"]:
            return f"extra term{'' if which == 'one term' else 's'}"
        case ["-1"]:
            return f"sign of {which}"
        case [name]:
            return f"{factor_mistake(name, sizes)} in {which}"
        case _:
            return "wrong coefficients"


def missing_terms(split: Sequence[Term], names: Sequence[str]) -> str:
    """With the factors that only they have."""
    parts = list(zip(map(direct, split), names, strict=True))
    missing, kept = ([a for a, n in parts if (n == "0") is out] for out in (True, False))
    own = sorted(frozenset[str]().union(*missing) - frozenset[str]().union(*kept))
    with_them = f" with {' and '.join(own)}" if 0 < len(own) < 3 else ""
    return f"missing term{'s' * (len(missing) > 1)}{with_them}"


def direct(t: Term) -> frozenset[str]:
    """The arrays among the factors of a product, under sums too."""
    match t:
        case Entry(array, _):
            return frozenset({str(array)})
        case Mul(args):
            return frozenset[str]().union(*map(direct, args))
        case Sum(_, body, _):
            return direct(body)
        case _:
            return frozenset()


def classify(question: Question, truth: Term, trials: Trials | None = None) -> str:
    """What a claim with no small repair got wrong, judged from the terms of the true gradient."""
    trials = trials or Trials(question)
    claim = question.rhs
    values = [trials.values(t, claim) for t in trials.trials]
    if all(v is not None and not v.any() for v in values):
        return "the gradient is not zero"
    split = summands(truth, SUMMANDS)
    if len(split) > 1:
        solution = combination(trials, split, claim)
        if solution is not None and all(c is not None for c in solution):
            names = [c[1] for c in solution if c is not None]
            if set(names) <= {"0", "1"}:
                return missing_terms(split, names)
            if set(names) <= {"1", "-1"}:
                return "sign of one term" if names.count("-1") == 1 else "sign of some terms"
            return "wrong coefficients"
    return named(trials, truth) or OTHER
