"""Where a letter takes another meaning in mid-section: "now let w be a vector".

A stretch of text is cut there when its letters make more sense so: fewer formulas that do not conform.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from ..declared.said_in_prose import layout_changed, layout_named
from ..grammar.vocabulary import GREEK
from ..inferred.above import END, Above, Given, below, letters
from ..inferred.hypotheses import in_force
from ..inferred.prose import Facts
from ..inferred.section import Section
from ..inferred.solver import plus
from .heads import Heads
from .statements import Scope, members

MOST = 4
"""How many places in a stretch are tried."""
_GOES_ON = re.compile(
    r"\W*(?:where|here|with(?=\W*\$)|in which|recall|note|remember|as before|above|throughout|again)\b", re.IGNORECASE
)


def change(scope: Scope, above: Above, whole: Heads) -> tuple[int, int] | None:
    """The place where a letter changes its kind, if a cut there leaves fewer formulas that do not conform."""
    best, least = None, (*whole.section.cost[:2], 0.0)
    if least == (0, 0, 0):
        return None
    for place, said in islice(places(scope), MOST):
        first, second = parts(scope, place)
        head = section_of(first, above)
        tail = section_of(second, below(above, head.above, left_by(head)))
        later = {**whole.section.chosen, **tail.chosen}
        told = {k: o for k, o in head.chosen.items() if k in later and not letters(k).isdisjoint(said)}
        changed = any(later[k].rank != o.rank for k, o in told.items())
        cost = plus(head.cost, tail.cost)
        if changed and cost < least:
            best, least = place, cost
    return best


def relaid(scope: Scope) -> tuple[int, int] | None:
    """The place from which another layout holds: "from now on we use the numerator layout"."""
    known: str = scope.base.layout
    for k, (text, at) in enumerate(scope.prose):
        found = layout_changed(text)
        if found and found != known and 0 < at < len(scope.formulas) and (known or _NOW.search(text)):
            return k, at
        known = found or layout_named(text) or known
    return None


_NOW = re.compile(r"\b(?:now|from here|switch\w*|change\w*|go over|turn|rest of|remainder)\b", re.IGNORECASE)


def section_of(scope: Scope, above: Above) -> Section:
    return Heads(scope, above.about(f.text for f in scope.formulas)).section


def places(scope: Scope) -> Iterator[tuple[tuple[int, int], set[str]]]:
    """Where a sentence begins (among the prose, and the formulas) that says of letters used above what they are."""
    used: set[str] = set()
    seen, counts = 0, dict[str, int]()
    for k, (text, at) in enumerate(scope.prose):
        used = used.union(*(letters(f.text) for f in scope.formulas[seen:at]))
        counts |= {k: n for f in scope.formulas[seen:at] for k, n in subscripts(f.text)}
        seen = max(seen, at)
        if not at or at >= len(scope.formulas) or _GOES_ON.match(text):
            continue
        facts = Facts().read(text)
        end = next((n for _, n in scope.prose[k + 1 :] if n > at), len(scope.formulas))
        said = {*facts.ranks, *facts.shapes, *(name for f in scope.formulas[at:end] for name in members(f))}
        again = used if facts.everything is not None else used & set[str]().union(*map(letters, said))
        here = [pair for f in scope.formulas[at:end] for pair in (*subscripts(f.text), *bare_head(f.text))]
        again |= {name for name, n in here if counts.get(name, n) != n}
        if again:
            yield (k, at), again


def subscripts(text: str) -> Iterator[tuple[str, int]]:
    """How many indices stand at a letter."""
    for m in _SCRIPTED.finditer(text):
        yield GREEK.get(m[1].lstrip("\\"), m[1].lstrip("\\")), len(re.sub(r"[\s,{}]", "", m[2]))


def bare_head(text: str) -> Iterator[tuple[str, int]]:
    """p = … where p_i was defined above is another p, or all of them."""
    m = _BARE.match(text)
    if m is not None:
        yield GREEK.get(m[1].lstrip("\\"), m[1].lstrip("\\")), 0


_BARE = re.compile(r"\s*(\\?[A-Za-z]+)\s*:?=(?!=)")
_SCRIPTED = re.compile(r"(\\?[A-Za-z]+)_\s*(\{[a-z][\s,]*[a-z]?\}|[a-z])")


def parts(scope: Scope, place: tuple[int, int]) -> tuple[Scope, Scope]:
    k, at = place
    first = Scope(scope.base, scope.section, scope.formulas[:at], scope.prose[:k])
    prose = [(text, n - at) for text, n in scope.prose[k:]]
    return first, replace(scope, formulas=scope.formulas[at:], prose=prose, after=None)


def left_by(section: Section) -> Above:
    """What a section leaves to those below it."""
    facts, definitions = section.facts, dict[str, Given]()
    for name in dict.fromkeys([*section.above.definitions, *(d.key for d in section.definitions)]):
        found = section.definition(name, END)
        if found is not None and found.record >= 0:
            found = replace(found, record=-1, rests=section.keys(found.chain) if found.made is None else ())
        if found is not None:
            definitions[name] = found
    said = in_force(facts.sayings, END)
    properties = {k: frozenset(s.what for s in said if s.of == k) for k in dict.fromkeys(s.of for s in said)}
    keys, sizes, arrays = map(dict.fromkeys, (facts.logistic_keys, section.roles.sizes, section.roles.arrays))
    return Above(
        definitions, section.chosen, arrays, sizes, section.frame.of, properties, keys, facts.bold,
        section.frame.table, dict.fromkeys(sorted(section.unread | section.doubtful)),
        facts.logistic, facts.einstein,
        {k: None for k, o in section.chosen.items() if o.rank == 2} if facts.decomposed else {},
    )  # fmt: skip
