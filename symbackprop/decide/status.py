"""The four answers."""

from __future__ import annotations

PROVED, REFUTED, ILL_FORMED, UNKNOWN = "proved", "refuted", "ill-formed", "unknown"
WORST_FIRST = (REFUTED, ILL_FORMED, UNKNOWN, PROVED)
