"""What symbackprop answers: proved, refuted, ill-formed or unknown, and what comes with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from symbackprop.core.terms import Size, Term, require
from symbackprop.core.theorem import Theorem, theorem
from symbackprop.decide.outcomes import ILL_FORMED, PROVED, REFUTED, UNKNOWN, Condition

if TYPE_CHECKING:
    from rich.console import RenderableType


COLOURS = {PROVED: "green", REFUTED: "red", ILL_FORMED: "red", UNKNOWN: "yellow"}
HTML_COLOURS = {"yellow": "#9a6700", "red": "#b42318", "green": "#067647"}
LONGEST = 500  # characters of a formula
MARKS = {PROVED: "✓", REFUTED: "✗", ILL_FORMED: "✗", UNKNOWN: "?"}
Line = tuple[int, str, str]  # depth, kind, text; a kind "head:..." is a headline


@dataclass(frozen=True)
class Formula:
    """What is claimed, as text and as LaTeX: written when it is read, as most are not."""

    write: Callable[[], tuple[str, str]]

    @cached_property
    def both(self) -> tuple[str, str]:
        return self.write()


NO_FORMULA = Formula(lambda: ("", ""))


@dataclass(frozen=True, slots=True)
class WrongStep:
    """The first wrong line of the user's code: what is wrong, file and line, what stands there and what belongs there.

    `derived` is empty where no line of code is known that could stand there.
    """

    message: str
    place: tuple[str, int] | None
    claimed: str
    derived: str

    def as_json(self) -> dict[str, Any]:
        file, line = self.place or (None, None)
        return {
            "message": self.message, "file": file, "line": line,
            "claimed": self.claimed or None, "derived": self.derived or None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repaired:
    """A formula that is right, with its theorem: `text` and `latex` in index notation, `code` as a NumPy function."""

    mistake: str
    text: str
    latex: str
    code: str
    term: Term = field(repr=False)
    theorem: Theorem | None = field(repr=False)
    shape: tuple[Size, ...] = ()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Verdict:
    """`status` is "proved", "refuted", "ill-formed" or "unknown"; the verdict is true when it is "proved".

    `gradients` has one verdict for each variable when there are several.  `theorem` is what was proved, with the
    argument that the core checked, `hypotheses` and `conditions` what it rests on, `witness` a point that satisfies
    them all.
    `counterexample` has exact values where the two sides differ, or sizes where the shapes do; `mistake` says what
    kind of mistake it is, `line` the first wrong line of the code, `repair` is a proved formula, `special_cases` say
    when the claim is true after all.
    `reason` is for "ill-formed" and "unknown": the place, and what is missing.  `notes` say what was read in another
    way than it is written, such as a mask constant of -1e9 that is taken for -inf.  `reading` is what was asked, for
    the certificate.
    """

    status: str
    name: str = ""
    gradients: dict[str, Verdict] = field(default_factory=dict)
    theorem: Theorem | None = field(default=None, repr=False)
    conditions: tuple[Condition, ...] = ()
    hypotheses: tuple[str, ...] = ()
    witness: Any = field(default=None, repr=False)
    counterexample: Any = None
    mistake: str | None = None
    repair: Repaired | None = None
    special_cases: tuple[str, ...] = ()
    reason: str = ""
    formula: Formula = field(default=NO_FORMULA, repr=False)
    sides: tuple[str, str] = field(default=("derivative", "backward"), repr=False)
    notes: tuple[str, ...] = ()
    reading: Mapping[str, Any] = field(default_factory=dict, repr=False)
    line: WrongStep | None = None

    @property
    def statement(self) -> str:
        return self.formula.both[0]

    @property
    def statement_latex(self) -> str:
        return self.formula.both[1]

    def theorems(self) -> list[tuple[Verdict, Theorem]]:
        """Each variable's verdict with its theorem.  Raises ProofError where not everything was proved."""
        found = [(v, v.theorem) for v in (self.gradients or {"": self}).values() if v.theorem is not None]
        require(self.status == PROVED and len(found) == max(1, len(self.gradients)), "nothing was proved")
        return found

    def recheck(self) -> tuple[Theorem, ...]:
        """The theorems, checked again.  Raises ProofError where one does not hold, or where nothing was proved."""
        return tuple(theorem(t.statement, t.rows, t.excused) for _, t in self.theorems())

    def certificate(self) -> dict[str, Any] | list[dict[str, Any]]:
        """The proof as JSON, which `symbackprop verify` re-checks; a list where there are several variables.

        `reading` in it is for people: the claim in words, the functions' text and its SHA-256, the shapes.
        docs/certificates.md describes the rest.  Raises ProofError where nothing was proved.
        """
        found = self.certificates()
        return found if len(self.gradients) > 1 else found[0]

    def certificates(self) -> list[dict[str, Any]]:
        """The same as a list, whatever the number of variables."""
        return [{**t.rows, "reading": v.in_words()} for v, t in self.theorems()]

    def in_words(self) -> dict[str, Any]:
        excused = [str(c) for c in self.conditions]
        claim = {"claim": self.statement, "assuming": list(self.hypotheses), "excused": excused}
        written = {k: {n: str(d) for n, d in x.items()} if k == "shapes" else x for k, x in self.reading.items()}
        return {**claim, **written, "notes": list(self.notes)}

    def __bool__(self) -> bool:
        return self.status == PROVED

    def __str__(self) -> str:
        return plain(self)

    def __rich__(self) -> RenderableType:
        return rich_text(self)

    def _repr_latex_(self) -> str | None:
        return latex_of(self)

    def _repr_html_(self) -> str:
        return html_of(self)

    def as_json(self) -> dict[str, Any]:
        """Only strings, numbers, lists and dicts; the keys are described in `symbackprop check --help`."""
        return json_of(self)


