"""What a certificate says to people: what was asked, with the text of the functions."""

from __future__ import annotations

import hashlib
import inspect
from linecache import getlines
from typing import Any

from .request import Function, Request


def reading_of(request: Request) -> dict[str, Any]:
    """The question, the functions, the shapes and the variables, as JSON."""
    functions = {"forward": request.forward, "backward": request.backward, "assuming": request.assuming}
    return {
        "asked": request.asked,
        "functions": {role: text_of(f) for role, f in functions.items() if f is not None},
        "shapes": {name: str(d) for name, d in request.declared.items()},
        "values": {name: repr(v) for name, v in request.values.items()},
        "wrt": list(request.variables),
    }


def text_of(function: Function) -> dict[str, str | None]:
    """The name and the source of a function, with its SHA-256; null where Python does not have it.

    The source is that of the code that runs, not of what a decorator says that it wraps.
    """
    name = getattr(function, "__name__", type(function).__name__)
    code = getattr(function, "__code__", getattr(function, "written", function))
    try:
        text = inspect.getsource(code) if getlines(getattr(code, "co_filename", "")) else ""
    except (OSError, TypeError):
        text = ""
    if not text:  # without a file: `inspect` would look at all modules
        return {"name": name, "sha256": None, "text": None}
    return {"name": name, "sha256": hashlib.sha256(text.encode()).hexdigest(), "text": text}
