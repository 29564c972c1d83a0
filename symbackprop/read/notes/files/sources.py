"""Files to formulas: Markdown and MyST, LaTeX, Jupyter notebooks.

`read_document` gives the items of a file in order: prose, declaration blocks and formulas, each formula with the
place of every character, the headings above it, and the words around it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from .items import Block, Collector, Formula, Item, Prose
from .latex import read_latex
from .markdown import read_markdown
from .place import ReadError, Source, read_text

__all__ = ["Block", "Formula", "Item", "Prose", "collected", "read_document", "read_text"]


def read_document(path: str | Path, text: str | None = None) -> tuple[Item, ...]:
    """The items of a file.  Raises ReadError when it cannot be opened, or is no text, or is broken."""
    return collected(path, text)[0]


def collected(path: str | Path, text: str | None = None) -> tuple[tuple[Item, ...], tuple[Path, ...]]:
    """The items, and the files that they are read from besides: by \\input, where the text is that of the file."""
    path = Path(path)
    folder = path.parent if text is None else None
    if text is None:
        text = read_text(path)
    if "\x00" in text:
        raise ReadError(f"{path.name}: this is binary data, not text")
    readers = {".tex": "latex", ".ltx": "latex", ".latex": "latex", ".ipynb": "notebook"}
    kind = readers.get(path.suffix.lower(), "markdown")
    collector = Collector(folder=folder)
    if kind == "latex":
        read_latex(Source(str(path), text), collector)
    elif kind == "notebook":
        for source in markdown_cells(str(path), text):
            read_markdown(source, collector)
    else:
        read_markdown(Source(str(path), text), collector)
    return tuple(collector.items), tuple(collector.files)


def markdown_cells(name: str, text: str) -> Iterator[Source]:
    """The markdown cells of a notebook, numbered among all cells from 1."""
    for number, (kind, source) in enumerate(notebook_cells(name, text), 1):
        if kind == "markdown":
            yield Source(name, source, number)


def notebook_cells(name: str, text: str) -> list[tuple[str, str]]:
    """The type and the text of each cell.

    Only what is needed of the format is asked for: a notebook without metadata is read as well.
    """
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{name}: not a notebook: {str(error)[:100]}") from None
    cells: object = notebook.get("cells") if isinstance(notebook, dict) else None
    if isinstance(notebook, dict) and isinstance(notebook.get("worksheets"), list):  # format 3
        sheets = [s.get("cells") for s in notebook["worksheets"] if isinstance(s, dict)]
        cells = [c for s in sheets if isinstance(s, list) for c in s]
    if not isinstance(cells, list):
        raise ReadError(f"{name}: not a notebook: it has no list of cells")
    return [cell_parts(c) for c in cells]


def cell_parts(cell: object) -> tuple[str, str]:
    if not isinstance(cell, dict):
        return "", ""
    source = cell.get("source", "")
    return str(cell.get("cell_type")), "".join(map(str, source)) if isinstance(source, list) else str(source)