# --- for people and programs: plain text, rich text, LaTeX, HTML, JSON ---------------------------


def plain(v: Verdict) -> str:
    return "\n".join("  " * depth + text for depth, _, text in lines(v))


def lines(v: Verdict, depth: int = 0) -> Iterator[Line]:
    if len(v.gradients) > 1:
        count = sum(g.status == PROVED for g in v.gradients.values())
        yield depth, f"head:{v.status}", f"{v.status}: {count} of {len(v.gradients)} proved"
        for g in v.gradients.values():
            yield from lines(g, depth + 1)
        return
    head = f"{v.name}: {v.status}" if v.name else v.status
    about = v.mistake if v.status in (REFUTED, ILL_FORMED) else ""
    yield depth, f"head:{v.status}", f"{head}: {about}" if about else head
    yield from details(v, depth + 1)


def details(v: Verdict, depth: int) -> Iterator[Line]:
    if v.statement:
        yield from formula_lines(depth, "claim", "claim   ", v.statement)
    if v.reason:
        for n, line in enumerate(v.reason.splitlines()):
            yield depth, "reason", line if not n else "  " + line.strip()
    if v.counterexample is not None:
        for line in counterexample_lines(v):
            yield depth, "counterexample", line
    if v.line is not None:
        yield depth, "line", v.line.message
        for head, text in (("written ", v.line.claimed), ("derived ", v.line.derived)):
            if text:
                yield from formula_lines(depth + 1, "line", head, text)
    if v.repair is not None:
        yield from formula_lines(depth, "repair", "proved  ", v.repair.text)
    for case in v.special_cases:
        yield depth, "case", f"the claim is true when {case}"
    for h in v.hypotheses:
        yield depth, "hypothesis", f"assuming {h}"
    for c in v.conditions:
        yield depth, "condition", f"where {c}"
    for note in v.notes:
        yield depth, "condition", f"read: {note}"


def formula_lines(depth: int, kind: str, head: str, formula: str) -> Iterator[Line]:
    """A formula; what its names stand for below it."""
    for n, line in enumerate(formula.splitlines()):
        yield depth, kind, (" " * len(head) if n else head) + shortened(line)


def shortened(formula: str) -> str:
    return formula if len(formula) <= LONGEST else f"{formula[: LONGEST - 2]} …"


def counterexample_lines(v: Verdict) -> Iterator[str]:
    c = v.counterexample
    left, right = v.sides
    width = max(len(left), len(right))
    for line in c.describe().splitlines():
        at = re.fullmatch(r"at index (.*) \(counted from 0\)", line)
        if at:
            line = f"at index [{', '.join(part.split(' = ')[1] for part in at[1].split(', '))}]"
        for side, name in (("left side", left), ("right side", right)):
            if line.startswith(f"{side} "):
                line = f"{name.ljust(width)} {line.removeprefix(side).strip()}"
        yield line


