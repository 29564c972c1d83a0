"""From matrix forms to assignments: the values of forms, each computed once, and the training step of a network.

Softmax is shifted by the largest entry of each sample; products with matrices of ones become sums and broadcasting.
Entries, as activations and their slopes are given, are read as forms are.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce

from symbackprop.core import matrix as forms
from symbackprop.core.indices import Index, Size
from symbackprop.core.matrix import UNIT, Leaf, Matrix, shape
from symbackprop.core.syntax import PI
from symbackprop.core.terms import (
    ONE, Add, Apply, Array, Entry, Holds, Mul, Num, Positive, Power, SymbackpropError, Term, Whole, mul,
)  # fmt: skip
from symbackprop.network.activations import ACTIVATIONS, Z, derivative
from symbackprop.network.dense import Definition, DenseNetwork
from symbackprop.network.steps import deltas_from_outputs, with_penalty

from . import arithmetic
from .arithmetic import Arithmetic
from .assignments import (
    BATCH, FUNCTIONS, SCALAR, Assignment, Call, Entrywise, Map, Multiply, Number, Reduce, Ref, Samples, Shape, Step,
    Update, extent, gradient_of, inlined, reads, renamed, rewritten,
)  # fmt: skip

RATE = Leaf(Array("rate"), "scalar", (UNIT, UNIT))
TURNED, NUMBERED = ".T", re.compile(r"u\d+")


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
    writer = Writer(inputs, (*net.forward(), *deltas_from_outputs(net)))
    gradients = zip(names, with_penalty(net, penalty), strict=True)
    lines = writer.written({gradient_of(name): form for name, (_, form) in gradients})
    shapes = writer.shapes | dict.fromkeys(update.scalars, SCALAR)
    return inlined(Step(shapes, tuple(names), tuple(lines), update))


class Writer(Arithmetic):
    """The values of forms over named inputs; products and reductions become lines at once, other values when written.

    Raises SymbackpropError for an unknown array, an abstract function, shapes that do not conform.
    """

    def __init__(self, inputs: Mapping[str, Leaf], definitions: Sequence[Definition] = ()) -> None:
        super().__init__(frozenset(name for name, leaf in inputs.items() if leaf.kind == "scalar"))
        self.arrays: dict[Array, tuple[Leaf, Entrywise]] = {leaf.array: (leaf, Ref(n)) for n, leaf in inputs.items()}
        self.shapes = {name: sized_shape(leaf.shape) for name, leaf in inputs.items()}
        self.lines: list[Assignment] = []
        self.made: dict[Assignment, str] = {}
        self.numbered: set[str] = set()  # the names of these lines
        self.called: dict[str, str] = {}  # and what some of them are called instead
        self.count = 0
        for leaf, form in definitions:
            self.arrays[leaf.array] = leaf, self.defined(said(leaf), sized_shape(shape(form)), self.value(form))

    def defined(self, name: str, to: Shape, value: Entrywise) -> Entrywise:
        """What is defined has all its entries, also where they repeat: backends reduce over samples only."""
        if isinstance(value, Ref) and self.shapes[value.name] == to:
            self.takes_name(value, name)
            return value
        name = name or self.temporary()
        self.lines.append(Map(name, value))
        self.shapes[name], self.meaning[name] = to, value
        return Ref(name)

    def takes_name(self, value: Entrywise, name: str) -> bool:
        """Whether the value is a line that had no name but its number, and now has this one."""
        match value:
            case Ref(line) if line in self.numbered and line not in self.called:
                if name:
                    self.called[line] = name
                return True
        return False

    def temporary(self) -> str:
        self.count += 1
        return f"u{self.count}"

    def line(self, a: Assignment, to: Shape) -> Ref:
        """What the assignment without a target computes, in a line of its own."""
        if a not in self.made:
            name = self.made[a] = self.temporary()
            self.shapes[name] = to
            self.numbered.add(name)
            self.lines.append(replace(a, target=name))
        return Ref(self.made[a])

    def written(self, outputs: Mapping[str, Matrix]) -> list[Assignment]:
        """The assignments that the outputs need, and those to the outputs themselves, by name."""
        since = len(self.lines)
        for name, form in outputs.items():
            to, value = sized_shape(shape(form)), self.value(form)
            if extent(value, self.shapes) != to or not self.takes_name(value, name):
                self.lines.append(Map(name, value))
            self.shapes[name] = to
        lines = self.renamed(self.lines, self.called)
        return self.in_order(self.shared(needed(early(lines, since), outputs)))

    def renamed(self, lines: Sequence[Assignment], names: Mapping[str, str]) -> list[Assignment]:
        """With other names, also for transposes."""
        table = {**names, **{before + TURNED: after + TURNED for before, after in names.items()}}
        self.shapes |= {after: self.shapes[before] for before, after in table.items() if before in self.shapes}
        return [renamed(a, table) for a in lines]

    def shared(self, lines: Sequence[Assignment]) -> list[Assignment]:
        """Each value that is written more than once gets a line."""
        uses = Counter[Entrywise]()
        known: dict[Entrywise, Entrywise] = {}
        out: list[Assignment] = []

        def count(e: Entrywise) -> None:
            if isinstance(e, Call) and not self.constant(e):
                uses[e] += 1
                if uses[e] == 1:
                    for a in e.args:
                        count(a)

        def inside(e: Entrywise) -> Entrywise:
            return Call(e.fn, tuple(map(named, e.args))) if isinstance(e, Call) else e

        def named(e: Entrywise) -> Entrywise:
            if e in known or uses[e] < 2:
                return known.get(e) or inside(e)
            value, name = inside(e), self.temporary()
            self.shapes[name] = extent(value, self.shapes)
            out.append(Map(name, value))
            known[e] = Ref(name)
            return known[e]

        for a in lines:
            if not isinstance(a, Multiply):
                count(a.value)
        for a in lines:
            match a:
                case Map(target, value):
                    out.append(Map(target, known.get(value) or inside(value)))
                    if isinstance(value, Call) and extent(value, self.shapes) == self.shapes[target]:
                        known.setdefault(value, Ref(target))
                case Reduce(target, how, axis, value):
                    out.append(Reduce(target, how, axis, named(value)))
                case _:
                    out.append(a)
        return out

    def in_order(self, lines: Sequence[Assignment]) -> list[Assignment]:
        """With names that count the lines that people have no name for."""
        numbered = [a.target for a in lines if NUMBERED.fullmatch(a.target)]
        return self.renamed(lines, {before: f"v{k}" for k, before in enumerate(numbered, 1)})

    # --- forms

    def value(self, m: Matrix) -> Entrywise:
        match m:
            case Leaf():
                return self.leaf(m)
            case forms.Given(row, column, body):
                return self.entry(body, (row, column))
            case forms.Ones():
                return arithmetic.ONE
            case forms.Zeros():
                return arithmetic.ZERO
            case forms.Product(a, b):
                return self.product(a, b)
            case forms.Hadamard(a, b):
                return self.mul(self.value(a), self.value(b))
            case forms.Plus(args):
                return self.plus(map(self.value, args))
            case forms.Scale(factor, of):
                return self.mul(self.entry(factor), self.value(of))
            case forms.Transpose(of):
                return self.turned(self.value(of))
            case forms.Elementwise(fn, of, order):
                return self.function(fn, self.value(of), order)
            case forms.ElementPower(of, exponent):
                return self.power(self.value(of), exponent)
            case forms.Softmax(of, axis):
                z, whole = self.value(of), shape(of)[axis]
                e = Call("exp", (self.plus((z, self.negative(self.reduced("max", axis, z, whole)))),))
                return self.div(e, self.reduced("sum", axis, e, whole))
            case _:
                raise SymbackpropError(f"no NumPy code for a {type(m).__name__.lower()} of matrices")

    def leaf(self, m: Leaf) -> Entrywise:
        if m.array not in self.arrays:
            raise SymbackpropError(f"the array {m.array} is neither an input nor defined before it is used")
        known, value = self.arrays[m.array]
        if m.shape != known.shape:
            (n, k), (r, c) = m.shape, known.shape
            raise SymbackpropError(f"the array {m.array} is {r}×{c} but is used as {n}×{k}")
        if m.kind == "scalar" != known.kind:
            raise SymbackpropError(f"the array {m.array} is used as a scalar")
        return value

    def product(self, a: Matrix, b: Matrix) -> Entrywise:
        """A product of matrices; of what is the same along the inner axis, a sum of the other."""
        inner, alone = shape(a)[1], shape(a)[1] == UNIT
        (s, left), (r, right) = self.split(self.value(a)), self.split(self.value(b))
        rows, columns = extent(left, self.shapes), extent(right, self.shapes)
        repeated = (rows, columns) != (sized_shape(shape(a)), sized_shape(shape(b)))
        if not alone and rows[1] == 1:
            found = self.mul(left, self.reduced("sum", 0, right, inner))
        elif not alone and columns[0] == 1:
            found = self.mul(self.reduced("sum", 1, left, inner), right)
        elif alone and (repeated or arithmetic.ONE in (left, right)):
            found = self.mul(left, right)
        else:
            found = self.multiplied(left, right)
        return self.scaled(arithmetic.product(s, r), found)

    def multiplied(self, left: Entrywise, right: Entrywise) -> Ref:
        (x, x_turned), (y, y_turned) = self.operand(left), self.operand(right)
        to = extent(left, self.shapes)[0], extent(right, self.shapes)[1]
        return self.line(Multiply("", x, y, x_turned, y_turned), to)

    def operand(self, e: Entrywise) -> tuple[str, bool]:
        """The name of an operand of a product, and whether it is transposed."""
        if not isinstance(e, Ref):
            e = self.line(Map("", e), extent(e, self.shapes))
        return e.name.removesuffix(TURNED), e.name.endswith(TURNED)

    def reduced(self, how: str, axis: int, e: Entrywise, length: Size) -> Entrywise:
        """The sum or the maximum of a value along an axis of this length, also where it is repeated there."""
        here = extent(e, self.shapes)
        if here[axis] == 1:
            return e if how == "max" else self.mul(count_of(length), e)
        s, x = self.split(e) if how == "sum" else (arithmetic.ONE, e)
        along, word = (0, 1)[axis], "sum" if how == "sum" else "max"
        to: Shape = (1, here[1]) if axis == 0 else (here[0], 1)
        return self.scaled(s, self.line(Reduce("", word, along, x), to))  # type: ignore[arg-type]

    def turned(self, e: Entrywise) -> Entrywise:
        def other(x: Entrywise) -> Entrywise | None:
            if not isinstance(x, Ref) or x.name in self.scalars:
                return None
            name = x.name.removesuffix(TURNED) if x.name.endswith(TURNED) else x.name + TURNED
            self.shapes[name] = self.shapes[x.name][::-1]
            return Ref(name)

        return rewritten(e, other)

    # --- entries

    def entry(self, t: Term, at: tuple[Index, ...] = (), z: Entrywise | None = None) -> Entrywise:
        """A term in entries at these indices, in scalars, and with z in the place of the variable of an activation."""

        def inside(t: Term) -> Entrywise:
            return self.entry(t, at, z)

        match t:
            case Num(value):
                return Number(float(value))
            case Size():
                return count_of(t)
            case Entry() if t == PI:
                return Number(math.pi)
            case Entry() if z is not None and t == Z:
                return z
            case Entry(array, ()):
                return self.leaf(Leaf(array, "scalar", (UNIT, UNIT)))
            case Entry(array, places) if places == at:
                return self.leaf(Leaf(array, "matrix", (at[0].size, at[1].size)))
            case Entry(array, places) if places == at[:1]:
                return self.leaf(Leaf(array, "column", (at[0].size, UNIT)))
            case Entry(array, places) if places == at[1:]:
                return self.leaf(Leaf(array, "row", (UNIT, at[1].size)))
            case Add(args):
                return self.plus(map(inside, args))
            case Mul(args):
                return reduce(self.mul, map(inside, args), arithmetic.ONE)
            case Power(base, exponent):
                return self.power(inside(base), exponent)
            case Apply(fn, arg, order):
                return self.function(fn, inside(arg), order)
            case Holds(Positive(of)):
                return Call("step", (inside(of),))
            case Whole(fn):
                raise SymbackpropError(f"the function {fn!r} is abstract, or no matrix form was found for it")
            case _:
                raise SymbackpropError(f"no matrix form found for a {type(t).__name__.lower()} in an entry")

    def function(self, fn: str, of: Entrywise, order: int) -> Entrywise:
        """A function of each entry, or its derivative; what has no word of its own is written out."""
        if order == 0 and FUNCTIONS.get(fn) == 1:
            return self.log(of) if fn == "log" else Call(fn, (of,))
        if fn not in ACTIVATIONS and fn not in FUNCTIONS:
            raise SymbackpropError(f"no NumPy code for the function {fn!r}: only its name is known")
        known = ACTIVATIONS.get(fn)
        value = known.value if known else Apply(fn, Z)
        for k in range(order):
            value = known.slope if known and k == 0 else derivative(value)
        return self.entry(value, (), of)


def count_of(n: Size) -> Entrywise:
    return Samples() if n.constant is None else Number(float(n.constant))  # only a batch has no number


def said(leaf: Leaf) -> str:
    """Z^{1} is Z1 and δ^{1} is D1; other names are for people."""
    found = re.fullmatch(r"([ZAδ])\^\{?(\d+)\}?", str(leaf.array))
    return found[1].replace("δ", "D") + found[2] if found else ""


def bases(a: Assignment) -> set[str]:
    return {name.removesuffix(TURNED) for name in reads(a)}


def needed(lines: Sequence[Assignment], outputs: Mapping[str, object]) -> list[Assignment]:
    wanted, kept = set(outputs), list[Assignment]()
    for a in reversed(lines):
        if a.target in wanted:
            wanted |= bases(a)
            kept.append(a)
    return kept[::-1]


def early(lines: Sequence[Assignment], since: int) -> list[Assignment]:
    """The lines from this place on, each after the last line that it needs, while that is still in the cache."""
    out, late = list(lines[:since]), set[str]()
    for a in lines[since:]:
        names = bases(a)
        k = max((k for k, b in enumerate(out) if b.target in names), default=-1) + 1
        while k < len(out) and out[k].target in late:
            k += 1
        out.insert(k, a)
        late.add(a.target)
    return out


def sized_shape(s: tuple[Size, Size]) -> Shape:
    rows, columns = (n.constant if n.constant is not None else BATCH for n in s)
    return rows, columns
