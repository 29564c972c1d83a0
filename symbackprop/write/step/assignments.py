"""A training step as one list of assignments over named matrices: what every backend prints in its own words.

    A1 = x @ W1;  A1 = tanh(A1 + b1);  D2 = A1 @ W2;  ...;  dW1 = xᵀ @ D1

A name is a letter or two and a number, made here; no text of a user is ever one.  A size is a number or "N", the
samples of a batch.  Samples are rows; how a backend lays a matrix out in memory is its own affair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, TypeAlias, assert_never

from symbackprop.core.functions import ROWS

BATCH: Literal["N"] = "N"
Extent: TypeAlias = int | Literal["N"]
Shape: TypeAlias = tuple[Extent, Extent]
SCALAR: Shape = (1, 1)

# Every function of entries there is, with its number of arguments.
FUNCTIONS: dict[str, int] = {
    **dict.fromkeys(("add", "sub", "mul", "div", "power"), 2),
    **dict.fromkeys((*(f.name for f in ROWS), "neg", "abs", "nonpositive", "relu", "sign", "sqrt", "step"), 1),
}
INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


@dataclass(frozen=True, slots=True)
class Ref:
    """An entry of a matrix; a row, a column or a scalar is repeated."""

    name: str


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Samples:
    """N as a number."""


@dataclass(frozen=True, slots=True)
class Call:
    fn: str
    args: tuple[Entrywise, ...]


Entrywise: TypeAlias = Ref | Number | Samples | Call


@dataclass(frozen=True, slots=True)
class Multiply:
    """target = left @ right, each transposed where it is said to be."""

    target: str
    left: str
    right: str
    left_turned: bool = False
    right_turned: bool = False


@dataclass(frozen=True, slots=True)
class Map:
    """target = value at each entry."""

    target: str
    value: Entrywise


@dataclass(frozen=True, slots=True)
class Reduce:
    """target = the sum or the maximum of value along an axis, which stays with size 1."""

    target: str
    how: Literal["sum", "max"]
    axis: Literal[0, 1]
    value: Entrywise


Assignment: TypeAlias = Multiply | Map | Reduce


@dataclass(frozen=True, slots=True)
class Update:
    """How an optimiser changes all parameters at once: maps over the flat vectors P0, G0 (the gradient) and its slots.

    `scalars` are set anew before each step (the first is the learning rate); `folded` says that the gradient comes
    multiplied with the rate.  `shrink` is what each weight, not each bias, is multiplied with before.
    """

    scalars: tuple[str, ...]
    slots: tuple[str, ...]
    maps: tuple[Map, ...]
    folded: bool
    shrink: Entrywise | None = None

    @property
    def plain(self) -> bool:
        """Gradient descent: P0 = P0 - G0 and nothing more."""
        return self.shrink is None and self.maps == (Map("P0", Call("sub", (Ref("P0"), Ref("G0")))),)


@dataclass(frozen=True, slots=True)
class Step:
    """Assignments from x, t and the parameters W1, b1, ... to their gradients dW1, db1, ..., then the update."""

    shapes: Mapping[str, Shape]
    parameters: tuple[str, ...]
    assignments: tuple[Assignment, ...]
    update: Update

    @property
    def inputs(self) -> int:
        return _number(self.shapes["x0"][1])

    @property
    def outputs(self) -> int:
        return _number(self.shapes["t0"][1])

    @property
    def count(self) -> int:
        """The number of parameters."""
        return sum(_number(r) * _number(c) for r, c in map(self.shapes.__getitem__, self.parameters))

    @property
    def fixed(self) -> frozenset[str]:
        """What no assignment may overwrite."""
        return frozenset({"x0", "t0", *self.parameters, *self.update.scalars})

    def places(self) -> Iterator[tuple[str, int, int, int]]:
        """(name, offset in the flat vector, rows, columns) of each parameter."""
        offset = 0
        for name in self.parameters:
            rows, columns = map(_number, self.shapes[name])
            yield name, offset, rows, columns
            offset += rows * columns

    def shrinking(self) -> tuple[Map, ...]:
        """The update's `shrink` at each weight."""
        factor = self.update.shrink
        weights = [name for name in self.parameters if name[0] == "W"]
        return () if factor is None else tuple(Map(w, Call("mul", (Ref(w), factor))) for w in weights)

    def with_assignments(self, assignments: tuple[Assignment, ...]) -> Step:
        known = {*self.fixed, *(a.target for a in assignments)}
        return replace(self, assignments=assignments, shapes={n: s for n, s in self.shapes.items() if n in known})


