"""Expectations, variances and means over samples, as sums over outcomes: what holds of them by linearity alone.

E[f(x)] is read as 1/N Σ_ω f(x_ω), for every N and all outcomes x_ω.  That is the expectation under any distribution on
finitely many points with rational weights, so that what is false there is false, and what needs no more than linearity
is proved as it would be for every distribution.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from fractions import Fraction
from typing import Final, cast

from .tree import (
    Add, Binder, Chain, Derivative, Expr, Name, Neg, Num, Operator, Paren, Power, Product, Quotient,
    Script, Sum,
)  # fmt: skip
from .walking import (
    Statement, beside, bracketed, chains_of, children, head_paren, joined, outside_scripts, rebuilt, walk,
    with_scripts_of,
)  # fmt: skip

OUTCOME: Final = "ω"
"""Counts what may happen; no letter of an author's beside an expectation."""
_LAW = re.compile(r"(?P<of>[A-Za-zα-ω,()\s]*?)\s*~\s*(?P<law>p|P|q|D|X|data|\w*data\w*)?\s*\Z")


class Means:
    """`said`: the words say that a bar over a formula is the mean over samples."""

    def __init__(self, statements: Sequence[Statement], said: bool, random: Iterable[str]) -> None:
        self.said = said
        nodes = [n for s in statements for n in walk(s)]
        self.expected = any(is_e(a, b) for n in nodes for a, b in brackets_behind(n)) and not given(statements, "E")
        self.expected |= any(isinstance(n, Operator) and n.name in ("Var", "Cov") for n in nodes)
        self.on = self.expected or (said and any(is_bar(n) for n in nodes))
        letters = {n.letter for n in nodes if isinstance(n, Name)}
        self.count = Name(next((c for c in "NMKSQ" if c not in letters), "Ω"))
        inside = {n.letter for n in nodes for part in averaged(n, said) for n in whole_names(part)}
        chains = list(chains_of(statements))
        free = {n.letter for c in chains if c.links and not is_member(c) for x in c.sides for n in outside(x, said)}
        by = {v.letter for n in nodes if isinstance(n, (Derivative, Operator)) for w in n.wrt for v in whole_names(w)}
        by |= {a.letter for c in chains for a in arguments(c)}
        self.random = {*random, *(inside - free - by)} - by
        self.random |= {letter for n in nodes for letter in drawn(n)} - by

    def statement(self, s: Statement) -> Statement:
        return s.rewritten(self.chain) if self.on else s

    def chain(self, chain: Chain) -> Chain:
        """x ∈ ℝ^d is said of each outcome."""
        if not is_member(chain):
            return cast(Chain, rebuilt(chain, self.rule))
        return replace(chain, subjects=tuple(self.at_outcome(x, self.random) for x in chain.subjects))

    def rule(self, node: object) -> object:
        if isinstance(node, Product):
            return joined(node, self.expectation) if self.expected else node
        if self.said and is_bar(node):
            bar = cast("Sum | Name", node)
            return self.mean(bar.body if isinstance(bar, Sum) else replace(bar, mark=""), ())
        return node

    def expectation(self, first: Expr, beside: Expr) -> Expr | None:
        """E[…], E_x[…], Var(x), Cov(x, y), with what stands behind the bracket."""
        brackets = head_paren(beside)
        if brackets is None or brackets.bar or any(c.links for c in brackets.chains):
            return None
        found = self.of_items(first, brackets, [c.subjects[-1] for c in brackets.chains])
        return None if found is None else with_scripts_of(beside, found)

    def of_items(self, first: Expr, brackets: Paren, items: Sequence[Expr]) -> Expr | None:
        match first:
            case Operator("function", "Var", None) if len(items) == 1:
                return self.covariance(items[0], items[0])
            case Operator("function", "Cov", None) if len(items) == 2:
                return self.covariance(items[0], items[1])
            case Name() if is_e(first, brackets) and len(items) == 1:
                over = law(first)
                return None if over is None else self.mean(items[0], over)
        return None

    def covariance(self, x: Expr, y: Expr) -> Expr:
        """E[xy] - E[x] E[y], of numbers."""
        both = Power(bracketed(x), Num(Fraction(2))) if x == y else Product((bracketed(x), bracketed(y)), ("",), x.span)
        product = Product((self.mean(x, ()), self.mean(y, ())), ("",), x.span)
        return bracketed(Add((self.mean(both, ()), Neg(product, x.span)), x.span))

    def mean(self, body: Expr, over: tuple[str, ...]) -> Expr:
        letters = set(over) or self.random
        inner = [n.name for n in walk(body) if isinstance(n, Binder) and is_outcome(n)]
        depth = max(map(len, inner), default=0)
        inside = self.at_outcome(body, letters, depth)
        binder = Binder(OUTCOME + "'" * depth, Num(Fraction(1)), self.count, body.span)
        part = Quotient(Num(Fraction(1)), self.count, body.span)
        return bracketed(Product((part, Sum((binder,), bracketed(inside), (), body.span)), ("",), body.span))

    @staticmethod
    def at_outcome(body: Expr, letters: Set[str], depth: int = 0) -> Expr:
        index = Name(OUTCOME, primes=depth)

        def rule(node: object) -> object:
            if not isinstance(node, Name) or node.letter not in letters or node.mark or outcome(node):
                return node
            items = (index, *(node.sub.items if node.sub is not None else ()))
            text = "".join(i.letter if isinstance(i, Name) else "·" for i in items)
            return replace(node, sub=Script(text, items, span=node.span))

        return cast(Expr, rebuilt(body, rule))


