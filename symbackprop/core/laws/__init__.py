"""The laws, one table a file: derivatives, functions, sums, arrays, assumptions."""

from . import arrays, assumptions, derivatives, functions, sums
from .registry import LAWS

__all__ = ["LAWS", "arrays", "assumptions", "derivatives", "functions", "sums"]
