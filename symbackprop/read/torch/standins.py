"""What stands for other functions while code of the user's runs: names that take sizes, and functions of PyTorch's.

PyTorch's code runs as it is.  In the user's modules `math.sqrt`, `len`, `range`, `float` and `int` take sizes for the
time of a run: Python's own ones need plain numbers.  Functions that PyTorch takes apart by sizes as plain numbers are
written with others that it does not.
"""

from __future__ import annotations

import builtins
import math
import sys
import sysconfig
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from symbackprop.read.numpy import TraceError
from symbackprop.read.numpy.kept_state import MARK

from .tensors import PYTORCH, SYMBOLIC, Number, applied, pi

LIBRARIES = (
    *{sysconfig.get_path(k) for k in ("stdlib", "platstdlib", "purelib", "platlib")}, PYTORCH,
    str(Path(__file__).parents[2]), "site-packages", "dist-packages",
)  # fmt: skip
ABSENT = object()


def users_globals(*roots: Any) -> list[dict[str, Any]]:
    """The global names of every module that is no library, and of the functions given."""
    found = {id(g): g for g in map(globals_of, roots) if g is not None}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if (
            isinstance(module, types.ModuleType)
            and isinstance(file, str)
            and not any(part in file for part in LIBRARIES)
        ):
            found[id(vars(module))] = vars(module)
    main = vars(sys.modules["__main__"])
    return [*found.values(), *([] if id(main) in found else [main])]


def globals_of(x: Any) -> dict[str, Any] | None:
    if isinstance(x, type):
        if x.__module__.split(".")[0] == "torch":
            return None
        own = (getattr(f, "__func__", f) for f in vars(x).values())
        x = next((f for f in own if isinstance(f, types.FunctionType)), x)
    found = getattr(x, "__globals__", None)
    return found if isinstance(found, dict) else None


# --- names that take sizes ----------------------------------------------------------------------


@contextmanager
def as_users(places: Iterable[dict[str, Any]]) -> Iterator[None]:
    """Marks the code of these global names as the user's, and puts the stand-ins in the place of their values."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for place in places:
            names = {MARK: True, **replacements(place)}
            before.extend((place, name, place.get(name, ABSENT)) for name in names)
            place.update(names)
        yield
    finally:
        for place, name, value in before:
            if value is ABSENT:
                place.pop(name, None)
            else:
                place[name] = value


def replacements(place: dict[str, Any]) -> dict[str, Any]:
    """What stands for the global names of a module, and for the builtins that it does not define itself."""
    found = {name: stand_in(name, value) for name, value in list(place.items()) if not name.startswith("__")}
    shadowed = {name: stand_in(name, getattr(builtins, name)) for name in PYTHON if name not in place}
    return {name: value for name, value in {**found, **shadowed}.items() if value is not None}


OF_MATH = ("sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tanh", "floor", "ceil", "fabs")


def is_math(x: Any) -> str:
    """The name of a function of `math` that takes sizes, or nothing."""
    name = getattr(x, "__name__", "") if isinstance(x, types.BuiltinFunctionType) else ""
    return name if name in OF_MATH and getattr(math, name) is x else ""


def stand_in(name: str, value: Any) -> Any:
    """A function that takes sizes in the place of one that does not; None for other values."""
    if value is math:
        return MATH
    if id(value) in ORIGINAL:
        return ORIGINAL[id(value)]
    if isinstance(value, types.BuiltinFunctionType) and is_math(value):
        return of_sizes(value)
    return PYTHON.get(name) if value is getattr(builtins, name, ABSENT) else None


def of_sizes(function: Any) -> Any:
    def call(x: Any, *more: Any) -> Any:
        if more or not isinstance(x, int | float | torch.SymInt | torch.SymFloat):
            return function(x, *more)
        return unwrapped(applied(function.__name__, x.node if isinstance(x, SYMBOLIC) else Number(x, x)))

    return call


def unwrapped(x: Number) -> Any:
    if x.is_constant():
        return x.value
    return torch.SymInt(x) if x.is_int() else torch.SymFloat(x)


class Mathematics(types.ModuleType):
    """The module math, whose functions take sizes and round nothing."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(math, name)
        if name == "pi":
            return torch.SymFloat(pi())
        return of_sizes(value) if is_math(value) else value


MATH = Mathematics("math")


