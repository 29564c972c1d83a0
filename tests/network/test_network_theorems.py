"""Every gradient of dense networks proved for symbolic widths, layer by layer and from the cost in one theorem."""

from __future__ import annotations

from typing import Any

import pytest

from symbackprop.core.indices import Index, SymbackpropError
from symbackprop.core.kernel import By, check
from symbackprop.core.matrix import Leaf, Scale, Transpose, entry
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Apply, Array, Diff, Nonzero, num, sized
from symbackprop.gradients.derived import derived
from symbackprop.network.activations import Z as VARIABLE
from symbackprop.network.activations import activation, scalar_activation
from symbackprop.network.dense import dense
from symbackprop.network.theorems import definition, prove_equation, prove_network, settled
from symbackprop.read.formulas.program import Formulas, Program, reached
from symbackprop.read.numpy import Declared

I, J = Index("i", sized(9)), Index("j", sized(9))


def widths(depth: int) -> tuple[str, ...]:
    return tuple(f"n_{l}" for l in range(depth + 1))


NETWORKS: list[tuple[tuple[str, ...], str]] = [
    (("f", "g"), "L"),
    (("tanh", "softmax"), "cross-entropy"),
    (("softmax", "softmax"), "squared-error"),
    (("gelu", "identity"), "squared-error"),
    (("sin", "tanh"), "squared-error"),
    (("silu", "sigmoid"), "squared-error"),
    (("softplus", "sigmoid"), "binary-cross-entropy"),
    (("softmax", "f"), "L"),
]


@pytest.mark.parametrize("batch", [None, "N"])
@pytest.mark.parametrize("convention", ["row", "column"])
@pytest.mark.parametrize(("activations", "loss"), NETWORKS, ids=[", ".join((*a, b)) for a, b in NETWORKS])
def test_every_equation_of_a_network_is_proved(
    activations: tuple[str, ...], loss: str, convention: Any, batch: str | None
) -> None:
    net = dense(widths(2), activations, loss, convention, batch)
    theorems = prove_network(net)
    assert [t.name for t in theorems] == ["δ^2", "∂C/∂W^2", "∂C/∂b^2", "δ^1", "∂C/∂W^1", "∂C/∂b^1"]
    forms = {leaf.array: form for leaf, form in (*net.deltas(), *net.gradients())}
    for t in theorems:
        says = check(t.proof, t.context)  # once more, by itself
        assert says == t.equation and not says.conditions
        assert isinstance(says.lhs, Diff) and says.lhs.wrt.array == t.variable.array
        variable = Array("δ", t.variable.array.label) if t.name.startswith("δ") else t.variable.array
        assert entry(t.form, I, J) == entry(forms[variable], I, J)
    assumed = {"targets sum to one"} if net.needs_targets_sum_one else set()
    assert {h for t in theorems for h in t.equation.hypotheses} == assumed


def test_what_holds_away_from_kinks_says_so() -> None:
    theorems = prove_network(dense(widths(2), ("relu", "identity"), "squared-error", "row", "N"))
    conditions = {c for t in theorems for c in t.equation.conditions}
    assert len(conditions) == 1 and all(isinstance(c, Nonzero) for c in conditions)


def test_literal_widths_and_batches_are_proved_for_all_sizes() -> None:
    theorems = prove_network(dense((3, "n", 1, "N"), ("tanh", "f", "softmax"), "cross-entropy", "row", 4))
    assert all(not t.equation.conditions for t in theorems)
    assert theorems[0].variable.shape == (sized("N'"), sized("N"))
    assert theorems[-2].variable.shape == (sized("n_0"), sized("n"))
    for literal in (7, 1):
        net = dense((2, literal), ("f",), "squared-error", "column", literal)
        assert prove_equation(net, net.w(1), dict(net.gradients())[net.w(1)]).variable.shape == net.w(1).shape


def test_an_activation_of_ones_own_is_proved_and_its_slope_is_not_believed() -> None:
    square = scalar_activation("cube", Apply("exp", num(2)))
    assert square.slope == num(0) or prove_network(dense(widths(1), (square,), "squared-error"))
    wrong = scalar_activation("own", Apply("tanh", VARIABLE), Apply("tanh", VARIABLE))
    with pytest.raises(SymbackpropError, match="δ\\^1 is not proved"):
        prove_network(dense(widths(2), (wrong, activation("identity")), "squared-error"))


