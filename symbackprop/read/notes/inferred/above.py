"""What a section takes over from those above it, and what its statements rest on.

`Above` is a value, no more of it than the section's letters can ask for.  A section whose text and `Above` are the
same is the same section, so that it need not be read again.  A statement rests on the definitions that lead to what is
differentiated by, and on those that were not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeVar, cast

from ..declared.symbols import ArraySymbol, Declarations, FunctionSymbol, MacroSymbol
from ..files.place import Place
from ..grammar.parser import parse_value
from ..grammar.resolve_names import PI
from ..grammar.tree import (
    At, Chain, Derivative, Differential, Expr, Gradient, Link, Name, Num, Operator, Paren, Product,
)  # fmt: skip
from ..grammar.vocabulary import GREEK
from ..grammar.walking import names, reached, replaced, rewritten, walk
from .hypotheses import Saying
from .kinds import Frame
from .occurrences import key_of
from .options import AT, Option
from .prose import Facts
from .roles import Roles
from .said import head_of

V = TypeVar("V")
END = 10**9
"""Behind every formula of a section."""
_BY_LETTER = ("definitions", "chosen", "sizes", "of", "properties", "unread", "decomposed")
_TABLES = ("functions", "macros", "composite", "sizes", "indices", "layers", "layered_sizes")


@dataclass(frozen=True, slots=True)
class Given:
    """A definition in force from a formula on."""

    key: str
    chain: Chain
    text: str
    record: int
    where: Place | None = field(default=None, compare=False, repr=False)
    rests: tuple[str, ...] = ()
    """The letters of its chain, once the section it stands in is read."""


@dataclass(frozen=True, slots=True)
class Above:
    """By letter.  `arrays` are those of the section right above; `table` holds functions, indices, sizes and layers."""

    definitions: Mapping[str, Given] = field(default_factory=dict)
    chosen: Mapping[str, Option] = field(default_factory=dict)
    arrays: Mapping[str, None] = field(default_factory=dict)
    sizes: Mapping[str, None] = field(default_factory=dict)
    of: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, frozenset[str]] = field(default_factory=dict)
    worded: Mapping[str, str] = field(default_factory=dict)
    bold: Mapping[str, int] = field(default_factory=dict)
    table: Declarations = field(default_factory=Declarations)
    unread: Mapping[str, None] = field(default_factory=dict)
    logistic: bool = False
    einstein: bool = False
    decomposed: Mapping[str, None] = field(default_factory=dict)
    """Matrices beside which a decomposition was spoken of: what it says of its factors is not known."""

    def functions(self) -> Iterator[Chain]:
        """What gives functions of several arguments."""
        yield from (d.chain for d in self.definitions.values())
        given = (f for f in self.table.functions.values() if f.kind == "elementwise" and f.body)
        elementwise = (MacroSymbol(f.name, tuple(map(Name, f.args)), parse_value(f.body)) for f in given)
        for m in (*self.table.macros.values(), *elementwise):
            inside = Paren(tuple(Chain((p,), ()) for p in m.params), "(")
            yield Chain((Product((Name(m.name), inside), ("",)),), (Link("=", m.body),))

    def about(self, texts: Iterable[str]) -> Above:
        """What formulas can ask for: of their letters, and of the letters that definitions of these rest on."""
        found = set[str]().union(*map(letters, texts))
        while True:
            here = self.only(frozenset(found))
            more = [d.text for d in here.definitions.values()]
            more += [k for d in here.definitions.values() for k in d.rests]
            more += [size for option in here.chosen.values() for size in option.sizes]
            more += [f.body for f in here.table.functions.values()]
            more += [n.letter for m in here.table.macros.values() for n in walk(m.body) if isinstance(n, Name)]
            wider = found.union(*map(letters, more))
            if wider == found:
                return here
            found = wider

    def only(self, found: frozenset[str]) -> Above:
        def part(table: Mapping[str, V]) -> dict[str, V]:
            return {k: v for k, v in table.items() if not letters(k).isdisjoint(found)}

        tables: dict[str, Any] = {name: part(getattr(self.table, name)) for name in _TABLES}
        mine: dict[str, Any] = {name: part(getattr(self, name)) for name in ("arrays", *_BY_LETTER)}
        return replace(self, **mine, table=replace(self.table, **tables))


@lru_cache(maxsize=20_000)
def letters(text: str) -> frozenset[str]:
    r"""The letters of a formula or a key: σ of \sigma, L of \mathcal{L}, both W and MSE's own."""
    found: set[str] = set()
    for command, word, other in _LETTERS.findall(text):
        if command:
            found |= {GREEK.get(command, command)}
        elif word:
            found |= {word, *word}
        else:
            found.add(other)
    return frozenset(found - _MARKS)


