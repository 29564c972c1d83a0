"""What each equation of a section is meant as."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

from symbackprop.core.terms import SymbackpropError

from ..files.place import ReadError, Span, Unsettled
from ..grammar.resolve import Resolver
from ..grammar.rewriting import is_shape, with_left
from ..grammar.tree import (
    Add, Chain, Derivative, Dots, Entry, Expr, Indicator, Link, Matrix, Missing, Name, Num, Paren, Product, Shape,
    ShapeWord, Symbol, Words,
)  # fmt: skip
from ..grammar.vocabulary import GREEK
from ..grammar.walking import EQUATIONS, mapped, outside_scripts, respan, walk
from ..inferred.occurrences import key_of, of_kronecker
from ..inferred.said import Record, cut_at_colon, head_of, is_interval, softmax_given
from . import classes
from .classes import Class, comes_in, in_sentence, of_a_letter, on_values
from .heads import Heads, Unit
from .spoken import named_derivative, named_so, of_data
from .statements import Kind, Reading

_HEAD = re.compile(
    r"\s*(\\?[A-Za-z]+(?:\s*\{\\?[A-Za-z]+\})?)\s*(?:[_^]\s*(?:\{[^{}]*\}|\\?\w+)\s*)*(?:\([^()=]*\))?\s*&?\s*(?::?=)"
)
"""The letter on the left of what may be its definition."""
_HEAD_INSIDE = re.compile(r"(?:\\space|\))" + _HEAD.pattern)
r"""The same behind words: (Mean) \space \mu = …"""
_MARGIN = re.compile(r"\s*(?:\\[Uu]parrow(?![A-Za-z])|[↑⇑])")

_BLANK = re.compile(r"\s*(?:_{2,}|(?:\\_){2,}|\?|\[\s*\])")
_BEHIND = re.compile(r"\s*,?\s*(?:for(?: all| every)?|if|when(?:ever)?|where|provided(?: that)?|at|\(?\s*using|\()\s*")
_FOR = re.compile(
    r"(?:\b(?:for|if|when|where|case|with|whenever|using|at(?:\s+(?:the\s+)?(?!least|most)\w+)?)|\()\s*\Z",
    re.IGNORECASE,
)

TOGETHER = "said of what holds together with it"
_WITH = re.compile(r"\s*,?\s*(?:with|where|and)(?:\s+(?:all|each|every|entries))*\s*", re.IGNORECASE)


def loosened(node: Expr, inner: list[Chain]) -> Expr:
    """f(z = W a + b) says f(z), and z = W a + b besides."""
    if isinstance(node, Paren) and len(node.chains) == 1 and node.chains[0].links:  # M ⊙ (Z > 0)
        if all(k.relation in ("<", ">", "≤", "≥", "≠") for k in node.chains[0].links):
            return Indicator(node.chains[0], node.span)
    if isinstance(node, Paren) and node.opening == "(" and not node.bar and any(c.links for c in node.chains):
        inner.extend(c for c in node.chains if c.links)
        return replace(node, chains=tuple(Chain((c.subjects[-1],), (), c.span) for c in node.chains))
    if isinstance(node, Matrix):
        return node

    def child(c: object) -> object:
        if isinstance(c, tuple) and not any(isinstance(x, (Chain, tuple)) for x in c):
            return tuple(loosened(x, inner) for x in c)
        return c if isinstance(c, (Chain, tuple)) else loosened(cast(Expr, c), inner)

    return cast(Expr, mapped(node, child))


def unread_names(written: str) -> set[str]:
    found = re.fullmatch(r"\\(\w+)\s*\{\\?(\w+)\}", written.strip())
    if found:
        inner = GREEK.get(found[2], found[2])
        return {inner, f"\\{found[1]}{{{inner}}}"}
    bare = written.strip().removeprefix("\\")
    return {GREEK.get(bare, bare)}


class Intents(Heads):
    def plain(self, kind: Kind, r: Record, span: Span, error: ReadError | None = None, note: str = "") -> Reading:
        return Reading(kind, r.formula, span, self.table, error=error, note=note)

    def names_dialect(self, lhs: Expr, rhs: Expr) -> bool:
        """dO = ∂L/∂O names the derivatives: from there dX is ∂L/∂X."""
        match lhs, rhs:
            case Product((Name("d", _, None, ()), Name() as x)), Derivative(Name() as loss, (Name() as wrt,)):
                if key_of(x) == key_of(wrt):
                    self.table = self.section.frame.table = replace(self.table, upstream=key_of(loss))
                    return True
            case Name(v, mark), Derivative(Name(), (Name(w),)):
                return mark != "" and mark == self.adjoint_mark and v == w
        return False

    def of_layers(self, node: Expr) -> bool:
        names = [n for n in walk(node) if isinstance(n, Name)]
        plain = all(n.sub is None and not n.sups and key_of(n) in self.table.layers for n in names)
        return isinstance(node, (Name, Add)) and bool(names) and plain

    def vector_function(self, lhs: Expr, rhs: Expr) -> str:
        """The g of g(z)_i = …, without g on the right."""
        match lhs:
            case Product((Name() as name, Entry(Paren((Chain((Name(),), ()),)), (Name(),)))):
                key = key_of(name)
                if key in self.table.functions and not any(isinstance(n, Name) and key_of(n) == key for n in walk(rhs)):
                    return key
        return ""

    def is_slope(self, key: str, r: Record, link: Link) -> bool:
        """ψ = ρ' gives ψ as a function."""
        given = self.table.functions.get(key)
        body = f"{r.formula.text[link.at[0] : link.at[1]].strip()}(z)"
        return isinstance(link.rhs, Name) and given is not None and given.said and given.body == body

    def hangs_on_claim(self, chain: Chain) -> bool:
        """ "r'(x) = 1 for x > 0": said of the claim that stands right before it."""
        last = self.made[-1] if self.made else None
        if not isinstance(last, list) or not last or last[-1].meant != "claim":
            return False
        last[-1] = replace(last[-1], conditions=(*last[-1].conditions, chain))
        return True

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
            found = self.chain(r, part.chain, k, part.joined)
            if cut_at_colon(r, part.chain):
                error = Unsettled("what the colon stands for is not settled", part.chain.span, formula.where)
                last = found.pop()
                found.append(replace(last, error=last.error or error) if last.meant == "claim" else last)
            out.extend(found)
        own = tuple(conditions)
        if own:
            out = [replace(u, conditions=(*u.conditions, *own)) if u.meant == "claim" else u for u in out]
        return out

    def unread(self, r: Record) -> Reading:
        assert isinstance(r.error, ReadError)
        formula, whole = r.formula, (0, len(r.formula.text))
        if formula.aligned is not None:
            self.above[formula.aligned] = None
        if found := _HEAD.match(formula.text) or _HEAD_INSIDE.search(formula.text.partition("=")[0] + "="):
            names = unread_names(found[1])
            self.section.unread |= names
            letter = re.escape(found[1].split("{")[-1].strip(" }"))
            if len(re.findall(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z])", formula.text)) > 1:
                self.section.recurrent |= names
        claims = re.search(r"=|\\sim|≡", formula.text) is not None
        error = r.error
        unclosed = "never closed" in error.message
        if not isinstance(error, Unsettled) and not unclosed and formula.error is None and not self.table.known_any():
            error = Unsettled(error.message, error.span, error.where)
        claims |= isinstance(formula.error, Unsettled)
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
            if self.on_indices(parts[0].chain) or (on_values(parts[0].chain) and not self.told_of_given(r)):
                if _BEHIND.fullmatch(r.formula.before) and self.hangs_on_claim(parts[0].chain):
                    return [parts[0].chain]
                self.pending = [parts[0].chain]
                self.section.stated += in_sentence(r, parts[0].chain, self.records)
                return [parts[0].chain]
        if not out and self.pending and not re.search(r"[.;]", r.formula.before):
            out = list(self.pending)
        if r.formula.display or re.search(r"[.;]", r.formula.before):
            self.pending = []
        return out

    def in_a_region(self, r: Record) -> bool:
        """ "ℓ'(f) = 0 for y f > 1": where that is so is said behind it."""
        behind = [x for x in self.records[r.at + 1 : r.at + 2] if _BEHIND.fullmatch(x.formula.before)]
        return any(len(x.chains) == 1 and x.chains[0].links and x.chains[0].links[0].relation in "<>≤≥" for x in behind)

    def told_of_given(self, r: Record) -> bool:
        """ "Let σ ∈ ℝ^d with σ_j > 0": said of what the sentence gives, from there on; of one case of a definition."""
        last = self.made[-1] if self.made else None
        if not isinstance(last, list) or not last:
            return False
        given = last[-1].meant in ("shape", "definition") and _WITH.fullmatch(r.formula.before) is not None
        return given or last[-1].note == "in a case"

    def chain(self, r: Record, chain: Chain, part: int, joined: str) -> list[Unit]:
        first = chain.subjects[-1]
        if not chain.links:
            other = isinstance(first, (Name, Words, Missing)) or classes.is_order(first) or self.shape_like(first)
            if (called := None if other else named_derivative(self.section, r)) is None:
                return [self.bare(r, first, chain.span)]
            link = Link("=", first, first.span, first.span)
            derivative = cast(Expr, respan(called.tree, chain.span))  # it has no text here
            return [Unit(r.at, derivative, link, "claim", chain.span, f"{called.latex} =")]
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
            lhs: Expr = subject
            left, written = text[with_left(text, start) : chain.links[0].span[0]].strip(), ""
            meant: Class = "claim"
            for k, link in enumerate(chain.links):
                if k > 0 and subject is not chain.subjects[-1]:
                    break
                inner: list[Chain] = []
                if link.relation in EQUATIONS:
                    lhs, link = loosened(lhs, inner), replace(link, rhs=loosened(link.rhs, inner))
                for nested in inner:
                    first, said = nested.subjects[-1], nested.links[0]
                    if self.normalises(first, said.rhs):  # \underbrace{\sum_k t_k}_{=1}
                        out.append(self.condition(r, Unit(r.at, first, said, "condition", nested.span)))
                        continue
                    out.extend(self.chain(r, nested, part, joined))
                whole = (with_left(text, start), link.span[1]) if k == 0 else link.span
                if len(chain.subjects) > 1 and k == 0:
                    whole, written = link.span, text[subject.span[0] : subject.span[1]]
                elif k > 0:
                    written = left
                again = k == 1 and self.section.roles.gives_function(r, link)  # y = f(x) = …
                unit = self.meant(r, lhs, link, 0 if again else k, part, joined, meant)
                meant = unit.meant
                out.append(unit if unit.left else replace(unit, span=whole, left=written))
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
        above = [(u.record, u.lhs) for x in self.made if isinstance(x, list) for u in x if u.meant == "claim"]
        if isinstance(node, Name) and (named := named_so(self.records, r, above)) is not None:
            key = self.section.key(node)
            if key not in self.defined and not self.section.gives(key):
                rhs = cast(Expr, respan(named, span))
                return self.define(r, Unit(r.at, node, Link("=", rhs, span, span), "definition", span), key)
        shape = self.shape_like(node)
        return Unit(r.at, node, Link("", Missing()), "shape" if shape else "remark", span)

    def as_shape(self, node: Expr) -> Expr | None:
        """What is made of sizes, if it is that."""
        try:
            found = Resolver(self.table).expr(node)
        except (SymbackpropError, RecursionError):
            return None
        return found if isinstance(found, ShapeWord) or is_shape(found, self.table) else None

    def shape_like(self, node: Expr) -> bool:
        found = self.as_shape(node)
        return found is not None and not isinstance(found, (Symbol, Num, ShapeWord))

    def of_shapes(self, lhs: Expr, rhs: Expr) -> bool:
        """n × 1 on the right, or sizes on both sides."""
        found = self.as_shape(rhs)
        return isinstance(found, (Shape, ShapeWord)) or (found is not None and self.as_shape(lhs) is not None)

    def meant(self, r: Record, lhs: Expr, link: Link, k: int, part: int, joined: str, previous: Class) -> Unit:
        unit = Unit(r.at, lhs, link, "claim", link.span)
        rhs, relation = link.rhs, link.relation
        own = joined in ("where", "if")
        before = r.formula.before if part == 0 else joined if own else self.given_before(r, joined)
        if isinstance(rhs, Missing) and _BLANK.match(r.formula.after) and classes.holds_derivative(lhs):
            return replace(unit, meant="asked", note="asked")
        if isinstance(rhs, Missing):
            here = (link.span[0], link.span[0] + 1)
            return replace(unit, error=ReadError(f"nothing stands after {relation}", here, r.formula.where))
        if relation in ("∈", "~"):
            return replace(unit, meant="remark" if isinstance(rhs, Words) or is_interval(rhs) else "shape")
        if relation not in EQUATIONS and relation != "=:":
            self.assume(r, lhs, link)
            if relation == "∝" and (head := head_of(lhs)) is not None and head.key not in self.defined:
                self.section.unread.add(self.section.key(head.name))  # known up to a factor
            return replace(unit, meant="remark")
        whole = not r.formula.display and r.loose is not None and len(r.loose.parts) == 1
        if whole and (classes.EQUIVALENT_BEFORE.search(before) or classes.EQUIVALENT_AFTER.match(r.formula.after)):
            return replace(unit, meant="remark", note=TOGETHER)
        if relation == "=:":
            unit = replace(unit, lhs=rhs, link=replace(link, rhs=lhs, relation=":="))
            lhs, rhs, relation = rhs, lhs, ":="
        if isinstance(rhs, Words) and rhs.text.strip() == "?" and classes.holds_derivative(lhs):
            return replace(unit, meant="asked", note="asked")
        if (stationary := classes.optimum(rhs, link.span)) is not None:  # w^* = argmin_w J
            self.stationary.append((stationary, r.at))
            return replace(unit, meant="remark", note="what is optimal")
        if isinstance(lhs, (Words, Dots)) or classes.is_question(rhs) or classes.is_order(rhs) or any(
            isinstance(n, Words) or self.is_word(n) for x in (lhs, rhs) for n in outside_scripts(x)
        ):  # fmt: skip
            known = head_of(lhs) is not None and not isinstance(rhs, Dots) and not classes.is_question(rhs)
            return replace(unit, meant="definition" if known else "remark", note="in words")
        if classes.sums_itself(lhs, rhs) or classes.is_called(lhs, rhs):
            return replace(unit, meant="definition", note="notation")
        if self.of_layers(lhs) and (isinstance(rhs, Num) or self.of_layers(rhs)):  # ℓ = L - 1
            return replace(unit, meant="remark")
        if isinstance(lhs, Name) and classes.stacked_items(rhs) is not None:  # X = [x_1, …, x_m]
            return replace(unit, meant="definition", note="rows")
        if self.of_shapes(lhs, rhs):
            return replace(unit, meant="shape")
        if classes.is_update(lhs, relation, rhs):
            return replace(unit, meant="remark", note="an update")
        hangs = classes.hangs(r, part)
        if k > 0:
            zero = isinstance(rhs, Num) and rhs.value == 0
            if zero and (classes.CONDITION.search(before) or hangs == "solved"):
                return self.condition(r, unit)
            return replace(unit, meant="condition" if previous == "condition" else "claim")
        return self.first_link(r, unit, before, hangs)

    def given_before(self, r: Record, joined: str) -> str:
        """ "Consider z = f(x, y), x = g(t)": what is said of the first equation of a list is said of all."""
        known = classes.STIPULATES.search(r.formula.before)
        return r.formula.before if known is not None and joined in ("", "and") and r.formula.display else ""

    def first_link(self, r: Record, unit: Unit, before: str, hangs: str) -> Unit:
        lhs, link = unit.lhs, unit.link
        rhs, zero = link.rhs, isinstance(link.rhs, Num) and link.rhs.value == 0
        derivative, found = classes.holds_derivative(lhs), self.defining(lhs, link)[0]
        section, name = self.section, self.section.key(found.name) if found is not None else ""
        if of_kronecker(lhs, rhs):
            return replace(unit, meant="claim")
        if softmax_given(Chain((lhs,), (link,))) is not None or (found is not None and self.is_slope(name, r, link)):
            return replace(unit, meant="definition", note="function")
        if (key := self.vector_function(lhs, rhs)) and key not in self.defined and not self.table.functions[key].body:
            self.section.unread.add(key)
            self.defined[key] = r.at
            return replace(unit, meant="definition", note="in words")
        if self.names_dialect(lhs, rhs):
            return replace(unit, meant="definition", note="notation")
        demanded = classes.CONDITION.search(before) is not None
        if derivative and zero and found is None:
            solved = not r.formula.display and classes.YIELDS.match(r.formula.after) is not None
            solved = solved and not self.in_a_region(r)
            demanded |= solved or classes.VANISHES.search(before) is not None or hangs == "solved"
        alone = (found is None and before != "where") or classes.is_property(lhs, rhs)
        if hangs and alone and (not derivative or hangs == "together"):
            if hangs == "premise":
                return self.condition(r, unit, here=before not in ("if", "where"))
            return replace(unit, meant="remark", note=TOGETHER)
        if demanded and (zero or found is None or self.not_fresh(found)):
            if found is not None and not zero and found.args is None and self.solves(found, rhs):
                return replace(unit, meant="conclusion")
            if not derivative or zero:
                return self.condition(r, unit)
        assumed = classes.STRONGLY_ASSUMES.search(before) is not None and not derivative
        fresh = found is not None and comes_in(self.section, found, r.at, rhs, self.defined)
        if assumed and (found is None or not (self.gives(found) or fresh)):
            return self.condition(r, unit)
        if not r.formula.display and not derivative and self.is_aside(before, found, r, rhs, lhs):
            return self.condition(r, unit)
        listed = not r.formula.display and classes.LISTED.fullmatch(before) is not None
        if listed and ((found is None and self.normalises(lhs, rhs)) or of_a_letter(self.section, lhs, rhs)):
            return self.condition(r, unit)
        x = classes.moves(lhs, rhs, self.section.roles.candidates) if found is None else None
        known = x is not None and (self.section.defines(key_of(x)) or key_of(x) in section.frame.table.functions)
        if x is not None and not known:
            self.section.unread.add(key_of(x))
            return replace(unit, meant="remark", note="an equation of motion")
        named = name.endswith("'") and name in section.frame.options
        if derivative if found is None else found.name.primes and not named:
            return replace(unit, meant="claim")
        if found is None:
            stated = link.relation in (":=", "≡") and isinstance(lhs, Name)
            return replace(unit, meant="definition" if stated else "claim")
        if of_data(section, name, rhs, r):
            return replace(unit, meant="remark", note="how data come about")
        return self.with_head(r, unit, found, before)
