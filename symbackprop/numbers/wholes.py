"""Functions of whole arrays in dual arithmetic: product, determinant, inverse, largest entries.

The exact ones go by cofactors, which need no division, so the determinant has its
derivative at singular matrices too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from symbackprop.core.functions import UNREAD, words

from . import exact_numbers as numbers
from .duals import KNOWN, Dual, Floats, Lifted, Loss, Position, Value, mapped, real
from .exact_numbers import NoValue, Undefined

Entries: TypeAlias = list[tuple[Position, Value]]


def matrix(entries: Entries) -> list[list[Value]]:
    """Rows of a square matrix.  Raises Undefined where it is not one."""
    n = 1 + max((k[0] for k, _ in entries), default=-1)
    rows = [[y for k, y in entries if k[0] == i] for i in range(n)]
    if any(len(k) != 2 for k, _ in entries) or any(len(r) != n for r in rows):
        raise Undefined("a square matrix is needed")
    return rows


def det(a: Lifted, rows: list[list[Value]]) -> Value:
    """Expansion by the first row, minors shared between the branches."""
    n = len(rows)
    minors: dict[tuple[int, ...], Value] = {(): a.one()}

    def minor(columns: tuple[int, ...]) -> Value:
        if columns not in minors:
            row, total = rows[n - len(columns)], a.numbers.number(Fraction(0))
            for k, c in enumerate(columns):
                term = a.times(row[c], minor(columns[:k] + columns[k + 1 :]))
                total = a.plus(total, a.scaled(Fraction((-1) ** k), term))
            minors[columns] = total
        return minors[columns]

    return minor(tuple(range(n)))


def _det(a: Lifted, entries: Entries, at: Position) -> Value:
    return det(a, matrix(entries))


def _inv(a: Lifted, entries: Entries, at: Position) -> Value:
    """Entry (i, j) is the cofactor of (j, i) over the determinant."""
    rows, (i, j) = matrix(entries), at
    if not (0 <= i < len(rows) and 0 <= j < len(rows)):
        raise Undefined("an entry outside the inverse")
    whole = det(a, rows)
    if numbers.sign(real(whole)) == 0:
        raise NoValue("the inverse of a singular matrix")
    kept = [[y for c, y in enumerate(row) if c != i] for r, row in enumerate(rows) if r != j]
    return a.times(a.scaled(Fraction((-1) ** (i + j)), det(a, kept)), a.power(whole, Fraction(-1)))


def _prod(a: Lifted, entries: Entries, at: Position) -> Value:
    return a.product([y for _, y in entries])


def _product(a: Lifted, x: list[list[Value]], y: list[list[Value]]) -> list[list[Value]]:
    columns = list(zip(*y, strict=True))
    return [[a.total([a.times(p, q) for p, q in zip(row, c, strict=True)]) for c in columns] for row in x]


def _pinv(a: Lifted, entries: Entries, at: Position) -> Value:
    """(x^T x)^-1 x^T or x^T (x x^T)^-1, where x has full rank."""
    rows = [[y for k, y in entries if k[0] == i] for i in sorted({k[0] for k, _ in entries})]
    columns = [list(c) for c in zip(*rows, strict=True)]
    tall = len(rows) >= len(columns)
    gram = _product(a, columns, rows) if tall else _product(a, rows, columns)
    flat: Entries = [((i, j), y) for i, row in enumerate(gram) for j, y in enumerate(row)]
    whole = [[_inv(a, flat, (i, j)) for j in range(len(gram))] for i in range(len(gram))]
    return (_product(a, whole, columns) if tall else _product(a, columns, whole))[at[0]][at[1]]


def best(entries: Entries, fn: str) -> list[Position]:
    """Positions of the largest (or smallest) entries.  Raises Undefined for no entries, Undecided for close ones."""
    if not entries:
        raise NoValue(f"{fn} of nothing")
    direction, tied, top = (1 if fn == "max" else -1), [entries[0][0]], real(entries[0][1])
    for k, y in entries[1:]:
        s = direction * numbers.sign(numbers.plus(real(y), numbers.times(Fraction(-1), top)))
        if s > 0:
            tied, top = [k], real(y)
        elif s == 0:
            tied.append(k)
    return tied


def gap(a: Lifted, entries: Entries) -> Value:
    """How far the largest entry is above the next; 1 where there is no other."""
    if len(entries) == 1:
        return a.one()
    first = best(entries, "max")[0]
    rest = [(k, y) for k, y in entries if k != first]
    return a.minus(dict(entries)[first], dict(rest)[best(rest, "max")[0]])


WHOLES: dict[str, Callable[[Lifted, Entries, Position], Value]] = {
    "det": _det,
    "inv": _inv,
    "prod": _prod,
    "pinv": _pinv,
}
WHOLE_NAMES = frozenset(WHOLES) | {"max", "min", "argmax", "gap"}

_FUNCTIONS_OF_LIBRARIES = frozenset(
    {*dir(math), *dir(np), *dir(np.linalg)}
    | words().keys()
    | UNREAD
    | set(
        "Abs Heaviside LambertW Max Min airyai airybi bernoulli besseli besselj besselk bessely beta betainc "
        "betaincinv betaln binom ceil chi chebyshev ci dawsn digamma ei ellipe ellipk elliprc entr erfc "
        "erfcinv erfcx erfi erfinv eta exp1 exp10 exp2 expi expint expit expn factorial floor fresnelc "
        "fresnels gamma gammainc gammaincc gammaln gammasgn gegenbauer harmonic hermite huber hyp0f1 hyp1f1 "
        "hyp2f1 i0 i0e i1 i1e iv ive j0 j1 jacobi jn jv k0 k1 kl_div kn kv laguerre lambertw legendre li "
        "loggamma logit logsumexp log_ndtr log_softmax logdet logerfc lowergamma mean median mode "
        "multigammaln ndtr ndtri nuc poch polygamma polylog psi re im rel_entr rgamma shi si sici sign sinc "
        "slogdet softmax sort spence sph_harm std stirling tklmbda uppergamma var wofz wrightomega xlog1py "
        "xlogy y0 y1 yn yv zeta zetac svd eig eigh eigvals cholesky expm logm sqrtm qr normcdf".split()
    )
)


def abstract(name: str) -> bool:
    """Whether a name can stand for any function: it is known neither here nor in the usual libraries."""
    return name not in KNOWN and name not in WHOLE_NAMES and name not in _FUNCTIONS_OF_LIBRARIES


# --- on arrays of floats, for all index positions at once ------------------------------------------


def matmul(a: Lifted, x: Value, y: Value) -> Value:
    """Matrix product over the last two axes, both full."""
    left = mapped(lambda v: v[..., :, :, None], x)
    right = mapped(lambda v: v[..., None, :, :], y)
    return mapped(lambda v: v.sum(axis=-2), a.times(left, right))


def inverse(a: Lifted, x: Value) -> Value:
    """x^-1 over the last two axes; with an infinitesimal part, -x^-1 dx x^-1."""
    if type(x) is Dual:
        inner = inverse(a, x.primal)
        return Dual(x.level, inner, mapped(np.negative, matmul(a, inner, matmul(a, x.tangent, inner))))
    good = np.isfinite(x).all(axis=(-1, -2)) & (np.abs(np.linalg.det(np.nan_to_num(x))) > 1e-300)
    safe = np.where(good[..., None, None], x, np.eye(x.shape[-1]))
    return np.where(good[..., None, None], np.linalg.inv(safe), np.nan)


def determinant(a: Lifted, x: Value) -> Value:
    """det over the last two axes; with an infinitesimal part, det tr(x^-1 dx)."""
    if type(x) is Dual:
        inner = determinant(a, x.primal)
        product = matmul(a, inverse(a, x.primal), x.tangent)
        return Dual(x.level, inner, a.times(inner, mapped(lambda v: np.trace(v, axis1=-2, axis2=-1), product)))
    return np.linalg.det(x)


def picked(v: Floats, place: Floats) -> Floats:
    """The entry at `place` of the last axis; the axes before it broadcast."""
    lead = np.broadcast_shapes(v.shape[:-1], place.shape[:-1])
    wide = np.broadcast_to(v, (*lead, v.shape[-1]))
    return np.take_along_axis(wide, np.broadcast_to(place, (*lead, 1)), axis=-1)[..., 0]


def whole(a: Lifted, fn: str, x: Value, axes: int, at: Position, loss: Loss | None) -> Value:
    """F over the last `axes` axes (all full).  For inv, pinv and argmax the result keeps these axes."""
    if fn == "inv":
        return inverse(a, x)
    if fn == "pinv":
        turned = mapped(lambda v: np.swapaxes(v, -1, -2), x)
        if real(x).shape[-2] >= real(x).shape[-1]:
            return matmul(a, inverse(a, matmul(a, turned, x)), turned)
        return matmul(a, turned, inverse(a, matmul(a, x, turned)))
    if fn == "det":
        return determinant(a, x)
    shape = real(x).shape
    inside = shape[len(shape) - axes :]
    flat = mapped(lambda v: v.reshape((*v.shape[: v.ndim - axes], math.prod(inside))), x)
    if fn == "argmax":
        values = real(flat)
        places = (values.argmax(axis=-1)[..., None] == np.arange(values.shape[-1])) * 1.0
        return np.where(np.isnan(values).any(axis=-1, keepdims=True), np.nan, places).reshape(shape)
    if fn == "gap":
        top = np.sort(real(flat), axis=-1)
        return top[..., -1] - top[..., -2] if top.shape[-1] > 1 else np.where(np.isnan(top[..., 0]), np.nan, 1.0)
    if fn in ("max", "min"):
        values = real(flat)
        place = (np.argmax if fn == "max" else np.argmin)(values, axis=-1)[..., None]
        return mapped(lambda v: picked(v, place), flat)
    entries = [mapped(lambda v, k=k: v[..., k], flat) for k in range(math.prod(inside))]  # type: ignore[misc]
    if fn == "prod":
        return a.product(entries)
    positions = list(np.ndindex(*inside))
    return (loss or Loss(fn))(a, list(zip(positions, entries, strict=True)), at)
