"""A verdict about functions in one line, for logs: `relu: refuted (x proved; w missing factor 2)`."""

from __future__ import annotations

from symbackprop.decide.status import PROVED

from .judged import Judged

WIDEST = 120


def one_line(target: str, verdict: Judged) -> str:
    """The variables in turn where there are several; what is wrong in its first words."""
    parts = verdict.gradients or {"": verdict}
    said = [" ".join(filter(None, (name, *words(v, named=bool(name))))) for name, v in parts.items()]
    tail = "; ".join(filter(None, said))
    line = f"{target}: {verdict.status}" + (f" ({tail})" if tail else "")
    return line if len(line) <= WIDEST else line[: WIDEST - 1] + "…"


def words(v: Judged, named: bool) -> tuple[str, ...]:
    if v.status == PROVED:
        return (v.status,) if named else ()
    status = (v.status,) if named and not v.mistake else ()
    return (*status, v.mistake or " ".join(v.reason.split()))
