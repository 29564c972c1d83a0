"""What every HTML page of this program carries inside itself: KaTeX with its fonts, the style, the script.

KaTeX (MIT licence, `katex/LICENSE`) is unchanged but for its style sheet, in which each font stands as data.
"""

from __future__ import annotations

import base64
import re
from functools import cache
from html import escape
from importlib.resources import files

_FONT = re.compile(r"src:url\(fonts/([\w-]+)\.woff2\)[^}]*")
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; font-src data:; img-src data:; "
    "base-uri 'none'; form-action "
)


@cache
def katex_style() -> str:
    """The style sheet of KaTeX with its fonts inside."""
    home = files(__package__) / "katex"

    def inlined(m: re.Match[str]) -> str:
        data = base64.b64encode((home / "fonts" / f"{m[1]}.woff2").read_bytes()).decode()
        return f'src:url(data:font/woff2;base64,{data}) format("woff2")'

    return _FONT.sub(inlined, (home / "katex.min.css").read_text(encoding="utf-8"))


@cache
def katex_script() -> str:
    return (files(__package__) / "katex" / "katex.min.js").read_text(encoding="utf-8").replace("</script", "<\\/script")


def asset(name: str) -> str:
    """One of our own files: page.css, page.js."""
    return (files(__package__) / name).read_text(encoding="utf-8")


def page(title: str, body: str, form: str = "'none'") -> str:
    """A whole page that needs no network: it may load nothing but what it carries, and send forms to `form` only."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}{form}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{katex_style()}</style>
<style>{asset("page.css")}</style>
</head>
<body>
{body}
<script>{katex_script()}</script>
<script>{asset("page.js")}</script>
</body>
</html>
"""
