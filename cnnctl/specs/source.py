"""The text of a spec: read once, with limits, and able to say where something stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cnnctl.errors import Diagnostic, Location, SpecError, UsageError
from cnnctl.io.path_kinds import refuse_other
from cnnctl.specs.nodes import shortened

SUFFIXES = (".yaml", ".yml")

MAX_BYTES = 512 * 1024
"""The largest spec that is read. Images and weights belong in files of their own."""

# YAML 1.2, production 1 (c-printable); anything else is not text.
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no text may hold, written as it is or by an escape."""

BIDIRECTIONAL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that change the order in which letters are shown, so that a text reads as another one
(Unicode's Bidi_Control). Letters that are written from right to left are none of them."""

# PyYAML, of YAML 1.1, ends lines at these, and no editor does: its lines would not be the user's.
_HIDDEN_BREAKS = re.compile("[\x85\u2028\u2029]")


_OF_A_SPEC = re.compile(
    rb"""(?:^|[{,]\s*)["']?(?:(?:model|compile|fit|extends)["']?\s*:|data["']?\s*:[^:]*\bdataset\b)""",
    re.MULTILINE,
)
"""What a spec has, and hardly any other file."""


@dataclass(frozen=True)
class Source:
    """A text and the name by which its user knows it.

    Args:
        name: A path as it was given, or a flag: `--set fit.epochs=3`.
        text: The whole text, line ends normalized to a line feed.
        path: The file, where there is one; relative paths in the spec start from its folder.
        offset: How many characters of the displayed line come before the text (a flag's own).
    """

    name: str
    text: str
    path: Path | None = None
    offset: int = 0

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text as they are displayed."""
        return [self.name] if self.offset else self.text.split("\n")

    def location(self, line: int, column: int, length: int = 1) -> Location:
        """A place in this text; `line` and `column` count from 0, as PyYAML's marks do."""
        lines = self.lines
        text = lines[line] if line < len(lines) else ""
        column += self.offset
        left = len(text) - column
        length = left if left < length else length
        return Location(self.name, line + 1, column + 1, length if length > 1 else 1, text)


def read_source(path: Path, name: str | None = None) -> Source:
    """Read a spec's text.

    Args:
        path: The file.
        name: How messages call it; the path by default.

    Raises:
        UsageError: There is no such file, or it is a folder or unreadable.
        SpecError: It is larger than `MAX_BYTES`, not UTF-8, or holds control characters.
    """
    name = name or str(path)
    try:
        if not path.exists():
            close = neighbour(path)
            hint = f"did you mean {path.parent / close}?" if close else None
            raise UsageError(f"no such file: {name}", hint=hint)
        refuse_other(path, "spec", name)
        if not path.is_file():
            raise UsageError(f"not a file: {name}")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {shortened(name)}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise SpecError(
            [
                Diagnostic(
                    "too-large",
                    f"a spec may have {MAX_BYTES // 1024} KiB, and this file has more",
                    Location(name),
                    "keep arrays in a file of their own: `dataset: {npz: {path: …}}`",
                )
            ]
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = _with_line_feeds(data[: error.start].decode("utf-8-sig"))
        source = Source(name, _with_line_feeds(data.decode("utf-8-sig", "replace")), path)
        column = len(before) - (before.rfind("\n") + 1)
        raise SpecError(
            [
                Diagnostic(
                    "not-utf8",
                    f"not UTF-8 text: byte 0x{data[error.start]:02x}",
                    source.location(before.count("\n"), column),
                    "save the file as UTF-8",
                )
            ]
        ) from error
    return text_source(text, name, path)


def may_be_shown(path: Path, *, extended: bool) -> bool:
    """Whether messages may show lines of a file: those of a spec, and not of any other file that
    somebody's spec or run folder leads to (`extends: /proc/self/environ`).

    Args:
        path: The file.
        extended: Whether a spec names it; its name then says nothing of what it is.
    """
    if not extended and path.resolve().suffix in SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return _OF_A_SPEC.search(file.read(MAX_BYTES)) is not None
    except OSError:
        return False


def text_source(text: str, name: str, path: Path | None = None, offset: int = 0) -> Source:
    """A source from text that is already here (see `Source`).

    Raises:
        SpecError: The text holds control characters.
    """
    text = _with_line_feeds(text)
    source = Source(name, text, path, offset)
    if bad := UNPRINTABLE.search(text) or _HIDDEN_BREAKS.search(text):
        line = text.count("\n", 0, bad.start())
        column = bad.start() - (text.rfind("\n", 0, bad.start()) + 1)
        raise SpecError(
            [
                Diagnostic(
                    "control-character",
                    f"a character that is not text: U+{ord(bad.group()):04X}",
                    source.location(line, column),
                    "remove it",
                )
            ]
        )
    return source


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def neighbour(path: Path) -> str | None:
    """The name of the spec beside a missing one that its user may have meant."""
    from cnnctl.catalog.suggest import nearest

    try:
        files = sorted(p for p in path.parent.iterdir() if p.suffix in {".yaml", ".yml"})
    except OSError:
        return None
    # Itself it is where it is a link that leads nowhere.
    names = {file.stem: file.name for file in files if file.name != path.name}
    return names.get(nearest(path.stem, names) or "")
