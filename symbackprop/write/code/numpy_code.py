"""Matrix forms as a NumPy function, through SymPy's lambdify; among them what a dense network needs.

    compiled = compile_function([("W", W), ("x", x)], {"y": Product(W, x)})
    compiled(W=..., x=...)["y"]

The forms are lowered to what NumPy has words for, common subexpressions become named lines, each line becomes a
SymPy matrix expression over generated names, and lambdify writes the function.  The source is checked against a list
of what it may contain before it runs.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symbackprop.core.matrix import UNIT, Leaf, Matrix
from symbackprop.core.terms import Array, SymbackpropError, sized
from symbackprop.network.activations import Activation
from symbackprop.network.dense import DenseNetwork
from symbackprop.write.code.compiled import Compiled, namespace, readable
from symbackprop.write.code.cse import Definition, NamedLines, Shape, scheduled
from symbackprop.write.code.lowering import Value
from symbackprop.write.code.matrix_sympy import to_sympy
from symbackprop.write.code.numpy_printer import Extent, MatrixPrinter, Result
from symbackprop.write.code.source_check import check_source

AXES = {"matrix": 2, "column": 1, "row": 1, "scalar": 0}


def compile_function(
    inputs: Sequence[tuple[str, Leaf | Shape]],
    outputs: Mapping[str, Matrix],
    definitions: Sequence[Definition] = (),
    *,
    like: Mapping[str, Leaf] | None = None,
    functions: Mapping[str, Activation] | None = None,
) -> Compiled:
    """A NumPy function from the inputs to the outputs.

    `inputs` gives each array by its leaf or its shape (its name is then the array's); a vector is an array of one
    axis, whether it stands as a column or a row.  `definitions` are computed in order and may be used by name.  An
    output has two axes, or the axes of its leaf in `like` (a gradient by a vector is a vector).  `functions` explains
    names of elementwise functions that are not in the table of activations.

    Raises SymbackpropError for an unknown array, an abstract function, a size that no input has, shapes that do not
    conform.
    """
    return _Compiler(inputs, definitions, functions or {}).compiled(outputs, like or {})


class _Compiler(NamedLines):
    def compiled(self, outputs: Mapping[str, Matrix], like: Mapping[str, Leaf]) -> Compiled:
        lines, results = self.reduced(list(outputs.values()))
        arguments = [self.argument(leaf) for leaf in self.names]
        printer = MatrixPrinter(self.axes, f"result_type({', '.join([*map(str, arguments), '0.0'])})")
        assignments: list[tuple[Any, Any]] = []
        returned: dict[int, Any] = {}
        wanted = list(outputs)
        for line, number in scheduled(lines, results):
            axes = -1
            if number is not None:
                axes = AXES[like[wanted[number]].kind] if wanted[number] in like else 2
                self.says[line.target] = wanted[number]
            value = Result(self.expression(line.value), axes)
            target = self.expression(self.new_name(line.target))
            printer.axes[target.name] = printer.layout(value).axes
            assignments.append((target, value))
            if number is not None:
                returned[number] = target
        values = tuple(returned[number] for number in range(len(wanted)))
        code = "\n".join(printer.doprint(value) for _, value in assignments)
        assignments = [*self.extents(code), *assignments]
        function = sympy.lambdify(
            arguments,
            values,
            modules=[namespace(code)],
            printer=printer,
            use_imps=False,
            cse=lambda _: (assignments, values),
            docstring_limit=0,
        )
        source = inspect.getsource(function)
        check_source(source)
        says = {name: self.says[leaf] for leaf, name in self.names.items() if leaf in self.says}
        text = readable(source, says | {f"n{k}": symbol for symbol, k in self.sizes.items()})
        return Compiled(text, function, tuple(self.inputs), tuple(outputs), "1 + exp" in code)

    def argument(self, leaf: Leaf) -> Any:
        expression = self.expression(leaf)
        return expression.args[0] if leaf.kind == "scalar" else expression

    def expression(self, m: Value) -> Any:
        return to_sympy(m, self.generated.__getitem__, lambda s: f"n{self.sizes.setdefault(s, len(self.sizes))}")

    def extents(self, code: str) -> list[tuple[Any, Any]]:
        """Lines that read the sizes which the code needs off the arguments."""
        found: list[tuple[Any, Any]] = []
        needed = set(re.findall(r"\bn\d+\b", code))
        for symbol, k in self.sizes.items():
            if f"n{k}" not in needed:
                continue
            places = [
                (generated, shape.index(sized(symbol)))
                for (_, shape), generated in zip(self.inputs, self.names.values(), strict=False)
                if sized(symbol) in shape
            ]
            if not places:
                raise SymbackpropError(f"the size {symbol} cannot be read off an input")
            generated, axis = places[0]
            found.append((sympy.Symbol(f"n{k}"), Extent(sympy.MatrixSymbol(generated, 1, 1), axis)))
        return found


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
