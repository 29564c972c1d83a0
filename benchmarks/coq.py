"""What Coq says to the proofs of the public corpus: a table by reason.

    python benchmarks/coq.py [--only TEXT] [--corpus corpus] [--seconds 60] [--keep FOLDER] [--export]

Each statement of the corpus that is proved is exported, and coqc is given --seconds for it, one after the other: with
Coq 8.16 the corpus takes about ten minutes.  With --keep the certificates, the theorems and what was accepted stay in
a folder, and a further run takes them from there; --export leaves coqc out.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from decide import Case, cases, decided

from symbackprop.core.terms import SymbackpropError
from symbackprop.write.coq.theorem import coq_text, libraries

DATA = Path(__file__).parent.parent / "tests" / "data"
PROVING = 40.0


def certificates(case: Case, folder: Path) -> list[dict[str, Any]]:
    """The certificates of a statement, one for each variable; none where it is not proved."""
    kept = folder / f"{case.name.replace('/', '_')}.json"
    if not kept.exists():
        verdict = decided(case, PROVING).verdict
        found = verdict.certificates() if verdict else []
        kept.write_text(json.dumps(found), encoding="utf-8")
    return json.loads(kept.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def compiled_libraries(folder: Path) -> None:
    """All of them anew where one is another than before: each rests on those before it."""
    here = {name: folder / name for name in libraries()}
    if all(f.with_suffix(".vo").exists() and f.read_text(encoding="utf-8") == libraries()[n] for n, f in here.items()):
        return
    (folder / "accepted.json").unlink(missing_ok=True)
    for name, text in libraries().items():
        here[name].write_text(text, encoding="utf-8")
        subprocess.run(["coqc", "-q", "-w", "none", name], cwd=folder, check=True)


def coqc(folder: Path, name: str, text: str, seconds: float) -> str:
    """Why Coq does not accept the text, or nothing."""
    known = folder / "accepted.json"
    accepted = json.loads(known.read_text(encoding="utf-8")) if known.exists() else {}
    if accepted.get(name) == text:
        return ""
    (folder / f"{name}.v").write_text(text, encoding="utf-8")
    try:
        run = subprocess.run(
            ["coqc", "-q", "-w", "none", f"{name}.v"], cwd=folder, capture_output=True, text=True, timeout=seconds,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"coqc: no answer within {seconds:g} s"
    if run.returncode:
        where = re.search(r"line (\d+)", run.stderr)
        said = " ".join(run.stderr.split("Error:")[-1].split())[:90]
        return f"coqc: {said} (line {where[1] if where else '?'})"
    known.write_text(json.dumps({**accepted, name: text}), encoding="utf-8")
    return ""


def refusals(case: Case, folder: Path, seconds: float | None) -> Iterator[str]:
    """For each certificate why there is no theorem of Coq, or nothing."""
    for k, certificate in enumerate(certificates(case, folder)):
        name = re.sub(r"\W", "_", f"{case.name}_{k}")
        try:
            text = coq_text(certificate)
        except SymbackpropError as refused:
            yield f"export: {str(refused).splitlines()[0][:110]}"
            continue
        yield coqc(folder, name, text, seconds) if seconds else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="corpus", help="a file of tests/data")
    parser.add_argument("--only", default="", metavar="TEXT", help="only names that contain this")
    parser.add_argument("--seconds", type=float, default=60.0, help="time limit of coqc for each theorem")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    parser.add_argument("--export", action="store_true", help="export only")
    args = parser.parse_args()
    if not args.export and shutil.which("coqc") is None:
        parser.error("coqc is missing; make test-coq says what to install")
    reasons: dict[str, list[str]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as spare:
        folder = args.keep or Path(spare)
        folder.mkdir(exist_ok=True, parents=True)
        if not args.export:
            compiled_libraries(folder)
        for case in cases(json.loads((DATA / f"{args.corpus}.json").read_text(encoding="utf-8"))):
            if not case.truth or args.only not in case.name:
                continue
            start = time.perf_counter()
            for why in refusals(case, folder, None if args.export else args.seconds):
                reasons[why].append(case.name)
                print(f"{case.name:45} {time.perf_counter() - start:6.1f} s  {why or 'accepted'}", flush=True)
    table(reasons)
    return 0


def table(reasons: dict[str, list[str]]) -> None:
    total = sum(map(len, reasons.values()))
    print(f"\n{len(reasons.get('', []))} of {total} accepted")
    for why, names in sorted(reasons.items(), key=lambda pair: -len(pair[1])):
        if why:
            print(f"{len(names):4}  {why}\n      {', '.join(names)}")


if __name__ == "__main__":
    sys.exit(main())
