"""What generated C may contain: made names, numbers and a fixed vocabulary.  Read before it reaches a compiler."""

from __future__ import annotations

import re

from ..code.source_check import UnsafeSource
from .assignments import FUNCTIONS, GENERATED, INFIX
from .c_epoch import LAYOUTS
from .c_functions import header

WORDS = frozenset({
    "INLINE", "INFINITY", "N", "T", "X", "blas", "const", "count", "else", "epoch", "f", "for", "g", "gemm", "i", "if",
    "int", "j", "k", "long", "memcpy", "numbers", "order", "p", "parameters", "real", "real_max", "restrict", "return",
    "s", "sizeof", "start", "struct", "void", "w", "x",
    *(f"{word}_{layout}" for word in ("epoch", "parameters", "step", "work", "workspace") for layout in LAYOUTS),
    *(f"real_{name}" for name in FUNCTIONS if name not in INFIX),
})  # fmt: skip
PRAGMA = re.compile(r"#pragma omp simd( reduction\((\+|max):r[0-9]+\))+")
TOKEN = re.compile(
    r"""\s+|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?|'[NT]'|->|[-+*/=<>!?:;,&(){}\[\]]"""
)


def check_c(source: str, dtype: str) -> None:
    """Raises UnsafeSource unless the source is the header of this type and then such text."""
    start = header(dtype)
    if not source.startswith(start):
        raise UnsafeSource("generated C does not begin with its header")
    for line in source[len(start) :].splitlines():
        if not PRAGMA.fullmatch(line):
            _check_line(line)


def _check_line(line: str) -> None:
    at = 0
    while at < len(line):
        found = TOKEN.match(line, at)
        if found is None:
            raise UnsafeSource(f"generated C contains {line[at : at + 10]!r}")
        word = found["word"]
        if word is not None and word not in WORDS and GENERATED.fullmatch(word) is None:
            raise UnsafeSource(f"generated C contains the name {word!r}")
        at = found.end()
