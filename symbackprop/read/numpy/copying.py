"""Copies of the user's functions that see our numpy, math, scipy and builtins.

Only code objects are used, never source text: a copy has the same code with other globals, and the same for the
functions, lambdas, closures, classes and objects it reaches.
"""

from __future__ import annotations

import collections
import dis
import functools
import itertools
import sys
import types
from typing import Any

from .array import SymArray
from .carried import GrowingList
from .composed import Vectorized
from .context import TraceError
from .drawing import CHANCE, Chance
from .kept_state import HEAP, MARK, attributes_of, home_of
from .lifting import HANDLERS, expression
from .loops import finished_list
from .modules import MODULES, counterpart, guarded, stand_in
from .python_builtins import BUILTINS, standard, traced_product
from .values import Value

STANDARD = frozenset(sys.stdlib_module_names)
COMPILERS = ("numba", "jax", "jaxlib")  # their wrappers compute what the function does
FOREIGN = ("numpy", "scipy", "autograd", "jax")
LEFT_ALONE = (str, bytes, int, float, complex, bool, type(None), type(Ellipsis), slice, range)


class Copier:
    """Remembers what was copied, so that shared and recursive things stay shared.

    The lists in `written` (by id) can be added to, and not read.
    """

    def __init__(self, written: frozenset[int] = frozenset()) -> None:
        self.written = written
        self.done: dict[int, Any] = {}
        self.kept: list[Any] = []  # keeps originals alive: ids are the keys
        self.globals: dict[int, dict[str, Any]] = {}
        self.codes: dict[Any, Any] = {}
        self.stores: list[Any] = []  # the copies, which the functions may write to
        self.before: tuple[Any, ...] = ()  # what they held before the call
        self.lengths: dict[int, int] = {}  # of the lists among them

    def convert(self, x: Any) -> Any:
        """The traced counterpart of a value."""
        if isinstance(x, LEFT_ALONE):
            return x
        if id(x) in self.done:
            return self.done[id(x)]
        result = self.converted(x)
        self.remember(x, result)
        return result

    def remember(self, x: Any, result: Any) -> None:
        self.kept.append(x)
        self.done[id(x)] = result
        if result is not x:
            self.stores.append(result)

    def for_arguments(self) -> Copier:
        """Of what a call gets: it knows what was copied, and keeps no account of what is written to."""
        other = Copier()
        other.done, other.kept, other.globals, other.codes = dict(self.done), self.kept, self.globals, self.codes
        return other

    def of_parts(self, x: Any) -> Any:
        """A copy of what is made of other values: bound methods, partial functions, classes, containers; else None."""
        match x:
            case types.MethodType():
                return types.MethodType(self.convert(x.__func__), self.convert(x.__self__))
            case functools.partial():
                keywords = {k: self.convert(v) for k, v in x.keywords.items()}
                return functools.partial(self.convert(x.func), *map(self.convert, x.args), **keywords)
            case type():
                return self.type(x)
            case list() if type(x) is list:
                return self.filled(x, [])
            case tuple() if type(x) is tuple:
                return tuple(self.convert(y) for y in x)
            case dict() if type(x) is dict:
                copy: dict[Any, Any] = {}
                self.remember(x, copy)
                copy.update((k, self.convert(v)) for k, v in x.items())
                return copy
            case set() | bytearray() | collections.deque() | dict() if home_of(type(x)) in STANDARD:
                return x.copy()
        return None

    def converted(self, x: Any) -> Any:
        if hasattr(type(x), "__symbackprop_copy__"):
            return x.__symbackprop_copy__(self.convert)
        if by_chance(x) is not None:
            return by_chance(x)
        match x:
            case types.ModuleType():
                found = stand_in(x)
                if found is not None:
                    return found
                return standard(x) if x.__name__.split(".")[0] in STANDARD else ModuleView(x, self)
            case types.FunctionType():
                return self.function(x)
            case list():
                return self.filled(x, [])
            case Value():
                return x
        if (copy := self.of_parts(x)) is not None:
            return copy
        if hasattr(x, "dtype") and hasattr(x, "shape") and type(x).__module__ == "numpy":
            return HANDLERS["array"](x) if x.shape else x
        if type(x).__name__ == "vectorize" and hasattr(x, "pyfunc"):
            if x.signature is not None or x.excluded or x.cache:
                raise TraceError("np.vectorize with signature=, excluded= or cache= is not modelled")
            return Vectorized(self.convert(x.pyfunc), x.otypes)
        if counterpart(x) is not None:
            return counterpart(x)
        if hasattr(type(x), "__next__"):
            raise TraceError(f"an iterator outside of the function ({type(x).__name__}) goes on with each call")
        if isinstance(x, functools._lru_cache_wrapper):
            return Remembering(self.convert(x.__wrapped__))
        if type(x).__module__.split(".")[0] in COMPILERS:
            return self.convert(getattr(x, "py_func", None) or x.__wrapped__)
        if callable(x):
            found = counterpart(x)
            if found is not None:
                return found
            home = str(getattr(x, "__module__", None) or type(x).__module__)
            if home.split(".")[0] in FOREIGN:
                return guarded(x, f"{home}.{getattr(x, '__name__', x)}")
            if isinstance(x, types.BuiltinFunctionType | types.BuiltinMethodType):
                return BUILTINS.get(x.__name__, x) if home == "builtins" else x
        return self.instance(x)

    def filled(self, x: Any, copy: list[Any]) -> list[Any]:
        copy = GrowingList() if id(x) in self.written else copy
        self.remember(x, copy)
        copy.extend(self.convert(y) for y in x)
        return copy

    # functions
    def function(self, f: types.FunctionType) -> Any:
        home = (f.__module__ or "").split(".")[0]
        if home == "symbackprop" and MARK not in f.__globals__ and f.__module__ == "symbackprop.read.numpy":
            return f
        found = counterpart(f) if home in FOREIGN else None
        if found is not None:
            return found
        if home in STANDARD:
            return f
        if home in FOREIGN:
            return guarded(f, f"{f.__module__}.{f.__name__}")
        copy = types.FunctionType(self.code(f.__code__), self.module_globals(f), f.__name__, None, self.cells(f))
        self.remember(f, copy)
        copy.__defaults__ = tuple(self.convert(d) for d in f.__defaults__) if f.__defaults__ else None
        copy.__kwdefaults__ = {k: self.convert(v) for k, v in f.__kwdefaults__.items()} if f.__kwdefaults__ else None
        copy.__dict__.update({k: v for k, v in f.__dict__.items() if k != "__wrapped__"})
        copy.__qualname__, copy.__doc__ = f.__qualname__, f.__doc__
        self.load_globals(f.__code__, f.__globals__)
        for cell, original in zip(copy.__closure__ or (), f.__closure__ or (), strict=True):
            try:
                contents = original.cell_contents
            except ValueError:
                continue
            cell.cell_contents = self.convert(contents)
        return copy

    def cells(self, f: types.FunctionType) -> tuple[types.CellType, ...] | None:
        if f.__closure__ is None:
            return None
        cells = []
        for original in f.__closure__:
            if id(original) not in self.done:
                self.remember(original, types.CellType())
            cells.append(self.done[id(original)])
        return tuple(cells)

    def module_globals(self, f: types.FunctionType) -> dict[str, Any]:
        original = f.__globals__
        if id(original) not in self.globals:
            self.kept.append(original)
            self.stores.append(
                named := {
                    "__builtins__": BUILTINS,
                    "__name__": original.get("__name__", "traced"),
                    "__file__": original.get("__file__"),
                    "__package__": original.get("__package__"),
                    MARK: True,
                }
            )
            self.globals[id(original)] = named
        return self.globals[id(original)]

    def load_globals(self, code: types.CodeType, original: dict[str, Any]) -> None:
        """The globals that the code names, and the code inside it."""
        target = self.globals[id(original)]
        for name in code.co_names:
            if name in original and name not in target:
                target[name] = self.convert(original[name])
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                self.load_globals(inner, original)

    def code(self, code: types.CodeType) -> types.CodeType:
        """The code with its list comprehensions patched to report what they made (3.12 and later inline them)."""
        if code not in self.codes:
            refuse_identity_of_numbers(code)
            consts = tuple(self.code(c) if isinstance(c, types.CodeType) else c for c in code.co_consts)
            new = code.replace(co_consts=consts) if consts != code.co_consts else code
            if sys.version_info[:2] == (3, 11) and code.co_name == "<listcomp>":
                new = patched(new)
            self.codes[code] = new
        return self.codes[code]  # type: ignore[no-any-return]

    # classes and objects
    def type(self, cls: type) -> Any:
        home = home_of(cls)
        if home in ("numpy", "scipy"):
            stand = MODULES["numpy"]
            return getattr(stand, cls.__name__, cls) if home == "numpy" else cls
        if cls in (float, int, bool, list, tuple, range, enumerate, zip, map, reversed):
            return BUILTINS[cls.__name__]
        if cls is itertools.product:
            return traced_product
        if home in STANDARD or home == "symbackprop" or not cls.__flags__ & HEAP:
            return cls
        namespace = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__")}
        slots = namespace.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            namespace.pop(name, None)
        bases = tuple(b if b is object else self.convert(b) for b in cls.__bases__)
        try:
            copy = type(cls)(cls.__name__, bases, {k: v for k, v in namespace.items() if plain_attribute(v)})
        except TypeError:  # a metaclass with its own demands: its code meets NumPy's protocols only
            return cls
        self.remember(cls, copy)
        for name, value in namespace.items():
            if not plain_attribute(value):
                setattr(copy, name, self.attribute(value))
        return copy

    def attribute(self, x: Any) -> Any:
        match x:
            case staticmethod():
                return staticmethod(self.convert(x.__func__))
            case classmethod():
                return classmethod(self.convert(x.__func__))
            case property():
                parts = [None if f is None else self.convert(f) for f in (x.fget, x.fset, x.fdel)]
                return property(*parts)
            case functools.cached_property():
                found = functools.cached_property(self.convert(x.func))
                found.__set_name__(object, x.attrname or "")
                return found
        return self.convert(x)

    def instance(self, x: Any) -> Any:
        """An object of a class of the user's, with the copied class and converted attributes."""
        cls = type(x)
        home = home_of(cls)
        state = attributes_of(x)
        if home in STANDARD or home in ("symbackprop", "numpy", "scipy") or state is None:
            return x
        new_class = self.convert(cls)
        if new_class is cls:
            return x
        copy = object.__new__(new_class)
        self.remember(x, copy)
        copy.__dict__.update({k: self.convert(v) for k, v in state.items()})
        return copy


