"""Terms, predicates and matrix forms in LaTeX, which needs amsmath only: the same in every run."""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.core.functions import ROWS
from symbackprop.core.indices import Index
from symbackprop.core.matrix import Matrix
from symbackprop.core.terms import Array, Predicate, Term, Whole
from symbackprop.write.paper.matrix_writer import MatrixWriter
from symbackprop.write.paper.term_parts import latex_name
from symbackprop.write.paper.term_writer import ATOM, PREFIX, Text

COMMANDS = {"gammaln": r"\ln\Gamma", **{f.name: f.latex for f in ROWS}}
TALL = (r"\frac", r"\sum", r"\sqrt", r"\prod", r"\left")


class Latex(MatrixWriter):
    minus, at_most, not_equal, times = "-", r"\le", r"\ne", r"\cdot"
    circ, transpose, ones_letter = r"\circ", r"\mathsf{T}", r"\mathbf{1}"

    def name(self, name: str) -> str:
        return latex_name(name)

    def array(self, array: Array, subs: list[str]) -> str:
        text = self.name(array.name)
        if array.label is not None:
            text += f"^{{{self.size(array.label)[0].replace(' ', '')}}}"
        if not subs:
            return text
        if "_" in text.split("^")[0]:  # a name that has a subscript of its own
            text = f"{{{text}}}"
        return f"{text}_{{{subscripts(subs)}}}"

    def brackets(self, text: str) -> str:
        return rf"\left({text}\right)" if any(t in text for t in TALL) else f"({text})"

    def fraction(self, above: str, below: str) -> Text:
        return rf"\frac{{{above}}}{{{below}}}", ATOM - 1

    def root(self, text: str) -> Text:
        return rf"\sqrt{{{text}}}", ATOM

    def raised(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def sigma(self, letter: str, size: str) -> str:
        return rf"\sum_{{{letter}=1}}^{{{size}}}"

    def function(self, fn: str, order: int) -> str:
        text = COMMANDS.get(fn) or (latex_name(fn) if len(fn) == 1 else rf"\operatorname{{{latex_operator(fn)}}}")
        return text + ("'" * order if order <= 3 else f"^{{({order})}}")

    def operator(self, name: str) -> str:
        return rf"\{name}" if name in ("det", "exp") else rf"\operatorname{{{name}}}"

    def spaced(self, texts: list[str]) -> str:
        return r" \, ".join(texts)

    def array_with(self, letter: str, size: str) -> str:
        return f"{letter}_{{{size.replace('×', chr(92) + 'times')}}}"

    def exponential(self, arg: str) -> str:
        return f"e^{{{arg}}}"

    def delta(self, subs: list[str]) -> str:
        return rf"\delta_{{{subscripts(subs)}}}"

    def partial(self, above: str, below: list[str]) -> Text:
        order = f"^{{{len(below)}}}" if len(below) > 1 else ""
        top = rf"\partial{order} {above}".strip()
        bottom = r" \, ".join(rf"\partial {b}" for b in below)
        return rf"\frac{{{top}}}{{{bottom}}}", ATOM - 1

    def iverson(self, text: str) -> str:
        return rf"\left[{text}\right]"

    def entries(self, body: str, subs: list[str]) -> str:
        return rf"\left[{body}\right]_{{{subscripts(subs)}}}"

    def whole_function(self, w: Whole, axes: tuple[Index, ...], array: str, body: str, at: list[str]) -> Text:
        below = subscripts([self.name(a.name) for a in axes])
        match w.fn:
            case "inv":
                base = self.brackets(array) if "^" in array or "_" in array else array
                return rf"\left({base}^{{-1}}\right)_{{{subscripts(at)}}}", ATOM
            case "det":
                return rf"\det {array}", PREFIX
            case "max":
                return rf"\max_{{{below}}} {self.brackets(body)}", PREFIX
            case "prod":
                return rf"\prod_{{{below}}} {self.brackets(body)}", PREFIX
            case "argmax":
                return rf"\left[\arg\max_{{{below}}} {self.brackets(body)} = {subscripts(at)}\right]", ATOM
            case "gap":
                return rf"\operatorname{{gap}}_{{{below}}} {self.brackets(body)}", PREFIX
        slopes = "".join(rf"\partial_{{{subscripts(g)}}} " for g in grouped(at, len(axes)))
        return f"{slopes}{self.name(w.fn)}{self.brackets(array)}", PREFIX if slopes else ATOM


def latex(t: Term, taken: Iterable[str] = ()) -> str:
    """A term as LaTeX for math mode; `taken` are letters that its sums should not use."""
    writer = Latex(taken)
    return writer(t)


def latex_matrix(m: Matrix) -> str:
    """A matrix form as LaTeX for math mode."""
    return Latex().matrix(m)


def latex_predicate(p: Predicate) -> str:
    """A condition as LaTeX for math mode."""
    return Latex().condition(p)


def subscripts(subs: list[str]) -> str:
    """jk for single letters, with commas where that would be misread."""
    return "".join(subs) if all(len(s) == 1 for s in subs) else ",".join(subs)


def grouped(items: list[str], width: int) -> list[list[str]]:
    return [items[n : n + width] for n in range(0, len(items), max(1, width))]


def latex_operator(fn: str) -> str:
    return latex_name(fn).removeprefix(r"\mathrm{").removesuffix("}")
