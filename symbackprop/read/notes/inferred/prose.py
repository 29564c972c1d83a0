"""What the words of a paragraph say of its letters: kinds, shapes, properties, conventions.

A paragraph becomes a template in which ⟦k⟧ stands for its k-th formula; every pattern below is one way of saying
something in English.  Only what a sentence says plainly is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..files.place import ReadError
from ..grammar.idioms import Announced
from ..grammar.parser import parse
from ..grammar.tree import Chain, Expr, Name, Num, Paren, Product
from ..grammar.walking import Statement
from ..grammar.vocabulary import GREEK
from . import prose_patterns as ways
from .hypotheses import ANY, CASE, LAST, SQUARE, Saying
from .occurrences import key_of


@dataclass(slots=True)
class Template:
    """A paragraph with its formulas taken out."""

    text: str
    formulas: list[str]
    _parsed: dict[int, Statement | None] = field(default_factory=dict)

    def statement(self, k: int) -> Statement | None:
        if k not in self._parsed:
            try:
                self._parsed[k] = parse(self.formulas[k])
            except ReadError:
                self._parsed[k] = None
        return self._parsed[k]

    def keys(self, group: str | None) -> Iterator[str]:
        """The letters that the formulas of a list are about."""
        for m in re.finditer(r"⟦(\d+)⟧", group or ""):
            if not self.compares(int(m[1])):
                yield from self.subjects(int(m[1]))

    def chains(self, k: int) -> list[Chain]:
        statement = self.statement(k)
        return [] if statement is None else [p.chain for p in statement.parts]

    def compares(self, k: int) -> bool:
        """x ≠ 0 says something of x already."""
        return any(link.relation in ("≠", "<", ">", "≤", "≥") for c in self.chains(k) for link in c.links)

    def values(self, text: str) -> Iterator[tuple[str, str]]:
        """x ∈ {0, 1}^n: "binary" and its letter."""
        for k in map(int, re.findall(ways.F, text)):
            for name, values in ways.VALUES.items():
                for chain in self.chains(k) if values.search(self.formulas[k]) else ():
                    link = chain.links[0] if chain.links else None
                    if link and link.relation == "∈" and values.match(self.formulas[k][link.at[0] :].lstrip()):
                        yield from ((name, subject_key(x)) for x in chain.subjects if isinstance(x, Name))

    def names_right_before(self, text: str, group: str) -> bool:
        """The text ends with a list of letters of which no formula says anything itself."""
        parts = [self.chains(int(k)) for k in re.findall(r"⟦(\d+)⟧", group)]
        bare = all(chains and not any(c.links for c in chains) for chains in parts)
        return bare and text.rstrip().endswith(group)

    def subjects(self, k: int) -> Iterator[str]:
        for s in (s for c in self.chains(k) for s in c.subjects):
            match s:
                case (Name() as name) | Product((Name() as name, Paren())):
                    yield subject_key(name)


def subject_key(name: Name) -> str:
    return key_of(name) + ("_" + name.sub.text if name.sub is not None else "")


def template(text: str) -> Template:
    formulas: list[str] = []

    def out(m: re.Match[str]) -> str:
        body = next(m[g] for g in "abcde" if m[g] is not None)
        for name, values in ways.VALUES.items():
            if values.fullmatch(body.strip()):
                return f" ⟦{name}⟧ "
        formulas.append(body)
        return f" ⟦{len(formulas) - 1}⟧ "

    made = ways.MATH.sub(out, text)
    made = re.sub(r"\\(?:emph|textbf|textit|textrm|text)\{([^{}]*)\}", r"\1", made)
    made = re.sub(r"\*\*|[~_]", " ", made)
    made = re.sub(r"\\(?:begin|end|label|section|subsection)\*?\{[^{}]*\}", " ", made)
    return Template(re.sub(r"\s+", " ", made), formulas)


@dataclass(slots=True)
class Facts:
    """What is said, by letter; a letter with a subscript is kept as x_i."""

    ranks: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[Expr, ...]] = field(default_factory=dict)
    square: set[str] = field(default_factory=set)
    rows_of: dict[str, tuple[str, str]] = field(default_factory=dict)
    sayings: list[Saying] = field(default_factory=list)
    rows: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    losses: set[str] = field(default_factory=set)
    """f: ℝ^n → ℝ."""
    made_of: dict[str, set[str]] = field(default_factory=dict)
    """ "The loss L is a function of Y": the arrays, by the loss."""
    softmaxes: list[tuple[str, str, str]] = field(default_factory=list)
    everything: int | None = None
    bold: dict[str, int] = field(default_factory=dict)
    einstein: bool = False
    logistic: bool = False
    worded: dict[str, str] = field(default_factory=dict)
    """Functions that words give, "σ is the logistic function": their formulas."""
    adjoint: str = ""
    adjoint_of: str = ""
    short_d: str = ""
    stacked: dict[str, str] = field(default_factory=dict)
    layered: bool = False
    partials: bool = False
    moving: bool = False
    means: bool = False
    random: set[str] = field(default_factory=set)
    decomposed: bool = False
    """A matrix is the product of others, of which more is known than is said."""
    law: bool = False
    """Something is said of a distribution."""
    at: int = 0
    """How many formulas stand before what is read."""

    @property
    def announced(self) -> Announced:
        return Announced(self.partials, self.moving, self.means, frozenset(self.random))

    def read(self, text: str, at: int = 0) -> Facts:
        t, self.at = template(text), at
        self.losses |= {GREEK.get(m[1].lstrip("\\"), m[1]) for m in ways.TO_NUMBERS.finditer(text)}
        for k, sentence in enumerate(re.split(r"(?<=[.;!?:])\s+", t.text)):
            self.at = at - 1 if k == 0 and ways.GOES_ON.match(sentence) else at
            self.sentence(sentence, t)
        return self

    def sentence(self, s: str, t: Template) -> None:
        for name, pattern in ways.FLAGS.items():
            if pattern.search(s):
                setattr(self, name, True)
        for name, pattern in ways.LISTED.items():
            for m in pattern.finditer(s):
                getattr(self, name).update(t.keys(m["list"] or m["list2"]))
        for m in ways.OF.finditer(s):
            bare = [k for k in re.findall(ways.F, m["list"]) if not any(c.links for c in t.chains(int(k)))]
            for key in t.keys(m["loss"]):
                self.made_of.setdefault(key, set()).update(x for k in bare for x in t.subjects(int(k)))
        self.kinds(s, t)
        self.shapes_in(s, t)
        self.properties_in(s, t)
        self.conventions(s, t)

    def say(self, keys: Iterator[str], rank: int, adj: str) -> None:
        for key in keys:
            self.ranks.setdefault(key, rank)
            if rank == 2 and "square" in adj.lower():
                self.square.add(key)
            if rank == 1 and re.search(r"\brow\b", adj, re.IGNORECASE):
                self.rows.add(key)

    def kinds(self, s: str, t: Template) -> None:
        for pattern in (ways.AFTER, ways.BEFORE):
            for m in pattern.finditer(s):
                if m["kind"].lower() == "real" and re.match(r"\s*⟦\d+⟧\s*⟦|\s*⟦\d+⟧\s*matri", s[m.end() - 4 :]):
                    continue
                self.say(t.keys(m["list"]), ways.RANK[m["kind"].lower()], m["adj"] or "")
        for m in ways.NAMED.finditer(s):
            self.say(t.keys(f"⟦{m[1]}⟧"), ways.RANK[m["kind"].lower()], "")
        for m in ways.LOSS.finditer(s):
            if re.fullmatch(r"\s*(?:\\\w+\s*\{?\s*)?[A-Za-z]\s*\}?\s*", t.formulas[int(m[1])]):
                self.say(t.keys(f"⟦{m[1]}⟧"), 0, "")
        for m in ways.ROW_VECTOR.finditer(s):
            self.rows |= set(t.keys(m["list"]))
            self.say(t.keys(m["list"]), 1, "row")
        if ways.ALL_NUMBERS.search(s):
            self.everything = 0
        if ways.ALL_MATRICES.search(s):
            self.everything = 2
        for m in (*ways.BOLD.finditer(s), *ways.BOLD_CASE.finditer(s)):
            case = "lower" if m["case"].lower() == "lower" else "upper"
            self.bold[case] = 2 if m["kind"].lower() == "matri" else 1
        for m in ways.APPLIED.finditer(s) if ways.ELEMENTWISE.search(s) else ():
            self.functions |= set(t.keys(f"⟦{m[1]}⟧"))

    def shapes_in(self, s: str, t: Template) -> None:
        for pattern in (ways.SHAPED, ways.LATER, ways.DIMENSIONAL):
            for m in pattern.finditer(s):
                shape = shape_of(t.statement(int(m["shape"])), pattern is ways.DIMENSIONAL)
                if shape is None:
                    continue
                for key in t.keys(m["list"]):
                    self.shapes.setdefault(key, shape)
        for m in ways.N_BY_M.finditer(s):
            parts = [shape_of(t.statement(int(m[g].strip("⟦⟧"))), True) for g in "nm"]
            if all(parts):
                for key in t.keys(m["list"]):
                    self.shapes.setdefault(key, (*parts[0], *parts[1]))  # type: ignore[misc]

    def properties_in(self, s: str, t: Template) -> None:
        since, case = self.at if ways.ANEW.search(s) else 0, ways.CASE.match(s) is not None
        self.sayings += [Saying(self.at, CASE, ANY, False)] if ways.GENERAL.match(s) else []
        self.sayings += [Saying(since, name, key) for name, key in t.values(s)]
        for name, pattern in ways.PROPERTIES.items():
            for m in re.finditer(pattern, s, re.IGNORECASE):
                clause = s[max(0, m.start() - 60) : m.end()]
                denied = ways.NEGATED.search(clause.split("⟦")[-1]) or re.search(
                    r"\bwithout\b|\binstead\b|\bnot\b", s[max(0, m.start() - 25) : m.end() + 25]
                )
                for key in self.about(s, m, t):
                    self.sayings.append(Saying(self.at if denied else since, name, key, not denied, case=case))
                    if name in SQUARE and not denied:
                        self.square.add(key)
        if re.search(r"\binstead\b|\bno longer\b|\bonly\s+a\s+vector\b", s, re.IGNORECASE):
            self.sayings += [Saying(self.at, ANY, k, False) for k in t.keys(s)]
        for m in ways.DROPPED.finditer(s):
            what = next((p for p, noun in ways.NOUNS.items() if re.search(noun, m.group(), re.IGNORECASE)), "")
            every = re.search(r"\b(?:all|any|these|both|assumptions|hypotheses)\b", m.group(), re.IGNORECASE)
            of = list(t.keys(s)) if what else []
            self.sayings += [Saying(self.at, what or (ANY if every else LAST), k, False) for k in of or [ANY]]

    @staticmethod
    def about(s: str, m: re.Match[str], t: Template) -> Iterator[str]:
        """What an adjective is said of: the formulas right behind its noun, else those of the clause before it.

        "a symmetric A and x" says it of A, "symmetric matrices A and B" of both.
        """
        article = re.search(r"\b(?:an?|the|one|every|each)\s+(?:[\w-]+\s+){0,2}\Z", s[: m.start()], re.IGNORECASE)
        one = article is not None
        behind = re.match(rf"[\w\s-]{{0,40}}?(?P<list>{ways.LIST})", s[m.end() :])
        between = s[m.end() : m.end() + behind.start("list")] if behind else ""
        if behind and not re.search(r"\b(?:is|are|where|with|and|over|that|let|has|have)\b", between):
            shape = shape_of(t.statement(int(re.findall(r"\d+", behind["list"])[0])), False)
            if shape is None:
                first = re.findall(r"⟦\d+⟧", behind["list"])
                keys = list(t.keys(first[0] if one else behind["list"]))
                if keys:  # "one-hot in ℝ^K" is said of what stands before
                    yield from keys
                    return
            more = re.match(rf"[\w\s-]*⟦\d+⟧\s*-?\s*(?:matri\w+|vectors?)\s+(?P<list>{ways.LIST})", s[m.end() :])
            if more:
                yield from t.keys(more["list"])
                return
        before = ways.AS_LARGE.sub(lambda found: " " * len(found[0]), s[: m.start()])
        lists = list(re.finditer(rf"(?P<list>{ways.LIST})", before))
        while lists:
            last = lists.pop()["list"]
            verb = re.search(r"\b(?:be|are|both)\b", s[: m.start()].rsplit("⟧", 1)[-1])
            plural = verb or t.names_right_before(s[: m.start()], last)  # "with Q, R symmetric"
            keys = list(t.keys(last if plural else re.findall(r"⟦\d+⟧", last)[-1]))
            if keys:
                yield from keys
                return

    def conventions(self, s: str, t: Template) -> None:
        self.logistic |= ways.LOGISTIC.search(s) is not None
        for formula, pattern in ways.WORDED.items():
            for m in pattern.finditer(s):
                letter = next((f"⟦{g}⟧" for g in m.groups() if g), "")
                self.worded |= dict.fromkeys(t.keys(letter), formula)
        for m in ways.SOFTMAX_OF.finditer(s):
            axis = (m["axis"] or m["wise"] or "").lower()
            names = [list(t.subjects(int(k))) for k in re.findall(r"⟦(\d+)⟧", m.group())]
            if len(names) == 2 and all(names) and axis:
                self.softmaxes.append((names[0][0], names[1][0], "rows" if axis.startswith("row") else "columns"))
        for m in ways.ROWS.finditer(s):
            axis = (m["one"] or m["two"] or m["three"]).lower()
            ks = [int(k) for k in re.findall(r"⟦(\d+)⟧", m.group())]
            first, last = (ks[-1], ks[0]) if m["one"] else (ks[0], ks[-1])
            whole, item = list(t.subjects(first)), list(t.subjects(last))
            if whole and item:
                self.rows_of[whole[0]] = (item[0].split("_")[0], axis)
        for m in ways.SAMPLES.finditer(s):
            for k in re.findall(r"⟦(\d+)⟧", m.group()):
                for key in t.subjects(int(k)):
                    self.stacked[key] = (m["axis"] or m["axis2"]).lower()
        if (mark := ways.ADJOINT.search(s)) and ways.MOVING.search(s) is None and ways.BAR_MEANS.search(s) is None:
            self.adjoint = mark[1].lower()
        for m in ways.FOR.finditer(s):
            self.abbreviated(t.formulas[int(m[1])], t.formulas[int(m[2])])
        for m in ways.MEANS.finditer(s):
            self.abbreviated(m["d"] or t.formulas[int(m["k"])], t.formulas[int(m["of"])])
        if found := ways.ABBREVIATES.search(s):
            self.short_d = self.short_d or next(t.subjects(int(found[1])), "")

    def abbreviated(self, short: str, long: str) -> None:
        r"""dX for ∂L/∂X, \bar X for ∂L/∂X."""
        loss = loss_below(long)
        if not loss:
            return
        if re.match(r"\s*(?:\\mathrm\s*\{?\s*)?d\s*\}?\s*\\?[A-Za-z]", short):
            self.short_d = self.short_d or loss
        elif mark := derivative_mark(short):
            self.adjoint, self.adjoint_of = mark, loss


def derivative_mark(formula: str) -> str:
    r"""The bar of \bar W."""
    node = first_subject(formula)
    return node.mark if isinstance(node, Name) and node.mark in ("bar", "hat", "tilde", "dot", "overline") else ""


def first_subject(formula: str) -> Expr | None:
    try:
        return parse(formula).parts[0].chain.subjects[-1]
    except ReadError:
        return None


def loss_below(formula: str) -> str:
    """The L of ∂L/∂Y."""
    body = getattr(first_subject(formula), "body", None)
    return key_of(body) if isinstance(body, Name) else ""


def shape_of(statement: Statement | None, lone: bool) -> tuple[Expr, ...] | None:
    """n × m, (N, D); with `lone` also n."""
    if statement is None or len(statement.parts) != 1 or statement.parts[0].chain.links:
        return None
    node = statement.parts[0].chain.subjects[-1]
    match node:
        case Product(args, signs) if signs and set(signs) == {"times"}:
            return args
        case Paren(chains, "(") if len(chains) == 2 and not any(c.links for c in chains):
            parts = tuple(c.subjects[-1] for c in chains)
            return parts if all(isinstance(p, (Name, Num)) for p in parts) else None
        case Name(_, _, None, ()) if lone:
            return (node,)
        case _:
            return None
