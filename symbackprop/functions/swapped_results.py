"""Results whose values are right: in another order than the variables, or with other axes of length 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from symbackprop.core.indices import Size
from symbackprop.core.matrix import UNIT, ZERO_INDEX
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    neg,
)
from symbackprop.decide.outcomes import PROVED, REFUTED
from symbackprop.functions.claims import Claim, Setting, shown
from symbackprop.functions.repairs import code, placed
from symbackprop.functions.verdict import Repaired, Verdict

Decide = Callable[[Claim, Setting], Verdict]


def all_decided(claims: Sequence[Claim], setting: Setting, decide: Decide) -> list[Verdict]:
    """The verdicts of claims that are made together.  No other formula is looked for where the values are right."""
    if all(c.conforms for c in claims) and not any(may_swap(a, b, setting) for a, b in combinations(claims, 2)):
        return [decide(c, setting) for c in claims]
    plain = replace(setting, repair=False)
    verdicts = [decide(c, plain) for c in claims]
    wrong = [c for c, v in zip(claims, verdicts, strict=True) if v.status == REFUTED]
    found = {**dict(shapes(wrong, plain, decide)), **dict(swaps(wrong, plain, decide))}
    return [
        replace(v, mistake=found[c.name].mistake, repair=found[c.name]) if c.name in found
        else decide(c, setting) if v.status == REFUTED and setting.repair else v
        for c, v in zip(claims, verdicts, strict=True)
    ]  # fmt: skip


def shapes(wrong: Sequence[Claim], setting: Setting, decide: Decide) -> Iterator[tuple[str, Repaired]]:
    """Refuted claims that are proved without regard to axes of length 1."""
    for c in wrong:
        if not c.conforms and long_axes(c.found.shape) == long_axes(c.wanted):
            at = iter(c.axes)
            body = c.found.at(*(ZERO_INDEX if n == UNIT else next(at) for n in c.found.shape))
            other = replace(c, found=Tensor(placed(c), body))
            verdict = decide(other, setting)
            if verdict.status == PROVED:
                shape = f"{tuple_text(c.found.shape)} where {tuple_text(c.wanted)} is needed"
                mistake = f"axes of length 1 too many or too few, {shape}: the values are right"
                yield c.name, repaired(other, verdict, mistake)


def long_axes(shape: Sequence[Size]) -> list[Size]:
    return [n for n in shape if n != UNIT]


def tuple_text(shape: Sequence[Size]) -> str:
    return f"({shown(shape)}{',' if len(shape) == 1 else ''})"


def conform(a: Claim, b: Claim) -> bool:
    """Whether the shapes allow that each is the other's."""
    return a.needs_derivative and a.found.shape == b.wanted and b.found.shape == a.wanted


def may_swap(a: Claim, b: Claim, setting: Setting) -> bool:
    """Whether each may be the other's: of long claims their values at a point are looked at first."""
    if not conform(a, b) or setting.sweep is None or not setting.sweep.first:
        return conform(a, b)
    crossed = setting.sweep.of(a.name, a.lhs, b.found), setting.sweep.of(b.name, b.lhs, a.found)
    return all(c is None or not c.wrong for c in crossed)


def swaps(wrong: Sequence[Claim], setting: Setting, decide: Decide) -> Iterator[tuple[str, Repaired]]:
    """Which refuted claims are proved with the result of another one in place of their own."""
    for a, b in combinations(wrong, 2):
        if may_swap(a, b, setting):
            crossed = (replace(a, found=b.found), replace(b, found=a.found))
            verdicts = [decide(c, setting) for c in crossed]
            if all(v.status == PROVED for v in verdicts) and not only_signs(a, b, setting, decide):
                mistake = f"{a.name} and {b.name} are swapped"
                yield from ((c.name, repaired(c, v, mistake)) for c, v in zip(crossed, verdicts, strict=True))


def only_signs(a: Claim, b: Claim, setting: Setting, decide: Decide) -> bool:
    """Whether the two are each other's opposites, as of x - y: then a sign is the simpler mistake."""
    return all(decide(replace(c, found=opposite(c.found)), setting).status == PROVED for c in (a, b))


def opposite(t: Tensor) -> Tensor:
    return Tensor(t.axes, neg(t.body))


def repaired(claim: Claim, verdict: Verdict, mistake: str) -> Repaired:
    return Repaired(
        mistake, verdict.statement, verdict.statement_latex, code(claim, claim.rhs), claim.rhs, verdict.theorem,
        claim.wanted,
    )  # fmt: skip
