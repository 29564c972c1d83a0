"""What each formula of a document is: a definition, a condition, a shape, a claim, or a remark.

A chain a = b = c gives one statement for each link.  A row of align that begins with = goes on from the row above.
A section is classified first, then solved as a whole (`inferred`), then each statement gets the table it is read under.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, takewhile
from typing import Literal, NamedTuple, TypeAlias

from ..declared.declarations import declare
from ..declared.said_in_prose import declared_in_prose
from ..declared.symbols import Declarations
from ..files.items import Block, Formula, Item, Prose
from ..files.place import Place, ReadError, Span, render
from ..grammar.idioms import spelled_out
from ..grammar.parser import parse
from ..grammar.recurrences import in_time
from ..grammar.repeated import sums_are_meant
from ..grammar.tree import Chain, Expr, Link, Name, Num
from ..grammar.walking import Part, Statement
from ..grammar.vocabulary import ACTIVATION_WORDS
from ..inferred.above import END, Above, letters
from ..inferred.occurrences import Uses
from ..inferred.prose import Facts
from ..inferred.prose_patterns import LOGISTIC, MATH
from ..inferred.said import COUNTS, Record, head_of
from ..inferred.notations import Unwritten
from .classes import FOLLOWS
from .events import events_named
from .letters_apart import counts_apart, families_apart, sizes_apart
from .spoken import of_formula

Kind: TypeAlias = Literal["definition", "condition", "shape", "claim", "remark"]
_LEAD = re.compile(
    r"\s*(?:\*\*|__|\\textbf\{)\s*(?:example|exercise|problem|question|task|case|part|variant|model)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One statement.

    `lhs relation rhs` for a claim or definition; for shapes `lhs` is the subject (for a bare shape, the shape) and
    `rhs` what is said of it.  Both None for a remark.  `error`: it could not be read, or lacks a side.  `span` is its
    place in `formula.text`; `declarations` is the table in force.  `rivals` are other readings that the text admits,
    each with the words that tell it apart.
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
    rivals: tuple[Rival, ...] = ()
    quantified: bool = False
    """Of each of its letters the text says of what set it is, x ∈ ℝ^n: it is said of all of them."""
    assumed: tuple[str, ...] = ()
    also: Reading | None = None
    doubt: str = ""
    """Why it may hold all the same where it seems not to: a condition in words that is not understood."""
    unwritten: Unwritten = field(default_factory=Unwritten)
    introduced: str = ""
    """A letter that nothing said or used before, on one side only: the equation may say what it is."""

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


class Rival(NamedTuple):
    """Another reading, the words that tell it apart, and what it weighs.

    "usual": as it would be read without this statement; "rescue": less usual, it counts only where it alone is true;
    "more": it claims more and counts only where the statement is proved; "numbers": as "rescue", where arrays may be
    meant to be numbers; "layout": the verdict names the layout.
    """

    words: str
    reading: Reading
    role: Literal["other", "usual", "rescue", "more", "numbers", "layout"] = "other"
    letter: str = ""


@dataclass(slots=True)
class Scope:
    """A stretch of a document in which letters keep their meaning."""

    base: Declarations
    section: tuple[str, ...]
    formulas: list[Formula] = field(default_factory=list)
    prose: list[tuple[str, int]] = field(default_factory=list)
    after: Declarations | None = None
    """The author's table behind the scope, with what its text said of shapes: the next block goes on from it."""


