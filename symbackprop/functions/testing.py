"""For tests: `assert_gradient(forward, backward, shapes=...)` fails with the verdict as its message.

from symbackprop.functions.testing import assert_gradient

def test_layernorm_backward():
    assert_gradient(forward, backward, shapes={"x": "B D", "w": "D", "eps": ""}, assuming=lambda eps: [eps > 0])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .checks import check_equal, check_gradient, check_hessian, check_hvp, check_jacobian
from .code_checks import check_derivative, check_function, check_layer
from .verdict import Verdict

__all__ = [
    "assert_derivative", "assert_equal", "assert_function", "assert_gradient", "assert_hessian", "assert_hvp",
    "assert_jacobian", "assert_layer",
]  # fmt: skip

Function = Callable[..., Any]
Shapes = Mapping[str, Any]
Variables = str | Sequence[str] | None


def assert_gradient(
    forward: Function, backward: Function, shapes: Shapes, wrt: Variables = None, assuming: Function | None = None,
    **values: Any,
) -> Verdict:  # fmt: skip
    """Returns the verdict if `backward` is proved to be the gradient; raises AssertionError with its report if not.

    The arguments are those of `check_gradient`.  "unknown" fails too: a test must not pass on what nobody proved.
    """
    __tracebackhide__ = True
    return proved(check_gradient(forward, backward, shapes, wrt, assuming, **values))


def assert_jacobian(
    forward: Function, jacobian: Function, shapes: Shapes, wrt: Variables = None, assuming: Function | None = None,
    **values: Any,
) -> Verdict:  # fmt: skip
    """The same with `check_jacobian`."""
    __tracebackhide__ = True
    return proved(check_jacobian(forward, jacobian, shapes, wrt, assuming, **values))


def assert_hessian(
    forward: Function, hessian: Function, shapes: Shapes, wrt: Variables = None, assuming: Function | None = None,
    **values: Any,
) -> Verdict:  # fmt: skip
    """The same with `check_hessian`."""
    __tracebackhide__ = True
    return proved(check_hessian(forward, hessian, shapes, wrt, assuming, **values))


def assert_hvp(
    forward: Function, product: Function, shapes: Shapes, wrt: str | None = None, assuming: Function | None = None,
    **values: Any,
) -> Verdict:  # fmt: skip
    """The same with `check_hvp`."""
    __tracebackhide__ = True
    return proved(check_hvp(forward, product, shapes, wrt, assuming, **values))


def assert_equal(f: Function, g: Function, shapes: Shapes, assuming: Function | None = None, **values: Any) -> Verdict:
    """The same with `check_equal`."""
    __tracebackhide__ = True
    return proved(check_equal(f, g, shapes, assuming, **values))


def assert_layer(make_or_layer: Any, **question: Any) -> Verdict:
    """The same with `check_layer`."""
    __tracebackhide__ = True
    return proved(check_layer(make_or_layer, **question))


def assert_function(function: Any, derivative: Any = None, **question: Any) -> Verdict:
    """The same with `check_function`."""
    __tracebackhide__ = True
    return proved(check_function(function, derivative, **question))


def assert_derivative(f: Function, derivative: Function, shapes: Shapes, **question: Any) -> Verdict:
    """The same with `check_derivative`."""
    __tracebackhide__ = True
    return proved(check_derivative(f, derivative, shapes, **question))


def proved(verdict: Verdict) -> Verdict:
    __tracebackhide__ = True
    if not verdict:
        raise AssertionError(str(verdict))
    return verdict
