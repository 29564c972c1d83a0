"""What the user asked: two functions, shapes, variables, hypotheses.  Read once, at the edge.

Which argument of a function is which array is told by name, and of those with other names by their order; a gradient is
called after what it is the gradient of, and what a backward returns is told by variable.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from linecache import checkcache, getlines
from operator import is_not
from types import CodeType, FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Size, SymbackpropError
from symbackprop.core.sums import least_sizes, same
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import PI, Array, Entry, Positive
from symbackprop.gradients.lemmas import indices
from symbackprop.read.numpy import Declared, Traced, parse_shapes, trace, trace_assumptions

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Request:
    """`declared` and `values` are the arguments; `extra` the parameters of the second function that the first lacks.

    `positive` are numbers of which nothing is known but their sign, `copies` the names of what is held constant at the
    value of a variable, by variable, `labels` those of the labels that one-hot arrays stand for.  `notes` say how it is
    read, for the reader of the verdict.
    """

    asked: str
    forward: Function
    backward: Function | None
    declared: Mapping[str, Declared]
    values: Mapping[str, Any]
    names: tuple[str, ...]
    extra: tuple[str, ...]
    variables: tuple[str, ...]
    assuming: Function | None
    positive: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    assumed: list[tuple[Hypothesis, ...]] = field(init=False, repr=False, compare=False, default_factory=list)

    def at(self, sizes: Mapping[str, int]) -> Request:
        """The same request with numbers for these size symbols."""
        return replace(self, declared={n: d.at(sizes) for n, d in self.declared.items()})

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(s for d in self.declared.values() for s in d.symbols))

    def outputs(self) -> Traced:
        """The forward function traced.  Raises TraceError, ShapeMismatch; SymbackpropError where it returns nothing."""
        found = self.read(self.forward, self.given(self.forward))
        if isinstance(found.outputs, tuple | list | Mapping) and not found.outputs:
            raise SymbackpropError(f"{self.asked}: {called(self.forward)} returns no array")
        return found

    def result(self, more: Mapping[str, Declared]) -> Traced:
        assert self.backward is not None
        return self.read(self.backward, self.given(self.backward, more))

    def read(self, function: Function, arguments: Mapping[str, Any]) -> Traced:
        known = self.hypotheses()
        return trace(function, arguments, known, self.variables, least_sizes(known))

    def given(self, function: Function, more: Mapping[str, Declared] | None = None) -> dict[str, Any]:
        known = {**self.values, **self.declared, **(more or {})}
        return {n: known[n] for n in parameters(function, self.asked) if n in known}

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        if not self.assumed:
            said = trace_assumptions(self.assuming, {**self.values, **self.declared}) if self.assuming else ()
            signs = (Positive(Entry(Array(n), ())) for n in self.positive)
            self.assumed.append((*(h for h in said if not (self.labels and trivial(h))), *signs, *self.held()))
        return self.assumed[0]

    def held(self) -> Iterator[Hypothesis]:
        """That each copy is its variable."""
        for variable, copy in self.copies.items():
            _, at = indices(self.declared[variable].shape, "h")
            yield Same(Entry(Array(copy), at), Entry(Array(variable), at))

    @property
    def concrete(self) -> dict[str, Any]:
        """The arguments of the forward that are values."""
        return {n: v for n, v in self.given(self.forward).items() if n not in self.declared}

    @property
    def arrays(self) -> dict[str, tuple[Size, ...]]:
        """Shapes of the real arrays."""
        return {n: d.shape for n, d in self.declared.items() if d.values is None}


def trivial(h: Hypothesis) -> bool:
    """Whether it says nothing, as what is assumed of one-hot arrays does where labels stand for them."""
    return isinstance(h, Same) and same(h.lhs, h.rhs)[0]


def read_request(
    asked: str,
    forward: Function,
    backward: Function | None,
    shapes: Mapping[str, Any],
    wrt: str | Sequence[str] | None,
    assuming: Function | None,
    values: Mapping[str, Any],
) -> Request:
    """Raises SymbackpropError, naming the function asked, for a request that makes no sense."""
    for what, f in (("forward", forward), ("backward", backward), ("assuming", assuming)):
        if f is not None and not callable(f):
            raise SymbackpropError(f"{asked}: {what} is a {type(f).__name__}, not a function")
    if not isinstance(shapes, Mapping):
        raise SymbackpropError(f"{asked}: shapes is a dict such as {{'x': 'B D', 'w': 'D'}}, not {shapes!r}")
    strange = [n for n in shapes if not isinstance(n, str)]
    if strange:
        raise SymbackpropError(f"{asked}: shapes names the arguments by text, not by {strange[0]!r}")
    declared = parse_shapes(dict(shapes))
    if PI.array.name in declared:
        raise SymbackpropError(f"{asked}: an argument called pi, which is the number here: rename it, as in pi_")
    names = parameters(forward, asked)
    extra = () if backward is None else tuple(n for n in parameters(backward, asked) if n not in names)
    known = [*names, *extra, *(() if assuming is None else parameters(assuming, asked))]
    for n in [*declared, *values]:
        if n not in known:
            close = close_to(n, known)
            hint = f"; did you mean {close[0]!r}?" if close else f" (they have {', '.join(known) or 'no arguments'})"
            raise SymbackpropError(f"{asked}: no function has an argument {n!r}{hint}")
        if n in declared and n in values:
            raise SymbackpropError(f"{asked}: {n!r} has a shape and a value")
    for n in names:
        if n not in declared and n not in values and not has_default(forward, n):
            raise SymbackpropError(f"{asked}: the argument {n!r} of {called(forward)} has no shape; add it to shapes")
    if assuming is not None:
        for n in parameters(assuming, asked):
            if n not in declared and n not in values:
                raise SymbackpropError(f"{asked}: assuming has the parameter {n!r}, which is no argument with a shape")
    if backward is not None:
        extra = tuple(n for n in extra if n not in values and (n in declared or not has_default(backward, n)))
    return Request(
        asked, forward, backward, declared, dict(values), names, extra,
        read_variables(asked, names, declared, wrt), assuming,
    )  # fmt: skip


def read_variables(
    asked: str, names: Sequence[str], declared: Mapping[str, Declared], wrt: str | Sequence[str] | None
) -> tuple[str, ...]:
    real = [n for n in names if n in declared and declared[n].values is None]
    if wrt is None:
        return tuple(real)
    if asked == "check_equal":
        return ()
    if not isinstance(wrt, str | Iterable):
        raise SymbackpropError(f"{asked}: wrt is a name, or several, not {wrt!r}")
    chosen = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    for v in chosen:
        if v in declared and v in names and declared[v].values is not None:
            raise SymbackpropError(f"{asked}: wrt names {v!r}, whose entries are integers: they have no gradient")
        if v not in real:
            close = close_to(str(v), real)
            hint = f"; did you mean {close[0]!r}?" if close else f" (there are {', '.join(real) or 'none'})"
            raise SymbackpropError(f"{asked}: wrt names {v!r}, which is no real array of the forward function{hint}")
    if len(set(chosen)) < len(chosen) or not chosen:
        raise SymbackpropError(f"{asked}: wrt names {'a variable twice' if chosen else 'no variable'}")
    return chosen


def close_to(name: str, names: Sequence[str]) -> list[str]:
    """A name that differs in case only, or a similar one."""
    same = [n for n in names if n.lower() == name.lower()]
    return same[:1] or get_close_matches(name, names, n=1)


def parameters(function: Function, asked: str) -> tuple[str, ...]:
    found = signature(function, asked)
    for p in found:
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY):
            raise SymbackpropError(
                f"{asked}: {called(function)} has the parameter {p}; arguments are given by name, so each needs one"
            )
    return tuple(p.name for p in found)


def has_default(function: Function, name: str) -> bool:
    return next(p for p in signature(function, "") if p.name == name).default is not inspect.Parameter.empty


def called(function: Function) -> str:
    name = getattr(function, "__name__", "")
    return f"{name}()" if name.isidentifier() else "the function"


def flattened(outputs: Any, where: str) -> list[Tensor]:
    """The arrays of a result in order.  Raises SymbackpropError for what is no array."""
    if isinstance(outputs, Tensor):
        return [outputs]
    if isinstance(outputs, Mapping):
        return [t for item in outputs.values() for t in flattened(item, where)]
    if isinstance(outputs, tuple | list):
        return [t for item in outputs for t in flattened(item, where)]
    raise SymbackpropError(f"{where} returns {outputs!r} where an array is needed")


def reading_of(request: Request) -> dict[str, Any]:
    """The question, the functions, the shapes and the variables."""
    functions = {"forward": request.forward, "backward": request.backward, "assuming": request.assuming}
    return {
        "asked": request.asked,
        "arguments": {role: taken(request, f) for role, f in functions.items() if f is not None and role != "assuming"},
        "functions": {role: text_of(f) for role, f in functions.items() if f is not None},
        "shapes": dict(request.declared),
        "values": {name: repr(v) for name, v in request.values.items()},
        "wrt": list(request.variables),
    }


def taken(request: Request, function: Function) -> list[str]:
    """The arguments that it was given, in order, upstream gradients among them."""
    given = request.given(function)
    return [n for n in parameters(function, request.asked) if n in given or n in request.extra]


def text_of(function: Function) -> dict[str, str | None]:
    """The name and the source of a function, with its SHA-256; null where Python does not have it.

    The source is that of the code that runs, not of what a decorator says that it wraps.
    """
    name = getattr(function, "__name__", type(function).__name__)
    code = getattr(function, "__code__", getattr(function, "written", function))
    try:
        text = source_of(code) if isinstance(code, CodeType) else inspect.getsource(code)
    except (OSError, TypeError):
        text = ""
    if not text:
        return {"name": name, "sha256": None, "text": None}
    return {"name": name, "sha256": hashlib.sha256(text.encode()).hexdigest(), "text": text}


def source_of(code: CodeType) -> str:
    """The lines of a function, or nothing; `inspect.getsource` gives the same, and looks at all modules before."""
    checkcache(code.co_filename)
    lines = getlines(code.co_filename)
    if not 0 < code.co_firstlineno <= len(lines):
        return ""
    return "".join(inspect.getblock(lines[code.co_firstlineno - 1 :]))


BEFORE = ("d", "grad", "g", "gradient", "nabla", "del", "delta", "dl", "dld", "dlossd", "djd", "dcostd", "dfd", "dyd",
          "dzd", "doutd")  # fmt: skip
AFTER = ("grad", "gradient", "g", "bar", "grads", "delta")


def gradient_of(keys: Iterable[str], name: str) -> str | None:
    """The one among `keys` that is called like the gradient of `name`: exactly so spelt, or up to case and "_"."""
    known = list(keys)
    exact = [p + name for p in ("d", "d_", "grad_", "g_", "g")] + [name + s for s in ("_grad", "_g", "_gradient")]
    for key in exact:
        if key in known:
            return key
    n = plain(name)
    meant = {p + n for p in BEFORE} | {n + s for s in AFTER}
    found = [k for k in known if plain(k) in meant and k != name]
    return found[0] if found else None


def plain(name: str) -> str:
    return name.lower().replace("_", "").replace("/", "")


SIGNATURES = WeakKeyDictionary[FunctionType, tuple[tuple[Any, ...], list[inspect.Parameter]]]()  # asked for often


def signature(function: Any, asked: str) -> list[inspect.Parameter]:
    """The parameters; those of a ufunc are x0, x1, ...  Raises SymbackpropError where they cannot be read."""
    count = getattr(function, "nin", None)
    if isinstance(count, int):
        kind = inspect.Parameter.POSITIONAL_ONLY
        return [inspect.Parameter(f"x{k}", kind) for k in range(count)]
    if type(function) is FunctionType and not function.__dict__:
        parts = function.__code__, function.__defaults__, function.__kwdefaults__
        known = SIGNATURES.get(function)
        if known is None or any(map(is_not, known[0], parts)):
            known = SIGNATURES[function] = parts, list(inspect.signature(function).parameters.values())
        return known[1]
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise SymbackpropError(
            f"{asked}: the parameters of {called(function)} cannot be read; wrap it in a def"
        ) from None


def required(parameters: Iterable[inspect.Parameter]) -> list[str]:
    return [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]


def further_arguments(asked: str, forward: Function, backward: Function, values: Collection[str]) -> list[str]:
    """What the backward must be given and the forward does not take: upstream gradients, a cache."""
    known = [p.name for p in signature(forward, asked)]
    return [n for n in required(signature(backward, asked)) if n not in known and n not in values]


def hands_on(asked: str, forward: Function, backward: Function, values: Collection[str]) -> bool:
    """Whether the backward may take what a run of the forward leaves: an argument of its own, or on their object."""
    if not (callable(forward) and callable(backward)):
        return False  # the request says what is wrong with them
    return hasattr(forward, "__self__") or bool(further_arguments(asked, forward, backward, values))
