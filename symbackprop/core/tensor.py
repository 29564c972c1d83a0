"""Arrays given by their entries: (axes) -> body."""

from __future__ import annotations

from itertools import count

from .binding import free, open_body, substitute
from .indices import Index, IndexExpr, Node, Size, node, require
from .syntax import Sum, Term, Whole


@node
class Tensor(Node):
    """An array whose entry at `axes` is `body`; shape () has no axes and the body is the value.

    The axes are free in the body and private to the tensor: `at` renames them.
    """

    axes: tuple[Index, ...]
    body: Term

    @property
    def shape(self) -> tuple[Size, ...]:
        return tuple(i.size for i in self.axes)

    def at(self, *indices: IndexExpr) -> Term:
        """The entry at these index expressions (all replaced at once)."""
        require(len(indices) == len(self.axes), "{} indices are needed, not {}", len(self.axes), len(indices))
        return substitute(self.body, dict(zip(self.axes, indices, strict=True)))


def fresh_axes(sizes: tuple[Size, ...], avoid: Term) -> tuple[Index, ...]:
    """Different indices of these sizes, ~1, ~2, ..., that are not free in `avoid`."""
    taken = {i.name for i in free(avoid)}
    names = (name for k in count(1) if (name := f"~{k}") not in taken)
    return tuple(Index(next(names), size) for size in sizes)


def body_of(t: Sum | Whole) -> Term:
    """What it is a sum or a function of, the dummies called ~1, ~2, ..."""
    return open_body(t.body, fresh_axes((t.size,) if isinstance(t, Sum) else t.sizes, t.body))
