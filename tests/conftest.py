"""Every theorem that the tests prove is shown to the kernel too, which shares no line with the checker that decides.

`core.theorem.accepted` is wrapped, so that a refusal is an error of the test that made the certificate.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import wraps
from typing import Any

import pytest

from symbackprop.core import theorem
from symbackprop.core.region import argued
from symbackprop.core.terms import ProofError

ACCEPTED: list[Mapping[str, Any]] = []  # since the last test
SEEN: set[bytes] = set()
TABLES = ("sizes", "nodes", "steps", "reasons")
accepted = theorem.accepted


@wraps(accepted)
def remembered(rows: Mapping[str, Any], before: Any = None) -> Any:
    found = accepted(rows, before)
    if "statement" in rows:  # other equations come from the kernel
        found.whole = rows if before is None else {**rows, **{k: before.whole[k] + rows[k] for k in TABLES}}
        ACCEPTED.append(found.whole)
    return found


theorem.accepted = remembered


@pytest.fixture(autouse=True)
def second_opinion() -> Iterator[None]:
    ACCEPTED.clear()
    yield
    for rows in ACCEPTED:
        digest = hashlib.blake2b(json.dumps(rows, sort_keys=True).encode(), digest_size=16).digest()
        if digest not in SEEN:
            SEEN.add(digest)
            try:
                argued(rows)
            except ProofError as cause:
                pytest.fail(f"the kernel refuses what the checker accepts: {cause}")
    ACCEPTED.clear()
