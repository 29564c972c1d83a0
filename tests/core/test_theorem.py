"""Theorems: what they say of themselves, that nothing but the claim is stated, and arguments that show nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from theorem_forgeries import FORGERIES, OVER_X, THEOREMS, N, given, mul, num, same, v, x, x1, y

from symbackprop.core import discharge, kernel, region
from symbackprop.core.certificate import certificate, equation_rows
from symbackprop.core.context import EMPTY, Context, Equation, Excused, Same, Statement
from symbackprop.core.indices import Index, Least
from symbackprop.core.kernel import Linear
from symbackprop.core.reasons import Argument, Point
from symbackprop.core.region import region_of
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ONE, Array, AtLeastZero, Nonzero, Positive, Power, ProofError, add
from symbackprop.core.theorem import Theorem, theorem
from symbackprop.core.theorem import proved as is_proved
from symbackprop.decide import decide
from symbackprop.functions.checks import check_gradient
from symbackprop.network.dense import SAMPLES, Layers
from symbackprop.story.every_depth import signals


@pytest.mark.parametrize("show", THEOREMS.values(), ids=THEOREMS.keys())
def test_theorem_is_shown(show: Callable[[], object]) -> None:
    assert show() is not None


@pytest.mark.parametrize("commit", FORGERIES.values(), ids=FORGERIES.keys())
def test_forgery_is_refused(commit: Callable[[], object]) -> None:
    with pytest.raises(ProofError):
        commit()


def rows_of(statement: Statement) -> dict[str, Any]:
    return certificate(statement, Argument((), (), same(statement.lhs, statement.rhs), AT))


def proved(statement: Statement) -> Theorem:
    return theorem(statement, rows_of(statement), region_of(statement)[1].values())


def test_a_theorem_names_the_hypothesis_by_which_its_right_side_has_a_value() -> None:
    found = proved(Statement(ONE, mul(x, OVER_X), given(Positive(x))))
    assert found.hypotheses == ("h.0",) and not found.excused
    found = proved(Statement(Power(x, num(1).value / 2), Power(x, num(1).value / 2), given(AtLeastZero(x))))
    assert found.hypotheses == ("h.0",)


def test_a_theorem_names_what_it_excuses() -> None:
    statement = Statement(mul(x, OVER_X), ONE, EMPTY, (OVER_X,))
    assert [e.why for e in proved(statement).excused] == ["no value"]
    for told in ((), (Excused(Nonzero(y), "no value"),), (Excused(AtLeastZero(x), "no value"),)):
        with pytest.raises(ProofError, match="more is excused than is said"):
            theorem(statement, rows_of(statement), told)


AT = Point((("n", 2),), x1.entries)
STATED = Statement(
    add(v(Index("i", N)), x), add(x, v(Index("i", N))), Context({Array("z"): Tensor((), x)}, {"h": Positive(x)}),
    (x,), (N,), False,
)  # fmt: skip
OTHERS: dict[str, dict[str, Any]] = {
    "another left side": {"lhs": add(v(Index("i", N)), y)},
    "another right side": {"rhs": add(v(Index("i", N)), x)},
    "another index": {"rhs": add(x, v(Index("j", N)))},
    "an index of another size": {"rhs": add(x, v(Index("i", N - 1)))},
    "another definition": {"context": Context({Array("z"): Tensor((), y)}, {"h": Positive(x)})},
    "a definition more": {"context": Context({Array("z"): Tensor((), x), Array("u"): Tensor((), x)},
                                             {"h": Positive(x)})},
    "another hypothesis": {"context": Context({Array("z"): Tensor((), x)}, {"h": AtLeastZero(x)})},
    "a hypothesis less": {"context": Context({Array("z"): Tensor((), x)})},
    "another least size": {"context": Context({Array("z"): Tensor((), x)}, {"h": Positive(x)}, Least({"n": 2}))},
    "another forward": {"forward": (y,)},
    "no forward": {"forward": ()},
    "another length": {"lengths": (N - 1,)},
    "a formula": {"formula": True},
}  # fmt: skip


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS.keys())
def test_another_statement_is_not_proved(change: dict[str, Any]) -> None:
    assert proved(STATED).statement is STATED
    with pytest.raises(ProofError, match="another statement was shown"):
        theorem(replace(STATED, **change), rows_of(STATED), region_of(STATED)[1].values())


CANCELLED = Equation(mul(x, OVER_X), ONE, frozenset({Nonzero(x)}))
KNOWN = Context({Array("z"): Tensor((), x)}, {"h": Same(y, ONE)})
NOT_PROVED: dict[str, tuple[Equation, Context]] = {
    "another side": (replace(CANCELLED, rhs=x), KNOWN),
    "no condition": (replace(CANCELLED, conditions=frozenset()), KNOWN),
    "another condition": (replace(CANCELLED, conditions=frozenset({AtLeastZero(x)})), KNOWN),
    "another definition": (CANCELLED, replace(KNOWN, definitions={Array("z"): Tensor((), y)})),
    "another hypothesis": (CANCELLED, replace(KNOWN, hypotheses={"h": Same(y, x)})),
    "other least sizes": (CANCELLED, replace(KNOWN, least=Least({"n": 3}))),
}


@pytest.mark.parametrize(("equation", "context"), NOT_PROVED.values(), ids=NOT_PROVED.keys())
def test_another_equation_is_not_proved(equation: Equation, context: Context) -> None:
    rows = equation_rows(Linear(CANCELLED.lhs, CANCELLED.rhs), KNOWN, CANCELLED)
    assert is_proved(CANCELLED, KNOWN, rows) is CANCELLED
    with pytest.raises(ProofError, match="another equation was proved"):
        is_proved(equation, context, rows)
    with pytest.raises(ProofError):
        is_proved(CANCELLED, KNOWN, {**rows, "steps": [["linear", 0, 0, []]]})


@pytest.mark.parametrize("layers", [Layers("column"), Layers("row", SAMPLES)], ids=lambda x: x.convention)
def test_induction_is_about_these_layers(layers: Layers) -> None:
    (found,) = signals(layers).theorems
    told, rows = found.context.recursion, equation_rows(found.proof, found.context, found.equation)
    assert told is not None and is_proved(found.equation, found.context, rows) is found.equation
    for change in ({"cost": "D"}, {"signal": "e"}, {"loss": ONE}, {"forward": x}, {"widths": ()}, {"here": ()}):
        with pytest.raises(ProofError, match="another equation was proved"):
            is_proved(found.equation, Context(recursion=replace(told, **change)), rows)


def test_a_prover_and_a_kernel_that_lie_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def square(x: Any) -> Any:
        return (x**2).sum()

    for module in (kernel, region, discharge):
        monkeypatch.setattr(module, "require", lambda *_: None)
    monkeypatch.setattr(kernel, "collect", lambda _: {})  # all sums of products are equal
    assert kernel.check(Linear(ONE, add(ONE, ONE))).rhs == add(ONE, ONE)
    with pytest.raises(ProofError, match="different sums of products"):
        proved(Statement(ONE, add(ONE, ONE), EMPTY))
    monkeypatch.setattr(decide, "counterexample", lambda *_, **__: None)
    assert check_gradient(square, lambda x: 3 * x, {"x": "n"}, seek_repair=False).status == "unknown"
