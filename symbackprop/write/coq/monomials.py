"""Monomials c * Σ_{dummies} Π factors in Coq: their text, products, sums over a further dummy, combinations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple
from symbackprop.core.monomials import Monomial, canonical
from symbackprop.core.indices import Index, IndexExpr, Size, affine
from symbackprop.core.terms import (
    Add, Apply, Delta, Holds, Mul, Positive, Power, Sum, Term, Whole, arguments, index_key, key, open_body, over,
    rebuilt, substitute, whole,
)  # fmt: skip
from symbackprop.write.coq.vocabulary import DEFINED, Vocabulary, inner, outer, same_entries


F1 = Fraction(1)
SAME = "erefl"
Factors = tuple[tuple[Term, Fraction], ...]


class Mono(NamedTuple):
    c: Fraction
    dummies: tuple[Index, ...]
    factors: Factors


class Rewritten(NamedTuple):
    """What something is equal to, and why."""

    monos: list[Mono]
    proof: str


class Monomials:
    def __init__(self, words: Vocabulary) -> None:
        self.words = words
        self.canonical = Canonical(words)
        self.count = 0

    def new(self, size: Size) -> Index:
        self.count += 1
        return outer(1000 + self.count, size)

    # --- texts ---------------------------------------------------------------------------------

    def factor(self, f: tuple[Term, Fraction]) -> str:
        return self.words.text(f[0] if f[1] == 1 else Power(*f))

    def factors(self, fs: Factors) -> str:
        return listed([self.factor(f) for f in fs])

    def body(self, fs: Factors) -> str:
        return f"(mulf {self.factors(fs)})"

    def sum(self, m: Mono) -> str:
        return self.over(m.dummies, self.body(m.factors))

    def over(self, dummies: Sequence[Index], text: str) -> str:
        for d in reversed(dummies):
            text = f"(Sum {self.words.size(d.size)} (fun {self.words.index(d)} => {text}))"
        return text

    def lin(self, monos: Sequence[Mono]) -> str:
        pairs = [f"({self.words.rational(m.c)}, {self.sum(m)})" for m in monos]
        return f"(lin {listed(pairs, '(prod frac R)')})"

    def number_power(self, c: Fraction, q: Fraction) -> str:
        """The proof of c^q = the number that it is, for an integer q; 0^q is 0."""
        d = c ** int(q) if c or q > 0 else c
        return f"(@pw_qr R {self.words.rational(c)} ({q})%Z {self.words.rational(d)} erefl)"

    def numbered(self, pairs: Sequence[tuple[Fraction, int]]) -> str:
        """Coefficients with the number of a sum each."""
        return listed([f"({self.words.rational(c)}, {k}%N)" for c, k in pairs], "(prod frac nat)")

    # --- proofs --------------------------------------------------------------------------------

    def bound(self, d: Index) -> str:
        return f"fun {self.words.bound(d)} =>"

    def under(self, dummies: Sequence[Index], proof: str) -> str:
        for d in reversed(dummies):
            proof = f"(Sum_ext ({self.bound(d)} {proof}))"
        return proof

    def same(self, m: Mono, dummies: tuple[Index, ...], factors: Factors, proof: str) -> Rewritten:
        """From a proof that the sum of m is the sum of the new one."""
        new = Mono(F1, dummies, factors)
        there = self.sum(new)
        return Rewritten([new], f"(etrans ({proof} : {self.sum(m)} = {there}) (lin_of {there}))")

    def product(self, a: Sequence[Mono], b: Sequence[Mono]) -> Rewritten:
        """lin a * lin b = lin of the products."""
        out: list[Mono] = []
        rows = []
        for m in a:
            row, proof = [], f"(row_nil {self.sum(m)})"
            for n in reversed(b):
                row.append(Mono(m.c * n.c, m.dummies + n.dummies, m.factors + n.factors))
                proof = f"(row_cons {self.words.rational(n.c)} {self.times(m, n)} {proof})"
            out += reversed(row)
            rows.append((m, proof))
        total = f"(mul_nil {listed([f'({self.words.rational(n.c)}, {self.sum(n)})' for n in b], '(prod frac R)')})"
        for m, proof in reversed(rows):
            total = f"(mul_cons {self.words.rational(m.c)} {proof} {total})"
        return Rewritten(out, f"({total} : {self.lin(a)} * {self.lin(b)} = {self.lin(out)})")

    def times(self, a: Mono, b: Mono) -> str:
        """The proof that the product of two sums is a sum of products."""
        proof = f"(mulf_cat {self.factors(a.factors)} {self.factors(b.factors)})"
        for d in reversed(b.dummies):
            proof = f"(mulSr ({self.bound(d)} {proof}))"
        for d in reversed(a.dummies):
            proof = f"(mulSl ({self.bound(d)} {proof}))"
        both_sums = Mono(F1, a.dummies + b.dummies, a.factors + b.factors)
        return f"({proof} : {self.sum(a)} * {self.sum(b)} = {self.sum(both_sums)})"

    def summed(self, d: Index, body: str, found: Rewritten) -> Rewritten:
        """From body = lin monos: Σ_d body = lin of the sums."""
        out = [m._replace(dummies=(d, *m.dummies)) for m in found.monos]
        proof = f"(sum_nil R {self.words.size(d.size)})"
        for _ in found.monos:
            proof = f"(sum_cons _ _ {proof})"
        n = self.words.size(d.size)
        middle = f"Sum {n} (fun {self.words.index(d)} => {self.lin(found.monos)})"
        ext = f"(Sum_ext ({self.bound(d)} {found.proof}) : {self.over((d,), body)} = {middle})"
        return Rewritten(out, f"(etrans {ext} ({proof} : {middle} = {self.lin(out)}))")

    def replaced(self, monos: Sequence[Mono], found: Sequence[Rewritten | None]) -> Rewritten:
        """lin monos = lin of what each of them is equal to."""
        out: list[Mono] = []
        proof = f"(erefl : {self.lin([])} = {self.lin([])})"
        for m, r in reversed(list(zip(monos, found, strict=True))):
            if r is None:
                out.insert(0, m)
                proof = f"(head_same {self.words.rational(m.c)} erefl {proof})"
            else:
                out[:0] = [x._replace(c=m.c * x.c) for x in r.monos]
                proof = f"(head_lin {self.words.rational(m.c)} {r.proof} {proof})"
        if all(r is None for r in found):
            return Rewritten(list(monos), SAME)
        return Rewritten(out, f"({proof} : {self.lin(monos)} = {self.lin(out)})")

    # --- orders --------------------------------------------------------------------------------

    def permuted(self, factors: Factors, order: Sequence[int]) -> tuple[Factors, str]:
        """The factors in another order, with mulf old = mulf new."""
        new = tuple(factors[k] for k in order)
        proof = f"(@mulf_perm R {numbers(order)} {self.factors(factors)} erefl)"
        return new, f"({proof} : {self.body(factors)} = {self.body(new)})"

    def swaps(self, dummies: tuple[Index, ...], order: tuple[Index, ...]) -> Iterator[tuple[int, tuple[Index, ...]]]:
        """Neighbours to exchange, one after the other, and the dummies then."""
        now = list(dummies)
        for place, d in enumerate(order):
            for k in range(now.index(d), place, -1):
                now[k - 1], now[k] = now[k], now[k - 1]
                yield k - 1, tuple(now)

    def reordered(self, m: Mono, order: tuple[Index, ...]) -> str | None:
        """The sum of m is the sum with its dummies in this order."""
        proof: str | None = None
        dummies, body = m.dummies, self.body(m.factors)
        for k, after in self.swaps(m.dummies, order):
            step = self.under(dummies[:k], "(Sum_exch _ _ _)")
            proof = both(proof, f"({step} : {self.over(dummies, body)} = {self.over(after, body)})")
            dummies = after
        return proof

    def arranged(self, factors: Factors) -> tuple[Factors, str | None]:
        """Each factor and their order canonical."""
        found = [self.canonical.of(b) for b, _ in factors]
        new = tuple((b, e) for (b, _), (_, e) in zip(found, factors, strict=True))
        proof: str | None = None
        if any(p for _, p in found):
            parts = [
                p if p is None or e == 1 else f"(f_equal (fun x => pw x {self.words.rational(e)}) {p})"
                for (_, p), (_, e) in zip(found, factors, strict=True)
            ]
            proof = f"(@f_equal _ _ (@mulf R) {self.factors(factors)} {self.factors(new)} {congruent(parts)})"
            proof = equal(proof, self.body(factors), self.body(new))
        order = sorted(range(len(new)), key=lambda k: (key(new[k][0]), new[k][1]))
        if order != sorted(order):
            new, moved = self.permuted(new, order)
            proof = both(proof, moved)
        return new, proof

    def settled(self, m: Mono) -> tuple[Mono, str | None]:
        """The monomial with dummies of standard names in standard order: equal ones are the same text."""
        order = canonical(Monomial(m.c, m.dummies, m.factors))[1]
        proof = self.reordered(m, order)
        names = {d: outer(100 + k, d.size) for k, d in enumerate(order)}
        new = tuple((substitute(b, dict(names)), e) for b, e in m.factors)
        factors, arranged = self.arranged(new)
        said = {self.words.index(d): self.words.index(name) for d, name in names.items()}
        text = re.sub(r"\bk\d+\b", lambda k: said.get(k[0], k[0]), self.factors(m.factors))
        if text != self.factors(new):  # sums of indices are written in another order
            same = equal("ltac:(reindexed)", f"(mulf {text})", self.body(new))
            arranged = both(same, arranged)
        dummies = tuple(names[d] for d in order)
        if arranged is not None:
            inside = self.under(dummies, arranged)
            before, after = self.over(dummies, f"(mulf {text})"), self.over(dummies, self.body(factors))
            proof = both(proof, f"({inside} : {before} = {after})")
        return Mono(m.c, dummies, factors), proof

    def collected(self, monos: Sequence[Mono]) -> Rewritten:
        """Like monomials added: lin monos = lin of the sums of their coefficients."""
        found = [self.settled(m) for m in monos]
        same = [
            None if p is None else Rewritten([m._replace(c=F1)], f"(etrans {p} (lin_of {self.sum(m)}))")
            for m, p in found
        ]
        here = [m if s is None else o for (m, _), s, o in zip(found, same, monos, strict=True)]
        proof = self.replaced(here, same).proof
        texts = list(dict.fromkeys(self.sum(m) for m, _ in found))
        place = [texts.index(self.sum(m)) for m, _ in found]
        first = {k: m for (m, _), k in reversed(list(zip(found, place, strict=True)))}
        total = {k: sum((m.c for (m, _), j in zip(found, place, strict=True) if j == k), Fraction(0)) for k in first}
        out = [first[k]._replace(c=total[k]) for k in range(len(texts)) if total[k]]
        named = [(m.c, k) for (m, _), k in zip(found, place, strict=True)]
        kept = [(total[k], k) for k in range(len(texts)) if total[k]]
        settled = [m for m, _ in found]
        if proof == SAME and out == [m for m, _ in found]:
            return Rewritten(out, SAME)
        last = f"(@lin_collect R {listed(texts)} {self.numbered(named)} {self.numbered(kept)} erefl)"
        last = equal(last, self.lin(settled), self.lin(out))
        return Rewritten(out, last if proof == SAME else f"(etrans {proof} {last})")


# --- terms in an order of their own: equal terms up to the order of sums and products become the same text ---


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
