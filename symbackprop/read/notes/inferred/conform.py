"""Whether a formula conforms, and what that says of sizes: shapes with unknown sizes, unified.

The same rules as the elaborator's, which has the last word; here nothing is built, so that many readings can be tried.
A size whose name holds a dot is unknown, all others are what the author named.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..declared.symbols import ArraySymbol
from ..grammar.tree import (
    Add, All, Annotated, At, Binder, Call, Cases, Chain, Derivative, Differential, Dots, Entry, Equated, Expr, Function,
    Gradient, Hadamard, Identity, IndexName, Indicator, Inner, Kronecker, Label, Matrix, Missing, Neg, Norm, Num, Ones,
    Outer, Power, Product, Quotient, Sum, Symbol, Transpose, Words,
)  # fmt: skip
from ..meaning.definitions import array_of
from ..meaning.model import at_layer
from .conform_operations import ANY, LONE, UNIT, Axes, Found, Misfit, ShapeOperations, SizeName, unbound_indices


@dataclass(slots=True)
class Shapes(ShapeOperations):
    """The shapes of one formula; `cost` counts what is liberal about the reading."""

    # --- whole relations ---------------------------------------------------------------------

    def sides(self, left: Expr, right: Expr) -> None:
        if isinstance(right, (Words, Missing, Dots)) or isinstance(left, (Words, Missing, Dots)):
            return
        a, b = self.of(left), self.of(right)
        zero = isinstance(right, Num) and right.value == 0
        if a is ANY or b is ANY or zero:
            return
        if len(a) != len(b):
            raise Misfit("three axes on one side only")
        if self.lone(a) != self.lone(b):  # an entry set equal to its array?
            entry, whole, axes = (left, right, b) if self.lone(a) else (right, left, a)
            if len(unbound_indices(entry) - unbound_indices(whole)) < sum(not self.one(n) for n in axes):
                raise Misfit("a number and an array")
            self.cost += 0.5
            return
        if len(a) == 2:
            self.same(a, b)

    # --- expressions -------------------------------------------------------------------------

    def of(self, node: Expr) -> Found:
        match node:
            case Num() | IndexName() | Kronecker():
                return LONE
            case Symbol():
                return self.symbol(node)
            case Entry(base, at):
                return self.entry(base, at)
            case Neg(arg) | Annotated(arg) | Differential(arg):
                return self.of(arg)
            case Add(args):
                return self.sum([self.of(a) for a in args], args)
            case Product(args):
                return self.product([self.of(a) for a in args])
            case Hadamard(args):
                return self.hadamard([self.of(a) for a in args])
            case Outer(args):
                a, b = (self.array(self.of(x)) for x in args[:2])
                return self.length(a), self.length(b)
            case Quotient(top, bottom):
                return self.quotient(self.of(top), self.of(bottom))
            case Power():
                return self.power(node)
            case Transpose(arg):
                found = self.of(arg)
                if found is ANY:
                    return ANY
                if len(found) == 3:
                    raise Misfit("the transpose of three axes")
                if found == LONE:  # nobody transposes a number
                    self.cost += 2.0
                return found[::-1]
            case Call(function, args):
                return self.call(function, args)
            case Derivative(body, wrt):
                return self.derivative(self.of(body), [self.of(v) for v in wrt], self.decl.layout or "gradient")
            case Gradient(body, wrt_one):
                return self.derivative(self.of(body), [self.of(wrt_one)], "gradient")
            case At(body, Chain((x,), (link,))):
                zero = isinstance(link.rhs, Num) and link.rhs.value == 0
                self.sides(x, x if zero else link.rhs)
                return self.of(body)
            case Sum(binders, body):
                return self.big(binders, body)
            case Norm(arg, order):
                return self.norm(self.of(arg), order)
            case Inner(left, right):
                self.same(self.array(self.of(left)), self.array(self.of(right)))
                return LONE
            case Indicator(chain):
                return self.condition(chain)
            case Ones(sizes):
                if not sizes:
                    return f"#{self.tag}ones{id(node)}", UNIT
                return (*map(self.size, sizes), UNIT)[:2]
            case Identity(size):
                return ANY if size is None else (self.size(size),) * 2
            case Cases(rows):
                values = [self.of(v) for v, _ in rows]
                for _, c in rows:
                    if c is not None:
                        self.condition(c)
                return self.sum(values, tuple(v for v, _ in rows))
            case Matrix(cells):
                for cell in (c for row in cells for c in row if not isinstance(c, (Dots, Words))):
                    self.of(cell)
                return (len(cells), len(cells[0])) if not any(isinstance(c, Dots) for r in cells for c in r) else ANY
            case Equated() | Words() | Dots() | Missing() | Function() | All():
                raise Misfit("no value")
            case _:
                return ANY

    def condition(self, chain: Chain) -> Found:
        found: Found = LONE
        for side in chain.sides:
            if not isinstance(side, (IndexName, Num)):
                got = self.of(side)
                found = got if got is not ANY and len(got) == 2 and not self.lone(got) else found
        return found

    def size(self, node: Expr) -> SizeName:
        match node:
            case Num(value):
                return int(value)
            case Symbol(name, None):
                known = self.decl.sizes.get(name)
                return self.size(known.value) if known is not None and known.value is not None else name
            case Symbol(name, label):
                return f"{name}_{label}"
            case _:
                return str(bare(node))

    def axes(self, symbol: ArraySymbol, label: Label | None) -> Axes:
        return tuple(self.size(at_layer(p, symbol, label)) for p in symbol.shape)

    def symbol(self, node: Symbol) -> Found:
        symbol = array_of(node, self.decl)
        if symbol is None:
            return LONE
        axes = self.axes(symbol, node.label)
        if node.sample is not None or len(axes) > 2:
            return ANY
        if len(axes) == 1:
            kind = (self.decl.convention or "column") if symbol.orientation == "vector" else symbol.orientation
            return (UNIT, *axes) if kind == "row" else (*axes, UNIT)
        return axes or LONE

    def entry(self, base: Expr, at: tuple[Expr, ...]) -> Found:
        if isinstance(base, Symbol) and (symbol := array_of(base, self.decl)) is not None and base.sample is None:
            axes = self.axes(symbol, base.label)
            if len(axes) == 2 and len(at) == 1 and symbol.family == 1:
                self.index(at[0], axes[0])
                return (UNIT, axes[1]) if symbol.orientation == "row" else (axes[1], UNIT)
            if len(axes) == 3 and len(at) == symbol.family:
                for i, n in zip(at, axes, strict=False):
                    self.index(i, n)
                return axes[1:] if len(at) == 1 else (axes[2], UNIT)
            if len(axes) != len(at):
                raise Misfit(f"{len(at)} subscripts on {len(axes)} axes")
            return self.taken(at, axes)
        found = self.of(base)
        if found is ANY or len(found) == 3:
            return LONE
        if self.lone(found):
            if len(at) == 1 and isinstance(at[0], IndexName):  # [e_i]_i
                return self.range(at[0].name), UNIT
            if len(at) == 2:  # [∂y_i/∂z_j]_{ij}
                return self.scope.get(name_of(at[0]), "#r"), self.scope.get(name_of(at[1]), "#c")
            raise Misfit("a subscript on a number")
        if len(at) == 1:
            if self.is_matrix(found):
                raise Misfit("one subscript on a matrix")
            self.index(at[0], self.length(found))
            return found if isinstance(at[0], All) else LONE
        if len(at) != 2:
            raise Misfit("too many subscripts")
        return self.taken(at, found)

    def taken(self, at: tuple[Expr, ...], axes: Axes) -> Found:
        for i, n in zip(at, axes, strict=True):
            self.index(i, n)
        kept = tuple(n for i, n in zip(at, axes, strict=True) if isinstance(i, All))
        if not kept:
            return LONE
        if len(kept) == len(axes) == 2:
            return kept
        return (kept[0], UNIT) if isinstance(at[0], All) else (UNIT, kept[0])

    def range(self, name: str) -> SizeName:
        return self.scope.get(name, f"#{self.tag}{name}")

    def index(self, node: Expr, axis: SizeName) -> None:
        match node:
            case IndexName(name):
                known = self.decl.indices.get(name)
                if name not in self.scope and known is not None and known.size is not None:
                    self.sizes.same(self.range(name), self.size(known.size))
                self.equal(self.range(name), axis, f"{name} runs over another range")
            case Num(value):
                limit = self.sizes.find(axis)
                if isinstance(limit, int) and value > limit:
                    raise Misfit("a subscript outside its axis")
            case _:
                pass

    def big(self, binders: tuple[Binder, ...], body: Expr) -> Found:
        outer = self.scope
        self.scope = dict(outer)
        for b in binders:
            name = b.name
            self.scope[name] = f"#{self.tag}{id(b)}:{name}"
            declared = self.decl.indices.get(name)
            if b.high is not None:
                self.equal(self.scope[name], self.size(b.high))
            elif declared is not None and declared.size is not None:
                self.sizes.same(self.scope[name], self.size(declared.size))
        try:
            return self.of(body)
        finally:
            self.scope = outer


def name_of(node: Expr) -> str:
    return node.name if isinstance(node, IndexName) else ""


def bare(node: Expr) -> str:
    """A compound size as text: equal only to itself."""
    match node:
        case Num(value):
            return str(value)
        case Symbol(name, label):
            return name if label is None else f"{name}_{label}"
        case Add(args):
            return "+".join(map(bare, args)).replace("+-", "-")
        case Product(args):
            return "*".join(map(bare, args))
        case Neg(arg):
            return f"-{bare(arg)}"
        case _:
            return repr(node)
