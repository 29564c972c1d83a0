"""The shapes that operations give, with unknown sizes unified."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ..declared.symbols import Declarations
from ..grammar.tree import Expr, Function, Identity, IndexName, Neg, Num, Over, Power, Product, Sum, Symbol
from ..grammar.walking import walk

SizeName: TypeAlias = "str | int"

Shape2: TypeAlias = tuple[SizeName, SizeName]

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


@dataclass(frozen=True, slots=True)
class Third:
    """∂v/∂W: three axes."""

    out: SizeName
    row: SizeName
    column: SizeName


Found: TypeAlias = "Shape2 | Third | None"


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
    for n in walk(node, (Sum, Over)):
        if isinstance(n, IndexName):
            out.add(n.name)
        elif isinstance(n, (Sum, Over)):
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

    def of(self, node: Expr) -> Found:
        raise NotImplementedError

    sizes: Unifier = field(default_factory=Unifier)

    cost: float = 0.0

    scope: dict[str, str] = field(default_factory=dict)

    tag: str = ""

    def equal(self, a: SizeName, b: SizeName, what: str = "") -> None:
        if not self.sizes.same(a, b):
            raise Misfit(what or f"{a} and {b}")

    def lone(self, s: Shape2) -> bool:
        return self.sizes.find(s[0]) == UNIT and self.sizes.find(s[1]) == UNIT

    def is_matrix(self, s: Shape2) -> bool:
        return UNIT not in (self.sizes.find(s[0]), self.sizes.find(s[1]))

    def same(self, a: Shape2, b: Shape2) -> None:
        self.equal(a[0], b[0])
        self.equal(a[1], b[1])

    def array(self, found: Found) -> Shape2:
        if found is ANY or isinstance(found, Third):
            raise Misfit("no array")
        return found

    def length(self, s: Shape2) -> SizeName:
        return s[0] if self.sizes.find(s[1]) == UNIT else s[1]

    def sum(self, found: list[Found], args: tuple[Expr, ...]) -> Found:
        known = [f for f in found if f is not ANY]
        if any(isinstance(f, Third) for f in known):
            if all(isinstance(f, Third) for f in known):
                return known[0]
            raise Misfit("three axes in a sum")
        arrays = [f for f in known if not isinstance(f, Third) and not self.lone(f)]
        if not arrays:
            return LONE if known else ANY
        if any(map(is_identity, args)):
            self.equal(*arrays[0])
        if len(arrays) < len(known):
            literal = all(isinstance(strip(a), Num) for a, f in zip(args, found, strict=True) if f == LONE)
            square = all(self.sizes.find(a[0]) == self.sizes.find(a[1]) for a in arrays)
            if square:
                raise Misfit("a number beside a square array")
            self.cost += NUMBER_PLUS if literal else 10 * NUMBER_PLUS
        rows = next((a[0] for a in arrays if self.sizes.find(a[0]) != UNIT), UNIT)
        columns = next((a[1] for a in arrays if self.sizes.find(a[1]) != UNIT), UNIT)
        if not any(map(self.is_matrix, arrays)):
            for a in arrays[1:]:
                self.same(arrays[0], a)
            return arrays[0]
        for a in arrays:
            for x, whole in zip(a, (rows, columns), strict=True):
                if self.sizes.find(x) == UNIT != self.sizes.find(whole):
                    self.cost += BROADCAST
                else:
                    self.equal(x, whole)
        return rows, columns

    def product(self, found: list[tuple[Found, Expr]]) -> Found:
        out, _ = found[0]
        from_numbers = out is not ANY and not isinstance(out, Third) and self.lone(out)
        for f, _ in found[1:]:
            if out is ANY or f is ANY:
                out = ANY
                from_numbers = False
                continue
            if isinstance(f, Third):
                out = self.contracted(out, f)
                continue
            if isinstance(out, Third):
                raise Misfit("three axes before another factor")
            if self.lone(f):
                continue
            if self.lone(out):
                if not from_numbers and self.sizes.find(f[0]) != UNIT:
                    raise Misfit("a product of vectors that is a number, before an array")
                out, from_numbers = f, False
                continue
            self.equal(out[1], f[0], "the inner sizes of a product")
            out, from_numbers = (out[0], f[1]), False
        return out

    def contracted(self, out: Found, f: Third) -> Found:
        if out is ANY:
            return ANY
        if isinstance(out, Third):
            raise Misfit("two arrays of three axes")
        if self.lone(out):
            return f
        if self.is_matrix(out):
            raise Misfit("a matrix before three axes")
        self.equal(self.length(out), f.out)
        self.cost += 1
        return (f.column, f.row) if self.decl.layout == "numerator" else (f.row, f.column)

    def hadamard(self, found: list[Found]) -> Found:
        known = [self.array(f) for f in found if f is not ANY]
        if not known:
            return ANY
        first = known[0]
        for f in known[1:]:
            if self.lone(first) or self.lone(f):
                if not (self.lone(first) and self.lone(f)):
                    raise Misfit("∘ of a number and an array")
                continue
            self.same(first, f)
        if self.lone(first):
            self.cost += LOOSE / 2
        return first

    def quotient(self, top: Found, bottom: Found) -> Found:
        if isinstance(bottom, Third):
            raise Misfit("division by three axes")
        if isinstance(top, Third) or bottom is ANY or self.lone(bottom):
            return top
        if self.is_matrix(bottom):
            raise Misfit("division by a matrix")
        self.cost += DIVIDE
        if top is not ANY and not self.lone(top):
            self.same(top, bottom)
        return bottom

    def power(self, node: Power) -> Found:
        base, exponent = self.of(node.base), self.of(node.exponent)
        if exponent is not ANY and (isinstance(exponent, Third) or not self.lone(exponent)):
            raise Misfit("an array as exponent")
        if base is ANY or isinstance(base, Third) or self.lone(base) or node.elementwise:
            return base
        if any(isinstance(n, Symbol) for n in walk(node.exponent)):  # K^α of a number
            self.cost += POWER
        if not self.is_matrix(base):
            self.cost += POWER
            return base
        self.equal(base[0], base[1], "a power of an array that is not square")
        return base

    def norm(self, found: Found, order: str) -> Found:
        if isinstance(found, Third):
            raise Misfit("a norm of three axes")
        if order == "abs" and found is not ANY and not self.lone(found):
            self.equal(found[0], found[1], "|·| of an array")
            self.cost += 1
        elif order != "abs" and found is not ANY and self.lone(found):
            self.cost += NORM_OF_NUMBER
        return LONE

    def call(self, function: Function, args: tuple[Expr, ...]) -> Found:
        symbol = self.decl.functions.get(function.name)
        found = [self.of(a) for a in args]
        if symbol is not None and symbol.kind == "loss":
            return LONE
        if symbol is not None and len(args) > 1:
            if any(f is not ANY and (isinstance(f, Third) or not self.lone(f)) for f in found):
                raise Misfit("a function of numbers")
            return LONE
        name = symbol.kind if symbol is not None else function.name
        if len(found) > 1:
            return self.sum(found, args) if name in ("max", "min") else LONE
        one = found[0]
        if isinstance(one, Third):
            raise Misfit("a function of three axes")
        if one is ANY:
            return ANY if name not in _NUMBERS | _SQUARES else LONE
        if name == "softmax":
            if self.lone(one):
                raise Misfit("softmax of a number")
            return one
        if name in _SQUARES:
            if not self.lone(one):
                self.equal(one[0], one[1], f"{name} of an array that is not square")
            else:
                self.cost += NORM_OF_NUMBER
            return one if name == "inv" else LONE
        if name in _NUMBERS:
            return LONE
        if name == "diag":
            if self.lone(one):
                names = sorted(unbound_indices(args[0]) - set(self.scope))
                if len(names) == 1:
                    return (f"#{self.tag}{names[0]}",) * 2
                raise Misfit("diag of a number")
            n = self.length(one)
            if not self.is_matrix(one):
                return n, n
            self.equal(one[0], one[1])
            return one[0], UNIT
        if not self.lone(one):
            self.cost += ELEMENTWISE
        return one

    def derivative(self, of: Found, by: list[Found], layout: str) -> Found:
        if isinstance(of, Third) or any(isinstance(b, Third) for b in by):
            raise Misfit("a derivative of three axes")
        if of is ANY or any(b is ANY for b in by):
            return ANY
        shapes = [b for b in by if b is not None and not isinstance(b, Third)]
        if len(shapes) == 2:
            if all(map(self.lone, shapes)):
                return of
            if not self.lone(of):
                raise Misfit("a second derivative of an array")
            lengths = [self.length(s) for s in shapes if not self.lone(s)]
            if any(map(self.is_matrix, shapes)):
                raise Misfit("a second derivative by a matrix")
            if len(lengths) == 1:
                raise Misfit("a second derivative by a number and an array")
            return (lengths[0], lengths[1]) if lengths else LONE
        if len(shapes) > 2:
            return LONE
        (x,) = shapes
        if self.lone(x):
            self.cost += 0 if self.lone(of) else BY_NUMBER
            return of
        if self.lone(of):
            return x if layout != "numerator" else (x[1], x[0])
        if self.is_matrix(of):
            self.cost += MANY_AXES
            return Third("many.", "many.", "many.")
        out = self.length(of)
        if self.is_matrix(x):
            self.cost += MANY_AXES / 4
            return Third(out, x[0], x[1])
        along = self.length(x)
        column = self.sizes.find(x[1]) == UNIT
        return (out, along) if column == (layout in ("numerator", "mixed")) else (along, out)
