"""Recurrences h_t = f(h_{t-1}, x_t): one step of them, and sums over all steps.

In a formula about one step h_t and h_{t-1} are arrays of their own.  Under a sum over t they are families, and what the
step before left, h_{t-1}, is one more of them: by the chain rule each use of a parameter counts by itself, so that what
the steps got is held.  The loss of which a formula differentiates is a sum of what its steps add; of all that comes
after the last array by which it differentiates, only its first derivative counts, so it is a linear function of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import TypeAlias, cast

from .walking import Statement, chains_of, mapped, names, reached, rebuilt, replaced, sum_over, transposed, walk
from .tree import Add, Binder, Chain, Derivative, Expr, Link, Name, Neg, Num, Product, Script, Sum, Transpose

Key: TypeAlias = tuple[str, str]
BEFORE, AFTER, ALONE, OPEN = "₋", "₊", "₁", "↻"  # the last of a loss that what is held leads to, too
ALIKE = "≙"
"""Between what is of one kind and shape: no statement of the text."""


def shift_of(name: Name, t: str) -> int | None:
    """0 of h_t, -1 of h_{t-1}."""
    first = name.sub.items[0] if name.sub is not None and name.sub.items else None
    match first:
        case Name(letter, "", None, (), 0) if letter == t:
            return 0
        case Add((Name(letter, "", None, (), 0), Neg(Num(k)) | Num(k) as by)) if letter == t and k.denominator == 1:
            return -int(k) if isinstance(by, Neg) else int(k)
    return None


def key(name: Name) -> Key:
    return name.mark, name.letter


@dataclass(slots=True)
class Time:
    """The recurrences of a section over the letter t."""

    t: str
    steps: dict[Key, Chain] = field(default_factory=dict)
    """k_t = …, by letter."""
    given: tuple[Chain, ...] = ()
    """The same, as they are written."""
    loss: Name | None = None
    total: Expr | None = None
    """Σ_t …, which gives the loss; `over` the steps that it is summed over."""
    over: Binder = field(default_factory=lambda: Binder(""))
    extra: list[Chain] = field(default_factory=list)
    shifts: set[int] = field(default_factory=lambda: {0})
    families: bool = False
    losses: int = 0

    # --- names -------------------------------------------------------------------------------

    def step(self, node: object, by: int = 0) -> object:
        """h_t as a letter; with `by` at another step."""

        def at_step(name: Name, sub: Script, shift: int) -> Name:
            rest, shift = sub.items[1:], shift + by
            kept = Script(sub.text.partition(",")[2] or "·", rest, span=sub.span) if rest else None
            mark = f"{shift:+d}" if shift else ""
            return replace(name, letter=f"{name.letter}_{self.t}{mark}", sub=kept)

        return self.renamed(node, at_step)

    def family(self, node: object) -> object:
        """h_t of all t; what the step before left is a family of its own."""

        def of_all(name: Name, sub: Script, shift: int) -> Name:
            mark = {0: "", -1: BEFORE, 1: AFTER}.get(shift, f"{shift:+d}")
            if not mark and self.loss is not None and key(name) == key(self.loss):
                mark = ALONE
            items = (Name(self.t, span=sub.span), *sub.items[1:])
            text = self.t + "".join(i.letter if isinstance(i, Name) else "·" for i in items[1:])
            return replace(name, letter=name.letter + mark, sub=Script(text, items, span=sub.span))

        return self.renamed(node, of_all)

    def renamed(self, node: object, f: Callable[[Name, Script, int], Name]) -> object:
        def rule(n: object) -> object:
            shift = self.shift(n)
            return n if shift is None else f(cast(Name, n), cast(Script, cast(Name, n).sub), shift)

        return rebuilt(node, rule)

    def shift(self, node: object) -> int | None:
        """0 of h_t, -1 of h_{t-1}; None of what has no t below."""
        return shift_of(node, self.t) if isinstance(node, Name) else None

    def by_way_of(self) -> None:
        """h_t = tanh(W h_{t-1}), beside z_t = W h_{t-1}: h_t = tanh(z_t)."""
        for k, chain in list(self.steps.items()):
            body, name = chain.links[0].rhs, chain.subjects[0]
            for other, c in list(self.steps.items()) if isinstance(body, (Add, Product)) else ():
                if other != k:
                    self.steps[other] = replace(c, links=(*replaced(c.links[:1], body, name), *c.links[1:]))

    # --- what leads where --------------------------------------------------------------------

    def within(self, k: Key) -> set[Key]:
        """What k_t is made of in its step."""
        return reached([k], lambda u: {key(n) for n, shift in self.timed(self.steps.get(u)) if shift == 0})

    def timed(self, node: object) -> Iterator[tuple[Name, int]]:
        for n in names(node.links[0].rhs if isinstance(node, Chain) else node):
            if (shift := self.shift(n)) is not None:
                yield n, shift

    def uses(self, k: Key, p: Name) -> bool:
        chain = self.steps.get(k)
        return chain is not None and p in names(chain.links[0].rhs)

    def follows(self, k: Key) -> set[Key]:
        """What uses k_t, in this step or the next."""
        return {other for other, c in self.steps.items() if any(key(n) == k for n, _ in self.timed(c))} - {k}

    def only_through(self, parameter: Name, k: Key) -> bool:
        """Every way from a parameter on goes through k."""
        inside, first = self.within(k), {u for u in self.steps if self.uses(u, parameter)}
        ways = reached(first - {k}, lambda u: self.follows(u) - {k})
        return all(u in inside and not self.in_total(u) for u in ways)

    def in_total(self, k: Key) -> bool:
        return self.total is not None and any(key(n) == k for n, _ in self.timed(self.total))

    # --- derivatives of the loss -------------------------------------------------------------

    def derived(self, node: object) -> Iterator[tuple[Name, int]]:
        """By which arrays, at which steps, the loss is differentiated; also behind a letter such as δ_t."""
        for n in walk(node):
            if isinstance(n, Derivative) and self.is_loss(n.body) and len(n.wrt) == 1:
                by = n.wrt[0]
                if isinstance(by, Name) and (shift := self.shift(by)) is not None:
                    yield replace(by, sub=None), shift
            if isinstance(n, Name) and (shift := self.shift(n)) is not None and (d := self.signal(n)) is not None:
                yield replace(cast(Name, d.wrt[0]), sub=None), shift

    def signal(self, name: Name) -> Derivative | None:
        """∂L/∂z_t of a letter δ_t that is given as this."""
        chain = self.steps.get(key(name))
        rhs = chain.links[0].rhs if chain is not None else None
        if isinstance(rhs, Derivative) and self.is_loss(rhs.body) and len(rhs.wrt) == 1:
            by = rhs.wrt[0]
            if isinstance(by, Name) and self.shift(by) == 0 and by.sub is not None and len(by.sub.items) == 1:
                return rhs
        return None

    def is_loss(self, node: Expr) -> bool:
        return isinstance(node, Name) and self.loss is not None and node == self.loss

    def with_loss(self, node: object, loss: Name) -> object:
        """The formula with another loss, also in its δ_t."""
        if isinstance(node, Script):
            return node
        if isinstance(node, Name) and node == self.loss:
            return replace(loss, span=node.span)
        if isinstance(node, Name) and self.shift(node) is not None and (d := self.signal(node)) is not None:
            assert node.sub is not None
            by = replace(cast(Name, d.wrt[0]), sub=replace(node.sub, items=node.sub.items[:1]), span=node.span)
            out: Expr = Derivative(replace(loss, span=node.span), (by,), d.total, node.span)
            out = transposed(out, sum(s.transposes for s in node.sups), node.span)
            return out
        return mapped(node, lambda c: self.with_loss(c, loss))

    def with_loss_in(self, chain: Chain, by: Name) -> Chain:
        """δ_t = ∂L/∂z_t itself."""
        if self.total is None:
            return chain
        loss = self.new_loss(linear(Name(self.fresh("g")), cast(Expr, self.step(self.at(by, 0)))))
        return replace(chain, links=cast("tuple[Link, ...]", self.with_loss(chain.links, loss)))

    def fresh(self, letter: str) -> str:
        self.losses += 1
        return f"{letter}↾{self.losses}"

    def last(self, letters: Sequence[Name]) -> Name | None:
        """The one that all others lead to in their step."""
        found = [k for k in letters if all(key(o) in self.within(key(k)) for o in letters)]
        return found[0] if found else None

    def at(self, name: Name, shift: int) -> Name:
        index: Expr = Name(self.t)
        if shift:
            index = Add((index, Num(Fraction(shift)) if shift > 0 else Neg(Num(Fraction(-shift)))))
        return replace(name, sub=Script(f"{self.t}{shift:+d}" if shift else self.t, (index,)), sups=())

    def one_step(self, chain: Chain) -> Chain:
        """A claim about one step: of the loss counts what steps add from the first on, and what follows the last."""
        by = [*self.derived(chain.subjects), *self.derived(chain.links)]
        above = list(self.derived(chain.links))
        second = any(isinstance(n, Derivative) and self.is_loss(n.body) and len(n.wrt) > 1 for n in walk(chain))
        if self.loss is None or self.total is None or not by or second:
            return cast(Chain, self.step(chain))
        a, b = min(s for _, s in by), max(s for _, s in by)
        terms = [cast(Expr, self.step(self.total, s)) for s in range(a, b)]
        terms += self.rest([k for k, s in by if s == b], [k for k, s in above if s == b], b)
        loss = self.new_loss(Add(tuple(terms)) if len(terms) > 1 else terms[0])
        self.shifts |= set(range(a, b + 2))
        return cast(Chain, self.step(self.with_loss(chain, loss)))

    def rest(self, letters: Sequence[Name], above: Sequence[Name], b: int) -> list[Expr]:
        """What the loss is of the arrays of the last step that a formula speaks of.

        A linear function of the array that the right side differentiates by, and of what the next step gets past it;
        where that is none, what the step adds, and what the next one gets.
        """
        end = self.last(letters) if above else None
        cut = key(end) if end is not None else None

        def above_it(k: Key) -> set[Key]:
            return {o for o, c in self.steps.items() if any(key(n) == k and s == 0 for n, s in self.timed(c))} - {cut}

        seen = reached({key(k) for k in letters} - {cut}, above_it)
        out: list[Expr] = []
        if end is not None:
            out.append(linear(Name(self.fresh("g")), cast(Expr, self.step(self.at(end, b)))))
        if any(map(self.in_total, seen)):
            out.append(cast(Expr, self.step(self.total, b)))
        for c in self.steps.values():
            if any(s == -1 and key(n) in seen for n, s in self.timed(c)):
                name = replace(cast(Name, c.subjects[0]), sub=None)
                out.append(linear(Name(self.fresh("g")), cast(Expr, self.step(self.at(name, b + 1)))))
        return out or [cast(Expr, self.step(self.total, b))]

    def new_loss(self, body: Expr) -> Name:
        assert self.loss is not None
        loss = replace(self.loss, letter=self.fresh(self.loss.letter))
        self.extra.append(Chain((loss,), (Link("=", body),)))
        return loss

    def all_steps(self, chain: Chain) -> Chain:
        """∂L/∂W = Σ_t …: of the loss counts what it is of the arrays that W goes through."""
        found = (n for n in walk(chain) if isinstance(n, Derivative) and isinstance(n.body, Name) and n.body.bare)
        slopes = {(cast(Name, n.body), n.wrt) for n in found if self.shift(n.wrt[0]) is None and not self.of_data()}
        by = {key(k): k for k, s in self.derived(chain) if s == 0}
        match [*slopes]:
            case [(loss, (Name() as parameter,))] if loss == self.loss and len(by) < 2:
                if (body := self.summed(parameter, list(by.values()))) is not None:
                    self.families = True
                    return cast(Chain, self.family(self.with_loss(chain, self.new_loss(body))))
        for loss, _ in slopes:
            chain = replaced(chain, loss, replace(loss, letter=loss.letter + OPEN))
        return cast(Chain, self.family(chain))

    def summed(self, parameter: Name, by: Sequence[Name]) -> Expr | None:
        """What the loss is of the parameter, given what each step got; None where a later step gets it, too."""
        if by and self.only_through(parameter, key(by[0])):
            g = self.at(Name(self.fresh("g")), 0)
            return Sum((Binder(self.t),), linear(g, cast(Expr, self.family(self.at(by[0], 0)))))
        if by or self.total is None or self.feeds_back(parameter):
            return None
        return Sum((self.over,), cast(Expr, self.family(self.total)))

    def feeds_back(self, parameter: Name) -> bool:
        """A later step depends on it."""
        return any(self.uses(u, parameter) for k in self.passed() for u in self.within(k))

    def passed(self) -> set[Key]:
        return {key(n) for c in self.steps.values() for n, shift in self.timed(c) if shift < 0}

    def of_data(self) -> bool:
        """x_t = c + φ x_{t-1} + ε_t, where the loss is made of x alone and no equation gives ε: x is what it is."""
        rests = (self.steps[k].links[0].rhs for k in self.passed() & self.steps.keys())
        added = [a for rhs in rests if isinstance(rhs, Add) for a in rhs.args if isinstance(a, Name)]
        noisy = any(self.shift(a) == 0 and key(a) not in self.steps for a in added)
        return noisy and {key(n) for n, _ in self.timed(self.total)} == self.passed()


def linear(g: Name, k: Expr) -> Expr:
    return Product((Transpose(g), k), ("",))


def in_time(
    statements: Sequence[Statement | None], ranges: Sequence[str]
) -> tuple[list[Statement | None], list[Chain]]:
    """The formulas of a section with its recurrences, and the definitions that these bring with them."""
    time = recurrence(statements, ranges)
    if time is None:
        return list(statements), []
    out = [None if s is None else s.rewritten(partial(written, time)) for s in statements]
    used = {key(n) for n in names((*out, *time.extra))}
    given = {
        (k[0], f"{k[1]}_{time.t}{s:+d}"): cast(Chain, time.step(chain, s))
        for k, chain in time.steps.items() for s in sorted(time.shifts - {0})
    }  # fmt: skip
    ahead = {k for k in used if "+" in k[1]}  # h_{t+1} is made of a_{t+1}, and that of h_t
    used |= reached(ahead, lambda k: {key(n) for n in names(given.get(k)) if "+" in n.letter})
    time.extra += [chain for k, chain in given.items() if k in used]
    for chain in time.steps.values():
        if time.families and time.signal(cast(Name, chain.subjects[0])) is None:
            time.extra.append(cast(Chain, time.family(chain)))
    return out, [*time.extra, *alike(time, used), *members(time, statements)]


def alike(time: Time, used: set[Key]) -> Iterator[Chain]:
    """h_{t-1} ≙ h_t: of one kind."""
    for n in range(1, time.losses + 1):
        if time.loss is not None and (time.loss.mark, name := f"{time.loss.letter}↾{n}") in used:
            yield like(replace(time.loss, letter=name), time.loss)
    letters = {k for k in used if any(k[1].endswith(f"_{time.t}{s:+d}") for s in time.shifts - {0})}
    for mark, letter in sorted(letters):
        base = letter[: letter.rindex(f"_{time.t}")]
        yield like(Name(letter, mark), Name(f"{base}_{time.t}", mark))
    for mark, letter in sorted(used):
        base = letter.rstrip(BEFORE + AFTER + ALONE)
        if time.loss is not None and (mark, letter) == key(time.loss):
            continue
        if (mark, f"{base}_{time.t}") in used and ((mark, base) in used or base != letter):
            yield like(time.at(Name(letter, mark), 0), Name(f"{base}_{time.t}", mark))


def like(a: Name, b: Name) -> Chain:
    return Chain((a,), (Link(ALIKE, b),))


def members(time: Time, statements: Sequence[Statement | None]) -> Iterator[Chain]:
    """h_t ∈ ℝ^n, also of the families."""
    for chain in chains_of(statements):
        if not chain.links or not time.families:
            continue
        if not isinstance(chain.subjects[-1], (Name, Derivative)) and chain.links[0].relation == "=":
            yield cast(Chain, time.family(chain))  # Σ_k y_{t,k} = 1, if it is assumed
        if chain.links[0].relation in ("∈", "~"):
            subjects = tuple(x for x in chain.subjects if isinstance(x, Name) and shift_of(x, time.t) == 0)
            before = (replace(x, letter=x.letter + BEFORE) for x in subjects)
            for x in (*subjects, *before):
                yield replace(chain, subjects=(x,))


def written(time: Time, chain: Chain) -> Chain:
    first = chain.subjects[-1] if len(chain.subjects) == 1 else None
    gives = isinstance(first, Name) and any(c is chain for c in time.given)
    sums = any(isinstance(n, Sum) and n.kind == "sum" and any(b.name == time.t for b in n.binders) for n in walk(chain))
    if gives and isinstance(first, Name) and (signal := time.signal(first)) is not None:
        by = replace(cast(Name, signal.wrt[0]), sub=None)
        return cast(Chain, time.step(time.with_loss_in(chain, by)))
    if gives or not chain.links:
        return cast(Chain, time.step(chain))
    if isinstance(first, Name) and first == time.loss:
        time.families = True
        return cast(Chain, time.family(chain))
    return time.all_steps(chain) if sums else time.one_step(chain)


def recurrence(statements: Sequence[Statement | None], ranges: Sequence[str]) -> Time | None:
    chains = list(chains_of(statements))
    nodes = [n for c in chains for n in walk(c)]
    for t in dict.fromkeys(n.letter for c in chains if (n := index_of(c)) is not None):
        time = Time(t)
        for c in chains:
            match c:
                case Chain((Name(sub=Script(items=(_,)), sups=(), primes=0) as first,), (Link("=" | ":=" | "≡"), *_)):
                    if shift_of(first, t) == 0:
                        time.steps.setdefault(key(first), c)
        time.given = tuple(time.steps.values())
        if not any(shift == -1 for c in time.steps.values() for _, shift in time.timed(c)):
            continue
        time.by_way_of()
        back = {key(n) for c in time.steps.values() for n, shift in time.timed(c) if shift == -1}
        if not any(back & time.within(k) for k in time.steps) or not back & time.steps.keys():
            continue
        summed = any(isinstance(n, Binder) and n.name == t for n in nodes)
        time.shifts |= {s for n in nodes if isinstance(n, Name) and (s := shift_of(n, t)) is not None}
        losses = {n.body for n in nodes if isinstance(n, Derivative) and isinstance(n.body, Name) and n.body.bare}
        total = dict(found for c in chains if (found := sum_over(c, t)) is not None)
        given = [x for x in losses if x in total]
        if len(given) == 1 or len(losses) == 1:
            time.loss = given[0] if given else next(iter(losses))
            time.over, time.total = total.get(time.loss, (Binder(t), None))
        signals = any(time.signal(cast(Name, c.subjects[0])) is not None for c in time.steps.values())
        if summed or t in ranges or signals:
            return time
    return None


def index_of(chain: Chain) -> Name | None:
    """The t of h_t = …."""
    match chain.subjects:
        case (Name(_, _, Script(items=(Name(_, "", None, (), 0) as t,))),) if chain.links:
            return t
    return None
