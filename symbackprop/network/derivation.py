"""Derivations: a list of lines (expression, reason), each proved equal to the one before.

`Draft` is how one is written; every line is checked by the kernel when it is added, and `finished` chains the lines
and checks the whole.  A line is an index term, or an entry of a matrix form (what is meant is the form).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from symbackprop.core.context import EMPTY, Context, Equation
from symbackprop.core.indices import Index, IndexExpr, ProofError, Size, SymbackpropError
from symbackprop.core.kernel import Flip, Linear, Proof, Rephrase, Seen, check
from symbackprop.core.matrix import ZERO_INDEX, Leaf, Matrix, entry, shape
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE,
    Add,
    Apply,
    Array,
    Entry,
    Mul,
    NonNegative,
    Num,
    Power,
    Sum,
    Term,
    add,
    free,
    predicate_key,
    subterms,
)  # fmt: skip
from symbackprop.prove.certified import certified
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.session import joined

from .rules import Rewrite, Rule, everywhere, repeated, unfolding, using


@dataclass(frozen=True, slots=True)
class At:
    """The entry of a matrix form at (row, column)."""

    form: Matrix
    row: IndexExpr
    column: IndexExpr

    @property
    def term(self) -> Term:
        return entry(self.form, self.row, self.column)


Expression: TypeAlias = Term | At
Setting: TypeAlias = tuple[tuple[Expression | Matrix, Expression | Matrix], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """An expression, why it equals the line before, and the proof of that (none for the first line)."""

    expression: Expression
    reason: str = ""
    proof: Proof | None = None

    @property
    def term(self) -> Term:
        return self.expression.term if isinstance(self.expression, At) else self.expression


@dataclass(frozen=True, slots=True)
class Claim:
    """lhs = rhs between matrix forms, entry by entry what the theorem says."""

    lhs: Matrix
    rhs: Matrix


@dataclass(frozen=True, slots=True)
class Derivation:
    """A theorem with the lines that lead to it.

    `setting` are definitions to show (array or form on the left, what it is on the right); `claim` is the compact
    form of the theorem, None where there is only the index form.  `kind` tells the theorems of a story apart.
    """

    name: str
    title: str
    about: str
    setting: Setting
    lines: tuple[Line, ...]
    claim: Claim | None
    context: Context
    proof: Proof
    theorem: Equation
    layout: str = "gradient"
    kind: str = ""

    @property
    def sizes(self) -> tuple[str, ...]:
        """The size symbols that the theorem is for all values of."""
        found: set[str] = set()
        for side in (self.theorem.lhs, self.theorem.rhs, *(d.body for d in self.context.definitions.values())):
            for i in free(side):
                found |= set(i.size.symbols)
            for s in subterms(side):
                match s:
                    case (Size() as n) | Sum(n):
                        found |= set(n.symbols)
        return tuple(sorted(found))


class Draft:
    """A derivation in the making: `rewrite` by a rule, or say the next line with `equal`."""

    def __init__(self, start: Expression, context: Context = EMPTY) -> None:
        self.context = context
        self.seen = Seen(context)
        self.lines: list[Line] = [Line(start)]

    @property
    def term(self) -> Term:
        return self.lines[-1].term

    def rewrite(self, rule: Rule, reason: str) -> Draft:
        """The next line by a rule, wherever it applies."""
        found = everywhere(self.term, rule, self.context)
        if found is None:
            raise SymbackpropError(f"line {len(self.lines)}: {reason!r} does not apply")
        return self.add(*found, reason)

    def equal(self, expression: Expression, reason: str) -> Draft:
        """The next line as said: proved by algebra, with definitions opened where that is needed."""
        target = expression.term if isinstance(expression, At) else expression
        proved = prove_step(self.term, target, self.context, self.seen)
        if proved is None:
            raise SymbackpropError(f"line {len(self.lines)}: {reason!r} was not proved")
        return self.add(expression, proved[0], reason, proved[1])

    def add(self, expression: Expression, proof: Proof, reason: str, found: Equation | None = None) -> Draft:
        """The next line with its proof, checked unless `check` has just returned the equation `found` for it."""
        line = Line(expression, reason, proof)
        found = check(proof, self.context, self.seen) if found is None else found
        if found.lhs != self.term or found.rhs != line.term:
            raise SymbackpropError(f"line {len(self.lines)}: {reason!r} proves another equation")
        self.lines.append(line)
        return self

    def finished(
        self,
        name: str,
        title: str,
        about: str = "",
        setting: Setting = (),
        claim: tuple[Matrix, Matrix] | None = None,
        layout: str = "gradient",
        kind: str = "",
    ) -> Derivation:
        """The derivation, its theorem checked as a whole; with a claim, also that the claim is what it says."""
        proofs = [line.proof for line in self.lines if line.proof is not None]
        proof, theorem = settled(joined(*proofs), self.context, self.seen)
        first, last = self.lines[0].term, self.lines[-1].term
        if theorem.lhs != first or theorem.rhs != last:
            raise SymbackpropError(f"{name}: the chain proves another equation")
        if claim is not None:
            require_same(name, claim, self.lines)
        return Derivation(
            name, title, about, setting, tuple(self.lines), Claim(*claim) if claim else None, self.context, proof,
            theorem, layout, kind,
        )  # fmt: skip


def require_same(name: str, claim: tuple[Matrix, Matrix], lines: Sequence[Line]) -> None:
    """The claim's two sides have one shape, and their entries are the first and the last line."""
    last = lines[-1].expression
    lhs, rhs = claim
    if shape(lhs) != shape(rhs):
        raise SymbackpropError(f"{name}: the sides of the claim have other shapes")
    if not isinstance(last, At) or last.form != rhs or entry(lhs, last.row, last.column) != lines[0].term:
        raise SymbackpropError(f"{name}: the claim is not what the lines prove")


def prove_step(lhs: Term, rhs: Term, context: Context, seen: Seen | None = None) -> tuple[Proof, Equation] | None:
    """lhs = rhs as sums of products; then with the definitions of arrays that only one side knows; then by search."""
    for proof in attempts(lhs, rhs, context):
        try:
            return proof, check(proof, context, seen)
        except ProofError:
            continue
    return prove_equal(lhs, rhs, context)


def attempts(lhs: Term, rhs: Term, context: Context) -> Iterator[Proof]:
    left, right = arrays(lhs), arrays(rhs)
    for which in (left ^ right, left | right):
        named = tuple(sorted((a for a in which if a in context.definitions), key=str))
        if not named:
            yield Linear(lhs, rhs)
        else:
            yield meeting(lhs, rhs, named, context)


def meeting(lhs: Term, rhs: Term, named: tuple[Array, ...], context: Context) -> Proof:
    """lhs = opened = opened' = rhs, with these arrays opened on both sides."""
    rule = repeated(unfolding(*named))
    opened, backwards = rule(lhs, context), rule(rhs, context)
    middle = Linear(opened[0] if opened else lhs, backwards[0] if backwards else rhs)
    proofs: list[Proof] = [*([opened[1]] if opened else []), middle, *([Flip(backwards[1])] if backwards else [])]
    return joined(*proofs)


def arrays(t: Term) -> set[Array]:
    return {s.array for s in subterms(t) if isinstance(s, Entry)}


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


def lemma(known: Derivation, lines: int = 0) -> Rule:
    """The theorem as a rule for later derivations in the same context; its first `lines` lines only, if given."""
    kept = known.lines[:lines] if lines else known.lines
    if not lines:
        return using(known.theorem, known.proof)
    proof = joined(*(line.proof for line in kept))
    return using(check(proof, known.context), proof)


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
