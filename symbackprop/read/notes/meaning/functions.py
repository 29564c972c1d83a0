"""Functions in formulas: abstract and named elementwise ones, softmax, losses, trace, determinant, norms."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from symbackprop.core.composed import COMPOSED, UNREAD, absolute
from symbackprop.core.functions import ROWS
from symbackprop.core.indices import Index, affine
from symbackprop.core.laws.functions import DERIVATIVES
from symbackprop.core.matrix import (
    UNIT,
    Determinant,
    Diagonal,
    DiagonalOf,
    Elementwise,
    Given,
    Inverse,
    Softmax,
    Trace,
    entry,
)
from symbackprop.core.terms import (
    ZERO,
    Apply,
    Array,
    Delta,
    Entry,
    Holds,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
    add,
    arguments,
    dummy,
    free,
    mul,
    neg,
    num,
    over,
    rebuilt,
    sized,
    sub,
    substitute,
    subterms,
    whole,
)
from symbackprop.network.activations import Z, derivative
from symbackprop.read.notes.declared.symbols import ArraySymbol, FunctionSymbol
from symbackprop.read.notes.files.place import ReadError, Span, Unsettled
from symbackprop.read.notes.grammar.resolve import parse_expression
from symbackprop.read.notes.grammar.tree import Equated, Expr, Function, Symbol

from .meaning import Meaning
from .values import Mat, Scalar, Value, as_matrix, as_scalar, times

WRITTEN = {f.words[0]: f.name for f in ROWS}


class Functions:
    """Calls; shares the elaborator's scope."""

    def __init__(self, elaborator: Meaning) -> None:
        self.e = elaborator

    def call(self, function: Function, args: tuple[Expr, ...], span: Span) -> Value:
        for a in args:
            if isinstance(a, Equated):
                raise ReadError(f"an equation as argument of {function.name}", a.span)
        symbol = self.e.decl.functions.get(function.name)
        if symbol is not None:
            return self.declared(symbol, function, args, span)
        if function.name in ("max", "min") and len(args) > 1 and not function.primes:
            return largest(function.name, [self.e.value(a) for a in args], span)
        if function.name in UNREAD:
            raise Unsettled(f"{function.name} has no meaning here: define it by a formula", span)
        if len(args) != 1:
            raise ReadError(f"{function.name} takes one argument", span)
        v = self.e.value(args[0])
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
            i, j = dummy(v.shape[0], "i"), dummy(v.shape[1], "j")
            return Mat(Given(i, j, rule(entry(v.form, i, j))))
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
        v = self.e.value(args[0])
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
            self.e.algebra.note(f"{symbol.name}({symbol.args[0]}) = {symbol.body}, as the text says")
        if len(args) != len(symbol.args):
            raise ReadError(f"{symbol.name} takes {len(symbol.args)} arguments", span)
        if len(args) != 1:
            if primes:
                raise ReadError(f"{symbol.name} has several arguments: which derivative is meant?", span)
            values = [as_scalar(self.e.value(a)) for a in args]
            if any(v is None for v in values):
                raise ReadError(f"{symbol.name} is a function of numbers", span)
            term = self.body(symbol, span)
            for letter, v in zip(symbol.args, values, strict=True):
                assert v is not None
                term = replaced(term, Entry(Array(f"{letter}#"), ()), v)
            return Scalar(term)
        variable = Entry(Array(f"{symbol.args[0]}#"), ())
        term = self.body(symbol, span)
        for _ in range(primes):
            term = slope(term, variable)
        return self.per_entry(lambda u: replaced(term, variable, u), self.e.value(args[0]), span)

    def body(self, symbol: FunctionSymbol, span: Span) -> Term:
        decl = self.e.decl
        for letter in symbol.args:
            decl = decl.with_array(ArraySymbol(letter, (), "scalar"))
        node = parse_expression(symbol.body, decl)
        term = as_scalar(self.e.afresh(decl).alone(node, symbol.body))
        if term is None:
            raise ReadError(f"{symbol.name} is declared by a formula that is no number", span)
        if any(isinstance(t, Sum | Whole) for t in subterms(term)):
            raise ReadError(f"{symbol.name} is declared by a formula with a sum: define an array instead", span)
        for letter in symbol.args:
            term = replaced(term, Entry(Array(letter), ()), Entry(Array(f"{letter}#"), ()))
        return term

    # --- functions of whole arrays -----------------------------------------------------------

    def softmax(self, v: Value, name: str, span: Span) -> Value:
        if not isinstance(v, Mat):
            raise ReadError(f"{name} is a function of a whole vector, not of one number: write {name}(z)_i", span)
        return Mat(Softmax(v.form, self.softmax_axis(v, name, span)))

    def softmax_axis(self, v: Mat, name: str, span: Span) -> int:
        """0: of each column; 1: of each row.  Of a matrix what is declared, else not along the axis of the samples."""
        decl = self.e.decl
        if UNIT in v.shape:
            return 0 if v.shape[1] == UNIT else 1
        batch = [k for k, n in enumerate(v.shape) if n in self.e.batch_sizes()]
        if decl.softmax or len(batch) == 1:
            axis = 1 - batch[0] if not decl.softmax else 1 if decl.softmax == "rows" else 0
        elif decl.convention == "row":
            axis = 1
        else:
            n, m = v.shape
            raise Unsettled(
                f"{name} of a {n}×{m} array: of each row, or of each column? declare softmax: rows (or columns)", span
            )
        self.e.algebra.note(f"{name} of a matrix is that of each {'row' if axis == 1 else 'column'}")
        return axis

    def loss(self, symbol: FunctionSymbol, args: tuple[Expr, ...], span: Span) -> Term:
        """An abstract function of its first argument; the others are held in the function, or, where they carry
        indices, joined with the first into one array."""
        if not args:
            raise ReadError(f"{symbol.name} needs its arguments", span)
        values = [as_matrix(self.e.value(a)) for a in args]
        mats = [m for m in values if m is not None]
        if len(mats) != len(args):
            raise Unsettled(f"{symbol.name} of this is not supported", span)
        first, rest = mats[0], mats[1:]
        i, j = dummy(first.shape[0], "i"), dummy(first.shape[1], "j")
        if not any(self.carries_indices(m) or self.is_variable(a) for m, a in zip(rest, args[1:], strict=True)):
            usual = tuple(parse_expression(a, self.e.decl) for a in symbol.args[1:])
            held = ",".join(map(spelled, args[1:]))
            return self.over_array(symbol.name if args[1:] in ((), usual) else f"{symbol.name}(·,{held})", first)
        if any(m.shape != first.shape for m in rest):
            raise ReadError(f"the arguments of {symbol.name} have different shapes: they cannot all vary", span)
        c = dummy(sized(len(mats)), "c")
        parts = [mul(Delta(c, affine(k, ())), entry(m.form, i, j)) for k, m in enumerate(mats)]
        return whole(symbol.name, 0, tuple(x for x in (c, i, j) if x.size != UNIT), self.flat(add(*parts), i, j), ())

    def over_array(self, name: str, m: Mat) -> Term:
        i, j = dummy(m.shape[0], "i"), dummy(m.shape[1], "j")
        return whole(name, 0, tuple(x for x in (i, j) if x.size != UNIT), self.flat(entry(m.form, i, j), i, j), ())

    @staticmethod
    def flat(body: Term, *axes: Index) -> Term:
        """Axes of size 1 have only the index 0."""
        return substitute(body, {x: affine(0, ()) for x in axes if x.size == UNIT})

    def carries_indices(self, m: Mat) -> bool:
        i, j = dummy(m.shape[0], "i"), dummy(m.shape[1], "j")
        return bool(free(entry(m.form, i, j)) - {i, j})

    def is_variable(self, node: Expr) -> bool:
        return isinstance(node, Symbol) and any(self.e.model.depends(node, t) for t in self.e.model.targets)

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
        i, j = dummy(rows, "i"), dummy(columns, "j")
        axes = tuple(x for x in (i, j) if x.size != UNIT)
        body = self.flat(entry(v.form, i, j), i, j)
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
                return Scalar(self.summed(axes, body))
            case "mean":
                return Scalar(times(Power(rows * columns, Fraction(-1)), self.summed(axes, body)))
            case "max":
                return Scalar(whole("max", 0, axes, body, ()))
            case "min":
                return Scalar(neg(whole("max", 0, axes, neg(body), ())))
            case "logsumexp":
                return Scalar(Apply("log", self.summed(axes, Apply("exp", body))))
            case _:
                raise Unsettled(f"{name} is not supported", span)

    @staticmethod
    def summed(axes: tuple[Index, ...], body: Term) -> Term:
        for x in reversed(axes):
            body = over(x, body)
        return body

    def norm(self, v: Value, order: str, span: Span) -> Value:
        if order == "abs":
            s = as_scalar(v)
            m = v if s is None else None
            if isinstance(m, Mat) and m.shape[0] == m.shape[1]:
                self.e.algebra.note("bars around a matrix are its determinant")
                return Scalar(entry(Determinant(m.form), affine(0, ()), affine(0, ())))
            if s is None:
                raise ReadError("|·| of an array: write \\lVert \\rVert for a norm, \\det for a determinant", span)
            return Scalar(absolute(s))
        if order == "1":
            m = as_matrix(v)
            if m is None:
                raise Unsettled("a norm of this is not supported", span)
            i, j = dummy(m.shape[0], "i"), dummy(m.shape[1], "j")
            return Scalar(self.summed((i, j), absolute(entry(m.form, i, j))))
        if order == "∞":
            raise Unsettled("the norm ‖·‖_∞ is not supported", span)
        square = as_scalar(self.square_norm(v, span))
        assert square is not None
        return Scalar(Power(square, Fraction(1, 2)))

    def square_norm(self, v: Value, span: Span) -> Value:
        m = as_matrix(v)
        if m is None:
            raise Unsettled("a norm of this is not supported", span)
        i, j = dummy(m.shape[0], "i"), dummy(m.shape[1], "j")
        axes = tuple(x for x in (i, j) if x.size != UNIT)
        return Scalar(self.summed(axes, Power(self.flat(entry(m.form, i, j), i, j), Fraction(2))))


