"""What the formulas of a section show besides: that all letters are numbers, that a bias is a row, what is square."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..grammar.tree import (
    Add, Chain, Expr, Identity, Link, Name, Neg, Num, Ones, Operator, Power, Product, Quotient, Reals, Script,
)  # fmt: skip
from ..grammar.vocabulary import WHOLE_WORDS
from ..grammar.walking import walk
from .occurrences import key_of
from .options import Option
from .prose import Facts
from .roles import Roles
from .said import Record
from .solver import without_arrays

_WORDS = re.compile(r"\b(?:matri\w+|ve[ck]t(?:or|eur)\w*|tensors?|arrays?|batch\w*|layers?)\b", re.IGNORECASE)
_OF_ARRAYS = frozenset(WHOLE_WORDS.values()) - {"max", "min"}
_WEIGHTS = frozenset("WVUΘ")


def weigh(records: Sequence[Record], roles: Roles, facts: Facts, above: Mapping[str, Option]) -> None:
    """Notes it among what is said; where indices are written, what has none is a number."""
    if not roles.base.convention:  # as declared, a vector is a column
        facts.rows.update(row_biases(roles))
    facts.square.update(symmetric_entries(roles))
    if facts.everything is None and (facts.einstein or evidently(records, roles, facts, above)):
        facts.everything = 0


def symmetric_entries(roles: Roles) -> Iterator[str]:
    """k_{ij} = k_{ji}, k_{ij} = -k_{ji}."""
    for chain in (p.chain for r in roles.records if r.loose is not None for p in r.loose.parts):
        match chain:
            case Chain((Name(sub=Script(items=(i, j))) as k,), (Link("=", rhs),)):
                other = rhs.arg if isinstance(rhs, Neg) else rhs
                if isinstance(other, Name) and other.sub is not None and other.sub.items == (j, i) and i != j:
                    if key_of(other) == key_of(k):
                        yield roles.key(k)


def evidently(records: Sequence[Record], roles: Roles, facts: Facts, above: Mapping[str, Option]) -> bool:
    """Y = A K^α L^{1-α}: a capital is divided by, raised to a power that is no integer, or is above 0."""
    chains = [p.chain for r in records if r.loose is not None for p in r.loose.parts]
    said = any(facts.ranks.values()) or facts.shapes or facts.square or facts.bold or roles.members or roles.layers
    if said or any(above[k].rank for k in roles.arrays if k in above) or any(map(of_arrays, records)):
        return False
    if any(u.items or u.bold or u.layered or u.transposed or u.normed or u.by["∇"] for u in roles.arrays.values()):
        return False
    nodes = [n for c in chains for n in walk(c)]
    if not all(map(without_arrays, chains)) or any(map(only_arrays, nodes)):
        return False
    return any(n.letter.isupper() for n in (*divided(nodes), *raised(nodes), *compared(chains)))


def of_arrays(r: Record) -> bool:
    return _WORDS.search(f"{r.formula.before} {r.formula.after}") is not None or any(u.inverted for u in r.uses.uses)


def only_arrays(node: object) -> bool:
    match node:
        case Ones() | Identity() | Reals() | Name("I"):
            return True
        case Operator("function", name):
            return name in _OF_ARRAYS
    return False


def divided(nodes: Iterable[object]) -> Iterator[Name]:
    for n in nodes:
        if isinstance(n, Quotient):
            yield from factors(n.bottom)


def factors(node: Expr) -> Iterator[Name]:
    yield from (n for n in walk(node) if isinstance(n, Name))


def raised(nodes: Iterable[object]) -> Iterator[Name]:
    """The letters under an exponent that is no integer."""
    for n in nodes:
        match n:
            case Name(sups=sups) if any(s.value is not None and not integer(s.value) for s in sups):
                yield n
            case Power(base, exponent) if not integer(exponent):
                yield from factors(base)


def integer(node: Expr) -> bool:
    return isinstance(node, Num) and node.value.denominator == 1


def compared(chains: Iterable[Chain]) -> Iterator[Name]:
    """A, K > 0."""
    for c in chains:
        if c.links and all(k.relation in "<>" and isinstance(k.rhs, Num) for k in c.links):
            yield from (s for s in c.subjects if isinstance(s, Name))


def row_biases(roles: Roles) -> Iterator[str]:
    """X W + b, a batch with its samples as rows: the bias is added to each row."""
    for n in (n for r in roles.records if r.loose is not None for n in walk(r.loose)):
        match n:
            case Add((Product((Name() as batch, *_, Name() as weights)), Name() as bias)):
                if behind(batch, weights) and key_of(bias) in ("b", "c") and not bias.sups and not bias.top:
                    yield roles.key(bias)


def behind(batch: Name, weights: Name) -> bool:
    turned = any(s.transposes for n in (batch, weights) for s in n.sups) or batch.top or weights.top
    return key_of(weights) in _WEIGHTS and key_of(batch).isupper() and key_of(batch) not in _WEIGHTS and not turned
