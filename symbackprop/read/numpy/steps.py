"""Truth values as 0-or-1 terms: steps [t > 0], masks, comparisons, logic; products over an index; other terms in place
of entries; whole numbers whose arithmetic stays exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial as partial_function
from typing import Any, TypeAlias, assert_never

from symbackprop.core.indices import Index, IndexExpr, Size, affine
from symbackprop.core.region import truth as is_truth
from symbackprop.core.region import truth_atoms
from symbackprop.core.syntax import (
    ONE, ZERO, Add, Apply, Array, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Ordinal, Positive, Power, Sum, Term,
    Whole, arrays,
)  # fmt: skip
from symbackprop.core.terms import dummy, num, opened, opened_whole, subterms, whole

from .algebra import applied, delta, forwards, gate, minus, negated, plus, power, summed, times, total
from .axes import (
    At, Shape, aligned, at_least_zero, broadcast, constant_of, difference, nonnegative, quotient_and_rest, scaled,
    shifted,
)  # fmt: skip
from .context import TraceError
from .values import Value, constant, elementwise, finite, known, together


def complement(a: Term) -> Term:
    """1 - a, for a 0-or-1 term; of a condition on indices it is a condition again."""
    match a:
        case Holds(NonNegative(e)):
            return gate(affine(-1, [(e, -1)]))
        case _:
            return of_one_truth(minus(ONE, a)) or minus(ONE, a)


def blend(mask: Term, new: Term, old: Term, here: Term | None = None) -> Term:
    """mask new + (1 - mask) old for a 0-or-1 mask, with `old` once where `new` is old + something or old * something.

    `here` is another form of `old` that equals it where the mask is 1.
    """
    if mask == ONE:
        return new
    if mask == ZERO or new == old:
        return old
    for base in (old,) if here is None else (here, old):
        if base in (ONE, ZERO):
            continue
        rest = taken(new, base, Add)
        if rest is not None:
            return plus(old, times(mask, plus(*rest)))
        rest = taken(new, base, Mul)
        if rest is not None:
            return times(old, plus(ONE, times(mask, minus(times(*rest), ONE))))
    return plus(times(mask, new), times(complement(mask), old))


def taken(t: Term, part: Term, kind: type[Add | Mul]) -> list[Term] | None:
    """What a sum (or product) has besides the summands of `part`."""
    rest = list(t.args if isinstance(t, kind) else (t,))
    for a in part.args if isinstance(part, kind) else (part,):
        if a not in rest:
            return None
        rest.remove(a)
    return rest


def through(t: Term, f: Callable[[Term], Term]) -> Term:
    """f of what stands in the sums and products at the top."""
    match t:
        case Add((inner,)):  # the bracket of a number that guards nothing
            found = through(inner, f)
            return found if isinstance(found, Num) else Add((found,))
        case Add(args):
            return plus(*(through(a, f) for a in args))
        case Mul(args):
            return times(*(through(a, f) for a in args))
        case _:
            return f(t)


def step(t: Term) -> Term:
    """1 where t > 0, else 0."""
    match t:
        case Num(value):
            return ONE if value > 0 else ZERO
        case Size():
            if at_least_zero(t - 1):
                return ONE
            if at_least_zero(-t):
                return ZERO
        case Ordinal(of):
            return gate(shifted(of, -1))
        case Delta():
            return t
        case Holds():
            return t
        case _:
            pass
    return of_one_truth(t) or behind_gates(t) or Holds(Positive(t))


def behind_gates(t: Term) -> Term | None:
    """[h u + c > 0] for conditions h on indices and a number c: where h is 0 no data takes part in the step."""
    summands = t.args if isinstance(t, Add) else (t,)
    rest = [a for a in summands if not isinstance(a, Num)]
    gates, inside = gated(rest[0]) if len(rest) == 1 else ((), t)
    if not gates:
        return None
    c, h = plus(*(a for a in summands if isinstance(a, Num))), times(*gates)
    return plus(times(h, step(plus(inside, c))), times(complement(h), step(c)))


def gated(t: Term) -> tuple[tuple[Term, ...], Term]:
    """The factors of a product that are conditions on indices, and the rest."""
    if isinstance(t, Mul):
        parts = [gated(a) for a in t.args]
        return tuple(g for gates, _ in parts for g in gates), times(*(rest for _, rest in parts))
    atoms = truth_atoms(t) if is_truth(t) else ()
    of_data = (isinstance(a, Holds) and isinstance(a.predicate, Positive) for a in atoms)
    return ((t,), ONE) if atoms and not any(of_data) else ((), t)


def of_one_truth(t: Term) -> Term | None:
    """[a + b h > 0] for numbers a, b and one truth value h: 0, 1, h or 1 - h.  None for other terms."""
    if not isinstance(t, Add | Mul):
        return None
    truths = {s for s in subterms(t) if isinstance(s, Holds | Delta)}
    if len(truths) != 1:
        return None
    (h,) = truths
    low, high = number_at(t, h, Fraction(0)), number_at(t, h, Fraction(1))
    if low is None or high is None:
        return None
    if (low > 0) == (high > 0):
        return ONE if low > 0 else ZERO
    if high > 0:
        return h
    return (
        complement(h)
        if isinstance(h, Holds) and isinstance(h.predicate, NonNegative)
        else Add((times(num(-1), h), ONE))
    )


def number_at(t: Term, h: Term, value: Fraction) -> Fraction | None:
    """The number that a sum of products of numbers and h is, where h has this value."""
    found = through(t, lambda s: num(value) if s == h else s)
    return found.value if isinstance(found, Num) else None


def same(a: Term, b: Term) -> Term:
    """1 where the reals a and b are equal."""
    d = minus(a, b)
    return plus(ONE, negated(step(d)), negated(step(negated(d))))


def product_over(i: Index, body: Term) -> Term:
    """Π_i body, from the other end where its entries are then read in their own order."""
    if body in (ONE, ZERO) and at_least_zero(i.size - 1):
        return body
    return whole("prod", 0, (i,), forwards(i, body), ())


# --- other terms in place of the entries of an array --------------------------------------------


def opened_term(s: Sum) -> tuple[Index, Term]:
    k = dummy(s.size)
    return k, opened(s, k)


def rewritten(t: Term, meanings: Mapping[Array, Callable[[tuple[IndexExpr, ...]], Term]]) -> Term:
    """`t` with what is said of it in place of each entry of these arrays."""
    if meanings.keys().isdisjoint(arrays(t)):
        return t

    def go(s: Term) -> Term:
        return rewritten(s, meanings)

    match t:
        case Entry(array, at):
            return meanings[array](at)
        case Add((inner,)):  # the bracket of a number that guards nothing
            return Add((go(inner),))
        case Add(args):
            return plus(*map(go, args))
        case Mul(args):
            return times(*map(go, args))
        case Power(base, exponent):
            return power(go(base), exponent)
        case Apply(fn, arg, order):
            return applied(fn, go(arg)) if not order else Apply(fn, go(arg), order)
        case Sum():
            k, body = opened_term(t)
            return total(k, go(body))
        case Whole(fn, order, sizes, _, at):
            axes = tuple(dummy(s) for s in sizes)
            return whole(fn, order, axes, go(opened_whole(t, axes)), at)
        case Holds(p):
            return step(go(p.term)) if isinstance(p, Positive) else t
        case Num() | Size() | Ordinal() | Delta() | Diff():
            return t
        case _:
            assert_never(t)


def renamed(t: Term, names: Mapping[str, str]) -> Term:
    """`t` with other arrays in place of these, by their names."""
    return rewritten(t, {Array(old): partial_function(Entry, Array(new)) for old, new in names.items()})


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
