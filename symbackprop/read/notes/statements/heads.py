"""Equations with a name on the left: definition, redefinition, conclusion, or claim."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import cast

from symbackprop.core.terms import SymbackpropError

from ..declared.sizes import define
from ..files.place import ReadError, Span, Unsettled
from ..grammar.resolve import Resolver
from ..grammar.rewriting import free_indices, restates
from ..grammar.tree import Add, Cases, Chain, Entry, Expr, Link, Name, Norm, Num, Product, Sum, Transpose, Words
from ..grammar.walking import respan, walk
from ..inferred.above import Above, Given, by_way_of
from ..inferred.hypotheses import FIXED, SOLVED, STATED, Saying
from ..inferred.occurrences import Uses, key_of
from ..inferred.prose_patterns import ANEW
from ..inferred.conform_operations import strip
from ..inferred.said import Candidate, Head, Record, defining, from_logarithm, of_all_steps
from ..inferred.section import Section
from ..meaning.definitions import circular, definition_of, head
from ..meaning.ranges import consistent
from .claims import finer
from . import classes
from .classes import Class, lapse
from .one_sample import with_one_samples
from .spoken import named_derivative, no_derivative, of_others
from .statements import Reading, Scope, facts_of, records_of


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


_TURNED = str.maketrans("<>≤≥", "><≥≤")
_ENDS = re.compile(r"[.;!?](?:\s|\Z)")
_ITEM = re.compile(r"\A[^\w,]*\Z|(?:\A|[.:;_\n])\W*(?:\d{1,2}|[a-z]|[ivx]{1,4})[.):]\W*\Z")
"""What stands before a formula with which an item of a list begins."""


class Heads:
    def __init__(self, scope: Scope, above: Above) -> None:
        self.scope = scope
        base = scope.base
        facts, base = facts_of(scope, base, above)
        base = base if base.softmax else replace(base, softmax=above.table.softmax)
        self.records = with_one_samples(records_of(scope, base, facts, above), above)
        self.section: Section = Section(self.records, facts, base, above)
        self.table = self.section.frame.table
        self.above: dict[tuple[int, int], Expr | None] = {}
        self.defined: dict[str, int] = {}
        self.stationary: list[tuple[Chain, int]] = []
        self.pending: list[Chain] = []
        self.cases: dict[str, list[tuple[Expr, Chain | None]]] = {}
        self.adjoint_keys: set[str] = set()
        self.adjoint_mark = ""
        self.against: dict[str, set[int]] = {}
        self.made: list[list[Unit] | Reading] = []
        self._alike: set[str] | None = None
        self._single: set[str] | None = None
        self._candidates: dict[str, list[Candidate]] | None = None

    def on_indices(self, chain: Chain) -> bool:
        sides = (*chain.subjects, *(k.rhs for k in chain.links))
        names = [s for s in sides if isinstance(s, Name)]
        return (
            bool(chain.links) and bool(names) and all(isinstance(s, (Name, Num)) for s in sides)
            and all(k.relation in ("≠", "=", "<", ">", "≤", "≥") for k in chain.links)
            and all(n.sub is None and not n.sups and n.letter in self.indices() for n in names)
        )  # fmt: skip

    def indices(self) -> set[str]:
        return {i for i in self.table.indices if i not in self.section.frame.options and i not in self.table.arrays}

    def sentence(self, r: Record) -> str:
        """The words before a formula, and before those that stand in one sentence or one display with it."""
        before = r.formula.before
        for other in reversed(self.records[max(0, r.at - 4) : r.at]):
            if re.search(r"[.;]", before) or other.at in self.defined.values():  # what it defines is the case
                break
            if other.formula.display and not (r.formula.display and not before):
                break
            before = f"{other.formula.before} {before}"
        return before

    def is_word(self, node: object) -> bool:
        """\\text{likelihood} that names nothing."""
        if not isinstance(node, Name) or node.mark != "text":
            return False
        key = self.section.key(node)
        return not self.table.known(key) and key not in self.section.frame.options

    def defining(self, lhs: Expr, link: Link) -> tuple[Head | None, Link]:
        return defining(lhs, link, self.section.roles.composite)

    def solves(self, found: Head, rhs: Expr) -> bool:
        """w = …, without w on the right, where something is differentiated by w."""
        key = self.section.key(found.name)
        return self.is_variable(key) and not self.holds(key, rhs)

    def is_aside(self, before: str, found: Head | None, r: Record, rhs: Expr, lhs: Expr) -> bool:
        """ "if A = A^T", "orthogonal, that is Q^T Q = I", "with Σ_i t_i = 1": said of what is there, inline."""
        if re.search(r"\b(?:if|when|whenever|provided(?: that)?|in case)\s*\Z", before, re.IGNORECASE):
            return found is None or (self.not_fresh(found) and not self.brings_in(found, r, rhs))
        said = re.search(r"\b(?:that is|i\.e\.|meaning|so that|with)\s*,?\s*\Z", before, re.IGNORECASE)
        words = re.search(
            r"\b(?:orthogonal|orthonormal|symmetric|unit|normali[sz]ed|idempotent|distribution)\b",
            before,
            re.IGNORECASE,
        )
        if found is None and said is not None and words is not None:
            return True
        named = self.section.names(lhs)
        given = re.fullmatch(r"\W*(?:where|with|since|as|because)\s*", before, re.IGNORECASE) is not None
        itself = found is not None and self.holds(self.section.key(found.name), rhs)  # A_{ij} = A_{ji}
        return (found is None or itself) and given and named.isdisjoint(self.defined)

    def normalises(self, lhs: Expr, rhs: Expr) -> bool:
        """Σ_k t_k = 1, ‖u‖ = 1 of a letter that nothing gives and of which nothing else is said."""
        body = lhs.body if isinstance(lhs, Sum) and lhs.kind == "sum" else lhs.arg if isinstance(lhs, Norm) else None
        if not isinstance(body, Name) or not (isinstance(rhs, Num) and rhs.value == 1):
            return False
        key, section = self.section.key(body), self.section
        said = section.gives(key) or key in section.above.definitions
        return not said and all(s.of != key or s.what == FIXED for s in section.facts.sayings)

    def brings_in(self, found: Head, r: Record, rhs: Expr) -> bool:
        """ "when z = W h + b": by letters that come in here it says what z is."""
        section, key = self.section, self.section.key(found.name)
        new = {k for k in section.names(rhs) - {key} if k in section.frame.options and section.first_use(k) >= r.at}
        return key not in self.defined and not isinstance(rhs, Name) and bool(new)

    def of_other_letters(self, key: str, rhs: Expr, at: int) -> bool:
        """L was given without λ, which nothing else gives: L = … λ … can be no claim, it says what L is now."""
        section = self.section
        if (d := section.definition(key, at)) is None:
            return False
        given = {section.key(c.head.name) for c in section.roles.candidates}
        given |= {item for item, _ in section.rows_of.values()}  # x_i is a row of an X that is there
        free = set(section.keys(Chain((rhs,), ()))) - {key} - given
        known = section.reached(d.chain, at)
        known |= {item for whole, (item, _) in section.rows_of.items() if whole in known}  # the x_i of X
        return not free <= known and free.isdisjoint(self.table.arrays)

    def gives(self, found: Head) -> bool:
        """The equation gives a function, or a letter that nothing is differentiated by and that has no meaning yet."""
        return found.args is not None and not self.not_fresh(found)

    def not_fresh(self, found: Head) -> bool:
        key = self.section.key(found.name)
        return key in self.defined or self.is_variable(key)

    def is_variable(self, key: str) -> bool:
        """Something is differentiated by it, or J(w) depends on it."""
        use = self.section.roles.arrays.get(key)
        by = use is not None and any(use.by[b] for b in ("∂", "d", "∇"))
        frame = self.section.frame
        return by or key in frame.moved or any(key in of.split(",") for of in frame.of.values())

    def demanded(self, key: str, at: int) -> bool:
        """A condition above holds the letter, or what is to be stationary depends on it."""
        section = self.section
        above = [c for c, since in self.stationary if since <= at]
        of = section.frame.of
        led = any(d.record <= at and key in of.get(d.key, "").split(",") for d in section.definitions)
        return bool(above) and (led or any(key in section.names(c) for c in above))

    def with_head(self, r: Record, unit: Unit, found: Head, before: str) -> Unit:
        section, link = self.section, unit.link
        key, items, layered = section.roles.full_key(found.name)
        rhs, stated = link.rhs, link.relation in (":=", "≡") or classes.STIPULATES.search(before) is not None
        if (part := self.in_a_case(r, unit, key)) is not None:
            return part
        if self.table.known_name(key, layered):
            return self.declared_head(r, unit, stated)
        gives_function = found.args is not None and (key in self.table.functions or key in self.table.macros)
        in_base = self.table.functions.get(key) is section.base.functions.get(key)
        gives_function &= not in_base or key in self.table.macros
        if key in self.table.functions and (not gives_function or self.holds(key, rhs)):  # σ(-x) = 1 - σ(x)
            return replace(unit, meant="claim")
        base_letter = re.sub(r"\\(?:hat|bar|tilde|widehat|overline|check)\{(.+)\}", r"\1", key).split("^")[0]
        follows = base_letter != key and not stated and classes.FOLLOWS.search(before) is not None  # "thus w^* = …"
        solved = follows or any(p.search(before) for p in (classes.SOLVED, classes.CONDITION))
        variable = self.is_variable(key) or (base_letter != key and self.is_variable(base_letter))
        if (solved and variable and found.args is None) or (
            variable and found.args is None and key not in self.defined and not stated
            and self.demanded(key, r.at) and not classes.is_derivative(rhs) and self.is_variable(key)
        ):  # fmt: skip
            if found.name.sups and key not in self.defined and not self.is_variable(key):
                self.define(r, unit, key)  # from there on x^* is that
            return replace(unit, meant="conclusion")
        if key in self.defined:
            return self.given_again(r, unit, found, key, stated, gives_function)
        if gives_function:
            self.defined[key] = r.at
            return replace(unit, meant="definition", note="function")
        if items and not self.free_items(found.name):
            if (sub := found.name.sub) is not None and any(isinstance(i, (Add, Product)) for i in sub.items):
                why = f"entries given by a formula of their index, {key}_{{{sub.text}}}, are not understood"
                return self.not_read(r, unit, key, why)
            return replace(unit, meant="claim")
        if self.holds(key, rhs) and not self.shifted(found.name, rhs):
            if why := self.over_time(key, found.name, rhs):
                section.recurrent.add(key)
                return self.not_read(r, unit, key, why)
            return replace(unit, meant="claim")
        plain = not (classes.is_derivative(rhs) or classes.holds_derivative(rhs))
        if plain and (called := named_derivative(section, r)) is not None:
            self.define(r, unit, key)
            left = f"{called.latex} = {r.formula.text[unit.lhs.span[0] : unit.lhs.span[1]]} ="
            derivative = cast(Expr, respan(called.tree, link.at))
            return replace(unit, lhs=derivative, meant="claim", span=link.at, left=left)
        named = classes.GRADIENT.search(before) and not classes.GIVEN.search(before)
        named = named and not classes.DERIVED.search(before) and not classes.is_derivative(rhs)
        named = named and classes.CALLED.search(before) and not (classes.holds_derivative(rhs) or isinstance(rhs, Num))
        if named and not no_derivative(section, found, key, r):
            message = f"which derivative {key} is to be is not settled: write it as ∂ … / ∂ …"
            return self.not_read(r, unit, key, message)
        back = section.reached(Chain((rhs,), ()), r.at)  # y = e^s ⊙ x + t and then x = … y …: solved for x
        solved_for = not items and not layered and key in back
        if solved_for or (key in self.adjoint_keys and not classes.is_derivative(rhs)):
            return replace(unit, meant="claim")
        return self.define(r, unit, key)

    def not_read(self, r: Record, unit: Unit, key: str, why: str) -> Unit:
        self.section.unread.add(key)
        return replace(unit, meant="claim", error=Unsettled(why, unit.span, r.formula.where))

    def given_again(self, r: Record, unit: Unit, found: Head, key: str, stated: bool, function: bool) -> Unit:
        """The same once more; another thing by that name, where the text says so; else a claim."""
        section, rhs = self.section, unit.link.rhs
        anew = not found.under and self.elsewhere(found.name, r, self.defined[key])  # log L(θ) = … is said of L
        stated |= anew or self.of_other_letters(key, rhs, r.at)
        same = self.same_right_side(key, rhs)
        if function:
            return replace(unit, meant="definition" if same or stated else "claim")
        if same:
            return replace(unit, meant="definition", note="said before")
        sentence = self.sentence(r)
        stated |= classes.IN_CASE.search(sentence) is not None or of_others(section, found, key)
        another = classes.ANOTHER.search(sentence) or classes.INSTEAD.match(r.formula.after)
        stated |= another is not None and not classes.FOLLOWS.search(r.formula.before)
        last = self.records[r.at - 1].formula.before if self.defined[key] == r.at - 1 else ""
        stated |= classes.CHANGED.search(f"{last} {r.formula.before}") is not None
        section.forms.append(Given(key, Chain((unit.lhs,), (unit.link,), unit.span), r.formula.text, r.at + 1))
        return self.define(r, unit, key) if stated else replace(unit, meant="claim")

    def in_a_case(self, r: Record, unit: Unit, key: str) -> Unit | None:
        """ "L = … if |r| ≤ δ and L = … otherwise": until all cases are said, L is not known."""
        word = classes.PARTLY.match(r.formula.after)
        if word is None or isinstance(unit.link.rhs, Cases) or key in self.table.functions:
            return None
        when: Chain | None = None
        if word["else"] is None:
            beside = [x.chains for x in self.records[r.at + 1 : r.at + 2] if not x.formula.display]
            when = beside[0][0] if beside and len(beside[0]) == 1 else None
            if when is None or not all(k.relation in "<>≤≥" for k in when.links) or not when.links:
                return None
            if self.on_indices(when):
                return None
        rows = self.cases.setdefault(key, [])
        rows.append((unit.link.rhs, when))
        if when is not None or len(rows) < 2:
            self.section.unread.add(key)
            return replace(unit, meant="definition", note="in a case")
        self.section.unread.discard(key)
        link = replace(unit.link, rhs=Cases(tuple(self.cases.pop(key)), unit.link.span))
        return replace(self.define(r, replace(unit, link=link), key), note="in a case")

    def elsewhere(self, name: Name, r: Record, at: int) -> bool:
        """In another row of a table or item of a list than what was given first."""
        first, bare = self.records[at], name.sub is None and not name.sups
        items = all(_ITEM.search(x.formula.before) and not x.formula.display for x in (r, first))
        return r.formula.row != first.formula.row or (items and bare and r.at != at)

    def same_right_side(self, key: str, rhs: Expr) -> bool:
        return any(d.key == key and d.chain.links[0].rhs == rhs for d in self.section.definitions) or any(
            c.link.rhs == rhs and c.record != -1
            for c in self.section.roles.candidates
            if self.section.key(c.head.name) == key and c.record == self.defined.get(key)
        )

    def free_items(self, name: Name) -> bool:
        """Each subscript is an index of its own: a_i, w_{jk}; not a_1 or w_{ii}."""
        items = [i for i in (name.sub.items if name.sub else ()) if not isinstance(i, Words)]
        names = [i.letter + "'" * i.primes for i in items if isinstance(i, Name)]
        return len(names) == len(items) == len(set(names)) and all(n in self.table.indices for n in names)

    def holds(self, key: str, rhs: Expr) -> bool:
        uses = Uses()
        uses.visit(rhs, frozenset())
        return any(self.section.key(u.name) == key for u in uses.uses)

    def shifted(self, head_name: Name, rhs: Expr) -> bool:
        """z^l = … z^{l-1}: a recurrence over layers."""
        return (
            any(isinstance(n, Name) and key_of(n) == key_of(head_name) and n.sups != head_name.sups for n in walk(rhs))
            and self.section.roles.full_key(head_name)[2]
        )

    def over_time(self, key: str, head_name: Name, rhs: Expr) -> str:
        """h_t = … h_{t-1} …, L = Σ_t L_t: no claim, and not understood."""
        inside = [n for n in walk(rhs) if isinstance(n, Name) and self.section.key(n) == key]
        items = [i for n in inside if n.sub is not None for i in n.sub.items]
        if head_name.sub is not None and any(isinstance(i, Add) for i in items):
            return f"a recurrence over {head_name.sub.text} is not understood"
        if head_name.sub is None and not head_name.sups and inside and all(n.sub is not None for n in inside):
            return f"whether {key} with a subscript is an entry of {key} is not settled"
        return ""

    def define(self, r: Record, unit: Unit, key: str) -> Unit:
        head_, link = self.defining(unit.lhs, unit.link)
        link = from_logarithm(link) if head_ is not None and head_.under == "log" else link
        lhs = unit.lhs if head_ is None or link is unit.link else head_.name
        chain = Chain((lhs,), (replace(link, relation="="),), (unit.lhs.span[0], unit.link.span[1]))
        given = Given(key, chain, r.formula.text, r.at, r.formula.where)
        self.defined[key] = r.at
        if head_ is not None and isinstance(lhs, Name) and lhs.sub is None and isinstance(link.rhs, (Product, Add)):
            self.section.definitions = [
                d if d.key == key else by_way_of(lhs, link.rhs, d) for d in self.section.definitions
            ]
        self.section.definitions.append(given)
        return replace(unit, meant="definition", given=given)

    def declared_head(self, r: Record, unit: Unit, stated: bool) -> Unit:
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

    def condition(self, r: Record, unit: Unit, here: bool = False) -> Unit:
        zero = isinstance(unit.link.rhs, Num) and unit.link.rhs.value == 0
        chain = Chain((unit.lhs,), (replace(unit.link, relation="="),), unit.span)
        derivative = zero or classes.holds_derivative(unit.lhs)
        to_solve = not derivative and classes.TO_SOLVE.search(r.formula.before) is not None
        if derivative or to_solve:
            self.stationary.append((chain, r.at))
        if to_solve:
            self.section.stated.append(Saying(r.at, SOLVED, r.formula.text, chain=chain, where=r.formula.where))
        elif not derivative:
            self.hypothesis(r, chain, here)
        return replace(unit, meant="condition")

    def assume(self, r: Record, lhs: Expr, link: Link) -> None:
        """c > 0, 0 < c < 1 are hypotheses from there on; a comparison of indices is none."""
        if isinstance(link.rhs, Name) and isinstance(strip(lhs), Num):
            lhs, link = link.rhs, replace(link, relation=link.relation.translate(_TURNED), rhs=lhs)
        if link.relation in (">", "<", "≥", "≤", "≠") and isinstance(lhs, Name) and not self.on_indices(
            Chain((lhs,), (link,), link.span)
        ):  # fmt: skip
            self.hypothesis(r, Chain((lhs,), (link,), link.span))

    def hypothesis(self, r: Record, chain: Chain, here: bool = False) -> None:
        """From its sentence on, or from the beginning; `here` in its formula alone, A = A^T ⇒ …."""
        first = r.at
        while first and not _ENDS.search(f"{self.records[first - 1].formula.text}{self.records[first].formula.before}"):
            first -= 1
        since = r.at if here else first if ANEW.search(self.sentence(r)) else 0
        for c in (chain, *of_all_steps(chain, self.records)):
            self.section.stated.append(Saying(since, STATED, r.formula.text, chain=c, where=r.formula.where))
        if (end := r.at + 1 if here else lapse(r.formula, self.records)) is not None:
            self.section.stated.append(Saying(end, STATED, r.formula.text, False))
