"""The NumPy functions of a dense network: its prediction, its cost, and the gradient of the cost.

Matrix forms become the assignments of which a training step is made (`write/step`), in its names: x0, t0, W1, Z1, A1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from symbackprop.core.functions import ROWS
from symbackprop.core.matrix import UNIT, Leaf, Matrix
from symbackprop.core.terms import Array, SymbackpropError
from symbackprop.network.dense import Definition, DenseNetwork, at_axes

from ..step.assignments import (
    BATCH, Assignment, Entrywise, Map, Reduce, Ref, Shape, extent, gradient_of, outermost, references,
)  # fmt: skip
from ..step.from_forms import Writer
from ..step.functional import TEMPLATES, code, written
from .compiled import FUNCTION_NAME, Compiled, generated
from symbackprop.write.code.compiled import MADE

COST = Leaf(Array("C"), "scalar", (UNIT, UNIT))
REDUCTIONS = {"max": "maximum", "sum": "add"}
STEPS = {  # a step is of the type of its argument, which a comparison is not
    **TEMPLATES, **{f.name: f.code for f in ROWS if re.fullmatch(r"\w+\(\{\}\)", f.code)}, "step": "heaviside({}, 0)",
}  # fmt: skip
DOUBLE = re.compile(r"\((\([^()]*\))\)")  # brackets in brackets
RETURNED = {"matrix": "", "row": ".reshape(-1)", "column": ".reshape(-1)", "scalar": ".reshape(())"}


def parameter_names(net: DenseNetwork) -> tuple[str, ...]:
    """W1, b1, W2, b2, ..."""
    return tuple(f"{letter}{l}" for l in range(1, net.depth + 1) for letter in "Wb")


def parameters(net: DenseNetwork) -> dict[str, Leaf]:
    """By name.  Raises SymbackpropError for widths that are no numbers."""
    if any(n.constant is None for n in net.widths):
        raise SymbackpropError("a network has code where its widths are numbers")
    return dict(zip(parameter_names(net), net.parameters, strict=True))


def compile_gradient(net: DenseNetwork, *, cost: bool = False) -> Compiled:
    """(x, t, W1, b1, ...) -> (dW1, db1, ...), each of the shape of its parameter; with `cost`, the cost after them."""
    gradients = {leaf: form for leaf, form in net.gradients()}
    outputs = {gradient_of(name): (leaf, gradients[leaf]) for name, leaf in parameters(net).items()}
    if cost:
        outputs["cost"] = COST, net.cost_form()
    return compile_forms({"x": net.x, "t": net.t, **parameters(net)}, outputs, (*net.forward(), *net.deltas()))


def compile_cost(net: DenseNetwork) -> Compiled:
    """(x, t, W1, b1, ...) -> (y, cost): the prediction A^L, and the cost."""
    y = net.a(net.depth)
    outputs = {"y": (y, y), "cost": (COST, net.cost_form())}
    return compile_forms({"x": net.x, "t": net.t, **parameters(net)}, outputs, net.forward())


def compile_prediction(net: DenseNetwork) -> Compiled:
    """(x, W1, b1, ...) -> (y,): the prediction A^L."""
    y = net.a(net.depth)
    return compile_forms({"x": net.x, **parameters(net)}, {"y": (y, y)}, net.forward())


def compile_forms(
    inputs: Mapping[str, Leaf], outputs: Mapping[str, tuple[Leaf, Matrix]], definitions: Sequence[Definition] = ()
) -> Compiled:
    """A NumPy function from the inputs to the outputs, which have the axes of their leaves: a vector has one.

    The only size that is no number is that of a batch.
    Raises SymbackpropError for an unknown array, an abstract function, shapes that do not conform.
    """
    leaves = {made(name): leaf for name, leaf in inputs.items()}
    assert len({*leaves, *map(made, outputs)}) == len(inputs) + len(outputs), "two names that are made alike"
    function = _Function(leaves, definitions)
    lines = function.written({made(name): form for name, (_, form) in outputs.items()})
    values = ", ".join(made(name) + RETURNED[leaf.kind] for name, (leaf, _) in outputs.items())
    body = "\n".join(f"    {s}" for s in function.body(lines, leaves))
    source = f"def {FUNCTION_NAME}({', '.join(leaves)}):\n{body}\n    return ({values},)\n"
    given = [(name, at_axes(leaf, *leaf.shape)) for name, leaf in inputs.items()]
    says = {made(name): name for name in inputs if made(name) != name}
    return generated(source, says, given, list(outputs), "1 + exp" in source)


def made(name: str) -> str:
    return name if MADE.fullmatch(name) else f"{name[:1]}0"


class _Function(Writer):
    def body(self, lines: Sequence[Assignment], inputs: Mapping[str, Leaf]) -> list[str]:
        turns = {"row": "1, -1", "column": "-1, 1", "scalar": "1, 1"}
        first = [f"{name} = {name}.reshape({turns[leaf.kind]})" for name, leaf in inputs.items() if leaf.kind in turns]
        rest = joined([self.statement(a, list(inputs)) for a in lines])
        if any(re.search(r"\bn0\b", line) for line in rest):
            name = next(name for name in inputs if BATCH in self.shapes[name])
            first.insert(0, f"n0 = {name}.shape[{self.shapes[name].index(BATCH)}]")
        return [*first, *rest]

    def statement(self, a: Assignment, inputs: Sequence[str]) -> str:
        match a:
            case Reduce(target, how, axis, value):
                return f"{target} = {REDUCTIONS[how]}.reduce({text(value)}, axis={axis}, keepdims=True)"
            case Map(target, value):
                return f"{target} = {self.spread(value, self.shapes[target], inputs)}"
            case _:
                return written(a)

    def spread(self, value: Entrywise, to: Shape, inputs: Sequence[str]) -> str:
        """The entries in an array of this shape, which is one of its own."""
        lengths = f"({', '.join('n0' if n == BATCH else str(n) for n in to)})"
        if not list(references(value)):
            return f"full({lengths}, {outermost(text(value))}, dtype=result_type({', '.join(inputs)}, 0.0))"
        if extent(value, self.shapes) != to:
            return f"broadcast_to({outermost(text(value))}, {lengths}).copy()"
        return f"{text(value)}.copy()" if isinstance(value, Ref) else outermost(text(value))


def text(value: Entrywise) -> str:
    return DOUBLE.sub(r"\1", code(value, STEPS))


def joined(body: Sequence[str]) -> list[str]:
    """A product that one sum or Hadamard product alone uses stands in it: NumPy then writes over the product."""
    lines = list(body)
    for k, line in enumerate(body):
        found = re.fullmatch(r"(v\d+) = (\S+ @ \S+)", line)
        if found is None:
            continue
        name = re.compile(rf"\b{found[1]}\b")
        users = [j for j in range(k + 1, len(lines)) if name.search(lines[j])]
        if len(users) == 1 and len(name.findall(lines[users[0]])) == 1 and " @ " not in lines[users[0]]:
            lines[users[0]] = name.sub(f"({found[2]})", lines[users[0]])
            lines[k] = ""
    return [line for line in lines if line]
