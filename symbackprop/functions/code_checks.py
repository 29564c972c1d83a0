"""The public checks of backward passes as they are written: functions with caches, losses with gradients, layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from symbackprop.clock import LIMIT, seconds_of
from symbackprop.core.indices import SymbackpropError
from symbackprop.decide.outcomes import PROVED, REFUTED
from symbackprop.functions.dialects.losses import derivative_pair, loss_pair, may_take_output, variable_of
from symbackprop.functions.dialects.one_run import Untraceable, judged

from .checks import Function, Shapes
from .claims import gradient_claims
from .dialects.caches import cached_pair
from .dialects.layers import layer_pair
from .drive import Options, verdict
from .function_kinds import Asked, library_of, library_with_layer
from .request import read_request
from .verdict import Verdict

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
