"""Derivatives that are written short, of functions that the text gives: f_x, f_{xy}, D f(x), J_f, H_f, ∇f(x, y)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, cast

from ..files.place import Span
from .loosely import order_of_d
from .walking import EQUATIONS, Statement, beside, bracketed, chains_of, each_side, joined, rebuilt, walk
from .tree import (
    Add, At, Binder, Chain, Derivative, Dots, Expr, Inner, Link, Matrix, Name, Neg, Num, Operator, Paren, Power,
    Product, Script, Transpose,
)  # fmt: skip
from .vocabulary import DISTINCT


@dataclass(frozen=True, slots=True)
class Given:
    """f(x, y) = body."""

    args: tuple[Name, ...]
    body: Expr


Heads: TypeAlias = Mapping[str, Given]


def heads_of(chains: Iterable[Chain]) -> dict[str, Given]:
    """The functions that are given by a formula, by letter; a letter with two lists of arguments is left out."""
    found: dict[str, Given] = {}
    twice: set[str] = set()
    for chain in chains:
        match chain:
            case Chain((Product((Name(f, _, None, (), 0) as name, Paren(inner, "("))),), (Link(relation, body), *_)):
                args = tuple(c.subjects[-1] for c in inner if not c.links)
                names = tuple(a for a in args if isinstance(a, Name))
                if relation not in EQUATIONS or len(names) < len(inner):
                    continue
                if not all(a.bare or numbered(a) for a in names):
                    continue
                if name.top or name.mark in DISTINCT or (f in found and found[f].args != names):
                    twice.add(f)
                found.setdefault(f, Given(names, as_array(body)))
    return {f: g for f, g in found.items() if f not in twice}


def numbered(name: Name) -> bool:
    """x_1"""
    items = name.sub.items if name.sub is not None else ()
    return len(items) == 1 and isinstance(items[0], Num) and replace(name, sub=None).bare


USUAL = frozenset("fghqφψℓJLEFGH")
"""Letters that, with a bracket behind them, are functions."""


class Shorthand:
    """What is written short in the formulas of a section."""

    def __init__(self, statements: Sequence[Statement], above: Iterable[Chain], partials: bool) -> None:
        self.heads = {**heads_of(above), **heads_of(chains_of(statements))}
        nodes = [n for s in statements for n in walk(s)]
        self.made: dict[Span, str] = {}
        """Where a whole derivative of which function was written short in a formula."""
        self.laplacians: dict[Span, Name] = {}
        """Where ∇² stands, which may be the Laplacian."""
        self.operators = {letter for letter in "D" if self.is_operator(letter, nodes)}
        self.below: dict[str, list[Name]] = {}
        self.indices = {n.name for n in nodes if isinstance(n, Binder)}
        """Letters that count somewhere: below others than functions that are given, or under a sum."""
        for n in nodes:
            if isinstance(n, Name) and n.sub is not None:
                self.below.setdefault(n.letter, []).append(n)
                if n.letter not in self.heads:
                    self.indices |= {i.letter for i in n.sub.items if isinstance(i, Name)}
        self.partial = {f for f, given in self.heads.items() if self.has_partials(f, given, partials)}

    def is_operator(self, letter: str, nodes: Sequence[object]) -> bool:
        """D never stands but in front of a function that is given."""
        whole = sum(isinstance(n, Name) and n.letter == letter for n in nodes)
        return whole == sum(self.before_function(a, b, letter) for n in nodes for a, b in beside(n)) > 0

    def before_function(self, first: Expr, second: Expr, letter: str) -> bool:
        match first, second:
            case Name() as d, Name(f) as name if 0 < order_of_d(d, letter=letter) < 3 or d.letter == letter:
                return f in self.heads and name.bare and (d.sub is None or self.by_letter(d, f) is not None)
        return False

    def by_letter(self, d: Name, f: str) -> Name | None:
        """The x of D_x f, an argument of f."""
        match d:
            case Name(sub=Script(items=(Name() as x,)), sups=(), primes=0) if x in self.heads[f].args:
                return x
        return None

    def has_partials(self, f: str, given: Given, said: bool) -> bool:
        """Below f stand arguments of f, which are no indices anywhere."""
        letters = {a.letter for a in given.args}
        mine = [by for n in self.below.get(f, ()) if (by := self.by(n, given))]
        several = len(letters) > 1 or any(len(by) > 1 for by in mine)
        return bool(mine) and (said or (several and f not in "pPqQ")) and letters.isdisjoint(self.indices)

    @staticmethod
    def by(name: Name, given: Given) -> tuple[Expr, ...]:
        """The x, y of f_{xy}."""
        items = name.sub.items if name.sub is not None else ()
        if name.sups or name.primes or name.top or not all(i in given.args for i in items):
            return ()
        return items

    # --- rewriting ---------------------------------------------------------------------------

    def statement(self, s: Statement) -> Statement:
        self.made, self.laplacians = {}, {}
        return cast(Statement, rebuilt(s, self.rule))

    def rule(self, node: object) -> object:
        match node:
            case Chain():
                return with_vectors(self.with_laplacians(node))
            case Product():
                return self.product(node)
            case Name():
                return self.alone(node)
        return node

    def alone(self, name: Name) -> Expr:
        """f_x, f_{xy}, J_f, H_f."""
        if name.letter in self.partial and (by := self.by(name, self.heads[name.letter])):
            return Derivative(replace(name, sub=None), by, span=name.span)
        match name:
            case Name("J" | "H" as kind, _, Script(items=(Name(f) as function,)), (), 0) if f in self.heads:
                function = replace(function, span=name.span)
                return self.jacobian(function) if kind == "J" else self.hessian(function)
        return name

    def jacobian(self, f: Name) -> Expr:
        args, body = self.heads[f.letter].args, self.heads[f.letter].body
        self.made[f.span] = f.letter
        if len(args) > 1:
            rows = body.rows if isinstance(body, Matrix) and all(len(r) == 1 for r in body.rows) else ((f,),)
            return Matrix(tuple(tuple(partial(row[0], (x,), f) for x in args) for row in rows), f.span)
        return bracketed(nabla(f, args, 1, "jacobian"))

    def hessian(self, f: Name) -> Expr:
        self.made[f.span] = f.letter
        args = self.heads[f.letter].args
        if len(args) > 1:
            return Matrix(tuple(tuple(partial(f, (x, y), f) for y in args) for x in args), f.span)
        return bracketed(nabla(f, args, 2))

    def with_laplacians(self, chain: Chain) -> Chain:
        """∇²f = f_xx + f_yy, beside a number: no Hessian."""
        others = [x for x in chain.sides if x.span not in self.laplacians]
        arrays = any(is_array(x) or isinstance(as_array(x), Matrix) for x in others)
        if len(others) == len(chain.sides) or not others or arrays:
            return chain

        def of(x: Expr) -> Expr:
            f = self.laplacians.get(x.span)
            if f is None:
                return x
            return Add(tuple(partial(f, (y, y), f) for y in self.heads[f.letter].args), x.span)

        return each_side(chain, of)

    def gradient(self, f: Name) -> Expr:
        self.made[f.span] = f.letter
        return Matrix(tuple((partial(f, (x,), f),) for x in self.heads[f.letter].args), f.span)

    def product(self, node: Product) -> Expr:
        args, signs = list(node.args), list(node.signs)
        k = 0
        while k + 1 < len(signs):  # ∇f(x)^T is (∇f(x))^T, and so the inverse
            outer = None if signs[k] or signs[k + 1] else self.outside(args[k], args[k + 1], args[k + 2])
            if outer is not None:
                args[k : k + 3] = [outer]
                del signs[k : k + 2]
            k += 1
        if len(args) == 1:
            return args[0]
        whole = replace(node, args=tuple(args), signs=tuple(signs))
        return joined(whole, lambda first, second: self.taken(first, second) or self.at(first, second))

    def outside(self, op: Expr, f: Expr, beside: Expr) -> Expr | None:
        match op, f, beside:
            case Operator("nabla"), Name(letter), Transpose(Paren(_, "(") as inner):
                pass
            case Operator("nabla"), Name(letter), Power(Paren(_, "(") as inner, Neg(Num())):
                pass
            case _:
                return None
        if not f.bare or (letter not in self.heads and letter not in USUAL):
            return None
        whole = bracketed(Product((op, f, inner), ("", ""), (op.span[0], inner.span[1])))
        return replace(beside, arg=whole) if isinstance(beside, Transpose) else replace(beside, base=whole)

    def taken(self, first: Expr, f: Expr) -> Expr | None:
        """D f, ∇f and ∇²f of several numbers, with the letter of the function."""
        if not isinstance(f, Name) or f.letter not in self.heads or not f.bare:
            return None
        several, whole = len(self.heads[f.letter].args) > 1, replace(f, span=(first.span[0], f.span[1]))
        match first:
            case Name(letter) if letter in self.operators and (x := self.by_letter(first, f.letter)) is not None:
                return partial(whole, (x,), whole)
            case Name(letter) if letter in self.operators and (order := order_of_d(first, letter=letter)):
                return self.jacobian(whole) if order == 1 else self.hessian(whole)
            case Operator("nabla", "", wrt=(), order=order) if several:
                if order == 2:
                    self.laplacians[whole.span] = whole
                return self.gradient(whole) if order == 1 else self.hessian(whole)
        return None

    def at(self, first: Expr, beside: Expr) -> Expr | None:
        """f_x(x, y), J_f(x): the derivative where it is taken anyway; f_x(1, 2): at that point."""
        f = self.function_in(first)
        if f is None or not isinstance(beside, Paren) or beside.opening != "(" or any(c.links for c in beside.chains):
            return None
        params, point = self.heads[f].args, tuple(c.subjects[-1] for c in beside.chains)
        if len(params) != len(point):
            return None
        if params == point:
            return first
        link = Link("=", bracketed(*point), beside.span, beside.span)
        return At(first, Chain((bracketed(*params),), (link,), beside.span), (first.span[0], beside.span[1]))

    def function_in(self, node: Expr) -> str | None:
        """The f of what was written short, and of ∂f/∂x."""
        match node:
            case Derivative(Name(f, _, None), wrt) if f in self.heads and all(w in self.heads[f].args for w in wrt):
                return f
            case Matrix() | Paren():
                return self.made.get(node.span)
        return None


def with_vectors(chain: Chain) -> Chain:
    """∇f = (a, b), a list beside an array: a column; [a, b] is a row, as it is written."""
    equal = all(k.relation in EQUATIONS for k in chain.links)
    vectors = equal and (heads_of([chain]) or any(map(is_array, chain.sides)))
    return each_side(chain, as_array) if vectors else chain


def is_array(node: Expr) -> bool:
    match node:
        case Matrix():
            return True
        case At(body):
            return is_array(body)
        case Transpose(arg):
            return is_array(arg)
        case Product((Operator("nabla", "", order=1), *_)):
            return True
    return False


def as_array(node: Expr) -> Expr:
    match node:
        case Transpose(Paren() as inner):
            column = as_array(inner)
            return column if inner.opening == "(" and isinstance(column, Matrix) else replace(node, arg=column)
        case Paren(chains, "(" | "[" as opening) if len(chains) > 1 and not any(c.links for c in chains):
            items = tuple(c.subjects[-1] for c in chains)
            if any(isinstance(i, Dots) for i in items):
                return node
            return Matrix((items,) if opening == "[" else tuple((i,) for i in items), node.span)
        case Inner(left, right):  # ⟨a, b⟩
            return Matrix(((left,), (right,)), node.span)
    return node


def partial(body: Expr, by: tuple[Name, ...], at: Name) -> Expr:
    inside = body if isinstance(body, Name) else bracketed(body)
    return Derivative(inside, by, span=at.span)


def nabla(f: Name, args: tuple[Name, ...], order: int, name: str = "") -> Expr:
    return Product((Operator("nabla", name, wrt=args[:1], order=order, span=f.span), f), ("",), f.span)


FACTOR: Final = "κ∝"
"""What a density that is known up to a factor is multiplied by: any number."""


def up_to_factors(statements: Sequence[Statement]) -> list[Statement]:
    """p(x) ∝ e^{-x²/2}, where no equation gives p: p(x) = κ e^{-x²/2}."""
    chains = [c for c in chains_of(statements) if c.links]
    given = {head_letter(c.subjects[-1]) for c in chains if c.links[0].relation in EQUATIONS}
    told = [head_letter(c.subjects[-1]) for c in chains if c.links[0].relation == "∝"]

    def go(chain: Chain) -> Chain:
        letter = head_letter(chain.subjects[-1]) if chain.links else ""
        if not letter or chain.links[0].relation != "∝" or letter in given or told.count(letter) > 1:
            return chain
        link = chain.links[0]
        body = Product((Name(FACTOR, span=link.at), bracketed(link.rhs)), ("",), link.rhs.span)
        return replace(chain, links=(replace(link, relation="=", rhs=body),))

    return [s.rewritten(go) for s in statements]


def head_letter(node: Expr) -> str:
    """The p of p and p(x)."""
    match node:
        case Product((Name(p, mark, None, (), 0), Paren(chains, "("))) if not any(c.links for c in chains):
            return mark + p
        case Name(p, mark, None, (), 0):
            return mark + p
    return ""
