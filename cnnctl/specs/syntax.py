"""What is wrong with a text that is not YAML: PyYAML's errors in the words of people who write
specs, at the place where the fix goes."""

from __future__ import annotations

import re

import yaml

from cnnctl.errors import Diagnostic, Location
from cnnctl.specs.nodes import LONGEST_SHOWN, shortened
from cnnctl.specs.source import Source

_CLOSING = {"[": "]", "{": "}"}
_KEY = re.compile(r"\s*(?:- +)*(?P<key>[^\s'\"\[{:#][^:#]*?):(?: +(?P<value>\S.*))?\s*")
"""A line with a key, and perhaps its value."""
_NO_SPACE = re.compile(r"\s*(?:- +)?(?P<key>[A-Za-z_]\w*):(?P<value>[^\s:]+)\s*")
"""`epochs:10`, which is a text."""
_NO_DASH_SPACE = re.compile(r"\s*-(?P<word>[A-Za-z_])")
_COMPONENT = re.compile(r"[A-Z]\w*:(\s|$)")


def explain(error: yaml.MarkedYAMLError, source: Source) -> Diagnostic:
    """The error behind one of PyYAML's errors."""
    return _Explained(error, source).diagnostic()


class _Explained:
    def __init__(self, error: yaml.MarkedYAMLError, source: Source) -> None:
        self.source = source
        self.lines = source.text.split("\n")
        self.problem = error.problem or "unreadable"
        self.context = error.context or ""
        at = error.problem_mark or error.context_mark
        self.line, self.column = (at.line, at.column) if at else (0, 0)
        before = error.context_mark or at
        self.first_line, self.first_column = (before.line, before.column) if before else (0, 0)
        found = re.search(r"(?:found|got) '(.*)'", self.problem)
        self.found = found[1] if found else ""

    def diagnostic(self) -> Diagnostic:
        told = self.tell()
        if told is not None:
            return told
        notes = (f"{self.context}, line {self.first_line + 1}",) if self.context else ()
        return self.say(self.problem, None, notes=notes)

    def tell(self) -> Diagnostic | None:
        """The error, if it is one of those that are known."""
        if "cannot start any token" in self.problem:
            return self.start()
        if "mapping values are not allowed" in self.problem:
            return self.colon()
        if "sequence entries are not allowed" in self.problem:
            return self.say("a `-` inside a line", "start the list in a line of its own")
        if "could not find expected ':'" in self.problem:
            return self.no_colon()
        if self.context == "while parsing a flow node":
            return self.no_value()
        if "expected the node content" in self.problem:
            return self.say(f"a `{self.found}` where a value is expected", "remove it")
        if "expected '<document start>'" in self.problem:
            return self.say("something behind the end of the spec", "remove it")
        if self.context.startswith("while parsing a flow") and self.problem.startswith("expected"):
            return self.brackets()
        if "expected <block end>" in self.problem:
            return self.block()
        if "quoted scalar" in self.context:
            return self.quotes()
        if "scanning an alias" in self.context or "scanning an anchor" in self.context:
            sign = self.text(self.first_line)[self.first_column : self.first_column + 1]
            fix = "put a text that starts with it in quotes"
            return self.say(f"a `{sign}` without a name", fix, first=True)
        return None

    def start(self) -> Diagnostic:
        sign = self.text(self.line)[self.column : self.column + 1]
        if sign == "\t":
            return self.say("a tab", "YAML is indented with spaces")
        rest = self.text(self.line)[self.column :].strip()
        return self.say(
            f"a text cannot start with `{sign}`", f'put it in quotes: `"{shortened(rest)}"`'
        )

    def colon(self) -> Diagnostic:
        """A colon where none can be."""
        line, above = self.text(self.line), self.text(self.line - 1)
        if glued := self.without_dash_space():
            return glued
        key = _KEY.match(line)
        if key and key["value"] and key.end("key") < self.column:
            text = key["value"].rstrip()
            if len(text) > LONGEST_SHOWN:
                fix = "put a text that holds a colon in quotes"
            elif _COMPONENT.match(text) and key["key"] not in {"description", "name"}:
                fix = f"put braces around it: `{key['key']}: {{{text}}}`"
            else:
                fix = f'put a text that holds a colon in quotes: `{key["key"]}: "{text}"`'
            return self.say("a second `:` in a line", fix)
        if glued_key := _NO_SPACE.fullmatch(above):
            return self.no_space(self.line - 1, glued_key)
        upper = _KEY.fullmatch(above)
        if upper and upper["value"] and _indent(line) > _indent(above):
            column = _indent(above)
            fix = f"start it below `{upper['key']}`, in column {column + 1}"
            return self.say("a key below a value", fix, at=(self.line, _indent(line)))
        if (at := self.bare_word_above()) is not None:
            return self.bare_word(at, _indent(self.text(at)))
        return self.say("a `:` where no key can be", "put a text that holds a colon in quotes")

    def bare_word_above(self) -> int | None:
        """The line of a word that could be a key, among those between here and the key above."""
        for at in range(self.line - 1, -1, -1):
            if _KEY.fullmatch(self.text(at)):
                return None
            if re.fullmatch(r" *[A-Za-z_]\w*\s*", self.text(at)):
                return at
        return None

    def without_dash_space(self) -> Diagnostic | None:
        """`-Flatten`, which is a text: the first of the lines that are written so."""
        at = self.line
        if not _NO_DASH_SPACE.match(self.text(at)):
            return None
        while at and _NO_DASH_SPACE.match(self.text(at - 1)):
            at -= 1
        word = self.text(at).strip()[1:].split(":")[0]
        fix = f"put a space after the dash: `- {word}`"
        return self.say("a list without spaces", fix, at=(at, _indent(self.text(at))))

    def no_colon(self) -> Diagnostic:
        line = self.text(self.first_line)
        if glued := _NO_SPACE.fullmatch(line):
            return self.no_space(self.first_line, glued)
        return self.bare_word(self.first_line, self.first_column)

    def bare_word(self, line: int, column: int) -> Diagnostic:
        word = self.text(line)[column:].strip()
        word = shortened(word)
        what, fix = f"`{word}` is a key and has no `:`", f"write `{word}: …`"
        return self.say(what, fix, at=(line, column), length=len(word))

    def no_space(self, line: int, match: re.Match[str]) -> Diagnostic:
        fix = f"put a space after the colon: `{match['key']}: {match['value']}`"
        at = (line, match.start("key"))
        return self.say("a `:` without a space", fix, at=at, length=len(match[0].strip()))

    def no_value(self) -> Diagnostic:
        """Nothing where a value is needed, in brackets."""
        if self.found != "<stream end>":
            fix = "write one, or remove what needs it"
            return self.say(f"no value before `{self.found}`", fix)
        for at in range(self.line, -1, -1):
            opened = max(self.text(at).rfind("["), self.text(at).rfind("{"))
            if opened >= 0:
                break
        opening = self.text(at)[opened : opened + 1]
        fix = f"add the closing `{_CLOSING.get(opening, opening)}`"
        return self.say(f"`{opening}` is never closed", fix, at=(at, max(opened, 0)))

    def brackets(self) -> Diagnostic:
        """A list or mapping in brackets that does not go on as it should."""
        opening = self.text(self.first_line)[self.first_column : self.first_column + 1]
        closing = _CLOSING.get(opening, opening)
        here = self.text(self.line)
        is_later = self.line > self.first_line
        # A line that looks like the rest of the spec was not meant to stand in the brackets.
        if self.found == "<stream end>" or (is_later and (_KEY.match(here) or "- " in here)):
            fix = f"add the closing `{closing}`"
            return self.say(f"`{opening}` is never closed", fix, first=True)
        if self.found in {"]", "}", ")"}:
            fix = f"write `{closing}`"
            return self.say(f"`{opening}` is closed by `{self.found}`", fix)
        if self.found == ":":
            fix = "put a text that holds a colon in quotes, or braces around a mapping"
            return self.say("a second `:` in brackets", fix)
        if self.found == ",":
            return self.say("a comma too many", "remove it")
        return self.say("a comma is missing", f"put one before it, or close the `{opening}`")

    def block(self) -> Diagnostic:
        """A line that does not go on with what stands above it."""
        line = self.text(self.line)
        if self.found == ":":
            return self.say("a `:` without a key", "write a key before it")
        if self.found in {"]", "}", ","}:
            return self.say(f"a `{self.found}` too many", "remove it")
        if self.found == "<scalar>" or self.column > _indent(line):
            if "'" in line[: self.column] and line[: self.column].rstrip().endswith("'"):
                fix = "write `''` for a `'` inside a text in quotes"
                return self.say("a text goes on behind its quote", fix)
            return self.say("a text goes on behind its end", "put the whole text in quotes")
        is_item = line[self.column :].startswith("-")
        if self.found == "?" and "collection" in self.context and not is_item:
            return self.say("an item of a list starts with `- `", "put `- ` before it")
        for number in range(self.line - 1, -1, -1):
            above = self.text(number).strip()
            if above and not above.startswith("#") and above.startswith("- ") == is_item:
                column = _indent(self.text(number)) + 1
                fix = f"start it in column {column}, as line {number + 1} does"
                return self.say("the indentation fits nothing above", fix)
        if is_item and (key := _KEY.fullmatch(self.text(self.line - 1))):
            fix = f"put its own key above it, or take away the value of `{key['key']}`"
            return self.say("a list below a value", fix)
        return self.say("this does not go on with what stands above it", None)

    def quotes(self) -> Diagnostic | None:
        if "end of stream" in self.problem or "document separator" in self.problem:
            sign = self.text(self.first_line)[self.first_column : self.first_column + 1]
            return self.say("a quote is never closed", f"add the closing `{sign}`", first=True)
        if "escape" in self.problem:
            fix = "write `/` or `\\\\` for a `\\`, or take single quotes"
            at = (self.line, max(self.text(self.line).rfind("\\", 0, self.column), 0))
            return self.say("a `\\` in double quotes starts a special character", fix, at=at)
        return None

    def say(
        self,
        what: str,
        fix: str | None,
        *,
        first: bool = False,
        at: tuple[int, int] | None = None,
        length: int = 1,
        notes: tuple[str, ...] = (),
    ) -> Diagnostic:
        """The diagnostic: at PyYAML's mark, where the construct begins (`first`), or elsewhere."""
        line, column = at or (
            (self.first_line, self.first_column) if first else (self.line, self.column)
        )
        place: Location = self.source.location(line, column, length)
        return Diagnostic("yaml-syntax", f"not YAML: {what}", place, fix, notes)

    def text(self, line: int) -> str:
        return self.lines[line] if 0 <= line < len(self.lines) else ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
