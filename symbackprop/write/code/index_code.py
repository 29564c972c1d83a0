"""Index terms of any number of axes as a NumPy function: einsum for sums of products, broadcasting for the rest.

    compiled = compile_tensors({"dx": Tensor((i, j), body)}, {"x": Declared(...), "w": ...})
    compiled(x=..., w=...)["dx"]

Every value is an array whose axes stand for indices in a fixed order.  The source has generated names only and is
checked against the list of what it may contain before it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, assert_never

from symbackprop.core.functions import FUNCTIONS
from symbackprop.core.indices import Affine, Bound, Index, IndexExpr, Pick, Size, SymbackpropError
from symbackprop.core.laws.functions import PI
from symbackprop.core.matrix import UNIT, ZERO_INDEX
from symbackprop.core.signs import within
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    Add, Apply, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Ordinal, Positive, Power, Sum, Term, Whole,
    flattened, free, open_body, opened_whole,
)  # fmt: skip
from symbackprop.write.code.compiled import FUNCTION_NAME, Compiled, generated, read_off


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
        return self.picked(self.names[array], at, self.inputs[array].shape)

    def picked(self, table: str, at: Sequence[IndexExpr], shape: Sequence[Size]) -> Coded:
        """The entries at index expressions of an array of this shape."""
        given = tuple(e for e in at if isinstance(e, Index))
        if len(set(given)) == len(at) and all(e.size == n for e, n in zip(given, shape, strict=True)):
            axes = self.ordered(set(given))
            if axes == given:
                return Coded(table, axes)
            order = [given.index(i) for i in axes]
            return self.named(f"einsum({table}, {ints(range(len(given)))}, {ints(order)})", axes)
        indices = [self.index(e) for e in at]
        axes = self.ordered({i for c in indices for i in c.axes})
        codes = []
        for c, e, n in zip(indices, at, shape, strict=True):
            code = self.aligned(c, axes)
            if not within(e, n):  # outside of the array another factor is 0
                code = f"clip({code}, 0, {self.size(n - 1)})"
            codes.append(code)
        return self.named(f"{table}[{', '.join(codes)}]", axes)

    def aligned(self, value: Coded, axes: tuple[Index, ...]) -> str:
        """Code of the value with an axis of length 1 for each index it lacks (leading ones are not needed)."""
        if value.axes == axes or not value.axes:
            return value.code if value.atom else f"({value.code})"
        first = axes.index(value.axes[0])
        marks = [":" if i in value.axes else "None" for i in axes[first:]]
        code = value.code if value.atom else f"({value.code})"
        return code if all(m == ":" for m in marks) else f"{code}[{', '.join(marks)}]"


def is_symbol(s: Size) -> bool:
    return s.constant is not None or (len(s.monomials) == 1 and s.monomials[0][1] == 1 and len(s.monomials[0][0]) == 1)


def ints(values: Sequence[int] | range) -> str:
    return tuple_code([str(v) for v in values])


def tuple_code(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


IN_FLOATS = {"sigmoid": "1.0 / (1.0 + exp(-({})))", "softplus": "logaddexp(0.0, {})"}  # of integers too


def compile_tensors(outputs: Mapping[str, Tensor], inputs: Mapping[str, Input]) -> Compiled:
    """A NumPy function of the inputs that returns the outputs by name.

    Raises SymbackpropError for an abstract function, an unknown array, and a size that no axis of an input is.
    """
    return _Coder(inputs).compiled(outputs)


class _Coder(Places):
    def compiled(self, outputs: Mapping[str, Tensor]) -> Compiled:
        results = []
        for name, t in outputs.items():
            result = self.output(t)
            self.says[result] = name
            results.append(result)
        arguments = ", ".join(self.names.values())
        body = "\n".join(f"    {line}" for line in self.lines)
        returned = ", ".join(results) + ("," if len(results) == 1 else "")
        source = f"def {FUNCTION_NAME}({arguments}):\n{body}\n    return ({returned})\n".replace("\n\n", "\n")
        inputs = [(n, i.shape) for n, i in self.inputs.items()]
        return generated(source, self.says, inputs, list(outputs), True)

    def output(self, t: Tensor) -> str:
        axes = tuple(Index(f"axis {len(self.rank)} {k}", i.size) for k, i in enumerate(t.axes))
        self.declare(axes)
        kept = tuple(i for i in axes if i.size != UNIT)
        value = self.value(t.at(*(ZERO_INDEX if i.size == UNIT else i for i in axes)))
        code = self.aligned(value, kept)
        if value.axes != kept:
            code = f"broadcast_to({code}, {tuple_code([self.size(i.size) for i in kept])})"
        if kept != axes:
            code = f"({code})[{', '.join('None' if i.size == UNIT else ':' for i in axes)}]"
        return self.new_line(f"({code}) + 0.0" if kept else code)

    # --- terms -----------------------------------------------------------------------------------

    def value(self, t: Term) -> Coded:
        if t not in self.memo:
            self.memo[t] = self.coded(t)
        return self.memo[t]

    def coded(self, t: Term) -> Coded:
        match t:
            case Num(value):
                return Coded(number(value), (), atom=value >= 0 and value.denominator == 1)
            case Size():
                return Coded(self.size(t), (), atom=is_symbol(t))
            case Entry(array, at):
                if t == PI:
                    return Coded("3.141592653589793", ())
                return self.gathered(str(array), at)
            case Ordinal(of):
                return self.index(of)
            case Delta(i, j):
                return self.compared("==", self.index(i), self.index(j))
            case Holds(NonNegative(expr)):
                return self.compared(">=", self.index(expr), Coded("0", ()))
            case Holds(Positive(term)):
                return self.compared(">", self.value(term), Coded("0.0", ()))
            case Add(args):
                values = [self.value(a) for a in args]
                axes = self.ordered({i for v in values for i in v.axes})
                code = " + ".join(self.aligned(v, axes) for v in values) or "0.0"
                return self.named(code, axes) if axes else Coded(code, (), atom=len(values) == 1)
            case Mul():
                return self.product(t, ())
            case Power(base, q):
                return self.power(self.value(base), q)
            case Apply(fn, arg, order):
                return self.applied(fn, order, self.value(arg))
            case Sum():
                return self.product(t, ())
            case Whole():
                return self.whole(t)
            case Diff():
                raise SymbackpropError("a derivative is not worked out")
            case _:
                assert_never(t)  # type: ignore[arg-type]

    def compared(self, sign: str, left: Coded, right: Coded) -> Coded:
        axes = self.ordered({*left.axes, *right.axes})
        code = f"({self.aligned(left, axes)} {sign} {self.aligned(right, axes)}) * 1.0"
        return self.named(code, axes)

    def product(self, t: Term, dummies: tuple[Index, ...]) -> Coded:
        """Σ over the dummies of a product: sums in sums are one einsum."""
        while isinstance(t, Sum) or (isinstance(t, Mul) and sum(isinstance(a, Sum) for a in t.args) == 1 and dummies):
            if isinstance(t, Sum):
                (i,) = self.fresh((t.size,))
                t, dummies = open_body(t.body, (i,)), (*dummies, i)
                continue
            inner = next(a for a in t.args if isinstance(a, Sum))
            (i,) = self.fresh((inner.size,))
            body = open_body(inner.body, (i,))
            t, dummies = Mul((*(a for a in t.args if a is not inner), body)), (*dummies, i)
        factors = flattened(Mul, t)
        unused = [i for i in dummies if not any(i in free(f) for f in factors)]
        scalars = [self.value(f) for f in factors if not free(f) and not isinstance(f, Num)]
        numbers = Fraction(1)
        for f in factors:
            numbers *= f.value if isinstance(f, Num) else 1
        arrays = [self.value(f) for f in factors if free(f)]
        kept = tuple(i for i in dummies if i not in unused)
        axes = self.ordered({i for v in arrays for i in v.axes} - set(kept))
        codes = [number(numbers)] if numbers != 1 or not (scalars or arrays or unused) else []
        codes = [c if numbers >= 0 and numbers.denominator == 1 else f"({c})" for c in codes]
        codes += [self.aligned(s, ()) for s in scalars] + [self.size(i.size) for i in unused]
        if kept:
            code = self.einsum(arrays, axes)
            codes.append(code)
        else:
            codes += [self.aligned(v, axes) for v in arrays]
        if len(codes) == 1 and not kept:
            only = (arrays or scalars or [Coded(codes[0], (), False)])[0]
            return only if arrays or scalars else Coded(codes[0], ())
        code = " * ".join(codes)
        return self.named(code, axes) if axes or kept else Coded(code, (), atom=False)

    def einsum(self, arrays: Sequence[Coded], axes: tuple[Index, ...]) -> str:
        labels = {i: k for k, i in enumerate(self.ordered({i for v in arrays for i in v.axes}))}
        parts = []
        for v in arrays:
            parts += [v.code if v.atom else f"({v.code})", ints([labels[i] for i in v.axes])]
        optimize = ", optimize=True" if len(arrays) > 2 else ""
        return f"einsum({', '.join(parts)}, {ints([labels[i] for i in axes])}{optimize})"

    def power(self, base: Coded, q: Fraction) -> Coded:
        code = base.code if base.atom else f"({base.code})"
        match abs(q):
            case Fraction(numerator=1, denominator=1):
                pass
            case Fraction(numerator=1, denominator=2):
                code = f"sqrt({base.code})"
            case Fraction(numerator=2, denominator=1):
                code = f"square({base.code})"
            case size:
                code = f"{code} ** {size}" if size.denominator == 1 else f"{code} ** ({size})"
        if q < 0:
            code = f"1.0 / {code}"
        return self.named(code, base.axes) if base.axes else Coded(code, (), atom=False)

    def applied(self, fn: str, order: int, arg: Coded) -> Coded:
        if order or fn not in FUNCTIONS:
            raise SymbackpropError(f"the function {fn} has no NumPy code")
        return self.named(IN_FLOATS.get(fn, FUNCTIONS[fn].code).format(arg.code), arg.axes)

    def whole(self, w: Whole) -> Coded:
        if w.order or w.fn not in ("max", "argmax", "prod", "inv", "det"):
            raise SymbackpropError(f"{w.fn} has no NumPy code")
        axes = self.fresh(w.sizes)
        body = self.value(opened_whole(w, axes))
        outer = self.ordered(set(body.axes) - set(axes))
        every = (*outer, *axes)  # the dummies are the youngest, so they stand last
        code = self.aligned(body, every)
        if set(body.axes) != set(every):
            shape = [self.size(i.size) for i in every]
            code = f"broadcast_to({code}, {tuple_code(shape)})"
        last = ints([len(outer) + k for k in range(len(axes))])
        match w.fn:
            case "max":
                return self.named(f"maximum.reduce({code}, axis={last})", outer)
            case "prod":
                return self.named(f"multiply.reduce({code}, axis={last})", outer)
            case "det":
                return self.named(f"det({code})", outer)
            case "argmax":
                array = self.line(code)
                table = self.line(f"({array} == maximum.reduce({array}, axis={last}, keepdims=True)) * 1.0")
            case _:
                table = self.line(f"inv({code})")
        return self.picked(table, (*outer, *w.at), [i.size for i in every])


def number(value: Fraction) -> str:
    if value.denominator == 1:
        return f"{value}.0" if abs(value) < 2**53 else repr(float(value))
    return f"{value.numerator}.0 / {value.denominator}.0"
