"""Functions that compute with JAX, told by the names in their code: by their jaxprs, and what they hold constant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from symbackprop.clock import OutOfTime, limit, stage
from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.held_values import with_copies
from symbackprop.functions.request import Function, Request
from symbackprop.read.libraries import refers_to

BY_VALUE: Mapping[str, str] = {}  # what a rule computes counts, however it is differentiated


def through_jax(request: Request, seconds: float) -> Request | None:
    """The same request with the functions that mention JAX traced by JAX; None where there are none."""
    forward, backward = jittable(request.forward), None if request.backward is None else jittable(request.backward)
    if forward is None and backward is None:
        return None
    found = replace(request, forward=forward or request.forward, backward=backward or request.backward)
    return found if forward is None or request.asked == "check_equal" else with_stopped_values(found, forward, seconds)


def jittable(function: Function) -> Any:
    if not refers_to(function, "jax"):
        return None
    try:
        from symbackprop.read.jax import Jittable  # JAX is an extra
    except ImportError:
        return None
    return Jittable(function, copies=BY_VALUE)


def with_stopped_values(request: Request, forward: Any, seconds: float) -> Request:
    """The request with the values that its forward, a Jittable, holds constant."""
    try:
        with limit(seconds):
            if not forward.stops_gradients(request.given(forward)):
                return request
            stage("reading what is held constant")
            return with_copies(request, forward)
    except (SymbackpropError, OutOfTime):
        return replace(request, forward=forward.holding(None))  # what is wrong with it the check itself says
