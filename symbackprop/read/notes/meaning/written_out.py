"""Terms with their definitions put in: which conditions exclude no more than a null set; a definition said again with
a name for what stands inside: a = f(W x + b), then z = W x + b and a = f(z)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.core.indices import Index
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    Array,
    Entry,
    Holds,
    Nonzero,
    Positive,
    Predicate,
    ProofError,
    Sum,
    Term,
    arguments,
    open_body,
    over,
    rebuilt,
    substitute,
)
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.files.place import ReadError
from symbackprop.read.notes.grammar.tree import Chain, Expr, Link, Symbol
from symbackprop.read.notes.statements.claims import from_definition, machine

from .definitions import array_of, definition_of, plain, symbols

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


def finer(symbol: Symbol, lhs: Expr, rhs: Expr, known: Chain, decl: Declarations) -> bool:
    """symbol = rhs says what the known definition says, by way of arrays that the known one does not mention."""
    inside = set(symbols(known.links[0].rhs))
    through = {s for s in symbols(rhs) if s not in inside and definition_of(s, decl) is not None}
    array = array_of(plain(symbol), decl)
    if not through or array is None:
        return False
    again = Chain((lhs,), (Link("=", rhs, rhs.span),), lhs.span)
    try:
        e = machine(decl, [], "")
        before, after = (from_definition(e, plain(symbol), array, c) for c in (known, again))
        meanings = {}
        for s in through:
            chain, other = definition_of(s, decl), array_of(s, decl)
            if chain is not None and other is not None:
                meanings[e.array(s)] = from_definition(e, s, other, chain)
        return same(before, Tensor(after.axes, WrittenOut(meanings).term(after.body)))
    except (ReadError, ProofError, TooLong, RecursionError):
        return False


def same(a: Tensor, b: Tensor) -> bool:
    """Equal as they are written, up to the letters."""
    if a.shape != b.shape:
        return False
    other: Term = substitute(b.body, dict(zip(b.axes, a.axes, strict=True)))
    return a.body == other
