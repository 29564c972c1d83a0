"""From a wrong statement to a right one: candidates in the order of how little they change, the first that is proved.

What is shown was printed in the author's notation, read again, and proved as it was read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import TypeAlias

from symbackprop.core.indices import Index
from symbackprop.core.terms import Power, SymbackpropError, Term, sized
from symbackprop.decide.outcomes import Repair
from symbackprop.prove.working_out import derived, in_names
from symbackprop.read.notes.files.place import ReadError, Span
from symbackprop.read.notes.grammar.resolve import parse_expression, parse_statement
from symbackprop.read.notes.grammar.rewriting import index_names, scaled_tree
from symbackprop.read.notes.grammar.tree import (
    Add, Call, Derivative, Entry, Expr, Gradient, IndexName, Missing, Num, Product, Sum, Symbol, Transpose,
)  # fmt: skip
from symbackprop.read.notes.grammar.walking import product_of, walk
from symbackprop.read.notes.meaning.definitions import symbols as symbols_in
from symbackprop.read.notes.statements.claims import Claim, Unequal, equation
from symbackprop.read.notes.statements.classes import conditioned
from symbackprop.read.notes.statements.statements import Reading
from symbackprop.repair.notes.putting_together import factor_tree
from symbackprop.write.code.compact import compact
from symbackprop.write.notes.letters import COLUMN, ROW, DocumentLatex
from symbackprop.write.notes.spelling import Speller, Unspelled

from ..search import factor_mistake
from ..trials import Unit, factor
from .deriving import derivatives
from .edits import Edit, Surroundings, edits
from .putting_together import Builder, slopes, with_missing_term
from .rebuilding import repaired_shape, shape_sizes
from .values_at_points import mentioned_symbols, plausible, ratio

Prover: TypeAlias = Callable[[Reading, Claim], "tuple[str, ...] | None"]
"""What a claim rests on where it is proved, else None."""
ANOTHER = "another derivative"
_TRIED, _PROVED, _CHEAP, _CANDIDATES, _NODES = 160, 6, 3, 40, 3_000


@dataclass(frozen=True, slots=True)
class Sides:
    """The formula that is changed, and the side that it should equal; `swapped` when the formula stands on the left."""

    fixed: Expr
    formula: Expr
    swapped: bool

    def ordered(self, formula: Expr, fixed: Expr | None = None) -> tuple[Expr, Expr]:
        other = self.fixed if fixed is None else fixed
        return (formula, other) if self.swapped else (other, formula)


@dataclass(frozen=True, slots=True)
class Candidate:
    lhs: Expr
    rhs: Expr
    mistake: str


def repaired(reading: Reading, prove: Prover) -> Repair | None:
    """A proved formula close to what was written; None where none was found."""
    if reading.lhs is None or reading.rhs is None or isinstance(reading.rhs, Missing):
        return None
    try:
        if reading.kind == "shape" or reading.relation in ("~", "∈"):
            return repaired_shape(reading)
        if (said := reading.also) is not None and said.lhs is not None and said.rhs is not None:
            return Solving(reading, said, said.lhs, said.rhs, prove).run()
        return Repairer(reading, reading.lhs, reading.rhs, prove).run()
    except (ReadError, Unspelled, RecursionError):
        return None


def answered(reading: Reading, prove: Prover) -> Repair | None:
    """What stands for the ? of an equation: a derivative in the author's notation, proved."""
    if reading.lhs is None:
        return None
    try:
        run = Repairer(reading, reading.lhs, Missing(), prove)
        return next((x for c in run.derived("") if (x := run.shown(c)) is not None), None) or run.by_entries()
    except (ReadError, Unspelled, RecursionError):
        return None


