r"""Declarations: what the names of a document are, written in YAML or said in its text.

In Markdown a block is front matter (key `symbackprop`) or a comment that does not show; in LaTeX comment lines::

    <!-- symbackprop:
    convention: column              # vectors are columns (or: row)
    layout: numerator               # ∂L/∂W has the shape of W^T (or: gradient, the shape of W)
    layers: l = 1..L                # l, k = 1..L for several letters
    sizes: n_l, m, G, K             # names of sizes; n_l: one for each layer.  Or a mapping:
    #   n\text{-outputs}: n_L       #   what it abbreviates
    #   n\text{-neurons}: hidden    #   the width of whichever hidden layer is meant
    indices: i = n, j = m, k, b     # with its size, or with the range of the axes it stands on
    samples: s = N                  # x^{(s)} is a sample, N their number
    arrays:
      W^l: n_l x n_{l-1}            # a matrix for each layer
      \vec{a}^l: n_l                # a vector: column or row by convention
      t: n_L x 1                    # a column; 1 x n_L would be a row
      C: scalar
      y: {shape: n_L, of: x}        # y(x) is y, y(x^{(s)}) is y at sample s
      c: integer m                  # an array of class numbers, for y_{c_s}
    constants: t, x                 # not differentiated
    functions:
      f: elementwise                # abstract, with derivative f'
      s: softmax
      \mathcal{L}(y, t): loss       # an abstract scalar function of whole arrays
      \sigma(z): \frac{1}{1+e^{-z}} # elementwise, given by a formula
    identity: I
    alias: L = \mathcal{L}, z = z^L # another way to write a declared thing
    definitions:
      - z^l = W^l a^{l-1} + b^l
      - \delta^l = \frac{\partial \mathcal{L}}{\partial z^l}
    hypotheses:
      - \sum_k t_k = 1
    hadamard: loose                 # a row may meet a column in ∘; each such place is listed as a hypothesis
    star: elementwise               # what * between arrays means (or: matrix)
    softmax: rows                   # the softmax of a matrix is that of each of its rows (or: columns)
    reset: true                     # forget what earlier blocks declared
    -->

A block holds from where it stands to the end of the document; what a later block says anew replaces it, so convention
and layout change by section.  In the text itself these declare what is not declared yet: `W^l \in \mathbb{R}^{n_l
\times n_{l-1}}`, `w \sim n \times m`, `a \sim \text{scalar}`, "$f$ acts elementwise", "for layers $l = 1, \dots, L$".
"""

from __future__ import annotations

import re
from dataclasses import replace

import yaml

from ..files.place import Place, ReadError
from ..files.yaml_block import Block, Scalar, Value, pieces
from ..grammar.resolve import parse_expression, parse_statement
from ..grammar.tree import Expr, Label, Symbol
from ..grammar.walking import walk
from ..meaning.definitions import head
from .sizes import define, shape_parts, size_expression
from .symbols import (
    ArraySymbol, Declarations, Definition, FunctionSymbol, IndexSymbol, LayerSymbol, Orientation, SizeSymbol,
)  # fmt: skip

_LAYERS = re.compile(r"\s*(.+?)\s*=\s*1\s*(?:\.\.+|…|,?\s*\\l?dots\s*,?)\s*(\S+)\s*\Z")
_CALL = re.compile(r"\s*([^()]+?)\s*\(((?:[^()]|\([^()]*\))*)\)\s*\Z")
_FUNCTION_KINDS = {"scalar": "loss", **{kind: kind for kind in ("elementwise", "softmax", "loss", "abstract")}}
_KINDS = (
    "letters convention layout batch layers sizes arrays constants indices samples functions identity alias "
    "definitions hypotheses hadamard star softmax"
).split()
"""In the order in which they are read, whatever the order in a block."""
_CHOICES: dict[str, tuple[str, dict[str, object]]] = {
    "convention": ("convention", {"column": "column", "row": "row"}),
    "layout": ("layout", {"numerator": "numerator", "gradient": "gradient", "denominator": "gradient"}),
    "hadamard": ("loose_hadamard", {"strict": False, "loose": True}),
    "star": ("star", {"elementwise": "elementwise", "matrix": "matrix"}),
    "softmax": ("softmax", {"rows": "rows", "columns": "columns"}),
}
"""The field of the table that a word chooses for."""


def declare(text: str, declarations: Declarations, where: Place | None = None, front: bool = False) -> Declarations:
    """The table after a YAML block (of front matter, only its key `symbackprop`).  Raises ReadError with the place."""
    return _Block(text, declarations, where, front).read()


