"""Ways of writing that stand for others: Δx as one letter, (dg/dx)(x), log{p(x)}, limits of difference quotients."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from typing import Final, cast

from .means import Means
from .moving import Along, Moving
from .primes import Primes
from .resolve_names import PI
from .shorthand import Shorthand, up_to_factors
from .walking import Statement, beside, bracketed, joined, letters_in, mapped, names, rewritten, walk
from .tree import (
    Add, At, Chain, Derivative, Dots, Entry, Expr, Link, Matrix, Name, Neg, Num, Operator, Paren, Power, Product,
    Quotient, Reals, Script, Transpose,
)  # fmt: skip

ONE: Final = Num(Fraction(1))


def difference_quotient(limit: Expr, beside: Expr) -> Expr | None:
    r"""\lim_{h \to 0} (g(h) - g(0)) / h, and of (g(h) - g(-h)) / 2h; None for other limits."""
    match limit, beside:
        case Operator("function", "lim", Script() as sub) as lim, Quotient(Add((first, Neg(second))) as top, bottom):
            found = re.fullmatch(r"(\w+)becomes0", sub.text)
            h = found[1] if found is not None else ""
            divisor = without_factor(bottom, h)
            if not h or divisor is None or at_zero(first, h) != at_zero(second, h) or at_zero(first, h) is None:
                return None
            name, span = Name(h, span=lim.span), (lim.span[0], beside.span[1])
            whole = replace(bracketed(top), span=beside.span)
            zero = Chain((name,), (Link("=", Num(Fraction(0), lim.span), lim.span),), lim.span)
            slope = At(Derivative(whole, (name,), True, span), zero, span)
            return slope if divisor.value == 1 else Quotient(slope, divisor, span)
    return None


def without_factor(bottom: Expr, h: str) -> Num | None:
    """The 1 of h, the 2 of 2h."""
    match bottom:
        case Name(letter, _, None, (), 0) if letter == h:
            return ONE
        case Product((Num() as number, Name(letter, _, None, (), 0))) if letter == h:
            return number
    return None


def plain(node: object) -> object:
    """(x)^2 as x^2."""
    match node:
        case Power(Paren((Chain((Name(sups=()) as name,), ()),)), Num(exponent)):
            return Power(name, Num(exponent))
        case Name(sups=(Script(value=Num(exponent), transposes=0),)):
            return Power(replace(node, sups=()), Num(exponent))
    return node


def at_zero(node: Expr, h: str) -> Expr | None:
    """A formula without the terms that are multiples of h; None where it stands otherwise."""

    def is_h(term: Expr) -> bool:
        inner = term.arg if isinstance(term, Neg) else term
        factors = inner.args if isinstance(inner, Product) else (inner,)
        return any(isinstance(f, Name) and f.letter == h and f.sub is None and not f.sups for f in factors)

    def go(n: object) -> object:
        new = mapped(n, go)
        if isinstance(new, Add):
            kept = tuple(a for a in new.args if not is_h(a))
            if len(kept) < len(new.args) and kept:
                return kept[0] if len(kept) == 1 else replace(new, args=kept)
        return plain(new)

    found = cast(Expr, go(node))
    return None if h in letters_in(found) else found


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
    statements = [s and s.rewritten(listed) for s in statements]
    known = iter(up_to_factors([s for s in statements if s is not None]))
    statements = [None if s is None else next(known) for s in statements]
    read = [s for s in statements if s is not None]
    ways = (
        Primes(read, above).statement, Along(read).statement, Moving(read, above, said.moving).statement,
        Means(read, said.means, said.random).statement, Shorthand(read, above, said.partials).statement,
        Idioms(read).statement,
    )  # fmt: skip
    return [None if s is None else reduce(lambda x, way: way(x), ways, s) for s in statements]


def listed(chain: Chain) -> Chain:
    """x = (x_1, …, x_n)^T of its own entries: x ∈ ℝ^n."""
    match chain:
        case Chain((Name(sub=None, sups=()) as x,), (Link("=", rhs) as link, *rest)):
            inner = rhs.arg if isinstance(rhs, Transpose) else rhs
            items: list[Expr] = []
            if isinstance(inner, Paren) and inner.opening in "([":
                items = [c.subjects[0] for c in inner.chains if not c.links]
            elif isinstance(inner, Matrix) and 1 in (len(inner.rows), len(inner.rows[0])):
                items = [c for row in inner.rows for c in row]
            match [n for n in items if not isinstance(n, Dots)]:
                case [*first, Name(sub=Script(items=(Name(sub=None, sups=()) as size,)))] as entries if first:
                    own = all(isinstance(n, Name) and n.letter == x.letter for n in entries)
                    own &= x.bold or all(isinstance(n, Name) and n.mark == x.mark for n in entries)
                    if own and len(entries) < len(items) and not any(n.bold or n.sups for n in names(tuple(entries))):
                        said = replace(link, relation="∈", rhs=Reals(size, link.rhs.span))
                        return replace(chain, links=tuple(rest) if rest and rest[0].relation == "∈" else (said,))
    return chain


def increments(statements: Iterable[Statement]) -> bool:
    """Δ never stands but right in front of a letter: Δx is a name, not a product."""
    nodes = [n for s in statements for n in walk(s)]
    whole = sum(isinstance(n, Name) and n.letter == "Δ" for n in nodes)
    return whole == sum(is_delta(a) and isinstance(b, Name) for n in nodes for a, b in beside(n)) > 0


def is_delta(node: Expr) -> bool:
    match node:
        case Name("Δ", "", None, (), 0):
            return True
    return False


def held_in(statements: Iterable[Statement]) -> set[str]:
    """The letters that nothing is differentiated by; none where ∇ does not say by what."""
    nodes = [n for s in statements for n in walk(s)]
    wrt = [n.wrt for n in nodes if isinstance(n, Derivative) or (isinstance(n, Operator) and n.kind != "function")]
    return {n.letter for n in nodes if isinstance(n, Name)} - letters_in(tuple(wrt)) if all(wrt) else set()


def has_coordinates(statements: Iterable[Statement]) -> bool:
    """x_i stands in them, and no i by itself that ∂_i may be by."""
    below = False
    for n in (n for s in statements for n in walk(s)):
        match n:
            case Name("x", "", Script(items=(Name(),)), ()):
                below = True
            case Product(args) if any(isinstance(a, Name) and a.letter in "ijk" and a.sub is None for a in args):
                return False
    return below


def circle_number(node: object) -> object | None:
    """The number π beside a function π(u): it stands without brackets behind it."""
    match node:
        case Product(args):
            called = {id(a) for a, b in beside(node) if isinstance(b, Paren)}
            return replace(
                node, args=tuple(a if id(a) in called else cast(Expr, rewritten(a, circle_number)) for a in args)
            )
        case Name("π", "", None):
            return replace(node, letter=PI)
    return None


def defines_pi(statements: Iterable[Statement]) -> bool:
    """π(u) = …, log π(a | s) = …"""
    for chain in (p.chain for s in statements for p in s.parts if p.chain.links):
        match chain.subjects[-1]:
            case Product((Name("π", "", None), Paren()) | (Operator(name="log"), Name("π", "", None), Paren())):
                return True
    return False


class Idioms:
    def __init__(self, statements: Sequence[Statement]) -> None:
        self.deltas, self.held = increments(statements), held_in(statements)
        self.coordinates = has_coordinates(statements)
        self.policy = defines_pi(statements)
        self.powers: set[str] = set()
        """Letters of which an entry stands in an exponential of the formula: numbers, z_i in e^{z_i}."""

    def statement(self, s: Statement) -> Statement:
        exponents = tuple(n.sups for n in names(s) if n.letter == "e")
        self.powers = {n.letter for n in names(exponents) if n.sub is not None}
        return cast(Statement, self.of(rewritten(s, circle_number) if self.policy else s))

    def of(self, node: object) -> object:
        new = mapped(node, self.of)
        return self.product(new) if isinstance(new, Product) else new

    def by_coordinate(self, node: Expr) -> Expr:
        """∂_i by x_i, where x_i are the coordinates."""
        match node:
            case Operator("nabla", "partial", wrt=(Name("i" | "j" | "k" | "l" as i, "", None, ()) as index,)) if (
                self.coordinates
            ):
                below = Script(i, (index,))
                return replace(node, kind="derivative", name="", wrt=(Name("x", sub=below, span=index.span),))
        return node

    def product(self, node: Product) -> Expr:
        args, signs = list[Expr](), list[str]()
        for k, a in enumerate(map(self.by_coordinate, node.args)):
            before, sign = (args[-1], node.signs[k - 1]) if k else (None, "")
            if before is not None and (inner := self.entry_in_softmax(before, a)) is not None:
                a = inner
            taken = isinstance(before, Operator) and before.name == "log" and is_call(a)
            args += cast(Product, a).args if taken else (a,)
            signs += ((sign,) if k else ()) + ("",) * taken
        return joined(replace(node, args=tuple(args), signs=tuple(signs)), self.one)

    def one(self, first: Expr, second: Expr) -> Expr | None:
        """What two factors without a sign between them are together."""
        span = (first.span[0], second.span[1])
        if self.deltas and is_delta(first) and isinstance(second, Name):
            return replace(second, letter=f"Δ{second.letter}", span=span)
        if isinstance(first, Derivative) and at_its_variable(first, second):
            return replace(first, span=span)
        return difference_quotient(first, second) or self.gamma(first, second)

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