_LETTERS = re.compile(r"\\([A-Za-z]+)|([A-Za-z]+)|([^\x00-\x7f])")
_MARKS = frozenset(
    ("hat", "bar", "tilde", "vec", "dot", "widehat", "widetilde", "overline", "check", "mathbf", "mathcal", "mathrm",
     "mathbb", "boldsymbol", "bm", "text", "frac", "partial", "left", "right", "sum", "cdot", "top")
)  # fmt: skip


def below(whole: Above, asked: Above, own: Above) -> Above:
    """What the next section finds above it: what this one leaves, and what this one could not ask for."""

    def kept(name: str, *places: Any) -> dict[str, Any]:
        old, seen, new = (getattr(x, name) for x in places)
        return {**{k: v for k, v in old.items() if k not in seen and k not in new}, **new}

    tables: dict[str, Any] = {name: kept(name, whole.table, asked.table, own.table) for name in _TABLES}
    table = replace(whole.table, **tables, softmax=own.table.softmax or whole.table.softmax)
    mine: dict[str, Any] = {name: kept(name, whole, asked, own) for name in ("worded", *_BY_LETTER)}
    return replace(own, **mine, bold={**whole.bold, **own.bold}, table=table)


def inherit(above: Above, roles: Roles, facts: Facts, defines: Callable[[str], bool]) -> set[str]:
    """Shapes that were said above hold until they are said anew.  Returns the letters whose definition was not read."""
    own = {k for k, use in roles.arrays.items() if use.items or use.by or defines(k)}
    said = {roles.key(n) for n, _, _ in roles.members}
    roles.sizes |= set(above.sizes) - own - roles.indices - said
    facts.logistic |= above.logistic
    facts.worded = {**above.worded, **facts.worded}
    facts.einstein |= above.einstein
    facts.bold = {**above.bold, **facts.bold}
    for key, properties in above.properties.items():
        if not defines(key) and key not in said:
            facts.sayings += [Saying(-1, p, key) for p in sorted(properties)]
    return {k for k in above.unread if not defines(k) and k not in said}


