"""The chain rule as nested sums with Kronecker deltas, and their evaluation entry by entry.

The sums are SymPy objects (`Sum`, `KroneckerDelta`, `Indexed`) for people to read and use.  They are evaluated here by
running through the indices, not by SymPy's `doit`, which loses terms and lets bound indices escape when deltas and
symbolic indices meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import sympy
from sympy.core.expr import Expr

from symbackprop.core.terms import SymbackpropError

A, B = sympy.symbols("a b", integer=True)
SAMPLE = sympy.Symbol("n", integer=True)

Lookup: TypeAlias = Mapping[str, Callable[..., Expr]]


@dataclass(frozen=True, slots=True)
class SumShape:
    """What the sums need to know of a network: `widths[l]` units in layer l, `samples` (None without a batch)."""

    widths: tuple[int, ...]
    samples: int | None
    rows: bool
    softmax: bool


def weight_sum(shape: SumShape, layer: int) -> Expr:
    """`∂L/∂W^l_ab`, as sums over every path from the outputs: the innermost factors are `δ_ia a^{l-1}_b`."""
    into, out = (A, B) if shape.rows else (B, A)
    source = _at(shape, f"a^{{{layer - 1}}}" if layer > 1 else "x", into)
    return _over_samples(shape, _signal(shape, layer, out, source))


def bias_sum(shape: SumShape, layer: int) -> Expr:
    """`∂L/∂b^l_a`, as sums over every path from the outputs: the innermost factor is `δ_ia`."""
    return _over_samples(shape, _signal(shape, layer, A, sympy.S.One))


def _signal(shape: SumShape, layer: int, out: Expr, source: Expr) -> Expr:
    top = len(shape.widths) - 1
    if not shape.softmax:
        i = _index(top)
        local = _at(shape, r"\partial L/\partial y", i) * _at(shape, _slope(top), i)
        return sympy.Sum(local * _below(shape, top, layer, out, source), (i, 1, shape.widths[top]))
    i, j = sympy.Symbol(f"k_{top}", integer=True), _index(top)
    s = f"a^{{{top}}}"
    jacobian = _at(shape, s, i) * (sympy.KroneckerDelta(i, j) - _at(shape, s, j))
    inner = sympy.Sum(jacobian * _below(shape, top, layer, out, source), (j, 1, shape.widths[top]))
    return sympy.Sum(_at(shape, r"\partial L/\partial y", i) * inner, (i, 1, shape.widths[top]))


def _below(shape: SumShape, at: int, layer: int, out: Expr, source: Expr) -> Expr:
    """What multiplies `∂L/∂z^at_i`: sums down to the layer that holds the parameter."""
    i = _index(at)
    if at == layer:
        return sympy.KroneckerDelta(i, out) * source
    k = _index(at - 1)
    weight = _base(f"W^{{{at}}}")[(k, i) if shape.rows else (i, k)]
    inner = weight * _at(shape, _slope(at - 1), k) * _below(shape, at - 1, layer, out, source)
    return sympy.Sum(inner, (k, 1, shape.widths[at - 1]))


def _over_samples(shape: SumShape, body: Expr) -> Expr:
    return body if shape.samples is None else sympy.Sum(body, (SAMPLE, 1, shape.samples))


def _at(shape: SumShape, name: str, unit: Expr) -> Expr:
    if shape.samples is None:
        return _base(name)[unit]
    return _base(name)[(SAMPLE, unit) if shape.rows else (unit, SAMPLE)]


def _base(name: str) -> sympy.IndexedBase:
    return sympy.IndexedBase(sympy.Symbol(name))


def _index(layer: int) -> sympy.Symbol:
    return sympy.Symbol(f"i_{layer}", integer=True)


def _slope(layer: int) -> str:
    return f"f'(z^{{{layer}}})"


class Entries:
    """The entries that a sum stands for: every index runs through its literal range, each inner sum once for its own.

    `lookup` gives the entry behind each indexed name.
    """

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.known: dict[tuple[Expr, frozenset[tuple[Expr, int]]], Expr] = {}

    def at(self, expression: Expr, places: Mapping[Expr, int]) -> Expr:
        """The value at these indices.

        Raises SymbackpropError for anything but sums over literal ranges, products, integer powers, deltas, indexed
        entries and rational numbers.
        """
        own = expression.free_symbols
        key = expression, frozenset((index, place) for index, place in places.items() if index in own)
        if key not in self.known:
            self.known[key] = self._at(expression, places)
        return self.known[key]

    def _at(self, expression: Expr, places: Mapping[Expr, int]) -> Expr:
        match expression:
            case sympy.Rational():
                return expression
            case sympy.KroneckerDelta():
                left, right = (_place(index, places) for index in expression.args)
                return sympy.Integer(left == right)
            case sympy.Indexed():
                entry = self.lookup[str(expression.base)]
                return entry(*(_place(index, places) for index in expression.indices))
            case sympy.Sum(function=body, limits=limits) if all(n.is_Integer for _, *ends in limits for n in ends):
                *inner, (index, low, high) = limits  # the innermost comes first
                body = sympy.Sum(body, *inner) if inner else body
                values = range(int(low), int(high) + 1)
                return sympy.Add(*(self.at(body, {**places, index: value}) for value in values))
            case sympy.Add():
                return sympy.Add(*(self.at(argument, places) for argument in expression.args))
            case sympy.Mul():
                return self.product(sorted(expression.args, key=_cheapest_first), places)
            case sympy.Pow(base=base, exp=sympy.Integer() as exponent):
                return self.at(base, places) ** exponent
            case _:
                raise SymbackpropError(f"{expression} is not a sum of products of entries over literal ranges")

    def product(self, factors: Iterable[Expr], places: Mapping[Expr, int]) -> Expr:
        values = []
        for factor in factors:
            value = self.at(factor, places)
            if value == 0:
                return value
            values.append(value)
        return sympy.Mul(*values)


def _place(index: Expr, places: Mapping[Expr, int]) -> int:
    return int(index) if index.is_Integer else places[index]


def _cheapest_first(factor: Expr) -> int:
    """Deltas before everything, sums after everything: a zero ends the product."""
    match factor:
        case sympy.KroneckerDelta():
            return 0
        case sympy.Sum():
            return 2
        case _:
            return 1
