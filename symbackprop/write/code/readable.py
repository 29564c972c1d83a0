"""Generated source for people: imports, and beside each line what its value is called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from textwrap import wrap
from typing import Any

from symbackprop.core.terms import SymbackpropError

from .source_check import CALLABLE, FUNCTION_NAME, FUNCTIONS

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
    arguments = [f"{v} = {note}" for v in re.findall(r"v\d+", header) if SHOWABLE.fullmatch(note := says.get(v, ""))]
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
