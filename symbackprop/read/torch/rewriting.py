"""Functions that PyTorch takes apart by sizes as plain numbers, written with others that it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F

from symbackprop.read.numpy import TraceError


@contextmanager
def rewritten() -> Iterator[None]:
    """Puts the functions of the table below in the place of PyTorch's, for a while."""
    before = [(home, name, getattr(home, name)) for home, name in REWRITTEN]
    for (home, name), function in REWRITTEN.items():
        setattr(home, name, function)
    try:
        yield
    finally:
        for home, name, function in before:
            setattr(home, name, function)


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    if return_indices:
        raise TraceError("the indices of max pooling depend on the data")
    step = kernel_size if stride is None or stride == () else stride
    kernel, step, padding, dilation = map(single, (kernel_size, step, padding, dilation))
    wide = F.max_pool2d(input.unsqueeze(-2), (1, kernel), (1, step), (0, padding), (1, dilation), ceil_mode)
    return wide.squeeze(-2)


def single(n: Any) -> Any:
    return n[0] if isinstance(n, tuple | list) else n


def one_hot(tensor: Any, num_classes: Any = -1) -> Any:
    if isinstance(num_classes, int) and num_classes == -1:
        raise TraceError("one_hot without num_classes has as many columns as the data says")
    return (tensor.unsqueeze(-1) == torch.arange(num_classes)).to(torch.int64)


# --- cells ---------------------------------------------------------------------------------------


def rnn_cell(activation: Callable[[Any], Any]) -> Callable[..., Any]:
    def cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
        return activation(F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh))

    return cell


def gru_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    ir, iz, new = F.linear(x, w_ih, b_ih).chunk(3, dim=-1)
    hr, hz, old = F.linear(h, w_hh, b_hh).chunk(3, dim=-1)
    z = torch.sigmoid(iz + hz)
    n = torch.tanh(new + torch.sigmoid(ir + hr) * old)
    return n + z * (h - n)


def lstm_cell(x: Any, state: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    h, c = state
    i, f, g, o = (F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh)).chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


CELLS = torch._VF
REWRITTEN: dict[tuple[Any, str], Callable[..., Any]] = {
    (torch, "max_pool1d"): max_pool1d,
    (F, "max_pool1d"): max_pool1d,
    (F, "one_hot"): one_hot,
    (CELLS, "rnn_tanh_cell"): rnn_cell(torch.tanh),
    (CELLS, "rnn_relu_cell"): rnn_cell(torch.relu),
    (CELLS, "gru_cell"): gru_cell,
    (CELLS, "lstm_cell"): lstm_cell,
}
ORIGINAL = {id(getattr(home, name)): function for (home, name), function in REWRITTEN.items()}
