"""What tracing refuses."""

from __future__ import annotations

from ...core.terms import SymbackpropError


class TraceError(SymbackpropError):
    """The function cannot be read as index terms; the message has the line of the user's file and why."""


class ShapeMismatch(TraceError):
    """Shapes that do not conform for all sizes; NumPy would raise at some of them."""


class Unsupported(TraceError, AttributeError):
    """A name NumPy has and tracing does not; also an AttributeError, so that hasattr() works."""
