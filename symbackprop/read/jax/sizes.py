"""Questions about symbolic sizes that JAX answers although the answer depends on them.

`n == 1` is False for JAX, though n may be 1, and `if n - 1:` is taken.  What JAX's own code makes of such answers is
right for all sizes; in the user's code the question is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jax import export

from symbackprop.core.terms import sized
from symbackprop.read.numpy import TraceError, size_number

from .dimensions import Dimensions
from .frames import asked_by_user

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


def equal(a: Any, b: Any) -> bool:
    found = bool(EQUAL(a, b))
    if not found and asked_by_user(sys._getframe(1)) and undecided(a, b):
        raise TraceError(f"whether the sizes {a} and {b} are equal depends on them")
    return found


def different(a: Any, b: Any) -> bool:
    found = bool(EQUAL(a, b))
    if not found and asked_by_user(sys._getframe(1)) and undecided(a, b):
        raise TraceError(f"whether the sizes {a} and {b} are equal depends on them")
    return not found


def hashed(a: Any) -> int:
    if asked_by_user(sys._getframe(1)):
        raise TraceError(f"the size {a} is a key of a dict or a set: which one depends on the sizes")
    return int(HASH(a))


def true(a: Any) -> bool:
    if asked_by_user(sys._getframe(1)) and undecided(a, 0):
        raise TraceError(f"whether the size {a} is 0 depends on the sizes")
    return True


QUESTIONS = {"__eq__": equal, "__ne__": different, "__hash__": hashed, "__bool__": true}


def undecided(a: Any, b: Any) -> bool:
    """Whether two sizes are equal for some values and not for others; each symbol is 1 or more."""
    if not isinstance(b, DIMENSION | int):
        return False
    read = Dimensions(Symbols())
    found = read(a) == read(b)
    return not isinstance(found, bool)


class Symbols(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        self[name] = size_number(sized(name))
        return self[name]
