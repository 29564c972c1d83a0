"""Verdicts on the statements of a document for tests, by another way than the prover: derivatives are worked out
under the kernel, and both sides compared at many points."""

from __future__ import annotations

from symbackprop.core.kernel import check
from symbackprop.core.terms import Diff, Sum, Term, Whole, arguments, bind, opened, opened_whole, over, rebuilt
from symbackprop.numbers.refute.points import Question
from symbackprop.numbers.refute.search import search
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.read.notes.files.place import ReadError, Unsettled
from symbackprop.read.notes.statements.claims import Claim, ShapeJudgement, Unequal, elaborate
from symbackprop.read.notes.statements.statements import Reading


def worked_out(t: Term, claim: Claim, names: Names) -> Term:
    """`t` with each derivative replaced by what the kernel says it is."""
    match t:
        case Diff(body, wrt):
            inner = worked_out(body, claim, names)
            value, proof = differentiate(inner, wrt, claim.cut(wrt.array), names)
            equation = check(proof, claim.cut(wrt.array))
            assert (equation.lhs, equation.rhs) == (Diff(inner, wrt), value)
            return value
        case Sum(size, _, _):
            i = names.new(size)
            return over(i, worked_out(opened(t, i), claim, names))
        case Whole():
            axes = tuple(names.new(s) for s in t.sizes)
            body = bind(axes, worked_out(opened_whole(t, axes), claim, names))
            return Whole(t.fn, t.order, t.sizes, body, t.at, t.hints)
        case _:
            parts = arguments(t)
            return rebuilt(t, tuple(worked_out(p, claim, names) for p in parts)) if parts else t


def judged(reading: Reading, budget: int = 6) -> tuple[str, str]:
    """(verdict, why): holds, refuted, ill-formed, unknown, or remark."""
    try:
        found = elaborate(reading)
    except Unsettled as error:
        return "unknown", error.message
    except ReadError as error:
        return "ill-formed", error.message
    if reading.kind == "definition" and not isinstance(found, Unequal):
        return "holds", reading.note
    if found is None:
        return "remark", reading.note
    if isinstance(found, Unequal):
        return "refuted", found.message
    if isinstance(found, ShapeJudgement):
        return ("holds" if found.holds else "ill-formed"), found.message
    names = Names()
    lhs, rhs = worked_out(found.lhs, found, names), worked_out(found.rhs, found, names)
    hypotheses = tuple(found.context.hypotheses.values())
    outcome = search(
        Question(lhs, rhs, found.free, {}, hypotheses, found.context.definitions, {}, found.shapes), budget
    )
    if outcome.counterexample is not None:
        return "refuted", "; ".join(found.readings)
    return ("holds" if "agree" in outcome.reason else "unknown"), "; ".join(found.readings) or outcome.reason
