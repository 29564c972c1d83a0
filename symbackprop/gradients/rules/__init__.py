"""Vector-Jacobian products, one rule for each operation that is read.

A rule is NumPy code that runs on traced arrays: what it computes becomes nodes of the same graph, with definitions
that the proof is about.  `rule(k, g, out, *args, **options)` is the contribution of the upstream gradient `g` of the
result `out` to argument k.  `g` may be *thin*, of size 1 along axes on which it does not vary, or a number.
"""

from . import arranging, products
from .registry import RULES, NoRule

__all__ = ["RULES", "NoRule", "arranging", "products"]
