"""Which names to open so that two terms can be compared: few first, since what is closed need not be worked out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, arrays
from symbackprop.read.numpy import Node

from .reverse import Reverse
from .theorem import ancestors

Names = frozenset[Array]


class Openings:
    """For terms about the nodes of a graph."""

    def __init__(self, reverse: Reverse, definitions: Mapping[Array, Tensor]) -> None:
        self.reverse, self.definitions = reverse, definitions
        self.node = reverse.recorder.by_array
        self.ancestors: dict[Array, set[Node]] = {}
        self.adjoint_of: dict[Node, Node] = {}
        for s in reverse.steps:
            for to, g in ((s.node, s.adjoint), *s.into):
                if isinstance(g, Node):
                    self.adjoint_of.setdefault(g, to)

    def levels(self, left: Collection[Array], right: Collection[Array], other: Node | None) -> Iterator[Names]:
        """Nothing; what one side alone speaks of; the layer that is gone back through as well; everything."""
        yield Names()
        found = [Names(), self.balanced(left, right, Names(), meeting=True)]
        if found[1]:
            yield found[1]
        layer = self.layer(left, other)
        behind = ancestors([self.node[a] for a in (*left, *right) if a in self.node])
        backward = frozenset(n.array for n in behind if n.backward)
        for first in (Names(), layer, backward, layer | backward, frozenset(n.array for n in behind)):
            names = self.balanced(left, right, first)
            if names not in found:
                found.append(names)
                yield names

    def balanced(
        self, left: Collection[Array], right: Collection[Array], first: Names, meeting: bool = False
    ) -> Names:
        """`first`, and the latest name that one side alone has, until both speak of the same.

        For `meeting` not a name that the other side comes to: there it is the closest name which comes to it.
        """
        sides = [set(left), set(right)]
        names: set[Array] = set()
        while True:
            one_sided = (sides[0] ^ sides[1]) | (first & (sides[0] | sides[1]))
            known = [a for a in one_sided if a in self.definitions and a in self.node]
            if not known:
                return frozenset(names)
            latest = max(known, key=lambda a: self.node[a].number)
            if meeting:
                latest = self.coming_to(latest, sides[latest in sides[0]]) or latest
            names.add(latest)
            for side in sides:
                if latest in side:
                    side.remove(latest)
                    side |= arrays(self.definitions[latest].body)

    def coming_to(self, name: Array, names: Collection[Array]) -> Array | None:
        """The closest of the names whose meaning rests on this one."""
        node = self.node[name]
        later = (a for a in names if a in self.definitions and a in self.node and node in self.behind(a))
        return min(later, key=lambda a: self.node[a].number, default=None)

    def behind(self, name: Array) -> set[Node]:
        if name not in self.ancestors:
            self.ancestors[name] = ancestors([self.node[name]])
        return self.ancestors[name]

    def layer(self, left: Collection[Array], other: Node | None) -> Names:
        """The nodes of the forward between the one whose gradient this is, and those whose gradients are given."""
        start = None if other is None else self.adjoint_of.get(other)
        given = [self.node[a] for a in left if a in self.node]
        ends = {self.adjoint_of[n] for n in given if n in self.adjoint_of}
        before = ends | ancestors(ends)
        between = [n for n in before if n.named and (start is None or n is start or start in ancestors([n]))]
        return frozenset(n.array for n in between if n is not start)


__all__ = ["Openings"]
