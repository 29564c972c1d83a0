"""`symbackprop verify`: re-checks certificates with the independent checker."""

from __future__ import annotations

import argparse

from symbackprop.checker.recheck import verify


def run(args: argparse.Namespace) -> int:
    return int(not all([verify(path) for path in args.files]))
