"""Reductions along axes, products of matrices, and normalisations that PyTorch has as one operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbackprop.read.numpy import TRACED_LINALG as linalg
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special
from symbackprop.read.numpy import SymArray, Value

from ..registry import Section, refuses
from .entrywise import times

reductions = Section("reductions")


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


def variance(x: Any, dim: Any = None, correction: Any = 1, keepdim: bool = False) -> Any:
    return np.var(x, axis=axes(dim), ddof=1 if correction is None else correction, keepdims=keepdim)


def deviation(x: Any, dim: Any = None, correction: Any = 1, keepdim: bool = False) -> Any:
    return np.sqrt(variance(x, dim, correction, keepdim))


mean = fold(np.mean)
reductions.rows({
    "sum nansum": fold(np.sum),
    "mean": mean,
    "prod": fold(np.prod),
    "amax max": fold(np.max),
    "amin min": fold(np.min),
    "all": fold(np.all),
    "any": fold(np.any),
    "aminmax": lambda x, dim=None, keepdim=False: (fold(np.min)(x, dim, keepdim), fold(np.max)(x, dim, keepdim)),
    "count_nonzero": lambda x, dim=None: np.count_nonzero(x, axis=axes(dim)),
    "var.correction": variance,
    "std.correction": deviation,
    "var_mean.correction": lambda x, dim=None, correction=1, keepdim=False: (
        variance(x, dim, correction, keepdim), mean(x, dim, keepdim)),
    "std_mean.correction": lambda x, dim=None, correction=1, keepdim=False: (
        deviation(x, dim, correction, keepdim), mean(x, dim, keepdim)),
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


def biased(run: Callable[..., Any]) -> Callable[..., Any]:
    """The older form, var(x, unbiased) and var(x, dim, unbiased, keepdim)."""

    def moment(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, correction: Any = None) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        return run(x, dim, correction if correction is not None else int(unbiased), keepdim)

    return moment


reductions.rows({"var": biased(variance), "std": biased(deviation)})


@reductions("linalg_vector_norm", "norm", where="of all axes or some: vector norms")
def norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    order = 2 if ord is None else int(ord) if isinstance(ord, float) and ord.is_integer() else ord
    if order == 2:
        return np.sqrt(np.sum(np.square(x), axis=axes(dim), keepdims=keepdim))
    return linalg.vector_norm(x, ord=order, axis=axes(dim), keepdims=keepdim)


refuses("median", "nanmedian", "mode", "kthvalue", "sort", "argsort", "topk", "unique", "_unique2", "unique_dim",
        "cummax", "cummin", "bincount", "histc", "searchsorted", "bucketize", "nonzero", "masked_select",
        because="depends on the order or the values of the data, which has no index term")  # fmt: skip


# --- products of matrices, and linear algebra ------------------------------------------------------

products = Section("products")


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
    "linear": lambda x, weight, bias=None: affine(np.matmul(x, weight.T), None, bias),
    "addmm addmv baddbmm": addmm,
    "addbmm": lambda c, a, b, beta=1, alpha=1: np.add(times(beta, c), times(alpha, np.sum(np.matmul(a, b), axis=0))),
    "addr": lambda c, a, b, beta=1, alpha=1: np.add(times(beta, c), times(alpha, np.outer(a, b))),
    "trace": lambda x: np.trace(x),
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


refuses("linalg_qr", "_linalg_svd", "linalg_eig", "_linalg_eigh", "linalg_lstsq", "linalg_lu", "linalg_lu_factor_ex",
        "linalg_matrix_exp", "linalg_pinv", because="has no index term")  # fmt: skip


# --- normalisations: the result, and what PyTorch keeps for its own backward ---------------------------

normalizing = Section("normalizing")


def normalized(x: Any, axes: Any, eps: Any) -> Any:
    """(x - mean) / sqrt(var + eps) along axes, with mean and 1 / sqrt(var + eps), thin."""
    mean = np.mean(x, axis=axes, keepdims=True)
    centred = np.subtract(x, mean)
    scale = root_mean_square(centred, axes, eps)
    return np.divide(centred, scale), mean, np.divide(1.0, scale)


def root_mean_square(x: Any, axes: Any, eps: Any) -> Any:
    return np.sqrt(np.add(np.mean(np.square(x), axis=axes, keepdims=True), eps))


def affine(x: Any, weight: Any, bias: Any) -> Any:
    x = x if weight is None else np.multiply(x, weight)
    return x if bias is None else np.add(x, bias)


def per_channel(v: Any, rank: int) -> Any:
    """A vector of channels beside an array whose axis 1 they are."""
    return None if v is None else np.reshape(v, (v.shape[0], *(1,) * (rank - 2)))


@normalizing("native_layer_norm")
def layer_norm(x: Any, shape: Any, weight: Any, bias: Any, eps: Any) -> Any:
    rank = len(x.shape)
    found, mean, scale = normalized(x, tuple(range(rank - len(shape), rank)), eps)
    return affine(found, weight, bias), mean, scale


@normalizing("_fused_rms_norm")
def rms_norm(x: Any, shape: Any, weight: Any, eps: Any) -> Any:
    rank = len(x.shape)
    scale = root_mean_square(x, tuple(range(rank - len(shape), rank)), 2.0**-52 if eps is None else eps)
    return affine(np.divide(x, scale), weight, None), np.divide(1.0, scale)


@normalizing("native_group_norm")
def group_norm(x: Any, weight: Any, bias: Any, n: Any, c: Any, entries: Any, groups: Any, eps: Any) -> Any:
    rank = len(x.shape)
    apart = np.reshape(x, (n, groups, c // groups, *x.shape[2:]))
    found, mean, scale = normalized(apart, tuple(range(2, rank + 1)), eps)
    found = affine(np.reshape(found, x.shape), per_channel(weight, rank), per_channel(bias, rank))
    return found, np.reshape(mean, (n, groups)), np.reshape(scale, (n, groups))


@normalizing("native_batch_norm", "_native_batch_norm_legit")
def batch_norm(
    x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool, momentum: Any, eps: Any
) -> Any:
    rank = len(x.shape)
    weight, bias = per_channel(weight, rank), per_channel(bias, rank)
    if not training:
        mean, var = per_channel(running_mean, rank), per_channel(running_var, rank)
        found = np.divide(np.subtract(x, mean), np.sqrt(np.add(var, eps)))
        unused = np.zeros((x.shape[1],))
        return affine(found, weight, bias), unused, unused
    axes = (0, *range(2, rank))
    found, mean, scale = normalized(x, axes, eps)
    mean, scale = np.reshape(mean, (x.shape[1],)), np.reshape(scale, (x.shape[1],))
    if running_mean is not None:
        moved(running_mean, mean, momentum)
        moved(running_var, np.var(x, axis=axes, ddof=1), momentum)
    return affine(found, weight, bias), mean, scale


@normalizing("_native_batch_norm_legit.no_stats")
def batch_norm_alone(x: Any, weight: Any, bias: Any, training: bool, momentum: Any, eps: Any) -> Any:
    return batch_norm(x, weight, bias, None, None, training, momentum, eps)


def moved(running: Any, new: Any, momentum: Any) -> None:
    """running = (1 - momentum) running + momentum new, in place."""
    running[...] = np.add(np.multiply(1 - momentum, running), np.multiply(momentum, new))
