"""Backward functions of whole layers and networks, right and with one wrong line: verdict and processor seconds.

    python benchmarks/checks.py [NAME ...] [--limit SECONDS] [--json FILE]

For a wrong one the last column says whether the verdict names the line that is wrong.  With another checkout on
PYTHONPATH the same questions are asked of that one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "tables"))

from large_backwards import LARGE

from symbackprop import check_gradient


def asked(name: str, variant: str, limit: float, answer: Connection) -> None:
    case = LARGE[name]
    backward = case.backward if variant == "right" else case.mistaken
    start = time.process_time()
    verdict = check_gradient(case.forward, backward, case.shapes, case.wrt, case.assuming, timeout=limit)
    spent = time.process_time() - start
    answer.send((verdict.status, round(spent, 2), str(verdict), case.line))


def measured(name: str, variant: str, limit: float, most: float) -> dict[str, Any]:
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=asked, args=(name, variant, limit, there))
    process.start()
    status, spent, text, line = here.recv() if here.poll(most) else ("none", most, "", 0)
    process.kill()
    process.join()
    named = "" if variant == "right" else "named" if re.search(rf"\bline {line}\b", text) else "not named"
    return {"name": name, "variant": variant, "status": status, "seconds": spent, "line": named, "text": text}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(LARGE))
    parser.add_argument("--limit", type=float, default=10.0, help="the timeout that is given to the check")
    parser.add_argument("--most", type=float, default=240.0, help="seconds after which an answer is not waited for")
    parser.add_argument("--json")
    given = parser.parse_args()
    rows = []
    for name in given.names or list(LARGE):
        for variant in ("right", "wrong"):
            row = measured(name, variant, given.limit, given.most)
            rows.append(row)
            print(f"{name:26}{variant:7}{row['status']:10}{row['seconds']:8.2f} s  {row['line']}", flush=True)
    if given.json:
        Path(given.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
