"""f' written in terms of a = f(z), so that a training step need not keep z: tanh' = 1 - a², σ' = a (1 - a), ...

The table is only a proposal: `prove_from_output` proves each line of it through the kernel, and the tests all of them.
"""

from __future__ import annotations

from symbackprop.core.context import Equation
from symbackprop.core.kernel import Proof
from symbackprop.core.matrix import Hadamard, Matrix
from symbackprop.core.terms import ONE, Apply, Holds, Positive, SymbackpropError, Term, mul, num, sub
from symbackprop.prove.equality import prove_equal

from .activations import ACTIVATIONS, Activation, AnyActivation, Z, at_entries, pulled_back, substituted
from .dense import Definition, DenseNetwork

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
    return net.deltas(_back)


def _back(f: AnyActivation, z: Matrix, a: Matrix, arriving: Matrix, axis: int) -> Matrix:
    slope = slope_from_output(f)
    return pulled_back(f, z, a, arriving, axis) if slope is None else Hadamard(arriving, at_entries(slope, a))
