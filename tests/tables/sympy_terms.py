"""Any term as a SymPy expression: Sum, KroneckerDelta, Indexed, and Function and Derivative for abstract functions.

Sums run from 1 and indices count from 1, as on paper, so `W[i, k]` of `Sum(W[i, k]*x[k], (k, 1, m))` is w_ik.  Dummies
get letters that nothing else uses.  SymPy's own rules for sums of deltas are not sound (see the traps it has with
indices that are free and summed): the expression is for reading and computing with numbers, not for proofs.
"""

from __future__ import annotations

from typing import Any, assert_never

import sympy
from sympy import Function, Heaviside, Indexed, IndexedBase, Integer, KroneckerDelta, Rational, Symbol

from symbackprop.core.functions import column
from symbackprop.core.indices import Affine, Bound, Index, IndexExpr, Pick, Size, affine
from symbackprop.core.laws.functions import PI
from symbackprop.core.terms import (
    Add,
    Apply,
    Array,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    Num,
    Ordinal,
    Positive,
    Power,
    Sum,
    SymbackpropError,
    Term,
    Whole,
    open_body,
    opened,
)
from symbackprop.write.paper.term_parts import choose, coefficient_sum, names_in

NAMED = {"gammaln": sympy.loggamma, **{f: getattr(sympy, theirs) for f, theirs in column(lambda f: f.sympy).items()}}


def sympy_term(t: Term) -> Any:
    """The term as a SymPy expression.  Raises SymbackpropError for a maximum over an index."""
    return _Writer().term(t, names_in(t))


class _Writer:
    def term(self, t: Term, taken: frozenset[str]) -> Any:
        def go(s: Term) -> Any:
            return self.term(s, taken)

        match t:
            case Num(value):
                return Rational(value.numerator, value.denominator)
            case Size():
                return self.size(t)
            case Entry(array, at):
                return sympy.pi if t == PI else self.entry(array, at)
            case Ordinal(of):
                return self.index(of) - 1
            case Delta(i, j):
                return KroneckerDelta(self.index(i), self.index(j))
            case Add(args):
                return sympy.Add(*map(go, args))
            case Mul(args):
                return sympy.Mul(*map(go, args))
            case Power(base, exponent):
                return sympy.Pow(go(base), Rational(exponent.numerator, exponent.denominator))
            case Apply(fn, arg, order):
                return self.function(fn, go(arg), order)
            case Sum(size):
                k = Index(choose(t.hint, taken), size)
                return sympy.Sum(self.term(opened(t, k), taken | {k.name}), (self.index(k), 1, self.size(size)))
            case Diff(body, wrt):
                return sympy.Derivative(go(body), go(wrt), evaluate=False)
            case Whole():
                return self.whole(t, taken)
            case Holds(Positive(u)):
                return Heaviside(go(u), 0)
            case Holds(p):
                assert not isinstance(p, Positive)
                return sympy.Piecewise((1, self.index(affine(-1, ((p.expr, 1),))) >= 0), (0, True))
            case _:
                assert_never(t)

    def size(self, s: Size) -> Any:
        total = Integer(0)
        for symbols, c in s.monomials:
            total += sympy.Mul(c, *(Symbol(x, integer=True, positive=True) for x in symbols))
        return total

    def entry(self, array: Array, at: tuple[IndexExpr, ...]) -> Any:
        name = str(array)
        if not at:
            return Symbol(name, real=True)
        return Indexed(IndexedBase(name, real=True), *map(self.index, at))

    def index(self, e: IndexExpr) -> Any:
        """The index, counted from 1."""
        match e:
            case Index(name, _):
                return Symbol(name, integer=True)
            case Pick(array, at, _):
                return Indexed(IndexedBase(array, integer=True), *map(self.index, at))
            case Affine(constant, parts):
                shift = self.size(constant - coefficient_sum(e) + 1)
                return sympy.Add(shift, *(self.size(k) * self.index(a) for a, k in parts))
            case Bound():
                raise SymbackpropError("an index of a sum that is not there")
            case _:
                assert_never(e)

    def function(self, fn: str, arg: Any, order: int) -> Any:
        if order == 0:
            if fn in NAMED:
                return NAMED[fn](arg)
            if fn == "sigmoid":
                return 1 / (1 + sympy.exp(-arg))
            if fn == "softplus":
                return sympy.log(1 + sympy.exp(arg))
        function = Function(fn, real=True)
        if order == 0:
            return function(arg)
        x = sympy.Dummy("x", real=True)
        return sympy.Subs(sympy.Derivative(function(x), (x, order)), x, arg)

    def whole(self, w: Whole, taken: frozenset[str]) -> Any:
        axes: list[Index] = []
        for n, size in enumerate(w.sizes):
            letter = choose(w.hints[n] if n < len(w.hints) else "k", taken | {a.name for a in axes})
            axes.append(Index(letter, size))
        body = self.term(open_body(w.body, tuple(axes)), taken | {a.name for a in axes})
        symbols = [self.index(a) for a in axes]
        if w.fn == "prod":
            for i, size in zip(reversed(symbols), reversed(w.sizes), strict=True):
                body = sympy.Product(body, (i, 1, self.size(size)))
            return body
        if w.fn in ("det", "inv"):
            (i, j), (size, _) = symbols, w.sizes
            from_zero = sympy.Lambda((i, j), body.xreplace({i: i + 1, j: j + 1}))
            matrix = sympy.FunctionMatrix(self.size(size), self.size(size), from_zero)
            at = [self.index(e) - 1 for e in w.at]
            return sympy.Determinant(matrix) if w.fn == "det" else sympy.MatrixElement(sympy.Inverse(matrix), *at)
        if w.fn in ("max", "argmax", "gap"):
            raise SymbackpropError(f"SymPy has no {w.fn} over an index")
        value = Function(w.fn, real=True)(body)
        width = max(1, len(axes))
        for n in range(0, len(w.at), width):  # ∂L/∂y_j: the body at the place of the derivative
            at_place = dict(zip(symbols, (self.index(e) for e in w.at[n : n + width]), strict=True))
            value = sympy.Derivative(value, body.xreplace(at_place), evaluate=False)
        return value
