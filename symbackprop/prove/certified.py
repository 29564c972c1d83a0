"""Equations that the kernel has found proved, given to the independent checker: what is called a theorem is both."""

from __future__ import annotations

from symbackprop.core.certificate import equation_rows
from symbackprop.core.context import Context, Equation
from symbackprop.core.kernel import Proof, check
from symbackprop.core.theorem import proved


def certified(proof: Proof, context: Context, found: Equation | None = None) -> Equation:
    """The equation that the proof proves.  Raises ProofError where the kernel or the checker refuses it."""
    equation = check(proof, context) if found is None else found
    return proved(equation, context, equation_rows(proof, context, equation))
