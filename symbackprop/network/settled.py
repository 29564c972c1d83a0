"""What a matrix form says of an array, and theorems whose conditions are settled as far as definitions show."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.context import Context, Equation
from symbackprop.core.indices import Index
from symbackprop.core.kernel import Proof, Rephrase, Seen, check
from symbackprop.core.matrix import ZERO_INDEX, Leaf, Matrix, entry
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ONE, Add, Apply, Array, Mul, NonNegative, Num, Power, Term, add, predicate_key
from symbackprop.prove.certified import certified
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.rewriting import Rewrite, everywhere, unfolding


def settled(proof: Proof, context: Context, seen: Seen | None = None) -> tuple[Proof, Equation]:
    """The theorem, with conditions on defined entries restated on what they stand for where that shows that they hold.

    `seen` may know parts of the proof already; the theorem returned has been checked by the independent checker.
    """
    work = Seen(context) if seen is None else seen
    theorem = check(proof, context, work)
    best = proof, theorem
    for _ in range(ROUNDS):
        parts = []
        for condition in sorted(theorem.conditions, key=predicate_key):
            if isinstance(condition, NonNegative):
                continue
            found = complement(condition.term) or everywhere(condition.term, unfolding(), context)
            if found is not None:
                parts.append((condition, found[1]))
        if not parts:
            break
        proof = Rephrase(proof, tuple(parts))
        theorem = check(proof, context, work)
        if len(theorem.conditions) < len(best[1].conditions):
            best = proof, theorem
    return best[0], certified(best[0], context, best[1])


ROUNDS = 2  # of restating: a definition opened, then what that shows


def complement(t: Term) -> Rewrite | None:
    """1 - σ(u) = 1/(1 + e^u), which is positive."""
    match t:
        case Add((Num() as one, Mul((Num(minus), Apply("sigmoid", u, 0))))) if one == ONE and minus == -1:
            value = Power(add(ONE, Apply("exp", u)), Fraction(-1))
            found = prove_equal(t, value)
            return None if found is None else (value, found[0])
    return None


def definition(leaf: Leaf, form: Matrix) -> tuple[Array, Tensor]:
    """The array, defined by the entries of the form."""
    rows, columns = (Index(letter, n) for letter, n in zip("rc", leaf.shape, strict=True))
    match leaf.kind:
        case "matrix":
            return leaf.array, Tensor((rows, columns), entry(form, rows, columns))
        case "column":
            return leaf.array, Tensor((rows,), entry(form, rows, ZERO_INDEX))
        case "row":
            return leaf.array, Tensor((columns,), entry(form, ZERO_INDEX, columns))
        case _:
            return leaf.array, Tensor((), entry(form, ZERO_INDEX, ZERO_INDEX))