def is_member(chain: Chain) -> bool:
    return bool(chain.links) and chain.links[0].relation in ("∈", "~")


def is_outcome(node: object) -> bool:
    return isinstance(node, Binder) and node.name.startswith(OUTCOME)


def outcome(name: Name) -> bool:
    """It carries its outcome already."""
    items = name.sub.items if name.sub is not None else ()
    return bool(items) and isinstance(items[0], Name) and items[0].letter == OUTCOME


def is_e(node: Expr, beside: Expr) -> bool:
    if not isinstance(node, Name) or node.letter not in ("E", "𝔼") or node.sups or node.primes:
        return False
    return node.mark in ("mathbb", "mathrm", "text") or (isinstance(beside, Paren) and beside.opening == "[")


def brackets_behind(node: object) -> Iterator[tuple[Expr, Paren]]:
    """E and […] of E[…]^2."""
    return ((a, brackets) for a, b in beside(node) if (brackets := head_paren(b)) is not None)


def is_bar(node: object) -> bool:
    return (isinstance(node, Sum) and node.kind == "mean") or (
        isinstance(node, Name) and node.mark in ("bar", "overline") and not node.sups
    )


def law(e: Name) -> tuple[str, ...] | None:
    """The letters of E_x, E_{x ~ D}; None where the law may depend on something, E_{x ~ p_θ}."""
    if e.sub is None:
        return ()
    if "~" not in e.sub.text:
        return tuple(i.letter for i in e.sub.items if isinstance(i, Name))
    found = _LAW.fullmatch(e.sub.text)
    return tuple(re.findall(r"[A-Za-zα-ω]", found["of"])) if found is not None else None


def drawn(node: object) -> Iterator[str]:
    if isinstance(node, Name) and node.letter in ("E", "𝔼") and node.sub is not None:
        yield from law(node) or ()


def averaged(node: object, said: bool) -> Iterator[Expr]:
    """What expectations are taken of."""
    if said and is_bar(node):
        yield node.body if isinstance(node, Sum) else replace(cast(Name, node), mark="")
    for a, b in brackets_behind(node):
        if is_e(a, b) or (isinstance(a, Operator) and a.name in ("Var", "Cov")):
            yield b