class Repairer:
    def __init__(self, reading: Reading, lhs: Expr, rhs: Expr, prove: Prover) -> None:
        self.prove = prove
        self.reading, self.decl, self.text = reading, reading.declarations, reading.formula.text
        swapped = is_given(rhs) and not is_given(lhs)
        self.sides = Sides(rhs, lhs, True) if swapped else Sides(lhs, rhs, False)
        own = [t for t in (lhs, rhs) if t.span != reading.span]  # a side that goes on from another formula has no text
        self.speller = Speller(self.text, own, self.decl, reading.where.source.text)
        self.written = self.speller.shown
        self.proofs = 0
        self.seen: set[tuple[Expr, Expr]] = set()

    def run(self) -> Repair | None:
        for candidate in islice(self.candidates(), _CANDIDATES):
            found = self.shown(candidate)
            if found is not None:
                return found
            if self.proofs >= _PROVED:
                break
        return None if self.sides.swapped else self.by_entries(ANOTHER)

    # --- from a candidate to what is shown ---------------------------------------------------

    def shown(self, c: Candidate) -> Repair | None:
        """The candidate printed, read again and proved."""
        left, right = self.side(c.lhs, self.reading.lhs), self.side(c.rhs, self.reading.rhs)
        if left is None or right is None:
            return None
        return self.proved(left, right, c.mistake, c.lhs)

    def proved(self, left: str, right: str, mistake: str, lhs: Expr | None = None) -> Repair | None:
        text = f"{left} = {right}"
        try:
            if left or lhs is None:
                chain = parse_statement(text, self.decl).parts[0].chain
                lhs, rhs = chain.subjects[-1], chain.links[-1].rhs
            else:
                rhs = parse_expression(right, self.decl)
            lhs, rhs = (self.reading.unwritten.written(side, self.decl) for side in (lhs, rhs))
            for condition in self.reading.unwritten.conditions:
                lhs, rhs = conditioned(condition, lhs, rhs)
            claim = self.equation(lhs, rhs, text if left else right, (0, 1))
        except (ReadError, IndexError):
            return None
        if not isinstance(claim, Claim) or (lhs == rhs and left):  # a row of align may say again what stands above it
            return None
        self.proofs += 1
        hypotheses = self.prove(self.reading, claim)
        return None if hypotheses is None else Repair(text.strip(), mistake, hypotheses)

    def by_entries(self, mistake: str = "") -> Repair | None:
        """The derivative by the laws, entry by entry, in matrices where whole arrays are compared."""
        assert self.reading.lhs is not None
        claim = self.claim(self.reading.lhs, Num(Fraction(0)))
        term = None if claim is None else derived(claim.lhs, claim.context)
        left = self.side(self.reading.lhs, self.reading.lhs)
        if term is None or claim is None or left is None:
            return None
        axes = [next((i for i in claim.free if i.name == name), None) for name in (ROW, COLUMN)]
        for t in dict.fromkeys((in_names(term, claim.context), term)):
            if (found := self.proved(left, in_letters(t, *axes), mistake)) is not None:
                return found
        return None

    def side(self, tree: Expr, original: Expr | None) -> str | None:
        """A side as text; "" for a left side that stands in another formula."""
        try:
            if tree is original:
                written = self.speller.copied(tree)
                if written is not None:
                    return written
                if tree is self.reading.lhs:
                    return self.reading.left.rstrip("= ")
            return self.speller(tree)
        except (Unspelled, ReadError):
            return None

    # --- candidates --------------------------------------------------------------------------

    def candidates(self) -> Iterator[Candidate]:
        """Claims whose numbers agree."""
        around = self.surroundings()
        changes = edits(self.sides.formula, around)
        yield from self.agreeing([e for e in changes if e.cost <= _CHEAP])
        yield from self.entry_of_slope(around)
        yield from self.put_together(around)
        yield from self.scaled()
        if not index_names([self.sides.fixed, self.sides.formula]):
            near = around.symbols
            for tree, said in with_missing_term(
                self.decl, self.sides.fixed, self.sides.formula, self.text, near, self.written
            ):
                yield from self.if_agreeing(*self.sides.ordered(tree), said)
        yield from self.agreeing([e for e in changes if e.cost > _CHEAP])
        if not self.sides.swapped:
            for e in edits(self.sides.fixed, around):
                if isinstance(e.tree, (Derivative, Gradient)) and not says_nothing(e.tree):
                    yield from self.if_agreeing(*self.sides.ordered(self.sides.formula, e.tree), e.mistake)
        yield from self.derived(ANOTHER)

    def derived(self, mistake: str) -> Iterator[Candidate]:
        for tree in derivatives(self.sides.fixed, self.decl):
            yield from self.if_agreeing(*self.sides.ordered(tree), self.lacking(tree) or mistake)

    def lacking(self, right: Expr) -> str:
        """The one summand that the formula lacks: W_o^T a_o beside W_i^T a_i + W_f^T a_f."""
        every, own = (t.args if isinstance(t, Add) else (t,) for t in (right, self.sides.formula))
        more = [a for a in every if a not in own]
        only = len(more) == 1 and len(every) == len(own) + 1
        return f"missing term {self.written(more[0])}" if only else ""

    def agreeing(self, changes: Sequence[Edit]) -> Iterator[Candidate]:
        parts = sum(1 for _ in walk(self.sides.formula))
        for e in changes[: max(_CANDIDATES, min(_TRIED, _NODES // parts))]:
            yield from self.if_agreeing(*self.sides.ordered(e.tree), e.mistake)

    def if_agreeing(self, lhs: Expr, rhs: Expr, mistake: str) -> Iterator[Candidate]:
        if (lhs == rhs and is_given(lhs)) or (lhs, rhs) in self.seen:
            return
        self.seen.add((lhs, rhs))
        claim = self.claim(lhs, rhs)
        if claim is not None and plausible(claim):
            yield Candidate(lhs, rhs, mistake)

    def claim(self, lhs: Expr, rhs: Expr) -> Claim | None:
        try:
            found = self.equation(lhs, rhs, self.text, self.reading.span)
        except (SymbackpropError, RecursionError):
            return None
        return found if isinstance(found, Claim) else None

    def equation(self, lhs: Expr, rhs: Expr, text: str, span: Span) -> Claim | Unequal:
        return equation(self.decl, lhs, rhs, text, span)

    def surroundings(self) -> Surroundings:
        trees = [self.sides.fixed, self.sides.formula]
        try:
            near = mentioned_symbols(self.decl, trees, self.text)
        except (SymbackpropError, RecursionError):
            near = [s for t in trees for s in symbols_in(t)]
        arguments = tuple(a for call in slopes(self.decl, trees) for a in call.args if isinstance(a, Symbol))
        return Surroundings(
            self.decl, self.written, index_names(trees), tuple(dict.fromkeys(near)), shape_sizes(trees), loose(*trees),
            arguments,
        )  # fmt: skip

    def entry_of_slope(self, around: Surroundings) -> Iterator[Candidate]:
        """f'(z_i) times the formula, for a free index i."""
        formula = self.sides.formula
        if not around.indices or isinstance(formula, Add):
            return
        rest = formula.args if isinstance(formula, Product) else (formula,)
        for slope in slopes(self.decl, (self.sides.fixed, formula)):
            for name in around.indices:
                entry = Call(slope.function, (Entry(slope.args[0], (IndexName(name),)),))
                new = self.sides.ordered(product_of([entry, *rest]))
                yield from self.if_agreeing(*new, f"missing factor {self.written(entry)}")

    def put_together(self, around: Surroundings) -> Iterator[Candidate]:
        """The same factors otherwise, one replaced, one more or less."""
        builder = Builder(self.decl, self.sides.fixed, self.sides.formula, self.text, around.symbols, self.written)
        ways, values = builder.ways()
        for way in ways:
            sides = self.sides.ordered(way.tree)
            if way.ratios is not None:
                assert values is not None
                yield from self.with_factor(way.tree, way.ratios, values.sizes, way.mistake)
            elif sides not in self.seen:
                self.seen.add(sides)
                yield Candidate(*sides, way.mistake)

    # --- a number in front -------------------------------------------------------------------

    def scaled(self) -> Iterator[Candidate]:
        claim = self.claim(*self.sides.ordered(self.sides.formula))
        found = ratio(claim) if claim is not None else None
        if found is None:
            return
        ratios, sizes = found
        if self.sides.swapped:
            ratios = [1 / r if r else 0.0 for r in ratios]
        yield from self.with_factor(self.sides.formula, ratios, sizes, "")

    def with_factor(
        self, tree: Expr, ratios: Sequence[float], sizes: Sequence[dict[str, int]], mistake: str
    ) -> Iterator[Candidate]:
        """c tree, where c is a simple formula in sizes with these values."""
        known = [
            Unit(s, sized(s), tuple(float(z[s]) for z in sizes))
            for s in sorted(sizes[0])
            if s in self.decl.sizes and len({z[s] for z in sizes}) > 1
        ]
        known += [Unit(f"√{u.name}", Power(u.term, Fraction(1, 2)), tuple(v**0.5 for v in u.values)) for u in known]
        named = factor(ratios, known)
        if named is None or named[1] in ("0", "1"):
            return
        coefficient = factor_tree(named[1], self.decl)
        if coefficient is None:
            return
        said = factor_mistake(named[1])
        new = scaled_tree(tree, coefficient, named[1])
        yield Candidate(*self.sides.ordered(new), f"{mistake}, {said}" if mistake else said)


def in_letters(t: Term, rows: Index | None, columns: Index | None) -> str:
    """Raises Unspelled where whole arrays have no formula in matrices."""
    if rows is None and columns is None:
        written = DocumentLatex()(t)
    else:
        form = compact(t, rows, columns)
        if form is None:
            raise Unspelled("no formula in matrices")
        written = DocumentLatex().matrix(form)
    free = next(c for c in "kmpqrs" if not re.search(rf"(?<![A-Za-z\\]){c}(?![A-Za-z])", written))
    return written.replace(r"\mathrm{tidy}", free)


class Solving(Repairer):
    """w = … said to solve a condition: what is changed is put into the condition."""

    def __init__(self, condition: Reading, said: Reading, lhs: Expr, rhs: Expr, prove: Prover) -> None:
        super().__init__(said, lhs, rhs, prove)
        self.condition = condition

    def equation(self, lhs: Expr, rhs: Expr, text: str, span: Span) -> Claim | Unequal:
        table, left, right = self.condition.declarations, self.condition.lhs, self.condition.rhs
        assert left is not None and right is not None
        given = tuple(
            replace(d, chain=replace(d.chain, links=(replace(d.chain.links[0], rhs=rhs),)))
            if isinstance(x := d.chain.subjects[-1], Symbol) and x.name in table.solved
            else d
            for d in table.definitions
        )
        return equation(replace(table, definitions=given), left, right, text, span)


def is_given(tree: Expr) -> bool:
    """What a statement is about: a derivative, a symbol, an entry."""
    match tree:
        case Transpose(arg):
            return is_given(arg)
        case Symbol() | Derivative() | Gradient():
            return True
        case Entry(base):
            return isinstance(base, Symbol)
        case _:
            return False


def says_nothing(d: Derivative | Gradient) -> bool:
    """∂t/∂t, or a derivative by what is no variable: true, and of no use."""
    wrt = d.wrt if isinstance(d, Derivative) else (d.wrt,)
    return d.body in wrt or not all(isinstance(v, (Symbol, Entry)) for v in wrt)


def loose(fixed: Expr, formula: Expr) -> tuple[str, ...]:
    """Index names that occur free in the formula only: a sum over one may be missing."""
    left = set(index_names([fixed]))
    free = {n.name for n in walk(formula) if isinstance(n, IndexName)}
    bound = {b.name for n in walk(formula) if isinstance(n, Sum) for b in n.binders}
    return tuple(sorted(free - left - bound))
