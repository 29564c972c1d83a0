"""Characters to tokens: LaTeX and Unicode mathematics in one stream, each token with its span.

Linear in the length of the text.  Refuses, with the place: text over 100 kB, more than 20,000 tokens,
brackets nested deeper than 100, integers above 10^6, commands that are not in the vocabulary.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import Final, NamedTuple

from ..files.place import ReadError, Unsettled
from .vocabulary import COMBINING, COMMANDS, DISTINCT, FUNCTION_WORDS, GREEK, NABLA_WORDS, NEUTRAL, SAME_LETTER, SIGNS

MAX_BYTES: Final = 100_000
MAX_TOKENS: Final = 20_000
MAX_DEPTH: Final = 100
MAX_INTEGER: Final = 10**6

_MARKS = "|".join(sorted(NEUTRAL | DISTINCT, key=len, reverse=True))
_GREEK = r"\\(?:" + "|".join(sorted(GREEK, key=len, reverse=True)) + r")(?![A-Za-z])"
_LETTER = rf"[A-Za-z]|{_GREEK}"
_TOKEN: Final = re.compile(
    rf"""
      (?P<space>(?:[\s~\u200b\u2009\u00a0]|%[^\n]*(?:\n|$)|\\[,;:!>\ /\n])+)
    | (?P<marked>\\(?P<mark>{_MARKS})\s*
        (?:\{{\s*(?P<inner>{_LETTER})\s*\}}|(?P<bare>{_GREEK}|(?<=\s)[A-Za-z])))
    | (?P<dashed>(?P<head>[A-Za-z])\s*\\(?:text|textrm|mathrm|mbox|textit)\s*
        \{{\s*-\s*(?P<tail>[A-Za-z][A-Za-z0-9\ -]*)\}})
    | (?P<letters>[A-Za-z]+)
    | (?P<ellipsis>\.\.\.)
    | (?P<spacing>\\\\\s*\[\s*-?[\d.]+\s*[a-z]{{2}}\s*\])
    | (?P<point>(?<=[}})])\.(?=[A-Za-z\\(])|(?<=_[A-Za-z0-9])\.(?=[A-Za-z\\(]))
    | (?P<number>\d+(?:\.\d+)?|\.\d+)
    | (?P<command>\\[A-Za-z]+\*?)
    | (?P<escaped>\\[^A-Za-z])
    | (?P<define>:=)
    | (?P<other>[\s\S])
    """,
    re.VERBOSE,
)
_UNDERSCORES: Final = re.compile(r"[A-Za-z]+(?:\\?_[A-Za-z0-9]+)+")
_DIGITS: Final = re.compile(r"\d+")
_GROUP: Final = re.compile(r"\s*\{([^{}]*)\}")
_GROUP_AHEAD: Final = re.compile(r"\s*\{")
_APPLIED: Final = re.compile(r"\s*(?:\\left|\\[bB]igg?l?)?\s*(?:\(|\[|\\\{|\\l[vV]ert)|\s*[\^_]|\s*'")
_PROSE: Final = frozenset(
    "and where with for all so hence thus therefore if when then let since as or gives in by is are not constant const "
    "given on at to of the a an each every such that otherwise else scalar vector vectors matrix matrices row rows "
    "column columns scalars because we i.e e.g st s.t subject minimize maximize minimise maximise true false error "
    "implies note here it likewise similarly also but unless provided any some no yes only exactly".split()
)
"""Words in \\text{…} that are words, not names."""
_WHOLE: Final = {"ellipsis": ("dots", "…"), "spacing": ("row", ""), "define": ("rel", ":="), "point": SIGNS["·"]}
"""What is one token whatever it holds; the spacing is that of \\\\[2ex], the point that of y_k.p_k."""
_SCRIPTS: Final = {"<super>": "^", "<sub>": "_"}
_ESCAPES: Final = {
    "\\{": ("open", "\\{"), "\\}": ("close", "\\}"), "\\|": ("bar", "‖"), "\\&": ("and", "&"), "\\\\": ("row", ""),
    "\\_": ("bad", "_"), "\\%": ("bad", "%"), "\\#": ("bad", "#"), "\\$": ("bad", "$"), "\\'": ("bad", "'"),
}  # fmt: skip


_LABEL = re.compile(r"\(\s*[A-Z][a-z]{3,}(?:\s+[A-Za-z]+)*\s*\)")
"""What a formula is called, in front of it: (Mean) μ = …"""


class Token(NamedTuple):
    """`deco` is the mark on a name: \\hat{y} is the name y with deco hat."""

    kind: str
    text: str
    start: int
    end: int
    deco: str = ""


def tokenize(text: str, words: Collection[str] = ()) -> list[Token]:
    """The tokens of a formula, ended by one of kind `end`.

    `words` are the declared names of several letters: `dZ` is one name if it is among them, else d times Z.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ReadError(f"a formula of {len(text):,} characters: at most {MAX_BYTES:,} bytes are read", (0, 1))
    out: list[Token] = []
    append, depth, skip_until = out.append, 0, 0
    for m in _TOKEN.finditer(text):
        kind, start = m.lastgroup, m.start()
        if kind == "space" or start < skip_until:
            continue
        end = m.end()
        if kind == "letters":
            run = m.group()
            long = _UNDERSCORES.match(text, start) if words else None
            if long is not None and long.group().replace("\\_", "_") in words:
                append(Token("name", long.group().replace("\\_", "_"), start, long.end()))
                skip_until = long.end()
                continue
            digits = _DIGITS.match(text, end) if words else None
            if digits is not None and (head := _with_digits(run, digits.group(), words)) is not None:  # W1
                if head:
                    _letters(run[:head], start, words, out)
                append(Token("name", run[head:] + digits.group(), start + head, digits.end()))
                skip_until = digits.end()
                continue
            if end - start == 1:
                append(Token("name", run, start, end))
            else:
                _letters(run, start, words, out)
        elif kind == "other":
            c = m.group()
            if not out and (label := _LABEL.match(text, start)) is not None:
                skip_until = label.end()
                continue
            sign = SIGNS.get(c)
            if sign is None:
                _unusual(c, start, end, out)
            elif c == "=" and out and out[-1].text == "=" and out[-1].end == start:  # k == i
                out[-1] = out[-1]._replace(end=end)
            else:
                append(Token(sign[0], sign[1], start, end))
                if c in "({[⟨":
                    depth += 1
                    if depth > MAX_DEPTH:
                        raise ReadError(f"brackets nested deeper than {MAX_DEPTH}", (start, end))
                elif c in ")}]⟩":
                    depth = max(0, depth - 1)
        elif kind == "command":
            skip_until = _command(m.group()[1:], text, start, end, words, out)
        elif kind in _WHOLE:
            append(Token(*_WHOLE[kind], start, end))
        elif kind == "number":
            _number(m.group(), start, end, out)
        elif kind == "marked":
            letter = m.group("inner") or m.group("bare")
            if (styled := _STYLED.get((m.group("mark"), letter))) is not None:
                append(Token(styled, letter, start, end))
            else:
                append(Token("name", GREEK[letter[1:]] if letter[0] == "\\" else letter, start, end, m.group("mark")))
        elif kind == "dashed":
            append(Token("name", f"{m.group('head')}-{m.group('tail').strip()}", start, end))
        else:
            escape = _ESCAPES.get(m.group())
            if escape is None:
                raise ReadError(f"unknown command {m.group()!r}", (start, end))
            append(Token(*escape, start, end))
        if len(out) > MAX_TOKENS:
            raise ReadError(f"a formula of more than {MAX_TOKENS:,} tokens", (start, end))
    append(Token("end", "", len(text), len(text)))
    return out


def _with_digits(run: str, digits: str, words: Collection[str]) -> int | None:
    """Where the declared name begins that ends in these digits; None when there is none."""
    return next((k for k in range(len(run)) if run[k:] + digits in words), None)


def _letters(run: str, start: int, words: Collection[str], out: list[Token]) -> None:
    """A run of letters: one declared name, one function word, or declared names and single letters."""
    if run in words:
        out.append(Token("name", run, start, start + len(run)))
        return
    if run in FUNCTION_WORDS:
        out.append(Token("word", run, start, start + len(run)))
        return
    longest = max(map(len, words), default=0) if words else 0
    k = 0
    while k < len(run):
        size = next((n for n in range(min(longest, len(run) - k), 1, -1) if run[k : k + n] in words), 1)
        out.append(Token("name", run[k : k + size], start + k, start + k + size))
        k += size


def _number(digits: str, start: int, end: int, out: list[Token]) -> None:
    shown = digits if len(digits) <= 12 else digits[:9] + "…"
    if len(digits) > 40:
        raise ReadError(f"the number {shown} has {len(digits)} digits: at most 40 are read", (start, end))
    if "." not in digits and int(digits) > MAX_INTEGER:
        raise ReadError(f"the number {shown} is above {MAX_INTEGER:,}", (start, end))
    out.append(Token("number", digits, start, end))


_BEST = re.compile(r"(?:\s|\\[,;:! ])*\\(min|max)(?![a-z])(?:\\limits)?")


def _command(name: str, text: str, start: int, end: int, words: Collection[str], out: list[Token]) -> int:
    """One backslash command; returns where reading goes on."""
    star = name.endswith("*")
    name = name.rstrip("*")
    if name == "arg" and (best := _BEST.match(text, end)) is not None:
        out.append(Token("word", f"arg{best[1]}", start, best.end()))
        return best.end()
    found = COMMANDS.get(name)
    if found is None:
        raise Unsettled(f"unknown command \\{name}", (start, end))
    kind, value = found
    if kind in ("norm", "abs") and not _GROUP_AHEAD.match(text, end):
        kind, value = "func", name
    if star and kind not in ("operator", "drop1"):
        out.append(Token(kind, value, start, end - 1))
        out.append(Token("op", "*", end - 1, end))
        return end
    if kind == "skip":
        if name in ("left", "right", "middle"):
            dot = re.compile(r"\s*\.").match(text, end)
            return dot.end() if dot else end
        return end
    if kind in ("text", "operator") or (
        kind == "deco" and name in ("mathrm", "mathsf", "mathbf", "mathbb", "mathbbm", "textbf", "mathit")
    ):
        group = _GROUP.match(text, end)
        if group is not None:
            return _worded(name, kind, group[1], start, group.end(), words, out, text) or end
        if kind == "deco":
            one = _STYLED_ALONE.match(text, end)
            if one and (name, one[1]) in _STYLED:
                out.append(Token(_STYLED[name, one[1]], one[1], start, one.end()))
                return one.end()
        if kind == "text":
            raise ReadError(f"\\{name} needs plain words in braces", (start, end))
    elif name == "bbox":
        option = re.compile(r"\s*\[[^\]]*\]").match(text, end)
        end = option.end() if option else end
    elif kind == "drop1":
        group = _GROUP.match(text, end)
        if group is not None and name in ("hspace", "mspace") and is_wide(group[1]):
            out.append(Token("gap", "", start, group.end()))
        return group.end() if group else end
    elif kind in ("begin", "end"):
        group = _GROUP.match(text, end)
        if group is None:
            raise ReadError(f"\\{name} needs the name of an environment", (start, end))
        end = group.end()
        value = group[1].strip().rstrip("*")
        if kind == "begin" and value in ("array", "alignedat", "alignat"):  # the column specification
            spec = _GROUP.match(text, end)
            end = spec.end() if spec else end
        out.append(Token(kind, value, start, end))
        return end
    out.append(Token(kind, value, start, end))
    return end


_STYLED: Final = {("mathbf", "1"): "ones", ("mathbb", "1"): "ones", ("mathbbm", "1"): "ones", ("mathbb", "R"): "reals"}
_STYLED_ALONE: Final = re.compile(r"\s*(1|R(?![A-Za-z]))")
_WORD_NAME: Final = re.compile(r"[A-Za-z]+\d*")
_OPERAND: Final = re.compile(
    rf"(?:\\[,;:! ]|~|\s|\\left(?![A-Za-z]))*(?:[A-Za-z(]|\\(?:{'|'.join(GREEK)}|mathcal|ell)(?![A-Za-z]))"
)
"""What grad may be of."""
_ONE_NAME: Final = frozenset(("mathrm", "mathit", "textbf", "mathsf"))


def _worded(
    name: str, kind: str, inner: str, start: int, end: int, words: Collection[str], out: list[Token], text: str
) -> int:
    """\\text{…}, \\operatorname{…}, \\mathrm{…}: a declared name, a function, a letter, or words; 0 if none."""
    word = " ".join(inner.split()).replace("\\_", "_")
    if (name, word) in _STYLED:
        out.append(Token(_STYLED[name, word], word, start, end))
    elif word not in words and word in NABLA_WORDS and _OPERAND.match(text, end):
        out.append(Token("nabla", NABLA_WORDS[word], start, end))
    elif word in words or (kind == "operator" and word not in FUNCTION_WORDS and word.isalpha()):
        out.append(Token("name", word, start, end))
    elif word in FUNCTION_WORDS and (kind != "text" or _APPLIED.match(text, end)):
        out.append(Token("func", FUNCTION_WORDS[word], start, end))
    elif kind == "text" and (word.lower().strip(".,;:") in _PROSE or not _WORD_NAME.fullmatch(word)):
        out.append(Token("text", inner, start, end))
    elif kind == "text" and len(word) == 1:
        out.append(Token("name", word, start, end))
    elif kind == "text" or (len(word) > 1 and _WORD_NAME.fullmatch(word) and name in _ONE_NAME):
        out.append(Token("name", word, start, end, "text" if kind == "text" else ""))
    else:
        return 0
    return end


@lru_cache(maxsize=4096)
def _decomposed(c: str) -> tuple[str, str, str] | None:
    """(role, plain characters, mark) of a styled or raised character: ᵢ is ("_", "i", ""), 𝐖 is ("", "W", "mathbf")."""
    tag, _, _rest = unicodedata.decomposition(c).partition(" ")
    if tag in _SCRIPTS:
        return _SCRIPTS[tag], unicodedata.normalize("NFKD", c), ""
    if tag == "<font>":
        title, plain = unicodedata.name(c, ""), unicodedata.normalize("NFKD", c)
        marks = {"SCRIPT": "mathcal", "DOUBLE-STRUCK": "mathbb", "FRAKTUR": "mathfrak", "BOLD": "mathbf"}
        return "", plain, next((mark for word, mark in marks.items() if word in title), "")
    parts = unicodedata.normalize("NFD", c)
    if len(parts) == 2 and parts[1] in COMBINING:
        return "", parts[0], COMBINING[parts[1]]
    return None


def _unusual(c: str, start: int, end: int, out: list[Token]) -> None:
    """A character that is in no table: a Greek or styled letter, a raised or lowered one, a combining mark."""
    c = SAME_LETTER.get(c, c)
    if c in COMBINING and out and out[-1].kind == "name":
        last = out.pop()
        out.append(Token("name", last.text, last.start, end, COMBINING[c]))
        return
    fraction = unicodedata.normalize("NFKD", c).split("\u2044")
    if len(fraction) == 2 and all(part.isdigit() for part in fraction):  # ½
        out.append(Token("frac", "frac", start, end))
        for digits in fraction:
            out += (Token("{", "{", start, start), Token("number", digits, start, end), Token("}", "}", end, end))
        return
    found = _decomposed(c)
    if found is not None and found[0]:
        role, plain, _ = found
        # ⁽ˡ⁾ continues the group that ˡ opened
        if len(out) > 2 and out[-1].kind == "}" and out[-1].deco == role and out[-1].end == start:
            out.pop()
        else:
            out.append(Token(role, role, start, start))
            out.append(Token("{", "{", start, start))
        out.extend(Token(t.kind, t.text, start, end, t.deco) for t in tokenize(plain)[:-1])
        out.append(Token("}", "}", end, end, role))
    elif found is not None and found[1].isalpha():
        out.append(Token("name", SAME_LETTER.get(found[1], found[1]), start, end, found[2]))
    elif c.isalpha() and c.isprintable():
        out.append(Token("name", c, start, end))
    else:
        shown = c if c.isprintable() else f"U+{ord(c):04X}"
        raise ReadError(f"the character {shown} has no meaning in a formula", (start, end))


def is_wide(length: str) -> bool:
    """0.5in, 1cm, 2em: as wide as a \\quad."""
    found = re.fullmatch(r"\s*(\d*\.?\d+)\s*([a-z]{2})\s*", length)
    least = {"in": 0.15, "cm": 0.4, "mm": 4, "em": 1, "ex": 2, "pt": 10, "mu": 18}
    return found is not None and float(found[1]) >= least.get(found[2], 10**9)
