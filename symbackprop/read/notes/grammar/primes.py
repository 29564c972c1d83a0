"""Derivatives with a prime behind a bracket, (f g)′ = f′ g + f g′, and functions that stand without their argument."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import cast

from .shorthand import heads_of
from .statement import Statement
from .tree import Chain, Expr, Hadamard, Name, Num, Operator, Paren, Power, Product
from .walking import mapped, outside_scripts, walk

PRIME = "prime"
"""The name of the operator that a prime behind a bracket stands for; its variable is found here."""
FUNCTIONS = frozenset("fghuvwyFGφψρ")
VARIABLES = ("x", "t")


def primed_bracket(inner: Paren, primes: int) -> Expr:
    """(…)′, by a variable that is still to be found."""
    operator = Operator("derivative", PRIME, order=primes, total=True, span=inner.span)
    return bracketed(Product((operator, inner), ("",), inner.span))


class Primes:
    """`above`: what other sections give."""

    def __init__(self, statements: Sequence[Statement], above: Iterable[Chain]) -> None:
        chains = [p.chain for s in statements for p in s.parts]
        self.heads = {f: g.args[0] for f, g in heads_of([*above, *chains]).items() if len(g.args) == 1}
        self.used = {n.letter for c in chains for n in walk(c) if isinstance(n, Name)}

    def statement(self, s: Statement) -> Statement:
        return replace(s, parts=tuple(replace(p, chain=self.chain(p.chain)) for p in s.parts))

    def chain(self, c: Chain) -> Chain:
        if any(is_mark(n) for n in outside_scripts(c)):
            variable, functions = self.found(c)
            return c if variable is None else cast(Chain, Applied(variable, functions).of(c))
        bare = {n.letter for n in without_argument(c) if n.primes and n.letter in self.heads}
        if len({self.heads[f] for f in bare}) == 1 and not any(isinstance(n, Hadamard) for n in outside_scripts(c)):
            return cast(Chain, Applied(self.heads[min(bare)], frozenset(bare)).of(c))
        return c

    def found(self, c: Chain) -> tuple[Name | None, frozenset[str]]:
        """By what a bracket with a prime is differentiated, and which letters are functions of it."""
        primed = {n.letter for n in outside_scripts(c) if isinstance(n, Name) and n.primes}
        marks = [n for n in outside_scripts(c) if is_mark(n)]
        inside = {n.letter for m in marks for n in walk(m) if isinstance(n, Name)}
        at = {a for n in outside_scripts(c) if (a := argument(n)) is not None}
        functions = frozenset(primed | (inside & FUNCTIONS if primed or len(inside) > 1 else inside & {"f", "g"}))
        functions -= {a.letter for a in at} | set(VARIABLES)
        letters = inside - functions - {"e", "π"}
        usual = next((x for x in VARIABLES if x in letters), min(letters) if len(letters) == 1 else "")
        pairs = sum(isinstance(n, Hadamard) for n in outside_scripts(c))
        whole = sum(composed(n) and not is_whole(n) for n in outside_scripts(c))
        if len(at) > 1 or pairs > whole or (pairs and not at):
            return None, functions
        if at:
            return next(iter(at)), functions
        if functions and not (usual in VARIABLES):
            usual = next((x for x in (*VARIABLES, "s", "r", "z") if x not in self.used), "")
        return (Name(usual) if usual else None), functions


class Applied:
    """A formula with the argument behind its functions."""

    def __init__(self, variable: Name, functions: frozenset[str]) -> None:
        self.variable, self.functions = variable, functions

    def of(self, node: object) -> object:
        match node:
            case Operator(name="prime"):
                return replace(node, name="", wrt=(self.variable,) * node.order)
            case Name():
                return self.applied(node)
            case Product():
                return self.product(node)
            case _:
                return mapped(node, self.of)

    def applied(self, name: Name) -> Expr:
        """f, g^2 of a function: f(x), g(x)^2."""
        if name.letter not in self.functions or name.sub is not None or name.top:
            return name
        argument: Expr = bracketed(replace(self.variable, span=name.span))
        for s in name.sups:
            if s.value is None or (isinstance(s.value, Num) and s.value.value < 0):
                return name
            argument = Power(argument, s.value, s.elementwise, name.span)
        return Product((replace(name, sups=()), argument), ("",), name.span)

    def product(self, node: Product) -> Expr:
        args, signs = list[Expr](), list[str]()
        k = 0
        while k < len(node.args):
            a, beside = node.args[k], node.args[k + 1] if k + 1 < len(node.args) and not node.signs[k] else None
            used = 1
            if isinstance(a, Name) and isinstance(under_scripts(beside), Paren) and a.letter in self.functions:
                found: Expr = Product((a, cast(Expr, self.of(beside))), ("",), a.span)
                used = 2
            elif beside is not None and beside == bracketed(self.variable) and (is_whole(a) or composed(a)):
                found, used = self.chained(a), 2
            else:
                found = cast(Expr, self.of(a))
            if k:
                signs.append(node.signs[k - 1])
            args.append(found)
            k += used
        return args[0] if len(args) == 1 else replace(node, args=tuple(args), signs=tuple(signs))

    def chained(self, node: Expr) -> Expr:
        """f ∘ g: f(g(x))."""
        inner = inner_of(node)
        if is_whole(node):
            operator, body = cast(Product, inner).args
            return bracketed(Product((cast(Expr, self.of(operator)), bracketed(self.chained(body))), ("",), node.span))
        if not isinstance(inner, Hadamard):
            return cast(Expr, self.of(inner))
        out: Expr = self.variable
        for f in reversed(inner.args):
            out = Product((f, bracketed(out)), ("",), node.span)
        return out


def bracketed(node: Expr) -> Paren:
    return Paren((Chain((node,), (), node.span),), "(", span=node.span)


def is_mark(node: object) -> bool:
    return isinstance(node, Product) and isinstance(node.args[0], Operator) and node.args[0].name == PRIME


def is_whole(node: object) -> bool:
    """(…)′"""
    return is_mark(inner_of(node))


def inner_of(node: object) -> object:
    return node.chains[0].subjects[0] if isinstance(node, Paren) and len(node.chains) == 1 else node


def composed(node: object) -> bool:
    """(f ∘ g)(x), (f ∘ g)′(x): what stands before the argument."""
    inner = inner_of(node)
    if is_mark(inner):
        return composed(cast(Product, inner).args[1])
    return isinstance(node, Paren) and isinstance(inner, Hadamard) and all(isinstance(a, Name) for a in inner.args)


def under_scripts(node: object) -> object:
    return node.base if isinstance(node, Power) else node


def argument(node: object) -> Name | None:
    """The x of f(x), of (f g)′(x)."""
    if isinstance(node, Product) and not is_mark(node):
        for a, beside, sign in zip(node.args, node.args[1:], node.signs, strict=False):
            inner = inner_of(under_scripts(beside)) if isinstance(under_scripts(beside), Paren) else None
            if not sign and isinstance(inner, Name) and (is_whole(a) or (isinstance(a, Name) and a.letter in FUNCTIONS)):
                return inner
    return None


def without_argument(c: Chain) -> Iterator[Name]:
    """Names with no bracket behind them."""
    work: list[object] = [c]
    while work:
        node = work.pop()
        if isinstance(node, Name):
            yield node
        elif isinstance(node, Product):
            behind = (*node.args[1:], None)
            work += [
                a for a, beside, sign in zip(node.args, behind, (*node.signs, "+"), strict=True)
                if not (isinstance(a, Name) and not sign and isinstance(under_scripts(beside), Paren))
            ]  # fmt: skip
        elif not isinstance(node, Operator):
            inside: list[object] = []
            mapped(node, lambda child, into=inside: into.append(child) or child)  # type: ignore[misc]
            work += inside


__all__ = ["Primes", "primed_bracket"]
