"""The one Rich console: texts are shown as they are, and only styles send escape sequences."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, TextIO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.file_proxy import FileProxy
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from cnnctl.io.printable import Escaped, printable_lines, unescaped


class PlainConsole(Console):
    """A console to which `[red]` and `:smile:` are texts, and which prints what is printable.

    Args:
        stream: Standard output or standard error.
        options: As Rich's console takes them.
    """

    def __init__(self, stream: TextIO, **options: Any) -> None:
        super().__init__(
            file=unescaped(stream), markup=False, emoji=False, highlight=False, **options
        )

    def render_str(self, text: str, **options: Any) -> Text:
        """Make a text of a string, before its width is measured."""
        return super().render_str(printable_lines(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render; what was not made of a string, such as a `Text`, is made printable here."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(printable_lines(text), style)


class PlainLive(Live):
    """A live display above which other code's prints are texts too, not colors and links."""

    def start(self, refresh: bool = False) -> None:
        """Start it, and have what is printed meanwhile made printable before Rich reads it."""
        super().start(refresh)
        for name in ("stdout", "stderr"):
            if isinstance(stream := getattr(sys, name), FileProxy):
                setattr(sys, name, Escaped(cast("TextIO", stream)))
