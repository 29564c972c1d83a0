"""Truth values as 0-or-1 terms: comparisons, logic; and whole numbers whose arithmetic stays exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from symbackprop.core.terms import ONE, ZERO, IndexExpr, Term, affine, num

from .algebra import delta, gate, minus, negated, plus, summed, times
from .axes import (
    At, Shape, aligned, broadcast, constant_of, difference, nonnegative, quotient_and_rest, scaled, shifted,
)  # fmt: skip
from .context import TraceError
from .steps import complement, same, step
from .values import Value, constant, elementwise, finite, known, together

IndexOperation: TypeAlias = Callable[[IndexExpr, IndexExpr], IndexExpr | None]


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


Compared: TypeAlias = Callable[[Any, Any], Term]


def comparisons(less: Compared, same: Compared) -> dict[str, Compared]:
    return {
        "less": less,
        "greater": lambda a, b: less(b, a),
        "less_equal": lambda a, b: complement(less(b, a)),
        "greater_equal": lambda a, b: complement(less(a, b)),
        "equal": same,
        "not_equal": lambda a, b: complement(same(a, b)),
    }


REAL_COMPARISON = comparisons(less, same)
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


# --- whole numbers whose entries are index expressions ----------------------------------------


def product(a: IndexExpr, b: IndexExpr) -> IndexExpr | None:
    """Affine only when one factor has no index."""
    for e, f in ((a, b), (b, a)):
        if (size := constant_of(f)) is not None:
            return scaled(e, size)
    return None


def divided(which: int) -> IndexOperation:
    def part(a: IndexExpr, b: IndexExpr) -> IndexExpr | None:
        size = constant_of(b)
        found = None if size is None else quotient_and_rest(a, size)
        return None if found is None else found[which]

    return part


def extreme(a: IndexExpr, b: IndexExpr, a_if: IndexExpr) -> IndexExpr | None:
    first = nonnegative(a_if)
    return None if first is None else a if first else b


INTEGER_BINARY: dict[str, IndexOperation] = {
    "add": lambda a, b: affine(0, [(a, 1), (b, 1)]),
    "subtract": difference,
    "multiply": product,
    "floor_divide": divided(0),
    "remainder": divided(1),
    "maximum": lambda a, b: extreme(a, b, difference(a, b)),
    "minimum": lambda a, b: extreme(a, b, difference(b, a)),
}


def index_less(a: IndexExpr, b: IndexExpr) -> Term:
    """1 where a < b"""
    return gate(shifted(difference(b, a), -1))


COMPARISON = comparisons(index_less, delta)


def integer_less(name: str, x: Value, y: Value, shape: Shape, fallback: Callable[[Term, Term], Term]) -> Value:
    """A comparison of integers: a mask by index where both are index expressions."""

    def term(at: At) -> Term:
        p, q = aligned(x.shape, at), aligned(y.shape, at)
        a, b = x.index(p), y.index(q)
        if a is None or b is None:
            one, other = x.cases(p), y.cases(q)
            if one is not None and other is not None:
                dummies, mask, (left, right) = together((one, other))
                return summed(dummies, times(mask, COMPARISON[name](left, right)))
            return boolean_equal(name, x, y, p, q) or fallback(x.term(p), y.term(q))
        return COMPARISON[name](a, b)

    return Value(shape, "bool", term)


def boolean_equal(name: str, x: Value, y: Value, p: At, q: At) -> Term | None:
    """mask == 1 is the mask."""
    if name not in ("equal", "not_equal") or "bool" not in (x.dtype, y.dtype):
        return None
    mask, other = (x.term(p), y.term(q)) if x.dtype == "bool" else (y.term(q), x.term(p))
    if other not in (ONE, ZERO):
        return None
    agrees = (other == ONE) == (name == "equal")
    return mask if agrees else complement(mask)
