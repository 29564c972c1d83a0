"""Rules for one function at a time: its argument is in normal form, the result is again.

Each rule returns the new term and the proof, or None where it does not apply.
"""

from __future__ import annotations

from symbackprop.core.kernel import By, Proof
from symbackprop.core.laws.functions import EVEN, IN_EXPONENTIALS, ODD
from symbackprop.core.sums import Monomial
from symbackprop.core.terms import Apply, Holds, Positive, Power, Term, Whole, arguments

from ..normal_form.joined import Rewritten, joined
from ..normal_form.session import Session
from .exponentials import exp_of_log, log
from .inverses import taken_apart
from .parity import few_angles, parity, sum_of_angles
from .powers import power
from .products import without_one
from .splitting import by_cases, of_fraction
from .steps import step
from .whole_arrays import merged


def function(normal: Session, t: Term) -> Rewritten:
    """The first rule that applies to f(normal argument), and what becomes of its result."""
    (arg,) = arguments(t)
    found = rule(normal, t, arg, normal.run(arg).expand(arg))
    return (t, None) if found is None else settled(normal, *found)


def array_function(normal: Session, w: Whole) -> Rewritten:
    """The same for a function of a whole array."""
    found = taken_apart(w, normal) or without_one(w, normal) or merged(w, normal.names)
    return (w, None) if found is None else settled(normal, *found)


def settled(normal: Session, value: Term, law: Proof) -> Rewritten:
    final, rest = normal.inner(value)
    return final, joined(law, rest)


def rule(normal: Session, t: Term, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    cases = by_cases(t, arg, monomials)
    if cases is not None:
        return cases
    if (len(monomials) > 1 and isinstance(t, Power | Holds)) or (isinstance(t, Apply) and t.fn == "log"):
        fraction = of_fraction(normal, t, arg, monomials)
        if fraction is not None:
            return fraction
    match t:
        case Apply("exp", _, 0):
            return exp_of_log(t, monomials)
        case Apply("log", _, 0):
            return log(normal, arg, monomials)
        case Apply(fn, _, 0) if fn in IN_EXPONENTIALS and normal.way.exponentials:
            return IN_EXPONENTIALS[fn](arg), By("in_exponentials", (fn, arg))
        case Apply("sin" | "cos" as fn, _, 0) if few_angles(monomials):
            return sum_of_angles(fn, arg, monomials)
        case Apply(fn, _, 0) if fn in ODD | EVEN:
            return parity(fn, arg, monomials)
        case Power(_, q):
            return power(normal, arg, q, monomials)
        case Holds(Positive()):
            return step(normal, arg, monomials)
        case _:
            return None
