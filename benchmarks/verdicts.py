"""One table of verdicts: every statement of the public corpora, with its verdict and a class of time.

    python benchmarks/verdicts.py            # make verdicts: regenerates tests/data/verdicts.json
    python benchmarks/verdicts.py --check    # says what differs instead

A change of a verdict is then a line in a diff.  Times are processor seconds in coarse classes, so that they change
seldom; a test runs a sample of the table.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import process_time
from typing import Any

from decide import Case, cases, decided

from symbackprop.files import write_atomically

DATA = Path(__file__).parent.parent / "tests" / "data"
TABLE = DATA / "verdicts.json"
CORPORA = ("corpus", "museum", "statements")
CLASSES = ((0.5, "quick"), (2.0, "some time"), (10.0, "long"))  # processor seconds
SECONDS = 40.0

Table = dict[str, dict[str, list[str]]]


def corpus(name: str) -> dict[str, Case]:
    return {c.name: c for c in cases(json.loads((DATA / f"{name}.json").read_text(encoding="utf-8")))}


def row(case: Case) -> list[str]:
    """The verdict and the class of time."""
    start = process_time()
    status = decided(case, SECONDS).status
    spent = process_time() - start
    return [status, next((name for most, name in CLASSES if spent < most), "very long")]


def table() -> Table:
    found: Table = {}
    for name in CORPORA:
        found[name] = {}
        for title, case in corpus(name).items():
            found[name][title] = row(case)
            print(f"{name:10} {title:50} {' '.join(found[name][title])}", flush=True)
    return found


def written(found: Table) -> str:
    """One statement a line."""
    parts = []
    for name, rows in found.items():
        lines = ",\n".join(f"  {json.dumps(title)}: {json.dumps(row)}" for title, row in rows.items())
        parts.append(f" {json.dumps(name)}: {{\n{lines}\n }}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def differences(old: Any, new: Table) -> list[str]:
    return [
        f"{name} {title}: {' '.join(old.get(name, {}).get(title, ['new']))} -> {' '.join(row)}"
        for name, rows in new.items()
        for title, row in rows.items()
        if old.get(name, {}).get(title, [""])[0] != row[0]
    ]


def main() -> int:
    old = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
    found = table()
    changed = differences(old, found)
    print(*changed, f"{sum(map(len, found.values()))} statements, {len(changed)} verdicts changed", sep="\n")
    if "--check" in sys.argv:
        return 1 if changed else 0
    write_atomically(TABLE, written(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