def scopes(items: Iterable[Item], base: Declarations) -> Iterator[Scope]:
    """Cut at headings, at declaration blocks, at numbered examples, and where a letter is declared anew.

    Generators: a block is read when its turn comes, so that what was defined above it is known.
    """
    items = list(items)
    scope = Scope(base, ())
    shapes: dict[str, str] = {}
    paragraph, coming = list[str](), list[tuple[str, Place]]()
    last = {id(x.where.source): k for k, x in enumerate(items) if isinstance(x, Formula)}

    def said(until: Place | None, inside: bool = False, at: int = END) -> None:
        """The sentences that begin before a place in the source; or, with `inside`, up to where a file is put in."""
        while coming:
            text, where = coming[0]
            here = until is not None and where.source is until.source
            if until is not None and (where.offset(0) > until.offset(0) if here else goes_on_behind(where, at)):
                break
            coming.pop(0)
            paragraph.append(text)
            scope.prose.append((text, len(scope.formulas)))
            if inside and _PUTS_IN.search(text):
                break

    def goes_on_behind(where: Place, k: int) -> bool:
        """Formulas of the same file come after item k."""
        return last.get(id(where.source), -1) > k

    for k, item in enumerate(items):
        other = bool(coming) and isinstance(item, Prose) and coming[0][1].source is not item.where.source
        goes_on = other and goes_on_behind(coming[0][1], k)
        if not goes_on or any(_PUTS_IN.search(text) for text, _ in coming):
            said(item.where if isinstance(item, Formula) else None, goes_on, k)
        section = scope.section if isinstance(item, Block) else item.section
        cut = isinstance(item, Block) or section != scope.section
        above: Declarations | None = None
        if isinstance(item, Prose):
            cut |= _LEAD.match(item.text) is not None or (
                _TITLE.match(item.text) is not None and not heads(titled(items, k)).isdisjoint(heads(scope.formulas))
            )
        if isinstance(item, Formula):
            cut |= redeclared(item, shapes) | given_anew(item, shapes, scope.formulas)
        if cut and (scope.formulas or isinstance(item, Block)):
            if scope.formulas or scope.prose:
                yield scope
                above = scope.after
            shapes = {}
            if isinstance(item, Formula):
                redeclared(item, shapes)
                given_anew(item, shapes, ())
            base = scope.base
            if scope.after is not None:
                base = replace(base, definitions=scope.after.definitions)
            scope = Scope(base, section, prose=[(t, 0) for t in paragraph] if isinstance(item, Formula) else [])
        scope.section = section
        match item:
            case Block(text, where, front):
                scope.base = declare(text, above or scope.base, where, front)
            case Prose():
                paragraph.clear()
                coming[:0] = sentences(item)
            case Formula():
                scope.formulas.append(item)
    said(None)
    if scope.formulas or scope.prose:
        yield scope


_TITLE = re.compile(r"\s*(?:\*\*|__|\\textbf\{)\s*(?!(?:Note|Remark|Proof|Solution|Answer|Hint)\b)[A-Z][A-Za-z-]{2,}")
_GIVEN = re.compile(
    r"(?:\A|,)\s*(\\(?:hat|tilde|bar)\s*\{\s*\\?[A-Za-z]+\s*\}|\\?[A-Za-z]+)"
    r"\s*(?:_\s*(?:\{[^{}]*\}|\w))?\s*(?:\([^()=]*\))?\s*&?\s*:?=(?!=)"
)


def titled(items: Sequence[Item], k: int) -> list[Formula]:
    """The formulas of what has a title of its own at the beginning of a paragraph, **Label smoothing.**"""
    first = items[k]

    def goes_on(x: Item) -> bool:
        return not isinstance(x, Block) and not (isinstance(x, Prose) and _TITLE.match(x.text))

    own = (x for x in takewhile(goes_on, items[k + 1 :]) if isinstance(x, Formula))
    return [x for x in own if isinstance(first, Prose) and x.section == first.section]


def heads(formulas: Iterable[Formula]) -> set[str]:
    """The letters that equations may give."""
    return {m[1] for f in formulas if len(f.text) < 4_000 for m in _GIVEN.finditer(f.text)}


_PUTS_IN = re.compile(r"\\(?:input|include|subfile)(?![A-Za-z])")


def sentences(prose: Prose) -> Iterator[tuple[str, Place]]:
    """The sentences of a paragraph, with the places of the source at which they begin."""
    text = prose.text
    hidden = MATH.sub(lambda m: "x" * len(m.group()), text)
    starts = [0, *(m.end() for m in _STOP.finditer(hidden)), len(text)]
    for start, end in pairwise(starts):
        yield text[start:end], prose.where.part(start, end)


