"""How people call a gradient after what it is the gradient of."""

from __future__ import annotations

import re
from collections.abc import Iterable

BEFORE = ("d", "grad", "g", "gradient", "nabla", "del", "delta", "dl", "dld", "dlossd", "djd", "dcostd", "dfd", "dyd",
          "dzd", "doutd")  # fmt: skip
AFTER = ("grad", "gradient", "g", "bar", "grads", "delta")
INPUT = ("dinputs", "dinput", "dx", "grad_input", "grad_inputs", "gradinput", "dprev", "grad_x", "d_input", "d_inputs")
CACHE = re.compile(r"cache|(?:^|_)(?:sav|ctx|context|resid|memo|tape|stor|interm|stash|state|hist|kept|bundle|packed)")
UPSTREAM = ("d", "g", "up", "err", "cot", "ct", "seed", "adj", "chain", "nxt", "next", "top", "incoming")
OUTPUT = ("output", "outputs", "out", "result", "results", "y", "a", "activation", "activations", "value", "probs")


def gradient_of(keys: Iterable[str], name: str) -> str | None:
    """The one among `keys` that is called like the gradient of `name`: exactly so spelt, or up to case and "_"."""
    known = list(keys)
    exact = [p + name for p in ("d", "d_", "grad_", "g_", "g")] + [name + s for s in ("_grad", "_g", "_gradient")]
    for key in exact:
        if key in known:
            return key
    n = plain(name)
    meant = {p + n for p in BEFORE} | {n + s for s in AFTER}
    found = [k for k in known if plain(k) in meant and k != name]
    return found[0] if found else None


def plain(name: str) -> str:
    return name.lower().replace("_", "").replace("/", "")


def is_cache(name: str) -> bool:
    return name in ("res", "mem", "aux", "fwd", "vals") or CACHE.search(name.lower()) is not None


def is_upstream(name: str) -> bool:
    return name.lower().lstrip("_").startswith(UPSTREAM)