def inherit_functions(
    above: Above, frame: Frame, roles: Roles, defines: Callable[[str], bool], said_anew: Callable[[str], bool]
) -> None:
    """Functions given above, and the letters that definitions from above rest on."""
    table, options = frame.table, frame.options
    by = roles.moved()
    for name, f in above.table.functions.items():
        use = roles.arrays.get(name)
        value = use is not None and use.bare and not use.calls and name not in roles.primed and use.by
        if defines(name) or said_anew(name) or value:
            continue
        if f.kind != "loss" and by & letters(f.body) - set(f.args) and name not in roles.primed:
            table = with_macro(table, MacroSymbol(name, tuple(map(Name, f.args)), parse_value(f.body)))
            options.pop(name, None)  # its formula is put in: what it holds is differentiated by
        elif name in table.functions and not (
            table.functions[name] == FunctionSymbol(name, "elementwise") and not f.abstract
            and name not in roles.facts.functions and not roles.base.known(name)
        ):  # fmt: skip
            continue  # only what this section has of a function of which it says nothing itself
        elif f.kind != "loss" and (name in roles.arrays or name not in options):
            table = table.with_function(f)
            options.pop(name, None)
    for name, m in above.table.macros.items():
        if name not in table.macros and not defines(name):
            abstract = table.functions.get(name)
            if abstract is not None and abstract.kind == "loss":  # J(w) here is the J(w) above, and so is J
                table = replace(table, arrays={k: a for k, a in table.arrays.items() if k != name})
            table = with_macro(table, m)
            options.pop(name, None)
    for name, m in called_anew(above, roles):
        if name not in table.macros and not defines(name):
            table = with_macro(table, m)
            options.pop(name, None)
    if PI not in table.arrays and any(
        "π" in letters(text)
        for text in (*(d.text for d in above.definitions.values()), *(f.body for f in above.table.functions.values()))
    ):
        table = table.with_array(ArraySymbol(PI, (), "scalar", role="constant"))
    for name, f in frame.table.functions.items():  # J(w) = … above: J(w) is no longer any function of w
        if f.kind == "loss" and name in above.chosen and name in above.definitions and name not in table.macros:
            table = replace(table, functions={k: f for k, f in table.functions.items() if k != name},
                            arrays={k: a for k, a in table.arrays.items() if k != name})  # fmt: skip
            options[name] = (above.chosen[name],)
    for key, of in above.of.items():
        if key not in frame.of and not defines(key) and key not in table.macros:
            frame.of[key] = of
    work, seen = list(options), set(options)
    while work:
        key = work.pop().removesuffix(AT)
        d = above.definitions.get(key) if not defines(key) else None
        for k in d.rests if d is not None else ():
            if k not in seen and k in above.chosen and not table.known(k.removesuffix(AT)):
                seen.add(k)
                options[k] = (above.chosen[k],)
                work.append(k)
    frame.table = with_tables(table, above.table, options, bool(roles.layers)) if options else table


def with_macro(table: Declarations, m: MacroSymbol) -> Declarations:
    functions = {k: f for k, f in table.functions.items() if k != m.name}
    return replace(table, functions=functions, macros={**table.macros, m.name: m}).with_name(m.name)


def called_anew(above: Above, roles: Roles) -> Iterator[tuple[str, MacroSymbol]]:
    """h(x) = … above, of which only here another argument is put in."""
    for name, calls in roles.calls.items():
        d = above.definitions.get(name)
        head = head_of(d.chain.subjects[-1]) if d is not None else None
        if d is None or head is None or head.args is None or not all(isinstance(a, Name) for a in head.args):
            continue
        if any(c != head.args and len(c) == len(head.args) for c in calls):
            yield name, MacroSymbol(name, head.args, d.chain.links[0].rhs)


def with_tables(table: Declarations, above: Declarations, options: Mapping[str, object], layers: bool) -> Declarations:
    composite = {k: v | table.composite.get(k, frozenset()) for k, v in above.composite.items()}
    indices = {k: v for k, v in above.indices.items() if k not in options}
    return replace(
        table,
        composite={**table.composite, **composite},
        sizes={**above.sizes, **table.sizes},
        indices={**indices, **table.indices},
        layers=table.layers if layers else {**above.layers, **table.layers},
        layered_sizes={**above.layered_sizes, **table.layered_sizes},
    )


def by_way_of(name: Name, rhs: Expr, d: Given) -> Given:
    """h = σ(V x) and then b = V x: h is σ(b)."""
    return replace(d, chain=replace(d.chain, links=replaced(d.chain.links, rhs, name)))


