"""Tensors that carry an array of the reader of NumPy, PyTorch's own view of them, and sizes as PyTorch sees them.

PyTorch asks a size for its arithmetic by the methods of what it calls a SymNode, which is behind a torch.SymInt,
SymFloat or SymBool.  Here they are those of the reader of NumPy, so a size is the same polynomial in both, and what is
not known for all sizes is refused in the same words.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch.fx.experimental import sym_node  # noqa: F401  gives torch.SymInt its operators

from symbackprop.core.terms import Size
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import SymArray, SymInt, TraceError, Value, size_number
from symbackprop.read.numpy.axes import constant_of
from symbackprop.read.numpy.context import current
from symbackprop.read.numpy.lifting import lifted

REAL, WHOLE, TRUTH = torch.float64, torch.int64, torch.bool
DTYPES = {"real": REAL, "int": WHOLE, "narrow": torch.int32, "bool": TRUTH}


class TracedTensor(torch.Tensor):
    """`array` holds the entries; `meta` is a tensor of the same dtype and layout where the sizes are some primes.

    PyTorch sees symbolic sizes, the strides of `meta`, and no storage.  Of whole numbers that were drawn, and have no
    entries, `below` is the size that they are less than.  `constant` is what a forward holds so that it differentiates.
    """

    array: SymArray
    meta: torch.Tensor
    below: Any
    constant: bool

    @staticmethod
    def __new__(cls, array: SymArray, meta: torch.Tensor) -> TracedTensor:
        result: TracedTensor = torch.Tensor._make_wrapper_subclass(
            cls, sizes(array), strides=meta.stride(), dtype=meta.dtype, device="cpu"
        )
        result.array, result.meta, result.below, result.constant = array, meta, None, False
        return result

    def __init__(self, array: SymArray, meta: torch.Tensor) -> None:
        pass

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise TraceError(f"{func} of a traced tensor after its trace")

    def __repr__(self, **_: Any) -> str:
        return repr(self.array)


def sizes(array: SymArray) -> tuple[Any, ...]:
    return tuple(for_torch(size_number(n)) for n in array.value.shape)


def sample_shape(shape: tuple[Size, ...]) -> tuple[int, ...]:
    return tuple(sample_of(size_number(n)) for n in shape)


def made(array: SymArray, dtype: torch.dtype | None = None) -> TracedTensor:
    """A tensor of its own with these entries, in row-major order."""
    dtype = dtype or DTYPES[array.value.dtype]
    return TracedTensor(array, torch.empty(sample_shape(array.value.shape), dtype=dtype, device="meta"))


def constant(x: torch.Tensor) -> TracedTensor:
    """A tensor of numbers; one of 32 bits holds the shortest decimal that is it."""
    plain = x.detach().cpu().resolve_conj()
    if plain.is_complex():
        raise TraceError("complex numbers are not supported")
    if plain.dtype is torch.bfloat16:
        plain = plain.to(torch.float32)
    return made(SymArray(as_kind(lifted(plain.numpy()), x.dtype)), x.dtype)


def kind_of(dtype: torch.dtype) -> Any:
    return "bool" if dtype is TRUTH else "real" if dtype.is_floating_point else "int"


def as_kind(value: Value, dtype: torch.dtype) -> Value:
    """The same numbers under the kind that PyTorch gives them."""
    wanted = kind_of(dtype)
    if value.dtype == wanted:
        return value
    if wanted == "int" and value.dtype in ("narrow", "bool"):
        return value.cast("int")
    if wanted == "real":
        return value.cast("real")
    raise TraceError(f"{value.dtype} numbers where PyTorch has {dtype}")


def number_in(array: SymArray) -> Any:
    """The number that a tensor of one entry holds, where it is known: what .item() gives."""
    found = array.known()
    if found is None:
        return None
    return float(found) if array.value.dtype == "real" else bool(found) if array.value.dtype == "bool" else int(found)


# --- sizes ----------------------------------------------------------------------------------------


SYMBOLIC = (torch.SymInt, torch.SymFloat, torch.SymBool)
HERE, PYTORCH = str(Path(__file__).parent), str(Path(torch.__file__).parent)
MAGIC = (str(Path(torch.__file__)), str(Path(PYTORCH, "fx", "experimental", "sym_node.py")))


def asked_by_user() -> bool:
    """Whether the code that asks for a truth value is an `if` of the user's or of some library, and not PyTorch's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(HERE):
        frame = frame.f_back
    if frame is None or frame.f_code.co_filename not in MAGIC:
        return False  # C++ code asks
    while frame is not None and frame.f_code.co_filename in MAGIC:
        frame = frame.f_back
    return frame is not None and not frame.f_code.co_filename.startswith(PYTORCH)


