"""Tensors that carry an array of the reader of NumPy, and PyTorch's own view of them."""

from __future__ import annotations

from typing import Any

import torch

from symbackprop.core.terms import Size
from symbackprop.read.numpy import SymArray, TraceError, Value, size_number
from symbackprop.read.numpy.lifting import lifted

from .numbers import for_torch, sample_of

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
