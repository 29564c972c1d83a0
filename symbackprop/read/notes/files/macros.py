r"""User macros: \newcommand, \renewcommand, \providecommand, \def, \DeclareMathOperator, expanded before lexing.

Each character of the result remembers the offset it came from, so messages point at what the author wrote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..grammar.lexer import MAX_BYTES
from .place import ReadError

MAX_PASSES: Final = 20
_DEFINITION = re.compile(
    r"\\(?:(?P<new>newcommand|renewcommand|providecommand|DeclareRobustCommand)\*?\s*(?:\{\s*\\(?P<a>[A-Za-z]+)\s*\}|\\(?P<b>[A-Za-z]+))"
    r"\s*(?:\[(?P<count>[0-9])\])?\s*(?:\[(?P<default>[^\]]*)\])?\s*(?=\{)"
    r"|def\s*\\(?P<c>[A-Za-z]+)(?P<params>(?:\#[1-9])*)\s*(?=\{)"
    r"|DeclareMathOperator(?P<star>\*?)\s*\{?\s*\\(?P<d>[A-Za-z]+)\s*\}?\s*(?=\{))"
)
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_PARAMETER = re.compile(r"#([1-9])")


@dataclass(frozen=True, slots=True)
class Macro:
    arguments: int
    default: str | None
    body: str


def braced(text: str, start: int) -> int | None:
    """Past the } that closes the { at `start`; None when it is not closed."""
    depth, k = 0, start
    for m in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start):
        if m.group() == "{":
            depth += 1
        elif m.group() == "}":
            depth -= 1
            if depth == 0:
                k = m.end()
                return k
    return None


def collect(text: str, macros: dict[str, Macro]) -> list[tuple[int, int]]:
    """Add the definitions in `text` to `macros`; returns where they stand."""
    spans: list[tuple[int, int]] = []
    at = 0
    while (m := _DEFINITION.search(text, at)) is not None:
        end = braced(text, m.end())
        if end is None:
            break
        body = text[m.end() + 1 : end - 1]
        name = m["a"] or m["b"] or m["c"] or m["d"]
        if m["d"]:
            macros[name] = Macro(0, None, f"\\operatorname{{{body}}}")
        else:
            count = int(m["count"]) if m["count"] else len(m["params"] or "") // 2
            macros[name] = Macro(count, m["default"], body)
        spans.append((m.start(), end))
        at = end
    return spans


def expand(text: str, offsets: Sequence[int], macros: dict[str, Macro]) -> tuple[str, list[int]]:
    """`text` without user macros, and the offset of each character.  Refuses macros that expand without end."""
    out = list(offsets)
    for _ in range(MAX_PASSES):
        new = _once(text, out, macros)
        if new is None:
            return text, out
        text, out = new
        if len(text) > MAX_BYTES:
            raise ReadError(f"macros make this formula longer than {MAX_BYTES:,} characters")
    raise ReadError("these macros expand without end")


def _once(text: str, offsets: list[int], macros: dict[str, Macro]) -> tuple[str, list[int]] | None:
    pieces: list[str] = []
    places: list[int] = []
    changed, at = False, 0

    def put(piece: str, where: Sequence[int]) -> None:
        if piece and piece[0].isalpha() and pieces and re.search(r"\\[A-Za-z]+\Z", pieces[-1]):
            pieces.append(" ")
            places.append(places[-1])
        if piece:
            pieces.append(piece)
            places.extend(where)

    for m in _COMMAND.finditer(text):
        macro = macros.get(m[1])
        if macro is None or m.start() < at:
            continue
        put(text[at : m.start()], offsets[at : m.start()])
        changed = True
        args, at = _arguments(text, m.end(), macro, m.start())
        call, last = offsets[m.start()], 0
        for p in _PARAMETER.finditer(macro.body):
            put(macro.body[last : p.start()], [call] * (p.start() - last))
            k = int(p[1]) - 1
            if k < len(args):
                start, end = args[k]
                if start < 0 and macro.default is not None:
                    put(macro.default, [call] * len(macro.default))
                else:
                    put(text[start:end], offsets[start:end])
            last = p.end()
        put(macro.body[last:], [call] * (len(macro.body) - last))
        if sum(map(len, pieces[-3:])) > MAX_BYTES or len(places) > 4 * MAX_BYTES:
            raise ReadError(f"macros make this formula longer than {MAX_BYTES:,} characters", (m.start(), m.end()))
    if not changed:
        return None
    put(text[at:], offsets[at:])
    return "".join(pieces), places


def _arguments(text: str, at: int, macro: Macro, start: int) -> tuple[list[tuple[int, int]], int]:
    """Where the arguments behind a macro stand, (-1, -1) for a default, and where reading goes on."""
    out: list[tuple[int, int]] = []
    for k in range(macro.arguments):
        m = re.compile(r"\s*").match(text, at)
        here = m.end() if m else at
        if k == 0 and macro.default is not None:
            option = re.compile(r"\[([^\]]*)\]").match(text, here)
            out.append((option.start(1), option.end(1)) if option else (-1, -1))
            at = option.end() if option else at
            continue
        if here >= len(text):
            raise ReadError(f"this macro takes {macro.arguments} arguments", (start, here))
        if text[here] == "{":
            end = braced(text, here)
            if end is None:
                raise ReadError("the argument of this macro is not closed", (start, here + 1))
            out.append((here + 1, end - 1))
        else:
            one = _COMMAND.match(text, here)
            end = one.end() if one else here + 1
            out.append((here, end))
        at = end
    return out, at
