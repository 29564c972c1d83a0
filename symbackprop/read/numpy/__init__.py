"""NumPy functions as index terms, by running them on arrays of symbolic shape."""

from symbackprop.read.numpy.axes import Declared, parse_shape, parse_shapes

from .array import SymArray
from .assumptions import trace_assumptions
from .axes import UNIT, ZERO_AT, aligned
from .context import ShapeMismatch, TraceError
from .lifting import SymInt, size_number
from .modules import MODULES
from .nodes import CONSTANT, FORMULA, INPUT, Node, identity, nodes_in
from .products import added_windows, correlated, padded, scattered, strided_windows
from .recording import Graph, Recorder, array_of, node_of, record
from .tracing import Traced, trace
from .values import Value

TRACED_NUMPY = MODULES["numpy"]
TRACED_LINALG, TRACED_SPECIAL = MODULES["numpy.linalg"], MODULES["scipy.special"]

__all__ = [
    "CONSTANT", "FORMULA", "INPUT", "TRACED_LINALG", "TRACED_NUMPY", "TRACED_SPECIAL", "UNIT", "ZERO_AT", "Declared",
    "Graph", "Node", "Recorder", "ShapeMismatch", "SymArray", "SymInt", "TraceError", "Traced", "Value",
    "added_windows", "aligned", "array_of", "correlated", "identity", "node_of", "nodes_in", "padded", "parse_shape",
    "parse_shapes", "record", "scattered", "size_number", "strided_windows", "trace", "trace_assumptions",
]  # fmt: skip
