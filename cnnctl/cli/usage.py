"""A wrong command line, told like every other error: what is wrong, and the fix."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from cnnctl.catalog.suggest import nearest
from cnnctl.errors import UsageError

_Wrong: type[Exception] = typer.BadParameter.__mro__[1]
"""What Typer raises for every wrong command line; it exports only this class that derives from
it."""
_HELP_WAS_ASKED = "NoArgsIsHelpError"
_COMMAND = re.compile(r"No such command ['\"](.*)['\"]\.", re.DOTALL)
_ARGUMENTS = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)$", re.DOTALL)
_LONGEST = 60
"""How many characters of a wrong value are shown."""


class Group(TyperGroup):
    """Commands whose wrong use is a `cnnctl.errors.UsageError`."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Read the options before a command."""
        with explained():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Find the command, read what is given to it, and run it."""
        with explained():
            return super().invoke(ctx)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what Typer raises for a wrong command line into cnnctl's error."""
    try:
        yield
    except _Wrong as error:
        if type(error).__name__ == _HELP_WAS_ASKED:
            raise
        raise explain(error) from error


def explain(error: Any) -> UsageError:
    """Return the error that tells what is wrong with a command line, and how it is right.

    Args:
        error: What Typer raised.
    """
    context = error.ctx
    kind = type(error).__name__
    if kind == "MissingParameter":
        what = "option" if _is_option(error.param) else "argument"
        message = f"missing {what} {_name(error.param)}"
        _, _, choices = error.format_message().partition("Choose from:")
        words = re.findall(r"[^,\s]+", choices)
        about = f"it takes {_or(words)}" if words else error.param.help
        return UsageError(message, hint=f"{about}\n{_use(context)}")
    if kind == "BadParameter" and error.param is not None:
        return _bad_value(error)
    if kind == "NoSuchOption":
        close = nearest(error.option_name, _options(context))
        hint = f"did you mean {close}?" if close else _more(context)
        return UsageError(f"unknown option `{_brief(error.option_name)}`", hint=hint)
    if kind == "BadOptionUsage":
        if "does not take" in error.message:
            return UsageError(f"{error.option_name} takes no value", hint="leave out `=…`")
        hint = f"write {error.option_name} VALUE, or leave it out"
        return UsageError(f"{error.option_name} needs a value", hint=hint)
    if found := _COMMAND.match(error.message):
        close = nearest(found[1], context.command.list_commands(context))
        hint = f"did you mean {close}?" if close else _more(context)
        return UsageError(f"unknown command `{_brief(found[1])}`", hint=hint)
    if found := _ARGUMENTS.match(error.message):
        message = f"more arguments than {context.command_path} takes: `{_brief(found[1])}`"
        return UsageError(message, hint=_use(context))
    return UsageError(_plain(error.message), hint=_use(context) if context else None)


def _bad_value(error: Any) -> UsageError:
    """A value that is not of the kind that an option or argument takes."""
    param = error.param
    name = _name(param)
    choices = _choices(error.message)
    value = _value(error)
    not_this = f", not `{value}`" if value is not None else ""
    if choices:
        close = nearest(value or "", choices)
        hint = f"did you mean {close}?" if close else param.help
        return UsageError(f"{name} takes {_or(choices)}{not_this}", hint=hint)
    bounds = _bounds(param)
    if "integer" in error.message or (bounds and _is_number(value)):
        hint = f"such as {name} {_example(param)}: {_uncapitalized(param.help)}"
        return UsageError(f"{name} takes an integer{bounds}{not_this}", hint=hint)
    if "number" in error.message or "float" in error.message:
        return UsageError(f"{name} takes a number{bounds}{not_this}", hint=param.help)
    return UsageError(f"{name}: {_plain(error.message)}", hint=param.help)


def _value(error: Any) -> str | None:
    """The value that was given, where the error knows it."""
    try:
        return _brief(error.__cause__.errors()[0]["input"])
    except (AttributeError, IndexError, KeyError):
        found = re.match(r"(?:Value error, )?['\"]?(.*?)['\"]? is not ", error.message, re.DOTALL)
        return _brief(found[1]) if found else None


def _is_number(text: str | None) -> bool:
    return bool(text and re.fullmatch(r"[-+]?\d+…?", text))


def _choices(message: str) -> tuple[str, ...]:
    """What may be written, where it is one of some words."""
    _, found, listed = message.rpartition("is not one of ")
    return tuple(re.findall(r"'([^']*)'", listed)) if found else ()


def _limits(param: Any) -> tuple[Any, Any]:
    """The least and the largest value; None where there is no bound."""
    source = param if hasattr(param, "min") else getattr(param, "type", None)
    return getattr(source, "min", None), getattr(source, "max", None)


def _example(param: Any) -> int:
    """A whole number within the bounds."""
    least, most = _limits(param)
    usual = 8600 if most == 65535 else 3  # a port that users may open
    return max(usual, least or 0) if most is None else min(max(usual, least or 0), most)


def _uncapitalized(text: str | None) -> str:
    return f"{text[:1].lower()}{text[1:]}" if text else "a whole number"


def _bounds(param: Any) -> str:
    """`` of at least 1``; `` from 0 to 65535``; empty where there is no bound."""
    least, most = _limits(param)
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f" of at least {least}"
    return f" of at most {most}" if most is not None else ""


def _is_option(param: Any) -> bool:
    return bool(param.param_type_name == "option")


def _name(param: Any) -> str:
    """`--epochs`, or an argument's name in the help: `SPEC`."""
    if _is_option(param):
        return str(max(param.opts, key=len))
    return re.sub(r"[\[\]{}…]|\.\.\.", "", param.metavar or param.name.upper())


def _options(context: Any) -> list[str]:
    """Every option that a command takes."""
    params = context.command.get_params(context)
    return [each for param in params if _is_option(param)
            for each in (*param.opts, *param.secondary_opts)]  # fmt: skip


def _or(words: Sequence[str]) -> str:
    """`a, b or c`."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _use(context: Any) -> str:
    """How a command is called."""
    words = [context.command_path]
    for param in context.command.get_params(context):
        if not _is_option(param):
            words.append(param.metavar or param.name.upper())
        elif param.required:
            words.append(f"{_name(param)} …")
    return f"usage: {' '.join(words)}\n{_more(context)}"


def _more(context: Any) -> str:
    return f"{context.command_path} --help tells more"


def _brief(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _plain(message: str) -> str:
    """Typer's sentence as a part of one."""
    message = _brief(message.removeprefix("Value error, ").strip().rstrip("."))
    return message[:1].lower() + message[1:]
