"""What else a claim could mean: other kinds of letters, other layouts, what may be held fixed; what leaves it open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..grammar.tree import Call, Chain, Derivative, Name, Operator, Symbol, Transpose
from ..grammar.walking import walk
from ..inferred.above import Given
from ..inferred.occurrences import key_of
from ..inferred.options import AT, Option
from ..inferred.said import Record
from .conditions import spoken
from .heads import Unit
from .layouts import Layouts
from .statements import Reading

WITHOUT = "as without this formula"


_EXPECTATIONS = frozenset((r"\mathbb{E}", r"\mathbb{V}", r"\mathbb{P}"))


class Rivals(Layouts):
    def built(
        self, base: Reading, chain: Chain, r: Record, without: Given | None = None, conditions: Sequence[Chain] = (),
        chosen: dict[str, Option] | None = None, layout: str = "",
    ) -> Reading:  # fmt: skip
        raise NotImplementedError

    def among_many(self, chain: Chain) -> str:
        """∂/∂u_o where Σ_w u_w is summed over: whether u_o is one of these is not settled."""
        options = self.section.frame.options
        for n in walk(chain):
            for v in n.wrt if isinstance(n, (Derivative, Operator)) else ():
                if isinstance(v, Name) and v.sub is not None:
                    whole, base = self.section.roles.full_key(v)[0], key_of(v)
                    if whole != base and base in options and self.section.chosen[base].family:
                        return f"whether {whole} is one of the {base} that are summed over is not settled"
        return ""

    @staticmethod
    def transposed_number(reading: Reading) -> str:
        """The capital letter of a W^T that was read as a number."""
        arrays = reading.declarations.arrays
        found = (n.arg.name for x in (reading.lhs, reading.rhs) for n in walk(x)
                 if isinstance(n, Transpose) and isinstance(n.arg, Symbol) and n.arg.name[:1].isupper())  # fmt: skip
        return next((name for name in found if name in arrays and not arrays[name].shape), "")

    @staticmethod
    def nowhere_given(reading: Reading) -> str:
        """v = mask(z, m): a word that nothing gives, and that only a definition holds, refutes nothing."""
        table = reading.declarations
        words = {n for n, f in table.functions.items() if len(n) > 1 and n.isalpha() and not f.body}
        inside = {n.function for d in table.definitions for n in walk(d.chain) if isinstance(n, Call)}
        shown = {n.function for x in (reading.lhs, reading.rhs) for n in walk(x) if isinstance(n, Call)}
        if any(n.name in _EXPECTATIONS for x in (reading.lhs, reading.rhs) for n in walk(x) if isinstance(n, Symbol)):
            return "of an expectation only that it is linear is known here"
        names = sorted(str(getattr(f, "name", f)) for f in inside - shown)
        return next((f"nothing says what {f} is" for f in names if f in words), "")

    def introduced(self, u: Unit, r: Record) -> str:
        section = self.section
        sides = [set(section.keys(Chain((x,), (), u.span))) for x in (u.lhs, u.link.rhs)]
        for key in sorted(sides[0] ^ sides[1]):
            name = key.removesuffix(AT)
            if any(item == key and axis == "entry" for item, axis in section.rows_of.values()):
                continue
            if name in section.solver.said or name in section.facts.ranks or section.definition(key, r.at) is not None:
                continue
            if section.first_use(key) >= r.at and name not in section.above.arrays:
                return name
        return ""

    def with_rivals(self, reading: Reading, base: Reading, chain: Chain, u: Unit, r: Record) -> Reading:
        section = self.section
        rivals: list[tuple[str, Reading]] = []
        involved = self.involved(chain, r.at)
        clashes: int | None = None
        for key in involved:
            for option, better in section.solver.rivals(key, section.chosen, r.at):
                chosen = {**section.chosen, key: option}
                if clashes is None:
                    clashes = section.clashes(chain, r.at, section.chosen)
                if section.clashes(chain, r.at, chosen) > clashes:
                    continue
                other = self.built(base, chain, r, conditions=u.conditions, chosen=chosen)
                words = f"{key.removesuffix(AT)} {spoken(option)}"
                rivals.append((f"{words}, {WITHOUT}" if better else words, other))
        for d in self.in_between(chain, r.at):
            rivals.append((f"{d.key} is held fixed", self.built(base, chain, r, d, u.conditions)))
        for layout in self.other_layouts(r):
            other = self.built(base, chain, r, conditions=u.conditions, layout=layout)
            rivals.append((f"{layout} layout", other))
        return replace(reading, rivals=tuple(rivals))

    def in_between(self, chain: Chain, at: int) -> list[Given]:
        """Of ∂x̂/∂μ with x̂ = (x - μ)/σ and σ by μ: the definition of σ, which may be meant to be held fixed."""
        section = self.section
        by = {
            section.roles.full_key(v)[0] for n in walk(chain) if isinstance(n, (Derivative, Operator)) for v in n.wrt
            if isinstance(v, Name)
        }  # fmt: skip
        by = {k for k in by if section.definition(k, at) is not None}
        if not by:
            return []
        _, given = section.rests_on(chain, at, section.chosen)
        rests = {d.key: set(section.keys(d.chain)) - {d.key} for d in given}
        beside = {k for keys in rests.values() if by & keys for k in keys}  # what stands in one formula with it
        return [d for d in given if d.key in beside - by and by & rests[d.key]]

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
