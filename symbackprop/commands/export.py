"""`symbackprop export --coq FILE`: a certificate as a Coq file with a theorem about real derivatives."""

from __future__ import annotations

import argparse
from pathlib import Path

from symbackprop.files import write_atomically
from symbackprop.write.coq.theorem import coq_text, libraries, read_certificate


def run(args: argparse.Namespace) -> int:
    text = coq_text(read_certificate(args.certificate))
    target = Path(args.coq)
    write_atomically(target, text)
    for name, library in libraries().items():
        write_atomically(target.parent / name, library)
    print(f"{target}: run coqc on {', '.join(libraries())} and then on it")
    return 0
