"""Derivations as people meet them: printed line by line, and as LaTeX documents."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symbackprop.core.terms import SymbackpropError
from symbackprop.files import write_atomically
from symbackprop.functions.checks import derive
from symbackprop.write.paper.layout import plain_prose

from .pages import latex_document, markdown_document, plain_document
from .stories import STORIES, Told, story


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
