"""Truth values: comparisons and logic, as 0-or-1 terms."""

from __future__ import annotations

from collections.abc import Callable

from .algebra import (
    Term,
    complement,
    minus,
    negated,
    num,
    plus,
    same,
    step,
    times,
)
from .context import TraceError
from .integers import integer_less
from .values import (
    Value,
    broadcast,
    constant,
    elementwise,
    finite,
    known,
)


def truth(x: Value) -> Value:
    """x != 0, as booleans."""
    if x.dtype == "bool":
        return x
    if x.dtype in ("int", "narrow"):
        return compared("not_equal", x, constant(0, "int"))
    return elementwise(lambda t: plus(step(t), step(negated(t))), x, dtype="bool")


def logical_not(x: Value) -> Value:
    return elementwise(complement, x, dtype="bool")


def either(a: Term, b: Term) -> Term:
    return a if a == b else minus(plus(a, b), times(a, b))


def logical(name: str, x: Value, y: Value) -> Value:
    kind = name.split("_")[1]
    if name.startswith("bitwise") and (x.dtype, y.dtype) != ("bool", "bool"):
        raise TraceError(f"np.{name} of numbers works on bits; of booleans it is understood")
    table: dict[str, Callable[[Term, Term], Term]] = {
        "and": lambda a, b: a if a == b else times(a, b),
        "or": either,
        "xor": lambda a, b: minus(plus(a, b), times(num(2), a, b)),
    }
    result = elementwise(table[kind], truth(x), truth(y), dtype="bool")
    return result.marked(("and", x, y)) if kind == "and" else result


def less(a: Term, b: Term) -> Term:
    return step(minus(b, a))


REAL_COMPARISON: dict[str, Callable[[Term, Term], Term]] = {
    "less": less,
    "greater": lambda a, b: less(b, a),
    "less_equal": lambda a, b: complement(less(b, a)),
    "greater_equal": lambda a, b: complement(less(a, b)),
    "equal": same,
    "not_equal": lambda a, b: complement(same(a, b)),
}
COMPARISONS = tuple(REAL_COMPARISON)


def compared(name: str, x: Value, y: Value) -> Value:
    finite(x), finite(y)
    shape = broadcast(x.shape, y.shape)
    x, y = (v.cast("int") if v.dtype == "narrow" else v for v in (x, y))
    if "bool" in (x.dtype, y.dtype):  # mask == 1.0 is mask == 1
        x, y = (v.cast("int") if v.dtype == "real" and known(v) in (0, 1) else v for v in (x, y))
    if "real" not in (x.dtype, y.dtype):
        if x.dtype == y.dtype == "bool" and name in ("equal", "not_equal"):
            differ = logical("logical_xor", x, y)
            return (differ if name == "not_equal" else logical_not(differ)).marked((name, x, y))
        result = integer_less(name, x, y, shape, REAL_COMPARISON[name])
    else:
        result = elementwise(REAL_COMPARISON[name], x, y, dtype="bool")
    return result.marked((name, x, y))
