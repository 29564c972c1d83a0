"""Which reading of a section's letters costs least: a beam over its formulas, and what other readings would cost."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import product

from symbackprop.core.terms import SymbackpropError

from ..declared.symbols import Declarations
from ..grammar.recurrences import ALIKE
from ..grammar.resolve import Resolver
from ..grammar.tree import (
    Add, At, Chain, Derivative, Differential, Dots, Expr, Gradient, Hadamard, Identity, Inner, Link, Matrix, Name, Neg,
    Norm, Num, Ones, Operator, Power, Product, Quotient, Reals, Script, Sum, Transpose, Words,
)  # fmt: skip
from ..grammar.vocabulary import WHOLE_WORDS
from ..grammar.walking import EQUATIONS, names, walk
from .above import letters
from .conform import Shapes
from .conform_operations import Misfit
from .kinds import Frame
from .occurrences import Uses, key_of
from .options import AT, TURNED, Option
from .prose import Facts
from .roles import Roles
from .said import Record, cut_at_colon

BEAM, CHOICES, COMBINATIONS = 8, 12, 160
Cost = tuple[int, int, float]
ZERO: Cost = (0, 0, 0.0)
_OF_ARRAYS = (Transpose, Hadamard, Inner, Matrix, Sum)
NOISE = 1e-9
"""Rounding in sums of costs."""


def plus(a: Cost, b: Cost) -> Cost:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def minus(a: Cost, b: Cost) -> Cost:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@dataclass(frozen=True, slots=True)
class Piece:
    """One relation of a formula that a reading must make sense of, and the letters it holds."""

    record: int
    chain: Chain
    keys: tuple[str, ...]
    differentiates: bool = True
    """It holds a derivative, or stands for one, so that the layout matters."""


@dataclass(slots=True)
class Solver:
    frame: Frame
    roles: Roles
    pieces: list[Piece] = field(default_factory=list)
    layout: str = "gradient"
    _costs: dict[tuple[object, ...], Cost] = field(default_factory=dict)
    _alone: dict[tuple[object, ...], Cost] = field(default_factory=dict)
    _changes: dict[tuple[str, Option], Cost] = field(default_factory=dict)
    _broken: dict[str, Counter[int]] = field(default_factory=dict)
    _by_record: dict[int, list[Piece]] = field(default_factory=dict)

    @property
    def said(self) -> set[str]:
        """The letters whose shape the text says."""
        return {self.roles.key(n) for n, _, _ in self.roles.members} | set(self.roles.facts.shapes)

    def prepare(self, records: Sequence[Record]) -> None:
        for r in records:
            if r.loose is None:
                continue
            for chain in (*(p.chain for p in r.loose.parts), *r.more, *filter(None, (r.worded,))):
                equation = chain.links and all(k.relation in EQUATIONS or k.relation == ALIKE for k in chain.links)
                if equation and not cut_at_colon(r, chain):
                    self.pieces.append(Piece(r.at, chain, self.keys(chain), self.differentiates(chain)))

    def differentiates(self, chain: Chain) -> bool:
        kinds = (Derivative, Gradient, Differential, Operator, At)
        return bool(self.frame.table.macros) or any(isinstance(n, kinds) for n in walk(chain))

    def keys(self, chain: Chain) -> tuple[str, ...]:
        found: dict[str, None] = {}
        work: list[object] = [chain]
        seen: set[str] = set()
        options = self.frame.options
        while work:
            uses = Uses()
            uses.visit(work.pop(), frozenset())
            for u in uses.uses:
                for n in (n for s in u.name.sups if s.labels is not None for n in names(s.value)):
                    if key_of(n) in options:  # the h of θ^h, where h is a number elsewhere
                        found[key_of(n)] = None
                key, _, layered = self.roles.full_key(u.name)
                if key in self.frame.table.macros and key not in seen:
                    seen.add(key)
                    work.append(self.frame.table.macros[key].body)
                function = self.frame.table.functions.get(key)
                if function is not None and function.body:  # the constants of its formula
                    found |= dict.fromkeys(sorted(letters(function.body).difference(function.args) & options.keys()))
                whole = key + AT if layered and key + AT in options else key
                upstream = [self.frame.table.upstream] if u.after_d else []
                of = self.frame.of.get(key, "").split(",")
                found |= dict.fromkeys(k for k in (whole, *upstream, *of) if k in options)
        return tuple(found)

    # --- costs -------------------------------------------------------------------------------

    def cost(self, piece: Piece, chosen: Mapping[str, Option]) -> Cost:
        key = (id(piece), self.layout if piece.differentiates else "", *(chosen.get(k) for k in piece.keys))
        known = self._costs.get(key)
        if known is None:
            known = self._costs[key] = self.worked_out(piece, chosen)
        return known

    def sides_alone(self, piece: Piece, chosen: Mapping[str, Option]) -> Cost:
        """Of the statement itself its sides speak, but not that they are said to be equal."""
        key = (id(piece), self.layout, *(chosen.get(k) for k in piece.keys))
        known = self._alone.get(key)
        if known is None:
            known = self._alone[key] = self.each_side(piece, chosen)
        return known

    def table(self, piece: Piece, chosen: Mapping[str, Option]) -> Declarations:
        return self.frame.with_arrays({k: chosen[k] for k in piece.keys if k in chosen}, self.layout)

    def each_side(self, piece: Piece, chosen: Mapping[str, Option]) -> Cost:
        table = self.table(piece, chosen)
        bad, soft = 0, 0.0
        for side in piece.chain.sides:
            shapes = Shapes(table)
            try:
                shapes.of(Resolver(table).expr(side))
            except (Misfit, SymbackpropError, RecursionError):
                bad += 1
            soft += shapes.cost
        return 0, bad, soft

    def worked_out(self, piece: Piece, chosen: Mapping[str, Option]) -> Cost:
        table = self.table(piece, chosen)
        try:
            resolved = Resolver(table).chain(piece.chain)
        except (SymbackpropError, RecursionError):
            return 0, 0, 1.5
        bad, soft = 0, 0.0
        left = resolved.subjects[-1]
        for link in resolved.links:
            shapes = Shapes(table)
            try:
                shapes.sides(left, link.rhs)
            except (Misfit, SymbackpropError):
                bad += 1
            soft += shapes.cost
            if not isinstance(link.rhs, (Words, Dots)):
                left = link.rhs
        return 0, bad, soft

    # --- the beam ----------------------------------------------------------------------------

    def solve(self) -> tuple[dict[str, Option], Cost]:
        for remembered in (self._changes, self._broken, self._by_record):
            remembered.clear()
        states: list[tuple[Cost, dict[str, Option]]] = [(ZERO, {})]
        for piece in self.pieces:
            grown: list[tuple[Cost, dict[str, Option]]] = []
            for cost, chosen in states:
                new = [k for k in piece.keys if k not in chosen]
                found = []
                for combination in self.combinations(new):
                    more = dict(zip(new, combination, strict=True))
                    whole = {**chosen, **more}
                    prior = sum((prior_of(o) for o in combination), start=0.0)
                    said = sum(o.cost >= 50 for o in combination)
                    turned = sum(TURNED <= o.cost < 50 for o in combination)
                    total = plus(plus(cost, (said, turned, prior)), self.cost(piece, whole))
                    found.append((total, whole))
                grown.extend(heapq.nsmallest(CHOICES, found, key=lambda s: s[0]))
            states = heapq.nsmallest(BEAM, grown, key=lambda s: s[0])
        cost, chosen = min(states, key=lambda s: s[0])
        for key, options in self.frame.options.items():
            chosen.setdefault(key, options[0])
        return chosen, cost

    def combinations(self, keys: list[str]) -> Iterable[tuple[Option, ...]]:
        """The cheapest combinations of options, roughly in order."""
        lists = [self.frame.options[k] for k in keys]
        total = 1
        for options in lists:
            total *= len(options)
        if total <= COMBINATIONS:
            return product(*lists)
        scored: list[tuple[float, tuple[int, ...]]] = [(sum(o[0].cost for o in lists), (0,) * len(lists))]
        seen: set[tuple[int, ...]] = {scored[0][1]}
        out: list[tuple[Option, ...]] = []
        while scored and len(out) < COMBINATIONS:
            _, at = heapq.heappop(scored)
            out.append(tuple(o[k] for o, k in zip(lists, at, strict=True)))
            for n, k in enumerate(at):
                if k + 1 < len(lists[n]):
                    new = (*at[:n], k + 1, *at[n + 1 :])
                    if new not in seen:
                        seen.add(new)
                        heapq.heappush(scored, (sum(o[i].cost for o, i in zip(lists, new, strict=True)), new))
        return out

    # --- what else could be meant ------------------------------------------------------------

    def rivals(self, key: str, chosen: dict[str, Option], without: int) -> list[tuple[Option, bool]]:
        """Other options of a letter that break nothing, judged without one formula; which of them fit better so."""
        own = [p for p in self.pieces_of(without) if key in p.keys]
        out: list[tuple[Option, bool]] = []
        for option in self.frame.options[key]:
            was = chosen[key]
            column = (was.orientation, option.orientation) == ("row", "vector")  # habit has it a column
            if option.rank == was.rank and option.family == was.family and not column:
                continue
            if option.cost >= 50:
                continue
            other = {**chosen, key: option}
            change = self.change(key, option, chosen)
            for p in own:
                apart = minus(self.cost(p, other), self.cost(p, chosen))
                change = plus(minus(change, apart), minus(self.sides_alone(p, other), self.sides_alone(p, chosen)))
            soft = change[2] + option.cost - chosen[key].cost
            if change[1] <= 0 and soft < 2.0 - NOISE:
                out.append((option, change[1] < 0 or soft < -NOISE))
        return out

    def pieces_of(self, record: int) -> list[Piece]:
        if not self._by_record:
            for p in self.pieces:
                self._by_record.setdefault(p.record, []).append(p)
        return self._by_record.get(record, [])

    def change(self, key: str, option: Option, chosen: dict[str, Option]) -> Cost:
        """What all formulas together cost more when one letter is read so."""
        known = self._changes.get((key, option))
        if known is None:
            here, other = [p for p in self.pieces if key in p.keys], {**chosen, key: option}
            known = reduce(plus, (minus(self.cost(p, other), self.cost(p, chosen)) for p in here), ZERO)
            self._changes[key, option] = known
        return known

    def broken(self, layout: str, chosen: Mapping[str, Option], without: int) -> int:
        """How many formulas do not conform in a layout, but for one."""
        known = self._broken.get(layout)
        if known is None:
            before, self.layout = self.layout, layout
            known = self._broken[layout] = Counter()
            for p in self.pieces:
                known[p.record] += self.cost(p, chosen)[1]
            self.layout = before
        return known.total() - known[without]


def in_numbers(chain: Chain, functions: Collection[Name] = ()) -> bool:
    """What may be all numbers: no ∂ but d/dx, no transpose, no sum, no subscript but those of functions."""
    parts = list(walk(chain))
    total = all(n.total for n in parts if isinstance(n, Derivative) or (isinstance(n, Operator) and n.wrt))
    total &= not any(isinstance(n, Operator) and n.kind == "nabla" for n in parts)
    subscripts = (n for n in parts if isinstance(n, Name) and n.sub is not None)
    return total and without_arrays(chain) and all(n in functions for n in subscripts)


def without_arrays(chain: Chain) -> bool:
    """Nothing in it is done with arrays only, and no letter is printed as one."""
    parts = list(walk(chain))
    if any(isinstance(n, _OF_ARRAYS) or (isinstance(n, Norm) and n.order != "abs") for n in parts):
        return False
    return not any(n.bold or n.top or any(s.transposes for s in n.sups) for n in parts if isinstance(n, Name))


def prior_of(option: Option) -> float:
    return option.cost if option.cost < 50 else 0.0


# --- what the formulas show besides: that all letters are numbers, that a bias is a row, what is square ---


_WORDS = re.compile(r"\b(?:matri\w+|ve[ck]t(?:or|eur)\w*|tensors?|arrays?|batch\w*|layers?)\b", re.IGNORECASE)
_ON_ARRAYS = frozenset(WHOLE_WORDS.values()) - {"max", "min"}
_WEIGHTS = frozenset("WVUΘ")


def weigh(records: Sequence[Record], roles: Roles, facts: Facts, above: Mapping[str, Option]) -> None:
    """Notes it among what is said; where indices are written, what has none is a number."""
    if not roles.base.convention:  # as declared, a vector is a column
        facts.rows.update(row_biases(roles))
    facts.square.update(symmetric_entries(roles))
    if facts.everything is None and (facts.einstein or evidently(records, roles, facts, above)):
        facts.everything = 0


def symmetric_entries(roles: Roles) -> Iterator[str]:
    """k_{ij} = k_{ji}, k_{ij} = -k_{ji}."""
    for chain in (p.chain for r in roles.records if r.loose is not None for p in r.loose.parts):
        match chain:
            case Chain((Name(sub=Script(items=(i, j))) as k,), (Link("=", rhs),)):
                other = rhs.arg if isinstance(rhs, Neg) else rhs
                if isinstance(other, Name) and other.sub is not None and other.sub.items == (j, i) and i != j:
                    if key_of(other) == key_of(k):
                        yield roles.key(k)


def evidently(records: Sequence[Record], roles: Roles, facts: Facts, above: Mapping[str, Option]) -> bool:
    """Y = A K^α L^{1-α}: a capital is divided by, raised to a power that is no integer, or is above 0."""
    chains = [p.chain for r in records if r.loose is not None for p in r.loose.parts]
    said = any(facts.ranks.values()) or facts.shapes or facts.square or facts.bold or roles.members or roles.layers
    if said or any(above[k].rank for k in roles.arrays if k in above) or any(map(of_arrays, records)):
        return False
    if any(u.items or u.bold or u.layered or u.transposed or u.normed or u.by["∇"] for u in roles.arrays.values()):
        return False
    nodes = [n for c in chains for n in walk(c)]
    if not all(map(without_arrays, chains)) or any(map(only_arrays, nodes)):
        return False
    return any(n.letter.isupper() for n in (*divided(nodes), *raised(nodes), *compared(chains)))


def of_arrays(r: Record) -> bool:
    return _WORDS.search(f"{r.formula.before} {r.formula.after}") is not None or any(u.inverted for u in r.uses.uses)


def only_arrays(node: object) -> bool:
    match node:
        case Ones() | Identity() | Reals() | Name("I"):
            return True
        case Operator("function", name):
            return name in _ON_ARRAYS
    return False


def divided(nodes: Iterable[object]) -> Iterator[Name]:
    for n in nodes:
        if isinstance(n, Quotient):
            yield from names(n.bottom)


def raised(nodes: Iterable[object]) -> Iterator[Name]:
    """The letters under an exponent that is no integer."""
    for n in nodes:
        match n:
            case Name(sups=sups) if any(s.value is not None and not integer(s.value) for s in sups):
                yield n
            case Power(base, exponent) if not integer(exponent):
                yield from names(base)


def integer(node: Expr) -> bool:
    return isinstance(node, Num) and node.value.denominator == 1


def compared(chains: Iterable[Chain]) -> Iterator[Name]:
    """A, K > 0."""
    for c in chains:
        if c.links and all(k.relation in "<>" and isinstance(k.rhs, Num) for k in c.links):
            yield from (s for s in c.subjects if isinstance(s, Name))


def row_biases(roles: Roles) -> Iterator[str]:
    """X W + b, a batch with its samples as rows: the bias is added to each row."""
    for n in (n for r in roles.records if r.loose is not None for n in walk(r.loose)):
        match n:
            case Add((Product((Name() as batch, *_, Name() as weights)), Name() as bias)):
                if behind(batch, weights) and key_of(bias) in ("b", "c") and not bias.sups and not bias.top:
                    yield roles.key(bias)


def behind(batch: Name, weights: Name) -> bool:
    turned = any(s.transposes for n in (batch, weights) for s in n.sups) or batch.top or weights.top
    return key_of(weights) in _WEIGHTS and key_of(batch).isupper() and key_of(batch) not in _WEIGHTS and not turned
