"""How the pieces that `notation.py` arranges are spelled."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..core.indices import Size

CONSTANTS = {"pi": "π"}


class Style:
    """Arrays as in NumPy, mathematics as on paper."""

    at_least, unequal = ">=", "≠"

    def name(self, name: str) -> str:
        return CONSTANTS.get(name, name)

    def number(self, value: Fraction) -> str:
        return str(value)

    def size(self, size: Size) -> str:
        return str(size)

    def brackets(self, code: str) -> str:
        return f"({code})"

    def entry(self, name: str, at: Sequence[str]) -> str:
        return f"{name}[{','.join(at)}]" if at else name

    def delta(self, i: str, j: str) -> str:
        return f"[{i} = {j}]"

    def holds(self, statement: str) -> str:
        return f"[{statement}]"

    def sum(self, letter: str, size: str, body: str) -> str:
        return f"Σ_{letter} {body}"

    def call(self, fn: str, order: int, arg: str) -> str:
        return f"{fn}{chr(39) * order}({arg})"

    def whole(self, fn: str, order: int, letters: Sequence[str], body: str, at: Sequence[str]) -> str:
        over = "_" + "".join(letters) if letters else ""
        return self.entry(f"{fn}{chr(39) * order}{over}({body})", at)

    def derivative(self, body: str, wrt: str) -> str:
        return f"∂{body}/∂{wrt}"

    def product(self, factors: Sequence[str]) -> str:
        return " ".join(factors)

    def quotient(self, top: Sequence[str], bottom: Sequence[str]) -> str:
        above = self.product(top)
        below = self.product(bottom)
        if any(x.startswith("Σ") for x in top):
            above = f"({above})"
        return f"{above} / {below}" if len(bottom) == 1 else f"{above} / ({below})"

    def root(self, base: str) -> str:
        return f"√({base})" if not base.isalnum() else f"√{base}"

    def power(self, base: str, exponent: str, whole: bool) -> str:
        return f"{base}^{exponent}" if whole else f"{base}^({exponent})"


TEXT = Style()
