"""What each operation of PyTorch's means, as calls of the reader of NumPy."""

from . import arranging, creating, drawing, elementwise, indexing, losses, normalizing, products, reductions, windows

__all__ = [
    "arranging", "creating", "drawing", "elementwise", "indexing", "losses", "normalizing", "products", "reductions",
    "windows",
]  # fmt: skip
