"""A section read as a whole: its letters solved for, and a symbol table for each of its statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from symbackprop.core.terms import SymbackpropError

from ..declared.symbols import Declarations, Definition
from ..grammar.resolve import Resolver
from ..grammar.tree import Chain, Derivative, Expr, Name, Operator
from ..grammar.walking import names, reached, walk
from .above import Above, Given, Resting, inherit, inherit_functions
from .conform import Shapes
from .conform_operations import Misfit, Unifier
from .hypotheses import LEFT, SOLVED, STATED, Saying, hypothesis, in_force, own_transpose, with_diagonals
from .kinds import Frame, Framer
from .notations import Unwritten, diagonals, summed, with_axes, with_named_sizes
from .options import AT, Option
from .prose import Facts
from .roles import Roles
from .said import Record
from .solver import Cost, Solver, weigh

MAX_DEFINITIONS = 60
LAYOUTS = {"gradient": 0.0, "mixed": 0.2, "numerator": 0.4}
"""How derivatives may be laid out where nothing says it, and what each costs."""


@dataclass(slots=True)
class Section(Resting):
    """`base` is what the author declared; `above` is what the sections above leave to this one."""

    records: list[Record]
    facts: Facts
    base: Declarations
    above: Above = field(default_factory=Above)
    roles: Roles = field(init=False)
    frame: Frame = field(init=False)
    solver: Solver = field(init=False)
    chosen: dict[str, Option] = field(init=False)
    layout: str = field(init=False)
    cost: Cost = field(init=False)
    definitions: list[Given] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    """Letters whose definition could not be read."""
    doubtful: set[str] = field(default_factory=set)
    """The same above: here they may be other letters, where no definition from above leads to them."""
    dropped: set[str] = field(default_factory=set)
    """Letters whose definition above is of letters that are of another kind here."""
    recurrent: set[str] = field(default_factory=set)
    """Those of them that stand in it themselves, h_t = … h_{t-1} …, so that it matters even where h_t is held."""
    hidden: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rows_of: dict[str, tuple[str, str]] = field(default_factory=dict)
    forms: list[Given] = field(default_factory=list)
    """What letters are said to be besides, in other letters."""
    stated: list[Saying] = field(default_factory=list)
    _another: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        delta = self.above.chosen.get("δ")
        given = delta is not None and delta.rank > 1 and "δ" in self.above.definitions
        self.roles = Roles(self.records, self.facts, self.base, self.above.table.composite, given)
        weigh(self.records, self.roles, self.facts, self.above.chosen)
        self.doubtful = inherit(self.above, self.roles, self.facts, self.defines)
        rooted = {k for name, d in self.above.definitions.items() for k in (name, *d.rests)}
        rooted -= {n.letter for c in self.roles.candidates for n in names(c.head.args)}
        self.frame = Framer(self.roles, self.facts, self.base, self.above.chosen, rooted).frame()
        inherit_functions(self.above, self.frame, self.roles, self.defines, self.said_anew)
        self.solver = Solver(self.frame, self.roles)
        self.solver.prepare(self.records)
        self.solve()

    def key(self, name: Name) -> str:
        return self.roles.full_key(name)[0]

    def names(self, *nodes: object) -> set[str]:
        """The letters that are named in it, whatever they stand for."""
        return {self.key(n) for n in walk(nodes) if isinstance(n, Name)}

    def gives(self, key: str) -> bool:
        """An equation may give it."""
        return any(self.key(c.head.name) == key for c in self.roles.candidates)

    def defines(self, key: str) -> bool:
        """An equation gives it; an update w := w - … does not."""
        found = (c for c in self.roles.candidates if self.roles.key(c.head.name) == key)
        return any(all(n != c.head.name for n in walk(c.link.rhs)) for c in found)

    def solve(self) -> None:
        found = {}
        layouts = [self.base.layout] if self.base.layout else list(LAYOUTS)
        for layout in layouts:
            self.solver.layout = layout
            found[layout] = self.solver.solve()
        best = min(layouts, key=lambda x: (found[x][1][:2], found[x][1][2] + LAYOUTS.get(x, 0.0)))
        if best != layouts[0]:
            misfits = {x: self.misfits(x, found[x][0]) for x in layouts}
            best = min(layouts, key=lambda x: (misfits[x] if best != x else misfits[x] - 1, x != best))
        self.layout, (self.chosen, self.cost) = best, found[best]
        self.solver.layout = best

    def misfits(self, layout: str, chosen: dict[str, Option]) -> int:
        """How many formulas with derivatives do not go together with what their letters stand for."""
        known, self.definitions, self.chosen = self.definitions, list(self.definitions), chosen
        given = {d.key for d in known}
        for c in self.roles.candidates:
            key = self.roles.key(c.head.name)
            if key not in given:
                given.add(key)
                self.definitions.append(Given(key, Chain(c.chain.subjects, (c.link,), c.chain.span), "", c.record))
        pieces = [p for p in self.solver.pieces if p.differentiates]
        count = sum(not self.fits(p.chain, p.record, layout) for p in pieces)
        self.definitions = known
        return count

    # --- definitions -------------------------------------------------------------------------

    def definition(self, key: str, at: int) -> Given | None:
        """The one in force where a formula stands: the last above it, else the first below."""
        name = key.removesuffix(AT)
        above = [d for d in self.definitions if d.key == name and d.record <= at]
        if above:
            return above[-1]
        below = [d for d in self.definitions if d.key == name]
        if below:
            return below[0]
        found = self.above.definitions.get(name)
        if found is None or self.said_anew(name) or self.another_loss(name, found):
            return None
        if not self.same_kind(key, found):
            self.dropped.add(name)
            return None
        return found

    def another_loss(self, name: str, found: Given) -> bool:
        """L is only differentiated by what its definition above does not lead to: here it is any loss."""
        if name not in self._another:
            by = {k for r in self.records if r.loose is not None for k in self.derived_by(name, r)}

            def below(key: str) -> list[str]:
                rests = self.above.definitions.get(key.removesuffix(AT))
                own = [self.keys(d.chain) for d in self.definitions if d.key == key.removesuffix(AT)]
                return [*(rests.rests if rests is not None else ()), *(k for keys in own for k in keys)]

            reach = reached([name, *found.rests], below)
            self._another[name] = bool(by) and not by & reach
        return self._another[name]

    def derived_by(self, name: str, r: Record) -> Iterator[str]:
        for n in walk(r.loose):
            if isinstance(n, Derivative) and isinstance(n.body, Name) and self.roles.key(n.body) == name:
                yield from (self.roles.key(v) for v in n.wrt if isinstance(v, Name))
        if name == self.frame.table.upstream:
            yield from (self.roles.key(u.name) for u in r.uses.uses if u.after_d)

    def said_anew(self, name: str) -> bool:
        return any(self.roles.key(n) == name for n, _, _ in self.roles.members)

    def same_kind(self, key: str, found: Given) -> bool:
        """Every letter that the definition rests on is still what it was, and nothing defines it anew."""
        above = self.above
        if any(self.defines(n) for n in set(map(self.roles.key, names(found.chain))) - {key.removesuffix(AT)}):
            return False
        work, seen = list(found.rests), {key}
        while work:
            k = work.pop()
            was, now = above.chosen.get(k), self.chosen.get(k)
            if was is not None and now is not None and (was.rank, was.family) != (now.rank, now.family):
                return False
            name = k.removesuffix(AT)
            if k != key and (self.defines(name) or (self.said_anew(name) and was and now and was.shape != now.shape)):
                return False
            d = above.definitions.get(name) if k not in seen or k == key else None
            seen.add(k)
            work += [x for x in d.rests if x not in seen] if d is not None else ()
        return True

    def first_use(self, key: str) -> int:
        """The first formula that holds a letter."""
        return min((p.record for p in self.solver.pieces if key in p.keys and p.record >= 0), default=0)

    def keys(self, chain: Chain) -> tuple[str, ...]:
        found = self.solver.keys(chain)
        rows = self.rows_of.items()  # x_i may stand for a row of X
        wholes = (w for k in found for w, (item, _) in rows if item == k and w in self.frame.options)
        return tuple(dict.fromkeys((*found, *wholes)))

    # --- one statement -----------------------------------------------------------------------

    def table(
        self, chain: Chain, at: int, without: Sequence[Given] = (), chosen: Mapping[str, Option] | None = None,
        layout: str = "", extra: Sequence[Given] = (),
    ) -> Declarations:  # fmt: skip
        """The symbol table for one statement: its letters, what they rest on, sizes as far as these force them."""
        beyond = self.beyond(chain, at)
        more = [*(k for d in extra for k in self.keys(d.chain)), *sorted(set[str]().union(*beyond.values()))]
        options = chosen if chosen is not None else self.chosen
        rough, given = self.rests_on(chain, at, options, layout, without, extra, more)
        rough = replace(rough, beyond=beyond)
        table = self.named(rough, self.unified(rough, given, chain))
        derived = any(isinstance(n, (Derivative, Operator)) for n in walk(chain))
        return self.filled(table, given, chain, at, SOLVED if extra or derived else "", extra)

    def beyond(self, chain: Chain, at: int) -> dict[str, frozenset[str]]:
        """∂L/∂v of an L that nothing gives: what v leads to and L is differentiated by elsewhere, for each such L."""
        given = (self.definition(k, at) for k in self.keys(chain))  # x̄ for ∂L/∂x
        chains = [chain, *(d.chain for d in given if d is not None)]
        by = set[str]().union(*map(self.variables, chains))
        numbers = {k for c in chains for k in self.keys(c) if k in self.chosen and not self.chosen[k].rank} - by
        losses = [k for k in sorted(numbers) if self.definition(k, at) is None]
        led = by.copy()
        for _ in self.definitions if losses else ():
            rest = (d for d in self.definitions if d.key not in led and not self.variables(d.chain))
            led |= {d.key for d in rest if not led.isdisjoint(self.keys(d.chain))}
        uses = ((k, self.roles.arrays.get(k)) for k in led - by)
        nabla = {k for k, use in uses if use is not None and use.by["∇"]}
        made_of, records = self.facts.made_of, self.records
        all_ = {x: nabla.union(made_of.get(x, ()), *(self.derived_by(x, r) for r in records)) for x in losses}
        return {loss: frozenset(arrays & (led - by)) for loss, arrays in all_.items() if arrays & (led - by)}

    def variables(self, chain: Chain) -> set[str]:
        """What a statement differentiates by."""
        by = (n.wrt for n in walk(chain) if isinstance(n, (Derivative, Operator)))
        return {k for wrt in by for k in self.all_keys(Chain(wrt, ()))}

    def lapsed(self, at: int) -> list[Saying]:
        """Said to hold in a case that this may be in, too."""
        over = {s.of for s in in_force(self.stated, at)} | {s.of for s in self.stated if s.what == LEFT and s.at <= at}
        return [s for s in self.stated if s.what == STATED and s.holds and s.at <= at and s.of not in over]

    def unified(self, rough: Declarations, given: list[Given], chain: Chain) -> Unifier:
        sizes = Unifier()
        for whole, (item, axis) in self.rows_of.items():
            a, b = rough.arrays.get(whole), rough.arrays.get(item)
            if a is not None and b is not None and len(a.shape) == len(b.shape) == 2:
                shapes = Shapes(rough, sizes)
                wanted = a.shape[::-1] if axis == "column" else a.shape
                for x, y in zip(wanted, b.shape, strict=True):
                    sizes.same(shapes.size(x), shapes.size(y))
        for k, d in enumerate(given):
            self.constrain(rough, d.chain, sizes, f"{k}:")
        trial = sizes.copy()
        if self.constrain(rough, chain, trial):
            return trial
        for side in chain.sides:  # each makes sense by itself
            trial = sizes.copy()
            if self.constrain(rough, Chain((side,), ()), trial):
                sizes = trial
        return sizes

    def fits(self, chain: Chain, at: int, layout: str) -> bool:
        """A statement goes together with what it rests on, in one layout."""
        rough, given = self.rests_on(chain, at, self.chosen, layout)
        sizes = Unifier()
        for k, d in enumerate(given):
            self.constrain(rough, d.chain, sizes, f"{k}:")
        return self.constrain(rough, chain, sizes)

    def rests_on(
        self, chain: Chain, at: int, chosen: Mapping[str, Option], layout: str = "", without: Sequence[Given] = (),
        extra: Sequence[Given] = (), more: Sequence[str] = (),
    ) -> tuple[Declarations, list[Given]]:  # fmt: skip
        """A table of the letters of a statement (and `more`) and of those below them; the definitions it rests on."""
        keys = dict.fromkeys(self.keys(chain))
        given: dict[str, Given] = {d.key: d for d in extra}
        work = [*keys, *more]
        while work and len(given) < MAX_DEFINITIONS:
            key = work.pop(0)
            keys.setdefault(key)
            d = given.get(key) or self.leading(key, chain, at)
            if d is None or any(d is w for w in without) or (d.key in given and d not in extra):
                continue
            given[d.key] = d
            new = [k for k in self.keys(d.chain) if k not in keys]
            keys.update(dict.fromkeys(new))
            work += new
        rough = self.frame.with_arrays({k: chosen[k] for k in keys if k in chosen})
        layout = layout or self.base.layout or self.layout
        return replace(rough, layout=layout), list(given.values())  # type: ignore[arg-type]

    def clashes(self, chain: Chain, at: int, chosen: Mapping[str, Option]) -> int:
        """How many of the definitions that a statement rests on do not go together under a reading."""
        rough, given = self.rests_on(chain, at, chosen)
        sizes = Unifier()
        return sum(not self.constrain(rough, d.chain, sizes, f"{k}:") for k, d in enumerate(given))

    def constrain(self, rough: Declarations, chain: Chain, sizes: Unifier, tag: str = "") -> bool:
        try:
            resolved = Resolver(rough).chain(chain)
            left = resolved.subjects[-1]
            if not resolved.links:
                Shapes(rough, sizes, tag=tag).of(left)
            for link in resolved.links:
                shapes = Shapes(rough, sizes, tag=tag)
                trial = sizes.copy()
                shapes.sizes = trial
                shapes.sides(left, link.rhs)
                sizes.parent.update(trial.parent)
                left = link.rhs
        except (Misfit, SymbackpropError, RecursionError):
            return False
        return True

    def named(self, rough: Declarations, sizes: Unifier) -> Declarations:
        """Unknown sizes with names that nothing else has."""
        roles, base = self.roles, self.base
        taken = roles.used() | set(roles.arrays) | roles.sizes | roles.indices | set(base.sizes) | set(base.arrays)
        taken |= {s.last for s in self.frame.table.layers.values()} | set(self.frame.table.layered_sizes)
        return with_named_sizes(rough, sizes, taken)

    def symmetric(self, chain: Chain, at: int, assumed: Iterable[Saying]) -> Iterator[Saying]:
        """What is differentiated by is a variable, and symmetric all the same where its definition makes it so."""
        known = {s.of for s in assumed if s.what == "symmetric"}
        for d in filter(None, (self.definition(k, at) for k in sorted(self.variables(chain) - known))):
            whole = self.frame.with_arrays(self.chosen)
            try:
                rhs = Resolver(whole).chain(d.chain).links[0].rhs
            except (SymbackpropError, RecursionError):
                continue
            if own_transpose(rhs, known, whole):
                yield Saying(at, "symmetric", d.key)

    def filled(
        self, table: Declarations, given: list[Given], of: Chain, at: int, dropped: str, tried: Sequence[Given]
    ) -> Declarations:
        """With the definitions that are in force, and the hypotheses; what is only tried may make no sense."""
        definitions = list(table.definitions)
        for d in reversed(given):
            try:
                chain = Resolver(table).chain(d.chain)
                if table.einstein:
                    link = chain.links[0]
                    chain = replace(chain, links=(replace(link, rhs=cast(Expr, summed(link.rhs, table))),))
                chain, table = self.with_hidden(d.key, chain, table)
            except (SymbackpropError, RecursionError):
                if d.record >= 0 and d not in tried:  # what comes from above and does not fit here is another thing
                    self.unread.add(d.key)
                continue
            rhs = cast(Expr, diagonals(chain.links[0].rhs, table))
            chain = Chain(chain.subjects, (replace(chain.links[0], relation="=", rhs=rhs),), chain.span)
            definitions.append(Definition(chain, d.text, d.where))
        assumed = [s for s in in_force((*self.facts.sayings, *self.stated), at) if s.what != dropped]
        table = with_diagonals(assumed, table, {d.key for d in given}, definitions)
        assumed = [*assumed, *self.symmetric(of, at, assumed)]
        hypotheses = [*table.hypotheses, *filter(None, (hypothesis(x, table) for x in assumed))]
        axis = next((a for p, s, a in self.facts.softmaxes if p in table.arrays or s in table.arrays), "")
        return replace(
            table,
            definitions=tuple(definitions),
            hypotheses=tuple(hypotheses),
            softmax=table.softmax or axis,  # type: ignore[arg-type]
        )

    def with_hidden(self, key: str, chain: Chain, table: Declarations) -> tuple[Chain, Declarations]:
        return with_axes(key, chain, table, self.rows_of, self.hidden)

    @property
    def unwritten(self) -> Unwritten:
        return Unwritten(self.rows_of, self.hidden)
