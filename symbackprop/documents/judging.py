"""From a statement as it was read to its outcome; outcomes are remembered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product

from symbackprop.clock import LIMIT, OutOfTime, limit, stage
from symbackprop.core.context import Context
from symbackprop.core.terms import Array, Diff, Size, SymbackpropError, arrays, subterms
from symbackprop.decide.outcomes import Checked, Outcome, Status
from symbackprop.documents.outcome_of import hypotheses_of
from symbackprop.numbers.refute.report import Counterexample, ShapeExample
from symbackprop.read.notes.files.items import Formula
from symbackprop.read.notes.files.place import ReadError, Unsettled
from symbackprop.read.notes.grammar.tree import Num, Product, Symbol
from symbackprop.read.notes.grammar.walking import walk
from symbackprop.read.notes.meaning.ranges import OneSided
from symbackprop.read.notes.statements.claims import Claim, Unequal, elaborate
from symbackprop.read.notes.statements.sections import SECTIONS, Fingerprints, ReadSection, Recent, Sections
from symbackprop.read.notes.statements.shape_claims import ShapeJudgement
from symbackprop.read.notes.statements.statements import Reading
from symbackprop.repair.notes.search import ANOTHER, answered, repaired
from symbackprop.write.notes.letters import author_latex

from .footing import one_sided, senseless, without_footing
from .outcome_of import proved_under, settle

_DOES_NOT_FIT = re.compile(
    r"^(?:product of|sum of|Hadamard of|division by an array|an array .* on the|a number on the left|a derivative with"
    r"|one subscript on|a power of a|.*is never closed|the index \S+ (?:runs over|is free|is summed)|\w+ of a .* array)"
)
OUTCOMES = 20_000  # that are remembered
CROWD, PARTS, FACTORS, MENDED = 200, 1500, 64, 120  # limits: statements a formula, nodes, factors, nodes to mend
MIXED = "mixed layout"  # each Jacobian has a row for each output, each gradient the shape of what it is by


@dataclass(slots=True)
class Judge:
    """Settles statements; `settled` counts those that were not remembered.  With `repair` mistakes are mended.
    Each has so many `seconds`.

    Sections that did not change are neither read nor judged again, statements that did not change not judged.
    """

    repair: bool = True
    seconds: float = LIMIT
    settled: int = 0
    sections: Sections = field(default_factory=Sections)
    _known: Recent[Outcome] = field(default_factory=lambda: Recent(OUTCOMES))
    _judged: Recent[tuple[Outcome, ...]] = field(default_factory=lambda: Recent(SECTIONS))
    _fingerprints: Fingerprints = field(default_factory=Fingerprints)
    _formula: Formula | None = None
    _statements: int = 0

    def of(self, reading: Reading) -> Outcome:
        if reading.kind in ("remark", "condition") and reading.note != "asked":
            return judged(reading)
        if self.crowded(reading):
            return Outcome("unknown", f"more than {CROWD} statements in one formula")
        key, meaning = self._fingerprints.of(reading)
        known = self._known.find(key) or self._known.find(meaning)
        if known is None:
            self.settled += 1
            known = in_time(reading, self.repair, self.seconds)
            if known.elsewhere is None:  # where something is wrong the place matters
                self._known.keep(meaning if known.verdict == "proved" else key, known)
        return known

    def section(self, section: ReadSection) -> Iterator[Checked]:
        known, outcomes = self._judged.find(section.key), list[Outcome]()
        for reading, found in zip(section.readings, known or self.settled_in(section), strict=True):
            outcomes.append(found)
            if found.elsewhere is not None:
                found = replace(found, elsewhere=section.place(found.elsewhere))
            yield Checked(reading, found)
        if known is None:
            self._judged.keep(section.key, tuple(outcomes))

    def settled_in(self, section: ReadSection) -> Iterator[Outcome]:
        """One after the other; all before the first where a Jacobian may be the other way round."""
        self._fingerprints = Fingerprints()
        outcomes = map(self.of, section.readings)
        turned = any(rival.words == MIXED for r in section.readings for rival in r.rivals)
        return in_layouts(section.readings, list(outcomes), self.seconds) if turned else outcomes

    def crowded(self, reading: Reading) -> bool:
        if reading.formula is not self._formula:
            self._formula, self._statements = reading.formula, 0
        self._statements += 1
        return self._statements > CROWD


def in_time(reading: Reading, repair: bool, seconds: float) -> Outcome:
    """The outcome; a statement that is refuted stays so when only its repair takes too long."""
    found: Outcome | None = None
    try:
        with limit(seconds):
            stage("reading")
            found = judged(reading, repair)
            if repair and reading.note == "asked":
                return replace(found, message="", repair=answered(reading, proved_under))
            if repair:
                stage("looking for the right formula")
                found = with_repair(reading, found)
    except OutOfTime as late:
        found = found or Outcome("unknown", str(late))
    return found


def judged(reading: Reading, repair: bool = True) -> Outcome:
    """The verdict of a claim over all its readings; of what is no claim only whether it could be read."""
    if reading.kind in ("remark", "condition"):
        return Outcome(None, reading.error.message if reading.error is not None else reading.note)
    if reading.kind == "definition":
        return defined(reading)
    outcome = under_one_reading(reading, repair)
    if reading.also is not None and outcome.verdict == "proved":
        alone = under_one_reading(reading.also, False)
        if alone.verdict == "ill-formed" or alone.mistake == "shapes differ":
            return alone
    if outcome.verdict == "refuted" and reading.introduced:
        name = reading.introduced
        return Outcome("unknown", f"{name} comes in here for the first time: nothing else says what it is")
    example = outcome.counterexample
    if isinstance(example, Counterexample) and (name := one_sided(reading, example.point.losses)):
        return Outcome("unknown", f"nothing says what {name} is, and only one side speaks of it")
    if outcome.verdict in ("refuted", "ill-formed") and reading.doubt:
        return Outcome("unknown", reading.doubt)
    if outcome.verdict in ("refuted", "ill-formed"):
        without = without_footing(reading) or (senseless(reading) if outcome.verdict == "ill-formed" else "")
        if without:
            return Outcome("unknown", without)
    if reading.rivals and outcome.verdict in ("proved", "refuted", "ill-formed"):
        outcome = over_readings(reading, outcome)
    if outcome.verdict == "proved" and reading.assumed:
        outcome = replace(outcome, hypotheses=(*reading.assumed, *outcome.hypotheses))
    return outcome


def over_readings(reading: Reading, outcome: Outcome) -> Outcome:
    """A proof stands if no admissible reading refutes it or leaves it open, a refutation if every one refutes."""
    said = list[tuple[str, Status | None]]()
    for words, rival, role, letter in reading.rivals:
        rescue = role in ("rescue", "numbers")
        if (rescue or role == "layout") if outcome.verdict == "proved" else role == "more":
            continue
        other = under_one_reading(rival, False)
        open_ = outcome.verdict == "ill-formed" and role == "numbers" and (
            other.verdict == "unknown" or (other.verdict == "refuted" and without_footing(rival) != "")
        )  # fmt: skip
        if open_:
            other = Outcome("unknown")
        if rescue and other.verdict != "proved" and not open_:
            continue
        both_wrong = outcome.verdict != "proved" and other.verdict in ("refuted", "ill-formed")
        senseless = other.verdict == "ill-formed" and role != "usual"  # what makes no sense is no reading
        if outcome.verdict == "proved" and letter and other.message.startswith(f"nothing says how {letter} depends on"):
            continue  # dz/dx = dz/dy dy/dx is of any z that depends on x; a column z depends on nothing here
        if other.verdict != outcome.verdict and not both_wrong and not senseless:
            said.append((words, other.verdict))
    return open_between(outcome.verdict, *said) if said else outcome


def in_layouts(readings: Sequence[Reading], outcomes: Sequence[Outcome], seconds: float) -> Iterator[Outcome]:
    """Where a Jacobian is true only as the other way round, none is proved that is false so: no layout is usual."""
    others = any((MIXED, "proved") in o.otherwise for o in outcomes)
    for reading, outcome in zip(readings, outcomes, strict=True):
        doubts = [x for x in reading.rivals if others and outcome.verdict == "proved" and x.words == MIXED]
        wrong = any(in_time(x.reading, False, seconds).verdict == "refuted" for x in doubts)
        yield open_between("proved", (MIXED, "refuted")) if wrong else outcome


def open_between(verdict: Status | None, *others: tuple[str, Status | None]) -> Outcome:
    """Unknown, as other readings, in words, have other verdicts."""
    said = " or if ".join(f"{words} ({found})" for words, found in others[:3])
    return Outcome("unknown", f"as read it is {verdict}, but not if {said}: which is meant?", otherwise=others)


def defined(reading: Reading) -> Outcome:
    """A definition is no claim: only what cannot be read or does not fit is reported."""
    try:
        found = elaborate(reading)
    except SymbackpropError as error:
        return not_read(reading, error)
    match found:
        case ShapeJudgement() if not found.holds:
            return Outcome("ill-formed", found.message)
        case Unequal():
            verdict: Status = "unknown" if reading.declarations.inferred else "ill-formed"
            return Outcome(verdict, found.message, mistake="shapes differ")
        case _:
            return Outcome(None, reading.note)


def under_one_reading(reading: Reading, repair: bool = True) -> Outcome:
    parts = size_of(reading)
    if parts > PARTS or longest_product(reading) > FACTORS:
        return Outcome("unknown", f"this is too long to be decided: {parts} parts (at most {PARTS}, {FACTORS} factors)")
    try:
        found = elaborate(reading)
    except OneSided as error:
        return alike(reading) or not_read(reading, error)
    except SymbackpropError as error:
        return not_read(reading, error)
    match found:
        case None:
            return Outcome(None, reading.note)
        case ShapeJudgement():
            if not found.holds:
                return Outcome("ill-formed", found.message)
            return Outcome("proved", found.message, hypotheses=hypotheses_of(reading, found))
        case Unequal():
            cases = true_at_one(reading, found) if repair else ()
            example = smallest(found)
            return Outcome(
                "refuted", found.message, counterexample=example, mistake="shapes differ", special_cases=cases
            )
        case Claim():
            outcome = settled(found, repair)
            if outcome.verdict != "proved":
                return outcome
            return replace(outcome, hypotheses=hypotheses_of(reading, found, outcome.proof))


def alike(reading: Reading) -> Outcome | None:
    """∂m_c/∂h_{tc} = 1/T: a proof that the derivative is the same for all t."""
    try:
        found = elaborate(reading, alike=True)
    except SymbackpropError:
        return None
    if not isinstance(found, Claim) or (outcome := settled(found, False)).verdict != "proved":
        return None
    return replace(outcome, hypotheses=hypotheses_of(reading, found, outcome.proof))


def not_read(reading: Reading, error: SymbackpropError) -> Outcome:
    """Ill-formed where no reading makes sense: not where letters could be other ones, or what is said defines one."""
    if not isinstance(error, ReadError):
        return Outcome("unknown", str(error))
    defines = reading.kind == "definition"
    defines |= isinstance(reading.lhs, Symbol) and error.message.startswith("the index")
    open_ = reading.declarations.inferred and (defines or not _DOES_NOT_FIT.search(error.message))
    verdict: Status = "unknown" if open_ or isinstance(error, Unsettled) else "ill-formed"
    said = "" if reading.kind == "definition" or isinstance(error, Unsettled) else advice(error)
    elsewhere = None if error.where is reading.where else error.where  # a place in another formula
    return Outcome(verdict, error.message + said, error.span, elsewhere=elsewhere)


def settled(claim: Claim, repair: bool) -> Outcome:
    """Under all hypotheses; where these only stand in the prover's way, under fewer, which proves more."""
    try:
        given = without_constants(claim)
        if given is not None:
            found = settle(given, False)
            if found.verdict == "proved":
                return found
        outcome = settle(claim, repair)
    except (OverflowError, RecursionError):
        return Outcome("unknown", "the numbers in it are too large to be worked with")
    hypotheses = claim.context.hypotheses
    if not outcome.message.startswith("no proof") or len(hypotheses) < 2:
        return outcome
    for name in hypotheses:
        fewer = {k: h for k, h in hypotheses.items() if k != name}
        found = settle(replace(claim, context=Context(claim.context.definitions, fewer)), False)
        if found.verdict == "proved":
            return found
    return outcome


