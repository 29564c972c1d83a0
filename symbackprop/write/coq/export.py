"""From a certificate's JSON to Coq files."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.core.kernel import check
from symbackprop.core.region import region_of
from symbackprop.core.rows import KEYS, load, load_argument
from symbackprop.core.theorem import theorem

from .theorem import exported, exported_theorem

# In the order in which coqc has to see them.
LIBRARIES = ("Sums.v", "Derivatives.v", "Laws.v", "Arrays.v", "Matrices.v")


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
    """The Coq file for what the certificate states: the claim of a theorem, or the equation that a proof proves.

    Raises ProofError where the certificate shows nothing, NotExported where a term or a step has no translation.
    """
    if isinstance(document, dict) and "statement" in document:
        statement, argument = load_argument(document)
        theorem(statement, document, region_of(statement)[1].values())
        return exported_theorem(statement, argument)
    rows = {k: v for k, v in document.items() if k in KEYS} if isinstance(document, dict) else document
    proof, context = load(rows)
    return exported(proof, context, check(proof, context))
