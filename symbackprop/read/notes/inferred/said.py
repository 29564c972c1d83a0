"""What the formulas of a section say directly of its letters: shapes, lists, definitions, ranges."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise

from ..declared.symbols import Declarations
from ..files.items import Formula
from ..grammar.walking import EQUATIONS, Statement, walk
from ..grammar.tree import (
    Chain, Dots, Entry, Expr, Label, Link, Name, Neg, Num, Operator, Paren, Power, Product,
    Quotient, Reals, Script, ShapeWord, Sum, Transpose, Words,
)  # fmt: skip
from .occurrences import Use, Uses, key_of, names_in, of_kronecker
from .prose import Facts


COUNTERS = frozenset("bdklmnpqr")
"""Small letters that count: 1/v Σ_n x_n is no mean."""
COUNTS = re.compile(
    r"\s*([A-Za-z]|\\ell)\s*=\s*([01])\s*,\s*(?:2\s*,\s*)?(?:\\[lc]?dots|…|\.\.\.)\s*,\s*([A-Za-z])\s*\.?\s*\Z"
)


@dataclass(slots=True)
class Record:
    """One formula of a section: its loose tree and what its letters do there."""

    formula: Formula
    at: int
    loose: Statement | None
    error: Exception | None
    uses: Uses
    worded: Chain | None = None
    """The equation that words make of a formula: "the gradient of … is …"."""
    more: tuple[Chain, ...] = ()
    """Definitions that a notation brings with it."""

    @property
    def chains(self) -> list[Chain]:
        return [p.chain for p in self.loose.parts] if self.loose is not None else []


def of_all_steps(chain: Chain, records: Sequence[Record]) -> Iterator[Chain]:
    """What is said of y_t, of the family of them."""
    for c in (c for r in records for c in r.more if c.links[0].relation == "="):
        if c.subjects[-1].span == chain.subjects[-1].span and c.links[0].rhs == chain.links[0].rhs:
            yield c


@dataclass(frozen=True, slots=True)
class Head:
    """The left side of a definition: z, z_i, J(w), p(o | c), log π(a | s)."""

    name: Name
    key: str
    args: tuple[Expr, ...] | None = None
    under: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An equation that may be the definition of its left side."""

    head: Head
    link: Link
    chain: Chain
    record: int


@dataclass(slots=True)
class ArrayUse:
    """How an array is written in a section: with how many subscripts at most, whether also without any."""

    items: int = 0
    least: int = 99
    bare: int = 0
    samples: bool = False
    transposed: int = 0
    normed: int = 0
    scalar: int = 0
    powers: int = 0
    divides: int = 0
    by: Counter[str] = field(default_factory=Counter)
    bold: bool = False
    bold_items: bool = False
    calls: int = 0
    layered: bool = False
    unlayered: bool = False
    words: int = 0
    """How often it was written as \\text{…}."""


def is_interval(node: Expr) -> bool:
    """(0, 1), [-1, 1], [0, \\infty): no size is below 1."""
    if not isinstance(node, Paren) or len(node.chains) != 2 or any(c.links for c in node.chains):
        return False
    ends = [c.subjects[-1] for c in node.chains]
    low = any(isinstance(x, Neg) or (isinstance(x, Num) and (x.value <= 0 or x.value.denominator > 1)) for x in ends)
    return low or node.opening == "["


def head_of(node: Expr) -> Head | None:
    match node:
        case Name():
            if node.letter == "e" and node.sups:
                return None
            if any(s.transposes or s.elementwise for s in node.sups) or node.top:
                return None
            signs = [s for s in node.sups if s.text in ("*", r"\star", r"\ast")]  # w^*
            if any((s.labels is None and s not in signs) or s.labels == ((Label(None, 2), ""),) for s in node.sups):
                return None
            return Head(node, key_of(node))
        case Product((Name() as name, Paren(chains, "("))) if not linked(chains):
            if name.sups or name.primes:
                return None
            return Head(name, key_of(name), tuple(c.subjects[-1] for c in chains))
        case Product((Operator("function", "log"), Name() as name, Paren(chains, "("))) if not linked(chains):
            return Head(name, key_of(name), tuple(c.subjects[-1] for c in chains), "log")
        case _:
            return None


def linked(chains: tuple[Chain, ...]) -> bool:
    return any(c.links for c in chains)


