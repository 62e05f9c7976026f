"""Where in a plug-in an error arose."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import wraps
from types import FrameType
from typing import Any

from cnnctl.plugins.record import loaded

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')


def frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """The frames, each with its line, that an error and its causes went through, outermost
    first."""
    cause: BaseException | None = error
    while cause is not None:
        traceback = cause.__traceback__
        while traceback is not None:
            yield traceback.tb_frame, traceback.tb_lineno
            traceback = traceback.tb_next
        cause = cause.__cause__ or cause.__context__


def places_in_plugins(error: BaseException) -> tuple[str, ...]:
    """Where in a plug-in an error arose, if it was in one."""
    files = {str(path): path.name for plugin in loaded() for path in plugin.files}
    # Inside the compiled step the frames are gone, and TensorFlow writes them into its message.
    lines = [(match[1], int(match[2])) for match in _FRAME.finditer(str(error))]
    lines += [(frame.f_code.co_filename, line) for frame, line in frames(error)]
    places = [f"in {files[name]}, line {line}" for name, line in lines if name in files]
    return tuple(places[-1:])


def placed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a plug-in's function, whose errors carry a note of the line that they arose in."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            for place in places_in_plugins(error):
                error.add_note(place)
            raise

    return call
