"""The parser of one command: argparse with errors of one line and a width that fits the terminal."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any, NoReturn


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
        self._only: list[tuple[argparse._ArgumentGroup, Callable[[argparse.Namespace], bool]]] = []

    def group(self, title: str, goes: Callable[[argparse.Namespace], bool]) -> argparse._ArgumentGroup:
        """Options that are refused where they do not go with what is asked: nobody is to wait for what they do."""
        group = self.add_argument_group(title)
        self._only.append((group, goes))
        return group

    def parse_args(self, *given: Any, **more: Any) -> Any:
        args = super().parse_args(*given, **more)
        for group, goes in self._only:
            for action in group._group_actions if not goes(args) else ():
                if getattr(args, action.dest) != action.default:
                    self.error(f"{action.option_strings[-1]} is {group.title}")
        return args

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"symbackprop: {message} (see `{self.prog} --help`)\n")


SECONDS = 10.0  # `clock.LIMIT`, which a help does not load
TIMEOUT = f"how long one claim may take to be proved, refuted and repaired (default: {SECONDS:g}; inf: no limit)"


def timeout(text: str) -> float:
    """A positive number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number of seconds")
    return seconds


def is_code(target: str) -> bool:
    """A file of functions, or functions of a file, rather than a document."""
    return "::" in target or target.endswith(".py")


def _columns() -> int:
    try:
        return max(40, min(100, os.get_terminal_size().columns) - 2)
    except (OSError, ValueError):
        return 98


def names(text: str) -> list[str]:
    """With commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]
