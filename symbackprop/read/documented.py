"""What is read of a library, by operation, and the documents that have it as a table; text above a table is kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from symbackprop.read.numpy.context import TraceError

F = TypeVar("F", bound=Callable[..., Any])
MARK = "<!-- what follows is printed: python -m {} {} -->\n\n"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What reads an operation; `where` says to what it is restricted, `marks` what else its library says of it."""

    section: str
    name: str
    run: Callable[..., Any]
    where: str
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Table:
    """Meanings by name, and for other names the reason why they are refused."""

    title: str = ""
    marks: frozenset[str] = frozenset()
    meanings: dict[str, Meaning] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def section(self, title: str, *marks: str) -> Table:
        """The same table, for what stands under a title and has these marks."""
        return Table(title, frozenset(marks), self.meanings, self.refused)

    def __call__(self, *names: str, where: str = "") -> Callable[[F], F]:
        def register(f: F) -> F:
            for name in names:
                self.meanings[name] = Meaning(self.title, name, f, where, self.marks)
            return f

        return register

    def rows(self, meanings: Mapping[str, Callable[..., Any]], where: str = "") -> None:
        """Meanings of one line each; names of one meaning stand together in a key."""
        for names, f in meanings.items():
            self(*names.split(), where=where)(f)

    def refuses(self, *names: str, because: str) -> None:
        self.refused.update(dict.fromkeys(names, because))

    def meaning(self, *names: str) -> Meaning | None:
        """That of the first name that is known.  Raises TraceError with the reason for what is refused."""
        for name in names:
            if name in self.meanings:
                return self.meanings[name]
            if name in self.refused:
                raise TraceError(f"{name} {self.refused[name]}")
        return None


def with_table(document: str, module: str, name: str, table: str) -> str:
    """The document, with the table of the module below its mark."""
    mark = MARK.format(module, name)
    return document.partition(mark)[0] + mark + table


def reasons(refused: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each reason for a refusal, with the names of what is refused."""
    for because in sorted(set(refused.values())):
        yield because, ", ".join(f"`{n}`" for n in sorted(refused) if refused[n] == because)


def print_into(module: str, table: str) -> None:
    name = sys.argv[1]
    Path(name).write_text(with_table(Path(name).read_text(), module, name, table))
