"""Compact forms as numbers of an explicit network: the bridge between a claim and its witness.

Only what the claims of the tests are made of; nothing of the prover is used.
"""

from __future__ import annotations

from typing import Any

import sympy

from symbackprop.core.indices import Affine, Index
from symbackprop.core.matrix import (
    Elementwise,
    Given,
    Hadamard,
    Leaf,
    Ones,
    Plus,
    Product,
    Scale,
    Softmax,
    Transpose,
    shape,
)
from symbackprop.core.terms import Entry, Mul, Num, Power, Size, Whole


class Witness:
    """Values of forms in an explicit network; `sizes` are the numbers for the symbols."""

    def __init__(self, net: Any, sizes: dict[str, int]) -> None:
        self.net, self.sizes = net, sizes

    def form(self, m: Any) -> Any:
        go = self.form
        match m:
            case Leaf():
                return self.leaf(m)
            case Product(a, b):
                return go(a) * go(b)
            case Hadamard(a, b):
                return go(a).multiply_elementwise(go(b))
            case Plus(args):
                total = go(args[0])
                for a in args[1:]:
                    total += go(a)
                return total
            case Scale(factor, of):
                return go(of) * self.number(factor)
            case Transpose(of):
                return go(of).T
            case Ones((n, k)):
                return sympy.ones(n.at(self.sizes), k.at(self.sizes))
            case Softmax(Leaf(array, _, _), _):
                return self.net.a[self.layer(array)]
            case Elementwise(_, Leaf(array, _, _), order):
                return (self.net.slope if order else self.net.a.__getitem__)(self.layer(array))
            case Given(_, _, Whole()):
                return self.net.upstream
            case Given(row, column, body):
                n, k = (s.at(self.sizes) for s in shape(m))
                return sympy.ImmutableMatrix(n, k, lambda i, j: self.entry(body, {row: i, column: j}))
        raise TypeError(m)

    def leaf(self, leaf: Leaf) -> Any:
        net, name = self.net, leaf.array.name.lower()
        if name == "t":
            return net.t
        l = 0 if leaf.array.label is None else self.layer(leaf.array)
        return net.delta(l) if name == "δ" else {"w": net.W, "b": net.b, "a": net.a, "x": net.a, "z": net.z}[name][l]

    def layer(self, array: Any) -> int:
        return array.label.constant

    def number(self, t: Any) -> Any:
        match t:
            case Num(value):
                return sympy.Rational(value.numerator, value.denominator)
            case Size():
                return sympy.Integer(t.at(self.sizes))
            case Power(base, exponent):
                return self.number(base) ** sympy.Rational(exponent.numerator, exponent.denominator)
            case Mul(args):
                return sympy.Mul(*map(self.number, args))
        raise TypeError(t)

    def entry(self, t: Any, at: dict[Index, int]) -> Any:
        """A product of entries at constant indices or at the indices of the form."""
        match t:
            case Mul(args):
                return sympy.Mul(*(self.entry(a, at) for a in args))
            case Entry(array, places):
                values = tuple(at[p] if isinstance(p, Index) else constant(p) for p in places)
                return self.leaf(Leaf(array, "matrix", (Size(()), Size(()))))[values]
        return self.number(t)


def constant(e: Any) -> int:
    assert isinstance(e, Affine) and not e.parts
    return e.constant.at({})
