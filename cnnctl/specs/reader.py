"""YAML text to a tree of located nodes, by PyYAML's pure Python parser.

PyYAML finds the structure; what a scalar means, which keys may repeat (none) and how large the
whole may grow is decided here. The tree is built from the parser's events without recursion, so
that depth is a limit of ours and not of the interpreter's stack.

`yaml.compose` would not do: it gives no part of a tree that ends in a syntax error, whose earlier
errors are reported with it; it refuses an anchor that is defined anew, which YAML allows; and it
recurses, in its form in C without a limit that can be set.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import yaml

from cnnctl.catalog.suggest import nearest
from cnnctl.errors import Diagnostic, Location, SpecError
from cnnctl.specs import scalars
from cnnctl.specs.nodes import Mapping, Node, Scalar, Sequence, shortened
from cnnctl.specs.source import BIDIRECTIONAL, UNPRINTABLE, Source
from cnnctl.specs.syntax import explain
from cnnctl.specs.tuples import Cut, cut_tuple

MAX_DEPTH = 64
MAX_NODES = 100_000
"""How many values a document may have once its aliases are written out."""

LARGE = 1 << 15
"""Twice as many characters, and more, are parsed in C, twenty times as fast; the events are the
same."""

MAX_ERRORS = 100
"""After how many errors reading stops."""


@dataclass
class _Open:
    """A collection whose end has not been read yet."""

    location: Location
    is_mapping: bool
    anchor: str | None
    items: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Location] = field(default_factory=dict)
    sequence: list[Node] = field(default_factory=list)
    key: str | None = None
    size: int = 1
    height: int = 1
    is_flow: bool = False
    cut: Cut | None = None
    skips_value: bool = False


def read(source: Source, found: list[Diagnostic] | None = None) -> Node:
    """Parse one YAML document.

    Args:
        source: The text.
        found: Takes the errors after which reading can go on (a repeated key, a tag, a merge key,
            a number out of range, a character that changes the order of others), so that they are
            reported beside those of the words; without it they are raised at the end.

    Returns:
        The tree; an empty document is a `Scalar` with the value None.

    Raises:
        SpecError: The text is not YAML, or uses what a spec does not (tags, merge keys, several
            documents, repeated keys), or is too deep or too large.
    """
    reader = _Reader(source)
    try:
        root = reader.document()
    except SpecError as error:
        raise SpecError([*reader.found, *error.diagnostics]) from None
    if found is not None:
        found.extend(reader.found)
    elif reader.found:
        raise SpecError(reader.found)
    return root


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int, int]] = {}
        self.root: Node | None = None
        self.found: list[Diagnostic] = []

    def document(self) -> Node:
        for bad in BIDIRECTIONAL.finditer(self.source.text):
            line = self.source.text.count("\n", 0, bad.start())
            column = bad.start() - (self.source.text.rfind("\n", 0, bad.start()) + 1)
            self.note(_bidirectional(bad[0], self.source.location(line, column)))
        in_c = getattr(yaml, "CSafeLoader", None) if len(self.source.text) > 2 * LARGE else None
        try:
            self.parse(in_c or yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            if in_c and mark and mark.index < LARGE:
                # The parser in Python says more of what is wrong, and reads no further than that.
                begin = _Reader(replace(self.source, text=self.source.text[: 2 * LARGE]))
                begin.found = self.found = []
                begin.document()
            raise SpecError([explain(error, self.source)]) from None
        except yaml.YAMLError as error:
            raise SpecError(
                [Diagnostic("yaml-syntax", f"not YAML: {error}", self.source.location(0, 0))]
            ) from None
        return self.root if self.root is not None else Scalar(None, self.source.location(0, 0))

    def parse(self, loader: Any) -> None:
        """Take the events of the text, of which there is one document."""
        documents = 0
        for event in yaml.parse(self.source.text, Loader=loader):
            if isinstance(event, yaml.ScalarEvent):
                event.style = event.style or None  # libyaml's plain style is an empty text
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    fix = "remove it, or write what follows into a file of its own"
                    self.fail("several-documents", "a spec is one YAML document", event, fix)
            else:
                self.take(event)

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self.refuse_tag(event)
            if self.stack and self.is_of_tuple(self.stack[-1], event):
                return
            if self.stack and self.stack[-1].is_mapping and self.stack[-1].key is None:
                self.open_key(event)
            else:
                self.finish(self.scalar(event), event.anchor)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self.refuse_tag(event)
            if self.stack and self.stack[-1].is_mapping and self.stack[-1].key is None:
                self.fail("complex-key", "a key is a name, not a collection", event, "write a name")
            if len(self.stack) >= MAX_DEPTH:
                self.fail("too-deep", f"more than {MAX_DEPTH} levels deep", event, "nest less")
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            opened = _Open(self.place(event), is_mapping, event.anchor)
            opened.is_flow = bool(event.flow_style)
            self.stack.append(opened)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = self.stack.pop()
            self.underline(done, event)
            node: Node
            if done.is_mapping:
                node = Mapping(done.items, done.location, done.keys)
            else:
                node = Sequence(tuple(done.sequence), done.location)
            self.finish(node, done.anchor, done.size, done.height)
        elif isinstance(event, yaml.AliasEvent):
            if self.stack and self.stack[-1].is_mapping and self.stack[-1].key is None:
                self.fail("complex-key", "a key is a name, not an alias", event, "write a name")
            if event.anchor not in self.anchors:
                inside = any(event.anchor == each.anchor for each in self.stack)
                what = "contains itself" if inside else "has not been defined above"
                close = nearest(event.anchor or "", self.anchors)
                fix = f"did you mean `*{close}`?" if close else "write out what it stands for"
                self.fail("unknown-alias", f"`*{event.anchor}` {what}", event, fix)
            node, size, height = self.anchors[event.anchor]
            if len(self.stack) + height > MAX_DEPTH:
                self.fail("too-deep", f"more than {MAX_DEPTH} levels deep", event, "nest less")
            self.finish(node, None, size, height)

    def underline(self, done: _Open, event: yaml.Event) -> None:
        """Make a collection's place as long as what of it stands in its first line."""
        place, end = done.location, event.end_mark
        assert end is not None
        if done.is_flow:
            is_one_line = end.line + 1 == place.line
            length = end.column + self.source.offset + 1 - place.column if is_one_line else 1
        else:
            length = next((key.length for key in done.keys.values()), 1)
        if length != place.length:
            done.location = replace(place, length=length)

    def open_key(self, event: yaml.ScalarEvent) -> None:
        top = self.stack[-1]
        place = self.place(event)
        if event.value == "<<" and event.style is None:
            self.fail(
                "merge-key",
                "YAML 1.2 has no merge key `<<`",
                event,
                "write the keys out, or take another spec with `extends`",
            )
        if not event.value:
            self.fail("empty-key", "a key without a name", event, "write a name")
        self.refuse_unprintable(event)
        if event.value in top.items:
            hint = f"it stands in line {top.keys[event.value].line} already"
            if event.value[:1].isupper():
                hint += "; the items of a list start with `- `"
            self.say("repeated-key", f"`{shortened(event.value)}` is given twice", event, hint)
        top.key = event.value
        top.keys[event.value] = place

    def is_of_tuple(self, top: _Open, event: yaml.ScalarEvent) -> bool:
        """Whether a scalar is a piece of `(3, 3)` in brackets or braces; once the tuple is whole,
        its error is noted and a list put in its place."""
        if top.skips_value:  # the nothing behind what is no key
            top.skips_value = False
            return True
        if not top.is_flow or event.style is not None:
            return False
        cut = top.cut
        if cut is None or not cut.takes(event):
            is_key = top.is_mapping and top.key is None
            top.cut = None if is_key else cut_tuple(event, top.key)
            return False
        top.skips_value = top.is_mapping
        if cut.is_whole:
            top.cut = None
            if closed := cut.closed(event, self.source):
                node, error = closed
                self.note(error)
                if cut.key is None:
                    top.sequence[-1] = node
                else:
                    top.items[cut.key] = node
        return True

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        if event.style is not None:
            self.refuse_unprintable(event)
            return Scalar(event.value, self.place(event))
        try:
            return Scalar(scalars.resolve(event.value), self.place(event))
        except ValueError as error:
            self.say("number-range", str(error), event)
            return Scalar(event.value, self.place(event))

    def finish(self, node: Node, anchor: str | None, size: int = 1, height: int = 0) -> None:
        """Put a complete value into the collection that is open."""
        if anchor is not None:
            self.anchors[anchor] = (node, size, height)
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        top.size += size
        top.height = max(top.height, height + 1)
        if top.size > MAX_NODES:
            raise SpecError(
                [Diagnostic("too-large", f"more than {MAX_NODES:,} values", top.location)]
            )
        if top.is_mapping:
            assert top.key is not None
            top.items[top.key] = node
            top.key = None
        else:
            top.sequence.append(node)

    def refuse_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag is not None and event.tag != "!":
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.say(
                "tag",
                f"a spec has no YAML tags, and this is `{tag}`",
                event,
                "remove the tag; a spec never constructs Python objects",
            )

    def refuse_unprintable(self, event: yaml.ScalarEvent) -> None:
        """Escapes write what a file cannot hold: `"\\0"`, which no path and no name may have."""
        if bad := UNPRINTABLE.search(event.value):
            message = f"a character that is not text: U+{ord(bad.group()):04X}"
            self.fail("control-character", message, event, "remove it")
        bad = BIDIRECTIONAL.search(event.value)
        if bad and not BIDIRECTIONAL.search(self.source.text, *self.span(event)):
            self.note(_bidirectional(bad[0], self.place(event)))

    def span(self, event: yaml.Event) -> tuple[int, int]:
        """Where an event begins and ends in the text."""
        assert event.start_mark is not None
        assert event.end_mark is not None
        return event.start_mark.index, event.end_mark.index

    def place(self, event: yaml.Event) -> Location:
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        length = end.column - start.column if end.line == start.line else 1_000_000
        return self.source.location(start.line, start.column, length)

    def say(self, rule: str, message: str, event: yaml.Event, hint: str | None = None) -> None:
        """Note an error after which reading goes on."""
        self.note(Diagnostic(rule, message, self.place(event), hint))

    def note(self, error: Diagnostic) -> None:
        self.found.append(error)
        if len(self.found) >= MAX_ERRORS:
            raise SpecError([])

    def fail(self, rule: str, message: str, event: yaml.Event, hint: str | None = None) -> NoReturn:
        raise SpecError([Diagnostic(rule, message, self.place(event), hint)])


def _bidirectional(letter: str, place: Location) -> Diagnostic:
    return Diagnostic(
        "bidirectional-character",
        f"U+{ord(letter):04X} changes the order in which the letters around it are shown",
        place,
        "remove it",
    )
