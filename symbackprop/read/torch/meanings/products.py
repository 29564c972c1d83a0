"""Products of matrices, and linear algebra."""

from __future__ import annotations

from typing import Any

from symbackprop.read.numpy import TRACED_LINALG as linalg
from symbackprop.read.numpy import TRACED_NUMPY as np

from ..registry import aten, refuses
from .elementwise import times


@aten("mm", "bmm", "mv", "matmul")
def matmul(a: Any, b: Any) -> Any:
    return np.matmul(a, b)


@aten("dot", "vdot")
def dot(a: Any, b: Any) -> Any:
    return np.matmul(a, b)


@aten("linear")
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    product = np.matmul(x, weight.T)
    return product if bias is None else np.add(product, bias)


@aten("addmm", "addmv", "baddbmm")
def addmm(c: Any, a: Any, b: Any, beta: Any = 1, alpha: Any = 1) -> Any:
    product = times(alpha, np.matmul(a, b))
    return product if beta == 0 else np.add(times(beta, c), product)


@aten("addbmm")
def addbmm(c: Any, a: Any, b: Any, beta: Any = 1, alpha: Any = 1) -> Any:
    return np.add(times(beta, c), times(alpha, np.sum(np.matmul(a, b), axis=0)))


@aten("addr")
def addr(c: Any, a: Any, b: Any, beta: Any = 1, alpha: Any = 1) -> Any:
    return np.add(times(beta, c), times(alpha, np.outer(a, b)))


@aten("trace")
def trace(x: Any) -> Any:
    return np.trace(x)


@aten("linalg_cross", where="along the last axis")
def cross(a: Any, b: Any) -> Any:
    return np.cross(a, b)


@aten("linalg_inv_ex")
def inverse(a: Any, check_errors: bool = False) -> Any:
    return linalg.inv(a), info(a)


@aten("_linalg_det")
def determinant(a: Any) -> Any:
    return linalg.det(a), a, info(a)


@aten("_linalg_slogdet")
def slogdet(a: Any) -> Any:
    return (*linalg.slogdet(a), a, info(a))


@aten("_linalg_solve_ex")
def solve(a: Any, b: Any, left: bool = True, check_errors: bool = False) -> Any:
    if left:
        return linalg.solve(a, b), a, info(a), info(a)
    turned = linalg.solve(np.matrix_transpose(a), np.matrix_transpose(b))
    return np.matrix_transpose(turned), a, info(a), info(a)


@aten("linalg_cholesky_ex")
def cholesky(a: Any, upper: bool = False, check_errors: bool = False) -> Any:
    return linalg.cholesky(a, upper=upper), info(a)


def info(a: Any) -> Any:
    """PyTorch's error codes, which are 0."""
    return np.zeros(a.shape[:-2], dtype=int)


refuses("linalg_qr", "_linalg_svd", "linalg_eig", "_linalg_eigh", "linalg_lstsq", "linalg_lu", "linalg_lu_factor_ex",
        "linalg_matrix_exp", "linalg_pinv", because="has no index term")  # fmt: skip
