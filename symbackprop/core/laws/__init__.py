"""The laws, one table a file: derivatives, functions, arrays and sums; definitions and hypotheses."""

from . import arrays, derivatives, functions
from .registry import LAWS

__all__ = ["LAWS", "arrays", "derivatives", "functions"]
