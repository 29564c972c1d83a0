"""Terms of a derivation as text and LaTeX: the user's names, and ∂L/∂c for the gradient by c."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbackprop.core.indices import Index
from symbackprop.core.terms import Add, Array, Term, substitute
from symbackprop.gradients.lemmas import everywhere_in
from symbackprop.write.paper.array_text import ArrayText
from symbackprop.write.paper.latex import Latex
from symbackprop.write.paper.letters import latex_name

ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde"}
GREEK = {"eps", "gamma", "beta", "alpha", "mu", "sigma", "theta", "delta", "tau", "rho", "lambda"}


class Notation:
    """`names` says how arrays are called, `gradients` of what a name is the gradient."""

    def __init__(self, names: Mapping[Array, str], gradients: Mapping[str, str], loss: str = "L") -> None:
        self.names, self.gradients, self.loss = names, gradients, loss

    def renamed(self, t: Term) -> Term:
        """In the names of the page."""

        def called(x: object) -> Array | None:
            return Array(self.names[x]) if isinstance(x, Array) and x in self.names else None

        found: Term = everywhere_in(t, called)
        return found

    def both(self, left: Term, right: Term, axes: Sequence[Index]) -> tuple[tuple[str, str], tuple[str, str]]:
        a, b = self.renamed(left), self.renamed(right)
        writer = GradientText(Add((a, b)), axes, self.gradients, self.loss)
        writer.letters.update({i: i.name for i in axes})
        tex = GradientLatex(self.gradients, [i.name for i in axes], self.loss)
        fixed = {i: Index(i.name, i.size) for i in axes}
        return ((writer.written(a), writer.written(b)), (tex(substitute(a, fixed)), tex(substitute(b, fixed))))  # type: ignore[arg-type]

    def latex_name(self, name: str) -> str:
        return pretty(name)

    def latex_gradient(self, name: str) -> str:
        return rf"\frac{{\partial {pretty(self.loss)}}}{{\partial {pretty(name)}}}"

    def plain_gradient(self, name: str) -> str:
        return f"∂{self.loss}/∂{name}"


class GradientText(ArrayText):
    def __init__(self, about: Term, axes: Sequence[Index], gradients: Mapping[str, str], loss: str) -> None:
        super().__init__(about, axes)
        self.gradients, self.loss = gradients, loss

    def array(self, array: Array, subs: list[str]) -> str:
        subs = [s for s in subs if s != "0"] if len(subs) > 1 or subs == ["0"] else subs
        of = self.gradients.get(array.name)
        if of is None:
            return super().array(array, subs)
        return f"∂{self.loss}/∂{super().array(Array(of), subs)}"


class GradientLatex(Latex):
    def __init__(self, gradients: Mapping[str, str], taken: Sequence[str], loss: str) -> None:
        super().__init__(taken)
        self.gradients, self.loss = gradients, loss

    def name(self, name: str) -> str:
        return pretty(name)

    def array(self, array: Array, subs: list[str]) -> str:
        subs = [s for s in subs if s != "1"] if "1" in subs else subs
        of = self.gradients.get(array.name)
        name = pretty(of or array.name)
        below = "" if not subs else "".join(subs) if all(len(s) == 1 for s in subs) else ",".join(subs)
        shown = f"{{{name}}}_{{{below}}}" if below and "_" in name else f"{name}_{{{below}}}" if below else name
        return shown if of is None else rf"\frac{{\partial {pretty(self.loss)}}}{{\partial {shown}}}"


def pretty(name: str) -> str:
    """xhat as an accent, other names as on paper."""
    if name == "eps":
        return r"\varepsilon"
    for ending, accent in ACCENTS.items():
        if name.endswith(ending) and len(name) > len(ending):
            return f"{accent}{{{latex_name(name.removesuffix(ending))}}}"
    if len(name) == 2 and name.isalpha() and name[0].isupper() and name not in GREEK:
        return f"{name[0]}_{{{name[1]}}}"
    return latex_name(name)
