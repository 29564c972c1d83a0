"""Another way to write a computation, for which the laws of differentiation need less.

`np.where(x > 0, np.sqrt(x), 0)` is [x > 0] √x, and the law for the root needs x > 0.  But it is also
[x > 0] √(x [x > 0] + 1 - [x > 0]), whose root is of something positive everywhere, and steps of steps such as
relu(relu(x)) have a normal form without them.
"""

from __future__ import annotations

from symbackprop.core.context import Context
from symbackprop.core.terms import (
    ONE, Add, Apply, Delta, Holds, Mul, Positive, Power, ProofError, Sum, Term, add, map_opened, map_parts, mul, sub,
    subterms,
)  # fmt: skip

from ..normal_form.normal import Normal
from ..normal_form.session import TooLarge
from ..rules.steps import diagonal


def simpler_forward(loss: Term, context: Context) -> Term | None:
    """The normal form of the loss with its guarded functions made safe; None where that is nothing new."""
    if not any(isinstance(s, Holds) for s in subterms(loss)):
        return None
    try:
        normal = Normal(context)
        value = normal.unfolded(normal.of(loss)[0])[0]
    except (ProofError, TooLarge, RecursionError):
        return None
    return safe(off_diagonals(value, normal))


def off_diagonals(t: Term, normal: Normal) -> Term:
    """[x_i - x_j > 0] as [x_i - x_j + δ_ij > 0] - δ_ij: where i = j nothing can be on its kink."""
    match t:
        case Add() | Mul() | Sum():
            return map_opened(t, lambda s: off_diagonals(s, normal), normal.names.new)
        case Holds(Positive(u)):
            places = diagonal(normal, u)
            return t if places is None else sub(Holds(Positive(add(u, Delta(*places)))), Delta(*places))
        case _:
            return t


def safe(t: Term, guards: tuple[Holds, ...] = ()) -> Term:
    """h f(u) as h f(h u + 1 - h), for roots, logarithms and quotients beside a step h."""
    match t:
        case Add() | Sum():
            return map_opened(t, lambda s: safe(s, guards))
        case Mul(args):
            own = tuple(a for a in args if isinstance(a, Holds) and isinstance(a.predicate, Positive))
            return Mul(tuple(a if a in own else safe(a, (*guards, *own)) for a in args))
        case Power(base, q) if guards and (q.denominator > 1 or q < 0):
            return Power(guarded(safe(base), guards), q)
        case Apply("log" as fn, arg, order) if guards:
            return Apply(fn, guarded(safe(arg), guards), order)
        case Power() | Apply():
            return map_parts(t, safe)
        case _:
            return t


def guarded(u: Term, guards: tuple[Holds, ...]) -> Term:
    h = mul(*guards)
    return add(mul(h, u), sub(ONE, h))
