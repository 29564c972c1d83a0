"""The first wrong line of a backward function, and its repair: the user's code with that line mended, proved again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.core.theorem import Theorem
from symbackprop.decide.decide import prove
from symbackprop.gradients.checking import BackwardCheck
from symbackprop.gradients.wrong_line import WrongLine, factor_text
from symbackprop.repair.search import OTHER
from symbackprop.write.program.mending import Mended, line_of

from .claims import Claim, Setting, named_problem
from .sweep import Sweep, tried
from .verdict import Repaired, Verdict, WrongStep

SHORT = 90  # characters of an expression in a name


def with_line(claim: Claim, setting: Setting, verdict: Verdict) -> Verdict:
    """The same verdict with the first wrong line, where one is found."""
    own = setting.sweep is not None and setting.sweep.is_own(claim.name, claim.lhs, claim.found)
    line = setting.sweep.line(claim.name) if setting.sweep is not None and own else None
    if line is None or setting.sweep is None:
        return verdict
    change = setting.sweep.mended(line)
    claimed, derived = (change.before, change.after) if change else (line_of(line), "")
    return replace(verdict, line=WrongStep(line.message, line.place, claimed, derived))


def repaired(claim: Claim, setting: Setting) -> Repaired | None:
    """The user's code with its line mended, or the derived gradient; proved."""
    sweep = setting.sweep
    if sweep is None or not sweep.is_own(claim.name, claim.lhs):
        return None
    line, written = sweep.line(claim.name), sweep.program()
    for check, change in candidates(sweep, line, claim.name):
        problem = named_problem(claim, setting, check)
        found = None if problem is None else prove(problem)
        if problem is not None and isinstance(found, Theorem) and written is not None:
            text, latex = written.formulas(claim.name)
            code = tried(written.source) or "" if change is None else change.source
            return Repaired(mistake_of(line, change), text, latex, code, problem.statement.rhs, found, claim.wanted)
    return None


def candidates(sweep: Sweep, line: WrongLine | None, variable: str) -> Iterator[tuple[BackwardCheck, Mended | None]]:
    again = None if line is None else sweep.again(line)
    if line is not None and again is not None and variable not in again.wrong:
        yield again, sweep.mended(line)
    derived = sweep.derived()
    if derived is not None and variable in derived.results:
        yield derived, None


def mistake_of(line: WrongLine | None, change: Mended | None) -> str:
    """What is proved to be wrong: a factor, or a line that `change` has mended."""
    if line is None or (line.factor is None and change is None):
        return OTHER
    if line.factor is None or change is None:
        return instead(line, change)
    text = factor_text(line.factor)
    if text == "-1":
        return "sign"
    return f"sign and missing factor {text[1:]}" if text[0] == "-" else f"missing factor {text}"


def instead(line: WrongLine, change: Mended | None) -> str:
    """One name, or one expression, in place of another."""
    node, wanted = line.node, line.wanted
    if change is None or wanted is None:
        return OTHER
    if node.name and wanted.name and node.name not in (wanted.name, f"d{wanted.name}") and not wanted.backward:
        return f"`{node.name}` in place of `{wanted.name}`"
    sides = change.parts
    return f"`{sides[0]}` in place of `{sides[1]}`" if all(0 < len(s) <= SHORT for s in sides) else OTHER


__all__ = ["repaired", "with_line"]