@pytest.mark.parametrize("depth", [1, 8, 32])
def test_the_work_is_linear_in_the_depth(depth: int) -> None:
    net = dense(widths(depth), ("f",) * (depth - 1) + ("softmax",), "cross-entropy", "row", "N")
    theorems = prove_network(net)
    assert len(theorems) == 3 * depth
    largest = max(size_of(t.proof) for t in theorems)
    assert largest < 700  # each proof is as large at any depth


def size_of(proof: Any) -> int:
    """The number of steps."""
    if isinstance(proof, tuple):
        return sum(map(size_of, proof))
    if isinstance(proof, By):
        return 1
    if type(proof).__module__.endswith("kernel"):
        return 1 + sum(size_of(getattr(proof, name)) for name in proof.__dataclass_fields__)
    return 0


def test_proofs_do_not_depend_on_the_width() -> None:
    sizes = set()
    for n in ("n", 7, 1000, 10**9):
        net = dense((n, n, n), ("f", "g"), "squared-error", "row", "N")
        sizes.add(sum(size_of(prove_equation(net, leaf, form).proof) for leaf, form in net.gradients()))
    assert len(sizes) == 1


# --- from the cost in one theorem ----------------------------------------------------------------

THROUGH = [
    (("tanh", "f", "softmax"), "cross-entropy", "row", "N"),
    (("f", "g", "h"), "L", "column", None),
    (("softmax", "gelu", "identity"), "squared-error", "column", "N"),
    (("sigmoid", "tanh", "sigmoid"), "binary-cross-entropy", "row", None),
]


@pytest.mark.parametrize(("activations", "loss", "convention", "batch"), THROUGH, ids=str)
def test_gradients_from_the_cost_in_one_theorem(
    activations: tuple[str, ...], loss: str, convention: Any, batch: str | None
) -> None:
    """The graph of the network's own definitions, and what it derives beside what the network writes."""
    net = dense(widths(3), activations, loss, convention, batch)
    cost = Array("C")
    meanings = {**dict(definition(leaf, form) for leaf, form in net.forward()), cost: Tensor((), net.cost())}
    inputs = {leaf.array: sizes(leaf) for leaf in (*net.parameters, net.x, net.t)}
    used = reached(cost, meanings)
    program = Program(Formulas(cost, meanings, {a: s for a, s in inputs.items() if a in used}))
    declared = {n: Declared(s) for n, s in program.shapes.items()}
    found = derived(program, declared, ["W_1", "b_2", "W_3"])
    for t in found.theorems.values():
        _, equation = settled(t.proof, t.context)
        assert isinstance(equation.lhs, Diff)
        assert not equation.conditions or loss == "binary-cross-entropy"  # σ ≠ 1, which a check would settle


def sizes(leaf: Leaf) -> Any:
    return {"matrix": leaf.shape, "column": leaf.shape[:1], "row": leaf.shape[1:]}[leaf.kind]


# --- what is refused -----------------------------------------------------------------------------


def test_wrong_forms_are_refused_with_the_name_of_the_equation() -> None:
    net = dense(widths(2), ("f", "g"), "L", "row", "N")
    form = dict(net.gradients())[net.w(1)]
    with pytest.raises(SymbackpropError, match=r"∂C/∂W\^1 is not proved"):
        prove_equation(net, net.w(1), Scale(num(2), form))
    with pytest.raises(SymbackpropError, match=r"∂C/∂W\^1: the form is n_1×n_0, not as its variable"):
        prove_equation(net, net.w(1), Transpose(form))


def test_only_variables_of_the_network_are_asked_about() -> None:
    net = dense(widths(1), ("f",), "L")
    for leaf in (net.x, net.a(1), dense(widths(2), ("f", "g"), "L").w(2)):
        with pytest.raises(SymbackpropError, match="is no W"):
            prove_equation(net, leaf, leaf)


def test_the_equations_are_those_of_the_entries() -> None:
    net = dense(widths(1), ("softmax",), "cross-entropy", "row", "N")
    (signal, *_) = prove_network(net)
    row, column = signal.equation.lhs.wrt.at  # type: ignore[union-attr]
    assert signal.equation.rhs == entry(signal.form, row, column)
    assert isinstance(signal.variable, Leaf) and signal.variable.shape == (sized("N"), sized("n_1"))
