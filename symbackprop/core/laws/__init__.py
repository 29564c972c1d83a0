"""The laws, one table a file: derivatives, functions, powers, steps, arrays, assumptions."""

from . import arrays, assumptions, derivatives, functions, powers, steps
from .registry import LAWS

__all__ = ["LAWS", "arrays", "assumptions", "derivatives", "functions", "powers", "steps"]
