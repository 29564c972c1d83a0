"""Notations that are short for something: differentials, repeated indices, an entry set equal to an array; and what an
author does not write: names of sizes, axes and sums, L of one sample i, x_i for a row of X.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, TypeVar, cast

from symbackprop.core.terms import SymbackpropError

from ..declared.symbols import ArraySymbol, Declarations, SizeSymbol
from ..files.place import Unsettled
from ..grammar.tree import (
    Add, All, At, Binder, Call, Chain, Derivative, Differential, Entry, Expr, Gradient, Hadamard, Identity, IndexName,
    Inner, Kronecker, Label, Neg, Num, Power, Product, Quotient, Sum, Symbol, Transpose,
)  # fmt: skip
from ..grammar.walking import mapped, rewritten, walk
from ..meaning.ranges import indices
from .conform import Shapes
from .conform_operations import ANY, UNIT, Misfit, Unifier, unbound_indices, unknown

_SIZES = ("n", "m", "d", "p", "q", "r", "k", "h", "s")


def fresh_names(taken: Collection[str]) -> Iterator[str]:
    return (n for n in (*_SIZES, *(f"{a}_{k}" for k in range(1, 20) for a in "nmd")) if n not in taken)


def with_named_sizes(rough: Declarations, sizes: Unifier, taken: Collection[str]) -> Declarations:
    """The table with every unknown size under a name that nothing else has."""
    names: dict[object, str] = {}
    fresh = fresh_names(taken)
    more: dict[str, SizeSymbol] = {}

    def size(e: Expr) -> Expr:
        if not (isinstance(e, Symbol) and "." in e.name):
            return e
        root = sizes.find(e.name)
        if isinstance(root, int):
            return Num(Fraction(root))
        if unknown(root):
            if root not in names:
                names[root] = next(fresh)
                more[names[root]] = SizeSymbol(names[root])
            return Symbol(names[root])
        return size_expression(root, rough)

    def settled(symbol: ArraySymbol) -> ArraySymbol:
        return replace(symbol, shape=tuple(map(size, symbol.shape)))

    arrays, layered = ({k: settled(s) for k, s in table.items()} for table in (rough.arrays, rough.layered))
    return replace(
        rough, arrays=arrays, layered=layered, sizes={**rough.sizes, **more}, fresh=frozenset(more) | rough.fresh
    )


def size_expression(root: str, table: Declarations) -> Expr:
    """n, 3, n_{l-1} from the text that sizes are compared by."""
    for symbol in table.layered_sizes.values():
        if root.startswith(f"{symbol.name}_"):
            text = root.removeprefix(f"{symbol.name}_")
            base = text.rstrip("+-0123456789") or None
            rest = text[len(base or "") :]
            return Symbol(symbol.name, Label(base, int(rest) if rest else 0))
    return Num(Fraction(int(root))) if root.lstrip("-").isdigit() else Symbol(root)


def range_in(node: Expr, index: str, table: Declarations) -> Expr | None:
    """The size of an axis on which an index stands."""
    for n in walk(node):
        if isinstance(n, Entry) and isinstance(n.base, Symbol) and n.base.name in table.arrays:
            shape = table.arrays[n.base.name].shape
            for k, i in enumerate(n.at):
                if i == IndexName(index) and k < len(shape):
                    return shape[k]
    return None


Tree = TypeVar("Tree")
RowsOf: TypeAlias = Mapping[str, tuple[str, str]]
"""By matrix: the letter of its rows, columns or entries, and which of these."""


class Unwritten(NamedTuple):
    """What the letters of a section stand for besides their table."""

    rows_of: RowsOf = MappingProxyType({})
    hidden: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    conditions: tuple[Chain, ...] = ()
    """On indices: for i ≠ j."""

    def written(self, node: Tree, table: Declarations) -> Tree:
        """With rows of X for x_i, and the axes that are not written."""
        return cast(Tree, explicit(node, table, self.rows_of, self.hidden))


def with_axes(
    key: str, chain: Chain, table: Declarations, rows_of: RowsOf, hidden: dict[str, tuple[str, ...]]
) -> tuple[Chain, Declarations]:
    """L = … y_i …: L of one sample i has i as an axis that is not written."""
    chain = cast(Chain, explicit(chain, table, rows_of, hidden))
    head, rhs = chain.subjects[-1], chain.links[0].rhs
    have, _ = indices(head, table)
    need, _ = indices(rhs, table)
    extra = tuple(sorted(i for i in need if i not in have and i not in table.layers))
    plain = isinstance(head, Symbol) and head.label is None and key in table.arrays and not table.arrays[key].shape
    if not extra or not plain:
        return chain, table
    hidden[key] = extra
    at = tuple(IndexName(i) for i in extra)
    axes = tuple(range_in(rhs, i, table) for i in extra)
    if any(a is None for a in axes):
        return chain, table
    shape = tuple(a for a in axes if a is not None)
    symbol = replace(table.arrays[key], shape=shape, orientation="vector" if len(shape) == 1 else "matrix")
    new = Chain((Entry(head, at, head.span),), chain.links, chain.span)
    return new, table.with_array(symbol)


def explicit(node: object, table: Declarations, rows_of: RowsOf, hidden: Mapping[str, tuple[str, ...]]) -> object:
    """Rows of X for x_i, axes that are not written, sums over repeated indices."""
    if isinstance(node, Entry) and isinstance(node.base, Symbol):
        for whole, (item, axis) in rows_of.items():
            if node.base.name == item and whole in table.arrays and item in table.arrays:
                x = Symbol(whole, None, None, node.base.span)
                if len(node.at) == 2:
                    return Entry(x, node.at[::-1] if axis == "column" else node.at, node.span)
                if len(node.at) == 1:
                    if axis == "row":
                        return Transpose(Entry(x, (node.at[0], All(node.span)), node.span), node.span)
                    return Entry(x, (All(node.span), node.at[0]), node.span)
    if isinstance(node, Entry) and isinstance(node.base, Symbol) and node.base.name in hidden:
        return node
    if isinstance(node, Symbol) and node.label is None and node.name in hidden and table.arrays[node.name].shape:
        return Entry(node, tuple(IndexName(i, node.span) for i in hidden[node.name]), node.span)
    return mapped(node, lambda child: explicit(child, table, rows_of, hidden))


ROW, COLUMN = "a''", "b''"


def without_shorthand(
    lhs: Expr, rhs: Expr, table: Declarations, moving: Collection[str] = ()
) -> tuple[Expr, Expr, list[Chain], Declarations]:
    """The sides without what is short for something, the points at which they are taken, the table.  Between
    differentials the `moving` letters change, too.
    """
    if table.einstein:
        lhs, rhs = with_repeated_summed(lhs, rhs, table)
    lhs, rhs, points = at_points(lhs, rhs)
    if any(isinstance(n, Differential) for x in (lhs, rhs, *points) for n in walk(x)):
        lhs, rhs, points, table = along(lhs, rhs, points, table, moving)
    lhs, rhs = (cast(Expr, diagonals(x, table)) for x in (lhs, rhs))
    if table.inferred:
        lhs, rhs = entry_of_array(lhs, rhs, table), entry_of_array(rhs, lhs, table)
    return lhs, rhs, points, table


# --- differentials -------------------------------------------------------------------------------


def along(
    lhs: Expr, rhs: Expr, points: list[Chain], table: Declarations, moving: Collection[str] = ()
) -> tuple[Expr, Expr, list[Chain], Declarations]:
    """dJ = tr(G^T dX): what J changes by when X does, for every dX, or for those of the points, dX = AX."""
    variables = moved(rhs, table).union(*(moved(c.subjects[0], table) for c in points)) or moved(lhs, table)
    if not variables:
        raise Unsettled("which variables change is not said: no d of one stands on the right", lhs.span)
    variables = variables.union(moving)
    for v in sorted(variables):
        table = table.with_array(replace(table.arrays[v], name=f"d{v}", of=""))
    points = [cast(Chain, changed(c, variables, table)) for c in points]
    shape = shape_of(lhs, table) or shape_of(rhs, table)
    if shape is None or shape == (UNIT, UNIT):
        return changed(lhs, variables, table), changed(rhs, variables, table), points, table
    at: tuple[Expr, ...] = tuple(IndexName(n) for n, size in zip((ROW, COLUMN), shape, strict=True) if size != UNIT)
    left, right = (entrywise(x, variables, at, table) for x in (lhs, rhs))
    return left, right, points, table


def moved(node: Expr, table: Declarations) -> set[str]:
    """The arrays whose d is taken."""
    out = set()
    for n in walk(node):
        if isinstance(n, Differential):
            body = n.body
            while isinstance(body, (Transpose, Entry)):
                body = body.arg if isinstance(body, Transpose) else body.base
            if isinstance(body, Symbol) and body.label is None and body.name in table.arrays:
                out.add(body.name)
    return out


def shape_of(node: Expr, table: Declarations) -> tuple[object, object] | None:
    shapes = Shapes(table)
    try:
        found = shapes.of(node)
    except (Misfit, SymbackpropError):
        return None
    if found is ANY or len(found) == 3:
        return None
    return shapes.sizes.find(found[0]), shapes.sizes.find(found[1])


def changed(node: Expr | Chain, variables: set[str], table: Declarations) -> Expr:
    """Every d of a variable as an array of its own, every other d as the sum of what the variables bring."""

    return cast(
        Expr, rewritten(node, lambda n: one(n.body, variables, table, n) if isinstance(n, Differential) else None)
    )


def one(body: Expr, variables: set[str], table: Declarations, node: Differential) -> Expr:
    match body:
        case Symbol(name) if name in variables:
            return Symbol(f"d{name}", None, None, node.span)
        case Entry(Symbol(name) as base, at) if name in variables:
            return Entry(replace(base, name=f"d{name}"), at, node.span)
        case Transpose(arg):
            return Transpose(one(arg, variables, table, node), node.span)
    parts: list[Expr] = []
    if any(isinstance(n, Differential) for n in walk(body)):  # d^2 f, where d^2 x is 0
        body = changed(body, variables, table)
    for v in sorted(variables):
        x, dx = Symbol(v, None, None, node.span), Symbol(f"d{v}", None, None, node.span)
        if not table.arrays[v].shape:
            parts.append(Product((Derivative(body, (x,), False, node.span), dx), ("",), node.span))
        else:
            parts.append(Inner(Gradient(body, x, node.span), dx, node.span))
    return parts[0] if len(parts) == 1 else Add(tuple(parts), node.span)


def entrywise(node: Expr, variables: set[str], at: tuple[Expr, ...], table: Declarations) -> Expr:
    """The entry of a side in which an array changes."""
    match node:
        case Differential(body) if moved(node, table) - variables or not isinstance(body, (Symbol, Transpose, Entry)):
            return one(Entry(body, at, node.span), variables, table, node)
        case Neg(arg):
            return Neg(entrywise(arg, variables, at, table), node.span)
        case Add(args):
            return Add(tuple(entrywise(a, variables, at, table) for a in args), node.span)
        case _:
            return Entry(changed(node, variables, table), at, node.span)


# --- at a point ----------------------------------------------------------------------------------


def at_points(lhs: Expr, rhs: Expr) -> tuple[Expr, Expr, list[Chain]]:
    """∂f/∂x|_{x = a} = b: differentiated first, the claim is ∂f/∂x = b where x = a."""
    points = [n for side in (lhs, rhs) for n in walk(side) if isinstance(n, At)]
    chains = list(dict.fromkeys(n.chain for n in points))
    letters = [c.subjects[0] for c in chains if isinstance(c.subjects[0], Symbol)]
    outside = {n for side in (lhs, rhs) for n in walk(side, (At,)) if isinstance(n, Symbol)}
    inside = {n for c in chains for n in walk(c.links[0].rhs)}
    if len(set(letters)) < len(letters) or (outside | inside) & set(letters):
        raise Unsettled("a value at a point, |_{x = a}, beside another x", points[0].span)

    def go(n: object) -> object:
        return go(n.body) if isinstance(n, At) else mapped(n, go)

    return cast(Expr, go(lhs)), cast(Expr, go(rhs)), chains


# --- repeated indices ----------------------------------------------------------------------------


def with_repeated_summed(lhs: Expr, rhs: Expr, table: Declarations) -> tuple[Expr, Expr]:
    """By Einstein's convention; what the other side has once is no dummy: δ_i = u_i σ'(z_i)."""
    return cast(Expr, summed(lhs, table, once(rhs))), cast(Expr, summed(rhs, table, once(lhs)))


def summed(node: object, table: Declarations, kept: frozenset[str] = frozenset()) -> object:
    """Einstein's convention: an index that stands twice in a product is summed there, unless it is a dummy already."""
    match node:
        case Sum(binders):
            inside = kept | {b.name for b in binders}
            return mapped(node, lambda c: summed(c, table, inside))
        case Product() | Hadamard() | Entry() | Quotient() | Power() | Kronecker():
            inner = mapped(node, lambda c: (summed_parts if isinstance(c, (Entry, tuple)) else summed)(c, table, kept))
            repeated = [i for i, n in counts(inner).items() if n > 1 and i not in table.layers and i not in kept]
            if repeated:
                return Sum(tuple(Binder(i) for i in sorted(repeated)), cast(Expr, inner), (), node.span)
            return inner
        case _:
            return mapped(node, lambda c: summed(c, table, kept))


