"""Primitives of entries: arithmetic, elementary functions, comparisons, choices."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from symbackprop.core.functions import FUNCTIONS, column
from symbackprop.read.numpy import TraceError
from symbackprop.read.numpy.lifting import lifted
from symbackprop.read.numpy.ufuncs import RESTRICTED

from .kinds import cast, is_minus_infinity, is_whole, settled_truth
from .registry import Step, call, reads, reads_as, refuses

ONE_OPERAND = {
    **{name: FUNCTIONS[f].operation for f, name in column(lambda f: f.lax).items()},
    "abs": "absolute", "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atanh": "arctanh",
    "cbrt": "cbrt", "ceil": "ceil", "digamma": "digamma", "erfc": "erfc", "exp2": "exp2", "expm1": "expm1",
    "floor": "floor", "is_finite": "isfinite", "lgamma": "gammaln", "log1p": "log1p", "neg": "negative",
    "not": "invert", "round": "rint", "sign": "sign", "sqrt": "sqrt", "square": "square", "tan": "tan",
}  # fmt: skip
TWO_OPERANDS = {
    "add": "add", "add_any": "add", "and": "bitwise_and", "atan2": "arctan2", "ge": "greater_equal",
    "gt": "greater", "le": "less_equal", "lt": "less", "min": "minimum", "mul": "multiply",
    "or": "bitwise_or", "sub": "subtract", "xor": "bitwise_xor",
}  # fmt: skip


def one_operand(name: str) -> Callable[..., Any]:
    return lambda step, x: call(name, x)


def two_operands(name: str) -> Callable[..., Any]:
    return lambda step, x, y: call(name, x, y)


for primitive, name in ONE_OPERAND.items():
    reads_as(primitive, name, one_operand(name), RESTRICTED.get(name, ""))
for primitive, name in TWO_OPERANDS.items():
    reads_as(primitive, name, two_operands(name), RESTRICTED.get(name, ""))


@reads("max")
def larger(step: Step, x: Any, y: Any) -> Any:
    """-inf, with which folds begin, is never the larger."""
    kept = [z for z in (x, y) if not is_minus_infinity(z)]
    return call("maximum", x, y) if len(kept) == 2 else (kept or [x])[0]


@reads("ne")
def differs(step: Step, x: Any, y: Any) -> Any:
    """Of one array with itself it asks for nan."""
    return call("isnan", x) if x is y else call("not_equal", x, y)


@reads("eq")
def agrees(step: Step, x: Any, y: Any) -> Any:
    return call("logical_not", differs(step, x, y)) if x is y else call("equal", x, y)


@reads("copy", "copy_p", "real", "conj", "reduce_precision", "optimization_barrier", "pvary")
def same(step: Step, *operands: Any) -> Any:
    return operands[0] if len(operands) == 1 else list(operands)


@reads("rsqrt")
def rsqrt(step: Step, x: Any) -> Any:
    return call("divide", 1, call("sqrt", x))


@reads("integer_pow")
def integer_pow(step: Step, x: Any) -> Any:
    return call("power", x, step.params["y"])


@reads("pow", restricted=RESTRICTED["power"])
def power(step: Step, x: Any, y: Any) -> Any:
    return call("power", x, y)


@reads("div", restricted="of whole numbers where the quotient is exact, or both are not negative")
def divide(step: Step, x: Any, y: Any) -> Any:
    if not is_whole(step.kind):
        return call("divide", x, y)
    return towards_zero("floor_divide", x, y)


@reads("rem", restricted=RESTRICTED["remainder"])
def remainder(step: Step, x: Any, y: Any) -> Any:
    return towards_zero("remainder", x, y)


def towards_zero(name: str, x: Any, y: Any) -> Any:
    """Whole numbers divided: JAX cuts towards 0, NumPy takes the floor, which is the same where neither is negative."""
    if settled_truth(call("greater_equal", x, 0)) is True and settled_truth(call("greater", y, 0)) is True:
        return call(name, x, y)
    raise TraceError("whole numbers that may be negative are divided: JAX cuts the quotient towards 0")


@reads("clamp")
def clamp(step: Step, low: Any, x: Any, high: Any) -> Any:
    return call("minimum", call("maximum", x, low), high)


@reads("select_n")
def select_n(step: Step, which: Any, *cases: Any) -> Any:
    """cases[which]; a choice that the sizes settle leaves the other cases unread."""
    value = lifted(which)
    if value.dtype != "bool":
        later = [(call("equal", which, k), case) for k, case in enumerate(cases)][1:]
        return reduce(lambda rest, one: choice(one[0], one[1], rest), later, cases[0])
    return choice(which, cases[1], cases[0])


def choice(condition: Any, yes: Any, no: Any) -> Any:
    known = settled_truth(condition)
    return call("where", condition, yes, no) if known is None else yes if known else no


@reads("convert_element_type", restricted="real numbers are not cut to whole ones; whole numbers stay below 2^31")
def convert_element_type(step: Step, x: Any) -> Any:
    return cast(x, step.kind)


refuses("imag", "complex", "fft", because="is about complex numbers")
refuses(
    "nextafter", "population_count", "clz", "shift_left", "shift_right_arithmetic", "shift_right_logical", "mulhi",
    "bitcast_convert_type", because="is about the bits of a number",
)  # fmt: skip
refuses(
    "rng_uniform", "rng_bit_generator", "random_seed", "random_wrap", "random_unwrap", "random_bits", "random_fold_in",
    "random_split", "threefry2x32", "random_gamma_grad", because="draws random numbers: pass them as an argument",
)  # fmt: skip
