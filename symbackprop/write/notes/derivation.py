"""The proof of a statement as lines that a person can follow.

Each derivative is worked out law by law, then the two sides are brought to one form, for the reasons that the proof has
which the kernel has checked.  What is shown leaves out summands 0 and factors 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from fractions import Fraction
from itertools import combinations, pairwise

from symbackprop.core.indices import Index
from symbackprop.core.kernel import (
    By, Chain, Digits, Flip, Inside, Instance, Let, Linear, Proof, Rephrase, UnderDiff, UnderSum, UnderWhole, Values,
)  # fmt: skip
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE, ZERO, Add, Array, Delta, Diff, Entry, Mul, Num, Power, Sum, Term, add, free, map_parts,
    mul, substitute, subterms,
)  # fmt: skip
from symbackprop.decide.outcomes import DIFFER, Checked, Line, Proved
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.working_out import CheckedEquation, Tidy
from symbackprop.write.paper.term_parts import SIGNS, latex_words, names_in
from symbackprop.write.program.parts import law_by_law

from .letters import COLUMN, ROW, DocumentLatex
from .terminal import details

STEPS = (Chain, Flip, Inside, UnderSum, UnderWhole, UnderDiff, Instance, Linear, Values, Digits, Let, Rephrase)
_LETTERS = "kmpqrsuvijabcdegh"
_WORDS = {
    "diff_mul": "product rule", "diff_apply": "chain rule", "diff_power": "power rule", "diff_whole": "chain rule",
    "diff_step": "steps are constant", "unfold": "definitions", "diff_max": "derivative of the maximum",
    "diff_prod": "product rule", "diff_inverse": "derivative of the inverse", "diff_det": "Jacobi's formula",
    "diff_argmax": "the place of the maximum is constant", "in_exponentials": "written in exponentials",
    "log_of_product": "logarithm of a product", "log_of_power": "logarithm of a power", "log_of_exp": "log exp",
    "exp_of_log": "exp log", "power_add": "powers of one base", "power_of_product": "power of a product",
    "power_of_power": "power of a power", "inverse_times": "inverse", "times_inverse": "inverse",
}  # fmt: skip
_IDENTITIES = frozenset({
    "in_exponentials", "log_of_product", "log_of_power", "log_of_exp", "exp_of_log", "power_add", "power_of_product",
    "power_of_power", "inverse_times", "times_inverse",
})  # fmt: skip


def derivation(proved: Proved) -> tuple[Line, ...]:
    """Definitions that are used, the derivatives, and the equality."""
    writer = Writer(proved)
    out: list[Line] = []
    for array, meaning in writer.definitions():
        out.append(Line(f"{writer.entry(array, meaning.axes)} = {writer(meaning.body)}", "definition", True))
    for t in proved.derivatives:
        out += passage(writer, worked_out(writer, t))
    out += equality(writer, proved)
    return tuple(out)


def equality(writer: Writer, proved: Proved) -> list[Line]:
    """The two sides with what leads from one to the other, one reason a line."""
    eq = writer.equality.equation
    if not proved.derivatives and not writer.opened:
        return passage(writer, [(proved.lhs, ""), (proved.rhs, named_reason(writer, proved.lhs, proved.rhs))])
    terms = [(proved.lhs, "")]
    if proved.derivatives and eq.lhs != proved.lhs:
        terms.append((eq.lhs, "the derivatives above put in"))
    contracted = Tidy()(eq.lhs)
    if deltas(contracted) < deltas(eq.lhs):
        terms.append((contracted, "the deltas contract"))
    last = eq.rhs if proved.derivatives else proved.rhs
    terms.append((last, named_reason(writer, terms[-1][0], last)))
    if proved.derivatives and eq.rhs != proved.rhs:
        terms.append((proved.rhs, "the derivatives on the right side"))
    return passage(writer, terms)


def passage(writer: Writer, terms: Sequence[tuple[Term, str]]) -> list[Line]:
    """A line for each term that looks unlike the one before."""
    lines = [Line(writer(t), why, not why) for t, why in terms]
    kept = [lines[0], *(b for a, b in pairwise(lines) if a.latex != b.latex)]
    return kept if len(kept) > 1 else [Line(lines[0].latex, "what both sides say", True)]


def rearranged(lhs: Term, rhs: Term) -> str:
    """What was done where no definition is needed."""
    if deltas(lhs) != deltas(rhs):
        return "the deltas contract" if deltas(lhs) > deltas(rhs) else "written with deltas"
    return "multiplied out and put together"


def named_reason(writer: Writer, lhs: Term, rhs: Term) -> str:
    """The identities that the proof rests on, by name; the most telling one first."""
    laws = dict.fromkeys(p.law for p in uses(writer.equality.proof))
    found = dict.fromkeys(_WORDS[law] for law in laws if law in _IDENTITIES)
    if "assume" in laws:
        found["what is assumed"] = None
    opened = [writer.array(a) for a, _ in writer.definitions() if a in writer.opened]
    if opened and not found:
        found[f"the definition{'s' * (len(opened) > 1)} of {' and '.join(opened)}"] = None
    return " and ".join([*found][:2]) or rearranged(lhs, rhs)


def deltas(t: Term) -> int:
    return sum(isinstance(s, Delta) for s in subterms(t))


# --- derivatives -----------------------------------------------------------------------------


def worked_out(writer: Writer, t: CheckedEquation) -> list[tuple[Term, str]]:
    """From a derivative to its value, law by law; at once where that does not say all of it."""
    start, value = t.equation.lhs, t.equation.rhs
    assert isinstance(start, Diff)
    body, known = start.body, t.context.definitions
    named = body if isinstance(body, Entry) and body.array in known else None
    lines = law_by_law(known[named.array].at(*named.at) if named else body, start.wrt, writer.array, t.context)
    if not lines:
        return [(start, ""), (value, ", ".join(dict.fromkeys(_WORDS[p.law] for p in uses(t.proof) if p.law in _WORDS)))]
    if named is None:
        return lines
    return [(start, ""), (lines[0][0], f"the definition of {writer.array(named.array)}"), *lines[1:]]


def uses(proof: Proof) -> Iterator[By]:
    """The laws in a proof, each place once, in their order."""
    work: list[object] = [proof]
    done: set[int] = set()
    while work:
        p = work.pop()
        match p:
            case tuple():
                work.extend(reversed(p))
            case By():
                yield p
            case _ if isinstance(p, STEPS) and id(p) not in done:
                done.add(id(p))
                work.extend(reversed([getattr(p, f.name) for f in fields(p)]))


def unfolded(t: CheckedEquation) -> Iterator[Array]:
    """The arrays whose definitions it opens."""
    return (p.args[0].array for p in uses(t.proof) if p.law == "unfold")


# --- terms on paper --------------------------------------------------------------------------


class Writer:
    """One choice of letters for a whole derivation."""

    def __init__(self, proved: Proved) -> None:
        self.proved, self.equality = proved, proved.equality()
        self.opened = needed(proved, list(dict.fromkeys(unfolded(self.equality))))
        self.latex = DocumentLatex()
        self.names: dict[str, str] = {}
        self.taken = set[str]().union(*(names_in(t) for t in (proved.lhs, proved.rhs)))
        for meaning in proved.context.definitions.values():
            self.taken |= {s for i in meaning.axes for s in i.size.symbols}
        for name in (ROW, COLUMN):
            self.names[name] = self.fresh(name[0])

    def fresh(self, wanted: str) -> str:
        for letter in wanted + _LETTERS:
            if letter not in self.taken:
                self.taken.add(letter)
                return letter
        return wanted + "'"

    def __call__(self, t: Term) -> str:
        return self.latex(self.named(shown(t)))

    def named(self, t: Term) -> Term:
        table = {}
        for i in sorted(free(t), key=lambda i: i.name):
            if i.name.startswith("~") and i.name not in self.names:
                self.names[i.name] = self.fresh("k")
            if i.name in self.names:
                table[i] = Index(self.names[i.name], i.size)
        return substitute(t, dict(table)) if table else t

    def array(self, array: Array) -> str:
        return f"${self.latex.array(array, [])}$"

    def entry(self, array: Array, axes: Sequence[Index]) -> str:
        return self(Entry(array, tuple(axes)))

    def definitions(self) -> Iterator[tuple[Array, Tensor]]:
        """Those that a step of the proof opens."""
        opened = set(self.opened)
        for t in self.proved.derivatives:
            opened |= set(unfolded(t))
        for array, meaning in self.proved.context.definitions.items():
            if array in opened:
                yield array, meaning


def needed(proved: Proved, opened: Sequence[Array]) -> list[Array]:
    """The definitions without which the two sides would not be equal, of those that a proof opens."""
    known = proved.context
    for count in range(0 if proved.derivatives else min(len(opened), 3)):
        for some in combinations(opened, count):
            fewer = replace(known, definitions={a: known.definitions[a] for a in some})
            if prove_equal(proved.lhs, proved.rhs, fewer) is not None:
                return list(some)
    return list(opened)


def shown(t: Term) -> Term:
    """Without summands 0 and factors 1."""
    match t:
        case Add(args):
            kept = [s for a in args if (s := shown(a)) != ZERO]
            return add(*kept) if kept else ZERO
        case Mul(args):
            factors = [s for a in args if (s := shown(a)) != ONE]
            if ZERO in factors:
                return ZERO
            if len(factors) > 1 and isinstance(factors[0], Num) and factors[0].value == Fraction(1):
                factors = factors[1:]
            return mul(*factors) if factors else ONE
        case Power(base, q) if q == 1:
            return shown(base)
        case Sum(_, body, _) if shown(body) == ZERO:
            return ZERO
        case _:
            return map_parts(t, shown)


# --- the author's derivations written out, law by law, as a LaTeX document ---


PREAMBLE = r"""\documentclass[10pt,a4paper]{article}
\usepackage{amsmath,amssymb,bm,xcolor,graphicx}
\usepackage[margin=2.2cm]{geometry}
\setlength{\parindent}{0pt}\setlength{\parskip}{3pt}
\newsavebox{\formula}
\newcommand{\fit}[2]{\sbox{\formula}{$\displaystyle #2$}%
  \ifdim\wd\formula>#1\resizebox{#1}{!}{\usebox{\formula}}\else\usebox{\formula}\fi}
\newcommand{\step}[2]{\par\hspace*{1.5em}\makebox[.7\linewidth][l]{\fit{.7\linewidth}{#1}}\hfill
  \parbox{.24\linewidth}{\raggedright\footnotesize\color{gray}#2}}
\newcommand{\said}[3]{\par\medskip\makebox[.7\linewidth][l]{\fit{.7\linewidth}{#1}}\hfill
  \parbox{.24\linewidth}{\raggedright\footnotesize\textbf{#2} #3}}
\newcommand{\note}[2]{\par\hspace*{1.5em}{\footnotesize\textit{#1}\quad #2}}
"""


def latex_page(title: str, statements: Sequence[Checked]) -> str:
    """One document: headings, definitions, each claim with its derivation or with what is wrong."""
    lines = [PREAMBLE, rf"\title{{{latex_words(title)}}}\date{{}}", r"\begin{document}\maketitle"]
    section: tuple[str, ...] = ()
    for c in statements:
        found = c.reading.formula.section
        if found != section:
            level = r"\section*" if len(found) <= 1 else r"\subsection*"
            lines.append(rf"{level}{{{mixed(found[-1]) if found else ''}}}")
            section = found
        lines += statement(c)
    return "\n".join([*lines, r"\end{document}", ""])


def statement(c: Checked) -> Iterator[str]:
    where = f"line {c.line}" if c.cell is None else f"cell {c.cell}, line {c.line}"
    if c.verdict is None and c.kind != "definition" and not c.asked:
        return
    shown = c.outcome.repair.latex if c.asked and c.outcome.repair is not None else c.latex
    yield rf"\said{{{formula(shown)}}}{{{c.verdict or ('answer' if c.asked else c.kind)}}}{{{where}}}"
    if c.outcome.proof is not None:
        yield from map(step, derivation(c.outcome.proof))
        if c.outcome.hypotheses:
            yield rf"\note{{rests on}}{{{mixed('; '.join(c.outcome.hypotheses))}}}"
    elif c.bad or c.open:
        said = c.outcome.mistake or c.outcome.message
        if said and said != DIFFER:
            yield rf"\note{{{'why' if c.open else 'mistake'}}}{{{mixed(said)}}}"
        for label, value in details(c.outcome, said):
            if label == "proved instead":
                yield rf"\step{{{formula(value)}}}{{proved instead}}"
            elif label == "true only when":
                yield rf"\note{{{label}}}{{{mixed(value)}}}"


def step(line: Line) -> str:
    sign = "" if line.opens else "= "
    return rf"\step{{{formula(sign + line.latex)}}}{{{mixed(line.reason)}}}"


def formula(latex: str) -> str:
    """As the author wrote it, in signs that every LaTeX has; without labels, tabs of align and loose ends."""
    latex = re.sub(r"\\(?:label|tag\*?|notag|nonumber)(?:\{[^{}]*\})?", " ", latex)
    latex = re.sub(r"(?<!\\)[&%#~]|\n\s*\n", " ", latex)
    signs = "".join(f"{SIGNS[c]} " if c in SIGNS else c if ord(c) < 128 else "?" for c in latex)
    return signs.strip().rstrip("\\").strip()


def mixed(words: str) -> str:
    """Words among which formulas stand."""
    out = []
    for piece in re.split(r"(\$[^$]*\$|\S*\\\S+)", words):
        inner = piece.strip("$")
        out.append(f"${formula(inner)}$" if "\\" in inner or piece.startswith("$") else latex_words(piece))
    return "".join(out)
