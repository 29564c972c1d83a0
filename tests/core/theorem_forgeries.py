"""Arguments that show nothing, one for each guard of theorems, reasons and points: `test_theorem.py` sees them refused.

As in `forgeries.py`: with the guard that it is aimed at deleted the forgery goes through, or falls over.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import kernel_account

from symbackprop.checker import recheck
from symbackprop.core.certificate import certificate, equation_rows, proof_rows
from symbackprop.core.context import EMPTY, Context, Equation, Hypothesis, Same, Statement
from symbackprop.core.discharge import dense, established, holding
from symbackprop.core.indices import Index, Pick, affine, sized
from symbackprop.core.kernel import By, Inside, Linear, Proof
from symbackprop.core.reasons import (
    Argument,
    Cases,
    Continued,
    Dense,
    Fixed,
    Given,
    Holding,
    Knowing,
    Nested,
    Point,
    Reason,
    Sign,
    Split,
    Steps,
    Weigh,
    satisfied,
)
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Apply,
    Array,
    AtLeastZero,
    Delta,
    Diff,
    Entry,
    Holds,
    IndexExpr,
    Nonzero,
    Ordinal,
    Positive,
    Power,
    Predicate,
    Term,
    add,
    mul,
    neg,
    num,
    over,
    sub,
    whole,
)
from symbackprop.core.theorem import proved, theorem

N = sized("n")
i, j = Index("i", N), Index("j", N)
few = Index("k", N - 1)  # no values at n = 1
HALF = Fraction(1, 2)
X = Array("x")
x, y, z = Entry(X, ()), Entry(Array("y"), ()), Entry(Array("z"), ())
MINUS = num(-1)
SQUARE = Power(x, Fraction(2))
OVER_X = Power(x, Fraction(-1))
x1 = Point(entries=((X, (), Fraction(1)),))


def v(*at: IndexExpr) -> Entry:
    return Entry(Array("v"), at)


def step(t: Term) -> Term:
    return Holds(Positive(t))


def same(lhs: Term, rhs: Term, *steps: Any) -> Given:
    return Given(Linear(lhs, rhs, steps))


def weigh(goal: Any, scale: Term, parts: tuple[tuple[Term, Any], ...], rest: Term, *steps: Any) -> Weigh:
    """With its equation proved by sums, and what the steps say."""
    total = add(*(mul(c, r.goal.term) for c, r in parts), rest)
    return Weigh(goal, scale, parts, rest, same(mul(scale, goal.term), total, *steps))


def given(*hypotheses: Hypothesis) -> Context:
    return Context(hypotheses={f"h.{k}": h for k, h in enumerate(hypotheses)})


def shown(
    lhs: Term, rhs: Term, steps: Holding | None = None, values: tuple[Any, ...] = (), point: Point = x1,
    context: Context = EMPTY, forward: tuple[Term, ...] = (), formula: bool = False, lemmas: tuple[Any, ...] = (),
) -> object:  # fmt: skip
    statement = Statement(lhs, rhs, context, forward, (), formula)
    argument = Argument(lemmas, values, steps or same(lhs, rhs), point)
    return argued(certificate(statement, argument))


def argued(rows: object) -> object:
    kernel_account.argued(rows)
    return True


# x is 1 there, and so is not 0; hence x != 0 is dense
AT_ONE = weigh(Nonzero(x), ONE, ((ONE, Sign(Positive(ONE))),), ZERO, ((), ONE, By("unfold", (x,))))
DENSE = Dense(Nonzero(x), ((X, Tensor((), ONE)),), (), AT_ONE)
SIDES = add(step(x), step(neg(x)))  # 1, but at 0
APART = By("step_negated", (x,))


def by_sides(about: Term, values: tuple[tuple[Index, IndexExpr], ...] = (), times: Term = x, of: Term = x) -> Cases:
    """times ([of > 0] + [-of > 0]) = times, where of != 0, and where times = 0."""
    both = add(step(of), step(neg(of)))
    apart = same(mul(times, both), times, ((), times, By("step_negated", (of,))))
    zero = same(mul(times, both), times, ((), sub(both, ONE), By("assume", ("c.0", values))))
    return Cases(mul(times, both), times, (), "c", about, apart, zero)


OFF_ZERO = (((), ZERO, By("power_add", (x, Fraction(1), Fraction(-1)))),)  # a step that needs x != 0 and says nothing
CANCELLED = Linear(Power(add(x, ONE), Fraction(2)), add(SQUARE, mul(num(2), x), ONE), OFF_ZERO)
TWICE = By("diff_power", (x, Fraction(2), x))
TWICE_X = mul(num(2), Power(x, Fraction(1)), Diff(x, x))

# what holds for all i and j holds for 0 and an index of another name, the terms in another order
INSTANCES = Positive(add(v(i), v(j), ONE)), Positive(add(ONE, v(affine(0, ())), v(Index("~3", N))))

THEOREMS: dict[str, Callable[[], object]] = {
    "a sum": lambda: shown(add(x, x), mul(num(2), x)),
    "a derivative": lambda: shown(Diff(SQUARE, x), TWICE_X, Given(TWICE), forward=(SQUARE,)),
    "a formula, where both sides have a value": lambda: shown(ONE, mul(x, OVER_X), values=(DENSE,), formula=True),
    "a value by a hypothesis": lambda: shown(ONE, mul(x, OVER_X), context=given(Positive(x))),
    "by continuity": lambda: holding(Continued(CANCELLED, (), (DENSE,), ()), EMPTY),
    "by cases": lambda: holding(by_sides(x), EMPTY),
    "a lemma": lambda: established(
        Knowing(Positive(add(x, y)), "k", (weigh(Positive(x), ONE, ((ONE, Sign(Positive(x))),), ZERO),),
                Sign(Positive(add(x, y)))), given(Positive(x), Positive(y))),
    "an instance": lambda: established(Knowing(INSTANCES[1], "k", (), Sign(INSTANCES[0])), given(INSTANCES[0])),
    "a maximum of maxima": lambda: established(nest((j, i), Positive(gap((j, i), v(i, j)))), given(*NESTED)),
    "both values of a step": lambda: established(
        Split(Positive(add(ONE, step(x))), "c", step(x), Sign(Positive(num(2))), Sign(Positive(ONE)),
              same(add(ONE, step(x)), add(mul(step(x), num(2)), mul(sub(ONE, step(x)), ONE)))), EMPTY),
}  # fmt: skip


def reason(r: Reason, *hypotheses: Hypothesis) -> Callable[[], object]:
    return lambda: established(r, given(*hypotheses))


def held(h: Holding, *hypotheses: Hypothesis) -> Callable[[], object]:
    return lambda: holding(h, given(*hypotheses))


def seen(h: Predicate, n: int = 2, context: Context = EMPTY, **known: Any) -> Callable[[], object]:
    return lambda: satisfied((h,), Point((("n", n), ("l", 1), ("L", 1)), **known), context)


def few_evaluations() -> None:
    most, recheck.LIMIT = recheck.LIMIT, 2
    try:
        satisfied((Positive(add(x, x, x)),), Point(entries=((x.array, (), Fraction(1)),)), EMPTY)
    finally:
        recheck.LIMIT = most


UNITS = Statement(ONE, ONE, EMPTY)
CANCELS = Statement(mul(x, OVER_X), ONE, EMPTY, (OVER_X,))


def simple(proof: Proof) -> Argument:
    return Argument((), (), Given(proof), Point())


def with_rows(**changes: Any) -> Callable[[], object]:
    return lambda: argued(certificate(UNITS, simple(Linear(ONE, ONE))) | changes)


def without(part: str, rows: dict[str, Any]) -> dict[str, Any]:
    return {name: row for name, row in rows.items() if name != part}


def gap(axes: tuple[Index, ...], t: Term) -> Term:
    return whole("gap", 0, axes, t, ())


def nest(order: tuple[Index, ...], goal: Predicate) -> Nested:
    """Of max_i max_j v_ij, from what `NESTED` assumes."""
    inner, outer = gap((j,), v(i, j)), gap((i,), whole("max", 0, (j,), v(i, j), ()))
    return Nested(goal, order, (i,), (j,), v(i, j), Sign(Positive(inner)), Sign(Positive(outer)))


NESTED = Positive(gap((j,), v(i, j))), Positive(gap((i,), whole("max", 0, (j,), v(i, j), ())))
PICKED = Pick("a", (), N)
TIES = whole("gap", 0, (Index("k", sized(3)),), v(Pick("a", (Index("k", sized(3)),), N)), ())
OF_X = Apply("f", x)
UNIT = whole("inv", 0, (i, j), Delta(i, j), (affine(2, ()), affine(2, ())))
DUMMY = Index("~1", N)
ROOT = Power(mul(SQUARE, sub(y, ONE)), HALF)

FORGERIES: dict[str, Callable[[], object]] = {
    # reasons
    "no plain sign": reason(Sign(Positive(x))),
    "a sum of nothing positive": reason(weigh(Positive(ZERO), ONE, (), ZERO)),
    "a sum that may be 0": reason(weigh(Nonzero(x), ONE, (), x)),
    "two parts that are not 0": reason(
        weigh(Nonzero(ZERO), ONE, ((ONE, Sign(Nonzero(ONE))), (ONE, Sign(Nonzero(MINUS)))), ZERO)),
    "a negative part": reason(weigh(AtLeastZero(MINUS), ONE, ((MINUS, Sign(Positive(ONE))),), ZERO)),
    "a negative scale": reason(weigh(Positive(MINUS), MINUS, ((ONE, Sign(Positive(ONE))),), ZERO)),
    "another sum": reason(Weigh(Positive(MINUS), ONE, ((ONE, Sign(Positive(ONE))),), ZERO, same(ONE, ONE))),
    "a sum over an empty range": reason(weigh(
        Positive(sub(N, ONE)), ONE,
        ((ONE, Sign(Positive(add(Ordinal(affine(N - 2, ((few, -1),))), Ordinal(few), ONE)))),), ZERO)),
    "a reason for fewer values": reason(
        Knowing(Positive(v(i)), "k", (), Sign(Positive(v(few)))), Positive(v(few))),
    "a reason for the diagonal": reason(
        Knowing(Positive(v(i, j)), "k", (), Sign(Positive(v(i, i)))), Positive(v(i, i))),
    "a reason beside its range": reason(
        Knowing(Positive(v(affine(1, ((i, 1),)))), "k", (), Sign(Positive(v(j)))), Positive(v(j))),
    "a reason of a weaker kind": reason(Knowing(Positive(x), "k", (), Sign(Nonzero(x))), Nonzero(x)),
    "a reason for one dummy": reason(
        Knowing(Positive(over(i, v(i, j))), "k", (), Sign(Positive(over(i, v(i, i))))), Positive(over(i, v(i, i)))),
    "factors of a weaker kind": reason(
        Knowing(Positive(mul(x, y)), "k", (), Sign(Positive(mul(x, y)))), Nonzero(x), Nonzero(y)),
    "a factor left out": reason(Knowing(Nonzero(mul(x, y)), "k", (), Sign(Nonzero(mul(x, y)))), Nonzero(x)),
    "cases of what is no truth value": reason(
        Split(Positive(MINUS), "c", num(2), Sign(Positive(ONE)), Sign(Positive(num(3))),
              same(MINUS, add(mul(num(2), ONE), mul(sub(ONE, num(2)), num(3)))))),
    "cases of a weaker kind": reason(
        Split(Positive(ZERO), "c", step(x), Sign(AtLeastZero(ZERO)), Sign(AtLeastZero(ZERO)),
              same(ZERO, add(mul(step(x), ZERO), mul(sub(ONE, step(x)), ZERO))))),
    "cases of something else": reason(
        Split(Positive(MINUS), "c", step(x), Sign(Positive(ONE)), Sign(Positive(ONE)),
              same(ONE, add(mul(step(x), ONE), mul(sub(ONE, step(x)), ONE))))),
    "integers for another predicate": reason(Fixed(Positive(v(i)), ((i, "a"),), Sign(Positive(ONE)))),
    "integers of a name in use": reason(
        Fixed(Positive(v(i)), ((i, "a"),), Sign(Positive(v(PICKED)))), Positive(v(PICKED))),
    "one integer for two indices": reason(
        Fixed(Nonzero(add(ONE, sub(v(i), v(j)))), ((i, "a"), (j, "a")),
              weigh(Nonzero(add(ONE, sub(v(PICKED), v(PICKED)))), ONE, ((ONE, Sign(Positive(ONE))),), ZERO))),
    "lemmas for another predicate": reason(Knowing(Positive(MINUS), "k", (), Sign(Positive(ONE)))),
    "a lemma that is wrong": reason(Knowing(Positive(x), "k", (Sign(Positive(x)),), Sign(Positive(x)))),
    "a lemma that is no equation": reason(Knowing(Positive(x), "k", (same(x, ONE),), Sign(Positive(x)))),
    "a lemma by the name of a hypothesis": reason(
        Knowing(Positive(ONE), "h", (Sign(Positive(ONE)),), Sign(Positive(ONE))), Positive(x)),
    "a maximum over other axes": reason(nest((i,), Positive(gap((i,), v(i, j)))), *NESTED),
    "another nested maximum": reason(nest((i, j), Positive(gap((i, j), add(v(i, j), v(j, i))))), *NESTED),
    # equations
    "a condition without a reason": held(same(mul(x, OVER_X), ONE)),
    "steps that do not meet": held(Steps((same(ONE, ONE), same(ZERO, ZERO)))),
    "cases of another equation": held(Cases(ONE, ZERO, (), "c", x, same(ONE, ONE), same(ONE, ONE))),
    "cases for all values of an index": held(by_sides(v(i), ((i, j),), v(j), v(i))),
    "cases by the name of a hypothesis": held(Cases(x, x, (), "h", x, same(x, x), same(x, x)), Positive(y)),
    "cases of a derivative": held(Cases(
        Diff(SQUARE, x), Diff(SQUARE, x), (), "c", x, same(Diff(SQUARE, x), Diff(SQUARE, x)),
        same(Diff(SQUARE, x), Diff(SQUARE, x)))),
    "one case only": held(Cases(mul(x, OVER_X), ONE, (), "c", x, same(mul(x, OVER_X), ONE), same(ONE, ONE))),
    # continuity
    "where it may not be dense": held(Continued(Linear(mul(x, OVER_X), ONE), (), (), ())),
    "a side that is not continuous": held(Continued(Linear(mul(x, OVER_X), ONE), (), (DENSE,), ())),
    "a side with a jump": held(Continued(Linear(SIDES, ONE, (((), ONE, APART),)), (), (DENSE,), ())),
    "a side with a pseudo-inverse": held(Continued(
        Linear(*(whole("pinv", 0, (i, j), x, (i, j)),) * 2, OFF_ZERO), (), (DENSE,), ())),
    "a hypothesis that is not open": held(
        Continued(Linear(ONE, ZERO, (((), OVER_X, By("assume", ("h.0", ()))),)), (), (DENSE,), ()), Same(x, ZERO)),
    "dense for another predicate": lambda: dense(
        Dense(Nonzero(ZERO), ((X, Tensor((), ONE)),), (), Sign(Nonzero(ONE))), EMPTY),
    "positive on a dense set": lambda: dense(
        Dense(Positive(ONE), ((X, Tensor((), ONE)),), (), Sign(Positive(ONE))), EMPTY),
    "what is defined does not move": lambda: dense(DENSE, Context({X: Tensor((), ZERO)})),
    "what another definition says does not move": lambda: dense(
        Dense(Nonzero(x), ((X, Tensor((), y)), (Array("y"), Tensor((), x))), (), Sign(Nonzero(x))), EMPTY),
    "dense by a step": lambda: dense(Dense(Nonzero(step(x)), ((X, Tensor((), ONE)),), (), weigh(
        Nonzero(step(x)), ONE, ((ONE, Sign(Positive(ONE))),), ZERO,
        ((), ONE, Inside(step(x), ((0, By("unfold", (x,))),))), ((), ONE, By("step_of_positive", (ONE,))))), EMPTY),
    "dense by an abstract function": lambda: dense(Dense(Nonzero(OF_X), ((X, Tensor((), ONE)),), (), weigh(
        Nonzero(OF_X), ONE, ((ONE, Sign(Nonzero(Apply("f", ONE)))),), ZERO,
        ((), ONE, Inside(OF_X, ((0, By("unfold", (x,))),))))), given(Nonzero(Apply("f", ONE)))),
    "dense by an assumption about what moves": lambda: dense(
        Dense(Nonzero(x), ((X, Tensor((), ZERO)),), (), Sign(Nonzero(x))), given(Nonzero(x))),
    # points
    "a hypothesis about no index": seen(Positive(v(few)), 1),
    "what is not so": seen(Positive(ZERO)),
    "an integer out of range": seen(AtLeastZero(sub(Ordinal(PICKED), N)), integers=(("a", (), 2),)),
    "a point too large": few_evaluations,
    "a division by 0": seen(AtLeastZero(Power(ZERO, Fraction(-1)))),
    "a root of -4": seen(AtLeastZero(Power(num(-4), HALF))),
    "a logarithm of 0": seen(AtLeastZero(neg(Apply("log", ZERO)))),
    "an abstract function": seen(Positive(Apply("f", ONE))),
    "a maximum of nothing": seen(AtLeastZero(whole("max", 0, (few,), ONE, ())), 1),
    "an inverse out of range": seen(Positive(UNIT)),
    "a sine that is not known": seen(AtLeastZero(Apply("sin", num(2)))),
    "one entry twice is a tie": seen(
        Positive(TIES), entries=((Array("v"), (0,), Fraction(2)), (Array("v"), (1,), Fraction(1))),
        integers=(("a", (0,), 0), ("a", (1,), 0), ("a", (2,), 1))),
    "two values for one layer": seen(
        Nonzero(sub(Entry(Array("W", sized("l")), ()), Entry(Array("W", sized("L")), ()))),
        entries=((Array("W", sized("l")), (), Fraction(1)), (Array("W", sized("L")), (), Fraction(2)))),
    # theorems
    "another left side": lambda: shown(ZERO, ONE, same(ONE, ONE)),
    "another right side": lambda: shown(ONE, ZERO, same(ONE, ONE)),
    "a size below the least": lambda: shown(ONE, ONE, point=Point((("n", 0),))),
    "no index at the point": lambda: shown(v(few), v(few), point=Point((("n", 1),))),
    "a fact that the point does not satisfy": lambda: shown(
        ONE, ONE, forward=(OVER_X,), point=Point(entries=((X, (), Fraction(0)),))),
    "a point that does not say": lambda: shown(ONE, ONE, forward=(OVER_X,), point=Point()),
    "a contradiction of facts": lambda: shown(
        ONE, ZERO, same(ONE, ZERO, ((), OVER_X, By("assume", ("h", ())))), forward=(OVER_X,),
        context=Context(hypotheses={"h": Same(x, ZERO)})),
    "a value that is not said": lambda: shown(ONE, mul(x, OVER_X)),
    "a fact beside what may be no truth value": lambda: shown(
        OVER_X, OVER_X, forward=(mul(sub(step(y), step(z)), OVER_X),), values=(Sign(Nonzero(x)),),
        point=Point(entries=tuple((t.array, (), Fraction(1)) for t in (x, y, z)))),
    "a value on a dense set only": lambda: shown(ONE, mul(x, OVER_X), values=(DENSE,)),
    "a derivative at a kink": lambda: shown(Diff(step(x), x), ZERO, Given(By("diff_step", (x, x)))),
    "a dummy by the name of an index": lambda: shown(
        *(over(i, Power(Delta(i, DUMMY), Fraction(-1))),) * 2, point=Point((("n", 2),)), values=(weigh(
            Nonzero(Delta(DUMMY, DUMMY)), ONE, ((ONE, Sign(Positive(ONE))),), ZERO),)),
    "a value that is dense in everything, but not in the domain": lambda: shown(
        ROOT, mul(ROOT, x, OVER_X), values=(DENSE,), formula=True,
        point=Point(entries=((X, (), Fraction(1)), (Array("y"), (), Fraction(2))))),
    "another statement": lambda: theorem(Statement(ONE, ZERO, EMPTY), certificate(UNITS, simple(Linear(ONE, ONE)))),
    "another equation": lambda: proved(
        Equation(ONE, ZERO), EMPTY, equation_rows(Linear(ONE, ONE), EMPTY, Equation(ONE, ONE))),
    "what is excused and not said": lambda: theorem(CANCELS, certificate(CANCELS, Argument(
        (), (), same(CANCELS.lhs, CANCELS.rhs), x1))),
    # rows
    "neither true nor false": with_rows(statement=[0, 0, [], [], 1]),
    "an argument that is missing": lambda: argued(
        without("argument", certificate(UNITS, simple(Linear(ONE, ONE))))),
    "a proof that is missing": lambda: kernel_account.check_rows(without("proof", proof_rows(Linear(ONE, ONE), EMPTY))),
}  # fmt: skip
