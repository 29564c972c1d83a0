"""A counterexample as a test that needs NumPy only: the claimed entry against a difference quotient of the forward."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symbackprop.numbers.exact_numbers import approximate

from .judged import Judged

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
    return 1 if values is None else values if isinstance(values, int) else approximate(values)
