"""Results as SARIF 2.1.0, which editors and code hosting show beside the lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from symbackprop.decide.outcomes import RULES, Rule

LEVELS = {"SB1": "error", "SB2": "error", "SB3": "warning"}


def sarif_log(results: Iterable[dict[str, Any]], version: str) -> dict[str, Any]:
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "symbackprop", "version": version, "rules": list(map(rule, RULES))}},
                "columnKind": "unicodeCodePoints",
                "results": list(results),
            }
        ],
    }


def rule(r: Rule) -> dict[str, Any]:
    return {
        "id": r.code,
        "name": r.name,
        "shortDescription": {"text": r.what},
        "defaultConfiguration": {"level": LEVELS[r.code[:3]]},
    }


def result(r: Rule, verdict: str, text: str, physical: dict[str, Any]) -> dict[str, Any]:
    """One result, at a place: `physical` as SARIF calls it."""
    return {
        "ruleId": r.code,
        "ruleIndex": RULES.index(r),
        "level": LEVELS[r.code[:3]],
        "message": {"text": text},
        "locations": [{"physicalLocation": physical}],
        "properties": {"verdict": verdict},
    }


def uri(name: str) -> str:
    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
