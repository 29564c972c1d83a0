"""One section: what each of its equations is meant as, then each statement under the table that its section gives it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

from symbackprop.core.terms import SymbackpropError

from ..declared.symbols import ArraySymbol, Declarations, Definition, SizeSymbol
from ..declared.table import define
from ..files.items import Formula
from ..files.place import ReadError, Span, Unsettled
from ..grammar.resolve import Resolver
from ..grammar.syntax import free_indices, is_shape, restates, unnested, with_left
from ..grammar.tree import (
    Chain,
    Derivative,
    Dots,
    Entry,
    Expr,
    IndexName,
    Indicator,
    Link,
    Matrix,
    Missing,
    Name,
    Num,
    Operator,
    Paren,
    Product,
    Shape,
    ShapeWord,
    Symbol,
    Transpose,
    Words,
)
from ..grammar.vocabulary import GREEK
from ..grammar.walking import mapped, respan, walk
from ..inferred.kinds import AT, Option
from ..inferred.occurrences import key_of
from ..inferred.roles import EQUATIONS, Head, Record, defining, head_of
from ..inferred.section import Given, Section
from ..inferred.solver import Piece
from ..meaning.definitions import circular, definition_of, head
from ..meaning.lints import consistent
from . import classes
from .classes import Class
from .finer import finer
from .statements import Kind, Reading, Scope, facts_of, records_of

_MARGIN = re.compile(r"\s*(?:\\[Uu]parrow(?![A-Za-z])|[↑⇑])")
_FOR = re.compile(r"\b(?:for|if|when|where|case|with|whenever)\s*\Z", re.IGNORECASE)
_COMPARED = re.compile(r"\b(?:others?|another|some|alternatively|versus|vs|either|which one)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unit:
    """One link of a chain with what it was taken for."""

    record: int
    lhs: Expr
    link: Link
    meant: Class
    span: Span
    left: str = ""
    error: ReadError | None = None
    note: str = ""
    given: Given | None = None
    conditions: tuple[Chain, ...] = ()


class SectionReader:
    def __init__(self, scope: Scope, before: SectionReader | None) -> None:
        self.scope, self.before = scope, before
        base = scope.base
        facts, base, withdrawals = facts_of(scope, base)
        self.records = records_of(scope, base)
        self.section = Section(self.records, facts, base, before.section if before is not None else None)
        self.section.withdrawals = withdrawals
        self.table = self.section.frame.table
        self.units: list[Unit] = []
        self.above: dict[tuple[int, int], Expr | None] = {}
        self.defined: dict[str, int] = {}
        self.stationary: list[tuple[Chain | None, int]] = []
        self.pending: list[Chain] = []
        self.rows = 0

    def after(self) -> Declarations:
        """The author's table with the shapes that the text says, for a block that comes next."""
        base, options = self.section.base, self.section.frame.options
        known = set(self.section.solver.said)
        said = {k: options[k][0] for k in options if k in known and not k.endswith(AT)}
        table = replace(base, definitions=self.table.definitions)
        sizes = {n.name for o in said.values() for e in o.shape for n in walk(e) if isinstance(n, Symbol) and "." not in n.name}
        for name in sorted(sizes - set(table.sizes)):
            table = table.with_size(SizeSymbol(name))
        for key, option in said.items():
            if not any("." in n.name for e in option.shape for n in walk(e) if isinstance(n, Symbol)):
                table = table.with_array(ArraySymbol(key, option.shape, option.orientation, family=option.family))
        return table

    # --- what everything is meant as ---------------------------------------------------------

    def read(self) -> list[Reading]:
        section = self.section
        section.frame.table = self.table
        self.stacks()
        self.adjoints()
        self.softmaxes()
        out: list[list[Unit] | Reading] = []
        for r in self.records:
            out.append(self.units_of(r))
        readings: list[Reading] = []
        for found in out:
            readings.extend([found] if isinstance(found, Reading) else [x for u in found for x in self.reading_of(u)])
        return readings

    def units_of(self, r: Record) -> list[Unit] | Reading:
        formula, whole = r.formula, (0, len(r.formula.text))
        if formula.struck:
            return self.plain("remark", r, whole, note="struck out")
        if _MARGIN.match(formula.text):
            return self.plain("remark", r, whole, note="points at the line above")
        if r.loose is None:
            return self.unread(r)
        if self.section.roles.ranges and re.match(r"\s*\S+\s*=\s*[01]\s*,", formula.text) and "dots" in formula.text:
            return self.plain("definition", r, whole, note="range")
        conditions = self.side_conditions(r)
        out: list[Unit] = []
        for k, part in enumerate(r.loose.parts):
            if part.chain in conditions:
                out.append(Unit(r.at, part.chain.subjects[-1], part.chain.links[0], "side", part.chain.span))
                continue
            out.extend(self.chain(r, part.chain, k, part.joined))
        own = tuple(conditions)
        if own:
            out = [replace(u, conditions=(*u.conditions, *own)) if u.meant == "claim" else u for u in out]
        return out

    def unread(self, r: Record) -> Reading:
        assert isinstance(r.error, ReadError)
        formula, whole = r.formula, (0, len(r.formula.text))
        if formula.aligned is not None:
            self.above[formula.aligned] = None
        found = re.match(r"\s*(\\?[A-Za-z]+(?:\s*\{\\?[A-Za-z]+\})?)\s*(?:\([^()=]*\))?\s*&?\s*(?::?=)", formula.text)
        if found is not None:
            self.section.unread |= unread_names(found[1])
        claims = re.search(r"=|\\sim|≡", formula.text) is not None
        error = r.error
        unclosed = "never closed" in error.message
        if not isinstance(error, Unsettled) and not unclosed and formula.error is None and not self.table.known_any():
            error = Unsettled(error.message, error.span, error.where)
        return self.plain("claim" if claims or unclosed else "remark", r, whole, error=error)

    def side_conditions(self, r: Record) -> list[Chain]:
        """i ≠ j behind a claim, or said in the sentence before it."""
        assert r.loose is not None
        out: list[Chain] = []
        parts = r.loose.parts
        for k, part in enumerate(parts):
            if k and self.on_indices(part.chain):
                out.append(part.chain)
        if len(parts) == 1 and _FOR.search(r.formula.before) and not r.formula.display:
            if self.on_indices(parts[0].chain) or self.on_values(parts[0].chain):
                self.pending = [parts[0].chain]
                return [parts[0].chain]
        if not out and self.pending and not re.search(r"[.;]", r.formula.before):
            out = list(self.pending)
        if r.formula.display or re.search(r"[.;]", r.formula.before):
            self.pending = []
        return out

    def on_indices(self, chain: Chain) -> bool:
        sides = (*chain.subjects, *(k.rhs for k in chain.links))
        names = [s for s in sides if isinstance(s, Name)]
        return (
            bool(chain.links) and bool(names) and all(isinstance(s, (Name, Num)) for s in sides)
            and all(k.relation in ("≠", "=", "<", ">", "≤", "≥") for k in chain.links)
            and all(n.sub is None and not n.sups and n.letter in self.indices() for n in names)
        )  # fmt: skip

    @staticmethod
    def on_values(chain: Chain) -> bool:
        """γ = 0, A = A^T, x > 0: what is said of letters, for the formula that follows."""
        sides = (*chain.subjects, *(k.rhs for k in chain.links))
        return (
            len(chain.links) == 1 and isinstance(sides[0], Name) and all(isinstance(s, (Name, Num)) for s in sides)
            and chain.links[0].relation in ("=", "<", ">", "≤", "≥", "≠")
        )  # fmt: skip

    def indices(self) -> set[str]:
        return {i for i in self.table.indices if i not in self.section.frame.options and i not in self.table.arrays}

    # --- one chain ---------------------------------------------------------------------------

    def chain(self, r: Record, chain: Chain, part: int, joined: str) -> list[Unit]:
        first = chain.subjects[-1]
        if not chain.links:
            return [self.bare(r, first, chain.span)]
        if isinstance(first, Missing):
            over = self.above.get(r.formula.aligned, first) if r.formula.aligned is not None else first
            if over is None or isinstance(over, Missing):
                return [self.hanging(r, chain, over)]
            chain = Chain((cast(Expr, respan(over, chain.span)),), chain.links, chain.span)
        out: list[Unit] = []
        text, start = r.formula.text, chain.span[0]
        for subject in chain.subjects:
            if isinstance(subject, Dots):
                continue
            lhs, left, written = subject, text[with_left(text, start) : chain.links[0].span[0]].strip(), ""
            meant: Class = "claim"
            for k, link in enumerate(chain.links):
                if k > 0 and subject is not chain.subjects[-1]:
                    break
                inner: list[Chain] = []
                if link.relation in EQUATIONS:
                    lhs, link = loosened(lhs, inner), replace(link, rhs=loosened(link.rhs, inner))
                for nested in inner:
                    out.extend(self.chain(r, nested, part, joined))
                whole = (with_left(text, start), link.span[1]) if k == 0 else link.span
                if len(chain.subjects) > 1 and k == 0:
                    whole, written = link.span, text[subject.span[0] : subject.span[1]]
                elif k > 0:
                    written = left
                unit = self.meant(r, lhs, link, k, part, joined, meant)
                meant = unit.meant
                out.append(replace(unit, span=whole, left=written))
                if not isinstance(link.rhs, Words) and link.relation not in ("∈", "~"):
                    lhs = link.rhs
                    left = text[link.at[0] : link.at[1]].strip()
        last = chain.links[-1].rhs
        if r.formula.aligned is not None and not isinstance(last, (Missing, Words)):
            self.above[r.formula.aligned] = last
        return out

    def hanging(self, r: Record, chain: Chain, over: Expr | None) -> Unit:
        here = (chain.links[0].span[0], chain.links[0].span[0] + 1)
        error: ReadError | None = None
        meant: Class = "claim"
        if over is None:
            error = Unsettled("this goes on from a row that could not be read", here, r.formula.where)
        elif chain.links[0].relation in EQUATIONS and len(chain.links) == 1 and self.shape_like(chain.links[0].rhs):
            return self.bare(r, chain.links[0].rhs, chain.span)
        elif self.table.inferred and not self.table.known_any():
            error = Unsettled("nothing stands before this relation", here, r.formula.where)
        else:
            error = ReadError("nothing stands before this relation", here, r.formula.where)
        return Unit(r.at, chain.subjects[-1], chain.links[0], meant, chain.span, error=error)

    def bare(self, r: Record, node: Expr, span: Span) -> Unit:
        shape = self.shape_like(node)
        return Unit(r.at, node, Link("", Missing()), "shape" if shape else "remark", span)

    def shape_like(self, node: Expr) -> bool:
        try:
            found = Resolver(self.table).expr(node)
        except (SymbackpropError, RecursionError):
            return False
        return is_shape(found, self.table) and not isinstance(found, (Symbol, Num, ShapeWord))

    def of_shapes(self, lhs: Expr, rhs: Expr) -> bool:
        """n × 1 on the right, or sizes on both sides."""
        try:
            found = Resolver(self.table).expr(rhs)
        except (SymbackpropError, RecursionError):
            return False
        if isinstance(found, (Shape, ShapeWord)):
            return True
        return is_shape(found, self.table) and self.all_sizes(lhs)

    def all_sizes(self, lhs: Expr) -> bool:
        try:
            return is_shape(Resolver(self.table).expr(lhs), self.table)
        except (SymbackpropError, RecursionError):
            return False

    # --- one link ----------------------------------------------------------------------------

    def meant(self, r: Record, lhs: Expr, link: Link, k: int, part: int, joined: str, previous: Class) -> Unit:
        unit = Unit(r.at, lhs, link, "claim", link.span)
        rhs, relation = link.rhs, link.relation
        before = r.formula.before if part == 0 else ("" if not joined else "where" if joined == "where" else "")
        if isinstance(rhs, Missing):
            here = (link.span[0], link.span[0] + 1)
            return replace(unit, error=ReadError(f"nothing stands after {relation}", here, r.formula.where))
        if relation in ("∈", "~"):
            return replace(unit, meant="remark" if isinstance(rhs, Words) else "shape")
        if relation not in EQUATIONS and relation != "=:":
            self.assume(r, lhs, link)
            return replace(unit, meant="remark")
        if relation == "=:":
            unit = replace(unit, lhs=rhs, link=replace(link, rhs=lhs, relation=":="))
            lhs, rhs, relation = rhs, lhs, ":="
        if isinstance(lhs, (Words, Dots)) or classes.is_question(rhs) or classes.is_order(rhs) or any(
            isinstance(n, Words) or self.is_word(n) for n in walk(rhs)
        ):  # fmt: skip
            known = head_of(lhs) is not None and not isinstance(rhs, Dots) and not classes.is_question(rhs)
            return replace(unit, meant="definition" if known else "remark", note="in words")
        if self.is_stack(lhs, rhs):
            return replace(unit, meant="definition", note="rows")
        if self.of_shapes(lhs, rhs):
            return replace(unit, meant="shape")
        if classes.is_update(lhs, relation, rhs):
            return replace(unit, meant="remark", note="an update")
        if k > 0:
            zero = isinstance(rhs, Num) and rhs.value == 0
            if zero and classes.CONDITION.search(before):
                return self.condition(r, unit)
            return replace(unit, meant="condition" if previous == "condition" else "claim")
        return self.first_link(r, unit, before)

    def is_word(self, node: object) -> bool:
        """\\text{likelihood} that names nothing."""
        if not isinstance(node, Name) or node.mark != "text":
            return False
        key = self.section.roles.full_key(node)[0]
        return not self.table.known(key) and key not in self.section.frame.options

    def first_link(self, r: Record, unit: Unit, before: str) -> Unit:
        lhs, link = unit.lhs, unit.link
        rhs, zero = link.rhs, isinstance(link.rhs, Num) and link.rhs.value == 0
        derivative, found = classes.holds_derivative(lhs), self.defining(lhs, link)[0]
        if self.names_dialect(lhs, rhs):
            return replace(unit, meant="definition", note="notation")
        demanded = classes.CONDITION.search(before) is not None
        if demanded and (zero or found is None or self.not_fresh(found)):
            if found is not None and not zero and found.args is None and self.solves(found, rhs):
                return self.conclusion(r, unit, found)
            if not derivative or zero:
                return self.condition(r, unit)
        if classes.STRONGLY_ASSUMES.search(before) and not derivative and (found is None or not self.gives(found)):
            return self.condition(r, unit)
        if not r.formula.display and not derivative and self.is_aside(before, found):
            return self.condition(r, unit)
        if derivative and found is None or (found is not None and found.name.primes and not self.named_prime(found)):
            return replace(unit, meant="claim")
        if found is None:
            stated = link.relation in (":=", "≡") and isinstance(lhs, Name)
            return replace(unit, meant="definition" if stated else "claim")
        return self.with_head(r, unit, found, before)

    def defining(self, lhs: Expr, link: Link) -> tuple[Head | None, Link]:
        return defining(lhs, link, self.section.roles.composite)

    def solves(self, found: Head, rhs: Expr) -> bool:
        """w = …, without w on the right, where something is differentiated by w."""
        key = self.section.roles.full_key(found.name)[0]
        return self.is_variable(key) and not self.holds(key, rhs)

    def named_prime(self, found: Head) -> bool:
        return self.section.roles.full_key(found.name)[0] + "'" in self.section.frame.options

    def is_aside(self, before: str, found: Head | None) -> bool:
        """"if A = A^T", "orthogonal, that is Q^T Q = I": said of what is there, inline."""
        if re.search(r"\b(?:if|when|whenever|provided(?: that)?|in case)\s*\Z", before, re.IGNORECASE):
            return found is None or self.not_fresh(found) or True
        said = re.search(r"\b(?:that is|i\.e\.|meaning|so that|with)\s*,?\s*\Z", before, re.IGNORECASE)
        words = re.search(r"\b(?:orthogonal|orthonormal|symmetric|unit|normali[sz]ed|idempotent|distribution)\b", before, re.IGNORECASE)
        return found is None and said is not None and words is not None

    def gives(self, found: Head) -> bool:
        """The equation gives a function, or a letter that nothing is differentiated by and that has no meaning yet."""
        return found.args is not None and not self.not_fresh(found)

    def not_fresh(self, found: Head) -> bool:
        key = self.section.roles.full_key(found.name)[0]
        return key in self.defined or self.is_variable(key)

    def is_variable(self, key: str) -> bool:
        """Something is differentiated by it, or J(w) depends on it."""
        use = self.section.roles.arrays.get(key)
        by = use is not None and any(use.by[b] for b in ("∂", "d", "∇"))
        return by or any(key in of.split(",") for of in self.section.frame.of.values())

    def with_head(self, r: Record, unit: Unit, found: Head, before: str) -> Unit:
        section, link = self.section, unit.link
        key, items, layered = section.roles.full_key(found.name)
        rhs = link.rhs
        stated = link.relation in (":=", "≡") or classes.STIPULATES.search(before) is not None
        if self.table.known_name(key, layered):
            return self.declared_head(r, unit, key, stated)
        gives_function = found.args is not None and (key in self.table.functions or key in self.table.macros)
        gives_function &= self.table.functions.get(key) is not section.base.functions.get(key) or key in self.table.macros
        if key in self.table.functions and not gives_function:
            return replace(unit, meant="claim")
        base_letter = re.sub(r"\\(?:hat|bar|tilde|widehat|overline|check)\{(.+)\}", r"\1", key).split("^")[0]
        solved = classes.SOLVED.search(before) is not None
        variable = self.is_variable(key) or (base_letter != key and self.is_variable(base_letter))
        if (solved and variable and found.args is None) or (
            self.stationary and variable and found.args is None and key not in self.defined and not stated
            and self.stationary[-1][1] <= r.at and not classes.is_derivative(rhs) and self.is_variable(key)
        ):  # fmt: skip
            return self.conclusion(r, unit, found)
        again = key in self.defined
        if again and gives_function:
            known = self.text_of(self.defined[key])
            same = self.same_right_side(key, rhs)
            if same or stated or (r.formula.row != known):
                return replace(unit, meant="definition")
            return replace(unit, meant="claim")
        if gives_function:
            self.defined[key] = r.at
            return replace(unit, meant="definition", note="function")
        if again:
            if self.same_right_side(key, rhs):
                return replace(unit, meant="definition", note="said before")
            moved = r.formula.row != self.records[self.defined[key]].formula.row
            if stated or moved:
                return self.define(r, unit, key)
            return replace(unit, meant="claim")
        if items and not self.free_items(found.name):
            return replace(unit, meant="claim")
        if self.holds(key, rhs) and not self.shifted(found.name, rhs):
            return replace(unit, meant="claim")
        if classes.GRADIENT.search(before) and not classes.GIVEN.search(before) and not classes.is_derivative(rhs) and not (
            classes.holds_derivative(rhs) or isinstance(rhs, Num)
        ):  # fmt: skip
            message = f"which derivative {key} is to be is not settled: write it as ∂ … / ∂ …"
            self.section.unread.add(key)
            return replace(unit, meant="claim", error=Unsettled(message, unit.span, r.formula.where))
        if self.is_adjoint(key) and not classes.is_derivative(rhs):
            return replace(unit, meant="claim")
        return self.define(r, unit, key)

    def text_of(self, at: int) -> int:
        return self.records[at].formula.row

    def same_right_side(self, key: str, rhs: Expr) -> bool:
        return any(d.key == key and d.chain.links[0].rhs == rhs for d in self.section.definitions) or any(
            c.link.rhs == rhs and c.record != -1
            for c in self.section.roles.candidates
            if self.section.roles.full_key(c.head.name)[0] == key and c.record == self.defined.get(key)
        )

    def free_items(self, name: Name) -> bool:
        """Each subscript is an index of its own: a_i, w_{jk}; not a_1 or w_{ii}."""
        items = [i for i in (name.sub.items if name.sub else ()) if not isinstance(i, Words)]
        names = [i.letter + "'" * i.primes for i in items if isinstance(i, Name)]
        return len(names) == len(items) == len(set(names)) and all(n in self.table.indices for n in names)

    def holds(self, key: str, rhs: Expr) -> bool:
        return any(isinstance(n, Name) and self.section.roles.full_key(n)[0] == key for n in walk(rhs))

    def shifted(self, head_name: Name, rhs: Expr) -> bool:
        """z^l = … z^{l-1}: a recurrence over layers."""
        return any(
            isinstance(n, Name) and key_of(n) == key_of(head_name) and n.sups != head_name.sups for n in walk(rhs)
        ) and self.section.roles.full_key(head_name)[2]

    def define(self, r: Record, unit: Unit, key: str) -> Unit:
        head_, link = self.defining(unit.lhs, unit.link)
        lhs = unit.lhs if head_ is None or link is unit.link else head_.name
        chain = Chain((lhs,), (replace(link, relation="="),), (unit.lhs.span[0], unit.link.span[1]))
        given = Given(key, chain, r.formula.text, r.at, r.formula.where)
        self.defined[key] = r.at
        self.section.definitions.append(given)
        return replace(unit, meant="definition", given=given)

    def declared_head(self, r: Record, unit: Unit, key: str, stated: bool) -> Unit:
        """The left side is a name that the author declared: the rules of its table."""
        try:
            lhs = Resolver(self.table).expr(unit.lhs)
            rhs = Resolver(self.table).expr(unit.link.rhs)
        except (SymbackpropError, RecursionError):
            return unit
        symbol = head(lhs)
        if symbol is None:
            return replace(unit, meant="definition") if stated and isinstance(lhs, Transpose) else unit
        array = self.table.layered.get(symbol.name) if symbol.label else self.table.arrays.get(symbol.name)
        if array is None or array.role == "constant" or (isinstance(lhs, Entry) and not free_indices(lhs)):
            return unit
        known = definition_of(symbol, self.table)
        link = Link("=", rhs, unit.link.span)
        chain = Chain((lhs,), (link,), (lhs.span[0], unit.link.span[1]))
        if known is not None and finer(symbol, lhs, rhs, known, self.table):
            return self.redefine(r, unit, chain)
        if known is not None:
            return replace(unit, meant="definition") if restates(lhs, rhs, known, self.table) else unit
        if circular(symbol, rhs, self.table) or not consistent(lhs, rhs, self.table):
            return unit
        return self.redefine(r, unit, chain)

    def redefine(self, r: Record, unit: Unit, chain: Chain) -> Unit:
        self.table = self.section.frame.table = define(self.table, chain, r.formula.text, r.formula.where)
        return replace(unit, meant="definition", note="declared")

    # --- conditions and conclusions ----------------------------------------------------------

    def condition(self, r: Record, unit: Unit) -> Unit:
        zero = isinstance(unit.link.rhs, Num) and unit.link.rhs.value == 0
        chain = Chain((unit.lhs,), (replace(unit.link, relation="="),), unit.span)
        if zero or classes.holds_derivative(unit.lhs):
            self.stationary.append((chain, r.at))
        else:
            self.hypothesis(r, chain)
        return replace(unit, meant="condition")

    def assume(self, r: Record, lhs: Expr, link: Link) -> None:
        """c > 0 is a hypothesis from there on; a comparison of indices is not."""
        if link.relation in (">", "<", "≥", "≤", "≠") and isinstance(lhs, Name) and not self.on_indices(
            Chain((lhs,), (link,), link.span)
        ):  # fmt: skip
            self.hypothesis(r, Chain((lhs,), (link,), link.span))

    def hypothesis(self, r: Record, chain: Chain) -> None:
        self.section.stated.append((chain, r.formula.text, r.formula.where))

    def conclusion(self, r: Record, unit: Unit, found: Head) -> Unit:
        return replace(unit, meant="conclusion")

    # --- notations ---------------------------------------------------------------------------

    def names_dialect(self, lhs: Expr, rhs: Expr) -> bool:
        """dO = ∂L/∂O names the derivatives: from there dX is ∂L/∂X."""
        match lhs, rhs:
            case Product((Name("d", _, None, ()), Name() as x)), Derivative(Name() as loss, (Name() as wrt,)):
                if key_of(x) == key_of(wrt):
                    self.table = self.section.frame.table = replace(self.table, upstream=key_of(loss))
                    return True
        return False

    def is_stack(self, lhs: Expr, rhs: Expr) -> bool:
        """X = [x_1, …, x_m], or its rows above each other with dots between."""
        return isinstance(lhs, Name) and stacked_items(rhs) is not None

    def stacks(self) -> None:
        """Which vectors are the rows or columns of which matrix: said, written out, or by their letters."""
        section, options = self.section, self.section.frame.options
        for whole, (item, axis) in section.facts.rows_of.items():
            if whole in options and item in options:
                section.rows_of[whole] = (item, axis)
        for r in self.records:
            for part in r.loose.parts if r.loose is not None else ():
                chain = part.chain
                subject = chain.subjects[-1]
                found = stacked_items(chain.links[0].rhs) if chain.links else None
                if found is not None and isinstance(subject, Name) and key_of(subject) in options:
                    section.rows_of[key_of(subject)] = found
        for key, option in section.chosen.items():
            if option.rank == 2 and option.family == 0 and key not in section.rows_of and not key.endswith(AT):
                lower = {"Φ": "φ", "Ψ": "ψ"}.get(key, key.lower())
                item = section.chosen.get(lower)
                if lower != key and item is not None and item.family == 1 and item.rank == 2:
                    section.rows_of[key] = (lower, section.facts.stacked.get(key, "row"))

    def adjoints(self) -> None:
        """"The bar denotes the adjoint, v̄ = ∂C/∂v": ū is ∂C/∂u."""
        section = self.section
        mark = section.facts.adjoint
        self.adjoint_keys: set[str] = set()
        if section.facts.short_d:
            self.table = section.frame.table = replace(self.table, upstream=section.facts.short_d)
        for r in self.records:
            for part in r.loose.parts if r.loose is not None else ():
                if part.chain.links:
                    self.names_dialect(part.chain.subjects[-1], part.chain.links[0].rhs)
        if not mark:
            return
        loss: Expr | None = None
        for c in section.roles.candidates:
            match c.head.name, c.link.rhs:
                case Name(letter, m), Derivative(Name() as body, (Name(v),)) if m == mark and letter == v:
                    loss = body
        if loss is None:
            return
        for key in list(section.frame.options):
            found = re.fullmatch(rf"\\{mark}\{{(.+)\}}", key)
            if found and found[1] in section.frame.options:
                name = Name(found[1])
                chain = Chain((Name(found[1], mark),), (Link("=", Derivative(loss, (name,))),))
                section.definitions.append(Given(key, chain, "", -1))
                section.solver.pieces.append(Piece(-1, chain, section.solver.keys(chain, self.records[0])))
                self.adjoint_keys.add(key)
        section.solve()

    def softmaxes(self) -> None:
        """"P is the softmax of each row of S": a definition in words."""
        for of, argument, _ in self.section.facts.softmaxes:
            if of in self.section.frame.options and argument in self.section.frame.options:
                word = Operator("function", "softmax")
                inner = Paren((Chain((as_name(argument),), ()),), "(")
                chain = Chain((as_name(of),), (Link("=", Product((word, inner), ("",))),))
                self.section.definitions.append(Given(of, chain, "", -1))
                self.defined[of] = 0

    def is_adjoint(self, key: str) -> bool:
        return key in self.adjoint_keys

    # --- from a unit to readings -------------------------------------------------------------

    def plain(self, kind: Kind, r: Record, span: Span, error: ReadError | None = None, note: str = "") -> Reading:
        return Reading(kind, r.formula, span, self.table, error=error, note=note)

    def reading_of(self, u: Unit) -> list[Reading]:
        r = self.records[u.record]
        base = Reading("remark", r.formula, u.span, self.table, left=u.left, note=u.note)
        if u.error is not None:
            return [replace(base, kind="claim", error=u.error)]
        match u.meant:
            case "remark" | "side":
                return [self.remark(base, u)]
            case "condition":
                return [replace(base, kind="condition")]
            case "shape":
                return [self.shape(base, u, r)]
            case "definition" | "redefinition":
                return [self.definition(base, u, r)]
            case "conclusion":
                return [self.concluded(base, u, r)]
            case _:
                return [self.claim(base, u, r)]

    def remark(self, base: Reading, u: Unit) -> Reading:
        return replace(base, relation=u.link.relation)

    def shape(self, base: Reading, u: Unit, r: Record) -> Reading:
        lone = u.link.relation == ""
        names = [n for n in walk(u.lhs) if isinstance(n, Name)]
        options = self.section.frame.options
        keys = [self.section.roles.full_key(n)[0] for n in names]
        new = any(k in options or k + AT in options for k in keys)
        if new and not lone and isinstance(u.lhs, (Name, Dots)):
            return replace(base, kind="definition", note="shape")
        try:
            table = self.table
            if new:
                table = self.section.table(Chain((u.lhs,), (), u.span), r.at)
            base = replace(base, declarations=table)
            resolver = Resolver(table)
            lhs = resolver.expr(u.lhs)
            rhs = None if lone else resolver.expr(u.link.rhs)
        except ReadError as error:
            return replace(base, kind="claim", error=error.located(r.formula.where))
        if not lone and not is_shape(rhs, self.table) and not isinstance(rhs, (Shape, ShapeWord, Matrix)):  # type: ignore[arg-type]
            return replace(base, kind="remark")
        return replace(base, kind="shape", lhs=lhs, relation=u.link.relation, rhs=rhs)

    def definition(self, base: Reading, u: Unit, r: Record) -> Reading:
        if u.note in ("function", "rows", "in words", "notation") or isinstance(u.link.rhs, (Words, Num)):
            return replace(base, kind="definition", relation=u.link.relation)
        chain = Chain((u.lhs,), (u.link,), u.span)
        built = self.built(base, chain, r, without=u.given)
        return replace(built, kind="definition")

    def claim(self, base: Reading, u: Unit, r: Record) -> Reading:
        chain = Chain((u.lhs,), (u.link,), u.span)
        section = self.section
        names = [section.roles.full_key(n)[0] for n in walk(chain) if isinstance(n, Name)]
        blocked = section.opaque([*section.keys(chain), *names], r.at)
        if blocked:
            message = f"the definition of {blocked} could not be read, and this rests on it"
            return replace(base, kind="claim", error=Unsettled(message, u.span, r.formula.where))
        reading = self.built(base, chain, r, conditions=u.conditions)
        if reading.error is not None:
            return reading
        reading = replace(reading, introduced=self.introduced(u, r))
        return self.with_rivals(reading, base, chain, u, r)

    def introduced(self, u: Unit, r: Record) -> str:
        section = self.section
        sides = [set(section.keys(Chain((x,), (), u.span))) for x in (u.lhs, u.link.rhs)]
        for key in sorted(sides[0] ^ sides[1]):
            name = key.removesuffix(AT)
            if name in section.solver.said or name in section.facts.ranks or section.definition(key, r.at) is not None:
                continue
            if section.first_use(key) >= r.at and (section.before is None or name not in section.before.roles.arrays):
                return name
        return ""

    def with_rivals(self, reading: Reading, base: Reading, chain: Chain, u: Unit, r: Record) -> Reading:
        section = self.section
        rivals: list[tuple[str, Reading]] = []
        involved = self.involved(chain, r.at)
        clashes: int | None = None
        for key in involved:
            for option in section.solver.rivals(key, section.chosen, r.at):
                chosen = {**section.chosen, key: option}
                if clashes is None:
                    clashes = section.clashes(chain, r.at, section.chosen)
                if section.clashes(chain, r.at, chosen) > clashes:
                    continue
                other = self.built(base, chain, r, conditions=u.conditions, chosen=chosen)
                rivals.append((f"{key.removesuffix(AT)} {spoken(option)}", other))
        if self.other_layout_admissible(r):
            layout = "numerator" if section.layout == "gradient" else "gradient"
            other = self.built(base, chain, r, conditions=u.conditions, layout=layout)
            if other.declarations != reading.declarations:
                rivals.append((f"{layout} layout", other))
        return replace(reading, rivals=tuple(rivals))

    def involved(self, chain: Chain, at: int) -> list[str]:
        """The letters of a claim and of what it rests on."""
        found = dict.fromkeys(self.section.keys(chain))
        work = list(found)
        while work:
            d = self.section.definition(work.pop(), at)
            for k in self.section.keys(d.chain) if d is not None else ():
                if k not in found:
                    found[k] = None
                    work.append(k)
        return [k for k in found if k in self.section.frame.options and len(self.section.frame.options[k]) > 1]

    def other_layout_admissible(self, r: Record) -> bool:
        """The other layout fits the section's other claims as well, or the text weighs one against another."""
        section = self.section
        if section.base.layout or not section.frame.options:
            return False
        if _COMPARED.search(r.formula.before) or _COMPARED.search(r.formula.after[:60]):
            return True
        here = section.layout
        costs = []
        for layout in (here, "numerator" if here == "gradient" else "gradient"):
            section.solver.layout = layout
            costs.append(sum(section.solver.cost(p, section.chosen)[1] for p in section.solver.pieces if p.record != r.at))
        section.solver.layout = here
        return costs[1] < costs[0]

    def built(
        self, base: Reading, chain: Chain, r: Record, without: Given | None = None, conditions: Sequence[Chain] = (),
        chosen: dict[str, Option] | None = None, layout: str = "",
    ) -> Reading:  # fmt: skip
        """The sides resolved under the table of their statement."""
        section = self.section
        table = self.table
        try:
            if section.frame.options:
                table = section.table(chain, r.at, without, chosen, layout)
            return self.resolved(replace(base, kind="claim", declarations=table), chain, conditions, table)
        except ReadError as error:
            return replace(base, kind="claim", declarations=table, error=self.softened(error.located(r.formula.where)))
        except RecursionError:
            deep = Unsettled("nested too deeply, or definitions that lead to each other", base.span, r.formula.where)
            return replace(base, kind="claim", declarations=table, error=deep)

    def resolved(self, base: Reading, chain: Chain, conditions: Sequence[Chain], table: Declarations) -> Reading:
        resolver = Resolver(table)
        resolver.look(chain)
        inner: list[Chain] = []
        lhs = unnested(resolver.expr(chain.subjects[-1]), inner)
        rhs = unnested(resolver.expr(chain.links[0].rhs), inner)
        section = self.section
        lhs, rhs = (cast(Expr, section.explicit(x, table)) for x in (lhs, rhs))
        lhs, rhs, table = section.rewritten(lhs, rhs, table)
        assumed: list[str] = []
        for c in conditions:
            found = resolver.condition(c)
            if any(isinstance(n, IndexName) for n in walk(found)):
                lhs, rhs = conditioned(found, lhs, rhs)
            else:
                more = Definition(found, self.spelled(c), base.formula.where)
                table = replace(table, hypotheses=(*table.hypotheses, more))
                continue
            assumed.append(self.spelled(c))
        return replace(
            base, declarations=table, lhs=lhs, relation=chain.links[0].relation, rhs=rhs, assumed=tuple(assumed)
        )

    def spelled(self, c: Chain) -> str:
        """A condition as the author wrote it."""
        for r in self.records:
            if r.loose is not None and any(p.chain is c for p in r.loose.parts):
                return r.formula.text[c.span[0] : c.span[1]].strip()
        return "the condition above"

    def softened(self, error: ReadError) -> ReadError:
        """What is not understood in an inferred text is unknown, not ill-formed."""
        if isinstance(error, Unsettled) or not self.table.inferred or not self.section.frame.options:
            return error
        return Unsettled(error.message, error.span, error.where, error.undeclared)

    def concluded(self, base: Reading, u: Unit, r: Record) -> Reading:
        """w = … said to solve ∂J/∂w = 0: put in, the condition must hold."""
        condition = self.to_solve(u, r)
        if condition is None:
            message = "what this solves is not stated as an equation"
            return replace(base, kind="claim", error=Unsettled(message, u.span, r.formula.where))
        section = self.section
        blocked = section.opaque(section.keys(condition), r.at)
        if blocked:
            message = f"the definition of {blocked} could not be read, and this rests on it"
            return replace(base, kind="claim", error=Unsettled(message, u.span, r.formula.where))
        found = head_of(u.lhs)
        assert found is not None
        variable = Given(
            section.roles.full_key(found.name)[0], Chain((u.lhs,), (replace(u.link, relation="="),), u.span),
            r.formula.text, r.at, r.formula.where,
        )  # fmt: skip
        own = Chain((u.lhs,), (u.link,), u.span)
        try:
            alone = self.built(base, own, r)
            if alone.error is not None:
                return alone
            table = section.table(condition, r.at, None, extra=(variable,))
            table = replace(table, solved=frozenset((variable.key,)))
            made = self.resolved(replace(base, kind="claim", declarations=table), condition, (), table)
        except ReadError as error:
            return replace(base, kind="claim", error=self.softened(error.located(r.formula.where)))
        return replace(made, note="put into the condition it is said to solve", also=alone)

    def to_solve(self, u: Unit, r: Record) -> Chain | None:
        """The condition that holds the variable, else the gradient by it of the last loss that depends on it."""
        found = head_of(u.lhs)
        assert found is not None
        key = self.section.roles.full_key(found.name)[0]
        for chain, at in reversed(self.stationary):
            if chain is not None and at <= r.at and self.holds_key(key, chain):
                return chain
        for d in reversed(self.section.definitions):
            if d.record <= r.at and self.section.frame.of.get(d.key, "") and key in self.section.frame.of[d.key].split(","):
                loss = d.chain.subjects[0]
                name = loss.args[0] if isinstance(loss, Product) else loss
                gradient = Derivative(name, (found.name,), False, u.span)
                return Chain((gradient,), (Link("=", Num(Fraction(0), u.span), u.span),), u.span)
        return None

    def holds_key(self, key: str, chain: Chain) -> bool:
        return any(isinstance(n, Name) and self.section.roles.full_key(n)[0] == key for n in walk(chain))


