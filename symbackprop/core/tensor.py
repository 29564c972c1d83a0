"""Arrays given by their entries: (axes) -> body."""

from __future__ import annotations

from .indices import Index, IndexExpr, Node, Size, node, require
from .substitution import substitute
from .syntax import Term


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
