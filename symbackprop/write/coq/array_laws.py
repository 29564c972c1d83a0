"""The laws about functions of whole arrays as lemmas of `Arrays.v` and `Matrices.v`."""

from __future__ import annotations

from ...core.terms import Index, IndexExpr, Nonzero, Positive, Term, Whole, of_same, whole
from .laws import INDEX, Given, law


@law
def maximum_picks(g: Given, w: Whole, axes: tuple[Index, ...]) -> str:
    return f"(@maximum_picks R {g.array(w)} {INDEX})"


@law
def one_argmax(g: Given, w: Whole, axes: tuple[Index, ...]) -> str:
    return f"(@one_argmax R {g.array(w)} {INDEX})"


@law
def argmax_products(g: Given, w: Whole, at: tuple[IndexExpr, ...], bt: tuple[IndexExpr, ...]) -> str:
    return f"(@argmax_products R {g.array(w)} {g.words.at(at[0])} {g.words.at(bt[0])})"


@law
def step_above_max(g: Given, w: Whole, at: tuple[IndexExpr, ...]) -> str:
    return f"(@step_above_max R {g.array(w)} {g.words.at(at[0])} {INDEX})"


@law
def step_below_max(g: Given, w: Whole, at: tuple[IndexExpr, ...]) -> str:
    return f"(@step_below_max R {g.array(w)} {g.words.at(at[0])} {g.holds(Positive(of_same('gap', w)))} {INDEX})"


def places(g: Given, at: tuple[IndexExpr, ...]) -> str:
    return " ".join(map(g.words.at, at))


def regular(g: Given, w: Whole) -> str:
    return g.holds(Nonzero(of_same("det", w)))


@law
def inverse_times(g: Given, w: Whole, k: Index) -> str:
    return f"(@inverse_times R {g.array(w)} {places(g, w.at)} {regular(g, w)} {INDEX} {INDEX})"


@law
def times_inverse(g: Given, w: Whole, k: Index) -> str:
    return f"(@times_inverse R {g.array(w)} {places(g, w.at)} {regular(g, w)} {INDEX} {INDEX})"


@law
def inverse_of_transpose(g: Given, w: Whole) -> str:
    if w.fn == "det":
        return f"(@determinant_of_transpose R {g.array(w)})"
    return f"(@inverse_of_transpose R {g.array(w)} {places(g, w.at)})"


@law
def of_product(g: Given, w: Whole, axes: tuple[Index, Index], k: Index, left: Term, right: Term) -> str:
    p, q = axes
    a, b = whole("det", 0, (p, k), left, ()), whole("det", 0, (k, q), right, ())
    factors = f"{g.array(a)} {g.function_of((k, q), right)}"
    if w.fn == "det":
        return f"(@determinant_of_product R {factors})"
    regular_ones = f"{g.holds(Nonzero(a))} {g.holds(Nonzero(b))}"
    return f"(@inverse_of_product R {factors} {places(g, w.at)} {regular_ones} {INDEX} {INDEX})"


@law
def inverse_scaled(g: Given, axes: tuple[Index, Index], c: Term, body: Term, at: tuple[IndexExpr, ...]) -> str:
    scaled, plain = f"{g.words.size(axes[0].size)} {g.words.text(c)}", whole("det", 0, axes, body, ())
    conditions = f"{g.holds(Nonzero(c))} {g.holds(Nonzero(plain))}"
    return f"(@inverse_scaled R {scaled} {g.function_of(axes, body)} {places(g, at)} {conditions} {INDEX} {INDEX})"


@law
def inverse_of_inverse(g: Given, w: Whole, axes: tuple[Index, Index]) -> str:
    if w.fn == "det":
        return f"(@determinant_of_inverse R {g.array(w)} {regular(g, w)})"
    return f"(@inverse_of_inverse R {g.array(w)} {places(g, w.at)} {regular(g, w)} {INDEX} {INDEX})"


@law
def of_identity(g: Given, axes: tuple[Index, Index], at: tuple[IndexExpr, ...]) -> str:
    size = g.words.size(axes[0].size)
    if at:
        return f"(@inverse_of_identity R {size} {places(g, at)} {INDEX} {INDEX})"
    return f"(determinant_of_identity R {size})"
