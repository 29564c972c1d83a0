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


class ShapeMismatch(TraceError, ValueError):
    """Shapes that do not conform for all sizes; NumPy would raise a ValueError at some of them.

    `mistake` says what was probably meant, where that is plain.
    """

    def __init__(self, message: str, mistake: str = "") -> None:
        super().__init__(message)
        self.mistake = mistake

    @property
    def meant(self) -> str:
        """The mistake that this error, or one that it stands for, tells."""
        cause = self.__cause__
        return self.mistake or (cause.meant if isinstance(cause, ShapeMismatch) else "")


class NoSuchPlace(ShapeMismatch, IndexError):
    """An index that is out of its axis; NumPy would raise an IndexError."""


class Unsupported(TraceError, AttributeError):
    """A name that NumPy has not got either: an AttributeError, so that hasattr() works."""
