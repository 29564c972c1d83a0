"""Arrays given by their entries: (axes) -> body."""

from __future__ import annotations

from itertools import count

from .indices import Index, IndexExpr, Node, Size, affine, node, require, sized
from .terms import Array, Entry, Term, free, substitute


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


def named(array: Array | str, shape: tuple[Size | int | str, ...], letters: str = "ijklmnpqrs") -> Tensor:
    """The declared array itself, entry by entry."""
    array = Array(array) if isinstance(array, str) else array
    axes = tuple(Index(f"{letters[k]}", sized(s)) for k, s in enumerate(shape))
    return Tensor(axes, Entry(array, axes))


def fresh(like: str, size: Size, avoid: Term | tuple[Term, ...]) -> Index:
    """An index of this size whose name no free index of `avoid` has."""
    terms = avoid if isinstance(avoid, tuple) else (avoid,)
    taken = {i.name for t in terms for i in free(t)}
    name, k = like, 0
    while name in taken:
        k += 1
        name = f"{like}{k}"
    return Index(name, size)


def fresh_axes(sizes: tuple[Size, ...], avoid: Term) -> tuple[Index, ...]:
    """Different indices of these sizes, ~1, ~2, ..., that are not free in `avoid`."""
    taken = {i.name for i in free(avoid)}
    names = (name for k in count(1) if (name := f"~{k}") not in taken)
    return tuple(Index(next(names), size) for size in sizes)


__all__ = ["Tensor", "affine", "fresh", "fresh_axes", "named"]
