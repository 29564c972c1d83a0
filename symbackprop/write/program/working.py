"""A local derivative worked out law by law, as on paper; the kernel checks each law, and the page how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symbackprop.core.context import EMPTY
from symbackprop.core.functions import FUNCTIONS
from symbackprop.core.kernel import check
from symbackprop.core.laws.derivatives import ARRAY_FUNCTIONS
from symbackprop.core.terms import (
    Apply,
    Array,
    Diff,
    Entry,
    Holds,
    Mul,
    Power,
    ProofError,
    Term,
    Whole,
    arrays,
    subterms,
)
from symbackprop.prove.rewriting import Rule, chain_rule, constants_out, first_of, independence, linearity, repeated
from symbackprop.prove.tidying import Tidy

from .parts import has_delta

Said = Callable[[Array], str]

TERM_BY_TERM: Rule = repeated(first_of(linearity, constants_out))
THROUGH: Rule = repeated(first_of(chain_rule, linearity, constants_out))
ENTRIES: Rule = repeated(independence)


def worked(body: Term, wrt: Entry, result: Term, said: Said) -> list[tuple[Term, str]]:
    """From ∂(body)/∂wrt to the result, each with the reason for it; nothing where no law says all of it.

    `said` gives the name of an array as it stands in a reason.
    """
    lines: list[tuple[Term, str]] = [(Diff(body, wrt), "")]
    if any(isinstance(s, Holds) and wrt.array in arrays(s) for s in subterms(body)):
        return []
    try:
        for rule, reason in ((TERM_BY_TERM, of_terms), (THROUGH, of_functions), (ENTRIES, of_entries)):
            term = lines[-1][0]
            found = rule(term, EMPTY)
            if found is not None:
                why = reason(term, wrt, said)
                equation = check(found[1], EMPTY)
                if equation.lhs != term or equation.rhs != found[0]:
                    raise ProofError("another equation was proved")
                lines.append((found[0], why))
    except ProofError:
        return []
    if is_open(lines[-1][0]):
        return []
    return [*lines, *ending(lines[-1][0], result, said)]


def is_open(t: Term) -> bool:
    """A derivative is still to be worked out in it."""
    return any(isinstance(s, Diff) for s in subterms(t))


def ending(last: Term, result: Term, said: Said) -> Iterator[tuple[Term, str]]:
    contracted = Tidy()(last)
    more = sorted(arrays(result) - arrays(last), key=str)
    if has_delta(last) and (more or contracted != Tidy()(result)):
        yield contracted, "the deltas contract"
    elif not more:
        yield result, "the deltas contract" if has_delta(last) else "put together"
        return
    yield result, f"the definition of {listed([said(a) for a in more])}, read backwards" if more else "put together"


# --- reasons -------------------------------------------------------------------------------------


def of_terms(t: Term, wrt: Entry, said: Said) -> str:
    assert isinstance(t, Diff)
    products = [s for s in subterms(t.body) if isinstance(s, Mul)]
    if any(sum(wrt.array in arrays(a) for a in s.args) > 1 for s in products):
        return "the product rule"
    others = [said(a) for a in sorted(arrays(t.body) - {wrt.array}, key=str)]
    if not others:
        return "the derivative of a sum is the sum of the derivatives"
    return f"{listed(others)} {'does' if len(others) == 1 else 'do'} not depend on {said(wrt.array)}"


def of_functions(t: Term, wrt: Entry, said: Said) -> str:
    """The chain rule, with the derivatives of the functions that it is used for."""
    inner = [s.body for s in subterms(t) if isinstance(s, Diff)]
    inside = [s for b in inner for s in subterms(b) if wrt.array in arrays(s)]
    functions = dict.fromkeys(s.fn for s in inside if isinstance(s, Apply))
    reasons = [FUNCTIONS[f].slope if f in FUNCTIONS else f"the derivative of {f}" for f in functions]
    reasons += ["the chain rule"] * any(isinstance(s, Whole) and s.fn not in ARRAY_FUNCTIONS for s in inside)
    powers = [s for s in inside if isinstance(s, Power)]
    reasons += ["the rule of reciprocals"] * any(s.exponent < 0 for s in powers)
    reasons += ["the power rule"] * any(s.exponent > 0 for s in powers)
    nested = any(isinstance(s, Apply | Power) and not isinstance(base_of(s), Entry) for s in inside)
    return ("the chain rule: " if nested and reasons else "") + (listed(reasons) or "term by term")


def base_of(t: Apply | Power) -> Term:
    return t.arg if isinstance(t, Apply) else t.base


def of_entries(t: Term, wrt: Entry, said: Said) -> str:
    del t
    return f"the entries of {said(wrt.array)} are independent of each other" if wrt.at else "a variable by itself"


def listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


__all__ = ["is_open", "worked"]
