"""Signs of terms as Coq proofs: what `core/signs.py` sees, hypotheses, and conditions of the theorem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial, reduce
from typing import TypeAlias

from symbackprop.core.signs import instance, never_negative

from ...core.context import Context, Same
from ...core.indices import Index, IndexExpr
from ...core.terms import (
    PI, Add, Apply, Array, AtLeastZero, Delta, Entry, Holds, Mul, NonNegative, Nonzero, Num, Ordinal, Positive, Power,
    Predicate, Size, Sum, Term, arrays, free, open_body, substitute,
)  # fmt: skip
from .vocabulary import NotExported, Vocabulary, outer

INDEX = "ltac:(index)"
OfTerm: TypeAlias = type[Positive] | type[Nonzero] | type[AtLeastZero]
GOALS: dict[type, str] = {Positive: "0 < {}", Nonzero: "{} != 0", AtLeastZero: "0 <= {}"}
PRODUCTS: dict[type, str] = {Positive: "mulr_gt0", Nonzero: "mulf_neq0", AtLeastZero: "mulr_ge0"}
# Of a sum so far and what is added: whether they are positive, else not negative.
ADDED = {(True, True): "addr_gt0", (True, False): "add_pn", (False, True): "add_np", (False, False): "addr_ge0"}
POSITIVE_FUNCTIONS = {"exp": "expR_gt0", "sigmoid": "sigmoid_gt0", "softplus": "softplus_gt0", "cosh": "cosh_gt0"}


class Signs:
    """`facts` are hypotheses of the Coq theorem by name: predicates for all values of their free indices."""

    def __init__(self, words: Vocabulary, context: Context, unfolded: Callable[[Term], Term]) -> None:
        self.words = words
        self.unfolded = unfolded
        self.facts: dict[str, Predicate] = {}
        self.spoken: set[str] = set()
        self.moving: Array | None = None  # no hypothesis about this array is used
        self.complete = False  # nothing may be taken for granted but the hypotheses of the context
        self.lemmas: dict[str, Callable[[], str]] = {}  # hypotheses of the context that are shown
        self.equal: list[tuple[Predicate, Term, Callable[[Mapping[Index, IndexExpr]], str]]] = []
        # Each with how it is called where it is used: hypotheses, facts, and what a lemma says.
        self.known: list[tuple[Predicate, Callable[[], str]]] = []
        for name, h in context.hypotheses.items():
            if not isinstance(h, Same):
                self.known.append((h, partial(self.hypothesis, name)))
        self.used: dict[str, str] = {}
        self.depth = 0
        self.tried: set[Term] = set()

    def holds(self, p: Predicate) -> str:
        """A proof of the predicate.  Raises NotExported where none is found."""
        found = self.prove(p)
        if found is None:
            raise NotExported(f"the condition {p}")
        return found

    def prove(self, p: Predicate) -> str | None:
        """With the statement written out, as Coq's unification needs it."""
        if isinstance(p, NonNegative):
            return None
        kind: OfTerm = type(p)
        proof = self.fact(kind, p.term) or self.found(kind, p.term)
        return proof and f"({proof} : is_true ({GOALS[kind].format(self.words.text(p.term))}))"

    # --- what is known --------------------------------------------------------------------------

    def fact(self, kind: OfTerm, t: Term) -> str | None:
        for p, name in self.known:
            found = self.matched(p, kind, t)
            with suppress(NotExported):
                if found is not None:
                    return self.words.applied(name(), free(p.term), found)  # type: ignore[union-attr]
        return self.rephrased(kind, t)

    def spoken_of(self, fact: str) -> str:
        self.spoken.add(fact)
        return fact

    def matched(self, p: Predicate, kind: type, t: Term) -> dict[Index, IndexExpr] | None:
        """Values of the indices of p that make it speak of t, as written or with definitions written out."""
        if not isinstance(p, kind) or isinstance(p, NonNegative):
            return None
        if self.moving is not None and self.moving in arrays(self.unfolded(p.term)):
            return None
        found = instance(p.term, t, self.words.least)
        return found if found is not None else instance(self.unfolded(p.term), self.unfolded(t), self.words.least)

    def add_fact(self, p: Predicate) -> None:
        name = f"e{len(self.facts)}"
        self.facts[name] = p
        self.known.append((p, partial(self.spoken_of, name)))

    def hypothesis(self, name: str) -> str:
        """The name in Coq of a hypothesis of the context, or of the lemma that shows it."""
        if name in self.lemmas:
            return self.lemmas[name]()
        return self.used.setdefault(name, f"h{len(self.used)}")

    def rephrased(self, kind: OfTerm, t: Term) -> str | None:
        """The condition on a term that is equal by a proof of the certificate."""
        for p, other, proof in self.equal:
            found = self.matched(p, kind, t) if p.term not in self.tried else None  # type: ignore[union-attr]
            if found is None:
                continue
            self.tried.add(p.term)  # type: ignore[union-attr]
            inside = self.prove(kind(substitute(other, dict(found))))
            self.tried.discard(p.term)  # type: ignore[union-attr]
            if inside is not None:
                return f"(eq_ind_r (fun x => is_true ({GOALS[kind].format('x')})) {inside} {proof(found)})"
        return None

    # --- what is plain --------------------------------------------------------------------------

    def found(self, kind: OfTerm, t: Term) -> str | None:
        words = self.words
        if kind is not Positive and (positive := self.prove(Positive(t))) is not None:
            return f"({'ltW' if kind is AtLeastZero else 'lt0r_neq0'} {positive})"
        match t:
            case Entry(array, at) if array in words.definitions:
                return self.prove(kind(words.definitions[array].at(*at)))
            case Mul((a, b)) if a == b and kind is AtLeastZero:
                return f"(square_ge0 {words.text(a)})"
            case Mul(args) if args:
                return self.all(args, kind, PRODUCTS[kind])
            case _:
                return {Positive: self.positive, AtLeastZero: self.at_least, Nonzero: self.nonzero}[kind](t)

    def positive(self, t: Term) -> str | None:
        words = self.words
        match t:
            case Num(value) if value > 0:
                return f"(@qr_gt0 R {words.rational(value)} erefl)"
            case Size() if words.at_least(t - 1):
                return f"(@zr_gt0 R {words.size(t)} {INDEX})"
            case Apply(fn, _, 0) if fn in POSITIVE_FUNCTIONS:
                return f"({POSITIVE_FUNCTIONS[fn]} _)"
            case Entry(array, ()) if array == PI.array:
                return "(@pi_gt0 R)"
            case Add(args) if args:
                return self.sum_positive(args)
            case Power(base, q):
                p = self.prove(Positive(base))
                if p is None and q.denominator == 1 and q.numerator % 2 == 0:
                    p = self.prove(Nonzero(base))
                    return p and f"(pw_even_gt0 ({q.numerator // 2})%Z {p})"
                return p and f"(pw_gt0 {words.rational(q)} {p})"
            case Sum(size, body, _) if words.at_least(size - 1):
                p = self.inside(size, body, Positive)
                return p and f"(@Sum_gt0 R {words.size(size)} _ {INDEX} {p})"
            case _:
                return None

    def at_least(self, t: Term) -> str | None:
        words = self.words
        match t:
            case Num(value) if value == 0:
                return f"(@qr_ge0 R {words.rational(value)} {INDEX})"
            case Size() if words.at_least(t):
                return f"(@zr_ge0 R {words.size(t)} {INDEX})"
            case Delta():
                return "(delta_ge0 R _ _)"
            case Holds(p):
                return "(step_ge0 _)" if isinstance(p, Positive) else "(ge0_ge0 R _)"
            case Ordinal(of) if never_negative(of, words.least):
                return f"(@zr_ge0 R {words.at(of)} {INDEX})"
            case Add(args) if args:
                return self.all(args, AtLeastZero, "addr_ge0")
            case Power(base, q) if q.denominator == 1 and q.numerator % 2 == 0:
                return f"(pw_even {words.text(base)} ({q.numerator // 2})%Z)"
            case Power(base, q):
                inner = self.prove(AtLeastZero(base))
                return inner and f"(pw_ge0 {words.rational(q)} {inner})"
            case Sum(size, body, _):
                inner = self.inside(size, body, AtLeastZero)
                return inner and f"(Sum_ge0 {inner})"
            case _:
                return None

    def nonzero(self, t: Term) -> str | None:
        match t:
            case Num(value) if value:
                return f"(@qr_neq0 R {self.words.rational(value)} {INDEX})"
            case Power(base, q) if q.denominator == 1:
                p = self.prove(Nonzero(base))
                return p and f"(pw_neq0 {q.numerator if q >= 0 else f'({q.numerator})'} {p})"
            case _:
                return None

    def all(self, args: tuple[Term, ...], kind: OfTerm, lemma: str) -> str | None:
        found = [p for a in args if (p := self.prove(kind(a))) is not None]
        return reduce(lambda total, p: f"({lemma} {total} {p})", found) if len(found) == len(args) else None

    def sum_positive(self, args: tuple[Term, ...]) -> str | None:
        """One positive, the others not negative."""
        total, positive = None, False
        for a in args:
            strict = self.prove(Positive(a))
            p = strict or self.prove(AtLeastZero(a))
            if p is None:
                return None
            if total is None:
                total, positive = p, strict is not None
            else:
                total = f"({ADDED[positive, strict is not None]} {total} {p})"
                positive |= strict is not None
        return total if positive else None

    def inside(self, size: Size, body: Term, kind: OfTerm) -> str | None:
        """For all values of a dummy; its name must not meet those around."""
        self.depth += 1
        i = outer(200 + self.depth, size)
        p = self.prove(kind(open_body(body, (i,))))
        self.depth -= 1
        return p and f"(fun {self.words.bound(i)} => {p})"