def defining(lhs: Expr, link: Link, composite: Mapping[str, set[str]]) -> tuple[Head | None, Link]:
    """What an equation may define, and by what: s² = … gives s² where s does not stand without its square, else s."""
    match lhs:
        case Name(sups=(Script("2"),)) if "^2" in composite.get(key_of(lhs), ()):
            return Head(lhs, key_of(lhs)), link
        case Product((Name(sups=(Script("2"),)) as name, Paren(chains, "("))) if "^2" in composite.get(name.letter, ()):
            return Head(name, key_of(name), tuple(c.subjects[-1] for c in chains)), link
        case Name(sups=(Script("2", value=Num()),)) if not lhs.primes and not lhs.top:
            bare = replace(lhs, sups=())
            root = Power(link.rhs, Num(Fraction(1, 2)), False, link.rhs.span)
            return Head(bare, key_of(bare)), replace(link, rhs=root)
        case Product((Operator("function", "log"), Name() as name)) if not (name.sups or name.primes or name.top):
            return Head(name, key_of(name)), from_logarithm(link)
        case _ if of_kronecker(lhs, link.rhs):
            return None, link
        case _:
            return head_of(lhs), link


def from_logarithm(link: Link) -> Link:
    """log p = …: p is its exponential."""
    whole = Paren((Chain((link.rhs,), (), link.span),), "(")
    return replace(link, rhs=Product((Operator("function", "exp"), whole), ("",), link.rhs.span))


def softmax_given(chain: Chain) -> Name | None:
    """The σ of σ(z)_i = e^{z_i} / Σ_j e^{z_j}."""
    match chain:
        case Chain((Product((Name() as name, Entry(Paren((Chain((Name() as z,), ()),)), (Name(i),)))),), (link,)):
            match link.rhs:
                case Quotient(top, Sum((binder,), body, kind="sum")):
                    wanted = [(key_of(z), i), (key_of(z), binder.name)]
                    return name if [exponential(top), exponential(body)] == wanted else None
    return None


def exponential(node: Expr) -> tuple[str, str] | None:
    """The z and i of e^{z_i} and exp(z_i)."""
    match node:
        case Name("e", _, None, (Script(value=Name(_, _, Script(items=(Name(i),))) as z),)):
            return key_of(z), i
        case Product((Operator("function", "exp"), Paren((Chain((Name(_, _, Script(items=(Name(i),))) as z,), ()),)))):
            return key_of(z), i
    return None


def said_shape(rhs: Expr) -> Expr | None:
    """n, n × m, (N, d), scalar behind ~."""
    match rhs:
        case ShapeWord("scalar") | Name(_, _, _, ()) | Num():
            return rhs
        case Product(_, signs) if signs and set(signs) == {"times"}:
            return rhs
        case Product(args, signs) if all(isinstance(a, (Name, Num)) for a in args):
            return rhs
        case Paren(chains, "(") if not any(c.links for c in chains):
            return rhs if len(chains) > 1 else said_shape(chains[0].subjects[0])
        case _:
            return None


