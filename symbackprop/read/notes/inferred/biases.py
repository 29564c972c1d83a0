"""X W + b, a batch with its samples as rows: the bias is added to each row, so it is a row."""

from __future__ import annotations

from collections.abc import Iterator

from ..grammar.tree import Add, Name, Product
from ..grammar.walking import walk
from .occurrences import key_of
from .roles import Roles

_WEIGHTS = frozenset("WVUΘ")


def row_biases(roles: Roles) -> Iterator[str]:
    """The letters of what is added to a product of a batch with weights behind it."""
    for n in (n for r in roles.records if r.loose is not None for n in walk(r.loose)):
        match n:
            case Add((Product((Name() as batch, *_, Name() as weights)), Name() as bias)):
                if behind(batch, weights) and key_of(bias) in ("b", "c") and not bias.sups and not bias.top:
                    yield roles.full_key(bias)[0]


def behind(batch: Name, weights: Name) -> bool:
    turned = any(s.transposes for n in (batch, weights) for s in n.sups) or batch.top or weights.top
    return key_of(weights) in _WEIGHTS and key_of(batch).isupper() and key_of(batch) not in _WEIGHTS and not turned
