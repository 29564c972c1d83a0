"""The forms that stand in a matrix form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symbackprop.core.matrix import Matrix, Plus, Product

PLACES = ("left", "right", "of")


def parts_of(m: Matrix) -> tuple[Matrix, ...]:
    return m.args if isinstance(m, Plus) else tuple(getattr(m, place) for place in PLACES if hasattr(m, place))


def with_parts(m: Matrix, new: tuple[Matrix, ...]) -> Matrix:
    """The same form with other parts."""
    if isinstance(m, Plus):
        return Plus(new)
    places: dict[str, Any] = dict(zip((p for p in PLACES if hasattr(m, p)), new, strict=True))
    return replace(m, **places)


def factors(m: Matrix) -> tuple[Matrix, ...]:
    """The factors of a matrix product of any length."""
    return (*factors(m.left), *factors(m.right)) if isinstance(m, Product) else (m,)
