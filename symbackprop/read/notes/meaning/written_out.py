"""A definition said again with a name for what stands inside: a = f(W x + b), then z = W x + b and a = f(z)."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Diff, Entry, ProofError, Term, Whole, map_opened, substitute
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.files.place import ReadError
from symbackprop.read.notes.grammar.tree import Chain, Expr, Link, Symbol
from symbackprop.read.notes.statements.claims import from_definition, machine

from .definitions import array_of, definition_of, plain, symbols


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
            chain, inner = definition_of(s, decl), array_of(s, decl)
            if chain is not None and inner is not None:
                meanings[e.array(s)] = from_definition(e, s, inner, chain)
        other = written_out(substitute(after.body, dict(zip(after.axes, before.axes, strict=True))), meanings)
        return before.shape == after.shape and before.body == other
    except (ReadError, ProofError, RecursionError, ValueError):
        return False


def written_out(t: Term, meanings: Mapping[Array, Tensor]) -> Term:
    """With definitions put in; entries under abstract functions of whole arrays stay as they are."""
    match t:
        case Entry(array, at) if array in meanings:
            found = meanings[array]
            return written_out(substitute(found.body, dict(zip(found.axes, at, strict=True))), meanings)
        case Whole() | Diff():
            return t
        case _:
            return map_opened(t, lambda s: written_out(s, meanings))
