"""From index terms to compact forms: products of matrices, Hadamard products, transposes, traces, diag, ones.

`compact(t, rows, columns)` reads a term with at most two free indices as the entry of a matrix form, where it has one.
Nothing here is trusted: each result is lowered to its entries again and proved equal to the term.

Each monomial of the term is a small graph, its factors the edges and its summed indices the inner nodes.  A node goes
when its neighbours are at most two other nodes:

    u_k v_k -> u ∘ v,  Σ_k u_k -> 1^T u,  Σ_k A_ki u_k -> A^T u,  Σ_k A_ki u_k B_kj -> A^T diag(u) B,  Σ_k A_kk -> tr A
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.core.context import EMPTY
from symbackprop.core.indices import Index, IndexExpr, ProofError, SymbackpropError
from symbackprop.core.kernel import Linear, check
from symbackprop.core.matrix import (
    UNIT, ZERO_INDEX, Determinant, Diagonal, DiagonalOf, ElementPower, Elementwise, Given, Hadamard, Identity, Inverse,
    Leaf, Matrix, Ones, Plus, Product, Scale, Softmax, Trace, Transpose, Zeros, entry, shape,
)  # fmt: skip
from symbackprop.core.sums import Expansion, Factors, Monomial, collect
from symbackprop.core.terms import (
    Apply, Array, Delta, Entry, Mul, Num, Power, Size, Term, Whole, dummy, free, mul, opened_whole, over,
)  # fmt: skip
from symbackprop.prove.equality import prove_equal


class NoMatrixForm(SymbackpropError):
    """A term that is no entry of a product of matrices."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A form and the index of its rows and of its columns; None for an axis of size 1."""

    form: Matrix
    row: Index | None
    column: Index | None

    @property
    def nodes(self) -> frozenset[Index]:
        return frozenset(x for x in (self.row, self.column) if x is not None)

    def towards(self, row: Index | None, column: Index | None) -> Matrix:
        """The form with these rows and columns."""
        return self.form if (self.row, self.column) == (row, column) else transposed(self.form)


# --- elimination -------------------------------------------------------------------------------


def eliminated(edges: list[Edge], dummies: Sequence[Index]) -> list[Edge]:
    """The edges after all summed indices have gone, those with the fewest neighbours first."""
    left = list(dummies)
    while left:
        k = min(left, key=lambda d: (len(neighbours(edges, d)), sum(d in e.nodes for e in edges), d.name))
        if len(neighbours(edges, k)) > 2:
            raise NoMatrixForm(f"a summed index joins {len(neighbours(edges, k))} others")
        left.remove(k)
        edges = without(edges, k, left)
    return edges


def neighbours(edges: list[Edge], k: Index) -> frozenset[Index]:
    return frozenset[Index]().union(*(e.nodes for e in edges if k in e.nodes)) - {k}


def without(edges: list[Edge], k: Index, left: Sequence[Index] = ()) -> list[Edge]:
    """Σ_k of the edges at k as one edge."""
    here, rest = [e for e in edges if k in e.nodes], [e for e in edges if k not in e.nodes]
    if len(here) == 2 and here[0].nodes == here[1].nodes and len(here[0].nodes) == 2:
        (j,) = here[0].nodes - {k}
        if j in left and not any(j in e.nodes for e in rest):  # Σ_jk A_jk B_kj = tr(A B)
            return [*rest, Edge(DiagonalOf(Product(here[0].towards(j, k), here[1].towards(k, j))), j, None)]
    vector: Matrix | None = None
    sides: dict[Index, Matrix] = {}  # k × j
    for e in here:
        others = e.nodes - {k}
        if not others:
            vector = beside(vector, e.towards(k, None))
        else:
            (j,) = others
            sides[j] = beside(sides.get(j), e.towards(k, j))
    ends = sorted(sides, key=lambda j: j.name)
    match ends:
        case []:
            assert vector is not None
            return [*rest, Edge(total(vector, k), None, None)]
        case [j]:
            row: Matrix = Ones((UNIT, k.size)) if vector is None else transposed(vector)
            return [*rest, Edge(Product(row, sides[j]), None, j)]
        case [i, j]:
            right = sides[j] if vector is None else Product(Diagonal(vector), sides[j])
            return [*rest, Edge(Product(transposed(sides[i]), right), i, j)]
        case _:
            raise NoMatrixForm("a summed index with more than two neighbours")


