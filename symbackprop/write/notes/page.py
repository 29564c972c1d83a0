"""The self-contained page: the document with the verdict beside each formula, and what is behind it to unfold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path

from symbackprop.decide.outcomes import DIFFER, Checked, Line, Outcome
from symbackprop.read.notes.files.items import Formula
from symbackprop.write.notes.page_body import Tables

from ..html import page
from . import read_as
from .as_json import VERDICTS
from .derivation import derivation
from .page_body import Writers, body
from .terminal import UNREAD

MARKS = {"proved": "✓", "refuted": "✗", "ill-formed": "!", "unknown": "?"}
WORST = ("refuted", "ill-formed", "unknown", "proved", None)


def html_page(
    path: str | Path, text: str, statements: Sequence[Checked], derived: Callable[[Checked], str] = lambda _: ""
) -> str:
    """`text` is that of the file whose statements these are; `derived` writes a derivation, "" where there is none."""
    path = Path(path)
    writer = Statements(statements, derived)
    shown = body(path, text, Writers(writer.formula, writer.take, Tables.of(statements).under))
    return page(f"{path.name}: verdicts", f"{bar(path, statements)}<main>{problems(writer)}{shown}{FOOTER}</main>")


FOOTER = "<footer>Checked by symbackprop: proved for all sizes, refuted by an exact counterexample.</footer>"


class Statements:
    """Writes formulas with their verdicts; what belongs behind a paragraph gathers until it is taken."""

    def __init__(self, statements: Sequence[Checked], derived: Callable[[Checked], str] = lambda _: "") -> None:
        self.derived = derived
        self.by_formula: dict[tuple[object, ...], list[tuple[int, Checked]]] = {}
        self.all = list(enumerate(statements, 1))
        for n, c in self.all:
            self.by_formula.setdefault(key(c.reading.formula), []).append((n, c))
        self.waiting: list[str] = []

    def take(self) -> str:
        out, self.waiting = "".join(self.waiting), []
        return out

    def formula(self, rows: Sequence[Formula], display: bool) -> str:
        if not display:
            return "".join(self.inside(f) for f in rows)
        return "".join(self.alone(f) for f in rows)

    def alone(self, f: Formula) -> str:
        found = self.by_formula.get(key(f), [])
        statements = [c for _, c in found]
        verdict = worst(statements)
        details = "".join(mend(c, len(found) > 1) for c in statements if c.asked or c.bad or c.open)
        details += unfolding([c for c in statements if c.verdict == "proved"], len(found) > 1, self.derived)
        anchors = "".join(f'<a id="s{n}"></a>' for n, _ in found)
        tex = escape(f.text)
        shown = f"<s>{tag(tex, True)}</s>" if f.struck else tag(tex, True)
        return (
            f'<div class="statement {verdict or "remark"}">{anchors}<div class="shown">{shown}'
            f'<div class="verdicts">{badges(statements)}</div></div>{details}</div>\n'
        )

    def inside(self, f: Formula) -> str:
        found = [(n, c) for n, c in self.by_formula.get(key(f), []) if c.verdict is not None]
        tex = tag(escape(f.text), False)
        if not found:
            return tex
        verdict = worst(c for _, c in found)
        taken = "; ".join(dict.fromkeys(t for _, c in found if (t := read_as.said(c.reading))))
        hover = escape(f"{verdict}; read as: {taken}" if taken else f"{verdict}")
        ids = []
        for n, c in found:
            ids.append(f"s{n}")
            inner = f'<div class="shown">{tag(escape(c.latex), True)}<div class="verdicts">{badges([c])}</div></div>'
            more = unfolding([c], False, self.derived) if c.verdict == "proved" else mend(c, False)
            hidden = "" if c.bad or c.verdict == "unknown" else " hidden"
            self.waiting.append(f'<div class="aside statement {c.verdict}" id="s{n}"{hidden}>{inner}{more}</div>')
        return (
            f'<span class="inline {verdict}" role="button" tabindex="0" data-for="{" ".join(ids)}" title="{hover}">'
            f"{tex}<sup>{MARKS[verdict or 'unknown']}</sup></span>"
        )


def key(f: Formula) -> tuple[object, ...]:
    return f.where.source.cell, f.where.offset(0), f.text


def worst(statements: Iterable[Checked]) -> str | None:
    return min((c.verdict for c in statements), key=WORST.index, default=None)


_HIDDEN = re.compile(r"\\label\s*\{[^{}]*\}|\\(?:nonumber|notag)(?![A-Za-z])")


def tag(tex: str, display: bool) -> str:
    tex = _HIDDEN.sub("", tex)
    return f'<div class="tex" data-display>{tex}</div>' if display else f'<span class="tex">{tex}</span>'


def badges(statements: Sequence[Checked]) -> str:
    """One for each kind and verdict, ×2 where there are several alike; what the letters were taken for on hover."""
    taken = escape("; ".join(dict.fromkeys(t for c in statements if (t := read_as.said(c.reading)))))
    hover = f' title="read as: {taken}"' if taken else ""
    counts = Counter((c.kind, c.verdict) for c in statements if c.verdict is not None or c.kind != "remark")
    out = []
    for (kind, verdict), n in counts.items():
        text = f"{MARKS[verdict]} {verdict}" if verdict else ""
        times = f" ×{n}" if n > 1 else ""
        inner = f'<span class="kind">{kind}{times}</span> {text}'
        out.append(f'<span class="badge {verdict or "remark"}"{hover}>{inner}</span>')
    return "".join(out)


def bar(path: Path, statements: Sequence[Checked]) -> str:
    counts = Counter(c.verdict for c in statements if c.verdict is not None)
    chips = "".join(
        f'<button class="chip {v}" data-verdict="{v}" aria-pressed="false"{"" if counts[v] else " disabled"}>'
        f"{counts[v]} {v}</button>"
        for v in VERDICTS
    )
    return f'<div class="bar"><b>{escape(path.name)}</b>{chips}</div>'


def problems(writer: Statements) -> str:
    """What is wrong, refuted first; then each name that is not known, or was not read, once."""
    bad = sorted((x for x in writer.all if x[1].bad), key=lambda x: WORST.index(x[1].verdict))
    once: dict[str, tuple[int, Checked]] = {}
    for n, c in writer.all:
        if c.open and c.rule is not None and c.rule.code in UNREAD:
            once.setdefault(c.outcome.message, (n, c))
    if not bad and not once:
        return ""
    items = "".join(
        f'<li><span class="badge {c.verdict}">{c.verdict}</span> <a href="#s{n}">line {c.line}</a>: '
        f"{sentence(c.outcome.mistake or c.outcome.message)}</li>"
        for n, c in (*bad, *once.values())
    )
    return f"<nav><b>To mend</b><ul>{items}</ul></nav>"


# --- what unfolds ----------------------------------------------------------------------------


def unfolding(statements: Sequence[Checked], several: bool, explained: Callable[[Checked], str]) -> str:
    """What proved statements rest on, and their derivations."""
    parts, derived = [], False
    for c in statements:
        o = c.outcome
        facts = "".join(
            f'<p><span class="label">{label}</span>{text}</p>'
            for label, text in (
                ("read as", escape(read_as.said(c.reading))),
                ("rests on", "; ".join(map(sentence, o.hypotheses))),
                ("where", "; ".join(condition(x.latex, x.text, x.why) for x in o.conditions)),
                ("shape", escape(o.message) if o.hypotheses else ""),
            )
            if text
        )
        html = explained(c)
        lines = derivation(o.proof) if o.proof is not None and not html else ()
        derived |= bool(lines or html)
        which = f"<p>{tag(escape(c.latex), False)}</p>" if several else ""
        if facts or lines or html:
            parts.append(f'<div class="facts">{which}{facts}</div>{html}{table(lines)}')
    if not parts:
        return ""
    return f"<details data-lazy><summary>{'derivation' if derived else 'why'}</summary>{''.join(parts)}</details>"


def mend(c: Checked, several: bool) -> str:
    """What is wrong or missing, and what is right."""
    o = c.outcome
    parts = [f"<p>{tag(escape(c.latex), False)}</p>"] if several else []
    if o.mistake:
        parts.append(f"<p><b>{sentence(o.mistake)}</b></p>")
    if o.message and o.message not in (o.mistake, DIFFER):
        parts.append(f"<p>{sentence(o.message)}</p>")
    if taken := read_as.said(c.reading):
        parts.append(f'<p><span class="label">read as:</span> {escape(taken)}</p>')
    if o.special_cases:
        parts.append(f'<p><span class="label">true when</span> {sentence(" or ".join(o.special_cases))}</p>')
    if o.repair is not None:
        parts.append(
            f'<div class="right"><span class="label">✓ proved instead</span>{tag(escape(o.repair.latex), True)}</div>'
        )
    more = ""
    if o.counterexample is not None:
        shown = f'<div class="facts"><pre class="code">{escape(example(o))}</pre></div>'
        more = f"<details><summary>counterexample</summary>{shown}</details>"
    return f'<div class="mend">{"".join(parts)}</div>{more}'


def example(o: Outcome) -> str:
    return "" if o.counterexample is None else o.counterexample.describe().replace("°", "")


def condition(latex: str, text: str, why: str) -> str:
    shown = tag(escape(latex), False) if latex else escape(text)
    return f"{shown} <span class='label'>{escape(why)}</span>" if why else shown


def sentence(text: str) -> str:
    """Words with some LaTeX among them: what looks like LaTeX is set as such."""
    out = []
    for word in text.split(" "):
        out.append(tag(escape(word), False) if "\\" in word or ("^" in word and "{" in word) else escape(word))
    return " ".join(out)


def with_formulas(text: str) -> str:
    """Words with formulas between dollars."""
    return "".join(tag(escape(p), False) if k % 2 else escape(p) for k, p in enumerate(text.split("$")))


def table(lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    rows = []
    for line in lines:
        left = "" if line.opens else "= "
        tex = escape(rf"\displaystyle {left}{line.latex}")
        rows.append(
            f'<tr class="{"opens" if line.opens else ""}"><td>{tag(tex, False)}</td>'
            f'<td class="why">{with_formulas(line.reason)}</td></tr>'
        )
    return f'<div class="derivation"><table>{"".join(rows)}</table></div>'
