"""The document itself as HTML, with a hole for each formula, in the order in which the reader finds formulas.

At the top of each section stands what its letters were taken for: the letter, its kind and shape, and from where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, TypeAlias

from markdown_it import MarkdownIt
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from symbackprop.decide.outcomes import Checked
from symbackprop.read.notes.files.items import Collector, Formula
from symbackprop.read.notes.files.latex import plain, read_latex
from symbackprop.read.notes.files.place import ReadError, Source
from symbackprop.read.notes.files.sources import markdown_cells, notebook_cells, read_markdown, read_text
from symbackprop.write.notes import read_as
from symbackprop.write.notes.letters import author_latex


@dataclass(slots=True)
class Taken:
    """A letter of a section: as it was read first, and the statements that say so."""

    what: str
    line: int
    given: bool = False
    said: bool = False

    @property
    def source(self) -> str:
        return f"{'defined' if self.given else 'said' if self.said else 'used'}, line {self.line}"


@dataclass(slots=True)
class Tables:
    """The tables of a page, each shown once, under the heading of its section."""

    waiting: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, statements: Sequence[Checked]) -> Tables:
        sections: dict[tuple[str, ...], list[Checked]] = {}
        for c in statements:
            sections.setdefault(c.reading.formula.section, []).append(c)
        made = ((section[-1] if section else "", table(found)) for section, found in sections.items())
        return cls([(title, html) for title, html in made if html])

    def under(self, title: str) -> str:
        """The table of the next section that is called so; "" stands for what comes before any heading."""
        at = next((k for k, (name, _) in enumerate(self.waiting) if name == title), None)
        return "" if at is None else self.waiting.pop(at)[1]


def table(statements: Sequence[Checked]) -> str:
    found = letters(statements)
    layouts = dict.fromkeys(x for c in statements if (x := read_as.layout(c.reading)))
    if not found:
        return ""
    rows = "".join(
        f'<tr><td><span class="tex">{escape(author_latex(name))}</span></td>'
        f"<td>{kind(t.what)}</td><td>{escape(shape(t.what))}</td><td>{t.source}</td></tr>"
        for name, t in found.items()
    )
    layout = f"<caption>{escape(', '.join(layouts))} layout</caption>" if layouts else ""
    head = "<thead><tr><th>letter</th><th>is a</th><th>shape</th><th>from</th></tr></thead>"
    return f'<details class="readings"><summary>read as</summary><table>{layout}{head}{rows}</table></details>\n'


def letters(statements: Sequence[Checked]) -> dict[str, Taken]:
    found: dict[str, Taken] = {}
    for c in statements:
        for name, what in read_as.read_as(c.reading, plain=False).items():
            given = c.kind == "definition" and head_is(c, name)
            if name not in found or (given and not found[name].given):
                found[name] = Taken(what, c.line, given)
    for c in statements:
        if c.kind == "definition" and c.reading.note == "shape":
            for name, t in found.items():
                if not t.given and not t.said and head_is(c, name):
                    t.said, t.line = True, c.line
    return found


def head_is(c: Checked, name: str) -> bool:
    """The statement begins with this letter."""
    return "".join(c.latex.split()).startswith("".join(author_latex(name).split()))


def kind(what: str) -> str:
    if what.startswith("a family"):
        return "family"
    if what.startswith("row"):
        return "row vector"
    return "number" if what == "number" else "matrix" if "×" in what else "vector"


def shape(what: str) -> str:
    return "" if what == "number" else what.removeprefix("row of ").removeprefix("a family of ")


Shown: TypeAlias = Callable[[Sequence[Formula], bool], str]
"""HTML for the formulas of one display (rows), or for one inside a sentence; what unfolds comes by `Asides`."""
_HEADING = re.compile(
    r"\\(part|chapter|section|subsection|subsubsection|paragraph)\*?\s*(?:\[[^\]]*\])?\s*\{"
    r"|\\(?:input|include|subfile)(?![A-Za-z])\s*\{?\s*(?P<file>[^{}\s\\%$]+)\s*\}?"
)
_DELIMITERS = re.compile(r"\A\s*(?:\$\$|\$|\\\]|\\\))|(?:\$\$|\$|\\\[|\\\()\s*\Z")


@dataclass(slots=True)
class Recorder(Collector):
    """A collector that remembers which items each piece of mathematics became, and where it stood."""

    groups: list[tuple[int, int]] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)

    def formula(self, source: Source, text: str, offsets: Sequence[int], display: bool, struck: bool = False) -> None:
        before = len(self.items)
        Collector.formula(self, source, text, offsets, display, struck)
        self.groups.append((before, len(self.items)))
        self.ranges.append((offsets[0], offsets[-1] + 1) if len(offsets) else (0, 0))

    def rows(self, k: int) -> list[Formula]:
        start, end = self.groups[k]
        return [i for i in self.items[start:end] if isinstance(i, Formula)]


@dataclass(frozen=True, slots=True)
class Writers:
    """What stands in the holes: `shown` for formulas, `asides` what has gathered to stand behind a paragraph, `under`
    what stands under a heading.
    """

    shown: Shown
    asides: Callable[[], str]
    under: Callable[[str], str]


def body(path: Path, text: str, to: Writers) -> str:
    first = to.under("")
    match path.suffix.lower():
        case ".tex" | ".ltx" | ".latex":
            return first + "\n".join(latex_body(Source(str(path), text), to, Recorder(), (path.resolve(),)))
        case ".ipynb":
            return first + "\n".join(notebook_body(path, text, to))
        case _:
            return first + markdown_body(Source(str(path), text), to)


# --- Markdown --------------------------------------------------------------------------------


def markdown_body(source: Source, to: Writers) -> str:
    shown, asides = to.shown, to.asides
    recorder = Recorder()
    read_markdown(source, recorder)
    count = iter(range(len(recorder.groups)))

    def mathematics(display: bool) -> Callable[..., str]:
        def rule(_self: Any, tokens: Any, k: int, _options: Any, _env: Any) -> str:
            number = next(count, None)
            if number is None:
                return escape(tokens[k].content)
            html = shown(recorder.rows(number), display)
            return html + asides() if display else html

        return rule

    def displays(self: Any, tokens: Any, k: int, options: Any, env: Any) -> str:
        """$$…$$, also several on a line with words between them."""
        pieces = str(tokens[k].content).split("$$")
        shown_pieces = (
            str(md.renderInline(p, env)) if n % 2 else mathematics(True)(self, tokens, k, options, env)
            for n, p in enumerate(pieces)
        )
        return "".join(shown_pieces) + asides()

    def fence(self: Any, tokens: Any, k: int, options: Any, env: Any) -> str:
        if tokens[k].info.strip() in ("math", "{math}"):
            return mathematics(True)(self, tokens, k, options, env)
        return f'<pre class="source">{escape(tokens[k].content)}</pre>\n'

    def nothing(_self: Any, tokens: Any, k: int, _options: Any, _env: Any) -> str:
        text = str(tokens[k].content)
        return "" if text.lstrip().startswith("<!--") else escape(text)

    def after(tag: str) -> Callable[..., str]:
        def rule(_self: Any, tokens: Any, k: int, _options: Any, _env: Any) -> str:
            hidden = tag == "p" and tokens[k].hidden
            return "" if hidden else f"</{tag}>\n{asides()}"

        return rule

    def headed(_self: Any, tokens: Any, k: int, _options: Any, _env: Any) -> str:
        title = re.sub(r"\s+", " ", str(tokens[k - 1].content)).strip()
        return f"</{tokens[k].tag}>\n{to.under(title)}"

    def image(_self: Any, tokens: Any, k: int, _options: Any, _env: Any) -> str:
        return f"[{escape(str(tokens[k].content))}]"

    md = MarkdownIt("commonmark", {"maxNesting": 60}).enable(["strikethrough", "table"])
    md.use(front_matter_plugin).use(amsmath_plugin).use(dollarmath_plugin, allow_digits=False, double_inline=True)
    for name in ("math_inline", "math_inline_double"):
        md.add_render_rule(name, mathematics(False))
    for name in ("math_block", "math_block_label"):
        md.add_render_rule(name, displays)
    md.add_render_rule("amsmath", mathematics(True))
    md.add_render_rule("fence", fence)
    md.add_render_rule("html_block", nothing)
    md.add_render_rule("html_inline", nothing)
    md.add_render_rule("front_matter", lambda *_: "")
    md.add_render_rule("paragraph_close", after("p"))
    md.add_render_rule("list_item_close", after("li"))
    md.add_render_rule("image", image)
    md.add_render_rule("heading_close", headed)
    return str(md.render(source.text)) + asides()


# --- LaTeX -----------------------------------------------------------------------------------


def latex_body(source: Source, to: Writers, recorder: Recorder, inside: tuple[Path, ...]) -> Iterator[str]:
    """The recorder brings the macros of the files that this one stands in."""
    shown, asides = to.shown, to.asides
    read_latex(source, recorder)
    started = re.search(r"\\begin\{document\}", source.text)
    ended = re.search(r"\\end\{document\}", source.text)
    at = started.end() if started else 0
    last = ended.start() if ended and ended.start() >= at else len(source.text)
    sentence = ""
    for k, (start, end) in enumerate([*recorder.ranges, (last, last)]):
        for kind, piece in words(source.text[at:start]):
            if kind == "text":
                sentence += escape(piece)
                continue
            yield from paragraph(sentence, asides)
            sentence = ""
            yield from between(kind, piece, source, to, recorder, inside)
        at = end
        rows = recorder.rows(k) if k < len(recorder.groups) else []
        if rows and not rows[0].display:
            sentence += shown(rows, False)
        elif rows:
            yield from paragraph(sentence, asides)
            sentence = ""
            yield shown(rows, True) + asides()
    yield from paragraph(sentence, asides)


def between(
    kind: str, piece: str, source: Source, to: Writers, recorder: Recorder, inside: tuple[Path, ...]
) -> Iterator[str]:
    """A heading, or another file where it is read in."""
    if kind.startswith("h"):
        yield f"<{kind}>{escape(piece)}</{kind}>{to.under(piece)}"
    if kind == "input":
        path = inside[0].parent / (piece if Path(piece).suffix else f"{piece}.tex")
        if path.resolve() in inside:
            return
        try:
            text = read_text(path)
            yield from latex_body(
                Source(str(path), text), to, Recorder(macros=dict(recorder.macros)), (*inside, path.resolve())
            )
        except ReadError as error:
            yield f"<p>{escape(error.message)}</p>"


def paragraph(sentence: str, asides: Callable[[], str]) -> Iterator[str]:
    if sentence.strip():
        yield f"<p>{sentence.strip()}</p>{asides()}"


def words(text: str) -> Iterator[tuple[str, str]]:
    """("text", words), ("break", "") between paragraphs, ("h2", title), ("input", file) of what stands between two
    formulas.
    """
    text = re.sub(r"(?<!\\)%[^\n]*\n?", "", _DELIMITERS.sub("", _DELIMITERS.sub("", text)))
    levels = {"part": "h1", "chapter": "h1", "section": "h2", "subsection": "h3"}
    at = 0
    while (m := _HEADING.search(text, at)) is not None:
        yield from paragraphs(text[at : m.start()])
        if m["file"]:
            yield "input", m["file"]
            at = m.end()
            continue
        depth, k = 1, m.end()
        while k < len(text) and depth:
            depth += (text[k] == "{") - (text[k] == "}")
            k += 1
        yield levels.get(m[1], "h4"), plain(text[m.end() : k - 1])
        at = k
    yield from paragraphs(text[at:])


def paragraphs(text: str) -> Iterator[tuple[str, str]]:
    for k, piece in enumerate(re.split(r"\n[ \t]*\n", text)):
        if k:
            yield "break", ""
        piece = re.sub(r"\\(?:eqref|ref|autoref|cref|Cref|pageref)\*?\s*\{([^{}]*)\}", r"(\1)", piece)
        piece = re.sub(r"\\[cC]ite[a-z]*\*?\s*(?:\[[^\]]*\]\s*)*\{([^{}]*)\}", r"[\1]", piece)
        clean = plain(re.sub(r"\\(?:begin|end)\{\w+\*?\}(?:\[[^\]]*\])?|\\(?:maketitle|item)\b", " ", piece))
        if clean.strip():
            yield "text", re.sub(r"\s+", " ", clean)


# --- notebooks -------------------------------------------------------------------------------


def notebook_body(path: Path, text: str, to: Writers) -> Iterator[str]:
    cells = {source.cell: source for source in markdown_cells(str(path), text)}
    for number, (_, code) in enumerate(notebook_cells(str(path), text), 1):
        if number in cells:
            try:
                yield markdown_body(cells[number], to)
            except ReadError as error:
                yield f"<p>{escape(str(error))}</p>"
        elif code.strip():
            yield f'<pre class="source">{escape(code)}</pre>'
