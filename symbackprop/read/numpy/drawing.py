"""Random numbers: each draw is an array of its own, about which nothing is known.

Which array a draw is, says its place among the draws of the run.  So where forward and backward are one run, what the
backward draws is another array than what the forward drew, and a second run draws the same arrays again.  A generator
that is seeded with a number draws what the same number gave before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from symbackprop.core.terms import Size, sized
from symbackprop.read.numpy.axes import Declared

from .array import wrap
from .context import TraceError, current
from .lifting import HANDLERS, expression, length_of, size_of
from .values import Value

ALONE = (
    "numpy.random is not supported in traced functions that stand alone: what forward and backward draw are two draws. "
    "Give them as a layer (check_layer) or with a cache, so that they are one run"
)


class Draws:
    """The arrays that were drawn, by name, and how many by each stream since the run began."""

    def __init__(self) -> None:
        self.declared: dict[str, Declared] = {}
        self.values: dict[str, Value] = {}
        self.restart()

    def restart(self) -> None:
        """A second run begins: it draws the same again."""
        self.counts: dict[str, int] = {}
        self.seeded = ""

    def seed(self, number: Any) -> str:
        stream = f"seed{number}_" if isinstance(number, int) else ""
        self.counts[stream] = 0 if stream else self.counts.get(stream, 0)
        return stream

    def name(self, stream: str) -> str:
        self.counts[stream] = self.counts.get(stream, 0) + 1
        return f"random{stream}{self.counts[stream]}"


class Engine(Protocol):
    """Where draws come from: `draws` counts them, `array` gives one."""

    @property
    def draws(self) -> Draws: ...

    def array(self, name: str, size: Any, values: Any) -> Any: ...


class Symbolic:
    """Symbolic arrays, in runs that may draw."""

    @property
    def draws(self) -> Draws:
        if current().draws is None:
            raise TraceError(ALONE)
        if current().loops:
            raise TraceError("random numbers are drawn in a loop of symbolic length")
        return current().draws  # type: ignore[no-any-return]

    def array(self, name: str, size: Any, values: Any) -> Any:
        draws = self.draws
        declared = Declared(shape_of(size), None if values is None else size_of(values, "the number of choices"))
        if name in current().names:
            raise TraceError(f"an argument is called {name!r}, as are random numbers: give it another name")
        if draws.declared.setdefault(name, declared) != declared:
            raise TraceError("random numbers are drawn in another order, or shape, than in the run before")
        if name not in draws.values:
            draws.values[name] = HANDLERS["symbol"](name, declared).value
        return wrap(draws.values[name])


class Supplied:
    """The arrays of a point, for runs of the functions themselves."""

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self.arrays, self.draws = arrays, Draws()

    def array(self, name: str, size: Any, values: Any) -> Any:
        return self.arrays[name].copy() if hasattr(self.arrays[name], "copy") else self.arrays[name]


def shape_of(size: Any) -> tuple[Size, ...]:
    if size is None:
        return ()
    sizes = size if isinstance(size, tuple | list) else (size,)
    return tuple(sized(1) * length_of(n, "a random array") for n in sizes)


class Random:
    """numpy.random, and its generators; `numpy` is the module that arrays are computed with."""

    def __init__(self, engine: Engine, numpy: Any, stream: str | None = None) -> None:
        self._engine, self._numpy, self._stream = engine, numpy, stream

    def _draw(self, size: Any, values: Any = None) -> Any:
        draws = self._engine.draws
        return self._engine.array(draws.name(draws.seeded if self._stream is None else self._stream), size, values)

    def random(self, size: Any = None, dtype: Any = None, out: Any = None) -> Any:
        if out is not None:
            raise TraceError("random numbers with out= are not modelled")
        return self._draw(size)

    random_sample = ranf = sample = standard_normal = standard_exponential = random

    def rand(self, *shape: Any) -> Any:
        return self._draw(shape)

    randn = rand

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        return low + (high - low) * self._draw(size_of_result(size, low, high))

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        noise = self._draw(size_of_result(size, loc, scale)) * scale
        return noise if isinstance(loc, int | float) and loc == 0 else loc + noise

    gumbel = laplace = logistic = normal

    def exponential(self, scale: Any = 1.0, size: Any = None) -> Any:
        return self._draw(size_of_result(size, scale)) * scale

    def binomial(self, n: Any, p: Any, size: Any = None) -> Any:
        if expression(n) != expression(1):
            raise TraceError("np.random.binomial of more than one trial is not modelled")
        return self._numpy.asarray(self._draw(size_of_result(size, p)) < p).astype(int)

    def randint(self, low: Any, high: Any = None, size: Any = None, dtype: Any = int, endpoint: bool = False) -> Any:
        first, last = (0, low) if high is None else (low, high)
        whole = self._draw(size, last - first + endpoint)
        return whole if expression(first) == expression(0) else whole + first

    integers = randint

    def choice(self, a: Any, size: Any = None, replace: bool = True, p: Any = None, axis: int = 0) -> Any:
        if not replace:
            raise TraceError("np.random.choice without replacement is not modelled")
        if expression(a) is not None:
            return self.randint(a, size=size)
        if len(a) == 2:
            return self._numpy.where(self._draw(size) > 0, a[0], a[1])
        return self._numpy.asarray(a)[self.randint(len(a), size=size)]

    def seed(self, number: Any = None) -> None:
        self._engine.draws.seeded = self._engine.draws.seed(number)

    def default_rng(self, seed: Any = None) -> Random:
        return seed if isinstance(seed, Random) else Random(self._engine, self._numpy, self._engine.draws.seed(seed))

    RandomState = default_rng

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise TraceError(f"np.random.{name} is not modelled")


def size_of_result(size: Any, *parameters: Any) -> Any:
    """The shape of the result; without one asked for, that of the parameters together."""
    if size is not None:
        return size
    return getattr(sum(parameters), "shape", ()) if any(hasattr(p, "shape") for p in parameters) else None


def generator(x: Any) -> str | None:
    """The name of the method for a bound method of one of NumPy's generators ("" for the generator itself)."""
    owner = getattr(x, "__self__", x)
    if type(owner).__name__ in ("RandomState", "Generator") and type(owner).__module__.startswith("numpy.random"):
        return "" if owner is x else str(x.__name__)
    return None


def replaced(x: Any, random: Random) -> Callable[..., Any] | Random | None:
    """Our generator, or its method, in place of NumPy's; None for what is neither."""
    name = generator(x)
    if name is None:
        return None
    return getattr(random, name) if name else random


def restarted() -> None:
    """The run that begins may draw, and draws what the run before it drew."""
    state = current()
    state.draws = state.draws or Draws()
    state.draws.restart()


CHANCE = ("random", "time", "datetime", "secrets", "uuid")


class Chance:
    """What gives another number at each call."""

    def __init__(self, home: str) -> None:
        self.home = home

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise TraceError(f"{self.home} gives other numbers at each call: give them as an argument")

    def __getattr__(self, name: str) -> Any:
        return self
