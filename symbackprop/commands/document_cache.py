"""Answers that are remembered between runs, by the content of a document and the program that gave them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from symbackprop import __version__
from symbackprop.core.terms import SymbackpropError
from symbackprop.decide.outcomes import Checked
from symbackprop.files import write_atomically
from symbackprop.read.notes.files.sources import collected

ENDINGS = (".md", ".markdown", ".tex", ".ipynb")


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was checked: what is printed, the statements as JSON, whether something is wrong or open.

    `statements` is empty for one that was remembered: then no proofs are at hand.
    """

    path: str
    report: str
    rows: tuple[dict[str, Any], ...]
    wrong: bool
    open: bool
    statements: list[Checked] = field(default_factory=list)


def documents_in(name: str) -> list[str]:
    """The documents of a folder, in order, without those that others read by \\input; a file is itself."""
    folder = Path(name)
    if not folder.is_dir():
        return [name]
    hidden = (p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
    found = sorted(p for p in hidden if not any(part.startswith(".") for part in p.relative_to(folder).parts))
    if not found:
        raise SymbackpropError(f"{name}: no documents ({', '.join(ENDINGS)}) are in this folder")
    parts: set[Path] = set()
    for p in found:
        if p.suffix.lower() == ".tex":
            try:
                parts |= {q.resolve() for q in collected(p)[1]}
            except SymbackpropError:  # said when it is checked
                continue
    return [str(p) for p in found if p.resolve() not in parts]


@dataclass(frozen=True, slots=True)
class Folder:
    """One file for each document, replaced as a whole; what was written by another version is not looked at."""

    path: Path
    options: tuple[object, ...]

    def find(self, document: str) -> Document | None:
        try:
            kept = json.loads(self.file(document).read_text(encoding="utf-8"))
            if kept["key"] != self.key(document):
                return None
            return Document(document, kept["report"], tuple(kept["rows"]), kept["wrong"], kept["open"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, document: Document) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        kept = {"key": self.key(document.path), "report": document.report, "rows": document.rows,
                "wrong": document.wrong, "open": document.open}  # fmt: skip
        write_atomically(self.file(document.path), json.dumps(kept, ensure_ascii=False))

    def file(self, document: str) -> Path:
        named = blake2b(f"{document} {self.options}".encode(), digest_size=8).hexdigest()
        return self.path / f"{Path(document).stem}-{named}.json"

    def key(self, document: str) -> str:
        digest = blake2b(f"{program()} {document}".encode(), digest_size=16)
        for path in (Path(document), *collected(document)[1]):
            digest.update(path.read_bytes() if path.is_file() else b"\x00")
        return digest.hexdigest()


@cache
def program() -> str:
    """The version and, for a program that is being worked on, its files."""
    digest = blake2b(__version__.encode(), digest_size=16)
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
