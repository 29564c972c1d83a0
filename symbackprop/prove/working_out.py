"""Every derivative in a claim replaced by its value, with proofs that the kernel has checked; formulas for repairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from symbackprop.core.context import Context, Equation
from symbackprop.core.indices import Index, IndexExpr, Size, affine, as_affine
from symbackprop.core.kernel import Chain, Proof, UnderDiff, check
from symbackprop.core.signs import within
from symbackprop.core.terms import (
    ONE, ZERO, Add, Array, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Ordinal, Power, ProofError, Sum, Term, add,
    free, map_opened, mul, open_body, over, substitute, subterms,
)  # fmt: skip
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.equality import without_derivatives
from symbackprop.prove.matching import Rewritten, in_parts
from symbackprop.prove.normal_form.normal import Normal
from symbackprop.prove.normal_form.session import FAILED
from symbackprop.prove.rewriting import everywhere, folding


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


# --- worked-out derivatives made readable: deltas contracted, zeros dropped, factors moved out of sums ---
# What comes out is proved afterwards like any other claim, so nothing here is trusted.


class Tidy:
    """Hands out new dummies."""

    def __init__(self) -> None:
        self.count = 0

    def new(self, size: Size) -> Index:
        self.count += 1
        return Index(f"tidy#{self.count}", size)

    def __call__(self, t: Term) -> Term:
        match t:
            case Delta(i, j):
                return ONE if i == j else t
            case Add(args):
                return total([self(a) for a in args])
            case Mul(args):
                return product([self(a) for a in args])
            case Power(base, q):
                inner = self(base)
                if q == 1 or inner == ONE:
                    return inner
                if isinstance(inner, Power) and (inner.exponent.denominator > 1 or q.denominator == 1):
                    return power(inner.base, inner.exponent * q)
                return Power(inner, q)
            case Sum(size, body, _):
                i = self.new(size)
                return self.summed(i, self(open_body(body, (i,))))
            case _:
                return map_opened(t, self, self.new)

    def summed(self, i: Index, body: Term) -> Term:
        """Σ_i body"""
        if i not in free(body):
            return product([i.size, body])
        if isinstance(body, Add) and has_delta(body, i):
            return total([self.summed(i, a) for a in body.args])
        factors = list(body.args) if isinstance(body, Mul) else [body]
        for k, f in enumerate(factors):
            value = solved(f, i) if isinstance(f, Delta) else None
            if value is not None:
                rest = [substitute(x, {i: value}) for x in (*factors[:k], *factors[k + 1 :])]
                if not within(value, i.size):
                    rest += [Holds(NonNegative(e)) for e in (value, affine(i.size - 1, ((value, -1),)))]
                return self(product(rest))
        for k, f in enumerate(factors):
            if isinstance(f, Add) and has_delta(f, i):
                return total([self.summed(i, product([*factors[:k], a, *factors[k + 1 :]])) for a in f.args])
        outside = [f for f in factors if i not in free(f)]
        inside = [f for f in factors if i in free(f)]
        return product([*outside, over(i, mul(*inside))])


def has_delta(t: Term, i: Index) -> bool:
    """A delta with i in a product of t or of one of its sums."""
    match t:
        case Delta():
            return i in free(t)
        case Add(args) | Mul(args):
            return any(has_delta(a, i) for a in args)
        case _:
            return False


def solved(d: Delta, i: Index) -> IndexExpr | None:
    """The value of i where the delta is 1."""
    constant, parts = as_affine(affine(0, ((d.i, 1), (d.j, -1))))
    mine = [k for a, k in parts if a == i]
    others = [(a, k) for a, k in parts if a != i]
    if len(mine) != 1 or mine[0].constant not in (1, -1) or any(i in free(Ordinal(a)) for a, _ in others):
        return None
    sign = mine[0].constant
    return affine(constant * -sign, [(a, k * -sign) for a, k in others])


def product(factors: list[Term]) -> Term:
    c, rest = Fraction(1), list[Term]()
    for f in factors:
        for x in f.args if isinstance(f, Mul) else (f,):
            if isinstance(x, Num):
                c *= x.value
            else:
                rest.append(x)
    if c == 0:
        return ZERO
    rest = merged(rest)
    if len(rest) == 1 and isinstance(rest[0], Add) and c == -1:
        return total([product([Num(c), a]) for a in rest[0].args])
    return mul(*([Num(c)] if c != 1 else []), *rest)


def merged(factors: list[Term]) -> list[Term]:
    """b^p b^q as b^{p+q}, where both exponents have one sign."""
    found: dict[tuple[Term, bool], Fraction] = {}
    for f in factors:
        base, q = (f.base, f.exponent) if isinstance(f, Power) else (f, Fraction(1))
        if isinstance(f, Delta | Holds):
            found[f, True] = Fraction(1)  # b^2 = b
        else:
            found[base, q > 0] = found.get((base, q > 0), Fraction(0)) + q
    return [power(base, q) for (base, _), q in found.items()]


def power(base: Term, q: Fraction) -> Term:
    return base if q == 1 else Power(base, q)


def total(parts: list[Term]) -> Term:
    found: dict[Term, Fraction] = {}
    for p in parts:
        for x in p.args if isinstance(p, Add) else (p,):
            c, rest = split(x)
            found[rest] = found.get(rest, Fraction(0)) + c
    return add(*(product([Num(c), rest]) for rest, c in found.items() if c))


def split(t: Term) -> tuple[Fraction, Term]:
    match t:
        case Num(value):
            return value, ONE
        case Mul((Num(value), *rest)):
            return value, mul(*rest)
        case _:
            return Fraction(1), t


def length(t: Term) -> int:
    """How much there is to read."""
    return len(subterms(t))
