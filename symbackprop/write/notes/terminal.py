"""The report on the terminal, as a compiler writes it: place, what is wrong, the line with carets, what is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from symbackprop.decide.outcomes import DIFFER, Checked, Outcome, Status
from symbackprop.read.notes.files.place import Place, Span, render

from . import read_as

STYLES: dict[Status, str] = {
    "proved": "green", "refuted": "bold red", "ill-formed": "bold yellow", "unknown": "bold cyan",
}  # fmt: skip
UNREAD = ("SB301", "SB303")
_VALUE = 110  # characters of one line of a counterexample


def report(statements: Sequence[Checked], out: Console, everything: bool = False) -> None:
    """The statements that are not proved, each name that was not read once; with `everything` those that are, too."""
    unread: dict[str, list[Checked]] = {}
    for c in statements:
        if c.open and c.rule is not None and c.rule.code in UNREAD:
            unread.setdefault(c.outcome.message, []).append(c)
    told: set[str] = set()
    for c in statements:
        same = unread.get(c.outcome.message, []) if c.open else []
        if len(same) > 1:
            if c.outcome.message not in told:
                told.add(c.outcome.message)
                out.print(trouble(c, [x.line for x in same[1:]]), soft_wrap=True)
        elif c.bad or c.open:
            out.print(trouble(c), soft_wrap=True)
        elif c.asked:
            out.print(answer(c), soft_wrap=True)
        elif everything and c.verdict is not None:
            out.print(fine(c), soft_wrap=True)


def summary(statements: Sequence[Checked], seconds: float, out: Console) -> None:
    """Claims by their verdict; what is no claim only by its kind, or its trouble."""
    counts = Counter(c.verdict for c in statements)
    parts: list[Text] = []
    for verdict, style in STYLES.items():
        if counts[verdict] or verdict == "proved":
            parts.append(Text(f"{counts[verdict]} {verdict}", style))
    decided = sum(counts[v] for v in STYLES)
    line = Text(f"{decided} statement{'' if decided == 1 else 's'}: ") + Text(", ").join(parts)
    kinds = Counter("question" if c.asked else c.kind for c in statements if c.verdict is None)
    rest = [f"{n} {kind}{'' if n == 1 else 's'}" for kind, n in sorted(kinds.items())]
    quiet = sum(c.ignored for c in statements)
    if quiet:
        line += Text(f" ({quiet} of them ignored, as the text asks)")
    if rest:
        line += Text("; " + ", ".join(rest))
    out.print(line + Text(f"  ({seconds:.1f} s)", "dim"), soft_wrap=True)


def trouble(c: Checked, more: Sequence[int] = ()) -> Text:
    """`more` are further lines that have the same trouble."""
    o = c.outcome
    assert o.verdict is not None
    place, span = c.trouble()
    head, *shown = rendered(place, span)
    said = o.mistake or o.message
    text = Text.assemble((f"{head}", "bold"), " ", (o.verdict, STYLES[o.verdict]), f": {said}")
    text.append(f"  {c.rule.code}\n" if c.rule is not None else "\n", "dim")
    for line in shown:
        text.append(line + "\n", "red" if set(line) <= {" ", "^"} else "")
    if more:
        text.append(f"  the same: line{'' if len(more) == 1 else 's'} {', '.join(map(str, more))}\n", "dim")
    for label, value in [*details(o, said), *([("read as", taken)] if (taken := read_as.said(c.reading)) else [])]:
        lines = value.split("\n")
        text.append(f"  {label}: ", "dim")
        text.append(lines[0] + "\n", "green" if label == "proved instead" else "")
        for line in lines[1:]:
            text.append(f"    {line}\n")
    return text


def answer(c: Checked) -> Text:
    found = c.outcome.repair
    head = Text.assemble((f"{c.reading.where.label(c.reading.span[0])}:", "bold"), " asked: ")
    if found is None:
        return head.append(f"{c.latex}: no formula was found\n")
    head.append(f"{found.latex}\n", "green")
    if found.hypotheses:
        head.append(f"  rests on: {'; '.join(found.hypotheses)}\n", "dim")
    return head


def rendered(place: Place, span: Span) -> list[str]:
    """The label of the place, the source line, the carets."""
    first, *rest = render("", span, place).split("\n")
    return [first.strip() + ":", *rest]


def details(o: Outcome, said: str) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    if o.message and o.message != said and o.message != DIFFER:
        out.append(("because", o.message))
    if o.counterexample is not None:
        lines = [clipped(x.replace("°", "")) for x in o.counterexample.describe().split("\n")]
        out.append(("counterexample", "\n".join(lines)))
    if o.special_cases:
        out.append(("true only when", " or ".join(o.special_cases)))
    if o.conditions:
        out.append(("conditions", "; ".join(map(str, o.conditions))))
    if o.repair is not None:
        out.append(("proved instead", o.repair.latex))
        if o.repair.hypotheses:
            out.append(("which rests on", "; ".join(o.repair.hypotheses)))
    return out


def fine(c: Checked) -> Text:
    place, span = c.reading.where, c.reading.span
    text = Text.assemble((f"{place.label(span[0])}:", "bold"), " ", (c.verdict or "", "green"), f" {c.kind} {c.latex}")
    if taken := read_as.said(c.reading):
        text.append(f"\n  read as: {taken}", "dim")
    if c.outcome.hypotheses:
        text.append(f"\n  rests on: {'; '.join(c.outcome.hypotheses)}", "dim")
    if c.outcome.conditions:
        text.append(f"\n  where: {'; '.join(map(str, c.outcome.conditions))}", "dim")
    return text


def clipped(text: str) -> str:
    return text if len(text) <= _VALUE else text[: _VALUE - 1] + "…"
