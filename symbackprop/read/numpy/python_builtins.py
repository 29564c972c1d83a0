"""Stand-ins for Python's builtins that meet symbolic values."""

from __future__ import annotations

import builtins
import itertools
from types import GeneratorType, ModuleType
from typing import Any

import numpy

from symbackprop.core.terms import Term

from .algebra import summed, times
from .array import SymArray, wrap
from .axes import at_least_zero
from .context import NUMPY, TraceError, Unread, current, provides
from .creation import steps
from .drawing import CHANCE, Chance
from .lifting import HANDLERS, SymInt, lifted, size_number
from .loops import Stream, drained, nested, stream_of, symbolic_range
from .modules import MODULES, Kind, StandIn, stand_in, symbolic
from .scalars import rounded
from .ufuncs import Selection
from .sequences import SymList
from .values import Dtype, Value

HANDLERS["steps"] = steps


class Container(StandIn):
    """list and tuple."""

    def __call__(self, *args: Any) -> Any:
        if args:
            items, stream = opened(args[0])
            return self.original(items) if stream is None else stream.listed()
        return self.original(*args)


def opened(x: Any) -> tuple[Any, Stream | None]:
    """What can be iterated over, and the stream that it is where its length is symbolic; a generator has run."""
    if not isinstance(x, GeneratorType):
        return x, stream_of(x)
    found = drained(x)
    return found.items, found.stream() if found.indices else None


def traced_len(x: Any) -> Any:
    if isinstance(x, SymArray | SymList | Stream):
        return x.length
    return len(x)


def traced_range(*args: Any) -> Any:
    plain = []
    for a in args:
        e = a if isinstance(a, int) else None
        if e is None and isinstance(a, SymArray):
            e = int(a) if a.known() is not None else None
        if e is None and not isinstance(a, SymInt | SymArray):
            return range(*args)
        plain.append(e)
    if None not in plain:
        return range(*plain)  # type: ignore[arg-type]
    return symbolic_range(*args)


def traced_enumerate(x: Any, start: Any = 0) -> Any:
    stream = stream_of(x)
    if stream is None:
        return enumerate(x, start)
    first = HANDLERS["range"](start, start + stream.length)
    return Stream(stream.count, lambda e: (first.at(e), stream.at(e)))


def traced_zip(*args: Any, strict: bool = False) -> Any:
    streams = [stream_of(a) for a in args]
    found = [s for s in streams if s is not None]
    if not found:
        return zip(*args, strict=strict)
    if len(found) != len(args):
        raise TraceError("zip of a list of plain length with one of symbolic length")
    if any(s.count != found[0].count for s in found):
        raise TraceError("zip of lists whose lengths are not known to be equal")
    return Stream(found[0].count, lambda e: tuple(s.at(e) for s in found))


def traced_reversed(x: Any) -> Any:
    stream = stream_of(x)
    return reversed(x) if stream is None else stream.reversed()


def traced_map(f: Any, *args: Any) -> Any:
    streams = [stream_of(a) for a in args]
    if all(s is None for s in streams):
        return map(f, *args)
    stream = traced_zip(*args)
    return Stream(stream.count, lambda e: f(*stream.at(e)))


def traced_sum(items: Any, start: Any = 0) -> Any:
    if isinstance(items, GeneratorType):
        found, indices, guard, some = drained(items)
        if not indices:
            return plain_sum(found, start)
        body = lifted(plain_sum(found, 0))
        if body.ndim and not some:
            raise TraceError("sum() of arrays that may be none for some sizes, where it is the number 0")
        return start + sum_over(body, tuple(indices), guard)
    if isinstance(items, Selection):
        return items.sum()
    stream = stream_of(items)
    if stream is None:
        return plain_sum(items, start)
    value = stream.listed().value
    if value.ndim > 1 and not at_least_zero(stream.count - 1):
        raise TraceError("sum() of arrays that may be none for some sizes, where it is the number 0")
    return start + NUMPY["sum"](SymArray(value), 0)


def plain_sum(items: Any, start: Any) -> Any:
    result = start
    for x in items:
        result = result + x
    return result


def sum_over(body: Value, indices: tuple[Any, ...], guard: Term) -> Any:
    kind: Dtype = "int" if body.dtype == "bool" else body.dtype
    return wrap(Value(body.shape, kind, lambda at: summed(indices, times(guard, body.term(at)))))


def extreme(name: str) -> Any:
    plain = getattr(builtins, name)

    def function(*args: Any, **options: Any) -> Any:
        if len(args) == 1:
            items, stream = opened(args[0])
            if stream is not None:
                return NUMPY[name](SymArray(stream.listed().value))
            items = list(items)
        else:
            items = list(args)
        if options or not symbolic(items):
            return plain(items, **options)
        if any(lifted(x).ndim for x in items):
            raise TraceError(f"{name}() of arrays: use np.{name}")
        if len({lifted(x).dtype for x in items}) > 1:
            current().mixed = True
        result = items[0]
        for x in items[1:]:
            decided = x > result if name == "max" else x < result
            if isinstance(decided, bool):
                result = x if decided else result
            else:
                result = NUMPY["maximum" if name == "max" else "minimum"](result, x)
        return result

    function.__name__ = name
    return function


