"""A changed syntax tree as LaTeX in the author's notation: what did not change is copied from the author's text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

from symbackprop.core.terms import SymbackpropError
from symbackprop.read.notes.declared.symbols import Declarations, marked, split_scripts
from symbackprop.read.notes.grammar.tree import (
    Add, All, Annotated, Call, Cases, Chain, Derivative, Entry, Expr, Function, Gradient, Hadamard, Identity, IndexName,
    Inner, Kronecker, Neg, Norm, Num, Ones, Outer, Power, Product, Quotient, Shape, Sum, Symbol, Transpose,
)  # fmt: skip
from symbackprop.read.notes.grammar.vocabulary import GREEK, NEUTRAL
from symbackprop.read.notes.grammar.walking import walk
from symbackprop.write.notes.letters import balanced, bare_symbol, bracketed, number, relabelled, script, subscripts

from .letters import author_latex

SUM, HADAMARD, PRODUCT, PREFIX, FACTOR, ATOM = range(6)
LEVELS: dict[type, int] = {
    Add: SUM, Neg: SUM, Shape: SUM, Hadamard: HADAMARD, Product: PRODUCT, Outer: PRODUCT, Sum: PREFIX,
    Gradient: PREFIX, Power: FACTOR, Transpose: FACTOR,
}  # fmt: skip
"""How tightly the operations bind; the others are closed in themselves."""
_MARKS = "|".join(sorted(NEUTRAL))
_TRANSPOSE = re.compile(r"\^\s*(?:(\\top)\b|\{\s*(\\top|\\mathsf\s*\{?\s*T\s*\}?|\\intercal|\\mathrm\s*\{T\}|T)\s*\})")
SIGNS = {"": " ", "cdot": r" \cdot ", "times": r" \times ", "*": " * ", "@": " @ ", "outer": r" \otimes "}
FUNCTIONS = frozenset("log ln exp sin cos tan tanh sinh cosh det max min".split())

_RAISED = re.compile(r"\s*(?:\^\s*(?:\{\s*)?(?:\\top|\\intercal|\\mathsf\s*\{?\s*T\s*\}?|T)\s*\}?|ᵀ)\s*\Z")
_OPENING = re.compile(r"(?:\s*(?:\\left|\\[bB]igg?l?)?\s*[(\[])+\s*\Z")
"""Of what is summed."""


class Unspelled(SymbackpropError):
    """This tree has no spelling here."""


class Speller:
    """`text` is the formula that the trees in `originals` were read from; `around`, the document, shows habits."""

    def __init__(self, text: str, originals: Iterable[Expr], decl: Declarations, around: str = "") -> None:
        self.text, self.decl, self.around = text, decl, f"{text}\n{around}"
        self.intact = {id(n) for tree in originals for n in walk(tree)}
        self.raised = set[int]()
        for raised in (n for tree in originals for n in walk(tree) if isinstance(n, Transpose)):
            if isinstance(raised.arg, Power) and raised.arg.span == raised.span:  # X^{-T} has no text of X^{-1}
                self.intact -= {id(raised.arg), id(raised.arg.exponent)}
            if isinstance(raised.arg, Transpose) and raised.arg.span == raised.span:  # x_i^T, where x_i is a row of X
                self.raised.add(id(raised.arg))
        self.symbols: dict[str, list[Symbol]] = {}
        self.functions: dict[str, Call] = {}
        self.sums: list[Sum] = []
        for tree in originals:
            for n in walk(tree):
                if isinstance(n, Symbol):
                    self.symbols.setdefault(n.name, []).append(n)
                elif isinstance(n, Call):
                    self.functions.setdefault(n.function.name, n)
                elif isinstance(n, Sum):
                    self.sums.append(n)
        self.top = self.transpose_sign(text) or self.transpose_sign(around) or (r"\top" if self.labels("T") else "T")
        habit = text if r"\odot" in text or r"\circ" in text else around
        self.circ = r"\circ" if r"\circ" in habit and r"\odot" not in habit else r"\odot"
        if "\\odot" not in habit and any(c in habit for c in "⊙∘"):
            self.circ = "⊙" if "⊙" in habit else "∘"
        if "ᵀ" in habit and self.transpose_sign(habit) is None:
            self.top = "ᵀ"

    def transpose_sign(self, text: str) -> str | None:
        for m in _TRANSPOSE.finditer(text):
            sign = m[1] or m[2]
            if not self.labels(sign):
                return sign
        return None

    def labels(self, letter: str) -> bool:
        return letter in self.decl.layers or any(s.last == letter for s in self.decl.layers.values())

    def __call__(self, node: Expr) -> str:
        return self.at_level(node, SUM)

    def shown(self, node: Expr) -> str:
        """For messages."""
        try:
            return self(node)
        except Unspelled:
            return type(node).__name__.lower()

    def at_level(self, node: Expr, level: int) -> str:
        text = self.spelled(node)
        if self.level(node, text) >= level and not (
            level > SUM and isinstance(node, (Product, Hadamard)) and self.in_brackets(node)
        ):
            return text
        return bracketed(text)

    def copied(self, node: Expr) -> str | None:
        """The author's text of a node that was not changed."""
        if id(node) not in self.intact:
            return None
        text = self.text[node.span[0] : node.span[1]].strip()
        if id(node) in self.raised:
            text = _RAISED.sub("", text)
        if isinstance(node, Symbol) and node.sample is None:
            text = bare_symbol(text, node)
            if "nabla" in text or "∇" in text:  # the variable that ∇J does not name
                return None
        return text if text and balanced(text) else None

    def in_brackets(self, node: Expr) -> bool:
        """The author put brackets around it, or around what stood there before."""
        before, after = self.text[: node.span[0]].rstrip(), self.text[node.span[1] :].lstrip()
        closed = re.match(r"(?:\\right\s*)?[)\]]", after) is not None
        return node.span[1] > node.span[0] and before.endswith(("(", "[")) and closed

    def spelled(self, node: Expr) -> str:
        text = self.copied(node)
        if text is not None:
            return text
        match node:
            case Num(value):
                return number(value)
            case Symbol():
                return self.symbol(node)
            case IndexName(name):
                return author_latex(name)
            case All():
                return ":"
            case Call(function, args):
                return self.function(function) + bracketed(", ".join(map(self, args)))
            case Entry(base, at):
                return f"{self.at_level(base, ATOM)}_{{{subscripts([self(a) for a in at])}}}"
            case Neg(arg):
                return f"-{self.at_level(arg, HADAMARD)}"
            case Add(args):
                first, *rest = args
                out = self.at_level(first, SUM) if not isinstance(first, Add) else bracketed(self(first))
                for a in rest:
                    sign, term = ("-", a.arg) if isinstance(a, Neg) else ("+", a)
                    out += f" {sign} {self.at_level(term, HADAMARD)}"
                return out
            case Hadamard(args):
                return f" {self.circ} ".join(self.at_level(a, PRODUCT) for a in args)
            case Product(args, signs):
                return self.product(args, signs)
            case Outer(args):
                return r" \otimes ".join(self.at_level(a, PREFIX) for a in args)
            case Quotient(top, bottom):
                return rf"\frac{{{self(top)}}}{{{self(bottom)}}}"
            case Power(base, Num(q), False) if q == Fraction(1, 2):
                return rf"\sqrt{{{self(base)}}}"
            case Power(base, exponent, elementwise):
                circ = r"\circ " if elementwise else ""
                return f"{self.raisable(base)}^{{{circ}{self(exponent)}}}"
            case Transpose(arg):
                return self.transposed(arg)
            case Derivative(body, wrt):
                order = f"^{len(wrt)}" if len(wrt) > 1 else ""
                below = " ".join(rf"\partial {self.at_level(w, ATOM)}" for w in wrt)
                return rf"\frac{{\partial{order} {self.at_level(body, ATOM)}}}{{{below}}}"
            case Gradient(body, wrt_one):
                return rf"\nabla_{{{self(wrt_one)}}} {self.at_level(body, ATOM)}"
            case Cases(rows):
                return self.cases(rows)
            case Sum(binders, body, kind="sum"):
                return f"{self.sigma(node, [b.name for b in binders])} {self.at_level(body, PRODUCT)}"
            case Kronecker(i, j):
                return rf"\delta_{{{subscripts([self(i), self(j)])}}}"
            case Ones(sizes):
                below = f"_{{{subscripts([self(s) for s in sizes])}}}" if sizes else ""
                return rf"\mathbf{{1}}{below}"
            case Identity(size):
                return "I" if size is None else f"I_{{{self(size)}}}"
            case Norm(arg, order):
                bar = r"\lvert {} \rvert" if order == "abs" else r"\lVert {} \rVert"
                below = "" if order in ("abs", "2") else f"_{order}"
                return bar.format(self(arg)) + below
            case Inner(left, right):
                return rf"\langle {self(left)}, {self(right)} \rangle"
            case Annotated(arg, shape):
                return f"{self.at_level(arg, ATOM)}_{{{self(shape)}}}"
            case Shape(parts):
                return r" \times ".join(bracketed(self(p)) if isinstance(p, Shape) else self(p) for p in parts)
            case _:
                raise Unspelled(f"a {type(node).__name__} cannot be written here")

    @staticmethod
    def level(node: Expr, text: str) -> int:
        """How tightly the text binds."""
        match node:
            case Quotient() | Derivative():
                return FACTOR if text.startswith("\\frac") else PRODUCT
            case Call():
                return ATOM if text.endswith((")", "}")) else PREFIX
            case Num(value):
                return SUM if value < 0 else ATOM if value.denominator == 1 else FACTOR
            case _:
                return LEVELS.get(type(node), ATOM)

    def product(self, args: tuple[Expr, ...], signs: tuple[str, ...]) -> str:
        out = self.factor(args[0], len(args) == 1)
        for k, (a, sign) in enumerate(zip(args[1:], signs, strict=True), 2):
            text = self.factor(a, k == len(args))
            between = r" \cdot " if text[0].isdigit() and sign == "" else SIGNS[sign]
            out += between + text
        return out

    def factor(self, node: Expr, last: bool) -> str:
        """A sum in front of another factor needs brackets: what is behind it would be summed too."""
        return self.at_level(node, PREFIX if last else FACTOR)

    def sigma(self, node: Sum, names: list[str]) -> str:
        for tree in self.sums:
            if tree.binders == node.binders:
                text = _OPENING.sub("", self.text[tree.span[0] : tree.body.span[0]])
                if balanced(text) and text.startswith("\\sum"):
                    return text.strip()
        return rf"\sum_{{{subscripts([author_latex(n) for n in names])}}}"

    # --- names -------------------------------------------------------------------------------

    def symbol(self, s: Symbol) -> str:
        """Spelled as the author spells the name, with its own label."""
        if s.sample is not None:
            raise Unspelled("a sample label")
        for other in self.symbols.get(s.name, ()):
            text = self.copied(other)
            if text is None or other.sample is not None:
                continue
            if other.label == s.label:
                return text
            if other.label is not None and s.label is not None:
                changed = relabelled(text, other.label, s.label)
                if changed is not None:
                    return changed
        name, scripts = split_scripts(s.name)
        base = self.marked(self.greek(author_latex(name)))
        for caret, inside in re.findall(r"([_^])([^_^]+)", scripts):  # the scripts that belong to the name: W^{[1]}
            base += caret + script(author_latex(inside) if inside.isalpha() and len(inside) == 1 else inside)
        if s.label is None:
            return base
        symbol = self.decl.layered.get(s.name)
        caret = "_" if symbol is not None and symbol.label_at == "_" else "^"
        opening, closing = self.label_brackets()
        return f"{base}{caret}{script(f'{opening}{s.label}{closing}')}"

    def greek(self, name: str) -> str:
        """φ as the author writes it, \\phi or \\varphi."""
        other = name.replace("\\var", "\\") if name.startswith("\\var") else name.replace("\\", "\\var", 1)
        spelled = [re.search(re.escape(n) + r"(?![A-Za-z])", self.around) is not None for n in (name, other)]
        return other if name.startswith("\\") and spelled == [False, True] else name

    def marked(self, base: str) -> str:
        r"""The name with the mark that the author puts on it: \mathbf{q} for q."""
        word = re.fullmatch(r"\\mathrm\{(\w+)\}", base)
        if word is not None and re.search(rf"(?<![A-Za-z\\{{]){word[1]}(?![A-Za-z}}])", self.around):
            return word[1]  # dW, as the author writes it
        letter = GREEK.get(base.removeprefix("\\"), "")
        if letter and base[0] == "\\" and letter in self.around and base not in self.around:
            return letter  # δ, as the author writes it
        name, script = re.match(r"(\\?[A-Za-z]+|.)(.*)", base, re.DOTALL).groups()  # type: ignore[union-attr]
        found = re.search(rf"\\({_MARKS})\s*\{{\s*{re.escape(name)}\s*\}}", self.around)
        if found is None or self.decl.known(marked(name, found[1])):
            return base
        return rf"\{found[1]}{{{name}}}{script}"

    def label_brackets(self) -> tuple[str, str]:
        if re.search(r"\^\s*\{\s*\[", self.text):
            return "[", "]"
        return ("(", ")") if re.search(r"\^\s*\{\s*\(\s*(?:l|\\ell|L)\b", self.text) else ("", "")

    def function(self, f: Function) -> str:
        other = self.functions.get(f.name)
        if other is not None:
            text = self.copied(other)
            if text is not None and "(" in text:
                name = re.split(r"\\left\s*\(|\(", text, maxsplit=1)[0].strip()
                name = re.sub(r"(?:\^\s*\{\s*(?:\\prime\s*)+\}|\^\s*\\prime|'+)\s*$", "", name).strip()
                return name + "'" * f.primes
        if f.label is not None:
            raise Unspelled("a function with a layer")
        name = f"\\{f.name}" if f.name in FUNCTIONS else self.greek(author_latex(f.name))
        if f.name in ("diag", "tr", "softmax"):
            name = rf"\operatorname{{{f.name}}}"
        return name + "'" * f.primes

    def transposed(self, arg: Expr) -> str:
        text = self.at_level(arg, FACTOR)
        inside = re.search(r"\^\{\s*(\[[^\]{}]*\])\s*\}\Z", text)
        if inside is not None and isinstance(arg, Symbol):
            return f"{text[: inside.start()]}^{{{inside[1]}{self.top}}}"
        return f"{self.raisable(arg)}{'' if self.top == 'ᵀ' else '^'}{script(self.top)}"

    def raisable(self, node: Expr) -> str:
        text = self.spelled(node)
        return (
            text if self.level(node, text) == ATOM and not re.search(r"[\^'⁽⁾′]|[ˡᴸ¹²³⁺⁻]", text) else bracketed(text)
        )

    def cases(self, rows: tuple[tuple[Expr, Chain | None], ...]) -> str:
        """The conditions as they are written."""
        out = []
        for value, when in rows:
            if when is None:
                out.append(rf"{self(value)} & \text{{otherwise}}")
            else:
                out.append(rf"{self(value)} & \text{{if }} {self.text[when.span[0] : when.span[1]].strip()}")
        return r"\begin{cases} " + r" \\ ".join(out) + r" \end{cases}"
