"""A gradient by reverse mode over the user's own intermediates, each variable's with its theorem."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from symbackprop.core.context import Context, Hypothesis
from symbackprop.core.indices import Index
from symbackprop.core.kernel import Proof
from symbackprop.core.sums import least_sizes
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, ProofError, SymbackpropError, indices
from symbackprop.gradients.lemmas import NotProved, opened, term_of
from symbackprop.gradients.matching import Matching
from symbackprop.gradients.reverse import Refused, Reverse
from symbackprop.gradients.sample import Sample, same
from symbackprop.gradients.theorem import GradientTheorem, Theorems
from symbackprop.gradients.wrong_line import WrongLine, find_wrong_lines
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.read.numpy import Declared, Node, record

ATTEMPTS = 12  # steps that may turn out to be no theorem before this is given up


@dataclass(frozen=True, slots=True)
class Derived:
    """`proofs` by variable: ∂L/∂x = the gradient of the sweep, not checked yet."""

    reverse: Reverse
    proofs: Mapping[str, Proof]
    shared: Theorems = field(repr=False)

    @property
    def theorems(self) -> dict[str, GradientTheorem]:
        """What the proofs prove, under the conditions and hypotheses they name.  Raises ProofError."""
        return {v: self.theorem(v) for v in self.proofs}

    def theorem(self, variable: str, kept: Collection[Array] = ()) -> GradientTheorem:
        return self.shared.theorem(variable, kept=kept)

    def proof(self, variable: str) -> tuple[Proof, Context]:
        return self.proofs[variable], self.shared.context

    def plain(self, node: Node) -> Tensor:
        """The entries of a node in terms of the variables alone."""
        _, at = indices(node.shape, "i")
        whole = tuple(Index(f"i{k}", s) for k, s in enumerate(node.shape))
        context = self.shared.known.context
        return Tensor(whole, opened(node.value.term(at), tuple(context.definitions), context)[0])

    def flat(self, variable: str) -> Tensor:
        """A gradient in terms of the variables alone."""
        g = self.reverse.gradients[variable]
        if isinstance(g, Node):
            return self.plain(g)
        shape = self.reverse.graph.inputs[variable].shape
        return Tensor(tuple(Index(f"i{k}", s) for k, s in enumerate(shape)), term_of(g, ()))


def derived(
    forward: Callable[..., Any],
    declared: Mapping[str, Declared],
    variables: Sequence[str],
    values: Mapping[str, Any] | None = None,
    upstream: Sequence[str] | None = None,
    hypotheses: Mapping[str, Hypothesis] | None = None,
    avoid: Collection[str] = (),
) -> Derived:
    """The gradients of `forward` by the variables, with their proofs; compact forms that are to be avoided by name.

    A compact form that is not proved is taken back for the rules, a rule for the formula of the derivative.  Raises
    TraceError where the forward cannot be read, SymbackpropError where a step is not proved.
    """
    refused = Refused(avoid)

    def attempt() -> Derived:
        graph = record(forward, {**(values or {}), **declared}, hypotheses, least_sizes((hypotheses or {}).values()))
        shared = Theorems(Reverse(graph, declared, variables, upstream, refused), hypotheses)
        return Derived(shared.reverse, {v: shared.proof(v) for v in variables}, shared)

    try:
        return without_what_fails(attempt, refused)
    except NotProved as problem:
        node = problem.step.node
        raise SymbackpropError(f"{place(node.line)}the step of {node} is not proved") from problem


T = TypeVar("T")


def without_what_fails(attempt: Callable[[], T], refused: set[tuple[int, str]]) -> T:
    """The attempt again and again, each time without a step that turned out to be no theorem.

    Raises NotProved where that is not to be done without, and where there are too many.
    """
    for n in range(ATTEMPTS):
        try:
            return attempt()
        except NotProved as problem:
            key = problem.step.node.number, problem.how
            if key in refused or n == ATTEMPTS - 1:
                raise
            refused.add(key)
    raise AssertionError


def place(line: tuple[str, int] | None) -> str:
    return "" if line is None else f"{line[0]}:{line[1]}: "


# --- a backward function against the derived gradient, node by node ---
# The backward runs on the same arrays as the forward, into the same graph.  Each of its nodes whose value is that of an
# earlier node is proved equal to it, inputs first, with what was proved before as names; as is done for circuits.  At
# the end its results are the derived gradients, and the chain is one theorem.  Where a value has no partner, the first
# line that made it wrong is looked for.


KeyOf = Callable[[Iterable[str], str], str | None]


class BackwardCheck:
    """A backward function in the graph of its forward; what is asked of it is worked out then, and once.

    `names` are the parameters of the backward, `key_of` says under which key of a dict a variable's gradient stands.
    Raises TraceError where a function cannot be read, SymbackpropError where its results are not one for each variable
    or the gradient cannot be derived.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        declared: Mapping[str, Declared],
        variables: Sequence[str],
        values: Mapping[str, Any] | None = None,
        upstream: Sequence[str] = (),
        hypotheses: Mapping[str, Hypothesis] | None = None,
        names: Sequence[str] = (),
        key_of: KeyOf | None = None,
    ) -> None:
        self.key_of = key_of
        self.forward, self.backward, self.variables = forward, backward, tuple(variables)
        self.given = {**(values or {}), **declared}
        self.inputs = {n: d for n, d in self.given.items() if n not in upstream}
        self.known = {n: d for n, d in declared.items() if n not in upstream}
        self.upstream, self.hypotheses, self.names = tuple(upstream), dict(hypotheses or {}), names
        self.refused: set[tuple[int, str]] = set()
        self.run()

    def run(self) -> None:
        """Both functions, without the compact forms and rules that were refused."""
        graph = record(self.forward, self.inputs, self.hypotheses, least_sizes(self.hypotheses.values()))
        self.reverse = Reverse(graph, self.known, self.variables, self.upstream, self.refused)
        self.results = self.results_of(self.backward)

    def results_of(self, backward: Callable[..., Any]) -> dict[str, Node]:
        """What a backward function returns on the arrays of the graph, by variable."""
        reverse = self.reverse
        by_name = {**reverse.graph.inputs, **{str(u.name): u for u in reverse.upstream.values()}}
        arguments = {n: by_name.get(n, self.given.get(n)) for n in self.names if n in by_name or n in self.given}
        return by_variable(reverse.graph.run(backward, arguments), self.variables, self.key_of)

    def again(self, backward: Callable[..., Any]) -> BackwardCheck:
        """Another backward function in the same graph."""
        return self.returning(self.results_of(backward))

    def returning(self, results: Mapping[str, Node]) -> BackwardCheck:
        """The same for other results."""
        other = copy(self)
        for name in ("wrong", "lines", "matching"):
            other.__dict__.pop(name, None)
        other.results, other.variables = dict(results), tuple(results)
        return other

    @cached_property
    def wrong(self) -> tuple[str, ...]:
        """The variables whose values differ at a point."""
        return tuple(v for v in self.variables if not agrees(self.reverse, v, self.results[v]))

    @cached_property
    def lines(self) -> dict[str, WrongLine]:
        """The first wrong line by variable, where one is found."""
        try:
            return find_wrong_lines(self.reverse, self.results, self.wrong) if self.wrong else {}
        except Undefined:
            return {}

    @cached_property
    def matching(self) -> Matching | None:
        """None where steps of the derived gradient are not proved."""
        before = len(self.refused)

        def attempt() -> Matching:
            if len(self.refused) > before:
                self.run()
            right = {v: r for v, r in self.results.items() if v not in self.wrong}
            return Matching(self.reverse, right, self.hypotheses)

        try:
            return without_what_fails(attempt, self.refused)
        except NotProved:
            return None

    def theorem(self, variable: str, kept: Collection[Array] = ()) -> GradientTheorem | None:
        """None where it is not proved; its conditions are on the variables and on the nodes that are `kept`."""
        try:
            return None if variable in self.wrong or self.matching is None else self.matching.theorem(variable, kept)
        except (ProofError, NotProved):
            return None

    def proof(self, variable: str) -> tuple[Proof, Context] | None:
        """The same not checked yet, with the context that it is under."""
        try:
            if variable in self.wrong or self.matching is None:
                return None
            return self.matching.proof(variable), self.matching.shared.context
        except (ProofError, NotProved):
            return None


def by_variable(found: Any, variables: Sequence[str], key_of: KeyOf | None = None) -> dict[str, Node]:
    """Results as one array, a sequence in the order of the variables, or a dict by name."""
    if isinstance(found, dict):
        keys = {v: v if v in found or key_of is None else key_of(map(str, found), v) for v in variables}
        results = {v: found.get(keys[v]) for v in variables}
    else:
        items = found if isinstance(found, tuple | list) else (found,)
        results = dict(zip(variables, items, strict=False)) if len(items) == len(variables) else {}
    nodes = {v: r for v, r in results.items() if isinstance(r, Node)}
    if set(nodes) != set(variables):
        raise SymbackpropError("the backward function does not return one array for each variable")
    return nodes


def agrees(reverse: Reverse, variable: str, result: Node, sample: Sample | None = None) -> bool:
    sample = sample or reverse.sample
    try:
        wanted = sample.of(reverse.gradients[variable])
        return same(np.broadcast_to(wanted, sample.shape(result.shape)), sample.of(result))
    except (Undefined, ValueError):
        return True  # nothing is known: let the proof decide
