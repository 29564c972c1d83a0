"""Values at each entry that leave out work: scalars in front, no 1·x, no x + 0, quotients instead of reciprocals.

The result means the same numbers.  The logarithm of a softmax is a difference, log of a sigmoid and log(1 + e^z) become
softplus, and beside a step no exponential overflows where the step is 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from .assignments import Call, Entrywise, Number, Ref, constant, replaced

ZERO: Entrywise = Number(0.0)
ONE: Entrywise = Number(1.0)
MINUS: Entrywise = Number(-1.0)


class Arithmetic:
    """`scalars` are names that are the same at every entry, `meaning` says what other names stand for."""

    def __init__(self, scalars: frozenset[str]) -> None:
        self.scalars = scalars
        self.meaning: dict[str, Entrywise] = {}

    def meant(self, e: Entrywise) -> Entrywise:
        return self.meaning.get(e.name, e) if isinstance(e, Ref) else e

    def constant(self, e: Entrywise) -> bool:
        return constant(e, self.scalars)

    def split(self, e: Entrywise) -> tuple[Entrywise, Entrywise]:
        """The scalar in front of e, and the rest; 1 where there is none."""
        match e:
            case _ if self.constant(e):
                return e, ONE
            case Call("neg", (x,)):
                return MINUS, x
            case Call("mul", (s, x)) if self.constant(s):
                return s, x
            case _:
                return ONE, e

    def scaled(self, s: Entrywise, e: Entrywise) -> Entrywise:
        """A scalar times e."""
        inner, x = self.split(e)
        match product(s, inner), x:
            case Number(0.0), _:
                return ZERO
            case factor, Number(1.0):
                return factor
            case Number(1.0), _:
                return x
            case Number(-1.0), _:
                return Call("neg", (x,))
            case factor, _:
                return Call("mul", (factor, x))

    def negative(self, e: Entrywise) -> Entrywise:
        return self.scaled(MINUS, e)

    def mul(self, a: Entrywise, b: Entrywise) -> Entrywise:
        (s, x), (r, y) = self.split(a), self.split(b)
        return self.scaled(product(s, r), self.beside(x, y))

    def beside(self, x: Entrywise, y: Entrywise) -> Entrywise:
        """x y, both without a scalar in front."""
        match x, y:
            case (Number(1.0), other) | (other, Number(1.0)):
                return other
            case (u, Call("step", (v,))) | (Call("step", (v,)), u) if u == v:
                return Call("relu", (u,))
            case (u, Call("sign", (v,))) | (Call("sign", (v,)), u) if u == v:
                return Call("abs", (u,))
            case _, Call("div", (Number(1.0), z)):
                return self.div(x, z)
            case _:
                return Call("mul", (self.guarded(x, y), self.guarded(y, x)))

    def div(self, a: Entrywise, b: Entrywise) -> Entrywise:
        (s, x), (r, y) = self.split(a), self.split(b)
        if isinstance(y, Call) and y.fn == "div":
            return self.scaled(quotient(s, r), self.mul(x, Call("div", y.args[::-1])))
        return self.scaled(quotient(s, r), x if y == ONE else Call("div", (x, y)))

    def plus(self, args: Iterable[Entrywise]) -> Entrywise:
        kept = list(args)
        for a in list(kept):
            if isinstance(a, Call) and a.fn == "step":  # [u > 0] - [-u > 0] is the sign of u
                other = self.negative(Call("step", (self.negative(a.args[0]),)))
                if other in kept:
                    kept[kept.index(a)] = Call("sign", a.args)
                    kept.remove(other)
        total: Entrywise = ZERO
        for a in kept:
            total = added(total, a)
        return total

    def power(self, e: Entrywise, q: Fraction) -> Entrywise:
        match e, q:
            case Number(value), _ if value > 0:
                return Number(value ** float(q))
            case _ if q < 0:
                return self.div(ONE, self.power(e, -q))
            case _, 0:
                return ONE
            case _, 1:
                return e
            case _, 2:
                return Call("mul", (e, e))
            case _, 3:
                return Call("mul", (Call("mul", (e, e)), e))
            case _, Fraction(numerator=1, denominator=2):
                return Call("sqrt", (e,))
            case _:
                return Call("power", (e, Number(float(q))))

    def log(self, e: Entrywise) -> Entrywise:
        """Without overflow and without log 0, where e shows how."""
        match self.meant(e):
            case Call("div", (Call("exp", (u,)), below)):
                return self.plus((u, self.negative(Call("log", (below,)))))
            case Call("sigmoid", (z,)):
                return self.negative(Call("softplus", (self.negative(z),)))
            case Call("sub", (Number(1.0), other)):
                match self.meant(other):
                    case Call("sigmoid", (z,)):
                        return self.negative(Call("softplus", (z,)))
            case Call("add", (Number(1.0), Call("exp", (z,)))) | Call("add", (Call("exp", (z,)), Number(1.0))):
                return Call("softplus", (z,))
        return Call("log", (e,))

    def guarded(self, e: Entrywise, by: Entrywise) -> Entrywise:
        """e where it is multiplied with `by`: beside [u > 0] or 1 - [u > 0], e^u must not overflow where that is 0."""
        match by:
            case Call("step", (u,)):
                u = self.negative(u)
            case Call("sub", (Number(1.0), Call("step", (u,)))):
                pass
            case _:
                return e
        return replaced(e, Call("exp", (u,)), Call("exp", (Call("nonpositive", (u,)),)))


def added(a: Entrywise, b: Entrywise) -> Entrywise:
    match a, b:
        case (Number(0.0), other) | (other, Number(0.0)):
            return other
        case Number(x), Number(y):
            return Number(x + y)
        case (other, Call("neg", (x,))) | (Call("neg", (x,)), other):
            return Call("sub", (other, x))
        case _:
            return Call("add", (a, b))


def product(a: Entrywise, b: Entrywise) -> Entrywise:
    """Of scalars: one number in front, one division."""
    match a, b:
        case Number(x), Number(y):
            return Number(x * y)
        case (Number(1.0), other) | (other, Number(1.0)):
            return other
        case (Call("div", (above, below)), other) | (other, Call("div", (above, below))):
            return quotient(product(above, other), below)
        case _, Number():
            return product(b, a)
        case Number(x), Call("mul", (Number(y), other)):
            return product(Number(x * y), other)
        case _:
            return Call("mul", (a, b))


def quotient(a: Entrywise, b: Entrywise) -> Entrywise:
    """Of scalars."""
    match a, b:
        case Number(x), Number(y) if y:
            return Number(x / y)
        case _, Number(1.0):
            return a
        case Call("div", (above, below)), _:
            return quotient(above, product(below, b))
        case _, Call("div", (above, below)):
            return quotient(product(a, below), above)
        case _:
            return Call("div", (a, b))
