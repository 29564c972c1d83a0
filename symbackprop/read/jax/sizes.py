"""Sizes as JAX writes them, "2*n + m - 1", "floordiv(n, 2)", and questions about them.

JAX answers `n == 1` with False, though n may be 1, and takes `if n - 1:`.  What JAX's own code makes of such answers is
right for all sizes; in the user's code the question is refused.
"""

from __future__ import annotations

import ast
import functools
import keyword
import linecache
import operator
import os
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import jax
import jaxlib
from jax import export

from symbackprop.core.terms import Size, sized
from symbackprop.read.numpy import SymInt, TraceError, size_number

RESERVED = frozenset({"floordiv", "mod", "max", "min", "non_negative"})
OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Pow: operator.pow,
}  # fmt: skip


def usable(symbol: str) -> bool:
    """Whether JAX takes a size symbol by its own name."""
    return symbol.isascii() and symbol.isidentifier() and not keyword.iskeyword(symbol) and symbol not in RESERVED


def aliases(symbols: list[str]) -> dict[str, str]:
    """The name of each size symbol for JAX: its own where it can be, so that JAX's messages have it."""
    taken = {s for s in symbols if usable(s)}
    spare = (name for k in count() if (name := f"size{k}") not in taken)
    return {s: s if s in taken else next(spare) for s in symbols}


def dimension(size: Size, names: Mapping[str, str]) -> Any:
    """The size for JAX, under its names."""
    if size.constant is not None:
        return size.constant
    terms = ["*".join([str(k), *(names[s] for s in symbols)]) for symbols, k in size.monomials]
    return export.symbolic_shape(" + ".join(terms), scope=SCOPE)[0]


class Dimensions:
    """Reads JAX's dimensions as whole numbers of the NumPy reader; `sizes` has those by JAX's names."""

    def __init__(self, sizes: Mapping[str, Any]) -> None:
        self.sizes, self.known = sizes, dict[str, Any]()

    def __call__(self, dimension: Any) -> SymInt | int:
        if isinstance(dimension, int):
            return dimension
        text = str(dimension)
        if text not in self.known:
            self.known[text] = self.value(ast.parse(text.replace("^", "**"), mode="eval").body)
        return self.known[text]  # type: ignore[no-any-return]

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=int(n)):
                return n
            case ast.Name(id=name):
                return self.sizes[name]
            case ast.UnaryOp(op=ast.USub(), operand=x):
                return -self.value(x)
            case ast.BinOp(left=x, op=op, right=y) if type(op) in OPERATORS:
                return OPERATORS[type(op)](self.value(x), self.value(y))
            case ast.Call(func=ast.Name(id=name), args=[x, y]) if name in FUNCTIONS:
                return FUNCTIONS[name](self.value(x), self.value(y))
        raise TraceError(f"a size that is not understood: {ast.unparse(node)}")


def larger(a: Any, b: Any) -> Any:
    first = a >= b
    if not isinstance(first, bool):
        raise TraceError(f"which of the sizes {a} and {b} is larger depends on them")
    return a if first else b


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "max": larger,
    "min": lambda a, b: a + b - larger(a, b),
}


class Found(dict[str, Any]):
    """A size for each name that is asked for, made of the name and of how many there were."""

    def __init__(self, make: Callable[[str, int], Any]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, name: str) -> Any:
        self[name] = self.make(name, len(self))
        return self[name]


# --- questions -------------------------------------------------------------------------------

SCOPE = export.SymbolicScope()  # one for all, so that JAX finds again what it has traced
DIMENSION: Any = type(export.symbolic_shape("n", scope=SCOPE)[0])
EQUAL, HASH = DIMENSION.__eq__, DIMENSION.__hash__