class Resting:
    """A part of `Section`."""

    __slots__ = ()
    roles: Roles
    frame: Frame
    unread: set[str]
    doubtful: set[str]
    recurrent: set[str]
    forms: list[Given]

    def definition(self, key: str, at: int) -> Given | None:
        raise NotImplementedError

    def keys(self, chain: Chain) -> tuple[str, ...]:
        raise NotImplementedError

    # --- the definition that leads to a variable ---------------------------------------------

    def leading(self, key: str, chain: Chain, at: int) -> Given | None:
        """The definition in force; another formula for the letter where only that leads to what the chain moves.

        One that stands below and does not lead there is of another loss.
        """
        d = self.definition(key, at)
        by = set(self.moved(key, chain))
        if d is None or not by or by <= self.reached(d.chain, at):
            return d
        forms = (f for f in reversed(self.forms) if f.key == d.key and f.record <= at)
        other = next((f for f in forms if by <= self.reached(f.chain, at)), None)
        return other or (None if d.record > at else d)

    def moved(self, key: str, chain: Chain) -> Iterator[str]:
        """By what the chain differentiates a letter."""
        for n in walk(chain):
            match n:
                case Derivative(Name() as body, wrt) if self.roles.key(body) == key:
                    yield from (self.roles.key(v) for v in wrt if isinstance(v, Name))
                case Product((Operator(wrt=(Name() as v,)), Name() as body, *_)) if self.roles.key(body) == key:
                    yield self.roles.key(v)
                case Product(args) if key == self.frame.table.upstream:
                    after_d = (b for a, b in pairwise(args) if isinstance(a, Name) and key_of(a) == "d")
                    yield from (self.roles.key(v) for v in after_d if isinstance(v, Name))

    def reached(self, chain: Chain, at: int) -> set[str]:
        """The letters that a formula rests on."""

        def below(key: str) -> Sequence[str]:
            d = self.definition(key, at)
            return self.keys(d.chain) if d is not None else ()

        found = reached(self.keys(chain), below)
        return found | {k.removesuffix(AT) for k in found}

    # --- what could not be read --------------------------------------------------------------

    def unreadable(self, chain: Chain, at: int) -> str:
        """A letter that a statement rests on and whose definition could not be read; "" when there is none.

        Of ∂L/∂h counts what leads from L to h, not how h comes about.
        """
        derivatives = [n for n in walk(chain) if isinstance(n, Derivative)]
        if not derivatives or any(isinstance(n, (Operator, Gradient, Differential, At)) for n in walk(chain)):
            return self.opaque(self.all_keys(chain), at)
        by = [self.all_keys(Chain(d.wrt, ())) - self.recurrent for d in derivatives]
        underived = rewritten(chain, lambda n: Num(Fraction(0)) if isinstance(n, Derivative) else None)
        plain = self.all_keys(cast(Chain, underived)) - frozenset.intersection(*by)
        parts = (
            self.opaque(self.all_keys(Chain((d.body,), ())), at, h) for d, h in zip(derivatives, by, strict=True)
        )
        return self.opaque(plain, at) or next(filter(None, parts), "")

    def all_keys(self, chain: Chain) -> frozenset[str]:
        parts = {id(x) for n in names(chain) if n.sub and "_" in self.roles.key(n) for x in walk(n.sub)}  # D of L_D
        return frozenset((*self.keys(chain), *(self.roles.key(n) for n in names(chain) if id(n) not in parts)))

    def opaque(self, keys: Iterable[str], at: int, stop: frozenset[str] = frozenset()) -> str:
        seen: set[str] = set()
        first = frozenset(keys)
        here, work = set(first), list(first)
        while work:
            key = work.pop()
            if key in seen or (key in stop and key not in first | self.recurrent):
                continue
            seen.add(key)
            name = key.removesuffix(AT)
            if name in self.unread or (name in self.doubtful and key not in here):
                return name
            d, f = self.definition(key, at), self.frame.table.functions.get(name)
            rests = self.keys(d.chain) if d is not None else ()
            here.update(rests if key in here and d is not None and d.record >= 0 else ())
            work.extend(rests)
            work.extend(k for k in self.unread if f is not None and not letters(k).isdisjoint(letters(f.body)))
        return ""
