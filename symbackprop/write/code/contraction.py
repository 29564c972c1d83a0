"""Sums of products as graphs and as einsum: factors join the indices in them, and summed indices are taken out in turn.

The building block of `compact`, which proves what the forms mean; einsum is left for what is no product of matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from symbackprop.core.indices import Index, SymbackpropError
from symbackprop.core.matrix import (
    UNIT,
    Determinant,
    Diagonal,
    DiagonalOf,
    Given,
    Hadamard,
    Identity,
    Matrix,
    Ones,
    Product,
    Trace,
    Transpose,
)
from symbackprop.core.sums import Expansion, Monomial, canonical, collect
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ONE, Delta, Entry, Num, Power, Term, add, free, mul, over, substitute


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
            column = e.towards(k, None)
            vector = column if vector is None else Hadamard(vector, column)
        else:
            (j,) = others
            side = e.towards(k, j)
            sides[j] = side if j not in sides else Hadamard(sides[j], side)
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
            m = e.towards(i, j)
            between = m if between is None else Hadamard(between, m)
        elif e.nodes == {rows}:
            u = e.towards(i, None)
            at_row = u if at_row is None else Hadamard(at_row, u)
        elif e.nodes == {columns}:
            v = e.towards(None, j)
            at_column = v if at_column is None else Hadamard(at_column, v)
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


@dataclass(frozen=True, slots=True)
class Summand:
    """factor * einsum(subscripts, operands): each operand is an array by its entries."""

    factor: Term
    subscripts: str
    operands: tuple[Tensor, ...]
    dummies: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Einsum:
    """A sum of einsums with the same free indices."""

    indices: tuple[Index, ...]
    summands: tuple[Summand, ...]

    def term(self) -> Term:
        """The entry at the indices."""
        return add(*(lowered(s) for s in self.summands))

    def __str__(self) -> str:
        from symbackprop.write.paper.text import text

        def one(s: Summand) -> str:
            names = ", ".join(text(o.body) for o in s.operands)
            call = f"einsum('{s.subscripts}', {names})"
            return call if s.factor == ONE else f"{text(s.factor)} {call}"

        return " + ".join(map(one, self.summands)) or "0"


def einsum(t: Term, indices: tuple[Index, ...]) -> Einsum:
    """The term as a sum of einsums, one for each monomial.  Raises SymbackpropError for other free indices."""
    if not free(t) <= set(indices):
        raise SymbackpropError("an einsum names all its free indices")
    run = Expansion(free(t), literal=0)
    monomials = collect(run.raw(t))
    return Einsum(indices, tuple(summand(monomials[k], indices) for k in sorted(monomials)))


def summand(m: Monomial, indices: tuple[Index, ...]) -> Summand:
    letters = lettered(indices, canonical(m)[1])
    named = {i: Index(letters[i], i.size) for i in m.dummies}
    operands, subscripts = [], []
    scalars: list[Term] = [] if m.coefficient == 1 else [Num(m.coefficient)]
    for base, exponent in m.factors:
        axes, plain = axes_of(base), substitute(base, dict(named))
        value = plain if exponent == 1 else Power(plain, exponent)
        if not axes:
            scalars.append(value)
            continue
        operands.append(Tensor(tuple(named.get(i, i) for i in axes), value))
        subscripts.append("".join(letters[i] for i in axes))
    used = "".join(subscripts)
    result = "".join(letters[i] for i in indices if letters[i] in used)
    return Summand(mul(*scalars), f"{','.join(subscripts)}->{result}", tuple(operands), tuple(named.values()))


def lettered(indices: tuple[Index, ...], dummies: tuple[Index, ...]) -> dict[Index, str]:
    """A letter for each: the index's own where it is one, free letters for the others."""
    own = {i: i.name for i in indices if len(i.name) == 1 and i.name in ascii_lowercase}
    spare = [x for x in ascii_lowercase[10:] + ascii_lowercase[:10] if x not in own.values()]
    others = [i for i in (*indices, *dummies) if i not in own]
    if len(others) > len(spare):
        raise SymbackpropError("an einsum has at most 26 indices")
    return {**own, **dict(zip(others, spare, strict=False))}


def axes_of(t: Term) -> tuple[Index, ...]:
    """The indices of a factor, in the order of an array's axes where it is an entry."""
    match t:
        case Entry(_, at) if len(set(at)) == len(at) and all(isinstance(e, Index) for e in at):
            return tuple(e for e in at if isinstance(e, Index))
        case Delta(Index() as i, Index() as j):
            return i, j
        case _:
            return tuple(sorted(free(t), key=lambda i: i.name))


def lowered(s: Summand) -> Term:
    """What an einsum means: the sum over the letters that are not in the result."""
    body: Term = mul(s.factor, *(o.body for o in s.operands))
    for i in reversed(s.dummies):
        body = over(i, body)
    return body
