"""Loops of symbolic length: the body runs with a generic index, and its effect is generalised.

`for t in range(L)` runs the body twice: once to see which variables and arrays it changes, once with stand-ins for
their values at the start of the iteration.  What the second run makes of the stand-ins says what the loop does.
"""

from __future__ import annotations

import opcode
import sys
from collections.abc import Callable, Iterator
from types import FrameType, GeneratorType
from typing import Any, NamedTuple

from symbackprop.core.terms import ONE, Index, IndexExpr, Size, Term, affine, dummy, sized

from .algebra import gate, times
from .array import SymArray
from .axes import at_least_zero, bounds, constant_of, difference, index_of, nonnegative, shifted
from .branching import split
from .carried import Carries
from .context import TraceError, current
from .kept_state import MARK, Snapshot
from .lifting import HANDLERS, expression, size_number, whole_number
from .sequences import Run, SymList, Uncompared
from .values import Value

COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
FOR_ITER = opcode.opmap["FOR_ITER"]


class Stream(Uncompared):
    """`count` items, the one at index e made by at(e): ranges, rows of an array, zip, enumerate.

    Where the length depends on a loop index, `count` is the largest and `guard` says which of the items are there.
    """

    def __init__(
        self,
        count: Size,
        at: Callable[[IndexExpr], Any],
        guard: Callable[[IndexExpr], Term] | None = None,
        some: bool = False,
    ) -> None:
        self.count, self.at, self.guard = count, at, guard
        self.some = some or (guard is None and at_least_zero(count - 1))  # for all sizes at least one

    def __iter__(self) -> Iterator[Any]:
        return LoopIterator(self)

    @property
    def length(self) -> Any:
        self.plain("its length")
        return size_number(self.count)

    def plain(self, what: str) -> None:
        if self.guard is not None:
            raise TraceError(f"a range whose length depends on a loop index: {what} is not a size")

    def __len__(self) -> int:
        raise TraceError(f"len() of {self.count} items was asked by code that needs a plain number")

    def __getitem__(self, key: Any) -> Any:
        return self.listed()[key]

    def listed(self) -> SymList:
        self.plain("the length of the list")
        index = dummy(self.count, "t")
        return SymList([Run(index, self.at(index))])

    @property
    def value(self) -> Value:
        return self.listed().value

    def reversed(self) -> Stream:
        self.plain("its end")
        return Stream(self.count, lambda e: self.at(affine(self.count - 1, [(e, -1)])))


def symbolic_range(*args: Any) -> Stream:
    """range() where a bound is not a plain number."""
    start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
    first, last = expression(start), expression(stop)
    if first is None or last is None:
        raise TraceError("range() of something that is not a whole number")
    if not isinstance(step, int):
        raise TraceError("range() with a step that is not a plain number")
    span = constant_of(difference(last, first))
    if span is None:
        return ragged_range(first, last, step)
    count = HANDLERS["steps"](sized(0), span, step)
    return Stream(count, lambda e: whole_number(affine(0, [(first, 1), (e, step)])))


def ragged_range(first: IndexExpr, last: IndexExpr, step: int) -> Stream:
    """range() whose length depends on another index: the longest, with a guard."""
    if step not in (1, -1):
        raise TraceError("a range in steps whose length depends on a loop index: mask the whole range instead")
    if step == -1:  # from the largest possible start down
        top = bounds(first)[1]
        low = bounds(last)[0]
    else:
        top = bounds(first)[0]
        low = bounds(last)[1]
    if top is None or low is None or not at_least_zero((low - top) * step):
        raise TraceError("a range whose length depends on a loop index or on the data: mask the whole range instead")
    start = index_of(top)

    def place(e: IndexExpr) -> IndexExpr:
        return affine(0, [(start, 1), (e, step)])

    def guard(e: IndexExpr) -> Term:
        here = place(e)
        begun = gate(affine(0, [(here, step), (first, -step)]))
        return times(begun, gate(affine(-1, [(last, step), (here, -step)])))

    some = nonnegative(affine(-1, [(last, step), (first, -step)])) is True
    return Stream((low - top) * step, lambda e: whole_number(place(e)), guard, some)


