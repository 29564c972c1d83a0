"""A generated function with its source, its inputs and its outputs; the source says what each value is called."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from textwrap import wrap
from typing import Any

import numpy as np

from symbackprop.core.functions import column
from symbackprop.core.terms import Size, SymbackpropError, sized

from .generated_source import ARITHMETIC, Language

# Every function that generated source may call, by the module it comes from.
CALLABLE: dict[str, tuple[str, ...]] = {
    "numpy": (
        *column(lambda f: f.numpy).values(),
        "absolute", "add", "arange", "broadcast_to", "clip", "diag", "diagonal", "einsum", "eye", "full", "heaviside",
        "logaddexp", "maximum", "minimum", "multiply", "result_type", "sign", "sqrt", "square", "trace",
    ),
    "numpy.linalg": ("det", "inv"),
    "scipy.special": ("erf",),
}  # fmt: skip
FUNCTIONS = {name: module for module, names in CALLABLE.items() for name in names}
NUMPY = Language(
    frozenset(FUNCTIONS), (*ARITHMETIC, ast.FloorDiv, ast.MatMult, ast.Gt, ast.GtE, ast.Eq),
    methods=frozenset({"reduce", "reshape", "copy"}), attributes=frozenset({"T", "shape"}),
    keywords=frozenset({"axis", "keepdims", "dtype", "optimize"}),
)  # fmt: skip
FUNCTION_NAME = "_generated"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A generated function.

    `function` takes the arrays in the order of `inputs` and returns a tuple in the order of `outputs`, unchecked and
    fast.  Calling the object checks shapes first, takes arrays by position or by name, and returns a dict.
    """

    source: str
    function: Callable[..., tuple[Any, ...]]
    inputs: tuple[tuple[str, tuple[Size, ...]], ...]
    outputs: tuple[str, ...]
    may_overflow: bool  # a sigmoid's exp may pass infinity on its way to 0

    def __call__(self, *arrays: Any, **named: Any) -> dict[str, Any]:
        """The outputs by name.  Raises SymbackpropError for a missing array or a shape that does not fit."""
        names = [name for name, _ in self.inputs]
        given = dict(zip(names, arrays, strict=False)) | named
        if len(arrays) > len(names) or given.keys() != set(names) or len(given) != len(arrays) + len(named):
            raise SymbackpropError(f"the arrays {', '.join(names)} are needed, each once")
        values = [given[name] if not shape else np.asarray(given[name]) for name, shape in self.inputs]
        sizes: dict[str, tuple[int, str]] = {}
        for (name, shape), value in zip(self.inputs, values, strict=True):
            _check_shape(name, shape, np.shape(value), sizes)
        with np.errstate(over="ignore") if self.may_overflow else nullcontext():
            return dict(zip(self.outputs, self.function(*values), strict=True))


def _check_shape(name: str, shape: tuple[Size, ...], found: tuple[int, ...], sizes: dict[str, tuple[int, str]]) -> None:
    wanted = " × ".join(map(str, shape)) or "a scalar"
    if len(found) != len(shape):
        raise SymbackpropError(f"{name} is {wanted}, not an array of {len(found)} axes")
    for axis, length in zip(shape, found, strict=True):
        if len(axis.symbols) == 1 and axis == sized(axis.symbols[0]):
            sizes.setdefault(axis.symbols[0], (length, name))
    for axis, length in zip(shape, found, strict=True):
        known = {s: n for s, (n, _) in sizes.items()}
        if set(axis.symbols) <= known.keys() and axis.at(known) != length:
            why = "".join(f", where {s} = {known[s]} as in {sizes[s][1]}" for s in axis.symbols)
            raise SymbackpropError(f"{name} is {wanted}, not {' × '.join(map(str, found))}{why}")


# Only such names of a user are shown, in comments: no character of them can end a line.
SHOWABLE = re.compile(r"[\w^{}+*-]{1,32}")


def functions_in(code: str) -> dict[str, list[str]]:
    """The functions that the code calls, by module."""
    used = set(re.findall(r"[A-Za-z_]\w*", code)) & FUNCTIONS.keys()
    return {module: kept for module, names in CALLABLE.items() if (kept := [n for n in names if n in used])}


def namespace(code: str) -> dict[str, Any]:
    """The functions that the code calls, and nothing else."""
    found: dict[str, Any] = {}
    for module, names in functions_in(code).items():
        try:
            home = import_module(module)
        except ImportError as failure:
            raise SymbackpropError(
                f"{', '.join(names)} needs {module.split('.')[0]}, which is not installed"
            ) from failure
        found.update((name, getattr(home, name)) for name in names)
    return found


def readable(source: str, says: Mapping[str, str]) -> str:
    """The same function under imports, with comments."""
    header, *body = source.replace(FUNCTION_NAME, "compute", 1).rstrip().split("\n")
    names = re.findall(r"[A-Za-z]{1,2}\d+", header)
    arguments = [f"{v} = {note}" for v in names if SHOWABLE.fullmatch(note := says.get(v, ""))]
    lines = [header, *(f"    # {line}" for line in wrap(", ".join(arguments), 110))]
    for line in body:
        note = says.get(line.split()[0], "")
        if "maximum.reduce(" in line:
            note = "subtracted below: exp cannot overflow, and softmax stays the same"
        elif not SHOWABLE.fullmatch(note):
            note = ""
        lines.append(f"{line}  # {note}" if note else line)
    imports = [f"from {module} import {', '.join(names)}" for module, names in functions_in(source).items()]
    return "\n".join([*imports, "", "", *lines]).lstrip("\n") + "\n"


def generated(
    source: str,
    says: Mapping[str, str],
    inputs: Sequence[tuple[str, tuple[Size, ...]]],
    outputs: Sequence[str],
    may_overflow: bool,
) -> Compiled:
    """The function of a source, which is checked first; `says` is what its names are called."""
    code, _ = NUMPY.checked(source, FUNCTION_NAME)
    scope = namespace(source)
    exec(code, scope)
    return Compiled(readable(source, says), scope[FUNCTION_NAME], tuple(inputs), tuple(outputs), may_overflow)


def read_off(symbol: str, shapes: Mapping[str, Sequence[Size]]) -> tuple[str, int, int, Size] | None:
    """An axis of size factor * symbol + rest: its array and place, the factor, and the rest; the plainest there is."""
    alone = {n.symbols[0] for shape in shapes.values() for n in shape if n.symbols and n == sized(n.symbols[0])}
    found = []
    for name, shape in shapes.items():
        for k, n in enumerate(shape):
            factor = dict(n.monomials).get((symbol,), 0)
            rest = n - sized(symbol) * factor
            if factor > 0 and symbol not in rest.symbols and alone.issuperset(rest.symbols):
                found.append((name, k, factor, rest))
    return min(found, key=lambda f: (len(f[3].monomials), f[2]), default=None)
