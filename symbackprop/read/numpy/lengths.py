"""What is known of sizes while a function is read: n >= 1, or more by the hypotheses."""

from __future__ import annotations

from symbackprop.core import indices
from symbackprop.core.indices import Size

from .context import current


def at_least_zero(s: Size) -> bool:
    """Sufficient: s >= 0 for all sizes that the hypotheses leave."""
    return indices.at_least_zero(s, current().context.least)
