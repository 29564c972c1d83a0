"""Every gradient of a dense network proved, for the widths and the batch size as they are, symbols or numbers.

`prove_network` takes a layer at a time, with named intermediates: what comes after Z^l is C, an abstract
differentiable function of Z^l, and δ^l = ∂C/∂Z^l.  The last signal is proved from the cost itself, every other from
the one after it, and the gradients from the signals; the work grows with the number of layers.
For one theorem about the whole cost, of any forward, there is `gradients`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from symbackprop.core.context import Context, Equation, Same
from symbackprop.core.indices import Index, ProofError, Size, SymbackpropError, sized
from symbackprop.core.kernel import Flip, Linear, Proof, Rephrase, Seen, check
from symbackprop.core.matrix import ZERO_INDEX, Leaf, Matrix, entry, shape
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE, Add, Apply, Array, Diff, Entry, Mul, NonNegative, Num, Power, Term, add, over, predicate_key,
)  # fmt: skip
from symbackprop.network.dense import DenseNetwork, at_axes, loss_of, slope_form
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.equality import prove_equal, prove_gradient
from symbackprop.prove.normal_form.session import joined
from symbackprop.prove.rewriting import Rewrite, everywhere, unfolding
from symbackprop.prove.statements import certified


def settled(proof: Proof, context: Context) -> tuple[Proof, Equation]:
    """The theorem, with conditions on defined entries restated on what they stand for where that shows that they hold.

    The theorem returned has been checked by the independent checker.
    """
    work = Seen(context)
    theorem = check(proof, context, work)
    best = proof, theorem
    for _ in range(ROUNDS):
        parts = tuple(
            (c, found[1]) for c in sorted(theorem.conditions, key=predicate_key)
            if not isinstance(c, NonNegative)
            and (found := complement(c.term) or everywhere(c.term, unfolding(), context)) is not None
        )  # fmt: skip
        if not parts:
            break
        proof = Rephrase(proof, parts)
        theorem = check(proof, context, work)
        if len(theorem.conditions) < len(best[1].conditions):
            best = proof, theorem
    return best[0], certified(best[0], context, best[1])


ROUNDS = 2  # of restating: a definition opened, then what that shows


def complement(t: Term) -> Rewrite | None:
    """1 - σ(u) = 1/(1 + e^u), which is positive."""
    match t:
        case Add((Num() as one, Mul((Num(minus), Apply("sigmoid", u, 0))))) if one == ONE and minus == -1:
            value = Power(add(ONE, Apply("exp", u)), Fraction(-1))
            found = prove_equal(t, value)
            return None if found is None else (value, found[0])
    return None


def definition(leaf: Leaf, form: Matrix) -> tuple[Array, Tensor]:
    """The array, defined by the entries of the form."""
    rows, columns = (Index(letter, n) for letter, n in zip("rc", leaf.shape, strict=True))
    axes = at_axes(leaf, rows, columns)
    return leaf.array, Tensor(axes, entry(form, *(i if i in axes else ZERO_INDEX for i in (rows, columns))))


DOWNSTREAM = "C"  # what comes after a layer
TARGETS = "targets sum to one"


@dataclass(frozen=True, slots=True)
class Theorem:
    """An equation with its proof; of a network ∂C/∂(variable) is `form`, entry by entry."""

    name: str
    context: Context
    proof: Proof
    equation: Equation
    form: Matrix | None = None
    variable: Leaf | None = None


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
        name = self.name(variable)
        if shape(form) != variable.shape:
            raise SymbackpropError(f"{name}: the form is {shape(form)[0]}×{shape(form)[1]}, not as its variable")
        cost, context, delta = self.about(variable)
        row, column = (Index(letter, n) for letter, n in zip("rc", variable.shape, strict=True))
        wrt, claimed = entry_of(variable, row, column), entry(form, row, column)
        for proof in proofs(cost, wrt, claimed, context, delta):
            try:
                proof, equation = settled(proof, context)
            except ProofError:
                continue
            if equation.lhs == Diff(cost, wrt) and equation.rhs == claimed:
                return Theorem(name, context, proof, equation, form, variable)
        raise SymbackpropError(f"{name} is not proved: the claimed form may be wrong")

    def name(self, variable: Leaf) -> str:
        l = variable.array.label
        return f"δ^{l}" if variable.array.name.lower() == "z" else f"∂C/∂{variable.array.name}^{l}"


def proofs(cost: Term, wrt: Entry, claimed: Term, context: Context, delta: Leaf | None) -> Iterable[Proof]:
    """Ways from the derivative to the claim: as sums of products with δ opened, which is quick, then by search."""
    derivative, by_laws = differentiate(cost, wrt, context, Names())
    opened = None if delta is None else everywhere(claimed, unfolding(delta.array), context)
    target, back = (claimed, None) if opened is None else (opened[0], Flip(opened[1]))
    yield joined(by_laws, Linear(derivative, target), back)
    found = prove_gradient(cost, wrt, claimed, context)
    if found is not None:
        yield found[0]


def targets(net: DenseNetwork) -> dict[str, Same]:
    """Σ_k t_k = 1 for each sample."""
    k, n = Index("k", net.widths[-1]), Index("n", net.batch) if net.batch is not None else None
    at = (k,) if n is None else (k, n) if net.convention == "column" else (n, k)
    return {TARGETS: Same(over(k, Entry(net.t.array, at)), ONE)}


def entry_of(leaf: Leaf, row: Index, column: Index) -> Entry:
    found = entry(leaf, row, column)
    assert isinstance(found, Entry)
    return found
