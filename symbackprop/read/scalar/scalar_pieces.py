"""Parts of a scalar formula: an unambiguous spelling in names x_1, x_2, ..., and values at a few sample points."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

SAMPLES: Final = 3
Number: TypeAlias = complex | None


def _sigmoid(u: complex) -> complex:
    return 1 / (1 + cmath.exp(-u))


NATIVE: Final[dict[str, Callable[[complex], complex]]] = {
    "exp": cmath.exp, "log": cmath.log, "sin": cmath.sin, "cos": cmath.cos, "tan": cmath.tan, "tanh": cmath.tanh,
    "sinh": cmath.sinh, "cosh": cmath.cosh, "arctan": cmath.atan,
}  # fmt: skip
OWN: Final[dict[str, Callable[[float], float]]] = {
    "sigmoid": lambda u: _sigmoid(u).real,
    "softplus": lambda u: math.log1p(math.exp(u)),
    "relu": lambda u: max(0.0, u),
    "erf": math.erf,
    "step": lambda u: float(u > 0),
    "same": lambda u: u,
}


@dataclass(frozen=True, slots=True)
class Applied:
    """A function that latex2sympy does not know, at an argument."""

    fn: str
    order: int
    inner: Reading


Hole: TypeAlias = "str | Applied"


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of the holes, and of the whole (None where it has none)."""

    holes: tuple[float, ...]
    value: Number


@dataclass(frozen=True, slots=True)
class Reading:
    """`latex` in names x_1, x_2, ... for the holes: variables by name, or functions at arguments."""

    text: str
    latex: str
    holes: tuple[Hole, ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part in its unambiguous spelling; `atom` when it needs no brackets."""

    latex: str
    values: tuple[Number, ...]
    atom: bool = False
    number: bool = False

    @property
    def bracketed(self) -> str:
        return self.latex if self.atom else f"({self.latex})"


def each(f: Callable[..., complex], *values: tuple[Number, ...]) -> tuple[Number, ...]:
    """f at each sample; None where it, or an argument, has no value."""
    out: list[Number] = []
    for row in zip(*values, strict=True):
        try:
            value = None if any(v is None for v in row) else f(*row)
        except (ArithmeticError, ValueError):
            value = None
        out.append(value if value is not None and cmath.isfinite(value) else None)
    return tuple(out)


def constant(p: Piece) -> bool:
    return "x_" not in p.latex


def power(a: complex, q: complex) -> complex:
    return cmath.exp(q * cmath.log(a)) if a else complex(0 if q.real > 0 else math.inf)


def sampled(k: int) -> tuple[float, ...]:
    """Values of the k-th variable at the sample points; all positive and below 1 at the first."""
    return tuple((0.31 + 0.17 * k + 0.83 * n + 0.29 * n * k) % (1.0 if n == 0 else 2.3) + 0.05 for n in range(SAMPLES))
