"""Every gradient of a dense network proved, for the widths and the batch size as they are, symbols or numbers.

`prove_network` takes a layer at a time, with named intermediates: what comes after Z^l is C, an abstract
differentiable function of Z^l, and δ^l = ∂C/∂Z^l.  The last signal is proved from the cost itself, every other from
the one after it, and the gradients from the signals; the work grows with the number of layers.
`prove_through` (in `through.py`) proves one gradient of the whole cost in a single theorem.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from symbackprop.core.context import Context, Equation, Same
from symbackprop.core.indices import Index, ProofError, Size, SymbackpropError, sized
from symbackprop.core.kernel import By, Flip, Linear, Proof, check
from symbackprop.core.matrix import Leaf, Matrix, entry, shape
from symbackprop.core.terms import ONE, Delta, Diff, Entry, Term, mul, over, sub
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.normal import Normal
from symbackprop.prove.normal_form.session import joined

from .activations import Softmax
from .dense import DenseNetwork
from .derivation import definition, settled
from .layers import loss_of, slope_form
from .rules import (
    Rewrite,
    Rule,
    chain_rule,
    constants_out,
    everywhere,
    first_of,
    independence,
    linearity,
    repeated,
    through_definition,
    unfolding,
    using,
    vanishing,
)

DOWNSTREAM = "C"  # what comes after a layer
TARGETS = "targets sum to one"


@dataclass(frozen=True, slots=True)
class Theorem:
    """∂(cost)/∂(variable) is `form`, entry by entry; `name` says which of the network's equations it is."""

    name: str
    variable: Leaf
    form: Matrix
    context: Context
    proof: Proof
    equation: Equation


def prove_network(net: DenseNetwork) -> list[Theorem]:
    """For each layer from the last to the first δ^l, ∂C/∂W^l and ∂C/∂b^l, as the network writes them.

    Widths and batch sizes that are numbers become symbols: what is proved for all sizes holds for these.
    Raises SymbackpropError, naming the equation, where one is not proved.
    """
    net = generalised(net)
    question = _Question(net)
    signals = {leaf.array: form for leaf, form in net.deltas()}
    gradients = {leaf.array: form for leaf, form in net.gradients()}
    found: list[Theorem] = []
    for l in range(net.depth, 0, -1):
        found.append(question.prove(net.z(l), signals[net.delta(l).array]))
        found += [question.prove(leaf, gradients[leaf.array]) for leaf in (net.w(l), net.b(l))]
    return found


def generalised(net: DenseNetwork) -> DenseNetwork:
    """The network with a new size symbol for each number among its widths and for its batch size."""
    known = {name for n in (*net.widths, *([net.batch] if net.batch is not None else [])) for name in n.symbols}

    def symbol(name: str) -> Size:
        while name in known:
            name += "'"
        return sized(name)

    widths = tuple(symbol(f"n_{l}") if n.constant is not None else n for l, n in enumerate(net.widths))
    batch = symbol("N") if net.batch is not None and net.batch.constant is not None else net.batch
    return replace(net, widths=widths, batch=batch)


def prove_equation(net: DenseNetwork, variable: Leaf, form: Matrix, *, any_targets: bool = False) -> Theorem:
    """∂C/∂variable = form for a form of one's own.

    The variable is W^l, b^l or Z^l, and the form may use δ^l (for Z^l, δ^{l+1}).  With `any_targets` nothing is assumed
    of the targets; else those of cross-entropy on softmax sum to one for each sample.

    Raises SymbackpropError where it is not proved.
    """
    return _Question(net, any_targets).prove(variable, form)


def remainder(net: DenseNetwork, variable: Leaf, form: Matrix, *, any_targets: bool = False) -> Term:
    """The normal form of ∂C/∂variable - form: 0 when the claim holds, else a counterexample waiting for values."""
    question = _Question(net, any_targets)
    cost, context, _ = question.about(variable)
    row, column = (Index(letter, n) for letter, n in zip("rc", variable.shape, strict=True))
    derivative, _ = differentiate(cost, entry_of(variable, row, column), context, Names())
    return Normal(context).of(sub(derivative, entry(form, row, column)))[0]


