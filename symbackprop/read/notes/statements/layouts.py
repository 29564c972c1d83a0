"""The layout that a statement is read in: one for a section, unless the text weighs several or none of it fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from symbackprop.core.terms import SymbackpropError

from ..declared.said_in_prose import layout_named
from ..grammar.tree import Chain, Derivative, Name, Transpose
from ..grammar.walking import walk
from ..inferred.conform_operations import UNIT
from ..inferred.notations import shape_of
from ..inferred.options import Option
from ..inferred.said import Record
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
        if not in_numbers(chain) or any(section.definition(k, r.at) is not None for k in keys):
            return None
        arrays = [k for k in keys if section.chosen[k].rank]
        if not arrays or any(map(self.surely_array, arrays)) or section.fits(chain, r.at, section.layout):
            return None
        return {**section.chosen, **dict.fromkeys(keys, Option((), "scalar"))}

    def as_numbers(self, chain: Chain, involved: Sequence[str]) -> dict[str, Option]:
        """The letters that are arrays elsewhere, as numbers, where nothing in a statement speaks against that."""
        section = self.section
        arrays = [k for k in involved if section.chosen[k].rank]
        names = [n for n in walk(chain) if isinstance(n, Name)]
        if any(map(self.surely_array, arrays)) or not without_arrays(chain):
            return {}
        if any(section.roles.full_key(n)[1] or section.roles.full_key(n)[2] for n in names):
            return {}
        return dict.fromkeys(arrays, Option((), "scalar"))

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
