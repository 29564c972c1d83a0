"""Functions in formulas: abstract and named elementwise ones, softmax, losses, trace, determinant, norms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.core.functions import COMPOSED, ROWS, UNREAD, absolute
from symbackprop.core.indices import Index, affine
from symbackprop.core.laws.functions import DERIVATIVES
from symbackprop.core.matrix import (
    UNIT, Determinant, Diagonal, DiagonalOf, Elementwise, Given, Inverse, Softmax, Trace, entry, times,
)  # fmt: skip
from symbackprop.core.terms import (
    ZERO, Apply, Array, Delta, Entry, Holds, Positive, Power, Sum, Term, Whole, add, dummy, free, mul, neg, replaced,
    sized, sub, substitute, subterms, whole,
)  # fmt: skip
from symbackprop.network.activations import Z, derivative
from symbackprop.read.notes.declared.symbols import ArraySymbol, FunctionSymbol
from symbackprop.read.notes.files.place import ReadError, Span, Unsettled
from symbackprop.read.notes.grammar.resolve import parse_expression
from symbackprop.read.notes.grammar.tree import Equated, Expr, Function, Symbol

from ..declared.sizes import Sizes
from .arrays import Arrays
from .model import Model
from .values import Algebra, Mat, Scalar, Value, as_matrix, as_scalar, dummies, entrywise, total

WRITTEN = {f.words[0]: f.name for f in ROWS}


@dataclass(slots=True)
class Functions(Arrays):
    """Calls."""

    def call(self, function: Function, args: tuple[Expr, ...], span: Span) -> Value:
        for a in args:
            if isinstance(a, Equated):
                raise ReadError(f"an equation as argument of {function.name}", a.span)
        symbol = self.decl.functions.get(function.name)
        if symbol is not None:
            return self.declared(symbol, function, args, span)
        if function.name in ("max", "min") and len(args) > 1 and not function.primes:
            return largest(function.name, [self.value(a) for a in args], span)
        if function.name in UNREAD:
            raise Unsettled(f"{function.name} has no meaning here: define it by a formula", span)
        if len(args) != 1:
            raise ReadError(f"{function.name} takes one argument", span)
        v = self.value(args[0])
        name = WRITTEN.get(function.name, function.name)
        if name in DERIVATIVES or name in COMPOSED:
            return self.named(name, function.primes, v, span)
        if function.primes:
            raise Unsettled(f"the derivative of {name} with a prime is not supported", span)
        return self.whole_array(name, v, span)

    # --- elementwise -------------------------------------------------------------------------

    def named(self, name: str, primes: int, v: Value, span: Span) -> Value:
        if primes > 1:
            raise Unsettled(f"{name} with {primes} primes is not supported", span)
        if primes == 0 and name in DERIVATIVES:
            return self.elementwise(name, 0, v, span)
        if name in DERIVATIVES:
            return self.per_entry(lambda u: DERIVATIVES[name](u)[0], v, span)
        row = COMPOSED[name]
        by_rules = row.slope or (lambda u: replaced(derivative(row.value(Z)), Z, u))
        return self.per_entry(by_rules if primes else row.value, v, span)

    def elementwise(self, name: str, order: int, v: Value, span: Span) -> Value:
        if isinstance(v, Scalar):
            return Scalar(Apply(name, v.term, order))
        if isinstance(v, Mat):
            return Mat(Elementwise(name, v.form, order))
        raise Unsettled(f"{name} of this is not supported", span)

    def per_entry(self, rule: Callable[[Term], Term], v: Value, span: Span) -> Value:
        if isinstance(v, Scalar):
            return Scalar(rule(v.term))
        if isinstance(v, Mat):
            i, j, term = dummies(v)
            return Mat(Given(i, j, rule(term)))
        raise Unsettled("a function of this is not supported", span)

    def declared(self, symbol: FunctionSymbol, function: Function, args: tuple[Expr, ...], span: Span) -> Value:
        if symbol.kind == "loss":
            if function.primes:
                raise ReadError(f"{symbol.name} is a function of arrays: write its derivative with ∂ or ∇", span)
            return Scalar(self.loss(symbol, args, span))
        if symbol.body:
            return self.by_formula(symbol, function.primes, args, span)
        if len(args) != 1:
            raise ReadError(f"{symbol.name} takes one argument", span)
        v = self.value(args[0])
        if symbol.kind == "softmax":
            if function.primes:
                raise ReadError(
                    f"{symbol.name} is no function of one number: it has a Jacobian, not a derivative {symbol.name}'",
                    span,
                )
            return self.softmax(v, symbol.name, span)
        name = symbol.name if function.label is None else f"{symbol.name}^{{{function.label}}}"
        return self.elementwise(name, function.primes, v, span)

    def by_formula(self, symbol: FunctionSymbol, primes: int, args: tuple[Expr, ...], span: Span) -> Value:
        """σ(z) given as a formula; σ' is the derivative by the rules of a first course."""
        if symbol.abstract:
            self.algebra.note(f"{symbol.name}({symbol.args[0]}) = {symbol.body}, as the text says")
        if len(args) != len(symbol.args):
            raise ReadError(f"{symbol.name} takes {len(symbol.args)} arguments", span)
        if len(args) > 1 and primes:
            raise ReadError(f"{symbol.name} has several arguments: which derivative is meant?", span)
        values, term = [self.value(a) for a in args], self.body(symbol, span)
        variables = [Entry(Array(f"{letter}#"), ()) for letter in symbol.args]
        for _ in range(primes):
            term = slope(term, variables[0])
        if len(args) == 1:
            return self.per_entry(lambda u: replaced(term, variables[0], u), values[0], span)
        for variable, v in zip(variables, values, strict=True):
            if (number := as_scalar(v)) is None:
                raise ReadError(f"{symbol.name} is a function of numbers", span)
            term = replaced(term, variable, number)
        return Scalar(term)

    def body(self, symbol: FunctionSymbol, span: Span) -> Term:
        decl = self.decl
        for letter in symbol.args:
            decl = decl.with_array(ArraySymbol(letter, (), "scalar"))
        node = parse_expression(symbol.body, decl)
        apart = type(self)(decl, Model(decl), Sizes(decl), Algebra())  # it has nothing to do with the statement
        term = as_scalar(apart.alone(node, symbol.body))
        if term is None:
            raise ReadError(f"{symbol.name} is declared by a formula that is no number", span)
        if any(isinstance(t, Sum | Whole) for t in subterms(term)):
            raise ReadError(f"{symbol.name} is declared by a formula with a sum: define an array instead", span)
        for letter in symbol.args:
            term = replaced(term, Entry(Array(letter), ()), Entry(Array(f"{letter}#"), ()))
        self.used |= {s: a for s, a in apart.used.items() if s.name not in symbol.args}  # hypotheses may be about them
        return term

    # --- functions of whole arrays -----------------------------------------------------------

    def softmax(self, v: Value, name: str, span: Span) -> Value:
        if not isinstance(v, Mat):
            raise ReadError(f"{name} is a function of a whole vector, not of one number: write {name}(z)_i", span)
        return Mat(Softmax(v.form, self.softmax_axis(v, name, span)))

    def softmax_axis(self, v: Mat, name: str, span: Span) -> int:
        """0: of each column; 1: of each row.  Of a matrix what is declared, else not along the axis of the samples."""
        decl = self.decl
        if UNIT in v.shape:
            return 0 if v.shape[1] == UNIT else 1
        batch = [k for k, n in enumerate(v.shape) if n in self.batch_sizes()]
        if decl.softmax or len(batch) == 1:
            axis = 1 - batch[0] if not decl.softmax else 1 if decl.softmax == "rows" else 0
        elif decl.convention == "row":
            axis = 1
        else:
            n, m = v.shape
            raise Unsettled(
                f"{name} of a {n}×{m} array: of each row, or of each column? declare softmax: rows (or columns)", span
            )
        self.algebra.note(f"{name} of a matrix is that of each {'row' if axis == 1 else 'column'}")
        return axis

    def loss(self, symbol: FunctionSymbol, args: tuple[Expr, ...], span: Span) -> Term:
        """An abstract function of its first argument; the others are held in the function, or, where they carry
        indices, joined with the first into one array."""
        if not args:
            raise ReadError(f"{symbol.name} needs its arguments", span)
        values = [as_matrix(self.value(a)) for a in args]
        mats = [m for m in values if m is not None]
        if len(mats) != len(args):
            raise Unsettled(f"{symbol.name} of this is not supported", span)
        first, rest = mats[0], mats[1:]
        if not any(carries_indices(m) or self.is_variable(a) for m, a in zip(rest, args[1:], strict=True)):
            usual = tuple(parse_expression(a, self.decl) for a in symbol.args[1:])
            held = ",".join(map(spelled, args[1:]))
            return over_array(symbol.name if args[1:] in ((), usual) else f"{symbol.name}(·,{held})", first)
        if any(m.shape != first.shape for m in rest):
            raise ReadError(f"the arguments of {symbol.name} have different shapes: they cannot all vary", span)
        c, (i, j, _) = dummy(sized(len(mats)), "c"), dummies(first)
        parts = [mul(Delta(c, affine(k, ())), entry(m.form, i, j)) for k, m in enumerate(mats)]
        return of_entries(symbol.name, (c, i, j), add(*parts))

    def is_variable(self, node: Expr) -> bool:
        return isinstance(node, Symbol) and any(self.model.depends(node, t) for t in self.model.targets)

    def whole_array(self, name: str, v: Value, span: Span) -> Value:
        if name == "softmax":
            return self.softmax(v, name, span)
        if name == "norm":
            return self.norm(v, "2", span)
        if not isinstance(v, Mat):
            if name in ("tr", "det", "sum", "mean", "max", "min") and isinstance(v, Scalar):
                return v
            raise ReadError(f"{name} needs an array", span)
        rows, columns = v.shape
        match name:
            case "tr" | "det" | "inv":
                if rows != columns:
                    raise ReadError(f"{name} of a {rows}×{columns} array: a square matrix is needed", span)
                if name == "inv":
                    return Mat(Inverse(v.form))
                form = Trace(v.form) if name == "tr" else Determinant(v.form)
                return Scalar(entry(form, affine(0, ()), affine(0, ())))
            case "diag":
                if UNIT in v.shape:
                    return Mat(Diagonal(v.form))
                if rows == columns:
                    return Mat(DiagonalOf(v.form))
                raise ReadError(f"diag of a {rows}×{columns} array", span)
            case "sum":
                return Scalar(total(v, lambda t: t))
            case "mean":
                return Scalar(times(Power(rows * columns, Fraction(-1)), total(v, lambda t: t)))
            case "max":
                return Scalar(over_array("max", v))
            case "min":
                return Scalar(neg(over_array("max", v, neg)))
            case "logsumexp":
                return Scalar(Apply("log", total(v, lambda t: Apply("exp", t))))
            case _:
                raise Unsettled(f"{name} is not supported", span)

    def norm(self, v: Value, order: str, span: Span) -> Value:
        number, m = as_scalar(v), as_matrix(v)
        if order == "abs" and number is not None:
            return Scalar(absolute(number))
        if order == "abs" and m is not None and m.shape[0] == m.shape[1]:
            self.algebra.note("bars around a matrix are its determinant")
            return Scalar(entry(Determinant(m.form), affine(0, ()), affine(0, ())))
        if order == "abs":
            raise ReadError("|·| of an array: write \\lVert \\rVert for a norm, \\det for a determinant", span)
        if order == "∞":
            raise Unsettled("the norm ‖·‖_∞ is not supported", span)
        if order == "1" and m is not None:
            return Scalar(total(m, absolute))
        return Scalar(Power(self.square_norm(v, span).term, Fraction(1, 2)))

    def square_norm(self, v: Value, span: Span) -> Scalar:
        if (m := as_matrix(v)) is None:
            raise Unsettled("a norm of this is not supported", span)
        return Scalar(total(m, lambda t: Power(t, Fraction(2))))


