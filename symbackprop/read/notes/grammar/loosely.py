"""Loose trees: arguments put in the place of parameters, the names that occur, what the cells of a matrix share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import cast

from .tree import (
    Add, All, Chain, Dots, Entry, Expr, IndexName, Matrix, Name, Neg, Num, Paren, Power, Product, Script, Sum,
    Symbol, Transpose, Words,
)  # fmt: skip
from .walking import mapped, names, transposed


def order_of_d(name: Name, beside: Expr | None = None, letter: str = "d") -> int:
    """1 of the d in dx, 2 of that in d^2 f, 0 of what is no d: d^2(x, y) is a distance."""
    if name.letter != letter or name.sub is not None or name.primes or name.top:
        return 0
    match name.sups:
        case ():
            return 1
        case (Script(value=Num(order)),) if order in (2, 3) and not isinstance(beside, Paren):
            return int(order)
        case _:
            return 0


def substituted(
    body: Expr, params: tuple[Expr, ...], args: tuple[Expr, ...], beside: Collection[str] = ()
) -> Expr | None:
    """The body with every parameter replaced; None where an argument does not fit its parameter (σ² by a product).

    Dummies of its sums get other letters than those that stand `beside` it.
    """
    table: dict[tuple[str, str], Expr] = {}
    for p, a in zip(params, args, strict=True):
        if not isinstance(p, Name):
            return None
        power, key = exponent(p), (p.letter + "'" * p.primes, p.mark)
        if power is not None:  # N(x | μ, σ²) at s²: σ is s
            bare = without_power(a, power)
            if bare is None:
                return None
            a = bare
        elif p.sub is not None or p.sups or (p.primes and table.get(key, a) != a):
            return None
        table[key] = a
    return cast(Expr, put_in(body, table, frozenset(beside)))


def exponent(p: Name) -> Num | None:
    last = p.sups[-1] if p.sups else None
    return last.value if last is not None and isinstance(last.value, Num) and len(p.sups) == 1 and not p.sub else None


def without_power(a: Expr, power: Num) -> Expr | None:
    match a:
        case Name(sups=(*rest, last)) if last.value == power:
            return replace(a, sups=tuple(rest))
        case Power(base, exponent_) if exponent_ == power:
            return base
        case Num() | Name():
            return Power(a, Num(1 / power.value))
        case _:
            return None


def put_in(node: object, table: dict[tuple[str, str], Expr], beside: frozenset[str] = frozenset()) -> object:
    if isinstance(node, Sum):
        node, table = apart(node, table, beside)
    new = mapped(node, lambda child: put_in(child, table, beside))
    if isinstance(new, Script):
        return node if new == node else replace(new, text=spelled_items(new.items) or new.text, labels=None)
    found = table.get((new.letter + "'" * new.primes, new.mark)) if isinstance(new, Name) else None
    return new if found is None else with_scripts(found, cast(Name, new))


def apart(
    node: Sum, table: dict[tuple[str, str], Expr], beside: frozenset[str]
) -> tuple[Sum, dict[tuple[str, str], Expr]]:
    """A sum whose dummy is also a letter of an argument, or stands beside the whole, gets another one."""
    bound = {b.name for b in node.binders}
    inner = {k: a for k, a in table.items() if k[0] not in bound}
    held = {n.letter + "'" * n.primes for n in names(tuple(inner.values()))} | beside
    fresh: dict[tuple[str, str], Expr] = {(b, ""): Name(b.rstrip("'"), primes=3 + b.count("'")) for b in bound & held}
    if not fresh:
        return node, inner
    binders = tuple(
        replace(b, name=b.name.rstrip("'") + "'" * (3 + b.name.count("'"))) if b.name in held else b
        for b in node.binders
    )
    return replace(node, binders=binders), {**inner, **fresh}


def with_scripts(a: Expr, at: Name) -> Expr:
    """The argument with the scripts of the parameter behind it, in brackets where they are needed."""
    sub, sups = at.sub, at.sups
    if sub is None and not sups and not at.top:
        return Paren((Chain((a,), (), a.span),), "(", span=at.span) if isinstance(a, (Add, Neg, Product)) else a
    if isinstance(a, Name) and (sub is None or a.sub is None) and a.primes == 0:
        return replace(a, sub=sub or a.sub, sups=(*a.sups, *sups), top=a.top + at.top)
    out: Expr = Paren((Chain((a,), (), a.span),), "(", span=at.span)
    if sub is not None:
        out = Entry(out, sub.items, at.span)
    for s in sups:
        if s.value is not None:
            out = Power(out, s.value, s.elementwise, at.span)
        out = transposed(out, s.transposes, at.span)
    return transposed(out, at.top, at.span)


def spelled_items(items: tuple[Expr, ...]) -> str:
    """The text of subscripts as it is kept in the names of a table."""

    def one(item: Expr) -> str:
        match item:
            case Num(value):
                return str(value)
            case Name(letter, _, sub, sups, primes):
                text = letter + "'" * primes
                return text + (f"_{sub.text}" if sub else "") + "".join(f"^{s.text}" for s in sups)
            case Words(text):
                return text.strip()
            case Neg(arg):
                return "-" + one(arg)
            case Add(args):
                return "".join(one(a) if k == 0 or isinstance(a, Neg) else "+" + one(a) for k, a in enumerate(args))
            case All():
                return ":"
            case _:
                return "?"

    return "".join(map(one, items))


ROW, COLUMN = "i\"", "j\""
"""No letter of an author's."""


