"""From index terms to compact forms: products of matrices, Hadamard products, transposes, traces, diag, ones.

`compact(t, rows, columns)` reads a term with at most two free indices as the entry of a matrix form; what has no such
form (a factor with three indices that stay together) becomes an einsum.  Nothing here is trusted: each result is
lowered to its entries again and proved equal to the term.

Each monomial of the term is a small graph, its factors the edges and its summed indices the inner nodes.  A node goes
when its neighbours are at most two other nodes:

    u_k v_k -> u ∘ v,  Σ_k u_k -> 1^T u,  Σ_k A_ki u_k -> A^T u,  Σ_k A_ki u_k B_kj -> A^T diag(u) B,  Σ_k A_kk -> tr A
"""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.core.context import EMPTY, Context, Equation
from symbackprop.core.indices import Index, IndexExpr, ProofError, SymbackpropError
from symbackprop.core.kernel import Linear, Proof, check
from symbackprop.core.matrix import (
    UNIT,
    ZERO_INDEX,
    Determinant,
    DiagonalOf,
    ElementPower,
    Elementwise,
    Given,
    Identity,
    Inverse,
    Leaf,
    Matrix,
    Plus,
    Product,
    Scale,
    Softmax,
    Transpose,
    Zeros,
    entry,
    shape,
)
from symbackprop.core.sums import Expansion, Factors, Monomial, collect
from symbackprop.core.terms import (
    Apply,
    Array,
    Delta,
    Entry,
    Mul,
    Num,
    Power,
    Size,
    Term,
    Whole,
    dummy,
    free,
    mul,
    opened_whole,
    over,
)
from symbackprop.prove.equality import prove_equal

from .contraction import Edge, Einsum, NoMatrixForm, einsum, eliminated, placed


@dataclass(frozen=True, slots=True)
class Compact:
    """A form whose entry at (rows, columns) was proved to be the term; or an einsum that was."""

    form: Matrix | Einsum
    rows: Index | None
    columns: Index | None
    proof: Proof
    theorem: Equation


def compact(t: Term, rows: Index | None = None, columns: Index | None = None, context: Context = EMPTY) -> Compact:
    """The compact form of a term whose free indices are `rows` and `columns` (None: a column, a row, a scalar).

    Raises SymbackpropError for other free indices, and where even the einsum could not be proved.
    """
    extra = sorted(i.name for i in free(t) - {rows, columns})
    if extra:
        raise SymbackpropError(f"a compact form has a row and a column; {', '.join(extra)} is also free")
    i = rows if rows is not None else dummy(UNIT, "i")
    j = columns if columns is not None else dummy(UNIT, "j")
    forms: list[Matrix | Einsum] = []
    try:
        forms.append(_Reader().form(t, i, j))
    except (NoMatrixForm, ProofError):
        pass
    for form in (*forms, einsum(t, tuple(x for x in (rows, columns) if x is not None))):
        lowered = form.term() if isinstance(form, Einsum) else entry(form, i, j)
        found = proved(t, lowered, context)
        if found is not None:
            return Compact(form, rows, columns, *found)
    raise SymbackpropError("no compact form of this term was proved")


def proved(t: Term, lowered: Term, context: Context) -> tuple[Proof, Equation] | None:
    try:
        proof = Linear(t, lowered)
        return proof, check(proof, context)
    except ProofError:
        return prove_equal(t, lowered, context)


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


__all__ = ["Compact", "Einsum", "NoMatrixForm", "compact"]
