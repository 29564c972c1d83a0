"""Signs that are said to be plain, against values; what hypotheses add; what must stay unknown."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from meaning import TINY, World

from symbackprop.core.context import EMPTY, Context, Hypothesis
from symbackprop.core.indices import Index, affine, sized
from symbackprop.core.signs import NONNEGATIVE, NONZERO, POSITIVE, UNKNOWN, Signs
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Add,
    Apply,
    Array,
    AtLeastZero,
    Delta,
    Entry,
    Holds,
    IndexExpr,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Ordinal,
    Positive,
    Power,
    Predicate,
    Term,
    add,
    free,
    mul,
    neg,
    num,
    over,
    sub,
    whole,
)

N, M = sized("n"), sized("m")
i, j = Index("i", N), Index("j", N)
k = Index("k", M)
few = Index("f", N - 1)
HALF = Fraction(1, 2)


def x(*at: IndexExpr) -> Entry:
    return Entry(Array("x"), at)


def y(*at: IndexExpr) -> Entry:
    return Entry(Array("y"), at)


def exp(t: Term) -> Term:
    return Apply("exp", t)


eps = Entry(Array("eps"), ())
HYPOTHESES = Context(hypotheses={
    "p": Positive(x(i)), "z": Nonzero(y(i)), "a": AtLeastZero(Entry(Array("a"), (i,))), "e": Positive(eps),
    "s": Positive(sub(ONE, x(i))), "both": AtLeastZero(Entry(Array("b"), ())), "both'": Nonzero(Entry(Array("b"), ())),
})  # fmt: skip
SQUARE = mul(y(i), y(i))

ROWS: dict[str, tuple[Term, Context, str]] = {
    "e^x": (exp(y(i)), EMPTY, POSITIVE),
    "a sum of e^x": (over(k, exp(y(k))), EMPTY, POSITIVE),
    "a sum of nothing": (over(few, exp(y(few))), EMPTY, NONNEGATIVE),
    "a sum over n - m": (over(Index("c", N - M), ONE), EMPTY, NONNEGATIVE),
    "an empty sum": (Add(()), EMPTY, UNKNOWN),
    "an empty product": (Mul(()), EMPTY, POSITIVE),
    "one and a positive in a log": (Apply("log", add(ONE, exp(y(i)))), EMPTY, POSITIVE),
    "one and a square in a log": (Apply("log", add(ONE, SQUARE)), EMPTY, UNKNOWN),
    "less than one in a log": (Apply("log", add(num(HALF), exp(y(i)))), EMPTY, UNKNOWN),
    "a square": (SQUARE, EMPTY, NONNEGATIVE),
    "a square of a nonzero": (SQUARE, HYPOTHESES, POSITIVE),
    "a square and eps": (add(SQUARE, eps), HYPOTHESES, POSITIVE),
    "a square and eps that is not positive": (add(SQUARE, eps), EMPTY, UNKNOWN),
    "a product of two that are not equal": (mul(x(i), x(j)), EMPTY, UNKNOWN),
    "a cube": (mul(y(i), y(i), y(i)), HYPOTHESES, NONZERO),
    "a cube of anything": (mul(y(i), y(i), y(i)), EMPTY, UNKNOWN),
    "a negative": (mul(num(-2), x(i)), HYPOTHESES, NONZERO),
    "two negatives": (mul(num(-2), num(-3), x(i)), HYPOTHESES, POSITIVE),
    "minus a square": (neg(SQUARE), EMPTY, UNKNOWN),
    "zero": (ZERO, EMPTY, NONNEGATIVE),
    "zero times a positive": (mul(ZERO, exp(y(i))), EMPTY, NONNEGATIVE),
    "the last power": (Power(y(i), Fraction(-2)), EMPTY, NONNEGATIVE),
    "a nonzero to -2": (Power(y(i), Fraction(-2)), HYPOTHESES, POSITIVE),
    "a nonzero to -3": (Power(y(i), Fraction(-3)), HYPOTHESES, NONZERO),
    "a root": (Power(y(i), HALF), EMPTY, UNKNOWN),
    "a root of a square": (Power(SQUARE, HALF), EMPTY, UNKNOWN),
    "a root of a positive": (Power(x(i), HALF), HYPOTHESES, POSITIVE),
    "an assumed difference": (sub(ONE, x(j)), HYPOTHESES, POSITIVE),
    "an entry out of the hypothesis": (x(affine(N, ())), HYPOTHESES, UNKNOWN),
    "a >= and a !=": (Entry(Array("b"), ()), HYPOTHESES, POSITIVE),
    "a >=": (Entry(Array("a"), (j,)), HYPOTHESES, NONNEGATIVE),
    "n": (N, EMPTY, POSITIVE),
    "n - 1": (N - 1, EMPTY, NONNEGATIVE),
    "n - m": (N - M, EMPTY, UNKNOWN),
    "an index": (Ordinal(i), EMPTY, NONNEGATIVE),
    "an index less one": (Ordinal(affine(-1, ((i, 1),))), EMPTY, UNKNOWN),
    "a delta": (Delta(i, j), EMPTY, NONNEGATIVE),
    "a maximum of e^x": (whole("max", 0, (k,), exp(y(k)), ()), EMPTY, POSITIVE),
    "a maximum of nothing": (whole("max", 0, (few,), exp(y(few)), ()), EMPTY, UNKNOWN),
    "a product of e^x": (whole("prod", 0, (few,), exp(y(few)), ()), EMPTY, POSITIVE),
    "a product of nonzeros": (whole("prod", 0, (i,), y(i), ()), HYPOTHESES, NONZERO),
    "a masked sum that reaches the diagonal": (
        over(j, mul(exp(y(j)), Holds(NonNegative(affine(0, ((i, 1), (j, -1))))))), EMPTY, POSITIVE),
    "a masked sum that may be empty": (
        over(j, mul(exp(y(j)), Holds(NonNegative(affine(-1, ((i, 1), (j, -1))))))), EMPTY, NONNEGATIVE),
    "a masked sum over another axis": (
        over(k, mul(exp(y(k)), Holds(NonNegative(affine(0, ((i, -1), (k, 1))))))), EMPTY, NONNEGATIVE),
    "a masked sum of anything": (
        over(j, mul(y(j), Holds(NonNegative(affine(0, ((i, 1), (j, -1))))))), EMPTY, UNKNOWN),
    # the dummy is another index than the free one, whatever an implementation calls its dummies
    **{f"no square with a free {n}": (over(i, mul(y(i), y(Index(n, N)))), EMPTY, UNKNOWN) for n in ("!1", "~1", "~")},
}  # fmt: skip


@pytest.mark.parametrize(("t", "context", "expected"), ROWS.values(), ids=ROWS.keys())
def test_sign(t: Term, context: Context, expected: str) -> None:
    assert Signs(context).sign(t) == expected


def test_what_was_used_is_remembered() -> None:
    signs = Signs(HYPOTHESES)
    assert signs.holds(Positive(add(SQUARE, eps))) and "e" in signs.used
    assert not Signs(EMPTY).used


PREDICATES: dict[str, tuple[Predicate, bool]] = {
    "e^x is not 0": (Nonzero(exp(y(i))), True),
    "-1 - e^x is not 0": (Nonzero(add(num(-1), mul(num(-1), exp(y(i))))), True),
    "1 - e^x may be 0": (Nonzero(sub(ONE, exp(y(i)))), False),
    "a square is at least 0": (AtLeastZero(SQUARE), True),
    "a square may be 0": (Positive(SQUARE), False),
    "n - 1 >= 0": (NonNegative(affine(N - 1, ())), True),
    "n - m >= 0": (NonNegative(affine(N - M, ())), False),
}  # fmt: skip


@pytest.mark.parametrize(("p", "expected"), PREDICATES.values(), ids=PREDICATES.keys())
def test_predicate(p: Predicate, expected: bool) -> None:
    assert Signs(EMPTY).holds(p) is expected


def random_term(random: Random, depth: int) -> Term:
    if depth == 0:
        return random.choice((
            num(random.choice((-2, -1, 0, 1, Fraction(1, 2)))), x(i), x(j), y(i), eps, N, N - 1, N - M, Ordinal(i),
            Delta(i, j), Holds(Positive(y(i))), Entry(Array("a"), (j,)), sub(ONE, x(i)),
        ))  # fmt: skip

    def below() -> Term:
        return random_term(random, depth - 1)

    match random.randrange(9):
        case 0 | 1:
            return Add(tuple(below() for _ in range(random.randint(0, 3))))
        case 2 | 3:
            args = [below() for _ in range(random.randint(0, 3))]
            return Mul((*args, *args[: random.randint(0, 2)]))
        case 4:
            return Power(below(), Fraction(random.choice((2, -1, -2, 3, 0, HALF, -HALF))))
        case 5:
            return Apply(random.choice(("exp", "log", "tanh", "softplus", "sigmoid", "cosh")), random_term(random, 0))
        case 6:
            d = random.choice((Index("d", N), few, Index("d", N - M), Index("d", M)))
            shift, sign = random.randint(-1, 1), random.choice((1, -1))
            mask = Holds(NonNegative(affine(shift, ((random.choice((i, j)), 1), (d, sign)))))
            return over(d, mul(below(), random.choice((x(d), y(d), exp(y(d)), mul(exp(y(d)), mask), mask, ONE))))
        case 7:
            d = random.choice((Index("d", N), few))
            body = add(below(), random.choice((x(d), ONE, Ordinal(d))))
            return whole(random.choice(("max", "prod")), 0, (d,), body, ())
        case _:
            return random.choice((Num(Fraction(-1)), below()))


@pytest.mark.parametrize("block", range(3))
def test_signs_are_those_of_the_values(block: int) -> None:
    said = 0
    for seed in range(400 * block, 400 * (block + 1)):
        t = random_term(Random(seed), 1 + seed % 3)
        context = HYPOTHESES if seed % 2 else EMPTY
        signs = Signs(context)
        sign = signs.sign(t)
        if sign == UNKNOWN:
            continue
        said += 1
        used: list[Hypothesis] = [context.hypotheses[name] for name in signs.used]
        for s in range(4):
            world = World(seed + s, {"n": 1 + (seed + s) % 3, "m": 1 + s % 2})
            if not all(map(world.holds, used)):
                continue
            for v in world.settings(free(t)):
                value = world.value(t, v)
                right = {POSITIVE: value > 0, NONNEGATIVE: value >= -TINY, NONZERO: value != 0}
                assert right[sign], f"{t} = {value} is called {sign}"
    assert said > 100
