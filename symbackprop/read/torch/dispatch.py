"""Each operation of PyTorch's that a run of the user's code reaches, read by its meaning.

PyTorch itself says which operations these are: below autograd, after everything composite has been taken apart.  The
same operation is also done on `meta` tensors, where the sizes are some primes: PyTorch's own answer gives dtype and
layout, and must have the shape that was read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch._dynamo  # operations on meta tensors need it: it is imported here, not within the time of a question
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from symbackprop.clock import check_time
from symbackprop.read.numpy import SymArray, TraceError, Value
from symbackprop.read.numpy.lifting import lifted
from symbackprop.read.numpy.sizes import size_of
from symbackprop.read.numpy.values import shape_text

from . import meanings  # noqa: F401  it fills the table
from .numbers import SYMBOLIC, in_torch, of_torch
from .registry import INERT, Meaning, meaning_of
from .tensors import TracedTensor, as_kind, constant, kind_of, made, number_in, sample_shape

aten = torch.ops.aten


class Rewriting(TorchFunctionMode):
    """Functions that PyTorch takes apart by sizes as plain numbers, written with others that it does not."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return REWRITTEN.get(func, func)(*args, **(kwargs or {}))


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    x, kernel = input, kernel_size
    if return_indices:
        raise TraceError("the indices of max pooling depend on the data")
    kernel, stride, padding, dilation = (
        n[0] if isinstance(n, tuple | list) else n for n in (kernel, kernel if stride in (None, ()) else stride, padding, dilation)
    )
    wide = torch.nn.functional.max_pool2d(
        x.unsqueeze(-2), (1, kernel), (1, stride), (0, padding), (1, dilation), ceil_mode
    )
    return wide.squeeze(-2)


POOLING = (torch.max_pool1d, torch.nn.functional.max_pool1d, torch.nn.functional._max_pool1d)
REWRITTEN: dict[Any, Callable[..., Any]] = dict.fromkeys(POOLING, max_pool1d)


