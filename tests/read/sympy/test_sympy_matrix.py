"""SymPy's matrix expressions: read entry by entry as SymPy writes them out, and gradients that SymPy gets wrong."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import pytest
import sympy
from sympy import (
    Determinant,
    Eq,
    Function,
    HadamardProduct,
    Identity,
    Inverse,
    KroneckerDelta,
    Lambda,
    MatrixSymbol,
    OneMatrix,
    Rational,
    Sum,
    Symbol,
    Trace,
    ZeroMatrix,
    exp,
    log,
    sin,
    symbols,
    tanh,
)
from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalOf
from sympy.matrices.expressions.hadamard import HadamardPower

from symbackprop import SymbackpropError, check_sympy
from symbackprop.core.indices import affine
from symbackprop.core.matrix import ShapeError, entry
from symbackprop.core.terms import Array
from symbackprop.numbers.floats import FloatEvaluation
from symbackprop.numbers.points import Point
from symbackprop.read.sympy_matrix import SympyReader

n, m, p = symbols("n m p", integer=True, positive=True)
i, j = symbols("i j", integer=True)
z, e = symbols("z e", real=True)
A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
X, Z, S = MatrixSymbol("X", n, m), MatrixSymbol("Z", n, m), MatrixSymbol("S", m, n)
P, Y, Q = MatrixSymbol("P", n, p), MatrixSymbol("Y", p, m), MatrixSymbol("Q", m, m)
v, w, y = MatrixSymbol("v", n, 1), MatrixSymbol("w", m, 1), MatrixSymbol("y", n, 1)
T, U = MatrixSymbol("T", n, n), MatrixSymbol("U", n, m)
f = Function("f")
r = X * w - y
soft = log(Sum(exp(v[i, 0]), (i, 0, n - 1)))
mixed = Trace(HadamardProduct(P * Y, S.T) * Q * Z.T)
waves = Trace((Q * Z.T).applyfunc(sin) * T**2 * U)

# loss, variable, gradient, assumed, verdict
TABLE: dict[str, tuple[Any, Any, Any, list[Any], str]] = {
    "least squares": (r.T * r, w, 2 * X.T * r, [], "proved"),
    "half of it": (r.T * r, w, X.T * r, [], "refuted"),
    "by the matrix": (r.T * r, X, 2 * r * w.T, [], "proved"),
    "the other layout": (r.T * r, w, 2 * r.T * X, [], "refuted"),
    "quadratic form": (v.T * A * v, v, (A + A.T) * v, [], "proved"),
    "of a symmetric matrix": (v.T * A * v, v, 2 * A * v, [Eq(A, A.T)], "proved"),
    "of any matrix": (v.T * A * v, v, 2 * A * v, [], "refuted"),
    "log det": (log(Determinant(A)), A, Inverse(A).T, [], "proved"),
    "log det, no transpose": (log(Determinant(A)), A, Inverse(A), [], "refuted"),
    "trace of an inverse": (Trace(A * Inverse(B)), B, -(Inverse(B) * A * Inverse(B)).T, [], "proved"),
    "trace of a cube": (Trace(A**3), A, 3 * (A**2).T, [], "proved"),
    "elementwise": (OneMatrix(1, n) * v.applyfunc(tanh), v, v.applyfunc(Lambda(z, 1 - tanh(z) ** 2)), [], "proved"),
    "any function": (OneMatrix(1, n) * v.applyfunc(f), v, v.applyfunc(Lambda(z, f(z).diff(z))), [], "proved"),
    "any function, not its slope": (OneMatrix(1, n) * v.applyfunc(f), v, v.applyfunc(f), [], "refuted"),
    "a diagonal": (OneMatrix(1, n) * DiagonalOf(A * B), A, B.T, [], "proved"),
    "by a number": (e * Trace(A), e, Trace(A), [], "proved"),
    "a root": ((v.T * v)[0, 0] ** Rational(1, 2), v, v * (v.T * v)[0, 0] ** Rational(-1, 2), [], "proved"),
    "a positive number": (log(e) * Trace(A), A, log(e) * Identity(n), [e > 0], "proved"),
    # what SymPy 1.14 answers
    "tr X + 1": (Trace(A) + 1, A, Identity(n), [], "proved"),
    "tr X + 1 is not constant": (Trace(A) + 1, A, 0, [], "refuted"),
    "exp tr": (exp(Trace(A)), A, exp(Trace(A)) * Identity(n), [], "proved"),
    "exp tr is not constant": (exp(Trace(A)), A, ZeroMatrix(n, n), [], "refuted"),
    "softmax": (soft, v, v.applyfunc(exp) / Sum(exp(v[j, 0]), (j, 0, n - 1)), [], "proved"),
    "softmax is not 0": (soft, v, 0, [], "refuted"),
    "a Hadamard product inside": (mixed, Z, HadamardProduct(P * Y, S.T) * Q, [], "proved"),
    "with S for its transpose": (mixed, Z, HadamardProduct(P * Y, S) * Q, [], "ill-formed"),
    "a square inside": (waves, Z, HadamardProduct(T**2 * U, (Z * Q.T).applyfunc(sympy.cos)) * Q, [], "proved"),
    "with the square transposed": (waves, Z, HadamardProduct(T.T**2 * U, (Z * Q.T).applyfunc(sympy.cos)) * Q, [],
                                   "refuted"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_gradients(name: str) -> None:
    loss, wrt, gradient, assumed, status = TABLE[name]
    verdict = check_sympy(loss, wrt, gradient, assumed)
    assert verdict.status == status, str(verdict)
    if status != "proved":
        assert verdict.repair is not None


SIZES = {"n": 2, "m": 3, "p": 2}
VALUES = {
    name: sympy.Matrix(*(SIZES.get(str(d), 1) for d in s.shape), lambda a, b, k=k: Rational(3 * a + 2 * b + k, 5))
    for k, (name, s) in enumerate({"A": A, "B": B, "X": X, "Z": Z, "S": S, "v": v, "w": w}.items(), 1)
}  # fmt: skip
FORMS = {
    "product": X * S + A, "transpose": (A * X).T, "inverse": Inverse(A + Identity(n)) * X, "power": A**3,
    "negative power": (A + Identity(n)) ** -2, "hadamard": HadamardProduct(A, B),
    "entrywise power": HadamardPower(X, 2),
    "elementwise": X.applyfunc(Lambda(z, z / (1 + z**2))), "diagonal": DiagMatrix(v) * A,
   
    "ones": OneMatrix(n, m) - 2 * X, "numbers before it": Trace(A) * v * w.T, "size before it": n * X,
}  # fmt: skip


def fractions(value: Any) -> dict[tuple[int, ...], Fraction]:
    places = product(range(value.rows), range(value.cols))
    return {(a, b): Fraction(int(value[a, b].p), int(value[a, b].q)) for a, b in places}


@pytest.mark.parametrize("name", FORMS)
def test_entries_are_those_that_sympy_writes_out(name: str) -> None:
    form = FORMS[name]
    reader = SympyReader(form)
    read = reader.matrix(form)
    explicit = form.subs({n: 2, m: 3}, simultaneous=True).doit()
    given = {MatrixSymbol(k, *VALUES[k].shape): VALUES[k] for k in VALUES}
    numbers = explicit.xreplace({s: sympy.ImmutableMatrix(x) for s, x in given.items()}).doit().as_explicit()
    arrays = {Array(name): fractions(value) for name, value in VALUES.items()}
    evaluation = FloatEvaluation(Point(SIZES, arrays))
    for a in range(numbers.rows):
        for b in range(numbers.cols):
            found = evaluation.tensor((), entry(read, affine(a, ()), affine(b, ())))
            assert float(found) == pytest.approx(float(numbers[a, b]), rel=1e-9)


SCALARS = {
    "deltas": (Sum(KroneckerDelta(i, j) * v[i, 0] * v[j, 0], (i, 0, n - 1), (j, 0, n - 1)), (v.T * v)[0, 0]),
    "a trace by its entries": (Sum(A[i, i], (i, 0, n - 1)), Trace(A)),
}


@pytest.mark.parametrize("name", SCALARS)
def test_two_ways_of_writing_have_one_gradient(name: str) -> None:
    one, other = SCALARS[name]
    wrt = v if one.has(v) else A
    gradient = 2 * v if one.has(v) else Identity(n)
    assert check_sympy(one, wrt, gradient) and check_sympy(other, wrt, gradient)


REFUSED: list[tuple[Any, ...]] = [
    ("no SymPy", lambda: check_sympy("x**2", v, v), "loss is a str, not a SymPy expression"),
    ("text as gradient", lambda: check_sympy(Trace(A), A, "I"), "gradient is a str"),
    ("no variable", lambda: check_sympy(Trace(A), A * B, B), "wrt is a MatrixSymbol or a Symbol"),
    ("no number", lambda: check_sympy(X, X, X), "a number is needed, but X is n×m"),
    ("explicit", lambda: check_sympy(Trace(A), A, sympy.eye(2)), "ImmutableDenseMatrix|MutableDenseMatrix"),
    ("blocks", lambda: check_sympy(Trace(A), A, sympy.BlockMatrix([[A]])), "BlockMatrix is no matrix expression"),
    ("a sum from 1", lambda: check_sympy(Sum(v[i, 0], (i, 1, n - 1)), v, OneMatrix(n, 1)), "starts at 1"),
    ("outside", lambda: check_sympy(v[2, 0], v, v), "not inside an axis of n for all sizes"),
    ("one name, two shapes", lambda: check_sympy(Trace(A) + Trace(MatrixSymbol("A", m, m)), A, Identity(n)),
     "A stands for arrays of different shapes"),
    ("a function of two", lambda: check_sympy(sympy.atan2(e, e), Symbol("e", real=True), e), "atan2 is no function"),
    ("no relation", lambda: check_sympy(Trace(A), A, Identity(n), [A]), "no equation or inequality"),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "message"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_is_not_read_is_named(ask: Any, message: str) -> None:
    with pytest.raises(SymbackpropError, match=message):
        ask()


def test_a_loss_whose_shapes_do_not_conform() -> None:
    with pytest.raises(ShapeError):
        check_sympy(Trace(HadamardProduct(P * Y, S).doit(deep=False) * X.T), X, X)
