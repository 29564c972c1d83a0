"""Derivatives along a parameter, d/dt X^{-1} = -X^{-1} dX/dt X^{-1}: relations between differentials.

X is any smooth function of t where the text writes dX/dt and no formula gives X.  At a point X and dX/dt may be
anything, so that an equation between first derivatives says the same of X and dX.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import cast

from .statement import Statement
from .tree import Chain, Derivative, Differential, Expr, Link, Name, Operator, Paren, Power, Product, Transpose
from .walking import mapped, walk

RELATIONS = ("=", ":=", "≡")


class Along:
    def __init__(self, statements: Sequence[Statement]) -> None:
        chains = [p.chain for s in statements for p in s.parts]
        self.given: dict[str, frozenset[str]] = {}
        for c in chains:
            match c:
                case Chain((subject,), (Link(relation, body), *_)) if relation in RELATIONS:
                    head = without_argument(subject)
                    if isinstance(head, Name) and not isinstance(body, Derivative) and not is_named(body, head):
                        inside = {n.letter for n in walk(body) if isinstance(n, Name)}
                        self.given.setdefault(head.letter, frozenset(inside))
        self.rates = {(x, t) for c in chains for x, t in rates(c)}
        self.motions = {x for c in chains if len(c.links) == 1 for x, _ in rates(Chain(c.subjects, ())) if is_motion(c)}

    def statement(self, s: Statement) -> Statement:
        if not self.rates:
            return s
        return replace(s, parts=tuple(replace(p, chain=self.chain(p.chain)) for p in s.parts))

    def chain(self, c: Chain) -> Chain:
        parameter = self.parameter(c)
        return c if parameter is None else cast(Chain, InDifferentials(parameter).of(c))

    def parameter(self, c: Chain) -> str | None:
        """The t by which alone a formula differentiates what depends on it in no way that is said."""
        own = {(x, t) for x, t in rates(Chain((), c.links)) if x not in self.given}
        letters = {t for _, t in own}
        if len(letters) != 1 or not c.links or any(k.relation not in RELATIONS for k in c.links):
            return None
        t, moved = next(iter(letters)), {x for x, _ in own}
        nodes = (n for n in walk(c) if isinstance(n, (Derivative, Operator)))
        derivatives = [n for n in nodes if isinstance(n, Derivative) or n.kind == "derivative"]
        if any(len(d.wrt) != 1 or name_of(d.wrt[0]) != t for d in derivatives):
            return None
        bodies = [cast(Expr, without_argument(d.body, t)) for d in derivatives if isinstance(d, Derivative)]
        if all(name_of(b) in moved for b in bodies) and len(bodies) == len(derivatives):  # dx/dt = …, dx/dt = v
            return None
        outside = {n.letter for n in walk(without_parameter(c, t)) if isinstance(n, Name)}
        reached = self.reach(outside)
        others = ({x for x, by in self.rates if by == t} - moved - self.given.keys()) | (self.motions & reached)
        return t if t not in reached and others.isdisjoint(reached) else None

    def reach(self, letters: Iterable[str]) -> set[str]:
        found, work = set(letters), list(letters)
        while work:
            new = self.given.get(work.pop(), frozenset()) - found
            found |= new
            work += new
        return found


class InDifferentials:
    def __init__(self, parameter: str) -> None:
        self.t = parameter

    def of(self, node: object) -> object:
        match node:
            case Derivative(body):
                return Differential(cast(Expr, self.of(body)), node.span)
            case Product((Operator(kind="derivative") as operator, *rest), signs):
                body = rest[0] if len(rest) == 1 else Product(tuple(rest), signs[1:], node.span)
                return Differential(cast(Expr, self.of(body)), operator.span)
            case Product():
                new = without_arguments(cast(Product, mapped(node, self.of)), self.t)
                for k, a in enumerate(new.args if isinstance(new, Product) else ()):
                    if k and isinstance(a, Operator) and a.kind == "derivative" and isinstance(new, Product):
                        inner = Product(new.args[k:], new.signs[k:], node.span)
                        return replace(new, args=(*new.args[:k], cast(Expr, self.of(inner))), signs=new.signs[:k])
                return new
            case _:
                return mapped(node, self.of)


def rates(c: Chain) -> Iterator[tuple[str, str]]:
    """The X and t of dX/dt, dX(t)/dt."""
    for n in walk(c):
        match n:
            case Derivative(body, (Name(t, _, None, (), 0),)):
                x = without_argument(body, t)
                if isinstance(x, Name) and name_of(x) and not x.primes:
                    yield x.letter, t


def is_motion(c: Chain) -> bool:
    """dx/dt = -k x says how x moves."""
    inside = walk(c.links[0].rhs)
    return isinstance(c.subjects[-1], Derivative) and not any(isinstance(n, Derivative) for n in inside)


def name_of(node: Expr) -> str:
    return node.letter if isinstance(node, Name) and node.sub is None and not node.sups else ""


def is_named(body: Expr, head: Name) -> bool:
    """X = X(t)"""
    return isinstance(body, Product) and body.args[0] == head


def without_argument(node: object, t: str = "") -> object:
    """X of X(t)."""
    match node:
        case Product((Name() as x, beside)):
            match beside.base if isinstance(beside, Power) else beside.arg if isinstance(beside, Transpose) else beside:
                case Paren((Chain((Name(letter, _, None, (), 0),), ()),), "(") if letter == t or not t:
                    if isinstance(beside, Power):
                        return replace(beside, base=x)
                    return replace(beside, arg=x) if isinstance(beside, Transpose) else x
    return node


def without_arguments(node: Product, t: str) -> Expr:
    """A(t) B(t): A B."""
    args, signs, k = list(node.args), list(node.signs), 0
    while k + 1 < len(args):
        pair = Product((args[k], args[k + 1]), ("",))
        alone = pair if signs[k] else without_argument(pair, t)
        if alone is pair:
            k += 1
        else:
            args[k : k + 2] = [cast(Expr, alone)]
            del signs[k]
    return args[0] if len(args) == 1 else replace(node, args=tuple(args), signs=tuple(signs))


def without_parameter(node: object, t: str) -> object:
    match node:
        case Derivative(body):
            return without_parameter(body, t)
        case Operator(kind="derivative"):
            return replace(node, wrt=())
        case _:
            bare = without_arguments(node, t) if isinstance(node, Product) else node
            return mapped(bare, lambda child: without_parameter(child, t))
