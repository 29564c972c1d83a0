"""Functions of entries, losses that PyTorch has as one operation, and random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbackprop.core.functions import FUNCTIONS, column
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special
from symbackprop.read.numpy import TraceError
from symbackprop.read.numpy.context import current
from symbackprop.read.numpy.drawing import Random, Symbolic

from ..registry import ATEN

entrywise = ATEN.section("elementwise")
NUMBERS = {
    **{name: name for name in (
        "exp2", "expm1", "log2", "log10", "log1p", "sqrt", "square", "reciprocal", "tan", "sign", "maximum", "minimum",
        "hypot", "heaviside", "logaddexp", "logaddexp2", "fmax", "fmin", "logical_and", "logical_or", "logical_xor",
        "logical_not", "bitwise_and", "bitwise_or", "bitwise_xor",
        "isnan", "isinf", "isfinite", "floor", "ceil", "trunc", "floor_divide", "remainder", "deg2rad", "rad2deg",
    )},
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


for _module, _table in ((np, NUMBERS), (special, OF_SCIPY)):
    for _name, _theirs in _table.items():
        entrywise(_name, where=WHERE.get(_name, ""))(same(_module, _theirs))


def times(a: Any, b: Any) -> Any:
    """a b, where a may be the number 1."""
    return b if isinstance(a, int | float) and a == 1 else np.multiply(a, b)


def six(x: Any) -> Any:
    """relu6(x + 3)"""
    return np.clip(np.add(x, 3.0), 0.0, 6.0)


entrywise.rows({
    # arithmetic
    "add": lambda a, b, alpha=1: np.add(a, times(alpha, b)),
    "sub": lambda a, b, alpha=1: np.subtract(a, times(alpha, b)),
    "mul": lambda a, b: np.multiply(a, b),
    "rsqrt": lambda x: np.divide(1.0, np.sqrt(x)),
    "lerp": lambda a, b, weight: np.add(a, np.multiply(weight, np.subtract(b, a))),
    # choices
    "where": lambda condition, a, b: np.where(condition, a, b),
    "clamp": lambda x, min=None, max=None: np.clip(x, min, max),
    "relu": lambda x: np.maximum(x, 0.0) if x.value.dtype == "real" else np.maximum(x, 0),
    "threshold_backward": lambda g, x, bound: np.where(np.less_equal(x, bound), 0.0, g),
    "hardshrink": lambda x, bound=0.5: np.where(np.greater(np.absolute(x), bound), x, 0.0),
    # activations
    "hardsigmoid": lambda x: np.divide(six(x), 6.0),
    "hardswish": lambda x: np.divide(np.multiply(x, six(x)), 6.0),
    "log_sigmoid_forward": lambda x: (special.log_expit(x), np.exp(np.negative(np.absolute(x)))),
})  # fmt: skip
entrywise.rows({"logit": lambda x: special.logit(x)}, where="eps: none")
entrywise.rows({"nan_to_num": lambda x, *_, **__: np.nan_to_num(x)}, where="what may be nan is refused")
entrywise.rows({"sinc special_sinc": lambda x: np.sinc(x)}, where="no value at 0")


@entrywise("div", "true_divide", where="rounding_mode: whole numbers")
def div(a: Any, b: Any, rounding_mode: Any = None) -> Any:
    if rounding_mode is None:
        return np.divide(a, b)
    if rounding_mode == "floor":
        return np.floor_divide(a, b)
    raise TraceError(f"division with rounding_mode={rounding_mode!r} is not modelled")


@entrywise("pow", where="a whole exponent is exact for every base; one that is not constant needs a base x > 0")
def power(a: Any, b: Any) -> Any:
    return np.power(a, int(b) if isinstance(b, float) and b.is_integer() else b)


@entrywise("elu")
def elu(x: Any, alpha: Any = 1.0, scale: Any = 1.0, input_scale: Any = 1.0) -> Any:
    below = times(scale, times(alpha, np.subtract(np.exp(times(input_scale, x)), 1.0)))
    return np.where(np.greater(x, 0.0), times(scale, x), below)


@entrywise("softshrink")
def softshrink(x: Any, bound: Any = 0.5) -> Any:
    return np.where(np.greater(x, bound), np.subtract(x, bound),
                    np.where(np.less(x, np.negative(bound)), np.add(x, bound), 0.0))  # fmt: skip


@entrywise("softplus", where="threshold: without it, which differs by rounding")
def softplus(x: Any, beta: Any = 1, threshold: Any = 20) -> Any:
    if isinstance(threshold, int | float) and threshold < 20:
        raise TraceError("softplus with a threshold below 20, which is no rounding any more")
    current().notes["softplus without the threshold beyond which PyTorch rounds it to x"] = None
    found = np.log(np.add(1.0, np.exp(times(beta, x))))
    return found if beta == 1 else np.divide(found, beta)


@entrywise("gelu")
def gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "none":
        return np.multiply(np.multiply(0.5, x), np.add(1.0, special.erf(np.divide(x, np.sqrt(2)))))
    inner = np.multiply(np.sqrt(np.divide(2, np.pi)), np.add(x, np.multiply(0.044715, np.power(x, 3))))
    return np.multiply(np.multiply(0.5, x), np.add(1.0, np.tanh(inner)))


@entrywise("gelu_backward")
def gelu_backward(g: Any, x: Any, approximate: str = "none") -> Any:
    """With π itself, where PyTorch's own code has its double."""
    if approximate != "none":
        c = np.sqrt(np.divide(2, np.pi))
        t = np.tanh(np.multiply(c, np.add(x, np.multiply(0.044715, np.power(x, 3)))))
        slope = np.multiply(c, np.add(1.0, np.multiply(np.multiply(3, 0.044715), np.square(x))))
        bend = np.multiply(np.multiply(np.multiply(0.5, x), np.subtract(1.0, np.square(t))), slope)
        return np.multiply(g, np.add(np.multiply(0.5, np.add(1.0, t)), bend))
    density = np.divide(np.exp(np.multiply(-0.5, np.square(x))), np.sqrt(np.multiply(2, np.pi)))
    return np.multiply(g, np.add(special.ndtr(x), np.multiply(x, density)))


