"""The layout that a statement is read in: one for a section, unless the text weighs several or none of it fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from symbackprop.core.terms import SymbackpropError

from ..declared.said_in_prose import layout_named
from ..grammar.tree import Chain, Derivative, Name, Paren, Product, Transpose
from ..grammar.walking import walk
from ..inferred.above import Given
from ..inferred.conform_operations import UNIT
from ..inferred.notations import shape_of
from ..inferred.occurrences import key_of
from ..inferred.options import Option
from ..inferred.said import Record, head_of
from ..inferred.section import LAYOUTS
from ..inferred.solver import in_numbers, without_arrays
from . import classes
from .claims import Unequal, elaborate
from .intents import Intents
from .statements import Reading

_COMPARED = re.compile(r"\b(?:others?|another|some|alternatively|versus|vs|either|which one)\b", re.IGNORECASE)


class Layouts(Intents):
    def layout_of(self, chain: Chain, r: Record) -> str:
        """The layout in which a statement conforms, if the section's does not let it; "" for that of the section."""
        section, named = self.section, layout_named(self.sentence(r))
        if named and named != section.layout and section.fits(chain, r.at, named):
            return named
        others = self.other_layouts(r)
        if not others or section.fits(chain, r.at, section.layout):
            return ""
        return next((x for x in others if section.fits(chain, r.at, x)), "")

    @staticmethod
    def as_row(reading: Reading) -> Reading:
        """∂z/∂s = v^T of a column z by a number: laid out as a row, if it makes sense only so."""
        table, lhs = reading.declarations, reading.lhs
        if not table.inferred or table.layout == "numerator" or not isinstance(lhs, Derivative) or len(lhs.wrt) > 1:
            return reading
        if shape_of(lhs.wrt[0], table) != (UNIT, UNIT) or UNIT not in (shape_of(lhs.body, table) or ()):
            return reading
        turned = replace(reading, lhs=Transpose(lhs, lhs.span))
        return turned if not sound(reading) and sound(turned) else reading

    def numbers_alone(self, chain: Chain, r: Record) -> dict[str, Option] | None:
        """d/dx x log x = 1 + log x where x is an array elsewhere: numbers, if it makes sense only so."""
        section = self.section
        keys = section.keys(chain)
        given = {k for k in keys if section.definition(k, r.at) is not None}
        if not in_numbers(chain, [f for f, _ in self.called(chain)]):
            return None
        if not given <= {d.key for d in self.entries_given(chain, r)}:
            return None
        arrays = [k for k in keys if section.chosen[k].rank]
        sure = any(self.surely_array(k) and not self.thin(k, chain) for k in arrays)
        if not arrays or sure or section.fits(chain, r.at, section.layout):
            return None
        return {**section.chosen, **dict.fromkeys(keys, Option((), "scalar"))}

    def called(self, chain: Chain) -> list[tuple[Name, Name]]:
        """The functions of a statement that are given, with the letters that they are called with."""
        table, found = self.section.frame.table, list[tuple[Name, Name]]()
        for pair in (p for n in walk(chain) if isinstance(n, Product) for p in pairwise(n.args)):
            match pair:
                case Name() as f, Paren((Chain((Name() as x,), ()),), "("):
                    if self.section.key(f) in {*table.functions, *table.macros}:
                        found.append((f, x))
        return found

    def entries_given(self, chain: Chain, r: Record) -> list[Given]:
        """What gives r_i = …, where r is the argument of a function of one number: ρ'(r)."""
        section, names = self.section, [n for n in walk(chain) if isinstance(n, Name)]
        found = list[Given]()
        for _, x in self.called(chain):
            d = section.definition(key_of(x), r.at)
            head = head_of(d.chain.subjects[0]) if d is not None else None
            bare = all(n.sub is None for n in names if key_of(n) == key_of(x))
            if d is not None and head is not None and head.name.sub is not None and bare:
                found.append(d)
        return found

    def as_numbers(self, chain: Chain, involved: Sequence[str]) -> dict[str, Option]:
        """The letters that are arrays elsewhere, as numbers, where nothing in a statement speaks against that."""
        section = self.section
        arrays = [k for k in involved if section.chosen[k].rank]
        names = [n for n in walk(chain) if isinstance(n, Name)]
        if any(self.surely_array(k) and not self.thin(k, chain) for k in arrays) or not without_arrays(chain):
            return {}
        if any(section.roles.full_key(n)[1] or section.roles.full_key(n)[2] for n in names):
            return {}
        return dict.fromkeys(arrays, Option((), "scalar"))

    def thin(self, key: str, chain: Chain) -> bool:
        """x where the vector is printed bold, \\mathbf{x}."""
        section, use = self.section, self.section.roles.arrays.get(key)
        here = [n for n in walk(chain) if isinstance(n, Name) and section.key(n) == key]
        return use is not None and use.bold and bool(here) and not any(n.bold for n in here)

    def surely_array(self, key: str) -> bool:
        """A capital, or a letter whose shape the text says."""
        return key[:1].isupper() or key in self.section.solver.said or bool(self.section.facts.ranks.get(key))

    def other_layouts(self, r: Record) -> list[str]:
        """Layouts that fit the section's other claims as well, or all where the text weighs one against another."""
        section, solver = self.section, self.section.solver
        if section.base.layout or not section.frame.options or not classes.differentiates(self.records[r.at].loose):
            return []
        others = [x for x in LAYOUTS if x != section.layout]
        if _COMPARED.search(r.formula.before) or _COMPARED.search(r.formula.after[:60]):
            return others
        costs = {layout: solver.broken(layout, section.chosen, r.at) for layout in LAYOUTS}
        return [x for x in others if costs[x] <= costs[section.layout] and self.speaks_against(x) <= {r.at}]

    def speaks_against(self, layout: str) -> set[int]:
        """The formulas that conform in the section's layout, but not in this one."""
        known = self.against.get(layout)
        if known is None:
            section = self.section
            pieces = [p for p in section.solver.pieces if p.record >= 0]
            pieces = [p for p in pieces if classes.differentiates(self.records[p.record].loose)]
            known = self.against[layout] = {
                p.record for p in pieces
                if section.fits(p.chain, p.record, section.layout) and not section.fits(p.chain, p.record, layout)
            }  # fmt: skip
        return known


def sound(reading: Reading) -> bool:
    """The sides can be read, and their shapes agree."""
    try:
        return not isinstance(elaborate(reading), Unequal)
    except (SymbackpropError, RecursionError):
        return False