_STOP = re.compile(
    r"(?<=[.!?])\s+(?=[A-Z])|(?<=x[.!?])\s+(?=x)"
    r"|(?<=[.!?x])\s*\n\s*(?=\\(?:begin|end|item|input|include)(?![a-z]))|(?<=\})\s*\n\s*(?=[A-Z\\])"
    r"|(?<=xx)\s*\n\s*(?=(?:Conversely|Consider|Finally|For|From|If|In|Instead|Later|Let|More|Next|Now|Suppose|When)\b)"
)
_MEMBER = re.compile(
    r"(?P<head>[^=]*?)(?:\\in(?![a-z])|∈)\s*(?P<set>\\mathbb\s*\{?\s*R\s*\}?\s*(?:\^\s*(?:\{[^{}]*\}|\w))?|\\R\b\s*(?:\^\s*(?:\{[^{}]*\}|\w))?)"
)


def redeclared(formula: Formula, shapes: dict[str, str]) -> bool:
    """x ∈ ℝ^m where x ∈ ℝ^n was said above in the same section."""
    new = members(formula)
    again = any(shapes.get(name, said) != said for name, said in new.items())
    if again:
        shapes.clear()
    shapes.update(new)
    return again


def members(formula: Formula) -> dict[str, str]:
    """x ∈ ℝ^n: the set, by letter."""
    found: dict[str, str] = {}
    if len(formula.text) > 4_000 or not ("\\in" in formula.text or "∈" in formula.text):
        return found
    for m in _MEMBER.finditer(formula.text):
        for head in m["head"].split(","):
            name = re.sub(r"\\(?:mathbf|bm|boldsymbol|vec)|[\s{}$]", "", head)
            if name:
                found[name] = re.sub(r"[\s{}]", "", m["set"])
    return found


_GIVES = re.compile(r"\s*(?P<name>\\?[A-Za-z]+)\s*\((?P<args>[^()=]*)\)\s*&?\s*:?=\s*(?P<body>.+)", re.DOTALL)
_ANOTHER = re.compile(
    r"(?:\b(?:if|when|for|with|take|choose|choosing|using|consider|suppose|let|instead|now|case|say)\b|:)[^.;]{0,60}\Z"
    rf"|\b(?:{'|'.join(ACTIVATION_WORDS)}|hyperbolic|rectif\w+|linear|identity|elu|gaussian|sine|step)\b[^.;]{{0,40}}\Z"
    r"|\b(?:of|functions?)\s*\Z",
    re.IGNORECASE,
)


_ITEM = re.compile(r"(?:\A|[.:;_\n])\W*(?:\d{1,2}|[a-z]|[ivx]{1,4})[.):]\W*\Z")
_WORDS = re.compile(r"[A-Za-z]{2,}\W+[A-Za-z]{2,}[^.;]*\Z")
"""A sentence of its own begins before the formula."""


def given_anew(formula: Formula, given: dict[str, str], before: Sequence[Formula]) -> bool:
    """f(z) = … once more, of another example: not in a list of which nothing was used yet."""
    m = _GIVES.match(formula.text) if len(formula.text) < 4_000 else None
    if m is None:
        return False
    key, body, args = f"{m['name']}()", "".join(m["body"].split()), "".join(m["args"].split())
    known = given.get(key, "||").split("|", 2)
    apart = len(letters(args)) > 1 and letters(args).isdisjoint(letters(known[0])) and bool(known[0])
    told = known[1] != str(formula.row) or _WORDS.search(formula.before) is not None
    apart |= (told and FOLLOWS.search(formula.before) is None) or _ITEM.search(formula.before) is not None
    again = key in given and known[2] != body and (apart or _ANOTHER.search(formula.before) is not None)
    if again and m["name"][0] != "\\":
        use = re.compile(rf"(?<![A-Za-z\\]){m['name']}(?![A-Za-z])")
        again = any(use.search(f.text) and not _GIVES.match(f.text) for f in before)
    if again:
        given.clear()
    given.setdefault(key, f"{args}|{formula.row}|{body}")
    return again


_LET = re.compile(r"\b(?:let|call|denote|abbreviate)\s*(?:us\s+|by\s+)?\Z", re.IGNORECASE)


