"""Names for the values of a program: the user's, and d with them for gradients; numbers have none."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from symbackprop.core.indices import Size
from symbackprop.gradients.reverse import Reverse
from symbackprop.gradients.theorem import behind
from symbackprop.read.numpy import CONSTANT, INPUT, Node, SymInt, nodes_in

PLAIN = frozenset({"T", "arange", "matrix_transpose", "swapaxes", "getitem"})  # not worth a name of their own


class Naming:
    """`names` has what the user named, what is used more than once, the results and the arguments.

    `opposites` has, for v, a result -v that is computed in its stead.
    """

    def __init__(self, reverse: Reverse, results: Collection[Node], taken: Iterable[str]) -> None:
        self.nodes = behind(results)
        self.taken = set(taken)
        self.uses = uses(self.nodes, results)
        self.names: dict[Node, str] = {n: str(n.name) for n in self.nodes if n.operation == INPUT}
        self.gradient_of = {g: v for v, g in reverse.gradients.items() if isinstance(g, Node)}
        self.opposites: dict[Node, Node] = {}
        for n in self.gradient_of:
            if n.operation == "negative" and isinstance(v := n.args[0], Node) and self.is_temporary(v):
                self.opposites.setdefault(v, n)
        for backward in (False, True):
            for n in self.nodes:
                if n.backward is backward and n not in self.names and n not in self.opposites:
                    self.name(n)

    def is_temporary(self, n: Node) -> bool:
        own = n.operation in (INPUT, CONSTANT) or n in self.gradient_of or n.name
        return n.backward and n.dtype == "real" and not own

    def name(self, n: Node) -> None:
        if n in self.gradient_of:
            self.names[n] = self.fresh(f"d{self.gradient_of[n]}")
        elif is_constant(n, self.names):
            return
        elif n.name:
            self.names[n] = self.fresh(n.name)
        elif self.uses[n] > 1 and n.operation not in PLAIN:
            self.names[n] = self.fresh("u" if n.backward else "t")

    def fresh(self, name: str) -> str:
        free = (x for x in (name, f"grad_{name[1:]}" if name[0] == "d" and name[1:] else name) if self.is_free(x))
        found = next(free, None) or next(x for k in range(1, 10_000) if self.is_free(x := f"{name}{k}"))
        self.taken.add(found)
        return found

    def is_free(self, name: str) -> bool:
        return name not in self.taken and not keyword.iskeyword(name)


def result(reverse: Reverse, n: Node) -> str:
    """What an output without a name is called: L, where it is what is differentiated."""
    taken = {*reverse.declared, *(m.name for m in reverse.graph.nodes)}
    free = [x for x in ("Y", "Z", "R", "out") if x not in taken]
    return free[reverse.graph.outputs.index(n) % len(free)] if free and reverse.upstream else "L"


def uses(nodes: Iterable[Node], results: Iterable[Node]) -> dict[Node, int]:
    """How often each is written in the others and among the results, also inside what never has a name of its own."""
    count = dict.fromkeys(nodes, 0)
    for r in results:
        count[r] += 1
    for n in sorted(count, key=lambda n: -n.number):
        for p in written_in(n):
            count[p] += count[n] if n.operation in PLAIN and not n.name and n not in results else 1
    return count


def written_in(n: Node) -> list[Node]:
    return [*nodes_in(n.args), *nodes_in(n.options)]


def is_constant(x: Any, names: Mapping[Node, str]) -> bool:
    """A number that sizes and numbers give, and no name stands for."""
    if not isinstance(x, Node):
        return isinstance(x, int | float | SymInt | Size) and not isinstance(x, bool)
    if x in names or x.ndim or x.operation == INPUT or x.dtype == "bool":
        return False
    return x.operation == CONSTANT or (not x.options and all(is_constant(a, names) for a in x.args))
