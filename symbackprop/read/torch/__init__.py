"""Code of PyTorch's as index terms, by running it on tensors of symbolic shape."""

from .autograd import applied, backward_code, backward_names, forward_code, forward_parameters
from .functional import function_code, uses_torch
from .modules import Maker, module_code
from .running import TorchCode, named

__all__ = [
    "Maker", "TorchCode", "applied", "backward_code", "backward_names", "forward_code", "forward_parameters",
    "function_code", "module_code", "named", "uses_torch",
]  # fmt: skip
