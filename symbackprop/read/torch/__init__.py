"""Code of PyTorch's as index terms, by running it on tensors of symbolic shape."""

from .autograd import applied, backward_code, backward_names, first_code, forward_code, forward_parameters, second_code
from .dispatch import HeldConstant, Reading
from .functional import function_code, names_no_library, uses_torch
from .modules import Maker, building, module_code
from .numbers import for_torch
from .running import TorchCode, doubles, named
from .tensors import TracedTensor

__all__ = [
    "HeldConstant", "Maker", "Reading", "TorchCode", "TracedTensor", "applied", "backward_code", "backward_names",
    "building", "doubles", "first_code", "for_torch", "forward_code", "forward_parameters", "function_code",
    "module_code", "named", "names_no_library", "second_code", "uses_torch",
]  # fmt: skip
