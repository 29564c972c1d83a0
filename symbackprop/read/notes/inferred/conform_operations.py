"""The shapes that operations give, with unknown sizes unified."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ..declared.symbols import Declarations
from ..grammar.tree import Expr, Function, Identity, IndexName, Neg, Num, Power, Product, Sum, Symbol
from ..grammar.walking import walk

SizeName: TypeAlias = "str | int"
Axes: TypeAlias = tuple[SizeName, ...]
"""Rows and columns; of ∂v/∂W the entries of v, the rows and columns of W."""
Found: TypeAlias = "Axes | None"
UNIT, LONE = 1, (1, 1)
ANY = None
"""The shape of 𝟏, I and 0: it fits."""

BROADCAST, POWER, ELEMENTWISE, NUMBER_PLUS = 1.2, 2.5, 0.2, 0.3
LOOSE, DIVIDE, NORM_OF_NUMBER, MANY_AXES = 2.0, 1.0, 1.5, 2.0
BY_NUMBER = 0.8
"""An array by a number: the letters may all be numbers."""

_SQUARES = frozenset(("tr", "det", "inv"))
_NUMBERS = frozenset(("sum", "mean", "max", "min", "logsumexp", "norm"))


class Misfit(Exception):
    """Two shapes that do not go together."""


@dataclass(slots=True)
class Unifier:
    parent: dict[SizeName, SizeName] = field(default_factory=dict)

    def find(self, s: SizeName) -> SizeName:
        while s in self.parent:
            s = self.parent[s]
        return s

    def same(self, a: SizeName, b: SizeName) -> bool:
        a, b = self.find(a), self.find(b)
        if a == b:
            return True
        if unknown(a) and b != UNIT:
            self.parent[a] = b
        elif unknown(b) and a != UNIT:
            self.parent[b] = a
        else:
            return False
        return True

    def copy(self) -> Unifier:
        return Unifier(dict(self.parent))


def unknown(s: SizeName) -> bool:
    return isinstance(s, str) and ("." in s or s.startswith("#"))


def unbound_indices(node: Expr) -> set[str]:
    """Index names that no sum in the tree binds."""
    out: set[str] = set()
    for n in walk(node, (Sum,)):
        if isinstance(n, IndexName):
            out.add(n.name)
        elif isinstance(n, Sum):
            out |= unbound_indices(n.body) - {b.name for b in n.binders}
    return out


def strip(node: Expr) -> Expr:
    return strip(node.arg) if isinstance(node, Neg) else node


def is_identity(node: Expr) -> bool:
    """I, λ I."""
    node = strip(node)
    return isinstance(node, Identity) or (isinstance(node, Product) and is_identity(node.args[-1]))


@dataclass(slots=True)
class ShapeOperations:
    decl: Declarations
    sizes: Unifier = field(default_factory=Unifier)
    cost: float = 0.0
    scope: dict[str, str] = field(default_factory=dict)
    tag: str = ""

    def of(self, node: Expr) -> Found:
        raise NotImplementedError

    def equal(self, a: SizeName, b: SizeName, what: str = "") -> None:
        if not self.sizes.same(a, b):
            raise Misfit(what or f"{a} and {b}")

    def same(self, a: Axes, b: Axes) -> None:
        for x, y in zip(a, b, strict=True):
            self.equal(x, y)

    def one(self, size: SizeName) -> bool:
        return self.sizes.find(size) == UNIT

    def lone(self, found: Found) -> bool:
        return found is not ANY and len(found) == 2 and all(map(self.one, found))

    def is_matrix(self, axes: Axes) -> bool:
        return not any(map(self.one, axes))

    def length(self, axes: Axes) -> SizeName:
        return axes[0] if self.one(axes[1]) else axes[1]

    def array(self, found: Found) -> Axes:
        if found is ANY or len(found) == 3:
            raise Misfit("no array")
        return found

    def sum(self, found: list[Found], args: tuple[Expr, ...]) -> Found:
        known = [f for f in found if f is not ANY]
        if third := [f for f in known if len(f) == 3]:
            if len(third) < len(known):
                raise Misfit("three axes in a sum")
            return third[0]
        arrays = [f for f in known if not self.lone(f)]
        if not arrays:
            return LONE if known else ANY
        if any(map(is_identity, args)):
            self.equal(arrays[0][0], arrays[0][1])
        if len(arrays) < len(known):
            if all(self.sizes.find(a[0]) == self.sizes.find(a[1]) for a in arrays):
                raise Misfit("a number beside a square array")
            literal = all(isinstance(strip(a), Num) for a, f in zip(args, found, strict=True) if f == LONE)
            self.cost += NUMBER_PLUS if literal else 10 * NUMBER_PLUS
        whole = tuple(next((a[k] for a in arrays if not self.one(a[k])), UNIT) for k in (0, 1))
        if not any(map(self.is_matrix, arrays)):
            for a in arrays[1:]:
                self.same(arrays[0], a)
            return arrays[0]
        for x, y in ((x, y) for a in arrays for x, y in zip(a, whole, strict=True)):
            if self.one(x) and not self.one(y):
                self.cost += BROADCAST
            else:
                self.equal(x, y)
        return whole

    def product(self, found: list[Found]) -> Found:
        out, *rest = found
        numbers = self.lone(out)
        for f in rest:
            if out is ANY or f is ANY:
                out, numbers = ANY, False
            elif len(f) == 3:
                out = self.contracted(out, f)
            elif len(out) == 3:
                raise Misfit("three axes before another factor")
            elif self.lone(f):
                continue
            elif self.lone(out):
                if not numbers and not self.one(f[0]):
                    raise Misfit("a product of vectors that is a number, before an array")
                out, numbers = f, False
            else:
                self.equal(out[1], f[0], "the inner sizes of a product")
                out, numbers = (out[0], f[1]), False
        return out

    def contracted(self, out: Axes, f: Axes) -> Axes:
        if len(out) == 3:
            raise Misfit("two arrays of three axes")
        if self.lone(out):
            return f
        if self.is_matrix(out):
            raise Misfit("a matrix before three axes")
        self.equal(self.length(out), f[0])
        self.cost += 1
        return (f[2], f[1]) if self.decl.layout == "numerator" else f[1:]

    def hadamard(self, found: list[Found]) -> Found:
        known = [self.array(f) for f in found if f is not ANY]
        for f in known[1:]:
            if self.lone(known[0]) != self.lone(f):
                raise Misfit("∘ of a number and an array")
            if not self.lone(f):
                self.same(known[0], f)
        self.cost += LOOSE / 2 if known and self.lone(known[0]) else 0
        return known[0] if known else ANY

    def quotient(self, top: Found, bottom: Found) -> Found:
        if bottom is not ANY and len(bottom) == 3:
            raise Misfit("division by three axes")
        if bottom is ANY or self.lone(bottom) or (top is not ANY and len(top) == 3):
            return top
        if self.is_matrix(bottom):
            raise Misfit("division by a matrix")
        self.cost += DIVIDE
        if top is not ANY and not self.lone(top):
            self.same(top, bottom)
        return bottom

    def power(self, node: Power) -> Found:
        base, exponent = self.of(node.base), self.of(node.exponent)
        if exponent is not ANY and not self.lone(exponent):
            raise Misfit("an array as exponent")
        if base is ANY or len(base) == 3 or self.lone(base) or node.elementwise:
            return base
        if any(isinstance(n, Symbol) for n in walk(node.exponent)):  # K^α of a number
            self.cost += POWER
        if not self.is_matrix(base):
            self.cost += POWER
        else:
            self.equal(base[0], base[1], "a power of an array that is not square")
        return base

    def norm(self, found: Found, order: str) -> Found:
        if found is not ANY and len(found) == 3:
            raise Misfit("a norm of three axes")
        if order == "abs" and found is not ANY and not self.lone(found):
            self.equal(found[0], found[1], "|·| of an array")
            self.cost += 1
        elif order != "abs" and self.lone(found):
            self.cost += NORM_OF_NUMBER
        return LONE

    def call(self, function: Function, args: tuple[Expr, ...]) -> Found:
        symbol = self.decl.functions.get(function.name)
        found = [self.of(a) for a in args]
        if symbol is not None and symbol.kind == "loss":
            return LONE
        if symbol is not None and len(args) > 1:
            if any(f is not ANY and not self.lone(f) for f in found):
                raise Misfit("a function of numbers")
            return LONE
        name = symbol.kind if symbol is not None else function.name
        if len(found) > 1:
            return self.sum(found, args) if name in ("max", "min") else LONE
        (one,) = found
        if one is ANY:
            return ANY if name not in _NUMBERS | _SQUARES else LONE
        if len(one) == 3:
            raise Misfit("a function of three axes")
        lone = self.lone(one)
        if name == "softmax" and lone:
            raise Misfit("softmax of a number")
        if name in _SQUARES and not lone:
            self.equal(one[0], one[1], f"{name} of an array that is not square")
        self.cost += NORM_OF_NUMBER if name in _SQUARES and lone else 0
        if name in ("tr", "det") or name in _NUMBERS:
            return LONE
        if name == "diag":
            return self.diagonal(one, args[0])
        self.cost += ELEMENTWISE if not lone and name not in ("softmax", "inv") else 0
        return one

    def diagonal(self, one: Axes, arg: Expr) -> Axes:
        if self.lone(one):
            names = sorted(unbound_indices(arg) - set(self.scope))
            if len(names) != 1:
                raise Misfit("diag of a number")
            return (f"#{self.tag}{names[0]}",) * 2
        if not self.is_matrix(one):
            return (self.length(one),) * 2
        self.equal(one[0], one[1])
        return one[0], UNIT

    def derivative(self, of: Found, by: list[Found], layout: str) -> Found:
        shapes = [b for b in by if b is not ANY]
        if any(f is not ANY and len(f) == 3 for f in (of, *by)):
            raise Misfit("a derivative of three axes")
        if of is ANY or len(shapes) < len(by):
            return ANY
        if len(shapes) > 1:
            return self.second(of, shapes) if len(shapes) == 2 else LONE
        (x,) = shapes
        if self.lone(x):
            self.cost += 0 if self.lone(of) else BY_NUMBER
            return of
        if self.lone(of):
            return x if layout != "numerator" else x[::-1]
        if self.is_matrix(of):
            self.cost += MANY_AXES
            return ("many.",) * 3
        out = self.length(of)
        if self.is_matrix(x):
            self.cost += MANY_AXES / 4
            return out, *x
        along = self.length(x)
        return (out, along) if self.one(x[1]) == (layout in ("numerator", "mixed")) else (along, out)

    def second(self, of: Axes, by: list[Axes]) -> Axes:
        if all(map(self.lone, by)):
            return of
        if not self.lone(of):
            raise Misfit("a second derivative of an array")
        if any(map(self.is_matrix, by)):
            raise Misfit("a second derivative by a matrix")
        if any(map(self.lone, by)):
            raise Misfit("a second derivative by a number and an array")
        return self.length(by[0]), self.length(by[1])
