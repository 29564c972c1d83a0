"""Common subexpressions of matrix forms: a list of named assignments in which nothing is computed twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from symbackprop.core.indices import node
from symbackprop.core.matrix import (
    UNIT,
    Determinant,
    Diagonal,
    DiagonalOf,
    ElementPower,
    Elementwise,
    Given,
    Hadamard,
    Identity,
    Inverse,
    Leaf,
    Matrix,
    Ones,
    Plus,
    Product,
    Scale,
    Softmax,
    Trace,
    Transpose,
    Zeros,
    shape,
)
from symbackprop.core.terms import Array

from .lowering import Peak, Value
from .simplify import MINUS


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
        case Leaf() | Ones() | Zeros() | Identity():
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
    match m:
        case Leaf() | Given() | Ones() | Zeros() | Identity():
            return ()
        case Product(a, b) | Hadamard(a, b):
            return (a, b)
        case Plus(args):
            return args
        case Scale(_, of):
            return (of,)
        case _:
            return (m.of,)


def rebuilt(m: Value, parts: tuple[Matrix, ...]) -> Value:
    match m:
        case Leaf() | Given() | Ones() | Zeros() | Identity():
            return m
        case Plus():
            return Plus(parts)
        case Product() | Hadamard():
            return type(m)(*parts)
    (of,) = parts
    match m:
        case Scale(factor, _):
            return Scale(factor, of)
        case Elementwise(fn, _, order):
            return Elementwise(fn, of, order)
        case ElementPower(_, exponent):
            return ElementPower(of, exponent)
        case Softmax(_, axis):
            return Softmax(of, axis)
        case Peak(_, axis):
            return Peak(of, axis)
        case Transpose() | Diagonal() | DiagonalOf() | Trace() | Inverse() | Determinant():
            return type(m)(of)
        case _:
            assert_never(m)
