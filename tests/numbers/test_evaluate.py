"""The exact evaluator against known values, floats and central differences."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from exact_values import Differences, evaluate, evaluate_floats, holds

from symbackprop.core.indices import Affine, Bound, Index, Pick, affine, sized
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Add,
    Apply,
    Array,
    AtLeastZero,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Ordinal,
    Positive,
    Power,
    Sum,
    Term,
    add,
    div,
    mul,
    neg,
    num,
    over,
    sub,
    whole,
)
from symbackprop.numbers.duals import SLOPES, Polynomial, to_float
from symbackprop.numbers.evaluate import difference, off_kinks
from symbackprop.numbers.exact_numbers import Kink, Log, Number, Undefined
from symbackprop.numbers.points import Point

F = Fraction
N, M = sized("n"), sized("m")
I, J, K = Index("i", N), Index("j", N), Index("k", N)
A, B, X, Y, S = (Array(a) for a in "ABXYS")
s = Entry(S, ())
HALF = F(1, 2)


def x(i: Index) -> Term:
    return Entry(X, (i,))


def point(value: Number | int = 2, n: int = 3, **more: object) -> Point:
    """s = value, x = (1, -2, 3), A = [[1, 2, 0], [0, 1, 3], [2, 0, 1]] cut to n."""
    xs: dict[tuple[int, ...], Number] = {(k,): F(v) for k, v in enumerate((1, -2, 3)[:n])}
    rows = ((1, 2, 0), (0, 1, 3), (2, 0, 1))
    a: dict[tuple[int, ...], Number] = {(i, j): F(rows[i][j]) for i in range(n) for j in range(n)}
    v = F(value) if isinstance(value, int) else value
    return Point({"n": n, "m": 2}, {S: {(): v}, X: xs, A: a}, **more)  # type: ignore[arg-type]


def relu(u: Term) -> Term:
    return mul(u, Holds(Positive(u)))


def power(u: Term, q: int | Fraction) -> Term:
    return Power(u, F(q))


MAXIMUM = whole("max", 0, (I,), x(I), ())
INVERSE = whole("inv", 0, (I, J), Entry(A, (I, J)), (affine(0, ()), affine(1, ())))
DET = whole("det", 0, (I, J), Entry(A, (I, J)), ())
FIRST = affine(0, ())

VALUES: list[tuple[str, Term, Number]] = [
    ("number", num(F(3, 4)), F(3, 4)),
    ("size", mul(N, M), F(6)),
    ("sum of a constant", over(I, ONE), F(3)),
    ("sum", over(I, x(I)), F(2)),
    ("nested sums", over(I, over(J, mul(Entry(A, (I, J)), x(I), x(J)))), F(1 - 4 + 4 - 18 + 6 + 9)),
    ("delta with a bound index", Sum(N, Delta(Bound(0), affine(1, ()))), F(1)),
    ("ordinal", over(I, mul(Ordinal(I), x(I))), F(4)),
    ("causal sum", over(I, over(J, mul(Holds(NonNegative(affine(0, [(I, 1), (J, -1)]))), x(J)))), F(1 - 1 + 2)),
    ("exact exponential of a logarithm", Apply("exp", Apply("log", num(3))), F(3)),
    ("logarithms cancel", add(Apply("log", num(6)), neg(Apply("log", num(2))), neg(Apply("log", num(3)))), F(0)),
    ("root of a square", power(power(num(-3), 2), HALF), F(3)),
    ("maximum", MAXIMUM, F(3)),
    ("minimum", whole("min", 0, (I,), x(I), ()), F(-2)),
    ("product", whole("prod", 0, (I,), x(I), ()), F(-6)),
    ("determinant", DET, F(13)),
    ("inverse", INVERSE, F(-2, 13)),
    ("largest stands at 2", whole("argmax", 0, (I,), x(I), (affine(2, ()),)), F(1)),
    ("gap", whole("gap", 0, (I,), x(I), ()), F(2)),
    ("masked division by zero", mul(Holds(NonNegative(affine(-1, ()))), power(ZERO, -1)), F(0)),
    ("derivative of a sum", Diff(over(I, power(x(I), 3)), Entry(X, (affine(1, ()),))), F(12)),
    ("second derivative", Diff(Diff(power(s, 3), s), s), F(12)),
    ("derivative of the determinant", Diff(DET, Entry(A, (FIRST, FIRST))), F(1)),
    ("derivative of a product", Diff(whole("prod", 0, (I,), x(I), ()), Entry(X, (FIRST,))), F(-6)),
    ("derivative of the maximum", Diff(MAXIMUM, Entry(X, (affine(2, ()),))), F(1)),
    ("derivative of sigmoid at log 3", Diff(Apply("sigmoid", Apply("log", s)), s), F(1, 9)),
    ("step below the maximum does not move", Holds(Positive(sub(MAXIMUM, Entry(X, (affine(2, ()),))))), F(0)),
    ("its derivative", Diff(mul(s, Holds(Positive(sub(MAXIMUM, Entry(X, (affine(2, ()),)))))), s), F(0)),
    ("derivative by another variable", Diff(power(x(I), 2), s), F(0)),
]


@pytest.mark.parametrize(("term", "value"), [row[1:] for row in VALUES], ids=[row[0] for row in VALUES])
def test_value(term: Term, value: Number) -> None:
    p = point(indices={I: 1})
    assert evaluate(term, p) == value
    assert evaluate_floats(term, p) == pytest.approx(to_float(value))


RELU = [(-1, F(0)), (1, F(1))]


@pytest.mark.parametrize(("at", "value"), RELU)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_relu_again_and_again_away_from_its_kink(at: int, value: Fraction, times: int) -> None:
    term: Term = s
    for _ in range(times):
        term = relu(term)
    assert evaluate(Diff(term, s), point(at)) == value


UNDEFINED: list[tuple[str, Term, int]] = [
    ("division by zero", power(s, -1), 0),
    ("division by an expression that is zero", div(ONE, sub(s, num(2))), 2),
    ("logarithm of zero", Apply("log", s), 0),
    ("logarithm of a negative number", Apply("log", s), -1),
    ("root of a negative number", power(s, HALF), -1),
    ("slope of a root at zero", Diff(power(power(s, 2), HALF), s), 0),
    ("kink of relu", Diff(relu(s), s), 0),
    ("kink of relu of relu", Diff(relu(relu(s)), s), 0),
    ("kink of a square under a step", Diff(mul(s, Holds(Positive(power(s, 2)))), s), 0),
    ("tie of the maximum", Diff(whole("max", 0, (I,), mul(s, x(I)), ()), s), 0),
    ("singular inverse", whole("inv", 0, (I, J), s, (FIRST, FIRST)), 1),
    ("zero times what has no value", mul(s, power(s, -1)), 0),
    ("outside the array", Entry(X, (affine(7, ()),)), 0),
]


@pytest.mark.parametrize(("term", "at"), [row[1:] for row in UNDEFINED], ids=[row[0] for row in UNDEFINED])
def test_undefined(term: Term, at: int) -> None:
    with pytest.raises(Undefined):
        evaluate(term, point(at))


def test_a_step_of_a_mask_is_no_kink() -> None:
    term = Diff(mul(s, Holds(Positive(mul(s, Entry(Y, ()))))), s)
    kept = Point({}, {S: {(): F(2)}, Y: {(): F(0)}})
    with pytest.raises(Kink):
        evaluate(term, kept)
    mask = Point({}, kept.arrays, discrete=frozenset({Y}))
    assert evaluate(term, mask) == 0
    assert off_kinks([term.body], [S], mask) and not off_kinks([term.body], [S], mask, as_written=True)
    constant = Diff(mul(s, Holds(Positive(Entry(Y, ())))), s)  # a step of which the variable is no argument
    assert evaluate(constant, kept) == 0
    assert evaluate(Holds(Positive(s)), point(0), kinks_have_values=True) == 0


def test_definitions_unfold_and_can_be_variables() -> None:
    z = Tensor((I,), over(J, mul(Entry(A, (I, J)), x(J))))
    loss = over(K, power(Entry(Y, (K,)), 2))
    p = point(definitions={Y: z})
    assert evaluate(loss, p) == (1 - 4) ** 2 + (-2 + 9) ** 2 + (2 + 3) ** 2
    assert evaluate(Diff(loss, Entry(A, (FIRST, affine(1, ())))), p) == 2 * -3 * -2
    assert evaluate(Diff(loss, Entry(Y, (FIRST,))), p) == -6
    assert evaluate_floats(Diff(loss, Entry(A, (I, J))), p, (I, J))[0, 1] == pytest.approx(12)


def test_picks_gather() -> None:
    y = Pick("y", (I,), N)
    p = point(integers={"y": {(0,): 2, (1,): 0, (2,): 2}})
    term = over(I, mul(x(I), Entry(X, (y,))))
    assert evaluate(term, p) == 3 - 2 + 9
    assert evaluate_floats(term, p) == pytest.approx(10)
    grad = Diff(over(I, Entry(X, (y,))), x(J))
    assert [float(v) for v in evaluate_floats(grad, p, (J,))] == [1, 0, 2]


def test_abstract_functions_have_consistent_derivatives() -> None:
    f = Polynomial((F(1), F(2), F(3)))
    p = point(functions={"f": f})
    assert evaluate(Apply("f", s), p) == 17
    assert evaluate(Apply("f", s, 1), p) == evaluate(Diff(Apply("f", s), s), p) == 14
    assert evaluate(Apply("f", s, 2), p) == 6
    loss = whole("L", 0, (I,), mul(x(I), x(I)), ())
    slope = mul(num(2), Entry(X, (FIRST,)), whole("L", 1, (I,), mul(x(I), x(I)), (FIRST,)))
    assert evaluate(Diff(loss, Entry(X, (FIRST,))), p) == evaluate(slope, p)
    second = whole("L", 2, (I,), x(I), (FIRST, affine(1, ())))
    first = whole("L", 1, (I,), x(I), (FIRST,))
    assert evaluate(Diff(first, Entry(X, (affine(1, ()),))), p) == evaluate(second, p) != 0
    assert evaluate_floats(second, p) == pytest.approx(to_float(evaluate(second, p)))


@pytest.mark.parametrize("name", sorted(SLOPES))
def test_slopes_by_central_differences(name: str) -> None:
    at = F(2, 5)
    exact = to_float(evaluate(Diff(Apply(name, s), s), point(at)))
    assert float(Differences(point(at)).tensor((), Diff(Apply(name, s), s))) == pytest.approx(
        exact, rel=1e-8
    )


PREDICATES = [
    (Positive(sub(Apply("exp", s), num(7))), 2, True),
    (Positive(s), 0, False),
    (AtLeastZero(s), 0, True),
    (Nonzero(s), 0, False),
    (NonNegative(affine(-1, ())), 0, False),
]


@pytest.mark.parametrize(("predicate", "at", "truth"), PREDICATES)
def test_predicates(predicate: Positive | AtLeastZero | Nonzero | NonNegative, at: int, truth: bool) -> None:
    assert holds(predicate, point(at)) is truth


def test_difference_is_certain_or_none() -> None:
    tiny = num(F(1, 10**40))
    left = Apply("tanh", s)
    right = div(sub(Apply("exp", mul(num(2), s)), ONE), add(Apply("exp", mul(num(2), s)), ONE))
    assert difference(left, right, point(F(1, 3))) is None
    assert difference(add(left, tiny), right, point(F(1, 3))) is not None


ROUNDED = [
    (F("0.3333333333333333"), num(F(1, 3)), None),
    (F("0.7978845608"), Power(mul(num(HALF), Entry(Array("pi"), ())), F(-1, 2)), None),
    (F("0.7978845708"), Power(mul(num(HALF), Entry(Array("pi"), ())), F(-1, 2)), True),
    (F("0.044715"), num(F("0.044716")), True),
    (F("0.000001"), ZERO, True),
]


@pytest.mark.parametrize(("constant", "truth", "differs"), ROUNDED)
def test_long_decimals_are_known_up_to_their_last_digit(constant: Fraction, truth: Term, differs: bool | None) -> None:
    found = difference(mul(Num(constant), s), mul(truth, s), point(2))
    assert (found is not None) == bool(differs)


def random_term(draw: Random, depth: int) -> Term:
    """A smooth random expression in x, A and s with the free index i."""
    if depth == 0:
        leaves: list[Term] = [x(I), s, num(draw.randint(-3, 3)), N, Delta(I, FIRST), Entry(A, (I, FIRST))]
        return draw.choice(leaves)

    def go() -> Term:
        return random_term(draw, depth - 1)

    makers: list[Callable[[], Term]] = [
        lambda: Add((go(), go())),
        lambda: Mul((go(), go())),
        lambda: Apply(draw.choice(("tanh", "sigmoid", "sin", "erf", "cos")), go()),
        lambda: power(add(ONE, power(go(), 2)), draw.choice((F(-1), HALF, F(-3, 2)))),
        lambda: over(J, mul(Entry(A, (I, J)), go())),
        lambda: over(J, mul(x(J), Entry(A, (J, I)))),
    ]
    return draw.choice(makers)()


@pytest.mark.parametrize("seed", range(40))
def test_random_derivatives_three_ways(seed: int) -> None:
    draw = Random(seed)
    body, p = random_term(draw, 3), point(F(1, 3))
    term = Diff(over(I, body), x(K))
    exact = [to_float(evaluate(term, Point(p.sizes, p.arrays, indices={K: k}))) for k in range(3)]
    duals = evaluate_floats(term, p, (K,))
    differences = Differences(p).tensor((K,), term)
    assert np.allclose(exact, duals, rtol=1e-9, atol=1e-9)
    assert np.allclose(exact, differences, rtol=1e-5, atol=1e-5)


def test_intervals_tell_small_differences() -> None:
    p = point(F(1, 3))
    assert difference(Apply("erf", s), add(Apply("erf", s), num(F(1, 10**20))), p) is not None
    assert difference(Apply("sin", s), Apply("sin", s), p) is None
    assert str(Log(F(2))) == "log(2)"
    assert isinstance(affine(0, [(I, 2)]), Affine)
