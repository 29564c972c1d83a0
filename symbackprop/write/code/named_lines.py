"""Matrix forms as a list of named lines: inputs, what is defined from them, what the outputs need, each value once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from symbackprop.core.laws.functions import PI
from symbackprop.core.matrix import UNIT, Leaf, Matrix, Transpose
from symbackprop.core.terms import Add, Array, Entry, Mul, Num, Power, Size, SymbackpropError, Term, sized
from symbackprop.network.activations import Activation

from .cse import Assignment, Slot, eliminated, slot
from .lowering import Lowering, Value

Name: TypeAlias = str | Array | Leaf
Shape: TypeAlias = tuple[Size | int | str, ...]
Definition: TypeAlias = tuple[Name, Matrix]


class NamedLines:
    """What is read before anything is printed.

    Raises SymbackpropError for an unknown array, an abstract function, shapes that do not conform.
    """

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

    def reduced(self, outputs: Sequence[Matrix]) -> tuple[list[Assignment], list[Matrix]]:
        """The lines that the outputs need, and the outputs in terms of them."""
        lines, results, renamed = eliminated(self.lines, [self.lowering(m) for m in outputs])
        for before, after in renamed.items():
            if before in self.says:
                self.says.setdefault(after, self.says[before])
        return lines, results
