"""What one iteration of a loop makes of the values at its start, and from that what the whole loop does.

A variable v with v' = a v + b, entry by entry, where a and b do not depend on it, ends as
v0 Π_t a(t) + Σ_t b(t) Π_{s>t} a(s): sums (a = 1), assignments by index (a = 1 - δ), products (b = 0), decays.
Anything else carries a value from one iteration to the next and is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symbackprop.core.terms import ONE, Array, Entry, Index, IndexExpr, Term, affine, arrays, dummy

from . import sequences
from .array import SymArray
from .axes import UNIT, aligned, at_least_zero, broadcast, constant_of, difference, index_of
from .closed_forms import Solved, closed_form, linear, row_after_row, row_by_row
from .context import TraceError, current
from .kept_state import ABSENT, Place, Snapshot
from .lifting import SymInt, expression, lifted, whole_number
from .sequences import Run, SymList, placed
from .steps import blend, rewritten
from .values import Value, all_soft


class Poison:
    """A value that must not be used."""

    def __init__(self, why: str) -> None:
        object.__setattr__(self, "why", why)

    def refuse(self, *_: Any, **__: Any) -> Any:
        raise TraceError(object.__getattribute__(self, "why"))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__array_ufunc__", "__array_function__"):
            raise AttributeError(name)
        return self.refuse()


OPERATORS = """add radd sub rsub mul rmul truediv rtruediv pow rpow neg getitem setitem iter len bool int float index
matmul rmatmul lt le gt ge call eq ne iadd isub imul contains floordiv mod abs and or hash""".split()
for name in OPERATORS:
    setattr(Poison, f"__{name}__", Poison.refuse)


class GrowingList(list):  # type: ignore[type-arg]
    """A list that a loop, or each call, extends: reading it would see another length."""

    def refuse(self, *_: Any, **__: Any) -> Any:
        raise TraceError("what each iteration, or each call, adds to a list is read: it carries a value to the next")


for name in ("getitem", "setitem", "iter", "len", "add", "radd", "mul", "contains", "reversed", "bool", "eq", "iadd"):
    setattr(GrowingList, f"__{name}__", GrowingList.refuse)
for name in ("pop", "insert", "remove", "sort", "reverse", "clear", "copy", "index", "count"):
    setattr(GrowingList, name, GrowingList.refuse)


@dataclass(slots=True)
class Carry:
    """A real variable: an array written in place (cell), or a place that is rebound."""

    array: Array
    name: str
    before: Value
    cell: SymArray | None = None
    place: Place | None = None
    scalar: bool = False
    after: Value | None = None
    shape: Any = ()

    def put(self, value: Value) -> None:
        if self.cell is not None:
            self.cell._value = value
        elif self.place is not None:
            self.place.set(SymArray(value, scalar=self.scalar))


class Carries:
    """The second run of a loop body and what follows from it."""

    def __init__(self, index: Index, snapshot: Snapshot, start: int, mark: int, guard: Term) -> None:
        self.index, self.snapshot, self.born, self.mark, self.guard = index, snapshot, start, mark, guard
        self.carries: list[Carry] = []
        self.counters: dict[int, tuple[Place, IndexExpr, int]] = {}
        self.poisoned: list[tuple[Place, Any]] = []
        self.fresh: list[Place] = []
        self.growing: list[tuple[Any, list[Any], Any, list[Place]]] = []
        self.repeats = 0

    def prepare(self) -> None:
        """After the first run: undo it, and put stand-ins where something changed."""
        cells = self.undone()
        changes = [(place, old, place.get()) for place, old in self.snapshot.changed()]
        grown = list(self.snapshot.lists())
        for place, old, new in changes:
            place.set(old)
            if old is ABSENT:
                self.fresh.append(place)
                self.spoil(place)
            else:
                self.stand_in(place, old, new)
        for store, before in grown:
            if len(store) != len(before) + 1:
                raise TraceError("a loop of symbolic length changes a list otherwise than by appending one item")
            del store[len(before) :]
            places = self.snapshot.holders(store)
            guard: Any = GrowingList(before)
            for place in places:
                place.set(guard)
            if not places:  # the parts of a list of symbolic length, extended in place
                guard = store
            self.growing.append((store, before, guard, places))
        for cell, first, after in cells:
            self.carries.append(self.carry("an array", first, after, cell=cell))
        for c in self.carries:
            self.install(c)

    def undone(self) -> list[tuple[SymArray, Value, Value]]:
        """Arrays written in place, with their value before and after; they are set back."""
        journal = current().journal
        first: dict[int, tuple[SymArray, Value]] = {}
        for cell, before in journal[self.mark :]:
            if cell.birth <= self.born:
                first.setdefault(id(cell), (cell, before))
        found = [(cell, before, cell._value) for cell, before in first.values()]
        for cell, before, _ in found:
            cell._value = before
        return found

    def stand_in(self, place: Place, old: Any, new: Any) -> None:
        if isinstance(old, Poison):
            self.poison(place, old)
            return
        a, b = expression(old), expression(new)
        if self.guard != ONE and a is not None and b is not None:
            self.poison(place, old)
            return
        if a is not None and b is not None and not isinstance(old, bool):
            by = constant_of(difference(b, a))
            if by is not None and by.constant is not None:
                self.counters[id(place)] = (place, a, by.constant)
                place.set(whole_number(affine(0, [(a, 1), (self.index, by.constant)])))
                return
        numbers = (a is None and is_number(old) and is_number(new)) or (is_number(old) and isinstance(new, SymArray))
        if numbers and self.conforms(lifted(old), lifted(new)):
            scalar = getattr(new, "scalar", True)
            self.carries.append(self.carry(place.name, lifted(old), lifted(new), place=place, scalar=scalar))
            return
        self.poison(place, old)

    def spoil(self, place: Place) -> None:
        place.set(Poison(f"{place.name} carries a value from one iteration to the next, in a loop of symbolic length"))

    def poison(self, place: Place, old: Any) -> None:
        self.poisoned.append((place, old))
        self.spoil(place)

    def carry(self, name: str, before: Value, after: Value, **more: Any) -> Carry:
        if not all_soft(before, after):
            raise TraceError(f"{name} is -inf somewhere and changes in a loop of symbolic length")
        if not self.conforms(before, after):
            raise TraceError(f"the shape of {name} changes in a loop of symbolic length")
        state = current()
        state.serial += 1
        return Carry(Array(f"carry#{state.serial}"), name, before, shape=after.shape, **more)

    def conforms(self, before: Value, after: Value) -> bool:
        """Whether the shape stays, or grows by broadcasting in a loop that runs at least once for all sizes."""
        if before.shape == after.shape:
            return True
        sizes = zip(before.shape[::-1], after.shape[::-1], strict=False)
        grows = before.ndim <= after.ndim and all(s in (UNIT, t) for s, t in sizes)
        return grows and at_least_zero(self.index.size - 1) and self.guard == ONE

    def install(self, c: Carry) -> None:
        kind = c.before.dtype if c.cell is not None else "real"
        c.put(Value(c.shape, kind, lambda at: Entry(c.array, at)))

    # after the second run
    def again(self) -> bool:
        """Whether the body must run once more, because a whole number does not simply count."""
        for key, (place, first, by) in list(self.counters.items()):
            now = expression(place.get())
            wanted = affine(by, [(first, 1), (self.index, by)])
            if now is None or difference(now, wanted) != index_of(0):
                del self.counters[key]
                self.reset()
                self.poison(place, whole_number(first))
                return True
        if self.repeats < current().passes - 1:  # what is not undone here makes the two traces differ
            self.repeats += 1
            self.reset()
            return True
        return False

    def reset(self) -> None:
        for c in self.carries:
            self.install(c)
        for place in [*self.fresh, *(p for p, _ in self.poisoned)]:
            self.spoil(place)
        for place, first, by in self.counters.values():
            place.set(whole_number(affine(0, [(first, 1), (self.index, by)])))
        for store, before, guard, places in self.growing:
            if guard is store:
                del store[len(before) :]
            else:
                guard = GrowingList(before)
                for p in places:
                    p.set(guard)
        self.growing = [(s, b, (p[0].get() if p else s), p) for s, b, _, p in self.growing]

    def finish(self) -> None:
        """Give every variable its value after the loop."""
        self.check_unknown_writes()
        for c in self.carries:
            c.after = c.cell._value if c.cell is not None else self.number_of(c)
            if not all_soft(c.after):
                raise TraceError(f"{c.name} is -inf somewhere and changes in a loop of symbolic length")
            if c.after.shape != c.shape:
                raise TraceError(f"the shape of {c.name} changes in a loop of symbolic length")
        solved = self.solve()
        last = self.index.size - 1
        runs = at_least_zero(last) and self.guard == ONE
        for c in self.carries:
            c.put(Value(c.shape, c.after.dtype if c.after else "real", solved[c.array].final))
        for place, first, by in self.counters.values():
            place.set(whole_number(affine(self.index.size * by, [(first, 1)])))
        if self.growing and self.guard != ONE:
            raise TraceError("a list grows in a loop whose length depends on another index")
        for store, before, guard, places in self.growing:
            items = list.__getitem__(guard, slice(len(before), None))
            if len(items) != 1:
                raise TraceError("a loop of symbolic length changes a list otherwise than by appending one item")
            run = Run(self.index, self.resolved(items[0], solved))
            if guard is store:
                store[len(before) :] = [run]
            for place in places:
                place.set(SymList([*before, run]))
        for place in [*self.fresh, *(p for p, _ in self.poisoned)]:
            now = place.get()
            if now is ABSENT or isinstance(now, Poison):
                continue
            if runs:
                place.set(self.at_end(now, solved))
            else:
                place.set(Poison(f"{place.name} is not set when the loop runs over nothing"))

    def number_of(self, c: Carry) -> Value:
        assert c.place is not None
        now = c.place.get()
        if isinstance(now, Poison) or not (is_number(now) or isinstance(now, SymArray)):
            raise TraceError(f"{c.name} is a number before a loop of symbolic length and something else after it")
        value = lifted(now)
        if value.shape != c.shape and broadcast(value.shape, c.shape) == c.shape:
            return value.remap(c.shape, lambda at: aligned(value.shape, at))
        return value

    def check_unknown_writes(self) -> None:
        known = {id(c.cell) for c in self.carries if c.cell is not None}
        for cell, _ in current().journal[self.mark :]:
            if cell.birth <= self.born and id(cell) not in known:
                raise TraceError("a loop of symbolic length writes into different arrays in different runs")

    def at_end(self, now: Any, solved: dict[Array, Solved]) -> Any:
        last = index_of(self.index.size - 1)
        try:
            return placed(self.resolved(now, solved), {self.index: last})
        except TraceError as error:
            current().refused.remove(error)
            return Poison(str(error))

    def resolved(self, x: Any, solved: dict[Array, Solved]) -> Any:
        """A structure with the stand-ins replaced by what they are at the start of iteration t."""

        def start(y: Any) -> Any:
            if not isinstance(y, SymArray):
                return y
            return SymArray(y.value.rewritten(lambda t: inserted(t, solved)), scalar=y.scalar)

        return sequences.mapped(x, start)

    def solve(self) -> dict[Array, Solved]:
        """Closed forms, one variable after the other: each may use those solved before."""
        solved: dict[Array, Solved] = {}
        open_carries = list(self.carries)
        names = {c.array for c in open_carries}
        while open_carries:
            for c in open_carries:
                assert c.after is not None
                at = tuple(dummy(s, "i") for s in c.shape)
                e = Entry(c.array, at)
                body = inserted(c.after.term(at), solved)
                if arrays(body) & names - {c.array} - solved.keys():
                    continue
                body = blend(self.guard, body, e)
                form = linear(body, e) or row_by_row(body, e, self.index, c.before)
                if form is not None:
                    found: Solved | None = closed_form(self.index, at, *form, before=c.before)
                else:
                    found = row_after_row(body, e, self.index, c.before)
                if found is None:
                    raise TraceError(
                        f"{c.name} carries a value from one iteration to the next, in a loop of symbolic length"
                    )
                solved[c.array] = found
                open_carries.remove(c)
                break
            else:
                known = ", ".join(sorted(c.name for c in open_carries))
                raise TraceError(f"{known} carry values from one iteration to the next, in a loop of symbolic length")
        return solved


def is_number(x: Any) -> bool:
    return (isinstance(x, SymArray | SymInt | int | float) and not isinstance(x, bool)) or hasattr(x, "dtype")


def inserted(t: Term, solved: dict[Array, Solved]) -> Term:
    return rewritten(t, {array: s.start for array, s in solved.items()})
