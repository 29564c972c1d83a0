"""What stands around a resolved name: indices, labels, powers, transposes, and the ∂, ∇ and d in front of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from ..declared.symbols import Declarations
from ..files.place import ReadError, Span, Unsettled
from .tree import (
    Add, All, Call, Derivative, Differential, Entry, Expr, Function, Gradient, IndexName, Label, Name, Neg, Num,
    Operator, Paren, Power, Product, Quotient, Script, Symbol, Transpose, Words,
)  # fmt: skip
from .walking import transposed, walk

MAX_EXPONENT: Final = 64

USUAL_INDICES: Final = frozenset("ijk")


def checked_exponent(node: Expr) -> Expr:
    value = node.arg if isinstance(node, Neg) else node
    if isinstance(value, Num) and value.value > MAX_EXPONENT:
        raise Unsettled(f"the exponent {value.value} is above {MAX_EXPONENT}", value.span)
    if isinstance(value, Power) and isinstance(value.base, Num):
        raise Unsettled(f"a tower of numbers as exponent: exponents go to {MAX_EXPONENT}", value.span)
    return node


USUAL_VARIABLES, USUAL_MATRICES = frozenset("xθβwz"), frozenset("ABCDMPQS")
"""What is moved where nothing says it, x of A x - b and w of X w - y, and beside which X is."""


class ManyVariables(Unsettled):
    """∇ of a formula in several `candidates`."""

    def __init__(self, message: str, span: Span, candidates: tuple[str, ...]) -> None:
        super().__init__(message, span)
        self.candidates = candidates


@dataclass(slots=True)
class Derivatives:
    """`bound` are the dummies of the sums around; `lenient` collects undeclared names in `free` instead of refusing."""

    decl: Declarations
    lenient: bool = False
    bound: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()
    free: list[tuple[str, Label | None, Span]] = field(default_factory=list)
    in_fraction: int = 0
    by: str = ""
    """By what ∇ is meant where several letters are possible."""
    differentials: bool = False
    beside_d: bool = False
    """Both sides hold some: then d in front of a letter is no factor, even where a letter is called d."""
    second: bool = False
    """Beside d^2 f, dx^2 is the square of dx."""

    def expr(self, node: Expr) -> Expr:
        raise NotImplementedError

    def key(self, node: Name) -> str:
        key = self.decl.key(node.letter, node.mark)
        if node.primes and f"{key}{chr(39) * node.primes}" in self.decl.arrays:
            return f"{key}{chr(39) * node.primes}"
        return key

    def only_value(self, script: Script) -> Expr:
        if len(script.items) != 1:
            raise ReadError("one size is expected here", script.span)
        return self.expr(script.items[0])

    def is_size(self, script: Script) -> bool:
        known = self.decl.sizes.keys() | self.decl.layered_sizes.keys()
        return len(script.items) == 1 and all(
            isinstance(i, Num) or (isinstance(i, Name) and (i.letter in known or self.decl.inferred))
            for i in script.items
        )

    def at_layer(self, node: Name) -> bool:
        """A layer stands among the upper scripts (or first below)."""
        layers = self.decl.layers
        for s in node.sups:
            if s.labels and any(p.base in layers if p.base else True for p, _ in s.labels):
                return True
        low = node.sub.labels if node.sub is not None else None
        return low is not None and len(low) == 1 and low[0][0].base in layers

    def transposes(self, sup: Script) -> bool:
        """The T at the end of a script is a transpose, not the T that counts layers or names a size."""
        if not sup.transposes:
            return False
        if not sup.text.endswith("T"):
            return True
        decl = self.decl
        if "T" in self.bound or "T" in decl.layers:
            return False
        if ("T" in decl.sizes or "T" in decl.indices) and not decl.inferred and sup.text == "T":
            raise ReadError("^T: a transpose, or the T that is declared here? write ^\\top for the transpose", sup.span)
        return True

    def known_sample(self, found: Label, node: Name) -> Label:
        if found.base not in self.bound and found.base not in self.decl.indices and found.base not in self.decl.sizes:
            raise ReadError(
                f"{found.base} is not declared: the label ({found}) is neither a layer nor a sample",
                node.span, undeclared=found.base or "",
            )  # fmt: skip
        return found

    def label_index(self, found: Label, span: Span) -> Expr:
        if found.base is None:
            return Num(Fraction(found.shift), span)
        base = self.index(Name(found.base, span=span))
        return base if not found.shift else Add((base, Num(Fraction(found.shift), span)), span)

    def function(self, key: str, node: Name) -> Expr:
        """A function itself, with its primes and its layer: f', σ^l."""
        symbol, label = self.decl.functions[key], None
        for sup in node.sups:
            one = sup.labels[0][0] if sup.labels and len(sup.labels) == 1 else None
            if symbol.layer and one is not None and one.base is not None:
                label = one
            elif sup.text in ("-1", "(-1)"):
                raise Unsettled(f"the inverse function of {key} is not supported", node.span)
        if symbol.layer and node.sub and label is None and node.sub.labels and len(node.sub.labels) == 1:
            label = node.sub.labels[0][0]
        return Function(key, node.primes, label, node.span)

    def below(self, node: Expr, at: tuple[Expr, ...], rank: int, name: Name) -> Expr:
        if name.sub is not None and name.sub.error:
            raise ReadError(name.sub.error, name.sub.span)
        for i in at:
            if isinstance(i, Words):
                raise ReadError(f"the subscript {i.text} is part of no declared name", i.span)
        if rank == 2 and len(at) == 1 and isinstance(at[0], Num) and 10 <= at[0].value < 100:
            first, second = divmod(int(at[0].value), 10)  # w_{12}
            at = (Num(Fraction(first), at[0].span), Num(Fraction(second), at[0].span))
        return Entry(node, at, name.span)

    def index_or_shape(self, item: Expr) -> Expr:
        return item if isinstance(item, Words) else self.index(item)

    def index(self, item: Expr) -> Expr:
        """One subscript: an index, a number, a size, an entry of class numbers."""
        match item:
            case Num() | All() | Words():
                return item
            case Neg(arg):
                return Neg(self.index(arg), item.span)
            case Add(args):
                return Add(tuple(map(self.index, args)), item.span)
            case Name():
                return self.index_name(item)
            case _:
                raise ReadError("this is no index", item.span)

    def index_name(self, node: Name) -> Expr:
        decl, base = self.decl, self.decl.key(node.letter, node.mark)
        name, span = base + "'" * node.primes, node.span
        if (name in self.bound or base in self.bound or base in decl.indices) and node.sub is None:
            return IndexName(name, span)
        array = decl.arrays.get(name)
        if array is not None and array.integer:
            inner = Symbol(name, None, None, span)
            return Entry(inner, tuple(map(self.index, node.sub.items)), span) if node.sub else inner
        if name in decl.layered_sizes and node.sub and node.sub.labels:
            return Symbol(name, node.sub.labels[0][0], None, span)
        if name in decl.sizes:
            return Symbol(name, None, None, span)
        if self.lenient or (base in USUAL_INDICES and not decl.known(base)):
            return IndexName(name, span)
        if name in decl.layers:
            raise ReadError(f"{name} counts layers and is no index here", span)
        raise ReadError(f"the index {name} is not declared", span, undeclared=name)

    def behind(self, node: Expr, name: Name) -> Expr:
        """Powers, inverses and transposes behind a value."""
        if name.sub is not None:
            node = self.below(node, tuple(map(self.index_or_shape, name.sub.items)), 0, name)
        if name.primes:
            raise ReadError("a prime on something that is no function", node.span)
        for sup in name.sups:
            t = sup.transposes if self.transposes(sup) else 0
            if sup.value is not None:
                node = Power(node, self.exponent(sup), sup.elementwise, name.span)
            elif not t:
                raise ReadError(sup.error or f"the superscript {sup.text} has no meaning here", sup.span)
            node = transposed(node, t, name.span)
        return transposed(node, name.top, name.span)

    def exponent(self, sup: Script) -> Expr:
        assert sup.value is not None
        return checked_exponent(self.expr(sup.value))

    # --- derivatives -------------------------------------------------------------------------

    def slope(self, op: Operator, rest: tuple[Expr, ...], body: Expr, span: Span) -> Expr:
        wrt = op.wrt or (self.only_variable(rest, body, op.span),)
        if op.name == "jacobian" and not self.is_number(body):
            return Transpose(Gradient(body, self.variable(wrt[0])[0], span), span)
        if op.kind == "nabla" and not op.name and op.order == 1:
            return Gradient(body, self.variable(wrt[0])[0], span)
        if op.kind == "nabla" and op.order == 2:
            wrt = (wrt[0], wrt[0])
        return self.derivative(body, wrt, op.total, span)

    def whole_number(self, node: Expr) -> bool:
        return self.is_number(node) or isinstance(node, Call)

    def is_macro(self, node: Expr) -> bool:
        return isinstance(node, Name) and self.key(node) in self.decl.macros

    def is_number(self, node: Expr) -> bool:
        match node:
            case Symbol(name, label):
                table = self.decl.arrays if label is None else self.decl.layered
                return name in table and not table[name].shape
            case Entry(Symbol(name), at):
                return name in self.decl.arrays and len(self.decl.arrays[name].shape) == len(at)
            case _:
                return False

    def only_variable(self, rest: tuple[Expr, ...], body: Expr, span: Span) -> Expr:
        """∇ J(w) by w: what the text says J depends on, or the one array that the formula holds.

        Of several, the one that is no letter of what is given, x of a^T x.
        """
        if isinstance(body, Symbol) and body.name in self.decl.arrays:
            of = [o for o in self.decl.arrays[body.name].of.split(",") if o]
            if len(of) == 1:
                return Symbol(of[0], None, None, span)
            found = self.decl.variables_of(body.name)
        else:
            macro = self.decl.macros.get(self.key(rest[0])) if isinstance(rest[0], Name) else None
            if macro is not None and len(macro.params) == 1:
                called = rest[1] if len(rest) > 1 and isinstance(rest[1], Paren) else None
                return self.moving(macro.params[0] if called is None else called.chains[0].subjects[-1], span)
            found = {n.name for n in walk(body) if isinstance(n, Symbol) and n.name in self.decl.arrays}
        vectors = {n for n in found if self.decl.arrays[n].shape and self.decl.arrays[n].role == "variable"}
        if self.by in vectors:
            return Symbol(self.by, None, None, span)
        usual = vectors & USUAL_VARIABLES
        if not usual and vectors <= {"X"} | USUAL_MATRICES:
            usual = vectors & {"X"}
        if len(vectors) == 1 or len(found) == 1 or len(usual) == 1:
            return Symbol(min(usual or vectors or found), None, None, span)
        raise ManyVariables("∇ by which variable? write ∇_W", span, candidates=tuple(sorted(vectors)))

    def moving(self, point: Expr, span: Span) -> Expr:
        """The letter by which ∇ of f(point) is the gradient of f there: of x, and of x + 2d."""
        found = self.expr(point)
        given = {d.chain.subjects[-1] for d in self.decl.definitions}
        parts = found.args if isinstance(found, Add) else (found,)
        for k, part in enumerate(parts):
            inside = {n for p in (*parts[:k], *parts[k + 1 :]) for n in walk(p)}
            if isinstance(part, (Symbol, Entry)) and part not in inside and not inside & given:
                return part
        raise Unsettled("∇ at a point that is no letter: write what it is there", span)

    def variable(self, node: Expr) -> tuple[Expr, int, Fraction]:
        """A variable below ∂: the array, how often it is transposed there, and the power it stands in."""
        if isinstance(node, Symbol):
            return node, 0, Fraction(1)
        found = self.expr(node)
        transposed, power = 0, Fraction(1)
        while not isinstance(found, (Symbol, Entry, IndexName)):
            match found:
                case Transpose(arg):
                    found, transposed = arg, transposed + 1
                case Power(base, Num(q)) if q:
                    found, power = base, power * q
                case _:
                    raise ReadError("the derivative is by something that is no variable", node.span)
        return found, transposed, power

    def derivative(self, body: Expr, wrt: tuple[Expr, ...], total: bool, span: Span) -> Expr:
        found = [self.variable(v) for v in wrt]
        if isinstance(body, Function) and self.decl.inferred and not body.primes:  # dσ/dx
            body = Call(body, (found[0][0],), body.span)
        out: Expr = Derivative(body, tuple(v for v, _, _ in found), total, span)
        if len(found) == 1:
            variable, transposed, power = found[0]
            if power != 1:  # ∂/∂σ² = 1/(2σ) ∂/∂σ
                rest = variable if power == 2 else Power(variable, Num(power - 1))
                out = Quotient(out, Product((Num(power), rest), ("",), span), span)
            if transposed % 2:
                out = Transpose(out, span)
        elif any(power != 1 for _, _, power in found):
            raise Unsettled("a second derivative by a power is not supported", span)
        return out

    def differential(self, inner: Expr, span: Span) -> Expr:
        if self.decl.upstream:
            match inner:
                case Symbol() | Entry(Symbol()):
                    return Derivative(Symbol(self.decl.upstream), (inner,), False, span)
                case Transpose(arg):
                    return Transpose(self.differential(arg, span), span)
        return Differential(inner, span)