def traced_round(x: Any, digits: Any = None) -> Any:
    if symbolic(x) and not isinstance(x, SymInt):
        size = rounded("round", lifted(x)) if digits is None else None
        if size is None:
            raise TraceError("round() of a number that depends on the data")
        return size_number(size)
    return x if isinstance(x, SymInt) else round(x, digits)


def truth_of(items: Any, name: str) -> Any:
    items, stream = opened(items)
    return getattr(builtins, name)(items) if stream is None else NUMPY[name](stream.listed())


def classes(kind: Any) -> tuple[Any, ...]:
    if isinstance(kind, tuple):
        return tuple(c for k in kind for c in classes(k))
    args = getattr(kind, "__args__", None)
    if type(kind).__name__ == "UnionType" and args:
        return tuple(c for k in args for c in classes(k))
    return (getattr(kind, "original", kind),)


REAL = ("float", "floating", "float64", "float32", "number", "generic", "inexact", "Number", "Real", "Complex")
INTEGER = ("int", "integer", "int64", "intp", "number", "generic", "Number", "Integral", "Real", "Rational", "Complex")

SCALARS: dict[Dtype, tuple[str, ...]] = {"real": REAL, "int": INTEGER, "bool": ("bool", "bool_", "generic")}


def traced_isinstance(x: Any, kind: Any) -> bool:
    """A traced array is an ndarray, a number that came out of one is a float."""
    if isinstance(x, Unread):
        return bool(x)  # refused
    wanted = classes(kind)
    names = {getattr(c, "__name__", "") for c in wanted}
    if isinstance(x, SymArray):
        if not x.scalar:
            return bool(names & {"ndarray", "object", "SymArray", "Array"})
        return bool(names & {*SCALARS[x.value.dtype], "object"})
    if isinstance(x, SymInt):
        return bool(names & {*INTEGER, "object"})
    if isinstance(x, SymList):
        return bool(names & {"list", "object", "Sequence", "Iterable", "MutableSequence"})
    if isinstance(x, Stream):
        return bool(names & {"range", "object", "Sequence", "Iterable"})
    return isinstance(x, tuple(c for c in wanted if isinstance(c, type) or hasattr(c, "__instancecheck__")))


def traced_import(name: str, *args: Any, **options: Any) -> Any:
    found = builtins.__import__(name, *args, **options)
    if isinstance(found, ModuleType):
        return stand_in(found) or standard(found)
    return found


class Overridden:
    """A module of the standard library with some functions that know symbolic values."""

    def __init__(self, module: ModuleType, table: dict[str, Any]) -> None:
        self._module, self._table = module, table

    def __getattr__(self, name: str) -> Any:
        return self._table[name] if name in self._table else getattr(self._module, name)


def standard(module: ModuleType) -> Any:
    """The module itself, or with what is overridden in it."""
    if module.__name__ in CHANCE:
        return Overridden(module, dict.fromkeys(dir(module), Chance(module.__name__)))
    return Overridden(module, {"product": traced_product}) if module is itertools else module


def traced_product(*args: Any, repeat: int = 1) -> Any:
    """itertools.product, also over symbolic ranges."""
    if any(stream_of(a) is not None for a in args if not isinstance(a, GeneratorType)):
        return nested(list(args) * repeat)
    return itertools.product(*args, repeat=repeat)


@provides("ndindex")
def ndindex(*shape: Any) -> Any:
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    return traced_product(*(traced_range(s) for s in sizes))


class Typer(StandIn):
    """type(x), where the classes of Python's numbers and lists are stood in for."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        if len(args) != 1:
            return type(*args, **options)
        x = args[0]
        if isinstance(x, SymArray):
            if not x.scalar:
                return numpy.ndarray
            return {"real": MODULES["numpy"].float64, "int": MODULES["numpy"].int64}.get(x.value.dtype, numpy.bool_)
        if isinstance(x, SymInt):
            return BUILTINS["int"]
        if isinstance(x, SymList):
            return BUILTINS["list"]
        return next((BUILTINS[c.__name__] for c in STOOD_IN if type(x) is c), type(x))


STOOD_IN = (float, int, bool, list, tuple)
HANDLERS["sum"] = traced_sum
HANDLERS["range"] = symbolic_range
BUILTINS: dict[str, Any] = {
    **vars(builtins),
    "len": traced_len,
    "range": traced_range,
    "enumerate": traced_enumerate,
    "zip": traced_zip,
    "reversed": traced_reversed,
    "map": traced_map,
    "sum": traced_sum,
    "max": extreme("max"),
    "min": extreme("min"),
    "abs": lambda x: NUMPY["absolute"](x) if symbolic(x) else abs(x),
    "pow": lambda x, y, m=None: pow(x, y) if m is None else pow(x, y, m),
    "round": traced_round,
    "any": lambda items: truth_of(items, "any"),
    "all": lambda items: truth_of(items, "all"),
    "float": Kind(float, "real"),
    "int": Kind(int, "int"),
    "bool": Kind(bool, "bool"),
    "list": Container(list),
    "tuple": Container(tuple),
    "isinstance": traced_isinstance,
    "print": lambda *args, **options: (
        None if symbolic(args) else print(*args, **options)
    ),  # shows nothing of what is not known
    "type": Typer(type),
    "__import__": traced_import,
}
