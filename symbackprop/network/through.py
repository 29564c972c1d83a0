"""One gradient of the whole cost of a dense network as one theorem: every intermediate is a definition in it.

For W^l the proof goes down from the cost, one equation for each layer m from L to l:

    ∂C/∂w = Σ_{n,i} δ^m_{ni} ∂Z^m_{ni}/∂w,

and ends with ∂Z^l/∂w.  Z, A and δ stay names all the way, so the work for one gradient is linear in the depth.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.core.context import Context
from symbackprop.core.indices import Index, ProofError, SymbackpropError
from symbackprop.core.kernel import Flip, Linear, Proof, check
from symbackprop.core.matrix import Leaf, Matrix, entry
from symbackprop.core.terms import Array, Delta, Diff, Entry, Term, mul, over, sub
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.session import joined

from .activations import Softmax, at_entries
from .dense import DenseNetwork
from .derivation import definition, settled
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
    vanishing_outside,
)
from .theorems import TARGETS, Theorem, entry_of, sample_entry, sum_of_targets, targets


def prove_through(net: DenseNetwork, parameter: Leaf) -> Theorem:
    """∂cost/∂parameter for one of `net.parameters`, from the cost to the gradient in one theorem.

    Raises SymbackpropError where the gradient is not proved.
    """
    gradients = dict(net.gradients())
    if parameter not in gradients:
        raise SymbackpropError(f"{parameter.array} is not a parameter of the network")
    label = parameter.array.label
    layer = 0 if label is None else label.constant or 0
    return _Descent(net, parameter, layer, gradients[parameter]).theorem()


class _Descent:
    def __init__(self, net: DenseNetwork, parameter: Leaf, layer: int, form: Matrix) -> None:
        self.net, self.parameter, self.layer, self.form = net, parameter, layer, form
        definitions = dict(definition(leaf, meaning) for leaf, meaning in (*net.forward(), *net.deltas()))
        self.context = Context(definitions, targets(net) if net.needs_targets_sum_one else {})
        row, column = (Index(letter, n) for letter, n in zip("rc", parameter.shape, strict=True))
        self.wrt = entry_of(parameter, row, column)
        self.claimed = entry(form, row, column)
        above = range(layer, net.depth + 1)
        self.vanishing = vanishing_outside({parameter.array, *(x(m).array for m in above for x in (net.z, net.a))})

    def theorem(self) -> Theorem:
        net = self.net
        value: Term = Diff(net.cost(), self.wrt)
        proofs: list[Proof] = []
        for m in range(net.depth, self.layer - 1, -1):
            lemmas = [self.softmax(m)] if isinstance(net.activations[m - 1], Softmax) else []
            opened = {net.a(m).array} if m == net.depth else {net.z(m + 1).array, net.a(m).array}
            found = self.through(value, opened, *lemmas)
            target = self.signal_times(m)
            proofs += [found[1], self.step(found[0], target, m)]
            value = target
        last = self.through(value, {net.z(self.layer).array}, independence)
        proofs += [last[1], Linear(last[0], self.claimed)]
        try:
            proof, equation = settled(joined(*proofs), self.context)
        except ProofError as problem:
            raise SymbackpropError(f"∂C/∂{self.parameter.array} is not proved: {problem}") from problem
        return Theorem(f"∂C/∂{self.parameter.array}", self.parameter, self.form, self.context, proof, equation)

    def through(self, value: Term, arrays: set[Array], *more: Rule) -> Rewrite:
        """Differentiated through the definitions of these arrays, up to ∂Z/∂w of the next."""

        def opening(t: Term, context: Context) -> Rewrite | None:
            if isinstance(t, Diff) and isinstance(t.body, Entry) and t.body.array not in arrays:
                return None
            return through_definition(t, context)

        rules = repeated(first_of(*more, self.vanishing, linearity, constants_out, chain_rule, opening))
        found = rules(value, self.context)
        assert found is not None
        return found

    def softmax(self, m: int) -> Rule:
        """∂s_k/∂w = Σ_j s_k (δ_kj - s_j) ∂z_j/∂w for the samples of layer m."""
        net, size = self.net, self.net.widths[m]
        k, j = Index("k", size), Index("j", size)
        n = None if net.batch is None else Index("n", net.batch)
        s_k, s_j, z_j = (sample_entry(net, x, n, i) for x, i in ((net.a(m), k), (net.a(m), j), (net.z(m), j)))
        claim = over(j, mul(s_k, sub(Delta(k, j), s_j), Diff(z_j, self.wrt)))
        derivative, by_laws = self.through(Diff(s_k, self.wrt), {net.a(m).array})
        opened = everywhere(claim, unfolding(net.a(m).array), self.context)
        assert opened is not None
        proof = joined(by_laws, Linear(derivative, opened[0]), Flip(opened[1]))
        return using(check(proof, self.context), proof)

    def signal_times(self, m: int) -> Term:
        """Σ_{n,i} δ^m_{ni} ∂Z^m_{ni}/∂w"""
        z, delta = self.net.z(m), self.net.delta(m)
        axes = tuple(Index(letter, n) for letter, n in zip("pq", z.shape, strict=True))
        at = entry_of(z, *axes).at
        body: Term = mul(Entry(delta.array, at), Diff(Entry(z.array, at), self.wrt))
        for i in reversed([i for i in axes if i in at]):
            body = over(i, body)
        return body

    def step(self, value: Term, target: Term, m: int) -> Proof:
        """From the sum after differentiation to the sum with the signal of layer m."""
        opened = everywhere(target, unfolding(self.net.delta(m).array), self.context)
        assert opened is not None
        goal, back = opened[0], Flip(opened[1])
        for proof in self.ways(value, goal, m):
            try:
                check(proof, self.context)
            except ProofError:
                continue
            return joined(proof, back)
        raise SymbackpropError(f"δ^{m} is not proved: the claimed form may be wrong")

    def ways(self, value: Term, goal: Term, m: int) -> Iterator[Proof]:
        net, z = self.net, self.net.z(m)
        axes = tuple(Index(letter, n) for letter, n in zip("pq", z.shape, strict=True))
        z_entry = entry_of(z, *axes)
        dummies = tuple(i for i in axes if i in z_entry.at)
        slope = Diff(z_entry, self.wrt)
        if m == net.depth and TARGETS in self.context.hypotheses:
            _, factor, assumed = sum_of_targets(net, z_entry)
            yield Linear(value, goal, ((dummies, mul(factor, slope), assumed),))
            return
        yield Linear(value, goal)
        if m == net.depth and (lemma := self.pointwise(z_entry, axes)) is not None:
            yield Linear(value, goal, ((dummies, slope, lemma),))

    def pointwise(self, z: Entry, axes: tuple[Index, ...]) -> Proof | None:
        """∂C/∂A_pq f'(Z_pq) = δ^L_pq, by search; what is known of f may be needed for it."""
        net, last = self.net, self.net.depth
        activation, a = net.activations[-1], net.a(last)
        if isinstance(activation, Softmax):
            return None
        by_prediction, _ = differentiate(net.cost(), Entry(a.array, z.at), Context(), Names())
        product = mul(by_prediction, entry(at_entries(activation.slope, net.z(last)), *axes))
        local = Context({a.array: self.context.definitions[a.array]})
        found = prove_equal(product, entry(net.deltas()[0][1], *axes), local)
        return None if found is None else found[0]
