"""A claim under a condition on its indices; letters and readings in words."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import replace
from typing import cast

from ..files.items import Formula
from ..grammar.tree import (
    Chain,
    Expr,
    IndexName,
    Indicator,
    Link,
    Name,
    Neg,
    Num,
    Product,
    Symbol,
    Transpose,
)
from ..grammar.walking import mapped, walk
from ..inferred.hypotheses import LEFT, STATED, Saying
from ..inferred.options import Option
from ..inferred.said import Head, Record
from ..inferred.section import Section

_IF = re.compile(r"\b(?:if|when(?:ever)?|in case)\s*\Z", re.IGNORECASE)
_ANEW = re.compile(
    r"\n[ \t]*\n\W*(?!(?:Then|Thus|Hence|So|Therefore|Moreover|Also|In (?:this|that|the) case|And|It follows|Here|This)"
    r"\b)[A-Z][a-z]"
)


def conditioned(c: Chain, lhs: Expr, rhs: Expr) -> tuple[Expr, Expr]:
    """Both sides under a condition on indices: put in for an equality, else times 1 where it holds."""
    left, link = c.subjects[-1], c.links[0]
    match left, link:
        case IndexName(a), Link("=", IndexName(b)):
            return renamed(lhs, b, a), renamed(rhs, b, a)
    hold = Indicator(c, c.span)
    return Product((hold, lhs), ("",), lhs.span), Product((hold, rhs), ("",), rhs.span)


def settles(given: Chain, other: Chain) -> bool:
    """γ = 0 is under γ ≥ 0 already, and there it is no border."""
    match given, other:
        case (
            Chain((Symbol(name=a),), (Link("=", Num(value)),)),
            Chain((Symbol(name=b),), (Link(relation, Num(bound)),)),
        ) if a == b:
            return {">": value > bound, "≥": value >= bound, "<": value < bound, "≤": value <= bound}.get(
                relation, False
            )
    return False


def renamed(node: Expr, old: str, new: str) -> Expr:
    def go(n: object) -> object:
        if isinstance(n, IndexName) and n.name == old:
            return replace(n, name=new)
        return mapped(n, go)

    return cast(Expr, go(node))


def is_property(lhs: Expr, rhs: Expr) -> bool:
    """W = W^T, A^T = -A, Q^T = Q^{-1}, Q^T Q = I: said of one letter."""
    inner = rhs.arg if isinstance(rhs, Neg) else rhs
    if isinstance(lhs, Product) and len(lhs.args) == 2:
        return isinstance(inner, Name) and inner.letter == "I" and is_property(*lhs.args)
    if not isinstance(lhs, Name) or not isinstance(inner, Name):
        return False
    bare = [replace(n, sups=(), span=(0, 0)) for n in (lhs, inner)]
    return bare[0] == bare[1] and any(s.transposes for n in (lhs, inner) for s in n.sups)


def lapse(said: Formula, records: Sequence[Record]) -> int | None:
    """ "If w^T w = 1, …" holds to the end of its paragraph: the first record behind, where the text begins anew."""
    if _IF.search(said.before) is None:
        return None
    found = _ANEW.search(said.where.source.text, said.where.offset(0))
    places = ((r.at, r.formula.where) for r in records)
    behind = (at for at, w in places if found and w.source is said.where.source and w.offset(0) >= found.end())
    return next(behind, None)


def in_sentence(r: Record, chain: Chain, records: Sequence[Record]) -> list[Saying]:
    """ "If γ = 0 then …": it holds for the formulas of its sentence, maybe to the paragraph's end, A = A^T longer."""
    text = r.formula.text
    end = lapse(r.formula, records) if not is_property(chain.subjects[-1], chain.links[0].rhs) else None
    said = Saying(r.at, STATED, text, chain=chain, where=r.formula.where)
    return [said, Saying(r.at, STATED, text, False), *([Saying(end, LEFT, text, False)] if end is not None else [])]


def of_a_letter(section: Section, lhs: Expr, rhs: Expr) -> bool:
    """W = W^T, Q^T Q = I in a list of what is given, of a letter that no equation gives."""
    letters = {n.letter for n in walk(lhs) if isinstance(n, Name)}
    given = (c for c in section.roles.candidates if c.head.name.letter in letters)
    return is_property(lhs, rhs) and all(is_property(c.head.name, c.link.rhs) for c in given)


def comes_in(section: Section, found: Head, at: int, rhs: Expr, defined: Container[str]) -> bool:
    """ "Suppose δ = ∂E/∂h is given": no formula above holds the letter, so that the equation says what it is."""
    key = section.key(found.name)
    new = key not in defined and key not in section.above.arrays and section.first_use(key) >= at
    return new and key not in section.names(rhs) and not isinstance(rhs, (Num, Transpose))


def as_name(key: str) -> Name:
    found = re.fullmatch(r"\\(\w+)\{(.+)\}", key)
    return Name(found[2], found[1]) if found else Name(key)


def spoken(option: Option) -> str:
    inner = option.rank - option.family
    words = ("a number", "a row" if option.orientation == "row" else "a column", "a matrix", "an array")[min(inner, 3)]
    return f"is {words}" if not option.family else f"counts {words}s"


def on_values(chain: Chain) -> bool:
    """γ = 0, A = A^T, x > 0: what is said of letters, for the formula that follows."""
    sides = (*chain.subjects, *(k.rhs for k in chain.links))
    return (
        len(chain.links) == 1 and isinstance(sides[0], Name) and all(isinstance(s, (Name, Num)) for s in sides)
        and all(x.transposes for x in (sides[1].sups if isinstance(sides[1], Name) else ()))  # e^x is no letter
        and chain.links[0].relation in ("=", "<", ">", "≤", "≥", "≠")
    )  # fmt: skip
