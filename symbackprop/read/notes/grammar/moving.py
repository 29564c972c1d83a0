r"""Derivatives along a parameter, d/dt X^{-1} = -X^{-1} dX/dt X^{-1}, and dots over letters, \dot x = dx/dt, as
relations between differentials.

X is any smooth function of t where the text writes dX/dt and no formula gives X.  At a point X and dX/dt may be
anything, so that an equation between first derivatives says the same of X and dX.  Where a letter is given by t, its
dot is d/dt; else y = A x moves as x does, \dot y = A \dot x.  An equation of motion, \dot x = f(x) of an x that nothing
gives, is put in where others move by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import cast

from .walking import (
    EQUATIONS, Statement, chains_of, head_paren, joined, letters_in, mapped, names, reached, rebuilt, respan, walk,
    with_scripts_of,
)  # fmt: skip
from .tree import At, Chain, Derivative, Differential, Expr, Link, Name, Operator, Paren, Product

DOTS = {"dot": 1, "ddot": 2}


class Along:
    def __init__(self, statements: Sequence[Statement]) -> None:
        chains = list(chains_of(statements))
        self.given: dict[str, set[str]] = {}
        for c in chains:
            match c:
                case Chain((subject,), (Link(relation, body), *_)) if relation in EQUATIONS:
                    head = without_argument(subject)
                    named = isinstance(body, Product) and body.args[0] == head  # X = X(t)
                    if isinstance(head, Name) and not isinstance(body, Derivative) and not named:
                        self.given.setdefault(head.letter, letters_in(body))
        self.rates = {(x, t) for c in chains for x, t in rates(c)}
        self.motions = {x for c in chains if len(c.links) == 1 for x, _ in rates(Chain(c.subjects, ())) if is_motion(c)}

    def statement(self, s: Statement) -> Statement:
        return s.rewritten(self.chain) if self.rates else s

    def chain(self, c: Chain) -> Chain:
        parameter = self.parameter(c)
        return c if parameter is None else cast(Chain, in_differentials(c, parameter))

    def parameter(self, c: Chain) -> str | None:
        """The t by which alone a formula differentiates what depends on it in no way that is said."""
        own = {(x, t) for x, t in rates(Chain((), c.links)) if x not in self.given}
        letters = {t for _, t in own}
        if len(letters) != 1 or not c.links or any(k.relation not in EQUATIONS for k in c.links):
            return None
        t, moved = next(iter(letters)), {x for x, _ in own}
        nodes = (n for n in walk(c) if isinstance(n, (Derivative, Operator)))
        derivatives = [n for n in nodes if isinstance(n, Derivative) or n.kind == "derivative"]
        if any(len(d.wrt) != 1 or name_of(d.wrt[0]) != t for d in derivatives):
            return None
        bodies = [cast(Expr, without_argument(d.body, t)) for d in derivatives if isinstance(d, Derivative)]
        if all(name_of(b) in moved for b in bodies) and len(bodies) == len(derivatives):  # dx/dt = …, dx/dt = v
            return None
        reach = reached(letters_in(without_parameter(c, t)), lambda x: self.given.get(x, ()))
        others = ({x for x, by in self.rates if by == t} - moved - self.given.keys()) | (self.motions & reach)
        return t if t not in reach and others.isdisjoint(reach) else None


def in_differentials(node: object, t: str) -> object:
    match node:
        case Derivative(body):
            return Differential(cast(Expr, in_differentials(body, t)), node.span)
        case Product((Operator(kind="derivative") as operator, *rest), signs):
            body = rest[0] if len(rest) == 1 else Product(tuple(rest), signs[1:], node.span)
            return Differential(cast(Expr, in_differentials(body, t)), operator.span)
        case Product():
            new = without_arguments(cast(Product, mapped(node, lambda child: in_differentials(child, t))), t)
            for k, a in enumerate(new.args if isinstance(new, Product) else ()):
                if k and isinstance(a, Operator) and a.kind == "derivative" and isinstance(new, Product):
                    inner = cast(Expr, in_differentials(Product(new.args[k:], new.signs[k:], node.span), t))
                    return replace(new, args=(*new.args[:k], inner), signs=new.signs[:k])
            return new
        case _:
            return mapped(node, lambda child: in_differentials(child, t))


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


def without_argument(node: object, t: str = "") -> object:
    """X of X(t)."""
    match node:
        case Product((Name() as x, beside)):
            match head_paren(beside):
                case Paren((Chain((Name(letter, _, None, (), 0),), ()),), "(") if letter == t or not t:
                    return with_scripts_of(beside, x)
    return node


def without_arguments(node: Product, t: str) -> Expr:
    """A(t) B(t): A B."""

    def rule(first: Expr, second: Expr) -> Expr | None:
        pair = Product((first, second), ("",))
        alone = without_argument(pair, t)
        return None if alone is pair else cast(Expr, alone)

    return joined(node, rule)


def without_parameter(node: object, t: str) -> object:
    match node:
        case Derivative(body):
            return without_parameter(body, t)
        case Operator(kind="derivative"):
            return replace(node, wrt=())
        case _:
            bare = without_arguments(node, t) if isinstance(node, Product) else node
            return mapped(bare, lambda child: without_parameter(child, t))


class Moving:
    """`said`: the words say that a dot is a derivative by time, or a tangent."""

    def __init__(self, statements: Sequence[Statement], above: Iterable[Chain], said: bool) -> None:
        chains = list(chains_of(statements))
        self.time = next((t for c in chains if (t := time_of(c)) is not None), None)
        self.given: dict[str, set[str]] = {}
        self.motions: dict[str, Chain] = {}
        for chain in (*above, *chains):
            self.gives(chain)
        dotted = {n.letter for c in chains for n in names(c) if n.mark in DOTS}
        self.reaches = {x: reached([x], lambda y: self.given.get(y, ())) for x in self.given} if dotted else {}
        by_time = "t" in letters_in(tuple(chains))
        self.time = self.time or (Name("t") if by_time else None)
        timed = by_time and any("t" in self.reaches.get(letter, ()) for letter in dotted)
        self.on = bool(dotted) and (said or timed or any(time_of(c) is not None for c in chains))
        self.motions = {x: c for x, c in self.motions.items() if x not in self.given}

    def gives(self, chain: Chain) -> None:
        if not chain.links or len(chain.subjects) != 1 or chain.links[0].relation not in EQUATIONS:
            return
        body = chain.links[0].rhs
        match chain.subjects[0]:
            case Name(x, "dot", None, ()) if time_of(chain) is None:
                if not any(isinstance(n, Derivative) or is_dotted(n) for n in walk(body)):
                    self.motions.setdefault(x, Chain(chain.subjects, chain.links[:1], chain.span))
            case Name(x, mark, _, (), 0) if mark not in DOTS:
                self.given.setdefault(x, letters_in(body))
            case Product((Name(x, mark, None, (), 0), Paren(args, "("))) if mark not in DOTS:
                of = {c.subjects[-1].letter for c in args if isinstance(c.subjects[-1], Name)}
                self.given.setdefault(x, letters_in(body) | of)

    def statement(self, s: Statement) -> Statement:
        return s.rewritten(self.chain) if self.on else s

    def chain(self, chain: Chain) -> Chain:
        if time_of(chain) is not None:
            return chain
        first = chain.subjects[-1]
        if isinstance(first, Name) and first.letter in self.motions and first.mark == "dot":
            return chain
        new = cast(Chain, rebuilt(chain, lambda n: self.derivative(n) if is_dotted(n) else n))
        if new is chain or not new.links:
            return new
        moved = {n.body.letter for n in walk(new) if isinstance(n, Differential) and isinstance(n.body, Name)}
        reach = moved.union(*(self.reaches.get(x, ()) for x in moved))
        lhs = new.subjects[-1]
        for x in sorted(reach & self.motions.keys()):
            motion = self.motions[x]
            start = replace(cast(Name, motion.subjects[0]), mark="", span=lhs.span)
            rate = cast(Expr, respan(motion.links[0].rhs, (0, 0)))  # it has no text here
            link = Link("=", rate, lhs.span, lhs.span)
            lhs = At(lhs, Chain((Differential(start, lhs.span),), (link,), lhs.span), lhs.span)
        return replace(new, subjects=(*new.subjects[:-1], lhs))

    def derivative(self, node: object) -> Expr:
        name = cast(Name, node)
        order = DOTS[name.mark]
        if self.time is not None and self.time.letter in self.reaches.get(name.letter, ()):
            plain = replace(name, mark="", sups=())
            return name if name.sups else Derivative(plain, (self.time,) * order, True, name.span)
        return Differential(replace(name, mark=""), name.span) if order == 1 and not name.sups else name


def is_dotted(node: object) -> bool:
    return isinstance(node, Name) and node.mark in DOTS


def time_of(chain: Chain) -> Name | None:
    r"""The t of \dot x = dx/dt."""
    match chain:
        case Chain((Name(x, "dot"),), (Link(rhs=Derivative(Name(y), (Name() as t,))),)) if x == y:
            return t
        case Chain((Name(x, "dot"),), (Link(rhs=Derivative(Product((Name(y), Paren())), (Name() as t,))),)) if x == y:
            return t
    return None
