"""A question ends in time, and leaves nothing behind that slows or hangs the interpreter."""

import sys
from time import monotonic

import pytest

from symbackprop.clock import GRACE, OutOfTime, in_time, limit


def never() -> None:
    while True:
        pass


def test_what_never_looks_at_the_clock_is_interrupted() -> None:
    start = monotonic()
    with pytest.raises(OutOfTime), limit(0.05):
        never()
    assert monotonic() - start < 10 * GRACE


def test_an_inner_question_ends_with_the_outer_one() -> None:
    with pytest.raises(OutOfTime), limit(0.05), limit(1000):
        never()


def test_a_share_of_the_time_has_another_answer() -> None:
    with limit(1000):
        assert in_time(0.5, lambda: "found", "none") == "found"


@pytest.mark.parametrize("late", [False, True])
def test_a_profiler_goes_on_after_a_question(late: bool) -> None:
    """Of an interruption that was taken back CPython 3.11 kept looking for ever, at the first call that is profiled."""
    for _ in range(3):
        try:
            with limit(0.02 if late else 1000):
                while late:
                    pass
        except OutOfTime:
            assert late
    calls = []
    sys.setprofile(lambda *event: calls.append(event[1]))
    try:
        sum(abs(k) for k in range(5))
    finally:
        sys.setprofile(None)
    assert "call" in calls
