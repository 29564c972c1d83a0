"""What the letters of a statement were taken for: shown wherever the text does not say it, to be contradicted."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.read.notes.declared.symbols import ArraySymbol
from symbackprop.read.notes.grammar.tree import Derivative, Expr, Num, Sum, Symbol
from symbackprop.read.notes.grammar.walking import walk
from symbackprop.read.notes.statements.statements import Reading
from symbackprop.write.notes.letters import number

from .letters import author_text


def read_as(reading: Reading, plain: bool = True) -> dict[str, str]:
    """By letter: "n" (a column of n entries), "row of n", "m×n", "number", or what there is a family of.

    The letters as text, or (not `plain`) as the symbol table has them.
    """
    if not reading.declarations.inferred or reading.kind == "remark":
        return {}
    arrays = reading.declarations.arrays
    used = {n.name: None for side in (reading.lhs, reading.rhs) for n in walk(side) if isinstance(n, Symbol)}
    return {author_text(name) if plain else name: kind(arrays[name]) for name in used if name in arrays}


def layout(reading: Reading) -> str:
    """The layout that the statement's derivatives by arrays were read in, "" without any."""
    by = (d.wrt for side in (reading.lhs, reading.rhs) for d in walk(side) if isinstance(d, Derivative))
    arrays = reading.declarations.arrays
    ranked = any(isinstance(v, Symbol) and v.name in arrays and arrays[v.name].shape for wrt in by for v in wrt)
    return reading.declarations.layout or "" if ranked and reading.declarations.inferred else ""


def said(reading: Reading) -> str:
    return "; ".join(phrases(reading))


def phrases(reading: Reading) -> Iterator[str]:
    taken = read_as(reading)
    for name, what in taken.items():
        if what.startswith("a family"):
            yield f"{name} {what}"
        elif what != "number":
            axes = what.removeprefix("row of ")
            yield f"{name} in R^({axes})" if "×" in axes else f"{name} in R^{axes}{' (a row)' if axes != what else ''}"
    numbers = [name for name, what in taken.items() if what == "number"]
    if numbers:
        yield f"{', '.join(numbers)} number{'' if len(numbers) == 1 else 's'}"
    if layout(reading):
        yield f"{layout(reading)} layout"
    if reading.declarations.einstein and any(isinstance(n, Sum) for x in (reading.lhs, reading.rhs) for n in walk(x)):
        yield "repeated indices are summed"


def kind(array: ArraySymbol) -> str:
    axes = [size(x) for x in array.shape]
    if array.family:
        each = kind(ArraySymbol(array.name, array.shape[array.family :], array.orientation))
        return f"a family of {'numbers' if each == 'number' else each}"
    if not axes:
        return "number"
    return f"row of {axes[0]}" if array.orientation == "row" and len(axes) == 1 else "×".join(axes)


def size(e: Expr) -> str:
    match e:
        case Symbol(name, label) if "." not in name:
            return f"{author_text(name)}_{label}" if label is not None else author_text(name)
        case Num(value):
            return number(value)
        case _:
            return "·"
