"""The derivations of backpropagation as people meet them: printed line by line, and as LaTeX documents.

>>> from symbackprop.story import show
>>> show("softmax")
"""

from __future__ import annotations

import time

from .network.derivations import STORIES, story
from .write.paper.derivation_latex import latex_document
from .write.paper.derivation_text import markdown_document, plain_derivation
from .write.paper.prose import plain_prose


def show(name: str) -> None:
    """Derives and proves one story and prints it, with the time that each derivation took."""
    title, facts = STORIES[name]
    print(f"{plain_prose(title)}\n{'=' * len(plain_prose(title))}\n")
    for fact in facts:
        start = time.perf_counter()
        derivation = fact()
        spent = 1000 * (time.perf_counter() - start)
        print(f"{plain_derivation(derivation)}\n  derived and checked in {spent:.1f} ms\n")


def latex_documents() -> dict[str, str]:
    """A LaTeX document for each story, by file name; the same text in every run."""
    return {f"{name}.tex": latex_document(title, story(name)) for name, (title, _) in STORIES.items()}


def markdown_page(name: str) -> str:
    """One story as Markdown."""
    return markdown_document(STORIES[name][0], story(name))
