"""symbackprop derives backpropagation symbolically, proves it for all sizes, and gives gradients a verdict.

Every public name is loaded when it is first used, so that `import symbackprop` costs next to nothing and imports
neither SymPy nor NumPy.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # type checkers know this name; importing `typing` for it would cost a fifth of Python's start
if TYPE_CHECKING:
    from symbackprop.core.terms import SymbackpropError
    from symbackprop.network.explicit import ExplicitNetwork, explicit

__all__ = ["ExplicitNetwork", "SymbackpropError", "__version__", "explicit"]

# The same names again, with the module that defines each: read by `__getattr__`, checked against the above by a test.
_HOME = {
    "ExplicitNetwork": "symbackprop.network.explicit",
    "SymbackpropError": "symbackprop.core.terms",
    "explicit": "symbackprop.network.explicit",
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
