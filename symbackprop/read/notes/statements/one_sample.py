"""One of many: beside samples x^{(1)}, …, x^{(m)} ∈ ℝ^d a bare x is any one of them, not their stack; x° is its key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from ..grammar.tree import Chain, Dots, Name, Num, Reals, Script
from ..grammar.walking import mapped, outside_scripts, walk
from ..inferred.above import Above
from ..inferred.occurrences import SINGLE, Uses, key_of
from ..inferred.said import Record, head_of

_DATA = re.compile(
    r"\b(?:data(?:\s+points?)?|samples?|observations?|i\.?i\.?d\.?|measurements?|examples?|draws?)\W*\Z", re.IGNORECASE
)


def with_one_samples(records: Sequence[Record], above: Above) -> list[Record]:
    chains = [c for r in records for c in r.chains]
    said = [(n, dotted) for c in chains for n, dotted in vectors_said(c)]
    apart = {key_of(n) for n, _ in said if bare(n)} | {
        h.key for c in chains if c.links and (h := head_of(c.subjects[-1])) is not None and bare(h.name)
    }
    many = {key_of(n) for n, dotted in said if counts(n, dotted)} | {
        k for k, o in above.chosen.items() if 0 < o.family < o.rank
    }
    many |= {k for r in records for k in data(r)}
    if not many - apart:
        return list(records)
    found = list(names([*chains, *(d.chain for d in above.definitions.values())]))
    labelled = {k for k, n in found if by_label(n)}
    indices = {i for k, n in found if k in many - labelled for i in index_of(n)}
    counted = {k for k, n in found if index_of(n) & indices}
    beside = (labelled if many & labelled else set[str]()) | counted
    return [renamed(r, many - apart, beside - many - apart, labelled) for r in records]


def renamed(r: Record, vectors: Set[str], beside: Set[str], labelled: Set[str]) -> Record:
    """x is x°, and y in a formula with x is y°; what is only a list of names stays."""
    if r.loose is None or not any(p.chain.links for p in r.loose.parts):
        return r
    if not any(key_of(n) in vectors and is_one(n, labelled) for n in walk(r.loose) if isinstance(n, Name)):
        return r

    def go(node: object) -> object:
        if isinstance(node, Script) and node.value is None:
            return node
        new = mapped(node, go)
        if isinstance(new, Name) and key_of(new) in vectors | beside and is_one(new, labelled):
            return replace(new, letter=new.letter + SINGLE)
        return new

    loose = replace(r.loose, parts=tuple(replace(p, chain=go(p.chain)) for p in r.loose.parts))  # type: ignore[arg-type]
    uses = Uses()
    uses.of(loose)
    return replace(r, loose=loose, uses=uses)


def is_one(n: Name, labelled: Set[str]) -> bool:
    """x, x^T; where samples are x^{(i)} also the entry x_j."""
    return not by_label(n) and (n.sub is None or key_of(n) in labelled)


def vectors_said(c: Chain) -> Iterator[tuple[Name, bool]]:
    """The x_i of x_i ∈ ℝ^d, and whether dots stand between them."""
    links = c.links[-1:]
    if links and links[0].relation == "∈" and isinstance(links[0].rhs, Reals) and links[0].rhs.shape is not None:
        dotted = any(isinstance(s, Dots) for s in c.subjects)
        yield from ((s, dotted) for s in c.subjects if isinstance(s, Name))


def data(r: Record) -> Iterator[str]:
    """The x of "data x_1, …, x_n"."""
    parts = r.chains
    if len(parts) == 3 and not any(c.links for c in parts) and _DATA.search(r.formula.before):
        match parts[0].subjects[-1], parts[1].subjects[-1], parts[2].subjects[-1]:
            case Name() as first, Dots(), Name() as last if key_of(first) == key_of(last):
                yield key_of(first)


def counts(n: Name, dotted: bool) -> bool:
    """x^{(i)}, x_i; x_1 only with dots behind it."""
    first = n.sub.items[0] if n.sub is not None and len(n.sub.items) == 1 else None
    return by_label(n) or (isinstance(first, Num) and dotted) or bool(index_of(n))


def index_of(n: Name) -> frozenset[str]:
    """The i of x_i."""
    match n.sub:
        case Script(items=(Name(letter),)) if letter in "ijknmst":
            return frozenset(letter)
    return frozenset()


def by_label(n: Name) -> bool:
    return any(bracket == "(" for s in n.sups for _, bracket in s.labels or () if not (s.transposes and s.text == "T"))


def bare(n: Name) -> bool:
    return n.sub is None and not by_label(n)


def names(chains: Sequence[Chain]) -> Iterator[tuple[str, Name]]:
    return ((key_of(n), n) for c in chains for n in outside_scripts(c) if isinstance(n, Name))
