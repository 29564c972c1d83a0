"""The public checks: is this function the gradient (Jacobian, Hessian, ...) of that one, for all sizes?

    verdict = check_gradient(forward, backward, shapes={"x": "B D", "w": "D", "eps": ""}, wrt="x",
                             assuming=lambda x, w, eps: [eps > 0])

`shapes` gives each array argument its axes in jaxtyping's notation: "B D", "L+K-1", "" for a number, "int[V] B" for
integers 0 .. V-1.  Parameters are matched by name; one with a default and no shape stays concrete, and further
keyword arguments are concrete values.  `assuming` lists hypotheses as NumPy comparisons.  `domains` limits where
counterexamples are looked for by what no comparison says: {"A": "inv"} for an invertible matrix, "spd" for a positive
definite one; a proof does not use it.  `seek_repair=False` saves the time of looking for the right formula.
`timeout` is in seconds: for each claim (one a variable) to be proved, refuted and repaired, and for reading the
functions; then the verdict is "unknown" and says how far it came.  None is no limit.

Values are real numbers: rounding errors are outside of what is proved.  Each function is also run at a few small
points, so that a misread function is noticed.

Each check raises SymbackpropError for a request that makes no sense; what cannot be traced or decided gives the
verdict "unknown".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symbackprop.clock import LIMIT, OutOfTime, limit, seconds_of, stage
from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.dialects.one_run import verdict_on
from symbackprop.read.numpy import TraceError

from .claims import Setting, gradient_claims
from .derivation import Derivative, derivation
from .dialects.pairs import cached_pair
from .drive import Asked, Claims, Options, layer_forward, otherwise_read, readable, verdict
from .other_claims import equality_claims, hessian_claims, hvp_claims, jacobian_claims
from .request import Request, hands_on, read_request
from .verdict import Verdict

Function = Callable[..., Any]
Shapes = Mapping[str, Any]


def check_gradient(
    forward: Function,
    backward: Function,
    shapes: Shapes,
    wrt: str | Sequence[str] | None = None,
    assuming: Function | None = None,
    *,
    domains: Mapping[str, str] | None = None,
    seek_repair: bool = True,
    timeout: float | None = LIMIT,
    symmetric: Mapping[str, str] | None = None,
    **values: Any,
) -> Verdict:
    """Prove or refute that `backward` is the gradient of `forward`, for all sizes and all values assumed.

    Parameters of `backward` that `forward` lacks are the upstream gradients, in the order of the outputs; without
    any, the forward must be a scalar.  `backward` returns one array, a sequence in the order of `wrt`, or a dict by
    name (`x`, `dx`, `x_grad`).  A forward that returns (out, cache) and a `backward(dout, cache)` are one run.

    `symmetric` says which gradient by a symmetric matrix (A == A.T in `assuming`) is meant: {"A": "symmetric"} is that
    among symmetric ones, "entries" by those on and below the diagonal, and "ambient" among all matrices, as without it.
    """
    options = Options(domains or {}, seek_repair, seconds_of(timeout), symmetric or {})
    forward, backward = readable([forward, backward], shapes)
    asked = Asked("check_gradient", forward, backward, shapes, wrt, assuming, options, values)
    pair = cached_pair(asked) if hands_on(asked.check, forward, backward, values) else None
    return _check(asked, gradient_claims) if pair is None else verdict_on(asked, pair)


def check_jacobian(
    forward: Function,
    jacobian: Function,
    shapes: Shapes,
    wrt: str | Sequence[str] | None = None,
    assuming: Function | None = None,
    *,
    domains: Mapping[str, str] | None = None,
    seek_repair: bool = True,
    timeout: float | None = LIMIT,
    **values: Any,
) -> Verdict:
    """Prove or refute that `jacobian` is ∂forward/∂variable: the axes of the output, then those of the variable."""
    options = Options(domains or {}, seek_repair, seconds_of(timeout))
    return _check(Asked("check_jacobian", forward, jacobian, shapes, wrt, assuming, options, values), jacobian_claims)


def check_hessian(
    forward: Function,
    hessian: Function,
    shapes: Shapes,
    wrt: str | Sequence[str] | None = None,
    assuming: Function | None = None,
    *,
    domains: Mapping[str, str] | None = None,
    seek_repair: bool = True,
    timeout: float | None = LIMIT,
    **values: Any,
) -> Verdict:
    """Prove or refute that `hessian` is ∂²forward/∂variable²: axes of the output, then those of the variable twice."""
    options = Options(domains or {}, seek_repair, seconds_of(timeout))
    return _check(Asked("check_hessian", forward, hessian, shapes, wrt, assuming, options, values), hessian_claims)


def check_hvp(
    forward: Function,
    product: Function,
    shapes: Shapes,
    wrt: str | None = None,
    assuming: Function | None = None,
    *,
    domains: Mapping[str, str] | None = None,
    seek_repair: bool = True,
    timeout: float | None = LIMIT,
    **values: Any,
) -> Verdict:
    """Prove or refute that `product`, whose last argument is a direction v, is the Hessian of `forward` times v."""
    options = Options(domains or {}, seek_repair, seconds_of(timeout))
    return _check(Asked("check_hvp", forward, product, shapes, wrt, assuming, options, values), hvp_claims)


def check_equal(
    f: Function,
    g: Function,
    shapes: Shapes,
    assuming: Function | None = None,
    *,
    domains: Mapping[str, str] | None = None,
    seek_repair: bool = False,
    timeout: float | None = LIMIT,
    **values: Any,
) -> Verdict:
    """Prove or refute that two functions return the same arrays (several are compared in order, or by name)."""
    options = Options(domains or {}, seek_repair, seconds_of(timeout))
    return _check(Asked("check_equal", f, g, shapes, (), assuming, options, values), equality_claims)


def derive(
    forward: Function,
    shapes: Shapes,
    wrt: str | Sequence[str] | None = None,
    assuming: Function | None = None,
    *,
    params: Mapping[str, str] | None = None,
    timeout: float | None = LIMIT,
    **values: Any,
) -> Derivative:
    """The gradient of `forward`, proved: as an index term, as text and LaTeX, and as a NumPy function.

    Where the forward is no scalar, the result takes an upstream gradient `g` for its output (`g0`, `g1`, ... for
    several).  A module of PyTorch's, or a function that makes one, is a forward too: `params` names its parameters by
    their paths, {"W": "fc.weight"}.  Raises SymbackpropError with the place and the cause where no gradient is found.
    """
    seconds = seconds_of(timeout)
    forward, shapes = layer_forward("derive", forward, shapes, params)
    (forward,) = readable([forward], shapes)
    request = read_request("derive", forward, None, shapes, wrt, assuming, values)
    try:
        with limit(seconds * max(1, len(request.variables))):
            stage("deriving")
            return derived(request, Setting(request.hypotheses(), repair=False, seconds=seconds))
    except OutOfTime as late:
        raise SymbackpropError(f"derive: {late}") from None
    except OverflowError:
        raise SymbackpropError("derive: a constant is larger than any float, so there is no code for it") from None


def derived(request: Request, setting: Setting) -> Derivative:
    """The gradient by the NumPy functions, or through JAX where the forward is one of JAX's."""
    try:
        return derivation(request, setting)
    except TraceError as problem:
        other = otherwise_read(request, problem, setting.seconds)
        if other is None:
            raise
        return derivation(other, replace(setting, hypotheses=other.hypotheses()))


def _check(asked: Asked, claims: Claims) -> Verdict:
    if asked.derivative is None:
        raise SymbackpropError(f"{asked.check}: two functions are needed, and the second is None")
    functions = [asked.function, asked.derivative]
    first, second = readable(functions, asked.shapes, differentiated=asked.check != "check_equal")
    return verdict(replace(asked, function=first, derivative=second).request(), claims, asked.options)
