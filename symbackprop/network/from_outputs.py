"""f' written in terms of a = f(z), so that a training step need not keep z: tanh' = 1 - a², σ' = a (1 - a), ...

The table is only a proposal: `prove_from_output` proves each line of it through the kernel, and the tests all of them.
"""

from __future__ import annotations

from symbackprop.core.context import Equation
from symbackprop.core.kernel import Proof
from symbackprop.core.matrix import Hadamard, Matrix
from symbackprop.core.terms import ONE, Apply, Holds, Positive, SymbackpropError, Term, mul, num, sub
from symbackprop.prove.equality import prove_equal

from .activations import ACTIVATIONS, Activation, AnyActivation, Softmax, Z, at_entries, pulled_back, substituted
from .dense import Definition, DenseNetwork, signal_before
from .losses import BinaryCrossEntropy, CrossEntropy, gradient, output_delta

# In the variable Z, which here stands for a = f(z).
SLOPES: dict[str, Term] = {
    "tanh": sub(ONE, mul(Z, Z)),
    "sigmoid": mul(Z, sub(ONE, Z)),
    "relu": Holds(Positive(Z)),
    "softplus": sub(ONE, Apply("exp", mul(num(-1), Z))),
}


def slope_from_output(f: AnyActivation) -> Term | None:
    """f'(z) as a term in a, or None where the table has none."""
    return SLOPES.get(f.name) if isinstance(f, Activation) and ACTIVATIONS.get(f.name) == f else None


def prove_from_output(f: Activation) -> tuple[Proof, Equation]:
    """f'(z) = its line of the table at a = f(z).  Raises SymbackpropError where there is none, or no proof."""
    slope = slope_from_output(f)
    found = None if slope is None else prove_equal(f.slope, substituted(slope, f.value))
    if found is None:
        raise SymbackpropError(f"the derivative of {f.name} is not proved in terms of its value")
    return found


def deltas_from_outputs(net: DenseNetwork) -> tuple[Definition, ...]:
    """δ^L, ..., δ^1 as `net.deltas()`, with the slopes in terms of outputs."""
    last, axis = net.depth, net.sample_axis
    z, a, f = net.z(last), net.a(last), net.activations[-1]
    fused = output_delta(net.loss, f, z, a, net.t, net.weight, axis)
    if slope_from_output(f) is not None and not _cancels(net):
        fused = _signal(f, z, a, gradient(net.loss, a, net.t, net.weight), axis)
    lines = [(net.delta(last), fused)]
    for l in range(last - 1, 0, -1):
        arriving = signal_before(net.w(l + 1), net.delta(l + 1), net.convention)
        lines.append((net.delta(l), _signal(net.activations[l - 1], net.z(l), net.a(l), arriving, axis)))
    return tuple(lines)


def _cancels(net: DenseNetwork) -> bool:
    """Whether the last slope cancels against the loss: δ^L is the prediction minus the target."""
    on_sigmoid = isinstance(net.loss, BinaryCrossEntropy) and net.activations[-1] == ACTIVATIONS["sigmoid"]
    return on_sigmoid or (isinstance(net.loss, CrossEntropy) and isinstance(net.activations[-1], Softmax))


def _signal(f: AnyActivation, z: Matrix, a: Matrix, arriving: Matrix, axis: int) -> Matrix:
    slope = slope_from_output(f)
    return pulled_back(f, z, a, arriving, axis) if slope is None else Hadamard(arriving, at_entries(slope, a))
