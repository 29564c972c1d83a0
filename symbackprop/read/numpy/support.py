"""What of NumPy is read, as a table.  python -m symbackprop.read.numpy.support docs/numpy.md"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from ..documented import print_into, reasons
from . import modules  # noqa: F401  it fills the tables
from .context import HOMES, INERT, METHODS, REFUSED, SUPPORTED, Supported, call_names, parameters


def table() -> str:
    return "\n".join(sections()) + "\n"


def sections() -> Iterator[str]:
    inert = ", ".join(f"`{k}`" for k in sorted(INERT) if INERT[k])
    yield f"These arguments make no difference to the numbers: {inert}.\n"
    for _, home in HOMES:
        rows = sorted((s for s in SUPPORTED.values() if s.home == home), key=lambda s: s.name)
        if rows:
            yield f"## {home}\n\n| function | arguments | refused | restricted |\n|---|---|---|---|"
            yield from map(row, rows)
            yield ""
        for because, names in reasons({name: because for (where, name), because in REFUSED.items() if where == home}):
            yield f"Refused, since each {because}: {names}.\n"
    yield "Every other function runs on plain values only.\n"
    methods = sorted(n for n, f in METHODS.items() if ("numpy", f) in SUPPORTED)
    yield f"Methods of arrays: {', '.join(f'`.{n}`' for n in methods)}."


def row(s: Supported) -> str:
    own = list(inspect.signature(s.run).parameters.values())
    real = parameters(s.home, s.name)
    several = any(p.kind is p.VAR_POSITIONAL for p in own)
    renamed = {} if several else call_names(s.home, s.name, tuple(p.name for p in own))[1]
    theirs = {ours: name for name, ours in renamed.items()}
    shown = ", ".join(("*" if p.kind is p.VAR_POSITIONAL else "") + theirs.get(p.name, p.name) for p in own)
    taken = {p.name for p in own} | set(theirs.values()) | INERT.keys()
    named = [p.name for p in real.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    refused = [n for n in named if n not in taken]
    remarks = [*([s.where] if s.where else []), *(f"{k}: {text}" for k, text in s.arguments.items())]
    return f"| `{s.name}` | {shown} | {', '.join(refused)} | {'; '.join(remarks)} |"


if __name__ == "__main__":
    print_into("symbackprop.read.numpy.support", table())
