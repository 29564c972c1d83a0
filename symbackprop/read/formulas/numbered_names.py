r"""W1 as one name.

A document would read W times 1, so that a typed W1 is written as a letter with a mark there, \acute{W}, which is
another thing of the same kind; what comes out has the typed name again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar, cast

from symbackprop.core.terms import Array

NUMBERED = re.compile(r"(?<![\\A-Za-z0-9_^])([A-Za-z]+)(\d+)(?![A-Za-z0-9.])")
MARKS = dict(zip("123456", "acute grave breve check mathring ddot".split(), strict=True))
DIGITS = "abcdefghij"  # for other numbers, and where a mark is used for itself
Names = Mapping[str, str]  # what stands in the document: what was typed
T = TypeVar("T")


def without_digits(text: str) -> tuple[str, Names]:
    """Formulas in which no name has digits; all that belongs together is to be given at once."""
    own = any(f"\\{mark}" in text for mark in MARKS.values())
    names: dict[str, str] = {}

    def name(m: re.Match[str]) -> str:
        mark = "" if own or len(m[1]) > 1 else MARKS.get(m[2], "")
        new = rf"\{mark}{{{m[1]}}}" if mark else f"{m[1]}Z{''.join(DIGITS[int(d)] for d in m[2])}Z"
        names[new] = m[0]
        return new

    return NUMBERED.sub(name, text), names


def in_digits(text: str, names: Names, latex: bool = False) -> str:
    """Names as they were typed, or as LaTeX sets them."""
    for new, typed in names.items():
        text = text.replace(new, NUMBERED.sub(r"\1_{\2}", typed) if latex else typed)
    return text


def with_digits(x: T, names: Names) -> T:
    """Plain data with the names of its arrays as they were typed."""

    def go(y: Any) -> Any:
        match y:
            case Array(name, label):
                return Array(names[name], label) if name in names else y
            case tuple():
                return tuple(map(go, y))
            case dict() | MappingProxyType():
                return {go(k): go(v) for k, v in y.items()}
            case _ if is_dataclass(y) and not isinstance(y, type):
                values = {f.name: getattr(y, f.name) for f in fields(y) if f.init}
                new = {k: go(v) for k, v in values.items()}
                return replace(y, **new) if any(new[k] is not values[k] for k in values) else y
            case _:
                return y

    return cast(T, go(x)) if names else x


__all__ = ["Names", "in_digits", "with_digits", "without_digits"]
