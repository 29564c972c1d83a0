"""How many files of the package one check enters, and how often it goes from one to another.

    python benchmarks/entered.py            the numbers
    python benchmarks/entered.py --files    and the files, with the calls in each
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import FrameType

import numpy as np

import symbackprop
from symbackprop import check_gradient

ROOT = str(Path(symbackprop.__file__).parent)


def one_check() -> str:
    return check_gradient(
        lambda x, w: (x @ w).sum(), lambda x, w: np.ones((x.shape[0], 1)) * w.sum(1), {"x": "n d", "w": "d m"}, "x"
    ).status


def main() -> None:
    calls, moves, last = Counter[str](), 0, ""

    def seen(frame: FrameType, event: str, argument: object) -> None:
        nonlocal moves, last
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(ROOT):
            calls[file[len(ROOT) + 1 :]] += 1
            moves += file != last
            last = file

    sys.setprofile(seen)
    status = one_check()
    sys.setprofile(None)
    print(f"{status}: {len(calls)} files, {moves} moves between them, {calls.total()} calls")
    if "--files" in sys.argv:
        print(*(f"{count:6} {file}" for file, count in sorted(calls.items())), sep="\n")


if __name__ == "__main__":
    main()
