"""Statements that are too long for a line, broken where a person would."""

from __future__ import annotations

import re

OPENS, CLOSES = "([{", ")]}"
FOUR = "    "


def rows(statement: str, width: int) -> list[str]:
    """`name = expression` in rows of at most this width where it can be broken at a sign or a comma."""
    if len(statement) <= width:
        return [statement]
    name, _, value = statement.partition(" = ")
    inner = outermost(value)
    if parts(value, "+-"):
        return [f"{name} = (", *indented(parts(value, "+-")), ")"]
    if inner is not None:
        start, end = inner
        inside = parts(value[start + 1 : end], "+-") or listed(value[start + 1 : end])
        if inside:
            return [f"{name} = {value[: start + 1]}", *indented(inside), value[end:]]
    if parts(value, "*/"):
        return [f"{name} = (", *indented(parts(value, "*/")), ")"]
    return [statement]


def indented(pieces: list[str]) -> list[str]:
    return [FOUR + p for p in pieces]


def depths(code: str) -> list[int]:
    """How many brackets are open at each character; those of a string count for nothing."""
    found, depth, quoted = [], 0, False
    for c in code:
        quoted ^= c == '"'
        depth -= not quoted and c in CLOSES
        found.append(depth + quoted * 100)
        depth += not quoted and c in OPENS
    return found


def parts(code: str, signs: str) -> list[str]:
    """Split before each of these operators outside all brackets; nothing where there is none."""
    depth = depths(code)
    cuts = [m.start() + 1 for m in re.finditer(r" [-+*/] ", code) if m[0].strip() in signs and not depth[m.start()]]
    return [code[a:b].rstrip() for a, b in zip([0, *cuts], [*cuts, None], strict=True)] if cuts else []


def listed(code: str) -> list[str]:
    """Split after each comma outside all brackets."""
    depth = depths(code)
    cuts = [k + 1 for k, c in enumerate(code) if c == "," and not depth[k]]
    return [code[a:b].strip() for a, b in zip([0, *cuts], [*cuts, None], strict=True)] if cuts else []


def outermost(code: str) -> tuple[int, int] | None:
    """The places of the longest pair of brackets that no other is around."""
    depth = depths(code)
    starts = [k for k, c in enumerate(code) if c in OPENS and not depth[k]]
    ends = [k for k, c in enumerate(code) if c in CLOSES and not depth[k]]
    return max(zip(starts, ends, strict=False), key=lambda p: p[1] - p[0], default=None)
