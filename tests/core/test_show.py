"""What terms look like in messages."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symbackprop.core.context import Equation, Same
from symbackprop.core.indices import Bound, Index, Pick, affine, sized
from symbackprop.core.kernel import Linear, check
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Add,
    Apply,
    Array,
    AtLeastZero,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Ordinal,
    Positive,
    Power,
    ProofError,
    add,
    div,
    mul,
    neg,
    num,
    over,
    sub,
    whole,
)

N, M = sized("n"), sized("m")
i, j = Index("i", N), Index("j", N)
k = Index("k", M)
own = Index("~12", M)


def x(*at: object) -> Entry:
    return Entry(Array("x"), at)  # type: ignore[arg-type]


def W(*at: object) -> Entry:
    return Entry(Array("W", sized("l") + 1), at)  # type: ignore[arg-type]


ROWS = {
    "Σ_k W^{l+1}[i,k]*x[k]": over(k, mul(W(i, k), x(k))),
    "Σ_k x[k]*(Σ_k2 x[k2])": over(k, mul(x(k), over(k, x(k)))),  # a letter that is taken gets a number
    "Σ_k2 x[k2]*x[k]": over(Index("k", N), mul(x(Index("k", N)), x(k))),
    "Σ_k Σ_k2 1": over(k, over(k, ONE)),
    "Σ_k x[k]": over(own, x(own)),  # the name of a machine's dummy is not shown
    "(x[i] + 1)*x[j]": mul(add(x(i), ONE), x(j)),
    "x[i] - x[j]": sub(x(i), x(j)),
    "x[i] - 2*x[j] - 1": add(x(i), mul(num(-2), x(j)), num(-1)),
    "-x[i]": neg(x(i)),
    "x[i]*x[j]^-1": div(x(i), x(j)),
    "(x[i] + x[j])^(1/2)": Power(add(x(i), x(j)), Fraction(1, 2)),
    "(x[i]^2)^(1/2)": Power(Power(x(i), Fraction(2)), Fraction(1, 2)),
    "f''(x[i])": Apply("f", x(i), 2),
    "f^(4)(x[i])": Apply("f", x(i), 4),
    "∂/∂W^{l+1}[j,k] (x[i])": Diff(x(i), W(j, k)),
    "max_k(x[k])": whole("max", 0, (k,), x(k), ()),
    "L'_k(x[k])[i]": whole("L", 1, (k,), x(k), (i,)),
    "inv_i,j(x[i,j])[j,i]": whole("inv", 0, (i, j), x(i, j), (j, i)),
    "δ(i,j)": Delta(i, j),
    "[x[i] > 0]": Holds(Positive(x(i))),
    "[i-j+n-1 >= 0]": Holds(NonNegative(affine(N - 1, ((i, 1), (j, -1))))),
    "x[2*i+1]": x(affine(1, ((i, 2),))),
    "x[(n-1)*i]": x(affine(0, ((i, N - 1),))),
    "x[t[i]]": x(Pick("t", (i,), N)),
    "x[#0]": x(Bound(0)),
    "x": x(),
    "i": Ordinal(i),
    "(i+1)*x": mul(Ordinal(affine(1, ((i, 1),))), x()),
    "(n-1)*x": mul(N - 1, x()),
    "n*m*x": mul(N, M, x()),
    "0": Add(()),
    "1": Mul(()),
    "-1/2": num(Fraction(-1, 2)),
    "x[i] != 0": Nonzero(x(i)),
    "x[i] >= 0": AtLeastZero(x(i)),
    "i >= 0": NonNegative(i),
    "(i, j) ↦ x[i]*x[j]": Tensor((i, j), mul(x(i), x(j))),
    "x[i] = 1": Same(x(i), ONE),
    "x = 0  where x != 0, x > 0  given h": Equation(
        x(), ZERO, frozenset({Nonzero(x()), Positive(x())}), frozenset({"h"})),
}  # fmt: skip


@pytest.mark.parametrize(("text", "node"), ROWS.items(), ids=ROWS.keys())
def test_text(text: str, node: object) -> None:
    assert str(node) == text


def test_messages_are_readable() -> None:
    with pytest.raises(ProofError, match=r"the sides differ by Σ_k W\^\{l\+1\}\[i,k\]\*x\[k\] \+ -x\[i\]"):
        check(Linear(over(k, mul(W(i, k), x(k))), x(i)))


def test_representation_is_the_dataclass() -> None:
    assert repr(ONE) == "Num(value=Fraction(1, 1))"
