"""Functions that compute with JAX where the names of jax.numpy do not say it all: read through their jaxprs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .library_use import refers_to
from .request import Function, Request


def through_jax(request: Request) -> Request | None:
    """The same request with the functions that mention JAX traced by JAX; None where there are none."""
    forward, backward = jittable(request.forward), None if request.backward is None else jittable(request.backward)
    if forward is None and backward is None:
        return None
    return replace(request, forward=forward or request.forward, backward=backward or request.backward)


def jittable(function: Function) -> Any:
    if not refers_to(function, "jax"):
        return None
    try:
        from symbackprop.read.jax import Jittable  # JAX is an extra
    except ImportError:
        return None
    return Jittable(function)
