"""A definition said again with a name for what stands inside: a = f(W x + b), then z = W x + b and a = f(z)."""

from __future__ import annotations

from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import ProofError, Term, substitute

from ..declared.symbols import Declarations
from ..files.place import ReadError
from ..grammar.tree import Chain, Expr, Link, Symbol
from ..meaning.definitions import array_of, definition_of, plain, symbols
from ..meaning.written_out import TooLong, WrittenOut
from .claims import from_definition, machine


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
