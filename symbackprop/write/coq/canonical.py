"""Terms in an order of their own: equal terms up to the order of sums and products become the same text."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.indices import Index, IndexExpr, affine
from ...core.terms import (
    Add, Apply, Delta, Holds, Mul, Positive, Power, Sum, Term, Whole, arguments, index_key, key, open_body, over,
    rebuilt, whole,
)  # fmt: skip
from .vocabulary import DEFINED, Vocabulary, inner, same_entries

Proof = str | None  # None: both sides are the same text
ZERO_INDEX = affine(0, ())


def both(first: Proof, then: Proof) -> Proof:
    if first is None or then is None:
        return first or then
    return f"(etrans {first} {then})"


def shown(proof: Proof) -> str:
    return proof or "erefl"


def equal(proof: str, lhs: str, rhs: str) -> str:
    """The proof with its statement written out."""
    return f"({proof} : {lhs} = {rhs})"


def listed(texts: Sequence[str], kind: str = "R") -> str:
    return f"[:: {'; '.join(texts)}]" if texts else f"(@nil {kind})"


def congruent(proofs: Sequence[Proof]) -> str:
    out = "erefl"
    for p in reversed(proofs):
        out = f"(cons_eq {shown(p)} {out})"
    return out


def numbers(order: Sequence[int]) -> str:
    return "[:: " + "; ".join(f"{k}%N" for k in order) + "]"


class Canonical:
    def __init__(self, words: Vocabulary) -> None:
        self.words = words

    def of(self, t: Term, depth: int = 0) -> tuple[Term, Proof]:
        """The term in canonical order, and a proof that it is the same number."""
        new, proof = self.rewritten(t, depth)
        if proof is None:
            return t, None
        return new, f"({proof} : {self.words.text(t, depth)} = {self.words.text(new, depth)})"

    def rewritten(self, t: Term, depth: int) -> tuple[Term, Proof]:
        match t:
            case Add(args) | Mul(args):
                return self.arranged(t, args, depth)
            case Power() | Apply() | Holds(Positive()):
                (new, p) = self.of(arguments(t)[0], depth)
                return rebuilt(t, (new,)), self.inside(t, (new,), [p], depth)
            case Sum(size, body, _):
                i = inner(depth, size)
                new, p = self.of(open_body(body, (i,)), depth + 1)
                return over(i, new), p and f"(Sum_ext (fun {self.words.bound(i)} => {p}))"
            case Whole(fn, order, sizes, body, at, _):
                axes = tuple(inner(depth + d, s) for d, s in enumerate(sizes))
                new, p = self.of(open_body(body, axes), depth + len(axes))
                if p is None:
                    return t, None
                return whole(fn, order, axes, new, at), self.under_loss(t, axes, at, p)
            case Delta(i, j):
                d = affine(0, ((i, 1), (j, -1)))
                back = affine(0, ((j, 1), (i, -1)))
                d = min(d, back, key=index_key)
                same = (d, ZERO_INDEX) == (i, j)
                return Delta(d, ZERO_INDEX), None if same else self.moved_to(i, j, d)
            case _:
                return t, None

    def moved_to(self, i: IndexExpr, j: IndexExpr, d: IndexExpr) -> str:
        return f"(@delta_eq R {self.words.at(i)} {self.words.at(j)} {self.words.at(d)} ltac:(index))"

    def under_loss(self, w: Whole, axes: tuple[Index, ...], at: tuple[IndexExpr, ...], p: str) -> str:
        """An unknown function of an array looks at the entries inside the array only, which is a hypothesis."""
        words = self.words
        equal = f"(fun {words.bound(*axes)} => {p})" if axes else p
        if w.fn in DEFINED:
            return same_entries(w, words.size(w.sizes[0]), [words.at(e) for e in at], equal)
        return f"({' '.join([f'E{words.loss(w)}', '_', '_', equal, *map(words.at, at)])})"

    def inside(self, t: Term, new: tuple[Term, ...], proofs: Sequence[Proof], depth: int = 0) -> Proof:
        """The term with other arguments, each equal to what it was."""
        if not any(proofs):
            return None
        match t:
            case Add(args) | Mul(args):
                lists = " ".join(listed([self.words.text(a, depth) for a in x]) for x in (args, new))
                return f"(@f_equal _ _ (@{fold(t)} R) {lists} {congruent(proofs)})"
            case Power(_, q):
                return f"(f_equal (fun x => pw x {self.words.rational(q)}) {proofs[0]})"
            case Apply(fn, _, order):
                return f"(f_equal (fun x : R => {self.words.function(fn, order)} x) {proofs[0]})"
            case _:
                return f"(f_equal (@step R) {proofs[0]})"

    def arranged(self, t: Term, args: tuple[Term, ...], depth: int) -> tuple[Term, Proof]:
        if not args:
            return t, None
        found = [self.of(a, depth) for a in args]
        order = sorted(range(len(args)), key=lambda k: key(found[k][0]))
        middle = tuple(a for a, _ in found)
        one = self.inside(t, middle, [p for _, p in found], depth)
        if order == sorted(order):
            return rebuilt(t, middle), one
        texts = listed([self.words.text(a, depth) for a in middle])
        perm = f"(@{fold(t)}_perm R {numbers(order)} {texts} erefl)"
        return rebuilt(t, tuple(middle[k] for k in order)), both(one, perm)


def fold(t: Term) -> str:
    return "addf" if isinstance(t, Add) else "mulf"
