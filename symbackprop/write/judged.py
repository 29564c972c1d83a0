"""What reports read of a verdict about functions, without knowing the room that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Judged(Protocol):
    """What is read of a verdict."""

    @property
    def status(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def mistake(self) -> str | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def repair(self) -> Any: ...
    @property
    def counterexample(self) -> Any: ...
    @property
    def reading(self) -> Mapping[str, Any]: ...
    @property
    def gradients(self) -> Any: ...
