"""Every theorem that the tests prove is re-checked by the independent checker, each once.

`core.theorem.theorem_of` is wrapped, so that a refusal is an error of the test that made the certificate.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import wraps
from typing import Any

import pytest

from symbackprop.checker.recheck import Refused, recheck
from symbackprop.core import theorem
from symbackprop.core.certificate import certificate

ACCEPTED: list[Mapping[str, Any]] = []  # since the last test
SEEN: set[bytes] = set()
theorem_of = theorem.theorem_of


@wraps(theorem_of)
def remembered(rows: Mapping[str, Any], ledger: theorem.Ledger) -> theorem.Theorem:
    found = theorem_of(rows, ledger)
    ACCEPTED.append(certificate(found.statement, found.argument))  # by itself, without what went before
    return found


theorem.theorem_of = remembered


@pytest.fixture(autouse=True)
def recheck_theorems() -> Iterator[None]:
    ACCEPTED.clear()
    yield
    for rows in ACCEPTED:
        digest = hashlib.blake2b(json.dumps(rows, sort_keys=True).encode(), digest_size=16).digest()
        if digest not in SEEN:
            SEEN.add(digest)
            try:
                recheck(rows)
            except Refused as cause:
                pytest.fail(f"the independent checker refuses what the core accepts: {cause.args[0]}")
    ACCEPTED.clear()
