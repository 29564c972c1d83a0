"""What a reading depends on, as a key: content, not places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from hashlib import blake2b

from ..declared.symbols import Declarations
from ..files.place import Place
from ..inferred.above import Above
from .statements import Reading, Scope


class Fingerprints:
    """Keys of readings.  Parts that tables share are written once: they are known by their identity."""

    def __init__(self) -> None:
        self._written: dict[int, tuple[object, str]] = {}

    def __len__(self) -> int:
        return len(self._written)

    def of(self, reading: Reading) -> tuple[str, str]:
        """The key of the statement as it is written where it is, and that of its meaning, wherever it is written."""
        error = "" if reading.error is None else f"{reading.error.message}@{reading.error.span}"
        sides = written(reading.lhs), written(reading.rhs)
        meaning = digest(
            reading.kind, reading.relation, reading.note, error, *sides, self.parts(reading.declarations),
            reading.doubt, reading.introduced, str(reading.quantified), str(reading.also is None), *self.rivals(reading)
        )  # fmt: skip
        return digest(meaning, reading.left, str(reading.span), self.shared(reading.formula.text)), meaning

    def rivals(self, reading: Reading) -> Iterator[str]:
        """What else it may mean; the lines that the words name move with the text above."""
        for words, other in reading.rivals:
            yield re.sub(r"\d+", "", words)
            yield self.parts(other.declarations) if other.declarations is not reading.declarations else ""

    def scope(self, scope: Scope, above: Above) -> str:
        """What a section is read from: its text, what the author declared, what it takes from above."""
        first = scope.formulas[0] if scope.formulas else None
        display, row = (0, 0) if first is None else ((first.aligned or (0, 0))[0], first.row)
        out = [self.parts(scope.base), self.parts(above)]
        for f in scope.formulas:
            aligned = f.aligned and (f.aligned[0] - display, f.aligned[1])
            error = "" if f.error is None else f"{f.error.message}@{f.error.span}"
            where = f"{f.display} {f.struck} {aligned} {f.row and f.row - row}"
            out += [f.text, spaced(f.before), spaced(f.after), where, error]
        out += [f"{at} {spaced(text)}" for text, at in scope.prose if text.strip()]
        return digest(*out)

    def parts(self, value: Declarations | Above) -> str:
        return digest(*(f"{f.name}={self.part(getattr(value, f.name))}" for f in fields(value)))

    def part(self, value: object) -> str:
        match value:
            case Mapping():
                return ",".join(f"{k}:{self.shared(value[k])}" for k in sorted(value))
            case Declarations():
                return self.parts(value)
            case tuple():
                return ",".join(map(self.shared, value))
            case frozenset():
                return ",".join(sorted(map(str, value)))
            case _:
                return self.shared(value)

    def shared(self, value: object) -> str:
        if isinstance(value, str) or value is None:
            return f"{value!r}"
        if id(value) not in self._written:
            self._written[id(value)] = value, digest(written(value))
        return self._written[id(value)][1]


def spaced(text: str) -> str:
    return " ".join(text.split())


def written(value: object) -> str:
    """The content without places."""
    match value:
        case Place():
            return ""
        case tuple():
            return f"({','.join(map(written, value))})"
        case frozenset():
            return f"{{{','.join(sorted(map(written, value)))}}}"
        case Mapping():
            return f"{{{','.join(f'{k}:{written(value[k])}' for k in sorted(value))}}}"
        case _ if (names := compared(type(value))) is not None:
            return f"{type(value).__name__}({','.join([written(getattr(value, name)) for name in names])})"
        case _:
            return repr(value)


_COMPARED: dict[type, tuple[str, ...] | None] = {}


def compared(kind: type) -> tuple[str, ...] | None:
    if kind not in _COMPARED:
        _COMPARED[kind] = tuple(f.name for f in fields(kind) if f.compare) if is_dataclass(kind) else None
    return _COMPARED[kind]


def digest(*texts: str) -> str:
    return blake2b("\x00".join(texts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
