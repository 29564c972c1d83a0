"""The symbol table: what each name of a document stands for, from some point of the text on.

`Declarations` is immutable; reading a declaration gives a new table, so every statement keeps the one
that was in force where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, TypeVar

from ..files.place import Place
from ..grammar.tree import Chain, Entry, Expr, Label, Symbol
from ..grammar.vocabulary import DISTINCT
from ..grammar.walking import reached, walk

Orientation: TypeAlias = Literal["matrix", "column", "row", "vector", "scalar"]
"""How an array stands: a `vector` follows the convention of the section."""


@dataclass(frozen=True, slots=True)
class ArraySymbol:
    """An array: `shape` in size expressions, of the layer `layer` when there is one copy a layer.

    One size and orientation `vector`: a column or a row, by convention.  `label_at` says where the layer
    stands, "^" or "_".  `of` names the variables that the array depends on, with commas: a(x) is a, a(x^{(i)}) is a
    at sample i.
    """

    name: str
    shape: tuple[Expr, ...]
    orientation: Orientation
    layer: str = ""
    label_at: str = "^"
    role: Literal["variable", "constant"] = "variable"
    of: str = ""
    integer: bool = False
    family: int = 0
    """That many leading axes count copies: x_i of a family is the i-th vector, a column."""


@dataclass(frozen=True, slots=True)
class FunctionSymbol:
    """A function.  `body` (with dummy `args`) when it is given by a formula; kinds: see `declarations`.

    `said`: the formula stands in the text; `abstract`: it is an example of what is declared without one.
    """

    name: str
    kind: Literal["elementwise", "softmax", "loss", "abstract"]
    args: tuple[str, ...] = ()
    body: str = ""
    layer: str = ""
    label_at: str = "^"
    said: bool = False
    abstract: bool = False


@dataclass(frozen=True, slots=True)
class MacroSymbol:
    """A function by a formula in which its arguments are put: loose trees, as the author wrote them."""

    name: str
    params: tuple[Expr, ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class IndexSymbol:
    """An index; without a size its range is that of the axes it stands on."""

    name: str
    size: Expr | None = None
    sample: bool = False
    summed: bool = False
    """Only where it is summed over and nothing else says its range: the k of 1/m Σ_k."""


@dataclass(frozen=True, slots=True)
class LayerSymbol:
    """A layer index (1..last) or, with `last`, the number of layers itself."""

    name: str
    last: str


@dataclass(frozen=True, slots=True)
class SizeSymbol:
    """A size, or with `layered` one for each layer (n_l).  `value` is what it abbreviates.

    `hidden`: the name stands for the width of whichever hidden layer is meant.
    """

    name: str
    layered: bool = False
    value: Expr | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """symbol := expression, as an equation that was read."""

    chain: Chain
    text: str
    where: Place | None = field(default=None, compare=False, repr=False)


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Declarations:
    """Everything declared so far.  A name may be several things at once: \\mathcal{L} a value and a function,
    L a layer and a loss; where it stands decides which is meant."""

    arrays: Mapping[str, ArraySymbol] = field(default_factory=dict)
    layered: Mapping[str, ArraySymbol] = field(default_factory=dict)
    functions: Mapping[str, FunctionSymbol] = field(default_factory=dict)
    indices: Mapping[str, IndexSymbol] = field(default_factory=dict)
    layers: Mapping[str, LayerSymbol] = field(default_factory=dict)
    sizes: Mapping[str, SizeSymbol] = field(default_factory=dict)
    layered_sizes: Mapping[str, SizeSymbol] = field(default_factory=dict)
    aliases: Mapping[str, Expr] = field(default_factory=dict)
    letters: Mapping[str, ArraySymbol] = field(default_factory=dict)
    """What letters are wherever the text does not say it: no more is declared of them."""
    definitions: tuple[Definition, ...] = ()
    hypotheses: tuple[Definition, ...] = ()
    identities: frozenset[str] = frozenset()
    convention: Literal["", "column", "row"] = ""
    layout: Literal["", "numerator", "gradient", "mixed"] = ""
    """mixed: gradients have the shape of the variable, Jacobians a row for each entry of what is differentiated."""
    batch: str = ""
    loose_hadamard: bool = False
    star: Literal["", "elementwise", "matrix"] = ""
    softmax: Literal["", "rows", "columns"] = ""
    words: frozenset[str] = frozenset()
    composite: Mapping[str, frozenset[str]] = field(default_factory=dict)
    macros: Mapping[str, MacroSymbol] = field(default_factory=dict)
    upstream: str = ""
    """The loss L when the author writes dX for ∂L/∂X."""
    einstein: bool = False
    fresh: frozenset[str] = frozenset()
    """Sizes that the author did not name."""
    solved: frozenset[str] = frozenset()
    """Variables with a value put in for them: differentiated by first, the value after."""
    beyond: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The arrays by which a loss that nothing gives is differentiated elsewhere."""
    inferred: bool = False
    """The table was inferred: what the author did not declare is read as it was meant, not refused."""

    def key(self, name: str, deco: str) -> str:
        """The declared name that a letter with a mark means: exactly so, or without a mark that says nothing."""
        if not deco or deco == "text":
            return name
        exact = marked(name, deco)
        return exact if deco in DISTINCT or self.known(exact) else name

    def known(self, name: str) -> bool:
        return (
            name in self.arrays or name in self.layered or name in self.functions or name in self.sizes
            or name in self.layered_sizes or name in self.aliases or name in self.identities or name in self.indices
            or name in self.layers
        )  # fmt: skip

    def known_name(self, name: str, layered: bool) -> bool:
        """An array, a function, an alias that is declared."""
        return name in (self.layered if layered else self.arrays) or name in self.aliases

    def known_any(self) -> bool:
        """The author declared something."""
        return bool(self.arrays or self.layered) or (bool(self.functions) and not self.inferred)

    def is_last(self, label: Label) -> bool:
        """The label is the last layer itself."""
        return label.shift == 0 and label.base is not None and any(s.last == label.base for s in self.layers.values())

    @property
    def last(self) -> str:
        """The name of the last layer, "" when there are no layers."""
        return next((s.last for s in self.layers.values()), "")

    def variables_of(self, name: str) -> set[str]:
        """The arrays without a definition that a defined one rests on."""
        bodies = {}
        for d in self.definitions:
            head = d.chain.subjects[-1]
            head = head.base if isinstance(head, Entry) else head
            if isinstance(head, Symbol):
                bodies[head.name] = d.chain.links[0].rhs

        def below(name: str) -> set[str]:
            return {n.name for n in walk(bodies.get(name)) if isinstance(n, Symbol) and n.name in self.arrays}

        return reached([name], below) - bodies.keys() - {name}

    def with_array(self, symbol: ArraySymbol) -> Declarations:
        table = {**(self.layered if symbol.layer else self.arrays), symbol.name: symbol}
        changed = replace(self, layered=table) if symbol.layer else replace(self, arrays=table)
        return changed.with_name(symbol.name)

    def with_function(self, symbol: FunctionSymbol) -> Declarations:
        return replace(self, functions={**self.functions, symbol.name: symbol}).with_name(symbol.name)

    def with_index(self, symbol: IndexSymbol) -> Declarations:
        return replace(self, indices={**self.indices, symbol.name: symbol}).with_name(symbol.name)

    def with_layer(self, symbol: LayerSymbol) -> Declarations:
        return replace(self, layers={**self.layers, symbol.name: symbol})

    def with_size(self, symbol: SizeSymbol) -> Declarations:
        if symbol.layered:
            return replace(self, layered_sizes={**self.layered_sizes, symbol.name: symbol}).with_name(symbol.name)
        return replace(self, sizes={**self.sizes, symbol.name: symbol}).with_name(symbol.name)

    def with_alias(self, name: str, value: Expr) -> Declarations:
        return replace(self, aliases={**self.aliases, name: value}).with_name(name)

    def with_name(self, name: str) -> Declarations:
        """Remember what the lexer and the parser must know: words of several letters, names with scripts."""
        base, script = split_scripts(name)
        words, composite = self.words, self.composite
        plain = base.removeprefix("\\").partition("{")[2].removesuffix("}") if base.startswith("\\") else base
        if len(plain) > 1 and plain not in words:
            words = words | {plain}
        if re.fullmatch(r"[A-Za-z]{2,}(?:_[A-Za-z0-9]{2,})+", name):  # grad_out, one word
            words = words | {name}
        if script and script not in composite.get(base, ()):
            composite = {**composite, base: composite.get(base, frozenset()) | {script}}
        if words is self.words and composite is self.composite:
            return self
        return replace(self, words=words, composite=composite)


def marked(name: str, deco: str) -> str:
    """The canonical spelling of a name with a mark: \\hat{y}."""
    return f"\\{deco}{{{name}}}"


def split_scripts(name: str) -> tuple[str, str]:
    """z_s is ("z", "_s"); W^Q is ("W", "^Q"); \\hat{y} and n-neurons have no script."""
    places = [k for k in (name.find("_"), name.find("^")) if k > 0]
    cut = min(places, default=len(name))
    return name[:cut], name[cut:]
