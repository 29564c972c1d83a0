"""Functions of entries: NumPy's ufuncs and scipy.special, by their names.

Where a function has a kink it is written with step functions H(u) = 1 where u > 0, else 0:
max(a, b) = b + (a-b) H(a-b).

An array has *holes* where it stands for -inf, as in the masks of softmax.  They are *soft* where a large negative
number stands there, such as (1 - m) * -1e9, which is -inf inside an exponential only.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.terms import ONE, ZERO, Add, Array, Delta, Entry, Holds, Index, Mul, Num, Power, Term, dummy, num

from .algebra import minus, multiplied, negated, over_by, partial, plus, size_term, times
from .axes import At, scaled, somewhere
from .context import TraceError, current
from .scalars import HALF, SCALAR, absolute, exp, log, raised, rounded, sqrt, square, wrapping
from .steps import (
    COMPARISONS, INTEGER_BINARY, blend, compared, complement, either, logical, logical_not, same, step, truth,
)  # fmt: skip
from .values import Cell, Value, all_soft, conformed, constant, elementwise, elementwise_integer, fits, known, promoted

F0 = Fraction(0)
MASK_CONSTANT = Fraction(-(10**4))
MASKED = f"a mask constant of {int(MASK_CONSTANT)} or less (such as -1e9) inside an exponential is read as -inf"


def masking(v: Value) -> Value:
    """A constant such as -1e9 with the holes that make it -inf inside an exponential."""
    value = known(v)
    if v.holes or value is None or value > MASK_CONSTANT:
        return v
    return Value(v.shape, "real", v.term, lambda at: ONE, soft=True)


def beside(hole: Term, t: Term) -> Term:
    """The term where the hole is 0, without the summands that are the hole times something."""
    match t:
        case Add(args):
            return plus(*(beside(hole, a) for a in args))
        case Mul(args) if hole in args:
            return ZERO
        case _:
            return t


def masked(v: Value, sign: int = 1) -> Value | None:
    """sign * v with the holes of m, where that is m * -1e9; None where it is no such product."""
    if not current().large or v.holes or v.dtype != "real":
        return None
    here = somewhere(v.shape)
    if mask_in(v.term(here), sign) is None:
        return None

    def parts(at: At) -> tuple[Fraction, Term]:
        return mask_in(v.term(at), sign) or (F0, ZERO)

    return Value(v.shape, "real", lambda at: times(num(parts(at)[0]), parts(at)[1]), lambda at: parts(at)[1], True)


def mask_in(t: Term, sign: int) -> tuple[Fraction, Term] | None:
    """The mask constant and the mask whose product is sign * t."""
    if not isinstance(t, Mul):
        return None
    constant, rest = Fraction(sign), list[Term]()
    for a in t.args:
        if isinstance(a, Num):
            constant *= a.value
        else:
            rest.append(a)
    mask = times(*rest)
    if constant > 0:  # (m - 1) * 1e9
        parts = mask.args if isinstance(mask, Add) else (mask,)
        constant, mask = -constant, plus(*(minus(ZERO, a) for a in parts))
    return (constant, mask) if constant <= MASK_CONSTANT and zero_or_one(mask) else None


def zero_or_one(t: Term) -> bool:
    """Whether the term is plainly a truth value as a number."""
    match t:
        case Holds() | Delta():
            return True
        case Entry(array) if array.name not in current().moving:
            return any(says_zero_or_one(h, array) for h in current().context.hypotheses.values())
        case Add((inner,)):
            return zero_or_one(inner)
        case Add((Mul((Num(k), inner)), Num(one))) | Add((Num(one), Mul((Num(k), inner)))):
            return k == -1 and one == 1 and zero_or_one(inner)
        case Mul(args):
            return all(map(zero_or_one, args))
        case _:
            return False


def says_zero_or_one(h: Hypothesis, array: Array) -> bool:
    """m * m = m, for all entries of the array."""
    if not isinstance(h, Same):
        return False
    for squared, e in ((h.lhs, h.rhs), (h.rhs, h.lhs)):
        if isinstance(e, Entry) and e.array == array and squared in (Mul((e, e)), Power(e, Fraction(2))):
            return all(isinstance(i, Index) for i in e.at) and len(set(e.at)) == len(e.at)
    return False


Operation: TypeAlias = Callable[..., Value]


def unary(name: str, x: Value) -> Value:
    if x.dtype == "narrow" and name in WHOLE_RESULTS:
        raise wrapping(name)
    if x.dtype == "bool" and name in (*WHOLE_RESULTS, "reciprocal", "floor", "ceil", "trunc", "rint"):
        raise TraceError(f"np.{name} of booleans: write ~mask or 1 - mask, or convert them to numbers first")
    if name == "reciprocal" and x.dtype != "real":
        raise TraceError("np.reciprocal of whole numbers is a whole number: write 1 / x")
    if name in ("negative", "positive") and x.dtype != "real":
        return elementwise_integer(SCALAR[name], lambda e: scaled(e, -1 if name == "negative" else 1), x)
    if name in VANISHING and x.holes:
        if x.soft:
            current().notes[MASKED] = None
        return Value(
            x.shape, "real",
            lambda at: times(complement(x.hole(at)), SCALAR[name](beside(x.hole(at), x.term(at)))),
        )  # fmt: skip
    if name == "positive":
        return x
    if name in ("isnan", "isposinf"):
        never_nan(x, name)
        return constant(0, "bool", x.shape)
    if name in ("isinf", "isneginf", "isfinite"):
        never_nan(x, name)
        x = x.bare if x.soft else x
        inside = Value(x.shape, "bool", x.hole)
        return logical_not(inside) if name == "isfinite" else inside
    if name in ("logical_not", "invert"):
        if name == "invert" and (x.dtype != "bool" or python_truth(x)):
            raise TraceError("~ of numbers flips bits; write 1 - x, or a comparison")
        return logical_not(truth(x))
    if name in ("conjugate", "conj"):
        return x
    if name in ("floor", "ceil", "rint", "trunc"):
        if x.dtype != "real":
            return x
        size = rounded(name, x)
        if size is None:
            raise TraceError(f"np.{name} of real numbers has no index term")
        return Value((), "real", lambda at: size_term(size))
    return elementwise(SCALAR[name], x, dtype="int" if name in WHOLE_RESULTS and x.dtype == "int" else "real")


VANISHING = ("exp", "exp2", "expit")  # 0 at -inf
WHOLE_RESULTS = frozenset({"negative", "positive", "absolute", "sign", "square"})
OTHER_UNARY = ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "logical_not", "invert", "conjugate", "conj",
               "floor", "ceil", "rint", "trunc")  # fmt: skip


def python_truth(v: Value) -> bool:
    """Whether a truth value may be one of Python's, which counts in sums: a comparison of sizes or of two numbers."""
    return v.ndim == 0 and v.origin is not None


