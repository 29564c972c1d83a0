"""What each formula of a document is: a definition, a shape statement, a claim, or a remark.

A chain a = b = c gives one statement for each link.  A row of align that begins with = goes on from the row above.
Definitions and the declarations inside the text enter the symbol table here, in document order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, cast

from ..declared.declarations import declare
from ..declared.said_in_prose import declared_in_prose
from ..declared.settling import Settler, without_examples
from ..declared.symbols import Declarations, Definition, FunctionSymbol
from ..declared.table import define
from ..files.items import Block, Formula, Item, Prose
from ..files.place import Place, ReadError, Span, Unsettled, render
from ..files.sources import read_document
from ..grammar.lexer import tokenize
from ..grammar.syntax import free_indices, has_words, is_shape, restates, unnested, with_left
from ..grammar.tree import (
    Call,
    Chain,
    Dots,
    Entry,
    Expr,
    Link,
    Matrix,
    Missing,
    Num,
    Shape,
    ShapeWord,
    Symbol,
    Transpose,
    Words,
)
from ..grammar.walking import relabel, respan, walk
from ..meaning.definitions import circular, definition_of, head
from ..meaning.lints import consistent
from .finer import finer

Kind: TypeAlias = Literal["definition", "shape", "claim", "remark"]
_STIPULATES = re.compile(
    r"(?:\b(?:define[sd]?|denote[sd]?|let|introduce|abbreviate|notation)\b"
    r"|(?:\A|[.;:,(]\s*|\b(?:we|I|us|and|then|also|shall|now)\s+)(?:set|write|call)\b)[^.;=]{0,60}\Z",
    re.IGNORECASE,
)
_ASSUMES = re.compile(
    r"\b(?:assum(?:e|es|ed|ing)|suppos(?:e|ed|ing)|provided|hypothesis)\b[^.;=]{0,60}\Z", re.IGNORECASE
)
_MARGIN = re.compile(r"\s*(?:\\[Uu]parrow(?![A-Za-z])|[↑⇑])")
_UPDATE = re.compile(r"\s*(?P<name>[^:=]+?)\s*(?::=|\\coloneqq)\s*(?P=name)\s*[-+]")
_SHAPE_RELATIONS = frozenset(("~", "∈"))
_REMARKS = frozenset(("←", "≐", "≈", "∝", "≠", "≤", "≥", "<", ">", "≪", "≫"))
_EQUATIONS = frozenset(("=", ":=", "≡", "=:"))


@dataclass(frozen=True, slots=True)
class Reading:
    """One statement.

    `lhs relation rhs` for a claim or definition; for shapes `lhs` is the subject (for a bare shape, the shape) and
    `rhs` what is said of it.  Both None for a remark.  `error`: it could not be read, or lacks a side.  `span` is its
    place in `formula.text`; `declarations` is the table in force.
    """

    kind: Kind
    formula: Formula
    span: Span
    declarations: Declarations
    lhs: Expr | None = None
    relation: str = ""
    rhs: Expr | None = None
    error: ReadError | None = None
    note: str = ""
    left: str = ""

    @property
    def latex(self) -> str:
        """As written; a link of a chain with the left side it goes on from."""
        here = self.formula.text[self.span[0] : self.span[1]].strip().rstrip(",.;").strip()
        return f"{self.left} {here}" if self.left else here

    @property
    def where(self) -> Place:
        return self.formula.where

    @property
    def line(self) -> int:
        return self.where.at(self.span[0])[0]

    @property
    def column(self) -> int:
        return self.where.at(self.span[0])[1]

    def render(self, message: str, span: Span | None = None) -> str:
        """The message as a compiler writes it, with the line and carets."""
        return render(message, span or self.span, self.where)


def read_file(path: str | Path) -> Iterator[Reading]:
    """The statements of a file, in order."""
    return read_statements(read_document(path))


def read_statements(items: Iterable[Item], declarations: Declarations | None = None) -> Iterator[Reading]:
    """The statements in the items of a document.  Raises ReadError for a declaration block that is wrong."""
    table = declarations or Declarations()
    above: dict[tuple[int, int], Expr] = {}
    items = list(items)
    formulas = [i for i in items if isinstance(i, Formula)]
    examples: dict[str, FunctionSymbol | None] = {}
    section: tuple[str, ...] = ()
    met = 0
    for item in items:
        if isinstance(item, (Formula, Prose)) and item.section != section:
            section, table = item.section, without_examples(table, examples)
        match item:
            case Block(text, where, front):
                table = declare(text, table, where, front)
            case Prose(text, _, _):
                table = declared_in_prose(text, table)
            case Formula():
                met += 1
                reader = _Reader(item, table, above, formulas, met - 1, examples)
                yield from reader.read()
                table = reader.after()


class _Reader(Settler):
    """Reads one formula: its statements, and the symbol table after it."""

    def __init__(
        self,
        formula: Formula,
        table: Declarations,
        above: dict[tuple[int, int], Expr],
        formulas: Sequence[Formula],
        at: int,
        examples: dict[str, FunctionSymbol | None],
    ) -> None:
        super().__init__(formula, table, formulas, at, examples)
        self.above = above

    def reading(self, kind: Kind, span: Span, **more: object) -> Reading:
        return Reading(kind, self.formula, span, self.table, **more)  # type: ignore[arg-type]

    def read(self) -> list[Reading]:
        formula = self.formula
        whole = (0, len(formula.text))
        if formula.error is not None:
            return [self.reading("claim", whole, error=formula.error)]
        if self.range_of_letters():
            return [self.reading("definition", whole, note="range")]
        try:
            statement = self.parse()
        except ReadError as error:
            if formula.aligned is not None:
                self.above[formula.aligned] = Missing((0, 0))
            bare = bool(error.undeclared) and not self.claims_something()
            return [self.reading("remark" if bare else "claim", whole, error=error)]
        if formula.struck:
            return [self.reading("remark", whole, note="struck out")]
        if _MARGIN.match(formula.text):
            return [self.reading("remark", whole, note="points at the line above")]
        out: list[Reading] = []
        for part in statement.parts:
            out.extend(self.chain(part.chain))
        return out

    def claims_something(self) -> bool:
        """An equation or a shape; W ← W - η ∂L/∂W and η > 0 are remarks."""
        try:
            relations = {t.text for t in tokenize(self.formula.text, self.table.words) if t.kind in ("rel", "stack")}
        except ReadError:
            return True
        return bool(relations - _REMARKS) and not _UPDATE.match(self.formula.text)

    # --- one chain ---------------------------------------------------------------------------

    def chain(self, chain: Chain) -> list[Reading]:
        first = chain.subjects[-1]
        if not chain.links:
            return [self.bare(first, chain.span)]
        if isinstance(first, Missing):
            over = self.above.get(self.formula.aligned) if self.formula.aligned is not None else None
            if (
                over is None
                and chain.links[0].relation in _EQUATIONS
                and is_shape(chain.links[0].rhs, self.table)
                and len(chain.links) == 1
            ):
                return [self.bare(chain.links[0].rhs, chain.span)]
            if over is None or isinstance(over, Missing):
                here = (chain.links[0].span[0], chain.links[0].span[0] + 1)
                error = (
                    ReadError("nothing stands before this relation", here, self.formula.where)
                    if over is None
                    else Unsettled("this goes on from a row that could not be read", here, self.formula.where)
                )
                return [self.reading("claim", chain.span, error=error)]
            chain = Chain((cast(Expr, respan(over, chain.span)),), chain.links, chain.span)
        out: list[Reading] = []
        text, start = self.formula.text, chain.span[0]
        for subject in chain.subjects:
            lhs, left, written = subject, text[with_left(text, start) : chain.links[0].span[0]].strip(), ""
            for k, link in enumerate(chain.links):
                if k > 0 and subject is not chain.subjects[-1]:
                    break
                inner: list[Chain] = []
                if link.relation in _EQUATIONS:
                    lhs, link = unnested(lhs, inner), replace(link, rhs=unnested(link.rhs, inner))
                for nested in inner:
                    out.extend(self.chain(nested))
                reading = self.link(subject, lhs, link, k)
                whole = (with_left(text, start), link.span[1]) if k == 0 else link.span
                shared = len(chain.subjects) > 1 and k == 0
                if shared:
                    whole, written = link.span, text[subject.span[0] : subject.span[1]]
                elif k > 0:
                    written = left
                out.append(replace(reading, span=whole, left=written))
                if not isinstance(link.rhs, Words):
                    lhs = link.rhs
                    left = left if link.relation in _SHAPE_RELATIONS else text[link.at[0] : link.at[1]].strip()
        last = chain.links[-1].rhs
        if self.formula.aligned is not None and not isinstance(last, (Missing, Words)):
            self.above[self.formula.aligned] = last
        return out

    def bare(self, node: Expr, span: Span) -> Reading:
        if is_shape(node, self.table) and not isinstance(node, (Symbol, Num, ShapeWord)):
            return self.reading("shape", span, lhs=node)
        return self.reading("remark", span, lhs=node)

    def link(self, subject: Expr, lhs: Expr, link: Link, k: int) -> Reading:
        span = (min(lhs.span[0], link.span[0]), link.span[1]) if k == 0 else link.span
        rhs = link.rhs
        if isinstance(rhs, Missing):
            error = ReadError(
                f"nothing stands after {link.relation}", (link.span[0], link.span[0] + 1), self.formula.where
            )
            return self.reading("claim", span, lhs=lhs, relation=link.relation, error=error)
        if link.relation in _SHAPE_RELATIONS:
            if isinstance(rhs, Words):
                return self.reading("remark", span)
            kind: Kind = "definition" if self.declares and isinstance(subject, Symbol) else "shape"
            return self.reading(kind, span, lhs=subject, relation=link.relation, rhs=rhs)
        if link.relation not in _EQUATIONS:
            return self.reading("remark", span, lhs=lhs, relation=link.relation, rhs=rhs)
        if isinstance(rhs, (Words, Dots)) or isinstance(lhs, (Words, Dots)) or has_words(rhs):
            return self.reading(
                "definition" if head(lhs) and not isinstance(rhs, Dots) else "remark", span, note="in words"
            )
        if is_shape(rhs, self.table) and (is_shape(lhs, self.table) or isinstance(rhs, (Shape, ShapeWord))):
            return self.reading("shape", span, lhs=lhs, relation=link.relation, rhs=rhs)
        if link.relation == ":=" and any(s == lhs for s in walk(rhs)):
            return self.reading("remark", span, lhs=lhs, relation="←", rhs=rhs, note="an update")
        if link.relation == "=:":
            lhs, rhs = rhs, lhs
        if self.is_hypothesis(k):
            entry = Definition(Chain((lhs,), (Link("=", rhs, link.span),), span), self.formula.text, self.formula.where)
            self.table = replace(self.table, hypotheses=(*self.table.hypotheses, entry))
            return self.reading("definition", span, lhs=lhs, relation=link.relation, rhs=rhs, note="hypothesis")
        if self.defines(lhs, rhs, link, k):
            return self.reading("definition", span, lhs=lhs, relation=link.relation, rhs=rhs)
        return self.reading("claim", span, lhs=lhs, relation=link.relation, rhs=rhs)

    # --- definition or claim? ----------------------------------------------------------------

    def is_hypothesis(self, k: int) -> bool:
        return k == 0 and _ASSUMES.search(self.formula.before) is not None

    def defines(self, lhs: Expr, rhs: Expr, link: Link, k: int) -> bool:
        """The equation says what its left side is.

        It was written :=, or the words before it say so, or it repeats the definition in force, or its left side is a
        declared array that nothing has defined yet and that the right side does not hold.
        """
        if self.gives_function and k == 0 and isinstance(lhs, Call):
            return True
        symbol = head(lhs)
        stated = link.relation in (":=", "≡", "=:") or (k == 0 and _STIPULATES.search(self.formula.before) is not None)
        if symbol is None:
            return stated and isinstance(lhs, Transpose)
        array = self.table.layered.get(symbol.name) if symbol.label else self.table.arrays.get(symbol.name)
        if array is None or array.role == "constant" or (isinstance(lhs, Entry) and not free_indices(lhs)):
            return False
        known = definition_of(symbol, self.table)
        if known is not None and finer(symbol, lhs, rhs, known, self.table):
            return self.define(lhs, rhs, link)
        if known is not None:
            return stated or restates(lhs, rhs, known, self.table)
        if circular(symbol, rhs, self.table) or not consistent(lhs, rhs, self.table):
            return False
        if symbol.name in self.table.functions and isinstance(lhs, Symbol) and not array.shape:
            pass  # L = L(y, t)
        return self.define(lhs, rhs, link)

    def define(self, lhs: Expr, rhs: Expr, link: Link) -> bool:
        chain = Chain((lhs,), (Link("=", rhs, link.span),), (lhs.span[0], link.span[1]))
        self.table = define(self.table, chain, self.formula.text, self.formula.where)
        return True


__all__ = ["Kind", "Matrix", "Reading", "definition_of", "read_file", "read_statements", "relabel", "respan", "walk"]
