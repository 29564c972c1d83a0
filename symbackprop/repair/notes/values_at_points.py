"""Numbers for repairs: what the sides and the factors of a formula are worth at two points of different sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from symbackprop.core.context import Context
from symbackprop.core.indices import Index
from symbackprop.core.matrix import UNIT, ZERO_INDEX, entry
from symbackprop.core.terms import Add, Array, IndexExpr, ProofError, Size, Term, predicate_key, sum_over
from symbackprop.decide.formula_problems import LARGEST, Worked, worked_out
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.numbers.floats import FloatEvaluation, close
from symbackprop.numbers.refute.points import Question, Sampler
from symbackprop.prove.working_out import WorkingOut
from symbackprop.read.notes.declared.symbols import Declarations, split_scripts
from symbackprop.read.notes.files.place import ReadError
from symbackprop.read.notes.grammar.tree import Derivative, Expr, Gradient, Symbol
from symbackprop.read.notes.grammar.walking import walk
from symbackprop.read.notes.meaning.definitions import array_of, head, symbols
from symbackprop.read.notes.meaning.elaborate import Elaborator
from symbackprop.read.notes.meaning.values import Mat, Value, as_scalar
from symbackprop.read.notes.statements.claims import Claim, closure, machine

from ..trials import Trials, constant_ratio

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Laid: TypeAlias = tuple[tuple[IndexExpr, IndexExpr], Term]
POINTS, ROUNDING = 2, 1e-9


@dataclass(frozen=True, slots=True)
class Measured:
    """Factors with their values at each point (two axes each), the target's, and the sizes of the points."""

    target: tuple[FloatArray, ...]
    factors: dict[Expr, tuple[FloatArray, ...]]
    sizes: tuple[dict[str, int], ...]


def measured(decl: Declarations, target: Expr, factors: Sequence[Expr], text: str) -> Measured | None:
    """Values of whole arrays; what has no meaning of its own is left out.  None where the target has none."""
    try:
        e = machine(decl, [target, *factors], text)
    except (ReadError, RecursionError):
        return None
    wanted = value_of(e, target)
    if wanted is None:
        return None
    known = {f: v for f in factors if (v := value_of(e, f)) is not None}
    try:
        context = closure(e)
    except (ReadError, RecursionError):
        return None
    return at_points(context, dict(e.shapes), wanted, known)


def value_of(e: Elaborator, node: Expr) -> Value | None:
    try:
        (value,) = e.together(node)
    except (ReadError, ProofError, RecursionError):
        return None
    return value if isinstance(value, Mat) or as_scalar(value) is not None else None


@np.errstate(all="ignore")  # what is not finite is left out
def at_points(
    context: Context, shapes: Mapping[Array, tuple[Size, ...]], wanted: Value, known: Mapping[Expr, Value]
) -> Measured | None:
    """Values of the wanted and the known at two points; what has none somewhere is left out."""
    if any((n.constant or 0) > LARGEST for s in shapes.values() for n in s):
        return None
    run = WorkingOut(context, partial(without, context))
    laid: list[Laid] = []
    nodes: list[Expr] = []
    try:
        laid.append(laid_out(run, wanted, 0))
        for k, (node, value) in enumerate(known.items(), 1):
            laid.append(laid_out(run, value, k))
            nodes.append(node)
    except ProofError:
        return None
    needs = {c for t in run.theorems.values() for c in t.equation.conditions}
    # summed, as their indices together would be those of one enormous array
    every = Add(tuple(sum_over(tuple(a for a in axes if isinstance(a, Index)), term) for axes, term in laid))
    hypotheses = (*context.hypotheses.values(), *sorted(needs, key=predicate_key))
    sampler = Sampler(Question(every, every, (), hypotheses=hypotheses, definitions=context.definitions, shapes=shapes))
    rows: list[list[FloatArray | None]] = []
    sizes: list[dict[str, int]] = []
    for chosen, attempt in product(sampler.sizes(12, least=2), range(2)):
        point = sampler.point(chosen, attempt) if chosen not in sizes else None
        if point is None:
            continue
        evaluation = FloatEvaluation(point, sampler.reaches)
        row = [evaluated(evaluation, x) for x in laid]
        if row[0] is None or not np.isfinite(row[0]).all():
            continue
        sizes.append(dict(chosen))
        rows.append(row)
        if len(sizes) == POINTS:
            break
    if not rows:
        return None
    columns = [tuple(v for v in column if v is not None) for column in zip(*rows, strict=True)]
    factors = {n: c for n, c in zip(nodes, columns[1:], strict=True) if len(c) == len(rows)}
    return Measured(columns[0], factors, tuple(sizes))


