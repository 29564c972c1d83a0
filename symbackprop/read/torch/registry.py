"""The table from operations of aten to what reads them, with an overload ("max.dim") where overloads differ.

A meaning takes arrays of the reader of NumPy in the order of PyTorch's schema, and calls the reader's own functions.
What it does not take it refuses.  In-place and `out` forms of an operation have the meaning of the plain one.  One
that is `told` has a parameter `kind`, which numbers the result has.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from symbackprop.read.documented import Table

Kind: TypeAlias = Literal["bool", "int", "real"]
ATEN = Table()
# Arguments that change no number.
INERT = frozenset({"layout", "device", "pin_memory", "memory_format", "non_blocking", "dtype", "generator", "implicit"})
