"""What may be spent on looking for reasons: the search ends by the work done, on every machine at the same place."""

from __future__ import annotations

ATTEMPTS = 200  # to prove an equation, in one statement; of 700 that have a proof one took 16


class Effort:
    """What is still to be spent on one statement, by all who look for reasons in it."""

    def __init__(self) -> None:
        self.left = ATTEMPTS

    def spend(self) -> bool:
        """Whether there was something left."""
        self.left -= 1
        return self.left >= 0
