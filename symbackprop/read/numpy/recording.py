"""Records what a traced function does as a graph of named intermediates.

While a `Recorder` is active, the result of each call is *named*: the computation goes on with the entries of a new
array, and the node keeps what they mean in terms of earlier ones.  Views, whole numbers, masks and what no real array
enters keep their value.  What was written in place, or made by a loop of symbolic length, becomes a node that is
known by its formula only.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FrameType, ModuleType
from typing import Any

from symbackprop.core.context import Context, Hypothesis
from symbackprop.core.indices import EVERY_SIZE, Least
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import PI, Array, Entry, Num, arrays
from symbackprop.read.numpy.axes import Declared

from .array import SymArray
from .axes import UNIT, aligned
from .composed import composed
from .context import TraceError, Tracing, current, tracing
from .copying import Copier
from .kept_state import MARK, traced_frames
from .lifting import lifted
from .nodes import CONSTANT, FORMULA, INPUT, Node, Span, identity, nodes_in
from .tracing import alike, argument, run_raw, settled, symbol, tensor
from .values import Value

VIEWS = frozenset({
    "T", "getitem", "transpose", "swapaxes", "moveaxis", "rollaxis", "expand_dims", "squeeze", "reshape", "ravel",
    "broadcast_to", "matrix_transpose", "flip", "diagonal", "flatten", "fliplr", "flipud",
})  # fmt: skip
ARRANGED = frozenset({"reshape", "ravel", "flatten"})  # named although views: flat indices would be everywhere
QUIET = frozenset({
    "asarray", "copy", "shape", "ndim", "size", "isscalar", "dtype_of", "einsum_path", "item",
    "atleast_1d", "atleast_2d", "isclose", "assert_allclose",
})  # fmt: skip


class Recorder:
    """The nodes of one or more functions run one after another on the same arrays."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.by_value: dict[int, Node] = {}
        self.by_array: dict[Array, Node] = {}
        self.by_call: dict[Any, Node] = {}
        self.kept: list[Any] = []  # keeps values alive: ids are the keys
        self.busy = False
        self.backward = False
        self.line: tuple[str, int] | None = None  # stands for the user's line in code of our own
        self.spoken: dict[tuple[str, int], dict[tuple[str, Node], int]] = {}  # by function: names, and a line after

    # --- calls ---------------------------------------------------------------------------------

    def call(self, operation: str, function: Callable[..., Any], args: Any, options: Mapping[str, Any]) -> Any:
        """function(*args, **options), noted."""
        if self.busy or operation in QUIET or current().loops:
            return function(*args, **options)
        self.look(sys._getframe(2))
        made = composed(operation, args, dict(options))
        if made is not None:
            return made
        self.busy = True
        before = [self.held(a) for a in (*args, *options.values())]
        try:
            result = function(*args, **options)
        finally:
            self.busy = False
        current().merged.clear()  # what was made of several axes has a name, and one index for the merged axis
        return self.noted(operation, args, dict(options), before, result)

    def held(self, x: Any) -> Any:
        """What an argument was before the call, which may write to it."""
        return x.value if isinstance(x, SymArray) else x

    def noted(self, operation: str, args: Any, options: dict[str, Any], before: list[Any], result: Any) -> Any:
        if operation in ("setitem", "add.at", "subtract.at"):
            self.written(operation, args, before)
            return result
        parts = result if isinstance(result, tuple | list) else (result,)
        if not parts or not all(isinstance(p, SymArray) for p in parts):
            return result
        if any(p is a for p in parts for a in (*args, *options.values())) or "out" in options:
            return result
        operands = tuple(self.operand(b) for b in before[: len(args)])
        named = {k: self.operand(b) for k, b in zip(options, before[len(args) :], strict=True)}
        if parts is not result:
            return self.result(operation, operands, named, result)
        found = (self.result(f"{operation}[{k}]", operands, named, p) for k, p in enumerate(parts))
        return getattr(type(result), "_make", type(result))(found)

    def result(self, operation: str, args: tuple[Any, ...], options: dict[str, Any], out: SymArray) -> SymArray:
        """The array that the computation goes on with."""
        if id(out.value) in self.by_value:
            return out
        key = identity((operation, args, options))
        before = arranged_back(args[0], out) if operation in ARRANGED and not options else None
        known = before or self.by_call.get(key)
        if operation.partition("[")[0] in VIEWS or out._parent is not None:
            if known is None or known.shape != out.value.shape:
                name = operation in ARRANGED and arranged(args, out)
                known = self.by_call[key] = self.new(operation, args, options, out.value, out.scalar, name=name)
            else:
                self.remember(known, out.value)
            out._value = known.value if known.named else out._value
            return out  # a view stays one: writing to it writes through
        if known is None:
            known = self.by_call[key] = self.new(operation, args, options, out.value, out.scalar)
        return self.array(known)

    def written(self, operation: str, args: Any, before: list[Any]) -> None:
        """target[key] = values, and np.add.at(target, key, values), as a node for the array after it."""
        target = args[0]
        if target._parent is not None or id(target.value) in self.by_value:
            return
        operands = tuple(self.operand(b) for b in before)
        key = identity((operation, operands, {}))
        if key not in self.by_call:
            self.by_call[key] = self.new(operation, operands, {}, target.value, False)
        self.remember(self.by_call[key], target.value)
        target._value = self.by_call[key].value

    def array(self, node: Node) -> SymArray:
        return array_of(node)

    # --- nodes ---------------------------------------------------------------------------------

    def remember(self, node: Node, value: Value) -> None:
        self.by_value[id(value)] = node
        self.kept.append(value)

    def node_of(self, x: Any) -> Node | None:
        """The node of an array, or None for what is no array of this recording."""
        value = x.value if isinstance(x, SymArray) else x if isinstance(x, Value) else None
        return None if value is None else self.by_value.get(id(value))

    def new(
        self, operation: str, args: tuple[Any, ...], options: dict[str, Any], value: Value, scalar: bool,
        name: bool = True,
    ) -> Node:  # fmt: skip
        number, shape = len(self.nodes), value.shape
        meaning, kept = None, value
        if name and value.dtype == "real" and not value.holes:
            meaning = tensor(value)
        if meaning is not None and arrays(meaning.body) - {PI.array}:
            array = Array(f"%{number}")
            kept = Value(shape, "real", lambda at: Entry(array, aligned(shape, at)))
        else:
            meaning = None
        line, span = (self.line, None) if self.line else user_place()
        node = Node(number, operation, args, options, kept, meaning, scalar, backward=self.backward,
                    line=line, span=span)  # fmt: skip
        self.nodes.append(node)
        self.by_array[node.array] = node
        self.remember(node, kept)
        self.remember(node, value)
        return node

    def input(self, name: str, x: SymArray) -> Node:
        node = Node(len(self.nodes), INPUT, (), {}, x.value, None, x.scalar, name, -1, backward=self.backward)
        self.nodes.append(node)
        self.by_array[node.array] = node
        self.remember(node, x.value)
        return node

    def operand(self, x: Any) -> Any:
        """An argument as the graph keeps it: nodes for arrays, numbers and sizes as they are."""
        match x:
            case SymArray():
                return self.operand(x.value)
            case Value():
                number = None if id(x) in self.by_value else plain_number(x)
                return self.node(x) if number is None else number
            case slice():
                return slice(self.operand(x.start), self.operand(x.stop), self.operand(x.step))
            case tuple() | list():
                return type(x)(map(self.operand, x)) if type(x) in (tuple, list) else tuple(map(self.operand, x))
            case dict():
                return {k: self.operand(v) for k, v in x.items()}
            case _:
                return x

    def node(self, value: Value) -> Node:
        """The node of a value; a new one, known by its formula, where no noted call made it."""
        if id(value) in self.by_value:
            return self.by_value[id(value)]
        found = arrays(tensor(value.bare).body) if value.dtype == "real" else frozenset()
        parents = tuple(sorted((self.by_array[a] for a in found if a in self.by_array), key=lambda n: n.number))
        return self.new(FORMULA if parents else CONSTANT, parents, {}, value, not value.shape)

    # --- names ---------------------------------------------------------------------------------

    def look(self, frame: FrameType | None) -> None:
        """The user's names for nodes, from the variables of his running functions; the outermost name counts."""
        if self.line is not None:
            return
        for depth, f in enumerate(reversed(list(traced_frames(frame)))):
            spoken = self.spoken.setdefault((f.f_code.co_filename, f.f_code.co_firstlineno), {})
            for name, x in f.f_locals.items():
                node = self.node_of(x) if isinstance(x, SymArray) else None
                if node is not None:
                    spoken.setdefault((name, node), f.f_lineno)
                if node is not None and (node.name is None or depth < node.depth) and node.operation != INPUT:
                    if name.isidentifier():
                        node.name, node.depth = name, depth
                for place, part in kept_on(name, x):
                    spoken.setdefault((place, part), f.f_lineno)

    def profile(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "return" and MARK in frame.f_globals:
            self.look(frame)


def kept_on(name: str, x: Any) -> Iterator[tuple[str, Node]]:
    """The arrays on an object of the user's or in a dict of his, as he writes them: self.a, self.cache["a"]."""
    own = type(x).__dict__.get("__dict__") is not None and not isinstance(x, SymArray | type | ModuleType)
    parts = {f"{name}.{k}": v for k, v in vars(x).items()} if own else {}
    if isinstance(x, dict):
        parts = {f'{name}["{k}"]': v for k, v in x.items() if isinstance(k, str)}
    for place, value in list(parts.items()):
        node = node_of(value) if isinstance(value, SymArray) else None
        if node is not None:
            yield place, node
        elif isinstance(value, dict) and own:
            yield from kept_on(place, value)


def node_of(x: Any) -> Node | None:
    """The node of an array in the recording that is going on."""
    recorder = current().recorder
    return None if recorder is None else recorder.node_of(x)


def array_of(node: Node) -> SymArray:
    return SymArray(node.value, scalar=node.scalar)


def arranged(args: tuple[Any, ...], out: SymArray) -> bool:
    """Whether axes longer than 1 are merged or split."""
    kept = [[s for s in x.value.shape if s != UNIT] for x in (*args[:1], out) if isinstance(x, Node | SymArray)]
    return len(kept) == 2 and kept[0] != kept[1]


def arranged_back(x: Any, out: SymArray) -> Node | None:
    """What was reshaped before, where it gets the shape back that it had."""
    while isinstance(x, Node) and x.operation in ARRANGED and not x.options:
        x = x.args[0]
        if isinstance(x, Node) and x.named and x.shape == out.value.shape:
            return x
    return None


def plain_number(value: Value) -> int | float | None:
    """The number, for an array without axes that is one; -inf for a hole."""
    if value.ndim:
        return None
    if value.holes:
        return -math.inf
    t = value.term(()) if value.dtype != "int" or value.index(()) is not None else None
    if not isinstance(t, Num):
        return None
    return int(t.value) if t.value.denominator == 1 else float(t.value)


def user_place() -> tuple[tuple[str, int] | None, Span | None]:
    """Where the innermost running function of the user is: the line, and the expression there."""
    for frame in traced_frames(sys._getframe(2)):
        code = frame.f_code
        return (code.co_filename, frame.f_lineno), spans(code)[frame.f_lasti // 2]
    return None, None


@lru_cache(maxsize=256)
def spans(code: CodeType) -> tuple[Span, ...]:
    """The expression of each instruction."""
    return tuple(code.co_positions())


# --- whole functions -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Graph:
    """What a function computes: `inputs` by name, `result` with nodes in place of arrays, `outputs` in their order.

    More can be recorded on the same arrays: `recording()` gives the arrays of nodes to code of ours, `run` to a
    function of the user's.
    """

    recorder: Recorder
    inputs: dict[str, Node]
    result: Any
    state: Tracing

    @property
    def outputs(self) -> tuple[Node, ...]:
        return tuple(nodes_in(self.result))

    @property
    def nodes(self) -> list[Node]:
        return self.recorder.nodes

    @property
    def definitions(self) -> dict[Array, Tensor]:
        return {n.array: n.meaning for n in self.nodes if n.meaning is not None}

    @contextmanager
    def recording(self, backward: bool = True) -> Iterator[Recorder]:
        was = self.recorder.backward
        self.recorder.backward = backward
        try:
            with tracing(self.state):
                yield self.recorder
        finally:
            self.recorder.backward = was

    def symbol(self, name: str, declared: Declared) -> Node:
        """A further argument."""
        return self.recorder.input(name, symbol(name, declared))

    def run(self, function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        """function(**arguments) on the same arrays, where nodes stand for arrays; nodes in place of its arrays."""
        given = {k: self.recorder.array(x) if isinstance(x, Node) else x for k, x in arguments.items()}
        with self.recording():
            return executed(self.recorder, function, given)


def record(
    function: Callable[..., Any], arguments: Mapping[str, Any], hypotheses: Mapping[str, Hypothesis] | None = None,
    least: Least = EVERY_SIZE,
) -> Graph:
    """function(**arguments) as a graph.  Arguments and errors as for `trace`."""
    context = Context(hypotheses=hypotheses or {}, least=least)
    graphs = []
    for passes in (1, 2):
        recorder = Recorder()
        state = Tracing(names=frozenset(arguments), passes=passes, recorder=recorder, context=context)
        with tracing(state):
            copier = Copier()
            given = {k: argument(k, v, copier) for k, v in arguments.items()}
            inputs = {k: recorder.input(k, x) for k, x in given.items() if isinstance(x, SymArray)}
            graphs.append(Graph(recorder, inputs, executed(recorder, function, given), state))
        if not state.looped:
            break
    first, last = graphs[0], graphs[-1]
    if not alike(list(first.definitions.items()), list(last.definitions.items())):
        raise TraceError("a list over a symbolic range is used in a way that is not understood")
    return last


def executed(recorder: Recorder, function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    def read(result: Any) -> Any:
        settled(result)  # refuses what is no array, and holes
        return as_nodes(recorder, result)

    if sys.getprofile() is not None:  # someone measures: some names stay unknown
        return run_raw(function, given, read)
    sys.setprofile(recorder.profile)
    try:
        return run_raw(function, given, read)
    finally:
        sys.setprofile(None)


def as_nodes(recorder: Recorder, x: Any) -> Any:
    match x:
        case dict():
            return {k: as_nodes(recorder, v) for k, v in x.items()}
        case tuple() | list():
            return tuple(as_nodes(recorder, v) for v in x)
        case None | str():
            return x
        case _:
            return recorder.node(lifted(x))
