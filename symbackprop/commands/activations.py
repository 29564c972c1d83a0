r"""Activations on the command line: a name, or a formula in z such as '\frac{1}{1+e^{-z}}'."""

from __future__ import annotations

import re
from typing import Any

import sympy

from symbackprop.network.activations import AnyActivation, Z, activation, scalar_activation
from symbackprop.read.scalar import scalar_latex, scalar_sympy

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9 _-]*")


def is_formula(text: str) -> bool:
    """LaTeX rather than a name: `z` alone, or anything with signs that no name has."""
    return text.strip() == "z" or _NAME.fullmatch(text.strip()) is None


def named_or_formula(text: str) -> AnyActivation:
    """For networks that compute.  Raises SymbackpropError, naming the part, for a formula that is not read."""
    if not is_formula(text):
        return activation(text)

    return scalar_activation("g", scalar_latex(text, {"z": Z}))


def name_or_expression(text: str) -> Any:
    """For explicit networks: the name, or a SymPy expression in z."""
    if not is_formula(text):
        return text

    return scalar_sympy(text, {"z": sympy.Symbol("z")})
