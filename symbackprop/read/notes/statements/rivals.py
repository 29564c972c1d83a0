"""What else a claim could mean: other kinds of letters, other layouts, what may be held fixed; what leaves it open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

from ..declared.symbols import FunctionSymbol
from ..grammar.resolve_derivatives import ManyVariables
from ..grammar.tree import (
    Chain,
    Derivative,
    Entry,
    Expr,
    Function,
    IndexName,
    Link,
    Name,
    Operator,
    Product,
    Script,
    Symbol,
)
from ..grammar.walking import walk
from ..inferred.above import Given
from ..inferred.hypotheses import hypothesis
from ..inferred.kinds import LOGISTIC
from ..inferred.occurrences import key_of
from ..inferred.options import AT, Option
from ..inferred.said import Candidate, Record
from ..inferred.solver import in_numbers
from ..meaning.lints import indices
from . import classes
from .conditions import conditioned, spoken
from .doubts import Doubts
from .heads import Unit
from .spoken import noisy
from .statements import Reading

WITHOUT = "as without this formula"
GIVEN = "is as it is given in line"
STILL = "is still assumed"
NUMBERS, ENTRIES = "stand for numbers", "are multiplied entry by entry"


class Rivals(Doubts):
    def built(
        self, base: Reading, chain: Chain, r: Record, without: Sequence[Given] = (), conditions: Sequence[Chain] = (),
        chosen: dict[str, Option] | None = None, layout: str = "", extra: Sequence[Given] = (),
    ) -> Reading:  # fmt: skip
        raise NotImplementedError

    def with_rivals(self, reading: Reading, base: Reading, chain: Chain, u: Unit, r: Record) -> Reading:
        section = self.section
        rivals: list[tuple[str, Reading]] = []
        involved = self.involved_all(chain, r.at)
        clashes: int | None = None
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
                words = f"{key.removesuffix(AT)} {spoken(option)}"
                rivals.append((f"{words}, {WITHOUT}" if better else words, other))
        rivals += self.given_otherwise(reading, base, chain, u, r, involved)
        rivals += self.conforming(reading, base, chain, u, r, involved)
        for d in (held := [d for d in self.in_between(chain, r.at) if d.text]):
            rivals.append((f"{d.key} is held fixed", self.built(base, chain, r, (d,), u.conditions)))
        if len(held) > 1:
            names = " and ".join(d.key for d in held)
            rivals.append((f"{names} are held fixed", self.built(base, chain, r, held, u.conditions)))
        for f in reading.declarations.functions.values():
            if f.name == "σ" and f.kind == "elementwise" and not f.body and self.holds_call(reading, f):
                table = reading.declarations.with_function(replace(f, args=("z",), body=LOGISTIC))
                rivals.append(("σ is the logistic function", replace(reading, declarations=table)))
        for said in section.lapsed(r.at):
            table = reading.declarations
            if (more := hypothesis(said, table)) is not None:
                table = replace(table, hypotheses=(*table.hypotheses, more))
                rivals.append((f"{said.of} {STILL}", replace(reading, declarations=table)))
        if apart := self.set_apart(reading):
            lhs, rhs = conditioned(apart, cast(Expr, reading.lhs), cast(Expr, reading.rhs))
            i, j = (getattr(x, "name", "") for x in (apart.subjects[0], apart.links[0].rhs))
            rivals.append((f"{i} and {j} are different", replace(reading, lhs=lhs, rhs=rhs)))
        for layout in self.other_layouts(r):
            other = self.built(base, chain, r, conditions=u.conditions, layout=layout)
            rivals.append((f"{layout} layout", other))
        return replace(reading, rivals=tuple(rivals))

    def given_otherwise(
        self, reading: Reading, base: Reading, chain: Chain, u: Unit, r: Record, involved: Sequence[str]
    ) -> Iterator[tuple[str, Reading]]:
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
            if d is not None and d.record >= 0 and d.chain.links[0].rhs != c.link.rhs:
                given = Given(key, Chain((c.head.name,), (c.link,), c.chain.span), "", c.record)
                yield f"{key} {GIVEN} {line}", self.built(base, chain, r, conditions=u.conditions, extra=(given,))
            elif f is not None and f.body and c.head.args and all(isinstance(a, Name) for a in c.head.args):
                body = self.records[c.record].formula.text[c.link.rhs.span[0] : c.link.rhs.span[1]]
                if "".join(body.split()) != "".join(f.body.split()):
                    args = tuple(key_of(a) for a in c.head.args if isinstance(a, Name))
                    other = replace(table.with_function(replace(f, args=args, body=body)))
                    yield f"{key} {GIVEN} {line}", replace(reading, declarations=other)

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
    ) -> Iterator[tuple[str, Reading]]:
        """Where the shapes do not go together: what is meant may be numbers, or entry by entry."""
        section, table = self.section, reading.declarations
        fits = section.fits(chain, r.at, table.layout)
        if not table.inferred or (fits and not in_numbers(chain)):
            return
        if numbers := self.as_numbers(chain, involved):
            other = self.built(base, chain, r, conditions=u.conditions, chosen={**section.chosen, **numbers})
            yield f"{' and '.join(numbers)} {NUMBERS}", other
        if not fits:
            yield f"vectors {ENTRIES}", replace(reading, declarations=replace(table, loose_hadamard=True))

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