class Said:
    def __init__(self, records: Sequence[Record], facts: Facts, base: Declarations) -> None:
        self.records, self.facts, self.base = records, facts, base
        self.bound = set[str]().union(*(r.uses.bound for r in records))
        self.limits = set[str]().union(*(r.uses.limits for r in records))
        self.compared = set[str]().union(*(r.uses.compared | r.uses.kronecker for r in records))
        self.sizes: set[str] = set()
        self.ranges: dict[str, Expr] = {}
        self.means_over: set[str] = set()
        self.members: list[tuple[Name, Expr, Record]] = []
        self.listed: dict[str, Expr] = {}
        self.apart: set[tuple[str, str]] = set()
        self.layers: dict[str, str] = {k: s.last for k, s in base.layers.items()}
        self.samples: set[str] = set()
        self.composite: dict[str, set[str]] = {}
        self.candidates: list[Candidate] = []
        self.indices: set[str] = set()
        self.labels: set[str] = set()
        self.prime_names: set[str] = set()
        self.arrays: dict[str, ArrayUse] = {}
        self.calls: dict[str, list[tuple[Expr, ...]]] = {}
        self.primed: set[str] = set()
        self.bare_letters: Counter[str] = Counter()
        self.counted: dict[str, str] = {}
        self.upto: dict[str, set[Expr | None]] = {}
        self.params: list[tuple[int, tuple[int, int], set[str]]] = []

    def all_uses(self) -> list[Use]:
        return [u for r in self.records for u in r.uses.uses]

    def moved(self) -> set[str]:
        """What formulas differentiate by."""
        return {u.key for u in self.all_uses() if u.by in ("∂", "d", "∇")}

    def declared(self, key: str) -> bool:
        return self.base.known(key)

    def add_composite(self, key: str, script: str) -> None:
        self.composite.setdefault(key, set()).add(script)

    def memberships(self, r: Record) -> None:
        assert r.loose is not None
        for chain in (*(p.chain for p in r.loose.parts), *r.more):
            if len(chain.links) == 2 and chain.links[1].relation == "∈":  # X = [x_1, …, x_m] ∈ ℝ^{d × m}
                chain = Chain(chain.subjects, chain.links[1:], chain.span)
            if not chain.links or chain.links[0].relation not in ("∈", "~"):
                continue
            rhs: Expr = chain.links[0].rhs
            if is_interval(rhs):
                continue
            if chain.links[0].relation == "~":
                shape = said_shape(rhs)
                if shape is None:
                    continue
                rhs = Reals(shape if not isinstance(shape, ShapeWord) else None, rhs.span)
                self.sizes |= {n.letter for n in names_in(rhs)}
            subjects: list[Expr] = [s for s in chain.subjects if isinstance(s, (Name, Dots))]
            self.lists(subjects)
            for s in subjects:
                if isinstance(s, Name):
                    self.members.append((s, rhs, r))

    def lists(self, subjects: list[Expr]) -> None:
        """x_1, …, x_N: x counts to N; u_o beside it is a name of its own."""
        for k, s in enumerate(subjects):
            if not isinstance(s, Dots) or not 0 < k < len(subjects) - 1:
                continue
            first, last = subjects[k - 1], subjects[k + 1]
            if isinstance(first, Name) and isinstance(last, Name) and key_of(first) == key_of(last):
                end = last.sub.items[0] if last.sub and last.sub.items else None
                if end is None and last.sups and last.sups[0].labels:
                    end = Name(last.sups[0].labels[0][0].base or "", span=last.span)
                if end is not None and not isinstance(end, Num):
                    self.listed[key_of(first)] = end
                    self.sizes |= {n.letter for n in names_in(end)}
        for s in subjects:
            if isinstance(s, Name) and key_of(s) in self.listed and s.sub is not None:
                only = s.sub.items[0] if len(s.sub.items) == 1 else None
                if isinstance(only, Name) and only != self.listed[key_of(s)]:
                    self.apart.add((key_of(s), s.sub.text))

    def giving(self, chain: Chain) -> Iterator[Chain]:
        """y = f(x) = …: gives y, and f, which only ever stands in front of brackets."""
        yield chain
        if len(chain.links) > 1 and chain.links[0].relation in EQUATIONS:
            head = head_of(chain.links[0].rhs)
            uses = [u for u in self.all_uses() if head is not None and u.key == head.key]
            named = head is not None and head.args is not None and all(isinstance(a, Name) for a in head.args)
            if named and all(u.bracket is not None for u in uses) and head not in (head_of(s) for s in chain.subjects):
                yield Chain((chain.links[0].rhs,), chain.links[1:], (chain.links[0].at[0], chain.span[1]))

    def gives_function(self, r: Record, link: Link) -> bool:
        return any(c.record == r.at and c.link.span == link.span and c.head.args is not None for c in self.candidates)

    def definitions(self, r: Record) -> None:
        assert r.loose is not None
        for chain in (c for part in r.loose.parts for c in self.giving(part.chain)):
            if chain.links and len(chain.subjects) == 1 and chain.links[0].relation in EQUATIONS:
                self.squares(chain.subjects[0])
                head, link = defining(chain.subjects[0], chain.links[0], self.composite)
                if head is not None and not isinstance(chain.links[0].rhs, (Words, Dots)):
                    self.candidates.append(Candidate(head, link, chain, r.at))
            elif not chain.links:
                self.lists(list(chain.subjects))
        subjects = [s for p in r.loose.parts for s in p.chain.subjects if not p.chain.links]
        if len(subjects) == 3 and isinstance(subjects[1], Dots):
            self.lists(subjects)

    def means(self, r: Record) -> None:
        """1/N Σ_n x_n without a limit is a mean: n runs to N, as it does beside Σ_{n=1}^N."""
        for node in walk(r.loose):
            for b in node.binders if isinstance(node, Sum) and node.kind == "sum" else ():
                self.upto.setdefault(b.name, set()).add(b.high)
            if not isinstance(node, Product):
                continue
            for first, second in zip(node.args, node.args[1:], strict=False):
                match first, second:
                    case Quotient(_, bottom), Sum((binder,), kind="sum") if binder.high is None:
                        counts = [n for n in names_in(bottom) if n.sub is None and not n.sups]
                        if len(counts) == 1 and not self.declared(key_of(counts[0])):
                            self.counted.setdefault(binder.name, counts[0].letter)

    def settle_means(self) -> None:
        defined = {c.head.key for c in self.candidates}
        for index, limits in self.upto.items():
            match sorted(limits, key=lambda high: high is None):
                case [Name(letter, _, None, ()), None] if not self.declared(letter):
                    self.counted[index] = letter
        by = self.moved()
        for index, count in self.counted.items():
            counts = count not in defined | by and (count.isupper() or count in COUNTERS)
            if counts and index not in self.ranges and not any(key_of(n) == count for n, _, _ in self.members):
                self.ranges[index] = Name(count)
                self.means_over.add(index)
                self.sizes.add(count)

    def squares(self, lhs: Expr) -> None:
        """σ² = …, where σ only ever stands squared: σ² is a name."""
        match lhs:
            case Product((Name() as name, Paren(_, "("))):
                lhs = name
        alone = isinstance(lhs, Name) and not lhs.primes and [s.text for s in lhs.sups] == ["2"]
        if isinstance(lhs, Name) and alone and self.squared(key_of(lhs)):
            self.add_composite(key_of(lhs), "^2")

    def squared(self, key: str) -> bool:
        """It never stands without its square."""
        uses = [[s.text for s in u.name.sups] == ["2"] for u in self.all_uses() if u.key == key]
        return bool(uses) and all(uses) and not self.declared(key)

    def range(self, r: Record) -> None:
        found = COUNTS.match(r.formula.text)
        if found is not None:
            letter = found[1].removeprefix("\\").replace("ell", "ℓ")
            self.ranges[letter] = Name(found[3])
            self.sizes.add(found[3])
            words = f"{r.formula.before[-80:]} {r.formula.after[:80]}".lower()
            if "layer" in words:
                self.layers[letter] = found[3]
                self.layers[found[3]] = found[3]
            else:
                self.compared.add(letter)

    def pairs(self) -> None:
        """i ≠ j compares indices where both stand as subscripts; else they are values: so is the q of ρ_q(r) = q r."""
        free = self.bound.union(*(r.uses.freely for r in self.records))
        numbers = {sub.text for c in self.candidates if (sub := c.head.name.sub) is not None and self.of_parameter(c)}
        free -= numbers
        self.compared -= numbers
        for r in self.records:
            for chain in r.uses.pairs:
                names = {n.letter + "'" * n.primes for n in names_in(chain)}
                if names and names <= free:
                    self.compared |= names
                else:
                    r.uses.chain(chain, frozenset())
            r.uses.pairs = []

    def of_parameter(self, c: Candidate) -> bool:
        """ρ_q(r) = q r: the function is given with the letter below it, which is a number there."""
        below = c.head.name.sub
        inside = {n.letter for n in walk(c.link.rhs) if isinstance(n, Name)}
        return c.head.args is not None and below is not None and below.text in inside - self.bound

    def values(self) -> None:
        """Letters that stand as values of their own, outside sums over them."""
        self.bare_letters.update(u.key for u in self.all_uses() if u.by != "differential")


def cut_at_colon(r: Record, chain: Chain) -> bool:
    """dφ = 2 A : dX, A : B C = …: a product, of which the chain holds one factor; not f : …, and no label."""
    chains = [p.chain for p in r.loose.parts] if r.loose is not None else []
    pairs = [(a, b) for a, b in pairwise(chains) if r.formula.text[a.span[1] : b.span[0]].strip() == ":"]
    behind = any(a == chain and not b.links and not isinstance(b.subjects[0], Words) for a, b in pairs)
    before = (a.subjects[-1] for a, b in pairs if b == chain and not a.links)
    return bool(chain.links) and (behind or any(isinstance(x, (Paren, Product, Transpose)) for x in before))
