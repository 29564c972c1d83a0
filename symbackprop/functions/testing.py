"""For tests: `assert_gradient(forward, backward, shapes=...)` fails with the verdict as its message.

from symbackprop.functions.testing import assert_gradient

def test_layernorm_backward():
    assert_gradient(forward, backward, shapes={"x": "B D", "w": "D", "eps": ""}, assuming=lambda eps: [eps > 0])
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from symbackprop.functions.code_checks import check_derivative, check_function, check_jvp, check_layer

from .checks import check_equal, check_gradient, check_hessian, check_hvp, check_jacobian
from .verdict import Verdict

Arguments = ParamSpec("Arguments")


def asserting(check: Callable[Arguments, Verdict]) -> Callable[Arguments, Verdict]:
    """The check as an assertion, with the same arguments.

    Returns the verdict if it is proved; raises AssertionError with its report if not.  "unknown" fails too: a test must
    not pass on what nobody proved.
    """

    @wraps(check)
    def asserted(*args: Arguments.args, **options: Arguments.kwargs) -> Verdict:
        __tracebackhide__ = True
        verdict = check(*args, **options)
        if not verdict:
            raise AssertionError(str(verdict))
        return verdict

    return asserted


assert_gradient = asserting(check_gradient)
assert_jacobian = asserting(check_jacobian)
assert_hessian = asserting(check_hessian)
assert_hvp = asserting(check_hvp)
assert_jvp = asserting(check_jvp)
assert_equal = asserting(check_equal)
assert_layer = asserting(check_layer)
assert_function = asserting(check_function)
assert_derivative = asserting(check_derivative)
