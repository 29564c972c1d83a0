"""symbackprop derives backpropagation symbolically, proves it for all sizes, and gives gradients a verdict.

Every public name is loaded when it is first used, so that `import symbackprop` costs next to nothing and imports
neither SymPy nor NumPy.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # type checkers know this name; importing `typing` for it would cost a fifth of Python's start
if TYPE_CHECKING:
    from .core.terms import SymbackpropError
    from .documents.check import check_document
    from .functions.checks import check_equal, check_gradient, check_hessian, check_hvp, check_jacobian, derive
    from .functions.code_checks import check_derivative, check_function, check_jvp, check_layer
    from .functions.derivation import Derivative
    from .functions.explaining import Explanation, explain
    from .functions.sympy_checks import check_sympy
    from .functions.verdict import Verdict
    from .train.estimators import ProvenMLPClassifier, ProvenMLPRegressor
    from .witness.explicit import ExplicitNetwork, explicit

__all__ = [
    "Derivative", "Explanation", "ExplicitNetwork", "ProvenMLPClassifier", "ProvenMLPRegressor", "SymbackpropError",
    "Verdict", "__version__", "check_derivative", "check_document", "check_equal", "check_function", "check_gradient",
    "check_hessian", "check_hvp", "check_jacobian", "check_jvp", "check_layer", "check_sympy", "derive", "explain",
    "explicit",
]  # fmt: skip

# The same names again, with the module that defines each: read by `__getattr__`, checked against the above by a test.
_HOME = {
    "Derivative": "symbackprop.functions.derivation",
    "Explanation": "symbackprop.functions.explaining",
    "ExplicitNetwork": "symbackprop.witness.explicit",
    "ProvenMLPClassifier": "symbackprop.train.estimators",
    "ProvenMLPRegressor": "symbackprop.train.estimators",
    "SymbackpropError": "symbackprop.core.terms",
    "Verdict": "symbackprop.functions.verdict",
    "check_derivative": "symbackprop.functions.code_checks",
    "check_document": "symbackprop.documents.check",
    "check_equal": "symbackprop.functions.checks",
    "check_function": "symbackprop.functions.code_checks",
    "check_gradient": "symbackprop.functions.checks",
    "check_hessian": "symbackprop.functions.checks",
    "check_hvp": "symbackprop.functions.checks",
    "check_jacobian": "symbackprop.functions.checks",
    "check_jvp": "symbackprop.functions.code_checks",
    "check_layer": "symbackprop.functions.code_checks",
    "check_sympy": "symbackprop.functions.sympy_checks",
    "derive": "symbackprop.functions.checks",
    "explain": "symbackprop.functions.explaining",
    "explicit": "symbackprop.witness.explicit",
}


def __getattr__(name: str) -> object:
    try:
        home = _HOME[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    from importlib import import_module

    value: object = getattr(import_module(home), name)
    globals()[name] = value  # the next use does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