def turned(statement: Statement, before: str) -> Statement:
    """Let Σ_j e^{z_j} = Z: what is called Z, written in front."""
    match statement.parts:
        case (Part(chain=Chain((lhs,), (Link("=", Name(sups=()) as rhs) as link,))) as part,) if _LET.search(before):
            if not isinstance(lhs, (Name, Num)) and head_of(lhs) is None:
                named = Chain((rhs,), (replace(link, relation=":=", rhs=lhs, at=lhs.span),), part.chain.span)
                return replace(statement, parts=(replace(part, chain=named),))
    return statement


def records_of(scope: Scope, base: Declarations, facts: Facts, above: Above) -> list[Record]:
    trees, errors = list[Statement | None](), list[ReadError | None]()
    for formula in scope.formulas:
        loose: Statement | None = None
        error: ReadError | None = formula.error
        if error is None:
            try:
                loose = turned(parse(formula.text, base.words, formula.where), formula.before)
            except ReadError as caught:
                error = caught
        trees.append(loose)
        errors.append(error)
    ranges = [m[1] for f in scope.formulas if (m := COUNTS.match(f.text)) is not None]
    trees = counts_apart(families_apart(sizes_apart(events_named(trees))))
    written, more = in_time(spelled_out(trees, list(above.functions()), facts.announced), ranges)
    out = [
        Record(formula, at, loose, error, used_in(loose))
        for at, (formula, loose, error) in enumerate(zip(scope.formulas, written, errors, strict=True))
    ]
    for r in [r for r in out if r.loose is not None][:1]:
        r.more = tuple(more)
        for given in more:
            r.uses.chain(given, frozenset())
    for r in out:
        chain = r.chains[0] if len(r.chains) == 1 else None
        if chain is not None and not chain.links and (called := of_formula(out, r)) is not None:
            r.worded = Chain((called.tree,), (Link("=", chain.subjects[-1], chain.span),), chain.span)
            r.uses.chain(r.worded, frozenset())
    facts.einstein |= sums_are_meant(c for r in out for c in r.chains)
    return out


_IN_WORDS = re.compile(r"\\(?:text|mbox|textrm|textit)\s*\{[^{}]*(?:wise|\b(?:rows?|columns?)\b)")
_NAMES = re.compile(r"(?:\A|[,;&]|\\\\)\s*(?P<word>[A-Z]{2,5})\s*(?:_\w|_\{[^{}]*\})?\s*(?:\([^()=]*\))?\s*&?\s*:?=")
_RUN = re.compile(r"(?<![A-Za-z\\])d?(?P<run>[A-Z]+)(?![A-Za-z])|(?P<other>\\[A-Za-z]+|[A-Za-z]+)")


def acronyms(formulas: Sequence[str]) -> set[str]:
    """SSR = …, FL(z) = …: capitals in italics that never stand apart are one name, not a product."""
    found = {m["word"] for text in formulas for m in _NAMES.finditer(text)}
    if not found:
        return set()
    runs = [m for text in formulas for m in _RUN.finditer(text)]
    apart = {c for m in runs if m["run"] not in found and not m.group().startswith("\\") for c in m.group()}
    given = {m[1] for text in formulas for m in _GIVEN.finditer(text)}
    derivatives = {w for w in found if w[0] in "DJH" and w[1:] in given}  # DF(x) is that of F
    return {w for w in found - derivatives if any(c not in apart for c in w)}


def used_in(loose: Statement | None) -> Uses:
    uses = Uses()
    if loose is not None:
        uses.of(loose)
    return uses


def facts_of(scope: Scope, base: Declarations, above: Above) -> tuple[Facts, Declarations]:
    """What the prose says; the table with its conventions."""
    facts = Facts()
    known = {k for k in (*above.definitions, *above.table.functions, *above.table.macros) if k.isupper() and len(k) > 1}
    for word in (acronyms([f.text for f in scope.formulas]) | known) - base.words:
        base = base.with_name(word)
    for text, at in scope.prose:
        base = declared_in_prose(text, base)
        facts.read(text, at)
    facts.logistic |= LOGISTIC.search(" ".join(scope.section)) is not None
    for f in scope.formulas:
        if _IN_WORDS.search(f.text):  # softmax(S) \text{ (row-wise)}
            base = declared_in_prose(f.text, base)
    return facts, base
