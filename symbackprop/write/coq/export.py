"""From a certificate's JSON to Coq files."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from symbackprop.core.context import Context
from symbackprop.core.indices import SymbackpropError
from symbackprop.core.kernel import Proof, check
from symbackprop.core.reasons import Cases, Holding, Steps
from symbackprop.core.rows import KEYS, load, load_argument
from symbackprop.prove.statements import inside

from .theorem import exported
from .vocabulary import NotExported

LIBRARIES = ("Sums.v", "Derivatives.v")  # in the order in which coqc has to see them


def libraries() -> dict[str, str]:
    """The Coq libraries that every exported file needs, by file name."""
    here = resources.files(__package__)
    return {name: (here / name).read_text(encoding="utf-8") for name in LIBRARIES}


def read_certificate(path: str) -> Any:
    """Raises SymbackpropError naming the file where it is no JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as failure:
        raise SymbackpropError(f"cannot read {path}: {failure.strerror}") from failure
    except (ValueError, RecursionError) as failure:
        raise SymbackpropError(f"{path} is no certificate: {failure}") from failure


def coq_text(document: Any) -> str:
    """The Coq file for the equation that the kernel finds the certificate to prove.

    Of a theorem it is the equation of its first step, under what is known in its region.  Raises ProofError where the
    certificate proves none, NotExported where a term or a step has no translation.
    """
    if isinstance(document, dict) and "statement" in document:
        proof, context = first_step(document)
    else:
        rows = {k: v for k, v in document.items() if k in KEYS} if isinstance(document, dict) else document
        proof, context = load(rows)
    return exported(proof, context, check(proof, context))


def first_step(document: dict[str, Any]) -> tuple[Proof, Context]:
    """The first equation of a theorem, and what is known where it holds."""
    statement, argument = load_argument(document)
    step: Holding = argument.steps
    while isinstance(step, Steps):
        step = step.each[0]
    if isinstance(step, Cases):
        raise NotExported("an equation by cases")
    return step.proof, inside(statement, argument)
