"""Claims and what became of them in words: the formula as text and LaTeX, what is missing of a proof."""

from __future__ import annotations

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index
from symbackprop.core.terms import Entry, Term
from symbackprop.decide.decide import Decision
from symbackprop.decide.outcomes import Condition
from symbackprop.functions.claims import Claim, Setting, shown
from symbackprop.functions.sweep import tried
from symbackprop.prove.cases import CONDITION, POINT, Missing
from symbackprop.prove.cases import VALUE as NO_VALUE
from symbackprop.write.paper.array_text import ArrayText, equation, latex, predicate_text, symbols
from symbackprop.write.paper.naming import Named, with_names

EXACTLY = "write {} exactly (np.pi, 1 / 3, np.sqrt(2))"
EASY = 100  # characters that are read at a glance


def formula(claim: Claim, term: Term) -> str:
    """`∂L/∂x[i,j] = ...`, and on lines of their own what the names in it stand for."""
    named = named_parts(claim, term)
    writer = ArrayText(named.term, claim.axes)
    at = ",".join(map(writer.index, claim.at))
    main = f"{claim.label}{f'[{at}]' if at else ''} = {writer.written(named.term)}"
    return "\n".join([main, *(f"with {equation(n, meaning, indices_of(n))}" for n, meaning in named.names)])


def formula_latex(claim: Claim, term: Term) -> str:
    named = named_parts(claim, term)
    at = "".join(map(ArrayText(named.term, claim.axes).index, claim.at))
    below = f"_{{{at}}}" if at else ""
    main = rf"\left({claim.label_latex}\right){below} = {latex(named.term, claim.axes)}"
    meanings = (f"{latex(n, indices_of(n))} = {latex(m, indices_of(n))}" for n, m in named.names)
    return r",\quad ".join([main, *meanings])


def named_parts(claim: Claim, term: Term) -> Named:
    if len(ArrayText(term, claim.axes).written(term)) <= EASY:
        return Named(term)
    return with_names(term, claim.axes, symbols(term) | frozenset(claim.inputs))


def indices_of(name: Entry) -> tuple[Index, ...]:
    return tuple(i for i in name.at if isinstance(i, Index))


def not_implied(missing: Missing, claim: Claim) -> tuple[Condition, ...]:
    return tuple(Condition(predicate_text(c, claim.axes), "not implied", c) for c in missing.left)


def reason(d: Decision, missing: Missing, claim: Claim, setting: Setting) -> str:
    texts = ", ".join(predicate_text(c, claim.axes) for c in missing.left)
    if missing.stage == POINT:
        what = "hypotheses" if setting.hypotheses else "claim's functions, so that both sides have a value"
        return f"the formulas agree, but no point was found that satisfies the {what}"
    if missing.stage == NO_VALUE:
        return f"the result has a value only where {texts}, which the hypotheses do not say"
    if missing.stage == CONDITION:
        hint = f"; it is proved for {d.enough} (say so in assuming)" if d.enough else ""
        return f"proved only where {texts}, which the hypotheses do not say{hint}"
    exactly = EXACTLY.format(", ".join(f"{x!r}" for x, _ in setting.rounded[:3]))
    if d.rounding:
        return f"the two sides differ by no more than rounding explains; {exactly}"
    if setting.rounded:
        return f"no proof was found, and no counterexample that rounding cannot explain; {exactly}"
    return f"no proof was found, and no counterexample: {d.searched}"


def hypothesis_text(h: Hypothesis) -> str:
    return equation(h.lhs, h.rhs) if isinstance(h, Same) else predicate_text(h)


def statement(claim: Claim, setting: Setting) -> tuple[str, str]:
    """`∂L/∂x[i,j] = ...` with the formula that was claimed, as text and as LaTeX; a long one in the user's names."""
    if not claim.conforms:
        return f"{claim.label} has shape ({shown(claim.found.shape)})", ""
    sweep = setting.sweep if setting.sweep is not None and setting.sweep.first else None
    own = sweep is not None and sweep.is_own(claim.name, claim.lhs, claim.found)
    written = sweep.program(claimed=True) if sweep is not None and own else None
    in_names = None if written is None else tried(written.formulas, claim.name)
    return in_names or (formula(claim, claim.rhs), formula_latex(claim, claim.rhs))
