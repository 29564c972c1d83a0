"""The syntax tree of a formula: what is written, before it has a meaning or a shape.

Immutable, a closed union, a span on every node (which `==` ignores).  The parser gives the loose nodes at the end:
names with all that stands around them, brackets, operators without their operand.  `resolve` turns these into what
they are where a symbol table decides it: a call or a product, a layer label or a power, Kronecker's delta or the error
signal.  Shapes and values come later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias

from ..files.place import Span


@dataclass(frozen=True, slots=True)
class Label:
    """A layer, sample or size label: l, l+1, L-1, or a number (base None)."""

    base: str | None
    shift: int = 0

    def __str__(self) -> str:
        return str(self.shift) if self.base is None else self.base + (f"{self.shift:+d}" if self.shift else "")


@dataclass(frozen=True, slots=True)
class Num:
    value: Fraction
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A declared array or scalar, or a size used as a number: W^{l+1}, t, x^{(i)}, n_l, N."""

    name: str
    label: Label | None = None
    sample: Label | None = None
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class IndexName:
    """An index where a subscript or a value is: i, k, j'."""

    name: str
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class All:
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Function:
    """A function itself, with the number of primes: f', σ^l."""

    name: str
    primes: int = 0
    label: Label | None = None
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """f'(z), log x, L(y, t).  `exponent` is that of sin^2 x."""

    function: Function
    args: tuple[Expr, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """base_{ij}: of an array, of a bracket, of a call."""

    base: Expr
    at: tuple[Expr, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Neg:
    arg: Expr
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Add:
    args: tuple[Expr, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Product:
    """a b c; `signs` holds what was written between the factors: "" (nothing), cdot, times, *, @."""

    args: tuple[Expr, ...]
    signs: tuple[str, ...] = field(compare=False)
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Hadamard:
    args: tuple[Expr, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Outer:
    args: tuple[Expr, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Quotient:
    top: Expr
    bottom: Expr
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Power:
    base: Expr
    exponent: Expr
    elementwise: bool = False
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Transpose:
    arg: Expr
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Derivative:
    """∂^k body / ∂wrt_1 … ∂wrt_k; `total` when written with d."""

    body: Expr
    wrt: tuple[Expr, ...]
    total: bool = False
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Gradient:
    body: Expr
    wrt: Expr
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binder:
    """The dummy of a sum: its name and the range, when one is written."""

    name: str
    low: Expr | None = None
    high: Expr | None = None
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Sum:
    """Σ_i body, and ∏_i body, max_i body, min_i body; `where`: conditions written under it."""

    binders: tuple[Binder, ...]
    body: Expr
    where: tuple[Chain, ...] = ()
    span: Span = field(default=(0, 0), compare=False, repr=False)
    kind: str = "sum"


@dataclass(frozen=True, slots=True)
class Matrix:
    """bmatrix and the like; cells may be `Dots`."""

    rows: tuple[tuple[Expr, ...], ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Cases:
    """cases: (value, condition) rows; condition None for otherwise."""

    rows: tuple[tuple[Expr, Chain | None], ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Norm:
    """‖arg‖_order, or |arg| with order "abs"."""

    arg: Expr
    order: str = "2"
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Inner:
    left: Expr
    right: Expr
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Kronecker:
    i: Expr
    j: Expr
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Indicator:
    """[i = j], 1{x > 0}: 1 where the relation holds, else 0."""

    condition: Chain
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Ones:
    """The vector (or, with two sizes, matrix) of ones; without a size it fits where it stands."""

    sizes: tuple[Expr, ...] = ()
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    size: Expr | None = None
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Annotated:
    """A value with its shape as subscript: x_{1 × n}."""

    arg: Expr
    shape: Expr
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Equated:
    chain: Chain
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Shape:
    """n × m; a part may be a shape itself, n × (n × m)."""

    parts: tuple[Expr, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reals:
    shape: Expr | None
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ShapeWord:
    """scalar, row, column, vector, matrix: from \\text{column vectors}."""

    word: str
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Words:
    text: str
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Dots:
    """…, and the placeholder \\cdot of a picture of a matrix."""

    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing where something is needed: after a dangling =."""

    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Differential:
    """d body: what `body` changes by when its variables do."""

    body: Expr
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class At:
    body: Expr
    chain: Chain
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Script:  # from here on as written, before a symbol table says what it is
    """What is raised or lowered: as text, as indices one after the other, as labels, as a value (an exponent)."""

    text: str
    items: tuple[Expr, ...] = ()
    labels: tuple[tuple[Label, str], ...] | None = None
    value: Expr | None = None
    transposes: int = 0
    elementwise: bool = False
    error: str = field(default="", compare=False)
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A letter or word with its mark and everything around it: \\hat{x}_{ij}^{(l)T}."""

    letter: str
    mark: str = ""
    sub: Script | None = None
    sups: tuple[Script, ...] = ()
    primes: int = 0
    top: int = 0
    span: Span = field(default=(0, 0), compare=False, repr=False)
    bold: bool = field(default=False, compare=False)

    @property
    def bare(self) -> bool:
        """A letter with nothing around it."""
        return self.sub is None and not (self.sups or self.primes or self.top)


@dataclass(frozen=True, slots=True)
class Paren:
    """( … ), [ … ], { … }: arguments, or brackets around a value; `bar` is where a | stands between the items."""

    chains: tuple[Chain, ...]
    opening: str
    bar: int = 0
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Operator:
    """A function word, ∇ or ∂/∂x that has not met its operand yet; it takes what follows in its product."""

    kind: Literal["function", "nabla", "derivative"]
    name: str = ""
    sub: Script | None = None
    sups: tuple[Script, ...] = ()
    primes: int = 0
    wrt: tuple[Expr, ...] = ()
    order: int = 1
    total: bool = False
    span: Span = field(default=(0, 0), compare=False, repr=False)


Expr: TypeAlias = (
    Num | Symbol | IndexName | All | Function | Call | Entry | Neg | Add | Product | Hadamard | Outer | Quotient
    | Power | Transpose | Derivative | Gradient | Sum | Matrix | Cases | Norm | Inner | Kronecker
    | Indicator | Ones | Identity | Annotated | Equated | Shape | Reals | ShapeWord | Words | Dots | Missing
    | Differential | At | Name | Paren | Operator
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Link:
    """The relation and what stands after it; `at` is the place of that with the brackets around it."""

    relation: str
    rhs: Expr
    span: Span = field(default=(0, 0), compare=False, repr=False)
    at: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """first R1 second R2 third …; several `subjects` share the first relation: a, z ~ n × 1."""

    subjects: tuple[Expr, ...]
    links: tuple[Link, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)

    @property
    def sides(self) -> tuple[Expr, ...]:
        return (*self.subjects, *(k.rhs for k in self.links))