def gradient_of(parameter: str) -> str:
    return "d" + parameter


def _number(n: Extent) -> int:
    assert isinstance(n, int), "only samples have a size that is not known"
    return n


def size(n: Extent, batch: int) -> int:
    return batch if n == BATCH else n


def multiplications(a: Multiply, step: Step, batch: int) -> int:
    """How many a product takes in a full batch."""
    rows, columns = step.shapes[a.target]
    inner = step.shapes[a.left][0 if a.left_turned else 1]
    return size(rows, batch) * size(columns, batch) * size(inner, batch)


def references(e: Entrywise) -> Iterator[str]:
    """The names in e, each as often as it occurs."""
    match e:
        case Ref(name):
            yield name
        case Call(_, args):
            for a in args:
                yield from references(a)
        case Number() | Samples():
            return
        case _:
            assert_never(e)


def reads(a: Assignment) -> Iterator[str]:
    match a:
        case Multiply(_, left, right):
            yield from (left, right)
        case Map(_, value) | Reduce(_, _, _, value):
            yield from references(value)
        case _:
            assert_never(a)


def rewritten(e: Entrywise, rule: Callable[[Entrywise], Entrywise | None]) -> Entrywise:
    """With what the rule gives in the place of each part that it knows, from the outside in."""
    found = rule(e)
    if found is None and isinstance(e, Call):
        return Call(e.fn, tuple(rewritten(a, rule) for a in e.args))
    return e if found is None else found


def replaced(e: Entrywise, old: Entrywise, by: Entrywise) -> Entrywise:
    return rewritten(e, lambda x: by if x == old else None)


def constant(e: Entrywise, scalars: frozenset[str]) -> bool:
    """Whether e is the same at every entry."""
    return all(name in scalars for name in references(e))


def extent(e: Entrywise, shapes: Mapping[str, Shape]) -> Shape:
    """The shape of the entries that e runs over."""
    rows: Extent = 1
    columns: Extent = 1
    for r, c in map(shapes.__getitem__, references(e)):
        rows, columns = r if rows == 1 else rows, c if columns == 1 else columns
    return rows, columns


# --- as text ---------------------------------------------------------------------------------


def text(step: Step) -> str:
    """The assignments as one reads them."""
    return "\n".join(line(a) for a in (*step.assignments, *step.shrinking(), *step.update.maps))


def line(a: Assignment) -> str:
    match a:
        case Multiply(target, left, right, lt, rt):
            return f"{target} = {left}{'ᵀ' * lt} @ {right}{'ᵀ' * rt}"
        case Map(target, value):
            return f"{target} = {outermost(formula(value))}"
        case Reduce(target, how, axis, value):
            return f"{target} = {how}_{axis} {formula(value)}"
        case _:
            assert_never(a)


def formula(e: Entrywise) -> str:
    return spelled(e, str, "{:g}".format, "N", lambda fn, args: f"{fn}({', '.join(map(outermost, args))})")


def spelled(
    e: Entrywise,
    ref: Callable[[str], str],
    number: Callable[[float], str],
    samples: str,
    call: Callable[[str, Sequence[str]], str],
) -> str:
    """The value in the words of a backend, with brackets around each sum, product and quotient."""
    match e:
        case Ref(name):
            return ref(name)
        case Number(value):
            return number(value)
        case Samples():
            return samples
        case Call(fn, args):
            texts = [spelled(a, ref, number, samples, call) for a in args]
            return f"({texts[0]} {INFIX[fn]} {texts[1]})" if fn in INFIX else call(fn, texts)
        case _:
            assert_never(e)


