"""A quarter of the theorems that the tests prove, by their digests, go to the kernel too, which shares no line with the
checker that decides.

`core.theorem.accepted` is wrapped, so that a refusal is an error of the test that made the certificate.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Iterator, Mapping
from copy import copy
from functools import wraps
from typing import Any

import pytest
from kernel_account import argued

from symbackprop.core import theorem
from symbackprop.core.terms import ProofError

ACCEPTED: list[Mapping[str, Any]] = []  # since the last test
BEFORE: dict[str, list[Any]] = {}  # the rows of what was accepted one after the other
SEEN: set[bytes] = set()
TABLES = ("sizes", "nodes", "steps", "reasons")
accepted = theorem.accepted


@wraps(accepted)
def remembered(rows: Mapping[str, Any], since: Any = None) -> Any:
    if since is None:
        BEFORE.clear()
    for name in TABLES:
        BEFORE[name] = BEFORE.get(name, []) + list(map(copy, rows.get(name, [])))
    found = accepted(rows, since)
    if "statement" in rows:  # other equations come from the kernel
        ACCEPTED.append({**rows, **BEFORE})
    return found


theorem.accepted = remembered


def pytest_collection_finish() -> None:
    """What collection made stays to the end: the garbage collector need not look at it again, nor as often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def second_opinion() -> Iterator[None]:
    ACCEPTED.clear()
    yield
    for rows in ACCEPTED:
        digest = hashlib.blake2b(json.dumps(rows, sort_keys=True).encode(), digest_size=16).digest()
        if digest[0] % 4 == 0 and digest not in SEEN:
            SEEN.add(digest)
            try:
                argued(rows)
            except ProofError as cause:
                pytest.fail(f"the kernel refuses what the checker accepts: {cause}")
    ACCEPTED.clear()