def never_nan(x: Value, name: str) -> Value:
    """x, where NumPy can meet no nan in it (overflow apart).  Raises TraceError otherwise."""
    t = x.term(tuple(dummy(s, "a") for s in x.shape))
    if x.dtype == "real" and partial(t):
        raise TraceError(f"np.{name} of something that may be nan (a logarithm, a root, a quotient) is not modelled")
    return x


# --- two arguments ---------------------------------------------------------------------------


def add(x: Value, y: Value) -> Value:
    if x.holes or y.holes:
        total, (a, b) = elementwise(plus, x.bare, y.bare), conformed(x, y)
        return Value(total.shape, "real", total.term, lambda at: either(a.hole(at), b.hole(at)), all_soft(x, y))
    if x.dtype == y.dtype == "bool":
        if all(python_truth(v) or (v.ndim == 0 and known(v) is not None) for v in (x, y)):
            raise TraceError("the sum of two single truth values: Python counts, NumPy joins them with or")
        return logical("logical_or", x, y)
    return arithmetic("add", plus, x, y)


def subtract(x: Value, y: Value) -> Value:
    if x.dtype == y.dtype == "bool":
        raise TraceError("NumPy does not subtract booleans: write a ^ b, or multiply one of them by 1.0")
    if (mask := masked(y, -1)) is not None:
        return add(x, mask)
    if y.holes and not y.soft:
        raise TraceError("something minus -inf is +inf, which has no index term")
    if x.holes:
        return add(x, unary("negative", y.cast("real")))
    return arithmetic("subtract", minus, x, y)


def note_large(x: Value, y: Value) -> None:
    """A factor that may make a mask: only then products are looked at for one."""
    if not current().large and any(abs(known(v) or F0) >= -MASK_CONSTANT for v in (x, y)):
        current().large = True


def multiply(x: Value, y: Value) -> Value:
    if x.holes or y.holes:
        return scaled_holes(x, y, multiplied)
    note_large(x, y)
    if x.dtype == y.dtype == "bool":
        return logical("logical_and", x, y)
    product = arithmetic("multiply", multiplied, x, y)
    return (masked(product) if current().large else None) or product


def divide(x: Value, y: Value) -> Value:
    if x.holes or y.holes:
        return scaled_holes(x, y, over_by)
    zero = known(y) if y.ndim == 0 else None
    if zero == 0:
        raise TraceError("division by the constant 0")
    return elementwise(over_by, x, y)


def scaled_holes(x: Value, y: Value, f: Callable[[Term, Term], Term]) -> Value:
    """-inf times or over a positive constant."""
    if y.holes and not x.holes and f is multiplied:
        x, y = y, x
    factor = known(y)
    if y.holes or factor is None or factor <= 0:
        if all_soft(x, y):
            return elementwise(f, x.bare, y.bare)
        raise TraceError("-inf may only be scaled by a positive constant: scale before masking")
    return Value(x.shape, "real", elementwise(f, x.bare, y).term, x.hole, x.soft)