class _Block(Block):
    def read(self) -> Declarations:
        entries = self.given = self.entries()
        unknown = next((k for k in entries if k not in (*_KINDS, "reset")), None)
        if unknown is not None:
            known = ", ".join((*_KINDS, "reset"))
            raise self.fail(f"{unknown!r} is no kind of declaration: known are {known}", entries[unknown][0])
        if "reset" in entries and self.scalar(entries["reset"][1])[0].lower() in ("true", "yes", "on", "all"):
            self.decl = Declarations()
        for kind in _KINDS:
            if kind in entries:
                self.choice(kind, entries[kind][1]) if kind in _CHOICES else getattr(self, kind)(entries[kind][1])
        return self.decl

    # --- the kinds of declaration ------------------------------------------------------------

    def choice(self, kind: str, node: Value) -> None:
        field, ways = _CHOICES[kind]
        value = self.scalar(node)[0].strip()
        if value not in ways:
            raise self.fail(f"{kind} is {' or '.join(list(ways)[:2])}", node)
        self.decl = replace(self.decl, **{field: ways[value]})  # type: ignore[arg-type]

    def batch(self, node: Value) -> None:
        name, _, _ = self.name(self.scalar(node))
        self.decl = replace(self.decl.with_size(SizeSymbol(name)), batch=name)

    def layers(self, node: Value) -> None:
        text, _ = self.scalar(node)
        found = _LAYERS.match(text)
        if found is None:
            raise self.fail("layers are declared as “l = 1..L”", node)
        before = self.decl
        self.decl = replace(self.decl, layers={})
        for letter in re.split(r"[,\s]+", found[1]):
            self.decl = self.decl.with_layer(LayerSymbol(self.letter(letter), self.letter(found[2])))
        last = self.letter(found[2])
        if not last.isdigit():
            self.decl = self.decl.with_layer(LayerSymbol(last, last))
        self.decl = _for_new_layers(self.decl, before)

    def letter(self, text: str) -> str:
        from_name, label, _ = self.name((text, None)) if not text.isdigit() else (text, None, "")
        return from_name if label is None else text

    def sizes(self, node: Value) -> None:
        for written, value in self.items(node):
            name, label, _ = self.name(written)
            if value is None:
                self.decl = self.decl.with_size(SizeSymbol(name, layered=label is not None))
            elif value[0].strip() == "hidden":
                self.decl = self.decl.with_size(SizeSymbol(name, hidden=True))
            else:
                means = self.size(value)
                self.decl = self.decl.with_size(SizeSymbol(name, layered=label is not None, value=means))

    def size(self, value: Scalar) -> Expr:
        node, self.decl = size_expression(value[0], self.decl, value[1])
        return node

    def samples(self, node: Value) -> None:
        self.indices(node, sample=True)

    def indices(self, node: Value, sample: bool = False) -> None:
        for written, value in self.items(node):
            for letter in written[0].split():
                name, _, _ = self.name((letter, written[1]))
                size = None if value is None else self.size(value)
                self.decl = self.decl.with_index(IndexSymbol(name, size, sample))

    def arrays(self, node: Value) -> None:
        if not isinstance(node, yaml.MappingNode):
            raise self.fail("arrays are a mapping, such as “W: n x m”", node)
        seen: set[tuple[str, bool]] = set()
        for key, value in node.value:
            of = ""
            if isinstance(value, yaml.MappingNode):
                inner = {self.scalar(k)[0]: v for k, v in value.value}
                if set(inner) - {"shape", "of"} or "shape" not in inner:
                    raise self.fail("an array has a shape, and may depend: {shape: n, of: x}", value)
                of = ",".join(self.name(w)[0] for w, _ in self.items(inner["of"])) if "of" in inner else ""
                value = inner["shape"]
            names, shape = self.scalar(key), self.scalar(value)
            for piece, _ in pieces(names[0]):
                one = self.without_indices(piece.strip(), shape[0])
                name, label, at = self.name((one, names[1]))
                if (name, label is not None) in seen:  # both x and \vec{x} here: two things
                    name = one if "\\" in one else name
                seen.add((name, label is not None))
                if label is not None and (label.shift or label.base == self.decl.last):
                    raise self.fail(f"declare {name}{at}{next(iter(self.decl.layers), 'l')} for every layer", key)
                self.array(name, label, at, shape, of)

    def letters(self, node: Value) -> None:
        before, self.decl = self.decl, Declarations()  # neither names nor sizes are declared by it
        self.arrays(node)
        self.decl = replace(before, letters={**before.letters, **self.decl.arrays})

    def without_indices(self, written: str, shape: str) -> str:
        """x of `x_i: n`, where i is declared to run over n values, and of x^{(i)} where i counts samples."""
        sample = re.fullmatch(r"(.+?)\^\{?\(([A-Za-z])\)\}?", written)
        if sample is not None and sample[2] in self.sample_letters():
            return sample[1]
        found = re.fullmatch(r"(.+?)_\{?([A-Za-z])\s*,?\s*([A-Za-z]?)\}?", written)
        if found is None or "indices" not in self.given:
            return written
        sizes = {k[0].strip(): v[0].strip() for k, v in self.items(self.given["indices"][1]) if v is not None}
        axes = [a.strip() for a in re.split(r"\s+x\s+|\\times(?![A-Za-z])|×", shape)]
        letters = [c for c in found.groups()[1:] if c]
        return found[1] if [sizes.get(c) for c in letters] == axes else written

    def sample_letters(self) -> set[str]:
        """Declared as samples before, or in this block."""
        found = {i.name for i in self.decl.indices.values() if i.sample}
        if "samples" in self.given:
            found |= {letter for k, _ in self.items(self.given["samples"][1]) for letter in k[0].split()}
        return found

    def array(self, name: str, label: Label | None, at: str, shape: Scalar, of: str) -> None:
        text = shape[0].strip()
        integer = text.startswith("integer ")
        orientation: Orientation | None = None
        for word in ("integer", "column", "row", "vector"):
            if text.startswith(word + " "):
                text = text.removeprefix(word).strip()
                orientation = "vector" if word == "integer" else word  # type: ignore[assignment]
        if text in ("scalar", "1", ""):
            parts: tuple[Expr, ...] = ()
            orientation = "scalar"
        else:
            node = self.size((text, shape[1]))
            parts, guessed = shape_parts(node)
            orientation = guessed if orientation is None or len(parts) == 2 else orientation
        layer = label.base if label is not None and label.base else ""
        self.decl = self.decl.with_array(
            ArraySymbol(name, parts, orientation or "vector", layer, at, "variable", of, integer)
        )

    def constants(self, node: Value) -> None:
        for written, _ in self.items(node):
            name, label, _ = self.name(written)
            table = self.decl.layered if label else self.decl.arrays
            if name not in table:
                raise self.fail(f"{written[0]} is declared constant but is no array", node)
            self.decl = self.decl.with_array(replace(table[name], role="constant"))

    def functions(self, node: Value) -> None:
        if not isinstance(node, yaml.MappingNode):
            raise self.fail("functions are a mapping, such as “f: elementwise”", node)
        for key, value in node.value:
            written, (what, _) = self.scalar(key), self.scalar(value)
            call = _CALL.match(written[0])
            args: tuple[str, ...] = ()
            if call is not None:
                args = tuple(self.letter(a) for a in call[2].replace(";", ",").split(",") if a.strip())
                written = (call[1], written[1])
            name, label, at = self.name(written)
            kind = _FUNCTION_KINDS.get(what.strip())
            if kind is None and not args:
                raise self.fail(
                    f"{what!r} is no kind of function: elementwise, softmax, loss, or a formula for {name}(z)",
                    value,
                )
            symbol = FunctionSymbol(
                name, kind or "elementwise", args, "" if kind else what.strip(),  # type: ignore[arg-type]
                label.base if label and label.base else "", at,
            )  # fmt: skip
            kept = tuple(d for d in self.decl.definitions if head(d.chain.subjects[-1]) != Symbol(name))
            self.decl = replace(self.decl.with_function(symbol), definitions=kept)
            if kind == "loss" and name not in self.decl.arrays:
                self.decl = self.decl.with_array(ArraySymbol(name, (), "scalar"))

    def identity(self, node: Value) -> None:
        for written, _ in self.items(node):
            name, _, _ = self.name(written)
            self.decl = replace(self.decl, identities=self.decl.identities | {name}).with_name(name)

    def alias(self, node: Value) -> None:
        for written, value in self.items(node):
            if value is None:
                raise self.fail("an alias says what it stands for: z = z^L", node)
            name, _, _ = self.name(written)
            without = replace(self.decl, aliases={k: v for k, v in self.decl.aliases.items() if k != name})
            self.decl = self.decl.with_alias(name, parse_expression(value[0], without, value[1]))

    def definitions(self, node: Value) -> None:
        for text, place in self.formulas(node):
            for part in parse_statement(text, self.decl, place).parts:
                self.decl = define(self.decl, part.chain, text, place)

    def hypotheses(self, node: Value) -> None:
        for text, place in self.formulas(node):
            for part in parse_statement(text, self.decl, place).parts:
                if not part.chain.links:
                    raise ReadError("a hypothesis is an equation or an inequality", part.span, place)
                known = tuple(h for h in self.decl.hypotheses if h.chain != part.chain)
                self.decl = replace(self.decl, hypotheses=(*known, Definition(part.chain, text, place)))


def _for_new_layers(decl: Declarations, before: Declarations) -> Declarations:
    """Forget what was said for letters that no longer count layers, or count them differently."""

    def gone(letter: str | None) -> bool:
        if letter is None or letter not in before.layers:
            return False
        return letter not in decl.layers or (before.layers[letter].last == letter) != (
            decl.layers[letter].last == letter
        )

    kept = tuple(
        d for d in decl.definitions
        if not any(isinstance(n, Symbol) and n.label is not None and gone(n.label.base) for n in walk(d.chain))
    )  # fmt: skip
    return replace(decl, definitions=kept, layered={k: s for k, s in decl.layered.items() if not gone(s.layer)})
