"""The steps of a certificate as lemmas of Coq, one after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, assert_never

from symbackprop.core.syntax import Tensor

from ...core.context import Context, Same
from ...core.indices import Index, IndexExpr
from ...core.laws.registry import instance
from ...core.proofs import (
    By, Chain, Digits, EveryDepth, Flip, Inside, Instance, Let, Proof, Rephrase, UnderDiff, UnderSum, UnderWhole,
    Values,
)  # fmt: skip
from ...core.proofs import (
    Linear as LinearStep,
)
from ...core.terms import Array, Diff, Entry, Term, arguments, free, over, rebuilt, substitute, whole
from . import laws
from symbackprop.write.coq.monomials import shown
from .linear import Linear
from .signs import Signs
from .slopes import Derivation, Slopes
from .vocabulary import NotAlike, NotExported, Vocabulary, inner

MOVED = re.compile(r"\bmoved\b")


def spaced(*words: str) -> str:
    return f"({' '.join(words)})"


@dataclass(frozen=True, slots=True)
class Lemma:
    """lhs = rhs, by a lemma of this name for all values of its indices; no name where both sides are the same."""

    name: str | None
    lhs: Term
    rhs: Term
    axes: tuple[Index, ...] = ()
    on_curve: bool = False  # it speaks of the curve that the variable moves on


class Steps:
    """`wrt` is the entry that the theorem is about the derivative by."""

    def __init__(self, words: Vocabulary, slopes: Slopes, signs: Signs, context: Context, wrt: Entry | None) -> None:
        self.words, self.slopes, self.signs, self.context, self.wrt = words, slopes, signs, context, wrt
        self.linear = Linear(words, signs.holds)
        self.given = laws.Given(words, self.linear)
        self.lemmas: list[str] = []
        self.names: dict[tuple[str, str], Lemma] = {}
        self.sections = 0
        self.known: dict[tuple[int, int], tuple[Proof, Lemma]] = {}
        self.kept: list[Context] = []

    def of(self, proof: Proof) -> Lemma:
        """The lemma that says what the proof proves."""
        place = id(proof), id(self.context)
        if place not in self.known:
            self.known[place] = proof, self.translated(proof)
        return self.known[place][1]

    def use(self, lemma: Lemma, scope: frozenset[Index], values: Mapping[Index, IndexExpr] | None = None) -> str:
        """The lemma where these indices are spoken of; any value will do for others."""
        if lemma.name is None:
            return "erefl"
        given = values or {}
        out = []
        for i in lemma.axes:
            if i in given:
                out.append(f"{self.words.at(given[i])} ltac:(index)")
            elif i in scope:
                out.append(f"{self.words.index(i)} {self.words.known(i)}")
            else:
                out.append("0%Z ltac:(index)")
        if lemma.on_curve:
            out.append("moved")
        return f"({' '.join([lemma.name, *out])})" if out else lemma.name

    def stated(self, lhs: Term, rhs: Term, proof: str) -> Lemma:
        left, right = self.words.text(lhs), self.words.text(rhs)
        if left == right or proof == "erefl":
            return Lemma(None, lhs, rhs)
        if (left, right) in self.names:
            known = self.names[left, right]  # an index that the text does not speak of may take any value
            return Lemma(known.name, lhs, rhs, known.axes, known.on_curve)
        axes, on_curve = free(lhs) | free(rhs), MOVED.search(proof) is not None
        if on_curve and self.wrt is not None:
            axes |= free(self.wrt)
        ordered = tuple(sorted(axes, key=lambda i: i.name))
        binders = "".join(f" {self.words.bound(i)}" for i in ordered)
        if on_curve and self.wrt is not None:
            binders += f" (moved : {self.words.moved(self.wrt)})"
        lemma = Lemma(f"p{len(self.lemmas)}", lhs, rhs, ordered, on_curve)
        self.names[left, right] = lemma
        self.lemmas.append(f"Lemma {lemma.name}{binders} :\n  {left} = {right}.\nProof. exact {proof}. Qed.")
        return lemma

    def translated(self, proof: Proof) -> Lemma:
        match proof:
            case By(law, args):
                return self.by(law, args)
            case Chain(first, rest):
                return self.chained([self.of(first), *map(self.of, rest)])
            case Flip(inner):
                lemma = self.of(inner)
                return self.stated(lemma.rhs, lemma.lhs, f"(esym {self.use(lemma, free(lemma.lhs) | free(lemma.rhs))})")
            case Inside(term, parts):
                return self.inside(term, [(k, self.of(p)) for k, p in parts])
            case UnderSum(i, inner):
                lemma = self.of(inner)
                sums = over(i, lemma.lhs), over(i, lemma.rhs)
                scope = free(sums[0]) | free(sums[1]) | {i}
                bound = self.linear.bound(i)
                summed = f"(Sum_ext ({bound} {self.use(lemma, scope)}))"
                if any(self.reads_anew(i, t) for t in (lemma.lhs, lemma.rhs)):
                    summed = f"(ltac:(same_at {summed}) : {' = '.join(map(self.words.text, sums))})"
                return self.stated(*sums, summed)
            case UnderWhole(fn, order, axes, at, inner):
                lemma = self.of(inner)
                left, right = (whole(fn, order, axes, side, at) for side in (lemma.lhs, lemma.rhs))
                use = self.use(lemma, free(left) | free(right) | frozenset(axes))
                return self.stated(left, right, self.linear.canonical.under_loss(left, axes, at, use))
            case UnderDiff(wrt, inner):
                lemma = self.of(inner)
                try:
                    return self.by_closed_forms(Diff(lemma.lhs, wrt), Diff(lemma.rhs, wrt))
                except NotAlike:
                    return self.along_the_curve(wrt, inner)
            case Instance(given, inner):
                return self.instance(self.of(inner), dict(given))
            case LinearStep(lhs, rhs, steps):
                return self.stated(lhs, rhs, self.combined(lhs, rhs, [(d, f, self.of(p)) for d, f, p in steps]))
            case Let(array, meaning, inner):
                return self.within(array, meaning, inner)
            case Rephrase(inner, parts):
                for condition, equal in parts:
                    same = self.of(equal)
                    self.signs.equal.append((condition, same.rhs, partial(self.use, same, frozenset())))
                return self.of(inner)
            case Values(i, lhs, rhs, each):
                return self.value_by_value(i, lhs, rhs, [self.of(p) for p in each])
            case Digits(i, lhs, rhs, q, r, inner):
                return self.digit_by_digit(i, lhs, rhs, (q, r), self.of(inner))
            case EveryDepth():
                raise NotExported("an induction over layers")
            case _:
                assert_never(proof)

    def value_by_value(self, i: Index, lhs: Term, rhs: Term, each: Sequence[Lemma]) -> Lemma:
        words, scope = self.words, free(lhs) | free(rhs)
        wanted = self.property(i, lhs, rhs)
        proof = "(fun _ => ltac:(exfalso; lia))"
        for k, lemma in reversed(list(enumerate(each))):
            here = f"ltac:(cbv beta; same_at {self.use(lemma, scope - {i})})"
            proof = f"(fun known{k} => @value_step {wanted} {k} {words.index(i)} known{k} {here} {proof})"
        return self.stated(lhs, rhs, f"({proof} (proj1 {words.known(i)}))")

    def digit_by_digit(self, i: Index, lhs: Term, rhs: Term, digits: tuple[Index, Index], lemma: Lemma) -> Lemma:
        words, scope = self.words, (free(lhs) | free(rhs) | {*digits}) - {i}
        sizes = " ".join(words.size(x.size) for x in (i, *digits))
        here = f"(fun {words.bound(*digits)} => ltac:(cbv beta; same_at {self.use(lemma, scope)}))"
        at = f"{words.index(i)} ltac:(index) ltac:(index) {words.known(i)}"
        return self.stated(lhs, rhs, f"(@by_digits {self.property(i, lhs, rhs)} {sizes} {at} {here})")

    def property(self, i: Index, lhs: Term, rhs: Term) -> str:
        return f"(fun {self.words.index(i)} => {self.words.text(lhs)} = {self.words.text(rhs)})"

    def along_the_curve(self, wrt: Entry, inner: Proof) -> Lemma:
        """Equal functions have equal derivatives: the equation for any value of the variable, and both derivatives."""
        if wrt != self.wrt:
            raise NotExported("a derivative by something else inside")
        axes = " ".join(f"j{k}" for k in range(len(wrt.at)))
        name = self.words.array(wrt.array, len(wrt.at))
        lemma = self.for_any_value(f"B{name[1:]}", len(wrt.at), inner)
        value = f"(fun {axes} => {spaced(f'c{name}', axes, 't')})" if axes else f"(c{name} t)"
        lhs, rhs = (self.slopes.unfolded(t) for t in (lemma.lhs, lemma.rhs))
        at_any = self.use(lemma, free(lhs) | free(rhs) | free(lemma.lhs) | free(lemma.rhs) | free(wrt))
        equal = f"(fun t => {at_any.replace(f'({lemma.name}', f'({lemma.name} {value}', 1)})"
        if not at_any.startswith("("):
            equal = f"(fun t => {lemma.name} {value})"
        run = Derivation(self.words, self.slopes, self.signs, wrt)
        left, right = (
            f"({run.of(t)} : isD t0 (fun t => {run.at_time(t)}) {self.words.text(self.slopes.of(t, wrt))})"
            for t in (lhs, rhs)
        )
        return self.stated(Diff(lemma.lhs, wrt), Diff(lemma.rhs, wrt), f"(D_unique {left} (D_same {equal} {right}))")

    def for_any_value(self, name: str, axes: int, inner: Proof) -> Lemma:
        """The lemma for all values of the variable, in a section of its own; hypotheses about it are not used."""
        words, before = self.words, (self.words.memo, self.names, self.known)
        if words.any_value is not None:
            raise NotExported("a derivative inside a derivative")
        self.sections += 1
        self.lemmas.append(f"Section Any{self.sections}.\nVariable {name} : {'Z -> ' * axes}R.")
        words.memo, self.names, self.known = {}, {}, {}
        words.any_value, self.signs.moving = name, words.moving
        try:
            lemma = self.of(inner)
        finally:
            words.any_value = self.signs.moving = None
            words.memo, self.names, self.known = before
            self.lemmas.append(f"End Any{self.sections}.")
        return lemma

    def chained(self, found: Sequence[Lemma]) -> Lemma:
        scope = free(found[0].lhs) | free(found[-1].rhs)
        named = [self.use(lemma, scope) for lemma in found if lemma.name is not None]
        total = named[-1] if named else "erefl"
        for p in reversed(named[:-1]):
            total = f"(etrans {p} {total})"
        return self.stated(found[0].lhs, found[-1].rhs, total)

    def reads_anew(self, i: Index, t: Term) -> bool:
        """With i bound, sums of indices in `t` are written in another order."""
        bound = inner(0, i.size)
        name = rf"\b{self.words.index(i)}\b"
        renamed = re.sub(name, self.words.index(bound), self.words.text(t, 1))
        return renamed != self.words.text(substitute(t, {i: bound}), 1)

    def instance(self, lemma: Lemma, values: dict[Index, IndexExpr]) -> Lemma:
        lhs, rhs = substitute(lemma.lhs, values), substitute(lemma.rhs, values)
        use = self.use(lemma, free(lhs) | free(rhs), values)
        goal = f"{self.words.text(lhs)} = {self.words.text(rhs)}"
        return self.stated(lhs, rhs, f"(ltac:(same_at {use}) : {goal})")

    def combined(self, lhs: Term, rhs: Term, steps: Sequence[tuple[tuple[Index, ...], Term, Lemma]]) -> str:
        scope = free(lhs) | free(rhs)
        used = [(d, f, s.lhs, s.rhs, self.use(s, scope | frozenset(d))) for d, f, s in steps if s.lhs != s.rhs]
        return self.linear.equation(lhs, rhs, used)

    def by(self, law: str, args: tuple[Any, ...]) -> Lemma:
        eq = instance(law, self.context, args)
        if self.words.text(eq.lhs) == self.words.text(eq.rhs):
            return Lemma(None, eq.lhs, eq.rhs)
        if isinstance(eq.lhs, Diff):
            return self.by_closed_forms(eq.lhs, eq.rhs)
        if law == "assume":
            return self.assumed(eq.lhs, eq.rhs, *args)
        proof = laws.of(law, self.given, args)
        if law in laws.OVER_INDICES:  # sums of indices may be written in another order
            proof = f"(ltac:(same_at {proof}) : {self.words.text(eq.lhs)} = {self.words.text(eq.rhs)})"
        return self.stated(eq.lhs, eq.rhs, proof)

    def by_closed_forms(self, lhs: Term, rhs: Term) -> Lemma:
        """Two derivatives in closed form, equal as sums of products."""
        if self.words.text(lhs) == self.words.text(rhs):
            return Lemma(None, lhs, rhs)
        sides = self.slopes.unfolded(lhs), self.slopes.unfolded(rhs)
        return self.stated(lhs, rhs, self.linear.equation(*sides, []))

    def assumed(self, lhs: Term, rhs: Term, name: str, values: tuple[tuple[Index, IndexExpr], ...]) -> Lemma:
        h = self.context.hypotheses[name]
        assert isinstance(h, Same)
        use = self.words.applied(self.signs.hypothesis(name), free(h.lhs) | free(h.rhs), dict(values))
        return self.stated(lhs, rhs, f"(ltac:(same_at {use}) : {self.words.text(lhs)} = {self.words.text(rhs)})")

    def inside(self, term: Term, parts: Sequence[tuple[int, Lemma]]) -> Lemma:
        children = list(arguments(term))
        for k, lemma in parts:
            children[k] = lemma.rhs
        new = rebuilt(term, tuple(children))
        scope = free(term) | free(new)
        used = {k: self.use(lemma, scope) for k, lemma in parts if lemma.name is not None}
        proofs = [used.get(k) for k in range(len(children))]
        return self.stated(term, new, shown(self.linear.canonical.inside(term, tuple(children), proofs)))

    def within(self, array: Array, meaning: Tensor, inner: Proof) -> Lemma:
        """A local definition: its name means something else elsewhere, so what is remembered is put aside."""
        outer, words = self.context, self.words
        before = dict(words.definitions), words.memo, self.slopes.known
        self.context = Context({**outer.definitions, array: meaning}, outer.hypotheses, outer.least)
        self.kept.append(self.context)
        words.definitions[array] = meaning
        words.memo, self.slopes.known = {}, {}
        lemma = self.of(inner)
        words.definitions, words.memo, self.slopes.known = before
        self.context = outer
        return lemma
