"""A line on the terminal that says what is going on, for what takes longer than one likes to wait."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

from rich.console import Console
from rich.markup import escape

from symbackprop.clock import listening

SOON = 2.0  # seconds


@contextmanager
def shown_when_slow(what: str) -> Iterator[None]:
    """`what: stage` on stderr after two seconds, gone at the end; nothing where stderr is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return

    status = Console(stderr=True).status(escape(what))
    timer = Timer(SOON, status.start)
    timer.daemon = True
    timer.start()
    try:
        with listening(lambda stage: status.update(escape(f"{what}: {stage} ..."))):
            yield
    finally:
        timer.cancel()
        timer.join()
        status.stop()
