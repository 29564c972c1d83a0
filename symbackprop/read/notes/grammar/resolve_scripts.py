"""What stands above, below and behind a resolved name: indices, labels, powers, transposes."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from ..declared.symbols import Declarations
from ..files.place import ReadError, Span, Unsettled
from .tree import Add as Sum_
from .tree import (
    All,
    Entry,
    Expr,
    Function,
    IndexName,
    Label,
    Name,
    Neg,
    Num,
    Power,
    Script,
    Symbol,
    Words,
)
from .walking import transposed

MAX_EXPONENT: Final = 64

USUAL_INDICES: Final = frozenset("ijk")


def checked_exponent(node: Expr) -> Expr:
    value = node.arg if isinstance(node, Neg) else node
    if isinstance(value, Num) and value.value > MAX_EXPONENT:
        raise Unsettled(f"the exponent {value.value} is above {MAX_EXPONENT}", value.span)
    if isinstance(value, Power) and isinstance(value.base, Num):
        raise Unsettled(f"a tower of numbers as exponent: exponents go to {MAX_EXPONENT}", value.span)
    return node


@dataclass(slots=True)
class ScriptResolver:
    decl: Declarations

    lenient: bool = False

    bound: dict[str, int] = field(default_factory=dict)

    shown: frozenset[str] = frozenset()

    free: list[tuple[str, Label | None, Span]] = field(default_factory=list)

    def expr(self, node: Expr) -> Expr:
        raise NotImplementedError

    def key(self, node: Name) -> str:
        key = self.decl.key(node.letter, node.mark)
        if node.primes and f"{key}{chr(39) * node.primes}" in self.decl.arrays:
            return f"{key}{chr(39) * node.primes}"
        return key

    def only_value(self, script: Script) -> Expr:
        if len(script.items) != 1:
            raise ReadError("one size is expected here", script.span)
        return self.expr(script.items[0])

    def is_size(self, script: Script) -> bool:
        known = self.decl.sizes.keys() | self.decl.layered_sizes.keys()
        return len(script.items) == 1 and all(
            isinstance(i, Num) or (isinstance(i, Name) and (i.letter in known or self.decl.inferred))
            for i in script.items
        )

    def at_layer(self, node: Name) -> bool:
        """A layer stands among the upper scripts (or first below)."""
        layers = self.decl.layers
        for s in node.sups:
            if s.labels and any(p.base in layers if p.base else True for p, _ in s.labels):
                return True
        low = node.sub.labels if node.sub is not None else None
        return low is not None and len(low) == 1 and low[0][0].base in layers

    def transposes(self, sup: Script) -> bool:
        """The T at the end of a script is a transpose, not the T that counts layers or names a size."""
        if not sup.transposes:
            return False
        if not sup.text.endswith("T"):
            return True
        decl = self.decl
        if "T" in self.bound or "T" in decl.layers:
            return False
        if ("T" in decl.sizes or "T" in decl.indices) and not decl.inferred and sup.text == "T":
            raise ReadError("^T: a transpose, or the T that is declared here? write ^\\top for the transpose", sup.span)
        return True

    def known_sample(self, found: Label, node: Name) -> Label:
        if found.base not in self.bound and found.base not in self.decl.indices and found.base not in self.decl.sizes:
            raise ReadError(
                f"{found.base} is not declared: the label ({found}) is neither a layer nor a sample",
                node.span, undeclared=found.base or "",
            )  # fmt: skip
        return found

    def label_index(self, found: Label, span: Span) -> Expr:
        base: Expr | None = None
        if found.base is not None:
            base = self.index(Name(found.base, span=span))
        if base is None:
            return Num(Fraction(found.shift), span)
        return base if not found.shift else Sum_((base, Num(Fraction(found.shift), span)), span)

    def function(self, key: str, node: Name) -> Expr:
        """A function itself, with its primes and its layer: f', σ^l."""
        symbol, label = self.decl.functions[key], None
        for sup in node.sups:
            one = sup.labels[0][0] if sup.labels and len(sup.labels) == 1 else None
            if symbol.layer and one is not None and one.base is not None:
                label = one
            elif sup.text in ("-1", "(-1)"):
                raise Unsettled(f"the inverse function of {key} is not supported", node.span)
        if symbol.layer and node.sub and label is None and node.sub.labels and len(node.sub.labels) == 1:
            label = node.sub.labels[0][0]
        return Function(key, node.primes, label, node.span)

    def below(self, node: Expr, at: tuple[Expr, ...], rank: int, name: Name) -> Expr:
        if name.sub is not None and name.sub.error:
            raise ReadError(name.sub.error, name.sub.span)
        for i in at:
            if isinstance(i, Words):
                raise ReadError(f"the subscript {i.text} is part of no declared name", i.span)
        if rank == 2 and len(at) == 1 and isinstance(at[0], Num) and 10 <= at[0].value < 100:
            first, second = divmod(int(at[0].value), 10)  # w_{12}
            at = (Num(Fraction(first), at[0].span), Num(Fraction(second), at[0].span))
        return Entry(node, at, name.span)

    def index_or_shape(self, item: Expr) -> Expr:
        return item if isinstance(item, Words) else self.index(item)

    def index(self, item: Expr) -> Expr:
        """One subscript: an index, a number, a size, an entry of class numbers."""
        match item:
            case Num() | All() | Words():
                return item
            case Neg(arg):
                return Neg(self.index(arg), item.span)
            case Sum_(args):
                return Sum_(tuple(map(self.index, args)), item.span)
            case Name():
                return self.index_name(item)
            case _:
                raise ReadError("this is no index", item.span)

    def index_name(self, node: Name) -> Expr:
        decl, base = self.decl, self.decl.key(node.letter, node.mark)
        name, span = base + "'" * node.primes, node.span
        if (name in self.bound or base in self.bound or base in decl.indices) and node.sub is None:
            return IndexName(name, span)
        array = decl.arrays.get(name)
        if array is not None and array.integer:
            inner = Symbol(name, None, None, span)
            return Entry(inner, tuple(map(self.index, node.sub.items)), span) if node.sub else inner
        if name in decl.layered_sizes and node.sub and node.sub.labels:
            return Symbol(name, node.sub.labels[0][0], None, span)
        if name in decl.sizes:
            return Symbol(name, None, None, span)
        if self.lenient or (base in USUAL_INDICES and not decl.known(base)):
            return IndexName(name, span)
        if name in decl.layers:
            raise ReadError(f"{name} counts layers and is no index here", span)
        raise ReadError(f"the index {name} is not declared", span, undeclared=name)

    def behind(self, node: Expr, name: Name) -> Expr:
        """Powers, inverses and transposes behind a value."""
        if name.sub is not None:
            node = self.below(node, tuple(map(self.index_or_shape, name.sub.items)), 0, name)
        if name.primes:
            raise ReadError("a prime on something that is no function", node.span)
        for sup in name.sups:
            t = sup.transposes if self.transposes(sup) else 0
            if sup.value is not None:
                node = Power(node, self.exponent(sup), sup.elementwise, name.span)
            elif not t:
                raise ReadError(sup.error or f"the superscript {sup.text} has no meaning here", sup.span)
            node = transposed(node, t, name.span)
        node = transposed(node, name.top, name.span)
        return node

    def exponent(self, sup: Script) -> Expr:
        assert sup.value is not None
        return checked_exponent(self.expr(sup.value))
