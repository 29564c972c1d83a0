"""Results as SARIF 2.1.0, which editors and code hosting show beside the lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

RULES = {
    "refuted": ("A false equation", "It is false: there is a counterexample.", "error"),
    "ill-formed": ("An ill-formed statement", "Shapes do not conform, or the formula has no meaning.", "error"),
    "unknown": ("An undecided statement", "Neither a proof nor a counterexample was found.", "warning"),
}


def sarif_log(results: Iterable[dict[str, Any]], version: str) -> dict[str, Any]:
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "symbackprop",
                        "version": version,
                        "rules": [
                            {
                                "id": name,
                                "name": title.title().replace(" ", "").replace("-", ""),
                                "shortDescription": {"text": title},
                                "fullDescription": {"text": text},
                                "defaultConfiguration": {"level": level},
                            }
                            for name, (title, text, level) in RULES.items()
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": list(results),
            }
        ],
    }


def result(status: str, text: str, physical: dict[str, Any]) -> dict[str, Any]:
    """One result, at a place: `physical` as SARIF calls it."""
    return {
        "ruleId": status,
        "ruleIndex": list(RULES).index(status),
        "level": RULES[status][2],
        "message": {"text": text},
        "locations": [{"physicalLocation": physical}],
    }


def uri(name: str) -> str:
    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
