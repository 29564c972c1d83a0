"""What an answer may cost: one clock for all stages of a question, and attempts for the search of reasons.

Hot loops call `check_time`.  What never does so, such as an endless loop in a user's function, is interrupted by a
second thread a little later: no signals, so it works in every thread and on every system.  The core knows nothing of
this: an interrupted check returns nothing.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf, isfinite
from time import monotonic, sleep
from typing import Any, TypeVar

from symbackprop.core.indices import SymbackpropError

LIMIT = 10.0  # seconds for a claim
GRACE = 0.5  # seconds until that is interrupted which does not look at the clock
SELDOM = 50_000  # new objects until garbage is looked for: terms make no cycles, and looking takes a fifth of the time
DEEP = 4_000  # calls inside one another: proofs are nested once for each name that they introduce

T = TypeVar("T")
U = TypeVar("U")


class OutOfTime(BaseException):
    """No `Exception`: code that handles errors on its way, ours or the user's, does not handle this one.

    `str` says what was done until then.
    """

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else "the time is over"


class Clock:
    """`done` says what was done so far, `stage` what is going on."""

    __slots__ = ("done", "seconds", "stage", "until")

    def __init__(self, seconds: float, until: float) -> None:
        self.seconds, self.until = seconds, until
        self.stage, self.done = "", list[str]()

    def late(self) -> str:
        going_on = [f"{self.stage} was not finished"] if self.stage else []
        so_far = ", ".join(dict.fromkeys((*self.done, *going_on)))
        return f"no answer within {self.seconds:g} s" + (f": {so_far}" if so_far else "")


_clock: ContextVar[Clock | None] = ContextVar("clock", default=None)
_listener: ContextVar[Callable[[str], object] | None] = ContextVar("listener", default=None)


def check_time() -> None:
    """Raises OutOfTime when the time of the question, or of this part of it, is over."""
    clock = _clock.get()
    if clock is not None and monotonic() > clock.until:
        raise OutOfTime(clock.late())


def seconds_of(timeout: Any) -> float:
    """Raises SymbackpropError for what is no positive number of seconds; None is no limit."""
    if timeout is None:
        return inf
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise SymbackpropError(f"timeout is a positive number of seconds (None for no limit), not {timeout!r}")
    return float(timeout)


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """A clock for one question; inside another one the earlier end counts.  What is inside may raise OutOfTime."""
    outer, until = _clock.get(), monotonic() + seconds
    clock = Clock(seconds, until if outer is None else min(until, outer.until))
    token = _clock.set(clock)
    guard = Guard(seconds + GRACE) if outer is None and isfinite(seconds) else None
    often = gc.get_threshold()
    seldom = outer is None and 0 < often[0] < SELDOM
    if seldom:
        gc.set_threshold(SELDOM, *often[1:])
    deepest = sys.getrecursionlimit()
    sys.setrecursionlimit(max(deepest, DEEP))
    try:
        yield
    except OutOfTime as late:
        raise OutOfTime(late.args[0] if late.args else clock.late()) from None
    finally:
        if guard is not None:
            guard.stop()
        if seldom:
            gc.set_threshold(*often)
        sys.setrecursionlimit(deepest)
        _clock.reset(token)


def in_time(share: float, work: Callable[[], T], otherwise: U, at_most: float = inf) -> T | U:
    """work(), or `otherwise` when that takes more than a share of the time that is left, or than so many seconds.

    Raises OutOfTime when all of it is over.
    """
    clock = _clock.get()
    if clock is None:
        return work()
    end, now = clock.until, monotonic()
    clock.until = min(end - (1 - share) * max(0.0, end - now) if isfinite(end) else end, now + at_most)
    try:
        return work()
    except OutOfTime:
        pass
    finally:
        clock.until = end
    check_time()
    return otherwise


def stage(name: str) -> None:
    """What is going on from now on."""
    clock, listener = _clock.get(), _listener.get()
    if clock is not None:
        clock.stage = name
    if listener is not None:
        listener(name)


def done(what: str) -> None:
    """What an answer that comes too late will tell."""
    clock = _clock.get()
    if clock is not None:
        clock.stage = ""
        clock.done.append(what)


def give_up() -> None:
    """Raises OutOfTime for a question that was looked at with the time that is left, and not answered."""
    clock = _clock.get()
    raise OutOfTime(clock.late() if clock is not None else "")


@contextmanager
def listening(to: Callable[[str], object]) -> Iterator[None]:
    """`to` is called with the name of each stage."""
    token = _listener.set(to)
    try:
        yield
    finally:
        _listener.reset(token)


class Guard:
    """Interrupts the thread that made it when the time is over, again and again until `stop`."""

    def __init__(self, seconds: float) -> None:
        self.thread, self.due, self.lock = threading.get_ident(), monotonic() + seconds, threading.RLock()
        self.interrupted = self.stopped = False
        WATCH.begin(self)

    def fire(self) -> None:
        with self.lock:
            if not self.stopped:
                self.interrupted = True
                interrupt(self.thread)
        self.due = monotonic() + GRACE

    def stop(self) -> None:
        """An interruption that may be on its way is replaced by one that is waited for.

        Taken back is none: CPython goes on to look for it at every step, and hangs where a profiler is set.
        """
        while True:
            try:
                with self.lock:
                    self.stopped = True
                WATCH.end(self)
                if not self.interrupted:
                    return
                while True:  # again and again: a callback that it meets on its way may swallow it
                    interrupt(self.thread)
                    sleep(0)
            except OutOfTime:
                if self.stopped:
                    return


class Watch:
    """One thread for all guards, asleep until the first is due: to wake it for each costs more than a short answer."""

    def __init__(self) -> None:
        self.guards, self.changed, self.wakes = set[Guard](), threading.Condition(), inf

    def begin(self, guard: Guard) -> None:
        with self.changed:
            self.guards.add(guard)
            if self.wakes == inf:
                self.wakes = guard.due
                threading.Thread(target=self.run, daemon=True).start()
            elif guard.due < self.wakes:
                self.changed.notify()

    def end(self, guard: Guard) -> None:
        with self.changed:
            self.guards.discard(guard)

    def run(self) -> None:
        """Until no guard is left."""
        with self.changed:
            while self.guards:
                self.wakes = min(g.due for g in self.guards)
                self.changed.wait(max(0.0, self.wakes - monotonic()))
                for g in [g for g in self.guards if g.due <= monotonic()]:
                    g.fire()
            self.wakes = inf

    def forget(self) -> None:
        """In the child of a fork, which has no other thread."""
        self.__init__()  # type: ignore[misc]


WATCH = Watch()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WATCH.forget)


def interrupt(thread: int) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(OutOfTime))


ATTEMPTS = 200  # to prove an equation, in one statement; of 700 that have a proof one took 16


class Effort:
    """What is still to be spent on one statement, by all who look for reasons in it.

    The search ends by the work done, on every machine at the same place.  What they share is `found`, by its subject.
    """

    def __init__(self) -> None:
        self.left, self.found = ATTEMPTS, dict[Any, Any]()

    def spend(self) -> bool:
        """Whether there was something left."""
        self.left -= 1
        return self.left >= 0
