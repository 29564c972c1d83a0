"""The stories by name, for the terminal, as Markdown with LaTeX formulas, and as LaTeX documents."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from textwrap import wrap
from typing import Any

from symbackprop.core.context import Same
from symbackprop.core.terms import SymbackpropError, predicate_key
from symbackprop.files import write_atomically
from symbackprop.functions.checks import derive
from symbackprop.story import columns_to_rows, every_depth, questions
from symbackprop.story.questions import of_each_kind
from symbackprop.story.told import Question, Told, told
from symbackprop.write.paper.latex import Latex
from symbackprop.write.paper.layout import COLUMNS, QUOTED, latex_formula, latex_prose, plain_prose
from symbackprop.write.paper.matrix_writer import MatrixWriter
from symbackprop.write.paper.term_parts import latex_name, plain_name
from symbackprop.write.paper.text import Plain
from symbackprop.write.program.lines import EVERYTHING
from symbackprop.write.program.pages import PREAMBLE, aligned, latex_lines, text_lines

# --- text ----------------------------------------------------------------------------------------


def plain_document(d: Told) -> str:
    """As it is read in a terminal."""
    title = plain_prose(d.title)
    lines = [title, "-" * len(title), *(f"  {x}" for x in wrap(plain_prose(d.about), COLUMNS - 2))]
    lines += [f"    {a[0]} = {b[0]}" for a, b in d.setting]
    for p in d.passages:
        lines += ["", f"  by {p.name}", *(f"  {x}" for x in text_lines(p, EVERYTHING, COLUMNS - 2))]
    return "\n".join([*lines, "", *(f"  proved: {s[0]}" for s in d.statements), f"  {plain_scope(d)}"])


def plain_scope(d: Told) -> str:
    """For which sizes, under which hypotheses and conditions."""
    return ", ".join([f"for all {plain_sizes(d)}", *plain_terms(d)])


def plain_terms(d: Told) -> list[str]:
    return [said for said, _ in terms(d, Plain())]


def plain_sizes(d: Told) -> str:
    return ", ".join(map(plain_name, d.sizes))


def terms(d: Told, writer: MatrixWriter) -> Iterator[tuple[str, str]]:
    """What the theorems need: hypotheses with their names, and conditions that are not plain."""
    for t in d.theorems:
        for name in sorted(t.equation.hypotheses):
            h = t.context.hypotheses[name]
            said = f"{writer(h.lhs)} = {writer(h.rhs)}" if isinstance(h, Same) else writer.condition(h)
            yield f"provided that {said}", name
        for c in sorted(t.equation.conditions, key=predicate_key):
            yield f"where {writer.condition(c)}", ""


# --- LaTeX ---------------------------------------------------------------------------------------


def latex_document(title: str, told: Iterable[Told]) -> str:
    """A whole document; the same text in every run."""
    body = "\n".join(line for d in told for line in latex_section(d))
    return f"{PREAMBLE}\\section*{{{latex_prose(title)}}}\n{body}\\end{{document}}\n"


def latex_section(d: Told) -> Iterator[str]:
    """What is given, what is proved and under which terms, and the lines."""
    yield rf"\subsection*{{{latex_prose(d.title)}}}"
    yield f"{latex_prose(d.about)} Let"
    yield "\\begin{align*}\n" + " \\\\\n".join(f"  {a[1]} &= {b[1]}" for a, b in d.setting) + "\n\\end{align*}"
    rows = " \\\\\n".join(f"  {s[1]}" for s in d.statements)
    yield f"Then\n\\begin{{gather*}}\n{rows}\n\\end{{gather*}}\n{latex_scope(d)}\n"
    for p in d.passages:
        yield f"By ${p.latex_name}$:"
        yield "\\begin{align*}\n" + " \\\\\n".join(latex_lines(p, EVERYTHING)) + "\n\\end{align*}"


def latex_scope(d: Told) -> str:
    text = "for all sizes $" + ", ".join(map(latex_name, d.sizes)) + "$"
    for said, name in terms(d, Latex()):
        words, _, formula = said.partition(" that " if name else " ")
        text += f", {words}{' that' * bool(name)} ${formula}$" + (f" ({latex_prose(name)})" if name else "")
    return f"{text}."


# --- Markdown ------------------------------------------------------------------------------------


def markdown_document(title: str, told: Iterable[Told]) -> str:
    """A page with display formulas, as GitHub and Jupyter show them."""
    return "\n".join([f"# {markdown_prose(title)}", "", *(part for d in told for part in markdown_section(d))])


def markdown_section(d: Told) -> Iterator[str]:
    given = r", \qquad ".join(f"{a[1]} = {b[1]}" for a, b in d.setting)
    yield from (f"## {markdown_prose(d.title)}", "", markdown_prose(d.about), "", "Let", "", f"$${given}$$", "")
    yield from ("Then", "", *(f"$${s[1]}$$" for s in d.statements), "", latex_scope(d), "")
    for p in d.passages:
        yield from (f"By ${p.latex_name}$:", "", f"$$\n{aligned(p, EVERYTHING)}\n$$", "")


def markdown_prose(text: str) -> str:
    return QUOTED.sub(lambda m: f"${latex_formula(m[1])}$", text)


def show(name: str) -> None:
    """Derives and proves one story and prints it, with the time that each derivation took."""
    title, facts = STORIES[name]
    print(f"{plain_prose(title)}\n{'=' * len(plain_prose(title))}\n")
    for fact in facts:
        start = time.perf_counter()
        derivation = fact()
        spent = 1000 * (time.perf_counter() - start)
        print(f"{plain_document(derivation)}\n  derived and checked in {spent:.1f} ms\n")


def latex_documents(known: Mapping[str, Sequence[Told]] | None = None) -> dict[str, str]:
    """A LaTeX document for each story, by file name; the same text in every run.  `known` has been told already."""
    told = {name: story(name) for name in STORIES} if known is None else known
    return {f"{name}.tex": latex_document(STORIES[name][0], found) for name, found in told.items()}


def markdown_page(name: str) -> str:
    """One story as Markdown."""
    return markdown_document(STORIES[name][0], story(name))


@dataclass(frozen=True, slots=True)
class Forward:
    """A forward function with what is asked of it."""

    function: Callable[..., Any]
    shapes: Mapping[str, str]
    wrt: tuple[str, ...]
    assuming: Callable[..., Any] | None = None
    title: str = ""

    def explained(self, form: str, detail: int) -> str:
        title = self.title or self.function.__name__.replace("_", " ").capitalize()
        return derive(self.function, self.shapes, self.wrt, self.assuming, timeout=None).explained(form, detail, title)


def tell(forwards: Mapping[str, Forward], arguments: Sequence[str] | None = None) -> None:
    """Prints derivations of forward functions, all or those that are named, or writes them to a directory as LaTeX."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(forwards))
    parser.add_argument("--tex", metavar="DIR", help="write LaTeX there instead of printing")
    args = parser.parse_args(arguments)
    if args.tex is not None:
        Path(args.tex).mkdir(parents=True, exist_ok=True)
    for name in args.names or forwards:
        if name not in forwards:
            raise SymbackpropError(f"nothing is called {name!r}: there are {', '.join(forwards)}")
        if args.tex is None:
            print(forwards[name].explained("text", 3))
        else:
            write_atomically(Path(args.tex) / f"{name}.tex", forwards[name].explained("latex", 3))
            print(f"{args.tex}/{name}.tex")


