"""What a letter may be, and what each way of reading it costs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from ..declared.symbols import Declarations, Orientation
from ..files.place import ReadError
from ..grammar.resolve import Resolver
from ..grammar.tree import Expr, Label, Name, Num, Operator, Paren, Product, Reals, Shape, Symbol
from ..grammar.walking import walk
from .occurrences import SINGLE, key_of
from .prose import Facts
from .roles import LOSSES, Roles
from .said import ArrayUse

AT = "@"

SAID = 100.0
TURNED = 20.0
"""For another kind of a letter that definitions above rest on: as bad as a formula that does not conform."""

ONE = Num(Fraction(1))

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

    @property
    def sizes(self) -> tuple[str, ...]:
        """The sizes that have names."""
        return tuple(n.name for e in self.shape for n in walk(e) if isinstance(n, Symbol) and "." not in n.name)


class Options:
    def defined(self, key: str) -> bool:
        raise NotImplementedError

    def __init__(
        self, roles: Roles, facts: Facts, base: Declarations, inherited: Mapping[str, Option], rooted: Set[str]
    ) -> None:
        self.roles, self.facts, self.base, self.inherited, self.rooted = roles, facts, base, inherited, rooted
        sloped = {key_of(b) for r in roles.records for n in walk(r.loose) if isinstance(n, Product)
                  for a, b in pairwise(n.args) if isinstance(b, Name) and isinstance(a, Operator)
                  and a.kind == "nabla" and not a.wrt}  # fmt: skip
        heads = (c.head for c in roles.candidates if c.head.key in sloped and c.head.args is not None)
        self.gradients = [a for h in heads for a in (h.args or ()) if len(h.args or ()) == 1]
        """The x of f(x) = …, where ∇f stands."""
        self.width = "n"
        self.dummies: set[str] = set()
        """Letters that functions are given with: numbers, where nothing defines them."""

    def layered_options(self, key: str, use: ArrayUse) -> tuple[Option, ...]:
        layer = next((k for k, v in self.roles.layers.items() if v != k), next(iter(self.roles.layers)))
        here, below = Symbol(self.width, Label(layer)), Symbol(self.width, Label(layer, -1))
        batch = Symbol(f"{key}.batch")
        upper = key[:1].isupper() or (use.bold and key.isupper())
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

    def options(self, key: str, use: ArrayUse, table: Declarations) -> tuple[Option, ...]:
        said = self.said(key, table)
        if said is not None:
            one = said[0]
            if one.rank == 2 and not one.family and use.items == 1:  # A_i is a row of A
                return replace(one, family=1), replace(one, family=1, orientation="row", cost=0.2)
            return said
        if (item := self.item_of_stack(key, use, table)) is not None:
            return (item,)
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
            out.append(Option(tuple(axes[:rank]), ("scalar", "vector", "matrix", "matrix")[rank], family, cost))
        if use.items == 0 or use.bare:
            row = 0.0 if key in self.facts.rows else 1.6
            base = next((o.cost for o in out if o.rank == 1), 1.0)
            if any(o.rank == 1 for o in out):
                if key in self.facts.rows:
                    out = [replace(o, cost=o.cost + 3) if o.rank == 1 else o for o in out]
                out.append(Option((axes[0],), "row", cost=base + row))
        if key in self.facts.square:
            matrices = any(o.rank == 2 and not o.family for o in out)
            out = [
                replace(o, shape=(axes[0], axes[0]), cost=0.0) if o.rank == 2 and not o.family
                else replace(o, cost=o.cost + 2 * matrices) for o in out
            ]  # fmt: skip
        anew = key in self.roles.listed or self.defined(key)  # x_1, …, x_m are said anew
        was = None if anew else self.inherited.get(key)
        if was is not None and use.bold and was.rank == use.items + was.family:  # a number above, printed bold here
            was = None
        if was is not None and key not in self.facts.ranks:
            kept_kind = key in self.rooted and not was.family and any(o.rank == was.rank for o in out)
            turned = TURNED if kept_kind else 2.5
            same = [(o.rank, o.family, o.orientation) == (was.rank, was.family, was.orientation) for o in out]
            unnamed = any("." in n.name for n in walk(was.shape) if isinstance(n, Symbol))
            kept = None if unnamed else was.shape
            out = [
                replace(o, cost=0.0, shape=kept or o.shape) if s else replace(o, cost=o.cost + turned)
                for o, s in zip(out, same, strict=True)
            ]
            if not any(same) and was.family and was.rank == use.items:  # x_i ∈ ℝ^d above, only x_{ij} here
                out.append(replace(was, cost=0.0, shape=kept or tuple(axes[: was.rank])))
        if self.facts.everything is not None and use.items == 0 and key not in self.facts.ranks:
            want = self.facts.everything
            out = [replace(o, cost=0.0 if o.rank == want else o.cost + 3) for o in out]
        out = out or [Option(tuple(axes[: use.items]), "matrix")]
        return tuple(sorted(out, key=lambda o: o.cost))

    def item_of_stack(self, key: str, use: ArrayUse, table: Declarations) -> Option | None:
        """The rows x_i of a matrix whose shape is said."""
        for whole, (item, axis) in self.facts.rows_of.items():
            shaped = self.said(whole, table) if item == key and use.items and not use.bare else None
            if shaped is not None and shaped[0].rank == 2:
                shape = shaped[0].shape[::-1] if axis == "column" else shaped[0].shape
                return Option(shape, "matrix", 1 if use.least == 1 else 0)
        return None

    def said(self, key: str, table: Declarations) -> tuple[Option, ...] | None:
        """The options of a letter whose shape is said: that alone."""
        found: list[Option] = []
        resolver = Resolver(table, lenient=True)
        for name, rhs, _ in self.roles.members:
            whole, items, layered = self.roles.full_key(name)
            if items and whole + SINGLE == key:
                whole, items = key, 0
            if whole != key or layered:
                continue
            counted = key_of(name) in self.roles.listed and items == 1
            parts = self.parts(rhs, resolver)
            numbered = any(isinstance(i, Num) for i in (name.sub.items if name.sub else ()))
            if parts is None or (items and not counted and numbered):
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
        many = self.inherited.get(key.removesuffix(SINGLE)) if key.endswith(SINGLE) else None
        if not found and many is not None and many.family < many.rank:
            found.append(self.shaped(key, (), many.shape[many.family :]))
        if not found and key in self.base.letters:
            symbol = self.base.letters[key]
            return (Option(symbol.shape, symbol.orientation),)
        return (found[0],) if found else None

    def shaped(self, key: str, lead: tuple[Expr, ...], parts: tuple[Expr, ...]) -> Option:
        if not lead and len(parts) == 2 and parts[1] == ONE:
            return Option(parts[:1], "column")
        if not lead and len(parts) == 2 and parts[0] == ONE:
            return Option(parts[1:], "row")
        shape = (*lead, *parts)
        kind: Orientation = ("scalar", "vector", "matrix", "matrix")[min(len(shape), 3)]
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
        loss = key in LOSSES or re.split("[_^↾₁]", key)[0] in ("L", "J", "ℓ", "\\mathcal{L}", "\\mathcal{J}")
        if (loss and (not upper or self.is_loss(key))) or (len(letter) > 1 and letter.isalpha()):
            costs = [0.0, 4.0, 5.0]
        elif bold and upper:
            costs = [4.0, 1.5, 0.0]
        elif bold:  # 𝐰 beside w_d: its entries
            costs = [5.0, 0.0, 5.0 if use.items == 1 and not use.bold_items else 2.5]
        elif upper:  # ∂V/∂q, 1/V: what is differentiated, or divides, is often a number
            number = 0.4 if use.divides else 1.0 if self.is_differentiated(key) else 2.4
            costs = [number, 1.4, 2.0 if use.divides else 0.3]
        elif letter in _NUMBERS:
            costs = [0.0, 2.5, 4.0]
        elif letter in _SCALARS:
            costs = [0.3, 0.7, 2.8]
        else:
            costs = [0.5, 0.4, 2.6]
        if key in self.facts.rows and not upper:
            costs[2] += 3.0
        case = "upper" if upper else "lower"
        if bold and case in self.facts.bold:
            costs = [0.0 if r == self.facts.bold[case] else SAID for r in range(3)]
        of = [a for c in self.roles.candidates if c.head.key == key for a in c.head.args or ()]
        if any(isinstance(a, Name) and a.letter.isupper() for a in of):  # f(A) = A^2 has the shape of A
            costs[2] = min(costs[2], 1.2)
        if key in self.dummies and not self.defined(key):
            costs[1], costs[2] = costs[1] + 2.5, costs[2] + 3.0
        if use.transposed:  # nobody transposes a number
            costs[0] += 2.5
        if use.normed:
            costs[0] += 1.5
        if use.scalar:
            costs[1], costs[2] = costs[1] + 2.0, costs[2] + 1.0
        if use.powers:  # an author of vectors writes ‖x‖² or x ⊙ x
            costs[1] += 0.3
        if use.by["d"] and not use.by["∂"]:
            costs[1], costs[2] = costs[1] + 1.0, costs[2] + 1.5
        if use.by["∇"] or any(isinstance(a, Name) and key_of(a) == key for a in self.gradients):
            costs[0] += 1.0
        return costs

    def is_differentiated(self, key: str) -> bool:
        return any(u.differentiated for u in self.roles.all_uses() if u.key == key)

    def is_loss(self, key: str) -> bool:
        """It is given, or something is differentiated: the C of tr(ABC) is none."""
        uses = (u for u in self.roles.all_uses() if u.key == key)
        if self.defined(key) or any(u.differentiated or u.bracket is not None for u in uses):
            return True
        products = (n.args for r in self.roles.records for n in walk(r.loose) if isinstance(n, Product))
        return any(isinstance(a, Operator) and isinstance(b, Name) and key_of(b) == key
                   for args in products for a, b in pairwise(args))  # fmt: skip

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
        if use.bold_items or (use.bold and key.isupper()):
            costs = [2.5, 0.0, 2.5] if not key.isupper() else [3.0, 1.5, 0.5]
        if (use.transposed and use.items < 2) or use.normed:  # x_i^T, but not A_{ij}^T, is that of a vector
            costs[0] += 1.5
        return costs
