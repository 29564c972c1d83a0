"""Matrix forms on paper: products, Hadamard products, transposes, with as few brackets as they need."""

from __future__ import annotations


from abc import abstractmethod
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, assert_never
from symbackprop.core.indices import Index
from symbackprop.core.matrix import (
    UNIT, Determinant, Diagonal, DiagonalOf, ElementPower, Elementwise, Given, Hadamard, Identity, Inverse, Leaf,
    Matrix, Ones, Plus, Product, Scale, Softmax, Trace, Transpose, Zeros,
)  # fmt: skip
from symbackprop.core.terms import Diff, Entry, Mul, NonNegative, Num, Predicate, Term, Whole, free, substitute
from symbackprop.write.paper.term_parts import choose, names_in, plain_array, split_number
from symbackprop.write.paper.term_writer import ATOM, PRODUCT, SUM, TermWriter, Text
from dataclasses import replace


# Between a sum and a matrix product stands the Hadamard product, which binds more loosely than the product.
HADAMARD = SUM + 0.5
OPERATORS: dict[type, str] = {
    Diagonal: "diag", DiagonalOf: "diag", Trace: "tr", Determinant: "det", Softmax: "softmax",
}  # fmt: skip


class MatrixWriter(TermWriter):
    circ, transpose, ones_letter = "∘", "T", "1"

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = frozenset(taken)

    def __call__(self, t: Term) -> str:
        return self.term(t, names_in(t) | self.taken)[0]

    def condition(self, p: Predicate) -> str:
        """With letters for indices that only the prover has names for (~1)."""
        if isinstance(p, NonNegative):
            return self.predicate(p, frozenset(self.taken))
        used = frozenset(names_in(p.term) | self.taken)
        for i in sorted((i for i in free(p.term) if i.name.startswith("~")), key=lambda i: i.name):
            letter = self.letter("i", used)
            p, used = type(p)(substitute(p.term, {i: Index(letter, i.size)})), used | {letter}
        return self.predicate(p, used)

    def matrix(self, m: Matrix) -> str:
        return self.form(m)[0]

    @abstractmethod
    def operator(self, name: str) -> str: ...

    def form_at(self, m: Matrix, level: float) -> str:
        text, binds = self.form(m)
        return text if binds >= level else self.brackets(text)

    def form(self, m: Matrix) -> tuple[str, float]:
        match m:
            case Leaf(array, _, _):
                return self.array(array, []), ATOM
            case Given():
                return self.given(m)
            case Product():
                parts = factors(m)
                texts = [self.form_at(p, PRODUCT) for p in parts]
                return self.spaced(texts), PRODUCT
            case Hadamard(a, b):
                return f"{self.form_at(a, HADAMARD)} {self.circ} {self.form_at(b, PRODUCT)}", HADAMARD
            case Plus(args):
                return self.joined([self.signed_form(a) for a in args]), SUM
            case Scale(factor, of):
                c, _ = number_of(factor)
                text = self.scaled(factor, of)
                return text, SUM if c < 0 else PRODUCT
            case Transpose(Inverse(of)) | Inverse(Transpose(of)):
                return self.raised(self.raisable(of), f"-{self.transpose}"), ATOM
            case Transpose(of):
                return self.raised(self.raisable(of), self.transpose), ATOM
            case Elementwise(fn, of, order):
                name = self.operator("exp") if (fn, order) == ("exp", 0) else self.function(fn, order)
                return name + self.brackets(self.form(of)[0]), ATOM
            case ElementPower(of, exponent):
                base = self.form(of)[0] if isinstance(of, Elementwise) else self.raisable(of)  # tanh(Z)^(∘2)
                return self.raised(base, f"{self.circ} {exponent}"), ATOM
            case Diagonal(of) | DiagonalOf(of) | Trace(of) | Determinant(of) | Softmax(of):
                return self.operator(OPERATORS[type(m)]) + self.brackets(self.form(of)[0]), ATOM
            case Inverse(of):
                return self.raised(self.raisable(of), "-1"), ATOM
            case Ones((n, k)):
                return self.ones(n == UNIT, k == UNIT, self.size(n)[0], self.size(k)[0]), ATOM
            case Zeros((n, k)):
                return "0", ATOM
            case Identity(n):
                return self.array_with("I", self.size(n)[0]), ATOM
            case _:
                assert_never(m)

    def spaced(self, texts: list[str]) -> str:
        return " ".join(texts)

    def array_with(self, letter: str, size: str) -> str:
        return f"{letter}_{size}"

    def ones(self, row: bool, column: bool, n: str, k: str) -> str:
        """A row, a column or a matrix of ones, with its length."""
        if row and column:
            return "1"
        if row or column:
            text = self.array_with(self.ones_letter, k if row else n)
            return self.raised(text, self.transpose) if row else text
        return self.array_with(self.ones_letter, f"{n} × {k}")

    def raisable(self, m: Matrix) -> str:
        """Text that may carry an exponent: a labelled array already has one."""
        text, binds = self.form(m)
        plain = isinstance(m, Leaf) and m.array.label is None
        return text if binds >= ATOM and plain else self.brackets(text)

    def signed_form(self, m: Matrix) -> tuple[bool, str]:
        if isinstance(m, Scale):
            c, rest = number_of(m.factor)
            if c < 0:
                positive: Matrix = Scale(Mul((Num(-c), *rest)), m.of) if c != -1 or rest else m.of
                return True, self.form_at(positive, HADAMARD)
        return False, self.form_at(m, HADAMARD)

    def scaled(self, factor: Term, of: Matrix) -> str:
        c, rest = number_of(factor)
        if not rest and abs(c) == 1:
            return self.form_at(of, PRODUCT) if c == 1 else self.minus + self.form_at(of, HADAMARD)
        inner = self.form_at(of, PRODUCT)
        text, binds = self.term(factor, self.taken | names_in(factor))
        if binds < PRODUCT and c > 0:
            text = self.brackets(text)
        return f"{text} {inner}"

    def given(self, m: Given) -> tuple[str, float]:
        found = self.jacobian(m)
        if found is not None:
            return found
        body = m.body
        if isinstance(body, Mul):  # a number or 1/N before something with a name
            outside = [a for a in body.args if free(a).isdisjoint((m.row, m.column))]
            inside = [a for a in body.args if a not in outside]
            if len(inside) == 1 and outside:
                found = self.jacobian(Given(m.row, m.column, inside[0]))
                if found is not None:
                    return f"{self.term(Mul(tuple(outside)), self.taken)[0]} {found[0]}", PRODUCT
        used = names_in(body) - {m.row.name, m.column.name} | self.taken
        letters, values = [], {}
        for axis in (m.row, m.column):
            letter = axis.name.split("#")[0]
            if axis.size != UNIT:
                letter = choose(letter, used)
                used |= {letter}
                letters.append(self.name(letter))
            values[axis] = Index(letter, axis.size)
        text = self.term(substitute(body, dict(values)), frozenset(used))[0]
        return (self.entries(text, letters), ATOM) if letters else (text, SUM)

    def jacobian(self, m: Given) -> Text | None:
        """∂L/∂W for the matrix of ∂L/∂W_ij, its transpose for ∂L/∂W_ji."""
        match m.body:
            case Diff(Entry(array, (i,)), Entry(by, (j,))) if (i, j) == (m.row, m.column):
                return self.partial(self.array(array, []), [self.array(by, [])])  # the Jacobian of a column
            case Diff(body, wrt):
                below, at = self.array(wrt.array, []), wrt.at
                if isinstance(body, Whole) and plain_array(body) is not None and body.order == 0:
                    above = self.name(body.fn)
                elif isinstance(body, Entry) and not body.at:
                    above = self.array(body.array, [])
                else:
                    return None
            case Whole(fn, 1, sizes, _, at, _) if plain_array(m.body) is not None and len(at) == len(sizes):
                plain = plain_array(m.body)
                assert plain is not None
                above, below = self.name(fn), self.array(plain, [])
            case _:
                return None
        text = self.partial(above, [below])
        if len(at) == 1:  # a vector stands as its convention has it
            if at != ((m.row,) if m.column.size == UNIT else (m.column,)):
                return None
            return text
        if at == (m.row, m.column):
            return text
        return (self.raised(self.brackets(text[0]), self.transpose), ATOM) if at == (m.column, m.row) else None


def number_of(factor: Term) -> tuple[Fraction, tuple[Term, ...]]:
    """The number in a scalar factor, and the rest of it."""
    return split_number(factor if isinstance(factor, Mul) else Mul((factor,)))


# --- the forms that stand in a matrix form ---


PLACES = ("left", "right", "of")


def parts_of(m: Matrix) -> tuple[Matrix, ...]:
    return m.args if isinstance(m, Plus) else tuple(getattr(m, place) for place in PLACES if hasattr(m, place))


def with_parts(m: Matrix, new: tuple[Matrix, ...]) -> Matrix:
    """The same form with other parts."""
    if isinstance(m, Plus):
        return Plus(new)
    places: dict[str, Any] = dict(zip((p for p in PLACES if hasattr(m, p)), new, strict=True))
    return replace(m, **places)


def factors(m: Matrix) -> tuple[Matrix, ...]:
    """The factors of a matrix product of any length."""
    return (*factors(m.left), *factors(m.right)) if isinstance(m, Product) else (m,)
