"""What else a claim could mean: other kinds of letters, other layouts, what may be held fixed; what leaves it open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

from ..declared.symbols import FunctionSymbol
from ..grammar.tree import (
    Call,
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
    Transpose,
)
from ..grammar.walking import walk
from ..inferred.above import Given
from ..inferred.kinds import LOGISTIC
from ..inferred.occurrences import SINGLE, key_of
from ..inferred.options import AT, Option
from ..inferred.said import Record
from ..meaning.lints import indices
from . import classes
from .conditions import conditioned, spoken
from .heads import Unit
from .layouts import Layouts
from .statements import Reading

WITHOUT = "as without this formula"
NUMBERS, ENTRIES = "stand for numbers", "are multiplied entry by entry"


class Rivals(Layouts):
    def built(
        self, base: Reading, chain: Chain, r: Record, without: Sequence[Given] = (), conditions: Sequence[Chain] = (),
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

    def one_of_many(self, chain: Chain, at: int) -> str:
        """∂ℓ/∂θ = (y - h(x)) x, where ℓ is a sum over all x_i and x is one of them: ℓ may be meant for this one."""
        keys = {k.removesuffix(AT) for k in self.involved_all(chain, at)}
        names = (n.letter for n in walk(chain) if isinstance(n, Name))
        one = sorted(name.removesuffix(SINGLE) for name in names if name.endswith(SINGLE))
        both = [k for k in one if k in keys]
        return f"whether this is meant for one {both[0]} or for all of them is not settled" if both else ""

    def quantified(self, chain: Chain, r: Record) -> bool:
        """Of each letter the text said above of what set it is, and no word before says that it holds in a case."""
        section, before = self.section, r.formula.before
        said = {section.roles.full_key(n)[0] for n, _, of in section.roles.members if of.at <= r.at}
        said |= {item for whole, (item, _) in section.rows_of.items() if whole in said}
        keys = {k.removesuffix(AT) for k in section.keys(chain)}
        cases = (classes.CONDITION, classes.ASSUMES, classes.SOLVED, classes.IN_CASE)
        return bool(keys) and keys <= said and not any(p.search(before) for p in cases)

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
        names = sorted(str(getattr(f, "name", f)) for f in inside - shown)
        return next((f"nothing says what {f} is" for f in names if f in words), "")

    def introduced(self, u: Unit, r: Record) -> str:
        section = self.section
        sides = [set(section.keys(Chain((x,), (), u.span))) for x in (u.lhs, u.link.rhs)]
        parts = {x for whole, (x, axis) in section.rows_of.items() if axis == "entry" or self.known(whole, r)}
        rests = [set(self.involved_all(Chain((x,), (), u.span), r.at)) for x in (u.lhs, u.link.rhs)]
        for key in sorted((sides[0] - rests[1]) | (sides[1] - rests[0])):
            name = key.removesuffix(AT)
            if key in parts or self.known(key, r) or name.endswith(SINGLE):  # x°: one of those that are known
                continue
            if section.first_use(key) >= r.at and name not in section.above.arrays:
                return name
        return ""

    def known(self, key: str, r: Record) -> bool:
        """Whether the text says or defines what a letter is, before this record."""
        section, name = self.section, key.removesuffix(AT)
        return name in section.solver.said or name in section.facts.ranks or section.definition(key, r.at) is not None

    def with_rivals(self, reading: Reading, base: Reading, chain: Chain, u: Unit, r: Record) -> Reading:
        section = self.section
        rivals: list[tuple[str, Reading]] = []
        involved = self.involved(chain, r.at)
        clashes: int | None = None
        for key in (k for k in involved if len(section.frame.options[k]) > 1):
            for option, better in section.solver.rivals(key, section.chosen, r.at):
                chosen = {**section.chosen, key: option}
                if clashes is None:
                    clashes = section.clashes(chain, r.at, section.chosen)
                if section.clashes(chain, r.at, chosen) > clashes:
                    continue
                other = self.built(base, chain, r, conditions=u.conditions, chosen=chosen)
                words = f"{key.removesuffix(AT)} {spoken(option)}"
                rivals.append((f"{words}, {WITHOUT}" if better else words, other))
        rivals += self.conforming(reading, base, chain, u, r, involved)
        for d in (held := self.in_between(chain, r.at)):
            rivals.append((f"{d.key} is held fixed", self.built(base, chain, r, (d,), u.conditions)))
        if len(held) > 1:
            names = " and ".join(d.key for d in held)
            rivals.append((f"{names} are held fixed", self.built(base, chain, r, held, u.conditions)))
        for f in reading.declarations.functions.values():
            if f.name == "σ" and f.kind == "elementwise" and not f.body and self.holds_call(reading, f):
                table = reading.declarations.with_function(replace(f, args=("z",), body=LOGISTIC))
                rivals.append(("σ is the logistic function", replace(reading, declarations=table)))
        if apart := self.set_apart(reading):
            lhs, rhs = conditioned(apart, cast(Expr, reading.lhs), cast(Expr, reading.rhs))
            i, j = (getattr(x, "name", "") for x in (apart.subjects[0], apart.links[0].rhs))
            rivals.append((f"{i} and {j} are different", replace(reading, lhs=lhs, rhs=rhs)))
        for layout in self.other_layouts(r):
            other = self.built(base, chain, r, conditions=u.conditions, layout=layout)
            rivals.append((f"{layout} layout", other))
        return replace(reading, rivals=tuple(rivals))

    def conforming(
        self, reading: Reading, base: Reading, chain: Chain, u: Unit, r: Record, involved: Sequence[str]
    ) -> Iterator[tuple[str, Reading]]:
        """Where the shapes do not go together: what is meant may be numbers, or entry by entry."""
        section, table = self.section, reading.declarations
        if not table.inferred or section.fits(chain, r.at, table.layout):
            return
        if numbers := self.as_numbers(chain, involved):
            other = self.built(base, chain, r, conditions=u.conditions, chosen={**section.chosen, **numbers})
            yield f"{' and '.join(numbers)} {NUMBERS}", other
        yield f"vectors {ENTRIES}", replace(reading, declarations=replace(table, loose_hadamard=True))

    @staticmethod
    def holds_call(reading: Reading, f: FunctionSymbol) -> bool:
        return any(n.name == f.name for x in (reading.lhs, reading.rhs) for n in walk(x) if isinstance(n, Function))

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
            section.roles.full_key(v)[0] for n in walk(chain) if isinstance(n, (Derivative, Operator)) for v in n.wrt
            if isinstance(v, Name)
        }  # fmt: skip
        _, given = section.rests_on(chain, at, section.chosen)
        rests = {d.key: set(section.keys(d.chain)) - {d.key} for d in given}
        beside = {k for keys in rests.values() if by & keys for k in keys}  # what stands in one formula with it
        given = [d for d in given if d.key in beside - by and by & rests[d.key]]
        named = any(section.definition(k, at) is not None for k in by)
        return given if named or any(self.is_variable(d.key) for d in given) else []

    def involved(self, chain: Chain, at: int) -> list[str]:
        """The letters of a claim and of what it rests on that may be several things."""
        options = self.section.frame.options
        return [k for k in self.involved_all(chain, at) if k in options and len(options[k]) > 1]

    def involved_all(self, chain: Chain, at: int) -> list[str]:
        found = dict.fromkeys(self.section.keys(chain))
        work = list(found)
        while work:
            d = self.section.definition(work.pop(), at)
            for k in self.section.keys(d.chain) if d is not None else ():
                if k not in found:
                    found[k] = None
                    work.append(k)
        return [k for k in found if k in self.section.frame.options]
