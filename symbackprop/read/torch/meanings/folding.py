"""Reductions along axes, products of matrices, and the normalisation of groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbackprop.read.numpy import TRACED_LINALG as linalg
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special
from symbackprop.read.numpy import SymArray, Value

from ..registry import ATEN
from .entrywise import times

reductions = ATEN.section("reductions")


def axes(dim: Any) -> Any:
    """PyTorch's dim, of which none and an empty list mean all."""
    return None if dim is None or dim == () else dim


def fold(run: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, dim=None, keepdim=False: run(x, axis=axes(dim), keepdims=keepdim)


def picked(run: Callable[..., Any], place: Callable[..., Any]) -> Callable[..., Any]:
    """The entries, and where they stand."""

    def both(x: Any, dim: int, keepdim: bool = False) -> Any:
        found = fold(run)(x, dim, keepdim)
        return found, later(found, lambda: place(x, axis=dim, keepdims=keepdim))

    return both


def later(like: Any, make: Callable[[], Any]) -> SymArray:
    """Whole numbers that are read only if something asks for them."""
    return SymArray(Value(like.value.shape, "int", lambda at: make().value.term(at)))


reductions.rows({
    "sum nansum": fold(np.sum),
    "mean": fold(np.mean),
    "prod": fold(np.prod),
    "amax max": fold(np.max),
    "amin min": fold(np.min),
    "all": fold(np.all),
    "any": fold(np.any),
    "logsumexp": fold(special.logsumexp),
    "_softmax _safe_softmax": lambda x, dim, half_to_float=False: special.softmax(x, axis=dim),
    "_log_softmax": lambda x, dim, half_to_float=False: special.log_softmax(x, axis=dim),
    "cumsum": lambda x, dim: np.cumsum(x, axis=dim),
    "cumprod": lambda x, dim: np.cumprod(x, axis=dim),
    "logcumsumexp": lambda x, dim: np.log(np.cumsum(np.exp(x), axis=dim)),
})  # fmt: skip
for _name in ("max", "min"):
    _place = getattr(np, f"arg{_name}")
    reductions(f"{_name}.dim", where=f"the indices as far as arg{_name} is read")(picked(getattr(np, _name), _place))
    reductions(f"arg{_name}", where=f"as far as np.arg{_name} is read")(fold(_place))


@reductions("var")
def variance(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, correction: Any = None) -> Any:
    """Also in the older form, var(x, unbiased) and var(x, dim, unbiased, keepdim)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    return np.var(x, axis=axes(dim), ddof=int(unbiased) if correction is None else correction, keepdims=keepdim)


@reductions("var_mean.correction")
def variance_and_mean(x: Any, dim: Any = None, correction: Any = 1, keepdim: bool = False) -> Any:
    """What is centred has a name in derivations: normalisations use it again."""
    mean, thin = fold(np.mean)(x, dim, True), fold(np.mean)(x, dim, keepdim)
    if correction == 0:
        return fold(np.mean)(np.square(np.subtract(x, mean)), dim, keepdim), thin
    return variance(x, dim, keepdim=keepdim, correction=correction), thin


ATEN.refuses("median", "nanmedian", "mode", "kthvalue", "sort", "argsort", "topk", "unique", "_unique2", "unique_dim",
             "cummax", "cummin", "bincount", "histc", "searchsorted", "bucketize", "nonzero", "masked_select",
             because="depends on the order or the values of the data, which has no index term")  # fmt: skip


# --- products of matrices, and linear algebra ------------------------------------------------------

products = ATEN.section("products")


def info(a: Any) -> Any:
    """PyTorch's error codes, which are 0."""
    return np.zeros(a.shape[:-2], dtype=int)


def pivots(a: Any) -> Any:
    return np.zeros(a.shape[:-1], dtype=int)


def addmm(c: Any, a: Any, b: Any, beta: Any = 1, alpha: Any = 1) -> Any:
    product = times(alpha, np.matmul(a, b))
    return product if beta == 0 else np.add(times(beta, c), product)


products.rows({
    "mm bmm mv matmul dot vdot": lambda a, b: np.matmul(a, b),
    "addmm": addmm,
    "addbmm": lambda c, a, b, beta=1, alpha=1: np.add(times(beta, c), times(alpha, np.sum(np.matmul(a, b), axis=0))),
    "linalg_inv_ex": lambda a, check_errors=False: (linalg.inv(a), info(a)),
    "_linalg_check_errors": lambda info, api_name, is_matrix: None,
    "_linalg_det": lambda a: (linalg.det(a), a, pivots(a)),
    "_linalg_slogdet": lambda a: (*linalg.slogdet(a), a, pivots(a)),
    "linalg_cholesky_ex": lambda a, upper=False, check_errors=False: (linalg.cholesky(a, upper=upper), info(a)),
})  # fmt: skip
products.rows({"linalg_cross": lambda a, b: np.cross(a, b)}, where="along the last axis")


@products("_linalg_solve_ex")
def solve(a: Any, b: Any, left: bool = True, check_errors: bool = False) -> Any:
    if left:
        return linalg.solve(a, b), a, pivots(a), info(a)
    turned = linalg.solve(np.matrix_transpose(a), np.matrix_transpose(b))
    return np.matrix_transpose(turned), a, pivots(a), info(a)


ATEN.refuses("linalg_qr", "_linalg_svd", "linalg_eig", "_linalg_eigh", "linalg_lstsq", "linalg_lu",
             "linalg_lu_factor_ex", "linalg_matrix_exp", "linalg_pinv", because="has no index term")  # fmt: skip


normalizing = ATEN.section("normalizing")


@normalizing("native_group_norm")
def group_norm(x: Any, weight: Any, bias: Any, n: Any, c: Any, entries: Any, groups: Any, eps: Any) -> Any:
    """The result, with mean and 1 / sqrt(var + eps) of each group: PyTorch's own code asks for strides."""
    apart = np.reshape(x, (n, groups, c // groups, *x.shape[2:]))
    within = tuple(range(2, len(apart.shape)))
    mean = np.mean(apart, axis=within, keepdims=True)
    centred = np.subtract(apart, mean)
    scale = np.sqrt(np.add(np.mean(np.square(centred), axis=within, keepdims=True), eps))
    found = np.reshape(np.divide(centred, scale), x.shape)
    for run, channels in ((np.multiply, weight), (np.add, bias)):
        if channels is not None:
            found = run(found, np.reshape(channels, (c, *(1,) * (len(x.shape) - 2))))
    return found, np.reshape(mean, (n, groups)), np.reshape(np.divide(1.0, scale), (n, groups))
