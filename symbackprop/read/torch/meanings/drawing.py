"""Random numbers: each draw is an array about which nothing is known, the same one in each run of the code.

A mask is where such an array lies below a probability.  The functions take tensors of the reader or arrays of numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TraceError
from symbackprop.read.numpy.context import current
from symbackprop.read.numpy.drawing import Random, Symbolic

from ..registry import aten, refuses

Draw = Callable[..., Any]
DRAWN: dict[str, Draw] = {}
ALONE = (
    "random numbers are drawn by code that stands alone: what forward and backward draw are two draws. In a "
    "torch.autograd.Function they are one run; of a module, use eval()"
)


def draws(*names: str) -> Callable[[Draw], Draw]:
    """Registers what an operation draws; the first argument draws an array of a shape."""

    def register(f: Draw) -> Draw:
        for name in names:
            DRAWN[name] = f

            def meaning(*args: Any, **options: Any) -> Any:
                if current().draws is None:
                    raise TraceError(ALONE)
                return f(Random(Symbolic(), np)._draw, *args, **options)

            aten(name, where="an array about which nothing is known, in a torch.autograd.Function")(meaning)
        return f

    return register


@draws("rand", "randn")
def of_shape(draw: Draw, shape: Any, *_: Any, **__: Any) -> Any:
    return draw(tuple(shape))


@draws("rand_like", "randn_like")
def like(draw: Draw, x: Any, *_: Any, **__: Any) -> Any:
    return draw(tuple(x.shape))


@draws("uniform")
def uniform(draw: Draw, x: Any, low: Any = 0.0, high: Any = 1.0, **__: Any) -> Any:
    return low + (high - low) * draw(tuple(x.shape))


@draws("normal", "normal_functional")
def normal(draw: Draw, x: Any, mean: Any = 0.0, std: Any = 1.0, **__: Any) -> Any:
    return mean + std * draw(tuple(x.shape))


@draws("bernoulli")
def bernoulli(draw: Draw, x: Any, p: Any = None, **__: Any) -> Any:
    return (draw(tuple(x.shape)) < (x if p is None else p)) * 1.0


@draws("native_dropout")
def dropout(draw: Draw, x: Any, p: Any, train: Any = True) -> Any:
    if train is False:
        return x * 1.0, draw(tuple(x.shape)) * 0.0 > -1.0
    kept = draw(tuple(x.shape)) > p
    return x * kept / (1 - p), kept


refuses("randint", "randint_like", "randperm", "exponential_", "multinomial", "poisson", because="is random")

__all__ = ["DRAWN"]
