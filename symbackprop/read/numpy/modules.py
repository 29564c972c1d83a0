"""Stand-ins for the modules numpy, math and scipy, as traced code sees them."""

from __future__ import annotations

import importlib
import math
from types import ModuleType
from typing import Any

import numpy

from symbackprop.core.functions import column

from . import arranging, composed, linalg, moving, picking, products, reductions, ufuncs  # noqa: F401  they fill the tables
from .array import SymArray, wrap
from .context import LINALG, MATH, NUMPY, SPECIAL, WINDOWS, TraceError, Unsupported, refusal
from .drawing import Random, Symbolic, replaced
from .lifting import HANDLERS, SymInt, dtype_kind, lifted, size_number
from .scalars import exp, pi, rounded
from .ufuncs import Selection
from .sequences import SymList
from .values import Value, constant, elementwise, known


def symbolic(x: Any) -> bool:
    """Whether tracing made this, or something inside it."""
    if isinstance(x, SymArray | SymInt | SymList | Selection):
        return True
    if isinstance(x, list | tuple):
        return any(symbolic(y) for y in x)
    if isinstance(x, dict):
        return any(symbolic(y) for y in x.values())
    return False


class StandIn:
    """What stands for a class: to call, and to ask isinstance about."""

    def __init__(self, original: Any) -> None:
        self.original, self.__name__ = original, original.__name__

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)

    def __getitem__(self, item: Any) -> Any:
        return self

    def __or__(self, other: Any) -> Any:
        return self

    __ror__ = __or__

    def __eq__(self, other: object) -> bool:
        return bool(self.original == getattr(other, "original", other))

    def __hash__(self) -> int:
        return hash(self.original)

    def __repr__(self) -> str:
        return repr(self.original)


class Kind(StandIn):
    """A number type: a cast, and a dtype."""

    def __init__(self, original: Any, kind: str) -> None:
        super().__init__(original)
        self.kind = kind

    def __call__(self, *args: Any, **options: Any) -> Any:
        if not args or isinstance(args[0], str):
            return self.original(*args, **options)
        x = args[0]
        python = self.original in (float, int, bool)
        axes = int(getattr(x, "ndim", 0) or 0)
        if python and axes:
            raise TraceError(f"{self.__name__}() of an array")
        if self.kind == "real":
            if not symbolic(x) and not hasattr(x, "shape"):
                return self.original(x) if self.original is float else wrap(lifted(x).cast("real"))
            if axes:  # of an array it is asarray
                return NUMPY["asarray"](x, dtype=self.original)
            if not python:
                dtype_kind(numpy.dtype(self.original))
            value = lifted(x)
            return SymArray(value.cast("real"), scalar=value.ndim == 0)
        if self.kind == "int":
            if not symbolic(x):
                return self.original(x, *args[1:], **options)
            if not python and dtype_kind(numpy.dtype(self.original)) == "narrow":
                raise TraceError(f"np.{self.__name__} of a symbolic value, which may wrap around")
            if axes:
                return NUMPY["asarray"](x, dtype=self.original)
            return x if isinstance(x, SymInt) else whole(x)
        if self.original is bool or not symbolic(x):
            return bool(x)
        return NUMPY["asarray"](x, dtype=bool) if axes else NUMPY["not_equal"](x, 0)


def whole(x: Any) -> Any:
    """int(x)"""
    value = lifted(x)
    number = known(value)
    if number is not None:
        return int(number)
    if value.ndim == 0 and value.dtype != "real":
        return wrap(value.cast("int"))
    size = rounded("int", value)
    if size is None:
        raise TraceError("int() of a number that depends on the data")
    return size_number(size)


