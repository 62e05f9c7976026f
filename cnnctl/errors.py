"""The one family of exceptions, and where in a file a mistake is.

    CnnctlError                 a user's problem, told in one message        exit code 1
     ├── UsageError             the command line is wrong                    exit code 2
     ├── SpecError              the spec is wrong: every error, located      exit code 2
     ├── DataError              the data is missing, damaged or does not fit
     ├── CheckpointError        a weights file is damaged or not this model's
     ├── RunError               a run folder cannot be read or written
     └── TrainingError          the training itself failed (it diverged, say)

Library functions raise these and nothing else for a mistake that is not cnnctl's own; the
command line turns them into a message and an exit code in one place (`cnnctl.cli.boundary`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

LONGEST_NAME = 60
"""How many characters of a name from a file a message shows."""

_LONGEST_LINE = 2_000
"""Characters of a line of a message: the last resort, where a name was not shortened."""


def shortened(name: object, most: int = LONGEST_NAME) -> str:
    """Shorten a name from a file for a message: a long one becomes its start and its length.

    Example:
        >>> shortened("conv2d")
        'conv2d'
        >>> shortened("a" * 60_000, 4)
        'aaaa… (60,000 characters)'
    """
    text = str(name)
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def listed(names: Iterable[object], most: int = 10) -> str:
    """List names from a file for a message: the first ones, and how many others there are.

    Example:
        >>> listed(["a", "b"])
        'a, b'
        >>> listed(range(1000), 2)
        '0, 1 and 998 more'
    """
    names = list(names)
    text = ", ".join(map(shortened, names[:most]))
    return text if len(names) <= most else f"{text} and {len(names) - most:,} more"


def _bounded(text: str) -> str:
    """A message whose lines end somewhere."""
    if len(text) <= _LONGEST_LINE:
        return text
    return "\n".join(shortened(line, _LONGEST_LINE) for line in text.split("\n"))


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a spec: a file as the user named it, or a flag such as `--set fit.epochs=3`.

    Args:
        file: The file's path as given, or the text of the flag.
        line: Counted from 1.
        column: Counted from 1, in characters.
        length: How many characters the caret underlines.
        text: The whole line, for display.
    """

    file: str
    line: int = 1
    column: int = 1
    length: int = field(default=1, compare=False)
    text: str | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error of a spec.

    Args:
        rule: A stable name in kebab case (`unknown-argument`), for tests and scripts.
        message: What is wrong, in one line, without a full stop.
        location: Where; None if the error has no place in a file.
        hint: The fix, shown beside the caret.
        notes: Further lines below: the chain of shapes, what is available.
    """

    rule: str
    message: str
    location: Location | None = None
    hint: str | None = None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"{self.location}: " if self.location else ""
        fix = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{fix}"


class CnnctlError(Exception):
    """A problem of the user's making or finding.

    Args:
        message: What is wrong, in one line.
        hint: What to do about it; may have several lines.
        diagnostics: The places of a spec to which it leads, if it leads to any.
    """

    exit_code = 1

    def __init__(
        self, message: str, *, hint: str | None = None, diagnostics: Iterable[Diagnostic] = ()
    ) -> None:
        message = _bounded(message)
        super().__init__(message)
        self.message = message
        self.hint = None if hint is None else _bounded(hint)
        self.diagnostics = tuple(diagnostics)


class UsageError(CnnctlError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class SpecError(CnnctlError):
    """A spec with errors: all of them, in the order of the file."""

    exit_code = 2

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        diagnostics = tuple(diagnostics)
        super().__init__("\n".join(map(str, diagnostics)), diagnostics=diagnostics)


class DataError(CnnctlError):
    """The data cannot be found, is damaged, or does not fit the network."""


class CheckpointError(CnnctlError):
    """A file of weights is damaged, foreign, or belongs to another network."""


class RunError(CnnctlError):
    """A run folder cannot be read or written."""


class TrainingError(CnnctlError):
    """The training failed: it diverged, or the framework refused a step."""


class Stopped(KeyboardInterrupt):
    """A signal ended the work. No `CnnctlError`: nothing failed, and nobody should catch it by
    accident.

    Args:
        number: The signal: SIGINT, SIGTERM or SIGHUP.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
