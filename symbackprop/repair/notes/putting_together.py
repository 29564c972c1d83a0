"""Candidates made of the factors of a formula: all of them otherwise, one replaced, one more, one less; a term more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from math import prod
from typing import cast

import numpy as np

from symbackprop.numbers.floats import close
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.grammar.rewriting import index_names
from symbackprop.read.notes.grammar.tree import (
    Add, Call, Entry, Expr, Label, Neg, Num, Ones, Power, Product, Quotient, Symbol, Transpose,
)  # fmt: skip
from symbackprop.read.notes.grammar.walking import product_of, relabel, walk
from symbackprop.read.notes.meaning.definitions import symbols as symbols_in

from ..trials import constant_ratio
from .edits import Edit, Written
from .rebuilding import Apart, Atom, apart, leaves, rebuilt
from .values_at_points import FloatArray, Measured, measured

_FACTORS, _FAR, _NEAR, _EACH = 4, 7, 16, 4


@dataclass(frozen=True, slots=True)
class Extra:
    """A factor that was not written: one that may stand for `instead_of`, or, without that, may be missing."""

    tree: Expr
    mistake: str
    instead_of: Expr | None = None


@dataclass(frozen=True, slots=True)
class Builder:
    """`fixed` is the side that `formula` should equal; `near` are symbols that may have been forgotten."""

    decl: Declarations
    fixed: Expr
    formula: Expr
    text: str
    near: tuple[Symbol, ...]
    written: Written

    def ways(self) -> tuple[list[Edit], Measured | None]:
        """What has the values of the fixed side, cheapest first, and the points it was tried at."""
        if index_names([self.formula, self.fixed]):
            return [], None
        parts = list(self.formula.args) if isinstance(self.formula, Add) else [self.formula]
        taken = [apart(p) for p in parts]
        if any(not 1 <= len(a.factors) <= _FACTORS for a in taken):
            return [], None
        extras = self.extras(taken)
        values = self.values(taken, extras, parts)
        if values is None:
            return [], None
        out: list[Edit] = []
        for k, a in enumerate(taken):
            target = rest_of_target(values, parts, k)
            for way in self.of_part(a, values, target, extras, len(parts) == 1) if target is not None else ():
                signed = Neg(way.tree) if a.negative else way.tree
                whole = signed if len(parts) == 1 else Add((*parts[:k], signed, *parts[k + 1 :]))
                out.append(replace(way, tree=whole))
        return sorted((w for w in out if w.cost <= _FAR), key=lambda w: w.cost), values

    def values(self, taken: Sequence[Apart], extras: Sequence[Extra], parts: Sequence[Expr]) -> Measured | None:
        """With all extras, if a layer that the statement does not mention brings no trouble; else with fewer."""
        own = [f for a in taken for f, _ in a.factors]
        labels = {s.label for t in (self.fixed, self.formula) for s in symbols_in(t)}
        near = [e.tree for e in extras if {s.label for s in symbols_in(e.tree)} <= labels]
        for more in ([e.tree for e in extras], near, []):
            found = measured(self.decl, self.fixed, list(dict.fromkeys([*own, *more, *parts])), self.text)
            if found is not None:
                return found
        return None

    def of_part(
        self, a: Apart, values: Measured, target: Sequence[FloatArray], extras: Sequence[Extra], alone: bool
    ) -> Iterator[Edit]:
        """The ways for one summand; `alone`: it is the whole formula, so that a number may be missing in front."""
        if any(f not in values.factors for f, _ in a.factors):
            return
        atoms = [Atom(f, values.factors[f], turned, k) for k, (f, turned) in enumerate(a.factors)]
        fronts = [front(a, sizes) for sizes in values.sizes]
        if any(not c for c in fronts):
            return
        goal = [t / c for t, c in zip(target, fronts, strict=True) if c]
        for base, chosen, what, forgotten in self.variants(atoms, values, extras):
            for tree, cost in islice(rebuilt(chosen, goal, a.hadamards), _EACH):
                said = ", ".join(x for x in (what, self.difference(a, tree, forgotten)) if x)
                yield Edit(with_scalars(tree, a), said or "put together otherwise", base + cost)
        if alone and len(atoms) == 1:
            yield from self.proportional(a, atoms[0], goal)

    def variants(
        self, atoms: Sequence[Atom], values: Measured, extras: Sequence[Extra]
    ) -> Iterator[tuple[int, list[Atom], str, bool]]:
        """(cost, factors, mistake, whether one was forgotten): as they are; one replaced; one more; one less."""
        yield 0, list(atoms), "", False
        for e in extras:
            if e.tree not in values.factors:
                continue
            place = -1 if isinstance(e.tree, Quotient) else len(atoms)  # numbers stand in front
            extra = Atom(e.tree, values.factors[e.tree], False, place)
            if e.instead_of is None and len(atoms) < _FACTORS:
                yield (2 if isinstance(e.tree, (Call, Ones)) else 4), [*atoms, extra], e.mistake, True
            for k, a in enumerate(atoms):
                stands = e.instead_of == a.tree
                if stands or (e.instead_of is None and e.tree != a.tree):
                    placed = replace(extra, place=k, turned=a.turned)
                    said = e.mistake if stands else f"{self.written(a.tree)} for {self.written(e.tree)}"
                    yield (2 if stands else 5), [*atoms[:k], placed, *atoms[k + 1 :]], said, False
        for k, a in enumerate(atoms) if len(atoms) > 1 else ():
            yield 4, [*atoms[:k], *atoms[k + 1 :]], f"extra factor {self.written(a.tree)}", False

    def proportional(self, a: Apart, atom: Atom, goal: Sequence[FloatArray]) -> Iterator[Edit]:
        """A single factor that lacks a number only."""
        for leaf in leaves(atom):
            if any(v.shape != g.shape for v, g in zip(leaf.values, goal, strict=True)):
                continue
            ratios = [constant_ratio(g, v) for v, g in zip(leaf.values, goal, strict=True)]
            known = tuple(r for r in ratios if r is not None)
            if len(known) == len(goal) and any(abs(r - 1) > 1e-9 for r in known):
                yield Edit(with_scalars(leaf.tree, a), self.difference(a, leaf.tree), leaf.cost + 3, known)

    def extras(self, taken: Sequence[Apart]) -> list[Extra]:
        """Slopes of activations, ones to sum with, arrays that are near; other layers and primes of what is written."""
        calls = slopes(self.decl, (self.fixed, self.formula))
        out = [Extra(call, f"missing factor {self.written(call)}") for call in calls]
        for name, symbol in self.decl.sizes.items():
            if not symbol.hidden and symbol.value is None:
                out.append(Extra(Ones((Symbol(name),)), f"missing sum over {name}"))
        out += [Extra(s, f"missing factor {self.written(s)}") for s in self.near[:_NEAR]]
        for s in self.near:
            array = self.decl.arrays.get(s.name) if s.label is None else None
            if array is not None and not array.shape:
                inverse = Quotient(Num(Fraction(1)), s)
                out.append(Extra(inverse, f"missing factor {self.written(inverse)}"))
        for f in dict.fromkeys(f for a in taken for f, _ in a.factors):
            for step in (1, -1):
                moved = moved_layer(f, step)
                if moved is not None:
                    out.append(Extra(moved, f"wrong layer: {self.written(f)} for {self.written(moved)}", f))
            if isinstance(f, Call):
                for primes in (f.function.primes + 1, f.function.primes - 1):
                    if primes >= 0:
                        other = Call(replace(f.function, primes=primes), f.args)
                        out.append(Extra(other, f"{self.written(f)} for {self.written(other)}", f))
        return out

    def difference(self, a: Apart, tree: Expr, forgotten: bool = False) -> str:
        """What is different about the way the factors are put together, in words."""
        new = apart(tree)
        if [(f, not t) for f, t in new.factors] == list(a.factors)[::-1]:
            return "result transposed"
        said: list[str] = []
        before = dict(a.factors)
        for f, turned in new.factors:
            if f in before and turned != before[f]:
                said.append(f"{'transpose missing on' if turned else 'extra transpose on'} {self.written(f)}")
        common = [f for f, _ in a.factors if any(f == g for g, _ in new.factors)]
        if [g for g, _ in new.factors if g in common] != common:
            said.append("factors in the wrong order")
        if new.hadamards != a.hadamards and not forgotten:
            more = new.hadamards > a.hadamards
            said.append("matrix product for a Hadamard product" if more else "Hadamard product for a matrix product")
        return ", ".join(said[:3])


# --- helpers ---------------------------------------------------------------------------------


def rest_of_target(values: Measured, parts: Sequence[Expr], k: int) -> list[FloatArray] | None:
    """What the k-th summand should be: the target less the others; None where these have other shapes."""
    target = list(values.target)
    for m, p in enumerate(parts):
        if m == k:
            continue
        found = values.factors.get(p)
        if found is None or any(f.shape != t.shape for f, t in zip(found, target, strict=True)):
            return None
        target = [t - f for f, t in zip(found, target, strict=True)]
    return target


def front(a: Apart, sizes: dict[str, int]) -> float | None:
    """The number in front of the factors, with its sign."""
    found = numeric(Product(a.scalars, ()), sizes)
    return -found if found is not None and a.negative else found


def moved_layer(tree: Expr, step: int) -> Expr | None:
    bases = {s.label.base for s in symbols_in(tree) if s.label is not None and s.label.base is not None}
    if len(bases) != 1:
        return None
    (base,) = bases
    return cast(Expr, relabel(tree, base, Label(base, step)))


def slopes(decl: Declarations, trees: Sequence[Expr]) -> list[Call]:
    """f'(z) for every activation f(z) of a definition, at the layers of the statement."""
    labels = {s.label for t in trees for s in symbols_in(t) if s.label is not None}
    out: dict[Call, None] = {}
    for d in decl.definitions:
        for n in walk(d.chain.links[0].rhs):
            if not (isinstance(n, Call) and len(n.args) == 1):
                continue
            argument = n.args[0].base if isinstance(n.args[0], Entry) else n.args[0]  # φ_j = f(v_j)
            if not isinstance(argument, Symbol):
                continue
            known = decl.functions.get(n.function.name)
            if known is None or known.kind != "elementwise" or n.function.primes:
                continue
            slope = Call(replace(n.function, primes=1), (argument,))
            here = argument.label
            if here is None or here.base is None:
                out[slope] = None
                continue
            for label in sorted(labels, key=str):
                shifted = relabel(slope, here.base, Label(label.base, label.shift - here.shift))
                out[cast(Call, shifted)] = None
    return list(out)


