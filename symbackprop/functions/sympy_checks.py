"""A gradient of a SymPy matrix expression with symbolic sizes, checked like one of two functions.

    n, m = symbols("n m", integer=True, positive=True)
    X, w, y = MatrixSymbol("X", n, m), MatrixSymbol("w", m, 1), MatrixSymbol("y", n, 1)
    r = X * w - y
    check_sympy(r.T * r, w, 2 * X.T * r).status     # proved

What SymPy's own `diff` returns can be checked in the same way: it is wrong in places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy
from sympy.matrices.expressions import MatrixExpr

from symbackprop.clock import LIMIT, OutOfTime, limit, seconds_of, stage
from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, SymbackpropError
from symbackprop.core.matrix import ShapeError, entry, shape
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ZERO, Array, AtLeastZero, Nonzero, Positive, Term, sub
from symbackprop.decide.outcomes import ILL_FORMED, UNKNOWN
from symbackprop.gradients.lemmas import indices
from symbackprop.read.numpy import Declared
from symbackprop.read.sympy_matrix import SympyReader

from .claims import Claim, Setting, gradient_claim
from .deciding import described, verdict_of
from .repairs import with_repair
from .verdict import NO_FORMULA, Verdict


def check_sympy(
    loss: Any,
    wrt: Any,
    gradient: Any,
    assuming: Sequence[Any] = (),
    *,
    domains: Mapping[str, str] | None = None,
    seek_repair: bool = True,
    timeout: float | None = LIMIT,
) -> Verdict:
    """Prove or refute that `gradient` is ∂loss/∂wrt, entry by entry and in the shape of `wrt`, for all sizes.

    `loss` is a scalar expression or a matrix expression of one entry, `wrt` a MatrixSymbol or Symbol in it, `assuming`
    holds relations such as Eq(A, A.T) or e > 0.  `domains`, `seek_repair` and `timeout` are those of `check_gradient`.

    Raises SymbackpropError for an expression that is not read, and names the part; ShapeError where shapes differ.
    """
    for what, e in (("loss", loss), ("wrt", wrt), *(("assuming", a) for a in assuming)):
        if not isinstance(e, sympy.Basic):
            raise SymbackpropError(f"check_sympy: {what} is a {type(e).__name__}, not a SymPy expression")
    if not isinstance(wrt, sympy.MatrixSymbol | sympy.Symbol):
        raise SymbackpropError(f"check_sympy: wrt is a MatrixSymbol or a Symbol, not {type(wrt).__name__}")
    gradient = sympy.S.Zero if isinstance(gradient, int) and gradient == 0 else gradient
    if not isinstance(gradient, sympy.Basic):
        raise SymbackpropError(f"check_sympy: gradient is a {type(gradient).__name__}, not a SymPy expression")
    seconds = seconds_of(timeout)
    try:
        with limit(seconds):
            stage("reading the expressions")
            claim, setting, misfit = read(loss, wrt, gradient, assuming, Setting(domains=domains or {},
                                          repair=seek_repair, seconds=seconds))  # fmt: skip
            if misfit:
                repaired = with_repair(claim, setting, Verdict(ILL_FORMED)).repair if seek_repair else None
                verdict = Verdict(ILL_FORMED, mistake="shapes do not conform", reason=misfit, repair=repaired)
                return replace(described(claim, setting, verdict), formula=NO_FORMULA)
    except OutOfTime as late:
        return Verdict(UNKNOWN, reason=str(late))
    return verdict_of(claim, setting)


def read(loss: Any, wrt: Any, gradient: Any, assuming: Sequence[Any], setting: Setting) -> tuple[Claim, Setting, str]:
    """The claim, the setting with its hypotheses and shapes, and why the gradient has no shape ("" where it has)."""
    reader = SympyReader(loss, wrt, gradient, *assuming)
    name = str(wrt.name)
    objective = reader.scalar(loss)
    if isinstance(wrt, MatrixExpr):
        reader.leaf(wrt)
    else:
        reader.scalar(wrt)
    hypotheses = tuple(hypothesis(a, reader) for a in assuming)
    try:
        found, misfit = tensor(gradient, reader), ""
    except ShapeError as error:
        found, misfit = Tensor((), ZERO), str(error)
    inputs = {n: Declared(s) for n, s in reader.shapes.items()}
    claim = gradient_claim(name, objective, found, (Tensor((), objective),), inputs)
    claim = replace(claim, sides=("derivative", "gradient"))
    shapes = {Array(n): s for n, s in reader.shapes.items()}
    return claim, replace(setting, hypotheses=hypotheses, shapes=shapes), misfit


def tensor(e: Any, reader: SympyReader) -> Tensor:
    """The gradient that is claimed.  SymPy's explicit matrices and its array expressions are not read."""
    if not isinstance(e, MatrixExpr):
        if not isinstance(e, sympy.Expr) or getattr(e, "shape", ()) != ():
            raise SymbackpropError(f"check_sympy: {type(e).__name__} is no matrix expression that is read here")
        return Tensor((), reader.scalar(e))
    form = reader.matrix(e)
    i, j = (Index(f"g{k}", n) for k, n in enumerate(shape(form)))
    return Tensor((i, j), entry(form, i, j))


def hypothesis(e: Any, reader: SympyReader) -> Hypothesis:
    match e:
        case sympy.Eq():
            return Same(*sides(e, reader))
        case sympy.Ne():
            return Nonzero(sub(*sides(e, reader)))
        case sympy.StrictGreaterThan():
            return Positive(sub(*sides(e, reader)))
        case sympy.StrictLessThan():
            return Positive(sub(*reversed(sides(e, reader))))
        case sympy.GreaterThan():
            return AtLeastZero(sub(*sides(e, reader)))
        case sympy.LessThan():
            return AtLeastZero(sub(*reversed(sides(e, reader))))
        case _:
            raise SymbackpropError(f"check_sympy: assuming holds {e}, which is no equation or inequality")


def sides(e: Any, reader: SympyReader) -> tuple[Term, Term]:
    """Both sides of a relation, entry by entry where they are matrices."""
    if not isinstance(e.lhs, MatrixExpr) and not isinstance(e.rhs, MatrixExpr):
        return reader.scalar(e.lhs), reader.scalar(e.rhs)
    left, right = (reader.matrix(s) if isinstance(s, MatrixExpr) else None for s in (e.lhs, e.rhs))
    whole = left or right
    assert whole is not None
    if left is not None and right is not None and shape(left) != shape(right):
        raise SymbackpropError(f"check_sympy: the sides of {e} have different shapes")
    _, at = indices(shape(whole), "h")
    l, r = (reader.scalar(s) if m is None else entry(m, *at) for m, s in ((left, e.lhs), (right, e.rhs)))
    return l, r
