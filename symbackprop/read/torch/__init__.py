"""Code of PyTorch's as index terms, by running it on tensors of symbolic shape."""

from .autograd import applied, backward_code, backward_names, forward_code, forward_parameters
from .running import TorchCode, named

__all__ = [
    "TorchCode", "applied", "backward_code", "backward_names", "forward_code", "forward_parameters", "named",
]  # fmt: skip