def counted(*bounds: Any) -> Any:
    """range(n); of a size that is no number the tensor 0, 1, ..., n-1, which can index and not be looped over."""
    symbolic = any(isinstance(b, torch.SymInt) for b in bounds)
    return torch.arange(*bounds) if symbolic else range(*bounds)


NUMBERS = (torch.SymInt, torch.SymFloat)
PYTHON: dict[str, Callable[..., Any]] = {
    "len": lambda x: x.shape[0] if isinstance(x, torch.Tensor) and x.dim() else len(x),
    "range": counted,
    "float": lambda x=0.0: torch.sym_float(x) if isinstance(x, NUMBERS) else float(x),
    "int": lambda x=0, *base: torch.sym_int(x) if isinstance(x, NUMBERS) else int(x, *base),
}


# --- functions of PyTorch's -----------------------------------------------------------------------


@contextmanager
def rewritten() -> Iterator[None]:
    """Puts the functions of the table below in the place of PyTorch's, for a while."""
    before = [(home, name, getattr(home, name)) for home, name in REWRITTEN]
    for (home, name), function in REWRITTEN.items():
        setattr(home, name, function)
    try:
        yield
    finally:
        for home, name, function in before:
            setattr(home, name, function)


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    if return_indices:
        raise TraceError("the indices of max pooling depend on the data")
    step = kernel_size if stride is None or stride == () else stride
    kernel, step, padding, dilation = map(single, (kernel_size, step, padding, dilation))
    wide = F.max_pool2d(input.unsqueeze(-2), (1, kernel), (1, step), (0, padding), (1, dilation), ceil_mode)
    return wide.squeeze(-2)


def single(n: Any) -> Any:
    return n[0] if isinstance(n, tuple | list) else n


def one_hot(tensor: Any, num_classes: Any = -1) -> Any:
    if isinstance(num_classes, int) and num_classes == -1:
        raise TraceError("one_hot without num_classes has as many columns as the data says")
    return (tensor.unsqueeze(-1) == torch.arange(num_classes)).to(torch.int64)


def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", *_: Any, **__: Any,
) -> Any:  # fmt: skip
    """Each entry as often as the size, or the scale, says."""
    if mode not in ("nearest", "nearest-exact"):
        raise TraceError(f"interpolation with mode {mode!r} is not modelled")
    given = scale_factor if size is None else size
    for axis, by in zip(range(2, input.dim()), cycle(given if isinstance(given, tuple | list) else (given,))):
        n = input.shape[axis]
        times = int(by) if size is None else by // n
        if (by - times if size is None else by - times * n) != 0:
            raise TraceError("nearest neighbours at a scale that is no whole number")
        input = input.repeat_interleave(times, axis)
    return input


def logdet(input: Any) -> Any:
    """PyTorch's is nan, which is no value, where the determinant is negative; the logarithm has none there either."""
    return torch.log(torch.linalg.det(input))


# --- cells ---------------------------------------------------------------------------------------


def rnn_cell(activation: Callable[[Any], Any]) -> Callable[..., Any]:
    def cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
        return activation(F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh))

    return cell


def gru_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    ir, iz, new = F.linear(x, w_ih, b_ih).chunk(3, dim=-1)
    hr, hz, old = F.linear(h, w_hh, b_hh).chunk(3, dim=-1)
    z = torch.sigmoid(iz + hz)
    n = torch.tanh(new + torch.sigmoid(ir + hr) * old)
    return n + z * (h - n)


def lstm_cell(x: Any, state: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    h, c = state
    i, f, g, o = (F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh)).chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


CELLS = torch._VF
REWRITTEN: dict[tuple[Any, str], Callable[..., Any]] = {
    (torch, "max_pool1d"): max_pool1d,
    (F, "max_pool1d"): max_pool1d,
    (F, "interpolate"): interpolate,
    (F, "one_hot"): one_hot,
    (torch, "logdet"): logdet,
    (torch.Tensor, "logdet"): logdet,
    (CELLS, "rnn_tanh_cell"): rnn_cell(torch.tanh),
    (CELLS, "rnn_relu_cell"): rnn_cell(torch.relu),
    (CELLS, "gru_cell"): gru_cell,
    (CELLS, "lstm_cell"): lstm_cell,
}
ORIGINAL = {id(getattr(home, name)): function for (home, name), function in REWRITTEN.items()}
