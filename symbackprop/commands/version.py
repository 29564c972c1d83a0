"""`symbackprop version`: the version of the program, of Python, and of the libraries it stands on."""

from __future__ import annotations

import argparse
import platform
from importlib import metadata

from symbackprop import __version__

LIBRARIES = ("sympy", "numpy", "python-flint", "latex2sympy2-extended")


def run(args: argparse.Namespace) -> int:
    print(f"symbackprop {__version__}")
    print(f"Python {platform.python_version()}")
    for library in LIBRARIES:
        try:
            print(library, metadata.version(library))
        except metadata.PackageNotFoundError:
            print(library, "not installed")
    return 0
