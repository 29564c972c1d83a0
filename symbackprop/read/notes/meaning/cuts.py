"""Whether the loss may be taken as a function of one array: that no way to it goes past that array."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..files.place import Span, Unsettled
from ..grammar.tree import Derivative, Gradient, Symbol
from ..grammar.walking import walk
from .definitions import array_of, definition_of, general_definitions, head, symbols

if TYPE_CHECKING:
    from .model import Model


def check_cut(model: Model, p: Symbol, targets: list[Symbol], span: Span) -> None:
    """What the layers behind P's see of its layer depends on the variables only through P, and no layer is skipped."""
    assert p.label is not None
    passed: set[Symbol] = set()
    for subject, rhs in general_definitions(model.decl):
        if any(isinstance(n, (Derivative, Gradient)) for n in walk(rhs)):
            continue
        assert subject.label is not None
        for s in symbols(rhs):
            if s.label is None or array_of(s, model.decl) is None:
                continue
            if s.label.base != subject.label.base or not -1 <= s.label.shift <= 0:
                raise Unsettled(f"{subject.name} at one layer uses {s.name} at {s.label}: not supported", span)
            if s.label.shift == -1:
                passed.add(Symbol(s.name, p.label))
    for s in sorted(passed, key=lambda x: x.name):
        leak = past(model, s, p, [t for t in targets if t != p])
        if leak is not None:
            raise Unsettled(
                f"the loss depends on {leak.name} at {leak.label} not only through {p.name} at {p.label}", span
            )


def past(model: Model, s: Symbol, p: Symbol, targets: list[Symbol]) -> Symbol | None:
    """A variable, or something that depends on one, that s holds by a way that does not go through P."""
    if s == p:
        return None
    if s in targets:
        return s
    if s.label != p.label:
        return s if any(model.depends(s, t) for t in targets) else None
    found = (past(model, x, p, targets) for x in sorted(model.behind(s), key=lambda y: y.name))
    return next((leak for leak in found if leak is not None), None)


def check_loss(model: Model, loss: Symbol, span: Span) -> None:
    """The loss as it is given holds, of the layers, only what the last one computes; no weights besides."""
    seen: set[Symbol] = set()
    work = [loss]
    while work:
        s = work.pop()
        if s in seen:
            continue
        seen.add(s)
        known = definition_of(s, model.decl)
        held = set(symbols(known.links[0].rhs)) if known is not None else model.arguments(s)
        for x in sorted(held, key=str):
            if array_of(x, model.decl) is None:
                continue
            if x.label is None:
                work.append(x)
            elif definition_of(x, model.decl) is None or not (model.decl.is_last(x.label) or x.label.base is None):
                raise Unsettled(f"{loss.name} holds {x.name} at {x.label} directly: not supported for any layer", span)


def check_last(model: Model, p: Symbol) -> None:
    """Where the last layer has definitions of its own, the general ones speak of the layers before it."""
    assert p.label is not None
    mentioned = {s.name for s in model.mentioned | {p} if s.label is not None and s.label.base == p.label.base}
    for d in model.decl.definitions:
        symbol = head(d.chain.subjects[-1])
        if symbol is None or symbol.label is None or not model.decl.is_last(symbol.label):
            continue
        if symbol.name in mentioned and definition_of(Symbol(symbol.name, p.label), model.decl) is not None:
            condition = f"layer {p.label} is not the last"
            if condition not in model.conditions:
                model.conditions.append(condition)