REALS = "float64 float32 float16 longdouble double single half float_ floating".split()
INTEGERS = "int64 int32 int16 int8 uint8 uint16 uint32 uint64 intp int_ integer".split()
NUMBER_KINDS = {
    **dict.fromkeys(REALS, "real"),
    **dict.fromkeys(INTEGERS, "int"),
    **dict.fromkeys(("bool_", "bool"), "bool"),
}
PLAIN = frozenset({
    "newaxis", "errstate", "seterr", "ndarray", "generic", "number", "ufunc", "inexact", "geterr", "testing", "typing",
    "printoptions", "set_printoptions",
})  # fmt: skip
OF_TYPES = ("finfo", "iinfo", "dtype", "result_type", "issubdtype", "promote_types", "can_cast")
SUBMODULES = {
    "numpy.linalg": LINALG,
    "numpy.lib.stride_tricks": WINDOWS,
    "scipy.special": SPECIAL,
    "scipy.linalg": {**LINALG},
}
REFUSED_MODULES = ("numpy.fft", "numpy.ma")
ALIKE = {"autograd.numpy": "numpy", "jax.numpy": "numpy", "autograd.numpy.linalg": "numpy.linalg",
         "jax.numpy.linalg": "numpy.linalg", "autograd.scipy.special": "scipy.special",
         "jax.scipy.special": "scipy.special", "numpy.linalg._linalg": "numpy.linalg"}  # fmt: skip


class OfTypes:
    """A function of number types, or a class made of them: stand-ins of types are the types themselves."""

    def __init__(self, original: Any) -> None:
        self.original = original

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.original(*(a.original if isinstance(a, Kind) else a for a in args), **options)


class Module:
    """A module whose supported functions are ours; other functions run only on plain values."""

    def __init__(self, name: str, table: dict[str, Any]) -> None:
        self._name, self._table = name, table
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self._table:
            return self._table[name]
        if self._name in ("numpy", "math") and name in CONSTANTS:
            return CONSTANTS[name]()
        full = f"{self._name}.{name}"
        if full in MODULES:
            return MODULES[full]
        if full in REFUSED_MODULES:
            raise TraceError(f"{full} is not supported in traced functions")
        try:
            module = importlib.import_module(self._name)
        except ImportError:
            raise Unsupported(f"{full} is not supported in traced functions") from None
        if self._name == "numpy" and name in NUMBER_KINDS:
            return Kind(getattr(module, name), NUMBER_KINDS[name])
        try:
            found = getattr(module, name)
        except AttributeError:
            try:
                found = importlib.import_module(full)
            except ImportError:
                raise Unsupported(f"the module {self._name} has no {name}") from None
        if name in OF_TYPES:
            return OfTypes(found)
        if name in PLAIN or (not callable(found) and not isinstance(found, ModuleType)):
            return found
        if isinstance(found, ModuleType):
            return stand_in(found) or found
        return guarded(found, full)

    def __repr__(self) -> str:
        return f"<module {self._name!r}, traced>"


def guarded(function: Any, name: str) -> Any:
    """A function that is not supported on symbolic values."""

    def run(*args: Any, **options: Any) -> Any:
        if any(symbolic(a) for a in args) or any(symbolic(v) for v in options.values()):
            raise TraceError(f"{name} is not supported in traced functions")
        return function(*args, **options)

    run.__name__ = getattr(function, "__name__", name)
    return run


CONSTANTS: dict[str, Any] = {
    "pi": lambda: SymArray(Value((), "real", lambda at: pi()), scalar=True),
    "tau": lambda: CONSTANTS["pi"]() * 2,
    "e": lambda: SymArray(elementwise(exp, constant(1)), scalar=True),
    "inf": lambda: math.inf,
    "Inf": lambda: math.inf,
    "infty": lambda: math.inf,
    "NINF": lambda: -math.inf,
    "nan": refusal("nan has no index term"),
    "NaN": refusal("nan has no index term"),
    "newaxis": lambda: None,
    "euler_gamma": lambda: SymArray(lifted(0.5772156649015329), scalar=True),
}


# --- math ------------------------------------------------------------------------------------


def mathematical(name: str, numpy_name: str) -> Any:
    def function(*args: Any) -> Any:
        for a in args:
            if not isinstance(a, float) and lifted(a).ndim:
                raise TraceError(f"math.{name} of an array: use np.{numpy_name}")
        return (NUMPY.get(numpy_name) or SPECIAL[numpy_name])(*args)

    function.__name__ = name
    return function


def logarithm(x: Any, base: Any = None) -> Any:
    top = mathematical("log", "log")(x)
    return top if base is None else top / mathematical("log", "log")(base)


