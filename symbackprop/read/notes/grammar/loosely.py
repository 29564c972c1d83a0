"""Loose trees: arguments put in the place of parameters, the names that occur."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import cast

from .tree import (
    Add,
    All,
    Chain,
    Entry,
    Expr,
    Name,
    Neg,
    Num,
    Over,
    Paren,
    Power,
    Product,
    Script,
    Sum,
    Words,
)
from .walking import mapped, transposed, walk


def order_of_d(name: Name, beside: Expr | None = None) -> int:
    """1 of the d in dx, 2 of that in d^2 f, 0 of what is no d: d^2(x, y) is a distance."""
    if name.letter != "d" or name.sub is not None or name.primes or name.top:
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
        power = exponent(p)
        if power is not None:  # N(x | μ, σ²) at s²: σ is s
            bare = without_power(a, power)
            if bare is None:
                return None
            a = bare
        elif p.sub is not None or p.sups or p.primes:
            key = (p.letter + "'" * p.primes, p.mark)
            if p.sub is not None or p.sups or (key in table and table[key] != a):
                return None
        table[(p.letter + "'" * p.primes, p.mark)] = a
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
        case Num():
            return Power(a, Num(1 / power.value))
        case Name():
            return Power(a, Num(1 / power.value))
        case _:
            return None


def put_in(node: object, table: dict[tuple[str, str], Expr], beside: frozenset[str] = frozenset()) -> object:
    if isinstance(node, (Sum, Over)):
        node, table = apart(node, table, beside)
    if isinstance(node, Name):
        found = table.get((node.letter + "'" * node.primes, node.mark)) or (
            None if node.primes else table.get((node.letter, node.mark))
        )
        sub = None if node.sub is None else put_in_script(node.sub, table)
        sups = tuple(put_in_script(s, table, beside) for s in node.sups)
        if found is None:
            return replace(node, sub=sub, sups=sups)
        return with_scripts(found, sub, sups, node)
    if isinstance(node, Script):
        return put_in_script(node, table, beside)
    return mapped(node, lambda child: put_in(child, table, beside))


def apart(
    node: Sum | Over, table: dict[tuple[str, str], Expr], beside: frozenset[str]
) -> tuple[Sum | Over, dict[tuple[str, str], Expr]]:
    """A sum whose dummy is also a letter of an argument, or stands beside the whole, gets another one."""
    bound = {b.name for b in node.binders}
    inner = {k: a for k, a in table.items() if k[0] not in bound}
    held = {n.letter + "'" * n.primes for a in inner.values() for n in walk(a) if isinstance(n, Name)} | beside
    fresh: dict[tuple[str, str], Expr] = {(b, ""): Name(b.rstrip("'"), primes=3 + b.count("'")) for b in bound & held}
    if not fresh:
        return node, inner
    binders = tuple(
        replace(b, name=b.name.rstrip("'") + "'" * (3 + b.name.count("'"))) if b.name in held else b
        for b in node.binders
    )
    return replace(node, binders=binders), {**inner, **fresh}


def put_in_script(s: Script, table: dict[tuple[str, str], Expr], beside: frozenset[str] = frozenset()) -> Script:
    items = tuple(cast(Expr, put_in(i, table, beside)) for i in s.items)
    value = None if s.value is None else cast(Expr, put_in(s.value, table, beside))
    if items == s.items and value == s.value:
        return s
    return replace(s, text=spelled_items(items) if items else s.text, items=items, value=value, labels=None)


def with_scripts(a: Expr, sub: Script | None, sups: tuple[Script, ...], at: Name) -> Expr:
    """The argument with the scripts of the parameter behind it, in brackets where they are needed."""
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
    out = transposed(out, at.top, at.span)
    return out


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
