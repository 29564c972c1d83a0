"""Proofs as plain data: what the prover builds, `kernel.check` reads and LaTeX prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from .tensor import Tensor
from .terms import Array, Entry, Index, IndexExpr, Predicate, Term


@dataclass(frozen=True, slots=True)
class By:
    """An instance of a named law."""

    law: str
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """From a = b, b = c, ..., y = z conclude a = z."""

    first: Proof
    rest: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Flip:
    """From a = b conclude b = a."""

    inner: Proof


@dataclass(frozen=True, slots=True)
class Inside:
    """From a_k = b_k for some arguments k conclude f(.., a_k, ..) = f(.., b_k, ..)."""

    whole: Term
    parts: tuple[tuple[int, Proof], ...]


@dataclass(frozen=True, slots=True)
class UnderSum:
    """From a = b for every i conclude Σ_i a = Σ_i b."""

    i: Index
    inner: Proof


@dataclass(frozen=True, slots=True)
class UnderWhole:
    """From a = b for all axes conclude F((axes) -> a) = F((axes) -> b)."""

    fn: str
    order: int
    axes: tuple[Index, ...]
    at: tuple[IndexExpr, ...]
    inner: Proof


@dataclass(frozen=True, slots=True)
class UnderDiff:
    """From a = b conclude ∂a/∂w = ∂b/∂w: only where a = b in a neighbourhood, so not from an equation in w assumed."""

    wrt: Entry
    inner: Proof


@dataclass(frozen=True, slots=True)
class Instance:
    """From an equation for all i conclude it for some values of i."""

    values: tuple[tuple[Index, IndexExpr], ...]
    inner: Proof


@dataclass(frozen=True, slots=True)
class Linear:
    """lhs - rhs = Σ over steps of  Σ_{dummies} factor * (a - b), where a = b is proved; hence lhs = rhs.

    Without steps: both sides are the same sum of products.
    """

    lhs: Term
    rhs: Term
    steps: tuple[tuple[tuple[Index, ...], Term, Proof], ...] = ()


@dataclass(frozen=True, slots=True)
class Values:
    """From the equation for i = 0, 1, ..., n-1, one proof each, conclude it for every i of the literal size n."""

    i: Index
    lhs: Term
    rhs: Term
    each: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Digits:
    """From the equation at i = R q + r for all q < Q and r < R conclude it for every i < Q R."""

    i: Index
    lhs: Term
    rhs: Term
    q: Index
    r: Index
    inner: Proof


@dataclass(frozen=True, slots=True)
class Let:
    """The inner equation, proved with a name for a compound term; the name does not occur in the equation."""

    array: Array
    meaning: Tensor
    inner: Proof


@dataclass(frozen=True, slots=True)
class Rephrase:
    """The same equation under conditions on v in place of those on u, where u = v is proved."""

    inner: Proof
    parts: tuple[tuple[Predicate, Proof], ...]


@dataclass(frozen=True, slots=True)
class EveryDepth:
    """The recursion of the context's layers gives the derivatives of the cost, for every l <= L and every depth L.

    From the base, the derivative of the loss by z^L, and the step, that of C(z^{l+1}) by z^l, conclude that by z^l of
    the cost; with a parameter (its entry, z^l as a function of it, the derivative of C(z^l)), that by the parameter.
    """

    base: Proof
    step: Proof
    parameter: tuple[tuple[Entry, Term, Proof], ...] = ()


Proof: TypeAlias = (
    By | Chain | Flip | Inside | UnderSum | UnderWhole | UnderDiff | Instance | Linear | Values | Digits
    | Let | Rephrase | EveryDepth
)  # fmt: skip
