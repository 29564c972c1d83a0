"""The laws, one table a file: derivatives, functions, sums, arrays; definitions and hypotheses."""

from . import arrays, derivatives, functions, sums
from .registry import LAWS

__all__ = ["LAWS", "arrays", "derivatives", "functions", "sums"]
