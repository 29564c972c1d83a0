"""The laws, one table a file: derivatives, functions, powers, steps, sums, arrays, assumptions."""

from . import arrays, assumptions, derivatives, functions, powers, steps, sums
from .registry import LAWS

__all__ = ["LAWS", "arrays", "assumptions", "derivatives", "functions", "powers", "steps", "sums"]
