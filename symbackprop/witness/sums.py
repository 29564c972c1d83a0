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

from .ring import Quotient, Ring

A, B = sympy.symbols("a b", integer=True)
SAMPLE = sympy.Symbol("n", integer=True)

Lookup: TypeAlias = Mapping[str, Callable[..., Expr]]
Environment: TypeAlias = dict[Expr, int]
Compiled: TypeAlias = Callable[[Environment], Quotient]


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


def compiled(expression: Expr, ring: Ring, lookup: Lookup) -> Compiled:
    """A function from values of the free indices to the value in the ring.

    `lookup` gives the entry behind each indexed name.  Raises SymbackpropError for anything but sums over literal
    ranges, products, integer powers, deltas, indexed entries and rational numbers.
    """
    match expression:
        case sympy.Rational():
            constant = ring.number(expression)
            return lambda _: constant
        case sympy.KroneckerDelta():
            left, right = expression.args
            return lambda at: ring.one if _place(left, at) == _place(right, at) else ring.zero
        case sympy.Indexed():
            entry, places = lookup[str(expression.base)], expression.indices
            return _remembering(lambda at: ring.convert(entry(*(_place(place, at) for place in places))), places)
        case sympy.Sum():
            return _remembering(_compiled_sum(expression, ring, lookup), expression.free_symbols)
        case sympy.Add():
            terms = [compiled(argument, ring, lookup) for argument in expression.args]
            return lambda at: _fold(ring.add, ring.zero, terms, at)
        case sympy.Mul():
            factors = [compiled(argument, ring, lookup) for argument in sorted(expression.args, key=_cheapest_first)]
            return lambda at: _product(ring, factors, at)
        case sympy.Pow(base=base, exp=sympy.Integer() as exponent):
            inner, power = compiled(base, ring, lookup), int(exponent)
            return lambda at: ring.power(inner(at), power)
        case _:
            raise SymbackpropError(f"{expression} is not a sum of products of entries")


def _compiled_sum(expression: sympy.Sum, ring: Ring, lookup: Lookup) -> Compiled:
    run = compiled(expression.function, ring, lookup)
    for index, low, high in expression.limits:  # the innermost comes first
        if not (low.is_Integer and high.is_Integer):
            raise SymbackpropError(f"{expression} does not run over literal ranges")
        run = _looped(run, index, range(int(low), int(high) + 1), ring)
    return run


def _remembering(run: Compiled, indices: Iterable[Expr]) -> Compiled:
    """The same function, evaluated once for each choice of the indices it depends on."""
    relevant = [index for index in indices if isinstance(index, sympy.Symbol) and index.is_integer]
    known: dict[tuple[int, ...], Quotient] = {}

    def remembered(at: Environment) -> Quotient:
        key = tuple(at[index] for index in relevant)
        if key not in known:
            known[key] = run(at)
        return known[key]

    return remembered


def _looped(body: Compiled, index: Expr, values: range, ring: Ring) -> Compiled:
    def run(at: Environment) -> Quotient:
        total = ring.zero
        for value in values:
            term = body({**at, index: value})
            if term.numerator:
                total = ring.add(total, term)
        return total

    return run


def _product(ring: Ring, factors: list[Compiled], at: Environment) -> Quotient:
    result = ring.one
    for factor in factors:
        value = factor(at)
        if not value.numerator:
            return ring.zero
        result = ring.multiply(result, value)
    return result


def _fold(
    combine: Callable[[Quotient, Quotient], Quotient], start: Quotient, parts: list[Compiled], at: Environment
) -> Quotient:
    result = start
    for part in parts:
        result = combine(result, part(at))
    return result


def _place(index: Expr, at: Environment) -> int:
    return int(index) if index.is_Integer else at[index]


def _cheapest_first(factor: Expr) -> int:
    """Deltas before everything, sums after everything: a zero ends the product."""
    match factor:
        case sympy.KroneckerDelta():
            return 0
        case sympy.Sum():
            return 2
        case _:
            return 1
