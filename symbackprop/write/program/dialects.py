"""How NumPy, jax.numpy and torch spell the operations of a graph: one table."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.core.functions import ROWS

OPERATORS = {
    "add": ("+", 10), "subtract": ("-", 10), "multiply": ("*", 20), "divide": ("/", 20), "true_divide": ("/", 20),
    "matmul": ("@", 20), "dot": ("@", 20), "floor_divide": ("//", 20), "remainder": ("%", 20), "mod": ("%", 20),
    "power": ("**", 40), "pow": ("**", 40), "float_power": ("**", 40),
    "equal": ("==", 5), "not_equal": ("!=", 5), "greater": (">", 5), "less": ("<", 5), "greater_equal": (">=", 5),
    "less_equal": ("<=", 5), "logical_and": ("&", 8), "bitwise_and": ("&", 8), "logical_or": ("|", 7),
    "bitwise_or": ("|", 7),
}  # fmt: skip

LINALG = ("norm", "vector_norm", "inv", "det", "pinv", "solve", "matrix_power", "multi_dot", "slogdet")
# operation: how it is called in NumPy, jax.numpy, torch; a bare name is one of the module.
SPELLINGS: dict[str, tuple[str, str, str]] = {
    "absolute": ("abs", "abs", "abs"),
    **{f.operation: (f"scipy.special.{f.scipy}", f.jax, f.torch) for f in ROWS if isinstance(f.scipy, str)},
    "log_expit": ("scipy.special.log_expit", "jax.nn.log_sigmoid", "torch.nn.functional.logsigmoid"),
    "erfc": ("scipy.special.erfc", "jax.scipy.special.erfc", "erfc"),
    "ndtr": ("scipy.special.ndtr", "jax.scipy.stats.norm.cdf", "torch.special.ndtr"),
    "logsumexp": ("scipy.special.logsumexp", "jax.scipy.special.logsumexp", "logsumexp"),
    "softmax": ("scipy.special.softmax", "jax.nn.softmax", "softmax"),
    "log_softmax": ("scipy.special.log_softmax", "jax.nn.log_softmax", "log_softmax"),
    "gammaln": ("scipy.special.gammaln", "jax.scipy.special.gammaln", "lgamma"),
    "logit": ("scipy.special.logit", "jax.scipy.special.logit", "logit"),
    "concatenate": ("concatenate", "concatenate", "cat"),
    "max": ("max", "max", "amax"),
    "min": ("min", "min", "amin"),
    **{name: (f"linalg.{name}",) * 3 for name in LINALG},
    "matrix_norm": ("linalg.norm",) * 3,
    "transpose": ("transpose", "transpose", "permute"),
    "expand_dims": ("expand_dims", "expand_dims", "unsqueeze"),
    "negative": ("negative", "negative", "neg"),
    "sliding_window_view": ("np.lib.stride_tricks.sliding_window_view", "_windows", "_windows"),
    **{name: (f"_{name}",) * 3 for name in ("scattered", "strided_windows", "added_windows")},
    "array": ("array", "array", "tensor"),
}

# What is written as a method of its first argument where that is short.
METHODS = frozenset({
    "sum", "mean", "max", "min", "var", "std", "prod", "cumsum", "reshape", "transpose", "swapaxes", "ravel", "squeeze",
    "trace",
})  # fmt: skip
REDUCTIONS = frozenset({"sum", "mean", "max", "min", "var", "std", "prod", "cumsum", "norm", "logsumexp", "softmax",
                        "log_softmax", "vector_norm", "all", "any"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dialect:
    """`imports` maps the first part of a dotted name to the line that brings it."""

    name: str
    module: str
    place: int  # in the rows of the table
    axis: str
    keepdims: str
    size: str
    imports: dict[str, str]
    helpers: dict[str, str]

    def spelled(self, operation: str) -> str:
        found = SPELLINGS.get(operation, (operation,) * 3)[self.place]
        return found if found.partition(".")[0] in self.imports or found[0] == "_" else f"{self.module}.{found}"

    @property
    def infinity(self) -> str:
        return f"{self.module}.inf"


SCATTERED_NUMPY = """\
def _scattered(like, key, values):
    out = np.zeros_like(like)
    np.add.at(out, key, values)
    return out
"""
PLACED_NUMPY = """\
def _placed(like, key, values):
    out = np.zeros_like(like)
    out[key] = values
    return out
"""
WITH = """\
def _with(x, key, values):
    out = {copy}
    out[key] = values
    return out
"""
WITH_ADDED = """\
def _with_added(x, key, values):
    out = x.copy()
    np.add.at(out, key, values)
    return out
