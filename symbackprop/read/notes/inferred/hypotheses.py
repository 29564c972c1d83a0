"""What is assumed where: properties said in words, as equations, and equations stated, until they are dropped."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.core.terms import SymbackpropError

from ..declared.symbols import ArraySymbol, Declarations, Definition
from ..files.place import Place
from ..grammar.resolve import Resolver
from ..grammar.tree import (
    Add, Binder, Call, Chain, Entry, Expr, Function, Identity, IndexName, Link, Neg, Num, Power, Product, Quotient,
    Sum, Symbol, Transpose,
)  # fmt: skip
from ..grammar.walking import walk

SQUARE = frozenset(("symmetric", "skew", "diagonal", "idempotent", "invertible"))
ANY = ""
"""In place of a property or a letter."""
LAST, CASE = "last", "case"
FIXED = "fixed"
"""Of a letter that does not move where others do: no equation says it, and it is not what an author drops."""
STATED, SOLVED, LEFT = "stated", "solved", "left"
"""An equation that is assumed; one that is demanded: it tells what its letter is, and nothing of its derivatives; a
case that the text is through with."""


@dataclass(frozen=True, slots=True)
class Saying:
    """From formula `at` on the letter `of` has, or no longer has, the property `what`; or the equation `chain` holds.

    `what` is ANY, LAST or CASE where all that is assumed, or what was assumed last, or in a `case`, is dropped.
    """

    at: int
    what: str
    of: str
    holds: bool = True
    chain: Chain | None = None
    where: Place | None = None
    case: bool = False
    """ "If A is orthogonal": no more behind "in general"."""

    def drops(self, other: Saying) -> bool:
        return other.case if self.what == CASE else self.what in (ANY, other.what) and self.of in (ANY, other.of)


def in_force(sayings: Iterable[Saying], at: int) -> list[Saying]:
    """What is assumed where formula `at` stands."""
    found: list[Saying] = []
    for s in sorted(sayings, key=lambda s: s.at):
        if s.at > at:
            break
        if not s.holds:
            last = [other for other in found if other.what != FIXED][-1:] if s.what == LAST else []
            found = [o for o in found if o not in last and (s.what == LAST or not s.drops(o))]
        elif s not in found:
            found.append(s)
    return found


def hypothesis(s: Saying, table: Declarations) -> Definition | None:
    if s.chain is None:
        name = s.of if s.of in table.arrays else s.of.split("_")[0]
        chain = property_chain(s.what, name, table.arrays[name]) if name in table.arrays else None
        return None if chain is None else Definition(chain, property_text(s.what, name))
    try:
        chain = of_whole(Resolver(table).chain(s.chain))
    except (SymbackpropError, RecursionError):
        return None
    stray = any(isinstance(n, Entry) and isinstance(n.base, IndexName) for n in walk(chain))  # k_{ij} without k
    return None if stray else Definition(chain, s.of, s.where)


def of_whole(chain: Chain) -> Chain:
    """k_{ij} = k_{ji}, for all i and j: k = k^T."""
    match chain:
        case Chain((Entry(Symbol() as k, at),), (Link("=", Neg(Entry(Symbol() as other, turned))),)):
            whole: Expr = Neg(Transpose(k))
        case Chain((Entry(Symbol() as k, at),), (Link("=", Entry(Symbol() as other, turned)),)):
            whole = Transpose(k)
        case _:
            return chain
    entries = len(at) == 2 and at[0] != at[1] and all(isinstance(i, IndexName) for i in at)
    return equation(k, whole) if entries and k == other and turned == at[::-1] else chain


def with_diagonals(
    assumed: Iterable[Saying], table: Declarations, given: set[str], definitions: list[Definition]
) -> Declarations:
    """ "D is diagonal": D = diag(v) for a vector v that has no other name."""
    for s in assumed:
        array = table.arrays.get(s.of)
        if s.what == "diagonal" and array is not None and len(array.shape) == 2 and s.of not in given:
            v = Symbol(f"{s.of}_diag")
            link = Link("=", Call(Function("diag"), (v,)))
            definitions.append(Definition(Chain((Symbol(s.of),), (link,)), f"{s.of} is diagonal"))
            table = table.with_array(ArraySymbol(v.name, array.shape[:1], "vector"))
    return table


def own_transpose(node: Expr, known: Set[str], table: Declarations) -> bool:
    """Whether a matrix is symmetric by its form, and the letters that are."""
    match node:
        case Symbol(name):
            return name in known
        case Identity():
            return True
        case Neg(arg) | Transpose(arg) | Power(arg) | Quotient(arg):
            return own_transpose(arg, known, table)
        case Add(args):
            return all(own_transpose(a, known, table) for a in args)
        case Product(args):
            matrices = [a for a in args if not is_number(a, table)]
            half, odd = divmod(len(matrices), 2)
            ends = zip(matrices[:half], reversed(matrices[half + odd :]), strict=True)
            middle = not odd or own_transpose(matrices[half], known, table)
            return bool(matrices) and middle and all(a == turned(b) for a, b in ends)
        case _:
            return False


def is_number(node: Expr, table: Declarations) -> bool:
    match node:
        case Symbol(name):
            return name not in table.arrays or not table.arrays[name].shape
        case Quotient(a, b):
            return is_number(a, table) and is_number(b, table)
        case _:
            return isinstance(node, Num)


def turned(node: Expr) -> Expr:
    return node.arg if isinstance(node, Transpose) else Transpose(node)


def property_chain(p: str, name: str, array: ArraySymbol) -> Chain | None:
    x, rank = Symbol(name), len(array.shape)
    product = ("",)
    if p in SQUARE and rank == 2 and array.shape[0] != array.shape[1]:
        return None
    match p:
        case "symmetric" if rank == 2:
            return equation(x, Transpose(x))
        case "skew" if rank == 2:
            return equation(x, Neg(Transpose(x)))
        case "idempotent" if rank == 2:
            return equation(Product((x, x), product), x)
        case "invertible" if rank == 2:
            return Chain((Call(Function("det"), (x,)),), (Link("≠", Num(Fraction(0))),))
        case "orthogonal" if rank == 2:
            return equation(Product((Transpose(x), x), product), Identity(array.shape[1]))
        case "unit" if rank == 1:
            return equation(Product((Transpose(x), x), product), Num(Fraction(1)))
        case "one-hot" | "sums" if rank == 1:
            k = IndexName("k''")
            return equation(Sum((Binder("k''"),), Entry(x, (k,))), Num(Fraction(1)))
        case "one-hot" | "sums" if rank == 2:
            k = IndexName("k''")
            return equation(Sum((Binder("k''"),), Entry(x, (IndexName("n''"), k))), Num(Fraction(1)))
        case "positive" if rank == 0:
            return Chain((x,), (Link(">", Num(Fraction(0))),))
        case "binary" | "sign":
            entry = Entry(x, tuple(map(IndexName, ("n''", "k''")[2 - rank :]))) if rank else x
            return equation(Power(entry, Num(Fraction(2))), entry if p == "binary" else Num(Fraction(1)))
        case _:
            return None


def property_text(p: str, name: str) -> str:
    return {
        "symmetric": f"{name} = {name}^T", "skew": f"{name} = -{name}^T", "idempotent": f"{name} {name} = {name}",
        "orthogonal": f"{name}^T {name} = I", "unit": f"{name}^T {name} = 1",
        "positive": f"{name} > 0", "invertible": f"{name} is invertible",
        "binary": f"the entries of {name} are 0 or 1", "sign": f"the entries of {name} are 1 or -1",
    }.get(p, f"the entries of {name} sum to 1")  # fmt: skip


def equation(left: Expr, right: Expr) -> Chain:
    return Chain((left,), (Link("=", right),))
