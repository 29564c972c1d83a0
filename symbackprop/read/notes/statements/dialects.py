"""What a section writes for what: adjoints with a bar, rows stacked to a matrix, softmax in words."""

from __future__ import annotations

import re
from dataclasses import replace

from ..grammar.tree import Chain, Derivative, Expr, Link, Name, Operator, Paren, Product
from ..inferred.above import Given
from ..inferred.occurrences import key_of
from ..inferred.options import AT
from ..inferred.said import Record
from ..inferred.solver import Piece
from .classes import as_name, stacked_items
from .rivals import Rivals

ADJOINT_MARKS = ("bar", "hat", "tilde", "dot", "overline")
_ANY = re.compile(r"\b(?:each|every|any|all)\b|\bfor (?:a|an) (?:variable|quantity|node|array|tensor)\b", re.IGNORECASE)


class Dialects(Rivals):
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