# --- a term that a sum lacks: an array that is near, or such an array times a number (λ W, 2 λ w) ---


_COEFFICIENTS = (Fraction(1), Fraction(2), Fraction(1, 2))


def with_missing_term(
    decl: Declarations, fixed: Expr, formula: Expr, text: str, near: Sequence[Symbol], written: Written
) -> Iterator[tuple[Expr, str]]:
    """Sums that have the values of the fixed side, and what was missing."""
    own = [s for s in near[:_NEAR] if s != fixed]
    values = measured(decl, fixed, [formula, *own], text)
    if values is None or formula not in values.factors:
        return
    rest = [t - f if t.shape == f.shape else None for t, f in zip(values.target, values.factors[formula], strict=True)]
    residual = [r for r in rest if r is not None and np.isfinite(r).all()]
    if len(residual) < len(rest) or any(close(r, np.zeros_like(r)) for r in residual):
        return
    numbers = [s for s in own if s in values.factors and values.factors[s][0].shape == (1, 1)]
    for s in own:
        found = values.factors.get(s)
        if found is None or s in numbers:
            continue
        for tree, value in ((s, found), (Transpose(s), tuple(v.T for v in found))):
            if any(v.shape != r.shape for v, r in zip(value, residual, strict=True)):
                continue
            for number in (None, *numbers):
                times = value if number is None else [v * n for v, n in zip(value, values.factors[number], strict=True)]
                c = coefficient(residual, times)
                if c is not None:
                    term = scaled(abs(c), number, tree)
                    yield added(formula, term, c < 0), f"missing term {written(Neg(term) if c < 0 else term)}"


