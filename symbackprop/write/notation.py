"""Index terms as people who write NumPy read them: `Σ_k g[i,k] W[k,j]`, indices counted from 0.

Bound indices are nameless in a term; here they get letters that nothing else in it uses.  The result is for reading
only and is never parsed.  On paper indices count from 1: for that there are `text.py` and `latex.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from ..core.indices import Affine, Bound, Index, IndexExpr, Pick, Size, affine, as_affine
from ..core.terms import (
    Add,
    Apply,
    AtLeastZero,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Ordinal,
    Positive,
    Power,
    Predicate,
    Sum,
    Term,
    Whole,
    free,
    substitute,
    subterms,
)
from .latex import latex as write_latex
from .latex import latex_predicate
from .notation_style import TEXT, Style

LETTERS = ("i", "j", "k", "l", "m", "p", "q", "r", "s", "t", "u", "v")
SUM, PRODUCT, UNARY, POWER, ATOM = range(5)


def text(t: Term, axes: Sequence[Index] = ()) -> str:
    """One line; `axes` are the free indices that get the first letters."""
    return Notation(TEXT, t, axes).written(t)


def latex(t: Term, axes: Sequence[Index] = ()) -> str:
    """LaTeX, counted from 1, with letters for the free indices."""
    return write_latex(lettered(t, axes))


def latex_condition(p: Predicate, axes: Sequence[Index] = ()) -> str:
    if isinstance(p, NonNegative):
        return latex_predicate(p)
    return latex_predicate(type(p)(lettered(p.term, axes)))


def lettered(t: Term, axes: Sequence[Index] = ()) -> Term:
    """Free indices with the letters that `text` gives them."""
    names = Notation(TEXT, t, axes).names
    return substitute(t, {i: Index(x, i.size) for i, x in names.items()})


def equation(lhs: Term, rhs: Term, axes: Sequence[Index] = ()) -> str:
    notation = Notation(TEXT, Add((lhs, rhs)), axes)
    return f"{notation.written(lhs)} = {notation.written(rhs)}"


def predicate_text(p: Predicate, axes: Sequence[Index] = ()) -> str:
    if isinstance(p, NonNegative):
        notation = Notation(TEXT, Ordinal(p.expr), axes)
        return f"{notation.index(p.expr)} {TEXT.at_least} 0"
    relation = {Positive: ">", Nonzero: TEXT.unequal, AtLeastZero: TEXT.at_least}[type(p)]
    notation = Notation(TEXT, p.term, axes)
    left, right = notation.sides(p.term)
    return f"{left} {relation} {right}"


def symbols(t: Term) -> set[str]:
    """Names of arrays and size symbols in a term: no index may be called like one."""
    found: set[str] = set()
    for s in subterms(t):
        match s:
            case Entry(array, _):
                found.add(array.name)
            case Size():
                found.update(s.symbols)
            case Sum(size, _, _):
                found.update(size.symbols)
            case Whole(_, _, sizes, _, _, _):
                found.update(n for size in sizes for n in size.symbols)
            case _:
                pass
    return found


@dataclass(slots=True)
class Notation:
    """Writes terms that share one choice of letters."""

    style: Style
    letters: list[str]
    names: dict[Index, str]
    stack: list[str]

    def __init__(self, style: Style, about: Term, axes: Sequence[Index] = ()) -> None:
        taken = symbols(about)
        self.style = style
        self.letters = [x for x in LETTERS if x not in taken] or ["i"]
        self.letters += [f"{x}{n}" for n in range(1, 9) for x in self.letters]
        rest = sorted(free(about) - set(axes), key=lambda i: (i.name, str(i.size)))
        self.names = dict(zip([*axes, *rest], self.fresh([]), strict=False))
        self.stack = []

    def fresh(self, avoid: Sequence[str]) -> Iterator[str]:
        return (x for x in self.letters if x not in avoid)

    def push(self, count: int) -> list[str]:
        used = [*self.names.values(), *self.stack]
        new = [x for x, _ in zip(self.fresh(used), range(count), strict=False)]
        self.stack += new
        return new

    def pop(self, count: int) -> None:
        del self.stack[len(self.stack) - count :]

    # --- indices -------------------------------------------------------------------------------

    def index(self, e: IndexExpr) -> str:
        match e:
            case Index():
                return self.names.get(e, e.name)
            case Bound(depth):
                return self.stack[-1 - depth] if depth < len(self.stack) else f"?{depth}"
            case Pick(array, at, _):
                return self.style.entry(self.style.name(array), [self.index(a) for a in at])
            case Affine(constant, parts):
                terms = [signed(k, self.index(a)) for a, k in parts]
                if constant.monomials or not terms:
                    terms.append(signed(constant, ""))
                return sum_of(terms)
            case _:
                assert_never(e)

    def indices(self, at: Sequence[IndexExpr]) -> list[str]:
        return [self.index(a) for a in at]

    # --- terms ---------------------------------------------------------------------------------

    def written(self, t: Term, least: int = SUM) -> str:
        code, level = self.leveled(t)
        return code if level >= least else self.style.brackets(code)

    def leveled(self, t: Term) -> tuple[str, int]:
        s = self.style
        match t:
            case Num(value):
                return s.number(
                    value
                ), ATOM if value >= 0 and value.denominator == 1 else UNARY if value < 0 else PRODUCT
            case Size():
                alone = len(t.monomials) == 1 and t.monomials[0][1] == 1
                return s.size(t), SUM if not alone else ATOM if len(t.monomials[0][0]) == 1 else PRODUCT
            case Entry(array, at):
                return s.entry(s.name(str(array)), self.indices(at)), ATOM
            case Ordinal(of):
                return self.index(of), ATOM if not isinstance(of, Affine) else SUM
            case Delta(i, j):
                return s.delta(self.index(i), self.index(j)), ATOM
            case Add(args):
                return sum_of([self.term_with_sign(a) for a in flat(args, Add)]), SUM
            case Mul(args):
                return self.product(args)
            case Power(base, q):
                return self.product((t,)) if q < 0 else self.power(base, q)
            case Apply(fn, arg, order):
                return s.call(fn, order, self.written(arg)), ATOM
            case Sum(size, body, _):
                (letter,) = self.push(1)
                inner = self.written(body, PRODUCT)
                self.pop(1)
                return s.sum(letter, str(size), inner), UNARY
            case Diff(body, wrt):
                return s.derivative(self.written(body, ATOM), self.written(wrt)), PRODUCT
            case Whole(fn, order, sizes, body, at, _):
                return self.whole(fn, order, sizes, body, at)
            case Holds(NonNegative(expr)):
                low, high = sides_of_index(expr)
                return s.holds(f"{self.index(low)} {s.at_least} {self.index(high)}"), ATOM
            case Holds(Positive(term)):
                left, right = self.sides(term)
                return s.holds(f"{left} > {right}"), ATOM
            case _:
                assert_never(t)  # type: ignore[arg-type]

    def whole(self, fn: str, order: int, sizes: Sequence[Size], body: Term, at: Sequence[IndexExpr]) -> tuple[str, int]:
        s = self.style
        outer = self.indices(at)
        letters = self.push(len(sizes))
        plain = isinstance(body, Entry) and body.at == tuple(Bound(len(sizes) - 1 - k) for k in range(len(sizes)))
        inner = s.name(str(body.array)) if plain and isinstance(body, Entry) else self.written(body)
        self.pop(len(sizes))
        return s.whole(fn, order, [] if plain else letters, inner, outer), ATOM

    def term_with_sign(self, t: Term) -> tuple[bool, str]:
        """(negative, size of the term)"""
        match t:
            case Num(value) if value < 0:
                return True, self.written(Num(-value), PRODUCT)
            case Mul(args):
                c, rest = coefficient(args)
                if c < 0:
                    return True, self.written(Mul((Num(-c), *rest)) if c != -1 or not rest else Mul(rest), PRODUCT)
                return False, self.written(t, PRODUCT)
            case _:
                return False, self.written(t, PRODUCT)

    def product(self, args: Sequence[Term]) -> tuple[str, int]:
        """Numbers in front, sums behind, negative powers under a bar."""
        c, rest = coefficient(args)
        if c == 0:
            return "0", ATOM
        top, bottom, sums = list[str](), list[str](), list[Term]()
        for x in rest:
            if isinstance(x, Power) and x.exponent < 0:
                code, level = self.power(x.base, -x.exponent)
                bottom.append(code if level >= POWER else self.style.brackets(code))
            elif isinstance(x, Sum):
                sums.append(x)
            else:
                top.append(self.written(x, UNARY + 1 if len(rest) > 1 else PRODUCT))
        for k, x in enumerate(sums):  # only the last sum may go without brackets: nothing follows it
            top.append(self.written(x, PRODUCT if k == len(sums) - 1 else ATOM))
        if c.denominator != 1:
            bottom.insert(0, str(c.denominator))
        if abs(c.numerator) != 1 or not top:
            top.insert(0, str(abs(c.numerator)))
        code = self.style.product(top) if not bottom else self.style.quotient(top, bottom)
        if c < 0:
            return f"-{code}", UNARY
        return code, PRODUCT

    def power(self, base: Term, q: Fraction) -> tuple[str, int]:
        if q == 1:
            return self.leveled(base)
        if q == Fraction(1, 2):
            return self.style.root(self.written(base)), ATOM
        return self.style.power(self.written(base, ATOM), self.style.number(q), q.denominator == 1), POWER

    def sides(self, t: Term) -> tuple[str, str]:
        """t as `left - right`, for a comparison."""
        if not isinstance(t, Add):
            return self.written(t), "0"
        parts = [(self.term_with_sign(a)) for a in flat(t.args, Add)]
        left = [x for x in parts if not x[0]]
        right = [(False, code) for negative, code in parts if negative]
        return (sum_of(left) if left else "0", sum_of(right) if right else "0")


def coefficient(args: Sequence[Term]) -> tuple[Fraction, tuple[Term, ...]]:
    c, rest = Fraction(1), []
    for x in flat(args, Mul):
        if isinstance(x, Num):
            c *= x.value
        elif not (isinstance(x, Mul) and not x.args):
            rest.append(x)
    return c, tuple(rest)


def flat(args: Sequence[Term], kind: type[Add] | type[Mul]) -> list[Term]:
    out: list[Term] = []
    for a in args:
        out.extend(flat(a.args, kind) if isinstance(a, kind) else [a])
    return out


def sum_of(terms: Sequence[tuple[bool, str]]) -> str:
    code = ""
    for negative, part in terms:
        if not code:
            code = f"-{part}" if negative else part
        else:
            code += f" {'-' if negative else '+'} {part}"
    return code or "0"


def signed(k: Size, what: str) -> tuple[bool, str]:
    """A multiple of an index."""
    n = k.constant
    if n is not None:
        size = "" if abs(n) == 1 and what else str(abs(n))
        return n < 0, f"{size}{'*' if size and what else ''}{what}"
    shown = str(k)
    if what:
        shown = f"({shown})*{what}" if len(k.monomials) > 1 else f"{shown}*{what}"
    negative = shown.startswith("-")
    return negative, shown.removeprefix("-")


def sides_of_index(e: IndexExpr) -> tuple[IndexExpr, IndexExpr]:
    """e >= 0 as `positive part >= negative part`."""
    constant, parts = as_affine(e)
    low = [(a, k) for a, k in parts if (k.constant or 1) > 0]
    high = [(a, -k) for a, k in parts if (k.constant or 1) < 0]
    n = constant.constant
    positive = n is None or n >= 0
    return affine(constant if positive else 0, low), affine(0 if positive else -constant, high)


__all__ = ["Notation", "equation", "latex", "latex_condition", "lettered", "predicate_text", "text"]