def outside(node: Expr, said: bool) -> Iterator[Name]:
    """The names outside of expectations."""
    inside = {id(x) for n in walk(node) for part in averaged(n, said) for x in walk(part)}
    inside |= {id(n) for n in walk(node) if said and is_bar(n)}
    return (n for n in walk(node, (Name, Script)) if isinstance(n, Name) and id(n) not in inside)


def whole_names(node: object) -> Iterator[Name]:
    return (n for n in outside_scripts(node) if isinstance(n, Name))


def arguments(chain: Chain) -> Iterator[Name]:
    """The w of J(w) = …."""
    match chain.subjects:
        case (Product((Name(), Paren(items, "("))),) if chain.links:
            yield from (c.subjects[-1] for c in items if isinstance(c.subjects[-1], Name))


def given(statements: Sequence[Statement], letter: str) -> bool:
    heads = (c.subjects[-1] for c in chains_of(statements) if c.links)
    return any(isinstance(h, Name) and h.letter == letter and h.sub is None for h in heads)


def with_wide_sums(chain: Chain) -> Chain:
    """A sum reaches over the terms behind it that hold its index, if nothing else in the equation does."""
    sides = chain.sides
    if not any(isinstance(n, Add) and any(map(last_sum, n.args)) for s in sides for n in outside_scripts(s)):
        return chain
    free = [frozenset(free_indices(s)) for s in sides]
    wide = [widened(s, frozenset().union(*free[:k], *free[k + 1 :])) for k, s in enumerate(sides)]
    subjects, right = wide[: len(chain.subjects)], wide[len(chain.subjects) :]
    links = tuple(replace(k, rhs=r) for k, r in zip(chain.links, right, strict=True))
    return replace(chain, subjects=tuple(subjects), links=links)


def widened(node: Expr, free: frozenset[str]) -> Expr:
    match node:
        case Neg(arg):
            return replace(node, arg=widened(arg, free))
        case Add(args):
            return wider(node, args, free)
        case Product(args):
            return replace(node, args=(*args[:-1], widened(args[-1], free)))
        case Sum(kind="sum"):
            return replace(node, body=widened(node.body, free | {b.name for b in node.binders}))
        case _:
            return node


def wider(node: Add, args: tuple[Expr, ...], free: frozenset[str]) -> Expr:
    terms: list[Expr] = []
    for k, term in enumerate(args):
        found = last_sum(term)
        names = {b.name for b in found.binders} - free if found is not None else frozenset()
        before = names & frozenset(i for a in args[:k] for i in free_indices(a))
        reach = [n for n, a in enumerate(args) if n > k and names & set(free_indices(a))]
        if found is not None and reach and not before:
            inside = args[k + 1 : reach[-1] + 1]
            body = Add((found.body, *inside), (found.body.span[0], inside[-1].span[1]))
            rest = args[reach[-1] + 1 :]
            terms.append(with_last(term, replace(found, body=body)))
            terms += rest
            return terms[0] if len(terms) == 1 else replace(node, args=tuple(terms))
        terms.append(term)
    return node


def last_sum(term: Expr) -> Sum | None:
    """The sum that a term ends with: of -1/n Σ_i a_i."""
    match term:
        case Sum(kind="sum"):
            return term
        case Neg(arg):
            return last_sum(arg)
        case Product(args):
            return last_sum(args[-1])
        case _:
            return None


def with_last(term: Expr, new: Sum) -> Expr:
    match term:
        case Neg(arg):
            return replace(term, arg=with_last(arg, new), span=(term.span[0], new.body.span[1]))
        case Product(args):
            return replace(term, args=(*args[:-1], with_last(args[-1], new)))
        case _:
            return new


def free_indices(node: object) -> Iterator[str]:
    """The letters that stand in scripts and are not bound there."""
    if isinstance(node, Sum):
        bound = {b.name for b in node.binders}
        yield from (i for i in free_indices(node.body) if i not in bound)
    elif isinstance(node, Script):
        yield from (n.letter for n in walk(node.items) if isinstance(n, Name))
        yield from (label.base for label, _ in node.labels or () if label.base is not None)
    else:
        for child in children(node):
            yield from free_indices(child)
