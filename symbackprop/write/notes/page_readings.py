"""What each section's letters were taken for, as a table at its top: the letter, its kind and shape, and from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from symbackprop.decide.outcomes import Checked

from . import read_as
from .letters import author_latex


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
