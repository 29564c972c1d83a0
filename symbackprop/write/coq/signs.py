"""Signs of terms as Coq proofs: what `core/signs.py` sees, hypotheses, and conditions of the theorem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from symbackprop.core.signs import instance, never_negative

from ...core.context import Context, Same
from ...core.indices import Index, IndexExpr
from ...core.terms import (
    PI,
    Add,
    Apply,
    Array,
    AtLeastZero,
    Delta,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Ordinal,
    Positive,
    Power,
    Predicate,
    Size,
    Sum,
    Term,
    arrays,
    free,
    open_body,
    substitute,
)  # fmt: skip
from .vocabulary import NotExported, Vocabulary, outer

INDEX = "ltac:(index)"
GOALS: dict[type, str] = {Positive: "0 < {}", Nonzero: "{} != 0", AtLeastZero: "0 <= {}"}
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
        self.shown: list[tuple[Predicate, Callable[[], str]]] = []  # with the lemma that says so
        self.lemmas: dict[str, Callable[[], str]] = {}  # hypotheses of the context that are shown
        self.equal: list[tuple[Predicate, Term, Callable[[Mapping[Index, IndexExpr]], str]]] = []
        self.assumed = [(n, h) for n, h in context.hypotheses.items() if not isinstance(h, Same | NonNegative)]
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
        match p:
            case Positive(t):
                return self.positive(t)
            case Nonzero(t):
                return self.nonzero(t)
            case AtLeastZero(t):
                return self.at_least(t)
            case _:
                return None

    # --- what is known --------------------------------------------------------------------------

    def fact(self, kind: type, t: Term) -> str | None:
        for name, p in self.facts.items():
            found = self.matched(p, kind, t)
            if found is not None:
                self.spoken.add(name)
                return self.applied(name, p.term, found)  # type: ignore[union-attr]
        for name, h in self.assumed:
            found = self.matched(h, kind, t)
            if found is not None:
                return self.applied(self.hypothesis(name), h.term, found)
        return self.from_lemmas(kind, t) or self.rephrased(kind, t)

    def from_lemmas(self, kind: type, t: Term) -> str | None:
        for p, lemma in self.shown:
            found = self.matched(p, kind, t)
            with suppress(NotExported):
                if found is not None:
                    return self.applied(lemma(), p.term, found)  # type: ignore[union-attr]
        return None

    def matched(self, p: Predicate, kind: type, t: Term) -> dict[Index, IndexExpr] | None:
        """Values of the indices of p that make it speak of t, as written or with definitions written out."""
        if not isinstance(p, kind) or isinstance(p, NonNegative):
            return None
        if self.moving is not None and self.moving in arrays(self.unfolded(p.term)):
            return None
        found = instance(p.term, t, self.words.least)
        return found if found is not None else instance(self.unfolded(p.term), self.unfolded(t), self.words.least)

    def add_fact(self, p: Predicate) -> None:
        self.facts[f"e{len(self.facts)}"] = p

    def hypothesis(self, name: str) -> str:
        """The name in Coq of a hypothesis of the context, or of the lemma that shows it."""
        if name in self.lemmas:
            return self.lemmas[name]()
        return self.used.setdefault(name, f"h{len(self.used)}")

    def applied(self, name: str, pattern: Term, found: Mapping[Index, IndexExpr]) -> str:
        axes = sorted(free(pattern), key=lambda i: i.name)
        values = [f"{self.words.at(found[i])} {INDEX}" for i in axes]
        return f"({' '.join([name, *values])})" if axes else name

    def rephrased(self, kind: type, t: Term) -> str | None:
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

    # --- with the statement written out, as Coq's unification needs it ----------------------------

    def positive(self, t: Term) -> str | None:
        return self.stated(self.find_positive(t), Positive, t)

    def at_least(self, t: Term) -> str | None:
        return self.stated(self.find_at_least(t), AtLeastZero, t)

    def nonzero(self, t: Term) -> str | None:
        return self.stated(self.find_nonzero(t), Nonzero, t)

    def stated(self, proof: str | None, kind: type, t: Term) -> str | None:
        return proof and f"({proof} : is_true ({GOALS[kind].format(self.words.text(t))}))"

    # --- what is plain --------------------------------------------------------------------------

    def find_positive(self, t: Term) -> str | None:
        known = self.fact(Positive, t)
        if known is not None:
            return known
        match t:
            case Num(value) if value > 0:
                return f"(@qr_gt0 R {self.words.rational(value)} erefl)"
            case Size() if self.words.at_least(t - 1):
                return f"(@zr_gt0 R {self.words.size(t)} {INDEX})"
            case Apply(fn, _, 0) if fn in POSITIVE_FUNCTIONS:
                return f"({POSITIVE_FUNCTIONS[fn]} _)"
            case Entry(array, ()) if array == PI.array:
                return "(@pi_gt0 R)"
            case Add(args) if args:
                return self.sum_positive(args)
            case Mul(args) if args:
                return self.all(args, self.positive, "mulr_gt0 {} {}")
            case Power(base, q):
                p = self.positive(base)
                if p is None and q.denominator == 1 and q.numerator % 2 == 0:
                    p = self.nonzero(base)
                    return p and f"(pw_even_gt0 ({q.numerator // 2})%Z {p})"
                return p and f"(pw_gt0 {self.words.rational(q)} {p})"
            case Sum(size, body, _) if self.words.at_least(size - 1):
                p = self.inside(size, body, self.positive)
                return p and f"(@Sum_gt0 R {self.words.size(size)} _ {INDEX} {p})"
            case Entry(array, at) if array in self.words.definitions:
                return self.positive(self.words.definitions[array].at(*at))
            case _:
                return None

    def find_at_least(self, t: Term) -> str | None:
        known = self.fact(AtLeastZero, t)
        if known is not None:
            return known
        positive = self.positive(t)
        if positive is not None:
            return f"(ltW {positive})"
        match t:
            case Num(value) if value == 0:
                return f"(@qr_ge0 R {self.words.rational(value)} {INDEX})"
            case Size() if self.words.at_least(t):
                return f"(@zr_ge0 R {self.words.size(t)} {INDEX})"
            case Delta():
                return "(delta_ge0 R _ _)"
            case Holds(Positive()):
                return "(step_ge0 _)"
            case Holds():
                return "(ge0_ge0 R _)"
            case Ordinal(of) if never_negative(of, self.words.least):
                return f"(@zr_ge0 R {self.words.at(of)} {INDEX})"
            case Add(args) if args:
                return self.all(args, self.at_least, "addr_ge0 {} {}")
            case Mul((a, b)) if a == b:
                return f"(square_ge0 {self.words.text(a)})"
            case Mul(args) if args:
                return self.all(args, self.at_least, "mulr_ge0 {} {}")
            case Power(base, q) if q.denominator == 1 and q.numerator % 2 == 0:
                return f"(pw_even {self.words.text(base)} ({q.numerator // 2})%Z)"
            case Power(base, q):
                p = self.at_least(base)
                return p and f"(pw_ge0 {self.words.rational(q)} {p})"
            case Sum(size, body, _):
                p = self.inside(size, body, self.at_least)
                return p and f"(Sum_ge0 {p})"
            case Entry(array, at) if array in self.words.definitions:
                return self.at_least(self.words.definitions[array].at(*at))
            case _:
                return None

    def find_nonzero(self, t: Term) -> str | None:
        known = self.fact(Nonzero, t)
        if known is not None:
            return known
        positive = self.positive(t)
        if positive is not None:
            return f"(lt0r_neq0 {positive})"
        match t:
            case Num(value) if value:
                return f"(@qr_neq0 R {self.words.rational(value)} {INDEX})"
            case Mul(args) if args:
                return self.all(args, self.nonzero, "mulf_neq0 {} {}")
            case Power(base, q) if q.denominator == 1:
                p = self.nonzero(base)
                return p and f"(pw_neq0 {q.numerator if q >= 0 else f'({q.numerator})'} {p})"
            case Entry(array, at) if array in self.words.definitions:
                return self.nonzero(self.words.definitions[array].at(*at))
            case _:
                return None

    def all(self, args: tuple[Term, ...], sign: Callable[[Term], str | None], lemma: str) -> str | None:
        found = [sign(a) for a in args]
        if any(p is None for p in found):
            return None
        total = found[0]
        for p in found[1:]:
            total = f"({lemma.format(total, p)})"
        return total

    def sum_positive(self, args: tuple[Term, ...]) -> str | None:
        """One positive, the others not negative."""
        total, positive = None, False
        for a in args:
            strict = self.positive(a)
            p = strict or self.at_least(a)
            if p is None:
                return None
            if total is None:
                total, positive = p, strict is not None
            elif positive and strict is not None:
                total = f"(addr_gt0 {total} {p})"
            elif positive:
                total = f"(add_pn {total} {p})"
            elif strict is not None:
                total, positive = f"(add_np {total} {p})", True
            else:
                total = f"(addr_ge0 {total} {p})"
        return total if positive else None

    def inside(self, size: Size, body: Term, sign: Callable[[Term], str | None]) -> str | None:
        """For all values of a dummy; its name must not meet those around."""
        self.depth += 1
        i = outer(200 + self.depth, size)
        p = sign(open_body(body, (i,)))
        self.depth -= 1
        return p and f"(fun {self.words.index(i)} {self.words.within(i)} => {p})"
