"""What of PyTorch is read, as a table.  python -m symbackprop.read.torch.support docs/torch.md"""

from __future__ import annotations

from collections.abc import Iterator

from ..documented import print_into, reasons
from . import meanings  # noqa: F401  they fill the table
from .registry import ATEN
from .standins import REWRITTEN


def table() -> str:
    return "\n".join(sections()) + "\n"


def sections() -> Iterator[str]:
    for title in sorted({m.section for m in ATEN.meanings.values()}):
        rows = sorted((m for m in ATEN.meanings.values() if m.section == title), key=lambda m: m.name)
        yield f"## {title}\n"
        if plain := [f"`{m.name}`" for m in rows if not m.where]:
            yield f"Exact: {', '.join(plain)}.\n"
        if restricted := [f"| `{m.name}` | {m.where} |" for m in rows if m.where]:
            yield from ("| operation | restricted |\n|---|---|", *restricted, "")
    yield "## Refused\n"
    for because, names in reasons(ATEN.refused):
        yield f"Each {because}: {names}.\n"
    rewritten = ", ".join(f"`{name}`" for name in sorted({name for _, name in REWRITTEN}))
    yield f"Written with other operations before PyTorch asks for plain sizes: {rewritten}."


if __name__ == "__main__":
    print_into("symbackprop.read.torch.support", table())
