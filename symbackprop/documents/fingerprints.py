"""What a verdict depends on, as a key: the statement's text and the declarations in force, not its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from hashlib import blake2b

from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.files.place import Place
from symbackprop.read.notes.statements.statements import Reading


class Fingerprints:
    """Keys of readings.  Parts that tables share are written once: they are known by their identity."""

    def __init__(self) -> None:
        self._written: dict[int, tuple[object, str]] = {}
        self._tables: dict[int, tuple[Declarations, str]] = {}

    def of(self, reading: Reading) -> tuple[str, str]:
        """The key of the statement as it is written where it is, and that of its meaning, wherever it is written."""
        error = "" if reading.error is None else f"{reading.error.message}@{reading.error.span}"
        meaning = digest(
            "\x00".join(
                (
                    reading.kind, reading.relation, reading.note, error, written(reading.lhs), written(reading.rhs),
                    self.table(reading.declarations),
                )
            )
        )  # fmt: skip
        place = (meaning, reading.left, str(reading.span), self.shared(reading.formula.text))
        return digest("\x00".join(place)), meaning

    def table(self, d: Declarations) -> str:
        if id(d) not in self._tables:
            parts = [f"{f.name}={self.part(getattr(d, f.name))}" for f in fields(d)]
            self._tables[id(d)] = d, digest("\x01".join(parts))
        return self._tables[id(d)][1]

    def part(self, value: object) -> str:
        match value:
            case Mapping():
                return ",".join(f"{k}:{self.shared(value[k])}" for k in sorted(value))
            case tuple():
                return ",".join(map(self.shared, value))
            case frozenset():
                return ",".join(sorted(map(str, value)))
            case _:
                return self.shared(value)

    def shared(self, value: object) -> str:
        if id(value) not in self._written:
            self._written[id(value)] = value, digest(written(value))
        return self._written[id(value)][1]


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
        case _ if is_dataclass(value) and not isinstance(value, type):
            inner = (written(getattr(value, f.name)) for f in fields(value) if f.compare)
            return f"{type(value).__name__}({','.join(inner)})"
        case _:
            return repr(value)


def digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
