"""Reports of verdicts about functions: one line for logs, SARIF, a counterexample as a test that needs NumPy only.

They read of a verdict what they need, without knowing the room that it comes from.
"""

from __future__ import annotations


from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol
from symbackprop.decide.outcomes import PROVED, RULES, Checked, Rule, rule_of
from symbackprop.numbers.duals import to_float
from pathlib import Path
from urllib.parse import quote
from symbackprop.read.notes.files.place import Place


class Judged(Protocol):
    """What is read of a verdict."""

    @property
    def status(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def mistake(self) -> str | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def repair(self) -> Any: ...
    @property
    def counterexample(self) -> Any: ...
    @property
    def reading(self) -> Mapping[str, Any]: ...
    @property
    def gradients(self) -> Any: ...


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


def function_sarif(judged: Iterable[tuple[str, int, Judged]], version: str) -> dict[str, Any]:
    """A log with one result for each gradient that is not proved, of (file, line, verdict)."""
    return sarif_log((r for path, line, verdict in judged for r in results(path, line, verdict)), version)


def results(path: str, line: int, verdict: Judged) -> Iterator[dict[str, Any]]:
    for v in verdict.gradients.values() or [verdict]:
        if (rule := rule_of(v.status, v.mistake, v.reason)) is not None:
            step = getattr(v, "line", None)
            file, wrong = getattr(step, "place", None) or (path, line)
            physical = {"artifactLocation": {"uri": uri(file)}, "region": {"startLine": wrong}}
            yield result(rule, v.status, text_of(v), physical)


def text_of(v: Judged) -> str:
    said = v.mistake or v.reason or "there is a counterexample"
    text = f"the gradient of {v.name} is {v.status}: {said}" if v.name else said
    return text if v.repair is None else f"{text}. Proved instead: {v.repair.text}"


TEST = '''def test_{backward}_by_{name}():
    """{mistake}"""
{arrays}

    def loss({name}):
        return np.sum({weighted})

    at, step = {at}, 1e-6
    up, down = np.array({name}), np.array({name})
    up[at] += step
    down[at] -= step
    wanted = (loss(up) - loss(down)) / (2 * step)  # {lhs}
    found = {backward}({arguments})
    if isinstance(found, dict | list | tuple):
        found = found[{name!r} if isinstance(found, dict) else {place}]
    assert np.shape(found) == np.shape({name})
    assert np.isclose(np.asarray(found)[at], wanted, rtol=1e-4, atol=1e-6)  # {rhs}
'''
HEAD = """import numpy as np
from {module} import {names}


"""


def counterexample_tests(verdict: Judged, module: str) -> str:
    """The tests for a `module` that has the functions; "" where nothing is refuted by values of two plain functions."""
    found = [(v, t) for v in verdict.gradients.values() or [verdict] if (t := written_test(v))]
    if not found:
        return ""
    functions = found[0][0].reading["functions"]
    names = ", ".join(dict.fromkeys(functions[role]["name"] for role in ("backward", "forward")))
    return HEAD.format(module=module, names=names) + "\n\n".join(t for _, t in found)


def written_test(v: Judged) -> str:
    c, reading = v.counterexample, v.reading
    values = getattr(c, "values", None)
    functions = reading.get("functions", {})
    names = [functions.get(role, {}).get("name", "") for role in ("forward", "backward")]
    takes = reading.get("arguments", {})
    if values is None or getattr(c, "rhs", None) is None or not takes or not all(n.isidentifier() for n in names):
        return ""
    forward, backward = names
    upstream = [n for n in takes["backward"] if n in values and n not in reading["shapes"]]
    if len(upstream) > 1 or any(n not in values and n not in reading["values"] for n in [*takes["forward"], v.name]):
        return ""
    output = f"{forward}({keywords(takes['forward'])})"
    given = {**{n: repr_of(x) for n, x in values.items()}, **reading["values"]}
    used = dict.fromkeys([*takes["forward"], *takes["backward"]])
    return TEST.format(
        name=v.name, backward=backward, mistake=f"{v.mistake or 'another value'}, as symbackprop found.",
        arrays="\n".join(f"    {n} = {given[n]}" for n in used if n in given),
        weighted=f"{upstream[0]} * {output}" if upstream else output, at=position(c, values[v.name]),
        lhs=f"{c.as_json()['lhs_float']:.6g}", rhs=f"it is {c.as_json()['rhs_float']:.6g}",
        arguments=keywords(takes["backward"]), place=reading["wrt"].index(v.name),
    )  # fmt: skip


def keywords(names: list[str]) -> str:
    return ", ".join(f"{n}={n}" for n in names)


def position(c: Any, values: Any) -> str:
    """The axes are called w0, w1, ...; those of length 1 are not mentioned."""
    axes = 0
    while isinstance(values, list):
        axes, values = axes + 1, values[0] if values else None
    return repr(tuple(c.index.get(f"w{k}", 0) for k in range(axes)))


def repr_of(values: Any) -> str:
    whole = all(isinstance(x, int) for x in entries(values))
    return f"np.array({numbers(values)}{'' if whole else ', dtype=float'})"


def entries(values: Any) -> Iterator[Any]:
    if isinstance(values, list):
        for x in values:
            yield from entries(x)
    else:
        yield values


def numbers(values: Any) -> Any:
    """Entries that the claim does not look at are 1."""
    if isinstance(values, list):
        return [numbers(x) for x in values]
    return 1 if values is None else values if isinstance(values, int) else to_float(values)


# --- results as SARIF 2.1.0, which editors and code hosting show beside the lines ---


LEVELS = {"SB1": "error", "SB2": "error", "SB3": "warning"}


def sarif_log(results: Iterable[dict[str, Any]], version: str) -> dict[str, Any]:
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "symbackprop", "version": version, "rules": list(map(rule, RULES))}},
                "columnKind": "unicodeCodePoints",
                "results": list(results),
            }
        ],
    }


