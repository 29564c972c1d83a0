"""Where a term is a smooth function of the variables that move.

∂(f + g)/∂w = ∂f/∂w + ∂g/∂w needs f and g to have derivatives: at x = 0 the function x = x[x>0] + x[-x>0] has one
and its parts have none.  So every law of differentiation, and every equation used under a derivative, gets the
conditions found here.  They are open: where they hold, they hold in a neighbourhood.
"""

from __future__ import annotations

from typing import assert_never

from .context import Context, Hypothesis, apart, terms_of
from .indices import ProofError, Size
from .laws.functions import DERIVATIVES
from .tensor import fresh_axes
from .terms import (
    Add, Apply, Array, Delta, Diff, Entry, Holds, Mul, NonNegative, Nonzero, Num, Ordinal, Positive, Power, Predicate,
    Sum, Term, Whole, arrays, of_same, open_body, require,
)  # fmt: skip

NONE: frozenset[Predicate] = frozenset()
Moving = frozenset[Array]


class Smoothness:
    """Conditions of smoothness under one context; remembers them."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.known: dict[tuple[Term, Moving], frozenset[Predicate]] = {}

    def moves(self, t: Term, moving: Moving) -> bool:
        """Whether a variable that moves may occur in `t`, or in a definition that `t` rests on."""
        inside = {b for a in arrays(t) for b in self.context.behind(a)}
        return not all(apart(b, m, self.context.least) for b in inside for m in moving)

    def of(self, t: Term, moving: Moving) -> frozenset[Predicate]:
        """Conditions under which `t` is smooth in all entries of the arrays that move, the others at rest."""
        if (t, moving) not in self.known:
            self.known[t, moving] = self.needs(t, moving) if self.moves(t, moving) else NONE
        return self.known[t, moving]

    def needs(self, t: Term, moving: Moving) -> frozenset[Predicate]:
        match t:
            case Num() | Size() | Ordinal() | Delta():
                return NONE
            case Entry(array, at):
                return self.all(tuple(m.at(*at) for m in self.context.meanings(array)), moving)
            case Add(args) | Mul(args):
                return self.all(args, moving)
            case Power(base, q):
                root = frozenset({Positive(base)}) if q.denominator > 1 else frozenset[Predicate]()
                return self.of(base, moving) | (root or (frozenset({Nonzero(base)}) if q < 0 else NONE))
            case Apply(fn, arg, _):
                return self.of(arg, moving) | (DERIVATIVES[fn](arg)[1] if fn in DERIVATIVES else NONE)
            case Holds(p):
                return NONE if isinstance(p, NonNegative) else self.of(p.term, moving) | {Nonzero(p.term)}
            case Sum(size, body, _):
                return self.of(open_body(body, fresh_axes((size,), body)), moving)
            case Diff(body, wrt):
                return self.of(body, moving | {wrt.array})
            case Whole(fn, _, sizes, body, _, _):
                inside = self.of(open_body(body, fresh_axes(sizes, body)), moving)
                match fn:
                    case "gap" | "min" | "pinv":
                        raise ProofError(f"no law differentiates {fn}")
                    case "max" | "argmax":
                        return inside | {Positive(of_same("gap", t))}
                    case "inv":
                        return inside | {Nonzero(of_same("det", t))}
                    case _:
                        return inside
            case _:
                assert_never(t)

    def all(self, args: tuple[Term, ...], moving: Moving) -> frozenset[Predicate]:
        return NONE.union(*(self.of(a, moving) for a in args))

    def around(self, p: Hypothesis, wrt: Array) -> frozenset[Predicate]:
        """What makes `p`, where it holds, hold in a neighbourhood when `wrt` moves.  Refuses equations and >=."""
        moving = frozenset({wrt})
        if not any(self.moves(t, moving) for t in terms_of(p)):
            return NONE
        require(isinstance(p, Positive | Nonzero), "{} holds on a set that need not be open, under ∂/∂{}", p, wrt)
        assert isinstance(p, Positive | Nonzero)
        match p.term:
            case Whole("gap", _, sizes, body, _, _):  # continuous, though without a derivative
                return self.of(open_body(body, fresh_axes(sizes, body)), moving)
            case _:
                return self.of(p.term, moving)
