"""One section: what each of its equations is meant as, then each statement under the table of its section."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import cast

from ..declared.symbols import ArraySymbol, Declarations, Definition, SizeSymbol
from ..files.items import Formula
from ..files.place import ReadError, Unsettled
from ..grammar.means import is_outcome
from ..grammar.recurrences import OPEN
from ..grammar.resolve import Resolver
from ..grammar.resolve_derivatives import ManyVariables
from ..grammar.rewriting import is_shape
from ..grammar.tree import (
    Chain, Derivative, Dots, Expr, IndexName, Link, Matrix, Name, Num, Ones, Operator, Paren, Product, Shape, ShapeWord,
    Symbol, Words,
)  # fmt: skip
from ..grammar.walking import names, walk
from ..inferred.above import Given
from ..inferred.notations import along_chain, without_shorthand
from ..inferred.occurrences import key_of
from ..inferred.options import AT, Option
from ..inferred.said import Record, head_of
from ..inferred.solver import Piece
from .classes import as_name, conditioned, settles, stacked_items
from .heads import Unit
from .rivals import Rivals, sound
from .statements import Reading

ADJOINT_MARKS = ("bar", "hat", "tilde", "dot", "overline")
_ANY = re.compile(r"\b(?:each|every|any|all)\b|\bfor (?:a|an) (?:variable|quantity|node|array|tensor)\b", re.IGNORECASE)


class SectionReader(Rivals):
    def after(self) -> Declarations:
        """The author's table with the shapes that the text says, for a block that comes next."""
        base, options = self.section.base, self.section.frame.options
        known = set(self.section.solver.said)
        said = {k: options[k][0] for k in options if k in known and not k.endswith(AT)}
        table = replace(base, definitions=self.table.definitions)
        for name in sorted({n for o in said.values() for n in o.sizes} - set(table.sizes)):
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
        self.steps()
        self.adjoints()
        self.softmaxes()
        for r in self.records:
            self.made.append(self.units_of(r))
        units = [u for found in self.made if not isinstance(found, Reading) for u in found]
        given = {id(u): self.given(u) for u in units if u.given is not None}
        readings: list[Reading] = []
        for found in self.made:
            if isinstance(found, Reading):
                readings.append(found)
            else:
                readings += [given.get(id(u)) or self.reading_of(u) for u in found]
        return readings

    def given(self, u: Unit) -> Reading:
        """A definition; what makes no sense is marked, so that nothing that rests on it is decided."""
        reading = self.reading_of(u)
        assert u.given is not None
        alone = replace(reading, declarations=replace(reading.declarations, definitions=()))
        if reading.declarations.inferred and not sound(reading) and not sound(alone):
            self.section.unread.add(u.given.key)
        return reading

    # --- from a unit to readings -------------------------------------------------------------

    def reading_of(self, u: Unit) -> Reading:
        r = self.records[u.record]
        base = Reading("remark", r.formula, u.span, self.table, left=u.left, note=u.note)
        if u.error is not None:
            return replace(base, kind="claim", error=u.error)
        match u.meant:
            case "remark" | "side":
                return replace(base, relation=u.link.relation)
            case "condition":
                return replace(base, kind="condition")
            case "asked":
                return self.asked(base, u, r)
            case "shape":
                return self.shape(base, u, r)
            case "definition":
                return self.definition(base, u, r)
            case "conclusion":
                return self.concluded(base, u, r)
            case _:
                return self.claim(base, u, r)

    def asked(self, base: Reading, u: Unit, r: Record) -> Reading:
        """∇J = ?: the side that is there, under its table."""
        chain = Chain((u.lhs,), (), u.lhs.span)
        try:
            table = self.section.table(chain, r.at) if self.section.frame.options else self.table
            return replace(base, declarations=table, lhs=Resolver(table).expr(u.lhs))
        except (ReadError, RecursionError):
            return base

    def shape(self, base: Reading, u: Unit, r: Record) -> Reading:
        lone = u.link.relation == ""
        options = self.section.frame.options
        new = any(k in options or k + AT in options for k in self.section.names(u.lhs))
        if isinstance(u.lhs, Ones) and not u.lhs.sizes and not lone:
            return replace(base, kind="definition", note="shape")
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
        if u.note in ("function", "rows", "in words", "notation", "in a case") or isinstance(u.link.rhs, (Words, Num)):
            return replace(base, kind="definition", relation=u.link.relation)
        chain = Chain((u.lhs,), (u.link,), u.span)
        without = (u.given,) if u.given is not None else ()
        built = replace(self.built(base, chain, r, without=without), kind="definition")
        if u.given is None or built.lhs is None or built.rhs is None:
            return built
        whole = Chain((built.lhs,), (Link("=", built.rhs, u.link.span),), u.span)
        whole, table = self.section.with_hidden(u.given.key, whole, built.declarations)
        return replace(built, lhs=whole.subjects[0], rhs=whole.links[0].rhs, declarations=table)

    def claim(self, base: Reading, u: Unit, r: Record) -> Reading:
        chain = Chain((u.lhs,), (u.link,), u.span)
        if (blocked := self.blocked(base, chain, r)) is not None:
            return blocked
        layout = self.layout_of(chain, r)
        alone = self.numbers_alone(chain, r)
        apart = self.entries_given(chain, r) if alone is not None else ()
        reading = self.as_row(self.built(base, chain, r, apart, u.conditions, alone, layout))
        if reading.error is not None:
            return reading
        doubt = self.open_question(chain, reading, u, r)
        if alone is not None:
            return replace(reading, doubt=doubt)
        number = self.transposed_number(reading)
        if number:
            message = f"{number} is meant to be a matrix here, but the rest makes sense only if it is a number"
            return unsettled(base, message)
        reading = replace(reading, introduced=self.introduced(u, r), doubt=doubt, quantified=self.quantified(chain, r))
        return self.blocked(base, chain, r) or self.with_rivals(reading, base, chain, u, r)

    def blocked(self, base: Reading, chain: Chain, r: Record) -> Reading | None:
        if held := [n.letter[:-1] for n in names(chain) if n.letter.endswith(OPEN)]:
            return unsettled(base, f"how {held[0]} depends on this by way of all steps is not understood here")
        name = self.section.unreadable(chain, r.at)
        return unsettled(base, f"the definition of {name} could not be read, and this rests on it") if name else None

    def built(
        self, base: Reading, chain: Chain, r: Record, without: Sequence[Given] = (), conditions: Sequence[Chain] = (),
        chosen: dict[str, Option] | None = None, layout: str = "", extra: Sequence[Given] = (),
        moving: Sequence[str] = (),
    ) -> Reading:  # fmt: skip
        """The sides resolved under the table of their statement."""
        section, table = self.section, self.table
        try:
            if section.frame.options:
                table = section.table(chain, r.at, without, chosen, layout, extra)
            return self.resolved(replace(base, kind="claim", declarations=table), chain, conditions, table, "", moving)
        except ManyVariables as several:
            return self.by_one_of(several, replace(base, kind="claim", declarations=table), chain, conditions, r)
        except ReadError as error:
            return replace(base, kind="claim", declarations=table, error=self.softened(error.located(r.formula.where)))
        except RecursionError:
            deep = "nested too deeply, or definitions that lead to each other"
            return unsettled(replace(base, declarations=table), deep)

    def by_one_of(
        self, several: ManyVariables, base: Reading, chain: Chain, conditions: Sequence[Chain], r: Record
    ) -> Reading:
        """∇ of a formula in several letters: by the one of whose shape the other side is."""
        tried = (self.resolved(base, chain, conditions, base.declarations, by=v) for v in several.candidates)
        found = [reading for reading in tried if sound(reading)]
        if len(found) == 1:
            return found[0]
        return replace(base, error=self.softened(several.located(r.formula.where)))

    def resolved(
        self, base: Reading, chain: Chain, conditions: Sequence[Chain], table: Declarations, by: str = "",
        moving: Sequence[str] = (),
    ) -> Reading:  # fmt: skip
        resolver = Resolver(table, by=by)
        resolver.look(chain)
        unwritten = self.section.unwritten
        lhs, rhs = (unwritten.written(resolver.expr(x), table) for x in (chain.subjects[-1], chain.links[0].rhs))
        lhs, rhs, points, table = without_shorthand(lhs, rhs, table, moving)
        if points:
            at = (Definition(c, self.point_text(c, base.formula), base.formula.where) for c in points)
            table = replace(table, hypotheses=(*table.hypotheses, *at))
        assumed: list[str] = []
        if table.inferred and not table.einstein:
            lhs, rhs, over = along_chain(lhs, rhs, table)
            assumed += [f"the chain rule sums over {i}" for i in over]
        if any(is_outcome(n) for x in (lhs, rhs, *(d.chain for d in table.definitions)) for n in walk(x)):
            assumed.append("an expectation, or a mean under a bar, is that over finitely many outcomes")
        if any("↾" in key for key in table.arrays):
            assumed.append("of what follows the arrays by which the loss is differentiated its derivative counts")
        for c in conditions:
            found = resolver.condition(c)
            if any(isinstance(n, IndexName) for n in walk(found)):
                lhs, rhs = conditioned(found, lhs, rhs)
                unwritten = unwritten._replace(conditions=(*unwritten.conditions, found))
            else:
                more = Definition(found, self.spelled(c), base.formula.where)
                kept = (h for h in table.hypotheses if not settles(found, h.chain))
                table = replace(table, hypotheses=(*kept, more))
                continue
            assumed.append(self.spelled(c))
        return replace(
            base, declarations=table, lhs=lhs, relation=chain.links[0].relation, rhs=rhs, assumed=tuple(assumed),
            unwritten=unwritten,
        )  # fmt: skip

    def spelled(self, c: Chain) -> str:
        """A condition as the author wrote it."""
        for r in self.records:
            if any(x is c for x in r.chains):
                return r.formula.text[c.span[0] : c.span[1]].strip()
        return "the condition above"

    @staticmethod
    def point_text(c: Chain, formula: Formula) -> str:
        name = cast(Symbol, c.subjects[0]).name
        text = formula.text[c.span[0] : c.span[1]]
        text = "0" if text.startswith("\\lim") else text
        return f"{name} = {text}" if text else f"the equation of motion that gives {name}"

    def softened(self, error: ReadError) -> ReadError:
        """What is not understood in an inferred text is unknown, not ill-formed."""
        if isinstance(error, Unsettled) or not self.table.inferred or not self.section.frame.options:
            return error
        return Unsettled(error.message, error.span, error.where, error.undeclared)

    def concluded(self, base: Reading, u: Unit, r: Record) -> Reading:
        """w = … said to solve ∂J/∂w = 0: put in, the condition must hold."""
        condition = self.to_solve(u, r)
        if condition is None:
            self.section.unread |= {self.section.key(u.lhs)} if isinstance(u.lhs, Name) else set()
            return unsettled(base, "what this solves is not stated as an equation")
        section = self.section
        if (blocked := self.blocked(base, condition, r)) is not None:
            return blocked
        name, key = self.solving(u, r)
        value = replace(u.link, relation="=")
        variable = Given(key, Chain((name,), (value,), u.span), r.formula.text, r.at, r.formula.where)
        own = Chain((u.lhs,), (u.link,), u.span)
        try:
            alone = self.built(base, own, r)
            if alone.error is not None:
                return alone
            table = section.table(condition, r.at, extra=(variable,))
            table = replace(table, solved=frozenset((variable.key,)))
            made = self.resolved(replace(base, kind="claim", declarations=table), condition, (), table)
        except ReadError as error:
            return replace(base, kind="claim", error=self.softened(error.located(r.formula.where)))
        return replace(made, note="put into the condition it is said to solve", also=alone)

    def solving(self, u: Unit, r: Record) -> tuple[Name, str]:
        """What is solved for: ŵ and w^* are values of w, where no condition holds them themselves."""
        found = head_of(u.lhs)
        assert found is not None
        name = found.name
        bare = replace(name, mark="", sups=())
        keys = [self.section.key(n) for n in (name, bare)]
        own = any(at <= r.at and keys[0] in self.section.names(c) for c, at in self.stationary)
        own |= keys[1] in self.section.frame.moved and keys[1] not in self.section.frame.options
        name = name if own or keys[0] == keys[1] or self.is_variable(keys[0]) else bare
        return name, self.section.key(name)

    def to_solve(self, u: Unit, r: Record) -> Chain | None:
        """The condition that holds the variable, else the gradient by it of the last loss that depends on it."""
        name, key = self.solving(u, r)
        above = (c for c in reversed(self.stationary) if c[1] <= r.at and key in self.section.names(c[0]))
        condition, since = next(above, (None, -1))
        of = self.section.frame.of
        for d in reversed(self.section.definitions):
            if since < d.record <= r.at and key in of.get(d.key, "").split(","):
                loss = d.chain.subjects[0]
                loss_name = loss.args[0] if isinstance(loss, Product) else loss
                gradient = Derivative(loss_name, (name,), False, u.span)
                return Chain((gradient,), (Link("=", Num(Fraction(0), u.span), u.span),), u.span)
        macros = self.section.frame.table.macros.values()
        bare = self.section.roles.full_key(replace(name, mark="", sups=()))[0]
        of_it = [m for m in macros if [key_of(p) for p in m.params if isinstance(p, Name)] in ([key], [bare])]
        if condition is None and len(of_it) == 1:  # f(x) = …, of which other arguments are used, too
            nabla = Operator("nabla", wrt=(name,), span=u.span)
            parts = (nabla, Name(of_it[0].name, span=u.span), Paren((Chain((name,), (), u.span),), "(", span=u.span))
            return Chain((Product(parts, ("", ""), u.span),), (Link("=", Num(Fraction(0), u.span), u.span),), u.span)
        return condition

    # --- what the section writes for what: adjoints with a bar, rows stacked to a matrix, softmax in words ---

    def stacks(self) -> None:
        """Which vectors are the rows or columns of which matrix: said, written out, or by their letters."""
        section, options = self.section, self.section.frame.options
        for whole, (item, axis) in section.facts.rows_of.items():
            if whole in options and item in options:
                section.rows_of[whole] = (item, axis)
        for r in self.records:
            for chain in r.chains:
                subject = chain.subjects[-1]
                found = stacked_items(chain.links[0].rhs) if chain.links else None
                if found is not None and isinstance(subject, Name) and key_of(subject) in options:
                    section.rows_of[key_of(subject)] = found
        for key, use in section.roles.arrays.items():
            array = section.chosen.get(key.upper())
            entries = use.items == use.least == 2 and not use.bare and key.islower() and not section.defines(key)
            if entries and array is not None and array.rank == 2 and key not in section.solver.said:
                section.rows_of.setdefault(key.upper(), (key, "entry"))
        for key, option in section.chosen.items():
            if option.rank == 2 and option.family == 0 and key not in section.rows_of and not key.endswith(AT):
                lower = {"Φ": "φ", "Ψ": "ψ"}.get(key, key.lower())
                other = section.chosen.get(lower)
                if lower != key and other is not None and other.family == 1 and other.rank == 2:
                    section.rows_of[key] = (lower, section.facts.stacked.get(key, "row"))

    def steps(self) -> None:
        """The steps of a recurrence at other times, and its loss."""
        for r in self.records:
            for chain in r.more:
                name = chain.subjects[-1]
                if isinstance(name, Name) and chain.links[0].relation == "=":
                    key = self.section.key(name)
                    self.section.definitions.append(Given(key, chain, "", -1))
                    self.defined.setdefault(key, -1)

    def adjoints(self) -> None:
        """ "The bar denotes the adjoint, v̄ = ∂C/∂v": ū is ∂C/∂u."""
        section = self.section
        mark = section.facts.adjoint
        if section.facts.short_d:
            self.table = section.frame.table = replace(self.table, upstream=section.facts.short_d)
        for r in self.records:
            for chain in r.chains:
                if chain.links:
                    self.names_dialect(chain.subjects[-1], chain.links[0].rhs)
        loss: Expr | None = Name(section.facts.adjoint_of) if section.facts.adjoint_of else None
        for c in section.roles.candidates:
            match c.head.name, c.link.rhs:
                case Name(letter, m), Derivative(Name() as body, (Name(v),)) if letter == v and m in ADJOINT_MARKS:
                    if m == mark or (not mark and self.of_any(letter, self.records[c.record])):
                        mark, loss = m, body
        if loss is None:
            return
        for key in list(section.frame.options):
            found = re.fullmatch(rf"\\{mark}\{{(.+)\}}", key)
            if found and found[1] in section.frame.options:
                name = Name(found[1])
                chain = Chain((Name(found[1], mark),), (Link("=", Derivative(loss, (name,))),))
                section.definitions.append(Given(key, chain, "", -1))
                section.solver.pieces.append(Piece(-1, chain, section.solver.keys(chain)))
                self.adjoint_keys.add(key)
        self.adjoint_mark = mark
        section.solve()

    def of_any(self, letter: str, r: Record) -> bool:
        """ "For each variable v let v̄ = ∂L/∂v": v stands for all of them."""
        words = f"{self.sentence(r)} {r.formula.after[:60]}"
        elsewhere = any(u.key == letter for other in self.records if other.at != r.at for u in other.uses.uses)
        return not elsewhere or _ANY.search(words) is not None

    def softmaxes(self) -> None:
        """ "P is the softmax of each row of S": a definition in words."""
        for of, argument, _ in self.section.facts.softmaxes:
            if of in self.section.frame.options and argument in self.section.frame.options:
                word = Operator("function", "softmax")
                inner = Paren((Chain((as_name(argument),), ()),), "(")
                chain = Chain((as_name(of),), (Link("=", Product((word, inner), ("",))),))
                self.section.definitions.append(Given(of, chain, "", -1))
                self.defined[of] = 0


def unsettled(base: Reading, message: str) -> Reading:
    return replace(base, kind="claim", error=Unsettled(message, base.span, base.where))
