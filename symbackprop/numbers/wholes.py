"""Functions of whole arrays in dual arithmetic: product, determinant and inverse by cofactors.

Cofactors need no division, so the determinant has its derivative at singular matrices too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from symbackprop.core.composed import UNREAD, words

from . import exact_numbers as numbers
from .duals import KNOWN, Lifted, Value, real
from .exact_numbers import NoValue, Undefined
from .points import Position

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