def over_array(name: str, m: Mat, rule: Callable[[Term], Term] = lambda t: t) -> Term:
    """A function of all entries."""
    i, j, term = dummies(m)
    return of_entries(name, (i, j), rule(term))


def of_entries(name: str, axes: tuple[Index, ...], body: Term) -> Term:
    """Axes of size 1 have only the index 0."""
    body = substitute(body, {x: affine(0, ()) for x in axes if x.size == UNIT})
    return whole(name, 0, tuple(x for x in axes if x.size != UNIT), body, ())


def carries_indices(m: Mat) -> bool:
    i, j, term = dummies(m)
    return bool(free(term) - {i, j})


def spelled(node: Expr) -> str:
    """A short name for what is held fixed in a function."""
    if isinstance(node, Symbol):
        label = "" if node.label is None else f"^{{{node.label}}}"
        return node.name + label + ("" if node.sample is None else f"^{{({node.sample})}}")
    return str(node)


def slope(term: Term, variable: Entry) -> Term:
    """The derivative of a scalar formula by its variable."""
    return replaced(derivative(replaced(term, variable, Z)), Z, variable)


def largest(name: str, values: list[Value], span: Span) -> Value:
    """max(0, z), entry by entry: b + (a - b) [a - b > 0]; a number stands for an array of it."""

    def pick(terms: list[Term]) -> Term:
        out = terms[0]
        for t in terms[1:]:
            more = t if out == ZERO else neg(out) if t == ZERO else sub(t, out)
            out = add(out, mul(more, Holds(Positive(more if name == "max" else neg(more)))))
        return out

    if (found := entrywise(pick, values)) is None:
        raise ReadError(f"the arguments of {name} have different shapes", span)
    return found
