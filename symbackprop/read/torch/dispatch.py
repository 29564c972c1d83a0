"""Each operation of PyTorch's that a run of the user's code reaches, read by its meaning.

PyTorch itself says which operations these are: below autograd, after everything composite has been taken apart.  The
same operation is also done on `meta` tensors, where the sizes are some primes: PyTorch's own answer gives dtype and
layout, and must have the shape that was read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from symbackprop.clock import check_time
from symbackprop.read.documented import Meaning
from symbackprop.read.numpy import SymArray, TraceError, Value
from symbackprop.read.numpy.axes import shape_text
from symbackprop.read.numpy.context import current
from symbackprop.read.numpy.lifting import lifted, size_of
from symbackprop.read.numpy.steps import renamed

from .meanings.entrywise import DRAWN
from .registry import ATEN, INERT
from .tensors import (
    SYMBOLIC, TracedTensor, as_kind, constant, in_torch, inside, kind_of, number_in, of_torch, sample_shape,
)  # fmt: skip

aten = torch.ops.aten


class Reading(TorchDispatchMode):
    """While it is active every tensor operation is read.

    While a module is `building`, what is random has no entries: parameters get other ones.  Where the result is to be
    `differentiated`, a value that detach() or no_grad() holds constant is one of the copies of arrays in `held`; None
    refuses it.
    """

    def __init__(self, differentiated: bool = False, held: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.building, self.differentiated, self.held = False, differentiated, held
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
        result = self.read(func, name, overload, args, kwargs)
        if self.differentiated and not self.building and (name == "detach" or not torch.is_grad_enabled()):
            return self.constant(result, "detach()" if name == "detach" else "torch.no_grad()")
        return result

    def constant(self, x: Any, by: str) -> Any:
        """The result of an operation, held constant."""
        if isinstance(x, tuple | list):
            return type(x)(self.constant(y, by) for y in x)
        if not isinstance(x, TracedTensor) or kind_of(x.dtype) != "real":
            return x
        if inside_a_function():
            raise TraceError("a torch.autograd.Function has its own derivative, which may not be that of its forward")
        if self.held is None or current().recorder is not None:
            raise HeldConstant(f"{by} holds a value constant: such a forward has no derivative by the laws")
        held = self.held
        found = TracedTensor(SymArray(x.array.value.rewritten(lambda t: renamed(t, held))), x.meta)
        found.constant = bool(held)
        return found

    def read(self, func: Any, name: str, overload: str, args: Any, kwargs: Any) -> Any:
        own = ATEN.meaning(f"{name}.{overload}", name)
        if own is not None:
            return computed(func, own, args, kwargs)
        if func._schema.is_mutable:
            stem = name.removesuffix("_")
            plain = ATEN.meaning(f"{stem}.{overload.removesuffix('_out')}", stem)
            return self.mutated(func, name, overload, plain, args, kwargs)
        return self.decomposed(func, name, args, kwargs)

    def lift(self, x: Any) -> Any:
        """Tensors of numbers as traced ones."""

        def lifted(y: Any) -> Any:
            if isinstance(y, TracedTensor) or not isinstance(y, torch.Tensor):
                return y
            if id(y) not in self.constants:
                self.constants[id(y)] = (y, constant(y))
            return self.constants[id(y)][1]

        return inside(x, lifted)

    def mutated(self, func: Any, name: str, overload: str, plain: Meaning | None, args: Any, kwargs: Any) -> Any:
        """add_ and add.out: the entries of an argument become those of the plain operation."""
        target = kwargs.pop("out") if "out" in kwargs else args[0]
        if target.constant or not (torch.is_grad_enabled() or self.building or not self.differentiated):
            raise TraceError("a value that is held constant is written in place")
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


class Supplying(TorchDispatchMode):
    """While it is active, what is drawn are the arrays of `random`."""

    def __init__(self, random: Any) -> None:
        super().__init__()
        self.random = random

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.removeprefix("aten::")
        draw = DRAWN.get(name.removesuffix("_"))
        if draw is None:
            return func(*args, **(kwargs or {}))
        found = draw(self.random._draw, *(a.detach().numpy() if isinstance(a, torch.Tensor) else a for a in args))
        if func._schema.is_mutable:
            return args[0].copy_(torch.as_tensor(found))
        return tuple(map(torch.as_tensor, found)) if isinstance(found, tuple) else torch.as_tensor(found)


class HeldConstant(TraceError):
    """A value that would have to be one of copies."""


def inside_a_function() -> bool:
    """Whether the code of a torch.autograd.Function runs."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if frame.f_code is torch.autograd.Function.apply.__func__.__code__:
            return True
        frame = frame.f_back
    return False


RANDOM = frozenset({
    "rand", "randn", "rand_like", "randn_like", "normal", "uniform", "bernoulli", "randint", "randperm",
})  # fmt: skip


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
        raise TraceError("a number is taken out of a tensor (item(), float(), a condition): it depends on the data")
    return found


# --- what an operation gives --------------------------------------------------------------------


def computed(func: Any, meaning: Meaning, args: Any, kwargs: Any) -> Any:
    """Its tensors, of the dtype and layout that PyTorch gives them."""
    given, more = arrays(args), arguments(kwargs)
    if "told" in meaning.marks:
        metas = sampled(func, args, kwargs)
        return dressed(meaning.run(*given, **more, kind=kind_of(metas.dtype)), metas, str(func))
    result = meaning.run(*given, **more)
    return args[0] if func._schema.is_mutable else dressed(result, sampled(func, args, kwargs), str(func))


def arrays(x: Any) -> Any:
    """Arguments as the reader of NumPy takes them."""
    if isinstance(x, tuple | list):
        return tuple(map(arrays, x))
    return x.array if isinstance(x, TracedTensor) else of_torch(x)


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
    return inside(x, lambda y: y.meta if isinstance(y, TracedTensor) else in_torch(y) if isinstance(y, SYMBOLIC) else y)


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
        theirs = tuple(metas.shape)
        raise TraceError(f"{what}: read as {shape_text(value.shape)}, PyTorch gives {theirs}; please report this")
    return TracedTensor(array, metas)
