"""Results of another shape than the variables, in another order, or another gradient than the one that is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, Size, SymbackpropError
from symbackprop.core.matrix import UNIT, ZERO_INDEX
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Delta, Diff, Entry, Term, add, mul, neg, num, subterms
from symbackprop.decide.outcomes import PROVED, REFUTED
from symbackprop.functions.claims import Claim, Setting
from symbackprop.functions.repairs import code, placed
from symbackprop.functions.request import Request
from symbackprop.functions.verdict import Repaired, Verdict
from symbackprop.numbers.refute.report import ShapeExample

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


# --- refuted by sizes, the smallest that show it ---


def wrong_shape(claim: Claim) -> Verdict:
    sizes = first_difference(claim)
    wanted, found = (numbers(s, sizes) for s in (claim.wanted, claim.found.shape))
    message = f"the result has shape {tuple_text(found)} where {claim.name} needs {tuple_text(wanted)}"
    stretched = broadcasts(found, wanted)
    if stretched:
        message += "; it would be broadcast when it is added"
    example = ShapeExample(sizes, message)
    kind = "the result has another shape than the variable"
    if len(claim.found.axes) == 0 and claim.wanted:
        kind = "the result is a scalar where an array is needed"
    elif sorted(map(str, claim.found.shape)) == sorted(map(str, claim.wanted)):
        kind = "result transposed"
    elif [s for s in map(str, claim.found.shape) if s != "1"] == [s for s in map(str, claim.wanted) if s != "1"]:
        kind = "axes of length 1 too many or too few"
    return Verdict(REFUTED, counterexample=example, mistake=kind)


def first_difference(claim: Claim) -> dict[str, int]:
    symbols = tuple(dict.fromkeys(s for n in (*claim.wanted, *claim.found.shape) for s in n.symbols))
    best: dict[str, int] | None = None
    for sizes in small_sizes(symbols):
        try:
            wanted, found = numbers(claim.wanted, sizes), numbers(claim.found.shape, sizes)
        except ValueError:
            continue
        if wanted != found:
            return sizes
        best = best or sizes
    return best or dict.fromkeys(symbols, 2)


def small_sizes(symbols: Sequence[str], top: int = 3) -> Iterator[dict[str, int]]:
    """By total, then in order; few when there are many symbols."""
    if len(symbols) > 6:
        yield dict.fromkeys(symbols, 2)
        yield {s: 2 + k % 3 for k, s in enumerate(symbols)}
        return
    for values in sorted(product(range(1, top + 1), repeat=len(symbols)), key=lambda v: (sum(v), v)):
        yield dict(zip(symbols, values, strict=True))


def numbers(shape: Sequence[Size], sizes: dict[str, int]) -> tuple[int, ...]:
    found = tuple(n.at(sizes) for n in shape)
    if any(n < 0 for n in found):
        raise ValueError("a negative size")
    return found


def broadcasts(found: Sequence[int], wanted: Sequence[int]) -> bool:
    pairs = zip(reversed(found), reversed(wanted), strict=False)
    return len(found) <= len(wanted) and all(a in (1, b) for a, b in pairs)


def tuple_text(shape: Sequence[int | Size]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


# --- the gradient by a symmetric matrix: which of three is meant ---


AMBIENT, SYMMETRIC, ENTRIES = "ambient", "symmetric", "entries"
MEANT = {
    AMBIENT: "{} is symmetric: this is the gradient G among all matrices, taken there",
    SYMMETRIC: "{} is symmetric: this is the gradient among symmetric matrices, (G + Gᵀ)/2",
    ENTRIES: "{} is symmetric: this is the derivative by its entries on and below the diagonal, G + Gᵀ - diag G",
}
INSTEAD = {
    SYMMETRIC: "the gradient among symmetric matrices, (G + Gᵀ)/2, where the one among all matrices is asked",
    ENTRIES: "the derivative by the free entries of a symmetric matrix, where the gradient among all matrices is asked",
}


def kinds_of_gradients(
    request: Request, claims: Sequence[Claim], hypotheses: Sequence[Hypothesis], meant: Mapping[str, str]
) -> dict[str, str]:
    """For each symmetric variable which gradient the claim is about.

    Raises SymbackpropError for a kind that there is not, and for a variable that is not symmetric.
    """
    symmetric = [c.name for c in claims if symmetric_in(hypotheses, c.name) and first_derivative(c)]
    for name, kind in meant.items():
        if kind not in MEANT:
            kinds = ", ".join(MEANT)
            raise SymbackpropError(f"{request.asked}: the gradient by {name} is one of {kinds}, not {kind!r}")
        if name not in symmetric:
            raise SymbackpropError(f"{request.asked}: {name} is not symmetric: say {name} == {name}.T in assuming")
    return {name: meant.get(name, AMBIENT) for name in symmetric}


def first_derivative(claim: Claim) -> bool:
    return isinstance(claim.lhs, Diff) and not any(isinstance(s, Diff) for s in subterms(claim.lhs.body))


def symmetric_in(hypotheses: Iterable[Hypothesis], name: str) -> bool:
    """Whether A_ij = A_ji is assumed."""
    for h in hypotheses:
        match h:
            case Same(Entry(a, (i, j)), Entry(b, at)) if a == b and a.name == name and at == (j, i):
                if isinstance(i, Index) and isinstance(j, Index):
                    return True
    return False


def as_meant(claim: Claim, kind: str) -> Claim:
    """The claim about another gradient by the same matrix."""
    match claim.lhs:
        case Diff(loss, Entry(array, (i, j))) if kind != AMBIENT and isinstance(i, Index) and isinstance(j, Index):
            g, transposed = claim.lhs, Diff(loss, Entry(array, (j, i)))
            term: Term = mul(num(Fraction(1, 2)), add(g, transposed))
            if kind == ENTRIES:
                term = add(g, transposed, neg(mul(Delta(i, j), g)))
            return replace(claim, lhs=term)
        case _:
            return claim


def explained(claim: Claim, verdict: Verdict, kind: str, decide: Callable[[Claim], Verdict]) -> Verdict:
    """The verdict with what is meant, and what the claim is where it is another gradient than that."""
    note = MEANT[kind].format(claim.name)
    if verdict.status == REFUTED and kind == AMBIENT and claim.conforms:
        for other, text in INSTEAD.items():
            if decide(as_meant(claim, other)).status == PROVED:
                hint = f"symmetric={{{claim.name!r}: {other!r}}} asks for it"
                return replace(verdict, mistake=text, reason=hint, notes=(*verdict.notes, note))
    return replace(verdict, notes=(*verdict.notes, note))
