"""What a written name is under a symbol table: which array, at which layer and sample, which of its entries.

Every choice is made by the table: W^T is a transpose, W^l a layer, x^{(i)} a sample, x^2 a power; δ_ij is Kronecker's,
δ^l the signal.  What it does not settle is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ..declared.symbols import ArraySymbol
from ..files.place import ReadError
from .loosely import spelled_items
from .resolve_derivatives import Derivatives
from .tree import Add as Sum_
from .tree import (
    All, Annotated, Call, Expr, Function, Identity, IndexName, Kronecker, Label, Name, Neg, Num, Script, Symbol, Words,
)  # fmt: skip
from .vocabulary import DISTINCT
from .walking import transposed

PI: Final = "\\pi"
"""The number, beside an array of the same letter."""


@dataclass(slots=True)
class NameResolver(Derivatives):
    """`bound` are the dummies of the sums around; `lenient` collects undeclared names in `free` instead of refusing."""

    def name(self, node: Name) -> Expr:
        key = self.key(node)
        if key.endswith("'") and node.primes:
            node = replace(node, primes=0)
        if not node.mark and key in self.bound and not node.sups and node.sub is None:
            return IndexName(key + "'" * node.primes, node.span)
        composite = self.decl.composite.get(key)
        if composite:
            key, node = self.with_scripts(key, node, composite)
        return self.resolved(key, node)

    def with_scripts(self, key: str, node: Name, composite: frozenset[str]) -> tuple[str, Name]:
        """Take the scripts that belong to a declared name, as the s of z_s, off the rest."""
        sub, sups = node.sub, list(node.sups)
        low = "_" + sub.text if sub else ""
        for k, sup in enumerate(sups):
            high = "^" + sup.text
            kept: list[Script] = []
            if sup.transposes and high not in composite and low + high not in composite and sup.text[-1:] in "T⊤r":
                bare = re_transposed(sup.text)
                if bare and ("^" + bare in composite or low + "^" + bare in composite):
                    high, kept = "^" + bare, [Script("T", transposes=1, span=sup.span)]
            for whole, takes_sub in ((low + high, True), (high, False)):
                if whole in composite:
                    sups[k : k + 1] = kept
                    return key + whole, replace(node, sub=None if takes_sub and low else sub, sups=tuple(sups))
        if sub is not None and low in composite:
            return key + low, replace(node, sub=None)
        if sub is not None:  # z_{s,i}, W_{hh,ij}: the first items belong to the name
            for n in range(1, len(sub.items)):
                first = spelled_items(sub.items[:n])
                if "_" + first in composite:
                    rest = Script(spelled_items(sub.items[n:]), sub.items[n:], span=sub.span)
                    return f"{key}_{first}", replace(node, sub=rest)
        return key, node

    def resolved(self, key: str, node: Name) -> Expr:
        decl = self.decl
        if key in decl.functions and (node.primes or not (key in decl.arrays or key in decl.layered)):
            return self.function(key, node)
        if key == "δ" and node.sub and not node.sups and not node.primes and not (
            key in decl.layered and self.at_layer(node)
        ) and len(node.sub.items) == 2 and not any(isinstance(i, (All, Words)) for i in node.sub.items):  # fmt: skip
            shape = decl.arrays[key].shape if key in decl.arrays else ()
            if len(shape) > 1 and decl.inferred:  # it is given, as y_ij - t_ij
                return self.array(key, node)
            if len(shape) == 2:
                why = "δ with two indices: Kronecker's, or an entry of the array δ that is declared here?"
                raise ReadError(why, node.span)
            i, j = (self.index(x) for x in node.sub.items)
            return Kronecker(i, j, node.span)
        if key in decl.aliases and key not in self.bound and not (key in decl.layered and self.at_layer(node)):
            return self.aliased(key, node)
        if key == "π" and node.sub is None and decl.inferred and key in decl.arrays and decl.arrays[key].shape:
            return self.behind(Symbol(PI, None, None, node.span), node)
        if (key in decl.arrays or key in decl.layered) and not (decl.inferred and self.is_exponential(key, node)):
            return self.array(key, node)
        if (key in decl.sizes or key in decl.layered_sizes) and key not in self.bound:
            return self.size(key, node)
        if key in decl.identities:
            size = self.only_value(node.sub) if node.sub else None
            return self.behind(Identity(size, node.span), replace(node, sub=None))
        if key in self.bound or key in decl.indices or key in decl.layers:
            return self.behind(IndexName(key + "'" * node.primes, node.span), replace(node, primes=0))
        if key == "e" and node.sups and not node.sub and node.sups[0].value is not None:
            exp = Call(Function("exp", span=node.span), (self.expr(node.sups[0].value),), node.span)
            turned = transposed(exp, node.sups[0].transposes, node.span)
            return self.behind(turned, replace(node, sups=node.sups[1:]))
        if key == "I" and node.sub and self.is_size(node.sub):
            return self.behind(Identity(self.only_value(node.sub), node.span), replace(node, sub=None))
        if key == "I" and not node.sub and not self.lenient and not decl.known(key):
            return self.behind(Identity(None, node.span), node)
        return self.undeclared(key, node)

    @staticmethod
    def is_exponential(key: str, node: Name) -> bool:
        """e^{-z}, also beside an error e of which e^2 is taken."""
        value = node.sups[0].value if node.sups and node.sub is None else None
        return key == "e" and value is not None and not isinstance(value, Num)

    def undeclared(self, key: str, node: Name) -> Expr:
        span = node.span
        if key == "π" and node.sub is None and self.decl.inferred:
            return self.behind(Symbol(PI, None, None, span), node)
        if node.mark == "text" and not self.lenient and not self.decl.inferred:
            return Words(node.letter, span)
        if not self.lenient:
            hint = ""
            if node.mark in DISTINCT and self.decl.known(node.letter):
                hint = f" ({node.letter} is, but a {node.mark} may name another thing)"
            if key == "δ" and node.sub:
                hint = " (Kronecker's δ needs two indices)"
            raise ReadError(
                f"{key} is not declared{hint}", (span[0], span[0] + max(1, len(node.letter))), undeclared=key
            )
        label, kept = None, []
        low = node.sub.labels if node.sub is not None else None
        below = low[0][0] if low is not None and len(low) == 1 else None
        layer_below = below is not None and below.base in self.decl.layers
        for sup in node.sups:
            one = sup.labels[0][0] if sup.labels is not None and len(sup.labels) == 1 else None
            if sup.transposes and (not sup.labels or sup.text in ("T", "⊤")):
                kept.append(sup)
            elif one is not None and (not layer_below or one.base in self.decl.layers):
                label = one
            else:
                key += "^" + sup.text
        if node.sub is not None:
            if label is None and below is not None and (below.base is not None or self.decl.layers):
                label = below
            else:
                key += "_" + node.sub.text
        self.free.append((key, label, span))
        return self.behind(Symbol(key, label, None, span), Name("", sups=tuple(kept), top=node.top, span=span))

    # --- what the symbol is ------------------------------------------------------------------

    def array(self, key: str, node: Name) -> Expr:
        plain, layered = self.decl.arrays.get(key), self.decl.layered.get(key)
        span = node.span
        if node.primes:
            raise ReadError(
                f"a prime on {key}: a derivative belongs to a function, and the first layer is {key}^1"
                if layered else f"a prime on {key}, which is no function", span,
            )  # fmt: skip
        label: Label | None = None
        sample: Label | None = None
        samples: list[Expr] = []
        rest: list[Script] = []
        turns = 0
        for sup in node.sups:
            t = sup.transposes if self.transposes(sup) else 0
            turns += t
            if t and sup.value is None and (sup.labels is None or sup.text == "T"):
                continue
            if sup.labels is None or (sup.transposes and not t and sup.text != "T"):
                rest.append(replace(sup, transposes=0))
                continue
            for found, bracket in sup.labels:
                is_sample = bracket == "(" and found.base is not None and found.base not in self.decl.layers
                index = self.decl.indices.get(found.base or "")
                if bracket == "(" and plain is not None and self.decl.inferred and not (index and index.sample) and (
                    found.base not in self.decl.layers
                ):  # fmt: skip
                    samples.append(self.label_index(found, sup.span))
                elif is_sample and sample is None:
                    sample = self.known_sample(found, node)
                elif layered and layered.label_at == "^" and label is None and not is_sample and (
                    found.base in self.decl.layers if found.base else found.shift >= 0
                ):  # fmt: skip
                    label = found
                elif bracket == "(" and found.base is None and sample is None and not self.decl.inferred:
                    sample = found
                elif found.base in self.decl.layers and found.base not in self.bound:
                    raise ReadError(f"{key} is declared without layers, but carries the layer {found}", span)
                elif bracket:
                    raise ReadError(f"what is the {found} of {key}? neither a layer nor a sample", span)
                else:
                    rest.append(replace(sup, transposes=0))
        if layered and label is None and node.sub:
            label, node = self.label_below(node, layered)
        if layered and label is None and plain is None:
            raise ReadError(f"{key} has one copy for each layer: write {key}{layered.label_at}{layered.layer}", span)
        symbol = layered if label is not None and layered else plain
        if symbol is None:
            raise ReadError(f"{key} is not declared without a layer", span)
        out: Expr = Symbol(key, label, sample, span)
        if node.sub and len(node.sub.items) == len(symbol.shape) == 2 and not samples:
            if node.sups and node.sups[-1].span[1] <= node.sub.span[0]:  # A^2_{ij}
                out, rest = self.behind(out, replace(node, sub=None, sups=tuple(rest), top=0)), []
            out, turns = transposed(out, turns, span), 0  # A^T_{ij} and A_{ij}^T: nobody transposes a number
        if node.sub or samples:
            items = tuple(map(self.index_or_shape, node.sub.items)) if node.sub else ()
            if node.sub is not None and node.sub.value is not None:
                out = Annotated(out, self.expr(node.sub.value), span)
            else:
                out = self.below(out, (*samples, *items), len(symbol.shape), node)
        if rest or node.primes or node.top:
            out = self.behind(out, replace(node, sub=None, sups=tuple(rest)))
        return transposed(out, turns, span)

    def label_below(self, node: Name, symbol: ArraySymbol) -> tuple[Label | None, Name]:
        """The layer as (first) subscript: W_l, h_{t,i}; or W_L where L is a layer and no index."""
        assert node.sub is not None
        below = symbol.label_at == "_"
        first = label_of(node.sub.items[0]) if node.sub.items else None
        if first is None or (len(node.sub.items) > 1 and "," not in node.sub.text):
            return None, node
        if (first.base is None and not below) or (first.base is not None and first.base not in self.decl.layers):
            return None, node
        if first.base in self.decl.indices and not below:
            return None, node
        rest = node.sub.items[1:]
        sub = Script(spelled_items(rest), rest, span=node.sub.span) if rest else None
        return first, replace(node, sub=sub)

    def size(self, key: str, node: Name) -> Expr:
        labels = node.sub.labels if node.sub and key in self.decl.layered_sizes else None
        label = labels[0][0] if labels is not None and len(labels) == 1 else None
        if label is not None and (label.base is None or label.base in self.decl.layers):
            node = replace(node, sub=None)
        elif key not in self.decl.sizes:
            if self.lenient and node.sub is None:
                return self.undeclared(key, node)
            raise ReadError(f"{key} is a size for each layer: write {key}_l", node.span)
        else:
            label = None
        return self.behind(Symbol(key, label, None, node.span), node)

    def aliased(self, key: str, node: Name) -> Expr:
        value = self.decl.aliases[key]
        if isinstance(value, Symbol):
            value = replace(value, span=node.span)
            symbol = self.decl.layered.get(value.name) if value.label else self.decl.arrays.get(value.name)
            if symbol is not None and node.sub:
                value = self.below(value, tuple(map(self.index_or_shape, node.sub.items)), len(symbol.shape), node)
                node = replace(node, sub=None)
        elif node.sub:
            value = self.below(value, tuple(map(self.index, node.sub.items)), 0, node)
            node = replace(node, sub=None)
        return self.behind(value, node)

    # --- scripts -----------------------------------------------------------------------------


def label_of(item: Expr) -> Label | None:
    match item:
        case Num(value):
            return Label(None, int(value))
        case Name(letter, _, None, ()):
            return Label(letter)
        case Sum_((Name(letter, _, None, ()), Num(shift))):
            return Label(letter, int(shift))
        case Sum_((Name(letter, _, None, ()), Neg(Num(shift)))):
            return Label(letter, -int(shift))
        case _:
            return None


def re_transposed(text: str) -> str:
    """The script without the T at its end."""
    for end in (",T", "T", "⊤", "tr"):
        if text.endswith(end):
            return text[: -len(end)].rstrip(",")
    return ""
