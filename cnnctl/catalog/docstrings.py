"""Reading Keras's docstrings: the summary line, and what `Args:` says about each argument."""

from __future__ import annotations

import inspect
import re

LONGEST = 200
"""Characters of an argument's description, about three lines in a terminal."""

UNDOCUMENTED = {
    "antialias": "Whether to smooth before making a picture smaller.",
    "axis": "The axes over which the loss is taken; null: all but the batch.",
    "data_format": "Where the channels are: channels_last or channels_first.",
    "ignore_class": "A class whose pictures or pixels do not count.",
    "mask_value": "Steps whose values all equal this one are skipped.",
    "name": "The name under which it is listed.",
    "output_padding": "Pixels added to one side of the output, less than the strides.",
    "seed": "Integer, for random numbers that can be repeated.",
    "value_range": "The lowest and the highest value of a pixel.",
}
"""Descriptions of arguments that some of Keras's docstrings leave out."""

_HEADING = re.compile(r"^(Args|Arguments|Call arguments|Attributes):\s*$")
_ARGUMENT = re.compile(r"^\*{0,2}`?(\w+)`?(?:\s*\([^)]*\))?:\s*(.*)$")
_SENTENCE_END = re.compile(r"(?<!e\.g\.)(?<!i\.e\.)(?<!\s\d\.)(?<=[.!?])\s+")


def summary(docstring: str | None) -> str:
    """Return the first line, or the first paragraph if that line breaks off."""
    paragraph = inspect.cleandoc(docstring or "").split("\n\n")[0]
    return shorten(paragraph)


def arguments(docstring: str | None) -> dict[str, str]:
    """Return each argument's description from the first `Args:` section, as plain text.

    Descriptions are cut at the end of a sentence, at most `LONGEST` characters; lists and later
    paragraphs are left out.
    """
    # No common margin is taken off: Keras pastes unindented text into some docstrings.
    lines = iter((docstring or "").splitlines())
    heading = next((line for line in lines if _HEADING.match(line.strip())), None)
    if heading is None:
        return {}
    margin = _depth(heading)
    found: dict[str, list[str]] = {}
    indent: int | None = None
    name = None
    for line in lines:
        if line.strip() and _depth(line) <= margin:
            break
        if indent is None:
            indent = _depth(line)
        argument = _ARGUMENT.match(line.strip()) if _depth(line) == indent else None
        if argument:
            name = argument[1]
            found[name] = [argument[2]]
        elif name is not None:
            if line.strip() and not line.strip().startswith(("-", "*", "```")):
                found[name].append(line.strip())
            elif any(found[name]):
                name = None
    return {name: shorten(" ".join(parts)) for name, parts in found.items()}


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def shorten(text: str) -> str:
    """Return as many whole sentences as fit into `LONGEST` characters, at least a part of one."""
    text = " ".join(text.replace("**", "").split())
    if len(text) <= LONGEST:
        return text
    kept = ""
    for sentence in _SENTENCE_END.split(text):
        if len(kept) + len(sentence) + 1 > LONGEST:
            break
        kept = f"{kept} {sentence}".strip()
    return kept or text[: LONGEST - 1].rsplit(" ", 1)[0] + "…"
