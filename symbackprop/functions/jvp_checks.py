"""The public check of Jacobian-vector products: tangents of the outputs from tangents of all inputs together."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symbackprop.clock import LIMIT, seconds_of
from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.other_claims import jvp_claims

from .drive import Options, verdict
from .held_values import copies_of
from .jax_reading import refers_to
from .request import called, parameters, read_request
from .verdict import Verdict

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
    if not isinstance(shapes, Mapping):
        raise SymbackpropError(f"{ASKED}: shapes is a dict such as {{'x': 'B D', 'w': 'D'}}, not {shapes!r}")
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
