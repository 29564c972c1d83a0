"""exp and tanh of the compiled backend: largest errors in units in the last place, measured against mpmath."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from test_backends import needs_compiler, own_cache

from symbackprop.train.backends import compiled as toolchain
from symbackprop.write.step.c_functions import header

pytestmark = needs_compiler
__all__ = ["own_cache"]
# function, type, where, and the most units in the last place
MEASURED = [
    ("exp", "float32", (-86.6, 88.7), 1.1), ("exp", "float64", (-707.7, 709.7), 1.1),
    ("exp", "float32", (-1e-3, 1e-3), 0.6), ("exp", "float64", (-1e-3, 1e-3), 0.6),
    ("tanh", "float32", (-12, 12), 1.5), ("tanh", "float64", (-24, 24), 1.5),
    ("tanh", "float32", (-0.7, 0.7), 1.5), ("tanh", "float64", (-0.7, 0.7), 1.5),
    ("tanh", "float32", (-1e-6, 1e-6), 1.0), ("tanh", "float64", (-1e-12, 1e-12), 1.0),
]  # fmt: skip


@pytest.fixture(scope="module")
def functions(tmp_path_factory):
    """exp and tanh over arrays, compiled as a step is."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        for dtype in ("float32", "float64"):
            loops = "\n".join(
                f"void all_{f}(int n, const real *x, real *y) {{ for (int i = 0; i < n; i++) y[i] = real_{f}(x[i]); }}"
                for f in ("exp", "tanh", "sigmoid", "softplus", "relu")
            )
            made[dtype] = toolchain.library(header(dtype) + loops)
    return made


def applied(functions, name, x):
    y = np.empty_like(x)
    at = ctypes.c_void_p
    getattr(functions[x.dtype.name], f"all_{name}")(len(x), at(x.ctypes.data), at(y.ctypes.data))
    return y


def exact(name, x):
    """In the next wider type where that is exact enough, else with mpmath."""
    if x.dtype == np.float32:
        return getattr(np, name)(x.astype(np.longdouble))
    import mpmath

    with mpmath.workdps(40):
        found = [getattr(mpmath, name)(mpmath.mpf(float(v))) for v in x]
        high = np.array([float(v) for v in found])
        low = np.array([float(v - float(v)) for v in found])
    return high.astype(np.longdouble) + low


@pytest.mark.parametrize(("name", "dtype", "where", "most"), MEASURED)
def test_errors(functions, name, dtype, where, most):
    count = 2_000_000 if dtype == "float32" else 20_000
    x = np.random.default_rng(0).uniform(*where, count).astype(dtype)
    true = exact(name, x)
    unit = np.spacing(np.abs(true).astype(dtype)).astype(np.longdouble)
    error = np.abs(applied(functions, name, x) - true) / unit
    assert error.max() <= most, f"{name} {dtype}: {error.max():.3f} ulp at {x[error.argmax()]!r}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_away_and_special_values(functions, dtype):
    inf, nan = np.inf, np.nan
    x = np.array([0.0, -0.0, inf, -inf, nan, 1e30, -1e30, 720.0, -760.0, -104.0], dtype)
    with np.errstate(all="ignore"):
        exp, tanh = applied(functions, "exp", x), applied(functions, "tanh", x)
        np.testing.assert_array_equal(exp[:9], np.array([1, 1, inf, 0, nan, inf, 0, inf, 0], dtype))
        np.testing.assert_array_equal(tanh, np.array([0, -0.0, 1, -1, nan, 1, -1, 1, -1, -1], dtype))
        np.testing.assert_array_equal(applied(functions, "relu", x[2:5]), np.array([inf, 0, nan], dtype))
        np.testing.assert_array_equal(applied(functions, "sigmoid", x[:5]), np.array([0.5, 0.5, 1, 0, nan], dtype))
        np.testing.assert_array_equal(applied(functions, "softplus", x[2:5]), np.array([inf, 0, nan], dtype))


def test_signs_and_small_numbers_stay(functions):
    for dtype in ("float32", "float64"):
        x = np.array([np.finfo(dtype).tiny, -np.finfo(dtype).tiny, 1e-30, -1e-30], dtype)
        np.testing.assert_array_equal(applied(functions, "tanh", x), x)
