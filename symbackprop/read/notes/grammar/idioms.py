"""Ways of writing that stand for others: Δx as one letter, (dg/dx)(x), log{p(x)}."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import cast

from .along import Along
from .means import Means
from .moving import Moving
from .primes import Primes
from .shorthand import Shorthand
from .statement import Statement
from .tree import Chain, Derivative, Entry, Expr, Name, Operator, Paren, Product, Script
from .walking import mapped, walk


@dataclass(frozen=True, slots=True)
class Announced:
    """What the words say of notations."""

    partials: bool = False
    """Subscripts are derivatives, u_x."""
    moving: bool = False
    """A dot is a derivative by time, or a tangent."""
    means: bool = False
    """A bar is a mean over samples."""
    random: frozenset[str] = frozenset()
    """Letters that are called random."""


NOTHING = Announced()


def spelled_out(
    statements: Sequence[Statement | None], above: Sequence[Chain] = (), said: Announced = NOTHING
) -> list[Statement | None]:
    """The formulas of a section, without what is only written otherwise; `above` gives functions, too."""
    read = [s for s in statements if s is not None]
    dots, means = Moving(read, above, said.moving), Means(read, said.means, said.random)
    short, primes = Shorthand(read, above, said.partials), Primes(read, above)
    changes = Idioms(increments(read), held_in(read))
    first = (primes.statement, Along(read).statement, dots.statement)
    ways = (*first, means.statement, short.statement, changes.statement)
    return [None if s is None else reduce(lambda x, way: way(x), ways, s) for s in statements]


def increments(statements: Iterable[Statement]) -> bool:
    """Δ never stands but right in front of a letter: Δx is a name, not a product."""
    names = [n for s in statements for n in walk(s) if isinstance(n, (Name, Product))]
    whole = sum(isinstance(n, Name) and n.letter == "Δ" for n in names)
    before = sum(before_letter(n.args, n.signs, k) for n in names if isinstance(n, Product) for k in range(len(n.args)))
    return whole == before > 0


def held_in(statements: Iterable[Statement]) -> frozenset[str]:
    """The letters that nothing is differentiated by; none where ∇ does not say by what."""
    nodes = [n for s in statements for n in walk(s)]
    wrt = [n.wrt for n in nodes if isinstance(n, Derivative) or (isinstance(n, Operator) and n.kind != "function")]
    by = {v.letter for variables in wrt for v in walk(variables) if isinstance(v, Name)}
    return frozenset({n.letter for n in nodes if isinstance(n, Name)} - by) if all(wrt) else frozenset()


def before_letter(args: tuple[Expr, ...], signs: tuple[str, ...], k: int) -> bool:
    match args[k : k + 2]:
        case (Name("Δ", "", None, (), 0), Name()):
            return not signs[k]
        case _:
            return False


class Idioms:
    def __init__(self, deltas: bool, held: frozenset[str]) -> None:
        self.deltas, self.held = deltas, held
        self.powers: set[str] = set()
        """Letters of which an entry stands in an exponential of the formula: numbers, z_i in e^{z_i}."""

    def statement(self, s: Statement) -> Statement:
        exponents = (n.sups for n in walk(s) if isinstance(n, Name) and n.letter == "e")
        self.powers = {n.letter for sups in exponents for n in walk(sups) if isinstance(n, Name) and n.sub is not None}
        return cast(Statement, self.of(s))

    def of(self, node: object) -> object:
        new = mapped(node, self.of)
        return self.product(new) if isinstance(new, Product) else new

    def product(self, node: Product) -> Expr:
        args, signs = list(node.args), list(node.signs)
        k = 0
        while k + 1 < len(args):
            first, second = args[k], args[k + 1]
            if self.deltas and before_letter(tuple(args), tuple(signs), k):
                name = cast(Name, second)
                merged: Expr = replace(name, letter=f"Δ{name.letter}", span=(first.span[0], name.span[1]))
            elif isinstance(first, Derivative) and not signs[k] and at_its_variable(first, second):
                merged = replace(first, span=(first.span[0], second.span[1]))
            elif not signs[k] and (value := self.gamma(first, second)) is not None:
                merged = value
            elif (inner := self.entry_in_softmax(first, second)) is not None:
                args[k + 1] = inner
                k += 1
                continue
            elif isinstance(first, Operator) and first.name == "log" and is_call(second):
                args[k + 1 : k + 2] = cast(Product, second).args
                signs[k + 1 : k + 1] = [""]
                k += 1
                continue
            else:
                k += 1
                continue
            args[k : k + 2] = [merged]
            del signs[k]
        return args[0] if len(args) == 1 else replace(node, args=tuple(args), signs=tuple(signs))

    def gamma(self, first: Expr, second: Expr) -> Expr | None:
        """Γ(k) of a k that nothing is differentiated by: a number."""
        match first, second:
            case Name("Γ", "", None, (), 0), Paren((Chain((Name(k, _, None, (), 0),), ()),), "(") if k in self.held:
                return replace(first, letter=f"Γ({k})", span=(first.span[0], second.span[1]))
        return None

    def entry_in_softmax(self, first: Expr, second: Expr) -> Expr | None:
        """softmax(z_i) of a number z_i: the i-th entry of the softmax of z."""
        match first, second:
            case Operator("function", "softmax", None), Paren((Chain((Name(z, sub=Script() as sub) as name,), ()),)):
                if z in self.powers and len(sub.items) == 1 and isinstance(sub.items[0], Name):
                    whole = replace(second, chains=(Chain((replace(name, sub=None),), (), name.span),))
                    return Entry(whole, sub.items, second.span)
        return None


def at_its_variable(node: Derivative, beside: Expr) -> bool:
    """(dg/dx)(x), (∂f/∂x)(x, y): the derivative where it is taken anyway."""
    if not (isinstance(beside, Paren) and beside.opening == "(" and isinstance(node.body, Name)):
        return False
    args = [c.subjects[-1] for c in beside.chains if not c.links]
    alone = len(args) == len(beside.chains) and all(isinstance(a, Name) for a in args)
    return alone and all(v in args for v in node.wrt)


def is_call(node: Expr) -> bool:
    match node:
        case Product((Name(), Paren(chains, "("))):
            return not any(c.links for c in chains)
        case _:
            return False
