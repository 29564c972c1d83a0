"""The Coq text of terms.  Every name is generated (n0, A0, f0, i0): no text of the user's gets into the file.

Indices and sizes are integers, arrays are functions on them; `Sums.v` and `Derivatives.v` define Sum, delta, pw, ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from ...core.context import Context
from ...core.functions import column
from ...core.indices import SymbackpropError, at_least_zero
from ...core.terms import (
    PI, Add, Apply, Array, Delta, Diff, Entry, Holds, Index, IndexExpr, Mul, NonNegative, Num, Ordinal, Pick, Positive,
    Power, Size, Sum, Term, Whole, as_affine, mul, open_body, sized,
)  # fmt: skip


class NotExported(SymbackpropError):
    """What has no translation into Coq yet."""


class NotAlike(NotExported):
    """Two sides that are no sums of the same products."""


NAMED = column(lambda f: f.coq)
# Functions of whole arrays: those of `Arrays.v`, and those that have no translation.
DEFINED = {"max": "largest", "argmax": "argmax", "gap": "gap", "det": "determinant", "inv": "inverse"}
UNDEFINED = frozenset({"min", "pinv", "prod"})
SOME_ENTRIES = ("max", "argmax", "gap")  # their lemmas need that there are entries


def inner(depth: int, size: Size) -> Index:
    """The dummy of a binder that stands inside `depth` others; no certificate has an index of this name."""
    return Index(f"@{depth}", size)


def outer(number: int, size: Size) -> Index:
    """An index of a proof that stands around such binders; sums of indices name it before theirs."""
    return Index(f"@.{number:06}", size)


class Vocabulary:
    """Hands out the names, and remembers what must be declared."""

    def __init__(self, context: Context, moving: Array | None, slope: Callable[[Term, Entry], Term]) -> None:
        self.context = context
        self.least = context.least
        self.definitions = dict(context.definitions)
        self.moving = moving
        self.slope = slope
        self.symbols: dict[str, str] = {}
        self.arrays: dict[Array, tuple[str, int]] = {}
        self.picks: dict[str, tuple[str, int, Size]] = {}
        self.functions: dict[str, tuple[str, int]] = {}
        self.losses: dict[str, tuple[str, tuple[Size, ...], int]] = {}
        self.indices: dict[Index, str] = {}
        self.time: str | None = None  # the point on the curve, in a function of it
        self.any_value: str | None = None  # what the moving array is called where it may have any value
        self.memo: dict[tuple[Term, int], str] = {}

    # --- integers ------------------------------------------------------------------------------

    def at_least(self, s: Size) -> bool:
        return at_least_zero(s, self.least)

    def symbol(self, name: str) -> str:
        return self.symbols.setdefault(name, f"n{len(self.symbols)}")

    def index(self, i: Index) -> str:
        if i.name[0] == "@":
            return f"k{int(i.name.lstrip('@.'))}"
        return self.indices.setdefault(i, f"i{len(self.indices)}")

    def known(self, i: Index) -> str:
        """The name of the hypothesis that an index is in its range."""
        return f"{'q' if i.name[0] == '@' else 'r'}{self.index(i)[1:]}"

    def range(self, i: Index) -> str:
        return f"(0 <= {self.index(i)} < {self.size(i.size)})%Z"

    def within(self, i: Index) -> str:
        """The hypothesis that an index is in its range, as a binder: tactics inside need its type at once."""
        return f"({self.known(i)} : {self.range(i)})"

    def bound(self, *axes: Index) -> str:
        """Binders of indices, each with the hypothesis that it is in its range."""
        return " ".join(f"{self.index(i)} {self.within(i)}" for i in axes)

    def applied(self, name: str, axes: Iterable[Index], values: Mapping[Index, IndexExpr]) -> str:
        """A hypothesis or a lemma at values of its indices."""
        given = [f"{self.at(values.get(i, i))} ltac:(index)" for i in sorted(axes, key=lambda i: i.name)]
        return f"({' '.join([name, *given])})" if given else name

    def size(self, s: Size) -> str:
        return self.integer(s, ())

    def at(self, e: IndexExpr) -> str:
        return self.integer(*as_affine(e))

    def integer(self, constant: Size, parts: tuple[tuple[IndexExpr, Size], ...]) -> str:
        terms = [self.product(c, [self.symbol(n) for n in names]) for names, c in constant.monomials]
        for atom, k in parts:
            for names, c in k.monomials:
                terms.append(self.product(c, [*(self.symbol(n) for n in names), self.atom(atom)]))
        if len(terms) == 1 and terms[0].isalnum() and not terms[0].isdigit():
            return terms[0]
        return f"({' + '.join(terms) or '0'})%Z"

    @staticmethod
    def product(c: int, names: list[str]) -> str:
        number = [str(c) if c >= 0 else f"({c})"] if c != 1 or not names else []
        text = " * ".join([*number, *names])
        return text if len(number) + len(names) == 1 else f"({text})"

    def atom(self, a: IndexExpr) -> str:
        match a:
            case Index():
                return self.index(a)
            case Pick(array, at, size):
                name, _, _ = self.picks.setdefault(array, (f"P{len(self.picks)}", len(at), size))
                return f"({' '.join([name, *map(self.at, at)])})" if at else name
            case _:
                raise NotExported(f"the index {a}")

    # --- reals ---------------------------------------------------------------------------------

    def rational(self, q: Fraction) -> str:
        top = str(q.numerator) if q >= 0 else f"({q.numerator})"
        return f"(Frac {top} {q.denominator})"

    def number(self, q: Fraction) -> str:
        return f"(qr R {self.rational(q)})"

    def array(self, a: Array, axes: int) -> str:
        name, before = self.arrays.setdefault(a, (f"A{len(self.arrays)}", axes))
        if before != axes:
            raise NotExported(f"{a} has {before} axes and {axes}")
        return name

    def function(self, fn: str, order: int) -> str:
        if fn in NAMED:
            return NAMED[fn]
        name, most = self.functions.get(fn, (f"f{len(self.functions)}", 0))
        self.functions[fn] = name, max(most, order)
        return f"{name}_{order}"

    def loss(self, w: Whole) -> str:
        if w.fn in UNDEFINED:
            raise NotExported(f"{w.fn} of an array")
        name, sizes, most = self.losses.get(w.fn, (f"L{len(self.losses)}", w.sizes, 0))
        if sizes != w.sizes or len(w.at) != w.order * len(w.sizes):
            raise NotExported(f"{w.fn} of arrays of several shapes")
        self.losses[w.fn] = name, sizes, max(most, w.order)
        return f"{name}_{w.order}"

    def of_array(self, w: Whole) -> str:
        """The function of an array that `w` is a value of."""
        if w.fn not in DEFINED:
            return self.loss(w)
        if len(w.sizes) != (2 if w.fn in ("det", "inv") else 1):
            raise NotExported(f"{w.fn} of an array of {len(w.sizes)} axes")
        return f"@{DEFINED[w.fn]} R {self.size(w.sizes[0])}"

    def text(self, t: Term, depth: int = 0) -> str:
        """The real number that `t` is, with `depth` binders around it."""
        if self.time is not None:
            return self._text(t, depth)
        if (t, depth) not in self.memo:
            self.memo[t, depth] = self._text(t, depth)
        return self.memo[t, depth]

    def _text(self, t: Term, depth: int) -> str:
        match t:
            case Num(value):
                return self.number(value)
            case Size():
                return f"(zr R {self.size(t)})"
            case Ordinal(of):
                return f"(zr R {self.at(of)})"
            case Entry(array, at):
                return self.entry(array, at, depth)
            case Delta(i, j):
                return f"(delta R {self.at(i)} {self.at(j)})"
            case Add(args):
                return f"({' + '.join(self.text(a, depth) for a in args)})" if args else self.number(Fraction(0))
            case Mul(args):
                return f"({' * '.join(self.text(a, depth) for a in args)})" if args else self.number(Fraction(1))
            case Power(base, q):
                return f"(pw {self.text(base, depth)} {self.rational(q)})"
            case Apply(fn, arg, order):
                return f"({self.function(fn, order)} {self.text(arg, depth)})"
            case Sum(size, body, _):
                (k,), inside = self.opened((size,), body, depth)
                return f"(Sum {self.size(size)} (fun {k} => {inside}))"
            case Diff(body, wrt):
                return self.text(self.slope(body, wrt), depth)
            case Whole(_, _, sizes, body, at, _):
                axes, inside = self.opened(sizes, body, depth)
                function = f"(fun {' '.join(axes)} => {inside})" if axes else inside
                return f"({' '.join([self.of_array(t), function, *map(self.at, at)])})"
            case Holds(Positive(term)):
                return f"(step {self.text(term, depth)})"
            case Holds(NonNegative(e)):
                return f"(ge0 R {self.at(e)})"
            case _:
                raise NotExported(f"the term {t}")

    def moved(self, wrt: Entry) -> str:
        """The curve: entry (j0, j1) moves with the speed δ(j0, a) δ(j1, b) at the time t0."""
        at = [Index(f"~m{k}", sized(1)) for k in range(len(wrt.at))]  # over all integers, whatever the size says
        names = [self.index(i) for i in at]
        speed = self.text(mul(*(Delta(a, b) for a, b in zip(at, wrt.at, strict=True))))
        every = f"forall {' '.join(names)}, " if names else ""
        return f"{every}isD t0 ({' '.join([f'c{self.array(wrt.array, len(at))}', *names])}) {speed}"

    def opened(self, sizes: tuple[Size, ...], body: Term, depth: int) -> tuple[list[str], str]:
        axes = tuple(inner(depth + d, s) for d, s in enumerate(sizes))
        return [self.index(a) for a in axes], self.text(open_body(body, axes), depth + len(axes))

    def entry(self, array: Array, at: tuple[IndexExpr, ...], depth: int) -> str:
        if array in self.definitions:
            return self.text(self.definitions[array].at(*at), depth)
        if array == PI.array:
            return "(@pi R)"
        name = self.array(array, len(at))
        if array == self.moving and self.any_value is not None:
            name = self.any_value
        elif array == self.moving and self.time is not None:
            name = f"c{name}"
            return f"({' '.join([name, *map(self.at, at), self.time])})"
        return f"({' '.join([name, *map(self.at, at)])})" if at else name


def same_entries(w: Whole, size: str, at: list[str], equal: str) -> str:
    """A function of a whole array is the same of equal entries."""
    some = ["ltac:(index)"] if w.fn in SOME_ENTRIES else []
    return f"({' '.join([f'@{DEFINED[w.fn]}_ext R', size, '_ _', *at, *some, equal])})"
