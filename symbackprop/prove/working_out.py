"""Every derivative in a claim replaced by its value, with proofs that the kernel has checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from symbackprop.core.context import Context, Equation
from symbackprop.core.indices import Index
from symbackprop.core.kernel import Chain, Inside, Proof, UnderDiff, UnderSum, UnderWhole, check
from symbackprop.core.terms import (
    Array,
    Diff,
    Sum,
    Term,
    Whole,
    arguments,
    bind,
    opened,
    opened_whole,
    over,
    rebuilt,
    subterms,
)

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
            case Sum(size, _, _):
                i = self.names.new(size)
                inner = self.of(opened(t, i))
                if inner.proof is None:
                    return Value(t)
                return Value(hinted(t, over(i, inner.term)), UnderSum(i, inner.proof))
            case Whole(fn, order, sizes, _, at, hints):
                axes: tuple[Index, ...] = tuple(self.names.new(s) for s in sizes)
                inner = self.of(opened_whole(t, axes))
                if inner.proof is None:
                    return Value(t)
                body = bind(axes, inner.term)
                return Value(Whole(fn, order, sizes, body, at, hints), UnderWhole(fn, order, axes, at, inner.proof))
            case _:
                parts = [self.of(p) for p in arguments(t)]
                changed = tuple((k, p.proof) for k, p in enumerate(parts) if p.proof is not None)
                if not changed:
                    return Value(t)
                return Value(rebuilt(t, tuple(p.term for p in parts)), Inside(t, changed))

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


def hinted(old: Sum, new: Term) -> Term:
    """The dummy keeps the letter that was written."""
    return Sum(new.size, new.body, old.hint) if isinstance(new, Sum) else new


def has_derivative(t: Term) -> bool:
    return any(isinstance(s, Diff) for s in subterms(t))