def summed_parts(node: object, table: Declarations, kept: frozenset[str]) -> object:
    """Factors as they are; what stands inside brackets or functions is a product of its own."""
    if isinstance(node, tuple):
        return tuple(summed_parts(c, table, kept) for c in node)
    return node if isinstance(node, (Entry, IndexName, Kronecker)) else summed(node, table, kept)


def once(node: object) -> frozenset[str]:
    """The indices that are free under the convention."""
    return frozenset(i for i, n in counts(node).items() if n == 1)


def counts(node: object) -> Counter[str]:
    """How often each index stands in a product, outside of what is summed already."""
    match node:
        case IndexName(name):
            return Counter((name,))
        case Derivative(body, wrt):  # ∂L/∂u_i W_{ij} is summed over i, and so is u_i ∂u_j/∂x_i
            return Counter({i for e in (body, *wrt) for i in once(e)})
        case Call(args=args):  # σ(z_i) is one number of each i
            return Counter({i for a in args for i in once(a)})
        case Entry(base, at):
            return sum(map(counts, at), Counter() if isinstance(base, Symbol) else counts(base))
        case Kronecker(i, j):
            return counts(i) + counts(j)
        case Product(args) | Hadamard(args):
            return sum(map(counts, args), Counter())
        case Add(args):  # each of its terms has the same indices
            return counts(args[0])
        case Neg(arg) | Transpose(arg) | Quotient(top=arg):
            return counts(arg)
    return Counter()


