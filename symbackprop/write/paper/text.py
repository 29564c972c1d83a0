"""Terms, predicates and matrix forms in one line of Unicode, for the terminal: the same in every run."""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.core.functions import ROWS
from symbackprop.core.indices import Index
from symbackprop.core.terms import Array, Term, Whole
from symbackprop.write.paper.matrix_writer import MatrixWriter
from symbackprop.write.paper.term_parts import plain_name
from symbackprop.write.paper.term_writer import ATOM, PREFIX, PRODUCT, Text

FUNCTIONS = {f.name: f.text for f in ROWS}


class Plain(MatrixWriter):
    minus = "-"
    transpose, ones_letter = "T", "1"

    def name(self, name: str) -> str:
        return plain_name(name)

    def array(self, array: Array, subs: list[str]) -> str:
        text = plain_name(array.name)
        if array.label is not None:
            label = self.size(array.label)[0].replace(" ", "")
            text += f"^{label}" if label.isalnum() else f"^({label})"
        return f"{text}_{run_together(subs)}" if subs else text

    def brackets(self, text: str) -> str:
        return f"({text})"

    def fraction(self, above: str, below: str) -> Text:
        return f"{tight(above)}/{tight(below)}", PRODUCT

    def root(self, text: str) -> Text:
        return f"√{tight(text)}", ATOM

    def raised(self, base: str, exponent: str) -> str:
        exponent = exponent.replace(" ", "")
        return f"{base}^{exponent}" if exponent.isalnum() else f"{base}^({exponent})"

    def sigma(self, letter: str, size: str) -> str:
        del size
        return f"Σ_{letter}"

    def function(self, fn: str, order: int) -> str:
        return FUNCTIONS.get(fn, plain_name(fn)) + ("'" * order if order <= 3 else f"^({order})")

    def operator(self, name: str) -> str:
        return name

    def exponential(self, arg: str) -> str:
        return f"exp({arg})"

    def delta(self, subs: list[str]) -> str:
        return f"δ_{run_together(subs)}"

    def partial(self, above: str, below: list[str]) -> Text:
        order = {1: "", 2: "²", 3: "³"}.get(len(below), f"^{len(below)}")
        return f"∂{order}{above}/" + "".join(f"∂{b}" for b in below), PREFIX if not above else ATOM

    def iverson(self, text: str) -> str:
        return f"[{text}]"

    def entries(self, body: str, subs: list[str]) -> str:
        return f"[{body}]_{run_together(subs)}"

    def whole_function(self, w: Whole, axes: tuple[Index, ...], array: str, body: str, at: list[str]) -> Text:
        below = run_together([self.name(a.name) for a in axes])
        match w.fn:
            case "inv":
                return f"({array}^-1)_{run_together(at)}", ATOM
            case "det":
                return f"det({array})", ATOM
            case "max" | "prod" | "gap":
                return f"{w.fn}_{below}({body})", ATOM
            case "argmax":
                return f"[argmax_{below}({body}) = {run_together(at)}]", ATOM
        width = max(1, len(axes))
        slopes = "".join(f"∂_{run_together(at[n : n + width])} " for n in range(0, len(at), width))
        return f"{slopes}{self.name(w.fn)}({array})", PREFIX if slopes else ATOM


def text(t: Term, taken: Iterable[str] = ()) -> str:
    """A term as one line."""
    return Plain(taken)(t)


def run_together(subs: list[str]) -> str:
    if all(len(s) == 1 for s in subs):
        return "".join(subs)
    inside = ",".join(subs)
    return inside if len(subs) == 1 and inside.isalnum() else f"({inside})" if len(subs) == 1 else f"[{inside}]"


def tight(piece: str) -> str:
    """Brackets around all but the simplest."""
    return piece if not (set(piece) & set(" /·")) or enclosed(piece) else f"({piece})"


def enclosed(piece: str) -> bool:
    depth = 0
    for n, c in enumerate(piece):
        depth += (c == "(") - (c == ")")
        if depth == 0 and n < len(piece) - 1:
            return False
    return True