def arithmetic(name: str, f: Callable[[Term, Term], Term], x: Value, y: Value) -> Value:
    if promoted(x, y) == "real":
        return elementwise(f, x, y)
    if "narrow" in (x.dtype, y.dtype):
        raise wrapping(name)
    return fits(elementwise_integer(f, INTEGER_BINARY[name], x, y))


def extreme(name: str) -> Operation:
    most = name == "maximum"

    def of_numbers(a: Term, b: Term) -> Term:
        """max(a, b) = b + (a-b) H(a-b); a constant is taken for b."""
        if isinstance(a, Num):
            a, b = b, a
        if a == b:
            return a
        if isinstance(a, Num) and isinstance(b, Num):
            return num((max if most else min)(a.value, b.value))
        d = minus(a, b)
        return plus(b, times(d, step(d if most else negated(d))))

    def of_values(x: Value, y: Value) -> Value:
        kind = promoted(x, y)
        if most and (x.holes or y.holes) and not all_soft(x, y):
            return maximum_with_holes(of_numbers, *conformed(x, y))
        if kind == "real" or (known(x) is not None and known(y) is not None):
            return elementwise(of_numbers, x, y, dtype=kind)
        if kind == "int":
            return elementwise_integer(of_numbers, INTEGER_BINARY[name], x, y)
        if kind != "bool":
            raise wrapping("maximum or minimum")
        return logical("logical_or" if most else "logical_and", x, y)

    return of_values


maximum, minimum = extreme("maximum"), extreme("minimum")


def maximum_with_holes(larger: Callable[[Term, Term], Term], x: Value, y: Value) -> Value:
    """A hole loses against everything; two holes stay one."""

    def term(at: At) -> Term:
        h, k, s, t = x.hole(at), y.hole(at), x.term(at), y.term(at)
        return plus(times(h, t), times(complement(h), k, s), times(complement(h), complement(k), larger(s, t)))

    both = x.holes and y.holes
    return Value(x.shape, "real", term, (lambda at: times(x.hole(at), y.hole(at))) if both else None)


def where(c: Value, x: Value, y: Value) -> Value:
    """c x + (1-c) y"""
    x, y = masking(x), masking(y)
    kind = promoted(x, y)
    mask, x, y = conformed(truth(c), x, y)

    def entry(at: At) -> Cell:
        m = mask.term(at)
        if m in (ONE, ZERO):
            return (x if m == ONE else y).entry(at)
        return blend(m, x.term(at), y.term(at))

    def hole(at: At) -> Term:
        m, a, b = mask.term(at), x.hole(at), y.hole(at)
        return a if a == b else plus(times(m, a), times(complement(m), b))

    return Value(mask.shape, kind, entry, hole if x.holes or y.holes else None, all_soft(x, y))


def quotient(name: str, x: Value, y: Value) -> Value:
    if promoted(x, y) == "real":
        raise TraceError(f"np.{name} of real numbers has no index term")
    if x.dtype != "int" and y.dtype != "int":
        raise wrapping(name)

    def unknown(a: Term, b: Term) -> Term:
        raise TraceError("this integer division is not exact for all sizes: write the size as a product, such as '2*n'")

    return elementwise_integer(unknown, INTEGER_BINARY[name], x, y)


def half_angle(y: Term, x: Term) -> Term:
    """atan2(y, x) = 2 atan(y / (√(x² + y²) + x)), off the half-line where it jumps."""
    return times(num(2), SCALAR["arctan"](over_by(y, plus(sqrt(plus(square(x), square(y))), x))))


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
    "fmax": lambda x, y: maximum(never_nan(x, "fmax"), never_nan(y, "fmax")),
    "minimum": minimum,
    "fmin": lambda x, y: minimum(never_nan(x, "fmin"), never_nan(y, "fmin")),
    "floor_divide": lambda x, y: quotient("floor_divide", x, y),
    "remainder": lambda x, y: quotient("remainder", x, y),
    "mod": lambda x, y: quotient("remainder", x, y),
    "hypot": real_two(lambda a, b: sqrt(plus(square(a), square(b)))),
    "arctan2": real_two(half_angle),
    "logaddexp": real_two(lambda a, b: log(plus(exp(a), exp(b)))),
    "logaddexp2": real_two(lambda a, b: SCALAR["log2"](plus(SCALAR["exp2"](a), SCALAR["exp2"](b)))),
    "heaviside": real_two(lambda x, h: plus(step(x), multiplied(h, same(x, ZERO)))),
    "xlogy": real_two(lambda x, y: multiplied(x, log(y))),
    "xlog1py": real_two(lambda x, y: multiplied(x, log(plus(ONE, y)))),
    "rel_entr": real_two(lambda x, y: multiplied(x, log(over_by(x, y)))),
    "kl_div": real_two(lambda x, y: plus(multiplied(x, log(over_by(x, y))), negated(x), y)),
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
