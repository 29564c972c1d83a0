"""Whether a formula conforms, and what that says of sizes: shapes with unknown sizes, unified.

The same rules as the elaborator's, which has the last word; here nothing is built, so that many readings can be tried.
A size whose name holds a dot is unknown, all others are what the author named.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import TypeAlias

from ..declared.symbols import ArraySymbol, Declarations
from ..grammar.tree import (
    Add,
    All,
    Annotated,
    Call,
    Cases,
    Chain,
    Derivative,
    Differential,
    Dots,
    Entry,
    Equated,
    Expr,
    Function,
    Gradient,
    Hadamard,
    Identity,
    IndexName,
    Indicator,
    Inner,
    Kronecker,
    Label,
    Matrix,
    Missing,
    Neg,
    Norm,
    Num,
    Ones,
    Outer,
    Over,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Transpose,
    Words,
)
from ..meaning.definitions import array_of
from ..meaning.model import at_layer

SizeName: TypeAlias = "str | int"
Shape2: TypeAlias = tuple[SizeName, SizeName]
UNIT, LONE = 1, (1, 1)
ANY = None
"""The shape of 𝟏, I and 0: it fits."""

BROADCAST, POWER, ELEMENTWISE, NUMBER_PLUS, LOOSE, DIVIDE, NORM_OF_NUMBER, MANY_AXES = 1.2, 2.5, 0.2, 0.3, 2.0, 1.0, 1.5, 2.0
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


@dataclass(slots=True)
class Shapes:
    """The shapes of one formula; `cost` counts what is liberal about the reading."""

    decl: Declarations
    sizes: Unifier = field(default_factory=Unifier)
    cost: float = 0.0
    scope: dict[str, str] = field(default_factory=dict)
    tag: str = ""

    def equal(self, a: SizeName, b: SizeName, what: str = "") -> None:
        if not self.sizes.same(a, b):
            raise Misfit(what or f"{a} and {b}")

    # --- whole relations ---------------------------------------------------------------------

    def sides(self, left: Expr, right: Expr) -> None:
        if isinstance(right, (Words, Missing, Dots)) or isinstance(left, (Words, Missing, Dots)):
            return
        a, b = self.of(left), self.of(right)
        zero = isinstance(right, Num) and right.value == 0
        if a is ANY or b is ANY or zero:
            return
        if isinstance(a, Third) or isinstance(b, Third):
            if not (isinstance(a, Third) and isinstance(b, Third)):
                raise Misfit("three axes on one side only")
            return
        if self.lone(a) != self.lone(b):
            if self.entries(left, right):
                self.cost += 2.0
                return
            raise Misfit("a number and an array")
        for x, y in zip(a, b, strict=True):
            self.equal(x, y)

    @staticmethod
    def entries(left: Expr, right: Expr) -> bool:
        """∂L/∂W_ij = δ x^T: the entry of what stands on the right."""
        return False

    def lone(self, s: Shape2) -> bool:
        return self.sizes.find(s[0]) == UNIT and self.sizes.find(s[1]) == UNIT

    # --- expressions -------------------------------------------------------------------------

    def of(self, node: Expr) -> Found:
        match node:
            case Num() | IndexName() | Kronecker():
                return LONE
            case Symbol():
                return self.symbol(node)
            case Entry(base, at):
                return self.entry(base, at)
            case Neg(arg):
                return self.of(arg)
            case Annotated(arg, _):
                return self.of(arg)
            case Add(args):
                return self.sum([self.of(a) for a in args], args)
            case Product(args):
                return self.product([(self.of(a), a) for a in args])
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
                if isinstance(found, Third):
                    raise Misfit("the transpose of three axes")
                return found if found is ANY else (found[1], found[0])
            case Call(function, args):
                return self.call(function, args)
            case Derivative(body, wrt):
                return self.derivative(self.of(body), [self.of(v) for v in wrt], self.decl.layout or "gradient")
            case Gradient(body, wrt_one):
                return self.derivative(self.of(body), [self.of(wrt_one)], "gradient")
            case Differential(body):
                return self.of(body)
            case Sum(binders, body) | Over(_, binders, body):
                return self.big(binders, body)
            case Norm(arg, order):
                return self.norm(self.of(arg), order)
            case Inner(left, right):
                a, b = self.array(self.of(left)), self.array(self.of(right))
                self.equal(a[0], b[0])
                self.equal(a[1], b[1])
                return LONE
            case Indicator(chain):
                return self.condition(chain)
            case Ones(sizes):
                found_sizes = [self.size(s) for s in sizes]
                return (found_sizes[0], UNIT) if len(found_sizes) == 1 else tuple(found_sizes[:2]) if found_sizes else ANY  # type: ignore[return-value]
            case Identity(size):
                return ANY if size is None else (self.size(size), self.size(size))
            case Cases(rows):
                found = [self.of(v) for v, _ in rows]
                for _, c in rows:
                    if c is not None:
                        self.condition(c)
                return self.sum(found, tuple(v for v, _ in rows))
            case Matrix(cells):
                for row in cells:
                    for cell in row:
                        if not isinstance(cell, (Dots, Words)):
                            self.of(cell)
                return (len(cells), len(cells[0])) if not any(isinstance(c, Dots) for r in cells for c in r) else ANY
            case Equated() | Words() | Dots() | Missing() | Function() | All():
                raise Misfit("no value")
            case _:
                return ANY

    def condition(self, chain: Chain) -> Found:
        found: Found = LONE
        for side in (*chain.subjects, *(k.rhs for k in chain.links)):
            if not isinstance(side, (IndexName, Num)):
                got = self.of(side)
                if got is not ANY and not isinstance(got, Third) and not self.lone(got):
                    found = got
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

    def axes(self, symbol: ArraySymbol, label: Label | None) -> tuple[SizeName, ...]:
        return tuple(self.size(at_layer(p, symbol, label)) for p in symbol.shape)

    def symbol(self, node: Symbol) -> Found:
        symbol = array_of(node, self.decl)
        if symbol is None:
            return LONE
        axes = self.axes(symbol, node.label)
        if node.sample is not None:
            return ANY
        if not axes:
            return LONE
        if len(axes) == 1:
            return self.oriented(symbol, axes[0])
        if len(axes) == 2:
            return axes[0], axes[1]
        return ANY

    def oriented(self, symbol: ArraySymbol, n: SizeName) -> Shape2:
        kind = (self.decl.convention or "column") if symbol.orientation == "vector" else symbol.orientation
        return (UNIT, n) if kind == "row" else (n, UNIT)

    def entry(self, base: Expr, at: tuple[Expr, ...]) -> Found:
        if isinstance(base, Symbol) and (symbol := array_of(base, self.decl)) is not None and base.sample is None:
            axes = self.axes(symbol, base.label)
            if len(axes) == 2 and len(at) == 1 and symbol.family == 1:
                self.index(at[0], axes[0])
                return (UNIT, axes[1]) if symbol.orientation == "row" else (axes[1], UNIT)
            if len(axes) == 3 and len(at) == symbol.family:
                for i, n in zip(at, axes, strict=False):
                    self.index(i, n)
                return (axes[1], axes[2]) if len(at) == 1 else (axes[2], UNIT)
            if len(axes) != len(at):
                raise Misfit(f"{len(at)} subscripts on {len(axes)} axes")
            return self.taken([(i, n) for i, n in zip(at, axes, strict=True)], axes)
        found = self.of(base)
        if found is ANY or isinstance(found, Third):
            return LONE
        if self.lone(found):
            if len(at) == 1 and isinstance(at[0], IndexName):  # [e_i]_i
                return self.scope.get(at[0].name, f"#{self.tag}{at[0].name}"), UNIT
            if len(at) == 2:  # [∂y_i/∂z_j]_{ij}
                return self.scope.get(name_of(at[0]), "#r"), self.scope.get(name_of(at[1]), "#c")
            raise Misfit("a subscript on a number")
        if len(at) == 1:
            if UNIT not in (self.sizes.find(found[0]), self.sizes.find(found[1])):
                raise Misfit("one subscript on a matrix")
            self.index(at[0], self.length(found))
            return found if isinstance(at[0], All) else LONE
        if len(at) != 2:
            raise Misfit("too many subscripts")
        return self.taken(list(zip(at, found, strict=True)), found)

    def taken(self, pairs: list[tuple[Expr, SizeName]], axes: tuple[SizeName, ...]) -> Found:
        kept = []
        for i, n in pairs:
            if isinstance(i, All):
                kept.append(n)
            else:
                self.index(i, n)
        if not kept:
            return LONE
        if len(kept) == len(axes):
            return (axes[0], axes[1]) if len(axes) == 2 else (axes[0], UNIT)
        return (kept[0], UNIT) if isinstance(pairs[0][0], All) else (UNIT, kept[0])

    def index(self, node: Expr, axis: SizeName) -> None:
        match node:
            case IndexName(name):
                self.equal(self.scope.get(name, f"#{self.tag}{name}"), axis, f"{name} runs over another range")
            case Num(value):
                limit = self.sizes.find(axis)
                if isinstance(limit, int) and value > limit:
                    raise Misfit("a subscript outside its axis")
            case _:
                pass

    def big(self, binders: tuple[object, ...], body: Expr) -> Found:
        outer = self.scope
        self.scope = dict(outer)
        for b in binders:
            name = b.name  # type: ignore[attr-defined]
            self.scope[name] = f"#{self.tag}{id(b)}:{name}"
            declared = self.decl.indices.get(name)
            if b.high is not None:  # type: ignore[attr-defined]
                self.equal(self.scope[name], self.size(b.high))  # type: ignore[attr-defined]
            elif declared is not None and declared.size is not None:
                self.sizes.same(self.scope[name], self.size(declared.size))
        try:
            return self.of(body)
        finally:
            self.scope = outer

    # --- operations --------------------------------------------------------------------------

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
        if len(arrays) < len(known):
            literal = all(isinstance(strip(a), Num) for a, f in zip(args, found, strict=True) if f == LONE)
            square = all(self.sizes.find(a[0]) == self.sizes.find(a[1]) for a in arrays)
            if square:
                raise Misfit("a number beside a square array")
            self.cost += NUMBER_PLUS if literal else 10 * NUMBER_PLUS
        rows = next((a[0] for a in arrays if self.sizes.find(a[0]) != UNIT), UNIT)
        columns = next((a[1] for a in arrays if self.sizes.find(a[1]) != UNIT), UNIT)
        if not any(self.sizes.find(a[0]) != UNIT and self.sizes.find(a[1]) != UNIT for a in arrays):
            for a in arrays[1:]:
                self.equal(arrays[0][0], a[0])
                self.equal(arrays[0][1], a[1])
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
                out = self.beside(out, f)
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

    def beside(self, a: Found, b: Found) -> Found:
        """𝟏 and I beside an array: the array, or a sum of its rows or columns."""
        if a is ANY and b is ANY:
            return ANY
        other = b if a is ANY else a
        return ANY if other is not ANY and not isinstance(other, Third) and self.lone(other) else ANY

    def contracted(self, out: Found, f: Third) -> Found:
        if out is ANY:
            return ANY
        if isinstance(out, Third):
            raise Misfit("two arrays of three axes")
        if self.lone(out):
            return f
        if UNIT not in (self.sizes.find(out[0]), self.sizes.find(out[1])):
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
            self.equal(first[0], f[0])
            self.equal(first[1], f[1])
        if self.lone(first):
            self.cost += LOOSE / 2
        return first

    def quotient(self, top: Found, bottom: Found) -> Found:
        if isinstance(bottom, Third) or isinstance(top, Third):
            if isinstance(bottom, Third):
                raise Misfit("division by three axes")
            return top
        if bottom is ANY:
            return top
        if self.lone(bottom):
            return top
        if UNIT not in (self.sizes.find(bottom[0]), self.sizes.find(bottom[1])):
            raise Misfit("division by a matrix")
        self.cost += DIVIDE
        if top is not ANY and not self.lone(top):
            self.equal(top[0], bottom[0])
            self.equal(top[1], bottom[1])
        return bottom

    def power(self, node: Power) -> Found:
        base, exponent = self.of(node.base), self.of(node.exponent)
        if exponent is not ANY and (isinstance(exponent, Third) or not self.lone(exponent)):
            raise Misfit("an array as exponent")
        if base is ANY or isinstance(base, Third) or self.lone(base) or node.elementwise:
            return base
        if UNIT in (self.sizes.find(base[0]), self.sizes.find(base[1])):
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
                names = sorted(free_indices(args[0]) - set(self.scope))
                if len(names) == 1:
                    return (f"#{self.tag}{names[0]}",) * 2
                raise Misfit("diag of a number")
            n = self.length(one)
            if UNIT in (self.sizes.find(one[0]), self.sizes.find(one[1])):
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
            if not self.lone(of):
                raise Misfit("a second derivative of an array")
            lengths = [self.length(s) for s in shapes if not self.lone(s)]
            if any(UNIT not in (self.sizes.find(s[0]), self.sizes.find(s[1])) for s in shapes):
                raise Misfit("a second derivative by a matrix")
            if len(lengths) == 1:
                raise Misfit("a second derivative by a number and an array")
            return (lengths[0], lengths[1]) if lengths else LONE
        if len(shapes) > 2:
            return LONE
        (x,) = shapes
        if self.lone(x):
            return of
        if self.lone(of):
            return x if layout != "numerator" else (x[1], x[0])
        if UNIT not in (self.sizes.find(of[0]), self.sizes.find(of[1])):
            self.cost += MANY_AXES
            return Third("many.", "many.", "many.")
        out = self.length(of)
        if UNIT not in (self.sizes.find(x[0]), self.sizes.find(x[1])):
            self.cost += MANY_AXES / 4
            return Third(out, x[0], x[1])
        along = self.length(x)
        column = self.sizes.find(x[1]) == UNIT
        return (out, along) if column == (layout == "numerator") else (along, out)


def free_indices(node: Expr) -> set[str]:
    """Index names that no sum in the tree binds."""
    out: set[str] = set()

    def visit(n: object, bound: frozenset[str]) -> None:
        if isinstance(n, IndexName) and n.name not in bound:
            out.add(n.name)
        elif isinstance(n, (Sum, Over)):
            inner = bound | {b.name for b in n.binders}
            visit(n.body, inner)
        elif isinstance(n, tuple):
            for c in n:
                visit(c, bound)
        elif is_dataclass(n) and not isinstance(n, type):
            for f in fields(n):
                if f.name != "span":
                    visit(getattr(n, f.name), bound)

    visit(node, frozenset())
    return out


def strip(node: Expr) -> Expr:
    return strip(node.arg) if isinstance(node, Neg) else node


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
            return "+".join(map(bare, args))
        case Product(args):
            return "*".join(map(bare, args))
        case Neg(arg):
            return f"-{bare(arg)}"
        case _:
            return repr(node)
