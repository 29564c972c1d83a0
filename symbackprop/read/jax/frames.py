"""Which line is the user's: the innermost one outside of JAX, of Python's library and of ours."""

from __future__ import annotations

import functools
import linecache
import os
import re
import sysconfig
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import jax
import jaxlib

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
