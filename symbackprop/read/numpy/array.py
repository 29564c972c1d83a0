"""The array that a traced function computes with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy

from symbackprop.clock import check_time
from symbackprop.core.terms import IndexExpr, Num, arrays, free, sized

from .axes import broadcast, index_of, shape_text
from .context import METHODS, NUMPY, ShapeMismatch, TraceError, Unsupported, current, noted
from .elementwise import where
from .indexing import Plan, items_of, mask_behind, mask_in, planned, read
from .layout import expand, reshape, size_product, transpose
from .lifting import HANDLERS, lifted, operators, printed, size_number, unary, whole_number
from .elementwise import masking
from .values import ORDER, Value, stretched
from .writing import write

Get = Callable[[Value], Value]
Put = Callable[[Value, Value], Value]


class SymArray:
    """An array with symbolic shape.  Writing replaces the immutable value of the array that owns the memory; a view
    reads through its parent and writes through it.  `scalar` marks what NumPy gives as a number, not as an array."""

    __slots__ = ("__weakref__", "_get", "_loose", "_parent", "_plan", "_put", "_seen", "_straight", "_unsure", "_value",
                 "birth", "scalar")  # fmt: skip
    __array_priority__ = 3000

    def __init__(
        self,
        value: Value,
        parent: SymArray | None = None,
        get: Get | None = None,
        put: Put | None = None,
        scalar: bool = False,
    ) -> None:
        self._value, self._parent, self._get, self._put, self.scalar = value, parent, get, put, scalar
        self._plan: Plan | None = None
        self._straight = parent is None and value.ndim < 2  # in row-major order without gaps, as far as known
        self._loose = False  # NumPy may have copied here: after a write to one side the other must not be read
        self._unsure = False  # such a write has happened
        self._seen = parent.value if parent is not None else None
        check_time()
        state = current()
        state.serial += 1
        self.birth = state.serial

    @property
    def value(self) -> Value:
        if self._unsure:
            raise TraceError("an array is read after a write to its reshape, which may be a view or a copy: copy first")
        if self._parent is not None and self._get is not None:
            now = self._parent.value
            if now is not self._seen:
                if self._loose:
                    raise TraceError("an array is written after a reshape that may be a view or a copy: copy first")
                self._seen, self._value = now, self._get(now)
        return self._value

    def replace(self, value: Value) -> None:
        """Other entries, of the same shape."""
        if self.scalar:
            raise TraceError("a NumPy number is written to, which changes nothing or raises")
        if self._parent is None:
            current().journal.append((self, self._value))
            self._value = value
        elif self._loose:
            self.detach(value)
        elif self._put is None:
            raise TraceError("this view cannot be written to: copy it first")
        else:
            self._parent.replace(self._put(self._parent.value, value))

    def detach(self, value: Value) -> None:
        """A write to what may be a view or a copy: nothing that shares its memory may be read from now on."""
        if current().loops:
            raise TraceError("a reshaped array is written in a loop, which may be a view or a copy: copy first")
        owner = self._parent
        while owner is not None:
            owner._unsure, owner = True, owner._parent
        self._parent, self._value, self._loose = None, value, False

    def assign(self, new: Value) -> None:
        """The in-place operators and x[...] = new."""
        old = self.value
        if ORDER[old.dtype] < ORDER[new.dtype]:
            raise TraceError(f"{new.dtype} numbers are written into an array of {old.dtype}, which cuts them")
        wide = stretched(new, old.shape)
        self.replace(masking(wide.cast(old.dtype)))

    # what NumPy code asks
    @property
    def shape(self) -> tuple[Any, ...]:
        return tuple(size_number(s) for s in self._value.shape)

    @property
    def ndim(self) -> int:
        return len(self._value.shape)

    @property
    def size(self) -> Any:
        return size_number(size_product(self._value.shape))

    @property
    def dtype(self) -> Any:
        return NUMPY["dtype_of"](self._value.dtype)

    @property
    def nbytes(self) -> Any:
        return 8 * self.size

    @property
    @noted("T")
    def T(self) -> SymArray:
        return self.view(transpose, lambda old, new: transpose(new))

    @property
    def mT(self) -> Any:
        return NUMPY["swapaxes"](self, -1, -2)

    @property
    def at(self) -> Updates:
        return Updates(self)

    @property
    def real(self) -> SymArray:
        return self

    @property
    def flat(self) -> Any:
        """Always written through, whatever the memory order is."""
        return self.view(lambda v: reshape(v, [None]), lambda old, new: reshape(new, old.shape))

    def view(self, get: Get, put: Put | None) -> SymArray:
        if self.scalar:  # NumPy's numbers share nothing, but some functions give arrays without axes instead
            return SymArray(get(self.value), self, get, None, scalar=not get(self.value).ndim)
        return SymArray(get(self.value), self, get, put)

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            function = NUMPY[METHODS[name]]
            return lambda *args, **options: function(self, *args, **options)
        message = f"the array method .{name} is not supported in traced functions"
        raise TraceError(message) if hasattr(numpy.ndarray, name) else Unsupported(message)

    # indexing
    @noted("getitem")
    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            raise TraceError(f"an array is indexed with {key!r}")
        mask = mask_in(key, self._value.shape)
        if mask is not None:
            return HANDLERS["selected"](self, mask)
        p = planned(key, self._value.shape)
        if not p.basic:
            if p.spread or not p.result:
                return wrap(read(self.value, p))
            result = self.view(lambda v: read(v, p), None)
            result._loose = True  # numbers that depend on the data: NumPy gives a view, of 0-d arrays a copy
            return result
        result = self.view(lambda v: read(v, p), lambda v, new: write(v, p, new))
        result._plan, result._straight = p, self._straight and p.leading
        if not p.result and not any(i is Ellipsis for i in items_of(key)):
            return wrap(result.value)
        return result

    @noted("setitem")
    def __setitem__(self, key: Any, new: Any) -> None:
        mask, before = mask_behind(key, self._value.shape)
        if mask is not None:
            self.replace(masked_write(self.value, mask, new, before))
            return
        p = planned(key, self._value.shape)
        if isinstance(new, SymArray) and new._parent is self and new._plan == p:
            return  # x[key] = x[key], the end of an in-place operator on a view
        self.replace(write(self.value, p, lifted(new)))

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TraceError("iteration over a number")
        n = self._value.shape[0].constant
        if n is None:
            iterate: Iterator[Any] = HANDLERS["iterate"](self)
            return iterate
        return iter([self[k] for k in range(n)])

    def __len__(self) -> int:
        n = self.length
        if not isinstance(n, int):
            raise TraceError(f"len() of an axis of {n} entries was asked by code that needs a plain number")
        return n

    @property
    def length(self) -> Any:
        if self.ndim == 0:
            raise TypeError("len() of unsized object")
        return size_number(self._value.shape[0])

    def __contains__(self, item: Any) -> bool:
        raise TraceError("'in' on an array depends on the data")

    # numbers
    def known(self) -> Any:
        """The entry of an array of one entry, when it is a plain number."""
        v = self.value
        if any(s != sized(1) for s in v.shape):
            raise TraceError(f"an array of shape {shape_text(v.shape)} is used as one number")
        at: tuple[IndexExpr, ...] = (index_of(0),) * v.ndim
        t = v.term(at)
        if not isinstance(t, Num) or (v.holes and not v.soft):
            return None
        return int(t.value) if t.value.denominator == 1 and v.dtype != "real" else t.value

    def __bool__(self) -> bool:
        single = all(s == sized(1) for s in self.value.shape)
        known = self.known() if single else None
        if known is None and single and current().branches is not None and not current().loops:
            decided: bool = current().branches.decide(self)
            return decided
        if known is None and single:
            for loop in current().loops:
                loop.split_where(self.value.term((index_of(0),) * self.ndim))
        if known is None:
            raise TraceError(
                f"a condition depends on {self.subject()}: use np.where or a product with the mask; in hypotheses "
                "write a list such as [0 < p, p < 1] instead of 'and' or 0 < p < 1"
            )
        return bool(known)

    def subject(self) -> str:
        """What the entry of an array of one entry depends on."""
        if self.ndim and self.value.shape != (sized(1),) * self.ndim:
            return "a whole array"
        t = self.value.term((index_of(0),) * self.ndim)
        if arrays(t):
            return "the data"
        return "a loop index or an integer of the data" if free(t) else "the sizes"

    def __int__(self) -> int:
        known = self.known()
        if known is None:
            raise TraceError("int() of a number that depends on the data or the sizes")
        return int(known)

    def __index__(self) -> int:
        if self._value.dtype == "real":
            raise TraceError("a real number is used as an index")
        return int(self)

    def __float__(self) -> float:
        known = self.known()
        if known is None:
            raise TraceError("float() of a number that depends on the data, asked by code that is not traced")
        return float(known)

    def __symbackprop_index__(self) -> IndexExpr | None:
        v = self.value
        return v.index(()) if v.ndim == 0 and v.dtype == "int" else None

    def __copy__(self) -> SymArray:
        return SymArray(self.value, scalar=self.scalar)

    def __deepcopy__(self, memo: Any) -> SymArray:
        return self.__copy__()

    def __array_namespace__(self, **_: Any) -> Any:
        """The array API standard: code that asks its arrays for their module."""
        return HANDLERS["numpy"]

    def __hash__(self) -> int:
        raise TraceError("a number or an array that depends on the data is a key of a dict or a set")

    def __repr__(self) -> str:
        return printed(f"<array of shape {shape_text(self._value.shape)}>")

    __add__, __radd__, __iadd__ = operators("add")
    __sub__, __rsub__, __isub__ = operators("subtract")
    __mul__, __rmul__, __imul__ = operators("multiply")
    __truediv__, __rtruediv__, __itruediv__ = operators("divide")
    __floordiv__, __rfloordiv__, __ifloordiv__ = operators("floor_divide")
    __mod__, __rmod__, __imod__ = operators("remainder")
    __pow__, __rpow__, __ipow__ = operators("power")
    __matmul__, __rmatmul__, __imatmul__ = operators("matmul")
    __and__, __rand__, __iand__ = operators("bitwise_and")
    __or__, __ror__, __ior__ = operators("bitwise_or")
    __xor__, __rxor__, __ixor__ = operators("bitwise_xor")
    __divmod__, __rdivmod__ = operators("divmod")[:2]
    __lt__, __le__, __gt__ = (operators(name)[0] for name in ("less", "less_equal", "greater"))
    __ge__, __eq__, __ne__ = (operators(name)[0] for name in ("greater_equal", "equal", "not_equal"))
    __neg__, __pos__, __abs__, __invert__ = unary("negative"), unary("positive"), unary("absolute"), unary("invert")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return HANDLERS["ufunc"](ufunc, method, *inputs, **options)

    def __array_function__(self, func: Any, types: Any, args: Any, options: Any) -> Any:
        return HANDLERS["function"](func, *args, **options)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TraceError("a symbolic array reached NumPy code that is not traced")


class Updates:
    """JAX's x.at[key].set(new) and .add(new): a changed copy."""

    def __init__(self, array: SymArray, key: Any = None) -> None:
        self.array, self.key = array, key

    def __getitem__(self, key: Any) -> Updates:
        return Updates(self.array, key)

    def set(self, new: Any) -> SymArray:
        result = SymArray(self.array.value)
        result[self.key] = new
        return result

    def add(self, new: Any) -> SymArray:
        result = SymArray(self.array.value)
        NUMPY["add"].at(result, self.key, new)
        return result

    def multiply(self, new: Any) -> SymArray:
        return self.set(self.array[self.key] * new)

    def get(self) -> Any:
        return self.array[self.key]