def coefficient(residual: Sequence[FloatArray], values: Sequence[FloatArray]) -> Fraction | None:
    """The simple number c with residual = c values at each point."""
    ratios = [constant_ratio(r, v) for r, v in zip(residual, values, strict=True)]
    first = ratios[0]
    if first is None or any(r is None or abs(r - first) > 1e-9 for r in ratios):
        return None
    return next((s * c for c in _COEFFICIENTS for s in (1, -1) if abs(first - s * float(c)) < 1e-9), None)


def scaled(c: Fraction, number: Expr | None, tree: Expr) -> Expr:
    return product_of([*((Num(c),) if c != 1 else ()), *((number,) if number is not None else ()), tree])


def added(formula: Expr, term: Expr, minus: bool) -> Expr:
    args = formula.args if isinstance(formula, Add) else (formula,)
    return Add((*args, Neg(term) if minus else term))


# --- numbers in front of a formula: what they are worth, and how a missing one is written ---


def numeric(tree: Expr, sizes: dict[str, int]) -> float | None:
    match tree:
        case Num(value):
            return float(value)
        case Symbol(name, None):
            return float(sizes[name]) if name in sizes else None
        case Quotient(top, bottom):
            a, b = numeric(top, sizes), numeric(bottom, sizes)
            return a / b if a is not None and b else None
        case Product(args):
            values = [numeric(x, sizes) for x in args]
            return None if None in values else prod(v for v in values if v is not None)
        case _:
            return None


def with_scalars(tree: Expr, a: Apart) -> Expr:
    return product_of([*a.scalars, *(tree.args if isinstance(tree, Product) else (tree,))])


def factor_tree(name: str, decl: Declarations) -> Expr | None:
    """The coefficient from its name: 1/N, 2, N/2, 1/(2 N), 1/√d; without its sign."""
    top, _, bottom = name.removeprefix("-").partition("/")

    def joined(text: str) -> Expr | None:
        parts: list[Expr] = []
        for word in text.strip("()").split():
            if word.isdigit():
                parts.append(Num(Fraction(word)))
            elif word.removeprefix("√") in decl.sizes:
                size = Symbol(word.removeprefix("√"))
                parts.append(Power(size, Num(Fraction(1, 2))) if word[0] == "√" else size)
            else:
                return None
        return product_of(parts) if parts else None

    above = joined(top)
    if not bottom or above is None:
        return above
    below = joined(bottom)
    return None if below is None else Quotient(above, below)
