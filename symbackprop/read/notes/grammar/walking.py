"""Walking and rebuilding syntax trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace

from ..files.place import Span
from .tree import Label, Name


def relabel(node: object, base: str, new: Label) -> object:
    """The tree with the layer letter `base` replaced by the label `new`."""
    if isinstance(node, Label):
        if node.base != base:
            return node
        return Label(new.base, new.shift + node.shift)
    return mapped(node, lambda child: relabel(child, base, new))


def respan(node: object, span: Span) -> object:
    """The tree with every span replaced: for a side that stands in another formula."""
    new = mapped(node, lambda child: respan(child, span))
    return replace(new, span=span) if is_dataclass(new) and not isinstance(new, (type, Label)) else new


def mapped(node: object, f: Callable[[object], object]) -> object:
    """The node with `f` applied to each child; the node itself when nothing changes."""
    if isinstance(node, tuple):
        children = tuple(f(child) for child in node)
        return node if all(a is b for a, b in zip(children, node, strict=True)) else children
    changed = {}
    for name in parts(type(node)) or ():
        value = getattr(node, name)
        if isinstance(value, tuple) or parts(type(value)) is not None:
            new = f(value)
            if new is not value:
                changed[name] = new
    return replace(node, **changed) if changed else node  # type: ignore[type-var]


def rewritten(node: object, f: Callable[[object], object | None]) -> object:
    """The tree with what f makes of its nodes, from above; where that is None, of their parts."""
    new = f(node)
    return mapped(node, lambda child: rewritten(child, f)) if new is None else new


def walk(node: object, closed: tuple[type, ...] = ()) -> Iterator[object]:
    """Every node of a tree, but for what is inside of those of the `closed` kinds."""
    stack = [node]
    while stack:
        here = stack.pop()
        if isinstance(here, tuple):
            stack.extend(here)
        elif (names := parts(type(here))) is not None:
            yield here
            stack.extend(() if isinstance(here, closed) else [getattr(here, name) for name in names])


def outside_scripts(node: object) -> Iterator[object]:
    """Every node, but for those in subscripts and superscripts of names."""
    return walk(node, (Name,))


_PARTS: dict[type, tuple[str, ...] | None] = {}


def parts(kind: type) -> tuple[str, ...] | None:
    """The fields of a node but its span; None for what is no node."""
    if kind not in _PARTS:
        _PARTS[kind] = tuple(f.name for f in fields(kind) if f.name != "span") if is_dataclass(kind) else None
    return _PARTS[kind]
