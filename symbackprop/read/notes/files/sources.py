"""Files to formulas: Markdown and MyST, LaTeX, Jupyter notebooks.

`read_document` gives the items of a file in order: prose, declaration blocks and formulas, each formula with the
place of every character, the headings above it, and the words around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .items import Block, Collector, Formula, Item, Prose
from .latex import read_latex
from .markdown import read_markdown
from .place import ReadError, Source

MAX_FILE: Final = 20_000_000
__all__ = ["Block", "Formula", "Item", "Prose", "read_document", "read_text"]


def read_document(path: str | Path, text: str | None = None) -> tuple[Item, ...]:
    """The items of a file.  Raises ReadError when it cannot be opened, or is no text, or is broken."""
    path = Path(path)
    if text is None:
        text = read_text(path)
    if "\x00" in text:
        raise ReadError(f"{path.name}: this is binary data, not text")
    readers = {".tex": "latex", ".ltx": "latex", ".latex": "latex", ".ipynb": "notebook"}
    kind = readers.get(path.suffix.lower(), "markdown")
    collector = Collector()
    if kind == "latex":
        read_latex(Source(str(path), text), collector)
    elif kind == "notebook":
        for source in markdown_cells(str(path), text):
            read_markdown(source, collector)
    else:
        read_markdown(Source(str(path), text), collector)
    return tuple(collector.items)


def read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE:
            raise ReadError(f"{path}: {path.stat().st_size:,} bytes, at most {MAX_FILE:,} are read")
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ReadError(f"{path}: this is not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise ReadError(f"{path}: {error.strerror or error}") from None


def markdown_cells(name: str, text: str) -> Iterator[Source]:
    """The markdown cells of a notebook, numbered among all cells from 1; nothing but the cells is asked for."""
    import json

    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        raise ReadError(f"{name}: not a notebook: this is no JSON") from None
    held = notebook if isinstance(notebook, dict) else {}
    sheets = held.get("worksheets") or [held]  # the cells of old notebooks stand in worksheets
    found = [c for sheet in sheets if isinstance(sheet, dict) and isinstance(c := sheet.get("cells"), list)]
    if not found:
        raise ReadError(f"{name}: not a notebook: it has no cells")
    for number, cell in enumerate((cell for cells in found for cell in cells), 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "markdown":
            source = cell.get("source", "")
            yield Source(name, "".join(map(str, source)) if isinstance(source, list) else str(source), number)
