r"""LaTeX files: $…$, \(…\), \[…\], equation, align, gather and relatives, user macros, `% symbackprop:` comments.

One linear scan finds the mathematics and everything that only looks like it (comments, verbatim); pylatexenc turns
headings into plain text.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from .items import Collector, Formula, braced, collect, dedented
from .place import Place, ReadError, Source, Unsettled, read_text

MATH_ENVIRONMENTS: Final = frozenset(
    "equation align gather multline eqnarray flalign alignat displaymath math dmath IEEEeqnarray subequations".split()
)
_TOKEN = re.compile(
    r"(?P<verb>\\verb\*?(?P<bar>[^A-Za-z*\s])[^\n]*?(?P=bar))"
    r"|(?P<off>\\if(?:false(?![A-Za-z])|\s*0(?!\d)).*?(?:\\fi(?![A-Za-z])|\Z))"
    r"|(?P<verbatim>\\begin\{(?P<vname>verbatim|lstlisting|minted|comment|Verbatim|filecontents)\*?\})"
    r"|(?P<comment>(?m:^)?[ \t]*%[^\n]*)"
    r"|(?P<section>\\(?P<level>part|chapter|section|subsection|subsubsection|paragraph)\*?\s*(?:\[[^\]]*\])?\s*\{)"
    r"|\\begin\{(?P<begin>[A-Za-z]+)(?P<star>\*?)\}"
    r"|(?P<stop>\\end\{document\})"
    r"|(?P<input>\\(?:input|include|subfile)(?![A-Za-z])\s*\{?\s*(?P<file>[^{}\s\\%$]+)\s*\}?)"
    r"|(?P<display>\\\[|\$\$)|(?P<inline>\\\(|\$)"
    r"|(?P<strike>\\(?:sout|st|cancel)\s*\{)"
    r"|(?P<blank>\n[ \t]*\n\s*)|(?P<escape>\\.)",
    re.DOTALL,
)
_CLOSE: Final = {
    "\\[": re.compile(r"\\\]|\\begin\{document\}"), "$$": re.compile(r"\$\$"),
    "\\(": re.compile(r"\\\)|\n[ \t]*\n"), "$": re.compile(r"(?<!\\)(?:\\\\)*\$|\n[ \t]*\n"),
}  # fmt: skip
_PARAGRAPH = re.compile(r"\n[ \t]*\n|\\(?:part|chapter|(?:sub){0,2}section|paragraph)\*?\s*[\[{]")
"""What ends a paragraph."""
_BLOCK = re.compile(r"[ \t]*%+[ \t]*symbackprop:")
_MORE, _FLUSH = re.compile(r"[ \t]*%+(?:  |[ \t]*\Z)"), re.compile(r"[ \t]*%")
_LEVELS: Final = {"part": 0, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5}


@cache
def _plain_text() -> object:
    from pylatexenc.latex2text import LatexNodes2Text

    return LatexNodes2Text(math_mode="verbatim", keep_comments=False)


def plain(latex: str) -> str:
    """Words without markup."""
    if "\\" not in latex and "{" not in latex:
        return latex
    try:
        return str(_plain_text().latex_to_text(latex))  # type: ignore[attr-defined]
    except (RecursionError, ValueError, IndexError, KeyError):
        return latex


def read_latex(source: Source, collector: Collector) -> None:
    _Scan(source, collector).scan()


class _Scan:
    def __init__(self, source: Source, collector: Collector) -> None:
        self.source, self.text, self.out = source, source.text, collector
        self.struck = -1
        definitions = collect(_without_comments(self.text), collector.macros)
        self.defined = definitions

    def fail(self, message: str, at: int) -> ReadError:
        return ReadError(message, (at, at + 1), Place(self.source, 0))

    def scan(self) -> None:
        text, at = self.text, 0
        started = re.search(r"\\begin\{document\}", text)
        skip = iter([*self.defined, (len(text) + 1, len(text) + 1)])
        hidden = next(skip)
        if started is None:
            self.announce(0)
        while (m := _TOKEN.search(text, at)) is not None:
            while hidden[1] <= m.start():
                hidden = next(skip)
            if m.start() >= hidden[0]:  # inside a definition of a macro
                at = hidden[1]
                continue
            self.words(at, m.start())
            kind = m.lastgroup
            at = m.end()
            if m["verb"] or m["escape"] or m["off"]:
                pass
            elif m["verbatim"]:
                end = re.compile(r"\\end\{" + m["vname"] + r"\*?\}").search(text, at)
                at = end.end() if end else len(text)
            elif m["comment"] is not None:
                at = self.comment(m.start(), m.end())
            elif m["section"]:
                end_title = braced(text, m.end() - 1)
                if end_title is None:
                    raise self.fail("this heading is not closed", m.start())
                self.out.heading(_LEVELS[m["level"]], " ".join(plain(text[m.end() : end_title - 1]).split()))
                at = end_title
                self.announce(at)
            elif m["stop"]:
                break
            elif m["input"]:
                self.input(m["file"], m.start(), m.end())
            elif m["begin"]:
                at = self.environment(m["begin"], m["star"], m.start(), m.end())
            elif m["strike"]:
                self.struck = braced(text, m.end() - 1) or -1
            elif m["blank"]:
                self.announce(at)
            elif kind in ("display", "inline"):
                at = self.formula(m.group(), m.start(), m.end(), kind == "display")
        self.words(at, len(text)) if m is None else None

    def input(self, name: str, start: int, end: int) -> None:
        """Another file, where it stands; one message for one that is not there, or that leads back to this one."""
        out = self.out
        if out.folder is None:
            return
        path = out.folder / (name if Path(name).suffix else f"{name}.tex")
        inside = (*out.inside, Path(self.source.name).resolve())
        try:
            if path.resolve() in inside:
                raise ReadError(f"{path} is read while it is being read: \\input leads back to it")
            out.files.append(path)
            text = read_text(path)
        except ReadError as error:
            where = Place(self.source, start)
            here = Unsettled(f"{error.message}: what stands in it is not known", (0, end - start), where)
            out.items.append(Formula(self.text[start:end], where, section=out.section, error=here))
            return
        before, out.inside = out.inside, inside
        read_latex(Source(str(path), text), out)
        out.inside = before
        out.words("\n\n")

    def words(self, start: int, end: int) -> None:
        if start < end:
            self.out.words(self.text[start:end])

    def announce(self, at: int) -> None:
        """The prose of the paragraph that begins here comes before its formulas."""
        end = _PARAGRAPH.search(self.text, at)
        body = self.text[at : end.start() if end else len(self.text)]
        if len(body) < 20_000:
            self.out.prose(_without_comments(body), Place(self.source, at))

    def environment(self, name: str, star: str, start: int, inside: int) -> int:
        if name not in MATH_ENVIRONMENTS:
            if name == "document":
                self.announce(inside)
            return inside
        end = re.compile(r"\\end\{" + name + re.escape(star) + r"\}").search(self.text, inside)
        if end is None:
            raise self.fail(f"\\begin{{{name}{star}}} is never closed", start)
        if name == "subequations":
            return inside
        self.emit(start, end.end(), display=True)
        return end.end()

    def formula(self, opening: str, start: int, inside: int, display: bool) -> int:
        end = _CLOSE[opening].search(self.text, inside)
        if end is None or "\n" in end.group() or "document" in end.group():
            raise self.fail(f"{opening} is never closed", start)
        closing = 1 if opening == "$" else 2
        self.emit(inside, end.end() - closing, display)
        return end.end()

    def emit(self, start: int, end: int, display: bool) -> None:
        body = _without_comments(self.text[start:end])
        self.out.formula(self.source, body, range(start, end), display, struck=start < self.struck)

    def comment(self, start: int, end: int) -> int:
        """A comment line; with `symbackprop:` it and the indented comment lines below are declarations.

        Where nothing stands behind the colon and the first line below is not indented, none need be.
        """
        found = _BLOCK.match(self.text, start)
        if found is None:
            return end
        lines, at = [(found.end(), end)], end
        flush = not self.text[found.end() : end].strip()
        while at < len(self.text):
            stop = self.text.find("\n", at + 1)
            stop = len(self.text) if stop < 0 else stop
            line = self.text[at + 1 : stop]
            flush = flush and (len(lines) > 1 or _MORE.match(line) is None)
            if (_FLUSH if flush else _MORE).match(line) is None or _BLOCK.match(line):
                break
            percent = len(line) - len(line.lstrip(" \t%"))
            lines.append((at + 2 + line.rfind("%", 0, percent), stop))
            at = stop
        offsets = [k for first, past in lines for k in range(first, past + 1)][:-1]
        text, places = dedented("\n".join(self.text[first:past] for first, past in lines), offsets)
        self.out.block(text, Place.of(self.source, places or [start]))
        return at


def _without_comments(text: str) -> str:
    """Comments blanked, so that every offset stays."""
    return re.sub(r"(?<!\\)((?:\\\\)*)%[^\n]*", lambda m: m[1] + " " * (len(m.group()) - len(m[1])), text)
