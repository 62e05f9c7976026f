"""The one place where an error becomes a message and an exit code."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

from cnnctl.errors import CnnctlError, Diagnostic, Stopped
from cnnctl.io.notes import print_notes
from cnnctl.io.printable import ENCODABLE, Escaped, printable, printable_lines, unescaped
from cnnctl.io.signals import heeded, is_repeated

MAX_WIDTH = 160
"""Longer source lines are cut around the caret."""


def guarded(program: Callable[[], object]) -> int:
    """Run a program; returns its exit code.

    0 done, 1 the work failed, 2 the command line or the spec is wrong, 129, 130 or 143 interrupted.
    """
    _caught.clear()
    print_notes()
    for number in heeded():
        if number != signal.SIGINT or signal.getsignal(number) is signal.default_int_handler:
            signal.signal(number, _catch)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ENCODABLE)
        if not isinstance(stream, Escaped):
            setattr(sys, name, Escaped(stream))
    try:
        program()
        sys.stdout.flush()
    except CnnctlError as error:
        report(error)
        return error.exit_code
    except KeyboardInterrupt as interrupt:
        return _interrupted(interrupt)
    except MemoryError:
        print("error: there is not enough memory for this", file=sys.stderr)
        return 1
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            where = f"{error.filename}: " if error.filename else ""
            print(printable(f"error: {where}{error.strerror or error}"), file=sys.stderr)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return 1
        # The reader of a pipe has left (`| head`); Python would complain while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except SystemExit as leaving:
        if cause := _interruption(leaving):  # Typer leaves without a word
            return _interrupted(cause)
        if any(isinstance(each, BrokenPipeError) for each in _causes(leaving)):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return 0
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except Exception as error:
        # C code that a signal breaks into fails with errors of its own.
        if cause := _interruption(error):
            return _interrupted(cause)
        if _caught:
            return _interrupted(Stopped(_caught[0]))
        raise
    return 0


_caught: list[int] = []
"""The signals that have come while nothing gentler listened to them."""


def _catch(number: int, frame: FrameType | None) -> None:
    """SIGINT, SIGTERM or SIGHUP: leave as a shell would name it, tidily."""
    if is_repeated(number, _caught[0] if _caught else None):
        return
    _caught.append(number)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def _interrupted(interrupt: KeyboardInterrupt) -> int:
    print("\ninterrupted", file=sys.stderr)
    return 128 + (interrupt.number if isinstance(interrupt, Stopped) else signal.SIGINT)


def _interruption(error: BaseException | None) -> KeyboardInterrupt | None:
    """The KeyboardInterrupt that led to an exception, if one did."""
    return next((each for each in _causes(error) if isinstance(each, KeyboardInterrupt)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def report(error: CnnctlError) -> None:
    """Print an error to standard error: located and underlined where it is a spec's."""
    print(render(error, color=_color()), file=unescaped(sys.stderr))


def render(error: CnnctlError, *, color: bool = False) -> str:
    """The text of an error as people see it: printable, and with color codes of its own alone."""
    if error.diagnostics:
        blocks = [_diagnostic(each, color) for each in error.diagnostics]
        if len(blocks) > 1:
            blocks.append(f"{len(blocks)} errors")
        return "\n\n".join(blocks)
    lines = [f"{_red('error', color)}: {printable(error.message)}"]
    if error.hint:
        first, *rest = printable_lines(error.hint).split("\n")
        lines += [f"  hint: {first}", *(f"        {line}" for line in rest)]
    return "\n".join(lines)


def _diagnostic(diagnostic: Diagnostic, color: bool) -> str:
    lines = [f"{_red('error', color)}: {printable(diagnostic.message)}"]
    place = diagnostic.location
    hint = printable(diagnostic.hint) if diagnostic.hint else None
    if place is None:
        if hint:
            lines.append(f"  hint: {hint}")
    elif place.file.startswith("--"):
        lines.append(f"  --> {printable(_shown(place.file))}")
        lines += _underlined(place.file, place.column, place.length, hint, "      ")
    else:
        lines.append(f"  --> {printable(place)}")
        if place.text is not None:
            number = f"{place.line:>6} | "
            lines += _underlined(place.text, place.column, place.length, hint, number)
        elif hint:
            lines.append(f"  hint: {hint}")
    lines += [f"   {printable(note)}" for note in diagnostic.notes]
    return "\n".join(lines)


def _underlined(text: str, column: int, length: int, hint: str | None, number: str) -> list[str]:
    """A line and its caret, cut around the caret where it is very long; tabs become spaces."""
    text = text.replace("\t", " ")
    width = max(20, min(MAX_WIDTH, shutil.get_terminal_size().columns - len(number) - 2))
    begin = max(0, column - 1 - width // 2) if len(text) > width else 0
    shown = text[begin : begin + width]
    lead = "…" if begin else ""
    tail = "…" if begin + width < len(text) else ""
    at = column - 1 - begin
    before, below = lead + printable(shown[:at]), printable(shown[at : at + max(1, length)])
    gutter = " " * (len(number) - 2) + "| " if number.endswith("| ") else " " * len(number)
    caret = " " * _columns(before) + "^" * max(1, _columns(below))
    return [
        f"{number}{lead}{printable(shown)}{tail}",
        f"{gutter}{caret}{' ' + hint if hint else ''}",
    ]


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: Chinese letters, say, take two each."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _shown(flag: str) -> str:
    return flag if len(flag) <= MAX_WIDTH else flag[: MAX_WIDTH - 1] + "…"


def _color() -> bool:
    return sys.stderr.isatty() and "NO_COLOR" not in os.environ


def _red(text: str, color: bool) -> str:
    return f"\x1b[1;31m{text}\x1b[0m" if color else text
