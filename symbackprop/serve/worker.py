"""One question in one process, with limits on its time and its memory; the server itself computes nothing."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from multiprocessing.connection import Connection
from typing import Any

from .question import Answer, Question

SECONDS, MEGABYTES = 30, 2_000
AT_ONCE = 2  # processes that work at a time; the others wait
_turns = threading.BoundedSemaphore(AT_ONCE)
_context: Any = None
_starting = threading.Lock()


def ask(q: Question, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> Answer:
    """The answer, or a problem in words: out of time, out of memory, too many questions at once."""
    if not _turns.acquire(timeout=seconds):
        return Answer(problem="too many questions at once: try again in a moment")
    try:
        return in_process(q, seconds, megabytes)
    finally:
        _turns.release()


def in_process(q: Question, seconds: float, megabytes: int) -> Answer:
    context = processes()
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(theirs, q, seconds, megabytes), daemon=True)
    process.start()
    theirs.close()
    try:
        if not mine.poll(seconds):
            return Answer(problem=f"no answer within {seconds:g} s")
        found = mine.recv()
    except EOFError:
        return Answer(problem=f"this needs more than {megabytes} MB or {seconds:g} s")
    finally:
        process.kill()
        process.join()
        process.close()
        mine.close()
    return Answer(**found)


def processes() -> Any:
    """A server from which processes are forked that have everything imported; made at the first question."""
    global _context
    with _starting:
        if _context is None:
            method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
            _context = multiprocessing.get_context(method)
            if method == "forkserver":
                _context.set_forkserver_preload(["symbackprop.serve.answer"])
    return _context


def work(out: Connection, q: Question, seconds: float, megabytes: int) -> None:
    limit_resources(seconds, megabytes)
    from .answer import answer

    too_little = Answer(problem=f"this needs more than {megabytes} MB")
    try:
        found = answer(q) if in_use() < megabytes << 20 else too_little
    except (MemoryError, RuntimeError):  # the latter where there is no room for a thread
        found = too_little
    with contextlib.suppress(OSError):
        out.send({"verdict": found.verdict, "derivation": found.derivation, "texts": dict(found.texts),
                  "problem": found.problem})  # fmt: skip


def in_use() -> int:
    """Bytes of memory that are taken already; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def limit_resources(seconds: float, megabytes: int) -> None:
    """Where the system has such limits; no file may be written."""
    try:
        import resource
    except ImportError:  # Windows: the time is limited from outside
        return
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
