"""Passes over a step: what one map alone uses is written into it, and buffers are written over when nobody reads them.

Both keep what is computed, entry by entry, and in the same order.
"""

from __future__ import annotations

from collections import Counter

from .assignments import (
    Assignment,
    Map,
    Multiply,
    Reduce,
    Ref,
    Step,
    extent,
    gradient_of,
    reads,
    references,
    replaced,
)

MOST_NAMES = 12  # in one map: longer ones help nobody


def inlined(step: Step) -> Step:
    """A map that is used once, by a map or a reduction over the same entries, is written into it."""
    lines = list(step.assignments)
    uses = Counter(name for a in lines for name in reads(a))
    at = {name: k for k, a in enumerate(lines) for name in reads(a)}
    gone = set[int]()
    for k, a in enumerate(lines):
        if not isinstance(a, Map) or uses[a.target] != 1:
            continue
        user = lines[at[a.target]]
        if isinstance(user, Multiply):
            continue
        if extent(user.value, step.shapes) != step.shapes[a.target] or too_long(a, user):
            continue
        value = replaced(user.value, a.target, a.value)
        lines[at[a.target]] = (
            Map(user.target, value) if isinstance(user, Map) else Reduce(user.target, user.how, user.axis, value)
        )
        for name in references(a.value):
            at[name] = max(at[name], at[a.target])
        gone.add(k)
    return step.with_assignments(tuple(a for k, a in enumerate(lines) if k not in gone))


def too_long(a: Map, user: Map | Reduce) -> bool:
    return len(list(references(a.value))) + len(list(references(user.value))) > MOST_NAMES


def accumulating(step: Step) -> tuple[Step, frozenset[str]]:
    """For plain descent: the gradients that the parameter itself takes up, each after the last use of the parameter."""
    if not step.update.plain:
        return step, frozenset()
    mapped = {a.target for a in step.assignments if isinstance(a, Map)}
    taken = {gradient_of(p): p for p in step.parameters if gradient_of(p) not in mapped}
    lines = [a for a in step.assignments if a.target not in taken]
    for a in step.assignments:
        if a.target in taken:
            needs = {taken[a.target], *reads(a)}
            # after the last reader of the parameter, and after what it reads itself has been written
            after = max(k for k, b in enumerate(lines) if taken[a.target] in reads(b) or b.target in needs)
            lines.insert(after + 1, a)
    return step.with_assignments(tuple(lines)), frozenset(taken)


def in_place(step: Step) -> Step:
    """A map writes over an operand of its shape that nobody reads later."""
    lines = list(step.assignments)
    last = {name: k for k, a in enumerate(lines) for name in reads(a)}
    kept = step.fixed
    shapes = dict(step.shapes)
    for k, a in enumerate(lines):
        if not isinstance(a, Map):
            continue
        for name in references(a.value):
            if name not in kept and shapes[name] == shapes[a.target] and last[name] == k:
                lines = [renamed(b, name, a.target) for b in lines]
                last[a.target] = max(last.get(a.target, k), k)
                break
    return step.with_assignments(tuple(lines))


def renamed(a: Assignment, old: str, new: str) -> Assignment:
    def name(n: str) -> str:
        return new if n == old else n

    match a:
        case Multiply(target, left, right, lt, rt):
            return Multiply(name(target), name(left), name(right), lt, rt)
        case Map(target, value):
            return Map(name(target), replaced(value, old, Ref(new)))
        case Reduce(target, how, axis, value):
            return Reduce(name(target), how, axis, replaced(value, old, Ref(new)))
