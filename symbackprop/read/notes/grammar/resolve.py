"""From what is written to what it is: the loose tree under a symbol table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import cast

from ..declared.symbols import Declarations
from ..files.place import Place, ReadError, Span, Unsettled
from .loosely import dotted, order_of_d
from .parser import located, parse, parse_value
from .resolve_derivatives import checked_exponent
from .resolve_products import Products
from .walking import Statement, each_side, items_of, made_of, mapped, outside_scripts, walk
from .tree import (
    Add, At, Binder, Call, Cases, Chain, Derivative, Differential, Entry, Equated, Expr, Function, Gradient, Hadamard,
    IndexName, Indicator, Label, Link, Matrix, Name, Neg, Num, Ones, Operator, Paren, Power, Product, Quotient,
    Script, Shape, Sum, Symbol, Transpose, Words,
)  # fmt: skip


@dataclass(slots=True)
class Resolver(Products):
    """A side is d of a letter: then d in front of a letter is a differential, also where d is a size."""

    def look(self, c: Chain) -> None:
        """What letters stand in it, and whether the relation is one between differentials."""
        within = list(walk(c))
        named = [n for n in within if isinstance(n, Name)]
        self.shown = frozenset(n.letter for n in named)
        sides = c.sides
        self.differentials = any(map(is_differential, sides))
        self.beside_d = self.differentials and all(any(map(has_differential, walk(s))) for s in sides)
        self.second = any(order_of_d(n) > 1 for n in named) and any(map(has_differential, within))
        self.differentials |= self.second

    def chain(self, c: Chain) -> Chain:
        if not self.differentials:
            self.look(c)
        return each_side(c, self.expr)

    # --- expressions -------------------------------------------------------------------------

    def entry(self, base: Expr, at: tuple[Expr, ...], span: Span) -> Expr:
        """(dA)_i is the gradient by the row A_i."""
        match base:
            case Derivative(Symbol(loss), (Symbol() as a,)) if loss == self.decl.upstream and len(at) == 1:
                return replace(base, wrt=(Entry(a, at, span),), span=span)
        return Entry(base, at, span)

    def expr(self, node: Expr) -> Expr:
        match node:
            case Name() | Operator():
                return self.factors((node,), (), node.span)
            case Paren():
                return self.paren(node)
            case Product(args, signs):
                return self.factors(args, signs, node.span)
            case Hadamard(args):
                return self.hadamard(args, node.span)
            case Quotient(top, bottom):
                self.in_fraction += 1
                try:
                    return Quotient(self.expr(top), self.expr(bottom), node.span)
                finally:
                    self.in_fraction -= 1
            case Power(base, exponent):
                return replace(node, base=self.expr(base), exponent=checked_exponent(self.expr(exponent)))
            case Entry(base, at):
                return self.entry(self.expr(base), tuple(map(self.index, at)), node.span)
            case Derivative(body, wrt):
                return self.derivative(self.expr(body), wrt, node.total, node.span)
            case Sum():
                return self.big(node)
            case At():
                return self.at_point(node)
            case Ones(sizes):
                return Ones(self.sizes(sizes), node.span)
            case Cases(rows):
                found = tuple((self.expr(v), None if c is None else self.condition(c)) for v, c in rows)
                return Cases(found, node.span)
            case Indicator(chain):
                return Indicator(self.condition(chain), node.span)
            case Equated(chain):
                return Equated(self.chain(chain), node.span)
            case Transpose(Paren(chains, "(" | "[")) if len(chains) > 1 and not any(c.links for c in chains):
                return self.expr(Matrix(tuple((c.subjects[-1],) for c in chains), node.span))  # (a, b)^T
            case Matrix(rows):
                return dotted(Matrix(tuple(tuple(map(self.expr, r)) for r in rows), node.span))
            case _:
                return cast(Expr, mapped(node, self.child))

    def at_point(self, node: At) -> Expr:
        """f(x)|_{x = a}, f'(x)|_{x = a}, df/dx|_{x = a}: f and its derivatives at a; else what stands there, at a."""
        body = self.expr(node.body)
        for x, a in self.point(node, body):
            match body:
                case Call(Function() as f, (v,)) if v == x:
                    return Call(f, (a,), node.span)
                case Derivative(Call(Function() as f, (v,)), (w,)) if v == w == x:
                    return Call(replace(f, primes=f.primes + 1), (a,), node.span)
            body = At(body, Chain((x,), (Link("=", a, a.span, a.span),), a.span), node.span)
        return body

    def point(self, node: At, body: Expr) -> list[tuple[Expr, Expr]]:
        """What is put in for which letter: for (x, y) = (a, b), x = a, and a alone behind a derivative by x."""
        (subject,), links = node.chain.subjects[-1:], node.chain.links
        if not links:
            by = {v for n in walk(body) for v in (n.wrt if isinstance(n, Derivative) else ())}
            by |= {n.wrt for n in walk(body) if isinstance(n, Gradient)}
            pairs = [(x, self.expr(subject)) for x in by]
            if len(pairs) != 1:
                raise Unsettled("a value at a point: of which letter? write |_{x = a}", node.span)
        else:
            left, right = (items_of(x) for x in (subject, links[0].rhs))
            if len(links) != 1 or links[0].relation != "=" or len(left) != len(right):
                raise Unsettled("a point that is not given as x = a", node.span)
            pairs = [(self.expr(x), self.expr(a)) for x, a in zip(left, right, strict=True)]
        letters = {x for x, _ in pairs}
        alone = (x.body if isinstance(x, Differential) else x for x in letters)
        if not all(isinstance(x, Symbol) for x in alone) or any(n in letters for _, a in pairs for n in walk(a)):
            raise Unsettled("a value at a point, |_{x = a}, where a holds x itself or x is no letter", node.span)
        return pairs

    def child(self, node: object) -> object:
        if isinstance(node, tuple):
            return tuple(map(self.child, node))
        return self.expr(cast(Expr, node))

    def condition(self, c: Chain) -> Chain:
        """A relation; a letter that names no array is an index there.  (i, j) ∈ Ω: the entry ij of Ω, 1 or 0."""
        if c.links and c.links[0].relation == "∈" and isinstance(c.links[0].rhs, Name):
            items = tuple(x for p in c.subjects for x in items_of(p))
            inside = self.expr(replace(c.links[0].rhs, sub=Script("", items)))
            return Chain(c.subjects, (replace(c.links[0], rhs=inside),), c.span)

        def side(node: Expr) -> Expr:
            match node:
                case Name(letter, _, None, ()) if not self.decl.known(letter) or letter in self.decl.indices:
                    if letter not in self.decl.arrays or letter in self.bound:
                        return self.index(node)
                case Paren((Chain((inner,), ()),)):
                    return side(inner)
            return self.expr(node)

        return each_side(c, side)

    def sizes(self, sizes: tuple[Expr, ...]) -> tuple[Expr, ...]:
        found = tuple(map(self.expr, sizes))
        return found[0].parts if len(found) == 1 and isinstance(found[0], Shape) else found

    def paren(self, node: Paren) -> Expr:
        outer, self.in_fraction = self.in_fraction, 0
        try:
            return self.in_brackets(node)
        finally:
            self.in_fraction = outer

    def in_brackets(self, node: Paren) -> Expr:
        if len(node.chains) > 1:
            if node.opening == "\\{":
                return Words("{…}", node.span)
            parts = tuple(self.expr(c.subjects[-1]) for c in node.chains)
            if all(not c.links for c in node.chains) and all(map(self.size_like, parts)):
                return Shape(parts, node.span)
            raise ReadError("a list where a value is expected", node.span)
        (chain,) = node.chains
        if not chain.links:
            return self.expr(chain.subjects[-1])
        if node.opening == "[":
            return Indicator(self.condition(chain), node.span)
        return Equated(self.chain(chain), node.span)

    def hadamard(self, args: tuple[Expr, ...], span: Span) -> Expr:
        found = list(map(self.expr, args))
        if shape_like(found[0]):  # shapes are worked off from left to right
            last = args[-1]
            if isinstance(last, Product) and "times" in last.signs and not isinstance(found[-1], Shape):
                first, *rest = map(self.expr, last.args)
                left = Hadamard((*found[:-1], first), span)
                return Product((left, *rest), last.signs, span)
            return Hadamard(tuple(found), span)
        for k, a in enumerate(args):
            if isinstance(a, Product) and "times" in a.signs and not shape_like(found[k]):
                which = "× beside ∘" if k == 0 else "∘ beside ×"
                raise Unsettled(f"{which}: which is first? put parentheses", a.span)
        return Hadamard(tuple(found), span)

    # --- sums --------------------------------------------------------------------------------

    def big(self, node: Sum) -> Expr:
        if node.kind == "mean":
            raise Unsettled("a bar over more than a name: say what it means", node.span)
        node = replace(node, binders=tuple(from_one(b, node.body) for b in node.binders))
        outer, self.bound = self.bound, self.bound | {b.name for b in node.binders}
        try:
            where = list(map(self.condition, node.where))
            binders = tuple(self.range_of(b, where) for b in node.binders)
            body = self.expr(node.body)
        finally:
            self.bound = outer
        for c in where:
            hold: Expr = Indicator(c, c.span)
            if c.links and c.links[0].relation == "∈":
                hold = c.links[0].rhs
            if node.kind == "sum":
                body = Product((hold, body), ("",), body.span)
            elif node.kind == "prod":
                body = Add((Product((hold, body), ("",)), Num(Fraction(1)), Neg(hold)), body.span)
            else:
                raise Unsettled(f"a condition under {node.kind} is not supported", node.span)
        return replace(node, binders=binders, body=body, where=())

    def range_of(self, b: Binder, where: list[Chain]) -> Binder:
        """Sums from 2, up to i, from i + 1: over the whole axis, with a condition."""
        low = None if b.low is None else self.expr(b.low)
        high = None if b.high is None else self.expr(b.high)
        this = IndexName(b.name, b.span)
        if high is not None and any(isinstance(n, IndexName) for n in walk(high)):
            where.append(Chain((this,), (Link("≤", high),), b.span))
            high = None
        if low is not None and any(isinstance(n, IndexName) for n in walk(low)):
            where.append(Chain((this,), (Link("≥", low),), b.span))
            low = None
        if isinstance(low, Num) and low.value.denominator == 1 and 1 < low.value <= 9:
            for k in range(1, int(low.value)):
                where.append(Chain((this,), (Link("≠", Num(Fraction(k))),), b.span))
            low = Num(Fraction(1), low.span)
        if isinstance(low, Num) and low.value == 1 and high is None:
            low = None
        return Binder(b.name, low, high, b.span)