def rule(r: Rule) -> dict[str, Any]:
    return {
        "id": r.code,
        "name": r.name,
        "shortDescription": {"text": r.what},
        "defaultConfiguration": {"level": LEVELS[r.code[:3]]},
    }


def result(r: Rule, verdict: str, text: str, physical: dict[str, Any]) -> dict[str, Any]:
    """One result, at a place: `physical` as SARIF calls it."""
    return {
        "ruleId": r.code,
        "ruleIndex": RULES.index(r),
        "level": LEVELS[r.code[:3]],
        "message": {"text": text},
        "locations": [{"physicalLocation": physical}],
        "properties": {"verdict": verdict},
    }


def uri(name: str) -> str:
    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def document_sarif(statements: Iterable[Checked], version: str) -> dict[str, Any]:
    """A log with one result for each statement that is not proved."""
    return sarif_log((of_statement(c, r) for c in statements if (r := c.rule) is not None), version)


def of_statement(c: Checked, r: Rule) -> dict[str, Any]:
    o = c.outcome
    said = [x for x in (o.mistake, o.message) if x]
    text = ": ".join(dict.fromkeys(said)) or r.what
    if o.repair is not None:
        text += f". Proved instead: {o.repair.latex}"
    assert o.verdict is not None
    out = result(r, o.verdict, text, location(c))
    if c.cell is not None:
        out["properties"]["cell"] = c.cell
    if (change := fix(c)) is not None:
        out["fixes"] = [change]
    if c.ignored:
        out["suppressions"] = [{"kind": "inSource"}]
    return out


def fix(c: Checked) -> dict[str, Any] | None:
    """The proved formula in place of the wrong one, where that stands in the file as it was read."""
    place, (start, end) = c.reading.where, c.reading.span
    repair = c.outcome.repair
    if repair is None or c.cell is not None or end <= start:
        return None
    first, last = place.offset(start), place.offset(end - 1) + 1
    written = c.reading.formula.text[start:end]
    new = repair.latex.removeprefix(c.reading.left).strip() if c.reading.left else repair.latex
    if place.source.text[first:last] != written:
        return None
    tail = written[len(written.rstrip().rstrip(",.;").rstrip()) :]
    return {
        "description": {"text": f"{c.outcome.mistake or 'the right formula'}: the formula that is proved"},
        "artifactChanges": [
            {
                "artifactLocation": {"uri": uri(c.file)},
                "replacements": [{"deletedRegion": region(c, start, end), "insertedContent": {"text": new + tail}}],
            }
        ],
    }


def region(c: Checked, start: int, end: int, place: Place | None = None) -> dict[str, int]:
    place = place or c.reading.where
    line, column = place.at(start)
    end_line, end_column = place.at(max(start, end - 1))
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column + 1}


def location(c: Checked) -> dict[str, Any]:
    place, span = c.trouble()
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(c.file)}}
    if c.cell is None:  # lines of a cell are no lines of the file
        physical["region"] = region(c, *span, place)
    return physical
