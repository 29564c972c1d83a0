"""What each operation of PyTorch's means, as calls of the reader of NumPy."""

from . import arranging, entrywise, folding, windows

__all__ = ["arranging", "entrywise", "folding", "windows"]
