"""Prints the guards of the core that no forgery needs (`python tests/core/guards.py`); `test_kernel.py` runs it.

Each call of `require` is switched off in turn: the forgery that it refuses must then go through, or fall over without
a reason.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from pathlib import Path

import theorem_forgeries
from forgeries import FORGERIES

from symbackprop import core
from symbackprop.core.terms import ProofError

CORE = Path(core.__file__).parent
Place = tuple[str, int]  # a file of the core and a line


class Guards:
    """`require` in every module of the core, watched; one place may be switched off."""

    def __init__(self) -> None:
        self.off: Place | None = None
        self.refused_at: Place | None = None
        for name, module in list(sys.modules.items()):
            if name.startswith("symbackprop.core") and hasattr(module, "require"):
                setattr(module, "require", self.require)  # noqa: B010

    def require(self, condition: bool, reason: str, *about: object) -> None:
        if condition:
            return
        caller = sys._getframe(1)
        place = Path(caller.f_code.co_filename).relative_to(CORE).as_posix(), caller.f_lineno
        if place != self.off:
            self.refused_at = place
            raise ProofError(reason)

    def stops(self, commit: Callable[[], object], off: Place | None = None) -> Place | None:
        """Where the forgery is refused, with one place switched off; None where it goes through or just falls over."""
        self.off, self.refused_at = off, None
        try:
            commit()
        except ProofError as error:
            return None if "this is no " in str(error) else self.refused_at or ("", 0)
        except Exception:
            return None
        return None


def places() -> set[Place]:
    """Every call of `require` in the core."""
    found = set()
    for path in CORE.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "require":
                found.add((path.relative_to(CORE).as_posix(), call.lineno))
    return found


def main() -> None:
    guards, needed = Guards(), set()
    for commit in (*FORGERIES.values(), *theorem_forgeries.FORGERIES.values()):
        place = guards.stops(commit)
        if place is not None and guards.stops(commit, off=place) is None:
            needed.add(place)
    unneeded = sorted(places() - needed)
    print("\n".join(f"{file}:{line}" for file, line in unneeded) or "every guard is needed")


if __name__ == "__main__":
    main()
