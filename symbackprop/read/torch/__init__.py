"""Code of PyTorch's as index terms, by running it on tensors of symbolic shape."""

from .dispatch import HeldConstant, Reading
from .functions import Custom, TorchCode, backward_names, doubles, forward_parameters, function_code, named
from .modules import Maker, building, module_code
from .tensors import TracedTensor, for_torch

__all__ = [
    "Custom", "HeldConstant", "Maker", "Reading", "TorchCode", "TracedTensor", "backward_names", "building", "doubles",
    "for_torch", "forward_parameters", "function_code", "module_code", "named",
]  # fmt: skip
