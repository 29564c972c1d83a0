"""What a theorem may rest on: definitions, hypotheses; and what it is: an equation with its conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from .indices import Node, node
from .tensor import Tensor
from .terms import Array, Predicate, Term


@node
class Same(Node):
    """The hypothesis lhs = rhs, for all values of its free indices: Σ_k t_nk = 1, A_ij = A_ji."""

    lhs: Term
    rhs: Term


Hypothesis: TypeAlias = Same | Predicate


@dataclass(frozen=True, slots=True)
class Context:
    """Definitions (z_i := Σ_k W_ik x_k + b_i) and named hypotheses, each for all values of its free indices."""

    definitions: Mapping[Array, Tensor] = field(default_factory=lambda: MappingProxyType({}))
    hypotheses: Mapping[str, Hypothesis] = field(default_factory=lambda: MappingProxyType({}))


EMPTY = Context()


@dataclass(frozen=True, slots=True)
class Equation:
    """lhs = rhs wherever the conditions hold (for all values of their free indices), given the hypotheses named."""

    lhs: Term
    rhs: Term
    conditions: frozenset[Predicate] = frozenset()
    hypotheses: frozenset[str] = frozenset()