def along_chain(lhs: Expr, rhs: Expr, table: Declarations) -> tuple[Expr, Expr, list[str]]:
    """∂f/∂γ = ∂f/∂y_i ∂y_i/∂γ, where i stands on one side only: the chain rule sums over i."""
    (left, _), (right, _) = (indices(x, table) for x in (lhs, rhs))
    over: list[str] = []
    lhs = cast(Expr, with_chain_sums(lhs, left.keys() - right.keys(), over))
    rhs = cast(Expr, with_chain_sums(rhs, right.keys() - left.keys(), over))
    return lhs, rhs, sorted(set(over))


def with_chain_sums(node: object, lone: Set[str], over: list[str]) -> object:
    match node:
        case Add() | Neg() | Quotient() | tuple():
            return mapped(node, lambda c: with_chain_sums(c, lone, over))
        case Product(args):
            derivatives = [a for a in args if isinstance(a, Derivative)]
            between = [d.body for d in derivatives if any(d.body in other.wrt for other in derivatives)]
            found = {i.name for e in between if isinstance(e, Entry) for i in e.at if isinstance(i, IndexName)} & lone
            over.extend(found)
            return Sum(tuple(Binder(i) for i in sorted(found)), node, (), node.span) if found else node
        case _:
            return node


# --- entries and arrays --------------------------------------------------------------------------