class _Question:
    """What ∂C/∂variable means in one network: the cost, what is defined, and what is known."""

    def __init__(self, net: DenseNetwork, any_targets: bool = False) -> None:
        self.net, self.any_targets = net, any_targets
        self.forward = {leaf.array: (leaf, form) for leaf, form in net.forward()}

    def about(self, variable: Leaf) -> tuple[Term, Context, Leaf | None]:
        """(C, its context, δ): the last Z has the cost itself, another Z what comes after the next, W and b what
        comes after their Z."""
        net, label = self.net, variable.array.label
        l = None if label is None else label.constant
        if l is None or not 1 <= l <= net.depth or variable not in (net.w(l), net.b(l), net.z(l)):
            raise SymbackpropError(f"{variable.array} is no W^l, b^l or Z^l of the network")
        z, a = net.z(l), net.a(l)
        if variable != z:
            after = definition(net.delta(l), slope_form(z, DOWNSTREAM))
            return loss_of(z, DOWNSTREAM), Context(dict((definition(*self.forward[z.array]), after))), net.delta(l)
        parts = [definition(*self.forward[a.array])]
        if l == net.depth:
            assumed = net.needs_targets_sum_one and not self.any_targets
            return net.cost(), Context(dict(parts), targets(net) if assumed else {}), None
        above, delta = net.z(l + 1), net.delta(l + 1)
        parts += [definition(*self.forward[above.array]), definition(delta, slope_form(above, DOWNSTREAM))]
        return loss_of(above, DOWNSTREAM), Context(dict(parts)), delta

    def prove(self, variable: Leaf, form: Matrix) -> Theorem:
        """The derivative by the laws, and that it is the claimed form: as sums of products first, by search last."""
        net, name = self.net, self.name(variable)
        if shape(form) != variable.shape:
            raise SymbackpropError(f"{name}: the form is {shape(form)[0]}×{shape(form)[1]}, not as its variable")
        cost, context, delta = self.about(variable)
        row, column = (Index(letter, n) for letter, n in zip("rc", variable.shape, strict=True))
        wrt, claimed = entry_of(variable, row, column), entry(form, row, column)
        derivative, by_laws = derived(cost, wrt, context, self.lemmas(variable))
        opened = None if delta is None else everywhere(claimed, unfolding(delta.array), context)
        target = claimed if opened is None else opened[0]
        for proof in steps(derivative, target, context, net, wrt):
            whole = joined(by_laws, proof, None if opened is None else Flip(opened[1]))
            try:
                whole, equation = settled(whole, context)
            except ProofError:
                continue
            if equation.lhs == Diff(cost, wrt) and equation.rhs == claimed:
                return Theorem(name, variable, form, context, whole, equation)
        raise SymbackpropError(f"{name} is not proved: the claimed form may be wrong")

    def lemmas(self, variable: Leaf) -> list[Rule]:
        l = variable.array.label.constant if variable.array.label is not None else None
        softmax = l is not None and isinstance(self.net.activations[l - 1], Softmax)
        return [softmax_jacobian(self.net, l)] if softmax and l is not None and variable == self.net.z(l) else []

    def name(self, variable: Leaf) -> str:
        l = variable.array.label
        return f"δ^{l}" if variable.array.name.lower() == "z" else f"∂C/∂{variable.array.name}^{l}"


def derived(cost: Term, wrt: Entry, context: Context, lemmas: list[Rule]) -> Rewrite:
    """∂cost/∂wrt without `Diff`, with its proof; lemmas are used where they apply."""
    if not lemmas:
        return differentiate(cost, wrt, context, Names())
    rules = (vanishing, *lemmas, linearity, constants_out, chain_rule, independence, through_definition)
    found = repeated(first_of(*rules))(Diff(cost, wrt), context)
    assert found is not None
    return found


def steps(derivative: Term, target: Term, context: Context, net: DenseNetwork, wrt: Entry) -> Iterable[Proof]:
    """Ways from the derivative to the claim, cheapest first."""
    if context.hypotheses:
        yield Linear(derivative, target, (sum_of_targets(net, wrt),))
    else:
        yield Linear(derivative, target)
    found = prove_equal(derivative, target, context)
    if found is not None:
        yield found[0]


# --- softmax and its targets -------------------------------------------------------------------


def targets(net: DenseNetwork) -> dict[str, Same]:
    """Σ_k t_k = 1 for each sample."""
    k, n = Index("k", net.widths[-1]), Index("n", net.batch) if net.batch is not None else None
    return {TARGETS: Same(over(k, sample_entry(net, net.t, n, k)), ONE)}


def sum_of_targets(net: DenseNetwork, wrt: Entry) -> tuple[tuple[Index, ...], Term, Proof]:
    """The step weight * s_j * (Σ_k t_k - 1) = 0."""
    a = Entry(net.a(net.depth).array, wrt.at)
    if net.batch is None:
        return (), mul(net.weight, a), By("assume", (TARGETS, ()))
    sample = wrt.at[1 if net.convention == "column" else 0]
    return (), mul(net.weight, a), By("assume", (TARGETS, ((Index("n", net.batch), sample),)))


def softmax_jacobian(net: DenseNetwork, l: int) -> Rule:
    """∂s_i/∂z_j = s_i (δ_ij - s_j) within each sample, proved for this layer."""
    z, a, size = net.z(l), net.a(l), net.widths[l]
    i, j = Index("i", size), Index("j", size)
    m, n = (None, None) if net.batch is None else (Index("m", net.batch), Index("n", net.batch))
    context = Context(dict([definition(a, dict((x.array, f) for x, f in net.forward())[a.array])]))
    s_i, s_j, z_j = sample_entry(net, a, m, i), sample_entry(net, a, m, j), sample_entry(net, z, n, j)
    claim = mul(s_i, sub(Delta(i, j), s_j))
    if m is not None and n is not None:
        claim = mul(Delta(m, n), claim)
    derivative, by_laws = differentiate(s_i, z_j, context, Names())
    opened = everywhere(claim, unfolding(a.array), context)
    assert opened is not None
    proof = joined(by_laws, Linear(derivative, opened[0]), Flip(opened[1]))
    try:
        return using(check(proof, context), proof)
    except ProofError:  # sums over literal sizes are written out
        found = prove_equal(Diff(s_i, z_j), claim, context)
        if found is None:
            raise
        return using(found[1], found[0])


def sample_entry(net: DenseNetwork, leaf: Leaf, sample: Index | None, unit: Index) -> Entry:
    if sample is None:
        return Entry(leaf.array, (unit,))
    return Entry(leaf.array, (unit, sample) if net.convention == "column" else (sample, unit))


def entry_of(leaf: Leaf, row: Index, column: Index) -> Entry:
    found = entry(leaf, row, column)
    assert isinstance(found, Entry)
    return found
