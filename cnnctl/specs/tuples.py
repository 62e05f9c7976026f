"""Tuples of Python in YAML's brackets and braces, where their commas cut them in pieces:
`{kernel_size: (3, 3)}` has the keys `kernel_size` and `3)`."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

import yaml

from cnnctl.errors import Diagnostic
from cnnctl.specs.dump import flow
from cnnctl.specs.nodes import Node, located, plain
from cnnctl.specs.source import Source
from cnnctl.specs.value_hints import plain_python

_PIECE = re.compile(r"[-+.\d\s()]*|None")
"""What stands between the commas of a tuple."""


@dataclass
class Cut:
    """The beginning of a tuple.

    Args:
        key: Whose value it is; None in a list.
        line: Where it begins, counted from 0.
        column: The same.
        text: What of it has been read.
    """

    key: str | None
    line: int
    column: int
    text: str

    @property
    def is_whole(self) -> bool:
        """Whether every bracket is closed."""
        return self.text.count("(") <= self.text.count(")")

    def takes(self, event: yaml.ScalarEvent) -> bool:
        """Add the next piece, if it can be one."""
        if not _PIECE.fullmatch(event.value):
            return False
        self.text += f", {event.value}"
        return True

    def closed(self, event: yaml.ScalarEvent, source: Source) -> tuple[Node, Diagnostic] | None:
        """The list that was meant and the error, once the tuple is whole; None if it is none."""
        try:
            value = plain_python(ast.literal_eval(self.text))
        except (ValueError, SyntaxError):
            return None
        end = event.end_mark
        assert end is not None
        length = end.column - self.column if end.line == self.line else 1
        place = source.location(self.line, self.column, length)
        node = located(value, place)
        message = f"`{self.text}` is Python, no list of YAML"
        return node, Diagnostic("python-tuple", message, place, f"write `{flow(plain(node))}`")


def cut_tuple(event: yaml.ScalarEvent, key: str | None) -> Cut | None:
    """The beginning of a tuple, if a plain scalar is one."""
    start = event.start_mark
    assert start is not None
    cut = Cut(key, start.line, start.column, event.value)
    return cut if event.value.startswith("(") and not cut.is_whole else None
