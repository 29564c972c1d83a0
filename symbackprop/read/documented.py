"""Tables of what is read, printed into the documents that speak of it; what stands above a table is kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

MARK = "<!-- what follows is printed: python -m {} {} -->\n\n"


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