def rounded_to(name: str) -> Any:
    def function(x: Any) -> Any:
        if not symbolic(x):
            return getattr(math, name)(x)
        size = x if isinstance(x, SymInt) else rounded(name, lifted(x))
        if size is None:
            raise TraceError(f"math.{name} of a number that is not known")
        return size if isinstance(size, SymInt) else size_number(size)

    return function


SAME_NAME = """exp2 expm1 log2 log10 log1p sqrt cbrt tan asin acos asinh acosh atanh fabs hypot erfc radians degrees
isnan isinf isfinite""".split()
MATH.update({
    **{name: mathematical(name, name) for name in (*SAME_NAME, *column(lambda f: f.math).values())},
    **{name: mathematical(name, theirs) for name, theirs in
       (("atan2", "arctan2"), ("pow", "float_power"), ("lgamma", "gammaln"))},
    **{name: rounded_to(name) for name in ("floor", "ceil", "trunc")},
    "log": logarithm,
    "prod": lambda xs, start=1: NUMPY["prod"](list(xs)) * start,
    "fsum": lambda xs: HANDLERS["sum"](xs),
})  # fmt: skip


class Normal:
    """scipy.stats.norm"""

    def cdf(self, x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        return SPECIAL["ndtr"]((x - loc) / scale if loc != 0 or scale != 1 else x)

    def logpdf(self, x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        z = (x - loc) / scale
        return -(z * z) / 2 - NUMPY["log"](scale) - NUMPY["log"](2 * CONSTANTS["pi"]()) / 2

    def pdf(self, x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        z = (x - loc) / scale
        return NUMPY["exp"](-(z * z) / 2) / (NUMPY["sqrt"](2 * CONSTANTS["pi"]()) * scale)


SIGNAL: dict[str, Any] = {
    **dict.fromkeys(("convolve", "fftconvolve"),
                    lambda a, b, mode="full", method="auto": NUMPY["convolve"](a, b, mode)),
    "correlate": lambda a, b, mode="full", method="auto": NUMPY["correlate"](a, b, mode),
}  # fmt: skip
MODULES: dict[str, Any] = {
    "numpy": Module("numpy", NUMPY),
    "math": Module("math", MATH),
    "scipy": Module("scipy", {}),
    "scipy.signal": Module("scipy.signal", SIGNAL),
    "scipy.stats": Module("scipy.stats", {"norm": Normal()}),
    "numpy.lib": Module("numpy.lib", {}),
    **{name: Module(name, table) for name, table in SUBMODULES.items()},
}
RANDOM = MODULES["numpy.random"] = Random(Symbolic(), MODULES["numpy"])
BEHIND = ("numpy", "scipy", "math")


def stand_in(module: ModuleType) -> Any:
    """Our module for a real one, or None for modules that are not of numpy, scipy or math."""
    name = ALIKE.get(module.__name__, module.__name__)
    if name in MODULES:
        return MODULES[name]
    if name.split(".")[0] in BEHIND or name in ("autograd", "jax"):
        return MODULES.setdefault(name, Module(name, {}))
    return None


def counterpart(function: Any) -> Any:
    """Our function for one of numpy's, scipy's or math's, found by module and name."""
    drawing = replaced(function, RANDOM)
    if drawing is not None:
        return drawing
    name = getattr(function, "__name__", None)
    if name is None:
        return None
    home = str(getattr(function, "__module__", None) or "numpy")
    home = ALIKE.get(home, home)
    if home.startswith("numpy.random"):
        return getattr(RANDOM, name)
    if type(function).__name__ == "ufunc":
        home = "scipy.special"
    tables = next((tables for prefix, tables in TABLES if home.startswith(prefix)), ())
    return next((table[name] for table in tables if name in table), None)


TABLES: tuple[tuple[str, tuple[dict[str, Any], ...]], ...] = (  # by where a function says that it is from
    ("scipy.special", (NUMPY, SPECIAL)),
    ("numpy.linalg", (LINALG,)),
    ("scipy.linalg", (LINALG,)),
    ("math", (MATH,)),
    ("scipy.signal", (SIGNAL,)),
    ("autograd", (SPECIAL, NUMPY, LINALG)),
    ("jax", (SPECIAL, NUMPY, LINALG)),
    ("numpy", (NUMPY, WINDOWS, LINALG)),
)
HANDLERS["counterpart"] = counterpart
HANDLERS["numpy"] = MODULES["numpy"]
