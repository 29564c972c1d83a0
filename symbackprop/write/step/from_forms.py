"""From the compact forms of a network to the assignments of its training step.

The forms are lowered as they are for the printed NumPy text, so there is one place where softmax is made stable and
one where common parts are found; here each line becomes a product of matrices, a map or a reduction.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from symbackprop.core.indices import Size
from symbackprop.core.matrix import (
    UNIT,
    ElementPower,
    Elementwise,
    Hadamard,
    Leaf,
    Matrix,
    Ones,
    Plus,
    Product,
    Scale,
    Transpose,
    Zeros,
    shape,
)
from symbackprop.core.syntax import PI
from symbackprop.core.terms import ONE, Add, Array, Entry, Mul, Num, Power, SymbackpropError, Term, mul
from symbackprop.network.dense import DenseNetwork
from symbackprop.network.steps import deltas_from_outputs, with_penalty
from symbackprop.write.code.cse import NamedLines, scheduled
from symbackprop.write.step.assignments import inlined

from ..code.lowering import Peak, Value
from .assignments import (
    BATCH,
    FUNCTIONS,
    SCALAR,
    Assignment,
    Call,
    Entrywise,
    Map,
    Multiply,
    Number,
    Reduce,
    Ref,
    Samples,
    Shape,
    Step,
    Update,
    extent,
    gradient_of,
)

RATE = Leaf(Array("rate"), "scalar", (UNIT, UNIT))
MINUS_ONE = Num(Fraction(-1))
POWERS = {Fraction(1, 2): "sqrt"}


def training_step(net: DenseNetwork, update: Update, l2: float = 0.0) -> Step:
    """The step of a network in row convention with a batch of N samples; `l2` is λ of the cost + ½ λ Σ W².

    The equations are those of `network.dense`, with f' written in terms of f where `network.from_outputs` proves it,
    and the rate in the cost where the optimiser only needs their product.
    Raises SymbackpropError for an abstract loss or activation, and for a network in column convention.
    """
    if net.convention != "row" or net.batch is None:
        raise SymbackpropError("a training step is written for batches in row convention")
    rate = Entry(RATE.array, ())
    if update.folded:
        net = replace(net, factor=rate if net.factor == ONE else mul(rate, net.factor))
    penalty = mul(*([rate] if update.folded else []), Num(Fraction(l2))) if l2 else None
    names = [f"{letter}{l}" for l in range(1, net.depth + 1) for letter in "Wb"]
    inputs = {"x0": net.x, "t0": net.t, update.scalars[0]: RATE, **dict(zip(names, net.parameters, strict=True))}
    writer = Writer(NamedLines(inputs, (*net.forward(), *deltas_from_outputs(net))), inputs)
    forms = zip(names, with_penalty(net, penalty), strict=True)
    writer.write({gradient_of(name): form for name, (_, form) in forms})
    shapes = writer.shapes | dict.fromkeys(update.scalars, SCALAR)
    return inlined(Step(shapes, tuple(names), tuple(writer.out), update))


class Writer:
    """Writes the lines of forms as assignments to `out`."""

    def __init__(self, lines: NamedLines, inputs: dict[str, Leaf]) -> None:
        self.lines = lines
        self.names: dict[Array, str] = {}
        self.shapes: dict[str, Shape] = {}
        self.out: list[Assignment] = []
        self.count = 0
        for name, leaf in inputs.items():
            self.names[lines.slots[leaf.array].array] = name
            self.shapes[name] = sized_shape(leaf.shape)

    def write(self, forms: Mapping[str, Matrix]) -> None:
        """The assignments that the forms need, and those to the forms themselves, by name."""
        lines, results = self.lines.reduced(list(forms.values()))
        for line, number in scheduled(lines, results):
            name = self.name(line.target) if number is None else list(forms)[number]
            self.assign(name, line.value)
            self.names[line.target.array] = name

    def name(self, leaf: Leaf) -> str:
        """Z^{1} is Z1 and δ^{1} is D1; what has no name is numbered."""
        found = re.fullmatch(r"([ZAδ])\^\{?(\d+)\}?", self.lines.says.get(leaf, ""))
        if found is None:
            return self.temporary("v")
        return found[1].replace("δ", "D") + found[2]

    def temporary(self, letter: str = "u") -> str:
        self.count += 1
        return f"{letter}{self.count}"

    # --- statements

    def assign(self, name: str, m: Value) -> None:
        self.shapes[name] = sized_shape(m.shape if isinstance(m, Peak) else shape(m))
        match m:
            case Peak(of, axis):
                self.out.append(Reduce(name, "max", 0 if axis == 0 else 1, self.summed(of)))
            case Product(Ones(), b) if shape(b)[0] != UNIT:
                self.out.append(Reduce(name, "sum", 0, self.summed(b)))
            case Product(a, Ones()) if shape(a)[1] != UNIT:
                self.out.append(Reduce(name, "sum", 1, self.summed(a)))
            case Product(a, b) if not isinstance(a, Ones) and not isinstance(b, Ones):
                (left, lt), (right, rt) = self.operand(a), self.operand(b)
                self.out.append(Multiply(name, left, right, lt, rt))
            case _:
                self.out.append(Map(name, self.entry(m)))

    def operand(self, m: Matrix) -> tuple[str, bool]:
        """The name of an operand of a product, and whether it is transposed."""
        if isinstance(m, Transpose):
            name, turned = self.operand(m.of)
            return name, not turned
        return self.named(m), False

    def named(self, m: Value) -> str:
        if isinstance(m, Leaf):
            return self.names[m.array]
        name = self.temporary()
        self.assign(name, m)
        return name

    def summed(self, m: Matrix) -> Entrywise:
        """All entries of what is summed, also where a row or a column is repeated in it."""
        value = self.entry(m)
        if extent(value, self.shapes) == sized_shape(shape(m)):
            return value
        name = self.temporary()
        self.shapes[name] = sized_shape(shape(m))
        self.out.append(Map(name, value))
        return Ref(name)

    # --- entries

    def entry(self, m: Matrix) -> Entrywise:
        match m:
            case Ones():
                return Number(1.0)
            case Zeros():
                return Number(0.0)
            case Product(Ones(), row) if shape(row)[0] == UNIT:
                return self.entry(row)
            case Product(column, Ones()) if shape(column)[1] == UNIT:
                return self.entry(column)
            case Hadamard(a, ElementPower(b, Fraction(numerator=-1, denominator=1))):
                return Call("div", (self.entry(a), self.entry(b)))
            case Hadamard(a, Product(ElementPower(b, Fraction(numerator=-1, denominator=1)), Ones())):
                return Call("div", (self.entry(a), self.entry(b)))
            case Hadamard(a, b):
                return Call("mul", (self.entry(a), self.entry(b)))
            case Plus(args):
                return self.sum(args)
            case Scale(factor, of):
                return scaled(scalar(factor, self.names), self.entry(of))
            case Elementwise(fn, of, 0) if fn in FUNCTIONS:
                return Call(fn, (self.entry(of),))
            case ElementPower(of, exponent):
                return self.power(of, exponent)
        return Ref(self.named(m))

    def sum(self, args: Sequence[Matrix]) -> Entrywise:
        total: Entrywise | None = None
        for a in sorted(args, key=lambda a: isinstance(a, Scale) and a.factor == MINUS_ONE):
            if total is not None and isinstance(a, Scale) and a.factor == MINUS_ONE:
                total = Call("sub", (total, self.entry(a.of)))
            else:
                total = self.entry(a) if total is None else Call("add", (total, self.entry(a)))
        assert total is not None
        return total

    def power(self, of: Matrix, exponent: Fraction) -> Entrywise:
        if exponent < 0:
            return Call("div", (Number(1.0), self.power(of, -exponent) if exponent != -1 else self.entry(of)))
        if exponent in (2, 3):
            base = self.entry(of)
            if not isinstance(base, Ref):
                base = Ref(self.named(of))
            square = Call("mul", (base, base))
            return square if exponent == 2 else Call("mul", (square, base))
        if exponent in POWERS:
            return Call(POWERS[exponent], (self.entry(of),))
        return Call("power", (self.entry(of), Number(float(exponent))))


def scaled(factor: Entrywise, e: Entrywise) -> Entrywise:
    match factor, e:
        case Number(-1.0), _:
            return Call("neg", (e,))
        case _, Number(1.0):
            return factor
    return Call("mul", (factor, e))


def scalar(t: Term, names: dict[Array, str]) -> Entrywise:
    """A factor as arithmetic in numbers, N and the scalars; what is a number is one."""
    if (value := number(t)) is not None:
        return Number(value)
    match t:
        case Size():
            return Samples()  # only the size of a batch is no number
        case Entry(array, ()):
            return Ref(names[array])
        case Power(base, exponent) if exponent < 0:
            below = scalar(base if exponent == -1 else Power(base, -exponent), names)
            return Call("div", (Number(1.0), below))
        case Power(base, exponent):
            return Call("power", (scalar(base, names), Number(float(exponent))))
        case Mul(args):
            return quotient(args, names)
        case Add(args):
            total = scalar(args[0], names)
            for a in args[1:]:
                total = Call("add", (total, scalar(a, names)))
            return total
    raise SymbackpropError(f"a factor of a matrix is a scalar, not a {type(t).__name__.lower()}")


def quotient(args: Sequence[Term], names: dict[Array, str]) -> Entrywise:
    """A product of scalars: its numbers as one, its negative powers below."""
    above = [a for a in args if number(a) is None and not (isinstance(a, Power) and a.exponent < 0)]
    below = [Power(a.base, -a.exponent) for a in args if number(a) is None and isinstance(a, Power) and a.exponent < 0]
    value = math.prod(v for v in map(number, args) if v is not None)
    total: Entrywise | None = None if value == 1 and above else Number(value)
    for a in above:
        total = scalar(a, names) if total is None else Call("mul", (total, scalar(a, names)))
    assert total is not None
    for a in below:
        total = Call("div", (total, scalar(a.base if a.exponent == 1 else a, names)))
    return total


def number(t: Term) -> float | None:
    """The value of a scalar without names, rounded once where it is rational."""
    match t:
        case Num(value):
            return float(value)
        case Size():
            return None if t.constant is None else float(t.constant)
        case Entry():
            return math.pi if t == PI else None
        case Power(base, exponent):
            inner = number(base)
            return None if inner is None else inner ** float(exponent)
        case Mul(args) | Add(args):
            values = [number(a) for a in args]
            found = [v for v in values if v is not None]
            if len(found) < len(values):
                return None
            return math.prod(found) if isinstance(t, Mul) else math.fsum(found)
    return None


def sized_shape(s: tuple[Size, Size]) -> Shape:
    rows, columns = (n.constant if n.constant is not None else BATCH for n in s)
    return rows, columns
