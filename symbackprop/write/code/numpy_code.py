"""Matrix forms as a NumPy function, through SymPy's lambdify.

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
from typing import Any, TypeAlias

import sympy

from symbackprop.core.laws.functions import PI
from symbackprop.core.matrix import UNIT, Leaf, Matrix, Transpose
from symbackprop.core.terms import Add, Array, Entry, Mul, Num, Power, Size, SymbackpropError, Term, sized
from symbackprop.network.activations import Activation

from .compiled import Compiled
from .cse import Assignment, Slot, eliminated, scheduled, slot
from .lowering import Lowering, Value
from .matrix_sympy import to_sympy
from .numpy_printer import Extent, MatrixPrinter, Result
from .readable import namespace, readable
from .source_check import check_source

Name: TypeAlias = str | Array | Leaf
Shape: TypeAlias = tuple[Size | int | str, ...]
Definition: TypeAlias = tuple[Name, Matrix]
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


class _Compiler:
    def __init__(
        self,
        inputs: Sequence[tuple[str, Leaf | Shape]],
        definitions: Sequence[Definition],
        functions: Mapping[str, Activation],
    ) -> None:
        self.slots: dict[Array, Leaf] = {}
        self.inputs: list[tuple[str, tuple[Size, ...]]] = []
        self.names: dict[Leaf, str] = {}  # v0, v1, ...: the inputs first, then the lines
        self.generated: dict[Array, str] = {}  # the same by array
        self.axes: dict[str, int] = {}  # of each generated name
        self.sizes: dict[str, int] = {}  # n0, n1, ...
        self.says: dict[Leaf, str] = {}  # what people call a value
        self.lines: list[Assignment] = []
        self.lowering = Lowering(self.leaf, self.scalar, self.line, functions)
        for name, given in inputs:
            self.add_input(name, given)
        for defined, form in definitions:
            self.add_definition(defined, form)

    # --- reading

    def add_input(self, name: str, given: Leaf | Shape) -> None:
        if isinstance(given, Leaf):
            array, shape = given.array, {
                "matrix": given.shape, "column": given.shape[:1], "row": given.shape[1:], "scalar": ()
            }[given.kind]  # fmt: skip
        else:
            array, shape = Array(name), tuple(map(sized, given))
        if array in self.slots or name in dict(self.inputs):
            raise SymbackpropError(f"the array {name} is given twice")
        if array == PI.array:
            raise SymbackpropError("pi is the number and cannot be an array")
        if len(shape) > 2:
            raise SymbackpropError(f"{name} has {len(shape)} axes; a matrix form has at most two")
        kind = ("scalar", "row", "matrix")[len(shape)]
        rows, columns = (UNIT, UNIT, *shape)[-2:]
        leaf = Leaf(Slot(f"input {len(self.inputs)}"), kind, (rows, columns))
        self.slots[array] = self.new_name(leaf)
        self.inputs.append((name, shape))
        self.axes[self.names[leaf]] = len(shape)
        self.says[leaf] = name

    def add_definition(self, name: Name, form: Matrix) -> None:
        array = name.array if isinstance(name, Leaf) else Array(name) if isinstance(name, str) else name
        if array in self.slots:
            raise SymbackpropError(f"the array {array} is defined twice")
        value = self.lowering(form)
        target = self.line(value)
        self.slots[array] = target
        self.says[target] = str(array)
        self.lowering.meaning[target] = value

    def new_name(self, leaf: Leaf) -> Leaf:
        self.names[leaf] = self.generated[leaf.array] = f"v{len(self.names)}"
        return leaf

    def line(self, value: Value) -> Leaf:
        target = slot(f"line {len(self.lines)}", value)
        self.lines.append(Assignment(target, value))
        return target

    def leaf(self, m: Leaf) -> Matrix:
        if isinstance(m.array, Slot):
            return m
        known = self.slots.get(m.array)
        if known is None:
            raise SymbackpropError(f"the array {m.array} is neither an input nor defined before it is used")
        if m.shape == known.shape:
            return known
        if m.kind in ("column", "row") and m.shape == known.shape[::-1]:
            return Transpose(known)
        (n, k), (r, c) = m.shape, known.shape
        raise SymbackpropError(f"the array {m.array} is {r}×{c} but is used as {n}×{k}")

    def scalar(self, t: Term) -> Term:
        match t:
            case Num() | Size():
                return t
            case Entry(array, ()):
                if isinstance(array, Slot) or t == PI:
                    return t
                known = self.leaf(Leaf(array, "scalar", (UNIT, UNIT)))
                if not isinstance(known, Leaf) or known.kind != "scalar":
                    raise SymbackpropError(f"the array {array} is used as a scalar")
                return Entry(known.array, ())
            case Add(args):
                return Add(tuple(map(self.scalar, args)))
            case Mul(args):
                return Mul(tuple(map(self.scalar, args)))
            case Power(base, exponent):
                return Power(self.scalar(base), exponent)
            case _:
                raise SymbackpropError(f"a factor of a matrix is a scalar, not a {type(t).__name__.lower()}")

    # --- writing

    def compiled(self, outputs: Mapping[str, Matrix], like: Mapping[str, Leaf]) -> Compiled:
        lines, results, renamed = eliminated(self.lines, [self.lowering(m) for m in outputs.values()])
        for before, after in renamed.items():
            if before in self.says:
                self.says.setdefault(after, self.says[before])
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
