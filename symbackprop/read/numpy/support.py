"""What of NumPy is read, as a table: docs/numpy.md is printed from the functions that do the reading.

python -m symbackprop.read.numpy.support > docs/numpy.md
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from . import modules  # noqa: F401  it fills the tables
from .context import HOMES, INERT, METHODS, REFUSED, SUPPORTED, Supported, call_names, parameters

HEAD = """# What of NumPy is read

A function of yours is run on arrays of symbolic shape. NumPy is the specification: what is read means what NumPy
computes, for all sizes from 1 on and all real entries; what is not modelled is refused, and the verdict is `unknown`
with the line of your file.

Numbers are real: there is no rounding, no overflow of floats, and no sign of zero; nan and infinities have no value
(-inf only where an exponential makes it 0). Whole numbers have 64 bits: powers and products that outgrow them for some
sizes are refused, and so is arithmetic in narrower integers, which may wrap around. A mask constant of -10000 or less
inside an exponential is read as -inf, and the verdict says so. Sizes are no keys of dicts or sets and no texts.

`np.c_[...]` and `np.r_[...]` join arrays, numbers and ranges; a text in the brackets is refused. `int()`, `round()`,
`math.floor()` and their like cut numbers that are polynomials in sizes, where they are cut alike for all sizes.
Places that depend on the order of the data (`argmax`, `argsort`) are whole numbers: to index with, to compare, to add;
where the order changes is a kink of the forward.

In the tables an argument without a remark is exact. An argument that is not named is *refused*, unless it is given as
NumPy's default. These make no difference to the numbers: {inert}.
"""


def table() -> str:
    return "\n".join([HEAD.format(inert=", ".join(f"`{k}`" for k in sorted(INERT) if INERT[k])), *sections()]) + "\n"


def sections() -> Iterator[str]:
    for _, home in HOMES:
        rows = sorted((s for s in SUPPORTED.values() if s.home == home), key=lambda s: s.name)
        if rows:
            yield f"## {home}\n\n| function | arguments | refused | restricted |\n|---|---|---|---|"
            yield from map(row, rows)
            yield ""
        refused: dict[str, list[str]] = {}
        for (where, name), because in REFUSED.items():
            if where == home:
                refused.setdefault(because, []).append(name)
        for because, names in refused.items():
            yield f"Refused, since each {because}: {', '.join(f'`{n}`' for n in sorted(names))}.\n"
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
    print(table(), end="")