def without_constants(claim: Claim) -> Claim | None:
    """The same of all values of what is defined but does not depend on any variable of a derivative: it says more."""
    definitions = claim.context.definitions
    by = {s.wrt.array for t in (claim.lhs, claim.rhs) for s in subterms(t) if isinstance(s, Diff)}

    def moves(array: Array, seen: frozenset[Array]) -> bool:
        if array in by:
            return True
        inside = definitions.get(array)
        return inside is not None and any(moves(a, seen | {array}) for a in arrays(inside.body) - seen)

    kept = {a: t for a, t in definitions.items() if a in by or moves(a, frozenset())}
    if not by or len(kept) == len(definitions):
        return None
    return replace(claim, context=Context(kept, claim.context.hypotheses))


def advice(error: ReadError) -> str:
    """What to write so that an undeclared name is known."""
    name = error.undeclared
    if not name:
        return ""
    if error.message.startswith("the index"):
        return f"; declare it: indices: {name}"
    if ", as one name" in error.message:
        name = error.message.partition(" ")[0]
    said = rf"{author_latex(name)} \in \mathbb{{R}}^{{n}}"
    return f"; say its shape in the text, {said}, or declare it (arrays: {name}: n)"


def size_of(reading: Reading) -> int:
    return sum(1 for side in (reading.lhs, reading.rhs) for _ in walk(side))


