"""Numbers for repairs: what the sides and the factors of a formula are worth at two points of different sizes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product
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

from ..trials import constant_ratio

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
    for chosen, evaluation in evaluations(sampler, sampler.sizes(12, least=2), 2, sizes):
        row = [evaluated(evaluation, x) for x in laid]
        if row[0] is None or not np.isfinite(row[0]).all():
            continue
        sizes.append(chosen)
        rows.append(row)
        if len(sizes) == POINTS:
            break
    if not rows:
        return None
    columns = [tuple(v for v in column if v is not None) for column in zip(*rows, strict=True)]
    factors = {n: c for n, c in zip(nodes, columns[1:], strict=True) if len(c) == len(rows)}
    return Measured(columns[0], factors, tuple(sizes))


def evaluations(
    sampler: Sampler, sizes: Sequence[dict[str, int]], attempts: int, taken: Collection[dict[str, int]]
) -> Iterator[tuple[dict[str, int], FloatEvaluation]]:
    """At points of these sizes, but for those that are `taken` when their turn comes."""
    for chosen, attempt in product(sizes, range(attempts)):
        point = sampler.point(chosen, attempt) if chosen not in taken else None
        if point is not None:
            yield dict(chosen), FloatEvaluation(point, sampler.reaches)


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


def plausible(claim: Claim) -> bool:
    """Both sides agree at a point of distinct sizes."""
    found = compared(claim, 1)
    return bool(found) and all(np.isfinite(a).any() and (close(b, a) or vanishing(a, b)) for a, b, _ in found)


def vanishing(a: FloatArray, b: FloatArray) -> bool:
    """Zero on one side, no more than rounding on the other: a solution put into its condition."""
    return any(not x.any() and bool((np.abs(y) < ROUNDING).all()) for x, y in ((a, b), (b, a)))


def ratio(claim: Claim) -> tuple[list[float], list[dict[str, int]]] | None:
    """The number c with lhs = c rhs at each of two points, if there is one."""
    found = compared(claim, POINTS + 3)
    ratios = [constant_ratio(a, b) for a, b, _ in found]
    if len(found) < POINTS or any(r is None for r in ratios):
        return None
    return [r for r in ratios if r is not None], [s for _, _, s in found]


@np.errstate(all="ignore")
def compared(claim: Claim, points: int) -> list[tuple[FloatArray, FloatArray, dict[str, int]]]:
    try:
        worked: Worked = worked_out(claim)
    except ProofError:
        return []
    if worked.too_large:
        return []
    question = worked.question()
    sampler = Sampler(question)
    out, taken = list[tuple[FloatArray, FloatArray, dict[str, int]]](), list[dict[str, int]]()
    sizes = sampler.sizes(12 if points == 1 else 40, least=2) or sampler.sizes(2)
    for chosen, evaluation in evaluations(sampler, varied(sizes) if points > 1 else sizes[:6], 3, taken):
        try:
            a, b = (evaluation.tensor(question.free, t) for t in (question.lhs, question.rhs))
        except Undefined:
            continue
        if np.isfinite(a).any() and np.isfinite(b).any():
            out.append((a, b, chosen))
            taken.append(chosen)
        if len(out) == points:
            break
    return out


def varied(sizes: Sequence[dict[str, int]]) -> list[dict[str, int]]:
    """In an order in which every two sizes soon have many pairs of values, so that K/6 is not taken for 1/N."""
    left, out = list(sizes), list[dict[str, int]]()
    seen: set[tuple[tuple[str, int], tuple[str, int]]] = set()
    while left:
        best = max(left, key=lambda z: len(set(combinations(z.items(), 2)) - seen) + len(set(z.values())))
        left.remove(best)
        out.append(best)
        seen |= set(combinations(best.items(), 2))
    return out


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