def stream_of(x: Any) -> Stream | None:
    """The stream behind something iterable of symbolic length; None when it has a plain length."""
    if isinstance(x, Stream):
        return x
    if isinstance(x, LoopIterator):
        return x.stream
    if isinstance(x, SymList):
        if x.count.constant is not None:
            return None
        return Stream(x.count, x.at)
    if isinstance(x, SymArray) and x.ndim and x.value.shape[0].constant is None:
        return Stream(x.value.shape[0], lambda e: x[whole_number(e)])
    if isinstance(x, GeneratorType):
        items, indices, guard, _ = drained(x)
        if not indices:
            return None
        if guard != ONE or len(items) != 1 or len(indices) != 1:
            raise TraceError("a generator over several symbolic ranges")
        return Stream(indices[0].size, Run(indices[0], items[0]).at)
    return None


class Drained(NamedTuple):
    """The items of a generator expression, the symbolic indices they run over, 1 where an item is there, and whether
    there is one for all sizes."""

    items: list[Any]
    indices: list[Index]
    guard: Term = ONE
    some: bool = True


def drained(generator: Any) -> Drained:
    frame = getattr(generator, "gi_frame", None)
    state = current()
    mark = len(state.looped)
    items = list(generator)
    loops = [it for it in state.looped[mark:] if it.frame is frame and frame is not None]
    if not loops:
        return Drained(items, [])
    depth = len({it.stream_key for it in loops})
    share = state.passes**depth
    if len(items) % share:
        raise TraceError("a generator whose number of items depends on a symbolic index")
    if depth > 1 and len(items) != share:
        raise TraceError("a generator over nested symbolic ranges that gives several items")
    first: dict[object, LoopIterator] = {}
    for it in loops:
        first.setdefault(it.stream_key, it)
    guard = times(*(it.guard for it in first.values()))
    some = all(it.stream.some for it in first.values())
    return Drained(items[: len(items) // share], [it.index for it in first.values()], guard, some)


class LoopIterator:
    """Runs the body of a loop with a generic index, and generalises when it is over."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.state = "new"
        self.frame: FrameType | None = None
        self.stream_key: object = None
        self.runs = 0
        self.before: list[IndexExpr] | None = None  # the iterations that stand apart
        self.after: list[IndexExpr] = []
        self.every = stream

    def __iter__(self) -> LoopIterator:
        return self

    def __next__(self) -> Any:
        return self.advance(sys._getframe(1))

    def advance(self, frame: FrameType, level: int = 0) -> Any:
        """The next item for the loop that runs in this frame; `level` tells apart the loops of one product."""
        if self.state == "new":
            if self.before is None:
                self.set_apart(frame, level)
            if self.before:
                return self.every.at(self.before.pop(0))
            self.open(frame, level)
            return self.item()
        if self.state == "closed":
            return self.last_item()
        if frame is not self.frame:
            raise TraceError("a loop of symbolic length is continued in another place")
        state = current()
        if not state.loops or state.loops[-1] is not self:
            raise TraceError("an inner loop of symbolic length is left before its end")
        if self.state == "comprehension":
            self.runs += 1
            if self.runs < state.passes:
                return self.item()
            self.close()
            self.untouched()
            raise StopIteration
        if self.state == "look":
            self.carries = Carries(self.index, self.snapshot, self.start, self.mark, self.guard)
            self.carries.prepare()
            self.state = "learn"
            return self.item()
        if self.carries.again():
            return self.item()
        self.close()
        self.carries.finish()
        return self.last_item()

    def last_item(self) -> Any:
        if not self.after:
            raise StopIteration
        return self.every.at(self.after.pop(0))

    def set_apart(self, frame: FrameType, level: int) -> None:
        """Takes what stands apart off both ends of the stream."""
        self.place = (frame.f_code.co_filename, frame.f_code.co_firstlineno, frame.f_lasti, level)
        first, last = current().split.get(self.place, (0, 0))
        count = self.every.count
        self.before, self.after = [index_of(k) for k in range(first)], [index_of(count - k) for k in range(last, 0, -1)]
        if first or last:
            self.stream = Stream(count - first - last, lambda e: self.every.at(shifted(e, first)))

    def split_where(self, condition: Term) -> None:
        """Whether the condition is about the ends of this loop: it is run again with these apart."""
        if self.state in ("look", "learn") and self.every.guard is None and at_least_zero(self.stream.count - 1):
            split(self.place, condition, self.index)

    def item(self) -> Any:
        return self.stream.at(self.index)

    def open(self, frame: FrameType, level: int) -> None:
        if MARK not in frame.f_globals or frame.f_code.co_code[frame.f_lasti] != FOR_ITER:
            raise TraceError(
                f"{self.stream.count} items are taken by code that needs a plain number of them: use a for loop or a "
                "list comprehension"
            )
        state = current()
        self.frame = frame
        self.stream_key = (id(frame), frame.f_lasti, level)
        self.index = dummy(self.stream.count, "t")
        self.start, self.mark = state.serial, len(state.journal)
        state.loops.append(self)
        state.looped.append(self)
        code = frame.f_code
        if code.co_name in COMPREHENSIONS or inlined_comprehension(frame):
            if code.co_name != "<genexpr>":
                self.stream.plain("the number of items")
            self.state = "comprehension"
            return
        if code.co_flags & 0x20:
            raise TraceError("a generator function with a loop of symbolic length: return a list instead")
        self.state = "look"
        self.snapshot = Snapshot(frame)

    @property
    def guard(self) -> Term:
        return ONE if self.stream.guard is None else self.stream.guard(self.index)

    def close(self) -> None:
        self.state = "closed"
        current().loops.pop()

    def untouched(self) -> None:
        """A comprehension may not write to arrays made before it."""
        if any(cell.birth <= self.start for cell, _ in current().journal[self.mark :]):
            raise TraceError("a comprehension over a symbolic range writes into an array: use a for loop")


class NestedIterator:
    """One loop over the product of several streams: nested loops, the last one innermost."""

    def __init__(self, streams: list[Stream]) -> None:
        self.streams = streams
        self.iterators: list[LoopIterator] = []
        self.items: list[Any] = []

    def __iter__(self) -> NestedIterator:
        return self

    def __next__(self) -> Any:
        frame = sys._getframe(1)
        while self.iterators:
            try:
                self.items[-1] = self.iterators[-1].advance(frame)
                break
            except StopIteration:
                self.iterators.pop()
                self.items.pop()
                if not self.iterators:
                    raise
        while len(self.iterators) < len(self.streams):
            level = len(self.iterators)
            self.iterators.append(LoopIterator(self.streams[level]))
            self.items.append(self.iterators[-1].advance(frame, level))
        return tuple(self.items)


def nested(streams: list[Any]) -> Any:
    """The product of iterables of which some have symbolic length; plain ones are refused beside them."""
    found = [stream_of(x) for x in streams]
    if any(s is None for s in found):
        raise TraceError("a product of plain and symbolic ranges: write nested for loops")
    return NestedIterator([s for s in found if s is not None])


def inlined_comprehension(frame: FrameType) -> bool:
    """Python 3.12 runs list comprehensions in the function itself: BUILD_LIST stands just before the loop."""
    if sys.version_info < (3, 12):
        return False
    code, at = frame.f_code.co_code, frame.f_lasti
    names = {opcode.opmap[n] for n in ("BUILD_LIST", "BUILD_SET", "BUILD_MAP") if n in opcode.opmap}
    return any(code[k] in names and code[k + 1] == 0 for k in range(max(0, at - 6), at, 2))


def finished_list(result: list[Any], source: Any) -> Any:
    """What a list comprehension gave: called by the copied code with the list and its iterator."""
    frame = sys._getframe(1)
    if not isinstance(source, LoopIterator):
        loops = [it for it in current().looped if it.frame is frame]
        if loops:
            raise TraceError("a list comprehension with a plain range outside and a symbolic one inside")
        return result
    state = current()
    inner = [it for it in state.looped if it.frame is source.frame and it is not source]
    if inner:
        raise TraceError("a list comprehension over nested symbolic ranges: make the inner one a list of its own")
    if not result:
        return result
    if len(result) != state.passes or not isinstance(result, list):
        raise TraceError("a comprehension over a symbolic range that is not a list of one item for each index")
    return SymList([Run(source.index, result[0])])


def iterate(x: Any) -> Iterator[Any]:
    stream = stream_of(x)
    if stream is None:
        assert isinstance(x, SymList)
        return iter(plain_items(x))
    return LoopIterator(stream)


def plain_items(x: SymList) -> list[Any]:
    n = x.count.constant or 0
    return [x[k] for k in range(n)]


HANDLERS["iterate"] = iterate
HANDLERS["fresh"] = lambda size: dummy(size, "t")
HANDLERS["growing"] = lambda x: None
