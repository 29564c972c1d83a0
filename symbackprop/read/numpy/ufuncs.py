"""NumPy's universal functions as callables with .at, .reduce, .accumulate and .outer, also on x[mask]: the entries
where a mask holds.  Their number depends on the data: what needs it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from symbackprop.core.terms import dummy

from . import reductions
from .array import SymArray, finished, wrap
from .axes import UNIT, shape_text
from .context import (
    LINALG, NUMPY, SPECIAL, SUPPORTED, ShapeMismatch, Supported, TraceError, current, dropped, noted, original,
)  # fmt: skip
from .creation import computed_in
from .elementwise import BINARY, UNARY, multiply, unary
from .indexing import mask_in, planned
from .layout import expand
from .lifting import HANDLERS, lifted
from .products import matmul
from .steps import truth
from .values import Value, elementwise
from .writing import write


class Selection:
    """`whole` has an entry for each entry of the array; the mask says which of them are there."""

    __slots__ = ("mask", "whole")
    __array_priority__ = 4000

    def __init__(self, whole: Value, mask: Value) -> None:
        self.whole, self.mask = whole, mask

    def sum(self, axis: Any = None, **_: Any) -> Any:
        return wrap(reductions.add_up(multiply(self.weights(axis), self.whole)))

    def mean(self, axis: Any = None, **_: Any) -> Any:
        return NUMPY["divide"](self.sum(axis), wrap(reductions.add_up(self.weights(axis))))

    def weights(self, axis: Any) -> Value:
        if axis not in (None, 0) or (axis == 0 and self.whole.ndim != self.mask.ndim):
            raise TraceError("a reduction of x[mask] along an axis")
        wide = expand(self.mask, range(self.mask.ndim, self.whole.ndim))
        return elementwise(lambda m, _: m, wide, self.whole, dtype="bool").cast("int")

    @property
    def size(self) -> Any:
        return wrap(reductions.add_up(self.weights(None)))

    @property
    def shape(self) -> Any:
        raise TraceError("the shape of x[mask] depends on the data: multiply by the mask instead")

    def __neg__(self) -> Any:
        return NUMPY["negative"](self)

    def copy(self) -> Selection:
        return self

    def __getitem__(self, key: Any) -> Any:
        raise TraceError("an entry of x[mask] depends on the data: multiply by the mask instead")

    __iter__ = __getitem__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return HANDLERS["ufunc"](ufunc, method, *inputs, **options)


def operator(name: str, swap: bool = False) -> Any:
    return lambda self, other: NUMPY[name](other, self) if swap else NUMPY[name](self, other)


for symbol, name in (("add", "add"), ("sub", "subtract"), ("mul", "multiply"), ("truediv", "divide"), ("pow", "power")):
    setattr(Selection, f"__{symbol}__", operator(name))
    setattr(Selection, f"__r{symbol}__", operator(name, True))
for symbol, name in (("lt", "less"), ("le", "less_equal"), ("gt", "greater"), ("ge", "greater_equal")):
    setattr(Selection, f"__{symbol}__", operator(name))


def selected_operands(ufunc: Any, args: tuple[Any, ...]) -> Selection:
    """The function on selections of one mask and on numbers."""
    masks = [a.mask for a in args if isinstance(a, Selection)]
    wholes = []
    for a in args:
        if isinstance(a, Selection):
            same_mask(a.mask, masks[0])
            wholes.append(a.whole)
        else:
            value = lifted(a)
            if value.ndim:
                raise TraceError("x[mask] meets an array: select from both with the same mask, or multiply by the mask")
            wholes.append(value)
    return Selection(ufunc.run(*wholes), masks[0])


def same_mask(a: Value, b: Value) -> None:
    if a is b:
        return
    at = tuple(dummy(s) for s in a.shape)
    if a.shape != b.shape or a.term(at) != b.term(at):
        raise TraceError("two selections with different masks meet")


def selected(x: SymArray, mask: Value) -> Selection:
    v = x.value
    if mask.ndim > v.ndim or mask.shape != v.shape[: mask.ndim]:
        raise ShapeMismatch(f"a mask of shape {shape_text(mask.shape)} on an array of shape {shape_text(v.shape)}")
    return Selection(v, truth(mask))


def unselected(new: Any, mask: Value) -> Value | None:
    """The array behind a selection that is written back with the same mask."""
    if not isinstance(new, Selection):
        return None
    same_mask(new.mask, mask)
    return new.whole


HANDLERS["selected"] = selected
HANDLERS["unselected"] = unselected


REDUCTIONS = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "fmax": "nanmax",
    "minimum": "min",
    "fmin": "nanmin",
    "logical_or": "any",
    "logical_and": "all",
}
WHOLE = "whole numbers"
EXACT = "whole numbers, where the division can be read off for all sizes"
NO_NAN = "what may be nan (a logarithm, a root, a quotient) is refused"
POWER = "a whole exponent is exact for every base; other exponents that are not constant need a base x > 0"
RESTRICTED = {
    **dict.fromkeys(("floor", "ceil", "rint", "trunc"), WHOLE),
    **dict.fromkeys(("floor_divide", "remainder", "mod"), EXACT),
    **dict.fromkeys(("isnan", "isinf", "isfinite", "isposinf", "isneginf", "fmax", "fmin"), NO_NAN),
    **dict.fromkeys(("power", "pow", "float_power"), POWER),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "invert"), "booleans"),
    "reciprocal": "floats",
    "sinc": "no value at 0",
    "arctan2": "no value where y = 0 and x <= 0",
    "entr": "no value at 0",
    "xlogy": "no value at y = 0",
    "xlog1py": "no value at y = -1",
    **dict.fromkeys(("rel_entr", "kl_div"), "no value at x = 0"),
    **dict.fromkeys(("negative", "sign", "square"), "not booleans"),
}


def in_order(args: tuple[Any, ...], ndim: int) -> bool:
    """Whether NumPy lays the result out in row-major order: the operands of full rank lie so."""
    arrays = [a for a in args if isinstance(a, SymArray) and a.ndim == ndim]
    return bool(arrays) and all(a._straight for a in arrays)


class Ufunc:
    """One function of entries, by name."""

    def __init__(self, name: str, run: Callable[..., Value], inputs: int) -> None:
        self.__name__, self.run, self.nin = name, run, inputs

    def __call__(self, *args: Any, **options: Any) -> Any:
        recorder = current().recorder
        if recorder is None:
            return self.call(*args, **options)
        return recorder.call(self.__name__, self.call, args, options)

    def call(self, *args: Any, out: Any = None, where: Any = True, dtype: Any = None, **options: Any) -> Any:
        for key, value in options.items():
            dropped("numpy", self.__name__, key, value)
        if len(args) > self.nin:
            out = args[self.nin]
        args = args[: self.nin]
        if len(args) < self.nin:
            raise TypeError(f"{self.__name__}() takes {self.nin} positional arguments but {len(args)} were given")
        if any(isinstance(a, Selection) for a in args):
            return selected_operands(self, args)
        values = [computed_in(lifted(a), dtype, self.__name__) for a in args]
        found = finished(self.run(*values), out, where)
        if out is None and isinstance(found, SymArray):
            found._straight = found._straight or in_order(args, found.ndim)
        return found

    def at(self, target: Any, key: Any, values: Any = None) -> None:
        noted(f"{self.__name__}.at")(self.accumulated)(target, key, values)

    def accumulated(self, target: Any, key: Any, values: Any = None) -> None:
        """Unbuffered in-place operation: repeated indices count repeatedly."""
        if not isinstance(target, SymArray):
            raise TraceError(f"np.{self.__name__}.at needs an array, not {type(target).__name__}")
        if mask_in(key, target.value.shape) is not None:
            raise TraceError(f"np.{self.__name__}.at with a mask")
        p = planned(key, target.value.shape)
        new = lifted(values) if values is not None else None
        if self.__name__ in ("add", "subtract") and new is not None:
            change = new if self.__name__ == "add" else unary("negative", new)
            target.replace(write(target.value, p, change, accumulate=True))
            return
        raise TraceError(f"np.{self.__name__}.at is not supported; np.add.at is")

    def reduce(
        self, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None,
        where: Any = True,
    ) -> Any:  # fmt: skip
        function = REDUCTIONS.get(self.__name__)
        if function is None:
            raise TraceError(f"np.{self.__name__}.reduce is not supported")
        given = {"dtype": dtype, "out": out, "initial": initial}
        more = {k: v for k, v in given.items() if v is not None} | ({} if where is True else {"where": where})
        return NUMPY[function](x, axis=axis, keepdims=keepdims, **more)

    def accumulate(self, x: Any, axis: int = 0) -> Any:
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


class Divmod(Ufunc):
    def call(self, *args: Any, **options: Any) -> Any:
        return NUMPY["floor_divide"](*args), NUMPY["remainder"](*args)


def one_operand(x: Any, out: Any = None, where: Any = True, dtype: Any = None) -> Any: ...
def two_operands(x1: Any, x2: Any, out: Any = None, where: Any = True, dtype: Any = None) -> Any: ...


def register() -> None:
    for name in sorted(UNARY):
        listed(Ufunc(name, partial(unary, name), 1), one_operand)
    for name, run in BINARY.items():
        listed(Ufunc(name, run, 2), two_operands)
    NUMPY["abs"] = NUMPY["absolute"]
    NUMPY["bitwise_not"] = NUMPY["bitwise_invert"] = NUMPY["invert"]
    for short, long in (("asin", "arcsin"), ("acos", "arccos"), ("atan", "arctan"), ("asinh", "arcsinh"),
                        ("acosh", "arccosh"), ("atanh", "arctanh")):  # fmt: skip
        NUMPY[short] = NUMPY[long]
    NUMPY["matmul"] = LINALG["matmul"] = Ufunc("matmul", matmul, 2)
    NUMPY["divmod"] = Divmod("divmod", matmul, 2)


def listed(ufunc: Ufunc, like: Any) -> None:
    """A function under its name in NumPy and scipy.special, and in the table of what is read."""
    name = ufunc.__name__
    NUMPY[name] = SPECIAL[name] = ufunc
    home = next((h for h in ("numpy", "scipy.special") if original(h, name) is not None), "")
    SUPPORTED[home, name] = Supported(home, name, like, False, RESTRICTED.get(name, ""), {"where": "with out"})


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
        return NUMPY["astype"](SymArray(args[0].value, scalar=True), args[1], **options)
    if real:
        value = lifted(args[0])
        return SymArray(value.cast("real"), scalar=True)
    return NUMPY[name](*args, **options)


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
