"""The stories, each derived once."""

from __future__ import annotations

from functools import cache

from symbackprop.story.pages import STORIES
from symbackprop.story.told import Told

FACTS = {name: facts for name, (_, facts) in STORIES.items()}


@cache
def fact(name: str, n: int) -> Told:
    return FACTS[name][n]()