def diagonals(node: object, table: Declarations) -> object:
    """diag(e_n): the diagonal matrix of the e_n, for all n."""
    if isinstance(node, Call) and node.function.name == "diag" and len(node.args) == 1:
        names = sorted(unbound_indices(node.args[0]))
        if len(names) == 1 and shape_of(node.args[0], table) == (UNIT, UNIT):
            inner = Entry(node.args[0], (IndexName(names[0]),), node.args[0].span)
            return replace(node, args=(inner,))
    return mapped(node, lambda c: diagonals(c, table))


def entry_of_array(whole: Expr, entry: Expr, table: Declarations) -> Expr:
    """∂L/∂W_ij = δ x^T, (AB)_{pq} = AB: the entry of the array is meant that the other side is."""
    if shape_of(entry, table) != (UNIT, UNIT):
        return whole
    free = order_of_axes(entry, table)
    if isinstance(whole, Identity) and len(free) == 2:
        return Kronecker(IndexName(free[0]), IndexName(free[1]), whole.span)
    shape = shape_of(whole, table)
    have = {} if shape is None else indices(whole, table)[0]
    free = [i for i in free if i not in have]
    if shape is None or not free or len(free) != sum(s != UNIT for s in shape):
        return whole
    return Entry(whole, tuple(IndexName(i, whole.span) for i in free), whole.span)


def order_of_axes(entry: Expr, table: Declarations) -> list[str]:
    """The indices as in the entry by which is differentiated, else as in entries with all of them, in alphabetic order:
    (AB)_{qp} may be that of (AB)^T.
    """
    by = [v for n in walk(entry) if isinstance(n, Derivative) for v in n.wrt if isinstance(v, Entry)]
    if by:
        return list(dict.fromkeys(i.name for v in by for i in v.at if isinstance(i, IndexName)))
    free = sorted(indices(entry, table)[0])
    ats = (n.at if isinstance(n, Entry) else (n.i, n.j) for n in walk(entry) if isinstance(n, (Entry, Kronecker)))
    return free if tuple(map(IndexName, free)) in ats else []
