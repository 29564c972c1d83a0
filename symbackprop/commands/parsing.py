"""The parser of one command: argparse with errors of one line and a width that fits the terminal."""

from __future__ import annotations

import argparse
import os
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """argparse with errors of one line, and help as wide as the terminal up to 100 columns."""

    def __init__(self, prog: str, **options: object) -> None:
        # The width is given because argparse would import shutil (and all its compressors) to find it.
        super().__init__(
            prog=prog,
            formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, 2, 26, _columns()),
            allow_abbrev=False,
            **options,  # type: ignore[arg-type]
        )

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"symbackprop: {message} (see `{self.prog} --help`)\n")


TIMEOUT = "how long one claim may take to be proved, refuted and repaired (default: 10; inf: no limit)"


def timeout(text: str) -> float:
    """A positive number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number of seconds")
    return seconds


def _columns() -> int:
    try:
        return max(40, min(100, os.get_terminal_size().columns) - 2)
    except (OSError, ValueError):
        return 98


def names(text: str) -> list[str]:
    """With commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]
