"""Arithmetic of arrays of floats for the fast evaluator: NumPy functions and whole-array functions.

Values carry one axis per index in scope, in order; an axis of length 1 means "does not depend on it",
and a value without axes is a constant.  NaN stands for "no value".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from symbackprop.core.functions import column

from .duals import Dual, Lifted, Value, mapped, real
from .points import Loss, Position

Floats: TypeAlias = Any  # a float or an ndarray of floats

_ERF = np.vectorize(math.erf, otypes=[float])


def _sigmoid(x: Floats) -> Floats:
    return np.exp(-np.logaddexp(0, np.negative(x)))


def unless_zero(x: Floats) -> Floats:
    """x, and nan for 0: what NumPy makes infinite there has no value."""
    return np.where(np.equal(x, 0), np.nan, x)


def _log(x: Floats) -> Floats:
    return np.log(unless_zero(x))


_FUNCTIONS: dict[str, Callable[[Floats], Floats]] = {
    **{name: getattr(np, theirs) for name, theirs in column(lambda f: f.numpy).items()},
    "log": _log, "sigmoid": _sigmoid, "softplus": lambda x: np.logaddexp(0, x), "erf": _ERF,
}  # fmt: skip
_CONSTANTS = {"pi": math.pi, "e": math.e, "two_over_sqrt_pi": 2 / math.sqrt(math.pi)}


class FloatNumbers:
    """Plain numbers for dual arithmetic: float64, alone or in arrays."""

    @staticmethod
    def plus(a: Floats, b: Floats) -> Floats:
        return a + b

    @staticmethod
    def times(a: Floats, b: Floats) -> Floats:
        return a * b

    @staticmethod
    def power(base: Floats, exponent: Fraction) -> Floats:
        if exponent.denominator == 1:
            n = exponent.numerator
            if n == 2:
                return base * base
            if n >= 0:
                return integer_power(base, n)
            return np.divide(1.0, integer_power(unless_zero(base), -n))
        known = np.greater(base, 0) if exponent < 0 else np.greater_equal(base, 0)
        return np.where(known, np.power(np.abs(base), float(exponent)), np.nan)

    @staticmethod
    def function(name: str, x: Floats) -> Floats:
        return _FUNCTIONS[name](x)

    @staticmethod
    def constant(name: str) -> Floats:
        return _CONSTANTS[name]

    @staticmethod
    def number(x: Fraction) -> Floats:
        return to_float(x)

    @staticmethod
    def step(x: Floats) -> Floats:
        return np.where(np.isnan(x), np.nan, np.greater(x, 0))


def integer_power(base: Floats, n: int) -> Floats:
    try:
        return base**n
    except OverflowError:  # Python's floats raise where NumPy's are infinite
        return np.power(np.float64(base), float(n))


def to_float(x: Fraction) -> float:
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def total(v: Floats, axes: tuple[int, ...], counts: tuple[int, ...]) -> Floats:
    """Sum over the last axes, of these lengths (an axis of length 1 counts as often as it is long)."""
    if np.ndim(v) == 0:
        return v * math.prod(counts)
    if not math.prod(counts):
        return np.zeros(v.shape[: -len(counts)])
    factor = math.prod(c for a, c in zip(axes, counts, strict=True) if v.shape[a] == 1)
    return v.sum(axis=axes) * factor


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
        return (values.argmax(axis=-1)[..., None] == np.arange(values.shape[-1])).reshape(shape) * 1.0
    if fn == "gap":
        top = np.sort(real(flat), axis=-1)
        return top[..., -1] - top[..., -2] if top.shape[-1] > 1 else np.ones(top.shape[:-1])
    if fn in ("max", "min"):
        values = real(flat)
        place = (np.argmax if fn == "max" else np.argmin)(values, axis=-1)[..., None]
        return mapped(lambda v: picked(v, place), flat)
    entries = [mapped(lambda v, k=k: v[..., k], flat) for k in range(math.prod(inside))]  # type: ignore[misc]
    if fn == "prod":
        return a.product(entries)
    positions = list(np.ndindex(*inside))
    return (loss or Loss(fn))(a, list(zip(positions, entries, strict=True)), at)
