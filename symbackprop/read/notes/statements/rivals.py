"""What else a claim could mean: other kinds of letters, other layouts, what may be held fixed; what leaves it open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import cast

from symbackprop.core.terms import SymbackpropError

from ..declared.said_in_prose import layout_named
from ..declared.symbols import FunctionSymbol
from ..grammar.resolve_derivatives import ManyVariables
from ..grammar.tree import (
    Chain, Derivative, Entry, Expr, Function, IndexName, Link, Name, Operator, Paren, Product, Script, Symbol,
    Transpose,
)  # fmt: skip
from ..grammar.walking import walk
from ..inferred.above import Given
from ..inferred.conform_operations import UNIT
from ..inferred.hypotheses import FIXED, hypothesis, in_force
from ..inferred.prose_patterns import LOGISTIC_FORMULA
from ..inferred.notations import shape_of
from ..inferred.occurrences import key_of
from ..inferred.options import AT, Option
from ..inferred.said import Candidate, Record, head_of
from ..inferred.section import LAYOUTS, Section
from ..inferred.solver import in_numbers, without_arrays
from ..meaning.ranges import indices
from . import classes
from .claims import Unequal, elaborate
from .classes import conditioned, spoken
from .doubts import Doubts
from .heads import Unit
from .spoken import noisy
from .statements import Reading, Rival

_COMPARED = re.compile(r"\b(?:others?|another|some|alternatively|versus|vs|either|which one)\b", re.IGNORECASE)


class Rivals(Doubts):
    def built(
        self, base: Reading, chain: Chain, r: Record, without: Sequence[Given] = (), conditions: Sequence[Chain] = (),
        chosen: dict[str, Option] | None = None, layout: str = "", extra: Sequence[Given] = (),
        moving: Sequence[str] = (),
    ) -> Reading:  # fmt: skip
        raise NotImplementedError

    def with_rivals(self, reading: Reading, base: Reading, chain: Chain, u: Unit, r: Record) -> Reading:
        involved = self.involved_all(chain, r.at)
        fixed = self.fixed(reading, u, r)
        if fixed:
            reading = replace(reading, assumed=(*reading.assumed, f"{listed(fixed)} held fixed"))
        return replace(reading, rivals=(
            *self.of_other_kinds(base, chain, u, r, involved),
            *self.given_otherwise(reading, base, chain, u, r, involved),
            *self.conforming(reading, base, chain, u, r, involved),
            *self.held(base, chain, u, r),
            *self.moving(reading, base, chain, u, r, fixed),
            *self.otherwise(reading, r),
            *(
                Rival(f"{x} layout", self.built(base, chain, r, conditions=u.conditions, layout=x), "layout")
                for x in self.other_layouts(r)
            ),
        ))  # fmt: skip

    def of_other_kinds(
        self, base: Reading, chain: Chain, u: Unit, r: Record, involved: Sequence[str]
    ) -> Iterator[Rival]:
        """A letter as a number, a vector, a matrix: vectors are columns and capitals matrices where nothing is said."""
        section, clashes = self.section, None
        for key in (k for k in involved if len(section.frame.options[k]) > 1):
            for option, better in section.solver.rivals(key, section.chosen, r.at):
                chosen = {**section.chosen, key: option}
                if clashes is None:
                    clashes = section.clashes(chain, r.at, section.chosen)
                if section.clashes(chain, r.at, chosen) > clashes:
                    continue
                other = self.built(base, chain, r, conditions=u.conditions, chosen=chosen)
                if isinstance(other.error, ManyVariables):  # ∇ of what holds no vector then
                    continue
                letter, kind = key.removesuffix(AT), spoken(option)
                usual = better or kind == "is a column" or (kind == "is a matrix" and letter[0].isupper())
                words = f"{letter} {kind}, as without this formula" if better else f"{letter} {kind}"
                yield Rival(words, other, "usual" if usual else "other", letter)

    def held(self, base: Reading, chain: Chain, u: Unit, r: Record) -> Iterator[Rival]:
        held = [d for d in self.in_between(chain, r.at) if d.text]
        for some in [[d] for d in held] + ([held] if len(held) > 1 else []):
            words = f"{listed([d.key for d in some])} held fixed"
            yield Rival(words, self.built(base, chain, r, some, u.conditions), "rescue")
        below = [d for d in self.section.rests_on(chain, r.at, self.section.chosen)[1] if d.record > r.at]
        if below:  # "d tr(XB) = tr(dX B). Set B = X^T."
            words = f"{listed([d.key for d in below])} not yet as given below"
            yield Rival(words, self.built(base, chain, r, below, u.conditions), "rescue")

    def fixed(self, reading: Reading, u: Unit, r: Record) -> list[str]:
        """Between differentials, what the left side is made of that has no d of its own: it is held fixed."""
        arrays, section = reading.declarations.arrays, self.section
        seen = changing(reading, section)
        work, found = [*section.keys(Chain((u.lhs,), ()))] if seen else [], list[str]()
        while work:
            key = work.pop(0)
            d = section.definition(key, r.at) if key not in seen else None
            work += section.keys(d.chain) if d is not None else []
            found += [key] if key not in seen and d is None and key in arrays else []
            seen.add(key)
        return found

    def moving(
        self, reading: Reading, base: Reading, chain: Chain, u: Unit, r: Record, fixed: Sequence[str]
    ) -> Iterator[Rival]:
        """d(XY) = dX Y: Y moves, too, unless it is said to be fixed, where the section has dY or a function of Y, or
        where Y is a letter like X."""
        section, arrays, own = self.section, reading.declarations.arrays, set(self.section.keys(Chain((u.lhs,), ())))
        said = {s.of for s in in_force(section.facts.sayings, r.at) if s.what == FIXED}
        variables = {section.key(use.name) for use in section.roles.all_uses() if use.after_d}
        variables |= {v for k in own for v in section.frame.of.get(k, "").split(",")}
        like = {(stretch(k), len(arrays[k].shape)) for k in changing(reading, section)}
        alike = {k for k in own & arrays.keys() if (stretch(k), len(arrays[k].shape)) in like}
        too = [k for k in fixed if k in (variables | alike) - said]
        if too:
            words = f"{' and '.join(too)} {'moves' if len(too) == 1 else 'move'}, too"
            yield Rival(words, self.built(base, chain, r, conditions=u.conditions, moving=too), "more")

    def otherwise(self, reading: Reading, r: Record) -> Iterator[Rival]:
        """Under another table, or of other indices."""
        table = reading.declarations
        for f in table.functions.values():
            if f.name == "σ" and f.kind == "elementwise" and not f.body and self.holds_call(reading, f):
                logistic = table.with_function(replace(f, args=("z",), body=LOGISTIC_FORMULA))
                yield Rival("σ is the logistic function", replace(reading, declarations=logistic))
        for said in self.section.lapsed(r.at):
            if (more := hypothesis(said, table)) is not None:
                assumed = replace(table, hypotheses=(*table.hypotheses, more))
                yield Rival(f"{said.of} is still assumed", replace(reading, declarations=assumed), "rescue")
        if apart := self.set_apart(reading):
            lhs, rhs = conditioned(apart, cast(Expr, reading.lhs), cast(Expr, reading.rhs))
            i, j = (getattr(x, "name", "") for x in (apart.subjects[0], apart.links[0].rhs))
            yield Rival(f"{i} and {j} are different", replace(reading, lhs=lhs, rhs=rhs))

    def given_otherwise(
        self, reading: Reading, base: Reading, chain: Chain, u: Unit, r: Record, involved: Sequence[str]
    ) -> Iterator[Rival]:
        """A letter or function that the section gives several times, as one of the others."""
        section, table = self.section, reading.declarations
        keys = {*involved, *(n.name for x in (reading.lhs, reading.rhs) for n in walk(x) if isinstance(n, Function))}
        found = [(key, c) for key in sorted(keys) for c in self.candidates_of(key)] if table.inferred else []
        for key, c in found:
            d, f = section.definition(key, r.at), table.functions.get(key)
            itself = c.record == r.at and c.link.span == u.link.span
            if itself or classes.holds_derivative(c.link.rhs):
                continue
            if self.superseded(key, c, r):
                continue
            line = self.records[c.record].formula.where.at(c.chain.span[0])[0]
            words = f"{key} is as it is given in line {line}"
            if d is not None and d.record >= 0 and d.chain.links[0].rhs != c.link.rhs:
                given = Given(key, Chain((c.head.name,), (c.link,), c.chain.span), "", c.record)
                other = self.built(base, chain, r, conditions=u.conditions, extra=(given,))
                yield Rival(words, other, "rescue")
            elif f is not None and f.body and c.head.args and all(isinstance(a, Name) for a in c.head.args):
                body = self.records[c.record].formula.text[c.link.rhs.span[0] : c.link.rhs.span[1]]
                if "".join(body.split()) != "".join(f.body.split()):
                    args = tuple(key_of(a) for a in c.head.args if isinstance(a, Name))
                    another = table.with_function(replace(f, args=args, body=body))
                    yield Rival(words, replace(reading, declarations=another), "rescue")

    def candidates_of(self, key: str) -> list[Candidate]:
        """The equations that may give a letter."""
        if self._candidates is None:
            self._candidates = {}
            for c in self.section.roles.candidates:
                self._candidates.setdefault(self.section.key(c.head.name), []).append(c)
        return self._candidates.get(key, [])

    def claims(self, record: int) -> bool:
        found = self.made[record] if 0 <= record < len(self.made) else []
        return isinstance(found, list) and any(u.meant == "claim" for u in found)

    def superseded(self, key: str, c: Candidate, r: Record) -> bool:
        """The text used what it gave, then gave it anew: no list from which one is meant."""
        section = self.section
        places = [(o.record, o.chain.span) for o in self.candidates_of(key)]
        later = [at for at in places if (c.record, c.chain.span) < at < (r.at, (0, 0))]
        used = (p.record for p in section.solver.pieces if key in p.keys and c.record < p.record)
        between = (at for at in used if later and at < later[0][0] and at not in {a for a, _ in places})
        return any(map(self.claims, between))

    def conforming(
        self, reading: Reading, base: Reading, chain: Chain, u: Unit, r: Record, involved: Sequence[str]
    ) -> Iterator[Rival]:
        """Where the shapes do not go together: what is meant may be numbers, or entry by entry."""
        section, table = self.section, reading.declarations
        fits = section.fits(chain, r.at, table.layout)
        if not table.inferred or (fits and not in_numbers(chain)):
            return
        if numbers := self.as_numbers(chain, involved):
            other = self.built(base, chain, r, conditions=u.conditions, chosen={**section.chosen, **numbers})
            yield Rival(f"{' and '.join(numbers)} stand for numbers", other, "numbers")
        if not fits:
            loose = replace(reading, declarations=replace(table, loose_hadamard=True))
            yield Rival("vectors are multiplied entry by entry", loose, "rescue")

    @staticmethod
    def holds_call(reading: Reading, f: FunctionSymbol) -> bool:
        given = (d.chain for d in reading.declarations.definitions)
        nodes = (n for x in (reading.lhs, reading.rhs, *given) for n in walk(x))
        return any(n.name == f.name for n in nodes if isinstance(n, Function))

    def set_apart(self, reading: Reading) -> Chain | None:
        """i ≠ j of ∂o_j/∂z_i where the section has ∂o_i/∂z_i, too."""
        for n in (n for x in (reading.lhs, reading.rhs) for n in walk(x)):
            match n:
                case Derivative(_, (Entry(Symbol(by), (IndexName(j),)),)) if by in self.alike():
                    free = sorted(indices(cast(Expr, n), reading.declarations)[0].keys() - {j})
                    if len(free) == 1:
                        return Chain((IndexName(free[0]),), (Link("≠", IndexName(j)),))
        return None

    def alike(self) -> set[str]:
        """The z of the ∂o_i/∂z_i of the section."""
        if self._alike is None:
            self._alike = set()
            found = (n for r in self.records if r.loose is not None for n in walk(r.loose))
            for n in found:
                match n:
                    case Derivative(Name(_, _, Script() as a), (Name(_, _, Script() as b) as z,)):
                        self._alike |= {key_of(z)} if a == b else set()
                    case Product((Operator(wrt=(Name(_, _, Script() as b) as z,)), Name(_, _, Script() as a))):
                        self._alike |= {key_of(z)} if a == b else set()
        return self._alike

    def in_between(self, chain: Chain, at: int) -> list[Given]:
        """Of ∂x̂/∂μ with x̂ = (x - μ)/σ and σ by μ: the definition of σ, which may be meant to be held fixed."""
        section = self.section
        by = {
            section.key(v) for n in walk(chain) if isinstance(n, (Derivative, Operator)) for v in n.wrt
            if isinstance(v, Name)
        }  # fmt: skip
        if any(isinstance(n, Operator) and n.kind == "nabla" and not n.wrt for n in walk(chain)):  # ∇J(w)
            by |= {v for k in section.keys(chain) for v in section.frame.of.get(k, "").split(",") if v}
        _, given = section.rests_on(chain, at, section.chosen)
        rests = {d.key: set(section.keys(d.chain)) - {d.key} for d in given}
        beside = {k for keys in rests.values() if by & keys for k in keys}  # what stands in one formula with it
        given = [d for d in given if d.key in beside - by and by & rests[d.key]]
        named = any(section.definition(k, at) is not None for k in by)
        model = any(noisy(section, d.key, d.chain.links[0].rhs, d.record) for d in given)
        return given if named or model or any(self.is_variable(d.key) for d in given) else []

    # --- layouts: one for a section, unless the text weighs several or none of it fits ---

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


def listed(keys: Sequence[str]) -> str:
    return f"{' and '.join(keys)} {'is' if len(keys) == 1 else 'are'}"


def changing(reading: Reading, section: Section) -> set[str]:
    """The letters whose d stands in a relation between differentials."""
    arrays = reading.declarations.arrays
    return {k for k in arrays if f"d{k}" in arrays and f"d{k}" not in section.frame.options}


def stretch(key: str) -> tuple[bool, str]:
    """By convention u to z are variables and other letters given: of which of these, and of which case, a letter is."""
    first = key.lstrip("\\")[0]
    return first.isupper(), "u-z" if first.lower() in "uvwxyz" else "a-t" if first.isascii() else "α-ω"
