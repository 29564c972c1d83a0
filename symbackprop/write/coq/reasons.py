"""Why the conditions of a theorem hold, as lemmas of Coq: what the certificate shows is shown here, not assumed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from ...core.indices import Index
from ...core.reasons import Base, Dense, Given, Holding, Knowing, Reason, Sign, Steps, Weigh
from ...core.terms import AtLeastZero, NonNegative, Nonzero, Positive, Term, free
from .signs import GOALS
from .steps import Lemma
from .steps import Steps as Equations
from .vocabulary import NotExported

OfTerm: TypeAlias = type[Positive] | type[Nonzero] | type[AtLeastZero]
WEIGHED: dict[type, str] = {Positive: "weighed_gt0", AtLeastZero: "weighed_ge0", Nonzero: "weighed_neq0"}


class Reasons:
    """Lemmas are written when a step asks for them."""

    def __init__(self, equations: Equations) -> None:
        self.equations, self.signs, self.words = equations, equations.signs, equations.words
        self.count = 0

    def holding(self, step: Holding) -> Lemma:
        """The lemma that says what the step of an argument shows."""
        match step:
            case Given(proof, reasons):
                self.learn(*reasons)
                return self.equations.of(proof)
            case Steps(each):
                return self.equations.chained([self.holding(s) for s in each])
            case _:
                raise NotExported("an equation by cases or by continuity")

    def learn(self, *reasons: Reason | Dense) -> None:
        for r in reasons:
            if isinstance(r, Dense):
                raise NotExported("what holds on a dense set")
            self.signs.shown.append((r.goal, Once(partial(self.lemma, r))))

    def known(self, name: str, lemma: Reason | Given) -> None:
        """A lemma of the certificate that its steps call by this name."""
        if isinstance(lemma, Given):
            self.signs.lemmas[name] = Once(partial(self.equation, lemma))
        else:
            self.learn(lemma)

    def equation(self, given: Given) -> str:
        found = self.holding(given)
        axes = sorted(free(found.lhs) | free(found.rhs), key=lambda i: i.name)
        statement = f"{self.words.text(found.lhs)} = {self.words.text(found.rhs)}"
        return self.named(axes, statement, self.equations.use(found, frozenset(axes)))

    def lemma(self, reason: Reason) -> str:
        if isinstance(reason.goal, NonNegative):
            raise NotExported(f"the condition {reason.goal}")
        u = reason.goal.term
        axes = sorted(free(u), key=lambda i: i.name)
        kind = type(reason.goal)
        return self.named(axes, GOALS[kind].format(self.words.text(u)), self.proof(reason, kind, u))

    def named(self, axes: list[Index], statement: str, proof: str) -> str:
        self.count += 1
        binders = "".join(f" {self.words.index(i)} {self.words.within(i)}" for i in axes)
        self.equations.lemmas.append(f"Lemma s{self.count}{binders} :\n  {statement}.\nProof. exact {proof}. Qed.")
        return f"s{self.count}"

    def proof(self, reason: Reason, kind: OfTerm, u: Term) -> str:
        match reason:
            case Sign():
                return self.signs.holds(kind(u))
            case Knowing(_, name, lemmas, inner):
                for k, lemma in enumerate(lemmas):
                    self.known(f"{name}.{k}", lemma)
                if inner.goal == reason.goal:
                    return self.proof(inner, kind, u)
                self.learn(inner)
                return self.signs.holds(kind(u))
            case Base(_, power):
                self.learn(power)
                return f"(pw_base {self.signs.holds(power.goal)})"
            case Weigh(_, scale, parts, _, given):
                self.learn(*(r for _, r in parts))
                found = self.holding(given)
                total = self.signs.holds(kind(found.rhs))
                same = self.equations.use(found, free(found.lhs) | free(found.rhs))
                if found.lhs == u:
                    return f"(eq_ind_r (fun x => is_true ({GOALS[kind].format('x')})) {total} {same})"
                positive = "" if kind is Nonzero else f"{self.signs.holds(Positive(scale))} "
                return f"({WEIGHED[kind]} {positive}{same} {total})"
            case _:
                raise NotExported(f"the reason for {reason.goal}")


class Once:
    """A lemma that is written when it is first used.  Raises NotExported where it cannot be, or needs itself."""

    def __init__(self, write: Callable[[], str]) -> None:
        self.write, self.name, self.failed = write, "", ""

    def __call__(self) -> str:
        if self.failed:
            raise NotExported(self.failed)
        if not self.name:
            self.failed = "a reason that needs itself"
            try:
                self.name = self.write()
            except NotExported as refused:
                self.failed = str(refused)
                raise
            self.failed = ""
        return self.name


__all__ = ["Reasons"]
