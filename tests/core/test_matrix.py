"""Matrix forms mean their entries; shapes that do not conform are refused."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import mpmath
import pytest
from meaning import World, equal

from symbackprop.core import terms
from symbackprop.core.indices import Index, Size, sized
from symbackprop.core.matrix import (
    Determinant,
    Diagonal,
    DiagonalOf,
    ElementPower,
    Elementwise,
    Given,
    Hadamard,
    Identity,
    Inverse,
    Leaf,
    Matrix,
    Ones,
    Plus,
    Product,
    Scale,
    ShapeError,
    Softmax,
    Trace,
    Transpose,
    Zeros,
    entry,
    shape,
)
from symbackprop.core.terms import Array, Entry, mul, num

N, M, ONE = sized("n"), sized("m"), sized(1)
i, j = Index("i", N), Index("j", M)


def leaf(name: str, rows: Size, columns: Size, kind: str = "matrix") -> Leaf:
    return Leaf(Array(name), kind, (rows, columns))


A, B, C, D = leaf("A", N, M), leaf("B", M, N), leaf("A2", N, M), leaf("D", N, N)
c, r, s = leaf("c", N, ONE, "column"), leaf("r", ONE, M, "row"), leaf("s", ONE, ONE, "scalar")
Value = Callable[[Matrix], mpmath.matrix]


def elementwise(f: Callable[..., object], *of: mpmath.matrix) -> mpmath.matrix:
    return mpmath.matrix([[f(*(m[p, q] for m in of)) for q in range(of[0].cols)] for p in range(of[0].rows)])


# a form, and its value from the values of the leaves by mpmath's own matrices
MEANINGS: dict[str, tuple[Matrix, Callable[[Value], mpmath.matrix]]] = {
    "product": (Product(A, B), lambda v: v(A) * v(B)),
    "outer product": (Product(c, r), lambda v: v(c) * v(r)),
    "product of three": (Product(A, Product(B, A)), lambda v: v(A) * (v(B) * v(A))),
    "hadamard": (Hadamard(A, C), lambda v: elementwise(lambda x, y: x * y, v(A), v(C))),
    "sum": (Plus((A, C, A)), lambda v: v(A) + v(C) + v(A)),
    "scale": (Scale(num(Fraction(-3, 2)), A), lambda v: v(A) * -1.5),
    "transpose": (Transpose(Product(A, B)), lambda v: (v(A) * v(B)).T),
    "elementwise": (Elementwise("exp", A), lambda v: elementwise(mpmath.exp, v(A))),
    "power": (ElementPower(A, Fraction(2)), lambda v: elementwise(lambda x: x**2, v(A))),
    "diagonal of a column": (Diagonal(c), lambda v: mpmath.diag(list(v(c)))),
    "diagonal of a row": (Diagonal(r), lambda v: mpmath.diag(list(v(r)))),
    "the diagonal": (DiagonalOf(D), lambda v: mpmath.matrix([v(D)[k, k] for k in range(v(D).rows)])),
    "trace": (Trace(Product(A, B)), lambda v: mpmath.matrix([[sum((v(A) * v(B))[k, k] for k in range(v(A).rows))]])),
    "determinant": (Determinant(D), lambda v: mpmath.matrix([[mpmath.det(v(D))]])),
    "ones": (Product(Ones((N, M)), B), lambda v: mpmath.ones(v(A).rows, v(A).cols) * v(B)),
    "zeros": (Plus((A, Zeros((N, M)))), lambda v: v(A)),
    "identity": (Product(Identity(N), A), lambda v: v(A)),
    "softmax of columns": (Softmax(A, 0), lambda v: elementwise(
        lambda x, t: x / t, elementwise(mpmath.exp, v(A)),
        mpmath.ones(v(A).rows, v(A).rows) * elementwise(mpmath.exp, v(A)))),
    "softmax of rows": (Softmax(A, 1), lambda v: elementwise(
        lambda x, t: x / t, elementwise(mpmath.exp, v(A)),
        elementwise(mpmath.exp, v(A)) * mpmath.ones(v(A).cols, v(A).cols))),
    "given": (Given(i, j, mul(Entry(Array("c"), (i,)), Entry(Array("r"), (j,)))), lambda v: v(c) * v(r)),
    "a scalar": (Product(s, s), lambda v: v(s) * v(s)),
}  # fmt: skip


def values(m: Matrix, world: World) -> mpmath.matrix:
    rows, columns = (world.size(n) for n in shape(m))
    p, q = (Index(name, n) for name, n in zip("pq", shape(m), strict=True))
    t = entry(m, p, q)
    return mpmath.matrix([[world.value(t, {p: a, q: b}) for b in range(columns)] for a in range(rows)])


@pytest.mark.parametrize(("form", "expected"), MEANINGS.values(), ids=MEANINGS.keys())
def test_entries(form: Matrix, expected: Callable[[Value], mpmath.matrix]) -> None:
    for seed, (n, m) in enumerate([(1, 1), (1, 3), (2, 3), (3, 2), (3, 3)]):
        world = World(seed, {"n": n, "m": m})
        found, right = values(form, world), expected(lambda x, w=world: values(x, w))
        assert (found.rows, found.cols) == (right.rows, right.cols)
        assert all(equal(x, y) for x, y in zip(found, right, strict=True))


def test_an_inverse_is_one() -> None:
    world = World(5, {"n": 2})
    assert all(equal(x, y) for x, y in zip(values(Product(D, Inverse(D)), world), mpmath.eye(2), strict=True))


REFUSED: dict[str, Matrix] = {
    "product": Product(A, A), "inner product": Product(Transpose(Product(A, A)), A), "hadamard": Hadamard(A, B),
    "sum": Plus((A, A, B)), "sum of nothing": Plus(()), "diagonal": Diagonal(A), "trace": Trace(A),
    "inverse": Inverse(A), "determinant": Determinant(A), "softmax": Softmax(A, 2),
    "a column that is none": leaf("x", N, M, "column"), "a row that is none": leaf("x", N, M, "row"),
    "a scalar that is none": leaf("x", N, ONE, "scalar"), "what kind?": leaf("x", N, M, "tensor"),
}  # fmt: skip


@pytest.mark.parametrize("form", REFUSED.values(), ids=REFUSED.keys())
def test_shapes_that_do_not_conform(form: Matrix) -> None:
    with pytest.raises(ShapeError):
        entry(form, i, j)


def test_a_dummy_is_called_like_no_index_given() -> None:
    for step in range(1, 4):
        taken = Index(f"k#{terms._counter + step}", N)
        world = World(step, {"n": 2})
        t = entry(Product(D, Product(D, D)), taken, taken)
        cube = values(D, world) ** 3
        assert all(equal(world.value(t, {taken: k}), cube[k, k]) for k in range(2))
