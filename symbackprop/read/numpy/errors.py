"""What tracing refuses."""

from __future__ import annotations

from symbackprop.core.terms import SymbackpropError

from .context import current


class TraceError(SymbackpropError):
    """The function cannot be read as index terms; the message has the line of the user's file and why.

    Each is remembered while a function runs: code that catches it would go on with something else than NumPy does.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        if not isinstance(self, AttributeError):
            current().refused.append(self)


class ShapeMismatch(TraceError):
    """Shapes that do not conform for all sizes; NumPy would raise at some of them."""


class Unsupported(TraceError, AttributeError):
    """A name NumPy has and tracing does not; also an AttributeError, so that hasattr() works."""
