"""∂, ∇ and d: by which variable, of what."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..files.place import ReadError, Span, Unsettled
from .primes import PRIME
from .resolve_names import NameResolver
from .tree import (
    Add,
    Call,
    Chain,
    Derivative,
    Differential,
    Entry,
    Expr,
    Function,
    Gradient,
    IndexName,
    Name,
    Neg,
    Num,
    Operator,
    Paren,
    Power,
    Product,
    Quotient,
    Symbol,
    Transpose,
)
from .walking import walk

_COUNTING = frozenset("ijkl")
"""∂_i is no derivative by a number i."""


def variable_slope(slope: Expr, power: Fraction, variable: Expr) -> Expr:
    return slope if power != 2 else Product((Num(power), variable), ("",), slope.span)


USUAL_VARIABLES, USUAL_MATRICES = frozenset("xθβwz"), frozenset("ABCDMPQS")
"""What is moved where nothing says it, x of A x - b and w of X w - y, and beside which X is."""


class ManyVariables(Unsettled):
    """∇ of a formula in several `candidates`."""

    def __init__(self, message: str, span: Span, candidates: tuple[str, ...]) -> None:
        super().__init__(message, span)
        self.candidates = candidates


@dataclass(slots=True)
class Derivatives(NameResolver):
    in_fraction: int = 0
    by: str = ""
    """By what ∇ is meant where several letters are possible."""

    def taken(self, args: tuple[Expr, ...], signs: tuple[str, ...]) -> tuple[Expr, int]:
        raise NotImplementedError

    def factors(self, args: tuple[Expr, ...], signs: tuple[str, ...], span: Span) -> Expr:
        raise NotImplementedError

    def chain(self, c: Chain) -> Chain:
        raise NotImplementedError

    differentials: bool = False
    beside_d: bool = False
    """Both sides hold some: then d in front of a letter is no factor, even where a letter is called d."""
    second: bool = False
    """Beside d^2 f, dx^2 is the square of dx."""

    def differentiated(self, op: Operator, args: tuple[Expr, ...], signs: tuple[str, ...]) -> tuple[Expr, int]:
        """∇_W and ∂_x take a number's name or a call alone, (∇_z L) x^T; else, and ∂/∂x always, the whole product."""
        if len(args) == 1:
            raise ReadError("nothing to differentiate", op.span)
        if op.name == PRIME and not op.wrt:
            raise Unsettled("by what this is differentiated is not settled: write d/dx", op.span)
        rest, between = args[1:], signs[1:]
        if op.name == "partial" and any(isinstance(v, Name) and v.letter in _COUNTING and not v.sub for v in op.wrt):
            raise Unsettled("∂ by an index: the derivative by which coordinates?", op.span)
        body, used = self.taken(rest, between)
        span = (op.span[0], args[used].span[1])
        hessian = op.kind == "nabla" and op.order == 2
        match body:
            case Transpose(of) if op.kind == "nabla" and self.whole_number(of):  # ∇f(x)^T is that of ∇f(x)
                return Transpose(self.slope(op, rest, of, span), span), 1 + used
            case Power(of, Neg(Num()) as power) if hessian and self.whole_number(of):  # ∇²f(x)^{-1} is its inverse
                return Power(self.slope(op, rest, of, span), power, False, span), 1 + used
        alone = op.kind == "nabla" and (self.whole_number(body) or self.is_macro(rest[0]))
        alone |= isinstance(rest[0], Paren) and rest[0].opening in ("[", "\\{")
        if not alone and used < len(rest):
            body, used = self.factors(rest, between, (rest[0].span[0], rest[-1].span[1])), len(rest)
            span = (op.span[0], args[used].span[1])
        return self.slope(op, rest, body, span), 1 + used

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
        usual = vectors & USUAL_VARIABLES or found & USUAL_VARIABLES
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
                slope = Product((Num(power), Power(variable, Num(power - 1))), ("",), span)
                out = Quotient(out, variable_slope(slope, power, variable), span)
            if transposed % 2:
                out = Transpose(out, span)
        elif any(power != 1 for _, _, power in found):
            raise Unsettled("a second derivative by a power is not supported", span)
        return out

    def differential(self, inner: Expr, span: Span) -> Expr:
        if self.decl.upstream:
            match inner:
                case Symbol():
                    return Derivative(Symbol(self.decl.upstream), (inner,), False, span)
                case Entry(Symbol(), _):
                    return Derivative(Symbol(self.decl.upstream), (inner,), False, span)
                case Transpose(arg):
                    return Transpose(self.differential(arg, span), span)
        return Differential(inner, span)
