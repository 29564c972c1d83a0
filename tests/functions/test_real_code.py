"""What real code is written with: each right gradient is proved, each wrong one refuted."""

from __future__ import annotations

import pytest
from real_code import PAIRS

from symbackprop import check_gradient

SECONDS = 60.0


@pytest.mark.parametrize("name", PAIRS)
def test_right_and_wrong(name: str) -> None:
    p = PAIRS[name]
    for backward, status in ((p.right, "proved"), (p.wrong, "refuted")):
        upstream = {k: s for k, s in p.shapes.items() if k in p.forward.__code__.co_varnames}
        found = check_gradient(
            p.forward, backward, upstream, p.wrt, p.assuming, seek_repair=False, timeout=SECONDS, **p.values
        )
        assert found.status == status, f"{backward.__name__}: {found}"
