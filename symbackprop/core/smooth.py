"""Where a term is a smooth function of the variables that move.

∂(f + g)/∂w = ∂f/∂w + ∂g/∂w needs f and g to have derivatives: at x = 0 the function x = x[x>0] + x[-x>0] has one
and its parts have none.  So every law of differentiation, and every equation used under a derivative, gets the
conditions found here.  They are open: where they hold, they hold in a neighbourhood.
"""

from __future__ import annotations

from .context import Context, Hypothesis, apart, terms_of
from .indices import ProofError
from .instances import anywhere
from .laws.functions import DERIVATIVES
from .terms import (
    Apply, Array, Diff, Entry, Holds, Nonzero, Positive, Power, Predicate, Sum, Term, Whole, arguments, arrays, of_same,
    require, body_of,
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

    def concerns(self, h: Hypothesis, moving: Moving) -> bool:
        return any(self.moves(t, moving) for t in terms_of(h))

    def of(self, t: Term, moving: Moving) -> frozenset[Predicate]:
        """Conditions under which `t` is smooth in all entries of the arrays that move, the others at rest."""
        if (t, moving) not in self.known:
            self.known[t, moving] = self.needs(t, moving) if self.moves(t, moving) else NONE
        return self.known[t, moving]

    def needs(self, t: Term, moving: Moving) -> frozenset[Predicate]:
        own, inner = NONE, arguments(t)
        match t:
            case Entry(array, at):
                inner = tuple(anywhere(m, at) for m in self.context.meanings(array))
            case Power(base, q) if q.denominator > 1:
                own = frozenset({Positive(base)})
            case Power(base, q) if q < 0:
                own = frozenset({Nonzero(base)})
            case Apply(fn, arg, _) if fn in DERIVATIVES:
                own = DERIVATIVES[fn](arg)[1]
            case Holds(Positive(u)):
                own = frozenset({Nonzero(u)})
            case Diff(body, wrt):
                return self.of(body, moving | {wrt.array})
            case Whole("gap" | "min" | "pinv"):
                raise ProofError(f"no law differentiates {t.fn}")
            case Whole("max" | "argmax"):
                own, inner = frozenset({Positive(of_same("gap", t))}), (body_of(t),)
            case Whole("inv"):
                own, inner = frozenset({Nonzero(of_same("det", t))}), (body_of(t),)
            case Sum() | Whole():
                inner = (body_of(t),)
            case _:
                pass
        return own.union(*(self.of(s, moving) for s in inner))

    def around(self, p: Hypothesis, wrt: Array) -> frozenset[Predicate]:
        """What makes `p`, where it holds, hold in a neighbourhood when `wrt` moves.  Refuses equations and >=."""
        moving = frozenset({wrt})
        if not self.concerns(p, moving):
            return NONE
        require(isinstance(p, Positive | Nonzero), "{} holds on a set that need not be open, under ∂/∂{}", p, wrt)
        assert isinstance(p, Positive | Nonzero)
        gap = isinstance(p.term, Whole) and p.term.fn == "gap"  # continuous, though without a derivative
        return self.of(body_of(p.term) if gap else p.term, moving)  # type: ignore[arg-type]