def masked_write(v: Value, mask: Value, new: Any, before: int) -> Value:
    """x[mask] = new, for a number, an array that broadcasts, or a selection with the same mask.

    Where axes stand before the mask, for a number only.
    """
    after = before + mask.ndim
    if after > v.ndim or mask.shape != v.shape[before:after]:
        raise ShapeMismatch(f"a mask of shape {shape_text(mask.shape)} on an array of shape {shape_text(v.shape)}")
    wide = expand(mask, [*range(before), *range(after, v.ndim)]) if mask.ndim < v.ndim else mask
    picked = HANDLERS["unselected"](new, mask) if not before else None
    if picked is None:
        picked = lifted(new)
        if picked.ndim > (v.ndim - mask.ndim if not before else 0):
            raise TraceError("an array is written through a mask: its length depends on the data; use np.where")
    if ORDER[v.dtype] < ORDER[picked.dtype]:
        raise TraceError(
            f"{picked.dtype} numbers are written into an array of {v.dtype}, which cuts them: make it float"
        )
    return stretched(where(wide, picked, v), v.shape).cast(v.dtype)


def wrap(value: Value) -> Any:
    """What NumPy would give: whole numbers with an index expression are numbers, other results without axes scalars."""
    if value.ndim == 0:
        if value.dtype == "int" and value.origin is None:
            e = value.index(())
            if e is not None:
                return whole_number(e)
        return SymArray(value, scalar=True)
    return SymArray(value)


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
