"""Where and how each letter of a formula is used: the evidence that the rest of the inference stands on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..declared.symbols import marked
from ..grammar.loosely import order_of_d, spelled_items
from ..grammar.primes import PRIME
from ..grammar.walking import Statement, head_paren, parts, walk
from ..grammar.tree import (
    All, Cases, Chain, Derivative, Entry, Expr, Indicator, Label, Name, Norm, Num, Operator, Paren, Power,
    Product, Quotient, Reals, Script, Sum, Transpose, Words,
)  # fmt: skip
from ..grammar.vocabulary import DISTINCT


def key_of(name: Name) -> str:
    """The letter as a key: accents belong to it, bold face does not."""
    return marked(name.letter, name.mark) if name.mark in DISTINCT else name.letter


SINGLE = "°"
"""Behind a letter: one of the samples x_i, any one, where x alone is not all of them."""
COMPARISONS = frozenset(("=", "≠", "<", ">", "≤", "≥"))


def plain(node: Expr) -> bool:
    return isinstance(node, Num) or (isinstance(node, Name) and node.sub is None and not node.sups and not node.mark)


@dataclass(frozen=True, slots=True)
class Use:
    """One occurrence of a letter as a value."""

    key: str
    name: Name
    bracket: Paren | None = None
    transposed: bool = False
    normed: bool = False
    scalar_only: bool = False
    """Where only a number makes sense: log det of it, a limit, |·|."""
    inverted: bool = False
    divides: bool = False
    by: str = ""
    """∂, d or ∇ where it is a variable below a derivative."""
    after_d: bool = False
    differentiated: bool = False
    """It stands above ∂ by itself."""


@dataclass(slots=True)
class Uses:
    """Everything in one formula."""

    uses: list[Use] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)
    limits: set[str] = field(default_factory=set)
    subscripts: list[tuple[str, Script]] = field(default_factory=list)
    labels: list[tuple[str, Label, str]] = field(default_factory=list)
    compared: set[str] = field(default_factory=set)
    kronecker: set[str] = field(default_factory=set)
    sizes: set[str] = field(default_factory=set)
    freely: set[str] = field(default_factory=set)
    """Letters that stand as subscripts and are not bound there."""
    pairs: list[Chain] = field(default_factory=list)
    """i = j, k ≠ l, γ = 0: of indices, if these letters are any."""

    def of(self, statement: Statement) -> Uses:
        for part in statement.parts:
            sides = part.chain.sides
            if len(sides) == 1 and isinstance(sides[0], Name):  # a mention
                self.scripts(key_of(sides[0]), sides[0].sub, sides[0].sups, frozenset())
            elif part.chain.links and part.chain.links[0].relation in COMPARISONS and all(map(plain, sides)):
                self.pairs.append(part.chain)
            else:
                self.chain(part.chain, frozenset())
        return self

    def chain(self, chain: Chain, scope: frozenset[str]) -> None:
        self.visit(chain.sides, scope)

    def visit(self, node: object, scope: frozenset[str], **flags: object) -> None:
        match node:
            case Name():
                self.name(node, scope, None, **flags)
            case tuple():
                for child in node:
                    self.visit(child, scope)
            case Product(args, signs):
                self.product(args, signs, scope)
            case Sum():
                self.big(node, scope)
            case Transpose(arg):
                self.visit(arg, scope, transposed=True)
            case Norm(arg, order):
                self.visit(arg, scope, normed=order != "abs", scalar_only=order == "abs")
            case Power(base, exponent):
                self.visit(base, scope)
                self.visit(exponent, scope, scalar_only=True)
            case Quotient(top, bottom):
                self.visit(top, scope)
                self.divisor(bottom, scope)
            case Paren(chains, _):
                for c in chains:
                    if c.links and node.opening == "[":
                        self.condition(c, scope)
                    elif len(chains) == 1 and not c.links:
                        self.visit(c.subjects[0], scope, **flags)
                    else:
                        self.chain(c, scope)
            case Derivative(body, wrt, total):
                self.visit(body, scope, differentiated=True) if isinstance(body, Name) else self.visit(body, scope)
                for v in wrt:
                    self.visit(v, scope, by="d" if total else "∂")
            case Operator():
                by = "∇" if node.kind == "nabla" else "d" if node.total else "∂"
                for v in node.wrt:
                    self.visit(v, scope, by=by, scalar_only=node.name == PRIME)
                self.scripts("", node.sub, (), scope)
                for s in node.sups:
                    if s.value is not None:
                        self.visit(s.value, scope)
            case Indicator(chain):
                self.condition(chain, scope)
            case Cases(rows):
                for value, when in rows:
                    self.visit(value, scope)
                    if when is not None:
                        self.condition(when, scope)
            case Reals(shape):
                if shape is not None:
                    self.sizes |= {n.letter for n in names_in(shape)}
            case Chain():
                self.chain(node, scope)
            case Entry(base, at):
                self.visit(base, scope)
                self.items(at, scope)
            case _:
                for name in parts(type(node)) or ():
                    self.visit(getattr(node, name), scope)

    def divisor(self, node: Expr, scope: frozenset[str]) -> None:
        if isinstance(node, Product) and all(isinstance(a, (Name, Num)) for a in node.args) and not any(node.signs):
            for a in node.args:
                self.visit(a, scope, divides=True)
        else:
            self.visit(node, scope, divides=True)

    def product(self, args: tuple[Expr, ...], signs: tuple[str, ...], scope: frozenset[str]) -> None:
        if "times" in signs and len(args) == 2 and all(isinstance(a, (Name, Num)) for a in args):
            for a in args:  # n × m
                if isinstance(a, Name):
                    self.name(a, scope, None, size=True)
            return
        after_d = False
        for k, a in enumerate(args):
            beside = args[k + 1] if k + 1 < len(args) and not signs[k] else None
            if isinstance(a, Name):
                plain_d = beside is not None and order_of_d(a, beside) > 0
                self.name(a, scope, head_paren(beside), after_d=after_d, is_d=plain_d)
                after_d = plain_d
            else:
                self.visit(a, scope)
                after_d = False

    def big(self, node: Sum, scope: frozenset[str]) -> None:
        inner = scope | {b.name for b in node.binders}
        self.bound |= {b.name for b in node.binders}
        for b in node.binders:
            for limit in (b.low, b.high):
                if isinstance(limit, Name):
                    self.limits.add(key_of(limit)) if limit is b.high else None
                    if key_of(limit) not in scope and limit is not b.high:
                        self.visit(limit, scope)
                elif limit is not None:
                    self.limits |= {n.letter for n in names_in(limit)} - scope if limit is b.high else set()
        for c in node.where:
            self.condition(c, inner)
        self.visit(node.body, inner)

    def condition(self, chain: Chain, scope: frozenset[str]) -> None:
        if chain.links and chain.links[0].relation == "∈" and isinstance(chain.links[0].rhs, Name):
            items = member_items(chain)
            self.name(replace(chain.links[0].rhs, sub=Script(spelled_items(items), items)), scope, None)
            return
        for side in chain.sides:
            if isinstance(side, Name) and side.sub is None and not side.sups:
                self.compared.add(side.letter + "'" * side.primes)
            else:
                self.visit(side, scope)

    def name(self, name: Name, scope: frozenset[str], bracket: Paren | None, **flags: object) -> None:
        key = key_of(name)
        if bracket is not None and any(
            isinstance(c.subjects[-1], Name) and key_of(c.subjects[-1]) == key for c in bracket.chains
        ):
            bracket = None  # x^{(i)} (x^{(i)})^T: nothing is a function of itself
        self.scripts(key, name.sub, name.sups, scope)
        if flags.pop("size", False):
            self.sizes.add(name.letter)
            return
        is_d = flags.pop("is_d", False)
        if key in scope and name.sub is None:
            return
        if key == "e" and name.sups and name.sub is None and name.sups[0].text != "2":
            return
        if key == "δ" and name.sub is not None and len(name.sub.items) == 2:
            self.kronecker |= {n.letter for n in name.sub.items if isinstance(n, Name)}
        if is_d:
            flags["by"] = "differential"
        transposed = bool(flags.pop("transposed", False)) or any(s.transposes for s in name.sups) or bool(name.top)
        inverted = any(isinstance(s.value, Num) is False and s.text == "-1" for s in name.sups)
        self.uses.append(Use(key, name, bracket, transposed, inverted=inverted, **flags))  # type: ignore[arg-type]

    def scripts(self, key: str, sub: Script | None, sups: tuple[Script, ...], scope: frozenset[str]) -> None:
        if sub is not None:
            self.subscripts.append((key, sub))
            self.items(sub.items, scope)
        for s in sups:
            if s.labels is not None and key != "e":
                for label, bracket in s.labels:
                    if not (s.transposes and s.text == "T"):
                        self.labels.append((key, label, bracket))
                    if bracket == "(" and label.base is not None and label.base not in scope:
                        self.freely.add(label.base)
            elif s.value is not None:
                self.visit(s.value, scope)

    def items(self, items: tuple[Expr, ...], scope: frozenset[str]) -> None:
        for item in items:
            match item:
                case Name(letter, _, sub, _, primes):
                    if letter + "'" * primes not in scope:
                        self.freely.add(letter)
                    if sub is not None:
                        self.items(sub.items, scope)
                case All() | Words() | Num():
                    pass
                case _:
                    self.freely |= {n.letter for n in names_in(item)} - scope


def member_items(chain: Chain) -> tuple[Expr, ...]:
    """The (i, j) of (i, j) ∈ Ω."""
    subject = chain.subjects[-1]
    if isinstance(subject, Paren):
        return tuple(c.subjects[-1] for c in subject.chains)
    return chain.subjects


def names_in(node: object) -> Iterator[Name]:
    """Every name in a loose tree, those in scripts left out."""
    return (n for n in walk(node, (Name, Script)) if isinstance(n, Name))


def is_delta(node: Expr) -> bool:
    """δ_ij: Kronecker's, where nothing gives it."""
    match node:
        case Name("δ", sub=Script(items=(_, _)), sups=(), primes=0):
            return True
    return False


def of_kronecker(lhs: Expr, rhs: Expr) -> bool:
    """δ_ij = [i = j], 1 if i = j and else 0, ∂x_i/∂x_j, I, δ_ik δ_kj: what Kronecker's δ is anyway."""
    match rhs:
        case Derivative(Name() as x, (Name() as y,)):
            return is_delta(lhs) and key_of(x) == key_of(y)
    values = (n for n in walk(rhs, (Indicator, Script, Chain)) if isinstance(n, Name))
    return is_delta(lhs) and all(key_of(n) in ("I", "δ", "1") for n in values)