def conditioned(c: Chain, lhs: Expr, rhs: Expr) -> tuple[Expr, Expr]:
    """Both sides under a condition on indices: put in for an equality, else times 1 where it holds."""
    left, link = c.subjects[-1], c.links[0]
    match left, link:
        case IndexName(a), Link("=", IndexName(b)):
            return renamed(lhs, b, a), renamed(rhs, b, a)
    hold = Indicator(c, c.span)
    return Product((hold, lhs), ("",), lhs.span), Product((hold, rhs), ("",), rhs.span)


def renamed(node: Expr, old: str, new: str) -> Expr:
    def go(n: object) -> object:
        if isinstance(n, IndexName) and n.name == old:
            return replace(n, name=new)
        return mapped(n, go)

    return cast(Expr, go(node))


def loosened(node: Expr, inner: list[Chain]) -> Expr:
    """f(z = W a + b) says f(z), and z = W a + b besides."""
    if isinstance(node, Paren) and node.opening == "(" and any(c.links for c in node.chains):
        inner.extend(c for c in node.chains if c.links)
        return replace(node, chains=tuple(Chain((c.subjects[-1],), (), c.span) for c in node.chains))
    if isinstance(node, Matrix):
        return node
    return cast(Expr, mapped(node, lambda c: tuple(loosened(x, inner) for x in c) if isinstance(c, tuple) and all(
        not isinstance(x, (Chain, tuple)) for x in c) else c if isinstance(c, (Chain, tuple)) else loosened(cast(Expr, c), inner)))


