"""All layers of a network of any depth at once, by induction from the last layer.

The recursion says what the signals are: δ^L from the loss, δ^l from δ^{l+1}.  The kernel's induction over layers, from
the base and the step, says that they are the derivatives of the cost, and from them come those by the parameters.
"""

from __future__ import annotations

from functools import cache, partial

from symbackprop.core.context import Context, Recursion
from symbackprop.core.indices import Index, SymbackpropError
from symbackprop.core.kernel import EveryDepth, Proof
from symbackprop.core.matrix import Elementwise, Given, Hadamard, Leaf, Matrix, entry
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Entry, Term, whole
from symbackprop.network.dense import (
    ABOVE, BELOW, COST, HERE, LAST, SAMPLES, Layers, at_axes, bias_gradient, rows_and_columns, signal_before,
    weight_gradient, weighted_input, width,
)  # fmt: skip
from symbackprop.network.theorems import Theorem, definition
from symbackprop.prove.equality import prove_gradient
from symbackprop.prove.statements import certified

from .told import Told, both, matrices, of_forms, partials, stated

TOTAL = "C"  # the cost of the whole network
BY_INDUCTION = "by induction over the layers"
ABOUT = (
    "For every depth `L`, every layer `l` from 1 to `L` and all widths, by induction: from the signal of the last "
    "layer and the step from layer `l+1` to `l`, each proved.  `C` is the cost as a function of `z^l`, with the "
    "layers after `l` in it.  No two layers share a weight."
)


def activated(z: Leaf) -> Matrix:
    return Elementwise("f", z)


def forward(layers: Layers) -> Matrix:
    """z^{l+1} = W^{l+1} f(z^l) + b^{l+1}"""
    before = activated(layers.z(HERE))
    return weighted_input(layers.w(ABOVE), before, layers.b(ABOVE), layers.batch, layers.convention)


def last_signal(layers: Layers) -> Matrix:
    z = layers.z(LAST)
    y = definition(z, activated(z))[1]
    rows, columns = rows_and_columns(z)
    slope = whole(COST, 1, y.axes, y.body, at_axes(z, rows, columns))
    return Hadamard(Given(rows, columns, slope), Elementwise("f", z, 1))


def signal_from_above(layers: Layers) -> Matrix:
    before = signal_before(layers.w(ABOVE), layers.delta(ABOVE), layers.convention)
    return Hadamard(before, Elementwise("f", layers.z(HERE), 1))


@cache
def recursion(layers: Layers) -> Recursion:
    z, above, last = layers.z(HERE), layers.z(ABOVE), layers.z(LAST)
    tensors = [definition(*pair)[1] for pair in (
        (last, last_signal(layers)), (above, forward(layers)), (z, signal_from_above(layers)),
    )]  # fmt: skip
    end, after, back = tensors
    y = definition(last, activated(last))[1]
    names = tuple(str(width(label)) for label in (HERE, ABOVE, LAST))
    return Recursion(
        TOTAL, str(HERE), str(LAST), ((names[0], names[1], names[2]),), z.array.name, layers.delta(HERE).array.name,
        end.axes, whole(COST, 0, y.axes, y.body, ()), end.body, after.axes, after.body, back.axes, back.body,
    )  # fmt: skip


def proved(loss: Term, wrt: Entry, claimed: Term, context: Context) -> Proof:
    found = prove_gradient(loss, wrt, claimed, context)
    if found is None:
        raise SymbackpropError(f"∂({loss})/∂{wrt} is not proved")
    return found[0]


def cost_of(axes: tuple[Index, ...], state: Term, order: int = 0) -> Term:
    return whole(TOTAL, order, axes, state, axes if order else ())


@cache
def base_and_step(layers: Layers) -> tuple[Proof, Proof]:
    r = recursion(layers)
    z, above, last = layers.z(HERE).array, layers.z(ABOVE).array, layers.z(LAST).array
    base = proved(r.loss, Entry(last, r.at_last), r.first, Context())
    after = Entry(above, r.above)
    known = {above: Tensor(r.above, r.forward), layers.delta(ABOVE).array: Tensor(r.above, cost_of(r.above, after, 1))}
    return base, proved(cost_of(r.above, after), Entry(z, r.here), r.backward, Context(known))


def signals(layers: Layers) -> Told:
    """∂C/∂z^l = δ^l for every layer of a network of any depth."""
    return concluded("signals", "The signals of all layers", layers, layers.z(HERE), layers.delta(HERE), None)


def weights(layers: Layers) -> Told:
    """∂C/∂W^l = δ^l (a^{l-1})^T for every layer of a network of any depth."""
    form = weight_gradient(layers.a(BELOW), layers.delta(HERE), layers.convention)
    return concluded("weights", "The gradients by all weights", layers, layers.w(HERE), form, layers.forward(HERE))


def biases(layers: Layers) -> Told:
    """∂C/∂b^l = δ^l for every layer of a network of any depth."""
    form = bias_gradient(layers.delta(HERE), layers.batch, layers.convention)
    return concluded("biases", "The gradients by all biases", layers, layers.b(HERE), form, layers.forward(HERE))


def concluded(name: str, title: str, layers: Layers, variable: Leaf, form: Matrix, entering: Matrix | None) -> Told:
    r, (base, step), z = recursion(layers), base_and_step(layers), layers.z(HERE)
    state: Term = Entry(z.array, r.here) if entering is None else definition(z, entering)[1].body
    cost = cost_of(r.here, state)
    letters = "rc" if entering is None else "jk"
    row, column = (Index(letter, n) for letter, n in zip(letters, variable.shape, strict=True))
    wrt = Entry(variable.array, at_axes(variable, row, column))
    parameter = []
    if entering is not None:
        known = {layers.delta(HERE).array: Tensor(r.here, cost_of(r.here, state, 1))}
        parameter.append((wrt, state, proved(cost, wrt, entry(form, row, column), Context(known))))
    proof, context = EveryDepth(base, step, tuple(parameter)), Context(recursion=r)
    forms: list[tuple[Leaf, Matrix]] = [
        (layers.delta(LAST), last_signal(layers)), (layers.z(ABOVE), forward(layers)),
        (layers.delta(HERE), signal_from_above(layers)), *([] if entering is None else [(z, entering)]),
    ]  # fmt: skip
    kind = f"{layers.convention}s{', batch' if layers.batch else ''}"
    by = both(variable.array)
    passage = of_forms(by, partials(by, (TOTAL, TOTAL)), [(form, BY_INDUCTION)])
    return Told(
        f"every-depth-{name}-{layers.convention}", f"{title} ({kind})", ABOUT, kind,
        tuple((matrices(a), matrices(b)) for a, b in forms), (passage,), (stated(passage.lines[-1]),),
        (Theorem(name, context, proof, certified(proof, context)),),
    )  # fmt: skip


FACTS = tuple(
    partial(fact, layers)
    for layers in (Layers("column"), Layers("row", SAMPLES))
    for fact in (signals, weights, biases)
)
