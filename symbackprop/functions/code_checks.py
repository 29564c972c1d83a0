"""The public checks of what brings its own form: caches, losses with their gradients, layers, rules in forward mode."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from symbackprop.clock import LIMIT, seconds_of
from symbackprop.core.indices import SymbackpropError
from symbackprop.decide.outcomes import PROVED, REFUTED
from symbackprop.functions.checks import Function, Shapes
from symbackprop.functions.claims import gradient_claims
from symbackprop.functions.dialects.layers import layer_pair
from symbackprop.functions.dialects.pairs import cached_pair, derivative_pair, loss_pair, may_take_output
from symbackprop.functions.dialects.one_run import judged, verdict_on
from symbackprop.functions.drive import Asked, Options, library_of, library_with_layer, verdict
from symbackprop.functions.held_values import copies_of
from symbackprop.read.libraries import refers_to
from symbackprop.functions.other_claims import jvp_claims
from symbackprop.functions.request import called, parameters
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
    options = Options(domains or {}, seek_repair, seconds_of(timeout), symmetric or {})
    check = "check_function"
    asked = Asked(check, function, derivative, needed(check, shapes), wrt, assuming, options, values)
    library = library_of(function)
    if library is not None:
        found: Verdict = library.check_function(asked)
        return found
    if isinstance(function, tuple | list) and len(function) == 2 and derivative is None:
        f, slope = function
        return check_derivative(
            f, slope, shapes, wrt, assuming, domains=domains, seek_repair=seek_repair, timeout=timeout, **values
        )
    if not callable(function):
        raise SymbackpropError(f"{asked.check}: a function is needed, not a {type(function).__name__}")
    if derivative is not None and not callable(derivative):
        raise SymbackpropError(f"{asked.check}: the second function is a {type(derivative).__name__}")
    if derivative is None:
        return judged(asked, loss_pair)
    cached = cached_pair(asked, ordered=True)
    return verdict(asked.request(), gradient_claims, options) if cached is None else verdict_on(asked, cached)


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
    options = Options(domains or {}, seek_repair, seconds_of(timeout))
    check = "check_derivative"
    asked = Asked(check, f, derivative, needed(check, shapes), wrt, assuming, options, values)
    for g in (f, derivative):
        if not callable(g):
            raise SymbackpropError(f"{asked.check}: two functions are needed, not a {type(g).__name__}")
    either = of_output is None and may_take_output(asked)

    def of(output: bool, asked: Asked) -> Verdict:
        return judged(asked, partial(derivative_pair, of_output=output))

    quick = replace(asked, options=replace(options, seek_repair=False))
    if either:
        found = of(True, quick)
        if found.status != PROVED:
            at_input = of(False, quick)
            found = at_input if at_input.status == PROVED else of(True, asked)
        return found
    found = of(bool(of_output), quick)
    if found.status == REFUTED and of_output is None and of(True, quick).status == PROVED:
        return replace(found, mistake=AT_OUTPUT, reason="of_output=True says that it takes the output")
    return of(bool(of_output), asked) if found.status == REFUTED and seek_repair else found


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
    options = Options(domains or {}, seek_repair, seconds_of(timeout))
    check, given = "check_layer", needed("check_layer", shapes)
    asked = Asked(check, make_or_layer, backward, given, wrt, assuming, options, values, params or {})
    library = library_with_layer(asked)
    if library is not None:
        answer: Verdict = library.check_layer(asked)
        return answer
    return judged(asked, partial(layer_pair, methods=(forward, backward)))


def needed(check: str, shapes: Shapes | None) -> Shapes:
    if not isinstance(shapes, Mapping):
        raise SymbackpropError(f"{check}: shapes is a dict such as {{'x': 'B D', 'w': 'D'}}, not {shapes!r}")
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
    asked = Asked(ASKED, function, jvp, needed(ASKED, shapes), wrt, assuming, options, values)
    for what, f in (("function", function), ("jvp", jvp)):
        if f is not None and not callable(f):
            raise SymbackpropError(f"{ASKED}: {what} is a {type(f).__name__}, not a function")
    if jvp is None or any(refers_to(f, "jax") for f in (function, jvp)):
        return of_jax(asked)
    names = parameters(function, ASKED)
    if of_tuples(jvp, names):
        variables = replace(asked, derivative=None, assuming=None).request().variables
        asked = replace(asked, derivative=by_name(jvp, names, copies_of(variables, names, "{}_dot")))
    return verdict(asked.request(), jvp_claims, options)


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


def of_jax(asked: Asked) -> Verdict:
    """The check of a function of JAX's; `args` among the values write its call."""
    try:
        from .jax_functions import check_rule  # JAX is an extra
        from .jax_subject import JVP, rule_of, with_tangents
    except ImportError as failure:
        raise SymbackpropError(f"{ASKED}: a function of JAX's needs JAX: pip install 'symbackprop[jax]'") from failure
    function, jvp = asked.function, asked.derivative
    if jvp is not None:
        function = with_tangents(function, jvp, of_tuples(jvp, parameters(function, ASKED)))
    elif rule_of(function)[0] != JVP:
        raise SymbackpropError(f"{ASKED}: {called(function)} has a rule in reverse mode: ask check_function")
    return check_rule(replace(asked, function=function))