class Number:
    """`value` is the size, number or truth value of the reader; `sample` what it is where each size is a prime.

    The sample answers what PyTorch's own code asks on its way, such as whether a size is 1: for sizes in general.
    What the user's code asks is answered for all sizes, or refused.  A number that no size enters, such as √2, is
    `fixed`: the sample is its double.
    """

    def __init__(self, value: Any, sample: Any, fixed: bool = False) -> None:
        self.value, self.sample = value, sample
        self.fixed = fixed or isinstance(value, int | float)

    # --- what it is ----------------------------------------------------------------------------

    def is_int(self) -> bool:
        return isinstance(self.sample, int) and not isinstance(self.sample, bool)

    def is_float(self) -> bool:
        return isinstance(self.sample, float)

    def is_bool(self) -> bool:
        return isinstance(self.sample, bool)

    def is_constant(self) -> bool:
        return isinstance(self.value, int | float)

    def is_nested_int(self) -> bool:
        return False

    def is_symbolic(self) -> bool:
        return True

    def has_hint(self) -> bool:
        return True

    def maybe_as_int(self) -> int | None:
        return self.value if self.is_int() and isinstance(self.value, int) else None

    def str(self) -> Any:
        return repr(self.value)

    _graph_repr = str

    # --- asked for a plain value -----------------------------------------------------------------

    def plain(self, what: Any) -> Any:
        if self.is_constant():
            return self.value
        if self.fixed:
            return self.sample
        raise TraceError(f"{what} of a number that depends on the sizes")

    def guard_int(self, file: Any = "", line: int = 0) -> int:
        return int(self.plain("int()"))

    int_ = guard_int

    def guard_float(self, file: Any = "", line: int = 0) -> float:
        return float(self.plain("float()"))

    def guard_bool(self, file: Any = "", line: int = 0) -> bool:
        if self.is_constant():
            return bool(self.value)
        if not self.fixed and asked_by_user():
            raise TraceError("a condition depends on the sizes")
        return bool(self.sample)

    bool_ = guard_bool
    guard_or_true = guard_or_false = guard_size_oblivious = expect_true = guard_bool

    def statically_known_true(self, file: Any = "", line: int = 0) -> bool:
        return self.is_constant() and bool(self.value)

    # --- arithmetic ------------------------------------------------------------------------------

    def wrap_int(self, n: int) -> Number:
        return Number(n, n)

    wrap_float = wrap_bool = wrap_int

    def clone(self) -> Number:
        return self

    def neg(self) -> Number:
        return Number(-self.value, -self.sample, self.fixed)

    def sym_float(self) -> Number:
        return Number(real(self.value), float(self.sample), self.fixed)

    def sym_sqrt(self) -> Number:
        return applied("sqrt", self)

    def sym_not(self) -> Number:
        return Number(not self.value if self.is_constant() else np.logical_not(self.value), not self.sample,
                      self.fixed)  # fmt: skip

    def floor(self) -> Number:
        return self.whole("floor", math.floor)

    def ceil(self) -> Number:
        return self.whole("ceil", math.ceil)

    def trunc(self) -> Number:
        return self.whole("int", math.trunc)

    def whole(self, what: Any, rounded: Callable[[Any], int]) -> Number:
        if self.is_int() or self.is_constant():
            return self if self.is_int() else Number(rounded(self.value), rounded(self.value))
        size = size_in(self.value)
        if size is None:
            raise TraceError(f"{what}() of a number that depends on the sizes: declare an axis as a product, '2*n'")
        return Number(size, rounded(self.sample))

    def sym_min(self, other: Number) -> Number:
        return self if decided(joined(operator.le, self, other), "min") else other

    def sym_max(self, other: Number) -> Number:
        return self if decided(joined(operator.ge, self, other), "max") else other

    def sym_ite(self, then: Number, other: Number) -> Number:
        return then if self.guard_bool() else other

    def and_(self, other: Number) -> Number:
        if self.is_constant():
            return other if self.value else self
        return other.and_(self) if other.is_constant() else joined(operator.and_, self, other)

    def or_(self, other: Number) -> Number:
        if self.is_constant():
            return self if self.value else other
        return other.or_(self) if other.is_constant() else joined(operator.or_, self, other)

    sym_and, sym_or = and_, or_


