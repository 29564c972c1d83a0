"""What there is to check in a file, by the names that people give (forward and backward, classes, f and f'), and the
shapes that stand with the code, in annotations as of jaxtyping and in docstrings.

`Float[Array, "B D"]` is read as it is written, whether jaxtyping is there or not.  Of a docstring are read a line
`shapes: x: B D; w: D M`, and descriptions of arguments such as `x: input, of shape (N, D)` and `y: labels of shape
(N,), 0 <= y[i] < C`.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.dialects.layers import BACKWARD, FORWARD
from symbackprop.read.numpy import parse_shape

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


ANNOTATION = re.compile(r"""(?:\w+\.)*(?P<kind>\w+)\[.*,\s*(?P<quote>["'])(?P<axes>.*?)(?P=quote)\s*\]""", re.DOTALL)
ARGUMENT = re.compile(r"\s*[-*]?\s*`{0,2}(?P<names>\w+(?:\s*,\s*\w+)*)`{0,2}\s*:\s*(?P<rest>.*)")
SHAPE = re.compile(
    r"shape\s*(?:is|of|=|:)?\s*[(\[](?P<axes>[^()\[\]]*)[)\]]|^[(\[](?P<only>[^()\[\]]*)[)\]]", re.IGNORECASE
)
BELOW = re.compile(r"0\s*<=\s*\w+(?:\[[^\]]*\])?\s*<\s*(?P<values>\w+)|in\s*\[0,\s*(?P<other>\w+)\)")
NUMBER = re.compile(r"\s*(?:an?\s+)?(?:scalar|float|number|real)\b", re.IGNORECASE)
WHOLE = ("Int", "Integer", "UInt", "Int32", "Int64", "UInt8")


def written_shapes(*objects: Any) -> dict[str, str]:
    """The shapes of arguments that stand with these functions and classes; the first that says one counts."""
    found: dict[str, str] = {}
    for x in objects:
        for f in parts_of(x):
            found = {**in_docstring(inspect.getdoc(f) or ""), **in_annotations(f), **found}
    return found


def parts_of(x: Any) -> Iterator[Any]:
    """A function, or a class with its methods."""
    yield x
    if isinstance(x, type):
        yield from (m for n, m in vars(x).items() if inspect.isfunction(m) and (n == "__init__" or n[:1] != "_"))


def in_annotations(function: Any) -> dict[str, str]:
    if isinstance(function, type):
        return {}
    found: dict[str, str] = {}
    for name, annotation in getattr(function, "__annotations__", {}).items():
        text = annotation_text(annotation)
        if text is not None and name != "return":
            found[name] = text
    return readable(found)


def annotation_text(annotation: Any) -> str | None:
    """The axes; those of whole numbers say nothing of how many there are."""
    if isinstance(annotation, str):
        match = ANNOTATION.fullmatch(annotation.strip())
        return match["axes"].replace("#", "") if match is not None and match["kind"] not in WHOLE else None
    axes, kind = getattr(annotation, "dim_str", None), getattr(annotation, "__name__", "")
    return axes.replace("#", "") if isinstance(axes, str) and kind.split("[")[0] not in WHOLE else None


def in_docstring(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for names, rest in entries(text):
        if names == ["shapes"] or names == ["Shapes"]:
            pieces = (piece.partition(":") for piece in rest.split(";"))
            found.update({n.strip(): axes.strip() for n, colon, axes in pieces if colon})
            continue
        shape = SHAPE.search(rest)
        axes = "" if shape is None else " ".join((shape["axes"] or shape["only"] or "").replace(",", " ").split())
        if shape is None and not NUMBER.match(rest):
            continue
        below = BELOW.search(rest)
        values = f"int[{below['values'] or below['other']}] " if below is not None else ""
        found.update({n: f"{values}{axes}".strip() for n in names})
    return readable(found)


def entries(text: str) -> Iterator[tuple[list[str], str]]:
    """The arguments that a docstring describes, each with all lines about it."""
    names: list[str] = []
    rest: list[str] = []
    for line in [*text.splitlines(), ""]:
        match = ARGUMENT.fullmatch(line)
        if match is not None or not line.strip():
            if names:
                yield names, " ".join(rest)
            names = [] if match is None else [n.strip() for n in match["names"].split(",")]
            rest = [] if match is None else [match["rest"]]
        elif names:
            rest.append(line.strip())


def readable(shapes: Mapping[str, str]) -> dict[str, str]:
    """Those that are shapes of ours: no `...`, no `*batch`."""
    found = {}
    for name, text in shapes.items():
        try:
            parse_shape(text)
        except SymbackpropError:
            continue
        found[name] = text
    return found


class Annotation:
    """What stands for a name of jaxtyping where it is not installed."""

    def __init__(self, name: str, dim_str: str | None = None) -> None:
        self.__name__, self.dim_str = name, dim_str

    def __getitem__(self, item: Any) -> Annotation:
        return Annotation(self.__name__, str(item[1]) if isinstance(item, tuple) and len(item) == 2 else None)

    def __or__(self, other: Any) -> Annotation:
        return self

    def __call__(self, *args: Any, **options: Any) -> Any:
        """A decorator, with or without arguments."""
        return args[0] if len(args) == 1 and inspect.isroutine(args[0]) else lambda f: f


@contextmanager
def annotations_readable() -> Iterator[None]:
    """While a file is imported whose annotations need jaxtyping, and it is not there."""
    if "jaxtyping" in sys.modules or find_spec("jaxtyping") is not None:
        yield
        return
    module = types.ModuleType("jaxtyping")
    module.__getattr__ = Annotation  # type: ignore[method-assign]
    sys.modules["jaxtyping"] = module
    try:
        yield
    finally:
        sys.modules.pop("jaxtyping", None)