def spelled(node: Expr) -> str:
    """A short name for what is held fixed in a function."""
    if isinstance(node, Symbol):
        label = "" if node.label is None else f"^{{{node.label}}}"
        return node.name + label + ("" if node.sample is None else f"^{{({node.sample})}}")
    return str(node)


def slope(term: Term, variable: Entry) -> Term:
    """The derivative of a scalar formula by its variable."""
    return replaced(derivative(replaced(term, variable, Z)), Z, variable)


def replaced(t: Term, old: Term, new: Term) -> Term:
    """`t` with a scalar variable replaced (no index of `new` is caught: sums in a scalar formula have their own)."""
    if t == old:
        return new
    parts = arguments(t)
    if not parts:
        return t
    return rebuilt(t, tuple(replaced(p, old, new) for p in parts))


def largest(name: str, values: list[Value], span: Span) -> Value:
    """max(0, z), entry by entry: b + (a - b) [a - b > 0]; a number stands for an array of it."""
    sizes = {v.shape for v in values if isinstance(v, Mat) and as_scalar(v) is None}
    if len(sizes) > 1 or any(as_scalar(v) is None and not isinstance(v, Mat) for v in values):
        raise ReadError(f"the arguments of {name} have different shapes", span)

    def pick(terms: list[Term]) -> Term:
        out = terms[0]
        for t in terms[1:]:
            more = t if out == ZERO else neg(out) if t == ZERO else sub(t, out)
            out = add(out, mul(more, Holds(Positive(more if name == "max" else neg(more)))))
        return out

    if not sizes:
        return Scalar(pick([t for v in values if (t := as_scalar(v)) is not None]))
    (n, k) = next(iter(sizes))
    i, j = dummy(n, "i"), dummy(k, "j")
    terms = []
    for v in values:
        number = as_scalar(v)
        assert number is not None or isinstance(v, Mat)
        terms.append(entry(v.form, i, j) if number is None and isinstance(v, Mat) else number or num(0))
    return Mat(Given(i, j, pick(terms)))
