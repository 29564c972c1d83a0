"""Every derivative in a claim replaced by its value, with proofs that the kernel has checked; formulas for repairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from symbackprop.core.context import Context, Equation
from symbackprop.core.kernel import Chain, Proof, UnderDiff, check
from symbackprop.core.terms import ZERO, Add, Array, Diff, Entry, Mul, Num, ProofError, Sum, Term, add, map_opened, mul
from symbackprop.prove.equality import without_derivatives
from symbackprop.prove.normal_form.normal import Normal
from symbackprop.prove.normal_form.session import FAILED
from symbackprop.prove.rewriting import everywhere, folding
from symbackprop.prove.tidying import Tidy, length
from symbackprop.prove.traversal import Rewritten, in_parts

from .differentiate import Names, differentiate


@dataclass(frozen=True, slots=True)
class CheckedEquation:
    """An equation with its proof, and the context that it was checked in."""

    equation: Equation
    proof: Proof = field(repr=False)
    context: Context = field(repr=False)


@dataclass(frozen=True, slots=True)
class Value:
    """The term without derivatives; `proof` that it equals the original, None where they are the same term."""

    term: Term
    proof: Proof | None = None


@dataclass(slots=True)
class WorkingOut:
    """`cut(u)` is the context without the definition of u.

    A derivative by u is worked out there.  Where that is not the whole context the proof of a term that holds the
    derivative says nothing: then `apart` is set, and only `theorems` count.
    """

    context: Context
    cut: Callable[[Array], Context]
    names: Names = field(default_factory=Names)
    theorems: dict[Diff, CheckedEquation] = field(default_factory=dict)
    apart: bool = False

    def of(self, t: Term) -> Value:
        """Raises ProofError where a law refuses a derivative."""
        match t:
            case Diff(body, wrt):
                inner = self.of(body)
                before = Diff(inner.term, wrt)
                theorem = self.theorem(before)
                proof = theorem.proof
                if inner.proof is not None:
                    proof = Chain(UnderDiff(wrt, inner.proof), (proof,))
                return Value(theorem.equation.rhs, proof)
            case _:
                return Value(*in_parts(t, self.rewritten, self.names.axes))

    def rewritten(self, t: Term) -> Rewritten:
        found = self.of(t)
        return found.term, found.proof

    def theorem(self, d: Diff) -> CheckedEquation:
        if d not in self.theorems:
            array = d.wrt.array
            context = self.cut(array)
            if array in self.context.definitions:
                self.apart = True
            _, proof = differentiate(d.body, d.wrt, context, self.names)
            equation: Equation = check(proof, context)
            assert equation.lhs == d
            self.theorems[d] = CheckedEquation(equation, proof, context)
        return self.theorems[d]


# --- formulas that prove nothing: for repairs --------------------------------------------------

WORTH = 1.6  # a formula in the forward's own words may be so much longer than its normal form


def derived(lhs: Term, context: Context) -> Term | None:
    """What a right-hand side should be: by the rules of differentiation, or in normal form if that is much shorter.

    None where no law applies.  What comes out is still to be proved.
    """
    try:
        names = Names()
        value, _ = without_derivatives(lhs, context, names)
    except (ProofError, RecursionError):
        return None
    found = Tidy()(value)
    try:
        normal = Normal(context, names)
        found = without_zeros(found, normal)
        reduced = normal.unfolded(normal.of(value)[0])[0]
        return found if length(found) <= WORTH * length(reduced) else reduced
    except FAILED:
        return found


def in_names(t: Term, context: Context) -> Term:
    """With the letters of definitions for what they stand for: p_k for e^{z_k} / Σ_j e^{z_j}.  It proves nothing."""
    for array, meaning in context.definitions.items():
        found = None if isinstance(meaning.body, Entry | Num) else everywhere(t, folding(array), context)
        t = t if found is None else found[0]
    return t


def without_zeros(t: Term, normal: Normal) -> Term:
    """The terms of a sum that are 0, such as those with Σ (x - mean) in them, left out."""
    match t:
        case Add(args):
            return add(*(without_zeros(a, normal) for a in args if normal.of(a)[0] != ZERO))
        case Mul(args):
            return mul(*(without_zeros(a, normal) for a in args))
        case Sum():
            return map_opened(t, lambda s: without_zeros(s, normal), normal.names.new)
        case _:
            return t