class Reading(TorchDispatchMode):
    """While it is active every tensor operation is read.

    While a module is `building`, what is random has no entries: parameters get other ones.
    """

    def __init__(self) -> None:
        super().__init__()
        self.building = False
        self.constants: dict[int, tuple[torch.Tensor, TracedTensor]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        check_time()
        args, kwargs = self.lift(args), self.lift(kwargs or {})
        name, overload = func._schema.name.removeprefix("aten::"), func._overloadname
        if name == "_local_scalar_dense":
            return item(args[0])
        if self.building and name.removesuffix("_") in RANDOM:
            return args[0] if name.endswith("_") else unknown_entries(func, args, kwargs)
        own = meaning_of(name, overload)
        if own is not None:
            return computed(func, own, args, kwargs)
        if func._schema.is_mutable:
            plain = meaning_of(name.removesuffix("_"), overload.removesuffix("_out"))
            return self.mutated(func, name, overload, plain, args, kwargs)
        return self.decomposed(func, name, args, kwargs)

    def lift(self, x: Any) -> Any:
        """Tensors of numbers as traced ones."""
        match x:
            case TracedTensor():
                return x
            case torch.Tensor():
                if id(x) not in self.constants:
                    self.constants[id(x)] = (x, constant(x))
                return self.constants[id(x)][1]
            case tuple() | list():
                return type(x)(map(self.lift, x)) if type(x) in (tuple, list) else tuple(map(self.lift, x))
            case dict():
                return {k: self.lift(v) for k, v in x.items()}
            case _:
                return x

    def mutated(self, func: Any, name: str, overload: str, plain: Meaning | None, args: Any, kwargs: Any) -> Any:
        """add_ and add.out: the entries of an argument become those of the plain operation."""
        target = kwargs.pop("out") if "out" in kwargs else args[0]
        if plain is None:
            result = self.decomposed(func, name, args, kwargs)
            if result is not args[0]:
                raise TraceError(f"the operation {func} is not modelled")
            return result
        array = lifted(plain.run(*arrays(args), **arguments(kwargs)))
        target.array.assign(as_kind(array, target.dtype))
        return target

    def decomposed(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        """An operation that PyTorch itself writes in terms of others."""
        known = decompositions().get(func)
        with self:
            if known is not None:
                return known(*args, **kwargs)
            result = func.decompose(*args, **kwargs)
        if result is NotImplemented:
            raise TraceError(f"the operation {func} is not modelled")
        return result


RANDOM = frozenset({"rand", "randn", "rand_like", "randn_like", "normal", "uniform", "bernoulli", "randint", "randperm"})


def unknown_entries(func: Any, args: Any, kwargs: Any) -> Any:
    """A tensor that may be arranged and measured, and not computed with."""
    metas = sampled(func, args, kwargs)
    given = {a.name: x for a, x in zip(func._schema.arguments, args, strict=False)}
    like = given.get("self")
    shape = like.array.shape if isinstance(like, TracedTensor) else arrays(given.get("size", metas.shape))

    def refused(at: Any) -> Any:
        raise TraceError("a number drawn while the module was made is used: name the parameter that it is, in params")

    kind = kind_of(metas.dtype)
    result = TracedTensor(SymArray(Value(tuple(size_of(n, "a size") for n in shape), kind, refused)), metas)
    result.below = of_torch(given.get("high"))
    return result


_table: dict[Any, Callable[..., Any]] = {}


def decompositions() -> dict[Any, Callable[..., Any]]:
    if not _table:
        from torch._decomp import core_aten_decompositions, global_decomposition_table

        _table.update(global_decomposition_table["post_autograd"])
        _table.update(core_aten_decompositions())
    return _table


def item(x: TracedTensor) -> Any:
    found = number_in(x.array)
    if found is None:
        raise TraceError("a number is taken out of a tensor (item(), int(), float(), or a condition): it depends on the data")
    return found


# --- what an operation gives --------------------------------------------------------------------


def computed(func: Any, meaning: Meaning, args: Any, kwargs: Any) -> Any:
    """Its tensors, of the dtype and layout that PyTorch gives them."""
    if meaning.told:
        metas = sampled(func, args, kwargs)
        return dressed(meaning.run(*arrays(args), **arguments(kwargs), kind=kind_of(metas.dtype)), metas, str(func))
    result = meaning.run(*arrays(args), **arguments(kwargs))
    if func._schema.is_mutable:
        return args[0]
    return dressed(result, sampled(func, args, kwargs), str(func))


def arrays(x: Any) -> Any:
    """Arguments as the reader of NumPy takes them."""
    match x:
        case TracedTensor():
            return x.array
        case tuple() | list():
            return tuple(map(arrays, x))
        case _:
            return of_torch(x)


def arguments(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {k: arrays(v) for k, v in kwargs.items() if k not in INERT}


def sampled(func: Any, args: Any, kwargs: Any) -> Any:
    """PyTorch's own result without entries, for the sizes of the samples."""
    given = {k: ("meta" if k == "device" else meta(v)) for k, v in kwargs.items() if k != "pin_memory"}
    if "device" not in given and any(a.name == "device" for a in func._schema.arguments):
        if not any(isinstance(a, TracedTensor) for a in args):
            given["device"] = "meta"
    return func(*meta(args), **given)


def meta(x: Any) -> Any:
    match x:
        case TracedTensor():
            return x.meta
        case tuple() | list():
            return type(x)(map(meta, x)) if type(x) in (tuple, list) else tuple(map(meta, x))
        case _:
            return in_torch(x) if isinstance(x, SYMBOLIC) else x


def dressed(result: Any, metas: Any, what: str) -> Any:
    if isinstance(metas, tuple | list):
        return tuple(dressed(r, m, what) for r, m in zip(result, metas, strict=True))
    if result is None or not isinstance(metas, torch.Tensor):
        return result
    array = result if isinstance(result, SymArray) else SymArray(lifted(result))
    value = array.value
    if value.dtype != kind_of(metas.dtype):
        array = SymArray(as_kind(value, metas.dtype))
    elif array.scalar:  # a number of NumPy's, where PyTorch has a tensor that can be written to
        array = SymArray(value)
    if sample_shape(value.shape) != tuple(metas.shape):
        raise TraceError(f"{what}: read as {shape_text(value.shape)}, PyTorch gives {tuple(metas.shape)}; please report this")
    return TracedTensor(array, metas)
