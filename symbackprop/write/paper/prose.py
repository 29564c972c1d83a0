"""Sentences with formulas between backticks: "only `a` depends on `z`", for LaTeX and for the terminal."""

from __future__ import annotations

import re

from .letters import GREEK, escaped

# What a formula in a sentence may hold besides ASCII.
SYMBOLS = {**{letter: rf"\{name}" for letter, name in GREEK.items()}, "∂": r"\partial", "∘": r"\circ", "…": r"\dots",
           "≥": r"\ge", "≤": r"\le", "×": r"\times"}  # fmt: skip
QUOTED = re.compile(r"`([^`]*)`")


def plain_prose(text: str) -> str:
    """The sentence without backticks."""
    return QUOTED.sub(r"\1", text)


def latex_prose(text: str) -> str:
    """The sentence with its formulas in math mode."""
    parts = QUOTED.split(text)
    return "".join(f"${latex_formula(p)}$" if n % 2 else escaped(p) for n, p in enumerate(parts))


def latex_formula(text: str) -> str:
    text = re.sub(r"_(\w\w+)", r"_{\1}", text)
    return "".join(SYMBOLS[c] + " " if c in SYMBOLS else c for c in text if c.isascii() or c in SYMBOLS)