"""
WINDOWS = """\
def _windows(x, widths, axes):
    for width, axis in zip(widths, axes):
        count = x.shape[axis] - width + 1
        x = {stack}([{narrow} for j in range(width)], {axis}=-1)
    return x
"""
STRIDED = """\
def _strided_windows(x, kernel, stride, dilation):
    first = x.ndim - len(kernel)
    for axis, width, step, gap in zip(range(first, x.ndim), kernel, stride, dilation):
        count = (x.shape[axis] - gap * (width - 1) - 1) // step + 1
        lead, end = (slice(None),) * axis, (count - 1) * step + 1
        x = {stack}([x[(*lead, slice(j * gap, j * gap + end, step))] for j in range(width)], {axis}=-1)
    return x
"""
ADDED = """\
def _added_windows(windows, like, axes, stride=(), dilation=()):
    if not axes:
        return windows
    axis, count = axes[-1], windows.shape[axes[-1]]
    step, gap = (stride or (1,))[-1], (dilation or (1,))[-1]
    shape = [*windows.shape[:-1]]
    shape[axis] = like.shape[axis]
    out = {zeros}
    for j in range(windows.shape[-1]):
        {add}
    return _added_windows(out, like, axes[:-1], stride[:-1], dilation[:-1])
"""
PLACE = "(slice(None),) * axis + (slice(j * gap, j * gap + (count - 1) * step + 1, step),)"
IN_PLACE = f"out[{PLACE}] += windows[..., j]"
IN_COPY = f"out = out.at[{PLACE}].add(windows[..., j])"
ADDED_NUMPY = ADDED.format(zeros="np.zeros(shape, windows.dtype)", add=IN_PLACE)
ADDED_JAX = ADDED.format(zeros="jnp.zeros(shape, windows.dtype)", add=IN_COPY)
ADDED_TORCH = ADDED.format(zeros="windows.new_zeros(shape)", add=IN_PLACE)
WITH_ADDED_TORCH = """\
def _with_added(x, key, values):
    values = torch.as_tensor(values, dtype=x.dtype).expand(x[key].shape)
    return x.index_put(key, values, accumulate=True)
"""
SCATTERED_TORCH = """\
def _scattered(like, key, values):
    out = torch.zeros_like(like)
    values = torch.as_tensor(values, dtype=out.dtype).expand(out[key].shape)
    return out.index_put(key, values, accumulate=True)
"""

NUMPY = Dialect(
    "numpy", "np", 0, "axis", "keepdims", "size",
    {"np": "import numpy as np", "scipy": "import scipy.special"},
    {"_scattered": SCATTERED_NUMPY, "_placed": PLACED_NUMPY, "_with": WITH.format(copy="x.copy()"),
     "_with_added": WITH_ADDED, "_added_windows": ADDED_NUMPY,
     "_strided_windows": STRIDED.format(stack="np.stack", axis="axis")},
)  # fmt: skip
JAX = Dialect(
    "jax", "jnp", 1, "axis", "keepdims", "size",
    {"jnp": "import jax.numpy as jnp", "jax": "import jax"},
    {
        "_scattered": "def _scattered(like, key, values):\n    return jnp.zeros_like(like).at[key].add(values)\n",
        "_placed": "def _placed(like, key, values):\n    return jnp.zeros_like(like).at[key].set(values)\n",
        "_with": "def _with(x, key, values):\n    return x.at[key].set(values)\n",
        "_with_added": "def _with_added(x, key, values):\n    return x.at[key].add(values)\n",
        "_added_windows": ADDED_JAX,
        "_strided_windows": STRIDED.format(stack="jnp.stack", axis="axis"),
        "_windows": WINDOWS.format(
            stack="jnp.stack", narrow="jax.lax.slice_in_dim(x, j, j + count, axis=axis)", axis="axis"
        ),
    },
)  # fmt: skip
TORCH = Dialect(
    "torch", "torch", 2, "dim", "keepdim", "numel()",
    {"torch": "import torch", "math": "import math"},
    {
        "_scattered": SCATTERED_TORCH,
        "_placed": PLACED_NUMPY.replace("np.", "torch."),
        "_with": WITH.format(copy="x.clone()"),
        "_with_added": WITH_ADDED_TORCH,
        "_added_windows": ADDED_TORCH,
        "_strided_windows": STRIDED.format(stack="torch.stack", axis="dim"),
        "_windows": WINDOWS.format(stack="torch.stack", narrow="x.narrow(axis, j, count)", axis="dim"),
    },
)  # fmt: skip
DIALECTS = {d.name: d for d in (NUMPY, JAX, TORCH)}
