"""NumPy functions as index terms, by running them on arrays of symbolic shape."""

from .assumptions import trace_assumptions
from .errors import ShapeMismatch, TraceError
from .shapes import Declared, parse_shape, parse_shapes
from .tracing import Traced, trace

__all__ = [
    "Declared", "ShapeMismatch", "TraceError", "Traced", "parse_shape", "parse_shapes", "trace", "trace_assumptions",
]  # fmt: skip
