"""Text as a terminal may show it: whatever a file, a folder or a command line holds, it moves no
cursor, changes no color and turns no line around.

`printable` is the one function that decides what is shown as it is. `Escaped` puts it in front of
a standard stream, so that no `print` can pass it by.
"""

from __future__ import annotations

import codecs
import html
import re
import shlex
from collections.abc import Iterable
from os import PathLike
from typing import Any, TextIO

_LAYOUT = "\t\n"
_HIDDEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: escape sequences begin with these
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # order of letters: Unicode's Bidi_Control
    "\u2028\u2029"  # ends of lines and paragraphs
    "\ud800-\udfff"  # bytes of a file name that are not text
    "]"
)
"""What changes how other text is shown, or is not text."""

_ASCII = {
    "×": "x", "·": "*", "±": "+/-", "−": "-", "–": "-", "─": "-", "…": "...", "→": "->",
    "•": "*", "►": ">", "█": "#", "η": "eta", "µ": "u", "∪": "or",
    "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")",
}  # fmt: skip
"""The signs of cnnctl's own texts, for a stream whose encoding lacks them."""


def printable(text: object) -> str:
    r"""Return a text as one line that a terminal shows as it is: `\x1b` for an escape character.

    Control characters (line feeds and tabs too), the characters that change the order of others,
    line and paragraph separators, and bytes of a file name that are no text are written as Python
    writes them: `\n`, `\x1b`, `\u202e`, `\udcff`.
    """
    return _HIDDEN.sub(_escape, str(text))


def printable_lines(text: object) -> str:
    """Return a text like `printable` does, but with its line feeds and tabs."""
    return _HIDDEN.sub(lambda found: found[0] if found[0] in _LAYOUT else _escape(found), str(text))


def printable_json(document: str) -> str:
    r"""Return a JSON document with such characters as JSON escapes them: `\u001b`.

    In a valid document they can only stand in strings; line feeds and tabs are its layout.
    """
    return _HIDDEN.sub(
        lambda found: found[0] if found[0] in _LAYOUT else f"\\u{ord(found[0]):04x}", document
    )


def printable_html(text: object) -> str:
    """Return a text like `printable_lines` does, for HTML, where the order of letters can be turned
    around as well."""
    return html.escape(printable_lines(text))


def shell(*words: object) -> str:
    """Return words as a shell takes them; a path that begins with a dash begins with `./`.

    A word with characters that are not shown is written in the form `$'…'` of bash and zsh.
    """
    return " ".join(map(_word, words))


def _word(word: object) -> str:
    text = str(word)
    if isinstance(word, PathLike) and text.startswith("-"):
        text = f"./{text}"
    if not _HIDDEN.search(text):
        return shlex.quote(text)
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{_HIDDEN.sub(_bytes, quoted)}'"


def _bytes(found: re.Match[str]) -> str:
    return "".join(f"\\x{byte:02x}" for byte in found[0].encode("utf-8", "surrogateescape"))


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


class Escaped:
    """A text stream that prints what it is given like `printable_lines`.

    Args:
        stream: Where it is printed. Everything but writing is left to it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def rich_proxied_file(self) -> TextIO:
        """The stream itself, by the name under which Rich looks for it: Typer's help has colors,
        and no text of a file."""
        return self._stream

    def write(self, text: str) -> int:
        """Print a text.

        Raises:
            TypeError: It is not a text: by this, libraries tell text streams from those of bytes.
        """
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        return self._stream.write(printable_lines(text))

    def writelines(self, lines: Iterable[str]) -> None:
        """Print some texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def unescaped(stream: TextIO) -> TextIO:
    """Return the stream behind an `Escaped` one, for what is made of printable texts and styles."""
    while (inner := getattr(stream, "rich_proxied_file", None)) is not None:
        stream = inner
    return stream


def _encodable(error: UnicodeError) -> tuple[str, int]:
    r"""How a stream writes what its encoding lacks: cnnctl's own signs in ASCII, others as
    `\u732b`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    written = (_ASCII.get(each) or each.encode("unicode_escape").decode() for each in found)
    return "".join(written), error.end


ENCODABLE = "cnnctl.encodable"
"""The name of that error handler, for `reconfigure(errors=…)`."""
codecs.register_error(ENCODABLE, _encodable)
