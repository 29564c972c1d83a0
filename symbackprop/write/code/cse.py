"""Matrix forms as a list of named lines, each value once: inputs, what is defined from them, what the outputs need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.core.indices import node
from symbackprop.core.laws.functions import PI
from symbackprop.core.matrix import (
    UNIT,
    ElementPower,
    Leaf,
    Matrix,
    Ones,
    Product,
    Scale,
    Transpose,
    Zeros,
    shape,
)
from symbackprop.core.terms import Add, Array, Entry, Mul, Num, Power, Size, SymbackpropError, Term
from symbackprop.network.dense import Definition
from symbackprop.write.code.lowering import Lowering, Peak, Value
from symbackprop.write.code.simplify import MINUS, parts_of, with_parts


@node
class Slot(Array):
    """A generated array; equal to no array of a user, whatever that is called."""


@dataclass(frozen=True, slots=True)
class Assignment:
    target: Leaf
    value: Value


def slot(name: str, of: Value) -> Leaf:
    """The leaf that stands for the value `of`."""
    return Leaf(Slot(name), "matrix", of.shape if isinstance(of, Peak) else shape(of))


def eliminated(
    lines: Sequence[Assignment], results: Sequence[Matrix]
) -> tuple[list[Assignment], list[Matrix], dict[Leaf, Leaf]]:
    """The lines that the results need, each value computed once.

    Values that occur twice get a line.  Returns the lines, under new targets, the results in terms of them, and the
    new target of each line that is still there.
    """
    return _Eliminator(lines, results).run()


def scheduled(lines: Sequence[Assignment], results: Sequence[Matrix]) -> list[tuple[Assignment, int | None]]:
    """Lines and results in the order to compute them; a result comes with its number.

    A result follows the last line that it needs, while that is still in the cache.
    """
    place = {line.target: k for k, line in enumerate(lines)}
    after: dict[int, list[tuple[Assignment, int | None]]] = {}
    for number, m in enumerate(results):
        last = max((place[x] for x in leaves(m) if x in place), default=-1)
        after.setdefault(last, []).append((Assignment(slot(f"result {number}", m), m), number))
    order = after.get(-1, [])
    for k, line in enumerate(lines):
        order += [(line, None), *after.get(k, [])]
    return order


class _Eliminator:
    def __init__(self, lines: Sequence[Assignment], results: Sequence[Matrix]) -> None:
        self.lines, self.results = lines, results
        self.uses: Counter[Value] = Counter()
        self.named: dict[Value, Leaf] = {}  # each computed value and where it is
        self.renamed: dict[Leaf, Leaf] = {}
        self.out: list[Assignment] = []

    def run(self) -> tuple[list[Assignment], list[Matrix], dict[Leaf, Leaf]]:
        for r in self.results:
            self.count(r)
        for line in reversed(self.lines):
            if self.uses[line.target]:
                self.count(line.value)
        for line in self.lines:
            if self.uses[line.target]:
                self.assign(line)
        results = [self.rewritten(r) for r in self.results]
        return self.out, results, self.renamed

    def count(self, m: Value) -> None:
        """Counts each use of each distinct part; a value that has a line is used by it too."""
        self.uses[m] += 1
        if self.uses[m] > 1:
            return
        for part in children(m):
            for _ in range(repetitions(m)):
                self.count(part)

    def assign(self, line: Assignment) -> None:
        value = self.rewritten(line.value)
        if isinstance(value, Leaf):
            self.renamed[line.target] = value
        else:
            self.renamed[line.target] = self.place(value)

    def place(self, value: Value) -> Leaf:
        if value not in self.named:
            leaf = slot(f"value {len(self.out)}", value)
            self.named[value] = leaf
            self.out.append(Assignment(leaf, value))
        return self.named[value]

    def rewritten(self, m: Value) -> Matrix:
        """m in terms of names; what is used more than once gets one."""
        if isinstance(m, Leaf):
            return self.renamed.get(m, m)
        value = rebuilt(m, tuple(self.rewritten(c) for c in children(m)))
        if value in self.named:
            return self.named[value]
        if isinstance(value, Peak) or (self.uses[m] > 1 and costs(value)):
            return self.place(value)
        return value


def repetitions(m: Value) -> int:
    """How often the code of m writes its parts."""
    return 2 if isinstance(m, ElementPower) and m.exponent == Fraction(3) else 1


def costs(m: Matrix) -> bool:
    """Whether a value is worth a name: views, constants and broadcasting cost nothing."""
    match m:
        case Leaf() | Ones() | Zeros():
            return False
        case Transpose(of):
            return costs(of)
        case Scale(factor, of):
            return costs(of) or (factor != MINUS and not repeats(of))
    return not repeats(m)


def repeats(m: Matrix) -> bool:
    """Whether m is a row, a column or an entry repeated, which NumPy does by itself."""
    match m:
        case Product(Ones() as ones, _):
            return shape(ones)[1] == UNIT
        case Product(_, Ones() as ones):
            return shape(ones)[0] == UNIT
    return False


def leaves(m: Value) -> set[Leaf]:
    """The leaves that occur in m."""
    return {m} if isinstance(m, Leaf) else set().union(*map(leaves, children(m)))


def children(m: Value) -> tuple[Matrix, ...]:
    return (m.of,) if isinstance(m, Peak) else parts_of(m)


def rebuilt(m: Value, parts: tuple[Matrix, ...]) -> Value:
    return Peak(parts[0], m.axis) if isinstance(m, Peak) else with_parts(m, parts)


class NamedLines:
    """What is read before anything is printed.

    Raises SymbackpropError for an unknown array, an abstract function, shapes that do not conform.
    """

    def __init__(self, inputs: Mapping[str, Leaf], definitions: Sequence[Definition]) -> None:
        self.slots = {leaf.array: Leaf(Slot(f"input {name}"), leaf.kind, leaf.shape) for name, leaf in inputs.items()}
        self.says: dict[Leaf, str] = {}  # what people call a value
        self.lines: list[Assignment] = []
        self.lowering = Lowering(self.leaf, self.scalar, self.line)
        for leaf, form in definitions:
            value = self.lowering(form)
            target = self.slots[leaf.array] = self.line(value)
            self.says[target] = str(leaf.array)
            self.lowering.meaning[target] = value

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
        if m.shape != known.shape:
            (n, k), (r, c) = m.shape, known.shape
            raise SymbackpropError(f"the array {m.array} is {r}×{c} but is used as {n}×{k}")
        return known

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
