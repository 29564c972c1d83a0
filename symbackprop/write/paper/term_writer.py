"""Terms as mathematics on paper: what LaTeX and the terminal have in common.

`TermWriter` decides order, signs, fractions, brackets and the letters of dummies; the subclasses say how a fraction,
a subscript or a sum looks.  Every index counts from 1 on paper (from 0 in the terms), so x_{i+k} of a convolution is
written x_{i+k-1}.  The result depends on the term alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from fractions import Fraction
from typing import assert_never

from symbackprop.core.indices import Affine, Bound, Index, IndexExpr, Pick, Size, affine, as_affine
from symbackprop.core.terms import (
    ONE, Add, Apply, Array, AtLeastZero, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Ordinal, Positive, Power,
    Predicate, Sum, Term, Whole, flattened, open_body, opened,
)  # fmt: skip

from .term_parts import (
    choose, coefficient_sum, equal_where, inverse, is_negative, is_short, plain_array, split_number,
)  # fmt: skip

SUM, PRODUCT, PREFIX, POWER, ATOM = range(5)  # how tightly a piece of text binds
Text = tuple[str, int]  # the text and how tightly it binds
Letters = frozenset[str]


class TermWriter(ABC):
    """Writes terms; `taken` are letters that dummies may not use."""

    minus, at_most, not_equal, times, of_index = "-", "≤", "≠", "·", " "
    first_index = 1

    # --- how things look ---------------------------------------------------------------------

    @abstractmethod
    def name(self, name: str) -> str: ...
    @abstractmethod
    def array(self, array: Array, subs: list[str]) -> str: ...
    @abstractmethod
    def brackets(self, text: str) -> str: ...
    @abstractmethod
    def fraction(self, above: str, below: str) -> Text: ...
    @abstractmethod
    def root(self, text: str) -> Text: ...
    @abstractmethod
    def raised(self, base: str, exponent: str) -> str: ...
    @abstractmethod
    def sigma(self, letter: str, size: str) -> str: ...
    @abstractmethod
    def function(self, fn: str, order: int) -> str: ...
    @abstractmethod
    def exponential(self, arg: str) -> str: ...
    @abstractmethod
    def delta(self, subs: list[str]) -> str: ...
    @abstractmethod
    def partial(self, above: str, below: list[str]) -> Text: ...
    @abstractmethod
    def iverson(self, text: str) -> str: ...
    @abstractmethod
    def entries(self, body: str, subs: list[str]) -> str: ...
    @abstractmethod
    def whole_function(self, w: Whole, axes: tuple[Index, ...], array: str, body: str, at: list[str]) -> Text: ...

    def letter(self, hint: str, taken: Iterable[str]) -> str:
        """A free letter for a dummy."""
        return choose(hint, taken)

    # --- terms -------------------------------------------------------------------------------

    def at_level(self, t: Term, level: int, taken: Letters) -> str:
        text, binds = self.term(t, taken)
        return text if binds >= level else self.brackets(text)

    def term(self, t: Term, taken: Letters) -> Text:
        match t:
            case Num(value):
                return self.number(value)
            case Size():
                return self.size(t)
            case Entry(array, at):
                return self.array(array, [self.index(e) for e in at]), ATOM
            case Ordinal(of):
                return self.affine(self.counted(of))
            case Delta(i, j):
                return self.delta([self.index(i), self.index(j)]), ATOM
            case Add(args):
                return self.addition(args, taken)
            case Mul():
                return self.product(t, taken)
            case Power(base, exponent):
                return self.power(base, exponent, taken)
            case Apply("exp", arg, 0):
                return self.exponential(self.term(arg, taken)[0]), POWER
            case Apply(fn, arg, order):
                return self.function(fn, order) + self.brackets(self.term(arg, taken)[0]), ATOM
            case Sum(size):
                i = Index(self.letter(t.hint, taken), size)
                body = self.at_level(opened(t, i), PRODUCT, taken | {i.name})
                return f"{self.sigma(self.name(i.name), self.size(size)[0])} {body}", PREFIX
            case Diff(body, wrt):
                return self.derivative(body, wrt, taken)
            case Whole():
                return self.whole(t, taken)
            case Holds(p):
                return self.iverson(self.predicate(p, taken)), ATOM
            case _:
                assert_never(t)

    def number(self, value: Fraction) -> Text:
        if value.denominator == 1:
            return (str(value), ATOM) if value >= 0 else (self.minus + str(-value), SUM)
        text, binds = self.fraction(str(abs(value.numerator)), str(value.denominator))
        return (text, binds) if value > 0 else (self.minus + text, SUM)

    def size(self, s: Size) -> Text:
        parts = []
        for symbols, c in reversed(s.monomials):
            number = str(abs(c)) if abs(c) != 1 or not symbols else ""
            parts.append((c < 0, " ".join(x for x in (number, *map(self.name, symbols)) if x)))
        if not parts:
            return "0", ATOM
        if len(parts) > 1 or parts[0][0]:
            return self.joined(parts), SUM
        return parts[0][1], PRODUCT if " " in parts[0][1] else ATOM

    def joined(self, parts: list[tuple[bool, str]]) -> str:
        """Terms of a sum with their signs."""
        first, *rest = parts
        tail = "".join((" - " if negative else " + ") + part for negative, part in rest)
        return (self.minus if first[0] else "") + first[1] + tail

    def addition(self, args: tuple[Term, ...], taken: Letters) -> Text:
        flat = flattened(Add, *args)
        if len(flat) == 1:
            return self.term(flat[0], taken)
        if (sides := equal_where(flat)) is not None:
            left, right = (self.term(s, taken)[0] for s in sides)
            return self.iverson(f"{left} = {right}"), ATOM
        return (self.joined([self.signed(a, taken) for a in flat]), SUM) if flat else ("0", ATOM)

    def signed(self, t: Term, taken: Letters) -> tuple[bool, str]:
        """Whether a term of a sum is subtracted, and what is."""
        if isinstance(t, Num) and t.value < 0:
            return True, self.number(-t.value)[0]
        if isinstance(t, Mul):
            c, rest = split_number(t)
            if c < 0:
                positive = rest if c == -1 and rest else (Num(-c), *rest)
                return True, self.at_level(Mul(positive), PRODUCT, taken)
        return False, self.at_level(t, PRODUCT, taken)

    def product(self, t: Mul, taken: Letters) -> Text:
        c, factors = split_number(t)
        above = [f for f in factors if not (isinstance(f, Power) and f.exponent < 0)]
        below = [inverse(f) for f in factors if isinstance(f, Power) and f.exponent < 0]
        text, binds = self.unsigned_product(abs(c), above, below, taken)
        if c >= 0:
            return text, binds
        return self.minus + (text if binds >= PRODUCT else self.brackets(text)), SUM

    def unsigned_product(self, c: Fraction, above: list[Term], below: list[Term], taken: Letters) -> Text:
        top: list[Term] = [] if c.numerator == 1 else [Num(Fraction(c.numerator))]
        bottom: list[Term] = [*([] if c.denominator == 1 else [Num(Fraction(c.denominator))]), *below]
        if not bottom:
            return self.side_by_side([*top, *above] or [ONE], taken)
        if all(map(is_short, bottom)):  # 1/N before the sum
            front, binds = self.quotient(top, bottom, taken)
            if not above:
                return front, binds
            return self.beside(front, above, taken)
        if len(above) == 1 and not isinstance(above[0], Diff):
            return self.quotient([*top, *above], bottom, taken)
        after: list[Term] = [f for f in above if isinstance(f, Sum | Diff | Add)]
        front, binds = self.quotient([*top, *(f for f in above if f not in after)], bottom, taken)
        return self.beside(front, after, taken) if after else (front, binds)

    def beside(self, front: str, factors: list[Term], taken: Letters) -> Text:
        rest, binds = self.side_by_side(factors, taken)
        return f"{front} {rest if binds >= PRODUCT else self.brackets(rest)}", PRODUCT

    def quotient(self, above: list[Term], below: list[Term], taken: Letters) -> Text:
        return self.fraction(self.side_by_side(above or [ONE], taken)[0], self.side_by_side(below, taken)[0])

    def side_by_side(self, factors: list[Term], taken: Letters) -> Text:
        """A product of factors; one alone binds as it does."""
        if len(factors) == 1:
            return self.term(factors[0], taken)
        texts: list[str] = []
        for n, f in enumerate(factors):
            text, binds = self.term(f, taken)
            opens = binds == PREFIX and n < len(factors) - 1
            text = text if binds >= PRODUCT and not opens else self.brackets(text)
            texts.append(f"{self.times} {text}" if texts and text[0].isdigit() else text)
        return " ".join(texts), PRODUCT

    def power(self, base: Term, q: Fraction, taken: Letters) -> Text:
        if q < 0:
            return self.quotient([], [inverse(Power(base, q))], taken)
        if q == Fraction(1, 2):
            return self.root(self.term(base, taken)[0])
        text, binds = self.term(base, taken)
        if binds < ATOM or (isinstance(base, Entry) and base.array.label is not None):
            text = self.brackets(text)
        return self.raised(text, str(q)), POWER

    def derivative(self, body: Term, wrt: Entry, taken: Letters) -> Text:
        below = self.term(wrt, taken)[0]
        if isinstance(body, Entry):
            return self.partial(self.term(body, taken)[0], [below])
        if isinstance(body, Whole) and body.order == 0 and not body.at and plain_array(body) is not None:
            return self.partial(self.name(body.fn), [below])
        text, _ = self.partial("", [below])
        inner, binds = self.term(body, taken)
        return f"{text} {inner if binds >= PREFIX else self.brackets(inner)}", PREFIX

    def whole(self, w: Whole, taken: Letters) -> Text:
        axes: list[Index] = []
        used = set(taken)
        for n, size in enumerate(w.sizes):
            axes.append(Index(self.letter(w.hints[n] if n < len(w.hints) else "k", used), size))
            used.add(axes[-1].name)
        plain = plain_array(w)
        body = self.term(open_body(w.body, tuple(axes)), frozenset(used))[0]
        array = self.array(plain, []) if plain is not None else self.entries(body, [self.name(a.name) for a in axes])
        at = [self.index(e) for e in w.at]
        if w.order and plain is not None and w.sizes:
            width = len(w.sizes)
            groups = [at[n : n + width] for n in range(0, len(at), width)]
            return self.partial(self.name(w.fn), [self.array(plain, g) for g in groups])
        return self.whole_function(w, tuple(axes), array, body, at)

    def predicate(self, p: Predicate, taken: Letters) -> str:
        match p:
            case NonNegative(e):  # what is subtracted stands on the left
                constant, parts = as_affine(e)
                constant = constant - coefficient_sum(e) * self.first_index
                subtracted = [(a, -k) for a, k in parts if is_negative(k)]
                less = Size(() if subtracted else tuple((m, -c) for m, c in constant.monomials if c < 0))
                left = affine(less, subtracted)
                right = affine(constant + less, [(a, k) for a, k in parts if not is_negative(k)])
                return f"{self.affine(left)[0]} {self.at_most} {self.affine(right)[0]}"
            case Positive(t):
                return f"{self.term(t, taken)[0]} > 0"
            case AtLeastZero(t):
                return f"0 {self.at_most} {self.term(t, taken)[0]}"
            case _:
                return f"{self.term(p.term, taken)[0]} {self.not_equal} 0"

    # --- indices -----------------------------------------------------------------------------

    def index(self, e: IndexExpr) -> str:
        """An index as a subscript, counted from 1."""
        match e:
            case Index(name, _):
                return self.name(name)
            case Bound(depth):
                return f"?{depth}"
            case Pick(array, at, _):
                return self.array(Array(array), [self.index(a) for a in at])
            case Affine():
                text = self.affine(affine(self.first_index, ((self.counted(e), 1),)))[0]
                return text.replace(" + ", "+").replace(" - ", "-")
            case _:
                assert_never(e)

    def counted(self, e: IndexExpr) -> IndexExpr:
        """What is to be written so that `e` is meant, where the letters count from `first_index`."""
        return affine(coefficient_sum(e) * -self.first_index, ((e, 1),))

    def affine(self, e: IndexExpr) -> Text:
        """An index expression as arithmetic in its letters."""
        constant, parts = as_affine(e)
        pieces = []
        for atom, k in parts:
            if k.constant is None:
                text, binds = self.size(k)
                front = text if binds >= PRODUCT else self.brackets(text)
                pieces.append((False, f"{front}{self.of_index}{self.index(atom)}"))
            else:
                number = "" if abs(k.constant) == 1 else f"{abs(k.constant)}{self.of_index}"
                pieces.append((k.constant < 0, number + self.index(atom)))
        pieces.sort(key=lambda p: p[0])
        pieces += [(c < 0, self.size(Size(((m, abs(c)),)))[0]) for m, c in reversed(constant.monomials)]
        if not pieces:
            return "0", ATOM
        return self.joined(pieces), ATOM if len(pieces) == 1 and not pieces[0][0] else SUM
