"""Index terms as people who write NumPy read them: `Σ_k g[i,k] W[k,j]`, indices counted from 0.

Free indices and dummies get letters that no array and no size is called by.  The result is for reading only and is
never parsed.  On paper indices count from 1: for that there are `text.py` and `latex.py`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, count

from symbackprop.core.indices import Index, IndexExpr, Pick, Size
from symbackprop.core.terms import (
    Add, Array, AtLeastZero, Entry, Mul, NonNegative, Num, Ordinal, Positive, Predicate, Sum, Term, Whole, free,
    opposite, substitute, subterms,
)  # fmt: skip

from .latex import latex as write_latex
from .latex import latex_predicate
from .term_parts import plain_array
from .term_writer import ATOM, POWER, PRODUCT, SUM, Letters, Text
from .text import Plain

LETTERS = ("i", "j", "k", "l", "m", "p", "q", "r", "s", "t", "u", "v")
CONSTANTS = {"pi": "π"}


def text(t: Term, axes: Sequence[Index] = ()) -> str:
    """One line; `axes` are the free indices that get the first letters."""
    return ArrayText(t, axes).written(t)


def latex(t: Term, axes: Sequence[Index] = ()) -> str:
    """LaTeX, counted from 1, with letters for the free indices."""
    return write_latex(lettered(t, axes))


def latex_condition(p: Predicate, axes: Sequence[Index] = ()) -> str:
    if isinstance(p, NonNegative):
        return latex_predicate(p)
    return latex_predicate(type(p)(lettered(p.term, axes)))


def lettered(t: Term, axes: Sequence[Index] = ()) -> Term:
    """Free indices with the letters that `text` gives them."""
    return substitute(t, {i: Index(x, i.size) for i, x in ArrayText(t, axes).letters.items()})


def equation(lhs: Term, rhs: Term, axes: Sequence[Index] = ()) -> str:
    both = ArrayText(Add((lhs, rhs)), axes)
    return f"{both.written(lhs)} = {both.written(rhs)}"


def predicate_text(p: Predicate, axes: Sequence[Index] = ()) -> str:
    writer = ArrayText(Ordinal(p.expr) if isinstance(p, NonNegative) else p.term, axes)
    return writer.predicate(p, writer.taken)


class ArrayText(Plain):
    """Writes terms that share one choice of letters for the free indices of `about`."""

    first_index, at_most, of_index = 0, "<=", "*"

    def __init__(self, about: Term, axes: Sequence[Index] = ()) -> None:
        named = symbols(about)
        rest = sorted(free(about) - set(axes), key=lambda i: (i.name, str(i.size)))
        self.letters = dict(zip([*axes, *rest], letters_but(named), strict=False))
        super().__init__(named | {*self.letters.values(), *(i.name for i in self.letters)})

    def written(self, t: Term) -> str:
        return self.term(t, self.taken)[0]

    # --- how things look ---------------------------------------------------------------------

    def name(self, name: str) -> str:
        return CONSTANTS.get(name, name)

    def array(self, array: Array, subs: list[str]) -> str:
        name = self.name(str(array))
        return f"{name}[{','.join(subs)}]" if subs else name

    def size(self, s: Size) -> Text:
        alone = len(s.monomials) == 1 and s.monomials[0][1] == 1
        return str(s), SUM if not alone else ATOM if len(s.monomials[0][0]) == 1 else PRODUCT

    def function(self, fn: str, order: int) -> str:
        return fn + "'" * order

    def delta(self, subs: list[str]) -> str:
        return f"[{subs[0]} = {subs[1]}]"

    def whole_function(self, w: Whole, axes: tuple[Index, ...], array: str, body: str, at: list[str]) -> Text:
        over = "" if plain_array(w) is not None else "_" + "".join(self.name(a.name) for a in axes)
        called = f"{self.function(w.fn, w.order)}{over}({body if over else array})"
        return f"{called}[{','.join(at)}]" if at else called, ATOM

    def letter(self, hint: str, taken: Iterable[str]) -> str:
        del hint  # a name from the user's program is too long for an index
        return next(letters_but(set(taken)))

    # --- fractions are one line: Σ_k x[k] / n would be read in two ways -----------------------

    def unsigned_product(self, c: Fraction, above: list[Term], below: list[Term], taken: Letters) -> Text:
        top = [*([] if c.numerator == 1 else [Num(Fraction(c.numerator))]), *sorted(above, key=is_sum)]
        if not c:
            return "0", ATOM
        bottom = [*([] if c.denominator == 1 else [Num(Fraction(c.denominator))]), *below]
        if not bottom and top:
            return self.side_by_side(top, taken)
        return self.quotient(top, bottom, taken) if bottom else ("1", ATOM)

    def quotient(self, above: list[Term], below: list[Term], taken: Letters) -> Text:
        top, binds = self.side_by_side(above or [Num(Fraction(1))], taken)
        bottom, below_binds = self.side_by_side(below, taken)
        top = top if binds >= PRODUCT and "Σ" not in top else self.brackets(top)
        return f"{top} / {bottom if below_binds >= POWER else self.brackets(bottom)}", PRODUCT

    # --- conditions --------------------------------------------------------------------------

    def predicate(self, p: Predicate, taken: Letters) -> str:
        if isinstance(p, NonNegative):
            return super().predicate(p, taken)
        relation = ">" if isinstance(p, Positive) else ">=" if isinstance(p, AtLeastZero) else self.not_equal
        left, right = self.sides(p.term, taken)
        return f"{left} {relation} {right}"

    def sides(self, t: Term, taken: Letters) -> tuple[str, str]:
        """t as left - right, for a comparison."""
        terms = summands(t)
        if len(terms) == 1 and not isinstance(t, Add):
            return self.term(t, taken)[0], "0"
        parts = [self.signed(a, taken) for a in terms]
        left, right = [p for p in parts if not p[0]], [(False, code) for negative, code in parts if negative]
        return self.joined(left) if left else "0", self.joined(right) if right else "0"

    # --- indices -----------------------------------------------------------------------------

    def index(self, e: IndexExpr) -> str:
        return self.name(self.letters.get(e, e.name)) if isinstance(e, Index) else super().index(e)


def letters_but(taken: Container[str]) -> Iterator[str]:
    """i, j, k, ..., i1, i2, ... without those that are taken."""
    return (x for x in chain(LETTERS, (f"i{n}" for n in count(1))) if x not in taken)


def summands(t: Term) -> list[Term]:
    """a, -b and c of a - (b - c)."""
    match t:
        case Add(args):
            return [x for a in args for x in summands(a)]
        case Mul((Num(value), Add(args))) if value == -1:
            return [opposite(x) for a in args for x in summands(a)]
        case _:
            return [t]


def is_sum(t: Term) -> bool:
    return isinstance(t, Sum)


def symbols(t: Term) -> Letters:
    """Names of arrays and sizes in a term: no index may be called like one."""
    found: set[str] = set()
    for s in subterms(t):
        match s:
            case Entry(array, at):
                found.add(array.name)
                found.update(e.array for e in at if isinstance(e, Pick))
            case Size() | Sum(Size()):
                found.update((s if isinstance(s, Size) else s.size).symbols)
            case Whole(_, _, sizes):
                found.update(n for size in sizes for n in size.symbols)
            case _:
                pass
    return frozenset(found)