class NoPattern(Exception):
    """Two entries differ in more than an index."""


def dotted(node: Matrix) -> Expr:
    """[e_1, …, e_n], also below each other or in two directions: the array with the entries e_i, by their pattern."""
    rows = node.rows
    if not any(isinstance(c, Dots) for row in rows for c in row):
        return node
    plain = [[c for c in row if not isinstance(c, (Dots, Words))] for row in rows]
    plain = [row for row in plain if row]
    if not plain:
        return node
    try:
        if len(rows) == 1:
            entries = Entry(common(plain[0], COLUMN), (IndexName(COLUMN),), node.span)
            return Transpose(entries, node.span)
        if all(len(row) == 1 for row in rows):
            return Entry(common([row[0] for row in plain], ROW), (IndexName(ROW),), node.span)
        entry = common([common(row, COLUMN) for row in plain], ROW)
        return Entry(entry, (IndexName(ROW), IndexName(COLUMN)), node.span)
    except NoPattern:
        return node


def common(cells: Sequence[Expr], index: str) -> Expr:
    """What all of them are with an index in place of 1, 2, …, n."""
    found = {both(cells[0], cell, index) for cell in cells[1:]}
    if len(found) != 1 or found == {cells[0]}:
        raise NoPattern
    return cast(Expr, found.pop())


def both(a: object, b: object, index: str) -> object:
    """The first with an index where it has 1 and the other has a letter or another number."""
    if isinstance(a, Num) and a.value == 1 and a != b and isinstance(b, (IndexName, Symbol, Num)):
        return IndexName(index, a.span)
    if type(a) is not type(b):
        raise NoPattern
    if isinstance(a, tuple):
        other = cast("tuple[object, ...]", b)
        if len(a) != len(other):
            raise NoPattern
        new = tuple(both(x, y, index) for x, y in zip(a, other, strict=True))
        return a if all(x is y for x, y in zip(a, new, strict=True)) else new
    if is_dataclass(a) and not isinstance(a, type):
        changed = {}
        for f in fields(a):
            if f.compare:
                value = getattr(a, f.name)
                new_value = both(value, getattr(b, f.name), index)
                if new_value is not value:
                    changed[f.name] = new_value
        return replace(a, **changed) if changed else a
    if a != b:
        raise NoPattern
    return a
