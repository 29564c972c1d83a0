"""A gradient by reverse mode over the user's own intermediates, each variable's with its theorem."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symbackprop.core.context import Hypothesis
from symbackprop.core.indices import Index
from symbackprop.core.kernel import Proof
from symbackprop.core.sums import least_sizes
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import SymbackpropError
from symbackprop.gradients.lemmas import NotProved, indices, lengths, opened, term_of
from symbackprop.read.numpy import Declared, Node, record

from .reverse import Refused, Reverse
from .theorem import GradientTheorem, Theorems

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
        return {v: self.shared.theorem(v) for v in self.proofs}

    def plain(self, node: Node) -> Tensor:
        """The entries of a node in terms of the variables alone."""
        _, at = indices(node.shape, "i")
        whole = tuple(Index(f"i{k}", s) for k, s in enumerate(node.shape))
        context = self.shared.known.context
        return Tensor(whole, opened(node.value.term(at), tuple(context.definitions), context)[0])

    def length(self) -> int:
        """How many terms the outputs and gradients have in the variables alone."""
        of = lengths(self.shared.known.definitions)
        gradients = [g for g in self.reverse.gradients.values() if isinstance(g, Node)]
        return sum(of(n.entries.body) for n in (*self.reverse.graph.outputs, *gradients))

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
    for _ in range(ATTEMPTS):
        graph = record(forward, {**(values or {}), **declared}, hypotheses, least_sizes((hypotheses or {}).values()))
        reverse = Reverse(graph, declared, variables, upstream, refused)
        try:
            shared = Theorems(reverse, hypotheses)
            return Derived(reverse, {v: shared.proof(v) for v in variables}, shared)
        except NotProved as problem:
            step = problem.step
            if (step.node.number, problem.how) in refused:
                raise SymbackpropError(f"{place(step.node.line)}the step of {step.node} is not proved") from problem
            refused.add((step.node.number, problem.how))
    raise SymbackpropError("too many steps are not proved")


def place(line: tuple[str, int] | None) -> str:
    return "" if line is None else f"{line[0]}:{line[1]}: "
