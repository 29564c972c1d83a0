"""`symbackprop export --coq FILE`: a certificate as a Coq file with a theorem about real derivatives."""

from __future__ import annotations

import argparse
from pathlib import Path

from symbackprop.core.terms import SymbackpropError
from symbackprop.files import write_atomically
from symbackprop.write.coq.theorem import coq_text, libraries, read_certificate


def run(args: argparse.Namespace) -> int:
    found = read_certificate(args.certificate)
    several = found if isinstance(found, list) else [found]
    if not several:
        raise SymbackpropError(f"{args.certificate} holds no certificate: nothing was proved")
    target = Path(args.coq)
    names = [target] if len(several) == 1 else [
        target.with_name(f"{target.stem}_{k}{target.suffix}") for k in range(1, len(several) + 1)
    ]  # fmt: skip
    texts = dict(zip(names, map(coq_text, several), strict=True))
    for path, text in texts.items():
        write_atomically(path, text)
    for name, library in libraries().items():
        write_atomically(target.parent / name, library)
    print(f"written: {', '.join(map(str, texts))}; run coqc on {', '.join(libraries())} first")
    return 0