def beside(m: Matrix | None, other: Matrix) -> Matrix:
    return other if m is None else Hadamard(m, other)


def total(vector: Matrix, k: Index) -> Matrix:
    """Σ_k v_k: a trace for a diagonal, an inner product for a Hadamard product, else 1^T v."""
    match vector:
        case DiagonalOf(of):
            return Trace(of)
        case Hadamard(a, b):
            return Product(transposed(a), b)
        case _:
            return Product(Ones((UNIT, k.size)), vector)


def placed(edges: list[Edge], rows: Index, columns: Index, ends: frozenset[Index]) -> Matrix:
    """What is left, between rows and columns: matrices by Hadamard, columns as diag(u) M, rows as M diag(v)."""
    i = rows if rows in ends else None
    j = columns if columns in ends else None
    between: Matrix | None = None
    at_row: Matrix | None = None
    at_column: Matrix | None = None
    for e in edges:
        if e.nodes == {rows, columns} and rows != columns:
            between = beside(between, e.towards(i, j))
        elif e.nodes == {rows}:
            at_row = beside(at_row, e.towards(i, None))
        elif e.nodes == {columns}:
            at_column = beside(at_column, e.towards(None, j))
        else:
            raise NoMatrixForm("a factor between other indices")
    return joined(between, at_row, at_column, rows, columns)


def joined(
    between: Matrix | None, at_row: Matrix | None, at_column: Matrix | None, rows: Index, columns: Index
) -> Matrix:
    if between is None:
        left = at_row if at_row is not None else Ones((rows.size, UNIT))
        right = at_column if at_column is not None else Ones((UNIT, columns.size))
        if columns.size == UNIT and at_column is None:
            return left
        return right if rows.size == UNIT and at_row is None else Product(left, right)
    if isinstance(between, Identity) and (at_row is not None or at_column is not None):
        vector = at_row if at_row is not None else transposed(at_column)  # type: ignore[arg-type]
        if at_row is not None and at_column is not None:
            vector = Hadamard(at_row, transposed(at_column))
        return Diagonal(vector)
    if at_row is not None:
        between = Product(Diagonal(at_row), between)
    return between if at_column is None else Product(between, Diagonal(transposed(at_column)))


def transposed(m: Matrix) -> Matrix:
    """The transpose, carried inwards where that leaves fewer of them."""
    match m:
        case Transpose(of):
            return of
        case Product(a, b):
            return Product(transposed(b), transposed(a))
        case Ones((n, k)):
            return Ones((k, n))
        case Identity() | Diagonal() | Trace() | Determinant():
            return m
        case Given(row, column, body, name):
            return Given(column, row, body, name)
        case Hadamard(a, b) if isinstance(a, Transpose) or isinstance(b, Transpose):
            return Hadamard(transposed(a), transposed(b))
        case _:
            return Transpose(m)


def compact(t: Term, rows: Index | None = None, columns: Index | None = None) -> Matrix | None:
    """The compact form of a term whose free indices are `rows` and `columns` (None: a column, a row, a scalar).

    Its entry there is proved to be the term; None where there is no such form.
    """
    if not free(t) <= {rows, columns}:
        return None
    i = rows if rows is not None else dummy(UNIT, "i")
    j = columns if columns is not None else dummy(UNIT, "j")
    try:
        form = _Reader().form(t, i, j)
        return form if proved(t, entry(form, i, j)) else None
    except SymbackpropError:
        return None


def proved(t: Term, lowered: Term) -> bool:
    try:
        check(Linear(t, lowered), EMPTY)
        return True
    except ProofError:
        return prove_equal(t, lowered, EMPTY) is not None


