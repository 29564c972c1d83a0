"""Scalar LaTeX cut into tokens, other spellings made the usual one; formulas in names x_1, x_2, ... with values."""

from __future__ import annotations

import cmath
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias

from symbackprop.core.composed import COMPOSED
from symbackprop.core.functions import FUNCTIONS, ROWS, column
from symbackprop.core.terms import Add, Apply, Array, Entry, Holds, Mul, Num, Positive, Power, SymbackpropError, Term

_TOKEN = re.compile(r"\s*(?:(\\[A-Za-z]+|\\[,;:! {}|])|(\d+(?:\.\d+)?|\.\d+)|(.))", re.DOTALL)
_SPACE: Final = frozenset(
    [*r"\, \; \: \! \quad \qquad \left \right \big \Big \bigl \bigr \Bigl \Bigr \displaystyle".split(), "\\ "]
)
_SAME: Final = {
    r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\ln": r"\log", r"\{": "(", r"\}": ")", r"\lvert": "|", r"\rvert": "|",
    r"\times": r"\cdot", "*": r"\cdot", r"\gt": ">", r"\lt": "<",
}  # fmt: skip
_WORDS: Final = {
    **{word: f.words[0] for f in ROWS for word in f.words},
    **{word: name for name, c in COMPOSED.items() for word in c.words if name not in ("sqrt", "abs", "step")},
    "max": "max", "min": "min",
}  # fmt: skip


def tokens(text: str, variables: Sequence[str]) -> list[str]:
    """Numbers, commands, letters and signs; a variable of several characters is one token."""
    names = sorted((v for v in variables if len(v) > 1), key=len, reverse=True)
    out: list[str] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        name = next((v for v in names if text.startswith(v, at) and not continues(v, text, at)), None)
        if name is not None:
            out.append(name)
            at += len(name)
            continue
        m = _TOKEN.match(text, at)
        assert m is not None
        at = m.end()
        token = m[1] or m[2] or m[3]
        if token in (r"\operatorname", r"\mathrm", r"\text"):
            word = re.compile(r"\s*\{\s*([A-Za-z]+)\s*\}").match(text, at)
            if word is None or word[1] not in _WORDS:
                raise SymbackpropError(f"{token} here is no function that is known: {', '.join(sorted(_WORDS))}")
            token, at = f"\\{_WORDS[word[1]]}", word.end()
        if token not in _SPACE:
            out.append(_SAME.get(token, token))
    return out


def continues(name: str, text: str, at: int) -> bool:
    r"""\theta in \thetaX is no match."""
    after = text[at + len(name) : at + len(name) + 1]
    return name.startswith("\\") and name[-1].isalpha() and after.isalpha()


SAMPLES: Final = 3
Number: TypeAlias = complex | None


def _sigmoid(u: complex) -> complex:
    return 1 / (1 + cmath.exp(-u))


NATIVE: Final[dict[str, Callable[[complex], complex]]] = {
    "tan": cmath.tan,
    **{FUNCTIONS[f].words[0]: getattr(cmath, name) for f, name in column(lambda f: f.cmath).items()},
}
U = Entry(Array("u"), ())


def worth(t: Term, u: Any, number: Callable[[Fraction], Any], functions: Mapping[str, Callable[[Any], Any]]) -> Any:
    """The formula of a composed function, in U, in some kind of numbers that + * ** join."""
    match t:
        case Entry():
            return u
        case Num(value):
            return number(value)
        case Add(args):
            return sum(worth(a, u, number, functions) for a in args)
        case Mul(args):
            return math.prod(worth(a, u, number, functions) for a in args)
        case Power(base, exponent):
            return worth(base, u, number, functions) ** number(exponent)
        case Apply(fn, arg, 0):
            return functions[fn](worth(arg, u, number, functions))
        case Holds(Positive(of)):
            return functions["step"](worth(of, u, number, functions))
        case _:
            raise AssertionError(t)


FLOATS: Final[dict[str, Callable[[float], float]]] = {
    **{name: getattr(math, theirs) for name, theirs in column(lambda f: f.math).items()},
    "sigmoid": lambda u: _sigmoid(u).real,
    "softplus": lambda u: math.log1p(math.exp(u)),
    "step": lambda u: float(u > 0),
}


def in_floats(name: str) -> Callable[[float], float]:
    def f(u: float) -> float:
        try:
            return float(worth(COMPOSED[name].value(U), u, float, FLOATS))
        except ArithmeticError:  # no value here: what stands for it may have any
            return 0.37

    return f


OWN: Final[dict[str, Callable[[float], float]]] = {
    **{name: f for name, f in FLOATS.items() if name not in column(lambda f: f.cmath)},
    **{name: in_floats(name) for name in COMPOSED if name not in ("sqrt", "abs", "tan")},
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
