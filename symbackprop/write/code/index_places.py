"""Arrays whose axes stand for indices: names, sizes, gathers and broadcasting of generated NumPy code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, assert_never

from symbackprop.core.indices import Affine, Bound, Index, IndexExpr, Pick, Size, SymbackpropError
from symbackprop.core.matrix import UNIT
from symbackprop.core.signs import within
from symbackprop.core.terms import Term, sized


class Input(Protocol):
    """What is known of an argument: its axes, and for integer arrays how many values there are."""

    @property
    def shape(self) -> tuple[Size, ...]: ...
    @property
    def values(self) -> Size | None: ...


@dataclass(frozen=True, slots=True)
class Coded:
    """Code of an array whose axes are these indices, in the order of their ranks; `atom` needs no brackets."""

    code: str
    axes: tuple[Index, ...]
    atom: bool = True


class Places:
    """Names the values, and says where the entries of an array stand for given indices."""

    def __init__(self, inputs: Mapping[str, Input]) -> None:
        self.inputs = dict(inputs)
        self.names = {name: f"v{k}" for k, name in enumerate(self.inputs)}
        self.lines: list[str] = []
        self.sizes: dict[str, str] = {}
        self.memo: dict[Term, Coded] = {}
        self.shared: dict[str, str] = {}
        self.rank: dict[Index, int] = {}
        self.count = len(self.names)
        self.says = {v: name for name, v in self.names.items()}

    def declare(self, indices: Sequence[Index]) -> None:
        for i in indices:
            self.rank.setdefault(i, len(self.rank))

    def line(self, code: str) -> str:
        """A value under a name; equal code has one name."""
        if code not in self.shared:
            self.shared[code] = self.new_line(code)
        return self.shared[code]

    def new_line(self, code: str) -> str:
        name = f"v{self.count}"
        self.count += 1
        self.lines.append(f"{name} = {code}")
        return name

    def named(self, code: str, axes: tuple[Index, ...]) -> Coded:
        return Coded(self.line(code), axes)

    def ordered(self, indices: set[Index] | frozenset[Index]) -> tuple[Index, ...]:
        return tuple(sorted(indices, key=self.rank.__getitem__))

    def fresh(self, sizes: Sequence[Size]) -> tuple[Index, ...]:
        new = tuple(Index(f"dummy {len(self.rank) + k}", n) for k, n in enumerate(sizes))
        self.declare(new)
        return new

    # --- sizes and indices -----------------------------------------------------------------------

    def symbol(self, name: str) -> str:
        if name not in self.sizes:
            found = read_off(name, {n: given.shape for n, given in self.inputs.items()})
            if found is None:
                raise SymbackpropError(f"no argument has an axis of size {name}")
            array, k, factor, rest = found
            code = f"{self.names[array]}.shape[{k}]"
            if rest.monomials or factor != 1:
                code = f"({code} - {self.size(rest)}) // {factor}"
            target = f"n{len(self.sizes)}"
            self.lines.append(f"{target} = {code}")
            self.sizes[name] = target
            self.says[target] = name
        return self.sizes[name]

    def size(self, s: Size) -> str:
        parts = []
        for symbols, c in s.monomials:
            factors = [self.symbol(n) for n in symbols]
            if c != 1 or not factors:
                factors.insert(0, f"({c})" if c < 0 else str(c))
            parts.append(" * ".join(factors))
        code = " + ".join(parts) or "0"
        return code if len(parts) < 2 else f"({code})"

    def index(self, e: IndexExpr) -> Coded:
        """Its values as an integer array."""
        match e:
            case Index(_, size):
                return Coded(f"arange({self.size(size)})", (e,))
            case Pick(array, at, _):
                return self.gathered(array, at)
            case Affine(constant, parts):
                axes = self.ordered({i for a, _ in parts for i in self.index(a).axes})
                terms = []
                for a, k in parts:
                    code = self.aligned(self.index(a), axes)
                    terms.append(code if k == UNIT else f"{self.size(k)} * {code}")
                if constant.monomials or not terms:
                    terms.append(self.size(constant))
                return Coded(" + ".join(terms), axes, atom=len(terms) == 1)
            case Bound():
                raise SymbackpropError("a dangling dummy")
            case _:
                assert_never(e)

    def gathered(self, array: str, at: tuple[IndexExpr, ...]) -> Coded:
        """Entries of an input at index expressions."""
        if array not in self.names:
            raise SymbackpropError(f"{array} is no argument")
        name = self.names[array]
        if not at:
            return Coded(name, ())
        shape = self.inputs[array].shape
        if len(set(at)) == len(at) and all(
            isinstance(e, Index) and e.size == n for e, n in zip(at, shape, strict=True)
        ):
            given: tuple[Index, ...] = tuple(e for e in at if isinstance(e, Index))
            axes = self.ordered(set(given))
            if axes == given:
                return Coded(name, axes)
            places = {i: k for k, i in enumerate(given)}
            order = tuple(places[i] for i in axes)
            return self.named(f"einsum({name}, {ints(range(len(given)))}, {ints(order)})", axes)
        indices = [self.index(e) for e in at]
        axes = self.ordered({i for c in indices for i in c.axes})
        codes = []
        for c, e, n in zip(indices, at, shape, strict=True):
            code = self.aligned(c, axes)
            if not within(e, n):  # outside of the array another factor is 0
                code = f"clip({code}, 0, {self.size(n - 1)})"
            codes.append(code)
        return self.named(f"{name}[{', '.join(codes)}]", axes)

    def aligned(self, value: Coded, axes: tuple[Index, ...]) -> str:
        """Code of the value with an axis of length 1 for each index it lacks (leading ones are not needed)."""
        if value.axes == axes or not value.axes:
            return value.code if value.atom else f"({value.code})"
        first = axes.index(value.axes[0])
        marks = [":" if i in value.axes else "None" for i in axes[first:]]
        code = value.code if value.atom else f"({value.code})"
        return code if all(m == ":" for m in marks) else f"{code}[{', '.join(marks)}]"


def read_off(symbol: str, shapes: Mapping[str, Sequence[Size]]) -> tuple[str, int, int, Size] | None:
    """An axis of size factor * symbol + rest: its array and place, the factor, and the rest; the plainest there is."""
    alone = {n.symbols[0] for shape in shapes.values() for n in shape if n.symbols and n == sized(n.symbols[0])}
    found = []
    for name, shape in shapes.items():
        for k, n in enumerate(shape):
            factor = dict(n.monomials).get((symbol,), 0)
            rest = n - sized(symbol) * factor
            if factor > 0 and symbol not in rest.symbols and alone.issuperset(rest.symbols):
                found.append((name, k, factor, rest))
    return min(found, key=lambda f: (len(f[3].monomials), f[2]), default=None)


def is_symbol(s: Size) -> bool:
    return s.constant is not None or (len(s.monomials) == 1 and s.monomials[0][1] == 1 and len(s.monomials[0][0]) == 1)


def ints(values: Sequence[int] | range) -> str:
    return tuple_code([str(v) for v in values])


def tuple_code(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