class _Reader:
    def form(self, t: Term, rows: Index, columns: Index) -> Matrix:
        """The form with entry t at (rows, columns); an axis of size 1 has no index in t."""
        run = Expansion(free(t), literal=0)
        monomials = list(collect(run.raw(t)).values())
        if not monomials:
            return Zeros((rows.size, columns.size))
        forms = [self.monomial(m, rows, columns) for m in monomials]
        return forms[0] if len(forms) == 1 else Plus(tuple(forms))

    def monomial(self, m: Monomial, rows: Index, columns: Index) -> Matrix:
        scalars: list[Term] = [] if m.coefficient == 1 else [Num(m.coefficient)]
        edges, factors = self.softmaxes(m.factors)
        for base, exponent in factors:
            if not free(base):
                scalars.append(base if exponent == 1 else Power(base, exponent))
                continue
            edge = self.factor(base)
            edges.append(edge if exponent == 1 else Edge(ElementPower(edge.form, exponent), edge.row, edge.column))
        ends = frozenset(x for x in (rows, columns) if x.size != UNIT)
        edges = eliminated(edges, m.dummies)
        numbers = [e.form for e in edges if not e.nodes]
        open_ends = [e for e in edges if e.nodes]
        inner = numbers.pop(0) if numbers and not open_ends and not ends else placed(open_ends, rows, columns, ends)
        for one in numbers:  # a 1×1 form joins a row or a column as a product, else it is a factor in front
            n, k = shape(inner)
            if UNIT in (n, k):
                inner = Product(inner, one) if k == UNIT else Product(one, inner)
            else:
                scalars.append(entry(one, ZERO_INDEX, ZERO_INDEX))
        return Scale(mul(*scalars), inner) if scalars else inner

    def softmaxes(self, factors: Factors) -> tuple[list[Edge], Factors]:
        """e^{z_i} / Σ_k e^{z_k} among the factors, as often as it occurs."""
        powers = dict(factors)
        found: list[Edge] = []
        for t in [t for t in powers if isinstance(t, Apply) and t.fn == "exp"]:
            assert isinstance(t, Apply)
            for i in sorted(free(t), key=lambda i: i.name):
                total = over(i, t)
                rest = sorted(free(t) - {i}, key=lambda j: j.name)
                while powers.get(t, 0) >= 1 and powers.get(total, 0) <= -1 and len(rest) <= 1:
                    j = rest[0] if rest else None
                    form = self.form(t.arg, i, j if j is not None else dummy(UNIT, "u"))
                    if isinstance(form, Transpose):
                        found.append(Edge(Softmax(form.of, 1), j, i))
                    else:
                        found.append(Edge(Softmax(form, 0), i, j))
                    powers[t] -= 1
                    powers[total] += 1
        return found, tuple((t, e) for t, e in powers.items() if e)

    def factor(self, t: Term) -> Edge:
        """One factor as an edge between the indices that occur in it."""
        found = sorted(free(t), key=lambda i: i.name)
        match t:
            case Entry(array, at) if len(at) <= 2 and all(isinstance(e, Index) for e in at):
                return entry_edge(array, at)
            case Delta(Index() as p, Index() as q) if p.size == q.size:
                return Edge(Identity(p.size), p, q)
        if len(found) > 2:
            raise NoMatrixForm("a factor with more than two indices")
        i = found[0]
        j: Index | None = found[1] if len(found) == 2 else None
        row, column = i, j if j is not None else dummy(UNIT, "u")
        match t:
            case Apply(fn, arg, order):
                return Edge(Elementwise(fn, self.form(arg, row, column), order), i, j)
            case Power(base, exponent):
                return Edge(ElementPower(self.form(base, row, column), exponent), i, j)
            case Whole("inv", 0, (n, _), _, (Index() as p, Index() as q), _):
                axes = (dummy(n, "i"), dummy(n, "j"))
                if free(t) == {p, q} and p != q:
                    return Edge(Inverse(self.form(opened_whole(t, axes), *axes)), p, q)
            case Whole("det", 0, (n, _), _, (), _):
                axes = (dummy(n, "i"), dummy(n, "j"))
                return Edge(Determinant(self.form(opened_whole(t, axes), *axes)), None, None)
        try:  # a sum inside a function, a polynomial under a root
            if isinstance(t, Mul | Size) or len(Expansion(free(t)).expand(t)) > 1:
                return Edge(self.form(t, row, column), i, j)
        except ProofError:
            pass
        return Edge(Given(row, column, t), i, j)


def entry_edge(array: Array, at: tuple[IndexExpr, ...]) -> Edge:
    match at:
        case (Index() as i,):
            return Edge(Leaf(array, "column", (i.size, UNIT)), i, None)
        case (Index() as i, Index() as j):
            matrix = Leaf(array, "matrix", (i.size, j.size))
            return Edge(DiagonalOf(matrix), i, None) if i == j else Edge(matrix, i, j)
        case _:
            return Edge(Leaf(array, "scalar", (UNIT, UNIT)), None, None)
