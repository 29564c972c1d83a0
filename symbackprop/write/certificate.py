"""A theorem of the kernel as a certificate: its rows, the equation it states, and a text that says what it is about."""

from __future__ import annotations

import json
from collections.abc import Iterable
from os import PathLike
from typing import Any

from symbackprop.core.certificate import equation_rows
from symbackprop.core.context import Context, Equation
from symbackprop.core.kernel import Proof
from symbackprop.files import write_atomically

Certificate = dict[str, Any]


def certificate(proof: Proof, context: Context, equation: Equation, **about: str) -> Certificate:
    """The proof as rows (docs/certificates.md), with the equation that it is said to prove.

    Nothing is checked here; `about` is for people and is not looked at by a checker.
    """
    return {**equation_rows(proof, context, equation), "about": about}


def write_certificates(path: str | PathLike[str], certificates: Iterable[Certificate]) -> None:
    """A list of certificates as JSON.  Raises SymbackpropError where the file cannot be written."""
    write_atomically(path, json.dumps(list(certificates), ensure_ascii=False, separators=(",", ":")) + "\n")
