"""Indices: the range of each, from its declaration, its sum, the axes it stands on; mistakes seen before a proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from symbackprop.core.terms import Size, sized

from ..declared.sizes import Sizes
from ..declared.symbols import Declarations
from ..files.place import ReadError, Span, Unsettled
from ..grammar.tree import (
    Add, Derivative, Entry, Expr, IndexName, Kronecker, Label, Neg, Num, Product, Quotient, Sum, Symbol,
)  # fmt: skip
from ..grammar.walking import children, made_of, walk

Key = tuple[int, str]
"""The binder (its id; 0 for a free index) and the name."""

AxesOf = Callable[[Expr, int], tuple[Size, ...] | None]


@dataclass(slots=True)
class Ranges:
    """Collects what each index stands on; `at` then gives its size."""

    sizes: Sizes
    axes_of: AxesOf
    found: dict[Key, Size] = field(default_factory=dict)
    pairs: list[tuple[Key, Key]] = field(default_factory=list)
    used: set[Key] = field(default_factory=set)
    free: set[str] = field(default_factory=set)
    sample_sizes: set[Size] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)

    def collect(self, nodes: list[Expr]) -> None:
        for node in nodes:
            self.visit(node, {})
        self.spread()
        self.any_size()
        self.spread()  # to the dummies that are compared with those: Σ_k δ_ik δ_kj

    def spread(self) -> None:
        changed = True
        while changed:
            changed = False
            for a, b in self.pairs:
                for x, y in ((a, b), (b, a)):
                    if x in self.found and y not in self.found:
                        self.found[y], changed = self.found[x], True

    def any_size(self) -> None:
        """A free index on no axis (δ_ij alone) runs over a range of any size, shared with what it is compared to."""
        group = {name: name for name in self.free}
        for (p, a), (q, b) in self.pairs:
            if p == q == 0 and a in group and b in group:
                low, high = sorted((group[a], group[b]))
                group = {k: low if v == high else v for k, v in group.items()}
        for name, root in group.items():
            if name not in self.sizes.decl.layers:
                said = self.sizes.decl.indices.get(name.rstrip("'"))
                size = self.sizes.size(said.size) if said is not None and said.size is not None else None
                self.found.setdefault((0, name), size if size is not None else sized(f"range of {root}"))

    def key(self, name: str, scope: dict[str, int]) -> Key:
        key = (scope.get(name, 0), name)
        self.used.add(key)
        if key[0] == 0:
            self.free.add(name)
        return key

    def assign(self, key: Key, size: Size, span: Span) -> None:
        known = self.found.setdefault(key, size)
        if known != size:
            message = f"the index {key[1]} runs over {known} values elsewhere, but this axis has {size}"
            fresh = self.sizes.decl.fresh & {*known.symbols, *size.symbols}
            raise (Unsettled if fresh or (known - size).constant is not None else ReadError)(message, span)

    def visit(self, node: object, scope: dict[str, int]) -> None:
        match node:
            case Sum(binders, body):
                inner = dict(scope)
                for b in binders:
                    inner[b.name] = id(node)
                    self.bound.add(b.name)
                    declared = self.sizes.decl.indices.get(b.name.rstrip("'"))
                    if b.high is not None:
                        size = self.sizes.size(b.high)
                        low = b.low
                        if isinstance(low, Num) and low.value == 0:
                            size = size + 1
                        elif low is not None and not (isinstance(low, Num) and low.value == 1):
                            raise ReadError("a sum begins at 1", low.span)
                        self.found[(id(node), b.name)] = size
                    elif declared is not None and declared.size is not None:
                        self.found[(id(node), b.name)] = self.sizes.size(declared.size)
                self.visit(body, inner)
                for b in binders:
                    if (id(node), b.name) not in self.used and (b.high is None or not counts(body)):
                        raise ReadError(f"the index {b.name} of this sum does not occur under it", b.span)
            case Entry(base, at):
                self.visit(base, scope)
                self.visit(at, scope)
                axes = self.axes_of(base, len(at))
                if axes is not None and len(axes) == len(at):
                    for i, size in zip(at, axes, strict=True):
                        if isinstance(i, IndexName):
                            self.assign(self.key(i.name, scope), size, i.span)
            case Kronecker(i, j):
                self.visit((i, j), scope)
                names = [n for n in (i, j) if isinstance(n, IndexName)]
                if len(names) == 2:
                    self.pairs.append((self.key(names[0].name, scope), self.key(names[1].name, scope)))
            case IndexName(name, _):
                if name not in self.sizes.decl.layers or name in scope:
                    key = self.key(name, scope)
                    declared = self.sizes.decl.indices.get(name.rstrip("'"))
                    if key[0] == 0 and declared is not None and declared.size is not None and not declared.summed:
                        self.found.setdefault(key, self.sizes.size(declared.size))
            case Symbol(sample=Label(str() as base)) if base not in self.sizes.decl.sizes:
                key = self.key(base, scope)
                if key in self.found:
                    self.sample_sizes.add(self.found[key])
                axes = self.axes_of(node, -1)
                if axes is not None:
                    self.assign(key, axes[0], node.span)
            case _:
                for child in children(node):
                    self.visit(child, scope)

    def at(self, binder: int, name: str, span: Span) -> Size:
        size = self.found.get((binder, name))
        if size is None:
            raise Unsettled(
                f"the range of {name} is not known: it stands on no axis, and no size is declared for it", span
            )
        return size


def counts(node: Expr) -> bool:
    """A number, of which a sum may well be taken: Σ_{i=1}^n 1/n."""
    return isinstance(node, Num) or (
        isinstance(node, Quotient) and isinstance(node.top, Num) and isinstance(node.bottom, Num | Symbol)
    )


# --- mistakes that are seen before anything is proved ---


Places = dict[str, Span]


class OneSided(ReadError):
    """What is differentiated by has an index that the other side does not have: the value may be alike for all."""


def lint(lhs: Expr, rhs: Expr, decl: Declarations, alike: bool = False) -> None:
    """Refuse: an index free on one side only, an index free and summed, a sum whose index does not occur under it.

    With `alike` a derivative by h_{tc} may have a value without t.
    """
    left, left_bound = indices(lhs, decl)
    right, right_bound = indices(rhs, decl)
    bound = {**left_bound, **right_bound}
    for name, span in {**left, **right}.items():
        if name in bound:
            raise ReadError(f"the index {name} is free here and summed elsewhere in the same equation", span)
    for here, there, side in ((left, right, "left"), (right, left, "right")):
        other = rhs if here is left else lhs
        for name, span in here.items():
            if name not in there and not constant(other, decl) and not (side == "left" and may_be_alike(lhs, name)):
                by = side == "left" and isinstance(lhs, Derivative)
                if not (by and alike):
                    kind = OneSided if by else Unsettled if name in decl.sizes else ReadError  # o_T, where Σ_{t=1}^T
                    raise kind(f"the index {name} is free on the {side} side only", span)


def may_be_alike(node: Expr, name: str) -> bool:
    """∂a_j/∂w_{ji}, ∂x_i/∂μ: the value may well be the same for all values of an index of what is differentiated."""
    match node:
        case Derivative(body, _):
            return any(isinstance(n, IndexName) and n.name == name for n in walk(body))
        case _:
            return False


def constant(node: Expr, decl: Declarations) -> bool:
    """Made of numbers and sizes: the same for every index (∂μ/∂x_j = 1/D)."""

    def leaf(n: object) -> bool:
        match n:
            case Symbol(name, label):
                sizes, arrays = (decl.sizes, decl.arrays) if label is None else (decl.layered_sizes, decl.layered)
                return name in sizes and name not in arrays
            case IndexName(name):
                return name in decl.layers
        return isinstance(n, Num)

    return made_of(node, leaf, Neg, Add, Product, Quotient)


def indices(node: Expr, decl: Declarations) -> tuple[Places, Places]:
    """The free and the bound indices of an expression, with a place of each."""
    free: Places = {}
    bound: Places = {}

    def visit(n: object, scope: frozenset[str]) -> None:
        if isinstance(n, Sum):
            names = {b.name for b in n.binders}
            for b in n.binders:
                if b.name in scope:
                    raise ReadError(f"the index {b.name} is summed twice, one sum inside the other", b.span)
                bound.setdefault(b.name, b.span)
                visit((b.low, b.high), scope)
            visit(n.body, scope | names)
        elif axes := makes_array(n, decl):
            visit(cast(Entry, n).base, scope | axes)
        elif isinstance(n, IndexName):
            if n.name not in scope and n.name not in decl.layers:
                free.setdefault(n.name, n.span)
        elif isinstance(n, Symbol):
            if n.sample is not None and n.sample.base in decl.indices.keys() - scope:
                free.setdefault(str(n.sample.base), n.span)
        else:
            for child in children(n):
                visit(child, scope)

    visit(node, frozenset())
    return free, bound


def makes_array(node: object, decl: Declarations) -> frozenset[str]:
    """The indices that [∂y_i/∂z_j]_{ij} makes axes of: it is a matrix."""
    if not isinstance(node, Entry) or isinstance(node.base, Symbol):
        return frozenset()
    inside, _ = indices(node.base, decl)
    names = [a.name for a in node.at if isinstance(a, IndexName)]
    distinct = len(set(names)) == len(names)
    return frozenset(names) if len(names) in (1, 2) and distinct and all(n in inside for n in names) else frozenset()


def consistent(lhs: Expr, rhs: Expr, decl: Declarations) -> bool:
    """No mistake with indices is seen."""
    try:
        lint(lhs, rhs, decl)
    except ReadError:
        return False
    return True