def outermost(text: str) -> str:
    """Without brackets around the whole."""
    inner = text[1:-1]
    depths = accumulate((c == "(") - (c == ")") for c in inner)
    return inner if text[:1] == "(" and text[-1:] == ")" and all(d >= 0 for d in depths) else text


MOST_NAMES = 12  # in one map: longer ones help nobody


def inlined(step: Step) -> Step:
    """A map that is used once, by a map or a reduction over the same entries, is written into it."""
    lines = list(step.assignments)
    uses = Counter(name for a in lines for name in reads(a))
    at = {name: k for k, a in enumerate(lines) for name in reads(a)}
    gone = set[int]()
    for k, a in enumerate(lines):
        if not isinstance(a, Map) or uses[a.target] != 1:
            continue
        user = lines[at[a.target]]
        if isinstance(user, Multiply):
            continue
        here = step.shapes[a.target]
        if not extent(user.value, step.shapes) == here == extent(a.value, step.shapes) or too_long(a, user):
            continue
        value = replaced(user.value, Ref(a.target), a.value)
        lines[at[a.target]] = (
            Map(user.target, value) if isinstance(user, Map) else Reduce(user.target, user.how, user.axis, value)
        )
        for name in references(a.value):
            at[name] = max(at[name], at[a.target])
        gone.add(k)
    return step.with_assignments(tuple(a for k, a in enumerate(lines) if k not in gone))


def too_long(a: Map, user: Map | Reduce) -> bool:
    return len(list(references(a.value))) + len(list(references(user.value))) > MOST_NAMES


def accumulating(step: Step) -> tuple[Step, frozenset[str]]:
    """For plain descent: the gradients that the parameter itself takes up, each after the last use of the parameter."""
    if not step.update.plain:
        return step, frozenset()
    mapped = {a.target for a in step.assignments if isinstance(a, Map)}
    taken = {gradient_of(p): p for p in step.parameters if gradient_of(p) not in mapped}
    lines = [a for a in step.assignments if a.target not in taken]
    for a in step.assignments:
        if a.target in taken:
            needs = {taken[a.target], *reads(a)}
            # after the last reader of the parameter, and after what it reads itself has been written
            after = max(k for k, b in enumerate(lines) if taken[a.target] in reads(b) or b.target in needs)
            lines.insert(after + 1, a)
    return step.with_assignments(tuple(lines)), frozenset(taken)


def in_place(step: Step) -> Step:
    """A map writes over an operand of its shape that nobody reads later."""
    lines = list(step.assignments)
    last = {name: k for k, a in enumerate(lines) for name in reads(a)}
    kept = step.fixed
    shapes = dict(step.shapes)
    for k, a in enumerate(lines):
        if not isinstance(a, Map):
            continue
        for name in references(a.value):
            if name not in kept and shapes[name] == shapes[a.target] and last[name] == k:
                lines = [renamed(b, {name: a.target}) for b in lines]
                last[a.target] = max(last.get(a.target, k), k)
                break
    return step.with_assignments(tuple(lines))


def renamed(a: Assignment, table: Mapping[str, str]) -> Assignment:
    match a:
        case Multiply(target, left, right, lt, rt):
            return Multiply(table.get(target, target), table.get(left, left), table.get(right, right), lt, rt)
        case Map(target, value):
            return Map(table.get(target, target), called(value, table))
        case Reduce(target, how, axis, value):
            return Reduce(table.get(target, target), how, axis, called(value, table))


def called(e: Entrywise, table: Mapping[str, str]) -> Entrywise:
    return rewritten(e, lambda x: Ref(table[x.name]) if isinstance(x, Ref) and x.name in table else None)
