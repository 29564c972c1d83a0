"""Derivatives with a prime behind a bracket, (f g)′ = f′ g + f g′, and functions that stand without their argument."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import replace
from typing import cast

from .shorthand import Heads, heads_of
from .walking import (
    EQUATIONS, Statement, beside, bracketed, chains_of, head_paren, letters_in, mapped, outside_scripts, walk,
)  # fmt: skip
from .tree import Chain, Derivative, Expr, Hadamard, Link, Name, Num, Operator, Paren, Power, Product, Script

PRIME = "prime"
"""The name of the operator that a prime behind a bracket stands for; its variable is found here."""
FUNCTIONS = frozenset("fghuvwyFGHφψρ")
VARIABLES = ("x", "t")


def primed_bracket(inner: Paren, primes: int) -> Expr:
    """(…)′, by a variable that is still to be found."""
    operator = Operator("derivative", PRIME, order=primes, total=True, span=inner.span)
    return bracketed(Product((operator, inner), ("",), inner.span))


class Primes:
    """`above`: what other sections give.  The statements are looked at in their order."""

    def __init__(self, statements: Sequence[Statement], above: Iterable[Chain]) -> None:
        chains = list(chains_of(statements))
        self.above = list(above)
        self.below = heads_of(chains)
        self.heads = one_letter(heads_of([*self.above, *chains]))
        self.used = letters_in(tuple(chains))
        given = one_letter(heads_of(self.above))
        self.args = {f: x for f, x in given.items() if f not in self.below} | arguments_of(chains)
        self.called = {f.letter for c in chains for f, _ in calls(c)}
        self.notations: list[Chain] = []
        self.slopes = dict(self.slopes_in(chains))
        self.values: dict[str, tuple[Name, frozenset[str]]] = {}
        """y = … of x: its variable, and the letters of the formula."""
        self.past = set(given)

    def slopes_in(self, chains: Sequence[Chain]) -> Iterator[tuple[str, Name]]:
        """ψ = ρ′, H′ = h, before any formula gives ψ or h: another name for the derivative."""
        given = set(heads_of(self.above))
        for c in chains:
            match c:
                case Chain((a,), (Link(relation, b),)) if relation in EQUATIONS:
                    for new, old in ((a, b), (b, a)):
                        name, of = whole_function(new), whole_function(old)
                        if name is None or of is None or name[0].primes or not of[0].primes or name[0] == of[0]:
                            continue
                        body = self.below[of[0].letter].body if of[0].letter in self.below else None
                        if name[0].letter in letters_in(body):
                            continue  # M' = B of M = A + tB
                        bare = name[1] is None is of[1]  # h(t) = H′(t) may be claimed
                        if bare and name[0].letter not in given and {name[0].letter, of[0].letter} & self.called:
                            self.notations.append(c)
                            yield name[0].letter, of[0]
            given |= heads_of([c]).keys()

    def statement(self, s: Statement) -> Statement:
        new = s.rewritten(self.chain)
        self.past |= one_letter(heads_of(p.chain for p in s.parts)).keys()
        return new

    def chain(self, c: Chain) -> Chain:
        if any(c is known for known in self.notations):
            return Chain((cast(Expr, self.renamed(c.links[0].rhs)),), (), c.span)
        c = cast(Chain, self.renamed(c)) if self.slopes else c
        self.note(c)
        if self.of_values(c):
            return cast(Chain, self.with_values(c))
        if any(is_mark(n) for n in outside_scripts(c)):
            variable, functions = self.found(c)
            if variable is None:
                return c
            clash = functions & self.below.keys() - self.past
            return cast(Chain, Applied(variable, functions, clash).of(c))
        bare = [n for n in without_argument(c) if n.letter in self.args]
        functions = frozenset(n.letter for n in bare)
        primed = any(n.primes for n in bare) and not any(isinstance(n, Hadamard) for n in outside_scripts(c))
        variables = {self.args[f] for f in functions}
        if primed and len(variables) == 1 and all(n.letter in functions for n in without_argument(c) if n.primes):
            return cast(Chain, Applied(next(iter(variables)), functions).of(c))
        return c

    def renamed(self, node: object) -> object:
        new = mapped(node, self.renamed)
        if isinstance(new, Name) and new.letter in self.slopes and new.sub is None:
            of = self.slopes[new.letter]
            return replace(of, primes=of.primes + new.primes, sups=new.sups, span=new.span)
        return new

    def note(self, c: Chain) -> None:
        match c:
            case Chain((Name(y, _, None, (), 0),), (Link(relation, body),)) if relation in EQUATIONS:
                letters = frozenset(letters_in(body))
                usual = next((x for x in VARIABLES if x in letters), None)
                if usual is not None and y not in letters:
                    self.values[y] = Name(usual), letters

    def of_values(self, c: Chain) -> bool:
        """y′ = … in the letters of y: its derivative."""
        primed = [n for n in outside_scripts(c) if isinstance(n, Name) and n.primes]
        if not primed or not all(n.letter in self.values and n.sub is None for n in primed):
            return False
        known = frozenset().union(*(self.values[n.letter][1] | {n.letter} for n in primed))
        return letters_in(c) <= known

    def with_values(self, node: object) -> object:
        if isinstance(node, Name) and node.primes:
            x = self.values[node.letter][0]
            return Derivative(replace(node, primes=0), (x,) * node.primes, True, node.span)
        return node if isinstance(node, Name) else mapped(node, self.with_values)

    def found(self, c: Chain) -> tuple[Name | None, frozenset[str]]:
        """By what a bracket with a prime is differentiated, and which letters are functions of it."""
        primed = {n.letter for n in outside_scripts(c) if isinstance(n, Name) and n.primes}
        marks = [n for n in outside_scripts(c) if is_mark(n)]
        inside = letters_in(tuple(marks))
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
        known = {self.heads[f].letter for f in functions if f in self.past}
        if known or (functions and usual not in VARIABLES):
            free = (x for x in (*VARIABLES, "s", "r", "z") if x not in self.used)
            usual = next(iter(known), "") if len(known) <= 1 else ""
            usual = usual or ("" if known else next(free, ""))
        return (Name(usual) if usual else None), functions


class Applied:
    """A formula with the argument behind its functions."""

    def __init__(self, variable: Name, functions: frozenset[str], anew: Set[str] = frozenset()) -> None:
        self.variable, self.functions, self.anew = variable, functions, anew

    def named(self, name: Name) -> Name:
        """Any function f, where the text gives another f further on."""
        return replace(name, letter=f"{name.letter}°") if name.letter in self.anew else name

    def of(self, node: object) -> object:
        match node:
            case Operator(name="prime"):
                return replace(node, wrt=(self.variable,) * node.order)
            case Name():
                return self.applied(node)
            case Product():
                return self.product(node)
            case _:
                return mapped(node, self.of)

    def applied(self, name: Name) -> Expr:
        """f, g^2 of a function: f(x), g(x)^2."""
        if name.letter not in self.functions or name.sub is not None or name.top:
            sups = tuple(self.script(s) for s in name.sups)
            return name if sups == name.sups else replace(name, sups=sups)
        argument: Expr = bracketed(replace(self.variable, span=name.span))
        for s in name.sups:
            if s.value is None or (isinstance(s.value, Num) and s.value.value < 0):
                return name
            argument = Power(argument, s.value, s.elementwise, name.span)
        return Product((self.named(replace(name, sups=())), argument), ("",), name.span)

    def script(self, s: Script) -> Script:
        """The f of e^f."""
        value = None if s.value is None else cast(Expr, self.of(s.value))
        return s if value is s.value else replace(s, value=value, labels=None)

    def product(self, node: Product) -> Expr:
        args, signs = list[Expr](), list[str]()
        k = 0
        while k < len(node.args):
            a, behind = node.args[k], node.args[k + 1] if k + 1 < len(node.args) and not node.signs[k] else None
            used = 1
            if isinstance(a, Name) and a.letter in self.functions and is_call(a, behind):
                found: Expr = Product((self.named(a), cast(Expr, self.of(behind))), ("",), a.span)
                used = 2
            elif behind is not None and behind == bracketed(self.variable) and (is_whole(a) or composed(a)):
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
            out = Product((self.named(cast(Name, f)), bracketed(out)), ("",), node.span)
        return out


def one_letter(heads: Heads) -> dict[str, Name]:
    return {f: given.args[0] for f, given in heads.items() if len(given.args) == 1}


def arguments_of(chains: Sequence[Chain]) -> dict[str, Name]:
    """The x of a function that is always written f(x), or given by f(x) = …."""
    found: dict[str, set[Name]] = {}
    for f, bracket in calls(tuple(chains)):
        inner = inner_of(bracket) if bracket.opening == "(" else None
        found.setdefault(f.letter, set()).add(inner if isinstance(inner, Name) else ANYTHING)
    heads = one_letter(heads_of(chains))
    alone = {f: next(iter(x)) for f, x in found.items() if len(x) == 1 and f in FUNCTIONS}
    return heads | {f: x for f, x in alone.items() if x != ANYTHING}


ANYTHING = Name("")


def calls(node: object) -> Iterator[tuple[Name, Paren]]:
    for a, bracket in (pair for n in walk(node) for pair in beside(n)):
        if isinstance(a, Name) and a.sub is None and isinstance(bracket, Paren):
            yield a, bracket


def whole_function(node: Expr) -> tuple[Name, Name | None] | None:
    """ψ, ρ′(r): a function, and its argument where it is written."""
    match node:
        case Name(_, _, None, ()):
            return node, None
        case Product((Name(_, _, None, ()) as f, Paren((Chain((Name() as x,), ()),), "("))):
            return f, x
    return None


def is_mark(node: object) -> bool:
    first = node.args[0] if isinstance(node, Product) else None
    return isinstance(first, Operator) and first.name == PRIME and not first.wrt


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


def argument(node: object) -> Name | None:
    """The x of f(x), of (f g)′(x)."""
    for a, behind in () if is_mark(node) else beside(node):
        inner = inner_of(head_paren(behind))
        if (is_whole(a) or (isinstance(a, Name) and a.letter in FUNCTIONS)) and isinstance(inner, Name):
            return inner
    return None


def is_call(f: Name, behind: Expr | None) -> bool:
    """f(g), but not σ(1 - σ): no function is its own argument."""
    inside = head_paren(behind)
    return inside is not None and all(n.letter != f.letter for n in bare(inside, lambda _, within: within is not None))


def without_argument(c: Chain) -> Iterator[Name]:
    return bare(c, is_call)


def bare(node: object, call: Callable[[Name, Expr | None], bool]) -> Iterator[Name]:
    """Names with no argument behind them."""
    pairs = ((a, behind) for n in walk(node) for a, behind in beside(n))
    called = {id(a) for a, behind in pairs if isinstance(a, Name) and call(a, head_paren(behind))}
    return (n for n in walk(node, (Name, Operator)) if isinstance(n, Name) and id(n) not in called)
