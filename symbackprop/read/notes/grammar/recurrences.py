"""A section with recurrences over time: which there are, and the definitions that they bring with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

from .in_time import AFTER, ALIKE, ALONE, BEFORE, Key, Time, key, shift_of
from .statement import Statement, chains_of
from .tree import Binder, Chain, Derivative, Expr, Link, Name, Neg, Product, Script, Sum
from .walking import bracketed, names, walk


def in_time(
    statements: Sequence[Statement | None], ranges: Sequence[str]
) -> tuple[list[Statement | None], list[Chain]]:
    """The formulas of a section with its recurrences, and the definitions that these bring with them."""
    time = recurrence(statements, ranges)
    if time is None:
        return list(statements), []
    out = [None if s is None else s.rewritten(partial(written, time)) for s in statements]
    used = {key(n) for n in names((*out, *time.extra))}
    for k, chain in time.steps.items():
        for s in sorted(time.shifts - {0}):
            if (k[0], f"{k[1]}_{time.t}{s:+d}") in used:
                time.extra.append(cast(Chain, time.step(chain, s)))
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
    sums = any(isinstance(n, Sum) and any(b.name == time.t for b in n.binders) for n in walk(chain))
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
            equal = len(c.subjects) == 1 and bool(c.links) and c.links[0].relation in ("=", ":=", "≡")
            first = c.subjects[0] if equal else None
            if isinstance(first, Name) and shift_of(first, t) == 0 and len(cast(Script, first.sub).items) == 1:
                if not first.sups and not first.primes:
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
        losses = {n.body for n in nodes if isinstance(n, Derivative) and plain(n.body)}
        total = {c.subjects[0]: body for c in chains if (body := sum_over(c, t)) is not None}
        given = [x for x in losses if x in total]
        if len(given) == 1 or len(losses) == 1:
            time.loss = cast(Name, given[0] if given else next(iter(losses)))
            time.total = total.get(time.loss)
        signals = any(time.signal(cast(Name, c.subjects[0])) is not None for c in time.steps.values())
        if summed or t in ranges or signals:
            return time
    return None


def plain(node: Expr) -> bool:
    return isinstance(node, Name) and node.sub is None and not node.sups and not node.primes


def index_of(chain: Chain) -> Name | None:
    """The t of h_t = …."""
    match chain.subjects:
        case (Name(_, _, Script(items=(Name(_, "", None, (), 0) as t,))),) if chain.links:
            return t
    return None


def sum_over(chain: Chain, t: str) -> Expr | None:
    """What L = Σ_t … sums; with a factor in front of it."""
    if len(chain.subjects) != 1 or not plain(chain.subjects[0]) or not chain.links:
        return None
    match chain.links[0].rhs:
        case Sum((Binder(name),), body, ()) if name == t:
            return body
        case Neg(Sum((Binder(name),), body, ())) if name == t:
            return Neg(body, body.span)
        case Product((*front, Sum((Binder(name),), body, ()))) as whole if name == t:
            return Product((*front, bracketed(body)), ("",) * len(front), whole.span)
    return None
