"""What of JAX is read, as a table: docs/jax-primitives.md is printed from the functions that do the reading.

python -m symbackprop.read.jax.support > docs/jax-primitives.md
"""

from __future__ import annotations

from . import evaluation  # noqa: F401  it fills the table
from .registry import PRIMITIVES, REFUSED

HEAD = """# What of JAX is read

Each primitive of a jaxpr, as the NumPy reader reads it ([jax.md](jax.md)).

| primitives | read |
|---|---|
"""
ORDER = ("exact", "restricted", "refused")
TAIL = """

Every other primitive is refused by name.
"""


def table() -> str:
    rows: dict[str, list[str]] = {}
    for name, reading in sorted(PRIMITIVES.items()):
        rows.setdefault(f"restricted: {reading.restricted}" if reading.restricted else "exact", []).append(name)
    for name, because in sorted(REFUSED.items()):
        rows.setdefault(f"refused, since each {because}", []).append(name)
    ordered = sorted(rows.items(), key=lambda row: (ORDER.index(row[0].split(":")[0].split(",")[0]), row[0]))
    return HEAD + "\n".join(f"| {', '.join(f'`{n}`' for n in names)} | {text} |" for text, names in ordered) + TAIL


if __name__ == "__main__":
    print(table(), end="")