ATEN.refuses("atan2", "nextafter", "erfinv", "polygamma", "igamma", "i0", "special_i0", "special_i1", "polar",
             "complex", "angle", "fmod", because="has no index term")  # fmt: skip


# --- losses --------------------------------------------------------------------------------------

loss = ATEN.section("losses")
NONE, MEAN = 0, 1


def reduced(losses: Any, reduction: int) -> Any:
    return losses if reduction == NONE else np.mean(losses) if reduction == MEAN else np.sum(losses)


@loss("binary_cross_entropy", where="the bound of -100 on a logarithm is left out: no value at 0 and 1")
def binary_cross_entropy(x: Any, t: Any, weight: Any = None, reduction: int = MEAN) -> Any:
    found = np.add(np.multiply(t, np.log(x)), np.multiply(np.subtract(1.0, t), np.log(np.subtract(1.0, x))))
    return reduced(np.negative(found if weight is None else np.multiply(weight, found)), reduction)


@loss("nll_loss_forward", "nll_loss2d_forward")
def nll_loss(x: Any, labels: Any, weight: Any, reduction: int, ignore_index: Any) -> Any:
    """Minus the entry that each label names along axis 1, and what the labels weigh together."""
    dim = 1 if len(x.shape) > 1 else 0
    losses = np.negative(np.squeeze(np.take_along_axis(x, np.expand_dims(labels, dim), axis=dim), dim))
    weights = weights_of(labels, weight, ignore_index)
    total = np.sum(np.ones(labels.shape) if weights is None else weights)
    if weights is not None:
        losses = np.multiply(weights, losses)
    if reduction == MEAN and weights is not None:
        return np.divide(np.sum(losses), total), total
    return reduced(losses, reduction), total


@loss("nll_loss_backward", "nll_loss2d_backward")
def nll_loss_backward(g: Any, x: Any, labels: Any, weight: Any, reduction: int, ignore_index: Any, total: Any) -> Any:
    weights = weights_of(labels, weight, ignore_index)
    dim = 1 if len(x.shape) > 1 else 0
    rows = np.expand_dims(labels, dim)
    each = np.expand_dims(g, dim) if reduction == NONE and labels.shape else g
    scale = np.negative(each if weights is None else np.multiply(each, np.expand_dims(weights, dim)))
    if reduction == MEAN:
        scale = np.divide(scale, total)
    found = np.zeros(x.shape)
    np.put_along_axis(found, rows, np.broadcast_to(scale, rows.shape), dim)
    return found


def weights_of(labels: Any, weight: Any, ignore_index: Any) -> Any:
    """What each label weighs, 0 where it is ignored; None where all weigh 1."""
    known = None if weight is None else weight[labels]
    if isinstance(ignore_index, int) and ignore_index < 0:  # no label
        return known
    counted = np.not_equal(labels, ignore_index) * 1.0
    return counted if known is None else np.multiply(known, counted)


# --- random numbers --------------------------------------------------------------------------------
# Each draw is an array about which nothing is known, the same one in each run of the code.  A mask is where such an
# array lies below a probability.  The functions take tensors of the reader or arrays of numbers.

drawing = ATEN.section("drawing")
ALONE = (
    "random numbers are drawn by code that stands alone: what forward and backward draw are two draws. In a "
    "torch.autograd.Function they are one run; of a module, use eval()"
)


def dropout(draw: Any, x: Any, p: Any, train: Any = True) -> Any:
    if train is False:
        return x * 1.0, draw(tuple(x.shape)) * 0.0 > -1.0
    kept = draw(tuple(x.shape)) > p
    return x * kept / (1 - p), kept


DRAWN: dict[str, Callable[..., Any]] = {  # by operation; the first argument draws an array of a shape
    **dict.fromkeys(("rand", "randn"), lambda draw, shape, *_, **__: draw(tuple(shape))),
    **dict.fromkeys(("rand_like", "randn_like"), lambda draw, x, *_, **__: draw(tuple(x.shape))),
    "uniform": lambda draw, x, low=0.0, high=1.0, **_: low + (high - low) * draw(tuple(x.shape)),
    **dict.fromkeys(("normal", "normal_functional"),
                    lambda draw, x, mean=0.0, std=1.0, **_: mean + std * draw(tuple(x.shape))),
    "bernoulli": lambda draw, x, p=None, **_: (draw(tuple(x.shape)) < (x if p is None else p)) * 1.0,
    "native_dropout": dropout,
}  # fmt: skip


def drawn(draw: Callable[..., Any]) -> Callable[..., Any]:
    def meaning(*args: Any, **options: Any) -> Any:
        if current().draws is None:
            raise TraceError(ALONE)
        return draw(Random(Symbolic(), np)._draw, *args, **options)

    return meaning


for _name, _draw in DRAWN.items():
    drawing(_name, where="an array about which nothing is known, in a torch.autograd.Function")(drawn(_draw))
ATEN.refuses("randint", "randint_like", "randperm", "exponential_", "multinomial", "poisson", because="is random")
