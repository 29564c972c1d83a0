"""The sentences that two traced functions make: for each variable one equation between index terms.

A backward function claims vector-Jacobian products of all outputs together.  A `Setting` is what all claims of a
request share.  Below it the claims, and what became of them, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from time import monotonic
from typing import Any

from symbackprop.clock import LIMIT
from symbackprop.core.context import Context, Hypothesis, Same, Statement
from symbackprop.core.indices import EVERY_SIZE, Index, IndexExpr, Size, SymbackpropError
from symbackprop.core.matrix import UNIT, ZERO_INDEX
from symbackprop.core.sums import least_sizes
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Diff, Entry, Term, add, indices, mul, sum_over
from symbackprop.decide.decide import Decision, Problem
from symbackprop.decide.outcomes import Condition
from symbackprop.functions.request import Request, called, flattened, gradient_of
from symbackprop.functions.sweep import Proving, Sweep, by_matching, named_by, offered, tried
from symbackprop.gradients.claimed import NamedClaim
from symbackprop.gradients.derived import BackwardCheck
from symbackprop.prove.cases import CONDITION, POINT, Missing
from symbackprop.prove.cases import VALUE as NO_VALUE
from symbackprop.prove.equality import Prover
from symbackprop.prove.statements import Showing
from symbackprop.read.numpy import Declared
from symbackprop.write.paper.array_text import ArrayText, equation, latex, predicate_text, symbols
from symbackprop.write.paper.naming import Named, with_names

REPAIRS = 0.4  # of the time for a claim, for the repairs of all claims together


@dataclass(slots=True)
class Repairing:
    """The time that repairs have: as long as all else took, and some seconds at least; a little for each of them."""

    began: float = field(default_factory=monotonic)
    spent: float = 0.0

    def left(self, seconds: float) -> float:
        elapsed = monotonic() - self.began - self.spent
        return max(max(REPAIRS * seconds, elapsed) - self.spent, REPAIRS * seconds / 10)


@dataclass(frozen=True, slots=True)
class Setting:
    """What all claims of a request share; `seconds` are for each, `ways` how their equations may be proved besides.

    `sweep` is the `Sweep` of the request where its claims are gradients; counterexamples that are not to be shown need
    not be `small`.
    """

    hypotheses: tuple[Hypothesis, ...] = ()
    shapes: Mapping[Array, tuple[Size, ...]] = field(default_factory=dict)
    rounded: tuple[tuple[float, Fraction], ...] = ()
    domains: Mapping[str, str] = field(default_factory=dict)
    repair: bool = True
    seconds: float = LIMIT
    ways: tuple[Prover, ...] = ()
    sweep: Sweep | None = None
    small: bool = True
    repairing: Repairing = field(default_factory=Repairing)

    @property
    def context(self) -> Context:
        """The hypotheses by name."""
        named = {f"h{k}": h for k, h in enumerate(self.hypotheses, 1)}
        return Context(hypotheses=named, least=least_sizes(self.hypotheses) if named else EVERY_SIZE)


@dataclass(frozen=True, slots=True)
class Claim:
    """lhs = rhs for all values of `axes`, where `lhs` has the derivatives; or shapes that already differ.

    `wanted` is the shape that the result should have and `found` what came, with its entries.  `forward` holds the
    arrays that must have a value for the claim to say anything.  `places` say which output and which result it is
    about, where the name does not.
    """

    name: str
    lhs: Term
    found: Tensor
    wanted: tuple[Size, ...]
    axes: tuple[Index, ...]
    at: tuple[IndexExpr, ...]
    forward: tuple[Tensor, ...]
    label: str
    label_latex: str
    inputs: Mapping[str, Declared]
    sides: tuple[str, str] = ("derivative", "backward")
    places: tuple[int, int] | None = None

    @property
    def conforms(self) -> bool:
        return self.found.shape == self.wanted

    @property
    def rhs(self) -> Term:
        return self.found.at(*self.at)

    @property
    def lengths(self) -> list[Size]:
        """The sizes of all axes that occur."""
        return [n for d in self.inputs.values() for n in d.shape]

    @property
    def needs_derivative(self) -> bool:
        return isinstance(self.lhs, Diff)


def problem_of(claim: Claim, setting: Setting) -> Problem:
    """What is to be proved, with nothing but the reading of it."""
    forward = tuple(t.body for t in claim.forward)
    rhs = claim.rhs if claim.conforms else claim.lhs
    statement = Statement(claim.lhs, rhs, setting.context, forward, tuple(claim.lengths))
    return Problem(
        statement, claim.axes, setting.shapes, setting.domains, setting.rounded, ways=setting.ways, small=setting.small
    )  # fmt: skip


def named_problem(claim: Claim, setting: Setting, check: BackwardCheck | None = None) -> Problem | None:
    """The same with its intermediates as definitions, to be proved by matching; None where that cannot be said."""
    if check is None and setting.sweep is not None and claim.conforms:
        check = setting.sweep.of(claim.name, claim.lhs, claim.found)
    named = named_by(check, claim.name) if check is not None else None
    if named is None or check is None:
        return None
    return in_names(named, check, claim, setting, None if setting.sweep is None else setting.sweep.showing)


def in_names(named: NamedClaim, source: Proving, claim: Claim, setting: Setting, showing: Showing | None) -> Problem:
    context = Context(named.definitions, setting.context.hypotheses, setting.context.least)
    return Problem(
        Statement(named.lhs, named.rhs, context, named.forward, tuple(claim.lengths)), named.axes, setting.shapes,
        setting.domains, setting.rounded, ways=(by_matching(source, named),), offered=offered(source, named),
        showing=showing,
    )  # fmt: skip


def by_variable(request: Request, outputs: Any) -> dict[str, Tensor]:
    """The result as one array, a sequence in the order of the variables, or a dict by name."""
    where = called(request.backward) if request.backward is not None else "the function"
    variables = request.variables
    if isinstance(outputs, Mapping):
        keys = {v: v if v in outputs else gradient_of(map(str, outputs), v) for v in variables}
        for v in variables:
            if keys[v] is None:
                raise SymbackpropError(
                    f"{request.asked}: {where} returns no gradient {v!r} "
                    f"(it has {', '.join(map(str, outputs)) or 'none'}); wrt= names those to check"
                )
        return {v: single(outputs[keys[v]], where, v) for v in variables}
    items = list(outputs) if isinstance(outputs, tuple | list) else [outputs]
    if len(items) != len(variables):
        raise SymbackpropError(
            f"{request.asked}: {where} returns {counted(len(items), 'array')} for "
            f"{counted(len(variables), 'variable')} ({', '.join(variables)}); wrt= names those to check"
        )
    return {v: single(item, where, v) for v, item in zip(variables, items, strict=True)}


def single(item: Any, where: str, name: str) -> Tensor:
    if isinstance(item, Tensor):
        return item
    what = "nothing" if item is None else f"{item!r}" if isinstance(item, str) else f"a {type(item).__name__}"
    raise SymbackpropError(f"{where} returns {what} for {name!r} where an array is needed")


def counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def shown(shape: Sequence[Size]) -> str:
    return ", ".join(map(str, shape))


def partial_latex(of: str, name: str) -> str:
    return rf"\frac{{\partial {of}}}{{\partial {name}}}"


def gradient_claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
    """∂(Σ upstream * output)/∂variable = what backward returns.  `note` sees each trace."""
    forward = request.outputs()
    note(forward)
    outputs = flattened(forward.outputs, called(request.forward))
    upstream = request.extra
    if upstream and len(upstream) != len(outputs):
        raise SymbackpropError(
            f"{request.asked}: the forward function has {counted(len(outputs), 'output')}, the backward function takes "
            f"{counted(len(upstream), 'upstream gradient')} ({', '.join(upstream)}): one for each output is needed"
        )
    if not upstream and any(t.axes for t in outputs):
        raise SymbackpropError(
            f"{request.asked}: the forward function returns an array of shape ({shown(outputs[0].shape)}), so the "
            "backward function needs a parameter for its upstream gradient (or use check_jacobian)"
        )
    if not upstream and len(outputs) > 1:
        raise SymbackpropError(f"{request.asked}: several outputs need an upstream gradient for each")
    for g, t in zip(upstream, outputs, strict=bool(upstream)):
        if g in request.declared and request.declared[g].shape != t.shape:
            raise SymbackpropError(
                f"{request.asked}: the upstream gradient {g!r} has shape ({request.declared[g]}) and its output "
                f"({shown(t.shape)})"
            )
    more = {g: Declared(t.shape) for g, t in zip(upstream, outputs, strict=bool(upstream)) if g not in request.declared}
    backward = request.result(more)
    note(backward)
    found = by_variable(request, backward.outputs)
    loss = objective(outputs, upstream)
    inputs = {**request.declared, **more, **forward.draws, **backward.draws}
    return [gradient_claim(v, loss, found[v], outputs, inputs) for v in request.variables]


def gradient_claim(
    variable: str, loss: Term, found: Tensor, outputs: Sequence[Tensor], inputs: Mapping[str, Declared]
) -> Claim:
    shape = inputs[variable].shape
    axes, at = indices(shape, "w")
    lhs, latex = Diff(loss, Entry(Array(variable), at)), partial_latex("L", variable)
    return Claim(variable, lhs, found, shape, axes, at, tuple(outputs), f"∂L/∂{variable}", latex, inputs)


def objective(outputs: Sequence[Tensor], upstream: Sequence[str]) -> Term:
    """Σ over outputs of Σ upstream * output, whose gradient is the vector-Jacobian product."""
    if not upstream:
        return outputs[0].body
    parts: list[Term] = []
    for g, t in zip(upstream, outputs, strict=True):
        at = tuple(ZERO_INDEX if i.size == UNIT else i for i in t.axes)
        kept = tuple(i for i in t.axes if i.size != UNIT)
        parts.append(sum_over(kept, mul(Entry(Array(g), at), t.at(*at))))
    return add(*parts)


# --- claims and what became of them in words: the formula as text and LaTeX, what is missing of a proof ---


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
