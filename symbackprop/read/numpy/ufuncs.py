"""NumPy's universal functions as callables with .at, .reduce, .accumulate and .outer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import keys, reductions
from .array import SymArray, wrap
from .context import current, noted
from .elementwise import BINARY, UNARY, unary, where
from .errors import TraceError
from .lifting import lifted
from .products import matmul, outer
from .registry import NUMPY, SPECIAL
from .selection import Selection, selected_operands
from .sizes import HANDLERS
from .values import UNIT, Value, broadcast, shape_text
from .writing import write

REDUCTIONS: dict[str, Callable[..., Value]] = {
    "add": reductions.add_up,
    "multiply": reductions.product,
    "maximum": reductions.largest,
    "fmax": reductions.largest,
    "minimum": reductions.smallest,
    "fmin": reductions.smallest,
    "logical_or": reductions.any_of,
    "logical_and": reductions.all_of,
    "logaddexp": reductions.log_sum_exp,
}


class Ufunc:
    """One function of entries, by name."""

    def __init__(self, name: str, run: Callable[..., Value], inputs: int) -> None:
        self.__name__, self.run, self.nin = name, run, inputs

    def __call__(self, *args: Any, **options: Any) -> Any:
        recorder = current().recorder
        if recorder is None:
            return self.call(*args, **options)
        return recorder.call(self.__name__, self.call, args, options)

    def call(self, *args: Any, out: Any = None, where: Any = True, **options: Any) -> Any:
        if len(args) > self.nin:
            out = args[self.nin]
        args = args[: self.nin]
        if len(args) < self.nin:
            raise TypeError(f"{self.__name__}() takes {self.nin} positional arguments but {len(args)} were given")
        if any(isinstance(a, Selection) for a in args):
            return selected_operands(self, args)
        result = self.run(*(lifted(a) for a in args))
        return finished(result, out, where)

    def at(self, target: Any, key: Any, values: Any = None) -> None:
        noted(f"{self.__name__}.at")(self.accumulated)(target, key, values)

    def accumulated(self, target: Any, key: Any, values: Any = None) -> None:
        """Unbuffered in-place operation: repeated indices count repeatedly."""
        if not isinstance(target, SymArray):
            raise TraceError(f"np.{self.__name__}.at needs an array, not {type(target).__name__}")
        if keys.mask_in(key) is not None:
            raise TraceError(f"np.{self.__name__}.at with a mask")
        p = keys.planned(key, target.value.shape)
        new = lifted(values) if values is not None else None
        if self.__name__ in ("add", "subtract") and new is not None:
            change = new if self.__name__ == "add" else unary("negative", new)
            target.replace(write(target.value, p, change, accumulate=True))
            return
        raise TraceError(f"np.{self.__name__}.at is not supported; np.add.at is")

    def reduce(self, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Any:
        if self.__name__ not in REDUCTIONS:
            raise TraceError(f"np.{self.__name__}.reduce is not supported")
        return finished(REDUCTIONS[self.__name__](lifted(x), axis, bool(keepdims)), out, True)

    def accumulate(self, x: Any, axis: int = 0, **_: Any) -> Any:
        if self.__name__ == "add":
            return wrap(reductions.running_sum(lifted(x), axis))
        if self.__name__ == "multiply":
            return wrap(reductions.running_product(lifted(x), axis))
        raise TraceError(f"np.{self.__name__}.accumulate is not supported")

    def outer(self, x: Any, y: Any) -> Any:
        a, b = lifted(x), lifted(y)
        return wrap(self.run(a.remap((*a.shape, *(UNIT,) * b.ndim), lambda at: at[: a.ndim]), b))

    def __repr__(self) -> str:
        return f"<ufunc '{self.__name__}'>"


def finished(result: Value, out: Any, mask: Any) -> Any:
    """The options out= and where=."""
    if isinstance(out, tuple):
        out = out[0] if out else None
    if mask is not True and mask is not None:
        if out is None:
            raise TraceError("where= without out= leaves entries undefined")
        result = where(lifted(mask), result, lifted(out))
    if out is None:
        return wrap(result)
    if not isinstance(out, SymArray):
        raise TraceError(f"out={type(out).__name__}")
    if out.value.shape != result.shape and broadcast(out.value.shape, result.shape) != out.value.shape:
        raise TraceError(f"out has shape {shape_text(out.value.shape)}, the result {shape_text(result.shape)}")
    out.assign(result)
    return out


class Divmod(Ufunc):
    def call(self, *args: Any, **options: Any) -> Any:
        return NUMPY["floor_divide"](*args), NUMPY["remainder"](*args)


def unary_run(name: str) -> Callable[[Value], Value]:
    return lambda x: unary(name, x)


def register() -> None:
    for name in sorted(UNARY):
        NUMPY[name] = SPECIAL[name] = Ufunc(name, unary_run(name), 1)
    for name, run in BINARY.items():
        NUMPY[name] = SPECIAL[name] = Ufunc(name, run, 2)
    NUMPY["abs"] = NUMPY["absolute"]
    NUMPY["bitwise_not"] = NUMPY["bitwise_invert"] = NUMPY["invert"]
    for short, long in (("asin", "arcsin"), ("acos", "arccos"), ("atan", "arctan"), ("asinh", "arcsinh"),
                        ("acosh", "arccosh"), ("atanh", "arctanh")):  # fmt: skip
        NUMPY[short] = NUMPY[long]
    NUMPY["matmul"] = Ufunc("matmul", matmul, 2)
    NUMPY["divmod"] = Divmod("divmod", outer, 2)


register()


def general(name: str, *args: Any, real: bool = False, **options: Any) -> Any:
    """What SymInt hands over."""
    if name == "ufunc":
        return from_ufunc(*args, **options)
    if name == "function":
        return from_function(*args, **options)
    if name == "dtype":
        return NUMPY["dtype_of"]("int")
    if name == "astype":
        return NUMPY["astype"](SymArray(args[0].value, scalar=True), args[1])
    if real:
        value = lifted(args[0])
        return SymArray(value.cast("real"), scalar=True)
    return NUMPY[name](*args)


def from_ufunc(ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    name = ufunc.__name__
    found = NUMPY.get(name) or SPECIAL.get(name)
    if found is None:
        raise TraceError(f"the function {name} is not supported in traced functions")
    if method == "__call__":
        return found(*inputs, **options)
    return getattr(found, method)(*inputs, **options)


def from_function(func: Any, *args: Any, **options: Any) -> Any:
    found = HANDLERS["counterpart"](func)
    if found is None:
        raise TraceError(f"{func.__module__}.{func.__name__} is not supported in traced functions")
    return found(*args, **options)


HANDLERS["general"] = general
HANDLERS["ufunc"] = from_ufunc
HANDLERS["function"] = from_function
