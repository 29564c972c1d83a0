"""Matrix forms as a NumPy function.

    compiled = compile_function([("W", W), ("x", x)], {"y": Product(W, x)})
    compiled(W=..., x=...)["y"]

The forms become the assignments of which a training step is made (`write/step`), over generated names; the source is
checked against a list of what it may contain before it runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate

from symbackprop.core.functions import ROWS
from symbackprop.core.indices import Size
from symbackprop.core.matrix import (
    UNIT,
    Determinant,
    Diagonal,
    DiagonalOf,
    Identity,
    Inverse,
    Leaf,
    Matrix,
    Ones,
    Product,
    Trace,
    Transpose,
    shape,
)
from symbackprop.core.terms import SymbackpropError, sized
from symbackprop.network.activations import Activation
from symbackprop.write.code.compiled import FUNCTION_NAME, Compiled, generated

from ..step.assignments import Assignment, Entrywise, Map, Multiply, Reduce, Ref, references
from ..step.from_forms import Writer
from ..step.functional import TEMPLATES, code
from .cse import Definition, NamedLines, Shape, scheduled
from .lowering import Peak, Value

AXES = {"matrix": 2, "column": 1, "row": 1, "scalar": 0}
STEPS = {  # a step is of the type of its argument, which a comparison is not
    **TEMPLATES, **{f.name: f.code for f in ROWS if re.fullmatch(r"\w+\(\{\}\)", f.code)}, "step": "heaviside({}, 0)",
}  # fmt: skip
DOUBLE = re.compile(r"\((\([^()]*\))\)")  # brackets in brackets


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
    return _Function(NamedLines(inputs, definitions, functions or {})).compiled(outputs, like or {})


class _Function(Writer):
    """Names are v0, v1, ..., and n0, n1, ... for sizes; an array that is turned or made in place is named by that."""

    def __init__(self, lines: NamedLines) -> None:
        super().__init__(lines, {})
        self.body: list[str] = []
        self.full: dict[str, tuple[Size, Size]] = {}
        for leaf, name in lines.names.items():
            self.names[leaf.array], self.full[name] = name, leaf.shape
            if lines.axes[name] < 2:
                self.body.append(f"{name} = {name}.reshape(1, {'-1' if lines.axes[name] else 1})")
        self.arguments = list(lines.names.values())

    def compiled(self, outputs: Mapping[str, Matrix], like: Mapping[str, Leaf]) -> Compiled:
        lines, results = self.lines.reduced(list(outputs.values()))
        wanted, returned = list(outputs), dict[int, str]()
        for line, number in scheduled(lines, results):
            name = self.temporary()
            self.assign(name, line.value)
            self.names[line.target.array] = name
            if number is not None:
                self.lines.says[line.target] = wanted[number]
                axes = AXES[like[wanted[number]].kind] if wanted[number] in like else 2
                returned[number] = name + {0: ".reshape(())", 1: ".reshape(-1)", 2: ""}[axes]
        body = "\n".join(f"    {s}" for s in (*self.extents(), *joined(self.body)))
        values = ", ".join(returned[k] for k in range(len(wanted)))
        source = f"def {FUNCTION_NAME}({', '.join(self.arguments)}):\n{body}\n    return ({values},)\n"
        says = {self.names[leaf.array]: said for leaf, said in self.lines.says.items() if leaf.array in self.names}
        says |= {f"n{k}": symbol for symbol, k in self.lines.sizes.items()}
        return generated(source, says, self.lines.inputs, list(outputs), "1 + exp" in source)

    def extents(self) -> list[str]:
        """Lines that read the sizes which the code needs off the arguments."""
        found = []
        for symbol, k in self.lines.sizes.items():
            places = [(name, s.index(sized(symbol)))
                      for (_, s), name in zip(self.lines.inputs, self.arguments, strict=True) if sized(symbol) in s]
            if not places:
                raise SymbackpropError(f"the size {symbol} cannot be read off an input")
            found.append(f"n{k} = {places[0][0]}.shape[{places[0][1]}]")
        return found

    # --- statements

    def assign(self, name: str, m: Value) -> None:
        count = len(self.out)
        self.full[name] = m.shape if isinstance(m, Peak) else shape(m)
        super().assign(name, m)
        (last,) = self.out[count:]  # what it needs has been said
        del self.out[count:]
        match m:
            case Peak(of, _) | Product(Ones(), of) | Product(of, Ones()) if isinstance(last, Reduce):
                self.body.append(self.statement(last, shape(of)))
            case _:
                self.body.append(self.statement(last, self.full[name]))

    def statement(self, a: Assignment, entries: tuple[Size, Size]) -> str:
        """`entries` is the shape of what the assignment runs over."""
        match a:
            case Multiply(target, left, right, lt, rt):
                return f"{target} = {left}{'.T' * lt} @ {right}{'.T' * rt}"
            case Reduce(target, how, axis, value):
                operation = {"max": "maximum", "sum": "add"}[how]
                return f"{target} = {operation}.reduce({self.spread(value, entries)}, axis={axis}, keepdims=True)"
            case Map(target, value):
                own = f"{code(value, STEPS)}.copy()" if isinstance(value, Ref) else ""
                return f"{target} = {outermost(self.spread(value, entries, own))}"

    def spread(self, value: Entrywise, to: tuple[Size, Size], own: str = "") -> str:
        """The entries in an array of this shape; `own` is what makes it one of its own where it has the shape."""
        text = DOUBLE.sub(r"\1", code(value, STEPS))
        known = [self.full[n] for n in references(value) if n in self.full]
        if not known:  # a number
            return f"full({self.shape_of(to)}, {text}, dtype={self.kind})"
        have = tuple(next((s[k] for s in known if s[k] != UNIT), UNIT) for k in (0, 1))
        return own or text if have == to else f"broadcast_to({text}, {self.shape_of(to)}).copy()"

    @property
    def kind(self) -> str:
        return f"result_type({', '.join([*self.arguments, '0.0'])})"

    def shape_of(self, s: tuple[Size, Size]) -> str:
        return f"({self.size(s[0])}, {self.size(s[1])})"

    def size(self, s: Size) -> str:
        """A number, or the name of a size.  Raises SymbackpropError for a size that is put together."""
        if s.constant is not None:
            return str(s.constant)
        if len(s.symbols) != 1 or s != sized(s.symbols[0]):
            raise SymbackpropError(f"the size {s} cannot be read off an input")
        return f"n{self.lines.sizes.setdefault(s.symbols[0], len(self.lines.sizes))}"

    def extent_of(self, s: Size) -> Entrywise:
        return Ref(self.size(s))

    def temporary(self, letter: str = "v") -> str:
        self.count += 1
        return f"{letter}{len(self.lines.names) + self.count - 1}" if letter == "v" else self.temporary()

    def named(self, m: Value) -> str:
        match m:
            case Transpose(of):
                text = f"{self.named(of)}.T"
            case Identity(n):
                text = f"eye({self.size(n)}, dtype={self.kind})"
            case Diagonal(of):
                text = f"diag({self.named(of)}.reshape(-1))"
            case DiagonalOf(of):
                text = f"diagonal({self.named(of)}).reshape(-1, 1)"
            case Trace(of):
                text = f"trace({self.named(of)}).reshape(1, 1)"
            case Inverse(of):
                text = f"inv({self.named(of)})"
            case Determinant(of):
                text = f"det({self.named(of)}).reshape(1, 1)"
            case _:
                return super().named(m)
        self.full[text] = shape(m)
        return text


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


def outermost(text: str) -> str:
    """Without brackets around the whole."""
    inner = text[1:-1]
    return inner if text[:1] == "(" and text[-1:] == ")" and all(d >= 0 for d in depths(inner)) else text


def depths(text: str) -> list[int]:
    return list(accumulate((c == "(") - (c == ")") for c in text))