def rich_text(v: Verdict) -> RenderableType:
    from rich.text import Text

    text = Text()
    for n, (depth, kind, line) in enumerate(lines(v)):
        if n:
            text.append("\n")
        text.append("  " * depth)
        head, _, status = kind.partition(":")
        if head == "head":
            text.append(f"{MARKS[status]} ", style=f"bold {COLOURS[status]}")
            text.append(line, style=f"bold {COLOURS[status]}")
        else:
            text.append(line, style={"repair": "green", "reason": "", "condition": "dim", "hypothesis": "dim",
                                     "claim": "dim"}.get(kind, ""))  # fmt: skip
    return text


def latex_of(v: Verdict) -> str | None:
    """The formula that was proved, or the repaired one; None where there is none to show."""
    if len(v.gradients) > 1:
        rows = [latex_row(g) for g in v.gradients.values()]
        rows = [r for r in rows if r]
        joined = r" \\ ".join(rows)
        return rf"$\displaystyle \begin{{array}}{{l}} {joined} \end{{array}}$" if rows else None
    row = latex_row(v)
    return rf"$\displaystyle {row}$" if row else None


def latex_row(v: Verdict) -> str:
    formula = v.repair.latex if v.repair is not None else v.statement_latex if v.status == PROVED else ""
    if not formula:
        return ""
    extra = rf" \qquad \text{{where }} {', '.join(c.latex for c in v.conditions if c.latex)}" if v.conditions else ""
    return formula + (extra if v.status == PROVED else "")


def html_of(v: Verdict) -> str:
    """A fragment with styles of its own, formulas between dollars; everything a user wrote is escaped."""
    rows = list(html_rows(v, 0))
    blocks = [g.repair.code for g in (v.gradients.values() if v.gradients else [v]) if g.repair and g.repair.code]
    for code in blocks:
        rows.append(f"<details><summary>NumPy code of the proved formula</summary><pre>{escape(code)}</pre></details>")
    return '<div class="symbackprop-verdict" style="font-family:monospace">' + "".join(rows) + "</div>"


def html_rows(v: Verdict, depth: int) -> Iterator[str]:
    """A row a line; the formulas as LaTeX where they have it, which a notebook typesets."""
    formulas = {"claim": v.statement_latex, "repair": v.repair.latex if v.repair is not None else ""}
    formulas = {kind: tex for kind, tex in formulas.items() if tex and len(tex) <= 3 * LONGEST}
    met = set()
    for level, kind, line in lines(v, depth):
        head, _, status = kind.partition(":")
        style = f"margin-left:{1.5 * level}em;white-space:pre-wrap"
        text = escape(line)
        if head == "head":
            style += f";font-weight:bold;color:{HTML_COLOURS[COLOURS[status]]}"
            text = f"{MARKS[status]} {text}"
        elif kind in formulas:
            if kind in met:
                continue
            text = f"{'claim' if kind == 'claim' else 'proved'}: $$\\displaystyle {escape(formulas[kind])}$$"
        elif kind in ("condition", "hypothesis", "claim"):
            style += ";color:#667085"
        met.add(kind)
        yield f'<div style="{style}">{text}</div>'
        if head == "head" and len(v.gradients) > 1:
            for g in v.gradients.values():
                yield from html_rows(g, depth + 1)
            return


def json_of(v: Verdict) -> dict[str, Any]:
    found: dict[str, Any] = {
        "status": v.status,
        "name": v.name or None,
        "statement": v.statement or None,
        "reason": v.reason or None,
        "hypotheses": list(v.hypotheses),
        "conditions": [{"text": c.text, "why": c.why or None} for c in v.conditions],
        "mistake": v.mistake,
        "repair": None,
        "special_cases": list(v.special_cases),
        "counterexample": None if v.counterexample is None else v.counterexample.as_json(),
    }
    if v.notes:
        found["notes"] = list(v.notes)
    if v.line is not None:
        found["line"] = v.line.as_json()
    if v.repair is not None:
        r = v.repair
        found["repair"] = {"mistake": r.mistake, "text": r.text, "latex": r.latex, "code": r.code or None}
    if len(v.gradients) > 1:
        found["gradients"] = {name: json_of(g) for name, g in v.gradients.items()}
    return found