class Remembering:
    """functools.lru_cache: the same object for the same arguments."""

    def __init__(self, function: Any) -> None:
        self.__wrapped__ = function
        self.seen: list[tuple[Any, Any]] = []

    def __call__(self, *args: Any, **options: Any) -> Any:
        key = [self.key(a) for a in (*args, *sorted(options.items()))]
        for known, result in self.seen:
            if known == key:
                return result
        result = self.__wrapped__(*args, **options)
        self.seen.append((key, result))
        return result

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def key(self, x: Any) -> Any:
        """What tells arguments apart: a size is its expression, an array cannot be hashed."""
        e = None if isinstance(x, bool) else expression(x)
        if isinstance(x, SymArray) or (e is None and hasattr(x, "shape")):
            raise TraceError("functools.lru_cache of a function of arrays, which cannot be hashed")
        if isinstance(x, tuple):
            return tuple(self.key(y) for y in x)
        return (type(x).__name__, id(x)) if e is None and not isinstance(x, LEFT_ALONE) else e if e is not None else x


def plain_attribute(x: Any) -> bool:
    """Attributes that a class can be made with as they are."""
    return isinstance(x, LEFT_ALONE) or type(x).__name__ in ("member_descriptor", "getset_descriptor")


class ModuleView:
    """A module of the user's, whose functions are copied when they are used."""

    def __init__(self, module: types.ModuleType, copier: Copier) -> None:
        self._module, self._copier = module, copier

    def __getattr__(self, name: str) -> Any:
        return self._copier.convert(getattr(self._module, name))


