"""What a line of a program computes, entry by entry, in the names of the program."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.core.terms import Array, Entry, Index, Term
from symbackprop.derive.meanings import with_entries
from symbackprop.prove.tidying import Tidy
from symbackprop.read.numpy import UNIT, ZERO_AT, Node
from symbackprop.write.paper.array_text import ArrayText

LONG = 108


class Equations:
    """`names` are the variables of the program; other nodes are opened."""

    def __init__(self, names: Mapping[Node, str]) -> None:
        self.names = names

    def of(self, n: Node) -> str:
        """`dW[i,j] = Σ_k x[k,i] dz[k,j]`, or nothing where that is too long to help."""
        axes = tuple(Index(f"axis {k}", s) for k, s in enumerate(n.shape))
        kept = tuple(i for i in axes if i.size != UNIT)
        if n.meaning is None:
            return ""
        body = Tidy()(self.shown(n.entries.at(*(ZERO_AT if i.size == UNIT else i for i in axes)), n))
        writer = ArrayText(body, kept)
        at = ",".join(writer.letters[i] for i in kept)
        code = f"{self.names[n]}{f'[{at}]' if at else ''} = {writer.written(body)}"
        return code if len(code) <= LONG else ""

    def shown(self, t: Term, about: Node) -> Term:
        """In the names of the program, with what has none opened."""
        by_array = {n.array: n for n in ancestors(about)}

        def entry(x: Entry) -> Term | None:
            if x.array not in by_array:
                return None
            n = by_array[x.array]
            if n in self.names:
                return Entry(Array(self.names[n]), tuple(e for e, s in zip(x.at, n.shape, strict=True) if s != UNIT))
            return self.shown(n.entries.at(*x.at), about) if n.meaning is not None else None

        return with_entries(t, entry)


def ancestors(n: Node) -> set[Node]:
    found: set[Node] = set()
    todo = [n]
    while todo:
        m = todo.pop()
        for p in m.parents:
            if p not in found:
                found.add(p)
                todo.append(p)
    return found
