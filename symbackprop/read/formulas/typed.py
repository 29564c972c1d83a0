r"""Formulas as people type them, `L = sum((tanh(X W + b) - T)^2)`, read as a document would be.

On top of what documents write, the signs of matrix calculus on a keyboard: A' and A.T for the transpose, .* and .^
entry by entry, ** for a power; a power of a bracket inside sum(...) or mean(...) is that of each entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from symbackprop.core.terms import SymbackpropError

from ..notes.declared.symbols import Declarations
from ..notes.files.place import ReadError
from ..notes.files.sources import read_document
from ..notes.grammar.tree import Symbol
from ..notes.grammar.walking import walk
from ..notes.meaning.definitions import head
from ..notes.statements.claims import Claim, elaborate
from ..notes.statements.sections import read_statements
from ..notes.statements.statements import Reading
from .keyboard import (
    LIMIT, NOT_NAMES, Names, closing, in_digits, in_documents, with_digits, without_digits, written_out,
)  # fmt: skip
from .program import Asked, asked

WORD = re.compile(r"(?<![\\A-Za-z_])[A-Za-z]{2,}(?:_[A-Za-z0-9]+)*")
SCRIPTS = re.compile(r"[_^](?:\{[^{}]*\}|\w)")
REDUCED = re.compile(r"(?<![A-Za-z])(?:sum|mean|softmax|logsumexp|\\max|\\min)\s*\(")
LETTERS = re.compile(r"(?<![A-Za-z\\])[A-Za-z]+")
LATE = "hrsuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # the usual letters of arrays
SIZES = ("n", "m", "d", "k", "p", "q", *(f"n{i}" for i in range(1, 50)))


@dataclass(frozen=True, slots=True)
class Typed:
    """`text` is the document that was read, `readings` its statements, `notes` how something was taken."""

    asked: Asked
    text: str
    readings: tuple[Reading, ...]
    notes: tuple[str, ...]


def read_typed(text: str, shapes: Mapping[str, str] | None = None) -> Typed:
    """Definitions separated by lines or semicolons; the last that no other uses is what is differentiated.

    `shapes` has axes by name, "n m"; what it leaves out is inferred.  Raises SymbackpropError, with the place.
    """
    if len(text) > LIMIT:
        raise SymbackpropError(f"a formula of {len(text)} characters; at most {LIMIT} are read")
    (text, *keys), names = apart([text, *(shapes or {})])
    with called(names):
        found = read_plain(text, dict(zip(keys, (shapes or {}).values(), strict=True)))
    return replace(found, asked=with_digits(found.asked, names), notes=tuple(in_digits(n, names) for n in found.notes))


def apart(texts: Sequence[str]) -> tuple[list[str], Names]:
    """Texts that belong together, in which no name has digits."""
    if any("\0" in t for t in texts):
        raise SymbackpropError("this is binary data, not a formula")
    joined, names = without_digits("\0".join(texts))
    return joined.split("\0"), names


@contextmanager
def called(names: Names) -> Iterator[None]:
    """Errors speak of names as they were typed."""
    try:
        yield
    except SymbackpropError as error:
        raise SymbackpropError(in_digits(str(error), names)) from None


def read_plain(text: str, shapes: Mapping[str, str]) -> Typed:
    pieces = [p.strip() for p in re.split(r"[;\n]", text) if p.strip()]
    if not pieces:
        raise SymbackpropError("a formula is needed, such as L = sum((X w - y)^2)")
    notes: list[str] = []
    written = [in_documents(p, notes) for p in written_out(pieces, notes)]
    written[-1] = written[-1] if has_equality(written[-1]) else f"{unused_letter(written)} = {written[-1]}"
    best: tuple[int, Typed] | None = None
    for convention in ("column", "row"):
        found = read_under(convention, written, shapes, notes)
        broadcast = sum("to each column" in n for n in found.notes)
        if best is None or broadcast < best[0]:
            best = broadcast, found
        if not broadcast:
            break
    assert best is not None
    return with_arrays(best[1], text, written, shapes)


def with_arrays(found: Typed, text: str, written: Sequence[str], shapes: Mapping[str, str]) -> Typed:
    """Read with what is meant for an array though nothing else says so, where that can be read."""
    numbers = {str(a) for a, s in found.asked.formulas.inputs.items() if not s} - set(shapes)
    free = [x for x in SIZES if not any(re.search(rf"\b{x}\b", p) for p in (*written, *shapes.values()))]
    for more in (vectors(numbers, written, free), *matrices(numbers, free)):
        if more:
            try:
                other = read_plain(text, {**shapes, **more})
            except SymbackpropError:
                continue
            if rank(other) == rank(found):
                return other
    return found


def rank(t: Typed) -> int:
    f = t.asked.formulas
    return len(f.definitions[f.output].axes)


def vectors(numbers: set[str], written: Sequence[str], sizes: Sequence[str]) -> dict[str, str]:
    """What is summed up stands for an array: mean(x), sum(log(x)); of several letters those from the end."""
    found: dict[str, str] = {}
    for p in written:
        for m in REDUCED.finditer(p):
            inside = p[m.end() : closing(p, m.end() - 1)]
            names = dict.fromkeys(n for n in LETTERS.findall(inside) if n not in NOT_NAMES)
            if set(names) <= numbers and (late := [n for n in names if n[0] in LATE] or list(names)):
                found |= {n: " ".join(sizes[: 1 + n[0].isupper()]) for n in late}
    return found


def matrices(numbers: set[str], sizes: Sequence[str]) -> Iterator[dict[str, str]]:
    """A capital stands for a matrix, a square one first."""
    for name in sorted(n for n in numbers if n[0].isupper()):
        yield {name: f"{sizes[0]} {sizes[0]}"}
        yield {name: f"{sizes[0]} {sizes[1]}"}


def read_claim(text: str, shapes: Mapping[str, str], wrt: Sequence[str], gradient: str) -> tuple[Reading, Names]:
    """The statement that the gradient of a typed formula is this, read beside the formula, and what names stand for.

    `gradient` is an equation, or the right side of one for the only variable; a gradient has the shape of its variable.
    Raises SymbackpropError.
    """
    texts, names = apart([text, gradient, *wrt, *shapes])
    text, gradient, by, keys = texts[0], texts[1], texts[2 : 2 + len(wrt)], texts[2 + len(wrt) :]
    with called(names):
        typed = read_plain(text, dict(zip(keys, shapes.values(), strict=True)))
        *more, claim = (in_documents(p, []) for p in written_out([gradient.strip()], [], text))
        if not has_equality(claim):
            by = by or [str(a) for a in typed.asked.formulas.inputs]
            if len(by) != 1:
                raise SymbackpropError(f"by which of {', '.join(by)}?")
            claim = rf"\frac{{\partial {typed.asked.formulas.output}}}{{\partial {by[0]}}} = {claim}"
        whole = typed.text.replace("star: matrix\n", "star: matrix\nlayout: gradient\n")
        whole += "".join(f"\n$${p}$$\n" for p in (*more, claim))
        words = words_of([claim, typed.text])
        *_, last = read_statements(read_document("formula.md", whole), Declarations(words=words))
    return (replace(last, kind="claim") if last.kind == "definition" else last), names


def read_under(convention: str, written: list[str], shapes: Mapping[str, str], notes: list[str]) -> Typed:
    text = document(written, shapes, convention)
    readings = tuple(read_statements(read_document("formula.md", text), Declarations(words=words_of(written))))
    for r in readings:
        if r.error is not None:
            raise clear(r.error)
    found = statement(readings)
    try:
        wanted = asked(found)
    except ReadError as error:
        raise clear(error) from None
    said = elaborated_notes(found)
    unnamed = len(wanted.formulas.definitions) == 1  # values inside get names where the author gives none
    wanted = replace(wanted, formulas=replace(wanted.formulas, between=unnamed))
    return Typed(wanted, text, readings, (*notes, *said))


def words_of(written: Sequence[str]) -> frozenset[str]:
    """Names of several letters."""
    formulas = [f for p in written for f in (re.findall(r"\$\$(.*?)\$\$", p, re.DOTALL) or [p])]
    return frozenset(w for f in formulas for w in WORD.findall(SCRIPTS.sub(" ", f)) if w not in NOT_NAMES)


def elaborated_notes(reading: Reading) -> tuple[str, ...]:
    claim = elaborate(reading)
    return claim.readings if isinstance(claim, Claim) else ()


def statement(readings: tuple[Reading, ...]) -> Reading:
    """The last definition that no other one uses, or the last derivative."""
    meant = [r for r in readings if r.lhs is not None and r.rhs is not None and r.kind in ("definition", "claim")]
    if not meant:
        raise SymbackpropError("no formula is defined here: write it as L = ...")
    used = {s.name for r in meant for s in walk(r.rhs) if isinstance(s, Symbol)}
    free = [r for r in meant if (s := head(r.lhs)) is None or s.name not in used]  # type: ignore[arg-type]
    return (free or meant)[-1]


def document(written: list[str], shapes: Mapping[str, str], convention: str) -> str:
    """The formulas as a document; the declarations stand behind them, so that lines are those of the text."""
    arrays = "".join(f"  {name}: {declared(axes)}\n" for name, axes in shapes.items())
    said = f"convention: {convention}\nstar: matrix\nsoftmax: rows\n" + (f"arrays:\n{arrays}" if arrays else "")
    return f"<!-- symbackprop:\n{said}-->\n\n" + "\n\n".join(f"$${p}$$" for p in written) + "\n"


def declared(axes: str) -> str:
    parts = axes.replace(",", " ").split()
    return " x ".join(parts) if parts else "scalar"


def clear(error: ReadError) -> SymbackpropError:
    """The message with the formula and a mark below the place."""
    if error.where is None:
        return SymbackpropError(error.message)
    line = error.where.source.line(error.where.at(error.span[0])[0])
    column = error.where.at(error.span[0])[1]
    shown = line.removeprefix("$$").removesuffix("$$")
    return SymbackpropError(f"{error.message}, in {shown!r} at {max(1, column - 2)}")


def has_equality(piece: str) -> bool:
    return re.search(r"(?<![<>!:=\\])=(?!=)", piece) is not None


def unused_letter(written: list[str]) -> str:
    taken = {c for p in written for c in re.findall(r"[A-Za-z]", p)}
    return next((x for x in "Lfgh" if x not in taken), "Q")