def stacked_items(rhs: Expr) -> tuple[str, str] | None:
    """The x of [x_1, …, x_m] or of rows x_1^T above dots, and whether it is a row or a column."""
    if isinstance(rhs, Paren) and rhs.opening == "[" and len(rhs.chains) > 1:
        names = [c.subjects[0] for c in rhs.chains if not c.links]
        axis = "column"
    elif isinstance(rhs, Matrix) and any(isinstance(c, Dots) for row in rhs.rows for c in row):
        flat = [c for row in rhs.rows for c in row]
        names, axis = flat, "row" if all(len(row) == 1 for row in rhs.rows) else "column"
        if len(rhs.rows) > 1 and len(rhs.rows[0]) > 1:
            return None
    else:
        return None
    letters = {key_of(n) for n in names if isinstance(n, Name) and (n.sub is not None or n.sups)}
    if len(letters) != 1 or not any(isinstance(n, Dots) for n in names):
        return None
    return next(iter(letters)), axis


def as_name(key: str) -> Name:
    found = re.fullmatch(r"\\(\w+)\{(.+)\}", key)
    return Name(found[2], found[1]) if found else Name(key)


def unread_names(written: str) -> set[str]:
    found = re.fullmatch(r"\\(\w+)\s*\{\\?(\w+)\}", written.strip())
    if found:
        inner = GREEK.get(found[2], found[2])
        return {inner, f"\\{found[1]}{{{inner}}}"}
    bare = written.strip().removeprefix("\\")
    return {GREEK.get(bare, bare)}


def spoken(option: Option) -> str:
    inner = option.rank - option.family
    words = ("a number", "a vector", "a matrix", "an array")[min(inner, 3)]
    return f"is {words}" if not option.family else f"counts {words}s"


__all__ = ["Definition", "Formula", "SectionReader"]