def shape_like(node: Expr) -> bool:
    return made_of(node, lambda n: isinstance(n, Shape), Transpose, Product, Hadamard)


def is_differential(node: Expr) -> bool:
    """dJ, written together."""
    match node:
        case Product((Name() as d, Name() as x)):
            return order_of_d(d) > 0 and d.span[1] == x.span[0]
        case _:
            return False


def has_differential(node: object) -> bool:
    """Factors of which one is d, right in front of a letter."""
    return isinstance(node, Product) and any(is_differential(Product(pair, ("",))) for pair in pairwise(node.args))


def from_one(b: Binder, body: Expr) -> Binder:
    """Σ_{k=0}^{K-1} of what only has k as an index: over all K entries."""
    match b.low, b.high:
        case Num(value=Fraction(numerator=0)), Add((size, Neg(Num(value=Fraction(numerator=1, denominator=1))))):
            valued = any(isinstance(n, Name) and n.letter == b.name for n in outside_scripts(body))
            return b if valued else replace(b, low=None, high=size)
    return b


def parse_statement(text: str, declarations: Declarations, where: Place | None = None) -> Statement:
    """The tree of one formula.  Raises ReadError, located in `where`."""
    return parse_leniently(text, declarations, where, lenient=False)[0]


def parse_leniently(
    text: str, declarations: Declarations, where: Place | None = None, lenient: bool = True
) -> tuple[Statement, list[tuple[str, Label | None, Span]]]:
    """Like `parse_statement`, but undeclared names become symbols and are listed: for statements that declare."""
    loose = parse(text, declarations.words, where)
    resolver = Resolver(declarations, lenient)
    with located(where):
        return loose.rewritten(resolver.chain), list(resolver.free)


def parse_expression(text: str, declarations: Declarations, where: Place | None = None) -> Expr:
    """The tree of one value or shape, as in a declaration."""
    loose = parse_value(text, declarations.words, where)
    with located(where):
        return Resolver(declarations).expr(loose)