def longest_product(reading: Reading) -> int:
    return max((len(n.args) for s in (reading.lhs, reading.rhs) for n in walk(s) if isinstance(n, Product)), default=0)


def with_repair(reading: Reading, outcome: Outcome) -> Outcome:
    if outcome.verdict not in ("refuted", "ill-formed") or size_of(reading) > MENDED:
        return outcome
    try:
        repair = repaired(reading, proved_under)
    except SymbackpropError:  # definitions that only the right formula leads to make no sense together
        return outcome
    if repair is None:
        return outcome
    vague = repair.mistake == ANOTHER and outcome.mistake is not None
    return replace(outcome, repair=repair, mistake=outcome.mistake if vague else repair.mistake)


def true_at_one(reading: Reading, found: Unequal) -> tuple[str, ...]:
    """Sizes that make the claim true when they are 1: a batch of one sample."""
    out = []
    decl = reading.declarations
    for name in sorted({s for n in (*found.lhs, *found.rhs) for s in n.symbols}):
        symbol = decl.sizes.get(name)
        if symbol is None or symbol.value is not None or symbol.hidden:
            continue
        one = replace(decl, sizes={**decl.sizes, name: replace(symbol, value=Num(Fraction(1)))})
        try:
            claim = elaborate(replace(reading, declarations=one))
        except (SymbackpropError, RecursionError):
            continue
        if isinstance(claim, Claim) and settle(claim, repair=False).verdict == "proved":
            out.append(f"{name} = 1")
    return tuple(out)


def smallest(found: Unequal) -> ShapeExample | None:
    """The smallest sizes at which the shapes differ."""
    symbols = sorted({s for n in (*found.lhs, *found.rhs) for s in n.symbols})
    some = (
        {**dict.fromkeys(symbols, 2), **dict(zip(symbols, n, strict=False))}
        for n in product((1, 2, 3), repeat=min(5, len(symbols)))
    )
    apart = [sizes for sizes in some if shape_at(found.lhs, sizes) != shape_at(found.rhs, sizes)]
    if not apart:
        return None
    best = min(apart, key=lambda sizes: sum(sizes.values()))
    left, right = ("×".join(map(str, shape_at(s, best))) for s in (found.lhs, found.rhs))
    return ShapeExample(best, f"the left side is {left}, the right side {right}")


def shape_at(s: tuple[Size, Size], sizes: Mapping[str, int]) -> tuple[int, int]:
    return s[0].at(sizes), s[1].at(sizes)
