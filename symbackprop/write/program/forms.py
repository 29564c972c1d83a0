"""The forms in which a derivation is written, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .drawing import as_svg
from .html_page import as_html
from .lines import Derivation
from .pages import as_fragment, as_latex, as_markdown, as_text

WRITERS: Mapping[str, Callable[[Derivation, int], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "latex": as_latex,
    "fragment": as_fragment,
    "html": lambda d, _: as_html(d),
    "svg": lambda d, _: as_svg(d.picture),
}
