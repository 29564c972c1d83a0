"""From a statement as it was read to its outcome; outcomes are remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symbackprop.clock import LIMIT, OutOfTime, limit, stage
from symbackprop.core.terms import Size, SymbackpropError
from symbackprop.read.notes.files.items import Formula
from symbackprop.read.notes.files.place import Place, ReadError, Unsettled
from symbackprop.read.notes.grammar.tree import Num, Product
from symbackprop.read.notes.grammar.walking import walk
from symbackprop.read.notes.statements.claims import Claim, ShapeJudgement, Unequal, elaborate
from symbackprop.read.notes.statements.statements import Reading
from symbackprop.repair.notes.search import repaired
from symbackprop.write.notes.letters import author_latex

from .fingerprints import Fingerprints
from .resting import hypotheses_of
from .results import Outcome, ShapeExample
from .settle import settle

CROWD, PARTS, FACTORS, MENDED = 200, 1500, 64, 120  # limits: statements a formula, nodes, factors, nodes to mend


@dataclass(slots=True)
class Judge:
    """Settles statements; `settled` counts those that were not remembered.  With `repair` mistakes are mended.
    Each has so many `seconds`.

    Between `begin` and `end` lies one pass over the documents: what was not met in it is forgotten at its end.
    """

    repair: bool = True
    seconds: float = LIMIT
    settled: int = 0
    _known: dict[str, Outcome] = field(default_factory=dict)
    _met: set[str] = field(default_factory=set)
    _fingerprints: Fingerprints = field(default_factory=Fingerprints)
    _formula: Formula | None = None
    _statements: int = 0

    def of(self, reading: Reading) -> Outcome:
        if reading.kind == "remark":
            return judged(reading)
        if self.crowded(reading):
            return Outcome("unknown", f"more than {CROWD} statements in one formula")
        key, meaning = self._fingerprints.of(reading)
        self._met |= {key, meaning}
        known = self._known.get(key) or self._known.get(meaning)
        if known is None:
            self.settled += 1
            known = in_time(reading, self.repair, self.seconds)
            self._known[meaning if known.verdict == "proved" else key] = known  # places matter where something is wrong
        return known

    def crowded(self, reading: Reading) -> bool:
        if reading.formula is not self._formula:
            self._formula, self._statements = reading.formula, 0
        self._statements += 1
        return self._statements > CROWD

    def begin(self) -> None:
        self._met, self._fingerprints = set(), Fingerprints()

    def end(self) -> None:
        self._known = {key: outcome for key, outcome in self._known.items() if key in self._met}


def in_time(reading: Reading, repair: bool, seconds: float) -> Outcome:
    """The outcome; a statement that is refuted stays so when only its repair takes too long."""
    found: Outcome | None = None
    try:
        with limit(seconds):
            stage("reading")
            found = judged(reading, repair)
            if repair:
                stage("looking for the right formula")
                found = with_repair(reading, found)
    except OutOfTime as late:
        found = found or Outcome("unknown", str(late))
    return found


def judged(reading: Reading, repair: bool = True) -> Outcome:
    if reading.kind == "remark":
        return Outcome(None, reading.error.message if reading.error is not None else reading.note)
    parts = size_of(reading)
    if parts > PARTS or longest_product(reading) > FACTORS:
        return Outcome("unknown", f"this is too long to be decided: {parts} parts (at most {PARTS}, {FACTORS} factors)")
    try:
        found = elaborate(reading)
    except Unsettled as error:
        return Outcome("unknown", error.message, error.span, elsewhere=another(reading, error))
    except ReadError as error:
        return Outcome("ill-formed", error.message + advice(error), error.span, elsewhere=another(reading, error))
    except SymbackpropError as error:
        return Outcome("unknown", str(error))
    match found:
        case None:
            return Outcome(None, reading.note)
        case ShapeJudgement():
            if not found.holds:
                return Outcome("ill-formed", found.message)
            return Outcome("proved", found.message, hypotheses=hypotheses_of(reading, found))
        case Unequal():
            outcome = unequal(found)
            if repair:
                outcome = replace(outcome, special_cases=true_at_one(reading, found))
            if reading.kind == "definition":
                outcome = replace(outcome, verdict="ill-formed", counterexample=None)
        case Claim():
            outcome = settle(found, repair)
            if outcome.verdict == "proved":
                outcome = replace(outcome, hypotheses=hypotheses_of(reading, found, outcome.proof))
    return outcome


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
    repair = repaired(reading)
    if repair is None:
        return outcome
    return replace(outcome, repair=repair, mistake=repair.mistake)


def another(reading: Reading, error: ReadError) -> Place | None:
    """The error's own place, where that is another formula's."""
    return None if error.where is None or error.where is reading.where else error.where


def unequal(found: Unequal) -> Outcome:
    return Outcome("refuted", found.message, counterexample=smallest(found), mistake="shapes differ")


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
    best: tuple[int, dict[str, int]] | None = None
    for sizes in assignments(symbols):
        if shape_at(found.lhs, sizes) != shape_at(found.rhs, sizes):
            total = sum(sizes.values())
            if best is None or total < best[0]:
                best = total, sizes
    if best is None:
        return None
    left, right = ("×".join(map(str, shape_at(s, best[1]))) for s in (found.lhs, found.rhs))
    return ShapeExample(best[1], f"the left side is {left}, the right side {right}")


def assignments(symbols: list[str]) -> list[dict[str, int]]:
    out: list[dict[str, int]] = [{}]
    for s in symbols[:5]:
        out = [{**a, s: n} for a in out for n in (1, 2, 3)]
    return [{**dict.fromkeys(symbols, 2), **a} for a in out]


def shape_at(s: tuple[Size, Size], sizes: Mapping[str, int]) -> tuple[int, int]:
    return s[0].at(dict(sizes)), s[1].at(dict(sizes))
