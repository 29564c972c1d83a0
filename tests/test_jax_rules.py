"""Rules of jax.custom_vjp and jax.custom_jvp: right ones are proved, wrong ones refuted."""

from __future__ import annotations

import pytest

jax = pytest.importorskip("jax", reason="needs JAX: pip install 'symbackprop[jax]'")

from jax_rules import RULES  # noqa: E402

from symbackprop.functions.drive import Options  # noqa: E402
from symbackprop.functions.jax_functions import check_rule  # noqa: E402

QUICK = Options({}, seek_repair=False)


@pytest.mark.parametrize("name", RULES)
def test_a_right_rule_is_proved(name: str) -> None:
    r = RULES[name]
    verdict = check_rule(r.right, r.shapes, options=QUICK, **r.asked)
    assert verdict.status == "proved", str(verdict)


@pytest.mark.parametrize("name", RULES)
def test_a_wrong_rule_is_refuted(name: str) -> None:
    r = RULES[name]
    verdict = check_rule(r.wrong, r.shapes, options=QUICK, **r.asked)
    assert verdict.status == "refuted", str(verdict)
