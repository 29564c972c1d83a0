r"""Declarations: what the names of a document are, written in YAML or said in its text.

In Markdown a block is front matter (key `symbackprop`) or a comment that does not show; in LaTeX lines `% symbackprop:`::

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
      y: {shape: n_L, of: x}        # y(x^{(s)}) is y at sample s
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
    reset: true                     # forget what earlier blocks declared
    -->

A block holds from where it stands to the end of the document; what a later block says anew replaces it, so convention
and layout change by section.  In the text itself these declare what is not declared yet: `W^l \in \mathbb{R}^{n_l
\times n_{l-1}}`, `w \sim n \times m`, `a \sim \text{scalar}`, "$f$ acts elementwise", "for layers $l = 1, \dots, L$".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import yaml

from .parser import parse_expression, parse_leniently, parse_statement
from .place import Place, ReadError, Span
from .symbols import (
    ArraySymbol,
    Declarations,
    Definition,
    FunctionSymbol,
    IndexSymbol,
    LayerSymbol,
    Orientation,
    SizeSymbol,
)
from .tree import Chain, Entry, Expr, Label, Num, Reals, Shape, ShapeWord, Statement, Symbol
from .vocabulary import NEUTRAL
from .walking import walk

MAX_YAML = 100_000
_TIMES = re.compile(r"(?<=[\w})\]])\s+x\s+(?=[\w\\({])")
_LAYERS = re.compile(r"\s*(.+?)\s*=\s*1\s*(?:\.\.+|…|,?\s*\\l?dots\s*,?)\s*(\S+)\s*\Z")
_CALL = re.compile(r"\s*(.+?)\s*\(([^()]*)\)\s*\Z")
_FUNCTION_KINDS = {"elementwise": "elementwise", "softmax": "softmax", "loss": "loss", "scalar": "loss", "abstract": "abstract"}
_KEYS = (
    "convention layout batch layers sizes indices samples arrays constants functions identity alias definitions hypotheses hadamard reset"
).split()

_Scalar = tuple[str, Place | None]
_Value = yaml.Node


def declare(text: str, declarations: Declarations, where: Place | None = None, front: bool = False) -> Declarations:
    """The table after a YAML block (of front matter, only its key `symbackprop`).  Raises ReadError with the place."""
    return _Block(text, declarations, where, front).read()


class _Block:
    def __init__(self, text: str, declarations: Declarations, where: Place | None, front: bool) -> None:
        self.text, self.decl, self.where, self.front = text, declarations, where, front

    def fail(self, message: str, node: _Value | None = None) -> ReadError:
        span: Span = (0, 1) if node is None else (node.start_mark.index, max(node.end_mark.index, node.start_mark.index + 1))
        return ReadError(message, span, self.where)

    def read(self) -> Declarations:
        entries = self.entries()
        unknown = next((k for k in entries if k not in _KEYS), None)
        if unknown is not None:
            raise self.fail(f"{unknown!r} is no kind of declaration: known are {', '.join(_KEYS)}", entries[unknown][0])
        if "reset" in entries and self.scalar(entries["reset"][1])[0].lower() in ("true", "yes", "on", "all"):
            self.decl = Declarations()
        for key in ("convention", "layout", "batch", "layers", "sizes", "arrays", "constants", "indices", "samples", "functions", "identity", "alias", "definitions", "hypotheses", "hadamard"):
            if key in entries:
                getattr(self, key)(entries[key][1])
        return self.decl

    def entries(self) -> dict[str, tuple[_Value, _Value]]:
        if len(self.text) > MAX_YAML:
            raise self.fail(f"a declaration block of {len(self.text):,} characters: at most {MAX_YAML:,}")
        try:
            if any(isinstance(e, yaml.events.AliasEvent) for e in yaml.parse(self.text, Loader=yaml.BaseLoader)):
                raise self.fail("YAML anchors are not used here")
            root = yaml.compose(self.text, Loader=yaml.BaseLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            at = min(mark.index if mark else 0, max(len(self.text) - 1, 0))
            raise ReadError(f"not YAML: {error.problem}", (at, at + 1), self.where) from None
        except (RecursionError, yaml.YAMLError, ValueError):
            raise self.fail("not YAML that can be read") from None
        if root is None:
            return {}
        if not isinstance(root, yaml.MappingNode):
            raise self.fail("a declaration block is a mapping, such as “convention: column”", root)
        if self.front:
            root = next((v for k, v in root.value if k.value == "symbackprop"), None)
            if root is None:
                return {}
            if not isinstance(root, yaml.MappingNode):
                raise self.fail("symbackprop: a mapping such as “convention: column” is expected below", root)
        return {self.scalar(k)[0]: (k, v) for k, v in root.value}

    # --- the forms a value can have ----------------------------------------------------------

    def scalar(self, node: _Value) -> _Scalar:
        if not isinstance(node, yaml.ScalarNode):
            raise self.fail("plain text is expected here", node)
        place = None
        if self.where is not None:
            quoted = 1 if node.style in ("'", '"') else 0
            place = self.where.part(node.start_mark.index + quoted, node.end_mark.index)
        return str(node.value), place

    def items(self, node: _Value) -> Iterator[tuple[_Scalar, _Scalar | None]]:
        """`a, b = n`: plain text with commas, or a list, or a mapping; a value only where one is given."""
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                yield self.scalar(key), None if isinstance(value, yaml.ScalarNode) and not value.value else self.scalar(value)
        elif isinstance(node, yaml.SequenceNode):
            for child in node.value:
                yield from self.items(child) if isinstance(child, yaml.MappingNode) else [(self.scalar(child), None)]
        else:
            text, place = self.scalar(node)
            for piece in re.finditer(r"(?:\{[^{}]*\}|[^,{}])+", text):
                name, equals, value = piece.group().partition("=")
                if name.strip():
                    at = piece.start()
                    yield _trimmed(name, at, place), _trimmed(value, at + len(name) + 1, place) if equals else None

    def formulas(self, node: _Value) -> Iterator[_Scalar]:
        for child in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            text, place = self.scalar(child)
            yield text.strip().strip("$"), place

    def name(self, written: _Scalar) -> tuple[str, Label | None, str]:
        r"""(canonical name, layer label, where the label stands) of `W^l`, `\hat{y}`, `n\text{-inputs}`, `z_s^l`."""
        text, place = written
        statement, free = parse_leniently(text, Declarations(layers=self.decl.layers), place)
        node = statement.parts[0].chain.subjects[-1]
        if len(statement.parts) != 1 or len(free) != 1 or not isinstance(node, Symbol):
            if isinstance(node, Entry) and isinstance(node.base, Symbol):
                node = node.base
            else:
                word = text.strip()
                if word.isalpha():
                    return word, None, "^"
                raise ReadError(f"{text!r} is not a name", (0, len(text)), place)
        name, label = node.name, node.label
        name = self.without_mark(name, text)
        if label is not None and label.base not in self.decl.layers:
            sign = "^" if "^" in text else "_"
            name, label = f"{name}{sign}{label}", None
        at = "_" if label is not None and re.search(r"_\s*\{?\s*[\[(]?\s*" + re.escape(label.base or ""), text) else "^"
        return name, label, at

    @staticmethod
    def without_mark(name: str, text: str) -> str:
        found = re.match(r"\\(\w+)\{(.+)\}(.*)\Z", name)
        return found[2] + found[3] if found and found[1] in NEUTRAL else name

    # --- the kinds of declaration ------------------------------------------------------------

    def convention(self, node: _Value) -> None:
        value = self.scalar(node)[0].strip()
        if value == "column" or value == "row":
            self.decl = replace(self.decl, convention=value)
        else:
            raise self.fail("the convention is column or row", node)

    def layout(self, node: _Value) -> None:
        value = {"denominator": "gradient"}.get(self.scalar(node)[0].strip(), self.scalar(node)[0].strip())
        if value == "numerator" or value == "gradient":
            self.decl = replace(self.decl, layout=value)
        else:
            raise self.fail("the layout is numerator or gradient", node)

    def batch(self, node: _Value) -> None:
        name, _, _ = self.name(self.scalar(node))
        self.decl = replace(self.decl.with_size(SizeSymbol(name)), batch=name)

    def hadamard(self, node: _Value) -> None:
        value = self.scalar(node)[0].strip()
        if value not in ("loose", "strict"):
            raise self.fail("hadamard is strict or loose", node)
        self.decl = replace(self.decl, loose_hadamard=value == "loose")

    def layers(self, node: _Value) -> None:
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

    def sizes(self, node: _Value) -> None:
        for written, value in self.items(node):
            name, label, _ = self.name(written)
            if value is None:
                self.decl = self.decl.with_size(SizeSymbol(name, layered=label is not None))
            elif value[0].strip() == "hidden":
                self.decl = self.decl.with_size(SizeSymbol(name, hidden=True))
            else:
                means = self.size(value)
                self.decl = self.decl.with_size(SizeSymbol(name, layered=label is not None, value=means))

    def size(self, value: _Scalar) -> Expr:
        node, self.decl = size_expression(value[0], self.decl, value[1])
        return node

    def indices(self, node: _Value) -> None:
        self._indices(node, sample=False)

    def samples(self, node: _Value) -> None:
        self._indices(node, sample=True)

    def _indices(self, node: _Value, sample: bool) -> None:
        for written, value in self.items(node):
            for letter in written[0].split():
                name, _, _ = self.name((letter, written[1]))
                size = None if value is None else self.size(value)
                self.decl = self.decl.with_index(IndexSymbol(name, size, sample))

    def arrays(self, node: _Value) -> None:
        if not isinstance(node, yaml.MappingNode):
            raise self.fail("arrays are a mapping, such as “W: n x m”", node)
        seen: set[tuple[str, bool]] = set()
        for key, value in node.value:
            of = ""
            if isinstance(value, yaml.MappingNode):
                inner = {self.scalar(k)[0]: v for k, v in value.value}
                if set(inner) - {"shape", "of"} or "shape" not in inner:
                    raise self.fail("an array has a shape, and may depend: {shape: n, of: x}", value)
                of = self.name(self.scalar(inner["of"]))[0] if "of" in inner else ""
                value = inner["shape"]
            names, shape = self.scalar(key), self.scalar(value)
            for written in re.finditer(r"(?:\{[^{}]*\}|[^,{}])+", names[0]):
                one = written.group().strip()
                name, label, at = self.name((one, names[1]))
                if (name, label is not None) in seen:  # both x and \vec{x} here: two things
                    name = one if "\\" in one else name
                seen.add((name, label is not None))
                if label is not None and (label.shift or label.base == self.decl.last):
                    raise self.fail(f"declare {name}{at}{next(iter(self.decl.layers), 'l')} for every layer", key)
                self.array(name, label, at, shape, of)

    def array(self, name: str, label: Label | None, at: str, shape: _Scalar, of: str) -> None:
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
            parts, guessed = _shape_of(node)
            orientation = guessed if orientation is None or len(parts) == 2 else orientation
        layer = label.base if label is not None and label.base else ""
        self.decl = self.decl.with_array(
            ArraySymbol(name, parts, orientation or "vector", layer, at, "variable", of, integer)
        )

    def constants(self, node: _Value) -> None:
        for written, _ in self.items(node):
            name, label, _ = self.name(written)
            table = self.decl.layered if label else self.decl.arrays
            if name not in table:
                raise self.fail(f"{written[0]} is declared constant but is no array", node)
            self.decl = self.decl.with_array(replace(table[name], role="constant"))

    def functions(self, node: _Value) -> None:
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
                raise self.fail(f"{what!r} is no kind of function: elementwise, softmax, loss, abstract, or a formula for {name}(z)", value)
            symbol = FunctionSymbol(
                name, kind or "elementwise", args, "" if kind else what.strip(),  # type: ignore[arg-type]
                label.base if label and label.base else "", at,
            )  # fmt: skip
            self.decl = self.decl.with_function(symbol)
            if kind == "loss" and name not in self.decl.arrays:
                self.decl = self.decl.with_array(ArraySymbol(name, (), "scalar"))

    def identity(self, node: _Value) -> None:
        for written, _ in self.items(node):
            name, _, _ = self.name(written)
            self.decl = replace(self.decl, identities=self.decl.identities | {name}).with_name(name)

    def alias(self, node: _Value) -> None:
        for written, value in self.items(node):
            if value is None:
                raise self.fail("an alias says what it stands for: z = z^L", node)
            name, _, _ = self.name(written)
            without = replace(self.decl, aliases={k: v for k, v in self.decl.aliases.items() if k != name})
            self.decl = self.decl.with_alias(name, parse_expression(value[0], without, value[1]))

    def definitions(self, node: _Value) -> None:
        for text, place in self.formulas(node):
            for part in parse_statement(text, self.decl, place).parts:
                self.decl = define(self.decl, part.chain, text, place)

    def hypotheses(self, node: _Value) -> None:
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
        return letter not in decl.layers or (before.layers[letter].last == letter) != (decl.layers[letter].last == letter)

    kept = tuple(
        d for d in decl.definitions
        if not any(isinstance(n, Symbol) and n.label is not None and gone(n.label.base) for n in walk(d.chain))
    )  # fmt: skip
    return replace(decl, definitions=kept, layered={k: s for k, s in decl.layered.items() if not gone(s.layer)})


def _trimmed(text: str, at: int, place: Place | None) -> _Scalar:
    lead = len(text) - len(text.lstrip())
    return text.strip(), place.part(at + lead, at + len(text)) if place else None


def head(node: Expr) -> Symbol | None:
    """The symbol that a left side defines: of z^l, of z^l_i."""
    if isinstance(node, Entry):
        node = node.base
    return node if isinstance(node, Symbol) else None


def define(decl: Declarations, chain: Chain, text: str, place: Place | None = None) -> Declarations:
    """Add symbol := expression; a definition of the same symbol is replaced."""
    symbol = head(chain.subjects[-1]) if len(chain.subjects) == 1 else None
    if symbol is None or len(chain.links) != 1 or chain.links[0].relation not in ("=", ":=", "≡"):
        raise ReadError("a definition is one equation for a symbol", chain.span, place)
    kept = tuple(d for d in decl.definitions if head(d.chain.subjects[-1]) != symbol)
    return replace(decl, definitions=(*kept, Definition(chain, text, place)))


def _shape_of(node: Expr) -> tuple[tuple[Expr, ...], Orientation]:
    if isinstance(node, Shape):
        parts = tuple(node.parts)
        if len(parts) == 2 and isinstance(parts[1], Num) and parts[1].value == 1:
            return parts[:1], "column"
        if len(parts) == 2 and isinstance(parts[0], Num) and parts[0].value == 1:
            return parts[1:], "row"
        return parts, "matrix"
    return (node,), "vector"


def size_expression(text: str, decl: Declarations, where: Place | None = None) -> tuple[Expr, Declarations]:
    """A size or shape; its undeclared names become sizes."""
    text = _TIMES.sub(r" \\times ", text)
    statement, free = parse_leniently(text, decl, where)
    chain = statement.parts[0].chain
    if len(statement.parts) != 1 or chain.links or len(chain.subjects) != 1:
        raise ReadError(f"{text!r} is no size", (0, len(text)), where)
    return chain.subjects[0], _with_sizes(decl, free)


def _with_sizes(decl: Declarations, free: list[tuple[str, object, Span]]) -> Declarations:
    for name, label, _ in free:
        if name not in (decl.sizes if label is None else decl.layered_sizes):
            decl = decl.with_size(SizeSymbol(name, layered=label is not None))
    return decl


# --- declarations inside the text ------------------------------------------------------------


def declared_in_text(text: str, decl: Declarations, where: Place | None = None) -> Declarations | None:
    r"""The table after a formula that says the shape of undeclared names (W^l \in ℝ^{…}, w \sim n \times m); None if it is none."""
    if not re.search(r"\\sim|\\in(?![a-z])|∈|∼|\\mathbb\s*\{?\s*R|ℝ", text):
        return None
    for _ in range(4):  # what one part declares, the next may use
        new = _declared_heads(text, decl, where)
        if new is None:
            return None
        decl = new
        try:
            parse_statement(text, decl, where)
        except ReadError as error:
            if not error.undeclared:
                return None
            continue
        return decl
    return None


def _declared_heads(text: str, decl: Declarations, where: Place | None) -> Declarations | None:
    """The table with the undeclared symbols whose shape is said directly; None when there is none."""
    try:
        statement, free = parse_leniently(text, decl, where)
    except ReadError:
        return None
    heads: list[tuple[Symbol, Expr]] = []
    for part in statement.parts:
        if not part.chain.links or part.chain.links[0].relation not in ("∈", "~"):
            continue
        for subject in part.chain.subjects:
            if isinstance(subject, Symbol) and any(subject.span == span for _, _, span in free):
                heads.append((subject, part.chain.links[0].rhs))
    sizes = [f for f in free if any(_within(f[2], rhs.span) for _, rhs in heads)]
    new = _with_layers(_with_sizes(decl, sizes), [h for h, _ in heads], sizes)
    for symbol, rhs in heads:
        added = _with_head(new, symbol, rhs)
        if added is None:
            return None
        new = added
    return new if heads else None


def _within(inner: Span, outer: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _with_layers(decl: Declarations, heads: list[Symbol], sizes: list[tuple[str, object, Span]]) -> Declarations:
    """W^l in ℝ^{n_l × …}: an undeclared l on both sides counts layers."""
    for h in heads:
        base = h.label.base if h.label else None
        if base and base not in decl.layers and any(isinstance(s[1], Label) and s[1].base == base for s in sizes):
            decl = decl.with_layer(LayerSymbol(base, "L" if base != "L" else "D"))
    return decl


def _with_head(decl: Declarations, symbol: Symbol, rhs: Expr) -> Declarations | None:
    name = symbol.name
    found = re.match(r"\\(\w+)\{(.+)\}(.*)\Z", name)
    if found and found[1] in NEUTRAL:
        name = found[2] + found[3]
    layer = ""
    if symbol.label is not None:
        if symbol.label.base not in decl.layers or symbol.label.shift or symbol.label.base == decl.last:
            return None
        layer = symbol.label.base or ""
    parts: tuple[Expr, ...]
    orientation: Orientation
    match rhs:
        case Reals(None) | ShapeWord("scalar"):
            parts, orientation = (), "scalar"
        case Reals(shape) if shape is not None:
            parts, orientation = _shape_of(shape)
        case Shape() | Symbol() | Num():
            parts, orientation = _shape_of(rhs)
        case _:
            return None
    return decl.with_array(ArraySymbol(name, parts, orientation, layer))


_ELEMENTWISE = re.compile(
    r"\$?(?P<name>\\?[A-Za-z]+)\$?[^.;$]{0,60}?\b(?:element|component|entry|coordinate)[\s-]?wise\b"
    r"|\b(?:element|component|entry|coordinate)[\s-]?wise\b[^.;$]{0,40}?\$(?P<after>\\?[A-Za-z]+)\$", re.IGNORECASE
)  # fmt: skip


def declared_in_prose(prose: str, decl: Declarations) -> Declarations:
    """“$f$ acts elementwise”, “the activation f is applied element-wise”: f becomes an elementwise function.

    Only a name in dollars, a single letter, or a Greek command counts; a known name is left alone.
    """
    for found in _ELEMENTWISE.finditer(prose):
        written = found["name"] or found["after"]
        dollars = found["after"] is not None or found.group().startswith("$")
        if not dollars and len(written.lstrip("\\")) > 1 and not written.startswith("\\"):
            written = _letter_before(found.group())
        if not written:
            continue
        statement: Statement | None
        try:
            statement, free = parse_leniently(written, decl)
        except ReadError:
            continue
        node = statement.parts[0].chain.subjects[-1]
        if len(free) == 1 and isinstance(node, Symbol) and node.label is None:
            decl = decl.with_function(FunctionSymbol(node.name, "elementwise"))
    return decl


def _letter_before(text: str) -> str:
    r"""The last $name$, or single letter other than a and I, in a phrase that ends in “elementwise”."""
    names = re.findall(r"\$(\\?[A-Za-z]+)\$", text) or [w for w in re.findall(r"(?<![\w\\])([A-Za-z])(?!\w)", text) if w not in "aI"]
    return names[-1] if names else ""
