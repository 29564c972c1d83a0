"""The public checks of what brings its own form: caches, losses with their gradients, layers, rules in forward mode."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symbackprop.clock import LIMIT, seconds_of
from symbackprop.core.indices import SymbackpropError
from symbackprop.decide.outcomes import PROVED, REFUTED
from symbackprop.functions.checks import Function, Shapes
from symbackprop.functions.claims import gradient_claims
from symbackprop.functions.dialects.pairs import cached_pair
from symbackprop.functions.dialects.layers import layer_pair
from symbackprop.functions.dialects.pairs import derivative_pair, loss_pair, may_take_output, variable_of
from symbackprop.functions.dialects.one_run import Untraceable, judged
from symbackprop.functions.drive import Asked, Options, library_of, library_with_layer, verdict
from symbackprop.functions.held_values import copies_of
from symbackprop.read.libraries import refers_to
from symbackprop.functions.other_claims import jvp_claims
from symbackprop.functions.request import called, parameters, read_request
from symbackprop.functions.verdict import Verdict

AT_OUTPUT = "this is the derivative in terms of the output f(x), taken at x"


def check_function(
    function: Any,
    derivative: Any = None,
    shapes: Shapes | None = None,
    wrt: str | Sequence[str] | None = None,
    assuming: Function | None = None,
    *,
    domains: Mapping[str, str] | None = None,
    seek_repair: bool = True,
    timeout: float | None = LIMIT,
    symmetric: Mapping[str, str] | None = None,
    **values: Any,
) -> Verdict:
    """Prove or refute the gradients that a function brings with it, whatever way it is written.

    `function` returns a loss with its gradients: (loss, grad), (loss, grads...), (loss, dict); or (out, cache), with
    `derivative(dout, cache)` as the second function; or it is an object of a library that is read (a
    torch.autograd.Function, a jax.custom_vjp); or a pair (f, f').  Arguments that are not called like the shapes are
    taken in order.  Raises SymbackpropError for a request that makes no sense.

    `symmetric` says which gradient by a symmetric matrix (A == A.T in `assuming`) is meant: {"A": "symmetric"} is that
    among symmetric ones, "entries" by those on and below the diagonal, and "ambient" among all matrices, as without it.
    """
    asked = "check_function"
    shapes = needed(asked, shapes)
    options = Options(domains or {}, seek_repair, seconds_of(timeout), symmetric or {})
    library = library_of(function)
    if library is not None:
        found: Verdict = library.check_function(Asked(function, derivative, shapes, wrt, assuming, options, values))
        return found
    if isinstance(function, tuple | list) and len(function) == 2 and derivative is None:
        f, slope = function
        return check_derivative(
            f, slope, shapes, wrt, assuming, domains=domains, seek_repair=seek_repair, timeout=timeout, **values
        )
    if not callable(function):
        raise SymbackpropError(f"{asked}: a function is needed, not a {type(function).__name__}")
    if derivative is None:
        try:
            pair = loss_pair(asked, function, shapes, wrt, assuming, values, options.seconds)
        except Untraceable as problem:
            return Verdict(problem.status, reason=str(problem))
        return judged(asked, pair, assuming, options)
    if not callable(derivative):
        raise SymbackpropError(f"{asked}: the second function is a {type(derivative).__name__}")
    cached = cached_pair(asked, function, derivative, shapes, wrt, assuming, values, options.seconds, ordered=True)
    if cached is not None:
        return judged(asked, cached, assuming, options)
    request = read_request(asked, function, derivative, shapes, wrt, assuming, values)
    return verdict(request, gradient_claims, options)


def check_derivative(
    f: Function,
    derivative: Function,
    shapes: Shapes | None = None,
    wrt: str | Sequence[str] | None = None,
    assuming: Function | None = None,
    *,
    of_output: bool | None = None,
    domains: Mapping[str, str] | None = None,
    seek_repair: bool = True,
    timeout: float | None = LIMIT,
    **values: Any,
) -> Verdict:
    """Prove or refute that `derivative` is f' of the elementwise function `f`.

    `of_output` says whether it takes f(x) in place of x, as in a * (1 - a) for a sigmoid.  Where that is not said, it
    takes x, unless its argument has another name than that of `f`, and one that outputs have ("a", "y", "out"): then
    either is right.  Raises SymbackpropError for a request that makes no sense.
    """
    asked = "check_derivative"
    shapes = needed(asked, shapes)
    for g in (f, derivative):
        if not callable(g):
            raise SymbackpropError(f"{asked}: two functions are needed, not a {type(g).__name__}")
    options = Options(domains or {}, seek_repair, seconds_of(timeout))
    either = of_output is None and may_take_output(asked, f, derivative, variable_of(asked, shapes, wrt))

    def of(output: bool, options: Options) -> Verdict:
        pair = derivative_pair(asked, f, derivative, shapes, wrt, values, output)
        return judged(asked, pair, assuming, options)

    quick = replace(options, seek_repair=False)
    if either:
        found = of(True, quick)
        if found.status != PROVED:
            at_input = of(False, quick)
            found = at_input if at_input.status == PROVED else of(True, options)
        return found
    found = of(bool(of_output), quick)
    if found.status == REFUTED and of_output is None and of(True, quick).status == PROVED:
        return replace(found, mistake=AT_OUTPUT, reason="of_output=True says that it takes the output")
    return of(bool(of_output), options) if found.status == REFUTED and seek_repair else found


def check_layer(
    make_or_layer: Any,
    backward: str | Function | None = None,
    *,
    shapes: Shapes | None = None,
    params: Mapping[str, str] | None = None,
    wrt: str | Sequence[str] | None = None,
    assuming: Function | None = None,
    forward: str | Function | None = None,
    domains: Mapping[str, str] | None = None,
    seek_repair: bool = True,
    timeout: float | None = LIMIT,
    **values: Any,
) -> Verdict:
    """Prove or refute the backward of a layer that keeps state between its forward and its backward.

    The first argument is a class, a function that makes the layer (of arrays by their names in `shapes`, and of sizes
    by their symbols), or a layer; it is copied, never changed.  `shapes` has the inputs of the forward, and the
    parameters by their names on the layer or as arguments of what makes it.  Where gradients are is found by the usual
    names (`dW`, `grads["W"]`, `W.grad`, what the backward returns), said in the report, and can be said in `params`:
    {"W": "self.grad_of_W"}.  Without `wrt` every array with a gradient is checked.  `forward` and `backward` name the
    methods, or are functions of the layer and their arguments.  Further keyword arguments are concrete values of
    arguments by name.  Random numbers that are drawn on the way are arrays of which nothing is known.

    Raises SymbackpropError with what to say where something is not found.
    """
    asked = "check_layer"
    shapes = needed(asked, shapes)
    options = Options(domains or {}, seek_repair, seconds_of(timeout))
    question = Asked(make_or_layer, backward, shapes, wrt, assuming, options, values, params or {})
    library = library_with_layer(question)
    if library is not None:
        answer: Verdict = library.check_layer(question)
        return answer
    try:
        pair = layer_pair(
            make_or_layer, shapes, params or {}, wrt, assuming, values, (forward, backward), options.seconds
        )
    except Untraceable as problem:
        return Verdict(problem.status, reason=str(problem))
    return judged(asked, pair, assuming, options)


def needed(asked: str, shapes: Shapes | None) -> Shapes:
    if not isinstance(shapes, Mapping):
        raise SymbackpropError(f"{asked}: shapes is a dict such as {{'x': 'B D', 'w': 'D'}}, not {shapes!r}")
    return shapes


# --- Jacobian-vector products: tangents of the outputs from tangents of all inputs together ---


ASKED = "check_jvp"


def check_jvp(
    function: Any,
    jvp: Callable[..., Any] | None = None,
    shapes: Mapping[str, Any] | None = None,
    wrt: str | Sequence[str] | None = None,
    assuming: Callable[..., Any] | None = None,
    *,
    domains: Mapping[str, str] | None = None,
    seek_repair: bool = True,
    timeout: float | None = LIMIT,
    **values: Any,
) -> Verdict:
    """Prove or refute that `jvp` is the Jacobian of `function` times the tangents, of all variables together.

    `jvp(primals, tangents)` takes two tuples, or the arguments of the function and after them a tangent for each
    variable.  It returns the tangent of each output, or the outputs and their tangents as (outputs, tangents).  A
    jax.custom_jvp brings its own.  Raises SymbackpropError for a request that makes no sense.
    """
    options = Options(domains or {}, seek_repair, seconds_of(timeout))
    shapes = needed(ASKED, shapes)
    for what, f in (("function", function), ("jvp", jvp)):
        if f is not None and not callable(f):
            raise SymbackpropError(f"{ASKED}: {what} is a {type(f).__name__}, not a function")
    if jvp is None or any(refers_to(f, "jax") for f in (function, jvp)):
        return of_jax(function, jvp, shapes, wrt, assuming, options, values)
    names = parameters(function, ASKED)
    if of_tuples(jvp, names):
        asked = read_request(ASKED, function, None, shapes, wrt, None, values)
        jvp = by_name(jvp, names, copies_of(asked.variables, names, "{}_dot"))
    return verdict(read_request(ASKED, function, jvp, shapes, wrt, assuming, values), jvp_claims, options)


def of_tuples(jvp: Callable[..., Any], names: Sequence[str]) -> bool:
    """Whether it takes (primals, tangents): two arguments, neither called like one of the function."""
    own = parameters(jvp, ASKED)
    return len(own) == 2 and not set(own) & set(names)


def by_name(jvp: Callable[..., Any], names: Sequence[str], tangents: Mapping[str, str]) -> Callable[..., Any]:
    """The rule with an argument for each array; the tangents of what is no variable are 0."""

    def rule(**given: Any) -> Any:
        primals = tuple(given[n] for n in names)
        return jvp(primals, tuple(given[tangents[n]] if n in tangents else 0 * given[n] for n in names))

    kind = inspect.Parameter.KEYWORD_ONLY
    wanted = [inspect.Parameter(n, kind) for n in (*names, *tangents.values())]
    rule.__signature__ = inspect.Signature(wanted)  # type: ignore[attr-defined]
    rule.__name__ = getattr(jvp, "__name__", "rule")
    return rule


def of_jax(
    function: Any, jvp: Callable[..., Any] | None, shapes: Mapping[str, Any], wrt: str | Sequence[str] | None,
    assuming: Callable[..., Any] | None, options: Options, values: Mapping[str, Any],
) -> Verdict:  # fmt: skip
    """The check of a function of JAX's; `args` among the values write its call."""
    try:
        from .jax_functions import check_rule  # JAX is an extra
        from .jax_subject import JVP, rule_of, with_tangents
    except ImportError as failure:
        raise SymbackpropError(f"{ASKED}: a function of JAX's needs JAX: pip install 'symbackprop[jax]'") from failure
    if jvp is not None:
        pairs = of_tuples(jvp, parameters(function, ASKED))
        function = with_tangents(function, jvp, pairs)
    elif rule_of(function)[0] != JVP:
        raise SymbackpropError(f"{ASKED}: {called(function)} has a rule in reverse mode: ask check_function")
    rest = {k: v for k, v in values.items() if k != "args"}
    return check_rule(function, shapes, wrt, assuming, values.get("args"), 1, options, rest)