def evaluated(evaluation: FloatEvaluation, laid: Laid) -> FloatArray | None:
    """A matrix, with axes of length 1 where there is no index."""
    axes, term = laid
    try:
        found = np.asarray(evaluation.tensor(tuple(a for a in axes if isinstance(a, Index)), term), dtype=float)
    except Undefined:
        return None
    lengths = iter(found.shape)
    return found.reshape([next(lengths) if isinstance(a, Index) else 1 for a in axes])


def without(context: Context, array: Array) -> Context:
    return Context({a: t for a, t in context.definitions.items() if a != array}, context.hypotheses)


def laid_out(run: WorkingOut, value: Value, k: int) -> Laid:
    """Its row and column index, and the entry there without derivatives."""
    if isinstance(value, Mat):
        n, m = value.shape
        i: IndexExpr = ZERO_INDEX if n == UNIT else Index(f"i{k}°", n)
        j: IndexExpr = ZERO_INDEX if m == UNIT else Index(f"j{k}°", m)
        return (i, j), run.of(entry(value.form, i, j)).term
    term = as_scalar(value)
    assert term is not None
    return (ZERO_INDEX, ZERO_INDEX), run.of(term).term


# --- whole claims ----------------------------------------------------------------------------


def trials(claim: Claim, count: int) -> Trials | None:
    try:
        worked: Worked = worked_out(claim)
    except ProofError:
        return None
    return None if worked.too_large else Trials(worked.question(), count)


@np.errstate(all="ignore")
def plausible(claim: Claim) -> bool:
    """Both sides agree at a point of distinct sizes, or one is 0 there, and the other no more than rounding."""
    found = trials(claim, 1)
    if found is None or not found.trials:
        return False
    truth, value = found.trials[0].truth, found.values(found.trials[0], found.question.rhs)
    if value is None or close(value, truth):
        return value is not None
    sides = ((truth, value), (value, truth))  # a solution put into its condition
    return any(not a.any() and bool((np.abs(b) < ROUNDING).all()) for a, b in sides)


@np.errstate(all="ignore")
def ratio(claim: Claim) -> tuple[list[float], list[dict[str, int]]] | None:
    """The number c with lhs = c rhs at each of some points, if there is one."""
    found = trials(claim, POINTS + 3)
    if found is None or len(found.trials) < POINTS:
        return None
    values = [(t.truth, found.values(t, found.question.rhs)) for t in found.trials]
    ratios = [r for a, b in values if b is not None and (r := constant_ratio(a, b)) is not None]
    return (ratios, [dict(t.point.sizes) for t in found.trials]) if len(ratios) == len(values) else None


def mentioned_symbols(decl: Declarations, trees: Sequence[Expr], text: str) -> list[Symbol]:
    """The symbols of arrays that the trees and the definitions behind them hold, in a fixed order."""
    e = machine(decl, list(trees), text)
    for t in trees:
        value_of(e, t)
    try:
        closure(e)
    except (ReadError, RecursionError):
        pass
    found = sorted((s for s in e.used if array_of(s, decl) is not None), key=str)
    written = [s for s in found if any(s == x for t in trees for x in symbols(t))]
    return list(dict.fromkeys([*written, *siblings(decl, written), *abbreviations(decl, trees), *found]))


def siblings(decl: Declarations, written: Sequence[Symbol]) -> list[Symbol]:
    """Names that differ in their scripts only: D_2 beside D_1."""
    bases = {split_scripts(s.name)[0] for s in written}
    return [Symbol(name) for name in decl.arrays if split_scripts(name)[0] in bases and "_" in name]


def abbreviations(decl: Declarations, trees: Sequence[Expr]) -> list[Symbol]:
    """Names for derivatives (dZ := ∂J/∂Z), at the layers that the trees mention."""
    labels = sorted({s.label for t in trees for s in symbols(t) if s.label is not None}, key=str)
    out: list[Symbol] = []
    for d in decl.definitions:
        s = head(d.chain.subjects[-1])
        if s is None or not any(isinstance(n, Derivative | Gradient) for n in walk(d.chain.links[0].rhs)):
            continue
        out += [s] if s.label is None else [Symbol(s.name, x) for x in labels if s.name in decl.layered]
    return out
