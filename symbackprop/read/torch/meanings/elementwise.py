"""Functions of entries."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from symbackprop.core.functions import FUNCTIONS, column
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special
from symbackprop.read.numpy import TraceError
from symbackprop.read.numpy.context import current
from symbackprop.read.numpy.scalars import pi

from ..registry import entrywise as aten
from ..registry import refuses

SAME_NAME = (
    "exp2", "expm1", "log2", "log10", "log1p", "sqrt", "square", "reciprocal", "tan", "sign", "maximum", "minimum",
    "hypot", "heaviside", "logaddexp", "logaddexp2", "fmax", "fmin", "logical_and", "logical_or", "logical_xor",
    "logical_not", "bitwise_and", "bitwise_or", "bitwise_xor",
    "isnan", "isinf", "isfinite", "floor", "ceil", "trunc", "floor_divide", "remainder", "deg2rad", "rad2deg",
)  # fmt: skip
OTHER_NAME = {
    "abs": "absolute", "neg": "negative", "sgn": "sign", "asin": "arcsin", "acos": "arccos",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "eq": "equal", "ne": "not_equal", "lt": "less",
    "le": "less_equal", "gt": "greater", "ge": "greater_equal", "bitwise_not": "invert", "round": "rint",
}  # fmt: skip
OF_SCIPY = {
    **{name: FUNCTIONS[f].operation for f, name in column(lambda f: f.aten).items()}, "erfc": "erfc",
    "lgamma": "gammaln", "digamma": "digamma", "special_ndtr": "ndtr",
    "xlogy": "xlogy", "special_xlog1py": "xlog1py", "special_entr": "entr",
}  # fmt: skip
WHERE = {
    **dict.fromkeys(("floor", "ceil", "trunc", "round", "floor_divide", "remainder"), "whole numbers"),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not"), "booleans"),
    **dict.fromkeys(("isnan", "isinf", "isfinite", "fmax", "fmin"), "what may be nan is refused"),
    "xlogy": "no value at y = 0", "special_xlog1py": "no value at y = -1", "special_entr": "no value at 0",
}  # fmt: skip


def same(module: Any, name: str) -> Callable[..., Any]:
    return lambda *args: getattr(module, name)(*args)


for _name in SAME_NAME:
    aten(_name, where=WHERE.get(_name, ""))(same(np, _name))
for _name, _theirs in OTHER_NAME.items():
    aten(_name, where=WHERE.get(_name, ""))(same(np, _theirs))
for _name, _theirs in OF_SCIPY.items():
    aten(_name, where=WHERE.get(_name, ""))(same(special, _theirs))


# --- arithmetic ----------------------------------------------------------------------------------


def times(a: Any, b: Any) -> Any:
    """a b, where a may be the number 1."""
    return b if isinstance(a, int | float) and a == 1 else np.multiply(a, b)


@aten("add")
def add(a: Any, b: Any, alpha: Any = 1) -> Any:
    return np.add(a, times(alpha, b))


@aten("sub")
def sub(a: Any, b: Any, alpha: Any = 1) -> Any:
    return np.subtract(a, times(alpha, b))


@aten("rsub")
def rsub(a: Any, b: Any, alpha: Any = 1) -> Any:
    return np.subtract(b, times(alpha, a))


@aten("mul")
def mul(a: Any, b: Any) -> Any:
    return np.multiply(a, b)


@aten("div", "true_divide", where="rounding_mode: whole numbers")
def div(a: Any, b: Any, rounding_mode: Any = None) -> Any:
    if rounding_mode is None:
        return np.divide(a, b)
    if rounding_mode == "floor":
        return np.floor_divide(a, b)
    raise TraceError(f"division with rounding_mode={rounding_mode!r} is not modelled")


@aten("pow", where="a whole exponent is exact for every base; one that is not constant needs a base x > 0")
def power(a: Any, b: Any) -> Any:
    return np.power(a, int(b) if isinstance(b, float) and b.is_integer() else b)


@aten("rsqrt")
def rsqrt(x: Any) -> Any:
    return np.divide(1.0, np.sqrt(x))


@aten("addcmul")
def addcmul(a: Any, b: Any, c: Any, value: Any = 1) -> Any:
    return np.add(a, times(value, np.multiply(b, c)))


@aten("addcdiv")
def addcdiv(a: Any, b: Any, c: Any, value: Any = 1) -> Any:
    return np.add(a, times(value, np.divide(b, c)))


@aten("lerp")
def lerp(a: Any, b: Any, weight: Any) -> Any:
    return np.add(a, np.multiply(weight, np.subtract(b, a)))


@aten("logit", where="eps: none")
def logit(x: Any) -> Any:
    return special.logit(x)


@aten("nan_to_num", where="what may be nan is refused")
def nan_to_num(x: Any, *_: Any, **__: Any) -> Any:
    return np.nan_to_num(x)


# --- choices -------------------------------------------------------------------------------------


@aten("where")
def where(condition: Any, a: Any, b: Any) -> Any:
    return np.where(condition, a, b)


@aten("masked_fill")
def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    return np.where(mask, value, x)


@aten("clamp")
def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    return np.clip(x, min, max)


@aten("clamp_min")
def clamp_min(x: Any, least: Any) -> Any:
    return np.maximum(x, least)


@aten("clamp_max")
def clamp_max(x: Any, most: Any) -> Any:
    return np.minimum(x, most)


@aten("relu")
def relu(x: Any) -> Any:
    return np.maximum(x, 0.0) if x.value.dtype == "real" else np.maximum(x, 0)


@aten("relu6")
def relu6(x: Any) -> Any:
    return np.clip(x, 0.0, 6.0)


@aten("hardtanh")
def hardtanh(x: Any, low: Any = -1.0, high: Any = 1.0) -> Any:
    return np.clip(x, low, high)


@aten("threshold")
def threshold(x: Any, bound: Any, value: Any) -> Any:
    return np.where(np.less_equal(x, bound), value, x)


@aten("threshold_backward")
def threshold_backward(g: Any, x: Any, bound: Any) -> Any:
    return np.where(np.less_equal(x, bound), 0.0, g)


@aten("leaky_relu")
def leaky_relu(x: Any, slope: Any = 0.01) -> Any:
    return np.where(np.greater(x, 0.0), x, np.multiply(slope, x))


@aten("_prelu_kernel")
def prelu(x: Any, weight: Any) -> Any:
    return np.where(np.greater(x, 0.0), x, np.multiply(weight, x))


@aten("elu")
def elu(x: Any, alpha: Any = 1.0, scale: Any = 1.0, input_scale: Any = 1.0) -> Any:
    below = times(scale, times(alpha, np.subtract(np.exp(times(input_scale, x)), 1.0)))
    return np.where(np.greater(x, 0.0), times(scale, x), below)


@aten("hardshrink")
def hardshrink(x: Any, bound: Any = 0.5) -> Any:
    return np.where(np.greater(np.absolute(x), bound), x, 0.0)


@aten("softshrink")
def softshrink(x: Any, bound: Any = 0.5) -> Any:
    return np.where(np.greater(x, bound), np.subtract(x, bound),
                    np.where(np.less(x, np.negative(bound)), np.add(x, bound), 0.0))  # fmt: skip


# --- activations -----------------------------------------------------------------------------------


@aten("silu")
def silu(x: Any) -> Any:
    return np.multiply(x, special.expit(x))


@aten("hardsigmoid")
def hardsigmoid(x: Any) -> Any:
    return np.divide(np.clip(np.add(x, 3.0), 0.0, 6.0), 6.0)


@aten("hardswish")
def hardswish(x: Any) -> Any:
    return np.divide(np.multiply(x, np.clip(np.add(x, 3.0), 0.0, 6.0)), 6.0)


@aten("softplus", where="threshold: without it, which differs by rounding")
def softplus(x: Any, beta: Any = 1, threshold: Any = 20) -> Any:
    if isinstance(threshold, int | float) and threshold < 20:
        raise TraceError("softplus with a threshold below 20, which is no rounding any more")
    current().notes["softplus without the threshold beyond which PyTorch rounds it to x"] = None
    found = np.log(np.add(1.0, np.exp(times(beta, x))))
    return found if beta == 1 else np.divide(found, beta)


@aten("log_sigmoid_forward")
def log_sigmoid(x: Any) -> Any:
    return special.log_expit(x), np.exp(np.negative(np.absolute(x)))


@aten("mish")
def mish(x: Any) -> Any:
    return np.multiply(x, np.tanh(np.log(np.add(1.0, np.exp(x)))))


@aten("gelu")
def gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "none":
        return np.multiply(np.multiply(0.5, x), np.add(1.0, special.erf(np.divide(x, np.sqrt(2)))))
    inner = np.multiply(np.sqrt(np.divide(2, number_pi())), np.add(x, np.multiply(0.044715, np.power(x, 3))))
    return np.multiply(np.multiply(0.5, x), np.add(1.0, np.tanh(inner)))


@aten("gelu_backward")
def gelu_backward(g: Any, x: Any, approximate: str = "none") -> Any:
    if approximate != "none":
        c = np.sqrt(np.divide(2, number_pi()))
        t = np.tanh(np.multiply(c, np.add(x, np.multiply(0.044715, np.power(x, 3)))))
        slope = np.multiply(c, np.add(1.0, np.multiply(np.multiply(3, 0.044715), np.square(x))))
        bend = np.multiply(np.multiply(np.multiply(0.5, x), np.subtract(1.0, np.square(t))), slope)
        return np.multiply(g, np.add(np.multiply(0.5, np.add(1.0, t)), bend))
    density = np.divide(np.exp(np.multiply(-0.5, np.square(x))), np.sqrt(np.multiply(2, number_pi())))
    return np.multiply(g, np.add(special.ndtr(x), np.multiply(x, density)))


def number_pi() -> Any:
    """π itself, where PyTorch's own code has its double."""
    return np.pi


@aten("sinc", "special_sinc", where="no value at 0")
def sinc(x: Any) -> Any:
    return np.sinc(x)


refuses("atan2", "nextafter", "erfinv", "polygamma", "igamma", "i0", "special_i0", "special_i1", "polar", "complex",
        "angle", "fmod", because="has no index term")  # fmt: skip

__all__ = ["add", "math", "pi", "times"]
