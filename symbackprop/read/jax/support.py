"""What of JAX is read, as a table.  python -m symbackprop.read.jax.support docs/jax-primitives.md"""

from __future__ import annotations

from ..documented import print_into, reasons
from . import jaxprs  # noqa: F401  it fills the table
from .registry import LAX


def table() -> str:
    exact = {m.name: f"restricted: {m.where}" if m.where else "exact" for m in LAX.meanings.values()}
    rows = [*reasons(exact), *((f"refused, since each {because}", names) for because, names in reasons(LAX.refused))]
    shown = "\n".join(f"| {names} | {text} |" for text, names in rows)
    return f"| primitives | read |\n|---|---|\n{shown}\n\nEvery other primitive is refused by name.\n"


if __name__ == "__main__":
    print_into("symbackprop.read.jax.support", table())
