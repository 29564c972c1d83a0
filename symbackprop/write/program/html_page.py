"""Derivations as one HTML page that needs no network."""

from __future__ import annotations

import json
import re
from html import escape

from symbackprop.write.html import page

from .drawing import as_svg
from .lines import EVERYTHING, Derivation, Line, Passage
from .pages import footing, why

SUBSCRIPT = re.compile(r"(?<=_\{)[a-z](?:,?[a-z])*(?=\})")
SIGMA = re.compile(r"(?<=\\sum_\{)([a-z])(?==)")
HUES = 7  # classes of the style sheet


def as_html(d: Derivation) -> str:
    """The derivatives of each step are there to unfold; indices are coloured, shapes shown when pointed at."""
    return page(d.title, f'<main class="derivation" data-shapes="{pointed_at(d)}">{body(d)}</main>')


def pointed_at(d: Derivation) -> str:
    """The shapes of letters, as JSON in an attribute."""
    known = {v.name: " × ".join(map(str, v.shape)) or "a number" for v in d.picture.vertices if len(v.name) == 1}
    return escape(json.dumps(known, ensure_ascii=False), quote=True)


def body(d: Derivation, notebook: bool = False) -> str:
    """What stands in the page; a notebook typesets formulas between dollars and has no style of ours."""
    parts = [f"<h1>{escape(d.title)}</h1>", shapes(d)]
    parts += [f'<p class="remark">{escape(r)}</p>' for r in d.remarks]
    if d.picture.edges:
        parts.append(f'<figure class="graphs">{as_svg(d.picture, False)}</figure>')
    parts += map(passage, d.passages)
    whole = "".join([*parts, f"<p>{escape(footing(d))}.</p>"])
    return in_dollars(whole) if notebook else whole


def passages(d: Derivation) -> str:
    """The passages alone."""
    return f'<div class="derivation">{"".join(map(passage, d.passages))}</div>'


def in_dollars(html: str) -> str:
    """The formulas as a notebook typesets them, in black."""
    html = re.sub(r'<div class="tex" data-display="true">(.*?)</div>', r"<div>$$\1$$</div>", html)
    html = re.sub(r'<span class="tex">(.*?)</span>', r"$\1$", html)
    return re.sub(r"\\htmlClass\{index\d\}\{(.)\}", r"\1", html)


def shapes(d: Derivation) -> str:
    known = []
    for name, s in d.shapes:
        sizes = r" \times ".join(str(x).replace("*", r" \, ") for x in s)
        said = rf"{name[1]} \in \mathbb{{R}}^{{{sizes}}}" if s else rf"{name[1]} \in \mathbb{{R}}"
        known.append(f'<span class="tex">{escape(said)}</span>')
    return f'<p class="shapes">{" ".join(known)}</p>'


def passage(p: Passage) -> str:
    usual = "".join(step(x, p) for x in p.lines if x.level < EVERYTHING)
    more = "".join(step(s, p) for x in p.lines if x.level == EVERYTHING for s in x.steps or (x,))
    unfold = f"<details><summary>local derivatives</summary>{more}</details>" if more else ""
    return f'<section><h2>by <span class="tex">{escape(p.latex_name)}</span></h2>{usual}{unfold}</section>'


def step(line: Line, p: Passage) -> str:
    tex = escape(coloured(rf"{line.latex_left} = {line.latex_right}".strip()))
    reason = why(line, p, escape, '<span class="tex">{}</span>')
    return (
        f'<div class="step"><div class="tex" data-display="true">{tex}</div>'
        f'<div class="reason">{reason}</div></div>'
    )


def coloured(tex: str) -> str:
    """Each index letter in a colour of its own, the same through a formula."""
    letters = dict.fromkeys(c for m in SUBSCRIPT.findall(tex) for c in m if c != ",")
    letters |= dict.fromkeys(SIGMA.findall(tex))
    hue = {c: k % HUES for k, c in enumerate(sorted(letters))}

    def marked(text: str) -> str:
        return "".join(rf"\htmlClass{{index{hue[c]}}}{{{c}}}" if c in hue else c for c in text)

    return SIGMA.sub(lambda m: marked(m[1]), SUBSCRIPT.sub(lambda m: marked(m[0]), tex))


__all__ = ["as_html", "body", "passages", "pointed_at"]
