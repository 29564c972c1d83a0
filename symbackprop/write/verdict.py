"""A verdict for people and programs: plain text, rich text, LaTeX, HTML, JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

from symbackprop.decide.status import ILL_FORMED, PROVED, REFUTED, UNKNOWN

if TYPE_CHECKING:
    from rich.console import RenderableType

    from symbackprop.decide.verdict import Verdict

COLOURS = {PROVED: "green", REFUTED: "red", ILL_FORMED: "red", UNKNOWN: "yellow"}
HTML_COLOURS = {"yellow": "#9a6700", "red": "#b42318", "green": "#067647"}
LONGEST = 500  # characters of a formula
MARKS = {PROVED: "✓", REFUTED: "✗", ILL_FORMED: "✗", UNKNOWN: "?"}
Line = tuple[int, str, str]  # depth, kind, text; a kind "head:..." is a headline


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


def latex(v: Verdict) -> str | None:
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


def html(v: Verdict) -> str:
    """A fragment with styles of its own; everything a user wrote is escaped."""
    rows = []
    for depth, kind, line in lines(v):
        head, _, status = kind.partition(":")
        style = f"margin-left:{1.5 * depth}em;white-space:pre-wrap"
        if head == "head":
            style += f";font-weight:bold;color:{HTML_COLOURS[COLOURS[status]]}"
            line = f"{MARKS[status]} {line}"
        elif kind in ("condition", "hypothesis", "claim"):
            style += ";color:#667085"
        rows.append(f'<div style="{style}">{escape(line)}</div>')
    blocks = [g.repair.code for g in (v.gradients.values() if v.gradients else [v]) if g.repair and g.repair.code]
    for code in blocks:
        rows.append(f"<details><summary>NumPy code of the proved formula</summary><pre>{escape(code)}</pre></details>")
    return '<div class="symbackprop-verdict" style="font-family:monospace">' + "".join(rows) + "</div>"


def as_json(v: Verdict) -> dict[str, Any]:
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
    if v.repair is not None:
        r = v.repair
        found["repair"] = {"mistake": r.mistake, "text": r.text, "latex": r.latex, "code": r.code or None}
    if len(v.gradients) > 1:
        found["gradients"] = {name: as_json(g) for name, g in v.gradients.items()}
    return found