def refuse_identity_of_numbers(code: types.CodeType) -> None:
    """`len(x) is 3` and `(len(x) > 3) is True` ask for objects, which here are others than in a run."""
    if dis.opmap["IS_OP"] not in code.co_code[::2]:
        return
    steps = list(dis.get_instructions(code))
    for first, second, third in zip([None, *steps], steps, steps[1:], strict=False):
        literal = second.argval if second.opname == "LOAD_CONST" else None
        compared = isinstance(literal, bool) and first is not None and first.opname == "COMPARE_OP"
        if third.opname == "IS_OP" and (type(literal) in (int, float) or compared):
            raise TraceError(f"`is {literal}` compares objects, not values: write == {literal}")


def patched(code: types.CodeType) -> types.CodeType:
    """finished_list(result, iterator) instead of the bare result of a list comprehension (Python 3.11 instructions)."""
    op = dis.opmap
    if code.co_code[-2] != op["RETURN_VALUE"]:
        raise TraceError("this list comprehension is not understood")
    consts = (*code.co_consts, finished_list)
    call = [
        op["PUSH_NULL"], 0, op["SWAP"], 2, *wide(op, "LOAD_CONST", len(consts) - 1), op["SWAP"], 2, op["LOAD_FAST"], 0,
        op["PRECALL"], 2, *caches("PRECALL"), op["CALL"], 2, *caches("CALL"), op["RETURN_VALUE"], 0,
    ]  # fmt: skip
    return code.replace(
        co_code=code.co_code[:-2] + bytes(call),
        co_consts=consts,
        co_stacksize=code.co_stacksize + 4,
        co_linetable=code.co_linetable + same_line(len(call) // 2 - 1),
    )


def same_line(units: int) -> bytes:
    """Entries of the line table that keep the line (kind 13 of CPython's Objects/locations.md, line delta 0)."""
    return b"".join(bytes([0x80 | 13 << 3 | min(8, units - k) - 1, 0]) for k in range(0, units, 8))


def wide(op: dict[str, int], name: str, arg: int) -> list[int]:
    return [op["EXTENDED_ARG"], arg >> 8, op[name], arg & 255] if arg > 255 else [op[name], arg]


def caches(name: str) -> list[int]:
    counts: dict[str, int] = {"PRECALL": 1, "CALL": 4}
    return [dis.opmap["CACHE"], 0] * counts[name]


def by_chance(x: Any) -> Chance | None:
    """What stands for a function of such a module, which may be a method of a generator there."""
    homes = getattr(x, "__module__", None), type(getattr(x, "__self__", None)).__module__
    found = [h for h in homes if h in CHANCE]
    return Chance(found[0]) if found and not isinstance(x, type) and callable(x) else None
