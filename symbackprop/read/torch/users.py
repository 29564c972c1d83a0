"""The user's own code: which frames and which global names are his, and what stands for some of them in a run.

PyTorch's code runs as it is.  In the user's modules `math.sqrt`, `len`, `range`, `float` and `int` take sizes for the
time of a run: Python's own ones need plain numbers.
"""

from __future__ import annotations

import builtins
import math
import sys
import sysconfig
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from symbackprop.read.numpy.frames import MARK

HERE = str(Path(__file__).parent)
PYTORCH = str(Path(torch.__file__).parent)
MAGIC = (str(Path(torch.__file__)), str(Path(PYTORCH, "fx", "experimental", "sym_node.py")))
LIBRARIES = (
    *{sysconfig.get_path(k) for k in ("stdlib", "platstdlib", "purelib", "platlib")}, PYTORCH,
    str(Path(__file__).parents[2]), "site-packages", "dist-packages",
)  # fmt: skip


def asked_by_user() -> bool:
    """Whether the code that asks for a truth value is an `if` of the user's or of some library, and not PyTorch's."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(HERE):
        frame = frame.f_back
    if frame is None or frame.f_code.co_filename not in MAGIC:
        return False  # C++ code asks
    while frame is not None and frame.f_code.co_filename in MAGIC:
        frame = frame.f_back
    return frame is not None and not frame.f_code.co_filename.startswith(PYTORCH)


def users_globals(*roots: Any) -> list[dict[str, Any]]:
    """The global names of every module that is no library, and of the functions given."""
    found = {id(g): g for g in map(globals_of, roots) if g is not None}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(module, types.ModuleType) and isinstance(file, str) and not is_library(file):
            found[id(vars(module))] = vars(module)
    main = vars(sys.modules["__main__"])
    return [*found.values(), *([] if id(main) in found else [main])]


def globals_of(x: Any) -> dict[str, Any] | None:
    if isinstance(x, type):
        module = sys.modules.get(x.__module__)
        return None if module is None or module.__name__.split(".")[0] == "torch" else vars(module)
    found = getattr(x, "__globals__", None)
    return found if isinstance(found, dict) else None


def is_library(file: str) -> bool:
    return any(part in file for part in LIBRARIES)


# --- names that take sizes ----------------------------------------------------------------------

ABSENT = object()


@contextmanager
def as_users(places: Iterable[dict[str, Any]], stand_ins: Callable[[str, Any], Any]) -> Iterator[None]:
    """Marks the code of these global names as the user's, and puts the stand-ins in the place of their values."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for place in places:
            names = {MARK: True, **replacements(place, stand_ins)}
            before.extend((place, name, place.get(name, ABSENT)) for name in names)
            place.update(names)
        yield
    finally:
        for place, name, value in before:
            if value is ABSENT:
                place.pop(name, None)
            else:
                place[name] = value


def replacements(place: dict[str, Any], stand_ins: Callable[[str, Any], Any]) -> dict[str, Any]:
    """What stands for the global names of a module, and for the builtins that it does not define itself."""
    found = {name: stand_ins(name, value) for name, value in list(place.items()) if not name.startswith("__")}
    shadowed = {name: stand_ins(name, getattr(builtins, name)) for name in BUILTINS if name not in place}
    return {name: value for name, value in {**found, **shadowed}.items() if value is not None}


BUILTINS = ("float", "int", "len", "range")
OF_MATH = ("sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tanh", "floor", "ceil", "fabs")


def last_place(error: BaseException) -> tuple[str, int] | None:
    """File and line of the user's code where an error came up."""
    found, tb = None, error.__traceback__
    while tb is not None:
        if MARK in tb.tb_frame.f_globals:
            found = (tb.tb_frame.f_code.co_filename, tb.tb_lineno or tb.tb_frame.f_code.co_firstlineno)
        tb = tb.tb_next
    return found


def is_math(x: Any) -> str:
    """The name of a function of `math` that takes sizes, or nothing."""
    name = getattr(x, "__name__", "") if isinstance(x, types.BuiltinFunctionType) else ""
    return name if name in OF_MATH and getattr(math, name) is x else ""
