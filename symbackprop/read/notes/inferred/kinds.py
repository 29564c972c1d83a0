"""What each letter of a section may be, and what that costs: the choices among which the solver looks.

Costs are compared as (shapes that were said and are broken, formulas that do not conform, the rest).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ..declared.symbols import (
    ArraySymbol,
    Declarations,
    FunctionSymbol,
    IndexSymbol,
    LayerSymbol,
    MacroSymbol,
    Orientation,
    SizeSymbol,
)
from ..files.place import ReadError
from ..grammar.resolve import Resolver
from ..grammar.resolve_names import PI
from ..grammar.tree import (
    Chain,
    Expr,
    Inner,
    Label,
    Name,
    Norm,
    Num,
    Operator,
    Over,
    Paren,
    Product,
    Reals,
    Shape,
    Sum,
    Symbol,
    Transpose,
)
from ..grammar.vocabulary import FUNCTION_WORDS
from ..grammar.walking import walk
from .occurrences import key_of
from .prose import Facts
from .roles import LOSSES, USUAL_FUNCTIONS, ArrayUse, Candidate, Roles

AT = "@"
"""Behind a key: the array with one copy a layer."""
LOGISTIC = r"\frac{1}{1+e^{-z}}"
SAID = 100.0
ONE = Num(Fraction(1))
_WHOLE = (Transpose, Norm, Sum, Over, Inner)
_SCALARS = frozenset("αβγδζκμνρστω")
_NUMBERS = frozenset("ληεϵτπ")


@dataclass(frozen=True, slots=True)
class Option:
    """One way to read a letter."""

    shape: tuple[Expr, ...]
    orientation: Orientation
    family: int = 0
    cost: float = 0.0

    @property
    def rank(self) -> int:
        return len(self.shape)


@dataclass(slots=True)
class Frame:
    """A section made ready for solving: the table without its arrays, and the options of each of these."""

    table: Declarations
    options: dict[str, tuple[Option, ...]] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    """Candidates (by record) that only give a function."""

    def with_arrays(self, chosen: Mapping[str, Option]) -> Declarations:
        arrays, layered = dict(self.table.arrays), dict(self.table.layered)
        for key, option in chosen.items():
            name = key.removesuffix(AT)
            symbol = ArraySymbol(name, option.shape, option.orientation, of=self.of.get(key, ""), family=option.family)
            if key.endswith(AT):
                layer, at = self.layer_of(name)
                layered[name] = replace(symbol, layer=layer, label_at=at)
            else:
                arrays[name] = symbol
        return replace(self.table, arrays=arrays, layered=layered)

    def layer_of(self, name: str) -> tuple[str, str]:
        return next((k for k, s in self.table.layers.items() if s.last != k), next(iter(self.table.layers), "l")), "^"


class Framer:
    def __init__(self, roles: Roles, facts: Facts, base: Declarations, inherited: Mapping[str, Option]) -> None:
        self.roles, self.facts, self.base, self.inherited = roles, facts, base, inherited
        self.width = "n"
        self.dummies: set[str] = set()
        """Letters that functions are given with: numbers, where nothing defines them."""

    def frame(self) -> Frame:
        roles, base = self.roles, self.base
        sizes = {**{n: SizeSymbol(n) for n in sorted(roles.sizes)}, **base.sizes}
        table = replace(
            base, inferred=True, sizes=sizes,
            indices={**{i: IndexSymbol(i, self.range_of(i)) for i in sorted(roles.indices)}, **base.indices},
            layers={**{k: LayerSymbol(k, v) for k, v in roles.layers.items()}, **base.layers},
            composite={**base.composite, **{k: frozenset(v) | base.composite.get(k, frozenset()) for k, v in roles.composite.items()}},
            einstein=base.einstein or self.facts.einstein,
        )  # fmt: skip
        if roles.layers:
            taken = set(roles.arrays) | roles.sizes
            self.width = next(n for n in ("n", "d", "m", "h", "N") if n not in taken or n in base.layered_sizes)
            table = replace(table, layered_sizes={**table.layered_sizes, self.width: SizeSymbol(self.width, layered=True)})
        if any(u.key == "π" for r in roles.records for u in r.uses.uses):
            table = table.with_array(ArraySymbol(PI, (), "scalar", role="constant"))
        frame = Frame(table)
        self.functions(frame)
        for key, use in roles.arrays.items():
            if self.skipped(key, use, frame):
                continue
            if use.layered:
                frame.options[key + AT] = self.layered_options(key, use)
            if use.unlayered or not use.layered:
                frame.options[key] = self.options(key, use, frame)
        if not frame.options and base.known_any() and frame.table.functions == base.functions:
            frame.table = base  # the author declared everything
        return frame

    def range_of(self, index: str) -> Expr | None:
        found = self.roles.ranges.get(index)
        return Symbol(found.letter) if isinstance(found, Name) else None

    def skipped(self, key: str, use: ArrayUse, frame: Frame) -> bool:
        table = frame.table
        if self.base.known(key) or key in table.functions or key in table.macros:
            return True
        if key in self.roles.layers and not use.layered:
            return True
        if key in table.sizes and not self.defined(key) and key not in self.facts.ranks and use.items == 0:
            return True
        if (key in FUNCTION_WORDS and not self.defined(key)) or (key == "e" and not self.defined("e")):
            return True
        if use.words and not use.by and not self.defined(key) and key not in self.facts.ranks and len(key) > 1:
            return True
        if key == "π" and use.items == 0 and not self.defined("π"):
            return True
        if key == "d" and not self.defined("d") and use.bare and set(use.by) == {"differential"}:
            return True
        if key == "δ" and use.least == use.items == 2 and not self.defined("δ"):
            return True
        if key == "I" and use.items == 0 and not self.defined("I"):
            return True
        return key in self.roles.indices and use.bare == 0 and use.items == 0

    def defined(self, key: str) -> bool:
        return any(self.roles.full_key(c.head.name)[0] == key for c in self.roles.candidates)

    # --- functions ---------------------------------------------------------------------------

    def functions(self, frame: Frame) -> None:
        roles = self.roles
        given: dict[str, list[Candidate]] = {}
        for c in roles.candidates:
            if c.head.args is not None:
                given.setdefault(roles.full_key(c.head.name)[0], []).append(c)
        for key, found in given.items():
            if not self.base.known(key):
                self.given(key, found, frame)
            elif key in self.base.functions:
                self.example(key, found[0], frame)
        for key, calls in roles.calls.items():
            if key not in given and not self.base.known(key) and key not in FUNCTION_WORDS:
                self.called(key, calls, frame)
        for key in roles.primed - set(given) - set(roles.calls):
            if not self.base.known(key) and (key in USUAL_FUNCTIONS or key in self.facts.functions):
                self.abstract(key, frame)
        for key in self.facts.functions:
            if key not in given and key not in frame.table.functions and not self.base.known(key):
                if key in USUAL_FUNCTIONS and not self.defined(key):
                    self.abstract(key, frame)

    def example(self, key: str, c: Candidate, frame: Frame) -> None:
        """f(z) = tanh(z) where f is declared as any function: an example, to the end of the section."""
        known, args = self.base.functions[key], c.head.args
        single = args[0] if args is not None and len(args) == 1 else None
        if known.kind == "elementwise" and not known.body and isinstance(single, Name):
            if self.scalar_formula(key, single, c.link.rhs):
                symbol = FunctionSymbol(key, "elementwise", (key_of(single),), self.text(c), said=True, abstract=True)
                frame.table = frame.table.with_function(symbol)

    def given(self, key: str, found: list[Candidate], frame: Frame) -> None:
        roles, args = self.roles, found[0].head.args
        assert args is not None
        if not all(isinstance(a, Name) for a in args):
            return
        body = found[0].link.rhs
        if found[0].head.under == "log":
            body = Product((Operator("function", "exp"), Paren((Chain((body,), (), body.span),), "(")), ("",), body.span)
        others = [c for c in roles.calls.get(key, []) if c != args]
        barred = any(u.bracket is not None and u.bracket.bar for r in roles.records for u in r.uses.uses if u.key == key_of(found[0].head.name))
        bare = roles.arrays[key].calls < sum(1 for _ in self.uses_of(key)) if key in roles.arrays else False
        single = args[0] if len(args) == 1 else None
        if isinstance(single, Name) and self.scalar_formula(key, single, body):
            if others or key in roles.primed or (not bare and key not in LOSSES):
                text = self.text(found[0])
                symbol = FunctionSymbol(key, "elementwise", (key_of(single),), text, said=True)
                self.dummies.add(key_of(single))
                frame.table = frame.table.with_function(symbol)
                return
        if others or barred or found[0].head.under:
            macros = {**frame.table.macros, key: MacroSymbol(key, args, body)}
            frame.table = replace(frame.table, macros=macros).with_name(key)
            return
        frame.of[key] = ",".join(self.spelled(a) for a in args if isinstance(a, Name))

    def spelled(self, a: Name) -> str:
        text = key_of(a)
        if a.sub is not None:
            text += "_" + a.sub.text
        return text + "".join("^" + s.text for s in a.sups)

    def uses_of(self, key: str) -> list[str]:
        return [key for r in self.roles.records for u in r.uses.uses if self.roles.full_key(u.name)[0] == key]

    def text(self, c: Candidate) -> str:
        record = self.roles.records[c.record]
        start, end = c.link.at
        return record.formula.text[start:end].strip()

    def scalar_formula(self, key: str, single: Name, body: Expr) -> bool:
        """A formula in one number, with no arrays, sums or norms in it."""
        if single.sub is not None or single.sups:
            return False
        letter, held = key_of(single), False
        for n in walk(body):
            if isinstance(n, _WHOLE) and not (isinstance(n, Norm) and n.order == "abs"):
                return False
            if isinstance(n, Name):
                if n.sub is not None or any(s.transposes for s in n.sups) or n.top or key_of(n) == key:
                    return False
                held |= key_of(n) == letter
        return held and letter not in self.roles.indices

    def called(self, key: str, calls: list[tuple[Expr, ...]], frame: Frame) -> None:
        use = self.roles.arrays.get(key)
        total = len(self.uses_of(key))
        never_bare = use is not None and use.calls == total
        lone = all(len(c) == 1 for c in calls)
        defined = self.defined(key)
        if defined and key not in self.roles.primed:
            return
        if key in self.roles.primed and (key in USUAL_FUNCTIONS or never_bare):
            self.abstract(key, frame)
        elif not lone and all(c == calls[0] and all(isinstance(a, Name) for a in c) for c in calls):
            self.loss(key, calls[0], frame)
        elif lone and (key in LOSSES or key in self.facts.functions and key not in USUAL_FUNCTIONS) and not defined and all(
            c == calls[0] and isinstance(c[0], Name) for c in calls
        ):  # fmt: skip
            self.loss(key, calls[0], frame)
        elif lone and never_bare and (key in USUAL_FUNCTIONS or key in self.facts.functions or key in self.facts.logistic_keys):
            self.abstract(key, frame)
        elif lone and never_bare and all(isinstance(c[0], Name) for c in calls) and key[:1].islower() and len(calls) > 1:
            self.abstract(key, frame)

    def abstract(self, key: str, frame: Frame) -> None:
        logistic = key in self.facts.logistic_keys or (key == "σ" and self.facts.logistic)
        body, args = (LOGISTIC, ("z",)) if logistic else ("", ())
        frame.table = frame.table.with_function(FunctionSymbol(key, "elementwise", args, body, said=logistic))

    def loss(self, key: str, args: tuple[Expr, ...], frame: Frame) -> None:
        names = tuple(self.spelled(a) for a in args if isinstance(a, Name))
        table = frame.table.with_function(FunctionSymbol(key, "loss", names))
        frame.table = table.with_array(ArraySymbol(key, (), "scalar"))

    # --- options -----------------------------------------------------------------------------

    def layered_options(self, key: str, use: ArrayUse) -> tuple[Option, ...]:
        layer = next((k for k, v in self.roles.layers.items() if v != k), next(iter(self.roles.layers)))
        here, below = Symbol(self.width, Label(layer)), Symbol(self.width, Label(layer, -1))
        batch = Symbol(f"{key}.batch")
        upper = key[:1].isupper() or use.bold and key.isupper()
        said = self.facts.ranks.get(key)
        matrix, vector = (0.0, 1.2) if upper or key in ("w", "ω", "θ") else (1.5, 0.0)
        if said is not None:
            matrix, vector = (0.0, SAID) if said == 2 else (SAID, 0.0)
        out = [
            Option((here, below), "matrix", cost=matrix), Option((below, here), "matrix", cost=matrix + 0.5),
            Option((here,), "vector", cost=vector), Option((here, batch), "matrix", cost=matrix + 0.3),
            Option((batch, here), "matrix", cost=matrix + 0.4), Option((), "scalar", cost=2.5),
        ]  # fmt: skip
        fits = [o for o in out if o.rank >= use.items and (use.items == 0 or o.rank == use.items)]
        return tuple(sorted(fits or out, key=lambda o: o.cost))

    def options(self, key: str, use: ArrayUse, frame: Frame) -> tuple[Option, ...]:
        said = self.said(key, frame)
        if said is not None:
            one = said[0]
            if one.rank == 2 and not one.family and use.items == 1:  # A_i is a row of A
                return replace(one, family=1), replace(one, family=1, orientation="row", cost=0.2)
            return said
        axes = [Symbol(f"{key}.{k}") for k in range(4)]
        end = self.roles.listed.get(key)
        if isinstance(end, Name):
            axes[0] = Symbol(end.letter)
        if key in self.facts.rows_of or key in self.facts.stacked:
            return (Option(tuple(axes[:2]), "matrix"),)
        prior = self.prior(key, use)
        if key == "π" and use.items:  # the bare one is the number
            use = replace(use, bare=0, least=use.items)
        out: list[Option] = []
        for rank in range(use.items, 4 if use.items == 2 else 3):
            inner = rank - use.items
            cost = prior[min(rank, 2)] if use.items == 0 else self.item_prior(key, use)[min(inner, 2)]
            family = 0
            if use.items and inner:
                if use.least == use.items:
                    family = use.items
                elif use.items == 1 and rank == 2:
                    cost = prior[2] + 0.5
                    out.append(Option(tuple(axes[:2]), "row", 1, cost + 0.2))
                    family = 1
                else:
                    cost += 3.0
                    family = 0 if use.bare else use.items
            if rank == 2 == use.items and use.least == 1 and not use.bare:
                family = 1
            out.append(Option(tuple(axes[:rank]), ("scalar", "vector", "matrix", "matrix")[rank], family, cost))  # type: ignore[arg-type]
        if use.items == 0 or use.bare:
            row = 0.0 if key in self.facts.rows else 1.6
            base = next((o.cost for o in out if o.rank == 1), 1.0)
            if any(o.rank == 1 for o in out):
                if key in self.facts.rows:
                    out = [replace(o, cost=o.cost + 3) if o.rank == 1 else o for o in out]
                out.append(Option((axes[0],), "row", cost=base + row))
        was = self.inherited.get(key)
        if was is not None and key not in self.facts.ranks:
            same = [(o.rank, o.family, o.orientation) == (was.rank, was.family, was.orientation) for o in out]
            kept = was.shape if not any("." in n.name for e in was.shape for n in walk(e) if isinstance(n, Symbol)) else None
            out = [
                replace(o, cost=0.0, shape=kept or o.shape) if s else replace(o, cost=o.cost + 2.5)
                for o, s in zip(out, same, strict=True)
            ]
        if self.facts.everything is not None and use.items == 0 and key not in self.facts.ranks:
            want = self.facts.everything
            out = [replace(o, cost=0.0 if o.rank == want else o.cost + 3) for o in out]
        return tuple(sorted(out, key=lambda o: o.cost))

    def said(self, key: str, frame: Frame) -> tuple[Option, ...] | None:
        """The options of a letter whose shape is said: that alone."""
        found: list[Option] = []
        resolver = Resolver(frame.table, lenient=True)
        for name, rhs, _ in self.roles.members:
            whole, items, layered = self.roles.full_key(name)
            if whole != key or layered:
                continue
            counted = key_of(name) in self.roles.listed and items == 1
            parts = self.parts(rhs, resolver)
            if parts is None or (items and not counted and any(isinstance(i, Num) for i in (name.sub.items if name.sub else ()))):
                continue
            lead = tuple(self.axis(key, k, name, counted) for k in range(items))
            found.append(self.shaped(key, lead, parts))
        plain = {k: v for k, v in self.facts.shapes.items() if k.split("_")[0] == key or k == key}
        for said, shape in plain.items():
            try:
                parts = tuple(resolver.expr(e) for e in shape)
            except ReadError:
                continue
            lead = () if said == key else tuple(Symbol(f"{key}.{k}") for k in range(1))
            found.append(self.shaped(key, lead, parts))
        return (found[0],) if found else None

    def shaped(self, key: str, lead: tuple[Expr, ...], parts: tuple[Expr, ...]) -> Option:
        if not lead and len(parts) == 2 and parts[1] == ONE:
            return Option(parts[:1], "column")
        if not lead and len(parts) == 2 and parts[0] == ONE:
            return Option(parts[1:], "row")
        shape = (*lead, *parts)
        kind: Orientation = ("scalar", "vector", "matrix", "matrix")[min(len(shape), 3)]  # type: ignore[assignment]
        if len(shape) == 1 and key in self.facts.rows:
            kind = "row"
        return Option(shape, kind, len(lead) if parts and lead else 0)

    def axis(self, key: str, k: int, name: Name, counted: bool) -> Expr:
        if counted and k == 0:
            end = self.roles.listed[key_of(name)]
            if isinstance(end, Name):
                return Symbol(end.letter)
        if name.sub is not None and k < len(name.sub.items):
            item = name.sub.items[k]
            if isinstance(item, Name) and isinstance(self.roles.ranges.get(item.letter), Name):
                return Symbol(self.roles.ranges[item.letter].letter)  # type: ignore[union-attr]
        return Symbol(f"{key}.{k}")

    @staticmethod
    def parts(rhs: Expr, resolver: Resolver) -> tuple[Expr, ...] | None:
        """The shape that ∈ says; () for a number."""
        match rhs:
            case Reals(None):
                return ()
            case Reals(shape) if shape is not None:
                try:
                    found = resolver.expr(shape)
                except ReadError:
                    return None
                return tuple(found.parts) if isinstance(found, Shape) else (found,)
            case Paren(chains, opening) if opening in ("(", "[", "\\{") and all(not c.links for c in chains):
                return () if all(isinstance(c.subjects[0], (Num,)) or opening != "(" for c in chains) else None
            case _:
                return None

    def prior(self, key: str, use: ArrayUse) -> list[float]:
        letter = re.sub(r"\\\w+\{(.+)\}", r"\1", key).split("_")[0].split("^")[0].rstrip("'")
        upper, bold = letter.isupper(), use.bold
        said = self.facts.ranks.get(key)
        if said is not None:
            return [0.0 if r == said else SAID for r in range(3)]
        if key in LOSSES or (len(letter) > 1 and letter.isalpha()):
            costs = [0.0, 4.0, 5.0]
        elif bold and upper:
            costs = [4.0, 1.5, 0.0]
        elif bold:
            costs = [5.0, 0.0, 2.5]
        elif upper:
            costs = [2.4, 1.4, 0.3]
        elif letter in _NUMBERS:
            costs = [0.0, 2.5, 4.0]
        elif letter in _SCALARS:
            costs = [0.3, 0.7, 2.8]
        else:
            costs = [0.5, 0.4, 2.6]
        case = "upper" if upper else "lower"
        if bold and case in self.facts.bold:
            costs = [0.0 if r == self.facts.bold[case] else SAID for r in range(3)]
        if key in self.dummies and not self.defined(key):
            costs[1], costs[2] = costs[1] + 2.5, costs[2] + 3.0
        if use.transposed:
            costs[0] += 1.5
        if use.normed:
            costs[0] += 1.5
        if use.scalar:
            costs[1], costs[2] = costs[1] + 2.0, costs[2] + 1.0
        if use.by["d"] and not use.by["∂"]:
            costs[1], costs[2] = costs[1] + 1.0, costs[2] + 1.5
        if use.by["∇"]:
            costs[0] += 1.0
        return costs

    def item_prior(self, key: str, use: ArrayUse) -> list[float]:
        """Of x_i: a number, a vector, a matrix."""
        said = next((r for k, r in self.facts.ranks.items() if k.split("_")[0] == key and "_" in k), None)
        if said is None and not use.bare:
            said = self.facts.ranks.get(key) if self.facts.ranks.get(key) in (0,) else None
        if said is not None:
            return [0.0 if r == said else SAID for r in range(3)]
        if self.facts.everything == 0:
            return [0.0, 3.0, 5.0]
        costs = [0.2, 0.7, 3.0]
        if use.bold:
            costs = [2.5, 0.0, 2.5] if not key.isupper() else [3.0, 1.5, 0.5]
        if use.transposed:
            costs[0] += 1.5
        if use.normed:
            costs[0] += 1.5
        return costs


__all__ = ["AT", "Facts", "Frame", "Framer", "Option"]
