"""The only way to the word `proved`: the independent checker accepts a certificate, and it states what was claimed.

For functions a claim says: for all sizes from 1 on, and all real values inside the hypotheses at which every step of
the forward has a value, and a derivative where the variable is its argument: the right side has a value, and it is the
left side.  For formulas: for all values where both sides have a value, and these are dense among those where the left
side has one.

Of all the program nothing else is believed: whatever finds proofs, the kernel by which it checks its own steps, and
what writes certificates may be wrong, and no false theorem comes of it.  What a theorem excuses is part of it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from symbackprop.checker import recheck
from symbackprop.checker.recheck import Refused, accepted, begin, says

from .context import Context, Equation
from .indices import ProofError, refusing, require
from .stated import Stated
from .statement import Excused, Statement

TURN = recheck.LOCK  # who holds it has the checker to himself


@dataclass(frozen=True, slots=True)
class Theorem:
    """The statement holds; what it excuses, the hypotheses it used, and the certificate that was checked."""

    statement: Statement
    excused: tuple[Excused, ...]
    hypotheses: tuple[str, ...]
    rows: Mapping[str, Any] = field(repr=False)


@dataclass(slots=True)
class Session:
    """Theorems shown one after the other: the rows of each go on from those before, as does what was checked.

    All that is known here is when it began: what was read and checked is the checker's own, and no one hands it over.
    """

    epoch: int | None = None

    def alive(self) -> bool:
        """Whether the checker remembers it: nobody else has asked since."""
        return self.epoch in (None, recheck.EPOCH)

    def holds(self, rows: Mapping[str, list[Any]]) -> bool:
        """Whether so many rows were read of each table, so that others may go on from these."""
        return self.epoch == recheck.EPOCH and all(
            len(rows.get(f"{table}s", ())) == len(read) for table, read in recheck.ROWS.items()
        )


def theorem(
    statement: Statement, rows: Mapping[str, Any], facts: Iterable[Excused] = (), session: Session | None = None
) -> Theorem:
    """The statement as a theorem, by the rows of its certificate; of the facts those are excused that it used.

    Raises ProofError where the rows do not show it, and where a fact that they use is not among these.
    """
    with checking("argument", session is None):
        found, said = accepted(dict(rows), None if session is None else session.epoch), Stated()
        if session is not None:
            session.epoch = recheck.EPOCH
        require(found.claim == said.statement(statement), "another statement was shown")
        listed = [(e, said.predicate(e.predicate)) for e in facts]
        used = {nearest(fact, [p for _, p in listed]) for name, fact in found.facts.items() if name in found.used}
        hypotheses = tuple(name for name in statement.context.hypotheses if name in found.used)
        return Theorem(statement, tuple(listed[k][0] for k in sorted(used)), hypotheses, rows)


def nearest(fact: Any, listed: list[Any]) -> int:
    """The place of a predicate that says the fact; of the same one, if it is there."""
    fits = [(not says(fact, p), k) for k, p in enumerate(listed) if says(p, fact)]
    require(bool(fits), "more is excused than is said")
    return min(fits)[1]


def proved(equation: Equation, context: Context, rows: Mapping[str, Any]) -> Equation:
    """The equation under its conditions, by the rows of a proof.  Raises ProofError where they do not prove it."""
    with checking("proof"):
        require(accepted(rows).claim == Stated().equation(equation, context), "another equation was proved")
        return equation


@contextmanager
def checking(what: str, alone: bool = True) -> Iterator[None]:
    """While the checker remembers what it was given, no longer if it stands alone; what it refuses is refused."""
    with refusing(what), TURN:
        collecting = gc.isenabled()
        try:
            gc.disable()  # all that the checker makes goes with what it remembers
            yield
        except Refused as cause:
            raise ProofError(str(cause)) from None
        finally:
            if alone:
                begin({})
            if collecting:
                gc.enable()
