"""For pytest: `pytest --symbackprop layers.py` makes a test of each layer, pair and loss in a file.

A test passes where everything is proved; its failure is the report of the verdict.  Shapes come from docstrings and
annotations, and from `--symbackprop-shapes "x: B D; w: D"`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from symbackprop.commands.asked_functions import Asked


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("symbackprop", "proofs of hand-written gradients")
    group.addoption(
        "--symbackprop", action="append", default=[], metavar="FILE.py", help="prove the gradients that are in a file"
    )
    group.addoption("--symbackprop-shapes", metavar="TEXT", help='axes of arguments: "x: B D; w: D; y: int[V] B"')
    group.addoption("--symbackprop-timeout", type=float, metavar="SECONDS", help="for each gradient")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    asked = [Path(p).resolve() for p in parent.config.getoption("--symbackprop")]
    return Gradients.from_parent(parent, path=file_path) if file_path.resolve() in asked else None


def pytest_configure(config: pytest.Config) -> None:
    """The files are collected where nothing else is said to be."""
    for path in config.getoption("--symbackprop"):
        if path not in config.args:
            config.args.append(path)


class Gradients(pytest.File):
    """What there is to check in a file."""

    def collect(self) -> Iterator[pytest.Item]:
        from symbackprop.commands.asked_functions import asked_in
        from symbackprop.core.terms import SymbackpropError

        try:
            for asked in asked_in(str(self.path), options(self.config)):
                yield Gradient.from_parent(self, name=asked.name.rpartition("::")[2], asked=asked)
        except SymbackpropError as problem:
            raise self.CollectError(str(problem)) from None


class Gradient(pytest.Item):
    """One of them."""

    def __init__(self, *, asked: Asked, **more: Any) -> None:
        super().__init__(**more)
        self.asked = asked

    def runtest(self) -> None:
        verdict = self.asked.verdict()
        if not verdict:
            raise AssertionError(str(verdict))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if excinfo.errisinstance(AssertionError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.asked.line - 1, self.name


def options(config: pytest.Config) -> Any:
    """As the command line has them."""
    from argparse import Namespace

    return Namespace(
        shapes=config.getoption("--symbackprop-shapes"), wrt=None, assuming=[], value=[], no_repair=False,
        timeout=config.getoption("--symbackprop-timeout"), kind="gradient",
    )  # fmt: skip
