"""Every proof that the kernel accepts while the tests run is re-checked by the independent checker, each once.

`kernel.check` is wrapped before anything imports it: what it returns is written as a certificate and re-checked when
the test is over, so that a refusal is an error of the test that made the proof.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest

from symbackprop.checker.recheck import Refused, recheck
from symbackprop.core import kernel
from symbackprop.core.context import Context, Equation
from symbackprop.core.kernel import Proof
from symbackprop.write.certificate import certificate

ACCEPTED: dict[int, tuple[Proof, Context, Equation]] = {}  # since the last test, by the proof's id
SEEN: set[bytes] = set()


def remembered(check: Callable[..., Equation]) -> Callable[..., Equation]:
    @wraps(check)
    def checked(proof: Any, context: Context = kernel.EMPTY, *seen: Any, **given: Any) -> Equation:
        equation = check(proof, context, *seen, **given)
        ACCEPTED[id(proof)] = proof, context, equation
        return equation

    return checked


kernel.check = remembered(kernel.check)


@pytest.fixture(autouse=True)
def recheck_proofs() -> Iterator[None]:
    ACCEPTED.clear()
    yield
    for proof, context, equation in ACCEPTED.values():
        data = certificate(proof, context, equation)
        digest = hashlib.blake2b(json.dumps(data).encode(), digest_size=16).digest()
        if digest not in SEEN:
            SEEN.add(digest)
            try:
                recheck(data)
            except Refused as cause:
                pytest.fail(f"the independent checker refuses what the kernel accepts: {equation}\n{cause.args[0]}")
    ACCEPTED.clear()
