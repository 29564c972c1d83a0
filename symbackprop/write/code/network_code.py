"""The NumPy functions of a dense network: its prediction, its cost, and the gradient of the cost."""

from __future__ import annotations

from symbackprop.core.matrix import UNIT, Leaf
from symbackprop.core.terms import Array
from symbackprop.network.dense import DenseNetwork

from .compiled import Compiled
from .numpy_code import compile_function

SCALAR = Leaf(Array("C"), "scalar", (UNIT, UNIT))


def parameter_names(net: DenseNetwork) -> tuple[str, ...]:
    """W1, b1, W2, b2, ..."""
    return tuple(f"{letter}{l}" for l in range(1, net.depth + 1) for letter in "Wb")


def compile_gradient(net: DenseNetwork, *, cost: bool = False) -> Compiled:
    """(x, t, W1, b1, ...) -> (dW1, db1, ...), each of the shape of its parameter; with `cost`, the cost after them."""
    names = parameter_names(net)
    forms = {f"d{name}": form for name, (_, form) in zip(names, net.gradients(), strict=True)}
    like = {f"d{name}": leaf for name, leaf in zip(names, net.parameters, strict=True)}
    if cost:
        forms["cost"], like["cost"] = net.cost_form(), SCALAR
    inputs = [("x", net.x), ("t", net.t), *zip(names, net.parameters, strict=True)]
    return compile_function(inputs, forms, (*net.forward(), *net.deltas()), like=like)


def compile_cost(net: DenseNetwork) -> Compiled:
    """(x, t, W1, b1, ...) -> (y, cost): the prediction A^L, and the cost."""
    inputs = [("x", net.x), ("t", net.t), *zip(parameter_names(net), net.parameters, strict=True)]
    outputs = {"y": net.a(net.depth), "cost": net.cost_form()}
    return compile_function(inputs, outputs, net.forward(), like={"y": net.a(net.depth), "cost": SCALAR})


def compile_prediction(net: DenseNetwork) -> Compiled:
    """(x, W1, b1, ...) -> (y,): the prediction A^L."""
    inputs = [("x", net.x), *zip(parameter_names(net), net.parameters, strict=True)]
    return compile_function(inputs, {"y": net.a(net.depth)}, net.forward(), like={"y": net.a(net.depth)})
