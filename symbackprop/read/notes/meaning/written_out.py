"""Terms with their definitions put in, so that it can be seen which conditions exclude no more than a null set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.core.indices import Index
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import (
    Array,
    Entry,
    Holds,
    Nonzero,
    Positive,
    Predicate,
    Sum,
    Term,
    arguments,
    open_body,
    over,
    rebuilt,
    substitute,
)

MAX_NODES = 2_000


class TooLong(Exception):
    pass


@dataclass(slots=True)
class WrittenOut:
    """Puts definitions in; entries under abstract functions of whole arrays stay as they are."""

    definitions: Mapping[Array, Tensor]
    count: int = 0

    def predicate(self, p: Predicate) -> Predicate | None:
        """The condition about variables; None where it grows too long, or says the same."""
        try:
            match p:
                case Nonzero(t) if (new := self.term(t)) != t:
                    return Nonzero(new)
                case Positive(t) if (new := self.term(t)) != t:
                    return Positive(new)
        except TooLong:
            pass
        return None

    def tensor(self, t: Tensor) -> Tensor | None:
        try:
            return Tensor(t.axes, self.term(t.body))
        except TooLong:
            return None

    def term(self, t: Term) -> Term:
        self.count += 1
        if self.count > MAX_NODES:
            raise TooLong
        match t:
            case Entry(array, at) if array in self.definitions:
                meaning = self.definitions[array]
                return self.term(substitute(meaning.body, dict(zip(meaning.axes, at, strict=True))))
            case Sum(size, body, _):
                i = Index(f"~out{self.count}", size)
                return over(i, self.term(open_body(body, (i,))))
            case Holds(Positive()):
                return rebuilt(t, tuple(map(self.term, arguments(t))))
            case _:
                args = arguments(t)
                return rebuilt(t, tuple(map(self.term, args))) if args else t
