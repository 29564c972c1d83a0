"""Primitives of entries and over axes: arithmetic, elementary functions, comparisons, choices, sums, extrema."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from symbackprop.core.functions import FUNCTIONS, column
from symbackprop.read.numpy import TraceError
from symbackprop.read.numpy.lifting import lifted
from symbackprop.read.numpy.ufuncs import RESTRICTED

from .registry import LAX, Step, as_array, axes, call, cast, is_minus_infinity, is_whole, reads_as, settled_truth

SAME = {
    **{name: FUNCTIONS[f].operation for f, name in column(lambda f: f.lax).items()},
    "abs": "absolute", "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atanh": "arctanh",
    "cbrt": "cbrt", "ceil": "ceil", "digamma": "digamma", "erfc": "erfc", "exp2": "exp2", "expm1": "expm1",
    "floor": "floor", "is_finite": "isfinite", "lgamma": "gammaln", "log1p": "log1p", "neg": "negative",
    "not": "invert", "round": "rint", "sign": "sign", "sqrt": "sqrt", "square": "square", "tan": "tan",
    "add": "add", "add_any": "add", "and": "bitwise_and", "atan2": "arctan2", "ge": "greater_equal",
    "gt": "greater", "le": "less_equal", "lt": "less", "min": "minimum", "mul": "multiply",
    "or": "bitwise_or", "sub": "subtract", "xor": "bitwise_xor",
}  # fmt: skip


def entrywise(name: str) -> Callable[..., Any]:
    return lambda step, *operands: call(name, *operands)


for primitive, name in SAME.items():
    reads_as(primitive, name, entrywise(name), RESTRICTED.get(name, ""))


@LAX("max")
def larger(step: Step, x: Any, y: Any) -> Any:
    """-inf, with which folds begin, is never the larger."""
    kept = [z for z in (x, y) if not is_minus_infinity(z)]
    return call("maximum", x, y) if len(kept) == 2 else (kept or [x])[0]


LAX.rows({  # one array compared with itself asks for nan
    "ne": lambda step, x, y: call("isnan", x) if x is y else call("not_equal", x, y),
    "eq": lambda step, x, y: call("logical_not", call("isnan", x)) if x is y else call("equal", x, y),
    "copy copy_p real conj reduce_precision optimization_barrier pvary":
        lambda step, *operands: operands[0] if len(operands) == 1 else list(operands),
    "rsqrt": lambda step, x: call("divide", 1, call("sqrt", x)),
    "integer_pow": lambda step, x: call("power", x, step.params["y"]),
    "clamp": lambda step, low, x, high: call("minimum", call("maximum", x, low), high),
})  # fmt: skip
LAX.rows({"pow": entrywise("power")}, where=RESTRICTED["power"])
LAX.rows(
    {"convert_element_type": lambda step, x: cast(x, step.kind)},
    where="real numbers are not cut to whole ones; whole numbers stay below 2^31",
)


@LAX("div", where="of whole numbers where the quotient is exact, or both are not negative")
def divide(step: Step, x: Any, y: Any) -> Any:
    return towards_zero("floor_divide", x, y) if is_whole(step.kind) else call("divide", x, y)


@LAX("rem", where=RESTRICTED["remainder"])
def remainder(step: Step, x: Any, y: Any) -> Any:
    return towards_zero("remainder", x, y)


def towards_zero(name: str, x: Any, y: Any) -> Any:
    """Whole numbers divided: JAX cuts towards 0, NumPy takes the floor, which is the same where neither is negative."""
    if settled_truth(call("greater_equal", x, 0)) is True and settled_truth(call("greater", y, 0)) is True:
        return call(name, x, y)
    raise TraceError("whole numbers that may be negative are divided: JAX cuts the quotient towards 0")


@LAX("select_n")
def select_n(step: Step, which: Any, *cases: Any) -> Any:
    """cases[which]; a choice that the sizes settle leaves the other cases unread."""
    if lifted(which).dtype != "bool":
        later = [(call("equal", which, k), case) for k, case in enumerate(cases)][1:]
        return reduce(lambda rest, one: choice(one[0], one[1], rest), later, cases[0])
    return choice(which, cases[1], cases[0])


def choice(condition: Any, yes: Any, no: Any) -> Any:
    known = settled_truth(condition)
    return call("where", condition, yes, no) if known is None else yes if known else no


LAX.refuses("imag", "complex", "fft", because="is about complex numbers")
LAX.refuses(
    "nextafter", "population_count", "clz", "shift_left", "shift_right_arithmetic", "shift_right_logical", "mulhi",
    "bitcast_convert_type", because="is about the bits of a number",
)  # fmt: skip
LAX.refuses(
    "rng_uniform", "rng_bit_generator", "random_seed", "random_wrap", "random_unwrap", "random_bits", "random_fold_in",
    "random_split", "threefry2x32", "random_gamma_grad", because="draws random numbers: pass them as an argument",
)  # fmt: skip


# --- over axes -------------------------------------------------------------------------------


def fold(name: str) -> Callable[..., Any]:
    return lambda step, x: call(name, as_array(x), axis=axes(step.params["axes"]))


def of_truth(name: str) -> Callable[..., Any]:
    def run(step: Step, x: Any) -> Any:
        if step.kind != "bool":
            raise TraceError("and, or of whole numbers works on their bits")
        return fold(name)(step, x)

    return run


def running(name: str) -> Callable[..., Any]:
    def run(step: Step, x: Any) -> Any:
        axis = int(step.params["axis"])
        if not step.params.get("reverse"):
            return call(name, as_array(x), axis=axis)
        return call("flip", call(name, call("flip", as_array(x), axis), axis=axis), axis)

    return run


def pick(name: str) -> Callable[..., Any]:
    return lambda step, x: call(name, as_array(x), axis=int(step.params["axes"][0]))


LAX.rows({f"reduce_{name}": fold(name) for name in ("sum", "max", "min", "prod")})
LAX.rows({"reduce_and": of_truth("all"), "reduce_or": of_truth("any")}, where="booleans")
LAX.rows({name: running(name) for name in ("cumsum", "cumprod")})
LAX.rows({"cumlogsumexp": lambda step, x: call("log", running("cumsum")(step, call("exp", x)))})
for name in ("argmax", "argmin"):
    reads_as(name, name, pick(name))
LAX.refuses("sort", "top_k", "approx_top_k", "cummax", "cummin", because="depends on the order of the data")
LAX.refuses("reduce", "reduce_xor", "reduce_window", "select_and_gather_add", because="has no index term")
