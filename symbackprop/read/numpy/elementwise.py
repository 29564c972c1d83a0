"""Functions of entries: NumPy's ufuncs and scipy.special, by their names.

Where a function has a kink it is written with step functions H(u) = 1 where u > 0, else 0:
max(a, b) = b + (a-b) H(a-b).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from .algebra import (
    ONE,
    ZERO,
    Num,
    Term,
    complement,
    minus,
    negated,
    num,
    over_by,
    plus,
    power,
    same,
    scaled,
    step,
    times,
)
from .errors import TraceError
from .integers import INTEGER_BINARY
from .scalars import HALF, SCALAR, absolute, exp, log, sqrt, square
from .truth import COMPARISONS, compared, either, logical, logical_not, truth
from .values import (
    Value,
    aligned,
    broadcast,
    chosen,
    constant,
    elementwise,
    elementwise_integer,
    finite,
    known,
    promoted,
)

Operation: TypeAlias = Callable[..., Value]


def unary(name: str, x: Value) -> Value:
    if name in ("negative", "positive") and x.dtype != "real":
        if x.dtype == "bool":
            raise TraceError(f"NumPy has no {name} of booleans: write ~mask or 1 - mask")
        return elementwise_integer(SCALAR[name], lambda e: scaled(e, -1 if name == "negative" else 1), x)
    if name == "exp" and x.holes:
        bare = Value(x.shape, "real", x.term)
        return Value(x.shape, "real", lambda at: times(complement(x.hole(at)), exp(bare.term(at))))
    if name == "positive":
        return x
    if name in ("isnan", "isposinf"):
        return constant(0, "bool", x.shape)
    if name in ("isinf", "isneginf", "isfinite"):
        inside = Value(x.shape, "bool", x.hole)
        return logical_not(inside) if name == "isfinite" else inside
    if name in ("logical_not", "invert"):
        if name == "invert" and x.dtype != "bool":
            raise TraceError("~ of numbers flips bits; write 1 - x, or a comparison")
        return logical_not(truth(x))
    if name in ("conjugate", "conj"):
        return x
    if name in ("floor", "ceil", "rint", "trunc"):
        if x.dtype != "real":
            return x
        raise TraceError(f"np.{name} of real numbers has no index term")
    return elementwise(SCALAR[name], x, dtype="int" if name in KEEP_INTEGER and x.dtype == "int" else "real")


KEEP_INTEGER = frozenset({"absolute", "sign", "square"})
OTHER_UNARY = ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "logical_not", "invert", "conjugate", "conj",
               "floor", "ceil", "rint", "trunc")  # fmt: skip


# --- two arguments ---------------------------------------------------------------------------


def add(x: Value, y: Value) -> Value:
    if x.holes or y.holes:
        bare = [Value(v.shape, "real", v.term) for v in (x, y)]
        shape = broadcast(x.shape, y.shape)
        return Value(
            shape,
            "real",
            elementwise(plus, *bare).term,
            None,
            lambda at: either(x.hole(aligned(x.shape, at)), y.hole(aligned(y.shape, at))),
        )
    if x.dtype == y.dtype == "bool":
        return logical("logical_or", x, y)
    return arithmetic("add", plus, x, y)


def subtract(x: Value, y: Value) -> Value:
    if x.dtype == y.dtype == "bool":
        raise TraceError("NumPy does not subtract booleans: write a ^ b, or multiply one of them by 1.0")
    if y.holes:
        raise TraceError("something minus -inf is +inf, which has no index term")
    if x.holes:
        return add(x, unary("negative", y.cast("real")))
    return arithmetic("subtract", minus, x, y)


def multiply(x: Value, y: Value) -> Value:
    if x.holes or y.holes:
        return scaled_holes(x, y, times)
    if x.dtype == y.dtype == "bool":
        return logical("logical_and", x, y)
    return arithmetic("multiply", times, x, y)


def divide(x: Value, y: Value) -> Value:
    if x.holes or y.holes:
        return scaled_holes(x, y, over_by)
    zero = known(y) if y.ndim == 0 else None
    if zero == 0:
        raise TraceError("division by the constant 0")
    return elementwise(over_by, x, y)


def scaled_holes(x: Value, y: Value, f: Callable[[Term, Term], Term]) -> Value:
    """-inf times or over a positive constant."""
    if y.holes and not x.holes and f is times:
        x, y = y, x
    factor = known(y)
    if y.holes or factor is None or factor <= 0:
        raise TraceError("-inf may only be scaled by a positive constant: scale before masking")
    bare = Value(x.shape, "real", x.term)
    return Value(x.shape, "real", elementwise(f, bare, y).term, None, x.hole)


def arithmetic(name: str, f: Callable[[Term, Term], Term], x: Value, y: Value) -> Value:
    if promoted(x, y) == "real":
        return elementwise(f, x, y)
    return elementwise_integer(f, INTEGER_BINARY[name], x, y)


def raised(x: Value, y: Value) -> Value:
    """x ** y: a rational constant exponent is a power, another one e^{y log x}."""
    exponent = known(y)
    if exponent is None:
        finite(y)
        return elementwise(lambda a, b: exp(times(b, log(a))), x, y)
    if exponent.denominator != 1 and exponent.denominator > 64:
        return elementwise(lambda a: exp(times(num(exponent), log(a))), x)
    if x.dtype != "real" and exponent < 0 and y.dtype == "int":
        raise TraceError("NumPy refuses integers to a negative integer power: write 1 / x**n or x**-1.0")
    whole_numbers = x.dtype != "real" and y.dtype != "real"
    return elementwise(lambda a: power(a, exponent), x, dtype="int" if whole_numbers else "real")


def maximum(x: Value, y: Value) -> Value:
    if x.holes or y.holes:
        return maximum_with_holes(x, y)
    kind = promoted(x, y)
    if kind != "real" and (known(x) is None or known(y) is None):
        return elementwise_integer(larger, INTEGER_BINARY["maximum"], x, y)
    return elementwise(larger, x, y, dtype=kind)


def larger(a: Term, b: Term) -> Term:
    """max(a, b) = b + (a-b) H(a-b); a constant is taken for b."""
    if isinstance(a, Num):
        a, b = b, a
    if a == b:
        return a
    if isinstance(a, Num) and isinstance(b, Num):
        return num(max(a.value, b.value))
    d = minus(a, b)
    return plus(b, times(d, step(d)))


def smaller(a: Term, b: Term) -> Term:
    if isinstance(a, Num):
        a, b = b, a
    if a == b:
        return a
    if isinstance(a, Num) and isinstance(b, Num):
        return num(min(a.value, b.value))
    d = minus(a, b)
    return plus(b, times(d, step(negated(d))))


def maximum_with_holes(x: Value, y: Value) -> Value:
    """A hole loses against everything; two holes stay one."""
    shape = broadcast(x.shape, y.shape)

    def term(at: tuple[object, ...]) -> Term:
        a, b = aligned(x.shape, at), aligned(y.shape, at)  # type: ignore[arg-type]
        h, k = x.hole(a), y.hole(b)
        s, t = x.term(a), y.term(b)
        return plus(times(h, t), times(complement(h), k, s), times(complement(h), complement(k), larger(s, t)))

    def hole(at: tuple[object, ...]) -> Term:
        return times(x.hole(aligned(x.shape, at)), y.hole(aligned(y.shape, at)))  # type: ignore[arg-type]

    return Value(shape, "real", term, None, hole if x.holes and y.holes else None)


def minimum(x: Value, y: Value) -> Value:
    kind = promoted(x, y)
    if kind != "real" and (known(x) is None or known(y) is None):
        return elementwise_integer(smaller, INTEGER_BINARY["minimum"], x, y)
    return elementwise(smaller, x, y, dtype=kind)


def where(c: Value, x: Value, y: Value) -> Value:
    """c x + (1-c) y"""
    mask = truth(c)
    shape = broadcast(mask.shape, x.shape, y.shape)
    kind = promoted(x, y)

    def condition(at: tuple[object, ...]) -> Term:
        return mask.term(aligned(mask.shape, at))  # type: ignore[arg-type]

    def hole(at: tuple[object, ...]) -> Term:
        m = condition(at)
        a, b = x.hole(aligned(x.shape, at)), y.hole(aligned(y.shape, at))  # type: ignore[arg-type]
        return a if a == b else plus(times(m, a), times(complement(m), b))

    def index(at: tuple[object, ...]) -> object:
        m = condition(at)
        if m not in (ONE, ZERO):
            return None
        v = x if m == ONE else y
        return v.index(aligned(v.shape, at))  # type: ignore[arg-type]

    return Value(
        shape,
        kind,
        lambda at: chosen(condition(at), x, y, at, kind),
        index if kind == "int" else None,  # type: ignore[arg-type]
        hole if x.holes or y.holes else None,
    )


def quotient(name: str, x: Value, y: Value) -> Value:
    if promoted(x, y) != "int":
        raise TraceError(f"np.{name} of real numbers has no index term")

    def unknown(a: Term, b: Term) -> Term:
        raise TraceError("this integer division is not exact for all sizes: write the size as a product, such as '2*n'")

    return elementwise_integer(unknown, INTEGER_BINARY[name], x, y)


def real_two(f: Callable[[Term, Term], Term]) -> Operation:
    return lambda x, y: elementwise(f, x, y)


BINARY: dict[str, Operation] = {
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "divide": divide,
    "true_divide": divide,
    "power": raised,
    "float_power": lambda x, y: raised(x.cast("real"), y.cast("real")),
    "pow": raised,
    "maximum": maximum,
    "fmax": maximum,
    "minimum": minimum,
    "fmin": minimum,
    "floor_divide": lambda x, y: quotient("floor_divide", x, y),
    "remainder": lambda x, y: quotient("remainder", x, y),
    "mod": lambda x, y: quotient("remainder", x, y),
    "hypot": real_two(lambda a, b: sqrt(plus(square(a), square(b)))),
    "logaddexp": real_two(lambda a, b: log(plus(exp(a), exp(b)))),
    "logaddexp2": real_two(lambda a, b: SCALAR["log2"](plus(SCALAR["exp2"](a), SCALAR["exp2"](b)))),
    "copysign": real_two(lambda a, b: times(absolute(a), minus(ONE, times(num(2), step(negated(b)))))),
    "heaviside": real_two(lambda x, h: plus(step(x), times(h, same(x, ZERO)))),
    "xlogy": real_two(lambda x, y: times(x, log(y))),
    "xlog1py": real_two(lambda x, y: times(x, log(plus(ONE, y)))),
    "rel_entr": real_two(lambda x, y: times(x, log(over_by(x, y)))),
    "kl_div": real_two(lambda x, y: plus(times(x, log(over_by(x, y))), negated(x), y)),
    "huber": real_two(
        lambda d, r: plus(
            times(HALF, square(r)), negated(times(HALF, square(minus(absolute(r), d)), step(minus(absolute(r), d))))
        )
    ),
    "pseudo_huber": real_two(lambda d, r: times(square(d), minus(sqrt(plus(ONE, square(over_by(r, d)))), ONE))),
    **{name: (lambda x, y, name=name: compared(name, x, y)) for name in COMPARISONS},
    **{
        f"{kind}_{op}": (lambda x, y, name=f"{kind}_{op}": logical(name, x, y))
        for kind in ("logical", "bitwise")
        for op in ("and", "or", "xor")
    },
}
UNARY = frozenset(SCALAR) | frozenset(OTHER_UNARY)
