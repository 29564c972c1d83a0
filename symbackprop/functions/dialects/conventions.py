"""What there is to check in a file, by the names that people give: forward and backward, classes, f and f'."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from symbackprop.functions.dialects.layers import BACKWARD, FORWARD

from .pairs import returns_several

LAYER, PAIR, DERIVATIVE, LOSS = "layer", "pair", "derivative", "loss"
BACK = r"(?:backward|bwd|backprop|back|vjp)"
PAIRS = (  # of names, with the stem in both
    (r"(.*?)_?(?:forward|fwd)", (r"{}_?" + BACK,)),
    (r"(?:forward|fwd)_?(.*)", (BACK + r"_?{}",)),
    (r"(.+)", (r"{}_" + BACK, r"{}_grad", BACK + r"_{}")),
)
SLOPES = (r"{}_prime", r"{}_deriv(?:ative)?", r"d_?{}", r"{}_d", r"deriv(?:ative)?_(?:of_)?{}", r"{}_grad(?:ient)?")
LOSSES = re.compile(r"loss|cost|objective|nll|cross_?entropy")


@dataclass(frozen=True, slots=True)
class Target:
    """A class, a function, or two functions, and how they are checked."""

    name: str
    kind: str
    objects: tuple[Any, ...]

    @property
    def line(self) -> int:
        """Where the backward begins: the last of them, or a method."""
        last = self.objects[-1]
        back = next((getattr(last, n) for n in BACKWARD if callable(getattr(last, n, None))), last)
        try:
            return inspect.getsourcelines(back)[1]
        except (OSError, TypeError):
            return 1


def targets(names: Mapping[str, Any], module: str) -> list[Target]:
    """In the order in which they stand in the module of that name; each function once."""
    own = {n: x for n, x in names.items() if getattr(x, "__module__", None) == module}
    functions = {n: x for n, x in own.items() if inspect.isfunction(x)}
    found = [Target(n, LAYER, (x,)) for n, x in own.items() if isinstance(x, type) and is_layer(x)]
    used: set[str] = set()
    for target in (*pairs(functions), *slopes(functions)):
        parts = target.name.split(", ")
        if not used & set(parts):
            used |= set(parts)
            found.append(target)
    found += [
        Target(n, LOSS, (f,))
        for n, f in functions.items()
        if n not in used and LOSSES.search(n.lower()) and returns_several(f)
    ]
    return sorted(found, key=lambda t: t.line)


def is_layer(cls: type) -> bool:
    has = {n for n in dir(cls) if callable(getattr(cls, n, None))}
    return bool(has & set(FORWARD) - {"predict", "apply"}) and bool(has & set(BACKWARD)) and not inspect.isabstract(cls)


def pairs(functions: Mapping[str, Any]) -> Iterator[Target]:
    for first, seconds in PAIRS:
        for name, f in functions.items():
            stem = re.fullmatch(first, name, re.IGNORECASE)
            if stem is None:
                continue
            for other in matching(functions, seconds, stem[1]):
                if other != name and len(inspect.signature(functions[other]).parameters) > 1:
                    yield Target(f"{name}, {other}", PAIR, (f, functions[other]))


def slopes(functions: Mapping[str, Any]) -> Iterator[Target]:
    """Of one argument each, but for those with a default."""
    for name, f in functions.items():
        for other in matching(functions, SLOPES, name):
            g = functions[other]
            if other != name and all(needed(h) == 1 for h in (f, g)):
                yield Target(f"{name}, {other}", DERIVATIVE, (f, g))


def needed(function: Any) -> int:
    return sum(p.default is p.empty for p in inspect.signature(function).parameters.values())


def matching(functions: Mapping[str, Any], patterns: tuple[str, ...], stem: str) -> list[str]:
    wanted = [re.compile(p.format(re.escape(stem)), re.IGNORECASE) for p in patterns]
    return [n for n in functions if any(w.fullmatch(n) for w in wanted)]
