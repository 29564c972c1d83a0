"""From a certificate's JSON to Coq files: declarations, lemmas, the theorem, and why its conditions hold.

What the certificate shows of a condition is shown in Coq, not assumed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from symbackprop.core.context import Context, Equation, Same, Statement
from symbackprop.core.indices import Index, SymbackpropError, nodes
from symbackprop.core.kernel import check
from symbackprop.core.proofs import Proof
from symbackprop.core.reasons import Argument, Base, Dense, Given, Holding, Knowing, Reason, Sign, Steps, Weigh
from symbackprop.core.region import region_of
from symbackprop.core.rows import KEYS, load, load_argument
from symbackprop.core.terms import AtLeastZero, Diff, Entry, NonNegative, Nonzero, Positive, Predicate, Term, free
from symbackprop.core.theorem import theorem
from symbackprop.prove.statements import inside
from symbackprop.write.coq.signs import GOALS, OfTerm, Signs
from symbackprop.write.coq.slopes import Derivation, Slopes, general
from symbackprop.write.coq.steps import Lemma
from symbackprop.write.coq.steps import Steps as Equations
from symbackprop.write.coq.vocabulary import NotExported, Vocabulary

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
            self.signs.known.append((r.goal, Once(partial(self.lemma, r))))

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
        binders = "".join(f" {self.words.bound(i)}" for i in axes)
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


HEADER = """From Coq Require Import ZArith_base Lia.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From mathcomp.classical Require Import boolp classical_sets functions mathcomp_extra.
From mathcomp.analysis Require Import reals signed topology normedtype derive realfun sequences exp trigo.
Require Import Sums Derivatives Laws Arrays Matrices.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.
Delimit Scope Z_scope with Z.
"""


def exported(proof: Proof, context: Context, equation: Equation) -> str:
    """The text of a Coq file that proves the equation, where its left side is a derivative: about the real one.

    The conditions of the equation are hypotheses.  Raises NotExported where a term or a step has no translation.
    """
    export = Export(context, equation.lhs, equation.rhs)
    for c in sorted(equation.conditions, key=str):
        if isinstance(c, Positive | Nonzero):
            export.signs.add_fact(general(c))
    return export.text(export.steps.of(proof))


def exported_theorem(statement: Statement, argument: Argument) -> str:
    """The same for a claim: what it takes for granted are its hypotheses and facts about its forward, nothing else.

    Raises NotExported where a term, a step or a reason has no translation.
    """
    export = Export(region_of(statement)[0], statement.lhs, statement.rhs)
    reasons = Reasons(export.steps)
    export.signs.complete = True
    for k, lemma in enumerate(argument.lemmas):
        reasons.known(f"known.{k}", lemma)
    reasons.learn(*(r for r in argument.values if not isinstance(r, Dense)))
    export.steps.context = inside(statement, argument)
    return export.text(reasons.holding(argument.steps))


class Export:
    """A context, and the equation that is claimed under it."""

    def __init__(self, context: Context, lhs: Term, rhs: Term) -> None:
        self.context, self.lhs, self.rhs = context, lhs, rhs
        self.wrt = lhs.wrt if isinstance(lhs, Diff) else None
        if any(isinstance(n, Diff) for n in nodes(lhs.body if isinstance(lhs, Diff) else lhs)):
            raise NotExported("a derivative inside the left side")
        self.slopes: Slopes
        self.words = Vocabulary(context, self.wrt.array if self.wrt else None, lambda b, w: self.slopes.slope(b, w))
        self.slopes = Slopes(self.words)
        self.signs = Signs(self.words, context, self.slopes.unfolded)
        self.steps = Equations(self.words, self.slopes, self.signs, context, self.wrt)

    def text(self, lemma: Lemma) -> str:
        if (lemma.lhs, lemma.rhs) != (self.lhs, self.rhs):
            raise NotExported("the proof proves another equation")
        use = self.steps.use(lemma, free(lemma.lhs) | free(lemma.rhs))
        theorem = self.about_derivative(self.wrt, use) if self.wrt else self.about_values(use)
        before, after = self.declared()
        lines = [*before, *self.steps.lemmas, *after, theorem, "End Certificate.", "Print Assumptions main."]
        return HEADER + "\n".join(["", "Section Certificate.", *lines]) + "\n"

    def about_derivative(self, wrt: Entry, use: str) -> str:
        assert isinstance(self.lhs, Diff)
        body = self.slopes.unfolded(self.lhs.body)
        derivation = Derivation(self.words, self.slopes, self.signs, wrt)
        proof = derivation.of(body)
        function = derivation.at_time(body)
        rhs, slope = self.words.text(self.rhs), self.words.text(self.lhs)
        stated = f"({proof} : isD t0 (fun t => {function}) {slope})"
        return f"Theorem main : isD t0 (fun t => {function})\n  {rhs}.\nProof. exact (D_eq {stated} {use}). Qed."

    def about_values(self, use: str) -> str:
        lhs, rhs = self.words.text(self.lhs), self.words.text(self.rhs)
        return f"Theorem main : {lhs} = {rhs}.\nProof. exact {use}. Qed."

    # --- declarations --------------------------------------------------------------------------

    def declared(self) -> tuple[list[str], list[str]]:
        """What the lemmas speak of, and what only the theorem does."""
        words = self.words
        hypotheses = self.hypotheses()  # may speak of further names
        free_ones = sorted(free(self.lhs) | free(self.rhs), key=lambda i: i.name)
        outer = [f"Variables ({words.index(i)} : Z) ({words.known(i)} : {words.range(i)})." for i in free_ones]
        curve, moved = self.moving()
        lines = [f"Variable {n} : {'Z -> ' * k}R." for a, (n, k) in words.arrays.items() if a != words.moving]
        lines += curve
        lines += self.functions()
        return [*self.integers(), *lines, *hypotheses], outer + moved

    def integers(self) -> list[str]:
        """Sizes and integer arrays, whose values are in the range that the certificate says."""
        words, picks = self.words, []
        for name, axes, size in words.picks.values():
            at = [f"j{k}" for k in range(axes)]
            inside = f"(0 <= {spaced(name, *at)} < {words.size(size)})%Z"
            every = f"forall {' '.join(at)}, " if at else ""
            picks.append(f"Variables ({name} : {'Z -> ' * axes}Z) (range{name} : {every}{inside}).")
        least = words.least.values
        sizes = [
            f"Variables ({n} : Z) (least{n[1:]} : ({least.get(s, 1)} <= {n})%Z)." for s, n in words.symbols.items()
        ]
        return ["Variable R : realType.", *sizes, *picks]

    def moving(self) -> tuple[list[str], list[str]]:
        """The variable on a curve."""
        if self.wrt is None:
            return [], []
        words, wrt = self.words, self.wrt
        name, axes = words.array(wrt.array, len(wrt.at)), len(wrt.at)
        names = [f"j{k}" for k in range(axes)]
        where = f" ({' '.join(names)} : Z)" if names else ""
        curve = [
            f"Variables (c{name} : {'Z -> ' * axes}R -> R) (t0 : R).",
            f"Let {name}{where} : R := {spaced(f'c{name}', *names)} t0.",
        ]
        return curve, [f"Hypothesis moved : {words.moved(wrt)}."]

    def functions(self) -> list[str]:
        words, lines = self.words, []
        for name, most in words.functions.values():
            lines += [f"Variable {name}_{k} : R -> R." for k in range(most + 1)]
            lines += [f"Hypothesis D{name}_{k} : forall x, isD x {name}_{k} ({name}_{k + 1} x)." for k in range(most)]
        for name, sizes, most in words.losses.values():
            lines += self.loss(name, [words.size(s) for s in sizes], most)
        return lines

    def loss(self, name: str, sizes: list[str], most: int) -> list[str]:
        """An unknown function of an array: it looks at entries inside only, and follows the chain rule along curves."""
        n = len(sizes)
        array = f"({'Z -> ' * n}R)"
        at = [f"j{k}" for k in range(n)]
        lines = [f"Variable {name}_{k} : {array} -> {'Z -> ' * (n * k)}R." for k in range(most + 1)]
        binders = "".join(f" {j} (_ : (0 <= {j} < {s})%Z)" for j, s in zip(at, sizes, strict=True))
        every = f"forall{binders}, " if at else ""
        curve = f"(y : {'Z -> ' * n}R -> R) (d : {array})"
        for k in range(most + 1):
            more = [f"l{m}" for m in range(n * k)]
            outer = f"forall {' '.join(more)}, " if more else ""
            values = [spaced(f"{name}_{k}", y, *more) for y in "yz"]
            entries = [spaced(y, *at) for y in "yz"]
            lines.append(
                f"Hypothesis E{name}_{k} : forall (y z : {array}), ({every}{entries[0]} = {entries[1]}) ->\n"
                f"  {outer}{values[0]} = {values[1]}."
            )
            if k == most:
                break
            here, there = (function(at, spaced("y", *at, time)) for time in ("t0", "t"))
            total = f"({spaced(f'{name}_{k + 1}', here, *more, *at)} * {spaced('d', *at)})"
            for j, s in reversed(list(zip(at, sizes, strict=True))):
                total = f"(Sum {s} (fun {j} => {total}))"
            premise = f"({every}isD t0 {spaced('y', *at)} {spaced('d', *at)})"
            lines.append(
                f"Hypothesis D{name}_{k} : {outer}forall {curve}, {premise} ->\n"
                f"  isD t0 (fun t => {spaced(f'{name}_{k}', there, *more)}) {total}."
            )
        return lines

    def hypotheses(self) -> list[str]:
        facts = [(name, p) for name, p in self.signs.facts.items() if name in self.signs.spoken]
        out = [f"Hypothesis {name} : {self.for_all(p)}." for name, p in facts]
        for said, name in self.signs.used.items():
            out.append(f"Hypothesis {name} : {self.for_all(self.context.hypotheses[said])}.")
        return out

    def for_all(self, h: Same | Predicate) -> str:
        text = self.words.text
        match h:
            case Same(lhs, rhs):
                said, axes = f"{text(lhs)} = {text(rhs)}", free(lhs) | free(rhs)
            case NonNegative(_):
                raise NotExported(f"the hypothesis {h}")
            case _:
                said, axes = GOALS[type(h)].format(text(h.term)), free(h.term)
        ordered = sorted(axes, key=lambda i: i.name)
        bound = "".join(f" {self.words.index(i)} (_ : {self.words.range(i)})" for i in ordered)
        return f"forall{bound}, {said}" if bound else said


def spaced(*words: str) -> str:
    return f"({' '.join(words)})" if len(words) > 1 else words[0]


def function(axes: list[str], body: str) -> str:
    return f"(fun {' '.join(axes)} => {body})" if axes else body


# In the order in which coqc has to see them.
LIBRARIES = ("Sums.v", "Derivatives.v", "Laws.v", "Arrays.v", "Matrices.v")


def libraries() -> dict[str, str]:
    """The Coq libraries that every exported file needs, by file name."""
    here = resources.files(__package__)
    return {name: (here / name).read_text(encoding="utf-8") for name in LIBRARIES}


def read_certificate(path: str) -> Any:
    """Raises SymbackpropError naming the file where it is no JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as failure:
        raise SymbackpropError(f"cannot read {path}: {failure.strerror}") from failure
    except (ValueError, RecursionError) as failure:
        raise SymbackpropError(f"{path} is no certificate: {failure}") from failure


def coq_text(document: Any) -> str:
    """The Coq file for what the certificate states: the claim of a theorem, or the equation that a proof proves.

    Raises ProofError where the certificate shows nothing, NotExported where a term or a step has no translation.
    """
    if isinstance(document, dict) and "statement" in document:
        statement, argument = load_argument(document)
        theorem(statement, document, region_of(statement)[1].values())
        return exported_theorem(statement, argument)
    rows = {k: v for k, v in document.items() if k in KEYS} if isinstance(document, dict) else document
    proof, context = load(rows)
    return exported(proof, context, check(proof, context))
