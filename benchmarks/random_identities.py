"""Random identities that are true by construction, and random false ones: how many are proved.

    python benchmarks/random_identities.py [--count 10000] [--seed 0] [--show]

A true one says that the derivative of a random term, worked out here by rules of this file's own and then rewritten
many times (sums exchanged, products distributed, deltas put in, exponentials split, functions written in others), is
the derivative.  A false one has one thing changed, and floats must agree that this changes its value.

Every true identity that is not proved is printed with its number; a false one that is proved is an error (exit code 1).
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from types import FrameType

import numpy as np

from symbackprop.core.context import EMPTY, Statement
from symbackprop.core.indices import Index, Size, SymbackpropError, sized
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Add,
    Apply,
    Array,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    Num,
    Positive,
    Power,
    Sum,
    Term,
    free,
    mul,
    neg,
    num,
    open_body,
    over,
    sub,
    substitute,
    subterms,
)
from symbackprop.core.theorem import Theorem
from symbackprop.decide.decide import Problem, prove
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.numbers.floats import FloatEvaluation
from symbackprop.numbers.points import Point
from symbackprop.write.paper.array_text import text

N, M = sized("n"), sized("m")
ARRAYS: dict[str, tuple[Size, ...]] = {"x": (N,), "y": (N,), "w": (M,), "A": (N, M), "B": (M, N), "s": ()}
FUNCTIONS = ("exp", "tanh", "sigmoid", "sin", "cos")
J = Index("w0", N)
POINTS = ({"n": 3, "m": 2}, {"n": 2, "m": 3})


@dataclass(frozen=True, slots=True)
class Identity:
    """∂loss/∂x_j = claim"""

    loss: Term
    claim: Term


class Maker:
    """Random terms, their derivatives and their rewritings; everything depends on the seed only."""

    def __init__(self, seed: int, steps: bool = False) -> None:
        self.draw = Random(seed)
        self.steps = steps
        self.count = 0

    def index(self, size: Size) -> Index:
        self.count += 1
        return Index(f"r{self.count}", size)

    # --- terms ---------------------------------------------------------------------------------

    def loss(self) -> Term:
        i = self.index(N)
        return over(i, self.term(self.draw.choice((2, 3, 3)), [i]))

    def term(self, depth: int, scope: Sequence[Index]) -> Term:
        if depth == 0 or self.draw.random() < 0.1:
            return self.leaf(scope)
        kinds = ("add", "mul", "mul", "sum", "power", "apply", "apply", "quotient")
        match self.draw.choice((*kinds, "relu", "relu", "abs", "maximum") if self.steps else kinds):
            case "add":
                return Add(tuple(self.term(depth - 1, scope) for _ in range(2)))
            case "mul":
                return Mul(tuple(self.term(depth - 1, scope) for _ in range(2)))
            case "sum":
                i = self.index(self.draw.choice((N, M)))
                return over(i, Mul((self.leaf([*scope, i], i), self.term(depth - 1, [*scope, i]))))
            case "power":
                return Power(self.term(depth - 1, scope), Fraction(self.draw.choice((2, 2, 3))))
            case "apply":
                return Apply(self.draw.choice(FUNCTIONS), self.term(depth - 1, scope))
            case "relu":
                u = self.term(depth - 1, scope)
                return Mul((u, Holds(Positive(u))))
            case "abs":
                u = self.term(depth - 1, scope)
                return Mul((u, sub(Holds(Positive(u)), Holds(Positive(neg(u))))))
            case "maximum":
                u, v = (self.term(depth - 1, scope) for _ in range(2))
                return Add((v, Mul((sub(u, v), Holds(Positive(sub(u, v)))))))
            case _:
                return Mul((self.term(depth - 1, scope), Power(self.positive(depth - 1, scope), Fraction(-1))))

    def positive(self, depth: int, scope: Sequence[Index]) -> Term:
        inner = self.term(max(0, depth - 1), scope)
        match self.draw.choice(("square", "exp")):
            case "square":
                return Add((ONE, Power(inner, Fraction(2))))
            case _:
                return Add((ONE, Apply("exp", inner)))

    def leaf(self, scope: Sequence[Index], must: Index | None = None) -> Term:
        fitting = [a for a, shape in ARRAYS.items() if all(any(i.size == n for i in scope) for n in shape)]
        if must is not None:
            fitting = [a for a in fitting if must.size in ARRAYS[a]]
        if must is None and self.draw.random() < 0.12:
            return num(self.draw.choice((-2, -1, 2, 3)))
        name = self.draw.choice(["x", *fitting] if "x" in fitting else fitting)
        at = [self.draw.choice([i for i in scope if i.size == n]) for n in ARRAYS[name]]
        if must is not None and must not in at:
            at[ARRAYS[name].index(must.size)] = must
        return Entry(Array(name), tuple(at))

    # --- derivatives, by rules of this file -------------------------------------------------------

    def derivative(self, t: Term) -> Term:
        """∂t/∂x_j"""
        match t:
            case Entry(array, at):
                return Delta(at[0], J) if array.name == "x" else ZERO
            case Add(args):
                return Add(tuple(self.derivative(a) for a in args))
            case Mul(args):
                return Add(tuple(Mul((*args[:k], self.derivative(a), *args[k + 1 :])) for k, a in enumerate(args)))
            case Power(base, q):
                return Mul((Num(q), Power(base, q - 1), self.derivative(base)))
            case Sum(size, body, _):
                i = self.index(size)
                return over(i, self.derivative(open_body(body, (i,))))
            case Apply(fn, u, _):
                f = Apply(fn, u)
                slopes = {
                    "exp": f, "tanh": sub(ONE, Mul((f, f))), "sigmoid": Mul((f, sub(ONE, f))),
                    "sin": Apply("cos", u), "cos": neg(Apply("sin", u)),
                }  # fmt: skip
                return Mul((slopes[fn], self.derivative(u)))
            case _:
                return ZERO

    # --- rewriting ---------------------------------------------------------------------------------

    def rewritten(self, t: Term, times: int) -> Term:
        for _ in range(times):
            t = self.somewhere(t, self.rule)
        return t

    def somewhere(self, t: Term, change: Callable[[Term], Term | None], up: float = 0.25) -> Term:
        """`change` at a random place, if it applies there."""
        if self.draw.random() < up:
            changed = change(t)
            if changed is not None:
                return changed
        match t:
            case Add(args) | Mul(args) if args:
                k = self.draw.randrange(len(args))
                new = (*args[:k], self.somewhere(args[k], change, up), *args[k + 1 :])
                return Add(new) if isinstance(t, Add) else Mul(new)
            case Power(base, q):
                return Power(self.somewhere(base, change, up), q)
            case Apply(fn, arg, order):
                return Apply(fn, self.somewhere(arg, change, up), order)
            case Holds(Positive(u)):
                return Holds(Positive(self.somewhere(u, change, up)))
            case Sum(size, body, _):
                i = self.index(size)
                return over(i, self.somewhere(open_body(body, (i,)), change, up))
            case _:
                return change(t) or t

    def rule(self, t: Term) -> Term | None:
        """Another way to write t."""
        rules: list[Callable[[Term], Term | None]] = [
            self.shuffled, self.distributed, self.into_sum, self.out_of_sum, self.with_delta, self.split_exponential,
            self.in_exponentials, self.times_one, self.plus_zero, self.square_as_product, self.exchanged,
        ]  # fmt: skip
        return self.draw.choice(rules)(t)

    def shuffled(self, t: Term) -> Term | None:
        if isinstance(t, Add | Mul) and len(t.args) > 1:
            args = list(t.args)
            self.draw.shuffle(args)
            return Add(tuple(args)) if isinstance(t, Add) else Mul(tuple(args))
        return None

    def distributed(self, t: Term) -> Term | None:
        if isinstance(t, Mul):
            for k, a in enumerate(t.args):
                if isinstance(a, Add):
                    return Add(tuple(Mul((*t.args[:k], x, *t.args[k + 1 :])) for x in a.args))
        return None

    def into_sum(self, t: Term) -> Term | None:
        if isinstance(t, Mul):
            for k, a in enumerate(t.args):
                if isinstance(a, Sum):
                    i = self.index(a.size)
                    return over(i, Mul((*t.args[:k], open_body(a.body, (i,)), *t.args[k + 1 :])))
        return None

    def out_of_sum(self, t: Term) -> Term | None:
        if not isinstance(t, Sum):
            return None
        i = self.index(t.size)
        body = open_body(t.body, (i,))
        if isinstance(body, Add):
            return Add(tuple(over(i, a) for a in body.args))
        if isinstance(body, Mul):
            outside = [a for a in body.args if i not in free(a)]
            inside = [a for a in body.args if i in free(a)]
            if outside and inside:
                return Mul((*outside, over(i, mul(*inside))))
        return None

    def with_delta(self, t: Term) -> Term | None:
        indices = sorted(free(t), key=lambda i: i.name)
        if not indices or len(subterms(t)) > 12:
            return None
        i = self.draw.choice(indices)
        k = self.index(i.size)
        return over(k, Mul((Delta(i, k), substitute(t, {i: k}))))

    def split_exponential(self, t: Term) -> Term | None:
        match t:
            case Apply("exp", Add(args), 0):
                return Mul(tuple(Apply("exp", a) for a in args))
            case Apply("exp", arg, 0):
                return Power(Apply("exp", neg(arg)), Fraction(-1))
            case _:
                return None

    def in_exponentials(self, t: Term) -> Term | None:
        match t:
            case Apply("tanh", u, 0):
                e = Apply("exp", Mul((num(2), u)))
                return Mul((sub(e, ONE), Power(Add((e, ONE)), Fraction(-1))))
            case Apply("sigmoid", u, 0):
                return Power(Add((ONE, Apply("exp", neg(u)))), Fraction(-1))
            case Power(Apply("sin", u, 0), q) if q == 2:
                return sub(ONE, Power(Apply("cos", u), Fraction(2)))
            case _:
                return None

    def times_one(self, t: Term) -> Term | None:
        if len(subterms(t)) > 8:
            return None
        p = Add((ONE, Apply("exp", self.leaf(sorted(free(t), key=lambda i: i.name)))))
        return Mul((t, p, Power(p, Fraction(-1))))

    def plus_zero(self, t: Term) -> Term | None:
        u = self.leaf(sorted(free(t), key=lambda i: i.name))
        return Add((t, u, neg(u)))

    def square_as_product(self, t: Term) -> Term | None:
        match t:
            case Power(base, q) if q == 2:
                return Mul((base, base))
            case Power(base, q) if q == 3:
                return Mul((base, Power(base, Fraction(2))))
            case _:
                return None

    def exchanged(self, t: Term) -> Term | None:
        if isinstance(t, Sum):
            i = self.index(t.size)
            body = open_body(t.body, (i,))
            if isinstance(body, Sum):
                k = self.index(body.size)
                return over(k, over(i, open_body(body.body, (k,))))
        return None

    # --- mistakes ------------------------------------------------------------------------------------

    def mistake(self, t: Term) -> Term | None:
        match t:
            case Num(value):
                return Num(value + self.draw.choice((-1, 1)))
            case Add(args) if len(args) > 1:
                k = self.draw.randrange(len(args))
                if self.draw.random() < 0.5:
                    return Add((*args[:k], *args[k + 1 :]))
                return Add((*args[:k], neg(args[k]), *args[k + 1 :]))
            case Mul(args) if len(args) > 1:
                k = self.draw.randrange(len(args))
                return Mul((*args[:k], *args[k + 1 :])) if self.draw.random() < 0.5 else Mul((num(2), *args))
            case Power(base, q):
                return Power(base, q + 1) if q not in (-1,) else Power(base, q - 1)
            case Apply(fn, arg, order):
                return Apply(self.draw.choice([f for f in FUNCTIONS if f != fn]), arg, order)
            case Entry(array, at) if at:
                others = [
                    i for i in sorted(free(t) | {J}, key=lambda i: i.name) if i.size == getattr(at[0], "size", None)
                ]
                if self.draw.random() < 0.5 and others:
                    return Entry(array, (self.draw.choice(others), *at[1:]))
                return Entry(Array("y" if array.name == "x" else "x"), at) if len(at) == 1 and others else neg(t)
            case Delta():
                return ONE
            case Holds(Positive(u)):
                return self.draw.choice((sub(ONE, Holds(Positive(neg(u)))), ONE, sub(ONE, t), Holds(Positive(neg(u)))))
            case _:
                return neg(t)


def identity(seed: int, steps: bool = False) -> Identity:
    """A true one; with `steps` relu, abs and maximum occur, and it holds off their kinks."""
    maker = Maker(seed, steps)
    loss = maker.loss()
    return Identity(loss, maker.rewritten(maker.derivative(loss), maker.draw.choice((2, 4, 6))))


def spoilt(seed: int, steps: bool = False) -> Identity | None:
    """The identity with one mistake, or None where floats see no difference."""
    true = identity(seed, steps)
    maker = Maker(seed + 1_000_003, steps)
    maker.count = 10_000
    for _ in range(4):
        false = Identity(true.loss, maker.somewhere(true.claim, maker.mistake))
        if differ(true.claim, false.claim, seed):
            return false
    return None


def differ(one: Term, other: Term, seed: int) -> bool:
    for k, sizes in enumerate(POINTS):
        draw = np.random.default_rng([seed, k])
        arrays = {}
        for name, shape in ARRAYS.items():
            counts = tuple(n.at(sizes) for n in shape)
            values = draw.uniform(-1, 1, counts)
            arrays[Array(name)] = {at: Fraction(float(values[at])).limit_denominator(1000) for at in np.ndindex(counts)}
        evaluation = FloatEvaluation(Point(sizes, arrays))
        try:
            a, b = (evaluation.tensor((J,), t) for t in (one, other))
        except Undefined:
            continue
        finite = np.isfinite(a) & np.isfinite(b)
        if (np.abs(a - b)[finite] > 1e-7 * (1 + np.abs(a[finite]))).any():
            return True
    return False


# --- asking --------------------------------------------------------------------------------------


class OutOfTime(BaseException):
    pass


def proved(case: Identity, seconds: float = 10.0) -> bool:
    """Whether it is a theorem."""

    def ring(signum: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        lhs = Diff(case.loss, Entry(Array("x"), (J,)))
        return isinstance(prove(Problem(Statement(lhs, case.claim, EMPTY, (case.loss,)), (J,))), Theorem)
    except (OutOfTime, SymbackpropError, RecursionError):
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", action="store_true", help="with relu, abs and maximum")
    parser.add_argument("--show", action="store_true", help="print the identities that are not proved")
    parser.add_argument("--only", choices=("true", "false"), help="one of the two halves")
    args = parser.parse_args(argv)
    bad = 0
    if args.only != "false":
        start, missed = time.perf_counter(), []
        for k in range(args.seed, args.seed + args.count):
            if not proved(identity(k, args.steps)):
                missed.append(k)
                if args.show:
                    case = identity(k, args.steps)
                    print(f"{k}: ∂/∂x[i] of {text(case.loss)}\n   = {text(case.claim, (J,))}", flush=True)
        spent = time.perf_counter() - start
        print(f"true:  {args.count - len(missed)} of {args.count} proved in {spent:.0f} s; not proved: {missed[:200]}")
    if args.only != "true":
        start, asked = time.perf_counter(), 0
        k = args.seed
        while asked < args.count:
            case = spoilt(k, args.steps)
            k += 1
            if case is None:
                continue
            asked += 1
            if proved(case):
                bad += 1
                print(
                    f"PROVED THOUGH FALSE, number {k - 1}: {text(case.loss)}\n   {text(case.claim, (J,))}", flush=True
                )
        print(f"false: {bad} of {asked} proved in {time.perf_counter() - start:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