def decided(comparison: Number, what: str) -> bool:
    if comparison.is_constant():
        return bool(comparison.value)
    raise TraceError(f"the {what} of two sizes of which it is not known which is larger")


def binary(f: Callable[[Any, Any], Any]) -> Callable[[Number, Number], Number]:
    return lambda self, other: joined(f, self, other)


def joined(f: Callable[[Any, Any], Any], a: Number, b: Number) -> Number:
    return Number(unrecorded(f, a.value, b.value), sampled(f, a.sample, b.sample), a.fixed and b.fixed)


def unrecorded(f: Callable[..., Any], *args: Any) -> Any:
    """Sizes are no steps of a computation."""
    state = current()
    recorder, state.recorder = state.recorder, None
    try:
        return f(*args)
    finally:
        state.recorder = recorder


def sampled(f: Callable[..., Any], *args: Any) -> Any:
    try:
        return f(*args)
    except (ArithmeticError, ValueError):
        return math.nan


BINARY: dict[Callable[[Any, Any], Any], tuple[str, ...]] = {
    operator.add: ("add",), operator.sub: ("sub",), operator.mul: ("mul",), operator.mod: ("mod",),
    operator.truediv: ("truediv", "int_truediv", "float_truediv"), operator.floordiv: ("floordiv", "int_floordiv"),
    operator.pow: ("pow", "float_pow", "pow_by_natural"), operator.eq: ("eq",), operator.ne: ("ne",),
    operator.lt: ("lt",), operator.le: ("le",), operator.gt: ("gt",), operator.ge: ("ge",),
}  # fmt: skip
for _f, _names in BINARY.items():
    for _name in _names:
        setattr(Number, _name, binary(_f))


def real(x: Any) -> Any:
    """A size as a real number."""
    if isinstance(x, int | float):
        return float(x)
    return x if isinstance(x, SymArray) and x.value.dtype == "real" else unrecorded(np.multiply, x, 1.0)


def size_in(x: Any) -> Any:
    """The size that a real number without axes is; None for another one."""
    term = x.value.term(()) if isinstance(x, SymArray) else None
    return size_number(term) if isinstance(term, Size) else None


IRRATIONAL = frozenset({"sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tanh"})


def applied(name: str, x: Number) -> Number:
    """A function of `math`, exactly: √2 is no float."""
    function = getattr(math, name)
    if x.is_constant() and (name not in IRRATIONAL or float(function(x.value)).is_integer()):
        return Number(function(x.value), function(x.value))
    return Number(unrecorded(getattr(np, name), real(x.value)), sampled(function, float(x.sample)), x.fixed)


def pi() -> Number:
    return Number(np.pi, math.pi, True)


# --- between the two ---------------------------------------------------------------------------


def for_torch(x: Any) -> Any:
    """A size of the reader as PyTorch takes it."""
    if isinstance(x, int | float):
        return x
    if isinstance(x, SymInt):
        return torch.SymInt(Number(x, sample_of(x)))
    raise TraceError(f"a {type(x).__name__} where PyTorch needs a size")


def of_torch(x: Any) -> Any:
    """A size or number of PyTorch's as one of the reader's; other values as they are."""
    return x.node.value if isinstance(x, SYMBOLIC) and isinstance(x.node, Number) else x


def in_torch(x: Any) -> Any:
    """As `of_torch`, as PyTorch would give it for the sample."""
    return x.node.sample if isinstance(x, SYMBOLIC) and isinstance(x.node, Number) else x


def unknown_number(value: SymArray) -> Any:
    """A real number without axes as the Python number that the user's code computes with."""
    return torch.SymFloat(Number(value, 1.25))


def sample_of(x: Any) -> int:
    """A size where each of its symbols is a prime of its own."""
    if isinstance(x, int):
        return x
    size = constant_of(x.expr)
    if size is None:
        raise TraceError("a whole number that depends on the data is used as a size")
    return sum(k * math.prod(map(prime_of, symbols)) for symbols, k in size.monomials)


PRIMES = (101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193, 197, 199, 211)
_given: dict[str, int] = {}


def prime_of(symbol: str) -> int:
    """Another one for each symbol."""
    if symbol not in _given:
        _given[symbol] = PRIMES[len(_given) % len(PRIMES)]
    return _given[symbol]
