"""Loops of symbolic length: the body is generalised rightly or the function is refused, never misread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy_adversaries import CASES
from numpy_witness import agrees

from symbackprop import check_gradient
from symbackprop.read.numpy import TraceError, parse_shapes

# What is refused at literal sizes as well: conditions on the data, and what has no index term.
NEVER = set(
    """
any_x argm assertdata boolneg branch cplx div0 empty_after filt2 full_int int_trunc iter_next nan_ outidx rand
reshape_view_T sorted_ split_fail svm_loop_branch swallowed tern
""".split()
)
# What must be traced at symbolic sizes too.
GENERAL = set(
    """
aug_view batch_loop ce_loop conv_batch cross_add cross_add2 decays deep dict_accum enum2 fancy_aug globallist
helper_append idx_affine list_cat list_in_list list_slice loopvar maxpool_loop mult_at ndindex_loop nonlocal_ obj
overwrite_same pairs_ perceptron prefix_loop product_loop product_sum row2 row_iter_ops row_ops scaled_at shadow
rows_after_the_last rows_backwards rows_decay rows_decays rows_of_columns rows_prefix rows_read_by_others
rows_twice_written shrink suffix_loop svm_loop sym_write tri2 tri3 tri_comp tri_loop two_carry two_idx two_idx_T types
zip2
""".split()
)


@pytest.mark.parametrize("literal", [False, True], ids=["symbolic", "literal"])
@pytest.mark.parametrize(("function", "shapes"), CASES, ids=[f.__name__ for f, _ in CASES])
def test_right_or_refused(function: Any, shapes: dict[str, str], literal: bool) -> None:
    name = function.__name__
    try:
        found = agrees(function, parse_shapes(shapes), literal)
    except TraceError:
        assert name in NEVER or (not literal and name not in GENERAL)
        return
    assert found == "" or (found == "NumPy refuses every size" and name in NEVER), found


def ema(x, a):
    h = np.zeros((x.shape[0] + 1, x.shape[1]))
    for t in range(x.shape[0]):
        h[t + 1] = a * h[t] + (1 - a) * x[t]
    return h[1:]


def ema_backward(x, a, dy):
    g = np.zeros((x.shape[0] + 1, x.shape[1]))
    dx = np.zeros(x.shape)
    for t in range(x.shape[0] - 1, -1, -1):
        g[t] = a * g[t + 1] + dy[t]
        dx[t] = (1 - a) * g[t]
    return dx


def ema_without_the_share(x, a, dy):
    return ema_backward(x, a, dy) / (1 - a)


@pytest.mark.parametrize(("backward", "status"), [(ema_backward, "proved"), (ema_without_the_share, "refuted")])
def test_rows_that_carry_on_are_differentiated(backward: Any, status: str) -> None:
    found = check_gradient(ema, backward, {"x": "T N", "a": "N"}, "x", lambda a: [a < 1], seek_repair=False)
    assert found.status == status
