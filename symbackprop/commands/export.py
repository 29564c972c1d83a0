"""`symbackprop export --coq FILE`: a certificate as a Coq file with a theorem about real derivatives."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write a certificate as a Coq file: a theorem about real derivatives (mathcomp-analysis), for all sizes. "
        "The libraries that it needs are written next to it. "
        "What has no translation is reported; docs/coq.md says what has one."
    )
    parser.add_argument("certificate", help="a certificate (JSON), as `check --certificate` writes it")
    parser.add_argument("--coq", required=True, metavar="FILE.v", help="where to write the theorem")


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from symbackprop.files import write_atomically
    from symbackprop.write.coq.theorem import coq_text, libraries, read_certificate

    text = coq_text(read_certificate(args.certificate))
    target = Path(args.coq)
    write_atomically(target, text)
    for name, library in libraries().items():
        write_atomically(target.parent / name, library)
    print(f"{target}: run coqc on {', '.join(libraries())} and then on it")
    return 0
