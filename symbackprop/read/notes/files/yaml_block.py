"""A YAML block as text with places: scalars, lists in any of their forms, names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

import yaml

from ..declared.symbols import Declarations
from ..grammar.resolve import parse_leniently
from ..grammar.tree import Entry, Label, Symbol
from ..grammar.vocabulary import NEUTRAL
from .place import Place, ReadError, Span

MAX_YAML = 100_000
DEEP = 20  # lists and mappings inside one another; the time of the reader grows with the square of them
Scalar: TypeAlias = tuple[str, Place | None]
Value: TypeAlias = yaml.Node


class Block:
    def __init__(self, text: str, declarations: Declarations, where: Place | None, front: bool) -> None:
        self.text, self.decl, self.where, self.front = text, declarations, where, front
        self.given: dict[str, tuple[Value, Value]] = {}

    def fail(self, message: str, node: Value | None = None) -> ReadError:
        span: Span = (
            (0, 1) if node is None else (node.start_mark.index, max(node.end_mark.index, node.start_mark.index + 1))
        )
        return ReadError(message, span, self.where)

    def entries(self) -> dict[str, tuple[Value, Value]]:
        if len(self.text) > MAX_YAML:
            raise self.fail(f"a declaration block of {len(self.text):,} characters: at most {MAX_YAML:,}")
        try:
            depth = 0
            for e in yaml.parse(self.text, Loader=yaml.BaseLoader):
                if isinstance(e, yaml.events.AliasEvent):
                    raise self.fail("YAML anchors are not used here")
                depth += isinstance(e, yaml.CollectionStartEvent) - isinstance(e, yaml.CollectionEndEvent)
                if depth > DEEP:
                    raise self.fail("not YAML that can be read: too many brackets inside one another")
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

    def scalar(self, node: Value) -> Scalar:
        if not isinstance(node, yaml.ScalarNode):
            raise self.fail("plain text is expected here", node)
        place = None
        if self.where is not None:
            quoted = 1 if node.style in ("'", '"') else 0
            place = self.where.part(node.start_mark.index + quoted, node.end_mark.index)
        return str(node.value), place

    def items(self, node: Value) -> Iterator[tuple[Scalar, Scalar | None]]:
        """`a, b = n`: plain text with commas, or a list, or a mapping; a value only where one is given."""
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                yield (
                    self.scalar(key),
                    None if isinstance(value, yaml.ScalarNode) and not value.value else self.scalar(value),
                )
        elif isinstance(node, yaml.SequenceNode):
            for child in node.value:
                yield from self.items(child) if isinstance(child, yaml.MappingNode) else [(self.scalar(child), None)]
        else:
            text, place = self.scalar(node)
            for piece, at in pieces(text):
                name, equals, value = piece.partition("=")
                if name.strip():
                    yield trimmed(name, at, place), trimmed(value, at + len(name) + 1, place) if equals else None

    def formulas(self, node: Value) -> Iterator[Scalar]:
        for child in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            text, place = self.scalar(child)
            yield text.strip().strip("$"), place

    def name(self, written: Scalar) -> tuple[str, Label | None, str]:
        r"""(canonical name, layer label, where the label stands) of `W^l`, `\hat{y}`, `n\text{-inputs}`, `z_s^l`."""
        text, place = written
        runs = frozenset(
            re.findall(r"(?<![\\A-Za-z])[A-Za-z]{2,}", re.sub(r"\\[A-Za-z]+", " ", text.split("_")[0].split("^")[0]))
        )
        statement, free = parse_leniently(text, Declarations(layers=self.decl.layers, words=runs), place)
        node = statement.parts[0].chain.subjects[-1]
        if len(statement.parts) != 1 or len(free) != 1 or not isinstance(node, Symbol):
            if isinstance(node, Entry) and isinstance(node.base, Symbol):
                node = node.base
            else:
                word = text.strip().replace("\\_", "_")
                if re.fullmatch(r"[A-Za-z]+\d*|[A-Za-z]{2,}(?:_[A-Za-z0-9]{2,})+", word):
                    return word, None, "^"
                raise ReadError(f"{text!r} is not a name", (0, len(text)), place)
        name, label = node.name, node.label
        name = self.without_mark(name)
        if label is not None and label.base not in self.decl.layers:
            sign = "^" if "^" in text else "_"
            bracketed = re.search(r"[\^_]\s*\{?\s*([(\[]" + re.escape(str(label)) + r"[)\]])", text)
            name, label = f"{name}{sign}{bracketed[1] if bracketed else label}", None
        at = "_" if label is not None and re.search(r"_\s*\{?\s*[\[(]?\s*" + re.escape(label.base or ""), text) else "^"
        return name, label, at

    @staticmethod
    def without_mark(name: str) -> str:
        found = re.match(r"\\(\w+)\{(.+)\}(.*)\Z", name)
        return found[2] + found[3] if found and found[1] in NEUTRAL else name


def pieces(text: str) -> Iterator[tuple[str, int]]:
    """The pieces between commas that stand outside braces and brackets, with where each starts."""
    depth, start = 0, 0
    for k, c in enumerate(text + ","):
        depth += (c in "{(") - (c in "})")
        if c == "," and (depth <= 0 or k == len(text)):
            if text[start:k].strip():
                yield text[start:k], start
            start = k + 1


def trimmed(text: str, at: int, place: Place | None) -> Scalar:
    lead = len(text) - len(text.lstrip())
    return text.strip(), place.part(at + lead, at + len(text)) if place else None