@contextmanager
def asked_sizes() -> Iterator[None]:
    """Refuses such questions while the context is open."""
    before = {name: DIMENSION.__dict__.get(name) for name in QUESTIONS}
    for name, method in QUESTIONS.items():
        setattr(DIMENSION, name, method)
    try:
        yield
    finally:
        for name, method in before.items():
            if method is None:
                delattr(DIMENSION, name)
            else:
                setattr(DIMENSION, name, method)


def equal(a: Any, b: Any, asking: FrameType) -> bool:
    found = bool(EQUAL(a, b))
    if not found and asked_by_user(asking) and undecided(a, b):
        raise TraceError(f"whether the sizes {a} and {b} are equal depends on them")
    return found


def hashed(a: Any) -> int:
    if asked_by_user(sys._getframe(1)):
        raise TraceError(f"the size {a} is a key of a dict or a set: which one depends on the sizes")
    return int(HASH(a))


def true(a: Any) -> bool:
    if asked_by_user(sys._getframe(1)) and undecided(a, 0):
        raise TraceError(f"whether the size {a} is 0 depends on the sizes")
    return True


QUESTIONS: dict[str, Callable[..., Any]] = {
    "__eq__": lambda a, b: equal(a, b, sys._getframe(1)),
    "__ne__": lambda a, b: not equal(a, b, sys._getframe(1)),
    "__hash__": hashed,
    "__bool__": true,
}


def undecided(a: Any, b: Any) -> bool:
    """Whether two sizes are equal for some values and not for others; each symbol is 1 or more."""
    if not isinstance(b, DIMENSION | int):
        return False
    read = Dimensions(Found(lambda name, _: size_number(sized(name))))
    return not isinstance(read(a) == read(b), bool)


# --- which line is the user's: the innermost one outside of JAX, of Python's library and of ours --


HOMES = (jax.__file__, jaxlib.__file__, str(Path(__file__).parents[1]))
LIBRARIES = tuple(str(Path(f).parent) + os.sep for f in HOMES)
ASSIGNMENT = re.compile(r"\s*([A-Za-z_]\w*)\s*=[^=]")
STANDARD, INSTALLED = sysconfig.get_path("stdlib"), ("site-packages", "dist-packages")


@functools.cache
def of_library(filename: str) -> bool:
    return filename.startswith(LIBRARIES)


@functools.cache
def of_python(filename: str) -> bool:
    """Python's own library."""
    installed = any(part in INSTALLED for part in Path(filename).parts)
    return filename.startswith("<frozen") or (filename.startswith(STANDARD) and not installed)


def users(filename: str) -> bool:
    return not of_library(filename) and not of_python(filename)


def asked_by_user(frame: FrameType | None) -> bool:
    """Whether the code that runs in this frame, or called Python's library there, is the user's."""
    while frame is not None and (of_python(frame.f_code.co_filename) or generated(frame)):
        frame = frame.f_back
    return frame is not None and not of_library(frame.f_code.co_filename)


def generated(frame: FrameType) -> bool:
    """A method that a dataclass has made of itself."""
    return frame.f_code.co_filename == "<string>" and frame.f_code.co_name.startswith("__")


def user_line(traceback: Any) -> tuple[str, int] | None:
    """The user's innermost line in a traceback of JAX's, which has the innermost frame first."""
    for frame in getattr(traceback, "frames", None) or ():
        if users(frame.file_name):
            return str(frame.file_name), int(frame.line_num)
    return None


def last_user_line(error: BaseException) -> tuple[str, int] | None:
    """The user's innermost line in the traceback of an error."""
    found = None
    tb: TracebackType | None = error.__traceback__
    while tb is not None:
        if users(tb.tb_frame.f_code.co_filename):
            found = tb.tb_frame.f_code.co_filename, tb.tb_lineno
        tb = tb.tb_next
    return found


@functools.cache
def assigned_name(filename: str, line: int) -> str | None:
    """The variable that a line assigns to, where it is one."""
    found = ASSIGNMENT.match(linecache.getline(filename, line))
    return found[1] if found else None
