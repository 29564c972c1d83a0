"""Whether floats look equal: a filter, never a verdict."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def close(found: FloatArray, truth: FloatArray) -> bool:
    """Equal up to rounding wherever the truth has a value."""
    known = np.isfinite(truth)
    if not np.isfinite(found[known]).all():
        return False
    scale = np.maximum(np.abs(found[known]), np.abs(truth[known]))
    noise = 1e-12 * float(scale.max(initial=0.0))
    return bool((np.abs(found[known] - truth[known]) <= 1e-8 * scale + noise).all())