# --- the stories of the notes by name: a title, and what each of them asks or tells ---


Fact = Callable[[], Told]


def asked(questions: Iterable[Question]) -> tuple[Fact, ...]:
    return tuple(partial(told, q) for q in questions)


STORIES: dict[str, tuple[str, tuple[Fact, ...]]] = {
    "linear_map": ("A layer without its activation: `z = w x + b`", asked(questions.LINEAR)),
    "last_layer": (
        "The last layer: its signal and its weights",
        asked([questions.activation_jacobian(), *of_each_kind(questions.last_layer)]),
    ),
    "hidden_layers": ("Hidden layers: from one signal to the one before", asked(of_each_kind(questions.signal_step))),
    "weights": ("The gradient by the weights", asked(of_each_kind(questions.weights))),
    "biases": ("The gradient by the biases", asked(of_each_kind(questions.biases))),
    "every_depth": ("All layers of a network of any depth", every_depth.FACTS),
    "means": ("Costs that are a mean over a batch", asked(questions.MEANS)),
    "softmax": ("Softmax and the negative log likelihood", asked(questions.SOFTMAXES)),
    "columns_to_rows": (
        "From the column convention to the row convention",
        (columns_to_rows.forward, columns_to_rows.signal_step, columns_to_rows.weights, columns_to_rows.biases),
    ),
}


def story(name: str) -> list[Told]:
    """What one story tells, each part derived and proved."""
    return [fact() for fact in STORIES[name][1]]
